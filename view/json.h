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

/* A name of NULL: the next member of an array. */
void json_text(struct json *j, const char *text);
void json_key(struct json *j, const char *name);
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
void json_string(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, uint64_t value);
void json_signed(struct json *j, const char *name, int64_t value);
void json_number_if(struct json *j, const char *name, bool known, uint64_t value);
void json_bool(struct json *j, const char *name, bool value);

#endif
