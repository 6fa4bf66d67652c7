/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_listen.c - a listener: how it begins, gives out what has come, and ends.
 */
#include "sock_tcp.h"

int sock_tcp_listen(struct sockets *ss, struct sock *s, int backlog)
{
	uint32_t limit = MIN((uint32_t)backlog, ss->cfg->somaxconn);
	struct listener *l;
	int err;

	if (s->state == TERN_TCP_LISTEN) {
		s->listener->backlog = limit;
		return 0;
	}
	if (s->state != TERN_TCP_CLOSED || s->tcp)
		return -TERN_EINVAL;
	if (!s->port) {
		err = port_pick_for_bind(ss, s);
		if (err)
			return err;
	} else if (port_conflicts(ss, s, s->port, true)) {
		return -TERN_EADDRINUSE;
	}
	l = mem_new(ss->mem, sizeof(*l));
	if (!l)
		return -TERN_ENOMEM;
	*l = (struct listener){ .backlog = limit };
	list_init(&l->half);
	list_init(&l->unshown);
	list_init(&l->ready);
	s->listener = l;
	s->state = TERN_TCP_LISTEN;
	return 0;
}

int sock_tcp_accept(struct sockets *ss, struct sock *s, struct sock **out)
{
	struct sock *child;
	int err;

	if (s->state != TERN_TCP_LISTEN)
		return -TERN_EINVAL;
	if (list_empty(&s->listener->ready))
		return -TERN_EAGAIN;
	child = CONTAINER_OF(s->listener->ready.next, struct sock, news_link);
	err = sock_give_slot(ss, child);
	if (err)
		return err;
	list_unlink(&child->news_link);
	child->in_accept_queue = false;
	s->listener->n_ready--;
	*out = child;
	/* What arrived before accept is news for whoever watches it from now on. */
	sock_news(ss, child, NEWS_ALL);
	return 0;
}

/* Finished connections that nobody accepted are reset, half-open ones forgotten. */
void listener_end(struct sockets *ss, struct sock *s)
{
	struct listener *l = s->listener;
	const struct tcp_ctx *x = sock_ctx(ss);
	struct list *n;

	while ((n = list_take(&l->half)) || (n = list_take(&l->unshown)))
		half_end(ss, CONTAINER_OF(n, struct half, link));
	while ((n = list_take(&l->ready))) {
		struct sock *child = CONTAINER_OF(n, struct sock, news_link);

		child->in_accept_queue = false;
		child->tcp->user_gone = true;
		tcp_abort(child->tcp, x, 0);
		sock_tcp_settle(ss, child, 0);
	}
	l->n_half = l->n_ready = 0;
}

/* As on Linux: SHUT_RD ends listening, the socket may listen or connect again. */
int listener_shutdown(struct sockets *ss, struct sock *s, int how)
{
	if (how == TERN_SHUT_WR)
		return 0;
	listener_end(ss, s);
	mem_free(ss->mem, s->listener, sizeof(*s->listener));
	s->listener = NULL;
	s->state = TERN_TCP_CLOSED;
	if (!s->bound_port)
		port_detach(ss, s);
	sock_news(ss, s, NEWS_ALL);
	return 0;
}
