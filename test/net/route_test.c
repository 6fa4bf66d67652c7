/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route_test.c - core/net/route.c: which hop, and which source address (RFC 6724 section 5).
 */
#include "net_fixture.h"

enum { ETH = 2, WAN = 3 };

static void give(unsigned ifindex, struct addr a, unsigned prefix_len)
{
	check_eq(ifaddr_add(&f.net, ifindex, &a, prefix_len), 0);
}

/* eth0 has 10.0.0.1/24, wan0 has 192.0.2.5/28. */
static void start_with_two(void)
{
	start();
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
	check_eq(add_iface("wan0", TERN_LINK_ETHERNET, 0), WAN);
	give(ETH, v4(10, 0, 0, 1), 24);
	give(WAN, v4(192, 0, 2, 5), 28);
}

/* gateway NULL: on link */
static struct tern_route route(struct addr dst, unsigned len, unsigned ifindex,
			       const struct addr *gateway)
{
	struct tern_route r = { .dst = public(dst), .prefix_len = len, .ifindex = ifindex };

	if (gateway)
		r.gateway = public(*gateway);
	return r;
}

static int add(struct addr dst, unsigned len, unsigned ifindex, const struct addr *gateway)
{
	struct tern_route r = route(dst, len, ifindex, gateway);

	return route_add(&f.net, &r);
}

static void check_hop(struct addr dst, unsigned through, unsigned want, struct addr next)
{
	struct route_key key = { .dst = dst, .ifindex = through };
	struct hop hop = { 0 };

	check_eq(route_lookup(&f.net, &key, &hop), 0);
	check_eq(hop.ifindex, want);
	check_mem(&hop.next, &next, sizeof(next));
}

static void check_on_link(struct addr dst, unsigned through, unsigned want)
{
	check_hop(dst, through, want, dst);
}

static void check_no_hop(struct addr dst, unsigned through, int err)
{
	struct route_key key = { .dst = dst, .ifindex = through };
	struct hop hop;

	check_eq(route_lookup(&f.net, &key, &hop), err);
}

static void longest_prefix_wins(void)
{
	struct addr gw1 = v4(10, 0, 0, 254), gw2 = v4(192, 0, 2, 1), gw3 = v4(192, 0, 2, 2);
	start_with_two();
	check_no_hop(v4(8, 8, 8, 8), 0, -TERN_ENETUNREACH);
	check_eq(add(v4(0, 0, 0, 0), 0, WAN, &gw2), 0);
	check_eq(add(v4(172, 16, 0, 0), 12, ETH, &gw1), 0);
	check_eq(add(v4(172, 16, 5, 0), 24, WAN, &gw3), 0);
	check_on_link(v4(10, 0, 0, 9), 0, ETH);
	check_hop(v4(8, 8, 8, 8), 0, WAN, gw2);
	check_hop(v4(172, 20, 0, 1), 0, ETH, gw1);
	check_hop(v4(172, 16, 5, 77), 0, WAN, gw3);
	check_hop(v4(172, 16, 5, 77), ETH, ETH, gw1); /* only through eth0 */
	check_no_hop(v4(8, 8, 8, 8), ETH, -TERN_ENETUNREACH);
	check_no_hop(v4(8, 8, 8, 8), 9, -TERN_ENETUNREACH);
	check_no_hop(v6(0x2001, 0xdb8, 1), 0, -TERN_ENETUNREACH); /* the other family */
	finish();
}

static void lowest_metric_then_oldest_wins(void)
{
	struct addr gw[4] = { v4(10, 0, 0, 11), v4(10, 0, 0, 12), v4(10, 0, 0, 13),
			      v4(10, 0, 0, 14) };
	static const uint32_t metric[4] = { 20, 10, 10, 30 };

	start_with_two();
	for (unsigned i = 0; i < 4; i++) {
		struct tern_route r = route(v4(0, 0, 0, 0), 0, ETH, &gw[i]);

		r.metric = metric[i];
		check_eq(route_add(&f.net, &r), 0);
		net_check(&f.net);
	}
	static const unsigned order[4] = { 1, 2, 0, 3 };

	for (unsigned i = 0; i < 4; i++) {
		struct tern_route r = route(v4(0, 0, 0, 0), 0, ETH, &gw[order[i]]);

		check_hop(v4(8, 8, 8, 8), 0, ETH, gw[order[i]]);
		check_eq(route_del(&f.net, &r), 0);
		check_eq(route_del(&f.net, &r), -TERN_ENOENT);
	}
	check_no_hop(v4(8, 8, 8, 8), 0, -TERN_ENETUNREACH);
	finish();
}

