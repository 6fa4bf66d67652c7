/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get_output.h - where tern get puts what it fetches: a file, or standard output.
 *
 * Until something comes that belongs there a file stays as it is, and one that is not there is not
 * made.
 */
#ifndef TERN_CMD_GET_OUTPUT_H
#define TERN_CMD_GET_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct get_output {
	char name[PATH_MAX];
	FILE *file;   /* NULL: it is not there yet */
	uint64_t had; /* bytes that were there already and are not fetched again */
};

/* Each: false, and errno, when it cannot be. */

/* Finds the file that is named, or sees whether it can be made. */
bool get_output_find(struct get_output *, bool resume);
/* Something begins to come: behind what the file had, or in place of it. */
bool get_output_begin(struct get_output *, bool behind);
/* All has come, or no more will. */
bool get_output_end(struct get_output *);

#endif
