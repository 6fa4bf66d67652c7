/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_wire_test.c - core/wire/dhcp6.c: messages round trip; each option with each length at each
 * level, and a message cut at each byte.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/dhcp.h"
#include "test.h"

enum { ROOM = 2048 };

static bool parse(struct dhcp6 *m, const uint8_t *bytes, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);
	bool ok;

	memcpy(p, bytes, len);
	ok = dhcp6_parse(m, p, len);
	free(p);
	return ok;
}

static struct dhcp6 make_full(void)
{
	struct dhcp6 m = { .type = DHCP6_REPLY,
			   .preference = 200,
			   .n_asked = 3,
			   .n_dns = 2,
			   .rapid_commit = true,
			   .has_elapsed = true,
			   .has_refresh = true,
			   .elapsed = 300,
			   .status = DHCP6_NOT_ON_LINK,
			   .xid = 0xabcdef,
			   .refresh = 600,
			   .sol_max_rt = 120,
			   .inf_max_rt = 240,
			   .server = { 4, { 0, 2, 9, 9 } },
			   .ia = { .is_there = true,
				   .n = 2,
				   .status = DHCP6_NO_BINDING,
				   .iaid = 7,
				   .t1 = 100,
				   .t2 = 160,
				   .addr = { { { { 0xfd, [15] = 1 } }, 200, 300, 0 },
					     { { { 0xfd, [15] = 2 } }, 1, 2, 3 } } },
			   .asked = { 23, 24, 82 },
			   .dns = { { { 0xfd, [15] = 3 } }, { { 0xfd, [15] = 4 } } } };

	m.client = duid_from_mac((const uint8_t[6]){ 2, 0, 0, 0, 0, 1 });
	domains_put(&m.search, "six.test");
	return m;
}

static void a_message_round_trips(void)
{
	struct dhcp6 m = make_full(), got;
	uint8_t p[ROOM], again[ROOM];
	size_t len = dhcp6_emit(&m, p, sizeof(p));

	check(len > 0 && parse(&got, p, len));
	check(got.type == DHCP6_REPLY && got.xid == 0xabcdef && got.preference == 200);
	check(got.client.len == 10 && got.client.b[1] == 3 && got.client.b[9] == 1);
	check(got.server.len == 4 && got.server.b[1] == 2);
	check(got.ia.is_there && got.ia.n == 2 && got.ia.status == DHCP6_NO_BINDING);
	check(got.ia.iaid == 7 && got.ia.t1 == 100 && got.ia.t2 == 160);
	check(got.ia.addr[0].preferred == 200 && got.ia.addr[0].valid == 300);
	check(got.ia.addr[1].status == 3 && got.ia.addr[1].addr.b[15] == 2);
	check(got.n_asked == 3 && got.asked[2] == 82 && got.n_dns == 2 && got.dns[1].b[15] == 4);
	check(got.rapid_commit && got.has_elapsed && got.elapsed == 300);
	check(got.status == DHCP6_NOT_ON_LINK && got.has_refresh && got.refresh == 600);
	check(got.sol_max_rt == 120 && got.inf_max_rt == 240);
	check_str(got.search.text, "six.test");
	check_eq(dhcp6_emit(&got, again, sizeof(again)), len);
	check_mem(again, p, len);
}

static void random_messages_round_trip(void)
{
	struct rand r;
	uint8_t seed[32] = { 6 }, p[ROOM], again[ROOM];

	rand_init(&r, seed, 0);
	for (int i = 0; i < 3000; i++) {
		struct dhcp6 m = make_full(), got;
		size_t len;

		m.type = (uint8_t)(1 + rand_below(&r, 11));
		m.xid = rand_u32(&r) & 0xffffff;
		m.ia.is_there = rand_below(&r, 4);
		m.ia.n = (uint8_t)(m.ia.is_there ? rand_below(&r, DHCP6_ADDRS_MAX + 1) : 0);
		m.ia.addr[2] = m.ia.addr[rand_below(&r, 2)];
		m.ia.addr[3] = m.ia.addr[rand_below(&r, 2)];
		m.rapid_commit = rand_below(&r, 2);
		m.has_elapsed = rand_below(&r, 2);
		m.n_dns = (uint8_t)rand_below(&r, 3);
		m.server.len = (uint8_t)(DHCP6_DUID_MIN + rand_below(&r, 128));
		for (uint64_t n = rand_below(&r, 20); n > 0; n--)
			domains_put(&m.search, "a.domain.test");
		len = dhcp6_emit(&m, p, sizeof(p));
		test_at("message %d", i);
		check(len > 0 && parse(&got, p, len));
		check_eq(dhcp6_emit(&got, again, sizeof(again)), len);
		check_mem(again, p, len);
		check(got.ia.n == m.ia.n && got.n_dns == m.n_dns);
	}
}

