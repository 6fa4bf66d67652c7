/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind_test.c - which names may two sockets have? Linux's rules, as a table; automatic ports.
 */
#include "test.h"

#include "../../include/tern.h"

static struct test_env counted;

static struct tern_stack *new_stack(uint16_t port_min, uint16_t port_max)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface iface = { "net", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), b = tern_ip4(10, 0, 0, 2, 0);
	struct tern_addr c, d;
	struct tern_stack *st;

	counted = (struct test_env){ .fill = 0xa5 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	cfg.port_min = port_min;
	cfg.port_max = port_max;
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &iface), 2);
	check_eq(tern_addr_add(st, 2, &a, 24), 0);
	check_eq(tern_addr_add(st, 2, &b, 24), 0);
	tern_addr_parse("fd00::1", 0, &c);
	tern_addr_parse("fd00::2", 0, &d);
	check_eq(tern_addr_add(st, 2, &c, 64), 0);
	check_eq(tern_addr_add(st, 2, &d, 64), 0);
	return st;
}

static void end_stack(struct tern_stack *st)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

/* ---- the table ---- */

enum { REUSE = 1, RPORT = 2, V6ONLY = 4, LISTENS = 8, UDP = 16 };

struct name {
	const char *addr; /* of either family */
	unsigned how;
};

struct pair {
	struct name first, second;
	int want; /* of the second bind (or, when it listens, of its listen) */
};

#define IN_USE (-TERN_EADDRINUSE)

static const struct pair pairs[] = {
	/* the same address, wildcards, different addresses */
	{ { "10.0.0.1", 0 }, { "10.0.0.1", 0 }, IN_USE },
	{ { "10.0.0.1", 0 }, { "10.0.0.2", 0 }, 0 },
	{ { "0.0.0.0", 0 }, { "10.0.0.1", 0 }, IN_USE },
	{ { "10.0.0.1", 0 }, { "0.0.0.0", 0 }, IN_USE },
	{ { "0.0.0.0", 0 }, { "0.0.0.0", 0 }, IN_USE },
	{ { "10.0.0.1", UDP }, { "10.0.0.1", UDP }, IN_USE },
	/* TCP 80 and UDP 80 are different endpoints */
	{ { "10.0.0.1", 0 }, { "10.0.0.1", UDP }, 0 },
	{ { "0.0.0.0", LISTENS }, { "0.0.0.0", UDP }, 0 },
	/* SO_REUSEADDR: both must want it, and nobody may listen */
	{ { "10.0.0.1", REUSE }, { "10.0.0.1", 0 }, IN_USE },
	{ { "10.0.0.1", 0 }, { "10.0.0.1", REUSE }, IN_USE },
	{ { "10.0.0.1", REUSE }, { "10.0.0.1", REUSE }, 0 },
	{ { "0.0.0.0", REUSE }, { "10.0.0.1", REUSE }, 0 },
	{ { "10.0.0.1", REUSE | LISTENS }, { "10.0.0.1", REUSE }, IN_USE },
	{ { "0.0.0.0", REUSE | LISTENS }, { "10.0.0.1", REUSE }, IN_USE },
	{ { "10.0.0.1", REUSE | LISTENS }, { "10.0.0.2", REUSE | LISTENS }, 0 },
	{ { "10.0.0.1", REUSE | UDP }, { "10.0.0.1", REUSE | UDP }, 0 },
	/* SO_REUSEPORT: both, listening or not */
	{ { "10.0.0.1", RPORT | LISTENS }, { "10.0.0.1", RPORT | LISTENS }, 0 },
	{ { "10.0.0.1", RPORT | LISTENS }, { "10.0.0.1", 0 }, IN_USE },
	{ { "10.0.0.1", RPORT }, { "10.0.0.1", REUSE }, IN_USE },
	{ { "0.0.0.0", RPORT | UDP }, { "0.0.0.0", RPORT | UDP }, 0 },
	/* dual-stack: the IPv6 wildcard takes IPv4, too, unless V6ONLY */
	{ { "::", 0 }, { "0.0.0.0", 0 }, IN_USE },
	{ { "0.0.0.0", 0 }, { "::", 0 }, IN_USE },
	{ { "::", 0 }, { "10.0.0.1", 0 }, IN_USE },
	{ { "10.0.0.1", 0 }, { "::", 0 }, IN_USE },
	{ { "::", V6ONLY }, { "0.0.0.0", 0 }, 0 },
	{ { "0.0.0.0", 0 }, { "::", V6ONLY }, 0 },
	{ { "::", V6ONLY }, { "10.0.0.1", 0 }, 0 },
	{ { "::", V6ONLY }, { "::", V6ONLY }, IN_USE },
	{ { "::", 0 }, { "fd00::1", 0 }, IN_USE },
	{ { "fd00::1", 0 }, { "0.0.0.0", 0 }, 0 },
	{ { "fd00::1", 0 }, { "fd00::2", 0 }, 0 },
	{ { "fd00::1", 0 }, { "10.0.0.1", 0 }, 0 },
};

