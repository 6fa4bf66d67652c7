/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp.c - the packets around the clients of net/dhcp4 and net/dhcp6.
 *
 * A client says what to do, here it is done: its message goes, the old lease is given back, the new
 * one is applied (lease.c). The clients' ports are theirs on an interface that they configure, also
 * when a socket is bound there: what comes to them is taken before any socket is looked for.
 *
 * Sources: RFC 2131 4.1 (ports, addresses of packets), RFC 8415 7.1, 7.2, 14.1.
 */
#include "stack.h"

#include "../net/dhcp.h"

struct dhcp_way {
	struct addr src, dst;
	uint16_t src_port, dst_port;
};

/* ---- sending ---- */

static struct tern_pkt *new_message(struct tern_stack *st, uint32_t room)
{
	return pkt_new(&st->mem, PKT_HEAD_ROOM, UDP_HDR_LEN + room);
}

/* The message is in its place, len bytes of it. Takes p. */
static void send_message(struct tern_stack *st, struct iface *i, struct tern_pkt *p, size_t len,
			 const struct dhcp_way *way)
{
	struct udp h = { .src_port = way->src_port,
			 .dst_port = way->dst_port,
			 .len = (uint16_t)(UDP_HDR_LEN + len) };
	struct ip_names names = { .src = way->src,
				  .dst = way->dst,
				  .proto = TERN_IPPROTO_UDP,
				  .ttl = -1,
				  .may_fragment = true };
	uint32_t sum = checksum_pseudo(&way->src, &way->dst, TERN_IPPROTO_UDP, h.len);
	uint16_t checksum;

	pkt_trim(&st->mem, p, h.len);
	udp_emit(&h, p->data);
	checksum = checksum_finish(st->env.sum(p->data, p->len, sum));
	put_be16(p->data + 6, checksum ? checksum : 0xffff);
	stack_push_ip(st, p, &names);
	stack_send_ip(st, p, i->index);
}

static void send_dhcp4(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = new_message(st, DHCP4_SAFE_LEN);
	struct dhcp4_path path;
	struct dhcp_way way;
	struct dhcp4 m;

	if (!p)
		return; /* as if it were lost on its way */
	dhcp4_output(i->dhcp4, &m, &path);
	way = (struct dhcp_way){ addr_from_number4(path.src), addr_from_number4(path.dst),
				 DHCP4_CLIENT_PORT, DHCP4_SERVER_PORT };
	send_message(st, i, p, dhcp4_emit(&m, p->data + UDP_HDR_LEN, DHCP4_SAFE_LEN), &way);
}

/* RFC 8415 14: from a link-local address. While there is none, messages are lost. */
static void send_dhcp6(struct tern_stack *st, struct iface *i)
{
	static const uint8_t all_servers[16] = { 0xff, 0x02, [13] = 1, [15] = 2 };
	const struct ifaddr *from = ifaddr_link_local6(&st->net, i->index);
	struct tern_pkt *p = from ? new_message(st, DHCP6_LEN_MAX) : NULL;
	struct dhcp_way way;
	struct dhcp6 m;

	if (!p)
		return;
	dhcp6_output(&st->net, i->dhcp6, &m);
	way = (struct dhcp_way){ from->addr, addr_from6(all_servers), DHCP6_CLIENT_PORT,
				 DHCP6_SERVER_PORT };
	send_message(st, i, p, dhcp6_emit(&m, p->data + UDP_HDR_LEN, DHCP6_LEN_MAX), &way);
}

/* ---- what the clients say ---- */

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

void dhcp4_expire(struct tern_stack *st, struct dhcp4_client *c)
{
	dhcp4_act(st, iface_get(&st->net, c->ifindex), dhcp4_on_timer(&st->net, c), NULL);
}

void dhcp6_expire(struct tern_stack *st, struct dhcp6_client *c)
{
	dhcp6_act(st, iface_get(&st->net, c->ifindex), dhcp6_on_timer(&st->net, c), NULL);
}

void dhcp6_on_router_flags(struct tern_stack *st, struct iface *i, bool managed, bool other)
{
	if (i->dhcp6)
		dhcp6_act(st, i, dhcp6_on_flags(&st->net, i->dhcp6, managed, other), NULL);
}

/* ---- receiving ---- */

bool dhcp_awaits(const struct inbound *in)
{
	const uint8_t *udp = in->p->data + in->l4_off;

	return in->iface->dhcp4 && addr_is4(&in->dst) && in->proto == TERN_IPPROTO_UDP &&
	       in->end - in->l4_off >= UDP_HDR_LEN && get_be16(udp + 2) == DHCP4_CLIENT_PORT &&
	       dhcp4_awaits(in->iface->dhcp4, get_be32(in->dst.b + 12));
}

bool dhcp_input(struct tern_stack *st, const struct inbound *in, const struct dgram_in *dg)
{
	const uint8_t *message = in->p->data + dg->off;
	struct iface *i = in->iface;
	struct dhcp4 m4;
	struct dhcp6 m6;

	if (dg->dport == DHCP4_CLIENT_PORT && i->dhcp4 && addr_is4(&in->dst)) {
		if (dhcp4_parse(&m4, message, dg->len))
			dhcp4_act(st, i, dhcp4_input(&st->net, i->dhcp4, &m4), &m4);
		return true;
	}
	if (dg->dport == DHCP6_CLIENT_PORT && i->dhcp6 && !addr_is4(&in->dst)) {
		if (dhcp6_parse(&m6, message, dg->len))
			dhcp6_act(st, i, dhcp6_input(&st->net, i->dhcp6, &m6), &m6);
		return true;
	}
	return false;
}
