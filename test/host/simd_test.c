/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simd_test.c - the vector sums against the portable ones: all lengths, alignments, contents.
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../host/simd/simd.h"

static uint8_t bytes[70000], copy[70000];

static void fill(unsigned how)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = how == 0 ? 0xff : how == 1 ? 0 : (uint8_t)(x >> 24);
	}
}

static void compare(size_t at, size_t len)
{
	simd_sum_fn sum = simd_sum();
	simd_copy_sum_fn copy_sum = simd_copy_sum();
	uint16_t want = checksum_finish(checksum_add(bytes + at, len, 0x1234));

	test_at("%zu bytes at %zu", len, at);
	check_eq(checksum_finish(sum(bytes + at, len, 0x1234)), want);
	memset(copy, 0xcc, len + 1);
	check_eq(checksum_finish(copy_sum(copy, bytes + at, len, 0x1234)), want);
	check(memcmp(copy, bytes + at, len) == 0);
	check_eq(copy[len], 0xcc);
}

static void agrees_with_the_portable_sum(void)
{
	if (!simd_sum()) {
		check(!simd_copy_sum()); /* nothing to compare on this processor */
		return;
	}
	for (unsigned how = 0; how < 3; how++) {
		fill(how);
		for (size_t len = 0; len <= 300; len++)
			for (size_t at = 0; at < 5; at++)
				compare(at, len);
		compare(1, 65535);
		compare(0, 69999);
	}
}

static const struct test tests[] = { TEST(agrees_with_the_portable_sum) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
