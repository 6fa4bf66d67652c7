/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - the route to a destination.
 *
 * Routes are hashed by prefix: a look-up masks the destination to each length that some route has,
 * longest first, so its steps do not grow with the number of routes. Among those of one prefix the
 * lowest metric wins, then the oldest. Those that were learned are also in a list of their own.
 * Whether a gateway answers is asked of gateway.c.
 *
 * Destinations with a meaning on one link only (multicast, broadcast, IPv6 link-local) need no
 * route when the interface is given, and never go to a gateway when it is not.
 *
 * Source: RFC 1122 3.3.1 (routing outbound datagrams).
 */
#include "net.h"

#include "../wire/wire.h"

enum { ROUTE_BUCKETS = 16 };

struct route {
	struct table_node node;
	struct list learned;	 /* net.learned_routes, unless it is static */
	uint32_t at;		 /* its place in net.routes */
	unsigned len;		 /* of the family's own form */
	struct addr prefix, src; /* of destinations, and of sources */
	unsigned src_len;	 /* 0: from anywhere */
	struct gateway *gateway; /* NULL: on link */
	unsigned ifindex;
	uint32_t metric, mtu;
	uint8_t origin;	 /* enum tern_origin */
	tern_time until; /* TERN_NEVER: of itself it does not end */
	uint64_t number; /* in the order of their making */
};

bool routes_init(struct net *net)
{
	list_init(&net->learned_routes);
	if (!gateways_init(net))
		return false;
	if (table_init(&net->route_table, net->mem, ROUTE_BUCKETS))
		return true;
	gateways_fini(net);
	return false;
}

void routes_fini(struct net *net)
{
	gateways_fini(net);
	table_fini(&net->route_table);
	mem_free(net->mem, net->routes, net->routes_cap * sizeof(*net->routes));
}

static bool read_prefix(struct addr *a, unsigned len, const struct tern_addr *from)
{
	struct addr masked;

	if (!addr_from_public(a, from) || len > (addr_is4(a) ? 32u : 128u))
		return false;
	masked = addr_prefix(a, len);
	return addr_equal(a, &masked);
}

/* What the user, or a router, asks for; its gateway apart. */
struct route_asked {
	struct route r;
	struct addr gateway; /* unspecified: on link */
};

static bool read_route(struct route_asked *asked, const struct tern_route *t)
{
	struct route *r = &asked->r;

	*asked = (struct route_asked){ .r = { .len = t->prefix_len,
					      .src_len = t->src_len,
					      .ifindex = t->ifindex,
					      .metric = t->metric,
					      .mtu = t->mtu,
					      .origin = (uint8_t)t->origin,
					      .until = TERN_NEVER } };
	if (t->origin >= TERN_N_ORIGINS || !read_prefix(&r->prefix, r->len, &t->dst))
		return false;
	if (t->src_len && (!read_prefix(&r->src, r->src_len, &t->src) ||
			   addr_is4(&r->src) != addr_is4(&r->prefix)))
		return false;
	if (r->mtu && r->mtu < (addr_is4(&r->prefix) ? IP4_MTU_MIN : IP6_MTU_MIN))
		return false;
	if (t->gateway.family == TERN_AF_UNSPEC)
		return true;
	return addr_from_public(&asked->gateway, &t->gateway) &&
	       addr_is4(&asked->gateway) == addr_is4(&r->prefix) &&
	       !addr_is_unspecified(&asked->gateway) && !addr_is_multicast(&asked->gateway);
}

/* ---- the table ---- */

static uint32_t *count_of_length(struct net *net, const struct addr *family, unsigned len)
{
	return addr_is4(family) ? &net->n_routes4[len] : &net->n_routes6[len];
}

/* A walk over the routes whose prefix, of this length, holds an address: after NULL, the first. */
struct prefix_walk {
	struct addr prefix;
	uint32_t hash;
	unsigned len;
};

static struct prefix_walk walk_prefix(const struct net *net, const struct addr *a, unsigned len)
{
	struct prefix_walk w = { .prefix = addr_prefix(a, len), .len = len };

	w.hash = net_hash_on(net, len, &w.prefix);
	return w;
}

static struct route *next_of_prefix(const struct net *net, const struct prefix_walk *w,
				    const struct route *after)
{
	struct table_node *n =
		after ? table_next(&after->node, w->hash) : table_first(&net->route_table, w->hash);

	for (; n; n = table_next(n, w->hash)) {
		struct route *r = CONTAINER_OF(n, struct route, node);

		if (r->len == w->len && addr_equal(&r->prefix, &w->prefix))
			return r;
	}
	return NULL;
}

