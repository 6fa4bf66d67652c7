/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_fixture.h - a stack ("the inside", 10.0.2.15 and fd00:2::f) behind a gateway (10.0.2.2 and
 * fd00:2::2) over a wire in the process, and sockets of the host's that the test makes itself.
 */
#ifndef TERN_GATEWAY_FIXTURE_H
#define TERN_GATEWAY_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#include "../../host/gateway/gateway.h"

static struct loop l;
static struct tern_stack *st; /* the inside */
static struct gateway *g;
static struct gateway_wish wish;

enum { WAIT_SECONDS = 30 };

/* One round of everything; sleeps at most a few milliseconds. */
static inline void turn(void)
{
	struct pollfd own;
	struct tern_event ev;
	tern_time until = loop_now() + 2 * TERN_MS;

	loop_pump(&l);
	while (tern_event(st, &ev))
		continue;
	if (g) {
		gateway_turn(g);
		if (gateway_deadline(g) < until)
			until = gateway_deadline(g);
	}
	own = (struct pollfd){ g ? gateway_fd(g) : -1, POLLIN, 0 };
	loop_wait(&l, until, &own, 1);
}

/* Rounds until it is so; that it never is, is a failure. */
#define wait_until(cond)                                                                           \
	do {                                                                                       \
		tern_time end_ = loop_now() + WAIT_SECONDS * TERN_SEC;                             \
		bool so_;                                                                          \
		while (!(so_ = (cond)) && loop_now() < end_)                                       \
			turn();                                                                    \
		if (!so_)                                                                          \
			test_fail(__FILE__, __LINE__, "never came true: %s", #cond);               \
	} while (0)

static inline void turns(int n)
{
	while (n-- > 0)
		turn();
}

static inline struct tern_addr own_addr(int family, uint16_t port)
{
	struct tern_addr a = tern_ip4(10, 0, 2, 2, port);

	if (family == AF_INET6)
		a = (struct tern_addr){ .family = TERN_AF_INET6,
					.port = port,
					.ip = { 0xfd, [3] = 2, [15] = 2 } };
	return a;
}

static inline void default_route(int family)
{
	struct tern_route r = { .dst = { .family = (uint16_t)family }, .ifindex = 2 };

	check_eq(tern_route_add(st, &r), 0);
}

/* `wish` may have been filled in before; close_world empties it. */
static inline void open_world(void)
{
	struct tern_addr v4 = tern_ip4(10, 0, 2, 15, 0);
	struct tern_addr v6 = { .family = TERN_AF_INET6, .ip = { 0xfd, [3] = 2, [15] = 15 } };
	struct dev_wish w = { .mtu = 0 };
	struct dev *end[2];
	struct tern_config cfg;

	loop_init(&l);
	check(pipe_open(end, &w));
	tern_config_default(&cfg);
	st = loop_new_stack(&l, &cfg, NULL, NULL);
	check_eq(loop_add(&l, st, end[0]), 2);
	check_eq(tern_addr_add(st, 2, &v4, 24), 0);
	check_eq(tern_addr_add(st, 2, &v6, 64), 0);
	default_route(TERN_AF_INET);
	default_route(TERN_AF_INET6);
	wish.addr = own_addr(AF_INET, 0);
	wish.addr6 = own_addr(AF_INET6, 0);
	g = gateway_new(&l, end[1], &wish);
	if (!g) {
		test_fail(__FILE__, __LINE__, "no gateway: %s", wish.error);
		exit(1);
	}
}

static inline void close_world(void)
{
	for (unsigned i = 0; i < l.n_stacks; i++)
		tern_check(l.stack[i]);
	gateway_free(g);
	g = NULL;
	loop_fini(&l);
	memset(&wish, 0, sizeof(wish));
}

/* ---- sockets of the host's, on its loopback ---- */

static inline uint16_t port_of(int fd)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);

	check_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin6_port); /* where sin_port is, too */
}

static inline socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	memset(out, 0, sizeof(*out));
	if (family == AF_INET)
		memcpy(out, &v4, sizeof(v4));
	else
		memcpy(out, &v6, sizeof(v6));
	return family == AF_INET ? sizeof(v4) : sizeof(v6);
}

/* A bound socket; *port 0: one is chosen. */
static inline int host_bind(int family, int type, uint16_t *port)
{
	struct sockaddr_storage a;
	socklen_t len = loopback(family, *port, &a);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	check(fd >= 0);
	check_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	*port = port_of(fd);
	return fd;
}

static inline int host_listen(int family, int backlog, uint16_t *port)
{
	int fd = host_bind(family, SOCK_STREAM, port);

	check_eq(listen(fd, backlog), 0);
	return fd;
}

static inline int host_connect(int family, int type, uint16_t port)
{
	struct sockaddr_storage a;
	socklen_t len = loopback(family, port, &a);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	check(fd >= 0);
	check(connect(fd, (struct sockaddr *)&a, len) == 0 || errno == EINPROGRESS);
	return fd;
}

static inline int accept_now(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline void host_reset(int fd)
{
	struct linger at_once = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* ---- streams of the inside's ---- */

static inline tern_sock inner_connect(const struct tern_addr *to)
{
	tern_sock s = 0;

	check_eq(tern_socket(st, to->family, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(st, s, to), -TERN_EINPROGRESS);
	return s;
}

static inline int inner_error(tern_sock s)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	return err;
}

static inline bool is_open(tern_sock s)
{
	unsigned bad = TERN_POLLERR | TERN_POLLHUP;

	return (tern_poll(st, s) & (TERN_POLLOUT | bad)) == TERN_POLLOUT;
}

/* A listener of the host's and a stream from inside to it, both ends open. */
struct stream {
	int listener, outer;
	tern_sock inner;
	uint16_t port;
};

static inline struct stream open_stream(int family)
{
	struct stream s = { .port = 0 };
	struct tern_addr to;

	s.listener = host_listen(family, 16, &s.port);
	to = own_addr(family, s.port);
	s.inner = inner_connect(&to);
	wait_until(is_open(s.inner));
	s.outer = accept_now(s.listener);
	check(s.outer >= 0);
	return s;
}

static inline void close_stream(struct stream *s)
{
	close(s->listener);
	if (s->outer >= 0)
		close(s->outer);
	tern_abort(st, s->inner);
}

/* ---- bytes that can be told apart ---- */

static inline uint8_t byte_at(uint64_t pos)
{
	return (uint8_t)(pos * 131 + (pos >> 8) * 7 + (pos >> 16));
}

static inline void fill(uint8_t *out, size_t len, uint64_t pos)
{
	for (size_t i = 0; i < len; i++)
		out[i] = byte_at(pos + i);
}

static inline bool is_filled(const uint8_t *bytes, size_t len, uint64_t pos)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(pos + i))
			return false;
	return true;
}

#endif
