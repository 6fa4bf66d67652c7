/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rand.h - SipHash (keyed tables, ISNs, ports, cookies) and a random stream from one seed.
 *
 * SipHash-2-4 where an attacker sees the output, SipHash-1-3 for tables. The stream is ChaCha8
 * keyed by the seed (fast-key-erasure is the owner's matter: tern_reseed draws anew).
 */
#ifndef TERN_RAND_H
#define TERN_RAND_H

#include "base.h"

struct sip_key {
	uint64_t k0, k1;
};

uint64_t siphash24(const struct sip_key *, const void *, size_t);
uint64_t siphash13(const struct sip_key *, const void *, size_t);
/* The same of 16 bytes, given as two little-endian words. */
uint64_t siphash24_of_two(const struct sip_key *, uint64_t a, uint64_t b);
uint64_t siphash13_of_two(const struct sip_key *, uint64_t a, uint64_t b);

struct rand {
	uint32_t key[8];
	uint64_t counter;
	uint8_t block[64];
	uint32_t used; /* bytes of block handed out */
};

void rand_init(struct rand *, const uint8_t seed[32], uint64_t stream);
/* The seed that a number stands for, the same on every machine. */
void rand_seed_of(uint8_t seed[32], uint64_t number);
uint32_t rand_u32(struct rand *);
uint64_t rand_u64(struct rand *);
/* Uniform below n, n > 0, without bias. */
uint64_t rand_below(struct rand *, uint64_t n);
void rand_bytes(struct rand *, void *, size_t);
struct sip_key rand_sip_key(struct rand *);

#endif
