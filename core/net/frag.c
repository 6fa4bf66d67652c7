/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - which fragments belong together, and are they whole?
 *
 * A set is one datagram on its way: its key, the header of its first fragment, and its pieces in a
 * tree by offset, so that a piece costs O(log n). A piece that is there already is ignored; any
 * other that overlaps spoils the set: its pieces go, and what comes later goes with them until the
 * set's time is over (RFC 5722 4, done for IPv4 as well).
 *
 * Everything is charged at its size, to the sender and to the whole. Who exceeds the share of a
 * sender loses the oldest set of its own; when all together exceed theirs the oldest set of all
 * goes, and those that have had half of their time.
 *
 * Invariants: a set is in the table, in the list of its source and in the list of all, both by age;
 * pieces do not overlap; have is the sum of their lengths; while there are sets the timer is armed.
 *
 * Sources: RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 1858, RFC 8200 4.5, RFC 5722, RFC 3168 5.3.
 */
#include "frag.h"

#include "../wire/wire.h"

enum { PIECES_MAX = 1400, FRAG_BUCKETS = 16 }; /* RFC 791: 65535 bytes in pieces of 48 */

struct frag_source {
	struct table_node node;
	struct addr addr;
	struct list sets; /* oldest first */
	uint32_t used;
};

static struct frag_source *find_source(const struct net *net, const struct addr *addr,
				       uint32_t hash)
{
	for (struct table_node *n = table_first(&net->frag_sources, hash); n;
	     n = table_next(n, hash)) {
		struct frag_source *s = CONTAINER_OF(n, struct frag_source, node);

		if (addr_equal(&s->addr, addr))
			return s;
	}
	return NULL;
}

static struct frag_source *get_source(struct net *net, const struct addr *addr)
{
	uint32_t hash = net_hash(net, addr);
	struct frag_source *s = find_source(net, addr, hash);

	if (s)
		return s;
	s = mem_new(net->mem, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct frag_source){ .addr = *addr };
	list_init(&s->sets);
	table_put(&net->frag_sources, &s->node, hash);
	return s;
}

static void charge(struct net *net, struct frag_set *set, uint32_t size)
{
	set->used += size;
	set->source->used += size;
	net->frag_used += size;
}

static void free_pieces(struct net *net, struct frag_set *set)
{
	uint32_t freed = 0;

	while (set->pieces) {
		struct tree_node *first = tree_first(set->pieces);
		struct frag_piece *p = CONTAINER_OF(first, struct frag_piece, node);
		uint32_t size = (uint32_t)sizeof(*p) + p->len;

		set->pieces = tree_take(set->pieces, first->key);
		mem_free(net->mem, p, size);
		freed += size;
	}
	set->used -= freed;
	set->source->used -= freed;
	net->frag_used -= freed;
	set->n_pieces = 0;
	set->have = 0;
}

void frag_free(struct net *net, struct frag_set *set)
{
	struct frag_source *s = set->source;

	free_pieces(net, set);
	s->used -= set->used;
	net->frag_used -= set->used;
	table_remove(&net->frag_sets, &set->node);
	list_unlink(&set->age);
	list_unlink(&set->of_source);
	mem_free(net->mem, set, sizeof(*set));
	if (list_empty(&s->sets)) {
		table_remove(&net->frag_sources, &s->node);
		mem_free(net->mem, s, sizeof(*s));
	}
	if (list_empty(&net->frags))
		timers_disarm(net->timers, &net->frag_timer);
}

static struct frag_set *oldest_set(const struct net *net)
{
	return list_empty(&net->frags) ? NULL : CONTAINER_OF(net->frags.next, struct frag_set, age);
}

struct frag_set *frag_take_expired(struct net *net)
{
	struct frag_set *oldest = oldest_set(net);
	tern_time life = net->cfg->frag_time_ms * TERN_MS;

	if (!oldest)
		return NULL;
	if (net->frag_used > net->cfg->frag_memory_max / 2) /* pressure */
		life /= 2;
	if (oldest->since + life <= net->timers->now)
		return oldest;
	timers_arm(net->timers, &net->frag_timer, oldest->since + life);
	return NULL;
}

/* ---- a fragment comes ---- */

/* RFC 4291 2.7: groups of the scopes 1 and 2 are of a link, too. */
static bool is_of_one_link(const struct addr *a)
{
	return addr_is_link_local(a) ||
	       (addr_is_multicast(a) && !addr_is4(a) && addr_group_scope(a) <= 2);
}

uint32_t frag_zone(const struct addr *src, const struct addr *dst, unsigned ifindex)
{
	return is_of_one_link(src) || is_of_one_link(dst) ? ifindex : 0;
}

