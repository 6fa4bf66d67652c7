/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_test.c - the simulated world: its clock, its links, what observers see, and that one seed
 * gives one run.
 */
#include "../../include/tern_sim.h"

#include "test.h"

enum { ETH = TERN_LINK_ETHERNET, IP = TERN_LINK_IP };

/* ---- the clock ---- */

struct diary {
	struct tern_sim *sim;
	unsigned n;
	int order[8];
	tern_time at[8];
};

struct alarm {
	struct diary *diary;
	int name;
};

static void ring(void *ctx)
{
	const struct alarm *a = ctx;
	struct diary *d = a->diary;

	d->order[d->n] = a->name;
	d->at[d->n++] = tern_sim_now(d->sim);
}

static void timers_ring_in_order(void)
{
	struct diary d = { .sim = tern_sim_new(1) };
	struct alarm alarm[4] = { { &d, 0 }, { &d, 1 }, { &d, 2 }, { &d, 3 } };

	check_eq(tern_sim_at(d.sim, 30, ring, &alarm[0]), 0);
	check_eq(tern_sim_at(d.sim, 10, ring, &alarm[1]), 0);
	check_eq(tern_sim_at(d.sim, 30, ring, &alarm[2]), 0);
	check_eq(tern_sim_at(d.sim, 40, ring, &alarm[3]), 0);
	check(tern_sim_step(d.sim, 30));
	check_eq(d.n, 1);
	tern_sim_run(d.sim, 35);
	check_eq(d.n, 3);
	check_eq(tern_sim_now(d.sim), 35);
	tern_sim_run(d.sim, TERN_NEVER);
	check_eq(tern_sim_now(d.sim), 40);
	check_mem(d.order, ((int[]){ 1, 0, 2, 3 }), 4 * sizeof(int));
	check_mem(d.at, ((tern_time[]){ 10, 30, 30, 40 }), 4 * sizeof(tern_time));
	tern_sim_free(d.sim);
}

static void random_numbers_come_from_the_seed(void)
{
	struct tern_sim *a = tern_sim_new(7), *b = tern_sim_new(7), *c = tern_sim_new(8);
	unsigned n_same = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t n = tern_sim_random(a, 1000);

		check(n < 1000);
		check_eq(n, tern_sim_random(b, 1000));
		n_same += n == tern_sim_random(c, 1000);
	}
	check(n_same < 10);
	tern_sim_free(a);
	tern_sim_free(b);
	tern_sim_free(c);
}

/* ---- datagrams over a pair ---- */

/* What an observer saw, by kind, and a digest of every byte, length and time. */
struct seen {
	unsigned n[TERN_SIM_TRACE + 1];
	const char *why;
	uint64_t digest;
	unsigned n_delivered[4]; /* unicast IPv4, by host */
};

static void digest(struct seen *s, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		s->digest = (s->digest ^ p[i]) * 1099511628211U;
}

static void watch(void *ctx, const struct tern_sim_note *n)
{
	struct seen *s = ctx;

	s->n[n->what]++;
	digest(s, &n->at, sizeof(n->at));
	digest(s, &n->what, sizeof(n->what));
	if (n->what == TERN_SIM_FRAME_LOST)
		s->why = n->why;
	if (n->what == TERN_SIM_TRACE)
		return;
	digest(s, n->frame, n->len);
	if (n->what == TERN_SIM_FRAME_DELIVERED && n->frame[12] == 8 && n->frame[13] == 0)
		s->n_delivered[n->host]++;
}

static tern_sock udp_socket(struct tern_stack *st, const struct tern_addr *local, uint16_t port)
{
	struct tern_addr a = *local;
	tern_sock sock = 0;

	a.port = port;
	check_eq(tern_socket(st, a.family, TERN_SOCK_DGRAM, 0, &sock), 0);
	check_eq(tern_bind(st, sock, &a), 0);
	return sock;
}

