/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin_test.c - the programs of test/twin say the same on the kernel, on the POSIX layer and under a
 * run of tern's. The kernel is the oracle.
 *
 * usage: twin_test [NAME...]    those whose names contain one of these
 *
 * Some workers share the list; each runs the three sides of a program at once: two processes, and a
 * run in the worker itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/dev/dev.h"
#include "../../host/loop/loop.h"
#include "../../host/run/run.h"
#include "differences.h"
#include "side.h"

enum { N_WORKERS = 3, PROGRAMS_MAX = 1000, OUTPUT_MAX = 65536 };

struct counts {
	unsigned passed, failed, skipped, differ, on[N_SIDES];
};

struct entry {
	char name[60];
	bool v6;
};

static struct entry entries[PROGRAMS_MAX];
static unsigned n_entries;
static bool other_machine;   /* there is no tern run */
static char place[PATH_LEN]; /* of this program, and of both others */
static char scratch[] = "/tmp/twins.XXXXXX";

/* A failure in one piece, because workers share the output. */
static char report[3 * OUTPUT_MAX];
static size_t report_len;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report_len +=
		(size_t)vsnprintf(report + report_len, sizeof(report) - report_len, format, ap);
	va_end(ap);
	if (report_len > sizeof(report) - 1)
		report_len = sizeof(report) - 1;
}

static void flush_report(void)
{
	ssize_t n = write(STDOUT_FILENO, report, report_len);

	(void)n;
	report_len = 0;
}

/* ---- one side ---- */

static void path_of(char *out, const struct entry *e, enum side side)
{
	static const char *const names[] = { "kernel", "posix", "run" };

	snprintf(out, PATH_LEN, "%s/%s.%d.%s", scratch, e->name, e->v6 ? 6 : 4, names[side]);
}

static void read_output(const struct entry *e, enum side side, char *out)
{
	char path[PATH_LEN];
	size_t n = 0;
	FILE *f;

	path_of(path, e, side);
	f = fopen(path, "r");
	if (f) {
		n = fread(out, 1, OUTPUT_MAX - 1, f);
		fclose(f);
		unlink(path);
	}
	out[n] = 0;
}

static pid_t start(const struct entry *e, enum side side)
{
	char path[PATH_LEN];

	path_of(path, e, side);
	return start_side(place, side == ON_KERNEL, e->name, e->v6, path);
}

static bool ended_well(pid_t pid)
{
	int status = wait_for_side(pid);

	if (status)
		tell("(it ended with %#x)\n", (unsigned)status);
	return status == 0;
}

static void turn(struct loop *l, struct run *r)
{
	tern_time until = loop_now() + SECONDS * TERN_SEC;

	while (!run_is_over(r) && loop_now() < until) {
		struct pollfd own = { run_fd(r), POLLIN, 0 };

		loop_pump(l);
		run_turn(r);
		loop_wait(l, run_deadline(r) < until ? run_deadline(r) : until, &own, 1);
	}
}

static bool run_on_tern(const struct entry *e)
{
	char program[PATH_LEN + 20], name[60], v[2] = { e->v6 ? '6' : '4', 0 }, path[PATH_LEN];
	char *argv[] = { program, name, v, path, NULL };
	struct run_wish wish = { .argv = argv };
	struct tern_config cfg;
	struct loop l;
	struct run *r;
	int status = -1;
	bool good = false;

	snprintf(program, sizeof(program), "%s/twin_plain", place);
	snprintf(name, sizeof(name), "%s", e->name);
	path_of(path, e, ON_RUN);
	loop_init(&l);
	tern_config_default(&cfg);
	r = run_start(loop_new_stack(&l, &cfg, NULL, NULL), &wish);
	if (r) {
		turn(&l, r);
		good = run_is_over(r) && run_exited(r, &status) && status == 0 &&
		       run_counts(r).on_kernel == 0;
		if (!good)
			tell("(over %d, status %#x, %llu sockets on the kernel)\n", run_is_over(r),
			     (unsigned)status, (unsigned long long)run_counts(r).on_kernel);
		run_free(r);
		tern_check(l.stack[0]);
	} else {
		tell("%s\n", wish.error);
	}
	loop_fini(&l);
	return good;
}

/* ---- comparing ---- */

static const struct difference *difference_of(const struct entry *e, enum side side)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *d = &differences[i];

		if (d->side == side && strcmp(d->program, e->name) == 0 &&
		    (!d->version || d->version == (e->v6 ? 6 : 4)))
			return d;
	}
	return NULL;
}

/* From the first line that differs. */
static void tell_lines(const char *side, const char *text, size_t same)
{
	while (same > 0 && text[same - 1] != '\n')
		same--;
	tell("  %s, from line %zu:\n%.1500s\n", side, same, text + same);
}

static bool compare(const struct entry *e, enum side side, const char *want, const char *got)
{
	bool listed = difference_of(e, side) != NULL, equal = strcmp(want, got) == 0;
	const char *name = side == ON_POSIX ? "the POSIX layer" : "tern run";
	size_t same = 0;

	if (equal != listed)
		return true;
	tell("%s, IPv%d: %s\n", e->name, e->v6 ? 6 : 4,
	     listed ? "differs no longer, though it is listed" : "differs");
	while (want[same] && want[same] == got[same])
		same++;
	tell_lines("the kernel", want, same);
	tell_lines(name, got, same);
	return false;
}

