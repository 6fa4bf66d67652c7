/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.c - twins: connections that move bytes.
 */
#include "twin.h"

#include <sys/sendfile.h>

static void talks_and_closes(void)
{
	char text[64];
	int fd[2];

	connection(fd);
	say_result(write(fd[0], "question", 8));
	say_result(read(fd[1], text, sizeof(text)));
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(read(fd[1], text, sizeof(text)));
	say("%#x\n", polled(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLRDHUP));
	say_result(write(fd[1], "answer", 6));
	say_result(read(fd[0], text, sizeof(text)));
	say_result(close(fd[1]));
	say_result(read(fd[0], text, sizeof(text)));
	say("%#x\n", polled(fd[0], POLLIN | POLLOUT | POLLRDHUP, POLLHUP));
	say_result(send(fd[0], "x", 1, MSG_NOSIGNAL));
}

static void sends_nothing(void)
{
	char byte = 'a';
	int fd[2];

	connection(fd);
	say_result(send(fd[0], "", 0, 0));
	say_result(write(fd[0], "", 0));
	say_result(write(fd[0], NULL, 0));
	say_result(recv(fd[1], &byte, 1, MSG_DONTWAIT));
	say_result(send(fd[0], "x", 1, 0));
	say("%#x\n", polled(fd[1], POLLIN, POLLIN));
	say_result(recv(fd[1], &byte, 1, 0));
	say("%c\n", byte);
}

static void reads_nothing(void)
{
	char byte;
	int fd[2];

	connection(fd);
	say_result(read(fd[1], &byte, 0));
	say_result(recv(fd[1], &byte, 0, MSG_DONTWAIT));
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(read(fd[1], &byte, 0));
	say_result(recv(fd[1], &byte, 0, 0));
	say_result(recv(fd[1], &byte, 1, 0));
}

static void keeps_order(void)
{
	char back[3001] = "";
	int fd[2];

	connection(fd);
	for (int i = 0; i < 1000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%03d", i);
		if (write(fd[0], text, 3) != 3)
			say("write\n");
	}
	say_result(read_all(fd[1], back, 3000));
	say("%.12s %s\n", back, back + 2988);
}

static void both_ways_at_once(void)
{
	static char a[50000], b[50000];
	int fd[2];

	connection(fd);
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	say_result(send(fd[0], a, sizeof(a), 0));
	say_result(send(fd[1], b, sizeof(b), 0));
	say_result(read_all(fd[0], a, sizeof(a)));
	say_result(read_all(fd[1], b, sizeof(b)));
	say("%c%c %c%c\n", a[0], a[49999], b[0], b[49999]);
}

static void joins_writes(void)
{
	char back[16] = "";
	int fd[2], n = -1;

	connection(fd);
	write(fd[0], "ab", 2);
	write(fd[0], "cd", 2);
	while (ioctl(fd[1], FIONREAD, &n) == 0 && n < 4)
		usleep(1000);
	say_result(read(fd[1], back, 16));
	say("%s\n", back);
}

static void splits_reads(void)
{
	char back[16] = "";
	int fd[2];

	connection(fd);
	write(fd[0], "abcdef", 6);
	polled(fd[1], POLLIN, POLLIN);
	for (int i = 0; i < 3; i++) {
		say_result(read(fd[1], back, 2));
		say("%.2s\n", back);
	}
	say_result(recv(fd[1], back, 2, MSG_DONTWAIT));
}

