/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.h - what a ladder shows, line by line, before anybody draws it.
 */
#ifndef TERN_VIEW_ROWS_H
#define TERN_VIEW_ROWS_H

#include "flow.h"

enum row_kind {
	ROW_STATE,  /* `side` enters `state` */
	ROW_ARROW,  /* a segment from side to side: nothing happened at the receiver meanwhile */
	ROW_DEPART, /* a segment leaves ... */
	ROW_ARRIVE, /* ... and arrives, later than something else; both have the same tag */
	ROW_LOST,   /* a segment leaves and does not arrive */
	ROW_TIMER,  /* a timer of `side` expires */
	ROW_FOLD,   /* segments that are not shown one by one */
	ROW_GAP,    /* `gap` passes */
};

struct row {
	uint32_t kind;
	tern_time at;
	int side; /* sender, or where it happens; of an arrival the receiver */
	uint32_t segment;
	unsigned tag;
	int mate; /* of a departure and its arrival: the other row; -1: none */
	uint8_t state;
	const struct step *step;
	tern_time gap;
	struct view_fold fold;
};

struct rows {
	struct row *row;
	size_t n, cap;
	bool incomplete; /* memory ran out */
};

/*
 * from: the first step to show, 0 unless those before are drawn already; full: fold nothing, show
 * timers. The flow must outlive the rows. NULL: no memory.
 */
struct rows *rows_new(const struct flow *, size_t from, bool full);
void rows_free(struct rows *);

#endif
