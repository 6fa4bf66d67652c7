/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sent.h - the record of what is outstanding: which bytes, when they went, what became of them.
 *
 * A record is a run of bytes that went at one instant and shares one fate. Records lie side by side
 * from snd.una to snd.nxt; a FIN is the octet after the last byte. They are found by position (a
 * balanced tree) and, while in flight, by age (a list), so that no question that an ACK raises costs
 * more than O(log n), however many holes there are. Each subtree knows whether it holds a loss.
 *
 * Invariants (sent_check): records are disjoint, without gaps, sorted; n_sacked and n_lost are the
 * bytes of those fates; the list holds those in flight, the longest under way first.
 */
#ifndef TERN_TCP_SENT_H
#define TERN_TCP_SENT_H

#include "../base/list.h"
#include "../base/mem.h"

enum sent_fate { SENT_IN_FLIGHT, SENT_SACKED, SENT_LOST };

struct sent {
	uint64_t lo, hi;
	tern_time sent_at;
	struct list link; /* in sent_log.by_age while in flight */
	struct sent *left, *right;
	uint8_t level;
	uint8_t fate;	   /* enum sent_fate */
	uint8_t cause;	   /* enum tern_cause: of a loss, why it is believed lost */
	bool again : 1;	   /* it went more than once */
	bool any_lost : 1; /* in this subtree */
};

struct sent_log {
	struct sent *root;
	struct sent *spare;
	struct list by_age;
	uint64_t n_sacked, n_lost;
};

void sent_init(struct sent_log *);
void sent_fini(struct sent_log *, struct mem *);

/* A record is at hand for the next sent_put or sent_renew. false: no memory. */
bool sent_reserve(struct sent_log *, struct mem *);
/* [lo, hi) goes for the first time; it follows all others. A record must be at hand. */
void sent_put(struct sent_log *, uint64_t lo, uint64_t hi, tern_time now);
/* The first `len` bytes of a lost record go again. A record must be at hand. */
void sent_renew(struct sent_log *, struct sent *, uint64_t len, tern_time now);
/* What lies below pos is no longer outstanding. */
void sent_drop_below(struct sent_log *, struct mem *, uint64_t pos);
void sent_clear(struct sent_log *, struct mem *);

/* The record that holds pos, else the first behind it; NULL: none. */
struct sent *sent_find(const struct sent_log *, uint64_t pos);
/* The lowest that is lost; NULL: none. */
struct sent *sent_first_lost(const struct sent_log *);
/* The one in flight that is longest under way; NULL: none. */
struct sent *sent_oldest(const struct sent_log *);
struct sent *sent_next_oldest(const struct sent_log *, const struct sent *);
/* The last by position; NULL: none. */
struct sent *sent_last(const struct sent_log *);

/* Makes pos, inside a record, the beginning of another. false: no memory. */
bool sent_cut(struct sent_log *, struct mem *, uint64_t pos);
/* A sacked record becomes one with sacked neighbours; it may be gone afterwards. */
void sent_set_sacked(struct sent_log *, struct mem *, struct sent *);
void sent_set_lost(struct sent_log *, struct sent *, uint8_t cause);
/* It was not lost after all: in flight as it was, behind those that went before it. */
void sent_set_in_flight(struct sent_log *, struct sent *);

/* Nodes of the tree that were looked at: what an ACK costs, for tests. */
void sent_check(const struct sent_log *, uint64_t una, uint64_t nxt);

#endif
