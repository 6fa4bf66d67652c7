/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps_test.c - what a look-up costs with 100 000 entries: members of hash chains that are looked
 * at, and for routes the lengths of prefixes that are tried. The figures are printed.
 */
#include "../../core/net/frag.h"
#include "net_fixture.h"

#include <stdlib.h>

enum { ETH = 2, N = 100000 };

static struct addr nth4(uint32_t i)
{
	return v4(11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
}

static void start_large(void)
{
	start();
	f.mem.max = 1 << 27;
	f.cfg.routes_max = f.cfg.neighbours_max = N + 10;
	f.cfg.frag_memory_max = f.cfg.frag_source_max = 1 << 26;
	f.cfg.frag_time_ms = 60000;
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
}

/* Each member's place in its chain: on average, and at most. */
static void report(const char *what, const struct table *t, unsigned n_probes)
{
	uint32_t *n_in = calloc(t->n_buckets, sizeof(*n_in));
	uint64_t cursor = 0, sum = 0;
	uint32_t most = 0;
	struct table_node *n;

	while ((n = table_walk(t, &cursor))) {
		uint32_t place = ++n_in[n->hash & (t->n_buckets - 1)];

		sum += place;
		most = place > most ? place : most;
	}
	free(n_in);
	printf("%s: %u entries, %u probes of %u.%02u steps each, at most %u\n", what, t->n,
	       n_probes, (unsigned)(sum / t->n), (unsigned)(sum * 100 / t->n % 100), most);
	check(t->n >= N);
	check(sum < (uint64_t)2 * t->n && most < 16);
}

static void neighbours(void)
{
	bool ready;

	start_large();
	for (uint32_t i = 0; i < N; i++) {
		struct addr a = nth4(i);

		check(neigh_resolve(&f.net, ETH, &a, &ready));
	}
	report("neighbours", &f.net.neighs, 1);
	finish();
}

static void fragments(void)
{
	struct frag_set *whole;
	uint8_t bytes[8] = { 0 }, hdr[20] = { 0x45 };

	start_large();
	for (uint32_t i = 0; i < N; i++) {
		struct frag first = { .key = { nth4(i % 1000), v4(10, 0, 0, 1), i, 17, 0 },
				      .hdr = hdr,
				      .hdr_len = sizeof(hdr),
				      .bytes = bytes,
				      .len = sizeof(bytes),
				      .ifindex = ETH };

		check_eq(frag_put(&f.net, &first, &whole), TERN_DROP_NONE);
	}
	report("datagrams in fragments", &f.net.frag_sets, 1);
	finish();
}

/* 100 000 prefixes of 40 lengths; each is found. */
static void routes(void)
{
	struct addr own = v6(0x3000, 0, 1), gw = v6(0x3000, 0, 2);
	struct tern_route r = { .gateway = public(gw), .ifindex = ETH };
	unsigned n_lens = 0;

	start_large();
	check_eq(ifaddr_add(&f.net, ETH, &own, 64), 0);
	for (uint32_t i = 0; i < N; i++) {
		r.dst = public(v6((uint16_t)(0x2000 | i >> 8), (uint16_t)(i << 8), 0));
		r.prefix_len = 24 + i % 40;
		r.mtu = 1280 + i % 99;
		check_eq(route_add(&f.net, &r), 0);
	}
	for (uint32_t i = 0; i < N; i++) {
		struct route_key key = { .dst = v6((uint16_t)(0x2000 | i >> 8), (uint16_t)(i << 8),
						   9) };
		struct hop hop = { .mtu = 0 };

		check_eq(route_lookup(&f.net, &key, &hop), 0);
		check_eq(hop.mtu, 1280 + i % 99);
	}
	for (unsigned len = 0; len <= 128; len++)
		n_lens += f.net.n_routes6[len] > 0;
	report("routes", &f.net.route_table, n_lens);
	finish();
}

static const struct test tests[] = { TEST(neighbours), TEST(fragments), TEST(routes) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
