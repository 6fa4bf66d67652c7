/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - writing JSON to a stream, value after value.
 */
#ifndef TERN_VIEW_JSON_H
#define TERN_VIEW_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool comma; /* something stands before the next value */
};

/* The next member of an object, its value to follow; a name of NULL: the next of an array. */
void json_key(struct json *j, const char *name);
/* An object or array of its own line. */
void json_open(struct json *j, const char *name, char bracket);
/* A short array on the line that it is on. */
void json_list(struct json *j, const char *name);
void json_close(struct json *j, char bracket);
void json_string(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, uint64_t value);
void json_signed(struct json *j, const char *name, int64_t value);
void json_number_if(struct json *j, const char *name, bool known, uint64_t value);
/* In milliseconds, to the microsecond. */
void json_ms(struct json *j, const char *name, uint64_t ns);
void json_bool(struct json *j, const char *name, bool value);

#endif
