/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advert_test.c - an interface that configures itself by what routers say, and a link on which not
 * all is said in good faith: RFC 4861, RFC 4862, RFC 4191, RFC 7217, RFC 8106, RFC 8981.
 */
#include "advert_fixture.h"

/* ---- the interface alone ---- */

/* RFC 4862 5.3, 5.4.2; RFC 4861 6.3.7 with RFC 7559. */
static void alone(void)
{
	struct addr unspecified = parse("::"), routers = parse("ff02::2"), group;
	struct tern_iface_addr a;
	unsigned n_asked = 0, n_solicited = 0;
	tern_time asked_at[40];
	struct heard h;

	begin();
	check_eq(flags_of("fe80::"), TERN_ADDR_TENTATIVE);
	for (tern_time t = 0; t < 3000 * TERN_SEC; t += 50 * TERN_MS) {
		pass(50 * TERN_MS);
		while (hear(&h)) {
			check_eq(h.hop_limit, 255);
			if (h.type == ICMP6_NEIGH_SOLICIT) { /* of duplicates */
				n_solicited++;
				check(addr_equal(&h.src, &unspecified));
				check_eq(h.len, 24); /* without our link-layer address */
				check(address_in("fe80::", 0, &a));
				check_mem(a.addr.ip, h.target.b, 16);
				group = parse("ff02::1:ff00:0");
				memcpy(group.b + 13, h.target.b + 13, 3);
				check(addr_equal(&h.dst, &group));
			} else if (h.type == ICMP6_ROUTER_SOLICIT && n_asked < 40) {
				check(addr_equal(&h.dst, &routers));
				check_eq(h.len, addr_equal(&h.src, &unspecified) ? 8 : 16);
				asked_at[n_asked++] = now;
			}
		}
	}
	check_eq(n_solicited, 1);
	check_eq(flags_of("fe80::"), 0);
	check(n_asked >= 8 && n_asked <= 12);
	check(asked_at[0] <= 2 * TERN_SEC + 100 * TERN_MS);
	for (unsigned i = 1; i < n_asked; i++) {
		tern_time pause = asked_at[i] - asked_at[i - 1], wanted = (4 * TERN_SEC) << (i - 1);

		check(pause >= wanted - wanted / 9 - 100 * TERN_MS);
		check(pause <= wanted + wanted / 9 + 100 * TERN_MS);
	}
	end();
}

/* A router comes: addresses, routes, the MTU, servers; asking ends. And what was said ends, too. */
static void a_router(void)
{
	static const uint8_t mtu[8] = { ND_MTU, 1, 0, 0, 0, 0, 1400 >> 8, 1400 & 255 };
	static const uint8_t dnssl[16] = { ND_DNSSL, 2, 0, 0, 0, 0, 0, 200, 3, 'l', 'a', 'n', 0 };
	uint8_t rdnss[24] = { ND_RDNSS, 3, 0, 0, 0, 0, 0, 100 };
	struct ra ra = { .hop_limit = 99, .lifetime = 600 };
	struct tern_iface_addr a, again;
	struct addr dns = parse("2001:db8::53"), eui = parse("::ff:fe00:1");
	struct message m;

	begin();
	memcpy(rdnss + 8, dns.b, 16);
	pass(3 * TERN_SEC);
	count_out(0);
	m = advert(&ra);
	add_prefix(&m, "2001:db8:1::", 1000, 500);
	add_bytes(&m, mtu, sizeof(mtu));
	add_bytes(&m, rdnss, sizeof(rdnss));
	add_bytes(&m, dnssl, sizeof(dnssl));
	put(&first, &m);
	check_eq(flags_of("2001:db8:1::"), TERN_ADDR_TENTATIVE);
	pass(3 * TERN_SEC);
	check_eq(flags_of("2001:db8:1::"), 0);
	check(address_in("2001:db8:1::", 0, &a));
	check_eq(a.origin, TERN_ORIGIN_RA);
	check(memcmp(a.addr.ip + 11, eui.b + 11, 2) != 0); /* not made of the MAC: RFC 8064 */
	check_eq(n_routes(0, "fe80::1"), 1);
	check_eq(n_routes(64, NULL), 1);
	check_eq(n_servers(TERN_SERVER_DNS), 1);
	check_eq(n_servers(TERN_SERVER_SEARCH), 1);
	count_out(0);
	pass(300 * TERN_SEC);
	check_eq(count_out(ICMP6_ROUTER_SOLICIT), 0);
	check_eq(n_servers(TERN_SERVER_DNS), 0); /* after 100 s */
	check_eq(n_servers(TERN_SERVER_SEARCH), 0);
	pass(250 * TERN_SEC);
	check_eq(flags_of("2001:db8:1::"), TERN_ADDR_DEPRECATED);
	/* what is not mentioned stays: ND-20 */
	hear_router(&first, 600, NULL);
	check_eq(n_addresses("2001:db8:1::"), 1);
	pass(500 * TERN_SEC);
	check_eq(n_addresses("2001:db8:1::"), 0);
	check_eq(n_routes(64, NULL), 0);
	check_eq(n_routes(0, "fe80::1"), 1);
	pass(200 * TERN_SEC);
	check_eq(n_routes(0, "fe80::1"), 0);
	/* the same prefix brings the same address, another another: RFC 7217 */
	hear_router(&first, 600, "2001:db8:1::");
	check(address_in("2001:db8:1::", 0, &again));
	check_mem(again.addr.ip, a.addr.ip, 16);
	hear_router(&first, 600, "2001:db8:2::");
	check(address_in("2001:db8:2::", 0, &again));
	check(memcmp(again.addr.ip + 8, a.addr.ip + 8, 8) != 0);
	check_eq(tern_auto_set(st, 2, 0), 0);
	check_eq(n_addresses("2001:db8:1::") + n_addresses("fe80::") + n_routes(64, NULL), 0);
	end();
}

