/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * means4.c - IPv4 by itself: DHCP, which leases an address or tells of what goes with the user's
 * own, and addresses that nobody gave.
 *
 * Sources: RFC 2131, RFC 3927 (the machines and what they are told).
 */
#include "means.h"

/* RFC 3927 2.11: DHCP has time to answer first; two of its messages. */
enum { LINK_LOCAL_WAIT_MS = 20000 };

/* ---- DHCP ---- */

static bool dhcp4_is_on(const struct iface *i)
{
	return i->dhcp4 && !i->dhcp4->informs;
}

static bool inform4_is_on(const struct iface *i)
{
	return i->dhcp4 && i->dhcp4->informs;
}

static void free_dhcp4(struct tern_stack *st, struct iface *i)
{
	dhcp4_free(&st->net, i->dhcp4);
	i->dhcp4 = NULL;
}

static void end_dhcp4(struct tern_stack *st, struct iface *i)
{
	dhcp4_act(st, i, dhcp4_end(&st->net, i->dhcp4), NULL);
	free_dhcp4(st, i);
}

/* It leases or it informs; the one takes the other's place. */
static int put_dhcp4(struct tern_stack *st, struct iface *i, bool informs)
{
	struct dhcp_parts parts = { i->index, TIMER_DHCP4, st->cfg.dhcp_delay_ms, informs };
	struct dhcp4_client *c = dhcp4_new(&st->net, &parts);

	if (!c)
		return -TERN_ENOMEM;
	if (i->dhcp4)
		end_dhcp4(st, i);
	i->dhcp4 = c;
	st->configuring->review(st, i);
	return 0;
}

static int begin_dhcp4(struct tern_stack *st, struct iface *i, unsigned wanted)
{
	(void)wanted;
	return put_dhcp4(st, i, false);
}

static int begin_inform4(struct tern_stack *st, struct iface *i, unsigned wanted)
{
	(void)wanted;
	return put_dhcp4(st, i, true);
}

/* What the user gave the interface; 0: nothing. */
static uint32_t own_address4(const struct tern_stack *st, const struct iface *i)
{
	for (uint32_t n = 0; n < st->net.n_addrs; n++) {
		const struct ifaddr *a = &st->net.addrs[n];

		if (a->ifindex == i->index && addr_is4(&a->addr) &&
		    a->origin == TERN_ORIGIN_STATIC && ifaddr_is_usable(a))
			return get_be32(a->addr.b + 12);
	}
	return 0;
}

static void on_timer4(struct tern_stack *st, struct timer *t)
{
	struct dhcp4_client *c = CONTAINER_OF(t, struct dhcp4_client, timer);

	dhcp4_act(st, iface_get(&st->net, c->ifindex), dhcp4_on_timer(&st->net, c), NULL);
}

static void on_link4(struct tern_stack *st, struct iface *i, bool is_up)
{
	dhcp4_act(st, i, dhcp4_on_link(&st->net, i->dhcp4, is_up), NULL);
}

static void review4(struct tern_stack *st, struct iface *i)
{
	dhcp4_act(st, i, dhcp4_on_own_address(&st->net, i->dhcp4, own_address4(st, i)), NULL);
}

static void on_good4(struct tern_stack *st, struct iface *i, const struct addr *addr)
{
	if (addr_is4(addr) && get_be32(addr->b + 12) == i->dhcp4->lease.ip &&
	    i->dhcp4->routes_are_new)
		lease4_route(st, i);
}

static void on_lost4(struct tern_stack *st, struct iface *i, const struct addr *addr,
		     enum tern_origin origin)
{
	(void)addr;
	if (origin == TERN_ORIGIN_DHCP4)
		dhcp4_act(st, i, dhcp4_on_conflict(&st->net, i->dhcp4), NULL);
}

#define DHCP4_CLIENT                                                                               \
	.timer_kind = TIMER_DHCP4, .end = end_dhcp4, .free = free_dhcp4, .on_timer = on_timer4,    \
	.on_link = on_link4, .review = review4, .on_good = on_good4, .on_lost = on_lost4,          \
	.awaits = dhcp4_is_awaited, .input = dhcp4_take

const struct means dhcp4_means = {
	.bit = TERN_AUTO_DHCP4, .is_on = dhcp4_is_on, .begin = begin_dhcp4, DHCP4_CLIENT
};
const struct means inform4_means = {
	.bit = TERN_AUTO_INFORM4, .is_on = inform4_is_on, .begin = begin_inform4, DHCP4_CLIENT
};

/* ---- link-local addresses ---- */

static bool link_local4_is_on(const struct iface *i)
{
	return i->link_local4 != NULL;
}

static int begin_link_local4(struct tern_stack *st, struct iface *i, unsigned wanted)
{
	struct dhcp_parts parts = { .ifindex = i->index,
				    .timer_kind = TIMER_LINK_LOCAL4,
				    .delay_ms = wanted & TERN_AUTO_DHCP4 ? LINK_LOCAL_WAIT_MS : 0 };

	i->link_local4 = link_local4_new(&st->net, &parts);
	return i->link_local4 ? 0 : -TERN_ENOMEM;
}

static void end_link_local4(struct tern_stack *st, struct iface *i)
{
	link_local4_free(&st->net, i->link_local4);
	i->link_local4 = NULL;
}

static void on_link_local_timer(struct tern_stack *st, struct timer *t)
{
	link_local4_on_timer(&st->net, CONTAINER_OF(t, struct link_local4, timer));
}

static void review_link_local4(struct tern_stack *st, struct iface *i)
{
	link_local4_review(&st->net, i->link_local4);
}

static void on_link_local4_lost(struct tern_stack *st, struct iface *i, const struct addr *addr,
				enum tern_origin origin)
{
	if (origin == TERN_ORIGIN_LINK_LOCAL && addr_is4(addr))
		link_local4_on_conflict(&st->net, i->link_local4);
}

const struct means link_local4_means = { .bit = TERN_AUTO_LINK_LOCAL4,
					 .timer_kind = TIMER_LINK_LOCAL4,
					 .is_on = link_local4_is_on,
					 .begin = begin_link_local4,
					 .end = end_link_local4,
					 .free = end_link_local4,
					 .on_timer = on_link_local_timer,
					 .review = review_link_local4,
					 .on_lost = on_link_local4_lost };
