/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh_test.c - core/net/neigh.c: the state machine of RFC 4861, its timers, the queue, eviction.
 */
#include "net_fixture.h"

enum { ETH = 2 };

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
static const uint8_t group_mac[6] = { 1, 0, 0x5e, 0, 0, 1 };

static void start_eth(void)
{
	start();
	check_eq(add_iface("eth0", TERN_LINK_ETHERNET, 0), ETH);
}

static struct addr peer(unsigned i)
{
	return v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);
}

static struct neigh *resolve(unsigned i, bool *ready)
{
	struct addr a = peer(i);

	return neigh_resolve(&f.net, ETH, &a, ready);
}

static struct neigh *tell(unsigned i, const uint8_t *mac, const char *flags)
{
	struct neigh_news news = { .ifindex = ETH, .addr = peer(i), .mac = mac };

	news.solicited = strchr(flags, 's');
	news.override = strchr(flags, 'o');
	news.create = strchr(flags, 'c');
	return neigh_on_news(&f.net, &news);
}

/* Lets time pass up to an instant; returns the last verdict, and how many requests went out. */
static enum neigh_verdict run_until(tern_time at, unsigned *n_requests)
{
	enum neigh_verdict verdict = NEIGH_NOTHING;
	struct timer *t;

	*n_requests = 0;
	while (timers_deadline(&f.timers) <= at) {
		timers_advance(&f.timers, timers_deadline(&f.timers));
		while ((t = timers_take(&f.timers))) {
			check_eq(t->kind, 77);
			verdict = neigh_on_timer(&f.net, CONTAINER_OF(t, struct neigh, timer));
			*n_requests += verdict == NEIGH_SEND_REQUEST;
			if (verdict == NEIGH_FAILED)
				return verdict;
		}
	}
	timers_advance(&f.timers, at);
	net_check(&f.net);
	return verdict;
}

static void fresh_entry_asks_three_times_then_fails(void)
{
	tern_time t0;
	unsigned n;
	bool ready;
	struct neigh *e;

	start_eth();
	t0 = f.timers.now;
	e = resolve(1, &ready);
	check(e && !ready && e->state == TERN_NEIGH_INCOMPLETE);
	check(neigh_take_first_request(e) && !neigh_take_first_request(e));
	check(resolve(1, &ready) == e && !ready);
	check_eq(timers_deadline(&f.timers), t0 + TERN_SEC);
	check_eq(run_until(t0 + 3 * TERN_SEC - 1, &n), NEIGH_SEND_REQUEST);
	check_eq(n, 2);
	check_eq(run_until(t0 + 10 * TERN_SEC, &n), NEIGH_FAILED);
	check_eq(f.timers.now, t0 + 3 * TERN_SEC);
	neigh_free(&f.net, e);
	check(timers_deadline(&f.timers) == TERN_NEVER && f.net.neighs.n == 0);
	finish();
}

static void answer_makes_it_usable(void)
{
	struct neigh *e;
	bool ready;

	start_eth();
	e = resolve(1, &ready);
	check(tell(1, mac_a, "so") == e);
	check(e->state == TERN_NEIGH_REACHABLE && e->confirmed_once);
	check_mem(e->mac, mac_a, 6);
	check(resolve(1, &ready) == e && ready);
	check(!neigh_take_first_request(e));
	e = resolve(2, &ready);
	check(tell(2, mac_a, "o") == e); /* not asked for: usable, but STALE */
	check_eq(e->state, TERN_NEIGH_STALE);
	finish();
}

static void idle_entry_becomes_stale_and_use_probes_it(void)
{
	struct neigh *e;
	tern_time t0;
	unsigned n;
	bool ready;

	start_eth();
	e = resolve(1, &ready);
	tell(1, mac_a, "so");
	t0 = f.timers.now;
	run_until(t0 + 15 * TERN_SEC - 1, &n);
	check_eq(e->state, TERN_NEIGH_REACHABLE);
	run_until(t0 + 45 * TERN_SEC + TERN_MS, &n);
	check_eq(e->state, TERN_NEIGH_STALE);
	check_eq(n, 0);
	check(timers_deadline(&f.timers) == TERN_NEVER);

	t0 = f.timers.now;
	check(resolve(1, &ready) == e && ready && e->state == TERN_NEIGH_DELAY);
	run_until(t0 + 5 * TERN_SEC - 1, &n);
	check(n == 0 && resolve(1, &ready) == e && ready); /* using it more delays nothing */
	check_eq(run_until(t0 + 5 * TERN_SEC, &n), NEIGH_SEND_REQUEST);
	check(n == 1 && e->state == TERN_NEIGH_PROBE);
	check(resolve(1, &ready) == e && ready);
	run_until(t0 + 8 * TERN_SEC - 1, &n);
	check_eq(n, 2);
	check_eq(run_until(t0 + 9 * TERN_SEC, &n), NEIGH_FAILED);
	check_eq(f.timers.now, t0 + 8 * TERN_SEC);
	neigh_free(&f.net, e);
	finish();
}