static uint32_t hash_key(const struct net *net, const struct frag_key *key)
{
	const struct frag_key hashed = { key->src, key->dst, le32(key->id), le32(key->proto),
					 le32(key->zone) };

	return (uint32_t)siphash13(&net->key, &hashed, sizeof(hashed));
}

static bool is_same_key(const struct frag_key *a, const struct frag_key *b)
{
	return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) && a->id == b->id &&
	       a->proto == b->proto && a->zone == b->zone;
}

static struct frag_set *find_set(const struct net *net, const struct frag_key *key, uint32_t hash)
{
	for (struct table_node *n = table_first(&net->frag_sets, hash); n;
	     n = table_next(n, hash)) {
		struct frag_set *set = CONTAINER_OF(n, struct frag_set, node);

		if (is_same_key(&set->key, key))
			return set;
	}
	return NULL;
}

static struct frag_set *get_set(struct net *net, const struct frag *f)
{
	uint32_t hash = hash_key(net, &f->key);
	struct frag_set *set = find_set(net, &f->key, hash);

	if (set)
		return set;
	set = mem_new(net->mem, sizeof(*set));
	if (!set)
		return NULL;
	*set = (struct frag_set){ .key = f->key, .since = net->timers->now, .ifindex = f->ifindex };
	set->source = get_source(net, &f->key.src);
	if (!set->source) {
		mem_free(net->mem, set, sizeof(*set));
		return NULL;
	}
	list_put_tail(&net->frags, &set->age);
	list_put_tail(&set->source->sets, &set->of_source);
	table_put(&net->frag_sets, &set->node, hash);
	charge(net, set, sizeof(*set));
	if (!timer_armed(&net->frag_timer))
		timers_arm(net->timers, &net->frag_timer,
			   set->since + net->cfg->frag_time_ms * TERN_MS);
	return set;
}

enum placement { PLACE_FREE, PLACE_SAME, PLACE_OVERLAPS };

static enum placement look_at_place(const struct frag_set *set, uint32_t lo, uint32_t hi)
{
	struct tree_node *before = tree_floor(set->pieces, lo);
	struct tree_node *after = tree_above(set->pieces, lo);
	const struct frag_piece *p;

	if (before) {
		p = CONTAINER_OF(before, struct frag_piece, node);
		if (p->node.key == lo && p->len == hi - lo)
			return PLACE_SAME;
		if (p->node.key + p->len > lo)
			return PLACE_OVERLAPS;
	}
	return after && after->key < hi ? PLACE_OVERLAPS : PLACE_FREE;
}

/* The last fragment says where the datagram ends, and none may say otherwise. */
static bool end_contradicts(const struct frag_set *set, const struct frag *f)
{
	struct tree_node *last = tree_last(set->pieces);
	uint32_t hi = f->off + f->len;

	if (set->end)
		return f->last ? hi != set->end : hi > set->end;
	return f->last && last && last->key > f->off;
}

/* Without its header nobody is told when its time is over (RFC 8200 4.5). */
static void spoil(struct net *net, struct frag_set *set)
{
	free_pieces(net, set);
	set->hdr_len = 0;
	set->spoiled = true;
}

static bool put_piece(struct net *net, struct frag_set *set, const struct frag *f)
{
	uint32_t size = (uint32_t)sizeof(struct frag_piece) + f->len;
	struct frag_piece *p;

	if (set->n_pieces >= PIECES_MAX)
		return false;
	p = mem_new(net->mem, size);
	if (!p)
		return false;
	p->node = (struct tree_node){ .key = f->off };
	p->len = f->len;
	memcpy(p->bytes, f->bytes, f->len);
	set->pieces = tree_put(set->pieces, &p->node);
	set->n_pieces++;
	set->have += f->len;
	set->ecn_seen |= (uint8_t)(1u << (f->ecn & 3));
	charge(net, set, size);
	if (f->off == 0) {
		set->hdr_len = (uint16_t)MIN(f->hdr_len, FRAG_HDR_MAX);
		set->link_flags = f->link_flags;
		memcpy(set->hdr, f->hdr, set->hdr_len);
	}
	if (f->last)
		set->end = f->off + f->len;
	return true;
}

/* Room is made at the cost of the sender first; never of the set that is being filled. */
static bool make_room_for_piece(struct net *net, struct frag_set *set)
{
	const struct net_config *cfg = net->cfg;

	while (set->source->used > cfg->frag_source_max) {
		struct frag_set *old =
			CONTAINER_OF(set->source->sets.next, struct frag_set, of_source);

		if (old == set)
			return false;
		frag_free(net, old);
	}
	while (net->frag_used > cfg->frag_memory_max) {
		struct frag_set *old = oldest_set(net);

		if (old == set)
			return false;
		frag_free(net, old);
	}
	return true;
}

