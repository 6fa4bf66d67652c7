/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr_test.c - core/base/addr.c: each question over a table of addresses.
 */
#include "../../core/base/addr.h"
#include "test.h"

static struct addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t ip[4] = { a, b, c, d };

	return addr_from4(ip);
}

static struct addr v6(uint16_t first, uint16_t second, uint16_t last)
{
	uint8_t ip[16] = { 0 };

	put_be16(ip, first);
	put_be16(ip + 2, second);
	put_be16(ip + 14, last);
	return addr_from6(ip);
}

enum { IS4 = 1, UNSPEC = 2, LOOP = 4, MULTI = 8, BROAD = 16, LINK = 32 };

static void kinds(void)
{
	const struct {
		struct addr a;
		unsigned kind;
	} cases[] = {
		{ v4(192, 0, 2, 1), IS4 },
		{ v4(0, 0, 0, 0), IS4 | UNSPEC },
		{ v4(127, 0, 0, 1), IS4 | LOOP },
		{ v4(127, 255, 1, 9), IS4 | LOOP },
		{ v4(223, 255, 255, 255), IS4 },
		{ v4(224, 0, 0, 1), IS4 | MULTI },
		{ v4(239, 255, 255, 255), IS4 | MULTI },
		{ v4(240, 0, 0, 1), IS4 },
		{ v4(255, 255, 255, 255), IS4 | BROAD },
		{ v4(169, 254, 7, 7), IS4 | LINK },
		{ v4(169, 255, 7, 7), IS4 },
		{ v6(0, 0, 0), UNSPEC },
		{ v6(0, 0, 1), LOOP },
		{ v6(0, 0, 2), 0 },
		{ v6(0x2001, 0xdb8, 1), 0 },
		{ v6(0xfe80, 0, 1), LINK },
		{ v6(0xfebf, 0xffff, 1), LINK },
		{ v6(0xfec0, 0, 1), 0 },
		{ v6(0xff02, 0, 1), MULTI },
		{ v6(0xffff, 0xffff, 0xffff), MULTI },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		const struct addr *a = &cases[i].a;
		unsigned kind = (addr_is4(a) ? IS4 : 0) | (addr_is_unspecified(a) ? UNSPEC : 0) |
				(addr_is_loopback(a) ? LOOP : 0) |
				(addr_is_multicast(a) ? MULTI : 0) |
				(addr_is_limited_broadcast(a) ? BROAD : 0) |
				(addr_is_link_local(a) ? LINK : 0);

		test_at("case %u", i);
		check_eq(kind, cases[i].kind);
	}
}

static void prefixes(void)
{
	const struct {
		struct addr a, prefix;
		unsigned len;
		bool in;
	} cases[] = {
		{ v4(10, 1, 2, 3), v4(10, 0, 0, 0), 8, true },
		{ v4(11, 1, 2, 3), v4(10, 0, 0, 0), 8, false },
		{ v4(11, 1, 2, 3), v4(10, 0, 0, 0), 7, true },
		{ v4(1, 2, 3, 4), v4(0, 0, 0, 0), 0, true },
		{ v4(1, 2, 3, 4), v4(1, 2, 3, 4), 32, true },
		{ v4(1, 2, 3, 5), v4(1, 2, 3, 4), 32, false },
		{ v4(1, 2, 3, 5), v4(1, 2, 3, 4), 31, true },
		{ v4(192, 168, 128, 0), v4(192, 168, 0, 0), 17, false },
		{ v6(0x2001, 0xdb8, 5), v6(0x2001, 0xdb8, 9), 64, true },
		{ v6(0x2001, 0xdb8, 5), v6(0x2001, 0xdb9, 5), 32, false },
		{ v6(0x2001, 0xdb8, 5), v6(0x2001, 0xdb9, 5), 31, true },
		{ v6(0x2001, 0xdb8, 5), v6(0, 0, 0), 0, true },
		{ v6(0x2001, 0xdb8, 5), v4(0, 0, 0, 0), 0, false }, /* other family */
		{ v4(1, 2, 3, 4), v6(0, 0, 0), 0, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("case %u", i);
		check_eq(addr_in_prefix(&cases[i].a, &cases[i].prefix, cases[i].len), cases[i].in);
	}
}

static void common_bits_are_counted(void)
{
	struct addr a = v6(0x2001, 0xdb8, 0x1234);

	check_eq(addr_common_bits(&a, &a), 128);
	check(addr_equal(&a, &a));
	for (unsigned bit = 0; bit < 128; bit++) {
		struct addr b = a;

		b.b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		check_eq(addr_common_bits(&a, &b), bit);
		for (unsigned len = 0; len <= 128; len++)
			check_eq(addr_has_prefix(&a, &b, len), len <= bit);
		check(!addr_equal(&a, &b));
	}
}

static const struct test tests[] = {
	TEST(kinds),
	TEST(prefixes),
	TEST(common_bits_are_counted),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
