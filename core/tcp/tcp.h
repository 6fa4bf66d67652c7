/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.h - one TCP connection as a pure machine: RFC 9293.
 *
 * A connection knows positions, buffers, deadlines and a congestion window. It knows neither
 * addresses nor sockets nor packets: segments come in as struct tcp_seg and go out as a plan that
 * tcp_output turns into a header and spans. After every call the owner looks at tcp_deadline and
 * drains tcp_state_change.
 *
 * Positions are 64-bit (seq.h). SYN and FIN are positions: the SYN is at iss, the first byte at
 * iss + 1, the FIN at snd.end.
 */
#ifndef TERN_TCP_H
#define TERN_TCP_H

#include "../../include/tern.h"
#include "../base/buf.h"
#include "../base/ranges.h"
#include "../base/seq.h"
#include "../base/timers.h"
#include "../cc/cc.h"
#include "../wire/wire.h"
#include "tcp_sent.h"

/* What the owner hands to every verb. */
struct tcp_ctx {
	tern_time now; /* set by tcp_set_time */
	/* the same, for what need not be exact: us wraps after 71 minutes, ms after 49 days */
	uint32_t us, ms, s;
	struct mem *mem;
	const struct tern_config *cfg;
};

static inline void tcp_set_time(struct tcp_ctx *x, tern_time now)
{
	x->now = now;
	x->us = (uint32_t)(now / TERN_US);
	x->ms = (uint32_t)(now / TERN_MS);
	x->s = (uint32_t)(now / TERN_SEC);
}

/* ---- what crosses ---- */

/* A segment that arrived. */
struct tcp_seg {
	struct tcp_hdr h;
	const uint8_t *data; /* payload, in one piece */
	uint32_t len;	     /* of the payload */
	uint16_t part;	     /* payload bytes of each segment, when it stands for several; else 0 */
	uint8_t joined;	     /* so many ACKs of less came before it: tcp_join_ack */
	bool landed;	     /* the payload is in its place already: tcp_land */
	uint8_t ecn : 2;     /* the last two bits of its TOS: RFC 3168 5 */
};

/* The numbers with which a connection begins; the owner draws them (RFC 6528, 7323 5.4). */
struct tcp_open {
	uint32_t iss;
	uint32_t ts_off;      /* added to the millisecond clock for TSval */
	uint16_t adv_mss;     /* what our SYN says: from the interface's MTU, RFC 6691 */
	uint16_t path_mss;    /* what the path carries of ours, options not deducted */
	uint16_t default_mss; /* of a peer that says none: 536 or 1220 (RFC 9293 3.7.1) */
	bool carries_1280;    /* every path does (RFC 8200 section 5) */
	uint32_t rcv_buf_max; /* for the window scale: what the window may grow to */
	tern_time synack_rtt; /* how long a SYN-ACK took that was sent once; 0: not known */
};

/* Something for the user to know. */
enum tcp_event {
	TCP_READABLE = 1 << 0, /* bytes or the end of the stream */
	TCP_CONNECTED = 1 << 1,
	TCP_ENDED = 1 << 2,  /* reached CLOSED; tcp.error says why, 0: in order */
	TCP_URGENT = 1 << 3, /* a new urgent mark */
};

/* A direct reply: always a RST. */
struct tcp_rst {
	bool due;
	bool with_ack;
	uint32_t seq, ack;
};

struct tcp_result {
	enum tern_drop drop; /* TERN_DROP_NONE: accepted */
	uint32_t events;     /* enum tcp_event */
	struct tcp_rst rst;
	bool progress; /* new data was acknowledged: the neighbour is reachable */
};

/* ---- the connection ---- */

/*
 * What the user set. The owner fills it in before the connection begins, and cc.ops, the algorithm;
 * for one that a listener accepts they are the listener's. Later changes take effect at once.
 */
