/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * any_port_test.c - TERN_SO_ANY_PORT: a listener and a UDP socket that take what nobody else takes,
 * on an interface whose every address is theirs.
 */
#include "test.h"

#include "../../include/tern.h"

static struct test_env counted;

/* A host 10.0.0.2, fd00::2, and a gateway that answers for everyone else. */
struct net {
	struct tern_stack *host, *gate;
};

static struct tern_addr addr_of(const char *text, uint16_t port)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(text, port, &a), 0);
	return a;
}

static void add_default(struct tern_stack *st, int family)
{
	struct tern_route r = { .dst = { .family = (uint16_t)family }, .ifindex = 2 };

	check_eq(tern_route_add(st, &r), 0);
}

static struct tern_stack *new_stack(uint64_t seed, uint32_t flags, const char *ip4, const char *ip6)
{
	struct tern_env env = test_env_make(&counted, seed);
	struct tern_iface iface = { "net", TERN_LINK_IP, 1500, flags, { 0 } };
	struct tern_addr a = addr_of(ip4, 0), b = addr_of(ip6, 0);
	struct tern_config cfg;
	struct tern_stack *st;

	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &iface), 2);
	check_eq(tern_addr_add(st, 2, &a, 24), 0);
	check_eq(tern_addr_add(st, 2, &b, 64), 0);
	add_default(st, TERN_AF_INET);
	add_default(st, TERN_AF_INET6);
	tern_advance(st, TERN_SEC);
	return st;
}

static struct net new_net(void)
{
	struct net n;

	counted = (struct test_env){ .fill = 0xa5 };
	n.host = new_stack(1, 0, "10.0.0.2", "fd00::2");
	n.gate = new_stack(2, TERN_IFACE_ANY_ADDRESS, "10.0.0.1", "fd00::1");
	return n;
}

static void end_net(struct net *n)
{
	tern_check(n->host);
	tern_check(n->gate);
	tern_free(n->host);
	tern_free(n->gate);
	check_eq(counted.out, 0);
}

static bool carry(struct tern_stack *from, struct tern_stack *to)
{
	struct tern_pkt *p = tern_output(from, 2), *copy;

	if (!p)
		return false;
	copy = tern_pkt_new(to, p->total_len);
	copy->ifindex = 2;
	tern_pkt_emit(from, p, copy->data);
	tern_pkt_free(from, p);
	tern_input(to, copy);
	return true;
}

/* Until both are silent, timers apart. */
static void settle(struct net *n)
{
	while (carry(n->host, n->gate) || carry(n->gate, n->host))
		;
}

static tern_sock any_port(struct tern_stack *st, int family, int type)
{
	int one = 1;
	tern_sock s;

	check_eq(tern_socket(st, family, type, 0, &s), 0);
	if (family == TERN_AF_INET6)
		check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, &one, 4), 0);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, sizeof(one)), 0);
	return s;
}

static tern_sock call(struct net *n, const struct tern_addr *to)
{
	tern_sock s;

	check_eq(tern_socket(n->host, to->family, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(n->host, s, to), -TERN_EINPROGRESS);
	settle(n);
	return s;
}

static int error_of(struct tern_stack *st, tern_sock s)
{
	int error = -1;
	size_t len = sizeof(error);

	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &error, &len), 0);
	return error;
}

static void check_name(struct tern_stack *st, tern_sock s, const struct tern_addr *want)
{
	char got[TERN_ADDR_TEXT_MAX], wanted[TERN_ADDR_TEXT_MAX];
	struct tern_addr a;

	check_eq(tern_getsockname(st, s, &a), 0);
	check_str(tern_addr_format(&a, true, got), tern_addr_format(want, true, wanted));
}

/* ---- streams ---- */