static bool is_run(const struct entry *e, enum side side)
{
	const struct difference *d = difference_of(e, side);

	return (!d || d->how != NOT_RUN) && (side != ON_RUN || !other_machine);
}

static void run_all_sides(const struct entry *e, struct counts *c)
{
	static char want[OUTPUT_MAX], got[N_SIDES][OUTPUT_MAX];
	bool runs[N_SIDES] = { true, is_run(e, ON_POSIX), is_run(e, ON_RUN) };
	pid_t kernel = start(e, ON_KERNEL), posix = runs[ON_POSIX] ? start(e, ON_POSIX) : 0;
	bool good = true;

	if (runs[ON_RUN])
		good = run_on_tern(e);
	good = ended_well(kernel) && good;
	if (runs[ON_POSIX])
		good = ended_well(posix) && good;
	if (!good)
		tell("%s, IPv%d: did not end well\n", e->name, e->v6 ? 6 : 4);
	read_output(e, ON_KERNEL, want);
	if (!want[0])
		tell("%s: says nothing on the kernel\n", e->name);
	for (enum side side = ON_POSIX; side <= ON_RUN; side++) {
		if (!runs[side])
			continue;
		read_output(e, side, got[side]);
		good = compare(e, side, want, got[side]) && good;
		c->on[side]++;
		c->differ += difference_of(e, side) != NULL;
	}
	if (good && want[0])
		c->passed++;
	else
		c->failed++;
	flush_report();
}

/* ---- the list ---- */

static bool is_selected(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool good = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(fd);
	return good;
}

static unsigned read_list(int argc, char **argv)
{
	char command[PATH_LEN + 30], name[60], versions[3];
	unsigned n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s/twin_plain' --list", place);
	f = popen(command, "r");
	while (f && fscanf(f, "%59s %2s", name, versions) == 2) {
		if (!is_selected(argc, argv, name))
			continue;
		n++;
		for (const char *v = versions; *v; v++) {
			if (n_entries == PROGRAMS_MAX)
				abort();
			snprintf(entries[n_entries].name, sizeof(name), "%s", name);
			entries[n_entries++].v6 = *v == '6';
		}
	}
	if (f)
		pclose(f);
	return n;
}

/* ---- the differences are told ---- */

/* Its words, with one blank between two. */
static char *read_words(const char *path)
{
	static char text[100000];
	FILE *f = fopen(path, "r");
	size_t n = 0;
	int c;

	while (f && n < sizeof(text) - 1 && (c = fgetc(f)) != EOF) {
		c = c == '\n' ? ' ' : c;
		if (c != ' ' || n == 0 || text[n - 1] != ' ')
			text[n++] = (char)c;
	}
	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

/* Each reason stands in the list of limitations, word for word, however its lines are broken. */
static void check_told(struct counts *c)
{
	const char *text = read_words("doc/LIMITATIONS.md");

	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (!strstr(text, differences[i].why)) {
			tell("%s: doc/LIMITATIONS.md does not say: %s\n", differences[i].program,
			     differences[i].why);
			c->failed++;
		}
	flush_report();
}

/* ---- workers ---- */

static int start_worker(unsigned w, bool v6)
{
	struct counts c = { 0 };
	int ends[2];

	if (pipe(ends) != 0)
		abort();
	if (fork()) {
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	for (unsigned i = w; i < n_entries; i += N_WORKERS) {
		if (entries[i].v6 && !v6)
			c.skipped++;
		else
			run_all_sides(&entries[i], &c);
	}
	_exit(write(ends[1], &c, sizeof(c)) == sizeof(c) ? 0 : 1);
}

static void add(struct counts *sum, const struct counts *c)
{
	sum->passed += c->passed;
	sum->failed += c->failed;
	sum->skipped += c->skipped;
	sum->differ += c->differ;
	for (int i = 0; i < N_SIDES; i++)
		sum->on[i] += c->on[i];
}

int main(int argc, char **argv)
{
	struct counts sum = { 0 }, c;
	bool v6 = has_ipv6();
	int worker[N_WORKERS];
	unsigned n;

	if (!find_place(place) || !mkdtemp(scratch))
		return 2;
	n = read_list(argc, argv);
	other_machine = run_probe() == RUN_PROBE_OTHER_MACHINE;
	check_told(&sum);
	for (unsigned w = 0; w < N_WORKERS; w++)
		worker[w] = start_worker(w, v6);
	for (unsigned w = 0; w < N_WORKERS; w++) {
		if (read(worker[w], &c, sizeof(c)) != sizeof(c))
			c = (struct counts){ .failed = 1 };
		add(&sum, &c);
	}
	rmdir(scratch);
	if (sum.skipped)
		printf("skipped: IPv6: the kernel's loopback has no ::1\n");
	if (other_machine && ++sum.skipped)
		printf("skipped: no tern run on this machine\n");
	printf("%u twins, %u runs beside the kernel on the POSIX layer, %u under tern run; %u of "
	       "these are listed differences\n",
	       n, sum.on[ON_POSIX], sum.on[ON_RUN], sum.differ);
	printf("%u passed, %u failed, %u skipped\n", sum.passed, sum.failed, sum.skipped);
	return sum.failed || n == 0 ? 1 : 0;
}
