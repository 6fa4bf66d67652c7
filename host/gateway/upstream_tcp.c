/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream_tcp.c - is there somebody at the other end of this stream?
 *
 * Without a proxy the answer is connect's. With one a second conversation follows on the same
 * socket before it is the stream's, and the answer is the server's. Both end in one word: open,
 * refused (a port where nobody listens), or dead (everything else, of which the caller of a real
 * network would hear nothing). Who is silent is given up by the flow's age.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway_impl.h"
#include "socks5.h"

static void set_up_stream(int fd)
{
	int yes = 1;

	/* the inside has decided what goes together, and whether to wait */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static enum dial_state open_socket(struct gateway *g, struct dial *d, const struct tern_addr *to)
{
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_from(to, &addr);
	int fd = host_socket(to->family, SOCK_STREAM, 0);

	if (note_starved(g, fd) || fd < 0)
		return DIAL_DEAD;
	set_up_stream(fd);
	/* before connect, so that no edge is missed */
	if (!source_add(g, &d->src, fd)) {
		note_starved(g, -errno);
		close(fd);
		return DIAL_DEAD;
	}
	if (connect(fd, (struct sockaddr *)&addr, len) == 0 || errno == EINPROGRESS)
		return DIAL_GOING;
	return errno == ECONNREFUSED ? DIAL_REFUSED : DIAL_DEAD;
}

enum dial_state dial_start(struct gateway *g, struct dial *d, const struct tern_addr *to)
{
	const struct tern_addr *server = &g->wish.socks;
	struct tern_addr there;
	enum dial_state state;

	d->src.fd = -1;
	if (!outside_of(g, to, &there))
		return is_own_address(g, to) ? DIAL_REFUSED : DIAL_DEAD;
	if (!server->family || is_own_address(g, to)) {
		state = open_socket(g, d, &there);
	} else {
		struct socks5_ask ask = { SOCKS5_CONNECT, there, g->wish.socks_user,
					  g->wish.socks_password };

		d->proxy = malloc(sizeof(*d->proxy));
		if (!d->proxy) {
			note_starved(g, -ENOMEM);
			return DIAL_DEAD;
		}
		socks5_begin(d->proxy, &ask);
		state = open_socket(g, d, server);
		if (state == DIAL_REFUSED) /* that is the server's own port */
			state = DIAL_DEAD;
	}
	if (state != DIAL_GOING)
		dial_end(g, d, false);
	return state;
}

/* false: nothing more for now, or *state says how it ended. */
static bool talk_once(struct dial *d, enum dial_state *state)
{
	uint8_t bytes[SOCKS5_IN_MAX];
	size_t len, wants = socks5_wants(d->proxy);
	const uint8_t *out = socks5_out(d->proxy, &len);
	ssize_t n =
		len ? send(d->src.fd, out, len, MSG_NOSIGNAL) : recv(d->src.fd, bytes, wants, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		*state = DIAL_DEAD;
		return false;
	}
	if (len)
		socks5_sent(d->proxy, (size_t)n);
	else
		socks5_input(d->proxy, bytes, (size_t)n);
	return true;
}

static enum dial_state talk_to_proxy(struct dial *d)
{
	enum dial_state state = DIAL_GOING;

	while (socks5_status(d->proxy) == SOCKS5_GOING && talk_once(d, &state))
		continue;
	switch (socks5_status(d->proxy)) {
	case SOCKS5_GOING:
		return state;
	case SOCKS5_DONE:
		free(d->proxy);
		d->proxy = NULL;
		return DIAL_OPEN;
	case SOCKS5_REFUSED:
		return DIAL_REFUSED;
	default:
		return DIAL_DEAD;
	}
}

enum dial_state dial_go_on(struct gateway *g, struct dial *d)
{
	struct tcp_info info;
	socklen_t len = sizeof(info), err_len = sizeof(int);
	int err = 0;

	(void)g;
	getsockopt(d->src.fd, SOL_SOCKET, SO_ERROR, &err, &err_len);
	if (err)
		return err == ECONNREFUSED && !d->proxy ? DIAL_REFUSED : DIAL_DEAD;
	/* the edge may be an early one: a socket that is not connected yet hangs up, too */
	if (getsockopt(d->src.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_CLOSE)
		return DIAL_GOING;
	return d->proxy ? talk_to_proxy(d) : DIAL_OPEN;
}

void dial_end(struct gateway *g, struct dial *d, bool reset)
{
	source_end(g, &d->src, reset);
	free(d->proxy);
	d->proxy = NULL;
}
