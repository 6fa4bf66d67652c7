/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_test.c - rules of RFC 9293 that a script cannot show, because they are about addresses and
 * the fields of the IP header, neighbours and secrets: MAY-2, MAY-4, MUST-8, MUST-9, MUST-20,
 * MUST-42 to MUST-50, MUST-57, MUST-63, SHLD-1, SHLD-10, SHLD-21, SHLD-22.
 */
#include "peer_fixture.h"

/* MUST-63 and MUST-57: no answer, no state. */
static void impossible_addresses(void)
{
	static const struct {
		const char *src, *dst;
		uint16_t link_flags;
	} bad[] = {
		{ "255.255.255.255", "10.0.0.1", 0 },
		{ "224.0.0.1", "10.0.0.1", 0 },
		{ "10.0.0.255", "10.0.0.1", 0 },
		{ "0.0.0.0", "10.0.0.1", 0 },
		{ "127.0.0.1", "10.0.0.1", 0 },
		{ "10.0.0.1", "10.0.0.1", 0 },
		{ "::", "fd00::1", 0 },
		{ "ff02::1", "fd00::1", 0 },
		{ "::1", "fd00::1", 0 },
		{ "10.0.0.9", "255.255.255.255", 0 },
		{ "10.0.0.9", "10.0.0.255", 0 },
		{ "10.0.0.9", "224.0.0.1", 0 },
		{ "10.0.0.9", "127.0.0.1", 0 },
		{ "fd00::9", "ff02::1", 0 },
		{ "10.0.0.9", "10.0.0.1", TERN_PKT_LINK_BROADCAST },
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
		put_in(&(struct sent){ .src = bad[i].src,
				       .dst = bad[i].dst,
				       .seq = 1,
				       .flags = TCP_SYN,
				       .link_flags = bad[i].link_flags });
		check_eq(next_out(buf, sizeof(buf)), 0);
		check_eq(n_records(), 0);
	}
	put_in(&(struct sent){ .seq = 1, .flags = TCP_SYN });
	check(next_out(buf, sizeof(buf)) > 0); /* a good one is answered */
	end_stack();
}

/* Nor of who has no port, or to none. */
static void impossible_ports(void)
{
	uint8_t buf[200];

	new_stack(1);
	listen_on((struct tern_addr){ .family = TERN_AF_INET, .port = 80 });
	for (int i = 0; i < 2; i++) {
		struct sent syn = { .seq = 1, .flags = TCP_SYN, .wnd = 1000 };
		struct tern_pkt *p = packet_of(&syn);
		uint8_t *tcp = p->data + 20, *port = tcp + 2 * i;

		/* the sum stays as it is */
		put_be16(tcp + 14, (uint32_t)get_be16(tcp + 14) + get_be16(port));
		put_be16(port, 0);
		tern_input(st, p);
		check_eq(next_out(buf, sizeof(buf)), 0);
		check_eq(n_records(), 0);
		check_eq(tern_counter(st, "Drop-tcp-checksum"), 0);
	}
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

/* MAY-4: a segment that goes again has the identification of the first (RFC 6864 4.1: of no use). */
static void identification(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 80);
	uint8_t first[200], again[200];
	tern_sock s;

	new_stack(1);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_connect(st, s, &to);
	check(next_out(first, sizeof(first)) >= 40);
	tern_advance(st, 3 * TERN_SEC);
	check(next_out(again, sizeof(again)) >= 40);
	check_mem(again + 4, first + 4, 2);
	check(first[6] & 0x40); /* "don't fragment" */
	end_stack();
}

/* MUST-50: an IP option that nobody knows is stepped over. */
static void unknown_ip_option(void)
{
	uint8_t buf[200];
	struct tcp_hdr h;

	new_stack(1);
	listen_on(tern_ip4(10, 0, 0, 1, 80));
	put_in(&(struct sent){ .seq = 77, .flags = TCP_SYN, .n_ip_options = 4 });
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
	put_in(&(struct sent){ .seq = 5, .flags = TCP_SYN });
	check(next_out(buf, sizeof(buf)) > 0);
	check_eq(buf[33], TCP_SYN | TCP_ACK);
	end_stack();
}

