/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads.c - twins: threads that share sockets.
 */
#include "twin.h"

/* ---- what threads do ---- */

static void *result_of(long long n)
{
	return (void *)(intptr_t)(n < 0 ? -errno : n);
}

static void *receive(void *fd)
{
	char bytes[8];

	return result_of(recv(*(int *)fd, bytes, 8, 0));
}

static void *take(void *fd)
{
	return result_of(accept(*(int *)fd, NULL, NULL) < 0 ? -1 : 0);
}

static void *say_late(void *fd)
{
	return result_of(send(*(int *)fd, "late", 4, 0));
}

static void *poll_it(void *fd)
{
	struct pollfd p = { *(int *)fd, POLLIN, 0 };

	return result_of(poll(&p, 1, 3000) < 0 ? -1 : p.revents);
}

static void *fill(void *fd)
{
	static char bytes[100000];
	ssize_t n;

	while ((n = send(*(int *)fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		continue;
	return result_of(n);
}

/* A thread that is in its call for a while. */
static pthread_t busy(void *(*run)(void *), void *ctx)
{
	pthread_t t = later(run, ctx);

	a_moment();
	a_moment();
	a_moment();
	return t;
}

static void say_end(pthread_t t)
{
	void *n;

	pthread_join(t, &n);
	say("%d\n", (int)(intptr_t)n);
}

/* ---- programs ---- */

static void waits_for_another(void)
{
	pthread_t t;
	char text[8];
	int fd[2];

	connection(fd);
	t = later(say_late, &fd[0]);
	say_result(recv(fd[1], text, 8, 0));
	pthread_join(t, NULL);
}

/* SO_BUSY_POLL changes how long it takes, and nothing else. */
static void turns_before_it_sleeps(void)
{
	pthread_t t;
	char text[8];
	int fd[2];

	connection(fd);
	set_int(fd[1], SOL_SOCKET, SO_BUSY_POLL, 100);
	say_result(recv(fd[1], text, 8, MSG_DONTWAIT));
	t = later(say_late, &fd[0]);
	say_result(recv(fd[1], text, 8, 0));
	pthread_join(t, NULL);
	set_int(fd[1], SOL_SOCKET, SO_BUSY_POLL, 1000000);
	t = later(say_late, &fd[0]);
	say_result(recv(fd[1], text, 8, 0));
	pthread_join(t, NULL);
	set_timeout(fd[1], SO_RCVTIMEO, 10);
	say_result(recv(fd[1], text, 8, 0));
}

static void accepts_in_threads(void)
{
	pthread_t t[3];
	int l = listening();

	for (int i = 0; i < 3; i++)
		t[i] = later(take, &l);
	a_moment();
	a_moment();
	for (int i = 0; i < 3; i++)
		connected_to(port_of(l));
	for (int i = 0; i < 3; i++)
		say_end(t[i]);
}

static void shuts_a_listener_that_waits(void)
{
	int l = listening();
	pthread_t t = busy(take, &l);

	say_result(shutdown(l, SHUT_RDWR));
	say_end(t);
	say_result(accept(l, NULL, NULL));
}

static void shuts_a_connection_that_waits(void)
{
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(receive, &fd[1]);
	say_result(shutdown(fd[1], SHUT_RD));
	say_end(t);
	t = busy(receive, &fd[0]);
	say_result(shutdown(fd[0], SHUT_RDWR));
	say_end(t);
}

static void shuts_a_datagram_socket_that_waits(void)
{
	pthread_t t;
	int fd[2];

	friends(fd);
	t = busy(receive, &fd[1]);
	say_result(shutdown(fd[1], SHUT_RD));
	say_end(t);
}

static void hears_the_end_in_a_thread(void)
{
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(receive, &fd[1]);
	close(fd[0]);
	say_end(t);
}

static void hears_a_reset_in_a_thread(void)
{
	struct linger now = { 1, 0 };
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(receive, &fd[1]);
	setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd[0]);
	say_end(t);
}

static void hears_a_reset_while_it_writes(void)
{
	struct linger now = { 1, 0 };
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(fill, &fd[0]);
	setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd[1]);
	say_end(t);
}

/* Linux leaves a receive alone whose number is closed; text still wakes it. */
static void closes_the_number_of_a_receive(void)
{
	pthread_t t;
	int fd[2], copy;

	connection(fd);
	copy = dup(fd[1]);
	t = busy(receive, &fd[1]);
	close(fd[1]);
	send(fd[0], "abc", 3, 0);
	say_end(t);
	say_result(close(copy));
}

static void closes_under_a_receive(void)
{
	pthread_t t;
	int fd[2], other;

	connection(fd);
	other = fd[1];
	t = busy(receive, &other);
	close(fd[1]);
	a_moment();
	say_result(send(fd[0], "abc", 3, MSG_NOSIGNAL));
	say_end(t);
}

/* The one who waits takes one caller more. */
static void closes_under_an_accept(void)
{
	int l = listening(), other = l;
	uint16_t port = port_of(l);
	pthread_t t = busy(take, &other);

	close(l);
	a_moment();
	say_result(connect_to(socket_of(SOCK_STREAM), port));
	say_end(t);
}

static void two_read_one(void)
{
	pthread_t t[2];
	int fd[2], sum = 0;
	void *n;

	connection(fd);
	t[0] = later(receive, &fd[1]);
	t[1] = busy(receive, &fd[1]);
	send(fd[0], "a", 1, 0);
	usleep(10000);
	send(fd[0], "b", 1, 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &n);
		sum += (int)(intptr_t)n;
	}
	say("%d\n", sum);
}

