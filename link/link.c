/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.c - the frames on one direction of a wire, in the order in which they arrive.
 *
 * Nearly all frames keep their order, so a first-in first-out queue holds them; the few that the
 * weather holds back wait in a second, sorted one. The next frame is the earlier of the two heads.
 *
 * Invariants: both queues are sorted by due; of equal instants the frame in order comes first.
 */
#include "link.h"

void link_init(struct link *l, const struct tern_weather *w, const struct rand *r)
{
	memset(l, 0, sizeof(*l));
	l->weather = *w;
	l->rand = *r;
}

static void append(struct link_queue *q, struct link_frame *f)
{
	f->next = NULL;
	if (q->tail)
		q->tail->next = f;
	else
		q->head = f;
	q->tail = f;
}

static void insert_by_due(struct link_queue *q, struct link_frame *f)
{
	struct link_frame **at = &q->head;

	while (*at && (*at)->due <= f->due)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	if (!f->next)
		q->tail = f;
}

void link_put(struct link *l, struct link_frame *f, const struct link_fate *fate)
{
	f->due = fate->due;
	if (fate->held)
		insert_by_due(&l->held, f);
	else
		append(&l->in_order, f);
}

/* The queue whose head arrives next; its head is NULL when nothing is on the wire. */
static const struct link_queue *next_queue(const struct link *l)
{
	const struct link_frame *f = l->in_order.head, *h = l->held.head;

	return h && (!f || h->due < f->due) ? &l->held : &l->in_order;
}

struct link_frame *link_take(struct link *l, tern_time now)
{
	struct link_queue *q = next_queue(l) == &l->held ? &l->held : &l->in_order;
	struct link_frame *f = q->head;

	if (!f || f->due > now)
		return NULL;
	q->head = f->next;
	if (!q->head)
		q->tail = NULL;
	f->next = NULL;
	return f;
}

tern_time link_deadline(const struct link *l)
{
	const struct link_frame *f = next_queue(l)->head;

	return f ? f->due : TERN_NEVER;
}
