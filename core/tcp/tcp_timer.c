/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_timer.c - which deadlines exist, and what happens when one passes?
 *
 *	rtx_at   retransmission (RFC 6298), of SYN, data and FIN; while `probing`, persist
 *	loss_at  loss probe or reordering window (RFC 8985), in struct tcp_work
 *	pace_at  data may go on, in struct tcp_work (tcp_pace.c)
 *	ack_at   delayed ACK (RFC 9293 3.8.6.3)
 *	keep_at  keep-alive (RFC 9293 3.8.4)
 *	idle_at  struct tcp_work is no longer needed; FIN-WAIT-2 whose user has gone
 *
 * A deadline that passes makes something due; the plan sends it. tcp_review_timers decides after
 * each step whether the retransmission or the persist timer runs.
 */
#include "tcp_impl.h"

tern_time tcp_deadline(const struct tcp *c)
{
	tern_time at = MIN(MIN(c->rtx_at, c->ack_at), MIN(c->keep_at, c->idle_at));

	if (!c->work)
		return at;
	if (c->paced)
		at = MIN(at, c->work->pace_at);
	return MIN(at, c->work->loss_at);
}

/*
 * What is outstanding, the oldest of it. Progress begins anew with who waits for a window, not with
 * what went together with the bytes that were acknowledged.
 */
static COLD tern_time first_sent_at(const struct tcp *c, const struct tcp_ctx *x)
{
	const struct tcp_work *w = c->work;
	const struct sent *oldest;

	if (!w)
		return c->state == TERN_TCP_SYN_SENT ? c->rcv.opened_at : x->now;
	oldest = sent_first(&w->sent);
	return oldest ? MIN(oldest->first_at, w->first_rtx_at) : w->first_rtx_at;
}

static void arm_rtx_from(struct tcp *c, const struct tcp_ctx *x, tern_time from)
{
	tern_time at = MAX(from + tcp_rto(c, x), x->now);

	/* RFC 5482 and TCP_USER_TIMEOUT: the last look is at the limit itself. */
	if (c->opt.user_timeout_ms) {
		tern_time limit = first_sent_at(c, x) + c->opt.user_timeout_ms * TERN_MS;

		at = MAX(MIN(at, limit), x->now + TERN_MS);
	}
	c->rtx_at = at;
}

void tcp_arm_rtx(struct tcp *c, const struct tcp_ctx *x)
{
	arm_rtx_from(c, x, x->now);
}

/*
 * RFC 6069 4.2: a router that knows no way tells that the oldest segment, which went again, was not
 * lost to congestion. So it goes again as soon as if its last time-out had not been doubled.
 */
void tcp_take_back_doubling(struct tcp *c, const struct tcp_ctx *x)
{
	if (!c->in_rto_recovery || c->probing || c->backoff == 0)
		return;
	c->backoff--;
	arm_rtx_from(c, x, sent_first(&c->work->sent)->sent_at);
}

/* All has gone: the timer runs if and only if something is outstanding; nothing else holds it. */
static inline bool is_reviewed(struct tcp *c, const struct tcp_ctx *x)
{
	bool outstanding = c->snd.una < c->snd.nxt;

	if (!tcp_is_calm(c) || c->snd.nxt < c->snd.end || outstanding != (c->rtx_at != TERN_NEVER))
		return false;
	if (!c->work)
		return true;
	if (outstanding && c->work->refused)
		return false;
	tcp_set_wait(c, x, outstanding ? WAIT_NETWORK : WAIT_NONE);
	return true;
}

/*
 * Nothing in flight: either all is said, or the persist timer must run (also the override of
 * 3.8.6.2.1 and the bound of a cork), because no ACK will come to free what waits.
 */
void tcp_review_timers(struct tcp *c, const struct tcp_ctx *x, enum tcp_send next)
{
	if (next == SEND_NOTHING && is_reviewed(c, x))
		return;
	if (next == SEND_NOTHING) /* else it does not wait */
		tcp_note_wait(c, x);
	if (!tcp_may_transmit(c)) {
		if (tcp_is_synchronized(c))
			c->rtx_at = TERN_NEVER;
		return;
	}
	if (c->probing && c->snd.una == c->snd.nxt && !tcp_has_unsent(c)) {
		c->probing = c->probe_due = false; /* the octet of a probe was the last */
		c->rtx_at = TERN_NEVER;
	}
	if (c->probing) { /* also when the octet of a probe was taken (MUST-37) */
		if (c->rtx_at == TERN_NEVER)
			tcp_arm_rtx(c, x);
		return;
	}
	if (c->snd.una < c->snd.nxt) {
		if (c->rtx_at == TERN_NEVER)
			tcp_arm_rtx(c, x);
		return;
	}
	if (next == SEND_DATA || !tcp_has_unsent(c)) {
		c->rtx_at = TERN_NEVER;
		return;
	}
	if (c->rtx_at != TERN_NEVER)
		return;
	if (tcp_take_work(c, x)) /* else it is told by the first probe */
		c->work->first_rtx_at = x->now;
	c->probing = c->snd.wnd == 0;
	tcp_arm_rtx(c, x);
}

