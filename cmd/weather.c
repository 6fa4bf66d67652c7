/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weather.c - tern weather: asks and changes the weather of a run that lives; and the run's side.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../host/dev/own_socket.h"
#include "cmd.h"
#include "net.h"
#include "run_control.h"
#include "run_place.h"

enum { WORDS_MAX = 64 };

/* ---- the run's side ---- */

struct request {
	struct tern_weather way[IMPAIR_WAYS];
	bool cut;
};

static enum taken take_change(struct args *a, void *ctx)
{
	struct request *q = ctx;

	if (args_is(a, "--cut"))
		return args_taken(q->cut = true);
	if (args_is(a, "--mend"))
		return args_taken(!(q->cut = false));
	if (args_is(a, "--calm")) {
		memset(q->way, 0, sizeof(q->way));
		return TAKEN;
	}
	return args_weathers(a, q->way);
}

/* Below 0: q is what the words say; else the exit code. */
static int read_change(struct args *a, void (*help)(void), struct request *q)
{
	int code = args_read(a, help, take_change, q);

	if (code < 0 && a->n_words)
		return args_error(a, "'%s' is not an option", a->word[0]);
	return code;
}

static void no_help(void)
{
}

/* The answer to one line: the weather as it is now, or what was wrong with it. */
static void answer_line(struct net *n, char *line, FILE *out)
{
	char command[] = "tern weather", *word[WORDS_MAX] = { command }, *rest = NULL;
	struct request q = { .cut = n->weather.cut };
	struct args a;
	int n_words = 1;

	for (char *w = strtok_r(line, " \n", &rest); w && n_words < WORDS_MAX;
	     w = strtok_r(NULL, " \n", &rest))
		word[n_words++] = w;
	memcpy(q.way, n->weather.way, sizeof(q.way));
	a = args_of(command, n_words, word);
	a.errors = out;
	if (read_change(&a, no_help, &q) >= 0)
		return;
	if (n_words > 1 && !weather_change(n, q.way, q.cut))
		fprintf(out, "tern weather: out of memory\n");
	else
		weather_print(out, &n->weather);
}

bool run_control_open(struct run_control *c, const char *name, char *error, size_t room)
{
	c->fd = place_bind("run", name, &c->at);
	if (c->fd >= 0)
		return true;
	if (errno == EADDRINUSE)
		snprintf(error, room, "a run called '%s' lives already", name);
	else
		snprintf(error, room, "no control socket in %s: %s", c->at.sun_path,
			 own_socket_trouble(errno));
	return false;
}

void run_control_turn(struct run_control *c, struct net *n)
{
	char line[PLACE_LINE_MAX], answer[PLACE_LINE_MAX];
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	ssize_t got = recvfrom(c->fd, line, sizeof(line) - 1, 0, (struct sockaddr *)&from, &len);
	FILE *out;

	if (got < 0)
		return;
	line[got] = 0;
	memset(answer, 0, sizeof(answer));
	out = fmemopen(answer, sizeof(answer) - 1, "w");
	if (!out)
		return;
	answer_line(n, line, out);
	fclose(out);
	/* whoever has no name gets no answer */
	sendto(c->fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&from,
	       len);
}

void run_control_close(struct run_control *c)
{
	if (c->fd < 0)
		return;
	unlink(c->at.sun_path);
	close(c->fd);
	c->fd = -1;
}

/* ---- the command ---- */

static void print_help(void)
{
	printf("usage: tern weather [RUN] [OPTIONS]\n\n"
	       "Shows the weather of a 'tern run' that lives, and changes it: what is named gets\n"
	       "its new value, the rest stays. RUN is the run's --name or the number of its\n"
	       "process; it may be left out when there is only one.\n\n"
	       "  --delay T --jitter T --rate R --queue SIZE --loss P --reorder P --duplicate P\n"
	       "  --corrupt P --ecn-mark P --ecn-queue T\n"
	       "                    both ways, or OUT/IN (--loss 1%%/0)\n"
	       "  --calm            none of these from now on\n"
	       "  --cut, --mend     nothing passes any more; it does again\n"
	       "\nExit: 0 done, 1 no such run, 2 usage.\n");
}

/* Every live run's name on a line, or of the only one into name. How many there are. */
static int list_runs(FILE *out, char name[PLACE_NAME_MAX])
{
	char path[sizeof(struct sockaddr_un)], answer[PLACE_LINE_MAX];
	struct dirent **e = NULL;
	int n_entries, n = 0;

	n_entries =
		place_dir("run", path, sizeof(path)) < 0 ? 0 : scandir(path, &e, NULL, alphasort);
	for (int i = 0; i < n_entries; i++) {
		if (place_is_name(e[i]->d_name) &&
		    place_ask("run", e[i]->d_name, "", answer) >= 0) {
			if (out)
				fprintf(out, "%s: %s", e[i]->d_name, answer);
			snprintf(name, PLACE_NAME_MAX, "%.31s", e[i]->d_name);
			n++;
		}
		free(e[i]);
	}
	free(e);
	return n;
}

static int choose(char name[PLACE_NAME_MAX], bool wants_change)
{
	int n = list_runs(NULL, name);

	if (n == 1)
		return EXIT_DONE;
	if (n == 0) {
		fprintf(stderr, "tern weather: no run lives\n");
		return EXIT_NO;
	}
	if (!wants_change) {
		list_runs(stdout, name);
		return -1;
	}
	fprintf(stderr, "tern weather: which of these?\n");
	list_runs(stderr, name);
	return EXIT_NO;
}

static int ask(const char *name, const char *line)
{
	char answer[PLACE_LINE_MAX];
	bool wrong;

	if (place_ask("run", name, line, answer) < 0) {
		bool nobody = errno == ENOENT || errno == ECONNREFUSED;

		fprintf(stderr, "tern weather: '%s': %s\n", name,
			nobody ? "no such run lives" : strerror(errno));
		return EXIT_NO;
	}
	wrong = strncmp(answer, "tern ", 5) == 0;
	fputs(answer, wrong ? stderr : stdout);
	return wrong ? EXIT_USAGE : EXIT_DONE;
}

/* One line of these words. */
static bool join(char **word, int n, char *line, size_t room)
{
	line[0] = 0;
	for (int i = 0; i < n; i++) {
		if (strlen(line) + strlen(word[i]) + 2 > room)
			return false;
		strcat(strcat(line, line[0] ? " " : ""), word[i]);
	}
	return true;
}

int cmd_weather(int argc, char **argv)
{
	bool named = argc > 1 && argv[1][0] != '-';
	struct args a = args_of("tern weather", argc - named, argv + named);
	char line[PLACE_LINE_MAX], name[PLACE_NAME_MAX] = "";
	struct request q = { .cut = false };
	int code;

	if (named && !place_is_name(argv[1]))
		return args_error(&a, "'%s' is no name of a run", argv[1]);
	if (named)
		snprintf(name, sizeof(name), "%s", argv[1]);
	if (!join(a.argv + 1, a.argc - 1, line, sizeof(line)))
		return args_error(&a, "that is too much");
	code = read_change(&a, print_help, &q); /* what is wrong is told whether or not one lives */
	if (code >= 0)
		return code;
	code = named ? EXIT_DONE : choose(name, line[0] != 0);
	if (code != EXIT_DONE)
		return code < 0 ? EXIT_DONE : code;
	return ask(name, line);
}
