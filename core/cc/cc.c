/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.c - the registry of congestion control algorithms, and what they share.
 *
 * Sources: RFC 5681 section 3.1, RFC 6928 (initial window).
 */
#include "cc.h"

#include "../base/text.h"

static const struct cc_ops *const algorithms[] = { &cc_reno, &cc_cubic, &cc_fixed };

const struct cc_ops *cc_find(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(algorithms); i++)
		if (text_equal(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}

/* RFC 6928 section 2: min(10 MSS, max(2 MSS, 14600)), with the 10 configurable. */
static uint32_t initial_window(uint32_t mss, uint32_t segments)
{
	return MIN(segments * mss, MAX(2 * mss, segments * 1460));
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, uint32_t initial_segments)
{
	memset(cc, 0, sizeof(*cc));
	cc->ops = ops;
	cc->mss = mss;
	cc->ssthresh = CC_INFINITE;
	cc->cwnd = initial_window(mss, initial_segments);
	cc->initial = cc->cwnd;
	ops->init(cc);
}

void cc_set_state(struct cc *cc, void *state)
{
	cc->state = state;
	if (state)
		memset(state, 0, CC_STATE_SIZE);
	cc->ops->init(cc);
}

void cc_change(struct cc *cc, const struct cc_ops *ops)
{
	cc->ops = ops;
	if (cc->cwnd == CC_INFINITE) /* the fixed window's says nothing to others */
		cc->cwnd = cc->initial;
	cc_set_state(cc, cc->state);
}

void cc_set_mss(struct cc *cc, uint32_t mss)
{
	cc->mss = mss;
	cc->cwnd = MAX(cc->cwnd, mss);
}
