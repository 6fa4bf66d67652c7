/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - the events of a view, sorted into conversations.
 *
 * A flow is everything that happened between two endpoints from one opening to the next: its
 * segments, each with what became of it, and its steps, the order in which things happened at the
 * two sides. Side 0 is who opened (drawn on the left). Numbers are relative: a side's SYN is 0,
 * its first byte 1.
 */
#ifndef TERN_VIEW_FLOW_H
#define TERN_VIEW_FLOW_H

#include "../core/base/ranges.h"
#include "decode.h"

enum flow_mark {
	MARK_RETRANSMITTED = 1 << 0,
	MARK_DUPLICATE = 1 << 1,    /* all of it had arrived before */
	MARK_OUT_OF_ORDER = 1 << 2, /* something that was sent later arrived before it */
	MARK_ZERO_WINDOW = 1 << 3,
	MARK_PROBE = 1 << 4, /* of a closed window */
	MARK_KEEPALIVE = 1 << 5,
	MARK_CORRUPTED = 1 << 6,
	MARK_CE = 1 << 8,  /* it arrived, or was captured, with the mark of congestion */
	MARK_GAP = 1 << 7, /* what its side sent before it was not captured */
};

struct segment {
	const struct view_event *sent;
	int from;     /* side */
	uint32_t len; /* payload */
	struct tcp_hdr tcp;
	struct icmp icmp;
	int64_t seq, ack;     /* relative; an old duplicate may lie before 0 */
	uint64_t wnd;	      /* scaled */
	uint32_t marks;	      /* enum flow_mark */
	tern_time arrived_at; /* first arrival; TERN_NEVER: none */
	const char *dropped;  /* by its receiver: why; else NULL */
	uint32_t n_arrivals;
	bool ignored; /* it came to hosts that it was not for */
};

enum step_kind { STEP_SEND, STEP_ARRIVE, STEP_STATE, STEP_TIMER, STEP_LEFT_OUT };

struct step {
	tern_time at;
	uint8_t kind;	/* enum step_kind */
	uint8_t side;	/* where: of an arrival the receiver */
	bool copy;	/* of an arrival: not the first */
	bool guessed;	/* of an arrival: it is thought to have come */
	bool duplicate; /* of an arrival: nothing of it was new */
	uint8_t old_state, new_state;
	uint32_t segment;
	const char *text;	      /* of an arrival: why dropped; of a timer: which */
	const struct view_fold *fold; /* of what was left out */
};

struct flow_side {
	struct tern_addr addr;
	int host;      /* -1: unknown */
	uint64_t conn; /* 0: unknown */
	bool state_known;
	uint8_t first_state, state;
	bool by_listen, opened_by_syn;
	bool isn_known, wscale_known;
	uint32_t isn;
	uint8_t wscale;
	int64_t nxt;		  /* beyond the highest number sent */
	int64_t acked;		  /* what it sent is acknowledged up to here; 0: nothing */
	int64_t probe_end;	  /* behind the octet of its last probe, until that is taken */
	uint64_t wnd;		  /* last sent */
	int64_t gap_from, gap_to; /* the last that its numbers jumped over, */
	tern_time gap_at;	  /* when */
	bool has_ts;
	uint32_t ts_val;       /* the latest */
	struct ranges arrived; /* of what this side sent */
	bool syn_ack_sent, fin_sent, fin_first, fin_acked, rst_sent;
	bool repeats;			  /* what it sent last, and nothing has come since */
	bool gave_up;			  /* its reset came after that */
	tern_time fin_at, fin_arrived_at; /* the latter: TERN_NEVER until then */
	uint64_t n_segments, n_data, n_bytes, n_retransmitted, n_lost, n_dropped, n_duplicate;
};

struct flow {
	uint32_t number; /* in the capture or the list, from 1 */
	uint8_t proto;
	bool to_itself;		     /* both sides are one endpoint */
	bool answered;		     /* side 1 has sent something besides a reset */
	tern_time first_at, last_at; /* of its frames */
	struct flow_side side[2];
	struct segment *segment;
	size_t n_segments, segments_cap;
	struct step *step;
	size_t n_steps, steps_cap;
};

enum flow_ending {
	FLOW_OPEN,
	FLOW_REFUSED,
	FLOW_CLOSED, /* by both */
	FLOW_RESET,
	FLOW_GAVE_UP,
	FLOW_HALF_CLOSED
};

struct flow_place; /* private */

struct flows {
	const struct view *view;
	size_t n_read;		  /* events of the view that are sorted */
	struct flow_place *place; /* where each of their frames went */
	size_t places_cap;
	struct flow *flow;
	size_t n, cap;
	uint32_t n_other; /* frames that belong to no flow: ARP, fragments, ... */
	bool incomplete;  /* memory ran out */
	struct mem mem;
};

/* Sorts a view, which must outlive it; its events stay where they are. NULL: no memory. */
struct flows *flows_new(const struct view *);
/* Sorts what has been added to the view since, which has room for it: see view_reserve. */
void flows_read_on(struct flows *);
void flows_free(struct flows *); /* NULL is allowed */

/* ---- for readers that sort frames themselves ---- */

void flow_init(struct flow *, uint8_t proto, const struct tern_addr *left,
	       const struct tern_addr *right);
/* Begins a conversation with its first frame: who opens is on the left. */
void flow_begin(struct flow *, const struct decoded *first);
/* Which of the sides sent it. */
int flow_sender(const struct flow *, const struct decoded *);
/*
 * Is it a SYN with another number than the one that its sender's side began with? So is an answer
 * to another SYN than the one that was seen: that one was not captured.
 */
bool flow_has_other_syn(const struct flow *, const struct decoded *);
/* Fills in the segment and counts it; it has not arrived. */
void flow_sent(struct flow *, struct segment *, const struct decoded *, const struct view_event *);

/* "10.0.0.1:80", "[fd00::1]:80", or without a port for ICMP. buf: TERN_ADDR_TEXT_MAX bytes. */
char *flow_endpoint(const struct flow *, int side, char *buf);
/* "active", "passive", or "" when it is not known. */
const char *flow_role(const struct flow *, int side);
/*
 * Is it drawn where that one conversation is asked for (0: all), and where IPv6's talk about
 * neighbours and groups has no picture of its own, as ARP has none, unless there is no other?
 */
bool flow_is_drawn(const struct flows *, const struct flow *, uint32_t conn,
		   bool without_link_talk);
/* How a connection of TCP ended. */
enum flow_ending flow_ending(const struct flow *);
/* Did this side end it for want of answers? */
bool flow_side_gave_up(const struct flow_side *);
/* "a", or "left" and "right" when the host has no name. */
const char *flow_side_name(const struct flows *, const struct flow *, int side);

#endif
