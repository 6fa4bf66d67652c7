/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simd.c - the ones'-complement sum, 64 bytes at a time, with AVX2; what is shorter by words.
 *
 * Sixteen-bit words are widened to 32-bit lanes: the even words by a mask, the odd ones by a shift,
 * so that no carry is lost for 65536 blocks. Words are summed in the machine's order; the folded
 * sum is byte-swapped at the end (RFC 1071 section 2 (B)).
 */
#include "simd.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint32_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

/* The folded sum in the machine's order -> added to `sum` as big-endian words. */
static inline uint32_t finish(uint64_t machine, uint32_t sum)
{
	uint32_t f = fold(machine);
	uint64_t total = (uint64_t)sum + (((f & 0xff) << 8) | (f >> 8));

	return (uint32_t)((total & 0xffffffff) + (total >> 32));
}

static inline uint64_t sum_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0, d;
	uint32_t w;
	uint16_t h;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&d, p, 8);
		sum += (d & 0xffffffff) + (d >> 32);
	}
	if (len >= 4) {
		memcpy(&w, p, 4);
		sum += w;
		p += 4;
		len -= 4;
	}
	if (len >= 2) {
		memcpy(&h, p, 2);
		sum += h;
		p += 2;
		len -= 2;
	}
	return len ? sum + *p : sum;
}

/* The eight lanes in one sum. */
__attribute__((target("avx2"))) static inline uint64_t reduce(__m256i v)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i wide = _mm256_add_epi64(_mm256_and_si256(v, low), _mm256_srli_epi64(v, 32));
	__m128i half =
		_mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));

	return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
}

__attribute__((target("avx2"))) static inline __m256i add_words(__m256i acc, __m256i v)
{
	const __m256i low = _mm256_set1_epi32(0xffff);

	acc = _mm256_add_epi32(acc, _mm256_and_si256(v, low));
	return _mm256_add_epi32(acc, _mm256_srli_epi32(v, 16));
}

__attribute__((target("avx2"))) static uint32_t sum_avx2(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	__m256i a = _mm256_setzero_si256(), b = a;

	if (len < 64)
		return finish(sum_tail(p, len), sum);
	for (; len >= 64; p += 64, len -= 64) {
		a = add_words(a, _mm256_loadu_si256((const __m256i *)p));
		b = add_words(b, _mm256_loadu_si256((const __m256i *)(p + 32)));
	}
	return finish(reduce(a) + reduce(b) + sum_tail(p, len), sum);
}

__attribute__((target("avx2"))) static uint32_t copy_sum_avx2(void *to, const void *from,
							      size_t len, uint32_t sum)
{
	const uint8_t *p = from;
	uint8_t *q = to;
	__m256i a = _mm256_setzero_si256(), b = a;

	if (len < 64) {
		memcpy(to, from, len);
		return finish(sum_tail(p, len), sum);
	}
	for (; len >= 64; p += 64, q += 64, len -= 64) {
		__m256i v = _mm256_loadu_si256((const __m256i *)p);
		__m256i w = _mm256_loadu_si256((const __m256i *)(p + 32));

		_mm256_storeu_si256((__m256i *)q, v);
		_mm256_storeu_si256((__m256i *)(q + 32), w);
		a = add_words(a, v);
		b = add_words(b, w);
	}
	memcpy(q, p, len);
	return finish(reduce(a) + reduce(b) + sum_tail(p, len), sum);
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
