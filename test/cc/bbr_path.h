/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr_path.h - a sender under BBR and a path of one queue, for the tests of core/cc/bbr*.c.
 *
 * The path: a link of a rate with a queue that drops what it cannot hold, then half a round trip
 * either way; every segment is acknowledged by itself. The sender has always something to send,
 * unless it is told to pause; it counts by the draft's section 4.1 on its own.
 */
#ifndef TERN_BBR_PATH_H
#define TERN_BBR_PATH_H

#include "../../core/cc/bbr.h"
#include "test.h"

enum { SEG = 1000, IN_FLIGHT_MAX = 1 << 16 };

struct packet {
	tern_time sent_at, arrives_at, delivered_at, first_sent_at;
	uint64_t delivered, lost, tx_in_flight;
	bool limited, is_lost;
};

struct path {
	struct tern_cc cc;
	uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];
	tern_time now, rtt;
	uint64_t rate, queue; /* bytes a second, bytes */
	uint32_t lose_each;   /* one in so many is lost at random; 0: none */
	bool has_sack, paused;
	/* what is under way */
	struct packet ring[IN_FLIGHT_MAX];
	uint32_t first, end; /* modulo IN_FLIGHT_MAX */
	tern_time link_free_at, send_at;
	uint64_t in_flight, delivered, lost, app_limited;
	tern_time delivered_at, first_sent_at, recovery_ends_at;
	uint64_t dice;
	/* what was seen */
	uint64_t n_sent, n_lost;
	tern_time queued;
	unsigned n_entered[BBR_N_STATES];
	void (*on_state)(struct path *, enum bbr_state from);
};

static inline struct bbr *model(struct path *p)
{
	return bbr_of(&p->cc);
}

static inline uint32_t roll(struct path *p)
{
	p->dice = p->dice * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(p->dice >> 33);
}

static inline void begin_path(struct path *p, uint64_t rate, tern_time rtt, uint64_t queue)
{
	struct tern_cc_sample s = { .now = 1000 * TERN_SEC, .srtt = rtt };

	memset(p, 0, sizeof(*p));
	p->rate = rate;
	p->rtt = rtt;
	p->queue = queue;
	p->has_sack = true;
	p->dice = rate + rtt;
	p->now = p->send_at = s.now;
	cc_init(&p->cc, &cc_bbr, SEG, 10);
	cc_set_state(&p->cc, p->state);
	cc_on_idle(&p->cc, &s);
}

static inline uint64_t bdp_of(const struct path *p)
{
	return p->rate * p->rtt / TERN_SEC;
}

static inline void send_one(struct path *p)
{
	struct packet *k = &p->ring[p->end++ % IN_FLIGHT_MAX];
	tern_time waits = p->link_free_at > p->now ? p->link_free_at - p->now : 0;

	if (p->in_flight == 0) {
		struct tern_cc_sample s = { .now = p->now,
					    .srtt = p->rtt,
					    .app_limited = p->app_limited != 0,
					    .delivered = p->delivered };

		p->first_sent_at = p->delivered_at = p->now;
		cc_on_send(&p->cc, &s);
	}
	p->in_flight += SEG;
	*k = (struct packet){ .sent_at = p->now,
			      .delivered_at = p->delivered_at,
			      .first_sent_at = p->first_sent_at,
			      .delivered = p->delivered,
			      .lost = p->lost,
			      .tx_in_flight = p->in_flight,
			      .limited = p->app_limited != 0 };
	k->is_lost = waits * p->rate / TERN_SEC + SEG > p->queue ||
		     (p->lose_each && roll(p) % p->lose_each == 0);
	if (!k->is_lost) {
		p->link_free_at = p->now + waits + SEG * TERN_SEC / p->rate;
		p->queued += waits;
	}
	k->arrives_at = p->now + waits + SEG * TERN_SEC / p->rate + p->rtt;
	p->n_sent++;
	p->send_at = MAX(p->send_at, p->now) + SEG * TERN_SEC / MAX(cc_pace(&p->cc)->rate, 1);
}

