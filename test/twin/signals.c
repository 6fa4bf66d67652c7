/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals.c - twins: calls that signals come to.
 */
#include "twin.h"

static void interrupts_a_receive(void)
{
	char byte;
	int fd[2];

	connection(fd);
	alarm_in(30, 0);
	say_result(recv(fd[1], &byte, 1, 0));
	alarm_in(30, 0);
	say_result(read(fd[1], &byte, 1));
	say("%d\n", (int)n_signals);
}

static void interrupts_an_accept(void)
{
	int l = listening();

	alarm_in(30, 0);
	say_result(accept(l, NULL, NULL));
	say("%d\n", (int)n_signals);
}

static void interrupts_a_datagram_receive(void)
{
	struct name from = { .len = sizeof(from.all) };
	int d = bound(SOCK_DGRAM);
	char byte;

	alarm_in(30, 0);
	say_result(recvfrom(d, &byte, 1, 0, &from.sa, &from.len));
	alarm_in(30, 0);
	say_result(read(d, &byte, 1));
	say("%d\n", (int)n_signals);
}

static void interrupts_a_poll(void)
{
	struct pollfd p = { .events = POLLIN };
	int fd[2];

	connection(fd);
	p.fd = fd[1];
	alarm_in(30, 0);
	say_result(poll(&p, 1, 5000));
	alarm_in(30, SA_RESTART); /* never restarts */
	say_result(poll(&p, 1, 5000));
	say("%d\n", (int)n_signals);
}

static void interrupts_a_select(void)
{
	fd_set r;
	int fd[2];

	connection(fd);
	FD_ZERO(&r);
	FD_SET(fd[1], &r);
	alarm_in(30, SA_RESTART);
	say_result(select(fd[1] + 1, &r, NULL, NULL, NULL));
	say("%d\n", (int)n_signals);
}

static void interrupts_an_epoll_wait(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd[2], set = epoll_create1(0);

	connection(fd);
	epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &ev);
	alarm_in(30, SA_RESTART);
	say_result(epoll_wait(set, &ev, 1, -1));
	say("%d\n", (int)n_signals);
}

static void interrupts_a_write(void)
{
	static char bytes[200000];
	ssize_t n;
	int fd[2];

	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 10000);
	while (send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	a_moment();
	while (send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	alarm_in(30, 0);
	n = send(fd[0], bytes, sizeof(bytes), 0); /* a part, or none */
	say("%d\n", n > 0 ? n < (ssize_t)sizeof(bytes) : errno == EINTR);
	say("%d\n", (int)n_signals);
}

/* What was done before the signal is the result. */
static void interrupts_after_a_part(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	send(fd[0], "abc", 3, 0);
	polled(fd[1], POLLIN, POLLIN);
	alarm_in(30, 0);
	say_result(recv(fd[1], bytes, 8, MSG_WAITALL));
	say("%d\n", (int)n_signals);
}

static void *send_byte(void *fd)
{
	usleep(60000);
	send(*(int *)fd, "x", 1, 0);
	return NULL;
}

static void begins_again(void)
{
	pthread_t t;
	sigset_t alarms;
	char byte;
	int fd[2];

	connection(fd);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	t = later(send_byte, &fd[0]);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	alarm_in(30, SA_RESTART);
	say_result(recv(fd[1], &byte, 1, 0));
	pthread_join(t, NULL);
	say("%d\n", (int)n_signals);
}

/* A time-out makes a call that no handler restarts. */
static void does_not_begin_again_with_a_time_out(void)
{
	char byte;
	int fd[2];

	connection(fd);
	set_timeout(fd[1], SO_RCVTIMEO, 5000);
	alarm_in(30, SA_RESTART);
	say_result(recv(fd[1], &byte, 1, 0));
	say("%d\n", (int)n_signals);
}

/* The same of calls that another address, or another peer, is an answer to. */
static void gives_up_other_calls_with_a_time_out(void)
{
	struct name from = { .len = sizeof(from.all) };
	int d = bound(SOCK_DGRAM), l = listening();
	char byte;

	set_timeout(d, SO_RCVTIMEO, 5000);
	set_timeout(l, SO_RCVTIMEO, 5000);
	alarm_in(30, SA_RESTART);
	say_result(recvfrom(d, &byte, 1, 0, &from.sa, &from.len));
	alarm_in(30, SA_RESTART);
	say_result(accept(l, NULL, NULL));
	say("%d\n", n_signals >= 2);
}

static void ignores_a_signal(void)
{
	struct itimerval t = { .it_value = { 0, 20000 } };
	pthread_t thread;
	char byte;
	int fd[2];

	connection(fd);
	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &t, NULL);
	thread = later(send_byte, &fd[0]);
	say_result(recv(fd[1], &byte, 1, 0));
	pthread_join(thread, NULL);
}

