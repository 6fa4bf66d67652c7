/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ack.c - what did this ACK tell us?
 *
 * The fifth step of RFC 9293 3.10.7.4: is the number possible, what does it acknowledge, what
 * window comes with it; and what follows, in this order: which bytes have arrived (tcp_sack.c), was
 * a loss that we believed in none (tcp_undo.c), which do we believe lost now (tcp_loss.c, or
 * tcp_newreno.c without SACK), and then either the repair goes on (tcp_prr.c) or the congestion
 * window grows.
 */
#include "tcp_impl.h"

/* ---- round-trip time ---- */

/*
 * A new measurement also ends the back-off (RFC 6298 section 5, end): until there is one, the
 * doubled time-out stays, because what was sent twice measures nothing (Karn).
 */
static void take_rtt(struct arrival *a, tern_time rtt)
{
	tcp_rtt_sample(a->c, a->x, rtt);
	a->c->backoff = 0;
	if (a->c->work) {
		a->c->work->tlp_timed = true;
		a->c->work->rtt_end = a->c->snd.nxt;
	}
}

void tcp_measure_rtt(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	const struct tcp_hdr *h = &a->seg->h;

	if (w && w->timed_pos != TCP_NO_POS && a->ack >= w->timed_pos) {
		take_rtt(a, a->x->now - w->timed_at);
		w->timed_pos = TCP_NO_POS;
	} else if (w && w->timed_pos != TCP_NO_POS && a->d.fack < w->timed_pos) {
		return;
	} else if (w && a->d.once_at && !a->d.again && !c->probing && a->d.fack > w->rtt_end) {
		/* nothing is timed, or that is missing: by what has arrived and went once (Karn) */
		take_rtt(a, a->x->now - a->d.once_at);
		w->timed_pos = TCP_NO_POS;
	} else if (c->ts_ok && h->has_ts && h->ts_ecr) {
		/* What was sent twice is told apart by its timestamp (RFC 7323 section 4). */
		uint32_t ms = tcp_ts_clock(a->x, c->snd.ts_off) - h->ts_ecr;

		/* one measurement for a round trip (RFC 7323 4.2) */
		if (c->snd.una > tcp_syn_pos(c) && a->d.youngest_at && a->ack > w->rtt_end)
			take_rtt(a, a->x->now - a->d.youngest_at);
		else if (c->snd.una == tcp_syn_pos(c) && ms < 600000)
			take_rtt(a, MAX(ms, 1) * TERN_MS);
	}
}

/* The SYN,ACK answers a SYN that went once. */
void tcp_measure_handshake(struct arrival *a, tern_time opened_at)
{
	take_rtt(a, a->x->now - opened_at);
}

/* ---- new data acknowledged ---- */

static void forget_acknowledged(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint64_t data = MIN(c->snd.una, c->snd.end);

	if (data > w->snd_buf.head)
		buf_drop(&w->snd_buf, a->x->mem, data);
	if (w->sent.n_lost == 0)
		c->rtx_forced = false;
}

/* tcp_take_cumulative_ack has seen to the records of what is acknowledged. */
static inline void move_una(struct arrival *a)
{
	struct tcp *c = a->c;

	tcp_measure_rtt(a);
	if (c->snd.una == tcp_syn_pos(c)) /* closed before the handshake ended */
		tcp_syn_acked(c);
	c->snd.una = a->ack;
	c->n_rtx = 0;
	if (c->work) {
		c->work->limited = 0;
		c->work->first_rtx_at = a->x->now;
		tcp_note_taken(c, a->x);
		forget_acknowledged(a);
	}
	a->r.progress = true;
}

/* ---- what follows ---- */

/* A round trip ends when all that was in flight at its beginning has arrived. */
static bool is_new_round(struct tcp *c)
{
	struct tcp_work *w = c->work;

	if (c->snd.una < w->round_end)
		return false;
	w->round_end = c->snd.nxt;
	return true;
}

/*
 * The window was full; in slow start, where it doubles, half of it will do, at some time of this
 * round trip: its last pieces may be acknowledged while nothing follows (RFC 7661 4.3).
 */
static inline bool is_cwnd_limited(const struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tern_cc *cc = &c->cc;
	struct tcp_work *w = c->work;
	bool slow_start = !cc->ops->own_window && cc->cwnd < cc->ssthresh;
	uint64_t flight = MAX(a->flight, w->round_flight);

	w->round_flight = c->snd.una < w->round_end ? flight : a->flight;
	return a->flight + c->snd_mss >= cc->cwnd || (slow_start && 2 * flight >= cc->cwnd);
}

