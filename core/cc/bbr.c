/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr.c - BBR: a model of the path, and the window and rate that fit it.
 *
 * The path is a pipe of max_bw bytes a second and min_rtt: the most that was delivered lately and
 * the least that a round trip took. A flow leaves at about max_bw and keeps about one product of
 * the two (the BDP) in flight, so that the link is full and its queue is not. Loss does not halve
 * anything: it sets bounds. bw_shortterm and inflight_shortterm follow what is delivered while
 * losses are seen, until the next probe; inflight_longterm is where a probe found more than 2 %
 * lost. What probes, and when, is in bbr_probe.c.
 *
 * The window is its own, in a recovery, too: PRR does not move it, and ssthresh is not used.
 *
 * Readings. A state begins when something is sent, with what is known then (5.2.1). What an undo
 * returns to is saved by the first loss of an episode, not once more by the recovery that it causes
 * (5.6.4.4) or by a later round, when the loss has changed it. An ECN mark counts as a loss that is
 * too high (3.7 asks for some answer). extra_acked is the most of five to ten rounds. Times divide
 * as microseconds.
 *
 * Source: draft-ietf-ccwg-bbr-05, whose sections are cited.
 */
#include "bbr.h"

enum {
	PACING_MARGIN_PERCENT = 1,
	STARTUP_PACING_GAIN = 277,
	EXTRA_ACKED_ROUNDS = 5, /* of each half of BBRExtraAckedFilterLen */
	QUANTUM_MAX = 64 * 1024,
};

#define MIN_RTT_FILTER_LEN (10 * TERN_SEC)
#define PROBE_RTT_INTERVAL (5 * TERN_SEC)

/* 5.6.1, the table. */
static const struct {
	uint16_t pacing, cwnd;
} gains[BBR_N_STATES] = {
	[BBR_NONE] = { 0, 0 },	     [BBR_STARTUP] = { STARTUP_PACING_GAIN, 200 },
	[BBR_DRAIN] = { 50, 200 },   [BBR_DOWN] = { 90, 200 },
	[BBR_CRUISE] = { 100, 200 }, [BBR_REFILL] = { 100, 200 },
	[BBR_UP] = { 125, 225 },     [BBR_PROBE_RTT] = { 100, BBR_PROBE_RTT_CWND_PERCENT },
};

static uint32_t as_volume(uint64_t n)
{
	return (uint32_t)MIN(n, CC_INFINITE);
}

/* Bytes that a rate makes in a time. */
static uint64_t volume_of(uint64_t rate, tern_time span)
{
	return rate * (span / TERN_US) / (TERN_SEC / TERN_US);
}

/* ---- 5.6.4.2: volumes ---- */

uint64_t bbr_bdp_multiple(const struct tern_cc *cc, uint64_t bw, unsigned gain)
{
	const struct bbr *b = bbr_of(cc);

	if (b->min_rtt == BBR_NO_TIME)
		return cc->initial;
	return MIN(volume_of(bw, b->min_rtt), CC_INFINITE) * gain / 100;
}

/* BBRQuantizationBudget; 5.5.8.1: three quanta are under way in hosts that offload. */
static uint64_t quantization_budget(const struct tern_cc *cc, uint64_t inflight_cap)
{
	inflight_cap = MAX(inflight_cap, 3 * (uint64_t)cc_pace(cc)->burst);
	inflight_cap = MAX(inflight_cap, bbr_min_pipe_cwnd(cc));
	return inflight_cap + (bbr_of(cc)->state == BBR_UP ? 2 * cc->mss : 0);
}

uint64_t bbr_inflight(const struct tern_cc *cc, uint64_t bw, unsigned gain)
{
	return quantization_budget(cc, bbr_bdp_multiple(cc, bw, gain));
}

