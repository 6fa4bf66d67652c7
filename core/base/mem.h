/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.h - the stack's memory: one budget over the allocator that the user handed in.
 *
 * Every byte is charged at its true size to one budget; nothing is handed out beyond it. Sizes up
 * to 2048 come from slabs (one allocation of many records, kept on a free list for each size
 * class), so that a record costs its size and nothing more. Pieces just below 4, 16 and 64 KiB are
 * kept for reuse, a few of each. So nothing is taken from the allocator in the steady state. Where
 * the budget ends, pieces end before records do.
 * Contents are not initialised.
 */
#ifndef TERN_MEM_H
#define TERN_MEM_H

#include "base.h"

/* How a free record or piece begins. */
struct mem_node {
	struct mem_node *next;
};

enum { MEM_CLASSES = 128, MEM_CLASS_STEP = 16 }; /* records of 16, 32, ... 2048 bytes */
/* Kept pieces: up to 4, 16, 64 KiB, plus room for headers (of a packet of 65535 bytes, too). */
enum { MEM_PIECES = 3, MEM_PIECES_KEPT = 64, MEM_PIECE_EXTRA = 320 };

struct mem {
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *ptr, size_t size);
	void *ctx;
	uint64_t used; /* bytes taken from alloc */
	uint64_t max;
	struct mem_node *slabs;
	uint64_t n_out;	   /* allocations out, for mem_fini's assert */
	bool refused;	   /* somebody was; the owner takes it back */
	uint64_t patience; /* refusals until slabs are looked through again */
	struct mem_node *free_records[MEM_CLASSES];
	struct mem_node *free_pieces[MEM_PIECES];
	uint32_t n_free_pieces[MEM_PIECES];
};

void mem_init(struct mem *, void *(*alloc)(void *, size_t), void (*free)(void *, void *, size_t),
	      void *ctx, uint64_t max);
/* Gives slabs and kept pieces back; everything must have been freed before. */
void mem_fini(struct mem *);

enum { MEM_RECORD_MAX = MEM_CLASSES * MEM_CLASS_STEP };

/*
 * Pieces, which hold what is to be sent and read, leave a part of the budget to records: who has
 * something to say needs a packet to say it in.
 */
static inline uint64_t mem_max_of_pieces(const struct mem *m)
{
	return m->max - m->max / 64;
}

void *mem_new_slow(struct mem *, size_t size);		/* none of its kind is free */
void mem_free_large(struct mem *, void *, size_t size); /* above MEM_RECORD_MAX */

static inline struct mem_node **mem_class_of(struct mem *m, size_t size)
{
	return &m->free_records[size ? (size - 1) / MEM_CLASS_STEP : 0];
}

/*
 * size bytes, 16-byte aligned, or NULL when the budget or the allocator says no (kept pieces and,
 * now and then, empty slabs are given back before it says no). Freed with the same size.
 */
static inline void *mem_new(struct mem *m, size_t size)
{
	struct mem_node **first, *record;

	if (size > MEM_RECORD_MAX)
		return mem_new_slow(m, size);
	first = mem_class_of(m, size);
	record = *first;
	if (!record)
		return mem_new_slow(m, size);
	*first = record->next;
	m->n_out++;
	return record;
}

/* NULL is allowed. */
static inline void mem_free(struct mem *m, void *ptr, size_t size)
{
	struct mem_node **first, *record = ptr;

	if (!ptr)
		return;
	if (size > MEM_RECORD_MAX) {
		mem_free_large(m, ptr, size);
		return;
	}
	first = mem_class_of(m, size);
	record->next = *first;
	*first = record;
	m->n_out--;
}

/* Is a piece of kind i kept, so that the next costs nothing and is not refused? */
static inline bool mem_has_piece(const struct mem *m, unsigned i)
{
	return m->free_pieces[i] != NULL;
}

/* The same of a size that fills a piece of kind i at least by half. */
static inline void *mem_new_piece(struct mem *m, unsigned i, size_t size)
{
	struct mem_node *piece = m->free_pieces[i];

	if (!piece)
		return mem_new_slow(m, size);
	m->free_pieces[i] = piece->next;
	m->n_free_pieces[i]--;
	m->n_out++;
	return piece;
}
static inline void mem_free_piece(struct mem *m, void *ptr, unsigned i, size_t size)
{
	struct mem_node *piece = ptr;

	if (m->n_free_pieces[i] >= MEM_PIECES_KEPT) {
		mem_free_large(m, ptr, size);
		return;
	}
	piece->next = m->free_pieces[i];
	m->free_pieces[i] = piece;
	m->n_free_pieces[i]++;
	m->n_out--;
}

/*
 * An array that is full: a copy with twice the room (4 elements at first), *cap changed, the old
 * one freed. NULL: no memory, the old one stays.
 */
void *mem_grow(struct mem *, void *array, uint32_t *cap, size_t element_size);

#endif
