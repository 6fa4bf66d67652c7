/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head.h - the fields of a head, which http_parser tells piece by piece.
 */
#ifndef TERN_CMD_HTTP_HEAD_H
#define TERN_CMD_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct http_field {
	char name[32]; /* empty: too long to be one of ours */
	size_t len;
	bool in_value; /* what comes next of a name begins another one */
};

/* Appends n bytes to a text of *len; one that does not fit is empty, but its length is not. */
void http_add(char *text, size_t size, size_t *len, const char *at, size_t n);
/* A piece of a name. */
void http_field_name(struct http_field *, const char *at, size_t n);
/* A piece of a value comes: is it the first of this field? */
bool http_field_value(struct http_field *);

#endif
