/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_test.c - core/wire/icmp.c.
 */
#include "../../core/wire/wire.h"
#include "test.h"

static void header_round_trips(void)
{
	static const uint8_t p[] = { 3, 4, 0, 0, 0, 0, 5, 0xdc };
	uint8_t out[ICMP_HDR_LEN];
	struct icmp h;

	check(icmp_parse(&h, p, sizeof(p)));
	check(h.type == ICMP4_UNREACHABLE && h.code == 4 && h.rest == 1500 && h.checksum == 0);
	memset(out, 0xff, sizeof(out));
	check_eq(icmp_emit(&h, out), ICMP_HDR_LEN);
	check_mem(out, p, sizeof(p));
	for (size_t len = 0; len < ICMP_HDR_LEN; len++)
		check(!icmp_parse(&h, p, len));
}

static const struct test tests[] = {
	TEST(header_round_trips),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
