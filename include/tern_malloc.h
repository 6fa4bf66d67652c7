/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_malloc.h - malloc and free as a tern_env, or a tern_resolver_wish, asks for them.
 *
 *	struct tern_env env = { .alloc = tern_malloc, .free = tern_malloc_free };
 *
 * Of a hosted C library; the core asks for none. Neither looks at ctx.
 */
#ifndef TERN_MALLOC_H
#define TERN_MALLOC_H

#include <stdlib.h>

/* NULL: no memory. */
static inline void *tern_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static inline void tern_malloc_free(void *ctx, void *ptr, size_t size)
{
	(void)ctx;
	(void)size;
	free(ptr);
}

#endif
