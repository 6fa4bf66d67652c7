/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eth_test.c - core/wire/eth.c.
 */
#include "../../core/wire/wire.h"
#include "test.h"

static const uint8_t frame[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06 };

static void header_round_trips(void)
{
	uint8_t out[ETH_HDR_LEN];
	struct eth h;

	check(eth_parse(&h, frame, sizeof(frame)));
	check(h.type == ETH_ARP && h.dst[0] == 0xff && h.src[0] == 2 && h.src[5] == 1);
	check_eq(eth_emit(&h, out), ETH_HDR_LEN);
	check_mem(out, frame, sizeof(frame));
}

static void short_frames_are_refused(void)
{
	struct eth h;

	for (size_t len = 0; len < ETH_HDR_LEN; len++)
		check(!eth_parse(&h, frame, len));
}

static const struct test tests[] = {
	TEST(header_round_trips),
	TEST(short_frames_are_refused),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
