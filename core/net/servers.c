/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers.c - which servers has the network told of?
 *
 * One array, in the order of their arrival, few enough to be searched from the front. Each way of
 * learning (an interface and an origin) says what it has, and takes it back when it ends.
 *
 * Sources: RFC 8106 5 (RDNSS, DNSSL: lifetimes; 0 removes; more than fit: not taken), RFC 2132.
 */
#include "net.h"

#include "../base/text.h"

static bool is_same_server(const struct tern_server *a, const struct tern_server *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex && a->origin == b->origin &&
	       a->addr.family == b->addr.family && a->addr.port == b->addr.port &&
	       memcmp(a->addr.ip, b->addr.ip, 16) == 0 && text_equal(a->domain, b->domain);
}

static void remove_server(struct net *net, uint32_t i)
{
	unsigned ifindex = net->servers[i].ifindex;

	net->n_servers--;
	memmove(&net->servers[i], &net->servers[i + 1],
		(net->n_servers - i) * sizeof(*net->servers));
	net_note(net, ifindex, TERN_NET_SERVERS);
}

static bool server_has_room(struct net *net)
{
	struct tern_server *grown;

	if (net->n_servers >= net->cfg->servers_max)
		return false;
	if (net->n_servers < net->servers_cap)
		return true;
	grown = mem_grow(net->mem, net->servers, &net->servers_cap, sizeof(*grown));
	if (grown)
		net->servers = grown;
	return grown != NULL;
}

void servers_put(struct net *net, const struct tern_server *new)
{
	uint32_t i = 0;

	while (i < net->n_servers && !is_same_server(&net->servers[i], new))
		i++;
	if (new->valid_until <= net->timers->now) {
		if (i < net->n_servers)
			remove_server(net, i);
		return;
	}
	if (i == net->n_servers) {
		if (!server_has_room(net))
			return;
		net->n_servers++;
		net_note(net, new->ifindex, TERN_NET_SERVERS);
	}
	net->servers[i] = *new;
	net_arm_life(net, new->valid_until);
}

void servers_purge(struct net *net, unsigned ifindex, enum tern_origin origin)
{
	for (uint32_t i = net->n_servers; i-- > 0;)
		if (net->servers[i].ifindex == ifindex && net->servers[i].origin == origin)
			remove_server(net, i);
}

tern_time servers_expire(struct net *net)
{
	tern_time next = TERN_NEVER;

	for (uint32_t i = net->n_servers; i-- > 0;) {
		if (net->servers[i].valid_until <= net->timers->now)
			remove_server(net, i);
		else
			next = MIN(next, net->servers[i].valid_until);
	}
	return next;
}

void servers_fini(struct net *net)
{
	mem_free(net->mem, net->servers, net->servers_cap * sizeof(*net->servers));
}
