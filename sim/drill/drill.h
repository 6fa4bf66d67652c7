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

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,	   /* the stack did otherwise */
	DRILL_UNSUPPORTED, /* the script uses what tern or this runner has not */
	DRILL_BROKEN	   /* not readable, or not a script */
};

struct drill_options {
	FILE *out;    /* what differs */
	FILE *err;    /* what is wrong with the script itself */
	bool verbose; /* each event as it happens, to out */
};

/* Runs one script file. */
enum drill_outcome drill_file(const char *path, const struct drill_options *);
/* Runs the text of a script; name stands for it in messages. */
enum drill_outcome drill_text(const char *name, const char *text, size_t len,
			      const struct drill_options *);

#endif
