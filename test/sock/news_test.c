/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * news_test.c - tern_event: a socket is told of when something has happened, and of what; not when
 * nothing has that its user could see.
 */
#include "test.h"

#include "../../include/tern.h"

static struct test_env counted;

/* One host whose sockets talk through lo. */
static struct tern_stack *st;
static tern_sock listener, a, b;
static tern_time now;

static void run(void)
{
	for (int i = 0; i < 50; i++)
		tern_advance(st, now += TERN_US);
}

/* The news of a socket since the last call, of all its events; others' are forgotten. */
static unsigned news_at_once(tern_sock s)
{
	struct tern_event ev;
	unsigned news = 0;

	while (tern_event(st, &ev))
		if (ev.sock == s)
			news |= ev.news;
	return news;
}

static unsigned news_of_sock(tern_sock s)
{
	run();
	return news_at_once(s);
}

enum {
	IN = TERN_POLLIN | TERN_POLLPRI,
	OUT = TERN_POLLOUT,
	ENDS = TERN_POLLERR | TERN_POLLHUP | TERN_POLLRDHUP,
	ALL = IN | OUT | ENDS
};

static void begin_within(uint64_t memory_max)
{
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 80);
	struct tern_config cfg;
	struct tern_env env;

	counted = (struct test_env){ .fill = 0xa5 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	cfg.memory_max = memory_max;
	st = tern_new(&cfg, &env);
	now = TERN_SEC;
	run();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(st, listener, &at), 0);
	check_eq(tern_listen(st, listener, 5), 0);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &a), 0);
	check_eq(tern_connect(st, a, &at), -TERN_EINPROGRESS);
}

static void begin(void)
{
	begin_within(1 << 30);
}

static void let_in(void)
{
	run();
	check_eq(tern_accept(st, listener, &b, NULL), 0);
	news_of_sock(0);
}

