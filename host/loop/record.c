/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - a running stack as a capture and as a view.
 *
 * The capture is pcapng, little-endian: one interface block for each interface before
 * its first frame, then a packet block for each frame with its direction; why a frame was sent is a
 * comment of it.
 *
 * Source: draft-ietf-opsawg-pcapng.
 */
#define _GNU_SOURCE
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../core/wire/wire.h"
#include "../../view/pcapng_impl.h"
#include "../../view/watch.h"

enum { KEPT = 128, EVENTS_MAX = 400000 };
enum { US, PEER }; /* hosts of the view */

/* ---- pcapng ---- */

static void put(struct recorder *r, const void *bytes, size_t len)
{
	static const uint8_t zeroes[4];

	if (fwrite(bytes, 1, len, r->pcap) != len ||
	    fwrite(zeroes, 1, -len & 3, r->pcap) != (-len & 3))
		r->failed = true;
}

static void put32(struct recorder *r, uint32_t v)
{
	const uint32_t word = le32(v);

	put(r, &word, sizeof(word));
}

static void put_option(struct recorder *r, uint32_t code, uint32_t len)
{
	put32(r, code | len << 16);
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void put_section(struct recorder *r)
{
	put32(r, BLOCK_SECTION);
	put32(r, 28);
	put32(r, BYTE_ORDER_MAGIC);
	put32(r, 1);	      /* version 1.0 */
	put32(r, UINT32_MAX); /* the length of the section is not known */
	put32(r, UINT32_MAX);
	put32(r, 28);
}

static void put_interface(struct recorder *r, unsigned ifindex)
{
	put32(r, BLOCK_INTERFACE);
	put32(r, 32);
	put32(r, r->link[ifindex] == TERN_LINK_ETHERNET ? LINKTYPE_ETHERNET : LINKTYPE_RAW);
	put32(r, 0); /* no limit of length */
	put_option(r, OPT_IF_TSRESOL, 1);
	put32(r, 9); /* nanoseconds */
	put_option(r, OPT_END, 0);
	put32(r, 32);
	r->pcap_iface[ifindex] = ++r->n_pcap_ifaces;
}

static void put_packet(struct recorder *r, const struct view_event *ev, unsigned ifindex, bool out)
{
	uint32_t text_len = out && r->cause ? (uint32_t)strlen(r->cause) + 12 : 0;
	uint32_t len = 32 + padded(ev->len) + 8 + (text_len ? 4 + padded(text_len) : 0) + 4;
	uint64_t at = r->wall_ns + ev->at;
	char text[64];

	if (!r->pcap_iface[ifindex])
		put_interface(r, ifindex);
	put32(r, BLOCK_PACKET);
	put32(r, len);
	put32(r, r->pcap_iface[ifindex] - 1);
	put32(r, (uint32_t)(at >> 32));
	put32(r, (uint32_t)at);
	put32(r, ev->len);
	put32(r, ev->len);
	put(r, r->bytes, ev->len);
	put_option(r, OPT_EPB_FLAGS, 4);
	put32(r, out ? DIRECTION_OUT : DIRECTION_IN);
	if (text_len) {
		snprintf(text, sizeof(text), "tern: cause %s", r->cause);
		put_option(r, OPT_COMMENT, text_len);
		put(r, text, text_len);
	}
	put_option(r, OPT_END, 0);
	put32(r, len);
}

/* ---- events ---- */

static void add(struct recorder *r, const struct view_event *ev)
{
	if (!r->view || r->full)
		return;
	view_add(r->view, ev);
	r->full = r->view->n_events >= EVENTS_MAX;
}

static bool is_recorded(const struct recorder *r, unsigned ifindex)
{
	return ifindex != WATCH_LO_INDEX && ifindex < 64 && r->link[ifindex];
}

/* A frame as a host has sent it, or gets it; its bytes are in r->bytes. */
static struct view_event event_of(struct recorder *r, const struct tern_pkt *p, int host)
{
	struct view_event ev = { .host = host, .kind = VIEW_SENT, .bytes = r->bytes };

	ev.raw_ip = r->link[p->ifindex] == TERN_LINK_IP;
	ev.len = watch_copy_frame(p, r->bytes);
	ev.kept = ev.len < KEPT ? ev.len : KEPT;
	return ev;
}

static void note_number(struct recorder *r, const struct tern_pkt *p, uint64_t frame)
{
	r->note[r->n_notes++ % RECORD_NOTES] = (struct record_note){ p, frame };
}

/* The latest, for packets' memory is used again. 0: it has none. */
static uint64_t take_number(struct recorder *r, const struct tern_pkt *p)
{
	for (uint64_t i = r->n_notes; i > 0 && i + RECORD_NOTES > r->n_notes; i--) {
		struct record_note *n = &r->note[(i - 1) % RECORD_NOTES];

		if (n->pkt == p) {
			n->pkt = NULL;
			return n->frame;
		}
	}
	return 0;
}

static void add_arrival(struct recorder *r, struct view_event ev)
{
	ev.kind = VIEW_DELIVERED;
	ev.guessed = ev.host == PEER;
	add(r, &ev);
}

static void record_frame(struct recorder *r, const struct tern_trace *t)
{
	bool out = t->kind == TERN_TRACE_PACKET_OUT;
	unsigned ifindex = t->pkt->ifindex;
	struct view_event ev;

	if (!is_recorded(r, ifindex))
		return;
	ev = event_of(r, t->pkt, out ? US : PEER);
	ev.at = t->at - r->begun;
	if (r->pcap)
		put_packet(r, &ev, ifindex, out);
	r->cause = NULL;
	ev.frame = !out && r->has_weather[ifindex] ? take_number(r, t->pkt) : 0;
	if (!ev.frame) {
		ev.frame = ++r->frame;
		add(r, &ev);
	}
	if (out && r->has_weather[ifindex]) {
		note_number(r, t->pkt, ev.frame);
		return;
	}
	ev.host = out ? PEER : US;
	add_arrival(r, ev);
}

/* ---- weather ---- */

/* By the peer, as far as the weather: the number of its frame. */
static uint64_t note_sent(struct recorder *r, const struct tern_pkt *p)
{
	struct view_event ev = event_of(r, p, PEER);

	ev.at = tern_now(r->st) - r->begun;
	ev.frame = ++r->frame;
	add(r, &ev);
	return ev.frame;
}

static uint64_t on_decided(void *ctx, enum impair_way way, const struct tern_pkt *p,
			   const struct link_fate *fate)
{
	struct recorder *r = ctx;
	struct view_event ev = { .at = tern_now(r->st) - r->begun, .text = fate->lost };
	uint64_t number = way == IMPAIR_OUT ? take_number(r, p) : note_sent(r, p);

	ev.frame = number;
	ev.kind = fate->lost ? VIEW_LOST : VIEW_CORRUPTED;
	if (number && (fate->lost || fate->corrupted))
		add(r, &ev);
	return number;
}

static uint64_t on_copied(void *ctx, uint64_t number)
{
	struct recorder *r = ctx;
	struct view_event ev = { .kind = VIEW_DUPLICATED, .copy_of = number };

	if (!number)
		return 0;
	ev.frame = ++r->frame;
	add(r, &ev);
	return ev.frame;
}

/* What comes to the stack is said to have arrived when the stack takes it. */
static void on_left(void *ctx, enum impair_way way, const struct tern_pkt *p, uint64_t number)
{
	struct recorder *r = ctx;
	struct view_event ev;

	if (!number)
		return;
	if (way == IMPAIR_IN) {
		note_number(r, p, number);
		return;
	}
	ev = event_of(r, p, PEER);
	ev.at = tern_now(r->st) - r->begun;
	ev.frame = number;
	add_arrival(r, ev);
}

void recorder_watch_weather(struct recorder *r, struct dev *d)
{
	const struct impair_watcher w = { on_decided, on_copied, on_left, r };

	if (!r->view || !is_recorded(r, d->ifindex))
		return;
	r->st = d->st;
	r->has_weather[d->ifindex] = true;
	impair_watch(d, &w);
}

/* ---- the hook ---- */

void recorder_trace(void *ctx, const struct tern_trace *t)
{
	struct recorder *r = ctx;
	struct view_event ev;

	if (view_event_of_trace(&ev, t)) {
		ev.at = t->at - r->begun;
		if (ev.kind == VIEW_CAUSE)
			r->cause = ev.text;
		add(r, &ev);
	}
	if (t->kind == TERN_TRACE_PACKET_OUT || t->kind == TERN_TRACE_PACKET_IN)
		record_frame(r, t);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

bool recorder_init(struct recorder *r, FILE *pcap, bool with_view)
{
	memset(r, 0, sizeof(*r));
	r->bytes = malloc(WATCH_FRAME_MAX);
	r->view = with_view ? view_new(KEPT) : NULL;
	if (!r->bytes || (with_view && (!r->view || !view_reserve(r->view, EVENTS_MAX)))) {
		recorder_fini(r);
		return false;
	}
	r->begun = clock_ns(CLOCK_MONOTONIC);
	r->wall_ns = clock_ns(CLOCK_REALTIME);
	r->pcap = pcap;
	if (r->view) {
		view_name_host(r->view, US, "tern");
		view_name_host(r->view, PEER, "peer");
	}
	if (pcap)
		put_section(r);
	return true;
}

void recorder_fini(struct recorder *r)
{
	free(r->bytes);
	view_free(r->view);
	memset(r, 0, sizeof(*r));
}

void recorder_note_link(struct recorder *r, unsigned ifindex, uint32_t link)
{
	if (ifindex < 64)
		r->link[ifindex] = link;
}
