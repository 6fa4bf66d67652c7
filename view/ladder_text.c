/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_text.c - ladders in 80 columns of text.
 *
 *	       time  10.0.0.1:40000                              10.0.0.2:80
 *	   0.000000  SYN-SENT                                              |
 *	             |--- SYN seq=0 win=65535 mss=1460 ------------------->|
 *	   0.010000  |                                          SYN-RECEIVED
 *
 * A line is laid out in cells, each with a colour, between two lifelines; a state's name stands in
 * place of its lifeline. Words that do not fit on an arrow go on below it.
 */
#include "ladder.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "label.h"
#include "rows.h"

enum { WIDTH = 80, TIME_WIDTH = 11, LEFT = 13, RIGHT = 79, INNER = RIGHT - LEFT - 1 };
enum { ARROW_MIN = 40 }; /* of arrows that end between the lifelines */

enum colour { PLAIN, DIM, BOLD, RED, YELLOW, N_COLOURS };

struct line {
	char cell[WIDTH];
	uint8_t colour[WIDTH];
};

struct drawing {
	FILE *out;
	const struct ladder_options *options;
	const struct flows *flows;
	const struct flow *flow;
	char time_shown[TIME_TEXT_MAX];
};

/* ---- lines ---- */

static void put(struct line *l, int col, const char *text, enum colour colour)
{
	for (; *text && col < WIDTH; text++, col++) {
		if (col < 0)
			continue;
		l->cell[col] = *text;
		l->colour[col] = (uint8_t)colour;
	}
}

static void put_right(struct line *l, int last, const char *text, enum colour colour)
{
	put(l, last + 1 - (int)strlen(text), text, colour);
}

static void fill(struct line *l, int from, int to, char c)
{
	for (int i = from; i < to && i < WIDTH; i++)
		l->cell[i] = c;
}

static void clear(struct line *l)
{
	memset(l->cell, ' ', sizeof(l->cell));
	memset(l->colour, PLAIN, sizeof(l->colour));
}

static void start(struct line *l)
{
	clear(l);
	put(l, LEFT, "|", DIM);
	put(l, RIGHT, "|", DIM);
}

static void finish(const struct drawing *d, const struct line *l)
{
	static const char *const escape[N_COLOURS] = { "\033[0m", "\033[2m", "\033[1m", "\033[31m",
						       "\033[33m" };
	int end = WIDTH;
	uint8_t colour = PLAIN;

	while (end > 0 && l->cell[end - 1] == ' ')
		end--;
	for (int i = 0; i < end; i++) {
		if (d->options->colour && l->colour[i] != colour) {
			colour = l->colour[i];
			fprintf(d->out, "%s%s", escape[PLAIN], colour ? escape[colour] : "");
		}
		fputc(l->cell[i], d->out);
	}
	fprintf(d->out, "%s\n", colour ? escape[PLAIN] : "");
}

/* The time of the line, unless the line above has the same. */
static void put_time(struct drawing *d, struct line *l, tern_time at)
{
	char text[TIME_TEXT_MAX];
	int decimals = at < 10000 * TERN_SEC ? 6 : at < 10000000 * TERN_SEC ? 3 : 0;

	label_time(text, at, decimals);
	if (strcmp(text, d->time_shown) == 0)
		return;
	strcpy(d->time_shown, text);
	if (strlen(text) <= TIME_WIDTH)
		put_right(l, TIME_WIDTH - 1, text, DIM);
	else
		put(l, 0, text, DIM);
}

/* ---- words ---- */

/* Takes the words that fit off *text into buf, which holds columns + 1 bytes. */
static void take_words(char *buf, const char **text, size_t columns)
{
	size_t n = label_break(*text, columns);

	memcpy(buf, *text, n);
	buf[n] = 0;
	*text += n;
	while (**text == ' ')
		++*text;
}

static void put_rest(struct drawing *d, const char *rest, enum colour colour)
{
	char words[INNER + 1];
	struct line l;

	while (*rest) {
		start(&l);
		take_words(words, &rest, INNER - 6);
		put(&l, LEFT + 5, words, colour);
		finish(d, &l);
	}
}

/* ---- the lines of a ladder ---- */