static void progress_keeps_it_reachable(void)
{
	struct neigh *e;
	unsigned n;
	bool ready;

	start_eth();
	e = resolve(1, &ready);
	neigh_confirm(&f.net, e); /* without an address there is nothing to confirm */
	check_eq(e->state, TERN_NEIGH_INCOMPLETE);
	tell(1, mac_a, "");
	check_eq(e->state, TERN_NEIGH_STALE);
	for (unsigned i = 0; i < 20; i++) {
		neigh_confirm(&f.net, e);
		check_eq(e->state, TERN_NEIGH_REACHABLE);
		run_until(f.timers.now + 10 * TERN_SEC, &n);
		check(n == 0 && e->state == TERN_NEIGH_REACHABLE);
	}
	neigh_suspect(&f.net, e);
	check_eq(e->state, TERN_NEIGH_STALE);
	resolve(1, &ready);
	run_until(f.timers.now + 6 * TERN_SEC, &n);
	check_eq(e->state, TERN_NEIGH_PROBE);
	neigh_suspect(&f.net, e); /* it is suspected already */
	check_eq(e->state, TERN_NEIGH_PROBE);
	neigh_confirm(&f.net, e);
	check_eq(e->state, TERN_NEIGH_REACHABLE);
	finish();
}

/* RFC 4861 7.2.5 and appendix C, for entries that have mac_a. */
static void news_about_a_known_neighbour(void)
{
	enum { R = TERN_NEIGH_REACHABLE, S = TERN_NEIGH_STALE, D = TERN_NEIGH_DELAY };
	static const struct {
		uint32_t from;
		const uint8_t *mac;
		const char *flags;
		uint32_t to;
		const uint8_t *mac_after;
	} cases[] = {
		{ R, mac_a, "", R, mac_a },	  { S, mac_a, "", S, mac_a },
		{ R, mac_a, "s", R, mac_a },	  { S, mac_a, "s", R, mac_a },
		{ D, mac_a, "s", R, mac_a },	  { D, mac_a, "o", D, mac_a },
		{ R, mac_b, "", S, mac_a },	  { S, mac_b, "", S, mac_a },
		{ R, mac_b, "s", S, mac_a },	  { S, mac_b, "s", S, mac_a },
		{ D, mac_b, "s", D, mac_a },	  { R, mac_b, "o", S, mac_b },
		{ S, mac_b, "o", S, mac_b },	  { D, mac_b, "o", S, mac_b },
		{ R, mac_b, "so", R, mac_b },	  { S, mac_b, "so", R, mac_b },
		{ D, mac_b, "so", R, mac_b },	  { S, NULL, "s", R, mac_a },
		{ S, NULL, "", S, mac_a },	  { D, NULL, "so", R, mac_a },
		{ R, group_mac, "so", R, mac_a },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct neigh *e;
		bool ready;

		start_eth();
		test_at("case %u", i);
		e = resolve(1, &ready);
		tell(1, mac_a, cases[i].from == R ? "s" : "");
		if (cases[i].from == D)
			resolve(1, &ready);
		check_eq(e->state, cases[i].from);
		check(!tell(1, cases[i].mac, cases[i].flags));
		check_eq(e->state, cases[i].to);
		check_mem(e->mac, cases[i].mac_after, 6);
		finish();
	}
}

