/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp6_rules_test.c - messages of ICMPv6: which are heard, which are answered, when an error is
 * sent and when it must not be: RFC 4443 2, 3 and 4.
 */
#include "ip6_fixture.h"

static void put_echo(const char *src, const char *dst, uint32_t len)
{
	static uint8_t rest[66000];

	for (uint32_t i = 0; i < len; i++)
		rest[4 + i] = (uint8_t)(i * 3 + i / 253);
	memcpy(rest, "\x12\x34\x56\x78", 4);
	build(src, dst);
	end_icmp(ICMP6_ECHO, 0, rest, 4 + len);
}

/* ---- what is heard ---- */

/* 2.3: over the pseudo-header, too; whatever bit is wrong. */
static void checksums6(void)
{
	begin_ip6();
	for (unsigned at = 8; at < 40 + 40; at++) { /* addresses and the message */
		put_echo(NULL, NULL, 32);
		built.bytes[at] ^= (uint8_t)(1 << at % 8);
		if (at >= 24 && at < 40) /* keep it ours */
			built.bytes[at] ^= (uint8_t)(1 << at % 8);
		put_built();
		check_eq(take_out(), at >= 24 && at < 40 ? ICMP6_ECHO_REPLY << 8 : 0);
	}
	check_eq(tern_counter(st, "Drop-icmp-checksum"), 16 + 40);
	end_stack();
}

/* 2.4 (b): informational messages that nobody knows. */
static void unknown_messages(void)
{
	static const uint8_t rest[28] = { 1, 2, 3 };

	begin_ip6();
	for (unsigned type = 5; type < 256; type++) {
		if (type == ICMP6_ECHO)
			continue;
		for (uint8_t code = 0; code < 2; code++) {
			test_at("type %u", type);
			build(NULL, NULL);
			end_icmp((uint8_t)type, code, rest, sizeof(rest));
			put_built();
			check_silence();
		}
	}
	end_stack();
}

/* Cut anywhere: nothing is answered that is not all there. */
static void short_messages(void)
{
	begin_ip6();
	for (unsigned type = 0; type < 256; type++) {
		for (uint32_t len = 1; len < 8; len++) {
			uint8_t *l4 = built.bytes + 40;

			build(NULL, NULL);
			memset(l4, 0, 8);
			l4[0] = (uint8_t)type;
			end_built(NEXT_ICMP6, len);
			if (len >= 4)
				sum_built(NEXT_ICMP6, len, 2);
			put_built();
			check_silence();
		}
	}
	end_stack();
}

/* ---- echo ---- */

/* 4.2: identifier, number and data come back as they were, whatever their size. */
static void echo_of_every_size(void)
{
	begin_ip6();
	for (uint32_t len = 0; len <= 1452; len += len < 64 ? 1 : 4) {
		put_echo(NULL, NULL, len);
		put_built();
		check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
		check_eq(out.len, 48 + len);
		check_eq(out.word, 0x12345678);
		check_mem(out.bytes + 48, built.bytes + 48, len);
		check(addr_equal(&out.src, &built.dst) && addr_equal(&out.dst, &built.src));
		check_eq(take_out(), 0);
	}
	end_stack();
}

/* 2.2: from the address that was asked; of a group, from one of ours that fits the asker. */
static void where_replies_come_from(void)
{
	static const struct {
		const char *from, *to, *reply;
	} cases[] = {
		{ "fd00::9", "fd00::1", "fd00::1" },   { "fd00::9", "fd00::77", "fd00::77" },
		{ "fd00::9", "fe80::77", "fe80::77" }, { "fe80::9", "fe80::77", "fe80::77" },
		{ "fe80::9", "ff02::1", "fe80::77" },  { "2001:db8::9", "ff02::1", "fd00::1" },
		{ "fd00::9", "ff02::1", "fd00::1" },
	};
	struct tern_addr a;

	begin_ip6();
	tern_addr_parse("fd00::77", 0, &a);
	check_eq(tern_addr_add(st, 2, &a, 64), 0);
	tern_addr_parse("fe80::77", 0, &a);
	check_eq(tern_addr_add(st, 2, &a, 64), 0);
	route_everything();
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct addr reply = parse_addr(cases[i].reply);

		test_at("from %s to %s", cases[i].from, cases[i].to);
		put_echo(cases[i].from, cases[i].to, 8);
		put_built();
		check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
		check(addr_equal(&out.src, &reply) && addr_equal(&out.dst, &built.src));
	}
	end_stack();
}

