/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rand.c - SipHash and a ChaCha8 stream.
 *
 * The key of a stream is half a ChaCha block made from the seed with the stream's number as its
 * nonce, so that streams of one seed are independent; the nonce of the stream itself is 0. Bytes
 * are defined little-endian and so are the same on every machine.
 *
 * Sources: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; Bernstein, "ChaCha, a variant
 * of Salsa20" (64-bit counter, 64-bit nonce).
 */
#include "rand.h"

enum { CHACHA_ROUNDS = 8, BLOCK_LEN = 64 };

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint64_t rotate64(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static uint32_t rotate32(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static inline void mix_sip(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate64(v[1], 13) ^ v[0];
		v[3] = rotate64(v[3], 16) ^ v[2];
		v[0] = rotate64(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate64(v[1], 17) ^ v[2];
		v[3] = rotate64(v[3], 21) ^ v[0];
		v[2] = rotate64(v[2], 32);
	}
}

static inline void start_sip(uint64_t v[4], const struct sip_key *key)
{
	v[0] = key->k0 ^ 0x736f6d6570736575;
	v[1] = key->k1 ^ 0x646f72616e646f6d;
	v[2] = key->k0 ^ 0x6c7967656e657261;
	v[3] = key->k1 ^ 0x7465646279746573;
}

static inline void add_word_sip(uint64_t v[4], uint64_t word, unsigned rounds)
{
	v[3] ^= word;
	mix_sip(v, rounds);
	v[0] ^= word;
}

static inline uint64_t finish_sip(uint64_t v[4], unsigned rounds)
{
	v[2] ^= 0xff;
	mix_sip(v, rounds);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint64_t hash_sip(const struct sip_key *key, const void *data, size_t len,
				unsigned rounds, unsigned last_rounds)
{
	const uint8_t *p = data;
	uint64_t last = (uint64_t)len << 56, v[4];

	start_sip(v, key);
	for (; len >= 8; len -= 8, p += 8)
		add_word_sip(v, get_le64(p), rounds);
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)p[i] << 8 * i;
	add_word_sip(v, last, rounds);
	return finish_sip(v, last_rounds);
}

static inline uint64_t hash_two(const struct sip_key *key, uint64_t a, uint64_t b, unsigned rounds,
				unsigned last_rounds)
{
	uint64_t v[4];

	start_sip(v, key);
	add_word_sip(v, a, rounds);
	add_word_sip(v, b, rounds);
	add_word_sip(v, (uint64_t)16 << 56, rounds);
	return finish_sip(v, last_rounds);
}

uint64_t siphash24_of_two(const struct sip_key *key, uint64_t a, uint64_t b)
{
	return hash_two(key, a, b, 2, 4);
}

uint64_t siphash13_of_two(const struct sip_key *key, uint64_t a, uint64_t b)
{
	return hash_two(key, a, b, 1, 3);
}

uint64_t siphash24(const struct sip_key *key, const void *data, size_t len)
{
	return hash_sip(key, data, len, 2, 4);
}

uint64_t siphash13(const struct sip_key *key, const void *data, size_t len)
{
	return hash_sip(key, data, len, 1, 3);
}

static inline void mix_quarter(uint32_t x[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate32(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate32(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate32(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate32(x[b] ^ x[c], 7);
}

static void make_block(uint8_t out[BLOCK_LEN], const uint32_t key[8], uint64_t counter,
		       uint64_t nonce)
{
	uint32_t in[16] = {
		0x61707865,
		0x3320646e,
		0x79622d32,
		0x6b206574,
		[12] = (uint32_t)counter,
		[13] = (uint32_t)(counter >> 32),
		[14] = (uint32_t)nonce,
		[15] = (uint32_t)(nonce >> 32),
	};
	uint32_t x[16];

	memcpy(in + 4, key, 32);
	memcpy(x, in, sizeof(x));
	for (unsigned i = 0; i < CHACHA_ROUNDS / 2; i++) {
		for (unsigned j = 0; j < 4; j++)
			mix_quarter(x, j, 4 + j, 8 + j, 12 + j);
		for (unsigned j = 0; j < 4; j++)
			mix_quarter(x, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
	}
	for (unsigned i = 0; i < 16; i++)
		put_le32(out + 4 * i, x[i] + in[i]);
}

void rand_init(struct rand *r, const uint8_t seed[32], uint64_t stream)
{
	uint32_t seed_key[8];

	for (unsigned i = 0; i < 8; i++)
		seed_key[i] = get_le32(seed + 4 * i);
	make_block(r->block, seed_key, 0, stream);
	for (unsigned i = 0; i < 8; i++)
		r->key[i] = get_le32(r->block + 4 * i);
	r->counter = 0;
	r->used = BLOCK_LEN;
}

void rand_seed_of(uint8_t seed[32], uint64_t number)
{
	memset(seed, 0, 32);
	put_le32(seed, (uint32_t)number);
	put_le32(seed + 4, (uint32_t)(number >> 32));
}

/* n bytes of the block that nobody has had, n <= BLOCK_LEN; a rest too short is skipped. */
static const uint8_t *take_bytes(struct rand *r, uint32_t n)
{
	if (r->used + n > BLOCK_LEN) {
		make_block(r->block, r->key, r->counter++, 0);
		r->used = 0;
	}
	r->used += n;
	return r->block + r->used - n;
}

uint32_t rand_u32(struct rand *r)
{
	return get_le32(take_bytes(r, 4));
}

uint64_t rand_u64(struct rand *r)
{
	return get_le64(take_bytes(r, 8));
}

/* Draws as many bits as n - 1 has, again while they are too large: less than twice on average. */
uint64_t rand_below(struct rand *r, uint64_t n)
{
	uint64_t mask = n - 1, v;

	assert(n > 0);
	for (unsigned shift = 1; shift < 64; shift *= 2)
		mask |= mask >> shift;
	do {
		v = mask >> 32 ? rand_u64(r) : rand_u32(r);
		v &= mask;
	} while (v >= n);
	return v;
}

void rand_bytes(struct rand *r, void *dst, size_t len)
{
	uint8_t *p = dst;

	while (len > 0) {
		uint32_t n = (uint32_t)MIN(len, BLOCK_LEN);

		memcpy(p, take_bytes(r, n), n);
		p += n;
		len -= n;
	}
}

struct sip_key rand_sip_key(struct rand *r)
{
	const uint8_t *p = take_bytes(r, 16);

	return (struct sip_key){ get_le64(p), get_le64(p + 8) };
}