static void news_about_a_stranger(void)
{
	struct addr a = peer(1);
	struct neigh *e;
	bool ready;

	start_eth();
	check(!tell(1, mac_a, "so") && !neigh_find(&f.net, ETH, &a));
	check(!tell(1, NULL, "c") && !neigh_find(&f.net, ETH, &a));
	check(!tell(1, group_mac, "c") && !neigh_find(&f.net, ETH, &a));
	check(!tell(1, mac_a, "oc"));
	e = neigh_find(&f.net, ETH, &a);
	check(e && e->state == TERN_NEIGH_STALE);
	e = resolve(2, &ready);
	check(!tell(2, NULL, "s") && e->state == TERN_NEIGH_INCOMPLETE);
	check(!tell(2, group_mac, "so") && e->state == TERN_NEIGH_INCOMPLETE);
	check(!tell(0, mac_a, "oc") || f.net.neighs.n == 3);
	finish();
}

static void permanent_entries_never_change(void)
{
	struct addr a = peer(1), group = v4(224, 0, 0, 1);
	struct neigh *e;
	unsigned n;
	bool ready;

	start_eth();
	check_eq(neigh_add_permanent(&f.net, ETH, &a, mac_a), 0);
	check_eq(neigh_add_permanent(&f.net, 9, &a, mac_a), -TERN_ENODEV);
	check_eq(neigh_add_permanent(&f.net, LO_INDEX, &a, mac_a), -TERN_EINVAL);
	check_eq(neigh_add_permanent(&f.net, ETH, &a, group_mac), -TERN_EINVAL);
	check_eq(neigh_add_permanent(&f.net, ETH, &group, mac_a), -TERN_EINVAL);
	e = resolve(1, &ready);
	check(e && ready);
	check(!tell(1, mac_b, "so"));
	neigh_confirm(&f.net, e);
	neigh_suspect(&f.net, e);
	run_until(f.timers.now + 1000 * TERN_SEC, &n);
	check(e->state == TERN_NEIGH_PERMANENT && n == 0);
	check_mem(e->mac, mac_a, 6);
	e = resolve(2, &ready); /* one being resolved can be made permanent */
	a = peer(2);
	check_eq(neigh_add_permanent(&f.net, ETH, &a, mac_b), 0);
	check(resolve(2, &ready) == e && ready && !timer_armed(&e->timer));
	finish();
}

static void queue_keeps_the_youngest(void)
{
	struct tern_pkt *p[5];
	struct neigh *e;
	bool ready;

	start_eth();
	e = resolve(1, &ready);
	for (unsigned i = 0; i < 5; i++) {
		struct tern_pkt *out = neigh_queue_put(&f.net, e, p[i] = pkt_new(&f.mem, 0, 50));

		check(out == (i < 3 ? NULL : p[i - 3]));
		if (out)
			pkt_free(&f.mem, out);
	}
	check_eq(e->queue.n, 3);
	check(tell(1, mac_a, "s") == e);
	for (unsigned i = 2; i < 5; i++)
		check(pkt_queue_take(&e->queue) == p[i]);
	for (unsigned i = 2; i < 5; i++)
		pkt_free(&f.mem, p[i]);
	f.cfg.neighbour_queue_max = 0;
	e = resolve(2, &ready);
	p[0] = pkt_new(&f.mem, 0, 50);
	check(neigh_queue_put(&f.net, e, p[0]) == p[0]);
	pkt_free(&f.mem, p[0]);
	finish();
}

static void least_recently_used_gives_way(void)
{
	struct addr a;
	bool ready;

	start_eth();
	for (unsigned i = 1; i <= 8; i++)
		check(resolve(i, &ready));
	resolve(1, &ready); /* 2 is now the oldest */
	check(resolve(9, &ready));
	a = peer(2);
	check(!neigh_find(&f.net, ETH, &a));
	a = peer(1);
	check(neigh_find(&f.net, ETH, &a));
	check_eq(iface_get(&f.net, ETH)->n_neigh, 8);
	finish();
}

static void those_with_packets_or_waiters_stay(void)
{
	struct list waiter;
	struct addr a;
	struct neigh *e[9];
	bool ready;

	start_eth();
	for (unsigned i = 1; i <= 8; i++)
		e[i] = resolve(i, &ready);
	a = peer(1);
	check_eq(neigh_add_permanent(&f.net, ETH, &a, mac_a), 0);
	for (unsigned i = 2; i <= 7; i++)
		check(!neigh_queue_put(&f.net, e[i], pkt_new(&f.mem, 0, 10)));
	list_init(&waiter);
	list_put_tail(&e[8]->waiters, &waiter);
	check(!resolve(9, &ready) && !ready);
	check(!tell(10, mac_a, "c"));
	pkt_queue_fini(&e[5]->queue, &f.mem);
	check(resolve(9, &ready));
	a = peer(5);
	check(!neigh_find(&f.net, ETH, &a));
	list_unlink(&waiter);
	for (unsigned i = 2; i <= 7; i++)
		if (i != 5)
			pkt_queue_fini(&e[i]->queue, &f.mem);
	finish();
}

