/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.c - which algorithms of congestion control are there, and what do all of them share?
 *
 * Sources: RFC 5681 section 3.1, RFC 6928 (initial window).
 */
#include "cc.h"

#include "../base/text.h"

/* ---- the registry ---- */

static const struct tern_cc_ops *algorithm_at(const struct cc_set *set, size_t i)
{
	for (const struct tern_cc_ops *const *built_in = cc_built_in; *built_in; built_in++, i--)
		if (i == 0)
			return *built_in;
	return set && i < set->n ? &set->own[i] : NULL;
}

const char *cc_name(const struct cc_set *set, unsigned i)
{
	const struct tern_cc_ops *ops = algorithm_at(set, i);

	return ops ? ops->name : NULL;
}

const struct tern_cc_ops *cc_find(const struct cc_set *set, const char *name)
{
	const struct tern_cc_ops *ops;

	for (size_t i = 0; (ops = algorithm_at(set, i)); i++)
		if (text_equal(ops->name, name))
			return ops;
	return NULL;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* It ends inside its array, so that later looks at it end, too. */
static bool is_algorithm_name(const char name[TERN_CC_NAME_MAX])
{
	size_t n = 0;

	while (n < TERN_CC_NAME_MAX && is_name_char(name[n]))
		n++;
	return n > 0 && n < TERN_CC_NAME_MAX && name[n] == 0;
}

int cc_register(struct cc_set *set, const struct tern_cc_ops *ops)
{
	if (!is_algorithm_name(ops->name))
		return -TERN_EINVAL;
	if (cc_find(set, ops->name))
		return -TERN_EEXIST;
	if (set->n == TERN_CC_OWN_MAX)
		return -TERN_ENOSPC;
	set->own[set->n++] = *ops;
	return 0;
}

/* ---- the window ---- */

/* RFC 6928 section 2: min(10 MSS, max(2 MSS, 14600)), with the 10 configurable. */
static uint32_t initial_window(uint32_t mss, uint32_t segments)
{
	return MIN(segments * mss, MAX(2 * mss, segments * 1460));
}

/* A window below a segment would never be used, one beyond any limit is none. */
static void bound_window(struct tern_cc *cc)
{
	cc->cwnd = MIN(MAX(cc->cwnd, cc->mss), CC_INFINITE);
	cc->ssthresh = MIN(cc->ssthresh, CC_INFINITE);
}

static void begin_algorithm(struct tern_cc *cc)
{
	if (cc->ops->init)
		cc->ops->init(cc);
	bound_window(cc);
}

void cc_init(struct tern_cc *cc, const struct tern_cc_ops *ops, uint32_t mss,
	     uint32_t initial_segments)
{
	memset(cc, 0, sizeof(*cc));
	cc->ops = ops;
	cc->mss = mss;
	cc->ssthresh = CC_INFINITE;
	cc->cwnd = initial_window(mss, initial_segments);
	cc->initial = cc->cwnd;
	begin_algorithm(cc);
}

void cc_set_state(struct tern_cc *cc, void *state)
{
	cc->state = state;
	if (state)
		memset(state, 0, CC_STATE_SIZE);
	begin_algorithm(cc);
}

void cc_change(struct tern_cc *cc, const struct tern_cc_ops *ops)
{
	cc->ops = ops;
	if (cc->cwnd == CC_INFINITE) /* the fixed window's says nothing to others */
		cc->cwnd = cc->initial;
	cc_set_state(cc, cc->state);
}

void cc_set_mss(struct tern_cc *cc, uint32_t mss)
{
	cc->mss = mss;
	cc->cwnd = MAX(cc->cwnd, mss);
}

/* ---- events ---- */

typedef void cc_event(struct tern_cc *, const struct tern_cc_sample *);

static void call(struct tern_cc *cc, cc_event *event, const struct tern_cc_sample *s)
{
	if (!event)
		return;
	event(cc, s);
	bound_window(cc);
}

void cc_on_send(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_send, s);
}

void cc_on_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_ack, s);
}

void cc_on_loss(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_loss, s);
}

void cc_on_congestion(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_congestion, s);
}

void cc_on_recovery_end(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_recovery_end, s);
}

void cc_on_rto(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_rto, s);
}

void cc_on_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	call(cc, cc->ops->on_idle, s);
}

void cc_on_undo(struct tern_cc *cc)
{
	if (cc->ops->on_undo)
		cc->ops->on_undo(cc);
	bound_window(cc);
}
