/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.c - the chunked stream of buf.h.
 *
 * The grade of a chunk, which its size follows, grows by one from chunk to chunk up to the last. An
 * entry of the directory is NULL while nothing has landed there. What has been dropped leaves the
 * directory by a move of the pointers that remain, a few hundred at most.
 *
 * Invariants beyond buf.h: head == end exactly when n_chunks is 0; head_off lies in the first
 * chunk.
 */
#include "buf.h"

enum { GRADE_LAST = 4, MIDDLE_SHIFT = 14, LAST_SHIFT = 16 };
/* Where the chunks of each size begin, in a buffer that begins with one of the first grade. */
enum { MIDDLE_FROM = CHUNK_FIRST_SIZE, LAST_FROM = MIDDLE_FROM + (3 << MIDDLE_SHIFT) };

_Static_assert(sizeof(struct chunk) + CHUNK_ALIGN <= MEM_PIECE_EXTRA,
	       "a chunk is a piece of mem's");
_Static_assert(CHUNK_FIRST_SIZE << 4 == 1 << LAST_SHIFT, "three sizes, each four times the last");

enum { DIR_CAP_FIRST = 4, DIR_CAP_MAX = 32768, SPANS_EACH_WRITE = 4 };

static uint32_t size_of_grade(unsigned grade)
{
	return grade == 0	  ? CHUNK_FIRST_SIZE :
	       grade < GRADE_LAST ? 1u << MIDDLE_SHIFT :
				    1u << LAST_SHIFT;
}

static unsigned grade_of(const struct buf *b, uint32_t index)
{
	return MIN(b->grade + index, GRADE_LAST);
}

/* A position as the index of its chunk, and the offset there. */
struct place {
	uint32_t index, off;
};

static inline struct place place_of(const struct buf *b, uint64_t pos)
{
	static const uint16_t from[] = { 0, MIDDLE_FROM, MIDDLE_FROM + (1 << MIDDLE_SHIFT),
					 MIDDLE_FROM + (2 << MIDDLE_SHIFT), LAST_FROM };
	uint64_t off = pos - b->head + b->head_off + from[b->grade];

	if (off >= LAST_FROM) {
		off = MIN(off - LAST_FROM, UINT32_MAX); /* no buffer is so large */
		return (struct place){ GRADE_LAST - b->grade + (uint32_t)(off >> LAST_SHIFT),
				       (uint32_t)off & ((1u << LAST_SHIFT) - 1) };
	}
	if (off < MIDDLE_FROM)
		return (struct place){ 0, (uint32_t)off };
	off -= MIDDLE_FROM;
	return (struct place){ 1 + (uint32_t)(off >> MIDDLE_SHIFT) - b->grade,
			       (uint32_t)off & ((1u << MIDDLE_SHIFT) - 1) };
}

static struct chunk **chunks_of(struct buf *b)
{
	return b->dir_cap ? b->dir : &b->only;
}

static struct chunk *chunk_at(const struct buf *b, uint32_t index)
{
	return b->dir_cap ? b->dir[index] : b->only;
}

static inline struct chunk *new_chunk(struct mem *m, unsigned grade)
{
	uint32_t size = size_of_grade(grade);
	struct chunk *c = mem_new_piece(m, chunk_piece(size), chunk_cost(size));

	if (c)
		*c = (struct chunk){ .refs = 1, .size = size };
	return c;
}

void buf_init(struct buf *b, uint64_t pos)
{
	*b = (struct buf){ .head = pos, .end = pos };
}

static void unlink_chunks(struct buf *b, struct mem *m, unsigned from, unsigned to)
{
	struct chunk **chunks = chunks_of(b);

	for (unsigned i = from; i < to; i++) {
		if (chunks[i])
			chunk_unpin(m, chunks[i]);
		chunks[i] = NULL;
	}
}

static void free_directory(struct buf *b, struct mem *m)
{
	unlink_chunks(b, m, 0, b->n_chunks);
	mem_free(m, b->dir, b->dir_cap * sizeof(b->dir[0]));
}

static inline void drop_all(struct buf *b, struct mem *m)
{
	if (b->dir_cap)
		free_directory(b, m);
	else if (b->n_chunks && b->only)
		chunk_unpin(m, b->only);
	*b = (struct buf){ .head = b->end, .end = b->end };
}

