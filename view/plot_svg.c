/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_svg.c - a plot as one SVG document: three panels over one time axis.
 *
 * Coordinates within a panel are columns and rows of pixels, moved to its place by a transform.
 * Cells of the grid that stand on one another become one stroke, and a curve writes a column only
 * where it moves, so that a hundred megabytes draw in some hundred kilobytes. What was sent again
 * is wider and taller than what is new, and lies below it: where both fall into one column, the one
 * is the rim of the other. Colours are the ladder's.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "label.h"
#include "plot_impl.h"

enum {
	PAGE_WIDTH = 1200,
	PAGE_HEIGHT = 916,
	LEFT = 84,
	TITLE_Y = 28,
	SUMMARY_Y = 50,
	HEADLINE = 10,	 /* a panel's words stand so far above it */
	CHARACTER = 7,	 /* width of one in a legend, at most */
	LABEL_ROOM = 15, /* between labels of a vertical axis */
	CROSS_ROOM = 6,
	BEYOND = 6, /* a curve that leaves the panel is drawn so far */
};

struct panel {
	const char *id, *name;
	int top, height;
	struct plot_axis axis;
	bool logarithmic, shows_recovery;
};

struct picture {
	FILE *out;
	const struct plot *p;
	struct plot_axis time;
};

/* ---- words ---- */

static void write_words(const struct picture *g, const char *class, const int at[2],
			const char *words)
{
	fprintf(g->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, at[0], at[1]);
	html_text(g->out, words);
	fputs("</text>\n", g->out);
}

#define AT(x, y) ((const int[2]){ (x), (y) })

static void write_title(const struct picture *g, const char *title)
{
	const struct plot *p = g->p;
	char words[LABEL_MAX] = "", end[TERN_ADDR_TEXT_MAX];

	write_words(g, "role end", AT(LEFT + PLOT_WIDTH, TITLE_Y), title);
	if (!p->flow) {
		write_words(g, "end-name", AT(LEFT, TITLE_Y), "no TCP connection");
		return;
	}
	for (int i = 0; i < 2; i++) {
		int side = i ? 1 - p->from : p->from;

		label_add(words, "%s%s %s", i ? " to " : "",
			  flow_side_name(p->flows, p->flow, side),
			  flow_endpoint(p->flow, side, end));
	}
	if (p->n_connections > 1)
		label_add(words, ", the busiest of %" PRIu32 " connections", p->n_connections);
	write_words(g, "end-name", AT(LEFT, TITLE_Y), words);
}

