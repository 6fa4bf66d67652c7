/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ack_test.c - core/tcp/tcp_ack.c: RFC 9293 3.10.7.4 fifth step, RFC 5681 3.2, RFC 6582, RFC
 * 5961 5.
 */
#include "tcp_fixture.h"

/* n full segments are outstanding. */
static void have_outstanding(unsigned n)
{
	start();
	open_active();
	give(60 * MSS);
	for (unsigned i = 0; i < n; i++)
		check_eq(out().plan.what, SEND_DATA);
}

static uint32_t n_unacked(void)
{
	return info().unacked;
}

/* ---- which numbers are possible ---- */

/* Before the SYN nothing was sent: so far the window below SND.UNA does not reach. */
static void nothing_before_the_syn(void)
{
	start();
	f.wnd = 20000;
	open_active();
	check_eq(in(TCP_ACK, 1, 0, 0).drop, TERN_DROP_NONE);
	check_eq(in(TCP_ACK, 1, UINT32_MAX, 0).drop, TERN_DROP_TCP_ACK_RANGE);
	finish();
}

static void numbers_of_acks(void)
{
	static const struct {
		int32_t ack; /* from our oldest unacknowledged byte */
		uint32_t left;
		enum tern_drop drop;
		bool answered;
	} cases[] = {
		{ 0, 4, TERN_DROP_NONE, false },
		{ 1, 4, TERN_DROP_NONE, false }, /* one byte of a segment */
		{ MSS, 3, TERN_DROP_NONE, false },
		{ 4 * MSS, 0, TERN_DROP_NONE, false },
		/* 3.10.7.4: not yet sent: an ACK, the segment is dropped */
		{ 4 * MSS + 1, 4, TERN_DROP_TCP_ACK_RANGE, true },
		{ 1 << 30, 4, TERN_DROP_TCP_ACK_RANGE, true },
		{ INT32_MAX, 4, TERN_DROP_TCP_ACK_RANGE, true },
		/* RFC 5961 5.2: down to SND.UNA - MAX.SND.WND ignored, below answered */
		{ -1, 4, TERN_DROP_NONE, false },
		{ -20000, 4, TERN_DROP_NONE, false },
		{ -20001, 4, TERN_DROP_TCP_ACK_RANGE, true },
		{ INT32_MIN, 4, TERN_DROP_TCP_ACK_RANGE, true },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_result r;
		uint32_t una = 1;

		test_at("ack %+d", cases[i].ack);
		start();
		f.wnd = 20000;
		open_active();
		for (; una < 20002; una += 4 * MSS) { /* what may be acknowledged again */
			give(4 * MSS);
			check_eq(drain(), 4);
			in(TCP_ACK, 1, una + 4 * MSS, 0);
		}
		give(4 * MSS);
		check_eq(drain(), 4);
		r = in(TCP_ACK, 1, una + (uint32_t)cases[i].ack, 0);
		check_eq(r.drop, cases[i].drop);
		check_eq(n_unacked(), cases[i].left);
		check_eq(plan_of(0).what == SEND_ACK, cases[i].answered);
		check_eq(plan_of(0).cause == TERN_CAUSE_CHALLENGE, cases[i].answered);
		check_eq(r.progress, cases[i].left < 4 || cases[i].ack == 1);
		check(!r.rst.due);
		finish();
	}
}

/* A segment whose number is refused brings nothing else, either. */
static void refused_acks_bring_no_text(void)
{
	start();
	open_active();
	check_eq(in(TCP_ACK, 1, 2, 100).drop, TERN_DROP_TCP_ACK_RANGE);
	expect(TCP_ACK, 1, 1, 0);
	check_eq(in(0, 1, 0, 100).drop, TERN_DROP_TCP_NO_ACK); /* "if the ACK bit is off, drop" */
	expect_silence();
	check_eq(take(200), 0);
	finish();
}

/* ---- the window: 3.10.7.4, WL1 and WL2 ---- */

