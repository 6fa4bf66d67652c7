/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error_queue.c - twins: what has become of datagrams (IP_RECVERR, IPV6_RECVERR).
 */
#include "twin.h"

#include <linux/errqueue.h>

/* What a closed port answered, in the error queue. */
static void queues_errors(void)
{
	int a = bound(SOCK_DGRAM), closed = bound(SOCK_DGRAM);
	uint16_t port = port_of(closed);
	struct mail l;

	close(closed);
	set_int(a, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		family == AF_INET ? IP_RECVERR : IPV6_RECVERR, 1);
	say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
	send_to(a, "abc", 3, port);
	say("%#x\n", polled(a, POLLIN, POLLERR));
	say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
	say("%#x %d\n", l.m.msg_flags, port_in(&l.name) == port);
	say_controls(&l.m);
	say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
}

/* Any event makes the program look there. */
static void looks_into_the_error_queue(void)
{
	int a = bound(SOCK_DGRAM), closed = bound(SOCK_DGRAM);
	uint16_t port = port_of(closed);
	struct pollfd p = { .fd = a, .events = POLLIN };
	struct mail l;

	close(closed);
	set_int(a, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		family == AF_INET ? IP_RECVERR : IPV6_RECVERR, 1);
	for (int i = 0; i < 2; i++) {
		send_to(a, "abc", 3, port);
		say("%d\n", poll(&p, 1, 5000));
		say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
		say("%#x %d\n", l.m.msg_flags, port_in(&l.name) == port);
		say_controls(&l.m);
		say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
		say_result(recvmsg(a, mail_of(&l, 256), MSG_DONTWAIT));
		say("%d\n", poll(&p, 1, 0));
	}
}

/* A closed port of IPv4, whose error who asks for IPv4's alone finds. */
static void queues_errors_of_ipv4_on_ipv6(void)
{
	int closed, a;
	struct name to;
	struct pollfd p = { .events = POLLIN };
	struct mail l;

	for (int own = 1; own >= 0; own--) {
		closed = bound_to_both();
		to = mapped_loopback_at(port_of(closed));
		close(closed);
		p.fd = a = bound_to_both();
		set_int(a, own ? IPPROTO_IP : IPPROTO_IPV6, own ? IP_RECVERR : IPV6_RECVERR, 1);
		say_result(sendto(a, "abc", 3, 0, &to.sa, to.len));
		say("%d\n", poll(&p, 1, own ? 5000 : 200));
		say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
		if (own)
			say_controls(&l.m);
	}
}

/* linux/in6.h has them, which does not go with netinet/in.h. */
enum { OLD_PKTINFO = 2, OLD_HOPLIMIT = 8 };

static void ask_the_old_way(int fd)
{
	set_int(fd, IPPROTO_IPV6, OLD_PKTINFO, 1);
	set_int(fd, IPPROTO_IPV6, OLD_HOPLIMIT, 1);
}

/* Says what lies beside the error of a datagram to a closed port. */
static void say_error_of(int fd, const struct name *to)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct mail l;

	say_result(sendto(fd, "abc", 3, 0, &to->sa, to->len));
	say("%d\n", poll(&p, 1, 5000));
	say_result(recvmsg(fd, mail_of(&l, 256), MSG_ERRQUEUE));
	say("%#x\n", l.m.msg_flags);
	say_controls(&l.m);
}

static void tell_errors(int fd)
{
	set_int(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		family == AF_INET ? IP_RECVERR : IPV6_RECVERR, 1);
}

/* The way of the message that told it, not of the datagram. */
static void tells_how_an_error_came(void)
{
	int a = bound(SOCK_DGRAM);
	struct name closed = loopback_at(closed_port());

	tell_errors(a);
	set_int(a, IPPROTO_IP, IP_TTL, 33);
	ask_for_all(a);
	if (family == AF_INET)
		set_int(a, IPPROTO_IP, IP_RECVTOS, 0);
	else
		set_int(a, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33);
	say_error_of(a, &closed);
}

