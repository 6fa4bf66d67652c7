/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rate_test.c - core/tcp/tcp_rate.c, and what an algorithm is told of it.
 *
 * The samples are compared with a model that keeps the whole history: when each segment went, and
 * how much had been delivered by when. From that a rate is what the definition says, in floating
 * point, with nothing carried from one ACK to the next but the history.
 */
#include <math.h>

#include "../../core/base/rand.h"
#include "tcp_fixture.h"

enum { SEGMENTS_MAX = 4000, EVENTS_MAX = 4000 };

/* ---- an algorithm that remembers what it hears ---- */

static struct {
	unsigned n_send, n_ack, n_loss, n_congestion, n_recovery_end, n_rto, n_idle, n_undo;
	struct tern_cc_sample send, ack, loss, congestion, rto;
	uint64_t lost_bytes;
	bool hold_back;
} heard;

static void hear_send(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	heard.n_send++;
	heard.send = *s;
}

static void hear_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	heard.n_ack++;
	heard.ack = *s;
	cc_pace(cc)->holds_back = heard.hold_back;
}

static void hear_loss(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	heard.n_loss++;
	heard.loss = *s;
	heard.lost_bytes += s->lost_len;
}

static void hear_congestion(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	heard.n_congestion++;
	heard.congestion = *s;
}

static void hear_recovery_end(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	(void)s;
	heard.n_recovery_end++;
}

static void hear_rto(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	heard.n_rto++;
	heard.rto = *s;
}

static void hear_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	(void)s;
	heard.n_idle++;
}

static void hear_undo(struct tern_cc *cc)
{
	(void)cc;
	heard.n_undo++;
}

static const struct tern_cc_ops listener = { .name = "listener",
					     .own_window = true,
					     .on_send = hear_send,
					     .on_ack = hear_ack,
					     .on_loss = hear_loss,
					     .on_congestion = hear_congestion,
					     .on_recovery_end = hear_recovery_end,
					     .on_rto = hear_rto,
					     .on_idle = hear_idle,
					     .on_undo = hear_undo };

static void open_with(const struct tern_cc_ops *ops, bool sack, uint32_t segments)
{
	struct tcp_hdr h;

	start();
	memset(&heard, 0, sizeof(heard));
	f.c.cc.ops = ops;
	f.open.rcv_buf_max = 65535;
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.sack_permitted = sack;
	open_active_after(20 * TERN_MS, &h);
	f.c.cc.cwnd = segments * MSS;
	f.c.opt.sndbuf = 10 << 20;
}

static void ack_with(uint32_t ack, uint32_t lo, uint32_t hi)
{
	struct tcp_hdr h = header(TCP_ACK, 1, ack);

	if (lo < hi) {
		h.n_sack = 1;
		h.sack[0] = (struct tcp_sack){ f.iss + lo, f.iss + hi };
	}
	in_hdr(&h, 0);
}

/* ---- the history ---- */

struct segment {
	double sent_at;
	uint64_t delivered;   /* before it went */
	double delivered_at;  /* the last time before it went, or the flight's beginning */
	double first_sent_at; /* of the youngest delivered before it went, or the same */
	bool limited, arrived;
};

static struct {
	struct segment s[SEGMENTS_MAX];
	unsigned n;	    /* sent so far */
	uint64_t delivered; /* bytes */
	double delivered_at, first_sent_at;
	unsigned in_flight;	/* segments */
	uint64_t limited_until; /* 0: not */
} past;

static double seconds(tern_time t)
{
	return (double)t / 1e9;
}

static void note_sent_now(void)
{
	struct segment *s = &past.s[past.n++];

	if (past.in_flight == 0)
		past.delivered_at = past.first_sent_at = seconds(f.now);
	*s = (struct segment){ .sent_at = seconds(f.now),
			       .delivered = past.delivered,
			       .delivered_at = past.delivered_at,
			       .first_sent_at = past.first_sent_at,
			       .limited = past.limited_until != 0 };
	past.in_flight++;
}

