/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_fixture.h - a stack of either family on a link, groups and sources by number, sockets that
 * join, and what is sent to them.
 */
#ifndef TERN_GROUP_FIXTURE_H
#define TERN_GROUP_FIXTURE_H

#include "../stack/peer_fixture.h"

enum { PORT = 5353, NEXT_HOP_BY_HOP = 0 };

static bool v6;
static tern_time now;

static inline void begin(bool six)
{
	v6 = six;
	now = TERN_SEC;
	test_at("IPv%d", v6 ? 6 : 4);
	new_stack(4);
}

static inline struct tern_addr to_public(const struct addr *a, uint16_t port)
{
	struct tern_addr t = { .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = port };

	memcpy(t.ip, v6 ? a->b : a->b + 12, v6 ? 16 : 4);
	return t;
}

static inline tern_sock bound_to(const struct addr *a)
{
	struct tern_addr at = to_public(a, PORT);
	int32_t one = 1;
	tern_sock s;

	at.scope_id = 2;
	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &one, sizeof(one)), 0);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

static inline tern_sock bound(void)
{
	static const struct addr any;

	return bound_to(&any);
}

/* The k-th group, and the k-th source. */
static inline struct addr group(unsigned k)
{
	struct addr a = parse_addr(v6 ? "ff02::1:0" : "239.1.2.0");

	a.b[15] = (uint8_t)(k + 1);
	return a;
}

static inline struct addr source(unsigned k)
{
	struct addr a = parse_addr(v6 ? "fd00::" : "10.0.0.0");

	put_be16(a.b + 14, (uint16_t)(k + 100));
	return a;
}

static inline void put_sockaddr(uint8_t *p, const struct addr *a)
{
	uint16_t family = v6 ? TERN_AF_INET6 : TERN_AF_INET;

	memcpy(p, &family, sizeof(family));
	memcpy(p + (v6 ? 8 : 4), v6 ? a->b : a->b + 12, v6 ? 16 : 4);
}

/* struct group_source_req, or its beginning. */
static inline int mcast(tern_sock s, int name, unsigned g, int src)
{
	uint8_t req[8 + 2 * 128] = { 0 };
	struct addr a = group(g), from = source((unsigned)src);
	uint32_t ifindex = 2;

	memcpy(req, &ifindex, sizeof(ifindex));
	put_sockaddr(req + 8, &a);
	put_sockaddr(req + 136, &from);
	return tern_setsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP, name, req,
			       src < 0 ? 136 : sizeof(req));
}

static inline int join(tern_sock s, unsigned g)
{
	return mcast(s, TERN_MCAST_JOIN_GROUP, g, -1);
}

/* ---- what comes in ---- */

static inline void put_udp(struct addr from, struct addr to)
{
	struct udp h = { .src_port = 99, .dst_port = PORT, .len = 9 };
	uint8_t bytes[9] = { [8] = 'x' };
	uint32_t ip_len = v6 ? 40 : 20;
	struct tern_pkt *p = tern_pkt_new(st, ip_len + 9);
	struct ip4 h4 = {
		.ttl = 9, .proto = 17, .hdr_len = 20, .total_len = 29, .src = from, .dst = to
	};
	struct ip6 h6 = {
		.hop_limit = 9, .next_header = 17, .payload_len = 9, .src = from, .dst = to
	};

	udp_emit(&h, bytes);
	put_be16(bytes + 6,
		 checksum_finish(checksum_add(bytes, 9, checksum_pseudo(&from, &to, 17, 9))));
	if (v6)
		ip6_emit(&h6, p->data);
	else
		ip4_emit(&h4, p->data);
	memcpy(p->data + ip_len, bytes, 9);
	p->ifindex = 2;
	tern_input(st, p);
}

static inline bool hears(tern_sock s, unsigned g, unsigned from)
{
	char c;

	put_udp(source(from), group(g));
	return tern_recv(st, s, &c, 1, 0) == 1;
}

#endif
