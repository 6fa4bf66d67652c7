/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iface.c - interfaces and our addresses.
 *
 * Addresses are one array in the order of their adding, few enough to be searched from the front.
 * Each brings a route to its prefix and takes it along when no other address of the interface has
 * the same prefix.
 *
 * Sources: RFC 1122 3.2.1.3, 3.3.4.2 (addresses; the weak host model), RFC 919 7, RFC 3021 2.1
 * (broadcast), RFC 4291 2.7.1, 2.8 (multicast groups of every node).
 */
#include "../base/text.h"
#include "../wire/wire.h"
#include "net.h"

enum { MTU_MAX = 65535 };

/* ---- interfaces ---- */

static bool is_name(const char name[16])
{
	for (unsigned i = 0; i < 16; i++)
		if (!name[i])
			return i > 0;
	return false;
}

/* Unknown flags are refused: they may come to mean something. */
enum {
	FLAGS_ALL = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6 | TERN_IFACE_ANY_ADDRESS |
		    TERN_IFACE_DOWN
};

static bool is_valid_link(uint32_t mtu, uint32_t flags)
{
	return mtu >= IP4_MTU_MIN && mtu <= MTU_MAX && !(flags & ~FLAGS_ALL);
}

static bool is_valid_iface(const struct tern_iface *cfg)
{
	if (!is_name(cfg->name) || !is_valid_link(cfg->mtu, cfg->flags))
		return false;
	if (cfg->link == TERN_LINK_ETHERNET)
		return !(cfg->mac[0] & 1);
	return cfg->link == TERN_LINK_IP || cfg->link == TERN_LINK_LOOPBACK;
}

int iface_add(struct net *net, const struct tern_iface *cfg, unsigned index)
{
	struct iface *i;

	if (!is_valid_iface(cfg) || index > IFACES_MAX)
		return -TERN_EINVAL;
	for (unsigned other = 1; other <= IFACES_MAX; other++) {
		i = iface_get(net, other);
		if (i && (other == index || text_equal(i->cfg.name, cfg->name)))
			return -TERN_EEXIST;
	}
	if (index == 0)
		for (index = LO_INDEX + 1; index <= IFACES_MAX && iface_get(net, index);)
			index++;
	if (index > IFACES_MAX)
		return -TERN_ENOMEM;
	i = mem_new(net->mem, sizeof(*i));
	if (!i)
		return -TERN_ENOMEM;
	*i = (struct iface){ .index = index, .cfg = *cfg };
	pkt_queue_init(&i->control);
	list_init(&i->ready);
	list_init(&i->cutting);
	list_init(&i->neigh_lru);
	timer_init(&i->announce_timer, net->announce_timer_kind);
	net->ifaces[index - 1] = i;
	net->top_ifindex = MAX(net->top_ifindex, index);
	net->n_down += !iface_is_up(i);
	net->routes_version++;
	net_note(net, index, TERN_NET_LINK);
	return (int)index;
}

static void forget_addresses(struct net *net, unsigned ifindex)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->n_addrs; i++) {
		if (net->addrs[i].ifindex != ifindex)
			net->addrs[n++] = net->addrs[i];
		else
			dad_end(net, ifindex, &net->addrs[i].addr);
	}
	net->n_addrs = n;
}

int iface_del(struct net *net, unsigned index)
{
	struct iface *i = iface_get(net, index);

	if (!i)
		return -TERN_ENODEV;
	assert(i->control.n == 0 && !iface_has_ready(i));
	assert(!i->slaac && !i->dhcp4 && !i->dhcp6 && !i->link_local4);
	while (!list_empty(&i->neigh_lru))
		neigh_free(net, CONTAINER_OF(i->neigh_lru.next, struct neigh, lru));
	timers_disarm(net->timers, &i->announce_timer);
	forget_addresses(net, index);
	group_purge(net, index);
	for (unsigned origin = 0; origin < TERN_N_ORIGINS; origin++)
		servers_purge(net, index, (enum tern_origin)origin);
	route_purge(net, index);
	net_note(net, index, TERN_NET_LINK);
	net->ifaces[index - 1] = NULL;
	net->n_down -= !iface_is_up(i);
	mem_free(net->mem, i, sizeof(*i));
	net->routes_version++;
	return 0;
}

struct iface *iface_get(const struct net *net, unsigned index)
{
	return index >= 1 && index <= IFACES_MAX ? net->ifaces[index - 1] : NULL;
}

bool iface_is_up(const struct iface *i)
{
	return !(i->cfg.flags & TERN_IFACE_DOWN);
}

/* ---- addresses ---- */

