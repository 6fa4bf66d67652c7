/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_socks_test.c - the gateway before a SOCKS5 server that the test is itself: honest, slow,
 * silent, dead and lying ones.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

enum { CONNS_MAX = 32, RELAY_HEADER = 10 };

enum manner {
	HONEST,
	BYTE_BY_BYTE,
	SILENT,
	HANGS_UP,      /* at once */
	HANGS_UP_LATE, /* behind half of the reply */
	NONSENSE,
};

/* What a request was, and where its conversation is. */
struct conn {
	int fd, udp;
	uint8_t in[600];
	size_t in_len;
	enum { METHODS, AUTH, REQUEST, ECHO, DUMB } state;
};

static struct {
	int listener;
	uint16_t port;
	enum manner manner;
	bool wants_password, names_no_relay;
	uint8_t rep; /* what requests are answered with */
	struct conn conn[CONNS_MAX];
	unsigned n;
	uint8_t asked[22]; /* the last request, from its command on */
	size_t asked_len;
	bool good_password;
} server;

static uint8_t bytes[70000];

/* On an address that is not what Linux takes "none" for. */
static int bind_server(int type, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.2", &a.sin_addr);
	check_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	*port = port_of(fd);
	return fd;
}

static void start_server(void)
{
	memset(&server, 0, sizeof(server));
	server.listener = bind_server(SOCK_STREAM, &server.port);
	check_eq(listen(server.listener, 64), 0);
	wish.socks = tern_ip4(127, 0, 0, 2, server.port);
}

static void stop_server(void)
{
	for (unsigned i = 0; i < server.n; i++) {
		if (server.conn[i].fd >= 0)
			close(server.conn[i].fd);
		if (server.conn[i].udp >= 0)
			close(server.conn[i].udp);
	}
	close(server.listener);
}

static void say(struct conn *c, const void *text, size_t len)
{
	if (server.manner == HANGS_UP_LATE && c->state == REQUEST)
		len /= 2;
	check_eq(send(c->fd, text, len, MSG_NOSIGNAL), len);
	if (server.manner == HANGS_UP_LATE && c->state == REQUEST) {
		close(c->fd);
		c->fd = -1;
	}
}

static void drop_in(struct conn *c, size_t len)
{
	c->in_len -= len;
	memmove(c->in, c->in + len, c->in_len);
}

static void answer_request(struct conn *c, size_t len)
{
	uint8_t reply[10] = { 5, server.rep, 0, 1, 127, 0, 0, 2 };
	uint16_t port = 0;

	memcpy(server.asked, c->in + 1, len - 1);
	server.asked_len = len - 1;
	if (c->in[1] == 3 && server.rep == 0) {
		c->udp = bind_server(SOCK_DGRAM, &port);
		if (server.names_no_relay)
			memset(reply + 4, 0, 4);
		reply[8] = (uint8_t)(port >> 8);
		reply[9] = (uint8_t)port;
	}
	say(c, reply, sizeof(reply));
	c->state = server.rep ? DUMB : ECHO;
	drop_in(c, len);
}

/* One step of the conversation; false: it needs more. */
static bool step(struct conn *c)
{
	size_t len;

	if (c->state == METHODS) {
		len = c->in_len >= 2 ? 2u + c->in[1] : 2;
		if (c->in_len < len)
			return false;
		check_eq(c->in[0], 5);
		say(c, server.wants_password ? "\5\2" : "\5\0", 2);
		c->state = server.wants_password ? AUTH : REQUEST;
		drop_in(c, len);
		return true;
	}
	if (c->state == AUTH) {
		static const uint8_t good[] = "\1\2me\6secret";

		if (c->in_len < sizeof(good) - 1)
			return false;
		server.good_password = memcmp(c->in, good, sizeof(good) - 1) == 0;
		say(c, server.good_password ? "\1\0" : "\1\1", 2);
		c->state = REQUEST;
		drop_in(c, sizeof(good) - 1);
		return true;
	}
	if (c->state == REQUEST) {
		len = c->in_len >= 4 && c->in[3] == 4 ? 22 : 10;
		if (c->in_len < len)
			return false;
		answer_request(c, len);
		return c->fd >= 0;
	}
	if (c->state == ECHO && c->in_len) {
		say(c, c->in, c->in_len);
		c->in_len = 0;
	}
	return false;
}

