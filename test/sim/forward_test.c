/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward_test.c - routers between hosts: what goes on, what is told to whom, what stays.
 *
 *	a --1500-- r1 --1400-- r2 --1500-- b	10.1/16, 10.2/16, 10.3/16; fd01::, fd02::, fd03::
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern_sim.h"

enum { A, R1, R2, B, N_HOSTS };

static struct tern_sim *sim;
static struct tern_stack *at[N_HOSTS];
static int links[3];

static struct tern_addr address(const char *text)
{
	struct tern_addr a = { .family = 0 };

	check_eq(tern_addr_parse(text, 0, &a), 0);
	return a;
}

static void attach(int link, int host, const char *four, const char *six)
{
	static uint8_t serial;
	struct tern_iface i = { .link = TERN_LINK_ETHERNET, .mtu = link == 1 ? 1400 : 1500 };
	struct tern_addr a4 = address(four), a6 = address(six);
	int ifindex;

	strcpy(i.name, host == A || host == B ? "eth0" : a4.ip[1] == 2 ? "core" : "edge");
	memcpy(i.mac, (uint8_t[6]){ 2, 0, 0, 0, 0, ++serial }, 6);
	ifindex = tern_sim_attach(sim, links[link], host, &i);
	check(ifindex > 0);
	check_eq(tern_addr_add(at[host], (unsigned)ifindex, &a4, 16), 0);
	check_eq(tern_addr_add(at[host], (unsigned)ifindex, &a6, 64), 0);
}

static void route(int host, const char *dst, unsigned len, const char *via)
{
	struct tern_addr gateway = address(via);
	struct tern_route r = { .dst = address(dst), .prefix_len = len, .gateway = gateway };

	for (unsigned i = 0; (i = tern_iface_next(at[host], i));) {
		r.ifindex = i;
		if (i != 1 && tern_route_add(at[host], &r) == 0)
			return;
	}
	check(!"a route");
}

static void build(void)
{
	struct tern_weather wire = { .delay = TERN_MS };

	sim = tern_sim_new(3);
	for (int h = 0; h < N_HOSTS; h++) {
		struct tern_config cfg;

		tern_config_default(&cfg);
		cfg.ip_forward = cfg.ipv6_forward = h == R1 || h == R2;
		check_eq(tern_sim_host_add(sim, "host", &cfg), h);
		at[h] = tern_sim_stack(sim, h);
	}
	for (int l = 0; l < 3; l++)
		links[l] = tern_sim_link_add(sim, &wire);
	attach(0, A, "10.1.0.1", "fd01::1");
	attach(0, R1, "10.1.0.2", "fd01::2");
	attach(1, R1, "10.2.0.1", "fd02::1");
	attach(1, R2, "10.2.0.2", "fd02::2");
	attach(2, R2, "10.3.0.2", "fd03::2");
	attach(2, B, "10.3.0.1", "fd03::1");
	route(A, "0.0.0.0", 0, "10.1.0.2");
	route(A, "::", 0, "fd01::2");
	route(B, "0.0.0.0", 0, "10.3.0.2");
	route(B, "::", 0, "fd03::2");
	route(R1, "10.3.0.0", 16, "10.2.0.2");
	route(R1, "fd03::", 64, "fd02::2");
	route(R2, "10.1.0.0", 16, "10.2.0.1");
	route(R2, "fd01::", 64, "fd02::1");
}

static void end(void)
{
	tern_sim_check(sim);
	tern_sim_free(sim);
}

static void pass(tern_time t)
{
	tern_sim_run(sim, tern_sim_now(sim) + t);
}