struct tcp_options {
	uint32_t sndbuf, rcvbuf;	       /* bytes that may wait in each buffer */
	uint32_t user_timeout_ms;	       /* 0: R2 */
	uint32_t max_pacing_rate;	       /* bytes a second; 0: no limit */
	uint32_t notsent_lowat;		       /* bytes that may wait unsent; 0: no limit */
	uint32_t window_clamp;		       /* of the window we show; 0: none */
	uint16_t keep_idle_s, keep_interval_s; /* 0: the configuration's */
	uint16_t user_mss;		       /* TCP_MAXSEG; 0: none */
	uint8_t keep_count, syn_retries;       /* 0: the configuration's */
	int8_t linger2_s;		       /* 0: the configuration's; below: at once */
	uint8_t defer_accept;		       /* SYN-ACK time-outs that a bare ACK waits */
	bool nodelay : 1, cork : 1, keepalive : 1, oob_inline : 1;
	bool fast_open_connect : 1, fast_open_no_cookie : 1;
	bool sndbuf_set : 1, rcvbuf_set : 1; /* by the user: they stay as they are */
	bool quickack : 1, quickack_off : 1; /* asked for; asked not to */
	bool defer_syn : 1;		     /* of a listener: TERN_SO_DEFER_SYN */
};
/* The most that the window ever says: the buffer, or what the user leaves of it. */
static inline uint32_t tcp_window_max(const struct tcp_options *opt)
{
	return opt->window_clamp ? MIN(opt->rcvbuf, opt->window_clamp) : opt->rcvbuf;
}

/* Of a client's SYN; a server's connection has TRIED when its cookie was right. */
enum tcp_fast_open { FAST_OPEN_NONE, FAST_OPEN_TRIED, FAST_OPEN_TIMED_OUT };

enum tcp_ack_due { ACK_NONE, ACK_LATER, ACK_NOW, ACK_CHALLENGE };

struct tcp_snd {
	uint64_t una, nxt; /* oldest unacknowledged, next to send */
	uint64_t end;	   /* one past the last byte the user gave; where the FIN is */
	uint32_t wnd, max_wnd;
	uint32_t iss;	   /* the number; its position: tcp_syn_pos */
	uint32_t wl1, wl2; /* sequence numbers of the segment that last updated wnd */
	uint32_t ts_off;   /* our timestamp clock less the stack's, RFC 7323 5.4 */
};

struct tcp_rcv {
	uint64_t nxt; /* next expected */
	uint64_t adv; /* the right edge of the window ever shown */
	uint64_t fin; /* position of the peer's FIN; TCP_NO_POS: not seen */
	uint64_t up;  /* one past the urgent data; TCP_NO_POS: none */
	union {
		uint64_t acked;	     /* nxt as last acknowledged by us (Last.ACK.sent) */
		tern_time opened_at; /* in SYN-SENT: when our SYN first went */
	};
	uint32_t irs;	       /* the number of the peer's SYN */
	uint32_t ts_recent;    /* RFC 7323 TS.Recent */
	uint32_t ts_recent_at; /* in seconds */
	/* tcp_tune.c: how fast the user reads */
	uint32_t rtt_us;	    /* of the peer's segments; 0: not known */
	uint32_t read_us, read_pos; /* when that was last looked at, and where the reader was */
};

#define TCP_NO_POS UINT64_MAX

/* Text ahead of a gap: which, and where the newest pieces began, newest first (RFC 2018 4). */
struct tcp_early {
	struct ranges set;
	uint64_t recent[TCP_SACK_MAX]; /* 0: none */
};

/* RFC 8985 5.2: what the youngest delivered segment says of those that went before it. */
struct tcp_rack {
	tern_time sent_at; /* when it went */
	uint64_t end;	   /* one past its last octet */
	tern_time rtt;	   /* how long it took */
	uint64_t fack;	   /* one past the highest octet delivered */
	uint64_t dsack_round;
	uint8_t reo_mult, reo_persist;
	bool reordering_seen;
};

