/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_send_test.c - core/tcp/tcp_send.c: how many bytes are taken, and when none.
 *
 * Sources: RFC 9293 3.10.2 with Linux's error numbers; RFC 5681 4.1 (restart after idle).
 */
#include "tcp_fixture.h"

static void by_state(void)
{
	static const struct {
		enum tern_tcp_state s;
		int want;
	} cases[] = {
		{ TERN_TCP_CLOSED, -TERN_EPIPE },
		{ TERN_TCP_SYN_SENT, -TERN_EAGAIN },
		{ TERN_TCP_SYN_RECEIVED, -TERN_EAGAIN },
		{ TERN_TCP_ESTABLISHED, 0 },
		{ TERN_TCP_CLOSE_WAIT, 0 },
		{ TERN_TCP_FIN_WAIT_1, -TERN_EPIPE },
		{ TERN_TCP_FIN_WAIT_2, -TERN_EPIPE },
		{ TERN_TCP_CLOSING, -TERN_EPIPE },
		{ TERN_TCP_LAST_ACK, -TERN_EPIPE },
		{ TERN_TCP_TIME_WAIT, -TERN_EPIPE },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tern_span span;
		struct tcp_ctx x;

		test_at("%s", tern_tcp_state_name(cases[i].s));
		start();
		reach(cases[i].s);
		x = ctx();
		check_eq(tcp_send_allowed(&f.c), cases[i].want);
		check_eq(tcp_send_room(&f.c), cases[i].want ? 0 : f.cfg.tcp_sndbuf_default);
		check_eq(give(0), cases[i].want);
		check_eq(give(10), cases[i].want ? cases[i].want : 10);
		check_eq(tcp_send_space(&f.c, &x, &span, 1), cases[i].want ? cases[i].want : 1);
		check_eq(tcp_send_commit(&f.c, &x, 0), cases[i].want);
		finish();
	}
}

static void room(void)
{
	start();
	open_active();
	set_send_buffer(5000);
	check_eq(give(6000), 5000);
	check_eq(tcp_send_room(&f.c), 0);
	check_eq(give(1), -TERN_EAGAIN);
	drain();
	in(TCP_ACK, 1, 2001, 0);
	check_eq(tcp_send_room(&f.c), 2000);
	set_send_buffer(1000); /* smaller than what is held */
	check_eq(tcp_send_room(&f.c), 0);
	check_eq(give(1), -TERN_EAGAIN);
	in(TCP_ACK, 1, 5001, 0);
	check_eq(give(6000), 1000);
	finish();
}

/* Lent space: what is committed goes, what is not stays free. */
static void in_place(void)
{
	struct tern_span span[TERN_PKT_SPANS_MAX];
	uint64_t pos = 1;
	struct tcp_ctx x;
	uint32_t lent;
	int n;

	start();
	open_active();
	x = ctx();
	check_eq(tcp_send_commit(&f.c, &x, 1), -TERN_EINVAL); /* nothing was lent */
	for (unsigned round = 0; round < 200; round++) {
		uint32_t use = 1 + round * 37 % 3000, left = use;

		test_at("round %u", round);
		n = tcp_send_space(&f.c, &x, span, TERN_PKT_SPANS_MAX);
		check(n >= 1 && n <= TERN_PKT_SPANS_MAX);
		lent = 0;
		for (int i = 0; i < n; i++)
			lent += span[i].len;
		check(lent <= f.cfg.tcp_sndbuf_default && lent >= use);
		for (int i = 0; i < n && left; i++) {
			uint32_t part = MIN(left, span[i].len);

			fill_text(span[i].ptr, pos, part);
			pos += part;
			left -= part;
		}
		check_eq(tcp_send_commit(&f.c, &x, lent + 1), -TERN_EINVAL);
		check_eq(tcp_send_commit(&f.c, &x, use), 0);
		check(f.mem.n_out <= 5); /* what was lent and not used is given back */
		f.given += use;
		settle();
		drain(); /* compares each byte */
		in(TCP_ACK, 1, (uint32_t)pos, 0);
		in(TCP_ACK, 1, (uint32_t)pos, 0);
	}
	check_eq(info().bytes_acked, pos - 1);
	finish();
}

static void no_memory(void)
{
	struct tern_span span;
	struct tcp_ctx x;

	start();
	open_active();
	x = ctx();
	f.mem.max = f.mem.used;
	check_eq(give(10), -TERN_ENOBUFS);
	check_eq(tcp_send_space(&f.c, &x, &span, 1), -TERN_ENOBUFS);
	f.mem.max = (uint64_t)1 << 32;
	check_eq(give(10), 10);
	expect(TCP_ACK | TCP_PSH, 1, 1, 10);
	finish();
}

/* RFC 5681 4.1: nothing sent for longer than an RTO: at most the restart window. */
static void restart_after_idle(void)
{
	static const struct {
		tern_time idle;
		bool restarts;
	} cases[] = {
		{ 0, false },
		{ 150 * TERN_MS, false }, /* less than the RTO */
		{ 60 * TERN_SEC, true },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		uint32_t before, sent = 0;

		test_at("case %u", i);
		start();
		open_active();
		for (unsigned round = 0; round < 4; round++) { /* let the window grow */
			give(60000);
			sent += drain();
			in(TCP_ACK, 1, (uint32_t)f.given + 1 - info().notsent_bytes, 0);
		}
		drain();
		in(TCP_ACK, 1, (uint32_t)f.given + 1 - info().notsent_bytes, 0);
		for (unsigned k = 0; info().notsent_bytes && k < 100; k++) {
			drain();
			in(TCP_ACK, 1, (uint32_t)f.given + 1 - info().notsent_bytes, 0);
		}
		check(sent > 40);
		before = cwnd_bytes();
		check(before > 20 * MSS);
		f.now += cases[i].idle;
		give(60000);
		check_eq(cwnd_bytes(), cases[i].restarts ? 10 * MSS : before);
		finish();
	}
}

static const struct test tests[] = {
	TEST(by_state), TEST(room), TEST(in_place), TEST(no_memory), TEST(restart_after_idle),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
