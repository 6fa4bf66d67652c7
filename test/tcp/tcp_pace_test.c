/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_pace_test.c - core/tcp/tcp_pace.c: at which rate a window leaves, and in which bursts.
 */
#include "../../core/tcp/tcp_impl.h"
#include "tcp_fixture.h"

/* ESTABLISHED with a round trip of so long, and one ACK of text behind it: the rate is known. */
static void open_with_rtt(tern_time rtt)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_pacing = true;
	h = peer_syn(TCP_SYN | TCP_ACK);
	open_active_after(rtt, &h);
	give(1);
	out();
	f.now += rtt;
	in(TCP_ACK, 1, 2, 0);
}

/* What goes in this time, as soon as it may. */
static uint64_t sent_within(tern_time span)
{
	tern_time end = f.now + span;
	uint64_t n = 0;

	for (;;) {
		struct seen s = out();

		if (s.plan.what == SEND_DATA) {
			n += s.len;
			continue;
		}
		if (until_deadline() == TERN_NEVER || f.now + until_deadline() > end)
			return n;
		pass(until_deadline());
	}
}

static void initial_window_goes_at_once(void)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_pacing = true;
	h = peer_syn(TCP_SYN | TCP_ACK);
	open_active_after(100 * TERN_MS, &h);
	give(20 * MSS);
	check_eq(drain(), 10);
	finish();
}

/* Twice the window in a round trip in slow start, a fifth more than one afterwards. */
static void rates(void)
{
	static const struct {
		uint32_t ssthresh;
		uint64_t rate; /* bytes in 20 ms of a round trip of 100 ms and a window of 100000 */
	} cases[] = { { CC_INFINITE, 40000 }, { 50000, 24000 } };

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		uint64_t n;

		test_at("ssthresh %u", cases[i].ssthresh);
		open_with_rtt(100 * TERN_MS);
		f.c.cc.cwnd = 100 * MSS;
		f.c.cc.ssthresh = cases[i].ssthresh;
		give(1);
		out();
		f.now += 100 * TERN_MS;
		in(TCP_ACK, 1, 3, 0); /* the rate is set anew */
		check_eq(f.c.cc.cwnd / MSS, 100);
		give(60 * MSS);
		n = sent_within(20 * TERN_MS);
		check(n >= cases[i].rate && n <= cases[i].rate + cases[i].rate / 5);
		finish();
	}
}

/* A window that is full in less than a millisecond needs no timer. */
static void short_paths_are_not_paced(void)
{
	open_with_rtt(100 * TERN_US);
	give(60 * MSS);
	check(drain() >= 10);
	check(!f.c.paced);
	finish();
}

/* The peer was slow to answer the SYN, or delays its ACKs now and then: that is not the path. */
static void slow_answers_are_no_path(void)
{
	open_with_rtt(200 * TERN_MS);
	give(1);
	out();
	f.now += TERN_MS;
	in(TCP_ACK, 1, 3, 0);
	check(f.c.srtt_us > 100000);
	give(10 * MSS);
	check_eq(sent_within(2 * TERN_MS), 10 * MSS);
	finish();
}

/* SO_MAX_PACING_RATE, from the first byte on and whatever the configuration says. */
static void greatest_rate(void)
{
	struct tcp_hdr h;
	uint64_t n;

	start();
	f.c.opt.max_pacing_rate = 1000000;
	h = peer_syn(TCP_SYN | TCP_ACK);
	open_active_after(100 * TERN_MS, &h);
	give(60 * MSS);
	n = sent_within(5 * TERN_MS);
	check(n >= 5000 && n <= 5000 + 3 * MSS);
	finish();
}

/* A burst is what a millisecond carries, two segments at least; unpaced, what the device takes. */
static void bursts(void)
{
	struct tcp_ctx x;

	open_with_rtt(100 * TERN_MS);
	give(60 * MSS);
	check_eq(plan_of(64000).hi - plan_of(64000).lo, 2 * MSS);
	f.c.cc.cwnd = 400 * MSS; /* twice that in 100 ms */
	x = ctx();
	tcp_set_pace(&f.c, &x);
	check_eq(plan_of(64000).hi - plan_of(64000).lo, 8 * MSS);
	f.cfg.tcp_pacing = false;
	tcp_set_pace(&f.c, &x);
	check(plan_of(64000).hi - plan_of(64000).lo >= 10 * MSS);
	finish();
}

static const struct test tests[] = {
	TEST(initial_window_goes_at_once), TEST(rates),		TEST(short_paths_are_not_paced),
	TEST(slow_answers_are_no_path),	   TEST(greatest_rate), TEST(bursts),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
