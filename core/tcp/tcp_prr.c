/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_prr.c - when does a recovery begin and end, and how fast may it repair?
 *
 * The algorithm says where the window shall go (ssthresh); proportional rate reduction takes it
 * there, by letting out that share of what each ACK reports delivered. Below the target it lets in
 * as much as left, and one segment more while the repair makes progress (slow start reduction
 * bound, section 3.1 of RFC 6937). Without SACK nobody knows what is delivered: there the window is
 * cut at once and the flight is estimated instead (tcp_newreno.c). Where there is congestion but
 * nothing to repair, it is cut at once, too. An algorithm whose window is its own is told of
 * beginning and end, and left alone in between.
 *
 * Source: RFC 6937 section 3, RFC 6582 3.2.
 */
#include "tcp_impl.h"

COLD void tcp_enter_recovery(struct tcp *c, const struct tcp_ctx *x)
{
	struct tern_cc_sample s = { .now = x->now,
				    .srtt = (tern_time)c->srtt_us * TERN_US,
				    .unheard_at = c->work->unheard_at,
				    .in_flight = tcp_flight_size(c) };
	struct tcp_work *w = c->work;

	w->limited = 0;
	tcp_undo_begin(c);
	c->notes |= c->sack_ok ? TCP_NOTE_SACK_RECOVERY : TCP_NOTE_RENO_RECOVERY;
	c->in_recovery = true;
	w->partial_seen = false;
	c->rtx_forced = true;
	w->recover = c->snd.nxt;
	w->tlp_end = TCP_NO_POS;
	w->timed_pos = TCP_NO_POS;
	c->tlp_due = false;
	cc_on_congestion(&c->cc, &s);
	tcp_note_reduction(c);
	w->prr = (struct tcp_prr){ .recover_fs = s.in_flight };
	if (!c->cc.ops->own_window)
		c->cc.cwnd = c->sack_ok ? (uint32_t)(tcp_flight(c) + c->snd_mss) : c->cc.ssthresh;
}

COLD void tcp_leave_recovery(struct tcp *c, const struct tcp_ctx *x)
{
	/* RFC 6582 3.2 step 3, first choice: no burst when little is in flight. */
	uint64_t flight = MAX(c->snd.nxt - c->snd.una, c->snd_mss) + c->snd_mss;
	struct tern_cc_sample s = { .now = x->now };

	cc_on_recovery_end(&c->cc, &s);
	if (c->in_recovery && !c->cc.ops->own_window)
		c->cc.cwnd = c->sack_ok ? c->cc.ssthresh : (uint32_t)MIN(c->cc.ssthresh, flight);
	tcp_forget_reordering(c);
	c->in_recovery = c->in_rto_recovery = false;
	c->frto = FRTO_NONE;
	c->work->dup_bytes = 0;
}

/* On every ACK of a recovery, after what it says is known. */
COLD void tcp_pace_recovery(struct arrival *a, uint64_t newly_lost)
{
	struct tcp *c = a->c;
	struct tcp_prr *p = &c->work->prr;
	uint64_t pipe = tcp_flight(c), target = c->cc.ssthresh, limit, more;

	p->delivered += a->d.bytes;
	if (pipe > target) {
		/* proportional: RoundUp(prr_delivered * ssthresh / RecoverFS) - prr_out */
		more = (p->delivered * target + p->recover_fs - 1) / MAX(p->recover_fs, 1);
		more -= MIN(more, p->out);
	} else {
		limit = MAX(p->delivered - MIN(p->delivered, p->out), a->d.bytes);
		if (a->r.progress && newly_lost == 0)
			limit += c->snd_mss;
		more = MIN(target - pipe, limit);
	}
	if (p->out == 0) /* the first loss is repaired at once */
		more = MAX(more, c->snd_mss);
	c->cc.cwnd = (uint32_t)MIN(MAX(pipe + more, c->snd_mss), CC_INFINITE);
}

/* A mark, or a loss that is repaired already (RFC 3168 6.1.2, RFC 8985 7.4.2). */
COLD void tcp_reduce_window(struct arrival *a, bool marked)
{
	struct tcp *c = a->c;
	struct tern_cc_sample s = { .now = a->x->now,
				    .srtt = (tern_time)c->srtt_us * TERN_US,
				    .unheard_at = c->work->unheard_at,
				    .in_flight = MIN(a->flight, c->cc.cwnd),
				    .marked = marked };

	cc_on_congestion(&c->cc, &s);
	if (!c->cc.ops->own_window)
		c->cc.cwnd = MIN(c->cc.cwnd, c->cc.ssthresh);
	tcp_note_reduction(c);
	c->work->undo.pos = TCP_NO_POS; /* an earlier one may have been in vain, this one is not */
}