static bool goes_by(const struct route *r, const struct addr *gateway)
{
	return r->gateway ? addr_equal(&r->gateway->addr, gateway) : addr_is_unspecified(gateway);
}

static struct route *find_same(const struct net *net, const struct route_asked *asked)
{
	struct prefix_walk w = walk_prefix(net, &asked->r.prefix, asked->r.len);
	struct route *r = NULL;

	while ((r = next_of_prefix(net, &w, r)))
		if (r->ifindex == asked->r.ifindex && r->src_len == asked->r.src_len &&
		    addr_equal(&r->src, &asked->r.src) && goes_by(r, &asked->gateway))
			break;
	return r;
}

static bool is_gateway_reachable(struct net *net, unsigned ifindex, const struct addr *gateway)
{
	if (addr_is_unspecified(gateway) || (addr_is_link_local(gateway) && !addr_is4(gateway)))
		return true;
	for (unsigned len = addr_is4(gateway) ? 33 : 129; len-- > 0;) {
		struct prefix_walk w = walk_prefix(net, gateway, len);
		const struct route *r = NULL;

		if (*count_of_length(net, gateway, len))
			while ((r = next_of_prefix(net, &w, r)))
				if (r->ifindex == ifindex && !r->gateway)
					return true;
	}
	return false;
}

static bool make_room_for_route(struct net *net)
{
	struct route **grown;

	if (net->n_routes < net->routes_cap)
		return true;
	grown = mem_grow(net->mem, net->routes, &net->routes_cap, sizeof(struct route *));
	if (grown)
		net->routes = grown;
	return grown != NULL;
}

static struct route *put_route(struct net *net, const struct route_asked *asked)
{
	struct route *r;

	if (net->n_routes >= net->cfg->routes_max || !make_room_for_route(net))
		return NULL;
	r = mem_new(net->mem, sizeof(*r));
	if (!r)
		return NULL;
	*r = asked->r;
	if (!addr_is_unspecified(&asked->gateway)) {
		r->gateway = gateway_hold(net, r->ifindex, &asked->gateway);
		if (!r->gateway) {
			mem_free(net->mem, r, sizeof(*r));
			return NULL;
		}
	}
	r->number = net->next_route_number++;
	r->at = net->n_routes++;
	net->routes[r->at] = r;
	list_init(&r->learned);
	if (r->origin != TERN_ORIGIN_STATIC)
		list_put_tail(&net->learned_routes, &r->learned);
	table_put(&net->route_table, &r->node, net_hash_on(net, r->len, &r->prefix));
	++*count_of_length(net, &r->prefix, r->len);
	net->n_source_routes += r->src_len > 0;
	net->routes_version++;
	net_note(net, r->ifindex, TERN_NET_ROUTES);
	return r;
}

static void remove_route(struct net *net, struct route *r)
{
	net_note(net, r->ifindex, TERN_NET_ROUTES);
	net->routes[r->at] = net->routes[--net->n_routes];
	net->routes[r->at]->at = r->at;
	list_unlink(&r->learned);
	table_remove(&net->route_table, &r->node);
	--*count_of_length(net, &r->prefix, r->len);
	net->n_source_routes -= r->src_len > 0;
	if (r->gateway)
		gateway_release(net, r->gateway);
	mem_free(net->mem, r, sizeof(*r));
	net->routes_version++;
}

int route_add(struct net *net, const struct tern_route *t)
{
	struct route_asked asked;
	struct route *same;

	if (!read_route(&asked, t))
		return -TERN_EINVAL;
	if (!iface_get(net, asked.r.ifindex))
		return -TERN_ENODEV;
	same = find_same(net, &asked);
	if (same && (same->origin == TERN_ORIGIN_STATIC || asked.r.origin != TERN_ORIGIN_STATIC))
		return -TERN_EEXIST;
	if (!is_gateway_reachable(net, asked.r.ifindex, &asked.gateway))
		return -TERN_ENETUNREACH;
	if (same) /* what is static wins */
		remove_route(net, same);
	return put_route(net, &asked) ? 0 : -TERN_ENOMEM;
}

int route_del(struct net *net, const struct tern_route *t)
{
	struct route_asked asked;
	struct route *r = read_route(&asked, t) ? find_same(net, &asked) : NULL;

	if (!r)
		return -TERN_ENOENT;
	remove_route(net, r);
	return 0;
}

/* ---- routes that end ---- */

static struct route *next_learned(const struct net *net, const struct list *after)
{
	return after->next == &net->learned_routes ?
		       NULL :
		       CONTAINER_OF(after->next, struct route, learned);
}

