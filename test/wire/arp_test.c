/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp_test.c - core/wire/arp.c.
 */
#include "../../core/wire/wire.h"
#include "test.h"

static const uint8_t request[ARP_LEN] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9,
};

static void request_round_trips(void)
{
	uint8_t out[ARP_LEN];
	struct arp a;

	check(arp_parse(&a, request, sizeof(request)));
	check(a.op == ARP_REQUEST && a.sender_mac[5] == 1 && addr_is4(&a.sender));
	check(a.sender.b[15] == 1 && a.target.b[15] == 9);
	check_eq(arp_emit(&a, out), ARP_LEN);
	check_mem(out, request, sizeof(request));
}

static void every_other_kind_is_refused(void)
{
	struct arp a;

	for (size_t len = 0; len < ARP_LEN; len++)
		check(!arp_parse(&a, request, len));
	for (unsigned i = 0; i < 6; i++) { /* hardware, protocol, lengths */
		uint8_t p[ARP_LEN];

		memcpy(p, request, sizeof(p));
		p[i] ^= 1;
		check(!arp_parse(&a, p, sizeof(p)));
	}
}

static const struct test tests[] = {
	TEST(request_round_trips),
	TEST(every_other_kind_is_refused),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
