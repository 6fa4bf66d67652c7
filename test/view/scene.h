/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.h - two hosts played by hand: frames built with the emit functions, states as told, so that
 * pictures can be tested without a stack.
 */
#ifndef TERN_TEST_SCENE_H
#define TERN_TEST_SCENE_H

#include <stdio.h>
#include <stdlib.h>

#include "../../core/wire/wire.h"
#include "../../view/events.h"
#include "../../view/ladder.h"
#include "../../view/pcapng.h"

struct scene {
	struct view *view;
	tern_time now;
	bool raw_ip;
	uint64_t n_frames;
	struct tern_addr addr[2];
	uint32_t isn[2];
	uint64_t conn[2];
	uint8_t proto;
	struct tcp_hdr options; /* of the next segment */
};

static inline struct scene scene_new(bool ip6)
{
	struct scene s = {
		.view = view_new(0),
		.isn = { 1000000000, 4294967290U },
		.conn = { 1, 2 },
		.proto = TERN_IPPROTO_TCP,
	};

	for (int i = 0; i < 2; i++) {
		s.addr[i].family = ip6 ? TERN_AF_INET6 : TERN_AF_INET;
		s.addr[i].port = i ? 80 : 40000;
		s.addr[i].ip[0] = ip6 ? 0xfd : 10;
		s.addr[i].ip[ip6 ? 15 : 3] = (uint8_t)(i + 1);
	}
	view_name_host(s.view, 0, "a");
	view_name_host(s.view, 1, "b");
	return s;
}

static inline struct addr scene_ip(const struct scene *s, int side)
{
	const struct tern_addr *a = &s->addr[side];

	return a->family == TERN_AF_INET ? addr_from4(a->ip) : addr_from6(a->ip);
}

static inline size_t scene_ip_header(const struct scene *s, int from, size_t payload, uint8_t *p)
{
	struct ip4 ip4 = { .ttl = 64,
			   .proto = s->proto,
			   .df = true,
			   .total_len = (uint16_t)(IP4_HDR_LEN + payload),
			   .src = scene_ip(s, from),
			   .dst = scene_ip(s, 1 - from) };
	struct ip6 ip6 = { .hop_limit = 64,
			   .next_header = s->proto,
			   .payload_len = (uint16_t)payload,
			   .src = scene_ip(s, from),
			   .dst = scene_ip(s, 1 - from) };

	return s->addr[0].family == TERN_AF_INET ? ip4_emit(&ip4, p) : ip6_emit(&ip6, p);
}

static inline size_t scene_link_header(const struct scene *s, int from, uint8_t *p)
{
	struct eth eth = { .dst = { 2, 0, 0, 0, 0, (uint8_t)(2 - from) },
			   .src = { 2, 0, 0, 0, 0, (uint8_t)(1 + from) },
			   .type = s->addr[0].family == TERN_AF_INET ? ETH_IP4 : ETH_IP6 };

	return s->raw_ip ? 0 : eth_emit(&eth, p);
}

/* Adds the event with the current time. */
static inline bool scene_add(struct scene *s, struct view_event ev)
{
	ev.at = s->now;
	return view_add(s->view, &ev);
}

static inline uint64_t scene_frame(struct scene *s, int from, const uint8_t *bytes, size_t len)
{
	scene_add(s, (struct view_event){ .kind = VIEW_SENT,
					  .host = from,
					  .frame = ++s->n_frames,
					  .raw_ip = s->raw_ip,
					  .bytes = bytes,
					  .len = (uint32_t)len,
					  .kept = (uint32_t)len });
	return s->n_frames;
}

/* A segment with relative numbers leaves; returns the number of its frame. */
static inline uint64_t scene_send(struct scene *s, int from, uint16_t flags, const uint32_t n[4])
{
	static uint8_t frame[4096];
	struct tcp_hdr h = s->options;
	struct addr src = scene_ip(s, from), dst = scene_ip(s, 1 - from);
	size_t l3 = scene_link_header(s, from, frame), l4, tcp_len;

	h.src_port = s->addr[from].port;
	h.dst_port = s->addr[1 - from].port;
	h.flags = flags;
	h.seq = s->isn[from] + n[0];
	h.ack = flags & TCP_ACK ? s->isn[1 - from] + n[1] : 0;
	h.wnd = (uint16_t)n[3];
	tcp_len = TCP_HDR_LEN + tcp_options_len(&h) + n[2];
	l4 = l3 + scene_ip_header(s, from, tcp_len, frame + l3);
	memset(frame + l4, 'x', tcp_len);
	tcp_emit(&h, frame + l4);
	put_be16(frame + l4 + 16,
		 checksum_finish(checksum_add(frame + l4, tcp_len,
					      checksum_pseudo(&src, &dst, 6, (uint32_t)tcp_len))));
	memset(&s->options, 0, sizeof(s->options));
	return scene_frame(s, from, frame, l4 + tcp_len);
}

#define SEG(seq, ack, len, wnd) ((const uint32_t[4]){ (seq), (ack), (len), (wnd) })

static inline void scene_arrive(struct scene *s, int at, uint64_t frame)
{
	scene_add(s, (struct view_event){ .kind = VIEW_DELIVERED, .host = at, .frame = frame });
}

