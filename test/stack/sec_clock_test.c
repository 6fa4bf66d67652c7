/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_clock_test.c - clocks that wrap, that are forged, that were not asked for weeks: SEC-98, SEC-99,
 * SEC-100.
 */
#include "attack_fixture.h"

/* ---- SEC-98, SEC-99, SEC-100: clocks ---- */

#define DAY (24 * 3600 * TERN_SEC)

/* TIME-WAITs, as who asks is told. */
static unsigned n_that_end_in_a_minute(void)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;
	unsigned n = 0;

	while (tern_sock_next(st, &cursor, &info))
		n += info.state == TERN_TCP_TIME_WAIT && info.timer > now &&
		     info.timer <= now + 61 * TERN_SEC;
	return n;
}

/* Worlds that stand just before a clock of 32 bits wraps, or one of 64 changes its sign. */
static void clocks_wrap(void)
{
	static const tern_time edges[] = { (1ull << 31) * TERN_MS, (1ull << 32) * TERN_MS,
					   (1ull << 32) * TERN_US, (1ull << 32) << 20,
					   (1ull << 31) << 20,	   3 * (1ull << 32) * TERN_MS };

	for (size_t i = 0; i < 2 * N_TESTS(edges); i++) {
		tern_time before = i % 2 ? 40 * TERN_SEC : 10 * TERN_SEC;
		struct client c, half = { .ip = 0x0a000808, .port = 8 };
		struct heard r;

		test_at("edge %u, %d", (unsigned)i / 2, (int)i % 2);
		default_world();
		new_world(7, edges[i / 2] - before);
		listener = listen_at(PORT, 16);
		shoot(&(struct shot){ .ip = half.ip, .port = half.port, .flags = TCP_SYN });
		hear_all(NULL);
		c = connected(5);
		check(is_served(listener, 0x0a000909, 9, 1000)); /* leaves a TIME-WAIT or nothing */
		tern_send(st, c.sock, "text", 4, 0);
		hear_all(NULL);
		for (int k = 0; k < 20; k++) { /* it is sent again across the edge */
			pass(TERN_SEC);
			hear_all(&r);
		}
		c.rcv += 4;
		say(&c, 0, 10);
		check_eq(tern_recv(st, c.sock, (char[10]){ 0 }, 10, 0), 10);
		tern_close(st, c.sock);
		check(hear(&r));
		check(r.h.flags & TCP_FIN);
		c.rcv++;
		say(&c, TCP_FIN, 0);
		check_eq(n_streams(), 2); /* TIME-WAITs; the half-open one has been given up */
		check_eq(n_that_end_in_a_minute(), 2);
		hear_all(NULL);
		check(tern_deadline(st) > now); /* nothing is to be done at once */
		pass(59 * TERN_SEC);
		check_eq(n_streams(), 1);
		pass(2 * TERN_SEC);
		check_eq(n_streams(), 0);
		check(is_served(listener, 0x0a000909, 10, 1000));
		end_world();
	}
}

/* A year of days: each day somebody comes, and nothing stays. */
static void a_year(void)
{
	plain_world();
	for (int day = 0; day < 366; day++) {
		check(is_served(listener, 0x0a000909, (uint16_t)(1000 + day), 1000));
		pass(DAY);
		check_eq(n_streams(), 0);
	}
	end_world();
}

static const struct tcp_hdr ts_offer = { .has_ts = true, .ts_val = 1000 };

static void send_at(const struct client *c, uint32_t ts_val, const struct shot *s)
{
	struct tcp_hdr options = { .has_ts = true, .ts_val = ts_val };
	struct shot full = *s;

	full.ip = c->ip;
	full.port = c->port;
	full.options = &options;
	shoot(&full);
}