/* RFC 4007 9: a link-local asker is answered on its own link, wherever else fe80::/10 leads. */
static void replies_keep_their_link(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a;

	begin_ip6();
	check_eq(tern_iface_add(st, &other), 3);
	tern_addr_parse("fe80::77", 0, &a);
	for (unsigned i = 2; i < 4; i++)
		check_eq(tern_addr_add(st, i, &a, 64), 0);
	tern_advance(st, 5 * TERN_SEC); /* the addresses are sure of themselves */
	for (unsigned i = 2; i < 4; i++)
		tern_pkt_free(st, tern_output(st, i));
	for (unsigned i = 2; i < 4; i++) {
		struct tern_pkt *p;

		put_echo("fe80::9", "fe80::77", 8);
		p = packet_built();
		p->ifindex = i;
		tern_input(st, p);
		check(!tern_output(st, i ^ 1));
		p = tern_output(st, i);
		check(p != NULL);
		tern_pkt_free(st, p);
	}
	end_stack();
}

/* ---- errors that we send ---- */

/* 2.4 (c): as much of the packet as fits in 1280 bytes; 3.1: code 4 for a port. */
static void how_much_is_quoted(void)
{
	begin_ip6();
	for (uint32_t len = 0; len <= 1452; len++) {
		build(NULL, NULL);
		end_udp(PORT + 1, len);
		put_built();
		check_problem(ICMP6_UNREACHABLE << 8 | 4, 0);
		check_eq(out.len, MIN(48 + built.len, 1280));
	}
	end_stack();
}

/* What brings an error, each in its way. */
static void stimulate(unsigned kind, const char *src, const char *dst)
{
	static const uint8_t told[6] = { 0, 0x80, 2, 0, 0, 0 };
	static const uint8_t more[6] = { 0, 1, 0, 0, 0, 7 };

	build(src, dst);
	switch (kind) {
	case 0:
		end_udp(PORT + 1, 30);
		break;
	case 1:
		end_built(253, 30);
		break;
	case 2:
		add_header(IP6_EXT_ROUTING, "\x63\x01", 2, 8);
		end_udp(PORT, 30);
		break;
	case 3:
		add_header(IP6_EXT_DESTINATION, told, 6, 8);
		end_udp(PORT, 30);
		break;
	default:
		add_header(IP6_EXT_FRAGMENT, more, 6, 8);
		end_udp(PORT, 29); /* 37 bytes, and more to come */
		break;
	}
	put_built();
}

/* 2.4 (e): not about what went to a group, but for options; not to who is not one host. */
static void when_nothing_is_said(void)
{
	static const unsigned what[5] = { 0x0104, 0x0401, 0x0400, 0x0402, 0x0400 };
	static const char *const no_host[] = { "::", "ff02::1", "ff1e::5", "::1" };

	begin_ip6();
	route_everything();
	for (unsigned kind = 0; kind < 5; kind++) {
		test_at("kind %u", kind);
		stimulate(kind, NULL, NULL);
		check_eq(take_out(), what[kind]);
		stimulate(kind, NULL, "ff02::1");
		check_eq(take_out(), kind == 3 ? what[kind] : 0);
		check_eq(take_out(), 0);
		for (size_t i = 0; i < N_ELEMENTS(no_host); i++) {
			stimulate(kind, no_host[i], NULL);
			check_eq(take_out(), 0);
			stimulate(kind, no_host[i], "ff02::1");
			check_eq(take_out(), 0);
		}
		stimulate(kind, NULL, NULL);
		check_eq(take_out(), what[kind]);
	}
	end_stack();
}

/* 2.4 (e): a frame to everybody is like a packet to everybody. */
static void in_a_broadcast_frame(void)
{
	struct tern_pkt *p;

	begin_ip6();
	build(NULL, NULL);
	end_udp(PORT + 1, 30);
	p = packet_built();
	p->flags |= TERN_PKT_LINK_BROADCAST;
	tern_input(st, p);
	check_silence();
	end_stack();
}

/*
 * 2.4 (e.1): a first fragment of a message waits in vain for the rest. Of a question its sender
 * hears; of an error, nobody does. And so when it is too short.
 */
