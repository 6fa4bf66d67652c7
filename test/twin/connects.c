/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connects.c - twins: connecting, at once and in the background, and being refused.
 */
#include "twin.h"

static int call_to(int fd, uint16_t port)
{
	int n = connect_to(fd, port);

	say_result(n);
	return n;
}

static void is_refused(void)
{
	int fd = socket_of(SOCK_STREAM);
	uint16_t port = closed_port();
	char byte;

	call_to(fd, port);
	call_to(fd, port);
	say_result(recv(fd, &byte, 1, MSG_DONTWAIT));
	say("%d\n", so_error(fd));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT));
}

static void is_refused_and_tries_again(void)
{
	int fd = socket_of(SOCK_STREAM), l = listening();

	call_to(fd, closed_port());
	call_to(fd, port_of(l));
	call_to(fd, port_of(l));
	say_result(write(fd, "x", 1));
}

static void is_refused_later(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);

	call_to(fd, closed_port());
	say("%#x\n", polled(fd, POLLIN | POLLOUT | POLLRDHUP, POLLERR));
	say("%d %d\n", so_error(fd), so_error(fd));
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT | POLLRDHUP));
}

/* Who listens has no room for it: its SYN goes unanswered. */
static int connecting_for_ever(void)
{
	int l = bound(SOCK_STREAM), fd;

	listen(l, 0);
	connected_to(port_of(l));
	connect_to(socket_of(SOCK_STREAM | SOCK_NONBLOCK), port_of(l));
	a_moment();
	fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	call_to(fd, port_of(l));
	return fd;
}

static void *shuts_it(void *fd)
{
	shutdown(*(int *)fd, SHUT_RDWR);
	return NULL;
}

static void shuts_before_it_is_connected(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out = { 0 };
	int fd = connecting_for_ever(), set = epoll_create1(0), l = listening();
	pthread_t thread;
	char bytes[2];

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT | POLLRDHUP));
	say_result(shutdown(fd, 5));
	say_result(shutdown(fd, SHUT_WR));
	say_result(epoll_wait(set, &out, 1, 1000));
	say("%#x %#x\n", out.events, polled_now(fd, POLLIN | POLLOUT | POLLRDHUP));
	say("%d %d\n", so_error(fd), so_error(fd));
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say_result(recv(fd, bytes, 2, 0));
	say_result(shutdown(fd, SHUT_WR));
	call_to(fd, port_of(l));
	polled(fd, POLLOUT, POLLOUT);
	call_to(fd, port_of(l));

	fd = connecting_for_ever();
	fcntl(fd, F_SETFL, 0);
	thread = later(shuts_it, &fd);
	call_to(fd, port_of(l));
	pthread_join(thread, NULL);
}

static void shuts_before_it_is_connected_and_reads(void)
{
	char byte;

	for (int asks = 0; asks < 2; asks++) {
		int fd = connecting_for_ever();

		say_result(shutdown(fd, SHUT_RD));
		if (asks)
			say("%d\n", so_error(fd));
		say_result(recv(fd, &byte, 1, 0));
		say_result(recv(fd, &byte, 1, 0));
	}
}

static void is_refused_later_and_reads_it(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	char byte;

	call_to(fd, closed_port());
	polled(fd, POLLOUT, POLLERR);
	say_result(read(fd, &byte, 1));
	say_result(read(fd, &byte, 1));
}

static void is_refused_later_and_writes(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);

	call_to(fd, closed_port());
	polled(fd, POLLOUT, POLLERR);
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
	say_result(send(fd, "x", 1, MSG_NOSIGNAL));
}

static void is_refused_later_and_tries_again(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK), l = listening();
	uint16_t port = closed_port();

	call_to(fd, port);
	polled(fd, POLLOUT, POLLERR);
	call_to(fd, port);
	call_to(fd, port_of(l));
	say("%#x\n", polled(fd, POLLOUT, POLLOUT));
	say("%d\n", so_error(fd));
}

