/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_work.c - what does a connection hold only while it sends?
 *
 * struct tcp is what an idle connection costs. The send buffer, and what is known of the segments
 * in flight, are in a struct tcp_work. It is taken when the user gives bytes, or else when what is
 * to be remembered is about to go (a FIN, a SYN with a cookie): without memory nothing happens, and
 * it is tried again. It goes back some seconds after the connection fell silent, because one
 * request is often followed by another; and at once when the handshake is over and no text waits,
 * because many connections then wait for the peer. Of a client's SYN that brings neither text nor
 * cookie nothing is known but when it went (rcv.opened_at).
 *
 * Invariant (tcp_check): it is there while bytes wait or anything we sent is unacknowledged. Only
 * such a SYN, and the SYN-ACK of a half-open record, are outstanding without.
 */
#include "tcp_impl.h"

enum { SILENT_SECONDS = 5 };
/* Less than so much in so long is slow: a modem of the last century is faster. */
enum { SLOW_BYTES = 4096, SLOW_SECONDS = 8 };

/* Nothing is outstanding, nothing waits: unless that changes soon, it goes back. */
void tcp_rest_work(struct tcp *c, const struct tcp_ctx *x)
{
	c->idle_at = x->now + SILENT_SECONDS * TERN_SEC;
}

bool tcp_new_work(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = mem_new(x->mem, sizeof(*w));

	if (!w)
		return false;
	memset(w, 0, offsetof(struct tcp_work, cc_state));
	w->timed_pos = w->undo.pos = TCP_NO_POS;
	w->wait = WAIT_NONE;
	buf_init(&w->snd_buf, c->snd.end);
	sent_init(&w->sent);
	cc_set_state(&c->cc, w->cc_state);
	c->work = w;
	tcp_rack_init(c);
	tcp_begin_pace(c);
	tcp_begin_taking(c, x);
	tcp_rest_work(c, x);
	return true;
}

/* Our SYN went first at `at`: it is timed, and the silence is over. */
void tcp_time_syn(struct tcp *c, tern_time at)
{
	c->work->timed_pos = tcp_syn_pos(c) + 1;
	c->work->timed_at = c->work->first_rtx_at = at;
	c->idle_at = TERN_NEVER;
}

void tcp_drop_work(struct tcp *c, const struct tcp_ctx *x)
{
	if (!c->work)
		return;
	tcp_end_wait(c, x, WAIT_NONE);
	buf_fini(&c->work->snd_buf, x->mem);
	sent_fini(&c->work->sent, x->mem);
	mem_free(x->mem, c->work, sizeof(*c->work));
	c->work = NULL;
	cc_set_state(&c->cc, NULL);
	c->paced = c->tlp_due = c->rtx_forced = c->in_recovery = c->in_rto_recovery = false;
	c->ecn_held = false;
	c->idle_at = TERN_NEVER;
}

/* ---- how fast is it taken? ---- */

/* Text begins to wait. */
void tcp_begin_taking(struct tcp *c, const struct tcp_ctx *x)
{
	c->work->taking_since = x->now;
	c->work->taking_from = c->snd.una;
}

/* More was acknowledged. */
void tcp_note_taken(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->snd.una - c->work->taking_from >= SLOW_BYTES)
		tcp_begin_taking(c, x);
}

bool tcp_is_taken_slowly(const struct tcp *c, const struct tcp_ctx *x)
{
	return c->work && c->snd.una < c->snd.end &&
	       x->now - c->work->taking_since >= SLOW_SECONDS * TERN_SEC;
}

/* idle_at has passed. Space that was lent to the user is not taken from under the pen. */
void tcp_review_work(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->snd.una == c->snd.nxt && !tcp_has_unsent(c) && c->work->snd_buf.n_chunks == 0)
		tcp_drop_work(c, x);
	else
		tcp_rest_work(c, x);
}
