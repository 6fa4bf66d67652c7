/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners.c - twins: binding, listening, accepting.
 */
#include "twin.h"

static void accepts_with_flags(void)
{
	int l = listening(), c = connected_to(port_of(l)), fd;
	struct name a = { .len = sizeof(a.all) };

	fd = accept4(l, &a.sa, &a.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	say("%d %u\n", port_in(&a) == port_of(c), (unsigned)a.len);
	connected_to(port_of(l));
	fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	connected_to(port_of(l));
	fd = accept4(l, NULL, NULL, SOCK_NONBLOCK);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	say_result(accept4(l, NULL, NULL, 0x12345));
}

/* What is accepted blocks, though the listener does not. */
static void inherits_no_flags(void)
{
	int l = listening(), fd;

	set_nonblocking(l);
	connected_to(port_of(l));
	polled(l, POLLIN, POLLIN);
	fd = accept(l, NULL, NULL);
	say("%d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
	say_result(accept(l, NULL, NULL));
}

static void inherits_options(void)
{
	int l = listening(), fd;

	set_int(l, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(l, IPPROTO_TCP, TCP_KEEPIDLE, 77);
	connected_to(port_of(l));
	fd = accept(l, NULL, NULL);
	say("%d\n", get_int(fd, IPPROTO_TCP, TCP_NODELAY));
	say("%d\n", get_int(fd, SOL_SOCKET, SO_KEEPALIVE));
	say("%d\n", get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE));
	say("%d\n", get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
	say("%d\n", get_int(l, SOL_SOCKET, SO_ACCEPTCONN));
}

static void inherits_times(void)
{
	int l = listening(), fd;
	struct timeval t = { 0 };
	socklen_t len = sizeof(t);
	char byte;

	set_timeout(l, SO_RCVTIMEO, 300);
	set_timeout(l, SO_SNDTIMEO, 7000);
	set_int(l, SOL_SOCKET, SO_RCVLOWAT, 2);
	connected_to(port_of(l));
	fd = accept(l, NULL, NULL);
	say_result(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, &len));
	say("%ld\n", (long)t.tv_sec);
	say("%d\n", get_int(fd, SOL_SOCKET, SO_RCVLOWAT));
	say_result(recv(fd, &byte, 1, 0));
}

/* Without waiting, right after accept. */
static void finds_what_came_before(void)
{
	int l = listening(), missed = 0;
	char bytes[8];

	for (int i = 0; i < 20; i++) {
		int c = connected_to(port_of(l)), fd;

		if (i % 2)
			send(c, "early", 5, 0);
		else
			close(c);
		usleep(20000);
		fd = accept(l, NULL, NULL);
		missed += recv(fd, bytes, 8, MSG_DONTWAIT) != (i % 2 ? 5 : 0);
		if (i % 2)
			close(c);
		close(fd);
	}
	say("%d\n", missed);
}

static void accepts_on_what_does_not_listen(void)
{
	int fd[2];

	connection(fd);
	say_result(accept(fd[0], NULL, NULL));
	say_result(accept(bound(SOCK_DGRAM), NULL, NULL));
	say_result(accept(socket_of(SOCK_STREAM), NULL, NULL));
	say_result(accept(-1, NULL, NULL));
	say_result(accept(0, NULL, NULL));
}

static void listens_on_what_cannot(void)
{
	int fd[2];

	connection(fd);
	say_result(listen(fd[0], 1));
	say_result(listen(bound(SOCK_DGRAM), 1));
	say_result(listen(-1, 1));
	say_result(listen(0, 1));
}

static void listens_without_a_name(void)
{
	int l = socket_of(SOCK_STREAM);

	say_result(listen(l, 1));
	say("%d\n", port_of(l) != 0);
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void listens_again(void)
{
	int l = listening();

	say_result(listen(l, 5));
	say_result(listen(l, 0));
	say_result(listen(l, -1));
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void is_readable_while_one_waits(void)
{
	int l = listening(), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, out;

	set_nonblocking(l);
	say_result(accept(l, NULL, NULL));
	say_result(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev));
	say("%d\n", epoll_wait(ep, &out, 1, 0));
	connected_to(port_of(l));
	connected_to(port_of(l));
	for (int i = 0; i < 2; i++) {
		say("%d\n", epoll_wait(ep, &out, 1, 5000));
		say("%d\n", accept(l, NULL, NULL) >= 0);
	}
	say("%d\n", epoll_wait(ep, &out, 1, 0));
	say_result(accept(l, NULL, NULL));
	say("%x\n", polled_now(l, POLLIN | POLLOUT));
}

static void accepts_with_a_limit(void)
{
	int l = listening();

	set_timeout(l, SO_RCVTIMEO, 30);
	say_result(accept(l, NULL, NULL));
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void frees_the_port(void)
{
	int l = listening(), other = socket_of(SOCK_STREAM);
	struct name a = loopback_at(port_of(l));

	say_result(bind(other, &a.sa, a.len));
	close(l);
	set_int(other, SOL_SOCKET, SO_REUSEADDR, 1);
	for (int i = 0; i < 5000 && bind(other, &a.sa, a.len) != 0; i++)
		usleep(1000);
	say("%d\n", port_of(other) == port_in(&a));
	say_result(listen(other, 1));
}

static void binds_twice(void)
{
	int fd = bound(SOCK_STREAM);
	struct name a = loopback_at(0);

	say_result(bind(fd, &a.sa, a.len));
	a = loopback_at(port_of(fd));
	say_result(bind(fd, &a.sa, a.len));
}

static void binds_beside_a_listener(void)
{
	int l = listening(), fd = socket_of(SOCK_STREAM);
	struct name a = loopback_at(port_of(l)), any = any_at(port_of(l));

	say_result(bind(fd, &a.sa, a.len));
	say_result(bind(fd, &any.sa, any.len));
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	say_result(bind(fd, &a.sa, a.len));
}

static void reuses_an_address(void)
{
	int a = socket_of(SOCK_STREAM), b = socket_of(SOCK_STREAM);
	struct name n = loopback_at(0);

	set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	say_result(bind(a, &n.sa, n.len));
	n = loopback_at(port_of(a));
	say_result(bind(b, &n.sa, n.len));
	say_result(listen(a, 1));
	say_result(listen(b, 1));
}

static void reuses_a_port(void)
{
	int l[2], n_a = 0, n_b = 0;
	struct name n = loopback_at(0);

	for (int i = 0; i < 2; i++) {
		l[i] = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
		say_result(set_int(l[i], SOL_SOCKET, SO_REUSEPORT, 1));
		say_result(bind(l[i], &n.sa, n.len));
		say_result(listen(l[i], 64));
		n = loopback_at(port_of(l[0]));
	}
	for (int i = 0; i < 60; i++)
		connected_to(port_in(&n));
	while (accept(l[0], NULL, NULL) >= 0)
		n_a++;
	while (accept(l[1], NULL, NULL) >= 0)
		n_b++;
	say("%d %d %d\n", n_a + n_b, n_a > 0, n_b > 0);
}

static void needs_reuse_of_both(void)
{
	int a = socket_of(SOCK_STREAM), b = socket_of(SOCK_STREAM);
	struct name n = loopback_at(0);

	set_int(a, SOL_SOCKET, SO_REUSEPORT, 1);
	say_result(bind(a, &n.sa, n.len));
	n = loopback_at(port_of(a));
	say_result(bind(b, &n.sa, n.len));
	set_int(b, SOL_SOCKET, SO_REUSEPORT, 1);
	say_result(bind(b, &n.sa, n.len));
}

static void binds_a_bad_name(void)
{
	int fd = socket_of(SOCK_STREAM);
	struct name n = loopback_at(0);

	say_result(bind(fd, &n.sa, 1));
	say_result(bind(fd, &n.sa, 0));
	say_result(bind(fd, &n.sa, 15));
	n.sa.sa_family = AF_UNIX;
	say_result(bind(fd, &n.sa, n.len));
	n = loopback_at(0);
	if (family == AF_INET)
		n.in.sin_addr.s_addr = htonl(0xc0000201); /* nobody's */
	else
		n.in6.sin6_addr.s6_addr[0] = 0x20;
	say_result(bind(fd, &n.sa, n.len));
	say_result(bind(-1, &n.sa, n.len));
	say_result(bind(0, &n.sa, n.len));
}

static void binds_without_a_family(void)
{
	int fd = socket_of(SOCK_STREAM);
	struct name n = any_at(0);

	n.sa.sa_family = AF_UNSPEC;
	say_result(bind(fd, &n.sa, n.len));
	fd = socket_of(SOCK_STREAM);
	n = loopback_at(0);
	n.sa.sa_family = AF_UNSPEC;
	say_result(bind(fd, &n.sa, n.len));
}

static void listens_to_both_families(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	socklen_t len = sizeof(a);
	char text[64];
	int l = socket(AF_INET6, SOCK_STREAM, 0), fd, c;

	say_result(bind(l, (struct sockaddr *)&a, sizeof(a)));
	say_result(listen(l, 4));
	c = connected_to(port_of(l));
	fd = accept(l, (struct sockaddr *)&a, &len);
	say("%s %u\n", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)), (unsigned)len);
	say_result(write(c, "four", 4));
	say_result(read(fd, text, 4));
	len = sizeof(a);
	getsockname(fd, (struct sockaddr *)&a, &len);
	say("%s\n", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)));
}