static uint32_t count_learned(const struct net *net, const struct route *like)
{
	const struct route *r = next_learned(net, &net->learned_routes);
	uint32_t n = 0;

	for (; r; r = next_learned(net, &r->learned))
		n += r->origin == like->origin && r->ifindex == like->ifindex &&
		     (r->len == 0) == (like->len == 0) &&
		     addr_is4(&r->prefix) == addr_is4(&like->prefix);
	return n;
}

void route_learn(struct net *net, const struct route_lease *lease)
{
	struct route_asked asked;
	struct route *r;
	tern_time now = net->timers->now;

	if (!read_route(&asked, &lease->route))
		return;
	r = find_same(net, &asked);
	if (r && r->origin == TERN_ORIGIN_STATIC)
		return;
	if (r && (lease->until <= now || r->metric != asked.r.metric)) {
		remove_route(net, r);
		r = NULL;
	}
	if (lease->until <= now)
		return;
	if (!r) {
		if (count_learned(net, &asked.r) >= lease->max || route_add(net, &lease->route))
			return;
		r = find_same(net, &asked);
	}
	r->until = lease->until;
	net_arm_life(net, r->until);
}

void route_forget(struct net *net, unsigned ifindex, enum tern_origin origin)
{
	struct route *r = next_learned(net, &net->learned_routes), *next;

	for (; r; r = next) {
		next = next_learned(net, &r->learned);
		if (r->ifindex == ifindex && r->origin == origin)
			remove_route(net, r);
	}
}

void route_forget_gateway(struct net *net, unsigned ifindex, const struct addr *gateway)
{
	struct route *r = next_learned(net, &net->learned_routes), *next;

	for (; r; r = next) {
		next = next_learned(net, &r->learned);
		if (r->ifindex == ifindex && r->origin == TERN_ORIGIN_RA && goes_by(r, gateway))
			remove_route(net, r);
	}
}

tern_time route_expire(struct net *net)
{
	tern_time now = net->timers->now, end = TERN_NEVER;
	struct route *r = next_learned(net, &net->learned_routes), *next;

	for (; r; r = next) {
		next = next_learned(net, &r->learned);
		if (r->until <= now)
			remove_route(net, r);
		else
			end = MIN(end, r->until);
	}
	return end;
}

void route_purge(struct net *net, unsigned ifindex)
{
	for (uint32_t i = net->n_routes; i-- > 0;)
		if (net->routes[i]->ifindex == ifindex)
			remove_route(net, net->routes[i]);
}

bool route_next(const struct net *net, unsigned *cursor, struct tern_route *out)
{
	const struct route *r;

	if (*cursor >= net->n_routes)
		return false;
	r = net->routes[(*cursor)++];
	*out = (struct tern_route){
		.prefix_len = r->len,
		.ifindex = r->ifindex,
		.metric = r->metric,
		.mtu = r->mtu,
		.origin = r->origin,
		.src_len = r->src_len,
	};
	addr_to_public(&out->dst, &r->prefix, 0);
	if (r->gateway)
		addr_to_public(&out->gateway, &r->gateway->addr, 0);
	if (r->src_len)
		addr_to_public(&out->src, &r->src, 0);
	return true;
}

/* ---- the hop ---- */

static int take_hop(const struct net *net, unsigned ifindex, const struct addr *next,
		    struct hop *hop)
{
	const struct iface *i = iface_get(net, ifindex);
	uint32_t mtu6;

	if (!i || !iface_is_up(i))
		return -TERN_ENETUNREACH;
	mtu6 = addr_is4(next) || !i->mtu6 ? i->cfg.mtu : i->mtu6;
	*hop = (struct hop){ .ifindex = ifindex, .next = *next, .link_mtu = MIN(i->cfg.mtu, mtu6) };
	return 0;
}

/* Asked for through the interface that has it, one of our addresses is still ours. */
static bool goes_through_lo(const struct net *net, const struct addr *dst, unsigned ifindex)
{
	const struct ifaddr *a;

	if (ifindex == 0 || ifindex == LO_INDEX)
		return addr_is_loopback(dst) || ifaddr_find(net, dst);
	a = ifaddr_find(net, dst);
	return a && a->ifindex == ifindex;
}

static bool is_for_the_link(const struct addr *dst)
{
	return addr_is_multicast(dst) || addr_is_limited_broadcast(dst) ||
	       (addr_is_link_local(dst) && !addr_is4(dst));
}

static bool is_silent(const struct route *r)
{
	return r->gateway && r->gateway->silent_until;
}

static bool is_better(const struct route *a, const struct route *b)
{
	bool silent_a = is_silent(a), silent_b = is_silent(b);

	if (silent_a != silent_b)
		return silent_b;
	if (a->len != b->len)
		return a->len > b->len;
	if (a->src_len != b->src_len)
		return a->src_len > b->src_len;
	return a->metric != b->metric ? a->metric < b->metric : a->number < b->number;
}

