/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - what the core does with text: names are compared, numbers are written.
 */
#ifndef TERN_TEXT_H
#define TERN_TEXT_H

#include "base.h"

static inline bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* In decimal, of ten digits at most; returns where it ends. */
static inline char *text_put_number(char *p, uint32_t v)
{
	char digits[10];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

#endif
