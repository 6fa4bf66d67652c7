/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - the route to a destination, and the source address for it.
 *
 * Routes are one array, sorted so that the first that matches is the best: longest prefix, then
 * lowest metric, then oldest. A host has few; connections remember what they found until
 * routes_version changes. Destinations with a meaning on one link only (multicast, broadcast, IPv6
 * link-local) need no route when the interface is given, and never go to a gateway when it is not.
 *
 * Sources: RFC 1122 3.3.1 (routing outbound datagrams), RFC 6724 3.1, 5 (scopes, source addresses).
 */
#include "net.h"

#include "../wire/wire.h"

struct route {
	struct addr prefix, gateway; /* gateway unspecified: on link */
	unsigned len;		     /* of the family's own form */
	unsigned ifindex;
	uint32_t metric, mtu;
	uint8_t origin;	      /* enum tern_origin */
	tern_time until;      /* TERN_NEVER: of itself it does not end */
	tern_time dead_until; /* its gateway does not answer; 0: it does */
};

void route_fini(struct net *net)
{
	mem_free(net->mem, net->routes, net->routes_cap * sizeof(*net->routes));
}

static bool is_on_link(const struct route *r)
{
	return addr_is_unspecified(&r->gateway);
}

/* Is everything beyond the first len bits zero? */
static bool is_prefix(const struct addr *a, unsigned len)
{
	struct addr zeroes = *a;
	unsigned bits = len + (addr_is4(a) ? 96 : 0);

	for (unsigned i = 0; i < 16; i++, bits -= MIN(bits, 8))
		zeroes.b[i] &= (uint8_t)(0xff00 >> MIN(bits, 8));
	return addr_equal(a, &zeroes);
}

static bool read_route(struct route *r, const struct tern_route *t)
{
	*r = (struct route){
		.len = t->prefix_len,
		.ifindex = t->ifindex,
		.metric = t->metric,
		.mtu = t->mtu,
		.origin = (uint8_t)t->origin,
		.until = TERN_NEVER,
	};
	if (t->origin >= TERN_N_ORIGINS)
		return false;
	if (!addr_from_public(&r->prefix, &t->dst))
		return false;
	if (r->mtu && r->mtu < (addr_is4(&r->prefix) ? IP4_MTU_MIN : IP6_MTU_MIN))
		return false;
	if (r->len > (addr_is4(&r->prefix) ? 32u : 128u) || !is_prefix(&r->prefix, r->len))
		return false;
	if (t->gateway.family == TERN_AF_UNSPEC)
		return true;
	return addr_from_public(&r->gateway, &t->gateway) &&
	       addr_is4(&r->gateway) == addr_is4(&r->prefix) && !addr_is_unspecified(&r->gateway) &&
	       !addr_is_multicast(&r->gateway);
}

static struct route *find_same(const struct net *net, const struct route *r)
{
	for (uint32_t i = 0; i < net->n_routes; i++) {
		struct route *other = &net->routes[i];

		if (other->len == r->len && other->ifindex == r->ifindex &&
		    addr_equal(&other->prefix, &r->prefix) &&
		    addr_equal(&other->gateway, &r->gateway))
			return other;
	}
	return NULL;
}

static bool is_gateway_reachable(const struct net *net, const struct route *r)
{
	if (is_on_link(r) || (addr_is_link_local(&r->gateway) && !addr_is4(&r->gateway)))
		return true;
	for (uint32_t i = 0; i < net->n_routes; i++) {
		const struct route *link = &net->routes[i];

		if (link->ifindex == r->ifindex && is_on_link(link) &&
		    addr_in_prefix(&r->gateway, &link->prefix, link->len))
			return true;
	}
	return false;
}

static bool make_room_for_route(struct net *net)
{
	struct route *grown;

	if (net->n_routes < net->routes_cap)
		return true;
	grown = mem_grow(net->mem, net->routes, &net->routes_cap, sizeof(*grown));
	if (grown)
		net->routes = grown;
	return grown != NULL;
}

static bool comes_before(const struct route *a, const struct route *b)
{
	return a->len != b->len ? a->len > b->len : a->metric < b->metric;
}

static void remove_route(struct net *net, struct route *r)
{
	net_note(net, r->ifindex, TERN_NET_ROUTES);
	net->n_routes--;
	memmove(r, r + 1, (size_t)(net->routes + net->n_routes - r) * sizeof(*r));
	net->routes_version++;
}

