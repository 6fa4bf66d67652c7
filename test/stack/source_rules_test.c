/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_rules_test.c - which of its addresses a host sends from: the rules of RFC 6724 5, each
 * against those before and after it, and the examples of RFC 6724 10.1.
 */
#include "../net/net_fixture.h"

enum { ETH = 2, WAN = 3 };

static struct addr read_addr(const char *text)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(text, 0, &a), 0);
	return addr_from6(a.ip);
}

static void begin_source(uint8_t use_tempaddr)
{
	start();
	f.cfg.use_tempaddr = use_tempaddr;
	f.cfg.dad_transmits = 1;
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
	check_eq(add_iface("wan0", TERN_LINK_ETHERNET, 0), WAN);
}

static void have(const char *text, unsigned ifindex, uint8_t flags)
{
	struct ifaddr a = { .ifindex = ifindex,
			    .addr = read_addr(text),
			    .prefix_len = 64,
			    .flags = flags,
			    .preferred_until = TERN_NEVER,
			    .valid_until = TERN_NEVER };

	check_eq(ifaddr_put(&f.net, &a), 0);
}

/* Two candidates of eth0, in either order of their adding: the first is the one. */
struct choice {
	const char *dst, *good, *other;
	uint8_t good_flags, other_flags;
};

static void check_choice(const struct choice *c, uint8_t use_tempaddr)
{
	struct addr dst = read_addr(c->dst), want = read_addr(c->good), got;

	for (int turned = 0; turned < 2; turned++) {
		test_at("to %s: %s or %s, %d", c->dst, c->good, c->other, turned);
		begin_source(use_tempaddr);
		if (turned)
			have(c->other, ETH, c->other_flags);
		have(c->good, ETH, c->good_flags);
		if (!turned)
			have(c->other, ETH, c->other_flags);
		check_eq(source_select(&f.net, &dst, ETH, &got), 0);
		check_mem(&got, &want, sizeof(got));
		finish();
	}
}

