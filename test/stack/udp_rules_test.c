/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_rules_test.c - UDP on the wire and in its sockets: checksums, lengths, names, errors; RFC 768,
 * RFC 1122 4.1, RFC 8200 8.1.
 */
#include "inet_fixture.h"

static const char *const all_hosts[2] = { "0.0.0.0", "::" };
static const char *const peers[2] = { "10.0.0.9", "fd00::9" };
static uint8_t got[66000];

/* ---- closed ports ---- */

/* UDP-1, UDP-3: who sent it is told, and a program of ours that is told hears it. */
static void closed_ports(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 }, back = { .v6 = v6 };
		int32_t err = 0;
		size_t size = sizeof(err);
		uint8_t sent[100];
		uint32_t len;
		tern_sock s;

		new_wire();
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		check_eq(answer_to(&p), v6 ? 0x0104 : 0x0303);
		s = open_udp(all_hosts[v6], 7000);
		check_eq(answer_to(&p), -1);
		check_eq(hears(s), 1);
		check_eq(connect_to(s, peers[v6], PEER_PORT), 0);
		check_eq(tern_send(st, s, "x", 1, 0), 1);
		len = take_out(sent, sizeof(sent));
		fill_icmp(&back, &(struct icmp){ v6 ? 1 : 3, v6 ? 4 : 3, 0, 0 }, sent, len);
		put_packet(&back);
		check(tern_poll(st, s) & TERN_POLLERR);
		check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &size), 0);
		check_eq(err, TERN_ECONNREFUSED);
		end_stack();
	}
}

/* Nobody has the address: it is this host that says so, as by a message to itself. */
static void no_neighbour(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const char *us = v6 ? "fd00::1" : "10.0.0.1";
		struct tern_addr want, nobody;
		struct tern_msg m;
		tern_sock s, connected;
		char c;

		new_ethernet(24, true);
		s = open_udp(all_hosts[v6], 7000);
		set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
		check_eq(send_to(s, v6 ? "fd00::8" : "10.0.0.8", 9, "text", 4), 4);
		check_eq(tern_addr_parse(v6 ? "fd00::7" : "10.0.0.7", 9, &nobody), 0);
		connected = open_udp(all_hosts[v6], 7001);
		check_eq(tern_connect(st, connected, &nobody), 0);
		check_eq(tern_send(st, connected, "text", 4, 0), 4);
		for (int i = 0; i < 5; i++) {
			count_out();
			pass(TERN_SEC);
		}
		tern_msg_init(&m, NULL, 0);
		check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), 0);
		check_eq(m.error, TERN_EHOSTUNREACH);
		check_eq(m.code, v6 ? 3 : 1);
		check_eq(tern_addr_parse(us, 0, &want), 0);
		check_eq(m.offender.family, want.family);
		check_mem(m.offender.ip, want.ip, 16);
		check_mem(m.local.ip, want.ip, 16);
		check_eq(m.ttl, 64);
		check_eq(m.ifindex, 2);
		check_eq(tern_recv(st, connected, &c, 1, 0), -TERN_EHOSTUNREACH);
		end_stack();
	}
}

/* UDP-3: who is not connected hears it by IP_RECVERR, with all that is known. */
static void error_queue(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (int mtu = 0; mtu < 2; mtu++) {
			struct packet back = { .v6 = v6,
					       .src = v6 ? "fd00::77" : "10.0.0.77",
					       .tos = 0xb8 };
			struct icmp h = { v6 ? 1 : 3, v6 ? 4 : 3, 0, 0 };
			static const char text[1400] = "what was sent";
			char quoted[1500];
			struct tern_iovec iov = { quoted, sizeof(quoted) };
			struct tern_msg m;
			uint8_t sent[1600];
			uint32_t len;
			tern_sock s;

			new_wire();
			s = open_udp(all_hosts[v6], 7000);
			set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
			check_eq(send_to(s, peers[v6], 9, text, sizeof(text)), sizeof(text));
			len = take_out(sent, sizeof(sent));
			if (mtu)
				h = (struct icmp){ v6 ? 2 : 3, v6 ? 0 : 4, 0, 1300 };
			fill_icmp(&back, &h, sent, MIN(len, 600));
			put_packet(&back);
			tern_msg_init(&m, &iov, 1);
			check(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE) > 14);
			check_mem(quoted, text, 14);
			check_eq(m.error, mtu ? TERN_EMSGSIZE : TERN_ECONNREFUSED);
			check_eq(m.info, mtu ? 1300 : 0);
			check(m.type == h.type && m.code == h.code);
			check_eq(m.addr.port, 9);
			check_mem(m.offender.ip, parse_addr(back.src).b + (v6 ? 0 : 12),
				  v6 ? 16 : 4);
			/* of the message, not of the datagram: where it went to, and how */
			check_mem(m.local.ip, target_of(&back).b + (v6 ? 0 : 12), v6 ? 16 : 4);
			check_eq(m.ifindex, 2);
			check_eq(m.ttl, 64);
			check_eq(m.tos, 0xb8);
			check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), -TERN_EAGAIN);
			end_stack();
		}
	}
}

