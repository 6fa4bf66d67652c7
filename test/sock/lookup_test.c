/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup_test.c - core/sock/lookup.c: which of several sockets on one port is a packet for?
 *
 * As on Linux the one that names the most wins: its peer, its address, its interface, its family;
 * whoever came first does not matter. SO_REUSEPORT shares flows out. A client's connections are
 * side by side in the table. Names that collide are in bind_test.c.
 */
#include "../../include/tern.h"

#include "test.h"

enum { PORT = 53, SENDER = 1000, N_MAX = 4 };

static struct test_env counted;
static struct tern_stack *st;
static tern_time now;

static void start(void)
{
	struct tern_iface iface = { "net", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_config cfg;
	struct tern_env env;
	struct tern_addr a;

	counted = (struct test_env){ .fill = 0x21 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &iface), 2);
	a = tern_ip4(10, 0, 0, 1, 0);
	tern_addr_add(st, 2, &a, 24);
	a = tern_ip4(10, 0, 0, 2, 0);
	tern_addr_add(st, 2, &a, 24);
	tern_addr_parse("fd00::1", 0, &a);
	tern_addr_add(st, 2, &a, 64);
	now = TERN_SEC;
	tern_advance(st, now);
}

static void finish(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

static void set_option(tern_sock s, int level, int number, int32_t v)
{
	check_eq(tern_setsockopt(st, s, level, number, &v, sizeof(v)), 0);
}

/* ---- the most specific wins ---- */

enum { V6ONLY = 1, ON_LO = 2, ON_NET = 4 };

struct name {
	const char *local; /* NULL: none */
	const char *peer;  /* connected to its port SENDER; NULL: not */
	unsigned how;
};

static const struct match {
	const char *what;
	struct name names[N_MAX];
	const char *to;
	int want; /* -1: nobody */
} matches[] = {
	{ "alone", { { "0.0.0.0", NULL, 0 } }, "10.0.0.1", 0 },
	{ "an address beats any",
	  { { "0.0.0.0", NULL, 0 }, { "10.0.0.1", NULL, 0 } },
	  "10.0.0.1",
	  1 },
	{ "another address", { { "10.0.0.2", NULL, 0 } }, "10.0.0.1", -1 },
	{ "not the other address",
	  { { "10.0.0.2", NULL, 0 }, { "0.0.0.0", NULL, 0 } },
	  "10.0.0.1",
	  1 },
	{ "a peer beats an address",
	  { { "10.0.0.1", NULL, 0 }, { "10.0.0.1", "10.0.0.1", 0 } },
	  "10.0.0.1",
	  1 },
	{ "another peer", { { "10.0.0.1", "10.0.0.9", 0 } }, "10.0.0.1", -1 },
	{ "another peer, and any",
	  { { "10.0.0.1", "10.0.0.9", 0 }, { "0.0.0.0", NULL, 0 } },
	  "10.0.0.1",
	  1 },
	{ "its own family beats both",
	  { { "::", NULL, 0 }, { "0.0.0.0", NULL, 0 } },
	  "10.0.0.1",
	  1 },
	{ "both families", { { "::", NULL, 0 } }, "10.0.0.1", 0 },
	{ "both families, of the other", { { "::", NULL, 0 } }, "fd00::1", 0 },
	{ "IPv6 alone", { { "::", NULL, V6ONLY } }, "10.0.0.1", -1 },
	{ "IPv6 alone, of its own", { { "::", NULL, V6ONLY } }, "fd00::1", 0 },
	{ "IPv4 takes no IPv6", { { "0.0.0.0", NULL, 0 } }, "fd00::1", -1 },
	{ "an IPv4 address beats the IPv6 any",
	  { { "::", NULL, 0 }, { "10.0.0.1", NULL, 0 } },
	  "10.0.0.1",
	  1 },
	{ "an interface beats any",
	  { { "0.0.0.0", NULL, 0 }, { "0.0.0.0", NULL, ON_LO } },
	  "10.0.0.1",
	  1 },
	{ "another interface", { { "0.0.0.0", NULL, ON_NET } }, "10.0.0.1", -1 },
	{ "address and interface beat address",
	  { { "10.0.0.1", NULL, 0 }, { "10.0.0.1", NULL, ON_LO }, { "0.0.0.0", NULL, ON_LO } },
	  "10.0.0.1",
	  1 },
};

static tern_sock open_name(const struct name *n)
{
	struct tern_addr at;
	tern_sock s;

	check_eq(tern_addr_parse(n->local, PORT, &at), 0);
	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &s), 0);
	set_option(s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, 1);
	if (at.family == TERN_AF_INET6)
		set_option(s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, n->how & V6ONLY ? 1 : 0);
	if (n->how & (ON_LO | ON_NET))
		set_option(s, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, n->how & ON_LO ? 1 : 2);
	check_eq(tern_bind(st, s, &at), 0);
	if (n->peer) {
		check_eq(tern_addr_parse(n->peer, SENDER, &at), 0);
		check_eq(tern_connect(st, s, &at), 0);
	}
	return s;
}

