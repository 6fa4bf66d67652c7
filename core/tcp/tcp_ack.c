/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ack.c - what did this ACK tell us?
 *
 * The fifth step of RFC 9293 3.10.7.4: is the number possible, what does it acknowledge, is it a
 * duplicate, what window comes with it; and what follows for loss repair (RFC 5681 3.2, RFC 6582)
 * and the congestion window.
 *
 * Without a scoreboard the bytes that left the network during a run of duplicate ACKs are
 * estimated: one full segment for each (snd.dup_bytes). That estimate is what RFC 5681 calls
 * inflating the window, and it yields limited transmit (RFC 3042) for the first two.
 */
#include "tcp_impl.h"

enum { DUP_ACKS_FOR_LOSS = 3 };

static struct cc_sample sample_now(const struct arrival *a, uint64_t acked, uint64_t flight)
{
	const struct tcp *c = a->c;
	bool slow_start = c->cc.cwnd < c->cc.ssthresh;

	return (struct cc_sample){
		.now = a->x->now,
		.in_flight = flight,
		.acked = (uint32_t)acked,
		.cwnd_limited = flight + c->snd_mss >= c->cc.cwnd ||
				(slow_start && 2 * flight >= c->cc.cwnd),
	};
}

/* ---- round-trip time ---- */

/*
 * A new measurement also ends the back-off (RFC 6298 section 5, end): until there is one, the
 * doubled time-out stays, because what was sent twice measures nothing (Karn).
 */
static void take_rtt(struct arrival *a, tern_time rtt)
{
	tcp_rtt_sample(a->c, a->x, rtt);
	a->c->backoff = 0;
}

void tcp_measure_rtt(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	const struct tcp_hdr *h = &a->seg->h;

	if (w && w->timed_pos != TCP_NO_POS) {
		if (a->ack < w->timed_pos)
			return;
		take_rtt(a, a->x->now - w->timed_at);
		w->timed_pos = TCP_NO_POS;
	} else if (c->ts_ok && h->has_ts && h->ts_ecr) {
		/* What was sent twice is told apart by its timestamp (RFC 7323 section 4). */
		uint32_t ms = tcp_ts_clock(a->x, c->ts_off) - h->ts_ecr;

		if (ms < 600000)
			take_rtt(a, MAX(ms, 1) * TERN_MS);
	}
}

/* ---- loss repair: RFC 6582 ---- */

static void repair_head(struct tcp *c, enum tern_cause cause)
{
	tcp_mark_lost(c, MIN(c->snd.una + c->snd_mss, c->snd.nxt), cause);
	c->work->timed_pos = TCP_NO_POS;
}

static void enter_recovery(struct arrival *a)
{
	struct tcp *c = a->c;
	struct cc_sample s = sample_now(a, 0, c->snd.nxt - c->snd.una);

	c->in_recovery = true;
	c->partial_seen = false;
	c->work->recover = c->snd.nxt;
	c->cc.ops->on_congestion(&c->cc, &s);
	c->cc.cwnd = c->cc.ssthresh;
	repair_head(c, TERN_CAUSE_FAST_RETRANSMIT);
}

static void leave_recovery(struct tcp *c)
{
	/* RFC 6582 3.2 step 3, first choice: no burst when little is in flight. */
	uint64_t flight = MAX(c->snd.nxt - c->snd.una, c->snd_mss) + c->snd_mss;

	c->in_recovery = false;
	c->snd.dup_bytes = 0;
	c->cc.cwnd = (uint32_t)MIN(c->cc.ssthresh, flight);
}

/* RFC 6582 3.2 step 3: some, but not all of what was outstanding is acknowledged. */
static void on_partial_ack(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	uint64_t left = acked > c->snd_mss ? acked - c->snd_mss : 0;

	c->snd.dup_bytes -= (uint32_t)MIN(left, c->snd.dup_bytes);
	repair_head(c, TERN_CAUSE_PARTIAL_ACK);
	if (!c->partial_seen)
		tcp_arm_rtx(c, a->x);
	c->partial_seen = true;
}

