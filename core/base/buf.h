/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h - a byte stream held in reference-counted chunks, addressed by 64-bit position.
 *
 * Theory. A buffer holds the bytes at positions [head, ...) of a stream. `head` is the oldest
 * position still wanted. Bytes live in chunks: the first chunk of a fresh buffer is 4 KiB, the
 * next three 16 KiB, later ones 64 KiB, so that a position is found without a search. A lone chunk
 * stands in the struct, several in a directory that grows; bytes never move. Data that arrives
 * early allocates only the chunks it lands in. When the buffer becomes empty (head reaches `end`)
 * all chunks go, the directory too, and the next chunk is a small one again.
 *
 * A chunk is counted: the buffer holds one reference, each span of a packet in flight another.
 * Dropping bytes only unlinks a chunk; whoever holds the last reference returns it to the mem.
 *
 * Invariants. head <= end; no chunk lies wholly below head or at or above end.
 */
#ifndef TERN_BUF_H
#define TERN_BUF_H

#include "mem.h"

/* The bytes follow, from the next multiple of CHUNK_ALIGN on. */
struct chunk {
	uint32_t refs;
	uint32_t size; /* 4, 16 or 64 KiB */
};
/*
 * A line of the cache: some processors copy long pieces by one instruction, which is two to thirty
 * times slower where the destination lies at an odd address.
 */
enum { CHUNK_ALIGN = 64, CHUNK_FIRST_SIZE = 4096 };
/* So many bytes lie in two chunks at most: those behind the first are so large. */
enum { BUF_TWO_CHUNKS = 4 * CHUNK_FIRST_SIZE };
/* Which kind of mem's pieces a chunk of a size is. */
static inline unsigned chunk_piece(uint32_t size)
{
	return size == CHUNK_FIRST_SIZE ? 0 : size == 4 * CHUNK_FIRST_SIZE ? 1 : 2;
}
static inline uint32_t chunk_cost(uint32_t size)
{
	return sizeof(struct chunk) + CHUNK_ALIGN - 1 + size;
}
static inline uint8_t *chunk_bytes(struct chunk *c)
{
	uintptr_t from = (uintptr_t)(c + 1) + CHUNK_ALIGN - 1;

	return (uint8_t *)(from & ~(uintptr_t)(CHUNK_ALIGN - 1));
}

struct buf_span {
	uint8_t *ptr;
	uint32_t len;
	struct chunk *chunk; /* whose bytes they are; not counted until buf_pin */
};

struct buf {
	union {
		struct chunk **dir; /* dir_cap > 0 */
		struct chunk *only; /* dir_cap == 0 and n_chunks == 1 */
	};
	uint64_t head;
	uint64_t end;	   /* one past the last position ever written (or reserved) */
	uint16_t head_off; /* where head is in the first chunk */
	uint16_t n_chunks; /* from the first on, holes too; 0: empty */
	uint16_t dir_cap;
	uint8_t grade; /* of the first chunk: 0: 4 KiB, 1 to 3: 16 KiB, 4: 64 KiB */
};

void buf_init(struct buf *, uint64_t pos);
void buf_fini(struct buf *, struct mem *);

/*
 * Makes room for [pos, pos + len), pos >= head, and writes up to max spans of it to out in order,
 * beginning at pos; end becomes at least the end of what they cover. Returns how many spans; fewer
 * bytes than len when memory or spans run out (0: none at all).
 */
int buf_reserve(struct buf *, struct mem *, uint64_t pos, size_t len, struct buf_span *out,
		int max);

/* Up to max spans of the bytes [pos, pos + len), which must all have been reserved. */
int buf_spans(const struct buf *, uint64_t pos, size_t len, struct buf_span *out, int max);

/* The same where one will do; false: it will not. */
bool buf_one_span(const struct buf *, uint64_t pos, uint32_t len, struct buf_span *out);

/* The place of [pos, pos + len), allocated, when one chunk can hold it all; end moves. NULL: no. */
uint8_t *buf_place(struct buf *, struct mem *, uint64_t pos, size_t len);
/* Copies len bytes from src to pos, allocating; returns bytes written (short: no memory). */
size_t buf_write_pieces(struct buf *, struct mem *, uint64_t pos, const void *src, size_t len);
static inline size_t buf_write(struct buf *b, struct mem *m, uint64_t pos, const void *src,
			       size_t len)
{
	uint8_t *place = buf_place(b, m, pos, len);

	if (!place)
		return buf_write_pieces(b, m, pos, src, len);
	memcpy(place, src, len);
	return len;
}
/* Copies [pos, pos + len) out; all of it must have been written. */
void buf_read(const struct buf *, uint64_t pos, void *dst, size_t len);

/* The same of the first len bytes, which are then forgotten. */
void buf_take(struct buf *, struct mem *, void *dst, size_t len);

/* Forgets what lies below pos (head <= pos <= end). */
void buf_drop(struct buf *, struct mem *, uint64_t pos);
/* Sets end back to pos (head <= pos <= end): undoes a reservation that was not filled. */
void buf_cut(struct buf *, struct mem *, uint64_t pos);

static inline void chunk_pin(struct chunk *c)
{
	c->refs++;
}
static inline void chunk_unpin(struct mem *m, struct chunk *c)
{
	assert(c->refs > 0);
	if (--c->refs == 0)
		mem_free_piece(m, c, chunk_piece(c->size), chunk_cost(c->size));
}

/* Bytes of memory held: chunks and directory. */
size_t buf_cost(const struct buf *);
void buf_check(const struct buf *);

#endif
