/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_tcp.c - a stream through the gateway, from its SYN to its end.
 *
 *	outwards: DIALLING --open--> SHAKING --accepted--> JOINED
 *	              `--refused: RST; dead or too old: silence
 *	inwards:  CALLING --open--> JOINED
 *	              `--refused: the host's end is reset
 *
 * A SYN waits in the stack for its verdict (TERN_SO_DEFER_SYN) while the outside is dialled. After
 * ACCEPT the stack finishes the handshake by itself; the child that it makes is known by its ends,
 * which is all that the table is for: a flow leaves it when it is joined. A SYN with the ends of a
 * flow that is still in the table means that the inside has given that one up.
 */
#define _GNU_SOURCE
#include "flow_tcp.h"

#include <errno.h>
#include <unistd.h>

enum tcp_state { DIALLING, SHAKING, CALLING, JOINED };

struct tcp_flow {
	struct flow f;
	struct dial dial;
	struct join join;
	enum tcp_state state;
	uint64_t pending; /* while DIALLING */
	bool reset_outer; /* its end is one */
};

static struct tcp_flow *tcp_flow_of(struct flow *f)
{
	return CONTAINER_OF(f, struct tcp_flow, f);
}

static tern_sock listener_for(const struct gateway *g, const struct tcp_flow *t)
{
	return g->tcp[t->f.inner.family == TERN_AF_INET ? V4 : V6];
}

/* ---- the end ---- */

static void close_tcp(struct gateway *g, struct flow *f)
{
	struct tcp_flow *t = tcp_flow_of(f);

	if (t->state == DIALLING)
		tern_pending_answer(g->st, listener_for(g, t), t->pending, TERN_PENDING_IGNORE);
	else if (t->join.inner)
		tern_abort(g->st, t->join.inner);
	dial_end(g, &t->dial, t->reset_outer);
}

/* Whatever is still there is reset. */
static void break_off(struct gateway *g, struct tcp_flow *t)
{
	t->reset_outer = true;
	flow_end(g, &t->f);
}

static void end_in_order(struct gateway *g, struct tcp_flow *t)
{
	tern_close(g->st, t->join.inner);
	t->join.inner = 0;
	flow_end(g, &t->f);
}

/* ---- moving ---- */

/* A call inwards has come to an end, good or bad. */
static void hear_call(struct gateway *g, struct tcp_flow *t)
{
	unsigned ready = tern_poll(g->st, t->join.inner);

	if (ready & (TERN_POLLERR | TERN_POLLHUP)) {
		break_off(g, t);
	} else if (ready & TERN_POLLOUT) {
		t->state = JOINED;
		g->counts.forwarded++;
	}
}

static void move_tcp(struct gateway *g, struct flow *f)
{
	struct tcp_flow *t = tcp_flow_of(f);

	if (t->state == CALLING)
		hear_call(g, t);
	if (f->dead || t->state != JOINED)
		return;
	if (tern_poll(g->st, t->join.inner) & TERN_POLLERR)
		t->join.inner_reset = true;
	switch (join_move(g, &t->join)) {
	case JOIN_GOING:
		break;
	case JOIN_MORE:
		flow_wake(g, f);
		break;
	case JOIN_ENDED:
		end_in_order(g, t);
		break;
	case JOIN_INNER_BROKE:
	case JOIN_OUTER_BROKE:
		break_off(g, t);
		break;
	}
}

static void on_old_tcp(struct gateway *g, struct flow *f)
{
	struct tcp_flow *t = tcp_flow_of(f);

	if (t->state == DIALLING)
		g->counts.timed_out++;
	break_off(g, t);
}

static const struct flow_ops tcp_ops = { FLOW_TCP, move_tcp, on_old_tcp, close_tcp };

/* ---- outwards ---- */

static void answer_syn(struct gateway *g, struct tcp_flow *t, int verdict)
{
	int err = tern_pending_answer(g->st, listener_for(g, t), t->pending, verdict);

	t->state = SHAKING;
	g->counts.refused += verdict == TERN_PENDING_REFUSE;
	g->counts.timed_out += verdict == TERN_PENDING_IGNORE;
	if (err || verdict != TERN_PENDING_ACCEPT) { /* err: the inside has lost its patience */
		break_off(g, t);
		return;
	}
	join_begin(&t->join, 0, t->dial.src.fd);
	flow_set_age(g, &t->f, AGE_SHAKE);
}

