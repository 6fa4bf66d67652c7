/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_calls.h - the calls of stack_fuzz.c: the input says which, on which socket, how long.
 *
 * What a stream sends is known beforehand, byte for byte, so that what comes can be compared with
 * it. That is done where the wire is honest and the connection is known by its names; names that
 * came twice are not told apart, and urgent bytes leave the order.
 */
#ifndef TERN_STACK_CALLS_H
#define TERN_STACK_CALLS_H

#include "hostile_wire.h"

enum { ECHO_PORT = 7, UDP_PORT = 9 };

/* ---- streams whose bytes are known ---- */

static uint8_t byte_of(const struct run *r, const struct pipe *p, int side, uint64_t i)
{
	return (uint8_t)(i * 131 + (i >> 8) * 29 + (uint64_t)(p - r->pipe) * 2 + (uint64_t)side);
}

static bool is_at_other_side(const struct tern_addr *a, int side)
{
	return a->family == TERN_AF_INET ? a->ip[0] == 10 && a->ip[3] == 2 - side :
					   a->ip[0] == 0xfd && a->ip[15] == 2 - side;
}

/* IPv4 behind a socket of IPv6 is IPv4 on the wire. */
static struct tern_addr on_the_wire(const struct tern_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	if (a->family != TERN_AF_INET6 || memcmp(a->ip, mapped, sizeof(mapped)) != 0)
		return *a;
	return tern_ip4(a->ip[12], a->ip[13], a->ip[14], a->ip[15], a->port);
}

/* By the names as side 0 and side 1 have them; NULL: none, or the way is not the wire. */
static struct pipe *find_pipe(struct run *r, int side, tern_sock sock, const struct tern_addr *peer,
			      bool make)
{
	struct tern_addr local, remote = on_the_wire(peer);
	struct pipe *p;

	if (!is_at_other_side(&remote, side) || tern_getsockname(r->side[side].st, sock, &local))
		return NULL;
	for (p = r->pipe; p < r->pipe + r->n_pipes; p++) {
		if (p->family != remote.family || p->port[side] != local.port ||
		    p->port[!side] != remote.port)
			continue;
		p->spoiled = p->spoiled || make;
		return p;
	}
	if (!make || r->n_pipes == PIPES)
		return NULL;
	p = &r->pipe[r->n_pipes++];
	p->family = remote.family;
	p->port[side] = local.port;
	p->port[!side] = remote.port;
	return p;
}

static void open_pipe(struct run *r, int side, struct slot *s, const struct tern_addr *to)
{
	s->pipe = find_pipe(r, side, s->sock, to, true);
	s->sent = s->received = 0;
	s->deaf = false;
}

static void fill(const struct run *r, int side, const struct slot *s, uint8_t *to, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = s->pipe ? byte_of(r, s->pipe, side, s->sent + i) : (uint8_t)i;
}

static void note_sent(int side, struct slot *s, int64_t n)
{
	if (n <= 0)
		return;
	s->sent += (uint64_t)n;
	if (s->pipe && s->sent > s->pipe->sent[side])
		s->pipe->sent[side] = s->sent;
}

static void judge_received(struct run *r, int side, const struct slot *s, const uint8_t *got,
			   uint64_t from, uint64_t n)
{
	if (!r->honest || !s->pipe || s->pipe->spoiled)
		return;
	if (from + n > s->pipe->sent[!side])
		fail(r, "more arrived than was sent");
	for (uint64_t i = 0; i < n; i++)
		if (got[i] != byte_of(r, s->pipe, !side, from + i))
			fail(r, "a wrong byte arrived");
}

/* Reading says "the end" while only the peer has closed: then nothing is missing. */
static void judge_end(struct run *r, int side, const struct slot *s)
{
	enum { CLOSE_WAIT = 8 }; /* Linux's number */
	struct tern_tcp_info info = { .state = 0 };
	size_t len = sizeof(info);

	tern_getsockopt(r->side[side].st, s->sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len);
	if (r->honest && s->pipe && !s->pipe->spoiled && !s->deaf && info.state == CLOSE_WAIT &&
	    s->received != s->pipe->sent[!side])
		fail(r, "the end came before the last byte");
}

/* ---- calls ---- */

struct caller {
	struct run *run;
	int side;
	struct tern_stack *st;
	struct slot *slot;
};

static struct slot *empty_slot(struct side *s)
{
	for (int i = 0; i < SLOTS; i++)
		if (!s->slot[i].sock)
			return &s->slot[i];
	return NULL;
}

