/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram_test.c - datagram, raw and echo sockets between two simulated hosts, over both families.
 */
#include "test.h"

#include "../../include/tern_sim.h"

static struct tern_sim_pair net;
static const int families[] = { TERN_AF_INET, TERN_AF_INET6 };

static void set_up(int family)
{
	struct tern_weather wire = { .delay = TERN_MS };

	test_at("%s", family == TERN_AF_INET ? "IPv4" : "IPv6");
	check_eq(tern_sim_pair(&net, 5, family, TERN_LINK_ETHERNET, 1500, &wire), 0);
}

static void tear_down(void)
{
	tern_sim_check(net.sim);
	tern_sim_free(net.sim);
}

static void pass(tern_time t)
{
	tern_sim_run(net.sim, tern_sim_now(net.sim) + t);
}

static tern_sock bound(struct tern_stack *st, struct tern_addr at, uint16_t port)
{
	tern_sock s = 0;

	at.port = port;
	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

static struct tern_addr with_port(struct tern_addr a, uint16_t port)
{
	a.port = port;
	return a;
}

/* Boundaries are kept, the sender is told, what does not fit is cut and said so. */
static void boundaries(void)
{
	for (int f = 0; f < 2; f++) {
		struct tern_addr to, from;
		char buf[100];
		tern_sock a, b;

		set_up(families[f]);
		a = bound(net.a, net.addr_a, 1000);
		b = bound(net.b, net.addr_b, 2000);
		to = with_port(net.addr_b, 2000);
		check_eq(tern_sendto(net.a, a, "one", 3, 0, &to), 3);
		check_eq(tern_sendto(net.a, a, "", 0, 0, &to), 0);
		check_eq(tern_sendto(net.a, a, "three!", 6, 0, &to), 6);
		pass(TERN_SEC);
		check_eq(tern_recvfrom(net.b, b, buf, sizeof(buf), 0, &from), 3);
		check_eq(from.port, 1000);
		check_mem(from.ip, net.addr_a.ip, 16);
		check_eq(tern_recv(net.b, b, buf, sizeof(buf), 0), 0);
		check_eq(tern_recv(net.b, b, buf, 2, TERN_MSG_PEEK | TERN_MSG_TRUNC), 6);
		check_eq(tern_recv(net.b, b, buf, 2, 0), 2);
		check_eq(tern_recv(net.b, b, buf, 2, 0), -TERN_EAGAIN);
		tear_down();
	}
}

static void truncation_is_reported(void)
{
	struct tern_addr to;
	char buf[2];
	struct tern_iovec iov = { buf, sizeof(buf) };
	struct tern_msg m;
	tern_sock a, b;

	set_up(TERN_AF_INET);
	a = bound(net.a, net.addr_a, 1000);
	b = bound(net.b, net.addr_b, 2000);
	to = with_port(net.addr_b, 2000);
	tern_sendto(net.a, a, "hello", 5, 0, &to);
	pass(TERN_SEC);
	tern_msg_init(&m, &iov, 1);
	check_eq(tern_recvmsg(net.b, b, &m, 0), 2);
	check(m.flags & TERN_MSG_TRUNC);
	check_eq(m.ttl, 64);
	check_eq(m.ifindex, 2);
	check_mem(m.local.ip, net.addr_b.ip, 16);
	tear_down();
}

/* A connected socket hears only its peer, and learns that the port is closed. */
static void connected(void)
{
	for (int f = 0; f < 2; f++) {
		struct tern_addr to;
		char buf[8];
		tern_sock a, b, stranger;

		set_up(families[f]);
		a = bound(net.a, net.addr_a, 1000);
		stranger = bound(net.a, net.addr_a, 1001);
		b = bound(net.b, net.addr_b, 2000);
		to = with_port(net.addr_a, 1000);
		check_eq(tern_connect(net.b, b, &to), 0);
		to = with_port(net.addr_b, 2000);
		check_eq(tern_sendto(net.a, stranger, "no", 2, 0, &to), 2);
		check_eq(tern_sendto(net.a, a, "yes", 3, 0, &to), 3);
		pass(TERN_SEC);
		check_eq(tern_recv(net.b, b, buf, sizeof(buf), 0), 3);
		check_eq(tern_recv(net.b, b, buf, sizeof(buf), 0), -TERN_EAGAIN);
		check_eq(tern_close(net.a, a), 0);
		check_eq(tern_send(net.b, b, "still there?", 12, 0), 12);
		pass(TERN_SEC);
		check(tern_poll(net.b, b) & TERN_POLLERR);
		check_eq(tern_recv(net.b, b, buf, sizeof(buf), 0), -TERN_ECONNREFUSED);
		check_eq(tern_recv(net.b, b, buf, sizeof(buf), 0), -TERN_EAGAIN);
		tear_down();
	}
}

static void errors_of_sending(void)
{
	struct tern_addr nobody = tern_ip4(10, 0, 0, 99, 9), far = tern_ip4(192, 0, 2, 1, 9);
	struct tern_addr all = tern_ip4(10, 0, 0, 255, 9),
			 limited = tern_ip4(255, 255, 255, 255, 9);
	static char big[65536];
	int32_t one = 1, err = 0;
	size_t len = sizeof(err);
	tern_sock a;

	set_up(TERN_AF_INET);
	a = bound(net.a, net.addr_a, 1000);
	check_eq(tern_send(net.a, a, "x", 1, 0), -TERN_EDESTADDRREQ);
	check_eq(tern_sendto(net.a, a, "x", 1, 0, &far), -TERN_ENETUNREACH);
	check_eq(tern_sendto(net.a, a, "x", 1, 0, &all), -TERN_EACCES);
	check_eq(tern_connect(net.a, a, &all), -TERN_EACCES);
	check_eq(tern_sendto(net.a, a, big, 65508, 0, &nobody), -TERN_EMSGSIZE);
	check_eq(tern_sendto(net.a, a, big, 65536, 0, &nobody), -TERN_EMSGSIZE);
	check_eq(tern_setsockopt(net.a, a, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &one, sizeof(one)),
		 0);
	check_eq(tern_sendto(net.a, a, "x", 1, 0, &all), 1);
	check_eq(tern_sendto(net.a, a, "x", 1, 0, &limited), -TERN_ENETUNREACH);
	/* nobody answers ARP: a connected socket learns it */
	check_eq(tern_connect(net.a, a, &nobody), 0);
	check_eq(tern_send(net.a, a, "x", 1, 0), 1);
	pass(10 * TERN_SEC);
	tern_getsockopt(net.a, a, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	check_eq(err, TERN_EHOSTUNREACH);
	tear_down();
}

/* What does not fit in SO_RCVBUF is dropped and counted. */
static void full_queue(void)
{
	struct tern_addr to;
	int32_t small = 1200, drops = 0;
	size_t len = sizeof(drops);
	char buf[1000] = "";
	tern_sock a, b;
	int n = 0;

	set_up(TERN_AF_INET);
	a = bound(net.a, net.addr_a, 1000);
	b = bound(net.b, net.addr_b, 2000);
	check_eq(tern_setsockopt(net.b, b, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &small, sizeof(small)),
		 0);
	to = with_port(net.addr_b, 2000);
	for (int i = 0; i < 5; i++) {
		tern_sendto(net.a, a, buf, sizeof(buf), 0, &to);
		pass(TERN_SEC);
	}
	while (tern_recv(net.b, b, buf, sizeof(buf), 0) > 0)
		n++;
	check_eq(tern_getsockopt(net.b, b, TERN_SOL_SOCKET, TERN_SO_DROPS, &drops, &len), 0);
	check_eq(n, 2);
	check_eq(drops, 3);
	check_eq(tern_counter(net.b, "Drop-sock-queue-full"), 3);
	tear_down();
}

/* An echo socket gets its own replies and nobody else's. */
static void ping(void)
{
	for (int f = 0; f < 2; f++) {
		bool v6 = families[f] == TERN_AF_INET6;
		uint8_t request[16] = { v6 ? 128 : 8, 0, 0, 0, 0, 0, 0, 7, 'p', 'i', 'n', 'g' };
		uint8_t reply[64];
		tern_sock s, other;

		set_up(families[f]);
		check_eq(tern_socket(net.a, families[f], TERN_SOCK_DGRAM, v6 ? 58 : 1, &s), 0);
		check_eq(tern_socket(net.a, families[f], TERN_SOCK_DGRAM, v6 ? 58 : 1, &other), 0);
		check_eq(tern_sendto(net.a, other, request, 8, 0, &net.addr_a), 8);
		check_eq(tern_sendto(net.a, s, request, sizeof(request), 0, &net.addr_b),
			 sizeof(request));
		pass(TERN_SEC);
		check_eq(tern_recv(net.a, s, reply, sizeof(reply), 0), sizeof(request));
		check_eq(reply[0], v6 ? 129 : 0);
		check_eq(reply[7], 7);
		check_mem(reply + 8, "ping", 4);
		check_eq(tern_recv(net.a, s, reply, sizeof(reply), 0), -TERN_EAGAIN);
		request[0] = 13;
		check_eq(tern_sendto(net.a, s, request, 8, 0, &net.addr_b), -TERN_EINVAL);
		tear_down();
	}
}

/* Every matching raw socket gets a copy, and the stack answers all the same. */
static void raw_copies(void)
{
	uint8_t request[8] = { 8, 0, 0, 0, 0, 0, 0, 1 }, packet[64];
	uint32_t block_echo = 1u << 8;
	tern_sock ping_sock, r1, r2, filtered;

	set_up(TERN_AF_INET);
	tern_socket(net.a, TERN_AF_INET, TERN_SOCK_DGRAM, 1, &ping_sock);
	check_eq(tern_socket(net.b, TERN_AF_INET, TERN_SOCK_RAW, 1, &r1), 0);
	check_eq(tern_socket(net.b, TERN_AF_INET, TERN_SOCK_RAW, 1, &r2), 0);
	check_eq(tern_socket(net.b, TERN_AF_INET, TERN_SOCK_RAW, 1, &filtered), 0);
	check_eq(tern_setsockopt(net.b, filtered, TERN_IPPROTO_RAW, TERN_ICMP_FILTER, &block_echo,
				 sizeof(block_echo)),
		 0);
	tern_sendto(net.a, ping_sock, request, sizeof(request), 0, &net.addr_b);
	pass(TERN_SEC);
	check_eq(tern_recv(net.b, r1, packet, sizeof(packet), 0), 28);
	check_eq(packet[0], 0x45);
	check_eq(packet[20], 8);
	check_eq(tern_recv(net.b, r2, packet, sizeof(packet), 0), 28);
	check_eq(tern_recv(net.b, filtered, packet, sizeof(packet), 0), -TERN_EAGAIN);
	check_eq(tern_recv(net.a, ping_sock, packet, sizeof(packet), 0), 8);
	tear_down();
}

/* IP_HDRINCL: the header is the user's; length and checksum are filled in. */
static void raw_with_header(void)
{
	uint8_t packet[24] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 5, 253 }, got[64];
	tern_sock a, b;
	int32_t one = 1;

	set_up(TERN_AF_INET);
	memcpy(packet + 12, net.addr_a.ip, 4);
	memcpy(packet + 16, net.addr_b.ip, 4);
	memcpy(packet + 20, "data", 4);
	tern_socket(net.a, TERN_AF_INET, TERN_SOCK_RAW, 253, &a);
	tern_socket(net.b, TERN_AF_INET, TERN_SOCK_RAW, 253, &b);
	check_eq(tern_setsockopt(net.a, a, TERN_IPPROTO_IP, TERN_IP_HDRINCL, &one, sizeof(one)), 0);
	check_eq(tern_sendto(net.a, a, packet, sizeof(packet), 0, &net.addr_b), sizeof(packet));
	pass(TERN_SEC);
	check_eq(tern_recv(net.b, b, got, sizeof(got), 0), sizeof(packet));
	check_eq(got[8], 5);
	check_eq(got[3], 24);
	check_mem(got + 20, "data", 4);
	check_eq(tern_sendto(net.a, a, packet, 20, 0, &net.addr_b), 20); /* a header alone */
	pass(TERN_SEC);
	check_eq(tern_recv(net.b, b, got, sizeof(got), 0), 20);
	packet[0] = 0x4f;
	check_eq(tern_sendto(net.a, a, packet, sizeof(packet), 0, &net.addr_b), -TERN_EINVAL);
	tear_down();
}

/* The next packet that begins with octet 1, which no neighbour sends. */
static void take_raw(tern_sock s, uint8_t *got, uint32_t len)
{
	int64_t n;

	do
		n = tern_recv(net.b, s, got, len, 0);
	while (n > 0 && got[0] != 1);
	check_eq(n, len);
}

/* RFC 3542 3.1: the checksum of ICMPv6 and what IPV6_CHECKSUM asks for: whatever stood there. */
static void raw_checksums(void)
{
	static const int protocols[] = { TERN_IPPROTO_ICMPV6, 253 };
	uint8_t clear[16] = { 1 }, junk[16] = { 1 }, got[2][16];

	for (int i = 0; i < 2; i++) {
		int32_t at = i ? 6 : 2;
		tern_sock a, b;

		set_up(TERN_AF_INET6);
		tern_socket(net.a, TERN_AF_INET6, TERN_SOCK_RAW, protocols[i], &a);
		tern_socket(net.b, TERN_AF_INET6, TERN_SOCK_RAW, protocols[i], &b);
		if (i)
			check_eq(tern_setsockopt(net.a, a, TERN_IPPROTO_IPV6, TERN_IPV6_CHECKSUM,
						 &at, sizeof(at)),
				 0);
		memset(junk + 2, 0, sizeof(junk) - 2);
		junk[at] = 0x12;
		check_eq(tern_sendto(net.a, a, clear, sizeof(clear), 0, &net.addr_b), 16);
		check_eq(tern_sendto(net.a, a, junk, sizeof(junk), 0, &net.addr_b), 16);
		pass(TERN_SEC);
		take_raw(b, got[0], 16);
		take_raw(b, got[1], 16);
		check(got[0][at] || got[0][at + 1]);
		check_mem(got[0], got[1], 16);
		tear_down();
	}
}

/* What ends before its checksum is not sent, as on Linux; where ICMPv6 has it nobody may say. */
static void raw_checksums_that_cannot_be(void)
{
	uint8_t packet[8] = { 1 };
	int32_t at = 6;
	tern_sock s;

	set_up(TERN_AF_INET6);
	tern_socket(net.a, TERN_AF_INET6, TERN_SOCK_RAW, 253, &s);
	check_eq(tern_setsockopt(net.a, s, TERN_IPPROTO_IPV6, TERN_IPV6_CHECKSUM, &at, 4), 0);
	check_eq(tern_sendto(net.a, s, packet, 8, 0, &net.addr_b), 8);
	check_eq(tern_sendto(net.a, s, packet, 7, 0, &net.addr_b), -TERN_EINVAL);
	tern_socket(net.a, TERN_AF_INET6, TERN_SOCK_RAW, TERN_IPPROTO_ICMPV6, &s);
	check_eq(tern_sendto(net.a, s, packet, 3, 0, &net.addr_b), -TERN_EINVAL);
	check_eq(tern_setsockopt(net.a, s, TERN_IPPROTO_IPV6, TERN_IPV6_CHECKSUM, &at, 4),
		 -TERN_EINVAL);
	tear_down();
}

/* A protocol that nobody knows is answered by an ICMP error. */
static void unknown_protocol(void)
{
	for (int f = 0; f < 2; f++) {
		tern_sock a, icmp;
		uint8_t packet[200];
		int64_t n;

		set_up(families[f]);
		tern_socket(net.a, families[f], TERN_SOCK_RAW, 253, &a);
		tern_socket(net.a, families[f], TERN_SOCK_RAW, f ? 58 : 1, &icmp);
		tern_sendto(net.a, a, "what?", 5, 0, &net.addr_b);
		pass(TERN_SEC);
		for (n = 0; n >= 0;) {
			n = tern_recv(net.a, icmp, packet, sizeof(packet), 0);
			if (n > 0 && packet[f ? 0 : 20] == (f ? 4 : 3))
				break;
		}
		check(n > 0);
		check_eq(packet[f ? 1 : 21], f ? 1 : 2);
		tear_down();
	}
}

/* A link-local sender's name has its link with it, so that it can be answered (RFC 4007 6). */
static void link_local_sender(void)
{
	struct tern_addr own, to, from, any = { .family = TERN_AF_INET6 };
	tern_sock a, b;
	char buf[10];

	set_up(TERN_AF_INET6);
	tern_addr_parse("fe80::1", 0, &own);
	check_eq(tern_addr_add(net.a, 2, &own, 64), 0);
	tern_addr_parse("fe80::2", 2000, &to);
	check_eq(tern_addr_add(net.b, 2, &to, 64), 0);
	a = bound(net.a, any, 1000);
	b = bound(net.b, any, 2000);
	to.scope_id = 2;
	check_eq(tern_sendto(net.a, a, "one", 3, 0, &to), 3);
	pass(TERN_SEC);
	check_eq(tern_recvfrom(net.b, b, buf, sizeof(buf), 0, &from), 3);
	check_eq(from.scope_id, 2);
	check_eq(tern_sendto(net.b, b, "two", 3, 0, &from), 3);
	pass(TERN_SEC);
	check_eq(tern_recvfrom(net.a, a, buf, sizeof(buf), 0, &from), 3);
	check_eq(from.scope_id, 2);
	to = with_port(net.addr_b, 2000);
	check_eq(tern_sendto(net.a, a, "one", 3, 0, &to), 3);
	pass(TERN_SEC);
	check_eq(tern_recvfrom(net.b, b, buf, sizeof(buf), 0, &from), 3);
	check_eq(from.scope_id, 0);
	tear_down();
}

/* What lies at `at` of what is sent in the tests of segments. */
static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 7 + at / 256);
}

