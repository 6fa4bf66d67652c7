/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - records from slabs, pieces from a shelf, and one budget over both.
 *
 * A record of up to 2048 bytes is a pop from the free list of its size class. An empty list is
 * filled by one slab, whose size follows what is in use (an eighth of it, 1 to 32 KiB, two records
 * at least), so that a small stack takes little and a large one seldom asks; at the end of the
 * budget a slab holds one record. Slabs none of whose records is out go back when something is
 * refused, so that a flood of one size does not keep the budget for ever. To find them costs a walk
 * over all that is free; the next walk waits for refusals in proportion.
 *
 * A larger size that fills at least half of a piece gets a whole one, which is kept when it is
 * freed; any other size is a plain allocation.
 *
 * Invariants: used <= max; used counts what the allocator handed out, kept pieces and all.
 */
#include "mem.h"

struct mem_slab {
	struct mem_node in_list;
	uint32_t size, class;
};

enum { SLAB_HDR_LEN = 16 };
enum { SLAB_MIN = 1024, SLAB_MAX = 32768 }; /* bytes of records */

static const uint32_t piece_size[MEM_PIECES] = {
	4096 + MEM_PIECE_EXTRA,
	16384 + MEM_PIECE_EXTRA,
	65536 + MEM_PIECE_EXTRA,
};

_Static_assert(sizeof(struct mem_slab) <= SLAB_HDR_LEN, "records of a slab are aligned");

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
static COLD bool give_back_pieces(struct mem *m)
{
	uint64_t used = m->used;

	for (unsigned i = 0; i < MEM_PIECES; i++) {
		struct mem_node *n = m->free_pieces[i];

		while (n) {
			struct mem_node *next = n->next;

			give_back(m, n, piece_size[i]);
			n = next;
		}
		m->free_pieces[i] = NULL;
		m->n_free_pieces[i] = 0;
	}
	return m->used < used;
}

/* ---- empty slabs ---- */

static size_t record_size(unsigned class)
{
	return (class + 1) * (size_t)MEM_CLASS_STEP;
}

static struct mem_slab *slab_of(struct mem_node *node)
{
	return (struct mem_slab *)(void *)node;
}

static uint32_t records_of(const struct mem_slab *s)
{
	return (uint32_t)((s->size - SLAB_HDR_LEN) / record_size(s->class));
}

static bool is_below(const void *a, const void *b)
{
	return (uintptr_t)a < (uintptr_t)b;
}

static struct mem_node *merge(struct mem_node *a, struct mem_node *b)
{
	struct mem_node first, *last = &first;

	while (a && b) {
		struct mem_node **lower = is_below(a, b) ? &a : &b;

		last->next = *lower;
		last = *lower;
		*lower = last->next;
	}
	last->next = a ? a : b;
	return first.next;
}

/* By address, without memory: sorted[i] is a list of 2^i nodes, or none. */
static struct mem_node *sort(struct mem_node *list)
{
	struct mem_node *sorted[32] = { NULL }, *all = NULL;

	while (list) {
		struct mem_node *run = list;
		unsigned i = 0;

		list = list->next;
		run->next = NULL;
		for (; sorted[i] && i < 31; i++) {
			run = merge(sorted[i], run);
			sorted[i] = NULL;
		}
		sorted[i] = merge(sorted[i], run);
	}
	for (unsigned i = 0; i < 32; i++)
		all = merge(sorted[i], all);
	return all;
}

/* Both lists are sorted: gives back the slabs of a class that are all free. Returns nodes seen. */
static uint64_t give_back_slabs_of(struct mem *m, unsigned class)
{
	struct mem_node **at = &m->free_records[class], **link = &m->slabs;
	uint64_t n_seen = 0;

	while (*link && *at) {
		struct mem_slab *s = slab_of(*link);
		struct mem_node **end = at;
		uint32_t n = 0;

		n_seen++;
		for (; s->class == class && *end && is_below(*end, (char *)s + s->size); n++)
			end = &(*end)->next;
		n_seen += n;
		if (n > 0 && n == records_of(s)) {
			*at = *end;
			*link = (*link)->next;
			give_back(m, s, s->size);
		} else {
			at = end;
			link = &(*link)->next;
		}
	}
	return n_seen;
}

/* false: there was none, or it is not yet time to look. */
static COLD bool give_back_slabs(struct mem *m)
{
	uint64_t used = m->used, n_seen = 0;

	if (m->patience > 0) {
		m->patience--;
		return false;
	}
	m->slabs = sort(m->slabs);
	for (unsigned i = 0; i < MEM_CLASSES; i++) {
		if (!m->free_records[i])
			continue;
		m->free_records[i] = sort(m->free_records[i]);
		n_seen += give_back_slabs_of(m, i);
	}
	m->patience = n_seen / 64;
	return m->used < used;
}

void mem_fini(struct mem *m)
{
	assert(m->n_out == 0);
	give_back_pieces(m);
	while (m->slabs) {
		struct mem_slab *s = slab_of(m->slabs);

		m->slabs = m->slabs->next;
		give_back(m, s, s->size);
	}
	assert(m->used == 0);
}

static void *take_within(struct mem *m, uint64_t max, size_t size)
{
	void *ptr;

	if (m->used > max || size > max - m->used)
		return NULL;
	ptr = m->alloc(m->ctx, size);
	if (ptr)
		m->used += size;
	return ptr;
}

static void *take_from_allocator(struct mem *m, uint64_t max, size_t size)
{
	void *ptr = take_within(m, max, size);

	if (!ptr && give_back_pieces(m))
		ptr = take_within(m, max, size);
	if (!ptr && m->slabs && give_back_slabs(m))
		ptr = take_within(m, max, size);
	return ptr;
}

/* Makes a slab and returns its first record; the others go on the list, lowest address first. */
static void *fill_class(struct mem *m, unsigned class)
{
	size_t record = record_size(class);
	size_t wanted = (size_t)MAX(SLAB_MIN, MIN(SLAB_MAX, m->used / 8));
	size_t size = SLAB_HDR_LEN + MAX(wanted / record, 2) * record;
	struct mem_slab *s;
	char *first, *r;

	if (size > m->max - m->used)
		size = SLAB_HDR_LEN + record;
	s = take_from_allocator(m, m->max, size);
	if (!s)
		return NULL;
	*s = (struct mem_slab){ { m->slabs }, (uint32_t)size, class };
	m->slabs = &s->in_list;
	first = (char *)s + SLAB_HDR_LEN;
	for (r = first + ((size - SLAB_HDR_LEN) / record - 1) * record; r != first; r -= record) {
		struct mem_node *n = (struct mem_node *)(void *)r;

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
	struct mem_node *n;

	if (i == MEM_PIECES)
		return take_from_allocator(m, m->max, size);
	n = m->free_pieces[i];
	if (!n)
		return take_from_allocator(m, mem_max_of_pieces(m), piece_size[i]);
	m->free_pieces[i] = n->next;
	m->n_free_pieces[i]--;
	return n;
}

void mem_free_large(struct mem *m, void *ptr, size_t size)
{
	unsigned i = find_piece(size);
	struct mem_node *n = ptr;

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
	m->refused = m->refused || !ptr;
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
