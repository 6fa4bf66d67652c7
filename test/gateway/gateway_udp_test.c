/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_udp_test.c - datagrams through the gateway: there and back, refused, grown old, too many;
 * echo requests to its own addresses; ports of the host's that lead inside, for both kinds.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

#include <sys/resource.h>

static const int families[] = { AF_INET, AF_INET6 };
static uint8_t bytes[70000];

static tern_sock inner_dgram(const struct tern_addr *to)
{
	tern_sock s = 0;

	check_eq(tern_socket(st, to->family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_connect(st, s, to), 0);
	return s;
}

/* The host's echo: each datagram goes back; how many. */
static int echo_all(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n;
	int count = 0;

	while ((n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len)) >= 0) {
		check_eq(sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, len), n);
		count++;
		len = sizeof(from);
	}
	return count;
}

static void datagrams_of_all_sizes_there_and_back(void)
{
	static const size_t sizes[] = { 1, 0, 2, 100, 1000, 1452 };

	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = 0;
		int fd = host_bind(families[i], SOCK_DGRAM, &port);
		struct tern_addr to = own_addr(families[i], port);
		tern_sock s;

		open_world();
		s = inner_dgram(&to);
		for (unsigned k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			int64_t n = -TERN_EAGAIN;

			test_at("family %d, %zu bytes", families[i], sizes[k]);
			fill(bytes, sizes[k], k);
			check_eq(tern_send(st, s, bytes, sizes[k], 0), sizes[k]);
			memset(bytes, 0, sizeof(bytes));
			wait_until((echo_all(fd),
				    (n = tern_recv(st, s, bytes, sizeof(bytes), 0)) >= 0));
			check_eq(n, sizes[k]);
			check(is_filled(bytes, sizes[k], k));
		}
		check_eq(gateway_counts(g).udp, 1);
		check_eq(gateway_flows(g), 1);
		check_eq(gateway_counts(g).bytes_out, gateway_counts(g).bytes_in);
		tern_close(st, s);
		close(fd);
		close_world();
	}
}

/* Each endpoint inside is one outside, and hears only what is for it. */
static void flows_are_kept_apart(void)
{
	enum { N = 20 };
	uint16_t port = 0;
	int fd = host_bind(AF_INET, SOCK_DGRAM, &port), echoed = 0;
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s[N];
	uint8_t got;

	open_world();
	for (unsigned i = 0; i < N; i++) {
		uint8_t b = (uint8_t)i;

		s[i] = inner_dgram(&to);
		check_eq(tern_send(st, s[i], &b, 1, 0), 1);
	}
	wait_until((echoed += echo_all(fd)) == N);
	for (unsigned i = 0; i < N; i++) {
		wait_until(tern_poll(st, s[i]) & TERN_POLLIN);
		check_eq(tern_recv(st, s[i], &got, 1, 0), 1);
		check_eq(got, i);
		check_eq(tern_recv(st, s[i], &got, 1, 0), -TERN_EAGAIN);
	}
	check_eq(gateway_flows(g), N);
	close(fd);
	close_world();
}

static void a_stranger_is_not_heard(void)
{
	uint16_t port = 0;
	int fd = host_bind(AF_INET, SOCK_DGRAM, &port), stranger;
	struct tern_addr to = own_addr(AF_INET, port);
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	tern_sock s;

	open_world();
	s = inner_dgram(&to);
	check_eq(tern_send(st, s, "x", 1, 0), 1);
	wait_until(recvfrom(fd, bytes, 10, 0, (struct sockaddr *)&from, &len) == 1);
	stranger = socket(AF_INET, SOCK_DGRAM, 0);
	check_eq(sendto(stranger, "boo", 3, 0, (struct sockaddr *)&from, len), 3);
	turns(10);
	check_eq(tern_recv(st, s, bytes, 10, 0), -TERN_EAGAIN);
	close(stranger);
	close(fd);
	close_world();
}

static void a_closed_port_is_refused(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = 0;
		int fd = host_bind(families[i], SOCK_DGRAM, &port);
		struct tern_addr to = own_addr(families[i], port);
		tern_sock s;

		test_at("family %d", families[i]);
		close(fd);
		open_world();
		s = inner_dgram(&to);
		check_eq(tern_send(st, s, "knock", 5, 0), 5);
		wait_until(tern_poll(st, s) & TERN_POLLERR);
		check_eq(tern_recv(st, s, bytes, 10, 0), -TERN_ECONNREFUSED);
		tern_close(st, s);
		close_world();
		/* by its own address, which leads nowhere now; and where none is its own */
		wish.no_loopback = true;
		open_world();
		s = inner_dgram(&to);
		check_eq(tern_send(st, s, "knock", 5, 0), 5);
		wait_until(tern_poll(st, s) & TERN_POLLERR);
		check_eq(gateway_flows(g), 0);
		close_world();
	}
}