static void a_datagram_takes_the_delay(void)
{
	const struct tern_weather w = { .delay = 10 * TERN_MS };

	for (int i = 0; i < 4; i++) {
		struct tern_sim_pair p;
		int family = i & 1 ? TERN_AF_INET6 : TERN_AF_INET;
		tern_sock from, to;
		struct tern_addr dst;
		char buf[8];

		test_at("family %d link %d", family, i & 2 ? IP : ETH);
		check_eq(tern_sim_pair(&p, 1, family, i & 2 ? IP : ETH, 1500, &w), 0);
		from = udp_socket(p.a, &p.addr_a, 1000);
		to = udp_socket(p.b, &p.addr_b, 2000);
		dst = p.addr_b;
		dst.port = 2000;
		check_eq(tern_sendto(p.a, from, "hello", 5, 0, &dst), 5);
		tern_sim_run(p.sim, i & 2 ? 10 * TERN_MS - 1 : 30 * TERN_MS - 1);
		check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), -TERN_EAGAIN);
		/* On Ethernet the address is resolved first: there and back. */
		tern_sim_run(p.sim, 30 * TERN_MS);
		check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), 5);
		check_mem(buf, "hello", 5);
		tern_sim_check(p.sim);
		tern_sim_free(p.sim);
	}
}

static enum tern_sim_verdict lose_first(void *ctx, int from, const uint8_t *frame, uint32_t len)
{
	int *n = ctx;

	(void)frame;
	(void)len;
	return from == 0 && (*n)++ == 0 ? TERN_SIM_LOSE : TERN_SIM_DUPLICATE;
}

static void a_filter_decides(void)
{
	struct tern_sim_pair p;
	struct seen seen = { 0 };
	tern_sock from, to;
	struct tern_addr dst;
	char buf[8];
	int n = 0;

	check_eq(tern_sim_pair(&p, 1, TERN_AF_INET, IP, 1500, NULL), 0);
	tern_sim_observe(p.sim, watch, &seen);
	tern_sim_filter(p.sim, p.link, lose_first, &n);
	from = udp_socket(p.a, &p.addr_a, 1000);
	to = udp_socket(p.b, &p.addr_b, 2000);
	dst = p.addr_b;
	dst.port = 2000;
	tern_sendto(p.a, from, "one", 3, 0, &dst);
	tern_sim_run(p.sim, TERN_SEC);
	check_eq(seen.n[TERN_SIM_FRAME_LOST], 1);
	check_str(seen.why, "filter");
	check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), -TERN_EAGAIN);
	tern_sendto(p.a, from, "two", 3, 0, &dst);
	tern_sim_run(p.sim, 2 * TERN_SEC);
	check_eq(seen.n[TERN_SIM_FRAME_DUPLICATED], 1);
	check_eq(seen.n[TERN_SIM_FRAME_DELIVERED], 2);
	check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), 3);
	check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), 3);
	tern_sim_free(p.sim);
}

static enum tern_sim_verdict lose_text_once(void *ctx, int from, const uint8_t *frame, uint32_t len)
{
	unsigned *n = ctx;

	(void)frame;
	if (from != 0 || len < 80 || *n)
		return TERN_SIM_PASS;
	++*n;
	return TERN_SIM_LOSE;
}

