/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * configure.c - by which means is an interface configured, and who is told of what becomes of it?
 *
 * Each means is one line of a table: how it begins, how it ends, and whether it is on. What happens
 * to the link or to an address is told to those that are on, by the address's origin.
 *
 * Sources: RFC 4862, RFC 2131, RFC 8415, RFC 3927 (the machines and what they are told).
 */
#include "stack.h"

#include "../net/dhcp.h"

/* RFC 3927 2.11: DHCP has time to answer first; two of its messages. */
enum { LINK_LOCAL_WAIT_MS = 20000 };

struct means {
	unsigned bit; /* enum tern_auto */
	bool (*is_on)(const struct iface *);
	/* 0 or a negative error; wanted: all means that will be on */
	int (*begin)(struct tern_stack *, struct iface *, unsigned wanted);
	void (*end)(struct tern_stack *, struct iface *);
};

/* ---- router advertisements ---- */

static bool slaac_is_on(const struct iface *i)
{
	return i->slaac != NULL;
}

static int begin_slaac(struct tern_stack *st, struct iface *i, unsigned wanted)
{
	(void)wanted;
	return slaac_begin(&st->net, i, TIMER_SLAAC) ? 0 : -TERN_ENOMEM;
}

static void end_slaac(struct tern_stack *st, struct iface *i)
{
	slaac_end(&st->net, i);
}

/* ---- DHCP of IPv4 ---- */

static bool dhcp4_is_on(const struct iface *i)
{
	return i->dhcp4 && !i->dhcp4->informs;
}

static bool inform4_is_on(const struct iface *i)
{
	return i->dhcp4 && i->dhcp4->informs;
}