static void flows_grow_old(void)
{
	uint16_t port = 0;
	int fd = host_bind(AF_INET, SOCK_DGRAM, &port);
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s;

	wish.udp_idle = 200 * TERN_MS;
	open_world();
	s = inner_dgram(&to);
	check_eq(tern_send(st, s, "a", 1, 0), 1);
	wait_until(echo_all(fd) == 1);
	wait_until(tern_recv(st, s, bytes, 10, 0) == 1);
	check_eq(gateway_flows(g), 1);
	check(gateway_deadline(g) < loop_now() + wish.udp_idle);
	wait_until(gateway_flows(g) == 0);
	check_eq(gateway_deadline(g), TERN_NEVER);
	check_eq(tern_send(st, s, "a", 1, 0), 1); /* and begin anew */
	wait_until(echo_all(fd) == 1);
	wait_until(tern_recv(st, s, bytes, 10, 0) == 1);
	check_eq(gateway_counts(g).udp, 2);
	close(fd);
	close_world();
}

static void the_oldest_makes_room(void)
{
	enum { N = 12, MOST = 5 };
	uint16_t port = 0;
	int fd = host_bind(AF_INET, SOCK_DGRAM, &port), got = 0;
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s[N];

	wish.flows_max = MOST;
	open_world();
	for (unsigned i = 0; i < N; i++) {
		s[i] = inner_dgram(&to);
		check_eq(tern_send(st, s[i], "a", 1, 0), 1);
		wait_until((got += recv(fd, bytes, 10, 0) == 1) == (int)i + 1);
		check_eq(gateway_flows(g), i < MOST ? i + 1 : MOST);
	}
	check_eq(gateway_counts(g).starved, 0);
	close(fd);
	close_world();
}

static void descriptors_run_out_for_datagrams(void)
{
	struct rlimit all, few;
	int hoard[64], n = 0;
	uint16_t port = 0;
	int fd = host_bind(AF_INET, SOCK_DGRAM, &port);
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s;

	open_world();
	getrlimit(RLIMIT_NOFILE, &all);
	few = all;
	few.rlim_cur = 60;
	setrlimit(RLIMIT_NOFILE, &few);
	while (n < 64 && (hoard[n] = dup(fd)) >= 0)
		n++;
	s = inner_dgram(&to);
	check_eq(tern_send(st, s, "a", 1, 0), 1);
	wait_until(gateway_counts(g).starved == 1);
	check_eq(gateway_flows(g), 0);
	while (n > 0)
		close(hoard[--n]);
	setrlimit(RLIMIT_NOFILE, &all);
	check_eq(tern_send(st, s, "b", 1, 0), 1);
	wait_until(recv(fd, bytes, 10, 0) == 1);
	check_eq(bytes[0], 'b');
	close(fd);
	close_world();
}

/* ---- echo ---- */

static void its_own_addresses_answer_echo(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t ping[12] = { i ? 128 : 8, [7] = 77, 'e', 'c', 'h', 'o' };
		struct tern_addr to = own_addr(families[i], 0);
		tern_sock s = 0;

		test_at("family %d", families[i]);
		open_world();
		check_eq(tern_socket(st, families[i], TERN_SOCK_DGRAM,
				     i ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP, &s),
			 0);
		check_eq(tern_sendto(st, s, ping, sizeof(ping), 0, &to), sizeof(ping));
		wait_until(tern_recv(st, s, bytes, 100, 0) == sizeof(ping));
		check_eq(bytes[0], i ? 129 : 0);
		check_mem(bytes + 6, ping + 6, 6);
		check_eq(gateway_flows(g), 0);
		close_world();
	}
}

/* ---- ports that lead inside ---- */

static tern_sock inner_listener(uint16_t port)
{
	struct tern_addr any = { .family = TERN_AF_INET, .port = port };
	tern_sock s = 0;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &any), 0);
	check_eq(tern_listen(st, s, 64), 0);
	return s;
}

static struct gateway_forward forward_to(bool udp, uint16_t *port)
{
	int fd = host_bind(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, port);

	close(fd); /* free, then */
	return (struct gateway_forward){ udp, tern_ip4(127, 0, 0, 1, *port),
					 tern_ip4(10, 0, 2, 15, 8080) };
}

