/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_flood_test.c - silence, strays and collisions: SEC-108, SEC-131, SEC-132, SEC-133, SEC-135.
 */
#include "../../core/stack/stack.h"
#include "attack_fixture.h"

/* ---- SEC-108, SEC-133: silence ---- */

static void brings_into(unsigned state, struct client *c)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 7);
	struct heard r;

	if (state == TERN_TCP_SYN_SENT) {
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &c->sock);
		tern_connect(st, c->sock, &to);
		return;
	}
	if (state == TERN_TCP_SYN_RECEIVED) {
		shoot(&(struct shot){ .ip = c->ip, .port = c->port, .flags = TCP_SYN });
		return;
	}
	check(enter(c, listener));
	if (state == TERN_TCP_CLOSE_WAIT || state == TERN_TCP_LAST_ACK)
		say(c, TCP_FIN, 0);
	if (state == TERN_TCP_ESTABLISHED || state == TERN_TCP_CLOSE_WAIT) {
		tern_send(st, c->sock, "text", 4, 0);
		return;
	}
	tern_close(st, c->sock);
	hear_all(&r);
	if (state == TERN_TCP_CLOSING)
		say(c, TCP_FIN, 0);
	c->rcv++;
	if (state == TERN_TCP_FIN_WAIT_2)
		say(c, 0, 0);
	if (state == TERN_TCP_TIME_WAIT)
		say(c, TCP_FIN, 0);
}

/* Every state has an end when the peer is silent; the longest is R2, a quarter of an hour. */
static void every_state_is_left(void)
{
	for (unsigned s = TERN_TCP_SYN_SENT; s < TERN_TCP_N_STATES; s++) {
		struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
		struct tern_sock_info info = { 0 };
		uint64_t cursor = 0;

		if (s == TERN_TCP_LISTEN)
			continue;
		test_at("%s", tern_tcp_state_name((enum tern_tcp_state)s));
		small_world(8 * MIB);
		brings_into(s, &c);
		while (tern_sock_next(st, &cursor, &info) && info.state == TERN_TCP_LISTEN)
			continue;
		check_eq(info.state, s);
		for (int i = 0; i < 1200 && n_streams(); i++) {
			hear_all(NULL);
			pass(TERN_SEC);
			close_failed();
		}
		check_eq(n_streams(), 0);
		end_world();
	}
}

/* A peer that says the wrong thing over and over in LAST-ACK (CVE-2015-5358) keeps nothing. */
static void nonsense_keeps_no_state(void)
{
	for (unsigned s = TERN_TCP_FIN_WAIT_1; s < TERN_TCP_N_STATES; s++) {
		struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };

		test_at("%s", tern_tcp_state_name((enum tern_tcp_state)s));
		if (s == TERN_TCP_CLOSE_WAIT)
			continue; /* the user's to leave */
		small_world(8 * MIB);
		brings_into(s, &c);
		for (int i = 0; i < 1200 && n_streams(); i++) {
			static const uint16_t flags[] = { TCP_ACK, TCP_ACK | TCP_FIN, 0,
							  TCP_ACK | TCP_PSH };

			hear_all(NULL);
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = flags[i % 4],
					      .seq = c.nxt - (uint32_t)(i % 3),
					      .ack = c.rcv - 1 + (i % 5 == 4 ? 5 : 0),
					      .wnd = i % 7 ? 0 : NO_WINDOW });
			pass(TERN_SEC);
		}
		/* each FIN again keeps TIME-WAIT, whose records are few and small (3.10.7.4) */
		pass(61 * TERN_SEC);
		check_eq(n_streams(), 0);
		end_world();
	}
}

/* ---- SEC-131: the table of names ---- */

/* The longest chain of the table of names. */
static unsigned longest_chain(void)
{
	const struct table *t = &st->ss.tuples;
	unsigned longest = 0;

	for (uint32_t i = 0; i < t->n_buckets; i++) {
		unsigned n = 0;

		if (t->old && (i & (t->n_old - 1)) >= t->moved)
			continue;
		for (const struct table_node *node = t->buckets[i]; node; node = node->next)
			n++;
		longest = longest > n ? longest : n;
	}
	return longest;
}

