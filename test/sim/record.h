/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - from what a simulation's observer is told to the events of a view.
 *
 * Frames on lo never reach a link: they are taken from the trace, and paired first in, first out,
 * as lo keeps their order.
 */
#ifndef TERN_TEST_RECORD_H
#define TERN_TEST_RECORD_H

#include "../../include/tern_sim.h"
#include "../../view/events.h"

enum { RECORD_LO_INDEX = 1 };
#define RECORD_LO_FRAMES ((uint64_t)1 << 48) /* their numbers begin above those of links */

struct record {
	struct view *view;
	bool raw_ip;          /* the links carry IP without Ethernet */
	uint64_t n_lo_out[VIEW_HOSTS_MAX], n_lo_in[VIEW_HOSTS_MAX];
};

static inline void record_lo(struct record *r, const struct tern_sim_note *n)
{
	const struct tern_trace *t = n->trace;
	bool out = t->kind == TERN_TRACE_PACKET_OUT;
	uint64_t number = out ? ++r->n_lo_out[n->host] : ++r->n_lo_in[n->host];
	uint8_t bytes[256];
	struct view_event ev = {
		.at = n->at, .kind = out ? VIEW_SENT : VIEW_DELIVERED, .host = n->host,
		.frame = RECORD_LO_FRAMES * (1 + (uint64_t)n->host) + number, .raw_ip = true,
		.len = t->pkt->total_len, .kept = tern_pkt_copy(t->pkt, 0, bytes, sizeof(bytes)),
		.bytes = out ? bytes : NULL,
	};

	view_add(r->view, &ev);
}

static inline void record_trace(struct record *r, const struct tern_sim_note *n)
{
	const struct tern_trace *t = n->trace;
	struct view_event ev = {
		.at = n->at, .host = n->host, .conn = t->conn, .local = t->local,
		.remote = t->remote, .old_state = t->old_state, .new_state = t->new_state,
		.by_listen = t->by_listen,
	};
	bool packet = t->kind == TERN_TRACE_PACKET_OUT || t->kind == TERN_TRACE_PACKET_IN;

	switch (t->kind) {
	case TERN_TRACE_PACKET_OUT:
		ev.kind = VIEW_CAUSE;
		ev.text = tern_cause_name((enum tern_cause)t->cause);
		break;
	case TERN_TRACE_DROP:
		ev.kind = VIEW_DROP;
		ev.text = tern_drop_name((enum tern_drop)t->drop);
		break;
	case TERN_TRACE_STATE:
		ev.kind = VIEW_STATE;
		break;
	case TERN_TRACE_TIMER:
		ev.kind = VIEW_TIMER;
		ev.text = t->timer;
		break;
	default:
		ev.host = -1; /* nothing to show */
	}
	if (ev.host >= 0)
		view_add(r->view, &ev);
	if (packet && t->pkt && t->pkt->ifindex == RECORD_LO_INDEX)
		record_lo(r, n);
}

/* A tern_sim_observe_fn; ctx is a struct record. */
static inline void record_note(void *ctx, const struct tern_sim_note *n)
{
	static const uint32_t kinds[] = {
		[TERN_SIM_FRAME_SENT] = VIEW_SENT, [TERN_SIM_FRAME_DELIVERED] = VIEW_DELIVERED,
		[TERN_SIM_FRAME_LOST] = VIEW_LOST, [TERN_SIM_FRAME_CORRUPTED] = VIEW_CORRUPTED,
		[TERN_SIM_FRAME_DUPLICATED] = VIEW_DUPLICATED,
	};
	struct record *r = ctx;
	struct view_event ev = {
		.at = n->at, .host = n->host, .frame = n->frame_id, .copy_of = n->copy_of,
		.raw_ip = r->raw_ip, .bytes = n->frame, .len = n->len, .kept = n->len,
		.text = n->why,
	};

	if (n->what == TERN_SIM_TRACE) {
		record_trace(r, n);
		return;
	}
	ev.kind = kinds[n->what];
	view_add(r->view, &ev);
}

#endif
