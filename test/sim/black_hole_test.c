/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * black_hole_test.c - a path that drops what is too large, and says nothing, stalls no transfer:
 * from seeds, for sizes from 600 to 1499 bytes, both families, both directions (RFC 4821).
 */
#include <string.h>

#include "../../core/wire/wire.h"
#include "../../include/tern_sim.h"

#include "test.h"

enum { PORT = 7000, BYTES = 150000, SMALLEST = 600, LARGEST = 1499, N_SEEDS = 48 };

struct end {
	struct tern_stack *st;
	tern_sock sock;
	bool open;
	uint64_t sent, received, n_wrong;
};

struct transfer {
	struct tern_sim_pair p;
	struct end a, b;
	tern_sock listener;
	uint32_t size; /* of the largest packet that passes */
};

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 131 + (i >> 8) * 29);
}

static void send_more(struct end *e)
{
	uint8_t buf[4000];
	int64_t n = 1;

	while (e->sent < BYTES && n > 0) {
		size_t len = BYTES - e->sent < sizeof(buf) ? BYTES - e->sent : sizeof(buf);

		for (size_t i = 0; i < len; i++)
			buf[i] = byte_at(e->sent + i);
		n = tern_send(e->st, e->sock, buf, len, 0);
		e->sent += n > 0 ? (uint64_t)n : 0;
	}
}

static void receive_more(struct end *e)
{
	uint8_t buf[4000];
	int64_t n;

	while ((n = tern_recv(e->st, e->sock, buf, sizeof(buf), 0)) > 0) {
		for (int64_t i = 0; i < n; i++)
			e->n_wrong += buf[i] != byte_at(e->received + (uint64_t)i);
		e->received += (uint64_t)n;
	}
}

static void on_event(void *ctx, int host, const struct tern_event *ev)
{
	struct transfer *t = ctx;
	struct end *e = host == 0 ? &t->a : &t->b;

	if (ev->sock == t->listener && host == 1 && !e->open)
		e->open = tern_accept(e->st, t->listener, &e->sock, NULL) == 0;
	else if (host == 0)
		e->open = true;
	if (!e->open)
		return;
	send_more(e);
	receive_more(e);
}

static void begin(struct transfer *t, unsigned seed)
{
	int family = seed & 1 ? TERN_AF_INET6 : TERN_AF_INET;
	struct tern_weather w = { .delay = (1 + seed % 40) * TERN_MS, .rate_bps = 2000000 };
	struct tern_addr to;

	*t = (struct transfer){ .size = SMALLEST + seed * 7919 % (LARGEST - SMALLEST + 1) };
	w.black_hole = t->size + ETH_HDR_LEN;
	w.loss_ppm = seed % 4 == 3 ? 5000 : 0;
	test_at("seed %u, %u bytes", seed, t->size);
	check_eq(tern_sim_pair(&t->p, seed, family, TERN_LINK_ETHERNET, 1500, &w), 0);
	t->a.st = t->p.a;
	t->b.st = t->p.b;
	tern_sim_on_event(t->p.sim, 0, on_event, t);
	tern_sim_on_event(t->p.sim, 1, on_event, t);
	to = t->p.addr_b;
	to.port = PORT;
	check_eq(tern_socket(t->p.b, family, TERN_SOCK_STREAM, 0, &t->listener), 0);
	check_eq(tern_bind(t->p.b, t->listener, &to), 0);
	check_eq(tern_listen(t->p.b, t->listener, 4), 0);
	check_eq(tern_socket(t->p.a, family, TERN_SOCK_STREAM, 0, &t->a.sock), 0);
	check_eq(tern_connect(t->p.a, t->a.sock, &to), -TERN_EINPROGRESS);
}

static bool is_done(const struct transfer *t)
{
	return t->a.received == BYTES && t->b.received == BYTES;
}

static uint32_t full_packet(const struct end *e)
{
	struct tern_tcp_info info = { 0 };
	size_t len = sizeof(info);
	struct tern_addr peer;

	check_eq(tern_getsockopt(e->st, e->sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len), 0);
	check_eq(tern_getpeername(e->st, e->sock, &peer), 0);
	return info.snd_mss + TCP_HDR_LEN + 12 +
	       (peer.family == TERN_AF_INET ? IP4_HDR_LEN : IP6_HDR_LEN);
}

/*
 * Two sizes are tried at the most, after four and five time-outs; where the ACK of the handshake went
 * with text, and so vanished, the first of them takes three seconds: 3 + 6 + 12 + 24 + 48.
 */
static void no_transfer_stalls(void)
{
	for (unsigned seed = 1; seed <= N_SEEDS; seed++) {
		struct transfer t;
		unsigned n = 0;

		begin(&t, seed);
		while (!is_done(&t) && tern_sim_step(t.p.sim, 120 * TERN_SEC))
			if (n++ % 64 == 0)
				tern_sim_check(t.p.sim);
		check(is_done(&t));
		check_eq(t.a.n_wrong + t.b.n_wrong, 0);
		check(full_packet(&t.a) <= t.size);
		check(full_packet(&t.b) <= t.size);
		tern_sim_free(t.p.sim);
	}
}

/* The search comes as near to the size of the path as its threshold of 8 bytes says. */
static void the_search_converges(void)
{
	static const unsigned seeds[] = { 2, 4, 8, 14 };

	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		struct transfer t;

		begin(&t, seeds[i]);
		while (tern_sim_step(t.p.sim, 200 * TERN_SEC))
			if (is_done(&t) && t.a.sent == BYTES) {
				t.a.sent = t.b.sent = t.a.received = t.b.received = 0;
				send_more(&t.a);
				send_more(&t.b);
			}
		check(full_packet(&t.a) <= t.size && full_packet(&t.a) + 8 >= t.size);
		tern_sim_free(t.p.sim);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(no_transfer_stalls),
		TEST(the_search_converges),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
