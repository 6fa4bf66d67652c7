/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head.c - names and values of a head, put together; half of one would mean something else.
 */
#include "http_head.h"

#include <string.h>

void http_add(char *text, size_t size, size_t *len, const char *at, size_t n)
{
	if (*len + n < size) {
		memcpy(text + *len, at, n);
		text[*len + n] = 0;
	} else {
		text[0] = 0;
	}
	*len += n;
}

void http_field_name(struct http_field *f, const char *at, size_t n)
{
	if (f->in_value)
		f->len = 0;
	f->in_value = false;
	http_add(f->name, sizeof(f->name), &f->len, at, n);
}

bool http_field_value(struct http_field *f)
{
	bool first = !f->in_value;

	f->in_value = true;
	return first;
}
