/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fixed.c - a window that never changes, for tests and for links that are the user's own.
 */
#include "cc.h"

static void fixed_init(struct tern_cc *cc)
{
	cc->cwnd = CC_INFINITE;
}

static void keep_window(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)cc;
	(void)s;
}

const struct tern_cc_ops cc_fixed = {
	.name = "fixed",
	.init = fixed_init,
	.on_ack = keep_window,
	.on_congestion = keep_window,
	.on_rto = keep_window,
	.on_idle = keep_window,
	.on_undo = fixed_init,
};
