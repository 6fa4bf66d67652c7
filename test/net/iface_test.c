/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iface_test.c - core/net/iface.c and net.c: interfaces, addresses, what kind an address is.
 */
#include "net_fixture.h"

static void interfaces_have_numbers_and_names(void)
{
	struct tern_iface cfg = { .name = "eth0", .link = TERN_LINK_ETHERNET, .mtu = 1500 };

	start();
	check_eq(iface_add(&f.net, &cfg, 0), 2);
	check_eq(iface_add(&f.net, &cfg, 0), -TERN_EEXIST);
	cfg.name[3] = '1';
	check_eq(iface_add(&f.net, &cfg, 2), -TERN_EEXIST);
	check_eq(iface_add(&f.net, &cfg, 5), 5);
	cfg.name[3] = '2';
	check_eq(iface_add(&f.net, &cfg, 0), 3);
	check(iface_get(&f.net, 3) && !iface_get(&f.net, 4) && !iface_get(&f.net, 0));
	check(!iface_get(&f.net, 1000));
	check_eq(iface_del(&f.net, 3), 0);
	check_eq(iface_del(&f.net, 3), -TERN_ENODEV);
	check_eq(iface_add(&f.net, &cfg, 0), 3);
	finish();
}

static void nonsense_is_refused(void)
{
	static const struct tern_iface bad[] = {
		{ .name = "", .link = TERN_LINK_IP, .mtu = 1500 },
		{ .name = "0123456789abcdef", .link = TERN_LINK_IP, .mtu = 1500 },
		{ .name = "a", .link = 0, .mtu = 1500 },
		{ .name = "a", .link = 4, .mtu = 1500 },
		{ .name = "a", .link = TERN_LINK_IP, .mtu = 67 },
		{ .name = "a", .link = TERN_LINK_IP, .mtu = 65536 },
		{ .name = "a", .link = TERN_LINK_ETHERNET, .mtu = 1500, .mac = { 1 } },
		{ .name = "a", .link = TERN_LINK_IP, .mtu = 1500, .flags = 1 << 5 },
	};
	struct tern_iface good = { .name = "0123456789abcde", .link = TERN_LINK_IP, .mtu = 68 };

	start();
	for (unsigned i = 0; i < N_TESTS(bad); i++)
		check_eq(iface_add(&f.net, &bad[i], 0), -TERN_EINVAL);
	check_eq(iface_add(&f.net, &good, IFACES_MAX + 1), -TERN_EINVAL);
	check_eq(iface_add(&f.net, &good, 0), 2);
	check(iface_is_up(iface_get(&f.net, 2)));
	iface_get(&f.net, 2)->cfg.flags |= TERN_IFACE_DOWN;
	check(!iface_is_up(iface_get(&f.net, 2)));
	finish();
}

static void there_are_only_so_many(void)
{
	struct tern_iface cfg = { .name = "a?", .link = TERN_LINK_IP, .mtu = 1500 };

	start();
	for (int i = 2; i <= IFACES_MAX; i++) {
		cfg.name[1] = (char)(' ' + i);
		check_eq(iface_add(&f.net, &cfg, 0), i);
	}
	cfg.name[1] = '!';
	check_eq(iface_add(&f.net, &cfg, 0), -TERN_ENOMEM);
	finish();
}

static void addresses_come_and_go(void)
{
	struct addr a = v4(10, 0, 0, 1), b = v4(10, 0, 0, 2), group = v4(224, 0, 0, 5);
	struct addr none = v4(0, 0, 0, 0);
	uint64_t version;
	uint32_t n_routes;
	unsigned eth;

	start();
	eth = add_iface("eth0", TERN_LINK_ETHERNET, 0);
	n_routes = f.net.n_routes;
	version = f.net.routes_version;
	check_eq(ifaddr_add(&f.net, eth, &a, 24), 0);
	check(f.net.routes_version != version);
	check_eq(f.net.n_routes, n_routes + 1);
	check_eq(ifaddr_add(&f.net, eth, &a, 16), -TERN_EEXIST);
	check_eq(ifaddr_add(&f.net, 9, &b, 24), -TERN_ENODEV);
	check_eq(ifaddr_add(&f.net, eth, &b, 33), -TERN_EINVAL);
	check_eq(ifaddr_add(&f.net, eth, &group, 24), -TERN_EINVAL);
	check_eq(ifaddr_add(&f.net, eth, &none, 24), -TERN_EINVAL);
	check_eq(ifaddr_add(&f.net, eth, &b, 24), 0); /* shares the route */
	check_eq(f.net.n_routes, n_routes + 1);
	check(ifaddr_find(&f.net, &a) && ifaddr_find(&f.net, &a)->ifindex == eth);
	check_eq(ifaddr_del(&f.net, eth, &a), 0);
	check_eq(f.net.n_routes, n_routes + 1);
	check_eq(ifaddr_del(&f.net, eth, &a), -TERN_EADDRNOTAVAIL);
	check_eq(ifaddr_del(&f.net, eth, &b), 0);
	check_eq(f.net.n_routes, n_routes);
	check(!ifaddr_find(&f.net, &b));
	finish();
}

