/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.c - tern drill: runs packetdrill scripts, one by one or whole directories of them.
 */
#define _POSIX_C_SOURCE 200809L

#include "../sim/drill/drill.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "args.h"
#include "cmd.h"

enum { DEPTH_MAX = 32, PATH_BYTES_MAX = 4096 };

struct tally {
	struct drill_options options;
	unsigned n[DRILL_BROKEN + 1]; /* by outcome */
};

static void print_help(void)
{
	printf("usage: tern drill [OPTIONS] SCRIPT...\n\n"
	       "Runs scripts in packetdrill's language against one stack, in virtual time and\n"
	       "without privilege. Of a directory it runs all *.pkt in it and below.\n\n"
	       "  -v, --verbose   print each event as it happens\n"
	       "  --version       which tern this is\n\n"
	       "Options in a script besides packetdrill's:\n"
	       "  --tern=NAME=VALUE   a setting such as tcp_sack=0 or net.tern.initial_cwnd=4\n\n"
	       "Exit: 0 no script failed, 1 one did, 2 usage, or what is not a script.\n");
}

static void run_file(struct tally *t, const char *path)
{
	t->n[drill_file(path, &t->options)]++;
	fflush(t->options.out); /* before the next remark on standard error */
}

static bool is_script_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, ".pkt") == 0;
}

static void run_path(struct tally *, const char *path, int depth);

static void run_directory(struct tally *t, const char *path, int depth)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	char child[PATH_BYTES_MAX];
	struct stat st;

	if (n < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		t->n[DRILL_BROKEN]++;
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int len = snprintf(child, sizeof(child), "%s/%s", path, name);

		if (name[0] != '.' && len < PATH_BYTES_MAX && depth < DEPTH_MAX &&
		    stat(child, &st) == 0 && (S_ISDIR(st.st_mode) || is_script_name(name)))
			run_path(t, child, depth + 1);
		free(entries[i]);
	}
	free(entries);
}

static void run_path(struct tally *t, const char *path, int depth)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		run_directory(t, path, depth);
	else
		run_file(t, path);
}

static int run_all(const struct args *a, struct tally *t)
{
	for (int i = 0; i < a->n_words; i++)
		run_path(t, a->word[i], 0);
	printf("%u passed, %u failed, %u not supported\n", t->n[DRILL_PASSED],
	       t->n[DRILL_FAILED] + t->n[DRILL_BROKEN], t->n[DRILL_UNSUPPORTED]);
	if (t->n[DRILL_BROKEN])
		return EXIT_USAGE;
	return t->n[DRILL_FAILED] ? EXIT_NO : EXIT_DONE;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct tally *t = ctx;

	if (args_is(a, "--verbose") || args_is(a, "-v"))
		return args_taken(t->options.verbose = true);
	return UNKNOWN;
}

int cmd_drill(int argc, char **argv)
{
	struct args a = args_of("tern drill", argc, argv);
	struct tally t = { .options = { .out = stdout, .err = stderr } };
	int code = args_read(&a, print_help, take_option, &t);

	if (code >= 0)
		return code;
	return a.n_words > 0 ? run_all(&a, &t) : args_error(&a, "no script is named");
}
