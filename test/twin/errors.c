/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors.c - twins: what calls say to what cannot be.
 */
#include "twin.h"

static void makes_no_socket(void)
{
	say_result(socket(AF_INET, 77, 0));
	say_result(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	say_result(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	say_result(socket(AF_INET6, SOCK_STREAM, IPPROTO_UDP));
	say_result(socket(AF_INET, SOCK_STREAM, 999));
	say_result(socket(AF_INET, SOCK_STREAM, -1));
	say_result(socket(AF_INET, SOCK_STREAM | 0x10000, 0));
	say_result(socket(AF_INET, SOCK_SEQPACKET, 0));
	say_result(socket(AF_INET, 0, 0));
	say_result(socket(999, SOCK_STREAM, 0));
	say_result(socket(-1, SOCK_STREAM, 0));
}

static void makes_sockets(void)
{
	say("%d\n", socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) >= 0);
	say("%d\n", socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) >= 0);
	say("%d\n", socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) >= 0);
	say("%d\n", socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP) >= 0);
	say("%d\n", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	say("%d\n", socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
}

static void asks_no_descriptor(void)
{
	struct name n = loopback_at(9);
	socklen_t len = sizeof(n.all);
	char byte;
	int v;

	say_result(bind(-1, &n.sa, n.len));
	say_result(listen(-1, 1));
	say_result(accept(-1, NULL, NULL));
	say_result(connect(-1, &n.sa, n.len));
	say_result(shutdown(-1, SHUT_WR));
	say_result(getsockname(-1, &n.sa, &len));
	say_result(getpeername(-1, &n.sa, &len));
	say_result(getsockopt(-1, SOL_SOCKET, SO_ERROR, &v, &len));
	say_result(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &v, sizeof(v)));
	say_result(send(-1, "x", 1, 0));
	say_result(recv(-1, &byte, 1, 0));
	say_result(read(-1, &byte, 1));
	say_result(write(-1, "x", 1));
	say_result(ioctl(-1, FIONREAD, &v));
	say_result(fcntl(-1, F_GETFL));
	say_result(dup(-1));
	say_result(dup2(-1, 50));
	say_result(close(-1));
	say_result(close(61));
	say_result(listen(61, 1));
}

static void asks_a_pipe(void)
{
	struct name n = loopback_at(9);
	socklen_t len = sizeof(n.all);
	int way[2], v;
	char byte;

	if (pipe(way))
		return;
	say_result(bind(way[0], &n.sa, n.len));
	say_result(listen(way[0], 1));
	say_result(accept(way[0], NULL, NULL));
	say_result(connect(way[0], &n.sa, n.len));
	say_result(shutdown(way[0], SHUT_WR));
	say_result(getsockname(way[0], &n.sa, &len));
	say_result(getpeername(way[0], &n.sa, &len));
	say_result(getsockopt(way[0], SOL_SOCKET, SO_ERROR, &v, &len));
	say_result(send(way[1], "x", 1, 0));
	say_result(recv(way[0], &byte, 1, 0));
	say_result(write(way[1], "x", 1));
	say_result(read(way[0], &byte, 1));
}

static void asks_a_unix_socket(void)
{
	int way[2], v = -1;
	socklen_t len = sizeof(v);
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	say_result(getsockopt(way[0], SOL_SOCKET, SO_DOMAIN, &v, &len));
	say("%d\n", v);
	say_result(sendto(way[0], "x", 1, 0, NULL, 0));
	say_result(recv(way[1], &byte, 1, 0));
	say_result(getsockopt(way[0], IPPROTO_TCP, TCP_NODELAY, &v, &len));
	say_result(shutdown(way[0], SHUT_WR));
	say_result(read(way[1], &byte, 1));
	say_result(socketpair(family, SOCK_STREAM, 0, way));
}

static void uses_a_fresh_socket(void)
{
	int fd = socket_of(SOCK_STREAM);
	struct name n = { .len = sizeof(n.all) };
	char byte;

	say_result(getpeername(fd, &n.sa, &n.len));
	say_result(getsockname(fd, &n.sa, &n.len));
	say("%d %d %u\n", n.sa.sa_family == family, port_in(&n), (unsigned)n.len);
	say_result(recv(fd, &byte, 1, 0));
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say_result(shutdown(fd, SHUT_WR));
	say_result(accept(fd, NULL, NULL));
	say_result(close(fd));
	say_result(close(fd));
	say_result(send(fd, "x", 1, 0));
}

static void uses_a_bound_socket(void)
{
	int fd = bound(SOCK_STREAM);
	char byte;

	say_result(recv(fd, &byte, 1, 0));
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say_result(accept(fd, NULL, NULL));
	say_result(read(fd, &byte, 1));
}

