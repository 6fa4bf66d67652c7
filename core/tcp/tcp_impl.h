/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_impl.h - what the files of core/tcp say to each other.
 */
#ifndef TERN_TCP_IMPL_H
#define TERN_TCP_IMPL_H

#include "tcp.h"
#include "tcp_accecn.h"
#include "tcp_message.h"
#include "tcp_record.h"

/* What an ACK says has arrived, by its number or by its SACK blocks, and was not known before. */
struct delivery {
	uint64_t bytes;
	tern_time once_at;     /* when the youngest went that went only once; 0: none */
	tern_time youngest_at; /* when the youngest went; 0: not clear */
	uint64_t fack;	       /* one past the highest octet of all this */
	uint32_t size;	       /* the largest segment that went once, its text */
	bool sacked;	       /* a block said something new */
	bool again;	       /* something of it went more than once */
	bool dsack;	       /* something came twice */
	bool original;	       /* something went once, before the last time-out */
	bool rated;	       /* there is a rate sample */
};

/* A segment while it is examined: its numbers as positions, trimmed step by step. */
struct arrival {
	struct tcp *c;
	const struct tcp_ctx *x;
	const struct tcp_seg *seg;
	uint64_t seq, ack; /* positions */
	const uint8_t *data;
	uint64_t flight; /* tcp_flight before it arrived */
	uint32_t len;	 /* payload left after trimming */
	/* of what is acknowledged, for the algorithm; of its rate, if d.rated (tcp_rate.c) */
	struct tern_cc_sample sample;
	uint64_t rated_end; /* one past the last octet of the segment that the rate is of */
	bool rated_again;   /* which went more than once */
	/* from here on nothing at first: tcp_arrival_init */
	uint32_t marks; /* packets that came to the peer with CE, as it tells: tcp_ecn.c */
	bool fin;	/* the FIN is inside the window */
	bool syn_known; /* its SYN is the one we have: see strip_known_syn */
	bool later;	/* its timestamp is newer than any before */
	struct delivery d;
	struct tcp_result r;
};
/* Its position is another matter: it is not known in SYN-SENT. */
static inline void tcp_arrival_init(struct arrival *a, struct tcp *c, const struct tcp_ctx *x,
				    const struct tcp_seg *seg)
{
	a->marks = 0;
	a->syn_known = a->later = false;
	a->d = (struct delivery){ 0 };
	a->r = (struct tcp_result){ .drop = TERN_DROP_NONE };
	a->c = c;
	a->x = x;
	a->seg = seg;
	a->ack = seq_unwrap(seg->h.ack, c->snd.nxt);
	a->data = seg->data;
	a->len = seg->len;
	a->fin = (seg->h.flags & TCP_FIN) != 0;
}

/* Options that every segment has. */
static inline uint32_t tcp_options_room(const struct tcp *c)
{
	return c->ts_ok ? TCP_TIMESTAMPS_LEN : 0;
}

/* tcp.c */
void tcp_reset_fields(struct tcp *, const struct tcp_ctx *, const struct tcp_open *);
void tcp_enter(struct tcp *, enum tern_tcp_state);
void tcp_end(struct tcp *, const struct tcp_ctx *, int error); /* CLOSED, deadlines off */
void tcp_begin_transfer(struct tcp *, const struct tcp_ctx *);
void tcp_established(struct tcp *, const struct tcp_ctx *);
void tcp_syn_acked(struct tcp *);
void tcp_enter_fin_wait_2(struct tcp *, const struct tcp_ctx *);
bool tcp_fin_acked(const struct tcp *);
static inline bool tcp_is_synchronized(const struct tcp *c)
{
	return c->state >= TERN_TCP_ESTABLISHED;
}
/* May segments with data or FIN still go out (or again)? */
static inline bool tcp_may_transmit(const struct tcp *c)
{
	enum {
		STATES = 1 << TERN_TCP_ESTABLISHED | 1 << TERN_TCP_CLOSE_WAIT |
			 1 << TERN_TCP_FIN_WAIT_1 | 1 << TERN_TCP_CLOSING | 1 << TERN_TCP_LAST_ACK
	};

	return (STATES >> c->state & 1) != 0 || (c->state == TERN_TCP_SYN_RECEIVED && c->fast_open);
}

/* Where our SYN is. */
static inline uint64_t tcp_syn_pos(const struct tcp *c)
{
	return seq_first(c->snd.iss);
}
void tcp_free_early(struct tcp *, struct mem *);

