/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll.c - twins: sets of descriptors.
 */
#include "twin.h"

/* What a wait tells, in the order of the data. */
static int told_by(int set, int wait_ms)
{
	struct epoll_event ev[16];
	int n = epoll_wait(set, ev, 16, wait_ms);

	say("%d:", n);
	for (uint32_t data = 0; data < 100; data++)
		for (int i = 0; i < n; i++)
			if (ev[i].data.u32 == data)
				say(" %u=%#x", data, ev[i].events);
	say("\n");
	return n;
}

static int add(int set, int fd, uint32_t events, uint32_t data)
{
	struct epoll_event ev = { .events = events, .data.u32 = data };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

static int change(int set, int fd, uint32_t events, uint32_t data)
{
	struct epoll_event ev = { .events = events, .data.u32 = data };

	return epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev);
}

static void tells_levels(void)
{
	int fd[2], set = epoll_create1(0);
	char byte;

	connection(fd);
	say_result(add(set, fd[1], EPOLLIN, 7));
	told_by(set, 0);
	send(fd[0], "ab", 2, 0);
	told_by(set, 1000);
	told_by(set, 0);
	recv(fd[1], &byte, 1, 0);
	told_by(set, 0);
	recv(fd[1], &byte, 1, 0);
	told_by(set, 0);
}

static void tells_edges(void)
{
	int fd[2], set = epoll_create1(0);
	char bytes[64];

	connection(fd);
	say_result(add(set, fd[1], EPOLLIN | EPOLLET, 1));
	told_by(set, 0);
	for (int i = 0; i < 3; i++) {
		say_result(write(fd[0], "abc", 3));
		told_by(set, 5000);
		told_by(set, 0);
	}
	say_result(read(fd[1], bytes, 64));
	told_by(set, 0);
}

static void tells_an_edge_of_what_was_there(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	say_result(add(set, fd[1], EPOLLIN | EPOLLET, 1));
	told_by(set, 0);
	told_by(set, 0);
	say_result(change(set, fd[1], EPOLLIN | EPOLLET, 2));
	told_by(set, 0);
	told_by(set, 0);
}

static void tells_both_edges(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	say_result(add(set, fd[0], EPOLLIN | EPOLLOUT | EPOLLET, 1));
	told_by(set, 0);
	told_by(set, 0);
	send(fd[1], "x", 1, 0);
	told_by(set, 1000);
	told_by(set, 0);
}

/* That text was acknowledged is no news to whoever waits for text. */
static void tells_no_edge_of_an_acknowledgment(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN | EPOLLET, 1);
	send(fd[0], "a", 1, 0);
	told_by(set, 1000);
	send(fd[1], "a", 1, 0);
	a_moment();
	told_by(set, 0);
}

static void tells_the_edge_of_room(void)
{
	static char piece[65536];
	int fd[2], set = epoll_create1(0);
	long long sent = 0, got = 0;
	ssize_t n;

	connection(fd);
	set_nonblocking(fd[0]);
	while ((n = write(fd[0], piece, sizeof(piece))) > 0)
		sent += n;
	say_result(add(set, fd[0], EPOLLOUT | EPOLLET, 1));
	while (got < sent && (n = read(fd[1], piece, sizeof(piece))) > 0)
		got += n;
	told_by(set, 5000);
	a_moment();
	told_by(set, 0);
}

static void tells_once(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	say_result(add(set, fd[1], EPOLLIN | EPOLLONESHOT, 1));
	send(fd[0], "a", 1, 0);
	told_by(set, 1000);
	told_by(set, 0);
	send(fd[0], "a", 1, 0);
	a_moment();
	told_by(set, 0);
	say_result(change(set, fd[1], EPOLLIN | EPOLLONESHOT, 2));
	told_by(set, 1000);
	told_by(set, 0);
}

static void tells_once_and_hears_no_end(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN | EPOLLONESHOT, 1);
	send(fd[0], "a", 1, 0);
	told_by(set, 1000);
	close(fd[0]);
	a_moment();
	told_by(set, 0);
}

