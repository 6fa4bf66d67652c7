/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * far.c - a server and its caller, which know nothing of tern: test/peers/posix.peer compiles them
 * both ways and lets each talk to the other over a wire.
 *
 *	far serve PORT          answers what it hears, by TCP and UDP, IPv6 and IPv4; epoll with edges
 *	far call HOST PORT N    N bytes there and back by TCP, some datagrams by UDP; 0: all were right
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16384, EVENTS = 16, DATAGRAMS = 20 };

static int opened(const char *host, const char *port, int type, int passive)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = passive ? AI_PASSIVE : 0 };
	struct addrinfo *list;
	int s, one = 1;

	hints.ai_family = passive ? AF_INET6 : AF_UNSPEC; /* which takes IPv4, too */
	if (getaddrinfo(host, port, &hints, &list) != 0)
		exit(2);
	s = socket(list->ai_family, type | (passive ? SOCK_NONBLOCK : 0), 0);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if ((passive ? bind : connect)(s, list->ai_addr, list->ai_addrlen) != 0) {
		perror("far");
		exit(2);
	}
	freeaddrinfo(list);
	if (passive && type == SOCK_STREAM)
		listen(s, 16);
	return s;
}

/* ---- the server ---- */

static void watch(int set, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd };

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

static void write_all(int fd, const char *bytes, ssize_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (sent < 0 && errno != EAGAIN)
			return;
		if (sent < 0)
			poll(&p, 1, -1);
		else
			bytes += sent, n -= sent;
	}
}

static void answer(int fd)
{
	char bytes[PIECE];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		write_all(fd, bytes, n);
	if (n == 0 || errno != EAGAIN)
		close(fd);
}

static void answer_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char bytes[PIECE];
	ssize_t n;

	while ((n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len)) >= 0) {
		sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, len);
		len = sizeof(from);
	}
}

static void serve(const char *port)
{
	int set = epoll_create1(0), l = opened(NULL, port, SOCK_STREAM, 1);
	int u = opened(NULL, port, SOCK_DGRAM, 1), fd;
	struct epoll_event ev[EVENTS];

	watch(set, l);
	watch(set, u);
	puts("serving");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(set, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == l)
				while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0)
					watch(set, fd);
			else if (ev[i].data.fd == u)
				answer_datagrams(u);
			else
				answer(ev[i].data.fd);
		}
	}
}

/* ---- the caller ---- */

static char byte_at(long i)
{
	return (char)(i * 31 + i / 251);
}

static int call(const char *host, const char *port, long total)
{
	int s = opened(host, port, SOCK_STREAM, 0), wrong = 0;
	long out = 0, in = 0;
	char bytes[PIECE];

	while (in < total) {
		struct pollfd p = { .fd = s,
				    .events = (short)(POLLIN | (out < total ? POLLOUT : 0)) };
		long n = total - out < PIECE ? total - out : PIECE;

		if (poll(&p, 1, 20000) <= 0)
			return 1;
		for (long i = 0; i < n; i++)
			bytes[i] = byte_at(out + i);
		n = p.revents & POLLOUT ? send(s, bytes, (size_t)n, MSG_DONTWAIT) : 0;
		out += n > 0 ? n : 0;
		n = p.revents & POLLIN ? recv(s, bytes, sizeof(bytes), MSG_DONTWAIT) : 0;
		for (long i = 0; i < n; i++)
			wrong |= bytes[i] != byte_at(in + i);
		in += n > 0 ? n : 0;
		if (out == total && p.revents & POLLOUT)
			shutdown(s, SHUT_WR);
		if (n == 0 && (p.revents & POLLIN))
			break;
	}
	close(s);
	printf("%ld bytes, %s\n", in, wrong ? "wrong" : "right");
	return wrong || in != total;
}

/* Each that comes back has to be right, and some have to: a device may lose the first. */
static int call_by_datagrams(const char *host, const char *port)
{
	int s = opened(host, port, SOCK_DGRAM, 0), good = 0;
	struct pollfd p = { .fd = s, .events = POLLIN };
	char bytes[1000], back[1000];

	for (int i = 0; i < DATAGRAMS; i++) {
		memset(bytes, 'a' + i, sizeof(bytes));
		send(s, bytes, (size_t)(i * 40), 0);
		if (poll(&p, 1, 500) != 1)
			continue;
		if (recv(s, back, sizeof(back), 0) != i * 40 || memcmp(bytes, back, (size_t)i * 40))
			return 1;
		good++;
	}
	close(s);
	printf("%d datagrams\n", good);
	return good < DATAGRAMS / 2;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc != 5 || strcmp(argv[1], "call") != 0)
		return 2;
	return call(argv[2], argv[3], atol(argv[4])) || call_by_datagrams(argv[2], argv[3]);
}
