/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_sim_test.c - attacks on two hosts from the wire between them: SEC-91, SEC-105, SEC-141.
 */
#include "../../core/wire/wire.h"
#include "../../include/tern_sim.h"

#include "test.h"

enum { PORT = 80 };

static struct tern_sim_pair pair;
static tern_sock client, server, listener;

/* ---- what went by ---- */

struct wire {
	unsigned n_frames;
	struct tcp_hdr last[2]; /* by host */
	uint32_t len[2];
};

static void watch(void *ctx, const struct tern_sim_note *n)
{
	struct wire *w = ctx;

	if (n->what != TERN_SIM_FRAME_SENT || n->len < 40 || n->frame[9] != 6)
		return;
	w->n_frames++;
	tcp_parse(&w->last[n->host], n->frame + 20, n->len - 20);
	w->len[n->host] = n->len - 20 - w->last[n->host].hdr_len;
}

static void meet(uint64_t seed, const struct tern_weather *weather, struct wire *w)
{
	struct tern_addr at;

	check_eq(tern_sim_pair(&pair, seed, TERN_AF_INET, TERN_LINK_IP, 1500, weather), 0);
	tern_sim_observe(pair.sim, watch, w);
	at = pair.addr_b;
	at.port = PORT;
	tern_socket(pair.b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
	tern_bind(pair.b, listener, &at);
	tern_listen(pair.b, listener, 5);
	tern_socket(pair.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &client);
	tern_connect(pair.a, client, &at);
	tern_sim_run(pair.sim, tern_sim_now(pair.sim) + TERN_SEC);
	check_eq(tern_accept(pair.b, listener, &server, NULL), 0);
}

/* ---- SEC-91: a war of ACKs ---- */

/* A segment as if the other host had sent it, where that one stands now. */
static void forge(int to, const struct wire *w, uint32_t len)
{
	const struct tcp_hdr *last = &w->last[!to];
	struct tern_stack *st = to ? pair.b : pair.a;
	struct tcp_hdr h = { .src_port = last->src_port,
			     .dst_port = last->dst_port,
			     .seq = last->seq + (last->flags & TCP_SYN ? 1 : 0) + w->len[!to],
			     .ack = last->ack,
			     .flags = TCP_ACK | TCP_PSH,
			     .wnd = last->wnd,
			     .has_ts = last->has_ts,
			     .ts_val = last->ts_val,
			     .ts_ecr = last->ts_ecr };
	struct ip4 ip = { .ttl = 64, .proto = 6, .hdr_len = 20 };
	struct tern_pkt *p = tern_pkt_new(st, 200);
	uint32_t n = (uint32_t)tcp_emit(&h, p->data + 20);

	memset(p->data + 20 + n, 'f', len);
	n += len;
	ip.src = addr_from4(to ? pair.addr_a.ip : pair.addr_b.ip);
	ip.dst = addr_from4(to ? pair.addr_b.ip : pair.addr_a.ip);
	ip.total_len = (uint16_t)(20 + n);
	ip4_emit(&ip, p->data);
	put_be16(p->data + 36, 0);
	put_be16(p->data + 36, checksum_finish(checksum_add(
				       p->data + 20, n, checksum_pseudo(&ip.src, &ip.dst, 6, n))));
	p->len = p->total_len = 20 + n;
	p->ifindex = 2;
	tern_input(st, p);
}

/*
 * Both believe that the other has sent what it has not: each ACK is of the unsent, and answered.
 * That goes on, but slowly: two a second.
 */
static void no_war_of_acks(void)
{
	static const struct tern_weather near = { .delay = TERN_MS };
	struct wire w = { 0 };

	meet(1, &near, &w);
	tern_send(pair.a, client, "hello", 5, 0);
	tern_sim_run(pair.sim, tern_sim_now(pair.sim) + TERN_SEC);
	tern_send(pair.b, server, "hello", 5, 0);
	tern_sim_run(pair.sim, tern_sim_now(pair.sim) + TERN_SEC);
	forge(0, &w, 20);
	forge(1, &w, 20);
	w.n_frames = 0;
	tern_send(pair.a, client, "x", 1, 0);
	tern_send(pair.b, server, "x", 1, 0);
	tern_sim_run(pair.sim, tern_sim_now(pair.sim) + 60 * TERN_SEC);
	check(w.n_frames > 10); /* there is something to fight about */
	check(w.n_frames <= 60 * 2 * 2 + 60);
	tern_sim_check(pair.sim);
	tern_sim_free(pair.sim);
}

/* ---- SEC-141: bursts of loss at the pace of the time-out ---- */

struct shrew {
	tern_time period, length;
};

static enum tern_sim_verdict bite(void *ctx, int from, const uint8_t *frame, uint32_t len)
{
	const struct shrew *s = ctx;

	(void)frame, (void)len;
	if (from != 0 || !s->period)
		return TERN_SIM_PASS;
	return tern_sim_now(pair.sim) % s->period < s->length ? TERN_SIM_LOSE : TERN_SIM_PASS;
}

/* Bytes that arrive in twenty seconds at 10 Mbit/s. */
static uint64_t goodput(struct shrew *shrew)
{
	static const struct tern_weather line = { .delay = 10 * TERN_MS, .rate_bps = 10000000 };
	static char buf[65536];
	struct wire w = { 0 };
	uint64_t total = 0;

	meet(1, &line, &w);
	tern_sim_filter(pair.sim, pair.link, bite, shrew);
	for (tern_time end = tern_sim_now(pair.sim) + 20 * TERN_SEC;
	     tern_sim_now(pair.sim) < end;) {
		int64_t n;

		while (tern_send(pair.a, client, buf, sizeof(buf), 0) > 0)
			continue;
		tern_sim_run(pair.sim, tern_sim_now(pair.sim) + 5 * TERN_MS);
		while ((n = tern_recv(pair.b, server, buf, sizeof(buf), 0)) > 0)
			total += (uint64_t)n;
	}
	tern_sim_free(pair.sim);
	return total;
}

/*
 * Whoever silences the line for 60 ms each second, the pace of a time-out of 1 s, leaves such a
 * sender nothing. Ours waits less, and keeps half at least; at the pace of its own time-out, some.
 */
static void shrews(void)
{
	static const tern_time periods[] = { 200, 400, 600, 1000, 1100, 1500 };
	struct shrew calm = { 0, 0 };
	uint64_t all = goodput(&calm);

	check(all > 20 * 1000000);
	for (size_t i = 0; i < N_TESTS(periods); i++) {
		struct shrew s = { periods[i] * TERN_MS, 60 * TERN_MS };
		uint64_t left = goodput(&s);

		test_at("each %llu ms: %llu of %llu kB", (unsigned long long)periods[i],
			(unsigned long long)left / 1000, (unsigned long long)all / 1000);
		check(left > (periods[i] < 600 ? all / 20 : all / 2));
	}
}

/* ---- SEC-105 ---- */

/* A SYN from each side, crossing, or one that comes to the caller before its answer: one connection. */
static void crossed_syns(void)
{
	static const struct tern_weather line = { .delay = 10 * TERN_MS };
	struct tern_addr a, b;
	struct wire w = { 0 };
	char buf[10];

	check_eq(tern_sim_pair(&pair, 1, TERN_AF_INET, TERN_LINK_IP, 1500, &line), 0);
	tern_sim_observe(pair.sim, watch, &w);
	a = pair.addr_a;
	b = pair.addr_b;
	a.port = b.port = PORT;
	tern_socket(pair.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &client);
	tern_socket(pair.b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &server);
	check_eq(tern_bind(pair.a, client, &a), 0);
	check_eq(tern_bind(pair.b, server, &b), 0);
	check_eq(tern_connect(pair.a, client, &b), -TERN_EINPROGRESS);
	check_eq(tern_connect(pair.b, server, &a), -TERN_EINPROGRESS);
	tern_sim_run(pair.sim, TERN_SEC);
	check_eq(tern_send(pair.a, client, "hello", 5, 0), 5);
	check_eq(tern_send(pair.b, server, "there", 5, 0), 5);
	tern_sim_run(pair.sim, 2 * TERN_SEC);
	check_eq(tern_recv(pair.a, client, buf, 10, 0), 5);
	check_mem(buf, "there", 5);
	check_eq(tern_recv(pair.b, server, buf, 10, 0), 5);
	check_mem(buf, "hello", 5);
	tern_close(pair.a, client); /* and both end at once */
	tern_close(pair.b, server);
	tern_sim_run(pair.sim, 100 * TERN_SEC);
	check(w.n_frames < 30);
	check_eq(tern_connect(pair.a, client, &b), -TERN_EBADF);
	tern_sim_check(pair.sim);
	tern_sim_free(pair.sim);
}

static const struct test tests[] = {
	TEST(no_war_of_acks),
	TEST(shrews),
	TEST(crossed_syns),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
