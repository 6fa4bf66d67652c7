/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rtt_test.c - core/tcp/tcp_rtt.c: RFC 6298 as a table, and against real arithmetic.
 *
 * The floor of 200 ms under the variance term is ours (the 1 s of (2.4) is a SHOULD); it is the one
 * place where the expectations differ from the RFC's letters.
 */
#include "tcp_fixture.h"

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* Connects with a round trip of so many microseconds. */
static void connect_in(uint32_t rtt_us)
{
	struct tcp_hdr synack = peer_syn(TCP_SYN | TCP_ACK);

	begin_active();
	out();
	f.now += rtt_us * TERN_US;
	in_hdr(&synack, 0);
	drain();
}

/* One byte goes and is acknowledged after rtt_us. */
static void exchange(uint32_t rtt_us)
{
	check_eq(give(1), 1);
	expect(TCP_ACK | TCP_PSH, (uint32_t)f.given, 1, 1);
	f.now += rtt_us * TERN_US;
	in(TCP_ACK, 1, (uint32_t)f.given + 1, 0);
}

/* (2.1): one second until something was measured. */
static void first_time_out(void)
{
	start();
	begin_active();
	check_eq(info().rto, 1000000);
	check_eq(info().rtt, 0);
	out();
	check_eq(until_deadline(), TERN_SEC);
	finish();
}

/* (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + max(G, 4 RTTVAR). */
static void first_sample(void)
{
	static const struct {
		uint32_t rtt, want_rttvar, want_rto;
	} cases[] = {
		{ 100, 50, 200100 }, /* the floor under the variance term */
		{ 1000, 500, 201000 },
		{ 80000, 40000, 280000 },
		{ 100000, 50000, 300000 },
		{ 100002, 50001, 300006 },
		{ 500000, 250000, 1500000 },
		{ 3000000, 1500000, 9000000 },
		{ 30000000, 15000000, 90000000 },
		{ 59000000, 29500000, 120000000 }, /* (2.5): a maximum of 60 s at least */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%u us", cases[i].rtt);
		start();
		f.cfg.tcp_rto_initial_ms = 60000; /* so that the SYN goes once */
		connect_in(cases[i].rtt);
		check_eq(info().rtt, cases[i].rtt);
		check_eq(info().min_rtt, cases[i].rtt);
		check_eq(info().rttvar, cases[i].want_rttvar);
		check_eq(info().rto, cases[i].want_rto);
		finish();
	}
}

/* (2.4) as the RFC has it, when the user asks for it. */
static void floor_of_one_second(void)
{
	start();
	f.cfg.tcp_rto_min_ms = 1000;
	connect_in(1000);
	check(info().rto >= 1000000 && info().rto <= 1001000);
	finish();
}

/* (2.3): beta = 1/4, alpha = 1/8, RTTVAR before SRTT. */
static void later_samples_follow_the_formula(void)
{
	uint32_t noise = 12345;

	for (unsigned run = 0; run < 20; run++) {
		double srtt = 50000, rttvar = 25000;

		start();
		connect_in(50000);
		for (unsigned i = 0; i < 200; i++) {
			uint32_t rtt;
			double off;

			noise = noise * 1664525 + 1013904223;
			rtt = 1000 + (noise >> 8) % (run % 2 ? 2000 : 180000);
			exchange(rtt);
			off = srtt > rtt ? srtt - rtt : rtt - srtt;
			rttvar = 0.75 * rttvar + 0.25 * off;
			srtt = 0.875 * srtt + 0.125 * rtt;
			test_at("run %u, sample %u", run, i);
			check(distance(info().rtt, (uint32_t)srtt) <= 20);
			check(distance(info().rttvar, (uint32_t)rttvar) <= 40);
			check_eq(info().rto, info().rtt + MAX(200000, 4 * info().rttvar));
		}
		finish();
	}
}

/* (5.5): doubled for each time-out in a row; (2.5): up to a maximum. */
static void back_off_doubles(void)
{
	tern_time want = 300 * TERN_MS;

	start();
	connect_in(100000);
	give(1);
	drain();
	check_eq(until_deadline(), want);
	for (unsigned i = 0; i < 12; i++) {
		test_at("time-out %u", i);
		check_str(next_timer(), "rto");
		want = MIN(2 * want, 120 * TERN_SEC);
		check_eq(until_deadline(), want);
		expect(TCP_ACK | TCP_PSH, 1, 1, 1);
	}
	finish();
}

/*
 * Karn (section 3): what was sent twice measures nothing; the doubled time-out stays until there
 * is a new measurement (section 5, end).
 */
