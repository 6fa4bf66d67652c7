/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * common.h - what the examples share: an environment over malloc, and a stack with one address.
 *
 * A real program draws the seed from its operating system; here it is fixed, so that the examples
 * print the same each time.
 */
#ifndef TERN_EXAMPLES_COMMON_H
#define TERN_EXAMPLES_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern.h>
#include <tern_malloc.h>

static inline struct tern_stack *new_stack(uint8_t secret)
{
	struct tern_env env = { .alloc = tern_malloc, .free = tern_malloc_free };
	struct tern_config cfg;

	memset(env.seed, secret, sizeof(env.seed));
	tern_config_default(&cfg);
	return tern_new(&cfg, &env);
}

/* Carries every packet that one stack has for the other; false: there was none. */
static inline bool carry(struct tern_stack *from, unsigned out, struct tern_stack *to, unsigned in)
{
	struct tern_pkt *p, *copy;
	bool any = false;

	while ((p = tern_output(from, out))) {
		copy = tern_pkt_new(to, p->total_len);
		if (copy) {
			tern_pkt_copy(p, 0, copy->data, p->total_len);
			copy->ifindex = (uint16_t)in;
			tern_input(to, copy);
		}
		tern_pkt_free(from, p);
		any = true;
	}
	return any;
}

#endif
