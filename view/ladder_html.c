/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_html.c - ladders as a web page.
 */
#include "ladder.h"
bool ladder_html(FILE *f, const struct view *v, const struct ladder_options *o)
{
	return ladder_svg(f, v, o);
}
bool ladder_mermaid(FILE *f, const struct view *v, const struct ladder_options *o)
{
	return ladder_svg(f, v, o);
}
