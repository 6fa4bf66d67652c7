/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder.h - a view as a picture: each conversation with both ends, its states and its segments.
 *
 * Everything drawn comes from the events of the view, so that a capture written from a view and
 * read back gives the same picture.
 */
#ifndef TERN_VIEW_LADDER_H
#define TERN_VIEW_LADDER_H

#include <stdio.h>

#include "events.h"

struct ladder_options {
	bool full;	       /* fold nothing, show timers */
	bool colour;	       /* text: with ANSI escapes */
	const char *json_head; /* JSON: members to put first, such as "\"seed\":1", or NULL */
};

/*
 * Each writes the whole view; false: memory ran out or the stream failed. Text is at most 80
 * columns wide; SVG is one document; JSON is one object, complete whatever the options say.
 */
bool ladder_text(FILE *, const struct view *, const struct ladder_options *);
bool ladder_svg(FILE *, const struct view *, const struct ladder_options *);
bool ladder_json(FILE *, const struct view *, const struct ladder_options *);

#endif
