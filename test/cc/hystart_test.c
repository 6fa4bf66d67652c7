/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hystart_test.c - core/cc/cubic.c: HyStart++, rule by rule of RFC 9406 section 4.2.
 */
#include "cubic_fixture.h"

/* A round of n ACKs of one segment, with this RTT; how much cwnd grew. */
static uint32_t hystart_round(struct sender *x, double rtt_ms, unsigned n)
{
	uint32_t before = x->cc.cwnd;

	for (unsigned i = 0; i < n; i++) {
		struct tern_cc_sample s = { .now = x->now += TERN_MS,
					    .rtt = (tern_time)(rtt_ms * 1e6),
					    .in_flight = x->cc.cwnd,
					    .acked = 1000,
					    .new_round = i == 0,
					    .cwnd_limited = true };

		s.srtt = s.rtt;
		x->cc.ops->on_ack(&x->cc, &s);
	}
	return x->cc.cwnd - before;
}

/* The rise that makes it suspicious is an eighth, but 4 ms at least and 16 ms at most. */
static void delay_thresholds(void)
{
	static const struct {
		double first, second;
		bool css;
	} cases[] = {
		{ 10, 13.9, false },   { 10, 14, true },     { 1, 4.9, false },
		{ 1, 5, true },	       { 80, 89.9, false },  { 80, 90, true },
		{ 100, 112.4, false }, { 100, 112.5, true }, { 300, 315.9, false },
		{ 300, 316, true },    { 80, 40, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct sender x;

		test_at("%f ms, then %f ms", cases[i].first, cases[i].second);
		begin(&x, 1000, 10);
		check_eq(hystart_round(&x, cases[i].first, 8), 8000);
		check_eq(hystart_round(&x, cases[i].second, 8), 8000);
		check_eq(hystart_round(&x, cases[i].second, 8), cases[i].css ? 2000 : 8000);
		check_eq(x.cc.ssthresh, CC_INFINITE);
	}
}

/* Eight samples; the least of them decides, and none at all says nothing. */
static void eight_samples(void)
{
	struct sender x;

	begin(&x, 1000, 10);
	hystart_round(&x, 50, 1);
	check_eq(hystart_round(&x, 100, 7), 7000);
	check_eq(hystart_round(&x, 200, 7), 7000);
	check_eq(hystart_round(&x, 0, 20), 20000);
	check_eq(hystart_round(&x, 400, 20), 20000); /* after a round without any */
	check_eq(hystart_round(&x, 800, 9), 8250);   /* the ninth is in CSS */
	check_eq(x.cc.ssthresh, CC_INFINITE);
}

/* CSS lasts five rounds, the one it began in among them; then cwnd is ssthresh. */
static void five_rounds_of_css(void)
{
	struct sender x;
	uint32_t cwnd;

	begin(&x, 1000, 10);
	hystart_round(&x, 50, 10);
	check_eq(hystart_round(&x, 100, 12), 9000); /* four of them in CSS */
	for (unsigned round = 2; round <= 5; round++) {
		test_at("CSS round %u", round);
		check_eq(hystart_round(&x, 100, 12), 3000);
		check_eq(x.cc.ssthresh, CC_INFINITE);
	}
	cwnd = x.cc.cwnd;
	hystart_round(&x, 100, 1);
	check_eq(x.cc.ssthresh, cwnd);
	/* RFC 9438 4.10: K = 0, W_max = cwnd; and Reno's one segment for each window (4.3). */
	check(x.cc.cwnd > cwnd && x.cc.cwnd < cwnd + 40);
	x.rtt = 100 * TERN_MS;
	window_after(&x, 10);
	check(x.cc.cwnd > cwnd + 390 * 1000 && x.cc.cwnd < cwnd + 410 * 1000);
}

/* A round whose least RTT is below what CSS began with: slow start goes on. */
static void back_to_slow_start(void)
{
	struct sender x;

	begin(&x, 1000, 10);
	hystart_round(&x, 50, 10);
	hystart_round(&x, 100, 8);
	check_eq(hystart_round(&x, 100, 12), 3000);
	check_eq(hystart_round(&x, 99, 7), 1750);  /* too few */
	check_eq(hystart_round(&x, 99, 12), 6000); /* eight in CSS, four in slow start */
	check_eq(hystart_round(&x, 99, 12), 12000);
	check_eq(hystart_round(&x, 120, 12), 9000); /* and HyStart++ with it */
}

/* Section 4.2: min(N, L * SMSS) with L = 8; 4.3: only while ssthresh is arbitrarily high. */
static void slow_start(void)
{
	struct sender x;

	begin(&x, 1000, 10);
	ack(&x, 7999);
	ack(&x, 20000);
	check_eq(x.cc.cwnd, 10000 + 7999 + 8000);
	begin(&x, 1000, 10);
	hystart_round(&x, 50, 10);
	hystart_round(&x, 100, 10);
	x.cc.cwnd = 100 * 1000;
	lose(&x);
	x.cc.cwnd = 10 * 1000;
	check_eq(hystart_round(&x, 300, 20), 20000); /* no CSS any more */
	x.cc.cwnd = 69 * 1000;
	ack(&x, 8000);
	check_eq(x.cc.cwnd, 70 * 1000); /* ssthresh, and not beyond */
}

static const struct test tests[] = {
	TEST(delay_thresholds),	  TEST(eight_samples), TEST(five_rounds_of_css),
	TEST(back_to_slow_start), TEST(slow_start),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
