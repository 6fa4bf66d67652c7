/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - what the compiler learns from: which ways through the core are the usual ones.
 *
 * A build with gcc compiles the core twice: to be watched in this program, and by what was seen.
 * (CMakeLists.txt; doc/design/0002.) So this is what programs do on a network that is mostly calm:
 * streams both ways, questions and answers, connections that come and go, datagrams; over both
 * families, Ethernet and IP, devices that cut segments and that do not, some of it with loss. Time
 * and chance are its own: the same source gives the same profile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../host/simd/simd.h"
#include "../include/tern.h"
#include "../include/tern_malloc.h"

enum { PIECE = 16 << 10, BATCH = 64, SPANS = 6, FRAME = 1514, NIC = 2, PORT = 80, ECHO_PORT = 7 };

struct network {
	bool v6, ethernet, cuts, timestamps;
	unsigned lose_one_in; /* 0: none */
};

struct world {
	const struct network *net;
	struct tern_stack *st[2];
	struct tern_addr server;
	tern_sock listener, echo;
	tern_time now;
	uint32_t chance;
};

static void fail(const char *what)
{
	fprintf(stderr, "train: %s\n", what);
	exit(1);
}

static uint32_t draw(struct world *w, uint32_t below)
{
	w->chance = w->chance * 1664525 + 1013904223;
	return (w->chance >> 8) % below;
}

static struct tern_addr address_of(const struct network *net, int side, uint16_t port)
{
	struct tern_addr six = { .family = TERN_AF_INET6, .port = port, .ip = { 0xfd } };

	six.ip[15] = (uint8_t)(1 + side);
	return net->v6 ? six : tern_ip4(10, 0, 0, (uint8_t)(1 + side), port);
}

static struct tern_stack *new_stack(const struct network *net, int side)
{
	struct tern_env env = { .alloc = tern_malloc,
				.free = tern_malloc_free,
				.sum = simd_sum(),
				.copy_sum = simd_copy_sum() };
	struct tern_addr addr = address_of(net, side, 0);
	struct tern_iface nic = { "nic",
				  net->ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP,
				  1500,
				  TERN_IFACE_CSUM,
				  { 2 } };
	struct tern_config cfg;
	struct tern_stack *st;

	nic.mac[5] = (uint8_t)(1 + side);
	if (net->cuts)
		nic.flags |= TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	memset(env.seed, 1 + side, sizeof(env.seed));
	tern_config_default(&cfg);
	cfg.tcp_timestamps = net->timestamps;
	cfg.time_wait_max = 100000;
	st = tern_new(&cfg, &env);
	if (!st || tern_iface_add(st, &nic) != NIC ||
	    tern_addr_add(st, NIC, &addr, net->v6 ? 64 : 24) != 0)
		fail("no stack");
	return st;
}

/* ---- the wire ---- */

static struct tern_pkt *arrived(struct tern_stack *from, struct tern_stack *to,
				const struct tern_pkt *p)
{
	struct tern_pkt *copy = tern_pkt_new(to, p->total_len);

	if (!copy)
		fail("no memory");
	if (p->gso_size) {
		tern_pkt_copy(p, 0, copy->data, p->total_len);
		copy->flags = p->flags;
		copy->csum_start = p->csum_start;
		copy->csum_off = p->csum_off;
		copy->gso_size = p->gso_size;
	} else {
		tern_pkt_emit(from, p, copy->data);
	}
	copy->ifindex = NIC;
	return copy;
}

static bool is_lost(struct world *w)
{
	return w->net->lose_one_in && draw(w, w->net->lose_one_in) == 0;
}

/* What one side has to send, a batch at most, goes to *arrive; how many. */
static unsigned by_packets(struct world *w, int from, struct tern_pkt **arrive)
{
	struct tern_pkt *p, *next;
	unsigned n;

	for (p = tern_output_batch(w->st[from], NIC, BATCH, &n); p; p = next) {
		next = p->next;
		if (!is_lost(w)) {
			*arrive = arrived(w->st[from], w->st[1 - from], p);
			arrive = &(*arrive)->next;
		}
		tern_pkt_free(w->st[from], p);
	}
	*arrive = NULL;
	return n;
}

