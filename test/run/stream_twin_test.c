/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_twin_test.c - connections of a program under tern behave as those on the kernel.
 */
#define _GNU_SOURCE
#include "twin.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static void asks_a_fresh_socket(void)
{
	static const int names[] = { SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int v = -1;
		socklen_t l = sizeof(v);
		int err = getsockopt(fd, SOL_SOCKET, names[i], &v, &l);

		say("%d: %s %d %u\n", names[i], told(err), v, (unsigned)l);
	}
	say("%s\n", told(getpeername(fd, (struct sockaddr *)&a, &len)));
	say("%s\n", told(getsockname(fd, (struct sockaddr *)&a, &len)));
	say("%d %d %u %u\n", a.sin_family, a.sin_port, a.sin_addr.s_addr, len);
	say("%s\n", told(shutdown(fd, SHUT_WR)));
	say("%s\n", told(accept(fd, NULL, NULL)));
	say("%s\n", told(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)));
	say("%s\n", told(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP)));
}

static void cuts_a_long_name(void)
{
	int fd = listening();
	unsigned char bytes[16];
	socklen_t len = 4;

	memset(bytes, 0xee, sizeof(bytes));
	say("%s", told(getsockname(fd, (struct sockaddr *)bytes, &len)));
	say(" %u %02x %02x %02x\n", (unsigned)len, bytes[0], bytes[1], bytes[4]);
	len = (socklen_t)-1;
	say("%s\n", told(getsockname(fd, (struct sockaddr *)bytes, &len)));
	say("%s\n", told(getsockname(fd, NULL, &len)));
	len = 16;
	say("%s\n", told(getsockname(fd, (struct sockaddr *)8, &len)));
	say("%s\n", told(bind(fd, (struct sockaddr *)8, 16)));
	say("%s\n", told(bind(fd, (struct sockaddr *)bytes, 3)));
}

static void names_both_ends(void)
{
	struct sockaddr_in a[2], b[2];
	socklen_t len = sizeof(a[0]);
	int fd[2];

	connection(fd);
	for (int i = 0; i < 2; i++) {
		say("%s\n", told(getsockname(fd[i], (struct sockaddr *)&a[i], &len)));
		say("%s\n", told(getpeername(fd[i], (struct sockaddr *)&b[i], &len)));
	}
	say("%d %d\n", memcmp(&a[0], &b[1], sizeof(a[0])), memcmp(&a[1], &b[0], sizeof(a[0])));
	say("%s\n", inet_ntoa(a[0].sin_addr));
}

static uint16_t closed_port(void)
{
	int fd = bound(SOCK_STREAM);
	uint16_t port = port_of(fd);

	close(fd);
	return port;
}

static void is_refused_and_tries_again(void)
{
	struct sockaddr_in a = loopback_at(closed_port());
	int fd = socket(AF_INET, SOCK_STREAM, 0), l = listening();

	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%d\n", so_error(fd));
	a = loopback_at(port_of(l));
	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%s\n", told(write(fd, "x", 1)));
}

static void is_refused_later(void)
{
	struct sockaddr_in a = loopback_at(closed_port());
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%x\n", polled(fd, POLLIN | POLLOUT | POLLRDHUP, POLLERR));
	say("%d %d\n", so_error(fd), so_error(fd));
}

static void connects_later(void)
{
	int l = listening(), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = loopback_at(port_of(l));
	char byte;

	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%x\n", polled(fd, POLLIN | POLLOUT, POLLOUT));
	say("%d\n", so_error(fd));
	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%s\n", told(connect(fd, (struct sockaddr *)&a, sizeof(a))));
	say("%s\n", told(read(fd, &byte, 1)));
}

static void closes_half(void)
{
	char bytes[16] = { 0 };
	int fd[2];

	connection(fd);
	say("%s\n", told(write(fd[0], "hello", 5)));
	say("%s\n", told(shutdown(fd[0], SHUT_WR)));
	say("%x\n", polled(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLIN | POLLRDHUP));
	say("%s %s\n", told(read(fd[1], bytes, 16)), bytes);
	say("%s\n", told(read(fd[1], bytes, 16)));
	say("%s\n", told(write(fd[1], "back", 4)));
	say("%x\n", polled(fd[0], POLLIN | POLLRDHUP, POLLIN));
	say("%s\n", told(read(fd[0], bytes, 16)));
	signal(SIGPIPE, SIG_IGN);
	say("%s\n", told(write(fd[0], "x", 1)));
	say("%s\n", told(shutdown(fd[1], SHUT_WR)));
	say("%x\n", polled(fd[0], POLLIN | POLLOUT | POLLRDHUP, POLLHUP));
	say("%x\n", polled(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLHUP));
	say("%s\n", told(read(fd[0], bytes, 16)));
}