int route_add(struct net *net, const struct tern_route *t)
{
	struct route new, *same;
	uint32_t at;

	if (!read_route(&new, t))
		return -TERN_EINVAL;
	if (!iface_get(net, new.ifindex))
		return -TERN_ENODEV;
	same = find_same(net, &new);
	if (same && (same->origin == TERN_ORIGIN_STATIC || new.origin != TERN_ORIGIN_STATIC))
		return -TERN_EEXIST;
	if (same) /* what is static wins */
		remove_route(net, same);
	if (!is_gateway_reachable(net, &new))
		return -TERN_ENETUNREACH;
	if (net->n_routes >= net->cfg->routes_max || !make_room_for_route(net))
		return -TERN_ENOMEM;
	for (at = net->n_routes; at > 0 && comes_before(&new, &net->routes[at - 1]); at--)
		net->routes[at] = net->routes[at - 1];
	net->routes[at] = new;
	net->n_routes++;
	net->routes_version++;
	net_note(net, new.ifindex, TERN_NET_ROUTES);
	return 0;
}

int route_del(struct net *net, const struct tern_route *t)
{
	struct route wanted, *r;

	r = read_route(&wanted, t) ? find_same(net, &wanted) : NULL;
	if (!r)
		return -TERN_ENOENT;
	remove_route(net, r);
	return 0;
}

/* ---- routes that end ---- */

static uint32_t count_learned(const struct net *net, const struct route *like)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->n_routes; i++) {
		const struct route *r = &net->routes[i];

		n += r->origin == like->origin && r->ifindex == like->ifindex &&
		     (r->len == 0) == (like->len == 0) &&
		     addr_is4(&r->prefix) == addr_is4(&like->prefix);
	}
	return n;
}

void route_learn(struct net *net, const struct route_lease *lease)
{
	struct route wanted, *r = NULL;
	tern_time now = net->timers->now;

	if (!read_route(&wanted, &lease->route))
		return;
	r = find_same(net, &wanted);
	if (r && r->origin == TERN_ORIGIN_STATIC)
		return;
	if (r && (lease->until <= now || r->metric != wanted.metric)) {
		remove_route(net, r);
		r = NULL;
	}
	if (lease->until <= now)
		return;
	if (!r) {
		if (count_learned(net, &wanted) >= lease->max || route_add(net, &lease->route))
			return;
		r = find_same(net, &wanted);
	}
	r->until = lease->until;
	net_arm_life(net, r->until);
}

void route_forget(struct net *net, unsigned ifindex, enum tern_origin origin)
{
	for (uint32_t i = net->n_routes; i-- > 0;)
		if (net->routes[i].ifindex == ifindex && net->routes[i].origin == origin)
			remove_route(net, &net->routes[i]);
}

void route_forget_gateway(struct net *net, unsigned ifindex, const struct addr *gateway)
{
	for (uint32_t i = net->n_routes; i-- > 0;) {
		struct route *r = &net->routes[i];

		if (r->ifindex == ifindex && r->origin == TERN_ORIGIN_RA &&
		    addr_equal(&r->gateway, gateway))
			remove_route(net, r);
	}
}

#define DEAD_GATEWAY_TIME (60 * TERN_SEC) /* RFC 4191 3.5: then it is tried again */

void route_mark_gateway(struct net *net, unsigned ifindex, const struct addr *gateway, bool is_dead)
{
	tern_time until = is_dead ? net->timers->now + DEAD_GATEWAY_TIME : 0;

	for (uint32_t i = 0; i < net->n_routes; i++) {
		struct route *r = &net->routes[i];

		if (r->ifindex != ifindex || !addr_equal(&r->gateway, gateway) ||
		    (!is_dead && !r->dead_until))
			continue;
		r->dead_until = until;
		net->routes_version++;
		if (is_dead)
			net_arm_life(net, until);
	}
}

tern_time route_expire(struct net *net)
{
	tern_time now = net->timers->now, next = TERN_NEVER;

	for (uint32_t i = net->n_routes; i-- > 0;) {
		struct route *r = &net->routes[i];

		if (r->until <= now) {
			remove_route(net, r);
			continue;
		}
		if (r->dead_until && r->dead_until <= now) {
			r->dead_until = 0;
			net->routes_version++;
		}
		next = MIN(next, r->until);
		next = MIN(next, r->dead_until ? r->dead_until : TERN_NEVER);
	}
	return next;
}

