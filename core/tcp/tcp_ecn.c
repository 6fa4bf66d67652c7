/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ecn.c - does the network ask for less, without losing anything? RFC 3168.
 *
 * Two hosts that agree in their SYNs mark new text as able (ECT); a router that would drop such a
 * packet marks it instead (CE). The receiver echoes the mark in all its ACKs (ECE) until the sender
 * says that it has slowed down (CWR), which it does once for each window. Nothing but new text is
 * marked: no SYN, no pure ACK, nothing that is sent again, no window probe (6.1.4 to 6.1.6).
 */
#include "tcp_impl.h"

/* 6.1.1: our SYN asks; one that goes again does not, as some boxes drop such (6.1.1.1). */
void tcp_ask_for_ecn(struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	c->ecn_ok = x->cfg->tcp_ecn == TCP_ECN_ASK && c->n_rtx == 0;
	if (c->ecn_ok)
		h->flags |= TCP_ECE | TCP_CWR;
}

/* The SYN-ACK agrees, unless it only reflects what we asked. */
void tcp_take_ecn_answer(struct tcp *c, const struct tcp_hdr *h)
{
	uint16_t all = TCP_ACK | TCP_ECE | TCP_CWR;

	c->ecn_ok = c->ecn_ok && (h->flags & all) == (TCP_ACK | TCP_ECE);
}

/* 6.1.3: of an acceptable segment with text; a mark beside a CWR is a new one. */
void tcp_take_mark(struct arrival *a)
{
	struct tcp *c = a->c;

	if (a->seg->len == 0)
		return;
	if (a->seg->h.flags & TCP_CWR)
		c->ece_due = false;
	if (a->seg->ce)
		c->ece_due = true;
}

bool tcp_has_echo(const struct arrival *a)
{
	return a->c->ecn_ok && (a->seg->h.flags & (TCP_ECE | TCP_SYN)) == TCP_ECE;
}

/* 6.1.2: the window was reduced, for whatever reason: once is enough for what is in flight. */
void tcp_note_reduction(struct tcp *c)
{
	c->work->ecn_end = c->snd.nxt;
	c->cwr_due = c->ecn_ok;
}

/* 6.1.2: as for a loss, but nothing is lost. */
void tcp_take_echo(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tern_cc_sample s = { .now = a->x->now,
				    .srtt = (tern_time)c->srtt_us * TERN_US,
				    .in_flight = MIN(a->flight, c->cc.cwnd),
				    .marked = true };

	if (c->in_recovery || c->in_rto_recovery || c->snd.una < c->work->ecn_end)
		return;
	cc_on_congestion(&c->cc, &s);
	if (!c->cc.ops->own_window)
		c->cc.cwnd = MIN(c->cc.cwnd, c->cc.ssthresh);
	tcp_note_reduction(c);
}
