/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_test.c - rules of RFC 9293 that a script cannot show, because they are about addresses and
 * the fields of the IP header: MUST-42 to MUST-50, MUST-57, MUST-63, SHLD-1, SHLD-21, SHLD-22.
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

static struct test_env counted;
static struct tern_stack *st;

static void new_stack(uint64_t seed)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), six;

	counted = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&counted, seed);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	tern_advance(st, TERN_SEC);
	tern_iface_add(st, &wire);
	tern_addr_add(st, 2, &a, 24);
	tern_addr_parse("fd00::1", 0, &six);
	tern_addr_add(st, 2, &six, 64);
}

static void end_stack(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

static tern_sock listen_on(struct tern_addr at)
{
	tern_sock s;

	check_eq(tern_socket(st, at.family, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_listen(st, s, 4), 0);
	return s;
}

/* The next packet that goes out, in buf; 0: none. */
static uint32_t next_out(uint8_t *buf, uint32_t size)
{
	struct tern_pkt *p = tern_output(st, 2);
	uint32_t len = p ? tern_pkt_copy(p, 0, buf, size) : 0;

	tern_pkt_free(st, p);
	return len;
}

/* A segment from src to dst, with so many bytes of IP options (an unknown one and padding). */
struct sent {
	const char *src, *dst;
	uint32_t seq, ack;
	uint16_t flags, link_flags;
	uint8_t n_ip_options;
};

static void put_in(const struct sent *s)
{
	struct tern_addr src, dst;
	struct tcp_hdr h = { .src_port = 5000,
			     .dst_port = 80,
			     .seq = s->seq,
			     .ack = s->ack,
			     .flags = s->flags,
			     .wnd = 65535 };
	uint8_t buf[200] = { 0 }, *l4;
	struct addr from, to;
	uint32_t ip_len, len;
	struct tern_pkt *p;

	check_eq(tern_addr_parse(s->src, 0, &src), 0);
	check_eq(tern_addr_parse(s->dst, 0, &dst), 0);
	from = src.family == TERN_AF_INET ? addr_from4(src.ip) : addr_from6(src.ip);
	to = src.family == TERN_AF_INET ? addr_from4(dst.ip) : addr_from6(dst.ip);
	if (src.family == TERN_AF_INET) {
		uint8_t options[40] = { 0x9e, 4, 1, 2 };
		struct ip4 ip = { .ttl = 9, .proto = 6, .src = from, .dst = to };

		ip.hdr_len = (uint8_t)(20 + s->n_ip_options);
		ip.total_len = (uint16_t)(ip.hdr_len + 20);
		ip.options = s->n_ip_options ? options : NULL;
		ip_len = (uint32_t)ip4_emit(&ip, buf);
	} else {
		struct ip6 ip = {
			.hop_limit = 9, .next_header = 6, .payload_len = 20, .src = from, .dst = to
		};

		ip_len = (uint32_t)ip6_emit(&ip, buf);
	}
	l4 = buf + ip_len;
	len = (uint32_t)tcp_emit(&h, l4);
	put_be16(l4 + 16,
		 checksum_finish(checksum_add(l4, len, checksum_pseudo(&from, &to, 6, len))));
	p = tern_pkt_new(st, ip_len + len);
	memcpy(p->data, buf, ip_len + len);
	p->ifindex = 2;
	p->flags |= s->link_flags;
	tern_input(st, p);
}

/* How many records besides listeners there are. */
static unsigned n_records(void)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;
	unsigned n = 0;

	while (tern_sock_next(st, &cursor, &info))
		n += info.state != TERN_TCP_LISTEN;
	return n;
}

/* MUST-63 and MUST-57: no answer, no state. */
static void impossible_addresses(void)
{
	static const struct sent bad[] = {
		{ "255.255.255.255", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "224.0.0.1", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.255", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "0.0.0.0", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "127.0.0.1", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.1", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "::", "fd00::1", 1, 0, TCP_SYN, 0, 0 },
		{ "ff02::1", "fd00::1", 1, 0, TCP_SYN, 0, 0 },
		{ "::1", "fd00::1", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.9", "255.255.255.255", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.9", "10.0.0.255", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.9", "224.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.9", "127.0.0.1", 1, 0, TCP_SYN, 0, 0 },
		{ "fd00::9", "ff02::1", 1, 0, TCP_SYN, 0, 0 },
		{ "10.0.0.9", "10.0.0.1", 1, 0, TCP_SYN, TERN_PKT_LINK_BROADCAST, 0 },
	};
	struct tern_addr any4 = { .family = TERN_AF_INET, .port = 80 };
	struct tern_addr any6 = { .family = TERN_AF_INET6, .port = 80 };
	int32_t one = 1;
	uint8_t buf[200];
	tern_sock s;

	new_stack(1);
	listen_on(any4);
	tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s);
	tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, &one, sizeof(one));
	check_eq(tern_bind(st, s, &any6), 0);
	check_eq(tern_listen(st, s, 4), 0);
	for (size_t i = 0; i < N_TESTS(bad); i++) {
		test_at("%s to %s", bad[i].src, bad[i].dst);
		put_in(&bad[i]);
		check_eq(next_out(buf, sizeof(buf)), 0);
		check_eq(n_records(), 0);
	}
	put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 1, 0, TCP_SYN, 0, 0 });
	check(next_out(buf, sizeof(buf)) > 0); /* a good one is answered */
	end_stack();
}

