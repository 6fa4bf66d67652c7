/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - the hash table of table.h.
 *
 * While it grows, old bucket i (below `moved`) has been spread over new buckets i and i + n_old;
 * one not yet moved still serves its hashes, puts included. So each hash has exactly one chain at
 * any moment, and a lookup is one probe. New buckets are not cleared in advance: nobody looks at
 * one before its old bucket has moved, and moving writes both.
 */
#include "table.h"

enum { MOVES_EACH_PUT = 2 };

static struct table_node **new_buckets(struct mem *mem, uint32_t n)
{
	return mem_new(mem, n * sizeof(struct table_node *));
}

bool table_init(struct table *t, struct mem *mem, uint32_t n_buckets)
{
	assert(n_buckets && (n_buckets & (n_buckets - 1)) == 0);
	memset(t, 0, sizeof(*t));
	t->mem = mem;
	t->buckets = new_buckets(mem, n_buckets);
	if (!t->buckets)
		return false;
	t->n_buckets = n_buckets;
	for (uint32_t i = 0; i < n_buckets; i++)
		t->buckets[i] = NULL;
	return true;
}

void table_fini(struct table *t)
{
	mem_free(t->mem, t->old, t->n_old * sizeof(struct table_node *));
	mem_free(t->mem, t->buckets, t->n_buckets * sizeof(struct table_node *));
	memset(t, 0, sizeof(*t));
}

static struct table_node **bucket_of(const struct table *t, uint32_t hash)
{
	if (t->old && (hash & (t->n_old - 1)) >= t->moved)
		return &t->old[hash & (t->n_old - 1)];
	return &t->buckets[hash & (t->n_buckets - 1)];
}

static void move_bucket(struct table *t)
{
	struct table_node **low = &t->buckets[t->moved], **high = low + t->n_old;
	struct table_node *n = t->old[t->moved];

	while (n) {
		struct table_node *next = n->next;

		if (n->hash & t->n_old) {
			*high = n;
			high = &n->next;
		} else {
			*low = n;
			low = &n->next;
		}
		n = next;
	}
	*low = *high = NULL;
	if (++t->moved < t->n_old)
		return;
	mem_free(t->mem, t->old, t->n_old * sizeof(struct table_node *));
	t->old = NULL;
	t->n_old = t->moved = 0;
}

/*
 * Asked for when n is a multiple of the number of buckets: at a load of 1, and when memory was
 * short then, at 2, 3, ... The last growth has ended by then: it took half as many puts.
 */
static void grow(struct table *t)
{
	struct table_node **larger;

	if (t->old || t->n_buckets > UINT32_MAX / 2 / sizeof(*larger))
		return;
	larger = new_buckets(t->mem, 2 * t->n_buckets);
	if (!larger)
		return;
	t->old = t->buckets;
	t->n_old = t->n_buckets;
	t->buckets = larger;
	t->n_buckets *= 2;
}

void table_put(struct table *t, struct table_node *n, uint32_t hash)
{
	struct table_node **bucket;

	if (t->n && (t->n & (t->n_buckets - 1)) == 0)
		grow(t);
	for (unsigned i = 0; t->old && i < MOVES_EACH_PUT; i++)
		move_bucket(t);
	bucket = bucket_of(t, hash);
	n->hash = hash;
	n->next = *bucket;
	*bucket = n;
	t->n++;
}

void table_remove(struct table *t, struct table_node *n)
{
	struct table_node **link = bucket_of(t, n->hash);

	while (*link != n) {
		assert(*link);
		link = &(*link)->next;
	}
	*link = n->next;
	n->next = NULL;
	t->n--;
}

static struct table_node *skip_others(struct table_node *n, uint32_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct table_node *table_first(const struct table *t, uint32_t hash)
{
	return skip_others(*bucket_of(t, hash), hash);
}

struct table_node *table_next(const struct table_node *n, uint32_t hash)
{
	return skip_others(n->next, hash);
}

/* What new bucket i holds; an old bucket not yet moved counts as the lower one of its two. */
static struct table_node *chain_at(const struct table *t, uint32_t i)
{
	if (!t->old || (i & (t->n_old - 1)) < t->moved)
		return t->buckets[i];
	return i < t->n_old ? t->old[i] : NULL;
}

/*
 * The cursor holds the bucket and how many of its last members are still to be shown (0: not
 * begun). Counted from the tail, it stays right when members shown already are removed and when
 * new ones are put at the head.
 */
struct table_node *table_walk(const struct table *t, uint64_t *cursor)
{
	uint32_t i = (uint32_t)(*cursor >> 32), left = (uint32_t)*cursor;

	for (; i < t->n_buckets; i++, left = 0) {
		struct table_node *n = chain_at(t, i);
		uint32_t n_chain = 0;

		for (struct table_node *m = n; m; m = m->next)
			n_chain++;
		if (n_chain == 0)
			continue;
		if (left == 0 || left > n_chain)
			left = n_chain;
		for (; n_chain > left; n_chain--)
			n = n->next;
		left--;
		*cursor = left ? (uint64_t)i << 32 | left : (uint64_t)(i + 1) << 32;
		return n;
	}
	*cursor = (uint64_t)i << 32;
	return NULL;
}

void table_check(const struct table *t)
{
	uint32_t n_found = 0;

	assert(!t->old || (t->n_old == t->n_buckets / 2 && t->moved < t->n_old));
	for (uint32_t i = 0; i < t->n_buckets; i++) {
		for (struct table_node *n = chain_at(t, i); n; n = n->next) {
			assert(chain_at(t, i) == *bucket_of(t, n->hash));
			n_found++;
		}
	}
	assert(n_found == t->n);
}