static void is_reset_by_linger(void)
{
	struct linger lin = { 1, 0 };
	char bytes[16];
	int fd[2];

	connection(fd);
	signal(SIGPIPE, SIG_IGN);
	say("%s\n", told(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin))));
	close(fd[0]);
	say("%x\n", polled(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLERR | POLLHUP));
	say("%s\n", told(read(fd[1], bytes, 16)));
	say("%s\n", told(read(fd[1], bytes, 16)));
	say("%s\n", told(write(fd[1], "x", 1)));
	say("%d\n", so_error(fd[1]));
}

static void is_reset_by_unread(void)
{
	char bytes[16];
	int fd[2];

	connection(fd);
	say("%s\n", told(write(fd[1], "unread", 6)));
	say("%x\n", polled(fd[0], POLLIN, POLLIN));
	close(fd[0]);
	say("%x\n", polled(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLERR | POLLHUP));
	say("%d %d\n", so_error(fd[1]), so_error(fd[1]));
	say("%s\n", told(read(fd[1], bytes, 16)));
}

static void reads_before_the_reset(void)
{
	struct linger lin = { 1, 0 };
	char bytes[16] = { 0 };
	int fd[2];

	connection(fd);
	say("%s\n", told(write(fd[0], "last", 4)));
	say("%x\n", polled(fd[1], POLLIN, POLLIN));
	setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin));
	close(fd[0]);
	polled(fd[1], POLLIN, POLLERR);
	say("%s %s\n", told(read(fd[1], bytes, 16)), bytes);
}

static volatile sig_atomic_t n_pipes;

static void count_pipe(int sig)
{
	(void)sig;
	n_pipes++;
}

static void writes_into_a_closed_one(void)
{
	char bytes[4];
	int fd[2];

	connection(fd);
	signal(SIGPIPE, count_pipe);
	close(fd[0]);
	say("%x\n", polled(fd[1], POLLIN | POLLRDHUP, POLLIN | POLLRDHUP));
	say("%s\n", told(read(fd[1], bytes, 4)));
	say("%s\n", told(write(fd[1], "x", 1)));
	/* an AF_UNIX socket has no error that reads as the end: there is no POLLERR */
	say("%x\n", polled(fd[1], POLLIN | POLLOUT, POLLHUP) & ~POLLERR);
	say("%s", told(write(fd[1], "x", 1)));
	say(" %d\n", (int)n_pipes);
}

static void peeks_and_waits_for_all(void)
{
	char bytes[16] = { 0 };
	int fd[2], n = -1;

	connection(fd);
	say("%s\n", told(write(fd[0], "abcdef", 6)));
	polled(fd[1], POLLIN, POLLIN);
	say("%s %s\n", told(recv(fd[1], bytes, 4, MSG_PEEK)), bytes);
	say("%s %d\n", told(ioctl(fd[1], FIONREAD, &n)), n);
	if (fork() == 0) {
		usleep(20000);
		write(fd[0], "ghij", 4);
		_exit(0);
	}
	say("%s %s\n", told(recv(fd[1], bytes, 10, MSG_WAITALL)), bytes);
	say("%s\n", told(recv(fd[1], bytes, 1, MSG_DONTWAIT)));
	wait(NULL);
}

static void passes_a_socket(void)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd[2], way[2], got;

	connection(fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd[0], sizeof(int));
	say("%s\n", told(sendmsg(way[0], &m, 0)));
	close(fd[0]);
	say("%s\n", told(recvmsg(way[1], &m, 0)));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	say("%d\n", port_of(got) != 0);
	say("%s\n", told(write(got, "hi", 2)));
	say("%s\n", told(read(fd[1], room, 2)));
	close(got);
	say("%s\n", told(read(fd[1], room, 2)));
}

static void is_copied_and_inherited(void)
{
	char bytes[16] = { 0 };
	int fd[2], other;

	connection(fd);
	other = dup2(fd[0], 100);
	close(fd[0]);
	if (fork() == 0) {
		write(other, "child", 5);
		_exit(0);
	}
	wait(NULL);
	say("%s %s\n", told(recv(fd[1], bytes, 5, MSG_WAITALL)), bytes);
	say("%s\n", told(write(other, "parent", 6)));
	say("%s %s\n", told(recv(fd[1], bytes, 6, MSG_WAITALL)), bytes);
	close(other);
	say("%s\n", told(read(fd[1], bytes, 1)));
}