/* RFC 4862 5.5.3 (e). */
static void two_hours(void)
{
	static const struct {
		uint32_t remaining, told, then;
	} cases[] = {
		{ 86400, 1, 7200 },	{ 86400, 7200, 7200 }, { 86400, 8000, 8000 },
		{ 5000, 1, 5000 },	{ 5000, 4999, 5000 },  { 5000, 5001, 5001 },
		{ 5000, 90000, 90000 }, { 7200, 7199, 7200 },  { 86400, 0, 7200 },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct ra ra = { .lifetime = 600 };
		struct message m = advert(&ra);
		struct tern_iface_addr a;

		test_at("%u, then %u", cases[i].remaining, cases[i].told);
		begin();
		add_prefix(&m, "2001:db8:1::", cases[i].remaining, cases[i].remaining);
		put(&first, &m);
		m = advert(&ra);
		add_prefix(&m, "2001:db8:1::", cases[i].told, 0);
		put(&first, &m);
		check(address_in("2001:db8:1::", 0, &a));
		check_eq((a.valid_until - now) / TERN_SEC, cases[i].then);
		check(a.preferred_until <= now);
		end();
	}
}

/* ---- who else has the address ---- */

/* RFC 4862 5.4.3, 5.4.4: an advertisement, or another that probes, makes it a duplicate. */
static void duplicates(void)
{
	static const struct speaker nobody = { "::", { 2, 0, 0, 0, 9, 9 } };

	for (int by_advert = 0; by_advert < 2; by_advert++) {
		struct tern_iface_addr a;
		unsigned tries = 0;
		struct addr target;

		begin();
		pass(3 * TERN_SEC);
		hear_router(&first, 600, "2001:db8:1::");
		while (tries < 10) {
			struct tern_net_event ev;
			bool told = false;

			if (!address_in("2001:db8:1::", tries, &a) ||
			    a.flags != TERN_ADDR_TENTATIVE)
				break;
			target = addr_from6(a.addr.ip);
			pass(500 * TERN_MS);
			if (by_advert)
				put_neighbour(&second, ICMP6_NEIGH_ADVERT, &target, false);
			else
				put_neighbour(&nobody, ICMP6_NEIGH_SOLICIT, &target, true);
			check(address_in("2001:db8:1::", tries, &a));
			check_eq(a.flags, TERN_ADDR_DUPLICATE);
			while (tern_net_event(st, &ev))
				told |= (ev.changes & TERN_NET_DUPLICATE) != 0;
			check(told);
			tries++;
		}
		check_eq(tries, 4); /* RFC 7217 7: IDGEN_RETRIES, and then no more */
		pass(10 * TERN_SEC);
		check_eq(count_out(ICMP6_NEIGH_ADVERT), 0);
		end();
	}
}

