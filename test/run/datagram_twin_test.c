/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram_twin_test.c - datagram sockets of a program under tern behave as those on the kernel.
 */
#define _GNU_SOURCE
#include "twin.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

static ssize_t send_to(int fd, const char *text, size_t len, uint16_t port)
{
	struct sockaddr_in a = loopback_at(port);

	return sendto(fd, text, len, 0, (struct sockaddr *)&a, sizeof(a));
}

static void keeps_boundaries(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char bytes[64] = { 0 };

	say("%s\n", told(send_to(a, "one", 3, port_of(b))));
	say("%s\n", told(send_to(a, "", 0, port_of(b))));
	say("%s\n", told(send_to(a, "three", 5, port_of(b))));
	for (int i = 0; i < 3; i++) {
		memset(&from, 0, sizeof(from));
		len = sizeof(from);
		say("%s", told(recvfrom(b, bytes, 64, 0, (struct sockaddr *)&from, &len)));
		say(" %d %u\n", ntohs(from.sin_port) == port_of(a), (unsigned)len);
	}
	say("%s\n", told(recv(b, bytes, 64, MSG_DONTWAIT)));
}

static void cuts_what_is_too_long(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char bytes[64] = { 0 };
	struct iovec iov = { bytes, 2 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (int i = 0; i < 4; i++)
		send_to(a, "abcdef", 6, port_of(b));
	say("%s\n", told(recv(b, bytes, 3, 0)));
	say("%s\n", told(recv(b, bytes, 3, MSG_TRUNC)));
	say("%s\n", told(recvfrom(b, bytes, 3, MSG_TRUNC, (struct sockaddr *)&from, &len)));
	m.msg_name = &from;
	m.msg_namelen = sizeof(from);
	say("%s", told(recvmsg(b, &m, 0)));
	say(" %x %u %.2s\n", m.msg_flags, m.msg_namelen, bytes);
}

static void mixes_ways_of_reading(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	struct sockaddr_in from;
	socklen_t len;
	char bytes[64];

	for (int i = 0; i < 6; i++)
		send_to(i % 2 ? a : c, "abcdefgh", (size_t)i + 1, port_of(b));
	for (int i = 0; i < 3; i++) {
		say("%s\n", told(read(b, bytes, 64)));
		len = sizeof(from);
		say("%s", told(recvfrom(b, bytes, 64, 0, (struct sockaddr *)&from, &len)));
		say(" %d\n", ntohs(from.sin_port) == port_of(a));
	}
}

static void peeks_at_a_datagram(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	char bytes[64];

	send_to(a, "abc", 3, port_of(b));
	say("%s", told(recvfrom(b, bytes, 64, MSG_PEEK, (struct sockaddr *)&from, &len)));
	say(" %d\n", ntohs(from.sin_port) == port_of(a));
	from.sin_port = 0;
	say("%s", told(recvfrom(b, bytes, 64, 0, (struct sockaddr *)&from, &len)));
	say(" %d\n", ntohs(from.sin_port) == port_of(a));
}

static void speaks_to_one_peer(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_at(port_of(b)), none = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof(to);
	char bytes[64];

	say("%s\n", told(getpeername(a, (struct sockaddr *)&to, &len)));
	to = loopback_at(port_of(b));
	say("%s\n", told(connect(a, (struct sockaddr *)&to, sizeof(to))));
	say("%s", told(getpeername(a, (struct sockaddr *)&to, &len)));
	say(" %d\n", ntohs(to.sin_port) == port_of(b));
	say("%s\n", told(write(a, "native", 6)));
	say("%s\n", told(send_to(a, "named", 5, port_of(c))));
	say("%s\n", told(send(a, "", 0, 0)));
	say("%s\n", told(read(b, bytes, 64)));
	say("%s\n", told(read(b, bytes, 64)));
	say("%s\n", told(read(c, bytes, 64)));
	send_to(c, "stranger", 8, port_of(a));
	send_to(b, "friend", 6, port_of(a));
	say("%s\n", told(read(a, bytes, 64)));
	say("%s\n", told(connect(a, (struct sockaddr *)&none, sizeof(none))));
	say("%s\n", told(getpeername(a, (struct sockaddr *)&to, &len)));
	say("%s\n", told(sendto(a, "x", 1, 0, (struct sockaddr *)&none, 3)));
}

static void sends_what_is_too_long(void)
{
	static char bytes[70000], back[70000];
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);

	memset(bytes, 'x', sizeof(bytes));
	say("%s\n", told(send_to(a, bytes, 60000, port_of(b))));
	say("%s\n", told(recv(b, back, sizeof(back), 0)));
	say("%d\n", memcmp(bytes, back, 60000));
	say("%s\n", told(send_to(a, bytes, 65507, port_of(b))));
	say("%s\n", told(recv(b, back, sizeof(back), 0)));
	say("%s\n", told(send_to(a, bytes, 65508, port_of(b))));
}

static void is_ready_when_one_comes(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out;
	char bytes[8];

	say("%x\n", polled(b, POLLIN | POLLOUT, POLLOUT));
	say("%s\n", told(epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev)));
	for (int i = 0; i < 3; i++) {
		send_to(a, "x", 1, port_of(b));
		say("%d\n", epoll_wait(ep, &out, 1, 5000));
		say("%s\n", told(read(b, bytes, 8)));
		say("%d\n", epoll_wait(ep, &out, 1, 0));
	}
}

