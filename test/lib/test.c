/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test.c - the runner behind test.h.
 */
#include "test.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../../include/tern.h"

static struct {
	const char *name, *skip;
	unsigned n_failures; /* of the running function */
	char at[160];
} running;

enum { FAILURES_SHOWN = 10 };

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list ap;

	if (++running.n_failures > FAILURES_SHOWN)
		return;
	printf("%s:%d: %s%s%s: ", file, line, running.name, running.at[0] ? ", at " : "",
	       running.at);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

void test_skip(const char *why)
{
	running.skip = why;
}

void test_at(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(running.at, sizeof(running.at), format, ap);
	va_end(ap);
}

void test_eq(const char *file, int line, const char *a_text, long long a, const char *b_text,
	     long long b)
{
	if (a != b)
		test_fail(file, line, "%s is %lld, not %s = %lld", a_text, a, b_text, b);
}

void test_str(const char *file, int line, const char *text, const char *got, const char *want)
{
	if (!got || !want || strcmp(got, want) != 0)
		test_fail(file, line, "%s is \"%s\", not \"%s\"", text, got ? got : "(null)",
			  want ? want : "(null)");
}

void test_mem(const char *file, int line, const char *text, const void *got, const void *want,
	      size_t len)
{
	const uint8_t *g = got, *w = want;

	for (size_t i = 0; i < len; i++) {
		if (g[i] != w[i]) {
			test_fail(file, line, "%s differs at byte %zu: %02x, not %02x", text, i,
				  g[i], w[i]);
			return;
		}
	}
}

static bool is_selected(int argc, char **argv, const char *name)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return false;
}

int test_main(int argc, char **argv, const struct test *tests, size_t n)
{
	unsigned n_passed = 0, n_failed = 0, n_skipped = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < n; i++) {
		if (!is_selected(argc, argv, tests[i].name))
			continue;
		memset(&running, 0, sizeof(running));
		running.name = tests[i].name;
		tests[i].run();
		if (running.n_failures > FAILURES_SHOWN)
			printf("%s: %u more\n", running.name, running.n_failures - FAILURES_SHOWN);
		if (running.skip) {
			printf("skipped: %s: %s\n", running.name, running.skip);
			n_skipped++;
		} else if (running.n_failures) {
			n_failed++;
		} else {
			n_passed++;
		}
	}
	printf("%u passed, %u failed, %u skipped\n", n_passed, n_failed, n_skipped);
	return n_failed || n_passed + n_skipped == 0 ? 1 : 0;
}

static void *env_alloc(void *ctx, size_t size)
{
	struct test_env *e = ctx;
	void *ptr;

	if (++e->n_allocs == e->fail_at)
		return NULL;
	ptr = malloc(size);
	if (!ptr)
		abort();
	memset(ptr, e->fill, size);
	e->out += size;
	return ptr;
}

static void env_free(void *ctx, void *ptr, size_t size)
{
	struct test_env *e = ctx;

	e->out -= size;
	free(ptr);
}

struct tern_env test_env_make(struct test_env *e, uint64_t seed)
{
	struct tern_env env = { .alloc = env_alloc, .free = env_free, .ctx = e };

	for (unsigned i = 0; i < sizeof(env.seed); i++)
		env.seed[i] = (uint8_t)(seed >> 8 * (i % 8)) ^ (uint8_t)i;
	return env;
}