/*
 * RFC 5681 section 2: no data, no SYN or FIN, the same number, something outstanding, the same
 * window; a SACK block says as much when the window moved (RFC 6675 section 2).
 */
static bool is_duplicate(const struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	if (a->seg->len || (h->flags & (TCP_SYN | TCP_FIN)))
		return false;
	if (a->ack != c->snd.una || c->snd.una == c->snd.nxt || c->probing)
		return false;
	return (uint32_t)h->wnd << c->snd_wscale == c->snd.wnd || (c->sack_ok && h->n_sack);
}

static void on_duplicate_ack(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint64_t most = c->snd.nxt - c->snd.una;

	if (!w || c->in_rto_recovery)
		return;
	if (c->dup_acks < UINT8_MAX)
		c->dup_acks++;
	c->snd.dup_bytes = (uint32_t)MIN(c->snd.dup_bytes + (uint64_t)c->snd_mss, most);
	/* RFC 6582 3.2 step 2: not again for what the last recovery covered. */
	if (c->dup_acks == DUP_ACKS_FOR_LOSS && !c->in_recovery && c->snd.una >= w->recover)
		enter_recovery(a);
}

/* ---- new data acknowledged ---- */

static void forget_acknowledged(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint64_t data = MIN(c->snd.una, c->snd.end);

	if (data > w->snd_buf.head)
		buf_drop(&w->snd_buf, a->x->mem, data);
	if (c->has_lost) {
		w->rtx_nxt = MAX(w->rtx_nxt, c->snd.una);
		c->has_lost = w->rtx_nxt < w->rtx_end;
		c->rtx_forced = c->rtx_forced && c->has_lost;
	}
}

/* How the flight goes on of which a part has arrived. */
static void continue_flight(struct arrival *a, uint64_t acked, uint64_t flight)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;

	w->first_rtx_at = a->x->now;
	forget_acknowledged(a);
	if (c->snd.una >= w->recover)
		c->in_rto_recovery = false;
	if (c->in_recovery && c->snd.una < w->recover) {
		on_partial_ack(a, acked);
	} else {
		struct cc_sample s = sample_now(a, acked, flight);

		if (c->in_recovery)
			leave_recovery(c);
		else
			c->cc.ops->on_ack(&c->cc, &s);
		c->dup_acks = 0;
		c->snd.dup_bytes = 0;
		if (c->snd.una < c->snd.nxt)
			tcp_arm_rtx(c, a->x);
	}
	if (c->snd.una == c->snd.nxt && !tcp_has_unsent(c))
		tcp_rest_work(c, a->x);
}

static void on_new_ack(struct arrival *a)
{
	struct tcp *c = a->c;
	uint64_t flight = tcp_flight(c);
	uint64_t acked = a->ack - c->snd.una;

	tcp_measure_rtt(a);
	if (c->snd.una == tcp_syn_pos(c)) /* closed before the handshake ended */
		tcp_syn_acked(c);
	c->snd.una = a->ack;
	c->n_rtx = 0;
	if (c->work)
		continue_flight(a, acked, flight);
	if (c->snd.una == c->snd.nxt)
		c->rtx_at = TERN_NEVER;
	a->r.events |= TCP_WRITABLE;
	a->r.progress = true;
}

/* ---- the window ---- */

/* The window opened while probes were going out. */
static void stop_probing(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;

	c->probing = c->probe_due = false;
	c->backoff = 0;
	c->rtx_at = TERN_NEVER;
	if (c->snd.nxt == c->snd.una)
		return;
	if (c->snd.nxt == c->snd.una + 1 && !c->fin_sent) {
		c->snd.nxt = c->snd.una; /* only the probe's octet: it goes with the rest */
		w->small_end = MIN(w->small_end, c->snd.una);
		w->timed_pos = TCP_NO_POS;
		w->rtx_nxt = w->rtx_end = c->snd.una; /* nor is it lost, whatever was known of it */
		c->has_lost = c->rtx_forced = false;
		return;
	}
	tcp_mark_lost(c, c->snd.nxt, TERN_CAUSE_PROBE);
	tcp_arm_rtx(c, x);
}

