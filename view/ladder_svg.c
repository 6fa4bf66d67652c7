/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_svg.c - ladders as one SVG document.
 *
 * The rows are the text's; here each takes so much height, and an arrow leans: it leaves its
 * sender's lifeline above and reaches the other below, from its own row to that of its arrival
 * when something happened between. A lifeline has the colour of its side's state. Words stand over
 * their arrow on a white rim, so that a crossing line does not cut them.
 */
#include "ladder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "rows.h"

enum {
	PAGE_WIDTH = 900,
	MARGIN = 24,
	TIME_X = 96,
	LEFT_X = 226,
	RIGHT_X = 752,
	BOX_WIDTH = 112,
	BOX_HEIGHT = 20,
	LIFELINE = 5,
	HEAD_HEIGHT = 84,
	FOOT_HEIGHT = 56,
	LEAN = 14,
	LINE_HEIGHT = 15,
	CHAR_WIDTH = 7, /* of words */
	WORDS_MAX = 70, /* characters over one arrow */
};

struct figure {
	FILE *out; /* NULL: only measured */
	const struct ladder_options *options;
	const struct flows *flows;
	const struct flow *flow;
	const struct rows *rows;
	int *y;		 /* of each row: its upper edge */
	int top, bottom; /* of the lifelines */
	char time_shown[TIME_TEXT_MAX];
};

static int lifeline_x(int side)
{
	return side == 0 ? LEFT_X : RIGHT_X;
}

static void put_escaped(const struct figure *g, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", g->out);
		else if (c == '>')
			fputs("&gt;", g->out);
		else if (c == '&')
			fputs("&amp;", g->out);
		else
			fputc(c < 0x20 || c >= 0x7f ? '?' : c, g->out);
	}
}

static void put_text(const struct figure *g, const char *class, const int at[2], const char *text)
{
	fprintf(g->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, at[0], at[1]);
	put_escaped(g, text);
	fputs("</text>\n", g->out);
}

#define AT(x, y) ((const int[2]){ (x), (y) })

/* ---- heights ---- */

static int lines_of(const char *words)
{
	int n = 0;

	for (; *words; n++) {
		words += label_break(words, WORDS_MAX);
		words += *words == ' ';
	}
	return n;
}

static int height_of(const struct figure *g, const struct row *r)
{
	char words[LABEL_MAX];

	switch (r->kind) {
	case ROW_STATE:
		return 26;
	case ROW_TIMER:
		return 20;
	case ROW_GAP:
	case ROW_FOLD:
		return 36;
	case ROW_ARRIVE:
		return 36;
	default:
		label_row(words, g->flow, r);
		return 14 + LINE_HEIGHT * lines_of(words) + LEAN;
	}
}

/* Gives each row its place below y. false: no memory. */
static bool lay_out(struct figure *g, int y)
{
	g->y = malloc((g->rows->n + 1) * sizeof(*g->y));
	if (!g->y)
		return false;
	y += HEAD_HEIGHT;
	g->top = y - 8;
	for (size_t i = 0; i < g->rows->n; i++) {
		g->y[i] = y;
		y += height_of(g, &g->rows->row[i]);
	}
	g->bottom = y + 12;
	return true;
}

/* ---- lifelines ---- */

static void put_lifeline(const struct figure *g, int side, const int span[2], const char *class)
{
	if (span[1] > span[0])
		fprintf(g->out,
			"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
			class, lifeline_x(side) - LIFELINE / 2, span[0], LIFELINE,
			span[1] - span[0]);
}

static void put_lifelines(const struct figure *g)
{
	for (int side = 0; side < 2; side++) {
		const struct flow_side *s = &g->flow->side[side];
		const char *class = s->state_known ? label_state_class(s->first_state) : "closed";
		int from = g->top;

		for (size_t i = 0; i < g->rows->n; i++) {
			const struct row *r = &g->rows->row[i];

			if (r->kind != ROW_STATE || r->side != side)
				continue;
			put_lifeline(g, side, AT(from, g->y[i] + 13), class);
			from = g->y[i] + 13;
			class = label_state_class(r->state);
		}
		put_lifeline(g, side, AT(from, g->bottom), class);
	}
}

