/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * polls.c - twins: poll and select.
 */
#include "twin.h"

#define ALL                                                                                        \
	(POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND | POLLRDHUP)

static void polls_a_fresh_socket(void)
{
	say("%#x\n", polled_now(socket_of(SOCK_STREAM), ALL));
	say("%#x\n", polled_now(socket_of(SOCK_DGRAM), ALL));
	say("%#x\n", polled_now(bound(SOCK_STREAM), ALL));
	say("%#x\n", polled_now(listening(), ALL));
}

static void polls_a_connection(void)
{
	int fd[2];

	connection(fd);
	say("%#x\n", polled_now(fd[0], ALL));
	write(fd[1], "x", 1);
	say("%#x\n", polled(fd[0], ALL, POLLIN));
	say("%#x\n", polled_now(fd[0], 0));
	say("%#x\n", polled_now(fd[0], POLLRDBAND | POLLPRI));
}

static void polls_nothing(void)
{
	struct pollfd p = { .fd = -1, .events = ALL, .revents = 77 };

	say_result(poll(NULL, 0, 0));
	say_result(poll(&p, 1, 0));
	say("%d\n", p.revents);
	say_result(poll(NULL, 0, 10));
}

static void polls_a_closed_number(void)
{
	int fd[2];
	struct pollfd p[2];

	connection(fd);
	close(fd[1]);
	p[0] = (struct pollfd){ fd[0], 0, 0 };
	p[1] = (struct pollfd){ fd[1], ALL, 0 };
	say_result(poll(p, 2, 1000));
	say("%#x %#x\n", p[0].revents, p[1].revents);
}

static void polls_one_twice(void)
{
	struct pollfd p[3];
	int fd[2];

	connection(fd);
	write(fd[0], "x", 1);
	polled(fd[1], POLLIN, POLLIN);
	p[0] = (struct pollfd){ fd[1], POLLIN, 0 };
	p[1] = (struct pollfd){ fd[1], POLLOUT, 0 };
	p[2] = (struct pollfd){ fd[1], POLLPRI, 0 };
	say_result(poll(p, 3, 0));
	say("%#x %#x %#x\n", p[0].revents, p[1].revents, p[2].revents);
}

static void polls_kernel_descriptors_too(void)
{
	struct pollfd p[3];
	int fd[2], way[2];

	connection(fd);
	if (pipe(way))
		return;
	p[0] = (struct pollfd){ fd[1], POLLIN, 0 };
	p[1] = (struct pollfd){ way[0], POLLIN, 0 };
	p[2] = (struct pollfd){ way[1], POLLIN, 0 };
	say_result(poll(p, 3, 20));
	say_result(write(way[1], "x", 1));
	say_result(poll(p, 3, 2000));
	say("%#x %#x %#x\n", p[0].revents, p[1].revents, p[2].revents);
	write(fd[0], "x", 1);
	polled(fd[1], POLLIN, POLLIN);
	say_result(poll(p, 3, 2000));
	say("%#x %#x %#x\n", p[0].revents, p[1].revents, p[2].revents);
}

static void *write_to(void *fd)
{
	return (void *)(intptr_t)write(*(int *)fd, "x", 1);
}

static void is_woken_from_either_side(void)
{
	struct pollfd p[2];
	int fd[2], way[2];
	pthread_t t;
	char byte;

	connection(fd);
	if (pipe(way))
		return;
	p[0] = (struct pollfd){ fd[1], POLLIN, 0 };
	p[1] = (struct pollfd){ way[0], POLLIN, 0 };
	t = later(write_to, &way[1]);
	say_result(poll(p, 2, -1));
	pthread_join(t, NULL);
	say("%#x %#x\n", p[0].revents, p[1].revents);
	say_result(read(way[0], &byte, 1));
	t = later(write_to, &fd[0]);
	say_result(poll(p, 2, -1));
	pthread_join(t, NULL);
	say("%#x %#x\n", p[0].revents, p[1].revents);
}

static void polls_for_a_while(void)
{
	int fd[2];
	struct pollfd p;
	struct timespec t = { 0, 20000000 }, bad = { 0, -1 };

	connection(fd);
	p = (struct pollfd){ fd[0], POLLIN, 0 };
	say_result(poll(&p, 1, 20));
	say_result(ppoll(&p, 1, &t, NULL));
	say("%d\n", (int)t.tv_nsec);
	say_result(ppoll(&p, 1, &bad, NULL));
	bad.tv_nsec = 1000000000;
	say_result(ppoll(&p, 1, &bad, NULL));
	bad = (struct timespec){ -1, 0 };
	say_result(ppoll(&p, 1, &bad, NULL));
}

