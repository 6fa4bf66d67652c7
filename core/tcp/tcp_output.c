/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_output.c - build the segment the plan chose, and move on.
 *
 * Every segment but a SYN and a RST from nowhere acknowledges all that has arrived and shows the
 * current window, so sending anything settles what was owed. The payload is lent from snd_buf; the
 * owner pins the spans for as long as the packet lives.
 */
#include "tcp_impl.h"

static void settle_ack(struct tcp *c, struct tcp_hdr *h)
{
	uint64_t edge;

	h->ack = (uint32_t)c->rcv.nxt;
	h->wnd = tcp_window_field(c, &edge);
	c->rcv.adv = edge;
	c->rcv.acked = c->rcv.nxt;
	c->ack_at = TERN_NEVER;
	if (c->dup_acks_due)
		c->dup_acks_due--;
	else
		c->ack_due = ACK_NONE;
}

static void put_syn(struct tcp *c, const struct tcp_ctx *x, struct tcp_out *out)
{
	struct tcp_hdr *h = &out->h;

	h->seq = (uint32_t)c->iss;
	h->flags = TCP_SYN;
	h->wnd = (uint16_t)MIN(c->rcv.buf_max, 65535);
	if (c->state != TERN_TCP_SYN_SENT) {
		h->flags |= TCP_ACK;
		h->ack = (uint32_t)c->rcv.nxt;
		c->ack_due = ACK_NONE;
	}
	tcp_put_syn_options(c, x, h);
	if (c->snd.nxt == c->iss) {
		c->snd.nxt = c->iss + 1;
		c->timed_pos = c->snd.nxt;
		c->timed_at = c->first_rtx_at = x->now;
	} else if (c->rtx_cause == TERN_CAUSE_RTO) {
		c->timed_pos = TCP_NO_POS;
		c->total_rtx++;
	}
	c->rtx_cause = TERN_CAUSE_NONE;
	c->syn_due = false;
	if (c->rtx_at == TERN_NEVER)
		tcp_arm_rtx(c, x);
}

static void put_rst(struct tcp *c, struct tcp_out *out)
{
	struct tcp_hdr *h = &out->h;

	h->seq = (uint32_t)c->snd.nxt;
	h->flags = TCP_RST | TCP_ACK;
	h->ack = (uint32_t)c->rcv.nxt;
	c->rst_due = false;
}

static void put_urgent(const struct tcp *c, uint64_t lo, struct tcp_hdr *h)
{
	if (c->snd.up <= lo)
		return;
	h->flags |= TCP_URG;
	h->urg = (uint16_t)MIN(c->snd.up - lo, 65535);
}

/* Bookkeeping of bytes and a FIN that go for the first time. */
static void note_sent(struct tcp *c, const struct tcp_ctx *x, uint64_t hi, bool fin)
{
	uint64_t len = hi - c->snd.nxt;

	if (c->snd.nxt == c->snd.una)
		c->first_rtx_at = x->now;
	if (fin)
		c->fin_sent = true;
	c->snd.nxt = hi + (fin ? 1 : 0);
	if ((uint32_t)len % c->snd_mss)
		c->snd.small_end = hi;
	if (c->timed_pos == TCP_NO_POS && !c->probing) {
		c->timed_pos = c->snd.nxt;
		c->timed_at = x->now;
	}
}

static void note_sent_again(struct tcp *c, uint64_t lo, uint64_t hi, bool fin)
{
	c->timed_pos = TCP_NO_POS;
	c->total_rtx++;
	c->bytes_rtx += hi - lo;
	c->rtx_forced = false;
	c->snd.rtx_nxt = hi + (fin ? 1 : 0);
	if (c->snd.rtx_nxt >= c->snd.rtx_end)
		c->snd.rtx_nxt = c->snd.rtx_end = 0;
}

static void put_payload(struct tcp *c, const struct tcp_plan *p, struct tcp_out *out)
{
	uint64_t len = p->hi - p->lo;

	if (len == 0)
		return;
	out->n_spans = buf_spans(&c->snd_buf, p->lo, (size_t)len, out->span, TCP_OUT_SPANS);
	for (int i = 0; i < out->n_spans; i++)
		out->len += out->span[i].len;
	assert(out->len > 0 && out->len <= len);
}

static void put_data(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p,
		     struct tcp_out *out)
{
	struct tcp_hdr *h = &out->h;
	uint64_t hi;
	bool fin;

	put_payload(c, p, out);
	hi = p->lo + out->len;
	fin = p->fin && hi == p->hi;
	h->seq = (uint32_t)p->lo;
	h->flags = TCP_ACK;
	if (hi == c->snd.end && out->len)
		h->flags |= TCP_PSH; /* MUST-61: it empties the queue */
	if (fin)
		h->flags |= TCP_FIN;
	put_urgent(c, p->lo, h);
	tcp_put_options(c, x, h);
	settle_ack(c, h);
	if (p->what == SEND_PROBE) {
		c->probe_due = false;
		if (hi + (fin ? 1 : 0) > c->snd.nxt)
			note_sent(c, x, MAX(hi, c->snd.nxt), fin && !c->fin_sent);
	} else if (p->again) {
		note_sent_again(c, p->lo, hi, fin);
	} else {
		note_sent(c, x, hi, fin);
	}
	c->sent_at = x->now;
}

static void put_ack(struct tcp *c, const struct tcp_ctx *x, uint64_t seq, struct tcp_out *out)
{
	out->h.seq = (uint32_t)seq;
	out->h.flags = TCP_ACK;
	put_urgent(c, seq, &out->h);
	tcp_put_options(c, x, &out->h);
	settle_ack(c, &out->h);
}

void tcp_output(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p,
		struct tcp_out *out)
{
	out->h = (struct tcp_hdr){ .hdr_len = 0 };
	out->n_spans = 0;
	out->len = 0;
	out->cause = p->cause;
	c->segs_out++;
	switch (p->what) {
	case SEND_NOTHING:
		assert(false);
		break;
	case SEND_RST:
		put_rst(c, out);
		break;
	case SEND_SYN:
		put_syn(c, x, out);
		break;
	case SEND_DATA:
	case SEND_PROBE:
		put_data(c, x, p, out);
		break;
	case SEND_KEEPALIVE: /* SHLD-12: a number that was acknowledged long ago */
		c->keepalive_due = false;
		put_ack(c, x, c->snd.nxt - 1, out);
		break;
	case SEND_ACK:
		put_ack(c, x, c->snd.nxt, out);
		break;
	}
}
