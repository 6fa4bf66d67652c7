/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waiting.h - TIME-WAIT in the bench's rows of connections, the same in both stacks.
 *
 * Each connection waits for 2 MSL in a record, at any moment so many of them: lwIP looks through
 * all of them for each segment. Once as RFC 9293 has it, and once briefly.
 */
#ifndef BENCH_WAITING_H
#define BENCH_WAITING_H

#define LONG_WAIT_MS 60000
#define LONG_N_WAITING 12000
#define BRIEF_WAIT_MS 200
#define BRIEF_N_WAITING 100

#endif