static void window_updates(void)
{
	static const struct {
		const char *what;
		uint32_t seq, ack;
		uint16_t want;
	} cases[] = {
		/* before: a segment with number 21 and acknowledgment 1001 said 5000 */
		{ "a newer number", 22, 1001, 7000 },
		{ "the same number, the same ack", 21, 1001, 7000 },
		{ "the same number, a newer ack", 21, 2001, 7000 },
		{ "an older number, a newer ack", 20, 2001, 5000 },
		{ "an older number, the same ack", 20, 1001, 5000 },
		{ "the same number, an older ack", 21, 1000, 5000 },
		{ "a newer number, an older ack", 22, 1000, 5000 }, /* SND.UNA =< SEG.ACK */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", cases[i].what);
		have_outstanding(3);
		f.wnd = 5000;
		in(TCP_ACK, 21, 1001, 1);
		check_eq(info().snd_wnd, 5000);
		f.wnd = 7000;
		in(TCP_ACK, cases[i].seq, cases[i].ack, 1);
		check_eq(info().snd_wnd, cases[i].want);
		finish();
	}
}

/* ---- duplicates: RFC 5681 section 2, (a) to (e) ---- */

static void what_counts_as_duplicate(void)
{
	static const struct {
		const char *what;
		unsigned n_sent;
		uint16_t flags, wnd;
		uint32_t seq, ack, len;
		bool counts;
	} cases[] = {
		{ "all five hold", 5, TCP_ACK, 65535, 1, 1, 0, true },
		{ "(a) nothing is outstanding", 0, TCP_ACK, 65535, 1, 1, 0, false },
		{ "(b) it carries data", 5, TCP_ACK, 65535, 1, 1, 1, false },
		{ "(c) a FIN ahead of a gap", 5, TCP_ACK | TCP_FIN, 65535, 50, 1, 0, false },
		{ "(d) another number", 5, TCP_ACK, 65535, 1, 0, 0, false },
		{ "(e) another window", 5, TCP_ACK, 65534, 1, 1, 0, false },
		{ "PSH does not matter", 5, TCP_ACK | TCP_PSH, 65535, 1, 1, 0, true },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		bool repairs = false;
		uint32_t seq = cases[i].seq;

		test_at("%s", cases[i].what);
		have_outstanding(cases[i].n_sent);
		for (int k = 0; k < 3; k++) {
			f.wnd = (uint16_t)(cases[i].wnd - (cases[i].wnd == 65534 ? k : 0));
			in(cases[i].flags, seq, cases[i].ack, cases[i].len);
			seq += cases[i].len;
		}
		for (struct seen s; (s = out()).plan.what != SEND_NOTHING;)
			repairs = repairs || (s.plan.again && s.h.seq == 1);
		check_eq(repairs, cases[i].counts);
		check_eq(ssthresh_bytes() < 1000000, cases[i].counts); /* nor is the window cut */
		finish();
	}
}

/* RFC 6675 section 4: more than two segments are sacked above it, where SACK was agreed on. */
static void blocks_tell_of_losses(void)
{
	for (unsigned agreed = 0; agreed < 2; agreed++) {
		struct tcp_hdr h;

		test_at("agreed on: %u", agreed);
		start();
		h = peer_syn(TCP_SYN | TCP_ACK);
		h.sack_permitted = agreed;
		open_active_with(&h);
		give(5 * MSS);
		check_eq(drain(), 5);
		for (uint16_t i = 0; i < 3; i++) {
			h = header(TCP_ACK, 1, 1);
			h.wnd = (uint16_t)(60000 + i);
			h.n_sack = 1;
			h.sack[0] = (struct tcp_sack){ f.iss + 1 + MSS, f.iss + 1 + (2 + i) * MSS };
			in_hdr(&h, 0);
			check_eq(plan_of(0).again, agreed && i == 2);
		}
		finish();
	}
}

