/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - congestion control: how much may be in flight, and how fast does it leave?
 *
 * What an algorithm is, and what it may and must do, is in tern.h (struct tern_cc_ops): ours and
 * the user's are the same. One of ours is one file and one line in cc_find. This is what TCP asks.
 *
 * A state lives while the connection sends (struct tcp_work); cwnd and ssthresh outlive it. All
 * calls but cc_init, cc_set_state, cc_change and cc_set_mss are made with one.
 */
#ifndef TERN_CC_H
#define TERN_CC_H

#include "../../include/tern.h"
#include "../base/base.h"

enum { CC_STATE_SIZE = TERN_CC_STATE_SIZE, CC_INFINITE = TERN_CC_INFINITE };

static inline struct tern_cc_pace *cc_pace(const struct tern_cc *cc)
{
	return cc->state;
}

/* The user's algorithms of one stack. */
struct cc_set {
	struct tern_cc_ops own[TERN_CC_OWN_MAX];
	uint32_t n;
};

/* Ours or, unless the set is NULL, one of it; NULL: no such algorithm. */
const struct tern_cc_ops *cc_find(const struct cc_set *, const char *name);
/* The name of the i-th that cc_find knows; NULL: there are no more. */
const char *cc_name(const struct cc_set *, unsigned i);
/* 0, -TERN_EINVAL (the name), -TERN_EEXIST or -TERN_ENOSPC. */
int cc_register(struct cc_set *, const struct tern_cc_ops *);

void cc_init(struct tern_cc *, const struct tern_cc_ops *, uint32_t mss, uint32_t initial_segments);
/* Begins with a fresh state, of CC_STATE_SIZE bytes and aligned for any; NULL takes it away. */
void cc_set_state(struct tern_cc *, void *state);
/* Another algorithm goes on from the same window. */
void cc_change(struct tern_cc *, const struct tern_cc_ops *);
/* The MSS became smaller or larger. */
void cc_set_mss(struct tern_cc *, uint32_t mss);

/* The events of struct tern_cc_ops. */
void cc_on_send(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_ack(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_loss(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_congestion(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_recovery_end(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_rto(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_idle(struct tern_cc *, const struct tern_cc_sample *);
void cc_on_undo(struct tern_cc *);

extern const struct tern_cc_ops cc_reno, cc_cubic, cc_bbr, cc_fixed;
extern const struct tern_cc_ops *const cc_built_in[]; /* NULL ends it */

#endif