/* ---- checksums ---- */

/* The sum of what goes out, with its pseudo-header: 0 if it is right. */
static uint16_t sum_of(const uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t hdr_len = v6 ? 40 : 20;
	struct addr src = v6 ? addr_from6(ip + 8) : addr_from4(ip + 12);
	struct addr dst = v6 ? addr_from6(ip + 24) : addr_from4(ip + 16);

	return checksum_finish(checksum_add(ip + hdr_len, len - hdr_len,
					    checksum_pseudo(&src, &dst, UDP, len - hdr_len)));
}

/*
 * UDP-4, UDP-10: all that is sent has a checksum; of all texts of two bytes one would make it zero,
 * which means none: all ones are sent.
 */
static void sums_that_go(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t at = v6 ? 46 : 26, n_ones = 0;
		uint8_t ip[200];
		tern_sock s;

		new_wire();
		s = open_udp(all_hosts[v6], 7000);
		for (uint32_t i = 0; i < 65536; i++) {
			uint8_t text[2] = { (uint8_t)(i >> 8), (uint8_t)i };

			send_to(s, peers[v6], 9, text, 2);
			check_eq(take_out(ip, sizeof(ip)), at + 4);
			if (get_be16(ip + at) == 0 || sum_of(ip, at + 4) != 0)
				test_fail(__FILE__, __LINE__, "text %04x", i);
			n_ones += get_be16(ip + at) == 0xffff;
		}
		check_eq(n_ones, 1);
		for (uint32_t len = 0; len < 64; len++) { /* odd ones, too */
			send_to(s, peers[v6], 9, scratch, len);
			check_eq(take_out(ip, sizeof(ip)), at + 2 + len);
			check_eq(sum_of(ip, at + 2 + len), 0);
		}
		end_stack();
	}
}

/* UDP-5, UDP-9, SEC-66: what is wrong wakes nobody; none at all is good of IPv4 alone. */
static void sums_that_come(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 };
		struct tern_event ev;
		tern_sock s;

		new_wire();
		s = open_udp(all_hosts[v6], 7000);
		while (tern_event(st, &ev))
			continue;
		for (uint32_t i = 0; i < 12 * 8; i++) {
			test_at("IPv%d, bit %u", v6 ? 6 : 4, i);
			fill_udp(&p, PEER_PORT, 7000, "text", 4);
			scratch[i / 8] ^= (uint8_t)(1 << i % 8);
			check_eq(answer_to(&p), -1); /* nobody is told either */
			check_eq(hears(s), -TERN_EAGAIN);
			check_eq(tern_poll(st, s) & (TERN_POLLIN | TERN_POLLERR), 0);
			check(!tern_event(st, &ev));
		}
		fill_udp(&p, PEER_PORT, 7000, "text", 4);
		put_be16(scratch + 6, 0);
		put_packet(&p);
		check_eq(hears(s), v6 ? -TERN_EAGAIN : 4);
		fill_udp(&p, PEER_PORT, 7001, "text", 4);
		put_be16(scratch + 6, 0);
		check_eq(answer_to(&p), v6 ? -1 : 0x0303);
		fill_udp(&p, PEER_PORT, 7000, "text", 4);
		put_packet(&p);
		check_eq(hears(s), 4);
		end_stack();
	}
}

/* ---- lengths ---- */