/* The same of a device that has buffers of its own. */
static unsigned by_buffers(struct world *w, int from, struct tern_pkt **arrive)
{
	struct tern_stack *to = w->st[1 - from];
	unsigned n = 0;

	for (; n < BATCH && tern_output_ready(w->st[from], NIC); n++) {
		struct tern_pkt *p = tern_pkt_new(to, FRAME);
		int64_t len = p ? tern_output_to(w->st[from], NIC, p->data, FRAME) : -1;

		if (len < 0)
			fail("no packet");
		if (len == 0 || is_lost(w)) {
			tern_pkt_free(to, p);
			continue;
		}
		p->len = p->total_len = (uint32_t)len;
		p->ifindex = NIC;
		*arrive = p;
		arrive = &p->next;
	}
	*arrive = NULL;
	return n;
}

/* And of one that hands over what comes at once. */
static unsigned one_by_one(struct world *w, int from)
{
	static uint8_t frame[FRAME];
	unsigned n = 0;
	int64_t len;

	for (; n < BATCH && (len = tern_output_to(w->st[from], NIC, frame, FRAME)) > 0; n++)
		if (!is_lost(w))
			tern_input_from(w->st[1 - from], NIC, frame, (size_t)len);
	return n;
}

static unsigned carry(struct world *w, int from)
{
	unsigned way = w->net->cuts ? 0 : draw(w, 3);
	struct tern_pkt *arrive;
	unsigned n;

	if (way == 2)
		return one_by_one(w, from);
	n = way ? by_buffers(w, from, &arrive) : by_packets(w, from, &arrive);
	tern_input_batch(w->st[1 - from], arrive);
	return n;
}

/* ---- the server: it says back what it hears ---- */

static size_t length_of(const struct tern_span *span, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += span[i].len;
	return len;
}

/* As much as may be sent: the rest waits for an event. */
static void answer(struct world *w, tern_sock s)
{
	static uint8_t bytes[PIECE];
	struct tern_stack *st = w->st[1];
	struct tern_span span[SPANS];
	size_t room;
	int64_t n = -TERN_EAGAIN;

	while ((room = length_of(span, tern_send_space(st, s, span, SPANS))) > 0) {
		n = tern_recv(st, s, bytes, room < PIECE ? room : PIECE, 0);
		if (n <= 0)
			break;
		tern_send(st, s, bytes, (size_t)n, 0);
	}
	if (n != -TERN_EAGAIN && n <= 0)
		tern_close(st, s);
}

static void answer_datagrams(struct world *w)
{
	struct tern_addr from;
	uint8_t bytes[2048];
	int64_t n;

	while ((n = tern_recvfrom(w->st[1], w->echo, bytes, sizeof(bytes), 0, &from)) >= 0)
		tern_sendto(w->st[1], w->echo, bytes, (size_t)n, 0, &from);
}

static void serve(struct world *w)
{
	struct tern_event ev;
	tern_sock s;

	while (tern_event(w->st[1], &ev)) {
		if (ev.sock == w->echo)
			answer_datagrams(w);
		else if (ev.sock != w->listener)
			answer(w, ev.sock);
		else
			while (tern_accept(w->st[1], w->listener, &s, NULL) == 0)
				answer(w, s);
	}
}

/* Everything moves once; where nothing can, time goes on to where something does. */
static void turn(struct world *w)
{
	unsigned moved = carry(w, 0);
	tern_time next = w->now + 20 * TERN_US;
	struct tern_event ev;

	serve(w);
	moved += carry(w, 1);
	if (!moved)
		for (int i = 0; i < 2; i++)
			next = tern_deadline(w->st[i]) > next ? tern_deadline(w->st[i]) : next;
	w->now = next < w->now + TERN_SEC ? next : w->now + TERN_SEC;
	for (int i = 0; i < 2; i++)
		tern_advance(w->st[i], w->now);
	while (tern_event(w->st[0], &ev))
		continue;
}

static void listen_at(struct world *w)
{
	struct tern_addr at = w->server;
	int family = at.family;

	if (tern_socket(w->st[1], family, TERN_SOCK_STREAM, 0, &w->listener) ||
	    tern_bind(w->st[1], w->listener, &at) || tern_listen(w->st[1], w->listener, 128) ||
	    tern_socket(w->st[1], family, TERN_SOCK_DGRAM, 0, &w->echo))
		fail("no sockets");
	at.port = ECHO_PORT;
	if (tern_bind(w->st[1], w->echo, &at))
		fail("no port");
}

/* ---- the client ---- */

static tern_sock connected(struct world *w)
{
	struct tern_stack *st = w->st[0];
	tern_sock s;

	if (tern_socket(st, w->server.family, TERN_SOCK_STREAM, 0, &s) ||
	    tern_connect(st, s, &w->server) != -TERN_EINPROGRESS)
		fail("no connection");
	while (!(tern_poll(st, s) & (TERN_POLLOUT | TERN_POLLERR)))
		turn(w);
	return s;
}

