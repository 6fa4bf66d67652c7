/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease4.c - what a lease of DHCP brings to IPv4: an address, routes, servers, an MTU; and that it
 * goes.
 *
 * An address is tried first (dad.c); the routes come when it is ours, because their gateways are
 * reached through it. What is static stays as it is: ifaddr_put and route_add see to that, and a
 * learned route has a higher metric.
 *
 * Sources: RFC 2131 4.4.1, RFC 2132 3.3, 3.5, 3.8, 5.1; RFC 3397; RFC 3442 (121 over 3).
 */
#include "means.h"

enum { METRIC_LEARNED = 100 }; /* those of a list count up */
enum { NTP_PORT = 123, MTU_OF_IP4 = 576 };

static struct tern_addr public4(uint32_t ip, uint16_t port)
{
	return tern_ip4((uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip,
			port);
}

static unsigned len_of_mask(uint32_t mask)
{
	unsigned len = 0;

	for (; mask; mask <<= 1)
		len++;
	return len;
}

/* ---- routes ---- */

static void put_route4(struct tern_stack *st, const struct iface *i, const struct dhcp4_route *r,
		       uint32_t metric)
{
	struct tern_route route = { .dst = public4(r->dst, 0),
				    .prefix_len = r->len,
				    .ifindex = i->index,
				    .metric = metric,
				    .origin = TERN_ORIGIN_DHCP4 };

	if (r->len && !dhcp4_is_for_a_host(r->dst))
		return;
	if (r->gateway)
		route.gateway = public4(r->gateway, 0);
	if (!r->gateway || dhcp4_is_for_a_host(r->gateway))
		route_add(&st->net, &route);
}

void lease4_route(struct tern_stack *st, struct iface *i)
{
	const struct dhcp4_lease *l = &i->dhcp4->lease;

	i->dhcp4->routes_are_new = false;
	route_forget(&st->net, i->index, TERN_ORIGIN_DHCP4);
	/* what is on link first: gateways may be reached that way */
	for (unsigned n = 0; n < l->routes.n; n++)
		if (!l->routes.route[n].gateway)
			put_route4(st, i, &l->routes.route[n], METRIC_LEARNED + n);
	for (unsigned n = 0; n < l->routes.n; n++)
		if (l->routes.route[n].gateway)
			put_route4(st, i, &l->routes.route[n], METRIC_LEARNED + n);
	for (unsigned n = 0; n < l->routers.n && !l->routes.is_there; n++) {
		struct dhcp4_route r = { .gateway = l->routers.ip[n] };

		put_route4(st, i, &r, METRIC_LEARNED + n);
	}
}

/* ---- servers ---- */

static void put_servers4(struct tern_stack *st, const struct learned *from, uint32_t kind,
			 const struct dhcp4_addrs *list)
{
	for (unsigned n = 0; n < list->n; n++) {
		struct tern_addr a =
			public4(list->ip[n], kind == TERN_SERVER_DNS ? DNS_PORT : NTP_PORT);

		if (dhcp4_is_for_a_host(list->ip[n]))
			lease_put_server(st, from, kind, &a);
	}
}

static void take_servers4(struct tern_stack *st, const struct learned *from, const struct dhcp4 *m)
{
	lease_begin_servers(st, from);
	put_servers4(st, from, TERN_SERVER_DNS, &m->dns);
	put_servers4(st, from, TERN_SERVER_NTP, &m->ntp);
	if (m->search.len)
		lease_put_domains(st, from, &m->search);
	else if (m->domain[0])
		lease_put_domain(st, from, m->domain);
	lease_end_servers(st, from);
}

/* ---- the MTU ---- */

static bool has_or_wants_ip6(const struct tern_stack *st, const struct iface *i)
{
	for (uint32_t n = 0; n < st->net.n_addrs; n++)
		if (st->net.addrs[n].ifindex == i->index && !addr_is4(&st->net.addrs[n].addr))
			return true;
	return i->dhcp6 != NULL;
}

/* Never above the link's own, and not so small that the other family could not live. */
static void take_mtu4(struct tern_stack *st, struct iface *i, uint32_t mtu)
{
	struct dhcp4_client *c = i->dhcp4;
	uint32_t own = c->mtu_before ? c->mtu_before : i->cfg.mtu;
	uint32_t least = has_or_wants_ip6(st, i) ? IP6_MTU_MIN : MTU_OF_IP4;

	if (mtu < least || mtu > own)
		mtu = own;
	if (iface_set(&st->net, i->index, mtu, i->cfg.flags) == 0)
		c->mtu_before = mtu == own ? 0 : own;
}

/* ---- a lease of IPv4 ---- */

static void take_information4(struct tern_stack *st, struct iface *i, const struct dhcp4 *m)
{
	struct learned from = { i->index, TERN_ORIGIN_DHCP4, TERN_NEVER };

	take_mtu4(st, i, m->mtu);
	take_servers4(st, &from, m);
	lease4_route(st, i);
}

static bool take_lease4(struct tern_stack *st, struct iface *i, const struct dhcp4 *m)
{
	const struct dhcp4_lease *l = &i->dhcp4->lease;
	struct learned from = { i->index, TERN_ORIGIN_DHCP4, l->expires_at };
	struct ifaddr a = { .ifindex = i->index,
			    .addr = addr_from_number4(l->ip),
			    .prefix_len = (uint8_t)len_of_mask(l->mask),
			    .origin = TERN_ORIGIN_DHCP4,
			    .flags = TERN_ADDR_TENTATIVE,
			    .preferred_until = l->expires_at,
			    .valid_until = l->expires_at };
	int err = ifaddr_put(&st->net, &a);

	if (err && err != -TERN_EEXIST)
		return false;
	take_mtu4(st, i, m->mtu);
	take_servers4(st, &from, m);
	st->configuring->on_good(st, i, &a.addr);
	return true;
}

bool lease4_take(struct tern_stack *st, struct iface *i, const struct dhcp4 *m)
{
	if (!i->dhcp4->informs)
		return take_lease4(st, i, m);
	take_information4(st, i, m);
	return true;
}

void lease4_drop(struct tern_stack *st, struct iface *i)
{
	route_forget(&st->net, i->index, TERN_ORIGIN_DHCP4);
	servers_purge(&st->net, i->index, TERN_ORIGIN_DHCP4);
	ifaddr_forget(&st->net, i->index, TERN_ORIGIN_DHCP4);
	take_mtu4(st, i, 0);
	st->configuring->review(st, i);
}
