/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - what a running stack sends, gets and does, as a capture file and as a view.
 *
 * The recorder is the stack's trace hook. The capture is written as things happen; the view keeps
 * the beginning of each frame, up to a limit, for a ladder; its events stay where they are. Our
 * side is host 0, whoever is on the wire host 1.
 */
#ifndef TERN_HOST_RECORD_H
#define TERN_HOST_RECORD_H

#include <stdio.h>

#include "../../view/events.h"
#include "impair.h"

/* A packet on its way between the stack and the weather, and the number of its frame. */
struct record_note {
	const struct tern_pkt *pkt;
	uint64_t frame;
};
enum { RECORD_NOTES = 1024 }; /* more than all devices take at once */

struct recorder {
	FILE *pcap;		 /* NULL: no capture */
	struct view *view;	 /* NULL: no ladder */
	bool failed;		 /* the file could not be written */
	bool full;		 /* the view has reached its limit: what follows is missing in it */
	tern_time begun;	 /* the clock of the loop when it began */
	uint64_t wall_ns;	 /* and that of the world */
	uint64_t frame;		 /* number of the last one */
	const char *cause;	 /* of the next frame that goes */
	uint8_t *bytes;		 /* one frame */
	uint32_t link[64];	 /* enum tern_link, by ifindex; 0: not told */
	uint32_t pcap_iface[64]; /* 1 + its number in the file, by ifindex */
	uint32_t n_pcap_ifaces;
	struct tern_stack *st;		       /* below which the weather is */
	bool has_weather[64];		       /* by ifindex: it tells what becomes of frames */
	struct record_note note[RECORD_NOTES]; /* the last n_notes, in turn */
	uint64_t n_notes;
};

/* pcap: to write to, or NULL; with_view: a ladder is wanted. false: no memory. */
bool recorder_init(struct recorder *, FILE *pcap, bool with_view);
void recorder_fini(struct recorder *); /* the file stays the caller's */
/* Which link an interface is: before its first frame. */
void recorder_note_link(struct recorder *, unsigned ifindex, uint32_t link);

/*
 * The weather over a device, watched from now on: what it loses is drawn lost, and what it delays
 * arrives later. Without one each frame that goes is thought to arrive.
 */
void recorder_watch_weather(struct recorder *, struct dev *);

/* The hook; ctx is the recorder. */
void recorder_trace(void *ctx, const struct tern_trace *);

#endif
