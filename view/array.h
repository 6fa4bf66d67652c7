/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * array.h - arrays that grow by the member.
 */
#ifndef TERN_VIEW_ARRAY_H
#define TERN_VIEW_ARRAY_H

#include <stdlib.h>

/* The array of n members with room for one more; NULL: no memory, and it stays as it is. */
static inline void *array_grow(void *array, size_t n, size_t *cap, size_t size)
{
	size_t wanted = *cap ? *cap * 2 : 32;
	void *grown;

	if (n < *cap)
		return array;
	grown = realloc(array, wanted * size);
	if (grown)
		*cap = wanted;
	return grown;
}

#endif
