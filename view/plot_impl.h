/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_impl.h - what the parts of a plot share: the run by columns of pixels.
 *
 * Whatever is drawn lies in one of PLOT_WIDTH columns. Marks of segments fill cells of a grid;
 * a curve keeps of each column where it came in and went out, and its extremes. So a run of any
 * length takes the same memory and bounds the document, and a single retransmission among a
 * million segments still has its cell.
 */
#ifndef TERN_VIEW_PLOT_IMPL_H
#define TERN_VIEW_PLOT_IMPL_H

#include "flow.h"
#include "plot.h"

enum { PLOT_WIDTH = 1080, PLOT_HEIGHT = 380 }; /* HEIGHT: of the grid of segments */

/* What cells hold, bits. */
enum plot_mark {
	PLOT_NEW = 1 << 0,
	PLOT_SACKED = 1 << 1, /* when the ACK came */
	PLOT_AGAIN = 1 << 2,
	PLOT_PROBE = 1 << 3, /* of a closed window, or keep-alive */
	PLOT_LOST = 1 << 4,  /* the middle of a segment that did not arrive, or was dropped */
};

/* What columns hold, bits. */
enum plot_event {
	PLOT_RECOVERY = 1 << 0, /* from a fast retransmission until all sent before it is acked */
	PLOT_TIME_OUT = 1 << 1,
};

enum plot_curve {
	PLOT_ACKED,
	PLOT_EDGE, /* of the window that the receiver offers */
	PLOT_CWND,
	PLOT_SSTHRESH,
	PLOT_IN_FLIGHT, /* sent, neither acknowledged nor SACKed */
	PLOT_SRTT,
	PLOT_RTO,
	PLOT_N_CURVES
};

/* Of a curve within one column. */
struct plot_column {
	uint64_t first, last, lo, hi;
	bool any;
};

struct plot {
	const struct flows *flows;
	const struct flow *flow; /* NULL: there is no TCP connection */
	uint32_t n_connections;
	int from;		/* the side that is shown sending */
	tern_time start, span;	/* of the time axis; span > 0 */
	uint64_t top;		/* of the axis of numbers; > 0 */
	tern_time began, ended; /* the first byte sent, the last one acknowledged; 0: never */
	uint64_t n_time_outs, n_recoveries, n_probes;
	uint8_t mark[PLOT_WIDTH][PLOT_HEIGHT]; /* row 0 is the uppermost */
	uint8_t event[PLOT_WIDTH];
	struct plot_column curve[PLOT_N_CURVES][PLOT_WIDTH];
};

/* NULL: memory is short. The flows must outlive it; end with free. */
struct plot *plot_new(struct flows *, const struct plot_samples *);

/* ---- plot_axis.c ---- */

/* Ticks at multiples of step from lo to hi, told in one unit. */
struct plot_axis {
	uint64_t lo, hi, step, unit;
	const char *suffix;
};

enum plot_measure { PLOT_BYTES, PLOT_TIME };

enum { PLOT_LABEL_MAX = 48 };

/* The axis with the smallest step of 1, 2 or 5 times a power of ten that gives at most n_max. */
struct plot_axis plot_axis_of(enum plot_measure, uint64_t lo, uint64_t hi, unsigned n_max);
/* "200 k", "1.5 s", "0". Returns buf. */
char *plot_axis_label(const struct plot_axis *, uint64_t value, char buf[PLOT_LABEL_MAX]);
/* The largest number 1, 2 or 5 times a power of ten that is not above n; n > 0. */
uint64_t plot_round_down(uint64_t n);
/* The next one after such a number. */
uint64_t plot_round_next(uint64_t round);
/* A logarithm to base 2 in 1024ths, straight between powers of two; n > 0. */
uint64_t plot_log(uint64_t n);

#endif