static void streams_come_in_by_a_port(void)
{
	enum { N = 30 };
	struct gateway_forward f;
	tern_sock listener, s[N];
	uint16_t port = 0;
	int fd[N];

	open_world();
	listener = inner_listener(8080);
	f = forward_to(false, &port);
	check_eq(gateway_forward(g, &f), 0);
	check_eq(gateway_forward(g, &f), -EADDRINUSE);
	for (int i = 0; i < N; i++)
		fd[i] = host_connect(AF_INET, SOCK_STREAM, port);
	for (int i = 0; i < N; i++) {
		struct tern_addr peer;

		wait_until(tern_accept(st, listener, &s[i], &peer) == 0);
		check_eq(peer.ip[3], 2); /* the gateway's own address */
	}
	wait_until(gateway_counts(g).forwarded == N);
	for (int i = 0; i < N; i++) {
		check_eq(tern_send(st, s[i], "hello", 5, 0), 5);
		tern_shutdown(st, s[i], TERN_SHUT_WR);
	}
	for (int i = 0; i < N; i++) {
		wait_until(recv(fd[i], bytes, 100, 0) == 5);
		wait_until(recv(fd[i], bytes, 100, 0) == 0);
		check_eq(send(fd[i], "bye", 3, 0), 3);
		close(fd[i]);
	}
	for (int i = 0; i < N; i++) {
		wait_until(tern_recv(st, s[i], bytes, 100, 0) == 3);
		wait_until(tern_recv(st, s[i], bytes, 100, 0) == 0);
	}
	wait_until(gateway_flows(g) == 0);
	close_world();
}

static void who_is_refused_inside_is_reset(void)
{
	struct gateway_forward f;
	uint16_t port = 0;
	int fd;

	open_world();
	f = forward_to(false, &port);
	check_eq(gateway_forward(g, &f), 0);
	fd = host_connect(AF_INET, SOCK_STREAM, port);
	wait_until(recv(fd, bytes, 1, 0) < 0 && errno == ECONNRESET);
	check_eq(gateway_counts(g).forwarded, 0);
	wait_until(gateway_flows(g) == 0);
	close(fd);
	close_world();
}

static void a_port_takes_who_waits_when_descriptors_come_back(void)
{
	struct rlimit all, few;
	struct gateway_forward f;
	int hoard[64], n = 0, fd;
	tern_sock listener, s;
	uint16_t port = 0;

	open_world();
	listener = inner_listener(8080);
	f = forward_to(false, &port);
	check_eq(gateway_forward(g, &f), 0);
	fd = host_connect(AF_INET, SOCK_STREAM, port);
	getrlimit(RLIMIT_NOFILE, &all);
	few = all;
	few.rlim_cur = 60;
	setrlimit(RLIMIT_NOFILE, &few);
	while (n < 64 && (hoard[n] = dup(fd)) >= 0)
		n++;
	wait_until(gateway_counts(g).starved > 0);
	check(gateway_deadline(g) > loop_now()); /* it does not spin meanwhile */
	while (n > 0)
		close(hoard[--n]);
	setrlimit(RLIMIT_NOFILE, &all);
	wait_until(tern_accept(st, listener, &s, NULL) == 0);
	close(fd);
	close_world();
}

static void datagrams_come_in_by_a_port(void)
{
	struct tern_addr any = { .family = TERN_AF_INET, .port = 8080 }, peer;
	struct gateway_forward f;
	tern_sock s = 0;
	uint16_t port = 0;
	int fd[3];

	wish.udp_idle = 300 * TERN_MS;
	open_world();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &any), 0);
	f = forward_to(true, &port);
	check_eq(gateway_forward(g, &f), 0);
	for (int i = 0; i < 3; i++) {
		fd[i] = host_connect(AF_INET, SOCK_DGRAM, port);
		check_eq(send(fd[i], "who?", 4, 0), 4);
		wait_until(tern_recvfrom(st, s, bytes, 100, 0, &peer) == 4);
		bytes[0] = (uint8_t)i;
		check_eq(tern_sendto(st, s, bytes, 3, 0, &peer), 3);
	}
	for (int i = 0; i < 3; i++) {
		wait_until(recv(fd[i], bytes, 100, 0) == 3);
		check_eq(bytes[0], i);
		close(fd[i]);
	}
	check_eq(gateway_counts(g).forwarded, 3);
	wait_until(gateway_flows(g) == 0); /* grown old */
	close_world();
}

static const struct test tests[] = {
	TEST(datagrams_of_all_sizes_there_and_back),
	TEST(flows_are_kept_apart),
	TEST(a_stranger_is_not_heard),
	TEST(a_closed_port_is_refused),
	TEST(flows_grow_old),
	TEST(the_oldest_makes_room),
	TEST(descriptors_run_out_for_datagrams),
	TEST(its_own_addresses_answer_echo),
	TEST(streams_come_in_by_a_port),
	TEST(who_is_refused_inside_is_reset),
	TEST(a_port_takes_who_waits_when_descriptors_come_back),
	TEST(datagrams_come_in_by_a_port),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
