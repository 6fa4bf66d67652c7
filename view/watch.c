/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.c - what a simulation or a stack tells, as events of a view; and tern_view.h.
 *
 * Frames of a simulation's links come with numbers. What a stack sends itself over lo never meets
 * a link and gets its numbers here. A stack names the cause of a segment in the record of its
 * output, just before the frame appears.
 */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "../core/wire/wire.h"
#include "../include/tern_sim.h"
#include "ladder.h"
#include "pcapng.h"

enum { US, PEER }; /* hosts of tern_view_trace */

/* A device makes this checksum: of what is behind `at`, to be put `off` behind that. */
static void complete(uint8_t *frame, uint32_t len, uint32_t at, uint32_t off)
{
	if (at + off + 2 <= len)
		put_be16(frame + at + off, checksum_finish(checksum_add(frame + at, len - at, 0)));
}

uint32_t watch_copy_frame(const struct tern_pkt *p, uint8_t *to)
{
	uint32_t len = tern_pkt_copy(p, 0, to, WATCH_FRAME_MAX);

	if (p->flags & TERN_PKT_CSUM_PARTIAL)
		complete(to, len, p->csum_start, p->csum_off);
	return len;
}

/* ---- a simulation ---- */

/* Beyond those of links, and within what JSON's numbers hold. */
static uint64_t lo_number(int host, uint64_t n)
{
	return ((uint64_t)host + 1) << 44 | n;
}

static bool is_frame(const struct view *events, uint64_t number, const uint8_t *bytes, uint32_t len)
{
	const struct view_frame *f = view_find_frame(events, number);
	const struct view_event *sent = f ? &events->event[f->sent] : NULL;

	return sent && sent->len == len && memcmp(sent->bytes, bytes, sent->kept) == 0;
}

/* They come in order; but some may be lost, where memory is short. */
static uint64_t next_over_lo(struct tern_view *v, int host, uint32_t len)
{
	for (uint64_t n = v->lo_got[host] + 1; n <= v->lo_sent[host]; n++)
		if (is_frame(v->events, lo_number(host, n), v->bytes, len))
			return n;
	return v->lo_got[host] + 1;
}

static void note_lo(struct tern_view *v, const struct tern_sim_note *n)
{
	bool sent = n->trace->kind == TERN_TRACE_PACKET_OUT;
	struct view_event ev = { .at = n->at,
				 .kind = sent ? VIEW_SENT : VIEW_DELIVERED,
				 .host = n->host,
				 .raw_ip = true,
				 .bytes = v->bytes };

	ev.len = ev.kept = watch_copy_frame(n->trace->pkt, v->bytes);
	if (!sent)
		v->lo_got[n->host] = next_over_lo(v, n->host, ev.len);
	ev.frame = lo_number(n->host, sent ? ++v->lo_sent[n->host] : v->lo_got[n->host]);
	view_add(v->events, &ev);
}

static void note_trace(struct tern_view *v, const struct tern_sim_note *n)
{
	const struct tern_trace *t = n->trace;
	struct view_event ev;

	if (view_event_of_trace(&ev, t)) {
		ev.at = n->at;
		ev.host = n->host;
		view_add(v->events, &ev);
	}
	if ((t->kind == TERN_TRACE_PACKET_OUT || t->kind == TERN_TRACE_PACKET_IN) &&
	    t->pkt->ifindex == WATCH_LO_INDEX)
		note_lo(v, n);
}

