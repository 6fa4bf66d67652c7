/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh.c - the neighbour cache of both families.
 *
 *	           resolve            answer, or news
 *	(no entry) -------> INCOMPLETE -------------> REACHABLE or STALE
 *	REACHABLE --30 s--> STALE --use--> DELAY --5 s--> PROBE --3 requests--> (failed)
 *
 * An answer to a request of ours makes any of these REACHABLE, and so does progress of a
 * connection; a changed address that nobody asked for makes it STALE. PERMANENT entries never
 * change. Requests go out 1 s apart, three in all.
 *
 * Invariants: a timer is armed except in STALE and PERMANENT; only INCOMPLETE entries gain packets;
 * an entry with packets or waiters is never evicted.
 *
 * Sources: RFC 4861 7.2 (address resolution), 7.3 (unreachability), 10 (constants); RFC 826;
 * RFC 1122 2.3.2 (ARP: time-outs, one packet kept at least); RFC 1812 3.3.2 (no group addresses).
 */
#include "net.h"

#define RETRANS_TIMER (1 * TERN_SEC)

enum { SOLICIT_MAX = 3, EVICTION_SCAN_MAX = 16 };

static struct neigh *find_hashed(const struct net *net, unsigned ifindex, const struct addr *addr,
				 uint32_t hash)
{
	struct table_node *node = table_first(&net->neighs, hash);

	for (; node; node = table_next(node, hash)) {
		struct neigh *n = CONTAINER_OF(node, struct neigh, node);

		if (n->ifindex == ifindex && addr_equal(&n->addr, addr))
			return n;
	}
	return NULL;
}

struct neigh *neigh_find(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	if (net->neighs.n == 0)
		return NULL;
	return find_hashed(net, ifindex, addr, net_hash_on(net, ifindex, addr));
}

struct neigh *neigh_walk(const struct net *net, uint64_t *cursor)
{
	struct table_node *node = table_walk(&net->neighs, cursor);

	return node ? CONTAINER_OF(node, struct neigh, node) : NULL;
}

static void arm_after(struct net *net, struct neigh *n, tern_time delay)
{
	timers_arm(net->timers, &n->timer, net->timers->now + delay);
}

/* Routers may say otherwise, of IPv6: RFC 4861 6.3.4. */
static tern_time retrans_time(const struct net *net, const struct neigh *n)
{
	const struct iface *i = iface_get(net, n->ifindex);

	return i->retrans_ms && !addr_is4(&n->addr) ? i->retrans_ms * TERN_MS : RETRANS_TIMER;
}

/* RFC 4861 6.3.2: times a random factor of 0.5 to 1.5. */
static tern_time reachable_time(const struct net *net, const struct neigh *n)
{
	const struct iface *i = iface_get(net, n->ifindex);
	bool is_told = i->reachable_ms && !addr_is4(&n->addr);
	uint32_t base = is_told ? i->reachable_ms : net->cfg->neighbour_reachable_ms;

	return (base / 2 + n->node.hash % (base + 1)) * TERN_MS;
}

static void enter(struct net *net, struct neigh *n, enum tern_neigh_state state)
{
	n->state = state;
	n->n_probes = 0;
	switch (state) {
	case TERN_NEIGH_INCOMPLETE:
	case TERN_NEIGH_PROBE:
		arm_after(net, n, retrans_time(net, n));
		break;
	case TERN_NEIGH_REACHABLE:
		n->confirmed_once = true;
		arm_after(net, n, reachable_time(net, n));
		break;
	case TERN_NEIGH_DELAY:
		arm_after(net, n, net->cfg->neighbour_delay_ms * TERN_MS);
		break;
	default:
		timers_disarm(net->timers, &n->timer);
	}
}

static void mark_used(struct iface *i, struct neigh *n)
{
	if (i->neigh_lru.prev == &n->lru)
		return;
	list_unlink(&n->lru);
	list_put_tail(&i->neigh_lru, &n->lru);
}