/* No secret and no die, but no two connections and no two ACKs have the same. */
static uint32_t any_number(const struct arrival *a)
{
	uint64_t n = a->x->now ^ (uint64_t)a->c->snd.iss << 32 ^ a->ack;

	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(n >> 32);
}

/*
 * Whether the algorithm hears of this ACK: most do not, while the window is not full. *new_round is
 * what it is to hear, then.
 */
static inline bool is_heard(struct arrival *a, bool limited, bool *new_round)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	bool heard = limited || !c->cc.ops->when_limited || c->cc.ops->own_window;

	*new_round = is_new_round(c) || w->round_untold;
	w->round_untold = *new_round && !heard;
	if (!heard)
		w->unheard_at = a->x->now;
	return heard;
}

/* All but the rate. flight: tcp_flight, now that what was acknowledged has gone. */
static inline void take_sample(struct arrival *a, uint64_t acked, uint64_t flight, bool limited)
{
	struct tern_cc_sample *s = &a->sample;
	struct tcp *c = a->c;

	s->now = a->x->now;
	s->srtt = (tern_time)c->srtt_us * TERN_US;
	s->in_flight = a->flight;
	s->flight = flight;
	s->rtt = a->d.once_at ? a->x->now - a->d.once_at : 0;
	s->unheard_at = c->work->unheard_at;
	s->acked = (uint32_t)MIN(acked, UINT32_MAX);
	s->joined_acks = a->seg->joined;
	s->newly_lost = s->lost_len = 0;
	s->random = c->cc.ops->own_window ? any_number(a) : 0;
	s->new_round = s->again = s->marked = false;
	s->cwnd_limited = limited;
	s->paced = c->work->pace_rate != 0;
	s->in_recovery = tcp_is_repairing(c);
	s->has_sack = c->sack_ok;
}

static inline void take_pace_news(struct arrival *a)
{
	struct tcp *c = a->c;

	if (cc_pace(&c->cc)->holds_back)
		tcp_rate_mark_limited(c, tcp_flight(c));
	cc_pace(&c->cc)->holds_back = false;
	tcp_tune_send_buffer(c, a->x);
}

/*
 * What the ACK said of rates is known in any case: TCP_INFO asks for it. Beside that an algorithm
 * sees what is new: `grows` when its window may, always when that is its own.
 */
static void adjust_window(struct arrival *a, uint64_t acked, uint64_t lost, bool grows)
{
	struct tcp *c = a->c;
	bool own = c->cc.ops->own_window && a->d.bytes, limited = is_cwnd_limited(a);

	take_sample(a, acked, tcp_flight(c), limited);
	tcp_rate_conclude(a);
	a->sample.newly_lost = (uint32_t)MIN(lost, UINT32_MAX);
	if (!own && (!grows || c->cc.ops->own_window))
		return;
	if (is_heard(a, limited, &a->sample.new_round) && (own || !a->marks)) /* RFC 3168 6.1.2 */
		cc_on_ack(&c->cc, &a->sample);
	take_pace_news(a);
}

static bool is_repaired(const struct tcp *c)
{
	return tcp_is_repairing(c) && c->snd.una >= c->work->recover;
}

/* RFC 8985 and RFC 6937. */
static void follow_with_sack(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	bool was_in_recovery = c->in_recovery, undone;
	uint64_t lost;

	tcp_take_probe_answer(a);
	tcp_adapt_reordering(a);
	undone = tcp_undo_review(a, acked);
	if (is_repaired(c))
		tcp_leave_recovery(c, a->x);
	lost = tcp_detect_losses(c, a->x);
	if (lost && !tcp_is_repairing(c))
		tcp_enter_recovery(c, a->x);
	if (c->in_recovery && !c->cc.ops->own_window)
		tcp_pace_recovery(a, lost);
	if (acked || a->d.bytes)
		adjust_window(a, acked, lost,
			      acked && !c->in_recovery && !was_in_recovery && !undone);
}

/* RFC 6582. */
static void follow_without_sack(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	bool undone = tcp_undo_review(a, acked), was_in_recovery = c->in_recovery;
	uint64_t lost = c->work->rate.lost;

	if (!acked) {
		tcp_newreno_duplicate(a);
		return;
	}
	if (c->in_recovery && c->snd.una < c->work->recover)
		tcp_newreno_partial(a, acked);
	else if (c->in_recovery || is_repaired(c))
		tcp_leave_recovery(c, a->x);
	adjust_window(a, acked, c->work->rate.lost - lost, !was_in_recovery && !undone);
	if (c->in_recovery)
		return;
	c->work->dup_acks = 0;
	c->work->dup_bytes = 0;
}