static void refuses_changes(void)
{
	int fd[2], set = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };

	connection(fd);
	say_result(change(set, fd[1], EPOLLIN, 1));
	say_result(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], NULL));
	say_result(add(set, fd[1], EPOLLIN, 1));
	say_result(add(set, fd[1], EPOLLIN, 1));
	say_result(epoll_ctl(set, 77, fd[1], &ev));
	say_result(epoll_ctl(set, EPOLL_CTL_ADD, fd[0], NULL));
	say_result(epoll_ctl(set, EPOLL_CTL_ADD, -1, &ev));
	say_result(epoll_ctl(-1, EPOLL_CTL_ADD, fd[0], &ev));
	say_result(epoll_ctl(fd[0], EPOLL_CTL_ADD, fd[1], &ev));
	say_result(epoll_ctl(set, EPOLL_CTL_ADD, set, &ev));
	say_result(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], &ev));
	say_result(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], &ev));
}

static volatile int negative = -1; /* the compiler knows epoll_wait */

static void refuses_waits(void)
{
	struct epoll_event ev;
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN, 1);
	say_result(epoll_wait(set, &ev, 0, 0));
	say_result(epoll_wait(set, &ev, negative, 0));
	say_result(epoll_wait(-1, &ev, 1, 0));
	say_result(epoll_wait(fd[0], &ev, 1, 0));
	say_result(epoll_create1(0x777));
	say_result(epoll_create(0));
	say("%d\n", epoll_create(1) >= 0);
}

static void tells_some_of_many(void)
{
	int fd[2], set = epoll_create1(0), seen = 0, same = 0;
	struct epoll_event ev;

	for (uint32_t i = 0; i < 4; i++) {
		connection(fd);
		add(set, fd[1], EPOLLIN, i);
		send(fd[0], "x", 1, 0);
		polled(fd[1], POLLIN, POLLIN);
	}
	for (int i = 0; i < 4; i++) { /* each has a turn */
		say("%d\n", epoll_wait(set, &ev, 1, 1000));
		same += (seen & 1 << ev.data.u32) != 0;
		seen |= 1 << ev.data.u32;
	}
	say("%#x %d\n", seen, same);
}

static void mixes_with_pipes(void)
{
	int fd[2], way[2], set = epoll_create1(0);
	char byte;

	connection(fd);
	if (pipe(way))
		return;
	add(set, way[0], EPOLLIN, 1);
	add(set, fd[1], EPOLLIN, 2);
	told_by(set, 0);
	say_result(write(way[1], "x", 1));
	told_by(set, 1000);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	told_by(set, 1000);
	say_result(read(way[0], &byte, 1));
	told_by(set, 1000);
	say_result(read(fd[1], &byte, 1));
	told_by(set, 0);
}

static void *write_to(void *fd)
{
	return (void *)(intptr_t)write(*(int *)fd, "x", 1);
}

static void is_woken_by_a_pipe(void)
{
	int fd[2], way[2], set = epoll_create1(0);
	pthread_t t;

	connection(fd);
	if (pipe(way))
		return;
	add(set, way[0], EPOLLIN, 1);
	add(set, fd[1], EPOLLIN, 2);
	t = later(write_to, &way[1]);
	told_by(set, 5000);
	pthread_join(t, NULL);
	t = later(write_to, &fd[0]);
	say("%d\n", polled(fd[1], POLLIN, POLLIN));
	pthread_join(t, NULL);
	told_by(set, 5000);
}

static void is_a_member_itself(void)
{
	int fd[2], inner = epoll_create1(0), outer = epoll_create1(0);
	char byte;

	connection(fd);
	say_result(add(inner, fd[1], EPOLLIN, 1));
	say_result(add(outer, inner, EPOLLIN, 2));
	told_by(outer, 0);
	send(fd[0], "x", 1, 0);
	told_by(outer, 1000);
	told_by(inner, 0);
	told_by(outer, 0);
	recv(fd[1], &byte, 1, 0);
	told_by(outer, 0);
	say_result(add(inner, outer, EPOLLIN, 3));
}

static void is_polled_itself(void)
{
	int fd[2], set = epoll_create1(0);
	char byte;

	connection(fd);
	add(set, fd[1], EPOLLIN, 1);
	say("%#x\n", polled_now(set, POLLIN));
	send(fd[0], "x", 1, 0);
	say("%#x\n", polled(set, POLLIN, POLLIN));
	recv(fd[1], &byte, 1, 0);
	say("%#x\n", polled_now(set, POLLIN));
}

