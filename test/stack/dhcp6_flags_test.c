/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_flags_test.c - what router advertisements say of DHCPv6: core/stack/advert.c to dhcp.c.
 */
#include "advert_fixture.h"

#include "../../core/wire/dhcp.h"

/* Runs on, and counts messages of DHCPv6 by type. */
static void count_asked(tern_time t, unsigned n[DHCP6_INFORM + 1])
{
	struct tern_pkt *p;

	memset(n, 0, (DHCP6_INFORM + 1) * sizeof(*n));
	for (tern_time until = now + t; now < until;) {
		pass(100 * TERN_MS);
		while ((p = tern_output(st, 2))) {
			uint8_t f[1600];
			uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));
			struct dhcp6 m;

			if (len > 62 && f[20] == TERN_IPPROTO_UDP && f[21] == 64 && f[57] == 0x23 &&
			    dhcp6_parse(&m, f + 62, len - 62))
				n[m.type]++;
			tern_pkt_free(st, p);
		}
	}
}

static void hear_flags(bool managed, bool other)
{
	struct ra ra = { .lifetime = 1800, .managed = managed, .other = other };
	struct message m = advert(&ra);

	put(&first, &m);
}

/* RFC 4861 4.2: M says addresses and all else, O all else. */
static void flags_say_what_to_ask(void)
{
	for (unsigned flags = 0; flags < 4; flags++) {
		unsigned n[DHCP6_INFORM + 1];

		begin();
		check_eq(tern_auto_set(st, 2, TERN_AUTO_RA | TERN_AUTO_DHCP6), 0);
		count_asked(5 * TERN_SEC, n);
		check(n[DHCP6_SOLICIT] == 0 && n[DHCP6_INFORM] == 0);
		hear_flags(flags & 2, flags & 1);
		count_asked(5 * TERN_SEC, n);
		test_at("flags %u", flags);
		check_eq(n[DHCP6_SOLICIT] > 0, (flags & 2) != 0);
		check_eq(n[DHCP6_INFORM] > 0, flags == 1);
		end();
	}
}

/* Where DHCPv6 is not among the means the flags say nothing. */
static void flags_without_the_means(void)
{
	unsigned n[DHCP6_INFORM + 1];

	begin();
	hear_flags(true, true);
	count_asked(5 * TERN_SEC, n);
	check(n[DHCP6_SOLICIT] == 0 && n[DHCP6_INFORM] == 0);
	end();
}

/* The link-local address is that of advertisements, or DHCP's own: there is one all the time. */
static void the_means_change(void)
{
	static const unsigned means[] = { TERN_AUTO_DHCP6, TERN_AUTO_RA | TERN_AUTO_DHCP6,
					  TERN_AUTO_DHCP6, TERN_AUTO_RA, 0 };

	begin();
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		check_eq(tern_auto_set(st, 2, means[i]), 0);
		test_at("means %u", means[i]);
		check(means[i] ? n_addresses("fe80::") > 0 : n_addresses("fe80::") == 0);
		pass(5 * TERN_SEC);
		count_out(0);
	}
	end();
}

static const struct test tests[] = {
	TEST(flags_say_what_to_ask),
	TEST(flags_without_the_means),
	TEST(the_means_change),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