static void draw_state(struct drawing *d, const struct row *r)
{
	struct line l;
	const char *name = tern_tcp_state_name((enum tern_tcp_state)r->state);

	start(&l);
	put_time(d, &l, r->at);
	if (r->side == 0)
		put(&l, LEFT, name, BOLD);
	else
		put_right(&l, RIGHT, name, BOLD);
	finish(d, &l);
}

/* An arrow over columns [from, to) with words on it; head '>' or '<' at its end, or 'X'. */
static void put_arrow(struct line *l, const int span[2], const char *words, char head)
{
	int n = (int)strlen(words);

	fill(l, span[0], span[1], '-');
	if (head == '<' || head == 'x')
		l->cell[span[0]] = head == 'x' ? 'X' : head;
	else
		l->cell[span[1] - 1] = head;
	if (n == 0)
		return;
	l->cell[span[0] + 3] = ' ';
	put(l, span[0] + 4, words, PLAIN);
	l->cell[span[0] + 4 + n] = ' ';
}

static void draw_whole(struct drawing *d, const struct row *r, const char *words)
{
	static const int span[2] = { LEFT + 1, RIGHT };
	char first[INNER + 1];
	struct line l;

	start(&l);
	put_time(d, &l, r->at);
	take_words(first, &words, INNER - 8);
	put_arrow(&l, span, first, r->side == 0 ? '>' : '<');
	finish(d, &l);
	put_rest(d, words, PLAIN);
}

/* An arrow that touches only one lifeline, with a note beyond its loose end. */
struct part {
	int side;  /* whose lifeline */
	char head; /* as for put_arrow */
	int len_min;
	enum colour colour; /* of the note */
	char note[48];
};

static void draw_part(struct drawing *d, const struct row *r, const char *words,
		      const struct part *part)
{
	char first[INNER + 1];
	struct line l;
	int room = INNER - (int)strlen(part->note) - 2, len, span[2];

	start(&l);
	put_time(d, &l, r->at);
	take_words(first, &words, (size_t)(room - 8));
	len = MIN(room, MAX(part->len_min, (int)strlen(first) + 8));
	span[0] = part->side == 0 ? LEFT + 1 : RIGHT - len;
	span[1] = span[0] + len;
	put_arrow(&l, span, first, part->head);
	if (part->side == 0)
		put(&l, span[1] + 1, part->note, part->colour);
	else
		put_right(&l, span[0] - 2, part->note, part->colour);
	finish(d, &l);
	put_rest(d, words, PLAIN);
}

static void draw_segment(struct drawing *d, const struct row *r)
{
	const struct segment *g = &d->flow->segment[r->segment];
	struct part part = { .side = r->side, .len_min = ARROW_MIN, .colour = DIM };
	char words[LABEL_MAX];

	label_row(words, d->flow, r);
	if (r->kind == ROW_ARROW) {
		draw_whole(d, r, words);
		return;
	}
	part.head = r->side == 0 ? '>' : '<';
	if (r->kind == ROW_DEPART) {
		snprintf(part.note, sizeof(part.note), "(%u)", r->tag);
	} else {
		part.head = r->side == 0 ? 'X' : 'x';
		part.colour = RED;
		label_fate(part.note, sizeof(part.note), g);
	}
	draw_part(d, r, words, &part);
}

/* The end of an arrow whose beginning is above. */
static void draw_arrival(struct drawing *d, const struct row *r)
{
	const struct segment *g = &d->flow->segment[r->segment];
	struct part part = {
		.side = r->side, .head = r->side == 0 ? '<' : '>', .colour = DIM, .note = "copy"
	};
	char words[LABEL_MAX];

	label_short(words, d->flow, g);
	if (r->step->copy && r->step->duplicate)
		label_add(words, " [duplicate]");
	if (r->step->copy && r->step->text)
		label_add(words, " [dropped: %s]", r->step->text);
	if (!r->step->copy) {
		label_add_arrived_marks(words, g);
		snprintf(part.note, sizeof(part.note), "(%u)", r->tag);
	}
	part.len_min = (int)strlen(words) + 12;
	draw_part(d, r, words, &part);
}

