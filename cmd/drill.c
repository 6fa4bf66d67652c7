/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.c - tern drill: runs packetdrill scripts, one by one or several at once.
 *
 * The scripts that are named, or lie in directories that are, become a list of jobs. A job's words
 * and picture are kept until its turn, so that the output is the same however many run at once.
 */
#define _POSIX_C_SOURCE 200809L

#include "../sim/drill/drill.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "../view/ladder.h"
#include "args.h"
#include "cmd.h"

enum { DEPTH_MAX = 32, PATH_BYTES_MAX = 4096, AT_ONCE_MAX = 256 };

/* The two ends of a picture. */
enum { HOST_TERN, HOST_SCRIPT };

struct text {
	char *bytes;
	size_t len;
};

struct job {
	char *path;
	bool done;
	enum drill_outcome outcome;
	unsigned n_skipped;
	uint64_t us; /* that it took */
	struct text out, err;
	struct view *view; /* NULL: no picture is wanted */
	uint64_t last_frame;
};

struct drills {
	struct drill_options options;
	bool ladder, times;
	uint64_t at_once;
	const char **script_options; /* room for all words of the command line */
	int n_script_options;
	bool unreadable; /* a directory was, or had no script */
	struct job *job;
	size_t n_jobs, jobs_cap;
	/* several threads */
	pthread_mutex_t lock;
	pthread_cond_t job_done;
	size_t next;
};

static void print_help(void)
{
	printf("usage: tern drill [OPTIONS] SCRIPT...\n\n"
	       "Runs scripts in packetdrill's language against one stack, in virtual time and\n"
	       "without privilege. Of a directory it runs all *.pkt in it and below.\n\n"
	       "  --profile P         whose habits the stack has: linux (default), rfc, freebsd\n"
	       "  --any-option-order  TCP options of the stack may come in any order\n"
	       "  --allow-shell       run shell lines that are no settings; else skipped\n"
	       "  --ladder            draw each run\n"
	       "  -j N                N scripts at once\n"
	       "  --times             how each script ended and its milliseconds\n"
	       "  -v, --verbose       print each event as it happens, and what is skipped\n"
	       "  --version           which tern this is\n\n"
	       "packetdrill's own options, such as --ip_version=ipv6, --mtu=1280 and\n"
	       "-D NAME=VALUE, may be given, too, and win over the script's.\n\n"
	       "Options in a script besides packetdrill's:\n"
	       "  --tern=NAME=VALUE   a setting such as tcp_sack=0 or net.tern.initial_cwnd=4\n\n"
	       "Exit: 0 no script failed, 1 one did, 2 usage, or what is not a script.\n");
}

/* ---- which scripts ---- */

static void add_job(struct drills *t, const char *path)
{
	size_t cap = t->jobs_cap ? 2 * t->jobs_cap : 64;

	if (t->n_jobs == t->jobs_cap) {
		t->job = realloc(t->job, cap * sizeof(*t->job));
		t->jobs_cap = cap;
	}
	if (!t->job)
		abort();
	t->job[t->n_jobs++] = (struct job){ .path = strdup(path) };
}

static bool is_script_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, ".pkt") == 0;
}

static void add_path(struct drills *, const char *path, int depth);

static void add_directory(struct drills *t, const char *path, int depth)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	char child[PATH_BYTES_MAX];
	struct stat st;

	if (n < 0) {
		fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
		t->unreadable = true;
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int len = snprintf(child, sizeof(child), "%s/%s", path, name);

		if (name[0] != '.' && len < PATH_BYTES_MAX && depth < DEPTH_MAX &&
		    stat(child, &st) == 0 && (S_ISDIR(st.st_mode) || is_script_name(name)))
			add_path(t, child, depth + 1);
		free(entries[i]);
	}
	free(entries);
}

static void add_path(struct drills *t, const char *path, int depth)
{
	size_t before = t->n_jobs;
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		add_job(t, path);
		return;
	}
	add_directory(t, path, depth);
	if (depth == 0 && t->n_jobs == before && !t->unreadable) {
		fprintf(stderr, "%s: no script (*.pkt) is in it\n", path);
		t->unreadable = true;
	}
}

/* ---- a picture of the run ---- */