/* RFC 6937 section 3. */
struct tcp_prr {
	uint64_t delivered, out, recover_fs; /* bytes, in this recovery */
};

/* What to return to when a loss was none: tcp_undo.c. */
struct tcp_undo {
	uint64_t pos;		 /* snd.una when it was believed; TCP_NO_POS: nothing to undo */
	uint32_t cwnd, ssthresh; /* before */
	uint32_t n_again;	 /* segments sent again that no DSACK has told of */
	uint32_t n_dsacks;	 /* ever, while this record lives */
	tern_time rtx_at;	 /* when the first of them went */
	uint64_t first_end;	 /* one past the first that went again */
	uint64_t rtx_end;	 /* one past what has gone again */
	bool sent_again;	 /* there was one */
	bool undone_before;	 /* ever, while this record lives */
};

/* How marks are fed back: tcp_ecn.c. */
enum ecn_mode { ECN_NONE, ECN_CLASSIC, ECN_ACCURATE };

/* draft-ietf-ccwg-bbr 4.1: bytes and instants since this record began. tcp_rate.c */
struct tcp_rate {
	uint64_t delivered, lost;
	tern_time delivered_at;	 /* C.delivered_time */
	tern_time first_sent_at; /* C.first_send_time */
	uint64_t app_limited;	 /* what `delivered` must exceed to end it; 0: not limited */
	uint64_t last; /* for TCP_INFO: the newest rate, and whether the user limited it */
	bool last_limited;
};

/* What holds a connection that has something to say: tcp_busy.c. */
enum tcp_wait { WAIT_NETWORK, WAIT_WINDOW, WAIT_BUFFER, WAIT_N, WAIT_NONE = WAIT_N };

enum tcp_loss_timer { LOSS_TIMER_PROBE, LOSS_TIMER_REORDERING };

/* What only a connection that sends needs: tcp_work.c. */
struct tcp_work {
	struct buf snd_buf;
	struct sent_log sent;
	uint64_t up;	    /* the urgent pointer: one past the last urgent byte */
	uint64_t recover;   /* RFC 6582: snd.nxt when recovery began */
	uint64_t small_end; /* one past the last segment below the MSS, for Nagle */
	uint64_t timed_pos; /* the segment timed ends here; TCP_NO_POS: none */
	tern_time timed_at;
	uint64_t round_end;    /* snd.nxt when this round trip began */
	uint64_t round_flight; /* the most that flew in it */
	bool round_untold;     /* it began, and the algorithm has not heard of it */
	tern_time unheard_at;  /* the last ACK of which it has not; 0: none */
	uint64_t rtt_end;      /* snd.nxt when a round trip was last measured */
	struct tcp_rack rack;
	struct tcp_prr prr;
	struct tcp_undo undo;
	uint64_t ecn_end;   /* snd.nxt when a mark was answered */
	uint64_t tlp_end;   /* RFC 8985 TLP.end_seq; TCP_NO_POS: no probe is out */
	tern_time loss_at;  /* of loss_timer; TERN_NEVER */
	uint8_t loss_timer; /* enum tcp_loss_timer */
	tern_time pace_at;  /* what has gone is in time with pace_rate until then */
	uint64_t pace_rate; /* bytes a second; 0: as fast as it comes */
	struct {
		uint32_t cwnd, ssthresh, min_rtt_us, most;
	} paced_by; /* of what it was made; cwnd 0: it was not */
	struct tcp_rate rate;
	uint32_t wait_ms;  /* in tcp_ctx.ms: when `wait` became what it is */
	uint8_t wait;	   /* enum tcp_wait */
	bool refused;	   /* the send buffer did not take all that the user gave */
	bool tlp_is_again; /* TLP.is_retrans */
	bool tlp_timed;	   /* a round trip was measured since the last probe */
	/* tcp_newreno.c, but for `limited` without SACK */
	uint64_t limited;   /* bytes sent since ACKs told of a gap: RFC 3042, not in FlightSize */
	bool partial_seen;  /* the first partial ACK of this recovery came */
	uint8_t dup_acks;   /* received in a row */
	uint32_t dup_bytes; /* that left the network, as they say */
	tern_time first_rtx_at; /* since when nothing is acknowledged, or a window is awaited */
	uint64_t octet_end;	/* one past the octet of a probe that counts as unsent again */
	tern_time taking_since; /* tcp_is_taken_slowly: since then the peer has taken */
	uint64_t taking_from;	/* what is above this */
	/* tcp_mtu.c */
	uint64_t too_big_pos; /* quoted by a message that waits ... */
	uint16_t too_big;     /* ... to be believed: the MSS it tells of; 0: there is none */
	uint16_t probe_next;  /* text of the probe that shall go; 0: none */
	uint64_t probe_end;   /* one past the last probe */
	tern_time probe_at;   /* not before */
	/* tcp_fastopen.c */
	uint8_t syn_cookie[TCP_COOKIE_MAX];
	uint8_t syn_cookie_len;
	bool syn_has_cookie;
	uint16_t syn_room; /* what a SYN may carry, options and text; 0: no text */
	uint16_t syn_text; /* bytes that it carried */
	uint64_t cc_state[CC_STATE_SIZE / sizeof(uint64_t)]; /* the last: cc_set_state clears it */
};

