/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_timewait.c - TIME-WAIT records: one list in the order in which they end, one timer.
 *
 * All records last equally long (2 MSL), so a record that begins or restarts goes to the tail.
 */
#include "sock_tcp.h"

static uint32_t tick_at(tern_time at)
{
	return (uint32_t)(at >> TW_TICK_SHIFT);
}

/* Ticks wrap in 52 days; what they name is near. */
tern_time time_wait_end_at(const struct sockets *ss, const struct time_wait *tw)
{
	tern_time now = ss->timers->now >> TW_TICK_SHIFT;
	int32_t left = (int32_t)(tw->end_tick - (uint32_t)now);

	return (now + (uint32_t)MAX(left, 0)) << TW_TICK_SHIFT;
}

static void arm_for_first(struct sockets *ss)
{
	const struct time_wait *first = CONTAINER_OF(ss->time_waits.next, struct time_wait, link);

	if (list_empty(&ss->time_waits)) {
		timers_disarm(ss->timers, &ss->time_wait_timer);
		return;
	}
	timers_arm(ss->timers, &ss->time_wait_timer, time_wait_end_at(ss, first));
}

static void restart(struct sockets *ss, struct time_wait *tw)
{
	/* Rounded up: 2 MSL at least. */
	tw->end_tick = tick_at(ss->timers->now + ss->cfg->tcp_time_wait_ms * TERN_MS) + 1;
	list_unlink(&tw->link);
	list_put_tail(&ss->time_waits, &tw->link);
	arm_for_first(ss);
}

void time_wait_end(struct sockets *ss, struct time_wait *tw)
{
	struct port *p = port_find(ss, tw->t.proto, tw->t.lport);

	assert(p && p->n_time_wait > 0);
	p->n_time_wait--;
	port_release(ss, p);
	tuple_remove(ss, &tw->t);
	list_unlink(&tw->link);
	mem_free(ss->mem, tw, sizeof(*tw));
	ss->n_time_wait--;
}

static void trace_end(struct sockets *ss, const struct time_wait *tw)
{
	struct state_change change = { &tw->t, tw->conn, TERN_TCP_TIME_WAIT, TERN_TCP_CLOSED,
				       false };

	trace_state(ss, &change);
}

/* It is over, or gives way: whoever watches is told. */
static COLD void close_record(struct sockets *ss, struct time_wait *tw)
{
	trace_end(ss, tw);
	time_wait_end(ss, tw);
}

static COLD void evict_oldest(struct sockets *ss)
{
	struct time_wait *tw = CONTAINER_OF(ss->time_waits.next, struct time_wait, link);

	ss->counters[COUNT_TCP_TW_OVERFLOW]++;
	close_record(ss, tw);
}

/*
 * The connection's tuple becomes the record's. Where there is no room, the record that would end
 * next gives way; without memory the connection is simply closed.
 */
void time_wait_begin(struct sockets *ss, struct sock *s)
{
	struct time_wait *tw = NULL;

	if (ss->n_time_wait >= ss->cfg->time_wait_max && ss->n_time_wait > 0)
		evict_oldest(ss);
	if (ss->n_time_wait < ss->cfg->time_wait_max)
		tw = mem_new(ss->mem, sizeof(*tw));
	if (!tw) {
		tuple_remove(ss, &s->t);
		ss->counters[COUNT_TCP_TW_OVERFLOW]++;
		return;
	}
	*tw = (struct time_wait){ .conn = s->conn };
	tw->t.local = s->t.local;
	tw->t.remote = s->t.remote;
	tw->t.lport = s->t.lport;
	tw->t.rport = s->t.rport;
	tw->t.proto = s->t.proto;
	tw->t.kind = TUPLE_TIME_WAIT;
	tw_init(&tw->tcp, &tw->t.flags, s->tcp);
	tw->t.flags |= s->reuseaddr ? TW_REUSEADDR : 0;
	tw->t.flags |= (uint8_t)(s->label_choice << TW_LABEL_SHIFT);
	list_init(&tw->link);
	tuple_replace(ss, &s->t, &tw->t);
	s->port->n_time_wait++;
	ss->n_time_wait++;
	ss->counters[COUNT_TCP_TW]++;
	restart(ss, tw);
}

void sock_time_wait_on_timer(struct sockets *ss)
{
	uint32_t now = tick_at(ss->timers->now);

	while (!list_empty(&ss->time_waits)) {
		struct time_wait *tw = CONTAINER_OF(ss->time_waits.next, struct time_wait, link);

		if ((int32_t)(tw->end_tick - now) > 0)
			break;
		close_record(ss, tw);
	}
	arm_for_first(ss);
}

/*
 * May connect have its name (net.ipv4.tcp_tw_reuse)? With timestamps on both sides, a second after
 * the last segment, old ones are told apart (RFC 6191 2, RFC 7323 appendix B.2).
 */
bool time_wait_may_go(const struct sockets *ss, const struct time_wait *tw)
{
	uint32_t whole = tick_at(ss->cfg->tcp_time_wait_ms * TERN_MS);
	int32_t age = (int32_t)(tick_at(ss->timers->now) - (tw->end_tick - whole));
	bool allowed =
		ss->cfg->tcp_tw_reuse == TW_REUSE_ALL ||
		(ss->cfg->tcp_tw_reuse == TW_REUSE_LOOPBACK && addr_is_loopback(&tw->t.remote));

	return allowed && (tw->t.flags & TCP_TW_TS) && ss->cfg->tcp_timestamps &&
	       age >= (int32_t)tick_at(TERN_SEC);
}

void time_wait_give_way(struct sockets *ss, const struct tuple *name, struct min_iss *min_iss)
{
	struct tuple *t = tuple_find(ss, name);
	struct time_wait *tw = t ? CONTAINER_OF(t, struct time_wait, t) : NULL;

	if (!tw)
		return;
	*min_iss = (struct min_iss){ true, tw->tcp.snd_nxt };
	close_record(ss, tw);
}

static void reply_tw_ack(struct sockets *ss, const struct time_wait *tw, struct tcp_reply *reply)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	tw_ack(&tw->tcp, tw->t.flags, x, tcp_ts_offset(ss, &tw->t), &reply->h);
	reply->h.src_port = tw->t.lport;
	reply->h.dst_port = tw->t.rport;
	reply->label_choice = tw->t.flags >> TW_LABEL_SHIFT & 3;
	reply->due = true;
}

enum tern_drop input_to_time_wait(struct sockets *ss, struct time_wait *tw,
				  const struct tcp_packet *p, struct tcp_reply *reply)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tcp_packet again = *p;
	struct tuple key = tw->t;
	enum tern_drop drop = TERN_DROP_TCP_TIME_WAIT;

	reply->conn = tw->conn;
	switch (tw_input(&tw->tcp, &tw->t.flags, x, &p->seg)) {
	case TW_DROP:
		break;
	case TW_ACK:
		reply_tw_ack(ss, tw, reply);
		break;
	case TW_ACK_RESTART:
		reply_tw_ack(ss, tw, reply);
		restart(ss, tw);
		return TERN_DROP_NONE;
	case TW_END:
		close_record(ss, tw);
		break;
	case TW_NEW_SYN:
		if (!port_match(ss, &key, p->ifindex))
			break;
		again.min_iss = (struct min_iss){ true, tw->tcp.snd_nxt };
		close_record(ss, tw);
		key.in_table = false;
		key.flags = 0;
		input_to_listener(ss, &key, &again, reply, &drop);
		break;
	}
	return drop;
}
