/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_exhaust_test.c - peers that take and do not give: SEC-97, SEC-108, SEC-109, SEC-122, SEC-125,
 * SEC-126, SEC-129, SEC-130, SEC-131, SEC-132, SEC-133, SEC-134, SEC-135.
 *
 * What must hold: memory stays below what the configuration says, honest clients are served beside
 * the attack, and when it is over nothing of it is left.
 */
#include "attack_fixture.h"

enum { MIB = 1 << 20 };

static void small_world(uint64_t memory)
{
	default_world();
	config.memory_max = memory;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 128);
}

/* Serves this many honest clients; how many got all. */
static unsigned serve(unsigned n, uint32_t first)
{
	unsigned n_served = 0;

	for (unsigned i = 0; i < n; i++)
		n_served += is_served(listener, 0x0a700000 + first + i, 5000, 4000);
	return n_served;
}

/* ---- SEC-122: zero windows ---- */

/* It asks for much and shows no room, for ever; its probes are answered. */
static bool attack_with_zero_window(uint32_t ip)
{
	struct client c = { .ip = ip, .port = 1000, .nxt = 1 };
	static const uint8_t bytes[20000];

	hear_all(NULL);
	if (!enter(&c, listener))
		return false;
	shoot(&(struct shot){ .ip = ip,
			      .port = c.port,
			      .flags = TCP_ACK,
			      .seq = c.nxt,
			      .ack = c.rcv,
			      .wnd = NO_WINDOW });
	return tern_send(st, c.sock, bytes, sizeof(bytes), 0) > 0;
}

static void zero_windows(void)
{
	unsigned n_served = 0;

	small_world(8 * MIB);
	for (uint32_t i = 0; i < 10000; i++) {
		attack_with_zero_window(0x0a100000 + i);
		close_failed();
		check(tern_memory(st) <= 8 * MIB);
		if (i % 100 == 99)
			n_served += serve(1, i);
		if (i % 10 == 0)
			pass(TERN_MS);
	}
	check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 1000);
	check_eq(n_served, 100);
	end_world();
}

/* The peer that shows no room the longest gives way, and not one that reads. */
static void longest_stalled_gives_way(void)
{
	struct client good = { .ip = 0x0a000707, .port = 7, .nxt = 1 };

	small_world(4 * MIB);
	check(enter(&good, listener));
	for (uint32_t i = 0; i < 2000; i++) {
		attack_with_zero_window(0x0a100000 + i);
		pass(TERN_MS);
	}
	check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 0);
	check(say(&good, 0, 5));
	check_eq(tern_recv(st, good.sock, (char[5]){ 0 }, 5, 0), 5);
	end_world();
}

/* ---- SEC-129: text ahead of a gap that is never filled ---- */

static void holes(void)
{
	unsigned n_served = 0;

	small_world(8 * MIB);
	for (uint32_t i = 0; i < 3000; i++) {
		struct client c = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		hear_all(NULL);
		if (enter(&c, listener)) {
			c.nxt++; /* the first byte never comes */
			for (int k = 0; k < 20; k++)
				say(&c, 0, 1400);
		}
		close_failed();
		check(tern_memory(st) <= 8 * MIB);
		if (i % 100 == 99)
			n_served += serve(1, i);
		if (i % 10 == 0)
			pass(TERN_MS);
	}
	check(tern_counter(st, "TcpExtOfoPruned") > 100);
	check_eq(n_served, 30);
	end_world();
}

/* What was forgotten is asked for again: the stream is whole. */
static void a_forgotten_hole_is_filled_again(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	uint8_t buf[4000];
	struct heard r;

	small_world(4 * MIB);
	check(enter(&c, listener));
	c.nxt += 1000;
	say(&c, 0, 1000);
	for (uint32_t i = 0; i < 2000 && !tern_counter(st, "TcpExtOfoPruned"); i++) {
		struct client other = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		if (enter(&other, listener)) {
			static const uint8_t much[100000];

			tern_send(st, other.sock, much, sizeof(much), 0);
		}
		hear_all(NULL);
		pass(TERN_MS);
	}
	check(tern_counter(st, "TcpExtOfoPruned") > 0);
	tern_free(st); /* what happens next needs memory: the same in a world that has some */
	small_world(4 * MIB);
	c = (struct client){ .ip = 0x0a000707, .port = 7, .nxt = 1 };
	check(enter(&c, listener));
	for (int i = 0; i < 2; i++) {
		c.nxt = 2;
		say(&c, 0, 1000);
	}
	hear_all(&r);
	check_eq(r.h.ack, 1002);
	check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), 1000);
	end_world();
}

