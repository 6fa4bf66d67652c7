/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_header.h - the IP header of a segment: what ip_header.c does, where each packet passes.
 */
#ifndef TERN_IP_HEADER_H
#define TERN_IP_HEADER_H

#include "sock.h"

/* As ip4_emit, without its struct. */
struct ip4_words {
	uint32_t first;	 /* but for the length */
	uint32_t second; /* identification and flags */
	uint32_t third;	 /* but for the checksum */
};

static inline uint32_t ip4_third(const struct sockets *ss, int ttl, uint8_t proto)
{
	uint32_t hops = ttl < 0 ? ss->cfg->ttl : (uint8_t)ttl;

	return hops << 24 | (uint32_t)proto << 16;
}

/* total_len: with the header */
static inline void write_ip4(uint8_t *h, struct ip4_words w, const struct addr *from,
			     const struct addr *to, uint32_t total_len)
{
	uint32_t src = get_be32(from->b + 12), dst = get_be32(to->b + 12);

	w.first |= 0x45u << 24 | (uint16_t)total_len;
	put_be32(h, w.first);
	put_be32(h + 4, w.second);
	w.third |=
		checksum_finish(checksum_words((uint64_t)w.first + w.second + w.third + src + dst));
	put_be32(h + 8, w.third);
	put_be32(h + 12, src);
	put_be32(h + 16, dst);
}

/* Before a segment of a stream, text and all; of IPv4 one that routers are not to cut. */
static inline void ip_write_stream(const struct sockets *ss, const struct sock *s, uint8_t *h,
				   uint8_t tos, uint32_t segment)
{
	int ttl;

	if (addr_is4(&s->t.remote)) {
		uint32_t first =
			0x45u << 24 | (uint32_t)tos << 16 | (uint16_t)(IP4_HDR_LEN + segment);
		uint32_t third = ip4_third(ss, ip_ttl(&s->ip4), TERN_IPPROTO_TCP);

		third |= checksum_finish(
			checksum_words((uint64_t)first + IP4_DF + third + s->addr_sum));
		put_be32(h, first);
		put_be32(h + 4, IP4_DF);
		put_be32(h + 8, third);
		memcpy(h + 12, s->t.local.b + 12, 4);
		memcpy(h + 16, s->t.remote.b + 12, 4);
		return;
	}
	ttl = ip_ttl(&s->ip6);
	put_be32(h, 6u << 28 | (uint32_t)tos << 20 | s->flow_label);
	put_be32(h + 4, segment << 16 | TERN_IPPROTO_TCP << 8 |
				(ttl < 0 ? ss->cfg->hop_limit : (uint32_t)ttl));
	memcpy(h + 8, s->t.local.b, 16);
	memcpy(h + 24, s->t.remote.b, 16);
}

static inline uint32_t ip_hdr_len(const struct sock *s)
{
	return addr_is4(&s->t.remote) ? IP4_HDR_LEN : IP6_HDR_LEN;
}

static inline void ip_push_stream(struct sockets *ss, struct tern_pkt *p, const struct sock *s,
				  uint8_t tos)
{
	uint32_t segment = p->total_len;
	struct ip_names n;

	if (!addr_is4(&s->t.remote) || !stream_may_be_cut(s)) {
		ip_write_stream(ss, s, pkt_push(p, ip_hdr_len(s)), tos, segment);
		return;
	}
	n = (struct ip_names){ .src = s->t.local,
			       .dst = s->t.remote,
			       .proto = TERN_IPPROTO_TCP,
			       .tos = tos,
			       .ttl = ip_ttl(&s->ip4),
			       .may_fragment = true };
	ip_push(ss, p, &n);
}

#endif
