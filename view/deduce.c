/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deduce.c - the states of RFC 9293 3.3.2 as a capture lets them be known.
 *
 * Each segment tells three things: what its sender must have seen to send it (an ACK of a SYN or a
 * FIN proves that it came), what it becomes by sending it, and what its receiver becomes by getting
 * it. A segment counts as received when it is captured, a FIN when all before it has been. A
 * listener is known to be one when it answers: a SYN alone may find a closed port. A reset counts
 * when its number lies in the receiver's window (RFC 9293 3.10.7.3 and .4). That TIME-WAIT ends
 * cannot be seen.
 *
 * A connection joined in the middle begins ESTABLISHED; what was not captured is supplied when
 * something later proves it.
 */
#include "deduce.h"

struct run {
	struct deduced *d;
	const struct flow *flow;
	const struct segment *g;
	struct deduced_change *out;
	size_t n;
	bool on_arrival;
};

static int64_t end_of_segment(const struct segment *g)
{
	return g->seq + g->len + !!(g->tcp.flags & TCP_SYN) + !!(g->tcp.flags & TCP_FIN);
}

static bool has(const struct run *r, uint16_t flags)
{
	return r->g->tcp.flags & flags;
}

static bool is_in(const struct run *r, int side, enum tern_tcp_state state)
{
	return r->d->known[side] && r->d->state[side] == (uint8_t)state;
}

static void put_change(struct run *r, int side, uint8_t old_state, uint8_t new_state)
{
	struct deduced_change *last = r->n ? &r->out[r->n - 1] : NULL;

	/* An ACK and a FIN in one segment: FIN-WAIT-1 goes to TIME-WAIT (RFC 9293 3.10.7.4). */
	if (last && last->side == side && last->on_arrival && r->on_arrival &&
	    last->old_state != last->new_state) {
		last->new_state = new_state;
		return;
	}
	if (r->n < DEDUCED_MAX)
		r->out[r->n++] = (struct deduced_change){ .side = (uint8_t)side,
							  .old_state = old_state,
							  .new_state = new_state,
							  .on_arrival = r->on_arrival };
}

static void begin_in(struct run *r, int side, enum tern_tcp_state state)
{
	if (r->d->known[side])
		return;
	r->d->known[side] = true;
	r->d->state[side] = (uint8_t)state;
	put_change(r, side, (uint8_t)state, (uint8_t)state);
}

static void go(struct run *r, int side, enum tern_tcp_state state)
{
	uint8_t old = r->d->state[side];

	if (!r->d->known[side] || old == (uint8_t)state)
		return;
	r->d->state[side] = (uint8_t)state;
	put_change(r, side, old, (uint8_t)state);
}

/* side has its peer's FIN and all before it. */
static void get_fin(struct run *r, int side)
{
	if (is_in(r, side, TERN_TCP_ESTABLISHED) || is_in(r, side, TERN_TCP_SYN_RECEIVED))
		go(r, side, TERN_TCP_CLOSE_WAIT);
	else if (is_in(r, side, TERN_TCP_FIN_WAIT_1))
		go(r, side, TERN_TCP_CLOSING);
	else if (is_in(r, side, TERN_TCP_FIN_WAIT_2))
		go(r, side, TERN_TCP_TIME_WAIT);
}

/* ---- how it begins ---- */

static void begin(struct run *r)
{
	int from = r->g->from;

	if (has(r, TCP_RST))
		return; /* says nothing about a connection */
	r->d->begun = true;
	if (!has(r, TCP_SYN)) {
		r->d->midstream = true;
		begin_in(r, 0, TERN_TCP_ESTABLISHED);
		begin_in(r, 1, TERN_TCP_ESTABLISHED);
	} else if (has(r, TCP_ACK)) {
		begin_in(r, 1 - from, TERN_TCP_SYN_SENT);
		begin_in(r, from, TERN_TCP_LISTEN);
	} else {
		begin_in(r, from, TERN_TCP_CLOSED);
	}
}

/* ---- what the sender must have seen ---- */

/* As large as it may be where it, or its scale, was not captured (RFC 7323 2.3: 14 at most). */
static int64_t window_of(const struct run *r, int side)
{
	const struct flow_side *s = &r->flow->side[side];

	if (s->n_segments == 0)
		return (int64_t)UINT16_MAX << 14;
	if (s->wnd == 0)
		return 1;
	return (int64_t)s->wnd << (r->d->midstream ? 14 : 0);
}

static bool reset_counts(const struct run *r)
{
	int from = r->g->from, to = 1 - from;
	const struct flow_side *receiver = &r->flow->side[to];

	if (!r->d->known[to])
		return true;
	if (is_in(r, to, TERN_TCP_SYN_SENT))
		return has(r, TCP_ACK) && r->g->ack > 0 && r->g->ack <= receiver->nxt;
	return r->g->seq >= r->d->edge[from] && r->g->seq < r->d->edge[from] + window_of(r, to);
}

/* The first word of the side that was called. */
static void answer_call(struct run *r)
{
	int from = r->g->from;

	if (has(r, TCP_RST)) {
		if (reset_counts(r))
			begin_in(r, from, TERN_TCP_CLOSED);
	} else if (!has(r, TCP_SYN)) {
		begin_in(r, from, TERN_TCP_ESTABLISHED);
	} else {
		begin_in(r, from, has(r, TCP_ACK) ? TERN_TCP_LISTEN : TERN_TCP_CLOSED);
	}
}

