/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_view.c - what the simulator and the stacks tell, as events of the view.
 *
 * Frames of the link come with numbers; what a stack sends itself over lo never meets the link and
 * gets its numbers here. A stack names the cause of a segment in the record of its output, just
 * before the frame appears.
 */
#include "lab.h"

#include <string.h>

/* Numbers of lo's frames; the link's begin at 1 and a lab that uses lo uses nothing else. */
enum { LO_INDEX = 1 };

static uint32_t link_kind(const struct lab *lab, int host)
{
	struct tern_iface iface;

	if (tern_iface_get(host == 0 ? lab->pair.a : lab->pair.b, 2, &iface))
		return TERN_LINK_IP;
	return iface.link;
}

static void observe_lo(struct lab *lab, const struct tern_sim_note *n)
{
	uint8_t bytes[65535];
	const struct tern_pkt *p = n->trace->pkt;
	struct view_event ev = { .at = n->at, .host = n->host, .raw_ip = true };

	ev.len = ev.kept = tern_pkt_copy(p, 0, bytes, sizeof(bytes));
	if (n->trace->kind == TERN_TRACE_PACKET_OUT) {
		ev.kind = VIEW_SENT;
		ev.frame = ++lab->lo_frame;
		ev.bytes = bytes;
	} else {
		ev.kind = VIEW_DELIVERED;
		ev.frame = ++lab->lo_delivered;
	}
	view_add(lab->view, &ev);
}

static void observe_trace(struct lab *lab, const struct tern_sim_note *n)
{
	const struct tern_trace *t = n->trace;
	struct view_event ev;

	if (view_event_of_trace(&ev, t)) {
		ev.at = n->at;
		ev.host = n->host;
		view_add(lab->view, &ev);
	}
	if ((t->kind == TERN_TRACE_PACKET_OUT || t->kind == TERN_TRACE_PACKET_IN) &&
	    t->pkt->ifindex == LO_INDEX)
		observe_lo(lab, n);
}

void lab_observe(void *ctx, const struct tern_sim_note *n)
{
	static const uint32_t kinds[] = {
		[TERN_SIM_FRAME_SENT] = VIEW_SENT,
		[TERN_SIM_FRAME_DELIVERED] = VIEW_DELIVERED,
		[TERN_SIM_FRAME_LOST] = VIEW_LOST,
		[TERN_SIM_FRAME_CORRUPTED] = VIEW_CORRUPTED,
		[TERN_SIM_FRAME_DUPLICATED] = VIEW_DUPLICATED,
	};
	struct lab *lab = ctx;
	struct view_event ev = { .at = n->at,
				 .host = n->host,
				 .frame = n->frame_id,
				 .copy_of = n->copy_of,
				 .bytes = n->frame,
				 .len = n->len,
				 .kept = n->len,
				 .text = n->why };

	if (n->what == TERN_SIM_TRACE) {
		observe_trace(lab, n);
		return;
	}
	ev.kind = kinds[n->what];
	ev.raw_ip = link_kind(lab, n->host) == TERN_LINK_IP;
	view_add(lab->view, &ev);
}