/* ---- SEC-109: orphans ---- */

/* Closed with text that nobody takes: bounded in number, and gone in time. */
static void orphans(void)
{
	static const uint8_t bytes[1000];
	uint64_t used;

	default_world();
	config.tcp_max_orphans = 1000;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 128);
	used = tern_memory(st);
	for (uint32_t i = 0; i < 10000; i++) {
		struct client c = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		check(enter(&c, listener));
		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_ACK,
				      .seq = c.nxt,
				      .ack = c.rcv,
				      .wnd = i % 2 ? NO_WINDOW : 0 });
		tern_send(st, c.sock, bytes, sizeof(bytes), 0);
		tern_close(st, c.sock);
		hear_all(NULL);
	}
	check(n_streams() <= 1000);
	check_eq(tern_counter(st, "TcpExtTCPAbortOnMemory"), 9000);
	for (int i = 0; i < 1200; i++) {
		hear_all(NULL);
		pass(TERN_SEC);
	}
	check_eq(n_streams(), 0);
	check(tern_memory(st) < used + 2 * MIB); /* slabs may stay */
	end_world();
}

/* One peer answers every probe and never makes room: an orphan goes all the same. */
static void probed_orphan_is_given_up(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	struct heard r;

	small_world(8 * MIB);
	check(enter(&c, listener));
	shoot(&(struct shot){ .ip = c.ip,
			      .port = c.port,
			      .flags = TCP_ACK,
			      .seq = c.nxt,
			      .ack = c.rcv,
			      .wnd = NO_WINDOW });
	tern_send(st, c.sock, "text", 4, 0);
	tern_close(st, c.sock);
	for (int i = 0; i < 1800; i++) {
		while (hear(&r))
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = TCP_ACK,
					      .seq = c.nxt,
					      .ack = c.rcv,
					      .wnd = NO_WINDOW });
		pass(TERN_SEC);
	}
	check_eq(n_streams(), 0);
	end_world();
}

/* Memory is short: an orphan goes before anybody who has a user. */
static void orphans_give_way_first(void)
{
	static const uint8_t bytes[20000];
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	struct tern_sock_info info;
	uint64_t cursor = 0;
	bool there = false;

	small_world(4 * MIB);
	check(enter(&c, listener));
	tern_send(st, c.sock, bytes, sizeof(bytes), 0);
	tern_close(st, c.sock);
	for (uint32_t i = 0; i < 60 || !tern_counter(st, "TcpExtTCPAbortOnMemory"); i++) {
		struct client good = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		if (enter(&good, listener))
			tern_send(st, good.sock, bytes, sizeof(bytes), 0);
		hear_all(NULL);
		pass(TERN_MS);
		if (i > 5000)
			break;
	}
	hear_all(NULL);
	check_eq(tern_counter(st, "TcpExtTCPAbortOnMemory"), 1);
	while (tern_sock_next(st, &cursor, &info))
		there = there || info.remote.port == 7;
	check(!there);
	end_world();
}

/* ---- SEC-130: nobody accepts ---- */

static void full_accept_queue(void)
{
	uint64_t used = 0;
	struct heard r;
	unsigned n = 0, n_reset = 0;

	default_world();
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 100);
	for (uint32_t i = 0; i < 100000; i++) {
		struct client c = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		hear_all(NULL);
		n += knock(&c, NULL);
		while (hear(&r))
			n_reset += (r.h.flags & TCP_RST) != 0;
		if (i == 1000)
			used = tern_memory(st);
	}
	check(n_streams() <= 2 * 101);
	check_eq(tern_memory(st), used);
	check_eq(n_reset, 0);
	check(n <= 2 * 101);
	/* who comes again is let in as soon as there is room */
	pass(200 * TERN_SEC);
	hear_all(NULL);
	for (tern_sock s; tern_accept(st, listener, &s, NULL) == 0; tern_abort(st, s))
		continue;
	hear_all(NULL);
	check_eq(serve(20, 0), 20);
	end_world();
}

