/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strays.c - twins: calls that are seldom made, as a comparison of random ones found them.
 */
#include "twin.h"

static struct name mapped_any_at(uint16_t port)
{
	struct name n = mapped_loopback_at(port);

	memset(&n.in6.sin6_addr.s6_addr[12], 0, 4);
	return n;
}

static int bound_to_mapped_any(int type)
{
	struct name n = mapped_any_at(0);
	int fd = socket(AF_INET6, type, 0);

	say_result(bind(fd, &n.sa, n.len));
	return fd;
}

/* ::ffff:0.0.0.0 is every address of IPv4, and none of IPv6. */
static void mapped_any_is_of_ipv4(void)
{
	int d = bound_to_mapped_any(SOCK_DGRAM), l = bound_to_mapped_any(SOCK_STREAM);
	int six = socket(AF_INET6, SOCK_DGRAM, 0);
	struct name n = loopback6_at(port_of(d));
	char byte;

	listen(l, 3);
	sendto(six, "x", 1, 0, &n.sa, n.len);
	a_moment();
	say_result(recv(d, &byte, 1, MSG_DONTWAIT));
	send_to(socket_of(SOCK_DGRAM), "x", 1, port_of(d));
	polled(d, POLLIN, POLLIN);
	say_result(recv(d, &byte, 1, MSG_DONTWAIT));
	n = loopback6_at(port_of(d));
	say_result(bind(socket(AF_INET6, SOCK_DGRAM, 0), &n.sa, n.len));
	say_result(connect_to(socket_of(SOCK_STREAM), port_of(l)));
	n = loopback6_at(port_of(l));
	say_result(connect(socket(AF_INET6, SOCK_STREAM, 0), &n.sa, n.len));
}

/* Only addresses of a link have one: of others it is not looked at. */
static void names_a_scope_where_none_is(void)
{
	int l = socket(AF_INET6, SOCK_STREAM, 0), d = socket(AF_INET6, SOCK_DGRAM, 0);
	struct name n = loopback6_at(0);

	n.in6.sin6_scope_id = 77;
	say_result(bind(l, &n.sa, n.len));
	listen(l, 3);
	n = loopback6_at(port_of(l));
	n.in6.sin6_scope_id = 99;
	say_result(connect(socket(AF_INET6, SOCK_STREAM, 0), &n.sa, n.len));
	n = loopback6_at(0);
	bind(d, &n.sa, n.len);
	n = loopback6_at(port_of(d));
	n.in6.sin6_scope_id = 99;
	say_result(sendto(socket(AF_INET6, SOCK_DGRAM, 0), "x", 1, 0, &n.sa, n.len));
	say_result(connect(socket(AF_INET6, SOCK_DGRAM, 0), &n.sa, n.len));
	n = mapped_loopback_at(9);
	n.in6.sin6_scope_id = 99;
	say_result(connect(socket(AF_INET6, SOCK_DGRAM, 0), &n.sa, n.len));
}

static void send_control(int fd, int level, int type)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };

	put_control((struct cmsghdr *)(void *)room, sizeof(int), level, type);
	say("%d %d: ", level, type);
	say_result(sendmsg(fd, &m, 0));
}

/* Of a level that is not the socket's a control message says nothing to it. */
static void sends_controls_of_others(void)
{
	static const int levels[] = { IPPROTO_TCP, IPPROTO_UDP, 99, IPPROTO_SCTP };
	int fd[2], own = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int other = family == AF_INET ? IPPROTO_IPV6 : IPPROTO_IP;

	connection(fd);
	for (size_t i = 0; i < N_OF(levels); i++)
		send_control(fd[0], levels[i], 1);
	send_control(fd[0], own, 99);
	send_control(fd[0], other, 99);
	friends(fd);
	send_control(fd[0], IPPROTO_TCP, 1);
	send_control(fd[0], 99, 1);
	send_control(fd[0], IPPROTO_SCTP, 1);
	send_control(fd[0], other, 99);
}

static void asks_to_close_on_exec(void)
{
	struct mail l;
	int fd[2];

	friends(fd);
	for (int i = 0; i < 2; i++) {
		send(fd[0], "x", 1, 0);
		say_result(recvmsg(fd[1], mail_of(&l, 256), MSG_CMSG_CLOEXEC));
		say("%#x\n", (unsigned)l.m.msg_flags);
		connection(fd);
	}
}