static void serve_datagrams(struct conn *c)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n;

	if (c->udp < 0)
		return;
	while ((n = recvfrom(c->udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len)) >=
	       0) {
		/* lies first: cut, short, named, empty */
		bytes[2] = 1;
		sendto(c->udp, bytes, (size_t)n, 0, (struct sockaddr *)&from, len);
		sendto(c->udp, bytes, 6, 0, (struct sockaddr *)&from, len);
		sendto(c->udp, "\0\0\0\3\1x\0\0abc", 11, 0, (struct sockaddr *)&from, len);
		sendto(c->udp, bytes, 0, 0, (struct sockaddr *)&from, len);
		bytes[2] = 0;
		sendto(c->udp, bytes, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static void serve_conn(struct conn *c)
{
	size_t cap = server.manner == BYTE_BY_BYTE && c->state != ECHO ? 1 : 300;
	ssize_t n;

	if (c->fd < 0 || server.manner == SILENT)
		return;
	serve_datagrams(c);
	n = recv(c->fd, c->in + c->in_len, cap, 0);
	if (n == 0 || server.manner == HANGS_UP) {
		close(c->fd);
		c->fd = -1;
		return;
	}
	if (n < 0)
		return;
	c->in_len += (size_t)n;
	if (server.manner == NONSENSE)
		say(c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	else
		while (step(c))
			continue;
}

/* Always true, for conditions that are waited for. */
static bool serve(void)
{
	int fd;

	while (server.n < CONNS_MAX && (fd = accept_now(server.listener)) >= 0)
		server.conn[server.n++] = (struct conn){ .fd = fd, .udp = -1 };
	for (unsigned i = 0; i < server.n; i++)
		serve_conn(&server.conn[i]);
	return true;
}

static struct tern_addr far_away(bool v6)
{
	struct tern_addr a = tern_ip4(192, 0, 2, 7, 443);

	if (v6)
		check_eq(tern_addr_parse("2001:db8::7", 443, &a), 0);
	return a;
}

/* ---- streams ---- */

static void streams_go_through_the_server(void)
{
	for (unsigned i = 0; i < 8; i++) {
		struct tern_addr to = far_away(i & 1);
		tern_sock s;

		test_at("case %u", i);
		start_server();
		server.wants_password = i & 2;
		server.manner = i & 4 ? BYTE_BY_BYTE : HONEST;
		if (server.wants_password) {
			wish.socks_user = "me";
			wish.socks_password = "secret";
		}
		open_world();
		s = inner_connect(&to);
		wait_until(serve() && is_open(s));
		check_eq(server.asked_len, i & 1 ? 21 : 9);
		check_eq(server.asked[0], 1);
		check_mem(server.asked + 3, to.ip, i & 1 ? 16 : 4);
		check_eq(server.asked[server.asked_len - 1], 443 & 255);
		check_eq(tern_send(st, s, "hello", 5, 0), 5);
		wait_until(serve() && tern_recv(st, s, bytes, 100, 0) == 5);
		check_mem(bytes, "hello", 5);
		tern_shutdown(st, s, TERN_SHUT_WR);
		wait_until(serve() && tern_recv(st, s, bytes, 100, 0) == 0);
		wait_until(gateway_flows(g) == 0);
		tern_close(st, s);
		close_world();
		stop_server();
	}
}

static void replies_become_verdicts(void)
{
	struct tern_addr to = far_away(false);

	for (unsigned rep = 1; rep < 10; rep++) {
		tern_sock s;

		test_at("reply %u", rep);
		start_server();
		server.rep = (uint8_t)rep;
		open_world();
		s = inner_connect(&to);
		wait_until(serve() && gateway_counts(g).refused + gateway_counts(g).timed_out == 1);
		check_eq(gateway_counts(g).refused, rep == 5);
		turns(5);
		check_eq(inner_error(s), rep == 5 ? TERN_ECONNREFUSED : 0);
		check_eq(gateway_flows(g), 0);
		tern_close(st, s);
		close_world();
		stop_server();
	}
}

static void a_wrong_password_leads_nowhere(void)
{
	struct tern_addr to = far_away(false);
	tern_sock s;

	start_server();
	server.wants_password = true;
	wish.socks_user = "me";
	wish.socks_password = "sesame"; /* of the same length */
	open_world();
	s = inner_connect(&to);
	wait_until(serve() && gateway_counts(g).timed_out == 1);
	check(!server.good_password);
	check_eq(server.asked_len, 0);
	check_eq(gateway_flows(g), 0);
	check_eq(inner_error(s), 0);
	close_world();
	stop_server();
}

static void servers_that_do_not_behave(void)
{
	static const enum manner manners[] = { SILENT, HANGS_UP, HANGS_UP_LATE, NONSENSE };
	struct tern_addr to = far_away(false);

	for (unsigned i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		tern_sock s;

		test_at("manner %u", i);
		start_server();
		server.manner = manners[i];
		wish.connect_timeout = 300 * TERN_MS;
		open_world();
		s = inner_connect(&to);
		wait_until(serve() && gateway_counts(g).timed_out == 1);
		check_eq(gateway_flows(g), 0);
		turns(5);
		check_eq(tern_poll(st, s), 0);
		tern_close(st, s);
		close_world();
		stop_server();
	}
}

static void no_server_is_no_answer(void)
{
	struct tern_addr to = far_away(false);
	tern_sock s;

	start_server();
	close(server.listener);
	server.listener = -1;
	open_world();
	s = inner_connect(&to);
	wait_until(gateway_counts(g).timed_out == 1);
	check_eq(gateway_counts(g).refused, 0);
	check_eq(inner_error(s), 0);
	check_eq(gateway_flows(g), 0);
	close_world();
}

/* What is for the gateway itself is the host's loopback, not the server's. */
static void own_addresses_go_round_the_server(void)
{
	struct stream s;

	start_server();
	open_world();
	s = open_stream(AF_INET);
	check_eq(send(s.outer, "hi", 2, 0), 2);
	wait_until(tern_recv(st, s.inner, bytes, 10, 0) == 2);
	check(serve());
	check_eq(server.n, 0);
	close_stream(&s);
	close_world();
	stop_server();
}

/* ---- datagrams ---- */

static tern_sock inner_dgram(int family)
{
	tern_sock s = 0;

	check_eq(tern_socket(st, family, TERN_SOCK_DGRAM, 0, &s), 0);
	return s;
}

/* One association serves all that one endpoint says to anybody. */
static void datagrams_go_through_an_association(void)
{
	for (unsigned i = 0; i < 8; i++) {
		int family = i & 1 ? TERN_AF_INET6 : TERN_AF_INET;
		tern_sock s;

		start_server();
		server.names_no_relay = i & 2;
		server.wants_password = i & 4;
		wish.socks_user = i & 4 ? "me" : NULL;
		wish.socks_password = i & 4 ? "secret" : NULL;
		open_world();
		s = inner_dgram(family);
		for (unsigned k = 0; k < 5; k++) {
			struct tern_addr to = far_away(i & 1), from;

			test_at("case %u, datagram %u", i, k);
			to.ip[i & 1 ? 15 : 3] = (uint8_t)(10 + k);
			fill(bytes, 900, k);
			check_eq(tern_sendto(st, s, bytes, 900, 0, &to), 900);
			wait_until(serve() && tern_recvfrom(st, s, bytes, 2000, 0, &from) == 900);
			check(is_filled(bytes, 900, k));
			check_mem(&from, &to, sizeof(from));
			check_eq(tern_recv(st, s, bytes, 2000, 0), -TERN_EAGAIN);
		}
		check_eq(server.n, 1);
		check_eq(gateway_flows(g), 1);
		close_world();
		stop_server();
	}
}

/* The flow ends with its stream, and the next datagram begins a new one. */
static void an_association_ends_with_its_stream(void)
{
	struct tern_addr to = far_away(false);
	tern_sock s;

	start_server();
	open_world();
	s = inner_dgram(TERN_AF_INET);
	check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
	wait_until(serve() && tern_recv(st, s, bytes, 10, 0) == 1);
	close(server.conn[0].fd);
	server.conn[0].fd = -1;
	wait_until(gateway_flows(g) == 0);
	check_eq(tern_sendto(st, s, "y", 1, 0, &to), 1);
	wait_until(serve() && tern_recv(st, s, bytes, 10, 0) == 1);
	check_eq(bytes[0], 'y');
	close_world();
	stop_server();
}

static void associations_that_never_come_about(void)
{
	static const enum manner manners[] = { SILENT, HANGS_UP, HANGS_UP_LATE, NONSENSE };
	struct tern_addr to = far_away(false);

	for (unsigned i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		tern_sock s;

		test_at("manner %u", i);
		start_server();
		server.manner = manners[i];
		wish.udp_idle = 200 * TERN_MS;
		open_world();
		s = inner_dgram(TERN_AF_INET);
		for (int k = 0; k < 20; k++) /* more than are kept */
			check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
		wait_until(serve() && gateway_counts(g).udp > 0);
		wait_until(serve() && gateway_flows(g) == 0);
		close_world();
		stop_server();
	}
}

static void echo_requests_go_nowhere(void)
{
	uint8_t ping[8] = { 8 };
	struct tern_addr to = far_away(false);
	tern_sock s = 0;

	start_server();
	open_world();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, TERN_IPPROTO_ICMP, &s), 0);
	check_eq(tern_sendto(st, s, ping, sizeof(ping), 0, &to), sizeof(ping));
	turns(10);
	check_eq(gateway_counts(g).echo, 0);
	check_eq(tern_recv(st, s, bytes, 10, 0), -TERN_EAGAIN);
	close_world();
	stop_server();
}

static const struct test tests[] = {
	TEST(streams_go_through_the_server),
	TEST(replies_become_verdicts),
	TEST(a_wrong_password_leads_nowhere),
	TEST(servers_that_do_not_behave),
	TEST(no_server_is_no_answer),
	TEST(own_addresses_go_round_the_server),
	TEST(datagrams_go_through_an_association),
	TEST(an_association_ends_with_its_stream),
	TEST(associations_that_never_come_about),
	TEST(echo_requests_go_nowhere),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
