/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test.h - a test program is a table of named functions; each failed check says where and why.
 *
 *	static void merges_neighbours(void) { check_eq(a, b); check(x < y); }
 *	static const struct test tests[] = { TEST(merges_neighbours), ... };
 *	int main(int argc, char **argv) { return test_main(argc, argv, tests, N_TESTS(tests)); }
 *
 * The program prints one line for each failed check and, at the end, "N passed, N failed,
 * N skipped" over its functions; arguments select functions by substring. Exit 1 when one failed.
 */
#ifndef TERN_TEST_H
#define TERN_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(fn)                                                                                   \
	{                                                                                          \
#fn, fn                                                                            \
	}
#define N_TESTS(tests) (sizeof(tests) / sizeof((tests)[0]))

int test_main(int argc, char **argv, const struct test *, size_t n);

/* The running function failed: prints like printf, counts, goes on. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The running function cannot be carried out here. */
void test_skip(const char *why);
/* What the running function is at, printed with its failures (a case of a table, a seed). */
void test_at(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define check(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "%s", #cond))
#define check_eq(a, b) test_eq(__FILE__, __LINE__, #a, (long long)(a), #b, (long long)(b))
#define check_str(a, b) test_str(__FILE__, __LINE__, #a, (a), (b))
#define check_mem(a, b, len) test_mem(__FILE__, __LINE__, #a, (a), (b), (len))

void test_eq(const char *file, int line, const char *a_text, long long a, const char *b_text,
	     long long b);
void test_str(const char *file, int line, const char *text, const char *got, const char *want);
void test_mem(const char *file, int line, const char *text, const void *got, const void *want,
	      size_t len);

/* An environment over malloc that counts: bytes out must be 0 at the end. */
struct tern_env;
struct test_env {
	uint64_t out;	   /* bytes allocated now */
	uint64_t n_allocs; /* calls so far */
	uint64_t fail_at;  /* the n-th call fails; 0: none */
	uint8_t fill;	   /* what fresh memory holds */
};
struct tern_env test_env_make(struct test_env *, uint64_t seed);

#endif
