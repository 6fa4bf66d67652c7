/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_html.c - ladders as one web page that needs nothing else: no script, no font, no network.
 *
 * The rows are the text's. Each is a line of a grid: time, the state that the left side enters, the
 * space between the lifelines, the state of the right side; the lifelines are the borders of the
 * space, in the colour of the side's state. On a narrow screen the states stand within the space.
 * A segment has a panel with everything known of it, which shows while it is pointed at or has the
 * focus. A list at the side leads to the conversations.
 */
#include <inttypes.h>
#include <string.h>

#include "html.h"
#include "label.h"
#include "ladder.h"
#include "list.h"
#include "rows.h"

struct page {
	FILE *out;
	const struct ladder_options *options;
	const struct flows *flows;
	const struct flow *flow;
	const char *class[2]; /* of the states of the sides */
	char time_shown[TIME_TEXT_MAX];
};

/* ---- rows ---- */

static void put_time(struct page *p, tern_time at)
{
	char text[TIME_TEXT_MAX];

	label_time(text, at, 6);
	if (strcmp(text, p->time_shown) == 0)
		text[0] = 0;
	else
		strcpy(p->time_shown, text);
	fprintf(p->out, "<time>%s</time>", text);
}

/* kind: classes of the row; the space between the lifelines is left open. */
static void open_row(struct page *p, const struct row *r, const char *kind)
{
	bool focus = r->kind != ROW_STATE && r->kind != ROW_TIMER && r->kind != ROW_FOLD &&
		     r->kind != ROW_GAP;

	fprintf(p->out, "<div class=\"row %s\"%s>", kind, focus ? " tabindex=\"0\"" : "");
	put_time(p, r->kind == ROW_GAP ? r->at + r->gap : r->at);
	fprintf(p->out, "<div class=\"mid l-%s r-%s\">", p->class[0], p -> class[1]);
}

static void put_words(const struct page *p, const char *words)
{
	fputs("<p>", p->out);
	html_text(p->out, words);
	fputs("</p>", p->out);
}

static void put_state(struct page *p, const struct row *r)
{
	p->class[r->side] = label_state_class(r->state);
	open_row(p, r, "state");
	fprintf(p->out, "</div><b class=\"box %s %s\">%s</b></div>\n", p->class[r->side],
		r -> side ? "right" : "left", tern_tcp_state_name((enum tern_tcp_state)r->state));
}

static void put_arrow(const struct page *p)
{
	fputs("<svg viewBox=\"0 0 100 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	      "<line x1=\"0\" y1=\"1\" x2=\"100\" y2=\"11\"/></svg><i></i>",
	      p->out);
}

static void put_segment(struct page *p, const struct row *r)
{
	const struct segment *g = &p->flow->segment[r->segment];
	char words[LABEL_MAX], kind[48], note[80] = "";

	snprintf(kind, sizeof(kind), "seg to-%s%s%s", r->side ? "left" : "right",
		 label_is_remarkable(g) ? " again" : "",
		 r->kind == ROW_LOST   ? " lost" :
		 r->kind == ROW_DEPART ? " part" :
					 "");
	label_row(words, p->flow, r);
	if (r->kind == ROW_LOST)
		label_fate(note, sizeof(note), g);
	else if (r->kind == ROW_DEPART)
		snprintf(note, sizeof(note), "(%u)", r->tag);
	open_row(p, r, kind);
	put_words(p, words);
	fprintf(p->out, "<div class=\"arrow\">");
	put_arrow(p);
	fputs("</div>", p->out);
	if (note[0]) {
		fputs("<em>", p->out);
		html_text(p->out, note);
		fputs("</em>", p->out);
	}
	html_panel(p->out, p->flows, p->flow, g);
	fputs("</div></div>\n", p->out);
}

static void put_arrival(struct page *p, const struct row *r)
{
	const struct segment *g = &p->flow->segment[r->segment];
	char words[LABEL_MAX], kind[48];

	snprintf(kind, sizeof(kind), "seg arrive to-%s%s", r->side ? "right" : "left",
		 label_is_remarkable(g) || r->step->copy ? " again" : "");
	if (r->step->copy) {
		label_copy(words, p->flow, r);
	} else {
		label_short(words, p->flow, g);
		label_add_arrived_marks(words, g);
	}
	open_row(p, r, kind);
	put_words(p, words);
	fputs("<div class=\"arrow\">", p->out);
	put_arrow(p);
	fputs("</div>", p->out);
	if (r->tag)
		fprintf(p->out, "<em>(%u)</em>", r->tag);
	html_panel(p->out, p->flows, p->flow, g);
	fputs("</div></div>\n", p->out);
}

static void put_note(struct page *p, const struct row *r, const char *kind, const char *words)
{
	open_row(p, r, kind);
	put_words(p, words);
	fputs("</div></div>\n", p->out);
}