/* Something to be counted, under Linux's names: bits of tcp.notes, which the owner takes. */
enum tcp_note {
	TCP_NOTE_SACK_RECOVERY = 1 << 0,
	TCP_NOTE_RENO_RECOVERY = 1 << 1,
	TCP_NOTE_LOST_RETRANSMIT = 1 << 2,
	TCP_NOTE_SACK_RENEGING = 1 << 3,
	TCP_NOTE_SPURIOUS_RTO = 1 << 4,
	TCP_NOTE_FULL_UNDO = 1 << 5,
	TCP_NOTE_DSACK_UNDO = 1 << 6,
	TCP_NOTE_DSACK_RECV = 1 << 7,
	TCP_NOTE_DSACK_SENT = 1 << 8,
	TCP_NOTE_PROBE_RECOVERY = 1 << 9,
	TCP_N_NOTES = 10
};

/* Figures for TCP_INFO of what an idle connection never did; without memory they are not kept. */
struct tcp_tally {
	uint64_t bytes_rtx;
	uint32_t total_rtx, data_segs_in, data_segs_out;
	uint32_t delivered_ce; /* that came to the peer with a mark; RFC 3168's: as far as known */
	uint32_t n_early;      /* segments that came ahead of a gap */
	uint32_t delivered;    /* segments */
	uint32_t waited_ms[WAIT_N]; /* up to the last change */
};