/* The message of len bytes, in pieces of memory of any length, cut by `part` when it is given. */
static int64_t send_in_pieces(tern_sock s, size_t len, uint16_t part)
{
	static uint8_t bytes[70000];
	struct tern_iovec iov[40];
	struct tern_msg m;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(i);
	for (; at < len && n < 39; n++) {
		size_t piece = n * n * 3 < len - at ? n * n * 3 : len - at; /* the first is empty */

		iov[n] = (struct tern_iovec){ bytes + at, piece };
		at += piece;
	}
	iov[n++] = (struct tern_iovec){ bytes + at, len - at };
	tern_msg_init(&m, iov, n);
	m.segment = part;
	return tern_sendmsg(net.a, s, &m, 0);
}

static void arrive_cut(tern_sock s, size_t len, size_t part)
{
	uint8_t buf[2000];
	size_t at = 0;

	while (at < len) {
		size_t want = part < len - at ? part : len - at, wrong = 0;

		check_eq(tern_recv(net.b, s, buf, sizeof(buf), 0), (int64_t)want);
		for (size_t i = 0; i < want; i++)
			wrong += buf[i] != byte_at(at + i);
		check_eq(wrong, 0);
		at += want;
	}
	check_eq(tern_recv(net.b, s, buf, sizeof(buf), 0), -TERN_EAGAIN);
}

