/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_identity_test.c - numbers, clocks, ports and names that nobody can guess or take: SEC-85, SEC-113 to
 * SEC-116.
 */
#include "attack_fixture.h"

#define ATTACKER 0x0a000303u

/* ---- SEC-85: initial numbers ---- */

enum { N_ISNS = 100000 };
static uint32_t isns[N_ISNS];

static uint32_t isn_for(uint32_t ip, uint16_t port)
{
	struct heard r;

	shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_SYN, .seq = 1 });
	check(hear(&r));
	shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_RST, .seq = 2 });
	return r.h.seq;
}

/* Neither a number nor the step from one to the next has a preference, bit by bit. */
static void initial_numbers_look_random(void)
{
	plain_world();
	for (uint32_t i = 0; i < N_ISNS; i++)
		isns[i] = isn_for(0x0a100000 + i / 1000, (uint16_t)(1024 + i % 1000));
	for (int bit = 0; bit < 32; bit++) {
		int n_set = 0, n_flipped = 0;

		test_at("bit %d", bit);
		for (int i = 1; i < N_ISNS; i++) {
			n_set += isns[i] >> bit & 1;
			n_flipped += (isns[i] - isns[i - 1]) >> bit & 1;
		}
		check(n_set > N_ISNS / 2 - 1000 && n_set < N_ISNS / 2 + 1000); /* 6 sigma */
		check(n_flipped > N_ISNS / 2 - 1000 && n_flipped < N_ISNS / 2 + 1000);
	}
	end_world();
}

/* Guesses by what one has seen: the last, the last step again, the number of the same port. */
static void initial_numbers_are_not_predicted(void)
{
	unsigned n_near = 0;

	for (int i = 2; i < N_ISNS; i++) {
		uint32_t guess[] = { isns[i - 1], 2 * isns[i - 1] - isns[i - 2],
				     i >= 1000 ? isns[i - 1000] : isns[0] };

		for (size_t k = 0; k < 3; k++) /* within a window of 64 KiB: 1 in 32768 by chance */
			n_near += isns[i] - guess[k] + 65536 < 131072;
	}
	check(n_near < 40); /* 9 are expected */
}

/* The same names again later: a higher number, by the clock of 4 us. */
static void initial_numbers_rise_for_a_tuple(void)
{
	uint32_t last, isn;

	plain_world();
	last = isn_for(ATTACKER, 9);
	for (int i = 0; i < 1000; i++) {
		tern_time step = (1 + draw() % 1000000) * 4 * TERN_US;

		pass(step);
		isn = isn_for(ATTACKER, 9);
		check_eq((uint32_t)(isn - last), step / (4 * TERN_US));
		last = isn;
	}
	end_world();
}

/* ---- SEC-113: timestamps ---- */

static uint32_t ts_val_for(uint32_t ip, uint16_t port)
{
	static const struct tcp_hdr options = { .has_ts = true, .ts_val = 1 };
	struct heard r;

	shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_SYN, .options = &options });
	check(hear(&r));
	shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_RST, .seq = 1 });
	return r.h.ts_val;
}

/* Two connections have clocks that have nothing to do with each other, nor with the time of day. */
static void timestamp_clocks_are_unrelated(void)
{
	unsigned n_near = 0, n_high = 0;
	uint32_t last = 0, first;

	plain_world();
	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t v = ts_val_for(0x0a100000 + i % 64, (uint16_t)(1024 + i / 64));

		n_near += v - last + 65536 < 131072;
		n_high += v >> 31;
		last = v;
	}
	check(n_near < 8);
	check(n_high > 4700 && n_high < 5300);
	first = ts_val_for(ATTACKER, 9);
	pass(12345 * TERN_MS);
	check_eq((uint32_t)(ts_val_for(ATTACKER, 9) - first), 12345); /* one goes evenly */
	end_world();
}

/* ---- SEC-114, SEC-115: ports that we choose ---- */

