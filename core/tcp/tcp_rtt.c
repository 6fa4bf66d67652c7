/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rtt.c - how long is a round trip, and how long do we wait for an answer?
 *
 * RFC 6298 in microseconds: SRTT and RTTVAR by its section 2, and a floor under the variance term
 * instead of under the sum (tcp_rto_min_ms, 200 ms), so that the delayed ACKs of a peer never look
 * like loss. The 1 s floor of (2.4) is a SHOULD that no deployed stack keeps; tcp_rto_min_ms = 1000
 * restores it. Karn's rule is the caller's: only segments sent once are timed.
 */
#include "tcp_impl.h"

enum { MIN_RTT_SECONDS = 300 };

void tcp_rtt_init(struct tcp *c, const struct tcp_ctx *x)
{
	c->srtt_us = c->rttvar_us = c->min_rtt_us = 0;
	c->rto_us = x->cfg->tcp_rto_initial_ms * 1000;
}

static uint32_t difference(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * RFC 8985 6.2 step 1: the least of recent ones, so that a path that has become longer is known as
 * such after five minutes.
 */
static void keep_least(struct tcp *c, const struct tcp_ctx *x, uint32_t r)
{
	if (c->min_rtt_us && r > c->min_rtt_us && x->s - c->min_rtt_s <= MIN_RTT_SECONDS)
		return;
	c->min_rtt_us = r;
	c->min_rtt_s = x->s;
}

void tcp_rtt_sample(struct tcp *c, const struct tcp_ctx *x, tern_time rtt)
{
	uint32_t r = (uint32_t)MIN(MAX(rtt / TERN_US, 1), 0x0fffffff);
	uint64_t rto;

	if (c->srtt_us == 0) { /* (2.2) */
		c->srtt_us = r;
		c->rttvar_us = r / 2;
	} else { /* (2.3): beta = 1/4, alpha = 1/8 */
		c->rttvar_us = c->rttvar_us - c->rttvar_us / 4 + difference(c->srtt_us, r) / 4;
		c->srtt_us = c->srtt_us - c->srtt_us / 8 + r / 8;
	}
	keep_least(c, x, r);
	rto = c->srtt_us + MAX((uint64_t)x->cfg->tcp_rto_min_ms * 1000, 4 * (uint64_t)c->rttvar_us);
	c->rto_us = (uint32_t)MIN(rto, (uint64_t)x->cfg->tcp_rto_max_ms * 1000);
}

/* (5.5): doubled for each time-out in a row, up to the maximum. */
tern_time tcp_rto_after(const struct tcp *c, const struct tcp_ctx *x, unsigned n_timeouts)
{
	uint64_t us = (uint64_t)c->rto_us << MIN(n_timeouts, 20);

	return MIN(us, (uint64_t)x->cfg->tcp_rto_max_ms * 1000) * TERN_US;
}

tern_time tcp_rto(const struct tcp *c, const struct tcp_ctx *x)
{
	return tcp_rto_after(c, x, c->backoff);
}