/* A forged timestamp of the future in a segment that is not acceptable: honest text still counts. */
static void no_timestamp_of_a_stranger_counts(void)
{
	static const struct {
		uint16_t flags;
		int32_t seq, ack;
		uint32_t len;
	} bad[] = {
		{ TCP_ACK, 100000, 0, 10 },	/* beyond the window */
		{ TCP_ACK, -20, 0, 10 },	/* left of it */
		{ TCP_ACK, 0, 1, 10 },		/* acknowledges what was not sent */
		{ TCP_ACK, 0, 1 << 30, 0 },	/* the same, far off */
		{ TCP_ACK, 0, -(1 << 30), 10 }, /* far too old */
		{ 0, 0, 0, 10 },		/* no ACK at all */
		{ TCP_RST, 5, 0, 0 },		/* a RST, not exact */
		{ TCP_SYN, 0, 0, 0 },		/* a SYN */
		{ TCP_SYN | TCP_ACK, 0, 0, 0 }, /* or so */
		{ TCP_ACK, 1, 0, 10 },		/* ahead of a gap: RFC 7323 4.3 */
	};
	char buf[10];

	for (size_t i = 0; i < N_TESTS(bad); i++) {
		struct client c;

		test_at("case %u", (unsigned)i);
		plain_world();
		c = connected_with(&ts_offer, &ts_offer);
		send_at(&c, 0x70000000,
			&(struct shot){ .flags = bad[i].flags,
					.seq = c.nxt + (uint32_t)bad[i].seq,
					.ack = c.rcv + (uint32_t)bad[i].ack,
					.len = bad[i].len });
		hear_all(NULL);
		send_at(&c, 1001,
			&(struct shot){ .flags = TCP_ACK, .seq = c.nxt, .ack = c.rcv, .len = 5 });
		check(tern_recv(st, c.sock, buf, sizeof(buf), 0) >= 5);
		end_world();
	}
}

/* After 25 or 50 days the peer's clock may stand anywhere: its text counts. */
static void idle_for_weeks(void)
{
	static const unsigned days[] = { 1, 23, 25, 30, 49, 50, 51, 100, 400 };

	for (size_t i = 0; i < N_TESTS(days); i++) {
		for (int fast = 0; fast < 3; fast++) { /* a clock of 1 ms, of 10 ms, of 100 us */
			uint64_t ms = (uint64_t)days[i] * DAY / TERN_MS;
			uint64_t ticks = fast == 0 ? ms : fast == 1 ? ms / 10 : ms * 10;
			struct client c;
			char buf[10];
			struct heard r;

			if (days[i] <= 24 && fast == 2)
				continue; /* may wrap in 24 days: RFC 7323 5.4 forbids such clocks */
			test_at("%u days, clock %d", days[i], fast);
			plain_world();
			c = connected_with(&ts_offer, &ts_offer);
			pass(days[i] * DAY);
			send_at(&c, 1000 + (uint32_t)ticks,
				&(struct shot){
					.flags = TCP_ACK, .seq = c.nxt, .ack = c.rcv, .len = 5 });
			check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), 5);
			pass(50 * TERN_MS);
			check(hear_all(&r) >= 1);
			check_eq(r.h.ack, c.nxt + 5);
			check_eq(r.h.ts_ecr, 1000 + (uint32_t)ticks);
			/* and it sends, and measures no nonsense */
			tern_send(st, c.sock, "text", 4, 0);
			check(hear(&r));
			check_eq(r.len, 4);
			end_world();
		}
	}
}

/* Timestamps that were agreed on and are missing: dropped, but a RST counts (RFC 7323 3.2). */
static void missing_timestamps(void)
{
	struct client c;

	plain_world();
	c = connected_with(&ts_offer, &ts_offer);
	say(&c, 0, 5);
	check_eq(tern_recv(st, c.sock, (char[5]){ 0 }, 5, 0), -TERN_EAGAIN);
	c.nxt -= 5;
	shoot(&(struct shot){ .ip = c.ip, .port = c.port, .flags = TCP_RST, .seq = c.nxt });
	check_eq(tern_recv(st, c.sock, (char[5]){ 0 }, 5, 0), -TERN_ECONNRESET);
	end_world();
}

static const struct test tests[] = {
	TEST(clocks_wrap),
	TEST(a_year),
	TEST(no_timestamp_of_a_stranger_counts),
	TEST(idle_for_weeks),
	TEST(missing_timestamps),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