static void writes_pieces(void)
{
	char one[] = "one", two[] = "two", bytes[32] = "";
	struct iovec iov[3] = { { one, 3 }, { NULL, 0 }, { two, 3 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	int fd[2];

	connection(fd);
	say_result(writev(fd[0], iov, 3));
	say_result(sendmsg(fd[0], &m, 0));
	say_result(read_all(fd[1], bytes, 12));
	say("%s\n", bytes);
}

static void reads_pieces(void)
{
	char a[4] = "", b[4] = "", c[16] = "";
	struct iovec iov[4] = { { a, 2 }, { NULL, 0 }, { b, 3 }, { c, 10 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 4 };
	int fd[2];

	connection(fd);
	write(fd[0], "abcdefgh", 8);
	polled(fd[1], POLLIN, POLLIN);
	say_result(readv(fd[1], iov, 4));
	say("%s %s %s\n", a, b, c);
	write(fd[0], "ABCD", 4);
	polled(fd[1], POLLIN, POLLIN);
	say_result(recvmsg(fd[1], &m, 0));
	say("%s %s %#x %u\n", a, b, m.msg_flags, m.msg_namelen);
}

static volatile int negative = -1; /* the compiler knows writev */

static void counts_vectors(void)
{
	static struct iovec iov[1025];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 1025 };
	char bytes[1100];
	int fd[2];

	connection(fd);
	for (int i = 0; i < 1025; i++)
		iov[i] = (struct iovec){ bytes + i, 1 };
	memset(bytes, 'x', sizeof(bytes));
	say_result(writev(fd[0], iov, 0));
	say_result(writev(fd[0], iov, negative));
	say_result(writev(fd[0], iov, 1025));
	say_result(writev(fd[0], iov, 1024));
	say_result(read_all(fd[1], bytes, 1024));
	say_result(readv(fd[1], iov, 0));
	say_result(readv(fd[1], iov, 1025));
	say_result(sendmsg(fd[0], &m, 0));
	m.msg_iovlen = 1024;
	say_result(sendmsg(fd[0], &m, 0));
	say_result(read_all(fd[1], bytes, 1024));
	m.msg_iovlen = 1025;
	say_result(recvmsg(fd[1], &m, MSG_DONTWAIT));
}

static void names_a_receiver(void)
{
	struct name n = loopback_at(9);
	char text[] = "to", bytes[8];
	struct iovec iov = { text, 2 };
	struct msghdr m = {
		.msg_name = &n.sa, .msg_namelen = n.len, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd[2];

	connection(fd);
	say_result(sendto(fd[0], "to", 2, 0, &n.sa, n.len));
	say_result(sendmsg(fd[0], &m, 0));
	say_result(recvfrom(fd[1], bytes, 4, MSG_WAITALL, (struct sockaddr *)&from, &len));
	say("%u\n", (unsigned)len);
	write(fd[0], "x", 1);
	m.msg_namelen = sizeof(from);
	say_result(recvmsg(fd[1], &m, 0));
	say("%u\n", (unsigned)m.msg_namelen);
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
	say("%x\n", polled_now(fd[0], POLLIN));
	while (got < sent && (n = read(fd[1], piece, sizeof(piece))) > 0)
		got += n;
	say("%d\n", got == sent);
	say("%x\n", polled(fd[0], POLLOUT, POLLOUT));
}

static void is_not_writable_when_full(void)
{
	static char piece[65536];
	int fd[2];

	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 10000);
	while (send(fd[0], piece, sizeof(piece), MSG_DONTWAIT) > 0)
		continue;
	say_result(-1);
	a_moment();
	while (send(fd[0], piece, sizeof(piece), MSG_DONTWAIT) > 0)
		continue;
	say("%#x\n", polled_now(fd[0], POLLOUT | POLLWRNORM));
}

static void waits_for_room_with_a_limit(void)
{
	static char bytes[70000];
	ssize_t n;
	int fd[2];

	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 10000);
	while (send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	set_timeout(fd[0], SO_SNDTIMEO, 20);
	for (int i = 0; i < 100; i++) /* a part, until the time is over with none */
		if ((n = send(fd[0], bytes, sizeof(bytes), 0)) < 0)
			break;
	say_result(n);
}

static void waits_with_a_limit(void)
{
	char byte;
	int fd[2];

	connection(fd);
	set_timeout(fd[1], SO_RCVTIMEO, 20);
	say_result(recv(fd[1], &byte, 1, 0));
	say_result(read(fd[1], &byte, 1));
	write(fd[0], "x", 1);
	say_result(read(fd[1], &byte, 1));
	set_timeout(fd[1], SO_RCVTIMEO, 0);
	write(fd[0], "x", 1);
	say_result(read(fd[1], &byte, 1));
}

static void *drain(void *ctx)
{
	static char piece[65536];
	long long got = 0;
	ssize_t n;

	while ((n = read(*(int *)ctx, piece, sizeof(piece))) > 0)
		got += n;
	return (void *)(intptr_t)got;
}

/* A write that blocks takes all, however little room there is. */
static void writes_all_that_it_is_given(void)
{
	static char bytes[3000000];
	pthread_t t;
	void *got;
	int fd[2];

	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 20000);
	t = later(drain, &fd[1]);
	say_result(write(fd[0], bytes, sizeof(bytes)));
	close(fd[0]);
	pthread_join(t, &got);
	say("%lld\n", (long long)(intptr_t)got);
}

/* The same of one that names a receiver; when its time is up, it says how much has gone. */
static void names_a_receiver_of_much(void)
{
	static char bytes[9000000];
	struct name n = loopback_at(9);
	struct iovec iov[2] = { { bytes, 400000 }, { bytes, 600000 } };
	struct msghdr m = {
		.msg_name = &n.sa, .msg_namelen = n.len, .msg_iov = iov, .msg_iovlen = 2
	};
	pthread_t t;
	void *got;
	ssize_t sent;
	int fd[2];

	connection(fd);
	t = later(drain, &fd[1]);
	say_result(sendto(fd[0], bytes, 1000000, 0, &n.sa, n.len));
	say_result(sendmsg(fd[0], &m, 0));
	say_result(sendto(fd[0], bytes, 0, 0, &n.sa, n.len));
	close(fd[0]);
	pthread_join(t, &got);
	say("%lld\n", (long long)(intptr_t)got);
	connection(fd);
	set_timeout(fd[0], SO_SNDTIMEO, 200);
	sent = sendto(fd[0], bytes, sizeof(bytes), 0, &n.sa, n.len);
	say("%d\n", sent > 100000 && sent < (ssize_t)sizeof(bytes));
}

static void writes_all_vectors(void)
{
	static char bytes[500000];
	struct iovec iov[4];
	pthread_t t;
	void *got;
	int fd[2];

	connection(fd);
	set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 20000);
	for (int i = 0; i < 4; i++)
		iov[i] = (struct iovec){ bytes, sizeof(bytes) - (size_t)i };
	t = later(drain, &fd[1]);
	say_result(writev(fd[0], iov, 4));
	close(fd[0]);
	pthread_join(t, &got);
	say("%lld\n", (long long)(intptr_t)got);
}

