/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_rules_test.c - which IPv6 packets are heard, which are refused and with which words, and what
 * the packets that go out look like: RFC 8200, RFC 4291 2, RFC 5095, RFC 7739, RFC 8021, RFC 8504 5.
 */
#include <stdlib.h>

#include "ip6_fixture.h"

/* ---- the header ---- */

/* RFC 8200 3: only who forwards looks at the hop limit. */
static void any_hop_limit(void)
{
	begin_ip6();
	for (unsigned hops = 0; hops < 256; hops++) {
		build(NULL, NULL);
		built.bytes[7] = (uint8_t)hops;
		end_udp(PORT, 40);
		put_built();
		check_delivered(40);
	}
	end_stack();
}

/* RFC 8200 5: what the link carries, and whole ones far larger. */
static void whole_packets_of_the_link(void)
{
	begin_ip6();
	for (uint32_t len = 0; len <= 1500 - 48; len += len < 1400 ? 100 : 1) {
		build(NULL, NULL);
		end_udp(PORT, len);
		put_built();
		check_delivered(len);
	}
	end_stack();
}

/* ---- the order of extension headers ---- */

static const uint8_t kinds[5] = { IP6_EXT_HOP_BY_HOP, IP6_EXT_DESTINATION, IP6_EXT_ROUTING,
				  IP6_EXT_FRAGMENT, IP6_EXT_DESTINATION };

/* A chain of these headers; where it names a hop-by-hop header that is not the first: 0 nowhere. */
static uint32_t build_chain(const uint8_t *order, unsigned n)
{
	uint32_t wrong_at = 0;

	build(NULL, NULL);
	for (unsigned i = 0; i < n; i++) {
		uint8_t proto = kinds[order[i]];

		if (proto == IP6_EXT_HOP_BY_HOP && i > 0)
			wrong_at = built.link;
		add_header(proto, "", 0, 8);
	}
	end_udp(PORT, 30);
	return wrong_at;
}

static bool next_order(uint8_t *order, unsigned n)
{
	unsigned k = n - 1, j = n - 1;
	uint8_t t;

	while (k > 0 && order[k - 1] >= order[k])
		k--;
	if (k == 0)
		return false;
	while (order[j] <= order[k - 1])
		j--;
	t = order[j], order[j] = order[k - 1], order[k - 1] = t;
	for (j = n - 1; k < j; k++, j--)
		t = order[j], order[j] = order[k], order[k] = t;
	return true;
}

/* RFC 8200 4.1: any order is good, but that hop-by-hop options come first (4: code 1 if not). */
static void all_orders(void)
{
	begin_ip6();
	for (unsigned from = 0; from < 5; from++) { /* the headers that there are: from .. 4 */
		uint8_t order[5] = { 0 };
		unsigned n = 5 - from;

		for (unsigned i = 0; i < n; i++)
			order[i] = (uint8_t)(from + i);
		do {
			uint32_t wrong_at = build_chain(order, n);

			test_at("%d %d %d %d %d of %u", order[0], order[1], order[2], order[3],
				order[4], n);
			put_built();
			if (wrong_at)
				check_problem(NO_SUCH_HEADER, wrong_at);
			else
				check_delivered(30);
		} while (next_order(order, n));
	}
	end_stack();
}

/* RFC 8504 5.3: eight headers are the most; more end in silence. */
static void many_headers(void)
{
	begin_ip6();
	for (unsigned n = 0; n < 40; n++) {
		build(NULL, NULL);
		for (unsigned i = 0; i < n; i++)
			add_header(IP6_EXT_DESTINATION, "", 0, 8);
		end_udp(PORT, 30);
		put_built();
		check_delivered(n <= 8 ? 30 : -1);
	}
	end_stack();
}

/* RFC 8200 4, RFC 4443 3.4: a protocol that nobody has, at the field that names it. */
static void unknown_headers(void)
{
	begin_ip6();
	for (unsigned proto = 1; proto < 256; proto++) {
		if (proto == 6 || proto == NEXT_UDP || proto == NEXT_ICMP6 ||
		    proto == IP6_EXT_ROUTING || proto == IP6_EXT_FRAGMENT ||
		    proto == IP6_EXT_NONE || proto == IP6_EXT_DESTINATION)
			continue;
		test_at("%u", proto);
		build(NULL, NULL);
		end_built((uint8_t)proto, 24);
		put_built();
		check_problem(NO_SUCH_HEADER, 6);
	}
	end_stack();
}

