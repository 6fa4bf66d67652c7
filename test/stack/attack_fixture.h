/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack_fixture.h - one stack on a raw-IP link, and any number of peers that say what they like.
 *
 * The stack is 10.0.0.1 on interface 2; a peer is an IPv4 address and a port, and reaches PORT
 * unless `to_port` says otherwise. Nothing is checked here but what a peer of good will needs.
 */
#ifndef TERN_ATTACK_FIXTURE_H
#define TERN_ATTACK_FIXTURE_H

#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"
#include "records.h"

enum { PORT = 80, WINDOW = 65535 };
#define HERE 0x0a000001u

static struct test_env counted;
static struct tern_stack *st;
static struct tern_config config; /* of new_world; set by default_world */
static tern_time now;

/* ---- segments ---- */

/* One that a peer sends; what is not named is 0, but the window. */
struct shot {
	uint32_t ip;
	uint16_t port, to_port, flags, wnd; /* wnd 0: WINDOW; NO_WINDOW: 0 */
	uint32_t seq, ack;
	const struct tcp_hdr *options;
	const void *text;
	uint32_t len; /* of the text; without text, that many 'x' */
	bool ce;
};
enum { NO_WINDOW = 1 };

/* One that we sent. */
struct heard {
	uint32_t ip;
	struct tcp_hdr h;
	uint32_t len;	    /* of the text */
	uint32_t ip_len;    /* of the packet */
	uint8_t text[2000]; /* its first bytes */
};

static inline struct addr addr_of(uint32_t ip)
{
	uint8_t b[4];

	put_be32(b, ip);
	return addr_from4(b);
}

static inline uint32_t emit_tcp(const struct shot *s, uint8_t *segment)
{
	struct addr from = addr_of(s->ip), to = addr_of(HERE);
	struct tcp_hdr h = { .hdr_len = 0 };
	uint32_t len;

	if (s->options)
		h = *s->options;
	h.src_port = s->port;
	h.dst_port = s->to_port ? s->to_port : PORT;
	h.seq = s->seq;
	h.ack = s->ack;
	h.flags = s->flags;
	h.wnd = s->wnd == 0 ? WINDOW : s->wnd == NO_WINDOW ? 0 : s->wnd;
	len = (uint32_t)tcp_emit(&h, segment);
	if (s->text)
		memcpy(segment + len, s->text, s->len);
	else
		memset(segment + len, 'x', s->len);
	len += s->len;
	put_be16(segment + 16,
		 checksum_finish(checksum_add(segment, len, checksum_pseudo(&from, &to, 6, len))));
	return len;
}

/* false: no memory for the packet. */
static inline bool shoot(const struct shot *s)
{
	struct ip4 ip = { .ttl = 64, .proto = 6, .hdr_len = 20, .src = addr_of(s->ip) };
	uint8_t segment[2000];
	uint32_t len = emit_tcp(s, segment);
	struct tern_pkt *p = tern_pkt_new(st, 20 + len);

	if (!p)
		return false;
	ip.dst = addr_of(HERE);
	ip.tos = s->ce ? 3 : 0;
	ip.total_len = (uint16_t)(20 + len);
	ip4_emit(&ip, p->data);
	memcpy(p->data + 20, segment, len);
	p->ifindex = 2;
	tern_input(st, p);
	return true;
}

/* The next segment that goes out. */
static inline bool hear(struct heard *r)
{
	struct tern_pkt *p;
	uint8_t buf[2100];

	while ((p = tern_output(st, 2))) {
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));

		tern_pkt_free(st, p);
		if (len < 40 || buf[9] != 6 || !tcp_parse(&r->h, buf + 20, len - 20))
			continue;
		r->ip = get_be32(buf + 16);
		r->ip_len = len;
		r->len = len - 20 - r->h.hdr_len;
		memcpy(r->text, buf + 20 + r->h.hdr_len, r->len);
		return true;
	}
	return false;
}