/* A tentative address answers nobody and begins nothing; who asks for it is not a duplicate. */
static void tentative(void)
{
	struct tern_addr to;
	struct tern_iface_addr a;
	struct addr target;
	tern_sock s, other;

	begin();
	check(address_in("fe80::", 0, &a));
	target = addr_from6(a.addr.ip);
	put_neighbour(&first, ICMP6_NEIGH_SOLICIT, &target, true);
	check_eq(count_out(ICMP6_NEIGH_ADVERT), 0);
	check_eq(flags_of("fe80::"), TERN_ADDR_TENTATIVE);
	tern_addr_parse("fe80::1%2", 9, &to);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
	a.addr.port = 9;
	check_eq(tern_bind(st, s, &a.addr), -TERN_EADDRNOTAVAIL);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &other), 0);
	check_eq(tern_sendto(st, other, "x", 1, 0, &to), -TERN_EADDRNOTAVAIL);
	pass(3 * TERN_SEC);
	count_out(0);
	check_eq(tern_bind(st, s, &a.addr), 0);
	put_neighbour(&first, ICMP6_NEIGH_SOLICIT, &target, true);
	check_eq(count_out(ICMP6_NEIGH_ADVERT), 1);
	end();
}

/* ---- not in good faith ---- */

/* RFC 4861 6.1.2: whatever is wrong with it, nothing of it is heard. */
static void malformed(void)
{
	static const struct speaker global = { "2001:db8::7", { 2, 0, 0, 0, 1, 1 } };

	for (int wrong = 0; wrong < 8; wrong++) {
		struct ra ra = { .lifetime = 600 };
		struct message m = advert(&ra);

		test_at("wrong: %d", wrong);
		begin();
		add_prefix(&m, "2001:db8:1::", 1000, 500);
		switch (wrong) {
		case 1:
			m.hop_limit = 254;
			break;
		case 2:
			m.bytes[1] = 1;
			break;
		case 3:
			m.bad_sum = true;
			break;
		case 4:
			m.bytes[RA_LEN + 1] = 0; /* an option of no length */
			break;
		case 5:
			m.len -= 8; /* one that is not all there */
			break;
		case 6:
			m.len = RA_LEN - 1;
			break;
		default:
			break;
		}
		put(wrong == 7 ? &global : &first, &m);
		check_eq(n_routes(0, wrong == 7 ? "2001:db8::7" : "fe80::1"), wrong == 0);
		check_eq(n_addresses("2001:db8:1::"), wrong == 0);
		end();
	}
}

/* Every type and length of an option, and what it holds random: nothing breaks (CVE-2020-16898). */
static void every_option(void)
{
	uint32_t noise = 1;

	begin();
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned len = 0; len < 256; len++) {
			struct ra ra = { .lifetime = 600 };
			struct message m = advert(&ra);
			uint32_t bytes = MIN(len * 8, 64u);

			m.bytes[m.len] = (uint8_t)type;
			m.bytes[m.len + 1] = (uint8_t)len;
			for (uint32_t i = 2; i < bytes; i++) {
				noise = noise * 1664525 + 1013904223;
				m.bytes[m.len + i] = (uint8_t)(noise >> 24);
			}
			m.len += MAX(bytes, 8);
			put(&first, &m);
		}
	}
	for (uint32_t len = 0; len < 24 + 56; len++) { /* and cut anywhere */
		struct ra ra = { .lifetime = 600 };
		struct message m = advert(&ra);

		add_prefix(&m, "2001:db8:9::", 1000, 500);
		m.bytes[m.len] = ND_RDNSS;
		m.bytes[m.len + 1] = 4; /* even */
		m.len += 32;
		m.len = MIN(len, m.len);
		put(&first, &m);
	}
	end();
}

