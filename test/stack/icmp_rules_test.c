/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_rules_test.c - ICMP: what is answered and how, which errors are sent and which never, and
 * whom those concern that come; RFC 792, RFC 1122 3.2.2, RFC 4443 2.4, RFC 6633, RFC 5927.
 */
#include "inet_fixture.h"

static uint8_t got[66000];

/* ---- what is answered ---- */

/* ICMP-1, ICMP-11 to 14: of all types one is answered, and neither answers nor groups of it. */
static void types(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		new_wire();
		for (unsigned type = 0; type < 256; type++) {
			for (unsigned code = 0; code < 2; code++) {
				struct icmp h = { (uint8_t)type, (uint8_t)code, 0, 0 };
				struct packet p = { .v6 = v6 };
				bool is_echo = type == (v6 ? 128 : 8);

				test_at("IPv%d, type %u, code %u", v6 ? 6 : 4, type, code);
				fill_icmp(&p, &h, "0123456789abcdef", 16);
				check_eq(answer_to(&p) >= 0, is_echo);
				check_eq(count_out(), 0);
			}
		}
		end_stack();
	}
}

/* ICMP-9: the same data, identifier and sequence number; from where the question went to. */
static void echo(void)
{
	static const uint32_t sizes[] = { 0, 1, 2, 56, 57, 1452, 1472 };
	static uint8_t data[1472];

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (int v6 = 0; v6 < 2; v6++) {
		const char *ours[] = { v6 ? "fd00::1" : "10.0.0.1", v6 ? "fd00::2" : "10.0.0.2" };
		uint32_t hdr_len = v6 ? 40 : 20, len;

		new_wire();
		add_address(ours[1], 2, v6 ? 64 : 24);
		for (unsigned i = 0; i < N_TESTS(sizes) * 2; i++) {
			struct packet p = { .v6 = v6, .dst = ours[i % 2] };
			struct icmp h = { v6 ? 128 : 8, 0, 0, 0xabcd0000 + i };

			if (sizes[i / 2] + 8 + hdr_len > 1500)
				continue;
			fill_icmp(&p, &h, data, sizes[i / 2]);
			put_packet(&p);
			check_eq(icmp_out(got, sizeof(got), &len), v6 ? 0x8100 : 0);
			check_eq(len, hdr_len + 8 + sizes[i / 2]);
			check_eq(get_be32(got + hdr_len + 4), 0xabcd0000 + i);
			check_mem(got + hdr_len + 8, data, sizes[i / 2]);
			check_mem(got + (v6 ? 8 : 12), target_of(&p).b + (v6 ? 0 : 12),
				  v6 ? 16 : 4);
			check_mem(got + (v6 ? 24 : 16), source_of(&p).b + (v6 ? 0 : 12),
				  v6 ? 16 : 4);
		}
		end_stack();
	}
}

/* ICMP-15: no byte of it may change. */
static void checksums(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		new_wire();
		for (uint32_t i = 0; i < 12; i++) {
			struct packet p = { .v6 = v6 };

			fill_echo(&p);
			scratch[i] ^= 0x40;
			check_eq(answer_to(&p), -1);
			check_eq(tern_counter(st, "Drop-icmp-checksum"), i + 1);
		}
		end_stack();
	}
}

/* ICMP-19, SEC-38: what has not even a header; and each length has its own data. */
static void short_messages(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t hdr_len = v6 ? 40 : 20, len;

		new_wire();
		for (uint32_t n = 0; n <= 40; n++) {
			struct packet p = { .v6 = v6 };
			uint32_t sum = 0;

			test_at("IPv%d, %u bytes", v6 ? 6 : 4, n);
			fill_icmp(&p, &(struct icmp){ .type = v6 ? 128 : 8 },
				  "abcdefghijklmnopqrstuvwxyz123456", 32);
			p.len = n;
			if (v6)
				sum = pseudo_sum(&p, ICMP6, n);
			put_be16(scratch + 2, 0);
			if (n >= 4)
				put_be16(scratch + 2,
					 checksum_finish(checksum_add(scratch, n, sum)));
			put_packet(&p);
			check_eq(icmp_out(got, sizeof(got), &len), n < 8 ? -1 : v6 ? 0x8100 : 0);
			if (n >= 8) {
				check_eq(len, hdr_len + n);
				check_mem(got + hdr_len + 4, scratch + 4, n - 4);
			}
			check_eq(tern_counter(st, "Drop-icmp-malformed"), MIN(n + 1, 8));
		}
		end_stack();
	}
}