struct tcp {
	/* configuration and state, small */
	uint8_t state; /* enum tern_tcp_state */
	uint8_t state_log_len;
	uint16_t notes;	      /* enum tcp_note */
	uint32_t state_log;   /* states entered since the owner last looked, 4 bits each */
	uint8_t error;	      /* TERN_Exxx with which it ended */
	uint8_t dup_acks_due; /* further ACKs owed to out-of-order segments, RFC 5681 4.2 */
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	uint8_t quick_acks;  /* so many more segments with text are acknowledged at once */
	uint8_t backoff;     /* RFC 6298 5.5: the RTO is doubled so often */
	uint8_t n_rtx;	     /* time-outs without an answer */
	uint8_t n_probes;    /* zero-window or keepalive probes without an answer */
	uint8_t challenge_n; /* challenge ACKs in this 5 s window */
	union {
		struct {
			bool rst_due : 1, syn_due : 1, probe_due : 1, keepalive_due : 1;
			bool tlp_due : 1;
			bool ack_first : 1;  /* the owed ACK goes alone: the handshake's ACE */
			bool probing : 1;    /* the persist timer runs, the RTO does not */
			bool rtx_forced : 1; /* the first loss goes whatever cwnd says */
			bool in_recovery : 1, in_rto_recovery : 1;
			uint8_t frto : 2;  /* enum tcp_frto_step */
			bool ecn_held : 1; /* marks, though only a segment may go: for the timer */
			bool ece_due : 1;  /* our ACKs echo a mark */
			bool cwr_due : 1;  /* the next new text says that we slowed down */
			bool fin_queued : 1; /* the user has closed the sending side */
			bool fin_sent : 1;
			bool user_gone : 1; /* nobody will read: data is answered by RST */
			bool rcv_shut : 1;  /* SHUT_RD */
			bool path_news : 1; /* path_mss shrank: the owner remembers it */
			bool not_ect : 1;   /* what we send is not to be marked as able */
			bool oob_taken : 1;
			bool syn_timed_out : 1, syn_asked : 1; /* why the SYN goes again */
			uint8_t fast_open : 2;		       /* enum tcp_fast_open */
			/* what is said elsewhere, too */
			bool not_open : 1;    /* the state is not ESTABLISHED */
			bool has_early : 1;   /* early */
			bool has_accecn : 1;  /* accecn */
			bool fin_came : 1;    /* rcv.fin */
			bool urgent_came : 1; /* rcv.up */
		};
		uint32_t unusual; /* 0: none of them: all of it is asked at once */
	};
	uint8_t ecn : 2;     /* enum ecn_mode: agreed on; before the SYN-ACK: asked for */
	uint8_t ack_due : 2; /* enum tcp_ack_due */
	bool paced : 1;	     /* data waits for pace_at */
	bool cork : 1;	     /* the option, or MSG_MORE: small segments wait */
	bool heard_text : 1; /* since we sent some */
	bool answers : 1;    /* the user answers text with text: ACKs can go along */
	bool pushed : 1;     /* the last text in order came with PSH: for now it is all */
	bool opened_passively : 1;
	bool sack_ok : 1, ts_ok : 1, wscale_ok : 1;
	bool carries_1280 : 1; /* every path to the peer does: IPv6 */
	bool syn_text_acked : 1;
	bool smaller_text : 1; /* the last segment with text was below rcv_mss */
	uint16_t adv_mss;      /* what we told */
	uint16_t snd_mss;      /* payload bytes of a full segment we send, options deducted */
	uint16_t peer_mss;     /* what the peer told */
	uint16_t path_mss;     /* what the path carries, as far as the network has told */
	/* tcp_mtu.c; options not deducted, as of path_mss */
	uint16_t search_low, search_high; /* RFC 4821 7.1; low 0: nothing is searched for */
	uint16_t acked_size;		  /* the largest segment that has arrived: RFC 5927 7.2 */
	uint16_t rcv_mss;		  /* the peer's full segments, as seen */
	uint16_t search_min;		  /* when the search last told something, in minutes */
	struct tcp_snd snd;
	struct tcp_rcv rcv;
	struct buf rcv_buf;
	struct tcp_work *work;	   /* NULL: nothing is to be sent, nothing we sent is outstanding */
	struct tcp_early *early;   /* what arrived above rcv.nxt; NULL: nothing */
	struct tcp_accecn *accecn; /* mode ECN_ACCURATE, from when it is agreed on */
	uint32_t dsack_lo,
		dsack_hi; /* numbers that came twice, to be told; equal: none (RFC 2883) */
	/* RFC 6298 */
	uint32_t srtt_us, rttvar_us, rto_us; /* srtt and rttvar 0: not yet measured */
	uint32_t min_rtt_us;		     /* the least of the last minutes: RACK, too */
	/* deadlines; TERN_NEVER: not set */
	tern_time rtx_at; /* retransmission or, while probing, persist */
	tern_time ack_at;
	tern_time keep_at;
	tern_time idle_at; /* work goes back; of FIN-WAIT-2 without a user: the end */
	uint32_t sent_ms;  /* in tcp_ctx.ms: last data sent */
	uint32_t rcvd_ms;  /* last segment accepted */
	/* limits of RFC 5961 section 7, in ms, compared by difference; oow_at 0: none yet */
	uint32_t challenge_at, oow_at;
	struct tcp_options opt;
	uint32_t min_rtt_s; /* when min_rtt_us was measured, in seconds */
	struct tern_cc cc;
	/* figures for TCP_INFO */
	uint32_t segs_in, segs_out;
	struct tcp_tally *tally; /* NULL: nothing of it has happened yet */
};

