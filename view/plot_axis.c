/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_axis.c - round ticks and their words, in whole numbers.
 *
 * The labels of an axis have one unit and the decimals that its step needs, so that 0.5 s and
 * 1.0 s stand together. The unit is one of which the axis holds two at least: 800 and 1000 bytes,
 * but 1.5 k and 2.0 k.
 */
#include <inttypes.h>
#include <stdio.h>

#include "plot_impl.h"

struct unit {
	uint64_t size;
	const char *name;
};

static const struct unit units[][4] = {
	[PLOT_BYTES] = { { 1000000000, "G" }, { 1000000, "M" }, { 1000, "k" }, { 1, "" } },
	[PLOT_TIME] = { { TERN_SEC, "s" }, { TERN_MS, "ms" }, { TERN_US, "us" }, { 1, "ns" } },
};

uint64_t plot_round_down(uint64_t n)
{
	uint64_t power = 1;

	while (n / power >= 10)
		power *= 10;
	return n / power >= 5 ? 5 * power : n / power >= 2 ? 2 * power : power;
}

uint64_t plot_round_next(uint64_t round)
{
	uint64_t power = round;

	while (power % 10 == 0)
		power /= 10;
	return power == 2 ? round / 2 * 5 : round * 2;
}

struct plot_axis plot_axis_of(enum plot_measure m, uint64_t lo, uint64_t hi, unsigned n_max)
{
	const struct unit *u = units[m];
	uint64_t step = plot_round_down((hi - lo) / n_max + 1);

	while ((hi - lo) / step > n_max)
		step = plot_round_next(step);
	while (u->size > 1 && u->size > hi / 2)
		u++;
	return (struct plot_axis){
		.lo = lo, .hi = hi, .step = step, .unit = u->size, .suffix = u->name
	};
}

char *plot_axis_label(const struct plot_axis *a, uint64_t value, char buf[PLOT_LABEL_MAX])
{
	const char *space = *a->suffix ? " " : "";
	uint64_t tenth = a->unit;
	int n = snprintf(buf, PLOT_LABEL_MAX, "%" PRIu64, value / a->unit);

	if (value == 0)
		return buf;
	for (uint64_t rest = a->step; rest % tenth != 0; value %= tenth) {
		value %= tenth;
		n += snprintf(buf + n, PLOT_LABEL_MAX - (size_t)n, "%s",
			      tenth == a->unit ? "." : "");
		tenth /= 10;
		n += snprintf(buf + n, PLOT_LABEL_MAX - (size_t)n, "%u", (unsigned)(value / tenth));
	}
	snprintf(buf + n, PLOT_LABEL_MAX - (size_t)n, "%s%s", space, a->suffix);
	return buf;
}

uint64_t plot_log(uint64_t n)
{
	unsigned whole = 0;

	while (n >> whole > 1)
		whole++;
	if (whole >= 10)
		return whole * 1024 + ((n >> (whole - 10)) - 1024);
	return whole * 1024 + ((n << (10 - whole)) - 1024);
}
