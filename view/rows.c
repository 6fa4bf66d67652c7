/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.c - from the steps of a flow to the lines of its ladder.
 *
 * A line stands for an instant, and time runs downwards at both sides, so a segment may be one line
 * only when nothing that is shown happens at its receiver between departure and arrival, other
 * than arrivals of earlier segments that are one line too. Otherwise it is two lines with the same
 * tag: what crosses on the wire crosses in the picture.
 *
 * Folding hides what is even: in a stretch of plain data and ACKs all but the first and last few;
 * in a stretch between state changes that is still long, all but more of them. What is hidden is
 * counted in one line at its place.
 */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

enum { EVEN_MIN = 10, EVEN_SHOWN = 2, LONG_MIN = 60, LONG_SHOWN = 20 };

static const tern_time gap_min = TERN_SEC;

struct plan {
	const struct flow *flow;
	size_t from; /* the first step to show */
	bool full;
	bool *hidden;	 /* by step */
	bool *one_line;	 /* by segment */
	bool *gone;	 /* by segment: its departure is hidden */
	bool *edge;	 /* by segment: shown only because a folded stretch begins or ends there */
	int *depart_row; /* by segment; -1 */
	unsigned n_tags;
	struct view_fold fold; /* hidden since the last row */
	bool folding;
	tern_time fold_at;
	tern_time last_at;
	bool any;
};

/* ---- what is hidden ---- */

static const struct segment *segment_of(const struct plan *p, const struct step *s)
{
	return &p->flow->segment[s->segment];
}

static bool is_frame(const struct step *s)
{
	return s->kind == STEP_SEND || s->kind == STEP_ARRIVE;
}

static bool is_ordinary(const struct plan *p, const struct step *s)
{
	const uint16_t special = TCP_SYN | TCP_FIN | TCP_RST;

	if (!is_frame(s))
		return s->kind != STEP_STATE;
	return !(segment_of(p, s)->tcp.flags & special);
}

static bool is_even(const struct plan *p, const struct step *s)
{
	const struct segment *g;

	if (!is_frame(s))
		return s->kind != STEP_STATE;
	if (!is_ordinary(p, s))
		return false;
	g = segment_of(p, s);
	return g->marks == 0 && !g->sent->text && !g->sent->lost && !g->dropped &&
	       g->n_arrivals == 1 && g->tcp.n_sack == 0 && !(g->tcp.flags & TCP_URG);
}

struct fold_rule {
	bool (*fits)(const struct plan *, const struct step *);
	size_t min, shown; /* of segments: fold from so many on, show so many at each end */
};

static bool counts(const struct plan *p, size_t step)
{
	return p->flow->step[step].kind == STEP_SEND && !p->hidden[step];
}

/* Hides the middle of the stretch [from, to). */
static void fold_stretch(struct plan *p, const struct fold_rule *rule, size_t from, size_t to)
{
	size_t n = 0, seen = 0, left_out = from; /* the last that the reader left out */

	for (size_t i = from; i < to; i++) {
		n += counts(p, i);
		if (p->flow->step[i].kind == STEP_LEFT_OUT)
			left_out = i;
	}
	if (n < rule->min)
		return;
	for (size_t i = from; i < to; i++) {
		if (!counts(p, i))
			continue;
		p->hidden[i] = seen >= rule->shown && (seen < n - rule->shown || i < left_out);
		p->edge[p->flow->step[i].segment] |= is_even(p, &p->flow->step[i]);
		seen++;
	}
}

static void fold_by(struct plan *p, const struct fold_rule *rule)
{
	const struct flow *f = p->flow;
	size_t from = p->from;

	for (size_t i = from; i <= f->n_steps; i++) {
		if (i < f->n_steps && rule->fits(p, &f->step[i]))
			continue;
		fold_stretch(p, rule, from, i);
		from = i + 1;
	}
}

/* An arrival is hidden with its departure, which comes first. */
static void hide_arrivals(struct plan *p)
{
	const struct flow *f = p->flow;

	for (size_t i = p->from; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind == STEP_SEND)
			p->gone[s->segment] = p->hidden[i];
		else if (s->kind == STEP_ARRIVE)
			p->hidden[i] = p->gone[s->segment];
	}
}