/* ---- SEC-126, SEC-134: what one connection may hold ---- */

/* One byte in each segment, and nobody reads. */
static void tiny_segments(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	uint64_t used, taken;
	struct heard r = { 0 };

	small_world(64 * MIB);
	check(enter(&c, listener));
	used = tern_memory(st);
	for (int i = 0; i < 300000; i++) {
		say(&c, TCP_PSH, 1);
		if (i % 64 == 0)
			hear_all(&r);
	}
	hear_all(&r);
	taken = r.h.ack - 2;
	check(taken >= 65535);
	check(tern_memory(st) - used <= 2 * taken + 65536);
	end_world();
}

/* The same with a gap before each: bounded by the window, or dropped. */
static void tiny_islands(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	uint64_t used;

	small_world(64 * MIB);
	check(enter(&c, listener));
	used = tern_memory(st);
	for (int i = 0; i < 32000; i++) {
		c.nxt++;
		say(&c, TCP_PSH, 1);
		if (i % 64 == 0)
			hear_all(NULL);
	}
	check(tern_memory(st) - used <= 1 * MIB);
	end_world();
}

/* Ten thousand fast senders to users that stall: windows do not grow, and memory has a limit. */
static void stalled_readers(void)
{
	uint64_t promised = 0;

	small_world(32 * MIB);
	for (uint32_t i = 0; i < 2000; i++) {
		struct client c = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };
		struct heard r = { 0 };

		hear_all(NULL);
		if (!enter(&c, listener))
			continue;
		for (int k = 0; k < 100; k++)
			say(&c, 0, 1400);
		hear_all(&r);
		promised = promised > r.h.wnd ? promised : r.h.wnd;
		check(tern_memory(st) <= 32 * MIB);
		pass(TERN_MS);
	}
	check(promised <= 65535); /* without a scale no more can be said */
	end_world();
}

/* ---- SEC-97: TIME-WAIT ---- */

/* A million connections that the stack closes first: records are few, ports never run out. */
static void a_million_time_waits(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 7);
	uint64_t used = 0;
	struct heard r;

	default_world();
	config.time_wait_max = 4096;
	config.tcp_timestamps = false;
	new_world(7, TERN_SEC);
	for (uint32_t i = 0; i < 1000000; i++) {
		tern_sock s;

		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		if (tern_connect(st, s, &to) != -TERN_EINPROGRESS) {
			test_fail(__FILE__, __LINE__, "connect %u failed", i);
			break;
		}
		check(hear(&r));
		shoot(&(struct shot){ .ip = 0x0a000009,
				      .port = 7,
				      .to_port = r.h.src_port,
				      .flags = TCP_SYN | TCP_ACK,
				      .seq = 1,
				      .ack = r.h.seq + 1 });
		tern_close(st, s);
		hear_all(&r);
		shoot(&(struct shot){ .ip = 0x0a000009,
				      .port = 7,
				      .to_port = r.h.src_port,
				      .flags = TCP_FIN | TCP_ACK,
				      .seq = 2,
				      .ack = r.h.seq + 1 });
		hear_all(NULL);
		if (i == 10000)
			used = tern_memory(st);
	}
	check_eq(tern_memory(st), used);
	check_eq(n_streams(), 4096);
	pass(61 * TERN_SEC);
	check_eq(n_streams(), 0);
	end_world();
}

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
			if (i > 1000)
				tern_close(st, c.sock); /* what ended with an error is the user's */
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

/* ---- SEC-131, SEC-132: the table and strays ---- */

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
	TEST(zero_windows),
	TEST(longest_stalled_gives_way),
	TEST(holes),
	TEST(a_forgotten_hole_is_filled_again),
	TEST(orphans),
	TEST(probed_orphan_is_given_up),
	TEST(orphans_give_way_first),
	TEST(full_accept_queue),
	TEST(tiny_segments),
	TEST(tiny_islands),
	TEST(stalled_readers),
	TEST(a_million_time_waits),
	TEST(every_state_is_left),
	TEST(nonsense_keeps_no_state),
	TEST(strays),
	TEST(timers_run_in_a_flood),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
