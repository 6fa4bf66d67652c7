/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - what a run says: how it ended, and what it left out on the way.
 *
 * A run ends once: what is said after that is dropped. What --non_fatal forgives is a warning. What
 * was left out is shown with --verbose as it happens, else only where the script does not pass:
 * there it may be the reason.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { NOTE_MAX = 240 };

static void show_note(const struct drill *d, const struct note *n)
{
	fprintf(d->o->out, "%s:%d: skipped: %s\n", d->s->name, n->line, n->text);
}

void drill_skip(struct drill *d, const char *format, ...)
{
	struct note *n = script_alloc(d->s, sizeof(*n) + NOTE_MAX);
	struct note **tail = &d->notes;
	va_list ap;

	d->n_skipped++;
	if (!n)
		return;
	n->line = d->line;
	va_start(ap, format);
	vsnprintf(n->text, NOTE_MAX, format, ap);
	va_end(ap);
	if (d->o->verbose) {
		show_note(d, n);
		return;
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = n;
}

/* The head of a message: where, and what kind. */
static FILE *begin(struct drill *d, enum drill_outcome outcome)
{
	FILE *out = outcome == DRILL_BROKEN ? d->o->err : d->o->out;

	fprintf(out, "%s:%d:", d->s->name, d->line);
	if (outcome == DRILL_BROKEN && d->column)
		fprintf(out, "%d:", d->column);
	fprintf(out, " ");
	if (outcome == DRILL_UNSUPPORTED)
		fprintf(out, "not supported: ");
	else if (outcome == DRILL_PASSED)
		fprintf(out, "warning: ");
	return out;
}

void drill_end(struct drill *d, enum drill_outcome outcome, const char *format, ...)
{
	va_list ap;
	FILE *out;

	if (d->outcome != DRILL_PASSED)
		return;
	if (outcome == DRILL_FAILED && d->forgives)
		outcome = DRILL_PASSED;
	d->outcome = outcome;
	for (; outcome != DRILL_PASSED && d->notes; d->notes = d->notes->next)
		show_note(d, d->notes);
	out = begin(d, outcome);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	fprintf(out, "\n");
}

char *drill_time(const struct drill *d, tern_time t, char *buf)
{
	tern_time us = (t - MIN(t, d->start)) / TERN_US;

	snprintf(buf, 24, "%llu.%06llu", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
	return buf;
}