/* As many as fit into 4000 bytes, of which each says the same. */
static void sends_many_controls(void)
{
	static _Alignas(struct cmsghdr) char room[4000];
	bool six = family == AF_INET6;
	size_t each = CMSG_SPACE(sizeof(int));
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room };
	int fd[2], tos = 8;
	char byte;

	friends(fd);
	for (size_t at = 0; at + each <= sizeof(room); at += each) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)(room + at);

		put_control(c, sizeof(int), six ? IPPROTO_IPV6 : IPPROTO_IP,
			    six ? IPV6_TCLASS : IP_TOS);
		memcpy(CMSG_DATA(c), &tos, sizeof(tos));
		m.msg_controllen = at + each;
	}
	say_result(sendmsg(fd[0], &m, 0));
	say_result(recv(fd[1], &byte, 1, 0));
}

/* What a packet says of itself is told of datagrams alone. */
static void brings_no_controls_of_a_stream(void)
{
	struct mail l;
	int fd[2];

	connection(fd);
	ask_for_all(fd[1]);
	send(fd[0], "x", 1, 0);
	shutdown(fd[0], SHUT_WR);
	for (int i = 0; i < 2; i++) {
		say_result(recvmsg(fd[1], mail_of(&l, 256), 0));
		say("%u %#x\n", (unsigned)l.m.msg_controllen, (unsigned)l.m.msg_flags);
	}
	say_result(recvmsg(fd[1], mail_of(&l, 8), 0));
	say("%#x\n", (unsigned)l.m.msg_flags);
}

/* Whoever is bound to an address of IPv4 means IPv4's loopback by "::". */
static void goes_to_any_by_ipv4(void)
{
	int s = socket(AF_INET6, SOCK_STREAM, 0), d = socket(AF_INET6, SOCK_DGRAM, 0);
	int l = listening(), b = bound(SOCK_DGRAM);
	struct name n = mapped_loopback_at(0), any = n;
	char byte;

	bind(s, &n.sa, n.len);
	bind(d, &n.sa, n.len);
	any.in6.sin6_addr = in6addr_any;
	any.in6.sin6_port = htons(port_of(l));
	say_result(connect(s, &any.sa, any.len));
	any.in6.sin6_port = htons(port_of(b));
	say_result(sendto(d, "x", 1, 0, &any.sa, any.len));
	polled(b, POLLIN, POLLIN);
	say_result(recv(b, &byte, 1, MSG_DONTWAIT));
	say_result(connect(d, &any.sa, any.len));
}

static void receives_into_nothing(void)
{
	struct msghdr m = { 0 };
	int fd[2];

	connection(fd);
	say_result(recvmsg(fd[1], &m, MSG_DONTWAIT));
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvmsg(fd[1], &m, MSG_DONTWAIT));
}

static void sends_nothing_after_it_shut(void)
{
	struct msghdr m = { 0 };
	int fd[2];

	connection(fd);
	shutdown(fd[0], SHUT_WR);
	say_result(send(fd[0], "", 0, MSG_NOSIGNAL));
	say_result(sendmsg(fd[0], &m, MSG_NOSIGNAL));
}

/* Until the peer has shut, too. */
static void tells_its_peer_after_it_shut(void)
{
	struct name n = { .len = sizeof(n.all) };
	int fd[2];

	connection(fd);
	say_result(shutdown(fd[0], SHUT_RDWR));
	say_result(getpeername(fd[0], &n.sa, &n.len));
	a_moment();
	say_result(getpeername(fd[0], &n.sa, &n.len));
	say_result(shutdown(fd[1], SHUT_RDWR));
	a_moment();
	say_result(getpeername(fd[0], &n.sa, &n.len));
}

static int state_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

static void asks_after_it_shut(void)
{
	int fd[2], state;
	char byte;

	connection(fd);
	send(fd[0], "x", 1, 0);
	say_result(shutdown(fd[0], SHUT_RD));
	say_result(shutdown(fd[0], SHUT_WR));
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	state = state_of(fd[0]);
	say("%d %d\n", state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2, state_of(fd[1]));
	say_result(shutdown(fd[0], SHUT_RDWR));
	say_result(so_error(fd[0]));
	say_result(recv(fd[0], &byte, 1, 0));
	say_result(send(fd[0], &byte, 1, MSG_NOSIGNAL));
	say_result(recv(fd[1], &byte, 1, 0));
	say_result(recv(fd[1], &byte, 1, 0));
	close(fd[0]);
	a_moment();
	say("%d\n", state_of(fd[1]));
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
	a_moment();
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
}

