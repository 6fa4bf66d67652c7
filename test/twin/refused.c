/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refused.c - twins: datagrams to a port on which nobody listens, and who is told of it how.
 */
#include "twin.h"

/* A datagram socket, connected, whose peer is gone. */
static int without_peer(void)
{
	int fd[2];

	friends(fd);
	close(fd[1]);
	return fd[0];
}

static ssize_t send_message(int fd, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sendmsg(fd, &m, 0);
}

static ssize_t receive_with_name(int fd, int flags)
{
	struct name from = { .len = sizeof(from.all) };
	char bytes[8];

	return recvfrom(fd, bytes, sizeof(bytes), flags, &from.sa, &from.len);
}

static void is_told_that_nobody_listens(void)
{
	int fd = without_peer();

	say_result(send(fd, "x", 1, 0));
	for (int i = 0, e = 0; i < 5000 && !e; i++) {
		usleep(1000);
		e = so_error(fd);
		if (e)
			say("%d\n", e);
	}
	say_result(send(fd, "x", 1, 0));
}

static void polls_a_closed_port(void)
{
	int fd = without_peer();
	char byte;

	send(fd, "x", 1, 0);
	say("%#x\n", polled(fd, POLLIN | POLLOUT, POLLERR));
	say("%d %d\n", so_error(fd), so_error(fd));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
	say_result(send(fd, "x", 1, 0));
	say("%#x\n", polled(fd, POLLIN | POLLOUT, POLLERR));
	say_result(receive_with_name(fd, MSG_DONTWAIT));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
	say_result(receive_with_name(fd, MSG_DONTWAIT));
}

static void is_told_by_a_message(void)
{
	int fd = without_peer();

	say_result(send_message(fd, "one"));
	say("%#x\n", polled(fd, POLLIN, POLLERR));
	say_result(send_message(fd, "two"));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
	say_result(send_message(fd, "three"));
	say("%#x\n", polled(fd, POLLIN, POLLERR));
	say("%d\n", so_error(fd));
}

static void *send_one(void *ctx)
{
	send(*(int *)ctx, "x", 1, 0);
	return NULL;
}

static void waits_for_a_refusal(void)
{
	int fd = without_peer();
	pthread_t thread = later(send_one, &fd);

	say_result(receive_with_name(fd, 0));
	pthread_join(thread, NULL);
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
}

/* By a call that the kernel carries out; how it calls the error is another matter. */
static void waits_in_a_plain_call(void)
{
	int fd = without_peer();
	pthread_t thread = later(send_one, &fd);
	char byte;

	say("%zd\n", recv(fd, &byte, 1, 0));
	pthread_join(thread, NULL);
	say("%d %#x\n", so_error(fd), (unsigned)polled_now(fd, POLLIN | POLLOUT));
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
}

static void selects_a_closed_port(void)
{
	struct timeval t = { 5, 0 };
	int fd = without_peer();
	fd_set in, ex;

	send(fd, "x", 1, 0);
	FD_ZERO(&in);
	FD_ZERO(&ex);
	FD_SET(fd, &in);
	FD_SET(fd, &ex);
	say_result(select(fd + 1, &in, NULL, &ex, &t));
	say("%d %d %d\n", FD_ISSET(fd, &in) != 0, FD_ISSET(fd, &ex) != 0, so_error(fd));
}

static void has_edges_of_a_closed_port(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int fd = without_peer(), set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
	for (int i = 0; i < 3; i++) {
		send(fd, "x", 1, 0);
		say("%d %#x\n", epoll_wait(set, &ev, 1, 5000), ev.events);
		say_result(epoll_wait(set, &ev, 1, 0));
		say("%d\n", so_error(fd));
	}
}

static void keeps_what_came_before(void)
{
	char bytes[8];
	int fd[2];

	friends(fd);
	send(fd[1], "first", 5, 0);
	send(fd[1], "second", 6, 0);
	say("%#x\n", polled(fd[0], POLLIN, POLLIN));
	close(fd[1]);
	send(fd[0], "x", 1, 0);
	say("%#x\n", polled(fd[0], POLLIN, POLLERR));
	say_result(receive_with_name(fd[0], 0));
	say_result(receive_with_name(fd[0], 0));
	say_result(recv(fd[0], bytes, 8, 0));
	say_result(recv(fd[0], bytes, 8, MSG_DONTWAIT));
}

/* The port comes to life again, and the socket with it. */
static void goes_on_after_a_refusal(void)
{
	struct name at;
	int fd[2], again = socket_of(SOCK_DGRAM), n = 0;
	char bytes[8];

	friends(fd);
	at = loopback_at(port_of(fd[1]));
	close(fd[1]);
	for (int i = 0; i < 4; i++) {
		send(fd[0], "x", 1, 0);
		n += polled(fd[0], POLLIN, POLLERR) == POLLERR;
		n += so_error(fd[0]) == ECONNREFUSED;
	}
	say("%d\n", n);
	say_result(bind(again, &at.sa, at.len));
	say_result(send(fd[0], "alive", 5, 0));
	say("%#x\n", polled(again, POLLIN, POLLIN));
	say_result(recv(again, bytes, 8, 0));
	say_result(send_to(again, "too", 3, port_of(fd[0])));
	say("%#x\n", polled(fd[0], POLLIN, POLLIN));
	say_result(recv(fd[0], bytes, 8, 0));
}

/* Whoever has it: here nobody has the number under which it was last used. */
static void tells_a_copy(void)
{
	int fd = without_peer(), copy = dup(fd), status = 0;

	send(fd, "x", 1, 0);
	close(fd);
	say("%#x\n", polled(copy, POLLIN, POLLERR));
	say("%d\n", so_error(copy));
	if (fork() == 0) {
		send(copy, "x", 1, 0);
		_exit(polled(copy, POLLIN, POLLERR) == POLLERR ? so_error(copy) : 99);
	}
	wait(&status);
	say("%d %#x\n", WEXITSTATUS(status), (unsigned)polled_now(copy, POLLIN));
}

static void hears_of_a_closed_port_by_poll(void)
{
	int fd = without_peer();
	char byte;

	send(fd, "x", 1, 0);
	say("%#x\n", polled(fd, POLLIN | POLLOUT, POLLERR));
	say_result(recv(fd, &byte, 1, 0));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
}

static void hears_of_a_closed_port_by_a_send(void)
{
	int fd = without_peer();

	say_result(send(fd, "x", 1, 0));
	a_moment();
	say_result(send(fd, "x", 1, 0));
	a_moment();
	say_result(send(fd, "x", 1, 0));
}

static void does_not_hear_of_a_closed_port(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	uint16_t port = port_of(b);
	char byte;

	close(b);
	say_result(send_to(a, "x", 1, port));
	a_moment();
	say("%d\n", so_error(a));
	say_result(recv(a, &byte, 1, MSG_DONTWAIT));
	say_result(send_to(a, "x", 1, port));
}

static const struct program programs[] = {
	BOTH(is_told_that_nobody_listens),    BOTH(polls_a_closed_port),
	BOTH(is_told_by_a_message),	      BOTH(waits_for_a_refusal),
	BOTH(waits_in_a_plain_call),	      ONCE(selects_a_closed_port),
	ONCE(has_edges_of_a_closed_port),     BOTH(keeps_what_came_before),
	BOTH(goes_on_after_a_refusal),	      ONCE(tells_a_copy),
	BOTH(hears_of_a_closed_port_by_poll), BOTH(hears_of_a_closed_port_by_a_send),
	BOTH(does_not_hear_of_a_closed_port),
};
const struct subject of_refused = SUBJECT(programs);
