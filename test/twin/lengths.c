/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lengths.c - twins: names of sockets with any length and family, in and out.
 */
#include "twin.h"

static const int lengths[] = { 0,  1,  2,   3,	 4,   8,   15,	  16, 17, 23,	     24,       27,
			       28, 29, 127, 128, 129, 200, 65536, -1, -2, INT32_MAX, INT32_MIN };
static const sa_family_t families[] = { AF_INET, AF_INET6, AF_UNSPEC, AF_UNIX, 999 };

enum { ROOM = 70000 };

/* The loopback in each of them, in more room than any length that is taken. */
static const struct sockaddr *name_of(sa_family_t f, uint16_t port)
{
	static char room[ROOM];
	struct sockaddr_in in = { .sin_family = f, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = f, .sin6_port = htons(port) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr.s6_addr[15] = 1;
	memset(room, 0, sizeof(room));
	if (f == AF_INET6)
		memcpy(room, &in6, sizeof(in6));
	else
		memcpy(room, &in, sizeof(in));
	return (const struct sockaddr *)(const void *)room;
}

static void for_all(void (*each)(int type, const struct sockaddr *, socklen_t), int type)
{
	for (size_t f = 0; f < N_OF(families); f++)
		for (size_t i = 0; i < N_OF(lengths); i++) {
			say("%d %d: ", families[f], lengths[i]);
			each(type, name_of(families[f], 0), (socklen_t)lengths[i]);
		}
}

static void bind_it(int type, const struct sockaddr *sa, socklen_t len)
{
	int fd = socket_of(type);

	say_result(bind(fd, sa, len));
	close(fd);
}

static void binds_names_of_any_length(void)
{
	for_all(bind_it, SOCK_STREAM);
	for_all(bind_it, SOCK_DGRAM);
}

/* Nobody is there: a name that is one is refused. */
static void connect_it(int type, const struct sockaddr *sa, socklen_t len)
{
	int fd = socket_of(type);

	say_result(connect(fd, name_of(sa->sa_family, 9), len));
	close(fd);
}

static void connects_to_names_of_any_length(void)
{
	for_all(connect_it, SOCK_STREAM);
	for_all(connect_it, SOCK_DGRAM);
}

static void send_to_it(int type, const struct sockaddr *sa, socklen_t len)
{
	int fd = socket_of(type);

	say_result(sendto(fd, "x", 1, 0, name_of(sa->sa_family, 9), len));
	close(fd);
}

static void sends_to_names_of_any_length(void)
{
	for_all(send_to_it, SOCK_DGRAM);
}

/* AddressSanitizer reads the name before the kernel can refuse its length. */
static void send_message_to_it(int type, const struct sockaddr *sa, socklen_t len)
{
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = socket_of(type);

	m.msg_name = (void *)(uintptr_t)name_of(sa->sa_family, 9);
	m.msg_namelen = len;
	if (len <= ROOM)
		say_result(sendmsg(fd, &m, 0));
	else
		say("not tried\n");
	close(fd);
}

static void sends_messages_to_names_of_any_length(void)
{
	for_all(send_message_to_it, SOCK_DGRAM);
}

/* ---- names that are told ---- */

static void say_name(int n, const struct name *name)
{
	say("%s %d", n < 0 ? told(-1) : "0", (int)name->len);
	if (n >= 0 && name->len >= sizeof(sa_family_t))
		say(" %d", name->sa.sa_family);
	say("\n");
}

static void tells_names_into_any_room(void)
{
	int l = listening(), fd[2];
	struct name n;

	connection(fd);
	for (size_t i = 0; i < N_OF(lengths); i++) {
		n = (struct name){ .len = (socklen_t)lengths[i] };
		say("%d: ", lengths[i]);
		say_name(getsockname(fd[0], &n.sa, &n.len), &n);
		n = (struct name){ .len = (socklen_t)lengths[i] };
		say_name(getpeername(fd[0], &n.sa, &n.len), &n);
		n = (struct name){ .len = (socklen_t)lengths[i] };
		close(connected_to(port_of(l)));
		say_name(accept(l, &n.sa, &n.len) < 0 ? -1 : 0, &n);
	}
}

static void tells_senders_into_any_room(void)
{
	int fd[2] = { bound(SOCK_DGRAM), bound(SOCK_DGRAM) };
	struct name n;
	char byte;

	for (size_t i = 0; i < N_OF(lengths); i++) {
		send_to(fd[0], "x", 1, port_of(fd[1]));
		polled(fd[1], POLLIN, POLLIN);
		n = (struct name){ .len = (socklen_t)lengths[i] };
		say("%d: ", lengths[i]);
		say_name((int)recvfrom(fd[1], &byte, 1, MSG_DONTWAIT, &n.sa, &n.len), &n);
	}
	say_result(recv(fd[1], &byte, 1, MSG_DONTWAIT));
}

/* Those of IP may be an octet, and some nothing at all. */
static void sets_options_of_any_length(void)
{
	static const int options[] = {
		IP_TOS,		 IP_TTL,      IP_RECVTTL, IP_RECVTOS,	    IP_PKTINFO,
		IP_MTU_DISCOVER, IP_FREEBIND, IP_RECVERR, IP_MULTICAST_TTL, IP_MULTICAST_LOOP,
		IP_MULTICAST_ALL
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < N_OF(options); i++) {
		for (socklen_t given = 0; given < 6; given++) {
			int v[2] = { 1, 0 }, got = -1;
			socklen_t len = sizeof(got);
			int err = setsockopt(fd, IPPROTO_IP, options[i], v, given);

			getsockopt(fd, IPPROTO_IP, options[i], &got, &len);
			say("%zu of %u: %d, ", i, given, got);
			say_result(err);
		}
	}
}

static const struct program programs[] = {
	BOTH(binds_names_of_any_length),    BOTH(connects_to_names_of_any_length),
	BOTH(sends_to_names_of_any_length), BOTH(sends_messages_to_names_of_any_length),
	BOTH(tells_names_into_any_room),    BOTH(tells_senders_into_any_room),
	ONCE(sets_options_of_any_length),
};
const struct subject of_lengths = SUBJECT(programs);
