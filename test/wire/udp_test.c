/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_test.c - core/wire/udp.c.
 */
#include "../../core/wire/wire.h"
#include "test.h"

static void header_round_trips(void)
{
	static const uint8_t p[] = { 0x12, 0x34, 0, 53, 0, 10, 0xab, 0xcd, 1, 2 };
	uint8_t out[UDP_HDR_LEN];
	struct udp h;

	check(udp_parse(&h, p, sizeof(p)));
	check(h.src_port == 0x1234 && h.dst_port == 53 && h.len == 10 && h.checksum == 0xabcd);
	check_eq(udp_emit(&h, out), UDP_HDR_LEN);
	check_mem(out, p, UDP_HDR_LEN);
}

static void length_is_checked_against_the_slice(void)
{
	for (uint32_t said = 0; said < 30; said++) {
		for (size_t len = 0; len < 30; len++) {
			uint8_t p[30] = { 0, 1, 0, 2, 0, (uint8_t)said };
			struct udp h;

			test_at("said %u, length %zu", said, len);
			check_eq(udp_parse(&h, p, len), len >= 8 && said >= 8 && said <= len);
		}
	}
}

static const struct test tests[] = {
	TEST(header_round_trips),
	TEST(length_is_checked_against_the_slice),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