uint32_t bbr_inflight_with_headroom(const struct tern_cc *cc)
{
	const struct bbr *b = bbr_of(cc);
	uint32_t headroom, rest;

	if (b->inflight_longterm == BBR_NO_VOLUME)
		return BBR_NO_VOLUME;
	headroom = (uint32_t)((uint64_t)b->inflight_longterm * BBR_HEADROOM_PERCENT / 100);
	headroom = MAX(headroom, cc->mss);
	rest = b->inflight_longterm - MIN(headroom, b->inflight_longterm);
	return MAX(rest, bbr_min_pipe_cwnd(cc));
}

uint32_t bbr_probe_rtt_cwnd(const struct tern_cc *cc)
{
	uint64_t n = bbr_bdp_multiple(cc, bbr_of(cc)->bw, BBR_PROBE_RTT_CWND_PERCENT);

	return as_volume(MAX(n, bbr_min_pipe_cwnd(cc)));
}

/* ---- 5.5.1: rounds ---- */

void bbr_start_round(struct bbr *b)
{
	b->next_round_delivered = b->delivered;
}

/* BBRUpdateRound; C.is_cwnd_limited is a matter of the last round, too. */
static void update_round(struct bbr *b, const struct tern_cc_sample *s)
{
	b->round_start = s->prior_delivered >= b->next_round_delivered;
	if (b->round_start) {
		bbr_start_round(b);
		b->round_count++;
		b->rounds_since_bw_probe++;
		b->cwnd_limited_before = b->cwnd_limited;
		b->cwnd_limited = false;
	}
	b->cwnd_limited = b->cwnd_limited || s->cwnd_limited;
}

/* ---- 5.5.5, 5.5.6: max_bw ---- */

static void update_max_bw(struct bbr *b, const struct tern_cc_sample *s)
{
	update_round(b, s);
	if (s->delivery_rate >= bbr_max_bw(b) || !s->app_limited)
		b->max_bw_filter[1] = MAX(b->max_bw_filter[1], s->delivery_rate);
}

/* A cycle without a sample of its own does not make the one before it old. */
void bbr_advance_max_bw_filter(struct bbr *b)
{
	if (!b->max_bw_filter[1])
		return;
	b->max_bw_filter[0] = b->max_bw_filter[1];
	b->max_bw_filter[1] = 0;
}

/* ---- 5.5.9: aggregation ---- */

/* The most of a window of rounds that moves by halves; in Startup it is one round. */
static void update_extra_acked(struct bbr *b, uint32_t extra)
{
	unsigned rounds = b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1;

	if (b->round_start && ++b->extra_acked_rounds >= rounds) {
		b->extra_acked_rounds = 0;
		b->extra_acked_filter[0] = b->full_bw_reached ? b->extra_acked_filter[1] : 0;
		b->extra_acked_filter[1] = 0;
	}
	b->extra_acked_filter[1] = MAX(b->extra_acked_filter[1], extra);
}

static void update_ack_aggregation(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);
	uint64_t expected = volume_of(b->bw, s->now - b->extra_acked_interval_start), extra;

	if (b->extra_acked_delivered <= expected) {
		b->extra_acked_delivered = 0;
		b->extra_acked_interval_start = s->now;
		expected = 0;
	}
	b->extra_acked_delivered =
		as_volume(b->extra_acked_delivered + (uint64_t)s->newly_delivered);
	extra = b->extra_acked_delivered - expected;
	update_extra_acked(b, (uint32_t)MIN(extra, cc->cwnd));
}

/* ---- 5.4, 5.3.4.3: min_rtt ---- */

static void update_min_rtt(struct bbr *b, const struct tern_cc_sample *s)
{
	b->probe_rtt_expired = s->now > b->probe_rtt_min_stamp + PROBE_RTT_INTERVAL;
	if (s->rtt && (s->rtt < b->probe_rtt_min_delay || b->probe_rtt_expired)) {
		b->probe_rtt_min_delay = s->rtt;
		b->probe_rtt_min_stamp = s->now;
	}
	if (b->probe_rtt_min_delay < b->min_rtt || s->now > b->min_rtt_stamp + MIN_RTT_FILTER_LEN) {
		b->min_rtt = b->probe_rtt_min_delay;
		b->min_rtt_stamp = b->probe_rtt_min_stamp;
	}
}

