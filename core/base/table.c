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

/*
 * The census of a bucket, 16 bits behind all buckets, is eight counts of two bits: how many of its
 * members have each digest. Among a hundred thousand members it is in the processor's cache, and
 * they are not: that somebody is not there is mostly known without a look at those who are. A count
 * that was full once stays so until its bucket is empty.
 */
enum { COUNT_BITS = 2, COUNT_FULL = 3, DIGEST_BITS = 3, CENSUS_BITS = 16 };

static size_t size_of_buckets(uint32_t n)
{
	return n * (sizeof(struct table_node *) + sizeof(uint16_t));
}

static struct table_node **new_buckets(struct mem *mem, uint32_t n)
{
	return mem_new(mem, size_of_buckets(n));
}

static uint16_t *census_of(struct table_node **buckets, uint32_t n)
{
	return (uint16_t *)(buckets + n);
}

/* Depends on all bits, also on those that the number of the bucket is made of. */
static unsigned digest(uint32_t hash)
{
	return hash * 0x9e3779b9 >> (32 - DIGEST_BITS);
}

static unsigned count_at(uint16_t census, uint32_t hash)
{
	return census >> COUNT_BITS * digest(hash) & COUNT_FULL;
}

static void count(uint16_t *census, uint32_t hash)
{
	if (count_at(*census, hash) < COUNT_FULL)
		*census = (uint16_t)(*census + (1U << COUNT_BITS * digest(hash)));
}

static void discount(uint16_t *census, uint32_t hash)
{
	if (count_at(*census, hash) < COUNT_FULL)
		*census = (uint16_t)(*census - (1U << COUNT_BITS * digest(hash)));
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
	memset(t->buckets, 0, size_of_buckets(n_buckets));
	return true;
}

void table_fini(struct table *t)
{
	mem_free(t->mem, t->old, size_of_buckets(t->n_old));
	mem_free(t->mem, t->buckets, size_of_buckets(t->n_buckets));
	memset(t, 0, sizeof(*t));
}

struct bucket {
	struct table_node **first;
	uint16_t *census;
};

static struct bucket bucket_at(struct table_node **buckets, uint32_t n, uint32_t hash)
{
	uint32_t i = hash & (n - 1);

	return (struct bucket){ buckets + i, census_of(buckets, n) + i };
}

static struct bucket bucket_of(const struct table *t, uint32_t hash)
{
	if (t->old && (hash & (t->n_old - 1)) >= t->moved)
		return bucket_at(t->old, t->n_old, hash);
	return bucket_at(t->buckets, t->n_buckets, hash);
}

static void move_bucket(struct table *t)
{
	struct table_node **low = &t->buckets[t->moved], **high = low + t->n_old;
	uint16_t *census = census_of(t->buckets, t->n_buckets) + t->moved;
	struct table_node *n = t->old[t->moved];

	census[0] = census[t->n_old] = 0;
	while (n) {
		struct table_node *next = n->next;

		count(census + (n->hash & t->n_old), n->hash);
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
	mem_free(t->mem, t->old, size_of_buckets(t->n_old));
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

	if (t->old || t->n_buckets > UINT32_MAX / 2 / size_of_buckets(1))
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
	struct bucket b;

	if (t->n && (t->n & (t->n_buckets - 1)) == 0)
		grow(t);
	for (unsigned i = 0; t->old && i < MOVES_EACH_PUT; i++)
		move_bucket(t);
	b = bucket_of(t, hash);
	n->hash = hash;
	n->next = *b.first;
	*b.first = n;
	count(b.census, hash);
	t->n++;
}

void table_remove(struct table *t, struct table_node *n)
{
	struct bucket b = bucket_of(t, n->hash);
	struct table_node **link = b.first;

	while (*link != n) {
		assert(*link);
		link = &(*link)->next;
	}
	*link = n->next;
	n->next = NULL;
	if (*b.first)
		discount(b.census, n->hash);
	else
		*b.census = 0;
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
	struct bucket b = bucket_of(t, hash);

	if (count_at(*b.census, hash))
		return skip_others(*b.first, hash);
	__builtin_prefetch(b.first, 1); /* who is looked for and not found is often put next */
	return NULL;
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
struct table_node *table_walk_some(const struct table *t, uint64_t *cursor, uint32_t *n_buckets)
{
	uint32_t i = (uint32_t)(*cursor >> 32), left = (uint32_t)*cursor;

	for (; i < t->n_buckets && *n_buckets; i++, left = 0, --*n_buckets) {
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

struct table_node *table_walk(const struct table *t, uint64_t *cursor)
{
	uint32_t all = UINT32_MAX;

	return table_walk_some(t, cursor, &all);
}

/* Does the census tell of each member of the chain? A count that is full may tell of more. */
static bool is_counted(const struct table_node *n, uint16_t census)
{
	uint16_t again = 0;

	for (; n; n = n->next)
		count(&again, n->hash);
	for (unsigned i = 0; i < CENSUS_BITS; i += COUNT_BITS) {
		unsigned told = census >> i & COUNT_FULL;

		if (told != COUNT_FULL && told != (again >> i & COUNT_FULL))
			return false;
	}
	return true;
}

void table_check(const struct table *t)
{
	uint32_t n_found = 0;

	assert(!t->old || (t->n_old == t->n_buckets / 2 && t->moved < t->n_old));
	for (uint32_t i = 0; i < t->n_buckets; i++) {
		for (struct table_node *n = chain_at(t, i); n; n = n->next) {
			struct bucket b = bucket_of(t, n->hash);

			assert(chain_at(t, i) == *b.first && is_counted(*b.first, *b.census));
			n_found++;
		}
	}
	assert(n_found == t->n);
}
