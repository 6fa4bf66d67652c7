/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_header.c - the IP header of what we send, of either family.
 *
 * A packet with "don't fragment" set needs no identification (RFC 6864 4.1): it is 0, because a
 * counter would tell strangers how much we send. Where routers may cut, it is a random number, of
 * which a super-frame has as many in a row as there will be packets.
 */
#include "sock.h"

/* As ip4_emit, without a struct between: each packet of a stream passes here. */
static inline void push_ip4(const struct sockets *ss, struct tern_pkt *p, const struct ip_names *n,
			    uint32_t second)
{
	uint8_t *h = pkt_push(p, IP4_HDR_LEN);
	uint8_t ttl = n->ttl < 0 ? ss->cfg->ttl : (uint8_t)n->ttl;
	uint32_t first = 0x45u << 24 | (uint32_t)n->tos << 16 | (uint16_t)p->total_len;
	uint32_t third = (uint32_t)ttl << 24 | (uint32_t)n->proto << 16;
	uint32_t src = get_be32(n->src.b + 12), dst = get_be32(n->dst.b + 12);

	put_be32(h, first);
	put_be32(h + 4, second);
	third |= checksum_finish(checksum_words((uint64_t)first + second + third + src + dst));
	put_be32(h + 8, third);
	put_be32(h + 12, src);
	put_be32(h + 16, dst);
}

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
	if (!addr_is4(&n->dst))
		push_ip6(ss, p, n);
	else if (n->may_fragment)
		push_ip4(ss, p, n, rand_u32(ss->rand) << 16);
	else
		push_ip4(ss, p, n, IP4_DF);
}