/* After SO_ERROR has told of it; the options and the flags are as they were. */
static void tries_again_after_it_was_told(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), l = listening(), server;
	uint16_t port = closed_port();
	char bytes[8] = "";

	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_timeout(fd, SO_RCVTIMEO, 500);
	for (int i = 0; i < 2; i++) {
		call_to(fd, port);
		polled(fd, POLLOUT, POLLERR);
		say("%d\n", so_error(fd));
		call_to(fd, port);
	}
	say("%#x %d\n", fcntl(fd, F_GETFL) & O_NONBLOCK, fcntl(fd, F_GETFD));
	say("%d\n", get_int(fd, IPPROTO_TCP, TCP_NODELAY));
	call_to(fd, port_of(l));
	say("%#x\n", polled(fd, POLLOUT, POLLOUT));
	say("%d\n", so_error(fd));
	server = accept(l, NULL, NULL);
	say_result(write(server, "hello", 5));
	say("%#x\n", polled(fd, POLLIN, POLLIN));
	say_result(read(fd, bytes, 8));
	say_result(write(fd, bytes, 5));
	say_result(read_all(server, bytes, 5));
	close(fd);
	say_result(read(server, bytes, 8));
}

/* A port that the program has chosen stays. */
static void is_refused_and_keeps_its_name(void)
{
	int fd = socket_of(SOCK_STREAM), l = listening();
	uint16_t port = closed_port();
	struct name n = loopback_at(port);

	say_result(bind(fd, &n.sa, n.len));
	call_to(fd, closed_port());
	say("%d\n", port_of(fd) == port);
	call_to(fd, port_of(l));
	say("%d\n", port_of(fd) == port);
}

static void connects_later(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	char byte;

	call_to(fd, port_of(l));
	say("%#x\n", polled(fd, POLLIN | POLLOUT, POLLOUT));
	say("%d\n", so_error(fd));
	call_to(fd, port_of(l));
	call_to(fd, port_of(l));
	say_result(read(fd, &byte, 1));
}

static void is_told_later_and_writes_at_once(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	char byte;

	call_to(fd, port_of(l));
	polled(fd, POLLOUT, POLLOUT);
	say_result(write(fd, "x", 1));
	say_result(read(accept(l, NULL, NULL), &byte, 1));
}

static void connects_twice(void)
{
	int l = listening(), fd = connected_to(port_of(l));

	call_to(fd, port_of(l));
	call_to(fd, closed_port());
	set_nonblocking(fd);
	call_to(fd, port_of(l));
}

static void connects_a_listener(void)
{
	int l = listening(), other = listening();

	call_to(l, port_of(other));
	call_to(l, port_of(l));
}

static void connects_with_a_name(void)
{
	int l = listening(), fd = bound(SOCK_STREAM), a;
	uint16_t port = port_of(fd);
	struct name from = { .len = sizeof(from.all) };

	call_to(fd, port_of(l));
	say("%d\n", port_of(fd) == port);
	a = accept(l, &from.sa, &from.len);
	say("%d %d %u\n", a >= 0, port_in(&from) == port, (unsigned)from.len);
}

static void connects_to_any(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM);
	struct name n = any_at(port_of(l));
	struct name peer = { .len = sizeof(peer.all) };
	char text[64];

	say_result(connect(fd, &n.sa, n.len)); /* means this host */
	say_result(getpeername(fd, &peer.sa, &peer.len));
	say("%s\n",
	    inet_ntop(peer.sa.sa_family,
		      family == AF_INET ? (void *)&peer.in.sin_addr : (void *)&peer.in6.sin6_addr,
		      text, sizeof(text)));
}

static void connects_to_itself(void)
{
	int fd = bound(SOCK_STREAM);
	char byte = 0;

	call_to(fd, port_of(fd));
	say_result(write(fd, "x", 1));
	say_result(read(fd, &byte, 1));
	say("%c\n", byte);
}