static void two_hear_the_end(void)
{
	pthread_t t[2];
	int fd[2];

	connection(fd);
	t[0] = later(receive, &fd[1]);
	t[1] = busy(receive, &fd[1]);
	close(fd[0]);
	say_end(t[0]);
	say_end(t[1]);
}

static void two_poll_one(void)
{
	pthread_t t[2];
	int fd[2];

	connection(fd);
	t[0] = later(poll_it, &fd[1]);
	t[1] = busy(poll_it, &fd[1]);
	send(fd[0], "a", 1, 0);
	say_end(t[0]);
	say_end(t[1]);
}

/* Two entries: what the first has been, and a pipe. */
static void *poll_both(void *p)
{
	return result_of(poll(p, 2, 3000));
}

static void say_both(pthread_t t, const struct pollfd p[2])
{
	say_end(t);
	say("%#x %#x\n", p[0].revents, p[1].revents);
}

/* A thread polls fd[1], of which there is a copy, and a pipe. */
static pthread_t poll_with_a_pipe(int fd[2], int way[2], int *copy, struct pollfd p[2])
{
	connection(fd);
	*copy = dup(fd[1]);
	if (pipe(way))
		exit(99);
	p[0] = (struct pollfd){ fd[1], POLLIN, 0 };
	p[1] = (struct pollfd){ way[0], POLLIN, 0 };
	return busy(poll_both, p);
}

/* The socket lives on in its copy; its number names nothing any more. */
static void closes_a_number_under_a_poll(void)
{
	int fd[2], way[2], copy;
	struct pollfd p[2];
	pthread_t t = poll_with_a_pipe(fd, way, &copy, p);

	close(fd[1]);
	a_moment();
	say_result(write(way[1], "x", 1));
	say_both(t, p);
	say_result(poll(p, 1, 0));
	say("%#x\n", p[0].revents);
	fd[1] = dup(copy);
	p[1].fd = -1;
	p[0].fd = fd[1];
	t = busy(poll_both, p);
	close(fd[1]);
	say_result(send(fd[0], "x", 1, 0));
	say_both(t, p);
}

/* The number is a pipe's when the text wakes the poll. */
static void changes_a_number_under_a_poll(void)
{
	int fd[2], way[2], copy;
	struct pollfd p[2];
	pthread_t t = poll_with_a_pipe(fd, way, &copy, p);

	dup2(way[1], fd[1]);
	say_result(write(way[1], "x", 1));
	say_both(t, p);
	say_result(close(copy));
}

static void two_receive_datagrams(void)
{
	pthread_t t[2];
	int fd[2], sum = 0;
	void *n;

	friends(fd);
	t[0] = later(receive, &fd[1]);
	t[1] = busy(receive, &fd[1]);
	send(fd[0], "a", 1, 0);
	send(fd[0], "ab", 2, 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &n);
		sum += (int)(intptr_t)n;
	}
	say("%d\n", sum);
}

