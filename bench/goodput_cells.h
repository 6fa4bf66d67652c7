/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * goodput_cells.h - the rows of bench/goodput.txt: for goodput.c alone.
 *
 * A row that is QUICK belongs to the subset. A group's rows differ in few columns; what a row does
 * not say is 0: no loss, no bursts, no reordering, one CUBIC flow, one seed.
 */
#ifndef GOODPUT_CELLS_H
#define GOODPUT_CELLS_H

#include <stdbool.h>
#include <stdint.h>

struct cell {
	bool quick; /* in the subset */
	uint32_t mbit, rtt_ms, queue_percent;
	uint32_t loss_ppm, burst, reorder_ppm;
	uint32_t n_cubic, n_reno, n_bbr; /* none of any: one CUBIC flow */
	uint32_t n_seeds;		 /* 0: one */
	uint32_t ecn;			 /* both ends' net.ipv4.tcp_ecn; 0: as it comes */
	uint32_t mark_ms;		 /* what waits longer is marked; 0: nothing */
};

enum { PERCENT = 10000, MILLE = 1000 };

#define PATH(mbit, rtt, queue) false, mbit, rtt, queue
#define QUICK_PATH(mbit, rtt, queue) true, mbit, rtt, queue
#define LOSS(ppm) .loss_ppm = (ppm)
#define BURST(k) .burst = (k)
#define REORDER(ppm) .reorder_ppm = (ppm)
#define FLOWS(cubic, reno) .n_cubic = (cubic), .n_reno = (reno)
#define BBR(n) .n_bbr = (n)
#define BESIDE(cubic, bbr) .n_cubic = (cubic), .n_bbr = (bbr)
#define SEEDS(n) .n_seeds = (n)
#define ECN(mode, ms) .ecn = (mode), .mark_ms = (ms)

