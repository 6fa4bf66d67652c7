/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_mermaid.c - a ladder as a sequence diagram in Mermaid's language, as documents embed it.
 *
 * One diagram shows one conversation: the first that is asked for. Mermaid knows order, not time:
 * times are left out but for long gaps, and what crosses on the wire leaves by an open arrow and
 * arrives in a note.
 */
#include <string.h>

#include "label.h"
#include "ladder.h"
#include "rows.h"

struct diagram {
	FILE *out;
	const struct flow *flow;
};

/* '#' and ';' begin and end entities and statements; '<' and '>' would be taken for tags. */
static void put_text(const struct diagram *d, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '#' || c == ';' || c == '<' || c == '>')
			fprintf(d->out, "#%u;", c);
		else
			fputc(c < 0x20 || c >= 0x7f ? '?' : c, d->out);
	}
}

static const char *name_of(int side)
{
	return side == 0 ? "L" : "R";
}

static void put_note(const struct diagram *d, int side, const char *text)
{
	if (side < 0)
		fputs("    Note over L,R: ", d->out);
	else
		fprintf(d->out, "    Note %s of %s: ", side ? "right" : "left", name_of(side));
	put_text(d, text);
	fputc('\n', d->out);
}

static void put_segment(const struct diagram *d, const struct row *r)
{
	const struct segment *g = &d->flow->segment[r->segment];
	const char *arrow = r->kind == ROW_LOST ? "-x" : r->kind == ROW_DEPART ? "-)" : "->>";
	char words[LABEL_MAX], fate[64];

	label_row(words, d->flow, r);
	if (r->kind == ROW_DEPART)
		label_add(words, " (%u)", r->tag);
	if (r->kind == ROW_LOST)
		label_add(words, " %s", label_fate(fate, sizeof(fate), g));
	fprintf(d->out, "    %s%s%s: ", name_of(r->side), arrow, name_of(1 - r->side));
	put_text(d, words);
	fputc('\n', d->out);
}

static void put_arrival(const struct diagram *d, const struct row *r)
{
	char words[LABEL_MAX];

	if (r->step->copy) {
		label_copy(words, d->flow, r);
	} else {
		label_short(words, d->flow, &d->flow->segment[r->segment]);
		label_add(words, " arrives (%u)", r->tag);
	}
	put_note(d, r->side, words);
}

static void put_row(const struct diagram *d, const struct row *r)
{
	char words[LABEL_MAX], seconds[TIME_TEXT_MAX];

	switch (r->kind) {
	case ROW_STATE:
		put_note(d, r->side, tern_tcp_state_name((enum tern_tcp_state)r->state));
		break;
	case ROW_ARRIVE:
		put_arrival(d, r);
		break;
	case ROW_TIMER:
		label_timer(words, r);
		put_note(d, r->side, words);
		break;
	case ROW_FOLD:
		label_fold(words, &r->fold);
		put_note(d, -1, words);
		break;
	case ROW_GAP:
		snprintf(words, sizeof(words), "%s s pass", label_time(seconds, r->gap, 3));
		put_note(d, -1, words);
		break;
	default:
		put_segment(d, r);
	}
}

static bool put_flow(const struct diagram *d, const struct flows *fs, bool full)
{
	struct rows *rows = rows_new(d->flow, 0, full);
	bool good = rows && !rows->incomplete;
	char text[LABEL_MAX];

	for (int side = 0; side < 2; side++) {
		fprintf(d->out, "    participant %s as ", name_of(side));
		put_text(d, flow_endpoint(d->flow, side, text));
		fputc('\n', d->out);
	}
	for (int side = 0; side < 2; side++)
		if (d->flow->side[side].state_known)
			put_note(d, side,
				 tern_tcp_state_name(
					 (enum tern_tcp_state)d->flow->side[side].first_state));
	for (size_t i = 0; good && i < rows->n; i++)
		put_row(d, &rows->row[i]);
	label_summary(text, fs, d->flow);
	put_note(d, -1, text);
	rows_free(rows);
	return good;
}

bool ladder_mermaid(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *fs = flows_new(v);
	struct diagram d = { .out = out };
	bool good = fs && !fs->incomplete;

	for (size_t i = 0; good && !d.flow && i < fs->n; i++)
		if (flow_is_drawn(fs, &fs->flow[i], options->conn, options->without_link_talk))
			d.flow = &fs->flow[i];
	fputs("sequenceDiagram\n", out);
	if (good && d.flow)
		good = put_flow(&d, fs, options->full);
	flows_free(fs);
	return good && !ferror(out);
}