void tcp_take_window(struct arrival *a)
{
	struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;
	uint32_t seq = (uint32_t)a->seq, ack = (uint32_t)a->ack;
	int32_t newer = (int32_t)(seq - c->snd.wl1);
	bool fresh = newer > 0 || (newer == 0 && (int32_t)(ack - c->snd.wl2) >= 0);

	c->n_probes = 0;
	if (!fresh || a->ack < c->snd.una)
		return;
	c->snd.wnd = (uint32_t)h->wnd << (h->flags & TCP_SYN ? 0 : c->snd_wscale);
	c->snd.max_wnd = MAX(c->snd.max_wnd, c->snd.wnd);
	c->snd.wl1 = seq;
	c->snd.wl2 = ack;
	if (c->probing && c->snd.wnd > 0)
		stop_probing(c, a->x);
}

/* ---- fifth step ---- */

/* RFC 5961 section 5.2: an ACK far behind or ahead of what we sent is an intruder's. */
static bool is_possible(const struct arrival *a)
{
	const struct tcp *c = a->c;

	return a->ack <= c->snd.nxt && a->ack + c->snd.max_wnd >= c->snd.una;
}

static void after_fin_acked(struct arrival *a)
{
	struct tcp *c = a->c;

	switch (c->state) {
	case TERN_TCP_FIN_WAIT_1:
		tcp_enter_fin_wait_2(c, a->x);
		break;
	case TERN_TCP_CLOSING:
		tcp_drop_work(c, a->x->mem);
		tcp_enter(c, TERN_TCP_TIME_WAIT);
		break;
	case TERN_TCP_LAST_ACK:
		tcp_end(c, a->x, 0);
		a->r.events |= TCP_ENDED;
		break;
	default:
		break;
	}
}

/* SYN-RECEIVED: RFC 9293 3.10.7.4, fifth step. */
static bool finish_handshake(struct arrival *a)
{
	struct tcp *c = a->c;

	if (a->ack <= c->snd.una || a->ack > c->snd.nxt) {
		a->r.rst = (struct tcp_rst){ .due = true, .seq = a->seg->h.ack };
		a->r.drop = TERN_DROP_TCP_ACK_RANGE;
		return false;
	}
	c->snd.wnd = (uint32_t)a->seg->h.wnd << c->snd_wscale;
	c->snd.max_wnd = c->snd.wnd;
	c->snd.wl1 = (uint32_t)a->seq;
	c->snd.wl2 = (uint32_t)a->ack;
	if (c->srtt_us == 0) /* else its record has measured it */
		tcp_measure_rtt(a);
	c->snd.una = a->ack;
	c->rtx_at = TERN_NEVER;
	c->syn_due = false;
	tcp_established(c, a->x);
	a->r.events |= TCP_CONNECTED | TCP_WRITABLE;
	a->r.progress = true;
	return true;
}

bool tcp_take_ack(struct arrival *a)
{
	struct tcp *c = a->c;

	if (!(a->seg->h.flags & TCP_ACK)) {
		a->r.drop = TERN_DROP_TCP_NO_ACK;
		return false;
	}
	if (c->state == TERN_TCP_SYN_RECEIVED)
		return finish_handshake(a);
	if (!is_possible(a)) {
		a->r.drop = TERN_DROP_TCP_ACK_RANGE;
		tcp_challenge(a);
		return false;
	}
	if (a->ack > c->snd.una)
		on_new_ack(a);
	else if (is_duplicate(a))
		on_duplicate_ack(a);
	tcp_take_window(a);
	if (tcp_fin_acked(c))
		after_fin_acked(a);
	return c->state != TERN_TCP_CLOSED;
}
