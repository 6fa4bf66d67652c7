/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weather.c - what does the weather do to a frame?
 *
 * The sender is a transmitter of a certain rate with a queue of bytes before it; `free_at` says
 * how far the queue reaches into the future, which is all that is known of it: bytes and time are
 * the same thing at one rate. Behind the transmitter come propagation, jitter and the faults.
 *
 * Integers only, and every random choice is drawn from the link's own stream in a fixed order, so
 * that one seed gives one weather everywhere. A probability of zero draws nothing.
 */
#include "link.h"

enum { MILLION = 1000000 };

static const uint64_t queue_default = 256 * 1024;
static const uint64_t queue_max = 1 << 30; /* so that its bits in nanoseconds fit 64 bits */
static const tern_time hold_min = TERN_MS;

static bool happens(struct rand *r, uint32_t ppm)
{
	return ppm != 0 && rand_below(r, MILLION) < ppm;
}

/* How long the transmitter takes for so many bytes. */
static tern_time time_to_send(uint64_t bytes, uint64_t rate_bps)
{
	return rate_bps ? bytes * 8 * TERN_SEC / rate_bps : 0;
}

static bool queue_has_room(const struct link *l, tern_time now, uint32_t len)
{
	const struct tern_weather *w = &l->weather;
	uint64_t bytes = MIN(w->queue_bytes ? w->queue_bytes : queue_default, queue_max);
	tern_time waiting = l->free_at > now ? l->free_at - now : 0;

	if (waiting == 0 || w->rate_bps == 0) /* an idle transmitter takes a frame of any size */
		return true;
	return waiting + time_to_send(len, w->rate_bps) <= time_to_send(bytes, w->rate_bps);
}

/* The instant of arrival in order: jitter delays, but a frame never passes the one before it. */
static tern_time arrival(struct link *l)
{
	const struct tern_weather *w = &l->weather;
	tern_time jitter = w->jitter ? rand_below(&l->rand, w->jitter + 1) : 0;

	return MAX(l->free_at + w->delay + jitter, l->last_due);
}

struct link_fate link_decide(struct link *l, tern_time now, uint32_t len)
{
	const struct tern_weather *w = &l->weather;
	struct link_fate fate = { .lost = NULL };
	tern_time hold = MAX(w->delay + w->jitter, hold_min);
	tern_time waits = l->free_at > now ? l->free_at - now : 0;

	if (w->down)
		fate.lost = "down";
	else if (!queue_has_room(l, now, len))
		fate.lost = "queue";
	if (fate.lost)
		return fate;
	l->free_at = MAX(l->free_at, now) + time_to_send(len, w->rate_bps);
	if (happens(&l->rand, w->loss_ppm)) { /* lost on the way: it has used the transmitter */
		fate.lost = "loss";
		return fate;
	}
	if (w->black_hole && len > w->black_hole) {
		fate.lost = "black-hole";
		return fate;
	}
	fate.due = arrival(l);
	fate.held = happens(&l->rand, w->reorder_ppm);
	if (fate.held)
		fate.due += hold + rand_below(&l->rand, hold);
	else
		l->last_due = fate.due;
	fate.duplicated = happens(&l->rand, w->duplicate_ppm);
	fate.corrupted = len != 0 && happens(&l->rand, w->corrupt_ppm);
	if (fate.corrupted)
		fate.bit = (uint32_t)rand_below(&l->rand, (uint64_t)len * 8);
	fate.marked = happens(&l->rand, w->mark_ppm) || (w->mark_above && waits > w->mark_above);
	return fate;
}
