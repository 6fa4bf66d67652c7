/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw_out.c - messages to the inside from addresses that are not the stack's own.
 *
 * Whole packets, IP header and all, through the raw sockets: an echo reply from far away, and the
 * far end's "port unreachable" (RFC 792, RFC 4443 3.1), which quotes the datagram it is about as
 * far as a socket needs to know it again: its headers.
 */
#include "../../core/base/addr.h"
#include "../../core/wire/wire.h"
#include "gateway_impl.h"

static struct addr plain(const struct tern_addr *a)
{
	return a->family == TERN_AF_INET ? addr_from4(a->ip) : addr_from6(a->ip);
}

enum { TTL = 64 };

static size_t put_ip(const struct tern_addr *from, const struct tern_addr *to, uint8_t proto,
		     size_t len, uint8_t *out)
{
	struct ip4 v4 = { .ttl = TTL,
			  .proto = proto,
			  .hdr_len = IP4_HDR_LEN,
			  .total_len = (uint16_t)(IP4_HDR_LEN + len),
			  .src = plain(from),
			  .dst = plain(to) };
	struct ip6 v6 = { .hop_limit = TTL,
			  .next_header = proto,
			  .payload_len = (uint16_t)len,
			  .src = plain(from),
			  .dst = plain(to) };

	return from->family == TERN_AF_INET ? ip4_emit(&v4, out) : ip6_emit(&v6, out);
}

void raw_icmp(struct gateway *g, const struct tern_addr *from, const struct tern_addr *to,
	      size_t off, size_t len)
{
	bool v4 = from->family == TERN_AF_INET;
	uint8_t proto = v4 ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6, *text = g->scratch + off;
	size_t header = v4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	struct addr src = plain(from), dst = plain(to);
	struct tern_iovec iov = { text - header, header + len };
	struct tern_msg m;
	uint32_t sum = v4 ? 0 : checksum_pseudo(&src, &dst, proto, (uint32_t)len);

	put_be16(text + 2, 0);
	put_be16(text + 2, checksum_finish(checksum_add(text, len, sum)));
	put_ip(from, to, proto, len, text - header);
	tern_msg_init(&m, &iov, 1);
	m.addr = *to;
	m.addr.port = 0;
	tern_sendmsg(g->st, g->raw[v4 ? V4 : V6], &m, 0);
}

void raw_port_unreachable(struct gateway *g, const struct tern_addr *inner,
			  const struct tern_addr *outer, size_t len)
{
	struct icmp h = { .type = ICMP6_UNREACHABLE, .code = 4 };
	struct udp udp = { .src_port = inner->port,
			   .dst_port = outer->port,
			   .len = (uint16_t)(UDP_HDR_LEN + len) };
	uint8_t *p = g->scratch + SCRATCH_OFF;

	if (inner->family == TERN_AF_INET) {
		h.type = ICMP4_UNREACHABLE;
		h.code = 3;
	}
	p += icmp_emit(&h, p);
	p += put_ip(inner, outer, TERN_IPPROTO_UDP, UDP_HDR_LEN + len, p);
	p += udp_emit(&udp, p);
	raw_icmp(g, outer, inner, SCRATCH_OFF, (size_t)(p - g->scratch) - SCRATCH_OFF);
}