/* One socket at each host, the first connected to the second. */
static void set_up_peers(int family, tern_sock *a, tern_sock *b)
{
	struct tern_addr to;

	set_up(family);
	*a = bound(net.a, net.addr_a, 1000);
	*b = bound(net.b, net.addr_b, 2000);
	to = with_port(net.addr_b, 2000);
	check_eq(tern_connect(net.a, *a, &to), 0);
}

static void segments(void)
{
	static const struct {
		size_t len;
		uint16_t part;
	} of[] = { { 1, 1 },	   { 9, 2 },	    { 1000, 333 },   { 1000, 1000 },
		   { 1000, 1001 }, { 40000, 1400 }, { 65507, 1452 }, { 128, 1 } };

	for (int f = 0; f < 2; f++) {
		tern_sock a, b;

		set_up_peers(families[f], &a, &b);
		for (size_t i = 0; i < 2 * sizeof(of) / sizeof(of[0]); i++) {
			int32_t by_option = i % 2 ? of[i / 2].part : 0;
			uint16_t beside = i % 2 ? 0 : of[i / 2].part;

			test_at("%zu by %u, %s", of[i / 2].len, of[i / 2].part,
				i % 2 ? "an option" : "the message");
			check_eq(tern_setsockopt(net.a, a, TERN_IPPROTO_UDP, TERN_UDP_SEGMENT,
						 &by_option, sizeof(by_option)),
				 0);
			check_eq(send_in_pieces(a, of[i / 2].len, beside), (int64_t)of[i / 2].len);
			pass(TERN_SEC);
			arrive_cut(b, of[i / 2].len, of[i / 2].part);
		}
		tear_down();
	}
}

