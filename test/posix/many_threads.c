/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many_threads.c - many threads on one stack: pairs that talk, connections that come and go, sets,
 * options, and a close that wakes who waits. tools/run-threads runs it under ThreadSanitizer.
 *
 * usage: many_threads SEED
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tern_posix_map.h"

enum { N_PAIRS = 4, ROUNDS = 150, N_CALLERS = 4, CALLS = 25 };

static unsigned seed;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = (in_port_t)port };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int listening(struct sockaddr_in *name)
{
	socklen_t len = sizeof(*name);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	*name = loopback(0);
	if (l < 0 || bind(l, (struct sockaddr *)name, len) || listen(l, 64) ||
	    getsockname(l, (struct sockaddr *)name, &len))
		die("listen");
	return l;
}

static void connection(int fd[2])
{
	struct sockaddr_in a;
	int l = listening(&a);

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd[0], (struct sockaddr *)&a, sizeof(a)) || (fd[1] = accept(l, NULL, NULL)) < 0)
		die("connection");
	close(l);
}

/* ---- what threads do ---- */

static void *echo(void *ctx)
{
	char bytes[2000];
	int fd = *(int *)ctx;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			die("echo");
	return NULL;
}

static void *talk(void *ctx)
{
	char bytes[2000], back[2000];
	int fd = *(int *)ctx;

	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t n = 1 + (seed * 7919 + i * 104729) % sizeof(bytes);
		struct pollfd p = { fd, POLLIN, 0 };

		memset(bytes, (int)i, n);
		if (write(fd, bytes, n) != (ssize_t)n)
			die("write");
		if (i % 3 == 0 && poll(&p, 1, 10000) != 1)
			die("poll");
		if (recv(fd, back, n, MSG_WAITALL) != (ssize_t)n || memcmp(bytes, back, n) != 0)
			die("what came back");
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

struct place {
	struct sockaddr_in name;
	int listener;
};

static void *call(void *ctx)
{
	struct place *p = ctx;
	char byte;

	for (int i = 0; i < CALLS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

		setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof(on));
		if (connect(fd, (struct sockaddr *)&p->name, sizeof(p->name)) ||
		    write(fd, "x", 1) != 1 || read(fd, &byte, 1) != 1)
			die("call");
		close(fd);
	}
	return NULL;
}

/* Serves by a set that others wait on, too. */
static void *serve(void *ctx)
{
	struct place *p = ctx;
	int set = epoll_create1(0);
	char byte;

	for (int i = 0; i < CALLS; i++) {
		struct epoll_event ev = { .events = EPOLLIN };
		int fd = accept(p->listener, NULL, NULL);

		if (fd < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) ||
		    epoll_wait(set, &ev, 1, 10000) != 1 || read(fd, &byte, 1) != 1 ||
		    write(fd, "y", 1) != 1)
			die("serve");
		close(fd);
	}
	close(set);
	return NULL;
}

static void *receive_for_ever(void *ctx)
{
	char byte;

	if (recv(*(int *)ctx, &byte, 1, 0) >= 0 || errno != EBADF)
		die("a close does not wake");
	return NULL;
}

/* A set that is closed tells no more, though another has its number and something to tell. */
static void *wait_for_ever(void *ctx)
{
	struct epoll_event ev;

	if (epoll_wait(*(int *)ctx, &ev, 1, -1) >= 0 || errno != EBADF)
		die("a close does not wake who waits for a set");
	return NULL;
}

static void close_a_set_that_waits(int member)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int way[2], set = epoll_create1(0);
	pthread_t t;

	if (set < 0 || pipe(way) || write(way[1], "x", 1) != 1 ||
	    epoll_ctl(set, EPOLL_CTL_ADD, member, &ev))
		die("a set");
	pthread_create(&t, NULL, wait_for_ever, &set);
	usleep(20000);
	close(set);
	if (epoll_create1(0) != set || epoll_ctl(set, EPOLL_CTL_ADD, way[0], &ev))
		die("a set with the number of another");
	pthread_join(t, NULL);
	close(set);
	close(way[0]);
	close(way[1]);
}

/* The first sockets of all, which make the stack. */
static void *begin(void *ctx)
{
	(void)ctx;
	if (close(socket(AF_INET, SOCK_DGRAM, 0)))
		die("the first socket");
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[2 * N_PAIRS + 2 * N_CALLERS + 1];
	int fd[N_PAIRS][2], closed[2], n = 0, number;
	struct place p;

	seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, begin, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	p.listener = listening(&p.name);
	connection(closed);
	number = closed[0];
	for (int i = 0; i < 10; i++)
		close_a_set_that_waits(closed[1]);
	for (int i = 0; i < N_PAIRS; i++) {
		connection(fd[i]);
		pthread_create(&t[n++], NULL, echo, &fd[i][0]);
		pthread_create(&t[n++], NULL, talk, &fd[i][1]);
	}
	for (int i = 0; i < N_CALLERS; i++) {
		pthread_create(&t[n++], NULL, serve, &p);
		pthread_create(&t[n++], NULL, call, &p);
	}
	pthread_create(&t[n++], NULL, receive_for_ever, &number);
	usleep(100000);
	close(closed[0]);
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("%d threads\n", n);
	return 0;
}