static tern_sock dgram(int host, bool v6, uint16_t port)
{
	struct tern_addr any = { .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = port };
	int32_t one = 1;
	tern_sock s;

	check_eq(tern_socket(at[host], any.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(at[host], s, &any), 0);
	check_eq(tern_setsockopt(at[host], s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				 v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, &one, sizeof(one)),
		 0);
	return s;
}

/* Both ways; and with two hops less than there are it dies on the way, which its sender hears. */
static void hops(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_addr to, from;
		tern_sock a, b;
		char buf[100];

		test_at("IPv%d", v6 ? 6 : 4);
		build();
		a = dgram(A, v6, 1000);
		b = dgram(B, v6, 2000);
		to = address(v6 ? "fd03::1" : "10.3.0.1");
		to.port = 2000;
		check_eq(tern_sendto(at[A], a, "there", 5, 0, &to), 5);
		pass(TERN_SEC);
		check_eq(tern_recvfrom(at[B], b, buf, sizeof(buf), 0, &from), 5);
		check_eq(tern_sendto(at[B], b, "back", 4, 0, &from), 4);
		pass(TERN_SEC);
		check_eq(tern_recv(at[A], a, buf, sizeof(buf), 0), 4);
		for (int ttl = 1; ttl <= 3; ttl++) {
			static const char *const routers[][2] = { { "10.1.0.2", "fd01::2" },
								  { "10.2.0.2", "fd02::2" } };
			struct tern_iovec iov = { buf, sizeof(buf) };
			struct tern_msg m;

			tern_msg_init(&m, &iov, 1);
			m.addr = to;
			m.ttl = ttl;
			m.n_iov = 0;
			check_eq(tern_sendmsg(at[A], a, &m, 0), 0);
			pass(TERN_SEC);
			tern_msg_init(&m, &iov, 1);
			if (ttl == 3) {
				check_eq(tern_recvmsg(at[A], a, &m, TERN_MSG_ERRQUEUE),
					 -TERN_EAGAIN);
				check_eq(tern_recv(at[B], b, buf, sizeof(buf), 0), 0);
				continue;
			}
			check_eq(tern_recvmsg(at[A], a, &m, TERN_MSG_ERRQUEUE), 0);
			check_eq(m.error, TERN_EHOSTUNREACH);
			check_eq(m.type, v6 ? 3 : 11);
			check_eq(m.code, 0);
			from = address(routers[ttl - 1][v6]);
			check_mem(m.offender.ip, from.ip, 16);
		}
		end();
	}
}

/* No route, no neighbour: the router says which. */
static void unreachable(void)
{
	static const struct {
		const char *dst;
		bool v6;
		uint8_t type, code;
		int error;
	} cases[] = {
		{ "10.9.0.1", false, 3, 0, TERN_ENETUNREACH },
		{ "10.3.0.77", false, 3, 1, TERN_EHOSTUNREACH },
		{ "fd09::1", true, 1, 0, TERN_ENETUNREACH },
		{ "fd03::77", true, 1, 3, TERN_EHOSTUNREACH },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct tern_addr to = address(cases[i].dst);
		char buf[100];
		struct tern_iovec iov = { buf, sizeof(buf) };
		struct tern_msg m;
		tern_sock a;

		test_at("%s", cases[i].dst);
		build();
		a = dgram(A, cases[i].v6, 1000);
		to.port = 7;
		check_eq(tern_sendto(at[A], a, "x", 1, 0, &to), 1);
		pass(10 * TERN_SEC);
		tern_msg_init(&m, &iov, 1);
		check_eq(tern_recvmsg(at[A], a, &m, TERN_MSG_ERRQUEUE), 1);
		check_eq(m.type, cases[i].type);
		check_eq(m.code, cases[i].code);
		check_eq(m.error, cases[i].error);
		end();
	}
}

