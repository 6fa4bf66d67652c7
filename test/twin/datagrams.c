/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagrams.c - twins: datagram sockets.
 */
#include "twin.h"

#include <netinet/udp.h>

static void keeps_boundaries(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	char bytes[64];

	say_result(send_to(a, "one", 3, port_of(b)));
	say_result(send_to(a, "three", 5, port_of(b)));
	for (int i = 0; i < 2; i++) {
		struct name from = { .len = sizeof(from.all) };

		say_result(recvfrom(b, bytes, 64, 0, &from.sa, &from.len));
		say("%d %u\n", port_in(&from) == port_of(a), (unsigned)from.len);
	}
	say_result(recv(b, bytes, 64, MSG_DONTWAIT));
}

static void sends_an_empty_one(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), n = -1;
	struct name from = { .len = sizeof(from.all) };
	char bytes[64];

	say_result(send_to(a, "", 0, port_of(b)));
	say("%#x\n", polled(b, POLLIN, POLLIN));
	say_result(ioctl(b, FIONREAD, &n));
	say("%d\n", n);
	say_result(recvfrom(b, bytes, 64, 0, &from.sa, &from.len));
	say("%d\n", port_in(&from) == port_of(a));
	say_result(recv(b, bytes, 64, MSG_DONTWAIT));
}

static void writes_an_empty_one(void)
{
	char bytes[64];
	int fd[2];

	friends(fd);
	say_result(send(fd[0], "", 0, 0));
	say_result(write(fd[0], "", 0));
	say_result(send(fd[0], "x", 1, 0));
	for (int i = 0; i < 3; i++)
		say_result(recv(fd[1], bytes, 64, 0));
}

static void cuts_what_is_too_long(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct name from = { .len = sizeof(from.all) };
	char bytes[64] = { 0 };
	struct iovec iov = { bytes, 2 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (int i = 0; i < 4; i++)
		send_to(a, "abcdef", 6, port_of(b));
	say_result(recv(b, bytes, 3, 0));
	say_result(recv(b, bytes, 3, MSG_TRUNC));
	say_result(recvfrom(b, bytes, 3, MSG_TRUNC, &from.sa, &from.len));
	m.msg_name = &from.all;
	m.msg_namelen = sizeof(from.all);
	say_result(recvmsg(b, &m, 0));
	say("%x %u %.2s\n", m.msg_flags, m.msg_namelen, bytes);
}

static void peeks_at_a_datagram(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct name from = { .len = sizeof(from.all) };
	char bytes[64];

	send_to(a, "abc", 3, port_of(b));
	say_result(recvfrom(b, bytes, 64, MSG_PEEK, &from.sa, &from.len));
	say("%d\n", port_in(&from) == port_of(a));
	say_result(recv(b, bytes, 2, MSG_PEEK | MSG_TRUNC));
	from.in.sin_port = 0;
	say_result(recvfrom(b, bytes, 64, 0, &from.sa, &from.len));
	say("%d\n", port_in(&from) == port_of(a));
	say_result(recv(b, bytes, 64, MSG_PEEK | MSG_DONTWAIT));
}

static void mixes_ways_of_reading(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	struct name from;
	char bytes[64];

	for (int i = 0; i < 6; i++)
		send_to(i % 2 ? a : c, "abcdefgh", (size_t)i + 1, port_of(b));
	for (int i = 0; i < 3; i++) {
		say_result(read(b, bytes, 64));
		from.len = sizeof(from.all);
		say_result(recvfrom(b, bytes, 64, 0, &from.sa, &from.len));
		say("%d\n", port_in(&from) == port_of(a));
	}
}

static void tells_the_next_ones_size(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), n = -1;
	char bytes[64];

	say_result(ioctl(b, FIONREAD, &n));
	say("%d\n", n);
	send_to(a, "abcde", 5, port_of(b));
	send_to(a, "abc", 3, port_of(b));
	polled(b, POLLIN, POLLIN);
	say_result(ioctl(b, FIONREAD, &n));
	say("%d\n", n);
	say_result(recv(b, bytes, 64, 0));
	polled(b, POLLIN, POLLIN);
	say_result(ioctl(b, FIONREAD, &n));
	say("%d\n", n);
}