struct ifaddr *ifaddr_on(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	for (uint32_t i = 0; i < net->n_addrs; i++)
		if (net->addrs[i].ifindex == ifindex && addr_equal(&net->addrs[i].addr, addr))
			return &net->addrs[i];
	return NULL;
}

const struct ifaddr *ifaddr_for_link6(const struct net *net, unsigned ifindex)
{
	const struct ifaddr *any = NULL;

	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (a->ifindex != ifindex || addr_is4(&a->addr) || !ifaddr_is_usable(a))
			continue;
		if (addr_is_link_local(&a->addr))
			return a;
		any = any ? any : a;
	}
	return any;
}

const struct ifaddr *ifaddr_link_local6(const struct net *net, unsigned ifindex)
{
	const struct ifaddr *a = ifaddr_for_link6(net, ifindex);

	return a && addr_is_link_local(&a->addr) ? a : NULL;
}

static bool has_ip6(const struct net *net, unsigned ifindex)
{
	for (uint32_t i = 0; i < net->n_addrs; i++)
		if (net->addrs[i].ifindex == ifindex && !addr_is4(&net->addrs[i].addr))
			return true;
	return false;
}

int iface_set(struct net *net, unsigned ifindex, uint32_t mtu, uint32_t flags)
{
	struct iface *i = iface_get(net, ifindex);

	if (!i)
		return -TERN_ENODEV;
	if (!is_valid_link(mtu, flags) || (mtu < IP6_MTU_MIN && has_ip6(net, ifindex)))
		return -TERN_EINVAL;
	if (i->cfg.mtu == mtu && i->cfg.flags == flags)
		return 0;
	net->n_down -= !iface_is_up(i);
	net->n_down += (flags & TERN_IFACE_DOWN) != 0;
	i->cfg.mtu = mtu;
	i->cfg.flags = flags;
	net->routes_version++;
	net_note(net, ifindex, TERN_NET_LINK);
	return 0;
}

/* The on-link route that an address brings. */
static struct tern_route connected_route(const struct ifaddr *a)
{
	struct tern_route r = { .ifindex = a->ifindex, .prefix_len = a->prefix_len };
	struct addr prefix = addr_prefix(&a->addr, a->prefix_len);

	addr_to_public(&r.dst, &prefix, 0);
	return r;
}

static bool make_room(struct net *net)
{
	struct ifaddr *grown;

	if (net->n_addrs < net->addrs_cap)
		return true;
	grown = mem_grow(net->mem, net->addrs, &net->addrs_cap, sizeof(*grown));
	if (grown)
		net->addrs = grown;
	return grown != NULL;
}

void ifaddr_fini(struct net *net)
{
	mem_free(net->mem, net->addrs, net->addrs_cap * sizeof(*net->addrs));
}

/*
 * What an address brings when it becomes ours: its form as a number, and the route to its prefix.
 * Networks of fewer than four addresses have no broadcast address (RFC 3021). RFC 3810 5.2.13: what
 * was reported from :: is reported again from the first link-local address (it is not among the
 * usable ones yet).
 */
static int put_into_use(struct net *net, struct ifaddr *a)
{
	struct tern_route route = connected_route(a);
	int err = a->off_link ? 0 : route_add(net, &route);

	if (err && err != -TERN_EEXIST)
		return err;
	if (addr_is4(&a->addr)) {
		a->ip4 = get_be32(a->addr.b + 12);
		a->broadcast = a->prefix_len <= 30 ? a->ip4 | 0xffffffff >> a->prefix_len : 0;
	}
	if (!addr_is4(&a->addr) && addr_is_link_local(&a->addr) &&
	    !ifaddr_link_local6(net, a->ifindex))
		groups_tell_again(net, a->ifindex, true);
	net->routes_version++;
	return 0;
}

struct addr solicited_node(const struct addr *target)
{
	struct addr group = { { 0xff, 0x02, [11] = 1, 0xff } };

	memcpy(group.b + 13, target->b + 13, 3);
	return group;
}

/* RFC 4861 7.2.1: on a link with addresses of its own, each of ours has its group. */
static bool has_group(const struct net *net, const struct ifaddr *a)
{
	return !addr_is4(&a->addr) && iface_get(net, a->ifindex)->cfg.link == TERN_LINK_ETHERNET;
}

/* Another address of the interface with the same prefix keeps the route. */
static bool prefix_is_shared(const struct net *net, const struct ifaddr *gone)
{
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (a->ifindex == gone->ifindex && !a->off_link && ifaddr_is_usable(a) &&
		    a->prefix_len == gone->prefix_len && !addr_equal(&a->addr, &gone->addr) &&
		    addr_in_prefix(&a->addr, &gone->addr, gone->prefix_len))
			return true;
	}
	return false;
}