static void hear_dial(struct gateway *g, struct tcp_flow *t, enum dial_state state)
{
	switch (state) {
	case DIAL_GOING:
		break;
	case DIAL_OPEN:
		answer_syn(g, t, TERN_PENDING_ACCEPT);
		break;
	case DIAL_REFUSED:
		answer_syn(g, t, TERN_PENDING_REFUSE);
		break;
	case DIAL_DEAD:
		answer_syn(g, t, TERN_PENDING_IGNORE);
		break;
	}
}

static void on_outer_ready(struct gateway *g, struct source *src, uint32_t events)
{
	struct tcp_flow *t = CONTAINER_OF(src, struct tcp_flow, dial.src);

	if (t->state == DIALLING) {
		hear_dial(g, t, dial_go_on(g, &t->dial));
	} else {
		join_on_outer(&t->join, events);
		flow_wake(g, &t->f);
	}
}

static void on_syn(struct gateway *g, unsigned family, const struct tern_pending *p)
{
	struct flow_key key = flow_key(FLOW_TCP, &p->remote, &p->local);
	struct flow *before = flow_find(g, &key);
	struct tcp_flow *t;

	if (before)
		break_off(g, tcp_flow_of(before));
	g->counts.tcp++;
	t = flow_new(g, &tcp_ops, sizeof(*t));
	if (!t) {
		g->counts.starved++;
		tern_pending_answer(g->st, g->tcp[family], p->id, TERN_PENDING_IGNORE);
		return;
	}
	t->pending = p->id;
	t->f.inner = p->remote;
	t->f.outer = p->local;
	t->dial.src = (struct source){ -1, on_outer_ready };
	flow_put(g, &t->f, &key);
	flow_set_age(g, &t->f, AGE_DIAL);
	hear_dial(g, t, dial_start(g, &t->dial, &p->local));
}

static void join_child(struct gateway *g, tern_sock child)
{
	struct tern_addr inner, outer;
	struct flow_key key;
	struct flow *f = NULL;

	if (tern_getpeername(g->st, child, &inner) == 0 &&
	    tern_getsockname(g->st, child, &outer) == 0) {
		key = flow_key(FLOW_TCP, &inner, &outer);
		f = flow_find(g, &key);
	}
	if (!f || tcp_flow_of(f)->state != SHAKING) {
		tern_abort(g->st, child);
		return;
	}
	flow_remove(g, f);
	flow_set_age(g, f, AGE_NONE);
	tcp_flow_of(f)->join.inner = child;
	tcp_flow_of(f)->state = JOINED;
	tern_set_user(g->st, child, f);
	flow_wake(g, f);
}

void tcp_flows_take(struct gateway *g, unsigned family)
{
	struct tern_pending p;
	tern_sock child;

	while (tern_accept(g->st, g->tcp[family], &child, NULL) == 0)
		join_child(g, child);
	while (tern_pending_next(g->st, g->tcp[family], &p) == 0)
		on_syn(g, family, &p);
}

bool tcp_flow_is_sending(const struct gateway *g, const struct flow *f)
{
	const struct tcp_flow *t = CONTAINER_OF(f, const struct tcp_flow, f);

	return t->state == JOINED && !t->join.out_ended && !t->join.outer_reset &&
	       (tern_poll(g->st, t->join.inner) & TERN_POLLIN);
}

/* ---- inwards ---- */

bool tcp_flow_from_host(struct gateway *g, int fd, const struct tern_addr *to)
{
	struct tcp_flow *t = flow_new(g, &tcp_ops, sizeof(*t));
	int err;

	if (!t) {
		g->counts.starved++;
		return false;
	}
	t->state = CALLING;
	t->f.outer = *to;
	t->dial.src = (struct source){ -1, on_outer_ready };
	if (!source_add(g, &t->dial.src, fd)) {
		note_starved(g, -errno);
		flow_end(g, &t->f);
		return false;
	}
	join_begin(&t->join, 0, fd);
	err = tern_socket(g->st, to->family, TERN_SOCK_STREAM, 0, &t->join.inner);
	if (!err) {
		int32_t yes = 1;

		tern_set_user(g->st, t->join.inner, &t->f);
		tern_setsockopt(g->st, t->join.inner, TERN_IPPROTO_TCP, TERN_TCP_NODELAY, &yes,
				sizeof(yes));
		tern_setsockopt(g->st, t->join.inner, TERN_SOL_SOCKET, TERN_SO_KEEPALIVE, &yes,
				sizeof(yes));
		err = tern_connect(g->st, t->join.inner, to);
	}
	if (err && err != -TERN_EINPROGRESS)
		break_off(g, t);
	return true; /* the descriptor is no longer the caller's, one way or the other */
}
