/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router_test.c - several routers, temporary addresses, redirects: RFC 4191, RFC 4861 6.3.6, 7.3, 8,
 * RFC 8981.
 */
#include "advert_fixture.h"

/* ---- several routers ---- */

static struct tern_addr outside;

/* Which router a datagram to the outside goes to: the last byte of its MAC; 0: none yet. */
static uint8_t next_router(void)
{
	uint8_t frame[200];
	struct tern_pkt *p;

	while ((p = tern_output(st, 2))) {
		tern_pkt_copy(p, 0, frame, sizeof(frame));
		tern_pkt_free(st, p);
		if (get_be16(frame + 12) == ETH_IP6 && frame[20] == 17)
			return frame[5];
	}
	return 0;
}

/* By whom the last one goes after another was sent. */
static uint8_t router_of(tern_sock s)
{
	uint8_t last = 0, next;

	tern_sendto(st, s, "x", 1, 0, &outside);
	while ((next = next_router()))
		last = next;
	return last;
}

static void answer_as(const struct speaker *who)
{
	struct ndp msg = { .type = ICMP6_NEIGH_ADVERT,
			   .router = true,
			   .solicited = true,
			   .override = true,
			   .target = parse(who->ip),
			   .has_mac = true };
	struct tern_iface_addr a;
	struct message m = { .len = 0 };
	char text[TERN_ADDR_TEXT_MAX];

	check(address_in("fe80::", 0, &a));
	memcpy(msg.mac, who->mac, 6);
	m.len = (uint32_t)ndp_emit(&msg, m.bytes);
	m.to = tern_addr_format(&a.addr, false, text);
	put(who, &m);
}

static void put_advert(const struct speaker *from, int8_t preference)
{
	struct ra ra = { .lifetime = 9000, .preference = preference };
	struct message m = advert(&ra);
	uint8_t mac[8] = { ND_SOURCE_MAC, 1 };

	memcpy(mac + 2, from->mac, 6);
	add_prefix(&m, "2001:db8:1::", 86400, 86400);
	add_bytes(&m, mac, sizeof(mac));
	put(from, &m);
}

/*
 * RFC 4191: the preferred one, as long as it answers. RFC 4861 6.3.6, 7.3: when it does not, the
 * other; a minute later it has another chance.
 */
static void failover(void)
{
	tern_sock s;

	begin();
	tern_addr_parse("2001:db8:ffff::1", 9, &outside);
	pass(3 * TERN_SEC);
	put_advert(&first, 0);
	put_advert(&second, 1);
	pass(3 * TERN_SEC);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(router_of(s), 2);
	answer_as(&second);
	check_eq(router_of(s), 2);
	pass(60 * TERN_SEC); /* it falls silent: STALE, DELAY, PROBE */
	check_eq(router_of(s), 2);
	for (int i = 0; i < 12; i++) {
		pass(TERN_SEC);
		router_of(s);
		answer_as(&first);
	}
	check_eq(router_of(s), 1);
	pass(30 * TERN_SEC);
	answer_as(&first);
	check_eq(router_of(s), 1);
	pass(40 * TERN_SEC);
	answer_as(&second); /* it is back */
	put_advert(&second, 1);
	check_eq(router_of(s), 2);
	tern_sendto(st, s, "x", 1, 0, &outside);
	tern_sendto(st, s, "x", 1, 0, &outside);
	check_eq(next_router(), 2);
	/* it says that it is no router any more, while one waits: ND-16, ND-23 */
	put_neighbour(&second, ICMP6_NEIGH_ADVERT, &(struct addr){ { 0xfe, 0x80, [15] = 2 } },
		      false);
	check_eq(n_routes(0, "fe80::2"), 0);
	check_eq(next_router(), 1);
	check_eq(router_of(s), 1);
	put_advert(&first, 0);
	hear_router(&first, 0, NULL); /* RFC 4861 6.3.4: lifetime 0 */
	check_eq(n_routes(0, "fe80::1"), 0);
	end();
}

