/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flags.c - twins: the flags of send and recv, and urgent data.
 */
#include "twin.h"

static void peeks(void)
{
	char bytes[8] = "";
	int fd[2], n = -1;

	connection(fd);
	send(fd[0], "abcdef", 6, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 4, MSG_PEEK));
	say("%s\n", bytes);
	say_result(ioctl(fd[1], FIONREAD, &n));
	say("%d\n", n);
	say_result(recv(fd[1], bytes, 6, 0));
	say_result(recv(fd[1], bytes, 4, MSG_PEEK | MSG_DONTWAIT));
}

static void peeks_into_pieces(void)
{
	char a[4] = "", b[9] = "";
	struct iovec iov[3] = { { a, 3 }, { NULL, 0 }, { b, 8 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	int fd[2];

	connection(fd);
	send(fd[0], "abcdef", 6, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvmsg(fd[1], &m, MSG_PEEK));
	say("%s %s\n", a, b);
	memset(b, 0, sizeof(b));
	say_result(recvmsg(fd[1], &m, 0));
	say("%s %s\n", a, b);
}

static void peeks_at_the_end(void)
{
	char byte;
	int fd[2];

	connection(fd);
	close(fd[0]);
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	say_result(recv(fd[1], &byte, 1, MSG_PEEK));
	say_result(recv(fd[1], &byte, 1, 0));
}

static void peeks_at_a_reset(void)
{
	char byte;
	int fd[2];

	connection(fd);
	reset(fd[0]);
	polled(fd[1], POLLIN, POLLERR);
	say_result(recv(fd[1], &byte, 1, MSG_PEEK));
	say_result(recv(fd[1], &byte, 1, 0));
}

static void *send_rest(void *fd)
{
	return (void *)(intptr_t)send(*(int *)fd, "ghij", 4, 0);
}

static void waits_for_all(void)
{
	char bytes[16] = "";
	pthread_t t;
	int fd[2];

	connection(fd);
	send(fd[0], "abcdef", 6, 0);
	t = later(send_rest, &fd[0]);
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL));
	pthread_join(t, NULL);
	say("%s\n", bytes);
	say_result(recv(fd[1], bytes, 1, MSG_DONTWAIT));
}

static void waits_for_all_until_the_end(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	send(fd[0], "abc", 3, 0);
	close(fd[0]);
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL));
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL));
}

static void waits_for_all_with_a_limit(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	send(fd[0], "abc", 3, 0);
	polled(fd[1], POLLIN, POLLIN);
	set_timeout(fd[1], SO_RCVTIMEO, 30);
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL));
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL));
}

static void waits_for_all_without_waiting(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	send(fd[0], "abc", 3, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL | MSG_DONTWAIT));
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL | MSG_DONTWAIT));
}

static void peeks_for_all(void)
{
	char bytes[16] = "";
	pthread_t t;
	int fd[2];

	connection(fd);
	send(fd[0], "abcdef", 6, 0);
	t = later(send_rest, &fd[0]);
	say_result(recv(fd[1], bytes, 10, MSG_WAITALL | MSG_PEEK));
	pthread_join(t, NULL);
	say("%s\n", bytes);
	say_result(recv(fd[1], bytes, 16, 0));
}

/* Of a stream MSG_TRUNC throws bytes away. */
static void throws_away(void)
{
	char bytes[8] = "----";
	int fd[2];

	connection(fd);
	send(fd[0], "abcdef", 6, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 3, MSG_TRUNC));
	say("%s\n", bytes);
	say_result(recv(fd[1], bytes, 8, 0));
	say("%.3s\n", bytes);
}

static void holds_back_with_more(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	say_result(send(fd[0], "abc", 3, MSG_MORE));
	a_moment();
	say_result(recv(fd[1], bytes, 16, MSG_DONTWAIT));
	say_result(send(fd[0], "def", 3, 0));
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 16, MSG_WAITALL | MSG_DONTWAIT));
}