static void raises_a_pipe(void)
{
	int fd[2];

	connection(fd);
	count_signals(SIGPIPE, 0);
	shutdown(fd[0], SHUT_WR);
	say_result(write(fd[0], "x", 1));
	say("%d\n", (int)n_signals);
	say_result(send(fd[0], "x", 1, 0));
	say("%d\n", (int)n_signals);
	say_result(send(fd[0], "x", 1, MSG_NOSIGNAL));
	say("%d\n", (int)n_signals);
}

static void raises_a_pipe_in_vectors(void)
{
	char text[] = "x";
	struct iovec iov = { text, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd[2];

	connection(fd);
	count_signals(SIGPIPE, 0);
	shutdown(fd[0], SHUT_WR);
	say_result(writev(fd[0], &iov, 1));
	say("%d\n", (int)n_signals);
	say_result(sendmsg(fd[0], &m, 0));
	say("%d\n", (int)n_signals);
	say_result(sendmsg(fd[0], &m, MSG_NOSIGNAL));
	say("%d\n", (int)n_signals);
	iov.iov_len = 0;
	say_result(writev(fd[0], &iov, 1));
	say("%d\n", (int)n_signals);
}

static void raises_a_pipe_when_unconnected(void)
{
	int fd = socket_of(SOCK_STREAM);

	count_signals(SIGPIPE, 0);
	say_result(write(fd, "x", 1));
	say("%d\n", (int)n_signals);
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say("%d\n", (int)n_signals);
}

static void raises_no_pipe_of_datagrams(void)
{
	int fd[2];

	friends(fd);
	count_signals(SIGPIPE, 0);
	shutdown(fd[0], SHUT_WR);
	say_result(write(fd[0], "x", 1));
	say("%d\n", (int)n_signals);
}

static void waits_with_a_mask(void)
{
	struct timespec t = { 0, 50000000 };
	struct pollfd p = { .events = POLLIN };
	sigset_t alarms;
	int fd[2];

	connection(fd);
	p.fd = fd[1];
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	alarm_in(20, 0);
	say_result(ppoll(&p, 1, &t, &alarms)); /* not heard before the end */
	say("%d\n", (int)n_signals);
}

/* The signal is blocked but for the wait. */
static void waits_for_a_signal(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd[2], set = epoll_create1(0);
	sigset_t alarms, none;

	connection(fd);
	epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &ev);
	sigemptyset(&none);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	alarm_in(20, 0);
	say_result(epoll_pwait(set, &ev, 1, 5000, &none));
	say("%d\n", (int)n_signals);
}

/* It came before the wait, and was blocked. */
static void has_a_signal_that_waits(void)
{
	struct timespec t = { 5, 0 };
	struct pollfd p = { .events = POLLIN };
	sigset_t alarms, none;
	int fd[2];

	connection(fd);
	p.fd = fd[1];
	sigemptyset(&none);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGUSR1);
	count_signals(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	raise(SIGUSR1);
	say("%d\n", (int)n_signals);
	say_result(ppoll(&p, 1, &t, &none));
	say("%d\n", (int)n_signals);
}

static void storm(int us, int flags)
{
	struct itimerval t = { { 0, us }, { 0, us } };

	count_signals(SIGALRM, flags);
	setitimer(ITIMER_REAL, &t, NULL);
}

