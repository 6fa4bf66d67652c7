/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_fuzz.c - two stacks and a hostile wire, all of it decided by the bytes of an input.
 *
 * The bytes say which call on which socket comes next (stack_calls.h), what the wire does to each
 * frame (hostile_wire.h), and how much time passes; after their end everything is closed and runs
 * down. There is no clock but the input's: the same input is the same run.
 *
 * What must hold: no deadline in the past, no endless output, all memory accounted for and given
 * back, every connection gone at the end. An honest wire forges nothing: what a stream hands over
 * is then a prefix of what its peer sent, and all of it when it says that this is the end.
 *
 * With clang and -DTERN_FUZZ=ON this is a libFuzzer target. Elsewhere it is a program that draws
 * its inputs from seeds: stack_fuzz [FIRST_SEED [COUNT]].
 */
#include "stack_calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	TURNS_MAX = 64,
	RUN_DOWN_MAX = 20000,
	SETTLE_MAX = 3000,
	RECORDS_MAX = 100000,
	INPUT_MAX = 3000
};

/* ---- time, and what must hold at any ---- */

static void advance(struct run *r, struct side *s)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		tern_advance(s->st, r->now);
		if (tern_deadline(s->st) > r->now)
			return;
		if (tern_deadline(s->st) < r->now)
			fail(r, "a deadline lies in the past");
	}
	fail(r, "time stands still");
}

static tern_time next_deadline(const struct run *r)
{
	tern_time a = tern_deadline(r->side[0].st), b = tern_deadline(r->side[1].st);

	return a < b ? a : b;
}

static void pass_time(struct run *r)
{
	static const tern_time units[] = { TERN_US, TERN_MS, 10 * TERN_MS, TERN_SEC,
					   60 * TERN_SEC };
	unsigned b = draw(r);
	tern_time next = next_deadline(r);

	if (b & 8 && next != TERN_NEVER && next > r->now)
		r->now = next;
	else if (b == 0xff)
		r->now += 3600 * 24 * 30 * TERN_SEC;
	else
		r->now += units[b % N_ELEMENTS(units)] * draw(r);
}

/* Reads all that can be read. Returns how many records there are besides listeners. */
static unsigned look(struct run *r, struct side *s)
{
	struct tern_sock_info info;
	struct tern_event ev;
	uint64_t cursor = 0;
	unsigned n = 0, n_events = 0, n_open = 0;

	while (tern_event(s->st, &ev))
		if (n_events++ == RECORDS_MAX)
			fail(r, "no end of events");
	while (tern_sock_next(s->st, &cursor, &info) && n++ < RECORDS_MAX)
		n_open += info.state != TERN_TCP_LISTEN;
	if (n >= RECORDS_MAX)
		fail(r, "no end of sockets");
	for (int i = 0; i < SLOTS; i++)
		tern_poll(s->st, s->slot[i].sock);
	if (tern_memory(s->st) != s->memory)
		fail(r, "memory is not accounted for");
	tern_check(s->st);
	return n_open;
}

static void step(struct run *r)
{
	unsigned b = draw(r);

	switch (b % 8) {
	case 0:
	case 1:
		carry(r, 1 + draw(r), b & 8);
		break;
	case 2:
		pass_time(r);
		break;
	case 3:
		if (!r->honest && b & 16)
			forge(r);
		else
			carry(r, FRAMES_MAX + 1, true);
		break;
	default:
		call(r);
	}
	for (int i = 0; i < 2; i++) {
		void *buffer;

		flush(&r->side[i]);
		advance(r, &r->side[i]);
		while (tern_reclaim(r->side[i].st, &buffer))
			free(buffer);
		look(r, &r->side[i]);
	}
}

/* ---- from the beginning to the end ---- */

static void *allocate(void *ctx, size_t size)
{
	struct side *s = ctx;
	void *p;

	if (s->fails_in) {
		s->fails_in--;
	} else if (s->fails) {
		s->fails--;
		return NULL;
	}
	p = malloc(size);
	if (!p)
		abort();
	memset(p, 0xa5, size);
	s->memory += size;
	return p;
}

static void deallocate(void *ctx, void *p, size_t size)
{
	struct side *s = ctx;

	s->memory -= size;
	free(p);
}

static void draw_config(struct run *r, struct tern_config *c)
{
	unsigned b = draw(r), small = draw(r), size = draw(r);

	tern_config_default(c);
	c->tcp_timestamps = !(b & 1);
	c->tcp_sack = !(b & 2);
	c->tcp_window_scaling = !(b & 4);
	if (b & 8)
		memcpy(c->tcp_congestion_control, "fixed", 6);
	else if (size & 128)
		memcpy(c->tcp_congestion_control, "bbr", 4);
	if (b >> 5 <= 5)
		c->tcp_ecn = (uint8_t)(b >> 5);
	if (small & 64)
		c->tcp_ecn_option = 3;
	if (small & 1)
		c->half_open_max = c->somaxconn = 2;
	if (small & 2)
		c->time_wait_max = 1;
	if (small & 4)
		c->tcp_ranges_max = 2;
	if (small & 8)
		c->sockets_max = 8;
	if (small & 16)
		c->neighbours_max = 2;
	if (small & 32 && b & 16)
		c->memory_max = 250000;
	c->tcp_rcvbuf_default = 2000u << size % 9;
	c->tcp_sndbuf_default = 2000u << (size >> 4) % 9;
}