void route_purge(struct net *net, unsigned ifindex)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->n_routes; i++)
		if (net->routes[i].ifindex != ifindex)
			net->routes[n++] = net->routes[i];
	net->n_routes = n;
	net->routes_version++;
}

bool route_next(const struct net *net, unsigned *cursor, struct tern_route *out)
{
	const struct route *r;

	if (*cursor >= net->n_routes)
		return false;
	r = &net->routes[(*cursor)++];
	*out = (struct tern_route){
		.prefix_len = r->len,
		.ifindex = r->ifindex,
		.metric = r->metric,
		.mtu = r->mtu,
		.origin = r->origin,
	};
	addr_to_public(&out->dst, &r->prefix, 0);
	if (!is_on_link(r))
		addr_to_public(&out->gateway, &r->gateway, 0);
	return true;
}

/* ---- the hop ---- */

static int take_hop(const struct net *net, unsigned ifindex, const struct addr *next,
		    struct hop *hop)
{
	const struct iface *i = iface_get(net, ifindex);
	uint32_t mtu6;

	if (!i)
		return -TERN_ENETUNREACH;
	if (!iface_is_up(i))
		return -TERN_ENETDOWN;
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

/* The best route whose gateway answers; if none does, of those that do not. */
static int find_route(const struct net *net, const struct addr *dst, unsigned ifindex,
		      struct hop *hop)
{
	bool is_direct = is_for_the_link(dst), found = false;
	int err = -TERN_ENETUNREACH;

	for (uint32_t i = 0; i < net->n_routes; i++) {
		const struct route *r = &net->routes[i];
		const struct addr *next = is_direct || is_on_link(r) ? dst : &r->gateway;
		struct hop this;
		int failed;

		if ((ifindex && r->ifindex != ifindex) || !addr_in_prefix(dst, &r->prefix, r->len))
			continue;
		if (found && r->dead_until)
			continue;
		failed = take_hop(net, r->ifindex, next, &this);
		if (failed) {
			err = found ? err : failed;
			continue;
		}
		if (r->mtu)
			this.link_mtu = MIN(this.link_mtu, r->mtu);
		*hop = this;
		err = 0;
		found = true;
		if (!r->dead_until)
			break;
	}
	return err;
}

static int find_hop(const struct net *net, const struct addr *dst, unsigned ifindex,
		    struct hop *hop)
{
	if (goes_through_lo(net, dst, ifindex))
		return take_hop(net, LO_INDEX, dst, hop);
	if (ifindex && is_for_the_link(dst))
		return take_hop(net, ifindex, dst, hop);
	return find_route(net, dst, ifindex, hop);
}

int route_lookup(struct net *net, const struct addr *dst, unsigned ifindex, struct hop *hop)
{
	struct hop_found *recent = &net->recent_hop;
	int err;

	if (recent->version == net->routes_version && recent->ifindex == ifindex &&
	    addr_equal(&recent->dst, dst)) {
		*hop = recent->hop;
		return 0;
	}
	err = find_hop(net, dst, ifindex, hop);
	if (err)
		return err;
	hop->mtu = hop->link_mtu;
	if (hop->ifindex != LO_INDEX) {
		uint32_t known = path_mtu_of(net, dst);

		hop->mtu = MIN(hop->mtu, known);
	}
	*recent = (struct hop_found){ *dst, ifindex, net->routes_version, *hop };
	return 0;
}

void route_check(const struct net *net)
{
	assert(net->n_routes <= net->routes_cap);
	for (uint32_t i = 0; i < net->n_routes; i++) {
		const struct route *r = &net->routes[i];

		assert(iface_get(net, r->ifindex) && is_prefix(&r->prefix, r->len));
		assert(i == 0 || !comes_before(r, r - 1));
		assert(find_same(net, r) == r);
	}
}

/* ---- the source address ---- */

static int select_source4(const struct net *net, const struct addr *dst, unsigned ifindex,
			  struct addr *out)
{
	const struct ifaddr *first = NULL, *any = NULL;