/* Sends from our own address `to` and port `from` to its port PORT: it travels over lo. */
static void send_to(const char *to, uint16_t from)
{
	struct tern_addr at, self;
	tern_sock s;

	check_eq(tern_addr_parse(to, PORT, &at), 0);
	check_eq(tern_addr_parse(to, from, &self), 0);
	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &self), 0);
	check_eq(tern_sendto(st, s, "hello", 5, 0, &at), 5);
	tern_advance(st, now += TERN_MS);
	check_eq(tern_close(st, s), 0);
}

static bool got_one(tern_sock s)
{
	char buf[8];
	int64_t n = tern_recv(st, s, buf, sizeof(buf), 0);

	check(n == 5 || n == -TERN_EAGAIN);
	return n == 5;
}

static void try_match(const struct match *m, bool reversed)
{
	tern_sock socks[N_MAX] = { 0 };
	int n = 0;

	start();
	while (n < N_MAX && m->names[n].local)
		n++;
	for (int i = 0; i < n; i++) {
		int k = reversed ? n - 1 - i : i;

		socks[k] = open_name(&m->names[k]);
	}
	send_to(m->to, SENDER);
	for (int i = 0; i < n; i++)
		check_eq(got_one(socks[i]), i == m->want);
	check_eq(tern_counter(st, "UdpNoPorts"), m->want < 0);
	finish();
}

static void the_most_specific_wins(void)
{
	for (size_t i = 0; i < N_TESTS(matches); i++) {
		for (unsigned reversed = 0; reversed < 2; reversed++) {
			test_at("%s%s", matches[i].what, reversed ? ", the last first" : "");
			try_match(&matches[i], reversed);
		}
	}
}

/* ---- SO_REUSEPORT ---- */

static void flows_are_shared_out(void)
{
	enum { N_SOCKS = 4, N_FLOWS = 400 };
	struct tern_addr at = tern_ip4(10, 0, 0, 1, PORT);
	tern_sock socks[N_SOCKS];
	unsigned n[N_SOCKS] = { 0 };

	start();
	for (int i = 0; i < N_SOCKS; i++) {
		check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &socks[i]), 0);
		set_option(socks[i], TERN_SOL_SOCKET, TERN_SO_REUSEPORT, 1);
		check_eq(tern_bind(st, socks[i], &at), 0);
	}
	for (uint16_t flow = 0; flow < N_FLOWS; flow++) {
		int first = -1, n_got = 0;

		test_at("flow %u", flow);
		for (int again = 0; again < 3; again++) { /* one flow, one socket */
			send_to("10.0.0.1", (uint16_t)(2000 + flow));
			for (int i = 0; i < N_SOCKS; i++) {
				if (!got_one(socks[i]))
					continue;
				check(first < 0 || first == i);
				first = i;
				n_got++;
			}
		}
		check_eq(n_got, 3);
		if (first >= 0)
			n[first]++;
	}
	for (int i = 0; i < N_SOCKS; i++) /* 100 each on average; four standard deviations */
		check(n[i] >= 65 && n[i] <= 135);
	finish();
}

/* ---- streams: a listener hears SYNs that no connection claims ---- */

