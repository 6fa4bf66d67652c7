/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - twins: socket options.
 */
#include "twin.h"

#include <netinet/udp.h>

struct option {
	int level, name;
};

/* What it is at first, whether it can be 1, what it is then. */
static void try_one(int fd, const struct option *o, int value)
{
	int v = -1;
	socklen_t len = sizeof(v);

	say("%d/%d: %s", o->level, o->name, told(getsockopt(fd, o->level, o->name, &v, &len)));
	say(" %d %u,", v, (unsigned)len);
	say(" %s,", told(set_int(fd, o->level, o->name, value)));
	v = -1;
	len = sizeof(v);
	say(" %s", told(getsockopt(fd, o->level, o->name, &v, &len)));
	say(" %d %u\n", v, (unsigned)len);
}

static void asks_a_fresh_socket(void)
{
	static const int names[] = { SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN };

	for (size_t i = 0; i < N_OF(names); i++) {
		say("%d\n", get_int(socket_of(SOCK_STREAM), SOL_SOCKET, names[i]));
		say("%d\n", get_int(socket_of(SOCK_DGRAM), SOL_SOCKET, names[i]));
	}
}

static void sets_flags_of_the_socket(void)
{
	static const struct option flags[] = {
		{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
		{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_BROADCAST },
		{ SOL_SOCKET, SO_OOBINLINE }, { SOL_SOCKET, SO_DEBUG },
		{ SOL_SOCKET, SO_DONTROUTE },
	};
	int fd = socket_of(SOCK_STREAM), d = socket_of(SOCK_DGRAM);

	for (size_t i = 0; i < N_OF(flags); i++) {
		try_one(fd, &flags[i], 1);
		try_one(fd, &flags[i], 0);
		try_one(fd, &flags[i], -77);
		try_one(d, &flags[i], 1);
	}
}

static void sets_numbers_of_the_socket(void)
{
	static const struct option numbers[] = {
		{ SOL_SOCKET, SO_RCVLOWAT },
		{ SOL_SOCKET, SO_PRIORITY },
		{ SOL_SOCKET, SO_MARK },
		{ SOL_SOCKET, SO_BUSY_POLL },
	};
	int fd = socket_of(SOCK_STREAM);

	for (size_t i = 0; i < N_OF(numbers); i++) {
		try_one(fd, &numbers[i], 5);
		try_one(fd, &numbers[i], 0);
	}
	say("%d\n", get_int(fd, SOL_SOCKET, SO_SNDLOWAT));
	say_result(set_int(fd, SOL_SOCKET, SO_SNDLOWAT, 2));
}

static void sets_what_can_only_be_asked(void)
{
	static const int names[] = { SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN };
	int fd = socket_of(SOCK_STREAM);

	for (size_t i = 0; i < N_OF(names); i++)
		say_result(set_int(fd, SOL_SOCKET, names[i], 1));
	say_result(set_int(fd, IPPROTO_TCP, TCP_INFO, 1));
}

static void sets_flags_of_tcp(void)
{
	static const struct option flags[] = {
		{ IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_CORK },
	};
	int fd = socket_of(SOCK_STREAM);

	for (size_t i = 0; i < N_OF(flags); i++) {
		try_one(fd, &flags[i], 1);
		try_one(fd, &flags[i], 0);
		try_one(fd, &flags[i], 7);
	}
}

static void sets_quickack(void)
{
	static const struct option quickack = { IPPROTO_TCP, TCP_QUICKACK };
	int fd[2];

	try_one(socket_of(SOCK_STREAM), &quickack, 1);
	try_one(socket_of(SOCK_STREAM), &quickack, 0);
	connection(fd);
	try_one(fd[0], &quickack, 0);
	try_one(fd[0], &quickack, 1);
}

static void sets_keepalive(void)
{
	static const struct option numbers[] = {
		{ IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT },
	};
	int fd = socket_of(SOCK_STREAM);

	for (size_t i = 0; i < N_OF(numbers); i++) {
		try_one(fd, &numbers[i], 1);
		try_one(fd, &numbers[i], 0);
		try_one(fd, &numbers[i], -1);
		try_one(fd, &numbers[i], 100);
		try_one(fd, &numbers[i], 100000);
	}
}

static void sets_numbers_of_tcp(void)
{
	static const struct option numbers[] = {
		{ IPPROTO_TCP, TCP_SYNCNT },
		{ IPPROTO_TCP, TCP_LINGER2 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	};
	int fd = socket_of(SOCK_STREAM);

	for (size_t i = 0; i < N_OF(numbers); i++) {
		try_one(fd, &numbers[i], 1);
		try_one(fd, &numbers[i], -5);
		try_one(fd, &numbers[i], 300);
		try_one(fd, &numbers[i], 0);
	}
}

static void defers_accepting(void)
{
	static const struct option o = { IPPROTO_TCP, TCP_DEFER_ACCEPT };
	int l = listening(), c;

	try_one(l, &o, 1);
	try_one(l, &o, 3);
	try_one(l, &o, 0);
	set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
	set_nonblocking(l);
	c = connected_to(port_of(l));
	a_moment();
	say_result(accept(l, NULL, NULL)); /* it has said nothing yet */
	send(c, "x", 1, 0);
	polled(l, POLLIN, POLLIN);
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void sets_the_segment_size(void)
{
	static const struct option o = { IPPROTO_TCP, TCP_MAXSEG };
	int fd = socket_of(SOCK_STREAM);

	try_one(fd, &o, 1000);
	try_one(fd, &o, 10);
	try_one(fd, &o, 70000);
	try_one(fd, &o, 0);
}

static void sets_the_window_clamp(void)
{
	static const struct option o = { IPPROTO_TCP, TCP_WINDOW_CLAMP };
	int fd[2];

	try_one(socket_of(SOCK_STREAM), &o, 10);
	try_one(socket_of(SOCK_STREAM), &o, 10000);
	connection(fd);
	say_result(set_int(fd[0], IPPROTO_TCP, TCP_WINDOW_CLAMP, 0));
}

static void names_the_congestion_control(void)
{
	char name[32] = "";
	int fd = socket_of(SOCK_STREAM);
	socklen_t len = sizeof(name);

	say_result(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	say_result(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s %u\n", name, (unsigned)len);
	len = 3;
	memset(name, 0, sizeof(name));
	say_result(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s %u\n", name, (unsigned)len);
	say_result(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "no-such", 7));
	say_result(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
}

static void tells_of_a_connection(void)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);
	int fd[2];

	connection(fd);
	say_result(getsockopt(fd[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	say("%d %d\n", i.tcpi_state, len >= 104);
	len = 1;
	say_result(getsockopt(fd[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	say("%u\n", (unsigned)len);
	close(fd[1]);
	polled(fd[0], POLLRDHUP, POLLRDHUP);
	len = sizeof(i);
	getsockopt(fd[0], IPPROTO_TCP, TCP_INFO, &i, &len);
	say("%d\n", i.tcpi_state);
	len = sizeof(i);
	getsockopt(socket_of(SOCK_STREAM), IPPROTO_TCP, TCP_INFO, &i, &len);
	say("%d\n", i.tcpi_state);
	len = sizeof(i);
	getsockopt(listening(), IPPROTO_TCP, TCP_INFO, &i, &len);
	say("%d\n", i.tcpi_state);
}

static void sets_time_outs(void)
{
	struct timeval t = { 1, 500000 }, got = { 7, 7 };
	int fd = socket_of(SOCK_STREAM);
	socklen_t len = sizeof(got);

	say_result(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%ld %ld %u\n", (long)got.tv_sec, (long)got.tv_usec, (unsigned)len);
	say_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	say_result(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%ld %ld %u\n", (long)got.tv_sec, (long)got.tv_usec, (unsigned)len);
	say_result(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &got, &len));
	say("%ld %ld\n", (long)got.tv_sec, (long)got.tv_usec);
	t.tv_usec = 1000000;
	say_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	t.tv_usec = -1;
	say_result(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	say_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, 4));
	t = (struct timeval){ -5, 0 };
	say_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	len = sizeof(got);
	say_result(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%ld %ld\n", (long)got.tv_sec, (long)got.tv_usec);
}

static void sets_linger(void)
{
	struct linger l = { 1, 7 }, got = { -1, -1 };
	int fd = socket_of(SOCK_STREAM);
	socklen_t len = sizeof(got);

	say_result(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d %u\n", got.l_onoff, got.l_linger, (unsigned)len);
	say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	say_result(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d\n", got.l_onoff, got.l_linger);
	l.l_onoff = 0;
	say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	say_result(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d\n", got.l_onoff, got.l_linger);
	say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4));
}

static void sets_buffers(void)
{
	int fd = socket_of(SOCK_STREAM), d = socket_of(SOCK_DGRAM);

	for (int i = 0; i < 2; i++, fd = d) {
		say_result(set_int(fd, SOL_SOCKET, SO_RCVBUF, 20000));
		say("%d\n", get_int(fd, SOL_SOCKET, SO_RCVBUF));
		say_result(set_int(fd, SOL_SOCKET, SO_SNDBUF, 20000));
		say("%d\n", get_int(fd, SOL_SOCKET, SO_SNDBUF));
		say_result(set_int(fd, SOL_SOCKET, SO_RCVBUF, 1));
		say("%d\n", get_int(fd, SOL_SOCKET, SO_RCVBUF));
		say_result(set_int(fd, SOL_SOCKET, SO_SNDBUF, 1));
		say("%d\n", get_int(fd, SOL_SOCKET, SO_SNDBUF));
	}
}

static void binds_to_a_device(void)
{
	char name[32] = "";
	socklen_t len = sizeof(name);
	int fd = socket_of(SOCK_STREAM);

	say_result(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("%u\n", (unsigned)len);
	say_result(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nothing", 7));
	say_result(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	len = sizeof(name);
	say_result(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("%s %u\n", name, (unsigned)len);
	len = 2;
	say_result(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say_result(connect_to(fd, port_of(listening())));
	say_result(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
}

static void sets_flags_of_ipv4(void)
{
	static const struct option flags[] = {
		{ IPPROTO_IP, IP_RECVOPTS }, { IPPROTO_IP, IP_RETOPTS },
		{ IPPROTO_IP, IP_PKTINFO },  { IPPROTO_IP, IP_RECVTTL },
		{ IPPROTO_IP, IP_RECVTOS },  { IPPROTO_IP, IP_RECVERR },
		{ IPPROTO_IP, IP_FREEBIND }, { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < N_OF(flags); i++) {
		try_one(fd, &flags[i], 1);
		try_one(fd, &flags[i], 0);
		try_one(fd, &flags[i], 9);
	}
}

static void sets_numbers_of_ipv4(void)
{
	static const struct option numbers[] = {
		{ IPPROTO_IP, IP_TTL },
		{ IPPROTO_IP, IP_TOS },
		{ IPPROTO_IP, IP_MTU_DISCOVER },
		{ IPPROTO_IP, IP_MULTICAST_TTL },
	};
	int fd[2] = { socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0) };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < N_OF(numbers); i++) {
			try_one(fd[k], &numbers[i], 2);
			try_one(fd[k], &numbers[i], 100);
			try_one(fd[k], &numbers[i], 0);
			try_one(fd[k], &numbers[i], 256);
			try_one(fd[k], &numbers[i], -1);
		}
}

static void sets_flags_of_ipv6(void)
{
	static const struct option flags[] = {
		{ IPPROTO_IPV6, IPV6_RECVPKTINFO }, { IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
		{ IPPROTO_IPV6, IPV6_RECVTCLASS },  { IPPROTO_IPV6, IPV6_RECVERR },
		{ IPPROTO_IPV6, IPV6_V6ONLY },	    { IPPROTO_IPV6, IPV6_AUTOFLOWLABEL },
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	for (size_t i = 0; i < N_OF(flags); i++) {
		try_one(fd, &flags[i], 1);
		try_one(fd, &flags[i], 0);
		try_one(fd, &flags[i], 9);
	}
}

static void sets_numbers_of_ipv6(void)
{
	static const struct option numbers[] = {
		{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
		{ IPPROTO_IPV6, IPV6_MULTICAST_HOPS },
		{ IPPROTO_IPV6, IPV6_TCLASS },
		{ IPPROTO_IPV6, IPV6_MTU_DISCOVER },
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	for (size_t i = 0; i < N_OF(numbers); i++) {
		try_one(fd, &numbers[i], 2);
		try_one(fd, &numbers[i], 100);
		try_one(fd, &numbers[i], 0);
		try_one(fd, &numbers[i], 256);
		try_one(fd, &numbers[i], -1);
	}
}

static void has_one_byte_for_an_option(void)
{
	unsigned char byte = 7, back[4] = { 9, 9, 9, 9 };
	socklen_t len = 1;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	say_result(setsockopt(fd, IPPROTO_IP, IP_TTL, &byte, 1));
	say_result(getsockopt(fd, IPPROTO_IP, IP_TTL, back, &len));
	say("%d %u\n", back[0], (unsigned)len);
	say_result(setsockopt(fd, IPPROTO_IP, IP_TOS, &byte, 1));
	say("%d\n", get_int(fd, IPPROTO_IP, IP_TOS));
	say_result(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &byte, 1));
	say("%d\n", get_int(fd, IPPROTO_IP, IP_RECVTTL));
	len = 2;
	say_result(getsockopt(fd, IPPROTO_IP, IP_TTL, back, &len));
	say("%u\n", (unsigned)len);
}

static void asks_for_a_path_mtu(void)
{
	int fd = socket_of(SOCK_DGRAM), v = 0;
	socklen_t len = sizeof(v);

	say_result(getsockopt(fd, IPPROTO_IP, IP_MTU, &v, &len));
	connect_to(fd, 9);
	say_result(getsockopt(fd, IPPROTO_IP, IP_MTU, &v, &len));
	say("%d\n", v);
}

static void asks_for_what_nobody_knows(void)
{
	int fd[2] = { socket_of(SOCK_STREAM), socket_of(SOCK_DGRAM) }, v = 1;
	static const struct option o[] = { { SOL_SOCKET, 9999 },   { IPPROTO_TCP, 9999 },
					   { IPPROTO_UDP, 9999 },  { IPPROTO_IP, 9999 },
					   { IPPROTO_IPV6, 9999 }, { 12345, 1 } };
	socklen_t len = sizeof(v);

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < N_OF(o); i++) {
			say("%d/%d: %s", o[i].level, o[i].name,
			    told(getsockopt(fd[k], o[i].level, o[i].name, &v, &len)));
			say(" %s\n", told(setsockopt(fd[k], o[i].level, o[i].name, &v, sizeof(v))));
		}
}

static void asks_the_other_kind(void)
{
	int fd = socket_of(SOCK_STREAM), d = socket_of(SOCK_DGRAM), v = 1;
	socklen_t len = sizeof(v);

	say_result(getsockopt(d, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	say_result(setsockopt(d, IPPROTO_TCP, TCP_NODELAY, &v, len));
	say_result(getsockopt(fd, IPPROTO_UDP, UDP_CORK, &v, &len));
	say_result(setsockopt(fd, IPPROTO_UDP, UDP_CORK, &v, len));
	say_result(setsockopt(d, SOL_SOCKET, SO_BROADCAST, &v, len));
}

static void has_a_bad_length(void)
{
	int fd = socket_of(SOCK_STREAM), v = 1;
	socklen_t len;

	say_result(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, 2));
	say_result(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, 0));
	say_result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, 1));
	say_result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, (socklen_t)-1));
	say_result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4));
	say_result(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4));
	len = (socklen_t)-1;
	say_result(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, &len));
	say_result(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	len = 2;
	v = -1;
	say_result(getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len));
	say("%#x %u\n", (unsigned)v, (unsigned)len);
	len = 0;
	say_result(getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len));
	say("%u\n", (unsigned)len);
	len = 100;
	say_result(getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len));
	say("%u\n", (unsigned)len);
}

static void sets_options_of_a_connection(void)
{
	static const struct option o[] = {
		{ SOL_SOCKET, SO_KEEPALIVE },  { IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_CORK },     { IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ IPPROTO_TCP, TCP_KEEPIDLE },
	};
	int fd[2];

	connection(fd);
	for (size_t i = 0; i < N_OF(o); i++)
		try_one(fd[0], &o[i], 1);
}

static void corks(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	set_int(fd[0], IPPROTO_TCP, TCP_CORK, 1);
	say_result(send(fd[0], "abc", 3, 0));
	a_moment();
	say_result(recv(fd[1], bytes, 16, MSG_DONTWAIT));
	say_result(send(fd[0], "def", 3, 0));
	say_result(set_int(fd[0], IPPROTO_TCP, TCP_CORK, 0));
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 16, 0));
}

static void asks_for_a_peek_offset(void)
{
	char bytes[8] = "";
	int fd[2];

	connection(fd);
	say("%d\n", get_int(fd[1], SOL_SOCKET, SO_INCOMING_CPU) >= -1);
	send(fd[0], "abcd", 4, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recv(fd[1], bytes, 2, MSG_PEEK));
	say("%s\n", bytes);
}

static void frees_binding(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(0xc0000201);
	say_result(set_int(fd, IPPROTO_IP, IP_FREEBIND, 1));
	say_result(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	say_result(listen(fd, 1));
}

/* As who hears groups of both families by one socket does. */
static void sets_groups_of_ipv4_on_ipv6(void)
{
	struct ip_mreq group = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK),
				 .imr_multiaddr.s_addr = htonl(0xe00000fb) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), off = 0;

	say_result(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
	say_result(set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, 7));
	say_result(set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0));
	say_result(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface, 4));
	say("%#x %d\n", (unsigned)get_int(fd, IPPROTO_IP, IP_MULTICAST_IF),
	    get_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF));
	say_result(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
}

/* An IPv6 socket has both; each that is set says nothing of its like of the other version. */
static void has_options_of_both_versions(void)
{
	static const struct option o[] = {
		{ IPPROTO_IP, IP_TTL },		  { IPPROTO_IPV6, IPV6_UNICAST_HOPS },
		{ IPPROTO_IP, IP_TOS },		  { IPPROTO_IPV6, IPV6_TCLASS },
		{ IPPROTO_IP, IP_MTU_DISCOVER },  { IPPROTO_IPV6, IPV6_MTU_DISCOVER },
		{ IPPROTO_IP, IP_PKTINFO },	  { IPPROTO_IPV6, IPV6_RECVPKTINFO },
		{ IPPROTO_IP, IP_RECVTTL },	  { IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
		{ IPPROTO_IP, IP_RECVTOS },	  { IPPROTO_IPV6, IPV6_RECVTCLASS },
		{ IPPROTO_IP, IP_RECVERR },	  { IPPROTO_IPV6, IPV6_RECVERR },
		{ IPPROTO_IP, IP_MULTICAST_TTL }, { IPPROTO_IPV6, IPV6_MULTICAST_HOPS },
		{ IPPROTO_IP, IP_MULTICAST_ALL }, { IPPROTO_IPV6, IPV6_MULTICAST_ALL },
	};
	enum { N_OF_STREAMS = 14 };
	int d = socket(AF_INET6, SOCK_DGRAM, 0), s = socket(AF_INET6, SOCK_STREAM, 0);

	for (int v = 1; v >= 0; v--)
		for (size_t i = 0; i < N_OF(o); i++) {
			try_one(d, &o[i], v);
			if (i < N_OF_STREAMS)
				try_one(s, &o[i], v);
		}
	try_one(d, &o[0], -1);
	say("%d %d\n", get_int(s, IPPROTO_IP, IP_MULTICAST_TTL),
	    get_int(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS));
	say_result(set_int(s, IPPROTO_IP, IP_MULTICAST_TTL, 3));
	say_result(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3));
}

static const struct program programs[] = {
	BOTH(asks_a_fresh_socket),
	BOTH(sets_flags_of_the_socket),
	ONCE(sets_numbers_of_the_socket),
	ONCE(sets_what_can_only_be_asked),
	BOTH(sets_flags_of_tcp),
	ONCE(sets_quickack),
	ONCE(sets_keepalive),
	ONCE(sets_numbers_of_tcp),
	ONCE(defers_accepting),
	ONCE(sets_the_segment_size),
	ONCE(sets_the_window_clamp),
	ONCE(names_the_congestion_control),
	ONCE(tells_of_a_connection),
	BOTH(sets_time_outs),
	BOTH(sets_linger),
	ONCE(sets_buffers),
	ONCE(binds_to_a_device),
	ONCE(sets_flags_of_ipv4),
	ONCE(sets_numbers_of_ipv4),
	ONCE(sets_flags_of_ipv6),
	ONCE(sets_numbers_of_ipv6),
	ONCE(has_one_byte_for_an_option),
	ONCE(asks_for_a_path_mtu),
	BOTH(asks_for_what_nobody_knows),
	BOTH(asks_the_other_kind),
	ONCE(has_a_bad_length),
	ONCE(sets_options_of_a_connection),
	ONCE(corks),
	ONCE(asks_for_a_peek_offset),
	ONCE(frees_binding),
	ONCE(sets_groups_of_ipv4_on_ipv6),
	ONCE(has_options_of_both_versions),
};
const struct subject of_options = SUBJECT(programs);