/* Mostly the other side. */
static struct tern_addr draw_addr(struct caller *c, int family)
{
	static const char *const places[] = {
		"10.0.0.1",   "10.0.0.2",  "fd00::1", "fd00::2",	 "127.0.0.1", "::1",
		"10.0.0.9",   "fd00::9",   "ff02::1", "::ffff:10.0.0.2", "192.0.2.1", "0.0.0.0",
		"10.0.0.255", "224.0.0.1", "::",      "fe80::1%2",
	};
	static const char *const others[] = { "10.0.0.2", "10.0.0.1", "fd00::2", "fd00::1" };
	static const uint16_t ports[] = { ECHO_PORT, UDP_PORT, 1000, 1001, 0, ECHO_PORT };
	unsigned b = draw(c->run);
	const char *text = b >= 200 ? places[b % N_ELEMENTS(places)] :
				      others[2 * (family == TERN_AF_INET6) + c->side];
	struct tern_addr a;

	if (tern_addr_parse(text, ports[b % N_ELEMENTS(ports)], &a))
		abort();
	return a;
}

static void call_open(struct caller *c)
{
	static const uint8_t types[] = { TERN_SOCK_STREAM, TERN_SOCK_STREAM, TERN_SOCK_DGRAM,
					 TERN_SOCK_RAW };
	unsigned b = draw(c->run);
	int type = types[b % 4], family = b & 4 ? TERN_AF_INET6 : TERN_AF_INET, protocol = 0;

	c->slot = empty_slot(&c->run->side[c->side]);
	if (!c->slot)
		return;
	if (type == TERN_SOCK_DGRAM && b & 8)
		protocol = b & 4 ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP;
	if (type == TERN_SOCK_RAW) /* one that knows no better would forge */
		protocol = c->run->honest ? 253 : (int)draw(c->run);
	*c->slot = (struct slot){ .family = family, .type = type };
	if (tern_socket(c->st, family, type, protocol, &c->slot->sock))
		c->slot->sock = 0;
}

static void call_bind(struct caller *c)
{
	static const uint16_t ports[] = { 0, ECHO_PORT, UDP_PORT, 1000, 1001 };
	struct tern_addr a = { .family = (uint16_t)c->slot->family };
	unsigned b = draw(c->run);

	a.port = ports[b % N_ELEMENTS(ports)];
	tern_bind(c->st, c->slot->sock, &a);
}

static void call_connect(struct caller *c)
{
	struct tern_addr to = draw_addr(c, c->slot->family), own = { .port = 1000 };
	unsigned b = draw(c->run);
	int32_t on = 1;

	if (b & 1) { /* names that may have been used before */
		own.family = (uint16_t)c->slot->family;
		tern_setsockopt(c->st, c->slot->sock, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &on,
				sizeof(on));
		tern_bind(c->st, c->slot->sock, &own);
	}
	if (b >= 240) {
		to.family = TERN_AF_UNSPEC;
		c->slot->pipe = NULL;
	}
	if (tern_connect(c->st, c->slot->sock, &to) == -TERN_EINPROGRESS)
		open_pipe(c->run, c->side, c->slot, &to);
}

static void call_listen(struct caller *c)
{
	tern_listen(c->st, c->slot->sock, (int)draw(c->run) % 8);
}

static void call_accept(struct caller *c)
{
	struct slot *child = empty_slot(&c->run->side[c->side]);
	struct tern_addr peer;
	tern_sock sock;

	if (!child || tern_accept(c->st, c->slot->sock, &sock, &peer))
		return;
	*child = (struct slot){ .sock = sock, .family = c->slot->family, .type = TERN_SOCK_STREAM };
	child->pipe = find_pipe(c->run, c->side, sock, &peer, false);
}

static void call_send(struct caller *c)
{
	uint32_t len = draw_len(c->run);
	unsigned b = draw(c->run);
	int flags = b >= 250 ? TERN_MSG_OOB : b >= 220 ? TERN_MSG_MORE : 0;

	if (flags & TERN_MSG_OOB && c->slot->pipe)
		c->slot->pipe->spoiled = true;
	fill(c->run, c->side, c->slot, room, len);
	note_sent(c->side, c->slot, tern_send(c->st, c->slot->sock, room, len, flags));
}

static void call_send_in_place(struct caller *c)
{
	struct tern_span span[4];
	int n = tern_send_space(c->st, c->slot->sock, span, 1 + (int)draw(c->run) % 4);
	uint32_t left = draw_len(c->run), len = 0;
	struct slot ahead = *c->slot;

	for (int i = 0; i < n && left; i++) {
		uint32_t part = span[i].len < left ? span[i].len : left;

		fill(c->run, c->side, &ahead, span[i].ptr, part);
		ahead.sent += part;
		len += part;
		left -= part;
	}
	if (n > 0 && tern_send_commit(c->st, c->slot->sock, len, 0) == 0)
		note_sent(c->side, c->slot, len);
}

