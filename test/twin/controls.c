/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * controls.c - twins: control messages.
 */
#include "twin.h"

/* Sends a byte with one control message. */
static ssize_t send_with(int fd, uint16_t to, const struct cmsghdr *head, const void *value)
{
	struct name n = loopback_at(to);
	char byte = 'x';
	_Alignas(struct cmsghdr) char room[64] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_name = &n.sa,
			    .msg_namelen = n.len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room };
	struct cmsghdr *c = (struct cmsghdr *)room;

	*c = *head;
	memcpy(CMSG_DATA(c), value, head->cmsg_len - CMSG_LEN(0));
	m.msg_controllen = CMSG_SPACE(head->cmsg_len - CMSG_LEN(0));
	return sendmsg(fd, &m, 0);
}

static void brings_what_was_asked_for(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	ask_for_all(b);
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	say_controls(&l.m);
	say("%d\n", port_in(&l.name) == port_of(a));
}

static void brings_nothing_unasked(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	say_controls(&l.m);
	say("%u\n", (unsigned)l.m.msg_controllen);
}

static void asks_no_more(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	ask_for_all(b);
	if (family == AF_INET)
		set_int(b, IPPROTO_IP, IP_PKTINFO, 0);
	else
		set_int(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 0);
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	say_controls(&l.m);
}

static void has_little_room(void)
{
	static const size_t rooms[] = { 0, 1, 15, 16, 18, 20, 28, 32, 40, 64 };
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	ask_for_all(b);
	for (size_t i = 0; i < N_OF(rooms); i++) {
		send_to(a, "x", 1, port_of(b));
		say_result(recvmsg(b, mail_of(&l, rooms[i]), 0));
		say("%u: %u\n", (unsigned)rooms[i], (unsigned)l.m.msg_controllen);
		say_controls(&l.m);
	}
}

static void has_no_room(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	ask_for_all(b);
	send_to(a, "x", 1, port_of(b));
	mail_of(&l, 0);
	l.m.msg_control = NULL;
	say_result(recvmsg(b, &l.m, 0));
	say("%#x %u\n", l.m.msg_flags, (unsigned)l.m.msg_controllen);
}

/* Each value beside a datagram of its own, and what comes of it. */
static void send_each(int type4, int type6, const int values[5])
{
	struct cmsghdr h;
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	put_control(&h, sizeof(int), family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		    family == AF_INET ? type4 : type6);
	ask_for_all(b);
	for (int i = 0; i < 5; i++) {
		ssize_t n = send_with(a, port_of(b), &h, &values[i]);

		say_result(n);
		if (n < 0)
			continue;
		say_result(recvmsg(b, mail_of(&l, 256), 0));
		say_controls(&l.m);
	}
}

static void sends_with_a_ttl(void)
{
	static const int ttls[] = { 9, 0, 255, 256, -1 };

	send_each(IP_TTL, IPV6_HOPLIMIT, ttls);
}

static void sends_with_a_tos(void)
{
	static const int values[] = { 0x10, 0, 255, 256,
				      7 }; /* of -1 kernels say different things */

	send_each(IP_TOS, IPV6_TCLASS, values);
}

static void sends_from_an_address(void)
{
	struct cmsghdr four;
	struct cmsghdr six;
	struct in_pktinfo i4 = { .ipi_spec_dst.s_addr = htonl(0x7f000002) };
	struct in6_pktinfo i6 = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT };
	int a = socket_of(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;
	char text[64];

	put_control(&four, sizeof(struct in_pktinfo), IPPROTO_IP, IP_PKTINFO);
	put_control(&six, sizeof(struct in6_pktinfo), IPPROTO_IPV6, IPV6_PKTINFO);
	say_result(send_with(a, port_of(b), family == AF_INET ? &four : &six,
			     family == AF_INET ? (void *)&i4 : (void *)&i6));
	say_result(recvmsg(b, mail_of(&l, 0), 0));
	say("%s\n", inet_ntop(family,
			      family == AF_INET ? (void *)&l.name.in.sin_addr :
						  (void *)&l.name.in6.sin6_addr,
			      text, sizeof(text)));
	i4.ipi_spec_dst.s_addr = htonl(0xc0000201); /* nobody's */
	i6.ipi6_addr.s6_addr[0] = 0x20;
	say_result(send_with(a, port_of(b), family == AF_INET ? &four : &six,
			     family == AF_INET ? (void *)&i4 : (void *)&i6));
	i4 = (struct in_pktinfo){ .ipi_ifindex = 9999 };
	i6 = (struct in6_pktinfo){ .ipi6_ifindex = 9999 };
	say_result(send_with(a, port_of(b), family == AF_INET ? &four : &six,
			     family == AF_INET ? (void *)&i4 : (void *)&i6));
}

