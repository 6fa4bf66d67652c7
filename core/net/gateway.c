/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway.c - does this gateway answer? One record for each that a route goes by, which its routes
 * share, so that it is said once.
 *
 * Sources: RFC 1122 3.3.1.4 (dead gateways), RFC 4861 6.3.6, RFC 4191 3.2, 3.5.
 */
#include "net.h"

enum { GATEWAY_BUCKETS = 16 };

bool gateways_init(struct net *net)
{
	list_init(&net->silent_gateways);
	return table_init(&net->gateways, net->mem, GATEWAY_BUCKETS);
}

void gateways_fini(struct net *net)
{
	table_fini(&net->gateways);
}

static struct gateway *find_gateway(const struct net *net, unsigned ifindex,
				    const struct addr *addr)
{
	uint32_t hash = net_hash_on(net, ifindex, addr);

	for (struct table_node *n = table_first(&net->gateways, hash); n; n = table_next(n, hash)) {
		struct gateway *g = CONTAINER_OF(n, struct gateway, node);

		if (g->ifindex == ifindex && addr_equal(&g->addr, addr))
			return g;
	}
	return NULL;
}

struct gateway *gateway_hold(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct gateway *g = find_gateway(net, ifindex, addr);

	if (g) {
		g->n_routes++;
		return g;
	}
	g = mem_new(net->mem, sizeof(*g));
	if (!g)
		return NULL;
	*g = (struct gateway){ .addr = *addr, .ifindex = ifindex, .n_routes = 1 };
	list_init(&g->silent);
	table_put(&net->gateways, &g->node, net_hash_on(net, ifindex, addr));
	return g;
}

void gateway_release(struct net *net, struct gateway *g)
{
	if (--g->n_routes)
		return;
	list_unlink(&g->silent);
	table_remove(&net->gateways, &g->node);
	mem_free(net->mem, g, sizeof(*g));
}

#define SILENT_TIME (60 * TERN_SEC) /* RFC 4191 3.5: then it is tried again */

static void hear_gateway(struct net *net, struct gateway *g)
{
	g->silent_until = 0;
	list_unlink(&g->silent);
	net->routes_version++;
}

void gateway_mark(struct net *net, unsigned ifindex, const struct addr *addr, bool is_silent)
{
	struct gateway *g = find_gateway(net, ifindex, addr);

	if (!g || (!is_silent && !g->silent_until))
		return;
	hear_gateway(net, g);
	if (!is_silent)
		return;
	g->silent_until = net->timers->now + SILENT_TIME;
	list_put_tail(&net->silent_gateways, &g->silent); /* in the order of their ends */
	net_arm_life(net, g->silent_until);
}

tern_time gateways_expire(struct net *net)
{
	while (!list_empty(&net->silent_gateways)) {
		struct gateway *g = CONTAINER_OF(net->silent_gateways.next, struct gateway, silent);

		if (g->silent_until > net->timers->now)
			return g->silent_until;
		hear_gateway(net, g);
	}
	return TERN_NEVER;
}

void gateways_check(const struct net *net)
{
	uint64_t cursor = 0, n_silent = 0;
	struct table_node *n;

	while ((n = table_walk(&net->gateways, &cursor))) {
		const struct gateway *g = CONTAINER_OF(n, struct gateway, node);

		assert(g->n_routes > 0 && find_gateway(net, g->ifindex, &g->addr) == g);
		assert((g->silent_until != 0) == !list_empty(&g->silent));
		n_silent += g->silent_until != 0;
	}
	for (const struct list *l = net->silent_gateways.next; l != &net->silent_gateways;
	     l = l->next)
		n_silent--;
	assert(n_silent == 0);
}