static void listens_to_one_family(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket_of(SOCK_STREAM), four;
	struct name n;

	say_result(set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	say_result(bind(l, (struct sockaddr *)&a, sizeof(a)));
	say_result(set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 0));
	say_result(listen(l, 4));
	say_result(connect_to(c, port_of(l)));
	four = socket(AF_INET, SOCK_STREAM, 0);
	n = any_at(port_of(l));
	say_result(bind(four, &n.sa, n.len));
}

static void is_full(void)
{
	int l = bound(SOCK_STREAM), n = 0;

	listen(l, 1);
	for (int i = 0; i < 2; i++) {
		int fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);

		connect_to(fd, port_of(l));
		n += polled(fd, POLLOUT, POLLOUT) == POLLOUT;
	}
	say("%d\n", n);
	say("%d\n", accept(l, NULL, NULL) >= 0);
	say("%d\n", accept(l, NULL, NULL) >= 0);
	set_nonblocking(l);
	say_result(accept(l, NULL, NULL));
}

static void accepts_in_order(void)
{
	int l = listening(), in_order = 0;
	uint16_t port[3];
	struct name n;

	for (int i = 0; i < 3; i++)
		port[i] = port_of(connected_to(port_of(l)));
	for (int i = 0; i < 3; i++) {
		n.len = sizeof(n.all);
		accept(l, &n.sa, &n.len);
		in_order += port_in(&n) == port[i];
	}
	say("%d\n", in_order);
}

