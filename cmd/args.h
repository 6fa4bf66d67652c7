/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.h - how every command of tern reads its command line.
 *
 * Exit codes: 0 done as asked; 1 the network or the peer said no, or a test failed; 2 usage, or a
 * bad file, device or configuration. Errors are one line on standard error that says what to do.
 */
#ifndef TERN_CMD_ARGS_H
#define TERN_CMD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../include/tern_sim.h"

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

/* A command line. Words that are not options are kept in order, at the front of argv. */
struct args {
	const char *command; /* "tern lab": for error messages */
	int argc;
	char **argv;
	int at;			  /* the next to read; 1 at first */
	const char *name, *value; /* of the option just read; value only after args_value */
	char **word;		  /* words that are no options */
	int n_words;
	char letter[3]; /* "-c" of "-c3" */
	bool value_taken;
	FILE *errors; /* where lines of error go; NULL: standard error */
};

/* What became of an option: taken, not known, or its value was wrong and that was told. */
enum taken { TAKEN, UNKNOWN, WRONG };

/* The command line of a command, nothing of it read yet. */
struct args args_of(const char *command, int argc, char **argv);
/*
 * Reads it all: each option goes to take (its name is in a->name). --help, -h and --version are
 * answered here. Below 0: go on; else the exit code.
 */
int args_read(struct args *, void (*print_help)(void), enum taken (*take)(struct args *, void *ctx),
	      void *ctx);
/* Is the option just read called so? */
bool args_is(const struct args *, const char *name);
/* TAKEN when the value was good, else WRONG. */
enum taken args_taken(bool good);
/* The value of the option just read ("--seed 7" or "--seed=7"); without one: says so, false. */
bool args_value(struct args *);

/* Each reads a->value; on failure it says what was expected and returns false. */
bool args_count(struct args *, uint64_t max, uint64_t *);
bool args_size(struct args *, uint64_t *);	     /* 50M = 50 000 000, 50Mi, 1k */
bool args_time(struct args *, uint64_t *ns);	     /* 10ms, 1.5s, 20us, 100ns */
bool args_rate(struct args *, uint64_t *bps);	     /* 10Mbit, 1Gbit, 64kbit */
bool args_probability(struct args *, uint32_t *ppm); /* 5% or 0.05 */
bool args_mtu(struct args *, uint64_t *);	     /* 68 to 65535 */
bool args_text(struct args *, const char **);	     /* a file's name, say: it lives in argv */
bool args_output(struct args *, const char **); /* the same, and NULL for "-": standard output */

/* On terminals, unless the environment's NO_COLOR is set (no-color.org). */
bool args_in_colour(FILE *);

/* Can this file be written, or made where it is not there? Else false and errno. */
bool args_is_writable(const char *path);
/* Of files that are there already a further name counts; a device may be named twice. */
bool args_is_one_file(const char *, const char *);
/* No two of these (NULL: none) are one file to write; else it says so, and false. */
bool args_files_differ(const struct args *, const char *const *path, unsigned n);

/* --delay, --jitter, --rate, --queue, --loss, --reorder, --duplicate, --corrupt, --ecn-... */
enum taken args_weather(struct args *, struct tern_weather *);
/* The same of two directions: a value is for both, or OUT/IN ("--loss 1%/0"). */
enum taken args_weathers(struct args *, struct tern_weather way[2]);

/* One line: "tern lab: ...; try 'tern lab --help'". Returns EXIT_USAGE. */
int args_error(const struct args *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
