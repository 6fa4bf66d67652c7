/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_tune.c - how large may the buffers be?
 *
 * A receive buffer must hold what arrives in a round trip, twice that while the sender's window
 * doubles, and as much again while a loss is repaired: four times what the user reads in a round
 * trip. So a reader that is slow, or a path that is short, leaves it as it is. A send buffer holds
 * two congestion windows: one in flight and one to come. Both grow from the configured size to the
 * configured maximum, only while the stack has memory, and never when the user chose a size.
 *
 * Growing a buffer reserves nothing: it is what may wait, in chunks that come with the bytes.
 */
#include "tcp_impl.h"

enum { READS_IN_BUFFER = 4, WINDOWS_IN_BUFFER = 2 };

/* Half the budget is for those that came first. */
static bool has_memory(const struct tcp_ctx *x)
{
	return x->mem->used < x->mem->max / 2;
}

/* The peer's segments echo when our ACKs went (RFC 7323 4.1); the clock is coarse below 2 ms. */
void tcp_measure_peer_rtt(struct arrival *a)
{
	struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;
	uint32_t ms, us;

	if (!h->ts_ecr || a->len < c->rcv_mss)
		return;
	ms = tcp_ts_clock(a->x, c->snd.ts_off) - h->ts_ecr;
	if (ms > 60000)
		return;
	us = ms >= 2 ? ms * 1000 : MIN(c->srtt_us ? c->srtt_us : 1000, 1000);
	c->rcv.rtt_us = c->rcv.rtt_us ? c->rcv.rtt_us - c->rcv.rtt_us / 8 + us / 8 : us;
}

/* The connection stands: reading begins. */
void tcp_tune_begin(struct tcp *c, const struct tcp_ctx *x)
{
	c->rcv.read_us = x->us;
	c->rcv.read_pos = (uint32_t)c->rcv_buf.head;
}

/* The user has read. */
void tcp_tune_receive_buffer(struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t rtt = c->rcv.rtt_us ? c->rcv.rtt_us : c->srtt_us;
	uint32_t now = x->us, passed = now - c->rcv.read_us;
	uint32_t pos = (uint32_t)c->rcv_buf.head;
	uint64_t per_rtt, most;

	if (passed < MAX(rtt, 1))
		return;
	most = MIN((uint64_t)65535 << c->rcv_wscale, x->cfg->tcp_rcvbuf_max);
	per_rtt = (uint64_t)(pos - c->rcv.read_pos) * rtt / passed;
	c->rcv.read_us = now;
	c->rcv.read_pos = pos;
	if (c->opt.rcvbuf_set || !x->cfg->tcp_moderate_rcvbuf || !has_memory(x))
		return;
	per_rtt = MIN(READS_IN_BUFFER * per_rtt, most);
	c->opt.rcvbuf = MAX(c->opt.rcvbuf, (uint32_t)per_rtt);
}

/* The congestion window has grown. */
void tcp_tune_send_buffer(struct tcp *c, const struct tcp_ctx *x)
{
	uint64_t windows = WINDOWS_IN_BUFFER * (uint64_t)MIN(c->cc.cwnd, c->snd.wnd);

	if (windows <= c->opt.sndbuf || c->opt.sndbuf_set || !has_memory(x))
		return;
	c->opt.sndbuf = (uint32_t)MAX(MIN(windows, x->cfg->tcp_sndbuf_max), c->opt.sndbuf);
}
