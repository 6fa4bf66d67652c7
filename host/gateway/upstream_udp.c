/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_udp.c - where do datagrams of a flow go, and where do they come from?
 *
 * Without a proxy a flow is a connected socket of the host's, so that only its far end is heard and
 * a refusal is told. With a SOCKS5 server it is an association (RFC 1928 section 7): a stream that
 * stands for it, and a socket to the relay that the server names. Datagrams that come before the
 * server has answered wait, a few of them. When the stream ends, the association has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway_impl.h"
#include "socks5.h"

enum { WAITING_MAX = 8 };

struct waiting {
	struct tern_addr to;
	size_t len;
	uint8_t *bytes;
};

struct association {
	struct socks5 proto;
	bool dead;
	unsigned n_waiting;
	struct waiting waiting[WAITING_MAX];
};

static int open_to(struct gateway *g, struct source *src, int type, const struct tern_addr *to)
{
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_from(to, &addr);
	int fd = host_socket(to->family, type, 0), err = 0;

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM && !source_add(g, src, fd))
		err = -errno;
	if (!err && connect(fd, (struct sockaddr *)&addr, len) != 0 && errno != EINPROGRESS)
		err = -errno;
	if (!err && type == SOCK_DGRAM && !source_add(g, src, fd))
		err = -errno;
	if (err && src->fd >= 0)
		source_end(g, src, false);
	else if (err)
		close(fd);
	return err;
}

/* ---- the association ---- */

static void send_waiting(struct gateway *g, struct relay *r)
{
	struct association *a = r->via;

	for (unsigned i = 0; i < a->n_waiting; i++) {
		struct waiting *w = &a->waiting[i];

		memcpy(g->scratch + SCRATCH_OFF, w->bytes, w->len);
		relay_send(g, r, &w->to, w->len);
		free(w->bytes);
	}
	a->n_waiting = 0;
}

/* The relay is where the server says, on its own address where it names none (or a name). */
static void open_relay(struct gateway *g, struct relay *r)
{
	struct tern_addr at = r->via->proto.bound;
	struct tern_addr none = { .family = at.family, .port = at.port };

	if (at.family == TERN_AF_UNSPEC || memcmp(&at, &none, sizeof(at)) == 0) {
		at = g->wish.socks;
		at.port = r->via->proto.bound.port;
	}
	if (at.port == 0 || open_to(g, &r->src, SOCK_DGRAM, &at) != 0)
		r->via->dead = true;
	else
		send_waiting(g, r);
}

/* The next piece of the conversation; false: not now. */
static bool talk_on(struct relay *r)
{
	struct association *a = r->via;
	uint8_t bytes[SOCKS5_IN_MAX];
	size_t len, wants = socks5_wants(&a->proto);
	const uint8_t *out = socks5_out(&a->proto, &len);
	ssize_t n = len ? send(r->control.fd, out, len, MSG_NOSIGNAL) :
			  recv(r->control.fd, bytes, wants ? wants : sizeof(bytes), 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0)
		a->dead = true;
	else if (len)
		socks5_sent(&a->proto, (size_t)n);
	else if (wants)
		socks5_input(&a->proto, bytes, (size_t)n);
	return !a->dead; /* what comes after the reply means nothing */
}

static void on_control(struct gateway *g, struct source *src, uint32_t events)
{
	struct relay *r = CONTAINER_OF(src, struct relay, control);
	struct association *a = r->via;

	if (events & EPOLLERR)
		a->dead = true;
	while (!a->dead && talk_on(r)) {
		if (socks5_status(&a->proto) > SOCKS5_DONE)
			a->dead = true;
		else if (socks5_status(&a->proto) == SOCKS5_DONE && r->src.fd < 0)
			open_relay(g, r);
	}
	if (a->dead) /* its flow finds out */
		r->src.on_ready(g, &r->src, 0);
}

static int open_association(struct gateway *g, struct relay *r)
{
	struct socks5_ask ask = { SOCKS5_UDP_ASSOCIATE,
				  { .family = g->wish.socks.family },
				  g->wish.socks_user,
				  g->wish.socks_password };
	struct association *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	r->control = (struct source){ -1, on_control };
	socks5_begin(&a->proto, &ask);
	err = open_to(g, &r->control, SOCK_STREAM, &g->wish.socks);
	if (err) {
		free(a);
		return err;
	}
	r->via = a;
	return 0;
}

static int keep_waiting(struct association *a, const struct tern_addr *to, const uint8_t *bytes,
			size_t len)
{
	struct waiting *w = &a->waiting[a->n_waiting];

	if (a->n_waiting == WAITING_MAX)
		return 0;
	w->bytes = malloc(len + 1);
	if (!w->bytes)
		return 0;
	memcpy(w->bytes, bytes, len);
	w->to = *to;
	w->len = len;
	a->n_waiting++;
	return 0;
}

/* ---- the face ---- */

int relay_open(struct gateway *g, struct relay *r, const struct tern_addr *to)
{
	struct tern_addr there;
	int err;

	r->src.fd = r->control.fd = -1;
	if (!outside_of(g, to, &there))
		return is_own_address(g, to) ? -ECONNREFUSED : -ENETUNREACH;
	if (g->wish.socks.family && !is_own_address(g, to))
		err = open_association(g, r);
	else
		err = open_to(g, &r->src, SOCK_DGRAM, &there);
	note_starved(g, err);
	return err;
}

int relay_send(struct gateway *g, struct relay *r, const struct tern_addr *to, size_t len)
{
	uint8_t header[SOCKS5_UDP_HEADER_MAX], *at = g->scratch + SCRATCH_OFF;

	if (r->via && r->src.fd < 0)
		return keep_waiting(r->via, to, at, len);
	if (r->via) {
		size_t n = socks5_udp_emit(to, header);

		memcpy(at - n, header, n);
		at -= n;
		len += n;
	}
	return send(r->src.fd, at, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

ssize_t relay_recv(struct gateway *g, struct relay *r, size_t *off, struct tern_addr *from)
{
	ssize_t n = -EAGAIN;
	size_t header;

	*off = SCRATCH_OFF;
	while (r->src.fd >= 0) {
		n = recv(r->src.fd, g->scratch + SCRATCH_OFF, SCRATCH_CAP - SCRATCH_OFF, 0);
		if (n < 0)
			return -errno;
		if (!r->via)
			return n;
		header = socks5_udp_parse(g->scratch + SCRATCH_OFF, (size_t)n, from);
		if (header == 0)
			continue; /* not one for us */
		*off += header;
		return n - (ssize_t)header;
	}
	return n;
}

bool relay_is_dead(const struct relay *r)
{
	return r->via && r->via->dead;
}

void relay_end(struct gateway *g, struct relay *r)
{
	struct association *a = r->via;

	source_end(g, &r->src, false);
	if (!a)
		return;
	source_end(g, &r->control, false);
	for (unsigned i = 0; i < a->n_waiting; i++)
		free(a->waiting[i].bytes);
	free(a);
	r->via = NULL;
}
