/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.c - which flows are there, which has work, and which has grown old?
 *
 * A table under a secret key finds a flow by its ends. Ages are rows of flows with one duration
 * each: a flow that is given an age goes to the end of its row, so that each row is in order and
 * the next to grow old is one of its heads. Everything is O(1).
 *
 * When there are flows_max of a kind, the oldest of the datagrams' flows makes room; a stream does
 * not, a further one is not taken.
 */
#include <stdlib.h>

#include "gateway_impl.h"

/* ---- records ---- */

static bool make_room(struct gateway *g, enum flow_kind kind)
{
	static const enum flow_age rows[N_FLOW_KINDS][2] = {
		[FLOW_TCP] = { AGE_NONE, AGE_NONE },
		[FLOW_UDP] = { AGE_FRESH, AGE_IDLE },
		[FLOW_ECHO] = { AGE_ECHO, AGE_NONE },
	};

	for (unsigned i = 0; i < 2 && rows[kind][i] != AGE_NONE; i++) {
		struct list *oldest = g->ages[rows[kind][i]].next;

		if (oldest == &g->ages[rows[kind][i]])
			continue;
		flow_end(g, CONTAINER_OF(oldest, struct flow, age_link));
		return true;
	}
	return false;
}

void *flow_new(struct gateway *g, const struct flow_ops *ops, size_t size)
{
	struct flow *f;

	if (g->n[ops->kind] >= g->wish.flows_max && !make_room(g, ops->kind))
		return NULL;
	f = calloc(1, size);
	if (!f)
		return NULL;
	f->ops = ops;
	f->age = AGE_NONE;
	list_init(&f->busy_link);
	list_init(&f->age_link);
	list_put_tail(&g->all, &f->all_link);
	g->n[ops->kind]++;
	return f;
}

void flow_end(struct gateway *g, struct flow *f)
{
	if (f->dead)
		return;
	f->dead = true;
	f->ops->close(g, f);
	flow_remove(g, f);
	list_unlink(&f->busy_link);
	list_unlink(&f->age_link);
	list_unlink(&f->all_link);
	list_put_tail(&g->dead, &f->all_link);
	g->n[f->ops->kind]--;
}

void flow_wake(struct gateway *g, struct flow *f)
{
	if (!f->dead && list_empty(&f->busy_link))
		list_put_tail(&g->busy, &f->busy_link);
}

void flow_set_age(struct gateway *g, struct flow *f, enum flow_age age)
{
	list_unlink(&f->age_link);
	f->age = (uint8_t)age;
	if (age == AGE_NONE)
		return;
	f->old_at = g->now + g->duration[age];
	list_put_tail(&g->ages[age], &f->age_link);
}

/* ---- names ---- */

_Static_assert(sizeof(struct flow_key) == 44, "a key has no padding");

struct flow_key flow_key(enum flow_kind kind, const struct tern_addr *inner,
			 const struct tern_addr *outer)
{
	struct flow_key k = { .inner_port = inner->port,
			      .outer_port = outer->port,
			      .kind = (uint16_t)kind,
			      .family = inner->family };

	memcpy(k.inner, inner->ip, sizeof(k.inner));
	memcpy(k.outer, outer->ip, sizeof(k.outer));
	return k;
}

static uint32_t hash_of(const struct gateway *g, const struct flow_key *k)
{
	return (uint32_t)siphash13(&g->key, k, sizeof(*k));
}

void flow_put(struct gateway *g, struct flow *f, const struct flow_key *k)
{
	f->key = *k;
	f->in_table = true;
	table_put(&g->flows, &f->node, hash_of(g, k));
}

void flow_remove(struct gateway *g, struct flow *f)
{
	if (f->in_table)
		table_remove(&g->flows, &f->node);
	f->in_table = false;
}

struct flow *flow_find(const struct gateway *g, const struct flow_key *k)
{
	uint32_t hash = hash_of(g, k);

	for (struct table_node *n = table_first(&g->flows, hash); n; n = table_next(n, hash)) {
		struct flow *f = CONTAINER_OF(n, struct flow, node);

		if (memcmp(&f->key, k, sizeof(*k)) == 0)
			return f;
	}
	return NULL;
}