/* RFC 8200 4.7: nothing follows, whatever there is; and nobody is told. */
static void nothing_follows(void)
{
	begin_ip6();
	for (uint32_t n = 0; n < 4; n++) {
		for (uint32_t len = 0; len < 100; len += 9) {
			build(NULL, NULL);
			for (uint32_t i = 0; i < n; i++)
				add_header(IP6_EXT_DESTINATION, "", 0, 8);
			end_built(IP6_EXT_NONE, len);
			put_built();
			check_silence();
		}
	}
	end_stack();
}

/* ---- options ---- */

enum { GOOD, SILENT, TOLD };

/* RFC 8200 4.2: what the two highest bits of an unknown option say; we know the alert of 2711. */
static int verdict_on(uint8_t type, bool to_group)
{
	if (type <= 1 || type == 5 || type >> 6 == 0)
		return GOOD;
	if (type >> 6 == 1)
		return SILENT;
	return type >> 6 == 3 && to_group ? SILENT : TOLD;
}

static void every_option_type(void)
{
	for (unsigned k = 0; k < 4; k++) {
		const char *to = k & 1 ? "ff02::1" : "fd00::1";
		uint8_t header = k & 2 ? IP6_EXT_HOP_BY_HOP : IP6_EXT_DESTINATION;

		begin_ip6();
		for (unsigned type = 2; type < 256; type++) {
			const uint8_t body[6] = { 0, (uint8_t)type, 2, 0, 0, 0 };
			uint64_t refused = tern_counter(st, "Drop-ip-options");
			int verdict = verdict_on((uint8_t)type, k & 1);

			test_at("type %u to %s", type, to);
			build(NULL, to);
			add_header(header, body, 6, 8);
			end_udp(PORT, 30);
			put_built();
			check_eq(tern_counter(st, "Drop-ip-options") - refused, verdict != GOOD);
			if (verdict == TOLD)
				check_problem(NO_SUCH_OPTION, 43);
			else
				check_delivered(verdict == GOOD ? 30 : -1);
		}
		end_stack();
	}
}

/* Pad1 and PadN, every way to fill six bytes with them, and PadN of every length. */
static void padding(void)
{
	begin_ip6();
	for (unsigned way = 0; way < 64; way++) { /* bit set: a Pad1, else a PadN of what comes */
		uint8_t body[6] = { 0 };
		unsigned at = 0;

		while (at < 6) {
			unsigned n = 1;

			while (!(way >> at & 1) && at + n < 6 && !(way >> (at + n) & 1))
				n++;
			if (n > 1) {
				body[at] = 1;
				body[at + 1] = (uint8_t)(n - 2);
			}
			at += n;
		}
		test_at("way %u", way);
		build(NULL, NULL);
		add_header(IP6_EXT_DESTINATION, body, 6, 8);
		add_header(IP6_EXT_DESTINATION, "\x01\x04", 2, 8);
		end_udp(PORT, 30);
		put_built();
		check_delivered(30);
	}
	for (unsigned len = 0; len < 256; len++) {
		const uint8_t body[2] = { 1, (uint8_t)len };

		build(NULL, NULL);
		add_header(IP6_EXT_HOP_BY_HOP, body, 2, (4 + len + 7) / 8 * 8);
		end_udp(PORT, 30);
		put_built();
		check_delivered(30);
	}
	end_stack();
}

/* ---- routing headers ---- */

/* RFC 8200 4.4, RFC 5095: no type is known; with segments left it is told of, and not forwarded. */
static void every_routing_type(void)
{
	static const uint8_t segments[] = { 0, 1, 2, 255 };

	begin_ip6();
	check_eq(tern_sysctl_set(st, "net.ipv6.conf.forwarding", "1"), 0);
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned k = 0; k < 4; k++) {
			uint8_t body[22] = { (uint8_t)type, segments[k], 0, 0, 0, 0, 0xfd };

			body[21] = 9; /* one address: fd00::9 */
			test_at("type %u, %u left", type, segments[k]);
			build(NULL, NULL);
			add_header(IP6_EXT_ROUTING, body, 22, 24);
			end_udp(PORT, 30);
			put_built();
			if (segments[k])
				check_problem(NO_SUCH_FIELD, 42);
			else
				check_delivered(30);
		}
	}
	end_stack();
}

