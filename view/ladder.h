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

enum { LADDER_REMARK_LEN = 200 };

struct ladder_options {
	bool full;				 /* fold nothing, show timers */
	bool colour;				 /* text: with ANSI escapes */
	bool own;				 /* text: not what only others of a medium say */
	bool without_link_talk;			 /* see flow_is_drawn */
	uint32_t conn;				 /* only the conversation of this number; 0: all */
	bool numbered;				 /* show the numbers of conversations */
	const char *title;			 /* of a document; NULL: none */
	const char (*remark)[LADDER_REMARK_LEN]; /* to show or pass on */
	int n_remarks;
	const char *json_head; /* JSON: members to put first, such as "\"seed\":1", or NULL */
};

/*
 * Each writes the whole view; false: memory ran out or the stream failed. Text is at most 80
 * columns wide; SVG is one document; HTML one page that needs nothing else; Mermaid is one
 * sequence diagram, of the first conversation that is asked for; JSON is one object, complete
 * whatever the options say.
 */
bool ladder_text(FILE *, const struct view *, const struct ladder_options *);
bool ladder_svg(FILE *, const struct view *, const struct ladder_options *);
bool ladder_html(FILE *, const struct view *, const struct ladder_options *);
bool ladder_mermaid(FILE *, const struct view *, const struct ladder_options *);
bool ladder_json(FILE *, const struct view *, const struct ladder_options *);

/*
 * A text that is drawn while things happen: each call draws what the view got since the last one.
 * The view must outlive it and have its events reserved (view_reserve). Conversations take turns;
 * those that only others of a shared medium have are left out; what is even and comes between two
 * calls is folded.
 */
struct ladder_live;
struct ladder_live *ladder_live_new(FILE *, const struct view *, bool colour); /* NULL: no memory */
bool ladder_live_draw(struct ladder_live *);				       /* false as above */
bool ladder_live_end(struct ladder_live *);  /* the rest, and how each conversation went */
void ladder_live_free(struct ladder_live *); /* NULL is allowed */

#endif
