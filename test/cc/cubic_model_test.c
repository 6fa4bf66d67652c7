/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic_model_test.c - core/cc/cubic.c against RFC 9438's and RFC 9406's words.
 *
 * The model is in the units of the RFCs, segments and seconds, in floating point; it keeps their
 * variables by their names and answers each event by the paragraph that names it. Histories are
 * random. Model and code begin each stage with the same cwnd, and may then be 0.1 segments and
 * 1/3000 of the window apart: a tick of 1/1024 s in t and K is 0.12 segments at |t - K| = 10 s.
 */
#include "../../core/base/rand.h"
#include "cubic_fixture.h"

#include <math.h>

/* ---- the model ---- */

struct stage_model {
	double w_max, k, t_epoch, w_est, cwnd_prior;
	bool began, after_timeout;
};

struct model {
	double cwnd, ssthresh, initial; /* segments */
	struct stage_model now, undo;
	double other;	 /* cwnd, had the other region been chosen: W_cubic and W_est were near */
	double last_ack; /* seconds */
	double last_round_min, round_min, baseline;
	int n_samples, css_rounds; /* 0: standard slow start; else the rounds begun in CSS */
};

struct ack {
	double at, rtt, srtt; /* seconds */
	double acked;	      /* segments */
	bool limited, new_round;
};

/* C (t - K)^3 + W_max, Figure 1. */
static double cubic_of(const struct stage_model *g, double t)
{
	return 0.4 * pow(t - g->k, 3) + g->w_max;
}

/* What a tick of 1/1024 s makes of W_cubic, in segments, and a byte or two. */
static double rounding_of(double t)
{
	return 3 * 0.4 * pow(fabs(t) + 1.0 / 1024, 2) / 1024 + 0.01;
}

/* Figure 2; sections 4.8 and 4.10 for what comes after a time-out or without a loss. */
static void model_begin(struct model *m, double at)
{
	struct stage_model *g = &m->now;

	if (isnan(g->w_max))
		g->cwnd_prior = m->cwnd;
	if (isnan(g->w_max) || g->after_timeout || m->cwnd > g->w_max) {
		g->w_max = m->cwnd;
		g->k = 0;
	} else {
		g->k = cbrt((g->w_max - m->cwnd) / 0.4);
	}
	g->t_epoch = at;
	g->w_est = m->cwnd;
	g->began = true;
	g->after_timeout = false;
}

/* Sections 4.2 to 4.5. */
static void model_avoid(struct model *m, const struct ack *a)
{
	struct stage_model *g = &m->now;
	double acked = fmin(a->acked, m->cwnd), alpha, t, target, friendly, cubic;
	bool reno;

	if (!g->began)
		model_begin(m, a->at);
	alpha = g->w_est >= g->cwnd_prior ? 1 : 3 * (1 - 0.7) / (1 + 0.7);
	g->w_est += alpha * acked / m->cwnd;
	t = a->at - g->t_epoch;
	friendly = fmax(m->cwnd, g->w_est);
	target = fmax(m->cwnd, fmin(cubic_of(g, t + a->srtt), 1.5 * m->cwnd));
	cubic = m->cwnd + (target - m->cwnd) / m->cwnd * acked;
	reno = cubic_of(g, t) < g->w_est;
	m->cwnd = reno ? friendly : cubic;
	if (fabs(cubic_of(g, t) - g->w_est) < rounding_of(t - g->k))
		m->other = reno ? cubic : friendly;
}

/* RFC 9406 4.2, "at the start of each round". */
static void model_round(struct model *m)
{
	m->last_round_min = m->round_min;
	m->round_min = INFINITY;
	m->n_samples = 0;
	if (m->css_rounds && ++m->css_rounds > 5) {
		m->ssthresh = m->cwnd;
		m->css_rounds = 0;
	}
}

/* RFC 9406 4.2, what an RTT says. */
static void model_rtt(struct model *m, double rtt)
{
	double thresh = fmax(0.004, fmin(m->last_round_min / 8, 0.016));

	m->round_min = fmin(m->round_min, rtt);
	m->n_samples++;
	if (m->n_samples < 8)
		return;
	if (m->css_rounds && m->round_min < m->baseline) {
		m->css_rounds = 0;
	} else if (!m->css_rounds && isfinite(m->last_round_min) &&
		   m->round_min >= m->last_round_min + thresh) {
		m->baseline = m->round_min;
		m->css_rounds = 1;
	}
}