/* All that goes out; the last in *r (NULL: not wanted). How many there were. */
static inline unsigned hear_all(struct heard *r)
{
	struct heard one;
	unsigned n = 0;

	while (hear(r ? r : &one))
		n++;
	return n;
}

static inline void pass(tern_time by)
{
	now += by;
	tern_advance(st, now);
}

/* ---- a world ---- */

static inline void default_world(void)
{
	tern_config_default(&config);
}

static inline void new_world(uint64_t seed, tern_time at)
{
	struct tern_env env;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0);

	counted = (struct test_env){ .fill = 0xa5 };
	env = test_env_make(&counted, seed);
	st = tern_new(&config, &env);
	now = at;
	tern_advance(st, now);
	check_eq(tern_iface_add(st, &wire), 2);
	check_eq(tern_addr_add(st, 2, &a, 8), 0);
}

static inline void end_world(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

static inline tern_sock listen_at(uint16_t port, int backlog)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, port);
	int32_t one = 1;
	tern_sock s;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &one, sizeof(one));
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_listen(st, s, backlog), 0);
	return s;
}

/* A peer of good will: what it knows of its connection. */
struct client {
	uint32_t ip;
	uint16_t port;
	uint32_t nxt, rcv; /* its next number, and what it expects */
	tern_sock sock;	   /* ours */
};

/* SYN and ACK, without accept; false: it was not answered with a SYN,ACK. */
static inline bool knock(struct client *c, const struct tcp_hdr *options)
{
	struct heard r;

	if (!shoot(&(struct shot){ .ip = c->ip,
				   .port = c->port,
				   .flags = TCP_SYN,
				   .seq = c->nxt,
				   .options = options }))
		return false;
	if (!hear(&r) || r.ip != c->ip || r.h.flags != (TCP_SYN | TCP_ACK))
		return false;
	c->nxt++;
	c->rcv = r.h.seq + 1;
	return shoot(&(struct shot){
		.ip = c->ip, .port = c->port, .flags = TCP_ACK, .seq = c->nxt, .ack = c->rcv });
}

static inline bool enter(struct client *c, tern_sock at)
{
	return knock(c, NULL) && tern_accept(st, at, &c->sock, NULL) == 0;
}

static inline bool say(struct client *c, uint16_t flags, uint32_t len)
{
	bool ok = shoot(&(struct shot){ .ip = c->ip,
					.port = c->port,
					.flags = flags | TCP_ACK,
					.seq = c->nxt,
					.ack = c->rcv,
					.len = len });

	c->nxt += len + (flags & TCP_FIN ? 1 : 0);
	return ok;
}

/* A user who closes what has failed. */
static inline void close_failed(void)
{
	struct tern_event ev;

	while (tern_event(st, &ev))
		if (ev.ready & TERN_POLLERR)
			tern_close(st, ev.sock);
}

/* A client that asks with ten bytes, gets `answer` bytes, and says again what was lost. */
struct visit {
	struct client c;
	uint32_t answer, got, sent; /* bytes of the answer: in all, received, given to the stack */
	bool asked, ended;
};

static inline void visit_hears(struct visit *v)
{
	struct heard r;

	while (hear(&r)) {
		if (r.ip != v->c.ip || r.h.dst_port != v->c.port || r.h.seq != v->c.rcv)
			continue;
		v->c.rcv += r.len;
		v->got += r.len;
		if (r.h.flags & TCP_FIN) {
			v->c.rcv++;
			v->ended = true;
		}
	}
}

/* The server's part: reads the question, gives the answer, closes. */
static inline void visit_is_answered(struct visit *v)
{
	static const uint8_t bytes[10000];
	uint8_t question[10];
	int64_t n;

	if (!v->asked)
		v->asked = tern_recv(st, v->c.sock, question, 10, 0) == 10;
	if (!v->asked)
		return;
	n = tern_send(st, v->c.sock, bytes, v->answer - v->sent, 0);
	v->sent += n > 0 ? (uint32_t)n : 0;
	if (v->sent == v->answer)
		tern_close(st, v->c.sock);
}