static void polls_both_kinds_of_end(void)
{
	int fd[2];

	connection(fd);
	shutdown(fd[0], SHUT_WR);
	say("%#x\n", polled(fd[1], ALL, POLLRDHUP));
	say("%#x\n", polled_now(fd[0], ALL));
	shutdown(fd[1], SHUT_WR);
	say("%#x\n", polled(fd[1], ALL, POLLHUP));
	say("%#x\n", polled(fd[0], ALL, POLLHUP));
	say("%#x\n", polled_now(fd[0], 0));
}

static void polls_what_it_shut_itself(void)
{
	int fd[2];

	connection(fd);
	shutdown(fd[0], SHUT_RD);
	say("%#x\n", polled_now(fd[0], ALL));
	shutdown(fd[0], SHUT_WR);
	say("%#x\n", polled_now(fd[0], ALL));
}

/* ---- select ---- */

static void selects(void)
{
	struct timeval t = { 0, 20000 };
	int fd[2], way[2];
	fd_set r, w;

	connection(fd);
	if (pipe(way))
		return;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fd[1], &r);
	FD_SET(way[0], &r);
	say_result(select(60, &r, NULL, NULL, &t));
	say("%d\n", t.tv_sec == 0 && t.tv_usec == 0);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	FD_SET(fd[1], &r);
	FD_SET(way[0], &r);
	FD_SET(fd[0], &w);
	t.tv_sec = 2;
	say_result(select(60, &r, &w, NULL, &t));
	say("%d %d %d\n", !!FD_ISSET(fd[1], &r), !!FD_ISSET(way[0], &r), !!FD_ISSET(fd[0], &w));
}

static void selects_one_in_all_sets(void)
{
	fd_set r, w, x;
	int fd[2];

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(fd[1], &r);
	FD_SET(fd[1], &w);
	FD_SET(fd[1], &x);
	say_result(select(fd[1] + 1, &r, &w, &x, NULL));
	say("%d %d %d\n", !!FD_ISSET(fd[1], &r), !!FD_ISSET(fd[1], &w), !!FD_ISSET(fd[1], &x));
}

static void selects_a_closed_number(void)
{
	fd_set r;
	int fd[2];

	connection(fd);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	FD_SET(60, &r); /* from 64 Linux may look away: it stops at the end of its table */
	say_result(select(61, &r, NULL, NULL, NULL));
}

static void selects_badly(void)
{
	struct timeval t = { -1, 0 };
	fd_set r;
	int fd[2];

	connection(fd);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	say_result(select(-1, &r, NULL, NULL, NULL));
	say_result(select(fd[1] + 1, &r, NULL, NULL, &t));
	t = (struct timeval){ 0, 0 };
	say_result(select(fd[1] + 1, &r, NULL, NULL, &t));
	say_result(select(0, NULL, NULL, NULL, &t));
}

static void selects_a_refused_one(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	fd_set r, w, x;

	connect_to(fd, closed_port());
	polled(fd, POLLOUT, POLLERR);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(fd, &r);
	FD_SET(fd, &w);
	FD_SET(fd, &x);
	say_result(select(fd + 1, &r, &w, &x, NULL));
	say("%d %d %d\n", !!FD_ISSET(fd, &r), !!FD_ISSET(fd, &w), !!FD_ISSET(fd, &x));
}

static void selects_the_end(void)
{
	fd_set r;
	int fd[2];

	connection(fd);
	close(fd[0]);
	polled(fd[1], POLLIN, POLLIN);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	say_result(select(fd[1] + 1, &r, NULL, NULL, NULL));
	say("%d\n", !!FD_ISSET(fd[1], &r));
}

static void selects_with_what_is_left_of_the_time(void)
{
	struct timeval t = { 5, 0 };
	fd_set r;
	int fd[2];

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	say_result(select(fd[1] + 1, &r, NULL, NULL, &t));
	say("%d\n", t.tv_sec >= 1 && t.tv_sec <= 5);
}

static void pselects(void)
{
	struct timespec t = { 0, 20000000 };
	sigset_t none;
	fd_set r;
	int fd[2];

	sigemptyset(&none);
	connection(fd);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	say_result(pselect(fd[1] + 1, &r, NULL, NULL, &t, &none));
	say("%d %d\n", (int)t.tv_nsec, !!FD_ISSET(fd[1], &r));
}

static const struct program programs[] = {
	BOTH(polls_a_fresh_socket),
	BOTH(polls_a_connection),
	ONCE(polls_nothing),
	ONCE(polls_a_closed_number),
	ONCE(polls_one_twice),
	ONCE(polls_kernel_descriptors_too),
	ONCE(is_woken_from_either_side),
	ONCE(polls_for_a_while),
	BOTH(polls_both_kinds_of_end),
	ONCE(polls_what_it_shut_itself),
	BOTH(selects),
	ONCE(selects_one_in_all_sets),
	ONCE(selects_a_closed_number),
	ONCE(selects_badly),
	ONCE(selects_a_refused_one),
	ONCE(selects_the_end),
	ONCE(selects_with_what_is_left_of_the_time),
	ONCE(pselects),
};
const struct subject of_polls = SUBJECT(programs);