/* MUST-46: an open to everybody is refused, and nothing is sent. */
static void no_open_to_groups(void)
{
	static const char *const groups[] = { "255.255.255.255", "10.0.0.255", "224.0.0.1",
					      "ff02::1" };
	uint8_t buf[200];

	new_stack(1);
	for (size_t i = 0; i < N_TESTS(groups); i++) {
		struct tern_addr to;
		tern_sock s;

		test_at("%s", groups[i]);
		tern_addr_parse(groups[i], 80, &to);
		tern_socket(st, to.family, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_connect(st, s, &to), -TERN_ENETUNREACH);
		check_eq(next_out(buf, sizeof(buf)), 0);
	}
	end_stack();
}

/* MUST-48, MUST-49, SHLD-21, SHLD-22: TOS and TTL of every segment, from the SYN on. */
static void header_fields(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 80);
	int32_t tos = 0x48, ttl = 7, zero = 0;
	uint8_t buf[200];
	struct tcp_hdr h;
	tern_sock s;

	new_stack(1);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TTL, &zero, 4), -TERN_EINVAL);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TOS, &tos, 4), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TTL, &ttl, 4), 0);
	tern_connect(st, s, &to);
	check(next_out(buf, sizeof(buf)) >= 40);
	check_eq(buf[1], 0x48);
	check_eq(buf[8], 7);
	tern_advance(st, 3 * TERN_SEC); /* again, the same */
	check(next_out(buf, sizeof(buf)) >= 40);
	check_eq(buf[1], 0x48);
	check(tcp_parse(&h, buf + 20, 40));
	tos = 0x20;
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TOS, &tos, 4), 0);
	tern_advance(st, 6 * TERN_SEC);
	check(next_out(buf, sizeof(buf)) >= 40);
	check_eq(buf[1], 0x20);
	end_stack();
}

/* MUST-50: an IP option that nobody knows is stepped over. */
static void unknown_ip_option(void)
{
	uint8_t buf[200];
	struct tcp_hdr h;

	new_stack(1);
	listen_on(tern_ip4(10, 0, 0, 1, 80));
	put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 77, 0, TCP_SYN, 0, 4 });
	check(next_out(buf, sizeof(buf)) >= 40);
	check(tcp_parse(&h, buf + 20, 24));
	check_eq(h.flags, TCP_SYN | TCP_ACK);
	check_eq(h.ack, 78);
	end_stack();
}