static void draw_timer(struct drawing *d, const struct row *r)
{
	struct line l;
	char text[64];

	start(&l);
	put_time(d, &l, r->at);
	snprintf(text, sizeof(text), "(timer: %.30s)", r->step->text);
	if (r->side == 0)
		put(&l, LEFT + 2, text, DIM);
	else
		put_right(&l, RIGHT - 2, text, DIM);
	finish(d, &l);
}

static void draw_fold(struct drawing *d, const struct row *r)
{
	char words[LABEL_MAX] = "";
	const char *rest = words;
	char part[INNER + 1];
	struct line l;

	label_fold(words, &r->fold);
	label_add(words, " ...");
	while (*rest) {
		clear(&l);
		put(&l, LEFT, ":", DIM);
		put(&l, RIGHT, ":", DIM);
		if (rest == words) {
			put_time(d, &l, r->at);
			put(&l, LEFT + 2, "...", YELLOW);
		}
		take_words(part, &rest, INNER - 8);
		put(&l, LEFT + 6, part, YELLOW);
		finish(d, &l);
	}
}

static void draw_gap(struct drawing *d, const struct row *r)
{
	char text[64] = "", seconds[TIME_TEXT_MAX];
	struct line l;

	clear(&l);
	snprintf(text, sizeof(text), "%s s pass", label_time(seconds, r->gap, 3));
	put(&l, LEFT, ":", DIM);
	put(&l, RIGHT, ":", DIM);
	put(&l, LEFT + 1 + (INNER - (int)strlen(text)) / 2, text, DIM);
	finish(d, &l);
}

static void draw_row(struct drawing *d, const struct row *r)
{
	switch (r->kind) {
	case ROW_STATE:
		draw_state(d, r);
		break;
	case ROW_ARRIVE:
		draw_arrival(d, r);
		break;
	case ROW_TIMER:
		draw_timer(d, r);
		break;
	case ROW_FOLD:
		draw_fold(d, r);
		break;
	case ROW_GAP:
		draw_gap(d, r);
		break;
	default:
		draw_segment(d, r);
	}
}

/* ---- head and end ---- */

/* Two texts at the two sides, on one line when they fit. */
static void draw_pair(const struct drawing *d, const char *margin, const char *left,
		      const char *right)
{
	struct line l;

	clear(&l);
	put_right(&l, TIME_WIDTH - 1, margin, DIM);
	put(&l, LEFT, left, BOLD);
	if (strlen(left) + strlen(right) + 2 > INNER + 2) {
		finish(d, &l);
		clear(&l);
	}
	put_right(&l, RIGHT, right, BOLD);
	finish(d, &l);
}

static void draw_head(const struct drawing *d)
{
	const struct flow *f = d->flow;
	char text[2][TERN_ADDR_TEXT_MAX + VIEW_NAME_MAX], number[16] = "";

	for (int i = 0; i < 2; i++)
		flow_endpoint(f, i, text[i]);
	if (d->options->numbered)
		snprintf(number, sizeof(number), "#%u", (unsigned)f->number);
	draw_pair(d, number, text[0], text[1]);
	for (int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]), "%s%s%s", flow_side_name(d->flows, f, i),
			 flow_role(f, i)[0] ? ", " : "", flow_role(f, i));
	draw_pair(d, "seconds", text[0], text[1]);
	for (int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]), "%s",
			 f->side[i].state_known ?
				 tern_tcp_state_name((enum tern_tcp_state)f->side[i].first_state) :
				 "|");
	draw_pair(d, "", text[0], text[1]);
}

static void draw_summary(const struct drawing *d)
{
	char words[LABEL_MAX], part[WIDTH + 1];
	const char *rest = words;
	size_t columns = WIDTH;

	label_summary(words, d->flows, d->flow);
	/* Too long only with long names, addresses or figures; then its last part goes below. */
	while (strlen(words) > WIDTH && columns > 1 && words[columns - 1] != ';')
		columns--;
	take_words(part, &rest, columns);
	fprintf(d->out, "%s\n", part);
	while (*rest) {
		take_words(part, &rest, WIDTH - 2);
		fprintf(d->out, "  %s\n", part);
	}
}

