/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.c - the internet checksum.
 *
 * A ones'-complement sum does not care in which byte order its words are read, as long as the
 * folded result is swapped in the end; nor how wide the words are. So the loop adds 64-bit
 * little-endian words (a plain load on most machines) to two accumulators, counts the carries, and
 * makes a sum of big-endian 16-bit words of it only after folding.
 *
 * Sources: RFC 1071 (2: properties), RFC 1624 (3: update), RFC 9293 3.1 and RFC 8200 8.1
 * (pseudo-headers).
 */
#include "wire.h"

enum { STRIDE = 32 };

static uint32_t add_with_carry(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

static uint64_t fold32(uint64_t sum)
{
	return (sum & 0xffffffff) + (sum >> 32);
}

static uint32_t fold16(uint64_t sum)
{
	sum = fold32(fold32(sum));
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t swap16(uint32_t v)
{
	return (v & 0xff) << 8 | v >> 8;
}

static inline uint64_t load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t load64(const uint8_t *p)
{
	return load32(p) | load32(p + 4) << 32;
}

/* Adds a word to an accumulator; returns the carry. */
static inline uint64_t add_word(uint64_t *acc, uint64_t word)
{
	*acc += word;
	return *acc < word;
}

uint32_t checksum_add(const void *data, size_t len, uint32_t sum)
{
	uint64_t acc0 = 0, acc1 = 0, rest = 0;
	const uint8_t *p = data;

	for (; len >= STRIDE; len -= STRIDE, p += STRIDE) {
		rest += add_word(&acc0, load64(p));
		rest += add_word(&acc1, load64(p + 8));
		rest += add_word(&acc0, load64(p + 16));
		rest += add_word(&acc1, load64(p + 24));
	}
	for (; len >= 4; len -= 4, p += 4)
		rest += load32(p);
	if (len >= 2)
		rest += p[0] | (uint32_t)p[1] << 8;
	if (len & 1)
		rest += p[len - 1];
	return add_with_carry(sum, swap16(fold16(fold32(acc0) + fold32(acc1) + rest)));
}

/* The library's memcpy and a sum from the cache are faster than one portable loop for both. */
uint32_t checksum_copy_add(void *dst, const void *src, size_t len, uint32_t sum)
{
	memcpy(dst, src, len);
	return checksum_add(dst, len, sum);
}

uint32_t checksum_addresses(const struct addr *src, const struct addr *dst)
{
	if (addr_is4(src))
		return checksum_header(src->b + 12, 4) + checksum_header(dst->b + 12, 4);
	return checksum_header(src->b, 16) + checksum_header(dst->b, 16);
}

uint32_t checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
			 uint32_t len)
{
	return checksum_addresses(src, dst) + (len & 0xffff) + (len >> 16) + proto;
}

uint16_t checksum_update16(uint16_t check, uint16_t old, uint16_t new)
{
	return (uint16_t)~fold16((uint64_t)(uint16_t)~check + (uint16_t)~old + new);
}