static void emit_needs_room(void)
{
	struct dhcp6 m = make_full();
	uint8_t p[ROOM];
	size_t len = dhcp6_emit(&m, p, sizeof(p));

	for (size_t cap = 0; cap < len; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);

		test_at("room for %zu", cap);
		check_eq(dhcp6_emit(&m, exact, cap), 0);
		free(exact);
	}
	check_eq(dhcp6_emit(&m, p, len), len);
}

/* Only where an option of the message ends is a cut not seen. */
static void a_message_cut_anywhere(void)
{
	struct dhcp6 m = make_full(), got;
	uint8_t p[ROOM];
	size_t len = dhcp6_emit(&m, p, sizeof(p)), end = 4;

	for (size_t cut = 0; cut < len; cut++) {
		bool whole = cut == end;

		if (whole)
			end += 4u + get_be16(p + end + 2);
		test_at("cut at %zu", cut);
		check_eq(parse(&got, p, cut), whole);
	}
}

/* Every option of every length: of the message, in an association, in an address of it. */
static void every_option_and_length(void)
{
	static const size_t before[] = { 4, 4 + 4 + 12, 4 + 4 + 12 + 4 + 24 };
	struct dhcp6 m;

	for (unsigned level = 0; level < 3; level++) {
		for (unsigned code = 0; code < 90; code++) {
			for (unsigned len = 0; len < 260; len++) {
				uint8_t p[ROOM] = { DHCP6_REPLY };
				size_t at = before[level], end = at + 4 + len;

				put_be16(p + 4, DHCP6_OPT_IA_NA);
				put_be16(p + 6, (uint32_t)(end - 8));
				put_be16(p + 20, DHCP6_OPT_IAADDR);
				put_be16(p + 22, (uint32_t)(end - 24));
				put_be16(p + at, code);
				put_be16(p + at + 2, len);
				memset(p + at + 4, 1, len);
				test_at("level %u, option %u of %u bytes", level, code, len);
				parse(&m, p, end);
				check(m.ia.n <= DHCP6_ADDRS_MAX && m.n_dns <= DHCP6_ADDRS_MAX);
				check(m.n_asked <= DHCP6_ASKED_MAX);
				check(!parse(&m, p, end - 1));
				put_be16(p + at + 2, len + 1);
				check(!parse(&m, p, end));
			}
		}
	}
}

static void wrong_sizes_are_ignored(void)
{
	for (unsigned len = 0; len < 200; len++) {
		static const uint16_t codes[] = { 1, 2, 7, 8, 14, 23, 32, 82, 83 };
		uint8_t p[ROOM] = { DHCP6_REPLY };
		struct dhcp6 m;
		size_t at = 4;

		for (size_t i = 0; i < N_TESTS(codes); i++) {
			put_be16(p + at, codes[i]);
			put_be16(p + at + 2, len);
			memset(p + at + 4, 1, len);
			at += 4 + len;
		}
		test_at("length %u", len);
		check(parse(&m, p, at));
		check_eq(m.client.len, len >= 3 && len <= 130 ? len : 0);
		check_eq(m.server.len, m.client.len);
		check_eq(m.preference, len == 1);
		check_eq(m.has_elapsed, len == 2);
		check_eq(m.rapid_commit, len == 0);
		check_eq(m.n_dns, len % 16 ? 0 : len / 16 < 4 ? len / 16 : 4);
		check_eq(m.has_refresh, len == 4);
		check_eq(m.sol_max_rt, len == 4 ? 0x01010101 : 0);
		check_eq(m.inf_max_rt, m.sol_max_rt);
	}
}

/* Relayed messages (12, 13) and types that nobody has given a meaning are none of ours. */
static void types_that_are_known(void)
{
	for (unsigned type = 0; type < 256; type++) {
		uint8_t p[4] = { (uint8_t)type, 1, 2, 3 };
		struct dhcp6 m;

		check_eq(parse(&m, p, 4), type >= 1 && type <= 11);
	}
}

static const struct test tests[] = {
	TEST(a_message_round_trips),   TEST(random_messages_round_trip),
	TEST(emit_needs_room),	       TEST(a_message_cut_anywhere),
	TEST(every_option_and_length), TEST(wrong_sizes_are_ignored),
	TEST(types_that_are_known),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
