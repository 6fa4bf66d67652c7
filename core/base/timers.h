/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers.h - a hierarchical timing wheel.
 *
 * One tick is 16384 ns. Arming, disarming and expiring are O(1). A node never fires before its
 * instant; timers_deadline never names an instant later than the earliest armed node, and may name
 * an earlier one (when a coarse slot must be spread over finer ones). Nodes fire in order of their
 * ticks, those of equal time in the order in which they were armed; one that was moved to a later
 * time counts as armed when its former time came up.
 *
 * A node is intrusive: { links, at, kind }. `kind` is the owner's: it tells the dispatcher what
 * the node is embedded in.
 */
#ifndef TERN_TIMERS_H
#define TERN_TIMERS_H

#include "../../include/tern.h"
#include "list.h"

struct timer {
	struct list link;
	tern_time at;  /* TERN_NEVER: not armed */
	uint32_t kind; /* the owner's: what the node is embedded in */
	uint32_t data; /* the owner's */
};

enum { WHEEL_LEVELS = 8, WHEEL_SLOTS = 64, WHEEL_TICK_SHIFT = 14 };

struct timers {
	tern_time now;
	uint64_t tick;			 /* now in ticks, as far as slots were emptied */
	uint64_t occupied[WHEEL_LEVELS]; /* bit for each slot */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list due; /* expired, not yet taken */
};

void timers_init(struct timers *, tern_time now);
void timer_init(struct timer *, uint32_t kind);
static inline bool timer_armed(const struct timer *t)
{
	return t->at != TERN_NEVER;
}
/* Arms (or moves) the node; an instant not after now is due at once. */
void timers_arm(struct timers *, struct timer *, tern_time at);
void timers_disarm(struct timers *, struct timer *);
/* Time passes; nothing fires by itself. */
void timers_advance(struct timers *, tern_time now);
/* The next node that is due (at <= now), disarmed; NULL: none. */
struct timer *timers_take(struct timers *);
tern_time timers_deadline(const struct timers *);
void timers_check(const struct timers *);

#endif
