/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.c - the chunked stream of buf.h.
 *
 * Chunk 0 covers the first 4 KiB from origin, chunks 1 to 3 cover 16 KiB each, all later ones
 * 64 KiB. dir[0] is the chunk that holds head; an entry of the directory is NULL while nothing has
 * landed there. The directory starts with four entries and doubles; what has been dropped leaves
 * it by a move of the pointers that remain, a few hundred at most.
 *
 * Invariants beyond buf.h: head == end exactly when dir is NULL; then origin == head too.
 */
#include "buf.h"

enum { FIRST_SHIFT = 12, MIDDLE_SHIFT = 14, LAST_SHIFT = 16 };
enum { N_MIDDLE = 3, DIR_CAP_FIRST = 4, DIR_CAP_MAX = 32768, SPANS_EACH_WRITE = 4 };

#define FIRST_LEN ((uint64_t)1 << FIRST_SHIFT)
#define LAST_FROM (FIRST_LEN + ((uint64_t)N_MIDDLE << MIDDLE_SHIFT))

/* Which chunk holds the byte at a distance from origin. */
static uint64_t chunk_number(uint64_t distance)
{
	if (distance < FIRST_LEN)
		return 0;
	if (distance < LAST_FROM)
		return 1 + ((distance - FIRST_LEN) >> MIDDLE_SHIFT);
	return 1 + N_MIDDLE + ((distance - LAST_FROM) >> LAST_SHIFT);
}

/* The distance from origin at which a chunk begins. */
static uint64_t chunk_start(uint64_t number)
{
	if (number == 0)
		return 0;
	if (number <= N_MIDDLE)
		return FIRST_LEN + ((number - 1) << MIDDLE_SHIFT);
	return LAST_FROM + ((number - 1 - N_MIDDLE) << LAST_SHIFT);
}

static uint32_t chunk_len(uint64_t number)
{
	return (uint32_t)(chunk_start(number + 1) - chunk_start(number));
}

static struct chunk *new_chunk(struct mem *m, uint32_t size)
{
	struct chunk *c = mem_new(m, sizeof(*c) + size);

	if (c)
		*c = (struct chunk){ .refs = 1, .size = size };
	return c;
}

void chunk_pin(struct chunk *c)
{
	c->refs++;
}

void chunk_unpin(struct mem *m, struct chunk *c)
{
	assert(c->refs > 0);
	if (--c->refs == 0)
		mem_free(m, c, sizeof(*c) + c->size);
}

void buf_init(struct buf *b, uint64_t pos)
{
	*b = (struct buf){ .origin = pos, .head = pos, .end = pos };
}

static void unlink_chunks(struct buf *b, struct mem *m, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		if (b->dir[i])
			chunk_unpin(m, b->dir[i]);
		b->dir[i] = NULL;
	}
}

void buf_fini(struct buf *b, struct mem *m)
{
	if (!b->dir)
		return;
	unlink_chunks(b, m, 0, b->dir_len);
	mem_free(m, b->dir, b->dir_cap * sizeof(b->dir[0]));
	buf_init(b, b->end);
}

/* Makes the directory reach up to entry i; false: no memory, or too far. */
static bool extend_directory(struct buf *b, struct mem *m, uint64_t i)
{
	struct chunk **dir;
	uint32_t cap = b->dir_cap ? b->dir_cap : DIR_CAP_FIRST;

	if (i >= DIR_CAP_MAX)
		return false;
	while (cap <= i)
		cap *= 2;
	if (cap > b->dir_cap) {
		dir = mem_new(m, cap * sizeof(dir[0]));
		if (!dir)
			return false;
		if (b->dir)
			memcpy(dir, b->dir, b->dir_len * sizeof(dir[0]));
		mem_free(m, b->dir, b->dir_cap * sizeof(dir[0]));
		b->dir = dir;
		b->dir_cap = (uint16_t)cap;
	}
	for (; b->dir_len <= i; b->dir_len++)
		b->dir[b->dir_len] = NULL;
	return true;
}