static void see_frame(struct job *j, const struct drill_note *n)
{
	int from = n->what == DRILL_SENT ? HOST_TERN : HOST_SCRIPT;
	struct view_event ev = { .at = n->at,
				 .kind = VIEW_SENT,
				 .host = from,
				 .frame = ++j->last_frame,
				 .raw_ip = true,
				 .bytes = n->frame,
				 .len = (uint32_t)n->len,
				 .kept = (uint32_t)n->len };

	view_add(j->view, &ev);
	ev.kind = VIEW_DELIVERED;
	ev.host = from == HOST_TERN ? HOST_SCRIPT : HOST_TERN;
	ev.bytes = NULL;
	view_add(j->view, &ev);
}

static void see(void *ctx, const struct drill_note *n)
{
	struct job *j = ctx;
	struct view_event ev;

	if (n->what != DRILL_TRACE) {
		see_frame(j, n);
	} else if (view_event_of_trace(&ev, n->trace)) {
		ev.at = n->at;
		ev.host = HOST_TERN;
		view_add(j->view, &ev);
	}
}

static void draw(struct job *j, FILE *out)
{
	static const struct ladder_options options = { .full = true };

	if (j->view && j->view->n_events > 0) {
		fprintf(out, "%s\n", j->path);
		ladder_text(out, j->view, &options);
	}
	view_free(j->view);
	j->view = NULL;
}

/* ---- running ---- */