static void put_row(struct page *p, const struct row *r)
{
	char words[LABEL_MAX], seconds[TIME_TEXT_MAX];

	switch (r->kind) {
	case ROW_STATE:
		put_state(p, r);
		break;
	case ROW_ARRIVE:
		put_arrival(p, r);
		break;
	case ROW_TIMER:
		label_timer(words, r);
		put_note(p, r, r->side ? "timer right" : "timer", words);
		break;
	case ROW_FOLD:
		label_fold(words, &r->fold);
		put_note(p, r, "fold", words);
		break;
	case ROW_GAP:
		snprintf(words, sizeof(words), "%s s pass", label_time(seconds, r->gap, 3));
		put_note(p, r, "gap", words);
		break;
	default:
		put_segment(p, r);
	}
}

/* ---- conversations ---- */

static void put_end(const struct page *p, int side)
{
	const struct flow *f = p->flow;
	char text[TERN_ADDR_TEXT_MAX];

	fprintf(p->out, "<div class=\"end %s\"><b>", side ? "right" : "left");
	html_text(p->out, flow_endpoint(f, side, text));
	fputs("</b><br>", p->out);
	html_text(p->out, flow_side_name(p->flows, f, side));
	if (flow_role(f, side)[0])
		fprintf(p->out, ", %s", flow_role(f, side));
	if (f->side[side].state_known)
		fprintf(p->out, "<br><b class=\"box %s\">%s</b>",
			label_state_class(f->side[side].first_state),
			tern_tcp_state_name((enum tern_tcp_state)f->side[side].first_state));
	fputs("</div>", p->out);
}

static bool put_flow(struct page *p)
{
	struct rows *rows = rows_new(p->flow, 0, p->options->full);
	bool good = rows && !rows->incomplete;
	char summary[LABEL_MAX];

	p->time_shown[0] = 0;
	for (int i = 0; i < 2; i++)
		p->class[i] = p->flow->side[i].state_known ?
				      label_state_class(p->flow->side[i].first_state) :
				      "closed";
	fprintf(p->out, "<section id=\"c%" PRIu32 "\">\n<h2>#%" PRIu32 " %s</h2>\n",
		p->flow->number, p->flow->number, list_protocol(p->flow));
	fputs("<div class=\"ends\">", p->out);
	put_end(p, 0);
	put_end(p, 1);
	fputs("</div>\n", p->out);
	for (size_t i = 0; good && i < rows->n; i++)
		put_row(p, &rows->row[i]);
	label_summary(summary, p->flows, p->flow);
	fputs("<p class=\"summary\">", p->out);
	html_text(p->out, summary);
	fputs("</p>\n</section>\n", p->out);
	rows_free(rows);
	return good;
}

static void put_entry(const struct page *p)
{
	const struct flow *f = p->flow;
	char text[TERN_ADDR_TEXT_MAX];

	fprintf(p->out, "<a href=\"#c%" PRIu32 "\"><b>#%" PRIu32 "</b> %s ", f->number, f->number,
		list_protocol(f));
	html_text(p->out, flow_endpoint(f, 0, text));
	fputs(" &gt; ", p->out);
	html_text(p->out, flow_endpoint(f, 1, text));
	fprintf(p->out,
		"<small>%" PRIu64 " + %" PRIu64 " packets, %" PRIu64 " + %" PRIu64
		" bytes%s%s</small>",
		f->side[0].n_segments, f->side[1].n_segments, f->side[0].n_bytes,
		f->side[1].n_bytes, *list_ended(f) ? ", " : "", list_ended(f));
	fputs("</a>\n", p->out);
}

static bool is_asked_for(const struct page *p)
{
	return flow_is_drawn(p->flows, p->flow, p->options->conn, p->options->without_link_talk);
}

static void put_list(struct page *p)
{
	fputs("<nav>\n<h1>", p->out);
	html_text(p->out, p->options->title ? p->options->title : "tern");
	fputs("</h1>\n", p->out);
	for (int i = 0; i < p->options->n_remarks; i++) {
		fputs("<p class=\"remark\">", p->out);
		html_text(p->out, p->options->remark[i]);
		fputs("</p>\n", p->out);
	}
	fputs("<div class=\"list\">\n", p->out);
	for (size_t i = 0; i < p->flows->n; i++) {
		p->flow = &p->flows->flow[i];
		if (is_asked_for(p))
			put_entry(p);
	}
	fputs("</div>\n</nav>\n", p->out);
}

bool ladder_html(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *fs = flows_new(v);
	struct page p = { .out = out, .options = options, .flows = fs };
	bool good = fs && !fs->incomplete;

	if (good) {
		html_head(out, options->title);
		put_list(&p);
		fputs("<main>\n", out);
		for (size_t i = 0; good && i < fs->n; i++) {
			p.flow = &fs->flow[i];
			if (is_asked_for(&p))
				good = put_flow(&p);
		}
		fputs("</main>\n</body>\n</html>\n", out);
	}
	flows_free(fs);
	return good && !ferror(out);
}