static bool takes(const struct route *r, const struct route_key *key)
{
	if (key->ifindex && r->ifindex != key->ifindex)
		return false;
	return !r->src_len ||
	       (!addr_is_unspecified(&key->src) && addr_in_prefix(&key->src, &r->src, r->src_len));
}

/* The best route whose gateway answers; if none does, of those that do not. */
static int find_route(struct net *net, const struct route_key *key, struct hop *hop)
{
	const struct addr *dst = &key->dst;
	const struct route *best = NULL;

	for (unsigned len = addr_is4(dst) ? 33 : 129; len-- > 0;) {
		struct prefix_walk w;
		const struct route *r = NULL;

		if (!*count_of_length(net, dst, len))
			continue;
		w = walk_prefix(net, dst, len);
		while ((r = next_of_prefix(net, &w, r))) {
			if (!takes(r, key) || !iface_is_up(iface_get(net, r->ifindex)))
				continue;
			if (!best || is_better(r, best))
				best = r;
		}
		if (best && !is_silent(best))
			break;
	}
	if (!best)
		return -TERN_ENETUNREACH;
	if (best->gateway && !is_for_the_link(dst))
		dst = &best->gateway->addr;
	take_hop(net, best->ifindex, dst, hop);
	if (best->mtu)
		hop->link_mtu = MIN(hop->link_mtu, best->mtu);
	return 0;
}

/* In the strong host model what bears an address goes out by the interface that has it. */
static int find_hop(struct net *net, const struct route_key *key, struct hop *hop)
{
	struct route_key by_source = *key;
	const struct ifaddr *own;

	if (goes_through_lo(net, &key->dst, key->ifindex))
		return take_hop(net, LO_INDEX, &key->dst, hop);
	if (addr_is_loopback(&key->dst)) /* by no other way: RFC 1122 3.2.1.3 (g) */
		return -TERN_ENETUNREACH;
	if (key->ifindex && is_for_the_link(&key->dst))
		return take_hop(net, key->ifindex, &key->dst, hop);
	if (net->cfg->strong_host && !key->ifindex) {
		own = ifaddr_find(net, &key->src);
		by_source.ifindex = own ? own->ifindex : 0;
	}
	return find_route(net, &by_source, hop);
}

static bool is_same_route_key(const struct route_key *a, const struct route_key *b, bool by_source)
{
	return addr_equal(&a->dst, &b->dst) && a->ifindex == b->ifindex &&
	       (!by_source || addr_equal(&a->src, &b->src));
}

int route_lookup(struct net *net, const struct route_key *asked, struct hop *hop)
{
	struct hop_found *recent = &net->recent_hop;
	bool by_source = routes_look_at_sources(net);
	int err;

	if (recent->version == net->routes_version &&
	    is_same_route_key(&recent->key, asked, by_source)) {
		*hop = recent->hop;
		return 0;
	}
	err = find_hop(net, asked, hop);
	if (err)
		return err;
	hop->to = addr_classify(net, &asked->dst, hop->ifindex);
	hop->mtu = hop->link_mtu;
	if (hop->ifindex != LO_INDEX) {
		uint32_t known = path_mtu_of(net, &asked->dst);

		hop->mtu = MIN(hop->mtu, known);
	}
	*recent = (struct hop_found){ *asked, net->routes_version, *hop };
	if (!by_source) /* it was not looked at: good for no source when it makes a difference */
		memset(&recent->key.src, 0, sizeof(recent->key.src));
	return 0;
}

void route_check(const struct net *net)
{
	uint32_t n_of_lengths = 0;

	assert(net->n_routes <= net->routes_cap && net->n_routes == net->route_table.n);
	table_check(&net->route_table);
	for (uint32_t i = 0; i < net->n_routes; i++) {
		const struct route *r = net->routes[i];
		struct route_asked asked = { .r = *r };

		if (r->gateway)
			asked.gateway = r->gateway->addr;
		assert(r->at == i && iface_get(net, r->ifindex) && find_same(net, &asked) == r);
		assert(list_empty(&r->learned) == (r->origin == TERN_ORIGIN_STATIC));
	}
	for (unsigned len = 0; len < N_ELEMENTS(net->n_routes6); len++)
		n_of_lengths += net->n_routes6[len];
	for (unsigned len = 0; len < N_ELEMENTS(net->n_routes4); len++)
		n_of_lengths += net->n_routes4[len];
	assert(n_of_lengths == net->n_routes);
	gateways_check(net);
}