/* Segments [lo, hi) arrive with one ACK; which of them is the youngest that had not. */
static const struct segment *note_arrived(unsigned lo, unsigned hi)
{
	const struct segment *youngest = NULL;

	for (unsigned i = lo; i < hi; i++) {
		struct segment *s = &past.s[i];

		if (s->arrived)
			continue;
		s->arrived = true;
		past.delivered += MSS;
		past.in_flight--;
		youngest = s; /* each went once: the highest is the youngest */
	}
	if (!youngest)
		return NULL;
	past.delivered_at = seconds(f.now);
	past.first_sent_at = youngest->sent_at;
	if (past.limited_until && past.delivered > past.limited_until)
		past.limited_until = 0;
	return youngest;
}

/* As of now there is nothing to send, though there could be. */
static void note_limited(void)
{
	if (past.in_flight * MSS < f.c.cc.cwnd && f.given == (uint64_t)past.n * MSS)
		past.limited_until = past.delivered + past.in_flight * MSS;
	if (past.limited_until == 0 && past.n == 0)
		past.limited_until = 1;
}

static void compare_sample(const struct segment *s)
{
	double send = s->sent_at - s->first_sent_at, acked = seconds(f.now) - s->delivered_at;
	double longer = send > acked ? send : acked;
	double delivered = (double)(past.delivered - s->delivered), least = longer - 1.01e-6;
	double rate = (double)heard.ack.delivery_rate;

	check_eq(heard.ack.delivered, past.delivered);
	check_eq(heard.ack.prior_delivered, s->delivered);
	/* spans that are kept are cut to microseconds */
	check(seconds(heard.ack.interval) <= longer + 1e-12 &&
	      seconds(heard.ack.interval) >= least);
	if (longer > 1e-9)
		check(rate >= delivered / longer - 1.01 &&
		      (least <= 0 || rate <= delivered / least));
	check(heard.ack.app_limited == s->limited);
}

/* ---- random histories without loss: what arrives early is sacked, everything went once ---- */

static void let_go(unsigned most)
{
	for (unsigned i = 0; i < most && past.n < SEGMENTS_MAX; i++) {
		if (plan_of(0).what != SEND_DATA)
			return;
		note_sent_now();
		check_eq(out().len, MSS);
	}
}

/* Then the first may be missing, and not be lost. */
static bool of_one_burst(unsigned lo, unsigned hi)
{
	return hi <= past.n && past.s[lo].sent_at == past.s[hi - 1].sent_at;
}

static void one_history(unsigned seed)
{
	unsigned una = 0, n_early = 0;
	bool early = false;
	struct rand dice;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	open_with(&listener, true, 60);
	memset(&past, 0, sizeof(past));
	for (unsigned step = 0; step < 300; step++) {
		unsigned lo, hi, n = heard.n_ack, to_give = (unsigned)rand_below(&dice, 9);
		const struct segment *youngest;

		test_at("seed %u, step %u", seed, step);
		f.now += rand_below(&dice, 900) * TERN_US + rand_below(&dice, 1000);
		if (rand_below(&dice, 3) == 0 && f.given + to_give * MSS < SEGMENTS_MAX * MSS) {
			note_limited();
			give(to_give * MSS);
		}
		let_go((unsigned)rand_below(&dice, 12));
		if (past.n == una || rand_below(&dice, 3))
			continue;
		f.now += rand_below(&dice, 3) * TERN_MS;
		note_limited();
		early = !early && rand_below(&dice, 2) && of_one_burst(una, una + 3);
		lo = early ? una + 1 : una;
		hi = early ? una + 3 : una + 1 + (unsigned)rand_below(&dice, past.n - una);
		una = early ? una : hi;
		youngest = note_arrived(lo, hi);
		ack_with(1 + una * MSS, early ? 1 + lo * MSS : 0, early ? 1 + hi * MSS : 0);
		n_early += early;
		if (!youngest)
			continue;
		check_eq(heard.n_ack, n + 1);
		compare_sample(youngest);
	}
	check(heard.n_loss == 0 && heard.n_ack > 20 && n_early > 0);
	finish();
}

static void agrees_with_history(void)
{
	for (unsigned seed = 0; seed < 100; seed++)
		one_history(seed);
}

