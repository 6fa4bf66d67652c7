/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic_fixture.h - a connection that sends under CUBIC, for the tests of core/cc/cubic.c.
 *
 * Its window is always full and its RTT what the test says; segments are mostly of 1000 bytes.
 */
#ifndef TERN_CUBIC_FIXTURE_H
#define TERN_CUBIC_FIXTURE_H

#include "../../core/cc/cc.h"
#include "test.h"

struct sender {
	struct tern_cc cc;
	uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];
	tern_time now, rtt;
	tern_time unheard_at; /* of an ACK while the window was not full */
};

static inline void begin(struct sender *x, uint32_t mss, uint32_t segments)
{
	*x = (struct sender){ .now = 1000 * TERN_SEC, .rtt = 100 * TERN_MS };
	memset(x->state, 0xee, sizeof(x->state));
	cc_init(&x->cc, &cc_cubic, mss, segments);
	cc_set_state(&x->cc, x->state);
}

static inline void ack(struct sender *x, uint32_t acked)
{
	struct tern_cc_sample s = { .now = x->now,
				    .rtt = x->rtt,
				    .srtt = x->rtt,
				    .in_flight = x->cc.cwnd,
				    .unheard_at = x->unheard_at,
				    .acked = acked,
				    .cwnd_limited = true };

	x->cc.ops->on_ack(&x->cc, &s);
}

static inline void lose(struct sender *x)
{
	struct tern_cc_sample s = { .now = x->now,
				    .in_flight = x->cc.cwnd,
				    .unheard_at = x->unheard_at };

	x->cc.ops->on_congestion(&x->cc, &s);
	x->cc.cwnd = x->cc.ssthresh;
}

static inline void time_out(struct sender *x, bool again)
{
	struct tern_cc_sample s = {
		.now = x->now, .in_flight = x->cc.cwnd, .again = again, .unheard_at = x->unheard_at
	};

	x->cc.ops->on_rto(&x->cc, &s);
}

/* A window is acknowledged in 16 parts; how many bytes it was. */
static inline uint32_t round_trip(struct sender *x)
{
	uint32_t window = x->cc.cwnd;

	for (unsigned i = 0; i < 16; i++) {
		x->now += x->rtt / 16;
		ack(x, window / 16);
	}
	return window;
}

/* In congestion avoidance, with this window, and a loss just now. */
static inline void begin_at_loss(struct sender *x, uint32_t segments, tern_time rtt)
{
	begin(x, 1000, 10);
	x->rtt = rtt;
	x->cc.cwnd = segments * 1000;
	lose(x);
	ack(x, 0); /* the stage begins */
}

/* The window when so much time has passed from now. */
static inline double window_after(struct sender *x, double seconds)
{
	tern_time end = x->now + (tern_time)(seconds * 1e9);

	while (x->now < end)
		round_trip(x);
	return x->cc.cwnd / 1000.0;
}

#endif
