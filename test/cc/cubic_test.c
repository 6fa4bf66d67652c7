/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic_test.c - core/cc/cubic.c against the figures and rules of RFC 9438.
 *
 * Each case drives one connection through whole round trips or single ACKs, and looks at what
 * follows from the RFC's formula for it. Random histories are in cubic_model_test.c, slow start is in
 * hystart_test.c.
 */
#include "cubic_fixture.h"

#include <math.h>

/* ---- what RFC 9438 says in figures ---- */

/* Section 4.2: from 0.7 W, concave to W at time K = cbrt(0.3 W / 0.4), then convex. */
static void concave_then_convex(void)
{
	const uint32_t w = 1000;
	const double k = cbrt(0.3 * w / 0.4);
	double before = 0.7 * w, step_before = INFINITY, crossed = 0;
	struct sender x;

	begin_at_loss(&x, w, 100 * TERN_MS);
	check_eq(x.cc.ssthresh, 700 * 1000);
	for (double t = 0.1; t < 2 * k; t += 0.1) {
		double want = 0.4 * pow(t - k, 3) + w, cwnd, step;

		round_trip(&x);
		cwnd = x.cc.cwnd / 1000.0;
		step = cwnd - before;
		test_at("%f s after the loss", t);
		check(fabs(cwnd - want) < 1); /* segment */
		check(t > 0.25 || step > 0);
		if (t < k - 1)
			check(step < step_before || t < 0.25);
		if (t > k + 1)
			check(step > step_before);
		if (before < w && cwnd >= w)
			crossed = t;
		before = cwnd;
		step_before = step;
	}
	check(fabs(crossed - k) < 1); /* it is flat there */
}

/* Many small ACKs do as much as few large ones. */
static void small_acks(void)
{
	struct sender x;

	begin_at_loss(&x, 1000, 100 * TERN_MS);
	for (unsigned round = 0; round < 20; round++) {
		uint32_t window = x.cc.cwnd;

		for (uint32_t done = 0; done < window; done += 100) {
			x.now += x.rtt * 100 / window;
			ack(&x, 100);
		}
	}
	check(fabs(x.cc.cwnd / 1000.0 - (0.4 * pow(2 - cbrt(750), 3) + 1000)) < 1);
}

/*
 * Section 5, tables 1 and 2: the average window, in segments, when one segment in 1/p is lost. The
 * figures come from formulas for an ideal sawtooth; those of the Reno-friendly region are Reno's.
 */
static double average_window(double p, tern_time rtt)
{
	double sent = 0, total = 0, rounds = 0;
	unsigned n_losses = 0;
	struct sender x;

	begin_at_loss(&x, 100, rtt);
	while (n_losses < 60) {
		double n = round_trip(&x) / 1000.0;

		sent += n;
		if (n_losses >= 20) {
			total += n;
			rounds++;
		}
		if (sent < 1 / p)
			continue;
		sent -= 1 / p;
		n_losses++;
		lose(&x);
	}
	return total / rounds;
}

static void average_windows(void)
{
	static const struct {
		double p, at_100ms, at_10ms;
	} table[] = {
		{ 1e-2, 12, 12 },	 { 1e-3, 38, 38 },     { 1e-4, 187, 120 },
		{ 1e-5, 1054, 379 },	 { 1e-6, 5926, 1200 }, { 1e-7, 33325, 5926 },
		{ 1e-8, 187400, 33325 },
	};

	for (unsigned i = 0; i < N_TESTS(table); i++) {
		double slow = average_window(table[i].p, 100 * TERN_MS);
		double fast = average_window(table[i].p, 10 * TERN_MS);

		check(fabs(slow / table[i].at_100ms - 1) < 0.1);
		check(fabs(fast / table[i].at_10ms - 1) < 0.1);
	}
}