static int run_shell(const char *command)
{
	int status = system(command);

	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static uint64_t microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void tell_time(const struct job *j, FILE *out)
{
	static const char *const words[] = { [DRILL_PASSED] = "passed",
					     [DRILL_FAILED] = "failed",
					     [DRILL_UNSUPPORTED] = "not supported",
					     [DRILL_BROKEN] = "not a script" };

	fprintf(out, "%s: %s, %llu.%03llu ms\n", j->path, words[j->outcome],
		(unsigned long long)(j->us / 1000), (unsigned long long)(j->us % 1000));
}

static void run_job(const struct drills *t, struct job *j)
{
	struct drill_options o = t->options;
	uint64_t began = microseconds();

	o.out = open_memstream(&j->out.bytes, &j->out.len);
	o.err = open_memstream(&j->err.bytes, &j->err.len);
	if (!o.out || !o.err)
		abort();
	o.n_skipped = &j->n_skipped;
	if (t->ladder)
		j->view = view_new(0);
	if (j->view) {
		view_name_host(j->view, HOST_TERN, "tern");
		view_name_host(j->view, HOST_SCRIPT, "script");
		o.watch = see;
		o.ctx = j;
	}
	j->outcome = drill_file(j->path, &o);
	j->us = microseconds() - began;
	draw(j, o.out);
	if (t->times || t->options.verbose)
		tell_time(j, o.out);
	fclose(o.out);
	fclose(o.err);
}

/* Takes jobs until none is left. */
static void *run_jobs(void *ctx)
{
	struct drills *t = ctx;
	struct job *j;

	for (;;) {
		pthread_mutex_lock(&t->lock);
		j = t->next < t->n_jobs ? &t->job[t->next++] : NULL;
		pthread_mutex_unlock(&t->lock);
		if (!j)
			return NULL;
		run_job(t, j);
		pthread_mutex_lock(&t->lock);
		j->done = true;
		pthread_cond_signal(&t->job_done);
		pthread_mutex_unlock(&t->lock);
	}
}

/* What job j said, and forgets it. */
static void show_job(struct job *j)
{
	fwrite(j->out.bytes, 1, j->out.len, stdout);
	fflush(stdout); /* before the next remark on standard error */
	fwrite(j->err.bytes, 1, j->err.len, stderr);
	free(j->out.bytes);
	free(j->err.bytes);
}

/* In their order, each as soon as it and those before it are done. */
static void show_jobs(struct drills *t)
{
	for (size_t i = 0; i < t->n_jobs; i++) {
		pthread_mutex_lock(&t->lock);
		while (!t->job[i].done)
			pthread_cond_wait(&t->job_done, &t->lock);
		pthread_mutex_unlock(&t->lock);
		show_job(&t->job[i]);
	}
}

static void run_all(struct drills *t)
{
	pthread_t worker[AT_ONCE_MAX];
	size_t n = 0;

	if (t->at_once <= 1) {
		for (size_t i = 0; i < t->n_jobs; i++) {
			run_job(t, &t->job[i]);
			show_job(&t->job[i]);
		}
		return;
	}
	while (n < t->at_once && n < t->n_jobs && !pthread_create(&worker[n], NULL, run_jobs, t))
		n++;
	if (n == 0)
		run_jobs(t);
	show_jobs(t);
	for (size_t i = 0; i < n; i++)
		pthread_join(worker[i], NULL);
}

static int count_all(struct drills *t)
{
	unsigned n[DRILL_BROKEN + 1] = { [DRILL_BROKEN] = t->unreadable }, n_skipped = 0;

	for (size_t i = 0; i < t->n_jobs; i++) {
		n[t->job[i].outcome]++;
		n_skipped += t->job[i].n_skipped;
		free(t->job[i].path);
	}
	free(t->job);
	if (n_skipped > 0)
		printf("%u shell commands or options skipped%s\n", n_skipped,
		       t->options.verbose ? "" : " (-v names them)");
	printf("%u passed, %u failed, %u not supported\n", n[DRILL_PASSED],
	       n[DRILL_FAILED] + n[DRILL_BROKEN], n[DRILL_UNSUPPORTED]);
	if (n[DRILL_BROKEN])
		return EXIT_USAGE;
	return n[DRILL_FAILED] ? EXIT_NO : EXIT_DONE;
}

/* ---- the command line ---- */

static bool take_profile(struct args *a, struct drills *t)
{
	if (!args_value(a))
		return false;
	t->options.profile = drill_profile_find(a->value);
	if (!t->options.profile)
		args_error(a, "--profile: '%s' is not linux, rfc or freebsd", a->value);
	return t->options.profile != NULL;
}

static bool take_at_once(struct args *a, struct drills *t)
{
	if (!args_count(a, AT_ONCE_MAX, &t->at_once))
		return false;
	if (t->at_once == 0)
		args_error(a, "-j: one script at once is the least");
	return t->at_once > 0;
}

/* --name=value or --name, as a script would write it; packetdrill's -D NAME=VALUE is --define. */
static bool take_script_option(struct args *a, struct drills *t)
{
	bool defines = args_is(a, "-D");
	const char *name = defines ? "--define" : a->name;
	char problem[DRILL_PROBLEM_MAX], *text;
	size_t len;

	if (defines && !args_value(a))
		return false;
	len = strlen(name) + (a->value ? strlen(a->value) : 0) + 2;
	text = malloc(len);
	if (!text)
		abort();
	snprintf(text, len, "%s%s%s", name, a->value ? "=" : "", a->value ? a->value : "");
	t->script_options[t->n_script_options++] = text;
	if (drill_option_is_right(text, problem))
		return true;
	args_error(a, "%s: '%s': %s", a->name, a->value ? a->value : "", problem);
	return false;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct drills *t = ctx;

	if (args_is(a, "--verbose") || args_is(a, "-v"))
		return args_taken(t->options.verbose = true);
	if (args_is(a, "--profile"))
		return args_taken(take_profile(a, t));
	if (args_is(a, "--any-option-order"))
		return args_taken(t->options.any_option_order = true);
	if (args_is(a, "--allow-shell")) {
		t->options.shell = run_shell;
		return TAKEN;
	}
	if (args_is(a, "--ladder"))
		return args_taken(t->ladder = true);
	if (args_is(a, "--times"))
		return args_taken(t->times = true);
	if (args_is(a, "-j") || args_is(a, "--jobs"))
		return args_taken(take_at_once(a, t));
	if (args_is(a, "-D") || drill_is_script_option(a->name))
		return args_taken(take_script_option(a, t));
	return UNKNOWN;
}

int cmd_drill(int argc, char **argv)
{
	struct args a = args_of("tern drill", argc, argv);
	struct drills t = { .at_once = 1,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .job_done = PTHREAD_COND_INITIALIZER };
	int code;

	t.script_options = calloc((size_t)argc + 1, sizeof(*t.script_options));
	if (!t.script_options)
		abort();
	t.options.script_options = t.script_options;
	code = args_read(&a, print_help, take_option, &t);
	if (code < 0 && a.n_words == 0)
		code = args_error(&a, "no script is named");
	if (code < 0) {
		for (int i = 0; i < a.n_words; i++)
			add_path(&t, a.word[i], 0);
		run_all(&t);
		code = count_all(&t);
	}
	for (int i = 0; i < t.n_script_options; i++)
		free((char *)t.script_options[i]);
	free(t.script_options);
	return code;
}
