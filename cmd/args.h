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

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

/* The options left to read; words that are not options are skipped over and kept in order. */
struct args {
	const char *command; /* "tern lab": for error messages */
	int argc;
	char **argv;
	int at;
	const char *name, *value; /* of the option just read; value only after args_value */
	const char **word;	  /* words that are no options; words_cap = argc */
	int n_words;
};

/* The next option's name in a->name ("--seed", "-o"), or false at the end. */
bool args_next(struct args *);
/* The value of the option just read ("--seed 7" or "--seed=7"); without one: says so, false. */
bool args_value(struct args *);

/* Each reads a->value; on failure it says what was expected and returns false. */
bool args_count(struct args *, uint64_t max, uint64_t *);
bool args_size(struct args *, uint64_t *);	     /* 50M = 50 000 000, 50Mi, 1k */
bool args_time(struct args *, uint64_t *ns);	     /* 10ms, 1.5s, 20us, 100ns */
bool args_rate(struct args *, uint64_t *bps);	     /* 10Mbit, 1Gbit, 64kbit */
bool args_probability(struct args *, uint32_t *ppm); /* 5% or 0.05 */

/* One line: "tern lab: ...; try 'tern lab --help'". Returns EXIT_USAGE. */
int args_error(const struct args *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
