/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic.c - CUBIC (RFC 9438), whose first slow start is HyStart++ (RFC 9406).
 *
 * Each stage of congestion avoidance follows W_cubic(t) = C (t - K)^3 + W_max: concave up to the
 * window at which the last loss came, flat around it, convex beyond; and never slower than Reno
 * would (W_est). t is only the time in which the window could grow.
 *
 * Windows are bytes, instants nanoseconds, t and K ticks of 1/1024 s, both rounded down: t - K is
 * off by less than a tick, and W_cubic by less than 3 C (|t - K| + 1/1024)^2 / 1024 segments and
 * two bytes, 0.12 segments at |t - K| = 10 s. A tick is as small as lets (t - K)^3 * MSS, without
 * rounding, fit 64 bits for any window up to CC_INFINITE and any MSS. What a division leaves over
 * is carried to the next ACK.
 *
 * Two readings. "For each new ACK" of 4.4 and 4.5 is taken for each window of bytes acknowledged,
 * or the receiver's delayed ACKs would halve the growth; an ACK of more than a window counts as
 * one. And cwnd is never lowered to W_est (4.3), as 4.2 takes the larger of the two.
 *
 * Sources: RFC 9438 (its sections are those of draft-ietf-tcpm-rfc8312bis-15), RFC 9406.
 */
#include "cc.h"

enum {
	TICKS = 1024, /* in a second */
	TICKS_MAX = 1 << 21,

	SEGMENTS_COUNTED = 8, /* L of RFC 9406 4.3, for a sender that does not pace */
	N_RTT_SAMPLE = 8,
	MIN_RTT_DIVISOR = 8,
	CSS_GROWTH_DIVISOR = 4,
	CSS_ROUNDS = 5,
};

#define MIN_RTT_THRESH (4 * TERN_MS)
#define MAX_RTT_THRESH (16 * TERN_MS)

/* What a congestion event changes and on_undo restores. */
struct stage {
	tern_time began_at;  /* t_epoch, later by each pause */
	uint32_t w_max;	     /* 0: undefined, no loss yet */
	uint32_t cwnd_prior; /* cwnd before the last loss; 0: W_est is beyond it (4.10) */
	uint32_t w_est;
	uint32_t k;	/* ticks */
	bool running;	/* else the next ACK in congestion avoidance begins it */
	bool after_rto; /* and no congestion avoidance since */
};

struct cubic {
	struct tern_cc_pace pace; /* none of its own */
	struct stage stage, undo;
	tern_time acked_at; /* the last ACK: up to there t and pauses are counted */
	uint64_t cwnd_carry, w_est_carry;

	/* HyStart++; 0: infinity */
	tern_time last_round_min, round_min, css_baseline;
	uint8_t n_samples; /* in this round, up to N_RTT_SAMPLE */
	uint8_t css_rounds_left;
};

_Static_assert(sizeof(struct cubic) <= CC_STATE_SIZE, "fits in struct tcp_work");

/* ---- arithmetic ---- */

/* Of a number below 2^63, rounded down: each bit stays that does not make the cube too large. */
static uint32_t cube_root(uint64_t v)
{
	uint64_t root = 0;

	for (uint64_t bit = TICKS_MAX / 2; bit; bit /= 2) {
		uint64_t tried = root | bit;

		if (tried * tried * tried <= v)
			root = tried;
	}
	return (uint32_t)root;
}

/* C t^3 in bytes, with C = 0.4 segments per second cubed: t^3 * MSS * 2 / 5 / 2^30. */
static uint32_t cubic_rise(uint64_t ticks, uint32_t mss)
{
	uint64_t t = MIN(ticks, TICKS_MAX), cube = t * t * t;

	if (cube > ((uint64_t)1 << 63) / mss)
		return CC_INFINITE;
	return (uint32_t)MIN(cube * mss / 5 >> 29, CC_INFINITE);
}

/* The inverse, in ticks: the cube root of bytes / MSS / C. */
static uint32_t cubic_rise_time(uint32_t bytes, uint32_t mss)
{
	return cube_root((uint64_t)bytes * ((uint64_t)5 << 29) / mss);
}

static tern_time ticks_of(tern_time duration)
{
	return MIN(duration, TICKS_MAX / TICKS * TERN_SEC) * TICKS / TERN_SEC;
}

static uint64_t divide_carrying(uint64_t n, uint64_t divisor, uint64_t *carry)
{
	n += *carry;
	*carry = n % divisor;
	return n / divisor;
}

