/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nd_router_rules_test.c - what a host takes from routers and what it does not, and what a scan of
 * its link makes it remember: RFC 4861 6.3, 8.3, RFC 4862 5.4.2, 5.5.3, RFC 6583.
 */
#include "nd_fixture.h"

/* ---- what routers say ---- */

static void put_prefix(const struct speaker *from, const struct nd_prefix *x)
{
	struct ra ra = { .lifetime = 9000 };
	struct message m = advert(&ra);
	uint8_t mac[8] = { ND_SOURCE_MAC, 1 };

	memcpy(mac + 2, from->mac, 6);
	add_bytes(&m, mac, sizeof(mac));
	m.len += (uint32_t)nd_prefix_emit(x, m.bytes + m.len);
	put(from, &m);
}

/* A host of 2001:db8:1::/64 whose router is `first`. */
static void begin_routed(bool redirects)
{
	struct nd_prefix x = { parse("2001:db8:1::"), 64, true, true, 86400, 86400 };

	begin_host(redirects);
	check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
	put_prefix(&first, &x);
	pass(3 * TERN_SEC);
	take_all();
}

/* ND-22: without the flag a prefix is not said to be elsewhere; and was never said to be here. */
static void prefixes_on_the_link(void)
{
	struct nd_prefix x = { parse("2001:db8:1::"), 64, false, true, 86400, 86400 };
	struct nd_prefix y = { parse("2001:db8:2::"), 64, false, true, 86400, 86400 };
	struct addr target = parse("2001:db8:1::99");

	begin_routed(false);
	put_prefix(&first, &x);
	put_prefix(&first, &y);
	pass(3 * TERN_SEC);
	take_all(); /* is the new address somebody's? */
	talk("2001:db8:1::99", 'a');
	check(went.n_asked == 1 && addr_equal(&went.question.target, &target));
	check_eq(went.n_said, 0);
	talk("2001:db8:2::99", 'b');
	check_str(went.said, "b");
	check_mem(went.mac, first.mac, 6);
	end();
}

/* ND-26: whatever a host hears, it says nothing that a router says. */
static void no_words_of_a_router(void)
{
	begin_routed(false);
	for (int i = 0; i < 100; i++) {
		static const char *const to[] = { "2001:db8:1::77", "2001:db8:9::1", "ff02::2" };
		struct message m = { .bytes = { ICMP6_ROUTER_SOLICIT }, .len = 8 };
		struct heard h;

		m.to = to[i % 3];
		put(i & 1 ? &first : &peer, &m);
		m.bytes[0] = ICMP6_ECHO; /* for somebody else, though the frame is ours */
		put(&peer, &m);
		if (i < 50 || i > 66)
			say("2001:db8:9::1", 'x');
		if (i == 50)
			hear_router(&first, 0, NULL);
		if (i == 60) {
			check_eq(tern_auto_set(st, 2, 0), 0);
			check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
		}
		if (i == 66)
			hear_router(&first, 600, "2001:db8:1::");
		pass(TERN_SEC);
		while (hear(&h))
			check(h.type != ICMP6_ROUTER_ADVERT && h.type != ICMP6_REDIRECT);
	}
	end();
}

/*
 * ND-16: that a router is none any more is taken from an advertisement that is taken at all (RFC
 * 4861 7.2.5): not of one whom nobody asked, not with an address that it may not set.
 */
