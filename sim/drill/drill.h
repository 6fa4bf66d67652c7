/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.h - scripts in packetdrill's language, run against one stack in virtual time.
 *
 * A script is a list of events: at a time a segment comes in (<), must go out (>), or a socket call
 * is made and must give its result. Numbers are relative as in packetdrill: the remote side's first
 * sequence number is what the script says it is, the local side's is learned from its SYN.
 *
 *	lex.c    characters -> numbers, words, times
 *	parse.c  a file -> struct drill_script
 *	packet.c one segment's notation -> struct drill_packet, and back
 *	calls.c  one socket call carried out
 *	run.c    the loop: time, injection, expectation, blocking calls
 */
#ifndef TERN_DRILL_H
#define TERN_DRILL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

enum drill_end { DRILL_PASSED, DRILL_FAILED, DRILL_NOT_SUPPORTED, DRILL_BAD_SCRIPT };

/* Runs the script of that text; says on `out` what differs. verbose: each event as it happens. */
enum drill_end drill_run(const char *name, const char *text, FILE *out, bool verbose);

/* ---- lex.c ---- */

struct lexer {
	const char *name; /* of the file */
	const char *at;
	int line;
	const char *error; /* what was expected; NULL: all is well */
	bool unsupported;  /* the error is that we do not know this part of the language */
};

void lex_blank(struct lexer *);		       /* blanks and comments within a line */
bool lex_is(struct lexer *, const char *word); /* takes the word if it comes next */
bool lex_expect(struct lexer *, const char *word);
bool lex_number(struct lexer *, uint64_t *);	     /* decimal or 0x */
bool lex_time(struct lexer *, tern_time *);	     /* seconds with decimals -> ns */
size_t lex_word(struct lexer *, char *buf, size_t);  /* letters, digits, _ */
bool lex_fail(struct lexer *, const char *expected); /* false; keeps the first */
bool lex_unsupported(struct lexer *, const char *what);

/* ---- the script ---- */

enum drill_proto { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

struct drill_packet {
	enum drill_proto proto;
	struct tcp_hdr h; /* numbers as the script writes them; ports unused */
	uint32_t len;
	bool any_win, any_options, any_ts_val;
	uint8_t raw[40]; /* options beyond tcp_hdr, as bytes to inject */
	uint8_t n_raw;
	uint8_t icmp_type, icmp_code; /* of ICMP: what was quoted is h.seq, len */
	uint32_t icmp_mtu;
};

enum { DRILL_ARGS_MAX = 8, DRILL_ARG_LEN = 96 };

struct drill_call {
	char name[24];
	char arg[DRILL_ARGS_MAX][DRILL_ARG_LEN];
	int n_args;
	bool any_result;
	int64_t result;
	char error[24];	      /* "EAGAIN"; empty: none */
	bool blocks;	      /* written with a time of return */
	tern_time returns_at; /* script time */
};

enum drill_when { WHEN_ABSOLUTE, WHEN_RELATIVE, WHEN_ANY };
enum drill_kind { DRILL_INJECT, DRILL_EXPECT, DRILL_CALL, DRILL_ASSERT };

struct drill_event {
	int line;
	enum drill_when when;
	tern_time from, to; /* `to` beyond `from`: a range */
	bool is_range;
	enum drill_kind kind;
	struct drill_packet packet;
	struct drill_call call;
	char text[160]; /* of an assertion */
};

struct drill_script {
	const char *name;
	bool ipv6;
	tern_time tolerance;
	uint32_t mtu;
	struct drill_event *event;
	size_t n_events, events_cap;
	char setting[16][2][64]; /* sysctl names and values */
	int n_settings;
};

/* false: lx->error says why. The events must be freed by drill_script_fini all the same. */
bool drill_parse(struct drill_script *, struct lexer *);
void drill_script_fini(struct drill_script *);

/* ---- packet.c ---- */

bool packet_parse(struct lexer *, struct drill_packet *);
/* The notation of a packet, into buf; returns buf. */
char *packet_format(const struct drill_packet *, char *buf, size_t);
/* What differs, or NULL. Wildcards of `want` match anything. */
const char *packet_differs(const struct drill_packet *want, const struct drill_packet *got);

/* ---- the run ---- */

enum { DRILL_FDS_MAX = 64, DRILL_QUEUE_MAX = 4096 };

struct drill_fd {
	tern_sock sock; /* 0: free */
	bool nonblocking;
	bool listens;
	int type;
};

struct drill_sent {
	tern_time at; /* script time */
	struct drill_packet packet;
};

struct drill {
	const struct drill_script *script;
	FILE *out;
	bool verbose;
	struct tern_stack *st;
	tern_time now;			   /* script time */
	tern_time last;			   /* of the last event */
	struct drill_fd fd[DRILL_FDS_MAX]; /* by number from 3 */
	struct tern_addr local, remote;	   /* with ports */
	uint32_t local_isn, remote_isn;
	bool local_isn_known;
	uint32_t ts_offset; /* live TSval minus the script's */
	bool ts_offset_known;
	struct drill_sent *queue; /* sent, not yet expected */
	size_t n_queue;
	const struct drill_call *pending; /* a call that blocks */
	int pending_line;
	tern_time pending_since;
	enum drill_end end;
};

enum { DRILL_WAITS = 1 }; /* calls_try: the call would block */
/* Makes the call: 0 with *result, DRILL_WAITS, or -1: not supported (said on d->out). */
int calls_try(struct drill *, const struct drill_call *, int line, int64_t *result);

#endif