/* Names with the least of entropy, as a stranger may choose them: they scatter, under every key. */
static void names_scatter(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		for (int how = 0; how < 3; how++) {
			test_at("seed %d, choice %d", (int)seed, how);
			default_world();
			config.half_open_max = 65535;
			config.somaxconn = 65535;
			config.tcp_syncookies = 0;
			new_world(seed, TERN_SEC);
			listener = listen_at(PORT, 65535);
			for (uint32_t i = 0; i < 40000; i++) {
				uint32_t ip = 0x0a100000 + (how == 0 ? i / 50000 :
							    how == 1 ? i :
								       i << 8);
				uint16_t port = (uint16_t)(how == 0 ? 1024 + i : 1024);

				shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_SYN });
				if (i % 64 == 0)
					hear_all(NULL);
			}
			check(n_streams() >= 30000 || how == 2);
			check(longest_chain() <= 14);
			hear_all(NULL);
			end_world();
		}
	}
}

/* The same names have other places under another key: what collides here does not there. */
static void places_are_secret(void)
{
	static uint32_t place[2][5000];
	unsigned n_same = 0;

	for (int w = 0; w < 2; w++) {
		default_world();
		config.half_open_max = 65535;
		new_world(7 + (uint64_t)w, TERN_SEC);
		listener = listen_at(PORT, 4000);
		for (uint32_t i = 0; i < 3000; i++) {
			shoot(&(struct shot){ .ip = 0x0a100000 + i, .port = 9, .flags = TCP_SYN });
			hear_all(NULL);
			check(st->ss.recent != NULL);
			place[w][i] = st->ss.recent->node.hash;
		}
		end_world();
	}
	for (int i = 0; i < 3000; i++)
		n_same += (place[0][i] & 1023) == (place[1][i] & 1023);
	check(n_same < 20); /* 3 by chance */
}

/* ---- SEC-132: strays ---- */

static void strays(void)
{
	struct client good = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	static const uint16_t flags[] = { TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK };
	uint64_t used;

	small_world(8 * MIB);
	check(enter(&good, listener));
	hear_all(NULL);
	used = tern_memory(st);
	for (int i = 0; i < 400000; i++) {
		bool is_rst = flags[i % 4] & TCP_RST;

		shoot(&(struct shot){ .ip = 0x0a000000 + draw() % 0xffff00 + 0x80,
				      .port = (uint16_t)(1024 + draw() % 60000),
				      .to_port = (uint16_t)(1 + draw() % 65000),
				      .flags = flags[i % 4],
				      .seq = draw(),
				      .ack = draw() });
		check(hear_all(NULL) <= !is_rst); /* one RST at most, and none for a RST */
	}
	check_eq(n_streams(), 1);
	check_eq(tern_memory(st), used);
	say(&good, 0, 5);
	check_eq(tern_recv(st, good.sock, (char[5]){ 0 }, 5, 0), 5);
	end_world();
}

/* ---- SEC-135 ---- */

/* A timer passes in time although packets come without end: input never waits for itself. */
static void timers_run_in_a_flood(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	struct heard r;
	tern_time sent_at, again_at = 0;

	small_world(8 * MIB);
	check(enter(&c, listener));
	tern_send(st, c.sock, "text", 4, 0);
	hear_all(NULL);
	sent_at = now;
	for (int i = 0; i < 200000 && !again_at; i++) {
		shoot(&(struct shot){
			.ip = 0x0a100000 + draw() % 9999, .port = 9, .flags = TCP_SYN });
		if (i % 4 == 0)
			pass(100 * TERN_US);
		while (hear(&r))
			if (r.ip == c.ip && r.len == 4 && now > sent_at)
				again_at = now;
	}
	check(again_at > 0);
	check(again_at - sent_at <= 1000 * TERN_MS + 10 * TERN_MS);
	end_world();
}

static const struct test tests[] = {
	TEST(every_state_is_left),   TEST(nonsense_keeps_no_state), TEST(strays),
	TEST(timers_run_in_a_flood), TEST(names_scatter),	    TEST(places_are_secret),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