static void choose_hidden(struct plan *p)
{
	static const struct fold_rule even = { is_even, EVEN_MIN, EVEN_SHOWN };
	static const struct fold_rule longish = { is_ordinary, LONG_MIN, LONG_SHOWN };
	const struct flow *f = p->flow;

	if (p->full)
		return;
	fold_by(p, &even);
	fold_by(p, &longish);
	for (size_t i = p->from; i < f->n_steps; i++)
		if (f->step[i].kind == STEP_TIMER)
			p->hidden[i] = true;
	hide_arrivals(p);
}

/* ---- one line or two ---- */

/* May the segment sent at step i be one line? Earlier segments have been decided. */
static bool fits_one_line(const struct plan *p, size_t i)
{
	const struct flow *f = p->flow;
	uint32_t segment = f->step[i].segment;
	int receiver = 1 - f->step[i].side;

	for (size_t j = i + 1; j < f->n_steps; j++) {
		const struct step *s = &f->step[j];

		if (s->kind == STEP_ARRIVE && s->segment == segment)
			return true;
		if (p->hidden[j] || s->side != receiver)
			continue;
		if (s->kind != STEP_ARRIVE || s->copy || !p->one_line[s->segment])
			return false;
	}
	return false;
}

static void choose_lines(struct plan *p)
{
	const struct flow *f = p->flow;

	memset(p->one_line, 0, f->n_segments * sizeof(*p->one_line));
	for (size_t i = p->from; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind == STEP_SEND && !p->hidden[i] && f->segment[s->segment].n_arrivals)
			p->one_line[s->segment] = fits_one_line(p, i);
	}
}

/* The edge of a folded stretch is an example: not worth two lines that cut what is around it. */
static void hide_crossing_edges(struct plan *p)
{
	const struct flow *f = p->flow;

	for (size_t i = p->from; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind == STEP_SEND && p->edge[s->segment] && !p->one_line[s->segment])
			p->hidden[i] = true;
	}
	hide_arrivals(p);
}

/* ---- rows ---- */

static void put_row(struct rows *rs, struct row row)
{
	struct row *grown = array_grow(rs->row, rs->n, &rs->cap, sizeof(*grown));

	if (!grown) {
		rs->incomplete = true;
		return;
	}
	rs->row = grown;
	rs->row[rs->n++] = row;
}

static void put_gap(struct rows *rs, struct plan *p, tern_time at)
{
	if (p->any && at - p->last_at >= gap_min)
		put_row(rs,
			(struct row){ .kind = ROW_GAP, .at = p->last_at, .gap = at - p->last_at });
	p->last_at = at;
	p->any = true;
}

static void put_fold(struct rows *rs, struct plan *p)
{
	if (!p->folding)
		return;
	put_row(rs, (struct row){ .kind = ROW_FOLD, .at = p->fold_at, .fold = p->fold });
	memset(&p->fold, 0, sizeof(p->fold));
	p->folding = false;
}

static void open_fold(struct rows *rs, struct plan *p, tern_time at)
{
	if (p->folding)
		return;
	put_gap(rs, p, at);
	p->fold_at = at;
	p->folding = true;
}

static void count_hidden(struct rows *rs, struct plan *p, const struct step *s)
{
	const struct segment *g = segment_of(p, s);

	if (s->kind == STEP_SEND) {
		open_fold(rs, p, s->at);
		p->fold.n_data[g->from] += g->len > 0;
		p->fold.n_acks[g->from] += g->len == 0;
		p->fold.n_bytes[g->from] += g->len;
		p->fold.n_lost += g->sent->lost != NULL;
		p->fold.n_retransmitted[g->from] += !!(g->marks & MARK_RETRANSMITTED);
	}
	p->last_at = s->at;
}

/* What the reader left out joins what is hidden beside it. */
static void count_left_out(struct rows *rs, struct plan *p, const struct step *s)
{
	const struct view_fold *f = s->fold;

	open_fold(rs, p, s->at);
	for (int i = 0; i < 2; i++) {
		p->fold.n_data[i] += f->n_data[i];
		p->fold.n_acks[i] += f->n_acks[i];
		p->fold.n_bytes[i] += f->n_bytes[i];
		p->fold.n_retransmitted[i] += f->n_retransmitted[i];
	}
	p->last_at = f->last_at;
}

