/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_undo.c - was it a false alarm?
 *
 * Losses that we believed in may have been delays. Four things prove it: all of it arrives before
 * any goes again; a timestamp older than our first retransmission in the ACK of what we had sent
 * again (Eifel, RFC 3522); a duplicate reported for each retransmission, also when the recovery is
 * over (DSACK, RFC 3708); and, after a time-out, an ACK of what went only once (F-RTO, RFC 5682, of
 * which the SACK form needs no waiting). Then window and threshold go back to what they were (RFC
 * 4015), as far as that makes no burst.
 */
#include "tcp_impl.h"

enum { FRTO_LOSS_SEGMENTS = 3 };

/* Before the window changes. An episode inside an episode has the same past. */
void tcp_undo_begin(struct tcp *c)
{
	struct tcp_undo *u = &c->work->undo;

	if (u->pos != TCP_NO_POS && tcp_is_repairing(c))
		return;
	*u = (struct tcp_undo){ .pos = c->snd.una,
				.cwnd = c->cc.cwnd,
				.ssthresh = c->cc.ssthresh,
				.n_dsacks = u->n_dsacks,
				.undone_before = u->undone_before };
}

/* [lo, hi) goes again. */
void tcp_undo_note_again(struct tcp *c, const struct tcp_ctx *x, uint64_t lo, uint64_t hi)
{
	struct tcp_undo *u = &c->work->undo;

	if (u->pos == TCP_NO_POS)
		return;
	u->n_again += tcp_in_segments(c, hi - lo);
	u->rtx_end = MAX(u->rtx_end, hi);
	if (u->sent_again)
		return;
	u->rtx_at = x->now;
	u->first_end = hi;
	u->sent_again = true;
}

/* [lo, hi) came twice: for this episode counts what was sent again in it. */
void tcp_undo_note_dsack(struct tcp *c, uint64_t lo, uint64_t hi)
{
	struct tcp_undo *u = &c->work->undo;
	uint64_t segments = tcp_in_segments(c, hi - lo);
	uint32_t sent_again = c->tally ? c->tally->total_rtx : 0; /* the network's own count not */

	c->notes |= TCP_NOTE_DSACK_RECV;
	u->n_dsacks = (uint32_t)MIN(u->n_dsacks + segments, sent_again);
	if (u->pos != TCP_NO_POS && lo >= u->pos && hi <= u->rtx_end)
		u->n_again -= (uint32_t)MIN(segments, u->n_again);
}

/*
 * RFC 3522: the ACK of what went again first answers what went before. Where no echo tells, what
 * comes before half of the least round trip is over does (RFC 8985 6.2 step 2 doubts what comes
 * before all of it is; but a path may have become shorter).
 */
static COLD bool is_late_ack(const struct arrival *a, uint64_t acked)
{
	const struct tcp_undo *u = &a->c->work->undo;
	tern_time half = (tern_time)a->c->min_rtt_us * TERN_US / 2;

	if (!acked || !u->sent_again || a->ack < u->first_end)
		return false;
	return tcp_echo_is_older(a, u->rtx_at) || a->x->now - u->rtx_at < half;
}

static COLD bool all_were_duplicates(const struct arrival *a)
{
	const struct tcp_undo *u = &a->c->work->undo;

	return a->d.dsack && u->sent_again && u->n_again == 0;
}

/* What we believed lost is there before any of it went again. */
static COLD bool all_were_delayed(const struct arrival *a)
{
	const struct tcp_work *w = a->c->work;

	return !w->undo.sent_again && w->sent.n_lost == 0;
}

/*
 * RFC 5682 2.1 and 3.1: the first ACK after the time-out that covers what went again lets new data
 * go, once, in place of what may not be lost; what is acknowledged next tells. A real loss is
 * repaired in slow start, without SACK from three segments (2.1 step 3a): two are still in flight.
 */
static COLD bool frto_says_so(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;

	if (c->frto == FRTO_NONE)
		return false;
	if (a->d.original && (c->sack_ok || c->frto == FRTO_NEW_DATA))
		return true;
	if (c->frto == FRTO_FIRST_ACK && acked && a->ack >= c->work->undo.rtx_end &&
	    tcp_has_unsent(c)) {
		c->frto = FRTO_NEW_DATA;
		return false;
	}
	if (c->frto == FRTO_NEW_DATA && !c->sack_ok && !c->cc.ops->own_window)
		c->cc.cwnd = MAX(c->cc.cwnd, FRTO_LOSS_SEGMENTS * c->cc.mss);
	c->frto = FRTO_NONE;
	return false;
}

/*
 * RFC 4015 section 3.4: what flies, and as much as was acknowledged may follow; the rest of the old
 * window comes by slow start. Where a probe flies beyond that window, one segment: else none would
 * go until the next time-out.
 */
static void restore_window(struct tcp *c, uint64_t acked)
{
	const struct tcp_undo *u = &c->work->undo;
	uint64_t flight = tcp_flight(c), cwnd = flight + MIN(acked, c->cc.initial);

	c->cc.ssthresh = MAX(c->cc.ssthresh, MAX(u->ssthresh, u->cwnd));
	cwnd = MIN(cwnd, MAX(u->cwnd, flight + c->snd_mss));
	c->cc.cwnd = (uint32_t)MAX(MIN(cwnd, CC_INFINITE), c->cc.cwnd);
}

/*
 * Late, not lost: what went again is nothing that RFC 8985 6.2 step 3 looks at. That the window was
 * too narrow DSACKs tell (step 4); for a peer that has sent none after such an episode its next one
 * does.
 */
static COLD void learn_reordering(struct tcp *c)
{
	struct tcp_undo *u = &c->work->undo;

	c->work->rack.reordering_seen = true;
	if (u->undone_before && u->n_dsacks == 0)
		tcp_widen_reordering(c);
	u->undone_before = true;
}

static COLD void undo(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;

	if (all_were_duplicates(a))
		c->notes |= TCP_NOTE_DSACK_UNDO;
	else
		c->notes |= c->in_rto_recovery ? TCP_NOTE_SPURIOUS_RTO : TCP_NOTE_FULL_UNDO;
	if (!c->in_rto_recovery)
		learn_reordering(c);
	sent_forgive(&w->sent);
	w->dup_bytes = 0;
	w->dup_acks = 0;
	if (!c->cc.ops->own_window)
		restore_window(c, acked);
	cc_on_undo(&c->cc);
	w->undo.pos = TCP_NO_POS;
	c->in_recovery = c->in_rto_recovery = c->rtx_forced = false;
	c->frto = FRTO_NONE;
}

/* On every ACK, after what it says is known and snd.una has moved by `acked`. */
bool tcp_undo_review(struct arrival *a, uint64_t acked)
{
	const struct tcp *c = a->c;
	bool late;

	if (c->work->undo.pos == TCP_NO_POS || a->marks) /* RFC 4015 3.4: a mark forbids it */
		return false;
	late = tcp_is_repairing(c) &&
	       (is_late_ack(a, acked) || all_were_delayed(a) || frto_says_so(a, acked));
	if (!late && !all_were_duplicates(a))
		return false;
	undo(a, acked);
	return true;
}
