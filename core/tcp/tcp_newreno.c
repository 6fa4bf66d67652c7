/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_newreno.c - what is lost, when the peer says no more than what is missing first? RFC 6582.
 *
 * For peers without SACK. The bytes that left the network during a run of duplicate ACKs are
 * estimated: one full segment for each (dup_bytes). That estimate is what RFC 5681 calls
 * inflating the window, and it yields limited transmit (RFC 3042) for the first two.
 *
 * Sources: RFC 5681 3.2, RFC 6582 3.2.
 */
#include "tcp_impl.h"

enum { DUP_ACKS_FOR_LOSS = 3 };

/* RFC 5681 section 2: no data, no SYN or FIN, the number of the ACK before, the same window. */
bool tcp_repeats_ack(const struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	if (a->seg->len || (h->flags & (TCP_SYN | TCP_FIN)) || a->r.progress)
		return false;
	return a->ack == c->snd.una && (uint32_t)h->wnd << c->snd_wscale == c->snd.wnd;
}

static void repair_head(struct tcp *c, const struct tcp_ctx *x, enum tern_cause cause)
{
	tcp_mark_lost(c, x, MIN(c->snd.una + c->snd_mss, c->snd.nxt), cause);
	c->work->timed_pos = TCP_NO_POS;
}

void tcp_newreno_duplicate(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	/* as many as were outstanding: an honest peer has no more to tell (RFC 5681 3.2, end) */
	uint64_t most = (c->in_recovery ? w->recover : c->snd.nxt) - c->snd.una;

	/* ... and something is outstanding */
	if (c->in_rto_recovery || c->snd.una == c->snd.nxt || c->probing || !tcp_repeats_ack(a))
		return;
	if (w->dup_acks < UINT8_MAX)
		w->dup_acks++;
	w->dup_bytes = (uint32_t)MIN(w->dup_bytes + (uint64_t)c->snd_mss, most);
	/* RFC 6582 3.2 step 2: not again for what the last recovery covered, nor for its echo. */
	if (w->dup_acks == DUP_ACKS_FOR_LOSS && !c->in_recovery && c->snd.una > w->recover) {
		tcp_enter_recovery(c, a->x);
		repair_head(c, a->x, TERN_CAUSE_FAST_RETRANSMIT);
	}
}

/* RFC 6582 3.2 step 3: some, but not all of what was outstanding is acknowledged. */
void tcp_newreno_partial(struct arrival *a, uint64_t acked)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint64_t left = acked > c->snd_mss ? acked - c->snd_mss : 0;

	w->dup_bytes -= (uint32_t)MIN(left, w->dup_bytes);
	repair_head(c, a->x, TERN_CAUSE_PARTIAL_ACK);
	if (!w->partial_seen)
		tcp_arm_rtx(c, a->x);
	w->partial_seen = true;
}