/* MUST-42: one may listen on the port of a connection that is opening. */
static void listen_beside_an_opening_connection(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 80), to = tern_ip4(10, 0, 0, 8, 80);
	int32_t one = 1;
	uint8_t buf[200];
	tern_sock c, l;

	new_stack(1);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &c);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &l);
	tern_setsockopt(st, c, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &one, sizeof(one));
	tern_setsockopt(st, l, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &one, sizeof(one));
	check_eq(tern_bind(st, c, &at), 0);
	check_eq(tern_connect(st, c, &to), -TERN_EINPROGRESS);
	check(next_out(buf, sizeof(buf)) > 0);
	check_eq(tern_bind(st, l, &at), 0);
	check_eq(tern_listen(st, l, 4), 0);
	put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 5, 0, TCP_SYN, 0, 0 });
	check(next_out(buf, sizeof(buf)) > 0);
	check_eq(buf[33], TCP_SYN | TCP_ACK);
	end_stack();
}

/* MUST-44, MUST-45: the address chosen for the SYN stays, whatever becomes of routes. */
static void source_stays(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 80), better = tern_ip4(10, 0, 0, 3, 0), name;
	uint8_t first[200], again[200];
	tern_sock s;

	new_stack(1);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_connect(st, s, &to);
	check_eq(tern_getsockname(st, s, &name), 0);
	check_mem(name.ip, tern_ip4(10, 0, 0, 1, 0).ip, 4);
	check(next_out(first, sizeof(first)) > 0);
	check_eq(tern_addr_add(st, 2, &better, 30), 0);
	tern_advance(st, 3 * TERN_SEC);
	check(next_out(again, sizeof(again)) > 0);
	check_mem(again + 12, first + 12, 4);
	end_stack();
}

static uint32_t isn_towards(uint64_t seed, uint16_t port)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, port), from = tern_ip4(10, 0, 0, 1, 4000);
	uint8_t buf[200];
	uint32_t isn;
	tern_sock s;

	new_stack(seed);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_bind(st, s, &from);
	tern_connect(st, s, &to);
	check(next_out(buf, sizeof(buf)) >= 40);
	isn = get_be32(buf + 24);
	end_stack();
	return isn;
}

/* SHLD-1: the same names, time and secret give the same number; any other gives another. */
static void initial_numbers(void)
{
	uint32_t a = isn_towards(1, 80), b = isn_towards(1, 81), c = isn_towards(2, 80);

	check_eq(a, isn_towards(1, 80));
	check(a != b && a != c && b != c);
	check(a - b > 100000 && b - a > 100000); /* unrelated, not neighbours */
	check(a - c > 100000 && c - a > 100000);
}

/* RFC 4022: a refused open is a failed attempt, a RST of an open connection a reset. */
static void what_is_counted(void)
{
	struct tern_addr from = tern_ip4(10, 0, 0, 1, 80), to = tern_ip4(10, 0, 0, 9, 5000);
	uint8_t buf[200];
	uint32_t isn;
	tern_sock s;

	new_stack(1);
	for (int i = 0; i < 2; i++) {
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_bind(st, s, &from), 0);
		tern_connect(st, s, &to);
		check(next_out(buf, sizeof(buf)) >= 40);
		isn = get_be32(buf + 24);
		if (i == 0) {
			put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 0, isn + 1,
					       TCP_RST | TCP_ACK, 0, 0 });
			check_eq(tern_counter(st, "TcpAttemptFails"), 1);
			check_eq(tern_counter(st, "TcpEstabResets"), 0);
		} else {
			put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 70, isn + 1,
					       TCP_SYN | TCP_ACK, 0, 0 });
			put_in(&(struct sent){ "10.0.0.9", "10.0.0.1", 71, 0, TCP_RST, 0, 0 });
			check_eq(tern_counter(st, "TcpAttemptFails"), 1);
			check_eq(tern_counter(st, "TcpEstabResets"), 1);
		}
		tern_close(st, s);
	}
	end_stack();
}

static const struct test tests[] = {
	TEST(impossible_addresses),
	TEST(no_open_to_groups),
	TEST(header_fields),
	TEST(unknown_ip_option),
	TEST(listen_beside_an_opening_connection),
	TEST(source_stays),
	TEST(initial_numbers),
	TEST(what_is_counted),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
