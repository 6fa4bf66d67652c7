/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - one direction of a wire, pure: time in, frames in, frames out.
 *
 * The sender asks link_decide what the weather does to a frame, and puts what survives into the
 * link with link_put; the receiver takes it out with link_take at its instant. The link allocates
 * nothing: a frame belongs to the link between put and take, to the caller before and after.
 */
#ifndef TERN_LINK_LINK_H
#define TERN_LINK_LINK_H

#include "../core/base/rand.h"
#include "../include/tern_sim.h"

struct link_frame {
	struct link_frame *next;
	tern_time due;	/* when it reaches the far end */
	uint64_t id;	/* the owner's */
	uint16_t flags; /* as in struct tern_pkt, for frames that are not finished yet */
	uint16_t csum_start, csum_off, gso_size;
	uint32_t len;
	uint8_t data[];
};

struct link_queue {
	struct link_frame *head, *tail;
};

struct link {
	struct tern_weather weather;
	struct rand rand;
	tern_time free_at;	    /* when the last frame accepted so far has left the sender */
	tern_time last_due;	    /* of the frames that keep their order */
	struct link_queue in_order; /* by due, which is also the order of sending */
	struct link_queue held;	    /* frames that others overtake, by due */
};

void link_init(struct link *, const struct tern_weather *, const struct rand *);

/* What becomes of a frame. */
struct link_fate {
	const char *lost; /* NULL: it arrives; else "down", "loss", "queue" or "black-hole" */
	tern_time due;
	bool held;	 /* it leaves the order: later frames overtake it */
	bool duplicated; /* a second copy arrives right after it */
	bool corrupted;
	bool marked;  /* with CE, if it is able to carry that: link_mark */
	uint32_t bit; /* which one is flipped */
};
/* Decides, and occupies the sender for the time that the frame takes at the link's rate. */
struct link_fate link_decide(struct link *, tern_time now, uint32_t len);

/* Sets CE in an ECT packet. false: it is none, or no IP packet at all; nothing happened. */
bool link_mark(enum tern_link kind, uint8_t *frame, uint32_t len);

/* Takes the frame, to be due as its fate says. */
void link_put(struct link *, struct link_frame *, const struct link_fate *);
/* The next frame that is due at or before now, or NULL. */
struct link_frame *link_take(struct link *, tern_time now);
/* When link_take has the next one; TERN_NEVER. */
tern_time link_deadline(const struct link *);

#endif