/* ---- errors that are sent ---- */

/* ICMP-2, ICMP-4: the packet as it came, as much as makes 576 bytes (1280 of IPv6). */
static void quotes(void)
{
	static uint8_t options[40] = { 0x5a };
	static const uint8_t text[1400] = { 1, 2, 3 };

	for (int v6 = 0; v6 < 2; v6++) {
		for (uint32_t len = 0; len <= 1400; len += len < 600 ? 1 : 100) {
			for (int proto = 0; proto < 2; proto++) {
				struct packet p = { .v6 = v6, .tos = 0x10, .id = 99 };
				uint32_t at = v6 ? 48 : 28, max = v6 ? 1280 : 576, n, want;
				uint8_t sent[1600];

				new_wire();
				p.options = options;
				p.n_options = options[1] = (uint8_t)(v6 ? 0 : len % 11 * 4);
				fill_udp(&p, PEER_PORT, 7000, text, len);
				p.proto = proto ? 200 : UDP;
				want = at + packet_bytes(&p, sent);
				put_packet(&p);
				check_eq(icmp_out(got, sizeof(got), &n),
					 v6 ? (proto ? 0x0401 : 0x0104) :
					      (proto ? 0x0302 : 0x0303));
				check_eq(n, MIN(want, max));
				check_mem(got + at, sent, n - at);
				if (v6 && proto)
					check_eq(get_be32(got + 44), 6); /* the next-header field */
				check_eq(checksum_finish(checksum_add(
						 got + at - 8, n - at + 8,
						 v6 ? pseudo_sum(&p, ICMP6, n - 40) : 0)),
					 0);
				end_stack();
			}
		}
	}
}

/* What makes us complain: 0 to 3 a closed port, an unknown protocol, a bad option, an echo. */
static void provoke(struct packet *p, int how)
{
	static const uint8_t bad[4] = { 0x5a, 1, 0, 0 };

	if (how == 0 || how == 2)
		fill_udp(p, PEER_PORT, 7000, "x", 1);
	else
		fill_echo(p);
	if (how == 1)
		p->proto = 200;
	if (how == 2 && !p->v6) {
		p->options = bad;
		p->n_options = 4;
	}
	put_packet(p);
}

/* ICMP-3, IP4-28: about nothing that was for many, or that nobody can be told of. */
static void never_complains(void)
{
	static const struct packet cases[] = {
		{ .dst = "10.0.0.255" },
		{ .dst = "255.255.255.255" },
		{ .dst = "224.0.0.1" },
		{ .dst = "224.7.7.7" },
		{ .link_flags = TERN_PKT_LINK_BROADCAST },
		{ .src = "0.0.0.0" },
		{ .src = "0.0.0.0", .dst = "255.255.255.255" },
		{ .src = "127.0.0.1" },
		{ .src = "10.0.0.255" },
		{ .src = "255.255.255.255" },
		{ .src = "224.0.0.9" },
		{ .v6 = true, .dst = "ff02::1" },
		{ .v6 = true, .dst = "ff02::1:ff00:1" },
		{ .v6 = true, .dst = "ff15::7" },
		{ .v6 = true, .link_flags = TERN_PKT_LINK_BROADCAST },
		{ .v6 = true, .src = "::" },
		{ .v6 = true, .src = "::", .dst = "ff02::1" },
		{ .v6 = true, .src = "ff02::9" },
		{ .v6 = true, .src = "::1" },
	};
	struct {
		uint8_t group[16];
		uint32_t ifindex;
	} join6 = { .ifindex = 2 };
	struct {
		uint8_t group[4], local[4];
		int32_t ifindex;
	} join = { .ifindex = 2 };

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		for (int how = 0; how < 3; how++) {
			struct packet p = cases[i];
			tern_sock s;

			test_at("case %u, %d", i, how);
			new_wire();
			add_route("0.0.0.0", 0, "10.0.0.9", 1);
			add_route("::", 0, "fd00::9", 1);
			s = open_udp("0.0.0.0", 9999);
			memcpy(join.group, parse_addr("224.7.7.7").b + 12, 4);
			check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP,
						 &join, sizeof(join)),
				 0);
			memcpy(join6.group, parse_addr("ff15::7").b, 16);
			s = open_udp("::", 9998);
			check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP,
						 &join6, sizeof(join6)),
				 0);
			pass(20 * TERN_SEC);
			count_out(); /* what is told of groups */
			provoke(&p, how);
			check_eq(count_out(), 0);
			end_stack();
		}
	}
}

