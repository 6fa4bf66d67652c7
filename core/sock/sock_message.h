/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_message.h - short ways of stream sockets: see tcp_message.h.
 */
#ifndef TERN_SOCK_MESSAGE_H
#define TERN_SOCK_MESSAGE_H

#include "../tcp/tcp_message.h"
#include "sock.h"

/* The socket of the connection that was found last, if that has these ports; NULL: it has not. */
static inline struct sock *sock_tcp_recent(const struct sockets *ss, uint32_t from_and_to)
{
	struct tuple *t = ss->recent;

	if (!t || t->kind != TUPLE_SOCK || t->proto != TERN_IPPROTO_TCP ||
	    from_and_to != ((uint32_t)t->rport << 16 | t->lport))
		return NULL;
	return CONTAINER_OF(t, struct sock, t);
}

/* As sock_tcp_input, without a reply. false: it is no such message, nothing has happened. */
bool sock_tcp_input_message(struct sockets *, struct sock *, const struct tcp_seg *);

/* A deadline that moves later, or goes, costs nothing: the timer fires early and is armed anew. */
static inline void sock_tcp_wake_in_time(struct sockets *ss, struct sock *s)
{
	tern_time deadline = tcp_deadline(s->tcp);

	if (deadline < s->timer.at)
		timers_arm(ss->timers, &s->timer, deadline);
}

/* ---- what follows: sock_settle.c, where nothing is to be told or asked beside a message ---- */

static inline bool sock_tcp_is_all(const struct sock *s, const struct tcp *c)
{
	return s->writable && !c->notes && !c->work->refused;
}

/* After tcp_put_message. What is outstanding is timed: tcp_review_timers would change nothing. */
static inline void sock_tcp_message_sent(struct sockets *ss, struct sock *s)
{
	struct tcp *c = s->tcp;

	if (!sock_tcp_is_all(s, c)) {
		sock_tcp_sent(ss, s);
		return;
	}
	tcp_set_wait(c, sock_ctx(ss), WAIT_NETWORK);
	sock_tcp_wake_in_time(ss, s);
}

/* After tcp_input_message. */
static inline void sock_tcp_message_taken(struct sockets *ss, struct sock *s)
{
	struct tcp *c = s->tcp;

	if (!sock_tcp_is_all(s, c) || s->fast_waits || c->ack_due >= ACK_NOW ||
	    c->snd.nxt < c->snd.end || !list_empty(&s->ready_link)) {
		sock_tcp_settle(ss, s, TCP_READABLE);
		return;
	}
	sock_news(ss, s, NEWS_IN);
	tcp_set_wait(c, sock_ctx(ss), c->snd.una < c->snd.nxt ? WAIT_NETWORK : WAIT_NONE);
	sock_tcp_wake_in_time(ss, s);
}

/* sock_stream.c: as sock_tcp_send of one piece, without flags. */
int64_t sock_tcp_send_plain(struct sockets *, struct sock *, const void *, size_t len);
/* As sock_tcp_recv into one piece, without flags. */
int64_t sock_tcp_recv_plain(struct sockets *, struct sock *, void *, size_t len);

#endif