static void end(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

static void open_both(void)
{
	begin();
	let_in();
}

static void a_handshake(void)
{
	begin();
	check_eq(news_of_sock(a), ALL);
	check_eq(tern_accept(st, listener, &b, NULL), 0);
	check_eq(news_of_sock(b), ALL);
	check_eq(news_of_sock(a), 0);
	end();
	begin();
	check_eq(news_of_sock(listener), IN);
	end();
}

/* Text is news each time, also when the last was not read; what acknowledges it is none. */
static void text(void)
{
	char byte;

	open_both();
	for (int i = 0; i < 3; i++) {
		check_eq(tern_send(st, a, "x", 1, 0), 1);
		check_eq(news_of_sock(b), IN);
	}
	for (int i = 0; i < 3; i++) {
		check_eq(tern_send(st, a, "x", 1, 0), 1);
		check_eq(news_of_sock(a), 0);
	}
	check_eq(tern_recv(st, b, &byte, 1, 0), 1);
	check_eq(news_of_sock(b), 0);
	check_eq(news_of_sock(a), 0);
	end();
}

/* Room is told once, when a third of the buffer is free again, to whoever had filled it. */
static void room(void)
{
	static char bytes[1 << 20];
	int64_t n, taken = 0;
	int size = 100000;
	unsigned told = 0;

	open_both();
	check_eq(tern_setsockopt(st, a, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	while ((n = tern_send(st, a, bytes, sizeof(bytes), 0)) > 0) {
		taken += n;
		run();
		if (taken > 100000000)
			break;
	}
	check_eq(n, -TERN_EAGAIN);
	news_of_sock(0);
	check_eq(tern_poll(st, a) & TERN_POLLOUT, 0);
	for (int64_t left = taken; left > 0;) {
		n = tern_recv(st, b, bytes, 4096, 0);
		if (n == -TERN_EAGAIN) {
			now += TERN_SEC;
		} else if (n <= 0) {
			check(false);
			break;
		} else {
			left -= n;
		}
		n = news_of_sock(a);
		check(n == 0 || (n == OUT && (tern_poll(st, a) & TERN_POLLOUT)));
		told += n == OUT;
	}
	check_eq(told, 1);
	end();
}

/* TCP_NOTSENT_LOWAT: room comes when bytes have gone, before they are acknowledged. */
static void room_when_sent(void)
{
	static char bytes[1000];
	int low = 500, zero = 0;

	open_both();
	check_eq(tern_setsockopt(st, a, TERN_IPPROTO_TCP, TERN_TCP_NOTSENT_LOWAT, &low, 4), 0);
	check_eq(tern_send(st, a, bytes, sizeof(bytes), 0), 1000);
	check_eq(tern_poll(st, a) & TERN_POLLOUT, 0);
	check_eq(news_of_sock(a), OUT);
	check(tern_poll(st, a) & TERN_POLLOUT);
	/* and when the user takes the limit away */
	check_eq(tern_send(st, a, bytes, sizeof(bytes), TERN_MSG_MORE), 1000);
	check_eq(tern_poll(st, a) & TERN_POLLOUT, 0);
	check_eq(tern_setsockopt(st, a, TERN_IPPROTO_TCP, TERN_TCP_NOTSENT_LOWAT, &zero, 4), 0);
	check_eq(news_of_sock(a), OUT);
	end();
}

static void a_handle_that_has_ended(void)
{
	open_both();
	check_eq(tern_send(st, a, "x", 1, 0), 1);
	run();
	check_eq(tern_close(st, b), 0);
	check_eq(news_of_sock(b), 0);
	end();
}

/* Until it may have come back nobody is asked to write; a send that was refused keeps nothing. */
static void memory_is_short(void)
{
	static struct tern_pkt *hog[4096];
	struct tern_span span;
	unsigned n = 0;

	begin_within(600000);
	let_in();
	now += 10 * TERN_SEC; /* what the handshake left has gone */
	news_of_sock(0);
	for (unsigned k = 0; k < 2; k++) {
		while (n < 4096 && (hog[n] = tern_pkt_new(st, 4000)))
			n++;
		while (n < 4096 && (hog[n] = tern_pkt_new(st, 100)))
			n++;
		check(n < 4096);
		if (k == 0)
			check_eq(tern_send(st, a, "x", 1, 0), -TERN_EAGAIN);
		else
			check_eq(tern_send_space(st, a, &span, 1), -TERN_EAGAIN);
		check_eq(tern_poll(st, a) & (TERN_POLLOUT | ENDS), 0);
		check_eq(news_at_once(a), 0);
		/* there is none yet: it is tried, and refused again */
		tern_advance(st, now += 50 * TERN_MS);
		check_eq(news_at_once(a), OUT);
		check_eq(tern_send(st, a, "x", 1, 0), -TERN_EAGAIN);
		while (n)
			tern_pkt_free(st, hog[--n]);
		check_eq(news_at_once(a), 0);
		tern_advance(st, now += 50 * TERN_MS);
		check_eq(news_at_once(a), OUT);
		check(tern_poll(st, a) & TERN_POLLOUT);
		check_eq(news_of_sock(a), 0);
		check_eq(tern_deadline(st), TERN_NEVER);
	}
	check_eq(tern_send(st, a, "x", 1, 0), 1);
	check_eq(news_of_sock(b), IN);
	end();
}

static void ends(void)
{
	open_both();
	check_eq(tern_shutdown(st, a, TERN_SHUT_WR), 0);
	check_eq(news_of_sock(b) & IN, IN);
	check_eq(tern_abort(st, b), 0);
	check_eq(news_of_sock(a), ALL);
	check(tern_poll(st, a) & TERN_POLLERR);
	end();
	open_both();
	check_eq(tern_abort(st, a), 0);
	check_eq(news_of_sock(b), ALL);
	end();
	/* and of what its own program ends, whoever else waits there */
	for (int how = TERN_SHUT_RD; how <= TERN_SHUT_RDWR; how++) {
		open_both();
		check_eq(tern_shutdown(st, a, how), 0);
		check_eq(news_at_once(a), ALL);
		check(how == TERN_SHUT_WR || (tern_poll(st, a) & TERN_POLLRDHUP));
		end();
	}
}

/* As on Linux: who watches a listener that is shut is told, and it may listen or connect again. */
static void a_listener_is_shut(void)
{
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 80);

	begin();
	run();
	check_eq(tern_shutdown(st, listener, TERN_SHUT_RD), 0);
	check_eq(news_of_sock(listener), ALL);
	check(tern_poll(st, listener) & TERN_POLLHUP);
	check(tern_poll(st, a) & TERN_POLLERR); /* nobody had accepted it */
	check_eq(tern_listen(st, listener, 5), 0);
	check_eq(tern_shutdown(st, listener, TERN_SHUT_RDWR), 0);
	check_eq(tern_connect(st, listener, &at), -TERN_EINPROGRESS);
	run();
	check_eq(tern_close(st, listener), 0);
	end();
	begin();
	check_eq(tern_shutdown(st, listener, TERN_SHUT_RD), 0);
	check_eq(tern_close(st, listener), 0);
	end();
}

static void datagrams(void)
{
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 53), closed = tern_ip4(127, 0, 0, 1, 54);
	tern_sock s, to;

	open_both();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &to), 0);
	check_eq(tern_bind(st, to, &at), 0);
	check_eq(tern_sendto(st, s, "x", 1, 0, &at), 1);
	check_eq(news_of_sock(to), IN);
	check_eq(tern_connect(st, s, &closed), 0);
	check_eq(tern_send(st, s, "x", 1, 0), 1);
	check_eq(news_of_sock(s), ENDS);
	check(tern_poll(st, s) & TERN_POLLERR);
	end();
}

