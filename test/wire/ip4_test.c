/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4_test.c - IPv4 in core/wire/wire.h: round trips, every header length against every slice.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"
#include "test.h"

/* A header of hdr_len bytes with random contents, correct in itself. */
static void make(struct rand *r, uint8_t *p, unsigned hdr_len, unsigned total_len)
{
	rand_bytes(r, p, hdr_len);
	p[0] = (uint8_t)(0x40 | hdr_len / 4);
	put_be16(p + 2, total_len);
	p[6] &= 0x7f; /* the reserved flag is not kept */
	put_be16(p + 10, 0);
	put_be16(p + 10, checksum_finish(checksum_add(p, hdr_len, 0)));
}

static void random_headers_round_trip(void)
{
	static const uint8_t seed[32] = { 1 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned hdr_len = 20 + 4 * (i % 11);
		uint8_t *p = malloc(hdr_len), out[60];
		struct ip4 h = { 0 };

		make(&r, p, hdr_len, hdr_len);
		check_eq(ip4_parse(&h, p, hdr_len), IP4_OK);
		memset(out, 0xee, sizeof(out));
		check_eq(ip4_emit(&h, out), hdr_len);
		check_mem(out, p, hdr_len);
		free(p);
	}
}

static void fields_are_read(void)
{
	static const uint8_t p[] = {
		0x45, 0xb8, 0,	 28, 0x12, 0x34, 0x60, 0x02, 64,  17,
		0,    0,    192, 0,  2,	   1,	 198,  51,   100, 2,
	};
	struct ip4 h = { 0 };

	check(ip4_parse_quoted(&h, p, sizeof(p)));
	check(h.tos == 0xb8 && h.total_len == 28 && h.id == 0x1234 && h.df && h.mf);
	check(h.frag_off == 16 && h.ttl == 64 && h.proto == 17 && h.hdr_len == 20 && !h.options);
	check(h.src.b[12] == 192 && h.dst.b[15] == 2 && addr_is4(&h.src));
}

static void lengths_are_checked(void)
{
	static const uint8_t seed[32] = { 2 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		for (unsigned total = 0; total <= 70; total += 5) {
			for (size_t len = 0; len <= 70; len++) {
				uint8_t *p = malloc(len), full[70];
				bool quoted_ok = ihl >= 5 && ihl * 4 <= len;
				struct ip4 h = { 0 };

				make(&r, full, MAX(ihl, 5) * 4, total);
				full[0] = (uint8_t)(0x40 | ihl);
				memcpy(p, full, len);
				test_at("ihl %u, total %u, length %zu", ihl, total, len);
				check_eq(ip4_parse_quoted(&h, p, len), quoted_ok);
				check_eq(ip4_parse(&h, p, len) == IP4_OK,
					 quoted_ok && total >= ihl * 4 && total <= len);
				free(p);
			}
		}
	}
}

static void every_flipped_bit_is_noticed(void)
{
	static const uint8_t seed[32] = { 3 };
	struct rand r;
	uint8_t p[24];
	struct ip4 h = { 0 };

	rand_init(&r, seed, 0);
	make(&r, p, 24, 24);
	for (unsigned bit = 0; bit < 24 * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check(ip4_parse(&h, p, sizeof(p)) != IP4_OK);
		if (bit / 8 > 3)
			check_eq(ip4_parse(&h, p, sizeof(p)), IP4_BAD_CHECKSUM);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	check_eq(ip4_parse(&h, p, sizeof(p)), IP4_OK);
}

static const struct test tests[] = {
	TEST(random_headers_round_trip),
	TEST(fields_are_read),
	TEST(lengths_are_checked),
	TEST(every_flipped_bit_is_noticed),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
