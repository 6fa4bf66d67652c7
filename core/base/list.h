/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - circular doubly linked lists whose links live inside the members.
 *
 * A node that is on no list points to itself, so that unlinking is always safe and asking whether
 * it is linked is one compare.
 */
#ifndef TERN_LIST_H
#define TERN_LIST_H

#include "base.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_put_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_unlink(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* The first member, unlinked, or NULL. */
static inline struct list *list_take(struct list *head)
{
	struct list *n = head->next;

	if (n == head)
		return NULL;
	list_unlink(n);
	return n;
}

#endif
