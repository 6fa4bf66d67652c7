/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error_queue.c - twins: what has become of datagrams (IP_RECVERR, IPV6_RECVERR).
 */
#include "twin.h"

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

static const struct program programs[] = {
	BOTH(queues_errors),
	BOTH(looks_into_the_error_queue),
	ONCE(queues_errors_of_ipv4_on_ipv6),
};
const struct subject of_error_queue = SUBJECT(programs);
