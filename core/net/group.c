/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group.c - which multicast groups does an interface listen to, from which sources, and when are
 * the routers told?
 *
 * A group exists while somebody is its member: sockets, each with a filter of its own, and this
 * host itself (solicited-node groups). The filter of the interface is the merger of its members':
 * if one excludes, what all of them exclude and none includes; else what any includes (RFC 3376
 * 3.2). A change of it is told at once and once more within a second; a query is answered after a
 * random time. While a router of an older version has been heard the older messages are spoken, and
 * sources mean nothing.
 *
 * Invariants: a group has members; its filter is that of its members; a group that a report is due
 * for has its timer armed.
 *
 * Sources: RFC 3376 3.2, 5, 7.2 (IGMPv3, fallback), RFC 3810 4.2, 6, 8.2 (MLDv2). Never reported:
 * 224.0.0.1, ff02::1, and IPv6 groups of the scopes 0 and 1 (RFC 3376 5, RFC 3810 6).
 */
#include "net.h"

#include "../wire/wire.h"

enum { ROBUSTNESS = 2, UNSOLICITED_MS = 1000, GROUP_BUCKETS = 16 };
#define OLDER_ROUTER_TIME (260 * TERN_SEC) /* RFC 3376 8.12: 2 x 125 s + 10 s */

/* ---- sets of sources ---- */

static bool holds_source(const struct addr *set, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_equal(&set[i], a))
			return true;
	return false;
}

bool membership_passes(const struct membership *m, const struct addr *src)
{
	return holds_source(m->sources, m->n_sources, src) != m->exclude;
}

/* ---- the filter of an interface ---- */

/* What the members want of a source together: RFC 3376 3.2. */
static bool some_excludes(const struct group *g)
{
	if (g->n_internal)
		return true;
	for (const struct list *l = g->members.next; l != &g->members; l = l->next)
		if (CONTAINER_OF(l, const struct membership, of_group)->exclude)
			return true;
	return false;
}

static bool is_wanted(const struct group *g, const struct addr *src)
{
	if (g->n_internal)
		return true;
	for (const struct list *l = g->members.next; l != &g->members; l = l->next)
		if (membership_passes(CONTAINER_OF(l, const struct membership, of_group), src))
			return true;
	return false;
}

/* Adds a source that a member names to the merged list; beyond the limit all of them are wanted. */
static bool merge_source(struct net *net, struct group_filter *f, const struct addr *src)
{
	struct addr *grown;

	if (holds_source(f->sources, f->n, src))
		return true;
	if (f->n >= net->cfg->group_sources_max)
		return false;
	if (f->n == f->cap) {
		grown = mem_grow(net->mem, f->sources, &f->cap, sizeof(*grown));
		if (!grown)
			return false;
		f->sources = grown;
	}
	f->sources[f->n++] = *src;
	return true;
}

static struct group_filter merge_members(struct net *net, const struct group *g)
{
	struct group_filter f = { .exclude = some_excludes(g) };

	for (const struct list *l = g->members.next; l != &g->members; l = l->next) {
		const struct membership *m = CONTAINER_OF(l, const struct membership, of_group);

		for (uint32_t i = 0; i < m->n_sources; i++) {
			if (is_wanted(g, &m->sources[i]) == f.exclude ||
			    merge_source(net, &f, &m->sources[i]))
				continue;
			f.exclude = true; /* too many: everything is let in, sockets choose */
			f.n = 0;
			return f;
		}
	}
	return f;
}

void group_filter_fini(struct net *net, struct group_filter *f)
{
	mem_free(net->mem, f->sources, f->cap * sizeof(*f->sources));
	*f = (struct group_filter){ .n = 0 };
}

static bool is_same_filter(const struct group_filter *a, const struct group_filter *b)
{
	if (a->exclude != b->exclude || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!holds_source(b->sources, b->n, &a->sources[i]))
			return false;
	return true;
}

/* ---- groups ---- */

struct group *group_find(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	uint32_t hash;

	if (net->groups.n == 0)
		return NULL;
	hash = net_hash_on(net, ifindex, addr);
	for (struct table_node *n = table_first(&net->groups, hash); n; n = table_next(n, hash)) {
		struct group *g = CONTAINER_OF(n, struct group, node);

		if (g->ifindex == ifindex && addr_equal(&g->addr, addr))
			return g;
	}
	return NULL;
}

struct group *group_walk(const struct net *net, uint64_t *cursor)
{
	struct table_node *n = table_walk(&net->groups, cursor);

	return n ? CONTAINER_OF(n, struct group, node) : NULL;
}

static struct group *get_group(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct group *g = group_find(net, ifindex, addr);

	if (g)
		return g;
	g = mem_new(net->mem, sizeof(*g));
	if (!g)
		return NULL;
	*g = (struct group){ .ifindex = ifindex, .addr = *addr };
	list_init(&g->members);
	timer_init(&g->timer, net->group_timer_kind);
	table_put(&net->groups, &g->node, net_hash_on(net, ifindex, addr));
	return g;
}

bool group_is_reported(const struct net *net, const struct group *g)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	const struct iface *i = iface_get(net, g->ifindex);

	if (!i || i->cfg.link == TERN_LINK_LOOPBACK)
		return false;
	if (addr_is4(&g->addr))
		return get_be32(g->addr.b + 12) != 0xe0000001;
	return addr_group_scope(&g->addr) > 1 && memcmp(g->addr.b, all_nodes, 16) != 0;
}

