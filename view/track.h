/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.h - what a TCP segment means in the light of those before it.
 */
#ifndef TERN_VIEW_TRACK_H
#define TERN_VIEW_TRACK_H

#include "flow.h"

/* The segment leaves its sender: fills in relative numbers, scaled window and marks. */
void track_sent(struct flow *, struct segment *);
/* A copy of it arrives: marks it (the first time) and sets duplicate of the step. */
void track_arrival(struct flow *, struct segment *, struct step *, struct mem *);
/* What is counted instead of being there moves the numbers of a side on. */
void track_left_out(struct flow *, int side, const struct view_fold *, struct mem *);

#endif