static void follow(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;

	if (a->marks)
		tcp_answer_marks(a);
	if (c->sack_ok)
		follow_with_sack(a, acked);
	else
		follow_without_sack(a, acked);
}

static inline void stop_timer(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;

	if (acked && c->snd.una == c->snd.nxt) /* else silly window avoidance has its time-out */
		c->rtx_at = c->probing ? c->rtx_at : TERN_NEVER;
}

/* What does not depend on what was learned of losses. */
static inline void draw_conclusions(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	bool partial;

	tcp_review_path(a);
	partial = !c->sack_ok && c->in_recovery && acked; /* it has seen to the timer */
	if (acked && c->snd.una < c->snd.nxt && !partial)
		tcp_arm_rtx(c, a->x);
	stop_timer(a, acked);
	if (c->snd.una == c->snd.nxt && !tcp_has_unsent(c))
		tcp_rest_work(c, a->x);
	if (acked || a->d.sacked)
		tcp_schedule_probe(c, a->x);
	tcp_set_pace(c, a->x);
}

/* ---- the window ---- */

/* The window opened while probes were going out. */
static COLD void stop_probing(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;

	c->probing = c->probe_due = false;
	c->backoff = 0;
	c->rtx_at = TERN_NEVER;
	if (c->snd.nxt == c->snd.una)
		return;
	if (c->snd.nxt == c->snd.una + 1 && !c->fin_sent) {
		/* only the probe's octet: it goes with the rest, whatever was known of it */
		sent_drop_first(&w->sent, x->mem, c->snd.nxt);
		w->octet_end = c->snd.nxt;
		c->snd.nxt = c->snd.una;
		w->small_end = MIN(w->small_end, c->snd.una);
		w->timed_pos = TCP_NO_POS;
		c->rtx_forced = false;
		return;
	}
	tcp_mark_lost(c, x, c->snd.nxt, TERN_CAUSE_PROBE);
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

/* ---- ACKs of one batch ---- */

/*
 * Where nothing is repaired or counted by the ACK, the last of several says all that they do. The
 * counter of AccECN could wrap unseen (RFC 9768 3.2.2.5).
 */
bool tcp_join_ack(const struct tcp *c, struct tcp_seg *seg, const struct tcp_wagon *wagon)
{
	uint32_t una = (uint32_t)c->snd.una, flight = (uint32_t)(c->snd.nxt - c->snd.una);

	if (!tcp_is_calm(c) || seg->h.seq != (uint32_t)c->rcv.nxt || seg->h.n_sack ||
	    seg->joined == UINT8_MAX)
		return false;
	if (seg->h.ack - una >= wagon->ack - una || wagon->ack - una > flight)
		return false;
	seg->h.ack = wagon->ack;
	seg->h.wnd = wagon->wnd;
	seg->joined++;
	return true;
}

/* ---- fifth step ---- */

/* The peer took the octet of a probe that counts as unsent again: what waits was held back. */
static COLD void count_octet_as_sent(const struct arrival *a)
{
	struct tcp *c = a->c;

	if (c->work && a->ack == c->work->octet_end && c->snd.nxt == c->snd.una)
		c->snd.nxt = a->ack;
}

/*
 * RFC 5961 section 5.2: an ACK far behind or ahead of what we sent is an intruder's. Nothing was
 * sent before the SYN.
 */
static bool is_possible(const struct arrival *a)
{
	const struct tcp *c = a->c;

	return a->ack <= c->snd.nxt && a->ack >= tcp_syn_pos(c) &&
	       a->ack + c->snd.max_wnd >= c->snd.una;
}

static void after_fin_acked(struct arrival *a)
{
	struct tcp *c = a->c;

	switch (c->state) {
	case TERN_TCP_FIN_WAIT_1:
		tcp_enter_fin_wait_2(c, a->x);
		break;
	case TERN_TCP_CLOSING:
		tcp_drop_work(c, a->x);
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
	c->snd.una++; /* text may have followed it: RFC 7413 */
	c->rtx_at = TERN_NEVER;
	c->syn_due = false;
	tcp_established(c, a->x);
	if (c->snd.una < c->snd.nxt)
		tcp_arm_rtx(c, a->x);
	if (c->accecn)
		tcp_accecn_take_third_ack(a);
	if (a->marks)
		tcp_answer_marked_syn(c);
	a->r.events |= TCP_CONNECTED;
	a->r.progress = true;
	return true;
}

static void take_any_ack(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;

	a->flight = tcp_flight(c);
	tcp_rate_check_limited(c, a->flight);
	if (c->work && c->sack_ok && a->seg->h.n_sack)
		tcp_take_sack(a);
	if (acked) {
		if (c->work)
			tcp_take_cumulative_ack(a);
		move_una(a);
	} else if (a->d.sacked) {
		tcp_measure_rtt(a);
	}
	tcp_take_echo(a);
	if (c->work && !tcp_fin_acked(c)) { /* else nothing is left to repair or to pace */
		follow(a, acked);
		draw_conclusions(a, acked);
	} else {
		stop_timer(a, acked);
	}
}

/* ---- nothing but progress ---- */

/*
 * The oldest of what is in flight has arrived, or its beginning, while nothing is missing, doubted
 * or tried: what tcp_sack.c, tcp_loss.c and tcp_undo.c would find out is known before they look.
 */
const struct sent *tcp_plain_progress(const struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tcp_work *w = c->work;
	const struct sent *s;

	if (!w || !tcp_is_calm(c) || a->ack <= c->snd.una || a->ack > c->snd.nxt)
		return NULL;
	if (a->seg->h.n_sack || (a->seg->h.flags & (TCP_ACK | TCP_ECE)) != TCP_ACK ||
	    c->cc.ops->own_window)
		return NULL;
	if (w->sent.n_sacked | w->sent.n_lost | w->sent.n_again | w->dup_bytes | w->dup_acks)
		return NULL;
	if ((w->tlp_end & w->rack.dsack_round) != TCP_NO_POS || a->ack <= w->rack.end ||
	    a->ack <= w->rack.fack || w->loss_timer != LOSS_TIMER_PROBE)
		return NULL;
	s = sent_first(&w->sent);
	return s->hi >= a->ack && s->sent_at >= w->rack.sent_at ? s : NULL;
}

/* draw_conclusions, where nothing is repaired and no window is waited for. */
static inline void draw_plain_conclusions(struct arrival *a)
{
	struct tcp *c = a->c;

	tcp_review_path(a);
	c->work->loss_at = TERN_NEVER;
	if (c->snd.una < c->snd.nxt) {
		tcp_arm_rtx(c, a->x);
		tcp_arm_probe(c, a->x);
		return;
	}
	c->rtx_at = TERN_NEVER;
	if (c->snd.nxt == c->snd.end)
		tcp_rest_work(c, a->x);
}

void tcp_take_plain_progress(struct arrival *a, const struct sent *oldest)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint64_t flight = c->snd.nxt - c->snd.una; /* tcp_flight, where nothing is missing */
	uint64_t acked = a->ack - c->snd.una;
	bool limited, new_round;

	a->flight = flight;
	tcp_rate_check_limited(c, flight);
	tcp_take_oldest(a, oldest);
	tcp_measure_rtt(a);
	c->snd.una = a->ack;
	c->n_rtx = 0;
	w->limited = 0;
	w->first_rtx_at = a->x->now;
	tcp_note_taken(c, a->x);
	buf_drop(&w->snd_buf, a->x->mem, a->ack);
	limited = is_cwnd_limited(a);
	if (is_heard(a, limited, &new_round)) {
		take_sample(a, acked, flight - acked, limited);
		a->sample.new_round = new_round;
		cc_on_ack(&c->cc, &a->sample);
	}
	take_pace_news(a);
	draw_plain_conclusions(a);
	tcp_set_pace(c, a->x);
	tcp_take_window(a);
	a->r.progress = true;
}

bool tcp_take_ack(struct arrival *a)
{
	const struct sent *oldest = tcp_plain_progress(a);
	struct tcp *c = a->c;
	uint64_t acked;

	if (oldest) {
		tcp_take_plain_progress(a, oldest);
		return true;
	}
	if (!(a->seg->h.flags & TCP_ACK)) {
		a->r.drop = TERN_DROP_TCP_NO_ACK;
		return false;
	}
	if (c->state == TERN_TCP_SYN_RECEIVED) {
		if (!finish_handshake(a))
			return false;
		if (a->ack == c->snd.una)
			return true;
	}
	if (a->ack == c->snd.nxt + 1)
		count_octet_as_sent(a);
	if (!is_possible(a)) {
		a->r.drop = TERN_DROP_TCP_ACK_RANGE;
		tcp_challenge(a);
		return false;
	}
	acked = a->ack > c->snd.una ? a->ack - c->snd.una : 0;
	take_any_ack(a, acked);
	tcp_take_window(a);
	if (tcp_fin_acked(c))
		after_fin_acked(a);
	return c->state != TERN_TCP_CLOSED;
}