static void who_ends_a_router(void)
{
	const struct addr who = parse(first.ip);

	for (int wrong = 0; wrong < 4; wrong++) {
		struct ndp say = { .type = ICMP6_NEIGH_ADVERT, .target = who };
		struct message m = { .len = 0 };

		test_at("wrong: %d", wrong);
		begin_host(false);
		check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
		hear_router(&first, 600, "2001:db8:1::");
		pass(3 * TERN_SEC);
		if (wrong != 1) /* it is asked for */
			talk("2001:db8:9::1", 'a');
		if (wrong == 0 || wrong == 3) {
			say.router = say.override = say.has_mac = true;
			memcpy(say.mac, first.mac, 6);
			m.len = (uint32_t)ndp_emit(&say, m.bytes);
			put(&first, &m);
		}
		say.router = say.override = false;
		say.has_mac = wrong != 2; /* 2: INCOMPLETE, and without its address it stays so */
		memcpy(say.mac, wrong == 3 ? peer.mac : first.mac, 6);
		m.len = (uint32_t)ndp_emit(&say, m.bytes);
		put(&first, &m);
		check_eq(n_routes(0, "fe80::1"), wrong != 0);
		end();
	}
}

/* The first hop says: to dst by way of target, whose address is mac. */
static void hear_redirect(const char *target, const char *dst, const uint8_t *mac)
{
	struct message m = { .bytes = { ICMP6_REDIRECT }, .len = REDIRECT_LEN };
	struct addr t = parse(target), d = parse(dst);
	struct tern_iface_addr a;
	uint8_t option[56] = { ND_TARGET_MAC, 1 };

	check(address_in("2001:db8:1::", 0, &a));
	memcpy(m.bytes + 8, t.b, 16);
	memcpy(m.bytes + 24, d.b, 16);
	memcpy(option + 2, mac, 6);
	add_bytes(&m, option, 8);
	memset(option, 0, sizeof(option));
	option[0] = ND_REDIRECTED;
	option[1] = 7;
	option[8] = 0x60;
	memcpy(option + 16, a.addr.ip, 16);
	memcpy(option + 32, d.b, 16);
	add_bytes(&m, option, sizeof(option));
	put(&first, &m);
}

/* ND-27: the target is the next hop, or the destination itself; its address is STALE. */
static void redirected(void)
{
	for (int on_link = 0; on_link < 2; on_link++) {
		const char *dst = "2001:db8:9::1", *target = on_link ? dst : "fe80::3";
		const struct speaker better = { "fe80::3", { 2, 0, 0, 0, 3, 9 } };
		struct tern_neigh n;

		test_at("on link: %d", on_link);
		begin_routed(true);
		talk(dst, 'a');
		check_mem(went.mac, first.mac, 6);
		hear_redirect(target, dst, better.mac);
		check(remembered(target, &n));
		check_eq(n.state, TERN_NEIGH_STALE);
		talk(dst, 'b');
		check_str(went.said, "b");
		check_mem(went.mac, better.mac, 6);
		talk("2001:db8:9::2", 'c'); /* another goes as before */
		check_mem(went.mac, first.mac, 6);
		if (!on_link) { /* it is taken for a router until it says otherwise */
			struct addr who = parse(better.ip);

			put_neighbour(&better, ICMP6_NEIGH_ADVERT, &who, false);
			talk(dst, 'd');
			check_str(went.said, "d");
			check_mem(went.mac, first.mac, 6);
		}
		end();
	}
}

/* ND-32: 65536 strangers are asked for: memory has its bound, and who answers stays. */
static void scanned(void)
{
	struct tern_neigh n;
	unsigned cursor = 0, n_known = 0;

	begin_host(false);
	give("2001:db8:7::1", 2);
	talk("fe80::9%2", 'a');
	hear_peer(0x60, peer.mac);
	take_all();
	for (uint32_t i = 0; i < 65536; i++) {
		char to[40];

		snprintf(to, sizeof(to), "2001:db8:7::1:%x", i);
		talk(to, 'x');
		if (i % 256 == 255)
			pass(50 * TERN_MS);
		if (i % 1024 == 0)
			check(tern_memory(st) < 1 << 20);
	}
	while (tern_neigh_next(st, &cursor, &n))
		n_known++;
	check(n_known <= 1024);
	pass(4 * TERN_SEC);	/* by then nobody is asked for any more */
	talk("fe80::9%2", 'b'); /* who has answered is remembered all the while */
	check_str(went.said, "b");
	end();
}

