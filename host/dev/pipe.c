/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.c - a wire inside the process: two devices, each the other's far end.
 *
 * A packet is copied once, into one of the stack that reads it, and waits in a bounded queue. The
 * wire carries super-frames and open checksums as they are; a plain one completes the checksum in
 * the same pass.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../core/base/pkt.h"
#include "dev.h"

/* As many bytes as a cache has: what is read should still be there. */
enum { QUEUE_MAX = 1000, QUEUE_BYTES_MAX = 512 << 10 };

struct end {
	struct dev dev;
	struct end *far;	/* NULL: closed */
	struct pkt_queue queue; /* waiting to be read here */
};

static int pipe_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct end *e = (struct end *)d;
	struct tern_pkt *p;
	int n = 0;

	(void)st;
	*list = NULL;
	while ((unsigned)n < max && (p = pkt_queue_take(&e->queue))) {
		*list = p;
		list = &p->next;
		n++;
	}
	return n || e->far ? n : -TERN_ENODEV;
}

static void fill(const struct dev *d, const struct tern_stack *st, const struct tern_pkt *p,
		 struct tern_pkt *copy)
{
	if (!(d->iface.flags & TERN_IFACE_TSO4) && p->gso_size == 0) {
		tern_pkt_emit(st, p, copy->data);
		return;
	}
	tern_pkt_copy(p, 0, copy->data, p->total_len);
	copy->flags = p->flags & DEV_FLAGS_KEPT;
	copy->csum_start = p->csum_start;
	copy->csum_off = p->csum_off;
	copy->gso_size = p->gso_size;
}

static int pipe_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	struct end *to = ((struct end *)d)->far;
	struct tern_pkt *copy;

	if (!to)
		return -TERN_ENODEV;
	if (to->queue.n >= QUEUE_MAX || to->queue.bytes >= QUEUE_BYTES_MAX)
		return -TERN_EAGAIN;
	copy = tern_pkt_new(to->dev.st, p->total_len);
	if (copy) {
		fill(d, st, p, copy);
		copy->ifindex = (uint16_t)to->dev.ifindex;
		pkt_queue_put(&to->queue, copy);
	} else {
		to->dev.refused++;
	}
	return 1;
}

static void pipe_plain(struct dev *d)
{
	d->iface.flags &= ~(uint32_t)(TERN_IFACE_TSO4 | TERN_IFACE_TSO6);
}

static bool pipe_pending(const struct dev *d)
{
	return ((const struct end *)d)->queue.head != NULL;
}

static void pipe_close(struct dev *d)
{
	struct end *e = (struct end *)d;
	struct tern_pkt *p;

	if (e->far)
		e->far->far = NULL;
	while ((p = pkt_queue_take(&e->queue)))
		tern_pkt_free(d->st, p);
	free(e);
}

bool pipe_open(struct dev *end[2], struct dev_wish *w)
{
	static const struct dev_ops ops = { .read = pipe_read,
					    .write = pipe_write,
					    .plain = pipe_plain,
					    .pending = pipe_pending,
					    .close = pipe_close };
	struct end *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	if (!a || !b) {
		free(a);
		free(b);
		snprintf(w->error, sizeof(w->error), "out of memory");
		return false;
	}
	a->dev = (struct dev){ .ops = &ops, .fd = -1 };
	a->dev.iface = (struct tern_iface){
		"wire", TERN_LINK_IP, w->mtu ? w->mtu : 1500, TERN_IFACE_CSUM, { 0 }
	};
	if (!w->no_offload)
		a->dev.iface.flags |= TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	*b = *a;
	pkt_queue_init(&a->queue);
	pkt_queue_init(&b->queue);
	a->far = b;
	b->far = a;
	end[0] = &a->dev;
	end[1] = &b->dev;
	return true;
}
