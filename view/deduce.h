/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deduce.h - the states of both ends of a connection, from its segments alone.
 */
#ifndef TERN_VIEW_DEDUCE_H
#define TERN_VIEW_DEDUCE_H

#include "flow.h"

struct deduced {
	bool begun, midstream;
	bool known[2];
	uint8_t state[2];  /* enum tern_tcp_state */
	int64_t edge[2];   /* the side's numbers below it have arrived; relative */
	int64_t fin[2];	   /* the number behind the side's FIN; 0: none */
	bool syn_had_data; /* TCP Fast Open */
	uint32_t n_resets_ignored;
};

struct deduced_change {
	uint8_t side;
	uint8_t old_state, new_state; /* the same: so it began */
	bool on_arrival;	      /* at the segment's receiver; else before it leaves */
};

enum { DEDUCED_MAX = 12 };

/*
 * Takes the next segment of the flow, which has passed flow_sent; writes what changes with it, in
 * order, those before it leaves first. Returns how many. What begins begins on the left.
 */
size_t deduce(struct deduced *, const struct flow *, const struct segment *,
	      struct deduced_change out[DEDUCED_MAX]);

#endif
