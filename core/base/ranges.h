/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges.h - a set of 64-bit positions kept as disjoint, non-touching ranges [lo, hi).
 *
 * It answers which bytes of a stream have arrived out of order, which fragments of a datagram are
 * here, which sent bytes were sacked. Four ranges live inside the struct; beyond that they move to
 * a balanced tree (O(log n) for every operation), and back when they are few again.
 *
 * Invariants: lo < hi; ranges are sorted; hi of one is below lo of the next.
 */
#ifndef TERN_RANGES_H
#define TERN_RANGES_H

#include "mem.h"

struct tree_node;

struct range {
	uint64_t lo, hi;
};

enum { RANGES_INLINE = 4 };

struct ranges {
	uint32_t n;
	struct tree_node *root; /* NULL while all are inline */
	struct range inl[RANGES_INLINE];
};

void ranges_init(struct ranges *);
void ranges_fini(struct ranges *, struct mem *);

/* Adds [lo, hi), lo < hi, merging what overlaps or touches. false: no memory, nothing changed. */
bool ranges_add(struct ranges *, struct mem *, uint64_t lo, uint64_t hi);
/* Removes everything below pos. */
void ranges_drop_below(struct ranges *, struct mem *, uint64_t pos);

/* The first range whose hi is above pos, in *out; false: none. */
bool ranges_find(const struct ranges *, uint64_t pos, struct range *out);
/* Is every position of [lo, hi) in the set? */
bool ranges_contain(const struct ranges *, uint64_t lo, uint64_t hi);
static inline bool ranges_empty(const struct ranges *r)
{
	return r->n == 0;
}
/* The last range; false: none. */
bool ranges_last(const struct ranges *, struct range *out);
void ranges_check(const struct ranges *);

#endif
