/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draws.h - calls that a seed draws: see draws.c.
 */
#ifndef TERN_TEST_TWIN_DRAWS_H
#define TERN_TEST_TWIN_DRAWS_H

#include <stdint.h>

/* Says sixty calls and what each gave. */
void draw_calls(uint64_t seed);

#endif