/* A smaller buffer fills a socket up, which is told when there is room in that one. */
static void room_in_a_smaller_buffer(void)
{
	static char bytes[300000];
	int size = 4096;
	int64_t n;

	open_both();
	check_eq(tern_send(st, a, bytes, sizeof(bytes), 0), sizeof(bytes));
	check(tern_poll(st, a) & TERN_POLLOUT);
	check_eq(tern_setsockopt(st, a, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	check_eq(tern_poll(st, a) & TERN_POLLOUT, 0);
	for (int64_t left = sizeof(bytes); left > 0; left -= n) {
		run();
		n = tern_recv(st, b, bytes, sizeof(bytes), 0);
		if (n <= 0) {
			now += TERN_SEC;
			n = 0;
		}
	}
	check_eq(news_of_sock(a), OUT);
	check(tern_poll(st, a) & TERN_POLLOUT);
	/* and a larger one is room at once */
	while (tern_send(st, a, bytes, 4096, 0) > 0)
		continue;
	news_at_once(0);
	check_eq(tern_poll(st, a) & TERN_POLLOUT, 0);
	size = 200000;
	check_eq(tern_setsockopt(st, a, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	check_eq(news_at_once(a), OUT);
	end();
}

/* Two wires whose devices take nothing until they are asked. */
static tern_sock begin_on_wires(void)
{
	struct tern_iface wire = { "wire2", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr own = tern_ip4(10, 0, 2, 1, 0);
	tern_sock s;

	begin();
	for (unsigned i = 2; i < 4; i++) {
		wire.name[4] = (char)('0' + i);
		own.ip[2] = (uint8_t)i;
		check_eq(tern_iface_add(st, &wire), i);
		check_eq(tern_addr_add(st, i, &own, 24), 0);
	}
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	return s;
}

/* Who is told that there is room has it, also for a datagram that is large. */
static void room_for_a_datagram(void)
{
	static char bytes[65000];
	struct tern_addr to = tern_ip4(10, 0, 2, 2, 53);
	struct tern_pkt *p;
	tern_sock s = begin_on_wires();
	int size = 50000; /* doubled, as on Linux */

	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	check_eq(tern_sendto(st, s, bytes, 40000, 0, &to), 40000);
	check(tern_poll(st, s) & TERN_POLLOUT);
	check_eq(tern_sendto(st, s, bytes, sizeof(bytes), 0, &to), sizeof(bytes));
	check_eq(tern_poll(st, s) & TERN_POLLOUT, 0);
	check_eq(tern_sendto(st, s, bytes, 1, 0, &to), -TERN_EAGAIN);
	news_of_sock(0);
	while ((p = tern_output(st, 2)))
		tern_pkt_free(st, p);
	check_eq(news_of_sock(s), OUT);
	check(tern_poll(st, s) & TERN_POLLOUT);
	/* and a larger buffer is room at once */
	check_eq(tern_sendto(st, s, bytes, sizeof(bytes), 0, &to), sizeof(bytes));
	check_eq(tern_poll(st, s) & TERN_POLLOUT, 0);
	news_at_once(0);
	size = 200000;
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	check_eq(news_at_once(s), OUT);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size)), 0);
	check_eq(news_at_once(s), 0); /* there was */
	end();
}

/* What waits for an interface that goes is lost; what the socket has for another goes. */
static void an_interface_goes(void)
{
	struct tern_addr to = tern_ip4(10, 0, 2, 2, 53), lost = tern_ip4(10, 0, 3, 2, 53);
	struct tern_pkt *p;
	tern_sock s = begin_on_wires();
	unsigned n = 0;

	check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
	check_eq(tern_sendto(st, s, "x", 1, 0, &lost), 1);
	check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
	check_eq(tern_iface_del(st, 3), 0);
	for (int i = 0; i < 3; i++) {
		while ((p = tern_output(st, 2))) {
			tern_pkt_free(st, p);
			n++;
		}
		run();
	}
	check_eq(n, 2);
	check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
	check(tern_output_ready(st, 2));
	end();
}

static const struct test tests[] = {
	TEST(a_handshake),
	TEST(text),
	TEST(room),
	TEST(room_when_sent),
	TEST(room_in_a_smaller_buffer),
	TEST(room_for_a_datagram),
	TEST(an_interface_goes),
	TEST(a_handle_that_has_ended),
	TEST(memory_is_short),
	TEST(ends),
	TEST(a_listener_is_shut),
	TEST(datagrams),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