static void call_send_message(struct caller *c)
{
	struct tern_iovec iov = { room, draw_len(c->run) };
	unsigned b = draw(c->run);
	struct tern_msg m;

	if (c->slot->type == TERN_SOCK_STREAM) {
		call_send(c);
		return;
	}
	tern_msg_init(&m, &iov, 1);
	if (c->run->honest)
		fill(c->run, c->side, c->slot, room, (uint32_t)iov.len);
	else
		draw_bytes(c->run, room, (uint32_t)iov.len);
	if (b & 16) /* an echo request, or the header of a packet */
		room[0] = c->slot->type == TERN_SOCK_RAW   ? (b & 32 ? 0x60 : 0x45) :
			  c->slot->family == TERN_AF_INET6 ? ICMP6_ECHO :
							     ICMP4_ECHO;
	if (b & 1)
		m.addr = draw_addr(c, c->slot->family);
	if (b & 4)
		m.ttl = 1 + (int)draw(c->run) % 255;
	if (b & 8)
		m.tos = (int)draw(c->run);
	if ((b & 96) == 96)
		m.ifindex = NIC;
	if ((b & 192) == 192)
		m.local = draw_addr(c, c->slot->family);
	tern_sendmsg(c->st, c->slot->sock, &m, 0);
}

static void call_recv(struct caller *c)
{
	static const int kinds[] = { 0, 0, 0, TERN_MSG_PEEK, TERN_MSG_WAITALL };
	unsigned b = draw(c->run);
	uint32_t len = 1 + draw_len(c->run);
	int flags = kinds[b % N_ELEMENTS(kinds)];
	int64_t n = tern_recv(c->st, c->slot->sock, room, len, flags);

	if (c->slot->type != TERN_SOCK_STREAM)
		return;
	if (n > 0)
		judge_received(c->run, c->side, c->slot, room, c->slot->received, (uint64_t)n);
	if (n == 0)
		judge_end(c->run, c->side, c->slot);
	if (n > 0 && !(flags & TERN_MSG_PEEK))
		c->slot->received += (uint64_t)n;
}

static void call_recv_in_place(struct caller *c)
{
	struct tern_span span[4];
	int n = tern_recv_data(c->st, c->slot->sock, span, 1 + (int)draw(c->run) % 4);
	uint64_t from = c->slot->received, len = 0, some = draw_len(c->run);

	for (int i = 0; i < n; i++) {
		judge_received(c->run, c->side, c->slot, span[i].ptr, from + len, span[i].len);
		len += span[i].len;
	}
	some = some < len ? some : len;
	if (n > 0 && tern_recv_consume(c->st, c->slot->sock, some) == 0)
		c->slot->received += some;
}

/* What a stream's order knows nothing of: datagrams, urgent bytes, errors. */
static void call_recv_message(struct caller *c)
{
	unsigned b = draw(c->run);
	struct tern_iovec iov = { room, draw_len(c->run) };
	int flags = b & 1 ? TERN_MSG_ERRQUEUE : TERN_MSG_OOB | (b & 2 ? TERN_MSG_PEEK : 0);
	struct tern_msg m;

	tern_msg_init(&m, &iov, 1);
	if (c->slot->type != TERN_SOCK_STREAM && b & 2)
		flags = b & 4 ? TERN_MSG_PEEK | TERN_MSG_TRUNC : 0;
	tern_recvmsg(c->st, c->slot->sock, &m, flags);
}

static void call_shutdown(struct caller *c)
{
	int how = (int)draw(c->run) % 3;

	c->slot->deaf = c->slot->deaf || how != TERN_SHUT_WR;
	tern_shutdown(c->st, c->slot->sock, how);
}

static void end_slot(struct caller *c, bool abruptly)
{
	int err = abruptly ? tern_abort(c->st, c->slot->sock) : tern_close(c->st, c->slot->sock);

	if (err)
		fail(c->run, "a handle was gone before it was closed");
	c->slot->sock = 0;
}

static void call_end(struct caller *c)
{
	unsigned b = draw(c->run);

	if (b % 4 == 0) /* else it is only said */
		end_slot(c, b & 4);
	else if (b % 4 == 1)
		tern_shutdown(c->st, c->slot->sock, TERN_SHUT_WR);
}