static void what_was_repeated_measures_nothing(void)
{
	uint32_t rtt;

	start();
	connect_in(100000);
	rtt = info().rtt;
	give(1);
	drain();
	next_timer();
	drain();
	f.now += 7 * TERN_MS;
	in(TCP_ACK, 1, 2, 0);
	check_eq(info().rtt, rtt);
	check_eq(info().rto, 600000);
	give(1);
	drain();
	check_eq(until_deadline(), 600 * TERN_MS);
	f.now += 100 * TERN_MS; /* sent once: this one counts */
	in(TCP_ACK, 1, 3, 0);
	check(info().rto < 600000);
	check_eq(info().backoff, 0);
	finish();
}

/* An ACK inside the segment that is timed says nothing yet. */
static void only_the_timed_segment_measures(void)
{
	start();
	connect_in(100000);
	give(MSS);
	drain();
	f.now += 10 * TERN_MS;
	in(TCP_ACK, 1, 501, 0);
	check_eq(info().rtt, 100000);
	f.now += 90 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 0);
	check_eq(info().rtt, 100000); /* 7/8 of the old and 1/8 of the same */
	check_eq(info().rttvar, 37500);
	finish();
}

/* Of a burst the first segment is timed: an ACK of the last would hold a delay of its own. */
static void first_of_a_burst_is_timed(void)
{
	start();
	connect_in(100000);
	give(5 * MSS);
	check_eq(out_burst(64000).len, 5 * MSS);
	f.now += 100 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 0);
	check_eq(info().rttvar, 37500);
	f.now += 900 * TERN_MS;
	in(TCP_ACK, 1, 1 + 5 * MSS, 0);
	check_eq(info().rtt, 100000);
	finish();
}

/* Karn again: data that met a closed window and go again when it opens. */
static void a_closed_window_measures_nothing(void)
{
	start();
	connect_in(100000);
	give(5 * MSS);
	drain();
	f.wnd = 0;
	in(TCP_ACK, 1, 1, 0);
	check_str(next_timer(), "persist");
	drain();
	pass(5 * TERN_SEC);
	drain();
	f.wnd = 65535;
	in(TCP_ACK, 1, 1, 0);
	check(out().plan.again);
	f.now += 20 * TERN_MS;
	in(TCP_ACK, 1, 1 + 5 * MSS, 0);
	check_eq(info().rtt, 100000);
	finish();
}

/* RFC 7323 section 4: the echoed timestamp tells which copy was answered. */
static void timestamps_measure_what_was_repeated(void)
{
	start();
	f.cfg.tcp_timestamps = true;
	f.ts = true;
	f.ts_val = 77;
	connect_in(100000);
	give(1);
	drain();
	next_timer();
	f.ts_ecr = out().h.ts_val;
	f.now += 100 * TERN_MS;
	in(TCP_ACK, 1, 2, 0);
	check_eq(info().rtt, 100000);
	check_eq(info().backoff, 0);
	finish();
}

/* (5.7): after a SYN that was repeated the first data wait three seconds. */
static void lost_syn_begins_with_three_seconds(void)
{
	struct tcp_hdr synack = peer_syn(TCP_SYN | TCP_ACK);

	start();
	begin_active();
	drain();
	check_str(next_timer(), "rto");
	drain();
	f.now += 10 * TERN_MS;
	in_hdr(&synack, 0);
	drain();
	give(1);
	drain();
	check_eq(until_deadline(), 3 * TERN_SEC);
	finish();
}

/* (5.1) to (5.3): started when it was off, restarted by new ACKs, off when all is said. */
static void when_the_timer_runs(void)
{
	start();
	connect_in(100000);
	check(until_deadline() == TERN_NEVER);
	give(2 * MSS);
	check(until_deadline() == TERN_NEVER); /* it waits for its turn, not for an ACK */
	out();
	check_eq(until_deadline(), 300 * TERN_MS);
	f.now += 50 * TERN_MS;
	out(); /* (5.1): it runs already */
	check_eq(until_deadline(), 250 * TERN_MS);
	in(TCP_ACK, 1, 1 + MSS, 0); /* (5.3) */
	check_eq(until_deadline(), info().rto * TERN_US);
	f.now += 10 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 0); /* not new: no restart */
	check_eq(until_deadline(), info().rto * TERN_US - 10 * TERN_MS);
	in(TCP_ACK, 1, 1 + 2 * MSS, 0); /* (5.2) */
	check(until_deadline() == TERN_NEVER);
	finish();
}

static const struct test tests[] = {
	TEST(first_time_out),
	TEST(first_sample),
	TEST(floor_of_one_second),
	TEST(later_samples_follow_the_formula),
	TEST(back_off_doubles),
	TEST(what_was_repeated_measures_nothing),
	TEST(only_the_timed_segment_measures),
	TEST(first_of_a_burst_is_timed),
	TEST(a_closed_window_measures_nothing),
	TEST(timestamps_measure_what_was_repeated),
	TEST(lost_syn_begins_with_three_seconds),
	TEST(when_the_timer_runs),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
