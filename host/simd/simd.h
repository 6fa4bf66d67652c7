/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simd.h - vector checksums for tern_env.sum and tern_env.copy_sum, chosen at run time.
 */
#ifndef TERN_SIMD_H
#define TERN_SIMD_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t (*simd_sum_fn)(const void *, size_t, uint32_t);
typedef uint32_t (*simd_copy_sum_fn)(void *, const void *, size_t, uint32_t);

/* The fastest that this processor has; NULL: the portable ones are as good. */
simd_sum_fn simd_sum(void);
simd_copy_sum_fn simd_copy_sum(void);

#endif
