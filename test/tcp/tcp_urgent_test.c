/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_urgent_test.c - core/tcp/tcp_urgent.c: the mark in the stream, RFC 9293 3.8.5 and RFC 6093.
 *
 * The pointer names the octet after the urgent data, as everybody has it (RFC 6093 3.1).
 */
#include "tcp_fixture.h"

static struct tcp_result in_urgent(uint32_t seq, uint16_t pointer, uint32_t len)
{
	struct tcp_hdr h = header(TCP_ACK | TCP_URG, seq, 1);

	h.urg = pointer;
	return in_hdr(&h, len);
}

/* The urgent octet; it must be the one at this position. */
static int take_urgent(uint64_t pos, bool peek)
{
	uint8_t byte = 0;
	int n = tcp_recv_urgent(&f.c, &byte, peek);

	if (n == 1)
		check_eq(byte, text_at(pos));
	return n;
}

/* A read that begins at the mark steps over the octet that is kept out of band. */
static size_t take_after_mark(size_t len)
{
	f.taken++;
	return take(len);
}

/* ---- arriving ---- */

static void a_read_stops_at_the_mark(void)
{
	start();
	open_active();
	check(in_urgent(1, 4, 10).events &
	      TCP_URGENT); /* octets 1 to 4 are urgent, 4 is the last */
	check(!tcp_at_mark(&f.c));
	check_eq(tcp_recv_ready(&f.c), 3);
	check_eq(take(100), 3);
	check(tcp_at_mark(&f.c));
	check_eq(take_urgent(4, true), 1);
	check_eq(take_urgent(4, false), 1);
	check_eq(take_urgent(4, false), -TERN_EINVAL); /* once */
	check_eq(tcp_recv_ready(&f.c), 6);
	check_eq(take_after_mark(100), 6);
	check(!tcp_at_mark(&f.c));
	finish();
}

static void inline_the_octet_stays_in_the_stream(void)
{
	start();
	open_active();
	set_oob_inline(true);
	in_urgent(1, 4, 10);
	check_eq(take(100), 3);
	check(tcp_at_mark(&f.c));
	check_eq(take_urgent(4, false), -TERN_EINVAL);
	check_eq(take(100), 7);
	finish();
}

