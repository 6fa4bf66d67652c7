/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_loss.c - which of the bytes in flight do we believe lost? RACK-TLP, RFC 8985.
 *
 * What went before something that was delivered, and is not here a reordering window later, is
 * lost: a question of time, not of counting, and so the same for first and further transmissions.
 * Records in flight are a list by age, and a look at it ends at the first that is not due. Where
 * no ACK comes at all, a probe at the tail of the flight asks for one (section 7); the time-out is
 * the last resort (6.3).
 *
 * The RFC's reordering timer waits for the last record inside the window; ours for the first,
 * which is the same decision, taken when it is due.
 */
#include "tcp_impl.h"

enum { DUP_THRESH = 3, REO_PERSIST = 16, REO_MULT_MAX = 200 };

void tcp_rack_init(struct tcp *c)
{
	struct tcp_work *w = c->work;

	w->rack = (struct tcp_rack){ .dsack_round = TCP_NO_POS, .reo_mult = 1 };
	w->tlp_end = TCP_NO_POS;
	w->loss_at = TERN_NEVER;
	w->tlp_timed = true;
}

/* RACK_sent_after */
static bool is_younger(tern_time t1, uint64_t end1, tern_time t2, uint64_t end2)
{
	return t1 > t2 || (t1 == t2 && end1 > end2);
}

static tern_time min_rtt(const struct tcp *c)
{
	return (tern_time)c->min_rtt_us * TERN_US;
}

/* Does the ACK echo a time before sent_at? */
bool tcp_echo_is_older(const struct arrival *a, tern_time sent_at)
{
	const struct tcp_hdr *h = &a->seg->h;
	uint32_t sent_ts = (uint32_t)(sent_at / TERN_MS) + a->c->snd.ts_off;

	return a->c->ts_ok && h->has_ts && h->ts_ecr && (int32_t)(h->ts_ecr - sent_ts) < 0;
}

/* Did the ACK come for an earlier transmission than the last one (6.2, step 2)? */
static bool is_ambiguous(const struct arrival *a, const struct sent *s)
{
	return tcp_echo_is_older(a, s->sent_at) || a->x->now - s->sent_at < min_rtt(a->c);
}

/* Steps 2 and 3 of section 6.2, for what the ACK says is there: a record as far as hi. */
void tcp_rack_delivered(struct arrival *a, const struct sent *s, uint64_t hi)
{
	struct tcp_rack *r = &a->c->work->rack;

	/* Against what was known before: what one ACK tells of is judged in order of sequence. */
	if (hi < r->fack && !s->again)
		r->reordering_seen = true;
	a->d.fack = MAX(a->d.fack, hi);
	if (s->again && is_ambiguous(a, s))
		return;
	if (s->sent_at >= a->d.youngest_at) { /* of all that this ACK tells of */
		a->d.youngest_at = s->sent_at;
		r->rtt = a->x->now - s->sent_at;
	}
	if (!is_younger(s->sent_at, hi, r->sent_at, r->end))
		return;
	r->sent_at = s->sent_at;
	r->end = hi;
}

/* Step 4, first half: once a round trip. */
COLD void tcp_widen_reordering(struct tcp *c)
{
	struct tcp_rack *r = &c->work->rack;

	if (r->dsack_round != TCP_NO_POS)
		return;
	r->dsack_round = c->snd.nxt;
	r->reo_mult = (uint8_t)MIN(r->reo_mult + 1, REO_MULT_MAX);
	r->reo_persist = REO_PERSIST;
}

/* Step 3, the end. */
void tcp_adapt_reordering(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_rack *r = &c->work->rack;

	r->fack = MAX(r->fack, a->d.fack);
	if (r->dsack_round != TCP_NO_POS && c->snd.una >= r->dsack_round)
		r->dsack_round = TCP_NO_POS;
	if (a->d.dsack)
		tcp_widen_reordering(c);
}

/* Step 4: a recovery without DSACK is over. */
void tcp_forget_reordering(struct tcp *c)
{
	struct tcp_rack *r = &c->work->rack;

	if (r->reo_persist && --r->reo_persist == 0)
		r->reo_mult = 1;
}

/* Step 4, second half. */
static tern_time reordering_window(const struct tcp *c)
{
	const struct tcp_work *w = c->work;

	if (!w->rack.reordering_seen) {
		if (tcp_is_repairing(c))
			return 0;
		/* RFC 6675 section 4, IsLost: that many segments, whatever their sizes */
		if (w->sent.n_sacked > (DUP_THRESH - 1) * (uint64_t)c->snd_mss)
			return 0;
	}
	return MIN(w->rack.reo_mult * min_rtt(c) / 4, (tern_time)c->srtt_us * TERN_US);
}

/* Step 5. */
uint64_t tcp_detect_losses(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;
	struct sent_log *log = &w->sent;
	uint64_t before = log->n_lost;
	struct sent *s;

	if (w->loss_timer == LOSS_TIMER_REORDERING)
		w->loss_at = TERN_NEVER;
	while ((s = sent_oldest(log)) &&
	       is_younger(w->rack.sent_at, w->rack.end, s->sent_at, s->hi)) {
		tern_time due = s->sent_at + w->rack.rtt + reordering_window(c);

		if (due > x->now) {
			w->loss_at = due;
			w->loss_timer = LOSS_TIMER_REORDERING;
			break;
		}
		if (s->again)
			c->notes |= TCP_NOTE_LOST_RETRANSMIT;
		sent_set_lost(log, s, TERN_CAUSE_FAST_RETRANSMIT);
		tcp_rate_lost(c, x, s);
	}
	return log->n_lost == 0 || tcp_probe_failed(c, x) ? 0 : log->n_lost - before;
}