/* ---- temporary addresses ---- */

/* RFC 8981: beside the stable one, preferred if so wanted, followed by another each day. */
static void temporary(void)
{
	for (uint8_t use = 0; use <= 2; use++) {
		struct tern_iface_addr a[4];
		struct tern_addr name = { .family = 0 };
		unsigned n = 0;
		tern_sock s;

		test_at("use_tempaddr %u", use);
		begin_with(use, false);
		tern_addr_parse("2001:db8:ffff::1", 9, &outside);
		pass(3 * TERN_SEC);
		hear_router(&first, 9000, NULL);
		put_advert(&first, 0);
		pass(3 * TERN_SEC);
		while (n < 4 && address_in("2001:db8:1::", n, &a[n]))
			n++;
		check_eq(n, use ? 2 : 1);
		check_eq(a[0].flags, 0);
		if (use) {
			check_eq(a[1].flags, TERN_ADDR_TEMPORARY);
			check(a[1].preferred_until <= now + 86400 * TERN_SEC);
			check(memcmp(a[0].addr.ip + 8, a[1].addr.ip + 8, 8) != 0);
		}
		check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_connect(st, s, &outside), 0);
		check_eq(tern_getsockname(st, s, &name), 0);
		check_mem(name.ip, a[use == 2].addr.ip, 16);
		for (int hour = 0; hour < 25 && use; hour++) {
			put_advert(&first, 0);
			pass(3600 * TERN_SEC);
			count_out(0);
		}
		if (use) { /* by now another is the preferred one */
			check(address_in("2001:db8:1::", 2, &a[2]));
			check_eq(a[2].flags, TERN_ADDR_TEMPORARY);
			check(memcmp(a[2].addr.ip, a[1].addr.ip, 16) != 0);
		}
		end();
	}
}

/* ---- redirects ---- */

/* Off: nothing changes. On: only what RFC 4861 8.1 lets through, about a packet of ours. */
static void redirects(void)
{
	for (int wrong = -1; wrong < 7; wrong++) {
		struct message m = { .bytes = { ICMP6_REDIRECT } };
		struct tern_iface_addr a;
		struct addr target = parse("fe80::3"), dst;
		uint32_t quoted = REDIRECT_LEN;
		tern_sock s;

		test_at("wrong: %d", wrong);
		begin_with(0, wrong >= 0);
		tern_addr_parse("2001:db8:ffff::1", 9, &outside);
		dst = addr_from6(outside.ip);
		pass(3 * TERN_SEC);
		put_advert(&first, 0);
		pass(3 * TERN_SEC);
		check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(router_of(s), 1);
		check(address_in("2001:db8:1::", 0, &a));
		if (wrong == 1)
			target = parse("2001:db8:1::77"); /* no router names itself so */
		if (wrong == 2)
			dst.b[15] ^= 1; /* not what is quoted */
		memcpy(m.bytes + 8, target.b, 16);
		memcpy(m.bytes + 24, dst.b, 16);
		m.bytes[quoted] = ND_REDIRECTED;
		m.bytes[quoted + 1] = 7;
		m.bytes[quoted + 8] = 0x60;
		memcpy(m.bytes + quoted + 16, a.addr.ip, 16);
		if (wrong == 3)
			m.bytes[quoted + 31] ^= 1; /* a packet of somebody else */
		memcpy(m.bytes + quoted + 32, outside.ip, 16);
		m.len = quoted + 56;
		if (wrong == 4)
			m.len = quoted; /* none */
		if (wrong == 5)
			m.hop_limit = 254;
		put(wrong == 6 ? &second : &first, &m);
		check_eq(n_routes(128, "fe80::3"), wrong == 0);
		check_eq(n_routes(128, "2001:db8:1::77"), 0);
		end();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(failover),
		TEST(temporary),
		TEST(redirects),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