/* As Linux counts: a loss probe that repeats text is a segment retransmitted, too. */
static void a_loss_probe_counts_as_sent_again(void)
{
	struct tern_addr to;
	struct tern_sim_pair p;
	tern_sock listener, a, b;
	unsigned n = 1;
	char text[100] = "text";

	check_eq(tern_sim_pair(&p, 1, TERN_AF_INET, IP, 1500, NULL), 0);
	tern_sim_filter(p.sim, p.link, lose_text_once, &n);
	to = p.addr_b;
	to.port = 80;
	check_eq(tern_socket(p.b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(p.b, listener, &to), 0);
	check_eq(tern_listen(p.b, listener, 1), 0);
	check_eq(tern_socket(p.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &a), 0);
	check_eq(tern_connect(p.a, a, &to), -TERN_EINPROGRESS);
	tern_sim_run(p.sim, TERN_SEC);
	check_eq(tern_accept(p.b, listener, &b, NULL), 0);
	n = 0;
	check_eq(tern_send(p.a, a, text, sizeof(text), 0), (int64_t)sizeof(text));
	tern_sim_run(p.sim, 2 * TERN_SEC);
	check_eq(tern_recv(p.b, b, text, sizeof(text), 0), (int64_t)sizeof(text));
	check_eq(tern_counter(p.a, "TcpExtTCPLossProbes"), 1);
	check_eq(tern_counter(p.a, "TcpRetransSegs"), 1);
	tern_sim_free(p.sim);
}

static void a_partition_heals(void)
{
	struct tern_sim_pair p;
	struct tern_weather w = { .down = true };
	tern_sock from, to;
	struct tern_addr dst;
	char buf[8];

	check_eq(tern_sim_pair(&p, 1, TERN_AF_INET, IP, 1500, &w), 0);
	from = udp_socket(p.a, &p.addr_a, 1000);
	to = udp_socket(p.b, &p.addr_b, 2000);
	dst = p.addr_b;
	dst.port = 2000;
	tern_sendto(p.a, from, "x", 1, 0, &dst);
	tern_sim_run(p.sim, TERN_SEC);
	check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), -TERN_EAGAIN);
	w.down = false;
	check_eq(tern_sim_weather(p.sim, p.link, 0, &w), 0);
	check_eq(tern_sim_weather(p.sim, p.link, 9, &w), -TERN_EINVAL);
	tern_sendto(p.a, from, "y", 1, 0, &dst);
	tern_sim_run(p.sim, 2 * TERN_SEC);
	check_eq(tern_recv(p.b, to, buf, sizeof(buf), 0), 1);
	check_eq(buf[0], 'y');
	tern_sim_free(p.sim);
}

static void others_do_not_get_a_unicast_frame(void)
{
	struct tern_sim_pair p;
	struct tern_iface iface = { .name = "eth0", .link = ETH, .mtu = 1500, .mac = { 2, 9 } };
	struct tern_addr addr_c = tern_ip4(10, 0, 0, 3, 0), dst;
	struct seen seen = { 0 };
	tern_sock from;
	int c;

	check_eq(tern_sim_pair(&p, 1, TERN_AF_INET, ETH, 1500, NULL), 0);
	c = tern_sim_host_add(p.sim, "c", NULL);
	check_eq(c, 2);
	check_str(tern_sim_host_name(p.sim, c), "c");
	check_eq(tern_sim_attach(p.sim, p.link, c, &iface), 2);
	check_eq(tern_addr_add(tern_sim_stack(p.sim, c), 2, &addr_c, 24), 0);
	iface.link = IP;
	check_eq(tern_sim_attach(p.sim, p.link, c, &iface), -TERN_EINVAL);
	tern_sim_observe(p.sim, watch, &seen);
	from = udp_socket(p.a, &p.addr_a, 1000);
	udp_socket(p.b, &p.addr_b, 2000);
	dst = p.addr_b;
	dst.port = 2000;
	tern_sendto(p.a, from, "x", 1, 0, &dst);
	tern_sim_run(p.sim, TERN_SEC);
	check_eq(seen.n_delivered[1], 1);
	check_eq(seen.n_delivered[2], 0);
	tern_sim_free(p.sim);
}

/* ---- a stream under weather ---- */

struct transfer {
	struct tern_sim_pair p;
	tern_sock listener, sender, receiver;
	uint64_t to_send, n_sent, n_received, n_wrong;
	bool ended;
};

static uint8_t byte_at(uint64_t pos)
{
	return (uint8_t)(pos * 31 + (pos >> 8));
}