static void no_error_of_an_error(void)
{
	for (unsigned type = 0; type < 256; type++) {
		for (int odd = 0; odd < 2; odd++) {
			static const uint8_t more[6] = { 0, 1, 0, 0, 0, 7 };
			bool is_error = type < 128;

			if (type == ICMP6_REDIRECT)
				continue;
			test_at("type %u, %d", type, odd);
			begin_ip6();
			build(NULL, NULL);
			add_header(IP6_EXT_FRAGMENT, more, 6, 8);
			memset(built.bytes + built.len, 0, 64);
			built.bytes[built.len] = (uint8_t)type;
			end_built(NEXT_ICMP6, odd ? 61 : 64);
			put_built();
			if (odd)
				check_eq(take_out(), is_error ? 0 : NO_SUCH_FIELD);
			tern_advance(st, 70 * TERN_SEC);
			check_eq(take_out(), is_error || odd ? 0 : ICMP6_TIME_EXCEEDED << 8 | 1);
			end_stack();
		}
	}
}

/* 2.4 (f): a few at once, then one in a while. */
static void how_many_errors(void)
{
	unsigned n = 0, first;

	begin_ip6();
	check_eq(tern_sysctl_set(st, "net.ipv4.icmp_ratelimit", "10"), 0);
	for (unsigned i = 0; i < 10000; i++) {
		build(NULL, NULL);
		end_udp(PORT + 1, 30);
		put_built();
		n += take_out() != 0;
		if (i == 9)
			check_eq(n, 10);
	}
	first = n;
	check(first >= 10 && first <= 50);
	for (unsigned ms = 0; ms < 10000; ms++) {
		tern_advance(st, TERN_SEC + ms * TERN_MS);
		build(NULL, NULL);
		end_udp(PORT + 1, 30);
		put_built();
		n += take_out() != 0;
	}
	check(n - first >= 100 && n - first <= 1000);
	end_stack();
}

/* 3.1: whoever wants to says nothing at all; questions are answered all the same. */
static void errors_switched_off(void)
{
	begin_ip6();
	check_eq(tern_sysctl_set(st, "net.ipv4.icmp_msgs_burst", "0"), 0);
	for (unsigned kind = 0; kind < 5; kind++) {
		stimulate(kind, NULL, NULL);
		check_silence();
	}
	put_echo(NULL, NULL, 8);
	put_built();
	check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
	end_stack();
}

/* ---- errors that we get ---- */

/* An error about a datagram of ours from port 7001 to port 9 of fd00::9. */
static void hear_error(uint8_t type, uint8_t code, uint32_t word)
{
	uint8_t rest[4 + 52] = { 0 };
	struct ip6 quoted = { .next_header = NEXT_UDP, .payload_len = 12, .hop_limit = 64 };
	struct udp udp = { .src_port = PORT + 1, .dst_port = 9, .len = 12 };

	put_be32(rest, word);
	quoted.src = parse_addr("fd00::1");
	quoted.dst = parse_addr("fd00::9");
	ip6_emit(&quoted, rest + 4);
	udp_emit(&udp, rest + 44);
	build("fd00::5", NULL);
	end_icmp(type, code, rest, sizeof(rest));
	put_built();
}

/* 3.1 to 3.4: who sent the packet hears what became of it. */
static void errors_reach_their_socket(void)
{
	static const struct {
		uint8_t type, code;
		int error;
		bool at_once; /* though the socket has not asked for errors that may pass */
	} cases[] = {
		{ ICMP6_UNREACHABLE, 0, TERN_ENETUNREACH, false },
		{ ICMP6_UNREACHABLE, 1, TERN_EACCES, true },
		{ ICMP6_UNREACHABLE, 2, TERN_EHOSTUNREACH, false },
		{ ICMP6_UNREACHABLE, 3, TERN_EHOSTUNREACH, false },
		{ ICMP6_UNREACHABLE, 4, TERN_ECONNREFUSED, true },
		{ ICMP6_UNREACHABLE, 5, TERN_EACCES, true },
		{ ICMP6_UNREACHABLE, 6, TERN_EACCES, true },
		{ ICMP6_UNREACHABLE, 7, TERN_EHOSTUNREACH, false }, /* a code that is new */
		{ ICMP6_TIME_EXCEEDED, 0, TERN_EHOSTUNREACH, false },
		{ ICMP6_TIME_EXCEEDED, 1, TERN_EHOSTUNREACH, false },
		{ ICMP6_PARAMETER_PROBLEM, 0, TERN_EPROTO, true },
		{ ICMP6_PARAMETER_PROBLEM, 1, TERN_EPROTO, true },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases) * 2; i++) {
		bool asked = i & 1;
		int32_t one = 1;
		struct tern_addr to;
		tern_sock s;
		char c;

		test_at("type %u code %u", cases[i / 2].type, cases[i / 2].code);
		begin_ip6();
		s = udp6_at(PORT + 1);
		if (asked)
			check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_RECVERR, &one,
						 4),
				 0);
		tern_addr_parse("fd00::9", 9, &to);
		check_eq(tern_connect(st, s, &to), 0);
		check_eq(tern_send(st, s, "ping", 4, 0), 4);
		check_eq(take_out(), NEXT_UDP);
		hear_error(cases[i / 2].type, cases[i / 2].code, 0);
		check_eq(tern_recv(st, s, &c, 1, 0),
			 asked || cases[i / 2].at_once ? -cases[i / 2].error : -TERN_EAGAIN);
		check_eq(heard_by(hearer), -1);
		check_eq(take_out(), 0);
		end_stack();
	}
}

