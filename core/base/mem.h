/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.h - the stack's memory: one budget over the allocator that the user handed in.
 *
 * Every byte is charged at its true size to one budget; nothing is handed out beyond it. Small
 * fixed-size records come from slabs (a slab is one allocation of many records, kept on free lists
 * per size class), so that a record costs its size and nothing more. Contents are not initialised.
 */
#ifndef TERN_MEM_H
#define TERN_MEM_H

#include "base.h"

struct mem_slab; /* private */

enum { MEM_CLASSES = 32, MEM_CLASS_STEP = 32 }; /* records of 32, 64, ... 1024 bytes */

struct mem {
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *ptr, size_t size);
	void *ctx;
	uint64_t used; /* bytes taken from alloc */
	uint64_t max;
	void *free_records[MEM_CLASSES];
	struct mem_slab *slabs;
	uint32_t n_records; /* records out, for mem_fini's assert */
	void *free_chunks[3]; /* a few 4, 16 and 64 KiB pieces kept for reuse */
	uint32_t n_free_chunks[3];
};

void mem_init(struct mem *, void *(*alloc)(void *, size_t), void (*free)(void *, void *, size_t),
	      void *ctx, uint64_t max);
/* Gives slabs and kept pieces back; everything must have been freed before. */
void mem_fini(struct mem *);

/* size bytes, or NULL when the budget or the allocator says no. Freed with the same size. */
void *mem_new(struct mem *, size_t size);
void mem_free(struct mem *, void *, size_t size); /* NULL is allowed */

/* A fixed-size record (size <= 1024) from a slab, 16-byte aligned. */
void *mem_record_new(struct mem *, size_t size);
void mem_record_free(struct mem *, void *, size_t size); /* NULL is allowed */

#endif