/* Linux's: more than 128 of a message; one that would have to go in fragments; and it stays whole. */
static void segments_that_are_refused(void)
{
	for (int f = 0; f < 2; f++) {
		uint16_t most = families[f] == TERN_AF_INET ? 1472 : 1452;
		int32_t never = TERN_IP_PMTUDISC_DO;
		tern_sock a, b;

		set_up_peers(families[f], &a, &b);
		check_eq(send_in_pieces(a, 129, 1), -TERN_EINVAL);
		check_eq(send_in_pieces(a, 5000, (uint16_t)(most + 1)), -TERN_EMSGSIZE);
		check_eq(send_in_pieces(a, (size_t)most + 1, (uint16_t)(most + 1)), -TERN_EMSGSIZE);
		check_eq(send_in_pieces(a, 65536, 1000), -TERN_EMSGSIZE);
		pass(TERN_SEC);
		arrive_cut(b, 0, 1);
		/* the parts count, not the message, where nothing may be cut */
		check_eq(f == 0 ? tern_setsockopt(net.a, a, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER,
						  &never, sizeof(never)) :
				  tern_setsockopt(net.a, a, TERN_IPPROTO_IPV6,
						  TERN_IPV6_MTU_DISCOVER, &never, sizeof(never)),
			 0);
		check_eq(send_in_pieces(a, 5000, most), 5000);
		pass(TERN_SEC);
		arrive_cut(b, 5000, most);
		tear_down();
	}
}