static int file_of(size_t size)
{
	char path[] = "/tmp/twin.file.XXXXXX", c;
	int fd = mkstemp(path);

	unlink(path);
	for (size_t i = 0; i < size; i++) {
		c = (char)(i * 7 + i / 251);
		if (pwrite(fd, &c, 1, (off_t)i) != 1)
			say("pwrite\n");
	}
	return fd;
}

static void sends_a_file(void)
{
	static char bytes[10000], back[10000];
	int fd[2], file = file_of(sizeof(bytes));
	off_t off = 0;

	connection(fd);
	say_result(sendfile(fd[0], file, &off, sizeof(bytes)));
	say("%d\n", (int)off);
	say_result(read_all(fd[1], back, sizeof(back)));
	say_result(pread(file, bytes, sizeof(bytes), 0));
	say("%d\n", memcmp(bytes, back, sizeof(bytes)));
	say_result(sendfile(fd[0], file, &off, 1));
	off = 9990;
	say_result(sendfile(fd[0], file, &off, 100));
	say("%d\n", (int)off);
	say_result(read_all(fd[1], back, 10));
}

static void sends_a_file_from_where_it_is(void)
{
	char back[1000];
	int fd[2], file = file_of(1000);

	connection(fd);
	say_result(lseek(file, 100, SEEK_SET));
	say_result(sendfile(fd[0], file, NULL, 300));
	say("%d\n", (int)lseek(file, 0, SEEK_CUR));
	say_result(sendfile64(fd[0], file, NULL, 3000));
	say("%d\n", (int)lseek(file, 0, SEEK_CUR));
	say_result(sendfile(fd[0], file, NULL, 3000));
	say_result(read_all(fd[1], back, 900));
	say_result(sendfile(fd[0], file, NULL, 0));
}

