/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.h - a capture file, pcap or pcapng, as a table of its conversations and a view of them.
 *
 * A file that tern wrote gives the events it was written from. Of another one's the conversations
 * are told apart while reading; every one is counted in the table (up to CAPTURE_CONNS_MAX), and
 * the view holds those that are asked for, with the states of both ends as deduced. Memory is
 * bounded whatever the file: of long conversations the even middle is counted, not kept.
 */
#ifndef TERN_VIEW_CAPTURE_H
#define TERN_VIEW_CAPTURE_H

#include <stdio.h>

#include "deduce.h"
#include "ladder.h"

enum { CAPTURE_CONNS_MAX = 100000, CAPTURE_DRAWN_MAX = 20 };
enum { CAPTURE_REMARKS_MAX = 24 };

struct capture_options {
	uint32_t conn;	    /* the only one wanted in the view; 0: the first drawn_max */
	uint32_t drawn_max; /* 0: CAPTURE_DRAWN_MAX */
	uint32_t keep;	    /* bytes of each packet in the view; 0: enough for the headers */
	bool table_only;    /* nothing is wanted in the view */
	bool full;	    /* keep even stretches too, as far as memory is bounded */
	void (*progress)(void *ctx, uint64_t bytes_read); /* now and then; NULL: never */
	void *ctx;
};

struct capture_conn {
	struct flow flow; /* without its segments and steps */
	struct deduced deduced;
	uint64_t n_packets[2];
	uint16_t mss[2];	   /* that the side announced; 0: unknown */
	struct view_fold left_out; /* not yet told to the view */
	tern_time left_out_at;	   /* its first packet */
	uint64_t n_kept, n_left_out;
};

struct capture {
	struct view *view;
	bool own; /* written by tern: the table is empty, the view holds everything */
	struct capture_conn *conn;
	size_t n_conns, conns_cap;
	uint64_t n_packets;
	tern_time first_at; /* since 1970; times are relative to it */
	char remark[CAPTURE_REMARKS_MAX][LADDER_REMARK_LEN]; /* each one line */
	int n_remarks;
};

/* NULL: nothing can be made of it, *why says so in one line. */
struct capture *capture_read(FILE *, const struct capture_options *, const char **why);
void capture_free(struct capture *); /* NULL is allowed */

#endif