static void takes_every_address_and_port(void)
{
	static const struct {
		const char *ip;
		uint16_t port;
	} to[] = { { "192.0.2.7", 80 },	    { "192.0.2.7", 81 },  { "10.0.0.1", 65535 },
		   { "198.51.100.200", 1 }, { "10.0.0.77", 443 }, { "2001:db8::5", 80 },
		   { "fd00::1", 9 },	    { "fd00::99", 9 } };
	struct net n = new_net();
	tern_sock listener[2] = { any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM),
				  any_port(n.gate, TERN_AF_INET6, TERN_SOCK_STREAM) };

	for (unsigned v6 = 0; v6 < 2; v6++)
		check_eq(tern_listen(n.gate, listener[v6], 100), 0);
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct tern_addr a = addr_of(to[i].ip, to[i].port), from;
		tern_sock s = call(&n, &a), child;
		char text[8];

		test_at("%s port %u", to[i].ip, to[i].port);
		check_eq(tern_accept(n.gate, listener[a.family == TERN_AF_INET6], &child, &from),
			 0);
		check_name(n.gate, child, &a);
		check_name(n.host, s, &from);
		check_eq(tern_send(n.gate, child, "hello", 5, 0), 5);
		settle(&n);
		check_eq(tern_recv(n.host, s, text, sizeof(text), 0), 5);
		check_eq(tern_close(n.gate, child), 0);
		settle(&n);
		check_eq(tern_close(n.host, s), 0);
		settle(&n);
	}
	end_net(&n);
}

/* Who names the port is asked first; when it goes, the other takes over. */
static void gives_way_to_who_names_the_port(void)
{
	struct net n = new_net();
	tern_sock any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM), named, child;
	struct tern_addr web = addr_of("192.0.2.7", 80), local = addr_of("0.0.0.0", 80);

	check_eq(tern_listen(n.gate, any, 10), 0);
	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_STREAM, 0, &named), 0);
	check_eq(tern_bind(n.gate, named, &local), 0);
	check_eq(tern_listen(n.gate, named, 10), 0);
	call(&n, &web);
	check_eq(tern_accept(n.gate, any, &child, NULL), -TERN_EAGAIN);
	check_eq(tern_accept(n.gate, named, &child, NULL), 0);
	check_eq(tern_close(n.gate, named), 0);
	call(&n, &web);
	check_eq(tern_accept(n.gate, any, &child, NULL), 0);
	check_name(n.gate, child, &web);
	end_net(&n);
}

/* Each SYN waits for a verdict: accepted, refused, left unanswered. */
static void defers(void)
{
	static const int verdict[] = { TERN_PENDING_ACCEPT, TERN_PENDING_REFUSE,
				       TERN_PENDING_IGNORE };
	static const int want[] = { 0, TERN_ECONNREFUSED, 0 };
	struct net n = new_net();
	tern_sock any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM), s, child;
	int one = 1;

	check_eq(tern_setsockopt(n.gate, any, TERN_SOL_SOCKET, TERN_SO_DEFER_SYN, &one, 4), 0);
	check_eq(tern_listen(n.gate, any, 10), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct tern_addr to = addr_of("192.0.2.7", (uint16_t)(1000 + i));
		struct tern_pending p;

		test_at("verdict %u", i);
		s = call(&n, &to);
		check_eq(tern_poll(n.host, s), 0);
		check(tern_poll(n.gate, any) & TERN_POLLPRI);
		check_eq(tern_pending_next(n.gate, any, &p), 0);
		check_eq(p.local.port, 1000 + i);
		check_eq(tern_pending_answer(n.gate, any, p.id, verdict[i]), 0);
		settle(&n);
		check_eq(error_of(n.host, s), want[i]);
		check_eq(tern_accept(n.gate, any, &child, NULL), i == 0 ? 0 : -TERN_EAGAIN);
	}
	end_net(&n);
}

