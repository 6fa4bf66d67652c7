/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - what is known already? Answers while their time lasts, also those that say there is
 * nothing (RFC 2308).
 *
 * A record is in the chain of its hash, which is keyed, and in the order of age. There are at most
 * `max`; a new one then takes the oldest's place.
 */
#include "resolve_impl.h"

/* RFC 2308 5, RFC 8767 4: who says "for ever" is not believed. */
enum { KEEP_MAX_S = 86400, KEEP_NOTHING_MAX_S = 10800 };

void cache_init(struct cache *c, struct tern_resolver *r, unsigned max)
{
	c->r = r;
	c->n = 0;
	c->max = max;
	c->key.k0 = rand_u64(&r->rand);
	c->key.k1 = rand_u64(&r->rand);
	list_init(&c->by_age);
	for (unsigned i = 0; i < CACHE_BUCKETS; i++)
		list_init(&c->bucket[i]);
}

static void drop_cached(struct cache *c, struct cached *e)
{
	list_unlink(&e->in_bucket);
	list_unlink(&e->in_age);
	resolver_dispose(c->r, e, sizeof(*e));
	c->n--;
}

static struct cached *oldest_cached(struct cache *c)
{
	return CONTAINER_OF(c->by_age.next, struct cached, in_age);
}

void cache_clear(struct cache *c)
{
	while (c->n > 0)
		drop_cached(c, oldest_cached(c));
}

static struct list *cache_bucket_of(struct cache *c, const struct dns_question *q)
{
	uint64_t hash = siphash13(&c->key, q->name.wire, q->name.len) + q->type;

	return &c->bucket[hash % CACHE_BUCKETS];
}

static struct cached *find_cached(struct cache *c, const struct dns_question *q)
{
	struct list *bucket = cache_bucket_of(c, q);

	for (struct list *l = bucket->next; l != bucket; l = l->next) {
		struct cached *e = CONTAINER_OF(l, struct cached, in_bucket);

		if (e->question.type == q->type && dns_name_equal(&e->question.name, &q->name))
			return e;
	}
	return NULL;
}

void cache_put(struct cache *c, const struct dns_question *q, const struct dns_result *result)
{
	uint32_t most = result->kind == DNS_FOUND ? KEEP_MAX_S : KEEP_NOTHING_MAX_S;
	struct cached *e = find_cached(c, q);

	if (e)
		drop_cached(c, e);
	if (result->ttl == 0)
		return;
	if (c->n >= c->max)
		drop_cached(c, oldest_cached(c));
	e = resolver_alloc(c->r, sizeof(*e));
	if (!e)
		return; /* it is asked again */
	e->question = *q;
	e->result = *result;
	e->until = c->r->now + MIN(result->ttl, most) * TERN_SEC;
	list_init(&e->in_bucket);
	list_init(&e->in_age);
	list_put_tail(cache_bucket_of(c, q), &e->in_bucket);
	list_put_tail(&c->by_age, &e->in_age);
	c->n++;
}

bool cache_find(struct cache *c, const struct dns_question *q, struct dns_result *out)
{
	struct cached *e = find_cached(c, q);

	if (!e)
		return false;
	if (c->r->now >= e->until) {
		drop_cached(c, e);
		return false;
	}
	*out = e->result;
	out->ttl = (uint32_t)((e->until - c->r->now + TERN_SEC - 1) / TERN_SEC);
	return true;
}