/* RFC 8200 8.3 and 8.4: 60 bytes of headers; and no answer goes the way that a question came. */
static void segments_that_answer(void)
{
	struct tern_addr at;

	for (int routed = 0; routed < 2; routed++) {
		begin_ip6();
		tern_addr_parse("::", 80, &at);
		listen_on(at);
		build(NULL, NULL);
		if (routed)
			add_header(IP6_EXT_ROUTING, "", 0, 24);
		end_syn(80);
		put_built();
		check_eq(take_out(), 6);
		check(addr_equal(&out.dst, &built.src));
		check_eq(out.bytes[40 + 20], 2); /* its first option: MSS */
		check_eq(get_be16(out.bytes + 40 + 22), 1500 - 60);
		build(NULL, NULL);
		if (routed)
			add_header(IP6_EXT_ROUTING, "", 0, 24);
		end_icmp(ICMP6_ECHO, 0, "idsqdata", 8);
		put_built();
		check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
		check_eq(out.len, 40 + 12);
		end_stack();
	}
}

/* ---- addresses ---- */

/* RFC 4291 2.8: what a host is, and what it is not. */
static void who_we_are(void)
{
	static const struct {
		const char *to;
		bool ours;
	} cases[] = {
		{ "fd00::1", true },	       { "fe80::77", true },
		{ "fd00::2", false },	       { "fe80::78", false },
		{ "ff02::1", true },	       { "ff01::1", false },
		{ "ff02::1:ff00:1", true },    { "ff02::1:ff00:77", true },
		{ "ff02::1:ff00:2", false },   { "ff02::2", false },
		{ "ff05::2", false },	       { "ff05::1:3", false },
		{ "ff02::1:ff00:101", false }, { "fd00::", false },
		{ "ff1e::5", true },	       { "ff11::5", false }, /* erratum 3480: of a node */
		{ "ff10::5", false },
	};
	static const uint8_t joined[] = { 0x1e, 0x11, 0x10 };
	struct tern_addr local;
	struct {
		uint8_t group[16];
		uint32_t ifindex;
	} of = { { 0xff, [15] = 5 }, 2 };

	begin_ip6();
	tern_addr_parse("fe80::77", 0, &local);
	check_eq(tern_addr_add(st, 2, &local, 64), 0);
	for (size_t i = 0; i < N_ELEMENTS(joined); i++) {
		of.group[1] = joined[i];
		check_eq(tern_setsockopt(st, hearer, TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP,
					 &of, sizeof(of)),
			 0);
	}
	tern_advance(st, 3 * TERN_SEC);
	while (take_out())
		continue; /* reports of the group */
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		test_at("%s", cases[i].to);
		build(NULL, cases[i].to);
		end_icmp(ICMP6_ECHO, 0, "idsqdata", 8);
		put_built();
		check_eq(take_out(), cases[i].ours ? ICMP6_ECHO_REPLY << 8 : 0);
		if (cases[i].ours)
			check(!addr_is_multicast(&out.src) && addr_equal(&out.dst, &built.src));
	}
	end_stack();
}