/* Each once, the oldest first; verdicts in any order, each once, and by its own listener. */
static void verdicts_in_any_order(void)
{
	enum { N = 8 };
	struct net n = new_net();
	tern_sock any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM), other, s[N], child;
	struct tern_addr local = addr_of("0.0.0.0", 80), late = addr_of("192.0.2.8", 7);
	struct tern_pending p[N], none;
	int one = 1;

	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_STREAM, 0, &other), 0);
	check_eq(tern_bind(n.gate, other, &local), 0);
	check_eq(tern_listen(n.gate, other, 10), 0);
	check_eq(tern_listen(n.gate, any, 10), 0);
	check_eq(tern_setsockopt(n.gate, any, TERN_SOL_SOCKET, TERN_SO_DEFER_SYN, &one, 4), 0);
	for (unsigned i = 0; i < N; i++) {
		struct tern_addr to = addr_of("192.0.2.7", (uint16_t)(1000 + i));

		s[i] = call(&n, &to);
	}
	for (unsigned i = 0; i < N; i++) {
		check_eq(tern_pending_next(n.gate, any, &p[i]), 0);
		check_eq(p[i].local.port, 1000 + i);
	}
	check_eq(tern_pending_next(n.gate, any, &none), -TERN_EAGAIN);
	for (unsigned i = N - 1; i > 0; i--) {
		check_eq(tern_pending_answer(n.gate, other, p[i].id, 0), -TERN_ENOENT);
		check_eq(tern_pending_answer(n.gate, any, p[i].id + 1000, 0), -TERN_ENOENT);
		check_eq(tern_pending_answer(n.gate, any, p[i].id, i % 2), 0);
		check_eq(tern_pending_answer(n.gate, any, p[i].id, 0), -TERN_ENOENT);
		settle(&n);
		check_eq(error_of(n.host, s[i]), i % 2 ? TERN_ECONNREFUSED : 0);
		check_eq(tern_accept(n.gate, any, &child, NULL), i % 2 ? -TERN_EAGAIN : 0);
	}
	call(&n, &late);
	check_eq(tern_close(n.gate, any), 0); /* one is shown, the other not */
	check_eq(tern_pending_answer(n.gate, other, p[0].id, 0), -TERN_ENOENT);
	end_net(&n);
}

/* TIME-WAIT is of the port that the connection had. */
static void time_wait_keeps_the_port(void)
{
	struct net n = new_net();
	tern_sock any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM), s, child, late;
	struct tern_addr web = addr_of("10.0.0.1", 80);

	check_eq(tern_listen(n.gate, any, 10), 0);
	s = call(&n, &web);
	check_eq(tern_accept(n.gate, any, &child, NULL), 0);
	check_eq(tern_close(n.gate, child), 0);
	settle(&n);
	check_eq(tern_close(n.host, s), 0);
	settle(&n);
	check_eq(tern_counter(n.gate, "TcpExtTW"), 1);
	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_STREAM, 0, &late), 0);
	check_eq(tern_bind(n.gate, late, &web), -TERN_EADDRINUSE);
	tern_advance(n.gate, 3600 * TERN_SEC);
	check_eq(tern_bind(n.gate, late, &web), 0);
	end_net(&n);
}

/* ---- datagrams ---- */

