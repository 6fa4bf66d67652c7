/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.h - whose habits does the stack have?
 */
#ifndef TERN_DRILL_PROFILE_H
#define TERN_DRILL_PROFILE_H

#include "../../include/tern.h"
#include "drill.h"

struct drill_profile {
	const char *name;
	uint32_t rto_initial_ms, rto_min_ms, delayed_ack_ms, quick_acks, synack_retries,
		initial_cwnd;
	bool any_option_order; /* of TCP options in what is expected */
	bool pushes_bursts;    /* super-frames have PSH, whatever ends with them */
};

/* Into the configuration of a stack to be made; NULL: Linux's. */
void profile_apply(const struct drill_profile *, struct tern_config *);

#endif