/* What is too large for the link in the middle: cut by the router, or told to be so. */
static void the_narrow_link(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static char big[1452], got[2000];
		struct tern_addr to = address(v6 ? "fd03::1" : "10.3.0.1");
		int32_t dont = TERN_IP_PMTUDISC_DONT;
		tern_sock a, b;

		test_at("IPv%d", v6 ? 6 : 4);
		build();
		a = dgram(A, v6, 1000);
		b = dgram(B, v6, 2000);
		to.port = 2000;
		check_eq(tern_sendto(at[A], a, big, sizeof(big), 0, &to), sizeof(big));
		pass(TERN_SEC);
		check_eq(tern_recv(at[B], b, got, sizeof(got), 0), -TERN_EAGAIN);
		check_eq(tern_recv(at[A], a, got, sizeof(got), 0), -TERN_EMSGSIZE);
		/* now the sender knows, and cuts */
		check_eq(tern_sendto(at[A], a, big, sizeof(big), 0, &to), sizeof(big));
		pass(TERN_SEC);
		check_eq(tern_recv(at[B], b, got, sizeof(got), 0), sizeof(big));
		check_eq(tern_counter(at[R1], "IpFragCreates"), 0);
		if (!v6) { /* a router may cut what another host, who knows nothing, lets it */
			a = dgram(B, v6, 3000);
			b = dgram(A, v6, 4000);
			to = address("10.1.0.1");
			to.port = 4000;
			check_eq(tern_setsockopt(at[B], a, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER,
						 &dont, sizeof(dont)),
				 0);
			check_eq(tern_sendto(at[B], a, big, sizeof(big), 0, &to), sizeof(big));
			pass(TERN_SEC);
			check_eq(tern_recv(at[A], b, got, sizeof(got), 0), sizeof(big));
			check_eq(tern_counter(at[R2], "IpFragCreates"), 2);
		}
		end();
	}
}

static struct test_env world;

/* Of two links: one name on each. */
static struct tern_stack *new_router(struct tern_iface far, const char *near_name,
				     const char *far_name, unsigned len)
{
	struct tern_iface near = { "near", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = address(near_name), b = address(far_name);
	struct tern_env env = test_env_make(&world, 1);
	struct tern_config cfg;
	struct tern_stack *st;

	tern_config_default(&cfg);
	cfg.ip_forward = cfg.ipv6_forward = true;
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &near), 2);
	check_eq(tern_iface_add(st, &far), 3);
	check_eq(tern_addr_add(st, 2, &a, len), 0);
	check_eq(tern_addr_add(st, 3, &b, len), 0);
	return st;
}

/*
 * A super-frame that may be cut into fragments, for a link that is narrower than its segments: each
 * is cut for itself, whether the next device takes super-frames or not.
 */
static void narrower_than_segments(void)
{
	static const uint8_t head[40] = { 0x45, 0,  0x0b, 0xe0, 0, 0, 0,    0, 64, 6,
					  0,	0,  10,	  8,	0, 2, 10,   9, 0,  2,
					  0,	80, 0,	  81,	0, 0, 0,    1, 0,  0,
					  0,	1,  0x50, 0x10, 1, 0, 0x77, 0, 0,  0 };

	for (unsigned offload = 0; offload < 2; offload++) {
		struct tern_iface narrow = { "narrow", TERN_LINK_IP, 600, 0, { 0 } };
		unsigned n_packets = 0, n_bytes = 0;
		struct tern_stack *st;
		struct tern_pkt *p;

		if (offload)
			narrow.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4;
		st = new_router(narrow, "10.8.0.1", "10.9.0.1", 24);
		p = tern_pkt_new(st, 3040); /* three segments of 1000 */
		memset(p->data, 'x', 3040);
		memcpy(p->data, head, sizeof(head));
		put_be16(p->data + 10, 0);
		ip4_set_checksum(p->data);
		p->ifindex = 2;
		p->flags = TERN_PKT_TSO4 | TERN_PKT_CSUM_PARTIAL;
		p->gso_size = 1000;
		p->csum_start = 20;
		p->csum_off = 16;
		tern_input(st, p);
		while ((p = tern_output(st, 3))) {
			check(p->total_len <= 600 && p->gso_size == 0);
			n_bytes += p->total_len - 20;
			n_packets++;
			tern_pkt_free(st, p);
		}
		check_eq(n_packets, 6);
		check_eq(n_bytes, 3 * 1020);
		tern_free(st);
	}
}

