/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_gateway_test.c - tern_gateway.h as its users call it: a turn only when its descriptor asks
 * for one; the link is a pair of sockets, behind which a stack of the test's is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../host/loop/loop.h"
#include "../../include/tern_gateway.h"
#include "test.h"

enum { LINK = 2 };

static struct loop l;
static struct tern_stack *inside;
static struct tern_gateway *g;
static unsigned n_traced;
static int code; /* of the last turn */

static void count_trace(void *ctx, const struct tern_trace *t)
{
	(void)t;
	++*(unsigned *)ctx;
}

static void open_inside(int fd)
{
	struct tern_addr addr = tern_ip4(10, 0, 2, 15, 0);
	struct tern_route all = { .dst = { .family = TERN_AF_INET }, .ifindex = LINK };
	struct dev_wish wish = { .mtu = 0 };
	struct tern_config cfg;

	loop_init(&l);
	tern_config_default(&cfg);
	inside = loop_new_stack(&l, &cfg, NULL, NULL);
	check_eq(loop_add(&l, inside, fd_open(fd, false, &wish)), LINK);
	check_eq(tern_addr_add(inside, LINK, &addr, 24), 0);
	check_eq(tern_route_add(inside, &all), 0);
	close(fd);
}

/* udp_idle_ms, link_bytes: 0: as usual */
static void open_world_with(uint32_t udp_idle_ms, int link_bytes)
{
	char error[TERN_GATEWAY_ERROR_MAX];
	struct tern_gateway_config cfg;
	int pair[2];

	check_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	tern_gateway_config_default(&cfg);
	cfg.fd = pair[0];
	cfg.addr = tern_ip4(10, 0, 2, 2, 0);
	if (udp_idle_ms)
		cfg.udp_idle_ms = udp_idle_ms;
	if (link_bytes)
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &link_bytes, sizeof(link_bytes));
	cfg.trace = count_trace;
	cfg.ctx = &n_traced;
	n_traced = 0;
	code = 0;
	g = tern_gateway_new(&cfg, error);
	check(g != NULL);
	check(fcntl(pair[0], F_GETFD) == -1 && errno == EBADF); /* it is the gateway's now */
	open_inside(pair[1]);
}

static void open_world(void)
{
	open_world_with(0, 0);
}

static void close_world(void)
{
	tern_gateway_free(g);
	loop_fini(&l);
}

/* The gateway alone, while its descriptor wants it; whether it did. */
static bool turn_gateway(int wait_ms)
{
	struct pollfd p = { tern_gateway_fd(g), POLLIN, 0 };

	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	code = tern_gateway_turn(g);
	return true;
}

static void turn(void)
{
	struct pollfd own = { tern_gateway_fd(g), POLLIN, 0 };
	struct tern_event ev;

	loop_pump(&l);
	while (tern_event(inside, &ev))
		continue;
	loop_wait(&l, loop_now() + 2 * TERN_MS, &own, 1);
	if (own.revents)
		code = tern_gateway_turn(g);
}

#define wait_until(cond)                                                                           \
	do {                                                                                       \
		tern_time end_ = loop_now() + 30 * TERN_SEC;                                       \
		bool so_;                                                                          \
		while (!(so_ = (cond)) && loop_now() < end_)                                       \
			turn();                                                                    \
		check(so_);                                                                        \
	} while (0)

static int bind_here(int type, struct tern_addr *at)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(name);
	int s = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	check_eq(bind(s, (struct sockaddr *)&name, len), 0);
	check_eq(getsockname(s, (struct sockaddr *)&name, &len), 0);
	*at = tern_ip4(10, 0, 2, 2, ntohs(name.sin_port));
	return s;
}

static int listen_here(struct tern_addr *at)
{
	int s = bind_here(SOCK_STREAM, at);

	check_eq(listen(s, 4), 0);
	return s;
}

static struct tern_gateway_counts counts(void)
{
	struct tern_gateway_counts c;

	tern_gateway_count(g, &c);
	return c;
}