static void limits_of_addresses_hold(void)
{
	unsigned eth;
	int err = 0;

	start();
	eth = add_iface("eth0", TERN_LINK_ETHERNET, 0);
	for (uint8_t i = 0; i < 18; i++) {
		struct addr a = v4(10, i, 0, 1);

		check_eq(ifaddr_add(&f.net, eth, &a, 24), 0);
	}
	for (uint8_t i = 18; i < 20; i++) {
		struct addr a = v4(10, i, 0, 1);

		err = ifaddr_add(&f.net, eth, &a, 24);
	}
	check_eq(err, -TERN_ENOMEM);
	check_eq(f.net.n_addrs, 20);
	check_eq(iface_del(&f.net, eth), 0);
	check_eq(f.net.n_addrs, 2);
	finish();
}

static void every_failed_allocation_is_survived(void)
{
	for (unsigned fail_at = 1; fail_at < 12; fail_at++) {
		struct tern_iface cfg = { .name = "x", .link = TERN_LINK_IP, .mtu = 1500 };
		int index;

		start();
		test_at("failure %u", fail_at);
		f.world.fail_at = f.world.n_allocs + fail_at;
		index = iface_add(&f.net, &cfg, 0);
		check(index == 2 || index == -TERN_ENOMEM);
		for (uint8_t i = 0; index == 2 && i < 18; i++) {
			struct addr a = v4(10, i, 0, 1);
			int err = ifaddr_add(&f.net, 2, &a, 24);

			check(err == 0 || err == -TERN_ENOMEM);
			check((ifaddr_find(&f.net, &a) != NULL) == (err == 0));
		}
		finish();
	}
}

static void kinds_of_addresses(void)
{
	unsigned eth, p2p;

	start();
	eth = add_iface("eth0", TERN_LINK_ETHERNET, 0);
	p2p = add_iface("tun0", TERN_LINK_IP, 0);
	struct addr a = v4(10, 1, 2, 3), b = v4(10, 9, 9, 0), c = v6(0x2001, 0xdb8, 1);

	check_eq(ifaddr_add(&f.net, eth, &a, 20), 0);
	check_eq(ifaddr_add(&f.net, p2p, &b, 31), 0);
	check_eq(ifaddr_add(&f.net, eth, &c, 64), 0);
	const struct {
		struct addr addr;
		unsigned ifindex;
		enum addr_kind kind;
	} cases[] = {
		{ a, 0, ADDR_OURS },
		{ a, p2p, ADDR_OURS }, /* the weak host model */
		{ b, 0, ADDR_OURS },
		{ c, eth, ADDR_OURS },
		{ v4(10, 1, 2, 4), 0, ADDR_OTHER },
		{ v4(127, 0, 0, 1), 0, ADDR_OURS },
		{ v4(127, 9, 9, 9), 0, ADDR_OURS },
		{ v6(0, 0, 1), 0, ADDR_OURS },
		{ v4(0, 0, 0, 0), 0, ADDR_UNSPECIFIED },
		{ v6(0, 0, 0), 0, ADDR_UNSPECIFIED },
		{ v4(224, 0, 0, 1), 0, ADDR_MULTICAST },
		{ v6(0xff02, 0, 1), 0, ADDR_MULTICAST },
		{ v4(255, 255, 255, 255), 0, ADDR_BROADCAST },
		{ v4(255, 255, 255, 255), eth, ADDR_BROADCAST },
		{ v4(10, 1, 15, 255), 0, ADDR_BROADCAST },
		{ v4(10, 1, 15, 255), eth, ADDR_BROADCAST },
		{ v4(10, 1, 15, 255), p2p, ADDR_OTHER },
		{ v4(10, 1, 0, 0), 0, ADDR_OTHER },
		{ v4(10, 1, 2, 255), 0, ADDR_OTHER },
		{ v4(10, 9, 9, 1), 0, ADDR_OTHER }, /* the other end of a /31 */
		{ v6(0x2001, 0xdb8, 2), 0, ADDR_OTHER },
	};
	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("case %u", i);
		check_eq(addr_classify(&f.net, &cases[i].addr, cases[i].ifindex), cases[i].kind);
	}
	finish();
}