static void end_dhcp4(struct tern_stack *st, struct iface *i)
{
	dhcp4_act(st, i, dhcp4_end(&st->net, i->dhcp4), NULL);
	dhcp4_free(&st->net, i->dhcp4);
	i->dhcp4 = NULL;
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
	configure_review(st, i);
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

/* ---- DHCP of IPv6 ---- */

/* RFC 4291 appendix A: of the Ethernet address. */
static struct addr link_local_from_mac(const uint8_t mac[6])
{
	struct addr a = { { 0xfe, 0x80, [11] = 0xff, 0xfe } };

	memcpy(a.b + 8, mac, 3);
	memcpy(a.b + 13, mac + 3, 3);
	a.b[8] ^= 2;
	return a;
}

/* Without router advertisements nobody else makes the address that DHCP speaks from. */
static int put_link_local6(struct tern_stack *st, const struct iface *i)
{
	struct ifaddr a = { .ifindex = i->index,
			    .addr = link_local_from_mac(i->cfg.mac),
			    .prefix_len = 64,
			    .origin = TERN_ORIGIN_LINK_LOCAL,
			    .flags = TERN_ADDR_TENTATIVE,
			    .preferred_until = TERN_NEVER,
			    .valid_until = TERN_NEVER };
	int err = ifaddr_put(&st->net, &a);

	return err == -TERN_EEXIST ? 0 : err;
}

static bool dhcp6_is_on(const struct iface *i)
{
	return i->dhcp6 != NULL;
}

/* Routers say when; where they are not listened to, it is now. */
static int begin_dhcp6(struct tern_stack *st, struct iface *i, unsigned wanted)
{
	struct dhcp_parts parts = { .ifindex = i->index, .timer_kind = TIMER_DHCP6 };
	int err;

	i->dhcp6 = dhcp6_new(&st->net, &parts);
	if (!i->dhcp6)
		return -TERN_ENOMEM;
	if (wanted & TERN_AUTO_RA)
		return 0;
	err = put_link_local6(st, i);
	if (err) {
		dhcp6_free(&st->net, i->dhcp6);
		i->dhcp6 = NULL;
		return err;
	}
	dhcp6_on_router_flags(st, i, true, false);
	return 0;
}

static void end_dhcp6(struct tern_stack *st, struct iface *i)
{
	struct addr own = link_local_from_mac(i->cfg.mac);
	const struct ifaddr *a;

	dhcp6_act(st, i, dhcp6_end(&st->net, i->dhcp6), NULL);
	dhcp6_free(&st->net, i->dhcp6);
	i->dhcp6 = NULL;
	a = ifaddr_on(&st->net, i->index, &own);
	if (a && a->origin == TERN_ORIGIN_LINK_LOCAL)
		ifaddr_del(&st->net, i->index, &own);
}

/* ---- IPv4 link-local addresses ---- */

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

/* ---- all ---- */

/* In the order of their beginning; they end in the other order. */
static const struct means all_means[] = {
	{ TERN_AUTO_RA, slaac_is_on, begin_slaac, end_slaac },
	{ TERN_AUTO_DHCP4, dhcp4_is_on, begin_dhcp4, end_dhcp4 },
	{ TERN_AUTO_INFORM4, inform4_is_on, begin_inform4, end_dhcp4 },
	{ TERN_AUTO_DHCP6, dhcp6_is_on, begin_dhcp6, end_dhcp6 },
	{ TERN_AUTO_LINK_LOCAL4, link_local4_is_on, begin_link_local4, end_link_local4 },
};

static unsigned means_known(void)
{
	unsigned all = 0;

	for (size_t n = 0; n < N_ELEMENTS(all_means); n++)
		all |= all_means[n].bit;
	return all;
}

static void end_all(struct tern_stack *st, struct iface *i, unsigned bits)
{
	for (size_t n = N_ELEMENTS(all_means); n-- > 0;)
		if (bits & all_means[n].bit && all_means[n].is_on(i))
			all_means[n].end(st, i);
}

TERN_API int tern_auto_set(struct tern_stack *st, unsigned ifindex, unsigned means)
{
	struct iface *i = iface_get(&st->net, ifindex);
	unsigned begun = 0;

	if (!i)
		return -TERN_ENODEV;
	if (i->cfg.link != TERN_LINK_ETHERNET || means & ~means_known() ||
	    (means & TERN_AUTO_DHCP4 && means & TERN_AUTO_INFORM4))
		return -TERN_EINVAL;
	for (size_t n = 0; n < N_ELEMENTS(all_means); n++) {
		int err;

		if (!(means & all_means[n].bit) || all_means[n].is_on(i))
			continue;
		err = all_means[n].begin(st, i, means);
		if (err) { /* it is as it was */
			end_all(st, i, begun);
			return err;
		}
		begun |= all_means[n].bit;
	}
	end_all(st, i, ~means);
	if (i->dhcp6 && !i->slaac) /* advertisements may have taken the address along */
		put_link_local6(st, i);
	i->means = means;
	return 0;
}

/* ---- what they are told ---- */

void configure_on_link(struct tern_stack *st, struct iface *i)
{
	bool is_up = iface_is_up(i);

	if (is_up) {
		ifaddr_try_again(&st->net, i->index);
		/* RFC 4862 5.4.2: perhaps another link, where nobody knows what we listen to */
		groups_tell_again(&st->net, i->index, false);
		groups_tell_again(&st->net, i->index, true);
	}
	if (i->slaac && is_up)
		slaac_on_link_up(&st->net, i->slaac);
	if (i->dhcp4)
		dhcp4_act(st, i, dhcp4_on_link(&st->net, i->dhcp4, is_up), NULL);
	if (i->dhcp6)
		dhcp6_act(st, i, dhcp6_on_link(&st->net, i->dhcp6, is_up), NULL);
}

void configure_review(struct tern_stack *st, struct iface *i)
{
	if (i->dhcp4)
		dhcp4_act(st, i, dhcp4_on_own_address(&st->net, i->dhcp4, own_address4(st, i)),
			  NULL);
	if (i->link_local4)
		link_local4_review(&st->net, i->link_local4);
}

void configure_on_good(struct tern_stack *st, struct iface *i, const struct addr *addr)
{
	const struct ifaddr *a = ifaddr_on(&st->net, i->index, addr);

	if (!a || !ifaddr_is_usable(a))
		return;
	if (i->dhcp4 && addr_is4(addr) && get_be32(addr->b + 12) == i->dhcp4->lease.ip &&
	    i->dhcp4->routes_are_new)
		lease4_route(st, i);
	configure_review(st, i);
}

void configure_on_lost(struct tern_stack *st, struct iface *i, const struct addr *addr,
		       enum tern_origin origin)
{
	bool is4 = addr_is4(addr);

	if (origin == TERN_ORIGIN_DHCP4 && i->dhcp4)
		dhcp4_act(st, i, dhcp4_on_conflict(&st->net, i->dhcp4), NULL);
	else if (origin == TERN_ORIGIN_DHCP6 && i->dhcp6)
		dhcp6_act(st, i, dhcp6_on_conflict(&st->net, i->dhcp6, addr), NULL);
	else if (origin == TERN_ORIGIN_LINK_LOCAL && is4 && i->link_local4)
		link_local4_on_conflict(&st->net, i->link_local4);
	else if (origin != TERN_ORIGIN_DHCP6 && !is4)
		slaac_on_duplicate(&st->net, i, addr);
	configure_review(st, i);
}