static void our_own_addresses_go_through_lo(void)
{
	start_with_two();
	give(ETH, v6(0xfe80, 0, 1), 64);
	check_on_link(v4(10, 0, 0, 1), 0, LO_INDEX);
	check_on_link(v4(10, 0, 0, 1), ETH, LO_INDEX);
	check_on_link(v4(192, 0, 2, 5), 0, LO_INDEX);
	check_on_link(v4(127, 3, 4, 5), 0, LO_INDEX);
	check_on_link(v6(0, 0, 1), 0, LO_INDEX);
	check_on_link(v6(0xfe80, 0, 1), ETH, LO_INDEX);
	check_on_link(v6(0xfe80, 0, 1), WAN, WAN); /* on another link it is somebody else */
	check_no_hop(v4(127, 0, 0, 1), ETH, -TERN_ENETUNREACH);
	finish();
}

static void destinations_of_one_link_need_no_gateway(void)
{
	struct addr gw = v4(10, 0, 0, 254);

	start_with_two();
	check_no_hop(v4(255, 255, 255, 255), 0, -TERN_ENETUNREACH);
	check_on_link(v4(255, 255, 255, 255), WAN, WAN);
	check_on_link(v4(224, 0, 0, 9), WAN, WAN);
	check_on_link(v6(0xff02, 0, 1), ETH, ETH);
	check_on_link(v6(0xfe80, 0, 9), ETH, ETH);
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &gw), 0);
	check_on_link(v4(255, 255, 255, 255), 0, ETH);
	check_on_link(v4(239, 1, 1, 1), 0, ETH);
	check_on_link(v4(10, 0, 0, 255), 0, ETH);
	finish();
}

static void interfaces_that_are_down_are_passed_over(void)
{
	struct addr gw1 = v4(10, 0, 0, 254), gw2 = v4(192, 0, 2, 1);

	start_with_two();
	check_eq(add(v4(172, 16, 0, 0), 12, ETH, &gw1), 0);
	check_eq(add(v4(0, 0, 0, 0), 0, WAN, &gw2), 0);
	iface_get(&f.net, ETH)->cfg.flags |= TERN_IFACE_DOWN;
	check_hop(v4(172, 16, 0, 1), 0, WAN, gw2);
	check_no_hop(v4(172, 16, 0, 1), ETH, -TERN_ENETUNREACH);
	check_no_hop(v4(255, 255, 255, 255), ETH, -TERN_ENETUNREACH);
	finish();
}

static void mtu_is_the_least(void)
{
	static const struct {
		uint32_t route, want;
	} cases[] = {
		{ 0, 1500 },
		{ 1400, 1400 },
		{ 9000, 1500 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct route_key key = { .dst = v4(172, 16, 0, 1) };
		struct addr gw = v4(10, 0, 0, 254);
		struct tern_route r;
		struct hop hop;

		start_with_two();
		r = route(v4(172, 16, 0, 0), 16, ETH, &gw);
		r.mtu = cases[i].route;
		check_eq(route_add(&f.net, &r), 0);
		check_eq(route_lookup(&f.net, &key, &hop), 0);
		check_eq(hop.mtu, cases[i].want);
		finish();
	}
}

static void nonsense_is_refused(void)
{
	struct addr gw = v4(10, 0, 0, 254), far = v4(8, 8, 8, 8), gw6 = v6(0xfe80, 0, 1);
	struct addr group = v4(224, 0, 0, 1), none = v4(0, 0, 0, 0);

	start_with_two();
	check_eq(add(v4(10, 1, 0, 1), 24, ETH, NULL), -TERN_EINVAL); /* bits beyond the prefix */
	check_eq(add(v4(10, 1, 0, 0), 33, ETH, NULL), -TERN_EINVAL);
	check_eq(add(v6(0x2001, 0, 0), 129, ETH, NULL), -TERN_EINVAL);
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &gw6), -TERN_EINVAL); /* families differ */
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &group), -TERN_EINVAL);
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &none), -TERN_EINVAL);
	check_eq(add(v4(0, 0, 0, 0), 0, 9, NULL), -TERN_ENODEV);
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &far), -TERN_ENETUNREACH);
	check_eq(add(v4(0, 0, 0, 0), 0, WAN, &gw), -TERN_ENETUNREACH); /* on the other link */
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &gw), 0);
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &gw), -TERN_EEXIST);
	check_eq(add(v6(0, 0, 0), 0, ETH, &gw6), 0); /* a link-local gateway is always there */
	finish();
}