/* RFC 791 3.1: the first piece has all options, the others those whose copied flag is set. */
static void options_of_pieces(void)
{
	static const uint8_t head[28] = {
		0x47, 0, 0x03, 0xe8, 0, 1, 0,	 0, 64, 17,   0, 0, 10, 8,
		0,    2, 10,   9,    0, 2, 0x1e, 3, 0,	0x94, 4, 0, 0,	0
	};
	struct tern_iface narrow = { "narrow", TERN_LINK_IP, 600, 0, { 0 } };
	struct tern_stack *st = new_router(narrow, "10.8.0.1", "10.9.0.1", 24);
	struct tern_pkt *p = tern_pkt_new(st, 1000);

	memset(p->data, 'x', 1000);
	memcpy(p->data, head, sizeof(head));
	ip4_set_checksum(p->data);
	p->ifindex = 2;
	tern_input(st, p);
	for (unsigned i = 0, n_bytes = 0; i < 2; i++) {
		uint8_t got[600];
		uint32_t hdr_len = i ? 24 : 28;

		p = tern_output(st, 3);
		check(p && p->total_len <= 600);
		tern_pkt_copy(p, 0, got, sizeof(got));
		check_eq(got[0], 0x40 | hdr_len / 4);
		check_mem(got + 20, head + (i ? 23 : 20), hdr_len - 20);
		check_eq(8u * (get_be16(got + 6) & 0x1fff), n_bytes);
		n_bytes += p->total_len - hdr_len;
		check_eq(n_bytes == 972, i == 1);
		tern_pkt_free(st, p);
	}
	tern_free(st);
}

/* Options for the destination are the destination's to judge, not the routers': RFC 8200 4.6. */
static void options_for_others(void)
{
	struct tern_addr from = address("fd01::1"), to = address("fd03::1");
	uint8_t packet[48] = { 0x60, 0, 0, 0, 0, 8, 60, 64 };
	static const uint8_t unknown[8] = { 59, 0, 0xc0, 4 }; /* drop, and say so */
	int32_t one = 1;
	tern_sock s;

	build();
	memcpy(packet + 8, from.ip, 16);
	memcpy(packet + 24, to.ip, 16);
	memcpy(packet + 40, unknown, 8);
	check_eq(tern_socket(at[A], TERN_AF_INET6, TERN_SOCK_RAW, 255, &s), 0);
	check_eq(tern_setsockopt(at[A], s, TERN_IPPROTO_IPV6, TERN_IPV6_HDRINCL, &one, sizeof(one)),
		 0);
	check_eq(tern_sendto(at[A], s, packet, sizeof(packet), 0, &to), sizeof(packet));
	pass(TERN_SEC);
	check_eq(tern_counter(at[B], "Drop-ip-options"), 1);
	check_eq(tern_counter(at[R1], "Drop-ip-options"), 0);
	end();
}

/* A megabyte each way through the narrow link. */
static void a_stream(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static char text[100000], got[100000];
		struct tern_addr to = address(v6 ? "fd03::1" : "10.3.0.1");
		tern_sock listener, a, b = 0;
		uint64_t sent = 0, read = 0;

		test_at("IPv%d", v6 ? 6 : 4);
		build();
		to.port = 80;
		check_eq(tern_socket(at[B], to.family, TERN_SOCK_STREAM, 0, &listener), 0);
		check_eq(tern_bind(at[B], listener, &to), 0);
		check_eq(tern_listen(at[B], listener, 1), 0);
		check_eq(tern_socket(at[A], to.family, TERN_SOCK_STREAM, 0, &a), 0);
		check_eq(tern_connect(at[A], a, &to), -TERN_EINPROGRESS);
		pass(TERN_SEC);
		check_eq(tern_accept(at[B], listener, &b, NULL), 0);
		for (int i = 0; i < 2000 && read < 1000000; i++) {
			int64_t n = tern_send(at[A], a, text, MIN(sizeof(text), 1000000 - sent), 0);

			sent += n > 0 ? (uint64_t)n : 0;
			pass(5 * TERN_MS);
			n = tern_recv(at[B], b, got, sizeof(got), 0);
			read += n > 0 ? (uint64_t)n : 0;
		}
		check_eq(read, 1000000);
		check(tern_counter(at[R1], "IpForwDatagrams") > 700);
		end();
	}
}

