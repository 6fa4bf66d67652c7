/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * differences.h - where the twins do not say what they say on the kernel, one by one, and why.
 *
 * doc/LIMITATIONS.md repeats each reason. twin_test.c checks that it does, and that each row still
 * differs; rows that are `pointless` are not run on their side.
 */
#ifndef TERN_TEST_TWIN_DIFFERENCES_H
#define TERN_TEST_TWIN_DIFFERENCES_H

enum side { ON_KERNEL, ON_POSIX, ON_RUN, N_SIDES };

struct difference {
	const char *program;
	enum side side;
	bool pointless;
	const char *why;
};

#define FORK "after fork the child's copies of sockets are dead"

static const struct difference differences[] = {
	{ "passes_a_socket", ON_POSIX, true, "a socket cannot be passed to another process" },
};

#endif