static void outlives_exec(void)
{
	char bytes[32] = { 0 }, text[80];
	int fd[2];

	connection(fd);
	if (fork() == 0) {
		snprintf(text, sizeof(text), "echo from a shell >&%d", fd[0]);
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(1);
	}
	close(fd[0]);
	wait(NULL);
	say("%s %s", told(recv(fd[1], bytes, 31, MSG_WAITALL)), bytes);
}

static void fills_and_drains(void)
{
	static char piece[65536];
	long long sent = 0, got = 0;
	ssize_t n;
	int fd[2];

	connection(fd);
	set_nonblocking(fd[0]);
	while (sent < 100000000 && (n = write(fd[0], piece, sizeof(piece))) > 0)
		sent += n;
	say("%d %s\n", sent > 50000, told(-1));
	say("%x\n", polled(fd[0], POLLIN, 0));
	while (got < sent && (n = read(fd[1], piece, sizeof(piece))) > 0)
		got += n;
	say("%d\n", got == sent);
	say("%x\n", polled(fd[0], POLLOUT, POLLOUT));
}

static void tells_edges(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out;
	char bytes[64];
	int fd[2], ep = epoll_create1(0);

	connection(fd);
	say("%s\n", told(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], &ev)));
	say("%d\n", epoll_wait(ep, &out, 1, 0));
	for (int i = 0; i < 3; i++) {
		say("%s\n", told(write(fd[0], "abc", 3)));
		say("%d", epoll_wait(ep, &out, 1, 5000));
		say(" %x\n", out.events);
		say("%d\n", epoll_wait(ep, &out, 1, 0));
	}
	say("%s\n", told(read(fd[1], bytes, 64)));
}

static void writes_pieces(void)
{
	struct iovec iov[3] = { { (void *)(uintptr_t) "one", 3 },
				{ NULL, 0 },
				{ (void *)(uintptr_t) "two", 3 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	struct sockaddr_in a = loopback_at(9);
	char bytes[32] = { 0 };
	socklen_t len = sizeof(a);
	int fd[2];

	connection(fd);
	say("%s\n", told(writev(fd[0], iov, 3)));
	say("%s\n", told(sendmsg(fd[0], &m, 0)));
	say("%s\n", told(sendto(fd[0], "to", 2, 0, (struct sockaddr *)&a, sizeof(a))));
	m.msg_name = &a;
	m.msg_namelen = sizeof(a);
	say("%s\n", told(sendmsg(fd[0], &m, 0)));
	say("%s %s\n", told(recvfrom(fd[1], bytes, 20, MSG_WAITALL, (struct sockaddr *)&a, &len)),
	    bytes);
	say("%u\n", (unsigned)len);
}

static void sends_a_file(void)
{
	static char bytes[100000], back[100000];
	char path[] = "/tmp/twin.file.XXXXXX";
	int fd[2], file = mkstemp(path), way[2];
	off_t off = 0;

	unlink(path);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 251);
	write(file, bytes, sizeof(bytes));
	connection(fd);
	say("%s\n", told(sendfile(fd[0], file, &off, sizeof(bytes))));
	say("%s\n", told(recv(fd[1], back, sizeof(back), MSG_WAITALL)));
	say("%d\n", memcmp(bytes, back, sizeof(bytes)));
	pipe(way);
	say("%s\n", told(write(fd[0], "spliced", 7)));
	say("%s\n", told(splice(fd[1], NULL, way[1], NULL, 7, 0)));
	say("%s\n", told(read(way[0], back, 7)));
	say("%s\n", told(write(way[1], "there", 5)));
	say("%s\n", told(splice(way[0], NULL, fd[0], NULL, 5, 0)));
	say("%s\n", told(recv(fd[1], back, 5, MSG_WAITALL)));
}

static void shuts_reading(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	say("%s\n", told(shutdown(fd[1], SHUT_RD)));
	say("%x\n", polled(fd[1], POLLIN | POLLRDHUP, POLLIN));
	say("%s\n", told(read(fd[1], bytes, 8)));
	say("%s\n", told(write(fd[1], "still", 5)));
	say("%s\n", told(recv(fd[0], bytes, 5, MSG_WAITALL)));
	say("%s\n", told(shutdown(fd[1], SHUT_RDWR)));
	say("%s\n", told(read(fd[0], bytes, 5)));
	say("%s\n", told(shutdown(fd[0], 7)));
}

static void speaks_ipv6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	socklen_t len = sizeof(a);
	char text[64];
	int l = socket(AF_INET6, SOCK_STREAM, 0), fd, c;

	say("%s\n", told(bind(l, (struct sockaddr *)&a, sizeof(a))));
	say("%s\n", told(listen(l, 4)));
	getsockname(l, (struct sockaddr *)&a, &len);
	say("%u\n", (unsigned)len);
	c = connected_to(ntohs(a.sin6_port));
	fd = accept(l, (struct sockaddr *)&a, &len);
	say("%s %u\n", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)), (unsigned)len);
	say("%s\n", told(write(c, "four", 4)));
	say("%s\n", told(read(fd, text, 4)));
	getsockname(l, (struct sockaddr *)&a, &len);
	a.sin6_addr = in6addr_loopback;
	c = socket(AF_INET6, SOCK_STREAM, 0);
	say("%s\n", told(connect(c, (struct sockaddr *)&a, sizeof(a))));
	fd = accept(l, (struct sockaddr *)&a, &len);
	say("%s %u\n", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)), (unsigned)len);
	getpeername(c, (struct sockaddr *)&a, &len);
	say("%s\n", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)));
}

