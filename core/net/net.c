/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - birth, death and check of what the internet layer remembers, and the two forms of an
 * address.
 */
#include "frag.h"
#include "net.h"

enum { NEIGH_BUCKETS = 16, PATH_BUCKETS = 16 };

bool net_init(struct net *net, const struct net_parts *parts)
{
	memset(net, 0, sizeof(*net));
	net->mem = parts->mem;
	net->timers = parts->timers;
	net->rand = parts->rand;
	net->cfg = parts->cfg;
	net->timer_kind = parts->timer_kind;
	net->announce_timer_kind = parts->announce_timer_kind;
	net->key = rand_sip_key(net->rand);
	list_init(&net->path_mtus);
	list_init(&net->dads);
	timer_init(&net->path_timer, parts->path_timer_kind);
	timer_init(&net->life_timer, parts->life_timer_kind);
	net->dad_timer_kind = parts->dad_timer_kind;
	if (!table_init(&net->neighs, net->mem, NEIGH_BUCKETS))
		return false;
	if (!table_init(&net->path_mtu_table, net->mem, PATH_BUCKETS))
		goto no_paths;
	policies_init(net);
	if (!groups_init(net, parts->group_timer_kind))
		goto no_groups;
	if (!routes_init(net))
		goto no_routes;
	if (frag_init(net, parts->frag_timer_kind))
		return true;
	routes_fini(net);
no_routes:
	groups_fini(net);
no_groups:
	table_fini(&net->path_mtu_table);
no_paths:
	table_fini(&net->neighs);
	return false;
}

void net_fini(struct net *net)
{
	for (unsigned i = 1; i <= IFACES_MAX; i++)
		iface_del(net, i);
	assert(net->n_addrs == 0 && net->n_routes == 0 && list_empty(&net->dads));
	timers_disarm(net->timers, &net->life_timer);
	servers_fini(net);
	ifaddr_fini(net);
	routes_fini(net);
	groups_fini(net);
	frag_fini(net);
	path_mtu_fini(net);
	table_fini(&net->neighs);
}

static void check_neighbours(const struct net *net, const struct iface *i)
{
	uint32_t n_found = 0;

	for (const struct list *l = i->neigh_lru.next; l != &i->neigh_lru; l = l->next) {
		const struct neigh *n = CONTAINER_OF(l, const struct neigh, lru);
		bool is_timed = n->state != TERN_NEIGH_STALE && n->state != TERN_NEIGH_PERMANENT;

		assert(n->ifindex == i->index && neigh_find(net, i->index, &n->addr) == n);
		assert(n->state >= TERN_NEIGH_INCOMPLETE && n->state <= TERN_NEIGH_PERMANENT);
		assert(timer_armed(&n->timer) == is_timed);
		assert(n->queue.n <= net->cfg->neighbour_queue_max);
		n_found++;
	}
	assert(n_found == i->n_neigh);
}

void net_check(const struct net *net)
{
	uint32_t n_neigh = 0;

	for (unsigned i = 0; i < IFACES_MAX; i++) {
		if (!net->ifaces[i])
			continue;
		assert(net->ifaces[i]->index == i + 1);
		check_neighbours(net, net->ifaces[i]);
		n_neigh += net->ifaces[i]->n_neigh;
	}
	assert(n_neigh == net->neighs.n);
	table_check(&net->neighs);
	for (uint32_t i = 0; i < net->n_addrs; i++)
		assert(iface_get(net, net->addrs[i].ifindex));
	route_check(net);
	path_mtu_check(net);
	frag_check(net);
}

/* ---- news ---- */

void net_note(struct net *net, unsigned ifindex, enum tern_net_change what)
{
	net->changes[ifindex - 1] |= what;
	net->changed |= (uint64_t)1 << (ifindex - 1);
}

bool net_take_news(struct net *net, struct tern_net_event *out)
{
	unsigned i = 0;

	if (!net->changed)
		return false;
	while (!net->changes[i])
		i++;
	*out = (struct tern_net_event){ i + 1, net->changes[i] };
	net->changes[i] = 0;
	net->changed &= ~((uint64_t)1 << i);
	return true;
}

/* ---- lifetimes: one timer for all, because they are few and long ---- */

void net_arm_life(struct net *net, tern_time until)
{
	if (until != TERN_NEVER && until < net->life_timer.at)
		timers_arm(net->timers, &net->life_timer, until);
}

void net_on_life_timer(struct net *net)
{
	tern_time addrs = ifaddr_expire(net), servers = servers_expire(net);
	tern_time routes = route_expire(net), gateways = gateways_expire(net);

	slaac_renew_temporaries(net);
	net_arm_life(net, MIN(MIN(addrs, servers), MIN(routes, gateways)));
}

/* ---- the two forms of an address ---- */

bool addr_from_public(struct addr *a, const struct tern_addr *t)
{
	if (t->family == TERN_AF_INET)
		*a = addr_from4(t->ip);
	else if (t->family == TERN_AF_INET6)
		*a = addr_from6(t->ip);
	return t->family == TERN_AF_INET || t->family == TERN_AF_INET6;
}

void addr_to_public(struct tern_addr *t, const struct addr *a, uint16_t port)
{
	*t = (struct tern_addr){ .family = TERN_AF_INET6, .port = port };
	if (addr_is4(a)) {
		t->family = TERN_AF_INET;
		memcpy(t->ip, a->b + 12, 4);
	} else {
		memcpy(t->ip, a->b, 16);
	}
}
