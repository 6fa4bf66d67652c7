/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - a hash table whose links live inside the members, growing a little with each call.
 *
 * The owner hashes (SipHash-1-3 with a secret key) and compares. Growth doubles the bucket array
 * and moves two buckets with each put, so that no call is O(n). When memory for a larger array is
 * short the table goes on with longer chains.
 */
#ifndef TERN_TABLE_H
#define TERN_TABLE_H

#include "mem.h"

struct table_node {
	struct table_node *next;
	uint32_t hash;
	uint32_t data; /* the owner's */
};

struct table {
	struct mem *mem;
	struct table_node **buckets, **old; /* old: being emptied, or NULL */
	uint32_t n_buckets, n_old;	    /* powers of two */
	uint32_t moved;			    /* buckets of old that are empty already */
	uint32_t n;
};

/* n_buckets: a power of two. false: no memory. */
bool table_init(struct table *, struct mem *, uint32_t n_buckets);
void table_fini(struct table *);

void table_put(struct table *, struct table_node *, uint32_t hash);
void table_remove(struct table *, struct table_node *);
/*
 * The chain that holds members with this hash: walk it with table_next and compare.
 *	for (n = table_first(t, h); n; n = table_next(n, h)) if (same(n)) ...
 */
struct table_node *table_first(const struct table *, uint32_t hash);
struct table_node *table_next(const struct table_node *, uint32_t hash);
/* Walks all members in bucket order; a cursor starts as zeroes. For listings and shutdown. */
struct table_node *table_walk(const struct table *, uint64_t *cursor);
/*
 * The same by parts, for a table that may be much larger than what is in it: *n_buckets, counted
 * down, are looked into at most. NULL: none is in them, or, when some are left, no more at all.
 */
struct table_node *table_walk_some(const struct table *, uint64_t *cursor, uint32_t *n_buckets);
void table_check(const struct table *);

#endif
