/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posix_twin_test.c - small socket programs, compiled for the kernel and for tern's POSIX layer: what
 * they say must be equal. The kernel is the oracle. Both have the loopback only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { OUTPUT_MAX = 65536, SECONDS = 20 };

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fflush(stdout);
}

/* A result as a number, or the name of its error. */
static const char *told(long long result)
{
	static char text[4][40];
	static int at;
	char *t = text[at = (at + 1) % 4];

	if (result < 0)
		snprintf(t, 40, "%s", strerrorname_np(errno));
	else
		snprintf(t, 40, "%lld", result);
	return t;
}

#define SIDE(name) name##_kernel
#include "bodies.h"
#undef SIDE

/* Runs a program as a process of its own; what it said. */
static void output_of(void (*body)(void), char *out)
{
	int ends[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) != 0 || (child = fork()) < 0) {
		snprintf(out, OUTPUT_MAX, "fork");
		return;
	}
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		alarm(SECONDS);
		body();
		_exit(0);
	}
	close(ends[1]);
	while (len < OUTPUT_MAX - 100 && (n = read(ends[0], out + len, OUTPUT_MAX - 100 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	waitpid(child, &status, 0);
	out[len] = 0;
	if (status)
		snprintf(out + len, 100, "ended with %#x\n", (unsigned)status);
}

static void compare(const char *name, void (*kernel)(void), void (*tern)(void))
{
	static char want[OUTPUT_MAX], got[OUTPUT_MAX];

	test_at("%s", name);
	output_of(kernel, want);
	output_of(tern, got);
	if (strcmp(want, got) != 0)
		test_fail(__FILE__, __LINE__, "on the kernel:\n%s\non tern:\n%s\n", want, got);
	check(want[0] != 0 && strstr(want, "ended with") == NULL);
}

#include "../../include/tern_posix_map.h"
#define SIDE(name) name##_tern
#include "bodies.h"
#undef SIDE

#define PROGRAMS(X)                                                                                \
	X(a_fresh_socket)                                                                          \
	X(talks_and_closes)                                                                        \
	X(is_refused)                                                                              \
	X(connects_in_the_background)                                                              \
	X(accepts)                                                                                 \
	X(reads_as_it_is_told)                                                                     \
	X(is_reset)                                                                                \
	X(fills_up)                                                                                \
	X(copies_numbers)                                                                          \
	X(moves_datagrams)                                                                         \
	X(watches_with_epoll)                                                                      \
	X(selects)                                                                                 \
	X(hears_signals)                                                                           \
	X(shares_with_threads)                                                                     \
	X(sets_options)                                                                            \
	X(brings_controls)

#define DEFINE(name)                                                                               \
	static void name(void)                                                                     \
	{                                                                                          \
		compare(#name, name##_kernel, name##_tern);                                        \
	}
PROGRAMS(DEFINE)

#define LIST(name) TEST(name),
static const struct test tests[] = { PROGRAMS(LIST) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
