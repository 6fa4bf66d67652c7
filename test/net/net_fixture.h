/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_fixture.h - a struct net of its own for each test function, over memory that is counted, and
 * short ways to write addresses.
 */
#ifndef TERN_NET_FIXTURE_H
#define TERN_NET_FIXTURE_H

#include "../../core/net/net.h"
#include "test.h"

struct fixture {
	struct test_env world;
	struct mem mem;
	struct timers timers;
	struct rand rand;
	struct net_config cfg;
	struct net net;
};

static struct fixture f;

static inline struct addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t ip[4] = { a, b, c, d };

	return addr_from4(ip);
}

/* a:b::last */
static inline struct addr v6(uint16_t a, uint16_t b, uint16_t last)
{
	uint8_t ip[16] = { 0 };

	put_be16(ip, a);
	put_be16(ip + 2, b);
	put_be16(ip + 14, last);
	return addr_from6(ip);
}

static inline struct tern_addr public(struct addr a)
{
	struct tern_addr t;

	addr_to_public(&t, &a, 0);
	return t;
}

static inline unsigned add_iface(const char *name, uint32_t link, unsigned index)
{
	struct tern_iface cfg = { .link = link, .mtu = 1500, .mac = { 2 } };
	int got;

	strncpy(cfg.name, name, sizeof(cfg.name) - 1);
	got = iface_add(&f.net, &cfg, index);
	check(got > 0);
	return (unsigned)got;
}

/* lo with its addresses. */
static inline void start(void)
{
	struct net_parts parts = { &f.mem, &f.timers, &f.rand, &f.cfg, 77, 78, 79, 80, 81, 82, 83 };
	struct tern_env env;
	struct addr a;

	memset(&f, 0, sizeof(f));
	f.world.fill = 0xc3;
	env = test_env_make(&f.world, 1);
	mem_init(&f.mem, env.alloc, env.free, env.ctx, 1 << 24);
	timers_init(&f.timers, 1000 * TERN_SEC);
	rand_init(&f.rand, env.seed, 0);
	f.cfg = (struct net_config){ .neighbours_max = 8,
				     .neighbour_queue_max = 3,
				     .neighbour_reachable_ms = 30000,
				     .neighbour_delay_ms = 5000,
				     .routes_max = 50,
				     .addresses_max = 20,
				     .icmp_ratelimit_ms = 10,
				     .icmp_burst = 40 };
	check(net_init(&f.net, &parts));
	add_iface("lo", TERN_LINK_LOOPBACK, LO_INDEX);
	a = v4(127, 0, 0, 1);
	check_eq(ifaddr_add(&f.net, LO_INDEX, &a, 8), 0);
	a = v6(0, 0, 1);
	check_eq(ifaddr_add(&f.net, LO_INDEX, &a, 128), 0);
}

static inline void finish(void)
{
	net_check(&f.net);
	net_fini(&f.net);
	mem_fini(&f.mem);
	check_eq(f.world.out, 0);
}

#endif