enum tern_drop frag_put(struct net *net, const struct frag *f, struct frag_set **whole)
{
	struct frag_set *set = get_set(net, f);

	*whole = NULL;
	if (!set)
		return TERN_DROP_FRAG_MEMORY;
	if (set->spoiled)
		return TERN_DROP_FRAG_OVERLAP;
	switch (look_at_place(set, f->off, f->off + f->len)) {
	case PLACE_SAME:
		if (f->last == (set->end == f->off + f->len)) /* it came twice */
			return TERN_DROP_FRAG_OVERLAP;
		spoil(net, set);
		return TERN_DROP_FRAG_OVERLAP;
	case PLACE_OVERLAPS:
		spoil(net, set);
		return TERN_DROP_FRAG_OVERLAP;
	case PLACE_FREE:
		break;
	}
	if (end_contradicts(set, f)) {
		spoil(net, set);
		return TERN_DROP_FRAG_OVERLAP;
	}
	if (!put_piece(net, set, f) || !make_room_for_piece(net, set)) {
		frag_free(net, set);
		return TERN_DROP_FRAG_MEMORY;
	}
	if (set->end && set->have == set->end)
		*whole = set;
	return TERN_DROP_NONE;
}

/* ---- what came of it ---- */

/* RFC 3168 5.3: a mark stays; one among those that could not be marked is a fault. */
bool frag_ecn(const struct frag_set *set, uint8_t *ecn)
{
	bool marked = set->ecn_seen >> IP_ECN_CE & 1, plain = set->ecn_seen >> IP_ECN_NOT_ECT & 1;

	if (marked)
		*ecn = IP_ECN_CE;
	return !(marked && plain);
}

void frag_copy(const struct frag_set *set, uint8_t *out)
{
	struct tree_node *n = tree_first(set->pieces);

	for (; n; n = tree_above(set->pieces, n->key)) {
		const struct frag_piece *p = CONTAINER_OF(n, struct frag_piece, node);

		memcpy(out + n->key, p->bytes, p->len);
	}
}

uint32_t frag_copy_first(const struct frag_set *set, uint8_t *out, uint32_t room)
{
	struct tree_node *n = tree_first(set->pieces);
	const struct frag_piece *p;
	uint32_t len;

	if (!n || n->key != 0)
		return 0;
	p = CONTAINER_OF(n, struct frag_piece, node);
	len = MIN(p->len, room);
	memcpy(out, p->bytes, len);
	return len;
}

bool frag_init(struct net *net, uint32_t timer_kind)
{
	list_init(&net->frags);
	timer_init(&net->frag_timer, timer_kind);
	if (!table_init(&net->frag_sets, net->mem, FRAG_BUCKETS))
		return false;
	if (table_init(&net->frag_sources, net->mem, FRAG_BUCKETS))
		return true;
	table_fini(&net->frag_sets);
	return false;
}

void frag_fini(struct net *net)
{
	while (!list_empty(&net->frags))
		frag_free(net, oldest_set(net));
	table_fini(&net->frag_sets);
	table_fini(&net->frag_sources);
}

void frag_check(const struct net *net)
{
	tern_time before = 0;
	uint32_t n = 0, used = 0;

	table_check(&net->frag_sets);
	table_check(&net->frag_sources);
	for (const struct list *l = net->frags.next; l != &net->frags; l = l->next) {
		const struct frag_set *set = CONTAINER_OF(l, const struct frag_set, age);
		uint32_t have = 0, size = sizeof(*set);
		struct tree_node *p = tree_first(set->pieces);

		tree_check(set->pieces);
		for (uint64_t at = 0; p; p = tree_above(set->pieces, p->key)) {
			const struct frag_piece *piece = CONTAINER_OF(p, struct frag_piece, node);

			assert(p->key >= at);
			at = p->key + piece->len;
			have += piece->len;
			size += (uint32_t)sizeof(*piece) + piece->len;
		}
		assert(have == set->have && size == set->used && set->since >= before);
		assert(find_set(net, &set->key, set->node.hash) == set);
		before = set->since;
		used += size;
		n++;
	}
	assert(n == net->frag_sets.n && used == net->frag_used);
	assert(used <= net->cfg->frag_memory_max);
	assert(n == 0 || timer_armed(&net->frag_timer));
}