/* ---- opening ---- */

/* Active: state SYN-SENT, the plan is a SYN. Options and algorithm stay as they are. */
void tcp_connect(struct tcp *, const struct tcp_ctx *, const struct tcp_open *);
/* Frees buffers; the struct is the owner's. */
void tcp_fini(struct tcp *, const struct tcp_ctx *);

/*
 * RFC 7413, after tcp_connect: the SYN asks for a cookie (cookie_len 0), or brings one and text, of
 * which tcp_send takes some before the SYN goes. false: no memory, it stays an ordinary SYN.
 */
struct tcp_fast_offer {
	const uint8_t *cookie;
	uint8_t cookie_len;
	uint16_t mss;	     /* of the peer, remembered or guessed; options not deducted */
	bool without_cookie; /* neither asks for one nor needs one */
	bool wait_for_text;  /* the SYN goes when there is text */
};
bool tcp_offer_fast_open(struct tcp *, const struct tcp_ctx *, const struct tcp_fast_offer *);
bool tcp_waits_for_text(const struct tcp *);
bool tcp_syn_text_refused(const struct tcp *); /* asked when the SYN-ACK has come */

/* ---- the network side ---- */

struct tcp_result tcp_input(struct tcp *, const struct tcp_ctx *, const struct tcp_seg *);

/*
 * One pass over the bytes instead of two: text that is next in order is copied to where it belongs
 * while its checksum is computed, before anybody believes the segment. It counts only once
 * tcp_input has accepted it. false: not of that kind, nothing has happened; otherwise *sum has
 * grown, and a segment that proves wrong is taken back by tcp_unland.
 */
enum { TCP_LAND_MIN = 128 }; /* less text does not land */
bool tcp_land(struct tcp *, const struct tcp_ctx *, struct tcp_seg *, copy_sum_fn, uint32_t *sum);
/*
 * A segment of the same batch that says the same as the one before it, but for what is here. The
 * text of one that goes on where a landed one ends joins that: it then stands for both. An ACK of
 * more joins one without text, where that is the same as if it alone had come. false: not so, or
 * sum and text are wrong; nothing happened.
 */
struct tcp_wagon {
	const uint8_t *data;
	uint32_t len;
	uint32_t sum; /* of its header and pseudo-header */
	uint32_t ack;
	uint16_t wnd;
	uint16_t push; /* TCP_PSH, or 0 */
};
bool tcp_land_more(struct tcp *, const struct tcp_ctx *, struct tcp_seg *, copy_sum_fn,
		   const struct tcp_wagon *);
bool tcp_join_ack(const struct tcp *, struct tcp_seg *, const struct tcp_wagon *);
void tcp_unland(struct tcp *, const struct tcp_ctx *);
/* What arrived ahead of a gap is forgotten; it was never acknowledged (RFC 2018 8). */
void tcp_renege(struct tcp *, const struct tcp_ctx *);

/* An ICMP error that quotes `seq` (RFC 5927: outside [una, nxt) it is ignored: false). */
enum tcp_icmp { TCP_ICMP_SOFT, TCP_ICMP_NO_ROUTE, TCP_ICMP_HARD, TCP_ICMP_TOO_BIG };
struct tcp_icmp_news {
	enum tcp_icmp kind;
	uint32_t seq;
	uint16_t mss;  /* TOO_BIG: what the path carries now */
	uint8_t error; /* TERN_Exxx */
};
bool tcp_on_icmp(struct tcp *, const struct tcp_ctx *, const struct tcp_icmp_news *,
		 struct tcp_result *);