static void speaks_to_one_peer(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	struct name to = { .len = sizeof(to.all) };
	char bytes[64];

	say_result(getpeername(a, &to.sa, &to.len));
	say_result(connect_to(a, port_of(b)));
	say_result(getpeername(a, &to.sa, &to.len));
	say("%d\n", port_in(&to) == port_of(b));
	say_result(write(a, "plain", 5));
	say_result(send_to(a, "named", 5, port_of(c)));
	say_result(read(b, bytes, 64));
	say_result(read(c, bytes, 64));
	send_to(c, "stranger", 8, port_of(a));
	send_to(b, "friend", 6, port_of(a));
	say_result(read(a, bytes, 64));
}

static void leaves_its_peer(void)
{
	struct name none = { .sa.sa_family = AF_UNSPEC }, to = { .len = sizeof(to.all) };
	int fd[2];

	friends(fd);
	say_result(connect(fd[0], &none.sa, sizeof(none.sa)));
	say_result(getpeername(fd[0], &to.sa, &to.len));
	say_result(send(fd[0], "x", 1, 0));
	say_result(connect_to(fd[0], port_of(fd[1])));
	say_result(send(fd[0], "x", 1, 0));
}

static void changes_its_peer(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	char bytes[8];

	say_result(connect_to(a, port_of(b)));
	say_result(connect_to(a, port_of(c)));
	say_result(send(a, "x", 1, 0));
	say_result(recv(c, bytes, 8, 0));
	say_result(recv(b, bytes, 8, MSG_DONTWAIT));
}

static void keeps_what_came_before_it_connected(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), c = bound(SOCK_DGRAM);
	char bytes[8];

	send_to(c, "before", 6, port_of(a));
	polled(a, POLLIN, POLLIN);
	say_result(connect_to(a, port_of(b)));
	say_result(recv(a, bytes, 8, MSG_DONTWAIT));
}

static void needs_a_receiver(void)
{
	int a = socket_of(SOCK_DGRAM);
	struct name n = loopback_at(9);

	say_result(send(a, "x", 1, 0));
	say_result(write(a, "x", 1));
	say_result(sendto(a, "x", 1, 0, &n.sa, 5));
	say_result(sendto(a, "x", 1, 0, &n.sa, 0));
	n.sa.sa_family = AF_UNIX;
	say_result(sendto(a, "x", 1, 0, &n.sa, n.len));
	n = loopback_at(0);
	say_result(sendto(a, "x", 1, 0, &n.sa, n.len));
}

static void sends_what_is_too_long(void)
{
	static char bytes[70000], back[70000];
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);

	memset(bytes, 'x', sizeof(bytes));
	say_result(send_to(a, bytes, 60000, port_of(b)));
	say_result(recv(b, back, sizeof(back), 0));
	say("%d\n", memcmp(bytes, back, 60000));
	say_result(send_to(a, bytes, 65480, port_of(b)));
	say_result(recv(b, back, sizeof(back), 0));
	say_result(send_to(a, bytes, 65536, port_of(b)));
	say_result(send_to(a, bytes, 70000, port_of(b)));
}

static void sends_more_than_a_packet(void)
{
	static char bytes[65507];
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	ssize_t n = send_to(a, bytes, sizeof(bytes), port_of(b)); /* in fragments, of IPv6 */

	say_result(n);
	if (n > 0)
		say_result(recv(b, bytes, sizeof(bytes), 0));
}

static void is_ready_when_one_comes(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out;
	char bytes[8];

	say("%x\n", polled(b, POLLIN | POLLOUT, POLLOUT));
	say_result(epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev));
	for (int i = 0; i < 3; i++) {
		send_to(a, "x", 1, port_of(b));
		say("%d\n", epoll_wait(ep, &out, 1, 5000));
		say_result(read(b, bytes, 8));
		say("%d\n", epoll_wait(ep, &out, 1, 0));
	}
}

static void moves_many_at_once(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct name to = loopback_at(port_of(b)), from[4];
	struct mmsghdr m[4] = { 0 };
	char bytes[4][16];
	struct iovec iov[4];

	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ bytes[i], (size_t)i + 1 };
		memset(bytes[i], 'a' + i, 16);
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name = &to.sa;
		m[i].msg_hdr.msg_namelen = to.len;
	}
	say_result(sendmmsg(a, m, 4, 0));
	for (int i = 0; i < 4; i++) {
		say("%u\n", m[i].msg_len);
		iov[i].iov_len = 16;
		m[i].msg_hdr.msg_name = &from[i].all;
		m[i].msg_hdr.msg_namelen = sizeof(from[i].all);
	}
	say_result(recvmmsg(b, m, 4, MSG_WAITFORONE, NULL));
	for (int i = 0; i < 4; i++) {
		from[i].len = m[i].msg_hdr.msg_namelen;
		say("%u %c %d\n", m[i].msg_len, bytes[i][0], port_in(&from[i]) == port_of(a));
	}
}

