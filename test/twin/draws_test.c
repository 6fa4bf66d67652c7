/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draws_test.c - calls drawn from seeds (draws.c) give the same on the kernel and on the POSIX layer.
 *
 * usage: draws_test [N [SEED]]    odd seeds over IPv4, even ones over IPv6
 *
 * The programs mostly rest, so several run at once. A failure says the first call that differs.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side.h"

enum { AT_ONCE = 8, LINE_LEN = 200 };

enum side { ON_KERNEL, ON_POSIX, N_SIDES };
static const char *const side_name[N_SIDES] = { "the kernel", "the POSIX layer" };

static char place[PATH_LEN]; /* of this program, and of both others */
static char scratch[] = "/tmp/draws.XXXXXX";

static void path_of(char path[static PATH_LEN], unsigned long seed, enum side side)
{
	snprintf(path, PATH_LEN, "%s/%lu-%d", scratch, seed, (int)side);
}

static pid_t start(unsigned long seed, enum side side)
{
	char path[PATH_LEN], name[24];

	snprintf(name, sizeof(name), "=%lu", seed);
	path_of(path, seed, side);
	return start_side(place, side == ON_KERNEL, name, seed % 2 == 0, path);
}

/* true: both say the same. */
static bool compare(unsigned long seed)
{
	char path[PATH_LEN], line[N_SIDES][LINE_LEN];
	bool more = true, same = true;
	FILE *in[N_SIDES];

	for (int side = 0; side < N_SIDES; side++) {
		path_of(path, seed, side);
		in[side] = fopen(path, "r");
	}
	while (more && same && in[ON_KERNEL] && in[ON_POSIX]) {
		more = false;
		for (int side = 0; side < N_SIDES; side++) {
			line[side][0] = '\0';
			more = fgets(line[side], LINE_LEN, in[side]) || more;
		}
		same = strcmp(line[ON_KERNEL], line[ON_POSIX]) == 0;
	}
	same = same && in[ON_KERNEL] && in[ON_POSIX];
	if (!same)
		printf("seed %lu differs; again: make draws N=1 SEED=%lu\n", seed, seed);
	for (int side = 0; side < N_SIDES; side++) {
		if (!same && in[side])
			printf("  %s: %s\n", side_name[side], strtok(line[side], "\n"));
		if (in[side])
			fclose(in[side]);
		path_of(path, seed, side);
		unlink(path);
	}
	return same;
}

static unsigned long run_some(unsigned long seed, unsigned long n)
{
	pid_t pids[AT_ONCE][N_SIDES];
	unsigned long n_same = 0;

	for (unsigned long i = 0; i < n; i++)
		for (int side = 0; side < N_SIDES; side++)
			pids[i][side] = start(seed + i, side);
	for (unsigned long i = 0; i < n; i++) {
		bool well = wait_for_side(pids[i][ON_KERNEL]) == 0;

		well = wait_for_side(pids[i][ON_POSIX]) == 0 && well;
		if (!well)
			printf("seed %lu: a side died or took %d s\n", seed + i, SECONDS);
		n_same += compare(seed + i) && well;
	}
	return n_same;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	unsigned long n_passed = 0;

	if (!find_place(place) || !mkdtemp(scratch))
		return 2;
	for (unsigned long i = 0; i < n; i += AT_ONCE)
		n_passed += run_some(seed + i, n - i < AT_ONCE ? n - i : AT_ONCE);
	rmdir(scratch);
	printf("%lu passed, %lu failed, 0 skipped\n", n_passed, n - n_passed);
	return n_passed == n ? 0 : 1;
}
