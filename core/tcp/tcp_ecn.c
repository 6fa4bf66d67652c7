/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ecn.c - does the network ask for less, without losing anything? What both hosts agree on.
 *
 * Two hosts that agree in their SYNs mark new text as able (ECT); a router that would drop such a
 * packet marks it instead (CE). How the receiver tells of marks is the feedback mode: the classic
 * one of RFC 3168 is here, the accurate one of RFC 9768 in tcp_accecn.c. Nobody else asks which it
 * is: all they know is how many marks an ACK tells of. A window that holds marks is reduced once.
 *
 * Nothing but new text is marked as able: no SYN, no pure ACK, nothing that is sent again, no
 * window probe (RFC 3168 6.1.4 to 6.1.6).
 *
 * Sources: RFC 3168 6.1; RFC 8311; RFC 9768 3.1 (negotiation of either mode).
 */
#include "tcp_impl.h"

/* Linux's net.ipv4.tcp_ecn: what our SYNs ask for, and the most that we agree to. */
static const struct {
	uint8_t ask : 2, agree : 2; /* enum ecn_mode */
} policies[TCP_ECN_MAX + 1] = {
	{ ECN_NONE, ECN_NONE },		{ ECN_CLASSIC, ECN_CLASSIC },  { ECN_NONE, ECN_CLASSIC },
	{ ECN_ACCURATE, ECN_ACCURATE }, { ECN_CLASSIC, ECN_ACCURATE }, { ECN_NONE, ECN_ACCURATE },
};

/* The flags of a SYN; of a SYN-ACK, but for those of RFC 9768 table 2 that agree to its mode. */
enum { ACE_ASKS_CLASSIC = 3, ACE_AGREES_CLASSIC = 1, ACE_ASKS_ACCURATE = 7 };

/* ---- the one who asks ---- */

/*
 * SYNs that ask are dropped by some boxes: those that go again ask no more, the second one only for
 * the accurate mode (RFC 3168 6.1.1.1, RFC 9768 3.1.4.1). What was asked for first stays what is
 * asked for (3.1.5).
 */
void tcp_ask_for_ecn(struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	if (c->snd.nxt == tcp_syn_pos(c))
		c->ecn = policies[x->cfg->tcp_ecn].ask;
	if (x->cfg->tcp_ecn_fallback && c->n_rtx > (c->ecn == ECN_ACCURATE ? 1 : 0)) {
		if (c->ecn == ECN_CLASSIC) /* no ECT after a SYN without: RFC 3168 6.1.1 */
			c->ecn = ECN_NONE;
		return;
	}
	if (c->ecn == ECN_ACCURATE)
		h->flags |= tcp_flags_of_ace(ACE_ASKS_ACCURATE);
	else if (c->ecn == ECN_CLASSIC)
		h->flags |= tcp_flags_of_ace(ACE_ASKS_CLASSIC);
}

/* RFC 9768 table 2 and 3.1.3: the answer to a SYN that asked for the accurate mode. */
static enum ecn_mode accurate_answer(unsigned ace)
{
	if (ace == 0 || ace == ACE_ASKS_ACCURATE) /* the latter only reflects what we asked */
		return ECN_NONE;
	return ace == ACE_AGREES_CLASSIC ? ECN_CLASSIC : ECN_ACCURATE;
}

/* What we agree to when asked with such a SYN. */
static enum ecn_mode answer_to_syn(const struct tcp_ctx *x, unsigned ace)
{
	enum ecn_mode most = (enum ecn_mode)policies[x->cfg->tcp_ecn].agree;

	/* RFC 9768 3.1.3: flags that nobody sends yet ask for it, too */
	if (most == ECN_ACCURATE && ace != 0 && ace != ACE_ASKS_CLASSIC)
		return ECN_ACCURATE;
	if (most != ECN_NONE && (ace & ACE_ASKS_CLASSIC) == ACE_ASKS_CLASSIC)
		return ECN_CLASSIC;
	return ECN_NONE;
}

/* A SYN-ACK, or in a simultaneous open a SYN (RFC 9768 3.1.2). false: no memory. */
bool tcp_take_ecn_answer(struct arrival *a)
{
	unsigned ace = tcp_ace(a->seg->h.flags);
	struct tcp *c = a->c;
	bool is_answer = (a->seg->h.flags & TCP_ACK) != 0;

	if (c->ecn == ECN_ACCURATE)
		c->ecn = (is_answer ? accurate_answer(ace) : answer_to_syn(a->x, ace)) & 3;
	else if (!is_answer || (ace & ACE_ASKS_CLASSIC) != ACE_AGREES_CLASSIC)
		c->ecn = ECN_NONE;
	if (c->ecn != ECN_ACCURATE)
		return true;
	if (!tcp_accecn_begin(c, a->x))
		return false;
	tcp_accecn_take_syn(a);
	return true;
}

/* Our SYN-ACK of a simultaneous open. */
void tcp_put_ecn_answer(const struct tcp *c, struct tcp_hdr *h)
{
	if (c->ecn == ECN_ACCURATE)
		tcp_accecn_put_answer(c->accecn->syn_ecn, h);
	else if (c->ecn == ECN_CLASSIC)
		h->flags |= TCP_ECE;
}

/* ---- the one who is asked: half-open records ---- */