static void interfaces_are_apart(void)
{
	struct addr a = peer(1);
	uint64_t cursor = 0;
	unsigned other, n = 0;
	bool ready;

	start_eth();
	other = add_iface("eth1", TERN_LINK_ETHERNET, 0);
	check(neigh_resolve(&f.net, ETH, &a, &ready) != neigh_resolve(&f.net, other, &a, &ready));
	tell(1, mac_a, "s");
	check(neigh_resolve(&f.net, ETH, &a, &ready) && ready);
	check(neigh_resolve(&f.net, other, &a, &ready) && !ready);
	while (neigh_walk(&f.net, &cursor))
		n++;
	check_eq(n, 2);
	check_eq(iface_del(&f.net, ETH), 0);
	check(!neigh_find(&f.net, ETH, &a) && neigh_find(&f.net, other, &a));
	check(!neigh_resolve(&f.net, ETH, &a, &ready) && !ready);
	finish();
}

/* Anything in any order: the invariants hold and nothing leaks. */
static void random_use_keeps_the_invariants(void)
{
	static const char *const flags[] = { "", "s", "o", "so", "c", "oc", "soc" };

	start_eth();
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = 1 + (unsigned)rand_below(&f.rand, 20), n;
		struct addr a = peer(i);
		struct neigh *e = neigh_find(&f.net, ETH, &a);
		bool ready;

		test_at("step %u", step);
		switch (rand_below(&f.rand, 6)) {
		case 0:
			e = resolve(i, &ready);
			if (e && !ready && rand_below(&f.rand, 2)) {
				struct tern_pkt *p = pkt_new(&f.mem, 0, 10);

				p = neigh_queue_put(&f.net, e, p);
				if (p)
					pkt_free(&f.mem, p);
			}
			break;
		case 1:
			e = tell(i, rand_below(&f.rand, 2) ? mac_a : mac_b,
				 flags[rand_below(&f.rand, N_TESTS(flags))]);
			if (e)
				pkt_queue_fini(&e->queue, &f.mem);
			break;
		case 2:
			if (e)
				neigh_confirm(&f.net, e);
			break;
		case 3:
			if (e)
				neigh_suspect(&f.net, e);
			break;
		case 4:
			if (rand_below(&f.rand, 20) == 0)
				neigh_add_permanent(&f.net, ETH, &a, mac_a);
			else if (e && e->queue.n == 0)
				neigh_free(&f.net, e);
			break;
		default:
			if (run_until(f.timers.now + rand_below(&f.rand, 4 * TERN_SEC), &n) ==
			    NEIGH_FAILED) {
				struct neigh *failed = NULL;
				uint64_t cursor = 0;

				while ((e = neigh_walk(&f.net, &cursor)))
					if (!timer_armed(&e->timer) && e->n_probes == 3)
						failed = e;
				check(failed);
				pkt_queue_fini(&failed->queue, &f.mem);
				neigh_free(&f.net, failed);
			}
		}
		net_check(&f.net);
	}
	for (unsigned i = 1; i <= 20; i++) {
		struct addr a = peer(i);
		struct neigh *e = neigh_find(&f.net, ETH, &a);

		if (e)
			pkt_queue_fini(&e->queue, &f.mem);
	}
	finish();
}

static const struct test tests[] = {
	TEST(fresh_entry_asks_three_times_then_fails),
	TEST(answer_makes_it_usable),
	TEST(idle_entry_becomes_stale_and_use_probes_it),
	TEST(progress_keeps_it_reachable),
	TEST(news_about_a_known_neighbour),
	TEST(news_about_a_stranger),
	TEST(permanent_entries_never_change),
	TEST(queue_keeps_the_youngest),
	TEST(least_recently_used_gives_way),
	TEST(those_with_packets_or_waiters_stay),
	TEST(interfaces_are_apart),
	TEST(random_use_keeps_the_invariants),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