static void sets_options(void)
{
	static const int names[][2] = {
		{ SOL_SOCKET, SO_REUSEADDR },  { SOL_SOCKET, SO_KEEPALIVE },
		{ SOL_SOCKET, SO_REUSEPORT },  { SOL_SOCKET, SO_OOBINLINE },
		{ IPPROTO_TCP, TCP_NODELAY },  { IPPROTO_TCP, TCP_CORK },
		{ IPPROTO_TCP, TCP_KEEPIDLE }, { IPPROTO_TCP, TCP_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT },  { IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ IPPROTO_IP, IP_TTL },	       { IPPROTO_IP, IP_TOS },
		{ IPPROTO_TCP, 9999 },	       { SOL_SOCKET, 9999 },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval t = { 3, 0 };
	socklen_t len;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int v = 1;

		say("%d/%d %s", names[i][0], names[i][1],
		    told(setsockopt(fd, names[i][0], names[i][1], &v, sizeof(v))));
		len = sizeof(v);
		v = -1;
		say(" %s", told(getsockopt(fd, names[i][0], names[i][1], &v, &len)));
		say(" %d %u\n", v, (unsigned)len);
	}
	say("%s\n", told(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))));
	len = sizeof(t);
	t.tv_sec = 0;
	say("%s %d\n", told(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, &len)), (int)t.tv_sec);
	say("%s\n", told(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4)));
	say("%s\n", told(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &len, 1)));
	say("%s\n", told(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &len, (socklen_t)-1)));
}

static void asks_a_bad_descriptor(void)
{
	int way[2], v;
	socklen_t len = sizeof(v);

	pipe(way);
	say("%s\n", told(listen(way[0], 1)));
	say("%s\n", told(listen(77, 1)));
	say("%s\n", told(getsockopt(-1, SOL_SOCKET, SO_ERROR, &v, &len)));
	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	say("%s\n", told(getsockopt(way[0], SOL_SOCKET, SO_DOMAIN, &v, &len)));
	say("%d\n", v);
	say("%s\n", told(sendto(way[0], "x", 1, 0, NULL, 0)));
}

#define STREAM_TWINS(X)                                                                            \
	X(asks_a_fresh_socket)                                                                     \
	X(cuts_a_long_name)                                                                        \
	X(names_both_ends)                                                                         \
	X(is_refused_and_tries_again)                                                              \
	X(is_refused_later)                                                                        \
	X(connects_later)                                                                          \
	X(closes_half)                                                                             \
	X(is_reset_by_linger)                                                                      \
	X(is_reset_by_unread)                                                                      \
	X(reads_before_the_reset)                                                                  \
	X(writes_into_a_closed_one)                                                                \
	X(peeks_and_waits_for_all)                                                                 \
	X(passes_a_socket)                                                                         \
	X(is_copied_and_inherited)                                                                 \
	X(outlives_exec)                                                                           \
	X(fills_and_drains)                                                                        \
	X(tells_edges)                                                                             \
	X(writes_pieces)                                                                           \
	X(sends_a_file)                                                                            \
	X(shuts_reading)                                                                           \
	X(speaks_ipv6)                                                                             \
	X(sets_options)                                                                            \
	X(asks_a_bad_descriptor)

TWIN_MAIN(STREAM_TWINS)