static struct row row_of_send(struct plan *p, const struct step *s)
{
	const struct segment *g = segment_of(p, s);
	struct row row = { .kind = ROW_DEPART, .side = s->side, .segment = s->segment };

	if (p->one_line[s->segment])
		row.kind = ROW_ARROW;
	else if (g->n_arrivals == 0)
		row.kind = ROW_LOST;
	else
		row.tag = ++p->n_tags;
	return row;
}

static void put_step(struct rows *rs, struct plan *p, const struct step *s)
{
	struct row row = { .kind = ROW_STATE, .side = s->side, .state = s->new_state };

	if (s->kind == STEP_ARRIVE && !s->copy && p->one_line[s->segment])
		return; /* its line stands at its departure */
	put_fold(rs, p);
	put_gap(rs, p, s->at);
	if (s->kind == STEP_SEND) {
		row = row_of_send(p, s);
		p->depart_row[s->segment] = (int)rs->n;
	} else if (s->kind == STEP_ARRIVE) {
		int mate = s->copy ? -1 : p->depart_row[s->segment];

		row.kind = ROW_ARRIVE;
		row.segment = s->segment;
		row.tag = mate >= 0 ? rs->row[mate].tag : 0;
		row.mate = mate;
		if (mate >= 0)
			rs->row[mate].mate = (int)rs->n;
	} else if (s->kind == STEP_TIMER) {
		row.kind = ROW_TIMER;
	}
	if (s->kind != STEP_ARRIVE)
		row.mate = -1;
	row.at = s->at;
	row.step = s;
	put_row(rs, row);
}

static void put_rows(struct rows *rs, struct plan *p)
{
	const struct flow *f = p->flow;

	for (size_t i = p->from; i < f->n_steps && !rs->incomplete; i++) {
		const struct step *s = &f->step[i];

		if (s->kind == STEP_LEFT_OUT)
			count_left_out(rs, p, s);
		else if (!p->hidden[i])
			put_step(rs, p, s);
		else if (s->kind != STEP_TIMER)
			count_hidden(rs, p, s);
	}
	put_fold(rs, p);
}

/* When the last line before step `from` was; an arrival mostly has none of its own. */
static tern_time last_line_at(const struct flow *f, size_t from)
{
	for (size_t i = from; i-- > 0;)
		if (f->step[i].kind == STEP_SEND || f->step[i].kind == STEP_STATE)
			return f->step[i].at;
	return 0;
}

struct rows *rows_new(const struct flow *f, size_t from, bool full)
{
	struct rows *rs = calloc(1, sizeof(*rs));
	struct plan p = { .flow = f,
			  .from = from,
			  .full = full,
			  .any = from > 0,
			  .last_at = last_line_at(f, from) };

	p.hidden = calloc(f->n_steps + 1, sizeof(*p.hidden));
	p.one_line = calloc(f->n_segments + 1, sizeof(*p.one_line));
	p.gone = calloc(f->n_segments + 1, sizeof(*p.gone));
	p.edge = calloc(f->n_segments + 1, sizeof(*p.edge));
	p.depart_row = malloc((f->n_segments + 1) * sizeof(*p.depart_row));
	if (rs && p.hidden && p.one_line && p.gone && p.edge && p.depart_row) {
		for (size_t i = 0; i < f->n_segments; i++)
			p.depart_row[i] = -1;
		choose_hidden(&p);
		choose_lines(&p);
		if (!full) {
			hide_crossing_edges(&p);
			choose_lines(&p);
		}
		put_rows(rs, &p);
	} else {
		free(rs);
		rs = NULL;
	}
	free(p.hidden);
	free(p.one_line);
	free(p.gone);
	free(p.edge);
	free(p.depart_row);
	return rs;
}

void rows_free(struct rows *rs)
{
	if (!rs)
		return;
	free(rs->row);
	free(rs);
}