	if (ifaddr_find(net, dst)) {
		*out = *dst;
		return 0;
	}
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (!addr_is4(&a->addr) || !ifaddr_is_usable(a))
			continue;
		if (a->ifindex == ifindex && addr_in_prefix(dst, &a->addr, a->prefix_len)) {
			*out = a->addr;
			return 0;
		}
		if (!first && a->ifindex == ifindex)
			first = a;
		if (!any && !addr_is_loopback(&a->addr))
			any = a;
	}
	first = first ? first : any;
	if (!first)
		return -TERN_EADDRNOTAVAIL;
	*out = first->addr;
	return 0;
}

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 3.1; ::1 counts as link-local. */
static unsigned scope_of(const struct addr *a)
{
	if (addr_is_multicast(a))
		return a->b[1] & 15;
	if (addr_is_link_local(a) || addr_is_loopback(a))
		return SCOPE_LINK;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

struct source_wanted {
	const struct addr *dst;
	unsigned ifindex;
	unsigned label; /* of dst */
	bool prefers_temporary;
};

/* RFC 6724 4: what has no meaning on the link it would be seen on is no candidate. */
static bool is_candidate(const struct ifaddr *a, const struct source_wanted *w)
{
	if (addr_is4(&a->addr) || !ifaddr_is_usable(a))
		return false;
	if (a->ifindex == w->ifindex)
		return true;
	return scope_of(&a->addr) > SCOPE_LINK && scope_of(w->dst) > SCOPE_LINK;
}

/* RFC 6724 2.1, the default policy: which kind of address goes with which. */
static unsigned label_of(const struct addr *a)
{
	static const struct {
		struct addr prefix;
		uint8_t len, label;
	} policy[] = {
		{ { { [15] = 1 } }, 128, 0 },	      { { { 0x20, 0x01 } }, 32, 5 },
		{ { { 0x20, 0x02 } }, 16, 2 },	      { { { 0x3f, 0xfe } }, 16, 12 },
		{ { { 0xfe, 0xc0 } }, 10, 11 },	      { { { 0xfc } }, 7, 13 },
		{ { { [10] = 0xff, 0xff } }, 96, 4 }, { { { 0 } }, 96, 3 },
	};

	for (size_t i = 0; i < N_ELEMENTS(policy); i++)
		if (addr_in_prefix(a, &policy[i].prefix, policy[i].len))
			return policy[i].label;
	return 1;
}

/* RFC 6724 5. There is no home address (rule 4), and no next hop owns a prefix (rule 5.5). */
static bool is_better_source(const struct ifaddr *a, const struct ifaddr *b,
			     const struct source_wanted *w)
{
	unsigned scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr);
	unsigned bits_a = MIN(addr_common_bits(&a->addr, w->dst), a->prefix_len);
	unsigned bits_b = MIN(addr_common_bits(&b->addr, w->dst), b->prefix_len);

	if (addr_equal(&a->addr, w->dst) || addr_equal(&b->addr, w->dst)) /* rule 1 */
		return addr_equal(&a->addr, w->dst);
	if (scope_a != scope_b) /* rule 2 */
		return scope_a < scope_b ? scope_a >= scope_of(w->dst) : scope_b < scope_of(w->dst);
	if ((a->flags ^ b->flags) & TERN_ADDR_DEPRECATED) /* rule 3 */
		return b->flags & TERN_ADDR_DEPRECATED;
	if ((a->ifindex == w->ifindex) != (b->ifindex == w->ifindex)) /* rule 5 */
		return a->ifindex == w->ifindex;
	if ((label_of(&a->addr) == w->label) != (label_of(&b->addr) == w->label)) /* rule 6 */
		return label_of(&a->addr) == w->label;
	if ((a->flags ^ b->flags) & TERN_ADDR_TEMPORARY) /* rule 7 */
		return !(a->flags & TERN_ADDR_TEMPORARY) != w->prefers_temporary;
	return bits_a > bits_b; /* rule 8 */
}

int source_select(const struct net *net, const struct addr *dst, unsigned ifindex, struct addr *out)
{
	const struct source_wanted wanted = { dst, ifindex, label_of(dst),
					      net->cfg->use_tempaddr == 2 };
	const struct ifaddr *best = NULL;

	if (addr_is4(dst))
		return select_source4(net, dst, ifindex, out);
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (is_candidate(a, &wanted) && (!best || is_better_source(a, best, &wanted)))
			best = a;
	}
	if (!best)
		return -TERN_EADDRNOTAVAIL;
	*out = best->addr;
	return 0;
}
