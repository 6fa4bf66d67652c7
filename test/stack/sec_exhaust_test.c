/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_exhaust_test.c - peers that take and do not give: SEC-97, SEC-109, SEC-122, SEC-123,
 * SEC-125, SEC-126, SEC-129, SEC-130, SEC-134.
 *
 * What must hold: memory stays below what the configuration says, honest clients are served beside
 * the attack, and when it is over nothing of it is left.
 */
#include "attack_fixture.h"

enum { N_SEEDS = 16 };

/* Serves this many honest clients, who try twice at most; how many got all. */
static unsigned serve(unsigned n, uint32_t first)
{
	unsigned n_served = 0;

	for (unsigned i = 0; i < n; i++)
		n_served += is_served(listener, 0x0a700000 + first + i, 5000, 4000) ||
			    is_served(listener, 0x0a700000 + first + i, 5001, 4000);
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

/* Zero windows pin what there is, and a stream of lone bytes takes what the first of them leave. */
static void zero_windows_behind_holes(void)
{
	static struct client hoarder[64];
	unsigned n_served = 0;

	small_world(8 * MIB);
	for (uint32_t i = 0; i < 64; i++) {
		hoarder[i] = (struct client){ .ip = 0x0a300000 + i, .port = 1000, .nxt = 1 };
		check(enter(&hoarder[i], listener));
	}
	for (uint32_t i = 0; i < 1000; i++)
		attack_with_zero_window(0x0a100000 + i);
	for (uint32_t i = 0; i < 50; i++) {
		for (uint32_t k = 0; k < 640; k++) {
			struct client *c = &hoarder[k % 64];

			shoot(&(struct shot){ .ip = c->ip,
					      .port = c->port,
					      .flags = TCP_ACK,
					      .seq = c->nxt + 1000 + k,
					      .ack = c->rcv,
					      .len = 1 });
			hear_all(NULL);
		}
		close_failed();
		n_served += serve(1, i);
	}
	check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 100);
	check_eq(n_served, 50);
	end_world();
}

/* ---- SEC-123: windows that let a byte through now and then ---- */

enum { N_DRIPS = 3000 };

static struct client drips[N_DRIPS];

/* Each asks for much, and takes a byte a second. */
static void drips_drip(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct client *c = &drips[i];

		c->rcv += c->rcv != 0;
		shoot(&(struct shot){ .ip = c->ip,
				      .port = c->port,
				      .flags = TCP_ACK,
				      .seq = c->nxt,
				      .ack = c->rcv,
				      .wnd = 2 });
		hear_all(NULL);
	}
}

static void slow_drips(void)
{
	static const uint8_t bytes[20000];
	unsigned n_served = 0;

	small_world(8 * MIB);
	for (uint32_t i = 0; i < N_DRIPS; i++) {
		struct client *c = &drips[i];

		*c = (struct client){ .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };
		hear_all(NULL);
		if (enter(c, listener))
			tern_send(st, c->sock, bytes, sizeof(bytes), 0);
		if (i % 100 == 99) {
			drips_drip(i + 1);
			pass(TERN_SEC);
			close_failed();
			n_served += i < N_DRIPS / 2 || serve(1, i);
		}
		check(tern_memory(st) <= 8 * MIB);
	}
	check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 1000);
	check_eq(n_served, 30);
	end_world();
}

/* It says five bytes, and again if there was no memory for them. */
static bool is_heard(struct client *c)
{
	char got[5];

	for (int i = 0; i < 2; i++) {
		say(c, 0, sizeof(got));
		if (tern_recv(st, c->sock, got, sizeof(got), 0) == sizeof(got))
			return true;
		c->nxt -= sizeof(got);
	}
	return false;
}

/* The peer that shows no room the longest gives way, and not one that reads. */
static void longest_stalled_gives_way(void)
{
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct client good = { .ip = 0x0a000707, .port = 7, .nxt = 1 };

		small_world_of(seed, 4 * MIB);
		check(enter(&good, listener));
		for (uint32_t i = 0; i < 2000; i++) {
			attack_with_zero_window(0x0a100000 + i);
			pass(TERN_MS);
		}
		check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 0);
		check(is_heard(&good));
		end_world();
	}
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

