/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - a script at work: the stack under test, its connections as the script sees them, its
 * clock and its calls.
 *
 * Scripts count sequence numbers and timestamps from values of their own. A connection remembers
 * how far the stack's are away: numbers are turned into the script's before anything is compared
 * or printed, and into the stack's before anything is injected.
 */
#ifndef TERN_DRILL_RUN_H
#define TERN_DRILL_RUN_H

#include "calls.h"
#include "drill.h"
#include "packet.h"

enum { FDS_MAX = 64, WATCHES_MAX = 64, TS_PAIRS = 32 };

enum { FD_EPOLL = 100 }; /* the type of a descriptor that is no socket */

struct ts_pair {
	uint32_t script, live;
};

struct conn {
	struct conn *next;
	uint8_t proto;
	uint16_t local, remote; /* ports */
	uint16_t script_local;	/* what the script calls the local port; 0: nothing yet */
	bool learns;		/* the next SYN of ours tells iss_offset */
	bool may_learn;		/* the peer's SYN came again */
	uint32_t iss_offset;	/* the stack's sequence numbers less the script's */
	struct ts_pair ts[TS_PAIRS];
	unsigned n_ts; /* ever */
};

/* What the stack has sent and no event has asked for yet. */
struct frame {
	struct frame *next;
	tern_time at;
	size_t len;
	uint8_t bytes[];
};

struct fd {
	bool used, nonblock;
	bool connecting; /* and the end of it has not been told by connect */
	int number;	 /* as in the script */
	int type;
	tern_sock sock;
};

/* A descriptor that epoll looks at. */
struct watch {
	bool used;
	int epoll, number; /* of the epoll's descriptor and of what it looks at */
	uint32_t events;
	uint64_t data;
	bool fresh; /* something has happened since it was reported: for EPOLLET */
};

/* Something that was left out. */
struct note {
	struct note *next;
	int line;
	char text[];
};

/* A call under way. */
struct calling {
	const struct event *ev; /* NULL: none */
	tern_time end;		/* of a blocking one: when it shall return */
	tern_time timer;	/* when it returns by itself; TERN_NEVER */
	bool started;
	int64_t done;			/* bytes written so far */
	struct tern_addr local, remote; /* of a connection that close() waits for */
};

struct drill {
	struct script *s;
	const struct drill_options *o;
	enum drill_outcome outcome;
	bool forgives; /* --non_fatal: what the event at work does wrong is a warning */
	bool any_option_order;
	bool pushes_bursts;
	struct note *notes;
	unsigned n_skipped;
	struct tern_stack *st;
	unsigned ifindex;
	tern_time start, now;
	unsigned n_steps_here; /* without time passing */
	int line, column;      /* of the event at work */
	struct conn *conns, *current;
	uint16_t listen_port; /* the next SYN opens a connection to it; 0: none listens */
	uint16_t next_remote; /* port of the next peer */
	struct frame *frames, **frames_tail;
	struct fd fds[FDS_MAX];
	struct watch watches[WATCHES_MAX];
	int last_fd;		/* number of the TCP socket opened last; -1 */
	struct calling calling; /* the blocking one */
	uint8_t *scratch;	/* FRAME_MAX bytes */
};

/* ---- report.c ---- */

/* "file:line: ..." and the outcome, unless there is one already. */
void drill_end(struct drill *, enum drill_outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Something of the script is left out; that alone does not change the outcome. */
void drill_skip(struct drill *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "0.100000", since the start, in 24 bytes; returns buf. */
char *drill_time(const struct drill *, tern_time, char *buf);

/* ---- run.c ---- */

enum drill_outcome run_script(struct script *, const struct drill_options *);
/* Shows a frame to whoever watches. */
void drill_watch(struct drill *, enum drill_seen, const uint8_t *frame, size_t len);
/* Takes what the stack has to say now, and lets the blocking call have another try. */
void drill_settle(struct drill *);
/* Time passes, at most until `limit`; stops behind the first thing that happens. */
void drill_step(struct drill *, tern_time limit);
/* An address of either side as the sockets of the script write it. */
struct tern_addr drill_addr(const struct drill *, bool remote, uint16_t port);

/* ---- conn.c ---- */

void conns_free(struct drill *);
struct conn *conn_get(struct drill *, uint8_t proto, uint16_t local, uint16_t remote);
/* The connection that a packet of the script belongs to; NULL: no memory. */
struct conn *conn_of_packet(struct drill *, const struct packet *);
/* Of an expected packet p and the one that came: learns what SYN and timestamp tell. */
void conn_learn(struct drill *, struct conn *, const struct packet *p, struct packet *got);
/* From the script's numbers to the stack's, of a packet to inject. */
void conn_to_wire(struct conn *, struct packet *);
/* From the stack's numbers to the script's, of a packet that the stack has sent. */
void conn_to_script(const struct conn *, struct packet *);

/* ---- match.c ---- */

void inject_packet(struct drill *, const struct event *);
/* Compares the oldest frame, and takes it. */
void match_packet(struct drill *, const struct event *);
/* Sets src_port and dst_port of a packet that travels in this direction. */
struct flow flow_of(const struct drill *, const struct conn *, bool inbound);

/* ---- call.c ---- */

void call_start(struct drill *, const struct event *, tern_time end);
/* Another try of the blocking call; true: it has returned. */
bool call_retry(struct drill *);

/* ---- calls_ready.c ---- */

/* The socket may have become ready. */
void epoll_news(struct drill *, tern_sock);
/* The descriptor is about to be closed. */
void epoll_forget(struct drill *, const struct fd *);

/* ---- command.c, code.c ---- */

void command_run(struct drill *, struct slice);
void code_run(struct drill *, struct slice);
/* tcpi_rto and the like; false: not a field, or one that tern does not fill in. */
bool tcp_info_field(const struct tern_tcp_info *, struct slice name, int64_t *value);

#endif