static void groups_every_node_is_in(void)
{
	struct addr ours = v6(0xfe80, 0, 0x1234), solicited = v6(0xff02, 0, 0x1234);
	unsigned eth, other;
	struct addr g;

	start();
	eth = add_iface("eth0", TERN_LINK_ETHERNET, 0);
	other = add_iface("eth1", TERN_LINK_ETHERNET, 0);
	ours.b[13] = 0x77;
	check_eq(ifaddr_add(&f.net, eth, &ours, 64), 0);
	g = v4(224, 0, 0, 1);
	check(group_is_joined(&f.net, &g, eth));
	g = v4(224, 0, 0, 251);
	check(!group_is_joined(&f.net, &g, eth));
	g = v6(0xff02, 0, 1);
	check(group_is_joined(&f.net, &g, eth));
	g = v6(0xff02, 0, 2); /* routers */
	check(!group_is_joined(&f.net, &g, eth));
	solicited.b[11] = 1;
	solicited.b[12] = 0xff;
	solicited.b[13] = 0x77;
	check(group_is_joined(&f.net, &solicited, eth));
	check(!group_is_joined(&f.net, &solicited, other));
	solicited.b[13] = 0x78;
	check(!group_is_joined(&f.net, &solicited, eth));
	finish();
}

static void public_form_and_back(void)
{
	struct tern_addr t = { .family = TERN_AF_UNSPEC };
	struct addr a = v4(192, 0, 2, 1), b;

	check(!addr_from_public(&b, &t));
	addr_to_public(&t, &a, 80);
	check(t.family == TERN_AF_INET && t.port == 80 && t.ip[0] == 192 && t.ip[4] == 0);
	check(addr_from_public(&b, &t) && addr_equal(&a, &b));
	a = v6(0x2001, 0xdb8, 9);
	addr_to_public(&t, &a, 0);
	check(t.family == TERN_AF_INET6 && t.ip[15] == 9);
	check(addr_from_public(&b, &t) && addr_equal(&a, &b));
}

/* RFC 8200 5: IPv6 needs links of 1280 bytes. */
static void ip6_needs_1280(void)
{
	struct tern_iface cfg = { .name = "six", .link = TERN_LINK_IP, .mtu = 1279 };
	struct addr six = { .b = { 0xfd, [15] = 1 } };
	struct addr four = addr_from4((const uint8_t[4]){ 10, 1, 1, 1 });
	unsigned i;

	start();
	i = (unsigned)iface_add(&f.net, &cfg, 0);
	check_eq(ifaddr_add(&f.net, i, &four, 24), 0);
	check_eq(ifaddr_add(&f.net, i, &six, 64), -TERN_EINVAL);
	check_eq(iface_set(&f.net, i, 1280, 0), 0);
	check_eq(ifaddr_add(&f.net, i, &six, 64), 0);
	check_eq(iface_set(&f.net, i, 1279, 0), -TERN_EINVAL);
	check_eq(iface_get(&f.net, i)->cfg.mtu, 1280);
	check_eq(ifaddr_del(&f.net, i, &six), 0);
	check_eq(iface_set(&f.net, i, 68, 0), 0);
	check_eq(iface_set(&f.net, i, 67, 0), -TERN_EINVAL);
	check_eq(iface_set(&f.net, i, 1500, 1u << 31), -TERN_EINVAL);
	check_eq(iface_set(&f.net, 77, 1500, 0), -TERN_ENODEV);
	finish();
}

/* One that has passed is ours, though there is no room for the route that it brings. */
static void ours_without_a_route(void)
{
	struct ifaddr a = { .flags = TERN_ADDR_TENTATIVE,
			    .addr = v4(10, 0, 0, 1),
			    .prefix_len = 24,
			    .origin = TERN_ORIGIN_DHCP4,
			    .preferred_until = TERN_NEVER,
			    .valid_until = TERN_NEVER };
	struct addr broadcast = v4(10, 0, 0, 255);

	start();
	a.ifindex = add_iface("eth0", TERN_LINK_ETHERNET, 0);
	f.cfg.routes_max = f.net.n_routes;
	check_eq(ifaddr_put(&f.net, &a), 0);
	check_eq(ifaddr_on(&f.net, a.ifindex, &a.addr)->flags, 0);
	check_eq(addr_classify(&f.net, &a.addr, 0), ADDR_OURS);
	check_eq(addr_classify(&f.net, &broadcast, 0), ADDR_BROADCAST);
	check_eq(ifaddr_del(&f.net, a.ifindex, &a.addr), 0);
	finish();
}

static const struct test tests[] = {
	TEST(interfaces_have_numbers_and_names),
	TEST(nonsense_is_refused),
	TEST(there_are_only_so_many),
	TEST(addresses_come_and_go),
	TEST(limits_of_addresses_hold),
	TEST(every_failed_allocation_is_survived),
	TEST(kinds_of_addresses),
	TEST(groups_every_node_is_in),
	TEST(ip6_needs_1280),
	TEST(public_form_and_back),
	TEST(ours_without_a_route),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