static bool may_be_evicted(const struct neigh *n)
{
	return n->state != TERN_NEIGH_PERMANENT && n->queue.n == 0 && list_empty(&n->waiters);
}

/* It has answered, and is spoken to: strangers do not push it out (RFC 6583 7.1). */
static bool is_in_touch(const struct neigh *n)
{
	return n->confirmed_once && n->state != TERN_NEIGH_STALE;
}

/*
 * Entries that stay go to the end of the list, so that each is passed over seldom. One that is in
 * touch gives way when all are, but not to those who do not answer once these have half the room.
 */
static bool evict_one(struct net *net, struct iface *i)
{
	struct neigh *in_touch = NULL;
	unsigned n_stuck = 0;

	for (unsigned k = 0; k < EVICTION_SCAN_MAX && !list_empty(&i->neigh_lru); k++) {
		struct neigh *n = CONTAINER_OF(i->neigh_lru.next, struct neigh, lru);

		if (may_be_evicted(n) && !is_in_touch(n)) {
			neigh_free(net, n);
			return true;
		}
		if (may_be_evicted(n) && !in_touch)
			in_touch = n;
		n_stuck += n->state == TERN_NEIGH_INCOMPLETE;
		mark_used(i, n);
	}
	if (!in_touch || n_stuck > EVICTION_SCAN_MAX / 2)
		return false;
	neigh_free(net, in_touch);
	return true;
}

static struct neigh *new_neighbour(struct net *net, struct iface *i, const struct addr *addr)
{
	struct neigh *n;

	if (i->n_neigh >= net->cfg->neighbours_max && !evict_one(net, i))
		return NULL;
	n = mem_new(net->mem, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct neigh){ .addr = *addr, .ifindex = i->index };
	timer_init(&n->timer, net->timer_kind);
	pkt_queue_init(&n->queue);
	list_init(&n->waiters);
	list_put_tail(&i->neigh_lru, &n->lru);
	i->n_neigh++;
	table_put(&net->neighs, &n->node, net_hash_on(net, i->index, addr));
	enter(net, n, TERN_NEIGH_INCOMPLETE);
	return n;
}

struct neigh *neigh_recent(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct neigh *n = net->recent_neigh;
	bool holds = n && net->recent_neigh_version == net->routes_version;

	return holds && n->ifindex == ifindex && addr_equal(&n->addr, addr) ? n : NULL;
}

struct neigh *neigh_resolve(struct net *net, unsigned ifindex, const struct addr *addr, bool *ready)
{
	struct iface *i = iface_get(net, ifindex);
	struct neigh *n = neigh_recent(net, ifindex, addr);

	if (!n)
		n = neigh_find(net, ifindex, addr);
	*ready = n && n->state != TERN_NEIGH_INCOMPLETE;
	if (!n)
		return i ? new_neighbour(net, i, addr) : NULL;
	net->recent_neigh = n;
	net->recent_neigh_version = net->routes_version;
	mark_used(i, n);
	if (n->state == TERN_NEIGH_STALE)
		enter(net, n, TERN_NEIGH_DELAY);
	return n;
}

struct tern_pkt *neigh_queue_put(struct net *net, struct neigh *n, struct tern_pkt *p)
{
	struct tern_pkt *oldest = NULL;

	assert(n->state == TERN_NEIGH_INCOMPLETE);
	if (net->cfg->neighbour_queue_max == 0)
		return p;
	if (n->queue.n >= net->cfg->neighbour_queue_max)
		oldest = pkt_queue_take(&n->queue);
	pkt_queue_put(&n->queue, p);
	return oldest;
}

/* RFC 4861 7.2.5 for an entry that has an address; mac NULL: the news named none. */
static void update_known(struct net *net, struct neigh *n, const struct neigh_news *news)
{
	bool differs = news->mac && memcmp(n->mac, news->mac, 6) != 0;

	if (differs && !news->override) {
		if (n->state == TERN_NEIGH_REACHABLE)
			enter(net, n, TERN_NEIGH_STALE);
		return;
	}
	if (differs)
		memcpy(n->mac, news->mac, 6);
	if (news->solicited)
		enter(net, n, TERN_NEIGH_REACHABLE);
	else if (differs)
		enter(net, n, TERN_NEIGH_STALE);
}