void half_take_ecn(struct tcp_half *half, const struct tcp_ctx *x, const struct tcp_seg *seg)
{
	half->ecn = answer_to_syn(x, tcp_ace(seg->h.flags)) & 3u;
	half->syn_ecn = seg->ecn;
}

/*
 * The SYN came again. RFC 9768 3.1.5: the mode stays, the latest SYN is what is fed back, and one
 * that asks for the other mode ends it all (false).
 */
bool half_take_ecn_again(struct tcp_half *half, const struct tcp_ctx *x, const struct tcp_seg *seg)
{
	enum ecn_mode now = answer_to_syn(x, tcp_ace(seg->h.flags));

	if (half->ecn != ECN_NONE && now != ECN_NONE && now != half->ecn)
		return false;
	half->syn_ecn = seg->ecn;
	half->syn_plain = half->syn_plain || now == ECN_NONE;
	return true;
}

/* RFC 9768 3.2.3.2.2: the second time without the option, then without any sign of ECN. */
static bool gives_up(const struct tcp_half *half, const struct tcp_ctx *x)
{
	return half->ecn == ECN_ACCURATE && half->n_retries > 1 && x->cfg->tcp_ecn_fallback;
}

void half_put_ecn(const struct tcp_half *half, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	if (half->ecn == ECN_CLASSIC)
		h->flags |= TCP_ECE;
	if (half->ecn != ECN_ACCURATE || gives_up(half, x))
		return;
	tcp_accecn_put_answer(half->syn_ecn, h);
	if (half_went_once(half) && x->cfg->tcp_ecn_option)
		tcp_accecn_put_first_option(h);
}

/* Of an ACK before the handshake is over: nothing has come yet. */
void half_put_echo(const struct tcp_half *half, struct tcp_hdr *h)
{
	if (half->ecn == ECN_ACCURATE)
		h->flags |= tcp_flags_of_ace(TCP_ACE_FIRST);
}

/* false: no memory. */
bool tcp_ecn_from_half(struct tcp *c, const struct tcp_ctx *x, const struct tcp_half *half)
{
	if (half->ecn == ECN_ACCURATE && !tcp_accecn_begin(c, x))
		return false;
	c->ecn = half->ecn;
	c->not_ect = half->syn_plain || gives_up(half, x);
	return true;
}

/* ---- as a receiver ---- */

/* Of an acceptable segment: RFC 3168 6.1.3; a mark beside a CWR is a new one. */
void tcp_take_mark(struct arrival *a)
{
	struct tcp *c = a->c;

	if (c->ecn == ECN_ACCURATE)
		tcp_accecn_take_mark(a);
	if (c->ecn != ECN_CLASSIC)
		return;
	if (a->seg->h.flags & TCP_CWR) /* with text or without */
		c->ece_due = false;
	if (a->seg->ecn == IP_ECN_CE && a->seg->len)
		c->ece_due = true;
}

/* In all that acknowledges. */
void tcp_put_echo(struct tcp *c, struct tcp_hdr *h)
{
	if (c->ecn == ECN_ACCURATE)
		tcp_accecn_put(c, h);
	else if (c->ece_due)
		h->flags |= TCP_ECE;
}

/* ---- as a sender ---- */

/* How many marks does the ACK tell of? The classic echo says no more than that there are some. */
void tcp_take_echo(struct arrival *a)
{
	struct tcp *c = a->c;

	if (c->ecn == ECN_ACCURATE) {
		a->marks = tcp_accecn_marks(a);
		c->accecn->told_ce += a->marks;
	} else if (c->ecn == ECN_CLASSIC && (a->seg->h.flags & (TCP_ECE | TCP_SYN)) == TCP_ECE) {
		a->marks = 1;
		if (c->tally)
			c->tally->delivered_ce += tcp_in_segments(c, a->d.bytes);
	}
}

/* New text alone may be marked. */
void tcp_mark_as_able(struct tcp *c, struct tcp_out *out)
{
	if (c->ecn == ECN_NONE || !out->has_text)
		return;
	out->ect = !c->not_ect;
	if (c->cwr_due) /* 6.1.2: the plan of it is one segment */
		out->h.flags |= TCP_CWR;
	c->cwr_due = false;
}

/* 6.1.2: the window was reduced, for whatever reason: once is enough for what is in flight. */
void tcp_note_reduction(struct tcp *c)
{
	c->work->ecn_end = c->snd.nxt;
	c->cwr_due = c->ecn == ECN_CLASSIC;
}

/*
 * 6.1.2: as for a loss, but nothing is lost. Where an algorithm goes no lower, it is halved down to
 * one segment; below that, one goes each time that the timer fires.
 */
void tcp_answer_marks(struct arrival *a)
{
	struct tcp *c = a->c;
	uint32_t before = c->cc.cwnd;

	if (tcp_is_repairing(c) || c->snd.una <= c->work->ecn_end)
		return;
	if (before <= c->snd_mss) {
		c->ecn_held = true;
		tcp_note_reduction(c);
		return;
	}
	tcp_reduce_window(a, true);
	if (c->cc.cwnd == before && !c->cc.ops->own_window)
		c->cc.cwnd = MAX(before / 2, c->snd_mss);
}

/* RFC 9768 3.2.2.2: our SYN, or SYN-ACK, was marked: half of what may go at first. */
void tcp_answer_marked_syn(struct tcp *c)
{
	c->cc.cwnd = c->cc.ssthresh = MAX(c->cc.cwnd / 2, c->snd_mss);
}
