/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary.c - one line about a conversation that a reader can act on: who opened it, what went
 * each way, what had to be sent again, and how it ended.
 */
#include <inttypes.h>
#include <stdio.h>

#include "label.h"

static void add_opening(char *buf, const struct flows *fs, const struct flow *f)
{
	bool left = f->side[0].opened_by_syn, right = f->side[1].opened_by_syn;

	if (f->to_itself)
		label_add(buf, "%s opened to itself", flow_side_name(fs, f, 0));
	else if (left && right)
		label_add(buf, "both opened");
	else if (left || right)
		label_add(buf, "%s opened", flow_side_name(fs, f, left ? 0 : 1));
	else if (f->n_segments == 0) /* it waited for a neighbour, say */
		label_add(buf, "no SYN went out");
	else
		label_add(buf, "opened unseen");
}

/* Exact below a million, then with a suffix, so that the line stays short. */
static void add_amount(char *buf, uint64_t n)
{
	static const char suffix[] = { 'k', 'M', 'G', 'T' };
	uint64_t unit = 1000;
	size_t i = 0;

	if (n < 1000000) {
		label_add(buf, "%" PRIu64, n);
		return;
	}
	for (; n / unit >= 1000 && i + 1 < sizeof(suffix); i++)
		unit *= 1000;
	label_add(buf, "%" PRIu64 ".%u%c", n / unit, (unsigned)(n % unit / (unit / 10)), suffix[i]);
}

static void add_amounts(char *buf, const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];
	uint64_t lost = l->n_lost + r->n_lost;
	uint64_t resent = l->n_retransmitted + r->n_retransmitted;

	add_amount(buf, l->n_bytes);
	label_add(buf, " bytes >, ");
	add_amount(buf, r->n_bytes);
	label_add(buf, " <");
	if (lost)
		label_add(buf, "; %" PRIu64 " lost", lost);
	if (resent)
		label_add(buf, "%s %" PRIu64 " resent", lost ? "," : ";", resent);
}

static bool was_in(const struct flow *f, enum tern_tcp_state state)
{
	for (size_t i = 0; i < f->n_steps; i++)
		if (f->step[i].kind == STEP_STATE && f->step[i].new_state == (uint8_t)state)
			return true;
	return false;
}

/* When the last TIME-WAIT ended, or TERN_NEVER. */
static tern_time end_of_time_wait(const struct flow *f)
{
	tern_time at = TERN_NEVER;

	for (size_t i = 0; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind == STEP_STATE && s->old_state == TERN_TCP_TIME_WAIT)
			at = s->at;
	}
	return at;
}

static bool both_closed(const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];

	return was_in(f, TERN_TCP_CLOSING) ||
	       (l->fin_at < r->fin_arrived_at && r->fin_at < l->fin_arrived_at);
}

/* Who ended it. */
static void add_closing(char *buf, const struct flows *fs, const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];

	switch (flow_ending(f)) {
	case FLOW_REFUSED:
		label_add(buf, ", %s refused; ", flow_side_name(fs, f, 1));
		break;
	case FLOW_RESET:
		label_add(buf, ", %s reset; ", flow_side_name(fs, f, l->rst_sent ? 0 : 1));
		break;
	case FLOW_CLOSED:
		if (f->to_itself)
			label_add(buf, " and closed; ");
		else if (both_closed(f))
			label_add(buf, ", both closed; ");
		else
			label_add(buf, ", %s closed; ", flow_side_name(fs, f, r->fin_first));
		break;
	case FLOW_GAVE_UP:
		label_add(buf, ", %s gave up; ",
			  flow_side_name(fs, f, flow_side_gave_up(l) ? 0 : 1));
		break;
	case FLOW_HALF_CLOSED:
		label_add(buf, ", %s half closed; ", flow_side_name(fs, f, l->fin_sent ? 0 : 1));
		break;
	case FLOW_OPEN:
		label_add(buf, ", none closed; ");
		break;
	}
}

static void add_end_of_closed(char *buf, const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];
	tern_time ended = end_of_time_wait(f);
	char time[TIME_TEXT_MAX];

	if (l->state == TERN_TCP_TIME_WAIT || r->state == TERN_TCP_TIME_WAIT)
		label_add(buf, "in TIME-WAIT");
	else if (ended != TERN_NEVER)
		label_add(buf, "TIME-WAIT to %s s", label_time(time, ended + 50 * TERN_MS, 1));
	else if (f->to_itself || (l->fin_acked && r->fin_acked))
		label_add(buf, "in order");
	else
		label_add(buf, "last ACK unseen");
}

/* How it ended. */
static void add_ending(char *buf, const struct flow *f)
{
	enum flow_ending end = flow_ending(f);
	char endpoint[TERN_ADDR_TEXT_MAX];

	if (end == FLOW_REFUSED)
		label_add(buf, "nothing listens at %s", flow_endpoint(f, 1, endpoint));
	else if (end == FLOW_RESET)
		label_add(buf, "ended by a reset");
	else if (end == FLOW_CLOSED)
		add_end_of_closed(buf, f);
	else if (f->n_segments == 0)
		label_add(buf, "link address not found");
	else if (!f->answered && !f->to_itself)
		label_add(buf, f->side[1].isn_known ? "its answers unseen" : "no answer");
	else
		label_add(buf, end == FLOW_GAVE_UP ? "timed out" : "still open");
}

void label_summary(char buf[LABEL_MAX], const struct flows *fs, const struct flow *f)
{
	buf[0] = 0;
	if (f->proto != TERN_IPPROTO_TCP) {
		label_add(buf, "%zu packet%s; ", f->n_segments, f->n_segments == 1 ? "" : "s");
		add_amounts(buf, f);
		return;
	}
	add_opening(buf, fs, f);
	add_closing(buf, fs, f);
	add_amounts(buf, f);
	label_add(buf, "; ");
	add_ending(buf, f);
}