/* Section 4.2: t must not include what the application's limits made idle. */
static void model_pause(struct model *m, const struct ack *a)
{
	double sent = a->at - (a->rtt > 0 ? a->rtt : a->srtt);

	if (!a->limited)
		m->now.t_epoch += a->at - m->last_ack;
	else if (a->rtt + a->srtt > 0 && sent > m->last_ack)
		m->now.t_epoch += sent - m->last_ack;
	m->last_ack = a->at;
}

static void model_ack(struct model *m, const struct ack *a)
{
	bool initial = isinf(m->ssthresh);

	m->other = NAN;
	model_pause(m, a);
	if (initial && a->new_round)
		model_round(m);
	if (m->cwnd < m->ssthresh && a->limited) {
		double grown = fmin(a->acked, m->now.after_timeout ? 1 : 8);

		m->cwnd = fmin(m->ssthresh, m->cwnd + grown / (initial && m->css_rounds ? 4 : 1));
	} else if (a->limited) {
		model_avoid(m, a);
	}
	if (initial && isinf(m->ssthresh) && a->rtt > 0)
		model_rtt(m, a->rtt);
}

/* Section 4.9.2, 4.7, 4.6, in this order. */
static void model_loss(struct model *m, double flight)
{
	m->undo = m->now;
	m->now.w_max = m->cwnd < m->now.w_max ? m->cwnd * (1 + 0.7) / 2 : m->cwnd;
	m->now.cwnd_prior = m->cwnd;
	m->now.began = m->now.after_timeout = false;
	m->ssthresh = fmax(flight * 0.7, 2);
}

static void model_rto(struct model *m, double flight, bool again)
{
	if (!again)
		model_loss(m, flight);
	m->now.began = false;
	m->now.after_timeout = true;
	m->cwnd = 1;
}

/* RFC 5681 4.1. */
static void model_idle(struct model *m, double at)
{
	m->now.t_epoch += at - m->last_ack;
	m->last_ack = at;
	if (m->cwnd > m->initial) {
		m->cwnd = m->initial;
		m->now.began = false;
	}
}

/* ---- random histories ---- */

struct history {
	struct sender x;
	struct model m;
	struct rand dice;
	tern_time base_rtt;
	uint32_t saved_cwnd, saved_ssthresh;
	bool may_undo;
};

static bool one_in(struct history *h, unsigned n)
{
	return rand_below(&h->dice, n) == 0;
}

static void random_ack(struct history *h)
{
	struct sender *x = &h->x;
	uint32_t most = one_in(h, 2) ? x->cc.cwnd / 4 : 3 * x->cc.mss;
	struct tern_cc_sample s = { .acked = 1 + (uint32_t)rand_below(&h->dice, most),
				    .in_flight = x->cc.cwnd };
	struct ack a;

	x->now += one_in(h, 50) ? rand_below(&h->dice, 4 * TERN_SEC) :
				  1 + rand_below(&h->dice, h->base_rtt / 4);
	x->rtt = h->base_rtt + rand_below(&h->dice, h->base_rtt / 4);
	if (x->cc.cwnd > 40 * x->cc.mss) /* a queue, now and then */
		x->rtt += rand_below(&h->dice, 2) * 10 * TERN_MS;
	s.now = x->now;
	s.rtt = one_in(h, 8) ? 0 : x->rtt;
	s.srtt = one_in(h, 50) ? 0 : h->base_rtt;
	s.new_round = one_in(h, 16);
	s.cwnd_limited = !one_in(h, 5);
	a = (struct ack){ .at = (double)s.now / 1e9,
			  .rtt = (double)s.rtt / 1e9,
			  .srtt = (double)s.srtt / 1e9,
			  .acked = (double)s.acked / x->cc.mss,
			  .limited = s.cwnd_limited,
			  .new_round = s.new_round };
	x->cc.ops->on_ack(&x->cc, &s);
	model_ack(&h->m, &a);
}

