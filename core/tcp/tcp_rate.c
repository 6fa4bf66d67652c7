/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rate.c - how fast is data delivered?
 *
 * Each ACK that reports something gives a sample: what was delivered between the departure of the
 * youngest segment it reports and now, over the longer of the time in which that was sent and the
 * time in which it was acknowledged. Where the user left a gap, the samples of the round trip
 * behind it are marked: they say less than the path can carry.
 *
 * C.x, P.x and RS.x are the names of the draft: C is struct tcp_rate, P struct sent and its view,
 * RS struct rate_sample. What is common to the segments of a record is kept once for it, so an ACK
 * costs nothing but for the records whose fate it changes.
 *
 * Without SACK what duplicate ACKs tell of counts when it is acknowledged: late, never twice.
 *
 * Source: draft-ietf-ccwg-bbr-05 section 4.1.
 */
#include "tcp_impl.h"

static uint32_t in_us(tern_time t)
{
	return t ? (uint32_t)MIN(t / TERN_US, UINT32_MAX) : 0;
}

/* ---- sending: 4.1.2.2 ---- */

/* OnPacketSent, with nothing in flight; before it, the algorithm may begin anew (5.4). */
static void start_flight(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_rate *r = &c->work->rate;
	struct tern_cc_sample s;

	r->first_sent_at = r->delivered_at = x->now;
	if (!c->cc.ops->on_send)
		return;
	s = (struct tern_cc_sample){ .now = x->now,
				     .srtt = (tern_time)c->srtt_us * TERN_US,
				     .app_limited = r->app_limited != 0,
				     .delivered = r->delivered };
	cc_on_send(&c->cc, &s);
	tcp_set_pace(c, x);
}

/* OnPacketSent: the last n bytes of a record have just gone. */
void tcp_rate_sent(struct tcp *c, const struct tcp_ctx *x, struct sent *s, uint64_t n)
{
	struct tcp_rate *r = &c->work->rate;
	uint64_t flight = tcp_flight(c);
	bool grew = s->hi - sent_lo(s) > n;

	if (flight <= n)
		start_flight(c, x);
	if (!grew) {
		s->view.delivered = (uint32_t)r->delivered;
		s->view.lost = (uint32_t)r->lost;
		s->view.send_us = in_us(x->now - r->first_sent_at);
		s->view.ack_us = in_us(x->now - r->delivered_at);
		s->app_limited = r->app_limited != 0;
	}
	s->view.tx_in_flight = (uint32_t)MIN(flight, UINT32_MAX);
}

/* ---- receiving: 4.1.2.3 ---- */

/* IsNewestPacket */
static bool is_newest(const struct tcp_rate *r, const struct rate_sample *rs, const struct sent *s,
		      uint64_t hi)
{
	return s->sent_at > r->first_sent_at || (s->sent_at == r->first_sent_at && hi > rs->end);
}

/* UpdateRateSample, for what lies below hi of a record. */
void tcp_rate_delivered(struct arrival *a, const struct sent *s, uint64_t hi)
{
	struct tcp_rate *r = &a->c->work->rate;
	struct rate_sample *rs = &a->rate;
	uint64_t n = hi - sent_lo(s);

	r->delivered += n;
	r->delivered_at = a->x->now;
	if (a->c->tally)
		a->c->tally->delivered += tcp_in_segments(a->c, n);
	if (a->d.rated && !is_newest(r, rs, s, hi))
		return;
	r->first_sent_at = s->sent_at;
	a->d.rated = true;
	*rs = (struct rate_sample){
		.app_limited = s->app_limited,
		.again = s->again,
		.end = hi,
		.prior_delivered = r->delivered - ((uint32_t)r->delivered - s->view.delivered),
		.tx_in_flight = s->view.tx_in_flight,
		.lost_before = s->view.lost,
		.interval = MAX(s->view.send_us * TERN_US,
				a->x->now - s->sent_at + s->view.ack_us * TERN_US),
	};
}

/*
 * The ACK of what went twice may be that of the first transmission: it would be too fast. One that
 * went once takes no less than its own round trip.
 */
static bool is_plausible(const struct tcp *c, const struct rate_sample *rs, tern_time interval)
{
	return interval > 0 && (!rs->again || interval >= (tern_time)c->min_rtt_us * TERN_US);
}

/* For TCP_INFO: the newest, or the best of those that the user limited. */
static void remember_rate(struct tcp_rate *r, const struct tern_cc_sample *s)
{
	if (s->app_limited && s->delivery_rate < r->last)
		return;
	r->last = s->delivery_rate;
	r->last_limited = s->app_limited;
}

/* GenerateRateSample: the part of the sample that is about rates. */
void tcp_rate_conclude(struct arrival *a, struct tern_cc_sample *s)
{
	const struct rate_sample *rs = &a->rate;
	struct tcp_rate *r = &a->c->work->rate;

	if (r->app_limited && r->delivered > r->app_limited)
		r->app_limited = 0;
	s->delivered = r->delivered;
	s->newly_delivered = (uint32_t)MIN(a->d.bytes, UINT32_MAX);
	if (!a->d.rated)
		return;
	s->app_limited = rs->app_limited;
	s->prior_delivered = rs->prior_delivered;
	s->tx_in_flight = rs->tx_in_flight;
	s->lost = (uint32_t)r->lost - rs->lost_before;
	s->interval = rs->interval;
	if (!is_plausible(a->c, rs, s->interval))
		return;
	s->delivery_rate = (r->delivered - rs->prior_delivered) * TERN_SEC / s->interval;
	remember_rate(r, s);
}

/* ---- losses: C.lost, and what the algorithm hears of each ---- */

/* The record is lost now; why does not matter, but that the network lost it. */
COLD void tcp_rate_lost(struct tcp *c, const struct tcp_ctx *x, const struct sent *s)
{
	struct tcp_rate *r = &c->work->rate;
	uint64_t len = s->hi - sent_lo(s);
	struct tern_cc_sample sample;

	r->lost += len;
	if (!c->cc.ops->on_loss)
		return;
	sample = (struct tern_cc_sample){
		.now = x->now,
		.has_sack = c->sack_ok,
		.app_limited = s->app_limited,
		.delivered = r->delivered,
		.lost_len = (uint32_t)MIN(len, UINT32_MAX),
		.tx_in_flight = s->view.tx_in_flight,
		.lost = (uint32_t)r->lost - s->view.lost,
	};
	cc_on_loss(&c->cc, &sample);
}

/* ---- gaps that the user leaves: 4.1.2.4 ---- */

/* MarkConnectionAppLimited */
void tcp_rate_mark_limited(struct tcp *c, uint64_t flight)
{
	c->work->rate.app_limited = MAX(c->work->rate.delivered + flight, 1);
}

/* CheckIfApplicationLimited: before data comes, an ACK is processed or a timer has passed. */
void tcp_rate_check_limited(struct tcp *c, uint64_t flight)
{
	if (c->work && c->snd.end < c->snd.nxt + c->snd_mss && c->work->sent.n_lost == 0 &&
	    flight < c->cc.cwnd)
		tcp_rate_mark_limited(c, flight);
}
