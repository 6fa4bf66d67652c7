/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4_rules_test.c - what a host does with the headers of IPv4 that it gets and sends: RFC 791,
 * RFC 1122 3.2.1 and 3.3, RFC 1112, RFC 6864.
 */
#include "inet_fixture.h"

static const uint8_t record_route[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };

/* An echo request as bytes, to be changed; returns its length. */
static uint32_t echo_bytes(uint8_t *buf)
{
	struct packet p = { .v6 = false };

	fill_echo(&p);
	return packet_bytes(&p, buf);
}

/* Is the request, with its header's checksum made right again, answered? */
static bool is_answered(uint8_t *buf, uint32_t len)
{
	ip4_set_checksum(buf);
	put_bytes(buf, len, NULL, 0);
	return count_out() == 1;
}

/* ---- headers that come ---- */

/* IP4-1: whatever the frame's type says, the version counts. */
static void versions(void)
{
	for (uint8_t v = 0; v < 16; v++) {
		struct eth h = { .dst = { 2, 0, 0, 0, 0, 1 }, .type = ETH_IP4 };
		struct tern_pkt *p;
		uint8_t buf[100];
		uint32_t len;

		test_at("version %u", v);
		new_ethernet(24, true);
		len = echo_bytes(buf);
		buf[0] = (uint8_t)(v << 4 | 5);
		ip4_set_checksum(buf);
		p = tern_pkt_new(st, 14 + len);
		eth_emit(&h, p->data);
		memcpy(p->data + 14, buf, len);
		p->ifindex = 2;
		tern_input(st, p);
		check_eq(count_out(), v == 4);
		end_stack();
	}
}

/* IP4-2, IP4-30: no bit of the header may change; what is dropped is counted, by reason. */
static void checksum_of_headers(void)
{
	uint8_t buf[100];
	uint32_t len;

	new_wire();
	len = echo_bytes(buf);
	for (unsigned bit = 32; bit < 160; bit++) { /* behind version and lengths */
		uint64_t before = tern_counter(st, "Drop-ip-checksum");

		test_at("bit %u", bit);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		put_bytes(buf, len, NULL, 0);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_eq(count_out(), 0);
		check_eq(tern_counter(st, "Drop-ip-checksum"), before + 1);
	}
	put_bytes(buf, len, NULL, 0);
	check_eq(count_out(), 1);
	end_stack();
}

/* IP4-31, SEC-18: every header length with every length of packet. */
static void header_lengths(void)
{
	static const uint8_t nops[44] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	uint8_t buf[128], echo[8] = { 8 };
	unsigned n_malformed = 0;

	new_wire();
	put_be16(echo + 2, checksum_finish(checksum_add(echo, 8, 0)));
	for (uint32_t ihl = 0; ihl < 16; ihl++) {
		for (uint32_t len = 0; len <= 80; len++) {
			uint32_t hdr_len = MAX(ihl, 5) * 4, n;

			test_at("ihl %u, length %u", ihl, len);
			echo_bytes(buf);
			memcpy(buf + 20, nops, hdr_len - 20);
			memset(buf + hdr_len, 0, sizeof(buf) - hdr_len);
			memcpy(buf + hdr_len, echo, 8);
			buf[0] = (uint8_t)(0x40 | ihl);
			put_be16(buf + 2, len);
			put_be16(buf + 10, 0);
			put_be16(buf + 10, checksum_finish(checksum_add(buf, hdr_len, 0)));
			if (len == 0)
				continue; /* no packet at all */
			put_bytes(buf, len, NULL, 0);
			n = count_out();
			check_eq(n, ihl >= 5 && len >= ihl * 4 + 8);
			n_malformed += ihl < 5 || len < ihl * 4;
			check_eq(tern_counter(st, "Drop-ip-malformed"), n_malformed);
		}
	}
	end_stack();
}

