/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends.c - twins: half-close, shutdown, resets, and what is left afterwards.
 */
#include "twin.h"

#define ALL (POLLIN | POLLOUT | POLLRDHUP)

static void closes_half(void)
{
	char bytes[16] = { 0 };
	int fd[2];

	connection(fd);
	signal(SIGPIPE, SIG_IGN);
	say_result(write(fd[0], "hello", 5));
	say_result(shutdown(fd[0], SHUT_WR));
	say("%x\n", polled(fd[1], ALL, POLLIN | POLLRDHUP));
	say_result(read(fd[1], bytes, 16));
	say_result(read(fd[1], bytes, 16));
	say_result(write(fd[1], "back", 4));
	say("%x\n", polled(fd[0], POLLIN | POLLRDHUP, POLLIN));
	say_result(read(fd[0], bytes, 16));
	say_result(write(fd[0], "x", 1));
	say_result(shutdown(fd[1], SHUT_WR));
	say("%x\n", polled(fd[0], ALL, POLLHUP));
	say("%x\n", polled(fd[1], ALL, POLLHUP));
	say_result(read(fd[0], bytes, 16));
}

static void sends_long_after_a_half_close(void)
{
	static char bytes[100000];
	int fd[2];

	connection(fd);
	shutdown(fd[0], SHUT_WR);
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	say_result(send(fd[1], bytes, sizeof(bytes), 0));
	close(fd[1]);
	say_result(read_all(fd[0], bytes, sizeof(bytes)));
	say_result(read(fd[0], bytes, 1));
}

static void shuts_writing_twice(void)
{
	int fd[2];

	connection(fd);
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(shutdown(fd[0], SHUT_RDWR));
	say_result(shutdown(fd[0], SHUT_RDWR));
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	say_result(shutdown(fd[1], SHUT_WR));
	polled(fd[1], ALL, POLLHUP);
	say_result(shutdown(fd[0], SHUT_WR));
	say_result(shutdown(fd[1], SHUT_WR));
}

static void shuts_as_nobody_does(void)
{
	int fd[2];

	connection(fd);
	say_result(shutdown(fd[0], 3));
	say_result(shutdown(fd[0], -1));
	say_result(shutdown(-1, SHUT_WR));
	say_result(shutdown(socket_of(SOCK_STREAM), SHUT_RD));
	say_result(shutdown(socket_of(SOCK_STREAM), SHUT_RDWR));
	say_result(shutdown(bound(SOCK_STREAM), SHUT_WR));
}

static void shuts_reading(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	say_result(shutdown(fd[1], SHUT_RD));
	say("%x\n", polled(fd[1], POLLIN | POLLRDHUP, POLLIN));
	say_result(read(fd[1], bytes, 8));
	say_result(write(fd[1], "still", 5));
	say_result(recv(fd[0], bytes, 5, MSG_WAITALL));
	say_result(shutdown(fd[1], SHUT_RDWR));
	say_result(read(fd[0], bytes, 5));
}

static void reads_what_came_before_it_shut(void)
{
	char bytes[8];
	int fd[2];

	connection(fd);
	write(fd[0], "abc", 3);
	polled(fd[1], POLLIN, POLLIN);
	say_result(shutdown(fd[1], SHUT_RD));
	say_result(read(fd[1], bytes, 8));
	say_result(read(fd[1], bytes, 8));
	say_result(recv(fd[1], bytes, 8, MSG_DONTWAIT));
}

static void hears_the_end_once_more(void)
{
	char byte;
	int fd[2];

	connection(fd);
	close(fd[0]);
	for (int i = 0; i < 3; i++)
		say_result(read(fd[1], &byte, 1));
	say("%d\n", so_error(fd[1]));
	say("%#x\n", polled(fd[1], ALL, POLLRDHUP));
}

static void ends_both_at_once(void)
{
	char byte;
	int fd[2];

	connection(fd);
	shutdown(fd[0], SHUT_WR);
	shutdown(fd[1], SHUT_WR);
	say("%#x\n", polled(fd[0], ALL, POLLHUP));
	say("%#x\n", polled(fd[1], ALL, POLLHUP));
	say_result(read(fd[0], &byte, 1));
	say_result(read(fd[1], &byte, 1));
	say_result(send(fd[0], "x", 1, MSG_NOSIGNAL));
}

static void reset_by(int fd)
{
	struct linger now = { 1, 0 };

	say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(fd);
}