/* MUST-45: the address of the SYN stays when a better route leads by another interface. */
static void source_stays(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 80), better = tern_ip4(10, 0, 0, 10, 0);
	uint8_t first[200], again[200];
	struct tern_pkt *p;
	tern_sock s;

	new_stack(1);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_connect(st, s, &to);
	check(next_out(first, sizeof(first)) > 0);
	check_mem(first + 12, tern_ip4(10, 0, 0, 1, 0).ip, 4);
	check_eq(tern_iface_add(st, &other), 3);
	check_eq(tern_addr_add(st, 3, &better, 30), 0);
	tern_advance(st, 3 * TERN_SEC);
	check_eq(next_out(again, sizeof(again)), 0);
	p = tern_output(st, 3);
	check(p != NULL);
	if (p)
		tern_pkt_copy(p, 0, again, sizeof(again));
	tern_pkt_free(st, p);
	check_mem(again + 12, first + 12, 8);
	end_stack();
}

/* ---- R1 (MUST-20, SHLD-10) ---- */

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 9 };

static void put_frame(uint16_t type, const uint8_t *bytes, uint32_t len)
{
	struct tern_pkt *p = tern_pkt_new(st, 14 + len);
	struct eth eth = { .type = type };

	memcpy(eth.dst, our_mac, 6);
	memcpy(eth.src, peer_mac, 6);
	eth_emit(&eth, p->data);
	memcpy(p->data + 14, bytes, len);
	p->ifindex = 3;
	tern_input(st, p);
}

static void answer_arp(void)
{
	struct arp arp = { .op = 2 };
	uint8_t buf[28];

	arp.sender = parse_addr("10.0.1.9");
	arp.target = parse_addr("10.0.1.1");
	memcpy(arp.sender_mac, peer_mac, 6);
	memcpy(arp.target_mac, our_mac, 6);
	put_frame(0x0806, buf, (uint32_t)arp_emit(&arp, buf));
}

/* Takes all that goes out by the Ethernet; how many ARP requests, how many IP packets. */
struct went {
	unsigned arp, ip;
	uint32_t seq;
	uint8_t to[6]; /* of the last ARP request */
};

static struct went take_frames(void)
{
	struct went w = { 0 };
	struct tern_pkt *p;

	while ((p = tern_output(st, 3))) {
		uint8_t buf[100];
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));

		check(len >= 42);
		tern_pkt_free(st, p);
		if (get_be16(buf + 12) == 0x0806) {
			w.arp++;
			memcpy(w.to, buf, 6);
		} else {
			w.ip++;
			w.seq = get_be32(buf + 38);
		}
	}
	return w;
}

static uint32_t neighbour_state(void)
{
	struct tern_neigh n;
	unsigned cursor = 0;

	while (tern_neigh_next(st, &cursor, &n))
		if (n.ifindex == 3)
			return n.state;
	return 0;
}

