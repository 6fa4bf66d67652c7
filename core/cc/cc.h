/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - congestion control: how much may be in flight?
 *
 * An algorithm sees samples, never the connection. It decides cwnd and ssthresh; loss detection
 * and repair are not its business: on_congestion sets ssthresh, and the repair moves cwnd there. An
 * algorithm is one file and one line in cc_find. Figures are bytes.
 *
 * Its state lives while the connection sends (struct tcp_work); cwnd and ssthresh outlive it. All
 * calls but init are made with a state only.
 */
#ifndef TERN_CC_H
#define TERN_CC_H

#include "../../include/tern.h"
#include "../base/base.h"

struct cc_sample {
	tern_time now;
	tern_time rtt;	    /* of the newest byte delivered; 0: not measured */
	tern_time srtt;	    /* 0: never measured */
	uint64_t in_flight; /* before this event */
	uint32_t acked;	    /* bytes newly acknowledged */
	bool new_round;	    /* all that was in flight when the last round began has arrived */
	bool cwnd_limited;  /* the window was full: growing it makes sense */
	bool again;	    /* a time-out: not the first of its episode */
};

enum { CC_STATE_SIZE = 128, CC_INFINITE = 0x7fffffff };

struct cc;

struct cc_ops {
	const char *name;
	void (*init)(struct cc *); /* the state is all zeros, or NULL */
	void (*on_ack)(struct cc *, const struct cc_sample *);
	void (*on_congestion)(struct cc *, const struct cc_sample *); /* once per episode */
	void (*on_rto)(struct cc *, const struct cc_sample *);
	void (*on_idle)(struct cc *, const struct cc_sample *); /* nothing sent for an RTO */
	void (*on_undo)(struct cc *); /* the last on_congestion or on_rto was a false alarm */
};

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd, ssthresh, mss;
	uint32_t initial; /* cwnd to begin and restart with */
	void *state;	  /* the algorithm's own, CC_STATE_SIZE bytes; NULL: it rests */
};

/* "reno", "cubic", "fixed"; NULL: no such algorithm. */
const struct cc_ops *cc_find(const char *name);
void cc_init(struct cc *, const struct cc_ops *, uint32_t mss, uint32_t initial_segments);
/* Begins with a fresh state, of CC_STATE_SIZE bytes and aligned for any; NULL takes it away. */
void cc_set_state(struct cc *, void *state);
/* Another algorithm goes on from the same window. */
void cc_change(struct cc *, const struct cc_ops *);
/* The MSS became smaller or larger. */
void cc_set_mss(struct cc *, uint32_t mss);

extern const struct cc_ops cc_reno, cc_cubic, cc_fixed;

#endif