static void is_reset_by_linger(void)
{
	char byte;
	int fd[2];

	connection(fd);
	reset_by(fd[0]);
	say("%x\n", polled(fd[1], ALL, POLLERR | POLLHUP));
	say_result(read(fd[1], &byte, 1));
	say_result(read(fd[1], &byte, 1));
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
	say("%d\n", so_error(fd[1]));
}

static void asks_for_the_error_of_a_reset(void)
{
	char byte;
	int fd[2];

	connection(fd);
	reset_by(fd[0]);
	polled(fd[1], ALL, POLLERR);
	say("%d %d\n", so_error(fd[1]), so_error(fd[1]));
	say_result(read(fd[1], &byte, 1));
	say("%x\n", polled_now(fd[1], ALL));
}

static void writes_after_a_reset(void)
{
	int fd[2];

	connection(fd);
	reset_by(fd[0]);
	polled(fd[1], ALL, POLLERR);
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
	say("%x\n", polled_now(fd[1], ALL));
}

static void names_after_a_reset(void)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	int fd[2];

	connection(fd);
	reset_by(fd[0]);
	polled(fd[1], ALL, POLLERR);
	say_result(getpeername(fd[1], (struct sockaddr *)&a, &len));
	say_result(getsockname(fd[1], (struct sockaddr *)&a, &len));
	say("%u\n", (unsigned)len);
	say_result(shutdown(fd[1], SHUT_WR));
}

/* The end of fd[0] has not read what has come. */
static void connection_with_unread(int fd[2])
{
	connection(fd);
	say_result(write(fd[1], "unread", 6));
	say("%#x\n", polled(fd[0], POLLIN, POLLIN));
}

static void is_reset_by_unread(void)
{
	char bytes[16];
	int fd[2];

	connection_with_unread(fd);
	close(fd[0]);
	say("%x\n", polled(fd[1], ALL, POLLERR | POLLHUP));
	say("%d %d\n", so_error(fd[1]), so_error(fd[1]));
	say_result(read(fd[1], bytes, 16));
}

/* Whatever it has not read yet. */
static bool comes_to_its_end(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	for (int i = 0; i < 5000 && info.tcpi_state != TCP_CLOSE; i++) {
		usleep(1000);
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	}
	return info.tcpi_state == TCP_CLOSE;
}

static void is_reset_by_unread_when_full(void)
{
	int fd[2];

	connection_with_unread(fd);
	fill_up(fd[0]);
	close(fd[0]);
	say("%d\n", comes_to_its_end(fd[1]));
}

static void reads_before_the_reset(void)
{
	char bytes[16] = { 0 };
	int fd[2];

	connection(fd);
	say_result(write(fd[0], "last", 4));
	say("%x\n", polled(fd[1], POLLIN, POLLIN));
	reset_by(fd[0]);
	polled(fd[1], POLLIN, POLLERR);
	say_result(read(fd[1], bytes, 16));
	say_result(read(fd[1], bytes, 16));
}

/* What was written is with the network by then, whatever the close becomes. */
static void says_its_last_before_a_reset(void)
{
	static char bytes[40000];
	int fd[2];

	connection(fd);
	say_result(write(fd[0], bytes, 5));
	reset_by(fd[0]);
	say_result(read_all(fd[1], bytes, sizeof(bytes)));

	connection(fd);
	say_result(write(fd[1], "request", 7));
	say("%x\n", polled(fd[0], POLLIN, POLLIN));
	say_result(send(fd[0], bytes, sizeof(bytes), 0));
	close(fd[0]); /* with the request unread */
	say_result(read_all(fd[1], bytes, sizeof(bytes)));
	say_result(read(fd[1], bytes, 1));
}