/* Section 4.3: at least AIMD(9/17, 0.7), and from the old window on one segment a round trip. */
static void never_slower_than_reno(void)
{
	double aimd = 35;
	struct sender x;

	begin_at_loss(&x, 50, 10 * TERN_MS);
	for (unsigned round = 1; round <= 60; round++) {
		round_trip(&x);
		aimd += aimd < 50 ? 3 * (1 - 0.7) / (1 + 0.7) : 1;
		test_at("round trip %u", round);
		/* The growth is for cwnd acknowledged, and cwnd grows meanwhile: 2 % less. */
		check(x.cc.cwnd / 1000.0 > aimd - 0.02 * (aimd - 35) - 0.1);
		check(x.cc.cwnd / 1000.0 < aimd + 0.5); /* here W_cubic is slower */
	}
}

/* Section 4.7: a loss below W_max makes 0.85 of the window the plateau, another one above it not. */
static void fast_convergence(void)
{
	struct sender x;

	begin_at_loss(&x, 1000, 50 * TERN_MS);
	lose(&x); /* at 700 < 1000: W_max = 595, from 490 */
	check(fabs(window_after(&x, cbrt(105 / 0.4)) - 595) < 1);
	begin_at_loss(&x, 1000, 50 * TERN_MS);
	check(window_after(&x, 14) > 1010);
	x.cc.cwnd = 1010 * 1000;
	lose(&x); /* above 1000: W_max = 1010, from 707 */
	check(fabs(window_after(&x, cbrt(303 / 0.4)) - 1010) < 1);
}

/* Section 4.6: 0.7 of what was in flight, not of cwnd, and two segments at least. */
static void decrease(void)
{
	struct tern_cc_sample s = { .in_flight = 10000 };
	struct sender x;

	begin(&x, 1000, 10);
	x.cc.cwnd = 50000;
	x.cc.ops->on_congestion(&x.cc, &s);
	check_eq(x.cc.ssthresh, 7000);
	check_eq(x.cc.cwnd, 50000);
	s.in_flight = 2999;
	x.cc.ops->on_congestion(&x.cc, &s);
	check_eq(x.cc.ssthresh, 2099);
	s.in_flight = 2000;
	x.cc.ops->on_congestion(&x.cc, &s);
	check_eq(x.cc.ssthresh, 2000);
}

/* Section 4.8: K = 0 and W_max = cwnd in the stage after a time-out; a repeated one cuts nothing. */
static void time_outs(void)
{
	struct sender x;

	begin_at_loss(&x, 1000, 100 * TERN_MS);
	time_out(&x, false);
	check_eq(x.cc.cwnd, 1000);
	check_eq(x.cc.ssthresh, 490 * 1000);
	ack(&x, 5000);
	check_eq(x.cc.cwnd, 2000); /* L = 1 */
	time_out(&x, true);
	check_eq(x.cc.cwnd, 1000);
	check_eq(x.cc.ssthresh, 490 * 1000);
	x.cc.cwnd = 490 * 1000;
	ack(&x, 0);
	check(fabs(window_after(&x, 10) - (0.4 * 1000 + 490)) < 1);
	/* What follows a loss is no longer after the time-out. */
	time_out(&x, false);
	x.cc.cwnd = 500 * 1000;
	lose(&x); /* W_max = 425, from 350: seven eighths of the way in half of K */
	ack(&x, 0);
	check(fabs(window_after(&x, cbrt(75 / 0.4) / 2) - (425 - 75 / 8.0)) < 1);
}

/* Section 4.9.2: after a false alarm the window goes on along the curve it was on. */
static void undo(bool timeout)
{
	struct sender plain, alarmed;
	uint32_t cwnd, ssthresh;

	test_at(timeout ? "time-out" : "loss");
	begin_at_loss(&plain, 1000, 100 * TERN_MS);
	window_after(&plain, 5);
	alarmed = plain;
	alarmed.cc.state = alarmed.state;
	plain.cc.state = plain.state;
	cwnd = alarmed.cc.cwnd;
	ssthresh = alarmed.cc.ssthresh;
	if (timeout) {
		time_out(&alarmed, false);
		ack(&alarmed, 1000);
		time_out(&alarmed, true);
	} else {
		lose(&alarmed);
		ack(&alarmed, 1000);
	}
	alarmed.cc.ops->on_undo(&alarmed.cc);
	alarmed.cc.cwnd = cwnd;
	alarmed.cc.ssthresh = ssthresh;
	for (unsigned round = 0; round < 150; round++) {
		round_trip(&plain);
		round_trip(&alarmed);
		check(fabs((double)plain.cc.cwnd - alarmed.cc.cwnd) <= 16);
	}
	lose(&plain);
	lose(&alarmed);
	check(fabs(window_after(&plain, 5) - window_after(&alarmed, 5)) < 0.1);
}