void buf_fini(struct buf *b, struct mem *m)
{
	drop_all(b, m);
}

/* A directory with room for entry i; false: no memory, or too far. */
static bool grow_directory(struct buf *b, struct mem *m, uint32_t i)
{
	uint32_t cap = MAX(b->dir_cap, DIR_CAP_FIRST);
	struct chunk **dir;

	if (i >= DIR_CAP_MAX)
		return false;
	while (cap <= i)
		cap *= 2;
	dir = mem_new(m, cap * sizeof(dir[0]));
	if (!dir)
		return false;
	memcpy(dir, chunks_of(b), b->n_chunks * sizeof(dir[0]));
	if (b->dir_cap)
		mem_free(m, b->dir, b->dir_cap * sizeof(dir[0]));
	b->dir = dir;
	b->dir_cap = (uint16_t)cap;
	return true;
}

/* The i-th chunk, made when it is not there yet; NULL: no memory. */
static struct chunk *get_chunk(struct buf *b, struct mem *m, uint32_t i)
{
	struct chunk **chunks;

	if (i >= MAX(b->dir_cap, 1) && !grow_directory(b, m, i))
		return NULL;
	chunks = chunks_of(b);
	for (; b->n_chunks <= i; b->n_chunks++)
		chunks[b->n_chunks] = NULL;
	if (!chunks[i])
		chunks[i] = new_chunk(m, grade_of(b, i));
	return chunks[i];
}

static struct buf_span span_of(struct chunk *c, uint32_t off, size_t len)
{
	return (struct buf_span){
		.ptr = chunk_bytes(c) + off,
		.len = (uint32_t)MIN(len, c->size - off),
		.chunk = c,
	};
}

/* No chunk at or above end. */
static void trim_chunks(struct buf *b, struct mem *m)
{
	uint32_t n = place_of(b, b->end - 1).index + 1;

	if (n >= b->n_chunks)
		return;
	unlink_chunks(b, m, n, b->n_chunks);
	b->n_chunks = (uint16_t)n;
}

int buf_reserve(struct buf *b, struct mem *m, uint64_t pos, size_t len, struct buf_span *out,
		int max)
{
	struct place at = place_of(b, pos);
	int n = 0;

	assert(pos >= b->head);
	for (; len > 0 && n < max; n++, at.index++, at.off = 0) {
		struct chunk *c = get_chunk(b, m, at.index);

		if (!c)
			break;
		out[n] = span_of(c, at.off, len);
		pos += out[n].len;
		len -= out[n].len;
		b->end = MAX(b->end, pos);
	}
	if (len == 0 || n == max)
		return n;
	if (b->head == b->end) /* memory ran out: no chunk stays that holds no byte */
		buf_fini(b, m);
	else
		trim_chunks(b, m);
	return n;
}

int buf_spans(const struct buf *b, uint64_t pos, size_t len, struct buf_span *out, int max)
{
	struct place at;
	int n = 0;

	assert(pos >= b->head && pos <= b->end && len <= b->end - pos);
	if (b->dir_cap == 0 && len > 0 && max > 0) {
		out[0] = span_of(b->only, (uint32_t)(pos - b->head) + b->head_off, len);
		return 1;
	}
	at = place_of(b, pos);
	for (; len > 0 && n < max; n++, at.index++, at.off = 0) {
		struct chunk *c = chunk_at(b, at.index);

		assert(c);
		out[n] = span_of(c, at.off, len);
		len -= out[n].len;
	}
	return n;
}

bool buf_one_span(const struct buf *b, uint64_t pos, uint32_t len, struct buf_span *out)
{
	struct place at;

	if (b->dir_cap == 0) {
		*out = span_of(b->only, (uint32_t)(pos - b->head) + b->head_off, len);
		return true;
	}
	at = place_of(b, pos);
	*out = span_of(chunk_at(b, at.index), at.off, len);
	return out->len == len;
}

/* Where [pos, pos + len) is, when one chunk that exists holds it all; else NULL. */
static uint8_t *in_one_chunk(const struct buf *b, uint64_t pos, size_t len)
{
	struct place at = place_of(b, pos);
	struct chunk *c = at.index < b->n_chunks ? chunk_at(b, at.index) : NULL;

	return c && len <= c->size - at.off ? chunk_bytes(c) + at.off : NULL;
}

