/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - the one thing the core does with names: compare them.
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

#endif