/* As Python's ssl asks a socket that is to be encrypted whether it had a peer. */
static void asks_by_an_octet(void)
{
	int fd = socket_of(SOCK_STREAM), l = listening(), c;
	struct iovec iov = { (char[4]){ "" }, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	char byte;

	say_result(recv(fd, &byte, 1, 0));
	say_result(recvmsg(fd, &m, 0));
	say_result(recv(fd, &byte, 1, MSG_TRUNC));
	say_result(recv(l, &byte, 1, 0));
	connected_to(port_of(l));
	say("%#x\n", polled(l, POLLIN, POLLIN));
	set_nonblocking(l);
	say_result(recv(l, &byte, 1, 0));
	say_result(recvmsg(l, &m, 0));
	say("%#x\n", polled_now(l, POLLIN));
	c = accept(l, NULL, NULL);
	say("%d %#x\n", c >= 0, polled_now(l, POLLIN));
	say_result(recv(c, &byte, 1, MSG_DONTWAIT));
	say_result(connect_to(fd, closed_port()));
	say_result(recv(fd, &byte, 1, 0));
	say_result(connect_to(fd, port_of(l)));
	c = accept(l, NULL, NULL);
	send(c, "xy", 2, 0);
	say_result(recv(fd, &byte, 1, 0));
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
}

static void cuts_a_long_name(void)
{
	int fd = listening();
	unsigned char bytes[128];
	socklen_t len = 4;

	memset(bytes, 0xee, sizeof(bytes));
	say_result(getsockname(fd, (struct sockaddr *)bytes, &len));
	say("%u %d %02x\n", (unsigned)len, bytes[0] == family, bytes[4]);
	len = 0;
	say_result(getsockname(fd, (struct sockaddr *)bytes, &len));
	say("%u\n", (unsigned)len);
	len = (socklen_t)-1;
	say_result(getsockname(fd, (struct sockaddr *)bytes, &len));
}

static void names_both_ends(void)
{
	struct name a[2] = { { .len = 128 }, { .len = 128 } },
		    b[2] = { { .len = 128 }, { .len = 128 } };
	int fd[2];

	connection(fd);
	for (int i = 0; i < 2; i++) {
		say_result(getsockname(fd[i], &a[i].sa, &a[i].len));
		say_result(getpeername(fd[i], &b[i].sa, &b[i].len));
		say("%u %u\n", (unsigned)a[i].len, (unsigned)b[i].len);
	}
	say("%d %d\n", memcmp(&a[0].all, &b[1].all, a[0].len),
	    memcmp(&a[1].all, &b[0].all, a[1].len));
}

static void names_that_are_nowhere(void)
{
	struct name n = { .len = sizeof(n.all) };
	int fd = listening(), v = 1;
	socklen_t len = 16;
	char *nowhere = (char *)8;

	say_result(getsockname(fd, &n.sa, NULL));
	say_result(getsockname(fd, NULL, &len));
	say_result(bind(bound(SOCK_STREAM), NULL, 16));
	say_result(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof(v)));
	say_result(getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &len));
	say_result(getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, NULL));
	(void)nowhere;
}

static void moves_bytes_from_nowhere(void)
{
	struct iovec iov = { NULL, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd[2];

	connection(fd);
	say_result(send(fd[0], NULL, 4, 0));
	say_result(writev(fd[0], &iov, 1));
	say_result(sendmsg(fd[0], &m, 0));
	say_result(send(fd[0], "abcd", 4, 0));
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], NULL, 4, 0));
}

/* Any number that is closed in between is given out anew. */
/* Of an address of one link, of a group; without its link, with one that is there, with others. */
static void binds_within_a_scope(void)
{
	static const char *const names[] = { "fe80::1", "ff01::1", "ff02::1", "ff0e::1" };
	static const uint32_t scopes[] = { 0, 1, 99, 65537 };

	for (size_t i = 0; i < N_OF(names) * N_OF(scopes) * 2; i++) {
		int s = socket(AF_INET6, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);
		struct sockaddr_in6 a = { .sin6_family = AF_INET6,
					  .sin6_scope_id = scopes[i / 2 % N_OF(scopes)] };

		inet_pton(AF_INET6, names[i / 2 / N_OF(scopes)], &a.sin6_addr);
		say_result(bind(s, (struct sockaddr *)&a, sizeof(a)));
		close(s);
	}
}

/* How many may wait is a question to who listens, or may still. */
static void asks_a_connection_for_fast_opens(void)
{
	int l = listening(), c, a, n = 5;

	c = socket_of(SOCK_STREAM);
	say_result(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN, &n, sizeof(n)));
	close(c);
	c = connected_to(port_of(l));
	a = accept(l, NULL, NULL);
	say_result(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN, &n, sizeof(n)));
	say_result(setsockopt(a, IPPROTO_TCP, TCP_FASTOPEN, &n, sizeof(n)));
	say_result(setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN, &n, sizeof(n)));
	n = -1;
	say_result(setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN, &n, sizeof(n)));
}

static void reuses_numbers(void)
{
	int a = socket_of(SOCK_STREAM), b = socket_of(SOCK_STREAM), way[2], c;

	close(a);
	c = socket_of(SOCK_DGRAM);
	say("%d\n", c == a);
	close(b);
	close(c);
	if (pipe(way))
		return;
	say("%d %d\n", way[0] == a, way[1] == b);
	say_result(listen(way[0], 1));
	say_result(write(way[1], "x", 1));
	close(way[0]);
	say("%d\n", socket_of(SOCK_STREAM) == a);
}

static void opens_many(void)
{
	int fd[20], n = 0;

	for (int i = 0; i < 20; i++)
		fd[i] = socket_of(i % 2 ? SOCK_STREAM : SOCK_DGRAM);
	for (int i = 0; i < 20; i++)
		n += close(fd[i]) == 0;
	say("%d\n", n);
	for (int i = 0; i < 20; i++)
		n += close(fd[i]) == 0;
	say("%d\n", n);
}

static const struct program programs[] = {
	ONCE(makes_no_socket),	      ONCE(makes_sockets),
	BOTH(asks_no_descriptor),     ONCE(asks_a_pipe),
	ONCE(asks_a_unix_socket),     BOTH(uses_a_fresh_socket),
	BOTH(uses_a_bound_socket),    BOTH(asks_by_an_octet),
	BOTH(cuts_a_long_name),	      BOTH(names_both_ends),
	ONCE(names_that_are_nowhere), ONCE(moves_bytes_from_nowhere),
	ONCE(binds_within_a_scope),   BOTH(asks_a_connection_for_fast_opens),
	ONCE(reuses_numbers),	      ONCE(opens_many),
};
const struct subject of_errors = SUBJECT(programs);