static void listeners(void)
{
	static const struct {
		const char *first, *second, *to;
		int want;
	} cases[] = {
		{ "0.0.0.0", "10.0.0.1", "10.0.0.1", 1 },
		{ "0.0.0.0", "10.0.0.1", "10.0.0.2", 0 },
		{ "10.0.0.2", "10.0.0.1", "10.0.0.2", 0 },
	};

	for (size_t i = 0; i < N_TESTS(cases); i++) {
		const char *names[2] = { cases[i].first, cases[i].second };
		tern_sock l[2], c, child;
		struct tern_addr at;

		test_at("%s and %s, to %s", names[0], names[1], cases[i].to);
		start();
		for (int k = 0; k < 2; k++) {
			check_eq(tern_addr_parse(names[k], 80, &at), 0);
			tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &l[k]);
			set_option(l[k], TERN_SOL_SOCKET, TERN_SO_REUSEPORT, 1);
			check_eq(tern_bind(st, l[k], &at), 0);
			check_eq(tern_listen(st, l[k], 4), 0);
		}
		check_eq(tern_addr_parse(cases[i].to, 80, &at), 0);
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &c);
		check_eq(tern_connect(st, c, &at), -TERN_EINPROGRESS);
		tern_advance(st, now += TERN_MS);
		for (int k = 0; k < 2; k++)
			check_eq(tern_accept(st, l[k], &child, NULL),
				 k == cases[i].want ? 0 : -TERN_EAGAIN);
		finish();
	}
}

/* A bound stream that does not listen hears nothing: the SYN is answered by a RST. */
static void bound_is_not_listening(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 80);
	int32_t err = 0;
	size_t len = sizeof(err);
	tern_sock b, c;

	start();
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &b);
	check_eq(tern_bind(st, b, &at), 0);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &c);
	check_eq(tern_connect(st, c, &at), -TERN_EINPROGRESS);
	tern_advance(st, now += TERN_MS);
	check_eq(tern_getsockopt(st, c, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len), 0);
	check_eq(err, TERN_ECONNREFUSED);
	finish();
}

/* ---- where names are ---- */

enum { CLIENT = 40000, N_SIDE_BY_SIDE = 32 };

/* A connection over lo, from this port to port 80; TIME-WAIT is left of it where it closed first. */
static void live(const char *addr, uint16_t from, tern_sock listener, bool server_first)
{
	tern_sock ends[2];
	struct tern_addr at;

	check_eq(tern_addr_parse(addr, from, &at), 0);
	check_eq(tern_socket(st, at.family, TERN_SOCK_STREAM, 0, &ends[0]), 0);
	check_eq(tern_bind(st, ends[0], &at), 0);
	at.port = 80;
	check_eq(tern_connect(st, ends[0], &at), -TERN_EINPROGRESS);
	tern_advance(st, now += TERN_MS);
	check_eq(tern_accept(st, listener, &ends[1], NULL), 0);
	check_eq(tern_close(st, ends[server_first]), 0);
	tern_advance(st, now += TERN_MS);
	check_eq(tern_close(st, ends[!server_first]), 0);
	tern_advance(st, now += TERN_MS);
}

/* Records are listed as they are in the table, which goes on at its beginning after its end. */
static void are_listed_in_order(bool server_first)
{
	unsigned n = 0, n_breaks = 0, last = 0;
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &info)) {
		unsigned client = server_first ? info.remote.port : info.local.port;

		if (info.state != TERN_TCP_TIME_WAIT)
			continue;
		n_breaks += n && client != last + 1;
		last = client;
		n++;
	}
	check_eq(n, N_SIDE_BY_SIDE);
	check(n_breaks <= 1);
}

static void a_client_is_side_by_side(void)
{
	static const char *const addrs[] = { "10.0.0.1", "fd00::1" };

	for (unsigned i = 0; i < 4; i++) {
		const char *addr = addrs[i & 1];
		bool server_first = i & 2;
		struct tern_addr at;
		tern_sock l;

		test_at("%s, %s first", addr, server_first ? "server" : "client");
		start();
		check_eq(tern_addr_parse(addr, 80, &at), 0);
		check_eq(tern_socket(st, at.family, TERN_SOCK_STREAM, 0, &l), 0);
		check_eq(tern_bind(st, l, &at), 0);
		check_eq(tern_listen(st, l, 4), 0);
		for (uint16_t k = 0; k < N_SIDE_BY_SIDE; k++) /* 40000 is a multiple of 32 */
			live(addr, CLIENT + k, l, server_first);
		are_listed_in_order(server_first);
		finish();
	}
}

static const struct test tests[] = {
	TEST(the_most_specific_wins), TEST(flows_are_shared_out),     TEST(listeners),
	TEST(bound_is_not_listening), TEST(a_client_is_side_by_side),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
