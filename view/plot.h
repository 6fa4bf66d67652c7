/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot.h - a run of TCP as curves over time: numbers, windows, round-trip times.
 *
 * Segments, acknowledgements and timers come from a view; congestion and RTT figures, which no
 * frame carries, from the stacks' trace records. The picture is of one connection, the one that
 * moved most bytes in one direction, and of that direction.
 */
#ifndef TERN_VIEW_PLOT_H
#define TERN_VIEW_PLOT_H

#include <stdio.h>

#include "events.h"

struct plot_sample {
	tern_time at;
	int host;
	uint64_t conn;
	uint64_t cwnd, ssthresh;
	tern_time srtt, rto;
};

/* Begins as zeros; grows with the run, as its view does, a record for each of the stack's. */
struct plot_samples {
	struct plot_sample *sample;
	size_t n, cap;
	bool incomplete; /* memory ran out */
};

/* Keeps what a record of host's stack says about windows and RTT; other records are passed over. */
void plot_samples_take(struct plot_samples *, int host, const struct tern_trace *);
void plot_samples_fini(struct plot_samples *);

/*
 * Writes one SVG document. title names the run, such as "http, seed 1". A view without TCP, or
 * where nobody sent a byte, gives a picture that says so. false: memory ran out or the stream
 * failed.
 */
bool plot_svg(FILE *, const struct view *, const struct plot_samples *, const char *title);

#endif
