/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr_rules_test.c - core/cc/bbr.c and bbr_probe.c: single rules of the draft, one ACK at a time.
 */
#include "bbr_path.h"

static struct path path;

/* In ProbeBW on a path of 1 MB/s and 100 ms, with nothing under way. */
static struct bbr *at_rest_in(enum bbr_state state)
{
	struct bbr *b;

	begin_path(&path, 1000000, 100 * TERN_MS, 1 << 30);
	b = model(&path);
	b->state = (uint8_t)state;
	b->max_bw_filter[0] = b->max_bw_filter[1] = b->bw = 1000000;
	b->min_rtt = b->probe_rtt_min_delay = 100 * TERN_MS;
	b->full_bw_reached = true;
	b->random = 0x12345678;
	b->cycle_stamp = path.now;
	b->bw_probe_wait = 2 * TERN_SEC;
	path.cc.cwnd = 200 * SEG;
	cc_pace(&path.cc)->burst = 2 * SEG;
	return b;
}

/* An ordinary ACK: a segment of the full pipe, round trips as always. */
static struct tern_cc_sample plain(void)
{
	path.now += 10 * TERN_MS;
	return (struct tern_cc_sample){ .now = path.now,
					.srtt = 100 * TERN_MS,
					.rtt = 100 * TERN_MS,
					.in_flight = 100 * SEG,
					.flight = 99 * SEG,
					.acked = SEG,
					.newly_delivered = SEG,
					.random = 0x9abcdef0,
					.has_sack = true,
					.delivered = 1000 * SEG,
					.prior_delivered = 900 * SEG,
					.interval = 100 * TERN_MS,
					.delivery_rate = 1000000,
					.tx_in_flight = 100 * SEG };
}

static void ack_plain(void)
{
	struct tern_cc_sample s = plain();

	cc_on_ack(&path.cc, &s);
}

static struct tern_cc_sample lost_one(uint64_t tx_in_flight, uint64_t lost)
{
	return (struct tern_cc_sample){ .now = path.now,
					.has_sack = true,
					.delivered = 1000 * SEG,
					.lost_len = SEG,
					.tx_in_flight = tx_in_flight,
					.lost = lost };
}

/* 5.6.1: gains of rate and window in each state. */
static void gains_of_states(void)
{
	static const struct {
		enum bbr_state state;
		unsigned pacing, window; /* of a BDP of 100 segments */
	} cases[] = {
		{ BBR_DRAIN, 50, 200 },
		{ BBR_DOWN, 90, 200 },
		{ BBR_CRUISE, 100, 200 },
		{ BBR_REFILL, 100, 200 },
		{ BBR_UP, 125, 227 /* and two */ },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct bbr *b = at_rest_in(cases[i].state);
		struct tern_cc_sample s = plain();

		test_at("state %u", cases[i].state);
		b->next_round_delivered = UINT64_MAX; /* no round ends: the state stays */
		s.flight = 150 * SEG;
		path.cc.cwnd = 1000 * SEG;
		b->extra_acked_interval_start = path.now;
		cc_on_ack(&path.cc, &s);
		check_eq(b->state, cases[i].state);
		check_eq(cc_pace(&path.cc)->rate, 10000u * 99 * cases[i].pacing / 100);
		check(path.cc.cwnd >= cases[i].window * SEG &&
		      path.cc.cwnd <= (cases[i].window + 1) * SEG);
		check_eq(cc_pace(&path.cc)->burst, 2 * SEG);
	}
}

