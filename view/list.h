/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - the conversations of a capture as a table.
 */
#ifndef TERN_VIEW_LIST_H
#define TERN_VIEW_LIST_H

#include "capture.h"

/*
 * conn: only the row of this number; 0: all. false: memory ran out or the stream failed. Text is 80
 * columns wide, two lines for each.
 */
bool list_text(FILE *, const struct capture *, uint32_t conn);
bool list_json(FILE *, const struct capture *, uint32_t conn);

/* "closed", "reset", "refused", "half closed", "open", "no answer"; "" when it is not TCP. */
const char *list_ended(const struct flow *);
const char *list_protocol(const struct flow *);

#endif
