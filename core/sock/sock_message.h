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

#endif
