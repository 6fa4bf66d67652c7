/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_header.c - the IP header of what we send, of either family.
 *
 * A packet with "don't fragment" set needs no identification (RFC 6864 4.1): it is 0, because a
 * counter would tell strangers how much we send. Where routers may cut, it is a random number, of
 * which a super-frame has as many in a row as there will be packets.
 */
#include "ip_header.h"

static void push_ip6(struct sockets *ss, struct tern_pkt *p, const struct ip_names *n)
{
	struct ip6 ip = { .traffic_class = n->tos,
			  .next_header = n->proto,
			  .hop_limit = n->ttl < 0 ? ss->cfg->hop_limit : (uint8_t)n->ttl,
			  .payload_len = (uint16_t)p->total_len,
			  .src = n->src,
			  .dst = n->dst };

	ip6_emit(&ip, pkt_push(p, IP6_HDR_LEN));
}

void ip_push(struct sockets *ss, struct tern_pkt *p, const struct ip_names *n)
{
	struct ip4_words w = { .first = (uint32_t)n->tos << 16 };

	if (!addr_is4(&n->dst)) {
		push_ip6(ss, p, n);
		return;
	}
	w.second = n->may_fragment ? rand_u32(ss->rand) << 16 : IP4_DF;
	w.third = ip4_third(ss, n->ttl, n->proto);
	push_ip4(p, w, &n->src, &n->dst);
}
