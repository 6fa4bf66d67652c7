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

static inline void push_ip4(struct tern_pkt *p, struct ip4_words w, const struct addr *from,
			    const struct addr *to)
{
	uint8_t *h = pkt_push(p, IP4_HDR_LEN);
	uint32_t src = get_be32(from->b + 12), dst = get_be32(to->b + 12);

	w.first |= 0x45u << 24 | (uint16_t)p->total_len;
	put_be32(h, w.first);
	put_be32(h + 4, w.second);
	w.third |=
		checksum_finish(checksum_words((uint64_t)w.first + w.second + w.third + src + dst));
	put_be32(h + 8, w.third);
	put_be32(h + 12, src);
	put_be32(h + 16, dst);
}

static inline void ip_push_stream(struct sockets *ss, struct tern_pkt *p, const struct sock *s,
				  uint8_t tos)
{
	struct ip4_words w = { (uint32_t)tos << 16, IP4_DF,
			       ip4_third(ss, ip_ttl(&s->ip4), TERN_IPPROTO_TCP) };
	bool v4 = addr_is4(&s->t.remote);
	struct ip_names n;

	if (v4 && !stream_may_be_cut(s)) {
		push_ip4(p, w, &s->t.local, &s->t.remote);
		return;
	}
	n = (struct ip_names){ .src = s->t.local,
			       .dst = s->t.remote,
			       .proto = TERN_IPPROTO_TCP,
			       .tos = tos,
			       .ttl = ip_ttl(sock_choice(s, v4)),
			       .may_fragment = v4,
			       .flow_label = s->flow_label };
	ip_push(ss, p, &n);
}

#endif