/* UDP-8, SEC-64: exactly what its own length says; less than a header or more than there is: no. */
static void lengths(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 };
		tern_sock s;

		new_wire();
		s = open_udp(all_hosts[v6], 7000);
		for (uint32_t body = 0; body <= 40; body++) {
			for (uint32_t said = 0; said <= 50; said++) {
				uint64_t n_bad = tern_counter(st, "Drop-udp-malformed");
				bool good = said >= 8 && said <= body;

				test_at("IPv%d, %u of %u", v6 ? 6 : 4, said, body);
				fill_udp(&p, PEER_PORT, 7000, "abcdefghijklmnopqrstuvwxyz012345",
					 32);
				p.len = body;
				put_be16(scratch + 4, said == 50 ? 65535 : said);
				put_be16(scratch + 6, 0);
				put_be16(scratch + 6,
					 checksum_finish(checksum_add(scratch, MIN(said, body),
								      pseudo_sum(&p, UDP, said))));
				put_packet(&p);
				check_eq(count_out(), 0);
				check_eq(tern_counter(st, "Drop-udp-malformed"), n_bad + !good);
				check_eq(tern_recv(st, s, got, sizeof(got), 0),
					 good ? (int)said - 8 : -TERN_EAGAIN);
				if (good)
					check_mem(got, "abcdefghijklmnopqrstuvwxyz012345",
						  said - 8);
			}
		}
		end_stack();
	}
}

/* UDP-14, SEC-65: nothing is something to hear, and takes room. */
static void empty_datagrams(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 };
		uint64_t used;
		unsigned n = 0;
		tern_sock s;

		new_wire();
		s = open_udp(all_hosts[v6], 7000);
		fill_udp(&p, PEER_PORT, 7000, "", 0);
		put_packet(&p);
		check(tern_poll(st, s) & TERN_POLLIN);
		check_eq(hears(s), 0);
		check_eq(tern_poll(st, s) & TERN_POLLIN, 0);
		check_eq(hears(s), -TERN_EAGAIN);
		used = tern_memory(st);
		for (int i = 0; i < 30000; i++) {
			static uint8_t bytes[100];

			put_bytes(bytes, packet_bytes(&p, bytes), NULL, 0);
		}
		check(tern_memory(st) - used < 1 << 20);
		while (hears(s) == 0)
			n++;
		check(n > 100 && n < 30000);
		check_eq(tern_counter(st, "Drop-sock-queue-full"), 30000 - n);
		end_stack();
	}
}

/* ---- names ---- */

/* UDP-6: to which address it was, and an answer from there. */
static void two_addresses(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const char *ours[2] = { v6 ? "fd00::1" : "10.0.0.1", v6 ? "fd00::2" : "10.0.0.2" };
		char text[8];
		struct tern_iovec iov = { text, 8 };
		struct tern_msg m;
		tern_sock s;

		new_wire();
		add_address(ours[1], 2, v6 ? 64 : 24);
		s = open_udp(all_hosts[v6], 7000);
		set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			   v6 ? TERN_IPV6_RECVPKTINFO : TERN_IP_PKTINFO, 1);
		for (int i = 0; i < 2; i++) {
			struct packet p = { .v6 = v6, .dst = ours[i] };
			struct addr want = parse_addr(ours[i]);

			fill_udp(&p, PEER_PORT, 7000, "x", 1);
			put_packet(&p);
			tern_msg_init(&m, &iov, 1);
			check_eq(tern_recvmsg(st, s, &m, 0), 1);
			check_mem(m.local.ip, want.b + (v6 ? 0 : 12), v6 ? 16 : 4);
			check_eq(m.ifindex, 2);
			check_eq(tern_sendmsg(st, s, &m, 0), 8);
			check(take_out(got, sizeof(got)));
			check_mem(got + (v6 ? 8 : 12), want.b + (v6 ? 0 : 12), v6 ? 16 : 4);
		}
		end_stack();
	}
}

/* UDP-11: who has no port cannot be answered, but is heard. */
static void no_port(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 };
		struct tern_addr from;
		tern_sock s;

		new_wire();
		s = open_udp(all_hosts[v6], 7000);
		fill_udp(&p, 0, 7000, "x", 1);
		put_packet(&p);
		check_eq(tern_recvfrom(st, s, got, sizeof(got), 0, &from), 1);
		check_eq(from.port, 0);
		check_eq(tern_sendto(st, s, "x", 1, 0, &from), -TERN_EINVAL);
		check_eq(count_out(), 0);
		end_stack();
	}
}