/* IP4-31, SEC-19: what the header says, against what came; for each protocol. */
static void total_lengths(void)
{
	static const uint8_t protocols[] = { ICMP4, UDP, TCP };

	for (unsigned i = 0; i < 3; i++) {
		for (uint32_t options = 0; options <= 8; options += 8) {
			uint32_t hdr_len = 20 + options, body = i == 2 ? 20 : 12;
			const uint32_t totals[] = { 0,
						    1,
						    hdr_len - 1,
						    hdr_len,
						    hdr_len + 7,
						    hdr_len + 11,
						    hdr_len + body,
						    hdr_len + body + 1,
						    hdr_len + 60,
						    65535 };

			for (unsigned k = 0; k < N_TESTS(totals); k++) {
				struct packet p = { .options = record_route };
				uint8_t buf[100];
				/* UDP has a length of its own */
				bool good = totals[k] == hdr_len + body ||
					    (i == 1 && totals[k] == hdr_len + body + 1);

				test_at("protocol %u, %u of %u", protocols[i], totals[k], hdr_len);
				new_wire();
				memset(buf, 0xee, sizeof(buf));
				p.n_options = (uint8_t)options;
				if (i == 0)
					fill_echo(&p);
				else if (i == 1)
					fill_udp(&p, PEER_PORT, 7000, "text", 4);
				else
					fill_tcp(&p, PEER_PORT, 80, TCP_SYN);
				check_eq(packet_bytes(&p, buf), hdr_len + body);
				put_be16(buf + 2, totals[k]);
				ip4_set_checksum(buf);
				/* padding to 60 bytes, as Ethernet has it */
				put_bytes(buf, MAX(60, hdr_len + body), NULL, 0);
				tern_check(st);
				if (totals[k] < hdr_len || totals[k] > 60) {
					check_eq(tern_counter(st, "Drop-ip-malformed"), 1);
					check_eq(tern_counter(st, "IpInDelivers"), 0);
				}
				check_eq(count_out(), good);
				end_stack();
			}
		}
	}
}

/* IP4-32: the bit that is reserved changes nothing. */
static void evil_bit(void)
{
	uint8_t buf[100];
	uint32_t len;
	tern_sock s;

	new_wire();
	len = echo_bytes(buf);
	buf[6] |= 0x80;
	check(is_answered(buf, len));
	s = open_udp("0.0.0.0", 7000);
	for (int32_t how = TERN_IP_PMTUDISC_DONT; how <= TERN_IP_PMTUDISC_OMIT; how++) {
		set_option(s, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, how);
		check_eq(send_to(s, "10.0.0.9", 9, "x", 1), 1);
		check(take_out(buf, sizeof(buf)) && !(buf[6] & 0x80));
	}
	end_stack();
}

/* ---- addresses ---- */

/* IP4-4: a host takes nothing that is for others, and hands nothing on. */
static void for_others(void)
{
	static const char *const to[] = { "10.0.0.2", "10.0.1.1",  "192.0.2.1", "240.0.0.1",
					  "0.0.0.0",  "127.0.0.1", "224.0.0.5" };
	tern_sock udp, tcp;

	new_wire();
	add_route("0.0.0.0", 0, "10.0.0.9", 1);
	udp = open_udp("0.0.0.0", 7000);
	tcp = listen_on((struct tern_addr){ .family = TERN_AF_INET, .port = 80 });
	for (unsigned i = 0; i < N_TESTS(to); i++) {
		struct packet p = { .dst = to[i] };

		test_at("to %s", to[i]);
		fill_echo(&p);
		put_packet(&p);
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		put_packet(&p);
		fill_udp(&p, PEER_PORT, 7001, "x", 1);
		put_packet(&p);
		fill_tcp(&p, PEER_PORT, 80, TCP_SYN);
		put_packet(&p);
		check_eq(count_out(), 0);
		check_eq(hears(udp), -TERN_EAGAIN);
		check_eq(tern_counter(st, "Drop-ip-not-ours"), 4 * (i + 1));
	}
	check_eq(tern_accept(st, tcp, &tcp, NULL), -TERN_EAGAIN);
	end_stack();
}

