/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.c - a wire inside the process: two devices, each the other's far end.
 *
 * A frame is copied once, its checksum completed on the way, and waits in a bounded queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev.h"

enum { QUEUE_MAX = 1000 };

struct frame {
	struct frame *next;
	uint32_t len;
	uint8_t bytes[];
};

struct end {
	struct dev dev;
	struct end *far;     /* NULL: closed */
	struct frame *first; /* waiting to be read here */
	struct frame **last;
	unsigned n;
};

static int pipe_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct end *e = (struct end *)d;
	int n = 0;

	*list = NULL;
	while ((unsigned)n < max && e->first) {
		struct frame *f = e->first;
		struct tern_pkt *p = tern_pkt_new(st, f->len);

		e->first = f->next;
		if (!e->first)
			e->last = &e->first;
		e->n--;
		if (p) {
			memcpy(p->data, f->bytes, f->len);
			p->ifindex = (uint16_t)d->ifindex;
			p->next = NULL;
			*list = p;
			list = &p->next;
			n++;
		} else {
			d->refused++;
		}
		free(f);
	}
	return n || e->far ? n : -TERN_ENODEV;
}

static int pipe_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	struct end *to = ((struct end *)d)->far;
	struct frame *f;

	if (!to)
		return -TERN_ENODEV;
	if (to->n >= QUEUE_MAX)
		return -TERN_EAGAIN;
	f = malloc(sizeof(*f) + p->total_len);
	if (!f)
		return 1; /* lost */
	*f = (struct frame){ .len = p->total_len };
	tern_pkt_emit(st, p, f->bytes);
	*to->last = f;
	to->last = &f->next;
	to->n++;
	return 1;
}

static bool pipe_pending(const struct dev *d)
{
	return ((const struct end *)d)->first != NULL;
}

static void pipe_close(struct dev *d)
{
	struct end *e = (struct end *)d;
	struct frame *f;

	if (e->far)
		e->far->far = NULL;
	while ((f = e->first)) {
		e->first = f->next;
		free(f);
	}
	free(e);
}

bool pipe_open(struct dev *end[2], struct dev_wish *w)
{
	static const struct dev_ops ops = {
		.read = pipe_read, .write = pipe_write, .pending = pipe_pending, .close = pipe_close
	};
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
	a->last = &a->first;
	*b = *a;
	b->last = &b->first;
	a->far = b;
	b->far = a;
	end[0] = &a->dev;
	end[1] = &b->dev;
	return true;
}