static void set_flag(struct tern_stack *st, tern_sock s, int level, int name)
{
	int32_t one = 1;

	check_eq(tern_setsockopt(st, s, level, name, &one, sizeof(one)), 0);
}

static int open_name(struct tern_stack *st, const struct name *n)
{
	struct tern_addr at;
	tern_sock s;
	int err;

	check_eq(tern_addr_parse(n->addr, 80, &at), 0);
	check_eq(tern_socket(st, at.family, n->how & UDP ? TERN_SOCK_DGRAM : TERN_SOCK_STREAM, 0,
			     &s),
		 0);
	if (n->how & REUSE)
		set_flag(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR);
	if (n->how & RPORT)
		set_flag(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEPORT);
	if (n->how & V6ONLY)
		set_flag(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY);
	err = tern_bind(st, s, &at);
	return err == 0 && (n->how & LISTENS) ? tern_listen(st, s, 4) : err;
}

static void two_names(void)
{
	for (size_t i = 0; i < N_TESTS(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct tern_stack *st = new_stack(32768, 60999);

		test_at("%s/%u then %s/%u", p->first.addr, p->first.how, p->second.addr,
			p->second.how);
		check_eq(open_name(st, &p->first), 0);
		check_eq(open_name(st, &p->second), p->want);
		end_stack(st);
	}
}

/* ---- listening again ---- */

static void second_listen_is_refused(void)
{
	struct tern_stack *st = new_stack(32768, 60999);
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 80);
	tern_sock a, b;

	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &a);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &b);
	set_flag(st, a, TERN_SOL_SOCKET, TERN_SO_REUSEADDR);
	set_flag(st, b, TERN_SOL_SOCKET, TERN_SO_REUSEADDR);
	check_eq(tern_bind(st, a, &at), 0);
	check_eq(tern_bind(st, b, &at), 0);
	check_eq(tern_listen(st, a, 1), 0);
	check_eq(tern_listen(st, b, 1), -TERN_EADDRINUSE);
	check_eq(tern_close(st, a), 0);
	check_eq(tern_listen(st, b, 1), 0);
	end_stack(st);
}

static void bad_names(void)
{
	struct tern_stack *st = new_stack(32768, 60999);
	struct tern_addr other = tern_ip4(10, 0, 0, 9, 80), group = tern_ip4(224, 0, 0, 5, 80), six;
	tern_sock s, d;

	tern_addr_parse("fd00::1", 80, &six);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &d);
	check_eq(tern_bind(st, s, &other), -TERN_EADDRNOTAVAIL);
	check_eq(tern_bind(st, s, &group), -TERN_EADDRNOTAVAIL);
	check_eq(tern_bind(st, d, &group), 0);
	check_eq(tern_bind(st, s, &six), -TERN_EAFNOSUPPORT);
	other = tern_ip4(10, 0, 0, 1, 80);
	check_eq(tern_bind(st, s, &other), 0);
	check_eq(tern_bind(st, s, &other), -TERN_EINVAL);
	check_eq(tern_bind(st, 12345, &other), -TERN_EBADF);
	end_stack(st);
}