static void a_stream_goes_through(void)
{
	enum { LEN = 3000000 };
	static char bytes[65536];
	int listener, host = -1;
	size_t sent = 0, got = 0;
	struct tern_addr at;
	tern_sock s;
	int64_t n;

	open_world();
	listener = listen_here(&at);
	check_eq(tern_socket(inside, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(inside, s, &at), -TERN_EINPROGRESS);
	wait_until((host = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
	wait_until(tern_send(inside, s, "ask", 3, 0) == 3);
	wait_until(recv(host, bytes, sizeof(bytes), 0) == 3);
	check_eq(counts().tcp, 1);
	check_eq(counts().live, 1);
	while (got < LEN) {
		turn();
		while ((n = tern_recv(inside, s, bytes, sizeof(bytes), 0)) > 0)
			got += (size_t)n;
		n = sent < LEN ? send(host, bytes,
				      LEN - sent < sizeof(bytes) ? LEN - sent : sizeof(bytes),
				      MSG_NOSIGNAL) :
				 0;
		sent += n > 0 ? (size_t)n : 0;
	}
	check_eq(got, LEN);
	close(host);
	wait_until(tern_recv(inside, s, bytes, 1, 0) == 0);
	tern_close(inside, s);
	wait_until(counts().live == 0);
	check(counts().bytes_in == LEN && counts().bytes_out == 3);
	check(n_traced > 0 && tern_counter(tern_gateway_stack(g), "TcpInSegs") > 0);
	close(listener);
	close_world();
}

/* A socket inside that has asked one of the host's, and who asked. */
static tern_sock ask(int host, struct sockaddr_in *who, const struct tern_addr *at)
{
	socklen_t len = sizeof(*who);
	char text[8];
	tern_sock s;

	check_eq(tern_socket(inside, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_sendto(inside, s, "ask", 3, 0, at), 3);
	wait_until(recvfrom(host, text, sizeof(text), 0, (struct sockaddr *)who, &len) == 3);
	check_eq(counts().udp, 1);
	return s;
}

/* More than the link holds waits until the link can take it, though no timer runs. */
static void a_full_link_is_waited_for(void)
{
	enum { N = 20, LEN = 1000 };
	static const char answer[LEN];
	struct sockaddr_in who;
	struct tern_addr at;
	unsigned n_got = 0;
	char text[LEN];
	tern_sock s;
	int host;

	open_world_with(0, 1);
	host = bind_here(SOCK_DGRAM, &at);
	s = ask(host, &who, &at);
	for (int i = 0; i < N; i++)
		check_eq(sendto(host, answer, LEN, 0, (struct sockaddr *)&who, sizeof(who)), LEN);
	while (turn_gateway(20)) /* nobody reads the other end */
		continue;
	wait_until((n_got += tern_recv(inside, s, text, LEN, 0) == LEN) == N);
	tern_close(inside, s);
	close(host);
	close_world();
}

static void a_flow_ends_in_time(void)
{
	struct sockaddr_in who;
	struct tern_addr at;
	tern_sock s;
	int host;

	open_world_with(50, 0);
	host = bind_here(SOCK_DGRAM, &at);
	s = ask(host, &who, &at);
	wait_until(counts().live == 0);
	tern_close(inside, s);
	close(host);
	close_world();
}

/* Where nothing is to do the descriptor says so: nobody spins. */
static void it_rests(void)
{
	unsigned n = 0;

	open_world();
	for (int i = 0; i < 20; i++)
		turn();
	while (n < 100 && turn_gateway(50))
		n++;
	check(n < 20);
	close_world();
}

static void the_host_reaches_the_inside(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 0), to = tern_ip4(10, 0, 2, 15, 7), taken;
	int host = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int busy = listen_here(&taken);
	tern_sock listener, s;
	char text[8];

	open_world();
	taken.ip[0] = 127;
	taken.ip[2] = 0;
	taken.ip[3] = 1;
	check_eq(tern_gateway_forward(g, false, &taken, &to), -EADDRINUSE);
	close(busy);
	at.port = taken.port;
	check_eq(tern_gateway_forward(g, false, &at, &to), 0);
	check_eq(tern_socket(inside, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(inside, listener, &to), 0);
	check_eq(tern_listen(inside, listener, 1), 0);
	name.sin_port = htons(at.port);
	connect(host, (struct sockaddr *)&name, sizeof(name));
	wait_until(tern_accept(inside, listener, &s, NULL) == 0);
	check_eq(tern_send(inside, s, "hello", 5, 0), 5);
	wait_until(recv(host, text, sizeof(text), 0) == 5);
	check_eq(counts().forwarded, 1);
	close(host);
	close_world();
}

static void a_link_that_goes_is_told(void)
{
	open_world();
	loop_fini(&l);
	for (int i = 0; i < 10 && code == 0; i++)
		turn_gateway(100);
	check_eq(code, -ENODEV);
	check_eq(tern_gateway_turn(g), -ENODEV);
	tern_gateway_free(g);
}

static void check_refused(const struct tern_gateway_config *cfg, const char *why)
{
	char error[TERN_GATEWAY_ERROR_MAX] = "";

	check(tern_gateway_new(cfg, error) == NULL);
	if (!strstr(error, why))
		test_fail(__FILE__, __LINE__, "'%s' does not say '%s'", error, why);
}

/* One line says why; the descriptor stays the caller's. */
static void what_cannot_be_is_refused(void)
{
	struct tern_gateway_config cfg;
	char word[300];
	int pair[2];

	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	tern_gateway_config_default(&cfg);
	check_refused(&cfg, "set device or fd");
	cfg.fd = pair[0];
	check_refused(&cfg, "is a stream");
	check(fcntl(pair[0], F_GETFD) != -1);
	close(pair[0]);
	close(pair[1]);
	cfg.fd = 65535;
	check_refused(&cfg, "descriptor 65535");
	cfg.size--;
	check_refused(&cfg, "tern_gateway_config_default");
	check_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	tern_gateway_config_default(&cfg);
	cfg.fd = pair[0];
	cfg.socks = tern_ip4(127, 0, 0, 1, 1080);
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	cfg.socks_user = cfg.socks_password = word;
	check_refused(&cfg, "255");
	cfg.socks_user = cfg.socks_password = NULL;
	close(pair[1]);
	check_refused(&cfg, strerror(ENODEV)); /* there is nobody at its other end */
	check(fcntl(pair[0], F_GETFD) != -1);
	close(pair[0]);
	tern_gateway_free(NULL);
}

/* A port that nobody has said the family of is not one of all addresses. */
static void a_forward_without_a_family_is_refused(void)
{
	struct tern_addr none = { .family = TERN_AF_UNSPEC }, odd = { .family = 99, .port = 4321 };
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 0), to = tern_ip4(10, 0, 2, 15, 80);

	open_world();
	check(tern_gateway_forward(g, false, &none, &to) < 0);
	check(tern_gateway_forward(g, true, &odd, &to) < 0);
	check(tern_gateway_forward(g, false, &at, &none) < 0);
	close_world();
}

/* A set that tells of changes only (EPOLLET) is told again while frames are left to be read. */
static void an_edge_is_enough(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int set = epoll_create1(EPOLL_CLOEXEC), big = 4 << 20, pair[2], left = -1;
	char error[TERN_GATEWAY_ERROR_MAX];
	struct tern_gateway_config cfg;

	check_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	tern_gateway_config_default(&cfg);
	cfg.fd = pair[0];
	g = tern_gateway_new(&cfg, error);
	check(g != NULL);
	check_eq(epoll_ctl(set, EPOLL_CTL_ADD, tern_gateway_fd(g), &ev), 0);
	while (epoll_wait(set, &ev, 1, 50) > 0)
		tern_gateway_turn(g);
	for (int i = 0; i < 100; i++)
		check_eq(send(pair[1], "junk", 4, 0), 4);
	while (epoll_wait(set, &ev, 1, 200) > 0)
		tern_gateway_turn(g);
	check_eq(ioctl(pair[1], SIOCOUTQ, &left), 0);
	check_eq(left, 0); /* all have been taken */
	tern_gateway_free(g);
	close(pair[1]);
	close(set);
}

static const struct test tests[] = {
	TEST(a_forward_without_a_family_is_refused),
	TEST(an_edge_is_enough),
	TEST(a_stream_goes_through),
	TEST(a_full_link_is_waited_for),
	TEST(a_flow_ends_in_time),
	TEST(it_rests),
	TEST(the_host_reaches_the_inside),
	TEST(a_link_that_goes_is_told),
	TEST(what_cannot_be_is_refused),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
