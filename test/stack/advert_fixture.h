/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advert_fixture.h - one stack on an Ethernet that configures itself by what routers say, and
 * speakers on that Ethernet.
 */
#ifndef TERN_ADVERT_FIXTURE_H
#define TERN_ADVERT_FIXTURE_H

#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

static struct test_env counted;
static struct tern_stack *st;
static tern_time now;

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* A router, or whoever speaks as one. */
struct speaker {
	const char *ip;
	uint8_t mac[6];
};
static const struct speaker first = { "fe80::1", { 2, 0, 0, 0, 1, 1 } };
static const struct speaker second = { "fe80::2", { 2, 0, 0, 0, 1, 2 } };

static inline struct addr parse(const char *text)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(text, 0, &a), 0);
	return a.family == TERN_AF_INET ? addr_from4(a.ip) : addr_from6(a.ip);
}

static inline void begin_with(uint8_t use_tempaddr, bool redirects)
{
	struct tern_iface eth = { "eth0", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_config cfg;
	struct tern_env env;

	counted = (struct test_env){ .fill = 0x51 };
	env = test_env_make(&counted, 9);
	tern_config_default(&cfg);
	cfg.use_tempaddr = use_tempaddr;
	cfg.accept_redirects = redirects;
	st = tern_new(&cfg, &env);
	now = TERN_SEC;
	tern_advance(st, now);
	check_eq(tern_iface_add(st, &eth), 2);
	check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
}

static inline void begin(void)
{
	begin_with(0, false);
}

static inline void end(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

/* ---- what goes out ---- */

struct heard {
	uint8_t type;
	struct addr src, dst, target;
	uint8_t hop_limit;
	uint32_t len;
	uint8_t message[1500];
};

/* The next ICMPv6 message; others are passed over. false: none. */
static inline bool hear(struct heard *h)
{
	struct tern_pkt *p;

	while ((p = tern_output(st, 2))) {
		uint8_t frame[1600];
		uint32_t len = tern_pkt_copy(p, 0, frame, sizeof(frame));

		tern_pkt_free(st, p);
		if (len < 62 || get_be16(frame + 12) != ETH_IP6 || frame[20] != 58)
			continue;
		h->src = addr_from6(frame + 22);
		h->dst = addr_from6(frame + 38);
		h->hop_limit = frame[21];
		h->type = frame[54];
		h->len = len - 54;
		memcpy(h->message, frame + 54, h->len);
		if (h->len >= 24)
			h->target = addr_from6(frame + 62);
		return true;
	}
	return false;
}

static inline unsigned count_out(uint8_t type)
{
	struct heard h;
	unsigned n = 0;

	while (hear(&h))
		n += h.type == type;
	return n;
}

/* Time in small steps, as it is. */
static inline void pass(tern_time t)
{
	tern_time until = now + t;

	while (now < until) {
		tern_time next = tern_deadline(st);

		now = next < until ? (next > now ? next : now + TERN_US) : until;
		tern_advance(st, now);
	}
}

/* ---- what comes in ---- */

struct message {
	uint8_t bytes[1400];
	uint32_t len;
	uint8_t hop_limit; /* 0: 255 */
	const char *to;	   /* NULL: all nodes */
	bool bad_sum;
};

static inline void put(const struct speaker *from, const struct message *m)
{
	struct addr src = parse(from->ip), dst = parse(m->to ? m->to : "ff02::1");
	struct tern_pkt *p = tern_pkt_new(st, 54 + m->len);
	struct ip6 ip = { .next_header = 58,
			  .hop_limit = m->hop_limit ? m->hop_limit : 255,
			  .payload_len = (uint16_t)m->len,
			  .src = src,
			  .dst = dst };
	struct eth eth = { .dst = { 0x33, 0x33, 0, 0, 0, 1 }, .type = ETH_IP6 };
	uint8_t *body = p->data + 54;

	if (!addr_is_multicast(&dst))
		memcpy(eth.dst, our_mac, 6);
	memcpy(eth.src, from->mac, 6);
	eth_emit(&eth, p->data);
	ip6_emit(&ip, p->data + 14);
	memcpy(body, m->bytes, m->len);
	put_be16(body + 2, 0);
	put_be16(body + 2, checksum_finish(checksum_add(body, m->len,
							checksum_pseudo(&src, &dst, 58, m->len))) ^
				   m->bad_sum);
	p->ifindex = 2;
	tern_input(st, p);
	tern_check(st);
}

static inline struct message advert(const struct ra *ra)
{
	struct message m = { .len = 0 };

	m.len = (uint32_t)ra_emit(ra, m.bytes);
	return m;
}

static inline void add_prefix(struct message *m, const char *prefix, uint32_t valid,
			      uint32_t preferred)
{
	struct nd_prefix x = { .prefix = parse(prefix),
			       .len = 64,
			       .on_link = true,
			       .autonomous = true,
			       .valid = valid,
			       .preferred = preferred };

	m->len += (uint32_t)nd_prefix_emit(&x, m->bytes + m->len);
}

static inline void add_bytes(struct message *m, const void *bytes, uint32_t len)
{
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static inline void hear_router(const struct speaker *from, uint16_t lifetime, const char *prefix)
{
	struct ra ra = { .lifetime = lifetime };
	struct message m = advert(&ra);

	if (prefix)
		add_prefix(&m, prefix, 86400, 14400);
	put(from, &m);
}

/* ---- what is there ---- */

/* The k-th address of the interface within the prefix; false: there are not so many. */
static inline bool address_in(const char *prefix, unsigned k, struct tern_iface_addr *out)
{
	struct addr p = parse(prefix), a;
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, out)) {
		if (out->ifindex != 2 || out->addr.family != TERN_AF_INET6)
			continue;
		a = addr_from6(out->addr.ip);
		if (addr_in_prefix(&a, &p, 64) && k-- == 0)
			return true;
	}
	return false;
}

static inline unsigned n_addresses(const char *prefix)
{
	struct tern_iface_addr a;
	unsigned n = 0;

	while (address_in(prefix, n, &a))
		n++;
	return n;
}

static inline uint32_t flags_of(const char *prefix)
{
	struct tern_iface_addr a;

	return address_in(prefix, 0, &a) ? a.flags : UINT32_MAX;
}

static inline unsigned n_routes(unsigned prefix_len, const char *gateway)
{
	struct tern_route r;
	struct addr a;
	unsigned cursor = 0, n = 0;

	while (tern_route_next(st, &cursor, &r)) {
		if (r.ifindex != 2 || r.prefix_len != prefix_len)
			continue;
		a = addr_from6(r.gateway.ip);
		if (gateway) {
			struct addr g = parse(gateway);

			n += r.gateway.family == TERN_AF_INET6 && addr_equal(&a, &g);
		} else {
			n += r.gateway.family == TERN_AF_UNSPEC;
		}
	}
	return n;
}

static inline unsigned n_servers(uint32_t kind)
{
	struct tern_server s;
	unsigned cursor = 0, n = 0;

	while (tern_server_next(st, &cursor, &s))
		n += s.kind == kind;
	return n;
}

static inline void put_neighbour(const struct speaker *from, uint8_t type,
				 const struct addr *target, bool to_node)
{
	struct ndp msg = { .type = type, .target = *target, .override = true };
	struct message m = { .len = 0 };
	struct addr group = parse("ff02::1:ff00:0");
	struct tern_addr public = { .family = TERN_AF_INET6 };
	char text[TERN_ADDR_TEXT_MAX];

	memcpy(group.b + 13, target->b + 13, 3);
	memcpy(public.ip, group.b, 16);
	m.len = (uint32_t)ndp_emit(&msg, m.bytes);
	m.to = to_node ? tern_addr_format(&public, false, text) : NULL;
	put(from, &m);
}

/* What the stack knows of this neighbour; false: nothing. */
static inline bool remembered(const char *ip, struct tern_neigh *n)
{
	struct addr who = parse(ip), a;
	unsigned cursor = 0;

	while (tern_neigh_next(st, &cursor, n)) {
		a = addr_from6(n->addr.ip);
		if (addr_equal(&a, &who))
			return true;
	}
	return false;
}

#endif