/* UDP-13, SEC-69: who is connected to the sender, else who has the address, else any; a group: all. */
static void who_hears(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = { .v6 = v6 };
		tern_sock s[3];

		new_wire();
		for (int i = 0; i < 3; i++) {
			struct tern_addr a;

			tern_addr_parse(i ? (v6 ? "fd00::1" : "10.0.0.1") : all_hosts[v6], 7000,
					&a);
			check_eq(tern_socket(st, a.family, TERN_SOCK_DGRAM, 0, &s[i]), 0);
			set_option(s[i], TERN_SOL_SOCKET, TERN_SO_REUSEADDR, 1);
			check_eq(tern_bind(st, s[i], &a), 0);
		}
		check_eq(connect_to(s[2], peers[v6], PEER_PORT), 0);
		for (int who = 2; who >= 0; who--) {
			if (who == 1) /* another port, another host */
				fill_udp(&p, PEER_PORT + 1, 7000, "x", 1);
			else
				fill_udp(&p, PEER_PORT, 7000, "x", 1);
			if (who == 0)
				check_eq(tern_close(st, s[1]), 0);
			if (who == 0) {
				p.src = v6 ? "fd00::8" : "10.0.0.8";
				fill_udp(&p, PEER_PORT, 7000, "x", 1);
			}
			put_packet(&p);
			for (int i = 0; i < 3; i++)
				if (who || i != 1)
					check_eq(hears(s[i]), i == who ? 1 : -TERN_EAGAIN);
		}
		/* to everybody: who is connected hears its peer alone */
		p = (struct packet){ .v6 = v6, .dst = v6 ? "ff02::1" : "10.0.0.255" };
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		put_packet(&p);
		check_eq(hears(s[0]), 1);
		check_eq(hears(s[2]), -TERN_EAGAIN);
		end_stack();
	}
}

/* On lo, too, a group is heard only while somebody has joined it (RFC 1112 7.2). */
static void groups_of_lo(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const char *name = v6 ? "ff15::77" : "239.1.1.7";
		struct {
			struct addr group;
			uint32_t ifindex;
		} six = { parse_addr(name), 1 };
		uint8_t four[12] = { 239, 1, 1, 7 }; /* struct ip_mreqn, of interface 1 */
		tern_sock s, from;

		new_wire();
		memcpy(four + 8, &six.ifindex, 4);
		s = open_udp(v6 ? "::" : "0.0.0.0", 9);
		from = open_udp(v6 ? "::" : "0.0.0.0", 7000);
		set_option(from, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, 1);
		for (int step = 0; step < 3; step++) {
			int level = v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP;
			int what[2][3] = { { 0, TERN_IP_ADD_MEMBERSHIP, TERN_IP_DROP_MEMBERSHIP },
					   { 0, TERN_IPV6_ADD_MEMBERSHIP,
					     TERN_IPV6_DROP_MEMBERSHIP } };

			if (step)
				check_eq(tern_setsockopt(st, s, level, what[v6][step],
							 v6 ? (void *)&six : (void *)four,
							 v6 ? sizeof(six) : sizeof(four)),
					 0);
			check_eq(send_to(from, name, 9, "x", 1), 1);
			pass(TERN_MS);
			check_eq(hears(s), step == 1 ? 1 : -TERN_EAGAIN);
		}
		end_stack();
	}
}

/*
 * Each socket that gets a datagram to all counts; it is lost only if nobody had room (RFC 4113). What a
 * raw socket has no room for is not lost.
 */
static void to_all_is_counted(void)
{
	for (int full = 0; full < 3; full++) {
		struct packet p = { .dst = "10.0.0.255" };
		tern_sock s[2], raw;

		new_wire();
		raw = open_socket("0.0.0.0", 0, TERN_SOCK_RAW, TERN_IPPROTO_UDP);
		for (int i = 0; i < 2; i++) {
			s[i] = open_socket("0.0.0.0", 0, TERN_SOCK_DGRAM, 0);
			set_option(s[i], TERN_SOL_SOCKET, TERN_SO_REUSEADDR, 1);
			check_eq(tern_bind(st, s[i],
					   &(struct tern_addr){ .family = TERN_AF_INET,
								.port = 7000 }),
				 0);
		}
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		put_packet(&p);
		check_eq(tern_counter(st, "UdpInDatagrams"), 2);
		set_option(raw, TERN_SOL_SOCKET, TERN_SO_RCVBUF, 0);
		for (int i = 0; i < full; i++)
			set_option(s[i], TERN_SOL_SOCKET, TERN_SO_RCVBUF, 0);
		memset(got, 'x', 3000);
		fill_udp(&p, PEER_PORT, 7000, got, 3000);
		put_packet(&p);
		check_eq(tern_counter(st, "UdpInDatagrams"), 4 - full);
		check_eq(tern_counter(st, "UdpRcvbufErrors"), full);
		check_eq(tern_counter(st, "Drop-sock-queue-full"), full == 2);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(closed_ports),    TEST(error_queue),	TEST(no_neighbour),
		TEST(sums_that_go),    TEST(sums_that_come),	TEST(lengths),
		TEST(empty_datagrams), TEST(two_addresses),	TEST(no_port),
		TEST(who_hears),       TEST(to_all_is_counted), TEST(groups_of_lo),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