static void moves_many_at_once(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_at(port_of(b)), from[4];
	struct mmsghdr m[4] = { 0 };
	char bytes[4][16];
	struct iovec iov[4];

	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ bytes[i], (size_t)i + 1 };
		memset(bytes[i], 'a' + i, 16);
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name = &to;
		m[i].msg_hdr.msg_namelen = sizeof(to);
	}
	say("%s\n", told(sendmmsg(a, m, 4, 0)));
	for (int i = 0; i < 4; i++) {
		say("%u\n", m[i].msg_len);
		iov[i].iov_len = 16;
		m[i].msg_hdr.msg_name = &from[i];
		m[i].msg_hdr.msg_namelen = sizeof(from[i]);
	}
	say("%s\n", told(recvmmsg(b, m, 4, MSG_WAITFORONE, NULL)));
	for (int i = 0; i < 4; i++)
		say("%u %c %d\n", m[i].msg_len, bytes[i][0], ntohs(from[i].sin_port) == port_of(a));
}

static void waits_with_a_limit(void)
{
	int a = bound(SOCK_DGRAM);
	struct timeval t = { 0, 30000 };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char bytes[8];

	say("%s\n", told(setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))));
	say("%s\n", told(recv(a, bytes, 8, 0)));
	say("%s\n", told(recvfrom(a, bytes, 8, 0, (struct sockaddr *)&from, &len)));
}

/* Two wait in calls that are stopped; each gets one. */
static void waits_beside_others(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), status;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char bytes[8];

	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			_exit(recvfrom(b, bytes, 8, 0, (struct sockaddr *)&from, &len) == 1 &&
					      ntohs(from.sin_port) == port_of(a) ?
				      0 :
				      1);
	usleep(50000);
	say("%s", told(send_to(a, "x", 1, port_of(b))));
	say(" %s\n", told(send_to(a, "y", 1, port_of(b))));
	for (int i = 0; i < 2; i++) {
		pid_t child = wait(&status);

		say("%d %d\n", child > 0, status);
	}
}

static void set_on(int fd, int name)
{
	int one = 1;

	say("%s ", told(setsockopt(fd, IPPROTO_IP, name, &one, sizeof(one))));
}

static void say_controls(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		say("%d %d:", c->cmsg_level, c->cmsg_type);
		for (size_t i = 0; i < c->cmsg_len - CMSG_LEN(0); i++)
			say(" %02x", CMSG_DATA(c)[i]);
		say("\n");
	}
	say("%s\n", m->msg_flags & MSG_CTRUNC ? "cut" : "whole");
}

/* Where it went, its TTL and TOS, also when there is little room; and a TTL for one datagram. */
static void brings_what_was_asked_for(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), ttl = 9;
	struct sockaddr_in to = loopback_at(port_of(b));
	char bytes[4], room[CMSG_SPACE(sizeof(int))];
	_Alignas(struct cmsghdr) char controls[256];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_name = &to,
			    .msg_namelen = sizeof(to),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	set_on(b, IP_PKTINFO);
	set_on(b, IP_RECVTTL);
	set_on(b, IP_RECVTOS);
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL };
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
	say("%s", told(sendmsg(a, &m, 0)));
	say(" %s\n", told(sendmsg(a, &m, 0)));
	m.msg_control = controls;
	m.msg_controllen = sizeof(controls);
	say("%s\n", told(recvmsg(b, &m, 0)));
	say_controls(&m);
	m.msg_controllen = CMSG_LEN(4);
	say("%s ", told(recvmsg(b, &m, 0)));
	say("%s\n", m.msg_flags & MSG_CTRUNC ? "cut" : "whole");
	m.msg_namelen = sizeof(to);
	ttl = 0; /* not a TTL */
	m.msg_control = room;
	m.msg_controllen = sizeof(room);
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
	say("%s\n", told(sendmsg(a, &m, 0)));
}

static void is_told_that_nobody_listens(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct sockaddr_in to = loopback_at(port_of(b));

	close(b);
	say("%s\n", told(connect(a, (struct sockaddr *)&to, sizeof(to))));
	say("%s\n", told(send(a, "x", 1, 0)));
	for (int i = 0, e = 0; i < 5000 && !e; i++) {
		usleep(1000);
		e = so_error(a);
		if (e)
			say("%d\n", e);
	}
}

static void binds_the_port_again(void)
{
	int a = bound(SOCK_DGRAM), b = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in at = loopback_at(port_of(a));

	say("%s\n", told(bind(b, (struct sockaddr *)&at, sizeof(at))));
	say("%s\n", told(bind(a, (struct sockaddr *)&at, sizeof(at))));
	close(a);
	for (int i = 0; i < 5000; i++) {
		if (bind(b, (struct sockaddr *)&at, sizeof(at)) == 0)
			break;
		usleep(1000);
	}
	say("%d\n", port_of(b) == ntohs(at.sin_port));
	at.sin_addr.s_addr = htonl(0xc0000201);
	a = socket(AF_INET, SOCK_DGRAM, 0);
	say("%s\n", told(bind(a, (struct sockaddr *)&at, sizeof(at))));
}

#define DATAGRAM_TWINS(X)                                                                          \
	X(keeps_boundaries)                                                                        \
	X(cuts_what_is_too_long)                                                                   \
	X(mixes_ways_of_reading)                                                                   \
	X(peeks_at_a_datagram)                                                                     \
	X(speaks_to_one_peer)                                                                      \
	X(sends_what_is_too_long)                                                                  \
	X(is_ready_when_one_comes)                                                                 \
	X(moves_many_at_once)                                                                      \
	X(waits_with_a_limit)                                                                      \
	X(waits_beside_others)                                                                     \
	X(brings_what_was_asked_for)                                                               \
	X(is_told_that_nobody_listens)                                                             \
	X(binds_the_port_again)

TWIN_MAIN(DATAGRAM_TWINS)