static inline void scene_tell(struct scene *s, enum view_kind kind, int host, const char *text)
{
	scene_add(s, (struct view_event){
			     .kind = kind, .host = host, .frame = s->n_frames, .text = text });
}

/* The retransmission timer of host 0's connection. */
static inline void scene_time_out(struct scene *s)
{
	scene_add(s, (struct view_event){ .kind = VIEW_TIMER,
					  .conn = 1,
					  .local = s->addr[0],
					  .remote = s->addr[1],
					  .text = "rto" });
}

/* The next frame is a second copy of this one of host 0. */
static inline void scene_duplicate(struct scene *s, uint64_t frame)
{
	scene_add(s, (struct view_event){
			     .kind = VIEW_DUPLICATED, .frame = ++s->n_frames, .copy_of = frame });
}

/* by_listen of side 1, unless it went through SYN-SENT */
static inline void scene_state(struct scene *s, int side, enum tern_tcp_state from,
			       enum tern_tcp_state to)
{
	scene_add(s, (struct view_event){ .kind = VIEW_STATE,
					  .host = side,
					  .conn = s->conn[side],
					  .old_state = from,
					  .new_state = to,
					  .local = s->addr[side],
					  .remote = s->addr[1 - side],
					  .by_listen = from == TERN_TCP_LISTEN });
}

static inline void scene_wait(struct scene *s, tern_time t)
{
	s->now += t;
}

/* A segment that arrives 10 ms later, with nothing in between. */
static inline void scene_pass(struct scene *s, int from, uint16_t flags, const uint32_t n[4])
{
	uint64_t f = scene_send(s, from, flags, n);

	scene_wait(s, 10 * TERN_MS);
	scene_arrive(s, 1 - from, f);
}

static inline void scene_syn_options(struct scene *s)
{
	s->options = (struct tcp_hdr){ .has_mss = true,
				       .mss = 1460,
				       .has_wscale = true,
				       .wscale = 7,
				       .sack_permitted = true,
				       .has_ts = true };
}

static inline void scene_handshake(struct scene *s)
{
	scene_state(s, 0, TERN_TCP_CLOSED, TERN_TCP_SYN_SENT);
	scene_syn_options(s);
	scene_pass(s, 0, TCP_SYN, SEG(0, 0, 0, 65535));
	scene_state(s, 1, TERN_TCP_LISTEN, TERN_TCP_SYN_RECEIVED);
	scene_syn_options(s);
	scene_pass(s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 65535));
	scene_state(s, 0, TERN_TCP_SYN_SENT, TERN_TCP_ESTABLISHED);
	scene_pass(s, 0, TCP_ACK, SEG(1, 1, 0, 512));
	scene_state(s, 1, TERN_TCP_SYN_RECEIVED, TERN_TCP_ESTABLISHED);
}

/* Four closing segments; side 0 has sent and got so many bytes. */
static inline void scene_close(struct scene *s, uint32_t sent, uint32_t got)
{
	scene_state(s, 0, TERN_TCP_ESTABLISHED, TERN_TCP_FIN_WAIT_1);
	scene_pass(s, 0, TCP_FIN | TCP_ACK, SEG(sent + 1, got + 1, 0, 512));
	scene_state(s, 1, TERN_TCP_ESTABLISHED, TERN_TCP_CLOSE_WAIT);
	scene_pass(s, 1, TCP_ACK, SEG(got + 1, sent + 2, 0, 512));
	scene_state(s, 0, TERN_TCP_FIN_WAIT_1, TERN_TCP_FIN_WAIT_2);
	scene_state(s, 1, TERN_TCP_CLOSE_WAIT, TERN_TCP_LAST_ACK);
	scene_pass(s, 1, TCP_FIN | TCP_ACK, SEG(got + 1, sent + 2, 0, 512));
	scene_state(s, 0, TERN_TCP_FIN_WAIT_2, TERN_TCP_TIME_WAIT);
	scene_pass(s, 0, TCP_ACK, SEG(sent + 2, got + 2, 0, 512));
	scene_state(s, 1, TERN_TCP_LAST_ACK, TERN_TCP_CLOSED);
	scene_wait(s, 60 * TERN_SEC - 10 * TERN_MS);
	scene_state(s, 0, TERN_TCP_TIME_WAIT, TERN_TCP_CLOSED);
}

typedef bool scene_draw_fn(FILE *, const struct view *, const struct ladder_options *);

/* What was written, as text of the caller's to free; closes the file. */
static inline char *scene_read_back(FILE *f)
{
	long len = ftell(f);
	char *text;

	if (len < 0)
		abort();
	text = calloc(1, (size_t)len + 1);
	rewind(f);
	if (!text || fread(text, 1, (size_t)len, f) != (size_t)len)
		abort();
	fclose(f);
	return text;
}

/* The picture as text of the caller's to free. */
static inline char *scene_draw(const struct view *v, scene_draw_fn *draw, bool full)
{
	const struct ladder_options options = { .full = full };
	FILE *f = tmpfile();

	if (!f || !draw(f, v, &options))
		abort();
	return scene_read_back(f);
}

#endif