static bool open_side(struct run *r, int i)
{
	static const uint16_t mtus[] = { 1500, 1280, 9000, 65535 };
	struct side *s = &r->side[i];
	struct tern_env env = {
		.alloc = allocate, .free = deallocate, .ctx = s, .seed = { 7, (uint8_t)i }
	};
	struct tern_iface nic = { .name = "nic", .mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } };
	struct tern_addr four = tern_ip4(10, 0, 0, (uint8_t)(i + 1), 0), six;
	unsigned b = draw(r);
	struct tern_config c;

	s->batch_tail = &s->batch;
	draw_config(r, &c);
	c.id = (uint32_t)i;
	nic.link = r->ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP;
	nic.mtu = mtus[b % 4];
	nic.flags = (b >> 2) & (TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6);
	s->st = tern_new(&c, &env);
	tern_addr_parse(i ? "fd00::2" : "fd00::1", 0, &six);
	return s->st && tern_iface_add(s->st, &nic) == NIC &&
	       !tern_addr_add(s->st, NIC, &four, 24) && !tern_addr_add(s->st, NIC, &six, 64);
}

/* One of each kind and family, on side 1 bound, on side 0 on the way there. */
static void open_slot(struct run *r, int side, int type, int family)
{
	struct caller c = { r, side, r->side[side].st, empty_slot(&r->side[side]) };
	struct tern_addr at = { .family = (uint16_t)family };
	int32_t on = 1;

	at.port = type == TERN_SOCK_STREAM ? ECHO_PORT : UDP_PORT;
	*c.slot = (struct slot){ .family = family, .type = type };
	if (tern_socket(c.st, family, type, 0, &c.slot->sock)) {
		c.slot->sock = 0;
		return;
	}
	if (side == 1) {
		if (family == TERN_AF_INET6)
			tern_setsockopt(c.st, c.slot->sock, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY,
					&on, sizeof(on));
		tern_bind(c.st, c.slot->sock, &at);
		if (type != TERN_SOCK_STREAM)
			return;
		tern_listen(c.st, c.slot->sock, 4);
		if (r->defers)
			tern_setsockopt(c.st, c.slot->sock, TERN_SOL_SOCKET, TERN_SO_DEFER_SYN, &on,
					sizeof(on));
		return;
	}
	tern_addr_parse(family == TERN_AF_INET ? "10.0.0.2" : "fd00::2", at.port, &at);
	if (tern_connect(c.st, c.slot->sock, &at) == -TERN_EINPROGRESS)
		open_pipe(r, side, c.slot, &at);
}

static void open_all(struct run *r)
{
	for (int side = 1; side >= 0; side--) {
		open_slot(r, side, TERN_SOCK_STREAM, TERN_AF_INET);
		open_slot(r, side, TERN_SOCK_STREAM, TERN_AF_INET6);
		open_slot(r, side, TERN_SOCK_DGRAM, TERN_AF_INET);
		open_slot(r, side, TERN_SOCK_DGRAM, TERN_AF_INET6);
	}
}

/* ---- the end: a fair sky ---- */

static void clear_up(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &r->side[i];
		struct tern_addr four = tern_ip4(10, 0, 0, (uint8_t)(i + 1), 0);
		int32_t off = 0;

		s->fails = s->fails_in = 0;
		tern_iface_set(s->st, NIC, 1500, 0);
		tern_addr_add(s->st, NIC, &four, 24);
		for (int k = 0; k < SLOTS; k++)
			tern_setsockopt(s->st, s->slot[k].sock, TERN_IPPROTO_TCP, TERN_TCP_CORK,
					&off, sizeof(off));
	}
}

/* Until both sides have said all. */
static void carry_all(struct run *r)
{
	unsigned rounds = 0;

	while (tern_output_ready(r->side[0].st, NIC) || tern_output_ready(r->side[1].st, NIC)) {
		carry(r, FRAMES_MAX + 1, true);
		if (rounds++ == FRAMES_MAX)
			fail(r, "no end of talk");
		if (r->why)
			return;
	}
}

/* Time goes on until something is due. */
static void wait_for_news(struct run *r)
{
	tern_time next = next_deadline(r);

	if (next != TERN_NEVER && next > r->now)
		r->now = next;
	for (int i = 0; i < 2; i++) {
		advance(r, &r->side[i]);
		look(r, &r->side[i]);
	}
	carry_all(r);
}