/* ---- rows ---- */

static void put_time(struct figure *g, int y, tern_time at)
{
	char text[TIME_TEXT_MAX];

	label_time(text, at, 6);
	if (strcmp(text, g->time_shown) == 0)
		return;
	strcpy(g->time_shown, text);
	put_text(g, "time", AT(TIME_X, y), text);
}

static void put_box(const struct figure *g, int side, int y, unsigned state)
{
	int x = side == 0 ? LEFT_X - 10 - BOX_WIDTH : RIGHT_X + 10;

	fprintf(g->out,
		"<rect class=\"box %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
		"rx=\"3\"/>\n",
		label_state_class(state), x, y, BOX_WIDTH, BOX_HEIGHT);
	put_text(g, "state", AT(x + BOX_WIDTH / 2, y + 14),
		 tern_tcp_state_name((enum tern_tcp_state)state));
}

/* Which end of a line of words is at x. */
enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

/* White ground for a line of n characters, so that no arrow runs through them. */
static void put_ground(const struct figure *g, enum anchor a, const int at[2], size_t n)
{
	int width = (int)n * CHAR_WIDTH;

	fprintf(g->out, "<rect class=\"ground\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
		at[0] - width * (int)a / 2, at[1] - LINE_HEIGHT + 5, width, LINE_HEIGHT - 2);
}

/* Words in lines, the last of which ends above y. */
static void put_words(const struct figure *g, enum anchor a, const int at[2], const char *words)
{
	static const char *const class[] = { "words start", "words", "words end" };
	int y = at[1] - LINE_HEIGHT * (lines_of(words) - 1);

	while (*words) {
		char line[WORDS_MAX + 1];
		size_t n = label_break(words, WORDS_MAX);

		memcpy(line, words, n);
		line[n] = 0;
		put_ground(g, a, AT(at[0], y), n);
		put_text(g, class[a], AT(at[0], y), line);
		words += n;
		words += *words == ' ';
		y += LINE_HEIGHT;
	}
}

static void put_line(const struct figure *g, const char *class, const int from[2], const int to[2])
{
	fprintf(g->out, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class,
		from[0], from[1], to[0], to[1]);
}

static void put_lost(const struct figure *g, const struct row *r, int y)
{
	const struct segment *s = &g->flow->segment[r->segment];
	int direction = r->side == 0 ? 1 : -1, from = lifeline_x(r->side) + direction * 4;
	int to = from + direction * (RIGHT_X - LEFT_X) * 6 / 10, end = y + LEAN * 6 / 10;
	char text[64];

	put_line(g, "gone", AT(from, y), AT(to, end));
	put_line(g, "cross", AT(to - 5, end - 5), AT(to + 5, end + 5));
	put_line(g, "cross", AT(to - 5, end + 5), AT(to + 5, end - 5));
	label_fate(text, sizeof(text), s);
	put_text(g, r->side == 0 ? "loss" : "loss end", AT(to + direction * 12, end + 4), text);
}

static void put_segment(struct figure *g, const struct row *r, int y)
{
	const struct segment *s = &g->flow->segment[r->segment];
	int direction = r->side == 0 ? 1 : -1;
	int from = lifeline_x(r->side) + direction * 4;
	int to = lifeline_x(1 - r->side) - direction * 5;
	char words[LABEL_MAX];

	label_row(words, g->flow, r);
	y += 10 + LINE_HEIGHT * lines_of(words);
	put_time(g, y + 4, r->at);
	if (r->kind == ROW_LOST)
		put_lost(g, r, y);
	else
		put_line(g, label_is_remarkable(s) ? "arrow again" : "arrow", AT(from, y),
			 AT(to,
			    r->kind == ROW_DEPART && r->mate >= 0 ? g->y[r->mate] + 16 : y + LEAN));
	if (r->kind == ROW_ARROW)
		put_words(g, ANCHOR_MIDDLE, AT((LEFT_X + RIGHT_X) / 2, y - 4), words);
	else
		put_words(g, r->side == 0 ? ANCHOR_START : ANCHOR_END,
			  AT(from + direction * 12, y - 5), words);
}

