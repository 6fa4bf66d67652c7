/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - records from slabs, pieces from a shelf, and one budget over both.
 *
 * A record of up to 2048 bytes is a pop from the free list of its size class. An empty list is
 * filled by one slab, whose size follows what is in use (an eighth of it, 4 to 32 KiB), so that a
 * small stack takes little and a large one seldom asks; at the end of the budget a slab holds one
 * record. Slabs go back only in mem_fini.
 *
 * A larger size that fills at least half of a piece gets a whole one, which is kept when it is
 * freed; any other size is a plain allocation.
 *
 * Invariants: used <= max; used counts what the allocator handed out, kept pieces and all.
 */
#include "mem.h"

struct mem_slab {
	struct mem_slab *next;
	size_t size;
};

struct free_node {
	struct free_node *next;
};

enum { SLAB_HDR_LEN = 16 };
enum { SLAB_MIN = 4096 + SLAB_HDR_LEN, SLAB_MAX = 32768 + SLAB_HDR_LEN };

static const uint32_t piece_size[MEM_PIECES] = {
	4096 + MEM_PIECE_EXTRA,
	16384 + MEM_PIECE_EXTRA,
	65536 + MEM_PIECE_EXTRA,
};

_Static_assert(sizeof(struct mem_slab) <= SLAB_HDR_LEN, "records of a slab are aligned");
_Static_assert(SLAB_MIN >= SLAB_HDR_LEN + MEM_RECORD_MAX, "each slab holds a record");

void mem_init(struct mem *m, void *(*alloc)(void *, size_t), void (*free)(void *, void *, size_t),
	      void *ctx, uint64_t max)
{
	memset(m, 0, sizeof(*m));
	m->alloc = alloc;
	m->free = free;
	m->ctx = ctx;
	m->max = max;
}

static void give_back(struct mem *m, void *ptr, size_t size)
{
	m->used -= size;
	m->free(m->ctx, ptr, size);
}

/* false: none was kept. */
static bool give_back_pieces(struct mem *m)
{
	uint64_t used = m->used;

	for (unsigned i = 0; i < MEM_PIECES; i++) {
		struct free_node *n = m->free_pieces[i];

		while (n) {
			struct free_node *next = n->next;

			give_back(m, n, piece_size[i]);
			n = next;
		}
		m->free_pieces[i] = NULL;
		m->n_free_pieces[i] = 0;
	}
	return m->used < used;
}

void mem_fini(struct mem *m)
{
	assert(m->n_out == 0);
	give_back_pieces(m);
	while (m->slabs) {
		struct mem_slab *s = m->slabs;

		m->slabs = s->next;
		give_back(m, s, s->size);
	}
	assert(m->used == 0);
}

static void *take_within_budget(struct mem *m, size_t size)
{
	void *ptr;

	if (size > m->max - m->used)
		return NULL;
	ptr = m->alloc(m->ctx, size);
	if (ptr)
		m->used += size;
	return ptr;
}

static void *take_from_allocator(struct mem *m, size_t size)
{
	void *ptr = take_within_budget(m, size);

	if (!ptr && give_back_pieces(m))
		ptr = take_within_budget(m, size);
	return ptr;
}

/* Makes a slab and returns its first record; the others go on the list, lowest address first. */
static void *fill_class(struct mem *m, unsigned class)
{
	size_t record = (class + 1) * (size_t)MEM_CLASS_STEP;
	size_t size = (size_t)MAX(SLAB_MIN, MIN(SLAB_MAX, m->used / 8));
	struct mem_slab *s;
	char *first, *r;

	if (size > m->max - m->used)
		size = SLAB_HDR_LEN + record;
	s = take_from_allocator(m, size);
	if (!s)
		return NULL;
	s->next = m->slabs;
	s->size = size;
	m->slabs = s;
	first = (char *)s + SLAB_HDR_LEN;
	for (r = first + ((size - SLAB_HDR_LEN) / record - 1) * record; r != first; r -= record) {
		struct free_node *n = (struct free_node *)(void *)r;

		n->next = m->free_records[class];
		m->free_records[class] = n;
	}
	return first;
}

/* The kind of piece that serves a size, or MEM_PIECES. */
static unsigned find_piece(size_t size)
{
	for (unsigned i = 0; i < MEM_PIECES; i++)
		if (size <= piece_size[i])
			return size > piece_size[i] / 2 ? i : MEM_PIECES;
	return MEM_PIECES;
}

static void *new_large(struct mem *m, size_t size)
{
	unsigned i = find_piece(size);
	struct free_node *n;

	if (i == MEM_PIECES)
		return take_from_allocator(m, size);
	n = m->free_pieces[i];
	if (!n)
		return take_from_allocator(m, piece_size[i]);
	m->free_pieces[i] = n->next;
	m->n_free_pieces[i]--;
	return n;
}

void mem_free_large(struct mem *m, void *ptr, size_t size)
{
	unsigned i = find_piece(size);
	struct free_node *n = ptr;

	m->n_out--;
	if (i == MEM_PIECES) {
		give_back(m, ptr, size);
	} else if (m->n_free_pieces[i] >= MEM_PIECES_KEPT) {
		give_back(m, ptr, piece_size[i]);
	} else {
		n->next = m->free_pieces[i];
		m->free_pieces[i] = n;
		m->n_free_pieces[i]++;
	}
}

void *mem_new_slow(struct mem *m, size_t size)
{
	void *ptr = size > MEM_RECORD_MAX ?
			    new_large(m, size) :
			    fill_class(m, size ? (unsigned)(size - 1) / MEM_CLASS_STEP : 0);

	m->n_out += ptr != NULL;
	return ptr;
}

void *mem_grow(struct mem *m, void *array, uint32_t *cap, size_t element_size)
{
	uint32_t wanted = MAX(2 * *cap, 4);
	void *grown = mem_new(m, wanted * element_size);

	if (!grown)
		return NULL;
	if (*cap)
		memcpy(grown, array, *cap * element_size);
	mem_free(m, array, *cap * element_size);
	*cap = wanted;
	return grown;
}