static void answers_from_where_it_was_asked(void)
{
	static const char *const to[] = { "192.0.2.53", "2001:db8::53" };
	struct net n = new_net();

	for (unsigned v6 = 0; v6 < 2; v6++) {
		int family = v6 ? TERN_AF_INET6 : TERN_AF_INET;
		tern_sock any = any_port(n.gate, family, TERN_SOCK_DGRAM), s;
		struct tern_addr name = addr_of(to[v6], 53);
		char bytes[16];
		struct tern_iovec in = { bytes, sizeof(bytes) }, out = { (char[]){ "answer" }, 6 };
		struct tern_msg got, m;

		check_eq(tern_socket(n.host, family, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_connect(n.host, s, &name), 0);
		check_eq(tern_send(n.host, s, "question", 8, 0), 8);
		settle(&n);
		tern_msg_init(&got, &in, 1);
		check_eq(tern_recvmsg(n.gate, any, &got, 0), 8);
		check_eq(got.local.port, 53);
		check_mem(got.local.ip, name.ip, 16);
		check_name(n.host, s, &got.addr);
		tern_msg_init(&m, &out, 1);
		m.addr = got.addr;
		check_eq(tern_sendmsg(n.gate, any, &m, 0), -TERN_EINVAL); /* from which port? */
		m.local = got.local;
		check_eq(tern_sendmsg(n.gate, any, &m, 0), 6);
		settle(&n);
		check_eq(tern_recv(n.host, s, bytes, sizeof(bytes), 0), 6);
	}
	check_eq(tern_counter(n.gate, "UdpNoPorts"), 0);
	end_net(&n);
}

/* ---- what it refuses ---- */

static void refuses(void)
{
	struct net n = new_net();
	struct tern_addr web = addr_of("10.0.0.2", 80), own = addr_of("10.0.0.1", 80);
	tern_sock s, any;
	int one = 1, zero = 0, got = 0;
	size_t len = sizeof(got);

	any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM);
	check_eq(tern_getsockopt(n.gate, any, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &got, &len), 0);
	check_eq(got, 1);
	check_eq(tern_setsockopt(n.gate, any, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, 4), 0);
	check_eq(tern_setsockopt(n.gate, any, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &zero, 4),
		 -TERN_EINVAL);
	check_eq(tern_bind(n.gate, any, &own), -TERN_EINVAL);
	check_eq(tern_connect(n.gate, any, &web), -TERN_EINVAL);
	check_eq(tern_listen(n.gate, any, 5), 0);
	/* another one */
	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_setsockopt(n.gate, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, 4),
		 -TERN_EADDRINUSE);
	/* who has a name */
	check_eq(tern_bind(n.gate, s, &own), 0);
	check_eq(tern_setsockopt(n.gate, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, 4),
		 -TERN_EINVAL);
	/* datagrams: connected, raw, echo */
	any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_DGRAM);
	check_eq(tern_connect(n.gate, any, &web), -TERN_EINVAL);
	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_DGRAM, TERN_IPPROTO_ICMP, &s), 0);
	check_eq(tern_setsockopt(n.gate, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, 4),
		 -TERN_EINVAL);
	check_eq(tern_socket(n.gate, TERN_AF_INET, TERN_SOCK_RAW, 99, &s), 0);
	check_eq(tern_setsockopt(n.gate, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT, &one, 4),
		 -TERN_ENOPROTOOPT);
	end_net(&n);
}

/* Without memory the handshake is not finished, nothing leaks, and it works the next time. */
static void survives_want_of_memory(void)
{
	for (uint64_t k = 1; k < 12; k++) {
		struct net n = new_net();
		tern_sock any = any_port(n.gate, TERN_AF_INET, TERN_SOCK_STREAM), s, child;
		struct tern_addr web = addr_of("192.0.2.7", 80);

		check_eq(tern_listen(n.gate, any, 10), 0);
		check_eq(tern_socket(n.host, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
		check_eq(tern_connect(n.host, s, &web), -TERN_EINPROGRESS);
		carry(n.host, n.gate);
		carry(n.gate, n.host);
		counted.fail_at = counted.n_allocs + k;
		settle(&n);
		counted.fail_at = 0;
		for (tern_time t = 2; t < 20; t++) {
			tern_advance(n.host, t * TERN_SEC);
			tern_advance(n.gate, t * TERN_SEC);
			settle(&n);
		}
		test_at("allocation %u fails", (unsigned)k);
		check_eq(tern_accept(n.gate, any, &child, NULL), 0);
		end_net(&n);
	}
}

static const struct test tests[] = {
	TEST(takes_every_address_and_port),
	TEST(gives_way_to_who_names_the_port),
	TEST(defers),
	TEST(verdicts_in_any_order),
	TEST(time_wait_keeps_the_port),
	TEST(answers_from_where_it_was_asked),
	TEST(refuses),
	TEST(survives_want_of_memory),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
