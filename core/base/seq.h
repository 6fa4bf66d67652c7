/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seq.h - between 32-bit wire sequence numbers and 64-bit stream positions.
 *
 * A position is (1<<32) + ISN + n, n counted in sequence numbers: its low 32 bits are the wire
 * number, and old duplicates left of the ISN stay positive. Inside, "<" means less-than.
 */
#ifndef TERN_SEQ_H
#define TERN_SEQ_H

#include "base.h"

static inline uint64_t seq_first(uint32_t isn)
{
	return ((uint64_t)1 << 32) + isn;
}

/* The position nearest to `near` whose low 32 bits are seq. */
static inline uint64_t seq_unwrap(uint32_t seq, uint64_t near)
{
	return near + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)near);
}

#endif
