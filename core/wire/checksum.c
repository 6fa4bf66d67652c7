/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.c - the internet checksum.
 *
 * A ones'-complement sum does not care in which byte order its words are read, as long as the
 * folded result is swapped in the end; nor how wide the words are. So the loop adds native words of
 * 32 bits into 64-bit accumulators, which cannot overflow below 2^32 words, and the result becomes
 * a sum of big-endian 16-bit words only after folding.
 *
 * Sources: RFC 1071 (2: properties), RFC 1624 (3: update), RFC 9293 3.1 and RFC 8200 8.1
 * (pseudo-headers).
 */
#include "wire.h"

enum { BLOCK_LEN = 32 };

static uint32_t add_with_carry(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

static uint32_t fold16(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t swap16(uint32_t v)
{
	return (v & 0xff) << 8 | v >> 8;
}

/* The value in memory order, as a big-endian reader sees it. */
static uint32_t from_native(uint32_t v)
{
	const uint16_t one = 1;
	uint8_t low;

	memcpy(&low, &one, 1);
	return low ? swap16(v) : v;
}

static uint64_t halves(uint64_t v)
{
	return (v & 0xffffffff) + (v >> 32);
}

/* The last bytes, fewer than a block. */
static uint64_t add_tail(const uint8_t *p, size_t len, uint64_t acc)
{
	uint32_t word;
	uint16_t half;

	for (; len >= 4; len -= 4, p += 4) {
		memcpy(&word, p, 4);
		acc += word;
	}
	if (len & 2) {
		memcpy(&half, p, 2);
		acc += half;
		p += 2;
	}
	if (len & 1) {
		const uint8_t last[2] = { *p, 0 };

		memcpy(&half, last, 2);
		acc += half;
	}
	return acc;
}

uint32_t checksum_add(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t acc0 = 0, acc1 = 0, block[BLOCK_LEN / 8];

	for (; len >= BLOCK_LEN; len -= BLOCK_LEN, p += BLOCK_LEN) {
		memcpy(block, p, BLOCK_LEN);
		acc0 += halves(block[0]) + halves(block[1]);
		acc1 += halves(block[2]) + halves(block[3]);
	}
	return add_with_carry(sum, from_native(fold16(add_tail(p, len, acc0 + acc1))));
}

uint32_t checksum_copy_add(void *dst, const void *src, size_t len, uint32_t sum)
{
	const uint8_t *p = src;
	uint8_t *to = dst;
	uint64_t acc0 = 0, acc1 = 0, block[BLOCK_LEN / 8];

	for (; len >= BLOCK_LEN; len -= BLOCK_LEN, p += BLOCK_LEN, to += BLOCK_LEN) {
		memcpy(block, p, BLOCK_LEN);
		memcpy(to, block, BLOCK_LEN);
		acc0 += halves(block[0]) + halves(block[1]);
		acc1 += halves(block[2]) + halves(block[3]);
	}
	memcpy(to, p, len);
	return add_with_carry(sum, from_native(fold16(add_tail(p, len, acc0 + acc1))));
}

uint16_t checksum_finish(uint32_t sum)
{
	return (uint16_t)~fold16(sum);
}

uint32_t checksum_add_odd(uint32_t sum, uint32_t piece)
{
	return add_with_carry(sum, swap16(fold16(piece)));
}

static uint32_t add_words(const uint8_t *p, unsigned n, uint32_t sum)
{
	for (unsigned i = 0; i < n; i++)
		sum += get_be16(p + 2 * i);
	return sum;
}

uint32_t checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
			 uint32_t len)
{
	uint32_t sum = (len & 0xffff) + (len >> 16) + proto;

	if (addr_is4(src))
		return add_words(src->b + 12, 2, add_words(dst->b + 12, 2, sum));
	return add_words(src->b, 8, add_words(dst->b, 8, sum));
}

uint16_t checksum_update16(uint16_t check, uint16_t old, uint16_t new)
{
	return (uint16_t)~fold16((uint64_t)(uint16_t)~check + (uint16_t)~old + new);
}