/*
 * Whatever is in flight below hi is lost; its head goes at once. That a window opened, or that it
 * was too big, is no sign of congestion.
 */
void tcp_mark_lost(struct tcp *c, const struct tcp_ctx *x, uint64_t hi, enum tern_cause cause)
{
	struct sent_log *log = &c->work->sent;
	struct sent *s;

	/* Without memory for another record the whole of it is: it only goes more than once. */
	sent_cut(log, x->mem, hi);
	for (uint64_t pos = c->snd.una; pos < hi && (s = sent_find(log, pos)); pos = s->hi)
		if (s->fate == SENT_IN_FLIGHT) {
			sent_set_lost(log, s, (uint8_t)cause);
			if (cause == TERN_CAUSE_RTO || !c->sack_ok)
				tcp_rate_lost(c, x, s);
		}
	c->rtx_forced = log->n_lost > 0;
}

/* A peer that forgot what it had sacked (RFC 2018 section 8): all of it counts as lost. */
static void distrust_sacks(struct tcp *c)
{
	struct sent_log *log = &c->work->sent;
	struct sent *s;

	for (uint64_t pos = c->snd.una; (s = sent_find(log, pos)); pos = s->hi)
		if (s->fate == SENT_SACKED)
			sent_set_lost(log, s, TERN_CAUSE_RTO);
}

/* RFC 8985 6.3: the head, and what is older than a round trip; without SACK everything. */
void tcp_mark_losses_on_rto(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;
	struct sent_log *log = &w->sent;
	struct sent *s = sent_first(log);
	tern_time wait;

	if (s && s->fate == SENT_SACKED) {
		distrust_sacks(c);
		c->notes |= TCP_NOTE_SACK_RENEGING;
	}
	wait = w->rack.rtt + reordering_window(c);
	while (c->sack_ok && (s = sent_oldest(log)) && s->sent_at + wait <= x->now) {
		sent_set_lost(log, s, TERN_CAUSE_RTO);
		tcp_rate_lost(c, x, s);
	}
	tcp_mark_lost(c, x, c->sack_ok ? MIN(c->snd.una + c->snd_mss, c->snd.nxt) : c->snd.nxt,
		      TERN_CAUSE_RTO);
	w->loss_at = TERN_NEVER;
	w->tlp_end = TCP_NO_POS;
	c->tlp_due = false;
}

/* ---- tail loss probes, section 7 ---- */

/* TLP_calc_PTO */
static tern_time probe_timeout(const struct tcp *c, const struct tcp_ctx *x)
{
	tern_time pto = 2 * (tern_time)c->srtt_us * TERN_US;

	if (c->srtt_us == 0)
		return TERN_SEC;
	/* 7.2: the ACK of a lone segment may be delayed */
	if (c->snd.nxt - c->snd.una <= c->snd_mss)
		pto += x->cfg->tcp_rto_min_ms * TERN_MS;
	return pto;
}

/*
 * 7.2: after new data went, and after an ACK that said something. We ask in a recovery as well,
 * once all that was lost has gone again: if that is lost, too, or the one ACK for it, nothing else
 * tells.
 */
void tcp_schedule_probe(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;

	c->tlp_due = false;
	if (w->loss_timer == LOSS_TIMER_PROBE)
		w->loss_at = TERN_NEVER;
	if (c->snd.una == c->snd.nxt || c->probing)
		return;
	if (c->state == TERN_TCP_SYN_RECEIVED) /* the SYN-ACK first: without it nothing is heard */
		return;
	if (c->in_rto_recovery || w->sent.n_lost || (w->sent.n_sacked && !c->in_recovery) ||
	    w->loss_at != TERN_NEVER)
		return;
	tcp_arm_probe(c, x);
}

void tcp_arm_probe(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;

	if (!c->sack_ok || !x->cfg->tcp_early_retrans || w->tlp_end != TCP_NO_POS || !w->tlp_timed)
		return;
	w->loss_timer = LOSS_TIMER_PROBE;
	w->loss_at = MIN(x->now + probe_timeout(c, x), c->rtx_at);
}

/* TLP_process_ack. A duplicate counts though nothing may be outstanding any more. */
void tcp_take_probe_answer(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;

	if (w->tlp_end == TCP_NO_POS || a->ack < w->tlp_end)
		return;
	if (w->tlp_is_again && !a->d.dsack) {
		if (a->ack > w->tlp_end) { /* the probe has repaired a loss */
			tcp_reduce_window(a, false);
			c->notes |= TCP_NOTE_PROBE_RECOVERY;
		} else if (a->seg->h.n_sack || !tcp_repeats_ack(a)) {
			return;
		}
	}
	w->tlp_end = TCP_NO_POS;
}

/* What the timer of the work record was for; NULL: nothing to tell. */
COLD const char *tcp_on_loss_timer(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;

	w->loss_at = TERN_NEVER;
	if (w->loss_timer == LOSS_TIMER_REORDERING) {
		if (tcp_detect_losses(c, x) && !tcp_is_repairing(c))
			tcp_enter_recovery(c, x);
		return "reordering";
	}
	c->tlp_due = c->snd.nxt <= c->snd.una + c->snd.wnd; /* beyond it nothing goes again */
	tcp_arm_rtx(c, x); /* 7.3: the time-out is the last resort if this fails */
	return "loss-probe";
}