void tcp_touch_keepalive(struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t idle_s = c->opt.keep_idle_s;

	c->keepalive_due = false;
	c->keep_at = TERN_NEVER;
	if (!c->opt.keepalive || !tcp_is_synchronized(c))
		return;
	if (c->state == TERN_TCP_FIN_WAIT_2 && c->user_gone) /* it has a limit of its own */
		return;
	c->keep_at =
		x->now + (idle_s ? idle_s * TERN_SEC : x->cfg->tcp_keepalive_time_ms * TERN_MS);
}

void tcp_set_keepalive(struct tcp *c, const struct tcp_ctx *x, bool on)
{
	c->opt.keepalive = on;
	tcp_touch_keepalive(c, x);
}

void tcp_set_keep_idle(struct tcp *c, const struct tcp_ctx *x, uint16_t seconds)
{
	tern_time silent = (x->ms - c->rcvd_ms) * TERN_MS;

	c->opt.keep_idle_s = seconds;
	tcp_touch_keepalive(c, x);
	if (c->keep_at != TERN_NEVER)
		c->keep_at = MAX(c->keep_at - MIN(silent, c->keep_at), x->now);
}

static void give_up(struct tcp *c, const struct tcp_ctx *x, struct tcp_time_result *r)
{
	tcp_end(c, x, TERN_ETIMEDOUT);
	r->events |= TCP_ENDED;
}

/* Has the user's own limit passed (RFC 9293 3.9.1.2, RFC 5482)? */
static bool user_timed_out(const struct tcp *c, const struct tcp_ctx *x)
{
	return c->opt.user_timeout_ms &&
	       x->now >= first_sent_at(c, x) + c->opt.user_timeout_ms * TERN_MS;
}

/* R2 of RFC 9293 3.8.3; one without a user is given up sooner. */
static unsigned retry_limit(const struct tcp *c, const struct tcp_ctx *x)
{
	if (!tcp_is_synchronized(c) && c->opened_passively)
		return x->cfg->tcp_synack_retries;
	if (!tcp_is_synchronized(c))
		return c->opt.syn_retries ? c->opt.syn_retries : x->cfg->tcp_syn_retries;
	if (c->opt.user_timeout_ms)
		return UINT8_MAX;
	return c->user_gone ? x->cfg->tcp_orphan_retries : x->cfg->tcp_retries2;
}

/* From the first time that the oldest byte went until so many time-outs, each doubled, are over. */
static tern_time time_of_retries(const struct tcp *c, const struct tcp_ctx *x, unsigned n)
{
	tern_time sum = 0;

	for (unsigned i = 0; i <= n; i++)
		sum += tcp_rto_after(c, x, i);
	return sum;
}

/* Where doublings were taken back R2 is a time: that it goes more often is no reason to give up. */
static bool has_passed_r2(const struct tcp *c, const struct tcp_ctx *x)
{
	unsigned limit = retry_limit(c, x);

	if (c->n_rtx < limit)
		return false;
	return !c->in_rto_recovery || c->backoff >= limit ||
	       x->now >= first_sent_at(c, x) + time_of_retries(c, x, limit);
}

static void back_off(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->backoff < UINT8_MAX)
		c->backoff++;
	tcp_arm_rtx(c, x);
}

/* RFC 9293 3.8.6.1: never given up while probes are answered (MUST-37). */
static void on_persist(struct tcp *c, const struct tcp_ctx *x, struct tcp_time_result *r)
{
	r->timer = "persist";
	if (c->ecn_held) { /* RFC 3168 6.1.2: one segment, now */
		c->ecn_held = false;
		return;
	}
	c->probe_due = true;
	if (!c->probing) { /* silly window avoidance, or a cork, has held it long enough */
		tcp_arm_rtx(c, x);
		return;
	}
	/* answers keep neither who has no user, nor who has set a limit of his own */
	if (c->n_probes >= retry_limit(c, x) || (c->backoff && user_timed_out(c, x)) ||
	    (c->user_gone && c->backoff >= x->cfg->tcp_orphan_retries)) {
		give_up(c, x, r);
		return;
	}
	c->n_probes++;
	back_off(c, x);
}

static void on_handshake_timeout(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->fast_open && c->state == TERN_TCP_SYN_SENT)
		c->fast_open = FAST_OPEN_TIMED_OUT;
	c->syn_due = true;
	c->syn_timed_out = true;
	back_off(c, x);
}