/* tcp_work.c */
bool tcp_new_work(struct tcp *, const struct tcp_ctx *);
void tcp_time_syn(struct tcp *, tern_time at);
void tcp_begin_taking(struct tcp *, const struct tcp_ctx *);
void tcp_note_taken(struct tcp *, const struct tcp_ctx *);
void tcp_rest_work(struct tcp *, const struct tcp_ctx *);
void tcp_drop_work(struct tcp *, const struct tcp_ctx *);
void tcp_review_work(struct tcp *, const struct tcp_ctx *);
/* false: no memory. */
static inline bool tcp_take_work(struct tcp *c, const struct tcp_ctx *x)
{
	return c->work || tcp_new_work(c, x);
}

/* What was lost goes again, after duplicates or after a time-out. */
static inline bool tcp_is_repairing(const struct tcp *c)
{
	return c->in_recovery || c->in_rto_recovery;
}

static inline bool tcp_has_lost(const struct tcp *c)
{
	return c->work && c->work->sent.n_lost > 0;
}

/* tcp_sack.c */
void tcp_take_sack(struct arrival *);
void tcp_take_cumulative_ack(struct arrival *);
void tcp_take_oldest(struct arrival *, const struct sent *);
void tcp_note_duplicate(struct tcp *, uint64_t lo, uint64_t hi);

/* tcp_loss.c */
void tcp_rack_init(struct tcp *);
void tcp_rack_delivered(struct arrival *, const struct sent *, uint64_t hi);
uint64_t tcp_detect_losses(struct tcp *, const struct tcp_ctx *); /* bytes newly lost */
bool tcp_echo_is_older(const struct arrival *, tern_time sent_at);
void tcp_adapt_reordering(struct arrival *);
void tcp_widen_reordering(struct tcp *);
void tcp_forget_reordering(struct tcp *);
void tcp_mark_lost(struct tcp *, const struct tcp_ctx *, uint64_t hi, enum tern_cause);
void tcp_mark_losses_on_rto(struct tcp *, const struct tcp_ctx *);
void tcp_schedule_probe(struct tcp *, const struct tcp_ctx *);
/* The same where something is in flight, and nothing missing or unusual; loss_at is not set. */
void tcp_arm_probe(struct tcp *, const struct tcp_ctx *);
void tcp_take_probe_answer(struct arrival *);
const char *tcp_on_loss_timer(struct tcp *, const struct tcp_ctx *);

/* tcp_ecn.c */
bool tcp_take_ecn_answer(struct arrival *);
void tcp_ask_for_ecn(struct tcp *, const struct tcp_ctx *, struct tcp_hdr *);
void tcp_put_ecn_answer(const struct tcp *, struct tcp_hdr *);
void half_take_ecn(struct tcp_half *, const struct tcp_ctx *, const struct tcp_seg *);
bool half_take_ecn_again(struct tcp_half *, const struct tcp_ctx *, const struct tcp_seg *);
void half_put_ecn(const struct tcp_half *, const struct tcp_ctx *, struct tcp_hdr *);
void half_put_echo(const struct tcp_half *, struct tcp_hdr *);
bool tcp_ecn_from_half(struct tcp *, const struct tcp_ctx *, const struct tcp_half *);
void tcp_take_mark(struct arrival *);
void tcp_put_echo(struct tcp *, struct tcp_hdr *);
void tcp_take_echo(struct arrival *);
void tcp_mark_as_able(struct tcp *, struct tcp_out *);
void tcp_note_reduction(struct tcp *);
void tcp_answer_marks(struct arrival *);
void tcp_answer_marked_syn(struct tcp *);

/* tcp_accecn.c; all but the first three are for connections that have the record */
bool tcp_accecn_begin(struct tcp *, const struct tcp_ctx *);
void tcp_accecn_put_answer(unsigned syn_ecn, struct tcp_hdr *);
void tcp_accecn_put_first_option(struct tcp_hdr *);
void tcp_accecn_end(struct tcp *, struct mem *);
void tcp_accecn_take_syn(struct arrival *);
void tcp_accecn_take_synack_again(struct arrival *);
void tcp_accecn_take_third_ack(struct arrival *);
void tcp_accecn_take_mark(struct arrival *);
void tcp_accecn_owe_ack(struct arrival *);
void tcp_accecn_note_again(struct arrival *);
void tcp_accecn_put(struct tcp *, struct tcp_hdr *);
void tcp_accecn_put_option(struct tcp *, const struct tcp_ctx *, struct tcp_hdr *, uint64_t spare);
uint32_t tcp_accecn_marks(struct arrival *);
enum { TCP_ECN_MAX = 5 };   /* of net.ipv4.tcp_ecn */
enum { TCP_ACE_FIRST = 5 }; /* of r.cep and s.cep: 3.2.1 */
/* The three flags as RFC 9768 3.2.2 numbers them. */
static inline unsigned tcp_ace(uint16_t flags)
{
	return flags / TCP_ECE & 7;
}
static inline uint16_t tcp_flags_of_ace(uint32_t counter)
{
	return (uint16_t)((counter & 7) * TCP_ECE);
}

