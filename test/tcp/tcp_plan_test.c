/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_plan_test.c - core/tcp/tcp_plan.c: what goes, in which pieces, and what goes first.
 *
 * Tables of a peer's window, what the user gave and what must go at once (RFC 9293 3.7.4 and
 * 3.8.6.2.1, RFC 5681 3.1); then random histories in which no plan may break a bound.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

enum { NODELAY = 1, CORK = 2, CLOSES = 4 };

/* ---- what goes at once ---- */

struct burst {
	const char *what;
	uint16_t wnd;
	unsigned how;
	uint32_t give, burst_max;
	uint32_t want[12]; /* lengths of the segments that go, until nothing more does */
	bool fin;	   /* the last of them carries one */
};

static const struct burst bursts[] = {
	{ "a small segment when nothing is outstanding", 65535, 0, 100, 0, { 100 }, false },
	{ "a full one", 65535, 0, 1000, 0, { 1000 }, false },
	{ "full ones and the rest", 65535, 0, 2500, 0, { 1000, 1000, 500 }, false },
	{ "cork holds the rest", 65535, CORK, 2500, 0, { 1000, 1000 }, false },
	{ "cork holds all that is small", 65535, CORK, 999, 0, { 0 }, false },
	{ "a close ends the cork", 65535, CORK | CLOSES, 2500, 0, { 1000, 1000, 500 }, true },
	{ "the FIN goes with the last byte", 65535, CLOSES, 1000, 0, { 1000 }, true },
	{ "cwnd: ten segments at first (RFC 6928)",
	  65535,
	  0,
	  20000,
	  0,
	  { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	  false },
	{ "the window cuts: less than half of it waits", 2400, 0, 5000, 0, { 1000, 1000 }, false },
	{ "the window is less than a segment: all of it", 600, 0, 5000, 0, { 600 }, false },
	{ "the window just takes it", 700, 0, 700, 0, { 700 }, false },
	{ "no window", 0, 0, 5000, 0, { 0 }, false },
	{ "a window of one", 1, NODELAY, 50, 0, { 1 }, false },
	{ "the FIN takes window, too", 1000, CLOSES, 1000, 0, { 1000 }, false },
	{ "and has it here", 1001, CLOSES, 1000, 0, { 1000 }, true },
	{ "bursts are whole segments", 65535, 0, 9800, 4500, { 4000, 4000, 1800 }, false },
	{ "a burst with its small end", 65535, 0, 4500, 64000, { 4500 }, false },
	{ "cork leaves the end of a burst", 65535, CORK, 4500, 64000, { 4000 }, false },
	{ "cwnd cuts a burst", 65535, 0, 20000, 64000, { 10000 }, false },
	{ "the window cuts a burst", 5500, 0, 20000, 64000, { 5000 }, false },
	{ "a burst below the segment is one segment", 65535, 0, 2000, 10, { 1000, 1000 }, false },
};

static void what_goes_at_once(void)
{
	for (unsigned i = 0; i < 2 * N_TESTS(bursts); i++) {
		const struct burst *b = &bursts[i / 2];
		uint32_t seq = 1;
		struct seen s = { .len = 0 };
		bool fin = false;

		test_at("%s%s", b->what, i % 2 ? ", cut" : "");
		start();
		f.cut = i % 2;
		f.wnd = b->wnd;
		open_active();
		set_nodelay(b->how & NODELAY);
		set_cork(b->how & CORK);
		check_eq(give(b->give), b->give);
		if (b->how & CLOSES)
			close_send();
		for (unsigned k = 0; b->want[k]; k++, seq += s.len) {
			s = out_burst(b->burst_max);
			check_eq(s.plan.what, SEND_DATA);
			check_eq(s.h.seq, seq);
			check_eq(s.len, b->want[k]);
			check_eq(s.n_pieces, f.cut ? (s.len + MSS - 1) / MSS : 1);
			check(!s.plan.again && s.plan.cause == TERN_CAUSE_NONE);
			fin = s.h.flags & TCP_FIN;
		}
		check_eq(plan_of(b->burst_max).what, SEND_NOTHING);
		check_eq(fin, b->fin);
		finish();
	}
}

/* ---- Nagle, as Minshall modified it: one small segment may be outstanding ---- */

static void nagle(void)
{
	start();
	open_active();
	give(100);
	expect(TCP_ACK | TCP_PSH, 1, 1, 100);
	give(100); /* small, and a small one is outstanding */
	expect_silence();
	give(850);
	expect_silence();
	give(50); /* now there is a full one; it does not wait */
	expect(TCP_ACK | TCP_PSH, 101, 1, 1000);
	give(999);
	expect_silence();
	finish();
}

static void nagle_ends_with_the_ack(void)
{
	start();
	open_active();
	give(100);
	drain();
	give(100);
	expect_silence();
	in(TCP_ACK, 1, 101, 0);
	expect(TCP_ACK | TCP_PSH, 101, 1, 100);
	give(100);
	expect_silence();
	set_nodelay(true); /* MUST-17 */
	expect(TCP_ACK | TCP_PSH, 201, 1, 100);
	finish();
}

/* 3.8.6.2.1: a window that opens a little at a time is not filled a little at a time. */
static void silly_windows_are_not_filled(void)
{
	start();
	f.wnd = 3000;
	open_active();
	give(10000);
	check_eq(drain(), 3);
	for (uint32_t i = 1; i <= 9; i++) { /* the edge moves by 100 */
		f.wnd = (uint16_t)(3000 - MSS + 100 * i);
		in(TCP_ACK, 1, 1 + MSS, 0);
		test_at("edge moved by %u", 100 * i);
		expect_silence();
	}
	f.wnd = 3000;
	in(TCP_ACK, 1, 1 + MSS, 0);
	expect(TCP_ACK, 3001, 1, MSS);
	finish();
}

/* ---- what goes first ---- */

static void order_of_what_is_due(void)
{
	start();
	open_active();
	give(10);
	in(TCP_ACK, 1, 1, 1);		     /* an ACK will be owed */
	in(TCP_ACK, 3, 1, 1);		     /* and now at once */
	expect(TCP_ACK | TCP_PSH, 1, 2, 10); /* the data carry it */
	expect_silence();
	in(TCP_ACK, 5, 1, 1);
	check_eq(plan_of(0).what, SEND_ACK);
	abort_all();
	check_eq(plan_of(0).what, SEND_RST); /* a reset goes before all */
	check_eq(out().h.flags & TCP_RST, TCP_RST);
	expect_silence();
	finish();
}

static void lost_data_go_before_new_ones(void)
{
	struct seen s;

	start();
	open_active();
	give(30000);
	drain();
	in(TCP_ACK, 1, 1 + MSS, 0);
	check(plan_of(0).what == SEND_DATA && !plan_of(0).again);
	next_timer();
	s = out();
	check_eq(s.h.seq, 1 + MSS);
	check(s.plan.again && s.plan.cause == TERN_CAUSE_RTO);
	expect_silence(); /* RFC 5681 3.1: a loss window of one segment */
	finish();
}

/* SHLD-16: what is repeated stays inside a window that has shrunk; MUST-34: nothing new goes. */
static void a_window_that_shrank(void)
{
	start();
	f.wnd = 5000;
	open_active();
	give(8000);
	check_eq(drain(), 5);
	f.wnd = 300;
	in(TCP_ACK, 1, 1, 0);
	expect_silence();
	check_str(next_timer(), "rto");
	expect(TCP_ACK, 1, 1, 300);
	expect_silence();
	finish();
}

static void nothing_goes_before_the_handshake_or_after_the_end(void)
{
	start();
	reach(TERN_TCP_SYN_SENT);
	expect_silence();
	finish();
	start();
	reach(TERN_TCP_SYN_RECEIVED);
	expect_silence();
	finish();
	start();
	reach(TERN_TCP_TIME_WAIT);
	expect_silence();
	finish();
	start();
	reach(TERN_TCP_CLOSED);
	expect_silence();
	finish();
}

/* ---- random histories ---- */

static struct rand dice;

static uint32_t roll(uint32_t n)
{
	return (uint32_t)rand_below(&dice, n);
}

/* What the peer has told: the right edge it showed last and ever, and what it acknowledged. */
struct told {
	uint32_t una, edge_max;
	bool has_duplicates; /* duplicate ACKs let more go than cwnd says */
};

static void check_bounds(const struct seen *s, const struct told *t, uint32_t burst_max)
{
	uint32_t limit = MAX(burst_max, MSS);

	if (s->plan.what != SEND_DATA)
		return;
	check(s->len <= limit);
	check(s->h.seq >= t->una);
	/* never beyond the furthest edge ever shown (MUST-34), nor beyond what was given */
	check(s->h.seq + s->len + (s->h.flags & TCP_FIN ? 1 : 0) <= t->edge_max);
	check(s->h.seq + s->len <= f.given + 1);
	/* RFC 5681: cwnd bounds what is outstanding; once after a time-out RFC 5682 lets it go on */
	if (!s->plan.again && !t->has_duplicates && !f.c.in_rto_recovery)
		check(s->h.seq + s->len - t->una <= cwnd_bytes());
}

static void one_history(unsigned seed)
{
	struct told t = { 1, 1 + 65535, seed % 2 };
	uint32_t sent_end = 1;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	start();
	open_active();
	for (unsigned step = 0; step < 150; step++) {
		uint32_t burst = roll(4) ? 0 : roll(20000);
		struct seen s;

		test_at("seed %u, step %u", seed, step);
		switch (roll(7)) {
		case 0:
			give(roll(5000));
			break;
		case 1: /* an ACK of something that was sent */
			if (t.una == sent_end)
				break;
			t.una += 1 + roll(sent_end - t.una);
			f.wnd = (uint16_t)(roll(3) ? 65535 : roll(4000));
			in(TCP_ACK, 1, t.una, 0);
			t.edge_max = MAX(t.edge_max, t.una + f.wnd);
			break;
		case 2: /* a duplicate */
			if (t.has_duplicates)
				in(TCP_ACK, 1, t.una, 0);
			break;
		case 3:
			pass(roll(2000) * TERN_MS);
			break;
		case 4:
			set_nodelay(roll(2));
			set_cork(roll(2));
			settle();
			break;
		default:
			s = out_burst(burst);
			if (s.plan.what == SEND_NOTHING)
				break;
			if (s.plan.what != SEND_PROBE)
				check_bounds(&s, &t, burst);
			sent_end = MAX(sent_end, s.h.seq + s.len);
		}
		if (state() == TERN_TCP_CLOSED)
			break;
	}
	finish();
}

static void no_plan_breaks_a_bound(void)
{
	for (unsigned seed = 0; seed < 400; seed++)
		one_history(seed);
}

static const struct test tests[] = {
	TEST(what_goes_at_once),       TEST(nagle),
	TEST(nagle_ends_with_the_ack), TEST(silly_windows_are_not_filled),
	TEST(order_of_what_is_due),    TEST(lost_data_go_before_new_ones),
	TEST(a_window_that_shrank),    TEST(nothing_goes_before_the_handshake_or_after_the_end),
	TEST(no_plan_breaks_a_bound),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
