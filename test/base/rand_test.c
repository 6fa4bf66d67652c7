/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rand_test.c - core/base/rand.c against published vectors, and what the stream promises.
 *
 * Vectors: the SipHash authors' reference (key 00..0f, message 00..n-1); ChaCha8 with a 256-bit key
 * of zeroes from draft-strombergson-chacha-test-vectors, test 1.
 */
#include "../../core/base/rand.h"
#include "test.h"

static const struct sip_key counting_key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

static const uint64_t sip24[] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
	0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
	0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
};

static const uint64_t sip13[] = {
	0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d,
	0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
	0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e,
};

static void siphash_agrees_with_its_vectors(void)
{
	uint8_t message[16];

	for (unsigned i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (unsigned i = 0; i < N_TESTS(sip24); i++) {
		test_at("length %u", i);
		check(siphash24(&counting_key, message, i) == sip24[i]);
		check(siphash13(&counting_key, message, i) == sip13[i]);
	}
	check(siphash24(&counting_key, message, 15) == 0xa129ca6149be45e5);
	for (unsigned i = 0; i < 16; i++) /* message is 0, 1, 2, ... */
		check(message[i] == i);
	check(siphash24_of_two(&counting_key, 0x0706050403020100, 0x0f0e0d0c0b0a0908) ==
	      siphash24(&counting_key, message, 16));
	check(siphash13_of_two(&counting_key, 0x0706050403020100, 0x0f0e0d0c0b0a0908) ==
	      siphash13(&counting_key, message, 16));
}

static const uint8_t chacha8_zero_key[128] = {
	0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5,
	0xa1, 0x2c, 0x84, 0x0e, 0xc3, 0xce, 0x9a, 0x7f, 0x3b, 0x18, 0x1b, 0xe1, 0x88, 0xef, 0x71,
	0x1a, 0x1e, 0x98, 0x4c, 0xe1, 0x72, 0xb9, 0x21, 0x6f, 0x41, 0x9f, 0x44, 0x53, 0x67, 0x45,
	0x6d, 0x56, 0x19, 0x31, 0x4a, 0x42, 0xa3, 0xda, 0x86, 0xb0, 0x01, 0x38, 0x7b, 0xfd, 0xb8,
	0x0e, 0x0c, 0xfe, 0x42, 0xd2, 0xae, 0xfa, 0x0d, 0xea, 0xa5, 0xc1, 0x51, 0xbf, 0x0a, 0xdb,
	0x6c, 0x01, 0xf2, 0xa5, 0xad, 0xc0, 0xfd, 0x58, 0x12, 0x59, 0xf9, 0xa2, 0xaa, 0xdc, 0xf2,
	0x0f, 0x8f, 0xd5, 0x66, 0xa2, 0x6b, 0x50, 0x32, 0xec, 0x38, 0xbb, 0xc5, 0xda, 0x98, 0xee,
	0x0c, 0x6f, 0x56, 0x8b, 0x87, 0x2a, 0x65, 0xa0, 0x8a, 0xbf, 0x25, 0x1d, 0xeb, 0x21, 0xbb,
	0x4b, 0x56, 0xe5, 0xd8, 0x82, 0x1e, 0x68, 0xaa,
};

static void stream_is_chacha8(void)
{
	struct rand r;
	uint8_t out[128];

	memset(&r, 0, sizeof(r));
	r.used = sizeof(r.block);
	rand_bytes(&r, out, sizeof(out));
	check_mem(out, chacha8_zero_key, sizeof(out));
}

static void same_seed_same_numbers(void)
{
	static const uint8_t seed[32] = { 1, 2, 3 };
	struct rand a, b, c;
	unsigned n_same = 0;

	rand_init(&a, seed, 5);
	rand_init(&b, seed, 5);
	rand_init(&c, seed, 6);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t v = rand_u64(&a);

		check(v == rand_u64(&b));
		n_same += v == rand_u64(&c);
	}
	check_eq(n_same, 0);
}

static void below_stays_below_and_reaches_all(void)
{
	static const uint8_t seed[32] = { 9 };
	static const uint64_t limits[] = {
		1, 2, 3, 7, 8, 1000, (uint64_t)1 << 32, ((uint64_t)1 << 32) + 1, UINT64_MAX,
	};
	unsigned seen[7] = { 0 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < N_TESTS(limits); i++)
		for (unsigned j = 0; j < 1000; j++)
			check(rand_below(&r, limits[i]) < limits[i]);
	for (unsigned i = 0; i < 70000; i++)
		seen[rand_below(&r, 7)]++;
	for (unsigned i = 0; i < 7; i++)
		check(seen[i] > 9500 && seen[i] < 10500);
}

static void bytes_of_any_length_are_filled(void)
{
	static const uint8_t seed[32] = { 4 };
	uint8_t out[300];
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned len = 0; len < sizeof(out); len++) {
		unsigned n_zero = 0;

		memset(out, 0, sizeof(out));
		rand_bytes(&r, out, len);
		for (unsigned i = 0; i < len; i++)
			n_zero += out[i] == 0;
		check(n_zero <= 1 + len / 20);
		for (unsigned i = len; i < sizeof(out); i++)
			check_eq(out[i], 0);
	}
}

static const struct test tests[] = {
	TEST(siphash_agrees_with_its_vectors), TEST(stream_is_chacha8),
	TEST(same_seed_same_numbers),	       TEST(below_stays_below_and_reaches_all),
	TEST(bytes_of_any_length_are_filled),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
