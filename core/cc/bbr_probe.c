/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr_probe.c - when does BBR send faster or slower than its model says, to learn more?
 *
 * Startup doubles the rate each round, until three rounds bring no more or losses are too high;
 * Drain empties the queue that this has made. Then, in turn: DOWN sends less until the queue is
 * gone, CRUISE matches the rate, REFILL fills the pipe once more, UP sends a quarter more until
 * nothing is gained by it or more than 2 % is lost. A round of this takes two to three seconds, or
 * as many rounds as there are segments in flight, 63 at most, so that Reno beside it may live. When
 * five seconds have brought no shorter round trip, ProbeRTT halves the flight for 200 ms, to see
 * how long one is without a queue.
 *
 * Two readings. A probe that goes on after a false alarm listens to losses again, or only the next
 * ProbeRTT would end it. The filter of max_bw moves once in each cycle, as 5.5.6 tells: the phase
 * that ends a probe ends with that, in the first round that is not limited; losses are the probe's
 * no longer after one round, in any case.
 *
 * Source: draft-ietf-ccwg-bbr-05 section 5.3, and 5.5.10.
 */
#include "bbr.h"

enum {
	FULL_BW_ROUNDS = 3,
	FULL_BW_GROWTH_PERCENT = 125,
	STARTUP_FULL_LOSS_CNT = 6,
	DRAIN_ROUNDS = 3,
	RENO_ROUNDS_MAX = 63,
	PROBE_UP_ROUNDS_MAX = 30,
};

#define PROBE_WAIT (2 * TERN_SEC) /* and up to a second more */
#define PROBE_RTT_DURATION (200 * TERN_MS)

/* ---- 5.3.1.2: is the pipe full? ---- */