/* ICMP-3: not about fragments but the first, nor about errors. */
static void not_about_pieces_or_errors(void)
{
	for (unsigned off = 0; off < 0x2000; off = off ? off * 2 : 1) {
		for (int more = 0; more < 2; more++) {
			for (int how = 0; how < 3; how++) {
				struct packet p = { .off = (uint16_t)(off | (more ? 0x2000 : 0)) };

				test_at("offset %u, more %d, %d", off, more, how);
				new_wire();
				provoke(&p, how);
				check_eq(count_out(), off == 0 && (!more || how == 2));
				end_stack();
			}
		}
	}
	for (unsigned type = 0; type < 20; type++) {
		static const uint8_t bad[4] = { 0x5a, 1, 0, 0 };
		struct icmp h = { .type = (uint8_t)type };
		struct packet p = { .options = bad, .n_options = 4 };
		bool is_error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;

		new_wire();
		fill_icmp(&p, &h, "x", 1);
		put_packet(&p);
		if (is_error)
			check_eq(count_out(), 0);
		else if (type == 8)
			check_eq(count_out(), 1);
		end_stack();
	}
}

/* ICMP-10: a ping to everybody goes unanswered; not of IPv6, where it is limited. */
static void pings_to_all(void)
{
	static const char *const to[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1", "ff02::1" };

	for (unsigned i = 0; i < 4; i++) {
		struct packet p = { .dst = to[i], .v6 = i == 3 };
		unsigned n = 0;

		new_wire();
		for (int k = 0; k < 1000; k++) {
			fill_echo(&p);
			n += answer_to(&p) >= 0;
		}
		check(i < 3 ? n == 0 : n >= 1 && n <= 50);
		end_stack();
	}
}

/* ICMP-16: however many ask for it. */
static void errors_are_limited(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		unsigned n = 0;

		new_wire();
		for (unsigned i = 0; i < 10000; i++) {
			char from[40];
			struct packet p = { .src = from, .v6 = v6 };

			snprintf(from, sizeof(from), v6 ? "fd00::%x" : "10.0.0.%u", 2 + i % 200);
			fill_udp(&p, PEER_PORT, (uint16_t)(10000 + i), "x", 1);
			put_packet(&p);
			n += count_out();
			if (i % 10 == 9)
				pass(TERN_MS);
		}
		check(n >= 50 && n <= 150 + 1); /* one in 10 ms, and a burst of 50 */
		end_stack();
	}
}

/* ---- errors that come ---- */

