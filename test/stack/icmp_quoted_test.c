/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_quoted_test.c - whose packet is it that an ICMP error quotes? Of sockets without a peer, of raw
 * ones, and of pieces: RFC 1122 3.2.2, RFC 4443 2.4 (e).
 */
#include "inet_fixture.h"

/* Who is bound to the interface by which the error comes hears it, too, without a peer. */
static void to_a_socket_of_an_interface(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t packet[100];
		tern_sock s;
		char c;

		new_wire();
		s = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_DGRAM, 0);
		set_option(s, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, 2);
		set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
		check_eq(send_to(s, v6 ? "fd00::9" : "10.0.0.9", PEER_PORT, "text", 4), 4);
		check_eq(take_out(packet, 100), v6 ? 52 : 32);
		tell(v6, v6 ? 0x0104 : 0x0303, 0, packet, v6 ? 52 : 32);
		check_eq(tern_recv(st, s, &c, 1, 0), -TERN_ECONNREFUSED);
		end_stack();
	}
}

/* Who sends a protocol raw hears what is said of it: connected, or with IP_RECVERR (raw(7)). */
static void to_raw_sockets(void)
{
	static const int protocols[] = { 200, 17, 1 }; /* nobody's, UDP, ICMP */

	for (unsigned i = 0; i < 2 * 3 * 3; i++) {
		bool v6 = i % 2, connected = i / 2 % 3 > 0, queue = i / 2 % 3 != 1;
		int protocol = protocols[i / 6];
		uint8_t packet[1500], ip_len = v6 ? 40 : 20;
		tern_sock s, other;
		char text[1300] = { 0, 7 };

		if (protocol == 1 && v6)
			protocol = 58;
		test_at("IPv%d, protocol %d, case %u", v6 ? 6 : 4, protocol, i / 2 % 3);
		new_wire();
		s = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_RAW, protocol);
		other = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_RAW, protocol);
		check_eq(connect_to(other, v6 ? "fd00::8" : "10.0.0.8", 0), 0);
		if (connected)
			check_eq(connect_to(s, v6 ? "fd00::9" : "10.0.0.9", 0), 0);
		if (queue)
			set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
		check_eq(send_to(s, v6 ? "fd00::9" : "10.0.0.9", 0, text, 1300), 1300);
		check_eq(take_out(packet, 1500), 1300u + ip_len);
		tell(v6, v6 ? 0x0104 : 0x0303, 0, packet, ip_len + 8u);
		check_eq(tern_recv(st, s, text, 1, 0), -TERN_ECONNREFUSED);
		check_eq(tern_recv(st, other, text, 1, 0), -TERN_EAGAIN);
		if (queue) {
			struct tern_iovec iov = { text, sizeof(text) };
			struct tern_msg m;

			tern_msg_init(&m, &iov, 1);
			check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), 8);
			check_eq(m.error, TERN_ECONNREFUSED);
			check_mem(text, packet + ip_len, 8);
		}
		/* it is too large for a router: the next is cut, or its sender asked for less */
		tell(v6, v6 ? 0x0200 : 0x0304, 1280, packet, ip_len + 8u);
		check_eq(tern_recv(st, s, text, 1, 0), -TERN_EMSGSIZE);
		check_eq(send_to(s, v6 ? "fd00::9" : "10.0.0.9", 0, text, 1300), 1300);
		check_eq(take_out(packet, 1500), v6 ? 1280 : 1276);
		end_stack();
	}
}

/* What quotes a later fragment names no ports, whatever its bytes look like. */
static void about_a_later_fragment(void)
{
	uint8_t packet[100] = { 0x60, 0, 0, 0, 0, 16, 44, 9 }, ports[4];
	struct addr ours = parse_addr("fd00::1"), peer = parse_addr("fd00::9");
	tern_sock s;
	char c;

	new_wire();
	s = open_peer(true, packet + 40);
	memcpy(ports, packet + 80, 4);
	memset(packet + 40, 0, 60);
	memcpy(packet + 8, ours.b, 16);
	memcpy(packet + 24, peer.b, 16);
	packet[40] = 17;
	memcpy(packet + 48, ports, 4);
	for (unsigned off = 0; off < 2; off++) {
		put_be16(packet + 42, off * 1448 | 1);
		tell(true, 0x0104, 0, packet, 56);
		check_eq(tern_recv(st, s, &c, 1, 0), off ? -TERN_EAGAIN : -TERN_ECONNREFUSED);
	}
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(to_a_socket_of_an_interface),
		TEST(to_raw_sockets),
		TEST(about_a_later_fragment),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
