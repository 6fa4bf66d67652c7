/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_listen.c - half-open connections: what is kept between a SYN and the ACK of our SYN-ACK?
 *
 * LISTEN (RFC 9293 3.10.7.2) and the passive SYN-RECEIVED. A SYN costs one small record without
 * buffers; the connection is made when the handshake is finished, and gets the finishing segment
 * as its first input. Text in a SYN is not kept: it is not acknowledged and comes again.
 *
 * Numbers here are 32 bits wide: a record lives for seconds and moves no window.
 */
#include "tcp_impl.h"

/* RFC 9293 3.10.7.1. */
COLD struct tcp_rst tcp_rst_for(const struct tcp_seg *seg)
{
	const struct tcp_hdr *h = &seg->h;
	uint32_t seg_len = seg->len + (h->flags & TCP_SYN ? 1 : 0) + (h->flags & TCP_FIN ? 1 : 0);

	if (h->flags & TCP_RST)
		return (struct tcp_rst){ .due = false };
	if (h->flags & TCP_ACK)
		return (struct tcp_rst){ .due = true, .seq = h->ack };
	return (struct tcp_rst){ .due = true, .with_ack = true, .ack = h->seq + seg_len };
}

void half_init(struct tcp_half *half, const struct tcp_ctx *x, const struct tcp_seg *seg,
	       const struct tcp_open *open)
{
	const struct tcp_hdr *h = &seg->h;

	memset(half, 0, sizeof(*half));
	half->irs = h->seq;
	half->iss = open->iss;
	half->adv_mss = open->adv_mss;
	half->peer_mss = h->has_mss ? h->mss : open->default_mss;
	half->snd_wnd = h->wnd;
	half->rcv_wnd = (uint16_t)MIN(open->rcv_buf_max, 65535);
	half->sack_ok = h->sack_permitted && x->cfg->tcp_sack;
	half_take_ecn(half, x, seg);
	half->ts_ok = h->has_ts && x->cfg->tcp_timestamps;
	half->ts_recent = h->ts_val;
	half->wscale_ok = h->has_wscale && x->cfg->tcp_window_scaling;
	if (half->wscale_ok)
		half->wscale =
			(uint8_t)(MIN(h->wscale, 14) | tcp_wscale_for(open->rcv_buf_max) << 4);
}

void half_synack(const struct tcp_half *half, const struct tcp_ctx *x, uint32_t ts_off,
		 struct tcp_hdr *h)
{
	*h = (struct tcp_hdr){
		.seq = half->iss,
		.ack = half->irs + 1,
		.flags = TCP_SYN | TCP_ACK,
		.wnd = half->rcv_wnd,
		.has_mss = true,
		.mss = half->adv_mss,
		.sack_permitted = half->sack_ok,
		.has_wscale = half->wscale_ok,
		.wscale = half->wscale >> 4,
		.has_ts = half->ts_ok,
	};
	if (half->ts_ok) {
		h->ts_val = tcp_ts_clock(x, ts_off);
		h->ts_ecr = half->ts_recent;
	}
	half_put_ecn(half, x, h);
}

/* An empty ACK, with the window that the SYN-ACK showed, now scaled. */
void half_ack(const struct tcp_half *half, const struct tcp_ctx *x, uint32_t ts_off,
	      struct tcp_hdr *h)
{
	*h = (struct tcp_hdr){
		.seq = half->iss + 1,
		.ack = half->irs + 1,
		.flags = TCP_ACK,
		.wnd = (uint16_t)(half->rcv_wnd >> (half->wscale >> 4)),
		.has_ts = half->ts_ok,
	};
	if (half->ts_ok) {
		h->ts_val = tcp_ts_clock(x, ts_off);
		h->ts_ecr = half->ts_recent;
	}
	half_put_echo(half, h);
}

static COLD enum half_verdict drop_half(struct half_result *r, enum tern_drop why)
{
	r->drop = why;
	return HALF_DROP;
}