/* Its SYN was answered, and the answer was not captured. */
static void supply_answer(struct run *r)
{
	int from = r->g->from, to = 1 - from;

	if (!r->d->known[to]) {
		begin_in(r, to, TERN_TCP_LISTEN);
		go(r, to, TERN_TCP_SYN_RECEIVED);
	}
	go(r, from, TERN_TCP_ESTABLISHED);
}

static void prove(struct run *r)
{
	struct deduced *d = r->d;
	int from = r->g->from, to = 1 - from;

	if (!d->known[from])
		answer_call(r);
	if (has(r, TCP_RST) || !has(r, TCP_ACK))
		return;
	if (is_in(r, from, TERN_TCP_SYN_SENT) && !has(r, TCP_SYN))
		supply_answer(r);
	/* Before the handshake is over a listener sends data only to a SYN that brought some. */
	if (is_in(r, from, TERN_TCP_SYN_RECEIVED) && r->g->len && !has(r, TCP_SYN) &&
	    !d->syn_had_data)
		go(r, from, TERN_TCP_ESTABLISHED);
	d->edge[to] = MAX(d->edge[to], r->g->ack);
	if (d->fin[to] && r->g->ack >= d->fin[to])
		get_fin(r, from);
}

/* ---- what it becomes by sending ---- */

static void leave(struct run *r)
{
	struct deduced *d = r->d;
	int from = r->g->from;

	if (has(r, TCP_RST))
		return; /* whether it counts is the receiver's to say */
	if (has(r, TCP_SYN)) {
		d->syn_had_data |= r->g->len > 0 && !has(r, TCP_ACK);
		if (is_in(r, from, TERN_TCP_LISTEN))
			go(r, from, TERN_TCP_SYN_RECEIVED);
		else if (is_in(r, from, TERN_TCP_CLOSED) && !has(r, TCP_ACK))
			go(r, from, TERN_TCP_SYN_SENT);
	}
	if (!has(r, TCP_FIN))
		return;
	if (d->fin[from] == 0)
		d->fin[from] = end_of_segment(r->g);
	if (is_in(r, from, TERN_TCP_CLOSE_WAIT))
		go(r, from, TERN_TCP_LAST_ACK);
	else if (is_in(r, from, TERN_TCP_ESTABLISHED) || is_in(r, from, TERN_TCP_SYN_RECEIVED))
		go(r, from, TERN_TCP_FIN_WAIT_1);
}

/* ---- what the receiver becomes ---- */

static void get_reset(struct run *r)
{
	int from = r->g->from, to = 1 - from;

	if (!reset_counts(r)) {
		r->d->n_resets_ignored++;
		return;
	}
	go(r, to, TERN_TCP_CLOSED);
	r->on_arrival = false;
	go(r, from, TERN_TCP_CLOSED);
	r->on_arrival = true;
	/* The sender closes before it sends: it goes first. */
	if (r->n >= 2 && !r->out[r->n - 1].on_arrival && r->out[r->n - 2].on_arrival) {
		struct deduced_change last = r->out[r->n - 1];

		r->out[r->n - 1] = r->out[r->n - 2];
		r->out[r->n - 2] = last;
	}
}

static void get_ack(struct run *r, int to)
{
	struct deduced *d = r->d;
	int64_t ack = r->g->ack;

	if (is_in(r, to, TERN_TCP_SYN_SENT) && has(r, TCP_SYN) && ack >= 1)
		go(r, to, TERN_TCP_ESTABLISHED);
	else if (is_in(r, to, TERN_TCP_SYN_RECEIVED) && ack >= 1)
		go(r, to, TERN_TCP_ESTABLISHED);
	if (!d->fin[to] || ack < d->fin[to])
		return;
	if (is_in(r, to, TERN_TCP_FIN_WAIT_1))
		go(r, to, TERN_TCP_FIN_WAIT_2);
	else if (is_in(r, to, TERN_TCP_CLOSING))
		go(r, to, TERN_TCP_TIME_WAIT);
	else if (is_in(r, to, TERN_TCP_LAST_ACK))
		go(r, to, TERN_TCP_CLOSED);
}

static void arrive(struct run *r)
{
	struct deduced *d = r->d;
	int from = r->g->from, to = 1 - from;

	r->on_arrival = true;
	if (has(r, TCP_RST)) {
		get_reset(r);
		return;
	}
	if (is_in(r, to, TERN_TCP_SYN_SENT) && has(r, TCP_SYN) && !has(r, TCP_ACK))
		go(r, to, TERN_TCP_SYN_RECEIVED);
	if (has(r, TCP_ACK))
		get_ack(r, to);
	/* Of a connection joined in the middle the first segment is taken to be in order. Whether a
	 * probe's octet is taken its ACK tells. */
	if ((r->g->seq <= d->edge[from] || d->edge[from] == 0) && !(r->g->marks & MARK_PROBE))
		d->edge[from] = MAX(d->edge[from], end_of_segment(r->g));
	if (d->fin[from] && d->edge[from] >= d->fin[from] - 1) { /* the FIN came before */
		d->edge[from] = MAX(d->edge[from], d->fin[from]);
		get_fin(r, to);
	}
}

size_t deduce(struct deduced *d, const struct flow *f, const struct segment *g,
	      struct deduced_change out[DEDUCED_MAX])
{
	struct run r = { .d = d, .flow = f, .g = g, .out = out };

	if (f->to_itself)
		return 0; /* which end a segment belongs to cannot be told */
	if (!d->begun)
		begin(&r);
	if (!d->begun)
		return 0;
	prove(&r);
	leave(&r);
	arrive(&r);
	return r.n;
}