/* ---- 5.5.10.3: what is delivered lately, and how losses bound it ---- */

static void update_latest_delivery_signals(struct bbr *b, const struct tern_cc_sample *s)
{
	uint32_t delivered = as_volume(s->delivered - s->prior_delivered);

	b->loss_round_start = s->prior_delivered >= b->loss_round_delivered;
	b->bw_latest = MAX(b->bw_latest, s->delivery_rate);
	b->inflight_latest = MAX(b->inflight_latest, delivered);
	if (b->loss_round_start)
		b->loss_round_delivered = s->delivered;
}

static void advance_latest_delivery_signals(struct bbr *b, const struct tern_cc_sample *s)
{
	if (!b->loss_round_start)
		return;
	b->bw_latest = s->delivery_rate;
	b->inflight_latest = as_volume(s->delivered - s->prior_delivered);
}

void bbr_reset_congestion_signals(struct bbr *b)
{
	b->loss_in_round = false;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

void bbr_reset_short_term_model(struct bbr *b)
{
	b->bw_shortterm = BBR_NO_RATE;
	b->inflight_shortterm = BBR_NO_VOLUME;
}

/* BBRInitLowerBounds, BBRLossLowerBounds */
static void adapt_lower_bounds_from_congestion(struct tern_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	uint64_t bw;
	uint32_t inflight;

	if (bbr_is_probing_bw(b) || !b->loss_in_round)
		return;
	bw = b->bw_shortterm == BBR_NO_RATE ? bbr_max_bw(b) : b->bw_shortterm;
	inflight = b->inflight_shortterm == BBR_NO_VOLUME ? cc->cwnd : b->inflight_shortterm;
	b->bw_shortterm = MAX(b->bw_latest, bw * BBR_BETA_PERCENT / 100);
	inflight = (uint32_t)((uint64_t)inflight * BBR_BETA_PERCENT / 100);
	b->inflight_shortterm = MAX(b->inflight_latest, inflight);
}

static void update_congestion_signals(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	update_max_bw(b, s);
	if (!b->loss_round_start)
		return;
	adapt_lower_bounds_from_congestion(cc);
	b->loss_in_round = false;
}

/* BBRSaveStateUponLoss */
static void save_state_upon_loss(struct bbr *b)
{
	b->undo_state = b->state;
	b->undo_bw_shortterm = b->bw_shortterm;
	b->undo_inflight_shortterm = b->inflight_shortterm;
	b->undo_inflight_longterm = b->inflight_longterm;
	b->undo_saved = true;
}

static void note_loss(struct bbr *b)
{
	if (!b->loss_in_round)
		b->loss_round_delivered = b->delivered;
	if (!b->undo_saved)
		save_state_upon_loss(b);
	b->loss_in_round = true;
}

/* ---- 5.6: control parameters ---- */

static void init_pacing_rate(struct tern_cc *cc, tern_time srtt)
{
	uint64_t span = MAX(srtt ? srtt : TERN_MS, TERN_US);

	bbr_of(cc)->rate_guessed = !srtt;
	cc_pace(cc)->rate = cc->initial * TERN_SEC / span * STARTUP_PACING_GAIN / 100;
}

void bbr_set_pacing_rate_with_gain(struct tern_cc *cc, unsigned gain)
{
	const struct bbr *b = bbr_of(cc);
	uint64_t rate = b->bw / 100 * (100 - PACING_MARGIN_PERCENT) * gain / 100;

	if (rate && (b->full_bw_reached || rate > cc_pace(cc)->rate))
		cc_pace(cc)->rate = rate;
}

static void set_send_quantum(struct tern_cc *cc)
{
	uint64_t quantum = MIN(cc_pace(cc)->rate / 1000, QUANTUM_MAX);

	cc_pace(cc)->burst = (uint32_t)MAX(quantum, 2 * cc->mss);
}

void bbr_save_cwnd(struct tern_cc *cc, bool in_recovery)
{
	struct bbr *b = bbr_of(cc);
	bool modulated = in_recovery || b->state == BBR_PROBE_RTT;

	b->prior_cwnd = modulated ? MAX(b->prior_cwnd, cc->cwnd) : cc->cwnd;
}

void bbr_restore_cwnd(struct tern_cc *cc)
{
	cc->cwnd = MAX(cc->cwnd, bbr_of(cc)->prior_cwnd);
}

/* 5.6.4.7: BBRBoundCwndForModel, after BBRBoundCwndForProbeRTT */
static void bound_cwnd_for_model(struct tern_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	uint32_t cap = BBR_NO_VOLUME;

	if (b->state == BBR_PROBE_RTT)
		cc->cwnd = MIN(cc->cwnd, bbr_probe_rtt_cwnd(cc));
	if (b->state == BBR_PROBE_RTT || b->state == BBR_CRUISE)
		cap = bbr_inflight_with_headroom(cc);
	else if (bbr_in_probe_bw(b))
		cap = b->inflight_longterm;
	cap = MIN(cap, b->inflight_shortterm);
	cap = MAX(cap, bbr_min_pipe_cwnd(cc));
	cc->cwnd = MIN(cc->cwnd, cap);
}

/* BBRUpdateMaxInflight */
static uint64_t max_inflight(const struct tern_cc *cc)
{
	const struct bbr *b = bbr_of(cc);
	uint32_t extra = MAX(b->extra_acked_filter[0], b->extra_acked_filter[1]);
	uint64_t cap = bbr_bdp_multiple(cc, b->bw, gains[b->state].cwnd) + extra;

	return quantization_budget(cc, cap);
}

/* 5.6.4.6 */
static void set_cwnd(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	uint64_t most = max_inflight(cc), grown = (uint64_t)cc->cwnd + s->newly_delivered;

	if (bbr_of(cc)->full_bw_reached)
		grown = MIN(grown, most);
	else if (cc->cwnd >= most && s->delivered >= cc->initial)
		grown = cc->cwnd;
	cc->cwnd = as_volume(MAX(grown, bbr_min_pipe_cwnd(cc)));
	bound_cwnd_for_model(cc);
}

/* ---- events ---- */

/* BBROnInit */
static void begin_model(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	b->min_rtt = b->probe_rtt_min_delay = s->srtt ? s->srtt : BBR_NO_TIME;
	b->min_rtt_stamp = b->probe_rtt_min_stamp = s->now;
	b->extra_acked_interval_start = s->now;
	b->inflight_longterm = BBR_NO_VOLUME;
	bbr_reset_short_term_model(b);
	init_pacing_rate(cc, s->srtt);
	set_send_quantum(cc);
	bbr_enter_startup(b);
}

/* 5.2.3 */
static void bbr_on_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state == BBR_NONE)
		begin_model(cc, s);
	if (b->rate_guessed && s->srtt)
		init_pacing_rate(cc, s->srtt);
	b->delivered = s->delivered;
	b->random = s->random;
	b->undo_saved = b->undo_saved && s->in_recovery;
	update_latest_delivery_signals(b, s);
	update_congestion_signals(cc, s);
	update_ack_aggregation(cc, s);
	bbr_check_full_bw_reached(b, s);
	bbr_check_startup_done(cc, s);
	bbr_check_drain_done(cc, s);
	bbr_update_probe_bw_cycle_phase(cc, s);
	update_min_rtt(b, s);
	bbr_check_probe_rtt(cc, s);
	advance_latest_delivery_signals(b, s);
	b->bw = MIN(bbr_max_bw(b), b->bw_shortterm); /* BBRBoundBWForModel */
	bbr_set_pacing_rate_with_gain(cc, gains[b->state].pacing);
	set_send_quantum(cc);
	set_cwnd(cc, s);
}