static void take_out_of_use(struct net *net, struct ifaddr *a)
{
	struct tern_route route = connected_route(a);

	a->ip4 = a->broadcast = 0;
	net->routes_version++;
	if (!a->off_link && !prefix_is_shared(net, a))
		route_del(net, &route);
}

static int check_address(const struct net *net, const struct ifaddr *a)
{
	const struct iface *i = iface_get(net, a->ifindex);
	bool is4 = addr_is4(&a->addr);

	if (!i)
		return -TERN_ENODEV;
	if (addr_is_unspecified(&a->addr) || addr_is_multicast(&a->addr) ||
	    addr_is_limited_broadcast(&a->addr))
		return -TERN_EINVAL;
	if (a->prefix_len > (is4 ? 32u : 128u) || (!is4 && i->cfg.mtu < IP6_MTU_MIN))
		return -TERN_EINVAL;
	return 0;
}

static int renew(struct net *net, struct ifaddr *known, const struct ifaddr *new)
{
	if (known->origin == TERN_ORIGIN_STATIC)
		return -TERN_EEXIST;
	known->origin = new->origin;
	known->preferred_until = new->preferred_until;
	known->valid_until = new->valid_until;
	if (new->preferred_until > net->timers->now)
		known->flags &= (uint8_t)~TERN_ADDR_DEPRECATED;
	net_arm_life(net, MIN(new->preferred_until, new->valid_until));
	return 0;
}

int ifaddr_put(struct net *net, const struct ifaddr *new)
{
	struct ifaddr *a = ifaddr_on(net, new->ifindex, &new->addr);
	int err = check_address(net, new);
	struct addr group;

	if (err)
		return err;
	if (a)
		return renew(net, a, new);
	if (net->n_addrs >= net->cfg->addresses_max || !make_room(net))
		return -TERN_ENOMEM;
	a = &net->addrs[net->n_addrs];
	*a = *new;
	a->made_at = net->timers->now;
	a->ip4 = a->broadcast = 0;
	if (!(a->flags & TERN_ADDR_TENTATIVE))
		err = put_into_use(net, a);
	else if (!dad_begin(net, a))
		err = -TERN_ENOMEM;
	if (err)
		return err;
	net->n_addrs++;
	group = solicited_node(&a->addr);
	if (has_group(net, a))
		group_join_internal(net, a->ifindex, &group);
	net_arm_life(net, MIN(a->preferred_until, a->valid_until));
	net_note(net, a->ifindex, TERN_NET_ADDRS);
	return 0;
}

int ifaddr_add(struct net *net, unsigned ifindex, const struct addr *addr, unsigned prefix_len)
{
	struct ifaddr a = { .ifindex = ifindex,
			    .addr = *addr,
			    .prefix_len = (uint8_t)MIN(prefix_len, 255),
			    .preferred_until = TERN_NEVER,
			    .valid_until = TERN_NEVER };
	const struct ifaddr *known = ifaddr_on(net, ifindex, addr);

	if (known && known->origin != TERN_ORIGIN_STATIC) /* what is static wins */
		ifaddr_del(net, ifindex, addr);
	return ifaddr_put(net, &a);
}

int ifaddr_del(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct ifaddr *a = ifaddr_on(net, ifindex, addr);
	struct addr group;

	if (!a)
		return -TERN_EADDRNOTAVAIL;
	group = solicited_node(addr);
	if (has_group(net, a))
		group_leave_internal(net, ifindex, &group);
	dad_end(net, ifindex, addr);
	if (ifaddr_is_usable(a))
		take_out_of_use(net, a);
	net->n_addrs--;
	memmove(a, a + 1, (size_t)(net->addrs + net->n_addrs - a) * sizeof(*a));
	net_note(net, ifindex, TERN_NET_ADDRS);
	return 0;
}

void ifaddr_accept(struct net *net, struct ifaddr *a)
{
	if (put_into_use(net, a)) { /* no room for its route: it is ours all the same */
		a->off_link = true;
		put_into_use(net, a);
	}
	a->flags &= (uint8_t)~TERN_ADDR_TENTATIVE;
	net_note(net, a->ifindex, TERN_NET_ADDRS);
}

void ifaddr_refuse(struct net *net, struct ifaddr *a)
{
	if (ifaddr_is_usable(a))
		take_out_of_use(net, a);
	a->flags &= (uint8_t)~TERN_ADDR_TENTATIVE;
	a->flags |= TERN_ADDR_DUPLICATE;
	net_note(net, a->ifindex, TERN_NET_ADDRS);
	net_note(net, a->ifindex, TERN_NET_DUPLICATE);
}