static void binds_when_it_is_over(void)
{
	struct name n = loopback_at(0);
	int fd[2];

	connection(fd);
	close(fd[1]);
	polled(fd[0], POLLRDHUP, POLLRDHUP);
	say_result(bind(fd[0], &n.sa, n.len));
	shutdown(fd[0], SHUT_WR);
	a_moment();
	say_result(bind(fd[0], &n.sa, n.len));
	say_result(bind(fd[0], &n.sa, n.len));
}

static void sends_several_with_names(void)
{
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct name n = loopback_at(9);
	struct msghdr one = {
		.msg_name = &n.sa, .msg_namelen = n.len, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct mmsghdr m[2] = { { .msg_hdr = one }, { .msg_hdr = one } };
	int fd[2];

	connection(fd);
	say_result(sendmsg(fd[0], &one, 0));
	say_result(sendmmsg(fd[0], m, 2, 0));
}

/* More than the connection holds, while the other end reads. */
static void *reads_it_all(void *arg)
{
	static char bytes[600000];

	read_all(*(int *)arg, bytes, sizeof(bytes));
	return bytes;
}

static void sends_several_that_are_long(void)
{
	static char bytes[2][300000];
	struct iovec iov[2] = { { bytes[0], sizeof(bytes[0]) }, { bytes[1], sizeof(bytes[1]) } };
	struct name n = loopback_at(9);
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_name = &n.sa,
					       .msg_namelen = n.len,
					       .msg_iov = &iov[1],
					       .msg_iovlen = 1 } } };
	void *got = NULL;
	pthread_t t;
	int fd[2];

	memset(bytes[0], 1, 200000);
	memset(bytes[1], 2, 100000);
	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 20000);
	t = later(reads_it_all, &fd[1]);
	say_result(sendmmsg(fd[0], m, 2, 0));
	pthread_join(t, &got);
	say("%u %u %d\n", m[0].msg_len, m[1].msg_len, memcmp(got, bytes, sizeof(bytes)));
	shutdown(fd[0], SHUT_WR);
	say_result(sendmmsg(fd[0], m, 2, MSG_NOSIGNAL));
}

/* All but 0 is yes. */
static void asks_by_any_number(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	say_result(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 256));
	say("%d\n", get_int(b, SOL_SOCKET, SO_TIMESTAMP));
	say_result(set_int(b, IPPROTO_IP, IP_RECVTTL, 256));
	say("%d\n", get_int(b, IPPROTO_IP, IP_RECVTTL));
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&l.m); c; c = CMSG_NXTHDR(&l.m, c))
		say("%d %d\n", c->cmsg_level, c->cmsg_type);
}

static void raises_a_pipe_with_a_name(void)
{
	struct name n = loopback_at(9);
	int fd[2];

	count_signals(SIGPIPE, 0);
	connection(fd);
	shutdown(fd[0], SHUT_WR);
	say_result(sendto(fd[0], "x", 1, 0, &n.sa, n.len));
	say("%d\n", (int)n_signals);
	say_result(sendto(fd[0], "x", 1, MSG_NOSIGNAL, &n.sa, n.len));
	say("%d\n", (int)n_signals);
}

static void raises_a_pipe_by_flags_and_a_name(void)
{
	static const int flags[] = { MSG_OOB, MSG_MORE, MSG_OOB | MSG_NOSIGNAL };
	struct name n = loopback_at(9);
	int fd[2];

	count_signals(SIGPIPE, 0);
	connection(fd);
	shutdown(fd[0], SHUT_WR);
	for (size_t i = 0; i < N_OF(flags); i++) {
		say_result(sendto(fd[0], "x", 1, flags[i], &n.sa, n.len));
		say_result(sendto(fd[0], "x", 1, flags[i], NULL, 0));
		say("%d\n", (int)n_signals);
	}
	say_result(sendto(socket_of(SOCK_STREAM), "x", 1, 0, &n.sa, n.len));
	say("%d\n", (int)n_signals);
}

static void reads_what_comes_after_it_shut(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	say_result(shutdown(fd[1], SHUT_RD));
	say_result(send(fd[0], "abc", 3, 0));
	a_moment();
	say_result(recv(fd[1], bytes, 8, 0));
	say_result(recv(fd[1], bytes, 8, 0));
	say_result(recv(fd[1], bytes, 8, 0));
}