/* IP4-7: to all hosts, here or of this network. */
static void broadcasts(void)
{
	static const struct {
		const char *to;
		uint32_t len;
	} cases[] = { { "255.255.255.255", 24 }, { "10.0.0.255", 24 }, { "10.0.255.255", 16 },
		      { "10.255.255.255", 8 },	 { "10.0.0.127", 25 }, { "10.0.0.3", 30 } };

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct packet p = { .dst = cases[i].to, .frame_to = all_macs };
		tern_sock s;

		test_at("to %s", cases[i].to);
		new_ethernet(cases[i].len, false);
		s = open_udp("0.0.0.0", 7000);
		set_option(s, TERN_SOL_SOCKET, TERN_SO_BROADCAST, 1);
		p.src = "10.0.0.2";
		fill_udp(&p, PEER_PORT, 7000, "all", 3);
		put_packet(&p);
		check_eq(hears(s), 3);
		end_stack();
	}
}

/* IP4-3: what is sent comes from an address of ours, whatever the program wants. */
static void own_sources(void)
{
	char x = 'x';
	struct tern_iovec iov = { &x, 1 };
	struct tern_msg m;
	uint8_t buf[100];

	for (int v6 = 0; v6 < 2; v6++) {
		tern_sock s;

		new_wire();
		s = open_udp(v6 ? "::" : "0.0.0.0", 7000);
		tern_msg_init(&m, &iov, 1);
		tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 9, &m.addr);
		tern_addr_parse(v6 ? "fd00::77" : "10.0.0.77", 0, &m.local);
		check(tern_sendmsg(st, s, &m, 0) < 0);
		check_eq(count_out(), 0);
		check_eq(tern_bind(st, open_udp(v6 ? "::" : "0.0.0.0", 0), &m.local),
			 -TERN_EADDRNOTAVAIL);
		m.local.family = TERN_AF_UNSPEC;
		check_eq(tern_sendmsg(st, s, &m, 0), 1);
		check(take_out(buf, sizeof(buf)));
		check_mem(buf + (v6 ? 8 : 12),
			  parse_addr(v6 ? "fd00::1" : "10.0.0.1").b + (v6 ? 0 : 12), v6 ? 16 : 4);
		end_stack();
	}
}

/* IP4-6: 127/8 is within this host. */
static void loopback_stays(void)
{
	tern_sock s, hearer;

	new_wire();
	add_route("0.0.0.0", 0, "10.0.0.9", 1);
	s = open_udp("0.0.0.0", 7000);
	hearer = open_udp("127.0.0.1", 7001);
	check_eq(send_to(s, "127.0.0.1", 7001, "in", 2), 2);
	check_eq(send_to(s, "127.9.9.9", 7002, "in", 2), 2);
	pass(TERN_MS);
	check_eq(count_out(), 0);
	check_eq(hears(hearer), 2);
	for (int from = 0; from < 2; from++) {
		struct packet p = { .src = from ? "127.0.0.1" : NULL,
				    .dst = from ? NULL : "127.0.0.1" };

		fill_udp(&p, PEER_PORT, from ? 7000 : 7001, "x", 1);
		put_packet(&p);
		fill_echo(&p);
		check_eq(answer_to(&p), -1);
		check_eq(hears(from ? s : hearer), -TERN_EAGAIN);
	}
	end_stack();
}

