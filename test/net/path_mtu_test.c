/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path_mtu_test.c - what is remembered of paths: what counts, what does not, how long, how many.
 */
#include "net_fixture.h"

static unsigned wire;

/* A wire of 1500 bytes with default routes of both families, and room for eight paths. */
static void begin(void)
{
	struct addr gateway4 = v4(10, 0, 0, 254), gateway6 = v6(0xfe80, 0, 9), us = v4(10, 0, 0, 1);
	struct tern_route r = { .metric = 1 };

	start();
	f.cfg.path_mtus_max = 8;
	f.cfg.path_mtu_min = 552;
	f.cfg.path_mtu_expires_ms = 600000;
	wire = add_iface("wire", TERN_LINK_IP, 0);
	check_eq(ifaddr_add(&f.net, wire, &us, 24), 0);
	r.ifindex = wire;
	r.dst.family = TERN_AF_INET;
	r.gateway = public(gateway4);
	r.dst.ip[0] = 10;
	r.prefix_len = 8;
	r.gateway.family = TERN_AF_UNSPEC;
	check_eq(route_add(&f.net, &r), 0);
	r.dst.ip[0] = 0;
	r.prefix_len = 0;
	r.gateway = public(gateway4);
	check_eq(route_add(&f.net, &r), 0);
	r.dst.family = TERN_AF_INET6;
	r.gateway = public(gateway6);
	check_eq(route_add(&f.net, &r), 0);
}

static uint32_t mtu_to(struct addr dst)
{
	struct route_key key = { .dst = dst };
	struct hop hop = { .mtu = 0 };

	check_eq(route_lookup(&f.net, &key, &hop), 0);
	check_eq(hop.link_mtu, 1500);
	net_check(&f.net);
	return hop.mtu;
}

static void pass(tern_time t)
{
	struct timer *timer;

	timers_advance(&f.timers, f.timers.now + t);
	while ((timer = timers_take(&f.timers))) {
		check_eq(timer->kind, 78);
		path_mtu_expire(&f.net);
	}
}

/* RFC 1191 3: what a router says lowers the MTU of that path, and no message raises it. */
static void only_downwards(void)
{
	struct addr a = v4(192, 0, 2, 1), b = v4(192, 0, 2, 2);

	begin();
	check_eq(mtu_to(a), 1500);
	check(!path_mtu_learn(&f.net, &a, 1500));
	check(!path_mtu_learn(&f.net, &a, 9000));
	check(path_mtu_learn(&f.net, &a, 1400));
	check_eq(mtu_to(a), 1400);
	check_eq(mtu_to(b), 1500);
	check(!path_mtu_learn(&f.net, &a, 1400));
	check(!path_mtu_learn(&f.net, &a, 1401));
	check(path_mtu_learn(&f.net, &a, 1399));
	check_eq(mtu_to(a), 1399);
	finish();
}

/* Everybody who looks a route up again hears of a change, and only of a change. */
static void a_change_is_one_of_the_routes(void)
{
	struct addr a = v4(192, 0, 2, 1);
	uint32_t before;

	begin();
	before = f.net.routes_version;
	path_mtu_learn(&f.net, &a, 1400);
	check(f.net.routes_version != before);
	before = f.net.routes_version;
	path_mtu_learn(&f.net, &a, 1450);
	check_eq(f.net.routes_version, before);
	pass(601 * TERN_SEC);
	check(f.net.routes_version != before);
	finish();
}

static void floors(void)
{
	struct addr a = v4(192, 0, 2, 1), six = v6(0x2001, 0xdb8, 1);

	begin();
	path_mtu_learn(&f.net, &a, 68);
	check_eq(mtu_to(a), 552);
	path_mtu_learn(&f.net, &six, 68);
	check_eq(mtu_to(six), 1280);
	finish();
}

/* RFC 1191 6.3; a smaller figure makes an entry young, the same one does not. */
static void age(void)
{
	struct addr a = v4(192, 0, 2, 1), b = v4(192, 0, 2, 2);

	begin();
	path_mtu_learn(&f.net, &a, 1400);
	pass(300 * TERN_SEC);
	path_mtu_learn(&f.net, &a, 1400);
	path_mtu_learn(&f.net, &b, 1400);
	pass(299 * TERN_SEC);
	check_eq(mtu_to(a), 1400);
	path_mtu_learn(&f.net, &b, 1300);
	pass(2 * TERN_SEC);
	check_eq(mtu_to(a), 1500);
	pass(597 * TERN_SEC);
	check_eq(mtu_to(b), 1300);
	pass(2 * TERN_SEC);
	check_eq(mtu_to(b), 1500);
	check_eq(timers_deadline(&f.timers), TERN_NEVER);
	finish();
}

/* The time to keep them may change: for what is known already, too. */
static void another_age(void)
{
	struct addr a = v4(192, 0, 2, 1);

	begin();
	path_mtu_learn(&f.net, &a, 1400);
	f.cfg.path_mtu_expires_ms = 0;
	path_mtu_expire(&f.net);
	pass(1000000 * TERN_SEC);
	check_eq(mtu_to(a), 1400);
	f.cfg.path_mtu_expires_ms = 600000;
	path_mtu_expire(&f.net);
	check_eq(mtu_to(a), 1500);
	finish();
}

/* Neighbours and we ourselves are reached without a router. */
static void no_path(void)
{
	struct addr none[] = { v4(169, 254, 1, 1), v4(127, 0, 0, 1), v6(0xfe80, 0, 7),
			       v6(0, 0, 1) };

	begin();
	for (size_t i = 0; i < N_TESTS(none); i++)
		check(!path_mtu_learn(&f.net, &none[i], 1280));
	check_eq(f.net.path_mtu_table.n, 0);
	finish();
}

static void the_oldest_gives_way(void)
{
	begin();
	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = v4(192, 0, (uint8_t)(i >> 8), (uint8_t)i);

		path_mtu_learn(&f.net, &a, 1400);
		check(f.net.path_mtu_table.n <= 8);
	}
	for (unsigned i = 0; i < 1000; i++)
		check_eq(mtu_to(v4(192, 0, (uint8_t)(i >> 8), (uint8_t)i)), i < 992 ? 1500 : 1400);
	f.cfg.path_mtus_max = 3; /* at run time */
	path_mtu_expire(&f.net);
	check_eq(f.net.path_mtu_table.n, 3);
	f.cfg.path_mtus_max = 0;
	path_mtu_expire(&f.net);
	check(!path_mtu_learn(&f.net, &(struct addr){ .b = { 0x20 } }, 1300));
	check_eq(f.net.path_mtu_table.n, 0);
	finish();
}

static void no_memory(void)
{
	struct addr a = v4(192, 0, 2, 1);

	begin();
	f.mem.max = f.mem.used;
	f.world.fail_at = f.world.n_allocs + 1;
	while (path_mtu_learn(&f.net, &a, 1400)) { /* a slab may have room */
		f.world.fail_at = f.world.n_allocs + 1;
		a.b[15]++;
		f.cfg.path_mtus_max++;
	}
	check_eq(mtu_to(a), 1500);
	finish();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(only_downwards), TEST(a_change_is_one_of_the_routes),
		TEST(floors),	      TEST(age),
		TEST(another_age),    TEST(no_path),
		TEST(no_memory),      TEST(the_oldest_gives_way),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
