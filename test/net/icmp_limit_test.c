/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_limit_test.c - core/net/icmp_limit.c: the bound holds, honest traffic lives, an attacker
 * learns nothing exact. The fixture allows one error in 10 ms with bursts of 40.
 */
#include "net_fixture.h"

static unsigned take_as_many(struct addr dst, unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += icmp_limit_take(&f.net, &dst);
	return n;
}

static void one_destination_has_a_quarter(void)
{
	struct addr a = v4(10, 0, 0, 1);

	start();
	check_eq(take_as_many(a, 100), 10);
	timers_advance(&f.timers, f.timers.now + 39 * TERN_MS);
	check_eq(take_as_many(a, 100), 0);
	timers_advance(&f.timers, f.timers.now + 1 * TERN_MS);
	check_eq(take_as_many(a, 100), 1);
	timers_advance(&f.timers, f.timers.now + 100 * TERN_SEC);
	check_eq(take_as_many(a, 100), 10);
	finish();
}

static void long_run_rate_is_bounded(void)
{
	unsigned n = 0;

	start();
	for (unsigned ms = 0; ms < 10000; ms++) {
		for (uint8_t i = 0; i < 50; i++)
			n += take_as_many(v4(10, 0, (uint8_t)ms, i), 1);
		timers_advance(&f.timers, f.timers.now + TERN_MS);
	}
	check(n <= 1000 + 40);
	check(n >= 850);
	finish();
}

static void flood_from_one_leaves_room_for_others(void)
{
	unsigned n = 0;

	start();
	for (unsigned second = 0; second < 100; second++) {
		take_as_many(v4(10, 0, 0, 1), 1000);
		n += take_as_many(v4(10, 0, 0, 2), 1);
		timers_advance(&f.timers, f.timers.now + TERN_SEC);
	}
	check_eq(n, 100);
	finish();
}

/* With the stack's bucket emptied by others, how many were left cannot be counted exactly. */
static void depth_of_the_bucket_varies(void)
{
	unsigned seen[64] = { 0 }, n_different = 0;

	start();
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = 0;

		for (unsigned i = 0; i < 200; i++)
			n += take_as_many(v6(0x2001, (uint16_t)round, (uint16_t)i), 1);
		check(n >= 20 && n <= 40);
		seen[n & 63]++;
		timers_advance(&f.timers, f.timers.now + 10 * TERN_SEC);
	}
	for (unsigned i = 0; i < 64; i++)
		n_different += seen[i] > 0;
	check(n_different >= 4);
	finish();
}

static void zero_means_what_it_says(void)
{
	start();
	f.cfg.icmp_ratelimit_ms = 0; /* no limit */
	check_eq(take_as_many(v4(10, 0, 0, 1), 1000), 1000);
	f.cfg.icmp_burst = 0; /* none at all */
	check_eq(take_as_many(v4(10, 0, 0, 1), 1000), 0);
	f.cfg = (struct net_config){ .icmp_ratelimit_ms = 1000, .icmp_burst = 1 };
	check_eq(take_as_many(v4(10, 0, 0, 9), 1000), 1);
	finish();
}

static const struct test tests[] = {
	TEST(one_destination_has_a_quarter),
	TEST(long_run_rate_is_bounded),
	TEST(flood_from_one_leaves_room_for_others),
	TEST(depth_of_the_bucket_varies),
	TEST(zero_means_what_it_says),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