static void say_options_of(int fd)
{
	static const struct {
		int level, name;
	} asked[] = {
		{ SOL_SOCKET, SO_KEEPALIVE },  { SOL_SOCKET, SO_REUSEADDR },
		{ SOL_SOCKET, SO_OOBINLINE },  { SOL_SOCKET, SO_TYPE },
		{ SOL_SOCKET, SO_PROTOCOL },   { SOL_SOCKET, SO_DOMAIN },
		{ SOL_SOCKET, SO_PRIORITY },   { IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_KEEPIDLE }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
	};
	struct linger l = { 9, 9 };
	socklen_t len = sizeof(l);
	int v = 9;

	for (size_t i = 0; i < N_OF(asked); i++)
		say("%d ", get_int(fd, asked[i].level, asked[i].name));
	if (family == AF_INET)
		say("%d ", get_int(fd, IPPROTO_IP, IP_TTL));
	say("%d\n", get_int(fd, SOL_SOCKET, SO_RCVBUF) > 1000);
	say_result(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	say("%d %d %u\n", l.l_onoff, l.l_linger, (unsigned)len);
	len = sizeof(v);
	say_result(getsockopt(fd, IPPROTO_TCP, 999, &v, &len));
	say_result(set_int(fd, IPPROTO_TCP, 999, 1));
	say_result(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, 1));
	say_result(set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 0));
	say("%d\n", get_int(fd, SOL_SOCKET, SO_KEEPALIVE));
}

static void remembers_its_options_after_the_end(void)
{
	char byte;
	int fd[2];

	connection(fd);
	say_result(set_int(fd[1], IPPROTO_TCP, TCP_NODELAY, 1));
	say_result(set_int(fd[1], SOL_SOCKET, SO_KEEPALIVE, 1));
	reset_by(fd[0]);
	say("%x\n", polled(fd[1], ALL, POLLHUP) & POLLHUP);
	say_options_of(fd[1]);

	connection(fd);
	say_result(set_int(fd[0], IPPROTO_TCP, TCP_KEEPIDLE, 77));
	shutdown(fd[0], SHUT_WR);
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	shutdown(fd[1], SHUT_WR);
	say("%x\n", polled(fd[0], ALL, POLLHUP) & POLLHUP);
	say("%x\n", polled(fd[1], ALL, POLLHUP) & POLLHUP);
	say_result(read(fd[0], &byte, 1));
	a_moment();
	say_options_of(fd[0]);
	say_options_of(fd[1]);
}

static void writes_into_a_closed_one(void)
{
	char bytes[4];
	int fd[2];

	connection(fd);
	count_signals(SIGPIPE, 0);
	close(fd[0]);
	say("%x\n", polled(fd[1], POLLIN | POLLRDHUP, POLLIN | POLLRDHUP));
	say_result(read(fd[1], bytes, 4));
	say_result(write(fd[1], "x", 1));
	say("%x\n", polled(fd[1], POLLIN | POLLOUT, POLLHUP) & ~POLLERR);
	say_result(write(fd[1], "x", 1));
	say("%d\n", (int)n_signals);
}

/* A RST that comes behind the peer's FIN. */
static void is_told_of_a_broken_pipe(void)
{
	int fd[2];

	connection(fd);
	close(fd[0]);
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	say_result(send(fd[1], "x", 1, MSG_NOSIGNAL));
	say("%#x\n", polled(fd[1], ALL, POLLERR | POLLHUP));
	say("%d %d\n", so_error(fd[1]), so_error(fd[1]));
}

static void lingers_until_all_is_read(void)
{
	static char bytes[20000];
	struct linger lin = { 1, 5 };
	int fd[2];

	connection(fd);
	say_result(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin)));
	say_result(write(fd[0], bytes, sizeof(bytes)));
	say_result(close(fd[0]));
	say_result(read_all(fd[1], bytes, sizeof(bytes)));
	say_result(read(fd[1], bytes, 1));
}

static volatile bool reads_now;

static void *reads_all(void *fd)
{
	static char bytes[100000];

	reads_now = true;
	while (read(*(int *)fd, bytes, sizeof(bytes)) > 0)
		continue;
	return NULL;
}

static void fill_and_linger(int fd)
{
	struct linger lin = { 1, 100 }; /* longer than any of these programs may take */

	say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &lin, sizeof(lin)));
	fill_up(fd);
}

/* The close waits for what the peer has no room for, also of a socket whose sends do not. */
static void lingers_until_the_peer_has_it(void)
{
	pthread_t reader;
	int fd[2];

	for (int blocks = 0; blocks < 2; blocks++) {
		reads_now = false;
		connection(fd);
		fill_and_linger(fd[0]);
		if (!blocks)
			set_nonblocking(fd[0]);
		reader = later(reads_all, &fd[1]);
		say_result(close(fd[0]));
		say("%d\n", reads_now);
		pthread_join(reader, NULL);
	}
}