static void forgets_what_is_closed(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN | EPOLLRDHUP, 1);
	send(fd[0], "x", 1, 0);
	told_by(set, 1000);
	close(fd[1]);
	told_by(set, 0);
	say_result(change(set, fd[1], EPOLLIN, 1));
}

static void keeps_what_has_another_number(void)
{
	int fd[2], set = epoll_create1(0), copy;

	connection(fd);
	add(set, fd[1], EPOLLIN, 1);
	copy = dup(fd[1]);
	close(fd[1]);
	send(fd[0], "x", 1, 0);
	told_by(set, 1000);
	close(copy);
	told_by(set, 0);
}

static void has_a_file_by_two_numbers(void)
{
	int fd[2], set = epoll_create1(0), copy;

	connection(fd);
	copy = dup(fd[1]);
	say_result(add(set, fd[1], EPOLLIN, 1));
	say_result(add(set, copy, EPOLLIN, 2));
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	told_by(set, 1000);
	say_result(epoll_ctl(set, EPOLL_CTL_DEL, copy, NULL));
	told_by(set, 0);
}

static void is_in_two_sets(void)
{
	int fd[2], a = epoll_create1(0), b = epoll_create1(0);

	connection(fd);
	add(a, fd[1], EPOLLIN | EPOLLET, 1);
	add(b, fd[1], EPOLLIN | EPOLLET, 2);
	send(fd[0], "x", 1, 0);
	told_by(a, 1000);
	told_by(b, 1000);
	told_by(a, 0);
}

static void tells_ends(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN | EPOLLOUT | EPOLLRDHUP, 1);
	shutdown(fd[0], SHUT_WR);
	polled(fd[1], POLLRDHUP, POLLRDHUP);
	told_by(set, 1000);
	shutdown(fd[1], SHUT_WR);
	polled(fd[1], POLLHUP, POLLHUP);
	told_by(set, 1000);
}

static void tells_errors_without_being_asked(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], 0, 1);
	reset(fd[0]);
	polled(fd[1], 0, POLLERR | POLLHUP);
	told_by(set, 1000);
}

static void tells_of_a_fresh_socket(void)
{
	int set = epoll_create1(0), fd = socket_of(SOCK_STREAM), d = socket_of(SOCK_DGRAM);

	add(set, fd, EPOLLIN | EPOLLOUT, 1);
	add(set, d, EPOLLIN | EPOLLOUT, 2);
	told_by(set, 0);
}

static void tells_that_it_connected(void)
{
	int set = epoll_create1(0), fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK), l = listening();

	say_result(connect_to(fd, port_of(l)));
	add(set, fd, EPOLLOUT | EPOLLET, 1);
	told_by(set, 5000);
	told_by(set, 0);
	fd = socket_of(SOCK_STREAM | SOCK_NONBLOCK);
	say_result(connect_to(fd, closed_port()));
	polled(fd, POLLOUT, POLLERR);
	add(set, fd, EPOLLOUT, 2);
	told_by(set, 5000);
}

static void takes_exclusively(void)
{
	int l = listening(), set = epoll_create1(0), other = epoll_create1(0);

	say_result(add(set, l, EPOLLIN | EPOLLEXCLUSIVE, 1));
	say_result(add(other, l, EPOLLIN | EPOLLEXCLUSIVE, 2));
	say_result(change(set, l, EPOLLIN | EPOLLEXCLUSIVE, 3));
	say_result(change(set, l, EPOLLIN, 3));
	say_result(add(set, connected_to(port_of(l)), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 4));
	say_result(add(set, other, EPOLLIN | EPOLLEXCLUSIVE, 5));
	told_by(set, 1000);
}

static void tells_edges_of_a_listener(void)
{
	int l = listening(), set = epoll_create1(0);

	set_nonblocking(l);
	add(set, l, EPOLLIN | EPOLLET, 1);
	connected_to(port_of(l));
	told_by(set, 1000);
	told_by(set, 0);
	connected_to(port_of(l));
	told_by(set, 1000);
	say("%d\n", accept(l, NULL, NULL) >= 0);
	told_by(set, 0);
}

static void tells_an_edge_of_a_datagram(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), set = epoll_create1(0);
	char byte;

	add(set, b, EPOLLIN | EPOLLET, 1);
	send_to(a, "x", 1, port_of(b));
	told_by(set, 1000);
	send_to(a, "x", 1, port_of(b));
	told_by(set, 1000);
	told_by(set, 0);
	recv(b, &byte, 1, 0);
	told_by(set, 0);
}

