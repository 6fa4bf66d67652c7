/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reno_test.c - core/cc/reno.c against a small model written from RFC 5681, 3465 and 6582.
 *
 * The model is in words of the RFCs: it keeps cwnd, ssthresh and bytes_acked (RFC 3465 2.1), and
 * answers each event by the paragraph that names it.
 */
#include "../../core/base/rand.h"
#include "../../core/cc/cc.h"
#include "test.h"

struct model {
	uint64_t cwnd, ssthresh, bytes_acked;
	uint64_t smss, restart;
	bool after_rto; /* slow start that follows a time-out: L = 1 (RFC 3465 2.3) */
};

static void model_init(struct model *m, uint64_t smss)
{
	*m = (struct model){ .smss = smss, .ssthresh = CC_INFINITE };
	m->cwnd = 10 * smss < 14600 ? 10 * smss : 2 * smss > 14600 ? 2 * smss : 14600;
	m->restart = m->cwnd;
}

/*
 * RFC 3465 2.2: in slow start cwnd grows by min(N, L * SMSS). 2.1: in congestion avoidance by one
 * SMSS for each cwnd of bytes acknowledged. A window that is not used does not grow.
 */
static void model_ack(struct model *m, uint64_t n, bool limited)
{
	if (!limited)
		return;
	if (m->cwnd < m->ssthresh) {
		uint64_t most = (m->after_rto ? 1 : 2) * m->smss;

		m->cwnd += n < most ? n : most;
		return;
	}
	m->after_rto = false;
	m->bytes_acked += n;
	if (m->bytes_acked >= m->cwnd) {
		m->bytes_acked -= m->cwnd;
		m->cwnd += m->smss;
	}
}

/* RFC 5681 equation (4): ssthresh = max(FlightSize / 2, 2 * SMSS). */
static void model_cut(struct model *m, uint64_t flight)
{
	m->ssthresh = flight / 2 > 2 * m->smss ? flight / 2 : 2 * m->smss;
}

/* The window itself is moved by the repair, which ends at ssthresh (RFC 6937, RFC 6582). */
static void model_loss(struct model *m, uint64_t flight)
{
	model_cut(m, flight);
	m->cwnd = m->ssthresh;
	m->after_rto = false;
}

/* RFC 5681 3.1: cwnd must be set to no more than the loss window, one segment. */
static void model_rto(struct model *m, uint64_t flight)
{
	model_cut(m, flight);
	m->cwnd = m->smss;
	m->after_rto = true;
}

/* RFC 5681 4.1: RW = min(IW, cwnd). */
static void model_idle(struct model *m)
{
	m->cwnd = m->cwnd < m->restart ? m->cwnd : m->restart;
}

/* A connection that sends. */
static void begin(struct tern_cc *cc, uint32_t mss, uint32_t segments)
{
	static uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];

	memset(state, 0xee, sizeof(state));
	cc_init(cc, &cc_reno, mss, segments);
	cc_set_state(cc, state);
}

/* ---- random histories ---- */

static void one_history(unsigned seed)
{
	struct rand dice;
	struct model m;
	struct tern_cc cc;
	uint32_t mss;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	mss = 48 + (uint32_t)rand_below(&dice, 9000);
	begin(&cc, mss, 10);
	model_init(&m, mss);
	for (unsigned step = 0; step < 1000; step++) {
		struct tern_cc_sample s = { .in_flight = rand_below(&dice, cc.cwnd + 1),
					    .acked = 1 + (uint32_t)rand_below(&dice, 3 * mss),
					    .cwnd_limited = rand_below(&dice, 4) != 0 };
		unsigned e = (unsigned)rand_below(&dice, 200);

		test_at("seed %u, step %u, event %u", seed, step, e);
		if (e == 0) {
			uint32_t before = cc.cwnd;

			cc.ops->on_congestion(&cc, &s);
			check_eq(cc.cwnd, before);
			cc.cwnd = cc.ssthresh;
			model_loss(&m, s.in_flight);
		} else if (e == 1) {
			cc.ops->on_rto(&cc, &s);
			model_rto(&m, s.in_flight);
		} else if (e == 2) {
			cc.ops->on_idle(&cc, &s);
			model_idle(&m);
		} else {
			if (s.cwnd_limited || !cc.ops->when_limited)
				cc.ops->on_ack(&cc, &s);
			model_ack(&m, s.acked, s.cwnd_limited);
		}
		check_eq(cc.cwnd, m.cwnd);
		check_eq(cc.ssthresh, m.ssthresh);
		check(cc.cwnd >= mss);
		if (cc.cwnd != m.cwnd)
			return;
	}
}

