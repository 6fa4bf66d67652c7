/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_settle.c - something touched a connection: what follows for its socket?
 *
 * sock_tcp_settle is called after every such thing. It is the only place that traces states, tells
 * the user, arms the timer, and ends what has reached CLOSED or TIME-WAIT.
 *
 * Who may have something to say goes on the ready list of its interface; the plan is asked when its
 * turn comes (stack/gso.c), once for all that happened until then. If it says nothing then, the
 * connection rests: sock_tcp_rest.
 */
#include "../base/text.h"
#include "sock.h"
#include "sock_tcp.h"

/* ---- traces ---- */

/* Fills in what all records say, and hands the record over. */
static COLD void emit_trace(const struct sockets *ss, struct tern_trace *r, const struct tuple *t)
{
	r->at = ss->timers->now;
	r->stack_id = ss->cfg->id;
	addr_to_public(&r->local, &t->local, t->lport);
	addr_to_public(&r->remote, &t->remote, t->rport);
	ss->env->trace(ss->env->ctx, r);
}

void trace_state(const struct sockets *ss, const struct state_change *change)
{
	struct tern_trace r;

	if (!ss->env->trace)
		return;
	r = (struct tern_trace){ .kind = TERN_TRACE_STATE,
				 .conn = change->conn,
				 .old_state = change->from,
				 .new_state = change->to,
				 .by_listen = change->by_listen };
	emit_trace(ss, &r, change->t);
}

/* RFC 4022: attempts that failed, and open connections that did not close in order. */
static void count_end(struct sockets *ss, const struct sock *s, enum tern_tcp_state to)
{
	if (to != TERN_TCP_CLOSED)
		return;
	if (s->state == TERN_TCP_SYN_SENT || s->state == TERN_TCP_SYN_RECEIVED)
		ss->counters[COUNT_TCP_ATTEMPT_FAILS]++;
	if (s->state == TERN_TCP_ESTABLISHED || s->state == TERN_TCP_CLOSE_WAIT)
		ss->counters[COUNT_TCP_ESTAB_RESETS]++;
}

static void trace_states(struct sockets *ss, struct sock *s)
{
	enum tern_tcp_state state;

	while (tcp_state_change(s->tcp, &state)) {
		struct state_change change;

		count_end(ss, s, state);
		if (ss->env->trace) {
			change = (struct state_change){ &s->t, s->conn,
							(enum tern_tcp_state)s->state, state,
							s->tcp->opened_passively };
			trace_state(ss, &change);
		}
		s->state = (uint8_t)state;
	}
}

static void trace_timer(const struct sockets *ss, const struct sock *s, const char *name)
{
	struct tern_trace r;

	if (!ss->env->trace || !name)
		return;
	r = (struct tern_trace){ .kind = TERN_TRACE_TIMER, .conn = s->conn, .timer = name };
	emit_trace(ss, &r, &s->t);
}

void trace_sample(const struct sockets *ss, const struct sock *s)
{
	const struct tcp *c = s->tcp;
	struct tern_trace r;

	if (!ss->env->trace)
		return;
	r = (struct tern_trace){ .kind = TERN_TRACE_SAMPLE,
				 .conn = s->conn,
				 .cwnd = c->cc.cwnd,
				 .ssthresh = c->cc.ssthresh,
				 .in_flight = c->snd.nxt - c->snd.una,
				 .srtt = c->srtt_us * TERN_US,
				 .rttvar = c->rttvar_us * TERN_US,
				 .rto = c->rto_us * TERN_US };
	emit_trace(ss, &r, &s->t);
}

/* ---- settling ---- */

_Static_assert(COUNT_TCP_PROBE_RECOVERY - COUNT_TCP_NOTES == TCP_N_NOTES - 1, "a counter for each");

static COLD void count_notes(struct sockets *ss, struct tcp *c)
{
	for (unsigned i = 0; i < TCP_N_NOTES; i++)
		if (c->notes >> i & 1)
			ss->counters[COUNT_TCP_NOTES + i]++;
	c->notes = 0;
}

static void tell_user(struct sockets *ss, struct sock *s, uint32_t events)
{
	if (s->tcp->error)
		s->error = s->tcp->error == TERN_ETIMEDOUT && s->soft_error ? s->soft_error :
									      s->tcp->error;
	s->tcp->error = 0;
	if (events & TCP_URGENT)
		s->urgent_news = true;
	if (events)
		sock_news(ss, s, events & (TCP_CONNECTED | TCP_ENDED) ? NEWS_ALL : NEWS_IN);
}

/*
 * CLOSED: nothing of it is left on the network; the user may still read and ask, and has the port
 * that was bound by its number until close, as on Linux.
 */
