/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - which place of a pool belongs to which client, and until when?
 *
 * One array, searched from the front: a pool is small. A place that is free keeps the name of the
 * client that had it last, so that who comes back gets it again while nobody else has needed it.
 */
#include "serve.h"

#include <stdlib.h>

bool pool_init(struct pool *p, unsigned n)
{
	*p = (struct pool){ .n = n <= SERVE_POOL_MAX ? n : 0 };
	if (n > SERVE_POOL_MAX)
		return false;
	p->place = calloc(n ? n : 1, sizeof(*p->place));
	return p->place != NULL;
}

void pool_fini(struct pool *p)
{
	free(p->place);
}

static bool is_of(const struct place *place, const struct dhcp6_duid *key)
{
	return place->key_len == key->len && key->len > 0 &&
	       memcmp(place->key, key->b, key->len) == 0;
}

int pool_find(const struct pool *p, const struct dhcp6_duid *key)
{
	for (unsigned i = 0; i < p->n; i++)
		if ((p->place[i].state == PLACE_OFFERED || p->place[i].state == PLACE_LEASED) &&
		    is_of(&p->place[i], key))
			return (int)i;
	return -1;
}

int pool_choose(const struct pool *p, const struct dhcp6_duid *key, int wanted)
{
	int at = pool_find(p, key), unused = -1, first = -1;

	if (at >= 0)
		return at;
	if (wanted >= 0 && (unsigned)wanted < p->n && p->place[wanted].state == PLACE_FREE)
		return wanted;
	for (unsigned i = 0; i < p->n; i++) {
		if (p->place[i].state != PLACE_FREE)
			continue;
		if (is_of(&p->place[i], key))
			return (int)i;
		if (unused < 0 && p->place[i].key_len == 0)
			unused = (int)i;
		if (first < 0)
			first = (int)i;
	}
	return unused >= 0 ? unused : first;
}

void pool_put(struct pool *p, int at, enum place_state state, const struct dhcp6_duid *key,
	      tern_time until)
{
	struct place *place = &p->place[at];

	place->state = (uint8_t)state;
	place->until = until;
	place->key_len = key->len;
	memcpy(place->key, key->b, key->len);
}

void pool_expire(struct pool *p, tern_time now)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->place[i].state != PLACE_FREE && p->place[i].until <= now)
			p->place[i].state = PLACE_FREE;
}

tern_time pool_deadline(const struct pool *p)
{
	tern_time next = TERN_NEVER;

	for (unsigned i = 0; i < p->n; i++)
		if (p->place[i].state != PLACE_FREE)
			next = MIN(next, p->place[i].until);
	return next;
}
