/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.c - options and their values.
 *
 * Numbers with a fraction are read as integers with six decimal places, so that "1.5s" and "0.05"
 * mean the same on every machine.
 */
#define _GNU_SOURCE
#include "args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/wire/wire.h"

struct args args_of(const char *command, int argc, char **argv)
{
	return (struct args){
		.command = command, .argc = argc, .argv = argv, .at = 1, .word = argv
	};
}

bool args_is(const struct args *a, const char *name)
{
	return strcmp(a->name, name) == 0;
}

enum taken args_taken(bool good)
{
	return good ? TAKEN : WRONG;
}

/* The next option's name in a->name ("--seed", "-o"), or false at the end. */
static bool next_option(struct args *a)
{
	a->value = NULL;
	while (a->at < a->argc) {
		char *word = a->argv[a->at++];
		char *equals;

		if (word[0] != '-' || word[1] == 0) {
			a->word[a->n_words++] = word;
			continue;
		}
		equals = word[1] == '-' ? strchr(word, '=') : NULL;
		if (equals) {
			*equals = 0;
			a->value = equals + 1;
		}
		a->name = word;
		return true;
	}
	return false;
}

/* "-c3": the option of one letter and its value; those without a value stand alone. */
static enum taken take_letter(struct args *a, enum taken (*take)(struct args *, void *), void *ctx)
{
	char *word = a->argv[a->at - 1];
	enum taken taken;

	if (word[1] == '-' || strlen(word) < 3)
		return UNKNOWN;
	memcpy(a->letter, word, 2);
	a->name = a->letter;
	a->value = word + 2;
	a->value_taken = false;
	taken = take(a, ctx);
	a->name = word;
	return taken == TAKEN && !a->value_taken ? UNKNOWN : taken;
}

int args_read(struct args *a, void (*print_help)(void),
	      enum taken (*take)(struct args *, void *ctx), void *ctx)
{
	while (next_option(a)) {
		enum taken taken;

		if (args_is(a, "--help") || args_is(a, "-h")) {
			print_help();
			return EXIT_DONE;
		}
		if (args_is(a, "--version")) {
			printf("tern %s\n", tern_version());
			return EXIT_DONE;
		}
		taken = take(a, ctx);
		if (taken == UNKNOWN)
			taken = take_letter(a, take, ctx);
		switch (taken) {
		case TAKEN:
			break;
		case UNKNOWN:
			return args_error(a, "there is no option '%s'", a->name);
		case WRONG:
			return EXIT_USAGE;
		}
	}
	return -1;
}

bool args_value(struct args *a)
{
	a->value_taken = true;
	if (a->value)
		return true;
	if (a->at >= a->argc) {
		args_error(a, "%s needs a value", a->name);
		return false;
	}
	a->value = a->argv[a->at++];
	return true;
}

int args_error(const struct args *a, const char *format, ...)
{
	FILE *out = a->errors ? a->errors : stderr;
	va_list ap;

	fprintf(out, "%s: ", a->command);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	fprintf(out, "; try '%s --help'\n", a->command);
	return EXIT_USAGE;
}

enum { MILLION = 1000000 };

/* Digits with at most six decimals, in millionths; *unit is what follows. */
static bool read_millionths(const char *text, uint64_t *out, const char **unit)
{
	uint64_t v = 0;
	int decimals = -1;

	if (*text < '0' || *text > '9')
		return false;
	for (; (*text >= '0' && *text <= '9') || (*text == '.' && decimals < 0); text++) {
		if (*text == '.') {
			decimals = 0;
			continue;
		}
		if (decimals == 6)
			continue;
		if (v > UINT64_MAX / MILLION / 100)
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		decimals += decimals >= 0;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 6; i++) {
		if (v > UINT64_MAX / 10)
			return false;
		v *= 10;
	}
	*out = v;
	*unit = text;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor; /* of the base unit */
};

/* number and unit in base units; the unit "" must be in the table to be allowed */
static bool read_with_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t millionths;
	const char *name;

	if (!read_millionths(text, &millionths, &name))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t whole = millionths / MILLION, rest = millionths % MILLION;

		if (strcmp(units[i].name, name) != 0)
			continue;
		if (whole > INT64_MAX / units[i].factor)
			return false;
		*out = whole * units[i].factor + rest * (units[i].factor / MILLION) +
		       rest * (units[i].factor % MILLION) / MILLION;
		return true;
	}
	return false;
}

#define N_UNITS(units) (sizeof(units) / sizeof((units)[0]))

static bool wrong_value(struct args *a, const char *expected)
{
	args_error(a, "%s: '%s' is not %s", a->name, a->value, expected);
	return false;
}

bool args_count(struct args *a, uint64_t max, uint64_t *out)
{
	char expected[64], *end;
	uint64_t v;

	if (!args_value(a))
		return false;
	errno = 0;
	v = strtoull(a->value, &end, 10);
	if (a->value[0] >= '0' && a->value[0] <= '9' && !*end && !errno && v <= max) {
		*out = v;
		return true;
	}
	snprintf(expected, sizeof(expected), "a whole number up to %llu", (unsigned long long)max);
	return wrong_value(a, expected);
}

