/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_urgent.c - the urgent mark: RFC 9293 3.8.5, RFC 6093.
 *
 * The pointer names the octet after the urgent data (RFC 6093 section 3.1 as deployed). It is a
 * mark in the stream, never an offset into memory. As in BSD and Linux the last urgent octet is
 * taken out of the stream unless SO_OOBINLINE is set, and a read stops at the mark.
 */
#include "tcp_impl.h"

/* Sixth step of RFC 9293 3.10.7.4. */
void tcp_take_urgent(struct arrival *a)
{
	struct tcp *c = a->c;
	uint64_t up = seq_unwrap(a->seg->h.seq, c->rcv.nxt) + a->seg->h.urg;

	if (!(a->seg->h.flags & TCP_URG))
		return;
	if (c->state != TERN_TCP_ESTABLISHED && c->state != TERN_TCP_FIN_WAIT_1 &&
	    c->state != TERN_TCP_FIN_WAIT_2)
		return;
	/* A mark behind what was read, or one we know of already, is no news. */
	if (up <= c->rcv_buf.head || (c->rcv.up != TCP_NO_POS && up <= c->rcv.up))
		return;
	c->rcv.up = up;
	c->urgent_came = true;
	c->oob_taken = false;
	a->r.events |= TCP_URGENT;
}

COLD void tcp_mark_urgent(struct tcp *c)
{
	if (c->work)
		c->work->up = c->snd.end;
}

static bool has_mark(const struct tcp *c)
{
	return c->rcv.up != TCP_NO_POS && c->rcv_buf.head < c->rcv.up;
}

bool tcp_at_mark(const struct tcp *c)
{
	return has_mark(c) && c->rcv_buf.head == c->rcv.up - 1;
}

bool tcp_at_urgent_octet(const struct tcp *c)
{
	return tcp_at_mark(c) && c->rcv.up <= tcp_data_end(c);
}

/*
 * A read that begins at the mark steps over the octet that only MSG_OOB returns, as Linux does,
 * also if nothing follows.
 */
void tcp_skip_urgent(struct tcp *c, const struct tcp_ctx *x)
{
	if (tcp_at_urgent_octet(c) && !c->opt.oob_inline)
		buf_drop(&c->rcv_buf, x->mem, c->rcv.up);
}

/* Nobody asks for a mark that was read over. */
void tcp_forget_mark(struct tcp *c)
{
	if (c->rcv.up == TCP_NO_POS || c->rcv_buf.head < c->rcv.up)
		return;
	c->rcv.up = TCP_NO_POS;
	c->urgent_came = c->oob_taken = false;
}

int tcp_recv_urgent(struct tcp *c, uint8_t *byte, bool peek)
{
	if (c->opt.oob_inline || !has_mark(c) || c->oob_taken)
		return -TERN_EINVAL;
	if (c->rcv.up > tcp_data_end(c))
		return -TERN_EAGAIN;
	buf_read(&c->rcv_buf, c->rcv.up - 1, byte, 1);
	if (!peek)
		c->oob_taken = true;
	return 1;
}