/*
 * RFC 9293 3.10.7.4 for SYN-RECEIVED: sequence, RST, SYN, ACK. Nothing has been taken from the
 * window that we showed. What is called complete here, tcp_input accepts.
 */
enum half_verdict half_input(struct tcp_half *half, const struct tcp_ctx *x,
			     const struct tcp_seg *seg, struct half_result *r)
{
	const struct tcp_hdr *h = &seg->h;
	uint32_t off = h->seq - (half->irs + 1);
	bool in_window = off < half->rcv_wnd;

	r->drop = TERN_DROP_NONE;
	r->rst = (struct tcp_rst){ .due = false };
	if (h->flags & TCP_RST) {
		r->drop = TERN_DROP_TCP_RESET;
		if (off == 0)
			return HALF_DIE;
		return in_window ? HALF_CHALLENGE : HALF_DROP;
	}
	if (half->ts_ok && h->has_ts && (int32_t)(h->ts_val - half->ts_recent) < 0) {
		r->drop = TERN_DROP_TCP_PAWS;
		return HALF_CHALLENGE;
	}
	if ((h->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && h->seq == half->irs) {
		r->drop = TERN_DROP_TCP_FLAGS;
		if (half_take_ecn_again(half, x, seg))
			return HALF_RESEND;
		r->rst = tcp_rst_for(seg);
		return HALF_ABORT;
	}
	if (half->ts_ok && !h->has_ts) /* RFC 7323 3.2 */
		return drop_half(r, TERN_DROP_TCP_PAWS);
	if (!in_window) {
		r->drop = TERN_DROP_TCP_SEQUENCE;
		return HALF_CHALLENGE;
	}
	if (h->flags & TCP_SYN) { /* fourth step: an open that was passive returns to LISTEN */
		r->drop = TERN_DROP_TCP_FLAGS;
		return HALF_DIE;
	}
	if (!(h->flags & TCP_ACK))
		return drop_half(r, TERN_DROP_TCP_NO_ACK);
	if (h->ack != half->iss + 1) {
		r->rst = (struct tcp_rst){ .due = true, .seq = h->ack };
		r->drop = TERN_DROP_TCP_ACK_RANGE;
		return HALF_RST;
	}
	return HALF_COMPLETE;
}

bool tcp_from_half(struct tcp *c, const struct tcp_ctx *x, const struct tcp_half *half,
		   const struct tcp_open *open)
{
	tcp_reset_fields(c, x, open);
	if (!tcp_ecn_from_half(c, x, half))
		return false;
	c->opened_passively = true;
	c->state = TERN_TCP_SYN_RECEIVED; /* its SYN-ACK told the owner already: not logged */
	c->adv_mss = half->adv_mss;
	tcp_set_peer_mss(c, x, half->peer_mss);
	c->sack_ok = half->sack_ok;
	c->ts_ok = half->ts_ok;
	c->wscale_ok = half->wscale_ok;
	c->snd_wscale = half->wscale & 15u;
	c->rcv_wscale = (half->wscale >> 4) & 15u;
	c->snd.nxt++; /* behind our SYN */
	c->snd.wnd = c->snd.max_wnd = half->snd_wnd;
	c->rcv.irs = half->irs;
	c->rcv.nxt = c->rcv.acked = seq_first(c->rcv.irs) + 1;
	c->rcv.adv = c->rcv.nxt + half->rcv_wnd;
	c->rcv.ts_recent = half->ts_recent;
	c->rcv.ts_recent_at = x->s;
	c->n_rtx = half->n_retries;
	c->snd.wl1 = c->rcv.irs;
	c->snd.wl2 = c->snd.iss;
	buf_init(&c->rcv_buf, c->rcv.nxt);
	if (open->synack_rtt)
		tcp_rtt_sample(c, x, open->synack_rtt);
	return true;
}