/* A host forwards nothing, a router nothing that belongs to one link. */
static void what_stays(void)
{
	struct tern_addr to = address("10.3.255.255"), group = address("224.0.0.251");
	int32_t one = 1;
	tern_sock a;

	build();
	a = dgram(A, false, 1000);
	tern_setsockopt(at[A], a, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &one, sizeof(one));
	to.port = group.port = 9;
	check_eq(tern_sendto(at[A], a, "x", 1, 0, &to), 1);
	check_eq(tern_sendto(at[A], a, "x", 1, 0, &group), 1);
	pass(10 * TERN_SEC);
	route(A, "169.254.0.0", 16, "10.1.0.2"); /* RFC 3927 2.7 */
	route(R1, "169.254.0.0", 16, "10.2.0.2");
	to = address("169.254.3.1");
	to.port = 9;
	check_eq(tern_sendto(at[A], a, "x", 1, 0, &to), 1);
	pass(10 * TERN_SEC);
	check(tern_counter(at[R1], "Drop-ip-not-ours") > 0);
	check_eq(tern_counter(at[R1], "IpForwDatagrams"), 1); /* the broadcast, to R2 */
	check_eq(tern_counter(at[R2], "IpForwDatagrams"), 0);
	check_eq(tern_sysctl_set(at[R1], "net.ipv4.ip_forward", "0"), 0);
	to = address("10.3.0.1");
	to.port = 9;
	check_eq(tern_sendto(at[A], a, "x", 1, 0, &to), 1);
	pass(TERN_SEC);
	check(tern_counter(at[R1], "Drop-ip-not-ours") > 0);
	check_eq(tern_counter(at[B], "UdpNoPorts"), 0);
	end();
}

/* RFC 4443 3.1, RFC 4007 9: what comes from a link-local address stays on its link. */
static void beyond_the_scope(void)
{
	static const struct {
		const char *from, *to;
		unsigned out; /* the interface that something goes out by; 0: none */
		bool told;
	} cases[] = {
		{ "fe80::9", "fd09::9", 2, true },   { "fe80::9", "fd08::9", 2, false },
		{ "fe80::9", "fe80::77", 0, false }, { "fd08::9", "fe80::77", 0, false },
		{ "fd08::9", "fd09::9", 3, false },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct tern_iface far = { "far", TERN_LINK_IP, 1500, 0, { 0 } };
		struct tern_addr from = address(cases[i].from), to = address(cases[i].to);
		struct tern_addr own = address("fe80::1");
		struct tern_stack *st;
		struct tern_pkt *p;

		test_at("%s to %s", cases[i].from, cases[i].to);
		st = new_router(far, "fd08::1", "fd09::1", 64);
		check_eq(tern_addr_add(st, 2, &own, 64), 0);
		p = tern_pkt_new(st, 48);
		memset(p->data, 0, 48);
		memcpy(p->data, (uint8_t[8]){ 0x60, 0, 0, 0, 0, 8, 17, 64 }, 8);
		memcpy(p->data + 8, from.ip, 16);
		memcpy(p->data + 24, to.ip, 16);
		p->ifindex = 2;
		tern_input(st, p);
		for (unsigned out = 2; out <= 3; out++) {
			p = tern_output(st, out);
			check_eq(p != NULL, out == cases[i].out);
			if (!p)
				continue;
			check_eq(p->data[6], cases[i].told ? 58 : 17);
			check_mem(p->data + 24, cases[i].told ? from.ip : to.ip, 16);
			if (cases[i].told)
				check_eq(get_be16(p->data + 40), 0x0102);
			tern_pkt_free(st, p);
		}
		tern_free(st);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(hops),
		TEST(unreachable),
		TEST(the_narrow_link),
		TEST(narrower_than_segments),
		TEST(options_of_pieces),
		TEST(options_for_others),
		TEST(a_stream),
		TEST(what_stays),
		TEST(beyond_the_scope),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
