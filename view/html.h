/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.h - parts of the page: its head with the style, escaped text, the panel of a segment.
 */
#ifndef TERN_VIEW_HTML_H
#define TERN_VIEW_HTML_H

#include <stdio.h>

#include "flow.h"

void html_head(FILE *, const char *title); /* up to and with <body>; NULL: no title */
void html_text(FILE *, const char *text);
/* Everything known of a segment: times, header fields, options, payload as far as it is kept. */
void html_panel(FILE *, const struct flows *, const struct flow *, const struct segment *);

#endif