/* n messages of one byte each, in place. */
static struct mmsghdr *small_messages(int n)
{
	static struct mmsghdr m[8];
	static struct iovec iov[8];
	static char bytes[8];

	memset(m, 0, sizeof(m));
	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ bytes + i, 1 };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	return m;
}

static void takes_what_there_is(void)
{
	int fd[2];

	friends(fd);
	say_result(recvmmsg(fd[1], small_messages(4), 4, MSG_DONTWAIT, NULL));
	say_result(sendmmsg(fd[0], small_messages(2), 2, 0));
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvmmsg(fd[1], small_messages(4), 4, MSG_DONTWAIT, NULL));
	say_result(sendmmsg(fd[0], small_messages(3), 3, 0));
	say_result(recvmmsg(fd[1], small_messages(2), 2, 0, NULL));
	say_result(recvmmsg(fd[1], small_messages(4), 4, MSG_WAITFORONE, NULL));
	say_result(recvmmsg(fd[1], small_messages(0), 0, 0, NULL));
	say_result(sendmmsg(fd[0], small_messages(0), 0, 0));
}

static void sends_until_one_fails(void)
{
	static char large[70000];
	struct mmsghdr *m = small_messages(4);
	int fd[2];

	friends(fd);
	m[2].msg_hdr.msg_iov->iov_base = large;
	m[2].msg_hdr.msg_iov->iov_len = sizeof(large);
	say_result(sendmmsg(fd[0], m, 4, 0));
	say_result(sendmmsg(fd[0], m + 2, 2, 0));
	say_result(sendmmsg(-1, m, 1, 0));
}

static void receives_many_until_a_time(void)
{
	struct timespec t = { 0, 30000000 };
	int fd[2];

	friends(fd);
	sendmmsg(fd[0], small_messages(2), 2, 0);
	set_timeout(fd[1], SO_RCVTIMEO, 30);
	say_result(recvmmsg(fd[1], small_messages(8), 8, 0, &t));
	t.tv_nsec = -1;
	say_result(recvmmsg(fd[1], small_messages(8), 8, 0, &t));
	t.tv_nsec = 1000000000;
	say_result(recvmmsg(fd[1], small_messages(8), 8, 0, &t));
}

static void waits_for_one_with_a_limit(void)
{
	int a = bound(SOCK_DGRAM);
	struct name from = { .len = sizeof(from.all) };
	char bytes[8];

	set_timeout(a, SO_RCVTIMEO, 30);
	say_result(recv(a, bytes, 8, 0));
	say_result(recvfrom(a, bytes, 8, 0, &from.sa, &from.len));
}

static void binds_the_port_again(void)
{
	int a = bound(SOCK_DGRAM), b = socket_of(SOCK_DGRAM);
	struct name at = loopback_at(port_of(a));

	say_result(bind(b, &at.sa, at.len));
	say_result(bind(a, &at.sa, at.len));
	close(a);
	for (int i = 0; i < 5000 && bind(b, &at.sa, at.len) != 0; i++)
		usleep(1000);
	say("%d\n", port_of(b) == port_in(&at));
}

static void shares_a_port(void)
{
	int a = socket_of(SOCK_DGRAM), b = socket_of(SOCK_DGRAM), c = socket_of(SOCK_DGRAM);
	struct name n = loopback_at(0);

	set_int(a, SOL_SOCKET, SO_REUSEPORT, 1);
	set_int(b, SOL_SOCKET, SO_REUSEPORT, 1);
	say_result(bind(a, &n.sa, n.len));
	n = loopback_at(port_of(a));
	say_result(bind(b, &n.sa, n.len));
	say_result(bind(c, &n.sa, n.len));
	set_int(c, SOL_SOCKET, SO_REUSEADDR, 1);
	say_result(bind(c, &n.sa, n.len));
}

static void reuses_the_address_of_datagrams(void)
{
	int a = socket_of(SOCK_DGRAM), b = socket_of(SOCK_DGRAM);
	struct name n = loopback_at(0);
	char bytes[8];

	set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	say_result(bind(a, &n.sa, n.len));
	n = loopback_at(port_of(a));
	say_result(bind(b, &n.sa, n.len));
	say_result(send_to(bound(SOCK_DGRAM), "x", 1, port_of(a)));
	polled(b, POLLIN, POLLIN);
	say_result(recv(b, bytes, 8, MSG_DONTWAIT)); /* the last that bound */
	say_result(recv(a, bytes, 8, MSG_DONTWAIT));
}

