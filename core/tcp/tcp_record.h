/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_record.h - what is kept of a connection before it begins and after it has ended.
 */
#ifndef TERN_TCP_RECORD_H
#define TERN_TCP_RECORD_H

#include "tcp.h"

/* ---- tcp_listen.c: half-open connections ---- */

/* What is kept of a SYN until the handshake ends; 32-bit numbers, no addresses. */
struct tcp_half {
	uint32_t irs, iss;
	uint32_t ts_recent;
	uint16_t peer_mss;
	uint16_t snd_wnd; /* unscaled */
	uint16_t adv_mss;
	uint16_t rcv_wnd; /* what our SYN-ACK shows */
	uint8_t wscale;	  /* low four bits: the peer's, high: ours */
	uint8_t n_retries;
	uint16_t sack_ok : 1, ts_ok : 1, wscale_ok : 1;
	uint16_t held : 1;	  /* waits for the user's verdict */
	uint16_t give_cookie : 1; /* Fast Open's, with the first SYN-ACK */
	uint16_t acked : 1;	  /* but there was no text yet: TCP_DEFER_ACCEPT */
	uint16_t ecn : 2;	  /* enum ecn_mode */
	uint16_t syn_ecn : 2;	  /* how the last SYN came */
	uint16_t syn_plain : 1;	  /* one asked for no ECN */
	uint16_t syn_again : 1;	  /* and our SYN-ACK went again for it */
};

/* Has our SYN-ACK gone only once? */
static inline bool half_went_once(const struct tcp_half *half)
{
	return half->n_retries == 0 && !half->syn_again;
}

void half_init(struct tcp_half *, const struct tcp_ctx *, const struct tcp_seg *,
	       const struct tcp_open *);
enum half_verdict {
	HALF_DROP,	/* nothing */
	HALF_RST,	/* rst goes out; the record stays */
	HALF_RESEND,	/* the SYN came again: SYN-ACK again */
	HALF_CHALLENGE, /* an empty ACK */
	HALF_DIE,	/* a RST, or a SYN in the window: back to LISTEN */
	HALF_ABORT,	/* rst goes out, and back to LISTEN */
	HALF_COMPLETE,	/* make the connection and feed it this segment */
};
struct half_result {
	enum tern_drop drop; /* why the segment goes no further */
	struct tcp_rst rst;
};
enum half_verdict half_input(struct tcp_half *, const struct tcp_ctx *, const struct tcp_seg *,
			     struct half_result *);
void half_synack(const struct tcp_half *, const struct tcp_ctx *, uint32_t ts_off,
		 struct tcp_hdr *);
void half_ack(const struct tcp_half *, const struct tcp_ctx *, uint32_t ts_off, struct tcp_hdr *);
/* A connection in SYN-RECEIVED with what the record knows. false: no memory. */
bool tcp_from_half(struct tcp *, const struct tcp_ctx *, const struct tcp_half *,
		   const struct tcp_open *);
/*
 * RFC 7413, after tcp_from_half: the text of the SYN is the user's, who may answer, before the
 * handshake ends. The SYN-ACK is the connection's to send. false: no memory.
 */
bool tcp_accept_fast(struct tcp *, const struct tcp_ctx *, const struct tcp_seg *syn);
/* The RST that answers a segment to nobody, RFC 9293 3.10.7.1. */
struct tcp_rst tcp_rst_for(const struct tcp_seg *);

/* ---- tcp_timewait.c ---- */

struct tcp_tw {
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent;
	uint16_t wnd;	   /* as our last segment said */
	uint16_t oow_tick; /* of the last ACK to an unacceptable segment, 1/16 s */
};
/* TCP_TW_SYN: that ACK answered a SYN. */
enum { TCP_TW_TS = 1 << 0, TCP_TW_OOW = 1 << 1, TCP_TW_SYN = 1 << 2 };

/* flags: TCP_TW_*, kept by the owner beside the record. */
void tw_init(struct tcp_tw *, uint8_t *flags, const struct tcp *);
enum tw_verdict {
	TW_DROP,
	TW_ACK,		/* an empty ACK */
	TW_ACK_RESTART, /* the FIN came again: ACK, and 2 MSL starts anew */
	TW_END,		/* a RST that counts */
	TW_NEW_SYN,	/* RFC 6191: forget the record; its ISS must exceed tw.snd_nxt */
};
enum tw_verdict tw_input(struct tcp_tw *, uint8_t *flags, const struct tcp_ctx *,
			 const struct tcp_seg *);
void tw_ack(const struct tcp_tw *, uint8_t flags, const struct tcp_ctx *, uint32_t ts_off,
	    struct tcp_hdr *);

#endif
