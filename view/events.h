/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - what happened on the wires and inside the stacks, as far as pictures show it.
 *
 * A struct view is a list of events, those of each conversation in order of time. Whoever watches
 * a network (a simulator's observer, a device, a capture file) adds what it sees; ladders and
 * captures are drawn from the list. Events that only say more about an earlier one (a frame is
 * lost, a drop has a reason) are merged into it, so that the list holds six kinds.
 */
#ifndef TERN_VIEW_EVENTS_H
#define TERN_VIEW_EVENTS_H

#include "../include/tern.h"

enum view_kind {
	VIEW_SENT,	/* host puts a frame on a link; text: the cause, or NULL */
	VIEW_DELIVERED, /* host gets a frame; text: why it dropped it, or NULL */
	VIEW_STATE,	/* a connection of host goes from old_state to new_state */
	VIEW_TIMER,	/* text: the timer that expired at host's connection */
	VIEW_DROP,	/* text: why host dropped a packet, when it belongs to no delivered frame */
	VIEW_LEFT_OUT,	/* frames of a flow that a long capture holds, but not the list: fold */
	/* merged into others */
	VIEW_CAUSE,	 /* text: why host's next frame is sent */
	VIEW_LOST,	 /* the frame never arrives; text: why */
	VIEW_CORRUPTED,	 /* a bit of the frame was flipped on the way */
	VIEW_DUPLICATED, /* frame is a second copy of copy_of */
};

enum { VIEW_HOSTS_MAX = 256, VIEW_NAME_MAX = 32 };

/* Frames that are counted instead of shown, by the side that sent them. */
struct view_fold {
	uint64_t n_data[2], n_bytes[2], n_acks[2];
	uint64_t n_new[2];   /* how far the sequence numbers went */
	uint64_t n_acked[2]; /* how far what the side sent was acknowledged */
	bool has_ts[2];
	uint32_t ts_val[2]; /* the side's latest timestamp */
	uint64_t n_lost, n_retransmitted[2];
	tern_time last_at; /* of what the reader left out: the event is at the first */
};

struct view_event {
	tern_time at;
	uint32_t kind;
	int host; /* 0 .. VIEW_HOSTS_MAX - 1 */
	/* of a frame */
	uint64_t frame;	  /* its number, another for each frame; not 0 */
	uint64_t copy_of; /* delivered or duplicated: the frame it is a copy of, else 0 */
	bool raw_ip;	  /* the bytes begin with an IP header, not with an Ethernet header */
	bool corrupted;
	bool guessed;	      /* delivered: nobody has seen that, nor whether it was new there */
	const uint8_t *bytes; /* delivered: NULL means those that were sent */
	uint32_t len;	      /* of the frame */
	uint32_t kept;	      /* of bytes: a capture may keep only the beginning */
	const char *text;
	const char *lost; /* of a sent frame: why it never arrives, or NULL */
	tern_time lost_at;
	/* The number of the conversation where a capture's reader has told them apart, else 0. */
	uint32_t flow;
	const struct view_fold *fold;
	/* of a connection */
	uint64_t conn; /* its number within the host; 0: unknown */
	struct tern_addr local, remote;
	uint32_t old_state, new_state; /* enum tern_tcp_state; the same: it is in that state */
	bool by_listen;
};

/* A frame by its number. */
struct view_frame {
	uint64_t id, copy_of;
	size_t sent; /* the event, of the original when it is a copy */
};

struct view_block; /* private */

struct view_host {
	char name[VIEW_NAME_MAX];
	const char *cause; /* of the next frame it sends */
	size_t delivered;  /* 1 + the event, while the host may still drop it; 0: none */
};

struct view {
	struct view_event *event;
	size_t n_events, events_cap;
	struct view_frame *frame; /* in order of sending, a copy after its original */
	size_t n_frames, frames_cap;
	uint32_t *frame_slot;	   /* a hash table: 1 + index into frame, or 0 */
	size_t n_frame_slots;	   /* a power of two, at least twice n_frames */
	uint32_t keep;		   /* bytes of each frame; 0: all */
	bool incomplete;	   /* memory ran out: events are missing */
	struct view_block *blocks; /* bytes and texts of the events */
	struct view_host host[VIEW_HOSTS_MAX];
	int n_hosts;
};

/* keep: how many bytes of each frame to remember; 0: all. NULL: no memory. */
struct view *view_new(uint32_t keep);
void view_free(struct view *); /* NULL is allowed */

/*
 * Adds a copy of the event. false: it makes no sense here (a host out of range, a frame that was
 * never sent or was sent before) or memory is short; the list stays as it was.
 */
bool view_add(struct view *, const struct view_event *);
/* Room for n events in all: until then they stay where they are. false: no memory. */
bool view_reserve(struct view *, size_t n);
/*
 * What a stack's trace says, but for frames: a cause (of the frame that comes next), a drop, a
 * state, a timer. The caller sets at and host. false: it says none of these.
 */
bool view_event_of_trace(struct view_event *, const struct tern_trace *);
/* Names a host for heads and captures. */
void view_name_host(struct view *, int host, const char *name);
/* The frame of this number, or NULL. */
const struct view_frame *view_find_frame(const struct view *, uint64_t id);

#endif