static const struct cell cells[] = {
	/* one flow, no faults: rates, round trips, queues */
	{ QUICK_PATH(1, 1, 100), LOSS(0) },
	{ QUICK_PATH(1, 20, 100), LOSS(0) },
	{ QUICK_PATH(1, 100, 100), LOSS(0) },
	{ QUICK_PATH(1, 300, 100), LOSS(0) },
	{ QUICK_PATH(10, 1, 100), LOSS(0) },
	{ QUICK_PATH(10, 20, 100), LOSS(0) },
	{ QUICK_PATH(10, 100, 100), LOSS(0) },
	{ QUICK_PATH(10, 300, 100), LOSS(0) },
	{ PATH(100, 1, 100), LOSS(0) },
	{ QUICK_PATH(100, 20, 100), LOSS(0) },
	{ QUICK_PATH(100, 100, 100), LOSS(0) },
	{ QUICK_PATH(100, 300, 100), LOSS(0) },
	{ PATH(1000, 1, 100), LOSS(0) },
	{ PATH(1000, 20, 100), LOSS(0) },
	{ PATH(1000, 100, 100), LOSS(0) },
	{ PATH(1000, 300, 100), LOSS(0) },
	{ PATH(10000, 1, 100), LOSS(0) },
	{ PATH(10000, 20, 100), LOSS(0) },
	{ PATH(10000, 100, 100), LOSS(0) },
	{ QUICK_PATH(10000, 100, 400), LOSS(0) },

	{ QUICK_PATH(10, 20, 25), LOSS(0) },
	{ QUICK_PATH(10, 20, 400), LOSS(0) },
	{ QUICK_PATH(10, 100, 25), LOSS(0) },
	{ QUICK_PATH(10, 100, 400), LOSS(0) },
	{ PATH(10, 300, 25), LOSS(0) },
	{ PATH(10, 300, 400), LOSS(0) },
	{ QUICK_PATH(100, 20, 25), LOSS(0) },
	{ QUICK_PATH(100, 20, 400), LOSS(0) },
	{ PATH(100, 100, 25), LOSS(0) },
	{ PATH(100, 100, 400), LOSS(0) },
	{ PATH(100, 300, 25), LOSS(0) },
	{ PATH(100, 300, 400), LOSS(0) },
	{ PATH(1000, 20, 25), LOSS(0) },
	{ PATH(1000, 20, 400), LOSS(0) },
	{ PATH(1000, 100, 25), LOSS(0) },
	{ PATH(1000, 100, 400), LOSS(0) },

	/* one flow, random loss */
	{ QUICK_PATH(1, 100, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(1, 300, 100), LOSS(10 * PERCENT) },
	{ QUICK_PATH(10, 1, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(10, 20, 100), LOSS(1 * MILLE) },
	{ QUICK_PATH(10, 20, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(10, 20, 100), LOSS(3 * PERCENT) },
	{ QUICK_PATH(10, 20, 100), LOSS(10 * PERCENT) },
	{ QUICK_PATH(10, 100, 100), LOSS(1 * MILLE) },
	{ QUICK_PATH(10, 100, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(10, 100, 100), LOSS(3 * PERCENT) },
	{ QUICK_PATH(10, 100, 100), LOSS(10 * PERCENT) },
	{ QUICK_PATH(10, 300, 100), LOSS(1 * PERCENT) },
	{ PATH(100, 1, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(100, 20, 100), LOSS(1 * MILLE) },
	{ QUICK_PATH(100, 20, 100), LOSS(1 * PERCENT) },
	{ QUICK_PATH(100, 20, 100), LOSS(3 * PERCENT) },
	{ QUICK_PATH(100, 20, 100), LOSS(10 * PERCENT) },
	{ PATH(100, 100, 100), LOSS(1 * MILLE) },
	{ PATH(100, 100, 100), LOSS(1 * PERCENT) },
	{ PATH(100, 100, 100), LOSS(3 * PERCENT) },
	{ PATH(100, 100, 100), LOSS(10 * PERCENT) },
	{ PATH(100, 300, 100), LOSS(1 * PERCENT) },
	{ PATH(1000, 1, 100), LOSS(1 * PERCENT) },
	{ PATH(1000, 20, 100), LOSS(1 * MILLE) },
	{ PATH(1000, 20, 100), LOSS(1 * PERCENT) },
	{ PATH(1000, 100, 100), LOSS(1 * MILLE) },
	{ PATH(1000, 100, 100), LOSS(1 * PERCENT) },
	{ PATH(10000, 20, 100), LOSS(1 * MILLE) },

	/* one Reno flow: what the formulas of random loss speak of */
	{ QUICK_PATH(100, 20, 100), LOSS(1 * MILLE), FLOWS(0, 1) },
	{ QUICK_PATH(100, 20, 100), LOSS(1 * PERCENT), FLOWS(0, 1) },
	{ QUICK_PATH(10, 20, 100), FLOWS(0, 1) },
	{ PATH(100, 20, 100), FLOWS(0, 1) },

	/* one flow, loss in bursts */
	{ QUICK_PATH(10, 20, 100), BURST(3) },
	{ QUICK_PATH(10, 20, 100), BURST(10) },
	{ QUICK_PATH(10, 20, 100), BURST(30) },
	{ QUICK_PATH(10, 100, 100), BURST(3) },
	{ QUICK_PATH(10, 100, 100), BURST(10) },
	{ QUICK_PATH(10, 100, 100), BURST(30) },
	{ QUICK_PATH(100, 20, 100), BURST(3) },
	{ QUICK_PATH(100, 20, 100), BURST(10) },
	{ QUICK_PATH(100, 20, 100), BURST(30) },
	{ PATH(100, 100, 100), BURST(3) },
	{ PATH(100, 100, 100), BURST(10) },
	{ PATH(100, 100, 100), BURST(30) },

	/* one flow, reordering */
	{ QUICK_PATH(10, 20, 100), REORDER(1 * PERCENT) },
	{ QUICK_PATH(10, 20, 100), REORDER(5 * PERCENT) },
	{ QUICK_PATH(10, 100, 100), REORDER(1 * PERCENT) },
	{ QUICK_PATH(10, 100, 100), REORDER(5 * PERCENT) },
	{ QUICK_PATH(100, 20, 100), REORDER(1 * PERCENT) },
	{ QUICK_PATH(100, 20, 100), REORDER(5 * PERCENT) },
	{ PATH(100, 100, 100), REORDER(1 * PERCENT), SEEDS(5) },
	{ PATH(100, 100, 100), REORDER(5 * PERCENT), SEEDS(5) },
	{ QUICK_PATH(100, 20, 100), LOSS(1 * PERCENT), REORDER(1 * PERCENT) },

	/* many CUBIC flows with one round trip */
	{ QUICK_PATH(10, 20, 100), FLOWS(2, 0), SEEDS(5) },
	{ QUICK_PATH(20, 20, 100), FLOWS(8, 0), SEEDS(5) },
	{ QUICK_PATH(20, 100, 100), FLOWS(2, 0), SEEDS(5) },
	{ PATH(20, 100, 100), FLOWS(8, 0), SEEDS(5) },
	{ PATH(20, 100, 100), FLOWS(32, 0), SEEDS(5) },
	{ PATH(100, 20, 100), FLOWS(2, 0), SEEDS(5) },
	{ PATH(100, 20, 100), FLOWS(8, 0), SEEDS(5) },
	{ PATH(100, 20, 100), FLOWS(32, 0), SEEDS(5) },
	{ PATH(100, 100, 100), FLOWS(2, 0), SEEDS(5) },
	{ PATH(100, 100, 100), FLOWS(8, 0), SEEDS(5) },
	{ PATH(100, 100, 100), FLOWS(32, 0), SEEDS(5) },
	{ PATH(100, 20, 25), FLOWS(8, 0), SEEDS(5) },
	{ PATH(100, 20, 400), FLOWS(8, 0), SEEDS(5) },
	{ PATH(1000, 20, 100), FLOWS(32, 0), SEEDS(1) },

	/* CUBIC beside Reno */
	{ QUICK_PATH(10, 20, 100), FLOWS(1, 1), SEEDS(5) },
	{ QUICK_PATH(10, 100, 100), FLOWS(1, 1), SEEDS(5) },
	{ PATH(100, 20, 100), FLOWS(1, 1), SEEDS(5) },
	{ PATH(100, 20, 100), FLOWS(4, 4), SEEDS(5) },
	{ PATH(100, 100, 100), FLOWS(1, 1), SEEDS(5) },
	{ PATH(100, 100, 100), FLOWS(4, 4), SEEDS(5) },

	/* ECN (1) and Accurate ECN (3), and a link that marks instead of filling its queue */
	{ QUICK_PATH(10, 20, 400), ECN(1, 10) },
	{ QUICK_PATH(10, 20, 400), ECN(3, 10) },
	{ QUICK_PATH(10, 100, 100), ECN(1, 40) },
	{ QUICK_PATH(10, 100, 100), ECN(3, 40) },
	{ QUICK_PATH(10, 20, 400), FLOWS(4, 0), ECN(1, 10) },
	{ QUICK_PATH(10, 20, 400), FLOWS(4, 0), ECN(3, 10) },
	{ QUICK_PATH(10, 20, 400), LOSS(1 * MILLE), ECN(3, 10) },
	{ PATH(100, 20, 400), ECN(1, 10) },
	{ PATH(100, 20, 400), ECN(3, 10) },
	{ PATH(100, 100, 100), ECN(3, 50) },
};

static const struct cell bbr_cells[] = {
	/* one flow, no faults: rates, round trips, queues */
	{ QUICK_PATH(1, 1, 100), BBR(1) },
	{ QUICK_PATH(1, 20, 100), BBR(1) },
	{ QUICK_PATH(1, 100, 100), BBR(1) },
	{ PATH(1, 300, 100), BBR(1) },
	{ PATH(10, 1, 100), BBR(1) },
	{ QUICK_PATH(10, 20, 100), BBR(1) },
	{ QUICK_PATH(10, 100, 100), BBR(1) },
	{ PATH(10, 300, 100), BBR(1) },
	{ PATH(100, 1, 100), BBR(1) },
	{ PATH(100, 20, 100), BBR(1) },
	{ PATH(100, 100, 100), BBR(1) },
	{ PATH(100, 300, 100), BBR(1) },
	{ PATH(1000, 1, 100), BBR(1) },
	{ PATH(1000, 20, 100), BBR(1) },
	{ PATH(1000, 100, 100), BBR(1) },
	{ PATH(1000, 300, 100), BBR(1) },
	{ PATH(10000, 1, 100), BBR(1) },
	{ PATH(10000, 20, 100), BBR(1) },
	{ PATH(10000, 100, 100), BBR(1) },

	{ QUICK_PATH(10, 20, 25), BBR(1) },
	{ QUICK_PATH(10, 20, 400), BBR(1) },
	{ PATH(10, 100, 25), BBR(1) },
	{ QUICK_PATH(10, 100, 400), BBR(1) },
	{ PATH(100, 20, 25), BBR(1) },
	{ PATH(100, 20, 400), BBR(1) },
	{ PATH(100, 100, 25), BBR(1) },
	{ PATH(100, 100, 400), BBR(1) },
	{ PATH(1000, 20, 25), BBR(1) },
	{ PATH(1000, 20, 400), BBR(1) },

	/* one flow, random loss */
	{ QUICK_PATH(1, 100, 100), LOSS(1 * PERCENT), BBR(1) },
	{ QUICK_PATH(10, 20, 100), LOSS(1 * MILLE), BBR(1) },
	{ QUICK_PATH(10, 20, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(10, 20, 100), LOSS(3 * PERCENT), BBR(1) },
	{ PATH(10, 20, 100), LOSS(10 * PERCENT), BBR(1) },
	{ QUICK_PATH(10, 100, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(10, 100, 100), LOSS(3 * PERCENT), BBR(1) },
	{ PATH(10, 100, 100), LOSS(10 * PERCENT), BBR(1) },
	{ PATH(10, 300, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(100, 20, 100), LOSS(1 * MILLE), BBR(1) },
	{ PATH(100, 20, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(100, 20, 100), LOSS(3 * PERCENT), BBR(1) },
	{ PATH(100, 20, 100), LOSS(10 * PERCENT), BBR(1) },
	{ PATH(100, 100, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(100, 300, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(1000, 20, 100), LOSS(1 * PERCENT), BBR(1) },
	{ PATH(1000, 100, 100), LOSS(1 * PERCENT), BBR(1) },

	/* one flow, loss in bursts, reordering */
	{ PATH(10, 20, 100), BURST(10), BBR(1) },
	{ PATH(100, 20, 100), BURST(10), BBR(1) },
	{ QUICK_PATH(10, 20, 100), REORDER(1 * PERCENT), BBR(1) },
	{ PATH(100, 20, 100), REORDER(1 * PERCENT), BBR(1) },

	/* several BBR flows, and BBR beside CUBIC */
	{ QUICK_PATH(10, 20, 100), BBR(2), SEEDS(3) },
	{ PATH(100, 20, 100), BBR(2), SEEDS(3) },
	{ PATH(100, 20, 100), BBR(8), SEEDS(3) },
	{ QUICK_PATH(10, 20, 100), BESIDE(1, 1), SEEDS(3) },
	{ PATH(10, 20, 400), BESIDE(1, 1), SEEDS(3) },
	{ PATH(100, 20, 25), BESIDE(1, 1), SEEDS(3) },
	{ PATH(100, 20, 100), BESIDE(1, 1), SEEDS(3) },
	{ PATH(100, 20, 400), BESIDE(1, 1), SEEDS(3) },
	{ PATH(100, 20, 100), BESIDE(4, 4), SEEDS(3) },
};

#endif
