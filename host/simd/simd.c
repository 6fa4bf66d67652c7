/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simd.c - the ones'-complement sum with AVX2, 32 bytes at a time; what is shorter by words.
 *
 * A ones'-complement sum may be taken over 32-bit words. A vector is four lanes of two such words;
 * it is added whole to `all`, which overflows, and its upper words alone to `high`, which do not:
 * all - (high << 32) is then the sum of the lower words. Words are summed in the machine's order;
 * the sum is byte-swapped at the end (RFC 1071 section 2 (B)).
 */
#include "simd.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Adds with the carry brought round. */
static inline uint32_t add32(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

/* The sum in the machine's order -> added to `sum` as big-endian words, two in each 32 bits. */
static inline uint32_t finish(uint64_t machine, uint32_t sum)
{
	return add32(sum, __builtin_bswap32(add32((uint32_t)machine, (uint32_t)(machine >> 32))));
}

/* Up to 31 bytes; copy: also to q. */
static inline uint64_t sum_tail(uint8_t *q, const uint8_t *p, size_t len, bool copy)
{
	uint64_t sum = 0, d[2];
	uint32_t w;
	uint16_t h;

	if (len & 16) {
		memcpy(d, p, 16);
		sum = (d[0] & 0xffffffff) + (d[0] >> 32) + (d[1] & 0xffffffff) + (d[1] >> 32);
		if (copy)
			memcpy(q, d, 16);
	}
	if (len & 8) {
		memcpy(d, p + (len & 16), 8);
		sum += (d[0] & 0xffffffff) + (d[0] >> 32);
		if (copy)
			memcpy(q + (len & 16), d, 8);
	}
	if (len & 4) {
		memcpy(&w, p + (len & 24), 4);
		sum += w;
		if (copy)
			memcpy(q + (len & 24), &w, 4);
	}
	if (len & 2) {
		memcpy(&h, p + (len & 28), 2);
		sum += h;
		if (copy)
			memcpy(q + (len & 28), &h, 2);
	}
	if (len & 1) {
		sum += p[len - 1];
		if (copy)
			q[len - 1] = p[len - 1];
	}
	return sum;
}

struct lanes {
	__m256i all, high;
};

/* The eight words in one sum. */
__attribute__((target("avx2"))) static inline uint64_t reduce(const struct lanes *s)
{
	__m256i low = _mm256_sub_epi64(s->all, _mm256_slli_epi64(s->high, 32));
	__m256i wide = _mm256_add_epi64(low, s->high);
	__m128i half =
		_mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));

	return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
}

__attribute__((target("avx2"))) static inline void add_vector(struct lanes *s, uint8_t *q,
							      const uint8_t *p, size_t at,
							      bool copy)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(p + at));

	if (copy)
		_mm256_storeu_si256((__m256i *)(q + at), v);
	s->all = _mm256_add_epi64(s->all, v);
	s->high = _mm256_add_epi64(s->high, _mm256_srli_epi64(v, 32));
}

/* copy: also to q. Each user has a copy of its own of the function. */
__attribute__((target("avx2"), always_inline)) static inline uint32_t sum_all(
	uint8_t *q, const uint8_t *p, size_t len, uint32_t sum, bool copy)
{
	struct lanes s = { _mm256_setzero_si256(), _mm256_setzero_si256() };
	size_t i = 0;

	if (len < 32)
		return finish(sum_tail(q, p, len, copy), sum);
	for (; i < (len & ~(size_t)127); i += 128) {
		add_vector(&s, q, p, i, copy);
		add_vector(&s, q, p, i + 32, copy);
		add_vector(&s, q, p, i + 64, copy);
		add_vector(&s, q, p, i + 96, copy);
	}
	for (; i < (len & ~(size_t)31); i += 32)
		add_vector(&s, q, p, i, copy);
	return finish(reduce(&s) + sum_tail(copy ? q + i : q, p + i, len - i, copy), sum);
}

__attribute__((target("avx2"))) static uint32_t sum_avx2(const void *data, size_t len, uint32_t sum)
{
	return sum_all(NULL, data, len, sum, false);
}

__attribute__((target("avx2"))) static uint32_t copy_sum_avx2(void *to, const void *from,
							      size_t len, uint32_t sum)
{
	return sum_all(to, from, len, sum, true);
}

simd_sum_fn simd_sum(void)
{
	return __builtin_cpu_supports("avx2") ? sum_avx2 : NULL;
}

simd_copy_sum_fn simd_copy_sum(void)
{
	return __builtin_cpu_supports("avx2") ? copy_sum_avx2 : NULL;
}

#else

simd_sum_fn simd_sum(void)
{
	return NULL;
}

simd_copy_sum_fn simd_copy_sum(void)
{
	return NULL;
}

#endif