static void sends_what_is_no_control(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), v = 5;
	struct cmsghdr h;
	struct name n = loopback_at(port_of(b));
	char byte = 'x';
	_Alignas(struct cmsghdr) char room[64] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_name = &n.sa,
			    .msg_namelen = n.len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = 64 };
	struct cmsghdr *c = (struct cmsghdr *)room;

	put_control(&h, sizeof(int), IPPROTO_IP, 77);
	say_result(send_with(a, port_of(b), &h, &v));
	h.cmsg_level = SOL_SOCKET;
	say_result(send_with(a, port_of(b), &h, &v));
	put_control(c, 0, IPPROTO_IP, IP_TTL);
	c->cmsg_len = 3;
	say_result(sendmsg(a, &m, 0));
	c->cmsg_len = 1000;
	say_result(sendmsg(a, &m, 0));
	m.msg_controllen = 5;
	say_result(sendmsg(a, &m, 0));
}

static void controls_of_a_stream(void)
{
	struct mail l;
	int fd[2];

	connection(fd);
	ask_for_all(fd[1]);
	send(fd[0], "x", 1, 0);
	say_result(recvmsg(fd[1], mail_of(&l, 256), 0));
	say("%u %#x %u\n", (unsigned)l.m.msg_controllen, l.m.msg_flags, (unsigned)l.m.msg_namelen);
}

/* The TOS and TTL of the socket, and a peek that brings the same. */
static void tells_the_sockets_own(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct mail l;

	ask_for_all(b);
	if (family == AF_INET) {
		set_int(a, IPPROTO_IP, IP_TTL, 33);
		set_int(a, IPPROTO_IP, IP_TOS, 0x20);
	} else {
		set_int(a, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33);
		set_int(a, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	}
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), MSG_PEEK));
	say_controls(&l.m);
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	say_controls(&l.m);
}

static void stamps(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct timespec now, at = { 0 };
	struct cmsghdr *c;
	struct mail l;

	say_result(set_int(b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	say("%d %d\n", get_int(b, SOL_SOCKET, SO_TIMESTAMPNS),
	    get_int(b, SOL_SOCKET, SO_TIMESTAMP));
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	c = CMSG_FIRSTHDR(&l.m);
	say("%d\n", c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS);
	if (c)
		memcpy(&at, CMSG_DATA(c), sizeof(at));
	clock_gettime(CLOCK_REALTIME, &now);
	say("%d\n", at.tv_sec <= now.tv_sec && at.tv_sec > now.tv_sec - 60);
	say_result(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1));
	say("%d %d\n", get_int(b, SOL_SOCKET, SO_TIMESTAMPNS),
	    get_int(b, SOL_SOCKET, SO_TIMESTAMP));
	send_to(a, "x", 1, port_of(b));
	say_result(recvmsg(b, mail_of(&l, 256), 0));
	c = CMSG_FIRSTHDR(&l.m);
	say("%d\n", c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMP);
	say_result(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 0));
	say("%d\n", get_int(b, SOL_SOCKET, SO_TIMESTAMP));
}

/* From an IPv6 socket to an IPv4 address: IPv4's options hold, and IPv6's for IPv6. */
static void sends_by_both_versions(void)
{
	int a = bound_to_both(), b = bound_to_both();
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct name to = mapped_loopback_at(port_of(b));
	struct mail l;

	set_int(a, IPPROTO_IP, IP_TTL, 33);
	set_int(a, IPPROTO_IP, IP_TOS, 0x20);
	set_int(a, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44);
	set_int(a, IPPROTO_IPV6, IPV6_TCLASS, 0x40);
	six.sin6_port = to.in6.sin6_port;
	for (int asked = 0; asked < 3; asked++) {
		say_result(sendto(a, "x", 1, 0, &to.sa, to.len));
		say_result(recvmsg(b, mail_of(&l, 256), 0));
		say_controls(&l.m);
		say_result(sendto(a, "x", 1, 0, (struct sockaddr *)&six, sizeof(six)));
		say_result(recvmsg(b, mail_of(&l, 256), 0));
		say_controls(&l.m);
		family = asked ? AF_INET6 : AF_INET; /* first IPv4's alone, then both */
		ask_for_all(b);
	}
}

