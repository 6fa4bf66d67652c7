/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_local.c - an IPv4 address that nobody gave: 169.254/16, while there is no other.
 *
 * A number of the interface's Ethernet address, the stack's key and how many were tried says which
 * one; dad.c finds out whether it is free, and defends it. After ten conflicts a new one is tried
 * once in a minute. It goes when another way has brought an address that is ours.
 *
 * Sources: RFC 3927 1.9 (beside other addresses), 2.1 (selection), 2.2.1 (limits), 2.11 (DHCP).
 */
#include "dhcp.h"

enum { CONFLICTS_MAX = 10, N_LINK_LOCAL = 254 * 256 }; /* 169.254.1.0 to 169.254.254.255 */
#define LINK_LOCAL_FIRST 0xa9fe0100u
#define RATE_LIMIT_INTERVAL (60 * TERN_SEC)
#define LOOK_AGAIN (5 * TERN_SEC)

static bool has_other(const struct net *net, const struct link_local4 *l, bool tentative)
{
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (a->ifindex != l->ifindex || !addr_is4(&a->addr) ||
		    a->origin == TERN_ORIGIN_LINK_LOCAL)
			continue;
		if (ifaddr_is_usable(a) || (tentative && a->flags & TERN_ADDR_TENTATIVE))
			return true;
	}
	return false;
}

static void withdraw(struct net *net, struct link_local4 *l)
{
	if (l->has_addr)
		ifaddr_del(net, l->ifindex, &l->addr);
	l->has_addr = false;
}

static void look_at(struct net *net, struct link_local4 *l, tern_time wait)
{
	timers_arm(net->timers, &l->timer, net->timers->now + wait);
}

struct link_local4 *link_local4_new(struct net *net, const struct dhcp_parts *parts)
{
	struct link_local4 *l = mem_new(net->mem, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct link_local4){ .ifindex = parts->ifindex, .wait = parts->delay_ms * TERN_MS };
	timer_init(&l->timer, parts->timer_kind);
	link_local4_review(net, l);
	return l;
}

void link_local4_free(struct net *net, struct link_local4 *l)
{
	if (!l)
		return;
	withdraw(net, l);
	timers_disarm(net->timers, &l->timer);
	mem_free(net->mem, l, sizeof(*l));
}

void link_local4_review(struct net *net, struct link_local4 *l)
{
	if (has_other(net, l, false)) {
		withdraw(net, l);
		timers_disarm(net->timers, &l->timer);
	} else if (!l->has_addr && !timer_armed(&l->timer)) {
		look_at(net, l, l->wait);
	}
}

/* 2.1: uniform, and likely to be another than our neighbours'. */
static struct addr choose(const struct net *net, struct link_local4 *l)
{
	const struct iface *i = iface_get(net, l->ifindex);
	uint8_t seed[12] = { 0 };

	memcpy(seed, i->cfg.mac, 6);
	put_be32(seed + 8, l->n_tried++);
	return addr_from_number4(
		LINK_LOCAL_FIRST +
		(uint32_t)(siphash24(&net->key, seed, sizeof(seed)) % N_LINK_LOCAL));
}

void link_local4_on_timer(struct net *net, struct link_local4 *l)
{
	struct ifaddr a = { .ifindex = l->ifindex,
			    .prefix_len = 16,
			    .origin = TERN_ORIGIN_LINK_LOCAL,
			    .flags = TERN_ADDR_TENTATIVE,
			    .preferred_until = TERN_NEVER,
			    .valid_until = TERN_NEVER };

	if (has_other(net, l, true)) { /* it may be found good yet, or not */
		if (!has_other(net, l, false))
			look_at(net, l, LOOK_AGAIN);
		return;
	}
	a.addr = l->addr = choose(net, l);
	l->has_addr = ifaddr_put(net, &a) == 0;
	if (!l->has_addr)
		look_at(net, l, LOOK_AGAIN);
}

void link_local4_on_conflict(struct net *net, struct link_local4 *l)
{
	withdraw(net, l);
	if (l->n_conflicts < CONFLICTS_MAX)
		l->n_conflicts++;
	look_at(net, l, l->n_conflicts < CONFLICTS_MAX ? 0 : RATE_LIMIT_INTERVAL);
}