static void reads_and_writes_at_once(void)
{
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(receive, &fd[1]);
	say_result(send(fd[1], "to", 2, 0));
	say_result(send(fd[0], "back", 4, 0));
	say_end(t);
}

static void *open_and_close(void *port)
{
	char byte;

	for (int i = 0; i < 50; i++) {
		int fd = connected_to(*(uint16_t *)port);

		if (write(fd, "x", 1) != 1 || read(fd, &byte, 1) != 1)
			say("lost\n");
		close(fd);
	}
	return NULL;
}

static void *serve(void *l)
{
	char byte;
	int n = 0;

	for (int i = 0; i < 50; i++) {
		int fd = accept(*(int *)l, NULL, NULL);

		if (read(fd, &byte, 1) == 1 && write(fd, "y", 1) == 1)
			n++;
		close(fd);
	}
	return result_of(n);
}

static void serves_many_threads(void)
{
	pthread_t clients[4], servers[4];
	int l = listening();
	uint16_t port = port_of(l);

	for (int i = 0; i < 4; i++) {
		servers[i] = later(serve, &l);
		clients[i] = later(open_and_close, &port);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(clients[i], NULL);
	for (int i = 0; i < 4; i++)
		say_end(servers[i]);
}

static void *ping(void *ctx)
{
	int *fd = ctx, n = 0;
	char byte = 'p';

	for (int i = 0; i < 200; i++)
		n += write(fd[0], &byte, 1) == 1 && read(fd[0], &byte, 1) == 1;
	return result_of(n);
}

static void *pong(void *ctx)
{
	int *fd = ctx, n = 0;
	char byte;

	for (int i = 0; i < 200; i++)
		n += read(fd[1], &byte, 1) == 1 && write(fd[1], &byte, 1) == 1;
	return result_of(n);
}

static void plays_in_pairs(void)
{
	pthread_t t[6];
	int fd[3][2];

	for (int i = 0; i < 3; i++) {
		connection(fd[i]);
		t[2 * i] = later(ping, fd[i]);
		t[2 * i + 1] = later(pong, fd[i]);
	}
	for (int i = 0; i < 6; i++)
		say_end(t[i]);
}

static void *connect_there(void *port)
{
	int fd = socket_of(SOCK_STREAM);

	return result_of(connect_to(fd, *(uint16_t *)port));
}

static void connects_in_threads(void)
{
	pthread_t t[4];
	int l = listening();
	uint16_t port = port_of(l);

	for (int i = 0; i < 4; i++)
		t[i] = later(connect_there, &port);
	for (int i = 0; i < 4; i++)
		say("%d\n", accept(l, NULL, NULL) >= 0);
	for (int i = 0; i < 4; i++)
		say_end(t[i]);
}

static void shuts_writing_under_a_write(void)
{
	pthread_t t;
	int fd[2];

	connection(fd);
	t = busy(fill, &fd[0]);
	say_result(shutdown(fd[0], SHUT_WR));
	say_end(t);
}

static const struct program programs[] = {
	ONCE(waits_for_another),
	ONCE(turns_before_it_sleeps),
	BOTH(accepts_in_threads),
	ONCE(shuts_a_listener_that_waits),
	BOTH(shuts_a_connection_that_waits),
	ONCE(shuts_a_datagram_socket_that_waits),
	ONCE(hears_the_end_in_a_thread),
	ONCE(hears_a_reset_in_a_thread),
	ONCE(hears_a_reset_while_it_writes),
	ONCE(closes_the_number_of_a_receive),
	ONCE(closes_under_a_receive),
	ONCE(closes_under_an_accept),
	ONCE(two_read_one),
	ONCE(two_hear_the_end),
	ONCE(two_poll_one),
	ONCE(closes_a_number_under_a_poll),
	ONCE(changes_a_number_under_a_poll),
	ONCE(two_receive_datagrams),
	ONCE(reads_and_writes_at_once),
	BOTH(serves_many_threads),
	ONCE(plays_in_pairs),
	ONCE(connects_in_threads),
	ONCE(shuts_writing_under_a_write),
};
const struct subject of_threads = SUBJECT(programs);