/* linux/in6.h has them, which does not go with netinet/in.h. */
enum { FLOWINFO = 11, FLOWINFO_SEND = 33 };

static void hears_of_a_flow(int fd, ssize_t sent)
{
	struct mail l;

	say_result(sent);
	say_result(recvmsg(fd, mail_of(&l, 256), 0));
	say("from %08x\n", (unsigned)ntohl(l.name.in6.sin6_flowinfo));
	say_controls(&l.m);
}

static ssize_t send_in_flow(int fd, uint16_t to, uint32_t info)
{
	struct name n = loopback_at(to);

	n.in6.sin6_flowinfo = htonl(info);
	return sendto(fd, "x", 1, 0, &n.sa, n.len);
}

static void say_flow_of_peer(int fd)
{
	struct name n = { .len = sizeof(n.in6) };

	say_result(getpeername(fd, &n.sa, &n.len));
	say("to %05x\n", (unsigned)ntohl(n.in6.sin6_flowinfo) & 0xfffff);
}

static void connects_in_flow(int fd, uint16_t to, uint32_t info)
{
	struct name n = loopback_at(to);

	n.in6.sin6_flowinfo = htonl(info);
	say_result(connect(fd, &n.sa, n.len));
	say_flow_of_peer(fd);
}

/* Labels that the program chooses, in the address and beside a datagram; and their classes. */
static void chooses_labels(void)
{
	static const uint32_t infos[] = { 0, 0x12345, 0x0ab12345, 0x0ab00000, 0xfff00001 };
	struct cmsghdr h;
	uint32_t beside = htonl(0x0ab54321);
	int a, b;
	uint16_t to;

	put_control(&h, sizeof(uint32_t), IPPROTO_IPV6, FLOWINFO);
	family = AF_INET6;
	a = bound(SOCK_DGRAM);
	b = bound(SOCK_DGRAM);
	to = port_of(b);
	set_int(a, IPPROTO_IPV6, 70, 0); /* IPV6_AUTOFLOWLABEL */
	say_result(set_int(b, IPPROTO_IPV6, FLOWINFO, 5));
	say("%d %d\n", get_int(b, IPPROTO_IPV6, FLOWINFO), get_int(a, IPPROTO_IPV6, FLOWINFO));
	for (int on = 0; on < 2; on++) {
		say_result(set_int(a, IPPROTO_IPV6, FLOWINFO_SEND, on));
		say("%d\n", get_int(a, IPPROTO_IPV6, FLOWINFO_SEND));
		for (size_t i = 0; i < N_OF(infos); i++)
			hears_of_a_flow(b, send_in_flow(a, to, infos[i]));
		hears_of_a_flow(b, send_with(a, to, &h, &beside));
		connects_in_flow(a, to, 0x77777);
		hears_of_a_flow(b, sendto(a, "x", 1, 0, NULL, 0));
		hears_of_a_flow(b, send_in_flow(a, to, 0x12345));
		set_int(a, IPPROTO_IPV6, IPV6_TCLASS, 0x30);
	}
	set_int(a, IPPROTO_IPV6, FLOWINFO_SEND, 0);
	say_flow_of_peer(a);
	hears_of_a_flow(b, sendto(a, "x", 1, 0, NULL, 0)); /* it was chosen when it counted */
	h.cmsg_len = CMSG_LEN(2);
	say_result(send_with(a, to, &h, &beside));
	say_result(set_int(socket(AF_INET, SOCK_DGRAM, 0), IPPROTO_IPV6, FLOWINFO, 1));
}

static void chooses_the_label_of_a_stream(void)
{
	int l, a, b;
	uint16_t to;
	struct name n = { .len = sizeof(n.in6) };

	family = AF_INET6;
	l = listening();
	to = port_of(l);
	for (int on = 0; on < 2; on++) {
		a = socket_of(SOCK_STREAM);
		set_int(a, IPPROTO_IPV6, FLOWINFO_SEND, on);
		connects_in_flow(a, to, 0x12345);
		b = accept(l, &n.sa, &n.len);
		say("from %08x\n", (unsigned)ntohl(n.in6.sin6_flowinfo));
		set_int(b, IPPROTO_IPV6, FLOWINFO_SEND, 1);
		say_flow_of_peer(b);
	}
}

