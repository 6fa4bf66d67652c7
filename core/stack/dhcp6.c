/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6.c - the packets around the client of net/dhcp6, as dhcp4.c.
 *
 * Source: RFC 8415 7.1, 7.2, 14.1.
 */
#include "means.h"

/* RFC 8415 14: from a link-local address. While there is none, messages are lost. */
static void send_dhcp6(struct tern_stack *st, struct iface *i)
{
	static const uint8_t all_servers[16] = { 0xff, 0x02, [13] = 1, [15] = 2 };
	const struct ifaddr *from = ifaddr_link_local6(&st->net, i->index);
	struct tern_pkt *p = from ? dhcp_new_message(st, DHCP6_LEN_MAX) : NULL;
	struct dhcp_way way;
	struct dhcp6 m;

	if (!p)
		return;
	dhcp6_output(&st->net, i->dhcp6, &m);
	way = (struct dhcp_way){ from->addr, addr_from6(all_servers), DHCP6_CLIENT_PORT,
				 DHCP6_SERVER_PORT };
	dhcp_send(st, i, p, dhcp6_emit(&m, p->data + UDP_HDR_LEN, DHCP6_LEN_MAX), &way);
}

void dhcp6_act(struct tern_stack *st, struct iface *i, unsigned acts, const struct dhcp6 *m)
{
	if (acts & DHCP_SEND)
		send_dhcp6(st, i);
	if (acts & DHCP_DROP)
		lease6_drop(st, i);
	if (acts & DHCP_TAKE && !lease6_take(st, i, m)) {
		dhcp6_forget(&st->net, i->dhcp6);
		lease6_drop(st, i);
	}
}

void dhcp6_on_router_flags(struct tern_stack *st, struct iface *i, bool managed, bool other)
{
	if (i->dhcp6)
		dhcp6_act(st, i, dhcp6_on_flags(&st->net, i->dhcp6, managed, other), NULL);
}

bool dhcp6_take(struct tern_stack *st, const struct inbound *in, const struct dgram_in *dg)
{
	struct dhcp6 m;

	if (dg->dport != DHCP6_CLIENT_PORT || addr_is4(&in->dst))
		return false;
	if (dhcp6_parse(&m, in->p->data + dg->off, dg->len))
		dhcp6_act(st, in->iface, dhcp6_input(&st->net, in->iface->dhcp6, &m), &m);
	return true;
}