/* IP4-6: nor does what is from there leave, or what is for there another way. */
static void loopback_is_no_source(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const char *self = v6 ? "::1" : "127.0.0.1", *peer = v6 ? "fd00::9" : "10.0.0.9";
		char x = 'x';
		struct tern_iovec iov = { &x, 1 };
		struct tern_msg m;
		tern_sock s;

		new_wire();
		add_route("0.0.0.0", 0, "10.0.0.9", 1);
		add_route("::", 0, "fd00::9", 1);
		s = open_udp(self, 7000);
		check_eq(send_to(s, peer, 9, "x", 1), -TERN_EINVAL);
		check_eq(connect_to(s, peer, 9), -TERN_EINVAL);
		s = open_socket(self, 7000, TERN_SOCK_STREAM, 0);
		check_eq(connect_to(s, peer, 9), -TERN_EINVAL);
		s = open_udp(v6 ? "::" : "0.0.0.0", 7001);
		tern_msg_init(&m, &iov, 1);
		tern_addr_parse(peer, 9, &m.addr);
		tern_addr_parse(self, 0, &m.local);
		check_eq(tern_sendmsg(st, s, &m, 0), -TERN_EINVAL);
		tern_msg_init(&m, &iov, 1);
		tern_addr_parse(self, 9, &m.addr);
		m.ifindex = 2;
		check_eq(tern_sendmsg(st, s, &m, 0), -TERN_ENETUNREACH);
		check_eq(count_out(), 0);
		end_stack();
	}
}

/* IP4-25, IP4-26: answers come from where the question went to, by whichever way it came. */
static void second_address(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	static const char *const ours[] = { "10.0.0.1", "10.0.0.2", "192.0.2.1" };

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = { .dst = ours[i] };
		uint8_t buf[200];
		struct addr want = parse_addr(ours[i]);

		test_at("%s", ours[i]);
		new_wire();
		check_eq(tern_iface_add(st, &other), 3);
		add_address("10.0.0.2", 2, 24);
		add_address("192.0.2.1", 3, 24);
		listen_on((struct tern_addr){ .family = TERN_AF_INET, .port = 80 });
		for (int what = 0; what < 3; what++) {
			if (what == 0)
				fill_echo(&p);
			else if (what == 1)
				fill_udp(&p, PEER_PORT, 7001, "x", 1);
			else
				fill_tcp(&p, PEER_PORT, 80, TCP_SYN);
			put_packet(&p);
			check(take_out(buf, sizeof(buf)) > 0);
			check_mem(buf + 12, want.b + 12, 4);
		}
		end_stack();
	}
}

/* ---- fields that are sent ---- */

/* IP4-16: the last hop may use the TTL up. */
static void last_hop(void)
{
	uint8_t buf[100];
	uint32_t len;

	new_wire();
	len = echo_bytes(buf);
	for (uint8_t ttl = 0; ttl < 3; ttl++) {
		buf[8] = ttl;
		check(is_answered(buf, len));
	}
	end_stack();
}

/* The TTL or the TOS of the packet that goes out now. */
static uint8_t field_out(unsigned at)
{
	uint8_t buf[1600];

	check(take_out(buf, sizeof(buf)) > 20);
	check_eq(count_out(), 0);
	return buf[at];
}

/* IP4-17, IP4-18: a program's, the configuration's; and what came is told. */
static void ttl_and_tos(void)
{
	struct packet p = { .tos = 0xb9 };
	char text[8];
	struct tern_iovec iov = { text, sizeof(text) };
	struct tern_msg m;
	tern_sock udp, tcp;

	for (int changed = 0; changed < 2; changed++) {
		new_wire();
		if (changed)
			check_eq(tern_sysctl_set(st, "net.ipv4.ip_default_ttl", "33"), 0);
		check_eq(tern_sysctl_set(st, "net.ipv4.ip_default_ttl", "0"), -TERN_EINVAL);
		udp = open_udp("0.0.0.0", 7000);
		tcp = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
		send_to(udp, "10.0.0.9", 9, "x", 1);
		check_eq(field_out(8), changed ? 33 : 64);
		fill_echo(&p);
		put_packet(&p);
		check_eq(field_out(8), changed ? 33 : 64);
		set_option(udp, TERN_IPPROTO_IP, TERN_IP_TTL, 9);
		set_option(tcp, TERN_IPPROTO_IP, TERN_IP_TTL, 10);
		send_to(udp, "10.0.0.9", 9, "x", 1);
		check_eq(field_out(8), 9);
		connect_to(tcp, "10.0.0.9", 9);
		check_eq(field_out(8), 10);
		set_option(udp, TERN_IPPROTO_IP, TERN_IP_TOS, 0xb8);
		set_option(udp, TERN_IPPROTO_IP, TERN_IP_RECVTOS, 1);
		send_to(udp, "10.0.0.9", 9, "x", 1);
		check_eq(field_out(1), 0xb8);
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		put_packet(&p);
		tern_msg_init(&m, &iov, 1);
		check_eq(tern_recvmsg(st, udp, &m, 0), 1);
		check_eq(m.tos, 0xb9);
		check_eq(m.ttl, 64);
		end_stack();
	}
}