static void gets_a_name_when_it_sends(void)
{
	int a = socket_of(SOCK_DGRAM), b = bound(SOCK_DGRAM);
	struct name n = { .len = sizeof(n.all) };
	char bytes[8], text[64];

	say("%d\n", port_of(a));
	say_result(send_to(a, "x", 1, port_of(b)));
	say("%d\n", port_of(a) != 0);
	say_result(getsockname(a, &n.sa, &n.len));
	say("%s\n", inet_ntop(n.sa.sa_family,
			      family == AF_INET ? (void *)&n.in.sin_addr : (void *)&n.in6.sin6_addr,
			      text, sizeof(text)));
	recv(b, bytes, 8, 0);
	say_result(connect_to(a, port_of(b)));
	getsockname(a, &n.sa, &n.len);
	say("%s\n", inet_ntop(n.sa.sa_family,
			      family == AF_INET ? (void *)&n.in.sin_addr : (void *)&n.in6.sin6_addr,
			      text, sizeof(text)));
}

static void sends_to_itself(void)
{
	int a = bound(SOCK_DGRAM);
	struct name from = { .len = sizeof(from.all) };
	char bytes[8];

	say_result(send_to(a, "me", 2, port_of(a)));
	say_result(recvfrom(a, bytes, 8, 0, &from.sa, &from.len));
	say("%d\n", port_in(&from) == port_of(a));
}

static void shuts_a_datagram_socket(void)
{
	char byte;
	int fd[2];

	friends(fd);
	say_result(shutdown(bound(SOCK_DGRAM), SHUT_WR));
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(send(fd[0], "x", 1, MSG_NOSIGNAL));
	say_result(send(fd[1], "x", 1, 0));
	say_result(recv(fd[0], &byte, 1, 0));
	say_result(shutdown(fd[0], SHUT_RD));
	say_result(recv(fd[0], &byte, 1, 0));
	say("%#x\n", polled_now(fd[0], POLLIN | POLLOUT | POLLRDHUP));
}

static void *shut_it(void *fd)
{
	return shutdown(*(int *)fd, SHUT_RDWR) == 0 || errno != ENOTCONN ? fd : NULL;
}

/* It has no peer, and shutdown says so; who waits for a datagram is woken. */
static void is_woken_by_shutdown(void)
{
	int fd = bound(SOCK_DGRAM);
	pthread_t other = later(shut_it, &fd);
	char bytes[8];
	void *other_answer;

	say_result(recv(fd, bytes, 8, 0));
	pthread_join(other, &other_answer);
	say("%d\n", other_answer != NULL);
	say("%#x\n", polled_now(fd, POLLIN | POLLOUT | POLLRDHUP));
	say_result(recv(fd, bytes, 8, 0));
}

static void sends_a_datagram_in_pieces(void)
{
	char one[] = "one", two[] = "two", bytes[32] = "";
	struct iovec iov[3] = { { one, 3 }, { NULL, 0 }, { two, 3 } };
	struct iovec wraps[2] = { { one, 1 }, { two, SIZE_MAX } };
	static struct iovec many[1025];
	struct msghdr m = { .msg_iov = many, .msg_iovlen = 1025 };
	int fd[2];

	friends(fd);
	say_result(writev(fd[0], wraps, 2));
	say_result(readv(fd[0], wraps, 2));
	say_result(sendmsg(fd[0], &m, 0));
	say_result(writev(fd[0], iov, 3));
	say_result(recv(fd[1], bytes, 32, 0));
	say("%s\n", bytes);
	say_result(send(fd[0], "ab", 2, MSG_MORE));
	say_result(recv(fd[1], bytes, 32, MSG_DONTWAIT));
	say_result(send(fd[0], "cd", 2, 0));
	say_result(recv(fd[1], bytes, 32, 0));
}

