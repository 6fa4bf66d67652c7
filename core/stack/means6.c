/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * means6.c - IPv6 by itself: as routers advertise, and DHCP.
 *
 * Sources: RFC 4862, RFC 8415 (the machines and what they are told).
 */
#include "means.h"

/* ---- DHCP ---- */

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

static void free_dhcp6(struct tern_stack *st, struct iface *i)
{
	dhcp6_free(&st->net, i->dhcp6);
	i->dhcp6 = NULL;
}

/* Routers say when it begins to speak; where they are not listened to, on_set6 does. */
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
	if (err)
		free_dhcp6(st, i);
	return err;
}

static void end_dhcp6(struct tern_stack *st, struct iface *i)
{
	struct addr own = link_local_from_mac(i->cfg.mac);
	const struct ifaddr *a;

	dhcp6_act(st, i, dhcp6_end(&st->net, i->dhcp6), NULL);
	free_dhcp6(st, i);
	a = ifaddr_on(&st->net, i->index, &own);
	if (a && a->origin == TERN_ORIGIN_LINK_LOCAL)
		ifaddr_del(&st->net, i->index, &own);
}

static void on_timer6(struct tern_stack *st, struct timer *t)
{
	struct dhcp6_client *c = CONTAINER_OF(t, struct dhcp6_client, timer);

	dhcp6_act(st, iface_get(&st->net, c->ifindex), dhcp6_on_timer(&st->net, c), NULL);
}

static void on_link6(struct tern_stack *st, struct iface *i, bool is_up)
{
	dhcp6_act(st, i, dhcp6_on_link(&st->net, i->dhcp6, is_up), NULL);
}

/* Nobody listens to routers, perhaps not any more: it is now. Its address may have gone. */
static void on_set6(struct tern_stack *st, struct iface *i)
{
	if (i->slaac)
		return;
	put_link_local6(st, i);
	dhcp6_on_router_flags(st, i, true, false);
}

static void on_lost6(struct tern_stack *st, struct iface *i, const struct addr *addr,
		     enum tern_origin origin)
{
	if (origin == TERN_ORIGIN_DHCP6)
		dhcp6_act(st, i, dhcp6_on_conflict(&st->net, i->dhcp6, addr), NULL);
}

const struct means dhcp6_means = { .bit = TERN_AUTO_DHCP6,
				   .timer_kind = TIMER_DHCP6,
				   .is_on = dhcp6_is_on,
				   .begin = begin_dhcp6,
				   .end = end_dhcp6,
				   .free = free_dhcp6,
				   .on_timer = on_timer6,
				   .on_link = on_link6,
				   .on_set = on_set6,
				   .on_lost = on_lost6,
				   .input = dhcp6_take };

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

/* It takes link-local addresses along, also that from which DHCP speaks. */
static void end_slaac(struct tern_stack *st, struct iface *i)
{
	slaac_end(&st->net, i);
}

static void on_slaac_timer(struct tern_stack *st, struct timer *t)
{
	advert_on_timer(st, CONTAINER_OF(t, struct slaac, timer));
}

static void on_slaac_link(struct tern_stack *st, struct iface *i, bool is_up)
{
	if (is_up)
		slaac_on_link_up(&st->net, i->slaac);
}

static void on_slaac_lost(struct tern_stack *st, struct iface *i, const struct addr *addr,
			  enum tern_origin origin)
{
	if (origin != TERN_ORIGIN_DHCP6 && !addr_is4(addr))
		slaac_on_duplicate(&st->net, i, addr);
}

const struct means ra_means = { .bit = TERN_AUTO_RA,
				.timer_kind = TIMER_SLAAC,
				.is_on = slaac_is_on,
				.begin = begin_slaac,
				.end = end_slaac,
				.free = end_slaac,
				.on_timer = on_slaac_timer,
				.on_link = on_slaac_link,
				.on_lost = on_slaac_lost };