/* tcp_mtu.c */
void tcp_begin_search(struct tcp *, const struct tcp_ctx *);
bool tcp_take_too_big(struct tcp *, const struct tcp_ctx *, uint64_t pos, uint16_t mss);
void tcp_doubt_path(struct tcp *, const struct tcp_ctx *);
bool tcp_probe_failed(struct tcp *, const struct tcp_ctx *);
void tcp_take_path_news(struct arrival *);
/* On each ACK. */
static inline void tcp_review_path(struct arrival *a)
{
	const struct tcp *c = a->c;

	if ((c->search_low | c->work->too_big) || c->acked_size > c->path_mss ||
	    a->d.size + tcp_options_room(c) > c->acked_size)
		tcp_take_path_news(a);
}

/* tcp_newreno.c */
bool tcp_repeats_ack(const struct arrival *);
void tcp_newreno_duplicate(struct arrival *);
void tcp_newreno_partial(struct arrival *, uint64_t acked);

/* tcp_prr.c */
void tcp_enter_recovery(struct tcp *, const struct tcp_ctx *);
void tcp_leave_recovery(struct tcp *, const struct tcp_ctx *);
void tcp_reduce_window(struct arrival *, bool marked);
void tcp_pace_recovery(struct arrival *, uint64_t newly_lost);

/* tcp_undo.c */
enum tcp_frto_step { FRTO_NONE, FRTO_FIRST_ACK, FRTO_NEW_DATA };
void tcp_undo_begin(struct tcp *);
void tcp_undo_note_again(struct tcp *, const struct tcp_ctx *, uint64_t lo, uint64_t hi);
void tcp_undo_note_dsack(struct tcp *, uint64_t lo, uint64_t hi);
bool tcp_undo_review(struct arrival *, uint64_t acked);

/* tcp_fastopen.c */
bool tcp_may_add_to_syn(const struct tcp *);
size_t tcp_syn_room(const struct tcp *); /* of one that may */
void tcp_put_fast_open(struct tcp *, struct tcp_out *);
uint64_t tcp_syn_end(const struct tcp *);
void tcp_take_syn_text_ack(struct arrival *);
bool tcp_repeats_fast_syn(const struct arrival *);

/* tcp_opt.c */
uint32_t tcp_ts_clock(const struct tcp_ctx *, uint32_t ts_off);
uint8_t tcp_wscale_for(uint32_t rcv_buf_max);
void tcp_take_syn_options(struct tcp *, const struct tcp_ctx *, const struct tcp_hdr *);
void tcp_set_peer_mss(struct tcp *, const struct tcp_ctx *, uint16_t mss);
uint32_t tcp_most_mss(const struct tcp *, const struct tcp_ctx *);
void tcp_set_snd_mss(struct tcp *, const struct tcp_ctx *);
bool tcp_paws_rejects(const struct tcp *, const struct tcp_ctx *, const struct tcp_hdr *);
void tcp_take_timestamp(struct arrival *);
void tcp_put_options(const struct tcp *, const struct tcp_ctx *, struct tcp_hdr *);
uint16_t tcp_told_mss(const struct tcp *);
void tcp_put_syn_options(const struct tcp *, const struct tcp_ctx *, struct tcp_hdr *);

/* How many segments n bytes are: mostly one, and a division is slow. Before a SYN none. */
static inline uint32_t tcp_in_segments(const struct tcp *c, uint64_t n)
{
	if (n <= c->snd_mss)
		return n ? 1 : 0;
	return c->snd_mss ? (uint32_t)((n + c->snd_mss - 1) / c->snd_mss) : 0;
}

/* How many segments one stands for. */
static inline uint32_t tcp_n_segments(const struct tcp_seg *seg)
{
	uint32_t texts =
		seg->part && seg->len > seg->part ? (seg->len + seg->part - 1) / seg->part : 1;

	return texts + seg->joined;
}

/* tcp_input.c */
void tcp_challenge(struct arrival *);

/* tcp_ack.c */
bool tcp_take_ack(struct arrival *); /* false: stop here */
/* Of an ACK that is nothing but progress: the record that it is of; else NULL. */
const struct sent *tcp_plain_progress(const struct arrival *);
/* It is taken, and the window with it. */
void tcp_take_plain_progress(struct arrival *, const struct sent *);
void tcp_measure_rtt(struct arrival *);
void tcp_measure_handshake(struct arrival *, tern_time opened_at);
void tcp_take_window(struct arrival *);