/* Both go on from the window of the code: the next stage begins alike. */
static void random_loss(struct history *h, bool timeout)
{
	struct sender *x = &h->x;
	bool again = timeout && one_in(h, 3);
	uint32_t flight = (uint32_t)rand_below(&h->dice, x->cc.cwnd + 1) / 2 + x->cc.cwnd / 2;
	struct tern_cc_sample s = { .now = x->now, .in_flight = flight, .again = again };
	uint32_t before = x->cc.cwnd;

	if (!again) {
		h->saved_cwnd = before;
		h->saved_ssthresh = x->cc.ssthresh;
		h->may_undo = true;
	}
	h->m.cwnd = (double)before / x->cc.mss;
	if (timeout) {
		x->cc.ops->on_rto(&x->cc, &s);
		model_rto(&h->m, (double)flight / x->cc.mss, again);
		return;
	}
	x->cc.ops->on_congestion(&x->cc, &s);
	check_eq(x->cc.cwnd, before);
	model_loss(&h->m, (double)flight / x->cc.mss);
	/* What the repair leaves: ssthresh, or less when little is in flight. */
	x->cc.cwnd = one_in(h, 4) ? x->cc.ssthresh / 2 : x->cc.ssthresh;
	h->m.cwnd = (double)x->cc.cwnd / x->cc.mss;
}

static void random_undo(struct history *h)
{
	struct sender *x = &h->x;

	if (!h->may_undo || x->cc.cwnd >= h->saved_cwnd)
		return;
	h->may_undo = false;
	x->cc.ops->on_undo(&x->cc);
	x->cc.cwnd = h->saved_cwnd;
	x->cc.ssthresh = h->saved_ssthresh;
	h->m.now = h->m.undo;
	h->m.cwnd = (double)x->cc.cwnd / x->cc.mss;
	h->m.ssthresh =
		h->saved_ssthresh == CC_INFINITE ? INFINITY : (double)h->saved_ssthresh / x->cc.mss;
}

static void random_idle(struct history *h)
{
	struct sender *x = &h->x;
	struct tern_cc_sample s = { 0 };

	x->now += rand_below(&h->dice, 100 * TERN_SEC);
	s.now = x->now;
	x->cc.ops->on_idle(&x->cc, &s);
	model_idle(&h->m, (double)s.now / 1e9);
}

static bool agree(struct history *h)
{
	double mss = h->x.cc.mss, cwnd = h->x.cc.cwnd / mss, ssthresh = h->x.cc.ssthresh / mss;
	double most = 0.1 + h->m.cwnd / 3000;
	bool infinite = h->x.cc.ssthresh == CC_INFINITE;

	if (fabs(cwnd - h->m.other) < fabs(cwnd - h->m.cwnd))
		h->m.cwnd = h->m.other;
	if (fabs(cwnd - h->m.cwnd) > most)
		test_fail(__FILE__, __LINE__, "cwnd %f, model %f", cwnd, h->m.cwnd);
	else if (infinite != !!isinf(h->m.ssthresh) ||
		 (!infinite && fabs(ssthresh - h->m.ssthresh) > most))
		test_fail(__FILE__, __LINE__, "ssthresh %f, model %f", ssthresh, h->m.ssthresh);
	else
		return true;
	return false;
}

/* Whole bytes decide where slow start ends. */
static void take_ssthresh(struct history *h)
{
	h->m.ssthresh =
		h->x.cc.ssthresh == CC_INFINITE ? INFINITY : (double)h->x.cc.ssthresh / h->x.cc.mss;
}

static void one_history(unsigned seed)
{
	static struct history h;
	uint32_t mss;

	h = (struct history){ 0 };
	rand_init(&h.dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	mss = 500 + (uint32_t)rand_below(&h.dice, 8500);
	begin(&h.x, mss, 10);
	h.base_rtt = TERN_MS + rand_below(&h.dice, 300 * TERN_MS);
	h.m = (struct model){ .ssthresh = INFINITY,
			      .round_min = INFINITY,
			      .last_round_min = INFINITY,
			      .now = { .w_max = NAN } };
	h.m.cwnd = h.m.initial = (double)h.x.cc.cwnd / mss;
	for (unsigned step = 0; step < 1500; step++) {
		unsigned e = (unsigned)rand_below(&h.dice, 400);

		test_at("seed %u, step %u, event %u", seed, step, e);
		if (e == 0 || h.x.cc.cwnd > 20000 * mss)
			random_loss(&h, false);
		else if (e == 1)
			random_loss(&h, true);
		else if (e == 2)
			random_idle(&h);
		else if (e < 6)
			random_undo(&h);
		else
			random_ack(&h);
		if (!agree(&h))
			return;
		take_ssthresh(&h);
	}
}

static void agrees_with_the_model(void)
{
	for (unsigned seed = 0; seed < 300; seed++)
		one_history(seed);
}

static const struct test tests[] = {
	TEST(agrees_with_the_model),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