static void check_hop_from(struct addr src, struct addr dst, unsigned want, struct addr next)
{
	struct route_key key = { .dst = dst, .src = src };
	struct hop hop = { 0 };

	check_eq(route_lookup(&f.net, &key, &hop), 0);
	check_eq(hop.ifindex, want);
	check_mem(&hop.next, &next, sizeof(next));
}

/* Two providers: what bears the address of one goes by its router. */
static void routes_by_source(void)
{
	struct addr here = v4(10, 0, 0, 1), there = v4(192, 0, 2, 5), none = v4(0, 0, 0, 0);
	struct addr gw1 = v4(10, 0, 0, 254), gw2 = v4(192, 0, 2, 1), far = v4(8, 8, 8, 8);
	struct tern_route by_source = route(none, 0, WAN, &gw2), listed;
	unsigned cursor = 0, n = 0;

	start_with_two();
	by_source.src = public(v4(192, 0, 2, 0));
	by_source.src_len = 33;
	check_eq(route_add(&f.net, &by_source), -TERN_EINVAL);
	by_source.src_len = 8; /* bits beyond it */
	check_eq(route_add(&f.net, &by_source), -TERN_EINVAL);
	by_source.src = public(v6(0x2001, 0, 0));
	check_eq(route_add(&f.net, &by_source), -TERN_EINVAL); /* families differ */
	by_source.src = public(v4(192, 0, 2, 0));
	by_source.src_len = 24;
	by_source.metric = 99; /* comes after how much of the source is named */
	check_eq(add(none, 0, ETH, &gw1), 0);
	check_eq(route_add(&f.net, &by_source), 0);
	check_eq(route_add(&f.net, &by_source), -TERN_EEXIST);
	check_hop_from(none, far, ETH, gw1);
	check_hop_from(here, far, ETH, gw1);
	check_hop_from(there, far, WAN, gw2);
	check_hop_from(there, v4(10, 0, 0, 7), ETH, v4(10, 0, 0, 7)); /* the longer prefix first */
	while (route_next(&f.net, &cursor, &listed))
		n += listed.src_len == 24 && listed.src.ip[0] == 192 && listed.metric == 99;
	check_eq(n, 1);
	by_source.src_len = 25;
	check_eq(route_del(&f.net, &by_source), -TERN_ENOENT);
	by_source.src_len = 24;
	check_eq(route_del(&f.net, &by_source), 0);
	check_hop_from(there, far, ETH, gw1);
	finish();
}