static void read_all(struct run *r, int side, struct slot *s)
{
	struct tern_stack *st = r->side[side].st;
	struct caller c = { r, side, st, s };
	tern_sock child;
	int64_t n;

	if (!s->sock || s->type != TERN_SOCK_STREAM)
		return;
	while ((n = tern_recv(st, s->sock, room, ROOM, 0)) > 0) {
		judge_received(r, side, s, room, s->received, (uint64_t)n);
		s->received += (uint64_t)n;
	}
	if (empty_slot(&r->side[side]))
		call_accept(&c);
	else if (tern_accept(st, s->sock, &child, NULL) == 0)
		tern_close(st, child);
}

/* Bytes that a connection has not got rid of, though it has not given up. */
static bool is_waiting(const struct side *side, const struct slot *s)
{
	int32_t n = 0;
	size_t len = sizeof(n);

	if (!s->sock || s->type != TERN_SOCK_STREAM ||
	    tern_getsockopt(side->st, s->sock, TERN_SOL_SOCKET, TERN_SO_SIOCOUTQ, &n, &len))
		return false;
	return n > 0;
}

/* Everybody reads: what was sent arrives, or the connection has ended. */
static void settle(struct run *r)
{
	bool waiting = true;

	for (int turn = 0; turn < SETTLE_MAX && waiting && !r->why; turn++) {
		waiting = false;
		wait_for_news(r);
		for (int i = 0; i < 2; i++) {
			for (int k = 0; k < SLOTS; k++) {
				struct slot *s = &r->side[i].slot[k];

				read_all(r, i, s);
				waiting = waiting || is_waiting(&r->side[i], s);
				if (s->deaf && s->type == TERN_SOCK_STREAM)
					return; /* who has shut down reading may stop its peer */
			}
		}
	}
	if (waiting)
		fail(r, "a connection does not get on");
}

/* All is closed: in some time nothing is left. */
static void run_down(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < SLOTS; k++) {
			struct caller c = { r, i, r->side[i].st, &r->side[i].slot[k] };

			if (c.slot->sock)
				end_slot(&c, (k & 1) && r->defers);
		}
	}
	for (int turn = 0; turn < RUN_DOWN_MAX && !r->why; turn++) {
		carry_all(r);
		advance(r, &r->side[0]);
		advance(r, &r->side[1]);
		if (look(r, &r->side[0]) + look(r, &r->side[1]) == 0)
			return;
		if (next_deadline(r) == TERN_NEVER && !tern_output_ready(r->side[0].st, 0) &&
		    !tern_output_ready(r->side[1].st, 0))
			fail(r, "something is left without a timer");
		wait_for_news(r);
	}
	fail(r, "no end of what is left");
}

static void close_side(struct run *r, struct side *s)
{
	void *buffer;

	while (s->st && tern_reclaim(s->st, &buffer))
		free(buffer);
	tern_free(s->st);
	if (s->memory)
		fail(r, "memory is lost");
}

/* NULL: all held, else what did not. */
static const char *run_input(const uint8_t *data, size_t size)
{
	static struct run run;
	struct run *r = &run;
	unsigned b;

	memset(r, 0, sizeof(*r));
	r->at = data;
	r->end = data + size;
	r->now = TERN_SEC;
	b = draw(r);
	r->honest = b & 1;
	r->ethernet = b & 2;
	r->external = b & 4;
	r->batches = b & 8;
	r->completed = b & 16;
	r->defers = b & 32;
	if (open_side(r, 0) && open_side(r, 1)) {
		open_all(r);
		while (r->at < r->end && !r->why)
			step(r);
		clear_up(r);
		settle(r);
		if (!r->why)
			run_down(r);
	}
	for (unsigned i = 0; i < r->n_held; i++)
		free(r->held[i].data);
	close_side(r, &r->side[0]);
	close_side(r, &r->side[1]);
	return r->why;
}

void tern_panic(const char *file, int line)
{
	fprintf(stderr, "%s:%d: an assertion does not hold\n", file, line);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = run_input(data, size);

	if (why) {
		fprintf(stderr, "stack_fuzz: %s\n", why);
		abort();
	}
	return 0;
}

#ifndef TERN_LIBFUZZER

/* xorshift: half of the inputs are short. */
static size_t draw_input(uint64_t seed, uint8_t *input)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15;
	size_t len = INPUT_MAX;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		input[i] = (uint8_t)(x >> 32);
		if (i == 0)
			len = 100 + (size_t)(x >> 40) % (seed & 1 ? INPUT_MAX - 100 : 500);
	}
	return len;
}

int main(int argc, char **argv)
{
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 300, n_failed = 0;
	static uint8_t input[INPUT_MAX];

	for (unsigned long seed = first; seed < first + count; seed++) {
		const char *why = run_input(input, draw_input(seed, input));

		if (!why)
			continue;
		printf("seed %lu: %s\n", seed, why);
		n_failed++;
	}
	printf("%lu passed, %lu failed, 0 skipped\n", count - n_failed, n_failed);
	return n_failed > 0;
}

#endif
