/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - what tern does in memory: both ends in one thread, checksums made and verified.
 *
 *	tern_bench WHAT [AMOUNT]
 *
 * WHAT is ideal, bulk, bulk-inplace, pingpong, connect, connect-60s, connect-100k, idle or udp.
 * Each prints one line: the name, an amount per second of this thread's CPU time, and its unit.
 * bench/run interleaves them with other stacks and makes the table.
 *
 * The wire is a ring of 64 packets, which moves all it holds at a time, or one buffer where packets
 * go alone; one that crosses it is copied once, as a device would, its checksum made in that pass.
 * There is an ACK for two segments, whatever comes in a batch. The ideal pipeline is that ring and
 * nothing else: a fused copy and checksum at each end.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../host/simd/simd.h"
#include "../include/tern.h"
#include "waiting.h"

enum { MTU = 1500, SLOT = MTU + 14, MSS = 1460, RING = 64, WINDOW = 512 << 10, WRITE = 64 << 10 };

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *name, double amount, double seconds, const char *unit)
{
	printf("%s %.4g %s\n", name, amount / seconds, unit);
}

/* ---- the ideal pipeline ---- */

static void ideal(double gigabytes)
{
	static uint8_t ring[RING][MTU], user[WRITE], sink[WRITE], ack[RING][40];
	simd_copy_sum_fn copy_sum = simd_copy_sum();
	uint64_t n = (uint64_t)(gigabytes * 1e9 / MSS);
	double start = cpu_seconds();
	uint32_t sum = 0;

	if (!copy_sum)
		exit(2);
	for (uint64_t i = 0; i < n; i += 2) {
		for (unsigned k = 0; k < 2; k++) {
			uint8_t *slot = ring[(i + k) % RING];
			size_t at = (i + k) % (WRITE / MSS) * MSS;

			memset(slot, 0x45, 40); /* fixed headers */
			sum += copy_sum(slot + 40, user + at, MSS, 0);
			sum += copy_sum(sink + at, slot + 40, MSS, 0);
		}
		memset(ack[i % RING], 0x45, 40);
		sum += ack[i % RING][39];
	}
	report("ideal", (double)n * MSS * 8 / 1e9, cpu_seconds() - start, "Gbit/s");
	if (sum == 1)
		printf("\n");
}

/* ---- two stacks and a wire ---- */

struct world {
	struct tern_stack *a, *b;
	tern_sock listener, client, server;
	tern_time now;
	uint32_t time_wait_ms; /* 2 MSL */
	uint64_t allocated;
};

static void *plain_alloc(void *ctx, size_t size)
{
	struct world *w = ctx;

	w->allocated += size;
	return malloc(size);
}

static void plain_free(void *ctx, void *ptr, size_t size)
{
	struct world *w = ctx;

	w->allocated -= size;
	free(ptr);
}

static struct tern_stack *new_stack(struct world *w, uint8_t last)
{
	struct tern_env env = { .alloc = plain_alloc,
				.free = plain_free,
				.ctx = w,
				.sum = simd_sum(),
				.copy_sum = simd_copy_sum() };
	struct tern_iface wire = { "wire", TERN_LINK_IP, MTU, TERN_IFACE_CSUM, { 0 } };
	struct tern_config cfg;
	struct tern_stack *st;
	struct tern_addr addr = tern_ip4(10, (uint8_t)(last - 1), 0, 1, 0);

	tern_config_default(&cfg);
	memset(env.seed, last, sizeof(env.seed));
	cfg.memory_max = (uint64_t)8 << 30;
	cfg.tcp_rcvbuf_default = cfg.tcp_sndbuf_default = WINDOW;
	cfg.tcp_rcvbuf_max = cfg.tcp_sndbuf_max = WINDOW;
	cfg.tcp_ack_segments = 2;
	cfg.tcp_timestamps = false; /* lwIP has none, and the segment is 1460 bytes */
	cfg.tcp_time_wait_ms = w->time_wait_ms;
	cfg.port_min = 1024;
	cfg.port_max = 65535;
	st = tern_new(&cfg, &env);
	if (!st || tern_iface_add(st, &wire) != 2 || tern_addr_add(st, 2, &addr, 8) != 0)
		exit(2);
	return st;
}

static void new_world_of(struct world *w, uint32_t time_wait_ms)
{
	struct tern_addr at = tern_ip4(10, 1, 0, 1, 80);

	*w = (struct world){ .now = 1, .time_wait_ms = time_wait_ms };
	w->a = new_stack(w, 1);
	w->b = new_stack(w, 2);
	if (tern_socket(w->b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &w->listener) ||
	    tern_bind(w->b, w->listener, &at) || tern_listen(w->b, w->listener, 4096))
		exit(2);
}

static void new_world(struct world *w)
{
	new_world_of(w, 60000);
}

