/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reno.c - slow start and congestion avoidance as in RFC 5681, with appropriate byte counting
 * (RFC 3465, L = 2).
 */
#include "cc.h"

struct reno {
	struct tern_cc_pace pace; /* none of its own */
	uint32_t acked;		  /* in congestion avoidance, since cwnd last grew */
	bool after_rto;		  /* the slow start that follows a time-out: L = 1 (RFC 3465 2.3) */
};

_Static_assert(sizeof(struct reno) <= CC_STATE_SIZE, "fits in struct tern_cc");

static void reno_nothing(struct tern_cc *cc)
{
	(void)cc;
}

static void reno_on_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct reno *r = cc->state;

	/* RFC 5681 3.1: by what was acknowledged */
	if (cc->cwnd < cc->ssthresh) {
		uint32_t most = (r->after_rto ? 1 : 2) * (1 + s->joined_acks) * cc->mss;

		cc->cwnd += MIN(s->acked, most);
		cc->cwnd = MIN(cc->cwnd, CC_INFINITE);
		return;
	}
	r->after_rto = false;
	r->acked += s->acked;
	if (r->acked >= cc->cwnd) {
		r->acked -= cc->cwnd;
		cc->cwnd = MIN(cc->cwnd + cc->mss, CC_INFINITE);
	}
}

/* RFC 5681 equation 4. */
static uint32_t half_of_flight(const struct tern_cc *cc, const struct tern_cc_sample *s)
{
	return MAX((uint32_t)MIN(s->in_flight / 2, CC_INFINITE), 2 * cc->mss);
}

static void reno_on_congestion(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	cc->ssthresh = half_of_flight(cc, s);
}

static void reno_on_rto(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct reno *r = cc->state;

	cc->cwnd = cc->mss; /* the loss window, RFC 5681 3.1 */
	if (s->again)	    /* ssthresh is not halved again */
		return;
	r->after_rto = true;
	cc->ssthresh = half_of_flight(cc, s);
}

static void reno_on_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)s;
	cc->cwnd = MIN(cc->cwnd, cc->initial); /* RFC 5681 section 4.1 */
}

const struct tern_cc_ops cc_reno = {
	.name = "reno",
	.when_limited = true, /* a window that was not used says nothing */
	.init = reno_nothing,
	.on_ack = reno_on_ack,
	.on_congestion = reno_on_congestion,
	.on_rto = reno_on_rto,
	.on_idle = reno_on_idle,
	.on_undo = reno_nothing,
};