static void does_not_wait(void)
{
	static char bytes[100000];
	int fd[2];

	connection(fd);
	say_result(recv(fd[1], bytes, 1, MSG_DONTWAIT));
	while (send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	say_result(-1);
	say("%#x\n", fcntl(fd[0], F_GETFL) & O_NONBLOCK);
}

/* Linux wakes a reader only for as much as the mark at once. */
static void *send_enough(void *fd)
{
	return (void *)(intptr_t)send(*(int *)fd, "cdefgh", 6, 0);
}

static void waits_for_a_low_mark(void)
{
	char bytes[16];
	pthread_t t;
	int fd[2];

	connection(fd);
	say_result(set_int(fd[1], SOL_SOCKET, SO_RCVLOWAT, 5));
	send(fd[0], "ab", 2, 0);
	a_moment();
	say("%#x\n", polled_now(fd[1], POLLIN));
	t = later(send_enough, &fd[0]);
	say_result(recv(fd[1], bytes, 16, 0));
	pthread_join(t, NULL);
	send(fd[0], "ab", 2, 0);
	a_moment();
	say_result(recv(fd[1], bytes, 8, MSG_DONTWAIT));
}

static void low_mark_ends_with_the_stream(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	set_int(fd[1], SOL_SOCKET, SO_RCVLOWAT, 5);
	send(fd[0], "ab", 2, 0);
	close(fd[0]);
	say("%#x\n", polled(fd[1], POLLIN, POLLIN));
	say_result(recv(fd[1], bytes, 8, 0));
	say_result(recv(fd[1], bytes, 8, 0));
}

static void sends_without_a_receiver(void)
{
	int fd = socket_of(SOCK_STREAM);

	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say_result(send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	say_result(send(fd, "", 0, MSG_NOSIGNAL));
}

/* ---- urgent data ---- */

static void sends_urgently(void)
{
	char bytes[8] = "";
	int fd[2], mark = -1;

	connection(fd);
	say_result(send(fd[0], "ab", 2, 0));
	say_result(send(fd[0], "cU", 2, MSG_OOB));
	say_result(send(fd[0], "de", 2, 0));
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	say("%c\n", bytes[0]);
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	say_result(ioctl(fd[1], SIOCATMARK, &mark));
	say("%d\n", mark);
	say_result(read(fd[1], bytes, 8)); /* up to the mark */
	say("%.3s\n", bytes);
	say_result(ioctl(fd[1], SIOCATMARK, &mark));
	say("%d\n", mark);
	polled(fd[1], POLLIN, POLLIN);
	say_result(read(fd[1], bytes, 8));
	say("%.2s\n", bytes);
}

static void sends_urgently_inline(void)
{
	char bytes[8] = "";
	int fd[2], mark = -1;

	connection(fd);
	say_result(set_int(fd[1], SOL_SOCKET, SO_OOBINLINE, 1));
	say_result(send(fd[0], "ab", 2, 0));
	say_result(send(fd[0], "U", 1, MSG_OOB));
	say_result(send(fd[0], "cd", 2, 0));
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	say_result(read(fd[1], bytes, 8));
	say("%.2s\n", bytes);
	say_result(ioctl(fd[1], SIOCATMARK, &mark));
	say("%d\n", mark);
	polled(fd[1], POLLIN, POLLIN);
	say_result(read(fd[1], bytes, 1));
	say("%c\n", bytes[0]);
	say_result(read_all(fd[1], bytes, 2));
}

static void has_nothing_urgent(void)
{
	int fd[2], mark = -1, d = bound(SOCK_DGRAM);
	char byte;

	connection(fd);
	say_result(recv(fd[1], &byte, 1, MSG_OOB));
	say_result(ioctl(fd[1], SIOCATMARK, &mark));
	say("%d\n", mark);
	say_result(ioctl(d, SIOCATMARK, &mark));
	say_result(recv(d, &byte, 1, MSG_OOB | MSG_DONTWAIT));
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], &byte, 1, MSG_OOB));
	say("%#x\n", polled_now(fd[1], POLLPRI | POLLIN));
}

static void selects_urgent_data(void)
{
	fd_set x;
	int fd[2];
	char byte;

	connection(fd);
	send(fd[0], "U", 1, MSG_OOB);
	FD_ZERO(&x);
	FD_SET(fd[1], &x);
	say_result(select(fd[1] + 1, NULL, NULL, &x, NULL));
	say("%d\n", !!FD_ISSET(fd[1], &x));
	say_result(recv(fd[1], &byte, 1, MSG_OOB));
	say("%c\n", byte);
}

static void flags_of_a_message(void)
{
	char bytes[8];
	struct iovec iov = { bytes, 2 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = 0x7777 };
	int fd[2];

	connection(fd);
	send(fd[0], "abcd", 4, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvmsg(fd[1], &m, 0));
	say("%#x %u\n", m.msg_flags, (unsigned)m.msg_controllen);
	say_result(recvmsg(fd[1], &m, MSG_CMSG_CLOEXEC));
	say("%#x\n", m.msg_flags & ~MSG_CMSG_CLOEXEC);
	send(fd[0], "U", 1, MSG_OOB);
	polled(fd[1], POLLPRI, POLLPRI);
	say_result(recvmsg(fd[1], &m, MSG_OOB));
	say("%#x\n", m.msg_flags);
}

/* Nobody says "later" to as many as a send buffer holds; what becomes of them is another matter. */
static void does_not_wait_in_a_burst(void)
{
	enum { N = 150 };
	static const char bytes[1000];
	int fd[2], sent = 0;

	friends(fd);
	for (int i = 0; i < N; i++)
		sent += send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT) == (ssize_t)sizeof(bytes);
	say("%d\n", sent);
}

static const struct program programs[] = {
	BOTH(peeks),
	BOTH(peeks_into_pieces),
	ONCE(peeks_at_the_end),
	ONCE(peeks_at_a_reset),
	BOTH(waits_for_all),
	ONCE(waits_for_all_until_the_end),
	ONCE(waits_for_all_with_a_limit),
	ONCE(waits_for_all_without_waiting),
	ONCE(peeks_for_all),
	ONCE(throws_away),
	ONCE(holds_back_with_more),
	ONCE(does_not_wait),
	BOTH(does_not_wait_in_a_burst),
	ONCE(waits_for_a_low_mark),
	ONCE(low_mark_ends_with_the_stream),
	ONCE(sends_without_a_receiver),
	BOTH(sends_urgently),
	ONCE(sends_urgently_inline),
	ONCE(has_nothing_urgent),
	ONCE(selects_urgent_data),
	ONCE(flags_of_a_message),
};
const struct subject of_flags = SUBJECT(programs);