static void put_arrival(struct figure *g, const struct row *r, int y)
{
	const struct segment *s = &g->flow->segment[r->segment];
	int direction = r->side == 0 ? -1 : 1, to = lifeline_x(r->side) - direction * 5;
	char words[LABEL_MAX] = "";

	put_time(g, y + 20, r->at);
	if (r->step->copy) {
		label_copy(words, g->flow, r);
		put_line(g, "arrow again", AT(to - direction * 240, y + 10), AT(to, y + 16));
	} else {
		label_add_arrived_marks(words, s);
	}
	if (words[0])
		put_words(g, r->side == 0 ? ANCHOR_START : ANCHOR_END,
			  AT(to - direction * 10, y + 31), words + (words[0] == ' '));
}

static void put_fold(struct figure *g, const struct row *r, int y)
{
	char words[LABEL_MAX] = "";

	label_fold(words, &r->fold);
	put_time(g, y + 22, r->at);
	fprintf(g->out, "<rect class=\"fold\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"24\"/>\n",
		LEFT_X - 6, y + 6, RIGHT_X - LEFT_X + 12);
	put_text(g, "note", AT((LEFT_X + RIGHT_X) / 2, y + 22), words);
}

static void put_gap(struct figure *g, const struct row *r, int y)
{
	char words[64], seconds[TIME_TEXT_MAX];

	snprintf(words, sizeof(words), "%s s pass", label_time(seconds, r->gap, 3));
	for (int side = 0; side < 2; side++)
		fprintf(g->out,
			"<rect class=\"gap\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"16\"/>\n",
			lifeline_x(side) - LIFELINE, y + 10, 2 * LIFELINE);
	for (int side = 0; side < 2; side++)
		put_line(g, "dots", AT(lifeline_x(side), y + 11), AT(lifeline_x(side), y + 26));
	put_text(g, "note", AT((LEFT_X + RIGHT_X) / 2, y + 22), words);
}

static void put_timer(struct figure *g, const struct row *r, int y)
{
	char words[LABEL_MAX];

	label_timer(words, r);
	put_time(g, y + 14, r->at);
	put_text(g, r->side == 0 ? "note start" : "note end",
		 AT(lifeline_x(r->side) + (r->side == 0 ? 10 : -10), y + 14), words);
}

static void put_row(struct figure *g, const struct row *r, int y)
{
	switch (r->kind) {
	case ROW_STATE:
		put_time(g, y + 17, r->at);
		put_box(g, r->side, y + 3, r->state);
		break;
	case ROW_ARRIVE:
		put_arrival(g, r, y);
		break;
	case ROW_TIMER:
		put_timer(g, r, y);
		break;
	case ROW_FOLD:
		put_fold(g, r, y);
		break;
	case ROW_GAP:
		put_gap(g, r, y);
		break;
	default:
		put_segment(g, r, y);
	}
}

/* ---- the document ---- */

static void put_head(const struct figure *g, int y)
{
	const struct flow *f = g->flow;
	char number[16];

	snprintf(number, sizeof(number), "#%u", (unsigned)f->number);
	if (g->options->numbered)
		put_text(g, "role end", AT(PAGE_WIDTH / 2, y + 22), number);
	for (int i = 0; i < 2; i++) {
		char text[TERN_ADDR_TEXT_MAX + VIEW_NAME_MAX];
		int x = i == 0 ? MARGIN : PAGE_WIDTH - MARGIN;

		put_text(g, i == 0 ? "end-name" : "end-name end", AT(x, y + 22),
			 flow_endpoint(f, i, text));
		snprintf(text, sizeof(text), "%s%s%s", flow_side_name(g->flows, f, i),
			 flow_role(f, i)[0] ? ", " : "", flow_role(f, i));
		put_text(g, i == 0 ? "role" : "role end", AT(x, y + 40), text);
		if (f->side[i].state_known)
			put_box(g, i, y + 54, f->side[i].first_state);
	}
	put_text(g, "time", AT(TIME_X, y + 68), "seconds");
}