/* Half of the time one that changes much. */
static void draw_option(struct caller *c, int *level, int *name)
{
	static const struct {
		int level, name;
	} keen[] = {
		{ TERN_SOL_SOCKET, TERN_SO_REUSEADDR },
		{ TERN_SOL_SOCKET, TERN_SO_KEEPALIVE },
		{ TERN_SOL_SOCKET, TERN_SO_LINGER },
		{ TERN_SOL_SOCKET, TERN_SO_DEFER_SYN },
		{ TERN_SOL_SOCKET, TERN_SO_RCVBUF },
		{ TERN_SOL_SOCKET, TERN_SO_SNDBUF },
		{ TERN_SOL_SOCKET, TERN_SO_REUSEPORT },
		{ TERN_IPPROTO_IP, TERN_IP_RECVERR },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVERR },
		{ TERN_IPPROTO_IP, TERN_IP_HDRINCL },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_HDRINCL },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_CHECKSUM },
		{ TERN_IPPROTO_TCP, TERN_TCP_KEEPIDLE },
		{ TERN_IPPROTO_TCP, TERN_TCP_KEEPINTVL },
		{ TERN_IPPROTO_TCP, TERN_TCP_USER_TIMEOUT },
	};
	static const struct {
		int level, n;
	} kinds[] = {
		{ TERN_IPPROTO_TCP, 18 },  { TERN_SOL_SOCKET, 62 }, { TERN_IPPROTO_IP, 34 },
		{ TERN_IPPROTO_IPV6, 67 }, { TERN_IPPROTO_RAW, 7 }, { TERN_IPPROTO_ICMPV6, 1 },
	};
	unsigned kind = draw(c->run), b = draw(c->run);

	if (kind & 1) {
		*level = keen[b % N_ELEMENTS(keen)].level;
		*name = keen[b % N_ELEMENTS(keen)].name;
		return;
	}
	kind = (kind >> 1) % N_ELEMENTS(kinds);
	*level = kinds[kind].level;
	*name = 1 + (int)b % kinds[kind].n;
	if (*level == TERN_SOL_SOCKET && b >= 200)
		*name = TERN_SO_SIOCINQ + (int)b % 5;
}

static void call_set_option(struct caller *c)
{
	static const char reno[] = "reno";
	uint8_t value[40] = { 0 };
	unsigned b = draw(c->run);
	size_t len = b & 4 ? 8 : b % sizeof(value);
	int level, name;

	draw_option(c, &level, &name);
	draw_bytes(c->run, value, b & 8 ? 1 : b & 16 ? 2 : 8);
	if (b >= 240)
		memcpy(value, reno, sizeof(reno));
	tern_setsockopt(c->st, c->slot->sock, level, name, value, len);
}

static void call_get_option(struct caller *c)
{
	size_t len = draw(c->run), room_len = len;
	uint8_t *value = calloc(1, len ? len : 1); /* some options are asked by what it says */
	int level, name;

	if (!value)
		abort();
	draw_option(c, &level, &name);
	tern_getsockopt(c->st, c->slot->sock, level, name, value, &len);
	if (len > room_len)
		fail(c->run, "an option is longer than its room");
	free(value);
}

static void call_pending(struct caller *c)
{
	struct tern_pending pending;
	int verdict = (int)draw(c->run) % 4; /* the last: later */

	if (tern_pending_next(c->st, c->slot->sock, &pending) == 0 && verdict < 3)
		tern_pending_answer(c->st, c->slot->sock, pending.id, verdict);
}

/* What an administrator does while all goes on. */
static void call_configure(struct caller *c)
{
	static const uint16_t mtus[] = { 1500, 1280, 576, 68, 9000, 65535 };
	struct tern_addr own = tern_ip4(10, 0, 0, (uint8_t)(c->side + 1), 0);
	unsigned b = draw(c->run);

	switch (b % 6) {
	case 0:
		tern_iface_set(c->st, NIC, mtus[draw(c->run) % N_ELEMENTS(mtus)], b >> 3);
		break;
	case 1:
		tern_addr_del(c->st, NIC, &own);
		break;
	case 2:
		tern_addr_add(c->st, NIC, &own, 24);
		break;
	case 3:
		own.ip[3] = (uint8_t)(2 - c->side);
		tern_neigh_del(c->st, NIC, &own);
		break;
	case 4:
		draw_bytes(c->run, room, 32);
		tern_reseed(c->st, room);
		break;
	case 5:
		c->run->side[c->side].fails_in = draw(c->run) % 16;
		c->run->side[c->side].fails = 1 + b / 16;
		break;
	}
}

static void (*const calls[])(struct caller *) = {
	call_open,	    call_bind,		call_connect,	   call_connect,  call_listen,
	call_accept,	    call_accept,	call_send,	   call_send,	  call_send,
	call_send_in_place, call_send_message,	call_send_message, call_recv,	  call_recv,
	call_recv,	    call_recv_in_place, call_recv_message, call_shutdown, call_end,
	call_set_option,    call_set_option,	call_get_option,   call_pending,  call_pending,
	call_configure,
};

static void call(struct run *r)
{
	unsigned b = draw(r), which = draw(r) % N_ELEMENTS(calls);
	struct caller c = { .run = r, .side = (int)(b & 1), .st = r->side[b & 1].st };

	c.slot = &r->side[b & 1].slot[(b >> 1) % SLOTS];
	if (c.slot->sock || calls[which] == call_open || calls[which] == call_configure)
		calls[which](&c);
}

#endif