/* A datagram of IPv4 has 65507 bytes at most. */
static void sends_plainly_what_is_too_long(void)
{
	static const char bytes[65527];
	int fd[2];

	friends(fd);
	say_result(send(fd[0], bytes, 65508, 0));
	say_result(send(fd[0], bytes, 65527, 0));
	say_result(sendto(fd[0], bytes, 65508, 0, NULL, 0));
}

static void writes_plainly_what_is_too_long(void)
{
	static char bytes[65527];
	struct iovec iov[2] = { { bytes, 65507 }, { bytes, 1 } };
	int fd[2];

	friends(fd);
	say_result(write(fd[0], bytes, 65508));
	say_result(writev(fd[0], iov, 2));
	a_moment();
	say_result(recv(fd[1], bytes, sizeof(bytes), MSG_DONTWAIT));
}

/* It is connected: whatever the name is. */
static void connects_once_more_to_what_is_no_name(void)
{
	struct name n = loopback_at(9);
	int fd[2], refused = socket_of(SOCK_STREAM);

	connection(fd);
	say_result(connect(fd[0], &n.sa, 4));
	n.sa.sa_family = AF_UNIX;
	say_result(connect(fd[0], &n.sa, n.len));
	set_nonblocking(refused);
	connect_to(refused, closed_port());
	polled(refused, POLLOUT, POLLERR);
	say_result(connect(refused, &n.sa, n.len));
}

static void waits_for_less_than_nothing(void)
{
	int fd = socket_of(SOCK_STREAM);

	say_result(set_int(fd, SOL_SOCKET, SO_RCVLOWAT, -1));
	say("%d\n", get_int(fd, SOL_SOCKET, SO_RCVLOWAT) > 1);
}

static void probes_without_sending(void)
{
	enum { PROBE = 0x10 }; /* MSG_PROBE */
	char bytes[8];
	int fd[2];

	friends(fd);
	say_result(send(fd[0], "abc", 3, PROBE));
	a_moment();
	say_result(recv(fd[1], bytes, 8, MSG_DONTWAIT));
}

static void counts_what_it_peeks_at(void)
{
	static char bytes[40000];
	int fd[2];

	connection(fd);
	send(fd[0], bytes, 30000, 0);
	set_int(fd[1], SOL_SOCKET, SO_RCVLOWAT, 30000);
	polled(fd[1], POLLIN, POLLIN);
	a_moment();
	say_result(recv(fd[1], bytes, sizeof(bytes), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
	say_result(recv(fd[1], bytes, sizeof(bytes), MSG_TRUNC | MSG_DONTWAIT));
}

static void throws_away_and_asks_who(void)
{
	struct name n = { .len = sizeof(n.all) };
	char bytes[8];
	int fd[2];

	connection(fd);
	send(fd[0], "abc", 3, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvfrom(fd[1], bytes, 8, MSG_TRUNC, &n.sa, &n.len));
	say("%u\n", (unsigned)n.len);
}

static const struct program programs[] = {
	ONCE(mapped_any_is_of_ipv4),
	ONCE(names_a_scope_where_none_is),
	BOTH(sends_controls_of_others),
	BOTH(asks_to_close_on_exec),
	BOTH(sends_many_controls),
	BOTH(brings_no_controls_of_a_stream),
	ONCE(goes_to_any_by_ipv4),
	BOTH(receives_into_nothing),
	BOTH(sends_nothing_after_it_shut),
	BOTH(tells_its_peer_after_it_shut),
	BOTH(asks_after_it_shut),
	BOTH(binds_when_it_is_over),
	BOTH(sends_several_with_names),
	BOTH(sends_several_that_are_long),
	ONCE(asks_by_any_number),
	BOTH(raises_a_pipe_with_a_name),
	BOTH(raises_a_pipe_by_flags_and_a_name),
	BOTH(reads_what_comes_after_it_shut),
	ONCE(sends_plainly_what_is_too_long),
	ONCE(writes_plainly_what_is_too_long),
	BOTH(connects_once_more_to_what_is_no_name),
	ONCE(waits_for_less_than_nothing),
	BOTH(probes_without_sending),
	BOTH(counts_what_it_peeks_at),
	BOTH(throws_away_and_asks_who),
};
const struct subject of_strays = SUBJECT(programs);
