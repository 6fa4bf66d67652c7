/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_many_test.c - ten thousand streams at once through one gateway, and as many flows of
 * datagrams. The host's ends live in a process of their own, which has descriptors of its own.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { FLOWS = 10000, BYTES_EACH = 16 << 10 };

static tern_sock inner[FLOWS];

/* As many as the limit on descriptors lets there be. */
static unsigned how_many(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_max >= FLOWS + 100 ? FLOWS : (unsigned)r.rlim_max - 100;
}

/* ---- the host's side ---- */

static void watch(int set, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) != 0)
		_exit(1);
}

/* Echoes until it is killed. */
static void echo_streams(int listener)
{
	int set = epoll_create1(0);
	struct epoll_event ev;
	uint8_t text[100];

	watch(set, listener);
	while (epoll_wait(set, &ev, 1, -1) == 1) {
		ssize_t n;

		if (ev.data.fd == listener) {
			int fd = accept_now(listener);

			if (fd >= 0)
				watch(set, fd);
			continue;
		}
		n = recv(ev.data.fd, text, sizeof(text), 0);
		if (n <= 0)
			close(ev.data.fd);
		else if (send(ev.data.fd, text, (size_t)n, MSG_NOSIGNAL) != n)
			_exit(1);
	}
	_exit(1);
}

static void echo_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t len;
	uint8_t text[100];
	ssize_t n;

	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };

		poll(&p, 1, -1);
		len = sizeof(from);
		n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len);
		if (n >= 0)
			sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static pid_t start_host(void (*run)(int), int fd)
{
	pid_t pid = fork();

	check(pid >= 0);
	if (pid == 0)
		run(fd);
	close(fd);
	return pid;
}

static void stop_host(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- the inside ---- */

/* How many of the first n are open, or have their number back, when `from` were before. */
static unsigned count_open(unsigned from, unsigned n)
{
	while (from < n && is_open(inner[from]))
		from++;
	return from;
}

static unsigned count_heard(unsigned from, unsigned n)
{
	uint8_t text[2];

	while (from < n && tern_recv(st, inner[from], text, 2, 0) == 2) {
		check_eq(text[0] | text[1] << 8, from);
		from++;
	}
	return from;
}

static void ten_thousand_streams(void)
{
	unsigned n = how_many(), n_open = 0, n_heard = 0;
	uint64_t before;
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 4096, &port);
	pid_t pid = start_host(echo_streams, listener);
	struct tern_addr to = own_addr(AF_INET, port);

	test_at("%u streams", n);
	open_world();
	before = tern_memory(l.stack[1]);
	for (unsigned i = 0; i < n; i++) {
		inner[i] = inner_connect(&to);
		if (i % 100 == 99)
			turn();
	}
	wait_until((n_open = count_open(n_open, n)) == n);
	check_eq(gateway_flows(g), n);
	check_eq(gateway_counts(g).starved, 0);
	/* the last one is as near as the first, and each byte finds its way back */
	for (unsigned i = 0; i < n; i++) {
		uint8_t text[2] = { (uint8_t)i, (uint8_t)(i >> 8) };

		check_eq(tern_send(st, inner[i], text, 2, 0), 2);
		if (i % 100 == 99)
			turn();
	}
	wait_until((n_heard = count_heard(n_heard, n)) == n);
	check(tern_memory(l.stack[1]) - before < (uint64_t)n * BYTES_EACH);
	check_eq(gateway_deadline(g), TERN_NEVER); /* idle ones cost no time */
	for (unsigned i = 0; i < n; i++) {
		if (i & 1)
			tern_abort(st, inner[i]);
		else
			tern_close(st, inner[i]);
		if (i % 100 == 99)
			turn();
	}
	wait_until(gateway_flows(g) == 0);
	close_world();
	stop_host(pid);
}

static void ten_thousand_flows_of_datagrams(void)
{
	unsigned n = how_many(), n_heard = 0;
	uint16_t port = 0;
	int room = 4 << 20, fd = host_bind(AF_INET, SOCK_DGRAM, &port);
	struct tern_addr to = own_addr(AF_INET, port);
	pid_t pid;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	pid = start_host(echo_datagrams, fd);
	test_at("%u flows", n);
	open_world();
	for (unsigned i = 0; i < n; i++) {
		uint8_t text[2] = { (uint8_t)i, (uint8_t)(i >> 8) };

		check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &inner[i]), 0);
		check_eq(tern_connect(st, inner[i], &to), 0);
		check_eq(tern_send(st, inner[i], text, 2, 0), 2);
		if (i % 20 == 19)
			wait_until((n_heard = count_heard(n_heard, i + 1)) == i + 1);
	}
	check_eq(gateway_flows(g), n);
	check_eq(gateway_counts(g).udp, n);
	close_world();
	stop_host(pid);
}

static const struct test tests[] = {
	TEST(ten_thousand_streams),
	TEST(ten_thousand_flows_of_datagrams),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
