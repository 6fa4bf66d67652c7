/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets_bench.c - the cost of socket calls, by the calls alone: built once for the kernel's
 * sockets and once for those of tern_posix.h (names mapped), and run under tern run; see
 * bench/run-sockets.
 *
 *	sockets_bench pingpong COUNT [IDLE]   one thread, both ends, without blocking: round
 *	                                      trips of a byte, beside so many idle connections
 *	sockets_bench connect COUNT           the same: connect, accept, close both
 *	sockets_bench server PORT             answers each byte, one connection after the other
 *	sockets_bench client-pingpong COUNT PORT, client-connect COUNT PORT
 *	sockets_bench option COUNT            getsockopt, the least call about a socket
 *
 * Prints how many a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "sockets_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

static int listen_at(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t len = sizeof(*at);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)at, sizeof(*at)) != 0 || listen(fd, 4096) != 0)
		die("listen");
	getsockname(fd, (struct sockaddr *)at, &len);
	return fd;
}

static int stream(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	poll(&p, 1, 1000);
}

/* Without blocking, as all that follows. */
static int accept_one(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) {
		if (errno != EAGAIN)
			die("accept");
		wait_for(listener, POLLIN);
	}
	return fd;
}

static void open_both(int listener, const struct sockaddr_in *at, int fd[2])
{
	fd[0] = stream(SOCK_NONBLOCK);
	if (connect(fd[0], (const struct sockaddr *)at, sizeof(*at)) != 0 && errno != EINPROGRESS)
		die("connect");
	fd[1] = accept_one(listener);
}

static void pass(int from, int to)
{
	char byte = 'x';

	while (send(from, &byte, 1, 0) != 1) {
		if (errno != EAGAIN && errno != ENOTCONN)
			die("send");
		wait_for(from, POLLOUT);
	}
	while (recv(to, &byte, 1, 0) != 1) {
		if (errno != EAGAIN)
			die("recv");
		wait_for(to, POLLIN);
	}
}

static double pingpong(long count, long idle)
{
	struct sockaddr_in at = loopback(0);
	int listener = listen_at(&at), fd[2];
	double began;

	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (long i = 0; i <= idle; i++)
		open_both(listener, &at, fd);
	for (int i = 0; i < 1000; i++)
		pass(fd[0], fd[1]);
	began = seconds();
	for (long i = 0; i < count; i++) {
		pass(fd[0], fd[1]);
		pass(fd[1], fd[0]);
	}
	return (double)count / (seconds() - began);
}

static double connects(long count)
{
	struct sockaddr_in at = loopback(0);
	int listener = listen_at(&at), fd[2];
	double began = seconds();

	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (long i = 0; i < count; i++) {
		open_both(listener, &at, fd);
		close(fd[0]);
		close(fd[1]);
	}
	return (double)count / (seconds() - began);
}

static double options(long count)
{
	int fd = stream(0), type;
	double began = seconds();

	for (long i = 0; i < count; i++) {
		socklen_t len = sizeof(type);

		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	}
	return (double)count / (seconds() - began);
}

/* ---- two processes ---- */

static void serve(int port)
{
	struct sockaddr_in at = loopback(port);
	int listener = listen_at(&at), one = 1;
	char bytes[4096];
	ssize_t n;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
			if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) < 0)
				break;
		close(fd);
	}
}

static int call(int port)
{
	struct sockaddr_in at = loopback(port);
	int fd = stream(0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("connect");
	return fd;
}

static double client_pingpong(long count, int port)
{
	int fd = call(port);
	char byte = 'x';
	double began = seconds();

	for (long i = 0; i < count; i++)
		if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
			die("round trip");
	return (double)count / (seconds() - began);
}

static double client_connects(long count, int port)
{
	double began = seconds();

	for (long i = 0; i < count; i++)
		close(call(port));
	return (double)count / (seconds() - began);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	const char *what = argc > 2 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0, second = argc > 3 ? atol(argv[3]) : 0;
	double rate = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (strcmp(what, "pingpong") == 0)
		rate = pingpong(n, second);
	else if (strcmp(what, "connect") == 0)
		rate = connects(n);
	else if (strcmp(what, "option") == 0)
		rate = options(n);
	else if (strcmp(what, "client-pingpong") == 0)
		rate = client_pingpong(n, (int)second);
	else if (strcmp(what, "client-connect") == 0)
		rate = client_connects(n, (int)second);
	else if (strcmp(what, "server") == 0)
		serve((int)n);
	else
		return 2;
	printf("%.0f\n", rate);
	return 0;
}
