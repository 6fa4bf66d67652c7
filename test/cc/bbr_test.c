/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr_test.c - core/cc/bbr.c and bbr_probe.c: what the states do on a path.
 */
#include "bbr_path.h"

static struct path path;

/* 5.3.1: the rate doubles each round; three rounds without growth end it; Drain empties the queue. */
static void startup_and_drain(void)
{
	static const struct {
		uint64_t rate;
		tern_time rtt;
		unsigned rounds; /* log2(BDP / 10 segments), and some to see that it is enough */
	} cases[] = {
		{ 125000, 40 * TERN_MS, 12 },
		{ 1250000, 40 * TERN_MS, 12 },
		{ 12500000, 100 * TERN_MS, 18 },
		{ 125000000, 20 * TERN_MS, 20 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct path *p = &path;
		unsigned n = 0;

		test_at("%llu bytes a second", (unsigned long long)cases[i].rate);
		begin_path(p, cases[i].rate, cases[i].rtt, 1 << 30);
		check_eq(model(p)->state, BBR_STARTUP);
		check_eq(cc_pace(&p->cc)->rate,
			 (uint64_t)10 * SEG * TERN_SEC / cases[i].rtt * 277 / 100);
		while (model(p)->state == BBR_STARTUP && n++ < 400)
			run_for(p, p->rtt / 4);
		check(model(p)->round_count <= cases[i].rounds);
		check(model(p)->full_bw_reached);
		run_for(p, 4 * p->rtt);
		check(bbr_in_probe_bw(model(p)) && p->n_entered[BBR_DRAIN] == 1);
		check(model(p)->bw >= p->rate * 96 / 100 && model(p)->bw <= p->rate * 104 / 100);
		check(model(p)->min_rtt >= p->rtt);
		check(model(p)->min_rtt <= p->rtt + 2 * SEG * TERN_SEC / p->rate);
		check_eq(p->n_lost, 0);
	}
}

/* The order of the states, and how long they last. */
static tern_time down_at, up_at, probe_rtt_at, waits_least, waits_most;

static void watch_cycle(struct path *p, enum bbr_state from)
{
	static const enum bbr_state before[BBR_N_STATES] = {
		[BBR_CRUISE] = BBR_DOWN, [BBR_UP] = BBR_REFILL
	};
	enum bbr_state to = (enum bbr_state)model(p)->state;

	test_at("%u after %u", to, from);
	if (from == BBR_PROBE_RTT) {
		check_eq(to, BBR_CRUISE); /* 5.3.4.4 */
		check(p->now - probe_rtt_at >= 200 * TERN_MS);
		check(p->now - probe_rtt_at <= 200 * TERN_MS + 4 * p->rtt);
		down_at = p->now;
		return;
	}
	if (to == BBR_PROBE_RTT) {
		probe_rtt_at = p->now;
		return;
	}
	if (before[to])
		check_eq(from, before[to]);
	if (to == BBR_REFILL)
		check(from == BBR_CRUISE || from == BBR_DOWN);
	if (to == BBR_REFILL && down_at) {
		waits_least = MIN(waits_least, p->now - down_at);
		waits_most = MAX(waits_most, p->now - down_at);
	}
	if (to == BBR_UP)
		up_at = p->now;
	if (to == BBR_DOWN && from == BBR_UP)
		check(p->now - up_at >= p->rtt);
	if (to == BBR_DOWN)
		down_at = p->now;
}

/* 5.3.3.5: a probe each two to three seconds; 5.3.4: ProbeRTT each five. */
static void cycles(void)
{
	struct path *p = &path;

	begin_path(p, 12500000, 40 * TERN_MS, 1 << 30); /* 500 segments: rounds do not count */
	run_for(p, 3 * TERN_SEC);
	down_at = 0;
	waits_least = TERN_NEVER;
	waits_most = 0;
	p->on_state = watch_cycle;
	memset(p->n_entered, 0, sizeof(p->n_entered));
	run_for(p, 60 * TERN_SEC);
	check(p->n_entered[BBR_UP] >= 15 && p->n_entered[BBR_UP] <= 30);
	check(p->n_entered[BBR_PROBE_RTT] >= 10 && p->n_entered[BBR_PROBE_RTT] <= 12);
	check(waits_least >= 2 * TERN_SEC);
	check(waits_most <= 3 * TERN_SEC + p->rtt && waits_most - waits_least > TERN_SEC / 10);
	check_eq(p->n_entered[BBR_STARTUP] + p->n_entered[BBR_DRAIN], 0);
}

/* Short round trips: as many rounds as segments in flight, that Reno beside it may live. */
static void few_segments_probe_often(void)
{
	struct path *p = &path;

	begin_path(p, 2000000, 10 * TERN_MS, 1 << 30); /* 20 segments */
	run_for(p, 2 * TERN_SEC);
	memset(p->n_entered, 0, sizeof(p->n_entered));
	run_for(p, 2 * TERN_SEC);
	check(p->n_entered[BBR_UP] >= 4 && p->n_entered[BBR_UP] <= 9);
}

/* Full link, hardly a queue, whatever the queue could hold. */
static void full_and_not_fuller(void)
{
	static const struct {
		uint64_t rate;
		tern_time rtt;
		unsigned queue; /* percent of the BDP */
	} cases[] = { { 1250000, 20 * TERN_MS, 400 },	 { 1250000, 100 * TERN_MS, 1000 },
		      { 12500000, 20 * TERN_MS, 400 },	 { 12500000, 100 * TERN_MS, 100 },
		      { 125000000, 10 * TERN_MS, 1000 }, { 12500000, 20 * TERN_MS, 50 } };

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct path *p = &path;
		uint64_t used, n;

		test_at("case %u", i);
		begin_path(p, cases[i].rate, cases[i].rtt, 0);
		p->queue = bdp_of(p) * cases[i].queue / 100;
		run_for(p, 3 * TERN_SEC);
		p->queued = 0;
		n = p->n_sent;
		used = percent_used(p, 20 * TERN_SEC);
		check(used >= 95 && used <= 100);
		check(p->queued / (p->n_sent - n) <= p->rtt / 4);
	}
}