static uint16_t port_towards(uint32_t ip, uint16_t port, tern_sock *s)
{
	struct tern_addr to = { .family = TERN_AF_INET, .port = port }, from = { 0 };

	put_be32(to.ip, ip);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, s);
	if (tern_connect(st, *s, &to) != -TERN_EINPROGRESS)
		return 0;
	tern_getsockname(st, *s, &from);
	return from.port;
}

/* The port for one destination says nothing of that for another, nor of another stack's. */
static void chosen_ports_are_spread(void)
{
	uint16_t port[2][400];
	unsigned n_near = 0, n_same = 0;

	for (int w = 0; w < 2; w++) {
		default_world();
		new_world(7 + (uint64_t)w, TERN_SEC);
		for (uint32_t i = 0; i < 400; i++) {
			tern_sock s;

			port[w][i] = port_towards(0x0a100000 + i, 80, &s);
			check(port[w][i] >= config.port_min && port[w][i] <= config.port_max);
			tern_abort(st, s);
			hear_all(NULL);
		}
		end_world();
	}
	for (int i = 1; i < 400; i++) {
		n_near += (uint16_t)(port[0][i] - port[0][i - 1] + 8) < 16;
		n_same += port[0][i] - port[0][i - 1] == port[1][i] - port[1][i - 1];
	}
	check(n_near < 8); /* 400 * 16 / 28232 by chance: less than one */
	check(n_same < 4);
}

/* Every port is used towards one peer, then there is none; another peer has as many again. */
static void all_ports_are_used(void)
{
	tern_sock s, held = 0;

	default_world();
	config.port_min = 40000;
	config.port_max = 44999;
	new_world(7, TERN_SEC);
	for (int peer = 0; peer < 2; peer++) {
		static bool seen[65536];

		memset(seen, 0, sizeof(seen));
		for (int i = 0; i < 5000; i++) {
			uint16_t p = port_towards(0x0a000009 + (uint32_t)peer, 80, &s);

			if (i == 2500)
				held = s;
			check(p >= 40000 && p < 45000 && !seen[p]);
			seen[p] = true;
		}
		check_eq(port_towards(0x0a000009 + (uint32_t)peer, 80, &s), 0);
		tern_close(st, s);
		tern_abort(st, held); /* the one that is free is found */
		hear_all(NULL);
		check(port_towards(0x0a000009 + (uint32_t)peer, 80, &s) != 0);
		hear_all(NULL);
	}
	end_world();
}

/* ---- SEC-116: names that collide ---- */

/* However many are bound to addresses of their own: the wildcard collides, and so does each. */
static void wildcards_collide(void)
{
	for (unsigned n = 1; n <= 64; n += n < 12 ? 1 : 26) {
		for (int reuse = 0; reuse < 2; reuse++) {
			struct tern_addr any = { .family = TERN_AF_INET, .port = 8080 };
			int32_t on = reuse;
			tern_sock s;

			test_at("%u sockets, SO_REUSEADDR %d", n, reuse);
			default_world();
			config.addresses_max = 100;
			new_world(7, TERN_SEC);
			for (unsigned i = 0; i < n; i++) {
				struct tern_addr a = tern_ip4(10, 0, 1, (uint8_t)(1 + i), 8080);

				a.port = 0;
				check_eq(tern_addr_add(st, 2, &a, 8), 0);
				a.port = 8080;
				tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
				tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &on, 4);
				check_eq(tern_bind(st, s, &a), 0);
				check_eq(tern_listen(st, s, 1), 0);
				tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
				tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &on, 4);
				check_eq(tern_bind(st, s, &a), -TERN_EADDRINUSE);
			}
			tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
			tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &on, 4);
			check_eq(tern_bind(st, s, &any), -TERN_EADDRINUSE);
			end_world();
		}
	}
}

static const struct test tests[] = {
	TEST(initial_numbers_look_random),
	TEST(initial_numbers_are_not_predicted),
	TEST(initial_numbers_rise_for_a_tuple),
	TEST(timestamp_clocks_are_unrelated),
	TEST(chosen_ports_are_spread),
	TEST(all_ports_are_used),
	TEST(wildcards_collide),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