static void put_style(FILE *out)
{
	fputs("<style>\n"
	      "text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
	      " fill: #222; }\n"
	      ".words, .note { text-anchor: middle; font-size: 11.5px; }\n"
	      ".start { text-anchor: start; } .end { text-anchor: end; }\n"
	      ".note { fill: #555; } .loss { fill: #b3261e; }\n"
	      ".time { text-anchor: end; fill: #777; font-size: 11px; }\n"
	      ".state { text-anchor: middle; font-weight: bold; font-size: 11px; }\n"
	      ".end-name { font-weight: bold; font-size: 14px; }\n"
	      ".role, .summary { font-family: system-ui, 'DejaVu Sans', sans-serif; }\n"
	      ".role { fill: #555; } .summary { font-size: 13px; }\n"
	      ".arrow { stroke: #333; stroke-width: 1.3; marker-end: url(#head); }\n"
	      ".again { stroke: #a35f00; marker-end: url(#again-head); }\n"
	      ".gone { stroke: #b3261e; stroke-width: 1.3; stroke-dasharray: 5 3; }\n"
	      ".cross { stroke: #b3261e; stroke-width: 2; }\n"
	      ".closed { fill: #d0d0d0; } .opening { fill: #ecc66a; } .open { fill: #8fc08f; }\n"
	      ".closing { fill: #93b4dc; } .waiting { fill: #c3add9; }\n"
	      ".box { fill-opacity: 0.55; stroke: #999; stroke-width: 0.5; }\n"
	      ".fold { fill: #f6f6f2; stroke: #bbb; stroke-dasharray: 3 3; }\n"
	      ".gap, .ground { fill: #fff; }\n"
	      ".dots { stroke: #888; stroke-width: 2; stroke-dasharray: 2 4; }\n"
	      "</style>\n<defs>\n",
	      out);
	for (int i = 0; i < 2; i++)
		fprintf(out,
			"<marker id=\"%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
			"markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
			"<path d=\"M0 1 L10 5 L0 9 z\" fill=\"%s\"/></marker>\n",
			i ? "again-head" : "head", i ? "#a35f00" : "#333");
	fputs("</defs>\n", out);
}

/* Draws (or, without a stream, only measures) one flow from y on; false: no memory. */
static bool put_flow(struct figure *g, int *y)
{
	char summary[LABEL_MAX];
	struct rows *rows = rows_new(g->flow, 0, g->options->full);
	bool good;

	g->rows = rows;
	g->time_shown[0] = 0;
	good = rows && !rows->incomplete && lay_out(g, *y);
	if (good && g->out) {
		put_head(g, *y);
		put_lifelines(g);
		for (size_t i = 0; i < rows->n; i++)
			put_row(g, &rows->row[i], g->y[i]);
		label_summary(summary, g->flows, g->flow);
		put_text(g, "summary", AT(MARGIN, g->bottom + 26), summary);
	}
	*y = g->bottom + FOOT_HEIGHT;
	free(g->y);
	g->y = NULL;
	rows_free(rows);
	return good;
}

static bool put_flows(struct figure *g, int *height)
{
	bool good = true;

	*height = 0;
	for (size_t i = 0; i < g->flows->n && good; i++) {
		g->flow = &g->flows->flow[i];
		if (!flow_is_drawn(g->flows, g->flow, g->options->conn,
				   g->options->without_link_talk))
			continue;
		good = put_flow(g, height);
	}
	return good;
}

bool ladder_svg(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *fs = flows_new(v);
	struct figure g = { .flows = fs, .options = options };
	int height;
	bool good = fs && !fs->incomplete && put_flows(&g, &height);

	if (good) {
		g.out = out;
		fprintf(out,
			"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
			"height=\"%d\" viewBox=\"0 0 %d %d\">\n",
			PAGE_WIDTH, height, PAGE_WIDTH, height);
		put_style(out);
		fprintf(out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", PAGE_WIDTH,
			height);
		good = put_flows(&g, &height);
		fputs("</svg>\n", out);
	}
	flows_free(fs);
	return good && !ferror(out);
}