/* RFC 1122 3.3.4.2 (B): what bears the address of an interface goes out by it. */
static void strong_host(void)
{
	struct addr here = v4(10, 0, 0, 1), there = v4(192, 0, 2, 5), none = v4(0, 0, 0, 0);
	struct addr gw1 = v4(10, 0, 0, 254), gw2 = v4(192, 0, 2, 1), far = v4(8, 8, 8, 8), got;
	struct route_key key = { .dst = far, .src = there };
	struct hop hop;

	start_with_two();
	check_eq(add(none, 0, ETH, &gw1), 0);
	check_hop_from(there, far, ETH, gw1);
	check_eq(source_select(&f.net, &far, ETH, &got), 0);
	f.cfg.strong_host = 1;
	check_eq(route_lookup(&f.net, &key, &hop), -TERN_ENETUNREACH);
	check_eq(add(none, 0, WAN, &gw2), 0);
	check_hop_from(there, far, WAN, gw2);
	check_hop_from(here, far, ETH, gw1);
	check_hop_from(there, here, LO_INDEX, here); /* to ourselves */
	check_eq(ifaddr_del(&f.net, ETH, &here), 0);
	check_eq(source_select(&f.net, &far, ETH, &got), -TERN_EADDRNOTAVAIL);
	f.cfg.strong_host = 0;
	check_eq(source_select(&f.net, &far, ETH, &got), 0);
	check_mem(&got, &there, sizeof(got));
	finish();
}

static void limit_of_routes_holds(void)
{
	unsigned n = 0;

	start_with_two();
	while (add(v4(172, (uint8_t)(16 + n), 0, 0), 16, ETH, NULL) == 0)
		n++;
	check_eq(f.net.n_routes, f.cfg.routes_max);
	check_eq(add(v4(9, 0, 0, 0), 8, ETH, NULL), -TERN_ENOMEM);
	check_eq(iface_del(&f.net, ETH), 0);
	check_no_hop(v4(172, 16, 0, 1), 0, -TERN_ENETUNREACH);
	finish();
}

static void routes_can_be_listed(void)
{
	struct addr gw = v4(10, 0, 0, 254);
	unsigned cursor = 0, n = 0, n_defaults = 0, seen[129] = { 0 };
	struct tern_route r;

	start_with_two();
	check_eq(add(v4(0, 0, 0, 0), 0, ETH, &gw), 0);
	for (; route_next(&f.net, &cursor, &r); n++) {
		seen[r.prefix_len]++;
		check_eq(route_add(&f.net, &r), -TERN_EEXIST);
		n_defaults += r.prefix_len == 0 && r.gateway.family == TERN_AF_INET &&
			      r.gateway.ip[3] == 254;
	}
	check_eq(n, f.net.n_routes);
	check_eq(n_defaults, 1);
	check(seen[0] == 1 && seen[24] == 1 && seen[28] == 1);
	finish();
}

/* What the user says takes the place of what was learned, which comes back in no way. */
static void static_wins(void)
{
	struct addr gw = v4(10, 0, 0, 254), far = v4(172, 16, 0, 1);
	struct tern_route r = route(v4(172, 16, 0, 0), 16, ETH, &gw);
	uint32_t before;

	start_with_two();
	before = f.net.n_routes;
	r.origin = TERN_ORIGIN_DHCP4;
	check_eq(route_add(&f.net, &r), 0);
	r.origin = TERN_ORIGIN_STATIC;
	check_eq(route_add(&f.net, &r), 0);
	check_eq(f.net.n_routes, before + 1);
	r.origin = TERN_ORIGIN_DHCP4;
	check_eq(route_add(&f.net, &r), -TERN_EEXIST);
	check_eq(route_del(&f.net, &r), 0);
	check_eq(f.net.n_routes, before);
	check_no_hop(far, 0, -TERN_ENETUNREACH);
	finish();
}

/* RFC 4861 6.3.5: what was learned ends in time, whoever is the first; and says when. */
static void learned_routes_end(void)
{
	tern_time now;

	start_with_two();
	now = f.net.timers->now;
	for (unsigned i = 0; i < 3; i++) {
		struct route_lease lease = { .max = 3, .until = now + (i == 1 ? 5 : 9) * TERN_SEC };

		lease.route = route(v4(172, (uint8_t)(16 + i), 0, 0), 16, ETH, NULL);
		lease.route.origin = TERN_ORIGIN_RA;
		route_learn(&f.net, &lease);
	}
	check_eq(route_expire(&f.net), now + 5 * TERN_SEC);
	f.timers.now = now + 5 * TERN_SEC;
	check_eq(route_expire(&f.net), now + 9 * TERN_SEC);
	check_no_hop(v4(172, 17, 0, 1), 0, -TERN_ENETUNREACH);
	check_hop(v4(172, 16, 0, 1), 0, ETH, v4(172, 16, 0, 1));
	f.timers.now = now + 9 * TERN_SEC;
	check_eq(route_expire(&f.net), TERN_NEVER);
	finish();
}