static void connects_to_port_0(void)
{
	int fd = socket_of(SOCK_STREAM);

	call_to(fd, 0);
}

static void connects_to_a_bad_name(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM);
	struct name n = loopback_at(port_of(l));

	say_result(connect(fd, &n.sa, 0));
	say_result(connect(fd, &n.sa, 1));
	say_result(connect(fd, &n.sa, 15));
	n.sa.sa_family = AF_UNIX;
	say_result(connect(fd, &n.sa, n.len));
	n.sa.sa_family = 77;
	say_result(connect(fd, &n.sa, n.len));
	n = loopback_at(port_of(l));
	say_result(connect(fd, &n.sa, sizeof(n.all)));
}

static void connects_by_the_other_family(void)
{
	struct name n = loopback_at(port_of(listening()));
	int other = socket(family == AF_INET ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	int fd = socket(family == AF_INET ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	if (family == AF_INET)
		n.len = 16;
	say_result(connect(other, &n.sa, n.len));
	say_result(connect(fd, &n.sa, n.len));
}

static void connects_with_a_limit(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM);

	set_timeout(fd, SO_SNDTIMEO, 3000);
	call_to(fd, port_of(l));
	fd = socket_of(SOCK_STREAM);
	set_timeout(fd, SO_SNDTIMEO, 3000);
	call_to(fd, closed_port());
}

/* Of a listener that takes nobody more. */
static uint16_t full_port(void)
{
	int l = bound(SOCK_STREAM);

	listen(l, 0);
	connected_to(port_of(l));
	connect_to(socket_of(SOCK_STREAM | SOCK_NONBLOCK), port_of(l));
	a_moment();
	return port_of(l);
}

static void *shut(void *fd)
{
	return (void *)(intptr_t)shutdown(*(int *)fd, SHUT_RDWR);
}

static void gives_up_by_shutdown(void)
{
	int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK), l = listening();
	uint16_t port = full_port();
	pthread_t t;
	void *result;

	call_to(fd, port);
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT | POLLRDHUP));
	say_result(shutdown(fd, SHUT_WR));
	say("%#x\n", polled_now(fd, POLLOUT));
	say("%d\n", so_error(fd));
	call_to(fd, port_of(l));
	say("%#x\n", polled(fd, POLLOUT, POLLOUT));
	say("%d\n", so_error(fd));
	say_result(write(fd, "x", 1));
	fd = socket_of(SOCK_STREAM);
	set_timeout(fd, SO_SNDTIMEO, 5000);
	t = later(shut, &fd);
	call_to(fd, port);
	pthread_join(t, &result);
	say_result((intptr_t)result);
	say("%d\n", so_error(fd));
	call_to(fd, port_of(l));
}

static void dissolves_a_fresh_socket(void)
{
	int fd = socket_of(SOCK_STREAM), l = listening();
	struct name none = { .sa.sa_family = AF_UNSPEC };

	say_result(connect(fd, &none.sa, sizeof(none.sa)));
	call_to(fd, port_of(l));
	say_result(connect(l, &none.sa, sizeof(none.sa)));
	say_result(accept(l, NULL, NULL));
}

static void tells_its_name_after_it_connected(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM);
	struct name n = { .len = sizeof(n.all) };

	say("%d\n", port_of(fd));
	call_to(fd, port_of(l));
	say("%d\n", port_of(fd) != 0);
	say_result(getpeername(fd, &n.sa, &n.len));
	say("%d %u\n", port_in(&n) == port_of(l), (unsigned)n.len);
}

/* The second connection to the same listener, from the same name. */
static void uses_a_tuple_twice(void)
{
	int l = listening(), a = connected_to(port_of(l)), b = socket_of(SOCK_STREAM);
	struct name n = loopback_at(port_of(a));

	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	say_result(bind(b, &n.sa, n.len));
	b = socket_of(SOCK_STREAM);
	n = loopback_at(0);
	say_result(bind(b, &n.sa, n.len));
	call_to(b, port_of(l));
}