/* Signals all the time: nothing may be lost or done twice. */
static void survives_a_storm_of_connections(void)
{
	enum { N = 100 };
	int l = listening(), n = 0, fd, c;
	uint16_t port = port_of(l);
	char byte;

	storm(400, SA_RESTART);
	for (int i = 0; i < N; i++) {
		c = socket_of(SOCK_STREAM);
		if (connect_to(c, port) != 0 && errno != EINTR)
			say("connect %s\n", strerror(errno));
		polled(c, POLLOUT, POLLOUT);
		while (write(c, "x", 1) < 0 && errno == EINTR)
			continue;
		close(c);
		while ((fd = accept(l, NULL, NULL)) < 0 && errno == EINTR)
			continue;
		while (read(fd, &byte, 1) < 0 && errno == EINTR)
			continue;
		n += fd >= 0;
		close(fd);
	}
	storm(0, SA_RESTART);
	say("%d\n", n);
}

static void survives_a_storm_of_datagrams(void)
{
	enum { N = 200 };
	int d = bound(SOCK_DGRAM), e = bound(SOCK_DGRAM), got = -1;
	uint16_t port = port_of(e);

	storm(400, SA_RESTART);
	for (int i = 0; i < N; i++) {
		while (send_to(d, &i, sizeof(i), port) < 0 && errno == EINTR)
			continue;
		while (recv(e, &got, sizeof(got), 0) < 0 && errno == EINTR)
			continue;
		if (got != i)
			say("%d instead of %d\n", got, i);
	}
	storm(0, SA_RESTART);
	say_result(recv(e, &got, sizeof(got), MSG_DONTWAIT));
}

static void survives_a_storm_of_bytes(void)
{
	static unsigned char bytes[1000];
	int fd[2], wrong = 0;
	unsigned sent = 0, got = 0;

	connection(fd);
	set_int(fd[0], IPPROTO_TCP, TCP_NODELAY, 1);
	storm(3000, 0); /* a call that is stopped is answered within */
	while (got < 300000) {
		size_t k = 0;
		ssize_t n;

		while (k < sizeof(bytes)) {
			bytes[k] = (unsigned char)((sent + k) * 31 % 251);
			k++;
		}
		n = write(fd[0], bytes, sizeof(bytes));
		sent += n > 0 ? (unsigned)n : 0;
		while (got < sent) {
			n = read(fd[1], bytes, sizeof(bytes));
			for (ssize_t i = 0; i < n; i++)
				wrong +=
					bytes[i] != (unsigned char)((got + (unsigned)i) * 31 % 251);
			got += n > 0 ? (unsigned)n : 0;
		}
	}
	storm(0, 0);
	say("%d %d\n", wrong, sent == got);
}

static void survives_a_storm_of_polls(void)
{
	int fd[2], n = 0;
	char byte;

	connection(fd);
	set_int(fd[0], IPPROTO_TCP, TCP_NODELAY, 1);
	storm(3000, 0);
	for (int i = 0; i < 200; i++) {
		struct pollfd p = { fd[1], POLLIN, 0 };

		while (send(fd[0], "x", 1, 0) < 0 && errno == EINTR)
			continue;
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			continue;
		n += p.revents == POLLIN;
		while (recv(fd[1], &byte, 1, 0) < 0 && errno == EINTR)
			continue;
	}
	storm(0, 0);
	say("%d\n", n);
}

static const struct program programs[] = {
	BOTH(interrupts_a_receive),
	ONCE(interrupts_an_accept),
	ONCE(interrupts_a_datagram_receive),
	ONCE(interrupts_a_poll),
	ONCE(interrupts_a_select),
	ONCE(interrupts_an_epoll_wait),
	ONCE(interrupts_a_write),
	ONCE(interrupts_after_a_part),
	ONCE(begins_again),
	ONCE(does_not_begin_again_with_a_time_out),
	ONCE(gives_up_other_calls_with_a_time_out),
	ONCE(ignores_a_signal),
	BOTH(raises_a_pipe),
	ONCE(raises_a_pipe_in_vectors),
	ONCE(raises_a_pipe_when_unconnected),
	ONCE(raises_no_pipe_of_datagrams),
	ONCE(waits_with_a_mask),
	ONCE(waits_for_a_signal),
	ONCE(has_a_signal_that_waits),
	ONCE(survives_a_storm_of_connections),
	ONCE(survives_a_storm_of_datagrams),
	ONCE(survives_a_storm_of_bytes),
	ONCE(survives_a_storm_of_polls),
};
const struct subject of_signals = SUBJECT(programs);
