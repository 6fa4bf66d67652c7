/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pkt.c - packets: see pkt.h.
 *
 * The allocation is the struct, then head room, then the linear part; `cap` is its size. Invariant:
 * total_len is len plus the lengths of the spans; pin[i] is the counted chunk of span[i].
 */
#include "pkt.h"

struct tern_pkt *pkt_new(struct mem *m, uint32_t head_room, uint32_t len)
{
	size_t cap = sizeof(struct tern_pkt) + head_room + len;
	struct tern_pkt *p = mem_new(m, cap);

	if (!p)
		return NULL;
	memset(p, 0, offsetof(struct tern_pkt, span));
	p->conn = p->cut_to = 0;
	p->cookie = NULL;
	p->data = (uint8_t *)(p + 1) + head_room;
	p->len = p->total_len = len;
	p->head_room = head_room;
	p->cap = (uint32_t)cap;
	return p;
}

void pkt_unpin(struct mem *m, struct tern_pkt *p)
{
	for (unsigned i = 0; i < p->n_spans; i++)
		chunk_unpin(m, p->pin[i]);
}

void pkt_pull(struct tern_pkt *p, uint32_t n)
{
	assert(n <= p->len);
	p->data += n;
	p->head_room += n;
	p->len -= n;
	p->total_len -= n;
	if (p->flags & TERN_PKT_CSUM_PARTIAL)
		p->csum_start = (uint16_t)(p->csum_start - n);
}

void pkt_trim(struct mem *m, struct tern_pkt *p, uint32_t len)
{
	unsigned kept = 0;
	uint32_t left;

	assert(len <= p->total_len);
	p->total_len = len;
	p->len = MIN(p->len, len);
	left = len - p->len;
	for (unsigned i = 0; i < p->n_spans; i++) {
		p->span[i].len = MIN(p->span[i].len, left);
		left -= p->span[i].len;
		if (p->span[i].len > 0)
			kept++;
		else
			chunk_unpin(m, p->pin[i]);
	}
	p->n_spans = (uint8_t)kept;
}

bool pkt_add_span(struct tern_pkt *p, const struct buf_span *s)
{
	if (p->n_spans == TERN_PKT_SPANS_MAX)
		return false;
	assert(s->len > 0);
	chunk_pin(s->chunk);
	p->pin[p->n_spans] = s->chunk;
	p->span[p->n_spans] = (struct tern_span){ s->ptr, s->len };
	p->n_spans++;
	p->total_len += s->len;
	return true;
}

/* Part i of a packet: 0 is the linear part, then the spans. */
static struct tern_span part_of(const struct tern_pkt *p, unsigned i)
{
	return i ? p->span[i - 1] : (struct tern_span){ p->data, p->len };
}

uint32_t pkt_copy_out(const struct tern_pkt *p, uint32_t offset, void *dst, uint32_t len)
{
	uint8_t *out = dst;
	uint32_t done = 0;

	for (unsigned i = 0; i <= p->n_spans && done < len; i++) {
		struct tern_span s = part_of(p, i);
		uint32_t skip = MIN(offset, s.len), n = MIN(s.len - skip, len - done);

		memcpy(out + done, s.ptr + skip, n);
		done += n;
		offset -= skip;
	}
	return done;
}

struct tern_pkt *pkt_copy(struct mem *m, const struct tern_pkt *p, uint32_t head_room)
{
	struct tern_pkt *copy = pkt_new(m, head_room, p->total_len);

	if (!copy)
		return NULL;
	pkt_copy_out(p, 0, copy->data, p->total_len);
	copy->ifindex = p->ifindex;
	copy->flags = p->flags & (uint16_t)~TERN_PKT_EXTERNAL;
	copy->csum_start = p->csum_start;
	copy->csum_off = p->csum_off;
	copy->gso_size = p->gso_size;
	return copy;
}

/* Adds with the carry brought round; the sum of a piece at an odd offset has its bytes swapped. */
uint32_t sum_add_piece(uint32_t sum, uint32_t piece, bool is_odd)
{
	if (is_odd) {
		piece = (piece & 0xffff) + (piece >> 16);
		piece = (piece & 0xffff) + (piece >> 16);
		piece = (piece & 0xff) << 8 | piece >> 8;
	}
	sum += piece;
	return sum + (sum < piece);
}

uint32_t pkt_sum(const struct tern_pkt *p, uint32_t offset,
		 uint32_t (*sum_fn)(const void *, size_t, uint32_t), uint32_t sum)
{
	uint32_t done = 0;

	for (unsigned i = 0; i <= p->n_spans; i++) {
		struct tern_span s = part_of(p, i);
		uint32_t skip = MIN(offset, s.len);

		offset -= skip;
		if (s.len == skip)
			continue;
		sum = sum_add_piece(sum, sum_fn(s.ptr + skip, s.len - skip, 0), done & 1);
		done += s.len - skip;
	}
	return sum;
}

uint32_t pkt_copy_spans_sum(const struct tern_pkt *p, uint32_t before, uint8_t *dst,
			    uint32_t (*copy_sum_fn)(void *, const void *, size_t, uint32_t),
			    uint32_t sum)
{
	for (unsigned i = 0; i < p->n_spans; i++) {
		const struct tern_span *s = &p->span[i];

		sum = sum_add_piece(sum, copy_sum_fn(dst, s->ptr, s->len, 0), before & 1);
		dst += s->len;
		before += s->len;
	}
	return sum;
}

void pkt_queue_init(struct pkt_queue *q)
{
	*q = (struct pkt_queue){ .tail = &q->head };
}

void pkt_queue_put(struct pkt_queue *q, struct tern_pkt *p)
{
	p->next = NULL;
	*q->tail = p;
	q->tail = &p->next;
	q->n++;
	q->bytes += p->total_len;
}

struct tern_pkt *pkt_queue_take(struct pkt_queue *q)
{
	struct tern_pkt *p = q->head;

	if (!p)
		return NULL;
	q->head = p->next;
	if (!q->head)
		q->tail = &q->head;
	p->next = NULL;
	q->n--;
	q->bytes -= p->total_len;
	return p;
}

void pkt_queue_fini(struct pkt_queue *q, struct mem *m)
{
	struct tern_pkt *p;

	while ((p = pkt_queue_take(q)))
		pkt_free(m, p);
}
