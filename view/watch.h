/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h - the view of tern_view.h from inside: what it watches, as a list of events.
 */
#ifndef TERN_VIEW_WATCH_H
#define TERN_VIEW_WATCH_H

#include "../include/tern_view.h"
#include "events.h"

enum { WATCH_FRAME_MAX = 65536 + 64, WATCH_LO_INDEX = 1 };

struct tern_view {
	struct view *events;
	/* Frames over lo, which no link numbers: how many a host has sent, and got. */
	uint64_t lo_sent[VIEW_HOSTS_MAX], lo_got[VIEW_HOSTS_MAX];
	/* of tern_view_trace */
	bool begun;
	tern_time begun_at;
	uint64_t n_frames;
	uint8_t bytes[WATCH_FRAME_MAX]; /* one frame */
};

/*
 * The frame as it is on the wire, WATCH_FRAME_MAX bytes at most, and its length. A checksum that
 * the device makes is there already.
 */
uint32_t watch_copy_frame(const struct tern_pkt *, uint8_t *to);

#endif