/* What has come, datagram by datagram. */
static void comes_as(int s)
{
	struct pollfd p = { s, POLLIN, 0 };
	char bytes[1000];
	ssize_t n;

	for (int i = 0; i < 4; i++) {
		poll(&p, 1, 200);
		n = recv(s, bytes, sizeof(bytes), MSG_DONTWAIT);
		say_result(n);
		if (n > 0)
			say("from %d to %d\n", bytes[0], bytes[n - 1]);
	}
}

static void is_cut_into_segments(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct cmsghdr head;
	static const uint16_t sizes[] = { 20, 25, 49, 50, 51, 0 };
	struct name to = loopback_at(port_of(b));
	struct mail l;
	char bytes[50];

	put_control(&head, sizeof(uint16_t), IPPROTO_UDP, UDP_SEGMENT);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (size_t i = 0; i < 2 * N_OF(sizes); i++) {
		head.cmsg_len = CMSG_LEN(i % 2 ? sizeof(int) : sizeof(uint16_t));
		mail_of(&l, CMSG_SPACE(sizeof(sizes[0])));
		memset(l.controls, 0, sizeof(l.controls));
		memcpy(l.controls, &head, sizeof(head));
		memcpy(CMSG_DATA((struct cmsghdr *)l.controls), &sizes[i / 2], sizeof(sizes[0]));
		l.name = to;
		l.m.msg_namelen = to.len;
		l.iov = (struct iovec){ bytes, sizeof(bytes) };
		say_result(sendmsg(a, &l.m, 0));
		comes_as(b);
	}
}

/* By an option: all that is sent, however it is sent. */
static void cuts_all_into_segments(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), s = socket_of(SOCK_STREAM);
	static const int sizes[] = { 20, -1, 65536, 65535, 1, 2, 0 };
	struct name to = loopback_at(port_of(b));
	char bytes[50];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	say_result(connect(a, &to.sa, to.len));
	say("%d\n", get_int(a, IPPROTO_UDP, UDP_SEGMENT));
	for (size_t i = 0; i < N_OF(sizes); i++) {
		say_result(set_int(a, IPPROTO_UDP, UDP_SEGMENT, sizes[i]));
		say("%d\n", get_int(a, IPPROTO_UDP, UDP_SEGMENT));
		say_result(write(a, bytes, sizes[i] == 1 || sizes[i] == 2 ? 3 : 50));
		comes_as(b);
	}
	say_result(set_int(s, IPPROTO_UDP, UDP_SEGMENT, 20));
	say_result(get_int(s, IPPROTO_UDP, UDP_SEGMENT));
}

/* Singly sent they come singly, and say nothing of parts, whatever was asked for. */
static void takes_merged_ones(void)
{
	enum { MERGES = 104 }; /* UDP_GRO */
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), s = socket_of(SOCK_STREAM);
	short little = 1;
	struct mail l;

	for (int v = -1; v < 3; v++) {
		say_result(set_int(b, IPPROTO_UDP, MERGES, v));
		say("%d\n", get_int(b, IPPROTO_UDP, MERGES));
	}
	say_result(setsockopt(b, IPPROTO_UDP, MERGES, &little, sizeof(little)));
	say_result(set_int(s, IPPROTO_UDP, MERGES, 1));
	for (int i = 0; i < 3; i++) {
		send_to(a, "abc", 3, port_of(b));
		say_result(recvmsg(b, mail_of(&l, 256), 0));
		say_controls(&l.m);
	}
}

static const struct program programs[] = {
	BOTH(brings_what_was_asked_for),
	BOTH(brings_nothing_unasked),
	BOTH(asks_no_more),
	BOTH(has_little_room),
	ONCE(has_no_room),
	BOTH(sends_with_a_ttl),
	BOTH(sends_with_a_tos),
	BOTH(sends_from_an_address),
	ONCE(sends_what_is_no_control),
	ONCE(controls_of_a_stream),
	BOTH(tells_the_sockets_own),
	ONCE(stamps),
	ONCE(sends_by_both_versions),
	ONCE(chooses_labels),
	ONCE(chooses_the_label_of_a_stream),
	BOTH(is_cut_into_segments),
	BOTH(cuts_all_into_segments),
	BOTH(takes_merged_ones),
};
const struct subject of_controls = SUBJECT(programs);