/* Many random routes against a search of all of them. */
static void agrees_with_a_plain_search(void)
{
	static struct {
		struct addr prefix, gw;
		unsigned len;
		uint32_t metric;
	} all[40];
	static const unsigned lens[] = { 0, 8, 12, 16, 20, 24, 32 };
	unsigned n = 0;

	start_with_two();
	while (n < N_TESTS(all)) {
		struct tern_route r;
		uint32_t ip = 0xac100000 + (rand_u32(&f.rand) & 0x3ffff);

		all[n].len = lens[rand_below(&f.rand, N_TESTS(lens))];
		ip = all[n].len ? ip & ~(uint32_t)(((uint64_t)1 << (32 - all[n].len)) - 1) : 0;
		all[n].prefix = v4((uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
				   (uint8_t)ip);
		all[n].metric = (uint32_t)rand_below(&f.rand, 3);
		all[n].gw = v4(10, 0, 0, (uint8_t)(100 + n));
		r = route(all[n].prefix, all[n].len, ETH, &all[n].gw);
		r.metric = all[n].metric;
		check_eq(route_add(&f.net, &r), 0);
		n++;
	}
	for (unsigned k = 0; k < 2000; k++) {
		uint32_t ip = rand_u32(&f.rand) & 0x3ffff;
		struct addr dst =
			v4(172, (uint8_t)(16 + (ip >> 16)), (uint8_t)(ip >> 8), (uint8_t)ip);
		int best = -1;

		for (unsigned i = 0; i < n; i++) {
			if (!addr_in_prefix(&dst, &all[i].prefix, all[i].len))
				continue;
			if (best < 0 || all[i].len > all[best].len ||
			    (all[i].len == all[best].len && all[i].metric < all[best].metric))
				best = (int)i;
		}
		if (best >= 0)
			check_hop(dst, 0, ETH, all[best].gw);
		else
			check_no_hop(dst, 0, -TERN_ENETUNREACH);
	}
	finish();
}

static void check_source(struct addr dst, unsigned ifindex, struct addr want)
{
	struct addr got;

	check_eq(source_select(&f.net, &dst, ifindex, &got), 0);
	check_mem(&got, &want, sizeof(want));
}

static void source_of_ipv4(void)
{
	struct addr dst = v4(8, 8, 8, 8), got;

	start();
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
	check_eq(add_iface("wan0", TERN_LINK_ETHERNET, 0), WAN);
	check_eq(source_select(&f.net, &dst, ETH, &got), -TERN_EADDRNOTAVAIL);
	check_source(v4(127, 0, 0, 9), LO_INDEX, v4(127, 0, 0, 1));
	give(ETH, v4(10, 0, 0, 1), 24);
	give(ETH, v4(10, 0, 7, 1), 24);
	check_source(v4(8, 8, 8, 8), ETH, v4(10, 0, 0, 1));	  /* the first */
	check_source(v4(10, 0, 7, 9), ETH, v4(10, 0, 7, 1));	  /* the prefix fits */
	check_source(v4(8, 8, 8, 8), WAN, v4(10, 0, 0, 1));	  /* of any interface */
	check_source(v4(10, 0, 7, 1), LO_INDEX, v4(10, 0, 7, 1)); /* to ourselves */
	check_source(v4(255, 255, 255, 255), ETH, v4(10, 0, 0, 1));
	finish();
}

static void source_of_ipv6(void)
{
	const struct addr link_eth = v6(0xfe80, 0, 1), link_wan = v6(0xfe80, 0, 2);
	const struct addr global_eth = v6(0x2001, 0xdb8, 1), global_wan = v6(0x2001, 0xdb9, 1);
	const struct addr second = v6(0x2002, 0xc000, 1), ula = v6(0xfd00, 1, 1);
	struct addr dst = v6(0x2001, 0xdb8, 9), got;

	start();
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
	check_eq(add_iface("wan0", TERN_LINK_ETHERNET, 0), WAN);
	check_eq(source_select(&f.net, &dst, ETH, &got), -TERN_EADDRNOTAVAIL); /* not ::1 */
	give(ETH, link_eth, 64);
	give(ETH, global_eth, 64);
	give(ETH, second, 64);
	give(ETH, ula, 64);
	give(WAN, link_wan, 64);
	give(WAN, global_wan, 64);
	check_source(second, LO_INDEX, second);		  /* rule 1 */
	check_source(v6(0, 0, 1), LO_INDEX, v6(0, 0, 1)); /* rule 1 */
	check_source(v6(0xfe80, 0, 9), ETH, link_eth);	  /* rule 2: the scope fits */
	check_source(v6(0xfe80, 0, 9), WAN, link_wan);
	check_source(v6(0xff02, 0, 1), WAN, link_wan);
	check_source(v6(0xff05, 0, 3), WAN, global_wan);     /* rule 2: wide enough */
	check_source(v6(0x2001, 0xdb8, 9), WAN, global_wan); /* rule 5 before rule 8 */
	check_source(v6(0x2001, 0xdb9, 9), ETH, global_eth); /* rule 5 */
	check_source(v6(0x2002, 0xc001, 9), ETH, second);    /* rule 8 */
	check_source(v6(0x2001, 0xdbf, 9), ETH, global_eth); /* rule 8 */
	check_source(v6(0xfd00, 2, 9), ETH, ula);	     /* rule 8 */
	check_eq(ifaddr_del(&f.net, WAN, &global_wan), 0);
	check_source(v6(0x2001, 0xdb8, 9), WAN, global_eth); /* rule 2 before rule 5 */
	check_eq(ifaddr_del(&f.net, WAN, &link_wan), 0);
	dst = v6(0xfe80, 0, 9);
	check_eq(source_select(&f.net, &dst, WAN, &got), -TERN_EADDRNOTAVAIL);
	finish();
}

static void scope_decides_in_either_order(void)
{
	const struct addr link = v6(0xfe80, 0, 1), site = v6(0xfec0, 0, 1);
	const struct addr global = v6(0x2001, 0xdb8, 1);

	for (unsigned order = 0; order < 2; order++) {
		start();
		check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
		give(ETH, order ? link : global, 64);
		give(ETH, site, 64);
		give(ETH, order ? global : link, 64);
		check_source(v6(0xfe80, 0, 9), ETH, link);
		check_source(v6(0xff02, 0, 9), ETH, link);
		check_source(v6(0xff05, 0, 9), ETH, site);
		check_source(v6(0xff0e, 0, 9), ETH, global);
		check_source(v6(0x2abc, 0, 9), ETH, global);
		finish();
	}
}

/* Rule 8 counts no further than the prefix of the source, ties go to the oldest. */
static void common_bits_stop_at_the_prefix(void)
{
	struct addr a = v6(0x2001, 0xdb8, 0x1000), b = v6(0x2001, 0xdb8, 0x0008);

	start();
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
	give(ETH, a, 64);
	give(ETH, b, 64);
	check_source(v6(0x2001, 0xdb8, 0x0009), ETH, a);
	finish();
}

static const struct test tests[] = {
	TEST(longest_prefix_wins),
	TEST(lowest_metric_then_oldest_wins),
	TEST(our_own_addresses_go_through_lo),
	TEST(destinations_of_one_link_need_no_gateway),
	TEST(interfaces_that_are_down_are_passed_over),
	TEST(mtu_is_the_least),
	TEST(nonsense_is_refused),
	TEST(routes_by_source),
	TEST(strong_host),
	TEST(limit_of_routes_holds),
	TEST(routes_can_be_listed),
	TEST(static_wins),
	TEST(learned_routes_end),
	TEST(agrees_with_a_plain_search),
	TEST(source_of_ipv4),
	TEST(source_of_ipv6),
	TEST(scope_decides_in_either_order),
	TEST(common_bits_stop_at_the_prefix),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