static void undoes_false_alarms(void)
{
	undo(false);
	undo(true);
}

/* ---- section 5.8: pauses ---- */

/* Time in which the application does not fill the window is no time: the curve goes on as if. */
static void pauses(unsigned kind)
{
	struct tern_cc_sample s = { .acked = 1000, .in_flight = 1000 };
	struct sender plain, paused;

	begin_at_loss(&plain, 1000, 100 * TERN_MS);
	window_after(&plain, 3);
	paused = plain;
	paused.cc.state = paused.state;
	paused.cc.initial = 2000 * 1000; /* no smaller window after idleness */
	for (unsigned i = 0; i < 100; i++) {
		paused.now += 10 * TERN_SEC;
		s.now = paused.now;
		s.rtt = s.srtt = paused.rtt;
		if (kind == 0)
			paused.cc.ops->on_ack(&paused.cc, &s); /* but not cwnd_limited */
		if (kind == 1)
			paused.cc.ops->on_idle(&paused.cc, &s);
		if (kind == 3) /* it is not told of them */
			paused.unheard_at = paused.now;
	}
	check_eq(paused.cc.cwnd, plain.cc.cwnd);
	if (kind == 2)
		paused.now += paused.rtt; /* the first ACK comes an RTT after the first byte */
	for (unsigned round = 0; round < 100; round++) {
		round_trip(&plain);
		round_trip(&paused);
		test_at("kind %u, round trip %u", kind, round);
		/* up to an RTT of the slope there */
		check(fabs((double)plain.cc.cwnd - paused.cc.cwnd) / 1000 <
		      0.1 * 1.2 * pow(6.1 - 0.1 * round, 2) + 0.1);
	}
}

static void pauses_do_not_count(void)
{
	for (unsigned kind = 0; kind < 4; kind++)
		pauses(kind);
}

/* A pause, then a false alarm that is taken back after an ACK was heard: time stands still in it. */
static void undo_after_pause(bool told, struct sender *x)
{
	struct tern_cc_sample s = { .acked = 1000, .in_flight = 1000 };
	uint32_t cwnd, ssthresh;

	begin_at_loss(x, 1000, 100 * TERN_MS);
	window_after(x, 3);
	for (unsigned i = 0; i < 10; i++) {
		x->now += 10 * TERN_SEC;
		s.now = x->now;
		s.rtt = s.srtt = x->rtt;
		if (told)
			x->cc.ops->on_ack(&x->cc, &s);
		else
			x->unheard_at = x->now;
	}
	cwnd = x->cc.cwnd;
	ssthresh = x->cc.ssthresh;
	x->now += 300 * TERN_MS;
	time_out(x, false);
	x->now += x->rtt;
	ack(x, 1000);
	x->cc.ops->on_undo(&x->cc);
	x->cc.cwnd = cwnd;
	x->cc.ssthresh = ssthresh;
}

static void pause_before_a_false_alarm(void)
{
	struct sender a, b;

	undo_after_pause(true, &a);
	undo_after_pause(false, &b);
	for (unsigned i = 0; i < 3; i++) {
		round_trip(&a);
		round_trip(&b);
		test_at("round trip %u: told %u, not told %u", i, a.cc.cwnd, b.cc.cwnd);
		check(a.cc.cwnd / 10 == b.cc.cwnd / 10);
	}
}