/* IP4-15: nobody sends with a TTL of 0. */
static void no_ttl(void)
{
	char x = 'x';
	struct tern_iovec iov = { &x, 1 };
	struct tern_msg m;
	int32_t zero = 0;
	tern_sock s;

	new_wire();
	s = open_udp("0.0.0.0", 7000);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TTL, &zero, 4), -TERN_EINVAL);
	tern_msg_init(&m, &iov, 1);
	tern_addr_parse("10.0.0.9", 9, &m.addr);
	m.ttl = 0;
	check_eq(tern_sendmsg(st, s, &m, 0), -TERN_EINVAL);
	set_option(s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_TTL, 0);
	tern_addr_parse("224.7.7.7", 9, &m.addr);
	m.ttl = -1;
	m.ifindex = 2;
	check_eq(tern_sendmsg(st, s, &m, 0), 1); /* for this host alone */
	check_eq(count_out(), 0);
	/* which a broadcast is not: it has the TTL of any other (1122 4.1.4) */
	set_option(s, TERN_SOL_SOCKET, TERN_SO_BROADCAST, 1);
	set_option(s, TERN_IPPROTO_IP, TERN_IP_TTL, 33);
	check_eq(send_to(s, "10.0.0.255", 9, "x", 1), 1);
	check_eq(field_out(8), 33);
	end_stack();
}

/* IP4-29: what is whole needs no identification, and is not known by it (RFC 6864 4.1). */
static void identifications(void)
{
	struct packet p = { .off = 0x4000, .id = 77 };
	unsigned n_same = 0, last = 0;
	uint8_t buf[1600];
	tern_sock s;

	new_wire();
	s = open_udp("0.0.0.0", 7000);
	for (int i = 0; i < 3; i++) {
		fill_udp(&p, PEER_PORT, 7000, "same", 4);
		put_packet(&p);
		check_eq(hears(s), 4);
	}
	for (int i = 0; i < 500; i++) {
		static const char text[2000];
		unsigned id;

		send_to(s, "10.0.0.9", 9, text, i % 2 ? 10 : sizeof(text));
		check(take_out(buf, sizeof(buf)) > 0);
		id = get_be16(buf + 4);
		if (i % 2) {
			check_eq(id, 0);
			check(buf[6] & 0x40);
			continue;
		}
		n_same += id == last;
		last = id;
		check(take_out(buf, sizeof(buf)) > 0); /* its second piece */
		check_eq(get_be16(buf + 4), id);
	}
	check(n_same < 3);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(versions),	       TEST(checksum_of_headers),
		TEST(header_lengths),  TEST(total_lengths),
		TEST(evil_bit),	       TEST(for_others),
		TEST(broadcasts),      TEST(own_sources),
		TEST(loopback_stays),  TEST(second_address),
		TEST(last_hop),	       TEST(ttl_and_tos),
		TEST(identifications), TEST(loopback_is_no_source),
		TEST(no_ttl),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
