/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_fixture.h - one stack on a raw-IP link, and a peer that says what a test tells it to.
 *
 * The stack is 10.0.0.1 and fd00::1 on interface 2; the peer is 10.0.0.9 and fd00::9, port 5000.
 */
#ifndef TERN_PEER_FIXTURE_H
#define TERN_PEER_FIXTURE_H

#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"
#include "records.h"

static struct test_env counted;
static struct tern_stack *st;

static inline void new_stack(uint64_t seed)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), six;

	counted = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&counted, seed);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	tern_advance(st, TERN_SEC);
	tern_iface_add(st, &wire);
	tern_addr_add(st, 2, &a, 24);
	tern_addr_parse("fd00::1", 0, &six);
	tern_addr_add(st, 2, &six, 64);
}

static inline void end_stack(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

static inline tern_sock listen_on(struct tern_addr at)
{
	tern_sock s;

	check_eq(tern_socket(st, at.family, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_listen(st, s, 4), 0);
	return s;
}

/* The next packet that goes out, in buf; 0: none. */
static inline uint32_t next_out(uint8_t *buf, uint32_t size)
{
	struct tern_pkt *p = tern_output(st, 2);
	uint32_t len = p ? tern_pkt_copy(p, 0, buf, size) : 0;

	tern_pkt_free(st, p);
	return len;
}

/*
 * A segment to our port 80 from port 5000 of the peer. What is not named: 10.0.0.9 (or fd00::9)
 * to 10.0.0.1 (fd00::1), a window of 65535, no options, no text.
 */
struct sent {
	const char *src, *dst;
	bool v6;
	uint32_t seq, ack;
	uint16_t flags, wnd, link_flags;
	uint8_t tos;
	uint8_t n_ip_options; /* bytes: an unknown one and padding */
	uint8_t reserved;     /* bits of the TCP header that mean nothing */
	const struct tcp_hdr *options;
	const char *text;
	uint16_t cut_short; /* so many bytes at its end have not come */
	int spoil; /* flips a bit of this byte of the segment, below 0 of the IP header; 0: none */
};

static inline uint32_t emit_ip(const struct sent *s, const struct addr *from, const struct addr *to,
			       uint32_t len, uint8_t *buf)
{
	static const uint8_t options[40] = { 0x9e, 4, 1, 2 };
	struct ip4 ip = { .tos = s->tos, .ttl = 9, .proto = 6, .src = *from, .dst = *to };
	struct ip6 ip6 = { .traffic_class = s->tos,
			   .hop_limit = 9,
			   .next_header = 6,
			   .payload_len = (uint16_t)len,
			   .src = *from,
			   .dst = *to };

	if (!addr_is4(from))
		return (uint32_t)ip6_emit(&ip6, buf);
	ip.hdr_len = (uint8_t)(20 + s->n_ip_options);
	ip.total_len = (uint16_t)(ip.hdr_len + len);
	ip.options = s->n_ip_options ? options : NULL;
	return (uint32_t)ip4_emit(&ip, buf);
}

static inline struct addr parse_addr(const char *text)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(text, 0, &a), 0);
	return a.family == TERN_AF_INET ? addr_from4(a.ip) : addr_from6(a.ip);
}

static inline struct tern_pkt *packet_of(const struct sent *s)
{
	struct addr from = parse_addr(s->src ? s->src : s->v6 ? "fd00::9" : "10.0.0.9");
	struct addr to = parse_addr(s->dst ? s->dst : s->v6 ? "fd00::1" : "10.0.0.1");
	struct tcp_hdr h = { .hdr_len = 0 };
	uint8_t segment[2000], header[100];
	uint32_t len, ip_len;
	struct tern_pkt *p;

	if (s->options)
		h = *s->options;
	h.src_port = 5000;
	h.dst_port = 80;
	h.seq = s->seq;
	h.ack = s->ack;
	h.flags = s->flags;
	h.wnd = s->wnd ? s->wnd : 65535;
	len = (uint32_t)tcp_emit(&h, segment);
	segment[12] |= s->reserved;
	if (s->text) {
		memcpy(segment + len, s->text, strlen(s->text));
		len += (uint32_t)strlen(s->text);
	}
	put_be16(segment + 16,
		 checksum_finish(checksum_add(segment, len, checksum_pseudo(&from, &to, 6, len))));
	if (s->spoil > 0)
		segment[s->spoil] ^= 1;
	ip_len = emit_ip(s, &from, &to, len, header);
	if (s->spoil < 0)
		header[-s->spoil] ^= 1;
	p = tern_pkt_new(st, ip_len + len);
	memcpy(p->data, header, ip_len);
	memcpy(p->data + ip_len, segment, len);
	p->ifindex = 2;
	p->flags |= s->link_flags;
	p->len = p->total_len = ip_len + len - s->cut_short;
	return p;
}

static inline void put_in(const struct sent *s)
{
	tern_input(st, packet_of(s));
}

/* How many records besides listeners there are. */
static inline unsigned n_records(void)
{
	return records_of(st);
}

#endif