static void on_sender(void *ctx, int host, const struct tern_event *ev)
{
	struct transfer *t = ctx;
	uint8_t buf[1000];

	(void)host;
	check(tern_now(t->p.a) == tern_sim_now(t->p.sim));
	while (t->n_sent < t->to_send && (ev->ready & TERN_POLLOUT)) {
		size_t len =
			t->to_send - t->n_sent < sizeof(buf) ? t->to_send - t->n_sent : sizeof(buf);
		int64_t n;

		for (size_t i = 0; i < len; i++)
			buf[i] = byte_at(t->n_sent + i);
		n = tern_send(t->p.a, ev->sock, buf, len, 0);
		if (n < 0)
			return;
		t->n_sent += (uint64_t)n;
		if (t->n_sent == t->to_send)
			tern_close(t->p.a, ev->sock);
	}
}

static void on_receiver(void *ctx, int host, const struct tern_event *ev)
{
	struct transfer *t = ctx;
	uint8_t buf[1000];
	int64_t n;

	(void)host;
	if (ev->sock == t->listener) {
		if (tern_accept(t->p.b, t->listener, &t->receiver, NULL) != 0)
			return;
	}
	while ((n = tern_recv(t->p.b, t->receiver, buf, sizeof(buf), 0)) > 0)
		for (int64_t i = 0; i < n; i++)
			t->n_wrong += buf[i] != byte_at(t->n_received++);
	if (n == 0 && !t->ended) {
		t->ended = true;
		tern_close(t->p.b, t->receiver);
	}
}

static uint64_t run_transfer(uint64_t seed, int family, uint64_t n_bytes)
{
	const struct tern_weather w = { .delay = 5 * TERN_MS,
					.jitter = TERN_MS,
					.rate_bps = 10000000,
					.loss_ppm = 20000,
					.reorder_ppm = 10000,
					.duplicate_ppm = 10000,
					.corrupt_ppm = 5000 };
	struct transfer t = { .to_send = n_bytes };
	struct seen seen = { .digest = 1 };
	struct tern_addr dst;

	check_eq(tern_sim_pair(&t.p, seed, family, ETH, 1500, &w), 0);
	tern_sim_observe(t.p.sim, watch, &seen);
	tern_sim_on_event(t.p.sim, 0, on_sender, &t);
	tern_sim_on_event(t.p.sim, 1, on_receiver, &t);
	dst = t.p.addr_b;
	dst.port = 80;
	check_eq(tern_socket(t.p.b, family, TERN_SOCK_STREAM, 0, &t.listener), 0);
	check_eq(tern_bind(t.p.b, t.listener, &dst), 0);
	check_eq(tern_listen(t.p.b, t.listener, 5), 0);
	check_eq(tern_socket(t.p.a, family, TERN_SOCK_STREAM, 0, &t.sender), 0);
	check_eq(tern_connect(t.p.a, t.sender, &dst), -TERN_EINPROGRESS);
	tern_sim_run(t.p.sim, 600 * TERN_SEC);
	check(t.ended);
	check_eq(t.n_received, n_bytes);
	check_eq(t.n_wrong, 0);
	tern_sim_check(t.p.sim);
	tern_sim_free(t.p.sim);
	return seen.digest;
}

static void one_seed_is_one_run(void)
{
	uint64_t first = run_transfer(11, TERN_AF_INET, 200000);

	check(run_transfer(11, TERN_AF_INET, 200000) == first);
	check(run_transfer(12, TERN_AF_INET, 200000) != first);
	first = run_transfer(11, TERN_AF_INET6, 50000);
	check(run_transfer(11, TERN_AF_INET6, 50000) == first);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(timers_ring_in_order),
		TEST(random_numbers_come_from_the_seed),
		TEST(a_datagram_takes_the_delay),
		TEST(a_filter_decides),
		TEST(a_loss_probe_counts_as_sent_again),
		TEST(a_partition_heals),
		TEST(others_do_not_get_a_unicast_frame),
		TEST(one_seed_is_one_run),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
