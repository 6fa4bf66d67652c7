/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - a program as others write them, for test/peers/posix.peer, which compiles it with
 * tern_posix_map.h.
 *
 * usage: peer call HOST PORT      standard input goes there, what comes goes to standard output
 *        peer serve HOST PORT     echoes one connection
 *        peer ask HOST PORT       one datagram "ping", and the answer
 *        peer interfaces          their names and addresses
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	return 1;
}

static struct addrinfo *find(const char *host, const char *port, int type)
{
	struct addrinfo hints = { .ai_socktype = type }, *list = NULL;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err)
		fprintf(stderr, "peer: %s: %s\n", host, gai_strerror(err));
	return err ? NULL : list;
}

static int put_all(int fd, const char *bytes, ssize_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, bytes, (size_t)n);

		if (k < 0)
			return -1;
		bytes += k;
		n -= k;
	}
	return 0;
}

struct way {
	char bytes[16384];
	ssize_t n, done; /* read from standard input; sent */
	int in;		 /* -1: it has ended */
};

/* From standard input, as much as the socket takes now. */
static int give(struct way *w, int fd)
{
	ssize_t k;

	if (w->done == w->n) {
		w->n = read(w->in, w->bytes, sizeof(w->bytes));
		w->done = 0;
	}
	if (w->n <= 0) {
		w->n = w->done = 0;
		w->in = -1;
		return shutdown(fd, SHUT_WR);
	}
	k = send(fd, w->bytes + w->done, (size_t)(w->n - w->done), MSG_DONTWAIT);
	w->done += k > 0 ? k : 0;
	return k < 0 && errno != EAGAIN ? -1 : 0;
}

/* Both ways at once, until the other has ended. */
static int talk(int fd)
{
	struct way w = { .in = STDIN_FILENO };
	char bytes[16384];
	ssize_t n = 1;

	while (n > 0) {
		bool full = w.done < w.n;
		struct pollfd p[2] = { { full ? -1 : w.in, POLLIN, 0 },
				       { fd, (short)(POLLIN | (full ? POLLOUT : 0)), 0 } };

		if (poll(p, 2, -1) < 0)
			return fail("poll");
		if ((p[0].revents || (p[1].revents & POLLOUT)) && give(&w, fd))
			return fail("send");
		if (!(p[1].revents & ~POLLOUT))
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 || put_all(STDOUT_FILENO, bytes, n))
			return fail("read");
	}
	return 0;
}

static int call(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen))
		return fail("connect");
	return talk(fd);
}

static int serve(const struct addrinfo *a)
{
	int l = socket(a->ai_family, a->ai_socktype, a->ai_protocol), fd;
	char bytes[16384];
	ssize_t n;

	if (l < 0 || bind(l, a->ai_addr, a->ai_addrlen) || listen(l, 4))
		return fail("listen");
	fd = accept(l, NULL, NULL);
	if (fd < 0)
		return fail("accept");
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (put_all(fd, bytes, n))
			return fail("write");
	return n < 0 ? fail("read") : close(fd) != 0;
}

/* A first datagram may be lost while a device comes up. */
static int ask(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
	struct timeval t = { 1, 0 };
	char bytes[64];
	ssize_t n = -1;

	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)))
		return fail("connect");
	for (int i = 0; i < 5 && n < 0; i++)
		if (send(fd, "ping", 4, 0) == 4)
			n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return fail("no answer");
	return put_all(STDOUT_FILENO, bytes, n) != 0;
}

static int tell_interfaces(void)
{
	struct ifaddrs *list;

	if (getifaddrs(&list))
		return fail("getifaddrs");
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		char host[NI_MAXHOST];
		socklen_t len = a->ifa_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
								     sizeof(struct sockaddr_in);

		if (getnameinfo(a->ifa_addr, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0)
			printf("%s %s\n", a->ifa_name, host);
	}
	freeifaddrs(list);
	return 0;
}

int main(int argc, char **argv)
{
	struct addrinfo *a;
	int type;

	if (argc == 2 && strcmp(argv[1], "interfaces") == 0)
		return tell_interfaces();
	if (argc != 4)
		return 2;
	type = strcmp(argv[1], "ask") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	a = find(argv[2], argv[3], type);
	if (!a)
		return 1;
	if (type == SOCK_DGRAM)
		return ask(a);
	return strcmp(argv[1], "serve") == 0 ? serve(a) : call(a);
}
