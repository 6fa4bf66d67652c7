/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_timewait.c - remember a closed connection in one small record.
 *
 * For 2 MSL the record answers what the peer may still send: its FIN again, when our last ACK was
 * lost (RFC 9293 3.10.7.4), and keeps old duplicates from a new incarnation. A SYN ends it when it
 * cannot be an old duplicate (RFC 6191 section 2). One that may be is answered by an ACK (RFC 5961
 * 4.2): a peer that opens anew resets the old connection then, and its next SYN finds the name
 * free. No other RST ends the record (RFC 1337 F1).
 */
#include "tcp_impl.h"

void tw_init(struct tcp_tw *tw, uint8_t *flags, const struct tcp *c)
{
	uint64_t edge;

	tw->snd_nxt = (uint32_t)c->snd.nxt;
	tw->rcv_nxt = (uint32_t)c->rcv.nxt;
	tw->ts_recent = c->rcv.ts_recent;
	tw->wnd = tcp_window_field(c, c->rcv.nxt, &edge);
	tw->oow_tick = 0;
	*flags = c->ts_ok ? TCP_TW_TS : 0;
}

/* RFC 6191 section 2: may this SYN begin a new connection? */
static bool syn_is_new(const struct tcp_tw *tw, uint8_t flags, const struct tcp_hdr *h,
		       bool we_use_ts)
{
	bool later = (int32_t)(h->seq - tw->rcv_nxt) >= 0;
	bool ts_new = h->has_ts && we_use_ts;
	int32_t newer = (int32_t)(h->ts_val - tw->ts_recent);

	if (flags & TCP_TW_TS) {
		if (!ts_new)
			return later;
		return newer > 0 || (newer == 0 && later);
	}
	return ts_new || later;
}

/* An ACK, or nothing: it goes out twice a second at most. */
static enum tw_verdict answer(struct tcp_tw *tw, uint8_t *flags, const struct tcp_ctx *x,
			      bool is_syn)
{
	uint16_t tick = (uint16_t)(x->now >> 26); /* 1/15 s */
	uint16_t gap = (uint16_t)((x->cfg->tcp_invalid_ratelimit_ms * TERN_MS) >> 26);

	if ((*flags & TCP_TW_OOW) && (uint16_t)(tick - tw->oow_tick) < gap)
		return TW_DROP;
	*flags = (uint8_t)((*flags & ~TCP_TW_SYN) | TCP_TW_OOW | (is_syn ? TCP_TW_SYN : 0));
	tw->oow_tick = tick;
	return TW_ACK;
}

/* RFC 1337 3: what an old duplicate has drawn from a peer that has forgotten all ends nothing. */
static bool reset_counts(const struct tcp_tw *tw, uint8_t flags, const struct tcp_ctx *x,
			 const struct tcp_hdr *h)
{
	return h->seq == tw->rcv_nxt && (!x->cfg->tcp_rfc1337 || (flags & TCP_TW_SYN));
}

enum tw_verdict tw_input(struct tcp_tw *tw, uint8_t *flags, const struct tcp_ctx *x,
			 const struct tcp_seg *seg)
{
	const struct tcp_hdr *h = &seg->h;
	bool is_ack = seg->len == 0 && !(h->flags & (TCP_FIN | TCP_SYN));

	if (h->flags & TCP_RST)
		return reset_counts(tw, *flags, x, h) ? TW_END : TW_DROP;
	if ((h->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return syn_is_new(tw, *flags, h, x->cfg->tcp_timestamps) ?
			       TW_NEW_SYN :
			       answer(tw, flags, x, true);
	if ((*flags & TCP_TW_TS) && h->has_ts && (int32_t)(h->ts_val - tw->ts_recent) < 0)
		return answer(tw, flags, x, false); /* PAWS */
	if (!(h->flags & TCP_ACK))
		return TW_DROP;
	if ((h->flags & TCP_FIN) && h->seq + seg->len + 1 == tw->rcv_nxt)
		return TW_ACK_RESTART;
	if (is_ack && h->seq == tw->rcv_nxt)
		return TW_DROP; /* acceptable: it asks for nothing */
	return answer(tw, flags, x, false);
}

void tw_ack(const struct tcp_tw *tw, uint8_t flags, const struct tcp_ctx *x, uint32_t ts_off,
	    struct tcp_hdr *h)
{
	*h = (struct tcp_hdr){
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = TCP_ACK,
		.wnd = tw->wnd,
		.has_ts = (flags & TCP_TW_TS) != 0,
	};
	if (h->has_ts) {
		h->ts_val = tcp_ts_clock(x, ts_off);
		h->ts_ecr = tw->ts_recent;
	}
}
