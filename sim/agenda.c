/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agenda.c - what happens when: a binary heap ordered by (instant, order of asking).
 *
 * The second key makes the order total, so that a run depends on nothing but the calls made.
 */
#include <stdlib.h>

#include "world.h"

void agenda_fini(struct agenda *a)
{
	free(a->heap);
	memset(a, 0, sizeof(*a));
}

static bool is_before(const struct agenda_item *a, const struct agenda_item *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static bool make_room(struct agenda *a)
{
	size_t cap = a->cap ? a->cap * 2 : 64;
	struct agenda_item *heap;

	if (a->n < a->cap)
		return true;
	heap = realloc(a->heap, cap * sizeof(*heap));
	if (!heap)
		return false;
	a->heap = heap;
	a->cap = cap;
	return true;
}

bool agenda_put(struct agenda *a, struct agenda_item item)
{
	size_t i = a->n;

	if (!make_room(a))
		return false;
	item.order = a->n_ever++;
	a->n++;
	for (; i > 0 && is_before(&item, &a->heap[(i - 1) / 2]); i = (i - 1) / 2)
		a->heap[i] = a->heap[(i - 1) / 2];
	a->heap[i] = item;
	return true;
}

tern_time agenda_deadline(const struct agenda *a)
{
	return a->n ? a->heap[0].at : TERN_NEVER;
}

struct agenda_item agenda_take(struct agenda *a)
{
	struct agenda_item first, last;
	size_t i = 0, child;

	assert(a->n > 0);
	first = a->heap[0];
	last = a->heap[--a->n];
	while ((child = 2 * i + 1) < a->n) {
		if (child + 1 < a->n && is_before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (!is_before(&a->heap[child], &last))
			break;
		a->heap[i] = a->heap[child];
		i = child;
	}
	a->heap[i] = last;
	return first;
}
