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
 * RS struct tern_cc_sample. What is common to the segments of a record is kept once, so an ACK
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
void tcp_rate_sent(struct tcp *c, const struct tcp_ctx *x, struct sent *s, uint64_t n,
		   uint64_t flight)
{
	struct tcp_rate *r = &c->work->rate;
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
static bool is_newest(const struct arrival *a, const struct sent *s, uint64_t hi)
{
	const struct tcp_rate *r = &a->c->work->rate;

	return s->sent_at > r->first_sent_at ||
	       (s->sent_at == r->first_sent_at && hi > a->rated_end);
}

/* UpdateRateSample: n bytes of a record have arrived ... */
static inline void count_delivered(struct tcp *c, const struct tcp_ctx *x, uint64_t n)
{
	struct tcp_rate *r = &c->work->rate;

	r->delivered += n;
	r->delivered_at = x->now;
	if (c->tally)
		c->tally->delivered += tcp_in_segments(c, n);
}

/* ... and it is the newest that this ACK tells of. */
static inline void sample_rate(struct arrival *a, const struct sent *s)
{
	struct tcp_rate *r = &a->c->work->rate;
	struct tern_cc_sample *rs = &a->sample;

	r->first_sent_at = s->sent_at;
	rs->app_limited = s->app_limited;
	rs->delivered = r->delivered;
	rs->prior_delivered = r->delivered - ((uint32_t)r->delivered - s->view.delivered);
	rs->tx_in_flight = s->view.tx_in_flight;
	rs->interval =
		MAX(s->view.send_us * TERN_US, a->x->now - s->sent_at + s->view.ack_us * TERN_US);
}

/* The same for what lies below hi of a record. */
void tcp_rate_delivered(struct arrival *a, const struct sent *s, uint64_t hi)
{
	count_delivered(a->c, a->x, hi - sent_lo(s));
	if (a->d.rated && !is_newest(a, s, hi))
		return;
	a->d.rated = true;
	a->rated_end = hi;
	a->rated_again = s->again;
	sample_rate(a, s);
	a->sample.lost = s->view.lost; /* until tcp_rate_conclude: C.lost when it went */
}

/*
 * The ACK of what went twice may be that of the first transmission: it would be too fast. One that
 * went once takes no less than its own round trip.
 */
static bool is_plausible(const struct arrival *a, tern_time interval)
{
	return interval > 0 &&
	       (!a->rated_again || interval >= (tern_time)a->c->min_rtt_us * TERN_US);
}

/* For TCP_INFO: the newest, or the best of those that the user limited. */
static void remember_rate(struct tcp_rate *r, const struct tern_cc_sample *s)
{
	if (s->app_limited && s->delivery_rate < r->last)
		return;
	r->last = s->delivery_rate;
	r->last_limited = s->app_limited;
}

static inline void end_limit(struct tcp_rate *r)
{
	if (r->app_limited && r->delivered > r->app_limited)
		r->app_limited = 0;
}

static inline void compute_rate(struct tcp_rate *r, struct tern_cc_sample *s)
{
	s->delivery_rate = (s->delivered - s->prior_delivered) * TERN_SEC / s->interval;
	remember_rate(r, s);
}

/* GenerateRateSample: the part of the sample that is about rates, now that losses are known. */
void tcp_rate_conclude(struct arrival *a)
{
	struct tcp_rate *r = &a->c->work->rate;
	struct tern_cc_sample *s = &a->sample;

	end_limit(r);
	s->newly_delivered = (uint32_t)MIN(a->d.bytes, UINT32_MAX);
	s->delivered = r->delivered;
	s->delivery_rate = 0;
	if (!a->d.rated) {
		s->app_limited = false;
		s->prior_delivered = s->tx_in_flight = s->lost = s->interval = 0;
		return;
	}
	s->lost = (uint32_t)r->lost - (uint32_t)s->lost;
	if (is_plausible(a, s->interval))
		compute_rate(r, s);
}

void tcp_rate_take_oldest(struct arrival *a, const struct sent *oldest, uint64_t n)
{
	struct tcp_rate *r = &a->c->work->rate;

	count_delivered(a->c, a->x, n);
	sample_rate(a, oldest);
	a->sample.lost = (uint32_t)r->lost - oldest->view.lost;
	end_limit(r);
	a->sample.newly_delivered = (uint32_t)n; /* no window is larger */
	a->sample.delivery_rate = 0;
	if (a->sample.interval)
		compute_rate(r, &a->sample);
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
