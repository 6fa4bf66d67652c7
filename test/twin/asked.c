/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asked.c - twins: what flags of a stream's sends and receives ask for, beside what flags.c has.
 */
#include "twin.h"

static char many[300000];

static ssize_t send_message(int fd, const char *a, const char *b, int flags)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)a, strlen(a) },
				{ (void *)(uintptr_t)b, strlen(b) } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	return sendmsg(fd, &m, flags);
}

/* ---- urgent data ---- */

static void signals_urgent_data(void)
{
	int fd[2];
	char byte = 0;

	count_signals(SIGURG, SA_RESTART);
	connection(fd);
	say_result(fcntl(fd[1], F_SETOWN, getpid()));
	say_result(send_message(fd[0], "ab", "cU", MSG_OOB));
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	say_result(recv(fd[1], &byte, 1, MSG_OOB));
	say("%c %d\n", byte, n_signals > 0);
}

static void marks_the_last_of_two(void)
{
	char bytes[16] = "";
	int fd[2], n = 0, mark = 0;

	connection(fd);
	send(fd[0], "aU", 2, MSG_OOB);
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	send(fd[0], "bV", 2, MSG_OOB);
	send(fd[0], "c", 1, 0);
	do {
		usleep(1000);
		ioctl(fd[1], FIONREAD, &n);
	} while (n < 3);
	say_result(recv(fd[1], bytes, 3, MSG_WAITALL));
	say("%s\n", bytes);
	polled(fd[1], POLLPRI, POLLPRI);
	say_result(ioctl(fd[1], SIOCATMARK, &mark));
	say("%d\n", mark);
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	say("%c\n", bytes[0]);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 8, 0));
	say("%c\n", bytes[0]);
}

static void inherits_inline(void)
{
	int l = listening(), fd, server;
	char bytes[8] = "";

	say_result(set_int(l, SOL_SOCKET, SO_OOBINLINE, 1));
	fd = connected_to(port_of(l));
	server = accept(l, NULL, NULL);
	say("%d %d\n", get_int(server, SOL_SOCKET, SO_OOBINLINE),
	    get_int(fd, SOL_SOCKET, SO_OOBINLINE));
	send(fd, "abU", 3, MSG_OOB);
	say("%#x\n", polled(server, POLLPRI, POLLPRI));
	say_result(recv(server, bytes, 8, 0));
	say_result(recv(server, bytes, 8, 0));
	say("%c\n", bytes[0]);
}

/* What was written before goes before, however much it is. */
static void is_urgent_behind_much(void)
{
	size_t n = 0;
	char byte = 0;
	int fd[2];

	connection(fd);
	set_nonblocking(fd[0]);
	say("%d\n", write(fd[0], many, 100000) == 100000);
	say_result(send(fd[0], "U", 1, MSG_OOB));
	while (n < 100000) {
		ssize_t k = read(fd[1], many, sizeof(many));

		if (k <= 0)
			break;
		n += (size_t)k;
	}
	say("%zu\n", n);
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	say_result(recv(fd[1], &byte, 1, MSG_OOB));
	say("%c\n", byte);
}

static void sends_urgently_after_the_end(void)
{
	int fd[2];

	count_signals(SIGPIPE, 0);
	connection(fd);
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(send(fd[0], "U", 1, MSG_OOB));
	say("%d\n", (int)n_signals);
	say_result(send(fd[0], "U", 1, MSG_OOB | MSG_NOSIGNAL));
	say("%d\n", (int)n_signals);
}

/* ---- MSG_MORE ---- */

static void *read_much(void *ctx)
{
	static char bytes[sizeof(many)];

	say("%zd\n", read_all(*(int *)ctx, bytes, sizeof(bytes)));
	say("%d\n", memcmp(bytes, many, sizeof(many)));
	return NULL;
}

static void holds_back_much(void)
{
	pthread_t t;
	int fd[2];

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (char)(i % 251);
	connection(fd);
	t = later(read_much, &fd[1]);
	say("%d\n", send(fd[0], many, sizeof(many) - 2, MSG_MORE) == sizeof(many) - 2);
	say_result(send(fd[0], many + sizeof(many) - 2, 1, MSG_MORE));
	say_result(send(fd[0], many + sizeof(many) - 1, 1, 0));
	pthread_join(t, NULL);
}

/* ---- MSG_TRUNC ---- */

static void throws_away_as_asked(void)
{
	char bytes[8] = "", junk[8];
	int fd[2];

	connection(fd);
	set_timeout(fd[1], SO_RCVTIMEO, 30);
	say_result(recv(fd[1], junk, 4, MSG_TRUNC));
	say_result(recv(fd[1], junk, 4, MSG_TRUNC | MSG_DONTWAIT));
	send(fd[0], "abcdef", 6, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], junk, 4, MSG_TRUNC | MSG_PEEK));
	say_result(recv(fd[1], junk, 4, MSG_TRUNC));
	say_result(recv(fd[1], bytes, 8, 0));
	say("%.2s\n", bytes);
	close(fd[0]);
	say_result(recv(fd[1], junk, 4, MSG_TRUNC));
	say_result(recv(fd[1], bytes, 4, MSG_ERRQUEUE));
}

/* ---- many at once ---- */

/* Waits for n datagrams, of a byte each. */
static void receive_many(int fd, unsigned n, int flags, struct timespec *limit)
{
	static char bytes[8];
	struct iovec iov = { bytes, 1 };
	struct mmsghdr m[8] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	say_result(recvmmsg(fd, m, n, flags, limit));
}

static void *sends_three(void *fd)
{
	for (int i = 0; i < 3; i++) {
		send(*(int *)fd, "x", 1, 0);
		usleep(40000);
	}
	return NULL;
}

/* Its limit is looked at after a datagram alone. */
static void waits_for_as_many_as_it_asked_for(void)
{
	struct timespec t = { 0, 1 };
	pthread_t thread;
	int fd[2];

	friends(fd);
	thread = later(sends_three, fd);
	receive_many(fd[1], 3, 0, NULL);
	pthread_join(thread, NULL);
	thread = later(sends_three, fd);
	receive_many(fd[1], 3, MSG_WAITFORONE, NULL);
	receive_many(fd[1], 2, 0, NULL);
	pthread_join(thread, NULL);
	later(sends_three, fd);
	receive_many(fd[1], 8, 0, &t); /* the first was late already */
	receive_many(fd[1], 2, 0, NULL);
	set_timeout(fd[1], SO_RCVTIMEO, 400);
	later(sends_three, fd);
	receive_many(fd[1], 8, 0, NULL);
	set_timeout(fd[1], SO_RCVTIMEO, 0);
	later(sends_three, fd);
	alarm_in(400, 0);
	receive_many(fd[1], 8, 0, NULL);
}

static const struct program programs[] = {
	BOTH(signals_urgent_data),
	BOTH(marks_the_last_of_two),
	ONCE(inherits_inline),
	ONCE(is_urgent_behind_much),
	ONCE(sends_urgently_after_the_end),
	ONCE(holds_back_much),
	BOTH(throws_away_as_asked),
	ONCE(waits_for_as_many_as_it_asked_for),
};
const struct subject of_asked = SUBJECT(programs);
