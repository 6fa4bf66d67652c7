/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen_twin_test.c - listeners, waiting calls and signals under tern behave as on the kernel.
 */
#define _GNU_SOURCE
#include "twin.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>

static void accepts_with_flags(void)
{
	int l = listening(), c = connected_to(port_of(l)), fd;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	fd = accept4(l, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	say("%d %u\n", ntohs(a.sin_port) == port_of(c), (unsigned)len);
	connected_to(port_of(l));
	fd = accept(l, NULL, NULL);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	say("%s\n", told(accept4(l, NULL, NULL, 0x12345)));
	say("%s\n", told(accept(bound(SOCK_DGRAM), NULL, NULL)));
	say("%s\n", told(listen(bound(SOCK_DGRAM), 1)));
	say("%s\n", told(accept(c, NULL, NULL)));
	say("%s\n", told(listen(c, 1)));
}

static void is_readable_while_one_waits(void)
{
	int l = listening(), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, out;

	set_nonblocking(l);
	say("%s\n", told(accept(l, NULL, NULL)));
	say("%s\n", told(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev)));
	say("%d\n", epoll_wait(ep, &out, 1, 0));
	connected_to(port_of(l));
	connected_to(port_of(l));
	for (int i = 0; i < 2; i++) {
		say("%d\n", epoll_wait(ep, &out, 1, 5000));
		say("%d\n", accept(l, NULL, NULL) >= 0);
	}
	say("%d\n", epoll_wait(ep, &out, 1, 0));
	say("%s\n", told(accept(l, NULL, NULL)));
	say("%x\n", polled(l, POLLIN | POLLOUT, 0));
}

static void *accept_one(void *arg)
{
	return (void *)(intptr_t)accept(*(int *)arg, NULL, NULL);
}

static void accepts_in_threads(void)
{
	pthread_t t[3];
	int l = listening(), good = 0;
	void *fd;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, accept_one, &l);
	usleep(20000);
	for (int i = 0; i < 3; i++)
		connected_to(port_of(l));
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &fd);
		good += (intptr_t)fd >= 0;
	}
	say("%d\n", good);
}

static void *accept_error(void *arg)
{
	return (void *)(intptr_t)(accept(*(int *)arg, NULL, NULL) < 0 ? errno : 0);
}

static void shuts_a_listener(void)
{
	pthread_t t;
	int l = listening();
	uint16_t port = port_of(l);
	struct sockaddr_in a = loopback_at(port);
	void *err;

	pthread_create(&t, NULL, accept_error, &l);
	usleep(20000);
	say("%s\n", told(shutdown(l, SHUT_RDWR)));
	pthread_join(t, &err);
	say("%d\n", (int)(intptr_t)err);
	say("%s\n", told(accept(l, NULL, NULL)));
	say("%s\n",
	    told(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a))));
}

static void accepts_with_a_limit(void)
{
	struct timeval t = { 0, 30000 };
	int l = listening();

	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))));
	say("%s\n", told(accept(l, NULL, NULL)));
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static volatile sig_atomic_t n_alarms;

static void count_alarm(int sig)
{
	(void)sig;
	n_alarms++;
}

static void alarm_in(int ms, int flags)
{
	struct sigaction act = { .sa_handler = count_alarm, .sa_flags = flags };
	struct itimerval t = { .it_value = { 0, ms * 1000 } };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static void is_interrupted(void)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int l = listening(), d = bound(SOCK_DGRAM), fd[2];
	char byte;

	alarm_in(50, 0);
	say("%s", told(accept(l, NULL, NULL)));
	say(" %d\n", (int)n_alarms);
	alarm_in(50, 0);
	say("%s", told(recvfrom(d, &byte, 1, 0, (struct sockaddr *)&from, &len)));
	say(" %d\n", (int)n_alarms);
	connection(fd);
	alarm_in(50, 0);
	say("%s", told(read(fd[0], &byte, 1)));
	say(" %d\n", (int)n_alarms);
}

static void begins_again(void)
{
	int l = listening(), fd;
	uint16_t port = port_of(l);

	if (fork() == 0) {
		usleep(200000);
		connected_to(port);
		_exit(0);
	}
	alarm_in(50, SA_RESTART);
	fd = accept(l, NULL, NULL);
	say("%d %d\n", fd >= 0, (int)n_alarms);
	wait(NULL);
}