static void adds_to_where_it_began(void)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = bound(SOCK_DGRAM), other = bound(SOCK_DGRAM);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) },
				  .sin_port = htons(port_of(b)) };
	char bytes[32];

	say_result(send(a, "x", 1, MSG_MORE)); /* to whom? */
	say_result(sendto(a, "ab", 2, MSG_MORE, (struct sockaddr *)&to, sizeof(to)));
	to.sin_port = htons(port_of(other));
	say_result(sendto(a, "cd", 2, MSG_MORE, (struct sockaddr *)&to, sizeof(to)));
	say_result(send(a, "e", 1, 0));
	say_result(recv(b, bytes, 32, 0));
	say_result(recv(other, bytes, 32, MSG_DONTWAIT));
	say_result(sendto(a, "gh", 2, MSG_MORE, (struct sockaddr *)&to, sizeof(to)));
	close(a); /* what is held back goes with it */
	say_result(recv(other, bytes, 32, MSG_DONTWAIT));
}

static void corks_a_datagram(void)
{
	char bytes[32];
	int fd[2];

	friends(fd);
	say_result(set_int(fd[0], IPPROTO_UDP, UDP_CORK, 1));
	say("%d\n", get_int(fd[0], IPPROTO_UDP, UDP_CORK));
	say_result(send(fd[0], "ab", 2, 0));
	say_result(send(fd[0], "cd", 2, 0));
	say_result(recv(fd[1], bytes, 32, MSG_DONTWAIT));
	say_result(set_int(fd[0], IPPROTO_UDP, UDP_CORK, 0));
	say_result(recv(fd[1], bytes, 32, 0));
	say_result(send(fd[0], "e", 1, 0));
	say_result(recv(fd[1], bytes, 32, 0));
}

static void hears_from_both_families(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, from;
	socklen_t len = sizeof(from);
	int six = socket(AF_INET6, SOCK_DGRAM, 0), four = bound(SOCK_DGRAM);
	char bytes[8], text[64];

	say_result(bind(six, (struct sockaddr *)&any, sizeof(any)));
	say_result(send_to(four, "x", 1, port_of(six)));
	say_result(recvfrom(six, bytes, 8, 0, (struct sockaddr *)&from, &len));
	say("%s\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)));
	say_result(sendto(six, "ab", 2, 0, (struct sockaddr *)&from, len));
	say_result(recv(four, bytes, 8, 0));
}

static void drops_what_has_no_room(void)
{
	static char bytes[1000];
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), n = 0;

	set_int(b, SOL_SOCKET, SO_RCVBUF, 1);
	for (int i = 0; i < 200; i++)
		if (send_to(a, bytes, sizeof(bytes), port_of(b)) != sizeof(bytes))
			say("send\n");
	polled(b, POLLIN, POLLIN);
	while (recv(b, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		n++;
	say("%d\n", n > 0 && n < 200);
}

static void listens_not(void)
{
	int a = bound(SOCK_DGRAM);

	say_result(listen(a, 1));
	say_result(accept(a, NULL, NULL));
	say("%d\n", get_int(a, SOL_SOCKET, SO_ACCEPTCONN));
	say_result(send(a, "x", 1, MSG_OOB));
}

static const struct program programs[] = {
	BOTH(keeps_boundaries),
	BOTH(sends_an_empty_one),
	ONCE(writes_an_empty_one),
	BOTH(cuts_what_is_too_long),
	BOTH(peeks_at_a_datagram),
	ONCE(mixes_ways_of_reading),
	ONCE(tells_the_next_ones_size),
	BOTH(speaks_to_one_peer),
	BOTH(leaves_its_peer),
	ONCE(changes_its_peer),
	ONCE(keeps_what_came_before_it_connected),
	BOTH(needs_a_receiver),
	BOTH(sends_what_is_too_long),
	BOTH(sends_more_than_a_packet),
	ONCE(is_ready_when_one_comes),
	BOTH(moves_many_at_once),
	ONCE(takes_what_there_is),
	ONCE(sends_until_one_fails),
	ONCE(receives_many_until_a_time),
	ONCE(waits_for_one_with_a_limit),
	ONCE(binds_the_port_again),
	BOTH(shares_a_port),
	ONCE(reuses_the_address_of_datagrams),
	BOTH(gets_a_name_when_it_sends),
	BOTH(sends_to_itself),
	ONCE(shuts_a_datagram_socket),
	BOTH(is_woken_by_shutdown),
	BOTH(sends_a_datagram_in_pieces),
	BOTH(corks_a_datagram),
	ONCE(adds_to_where_it_began),
	ONCE(hears_from_both_families),
	ONCE(drops_what_has_no_room),
	ONCE(listens_not),
};
const struct subject of_datagrams = SUBJECT(programs);