/* A gap in what arrives: the segment is lost. */
static inline void find_lost(struct path *p, const struct packet *k)
{
	struct tern_cc_sample s = { .now = p->now,
				    .has_sack = p->has_sack,
				    .app_limited = k->limited,
				    .delivered = p->delivered,
				    .lost_len = SEG,
				    .tx_in_flight = k->tx_in_flight };

	p->in_flight -= SEG;
	p->lost += SEG;
	p->n_lost++;
	s.lost = p->lost - k->lost;
	cc_on_loss(&p->cc, &s);
	if (p->recovery_ends_at <= p->now) { /* a round trip is an episode */
		struct tern_cc_sample c = { .now = p->now, .in_flight = p->in_flight };

		cc_on_congestion(&p->cc, &c);
		p->recovery_ends_at = p->now + p->rtt;
	}
}

static inline struct tern_cc_sample arrive(struct path *p, const struct packet *k)
{
	tern_time send = k->sent_at - k->first_sent_at, ack = p->now - k->delivered_at;
	struct tern_cc_sample s = { .now = p->now,
				    .srtt = p->rtt,
				    .in_flight = p->in_flight,
				    .rtt = p->now - k->sent_at,
				    .acked = SEG,
				    .newly_delivered = SEG,
				    .random = roll(p),
				    .cwnd_limited = p->in_flight + SEG >= p->cc.cwnd,
				    .has_sack = p->has_sack,
				    .app_limited = k->limited,
				    .prior_delivered = k->delivered,
				    .tx_in_flight = k->tx_in_flight,
				    .lost = p->lost - k->lost,
				    .interval = MAX(send, ack) };

	p->delivered += SEG;
	p->delivered_at = p->now;
	p->first_sent_at = k->sent_at;
	p->in_flight -= SEG;
	if (p->app_limited && p->delivered > p->app_limited)
		p->app_limited = 0;
	s.delivered = p->delivered;
	s.flight = p->in_flight;
	s.delivery_rate = (p->delivered - k->delivered) * TERN_SEC / s.interval;
	s.in_recovery = p->recovery_ends_at > p->now;
	return s;
}

/* The next segment that arrives, and the losses before it that it tells of. */
static inline void receive_one(struct path *p)
{
	enum bbr_state before = (enum bbr_state)model(p)->state;
	tern_time recovery = p->recovery_ends_at;
	uint32_t newly_lost = 0;
	struct tern_cc_sample s;

	for (; p->ring[p->first % IN_FLIGHT_MAX].is_lost; p->first++, newly_lost += SEG)
		find_lost(p, &p->ring[p->first % IN_FLIGHT_MAX]);
	if (recovery && recovery <= p->now && !newly_lost) {
		struct tern_cc_sample e = { .now = p->now };

		cc_on_recovery_end(&p->cc, &e);
		p->recovery_ends_at = 0;
	}
	s = arrive(p, &p->ring[p->first++ % IN_FLIGHT_MAX]);
	s.newly_lost = newly_lost;
	cc_on_ack(&p->cc, &s);
	if (cc_pace(&p->cc)->holds_back)
		p->app_limited = p->delivered + p->in_flight;
	cc_pace(&p->cc)->holds_back = false;
	if (model(p)->state == before)
		return;
	p->n_entered[model(p)->state]++;
	if (p->on_state)
		p->on_state(p, before);
}

/* When the next segment arrives; none is under way that does: TERN_NEVER. */
static inline tern_time next_arrival(const struct path *p)
{
	for (uint32_t i = p->first; i != p->end; i++)
		if (!p->ring[i % IN_FLIGHT_MAX].is_lost)
			return p->ring[i % IN_FLIGHT_MAX].arrives_at;
	return TERN_NEVER;
}

static inline void run_until(struct path *p, tern_time end)
{
	for (;;) {
		bool may = !p->paused && p->in_flight + SEG <= p->cc.cwnd;
		tern_time in = next_arrival(p), out = may ? MAX(p->send_at, p->now) : TERN_NEVER;

		if (MIN(in, out) >= end)
			break;
		p->now = MIN(in, out);
		if (out < in)
			send_one(p);
		else
			receive_one(p);
	}
	p->now = end;
}

static inline void run_for(struct path *p, tern_time span)
{
	run_until(p, p->now + span);
}

/* Of what the link carries in a span from now, the percentage that arrives. */
static inline uint64_t percent_used(struct path *p, tern_time span)
{
	uint64_t before = p->delivered;

	run_for(p, span);
	return (p->delivered - before) * 100 / (p->rate * (span / TERN_MS) / 1000);
}

#endif