static void dies_while_it_waits(void)
{
	int l = listening(), status;
	pid_t pid = fork();

	if (pid == 0) {
		accept(l, NULL, NULL);
		_exit(1);
	}
	usleep(30000);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	say("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void is_shared_by_processes(void)
{
	int l = listening(), sum = 0, status;
	char byte;

	for (int i = 0; i < 3; i++) {
		if (fork() == 0) {
			int fd = accept(l, NULL, NULL);

			_exit(write(fd, "k", 1) == 1 ? 1 : 0);
		}
	}
	for (int i = 0; i < 3; i++)
		sum += read(connected_to(port_of(l)), &byte, 1) == 1;
	for (int i = 0; i < 3; i++) {
		wait(&status);
		sum += WEXITSTATUS(status);
	}
	say("%d\n", sum);
}

static void frees_the_port(void)
{
	int l = listening(), other = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in a = loopback_at(port_of(l));

	say("%s\n", told(bind(other, (struct sockaddr *)&a, sizeof(a))));
	close(l);
	setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	for (int i = 0; i < 5000; i++) {
		if (bind(other, (struct sockaddr *)&a, sizeof(a)) == 0)
			break;
		usleep(1000);
	}
	say("%d\n", port_of(other) == ntohs(a.sin_port));
	say("%s\n", told(listen(other, 1)));
}

/*
 * Signals all the time: no answer may be lost or done twice. With SA_RESTART, because the kernel
 * gives EINTR to any stopped call (socket as well) whose question has not been read yet.
 */
static void connect_in_storm(uint16_t port)
{
	struct sockaddr_in a = loopback_at(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		if (errno != EINTR)
			say("connect %s\n", strerrorname_np(errno));
		polled(fd, POLLOUT, POLLOUT);
	}
	while (write(fd, "x", 1) < 0 && errno == EINTR)
		continue;
	close(fd);
}

static void survives_a_storm(void)
{
	enum { N = 100 };
	struct itimerval storm = { { 0, 400 }, { 0, 400 } };
	struct sigaction act = { .sa_handler = count_alarm, .sa_flags = SA_RESTART };
	int l = listening(), d = bound(SOCK_DGRAM), e = bound(SOCK_DGRAM), n = 0, fd, first;
	struct sockaddr_in to = loopback_at(port_of(e)), from;
	socklen_t len = sizeof(from);
	uint16_t port = port_of(l);
	char byte;

	first = dup(0);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &storm, NULL);
	for (int i = 0; i < N; i++) {
		connect_in_storm(port);
		while ((fd = accept(l, NULL, NULL)) < 0 && errno == EINTR)
			continue;
		while (read(fd, &byte, 1) < 0 && errno == EINTR)
			continue;
		n += fd >= 0;
		close(fd);
	}
	say("%d\n", n);
	for (int i = 0; i < N; i++) {
		while (sendto(d, &i, sizeof(i), 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
		       errno == EINTR)
			continue;
		while (recvfrom(e, &n, sizeof(n), 0, (struct sockaddr *)&from, &len) < 0 &&
		       errno == EINTR)
			continue;
		if (n != i)
			say("%d instead of %d\n", n, i);
	}
	memset(&storm, 0, sizeof(storm));
	setitimer(ITIMER_REAL, &storm, NULL);
	say("%s\n", told(recv(e, &n, sizeof(n), MSG_DONTWAIT)));
	say("%d\n", dup(0) - first);
}

#define LISTEN_TWINS(X)                                                                            \
	X(accepts_with_flags)                                                                      \
	X(is_readable_while_one_waits)                                                             \
	X(accepts_in_threads)                                                                      \
	X(shuts_a_listener)                                                                        \
	X(accepts_with_a_limit)                                                                    \
	X(is_interrupted)                                                                          \
	X(begins_again)                                                                            \
	X(dies_while_it_waits)                                                                     \
	X(is_shared_by_processes)                                                                  \
	X(frees_the_port)                                                                          \
	X(survives_a_storm)

TWIN_MAIN(LISTEN_TWINS)
