/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_tcp.h - what sock_tcp.c, sock_listen.c and sock_stream.c say to each other.
 */
#ifndef TERN_SOCK_TCP_H
#define TERN_SOCK_TCP_H

#include "sock.h"
#include "sock_message.h"

struct state_change {
	const struct tuple *t;
	uint32_t conn;
	enum tern_tcp_state from, to;
	bool by_listen;
};

/* sock_tcp.c */
uint32_t tcp_draw_isn(const struct sockets *, const struct tuple *, const struct min_iss *);
uint32_t tcp_ts_offset(const struct sockets *, const struct tuple *);
struct tcp_open tcp_open_for(const struct sockets *, const struct sock *, const struct tuple *,
			     const struct hop *);
/* Text and options of a segment in a packet of mtu bytes. */
uint16_t mss_for(const struct tuple *, uint32_t mtu);
void tcp_reply_rst(struct tcp_reply *, const struct tcp_rst *);

/* sock_settle.c */
void trace_state(const struct sockets *, const struct state_change *);
void trace_sample(const struct sockets *, const struct sock *);

/* sock_half.c */
enum { SYNCOOKIES_ALWAYS = 2 };
bool input_to_listener(struct sockets *, const struct tuple *key, const struct tcp_packet *,
		       struct tcp_reply *, enum tern_drop *);
enum tern_drop input_to_half(struct sockets *, struct half *, const struct tcp_packet *,
			     struct tcp_reply *);
/* sock_listen.c */
void listener_end(struct sockets *, struct sock *);
int listener_shutdown(struct sockets *, struct sock *, int how);

/* sock_cookie.c */

/*
 * The initial number of a SYN-ACK of which nothing is kept. What it cannot keep of the SYN is taken
 * from it. If it has timestamps, the SYN-ACK's must be cookie_ts_val of our clock.
 */
uint32_t cookie_bake(struct sockets *, const struct tuple *, struct tcp_hdr *syn);
uint32_t cookie_ts_val(uint32_t clock, const struct tcp_hdr *syn);
/* Does this ACK answer one of ours, not more than two minutes old? Then *syn is that SYN again. */
bool cookie_taste(const struct sockets *, const struct tuple *, const struct tcp_hdr *ack,
		  struct tcp_hdr *syn);

/* sock_fastopen.c */
enum { /* bits of net.ipv4.tcp_fastopen, as on Linux */
       FAST_OPEN_CLIENT = 1,
       FAST_OPEN_SERVER = 2,
       FAST_OPEN_CLIENT_FREE = 4,      /* no cookie is asked for or needed */
       FAST_OPEN_SERVER_FREE = 0x200,  /* no cookie is needed */
       FAST_OPEN_ALL_LISTENERS = 0x400 /* also those that did not set TCP_FASTOPEN */
};
enum fast_open_verdict {
	FAST_OPEN_ORDINARY, /* a handshake as any */
	FAST_OPEN_GIVE,	    /* the same, and the SYN-ACK gives a cookie */
	FAST_OPEN_TAKE	    /* its text may be taken */
};
enum fast_open_verdict fast_open_judge(struct sockets *, const struct sock *listener,
				       const struct tuple *, const struct tcp_seg *syn);
/* A connection opened with text, and waits for the end of its handshake. */
void fast_open_begins(struct sockets *, struct sock *child);
/* Of one that waits: is it over, as our SYN was acknowledged, or as it came to nothing? */
void fast_open_review(struct sockets *, struct sock *child);
void fast_open_give_cookie(struct sockets *, const struct tuple *, struct tcp_hdr *);
/* A connection whose SYN has not gone asks for a cookie, or brings the one it has; with_text: then
 * the SYN waits for text. */
void fast_open_offer(struct sockets *, struct sock *, bool with_text);
/* Its SYN-ACK has come. */
void fast_open_learn(struct sockets *, const struct sock *, const struct tcp_hdr *synack);
void fast_open_forget_peers(struct sockets *);

/* sock_timewait.c */
enum tern_drop input_to_time_wait(struct sockets *, struct time_wait *, const struct tcp_packet *,
				  struct tcp_reply *);
/* It ends, if there is one. */
void time_wait_give_way(struct sockets *, const struct tuple *, struct min_iss *);
void time_wait_begin(struct sockets *, struct sock *);

#endif