static void agrees_with_the_model(void)
{
	for (unsigned seed = 0; seed < 300; seed++)
		one_history(seed);
}

/* ---- what the RFC says in figures ---- */

/* Slow start: twice the window for each round trip when every segment is acknowledged. */
static void slow_start_doubles(void)
{
	struct tern_cc cc;

	begin(&cc, 1000, 1);
	for (unsigned round = 0; round < 10; round++) {
		uint32_t n = cc.cwnd / 1000;

		check_eq(cc.cwnd, 1000u << round);
		for (unsigned i = 0; i < n; i++) {
			struct tern_cc_sample s = { .acked = 1000, .cwnd_limited = true };

			cc.ops->on_ack(&cc, &s);
		}
	}
}

/* RFC 3465 2.3: in the slow start that follows a time-out one segment for each ACK. */
static void one_segment_for_each_ack_after_a_time_out(void)
{
	struct tern_cc_sample s = { .in_flight = 20000, .acked = 3000, .cwnd_limited = true };
	struct tern_cc cc;

	begin(&cc, 1000, 10);
	cc.ops->on_rto(&cc, &s);
	check_eq(cc.cwnd, 1000);
	cc.ops->on_ack(&cc, &s);
	check_eq(cc.cwnd, 2000);
	cc.ops->on_ack(&cc, &s);
	check_eq(cc.cwnd, 3000);
}

/* Congestion avoidance: one segment for each round trip, whatever the size of the ACKs. */
static void avoidance_adds_one_segment(void)
{
	for (uint32_t ack = 100; ack <= 2000; ack += 100) {
		struct tern_cc_sample s = { .in_flight = 20000,
					    .acked = ack,
					    .cwnd_limited = true };
		struct tern_cc cc;

		test_at("ACKs of %u bytes", ack);
		begin(&cc, 1000, 10);
		cc.ops->on_congestion(&cc, &s);
		check_eq(cc.ssthresh, 10000);
		cc.cwnd = cc.ssthresh;
		for (uint32_t round = 0; round < 20; round++) {
			uint32_t before = cc.cwnd;

			for (uint32_t done = 0; done < before; done += ack)
				cc.ops->on_ack(&cc, &s);
			check(cc.cwnd == before + 1000 || cc.cwnd == before);
		}
		check(cc.cwnd >= 29000 && cc.cwnd <= 31000);
	}
}

/* RFC 5681 3.1: bytes acknowledged cannot make more than is allowed, and nothing overflows. */
static void extremes(void)
{
	struct tern_cc_sample s = { .in_flight = UINT64_MAX,
				    .acked = UINT32_MAX,
				    .cwnd_limited = true };
	struct tern_cc cc;

	begin(&cc, 65535, 10);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t before = cc.cwnd;

		cc.ops->on_ack(&cc, &s);
		check(cc.cwnd >= before && cc.cwnd <= CC_INFINITE);
	}
	cc.ops->on_rto(&cc, &s);
	check_eq(cc.cwnd, 65535);
	check(cc.ssthresh <= CC_INFINITE);
	s.in_flight = 0;
	cc.ops->on_congestion(&cc, &s);
	check_eq(cc.ssthresh, 2 * 65535); /* two segments at least */
}

static const struct test tests[] = {
	TEST(agrees_with_the_model),
	TEST(slow_start_doubles),
	TEST(one_segment_for_each_ack_after_a_time_out),
	TEST(avoidance_adds_one_segment),
	TEST(extremes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
