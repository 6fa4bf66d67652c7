/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum_test.c - core/wire/checksum.c against a loop over 16-bit words (SEC-83): every length to
 * 2048, alignment, split and chain, and both zeroes of ones'-complement arithmetic.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/base/pkt.h"
#include "../../core/wire/wire.h"
#include "test.h"

enum { LEN_MAX = 2048, ALIGNMENTS = 8 };

static uint16_t plain_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static uint16_t folded(uint32_t sum)
{
	return (uint16_t)~checksum_finish(sum);
}

static void fill(uint8_t *p, size_t len, uint8_t seed)
{
	uint8_t key[32] = { seed };
	struct rand r;

	rand_init(&r, key, len);
	rand_bytes(&r, p, len);
}

static void every_length_and_alignment(void)
{
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t at = 0; at < ALIGNMENTS; at++) { /* blocks end where the bytes end */
			uint8_t *block = malloc(at + len), *copy = malloc(at + len),
				*p = block + at;

			test_at("length %zu, alignment %zu", len, at);
			fill(p, len, (uint8_t)at);
			check_eq(folded(checksum_add(p, len, 0)), plain_sum(p, len, 0));
			check_eq(folded(checksum_add(p, len, 0xfffffffe)),
				 plain_sum(p, len, 0xfffe));
			check_eq(folded(checksum_copy_add(copy + at, p, len, 0x12345)),
				 plain_sum(p, len, 0x2346));
			check_mem(copy + at, p, len);
			free(block);
			free(copy);
		}
	}
}

static void every_split(void)
{
	uint8_t p[130];

	for (size_t len = 0; len <= sizeof(p); len++) {
		fill(p, len, 2);
		for (size_t at = 0; at <= len; at++) {
			uint32_t sum = checksum_add(p, at, 77);
			uint32_t rest = checksum_add(p + at, len - at, 0);

			test_at("length %zu, split at %zu", len, at);
			sum = sum_add_piece(sum, rest, at % 2);
			check_eq(folded(sum), plain_sum(p, len, 77));
		}
	}
}

/* A packet in pieces, as it lies in spans: each begins where the last one ended, odd or even. */
static void chains_of_pieces(void)
{
	static const uint8_t seed[32] = { 6 };
	uint8_t p[LEN_MAX];
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned round = 0; round < 3000; round++) {
		size_t len = rand_below(&r, sizeof(p) + 1), piece_max = 1 + rand_below(&r, 400),
		       piece;
		uint32_t sum = 5;

		test_at("round %u, length %zu", round, len);
		rand_bytes(&r, p, len);
		if (round % 3 == 0)
			memset(p, 0xff, len);
		for (size_t at = 0; at < len; at += piece) {
			piece = 1 + rand_below(&r, piece_max);
			piece = MIN(piece, len - at);
			sum = sum_add_piece(sum, checksum_add(p + at, piece, 0), at & 1);
		}
		check_eq(folded(sum), plain_sum(p, len, 5));
	}
}

/* Ones'-complement has two zeroes: only bytes that are all 0 may sum to +0. */
static void zero_and_all_ones(void)
{
	static uint8_t zeroes[100], ones[100];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len <= sizeof(ones); len++) {
		check_eq(checksum_finish(checksum_add(zeroes, len, 0)), 0xffff);
		if (len >= 2 && len % 2 == 0)
			check_eq(checksum_finish(checksum_add(ones, len, 0)), 0);
	}
}

static void large_blocks_do_not_overflow(void)
{
	size_t len = 1 << 22;
	uint8_t *p = malloc(len);

	memset(p, 0xff, len);
	check_eq(folded(checksum_add(p, len, 0xffffffff)), 0xffff);
	p[5] = 0xfe;
	check_eq(folded(checksum_add(p, len, 0)), plain_sum(p, len, 0));
	free(p);
}

/* The example of RFC 1071 section 3. */
static void published_example(void)
{
	static const uint8_t p[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	check_eq(folded(checksum_add(p, sizeof(p), 0)), 0xddf2);
}

static void pseudo_headers(void)
{
	static const uint8_t a4[4] = { 192, 0, 2, 1 }, b4[4] = { 198, 51, 100, 7 };
	uint8_t a6[16], b6[16], flat[40];
	struct addr a, b;

	memset(flat, 0, sizeof(flat));
	memcpy(flat, a4, 4);
	memcpy(flat + 4, b4, 4);
	flat[9] = 6;
	put_be16(flat + 10, 1234);
	a = addr_from4(a4);
	b = addr_from4(b4);
	check_eq(folded(checksum_pseudo(&a, &b, 6, 1234)), plain_sum(flat, 12, 0));

	fill(a6, 16, 3);
	fill(b6, 16, 4);
	memset(flat, 0, sizeof(flat));
	memcpy(flat, a6, 16);
	memcpy(flat + 16, b6, 16);
	put_be32(flat + 32, 70000);
	flat[39] = 58;
	a = addr_from6(a6);
	b = addr_from6(b6);
	check_eq(folded(checksum_pseudo(&a, &b, 58, 70000)), plain_sum(flat, 40, 0));
}

/* RFC 1624: also where the words or the sum are one of the two zeroes. */
static void update_equals_recomputation(void)
{
	static const uint16_t words[] = { 0, 1, 0x00ff, 0x1234, 0x7fff, 0x8000, 0xfffe, 0xffff };

	uint8_t p[20];

	for (unsigned round = 0; round < 3; round++) {
		fill(p, sizeof(p), 5);
		if (round < 2)
			memset(p, round ? 0xff : 0, sizeof(p));
		p[0] = 0x45; /* as in a header, never all zeroes */
		for (unsigned i = 0; i < N_TESTS(words); i++) {
			uint16_t before, after;

			put_be16(p + 8, words[i]);
			before = checksum_finish(checksum_add(p, sizeof(p), 0));
			for (uint32_t to = 0; to < 65536; to++) {
				put_be16(p + 8, to);
				after = checksum_finish(checksum_add(p, sizeof(p), 0));
				if (checksum_update16(before, words[i], (uint16_t)to) != after)
					test_fail(__FILE__, __LINE__, "round %u: %04x to %04x",
						  round, words[i], to);
			}
		}
	}
	check_eq(checksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000); /* RFC 1624 section 4 */
}

static const struct test tests[] = {
	TEST(every_length_and_alignment),
	TEST(every_split),
	TEST(chains_of_pieces),
	TEST(zero_and_all_ones),
	TEST(large_blocks_do_not_overflow),
	TEST(published_example),
	TEST(pseudo_headers),
	TEST(update_equals_recomputation),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