/* The common beginning: an empty buffer, bytes that fit in its first chunk. NULL: no memory. */
static uint8_t *begin_with_one(struct buf *b, struct mem *m)
{
	b->only = new_chunk(m, 0);
	if (!b->only)
		return NULL;
	b->n_chunks = 1;
	return chunk_bytes(b->only);
}

uint8_t *buf_place(struct buf *b, struct mem *m, uint64_t pos, size_t len)
{
	uint8_t *place = NULL;

	if (b->n_chunks)
		place = in_one_chunk(b, pos, len);
	else if (pos == b->head && len - 1 < size_of_grade(0))
		place = begin_with_one(b, m);
	if (place)
		b->end = MAX(b->end, pos + len);
	return place;
}

size_t buf_write_pieces(struct buf *b, struct mem *m, uint64_t pos, const void *src, size_t len)
{
	struct buf_span span[SPANS_EACH_WRITE];
	const uint8_t *p = src;
	size_t done = 0;
	int n;

	do {
		n = buf_reserve(b, m, pos + done, len - done, span, SPANS_EACH_WRITE);
		for (int i = 0; i < n; i++) {
			memcpy(span[i].ptr, p + done, span[i].len);
			done += span[i].len;
		}
	} while (n == SPANS_EACH_WRITE);
	return done;
}

void buf_read(const struct buf *b, uint64_t pos, void *dst, size_t len)
{
	uint8_t *place = in_one_chunk(b, pos, len), *p = dst;
	struct buf_span span;

	if (place) {
		memcpy(dst, place, len);
		return;
	}
	while (len > 0) {
		buf_spans(b, pos, len, &span, 1);
		memcpy(p, span.ptr, span.len);
		p += span.len;
		pos += span.len;
		len -= span.len;
	}
}

void buf_drop(struct buf *b, struct mem *m, uint64_t pos)
{
	struct place at;

	assert(pos >= b->head && pos <= b->end);
	if (pos == b->end) {
		drop_all(b, m);
		return;
	}
	at = place_of(b, pos);
	b->head = pos;
	b->head_off = (uint16_t)at.off;
	if (at.index == 0)
		return;
	unlink_chunks(b, m, 0, at.index);
	b->grade = (uint8_t)grade_of(b, at.index);
	b->n_chunks = (uint16_t)(b->n_chunks - at.index);
	memmove(b->dir, b->dir + at.index, b->n_chunks * sizeof(b->dir[0]));
}

void buf_take(struct buf *b, struct mem *m, void *dst, size_t len)
{
	if (b->dir_cap == 0 && len > 0 && len == b->end - b->head) { /* all of a lone chunk */
		memcpy(dst, chunk_bytes(b->only) + b->head_off, len);
		drop_all(b, m);
		return;
	}
	buf_read(b, b->head, dst, len);
	buf_drop(b, m, b->head + len);
}

void buf_cut(struct buf *b, struct mem *m, uint64_t pos)
{
	assert(pos >= b->head && pos <= b->end);
	b->end = pos;
	if (pos == b->head)
		buf_fini(b, m);
	else
		trim_chunks(b, m);
}

size_t buf_cost(const struct buf *b)
{
	size_t cost = b->dir_cap * sizeof(b->dir[0]);

	for (unsigned i = 0; i < b->n_chunks; i++)
		if (chunk_at(b, i))
			cost += chunk_cost(chunk_at(b, i)->size);
	return cost;
}

void buf_check(const struct buf *b)
{
	assert(b->head <= b->end);
	assert((b->head == b->end) == (b->n_chunks == 0));
	if (b->n_chunks == 0) {
		assert(b->head_off == 0 && b->dir_cap == 0 && b->grade == 0);
		return;
	}
	assert(b->n_chunks <= MAX(b->dir_cap, 1));
	assert(b->head_off < size_of_grade(b->grade));
	assert(place_of(b, b->end - 1).index < b->n_chunks);
	for (unsigned i = 0; i < b->n_chunks; i++) {
		const struct chunk *c = chunk_at(b, i);

		assert(!c || (c->refs > 0 && c->size == size_of_grade(grade_of(b, i))));
	}
	assert(place_of(b, b->end - 1).index == b->n_chunks - 1u);
}