static void cuts_the_name_of_a_caller(void)
{
	int l = listening();
	struct name n = { .len = 4 };

	connected_to(port_of(l));
	say("%d\n", accept(l, &n.sa, &n.len) >= 0);
	say("%u %d\n", (unsigned)n.len, n.sa.sa_family == family);
	connected_to(port_of(l));
	n.len = 0;
	say("%d\n", accept(l, &n.sa, &n.len) >= 0);
	say("%u\n", (unsigned)n.len);
}

static void reads_a_listener(void)
{
	int l = listening();
	char byte;

	say_result(recv(l, &byte, 1, 0));
	say_result(send(l, "x", 1, MSG_NOSIGNAL));
	say_result(read(l, &byte, 1));
	say("%d\n", so_error(l));
}

static void writes_to_a_listener(void)
{
	char text[] = "x";
	struct iovec iov = { text, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd, l = listening();

	count_signals(SIGPIPE, 0);
	say_result(send(l, "x", 1, MSG_NOSIGNAL));
	say_result(sendmsg(l, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
	say("%d\n", (int)n_signals);
	say_result(write(l, "x", 1));
	say_result(writev(l, &iov, 1));
	say_result(send(l, "x", 1, MSG_MORE));
	say("%d\n", (int)n_signals);
	say("%#x\n", polled_now(l, POLLIN | POLLOUT | POLLRDHUP));
	fd = connected_to(port_of(l));
	say("%#x\n", polled(l, POLLIN | POLLOUT | POLLRDHUP, POLLIN));
	say_result(accept(l, NULL, NULL) >= 0);
	say("%#x\n", polled_now(l, POLLIN | POLLOUT | POLLRDHUP));
	say_result(write(l, "x", 1));
	say_result(write(fd, "x", 1));
	say("%d %d\n", (int)n_signals, so_error(l));
}

static void closes_a_listener(void)
{
	int l = listening(), c = socket_of(SOCK_STREAM);
	uint16_t port = port_of(l);

	close(l);
	say_result(connect_to(c, port));
	say_result(accept(l, NULL, NULL));
}

static void shuts_a_listener(void)
{
	int l = listening();
	uint16_t port = port_of(l);

	say_result(shutdown(l, SHUT_RD));
	say_result(accept(l, NULL, NULL));
	say_result(connect_to(socket_of(SOCK_STREAM), port));
	say("%#x\n", polled_now(l, POLLIN | POLLOUT | POLLRDHUP));
	say_result(listen(l, 4)); /* Linux takes another port */
	say_result(connect_to(socket_of(SOCK_STREAM), port_of(l)));
}

static void shuts_writing_of_a_listener(void)
{
	int l = listening();

	say_result(shutdown(l, SHUT_WR));
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void takes_a_port_that_rests(void)
{
	int fd[2], l = listening();
	uint16_t port = port_of(l);
	struct name n = loopback_at(port);
	char byte;

	fd[0] = connected_to(port);
	fd[1] = accept(l, NULL, NULL);
	close(l);
	close(fd[1]); /* the server's side rests in TIME-WAIT */
	say_result(read(fd[0], &byte, 1));
	close(fd[0]);
	a_moment();
	l = socket_of(SOCK_STREAM);
	say_result(bind(l, &n.sa, n.len));
	say_result(set_int(l, SOL_SOCKET, SO_REUSEADDR, 1));
	say_result(bind(l, &n.sa, n.len));
	say_result(listen(l, 1));
}

static const struct program programs[] = {
	BOTH(accepts_with_flags),
	ONCE(inherits_no_flags),
	BOTH(inherits_options),
	ONCE(inherits_times),
	BOTH(finds_what_came_before),
	BOTH(accepts_on_what_does_not_listen),
	BOTH(listens_on_what_cannot),
	BOTH(listens_without_a_name),
	ONCE(listens_again),
	BOTH(is_readable_while_one_waits),
	ONCE(accepts_with_a_limit),
	BOTH(frees_the_port),
	BOTH(binds_twice),
	BOTH(binds_beside_a_listener),
	BOTH(reuses_an_address),
	BOTH(reuses_a_port),
	BOTH(needs_reuse_of_both),
	BOTH(binds_a_bad_name),
	BOTH(binds_without_a_family),
	ONCE(listens_to_both_families),
	ONCE(listens_to_one_family),
	ONCE(is_full),
	ONCE(accepts_in_order),
	BOTH(cuts_the_name_of_a_caller),
	ONCE(reads_a_listener),
	BOTH(writes_to_a_listener),
	BOTH(closes_a_listener),
	BOTH(shuts_a_listener),
	ONCE(shuts_writing_of_a_listener),
	BOTH(takes_a_port_that_rests),
};
const struct subject of_listeners = SUBJECT(programs);