/* ---- congestion avoidance ---- */

/* RFC 9438 4.2 Figure 2; 4.8 after a time-out and 4.10 without a loss: K = 0, W_max = cwnd. */
static void begin_stage(struct tern_cc *cc, tern_time now)
{
	struct cubic *q = cc->state;
	struct stage *g = &q->stage;

	if (g->after_rto || g->w_max < cc->cwnd)
		g->w_max = cc->cwnd;
	g->k = cubic_rise_time(g->w_max - cc->cwnd, cc->mss);
	g->w_est = cc->cwnd;
	g->began_at = now;
	g->running = true;
	g->after_rto = false;
	q->cwnd_carry = q->w_est_carry = 0;
}

/* RFC 9438 4.2 Figure 1. Neither w_max nor a rise exceeds CC_INFINITE, so the sum fits. */
static uint32_t w_cubic(const struct tern_cc *cc, tern_time t)
{
	const struct cubic *q = cc->state;
	const struct stage *g = &q->stage;
	uint32_t rise = cubic_rise(t < g->k ? g->k - t : t - g->k, cc->mss);

	if (t < g->k)
		return g->w_max - MIN(g->w_max, rise);
	return g->w_max + rise;
}

/* RFC 9438 4.3 Figure 4: alpha is 3 (1 - 0.7) / (1 + 0.7) = 9/17, and 1 from cwnd_prior on. */
static void estimate_reno(struct tern_cc *cc, uint32_t acked)
{
	struct cubic *q = cc->state;
	struct stage *g = &q->stage;
	uint64_t alpha = g->w_est < g->cwnd_prior ? 9 : 17;
	uint64_t grown =
		divide_carrying(alpha * cc->mss * acked, (uint64_t)17 * cc->cwnd, &q->w_est_carry);

	g->w_est = (uint32_t)MIN(g->w_est + grown, CC_INFINITE);
}

/* RFC 9438 4.4 and 4.5: by (target - cwnd) / cwnd of what was acknowledged. */
static void grow_towards(struct tern_cc *cc, uint32_t w, uint32_t acked)
{
	struct cubic *q = cc->state;
	uint32_t most = MIN(cc->cwnd + cc->cwnd / 2, CC_INFINITE);
	uint32_t target = MAX(MIN(w, most), cc->cwnd);
	uint64_t share = (uint64_t)(target - cc->cwnd) * acked;

	cc->cwnd += (uint32_t)divide_carrying(share, cc->cwnd, &q->cwnd_carry);
}

static void avoid_congestion(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;
	struct stage *g = &q->stage;
	uint32_t acked = MIN(s->acked, cc->cwnd);
	tern_time t;

	if (!g->running)
		begin_stage(cc, s->now);
	estimate_reno(cc, acked);
	t = s->now - g->began_at;
	if (w_cubic(cc, ticks_of(t)) < g->w_est)
		cc->cwnd = MAX(cc->cwnd, g->w_est);
	else
		grow_towards(cc, w_cubic(cc, ticks_of(t) + ticks_of(s->srtt)), acked);
}

/* ---- slow start ---- */

/* RFC 9406 4.2, the start of a round. A part of one counts among those of CSS. */
static void begin_round(struct tern_cc *cc)
{
	struct cubic *q = cc->state;

	q->last_round_min = q->round_min;
	q->round_min = 0;
	q->n_samples = 0;
	if (q->css_rounds_left && --q->css_rounds_left == 0)
		cc->ssthresh = cc->cwnd;
}

/* RFC 9406 4.2: is the queue growing, or was that a false alarm? */
static void watch_delay(struct cubic *q, const struct tern_cc_sample *s)
{
	tern_time threshold, rtt = s->rtt;

	if (!rtt)
		return;
	q->round_min = q->round_min ? MIN(q->round_min, rtt) : rtt;
	q->n_samples = (uint8_t)MIN(q->n_samples + 1 + s->joined_acks, N_RTT_SAMPLE);
	if (q->n_samples < N_RTT_SAMPLE)
		return;
	if (q->css_rounds_left) {
		if (q->round_min < q->css_baseline)
			q->css_rounds_left = 0;
		return;
	}
	threshold = MAX(MIN(q->last_round_min / MIN_RTT_DIVISOR, MAX_RTT_THRESH), MIN_RTT_THRESH);
	if (q->last_round_min && q->round_min >= q->last_round_min + threshold) {
		q->css_baseline = q->round_min;
		q->css_rounds_left = CSS_ROUNDS;
	}
}

