/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seeds.h - the command line of programs that run seeds: PROGRAM [N [SEED]]. A failure names the make
 * target that repeats it; the last line is "N passed, M failed".
 */
#ifndef TERN_TEST_SEEDS_H
#define TERN_TEST_SEEDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_WHY_MAX = 200 };

/* run: false when the seed failed, with why. Returns the exit code. */
static inline int run_seeds(int argc, char **argv,
			    bool (*run)(uint64_t seed, char *why, size_t len), const char *target)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	unsigned long n_failed = 0;
	char why[SEEDS_WHY_MAX];

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned long i = 0; i < n; i++) {
		if (run(seed + i, why, sizeof(why)))
			continue;
		n_failed++;
		printf("seed %lu: %s; again: %s N=1 SEED=%lu\n", seed + i, why, target, seed + i);
	}
	printf("%lu passed, %lu failed\n", n - n_failed, n_failed);
	return n_failed ? 1 : 0;
}

#endif