/* RFC 6724 10.1; that with a home address is not for us. */
static void the_examples(void)
{
	enum { D = TERN_ADDR_DEPRECATED, T = TERN_ADDR_TEMPORARY };
	static const struct choice cases[] = {
		{ "2001:db8:1::1", "2001:db8:3::1", "fe80::1", 0, 0 },
		{ "ff05::1", "2001:db8:3::1", "fe80::1", 0, 0 },
		{ "2001:db8:1::1", "2001:db8:1::1", "2001:db8:2::1", D, 0 },
		{ "fe80::1", "fe80::2", "2001:db8:1::1", D, 0 },
		{ "2001:db8:1::1", "2001:db8:1::2", "2001:db8:3::2", 0, 0 },
		{ "2002:c633:6401::1", "2002:c633:6401::d5e3:7953:13eb:22e8", "2001:db8:1::2", T,
		  0 },
		{ "2001:db8:1::d5e3:0:0:1", "2001:db8:1::d5e3:7953:13eb:22e8", "2001:db8:1::2", T,
		  0 },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		check_choice(&cases[i], 2);
}

/* A rule against one that comes later and says the opposite: 1-2, 1-3, 2-3, 2-6, ... */
static void earlier_rules_win(void)
{
	enum { D = TERN_ADDR_DEPRECATED, T = TERN_ADDR_TEMPORARY };
	static const struct choice cases[] = {
		/* 1: the address itself, though it is deprecated, temporary, both */
		{ "2001:db8:1::1", "2001:db8:1::1", "2001:db8:1::2", D, 0 },
		{ "2001:db8:1::1", "2001:db8:1::1", "2001:db8:1::2", D | T, 0 },
		{ "fe80::1", "fe80::1", "fe80::2", D, 0 },
		/* 2: the scope, though it is deprecated or its bits differ */
		{ "2001:db8:1::1", "2001:db8:1::2", "fe80::2", D, 0 },
		{ "ff02::1", "fe80::2", "2001:db8:1::2", D, 0 },
		{ "ff05::1", "fec0::2", "2001:db8:1::2", D, 0 },
		{ "ff0e::1", "2001:db8:1::2", "fec0::2", D, 0 },
		{ "ff08::1", "2001:db8:1::2", "fec0::2", D, 0 },
		/* 3: not deprecated, though its label and bits differ */
		{ "2002:c633:6401::1", "2001:db8:1::2", "2002:c633:6401::2", 0, D },
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::2", 0, D },
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::2", T, D },
		/* 6: the label, though it is temporary or has fewer bits in common */
		{ "2002:c633:6401::1", "2002:1:1::2", "2001:db8:1::2", T, 0 },
		{ "fd00:1::1", "fdff::2", "2001:db8:1::2", T, 0 },
		{ "2001:0:1::1", "2001:0:ffff::2", "2001:4000::2", T, 0 },
		{ "2003::1", "2aaa::2", "2002::2", T, 0 },
		/* 7: no temporary one, though it has more bits */
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::2", 0, T },
		/* 8: more bits */
		{ "2001:db8:1::1", "2001:db8:1:1::2", "2001:db8:3::2", 0, 0 },
		{ "2001:db8:1::1", "2001:db8:1:1::2", "2001:db8:3::2", T, T },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		check_choice(&cases[i], 1);
}

/* Rule 7 as the user wants it. */
static void temporary_or_not(void)
{
	const struct choice stable = { "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", 0,
				       TERN_ADDR_TEMPORARY };
	const struct choice temporary = { "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::3",
					  TERN_ADDR_TEMPORARY, 0 };

	check_choice(&stable, 0);
	check_choice(&stable, 1);
	check_choice(&temporary, 2);
}

/* Rule 8 beyond the prefix counts nothing, bit by bit within it. */
static void every_bit(void)
{
	for (unsigned n = 3; n < 64; n++) {
		struct addr dst = read_addr("4000::1"), far = dst, near = dst, got;

		test_at("%u bits in common", n);
		begin_source(0);
		near.b[15] = 2;
		far.b[15] = 1;
		near.b[n / 8] ^= (uint8_t)(0x80 >> n % 8);
		far.b[(n - 1) / 8] ^= (uint8_t)(0x80 >> (n - 1) % 8);
		check_eq(ifaddr_add(&f.net, ETH, &far, 64), 0);
		check_eq(ifaddr_add(&f.net, ETH, &near, 64), 0);
		check_eq(source_select(&f.net, &dst, ETH, &got), 0);
		check_mem(&got, &near, sizeof(got));
		finish();
	}
}

/* 4: what is no candidate: tentative, duplicate, of another link where only this one counts. */
static void candidates(void)
{
	static const struct {
		const char *dst, *other_link;
		bool may;
	} cases[] = {
		{ "2001:db8:1::1", "2001:db8:1::2", true }, { "2001:db8:1::1", "fe80::2", false },
		{ "fe80::1", "2001:db8:1::2", false },	    { "fe80::1", "fe80::2", false },
		{ "ff05::1", "2001:db8:1::2", false },	    { "ff05::1", "fe80::2", false },
		{ "ff02::1", "2001:db8:1::2", false },	    { "ff01::1", "2001:db8:1::2", false },
	};
	struct addr dst, got, want;

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		test_at("to %s", cases[i].dst);
		begin_source(0);
		dst = read_addr(cases[i].dst);
		have(cases[i].other_link, WAN, 0);
		have("2001:db8:1::77", ETH, TERN_ADDR_TENTATIVE);
		have("2001:db8:1::78", ETH, TERN_ADDR_TENTATIVE);
		dst = read_addr("2001:db8:1::78");
		ifaddr_refuse(&f.net, ifaddr_on(&f.net, ETH, &dst));
		dst = read_addr(cases[i].dst);
		check_eq(source_select(&f.net, &dst, ETH, &got),
			 cases[i].may ? 0 : -TERN_EADDRNOTAVAIL);
		if (cases[i].may) {
			want = read_addr(cases[i].other_link);
			check_mem(&got, &want, sizeof(got));
		}
		finish();
	}
}

/* Rule 5 before 6, 7 and 8, and after 1, 2 and 3. */
static void the_interface(void)
{
	static const struct {
		const char *dst, *eth, *wan;
		uint8_t eth_flags;
		bool eth_wins;
	} cases[] = {
		{ "2002:c633:6401::1", "2001:db8:1::2", "2002:c633:6401::2", 0, true },
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::2", 0, true },
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::2", TERN_ADDR_TEMPORARY, true },
		{ "2001:db8:1::1", "2001:db8:3::2", "2001:db8:1::1", 0, false },
		{ "2001:db8:1::1", "fe80::2", "2001:db8:1::2", 0, false },
		{ "2001:db8:1::1", "2001:db8:1::2", "2001:db8:3::2", TERN_ADDR_DEPRECATED, false },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct addr dst = read_addr(cases[i].dst), got, want;

		test_at("case %u", (unsigned)i);
		begin_source(0);
		have(cases[i].wan, WAN, 0);
		have(cases[i].eth, ETH, cases[i].eth_flags);
		want = read_addr(cases[i].eth_wins ? cases[i].eth : cases[i].wan);
		check_eq(source_select(&f.net, &dst, ETH, &got), 0);
		check_mem(&got, &want, sizeof(got));
		finish();
	}
}

/* RFC 6724 2.1: the table is the administrator's; the longest prefix says. */
static void other_policies(void)
{
	static const struct {
		const char *prefix;
		unsigned len;
		uint32_t precedence, label;
	} lines[] = { { "::", 0, 40, 1 },
		      { "2001:db8:9::", 48, 50, 7 },
		      { "2001:db8:1::", 48, 50, 7 },
		      { "::ffff:0:0", 96, 35, 4 },
		      { "2001:db8::", 32, 60, 8 } };
	struct addr dst = read_addr("2001:db8:1::1"), got, near = read_addr("2001:db8:1:1::2");
	struct addr far = read_addr("2001:db8:9::2");
	struct tern_policy table[TERN_POLICIES_MAX + 1], read;
	unsigned last = 128, cursor = 0, n = 0;

	memset(table, 0, sizeof(table));
	for (size_t i = 0; i < N_TESTS(lines); i++) {
		check_eq(tern_addr_parse(lines[i].prefix, 0, &table[i].prefix), 0);
		table[i].prefix_len = lines[i].len;
		table[i].precedence = lines[i].precedence;
		table[i].label = lines[i].label;
	}
	begin_source(0);
	have("2001:db8:8::2", ETH, 0); /* more bits in common than the other */
	have("2001:db8:9::2", ETH, 0);
	check_eq(source_select(&f.net, &dst, ETH, &got), 0);
	check(!addr_equal(&got, &far));
	check_eq(policy_set(&f.net, table, N_TESTS(lines)), 0);
	check_eq(source_select(&f.net, &dst, ETH, &got), 0);
	check(addr_equal(&got, &far));
	while (policy_next(&f.net, &cursor, &read)) {
		check(read.prefix_len <= last);
		last = read.prefix_len;
		n++;
	}
	check_eq(n, N_TESTS(lines));
	check_eq(policy_of(&f.net, &near)->label, 7);
	check_eq(policy_of(&f.net, &far)->precedence, 50);
	/* refused: it is as it was */
	check_eq(policy_set(&f.net, table, TERN_POLICIES_MAX + 1), -TERN_EINVAL);
	check_eq(policy_set(&f.net, (struct tern_policy[]){ table[1], table[1] }, 2), -TERN_EINVAL);
	table[1].prefix_len = 32;
	check_eq(policy_set(&f.net, table, 2), -TERN_EINVAL);
	table[1].prefix_len = 129;
	check_eq(policy_set(&f.net, table, 2), -TERN_EINVAL);
	table[1].prefix.family = TERN_AF_UNSPEC;
	check_eq(policy_set(&f.net, table, 2), -TERN_EINVAL);
	check_eq(policy_of(&f.net, &near)->label, 7);
	/* one line alone: all others are of one kind */
	check_eq(policy_set(&f.net, table + 2, 1), 0);
	check_eq(policy_of(&f.net, &near)->label, 7);
	check_eq(policy_of(&f.net, &far)->precedence, 0);
	/* an IPv4 prefix; and the default again */
	table[0] = (struct tern_policy){ .prefix = tern_ip4(10, 0, 0, 0, 0), .prefix_len = 8 };
	table[0].label = 9;
	check_eq(policy_set(&f.net, table, 1), 0);
	got = addr_from4((uint8_t[4]){ 10, 1, 2, 3 });
	check_eq(policy_of(&f.net, &got)->label, 9);
	check_eq(policy_set(&f.net, NULL, 0), 0);
	check_eq(policy_of(&f.net, &got)->label, 4);
	check_eq(policy_of(&f.net, &near)->precedence, 40);
	finish();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(the_examples),   TEST(earlier_rules_win), TEST(temporary_or_not),
		TEST(every_bit),      TEST(candidates),	       TEST(the_interface),
		TEST(other_policies),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