/* It is reset at once. */
static void does_not_linger_with_unread(void)
{
	int fd[2];

	connection_with_unread(fd);
	fill_and_linger(fd[0]);
	say_result(close(fd[0]));
	say("%d\n", comes_to_its_end(fd[1]));
}

static void connects_anew_after_the_end(void)
{
	struct name none = { .sa.sa_family = AF_UNSPEC };
	int fd[2], l = listening();
	char byte;

	connection(fd);
	say_result(connect(fd[0], &none.sa, sizeof(none.sa)));
	say("%#x\n", polled(fd[1], ALL, POLLHUP));
	say_result(read(fd[1], &byte, 1));
	say_result(connect_to(fd[0], port_of(l)));
	say_result(send(fd[0], "x", 1, 0));
	say_result(read(accept(l, NULL, NULL), &byte, 1));
}

static void closes_what_nobody_accepted(void)
{
	int l = listening(), c = connected_to(port_of(l));
	char byte;

	say_result(write(c, "x", 1));
	close(l);
	say("%#x\n", polled(c, ALL, POLLHUP));
	say_result(read(c, &byte, 1));
}

static void is_accepted_after_it_ended(void)
{
	int l = listening(), c = connected_to(port_of(l)), fd;
	char bytes[8];

	write(c, "bye", 3);
	close(c);
	polled(l, POLLIN, POLLIN);
	fd = accept(l, NULL, NULL);
	say("%d\n", fd >= 0);
	say_result(read_all(fd, bytes, 8));
	say("%#x\n", polled(fd, ALL, POLLRDHUP));
}

static void is_accepted_after_a_reset(void)
{
	int l = listening(), c = connected_to(port_of(l)), fd;
	char bytes[8];

	reset_by(c);
	a_moment();
	polled(l, POLLIN, POLLIN);
	fd = accept(l, NULL, NULL);
	say("%d\n", fd >= 0);
	say("%#x\n", polled(fd, ALL, POLLHUP));
	say_result(read(fd, bytes, 8));
}

/* Nobody reads and nobody writes any more: what comes is answered by a reset. */
static void is_sent_to_after_it_shut_both_ways(void)
{
	char text[8];
	int fd[2];

	connection(fd);
	send(fd[1], "unread", 6, 0);
	polled(fd[0], POLLIN, POLLIN);
	say_result(shutdown(fd[0], SHUT_RDWR));
	say("%#x\n", polled(fd[1], POLLIN | POLLRDHUP, POLLIN | POLLRDHUP));
	say_result(recv(fd[0], text, 2, 0));
	say_result(send(fd[1], "late", 4, 0));
	say("%#x\n", polled(fd[1], POLLIN | POLLOUT, POLLHUP) & POLLHUP);
	say("%#x\n", polled(fd[0], POLLIN | POLLOUT, POLLHUP) & POLLHUP);
	say_result(recv(fd[0], text, 8, 0));
	say_result(recv(fd[1], text, 8, 0)); /* the end came before the reset */
	say_result(send(fd[1], "late", 4, MSG_NOSIGNAL));
}

static const struct program programs[] = {
	BOTH(is_sent_to_after_it_shut_both_ways),
	BOTH(closes_half),
	ONCE(sends_long_after_a_half_close),
	BOTH(shuts_writing_twice),
	BOTH(shuts_as_nobody_does),
	BOTH(shuts_reading),
	ONCE(reads_what_came_before_it_shut),
	ONCE(hears_the_end_once_more),
	BOTH(ends_both_at_once),
	BOTH(is_reset_by_linger),
	ONCE(asks_for_the_error_of_a_reset),
	ONCE(writes_after_a_reset),
	BOTH(names_after_a_reset),
	BOTH(is_reset_by_unread),
	ONCE(is_reset_by_unread_when_full),
	ONCE(reads_before_the_reset),
	BOTH(says_its_last_before_a_reset),
	BOTH(remembers_its_options_after_the_end),
	BOTH(writes_into_a_closed_one),
	ONCE(is_told_of_a_broken_pipe),
	ONCE(lingers_until_all_is_read),
	BOTH(lingers_until_the_peer_has_it),
	ONCE(does_not_linger_with_unread),
	BOTH(connects_anew_after_the_end),
	ONCE(closes_what_nobody_accepted),
	BOTH(is_accepted_after_it_ended),
	BOTH(is_accepted_after_a_reset),
};
const struct subject of_ends = SUBJECT(programs);