/* RFC 5681 3.2 steps 2 and 3: at the third, not before; once. */
static void third_duplicate_repairs(void)
{
	struct seen s;

	have_outstanding(10);
	for (int i = 0; i < 2; i++) { /* step 1, RFC 3042: each lets one new segment go */
		in(TCP_ACK, 1, 1, 0);
		s = out();
		check(s.plan.what == SEND_DATA && !s.plan.again);
		check_eq(s.h.seq, (10 + (uint32_t)i) * MSS + 1);
		expect_silence();
	}
	in(TCP_ACK, 1, 1, 0);
	s = out();
	check(s.plan.again && s.plan.cause == TERN_CAUSE_FAST_RETRANSMIT);
	check_seen(&s, TCP_ACK, 1, 1, MSS);
	check_eq(ssthresh_bytes(), 5 * MSS); /* half of ten: the two of step 1 do not count */
	check_eq(cwnd_bytes(), 5 * MSS);
	check_eq(info().ca_state, 3);
	expect_silence();
	/* step 4: each further one frees a segment, once enough have left */
	for (int i = 0; i < 4; i++)
		in(TCP_ACK, 1, 1, 0);
	expect_silence();
	in(TCP_ACK, 1, 1, 0);
	s = out();
	check(s.plan.what == SEND_DATA && !s.plan.again && s.h.seq == 12 * MSS + 1);
	finish();
}

/* RFC 5681 3.2 step 2: what limited transmit let go is not of the flight that is halved. */
static void limited_transmit_is_no_flight(void)
{
	start();
	open_active();
	give(6 * MSS);
	check_eq(drain(), 6);
	in(TCP_ACK, 1, 1, 0);
	give(2 * MSS);
	check_eq(drain(), 2);
	in(TCP_ACK, 1, 1, 0);
	in(TCP_ACK, 1, 1, 0);
	check_eq(ssthresh_bytes(), 3 * MSS);
	finish();
}

/* RFC 6582 3.2 step 3: a partial ACK repairs the next hole; the full one ends it. */
static void partial_acks(void)
{
	struct seen s;

	have_outstanding(10);
	for (int i = 0; i < 3; i++)
		in(TCP_ACK, 1, 1, 0);
	drain();
	for (uint32_t i = 2; i < 5; i++) {
		f.now += 50 * TERN_MS;
		in(TCP_ACK, 1, i * MSS + 1, 0);
		s = out();
		test_at("partial ACK of %u segments", i);
		check(s.plan.again && s.plan.cause == TERN_CAUSE_PARTIAL_ACK);
		check_eq(s.h.seq, i * MSS + 1);
		check_eq(s.len, MSS);
		check_eq(info().ca_state, 3);
		drain();
	}
	in(TCP_ACK, 1, 10 * MSS + 1, 0); /* all that was outstanding when it began */
	check_eq(info().ca_state, 0);
	check(cwnd_bytes() <= ssthresh_bytes());
	check(!plan_of(0).again);
	finish();
}

/* Step 3: the window deflates by what was acknowledged, less one segment. */
static void partial_ack_deflates(void)
{
	have_outstanding(10);
	for (int i = 0; i < 9; i++)
		in(TCP_ACK, 1, 1, 0);
	check_eq(drain(), 1 + 4); /* the repair; 5 + 9 allowed, 10 outstanding */
	f.now += 50 * TERN_MS;
	in(TCP_ACK, 1, 1 + 2 * MSS, 0);
	check(out().plan.again);
	expect(TCP_ACK, 1 + 14 * MSS, 1, MSS); /* 14 - 2 + 1 allowed, 12 outstanding */
	expect_silence();
	finish();
}

/* Step 3: the retransmission timer is restarted by the first partial ACK only, of each recovery. */
static void first_partial_ack_restarts_the_timer(void)
{
	uint32_t una = 1;

	have_outstanding(10);
	for (int k = 0; k < 2; k++) {
		tern_time at;

		for (int i = 0; i < 3; i++)
			in(TCP_ACK, 1, una, 0);
		check_eq(info().ca_state, 3);
		drain();
		f.now += 50 * TERN_MS;
		in(TCP_ACK, 1, una + MSS, 0);
		drain();
		check_eq(until_deadline(), info().rto * TERN_US);
		at = f.now + until_deadline();
		f.now += 50 * TERN_MS;
		in(TCP_ACK, 1, una + 2 * MSS, 0);
		drain();
		check_eq(f.now + until_deadline(), at);
		una = (uint32_t)(f.c.snd.nxt - seq_first(f.iss));
		in(TCP_ACK, 1, una, 0);
		drain();
		in(TCP_ACK, 1, una += MSS, 0); /* step 2: more than the last one covered */
		drain();
	}
	finish();
}