/* The chunk of a number, made when it is not there yet; NULL: no memory. */
static struct chunk *get_chunk(struct buf *b, struct mem *m, uint64_t number)
{
	uint64_t i = number - b->dir_first;

	if (i >= b->dir_len && !extend_directory(b, m, i))
		return NULL;
	if (!b->dir[i])
		b->dir[i] = new_chunk(m, chunk_len(number));
	return b->dir[i];
}

static struct buf_span span_of(struct chunk *c, uint64_t from, size_t len)
{
	return (struct buf_span){
		.ptr = (uint8_t *)(c + 1) + from,
		.len = (uint32_t)MIN(len, c->size - from),
		.chunk = c,
	};
}

int buf_reserve(struct buf *b, struct mem *m, uint64_t pos, size_t len, struct buf_span *out,
		int max)
{
	uint64_t number = chunk_number(pos - b->origin);
	uint64_t from = pos - b->origin - chunk_start(number);
	int n = 0;

	assert(pos >= b->head);
	for (; len > 0 && n < max; n++, number++, from = 0) {
		struct chunk *c = get_chunk(b, m, number);

		if (!c)
			break;
		out[n] = span_of(c, from, len);
		pos += out[n].len;
		len -= out[n].len;
		b->end = MAX(b->end, pos);
	}
	if (b->head == b->end)
		buf_fini(b, m);
	return n;
}

int buf_spans(const struct buf *b, uint64_t pos, size_t len, struct buf_span *out, int max)
{
	uint64_t number = chunk_number(pos - b->origin);
	uint64_t from = pos - b->origin - chunk_start(number);
	int n = 0;

	assert(pos >= b->head && pos <= b->end && len <= b->end - pos);
	for (; len > 0 && n < max; n++, number++, from = 0) {
		struct chunk *c = b->dir[number - b->dir_first];

		assert(c);
		out[n] = span_of(c, from, len);
		len -= out[n].len;
	}
	return n;
}

size_t buf_write(struct buf *b, struct mem *m, uint64_t pos, const void *src, size_t len)
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
	struct buf_span span;
	uint8_t *p = dst;

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
	uint32_t n;

	assert(pos >= b->head && pos <= b->end);
	b->head = pos;
	if (pos == b->end) {
		buf_fini(b, m);
		return;
	}
	n = (uint32_t)chunk_number(pos - b->origin) - b->dir_first;
	if (n == 0)
		return;
	unlink_chunks(b, m, 0, n);
	b->dir_first += n;
	b->dir_len = (uint16_t)(b->dir_len - n);
	memmove(b->dir, b->dir + n, b->dir_len * sizeof(b->dir[0]));
}

void buf_cut(struct buf *b, struct mem *m, uint64_t pos)
{
	uint64_t n;

	assert(pos >= b->head && pos <= b->end);
	b->end = pos;
	if (pos == b->head) {
		buf_fini(b, m);
		return;
	}
	n = chunk_number(pos - 1 - b->origin) - b->dir_first + 1;
	unlink_chunks(b, m, (unsigned)n, b->dir_len);
	b->dir_len = (uint16_t)MIN(n, b->dir_len);
}

size_t buf_cost(const struct buf *b)
{
	size_t cost = b->dir_cap * sizeof(b->dir[0]);

	for (unsigned i = 0; i < b->dir_len; i++)
		if (b->dir[i])
			cost += sizeof(struct chunk) + b->dir[i]->size;
	return cost;
}

void buf_check(const struct buf *b)
{
	assert(b->origin <= b->head && b->head <= b->end);
	assert((b->head == b->end) == !b->dir);
	if (!b->dir) {
		assert(b->origin == b->head && b->dir_len == 0 && b->dir_cap == 0);
		return;
	}
	assert(b->dir_first == chunk_number(b->head - b->origin));
	assert(b->dir_len > 0 && b->dir_len <= b->dir_cap);
	for (unsigned i = 0; i < b->dir_len; i++) {
		const struct chunk *c = b->dir[i];

		assert(!c || (c->refs > 0 && c->size == chunk_len(b->dir_first + i)));
		assert(!c || b->origin + chunk_start(b->dir_first + i) < b->end);
	}
}
