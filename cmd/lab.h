/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.h - two hosts in one process, and what they are told to do.
 *
 * A lab is a pair of simulated hosts and a view of everything that happens. Each side is a small
 * program: it sends so many bytes, checks every byte it gets, and calls its scenario when
 * something has happened. A scenario decides; it never draws.
 */
#ifndef TERN_CMD_LAB_H
#define TERN_CMD_LAB_H

#include "../include/tern_sim.h"
#include "../view/watch.h"

struct lab;
struct scenario;

struct side {
	struct lab *lab;
	int host;
	struct tern_stack *st;
	struct tern_addr addr;
	tern_sock listener, sock;
	bool connected, eof, closed, paused; /* paused: does not read */
	int error;			     /* a positive TERN_Exxx */
	const char *text;		     /* what it sends first, then a pattern */
	uint64_t to_send, sent, received;
	uint64_t expected; /* bytes that the other side means to send */
	bool wrong;	   /* a byte arrived that was not sent */
	int urgent_byte;   /* fetched by MSG_OOB; -1: none */
};

struct lab {
	const struct scenario *scenario;
	struct tern_sim_pair pair;
	struct tern_view *view;
	struct side client, server;
	uint64_t seed, bytes;
	int family;
	bool to_itself;	     /* the client is the other side, too */
	unsigned n_filtered; /* frames that the scenario's filter has seen and wanted */
	unsigned step;	     /* the scenario's own */
	const char *failure; /* why it did not end as designed; NULL */
	char header[160];    /* an HTTP answer's */
};

struct scenario {
	const char *name, *summary;
	uint64_t bytes; /* that it moves unless --bytes says otherwise */
	void (*start)(struct lab *);
	/* something happened at the side: connected, bytes, end, error; NULL: nothing to do */
	void (*progress)(struct lab *, struct side *);
	/* NULL, or a filter of the link */
	enum tern_sim_verdict (*filter)(struct lab *, int from, const uint8_t *frame, uint32_t len);
	/* Did it end as designed? Returns what went wrong, or NULL. */
	const char *(*verdict)(const struct lab *);
};

/* scenarios.c */
const struct scenario *scenario_find(const char *name); /* NULL: no such scenario */
const struct scenario *scenario_at(unsigned i);		/* in order; NULL after the last */

/* lab_side.c: what a scenario may tell a side to do */
enum { LAB_PORT = 80 };
void side_listen(struct side *, uint16_t port);
void side_connect(struct side *, uint16_t from_port, const struct tern_addr *to);
void side_send(struct side *, const char *text, uint64_t n_bytes); /* text, then a pattern */
void side_shut(struct side *);
void side_close(struct side *);
void side_abort(struct side *);
void side_resume(struct side *);
void side_set(struct side *, int level, int name, int value);
/* Calls fn(lab) after the time. */
void lab_after(struct lab *, tern_time, void (*fn)(struct lab *));
bool side_got_all(const struct side *);
void lab_on_event(void *ctx, int host, const struct tern_event *);

#endif