static void waits_no_longer_than_asked(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	add(set, fd[1], EPOLLIN, 1);
	told_by(set, 20);
	told_by(set, 1);
}

static void changes_what_is_asked_for(void)
{
	int fd[2], set = epoll_create1(0);

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	add(set, fd[1], EPOLLIN, 1);
	told_by(set, 0);
	say_result(change(set, fd[1], EPOLLOUT, 2));
	told_by(set, 0);
	say_result(change(set, fd[1], 0, 3));
	told_by(set, 0);
	say_result(change(set, fd[1], EPOLLIN | EPOLLOUT, 4));
	told_by(set, 0);
}

static void *wait_on(void *set)
{
	struct epoll_event ev;

	return (void *)(intptr_t)epoll_wait(*(int *)set, &ev, 1, 3000);
}

static void adds_while_another_waits(void)
{
	int fd[2], set = epoll_create1(0);
	pthread_t t;
	void *n;

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	add(set, socket_of(SOCK_DGRAM), EPOLLIN, 1);
	t = later(wait_on, &set);
	a_moment();
	a_moment();
	say_result(add(set, fd[1], EPOLLIN, 2));
	pthread_join(t, &n);
	say("%d\n", (int)(intptr_t)n);
}

static void is_waited_for_by_two(void)
{
	int fd[2], set = epoll_create1(0);
	pthread_t t[2];
	void *n[2];

	connection(fd);
	add(set, fd[1], EPOLLIN, 1);
	for (int i = 0; i < 2; i++)
		t[i] = later(wait_on, &set);
	a_moment();
	a_moment();
	send(fd[0], "x", 1, 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], &n[i]);
	say("%d %d\n", (int)(intptr_t)n[0], (int)(intptr_t)n[1]);
}

/* A set that has the number of one that was closed knows nothing of its members. */
static void begins_without_members(void)
{
	int fd[2], set = epoll_create1(0), other = epoll_create1(0), outer = epoll_create1(0);

	connection(fd);
	send(fd[0], "x", 1, 0);
	polled(fd[1], POLLIN, POLLIN);
	for (int i = 0; i < 2; i++) {
		say_result(add(set, fd[1], EPOLLIN, 1));
		told_by(set, 0);
		close(set);
		set = epoll_create1(0);
		told_by(set, 0);
	}
	say_result(add(set, fd[1], EPOLLIN, 2));
	told_by(set, 0);
	say_result(add(outer, set, EPOLLIN, 3));
	told_by(outer, 0);
	say_result(dup2(other, set) == set);
	told_by(set, 0);
	say_result(add(set, fd[1], EPOLLIN, 4));
	told_by(set, 0);
}

static const struct program programs[] = {
	BOTH(tells_levels),
	BOTH(tells_edges),
	ONCE(tells_an_edge_of_what_was_there),
	ONCE(tells_both_edges),
	ONCE(tells_no_edge_of_an_acknowledgment),
	ONCE(tells_the_edge_of_room),
	BOTH(tells_once),
	ONCE(tells_once_and_hears_no_end),
	ONCE(refuses_changes),
	ONCE(refuses_waits),
	ONCE(tells_some_of_many),
	ONCE(mixes_with_pipes),
	ONCE(is_woken_by_a_pipe),
	ONCE(is_a_member_itself),
	ONCE(is_polled_itself),
	ONCE(forgets_what_is_closed),
	ONCE(keeps_what_has_another_number),
	ONCE(has_a_file_by_two_numbers),
	ONCE(is_in_two_sets),
	BOTH(tells_ends),
	ONCE(tells_errors_without_being_asked),
	ONCE(tells_of_a_fresh_socket),
	BOTH(tells_that_it_connected),
	ONCE(takes_exclusively),
	ONCE(tells_edges_of_a_listener),
	ONCE(tells_an_edge_of_a_datagram),
	ONCE(waits_no_longer_than_asked),
	ONCE(changes_what_is_asked_for),
	ONCE(adds_while_another_waits),
	ONCE(is_waited_for_by_two),
	ONCE(begins_without_members),
};
const struct subject of_epoll = SUBJECT(programs);
