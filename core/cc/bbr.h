/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr.h - what bbr.c (the model of the path) and bbr_probe.c (the states that explore it) share.
 *
 * Names are those of draft-ietf-ccwg-bbr-05. Rates are bytes a second, volumes bytes, gains
 * percent.
 */
#ifndef TERN_BBR_H
#define TERN_BBR_H

#include "cc.h"

enum bbr_state {
	BBR_NONE, /* nothing was sent yet: zeros */
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* the four of ProbeBW */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
	BBR_N_STATES
};

/* What the ACKs that come now say of the last probe for bandwidth. */
enum bbr_ack_phase {
	BBR_ACKS_INIT, /* nothing */
	BBR_ACKS_REFILLING,
	BBR_ACKS_PROBE_STARTING,
	BBR_ACKS_PROBE_FEEDBACK,
	BBR_ACKS_PROBE_STOPPING,
};

enum {
	BBR_LOSS_PARTS = 50, /* LossThresh: one in so many, 2 % */
	BBR_BETA_PERCENT = 70,
	BBR_HEADROOM_PERCENT = 15,
	BBR_MIN_PIPE_SEGMENTS = 4,
	BBR_PROBE_RTT_CWND_PERCENT = 50,
};

#define BBR_NO_VOLUME UINT32_MAX
#define BBR_NO_RATE UINT64_MAX
#define BBR_NO_TIME UINT64_MAX

struct bbr {
	struct tern_cc_pace pace;
	/* 2.8.1: rates */
	uint64_t max_bw_filter[2]; /* of the last cycle of ProbeBW and of this one */
	uint64_t bw_shortterm, bw, bw_latest;
	uint64_t full_bw;
	/* 2.8.2: volumes */
	uint32_t inflight_longterm, inflight_shortterm, inflight_latest;
	uint32_t prior_cwnd;
	uint32_t extra_acked_filter[2]; /* of the rounds before, and of these */
	uint32_t extra_acked_delivered;
	/* times */
	tern_time min_rtt, min_rtt_stamp;
	tern_time probe_rtt_min_delay, probe_rtt_min_stamp;
	tern_time probe_rtt_done_stamp; /* 0: it has not begun to count */
	tern_time cycle_stamp, bw_probe_wait;
	tern_time extra_acked_interval_start;
	/* rounds */
	uint64_t delivered; /* C.delivered, as last told */
	uint64_t next_round_delivered, loss_round_delivered;
	uint32_t round_count, drain_start_round, rounds_since_bw_probe;
	uint32_t probe_up_cnt, bw_probe_up_acks;
	uint32_t random;
	/* 5.5.11 */
	uint64_t undo_bw_shortterm;
	uint32_t undo_inflight_shortterm, undo_inflight_longterm;
	uint8_t undo_state;
	/* small */
	uint8_t state, ack_phase;
	uint8_t full_bw_count, bw_probe_up_rounds;
	uint8_t extra_acked_rounds;   /* that extra_acked_filter[1] has seen */
	uint8_t loss_events_in_round; /* ACKs that told of losses, in Startup */
	bool round_start, loss_round_start, loss_in_round;
	bool full_bw_now, full_bw_reached;
	bool bw_probe_samples;
	bool undo_saved; /* in this episode of losses */
	bool probe_rtt_expired, probe_rtt_round_done, idle_restart;
	bool cwnd_limited, cwnd_limited_before; /* in this round, and in the one before */
	bool rate_guessed;			/* the pacing rate, without a round trip */
};

_Static_assert(sizeof(struct bbr) <= CC_STATE_SIZE, "fits in struct tcp_work");

static inline struct bbr *bbr_of(const struct tern_cc *cc)
{
	return cc->state;
}

static inline bool bbr_in_probe_bw(const struct bbr *b)
{
	return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

static inline uint64_t bbr_max_bw(const struct bbr *b)
{
	return MAX(b->max_bw_filter[0], b->max_bw_filter[1]);
}

static inline uint32_t bbr_min_pipe_cwnd(const struct tern_cc *cc)
{
	return BBR_MIN_PIPE_SEGMENTS * cc->mss;
}

/* ---- bbr.c ---- */

/* BBRBDPMultiple and BBRInflight, of a bandwidth. */
uint64_t bbr_bdp_multiple(const struct tern_cc *, uint64_t bw, unsigned gain);
uint64_t bbr_inflight(const struct tern_cc *, uint64_t bw, unsigned gain);
uint32_t bbr_inflight_with_headroom(const struct tern_cc *);
uint32_t bbr_probe_rtt_cwnd(const struct tern_cc *);
void bbr_start_round(struct bbr *);
void bbr_advance_max_bw_filter(struct bbr *);
void bbr_reset_congestion_signals(struct bbr *);
void bbr_reset_short_term_model(struct bbr *);
void bbr_set_pacing_rate_with_gain(struct tern_cc *, unsigned gain);
void bbr_save_cwnd(struct tern_cc *, bool in_recovery);
void bbr_restore_cwnd(struct tern_cc *);

/* ---- bbr_probe.c ---- */

void bbr_reset_full_bw(struct bbr *);
void bbr_enter_startup(struct bbr *);
void bbr_leave_startup(struct tern_cc *);
void bbr_start_probe_bw_up(struct tern_cc *, uint64_t delivery_rate);
bool bbr_is_probing_bw(const struct bbr *);
/* RS.lost and RS.tx_in_flight of what arrived or is lost. */
bool bbr_is_inflight_too_high(const struct tern_cc_sample *);
/* tx_in_flight: what flew where losses became too many. */
void bbr_handle_inflight_too_high(struct tern_cc *, const struct tern_cc_sample *,
				  uint64_t tx_in_flight);
/* The steps of BBRUpdateModelAndState that move the state machine. */
void bbr_check_full_bw_reached(struct bbr *, const struct tern_cc_sample *);
void bbr_check_startup_done(struct tern_cc *, const struct tern_cc_sample *);
void bbr_check_drain_done(struct tern_cc *, const struct tern_cc_sample *);
void bbr_update_probe_bw_cycle_phase(struct tern_cc *, const struct tern_cc_sample *);
void bbr_check_probe_rtt(struct tern_cc *, const struct tern_cc_sample *);
void bbr_check_probe_rtt_done(struct tern_cc *, tern_time now);

#endif