static void free_group(struct net *net, struct group *g)
{
	timers_disarm(net->timers, &g->timer);
	group_filter_fini(net, &g->filter);
	group_filter_fini(net, &g->before);
	table_remove(&net->groups, &g->node);
	mem_free(net->mem, g, sizeof(*g));
}

/* Its members have changed: what is told is what was before, and what is now. */
static void review(struct net *net, struct group *g)
{
	struct group_filter now = merge_members(net, g);

	if (is_same_filter(&now, &g->filter)) {
		group_filter_fini(net, &now);
	} else {
		group_filter_fini(net, &g->before);
		g->before = g->filter;
		g->filter = now;
		g->changes_due = group_is_reported(net, g) ? ROBUSTNESS : 0;
		if (g->changes_due)
			timers_arm(net->timers, &g->timer, net->timers->now);
	}
	if (!group_has_members(g) && !g->changes_due)
		free_group(net, g);
}

void groups_tell_again(struct net *net, unsigned ifindex, bool v6)
{
	uint64_t cursor = 0;
	struct group *g;

	while ((g = group_walk(net, &cursor))) {
		if (g->ifindex != ifindex || addr_is4(&g->addr) == v6 || !group_has_members(g) ||
		    !group_is_reported(net, g))
			continue;
		group_filter_fini(net, &g->before);
		g->changes_due = ROBUSTNESS;
		timers_arm(net->timers, &g->timer, net->timers->now);
	}
}

bool group_join(struct net *net, unsigned ifindex, const struct addr *addr, struct membership *m)
{
	struct group *g = get_group(net, ifindex, addr);

	if (!g)
		return false;
	m->group = g;
	list_put_tail(&g->members, &m->of_group);
	review(net, g);
	return true;
}

void group_leave(struct net *net, struct membership *m)
{
	struct group *g = m->group;

	list_unlink(&m->of_group);
	m->group = NULL;
	if (g)
		review(net, g);
}

void group_change(struct net *net, struct membership *m)
{
	if (m->group)
		review(net, m->group);
}

void group_join_internal(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct group *g = get_group(net, ifindex, addr);

	if (!g)
		return;
	g->n_internal++;
	review(net, g);
}

void group_leave_internal(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct group *g = group_find(net, ifindex, addr);

	if (!g || !g->n_internal)
		return;
	g->n_internal--;
	review(net, g);
}

void group_purge(struct net *net, unsigned ifindex)
{
	uint64_t cursor = 0;
	struct group *g;

	while ((g = group_walk(net, &cursor))) {
		if (g->ifindex != ifindex)
			continue;
		while (!list_empty(&g->members)) {
			struct list *l = list_take(&g->members);

			CONTAINER_OF(l, struct membership, of_group)->group = NULL;
		}
		free_group(net, g);
		cursor = 0;
	}
}

/* ---- when to speak ---- */

unsigned group_version(const struct net *net, const struct iface *i, bool v6)
{
	for (unsigned v = 1; v < (v6 ? 2u : 3u); v++)
		if (net->timers->now < i->older_router_until[v6][v - 1])
			return v;
	return v6 ? 2 : 3;
}

/* RFC 3376 5.2, RFC 3810 6.2: at a random time, or when one is due already, at the earlier one. */
static void answer_after(struct net *net, struct group *g, uint32_t max_delay_ms)
{
	tern_time at = net->timers->now + rand_below(net->rand, max_delay_ms + 1) * TERN_MS;

	if (!group_is_reported(net, g))
		return;
	g->answer_due = true;
	if (!timer_armed(&g->timer) || at < g->timer.at)
		timers_arm(net->timers, &g->timer, at);
}

void group_on_query(struct net *net, struct iface *i, bool v6, const struct group_query *q)
{
	uint64_t cursor = 0;
	struct group *g;

	if (q->version < (v6 ? 2u : 3u))
		i->older_router_until[v6][q->version - 1] = net->timers->now + OLDER_ROUTER_TIME;
	if (!addr_is_unspecified(&q->group)) {
		g = group_find(net, i->index, &q->group);
		if (g)
			answer_after(net, g, q->max_delay_ms);
		return;
	}
	while ((g = group_walk(net, &cursor)))
		if (g->ifindex == i->index && addr_is4(&g->addr) == !v6)
			answer_after(net, g, q->max_delay_ms);
}

/* RFC 2236 3: with an older router, who hears another member report need not. */
void group_on_report(struct net *net, struct iface *i, const struct addr *group)
{
	struct group *g = group_find(net, i->index, group);

	if (!g || !g->answer_due || g->changes_due)
		return;
	g->answer_due = false;
	timers_disarm(net->timers, &g->timer);
}

enum group_words group_on_timer(struct net *net, struct group *g)
{
	enum group_words words = g->changes_due ? GROUP_SAY_CHANGE : GROUP_SAY_STATE;

	if (!g->changes_due) {
		g->answer_due = false;
		return words;
	}
	g->changes_due--;
	if (g->changes_due)
		timers_arm(net->timers, &g->timer,
			   net->timers->now +
				   (1 + rand_below(net->rand, UNSOLICITED_MS)) * TERN_MS);
	else if (g->answer_due)
		timers_arm(net->timers, &g->timer, net->timers->now);
	return words;
}

void group_rest(struct net *net, struct group *g)
{
	if (!group_has_members(g) && !g->changes_due)
		free_group(net, g);
}

bool groups_init(struct net *net, uint32_t timer_kind)
{
	net->group_timer_kind = timer_kind;
	return table_init(&net->groups, net->mem, GROUP_BUCKETS);
}

void groups_fini(struct net *net)
{
	assert(net->groups.n == 0);
	table_fini(&net->groups);
}
