/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_busy.c - what did the connection wait for, and how long?
 *
 * Three sums for TCP_INFO, as Linux keeps them: the time in which anything was to be sent or
 * outstanding; of that, the time in which the peer's window held data back; and the time in which
 * the user had more to say than the send buffer took, while all of it had gone and the congestion
 * window was not full. They tell a slow network from a slow reader and from a small buffer.
 *
 * Milliseconds of one clock, so that short spans are right on average.
 */
#include "tcp_impl.h"

struct tcp_tally *tcp_new_tally(struct tcp *c, const struct tcp_ctx *x)
{
	c->tally = mem_new(x->mem, sizeof(*c->tally));
	if (c->tally)
		memset(c->tally, 0, sizeof(*c->tally));
	return c->tally;
}

static enum tcp_wait what_holds_it(const struct tcp *c)
{
	uint64_t edge = c->snd.una + c->snd.wnd, room, unsent;

	if (!c->work || (c->snd.una == c->snd.nxt && !tcp_has_unsent(c)))
		return WAIT_NONE;
	if (tcp_flight(c) + c->snd_mss > c->cc.cwnd)
		return WAIT_NETWORK;
	if (c->snd.end <= c->snd.nxt)
		return c->work->refused ? WAIT_BUFFER : WAIT_NETWORK;
	unsent = c->snd.end - c->snd.nxt;
	room = edge > c->snd.nxt ? edge - c->snd.nxt : 0;
	return room < MIN(unsent, c->snd_mss) ? WAIT_WINDOW : WAIT_NETWORK;
}

/* The sums include what still runs. */
static void add_waited(const struct tcp *c, const struct tcp_ctx *x, uint32_t ms[WAIT_N])
{
	const struct tcp_work *w = c->work;

	for (unsigned i = 0; i < WAIT_N; i++)
		ms[i] = c->tally ? c->tally->waited_ms[i] : 0;
	if (w && w->wait != WAIT_NONE)
		ms[w->wait] += x->ms - w->wait_ms;
}

void tcp_note_wait(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->work)
		tcp_set_wait(c, x, what_holds_it(c));
}

void tcp_end_wait(struct tcp *c, const struct tcp_ctx *x, enum tcp_wait next)
{
	struct tcp_work *w = c->work;
	uint32_t now = x->ms;

	if (c->tally && w->wait != WAIT_NONE)
		c->tally->waited_ms[w->wait] += now - w->wait_ms;
	w->wait = (uint8_t)next;
	w->wait_ms = now;
}

void tcp_waits(const struct tcp *c, const struct tcp_ctx *x, struct tern_tcp_info *i)
{
	uint32_t ms[WAIT_N];

	add_waited(c, x, ms);
	i->rwnd_limited = ms[WAIT_WINDOW] * (uint64_t)1000;
	i->sndbuf_limited = ms[WAIT_BUFFER] * (uint64_t)1000;
	i->busy_time = ms[WAIT_NETWORK] * (uint64_t)1000 + i->rwnd_limited + i->sndbuf_limited;
}