/* At most max packets one way, as a device moves them; how many. */
static unsigned move(struct tern_stack *from, struct tern_stack *to, unsigned max)
{
	struct tern_pkt *p, *batch = NULL, **tail = &batch;
	unsigned n = 0;

	for (; n < max && (p = tern_pkt_new(to, SLOT)); n++) {
		int64_t len = tern_output_to(from, 2, p->data, SLOT);

		if (len <= 0) {
			tern_pkt_free(to, p);
			break;
		}
		p->len = p->total_len = (uint32_t)len;
		p->ifindex = 2;
		*tail = p;
		tail = &p->next;
	}
	tern_input_batch(to, batch);
	return n;
}

/* One packet one way, by a buffer of the wire's. Is there one? */
static bool move_one(struct tern_stack *from, struct tern_stack *to)
{
	static uint8_t slot[SLOT];
	int64_t len = tern_output_to(from, 2, slot, SLOT);

	if (len <= 0)
		return false;
	tern_input_from(to, 2, slot, (size_t)len);
	return true;
}

/* More client addresses, for more connections than one has ports. */
static void add_addresses(struct tern_stack *st)
{
	for (int i = 2; i < 10; i++) {
		struct tern_addr addr = tern_ip4(10, 0, 0, (uint8_t)i, 0);

		if (tern_addr_add(st, 2, &addr, 8) != 0)
			exit(2);
	}
}

static void drop_events(struct tern_stack *st)
{
	struct tern_event ev;

	while (tern_event(st, &ev))
		continue;
}

/* One packet one way, and what it is to the users of both ends. */
static void step(struct world *w, struct tern_stack *from, struct tern_stack *to)
{
	if (!move_one(from, to))
		exit(2);
	drop_events(w->a);
	drop_events(w->b);
}

/* from: 0 for an automatic name, else the number of a client's name of its own */
static void open_pair(struct world *w, unsigned from)
{
	struct tern_addr to = tern_ip4(10, 1, 0, 1, 80);
	struct tern_addr at = tern_ip4(10, 0, 0, (uint8_t)(2 + from / 20000), 0);

	if (tern_socket(w->a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &w->client))
		exit(2);
	at.port = (uint16_t)(2000 + from % 20000);
	if (from && tern_bind(w->a, w->client, &at))
		exit(2);
	if (tern_connect(w->a, w->client, &to) != -TERN_EINPROGRESS)
		exit(2);
	step(w, w->a, w->b); /* SYN */
	step(w, w->b, w->a); /* SYN,ACK */
	step(w, w->a, w->b); /* ACK */
	if (tern_accept(w->b, w->listener, &w->server, NULL))
		exit(2);
}

/* The server closes when it hears of the end, as lwIP's does: its FIN acknowledges the other. */
static void close_pair(struct world *w)
{
	char byte;

	tern_close(w->a, w->client);
	step(w, w->a, w->b); /* FIN,ACK */
	if (tern_recv(w->b, w->server, &byte, 1, 0) != 0)
		exit(2);
	tern_close(w->b, w->server);
	step(w, w->b, w->a); /* FIN,ACK */
	step(w, w->a, w->b); /* ACK */
	if (tern_output_ready(w->a, 0) || tern_output_ready(w->b, 0))
		exit(2);
}

static void pass(struct world *w, tern_time t)
{
	w->now += t;
	tern_advance(w->a, w->now);
	tern_advance(w->b, w->now);
}

/* Time moves a little with each turn, so that timers do their share. */
static void tick(struct world *w)
{
	pass(w, 20 * TERN_US);
}

/* What was sent crosses the wire, and then what acknowledges it. */
static void turn(struct world *w)
{
	while (move(w->a, w->b, RING))
		move(w->b, w->a, RING);
	drop_events(w->a);
	drop_events(w->b);
}

static void bulk(double gigabytes)
{
	static uint8_t user[WRITE], sink[WRITE];
	uint64_t total = (uint64_t)(gigabytes * 1e9), received = 0;
	struct world w;
	double start;

	new_world(&w);
	open_pair(&w, 0);
	start = cpu_seconds();
	while (received < total) {
		int64_t n;

		tern_send(w.a, w.client, user, sizeof(user), 0);
		turn(&w);
		while ((n = tern_recv(w.b, w.server, sink, sizeof(sink), 0)) > 0)
			received += (uint64_t)n;
		tick(&w);
	}
	report("bulk", (double)received * 8 / 1e9, cpu_seconds() - start, "Gbit/s");
}

static void bulk_inplace(double gigabytes)
{
	uint64_t total = (uint64_t)(gigabytes * 1e9), received = 0;
	struct world w;
	double start;

	new_world(&w);
	open_pair(&w, 0);
	start = cpu_seconds();
	while (received < total) {
		struct tern_span span[6];
		int n = tern_send_space(w.a, w.client, span, 6);
		size_t len = 0;

		for (int i = 0; i < n; i++)
			len += span[i].len; /* the bytes are there: whoever fills them is not us */
		if (len)
			tern_send_commit(w.a, w.client, len < WRITE ? len : WRITE, 0);
		turn(&w);
		while ((n = tern_recv_data(w.b, w.server, span, 6)) > 0) {
			len = 0;
			for (int i = 0; i < n; i++)
				len += span[i].len;
			tern_recv_consume(w.b, w.server, len);
			received += len;
		}
		tick(&w);
	}
	report("bulk-inplace", (double)received * 8 / 1e9, cpu_seconds() - start, "Gbit/s");
}