/* Datagrams: to another peer, then to none and to itself. */
static void goes_on_with_its_name(void)
{
	int fd[2], s = socket_of(SOCK_DGRAM);
	uint16_t port;
	char text[4];

	friends(fd);
	port = port_of(fd[0]);
	send(fd[1], "abc", 3, 0);
	polled(fd[0], POLLIN, POLLIN);
	say_result(connect_to(fd[0], port_of(s = bound(SOCK_DGRAM))));
	say("%d\n", port_of(fd[0]) == port);
	say_result(recv(fd[0], text, sizeof(text), MSG_DONTWAIT));
	say_result(connect_to(fd[0], port));
	say("%d\n", port_of(fd[0]) == port);
	say_result(send(fd[0], "to me", 2, 0));
	polled(fd[0], POLLIN, POLLIN);
	say_result(recv(fd[0], text, sizeof(text), MSG_DONTWAIT));
	set_nonblocking(s);
	connect_to(s, port);
	port = port_of(s);
	connect_to(s, port_of(fd[1]));
	say("%d\n", port_of(s) == port);
}

/* Who was connected by the loopback stays there. */
static void goes_on_with_its_address(void)
{
	int s = socket_of(SOCK_DGRAM);
	struct name n = loopback_at(9), old = { .len = sizeof(old.all) };

	connect_to(s, 7);
	n.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 5);
	say_result(connect(s, &n.sa, n.len));
	say_result(getsockname(s, &old.sa, &old.len));
	say("%s\n", inet_ntoa(old.in.sin_addr));
	n.in.sin_addr.s_addr = htonl(0xc6336401); /* beyond */
	say_result(connect(s, &n.sa, n.len));
	old.len = sizeof(old.all);
	say_result(getpeername(s, &old.sa, &old.len));
	say("%s\n", inet_ntoa(old.in.sin_addr));
}

/* Datagrams of a socket of both families: its own name is of one of them. */
static void crosses_families(void)
{
	struct name four, six, own[2];

	family = AF_INET6;
	four = mapped_loopback_at(7);
	six = loopback_at(7);
	own[0] = mapped_loopback_at(0);
	own[1] = loopback_at(0);
	for (int i = 0; i < 2; i++) {
		const struct name *first = i ? &six : &four, *other = i ? &four : &six;
		int s = socket_of(SOCK_DGRAM);

		say_result(connect(s, &first->sa, first->len));
		say_result(connect(s, &other->sa, other->len));
		s = socket_of(SOCK_DGRAM);
		say_result(bind(s, &own[i].sa, own[i].len));
		say_result(sendto(s, "x", 1, 0, &other->sa, other->len));
		say_result(connect(s, &other->sa, other->len));
		say_result(connect(s, &first->sa, first->len));
	}
}

/* Who is bound to an address of IPv6's own is of IPv6 alone; what is connected, before all else. */
static void opens_no_stream_to_the_other_family(void)
{
	int fd[2];

	for (int i = 0; i < 2; i++) {
		int s;
		struct name own, other;

		family = AF_INET6;
		own = i ? loopback_at(0) : mapped_loopback_at(0);
		other = i ? mapped_loopback_at(7) : loopback_at(7);
		s = socket_of(SOCK_STREAM);
		say_result(bind(s, &own.sa, own.len));
		say("%d\n", get_int(s, IPPROTO_IPV6, IPV6_V6ONLY));
		say_result(connect(s, &other.sa, other.len));
		connection(fd);
		say_result(connect(fd[i], &other.sa, other.len));
	}
}

static void is_fresh_after_a_refusal(void)
{
	int fd = socket_of(SOCK_STREAM), client;

	call_to(fd, closed_port());
	say_result(listen(fd, 1));
	client = connected_to(port_of(fd));
	say("%d\n", accept(fd, NULL, NULL) >= 0);
	say_result(send(client, "x", 1, 0));
}

