/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_pressure.c - memory has run out: who gives way, and who waits?
 *
 * After each refusal some connections are looked at, in turn, a few times; each time one of them
 * gives way, the first of these that is found:
 *
 *	1. text ahead of a gap goes: it was told in SACK blocks alone, the peer still has it
 *	   (RFC 2018 8);
 *	2. a connection whose user has gone is reset;
 *	3. a connection whose peer shows no room is reset (RFC 6429; RFC 9293 3.8.6.1 leaves it
 *	   open), its user gets ENOBUFS;
 *	4. the same with one whose peer shows some, and takes next to nothing.
 *
 * Of one kind, the one that has waited longest. All others only do without what they asked for. As
 * few are looked at for one refusal, a flood of them costs no more than its packets.
 */
#include "sock_tcp.h"

/* Connections, and buckets: the table keeps the size that it once needed. */
enum { LOOKED_AT = 64, LOOKED_INTO = 512 };

enum claim { CLAIM_GOOD, CLAIM_SLOW, CLAIM_STALLED, CLAIM_ORPHAN, CLAIM_EARLY_TEXT };

static enum claim claim_of(const struct sockets *ss, const struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	if (s->tcp->early)
		return CLAIM_EARLY_TEXT;
	if (s->orphan)
		return CLAIM_ORPHAN;
	if (s->tcp->probing && s->tcp->snd.wnd == 0)
		return CLAIM_STALLED;
	return tcp_is_taken_slowly(s->tcp, x) ? CLAIM_SLOW : CLAIM_GOOD;
}

/* Since when, in units of tcp_ms: compared by difference. */
static uint32_t waits_since(const struct sock *s, enum claim claim)
{
	switch (claim) {
	case CLAIM_SLOW:
		return (uint32_t)(s->tcp->work->taking_since / TERN_MS);
	case CLAIM_STALLED:
		return (uint32_t)(s->tcp->work->first_rtx_at / TERN_MS);
	default:
		return s->tcp->rcvd_ms;
	}
}

static bool is_weaker(const struct sockets *ss, const struct sock *a, const struct sock *b)
{
	enum claim of_a = claim_of(ss, a), of_b = claim_of(ss, b);

	if (of_a != of_b)
		return of_a > of_b;
	return (int32_t)(waits_since(a, of_a) - waits_since(b, of_a)) < 0;
}

static struct sock *connection_of(struct table_node *n)
{
	struct tuple *t = CONTAINER_OF(n, struct tuple, node);
	struct sock *s = CONTAINER_OF(t, struct sock, t);

	return t->kind == TUPLE_SOCK && sock_is_stream(s) && s->tcp ? s : NULL;
}

static struct sock *find_weakest(struct sockets *ss)
{
	struct sock *weakest = NULL;
	uint32_t left = LOOKED_INTO;

	for (unsigned i = 0; i < LOOKED_AT && left; i++) {
		struct table_node *n = table_walk_some(&ss->tuples, &ss->pressure_at, &left);
		struct sock *s = n ? connection_of(n) : NULL;

		if (!n && left)
			ss->pressure_at = 0;
		if (s && claim_of(ss, s) != CLAIM_GOOD && (!weakest || is_weaker(ss, s, weakest)))
			weakest = s;
	}
	return weakest;
}

static void take_from_weakest(struct sockets *ss, bool harmlessly)
{
	struct sock *s = find_weakest(ss);
	const struct tcp_ctx *x = sock_ctx(ss);

	if (!s || (harmlessly && claim_of(ss, s) != CLAIM_EARLY_TEXT))
		return;
	if (claim_of(ss, s) == CLAIM_EARLY_TEXT) {
		tcp_renege(s->tcp, x);
		ss->counters[COUNT_TCP_OFO_PRUNED]++;
		return;
	}
	ss->counters[COUNT_TCP_ABORT_ON_MEMORY]++;
	tcp_abort(s->tcp, x, TERN_ENOBUFS);
	sock_tcp_settle(ss, s, TCP_ENDED);
}

/*
 * Records of one size are of little use to who needs another, so one victim may not do; and who
 * comes next needs several: a record, buffers of both directions, what a flight needs. Beyond the
 * first only text that the peer still has goes for that.
 */
enum { VICTIMS = 4, VICTIMS_MAX = 16, RESERVE = 32768 };

COLD void sockets_relieve(struct sockets *ss)
{
	ss->mem->refused = false;
	for (unsigned i = 0; i < VICTIMS_MAX; i++) {
		if (i >= VICTIMS && mem_max_of_pieces(ss->mem) >= ss->mem->used + RESERVE)
			return;
		take_from_weakest(ss, i >= VICTIMS);
	}
}

/* ---- who waits ---- */

/* Nothing tells when there is memory again: a stream that was refused some asks again soon. */
enum { ASK_AGAIN_MS = 50 };

COLD int sock_wait_for_memory(struct sockets *ss, struct sock *s)
{
	s->starved = true;
	s->writable = false;
	if (!timer_armed(&ss->memory_timer))
		timers_arm(ss->timers, &ss->memory_timer, ss->timers->now + ASK_AGAIN_MS * TERN_MS);
	sock_tcp_settle(ss, s, 0); /* what was taken before the refusal has its time to go back */
	return -TERN_EAGAIN;
}

COLD void sock_memory_on_timer(struct sockets *ss)
{
	for (uint32_t i = 0; i < ss->n_slots; i++) {
		struct sock *s = sock_at(ss, i);

		if (!s || !s->starved)
			continue;
		s->starved = false;
		if (s->tcp && !s->writable && sock_tcp_writable(s)) {
			s->writable = true;
			sock_news(ss, s, NEWS_OUT);
		}
	}
}