/* A round trip of ACKs, of which it hears all, or those of full windows. */
static void hear_round(struct sender *x, bool told, bool limited, unsigned n, bool *untold)
{
	x->now += x->rtt;
	for (unsigned i = 0; i < n; i++) {
		struct tern_cc_sample s = { .now = x->now,
					    .rtt = x->rtt,
					    .srtt = x->rtt,
					    .in_flight = x->cc.cwnd,
					    .unheard_at = x->unheard_at,
					    .acked = 1000,
					    .new_round = i == 0 || (!told && *untold),
					    .paced = true,
					    .cwnd_limited = limited };
		if (told || limited) {
			x->cc.ops->on_ack(&x->cc, &s);
			*untold = false;
		} else {
			x->unheard_at = x->now;
			*untold = *untold || i == 0;
		}
	}
}

/* What full windows measured before a long pause is not what the path is after it. */
static void old_baseline(void)
{
	struct sender v[2];

	for (int told = 0; told < 2; told++) {
		struct sender *x = &v[told];
		bool untold = false;

		begin(x, 1000, 10);
		x->rtt = 10 * TERN_MS;
		for (unsigned i = 0; i < 3; i++)
			hear_round(x, told, true, 10, &untold);
		x->rtt = 60 * TERN_MS;
		for (unsigned i = 0; i < 100; i++)
			hear_round(x, told, false, 1, &untold);
		for (unsigned i = 0; i < 4; i++)
			hear_round(x, told, true, x->cc.cwnd / 1000, &untold);
	}
	test_at("told %u, not told %u", v[1].cc.cwnd, v[0].cc.cwnd);
	check_eq(v[0].cc.cwnd, v[1].cc.cwnd);
}

/* RFC 5681 4.1; and a stage does not go on from a window it did not make. */
static void restarts_after_idleness(void)
{
	struct tern_cc_sample s = { .now = 2000 * TERN_SEC };
	struct sender x;

	begin_at_loss(&x, 12, 100 * TERN_MS);
	window_after(&x, 60);
	check(x.cc.cwnd > 100 * 1000);
	x.now = s.now;
	x.cc.ops->on_idle(&x.cc, &s);
	check_eq(x.cc.cwnd, 10000);
	check(x.cc.ssthresh < 10000);
	round_trip(&x);
	check(x.cc.cwnd >= 10000 && x.cc.cwnd < 12000);
}

/* A window that is not used does not grow, in no phase. */
static void grows_only_when_limited(void)
{
	struct tern_cc_sample s = { .acked = 1000, .rtt = TERN_MS, .srtt = TERN_MS };
	struct sender x;

	begin(&x, 1000, 10);
	x.cc.ops->on_ack(&x.cc, &s);
	check_eq(x.cc.cwnd, 10000);
	lose(&x);
	for (s.now = x.now; s.now < 2 * x.now; s.now += TERN_SEC)
		x.cc.ops->on_ack(&x.cc, &s);
	check_eq(x.cc.cwnd, 7000);
}

/* ---- extremes ---- */