/* Step 2: what the last recovery covered starts no new one, duplicates of its repairs neither. */
static void no_second_recovery_for_the_same_loss(void)
{
	have_outstanding(10);
	next_timer(); /* a time-out: everything up to here counts as covered */
	drain();
	f.now += 50 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 0);
	drain();
	for (int i = 0; i < 5; i++)
		in(TCP_ACK, 1, 1 + MSS, 0);
	for (struct seen s; (s = out()).plan.what != SEND_NOTHING;)
		check(s.plan.cause != TERN_CAUSE_FAST_RETRANSMIT);
	check(cwnd_bytes() <= 3 * MSS); /* and the window was cut once; RFC 5682 2.1 step 3a */
	finish();
}

/* RFC 5681 3.1: slow start from one segment after a time-out, ssthresh half of the flight. */
static void time_out_restarts_slowly(void)
{
	have_outstanding(10);
	f.cfg.tcp_frto = false;
	check_str(next_timer(), "rto");
	check_eq(cwnd_bytes(), MSS);
	check_eq(ssthresh_bytes(), 5 * MSS);
	expect(TCP_ACK, 1, 1, MSS);
	expect_silence();
	next_timer(); /* of the same segment: ssthresh is held */
	check_eq(ssthresh_bytes(), 5 * MSS);
	expect(TCP_ACK, 1, 1, MSS);
	in(TCP_ACK, 1, 1 + MSS, 0);
	check_eq(cwnd_bytes(), 2 * MSS);
	expect(TCP_ACK, 1 + MSS, 1, MSS);
	expect(TCP_ACK, 1 + 2 * MSS, 1, MSS);
	expect_silence();
	finish();
}

/* Again while the first is being repaired: the loss window is one segment all the same. */
static void second_time_out_restarts_slowly_too(void)
{
	start();
	open_active();
	give(60 * MSS);
	drain();
	next_timer();
	drain();
	in(TCP_ACK, 1, 1 + MSS, 0);
	drain();
	in(TCP_ACK, 1, 1 + 2 * MSS, 0);
	in(TCP_ACK, 1, 1 + 3 * MSS, 0);
	drain();
	check(cwnd_bytes() >= 3 * MSS);
	check_str(next_timer(), "rto");
	check_eq(cwnd_bytes(), MSS);
	finish();
}

/* An ACK beyond all that is being repaired ends the repair. */
static void repair_ends_with_the_ack(void)
{
	have_outstanding(10);
	next_timer();
	drain();
	in(TCP_ACK, 1, 1 + 10 * MSS, 0);
	check_eq(info().ca_state, 0);
	check(!plan_of(0).again);
	expect(TCP_ACK, 1 + 10 * MSS, 1, MSS);
	finish();
}

/* ---- our FIN ---- */

static void fin_is_acknowledged(void)
{
	start();
	open_active();
	give(5);
	close_send();
	expect(TCP_ACK | TCP_PSH | TCP_FIN, 1, 1, 5);
	in(TCP_ACK, 1, 6, 0); /* the text, not the FIN */
	check_eq(state(), TERN_TCP_FIN_WAIT_1);
	in(TCP_ACK, 1, 8, 0); /* beyond it */
	check_eq(state(), TERN_TCP_FIN_WAIT_1);
	in(TCP_ACK, 1, 7, 0);
	check_eq(state(), TERN_TCP_FIN_WAIT_2);
	finish();
}

static bool new_round;

static void hear_of_rounds(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	new_round = s->new_round;
	cc_reno.on_ack(cc, s);
}