bool args_size(struct args *a, uint64_t *out)
{
	static const struct unit units[] = {
		{ "", 1 },	     { "k", 1000 },	{ "K", 1000 },	   { "M", 1000000 },
		{ "G", 1000000000 }, { "Ki", 1 << 10 }, { "Mi", 1 << 20 }, { "Gi", 1 << 30 },
	};

	if (!args_value(a))
		return false;
	return read_with_unit(a->value, units, N_UNITS(units), out) ||
	       wrong_value(a, "a size such as 1000, 50k, 50M or 50Mi");
}

bool args_time(struct args *a, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },	     { "us", 1000 },	     { "ms", 1000000 },
		{ "s", 1000000000 }, { "min", 60000000000 },
	};

	if (!args_value(a))
		return false;
	if (strcmp(a->value, "0") == 0) {
		*ns = 0;
		return true;
	}
	return read_with_unit(a->value, units, N_UNITS(units), ns) ||
	       wrong_value(a, "a time such as 500us, 10ms or 1.5s");
}

bool args_rate(struct args *a, uint64_t *bps)
{
	static const struct unit units[] = {
		{ "bit", 1 },
		{ "kbit", 1000 },
		{ "Mbit", 1000000 },
		{ "Gbit", 1000000000 },
	};

	if (!args_value(a))
		return false;
	return read_with_unit(a->value, units, N_UNITS(units), bps) ||
	       wrong_value(a, "a rate such as 64kbit, 10Mbit or 1Gbit");
}

bool args_probability(struct args *a, uint32_t *ppm)
{
	static const struct unit units[] = { { "", MILLION }, { "%", 10000 } };
	uint64_t v;

	if (!args_value(a))
		return false;
	if (read_with_unit(a->value, units, N_UNITS(units), &v) && v <= MILLION) {
		*ppm = (uint32_t)v;
		return true;
	}
	return wrong_value(a, "a probability such as 5% or 0.05");
}

bool args_mtu(struct args *a, uint64_t *mtu)
{
	if (!args_count(a, 65535, mtu))
		return false;
	return *mtu >= IP4_MTU_MIN || wrong_value(a, "an MTU: the least is 68");
}

bool args_text(struct args *a, const char **text)
{
	if (!args_value(a))
		return false;
	*text = a->value;
	return true;
}

bool args_output(struct args *a, const char **path)
{
	if (!args_text(a, path))
		return false;
	if (strcmp(*path, "-") == 0)
		*path = NULL;
	return true;
}

bool args_in_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(f)) && !(no && no[0]);
}

bool args_is_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";

	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

bool args_is_one_file(const char *a, const char *b)
{
	struct stat as, bs;

	if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
		return false;
	if (stat(a, &as) != 0 || stat(b, &bs) != 0)
		return strcmp(a, b) == 0;
	return S_ISREG(as.st_mode) && as.st_dev == bs.st_dev && as.st_ino == bs.st_ino;
}

bool args_files_differ(const struct args *a, const char *const *path, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 1; k < n; k++)
			if (path[i] && path[k] && args_is_one_file(path[i], path[k])) {
				args_error(a, "'%s' is named for two things to write", path[k]);
				return false;
			}
	return true;
}

enum taken args_weather(struct args *a, struct tern_weather *w)
{
	if (args_is(a, "--delay"))
		return args_taken(args_time(a, &w->delay));
	if (args_is(a, "--jitter"))
		return args_taken(args_time(a, &w->jitter));
	if (args_is(a, "--rate"))
		return args_taken(args_rate(a, &w->rate_bps));
	if (args_is(a, "--queue"))
		return args_taken(args_size(a, &w->queue_bytes));
	if (args_is(a, "--loss"))
		return args_taken(args_probability(a, &w->loss_ppm));
	if (args_is(a, "--reorder"))
		return args_taken(args_probability(a, &w->reorder_ppm));
	if (args_is(a, "--duplicate"))
		return args_taken(args_probability(a, &w->duplicate_ppm));
	if (args_is(a, "--corrupt"))
		return args_taken(args_probability(a, &w->corrupt_ppm));
	if (args_is(a, "--ecn-mark"))
		return args_taken(args_probability(a, &w->mark_ppm));
	if (args_is(a, "--ecn-queue"))
		return args_taken(args_time(a, &w->mark_above));
	return UNKNOWN;
}

enum taken args_weathers(struct args *a, struct tern_weather way[2])
{
	const char *whole = a->value ? a->value : a->at < a->argc ? a->argv[a->at] : NULL;
	const char *slash = whole ? strchr(whole, '/') : NULL;
	struct args one = *a;
	enum taken taken;
	char out[32];

	one.value = whole;
	if (slash) {
		snprintf(out, sizeof(out), "%.*s", (int)(slash - whole), whole);
		one.value = out;
	}
	taken = args_weather(&one, &way[0]);
	if (taken != TAKEN)
		return taken;
	one.value = slash ? slash + 1 : whole;
	taken = args_weather(&one, &way[1]);
	args_value(a);
	return taken;
}