/* Who has it, and has an end: what dad_begin cannot remember stays ours. */
static void try_again(struct net *net, struct ifaddr *a)
{
	dad_end(net, a->ifindex, &a->addr);
	if (ifaddr_is_usable(a))
		take_out_of_use(net, a);
	a->flags |= TERN_ADDR_TENTATIVE;
	if (!dad_begin(net, a))
		ifaddr_accept(net, a);
	net_note(net, a->ifindex, TERN_NET_ADDRS);
}

void ifaddr_try_again(struct net *net, unsigned ifindex)
{
	for (uint32_t k = 0; k < net->n_addrs; k++) {
		struct ifaddr *a = &net->addrs[k];

		if (a->ifindex == ifindex && a->origin != TERN_ORIGIN_STATIC &&
		    !(a->flags & TERN_ADDR_DUPLICATE))
			try_again(net, a);
	}
}

void ifaddr_forget(struct net *net, unsigned ifindex, enum tern_origin origin)
{
	for (uint32_t i = net->n_addrs; i-- > 0;) {
		struct addr gone = net->addrs[i].addr;

		if (net->addrs[i].ifindex == ifindex && net->addrs[i].origin == origin)
			ifaddr_del(net, ifindex, &gone);
	}
}

tern_time ifaddr_expire(struct net *net)
{
	tern_time now = net->timers->now, next = TERN_NEVER;

	for (uint32_t i = 0; i < net->n_addrs;) {
		struct ifaddr *a = &net->addrs[i];

		if (a->valid_until <= now) {
			struct addr gone = a->addr;

			ifaddr_del(net, a->ifindex, &gone);
			continue;
		}
		if (a->preferred_until <= now && !(a->flags & TERN_ADDR_DEPRECATED)) {
			a->flags |= TERN_ADDR_DEPRECATED;
			net_note(net, a->ifindex, TERN_NET_ADDRS);
		}
		next = MIN(next, a->preferred_until > now ? a->preferred_until : TERN_NEVER);
		next = MIN(next, a->valid_until);
		i++;
	}
	return next;
}

const struct ifaddr *ifaddr_find(const struct net *net, const struct addr *addr)
{
	for (uint32_t i = 0; i < net->n_addrs; i++)
		if (addr_equal(&net->addrs[i].addr, addr) && ifaddr_is_usable(&net->addrs[i]))
			return &net->addrs[i];
	return NULL;
}

bool ifaddr_fits(const struct net *net, const struct addr *addr, unsigned ifindex)
{
	bool has_scope = addr_is_link_local(addr) && !addr_is4(addr);
	const struct ifaddr *a;

	if ((!net->cfg->strong_host && !has_scope) || ifindex == LO_INDEX || addr_is_loopback(addr))
		return true;
	a = ifaddr_on(net, ifindex, addr);
	return a && ifaddr_is_usable(a);
}

static enum addr_kind classify4(const struct net *net, uint32_t ip, unsigned ifindex)
{
	enum addr_kind kind = ADDR_OTHER;

	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (a->ip4 == ip && ip)
			return ADDR_OURS;
		if (a->broadcast == ip && ip && (!ifindex || a->ifindex == ifindex))
			kind = ADDR_BROADCAST;
	}
	if (ip >> 24 == 127)
		return ADDR_OURS;
	if (ip >> 28 == 14)
		return ADDR_MULTICAST;
	if (ip == 0)
		return ADDR_UNSPECIFIED;
	return ip == 0xffffffff ? ADDR_BROADCAST : kind;
}

enum addr_kind addr_classify(const struct net *net, const struct addr *addr, unsigned ifindex)
{
	if (addr_is4(addr))
		return classify4(net, get_be32(addr->b + 12), ifindex);
	if (ifaddr_find(net, addr) || addr_is_loopback(addr))
		return ADDR_OURS;
	if (addr_is_multicast(addr))
		return ADDR_MULTICAST;
	return addr_is_unspecified(addr) ? ADDR_UNSPECIFIED : ADDR_OTHER;
}

bool group_is_joined(const struct net *net, const struct addr *group, unsigned ifindex)
{
	static const struct addr all_nodes4 = { { [10] = 0xff, 0xff, 224, 0, 0, 1 } };
	static const struct addr all_nodes6_node = { { 0xff, 0x01, [15] = 1 } };
	static const struct addr all_nodes6_link = { { 0xff, 0x02, [15] = 1 } };
	const struct group *joined;
	struct addr own;

	if (addr_equal(group, &all_nodes4) || addr_equal(group, &all_nodes6_link) ||
	    addr_equal(group, &all_nodes6_node))
		return true;
	joined = group_find(net, ifindex, group);
	if (joined && group_has_members(joined))
		return true;
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		own = solicited_node(&a->addr);
		if (a->ifindex == ifindex && !addr_is4(&a->addr) && addr_equal(group, &own))
			return true;
	}
	return false;
}