/* RFC 9406 4.2: a round ends when all that had gone at its beginning is acknowledged. */
static void rounds(void)
{
	struct tern_cc_ops ops = cc_reno;

	ops.on_ack = hear_of_rounds;
	start();
	f.c.cc.ops = &ops;
	open_active();
	give(60 * MSS);
	check_eq(drain(), 10);
	in(TCP_ACK, 1, 1 + 2 * MSS, 0);
	check(new_round); /* the first begins */
	drain();
	for (uint32_t n = 3; n < 14; n++) {
		in(TCP_ACK, 1, 1 + n * MSS, 0);
		check_eq(new_round, n == 10);
		drain();
	}
	finish();
}

static unsigned n_heard;
static tern_time unheard_at;

static void hear_of_full_windows(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	n_heard++;
	unheard_at = s->unheard_at;
	hear_of_rounds(cc, s);
}

/* An algorithm that asks for full windows alone hears later of rounds that others began. */
static void full_windows_alone(void)
{
	struct tern_cc_ops ops = { .name = "mine", .on_ack = hear_of_full_windows };
	tern_time quiet;

	for (int alone = 0; alone < 2; alone++) {
		test_at("full windows alone: %d", alone);
		start();
		n_heard = 0;
		ops.when_limited = alone;
		f.c.cc.ops = &ops;
		open_active();
		give(10);
		drain();
		f.now += TERN_MS;
		in(TCP_ACK, 1, 11, 0); /* a round trip of ten bytes */
		check_eq(n_heard, alone ? 0 : 1);
		quiet = f.now;
		give(10 * MSS);
		check_eq(drain(), 10);
		f.now += TERN_MS;
		in(TCP_ACK, 1, 11 + MSS, 0);
		check_eq(n_heard, alone ? 1 : 2);
		check_eq(unheard_at, alone ? quiet : 0);
		check(new_round);
		in(TCP_ACK, 1, 11 + 2 * MSS, 0);
		check(!new_round);
		finish();
	}
}

/* Room in the send buffer comes back with the ACK. */
static void acknowledged_bytes_make_room(void)
{
	start();
	open_active();
	set_send_buffer(3000);
	check_eq(give(5000), 3000);
	check_eq(give(1), -TERN_EAGAIN);
	drain();
	in(TCP_ACK, 1, 1, 0);
	check_eq(give(5000), -TERN_EAGAIN);
	in(TCP_ACK, 1, 1001, 0);
	check_eq(give(5000), 1000);
	finish();
}

/* RFC 5961 section 7: so many challenges in five seconds, then silence, then anew. */
static void challenges_are_limited(void)
{
	unsigned n = 0;

	start();
	f.cfg.tcp_challenge_ack_limit = 4;
	open_active();
	for (int i = 0; i < 20; i++) {
		in(TCP_ACK, 1, 100000, 0);
		n += drain();
	}
	check_eq(n, 4);
	f.now += 5 * TERN_SEC - 1;
	in(TCP_ACK, 1, 100000, 0);
	check_eq(drain(), 0);
	f.now += 1;
	in(TCP_ACK, 1, 100000, 0);
	check_eq(drain(), 1);
	finish();
}

static const struct test tests[] = {
	TEST(nothing_before_the_syn),
	TEST(numbers_of_acks),
	TEST(refused_acks_bring_no_text),
	TEST(window_updates),
	TEST(what_counts_as_duplicate),
	TEST(blocks_tell_of_losses),
	TEST(third_duplicate_repairs),
	TEST(limited_transmit_is_no_flight),
	TEST(partial_acks),
	TEST(partial_ack_deflates),
	TEST(first_partial_ack_restarts_the_timer),
	TEST(no_second_recovery_for_the_same_loss),
	TEST(time_out_restarts_slowly),
	TEST(second_time_out_restarts_slowly_too),
	TEST(repair_ends_with_the_ack),
	TEST(fin_is_acknowledged),
	TEST(acknowledged_bytes_make_room),
	TEST(rounds),
	TEST(full_windows_alone),
	TEST(challenges_are_limited),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