/* ---- automatic ports ---- */

static uint16_t port_of(struct tern_stack *st, tern_sock s)
{
	struct tern_addr name;

	check_eq(tern_getsockname(st, s, &name), 0);
	return name.port;
}

static void bind_takes_free_ports_until_none_is_left(void)
{
	struct tern_stack *st = new_stack(40000, 40009);
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 0);
	bool seen[10] = { false };
	tern_sock s;

	for (int i = 0; i < 10; i++) {
		uint16_t port;

		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_bind(st, s, &at), 0);
		port = port_of(st, s);
		check(port >= 40000 && port <= 40009);
		check(!seen[port - 40000]);
		seen[port - 40000] = true;
	}
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	check_eq(tern_bind(st, s, &at), -TERN_EADDRINUSE);
	end_stack(st);
}

static tern_sock stream_at(struct tern_stack *st, struct tern_addr at, bool reuse)
{
	tern_sock s = 0;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	if (reuse)
		set_flag(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

/* All are held by TIME-WAIT: they serve another address, and who may use such a name again. */
static void bind_shares_with_time_wait(void)
{
	struct tern_stack *st = new_stack(40000, 40009);
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 0), web = tern_ip4(10, 0, 0, 2, 80);
	struct tern_addr other = tern_ip4(10, 0, 0, 2, 0), any = tern_ip4(0, 0, 0, 0, 0);
	tern_sock l = stream_at(st, web, false), s, child;
	tern_time now = TERN_SEC;

	check_eq(tern_listen(st, l, 10), 0);
	for (int i = 0; i < 10; i++) {
		s = stream_at(st, at, true);
		check_eq(tern_connect(st, s, &web), -TERN_EINPROGRESS);
		for (int k = 0; k < 10; k++)
			tern_advance(st, now += TERN_US);
		check_eq(tern_accept(st, l, &child, NULL), 0);
		check_eq(tern_close(st, s), 0);
		tern_advance(st, now += TERN_US);
		check_eq(tern_close(st, child), 0);
		for (int k = 0; k < 10; k++)
			tern_advance(st, now += TERN_US);
	}
	check_eq(tern_counter(st, "TcpExtTW"), 10);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), -TERN_EADDRINUSE);
	check_eq(tern_bind(st, s, &any), -TERN_EADDRINUSE);
	check_eq(tern_bind(st, s, &other), 0);
	s = stream_at(st, at, true);
	check_eq(tern_close(st, s), 0);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	end_stack(st);
}

/* A port serves many destinations; for one destination each serves once. */
static void connect_uses_ports_for_each_five_tuple(void)
{
	struct tern_stack *st = new_stack(40000, 40009);
	struct tern_addr to = tern_ip4(10, 0, 0, 7, 80), elsewhere = tern_ip4(10, 0, 0, 7, 81);
	tern_sock s;

	for (int i = 0; i < 10; i++) {
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	}
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	check_eq(tern_connect(st, s, &to), -TERN_EADDRNOTAVAIL);
	check_eq(tern_connect(st, s, &elsewhere), -TERN_EINPROGRESS);
	check_eq(tern_close(st, s), 0);
	end_stack(st);
}

/* RFC 6056: neither the first port nor the next can be told from outside. */
static void ports_look_random(void)
{
	struct tern_stack *st = new_stack(32768, 60999);
	unsigned n_next = 0;
	uint16_t last = 0;

	for (int i = 0; i < 64; i++) {
		struct tern_addr to = tern_ip4(10, 0, 0, (uint8_t)(10 + i), 80);
		uint16_t port;
		tern_sock s;

		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
		port = port_of(st, s);
		n_next += port == last + 1;
		last = port;
	}
	check(n_next <= 2);
	end_stack(st);
}

static const struct test tests[] = {
	TEST(two_names),
	TEST(second_listen_is_refused),
	TEST(bad_names),
	TEST(bind_takes_free_ports_until_none_is_left),
	TEST(bind_shares_with_time_wait),
	TEST(connect_uses_ports_for_each_five_tuple),
	TEST(ports_look_random),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
