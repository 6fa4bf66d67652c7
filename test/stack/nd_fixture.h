/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nd_fixture.h - the host of advert_fixture.h with an address that nobody doubts, somebody to talk
 * to, and what the host sends to whom when it talks.
 */
#ifndef TERN_ND_FIXTURE_H
#define TERN_ND_FIXTURE_H

#include "advert_fixture.h"

static const struct speaker peer = { "fe80::9", { 2, 0, 0, 0, 2, 9 } };
static const char ours[] = "fe80::1111";
static tern_sock talker;

static inline void give(const char *text, unsigned ifindex)
{
	struct tern_addr a;

	tern_addr_parse(text, 0, &a);
	check_eq(tern_addr_add(st, ifindex, &a, 64), 0);
}

/* One address, fe80::1111, that nobody doubts; a socket to talk with. */
static inline void begin_host(bool redirects)
{
	begin_with(0, redirects);
	check_eq(tern_auto_set(st, 2, 0), 0);
	give(ours, 2);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &talker), 0);
	pass(3 * TERN_SEC);
	count_out(0);
}

static inline void say(const char *to, char c)
{
	struct tern_addr at;

	check_eq(tern_addr_parse(to, 9, &at), 0);
	check_eq(tern_sendto(st, talker, &c, 1, 0, &at), 1);
}

/* All that goes out now: datagrams (their texts, and where the last one went) and questions. */
static struct {
	char said[32];
	unsigned n_said, n_asked;
	uint8_t mac[6]; /* of the last datagram's frame */
	bool asked_one; /* the last question went to one host, not to a group */
	struct heard question;
} went;

static inline void take_all(void)
{
	struct tern_pkt *p;

	memset(&went, 0, sizeof(went));
	while ((p = tern_output(st, 2))) {
		uint8_t f[200];
		uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));

		tern_pkt_free(st, p);
		if (f[20] == 17 && went.n_said < sizeof(went.said) - 1) {
			went.said[went.n_said++] = (char)f[62];
			memcpy(went.mac, f, 6);
		}
		if (f[20] == 58 && f[54] == ICMP6_NEIGH_SOLICIT) {
			went.n_asked++;
			went.asked_one = !(f[0] & 1);
			went.question.src = addr_from6(f + 22);
			went.question.target = addr_from6(f + 62);
			went.question.len = len - 54;
		}
	}
}

/* The device asks for what there is at once. */
static inline void talk(const char *to, char c)
{
	say(to, c);
	take_all();
}

static inline struct message advert_of_peer(uint8_t flags, const uint8_t *mac)
{
	struct ndp say = { .type = ICMP6_NEIGH_ADVERT,
			   .router = flags & 0x80,
			   .solicited = flags & 0x40,
			   .override = flags & 0x20,
			   .target = parse(peer.ip),
			   .has_mac = mac };
	struct message m = { .to = flags & 0x40 ? ours : NULL };

	if (mac)
		memcpy(say.mac, mac, 6);
	m.len = (uint32_t)ndp_emit(&say, m.bytes);
	return m;
}

static inline void hear_peer(uint8_t flags, const uint8_t *mac)
{
	struct message m = advert_of_peer(flags, mac);

	put(&peer, &m);
}

static inline uint32_t state_of_peer(void)
{
	struct tern_neigh n;

	return remembered(peer.ip, &n) ? n.state : 0;
}

#endif