static void finish(struct world *w, tern_sock s)
{
	tern_close(w->st[0], s);
	turn(w);
	turn(w);
}

/* As many bytes go there and come back. */
static void stream(struct world *w, uint64_t total)
{
	static uint8_t bytes[4 * PIECE];
	struct tern_stack *st = w->st[0];
	tern_sock s = connected(w);
	uint64_t sent = 0, got = 0;

	while (got < total) {
		uint64_t left = total - sent;
		int64_t n;

		n = tern_send(st, s, bytes, left < sizeof(bytes) ? (size_t)left : sizeof(bytes), 0);
		sent += n > 0 ? (uint64_t)n : 0;
		turn(w);
		while ((n = tern_recv(st, s, bytes, sizeof(bytes), 0)) > 0)
			got += (uint64_t)n;
		if (n != -TERN_EAGAIN)
			fail("a stream has ended early");
	}
	finish(w, s);
}

/* The same in place. */
static void stream_in_place(struct world *w, uint64_t total)
{
	struct tern_stack *st = w->st[0];
	tern_sock s = connected(w);
	uint64_t sent = 0, got = 0;

	while (got < total) {
		struct tern_span span[SPANS];
		size_t len = length_of(span, tern_send_space(st, s, span, SPANS));
		int n;

		len = len < total - sent ? len : (size_t)(total - sent);
		if (len && tern_send_commit(st, s, len, 0) == 0)
			sent += len;
		turn(w);
		while ((n = tern_recv_data(st, s, span, SPANS)) > 0) {
			len = length_of(span, n);
			tern_recv_consume(st, s, len);
			got += len;
		}
		if (n != -TERN_EAGAIN)
			fail("a stream has ended early");
	}
	finish(w, s);
}

/* A question, and its answer of the same length: most are short. */
static void ask(struct world *w, tern_sock s, uint32_t len)
{
	static uint8_t bytes[PIECE];
	uint32_t got = 0;
	int64_t n;

	if (tern_send(w->st[0], s, bytes, len, 0) != len)
		fail("a question does not go");
	while (got < len) {
		turn(w);
		while ((n = tern_recv(w->st[0], s, bytes, sizeof(bytes), 0)) > 0)
			got += (uint32_t)n;
	}
}

static void questions(struct world *w, unsigned n)
{
	tern_sock s = connected(w);

	for (unsigned i = 0; i < n; i++)
		ask(w, s, 1 + draw(w, i % 8 ? 200 : 6000));
	finish(w, s);
}

static void visits(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		tern_sock s = connected(w);

		if (i % 4 == 0)
			ask(w, s, 100);
		finish(w, s);
	}
}

static void datagrams(struct world *w, unsigned n)
{
	struct tern_addr to = w->server;
	uint8_t bytes[1200] = { 0 };
	tern_sock s;

	to.port = ECHO_PORT;
	if (tern_socket(w->st[0], to.family, TERN_SOCK_DGRAM, 0, &s) ||
	    tern_connect(w->st[0], s, &to))
		fail("no datagrams");
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < 8; k++)
			tern_send(w->st[0], s, bytes, 1 + draw(w, sizeof(bytes)), 0);
		turn(w);
		while (tern_recv(w->st[0], s, bytes, sizeof(bytes), 0) >= 0)
			continue;
	}
	tern_close(w->st[0], s);
}

static void live(const struct network *net)
{
	struct world w = { .net = net, .now = TERN_SEC, .server = address_of(net, 1, PORT) };

	for (int i = 0; i < 2; i++) {
		w.st[i] = new_stack(net, i);
		tern_advance(w.st[i], w.now);
	}
	listen_at(&w);
	for (int i = 0; i < 500 && net->v6; i++) /* until the address may be used */
		turn(&w);
	stream(&w, 6000000);
	stream_in_place(&w, 3000000);
	questions(&w, 6000);
	visits(&w, 1500);
	datagrams(&w, 300);
	for (int i = 0; i < 2; i++)
		tern_free(w.st[i]);
}

int main(void)
{
	static const struct network nets[] = {
		{ .timestamps = true },
		{ .ethernet = true },
		{ .ethernet = true, .timestamps = true, .cuts = true },
		{ .v6 = true, .timestamps = true, .ethernet = true },
		{ .v6 = true, .timestamps = true, .cuts = true },
		{ .timestamps = true, .lose_one_in = 500 },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		live(&nets[i]);
	return 0;
}