static inline bool is_served(tern_sock at, uint32_t ip, uint16_t port, uint32_t answer)
{
	struct visit v = { .c = { .ip = ip, .port = port, .nxt = 1000 }, .answer = answer };

	for (int i = 0; i < 5 && !v.c.sock; i++) {
		hear_all(NULL);
		v.c.nxt = 1000;
		if (!enter(&v.c, at))
			pass(TERN_SEC);
	}
	if (!v.c.sock)
		return false;
	for (int i = 0; i < 100 && !v.ended; i++) {
		v.c.nxt = 1001;
		say(&v.c, TCP_PSH, 10);
		visit_is_answered(&v);
		close_failed();
		visit_hears(&v);
		pass(20 * TERN_MS);
	}
	say(&v.c, TCP_FIN, 0);
	hear_all(NULL);
	return v.got == answer;
}

/* ---- one connection ---- */

static tern_sock listener; /* of plain_world */

static inline void plain_world(void)
{
	default_world();
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
}

enum { MIB = 1 << 20 };

/* The same with little memory and a long queue. */
static inline void small_world_of(uint64_t seed, uint64_t memory)
{
	test_at("seed %d", (int)seed);
	default_world();
	config.memory_max = memory;
	new_world(seed, TERN_SEC);
	listener = listen_at(PORT, 128);
}

static inline void small_world(uint64_t memory)
{
	small_world_of(7, memory);
}

static inline struct client connected(uint32_t isn)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = isn };

	check(enter(&c, listener));
	hear_all(NULL);
	return c;
}

static inline struct client connected_with(const struct tcp_hdr *options,
					   const struct tcp_hdr *later)
{
	struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1000 };
	struct heard r;

	shoot(&(struct shot){
		.ip = c.ip, .port = c.port, .flags = TCP_SYN, .seq = c.nxt, .options = options });
	check(hear(&r));
	c.nxt++;
	c.rcv = r.h.seq + 1;
	shoot(&(struct shot){ .ip = c.ip,
			      .port = c.port,
			      .flags = TCP_ACK,
			      .seq = c.nxt,
			      .ack = c.rcv,
			      .options = later });
	check_eq(tern_accept(st, listener, &c.sock, NULL), 0);
	hear_all(NULL);
	return c;
}

/* Bytes of the stream: which one stands where. */
static inline uint8_t byte_at(uint32_t off)
{
	return (uint8_t)(off * 7 + off / 251);
}

static inline void put_piece(const struct client *c, uint32_t off, uint32_t len, uint16_t flags)
{
	uint8_t text[1500];

	for (uint32_t i = 0; i < len; i++)
		text[i] = byte_at(off + i);
	shoot(&(struct shot){ .ip = c->ip,
			      .port = c->port,
			      .flags = flags | TCP_ACK,
			      .seq = c->nxt + off,
			      .ack = c->rcv,
			      .text = text,
			      .len = len });
}

/* Reads all that is there and compares; how many bytes there have been so far. */
static inline uint32_t read_on(const struct client *c, uint32_t pos, bool *ended)
{
	uint8_t buf[70000];
	int64_t n;

	*ended = false;
	while ((n = tern_recv(st, c->sock, buf, sizeof(buf), 0)) > 0) {
		for (int64_t i = 0; i < n; i++) {
			if (buf[i] != byte_at(pos + (uint32_t)i)) {
				test_fail(__FILE__, __LINE__, "byte %u is wrong",
					  pos + (uint32_t)i);
				return pos;
			}
		}
		pos += (uint32_t)n;
	}
	*ended = n == 0;
	return pos;
}

/* Records of streams besides listeners. */
static inline unsigned n_streams(void)
{
	return records_of(st);
}

/* A series that is the same each time. */
static uint64_t series = 1;

static inline uint32_t draw(void)
{
	series = series * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(series >> 32);
}

#endif
