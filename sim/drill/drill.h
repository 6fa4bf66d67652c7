/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.h - runs scripts in packetdrill's language against one stack, in virtual time.
 *
 * A script says what arrives (<), what the stack must send (>) and when, and which socket calls a
 * program makes with which results. The stack is a whole tern_stack with one raw-IP interface; its
 * clock is the script's, so nothing waits and timing is exact.
 */
#ifndef TERN_DRILL_H
#define TERN_DRILL_H

#include <stdbool.h>
#include <stdio.h>

#include "../../include/tern.h"

enum { DRILL_PROBLEM_MAX = 100 };

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,	   /* the stack did otherwise */
	DRILL_UNSUPPORTED, /* the script uses what tern or this runner has not */
	DRILL_BROKEN	   /* not readable, or not a script */
};

/* Something that a picture of the run shows. Everything it points to is borrowed for the call. */
enum drill_seen {
	DRILL_SENT,	/* by the stack */
	DRILL_INJECTED, /* by the script: it reaches the stack at once */
	DRILL_TRACE
};
struct drill_note {
	enum drill_seen what;
	tern_time at; /* since the script's own 0 */
	const uint8_t *frame;
	size_t len;
	const struct tern_trace *trace;
};

struct drill_profile;
/* "linux", "rfc", "freebsd"; NULL: no such. */
const struct drill_profile *drill_profile_find(const char *name);

struct drill_options {
	FILE *out;			     /* what differs */
	FILE *err;			     /* what is wrong with the script itself */
	bool verbose;			     /* each event as it happens, to out */
	bool any_option_order;		     /* of TCP options in what is expected */
	const struct drill_profile *profile; /* NULL: Linux's */
	/* Runs a shell command that the runner does not know; its exit code. NULL: none is run. */
	int (*shell)(const char *command);
	void (*watch)(void *ctx, const struct drill_note *); /* NULL: nobody looks */
	void *ctx;
	/* "--mtu=1280": options on top of the script's own; ends with NULL. NULL: none. */
	const char *const *script_options;
	unsigned *n_skipped; /* counts shell commands and options left out; NULL: nobody asks */
};

/* Is --name an option that scripts have? */
bool drill_is_script_option(const char *name);
/* Is the value of such an option ("--mtu=1280") one that it takes? Else problem says why not. */
bool drill_option_is_right(const char *option, char problem[DRILL_PROBLEM_MAX]);
/* Runs one script file. */
enum drill_outcome drill_file(const char *path, const struct drill_options *);
/* Runs the text of a script; name stands for it in messages. */
enum drill_outcome drill_text(const char *name, const char *text, size_t len,
			      const struct drill_options *);

#endif