/* A connection over Ethernet whose peer answered ARP and SYN just now, and is silent from now on. */
static tern_sock open_over_ethernet(void)
{
	struct tern_addr to = tern_ip4(10, 0, 1, 9, 5000), from = tern_ip4(10, 0, 1, 1, 80);
	struct sent answer = { .src = "10.0.1.9", .dst = "10.0.1.1", .seq = 70 };
	struct tern_iface wire = { "eth", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_pkt *p;
	struct went w;
	tern_sock s;

	check_eq(tern_iface_add(st, &wire), 3);
	check_eq(tern_addr_add(st, 3, &from, 24), 0);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	check_eq(tern_bind(st, s, &from), 0);
	tern_connect(st, s, &to);
	check_eq(take_frames().arp, 1);
	answer_arp();
	w = take_frames();
	check_eq(w.ip, 1);
	answer.ack = w.seq + 1;
	answer.flags = TCP_SYN | TCP_ACK;
	p = packet_of(&answer);
	put_frame(0x0800, p->data, p->len);
	tern_pkt_free(st, p);
	check_eq(take_frames().ip, 1);
	return s;
}

/*
 * RFC 9293 3.8.3 (b): the third retransmission (R1) gives the internet layer negative advice: the
 * neighbour is no longer taken for reachable, and asked for again. One or two do not.
 */
static void neighbour_is_suspected_at_r1(void)
{
	tern_time now = TERN_SEC;
	unsigned n_sent = 0, n_asked = 0;
	tern_sock s;

	new_stack(1);
	s = open_over_ethernet();
	check_eq(neighbour_state(), TERN_NEIGH_REACHABLE);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	for (; now < 12 * TERN_SEC && n_asked == 0; now += 10 * TERN_MS) {
		struct went w;

		tern_advance(st, now);
		w = take_frames();
		n_sent += w.ip;
		n_asked += w.arp;
		if (w.arp)
			check_mem(w.to, peer_mac, 6);
		if (n_sent < 4) /* the text itself and two retransmissions */
			check_eq(neighbour_state(), TERN_NEIGH_REACHABLE);
		else
			check(neighbour_state() != TERN_NEIGH_REACHABLE);
	}
	check_eq(n_asked, 1); /* it would have been believed for 15 s at least */
	end_stack();
}

/* ---- local addresses ---- */

/* MUST-43: the user may name the address from which to open. */
static void source_is_named(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_addr second, to;
		uint8_t buf[200];
		tern_sock s;

		test_at("%s", v6 ? "IPv6" : "IPv4");
		new_stack(1);
		tern_addr_parse(v6 ? "fd00::2" : "10.0.0.2", 0, &second);
		tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 5000, &to);
		check_eq(tern_addr_add(st, 2, &second, v6 ? 64 : 24), 0);
		tern_socket(st, to.family, TERN_SOCK_STREAM, 0, &s);
		check_eq(tern_bind(st, s, &second), 0);
		tern_connect(st, s, &to);
		check(next_out(buf, sizeof(buf)) >= 40);
		check_mem(buf + (v6 ? 8 : 12), second.ip, v6 ? 16 : 4);
		end_stack();
	}
}

/* MUST-44: otherwise it is that of the interface by which the SYN goes, known before it goes. */
static void source_is_of_the_route(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
		struct tern_addr here, to, name;
		struct tern_pkt *p;
		uint8_t buf[200];
		tern_sock s;

		test_at("%s", v6 ? "IPv6" : "IPv4");
		new_stack(1);
		check_eq(tern_iface_add(st, &other), 3);
		tern_addr_parse(v6 ? "fd01::1" : "10.0.1.1", 0, &here);
		tern_addr_parse(v6 ? "fd01::9" : "10.0.1.9", 5000, &to);
		check_eq(tern_addr_add(st, 3, &here, v6 ? 64 : 24), 0);
		tern_socket(st, to.family, TERN_SOCK_STREAM, 0, &s);
		tern_connect(st, s, &to);
		check_eq(tern_getsockname(st, s, &name), 0);
		check_mem(name.ip, here.ip, v6 ? 16 : 4);
		p = tern_output(st, 3);
		check(p != NULL);
		if (p)
			tern_pkt_copy(p, 0, buf, sizeof(buf));
		tern_pkt_free(st, p);
		check_mem(buf + (v6 ? 8 : 12), here.ip, v6 ? 16 : 4);
		end_stack();
	}
}

/* ---- initial numbers ---- */

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

/* MUST-8: the number of a tuple moves by one every 4 us and nothing else. */
static void initial_number_has_a_clock(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 5000), from = tern_ip4(10, 0, 0, 1, 4000);
	uint32_t last = 0;
	uint8_t buf[200];

	new_stack(1);
	for (int i = 0; i < 4; i++) {
		struct tern_linger now = { 1, 0 };
		tern_sock s;

		tern_advance(st, (1 + (1 << i)) * TERN_SEC);
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
		tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &now, sizeof(now));
		check_eq(tern_bind(st, s, &from), 0);
		check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
		check(next_out(buf, sizeof(buf)) >= 40);
		if (i)
			check_eq(get_be32(buf + 24) - last, 250000u << (i - 1));
		last = get_be32(buf + 24);
		tern_close(st, s);
	}
	end_stack();
}