/* Three digits at least: "1.160 Mbit/s". */
static void say_rate(char words[LABEL_MAX], uint64_t bytes, tern_time t)
{
	static const char *const names[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s" };
	uint64_t rate = bytes * 8 * 1000000 / MAX(t / TERN_US, 1), unit = 1;
	size_t i = 0;

	for (; rate / unit >= 1000 && i + 1 < N_ELEMENTS(names); i++)
		unit *= 1000;
	if (i == 0)
		label_add(words, ", %" PRIu64 " %s", rate, names[0]);
	else
		label_add(words, ", %" PRIu64 ".%03" PRIu64 " %s", rate / unit,
			  rate % unit / (unit / 1000), names[i]);
}

static void say_count(char words[LABEL_MAX], uint64_t n, const char *one, const char *more)
{
	label_add(words, "%" PRIu64 " %s", n, n == 1 ? one : more);
}

static void write_summary(const struct picture *g)
{
	const struct plot *p = g->p;
	const struct flow_side *s = &p->flow->side[p->from];
	tern_time t = p->ended > p->began ? p->ended - p->began : 0;
	char words[LABEL_MAX] = "", seconds[TIME_TEXT_MAX];

	say_count(words, s->n_bytes, "byte", "bytes");
	if (t) {
		label_add(words, " in %s s", label_time(seconds, t, 6));
		say_rate(words, s->n_bytes, t);
	}
	label_add(words, "; ");
	say_count(words, s->n_segments, "segment", "segments");
	label_add(words, ", %" PRIu64 " lost, %" PRIu64 " retransmitted; ", s->n_lost,
		  s->n_retransmitted);
	say_count(words, p->n_time_outs, "time-out, ", "time-outs, ");
	say_count(words, p->n_recoveries, "recovery, ", "recoveries, ");
	say_count(words, p->n_probes, "probe", "probes");
	write_words(g, "summary", AT(LEFT, SUMMARY_Y), words);
}

/* ---- axes ---- */

static int y_of(const struct panel *n, uint64_t value)
{
	uint64_t lo = n->axis.lo, hi = n->axis.hi, v = MAX(value, lo);

	if (value > hi)
		return -BEYOND;
	if (n->logarithmic) {
		lo = plot_log(lo);
		hi = plot_log(hi);
		v = plot_log(v);
	}
	return n->height - 1 - (int)((v - lo) * (uint64_t)(n->height - 1) / (hi - lo));
}

static int x_of(const struct picture *g, tern_time at)
{
	return (int)((at - g->p->start) * (PLOT_WIDTH - 1) / g->p->span);
}

static void write_tick(const struct picture *g, const struct panel *n, uint64_t value)
{
	char label[PLOT_LABEL_MAX];

	write_words(g, "time", AT(-8, y_of(n, value) + 4), plot_axis_label(&n->axis, value, label));
}

/* Lines across the panel at its ticks; of those that crowd together only some have words. */
static void write_grid(const struct picture *g, const struct panel *n)
{
	struct panel told = *n;
	int last_y = n->height + LABEL_ROOM;
	uint64_t step = n->axis.step;

	for (uint64_t v = n->axis.lo; v <= n->axis.hi; v += step) {
		fprintf(g->out, "<path class=\"grid\" d=\"M0 %dh%d\"/>\n", y_of(n, v),
			PLOT_WIDTH - 1);
		if (n->logarithmic) {
			told.axis = plot_axis_of(PLOT_TIME, 0, 2 * v, 1);
			told.axis.step = v;
			told.axis.lo = n->axis.lo;
			told.axis.hi = n->axis.hi;
			step = plot_round_next(v) - v;
		}
		if (last_y - y_of(n, v) < LABEL_ROOM)
			continue;
		last_y = y_of(n, v);
		write_tick(g, &told, v);
	}
}

static tern_time first_tick(const struct plot_axis *a)
{
	return (a->lo + a->step - 1) / a->step * a->step;
}

static void write_time_grid(const struct picture *g, const struct panel *n)
{
	for (tern_time t = first_tick(&g->time); t <= g->time.hi; t += g->time.step)
		fprintf(g->out, "<path class=\"grid\" d=\"M%d 0v%d\"/>\n", x_of(g, t),
			n->height - 1);
}

static void write_time_labels(const struct picture *g, int y)
{
	char label[PLOT_LABEL_MAX];

	for (tern_time t = first_tick(&g->time); t <= g->time.hi; t += g->time.step)
		write_words(g, "tick", AT(LEFT + x_of(g, t), y),
			    plot_axis_label(&g->time, t, label));
}

/* ---- what happened ---- */

/* Columns that have the event, neighbours as one area. */
static void write_events(const struct picture *g, const struct panel *n, enum plot_event event)
{
	const uint8_t *has = g->p->event;

	for (int x = 0, from; x < PLOT_WIDTH; x++) {
		if (!(has[x] & event))
			continue;
		for (from = x; x + 1 < PLOT_WIDTH && (has[x + 1] & event);)
			x++;
		fprintf(g->out, "<rect class=\"%s\" x=\"%d\" width=\"%d\" height=\"%d\"/>\n",
			event == PLOT_RECOVERY ? "recovery" : "time-out", from, x + 1 - from,
			n->height - 1);
	}
}

static void write_curve(const struct picture *g, const struct panel *n, enum plot_curve curve,
			const char *class)
{
	const struct plot_column *c = g->p->curve[curve];
	bool begun = false;
	int y = 0;

	for (int x = 0; x < PLOT_WIDTH; x++) {
		const int way[] = { y_of(n, c[x].first), y_of(n, c[x].lo), y_of(n, c[x].hi),
				    y_of(n, c[x].last) };

		if (!c[x].any)
			continue;
		if (!begun)
			fprintf(g->out, "<path class=\"%s\" d=\"M%d %d", class, x, y = way[0]);
		else if (way[0] != y || way[1] != y || way[2] != y)
			fprintf(g->out, "H%d", x);
		begun = true;
		for (size_t i = 0; i < N_ELEMENTS(way); i++) {
			if (way[i] != y)
				fprintf(g->out, "V%d", way[i]);
			y = way[i];
		}
	}
	if (begun)
		fprintf(g->out, "H%d\"/>\n", PLOT_WIDTH - 1);
}

static bool curve_is_used(const struct plot *p, enum plot_curve curve)
{
	for (int x = 0; x < PLOT_WIDTH; x++)
		if (p->curve[curve][x].any)
			return true;
	return false;
}

static bool mark_is_used(const struct plot *p, enum plot_mark mark)
{
	for (int x = 0; x < PLOT_WIDTH; x++)
		for (int y = 0; y < PLOT_HEIGHT; y++)
			if (p->mark[x][y] & mark)
				return true;
	return false;
}

/* Strokes, none shorter than least. */
static void write_strokes(const struct picture *g, enum plot_mark mark, int least)
{
	for (int x = 0; x < PLOT_WIDTH; x++) {
		const uint8_t *cell = g->p->mark[x];

		for (int y = 0; y < PLOT_HEIGHT; y++) {
			int from = y, len, more;

			if (!(cell[y] & mark))
				continue;
			while (y + 1 < PLOT_HEIGHT && (cell[y + 1] & mark))
				y++;
			len = y + 1 - from;
			more = MAX(least - len, 0);
			fprintf(g->out, "M%d %dv%d", x, from - more / 2, len + more);
		}
	}
}

/* Of crosses that would cover one another only the first is drawn. */
static void write_crosses(const struct picture *g, enum plot_mark mark)
{
	bool taken[PLOT_WIDTH / CROSS_ROOM + 1][PLOT_HEIGHT / CROSS_ROOM + 1] = { 0 };

	for (int x = 0; x < PLOT_WIDTH; x++) {
		for (int y = 0; y < PLOT_HEIGHT; y++) {
			bool *place = &taken[x / CROSS_ROOM][y / CROSS_ROOM];

			if (!(g->p->mark[x][y] & mark) || *place)
				continue;
			fprintf(g->out, "M%d %dl6 6m0-6l-6 6", x - 3, y - 3);
			*place = true;
		}
	}
}

static void write_marks(const struct picture *g, enum plot_mark mark, const char *class)
{
	if (!mark_is_used(g->p, mark))
		return;
	fprintf(g->out, "<path class=\"%s\" d=\"", class);
	if (mark == PLOT_LOST)
		write_crosses(g, mark);
	else
		write_strokes(g, mark, mark == PLOT_NEW || mark == PLOT_SACKED ? 1 : 5);
	fputs("\"/>\n", g->out);
}

/* ---- legends ---- */

enum shape { SHAPE_LINE, SHAPE_STROKE, SHAPE_CROSS, SHAPE_AREA };

struct key {
	enum shape shape;
	bool shown;
	const char *class, *words;
};

static void write_key(const struct picture *g, const struct key *k, int x)
{
	static const char *const form[] = {
		[SHAPE_LINE] = "<path class=\"%s\" d=\"M%d -14h20\"/>\n",
		[SHAPE_STROKE] = "<path class=\"%s\" d=\"M%d -19v10\"/>\n",
		[SHAPE_CROSS] = "<path class=\"%s\" d=\"M%d -17l6 6m0-6l-6 6\"/>\n",
		[SHAPE_AREA] =
			"<rect class=\"%s\" x=\"%d\" y=\"-19\" width=\"20\" height=\"10\"/>\n",
	};
	static const int indent[] = { 0, 10, 7, 0 };

	fprintf(g->out, form[k->shape], k->class, x + indent[k->shape]);
	write_words(g, "key", AT(x + 26, -HEADLINE), k->words);
}

static void write_legend(const struct picture *g, const struct panel *n, const struct key *k)
{
	int x = (int)(strlen(n->name) + 3) * CHARACTER;

	write_words(g, "panel", AT(0, -HEADLINE), n->name);
	for (; k->words; k++) {
		if (!k->shown)
			continue;
		write_key(g, k, x);
		x += 26 + (int)(strlen(k->words) + 2) * CHARACTER;
	}
}

/* ---- panels ---- */

static void open_panel(const struct picture *g, const struct panel *n, const struct key *keys)
{
	fprintf(g->out, "<g id=\"%s\" transform=\"translate(%d.5 %d.5)\">\n", n->id, LEFT, n->top);
	write_legend(g, n, keys);
	if (n->shows_recovery)
		write_events(g, n, PLOT_RECOVERY);
	write_time_grid(g, n);
	write_grid(g, n);
	write_events(g, n, PLOT_TIME_OUT);
	fprintf(g->out,
		"<clipPath id=\"%s-clip\"><rect x=\"-4\" width=\"%d\" height=\"%d\"/></clipPath>\n"
		"<g clip-path=\"url(#%s-clip)\">\n",
		n->id, PLOT_WIDTH + 8, n->height + 4, n->id);
}

static void close_panel(const struct picture *g, const struct panel *n)
{
	fprintf(g->out, "</g>\n<rect class=\"frame\" width=\"%d\" height=\"%d\"/>\n</g>\n",
		PLOT_WIDTH - 1, n->height - 1);
}

static void say_nothing(const struct picture *g, const struct panel *n, const char *why)
{
	write_words(g, "note", AT(PLOT_WIDTH / 2, n->height / 4), why);
}

static bool edge_is_in_sight(const struct plot *p)
{
	for (int x = 0; x < PLOT_WIDTH; x++)
		if (p->curve[PLOT_EDGE][x].any && p->curve[PLOT_EDGE][x].lo <= p->top)
			return true;
	return false;
}

static void write_numbers(const struct picture *g)
{
	const struct plot *p = g->p;
	const struct panel n = { .id = "numbers",
				 .name = "sequence numbers",
				 .top = 88,
				 .height = PLOT_HEIGHT,
				 .axis = plot_axis_of(PLOT_BYTES, 0, p->top, 8) };
	const struct key keys[] = {
		{ SHAPE_STROKE, mark_is_used(p, PLOT_NEW), "new", "sent" },
		{ SHAPE_STROKE, mark_is_used(p, PLOT_AGAIN), "resent", "sent again" },
		{ SHAPE_CROSS, mark_is_used(p, PLOT_LOST), "cross", "lost" },
		{ SHAPE_STROKE, mark_is_used(p, PLOT_PROBE), "probe", "probe" },
		{ SHAPE_STROKE, mark_is_used(p, PLOT_SACKED), "sacked", "SACKed" },
		{ SHAPE_LINE, curve_is_used(p, PLOT_ACKED), "acked", "acknowledged" },
		{ SHAPE_LINE, curve_is_used(p, PLOT_EDGE), "edge",
		  edge_is_in_sight(p) ? "receive window's edge" :
					"receive window's edge (above all this)" },
		{ 0 },
	};

	open_panel(g, &n, keys);
	write_marks(g, PLOT_SACKED, "sacked");
	write_curve(g, &n, PLOT_EDGE, "edge");
	write_curve(g, &n, PLOT_ACKED, "acked");
	write_marks(g, PLOT_AGAIN, "resent");
	write_marks(g, PLOT_PROBE, "probe");
	write_marks(g, PLOT_LOST, "cross");
	write_marks(g, PLOT_NEW, "new");
	if (p->flow->side[p->from].n_bytes == 0)
		say_nothing(g, &n, "no data was sent");
	close_panel(g, &n);
}

/* What the curves reach, of those from first to last; *lo stays 0 where there are none. */
static void measure_curves(const struct plot *p, const enum plot_curve range[2], uint64_t *lo,
			   uint64_t *hi)
{
	*lo = *hi = 0;
	for (int i = (int)range[0]; i <= (int)range[1]; i++) {
		for (int x = 0; x < PLOT_WIDTH; x++) {
			const struct plot_column *c = &p->curve[i][x];

			if (!c->any)
				continue;
			*lo = *lo ? MIN(*lo, c->lo) : c->lo;
			*hi = MAX(*hi, c->hi);
		}
	}
}

static void write_windows(const struct picture *g)
{
	const struct plot *p = g->p;
	struct panel n = { .id = "windows",
			   .name = "congestion",
			   .top = 508,
			   .height = 200,
			   .shows_recovery = true };
	const struct key keys[] = {
		{ SHAPE_LINE, curve_is_used(p, PLOT_CWND), "cwnd", "cwnd" },
		{ SHAPE_LINE, curve_is_used(p, PLOT_SSTHRESH), "ssthresh", "ssthresh" },
		{ SHAPE_LINE, curve_is_used(p, PLOT_IN_FLIGHT), "flight", "in flight" },
		{ SHAPE_AREA, p->n_recoveries > 0, "recovery", "fast recovery" },
		{ SHAPE_AREA, p->n_time_outs > 0, "time-out", "time-out" },
		{ 0 },
	};
	uint64_t lo, hi;

	measure_curves(p, (const enum plot_curve[2]){ PLOT_CWND, PLOT_IN_FLIGHT }, &lo, &hi);
	n.axis = plot_axis_of(PLOT_BYTES, 0, hi + hi / 20 + 1, 6);
	open_panel(g, &n, keys);
	write_curve(g, &n, PLOT_IN_FLIGHT, "flight");
	write_curve(g, &n, PLOT_SSTHRESH, "ssthresh");
	write_curve(g, &n, PLOT_CWND, "cwnd");
	close_panel(g, &n);
}

static void write_times(const struct picture *g)
{
	const struct plot *p = g->p;
	struct panel n = {
		.id = "times", .name = "round trip", .top = 748, .height = 130, .logarithmic = true
	};
	const struct key keys[] = {
		{ SHAPE_LINE, curve_is_used(p, PLOT_SRTT), "srtt", "smoothed (srtt)" },
		{ SHAPE_LINE, curve_is_used(p, PLOT_RTO), "rto", "time-out after (rto)" },
		{ 0 },
	};
	uint64_t lo, hi;

	measure_curves(p, (const enum plot_curve[2]){ PLOT_SRTT, PLOT_RTO }, &lo, &hi);
	n.axis = plot_axis_of(PLOT_TIME, plot_round_down(MAX(lo * 9 / 10, 1)),
			      plot_round_next(plot_round_down(MAX(hi, TERN_MS))), 1);
	open_panel(g, &n, keys);
	write_curve(g, &n, PLOT_RTO, "rto");
	write_curve(g, &n, PLOT_SRTT, "srtt");
	if (hi == 0)
		say_nothing(g, &n, "no round trip was measured");
	close_panel(g, &n);
	write_time_labels(g, n.top + n.height + 18);
	write_words(g, "role end", AT(LEFT + PLOT_WIDTH, n.top + n.height + 34),
		    "time since the run began");
}

/* ---- the document ---- */

static void write_styles(FILE *out)
{
	fputs("<style>\n"
	      "text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
	      " fill: #222; }\n"
	      ".note, .tick { text-anchor: middle; }\n"
	      ".end { text-anchor: end; } .time { text-anchor: end; }\n"
	      ".note { fill: #555; font-size: 13px; }\n"
	      ".time, .tick { fill: #555; font-size: 11px; } .key { font-size: 11px; }\n"
	      ".panel { font-weight: bold; }\n"
	      ".end-name { font-weight: bold; font-size: 14px; }\n"
	      ".role, .summary { font-family: system-ui, 'DejaVu Sans', sans-serif; }\n"
	      ".role { fill: #555; } .summary { font-size: 13px; }\n"
	      "path { fill: none; } .frame { fill: none; stroke: #999; }\n"
	      ".grid { stroke: #e9e9e6; }\n"
	      ".recovery { fill: #ecc66a; fill-opacity: 0.3; }\n"
	      ".time-out { fill: #b3261e; fill-opacity: 0.75; }\n"
	      ".new { stroke: #222; stroke-width: 1.5; }\n"
	      ".sacked { stroke: #8fc08f; }\n"
	      ".probe { stroke: #7b4fa3; stroke-width: 3; }\n"
	      ".resent { stroke: #e07b00; stroke-width: 3; }\n"
	      ".cross { stroke: #b3261e; stroke-width: 1.5; }\n"
	      ".acked { stroke: #2f7d2f; stroke-width: 1.3; }\n"
	      ".edge { stroke: #5a86bd; stroke-width: 1.3; }\n"
	      ".cwnd { stroke: #1f4f8f; stroke-width: 1.5; }\n"
	      ".ssthresh { stroke: #a35f00; stroke-width: 1.2; stroke-dasharray: 6 3; }\n"
	      ".flight { stroke: #8a8a8a; }\n"
	      ".srtt { stroke: #1f4f8f; stroke-width: 1.5; }\n"
	      ".rto { stroke: #b3261e; stroke-width: 0.8; }\n"
	      "</style>\n",
	      out);
}

static void write_document(struct picture *g, const char *title)
{
	const struct plot *p = g->p;

	fprintf(g->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n",
		PAGE_WIDTH, PAGE_HEIGHT, PAGE_WIDTH, PAGE_HEIGHT);
	write_styles(g->out);
	fprintf(g->out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", PAGE_WIDTH,
		PAGE_HEIGHT);
	write_title(g, title);
	if (p->flow) {
		g->time = plot_axis_of(PLOT_TIME, p->start, p->start + p->span, 12);
		write_summary(g);
		write_numbers(g);
		write_windows(g);
		write_times(g);
	}
	fputs("</svg>\n", g->out);
}

bool plot_svg(FILE *out, const struct view *v, const struct plot_samples *ps, const char *title)
{
	struct flows *fs = flows_new(v);
	struct plot *p = fs ? plot_new(fs, ps) : NULL;
	bool good = p && !fs->incomplete && !ps->incomplete;

	if (good)
		write_document(&(struct picture){ .out = out, .p = p }, title);
	free(p);
	flows_free(fs);
	return good && !ferror(out);
}