static void sends_no_file(void)
{
	int fd[2], file = file_of(10), fresh = socket_of(SOCK_STREAM);
	off_t off = -1;

	connection(fd);
	say_result(sendfile(fd[0], -1, NULL, 10));
	say_result(sendfile(-1, file, NULL, 10));
	say_result(sendfile(fd[0], file, &off, 10));
	signal(SIGPIPE, SIG_IGN);
	say_result(sendfile(fresh, file, NULL, 10));
	shutdown(fd[0], SHUT_WR);
	say_result(sendfile(fd[0], file, NULL, 10));
}

static void sends_a_large_file(void)
{
	static char block[100000];
	char path[] = "/tmp/twin.file.XXXXXX";
	int fd[2], file = mkstemp(path);
	pthread_t t;
	void *got;
	off_t off = 0;
	ssize_t n;

	unlink(path);
	for (int i = 0; i < 20; i++)
		if (write(file, block, sizeof(block)) != sizeof(block))
			say("write\n");
	connection(fd);
	t = later(drain, &fd[1]);
	while (off < 2000000 && (n = sendfile(fd[0], file, &off, 2000000)) > 0)
		continue;
	say("%d\n", (int)off);
	close(fd[0]);
	pthread_join(t, &got);
	say("%lld\n", (long long)(intptr_t)got);
}

static void splices(void)
{
	char bytes[8];
	int fd[2], way[2];

	connection(fd);
	if (pipe(way))
		return;
	say_result(write(fd[0], "spliced", 7));
	say_result(splice(fd[1], NULL, way[1], NULL, 7, 0));
	say_result(read(way[0], bytes, 7));
	say_result(write(way[1], "there", 5));
	say_result(splice(way[0], NULL, fd[0], NULL, 5, 0));
	say_result(read_all(fd[1], bytes, 5));
}

static void fills_up_with_a_file(void)
{
	static char block[100000];
	char path[] = "/tmp/twin.file.XXXXXX";
	int fd[2], file = mkstemp(path);
	off_t off = 0;

	unlink(path);
	for (int i = 0; i < 20; i++)
		if (write(file, block, sizeof(block)) != sizeof(block))
			say("write\n");
	connection(fd);
	set_nonblocking(fd[0]);
	for (int i = 0; i < 1000; i++) {
		off = 0;
		if (sendfile(fd[0], file, &off, 2000000) < 0)
			break;
	}
	say_result(-1);
	say("%d\n", (int)off);
}

static const struct program programs[] = {
	BOTH(talks_and_closes),
	BOTH(sends_nothing),
	BOTH(reads_nothing),
	BOTH(keeps_order),
	BOTH(both_ways_at_once),
	ONCE(joins_writes),
	ONCE(splits_reads),
	BOTH(writes_pieces),
	BOTH(reads_pieces),
	ONCE(counts_vectors),
	BOTH(names_a_receiver),
	BOTH(fills_and_drains),
	ONCE(is_not_writable_when_full),
	ONCE(waits_for_room_with_a_limit),
	BOTH(waits_with_a_limit),
	BOTH(writes_all_that_it_is_given),
	ONCE(names_a_receiver_of_much),
	ONCE(writes_all_vectors),
	BOTH(sends_a_file),
	ONCE(sends_a_file_from_where_it_is),
	ONCE(sends_no_file),
	ONCE(sends_a_large_file),
	ONCE(fills_up_with_a_file),
	ONCE(splices),
};
const struct subject of_streams = SUBJECT(programs);
