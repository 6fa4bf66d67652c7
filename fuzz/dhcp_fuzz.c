/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_fuzz.c - a stack that configures itself on a link whose servers are the bytes of an input.
 *
 * The bytes say what an answer holds (mostly one that fits what was asked, with options of their
 * own), what else is heard, when the link goes, which means are on, and how much time passes. They
 * are also read as messages by themselves: what was read is written, read again and is the same.
 *
 * What must hold: no deadline in the past, no endless output, at most one lease of each family, all
 * memory accounted for and given back.
 *
 * With clang and -DTERN_FUZZ=ON this is a libFuzzer target. Elsewhere it is a program that draws
 * its inputs from seeds: dhcp_fuzz [FIRST_SEED [COUNT]].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/base/rand.h"
#include "../core/wire/dhcp.h"
#include "../include/tern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NIC = 2, INPUT_MAX = 8000, TURNS_MAX = 64, FRAMES_MAX = 4000, BODY_MAX = 1400 };

struct run {
	const uint8_t *at, *end;
	tern_time now;
	uint64_t memory;
	struct tern_stack *st;
	struct dhcp4 asked4;
	struct dhcp6 asked6;
	uint8_t from6[16]; /* who asked */
	const char *why;
};

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, their_mac[6] = { 2, 0, 0, 0, 0, 9 };

