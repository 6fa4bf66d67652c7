/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests.c - twins: ioctl, fcntl, and further numbers for a socket.
 */
#include "twin.h"

#include <linux/sockios.h>
#include <sys/stat.h>

static void tells_what_is_unread(void)
{
	int fd[2], n = -1;
	char bytes[4];

	connection(fd);
	say_result(ioctl(fd[1], FIONREAD, &n));
	say("%d\n", n);
	send(fd[0], "abcdef", 6, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(ioctl(fd[1], FIONREAD, &n));
	say("%d\n", n);
	say_result(read(fd[1], bytes, 4));
	say_result(ioctl(fd[1], FIONREAD, &n));
	say("%d\n", n);
	say_result(ioctl(listening(), FIONREAD, &n));
	say_result(ioctl(socket_of(SOCK_STREAM), FIONREAD, &n));
}

static void tells_what_is_unsent(void)
{
	int fd[2], n = -1;

	connection(fd);
	say_result(ioctl(fd[0], SIOCOUTQ, &n));
	say("%d\n", n);
	send(fd[0], "abc", 3, 0);
	for (int i = 0; i < 3000 && ioctl(fd[0], SIOCOUTQ, &n) == 0 && n; i++)
		usleep(1000);
	say("%d\n", n);
	say_result(ioctl(listening(), SIOCOUTQ, &n));
}

static void blocks_no_more_by_ioctl(void)
{
	int fd[2], on = 1, off = 0;
	char byte;

	connection(fd);
	say_result(ioctl(fd[1], FIONBIO, &on));
	say("%#x\n", fcntl(fd[1], F_GETFL) & O_NONBLOCK);
	say_result(read(fd[1], &byte, 1));
	say_result(ioctl(fd[1], FIONBIO, &off));
	say("%#x\n", fcntl(fd[1], F_GETFL) & O_NONBLOCK);
}

static void makes_requests_that_nobody_knows(void)
{
	int fd = socket_of(SOCK_STREAM), v = 0;

	say_result(ioctl(fd, 0x12345678, &v));
	say_result(ioctl(fd, TIOCGWINSZ, &v));
	say_result(fcntl(fd, 9999, 0));
	say_result(ioctl(fd, FIOCLEX));
	say("%d\n", fcntl(fd, F_GETFD));
	say_result(ioctl(fd, FIONCLEX));
	say("%d\n", fcntl(fd, F_GETFD));
}

static void has_flags(void)
{
	int fd = socket_of(SOCK_STREAM);

	say("%#x\n", fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	say("%d\n", fcntl(fd, F_GETFD));
	say_result(fcntl(fd, F_SETFL, O_NONBLOCK));
	say("%#x\n", fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	say_result(fcntl(fd, F_SETFL, 0));
	say("%#x\n", fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	say_result(fcntl(fd, F_SETFD, FD_CLOEXEC));
	say("%d\n", fcntl(fd, F_GETFD));
	fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
	say("%#x %d\n", fcntl(fd, F_GETFL) & O_NONBLOCK, fcntl(fd, F_GETFD));
}

static void shares_flags_with_a_copy(void)
{
	int fd = socket_of(SOCK_STREAM), copy = dup(fd);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	say("%#x\n", fcntl(copy, F_GETFL) & O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	say("%d %d\n", fcntl(fd, F_GETFD), fcntl(copy, F_GETFD));
}

static void copies_numbers(void)
{
	int fd[2], copy, at;
	char byte;

	connection(fd);
	copy = dup(fd[0]);
	close(fd[0]);
	say_result(send(copy, "x", 1, 0));
	say_result(recv(fd[1], &byte, 1, 0));
	at = fcntl(copy, F_DUPFD_CLOEXEC, 40);
	say("%d %d\n", at >= 40, fcntl(at, F_GETFD));
	say("%d\n", dup2(copy, 50));
	say("%d\n", dup3(copy, 51, O_CLOEXEC));
	say("%d %d\n", fcntl(50, F_GETFD), fcntl(51, F_GETFD));
	say_result(dup3(copy, copy, 0));
	say("%d\n", dup2(copy, copy) == copy);
	say_result(dup3(copy, 52, 0x777));
	say_result(dup2(copy, -1));
	close(copy);
	close(at);
	close(51);
	say_result(recv(fd[1], &byte, 1, MSG_DONTWAIT));
	say("%d\n", dup2(0, 50)); /* ends it */
	say_result(recv(fd[1], &byte, 1, 0));
}

static void copies_to_bad_numbers(void)
{
	static const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC };
	int fd = socket_of(SOCK_STREAM), set = epoll_create1(0);

	for (int i = 0; i < 2; i++) {
		say_result(fcntl(fd, commands[i], -1));
		say_result(fcntl(fd, commands[i], INT32_MIN));
		say_result(fcntl(fd, commands[i], INT32_MAX));
		say_result(fcntl(set, commands[i], -1));
	}
	say_result(dup2(fd, INT32_MIN));
	say_result(dup3(fd, -1, 0));
	say_result(fcntl(fd, 0x7777));
	close(fd);
	for (int i = 0; i < 2; i++) {
		say_result(fcntl(fd, commands[i], 0));
		say_result(fcntl(fd, commands[i], -1));
	}
	say_result(fcntl(fd, F_GETFL));
	say_result(fcntl(fd, F_SETFL, O_NONBLOCK));
	say_result(fcntl(fd, F_GETFD));
	say_result(dup(fd));
	say_result(dup2(fd, 50));
}

static void ends_what_it_replaces(void)
{
	int a[2], b[2];
	char byte;

	connection(a);
	connection(b);
	say("%d\n", dup2(a[0], b[0]) == b[0]);
	say_result(read(b[1], &byte, 1));
	say_result(send(b[0], "x", 1, 0));
	say_result(read(a[1], &byte, 1));
}

static void is_a_socket_file(void)
{
	struct stat st;
	int fd = socket_of(SOCK_STREAM);

	say_result(fstat(fd, &st));
	say("%d\n", S_ISSOCK(st.st_mode));
	say_result(lseek(fd, 0, SEEK_CUR));
	say_result(isatty(fd));
	say_result(ftruncate(fd, 0));
}

/* What was sent before an option is set goes as it was to go then, however late it goes. */
static void sends_by_what_was_set_then(void)
{
	enum { SEGMENT = 103, N = 8, LEN = 20000 }; /* UDP_SEGMENT, which shows in lengths */
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), room = 1 << 20;
	struct name to = loopback_at(port_of(b));
	static char bytes[LEN];

	setsockopt(b, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	say_result(connect(a, &to.sa, to.len));
	for (int turn = 0; turn < 20; turn++) {
		set_int(a, IPPROTO_UDP, SEGMENT, 0);
		for (int i = 0; i < N; i++)
			send(a, bytes, LEN, 0);
		set_int(a, IPPROTO_UDP, SEGMENT, 9000);
		send(a, bytes, LEN, 0);
		for (int i = 0; i < N + 3; i++) {
			polled(b, POLLIN, POLLIN);
			say_result(recv(b, bytes, LEN, MSG_DONTWAIT));
		}
	}
}

/* Up to the mark, at the mark, behind it; and the octet that stays there resets a close. */
static void counts_to_the_urgent_mark(void)
{
	int fd[2], n = -1;
	char bytes[8];

	connection(fd);
	send(fd[0], "abc", 3, MSG_OOB);
	send(fd[0], "de", 2, 0);
	say("%#x\n", polled(fd[1], POLLIN | POLLPRI, POLLIN | POLLPRI));
	a_moment();
	for (int i = 0; i < 3; i++) {
		say_result(ioctl(fd[1], FIONREAD, &n));
		say("%d\n", n);
		say_result(recv(fd[1], bytes, sizeof(bytes), MSG_DONTWAIT));
	}
	send(fd[0], "f", 1, MSG_OOB);
	polled(fd[1], POLLPRI, POLLPRI);
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	close(fd[1]);
	say("%#x\n", polled(fd[0], POLLIN, POLLERR));
	say("%d\n", so_error(fd[0]));
}

static void reads_over_a_lone_urgent_octet(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	send(fd[0], "x", 1, MSG_OOB);
	say("%#x\n", polled(fd[1], POLLPRI, POLLPRI));
	say_result(recv(fd[1], bytes, sizeof(bytes), MSG_DONTWAIT));
	say_result(recv(fd[1], bytes, 1, MSG_OOB));
	say("%#x\n", polled_now(fd[1], POLLIN | POLLPRI));
	close(fd[1]);
	say("%#x\n", polled(fd[0], POLLIN, POLLIN));
	say("%d\n", so_error(fd[0]));
}

static void is_a_stream_of_the_c_library(void)
{
	char line[20] = "";
	FILE *a, *b;
	int fd[2];

	connection(fd);
	say("%d\n", fdopen(fd[0], "x") == NULL);
	a = fdopen(fd[0], "r+");
	b = fdopen(fd[1], "r+");
	say_result(fprintf(a, "hello %d\nmore\n", 5));
	say_result(fflush(a));
	say("%s", fgets(line, sizeof(line), b));
	say_result(fseek(b, 0, SEEK_SET));
	say("%s", fgets(line, sizeof(line), b));
	say_result(fprintf(b, "back\n"));
	say_result(fflush(b));
	say("%s", fgets(line, sizeof(line), a));
	say_result(dprintf(fd[1], "number %d\n", 7));
	say("%s", fgets(line, sizeof(line), a));
	say_result(fclose(b));
	say_result(write(fd[1], "x", 1));
	say("%d %d %d\n", fgetc(a), feof(a), ferror(a));
	say_result(fclose(a)); /* a dprintf to it would leak, in glibc */
}

static void tells_what_was_not_sent_yet(void)
{
	int fd[2], n = -1, queued = -1;

	connection(fd);
	say_result(ioctl(fd[0], SIOCOUTQNSD, &n));
	say("%d\n", n);
	fill_up(fd[0]);
	say_result(ioctl(fd[0], SIOCOUTQ, &queued)); /* first: both become less, if anything */
	say_result(ioctl(fd[0], SIOCOUTQNSD, &n));
	say("%d %d\n", n > 0, queued >= n);
	say_result(ioctl(fd[0], SIOCOUTQNSD, NULL));
	say_result(ioctl(listening(), SIOCOUTQNSD, &n));
	say_result(ioctl(bound(SOCK_DGRAM), SIOCOUTQNSD, &n));
	say_result(ioctl(socket_of(SOCK_STREAM), SIOCOUTQNSD, &n));
	say("%d\n", n);
}

static void asks_when_one_came(void)
{
	struct timeval at = { 0 };
	int fd[2];
	char byte;

	friends(fd);
	say_result(ioctl(fd[1], SIOCGSTAMP, &at));
	send(fd[0], "x", 1, 0);
	say_result(recv(fd[1], &byte, 1, 0));
	say_result(ioctl(fd[1], SIOCGSTAMP, &at));
	say("%d\n", at.tv_sec > 0);
}

static void asks_who_the_peer_is(void)
{
	struct ucred peer = { 1, 1, 1 };
	socklen_t len = sizeof(peer);
	int fd[2];

	connection(fd);
	say_result(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &peer, &len));
	say("%d %d %d %u\n", (int)peer.pid, (int)peer.uid, (int)peer.gid, (unsigned)len);
	len = 6;
	say_result(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &peer, &len));
	say("%u\n", (unsigned)len);
	say_result(setsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &peer, sizeof(peer)));
}

static const struct program programs[] = {
	ONCE(reads_over_a_lone_urgent_octet),
	ONCE(counts_to_the_urgent_mark),
	ONCE(tells_what_is_unread),
	ONCE(tells_what_is_unsent),
	ONCE(tells_what_was_not_sent_yet),
	ONCE(asks_when_one_came),
	ONCE(asks_who_the_peer_is),
	ONCE(blocks_no_more_by_ioctl),
	ONCE(makes_requests_that_nobody_knows),
	BOTH(has_flags),
	ONCE(shares_flags_with_a_copy),
	BOTH(copies_numbers),
	ONCE(copies_to_bad_numbers),
	ONCE(ends_what_it_replaces),
	ONCE(is_a_socket_file),
	ONCE(is_a_stream_of_the_c_library),
	BOTH(sends_by_what_was_set_then),
};
const struct subject of_requests = SUBJECT(programs);