static void leave_network(struct sockets *ss, struct sock *s)
{
	tuple_remove(ss, &s->t);
	list_unlink(&s->ready_link);
	timers_disarm(ss->timers, &s->timer);
	if (s->index == NO_INDEX && !s->in_accept_queue)
		sock_free(ss, s);
	else if (s->bound_port)
		port_attach(s, s->port, false);
	else
		port_detach(ss, s);
}

/* TIME-WAIT goes on as a record; the connection itself has nothing left to say. */
static void become_time_wait(struct sockets *ss, struct sock *s)
{
	time_wait_begin(ss, s);
	s->state = TERN_TCP_TIME_WAIT;
	leave_network(ss, s);
}

static bool is_over(const struct tcp *c)
{
	return c->state == TERN_TCP_CLOSED || c->state == TERN_TCP_TIME_WAIT;
}

/* The plan is silent: a connection whose last word is said leaves. */
static bool leave_when_over(struct sockets *ss, struct sock *s)
{
	if (s->tcp->state == TERN_TCP_TIME_WAIT && s->t.in_table)
		become_time_wait(ss, s);
	else if (s->tcp->state == TERN_TCP_CLOSED)
		leave_network(ss, s);
	else
		return false;
	return true;
}

/* What the connection has noted for others than its user. */
static void pass_notes_on(struct sockets *ss, struct sock *s)
{
	struct tcp *c = s->tcp;

	if (c->state_log_len)
		trace_states(ss, s);
	if (s->fast_waits)
		fast_open_review(ss, s);
	if (c->notes)
		count_notes(ss, c);
	if (c->path_news) {
		c->path_news = false;
		sock_tell_path_mtu(ss, s);
	}
}

/* The plan is silent, as far as known or as asked. */
void sock_tcp_rest(struct sockets *ss, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	tcp_review_timers(s->tcp, x, SEND_NOTHING);
	if (!is_over(s->tcp) || !leave_when_over(ss, s))
		sock_tcp_wake_in_time(ss, s);
}

/* A timer that runs though nothing is outstanding stops if there is something to say now. */
static void ask_plan(struct sockets *ss, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	enum tcp_send next = tcp_next(s->tcp);

	if (next == SEND_NOTHING) {
		sock_tcp_rest(ss, s);
		return;
	}
	tcp_review_timers(s->tcp, x, next);
	sock_set_ready(ss, s);
	sock_tcp_wake_in_time(ss, s);
}

void sock_tcp_settle(struct sockets *ss, struct sock *s, uint32_t events)
{
	struct tcp *c = s->tcp;

	if (c->state_log_len || c->notes || s->fast_waits || (c->unusual && c->path_news))
		pass_notes_on(ss, s);
	if (events)
		tell_user(ss, s, events);
	if (!s->writable && sock_tcp_writable(s)) { /* room has come back, or writing now fails */
		s->writable = true;
		sock_news(ss, s, NEWS_OUT);
	}
	/* One that is on a list already is asked when its turn comes, and settled after that. */
	if (list_empty(&s->ready_link) || is_over(c)) {
		if (!tcp_may_speak(c)) {
			sock_tcp_rest(ss, s);
			return;
		}
		if (tcp_waits_for_timer(c) || is_over(c)) {
			ask_plan(ss, s);
			return;
		}
		sock_set_ready(ss, s);
	}
	sock_tcp_wake_in_time(ss, s);
}

/* Sending makes no news, but for a user who waits until less is unsent. */
void sock_tcp_sent(struct sockets *ss, struct sock *s)
{
	if (!tcp_is_calm(s->tcp) || s->tcp->notes || !s->writable || tcp_may_speak(s->tcp))
		sock_tcp_settle(ss, s, 0);
	else
		sock_tcp_rest(ss, s);
}

/* It waits for its turn, and for nothing that had not begun before. */
void sock_tcp_given(struct sockets *ss, struct sock *s)
{
	if (!tcp_is_calm(s->tcp) || tcp_waits_for_timer(s->tcp))
		sock_tcp_settle(ss, s, 0);
	else
		sock_set_ready(ss, s);
}

void sock_tcp_on_timer(struct sockets *ss, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tcp_time_result r = tcp_on_time(s->tcp, x);

	trace_timer(ss, s, r.timer);
	if (r.timer)
		trace_sample(ss, s);
	if (r.timer && text_equal(r.timer, "rto"))
		ss->counters[COUNT_TCP_TIMEOUTS]++;
	if (r.suspect) {
		struct neigh *n = neigh_find(ss->net, s->out_ifindex, &s->next_hop);

		if (n)
			neigh_suspect(ss->net, n);
	}
	sock_tcp_settle(ss, s, r.events);
}
