/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base.h - what every file of the core may lean on: fixed types, asserts, small arithmetic.
 *
 * An assert states what only a bug can break, never what a peer controls; it stays on in every
 * build and costs a compare. The four memory functions are the only ones the core asks of its
 * surroundings.
 */
#ifndef TERN_BASE_H
#define TERN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);

_Noreturn void tern_panic(const char *file, int line);

#define assert(cond) ((cond) ? (void)0 : tern_panic(__FILE__, __LINE__))

/*
 * What a packet seldom comes to: kept apart from what each one runs through, which so fits into the
 * processor's cache of instructions.
 */
#define COLD __attribute__((cold))

/* Frequent, but not on the shortest way: whoever takes that does not save registers for this. */
#define APART __attribute__((noinline))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Compilers know the answer, and write a number in one piece because of it. */
static inline bool lowest_byte_is_first(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first;
}

static inline uint32_t swap32(uint32_t v)
{
	return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static inline uint32_t be32(uint32_t v)
{
	return lowest_byte_is_first() ? swap32(v) : v;
}

/* For what is hashed by its bytes: the same on every machine. */
static inline uint32_t le32(uint32_t v)
{
	return lowest_byte_is_first() ? v : swap32(v);
}

/* What headers are long, in four pieces that overlap: without a loop. */
static inline void copy_headers(uint8_t *to, const uint8_t *from, uint32_t len)
{
	if (len < 32 || len > 64) {
		memcpy(to, from, len);
		return;
	}
	memcpy(to, from, 16);
	memcpy(to + 16, from + 16, 16);
	memcpy(to + len - 32, from + len - 32, 16);
	memcpy(to + len - 16, from + len - 16, 16);
}

static inline void put_be16(uint8_t *p, uint32_t v)
{
	uint16_t word = (uint16_t)(lowest_byte_is_first() ? (v >> 8 & 0xff) | v << 8 : v);

	memcpy(p, &word, 2);
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	uint32_t word = be32(v);

	memcpy(p, &word, 4);
}

#endif