/* ND-19, SEC-13: an MTU that cannot be is not heard, and a hop limit never lowers ours. */
static void mtu_and_hop_limit(void)
{
	static const struct {
		uint32_t mtu, then;
	} cases[] = { { 1400, 1400 }, { 1280, 1280 }, { 1500, 1500 }, { 1279, 0 },
		      { 68, 0 },      { 0, 0 },	      { 1501, 0 },    { 65535, 0 } };

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct ra ra = { .hop_limit = 1, .lifetime = 600 };
		struct message m = advert(&ra);
		uint8_t mtu[8] = { ND_MTU, 1 };
		static const char text[1400];
		struct tern_addr to;
		int32_t got = 0, hops = 0;
		size_t len = sizeof(got);
		tern_sock s;

		test_at("mtu %u", cases[i].mtu);
		begin();
		pass(3 * TERN_SEC);
		put_be32(mtu + 4, cases[i].mtu);
		add_bytes(&m, mtu, 8);
		put(&first, &m);
		tern_addr_parse("fe80::1%2", 9, &to);
		check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_connect(st, s, &to), 0);
		check_eq(tern_send(st, s, text, 1400, 0), 1400); /* 1448 bytes of IP */
		check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_MTU, &got, &len), 0);
		check_eq(got, cases[i].then ? cases[i].then : 1500);
		check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_UNICAST_HOPS, &hops,
					 &len),
			 0);
		check_eq(hops, 64);
		count_out(0);
		end();
	}
}

/* SEC-12, CVE-2020-16898: an RDNSS option of an even length names nobody. */
static void rdnss_of_any_length(void)
{
	for (uint8_t units = 1; units < 12; units++) {
		struct ra ra = { .lifetime = 600 };
		struct message m = advert(&ra);
		uint8_t rdnss[96] = { ND_RDNSS, units, 0, 0, 0, 0, 1, 0 };

		for (unsigned k = 8; k + 16 <= sizeof(rdnss); k += 16) {
			rdnss[k] = 0x20;
			rdnss[k + 15] = (uint8_t)k;
		}
		test_at("length %u", units);
		begin();
		add_bytes(&m, rdnss, units * 8u);
		put(&first, &m);
		check_eq(n_servers(TERN_SERVER_DNS), units >= 3 && units % 2 ? (units - 1) / 2 : 0);
		end();
	}
}

/* SEC-11, SEC-13: a flood of everything stays within what there may be. */
static void flood(void)
{
	uint64_t memory = 0;

	begin();
	pass(3 * TERN_SEC);
	hear_router(&first, 600, "2001:db8:1::");
	pass(3 * TERN_SEC);
	for (uint32_t i = 0; i < 100000; i++) {
		struct ra ra = { .hop_limit = 1, .lifetime = 9000, .retrans = 1 };
		char ip[40], prefix[40];
		struct speaker liar = { ip, { 2, 9, 0, 0, 0, 9 } };
		struct message m = advert(&ra);
		uint8_t rdnss[24] = { ND_RDNSS, 3, 0, 0, 0, 0, 1, 0, 0x20, 1 };

		snprintf(ip, sizeof(ip), "fe80::%x:%x", 1 + (i >> 16), i & 0xffff);
		snprintf(prefix, sizeof(prefix), "2001:db8:%x:%x::", 2 + (i >> 16), i & 0xffff);
		put_be16(rdnss + 20, i);
		put_be16(rdnss + 22, i >> 8);
		add_prefix(&m, prefix, 9000, 9000);
		add_bytes(&m, rdnss, sizeof(rdnss));
		put(&liar, &m);
		if (i == 2000)
			memory = tern_memory(st);
	}
	check(tern_memory(st) <= memory + 4096);
	check(n_servers(TERN_SERVER_DNS) <= 32);
	check_eq(flags_of("2001:db8:1::"), 0);
	check_eq(n_routes(0, "fe80::1"), 1);
	end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(alone),	    TEST(a_router),	     TEST(two_hours),
		TEST(duplicates),   TEST(tentative),	     TEST(malformed),
		TEST(every_option), TEST(mtu_and_hop_limit), TEST(rdnss_of_any_length),
		TEST(flood),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
