/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers.c - the timing wheel of timers.h.
 *
 * An instant's tick has eight digits of six bits. A node lies at the level of the highest digit in
 * which its tick differs from the wheel's, in the slot of that digit; so all nodes of a level lie
 * ahead of the wheel, all of a lower level before all of a higher one, and the earliest slot is the
 * lowest bit of the lowest level in use. When time reaches a slot its nodes are filed again, one
 * level or more down; those of the current tick stay in its slot until their very instant. Nodes
 * of one instant share a slot at any time, in the order in which they were armed.
 *
 * Moving a node to a later instant only stores it: the node is filed anew when its slot comes up
 * (or it is taken), and counts as armed then. Instants past the last tick (146 years) share that
 * tick's slot.
 *
 * Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.
 */
#include "timers.h"

enum { DIGIT_BITS = 6, SCAN_MAX = 8 };

#define LAST_TICK (((uint64_t)1 << WHEEL_LEVELS * DIGIT_BITS) - 1)

_Static_assert(WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each value of a digit");

static uint64_t tick_of(tern_time at)
{
	return MIN(at >> WHEEL_TICK_SHIFT, LAST_TICK);
}

void timers_init(struct timers *w, tern_time now)
{
	memset(w, 0, sizeof(*w));
	w->now = now;
	w->tick = tick_of(now);
	list_init(&w->due);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (unsigned i = 0; i < WHEEL_SLOTS; i++)
			list_init(&w->slot[level][i]);
}

void timer_init(struct timer *t, uint32_t kind)
{
	list_init(&t->link);
	t->at = TERN_NEVER;
	t->kind = kind;
}

static void file(struct timers *w, struct timer *t)
{
	uint64_t tick = tick_of(t->at);
	unsigned level = 0, digit;

	for (uint64_t diff = (tick ^ w->tick) >> DIGIT_BITS; diff; diff >>= DIGIT_BITS)
		level++;
	digit = tick >> level * DIGIT_BITS & (WHEEL_SLOTS - 1);
	list_put_tail(&w->slot[level][digit], &t->link);
	w->occupied[level] |= (uint64_t)1 << digit;
}

static void unlink_node(struct timers *w, struct timer *t)
{
	struct list *head = t->link.next;
	size_t i;

	list_unlink(&t->link);
	if (!list_empty(head) || head == &w->due)
		return;
	i = (size_t)(head - &w->slot[0][0]);
	w->occupied[i / WHEEL_SLOTS] &= ~((uint64_t)1 << i % WHEEL_SLOTS);
}

void timers_arm(struct timers *w, struct timer *t, tern_time at)
{
	if (timer_armed(t)) {
		if (at >= t->at && at != TERN_NEVER) {
			t->at = at;
			return;
		}
		unlink_node(w, t);
	}
	t->at = at;
	if (at <= w->now)
		list_put_tail(&w->due, &t->link);
	else if (at != TERN_NEVER)
		file(w, t);
}

void timers_disarm(struct timers *w, struct timer *t)
{
	if (!timer_armed(t))
		return;
	unlink_node(w, t);
	t->at = TERN_NEVER;
}

/* The number of the lowest bit set, by a de Bruijn sequence, which compilers know. */
static unsigned lowest_bit(uint64_t v)
{
	static const uint8_t number[64] = {
		0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28,
		62, 5,	39, 46, 44, 42, 22, 9,	24, 35, 59, 56, 49, 18, 29, 11,
		63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
		51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
	};

	return number[(v & (0 - v)) * 0x022fdd63cc95386d >> 58];
}

struct wheel_place {
	unsigned level, digit;
	uint64_t start, end; /* the ticks it covers, [start, end) */
};

/* The earliest slot that holds a node; false: none. */
static bool find_first_slot(const struct timers *w, struct wheel_place *p)
{
	uint64_t width = 1;

	for (p->level = 0; p->level < WHEEL_LEVELS; p->level++, width <<= DIGIT_BITS) {
		if (!w->occupied[p->level])
			continue;
		p->digit = lowest_bit(w->occupied[p->level]);
		p->start = (w->tick & ~(width * WHEEL_SLOTS - 1)) + p->digit * width;
		p->end = p->start + width;
		return true;
	}
	return false;
}

static void empty_slot(struct timers *w, const struct wheel_place *p)
{
	struct list *slot = &w->slot[p->level][p->digit], nodes;

	nodes = *slot;
	nodes.next->prev = nodes.prev->next = &nodes;
	list_init(slot);
	w->occupied[p->level] &= ~((uint64_t)1 << p->digit);
	while (!list_empty(&nodes)) {
		struct timer *t = CONTAINER_OF(list_take(&nodes), struct timer, link);

		if (t->at <= w->now && tick_of(t->at) == w->tick)
			list_put_tail(&w->due, &t->link);
		else
			file(w, t);
	}
}

void timers_advance(struct timers *w, tern_time now)
{
	uint64_t tick = tick_of(now);
	struct wheel_place p;

	if (now <= w->now)
		return;
	w->now = now;
	while (find_first_slot(w, &p) && p.start <= tick) {
		w->tick = p.start;
		empty_slot(w, &p);
		if (p.start == tick)
			break;
	}
	w->tick = tick;
}

struct timer *timers_take(struct timers *w)
{
	struct list *l;

	while ((l = list_take(&w->due))) {
		struct timer *t = CONTAINER_OF(l, struct timer, link);

		if (t->at <= w->now) {
			t->at = TERN_NEVER;
			return t;
		}
		file(w, t);
	}
	return NULL;
}

/* Exact where the first slot holds few nodes or has begun, else its beginning. */
tern_time timers_deadline(const struct timers *w)
{
	tern_time earliest = TERN_NEVER;
	const struct list *slot;
	struct wheel_place p;
	unsigned n = 0;

	if (!list_empty(&w->due))
		return w->now;
	if (!find_first_slot(w, &p))
		return TERN_NEVER;
	slot = &w->slot[p.level][p.digit];
	for (struct list *l = slot->next; l != slot; l = l->next) {
		if (++n > SCAN_MAX && p.start > w->tick)
			return p.start << WHEEL_TICK_SHIFT;
		earliest = MIN(earliest, CONTAINER_OF(l, struct timer, link)->at);
	}
	if (p.end > LAST_TICK)
		return earliest;
	return MIN(earliest, p.end << WHEEL_TICK_SHIFT);
}

void timers_check(const struct timers *w)
{
	assert(w->tick == tick_of(w->now));
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
			const struct list *slot = &w->slot[level][i];
			uint64_t width = (uint64_t)1 << level * DIGIT_BITS;
			uint64_t start = (w->tick & ~(width * WHEEL_SLOTS - 1)) + i * width;

			assert((w->occupied[level] >> i & 1) == !list_empty(slot));
			assert(list_empty(slot) || start > w->tick || (!level && start == w->tick));
			for (struct list *l = slot->next; l != slot; l = l->next) {
				const struct timer *t = CONTAINER_OF(l, struct timer, link);

				assert(l->next->prev == l && t->at > w->now);
				assert(tick_of(t->at) >= start);
			}
		}
	}
}