/* tcp_recv.c */
void tcp_take_text(struct arrival *);
void tcp_take_placed_text(struct arrival *); /* the next, which is in its place */
void tcp_take_fin(struct arrival *);
void tcp_owe_ack(struct tcp *, const struct tcp_ctx *, enum tcp_ack_due);
uint64_t tcp_window_edge(const struct tcp *);
uint16_t tcp_window_field(const struct tcp *, uint64_t ack, uint64_t *edge);
void tcp_begin_quick_acks(struct tcp *, const struct tcp_ctx *);
/* One past the last byte that arrived in order; the FIN is not a byte. */
static inline uint64_t tcp_data_end(const struct tcp *c)
{
	return MIN(c->rcv.nxt, c->rcv.fin);
}

/* tcp_tune.c */
void tcp_tune_begin(struct tcp *, const struct tcp_ctx *);
void tcp_measure_peer_rtt(struct arrival *);
void tcp_tune_receive_buffer(struct tcp *, const struct tcp_ctx *);
void tcp_tune_send_buffer(struct tcp *, const struct tcp_ctx *);

/* tcp_pace.c */
void tcp_begin_pace(struct tcp *);
uint32_t tcp_pace_burst(const struct tcp *); /* bytes that may go at once */
void tcp_set_pace(struct tcp *, const struct tcp_ctx *);
void tcp_pace_sent(struct tcp *, const struct tcp_ctx *, uint64_t n);

/* tcp_rate.c */
/* flight: tcp_flight, with these n bytes */
void tcp_rate_sent(struct tcp *, const struct tcp_ctx *, struct sent *, uint64_t n,
		   uint64_t flight);
void tcp_rate_delivered(struct arrival *, const struct sent *, uint64_t hi);
void tcp_rate_conclude(struct arrival *);
/* Both, of n bytes of the oldest record, which went once, where nothing else has arrived. */
void tcp_rate_take_oldest(struct arrival *, const struct sent *, uint64_t n);
void tcp_rate_lost(struct tcp *, const struct tcp_ctx *, const struct sent *);
/* flight: tcp_flight */
void tcp_rate_mark_limited(struct tcp *, uint64_t flight);
void tcp_rate_check_limited(struct tcp *, uint64_t flight);

/* tcp_busy.c */
struct tcp_tally *tcp_new_tally(struct tcp *, const struct tcp_ctx *);
/* NULL: no memory. */
static inline struct tcp_tally *tcp_take_tally(struct tcp *c, const struct tcp_ctx *x)
{
	return c->tally ? c->tally : tcp_new_tally(c, x);
}
void tcp_note_wait(struct tcp *, const struct tcp_ctx *); /* after anything that may change it */
void tcp_waits(const struct tcp *, const struct tcp_ctx *, struct tern_tcp_info *);

/* tcp_urgent.c */
void tcp_take_urgent(struct arrival *);
void tcp_skip_urgent(struct tcp *, const struct tcp_ctx *);
void tcp_forget_mark(struct tcp *); /* after a read */

/* tcp_rtt.c */
void tcp_rtt_init(struct tcp *, const struct tcp_ctx *);
void tcp_rtt_sample(struct tcp *, const struct tcp_ctx *, tern_time rtt);
tern_time tcp_rto_after(const struct tcp *, const struct tcp_ctx *, unsigned n_timeouts);
tern_time tcp_rto(const struct tcp *, const struct tcp_ctx *); /* with back-off */

/* tcp_timer.c */
void tcp_arm_rtx(struct tcp *, const struct tcp_ctx *); /* from now, with back-off */
void tcp_take_back_doubling(struct tcp *, const struct tcp_ctx *);
void tcp_touch_keepalive(struct tcp *, const struct tcp_ctx *);

/* tcp_plan.c */
uint64_t tcp_flight_size(const struct tcp *); /* RFC 5681's, for the congestion response */
/* Bytes or a FIN that never went. */
static inline bool tcp_has_unsent(const struct tcp *c)
{
	return c->snd.nxt < c->snd.end || (c->fin_queued && !c->fin_sent);
}
/*
 * Bytes believed to be in the network: neither sacked nor lost, and, without SACK, less a segment
 * for each duplicate ACK.
 */
static inline uint64_t tcp_flight(const struct tcp *c)
{
	const struct tcp_work *w = c->work;
	uint64_t sent = c->snd.nxt - c->snd.una;

	if (!w)
		return sent;
	if (c->state == TERN_TCP_SYN_RECEIVED && sent) /* RFC 7413: the SYN is no text */
		sent--;
	sent -= w->sent.n_sacked + w->sent.n_lost;
	return sent - MIN(w->dup_bytes, sent);
}

#endif
