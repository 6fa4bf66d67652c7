/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.c - datagrams and what lies beside them, for the twins.
 */
#include "twin.h"

struct msghdr *mail_of(struct mail *l, size_t controls)
{
	l->iov = (struct iovec){ l->bytes, sizeof(l->bytes) };
	l->m = (struct msghdr){ .msg_name = &l->name.all,
				.msg_namelen = sizeof(l->name.all),
				.msg_iov = &l->iov,
				.msg_iovlen = 1,
				.msg_control = l->controls,
				.msg_controllen = controls };
	return &l->m;
}

void say_controls(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		say("%d %d:", c->cmsg_level, c->cmsg_type);
		for (size_t i = 0; i < c->cmsg_len - CMSG_LEN(0); i++)
			say(" %02x", CMSG_DATA(c)[i]);
		say("\n");
	}
	say("%s\n", m->msg_flags & MSG_CTRUNC ? "cut" : "whole");
}

void ask_for_all(int fd)
{
	if (family == AF_INET) {
		set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set_int(fd, IPPROTO_IP, IP_RECVTTL, 1);
		set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);
	} else {
		set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	}
}

struct name mapped_loopback_at(uint16_t port)
{
	struct name n = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) },
			  .len = sizeof(n.in6) };

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &n.in6.sin6_addr);
	return n;
}

int bound_to_both(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	say_result(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	return fd;
}
