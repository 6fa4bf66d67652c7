/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp.c - how does a message of DHCP go? As a datagram without a socket.
 */
#include "means.h"

struct tern_pkt *dhcp_new_message(struct tern_stack *st, uint32_t room)
{
	return pkt_new(&st->mem, PKT_HEAD_ROOM, UDP_HDR_LEN + room);
}

void dhcp_send(struct tern_stack *st, struct iface *i, struct tern_pkt *p, size_t len,
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
