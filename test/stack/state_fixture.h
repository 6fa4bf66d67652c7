/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state_fixture.h - one stack on a raw-IP link, and a peer made by hand that brings a connection
 * into any state.
 */
#ifndef TERN_STATE_FIXTURE_H
#define TERN_STATE_FIXTURE_H

#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

enum { PEER_PORT = 5555, PORT = 80, PEER_ISN = 1000000, WINDOW = 65535 };

static struct test_env counted;
static struct tern_stack *st;
static tern_sock listener, server;
static struct addr us, peer;
static uint16_t our_port; /* where the peer's segments go */
static uint32_t our_isn;  /* learned from the SYN or SYN-ACK */
static uint32_t edge;	  /* the right edge of the window that we showed last */
static tern_time now;
static void (*adjust)(struct tern_config *); /* of new_stack; NULL: the defaults */

/* ---- a peer by hand ---- */

struct reply {
	struct tcp_hdr h;
	uint32_t len;
};

static inline void put_frame(const uint8_t *bytes, size_t len)
{
	struct tern_pkt *p = tern_pkt_new(st, (uint32_t)len);

	if (len)
		memcpy(p->data, bytes, len);
	p->ifindex = 2;
	tern_input(st, p);
}

/* Takes what the stack sends; the last segment in *r; how many there were. */
static inline unsigned take_replies(struct reply *r)
{
	unsigned n = 0;
	struct tern_pkt *p;
	uint8_t buf[2048];

	while ((p = tern_output(st, 2))) {
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));

		tern_pkt_free(st, p);
		if (len < 40 || !tcp_parse(&r->h, buf + 20, len - 20))
			continue;
		r->len = len - 20 - r->h.hdr_len;
		if (r->h.flags & TCP_ACK)
			edge = r->h.ack + r->h.wnd;
		n++;
	}
	return n;
}

static inline void send_raw(const uint8_t *segment, size_t len)
{
	struct ip4 ip = { .ttl = 64, .proto = 6, .hdr_len = 20, .src = peer, .dst = us };
	uint8_t buf[4096];

	ip.total_len = (uint16_t)(20 + len);
	ip4_emit(&ip, buf);
	memcpy(buf + 20, segment, len);
	if (len >= 18) {
		put_be16(buf + 36, 0);
		put_be16(buf + 36,
			 checksum_finish(checksum_add(
				 buf + 20, len, checksum_pseudo(&peer, &us, 6, (uint32_t)len))));
	}
	put_frame(buf, 20 + len);
}

static inline void send_segment(const struct tcp_hdr *h, uint32_t len)
{
	uint8_t buf[2048];
	struct tcp_hdr full = *h;
	size_t n;

	full.src_port = PEER_PORT;
	full.dst_port = our_port;
	n = tcp_emit(&full, buf);
	memset(buf + n, 'x', len);
	send_raw(buf, n + len);
}

static inline void send_plain(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct tcp_hdr h = { .flags = flags, .seq = seq, .ack = ack, .wnd = WINDOW };

	send_segment(&h, len);
}

/* ---- a stack in a state ---- */

static inline void new_stack_with(const struct tern_config *cfg)
{
	struct tern_env env;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, PORT);
	const uint8_t us4[4] = { 10, 0, 0, 1 }, peer4[4] = { 10, 0, 0, 2 };

	counted = (struct test_env){ .fill = 0xff };
	env = test_env_make(&counted, 3);
	st = tern_new(cfg, &env);
	us = addr_from4(us4);
	peer = addr_from4(peer4);
	now = TERN_SEC;
	tern_advance(st, now);
	tern_iface_add(st, &wire);
	tern_addr_add(st, 2, &a, 24);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
	tern_bind(st, listener, &a);
	tern_listen(st, listener, 4);
	server = 0;
	our_port = PORT;
	edge = 0;
}

static inline void new_stack(void)
{
	struct tern_config cfg;

	tern_config_default(&cfg);
	if (adjust)
		adjust(&cfg);
	new_stack_with(&cfg);
}

static inline void end_stack(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

/* What the stack says of the connection; CLOSED when there is none: also of a listener. */
static inline enum tern_tcp_state state_now(void)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &info))
		if (info.remote.port == PEER_PORT)
			return (enum tern_tcp_state)info.state;
	return TERN_TCP_CLOSED;
}

/* Our next number and what we have acknowledged, after reach(). */
static uint32_t snd_nxt, rcv_nxt;

/* A connection that we open ourselves, from a port of its own. */
static inline void reach_syn_sent(void)
{
	struct tern_addr a = tern_ip4(10, 0, 0, 1, PORT + 1), to = tern_ip4(10, 0, 0, 2, PEER_PORT);
	struct reply r;

	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &server);
	tern_bind(st, server, &a);
	check_eq(tern_connect(st, server, &to), -TERN_EINPROGRESS);
	take_replies(&r);
	our_port = PORT + 1;
	our_isn = r.h.seq;
	snd_nxt = our_isn + 1;
	rcv_nxt = PEER_ISN;
}

static inline void reach(enum tern_tcp_state state)
{
	struct reply r;

	new_stack();
	snd_nxt = rcv_nxt = PEER_ISN; /* of CLOSED and LISTEN: any number is as good */
	if (state == TERN_TCP_CLOSED)
		our_port = PORT + 2; /* nobody is there */
	if (state == TERN_TCP_SYN_SENT)
		reach_syn_sent();
	if (state <= TERN_TCP_SYN_SENT)
		return;
	send_plain(TCP_SYN, PEER_ISN, 0, 0);
	take_replies(&r);
	our_isn = r.h.seq;
	snd_nxt = our_isn + 1;
	rcv_nxt = PEER_ISN + 1;
	if (state == TERN_TCP_SYN_RECEIVED)
		return;
	send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
	tern_accept(st, listener, &server, NULL);
	if (state == TERN_TCP_CLOSE_WAIT || state == TERN_TCP_LAST_ACK) {
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
		take_replies(&r);
	}
	if (state == TERN_TCP_ESTABLISHED || state == TERN_TCP_CLOSE_WAIT)
		return;
	tern_shutdown(st, server, TERN_SHUT_WR);
	take_replies(&r);
	snd_nxt++;
	if (state == TERN_TCP_CLOSING)
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt - 1, 0);
	if (state == TERN_TCP_FIN_WAIT_2 || state == TERN_TCP_TIME_WAIT)
		send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
	if (state == TERN_TCP_TIME_WAIT)
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
	take_replies(&r);
	if (state == TERN_TCP_TIME_WAIT)
		tern_close(st, server); /* leaves the record alone */
}

#endif