/* Nobody has the unspecified address: it means this host, as on Linux. */
static void to_this_host(void)
{
	for (int f = 0; f < 2; f++) {
		struct tern_addr to = { .family = (uint16_t)families[f], .port = 1000 }, peer;
		tern_sock a, any;
		char c;

		set_up(families[f]);
		any = bound(net.a, to, 1000);
		check_eq(tern_socket(net.a, families[f], TERN_SOCK_DGRAM, 0, &a), 0);
		check_eq(tern_sendto(net.a, a, "x", 1, 0, &to), 1);
		check(!tern_output_ready(net.a, 2));
		pass(TERN_MS);
		check_eq(tern_recv(net.a, any, &c, 1, 0), 1);
		check_eq(tern_connect(net.a, a, &to), 0);
		check_eq(tern_getpeername(net.a, a, &peer), 0);
		check_eq(peer.ip[families[f] == TERN_AF_INET ? 0 : 15],
			 families[f] == TERN_AF_INET ? 127 : 1);
		tear_down();
	}
}

/* What a header has no room for is no TTL and no TOS. */
static void headers_are_checked(void)
{
	static const int bad[] = { -2, 256, 300, 65536 };

	for (int f = 0; f < 2; f++) {
		struct tern_iovec iov = { (void *)"x", 1 };
		struct tern_msg m;
		tern_sock a;

		set_up(families[f]);
		a = bound(net.a, net.addr_a, 1000);
		for (size_t i = 0; i < N_TESTS(bad); i++) {
			tern_msg_init(&m, &iov, 1);
			m.addr = with_port(net.addr_b, 9);
			m.ttl = bad[i];
			check_eq(tern_sendmsg(net.a, a, &m, 0), -TERN_EINVAL);
			m.ttl = -1;
			m.tos = bad[i];
			check_eq(tern_sendmsg(net.a, a, &m, 0), -TERN_EINVAL);
			m.tos = 255;
			m.ttl = 255;
			check_eq(tern_sendmsg(net.a, a, &m, 0), 1);
		}
		tear_down();
	}
}

static const struct test tests[] = {
	TEST(to_this_host),
	TEST(headers_are_checked),
	TEST(boundaries),
	TEST(link_local_sender),
	TEST(truncation_is_reported),
	TEST(connected),
	TEST(errors_of_sending),
	TEST(full_queue),
	TEST(ping),
	TEST(raw_copies),
	TEST(raw_with_header),
	TEST(raw_checksums),
	TEST(raw_checksums_that_cannot_be),
	TEST(unknown_protocol),
	TEST(segments),
	TEST(segments_that_are_refused),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