/* Whatever comes: the window does not shrink on an ACK, nor grows faster than it may. */
static void extremes(void)
{
	static const uint32_t msss[] = { 1, 48, 1460, 65535 };
	static const uint32_t windows[] = { 1, 65535, 1 << 20, CC_INFINITE / 2, CC_INFINITE };
	static const tern_time times[] = {
		0, 1, TERN_MS, TERN_SEC, 50 * 86400 * TERN_SEC, UINT64_MAX / 4
	};
	static const uint32_t ackeds[] = { 0, 1, 1460, CC_INFINITE, UINT32_MAX };

	for (unsigned i = 0; i < 4 * 5 * 6 * 6 * 5; i++) {
		struct tern_cc_sample s = { .rtt = times[i / 20 % 6],
					    .acked = ackeds[i / 720 % 5],
					    .in_flight = UINT64_MAX,
					    .cwnd_limited = true };
		struct sender x;

		test_at("case %u", i);
		begin(&x, msss[i % 4], 10);
		x.cc.cwnd = MAX(windows[i / 4 % 5], x.cc.mss);
		s.srtt = s.rtt;
		s.now = x.now;
		x.cc.ops->on_congestion(&x.cc, &s);
		check(x.cc.ssthresh >= 2 * x.cc.mss && x.cc.ssthresh <= CC_INFINITE);
		x.cc.ssthresh = x.cc.mss;
		for (unsigned k = 0; k < 20; k++) {
			uint32_t before = x.cc.cwnd;

			x.cc.ops->on_ack(&x.cc, &s);
			check(x.cc.cwnd >= before && x.cc.cwnd <= CC_INFINITE);
			check(x.cc.cwnd <= before + before / 2 + x.cc.mss);
			s.now += times[i / 120 % 6] / 8;
		}
		x.cc.ops->on_rto(&x.cc, &s);
		check_eq(x.cc.cwnd, x.cc.mss);
		x.cc.ops->on_idle(&x.cc, &s);
		x.cc.ops->on_undo(&x.cc);
	}
}

/* However far W_cubic is ahead, half a window for each window acknowledged, and not less. */
static void far_ahead(void)
{
	static const uint32_t msss[] = { 1, 48, 1460, 65535 };
	static const tern_time times[] = { 3000 * TERN_SEC, 50 * 86400 * TERN_SEC,
					   (tern_time)1 << 54, UINT64_MAX / 4 };

	for (unsigned i = 0; i < 4 * 4 * 3; i++) {
		uint32_t mss = msss[i % 4];
		struct tern_cc_sample s = { .acked = 700 * mss,
					    .rtt = UINT64_MAX,
					    .cwnd_limited = true };
		struct sender x;

		test_at("case %u", i);
		begin(&x, mss, 10);
		x.cc.cwnd = 700 * mss;
		x.cc.ssthresh = mss;
		ack(&x, 0); /* K = 0 */
		s.now = x.now + (i / 16 != 1 ? times[i / 4 % 4] : 3 * TERN_SEC);
		s.srtt = i / 16 != 0 ? times[i / 4 % 4] : TERN_SEC;
		x.cc.ops->on_ack(&x.cc, &s);
		check_eq(x.cc.cwnd, 1050 * mss);
	}
}

/* K was for another MSS: the curve then begins at nothing, and the window stays. */
static void larger_mss(void)
{
	struct sender x;

	begin_at_loss(&x, 1000, 100 * TERN_MS);
	cc_set_mss(&x.cc, 9000);
	round_trip(&x);
	check(x.cc.cwnd >= 700 * 1000 && x.cc.cwnd < 710 * 1000);
}

/* A rise to CC_INFINITE takes cbrt(2^31 / 0.4) s with an MSS of 1: K is right up to there. */
static void the_longest_k(void)
{
	double k = cbrt(0.3 * CC_INFINITE / 0.4);
	struct sender x;

	begin(&x, 1, 10);
	x.rtt = TERN_SEC;
	x.cc.cwnd = CC_INFINITE;
	lose(&x);
	ack(&x, 0);
	for (unsigned t = 1; t < k; t++) {
		double want = CC_INFINITE + 0.4 * pow(t - k, 3);

		round_trip(&x);
		test_at("%u s of %f", t, k);
		check(fabs(x.cc.cwnd / want - 1) < 0.001);
	}
}

static const struct test tests[] = {
	TEST(concave_then_convex),
	TEST(small_acks),
	TEST(average_windows),
	TEST(never_slower_than_reno),
	TEST(fast_convergence),
	TEST(decrease),
	TEST(time_outs),
	TEST(undoes_false_alarms),
	TEST(pauses_do_not_count),
	TEST(pause_before_a_false_alarm),
	TEST(old_baseline),
	TEST(restarts_after_idleness),
	TEST(grows_only_when_limited),
	TEST(extremes),
	TEST(far_ahead),
	TEST(larger_mss),
	TEST(the_longest_k),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
