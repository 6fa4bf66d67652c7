/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * comment.h - tern's comments in captures, read back.
 */
#ifndef TERN_VIEW_COMMENT_H
#define TERN_VIEW_COMMENT_H

#include "events.h"
#include "pcapng_impl.h"

enum comment_kind {
	COMMENT_FOREIGN, /* not tern's, or not understood */
	COMMENT_FRAME,
	COMMENT_CAUSE,
	COMMENT_CORRUPTED,
	COMMENT_LOST,
	COMMENT_COPIED,
	COMMENT_DROPPED,
	COMMENT_STATE,
	COMMENT_TIMER,
	COMMENT_DROP,
};

struct comment {
	enum comment_kind kind;
	struct view_event event; /* what the comment says of it; text points to word */
	char word[48];		 /* cause, reason or timer */
};

/* Reads the text of one comment. */
void comment_parse(struct comment *, const char *text);

#endif