static unsigned draw(struct run *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

static void fail(struct run *r, const char *why)
{
	r->why = r->why ? r->why : why;
}

/* ---- the environment ---- */

static void *allocate(void *ctx, size_t size)
{
	struct run *r = ctx;
	void *p = malloc(size);

	if (!p)
		abort();
	memset(p, 0xa5, size);
	r->memory += size;
	return p;
}

static void deallocate(void *ctx, void *p, size_t size)
{
	struct run *r = ctx;

	r->memory -= size;
	free(p);
}

/* ---- what the stack says ---- */

static void listen_to(struct run *r, const uint8_t *f, uint32_t len)
{
	struct dhcp4 m4;
	struct dhcp6 m6;

	if (len > 42 && get_be16(f + 12) == ETH_IP4 && f[23] == TERN_IPPROTO_UDP &&
	    dhcp4_parse(&m4, f + 42, len - 42))
		r->asked4 = m4;
	if (len > 62 && get_be16(f + 12) == ETH_IP6 && f[20] == TERN_IPPROTO_UDP &&
	    dhcp6_parse(&m6, f + 62, len - 62)) {
		r->asked6 = m6;
		memcpy(r->from6, f + 22, 16);
	}
}

static void take_output(struct run *r)
{
	struct tern_pkt *p;
	uint8_t frame[2048];
	unsigned n = 0;

	while ((p = tern_output(r->st, NIC))) {
		listen_to(r, frame, tern_pkt_copy(p, 0, frame, sizeof(frame)));
		tern_pkt_free(r->st, p);
		if (n++ == FRAMES_MAX) {
			fail(r, "no end of output");
			return;
		}
	}
}

/* ---- what it hears ---- */

static void input(struct run *r, const uint8_t *frame, uint32_t len)
{
	struct tern_pkt *p = tern_pkt_new(r->st, len);

	if (!p)
		return;
	memcpy(p->data, frame, len);
	p->ifindex = NIC;
	tern_input(r->st, p);
}

static void input_udp(struct run *r, struct addr src, struct addr dst, const uint8_t *body,
		      uint32_t len)
{
	bool v4 = addr_is4(&dst);
	struct ip4 ip4 = {
		.ttl = 64, .proto = TERN_IPPROTO_UDP, .hdr_len = 20, .src = src, .dst = dst
	};
	struct ip6 ip6 = {
		.hop_limit = 64, .next_header = TERN_IPPROTO_UDP, .src = src, .dst = dst
	};
	struct udp h = { v4 ? DHCP4_SERVER_PORT : DHCP6_SERVER_PORT,
			 v4 ? DHCP4_CLIENT_PORT : DHCP6_CLIENT_PORT, (uint16_t)(8 + len), 0 };
	struct eth eth = { .type = v4 ? ETH_IP4 : ETH_IP6 };
	uint8_t frame[BODY_MAX + 100];
	uint32_t l4 = v4 ? 34 : 54;

	memcpy(eth.dst, our_mac, 6);
	if (v4 && dst.b[12] == 255)
		memset(eth.dst, 255, 6);
	memcpy(eth.src, their_mac, 6);
	eth_emit(&eth, frame);
	ip4.total_len = (uint16_t)(28 + len);
	ip6.payload_len = h.len;
	if (v4)
		ip4_emit(&ip4, frame + 14);
	else
		ip6_emit(&ip6, frame + 14);
	udp_emit(&h, frame + l4);
	memcpy(frame + l4 + 8, body, len);
	put_be16(frame + l4 + 6,
		 checksum_finish(checksum_add(
			 frame + l4, h.len, checksum_pseudo(&src, &dst, TERN_IPPROTO_UDP, h.len))));
	input(r, frame, l4 + 8 + len);
}

/* Bytes of the input as options behind those that fit; now and then a byte of all is changed. */
static uint32_t add_own(struct run *r, uint8_t *body, uint32_t len)
{
	unsigned how = draw(r), n = how & 1 ? draw(r) : 0;

	for (unsigned i = 0; i < n && len < BODY_MAX; i++)
		body[len++] = (uint8_t)draw(r);
	if ((how & 0xe) == 0 && len) {
		uint32_t at = (draw(r) << 8 | draw(r)) % len;

		body[at] = (uint8_t)draw(r);
	}
	return how & 0x10 ? len / 4 * (how >> 6) + draw(r) % (len / 4 + 1) : len;
}

/* Some number of seconds, of any size. */
static uint32_t draw_time(struct run *r)
{
	unsigned b = draw(r);

	return b < 4 ? b : b == 255 ? DHCP_FOREVER : (b & 63u) << (b >> 6) * 5;
}

static void answer4(struct run *r)
{
	static const uint8_t types[] = { DHCP4_OFFER, DHCP4_ACK, DHCP4_ACK, DHCP4_NAK };
	const uint8_t server[4] = { 10, 0, 0, 1 }, all[4] = { 255, 255, 255, 255 };
	unsigned b = draw(r), c = draw(r);
	struct dhcp4 m = { .is_reply = true,
			   .type = b & 8			    ? types[b & 3] :
				   r->asked4.type == DHCP4_DISCOVER ? DHCP4_OFFER :
								      DHCP4_ACK,
			   .xid = r->asked4.xid,
			   .yiaddr = 0x0a000002 + (b >> 6),
			   .server = get_be32(server),
			   .mask = c & 1 ? 0xffffff00 : draw(r) << 24,
			   .lease = draw_time(r),
			   .t1 = c & 2 ? draw_time(r) : 0,
			   .t2 = c & 2 ? draw_time(r) : 0,
			   .mtu = c & 4 ? (uint16_t)(draw(r) << 3) : 0,
			   .routers = { (uint8_t)(c >> 3 & 1), { get_be32(server) + (c >> 4) } } };
	uint8_t body[BODY_MAX], dst[4];
	uint32_t len;

	if (r->asked4.type == DHCP4_REQUEST && c & 128)
		m.yiaddr = r->asked4.requested ? r->asked4.requested : r->asked4.ciaddr;
	memcpy(m.mac, our_mac, 6);
	put_be32(dst, m.yiaddr);
	len = (uint32_t)dhcp4_emit(&m, body, sizeof(body));
	while (len > 240 && body[len - 1] == 0)
		len--;
	input_udp(r, addr_from4(server), addr_from4(b & 16 ? dst : all), body,
		  add_own(r, body, len - 1));
}

static void answer6(struct run *r)
{
	static const uint8_t types[] = { DHCP6_ADVERTISE, DHCP6_REPLY, DHCP6_REPLY,
					 DHCP6_RECONFIGURE };
	static const uint8_t from[16] = { 0xfe, 0x80, [15] = 9 };
	unsigned b = draw(r), c = draw(r);
	struct dhcp6 m = { .type = b & 8				    ? types[b & 3] :
				   r->asked6.type == DHCP6_SOLICIT && b & 4 ? DHCP6_ADVERTISE :
									      DHCP6_REPLY,
			   .rapid_commit = b & 2,
			   .preference = c & 1 ? 255 : 0,
			   .status = c & 2 ? (uint16_t)(draw(r) & 7) : 0,
			   .xid = r->asked6.xid,
			   .client = r->asked6.client,
			   .server = r->asked6.server,
			   .ia = { .is_there = !(c & 4),
				   .iaid = r->asked6.ia.iaid,
				   .status = c & 8 ? (uint16_t)(draw(r) & 7) : 0,
				   .t1 = c & 16 ? draw_time(r) : 0,
				   .t2 = c & 16 ? draw_time(r) : 0 } };
	uint8_t body[BODY_MAX];

	if (!m.server.len || c & 32)
		m.server = duid_from_mac(their_mac);
	for (m.ia.n = 0; m.ia.n < 1 + (c >> 6); m.ia.n++) {
		struct dhcp6_addr a = { .addr = { { 0xfd, [15] = (uint8_t)draw(r) } },
					.preferred = draw_time(r) };

		a.valid = a.preferred > DHCP_FOREVER / 2 ? a.preferred : a.preferred + draw_time(r);
		m.ia.addr[m.ia.n] = a;
	}
	input_udp(r, addr_from6(from), addr_from6(r->from6), body,
		  add_own(r, body, (uint32_t)dhcp6_emit(&m, body, 600)));
}

/* Another host has one of our addresses. */
static void claim(struct run *r)
{
	unsigned nth = draw(r), cursor = 0;
	struct arp arp = { .op = ARP_REPLY };
	struct tern_iface_addr a;
	uint8_t frame[ETH_HDR_LEN + ARP_LEN];

	for (unsigned i = 0; i <= nth % 4; i++)
		if (!tern_addr_next(r->st, &cursor, &a))
			return;
	if (a.addr.family != TERN_AF_INET)
		return;
	memset(frame, 0xff, 6);
	memcpy(frame + 6, their_mac, 6);
	put_be16(frame + 12, ETH_ARP);
	memcpy(arp.sender_mac, their_mac, 6);
	arp.sender = addr_from4(a.addr.ip);
	arp_emit(&arp, frame + ETH_HDR_LEN);
	input(r, frame, sizeof(frame));
}

/* ---- the parsers alone ---- */

static void parse_alone(struct run *r)
{
	size_t len = (size_t)(r->end - r->at);
	uint8_t a[4096], b[4096];
	struct dhcp4 m4, again4;
	struct dhcp6 m6, again6;

	if (dhcp4_parse(&m4, r->at, len)) {
		len = dhcp4_emit(&m4, a, sizeof(a));
		if (!len || !dhcp4_parse(&again4, a, len) ||
		    dhcp4_emit(&again4, b, sizeof(b)) != len || memcmp(a, b, len) != 0)
			fail(r, "a DHCPv4 message does not round trip");
	}
	if (dhcp6_parse(&m6, r->at, (size_t)(r->end - r->at))) {
		len = dhcp6_emit(&m6, a, sizeof(a));
		if (!len || !dhcp6_parse(&again6, a, len) ||
		    dhcp6_emit(&again6, b, sizeof(b)) != len || memcmp(a, b, len) != 0)
			fail(r, "a DHCPv6 message does not round trip");
	}
}

/* ---- time, and what must hold at any ---- */

static void pass_time(struct run *r)
{
	unsigned b = draw(r);
	tern_time next = tern_deadline(r->st);

	if (b & 3 && next != TERN_NEVER)
		r->now = next > r->now ? next : r->now;
	else
		r->now += (tern_time)(b >> 2) * TERN_SEC << (b & 3) * 5;
	for (int i = 0; i < TURNS_MAX; i++) {
		tern_advance(r->st, r->now);
		if (tern_deadline(r->st) > r->now)
			return;
		take_output(r);
	}
	fail(r, "time stands still");
}

static void look(struct run *r)
{
	struct tern_iface_addr a;
	struct tern_net_event ev;
	unsigned cursor = 0, n4 = 0, n6 = 0;

	while (tern_addr_next(r->st, &cursor, &a)) {
		n4 += a.origin == TERN_ORIGIN_DHCP4;
		n6 += a.origin == TERN_ORIGIN_DHCP6;
	}
	if (n4 > 1 || n6 > 32)
		fail(r, "addresses gather");
	if (tern_memory(r->st) != r->memory)
		fail(r, "memory is not accounted for");
	while (tern_net_event(r->st, &ev))
		continue;
	tern_check(r->st);
}

static void step(struct run *r)
{
	unsigned b = draw(r);

	switch (b % 8) {
	case 0:
	case 1:
		pass_time(r);
		break;
	case 2:
	case 3:
	case 4:
		answer4(r);
		break;
	case 5:
	case 6:
		answer6(r);
		break;
	case 7:
		if (b & 8)
			claim(r);
		else if (b & 16)
			tern_iface_set(r->st, NIC, 1500, b & 32 ? TERN_IFACE_DOWN : 0);
		else
			tern_auto_set(r->st, NIC, (b >> 5) << 1);
	}
	take_output(r);
	look(r);
}

/* NULL: all held, else what did not. */
static const char *run_input(const uint8_t *data, size_t size)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct run run = { .at = data, .end = data + size, .now = TERN_SEC }, *r = &run;
	struct tern_env env = { .alloc = allocate, .free = deallocate, .ctx = r };
	struct tern_addr own = tern_ip4(10, 0, 0, 77, 0);
	struct tern_config cfg;
	unsigned choice;

	parse_alone(r);
	tern_config_default(&cfg);
	cfg.dhcp_delay_ms = 100;
	choice = draw(r);
	cfg.dad_transmits = choice & 1;
	r->st = tern_new(&cfg, &env);
	if (!r->st || tern_iface_add(r->st, &nic) != NIC)
		abort();
	tern_advance(r->st, r->now);
	if (choice & 2)
		tern_addr_add(r->st, NIC, &own, 24);
	tern_auto_set(r->st, NIC,
		      TERN_AUTO_DHCP6 | TERN_AUTO_LINK_LOCAL4 |
			      (choice & 4 ? TERN_AUTO_INFORM4 : TERN_AUTO_DHCP4));
	while (r->at < r->end && !r->why)
		step(r);
	tern_free(r->st);
	if (r->memory)
		fail(r, "memory is lost");
	return r->why;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = size <= INPUT_MAX ? run_input(data, size) : NULL;

	if (why) {
		fprintf(stderr, "dhcp_fuzz: %s\n", why);
		abort();
	}
	return 0;
}

void tern_panic(const char *file, int line)
{
	fprintf(stderr, "%s:%d: an assertion does not hold\n", file, line);
	abort();
}

#ifndef TERN_LIBFUZZER

int main(int argc, char **argv)
{
	unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned long long count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
	static uint8_t bytes[INPUT_MAX];
	int n_failed = 0;

	for (unsigned long long seed = first; seed < first + count; seed++) {
		uint8_t key[32] = { 0 };
		struct rand random;
		const char *why;

		memcpy(key, &seed, sizeof(seed));
		rand_init(&random, key, 0);
		rand_bytes(&random, bytes, sizeof(bytes));
		why = run_input(bytes, rand_below(&random, sizeof(bytes) + 1));
		if (!why)
			continue;
		printf("dhcp_fuzz %llu 1: %s\n", seed, why);
		n_failed++;
	}
	printf("%llu passed, %d failed, 0 skipped\n", count - (unsigned)n_failed, n_failed);
	return n_failed > 0;
}

#endif