/* MAY-2: a connection that ends TIME-WAIT begins above all that the old one has used. */
static void new_connection_begins_above_the_old(void)
{
	tern_sock l, s;
	uint8_t buf[200];
	uint32_t isn;

	new_stack(1);
	l = listen_on(tern_ip4(10, 0, 0, 1, 80));
	put_in(&(struct sent){ .seq = 70, .flags = TCP_SYN });
	check(next_out(buf, sizeof(buf)) >= 40);
	isn = get_be32(buf + 24);
	put_in(&(struct sent){ .seq = 71, .ack = isn + 1, .flags = TCP_ACK });
	check_eq(tern_accept(st, l, &s, NULL), 0);
	check_eq(tern_send(st, s, buf, 100, 0), 100);
	check_eq(next_out(buf, sizeof(buf)), 140);
	tern_shutdown(st, s, TERN_SHUT_WR);
	check_eq(next_out(buf, sizeof(buf)), 40);
	put_in(&(struct sent){ .seq = 71, .ack = isn + 102, .flags = TCP_FIN | TCP_ACK });
	check_eq(next_out(buf, sizeof(buf)), 40);
	put_in(&(struct sent){ .seq = 100000, .flags = TCP_SYN });
	check(next_out(buf, sizeof(buf)) >= 40);
	check_eq(buf[33], TCP_SYN | TCP_ACK);
	check((int32_t)(get_be32(buf + 24) - (isn + 102)) > 0);
	end_stack();
}

/*
 * MUST-9: what a stranger can learn from one stack, or from other tuples of the same one, does not
 * give the number of another tuple: the distance between two tuples is another under each secret,
 * and numbers of neighbouring ports are spread over the whole space.
 */
static void initial_numbers_cannot_be_computed(void)
{
	enum { N = 64 };
	uint32_t isn[2][N];
	unsigned n_same = 0, n_high = 0;

	for (uint16_t i = 0; i < N; i++) {
		isn[0][i] = isn_towards(1, 1000 + i);
		isn[1][i] = isn_towards(2, 1000 + i);
		n_high += isn[0][i] >> 31;
	}
	for (int i = 1; i < N; i++) {
		n_same += isn[0][i] - isn[0][i - 1] == isn[1][i] - isn[1][i - 1];
		for (int k = 0; k < i; k++) /* 2016 pairs: one within 2^16 by chance is rare */
			check(isn[0][i] - isn[0][k] + 1000 > 2000);
	}
	check_eq(n_same, 0);
	check(n_high > N / 4 && n_high < 3 * N / 4);
}

/* ---- counters ---- */

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
			put_in(&(struct sent){ .ack = isn + 1, .flags = TCP_RST | TCP_ACK });
			check_eq(tern_counter(st, "TcpAttemptFails"), 1);
			check_eq(tern_counter(st, "TcpEstabResets"), 0);
		} else {
			put_in(&(struct sent){
				.seq = 70, .ack = isn + 1, .flags = TCP_SYN | TCP_ACK });
			put_in(&(struct sent){ .seq = 71, .flags = TCP_RST });
			check_eq(tern_counter(st, "TcpAttemptFails"), 1);
			check_eq(tern_counter(st, "TcpEstabResets"), 1);
		}
		tern_close(st, s);
	}
	end_stack();
}

static const struct test tests[] = {
	TEST(impossible_addresses),
	TEST(impossible_ports),
	TEST(no_open_to_groups),
	TEST(header_fields),
	TEST(identification),
	TEST(unknown_ip_option),
	TEST(listen_beside_an_opening_connection),
	TEST(source_stays),
	TEST(initial_numbers),
	TEST(initial_number_has_a_clock),
	TEST(new_connection_begins_above_the_old),
	TEST(initial_numbers_cannot_be_computed),
	TEST(source_is_named),
	TEST(source_is_of_the_route),
	TEST(neighbour_is_suspected_at_r1),
	TEST(what_is_counted),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
