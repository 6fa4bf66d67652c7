/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label.h - the words of a ladder: segments, times, amounts, and how a connection went.
 */
#ifndef TERN_VIEW_LABEL_H
#define TERN_VIEW_LABEL_H

#include "rows.h"

enum { LABEL_MAX = 384, TIME_TEXT_MAX = 32, FLAGS_TEXT_MAX = 40 };

/* Appends what is remarkable about its sending: " [retransmission: rto] [zero-window]". */
void label_add_sent_marks(char buf[LABEL_MAX], const struct segment *);
/* Appends what is remarkable about its first arrival: " [out-of-order]". */
void label_add_arrived_marks(char buf[LABEL_MAX], const struct segment *);
/*
 * The words of a row that shows a sending, to be broken at spaces: "SYN,ACK seq=0 ack=1 win=65535
 * mss=1460 ws=7 sack-ok ts", and the marks of what the row shows.
 */
void label_row(char buf[LABEL_MAX], const struct flow *, const struct row *);
/* "timer: delayed-ack". */
void label_timer(char buf[LABEL_MAX], const struct row *);
/* Enough to know it again: "SYN,ACK seq=0". */
void label_short(char buf[LABEL_MAX], const struct flow *, const struct segment *);
/* The same of an arrival that is not the first: "SYN,ACK seq=0 [copy] [duplicate]". */
void label_copy(char buf[LABEL_MAX], const struct flow *, const struct row *);
/* "SYN,ACK"; "none" without any. */
char *label_flags(char buf[FLAGS_TEXT_MAX], uint16_t flags);

/* Seconds with so many decimals, at most 9, cut off: "60.020000". */
char *label_time(char buf[TIME_TEXT_MAX], tern_time, int decimals);

/* "34 segments 49640 bytes >, 17 ACKs <, 1 lost". */
void label_fold(char buf[LABEL_MAX], const struct view_fold *);
/* One line a reader can act on. */
void label_summary(char buf[LABEL_MAX], const struct flows *, const struct flow *);

/* "closed", "opening", "open", "closing" or "waiting": what kind of state, for colours. */
const char *label_state_class(unsigned state);
/* Worth another colour: sent again, damaged, overtaken or dropped. */
bool label_is_remarkable(const struct segment *);

/* Why it did not arrive: "lost: queue", "for others" or "not seen to arrive". Returns buf. */
const char *label_fate(char *buf, size_t size, const struct segment *);

/* How many bytes of text go on one line: up to a space outside brackets; a longer word is cut. */
size_t label_break(const char *text, size_t columns);

/* Appends like printf; what does not fit is cut off. */
void label_add(char buf[LABEL_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