/* 5.4.1: BBRHandleRestartFromIdle */
static void bbr_on_send(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state == BBR_NONE)
		begin_model(cc, s);
	if (!s->app_limited)
		return;
	b->idle_restart = true;
	b->extra_acked_interval_start = s->now;
	if (bbr_in_probe_bw(b))
		bbr_set_pacing_rate_with_gain(cc, 100);
	else if (b->state == BBR_PROBE_RTT)
		bbr_check_probe_rtt_done(cc, s->now);
}

/* The window of a connection that rested says little, as the model is gone. */
static void bbr_on_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	if (bbr_of(cc)->state != BBR_NONE)
		return;
	cc->cwnd = MIN(cc->cwnd, cc->initial);
	begin_model(cc, s);
}

/*
 * BBRInflightAtLoss: lost_prefix = (LossThresh * inflight_prev - lost_prev) / (1 - LossThresh),
 * with LossThresh = 1/50.
 */
static uint64_t inflight_at_loss(const struct tern_cc_sample *s)
{
	uint64_t prev = s->tx_in_flight - MIN(s->lost_len, s->tx_in_flight);
	uint64_t lost_prev = BBR_LOSS_PARTS * (s->lost - MIN(s->lost_len, s->lost));

	return prev + (prev - MIN(lost_prev, prev)) / (BBR_LOSS_PARTS - 1);
}