/* ---- single rules ---- */

/* 4.1.2.2: a flight that begins anew counts from its first segment, not from the pause before. */
static void pauses_do_not_count(void)
{
	open_with(&listener, true, 100);
	give(10 * MSS);
	drain();
	f.now += 20 * TERN_MS;
	ack_with(1 + 10 * MSS, 0, 0);
	check_eq(heard.n_send, 1);
	check_eq(heard.ack.delivery_rate, 10 * MSS * 50);
	f.now += 150 * TERN_MS;
	give(10 * MSS);
	drain();
	check_eq(heard.n_send, 2);
	check(heard.send.app_limited && heard.send.delivered == 10 * MSS);
	f.now += 20 * TERN_MS;
	ack_with(1 + 20 * MSS, 0, 0);
	check_eq(heard.ack.delivery_rate, 10 * MSS * 50);
	finish();
}

/* 4.1.1.2.3: ACKs that come all at once are no faster than the segments went. */
static void no_faster_than_sent(void)
{
	open_with(&listener, true, 100);
	for (unsigned n = 10; n <= 20; n += 10) {
		for (unsigned i = 0; i < 10; i++) {
			give(MSS);
			drain();
			f.now += i < 9 || n == 10 ? 10 * TERN_MS : TERN_MS;
		}
		ack_with(1 + (n == 10 ? 9 : 20) * MSS, 0, 0); /* something is always in flight */
	}
	check_eq(heard.ack.interval, 110 * TERN_MS); /* from the ninth to the twentieth */
	check_eq(heard.ack.delivery_rate, 100000);
	finish();
}

/* The ACK of a repetition that may be that of the original is no sample (4.1.3.4). */
static void too_fast_to_be_true(void)
{
	open_with(&listener, true, 100);
	give(10 * MSS);
	drain();
	f.now += 20 * TERN_MS;
	ack_with(1, 1 + MSS, 1 + 10 * MSS); /* the first is lost */
	check_eq(heard.n_loss, 1);
	check_eq(heard.ack.delivery_rate, 9 * MSS * 50);
	check_eq(heard.ack.newly_lost, MSS);
	check(out().plan.again);
	f.now += TERN_MS;
	ack_with(1 + 10 * MSS, 0, 0);
	check_eq(heard.ack.delivery_rate, 0);
	check_eq(heard.ack.newly_delivered, MSS);
	finish();
}

/* What is lost: how much, what flew when it went, what was lost since; once in an episode. */
static void losses_are_told(void)
{
	open_with(&listener, true, 100);
	give(20 * MSS);
	drain();
	f.now += 20 * TERN_MS;
	ack_with(1, 1 + 3 * MSS, 1 + 6 * MSS);
	check(heard.n_loss == 1 && heard.lost_bytes == 3 * MSS);
	check_eq(heard.loss.lost_len, 3 * MSS);
	check_eq(heard.loss.lost, 3 * MSS);
	check_eq(heard.loss.tx_in_flight,
		 3 * MSS); /* the burst is cut: what flew when they had gone */
	check(heard.n_congestion == 1 && !heard.congestion.marked);
	check_eq(heard.ack.newly_lost, 3 * MSS);
	check(heard.ack.in_recovery);
	check_eq(heard.ack.flight, 14 * MSS);
	check_eq(f.c.cc.cwnd, 100 * MSS); /* nobody else moves it */
	ack_with(1, 1 + 8 * MSS, 1 + 12 * MSS);
	check(heard.n_loss == 2 && heard.n_congestion == 1);
	check_eq(heard.loss.lost, 5 * MSS);
	check_eq(heard.loss.tx_in_flight, 8 * MSS);
	check_eq(drain(), 5);
	f.now += 20 * TERN_MS;
	check_eq(heard.n_recovery_end, 0);
	ack_with(1 + 20 * MSS, 0, 0);
	check_eq(heard.n_recovery_end, 1);
	check(!heard.ack.in_recovery);
	check_eq(f.c.cc.cwnd, 100 * MSS);
	finish();
}