/* ICMP-5, ICMP-8: to whom it concerns, as what it means (RFC 1122 3.2.2.1, 4.1.3.3). */
static void passed_up(void)
{
	static const struct {
		bool v6;
		uint16_t type_code;
		int plain, queued; /* what a connected socket hears, without and with IP_RECVERR */
	} cases[] = {
		{ false, 0x0300, 0, TERN_ENETUNREACH },
		{ false, 0x0301, 0, TERN_EHOSTUNREACH },
		{ false, 0x0302, TERN_ENOPROTOOPT, TERN_ENOPROTOOPT },
		{ false, 0x0303, TERN_ECONNREFUSED, TERN_ECONNREFUSED },
		{ false, 0x0305, 0, TERN_EOPNOTSUPP },
		{ false, 0x0307, TERN_EHOSTDOWN, TERN_EHOSTDOWN },
		{ false, 0x0308, TERN_ENONET, TERN_ENONET },
		{ false, 0x0b00, 0, TERN_EHOSTUNREACH },
		{ false, 0x0b01, 0, TERN_EHOSTUNREACH },
		{ false, 0x0c00, TERN_EPROTO, TERN_EPROTO },
		{ false, 0x0400, 0, 0 }, /* source quench */
		{ false, 0x0501, 0, 0 }, /* redirect */
		{ true, 0x0100, 0, TERN_ENETUNREACH },
		{ true, 0x0103, 0, TERN_EHOSTUNREACH },
		{ true, 0x0104, TERN_ECONNREFUSED, TERN_ECONNREFUSED },
		{ true, 0x0300, 0, TERN_EHOSTUNREACH },
		{ true, 0x0400, TERN_EPROTO, TERN_EPROTO },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		for (int queue = 0; queue < 2; queue++) {
			int want = queue ? cases[i].queued : cases[i].plain;
			bool v6 = cases[i].v6;
			uint8_t packet[100];
			tern_sock s;
			char c;

			test_at("type and code %04x, queue %d", cases[i].type_code, queue);
			new_wire();
			s = open_peer(v6, packet);
			if (queue)
				set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
					   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
			tell(v6, cases[i].type_code, 0, packet, v6 ? 52 : 32);
			check_eq(tern_recv(st, s, &c, 1, 0), want ? -want : -TERN_EAGAIN);
			check_eq(count_out(), 0);
			end_stack();
		}
	}
}

/* ICMP-5: to a connection that begins codes 0, 1 and 5 are hints; 2 and 3 end it. */
static void hints(void)
{
	for (uint16_t code = 0; code <= 5; code++) {
		int32_t err = -1;
		size_t size = sizeof(err);
		bool ends = code == 2 || code == 3;
		uint8_t packet[100];
		uint32_t len;
		tern_sock s;

		if (code == 4)
			continue;
		new_wire();
		s = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
		connect_to(s, "10.0.0.9", PEER_PORT);
		len = take_out(packet, sizeof(packet));
		tell(false, (uint16_t)(0x0300 | code), 0, packet, len);
		check_eq((tern_poll(st, s) & TERN_POLLERR) != 0, ends);
		pass(2 * TERN_SEC);
		check_eq(count_out(), !ends); /* the SYN again */
		tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &size);
		if (ends)
			check_eq(err, code == 3 ? TERN_ECONNREFUSED : TERN_ENOPROTOOPT);
		end_stack();
	}
}

/* ICMP-19, SEC-39: quotes of every length: names and ports must be there. */
static void short_quotes(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t hdr_len = v6 ? 40 : 20;

		for (uint32_t n = 0; n <= hdr_len + 12; n++) {
			uint8_t packet[100];
			tern_sock s;

			test_at("IPv%d, %u bytes", v6 ? 6 : 4, n);
			new_wire();
			s = open_peer(v6, packet);
			tell(v6, v6 ? 0x0104 : 0x0303, 0, packet, n);
			check_eq(hears(s), n < hdr_len + 8 ? -TERN_EAGAIN : -TERN_ECONNREFUSED);
			check_eq(tern_counter(st, "Drop-icmp-malformed"), n < hdr_len + 8);
			end_stack();
		}
	}
}