void tern_view_note(void *ctx, const struct tern_sim_note *n)
{
	static const uint32_t kinds[] = {
		[TERN_SIM_FRAME_SENT] = VIEW_SENT,
		[TERN_SIM_FRAME_DELIVERED] = VIEW_DELIVERED,
		[TERN_SIM_FRAME_LOST] = VIEW_LOST,
		[TERN_SIM_FRAME_CORRUPTED] = VIEW_CORRUPTED,
		[TERN_SIM_FRAME_DUPLICATED] = VIEW_DUPLICATED,
	};
	struct tern_view *v = ctx;
	struct view_event ev = { .at = n->at,
				 .host = n->host,
				 .frame = n->frame_id,
				 .copy_of = n->copy_of,
				 .raw_ip = n->link_kind == TERN_LINK_IP,
				 .bytes = n->frame,
				 .len = n->len,
				 .kept = n->len,
				 .text = n->why };

	if (n->host >= VIEW_HOSTS_MAX)
		return;
	if (n->what == TERN_SIM_TRACE) {
		note_trace(v, n);
		return;
	}
	if (n->csum_partial && n->len <= sizeof(v->bytes)) {
		memcpy(v->bytes, n->frame, n->len);
		complete(v->bytes, n->len, n->csum_start, n->csum_off);
		ev.bytes = v->bytes;
	}
	ev.kind = kinds[n->what];
	view_add(v->events, &ev);
}

/* ---- a stack ---- */

static void trace_frame(struct tern_view *v, const struct tern_stack *st,
			const struct tern_trace *t)
{
	bool out = t->kind == TERN_TRACE_PACKET_OUT;
	struct view_event ev = { .at = t->at - v->begun_at,
				 .kind = VIEW_SENT,
				 .host = out ? US : PEER,
				 .frame = ++v->n_frames,
				 .bytes = v->bytes };
	struct tern_iface iface;

	if (t->pkt->ifindex == WATCH_LO_INDEX || !st ||
	    tern_iface_get(st, t->pkt->ifindex, &iface) != 0)
		return;
	ev.raw_ip = iface.link == TERN_LINK_IP;
	ev.len = ev.kept = watch_copy_frame(t->pkt, v->bytes);
	view_add(v->events, &ev);
	ev.kind = VIEW_DELIVERED;
	ev.host = out ? PEER : US;
	ev.guessed = out;
	view_add(v->events, &ev);
}

void tern_view_trace(struct tern_view *v, const struct tern_stack *st, const struct tern_trace *t)
{
	struct view_event ev;

	if (!v->begun) {
		v->begun = true;
		v->begun_at = t->at;
	}
	if (view_event_of_trace(&ev, t)) {
		ev.at = t->at - v->begun_at;
		ev.host = US;
		view_add(v->events, &ev);
	}
	if (t->kind == TERN_TRACE_PACKET_OUT || t->kind == TERN_TRACE_PACKET_IN)
		trace_frame(v, st, t);
}

/* ---- all ---- */

struct tern_view *tern_view_new(uint32_t keep)
{
	struct tern_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->events = view_new(keep);
	if (!v->events) {
		free(v);
		return NULL;
	}
	return v;
}

void tern_view_free(struct tern_view *v)
{
	if (!v)
		return;
	view_free(v->events);
	free(v);
}

void tern_view_name(struct tern_view *v, int host, const char *name)
{
	if (host >= 0 && host < VIEW_HOSTS_MAX)
		view_name_host(v->events, host, name);
}

static bool write_it(const struct view *events, FILE *f, enum tern_view_format format, bool full)
{
	const struct ladder_options o = { .full = full, .without_link_talk = !full };

	switch (format) {
	case TERN_VIEW_SVG:
		return ladder_svg(f, events, &o);
	case TERN_VIEW_HTML:
		return ladder_html(f, events, &o);
	case TERN_VIEW_MERMAID:
		return ladder_mermaid(f, events, &o);
	case TERN_VIEW_JSON:
		return ladder_json(f, events, &o);
	case TERN_VIEW_PCAPNG:
		return pcapng_write(f, events);
	case TERN_VIEW_TEXT:
		break;
	}
	return ladder_text(f, events, &o);
}

bool tern_view_write(const struct tern_view *v, FILE *f, enum tern_view_format format,
		     unsigned flags)
{
	return write_it(v->events, f, format, flags & TERN_VIEW_FULL) && fflush(f) == 0 &&
	       !v->events->incomplete;
}