/* MUST-32: told when urgent data are first known of, and when the mark moves on; not else. */
static void when_the_user_is_told(void)
{
	static const struct {
		const char *what;
		uint32_t seq;
		uint16_t pointer;
		bool told;
	} cases[] = {
		{ "the same mark from further on", 51, 51, false },
		{ "an earlier mark", 51, 20, false },
		{ "a later mark", 51, 52, true },
		{ "a mark far ahead", 51, 65535, true },
		{ "pointer 0: before the segment", 51, 0, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", cases[i].what);
		start();
		open_active();
		check(in_urgent(1, 101, 50).events & TCP_URGENT); /* the mark is at 101 */
		check_eq(!!(in_urgent(cases[i].seq, cases[i].pointer, 10).events & TCP_URGENT),
			 cases[i].told);
		finish();
	}
}

/* The octet that the mark names has not come yet. */
static void mark_ahead_of_the_text(void)
{
	start();
	open_active();
	in_urgent(1, 20, 5);
	check_eq(take_urgent(20, false), -TERN_EAGAIN);
	check_eq(take(100), 5);
	in(TCP_ACK, 6, 1, 15);
	check_eq(take(100), 14);
	check_eq(tcp_recv_ready(&f.c), 0);
	check_eq(take_urgent(20, false), 1);
	in(TCP_ACK, 21, 1, 3);
	check_eq(take_after_mark(100), 3);
	finish();
}

/* The pointer counts from the segment's own number, also where its front is old. */
static void mark_of_a_segment_that_is_partly_old(void)
{
	start();
	open_active();
	in(TCP_ACK, 1, 1, 10);
	check(in_urgent(1, 15, 20).events & TCP_URGENT);
	check_eq(take(100), 14);
	check_eq(take_urgent(15, false), 1);
	check_eq(take_after_mark(100), 5);
	finish();
}

/* Without URG the pointer means nothing; outside the window a mark is no news (SEC-78). */
static void what_sets_no_mark(void)
{
	struct tcp_hdr h;

	start();
	open_active();
	h = header(TCP_ACK, 1, 1);
	h.urg = 5;
	check(!(in_hdr(&h, 10).events & TCP_URGENT));
	check(!(in_urgent(80000, 5, 10).events & TCP_URGENT));
	check_eq(take_urgent(20, false), -TERN_EINVAL);
	h = header(TCP_ACK | TCP_URG, 11, 100); /* an ACK of what was never sent */
	h.urg = 3;
	check(!(in_hdr(&h, 10).events & TCP_URGENT));
	check_eq(take(100), 10);
	check(!(in_urgent(11, 0, 1).events & TCP_URGENT)); /* behind what was read */
	check(!tcp_at_mark(&f.c));
	finish();
}

/* 3.10.7.4 sixth step: in these states only; "this should not occur" elsewhere. */
static void states_that_take_a_mark(void)
{
	static const struct {
		enum tern_tcp_state s;
		bool taken;
	} cases[] = {
		{ TERN_TCP_ESTABLISHED, true }, { TERN_TCP_FIN_WAIT_1, true },
		{ TERN_TCP_FIN_WAIT_2, true },	{ TERN_TCP_CLOSE_WAIT, false },
		{ TERN_TCP_CLOSING, false },	{ TERN_TCP_LAST_ACK, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h;

		test_at("%s", tern_tcp_state_name(cases[i].s));
		start();
		reach(cases[i].s);
		h = header(TCP_ACK | TCP_URG, rcv_nxt, snd_nxt - (snd_nxt > 1 ? 1 : 0));
		h.urg = 10;
		check_eq(!!(in_hdr(&h, 0).events & TCP_URGENT), cases[i].taken);
		finish();
	}
}

/* MUST-66: at a zero window the mark still counts. */
static void mark_at_a_zero_window(void)
{
	start();
	f.open.rcv_buf_max = 100;
	open_active();
	in(TCP_ACK, 1, 1, 100);
	drain();
	pass(TERN_SEC);
	drain();
	check(in_urgent(101, 1, 1).events & TCP_URGENT);
	check_eq(take(200), 100);
	finish();
}

/* ---- every pointer, then a FIN: the stream ends all the same (SEC-78, SEC-79) ---- */

static void every_pointer(void)
{
	for (uint32_t pointer = 0; pointer < 65536; pointer++) {
		uint32_t len = pointer % 5, n = 0;
		bool inside = pointer >= 1 && pointer <= len;

		test_at("pointer %u, %u bytes", pointer, len);
		start();
		open_passive();
		in_urgent(1, (uint16_t)pointer, len);
		in(TCP_ACK | TCP_FIN, 1 + len, 1, 0);
		check_eq(state(), TERN_TCP_CLOSE_WAIT);
		check(tcp_recv_ended(&f.c));
		n += (uint32_t)take(100);
		if (inside && n < len)
			n += (uint32_t)take_after_mark(100);
		check_eq(n, len - (inside ? 1 : 0));
		check_eq(tcp_recv_ready(&f.c), 0); /* nothing waits for a phantom byte */
		finish();
	}
}

/* ---- sending ---- */

static struct seen send_urgent(size_t len)
{
	give(len);
	tcp_mark_urgent(&f.c);
	settle();
	return out();
}

static void our_pointer(void)
{
	struct seen s;

	start();
	open_active();
	set_nodelay(true);
	s = send_urgent(10);
	check_seen(&s, TCP_ACK | TCP_PSH | TCP_URG, 1, 1, 10);
	check_eq(s.h.urg, 10); /* MUST-62: from the segment's number to the octet after */
	give(5);
	s = out();
	check_seen(&s, TCP_ACK | TCP_PSH, 11, 1, 5); /* past it: no URG */
	check_str(next_timer(), "rto");
	s = out();
	check(s.h.flags & TCP_URG);
	check_eq(s.h.urg, 10); /* and again when it is repeated */
	finish();
}

/* MUST-31: urgent data of any length; each segment points to their end, as far as it can. */
static void our_pointer_far_ahead(void)
{
	struct seen s;

	start();
	f.c.cc.ops = &cc_fixed;
	set_send_buffer(1 << 20);
	open_active();
	give(60000);
	give(10000);
	tcp_mark_urgent(&f.c);
	settle();
	for (uint32_t i = 0; i < 65; i++) {
		s = out();
		check(s.h.flags & TCP_URG);
		check_eq(s.h.urg, MIN(70000 - i * MSS, 65535));
	}
	finish();
}

static const struct test tests[] = {
	TEST(a_read_stops_at_the_mark),
	TEST(inline_the_octet_stays_in_the_stream),
	TEST(when_the_user_is_told),
	TEST(mark_ahead_of_the_text),
	TEST(mark_of_a_segment_that_is_partly_old),
	TEST(what_sets_no_mark),
	TEST(states_that_take_a_mark),
	TEST(mark_at_a_zero_window),
	TEST(every_pointer),
	TEST(our_pointer),
	TEST(our_pointer_far_ahead),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