static int bind_to(int fd, uint16_t port)
{
	struct name name = loopback_at(port);

	return bind(fd, &name.sa, name.len);
}

/* Who bound a port by its number has it until it closes. */
static void keeps_its_port_when_refused(void)
{
	uint16_t port = closed_port();
	int fd = socket_of(SOCK_STREAM), other = socket_of(SOCK_STREAM);

	say_result(bind_to(fd, port));
	call_to(fd, closed_port());
	say("%d\n", port_of(fd) == port);
	say_result(bind_to(fd, 0));
	say_result(bind_to(other, port));
	close(fd);
	say_result(bind_to(other, port));
}

/* But not what was accepted there: it has it for the connection. */
static void leaves_the_port_it_was_accepted_at(void)
{
	int l = socket_of(SOCK_STREAM), other = socket_of(SOCK_STREAM), client, server;
	uint16_t port = closed_port();

	say_result(bind_to(l, port));
	say_result(listen(l, 1));
	client = connected_to(port);
	server = accept(l, NULL, NULL);
	close(l);
	say_result(bind_to(other, port));
	reset(client);
	say("%#x\n", polled(server, POLLIN, POLLERR));
	say_result(bind_to(other, port));
}

static void connects_after_a_reset(void)
{
	int fd[2];

	connection(fd);
	reset(fd[1]);
	polled(fd[0], POLLIN, POLLERR);
	call_to(fd[0], closed_port());
	say("%d\n", so_error(fd[0]));
	call_to(fd[0], closed_port());
}

/* Its name goes with it, if it was not chosen. */
static void binds_after_it_stopped_listening(void)
{
	uint16_t port = closed_port();

	for (int i = 0; i < 2; i++) {
		int fd = socket_of(SOCK_STREAM);

		say_result(bind_to(fd, i ? port : 0));
		say_result(listen(fd, 1));
		say_result(shutdown(fd, SHUT_RD));
		say_result(bind_to(fd, 0));
		say_result(listen(fd, 1));
		say("%d\n", (port_of(fd) == port) == i);
	}
}

static const struct program programs[] = {
	BOTH(is_fresh_after_a_refusal),
	BOTH(keeps_its_port_when_refused),
	BOTH(leaves_the_port_it_was_accepted_at),
	BOTH(connects_after_a_reset),
	BOTH(binds_after_it_stopped_listening),
	ONCE(crosses_families),
	ONCE(opens_no_stream_to_the_other_family),
	BOTH(goes_on_with_its_name),
	ONCE(goes_on_with_its_address),
	BOTH(is_refused),
	BOTH(is_refused_and_tries_again),
	BOTH(is_refused_later),
	ONCE(shuts_before_it_is_connected),
	BOTH(shuts_before_it_is_connected_and_reads),
	ONCE(is_refused_later_and_reads_it),
	ONCE(is_refused_later_and_writes),
	ONCE(is_refused_later_and_tries_again),
	BOTH(tries_again_after_it_was_told),
	BOTH(is_refused_and_keeps_its_name),
	BOTH(connects_later),
	BOTH(is_told_later_and_writes_at_once),
	BOTH(connects_twice),
	BOTH(connects_a_listener),
	BOTH(connects_with_a_name),
	BOTH(connects_to_any),
	BOTH(connects_to_itself),
	BOTH(connects_to_port_0),
	BOTH(connects_to_a_bad_name),
	BOTH(connects_by_the_other_family),
	ONCE(connects_with_a_limit),
	BOTH(gives_up_by_shutdown),
	BOTH(dissolves_a_fresh_socket),
	BOTH(tells_its_name_after_it_connected),
	ONCE(uses_a_tuple_twice),
};
const struct subject of_connects = SUBJECT(programs);
