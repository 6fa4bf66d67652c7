/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - congestion control: how much may be in flight?
 *
 * An algorithm sees samples, never the connection. It decides cwnd and ssthresh; loss detection
 * and repair are not its business. An algorithm is one file and one line in cc_find. Figures are
 * bytes.
 */
#ifndef TERN_CC_H
#define TERN_CC_H

#include "../../include/tern.h"
#include "../base/base.h"

struct cc_sample {
	tern_time now;
	tern_time rtt;	    /* of the newest acknowledged byte; 0: not measured */
	uint64_t in_flight; /* before this event */
	uint32_t acked;	    /* bytes newly acknowledged */
	bool cwnd_limited;  /* the window was full: growing it makes sense */
	bool again;	    /* a time-out: not the first of its episode */
};

enum { CC_STATE_SIZE = 8, CC_INFINITE = 0x7fffffff };

struct cc;

struct cc_ops {
	const char *name;
	void (*init)(struct cc *);
	void (*on_ack)(struct cc *, const struct cc_sample *);
	void (*on_congestion)(struct cc *, const struct cc_sample *); /* once per episode */
	void (*on_recovery_end)(struct cc *, const struct cc_sample *);
	void (*on_rto)(struct cc *, const struct cc_sample *);
	void (*on_idle)(struct cc *, const struct cc_sample *); /* nothing sent for an RTO */
};

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd, ssthresh, mss;
	uint32_t initial;	      /* cwnd to begin and restart with */
	uint8_t state[CC_STATE_SIZE]; /* the algorithm's own */
};

/* "reno", "fixed"; NULL: no such algorithm. */
const struct cc_ops *cc_find(const char *name);
void cc_init(struct cc *, const struct cc_ops *, uint32_t mss, uint32_t initial_segments);
/* The MSS became smaller or larger. */
void cc_set_mss(struct cc *, uint32_t mss);

extern const struct cc_ops cc_reno, cc_fixed;

#endif