static void time_outs_are_told(void)
{
	open_with(&listener, true, 100);
	f.cfg.tcp_early_retrans = false;
	give(10 * MSS);
	drain();
	next_timer();
	check(heard.n_rto == 1 && !heard.rto.again && !heard.rto.in_recovery);
	check_eq(heard.rto.in_flight, 10 * MSS);
	check_eq(heard.rto.flight, 0); /* all are older than a round trip */
	check_eq(heard.lost_bytes, 10 * MSS);
	check_eq(heard.n_congestion, 0);
	out();
	next_timer();
	check(heard.n_rto == 2 && heard.rto.again && heard.rto.in_recovery);
	finish();
}

/* A false alarm: the SACK form of F-RTO (RFC 5682). */
static void false_alarms_are_told(void)
{
	open_with(&listener, true, 100);
	f.cfg.tcp_early_retrans = false;
	give(10 * MSS);
	drain();
	next_timer();
	out();
	ack_with(1 + 3 * MSS, 0, 0);
	check_eq(heard.n_undo, 1);
	finish();
}

/* Without SACK the samples come with the numbers, and losses are told all the same. */
static void without_sack(void)
{
	open_with(&listener, false, 100);
	give(10 * MSS);
	drain();
	f.now += 20 * TERN_MS;
	for (unsigned i = 0; i < 3; i++)
		ack_with(1, 0, 0);
	check(heard.n_ack == 0 && heard.n_loss == 1 && heard.n_congestion == 1);
	check(!heard.loss.has_sack && heard.loss.lost_len == MSS);
	check(out().plan.again);
	f.now += 20 * TERN_MS;
	ack_with(1 + 10 * MSS, 0, 0);
	check_eq(heard.ack.newly_delivered, 10 * MSS);
	check_eq(heard.ack.delivery_rate, 10 * MSS * 25);
	check_eq(heard.n_recovery_end, 1);
	finish();
}

/* An algorithm that holds back marks what goes from then on, until that has arrived. */
static void holding_back(void)
{
	open_with(&listener, true, 10);
	give(60 * MSS);
	check_eq(drain(), 10);
	f.now += 20 * TERN_MS;
	heard.hold_back = true;
	ack_with(1 + MSS, 0, 0);
	heard.hold_back = false;
	check(heard.ack.app_limited); /* of the very first flight nothing was known */
	drain();
	f.now += 20 * TERN_MS;
	ack_with(1 + 11 * MSS, 0, 0); /* the last of these went after it */
	check(heard.ack.app_limited);
	drain();
	f.now += 20 * TERN_MS;
	ack_with(1 + 21 * MSS, 0, 0);
	check(!heard.ack.app_limited);
	finish();
}

/* TCP_INFO: the newest rate, or the best of those that the user limited. */
static void what_is_told_of_rates(void)
{
	open_with(&cc_reno, true, 10);
	check_eq(info().delivered, 1); /* our SYN */
	give(10 * MSS);
	drain();
	f.now += 20 * TERN_MS;
	in(TCP_ACK, 1, 1 + 10 * MSS, 0);
	check_eq(info().delivery_rate, 10 * MSS * 50);
	check_eq(info().app_limited, 1);
	check_eq(info().delivered, 11);
	give(MSS);
	drain();
	f.now += 20 * TERN_MS;
	in(TCP_ACK, 1, 1 + 11 * MSS, 0);
	check_eq(info().delivery_rate, 10 * MSS * 50);
	give(60 * MSS);
	for (unsigned acked = 11; acked < 71; acked += 4) { /* a flood: not limited */
		drain();
		f.now += 20 * TERN_MS;
		in(TCP_ACK, 1, 1 + (acked + 4) * MSS, 0);
	}
	check_eq(info().delivered, 72);
	check(info().delivery_rate > 0);
	finish();
}

static const struct test tests[] = {
	TEST(agrees_with_history),   TEST(pauses_do_not_count), TEST(no_faster_than_sent),
	TEST(too_fast_to_be_true),   TEST(losses_are_told),	TEST(time_outs_are_told),
	TEST(false_alarms_are_told), TEST(without_sack),	TEST(holding_back),
	TEST(what_is_told_of_rates),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