void bbr_reset_full_bw(struct bbr *b)
{
	b->full_bw = 0;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

void bbr_check_full_bw_reached(struct bbr *b, const struct tern_cc_sample *s)
{
	if (b->full_bw_now || !b->round_start || s->app_limited)
		return;
	if (s->delivery_rate >= b->full_bw * FULL_BW_GROWTH_PERCENT / 100) {
		bbr_reset_full_bw(b);
		b->full_bw = s->delivery_rate;
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
	b->full_bw_reached = b->full_bw_reached || b->full_bw_now;
}

/* ---- 5.3.1, 5.3.2: Startup and Drain ---- */

void bbr_enter_startup(struct bbr *b)
{
	b->state = BBR_STARTUP;
}

static void enter_drain(struct bbr *b)
{
	b->state = BBR_DRAIN;
	b->drain_start_round = b->round_count;
}

/* 5.3.1.3: losses say that it is enough. */
void bbr_leave_startup(struct tern_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	uint64_t bdp = MIN(bbr_bdp_multiple(cc, b->bw, 100), CC_INFINITE);

	b->full_bw_reached = true;
	b->inflight_longterm = MAX((uint32_t)bdp, b->inflight_latest);
	enter_drain(b);
}

/* A round of a recovery has ended; six ACKs or more told of losses, of more than 2 % in all. */
static void check_startup_high_loss(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (s->newly_lost && b->loss_events_in_round < UINT8_MAX)
		b->loss_events_in_round++;
	if (!b->loss_round_start)
		return;
	if (s->in_recovery && b->loss_events_in_round >= STARTUP_FULL_LOSS_CNT &&
	    bbr_is_inflight_too_high(s))
		bbr_leave_startup(cc);
	b->loss_events_in_round = 0;
}

void bbr_check_startup_done(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state != BBR_STARTUP)
		return;
	if (b->full_bw_reached)
		enter_drain(b);
	else
		check_startup_high_loss(cc, s);
}

static void start_probe_bw_down(struct tern_cc *, tern_time now);

void bbr_check_drain_done(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	const struct bbr *b = bbr_of(cc);

	if (b->state == BBR_DRAIN && (s->flight <= bbr_inflight(cc, b->bw, 100) ||
				      b->round_count > b->drain_start_round + DRAIN_ROUNDS))
		start_probe_bw_down(cc, s->now);
}

/* ---- 5.3.3.6: ProbeBW ---- */

bool bbr_is_probing_bw(const struct bbr *b)
{
	return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}

/* BBRPickProbeWait */
static void pick_probe_wait(struct bbr *b)
{
	b->rounds_since_bw_probe = b->random & 1;
	b->bw_probe_wait = PROBE_WAIT + (b->random >> 1) % TERN_SEC;
}

static void start_probe_bw_down(struct tern_cc *cc, tern_time now)
{
	struct bbr *b = bbr_of(cc);

	bbr_reset_congestion_signals(b);
	b->probe_up_cnt = UINT32_MAX;
	pick_probe_wait(b);
	b->cycle_stamp = now;
	b->ack_phase = BBR_ACKS_PROBE_STOPPING;
	bbr_start_round(b);
	b->state = BBR_DOWN;
}

static void start_probe_bw_refill(struct bbr *b)
{
	bbr_reset_short_term_model(b);
	b->bw_probe_up_rounds = 0;
	b->bw_probe_up_acks = 0;
	b->ack_phase = BBR_ACKS_REFILLING;
	bbr_start_round(b);
	b->state = BBR_REFILL;
}

/* BBRRaiseInflightLongtermSlope: how much of a window pays for one byte more. */
static void raise_inflight_longterm_slope(struct tern_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	uint64_t growth_this_round = (uint64_t)cc->mss << b->bw_probe_up_rounds;

	b->bw_probe_up_rounds = (uint8_t)MIN(b->bw_probe_up_rounds + 1, PROBE_UP_ROUNDS_MAX);
	b->probe_up_cnt = (uint32_t)MAX(cc->cwnd / growth_this_round, 1);
}

void bbr_start_probe_bw_up(struct tern_cc *cc, uint64_t delivery_rate)
{
	struct bbr *b = bbr_of(cc);

	b->ack_phase = BBR_ACKS_PROBE_STARTING;
	b->bw_probe_samples = true;
	bbr_start_round(b);
	bbr_reset_full_bw(b);
	b->full_bw = delivery_rate;
	b->state = BBR_UP;
	raise_inflight_longterm_slope(cc);
}

/* BBRIsRenoCoexistenceProbeTime: a round for each segment in flight. */
static bool is_reno_coexistence_probe_time(const struct tern_cc *cc)
{
	const struct bbr *b = bbr_of(cc);
	uint64_t target = MIN(bbr_bdp_multiple(cc, b->bw, 100), cc->cwnd);

	return b->rounds_since_bw_probe >= MIN(target / cc->mss, RENO_ROUNDS_MAX);
}

static bool is_time_to_probe_bw(const struct tern_cc *cc, tern_time now)
{
	const struct bbr *b = bbr_of(cc);

	return now > b->cycle_stamp + b->bw_probe_wait || is_reno_coexistence_probe_time(cc);
}

static bool is_time_to_cruise(const struct tern_cc *cc, const struct tern_cc_sample *s)
{
	return s->flight <= bbr_inflight_with_headroom(cc) &&
	       s->flight <= bbr_inflight(cc, bbr_max_bw(bbr_of(cc)), 100);
}

static bool is_held_by_longterm(const struct tern_cc *cc)
{
	const struct bbr *b = bbr_of(cc);

	return (b->cwnd_limited || b->cwnd_limited_before) && cc->cwnd >= b->inflight_longterm;
}

static bool is_time_to_go_down(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (!is_held_by_longterm(cc))
		return b->full_bw_now;
	bbr_reset_full_bw(b);
	b->full_bw = s->delivery_rate;
	return false;
}

/* BBRProbeInflightLongtermUpward */
static void probe_inflight_longterm_upward(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);
	uint32_t delta;

	if (!is_held_by_longterm(cc))
		return;
	b->bw_probe_up_acks += s->newly_delivered;
	delta = b->bw_probe_up_acks / b->probe_up_cnt;
	b->bw_probe_up_acks -= delta * b->probe_up_cnt;
	b->inflight_longterm = MIN(b->inflight_longterm + delta, CC_INFINITE);
	if (b->round_start)
		raise_inflight_longterm_slope(cc);
}

