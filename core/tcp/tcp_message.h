/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_message.h - a segment with little to say, where nothing else is going on.
 *
 * Requests and answers are such segments, and what is done for them is most of what a packet costs.
 * These are short ways: what they do is what tcp_output and tcp_input would, by the same rules, and
 * where that is not known beforehand they say so and do nothing.
 */
#ifndef TERN_TCP_MESSAGE_H
#define TERN_TCP_MESSAGE_H

#include "tcp.h"

/* Established, and neither repair nor probe, neither end nor mark: text and ACKs, as mostly. */
static inline bool tcp_is_calm(const struct tcp *c)
{
	return c->unusual == 0;
}

/*
 * Is there text that never went, a segment at most, which all windows have room for, and nothing
 * unusual? Then that is the plan; else the rules are asked (tcp_plan.c).
 */
bool tcp_has_message(const struct tcp *);

/* What such a segment says beside ACK and PSH; it is not marked as able (RFC 3168). */
struct tcp_message {
	uint32_t seq, ack;
	uint32_t ts_val, ts_ecr; /* has_ts: its only option */
	uint16_t wnd;
	bool has_ts;
	struct buf_span text;
};
/*
 * The connection moves on as by tcp_output and one tcp_next_piece (tcp_output.c). false: it has no
 * message, there is more to tell with it, its text is in two pieces, or there is no memory.
 */
bool tcp_put_message(struct tcp *, const struct tcp_ctx *, struct tcp_message *);

/*
 * A segment with text that is not landed, of one packet, with ACK and perhaps PSH, and no option
 * but timestamps (tcp_input.c). Of its header those and seq, ack, wnd and n_sack are looked at.
 * Where it is what was to come and acknowledges something, the result is progress and
 * TCP_READABLE; false: it is not so.
 */
bool tcp_input_message(struct tcp *, const struct tcp_ctx *, const struct tcp_seg *);

/* tcp_busy.c: what the connection waits for from now on; it has a work record. */
void tcp_end_wait(struct tcp *, const struct tcp_ctx *, enum tcp_wait next);
static inline void tcp_set_wait(struct tcp *c, const struct tcp_ctx *x, enum tcp_wait now)
{
	if (c->work->wait != now)
		tcp_end_wait(c, x, now);
}

#endif
