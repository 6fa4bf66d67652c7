/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4.c - the packets around the client of net/dhcp4.
 *
 * The client says what to do, here it is done: its message goes, the old lease is given back, the
 * new one is applied (lease4.c). The client's port is its own on an interface that it configures,
 * also when a socket is bound there: what comes to it is taken before any socket is looked for.
 *
 * Source: RFC 2131 4.1 (ports, addresses of packets).
 */
#include "means.h"

static void send_dhcp4(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = dhcp_new_message(st, DHCP4_SAFE_LEN);
	struct dhcp4_path path;
	struct dhcp_way way;
	struct dhcp4 m;

	if (!p)
		return; /* as if it were lost on its way */
	dhcp4_output(i->dhcp4, &m, &path);
	way = (struct dhcp_way){ addr_from_number4(path.src), addr_from_number4(path.dst),
				 DHCP4_CLIENT_PORT, DHCP4_SERVER_PORT };
	dhcp_send(st, i, p, dhcp4_emit(&m, p->data + UDP_HDR_LEN, DHCP4_SAFE_LEN), &way);
}

void dhcp4_act(struct tern_stack *st, struct iface *i, unsigned acts, const struct dhcp4 *m)
{
	if (acts & DHCP_SEND)
		send_dhcp4(st, i);
	if (acts & DHCP_DROP)
		lease4_drop(st, i);
	if (acts & DHCP_TAKE && !lease4_take(st, i, m)) {
		dhcp4_forget(&st->net, i->dhcp4);
		lease4_drop(st, i);
	}
}

bool dhcp4_is_awaited(const struct inbound *in)
{
	const uint8_t *udp = in->p->data + in->l4_off;

	return addr_is4(&in->dst) && in->proto == TERN_IPPROTO_UDP &&
	       in->end - in->l4_off >= UDP_HDR_LEN && get_be16(udp + 2) == DHCP4_CLIENT_PORT &&
	       dhcp4_awaits(in->iface->dhcp4, get_be32(in->dst.b + 12));
}

bool dhcp4_take(struct tern_stack *st, const struct inbound *in, const struct dgram_in *dg)
{
	struct dhcp4 m;

	if (dg->dport != DHCP4_CLIENT_PORT || !addr_is4(&in->dst))
		return false;
	if (dhcp4_parse(&m, in->p->data + dg->off, dg->len))
		dhcp4_act(st, in->iface, dhcp4_input(&st->net, in->iface->dhcp4, &m), &m);
	return true;
}
