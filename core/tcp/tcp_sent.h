/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sent.h - the record of what is outstanding: which bytes, when they went, what became of them.
 *
 * A record is a run of bytes that went at one instant and share one fate. Records lie side by side
 * up to snd.nxt; a FIN is the octet after the last byte. They are found by position (a tree, which
 * knows where the lowest loss is) and, while in flight, by age (a list), so that nothing an ACK
 * asks costs more than O(log n) for each record whose fate it changes.
 *
 * With each goes what was known when it went, of which tcp_rate.c makes rates. It is of the whole
 * record and its end: a record that grows in the instant in which it went keeps all of it but the
 * flight, which is counted anew; of one that is cut, both parts keep it, the left less what flew
 * behind it; what goes again gets it anew; what is forgiven keeps it; of what is sacked it is used
 * up.
 *
 * Invariants (sent_check): records are disjoint, without gaps, sorted; n_sacked, n_lost and n_again
 * are the bytes of those fates; the list holds those in flight, the longest under way first; no two
 * sacked records touch.
 */
#ifndef TERN_TCP_SENT_H
#define TERN_TCP_SENT_H

#include "../../include/tern.h"
#include "../base/list.h"
#include "../base/mem.h"
#include "../base/tree.h"

enum sent_fate { SENT_IN_FLIGHT, SENT_SACKED, SENT_LOST };

/* What was known when it went: counts are the low halves of those in struct tcp_rate. */
struct sent_view {
	uint32_t delivered, lost; /* P.delivered, P.lost */
	uint32_t tx_in_flight;	  /* P.tx_in_flight: with all of the record */
	uint32_t send_us;	  /* P.send_time - P.first_send_time */
	uint32_t ack_us;	  /* P.send_time - P.delivered_time */
};

struct sent {
	struct tree_node node; /* the key is the first position; marked: lost */
	uint64_t hi;	       /* one past the last */
	tern_time first_at;    /* it went for the first time, ... */
	tern_time sent_at;     /* ... and for the last */
	struct list by_age;    /* while in flight */
	uint8_t fate;	       /* enum sent_fate */
	uint8_t cause;	       /* enum tern_cause: of a loss, why it is believed */
	bool again;	       /* it went more than once */
	bool app_limited;      /* P.is_app_limited */
	struct sent_view view;
	uint16_t mss; /* text of each of its segments, of the last the rest */
};

static inline uint64_t sent_lo(const struct sent *s)
{
	return s->node.key;
}

struct sent_log {
	struct tree_node *root;
	struct sent *spare;
	struct list in_flight;
	uint32_t n;			    /* records */
	uint16_t mss;			    /* of what goes next */
	uint64_t n_sacked, n_lost, n_again; /* n_again: in flight, not for the first time */
};

/* Text of its largest segment. */
static inline uint32_t sent_size(const struct sent *s)
{
	return s->hi - sent_lo(s) < s->mss ? (uint32_t)(s->hi - sent_lo(s)) : s->mss;
}

void sent_init(struct sent_log *);
void sent_fini(struct sent_log *, struct mem *);

/* A record is at hand for the next sent_put or sent_renew. false: no memory. */
bool sent_reserve(struct sent_log *, struct mem *);
/* [lo, hi) goes for the first time, behind all others. A record must be at hand. Returns it. */
struct sent *sent_put(struct sent_log *, uint64_t lo, uint64_t hi, tern_time now);
/* What lies below hi of a record that is lost goes again. A record must be at hand. */
void sent_renew(struct sent_log *, struct sent *, uint64_t hi, tern_time now);
/* What lies below pos of the first record, which there is, is no longer outstanding. */
void sent_drop_first(struct sent_log *, struct mem *, uint64_t pos);

/* Each NULL when there is none. */
struct sent *sent_first(const struct sent_log *);
struct sent *sent_last(const struct sent_log *);
struct sent *sent_find(const struct sent_log *, uint64_t pos); /* that holds pos, or lies behind */
struct sent *sent_first_lost(const struct sent_log *);
/* The longest under way, and the next. */
struct sent *sent_oldest(const struct sent_log *);
struct sent *sent_next_oldest(const struct sent_log *, const struct sent *);

/* A record ends at pos, if pos lies within one that is not sacked. false: no memory. */
bool sent_cut(struct sent_log *, struct mem *, uint64_t pos);
/* The record may become part of a neighbour. */
void sent_set_sacked(struct sent_log *, struct mem *, struct sent *);
void sent_set_lost(struct sent_log *, struct sent *, uint8_t cause);
/* None of the losses was one: in flight as before. */
void sent_forgive(struct sent_log *);

void sent_check(const struct sent_log *, uint64_t nxt);

#endif