/* The steps of the flow from `from` on; false: no memory. */
static bool draw_rows(struct drawing *d, size_t from)
{
	struct rows *rows = rows_new(d->flow, from, d->options->full);
	bool good = rows && !rows->incomplete;

	for (size_t i = 0; rows && i < rows->n; i++)
		draw_row(d, &rows->row[i]);
	rows_free(rows);
	return good;
}

/* What others of a shared medium say to each other: nobody here took part. */
static bool is_of_others(const struct flow *f)
{
	for (size_t i = 0; i < f->n_segments; i++)
		if (!f->segment[i].ignored)
			return false;
	return f->n_segments > 0;
}

bool ladder_text(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *flows = flows_new(v);
	struct drawing d = { .out = out, .options = options, .flows = flows };
	bool good = flows && !flows->incomplete;
	int n_drawn = 0;

	for (size_t i = 0; flows && i < flows->n; i++) {
		d.flow = &flows->flow[i];
		if (!flow_is_drawn(flows, d.flow, options->conn, options->without_link_talk) ||
		    (options->own && is_of_others(d.flow)))
			continue;
		d.time_shown[0] = 0;
		if (n_drawn++ > 0)
			fputc('\n', out);
		draw_head(&d);
		good = draw_rows(&d, 0) && good;
		draw_summary(&d);
	}
	flows_free(flows);
	return good && !ferror(out);
}

/* ---- live ---- */

struct ladder_live {
	struct ladder_options options;
	struct flows *flows;
	size_t *shown; /* steps, of each flow */
	size_t n_shown, shown_cap;
	struct drawing d; /* d.flow is not kept: flows move */
	size_t last;	  /* 1 + the flow whose ladder stands last; 0: none */
};

struct ladder_live *ladder_live_new(FILE *out, const struct view *v, bool colour)
{
	struct ladder_live *live = calloc(1, sizeof(*live));

	if (!live)
		return NULL;
	live->options.colour = colour;
	live->flows = flows_new(v);
	live->d = (struct drawing){ .out = out, .options = &live->options, .flows = live->flows };
	if (live->flows)
		return live;
	free(live);
	return NULL;
}

static bool make_room_for_flows(struct ladder_live *live)
{
	while (live->n_shown < live->flows->n) {
		size_t *grown =
			array_grow(live->shown, live->n_shown, &live->shown_cap, sizeof(*grown));

		if (!grown)
			return false;
		live->shown = grown;
		live->shown[live->n_shown++] = 0;
	}
	return true;
}

/* The ladder of another conversation begins, or goes on. */
static void turn_to(struct ladder_live *live, size_t flow)
{
	char text[2][TERN_ADDR_TEXT_MAX];

	if (live->last == flow + 1)
		return;
	if (live->last)
		fputc('\n', live->d.out);
	live->last = flow + 1;
	live->d.time_shown[0] = 0;
	if (live->shown[flow] == 0) {
		draw_head(&live->d);
		return;
	}
	for (int i = 0; i < 2; i++)
		flow_endpoint(live->d.flow, i, text[i]);
	draw_pair(&live->d, "...", text[0], text[1]);
}

bool ladder_live_draw(struct ladder_live *live)
{
	bool good;

	flows_read_on(live->flows);
	good = make_room_for_flows(live) && !live->flows->incomplete;
	for (size_t i = 0; i < live->n_shown; i++) {
		const struct flow *f = &live->flows->flow[i];

		if (f->n_steps == live->shown[i] || is_of_others(f))
			continue;
		live->d.flow = f;
		turn_to(live, i);
		good = draw_rows(&live->d, live->shown[i]) && good;
		live->shown[i] = f->n_steps;
	}
	fflush(live->d.out);
	return good && !ferror(live->d.out);
}

bool ladder_live_end(struct ladder_live *live)
{
	bool good = ladder_live_draw(live);

	for (size_t i = 0; i < live->n_shown; i++) {
		live->d.flow = &live->flows->flow[i];
		if (live->shown[i] == 0)
			continue;
		turn_to(live, i);
		draw_summary(&live->d);
	}
	return good && !ferror(live->d.out);
}

void ladder_live_free(struct ladder_live *live)
{
	if (!live)
		return;
	flows_free(live->flows);
	free(live->shown);
	free(live);
}