/* ---- addresses that configure themselves ---- */

/* SL-2: the report of the group, then the question; up to a second after, not always at once. */
static void the_group_first(void)
{
	struct tern_config cfg;
	unsigned n_late = 0;

	tern_config_default(&cfg);
	for (unsigned seed = 1; seed <= 3000; seed++) {
		struct tern_iface eth = { "e", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
		struct tern_env env;
		struct tern_pkt *p;
		bool reported = false, asked = false;

		test_at("seed %u", seed);
		counted = (struct test_env){ .fill = 0x51 };
		env = test_env_make(&counted, seed);
		st = tern_new(&cfg, &env);
		tern_advance(st, now = TERN_SEC);
		check_eq(tern_iface_add(st, &eth), 2);
		check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
		for (unsigned ms = 0; ms <= 1100 && !asked; ms += asked ? 0 : 10) {
			pass(10 * TERN_MS);
			while (!asked && (p = tern_output(st, 2))) {
				uint8_t f[100];

				tern_pkt_copy(p, 0, f, sizeof(f));
				tern_pkt_free(st, p);
				asked |= f[20] == 58 && f[54] == ICMP6_NEIGH_SOLICIT;
				reported |= f[20] == 0 && f[62] == MLD2_REPORT && f[79] == 0 &&
					    f[85] == 1;
			}
			n_late += asked && ms > 500;
		}
		check(asked && reported);
		end();
	}
	check(n_late > 1000 && n_late < 2000);
}

/* SL-8: RFC 4862 5.5.3 (a) to (d). */
static void prefixes_that_make_addresses(void)
{
	static const struct {
		const char *prefix;
		uint8_t len;
		bool autonomous;
		uint32_t valid, preferred;
		bool makes;
	} cases[] = {
		{ "2001:db8:5::", 64, true, 1000, 500, true },
		{ "2001:db8:5::", 64, true, 1000, 1000, true },
		{ "2001:db8:5::", 64, true, 1000, 0, true },
		{ "2001:db8:5::", 64, true, UINT32_MAX, UINT32_MAX, true },
		{ "2001:db8:5::", 64, false, 1000, 500, false },
		{ "2001:db8:5::", 64, true, 1000, 1001, false },
		{ "2001:db8:5::", 64, true, 1000, UINT32_MAX, false },
		{ "2001:db8:5::", 64, true, 0, 0, false },
		{ "fe80::", 64, true, 1000, 500, false },
		{ "ff02::", 64, true, 1000, 500, false },
	};

	for (unsigned k = 0; k < N_ELEMENTS(cases) + 129; k++) {
		unsigned i = k < N_ELEMENTS(cases) ? k : 0;
		uint8_t len =
			k < N_ELEMENTS(cases) ? cases[i].len : (uint8_t)(k - N_ELEMENTS(cases));
		struct nd_prefix x = {
			parse(cases[i].prefix), len, true, cases[i].autonomous, 0, 0
		};
		struct tern_iface_addr own;
		unsigned before;

		test_at("case %u, length %u", i, len);
		begin();
		before = n_addresses(cases[i].prefix);
		x.valid = cases[i].valid;
		x.preferred = cases[i].preferred;
		put_prefix(&first, &x);
		check_eq(n_addresses(cases[i].prefix) - before, cases[i].makes && len == 64);
		if (cases[i].makes && len == 64)
			check_eq(flags_of(cases[i].prefix), TERN_ADDR_TENTATIVE);
		check(address_in("fe80::", 0, &own)); /* and that is nobody else's to change */
		check(own.valid_until == TERN_NEVER && own.origin == TERN_ORIGIN_LINK_LOCAL);
		end();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(prefixes_on_the_link),
		TEST(no_words_of_a_router),
		TEST(redirected),
		TEST(who_ends_a_router),
		TEST(scanned),
		TEST(the_group_first),
		TEST(prefixes_that_make_addresses),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