/*
 * 1 % lost at random is no reason to be slow, though each round costs 2 % until the next probe, as no
 * noise of ACKs hides it here; CUBIC would get a fortieth of this link.
 */
static void random_loss(void)
{
	struct path *p = &path;

	begin_path(p, 12500000, 40 * TERN_MS, 500000);
	p->lose_each = 100;
	run_for(p, 5 * TERN_SEC);
	check(percent_used(p, 30 * TERN_SEC) >= 70);
	begin_path(p, 12500000, 40 * TERN_MS, 500000);
	p->lose_each = 10; /* that is too much, and BBR gives way */
	run_for(p, 5 * TERN_SEC);
	check(percent_used(p, 30 * TERN_SEC) <= 40);
	check(model(p)->inflight_longterm != BBR_NO_VOLUME);
}

/* A link that becomes faster is found by probing, a slower one is believed after two cycles. */
static void rates_that_change(void)
{
	struct path *p = &path;

	begin_path(p, 1250000, 40 * TERN_MS, 1 << 30);
	run_for(p, 5 * TERN_SEC);
	p->rate = 5000000;
	run_for(p, 20 * TERN_SEC);
	check(percent_used(p, 10 * TERN_SEC) >= 94);
	p->rate = 1250000;
	run_for(p, 30 * TERN_SEC);
	check(model(p)->bw <= 1250000 * 105 / 100);
	check(percent_used(p, 10 * TERN_SEC) >= 94);
	check(model(p)->min_rtt <= 42 * TERN_MS);
}

/* A shallow queue: a bound is found, and losses stay below what a probe may cost. */
static void shallow_queue(void)
{
	struct path *p = &path;
	uint64_t sent, lost;

	begin_path(p, 12500000, 40 * TERN_MS, 50000); /* a tenth of the BDP */
	run_for(p, 5 * TERN_SEC);
	check(model(p)->inflight_longterm != BBR_NO_VOLUME);
	check(model(p)->inflight_longterm >= bdp_of(p) * 7 / 10);
	sent = p->n_sent;
	lost = p->n_lost;
	check(percent_used(p, 20 * TERN_SEC) >= 85);
	check((p->n_lost - lost) * 100 <= 2 * (p->n_sent - sent));
}

/* 5.4: after a pause it goes on at the rate that it knew, without Startup and without ProbeRTT. */
static void restart_from_idle(void)
{
	struct path *p = &path;
	uint64_t bw;

	begin_path(p, 12500000, 40 * TERN_MS, 1 << 30);
	run_for(p, 4 * TERN_SEC);
	bw = model(p)->bw;
	p->paused = true;
	run_for(p, 60 * TERN_MS);
	p->app_limited = p->delivered + p->in_flight + 1;
	run_for(p, 8 * TERN_SEC);
	check_eq(p->in_flight, 0);
	p->paused = false;
	memset(p->n_entered, 0, sizeof(p->n_entered));
	send_one(p);
	check(model(p)->idle_restart && cc_pace(&p->cc)->rate <= bw &&
	      cc_pace(&p->cc)->rate >= bw * 98 / 100);
	run_for(p, 4 * p->rtt);
	check(!model(p)->idle_restart);
	check_eq(p->n_entered[BBR_PROBE_RTT] + p->n_entered[BBR_STARTUP], 0);
	check(percent_used(p, TERN_SEC) >= 94);
}

static const struct test tests[] = {
	TEST(startup_and_drain),   TEST(cycles),
	TEST(full_and_not_fuller), TEST(few_segments_probe_often),
	TEST(random_loss),	   TEST(rates_that_change),
	TEST(shallow_queue),	   TEST(restart_from_idle),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