/* The owner has looked the route up: what the path carries, less or more than before. */
void tcp_set_path_mss(struct tcp *, const struct tcp_ctx *, uint16_t mss);

/* What to send next, and when: the one decision. */
enum tcp_send { SEND_NOTHING, SEND_RST, SEND_SYN, SEND_DATA, SEND_PROBE, SEND_KEEPALIVE, SEND_ACK };
struct tcp_plan {
	enum tcp_send what;
	enum tern_cause cause;
	uint64_t lo, hi; /* positions of the payload */
	bool fin;	 /* a FIN follows it */
	bool again;	 /* these positions were sent before */
	bool path_probe; /* one segment, larger than others: RFC 4821 */
};
/* burst_max: payload bytes that may go at once; 0: one segment. */
struct tcp_plan tcp_plan(const struct tcp *, uint32_t burst_max);
/* The plan's `what` alone, which is cheaper. */
enum tcp_send tcp_next(const struct tcp *);
/* false: the plan is SEND_NOTHING, for sure. */
bool tcp_may_speak(const struct tcp *);
/* The retransmission timer runs, though nothing is outstanding: the plan decides whether it may. */
bool tcp_waits_for_timer(const struct tcp *);

/*
 * Carries the plan out: the connection moves on as if all of it had been sent. What is to be sent
 * is in the struct tcp_out, one burst, and is taken from it in pieces.
 */
struct tcp_out {
	struct tcp_hdr h;   /* of the next piece; the owner's ports */
	uint64_t lo, hi;    /* positions of the payload that no piece has had */
	uint16_t end_flags; /* PSH and FIN, which the last piece has */
	uint16_t mss;	    /* text of each segment */
	uint32_t ack_step;  /* ACKs alone: how many octets each covers at most; else 0 */
	uint8_t cause;	    /* enum tern_cause */
	bool has_text;	    /* lo < hi at first */
	bool ect;	    /* the network may mark it, RFC 3168 */
	bool done;	    /* nothing is left of it */
	bool path_probe;
	bool again; /* it has been sent before */
};
/* false: no memory, nothing has changed. */
bool tcp_output(struct tcp *, const struct tcp_ctx *, const struct tcp_plan *, struct tcp_out *);

/* A segment that goes, of one piece or of several that the device cuts. */
enum { TCP_PIECE_SPANS = TERN_PKT_SPANS_MAX };
struct tcp_piece {
	const struct tcp_hdr *h; /* in the struct tcp_out */
	struct buf_span span[TCP_PIECE_SPANS];
	int n_spans;
	uint32_t len; /* payload bytes */
};
/*
 * The next piece, of max payload bytes at most; max 0: one segment. false: nothing is left, because
 * it was acknowledged or given up in the meantime.
 */
bool tcp_next_piece(struct tcp *, struct tcp_out *, uint32_t max, struct tcp_piece *);
/*
 * The same where it is like the piece before, whose text was len bytes, TCP_ALIKE_MAX at most:
 * another of the ACKs alone, or a further full segment. Returns how many spans; -1: it is not like
 * that, and nothing has changed.
 */
enum { TCP_ALIKE_SPANS = 2, TCP_ALIKE_MAX = BUF_TWO_CHUNKS };
int tcp_next_alike(struct tcp *, struct tcp_out *, uint32_t len,
		   struct buf_span span[TCP_ALIKE_SPANS]);
/* Text of each segment of a burst. */
uint32_t tcp_piece_mss(const struct tcp *, const struct tcp_out *);

/* ---- time ---- */

/* The earliest deadline; TERN_NEVER. What the plan has due now is not a deadline. */
tern_time tcp_deadline(const struct tcp *);
/*
 * Carries out every deadline that has passed. *timer names the first, for the trace (NULL: none).
 * suspect: so many time-outs that the neighbour is in doubt (R1).
 */