/* SEC-39: headers of every length are quoted, with options or other headers before the names. */
static void strange_quotes(void)
{
	for (uint32_t ihl = 0; ihl < 16; ihl++) {
		uint32_t off = MAX(ihl, 5) * 4;
		uint8_t packet[100], quote[100] = { 0 };
		tern_sock s;

		test_at("ihl %u", ihl);
		new_wire();
		s = open_peer(false, packet);
		memcpy(quote, packet, 20);
		memset(quote + 20, 1, 40);
		memcpy(quote + off, packet + 20, 8);
		quote[0] = (uint8_t)(0x40 | ihl);
		tell(false, 0x0303, 0, quote, off + 8);
		check_eq(hears(s), ihl < 5 ? -TERN_EAGAIN : -TERN_ECONNREFUSED);
		check_eq(tern_counter(st, "Drop-icmp-malformed"), ihl < 5);
		end_stack();
	}
	for (uint32_t n = 0; n <= 8; n++) { /* of IPv6: so many headers of options */
		static const uint8_t ends[] = { 0, 43, 44, 51, 59, 60, 255 };

		for (unsigned end = 0; end <= N_TESTS(ends); end++) {
			uint8_t packet[100], quote[200] = { 0 };
			uint32_t at = 40;
			tern_sock s;

			test_at("%u headers, %u", n, end);
			new_wire();
			s = open_peer(true, packet);
			memcpy(quote, packet, 40);
			put_be16(quote + 4, n * 8 + 12);
			quote[6] = n ? 60 : UDP;
			for (uint32_t i = 0; i < n; i++, at += 8) {
				quote[at] = i + 1 < n ? 60 : UDP;
				quote[at + 2] = 1; /* PadN, of four bytes */
				quote[at + 3] = 4;
			}
			if (end < N_TESTS(ends)) /* what follows is no UDP, or too short for it */
				quote[n ? at - 8 : 6] = ends[end];
			memcpy(quote + at, packet + 40, 8);
			tell(true, 0x0104, 0, quote, at + 8);
			check_eq(hears(s), end < N_TESTS(ends) ? -TERN_EAGAIN : -TERN_ECONNREFUSED);
			tern_check(st);
			end_stack();
		}
	}
}

/* As Linux: who pings hears which request an error is about: its ICMP header is quoted, no port. */
static void queued_errors(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet back = { .v6 = v6, .src = v6 ? "fd00::77" : "10.0.0.77" };
		struct icmp h = { v6 ? 1 : 3, v6 ? 3 : 1, 0, 0 };
		uint8_t request[16] = { v6 ? 128 : 8, [7] = 5, [8] = 'x' }, quoted[1500];
		struct tern_iovec iov = { quoted, sizeof(quoted) };
		struct tern_msg m;
		uint32_t len;
		tern_sock s;

		new_wire();
		check_eq(tern_socket(st, v6 ? TERN_AF_INET6 : TERN_AF_INET, TERN_SOCK_DGRAM,
				     v6 ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP, &s),
			 0);
		set_option(s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			   v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
		check_eq(connect_to(s, v6 ? "fd00::9" : "10.0.0.9", 0), 0);
		check_eq(tern_send(st, s, request, sizeof(request), 0), sizeof(request));
		len = take_out(got, sizeof(got));
		fill_icmp(&back, &h, got, len);
		put_packet(&back);
		tern_msg_init(&m, &iov, 1);
		check(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE) >= 9);
		check_eq(quoted[0], request[0]);
		check_eq(get_be16(quoted + 6), 5);
		check_eq(quoted[8], 'x');
		check_eq(m.error, TERN_EHOSTUNREACH);
		check_eq(m.addr.port, 0);
		end_stack();
	}
}

/*
 * Protocol 58 of IPv4 is nobody's: it never goes there, whatever a program gives for a receiver
 * (Linux: EINVAL to a socket of echo requests, ENETUNREACH to a raw one).
 */
static void no_icmp6_over_ip4(void)
{
	static const uint8_t request[16] = { ICMP6_ECHO };

	for (int raw = 0; raw < 2; raw++) {
		tern_sock s;

		new_wire();
		s = open_socket("::", 0, raw ? TERN_SOCK_RAW : TERN_SOCK_DGRAM, ICMP6);
		check_eq(send_to(s, "::ffff:10.0.0.9", 0, request, sizeof(request)),
			 raw ? -TERN_ENETUNREACH : -TERN_EINVAL);
		check_eq(count_out(), 0);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(types),
		TEST(echo),
		TEST(checksums),
		TEST(short_messages),
		TEST(quotes),
		TEST(never_complains),
		TEST(pings_to_all),
		TEST(passed_up),
		TEST(not_about_pieces_or_errors),
		TEST(errors_are_limited),
		TEST(hints),
		TEST(queued_errors),
		TEST(short_quotes),
		TEST(strange_quotes),
		TEST(no_icmp6_over_ip4),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