/* RFC 6298 section 5, RFC 5681 section 3.1, RFC 8985 6.3. */
static void on_retransmission_timeout(struct tcp *c, const struct tcp_ctx *x)
{
	struct tern_cc_sample s = { .now = x->now,
				    .unheard_at = c->work->unheard_at,
				    .in_flight = tcp_flight_size(c),
				    .in_recovery = tcp_is_repairing(c) };
	struct tcp_work *w = c->work;

	s.again = c->n_rtx > 1 || c->in_rto_recovery;
	tcp_undo_begin(c);
	tcp_doubt_path(c, x);
	/* RFC 5682 2.1 step 1: not when a recovery was under way, but again before any ACK */
	c->frto = x->cfg->tcp_frto && !c->in_recovery && (!s.again || c->frto == FRTO_FIRST_ACK) ?
			  FRTO_FIRST_ACK :
			  FRTO_NONE;
	c->in_rto_recovery = true;
	c->in_recovery = false;
	tcp_mark_losses_on_rto(c, x);
	c->ecn_held = false;
	s.flight = tcp_flight(c);
	cc_on_rto(&c->cc, &s);
	tcp_note_reduction(c);
	w->recover = c->snd.nxt;
	w->dup_acks = 0;
	w->dup_bytes = 0;
	w->timed_pos = TCP_NO_POS;
	back_off(c, x);
}

static COLD void on_rtx_timer(struct tcp *c, const struct tcp_ctx *x, struct tcp_time_result *r)
{
	c->rtx_at = TERN_NEVER;
	if (tcp_is_synchronized(c) && c->snd.una > tcp_syn_pos(c)) {
		/* A window that shrank to nothing is probed, not pressed (MUST-35, SHLD-17). */
		if (c->snd.wnd == 0 && !c->probing)
			c->probing = true;
		if (c->probing || c->snd.una == c->snd.nxt) {
			on_persist(c, x, r);
			return;
		}
	}
	r->timer = "rto";
	if (has_passed_r2(c, x) || (c->n_rtx && user_timed_out(c, x))) {
		give_up(c, x, r);
		return;
	}
	if (c->n_rtx < UINT8_MAX)
		c->n_rtx++;
	r->suspect = c->n_rtx == x->cfg->tcp_retries1;
	if (c->snd.una > tcp_syn_pos(c))
		on_retransmission_timeout(c, x);
	else /* our SYN itself, whatever came after it */
		on_handshake_timeout(c, x);
}

/* RFC 9293 3.8.4: only while nothing is outstanding (MUST-26). */
static COLD void on_keepalive(struct tcp *c, const struct tcp_ctx *x, struct tcp_time_result *r)
{
	uint32_t interval_ms = c->opt.keep_interval_s ? c->opt.keep_interval_s * 1000u :
							x->cfg->tcp_keepalive_interval_ms;
	unsigned count = c->opt.keep_count ? c->opt.keep_count : x->cfg->tcp_keepalive_probes;

	uint32_t silent_ms = x->ms - c->rcvd_ms;

	r->timer = "keepalive";
	c->keep_at = x->now + interval_ms * TERN_MS;
	if (c->snd.una < c->snd.nxt || c->probing) {
		tcp_touch_keepalive(c, x);
		return;
	}
	if (c->opt.user_timeout_ms ? c->n_probes && silent_ms >= c->opt.user_timeout_ms :
				     c->n_probes >= count) {
		tcp_end(c, x, TERN_ETIMEDOUT);
		c->rst_due = true;
		r->events |= TCP_ENDED;
		return;
	}
	c->n_probes++;
	c->keepalive_due = true;
}

struct tcp_time_result tcp_on_time(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_time_result r = { 0 };

	if (c->idle_at <= x->now && c->work) {
		tcp_review_work(c, x);
	} else if (c->idle_at <= x->now) {
		r.timer = "fin-wait-2";
		if (c->opt.linger2_s < 0) /* none at all: the peer hears of it, as from Linux */
			tcp_abort(c, x, 0);
		else
			tcp_end(c, x, 0);
		r.events |= TCP_ENDED;
		return r;
	}
	if (c->ack_at <= x->now) {
		r.timer = "delayed-ack";
		c->answers = false; /* not in time */
		tcp_owe_ack(c, x, ACK_NOW);
	}
	if (c->paced && c->work->pace_at <= x->now)
		c->paced = false;
	if (c->rtx_at <= x->now || (c->work && c->work->loss_at <= x->now))
		tcp_rate_check_limited(c, tcp_flight(c));
	if (c->work && c->work->loss_at <= x->now)
		r.timer = tcp_on_loss_timer(c, x);
	if (c->rtx_at <= x->now)
		on_rtx_timer(c, x, &r);
	if (c->keep_at <= x->now)
		on_keepalive(c, x, &r);
	return r;
}
