/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seq_test.c - core/base/seq.h: wire numbers become the nearest position.
 */
#include "../../core/base/seq.h"
#include "test.h"

static void nearest_position_is_chosen(void)
{
	static const struct {
		uint64_t near;
		uint32_t seq;
		uint64_t want;
	} cases[] = {
		{ 0x100000000, 0, 0x100000000 },
		{ 0x100000000, 0xffffffff, 0xffffffff }, /* just before the ISN */
		{ 0x1ffffffff, 0, 0x200000000 },	 /* over the wrap */
		{ 0x200000000, 0xfffffff0, 0x1fffffff0 },
		{ 0x512345678, 0x12345679, 0x512345679 },
		{ 0x500000000, 0x7fffffff, 0x57fffffff }, /* as far ahead as can be */
		{ 0x500000000, 0x80000000, 0x480000000 }, /* as far behind */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++)
		check(seq_unwrap(cases[i].seq, cases[i].near) == cases[i].want);
}

static void low_bits_are_the_wire_number(void)
{
	for (uint64_t near = seq_first(0xfffffff0); near < seq_first(0xfffffff0) + 64; near++)
		for (int d = -1000; d < 1000; d += 7)
			check(seq_unwrap((uint32_t)(near + (uint64_t)(int64_t)d), near) ==
			      near + (uint64_t)(int64_t)d);
	check(seq_first(7) == 0x100000007);
}

static const struct test tests[] = {
	TEST(nearest_position_is_chosen),
	TEST(low_bits_are_the_wire_number),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