struct neigh *neigh_on_news(struct net *net, const struct neigh_news *news)
{
	struct iface *i = iface_get(net, news->ifindex);
	struct neigh *n = neigh_find(net, news->ifindex, &news->addr);
	bool is_new = !n;

	if (!i || (news->mac && (news->mac[0] & 1)) || addr_is_unspecified(&news->addr))
		return NULL;
	if (is_new && news->create && news->mac)
		n = new_neighbour(net, i, &news->addr);
	if (!n || n->state == TERN_NEIGH_PERMANENT)
		return NULL;
	if (n->state != TERN_NEIGH_INCOMPLETE) {
		update_known(net, n, news);
		return NULL;
	}
	if (!news->mac)
		return NULL;
	memcpy(n->mac, news->mac, 6);
	enter(net, n, news->solicited ? TERN_NEIGH_REACHABLE : TERN_NEIGH_STALE);
	return is_new ? NULL : n;
}

void neigh_confirm(struct net *net, struct neigh *n)
{
	if (n->state != TERN_NEIGH_INCOMPLETE && n->state != TERN_NEIGH_PERMANENT)
		enter(net, n, TERN_NEIGH_REACHABLE);
}

void neigh_suspect(struct net *net, struct neigh *n)
{
	if (n->state == TERN_NEIGH_REACHABLE)
		enter(net, n, TERN_NEIGH_STALE);
}

enum neigh_verdict neigh_on_timer(struct net *net, struct neigh *n)
{
	switch (n->state) {
	case TERN_NEIGH_REACHABLE:
		enter(net, n, TERN_NEIGH_STALE);
		return NEIGH_NOTHING;
	case TERN_NEIGH_DELAY:
		enter(net, n, TERN_NEIGH_PROBE);
		n->n_probes = 1;
		return NEIGH_SEND_REQUEST;
	case TERN_NEIGH_INCOMPLETE:
	case TERN_NEIGH_PROBE:
		if (n->n_probes >= SOLICIT_MAX)
			return NEIGH_FAILED;
		n->n_probes++;
		arm_after(net, n, retrans_time(net, n));
		return NEIGH_SEND_REQUEST;
	default:
		return NEIGH_NOTHING;
	}
}

bool neigh_take_first_request(struct neigh *n)
{
	if (n->state != TERN_NEIGH_INCOMPLETE || n->n_probes > 0)
		return false;
	n->n_probes = 1;
	return true;
}

void neigh_free(struct net *net, struct neigh *n)
{
	struct iface *i = iface_get(net, n->ifindex);

	assert(i && n->queue.n == 0 && list_empty(&n->waiters));
	timers_disarm(net->timers, &n->timer);
	list_unlink(&n->lru);
	i->n_neigh--;
	table_remove(&net->neighs, &n->node);
	if (net->recent_neigh == n)
		net->recent_neigh = NULL;
	mem_free(net->mem, n, sizeof(*n));
}

int neigh_add_permanent(struct net *net, unsigned ifindex, const struct addr *addr,
			const uint8_t mac[6])
{
	struct iface *i = iface_get(net, ifindex);
	struct neigh *n = neigh_find(net, ifindex, addr);

	if (!i)
		return -TERN_ENODEV;
	if (i->cfg.link != TERN_LINK_ETHERNET || (mac[0] & 1) || addr_is_multicast(addr) ||
	    addr_is_unspecified(addr) || addr_is_limited_broadcast(addr))
		return -TERN_EINVAL;
	if (!n)
		n = new_neighbour(net, i, addr);
	if (!n)
		return -TERN_ENOMEM;
	memcpy(n->mac, mac, 6);
	enter(net, n, TERN_NEIGH_PERMANENT);
	return 0;
}
