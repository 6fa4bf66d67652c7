/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fastopen.c - text before the handshake ends (RFC 7413).
 *
 * A client's SYN carries a cookie and the first text. The text counts as sent only when the SYN-ACK
 * acknowledges it; what it does not acknowledge goes as if for the first time. A SYN that goes
 * again is an ordinary one (4.2.1).
 *
 * A server with a cookie that is right hands the text to its user while in SYN-RECEIVED, and may
 * answer there; the time-out is that of its SYN-ACK. What follows the SYN is then outstanding above
 * snd.una, which stays at the SYN until the handshake ends.
 *
 * Who has which cookie is the owner's to know (sock_fastopen.c).
 */
#include "tcp_impl.h"

bool tcp_offer_fast_open(struct tcp *c, const struct tcp_ctx *x, const struct tcp_fast_offer *o)
{
	struct tcp_work *w;

	if (!tcp_take_work(c, x))
		return false;
	w = c->work;
	if (o->cookie_len)
		memcpy(w->syn_cookie, o->cookie, o->cookie_len);
	w->syn_cookie_len = o->cookie_len;
	w->syn_has_cookie = !o->without_cookie;
	w->syn_room = o->cookie_len || o->without_cookie ? o->mss : 0;
	c->fast_open = FAST_OPEN_TRIED;
	c->syn_due = !o->wait_for_text;
	return true;
}

/* The first SYN alone has it. */
static bool offers_fast_open(const struct tcp *c)
{
	return c->state == TERN_TCP_SYN_SENT && c->fast_open == FAST_OPEN_TRIED;
}

bool tcp_waits_for_text(const struct tcp *c)
{
	return offers_fast_open(c) && !c->syn_due && c->snd.nxt == tcp_syn_pos(c);
}

bool tcp_may_add_to_syn(const struct tcp *c)
{
	return offers_fast_open(c) && c->snd.nxt == tcp_syn_pos(c) && c->work->syn_room;
}

enum { SYN_OPTIONS_MAX = 40 };

/* What the peer takes beside options, which count against the MSS. */
size_t tcp_syn_room(const struct tcp *c)
{
	uint64_t used = c->snd.end - (tcp_syn_pos(c) + 1) + SYN_OPTIONS_MAX;
	uint16_t room = c->work->syn_room;

	return room > used ? (size_t)(room - used) : 0;
}

/* The option, and the text. */
void tcp_put_fast_open(struct tcp *c, struct tcp_out *out)
{
	struct tcp_work *w = c->work;
	uint64_t first = tcp_syn_pos(c) + 1;

	if (!offers_fast_open(c))
		return;
	out->h.has_cookie = w->syn_has_cookie;
	out->h.cookie_len = w->syn_cookie_len;
	memcpy(out->h.cookie, w->syn_cookie, w->syn_cookie_len);
	w->syn_text = (uint16_t)(c->snd.end - first);
	if (w->syn_text == 0)
		return;
	out->lo = first;
	out->hi = first + w->syn_text;
	out->has_text = true;
}

/* One past what the SYN-ACK may acknowledge. */
uint64_t tcp_syn_end(const struct tcp *c)
{
	return c->snd.nxt + (c->work ? c->work->syn_text : 0);
}

/* The SYN-ACK came: text it acknowledges has been sent. */
void tcp_take_syn_text_ack(struct arrival *a)
{
	struct tcp *c = a->c;

	c->snd.una = a->ack;
	if (a->ack <= c->snd.nxt)
		return;
	c->syn_text_acked = a->ack == tcp_syn_end(c);
	c->snd.nxt = a->ack;
	buf_drop(&c->work->snd_buf, a->x->mem, a->ack);
}

bool tcp_syn_text_refused(const struct tcp *c)
{
	return c->work && c->work->syn_text > 0 && c->snd.una == tcp_syn_pos(c) + 1;
}

bool tcp_accept_fast(struct tcp *c, const struct tcp_ctx *x, const struct tcp_seg *syn)
{
	struct arrival a;

	tcp_arrival_init(&a, c, x, syn);
	a.fin = false;
	if (!tcp_take_work(c, x))
		return false;
	c->fast_open = FAST_OPEN_TRIED;
	c->snd.nxt = tcp_syn_pos(c); /* its SYN-ACK is still to go */
	c->syn_due = true;
	tcp_begin_transfer(c, x);
	a.seq = c->rcv.nxt;
	a.len = (uint32_t)MIN(a.len, c->rcv.adv - c->rcv.nxt);
	c->syn_text_acked = a.len > 0;
	tcp_take_text(&a);
	return true;
}

/* 4.2.2: its SYN-ACK was lost. */
bool tcp_repeats_fast_syn(const struct arrival *a)
{
	const struct tcp *c = a->c;

	return c->fast_open && c->state == TERN_TCP_SYN_RECEIVED &&
	       (a->seg->h.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	       a->seg->h.seq == c->rcv.irs;
}