/* 5.5.10.2: BBRHandleLostPacket */
static void bbr_on_loss(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state == BBR_NONE)
		return;
	note_loss(b);
	if (b->state == BBR_STARTUP && !s->has_sack) /* 5.3.1.3: more cannot be seen */
		bbr_leave_startup(cc);
	if (b->bw_probe_samples && bbr_is_inflight_too_high(s))
		bbr_handle_inflight_too_high(cc, s, inflight_at_loss(s));
}

/* 5.6.4.4: BBROnEnterFastRecovery; or a probe that repaired a loss, or a mark. */
static void bbr_on_congestion(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state == BBR_NONE)
		return;
	bbr_save_cwnd(cc, s->in_recovery);
	note_loss(b);
	if (!s->marked)
		return;
	if (b->state == BBR_STARTUP)
		bbr_leave_startup(cc);
	else if (b->bw_probe_samples)
		bbr_handle_inflight_too_high(cc, s, s->in_flight);
}

static void bbr_on_recovery_end(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	(void)s;
	bbr_restore_cwnd(cc);
}

/* BBROnEnterRTO */
static void bbr_on_rto(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct bbr *b = bbr_of(cc);

	if (b->state != BBR_NONE) {
		bbr_save_cwnd(cc, s->in_recovery);
		note_loss(b);
	}
	cc->cwnd = as_volume(s->flight + cc->mss);
}

/* 5.5.11.2: BBRHandleSpuriousLossDetection */
static void bbr_on_undo(struct tern_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (b->state == BBR_NONE)
		return;
	bbr_restore_cwnd(cc);
	b->loss_in_round = b->undo_saved = false;
	bbr_reset_full_bw(b);
	b->bw_shortterm = MAX(b->bw_shortterm, b->undo_bw_shortterm);
	b->inflight_shortterm = MAX(b->inflight_shortterm, b->undo_inflight_shortterm);
	b->inflight_longterm = MAX(b->inflight_longterm, b->undo_inflight_longterm);
	if (b->state == BBR_PROBE_RTT || b->state == b->undo_state)
		return;
	if (b->undo_state == BBR_STARTUP)
		bbr_enter_startup(b);
	else if (b->undo_state == BBR_UP)
		bbr_start_probe_bw_up(cc, b->bw_latest);
}

/* The state is of zeros: begin_model. */
static void bbr_init(struct tern_cc *cc)
{
	cc->ssthresh = CC_INFINITE;
}

const struct tern_cc_ops cc_bbr = {
	.name = "bbr",
	.own_window = true,
	.init = bbr_init,
	.on_send = bbr_on_send,
	.on_ack = bbr_on_ack,
	.on_loss = bbr_on_loss,
	.on_congestion = bbr_on_congestion,
	.on_recovery_end = bbr_on_recovery_end,
	.on_rto = bbr_on_rto,
	.on_idle = bbr_on_idle,
	.on_undo = bbr_on_undo,
};