struct tcp_time_result {
	uint32_t events;
	bool suspect;
	const char *timer;
};
struct tcp_time_result tcp_on_time(struct tcp *, const struct tcp_ctx *);

/* ---- the user side ---- */

/* Free bytes in the send buffer; 0 when sending is over. */
size_t tcp_send_room(const struct tcp *);
/* The same where sending is allowed and only the buffer limits it. */
static inline size_t tcp_room_of_open(const struct tcp *c)
{
	uint64_t held = c->work ? c->snd.end - c->work->snd_buf.head : 0;

	return held < c->opt.sndbuf ? (size_t)(c->opt.sndbuf - held) : 0;
}
/* May the user send? 0 or a negative error. */
int tcp_send_allowed(const struct tcp *);
/* Copies as much as fits. Returns bytes or a negative error. */
int64_t tcp_send(struct tcp *, const struct tcp_ctx *, const void *, size_t);
int tcp_send_space(struct tcp *, const struct tcp_ctx *, struct tern_span *, int max);
int tcp_send_commit(struct tcp *, const struct tcp_ctx *, size_t len);
/* The last byte given so far is urgent (MSG_OOB). */
void tcp_mark_urgent(struct tcp *);

/* Bytes that can be read before the end or the urgent mark. */
size_t tcp_recv_ready(const struct tcp *);
/* What FIONREAD says, as on Linux: to the urgent mark, at it nothing; with SO_OOBINLINE all. */
size_t tcp_unread(const struct tcp *);
/* Has the peer's FIN come, and all before it? */
bool tcp_has_heard_all(const struct tcp *);
/* Would a read return at once with 0 (the end of the stream)? */
bool tcp_recv_ended(const struct tcp *);
size_t tcp_recv(struct tcp *, const struct tcp_ctx *, void *, size_t);
/* Copies what lies `off` bytes ahead, and takes nothing. */
size_t tcp_peek(const struct tcp *, size_t off, void *, size_t);
int tcp_recv_data(struct tcp *, const struct tcp_ctx *, struct tern_span *, int max);
int tcp_recv_consume(struct tcp *, const struct tcp_ctx *, size_t len);
/* The urgent byte kept out of band: 1 byte, or -TERN_EINVAL / -TERN_EAGAIN. */
int tcp_recv_urgent(struct tcp *, uint8_t *, bool peek);
bool tcp_at_mark(const struct tcp *);
bool tcp_at_urgent_octet(const struct tcp *); /* the same, and the octet is here */

/* No more data from us: a FIN after what is queued. */
void tcp_close_send(struct tcp *, const struct tcp_ctx *);
/* The user has gone: close, or reset when data was left unread. */
void tcp_close(struct tcp *, const struct tcp_ctx *);
/* ABORT: a RST is due when the state asks for one; the connection is CLOSED once it went. */
void tcp_abort(struct tcp *, const struct tcp_ctx *, int error);
/* Does text wait of which the peer has taken next to nothing for seconds, whatever it says? */
bool tcp_is_taken_slowly(const struct tcp *, const struct tcp_ctx *);

/*
 * Decides which timer runs, now that `next` is what the plan says: the owner calls it after every
 * verb above and after every change of an option that the plan looks at, before it reads the
 * deadline.
 */
void tcp_review_timers(struct tcp *, const struct tcp_ctx *, enum tcp_send next);
void tcp_set_keepalive(struct tcp *, const struct tcp_ctx *, bool on);
/* It counts at once, from the last segment on, as on Linux. */
void tcp_set_keep_idle(struct tcp *, const struct tcp_ctx *, uint16_t seconds);
void tcp_info(const struct tcp *, const struct tcp_ctx *, struct tern_tcp_info *);

/* The next state it entered since the last call, oldest first; false: none. */
bool tcp_state_change(struct tcp *, enum tern_tcp_state *);

void tcp_check(const struct tcp *);

#endif