/* RFC 4291 2.5.2, 2.5.3, 2.7: who is no sender on a wire, and no receiver. */
static void impossible_addresses6(void)
{
	static const struct {
		const char *src, *dst;
	} cases[] = { { "::1", "fd00::1" },
		      { "ff02::1", "fd00::1" },
		      { "ff1e::5", "fd00::1" },
		      { "::ffff:10.0.0.9", "fd00::1" },
		      { "fd00::9", "::ffff:10.0.0.1" },
		      { "fd00::9", "::1" },
		      { "fd00::9", "::" },
		      { "fd00::1", "fd00::1" },
		      { "::1", "::1" } };
	struct tern_addr at;

	begin_ip6();
	route_everything();
	tern_addr_parse("::", 80, &at);
	listen_on(at);
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		for (unsigned k = 0; k < 5; k++) {
			test_at("from %s to %s, %u", cases[i].src, cases[i].dst, k);
			build(NULL, NULL);
			built.src = parse_addr(cases[i].src);
			built.dst = parse_addr(cases[i].dst);
			memcpy(built.bytes + 8, built.src.b, 16);
			memcpy(built.bytes + 24, built.dst.b, 16);
			if (k == 0)
				end_udp(PORT, 30);
			else if (k == 1)
				end_udp(PORT + 1, 30);
			else if (k == 2)
				end_icmp(ICMP6_ECHO, 0, "idsqdata", 8);
			else if (k == 3)
				end_syn(80);
			else
				end_built(253, 20);
			put_built();
			check_silence();
		}
	}
	end_stack();
}

/* ---- fragments that we send ---- */

/* A router says that it carries this much of a datagram of ours to fd00::9. */
static void hear_too_big(uint32_t mtu)
{
	uint8_t rest[4 + 48] = { 0 };
	struct ip6 quoted = { .next_header = NEXT_UDP, .payload_len = 1208, .hop_limit = 64 };
	struct udp udp = { .src_port = PORT, .dst_port = 9, .len = 1208 };

	put_be32(rest, mtu);
	quoted.src = parse_addr("fd00::1");
	quoted.dst = parse_addr("fd00::9");
	ip6_emit(&quoted, rest + 4);
	udp_emit(&udp, rest + 44);
	build(NULL, NULL);
	end_icmp(ICMP6_TOO_BIG, 0, rest, sizeof(rest));
	put_built();
}

/* RFC 8021: no MTU below 1280 is believed, and none brings a fragment header. */
static void no_lone_fragments(void)
{
	static const uint32_t mtus[] = { 0, 68, 500, 1000, 1207, 1279, 1280 };
	static const uint8_t text[1200];
	struct tern_addr to;

	tern_addr_parse("fd00::9", 9, &to);
	for (size_t i = 0; i < N_ELEMENTS(mtus); i++) {
		test_at("mtu %u", mtus[i]);
		begin_ip6();
		for (int k = 0; k < 3; k++) {
			check_eq(tern_sendto(st, hearer, text, sizeof(text), 0, &to), 1200);
			check_eq(take_out(), NEXT_UDP);
			check_eq(out.len, 1248);
			check_eq(take_out(), 0);
			hear_too_big(mtus[i]);
		}
		end_stack();
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* RFC 7739: nobody guesses the next number of a fragment. */
static void numbers_of_fragments(void)
{
	static uint32_t ids[1000];
	static const uint8_t text[2000];
	unsigned n_small = 0, n_above = 0;
	struct tern_addr to;

	begin_ip6();
	tern_addr_parse("fd00::9", 9, &to);
	for (unsigned i = 0; i < 1000; i++) {
		check_eq(tern_sendto(st, hearer, text, sizeof(text), 0, &to), 2000);
		check_eq(take_out(), IP6_EXT_FRAGMENT);
		ids[i] = get_be32(out.bytes + 44);
		check_eq(take_out(), IP6_EXT_FRAGMENT);
		check_eq(get_be32(out.bytes + 44), ids[i]);
		n_above += ids[i] >> 31;
		if (i)
			n_small += ids[i] - ids[i - 1] + 65536 < 2 * 65536;
	}
	check(n_small < 5); /* of a thousand, 0.03 are expected */
	check(n_above > 400 && n_above < 600);
	qsort(ids, 1000, sizeof(ids[0]), by_value);
	for (unsigned i = 1; i < 1000; i++)
		n_small += ids[i] == ids[i - 1];
	check(n_small < 5);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(any_hop_limit),	  TEST(whole_packets_of_the_link),
		TEST(all_orders),	  TEST(many_headers),
		TEST(unknown_headers),	  TEST(nothing_follows),
		TEST(every_option_type),  TEST(padding),
		TEST(every_routing_type), TEST(segments_that_answer),
		TEST(who_we_are),	  TEST(impossible_addresses6),
		TEST(no_lone_fragments),  TEST(numbers_of_fragments),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