/* BBRAdaptLongTermModel */
static void adapt_long_term_model(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->ack_phase == BBR_ACKS_PROBE_STARTING && b->round_start)
		b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
	if (b->ack_phase == BBR_ACKS_PROBE_STOPPING && b->round_start) {
		b->bw_probe_samples = false;
		if (bbr_in_probe_bw(b) && !s->app_limited) {
			bbr_advance_max_bw_filter(b);
			b->ack_phase = BBR_ACKS_INIT;
		}
	}
	if (bbr_is_inflight_too_high(s) || b->inflight_longterm == BBR_NO_VOLUME)
		return;
	if (s->tx_in_flight > b->inflight_longterm)
		b->inflight_longterm = (uint32_t)MIN(s->tx_in_flight, CC_INFINITE);
	if (b->state == BBR_UP)
		probe_inflight_longterm_upward(cc, s);
}

/* BBRUpdateProbeBWCyclePhase */
void bbr_update_probe_bw_cycle_phase(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (!b->full_bw_reached)
		return;
	adapt_long_term_model(cc, s);
	switch (b->state) {
	case BBR_DOWN:
		if (is_time_to_probe_bw(cc, s->now))
			start_probe_bw_refill(b);
		else if (is_time_to_cruise(cc, s))
			b->state = BBR_CRUISE;
		break;
	case BBR_CRUISE:
		if (is_time_to_probe_bw(cc, s->now))
			start_probe_bw_refill(b);
		break;
	case BBR_REFILL:
		if (b->round_start)
			bbr_start_probe_bw_up(cc, s->delivery_rate);
		break;
	case BBR_UP:
		if (is_time_to_go_down(cc, s))
			start_probe_bw_down(cc, s->now);
		break;
	default:
		break;
	}
}

/* ---- 5.5.10.2: was it too much? ---- */

bool bbr_is_inflight_too_high(const struct tern_cc_sample *s)
{
	return s->lost * BBR_LOSS_PARTS > s->tx_in_flight || (s->lost && !s->has_sack);
}

void bbr_handle_inflight_too_high(struct tern_cc *cc, const struct tern_cc_sample *s,
				  uint64_t tx_in_flight)
{
	struct bbr *b = bbr_of(cc);
	uint64_t target = MIN(bbr_bdp_multiple(cc, b->bw, 100), cc->cwnd);
	uint64_t least = target * BBR_BETA_PERCENT / 100;

	b->bw_probe_samples = false;
	if (!s->app_limited)
		b->inflight_longterm = (uint32_t)MIN(MAX(tx_in_flight, least), CC_INFINITE);
	if (b->state == BBR_UP)
		start_probe_bw_down(cc, s->now);
}

/* ---- 5.3.4.3: ProbeRTT ---- */

static void exit_probe_rtt(struct tern_cc *cc, tern_time now)
{
	struct bbr *b = bbr_of(cc);

	bbr_reset_short_term_model(b);
	if (!b->full_bw_reached) {
		bbr_enter_startup(b);
		return;
	}
	start_probe_bw_down(cc, now);
	b->state = BBR_CRUISE;
}

void bbr_check_probe_rtt_done(struct tern_cc *cc, tern_time now)
{
	struct bbr *b = bbr_of(cc);

	if (!b->probe_rtt_done_stamp || now <= b->probe_rtt_done_stamp)
		return;
	b->probe_rtt_min_stamp = now;
	bbr_restore_cwnd(cc);
	exit_probe_rtt(cc, now);
}

static void handle_probe_rtt(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	cc_pace(cc)->holds_back = true; /* MarkConnectionAppLimited */
	if (!b->probe_rtt_done_stamp) {
		if (s->flight > bbr_probe_rtt_cwnd(cc))
			return;
		b->probe_rtt_done_stamp = s->now + PROBE_RTT_DURATION;
		b->probe_rtt_round_done = false;
		bbr_start_round(b);
		return;
	}
	b->probe_rtt_round_done = b->probe_rtt_round_done || b->round_start;
	if (b->probe_rtt_round_done)
		bbr_check_probe_rtt_done(cc, s->now);
}

void bbr_check_probe_rtt(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
		bbr_save_cwnd(cc, s->in_recovery);
		b->state = BBR_PROBE_RTT;
		b->probe_rtt_done_stamp = 0;
		b->ack_phase = BBR_ACKS_PROBE_STOPPING;
		bbr_start_round(b);
	}
	if (b->state == BBR_PROBE_RTT)
		handle_probe_rtt(cc, s);
	b->idle_restart = false;
}
