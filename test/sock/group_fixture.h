/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_fixture.h - a stack of either family on a link, groups and sources by number, sockets that
 * join, and what is sent to them; routers that ask, and what they are told.
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

static inline int join_addr(tern_sock s, const struct addr *a)
{
	uint8_t req[136] = { 0 };
	uint32_t ifindex = 2;

	memcpy(req, &ifindex, sizeof(ifindex));
	put_sockaddr(req + 8, a);
	return tern_setsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			       TERN_MCAST_JOIN_GROUP, req, sizeof(req));
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

/* A query of a version: general (g < 0) or of a group; len as sent, its fields as given. */
struct query {
	unsigned version;
	int g;
	uint32_t code; /* of the longest delay */
	uint8_t hop_limit;
	const char *from;
	uint32_t n_sources, cut; /* cut: bytes less than there should be */
	enum { ALERTED, ALERTED_LATER, PADDED, OTHER_ALERT, LONG_ALERT, FOR_DESTINATION } behind;
};

static inline void put_query(const struct query *q)
{
	struct addr from = parse_addr(q->from ? q->from : v6 ? "fe80::9" : "10.0.0.9");
	struct addr to =
		q->g < 0 ? parse_addr(v6 ? "ff02::1" : "224.0.0.1") : group((unsigned)q->g);
	uint8_t m[400] = { v6 ? MLD_QUERY : IGMP_QUERY };
	static const uint8_t extension[][8] = {
		[ALERTED] = { 58, 0, 5, 2, 0, 0, 1, 0 },
		[ALERTED_LATER] = { 58, 0, 1, 0, 5, 2, 0, 0 },
		[PADDED] = { 58, 0, 1, 4 },
		[OTHER_ALERT] = { 58, 0, 5, 2, 0, 1, 1, 0 },
		[LONG_ALERT] = { 58, 0, 5, 4, 0, 0, 0, 0 },
		[FOR_DESTINATION] = { 58, 0, 5, 2, 0, 0, 1, 0 },
	};
	uint32_t newest = v6 ? 28 : 12, a_len = v6 ? 16 : 4, ip_len = v6 ? 48 : 20;
	uint32_t len = q->version == (v6 ? 2u : 3u) ? newest + q->n_sources * a_len : v6 ? 24 : 8;
	struct ip4 h4 = { .ttl = 1, .proto = 2, .hdr_len = 20, .src = from, .dst = to };
	struct ip6 h6 = { .next_header = q->behind == FOR_DESTINATION ? 60 : NEXT_HOP_BY_HOP,
			  .src = from,
			  .dst = to };
	struct tern_pkt *p;

	if (v6)
		put_be16(m + 4, q->code);
	else
		m[1] = (uint8_t)q->code;
	if (q->g >= 0)
		memcpy(m + (v6 ? 8 : 4), v6 ? to.b : to.b + 12, a_len);
	if (q->version == (v6 ? 2u : 3u))
		put_be16(m + newest - 2, q->n_sources);
	len -= q->cut;
	put_be16(m + 2, checksum_finish(checksum_add(
				m, len, v6 ? checksum_pseudo(&from, &to, 58, len) : 0)));
	p = tern_pkt_new(st, ip_len + len);
	h4.total_len = (uint16_t)(20 + len);
	h6.payload_len = (uint16_t)(8 + len);
	h6.hop_limit = q->hop_limit ? q->hop_limit : 1;
	if (v6) {
		ip6_emit(&h6, p->data);
		memcpy(p->data + 40, extension[q->behind], 8);
	} else {
		ip4_emit(&h4, p->data);
	}
	memcpy(p->data + ip_len, m, len);
	p->ifindex = 2;
	tern_input(st, p);
	tern_check(st);
}

/* ---- what goes out ---- */

struct report {
	uint8_t type, record; /* record: of the newest version */
	uint32_t n_sources;
	struct addr group, dst, src;
};

/* The next report; its IP header is as it must be. false: none. */
static inline bool next_report(struct report *r)
{
	uint8_t buf[1600];
	uint32_t len = next_out(buf, sizeof(buf)), at = v6 ? 48 : 24, a_len = v6 ? 16 : 4;
	const uint8_t *m = buf + at, *record = m + 8;

	if (!len)
		return false;
	if (v6) {
		check_eq(buf[6], NEXT_HOP_BY_HOP);
		check_eq(buf[7], 1);
		check_eq(buf[40], 58);
		check_eq(buf[42], 5); /* a router alert */
		r->src = addr_from6(buf + 8);
		r->dst = addr_from6(buf + 24);
	} else {
		check_eq(buf[0], 0x46);
		check_eq(buf[1], 0xc0);
		check_eq(buf[8], 1);
		check_eq(buf[9], 2);
		check_eq(buf[20], 0x94);
		r->src = addr_from4(buf + 12);
		r->dst = addr_from4(buf + 16);
	}
	check_eq(checksum_finish(checksum_add(
			 m, len - at, v6 ? checksum_pseudo(&r->src, &r->dst, 58, len - at) : 0)),
		 0);
	r->type = m[0];
	r->record = 0;
	if (m[0] != (v6 ? MLD2_REPORT : IGMP3_REPORT)) {
		r->group = v6 ? addr_from6(m + 8) : addr_from4(m + 4);
		return true;
	}
	check_eq(get_be16(m + 6), 1);
	r->record = record[0];
	r->n_sources = get_be16(record + 2);
	r->group = v6 ? addr_from6(record + 4) : addr_from4(record + 4);
	check_eq(len, at + 8 + 4 + a_len * (1 + r->n_sources));
	return true;
}

/* Time passes; the reports in it are of this type and record and about this group. */
static inline unsigned count_reports(tern_time t, uint8_t type, uint8_t record, unsigned g)
{
	tern_time until = now + t;
	struct report r;
	unsigned n = 0;

	for (;;) {
		while (next_report(&r)) {
			struct addr a = group(g);

			check_eq(r.type, type);
			check_eq(r.record, record);
			check(addr_equal(&r.group, &a));
			n++;
		}
		if (now == until)
			return n;
		now = MIN(now + 10 * TERN_MS, until);
		tern_advance(st, now);
	}
}

static inline uint8_t newest(void)
{
	return v6 ? MLD2_REPORT : IGMP3_REPORT;
}

#endif
