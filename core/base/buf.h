/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h - a byte stream held in reference-counted chunks, addressed by 64-bit position.
 *
 * Theory. A buffer holds the bytes at positions [head, ...) of a stream. `head` is the oldest
 * position still wanted. Bytes live in chunks: the first chunk of a fresh buffer is 4 KiB, the
 * next ones 16 KiB, later ones 64 KiB; where a chunk begins is a pure function of the distance
 * from `origin`, so that a position is found without a search. The directory of chunks grows;
 * bytes never move. Data that arrives early allocates only the chunks it lands in. When the buffer
 * becomes empty (head reaches `end`) all chunks go, the directory too, and origin moves to head.
 *
 * A chunk is counted: the buffer holds one reference, each span of a packet in flight another.
 * Dropping bytes only unlinks a chunk; whoever holds the last reference returns it to the mem.
 *
 * Invariants. origin <= head <= end; no chunk lies wholly below head or at or above end.
 */
#ifndef TERN_BUF_H
#define TERN_BUF_H

#include "mem.h"

struct chunk {
	uint32_t refs;
	uint32_t size; /* bytes that follow */
};

struct buf_span {
	uint8_t *ptr;
	uint32_t len;
	struct chunk *chunk; /* whose bytes they are; not counted until buf_pin */
};

struct buf {
	struct chunk **dir; /* NULL when empty */
	uint64_t origin;    /* position of the first byte of chunk number 0 */
	uint64_t head;
	uint64_t end;	    /* one past the last position ever written (or reserved) */
	uint32_t dir_first; /* chunk number of dir[0] */
	uint16_t dir_len, dir_cap;
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

/* Copies len bytes from src to pos, allocating; returns bytes written (short: no memory). */
size_t buf_write(struct buf *, struct mem *, uint64_t pos, const void *src, size_t len);
/* Copies [pos, pos + len) out; all of it must have been written. */
void buf_read(const struct buf *, uint64_t pos, void *dst, size_t len);

/* Forgets what lies below pos (head <= pos <= end). */
void buf_drop(struct buf *, struct mem *, uint64_t pos);
/* Sets end back to pos (head <= pos <= end): undoes a reservation that was not filled. */
void buf_cut(struct buf *, struct mem *, uint64_t pos);

void chunk_pin(struct chunk *);
void chunk_unpin(struct mem *, struct chunk *);

/* Bytes of memory held: chunks and directory. */
size_t buf_cost(const struct buf *);
void buf_check(const struct buf *);

#endif