/* 8200 4: the pointer names where the header before it said what follows. */
static void pointer_behind_headers(void)
{
	begin_ip6();
	build(NULL, NULL);
	add_header(IP6_EXT_DESTINATION, "", 0, 8);
	end_built(253, 24);
	put_built();
	check_problem(NO_SUCH_HEADER, 40);
	end_stack();
}

/* 2.4 (e.1, e.2): nor of a redirect, nor when another header of the error is bad. */
static void no_error_of_hidden_errors(void)
{
	static const uint8_t more[6] = { 0, 1, 0, 0, 0, 7 }, told[6] = { 0, 0x80, 2, 0, 0, 0 };
	static const uint8_t quoted[60];

	begin_ip6();
	build(NULL, NULL);
	add_header(IP6_EXT_FRAGMENT, more, 6, 8);
	memset(built.bytes + built.len, 0, 64);
	built.bytes[built.len] = ICMP6_REDIRECT;
	end_built(NEXT_ICMP6, 61);
	put_built();
	check_silence();
	build(NULL, NULL);
	add_header(IP6_EXT_DESTINATION, told, 6, 8);
	end_icmp(ICMP6_UNREACHABLE, 4, quoted, sizeof(quoted));
	put_built();
	check_silence();
	end_stack();
}

/* What a packet is said to be does not depend on the one before it. */
static void each_by_itself(void)
{
	static const uint8_t told[6] = { 0, 0x80, 2, 0, 0, 0 };

	begin_ip6();
	put_echo(NULL, NULL, 8);
	put_built();
	check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
	build(NULL, NULL);
	add_header(IP6_EXT_DESTINATION, told, 6, 8);
	end_udp(PORT, 30);
	put_built();
	check_problem(NO_SUCH_OPTION, 43);
	end_stack();
}

/* 2.4 (a): an error that nobody knows is one all the same, for the socket that it is about. */
static void unknown_errors(void)
{
	uint8_t rest[4 + IP6_HDR_LEN + 12] = { 0 };
	struct ip6 quoted = { .next_header = NEXT_UDP, .payload_len = 12, .hop_limit = 64 };
	struct udp udp = { .src_port = PORT + 1, .dst_port = 9, .len = 12 };

	quoted.src = parse_addr("fd00::1");
	quoted.dst = parse_addr("fd00::9");
	ip6_emit(&quoted, rest + 4);
	udp_emit(&udp, rest + 4 + IP6_HDR_LEN);
	for (int wants = 0; wants < 2; wants++) {
		int32_t recverr = wants;
		struct tern_addr to;
		tern_sock s;
		char c;

		begin_ip6();
		s = udp6_at(PORT + 1);
		tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_RECVERR, &recverr,
				sizeof(recverr));
		tern_addr_parse("fd00::9", 9, &to);
		check_eq(tern_connect(st, s, &to), 0);
		build("fd00::5", NULL);
		end_icmp(100, 0, rest, sizeof(rest));
		put_built();
		check_eq(tern_recv(st, s, &c, 1, 0), wants ? -TERN_EPROTO : -TERN_EAGAIN);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(checksums6),
		TEST(unknown_messages),
		TEST(short_messages),
		TEST(echo_of_every_size),
		TEST(where_replies_come_from),
		TEST(replies_keep_their_link),
		TEST(how_much_is_quoted),
		TEST(when_nothing_is_said),
		TEST(in_a_broadcast_frame),
		TEST(no_error_of_an_error),
		TEST(how_many_errors),
		TEST(errors_switched_off),
		TEST(errors_reach_their_socket),
		TEST(pointer_behind_headers),
		TEST(no_error_of_hidden_errors),
		TEST(each_by_itself),
		TEST(unknown_errors),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