static void pingpong(double millions)
{
	uint64_t n = (uint64_t)(millions * 1e6);
	char byte = 'x';
	struct world w;
	double start;

	new_world(&w);
	open_pair(&w, 0);
	start = cpu_seconds();
	for (uint64_t i = 0; i < n; i++) {
		tern_send(w.a, w.client, &byte, 1, 0);
		move_one(w.a, w.b);
		tern_recv(w.b, w.server, &byte, 1, 0);
		tern_send(w.b, w.server, &byte, 1, 0);
		move_one(w.b, w.a);
		tern_recv(w.a, w.client, &byte, 1, 0);
		drop_events(w.a);
		drop_events(w.b);
		if (i % 64 == 0)
			tick(&w);
	}
	report("pingpong", (double)n / 1e6, cpu_seconds() - start, "M/s");
}

/* One connection, and what passes until the next. */
static void open_and_close(struct world *w, tern_time pause)
{
	open_pair(w, 0);
	close_pair(w);
	pass(w, pause);
}

struct waiting {
	uint32_t time_wait_ms;
	unsigned n_waiting;
};
static const struct waiting briefly = { BRIEF_WAIT_MS, BRIEF_N_WAITING };
static const struct waiting as_the_rfc = { LONG_WAIT_MS, LONG_N_WAITING };

static void connects(const char *name, double thousands, unsigned n_idle, struct waiting wait)
{
	tern_time pause = wait.time_wait_ms * TERN_MS / wait.n_waiting;
	uint64_t n = (uint64_t)(thousands * 1e3);
	struct world w;
	double start;

	new_world_of(&w, wait.time_wait_ms);
	if (n_idle)
		add_addresses(w.a);
	for (unsigned i = 0; i < n_idle; i++)
		open_pair(&w, 1 + i);
	pass(&w, 10 * TERN_SEC); /* their handshakes' timers are over: now they are idle */
	for (unsigned i = 0; i < wait.n_waiting; i++)
		open_and_close(&w, pause);
	start = cpu_seconds();
	for (uint64_t i = 0; i < n; i++)
		open_and_close(&w, pause);
	report(name, (double)n / 1e3, cpu_seconds() - start, "k/s");
}

static void idle(unsigned n)
{
	struct world w;
	uint64_t before;

	new_world(&w);
	add_addresses(w.a);
	open_pair(&w, 0);
	before = w.allocated;
	for (unsigned i = 0; i < n; i++)
		open_pair(&w, 1 + i);
	printf("idle %.1f bytes/endpoint\n", (double)(w.allocated - before) / (2.0 * n));
}

/* Datagrams of 64 bytes one way, so many at a time as the wire holds. */
static void udp(double millions)
{
	struct tern_addr to = tern_ip4(10, 1, 0, 1, 9);
	uint64_t n = (uint64_t)(millions * 1e6), received = 0;
	tern_sock from, sink;
	char text[64] = "", got[64];
	struct world w;
	double start;

	new_world(&w);
	if (tern_socket(w.b, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &sink) ||
	    tern_bind(w.b, sink, &to) ||
	    tern_socket(w.a, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &from) ||
	    tern_connect(w.a, from, &to))
		exit(2);
	start = cpu_seconds();
	while (received < n) {
		for (unsigned i = 0; i < RING / 2; i++)
			if (tern_send(w.a, from, text, sizeof(text), 0) != sizeof(text))
				exit(2);
		if (move(w.a, w.b, RING / 2) != RING / 2)
			exit(2);
		while (tern_recv(w.b, sink, got, sizeof(got), 0) == sizeof(got))
			received++;
		drop_events(w.a);
		drop_events(w.b);
		tick(&w);
	}
	report("udp", (double)received / 1e6, cpu_seconds() - start, "M/s");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	double amount = argc > 2 ? atof(argv[2]) : 0;

	if (strcmp(what, "ideal") == 0)
		ideal(amount > 0 ? amount : 4);
	else if (strcmp(what, "bulk") == 0)
		bulk(amount > 0 ? amount : 2);
	else if (strcmp(what, "bulk-inplace") == 0)
		bulk_inplace(amount > 0 ? amount : 2);
	else if (strcmp(what, "pingpong") == 0)
		pingpong(amount > 0 ? amount : 1);
	else if (strcmp(what, "connect") == 0)
		connects(what, amount > 0 ? amount : 200, 0, briefly);
	else if (strcmp(what, "connect-60s") == 0)
		connects(what, amount > 0 ? amount : 100, 0, as_the_rfc);
	else if (strcmp(what, "connect-100k") == 0)
		connects(what, amount > 0 ? amount : 100, 100000, briefly);
	else if (strcmp(what, "udp") == 0)
		udp(amount > 0 ? amount : 4);
	else if (strcmp(what, "idle") == 0)
		idle(amount > 0 ? (unsigned)amount : 100000);
	else
		return 2;
	return 0;
}