/*
 * L is 1 after a time-out (RFC 3465 2.3). Else, as RFC 9406 4.2 has it, infinite for who paces, and
 * 8 for who does not: offload makes one ACK of many segments, and with L = 2 slow start would
 * hardly be one; without pacing more than 8 would burst.
 */
static void start_slowly(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;
	uint32_t most = cc->mss * (1 + s->joined_acks), grown;

	if (!s->cwnd_limited)
		return;
	if (!q->stage.after_rto)
		most = s->paced ? UINT32_MAX : SEGMENTS_COUNTED * most;
	grown = MIN(s->acked, most);
	if (cc->ssthresh == CC_INFINITE && q->css_rounds_left)
		grown /= CSS_GROWTH_DIVISOR;
	cc->cwnd = MIN(cc->cwnd + grown, cc->ssthresh);
}

/* ---- events ---- */

/*
 * No window was full up to the last ACK of which nothing was heard: that time does not count, and
 * if it was long, what the last round measured is no longer the path's.
 */
static void leave_out_unheard(struct cubic *q, const struct tern_cc_sample *s)
{
	tern_time rtt = s->rtt ? s->rtt : s->srtt;

	if (s->unheard_at <= q->acked_at)
		return;
	if (s->unheard_at - q->acked_at > rtt)
		q->round_min = 0;
	q->stage.began_at += s->unheard_at - q->acked_at;
	q->acked_at = s->unheard_at;
}

/*
 * RFC 9438 5.8: t does not run while the application does not fill the window. What this ACK
 * acknowledges left an RTT ago: if that is later than the ACK before, nothing was sent in between,
 * because a full window sends when an ACK arrives.
 */
static void leave_out_pause(struct cubic *q, const struct tern_cc_sample *s)
{
	tern_time rtt = s->rtt ? s->rtt : s->srtt, since, pause = 0;

	leave_out_unheard(q, s);
	since = s->now - q->acked_at;
	if (!s->cwnd_limited)
		pause = since;
	else if (rtt && since > rtt)
		pause = since - rtt;
	q->stage.began_at += pause;
	q->acked_at = s->now;
}

static void cubic_on_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;

	leave_out_pause(q, s);
	/* RFC 9406 4.3: HyStart++ is for the initial slow start. */
	if (s->new_round && cc->ssthresh == CC_INFINITE)
		begin_round(cc);
	if (cc->cwnd < cc->ssthresh)
		start_slowly(cc, s);
	else if (s->cwnd_limited)
		avoid_congestion(cc, s);
	if (cc->ssthresh == CC_INFINITE)
		watch_delay(q, s);
}

/* RFC 9438 4.9.2, 4.7 with fast convergence, 4.6. */
static void decrease(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;
	struct stage *g = &q->stage;
	uint64_t flight = MIN(s->in_flight, CC_INFINITE);

	leave_out_unheard(q, s);
	q->undo = *g;
	g->cwnd_prior = cc->cwnd;
	g->w_max = cc->cwnd < g->w_max ? (uint32_t)((uint64_t)cc->cwnd * 17 / 20) : cc->cwnd;
	g->running = false;
	g->after_rto = false;
	cc->ssthresh = MAX((uint32_t)(flight * 7 / 10), 2 * cc->mss);
}

/* RFC 9438 4.8: the loss window of RFC 5681 3.1; ssthresh is not lowered again. */
static void cubic_on_rto(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;

	if (!s->again)
		decrease(cc, s);
	q->stage.running = false;
	q->stage.after_rto = true;
	cc->cwnd = cc->mss;
}

/* RFC 5681 4.1, RFC 9438 5.8: t stands still, and a smaller window begins another stage. */
static void cubic_on_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct cubic *q = cc->state;

	q->stage.began_at += s->now - q->acked_at;
	q->acked_at = s->now;
	if (cc->cwnd <= cc->initial)
		return;
	cc->cwnd = cc->initial;
	q->stage.running = false;
}

static void cubic_on_undo(struct tern_cc *cc)
{
	struct cubic *q = cc->state;

	q->stage = q->undo;
}

static void cubic_init(struct tern_cc *cc)
{
	(void)cc; /* zeros: no loss yet, no round measured */
}

const struct tern_cc_ops cc_cubic = {
	.name = "cubic",
	.when_limited = true,
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_congestion = decrease,
	.on_rto = cubic_on_rto,
	.on_idle = cubic_on_idle,
	.on_undo = cubic_on_undo,
};