/* 5.6.4.7: which bounds hold in which state. */
static void bounds_of_states(void)
{
	static const struct {
		enum bbr_state state;
		uint32_t longterm, shortterm, want; /* segments; 0: none */
	} cases[] = {
		{ BBR_DRAIN, 60, 0, 201 },    { BBR_DRAIN, 0, 50, 50 },
		{ BBR_DOWN, 60, 0, 60 },      { BBR_DOWN, 60, 50, 50 },
		{ BBR_CRUISE, 60, 0, 51 },    { BBR_CRUISE, 0, 40, 40 },
		{ BBR_REFILL, 60, 0, 60 },    { BBR_UP, 60, 0, 60 },
		{ BBR_PROBE_RTT, 60, 0, 50 }, { BBR_PROBE_RTT, 50, 0, 42 },
		{ BBR_CRUISE, 2, 0, 4 },      { BBR_DOWN, 0, 2, 4 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct bbr *b = at_rest_in(cases[i].state);
		struct tern_cc_sample s = plain();

		test_at("case %u", i);
		b->next_round_delivered = b->loss_round_delivered = UINT64_MAX;
		b->inflight_longterm = cases[i].longterm ? cases[i].longterm * SEG : BBR_NO_VOLUME;
		b->inflight_shortterm =
			cases[i].shortterm ? cases[i].shortterm * SEG : BBR_NO_VOLUME;
		s.flight = 150 * SEG;
		s.tx_in_flight = SEG;
		b->extra_acked_interval_start = path.now;
		cc_on_ack(&path.cc, &s);
		check_eq(b->state, cases[i].state);
		check_eq(path.cc.cwnd / SEG, cases[i].want);
	}
}

/* 5.5.10.3: a round with a loss takes three tenths at most, and no more than was not delivered. */
static void short_term_bounds(void)
{
	struct bbr *b = at_rest_in(BBR_CRUISE);
	struct tern_cc_sample lost = lost_one(100 * SEG, SEG), s;

	b->delivered = 800 * SEG;
	cc_on_loss(&path.cc, &lost);
	check(b->loss_in_round && b->bw_shortterm == BBR_NO_RATE);
	s = plain();
	s.prior_delivered = 990 * SEG; /* ten segments, 100 kB/s */
	s.delivery_rate = 100000;
	cc_on_ack(&path.cc, &s);
	check_eq(b->bw_shortterm, 700000);
	check_eq(b->inflight_shortterm, 140 * SEG);
	check_eq(b->bw, 700000);
	check(!b->loss_in_round);
	b->loss_in_round = true; /* the next round */
	s = plain();
	s.delivered = s.prior_delivered = 1100 * SEG;
	s.prior_delivered -= 60 * SEG;
	s.delivery_rate = 600000;
	cc_on_ack(&path.cc, &s);
	check_eq(b->bw_shortterm, 600000); /* what is delivered is more than 490 */
	check_eq(b->inflight_shortterm, 98 * SEG);
	b->cycle_stamp = 0; /* time to probe: it is forgotten */
	s = plain();
	s.delivered = 1101 * SEG;
	s.prior_delivered = 1050 * SEG;
	cc_on_ack(&path.cc, &s);
	check_eq(b->state, BBR_REFILL);
	check(b->bw_shortterm == BBR_NO_RATE && b->inflight_shortterm == BBR_NO_VOLUME);
	check_eq(b->bw, 1000000);
}

/* 5.5.10.2: where, in what was in flight, losses exceeded 2 %. */
static void where_losses_were_too_many(void)
{
	static const struct {
		uint64_t tx, lost; /* segments, the last one among them */
		uint64_t want;	   /* bytes; 0: not too many */
	} cases[] = {
		{ 100, 1, 0 },
		{ 100, 2, 0 },
		{ 49, 1, 48000 + 48000 / 49 },
		{ 100, 3, 99000 },
		{ 200, 5, 199000 },
		{ 200, 4, 0 },
		{ 90, 2, 89000 + (89000 - 50000) / 49 },
		{ 60, 1, 0 },
		{ 20, 1, 70000 }, /* never below 0.7 of the target */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct bbr *b = at_rest_in(BBR_UP);
		struct tern_cc_sample s = lost_one(cases[i].tx * SEG, cases[i].lost * SEG);
		uint64_t want = MAX(cases[i].want, 70000);

		test_at("%u of %u", (unsigned)cases[i].lost, (unsigned)cases[i].tx);
		b->bw_probe_samples = true;
		cc_on_loss(&path.cc, &s);
		check_eq(b->inflight_longterm, cases[i].want ? want : BBR_NO_VOLUME);
		check_eq(b->state, cases[i].want ? BBR_DOWN : BBR_UP);
		check_eq(b->bw_probe_samples, !cases[i].want);
		s.lost += 50 * SEG; /* once is enough for a probe */
		s.tx_in_flight = 150 * SEG;
		if (cases[i].want) {
			cc_on_loss(&path.cc, &s);
			check_eq(b->inflight_longterm, want);
		}
	}
}

/* What the user limited is no reason to lower the bound, but the probe ends. */
static void limited_probes(void)
{
	struct bbr *b = at_rest_in(BBR_UP);
	struct tern_cc_sample s = lost_one(10 * SEG, 5 * SEG);

	b->bw_probe_samples = true;
	s.app_limited = true;
	cc_on_loss(&path.cc, &s);
	check_eq(b->inflight_longterm, BBR_NO_VOLUME);
	check_eq(b->state, BBR_DOWN);
}

/* 5.3.3.6: while the bound is what limits, it rises by 1, 2, 4 ... segments a round. */
static void raising_the_bound(void)
{
	struct bbr *b = at_rest_in(BBR_UP);
	uint64_t delivered = 1000 * SEG;

	b->inflight_longterm = path.cc.cwnd = 50 * SEG;
	b->probe_up_cnt = UINT32_MAX;
	for (unsigned round = 0; round < 5; round++) {
		uint32_t before = b->inflight_longterm, n = path.cc.cwnd / SEG;

		for (unsigned i = 0; i < n; i++) {
			struct tern_cc_sample s = plain();

			s.cwnd_limited = true;
			s.tx_in_flight = 40 * SEG;
			s.delivery_rate = (uint64_t)1000000 << round; /* else that is enough */
			s.prior_delivered = i ? delivered - n * SEG : delivered;
			b->next_round_delivered = i ? UINT64_MAX : 0;
			delivered += SEG;
			s.delivered = delivered;
			cc_on_ack(&path.cc, &s);
		}
		test_at("round %u", round);
		check_eq(b->state, BBR_UP);
		/* spread over the round, whose first ACK belongs to the one before */
		check(b->inflight_longterm - before >= (uint32_t)(SEG << round) * 8 / 10);
		check(b->inflight_longterm - before <= (uint32_t)(SEG << round) * 12 / 10);
		path.cc.cwnd = b->inflight_longterm;
	}
}

/* 5.5.6: the filter of max_bw moves once in a cycle, and not for want of samples. */
static void filter_of_max_bw(void)
{
	struct bbr *b = at_rest_in(BBR_DOWN);

	b->ack_phase = BBR_ACKS_PROBE_STOPPING;
	b->max_bw_filter[0] = 3000000;
	b->max_bw_filter[1] = 2000000;
	for (unsigned i = 0; i < 5; i++) { /* five rounds */
		b->next_round_delivered = 0;
		ack_plain();
	}
	check_eq(bbr_max_bw(b), 2000000);
	check_eq(b->max_bw_filter[1], 1000000);
	bbr_advance_max_bw_filter(b);
	check_eq(bbr_max_bw(b), 1000000);
	bbr_advance_max_bw_filter(b);
	check_eq(bbr_max_bw(b), 1000000);
}

/* What the user limited counts only when it is more than was known. */
static void limited_samples(void)
{
	struct bbr *b = at_rest_in(BBR_CRUISE);
	struct tern_cc_sample s;

	b->max_bw_filter[0] = b->max_bw_filter[1] = 0;
	b->max_bw_filter[0] = 500000;
	s = plain();
	s.app_limited = true;
	s.delivery_rate = 400000;
	cc_on_ack(&path.cc, &s);
	check_eq(b->max_bw_filter[1], 0);
	s.delivery_rate = 600000;
	cc_on_ack(&path.cc, &s);
	check_eq(bbr_max_bw(b), 600000);
}

/* 5.3.1.3: six ACKs that tell of losses, and more than 2 %, in a round of a recovery. */
static void startup_ends_by_loss(void)
{
	static const struct {
		unsigned events;
		uint64_t lost;
		bool in_recovery, ends;
	} cases[] = {
		{ 6, 3, true, true },
		{ 5, 3, true, false },
		{ 6, 2, true, false },
		{ 6, 3, false, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct bbr *b = at_rest_in(BBR_STARTUP);

		test_at("case %u", i);
		b->full_bw_reached = false;
		for (unsigned k = 0; k < cases[i].events; k++) {
			struct tern_cc_sample s = plain();

			s.newly_lost = SEG;
			s.lost = cases[i].lost * SEG;
			s.in_recovery = cases[i].in_recovery;
			/* the round ends with the last of them */
			b->loss_round_delivered = k + 1 < cases[i].events ? UINT64_MAX : 0;
			b->next_round_delivered = UINT64_MAX;
			cc_on_ack(&path.cc, &s);
		}
		check_eq(b->full_bw_reached, cases[i].ends);
		check(cases[i].ends ? b->state != BBR_STARTUP : b->state == BBR_STARTUP);
		check_eq(b->inflight_longterm, cases[i].ends ? 100 * SEG : BBR_NO_VOLUME);
	}
}

/* Without SACK one loss is enough, as more of a round trip cannot be seen. */
static void startup_ends_by_one_loss(void)
{
	for (unsigned sack = 0; sack < 2; sack++) {
		struct bbr *b = at_rest_in(BBR_STARTUP);
		struct tern_cc_sample s = lost_one(100 * SEG, SEG);

		test_at("%u", sack);
		b->full_bw_reached = false;
		b->inflight_latest = 120 * SEG;
		s.has_sack = sack;
		cc_on_loss(&path.cc, &s);
		check_eq(b->state, sack ? BBR_STARTUP : BBR_DRAIN);
		check_eq(b->full_bw_reached, !sack);
		check_eq(b->inflight_longterm, sack ? BBR_NO_VOLUME : 120 * SEG);
		cc_on_undo(&path.cc);
		check_eq(b->state, BBR_STARTUP);
	}
}

/* 3.7: a mark of the network ends Startup, and the probe that caused it. */
static void marks(void)
{
	struct tern_cc_sample s = { .now = 1, .in_flight = 80 * SEG, .marked = true };
	struct bbr *b = at_rest_in(BBR_STARTUP);

	b->full_bw_reached = false;
	cc_on_congestion(&path.cc, &s);
	check(b->state == BBR_DRAIN && b->full_bw_reached && b->loss_in_round);
	b = at_rest_in(BBR_UP);
	b->bw_probe_samples = true;
	cc_on_congestion(&path.cc, &s);
	check(b->state == BBR_DOWN && b->inflight_longterm == 80 * SEG);
	b = at_rest_in(BBR_CRUISE);
	cc_on_congestion(&path.cc, &s);
	check(b->state == BBR_CRUISE && b->loss_in_round);
}

/* 5.6.4.4: a time-out leaves one segment more than flies; the end of the repair brings it back. */
static void time_out(void)
{
	struct tern_cc_sample rto = { .now = 1, .in_flight = 100 * SEG, .flight = 3 * SEG },
			      end = { 0 };
	struct bbr *b = at_rest_in(BBR_CRUISE);

	cc_on_rto(&path.cc, &rto);
	check(path.cc.cwnd == 4 * SEG && b->loss_in_round && b->prior_cwnd == 200 * SEG);
	rto.again = rto.in_recovery = true;
	rto.flight = 0;
	cc_on_rto(&path.cc, &rto);
	check(path.cc.cwnd == SEG && b->prior_cwnd == 200 * SEG);
	cc_on_recovery_end(&path.cc, &end);
	check_eq(path.cc.cwnd, 200 * SEG);
}

/* 5.5.11: a false alarm brings back what the first loss found, the state included. */
static void undo(void)
{
	static const enum bbr_state states[] = { BBR_STARTUP, BBR_UP, BBR_CRUISE };

	for (unsigned i = 0; i < N_TESTS(states); i++) {
		struct bbr *b = at_rest_in(states[i]);
		struct tern_cc_sample lost = lost_one(20 * SEG, 5 * SEG);
		struct tern_cc_sample s = { .now = 1, .in_flight = 100 * SEG };

		test_at("state %u", states[i]);
		b->bw_probe_samples = states[i] == BBR_UP;
		b->inflight_longterm = 300 * SEG;
		cc_on_loss(&path.cc, &lost);
		cc_on_congestion(&path.cc, &s);
		if (states[i] == BBR_STARTUP)
			bbr_leave_startup(&path.cc);
		b->bw_shortterm = 1;
		b->inflight_shortterm = 1;
		path.cc.cwnd = 30 * SEG;
		cc_on_undo(&path.cc);
		check_eq(b->state, states[i]);
		check(b->bw_shortterm == BBR_NO_RATE && b->inflight_shortterm == BBR_NO_VOLUME);
		check_eq(b->inflight_longterm, 300 * SEG);
		check_eq(b->bw_probe_samples, states[i] == BBR_UP); /* it listens again */
		check_eq(path.cc.cwnd, 200 * SEG);
		check(!b->loss_in_round);
	}
}

/* 5.5.9: what comes at once beyond the expected is allowed for, for some rounds. */
static void aggregation(void)
{
	struct bbr *b = at_rest_in(BBR_CRUISE);
	struct tern_cc_sample s = plain();

	b->extra_acked_interval_start = s.now;
	s.newly_delivered = 30 * SEG;
	cc_on_ack(&path.cc, &s);
	check_eq(b->extra_acked_filter[1], 30 * SEG);
	path.cc.cwnd = 1000 * SEG;
	s.newly_delivered = 1;
	cc_on_ack(&path.cc, &s);
	check_eq(path.cc.cwnd / SEG, 230);
	for (unsigned i = 0; i < 12; i++) {
		path.now += TERN_SEC / 4; /* one segment is less than expected */
		b->probe_rtt_min_stamp = path.now;
		b->next_round_delivered = 0;
		ack_plain();
	}
	check(b->extra_acked_filter[0] <= SEG && b->extra_acked_filter[1] <= SEG);
}

/* Nothing was sent for long, the model is gone: as at first, and no window of old. */
static void after_a_rest(void)
{
	struct tern_cc_sample s = { .now = 2000 * TERN_SEC, .srtt = 50 * TERN_MS };

	at_rest_in(BBR_CRUISE);
	cc_set_state(&path.cc, NULL);
	cc_set_state(&path.cc, path.state);
	cc_on_idle(&path.cc, &s);
	check_eq(path.cc.cwnd, 10 * SEG);
	check_eq(model(&path)->state, BBR_STARTUP);
	check_eq(cc_pace(&path.cc)->rate, 10 * SEG * 20 * 277 / 100);
}

/* Without a round trip the first rate is a guess, which the first measurement replaces. */
static void guessed_rate(void)
{
	struct tern_cc_sample s = { .now = 2000 * TERN_SEC };

	begin_path(&path, 1000000, 100 * TERN_MS, 1 << 30);
	cc_set_state(&path.cc, path.state);
	cc_on_idle(&path.cc, &s);
	check_eq(cc_pace(&path.cc)->rate, (uint64_t)10 * SEG * 1000 * 277 / 100);
	s = plain();
	s.delivery_rate = 0;
	cc_on_ack(&path.cc, &s);
	check_eq(cc_pace(&path.cc)->rate, 10 * SEG * 10 * 277 / 100);
}

static const struct test tests[] = {
	TEST(gains_of_states),
	TEST(bounds_of_states),
	TEST(short_term_bounds),
	TEST(where_losses_were_too_many),
	TEST(limited_probes),
	TEST(raising_the_bound),
	TEST(filter_of_max_bw),
	TEST(limited_samples),
	TEST(startup_ends_by_loss),
	TEST(startup_ends_by_one_loss),
	TEST(marks),
	TEST(time_out),
	TEST(undo),
	TEST(aggregation),
	TEST(after_a_rest),
	TEST(guessed_rate),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