/* What was forgotten comes again: the stream is whole. */
static void a_forgotten_hole_is_filled_again(void)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };
	static tern_sock others[2000];
	static const uint8_t much[100000];
	uint8_t buf[4000];
	struct heard r = { 0 };

	small_world(4 * MIB);
	check(enter(&c, listener));
	c.nxt = 1002;
	say(&c, 0, 1000);
	for (uint32_t i = 0; i < 2000 && !tern_counter(st, "TcpExtOfoPruned"); i++) {
		struct client other = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		hear_all(NULL);
		if (enter(&other, listener))
			tern_send(st, other.sock, much, sizeof(much), 0);
		others[i] = other.sock;
		pass(TERN_MS);
	}
	check_eq(tern_counter(st, "TcpExtOfoPruned"), 1);
	for (uint32_t i = 0; i < 2000 && others[i]; i++)
		tern_abort(st, others[i]);
	hear_all(NULL);
	c.nxt = 2;
	say(&c, 0, 1000);
	hear_all(&r);
	check_eq(r.h.ack, 1002); /* and not 2002 */
	say(&c, 0, 1000);
	pass(100 * TERN_MS);
	hear_all(&r);
	check_eq(r.h.ack, 2002);
	check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), 2000);
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
	check(tern_memory(st) < used + 4 * MIB); /* slabs of 1000 may stay */
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

static bool has_stream_to(uint16_t port)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &info))
		if (info.remote.port == port)
			return true;
	return false;
}

/* Memory is short: an orphan goes before anybody who has a user, also who shows no room. */
static void orphans_give_way_first(void)
{
	static const uint8_t bytes[20000];

	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct client orphan = { .ip = 0x0a000707, .port = 7, .nxt = 1 };

		small_world_of(seed, MIB);
		check(enter(&orphan, listener));
		tern_send(st, orphan.sock, bytes, sizeof(bytes), 0);
		tern_close(st, orphan.sock);
		check(has_stream_to(7));
		for (uint32_t i = 0; i < 60 && !tern_counter(st, "TcpExtTCPAbortOnMemory"); i++) {
			attack_with_zero_window(0x0a100000 + i);
			pass(TERN_MS);
		}
		hear_all(NULL);
		check(tern_counter(st, "TcpExtTCPAbortOnMemory") > 0);
		check(!has_stream_to(7));
		end_world();
	}
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

/* The window that a fast reader shows in the end, with so much memory in use by others. */
static uint32_t window_of_a_fast_reader(unsigned n_others)
{
	static const struct tcp_hdr offer = { .has_wscale = true, .wscale = 7 };
	struct client c;
	struct heard r = { 0 };
	uint8_t buf[16384];
	uint32_t edge;

	small_world(16 * MIB);
	for (uint32_t i = 0; i < n_others; i++) {
		struct client other = { .ip = 0x0a100000 + i, .port = 1000, .nxt = 1 };

		check(enter(&other, listener));
		for (int k = 0; k < 45; k++)
			say(&other, 0, 1400);
		hear_all(NULL);
	}
	c = connected_with(&offer, NULL);
	edge = c.nxt + 65535;
	for (int i = 0; i < 50; i++) {
		while ((int32_t)(edge - c.nxt) >= 1400)
			say(&c, 0, 1400);
		pass(50 * TERN_MS);
		while (tern_recv(st, c.sock, buf, sizeof(buf), 0) > 0)
			continue;
		tern_send(st, c.sock, "x", 1, 0); /* so that there is a round trip */
		hear_all(&r);
		pass(50 * TERN_MS);
		c.rcv = r.h.seq + r.len;
		edge = r.h.ack + ((uint32_t)r.h.wnd << 12); /* the default's scale */
		say(&c, 0, 0);
	}
	end_world();
	return (uint32_t)r.h.wnd << 12;
}

/* Windows grow from what is free only: half the memory is for those that came first. */
static void windows_grow_from_what_is_free(void)
{
	uint32_t alone = window_of_a_fast_reader(0), crowded = window_of_a_fast_reader(80);

	check(crowded <= 524288);
	check(alone > crowded);
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

static const struct test tests[] = {
	TEST(zero_windows),
	TEST(zero_windows_behind_holes),
	TEST(slow_drips),
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
	TEST(windows_grow_from_what_is_free),
	TEST(a_million_time_waits),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
