/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pkt.h - packets: a linear part with head room, and spans pinned in buffers.
 *
 * The struct and the first bytes of the linear part are one allocation. A span holds a reference on
 * its chunk until pkt_free. An external packet's bytes are the user's: whoever frees it (the stack)
 * puts its cookie on a list first.
 */
#ifndef TERN_PKT_H
#define TERN_PKT_H

#include "../../include/tern.h"
#include "buf.h"
#include "mem.h"

enum { PKT_HEAD_ROOM = 64 }; /* link and IPv6 header before what a transport writes */

/* len bytes of linear part after head_room bytes; NULL: no memory. Fields are zero. */
struct tern_pkt *pkt_new(struct mem *, uint32_t head_room, uint32_t len);
void pkt_unpin(struct mem *, struct tern_pkt *); /* its spans are no more */
static inline void pkt_free(struct mem *m, struct tern_pkt *p)
{
	if (p->n_spans)
		pkt_unpin(m, p);
	mem_free(m, p, p->cap);
}

/* Moves the start of the linear part: push gives a header room (asserts it), pull takes it off. */
static inline uint8_t *pkt_push(struct tern_pkt *p, uint32_t n)
{
	assert(n <= p->head_room);
	p->data -= n;
	p->head_room -= n;
	p->len += n;
	p->total_len += n;
	if (p->flags & TERN_PKT_CSUM_PARTIAL) /* csum_start counts from data */
		p->csum_start = (uint16_t)(p->csum_start + n);
	return p->data;
}
void pkt_pull(struct tern_pkt *, uint32_t n);
/* Cuts the packet (linear part and spans) down to len bytes in all. */
void pkt_trim(struct mem *, struct tern_pkt *, uint32_t len);

/* Appends and pins; false: no span is left. */
bool pkt_add_span(struct tern_pkt *, const struct buf_span *);
/* Copies from an offset, over linear part and spans; returns bytes copied. */
uint32_t pkt_copy_out(const struct tern_pkt *, uint32_t offset, void *dst, uint32_t len);
/* A copy with everything in its linear part, with head_room before it; NULL: no memory. */
struct tern_pkt *pkt_copy(struct mem *, const struct tern_pkt *, uint32_t head_room);

/* Adds the ones'-complement sum of a piece that began at an odd offset, or not. */
uint32_t sum_add_piece(uint32_t sum, uint32_t piece, bool is_odd);
/* Ones'-complement sum of [offset, end of packet), odd spans handled; sum_fn as in tern_env. */
uint32_t pkt_sum(const struct tern_pkt *, uint32_t offset,
		 uint32_t (*sum_fn)(const void *, size_t, uint32_t), uint32_t sum);

/* The same of the spans alone, while they are copied to dst; before: bytes that are in `sum`. */
uint32_t pkt_copy_spans_sum(const struct tern_pkt *, uint32_t before, uint8_t *dst,
			    uint32_t (*copy_sum_fn)(void *, const void *, size_t, uint32_t),
			    uint32_t sum);

/* A first-in first-out list through `next`, bounded by its owner. */
struct pkt_queue {
	struct tern_pkt *head, **tail;
	uint32_t n;
	uint64_t bytes;
};
void pkt_queue_init(struct pkt_queue *);
void pkt_queue_put(struct pkt_queue *, struct tern_pkt *);
struct tern_pkt *pkt_queue_take(struct pkt_queue *); /* NULL: empty */
void pkt_queue_fini(struct pkt_queue *, struct mem *);

#endif
