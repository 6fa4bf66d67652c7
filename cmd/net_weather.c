/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_weather.c - the weather over a command's devices: as asked for, on schedule, and changed.
 *
 * A device is put under weather by wrapping it where the loop holds it, so that can be done when
 * the weather comes up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

/* ---- options ---- */

/* "2s-5s" or "2s-" */
static bool take_cut(struct args *a, struct net_options *o)
{
	struct net_cut cut = { 0, TERN_NEVER };
	struct args part = *a;
	char from[32];
	const char *dash;

	if (!args_value(a))
		return false;
	dash = strchr(a->value, '-');
	if (!dash || o->n_cuts == NET_CUTS_MAX) {
		args_error(a, "--partition takes FROM-TO, such as 2s-5s, at most %d times",
			   NET_CUTS_MAX);
		return false;
	}
	snprintf(from, sizeof(from), "%.*s", (int)(dash - a->value), a->value);
	part.value = from;
	if (!args_time(&part, &cut.from))
		return false;
	part.value = dash + 1;
	if (dash[1] && !args_time(&part, &cut.to))
		return false;
	if (cut.to <= cut.from) {
		args_error(a, "--partition: '%s' ends before it begins", a->value);
		return false;
	}
	o->cut[o->n_cuts++] = cut;
	return true;
}

enum taken weather_take_option(struct args *a, struct net_options *o)
{
	enum taken taken = args_is(a, "--partition") ? args_taken(take_cut(a, o)) :
						       args_weathers(a, o->weather);

	o->has_weather |= taken == TAKEN;
	return taken;
}

/* ---- devices ---- */

static bool is_ours(const struct net *n, const struct loop_port *p)
{
	return p->st == n->st;
}

/* A name of the user's own giving is known in any weather, as if from a file. */
static bool is_of_names(void *ctx, const uint8_t *packet, size_t len)
{
	const struct net *n = ctx;

	return n->gateway && gateway_names(n->gateway, packet, len);
}

static bool wrap(struct net *n)
{
	uint64_t seed = n->options->seed ? n->options->seed : 1;

	loop_plain(&n->loop); /* the weather is of segments */
	for (unsigned i = 0; i < n->loop.n_ports; i++) {
		struct loop_port *p = &n->loop.port[i];
		struct dev *d;

		if (!is_ours(n, p))
			continue;
		d = impair_open(p->dev, n->weather.way, seed++);
		if (!d)
			return false;
		impair_spare(d, is_of_names, n);
		recorder_watch_weather(&n->recorder, d);
		p->dev = d;
	}
	n->weather.is_there = true;
	return true;
}

static void apply(struct net *n)
{
	struct tern_weather way[IMPAIR_WAYS];

	for (int i = 0; i < IMPAIR_WAYS; i++) {
		way[i] = n->weather.way[i];
		way[i].down |= n->weather.down;
	}
	for (unsigned i = 0; i < n->loop.n_ports; i++)
		if (is_ours(n, &n->loop.port[i]))
			impair_change(n->loop.port[i].dev, way);
}

int weather_begin(struct net *n)
{
	memcpy(n->weather.way, n->options->weather, sizeof(n->weather.way));
	n->weather.began = loop_now();
	return wrap(n) ? EXIT_DONE : net_refuse(n, "%s", "out of memory");
}

/* ---- time ---- */

static bool is_cut_at(const struct net_options *o, tern_time since, tern_time *next)
{
	bool cut = false;

	*next = TERN_NEVER;
	for (unsigned i = 0; i < o->n_cuts; i++) {
		const struct net_cut *c = &o->cut[i];

		cut |= c->from <= since && since < c->to;
		if (since < c->from && c->from < *next)
			*next = c->from;
		if (since < c->to && c->to < *next)
			*next = c->to;
	}
	return cut;
}

tern_time weather_turn(struct net *n)
{
	struct net_weather *w = &n->weather;
	tern_time next = TERN_NEVER;
	bool down;

	if (!w->is_there)
		return TERN_NEVER;
	down = is_cut_at(n->options, loop_now() - w->began, &next) | w->cut;
	if (down != w->down) {
		w->down = down;
		apply(n);
	}
	return next == TERN_NEVER ? next : w->began + next;
}

bool weather_change(struct net *n, const struct tern_weather way[IMPAIR_WAYS], bool cut)
{
	memcpy(n->weather.way, way, sizeof(n->weather.way));
	n->weather.cut = cut;
	if (!n->weather.is_there && !wrap(n))
		return false;
	apply(n);
	weather_turn(n);
	return true;
}

/* ---- words ---- */

static void print_time(FILE *out, tern_time t)
{
	if (t >= TERN_SEC)
		fprintf(out, "%gs", (double)t / TERN_SEC);
	else if (t >= TERN_MS)
		fprintf(out, "%gms", (double)t / TERN_MS);
	else
		fprintf(out, "%gus", (double)t / TERN_US);
}

static void print_share(FILE *out, uint64_t ppm)
{
	fprintf(out, "%g%%", (double)ppm / 10000);
}

static void print_rate(FILE *out, uint64_t bps)
{
	if (bps >= 1000000)
		fprintf(out, "%gMbit", (double)bps / 1e6);
	else
		fprintf(out, "%gkbit", (double)bps / 1e3);
}

static void print_size(FILE *out, uint64_t bytes)
{
	fprintf(out, "%" PRIu64, bytes);
}

/* One property of both ways, unless it is nothing. */
static void print_both(FILE *out, const char *name, void (*print)(FILE *, uint64_t), uint64_t a,
		       uint64_t b)
{
	if (!a && !b)
		return;
	fprintf(out, " %s ", name);
	print(out, a);
	if (a == b)
		return;
	fputc('/', out);
	print(out, b);
}

void weather_print(FILE *out, const struct net_weather *w)
{
	const struct tern_weather *a = &w->way[IMPAIR_OUT], *b = &w->way[IMPAIR_IN];
	static const struct tern_weather calm;
	bool is_calm = memcmp(a, &calm, sizeof(calm)) == 0 && memcmp(b, &calm, sizeof(calm)) == 0;

	fputs(is_calm ? "calm" : "weather", out);
	print_both(out, "--delay", print_time, a->delay, b->delay);
	print_both(out, "--jitter", print_time, a->jitter, b->jitter);
	print_both(out, "--rate", print_rate, a->rate_bps, b->rate_bps);
	print_both(out, "--queue", print_size, a->queue_bytes, b->queue_bytes);
	print_both(out, "--loss", print_share, a->loss_ppm, b->loss_ppm);
	print_both(out, "--reorder", print_share, a->reorder_ppm, b->reorder_ppm);
	print_both(out, "--duplicate", print_share, a->duplicate_ppm, b->duplicate_ppm);
	print_both(out, "--corrupt", print_share, a->corrupt_ppm, b->corrupt_ppm);
	print_both(out, "--ecn-mark", print_share, a->mark_ppm, b->mark_ppm);
	print_both(out, "--ecn-queue", print_time, a->mark_above, b->mark_above);
	fputs(w->down ? ", cut\n" : "\n", out);
}
