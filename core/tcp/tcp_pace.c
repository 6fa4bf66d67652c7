/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_pace.c - how fast may a window leave?
 *
 * What an ACK or the user lets go is not sent at once but at a rate: the congestion window in the
 * least round trip, doubled in slow start, which must double it, and a fifth more afterwards, so
 * that the window and not the pace is what limits. The least, because what a slow handshake or the
 * delayed ACKs of a small window add to the average is not the path's: paced by it a window of a
 * few segments never grows out of it. Queues on the path see no bursts of windows. pace_at runs
 * ahead of the clock by what has been sent; a millisecond ahead is a burst that may still go, so
 * there is one timer for a millisecond and not for a segment, and on a path shorter than that none.
 * The initial window goes unpaced: nothing is known yet.
 *
 * An algorithm may set a rate of its own. SO_MAX_PACING_RATE bounds the rate. Both pace also where
 * the configuration does not.
 */
#include "tcp_impl.h"

enum { SLOW_START_PERCENT = 200, AVOIDANCE_PERCENT = 120 };

#define AHEAD TERN_MS

/* A burst is what the algorithm says or a millisecond carries, two segments at least. */
uint32_t tcp_pace_burst(const struct tcp *c)
{
	uint64_t rate = c->work->pace_rate, burst = cc_pace(&c->cc)->burst;

	if (!rate)
		return UINT32_MAX;
	burst = burst ? MAX(burst, c->snd_mss) : MAX(rate / 1000, 2 * (uint64_t)c->snd_mss);
	return (uint32_t)MIN(burst, UINT32_MAX);
}

/* A connection begins to send: nothing is known but what the user allows. */
void tcp_begin_pace(struct tcp *c)
{
	c->work->pace_rate = c->opt.max_pacing_rate;
}

/* Would the window be paced as it is now? Most ACKs of messages change nothing of it. */
static inline bool is_paced_so(const struct tcp *c)
{
	const struct tcp_work *w = c->work;

	return w->paced_by.cwnd == c->cc.cwnd && w->paced_by.ssthresh == c->cc.ssthresh &&
	       w->paced_by.min_rtt_us == c->min_rtt_us &&
	       w->paced_by.most == c->opt.max_pacing_rate;
}

/* After the congestion window, its algorithm's rate or the round-trip time may have changed. */
void tcp_set_pace(struct tcp *c, const struct tcp_ctx *x)
{
	uint64_t percent = c->cc.cwnd < c->cc.ssthresh / 2 ? SLOW_START_PERCENT : AVOIDANCE_PERCENT;
	uint64_t rate = cc_pace(&c->cc)->rate;

	if (!rate && x->cfg->tcp_pacing && is_paced_so(c))
		return;
	c->work->paced_by.cwnd = rate || !x->cfg->tcp_pacing ? 0 : c->cc.cwnd;
	c->work->paced_by.ssthresh = c->cc.ssthresh;
	c->work->paced_by.min_rtt_us = c->min_rtt_us;
	c->work->paced_by.most = c->opt.max_pacing_rate;
	if (!rate && x->cfg->tcp_pacing && c->min_rtt_us)
		rate = c->cc.cwnd * percent * 10000 / c->min_rtt_us;
	if (c->opt.max_pacing_rate)
		rate = rate ? MIN(rate, c->opt.max_pacing_rate) : c->opt.max_pacing_rate;
	c->work->pace_rate = rate;
}

/* n bytes have gone. */
void tcp_pace_sent(struct tcp *c, const struct tcp_ctx *x, uint64_t n)
{
	struct tcp_work *w = c->work;
	tern_time earliest;

	if (!w->pace_rate)
		return;
	earliest = x->now > AHEAD ? x->now - AHEAD : 0;
	w->pace_at = MAX(w->pace_at, earliest) + n * TERN_SEC / w->pace_rate;
	c->paced = w->pace_at > x->now + AHEAD;
}