/* What no datagram can be is an error of IPv6's queue, and of IPv4's is not. */
static void sends_what_no_datagram_is(void)
{
	static const char bytes[200000];
	static const size_t sizes[] = { 65507, 65508, 65527, 65528, 65535, 65536, 127952, 200000 };
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);

	ask_for_all(a);
	set_int(a, IPPROTO_IPV6, OLD_HOPLIMIT, 1);
	for (int told = 0; told < 2; told++) {
		for (size_t i = 0; i < N_OF(sizes); i++) {
			struct sock_extended_err *e;
			struct cmsghdr *c;
			struct mail l;

			say_result(send_to(a, bytes, sizes[i], port_of(b)));
			say_result(recvmsg(a, mail_of(&l, 256), MSG_ERRQUEUE));
			c = CMSG_FIRSTHDR(&l.m);
			if (!told || !c || l.m.msg_controllen == 256)
				continue;
			e = (struct sock_extended_err *)CMSG_DATA(c);
			/* an IPv4 socket of Linux's without a peer forgets the port */
			say("%d %d %u, %u %d\n", c->cmsg_level, c->cmsg_type, e->ee_errno,
			    e->ee_origin, family == AF_INET || port_in(&l.name) == port_of(b));
			say("%d\n", CMSG_NXTHDR(&l.m, c) != NULL);
			say("%d\n", SO_EE_OFFENDER(e)->sa_family);
		}
		tell_errors(a);
	}
	say("%#x\n", polled_now(a, POLLIN));
}

static void tells_how_errors_of_both_versions_came(void)
{
	int a = bound_to_both();
	uint16_t port = closed_port();
	struct name four = mapped_loopback_at(port), six = loopback6_at(port);

	tell_errors(a);
	set_int(a, IPPROTO_IP, IP_RECVTTL, 1);
	family = AF_INET6;
	tell_errors(a);
	ask_for_all(a);
	ask_the_old_way(a);
	say_error_of(a, &four);
	say_error_of(a, &six);
}

/* RFC 2292, which RFC 3542 replaced. */
static void asks_the_old_way(void)
{
	static const int options[] = { OLD_PKTINFO, OLD_HOPLIMIT };
	int a = bound_to_both(), s = socket_of(SOCK_STREAM), fresh;
	struct name six = loopback6_at(port_of(a)), four = mapped_loopback_at(port_of(a));
	struct mail l;

	family = AF_INET6;
	fresh = socket_of(SOCK_STREAM);
	for (int i = 0; i < 2; i++) {
		say("%d\n", get_int(a, IPPROTO_IPV6, options[i]));
		say_result(set_int(a, IPPROTO_IPV6, options[i], 7));
		say("%d\n", get_int(a, IPPROTO_IPV6, options[i]));
		say_result(set_int(s, IPPROTO_IPV6, options[i], 1));
		say_result(set_int(fresh, IPPROTO_IPV6, options[i], 1));
	}
	for (int asked = 0; asked < 2; asked++) {
		say_result(sendto(a, "x", 1, 0, &six.sa, six.len));
		say_result(recvmsg(a, mail_of(&l, 256), 0));
		say_controls(&l.m);
		say_result(sendto(a, "x", 1, 0, &four.sa, four.len));
		say_result(recvmsg(a, mail_of(&l, 256), 0));
		say_controls(&l.m);
		ask_for_all(a);
	}
}

/* A control message of the old kind is as good as one of the new. */
static void sends_the_old_way(void)
{
	static const int hops[] = { 7, -1, 255, 256, -2 };
	struct name to;
	int a, b;

	family = AF_INET6;
	a = bound(SOCK_DGRAM);
	b = bound(SOCK_DGRAM);
	set_int(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	to = loopback_at(port_of(b));
	for (size_t i = 0; i < N_OF(hops); i++) {
		_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = { 0 };
		struct cmsghdr *c = (struct cmsghdr *)room;
		char byte = 'x';
		struct iovec iov = { &byte, 1 };
		struct msghdr m = { .msg_name = &to.sa,
				    .msg_namelen = to.len,
				    .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = room,
				    .msg_controllen = sizeof(room) };
		struct mail l;

		put_control(c, sizeof(int), IPPROTO_IPV6, OLD_HOPLIMIT);
		memcpy(CMSG_DATA(c), &hops[i], sizeof(int));
		say_result(sendmsg(a, &m, 0));
		if (hops[i] > 255 || hops[i] < -1)
			continue;
		say_result(recvmsg(b, mail_of(&l, 256), 0));
		say_controls(&l.m);
	}
}

static const struct program programs[] = {
	BOTH(queues_errors),
	BOTH(looks_into_the_error_queue),
	ONCE(queues_errors_of_ipv4_on_ipv6),
	BOTH(tells_how_an_error_came),
	BOTH(sends_what_no_datagram_is),
	ONCE(tells_how_errors_of_both_versions_came),
	ONCE(asks_the_old_way),
	ONCE(sends_the_old_way),
};
const struct subject of_error_queue = SUBJECT(programs);
