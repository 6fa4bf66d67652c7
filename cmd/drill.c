/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.c - tern drill: scripts in packetdrill's language, in virtual time.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../sim/drill/drill.h"
#include "args.h"
#include "cmd.h"

struct tally {
	unsigned n[4]; /* by enum drill_end */
	bool bad_file, verbose;
};

static void print_help(void)
{
	printf("usage: tern drill [-v] SCRIPT|DIRECTORY...\n\n"
	       "Runs scripts in packetdrill's language against a tern stack, in virtual time and\n"
	       "without privilege. A directory means every .pkt file below it.\n\n"
	       "  -v   print every packet that the stack sends\n\n"
	       "The last line counts: N passed, M failed, K not supported.\n"
	       "Exit: 0 all passed or not supported, 1 one failed, 2 usage, a bad file or "
	       "script.\n");
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	long len = -1;

	if (f && fseek(f, 0, SEEK_END) == 0)
		len = ftell(f);
	if (len >= 0 && len < 16 << 20 && fseek(f, 0, SEEK_SET) == 0)
		text = malloc((size_t)len + 1);
	if (text) {
		size_t n = fread(text, 1, (size_t)len, f);

		text[n] = 0;
	}
	if (f)
		fclose(f);
	return text;
}

static void run_file(const char *path, struct tally *t)
{
	char *text = read_file(path);

	if (!text) {
		fprintf(stderr, "tern drill: cannot read %s: %s\n", path, strerror(errno));
		t->bad_file = true;
		return;
	}
	t->n[drill_run(path, text, stdout, t->verbose)]++;
	free(text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void run_path(const char *path, struct tally *t, int depth);

/* In the order of their names, so that a run is the same everywhere. */
static void run_directory(const char *path, struct tally *t, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char *name[4096];
	int n = 0;

	while (dir && n < 4096 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			name[n++] = strdup(entry->d_name);
	if (dir)
		closedir(dir);
	qsort(name, (size_t)n, sizeof(name[0]), by_name);
	for (int i = 0; i < n; i++) {
		char full[4096];
		struct stat st;
		size_t len = name[i] ? strlen(name[i]) : 0;

		snprintf(full, sizeof(full), "%s/%s", path, name[i] ? name[i] : "");
		if (len > 4 && strcmp(name[i] + len - 4, ".pkt") == 0)
			run_file(full, t);
		else if (len && stat(full, &st) == 0 && S_ISDIR(st.st_mode))
			run_path(full, t, depth + 1);
		free(name[i]);
	}
}

static void run_path(const char *path, struct tally *t, int depth)
{
	struct stat st;

	if (depth < 16 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		run_directory(path, t, depth);
	else
		run_file(path, t);
}

int cmd_drill(int argc, char **argv)
{
	struct args a = { .command = "tern drill", .argc = argc, .argv = argv, .at = 1 };
	struct tally t = { .verbose = false };

	a.word = calloc((size_t)argc + 1, sizeof(*a.word));
	if (!a.word)
		return EXIT_USAGE;
	while (args_next(&a)) {
		if (strcmp(a.name, "--help") == 0 || strcmp(a.name, "-h") == 0) {
			print_help();
			free(a.word);
			return EXIT_DONE;
		}
		if (strcmp(a.name, "-v") != 0) {
			free(a.word);
			return args_error(&a, "there is no option '%s'", a.name);
		}
		t.verbose = true;
	}
	if (a.n_words == 0) {
		free(a.word);
		return args_error(&a, "no script was named");
	}
	for (int i = 0; i < a.n_words; i++)
		run_path(a.word[i], &t, 0);
	free(a.word);
	printf("%u passed, %u failed, %u not supported\n", t.n[DRILL_PASSED],
	       t.n[DRILL_FAILED] + t.n[DRILL_BAD_SCRIPT], t.n[DRILL_NOT_SUPPORTED]);
	if (t.bad_file || t.n[DRILL_BAD_SCRIPT])
		return EXIT_USAGE;
	return t.n[DRILL_FAILED] ? EXIT_NO : EXIT_DONE;
}
