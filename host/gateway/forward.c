/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward.c - ports of the host's that lead inside.
 *
 * A connection is taken and called on to its destination by a stream of the gateway's stack, from a
 * port that the stack picks; if nobody listens there, whoever came is reset. Datagrams make flows
 * by where they came from, each with a socket of its own inside. When descriptors run out, those
 * who wait are taken later: the set tells of them once, so they are asked for again by the clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow_tcp.h"

static const tern_time RETRY = 100 * TERN_MS;
enum { FORWARD_SHARE = 64, BACKLOG = 1024 };

struct forward {
	struct source src;
	struct list link;
	struct gateway_forward wish;
	uint32_t number;
	bool waits; /* it has more, or had no descriptor */
};

struct back_flow {
	struct flow f; /* inner is who came from outside */
	struct forward *forward;
	tern_sock s;
};

/* ---- streams ---- */

static void turn_away(int fd)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void take_streams(struct gateway *g, struct forward *w)
{
	for (int i = 0; i < FORWARD_SHARE; i++) {
		int yes = 1, fd = accept4(w->src.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EAGAIN || !note_starved(g, -errno))) {
			w->waits = errno != EAGAIN && errno != EINVAL; /* that one has gone again */
			return;
		}
		w->waits = true;
		if (fd < 0) {
			g->forwards_at = g->now + RETRY;
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		if (!tcp_flow_from_host(g, fd, &w->wish.to))
			turn_away(fd);
	}
	g->forwards_at = g->now;
}

/* ---- datagrams ---- */

static void move_back(struct gateway *g, struct flow *f)
{
	struct back_flow *b = CONTAINER_OF(f, struct back_flow, f);
	struct sockaddr_storage to;
	socklen_t len = sockaddr_from(&f->inner, &to);

	for (int i = 0; i < FORWARD_SHARE; i++) {
		int64_t n = tern_recv(g->st, b->s, g->scratch, SCRATCH_CAP, 0);

		if (n == -TERN_EAGAIN)
			return;
		if (n < 0)
			continue; /* refused inside: whoever asked hears nothing */
		flow_set_age(g, f, AGE_IDLE);
		if (sendto(b->forward->src.fd, g->scratch, (size_t)n, MSG_NOSIGNAL,
			   (struct sockaddr *)&to, len) >= 0)
			g->counts.bytes_out += (uint64_t)n;
	}
	flow_wake(g, f);
}

static void close_back(struct gateway *g, struct flow *f)
{
	tern_close(g->st, CONTAINER_OF(f, struct back_flow, f)->s);
}

static const struct flow_ops back_ops = { FLOW_UDP, move_back, flow_end, close_back };

static struct flow *new_back_flow(struct gateway *g, struct forward *w,
				  const struct tern_addr *peer)
{
	struct back_flow *b = flow_new(g, &back_ops, sizeof(*b));
	const struct tern_addr *to = &w->wish.to;

	if (!b) {
		g->counts.starved++;
		return NULL;
	}
	b->forward = w;
	b->f.inner = *peer;
	if (tern_socket(g->st, to->family, TERN_SOCK_DGRAM, 0, &b->s) != 0 ||
	    tern_connect(g->st, b->s, to) != 0) {
		flow_end(g, &b->f);
		return NULL;
	}
	tern_set_user(g->st, b->s, &b->f);
	g->counts.forwarded++;
	return &b->f;
}

static void hand_to_inside(struct gateway *g, struct forward *w, const struct tern_addr *peer,
			   size_t len)
{
	struct tern_addr nowhere = { .family = peer->family };
	struct flow_key key = flow_key(FLOW_UDP, peer, &nowhere);
	struct flow *f;

	key.forward = w->number;
	f = flow_find(g, &key);
	if (!f) {
		f = new_back_flow(g, w, peer);
		if (!f)
			return;
		flow_put(g, f, &key);
	}
	flow_set_age(g, f, f->age == AGE_IDLE ? AGE_IDLE : AGE_FRESH);
	if (tern_send(g->st, CONTAINER_OF(f, struct back_flow, f)->s, g->scratch, len, 0) >= 0)
		g->counts.bytes_in += len;
}

static void take_datagrams(struct gateway *g, struct forward *w)
{
	w->waits = false;
	for (int i = 0; i < FORWARD_SHARE; i++) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		struct tern_addr peer;
		ssize_t n = recvfrom(w->src.fd, g->scratch, SCRATCH_CAP, 0,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue; /* an answer of ours was refused */
		peer = sockaddr_to(&from);
		hand_to_inside(g, w, &peer, (size_t)n);
	}
	w->waits = true;
	g->forwards_at = g->now;
}

/* ---- the port ---- */

static void take_all(struct gateway *g, struct forward *w)
{
	if (w->wish.udp)
		take_datagrams(g, w);
	else
		take_streams(g, w);
}

static void on_forward_ready(struct gateway *g, struct source *src, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLERR))
		take_all(g, CONTAINER_OF(src, struct forward, src));
}

void forwards_retry(struct gateway *g)
{
	if (g->now < g->forwards_at)
		return;
	g->forwards_at = TERN_NEVER;
	for (struct list *l = g->forwards.next; l != &g->forwards; l = l->next) {
		struct forward *w = CONTAINER_OF(l, struct forward, link);

		if (w->waits)
			take_all(g, w);
	}
}

void forwards_fini(struct gateway *g)
{
	struct list *l;

	while ((l = list_take(&g->forwards))) {
		struct forward *w = CONTAINER_OF(l, struct forward, link);

		source_end(g, &w->src, false);
		free(w);
	}
}

static int open_port(const struct gateway_forward *wish)
{
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_from(&wish->at, &addr);
	int fd = host_socket(wish->at.family, wish->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	int yes = 1, err;

	if (fd < 0)
		return fd;
	if (!wish->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (wish->at.family == TERN_AF_INET6) /* the IPv4 port of that number is another wish */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&addr, len) == 0 && (wish->udp || listen(fd, BACKLOG) == 0))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int check_wish(const struct gateway_forward *w)
{
	bool named = (w->at.family == TERN_AF_INET || w->at.family == TERN_AF_INET6) &&
		     (w->to.family == TERN_AF_INET || w->to.family == TERN_AF_INET6);

	return !named ? -EAFNOSUPPORT : w->to.port == 0 ? -EINVAL : 0;
}

int gateway_forward(struct gateway *g, const struct gateway_forward *wish)
{
	int err = check_wish(wish);
	struct forward *w = err ? NULL : calloc(1, sizeof(*w));
	int fd = w ? open_port(wish) : err ? err : -ENOMEM;

	if (fd < 0) {
		free(w);
		return fd;
	}
	w->src = (struct source){ -1, on_forward_ready };
	w->wish = *wish;
	w->number = ++g->n_forwards;
	if (!source_add(g, &w->src, fd)) {
		err = -errno;
		close(fd);
		free(w);
		return err;
	}
	list_put_tail(&g->forwards, &w->link);
	return 0;
}
