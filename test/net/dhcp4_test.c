/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_test.c - core/net/dhcp4.c: every state and every way out of it, what each message holds, and
 * the times.
 */
#include "dhcp4_fixture.h"

/* ---- the first delay, and silence ---- */

static void the_first_delay_is_random(void)
{
	tern_time least = TERN_NEVER, most = 0;

	for (int i = 0; i < RANDOM_RUNS; i++) {
		tern_time wait;

		begin(10000);
		for (int skip = 0; skip < i; skip++)
			rand_u32(&f.rand);
		dhcp4_free(&f.net, c);
		c = dhcp4_new(&f.net, &(struct dhcp_parts){ NIC, KIND, 10000, false });
		wait = c->timer.at - now();
		least = MIN(least, wait);
		most = MAX(most, wait);
		end();
	}
	check(least >= TERN_SEC && least < 2 * TERN_SEC);
	check(most <= 10 * TERN_SEC && most > 9 * TERN_SEC);
	begin(0);
	check(c->timer.at == now());
	end();
}

/* RFC 2131 4.1: 4, 8, 16, 32, 64, 64 s, each a second more or less, and not always the same. */
static void discover_backs_off(void)
{
	static const unsigned seconds[] = { 4, 8, 16, 32, 64, 64, 64 };
	tern_time last[N_TESTS(seconds)] = { 0 };
	bool differs = false;

	for (int run = 0; run < 20; run++) {
		begin(1000);
		for (int skip = 0; skip < run; skip++)
			rand_u32(&f.rand);
		go_to(DHCP4_SELECTING);
		for (size_t i = 0; i < N_TESTS(seconds); i++) {
			tern_time wait = c->timer.at - now();

			test_at("run %d, wait %zu", run, i);
			check(wait >= (seconds[i] - 1) * TERN_SEC);
			check(wait <= (seconds[i] + 1) * TERN_SEC);
			differs = differs || (run && wait != last[i]);
			last[i] = wait;
			check_eq(wait_for_timer(), DHCP_SEND);
			check_eq(sent.type, DHCP4_DISCOVER);
		}
		end();
	}
	check(differs);
}

/* 3.1 (5): four times, then from the beginning. */
static void request_gives_up(void)
{
	begin(1000);
	go_to(DHCP4_REQUESTING);
	for (int i = 0; i < 3; i++) {
		check_eq(wait_for_timer(), DHCP_SEND);
		check(sent.type == DHCP4_REQUEST && c->state == DHCP4_REQUESTING);
	}
	check_eq(wait_for_timer(), DHCP_NOTHING);
	check_eq(c->state, DHCP4_INIT);
	check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(sent.type, DHCP4_DISCOVER);
	end();
}

static void each_exchange_has_a_number_of_its_own(void)
{
	uint32_t xid;

	begin(1000);
	go_to(DHCP4_SELECTING);
	xid = c->xid;
	wait_for_timer();
	check_eq(sent.xid, xid);
	hear_type(DHCP4_OFFER);
	check_eq(sent.xid, xid);
	hear_type(DHCP4_ACK);
	wait_for_timer();
	check(sent.xid != xid);
	end();
}

/* ---- what messages hold ---- */

/* RFC 2131 4.3.2, table 4; table 5. */
static void requests_of_the_four_states(void)
{
	static const struct {
		enum dhcp4_state state;
		uint32_t server, requested, ciaddr, src, dst;
	} rows[] = {
		{ DHCP4_REQUESTING, SERVER, OURS, 0, 0, 0xffffffff },
		{ DHCP4_REBOOTING, 0, OURS, 0, 0, 0xffffffff },
		{ DHCP4_RENEWING, 0, 0, OURS, OURS, SERVER },
		{ DHCP4_REBINDING, 0, 0, OURS, OURS, 0xffffffff },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		begin(1000);
		go_to(rows[i].state);
		test_at("state %d", rows[i].state);
		check_eq(c->state, rows[i].state);
		check(sent.type == DHCP4_REQUEST && !sent.is_reply && !sent.broadcast);
		check_eq(sent.server, rows[i].server);
		check_eq(sent.requested, rows[i].requested);
		check_eq(sent.ciaddr, rows[i].ciaddr);
		check_eq(path.src, rows[i].src);
		check_eq(path.dst, rows[i].dst);
		check(sent.yiaddr == 0 && sent.siaddr == 0 && sent.giaddr == 0);
		check(sent.asked.len > 5 && sent.max_len == 1500 && sent.lease == 0);
		check_mem(sent.mac, c->mac, 6);
		end();
	}
}

/* RFC 4361 6.1: 255, IAID, DUID-LL, and the same in every message. RFC 3442: 121 before 3. */
static void discover_says_who_and_what(void)
{
	static const uint8_t id[] = { 255, 0, 0, 0, 0, 0, 3, 0, 1, 2, 0, 0, 0, 0, 0 };
	unsigned routes = 99, routers = 99;

	begin(1000);
	go_to(DHCP4_SELECTING);
	check(sent.type == DHCP4_DISCOVER && sent.server == 0 && sent.requested == 0);
	check(path.src == 0 && path.dst == 0xffffffff && sent.ciaddr == 0);
	check_eq(sent.client_id.len, sizeof(id));
	check_mem(sent.client_id.b, id, sizeof(id));
	for (unsigned i = 0; i < sent.asked.len; i++) {
		routes = sent.asked.b[i] == DHCP4_OPT_ROUTES ? i : routes;
		routers = sent.asked.b[i] == DHCP4_OPT_ROUTERS ? i : routers;
	}
	check(routes < routers && routers < 99);
	check(sent.secs == 0);
	wait_for_timer();
	check(sent.secs >= 3 && sent.secs <= 5);
	timers_advance(&f.timers, now() + 2 * TERN_SEC);
	hear_type(DHCP4_OFFER); /* 3.1 (3): as in the DISCOVER */
	check(sent.secs >= 3 && sent.secs <= 5);
	end();
}

static void release_and_decline_hold_little(void)
{
	begin(1000);
	go_to(DHCP4_BOUND);
	check_eq(dhcp4_on_conflict(&f.net, c), DHCP_SEND | DHCP_DROP);
	dhcp4_output(c, &sent, &path);
	check(sent.type == DHCP4_DECLINE && sent.requested == OURS && sent.server == SERVER);
	check(sent.ciaddr == 0 && sent.asked.len == 0 && sent.max_len == 0 && sent.secs == 0);
	check(path.src == 0 && path.dst == 0xffffffff);
	check_eq(c->state, DHCP4_INIT);
	check(c->timer.at - now() >= 10 * TERN_SEC && c->timer.at - now() < 13 * TERN_SEC);
	check_eq(wait_for_timer(), DHCP_SEND);
	check(sent.type == DHCP4_DISCOVER && sent.requested == 0); /* not that one again */
	end();
	begin(1000);
	go_to(DHCP4_BOUND);
	check_eq(dhcp4_end(&f.net, c), DHCP_SEND | DHCP_DROP);
	dhcp4_output(c, &sent, &path);
	check(sent.type == DHCP4_RELEASE && sent.ciaddr == OURS && sent.server == SERVER);
	check(sent.requested == 0 && sent.asked.len == 0 && path.src == OURS && path.dst == SERVER);
	check(!timer_armed(&c->timer));
	end();
	begin(1000);
	check_eq(dhcp4_end(&f.net, c), DHCP_NOTHING);
	end();
}

/* ---- times ---- */

/* RFC 2131 4.4.5: T1 half, T2 seven eighths, both a little sooner, never the other way round. */
static void times_of_a_lease(void)
{
	static const struct {
		uint32_t lease, t1, t2, want1, want2;
	} rows[] = {
		{ 3600, 0, 0, 1800, 3150 },
		{ 3600, 600, 1200, 600, 1200 },
		{ 3600, 1200, 600, 1800, 3150 },
		{ 3600, 600, 600, 1800, 3150 },
		{ 3600, 600, 3600, 1800, 3150 },
		{ 3600, 600, 0, 1800, 3150 },
		{ 3600, 0, 1200, 1800, 3150 },
		{ 3600, 5000, 6000, 1800, 3150 },
		{ 60, 2, 50, 10, 50 },
		{ 8, 0, 0, 7, 7 },
		{ 3600, 599, 600, 599, 600 },
		{ 0xfffffffe, 0, 0, 0x7fffffff, 0xdffffffe },
		{ 100, 0xffffffff, 0xffffffff, 50, 87 },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		tern_time t1, t2, moment;
		struct dhcp4 m;

		begin(1000);
		go_to(DHCP4_REQUESTING);
		m = answer(DHCP4_ACK);
		m.lease = rows[i].lease;
		m.t1 = rows[i].t1;
		m.t2 = rows[i].t2;
		test_at("row %zu", i);
		check_eq(hear(&m), DHCP_TAKE);
		t1 = c->lease.t1_at - now();
		t2 = c->lease.t2_at - now();
		moment = rows[i].want1 / 31 * TERN_SEC + TERN_SEC;
		check(t1 <= rows[i].want1 * TERN_SEC + TERN_SEC &&
		      t1 + moment >= rows[i].want1 * TERN_SEC);
		moment = rows[i].want2 / 31 * TERN_SEC + TERN_SEC;
		check(t2 <= rows[i].want2 * TERN_SEC + TERN_SEC &&
		      t2 + moment >= rows[i].want2 * TERN_SEC);
		check(t1 <= t2 && t2 < rows[i].lease * TERN_SEC);
		check_eq(c->lease.expires_at - now(), rows[i].lease * TERN_SEC);
		check_eq(c->timer.at, c->lease.t1_at);
		end();
	}
}

static void a_lease_without_end(void)
{
	struct dhcp4 m;

	begin(1000);
	go_to(DHCP4_REQUESTING);
	m = answer(DHCP4_ACK);
	m.lease = DHCP_FOREVER;
	m.t1 = 5;
	m.t2 = 6;
	check_eq(hear(&m), DHCP_TAKE);
	check(!timer_armed(&c->timer) && c->lease.expires_at == TERN_NEVER);
	end();
}

/* Half of what remains, a minute at least; then REBINDING; then the end, at once. */
static void renewal_to_the_end(void)
{
	tern_time expires;
	unsigned n_renew = 0, n_rebind = 0, acts;

	begin(1000);
	go_to(DHCP4_BOUND);
	expires = c->lease.expires_at;
	while ((acts = wait_for_timer()) == DHCP_SEND) {
		bool renews = c->state == DHCP4_RENEWING;
		tern_time until = renews ? c->lease.t2_at : expires;
		tern_time half = (until - now()) / 2, wait = c->timer.at - now();

		check(renews || c->state == DHCP4_REBINDING);
		check_eq(wait, half >= 60 * TERN_SEC	     ? half :
			       until - now() < 60 * TERN_SEC ? until - now() :
							       60 * TERN_SEC);
		n_renew += renews;
		n_rebind += !renews;
	}
	check(n_renew > 3 && n_rebind > 1);
	check_eq(acts, DHCP_DROP);
	check_eq(now(), expires);
	check_eq(c->state, DHCP4_INIT);
	check_eq(wait_for_timer(), DHCP_SEND);
	check(sent.type == DHCP4_DISCOVER && sent.requested == OURS); /* it may be free yet */
	end();
}

static void an_ack_renews(void)
{
	static const enum dhcp4_state states[] = { DHCP4_RENEWING, DHCP4_REBINDING,
						   DHCP4_REBOOTING };

	for (size_t i = 0; i < N_TESTS(states); i++) {
		struct dhcp4 m;

		begin(1000);
		go_to(states[i]);
		m = answer(DHCP4_ACK);
		m.lease = 7200;
		test_at("state %d", states[i]);
		check_eq(hear(&m), DHCP_TAKE);
		check(c->state == DHCP4_BOUND && c->lease.expires_at == now() + 7200 * TERN_SEC);
		end();
	}
}

/* RFC 2131 3.1 (4): the address goes at once, and what was had is not asked for again. */
static void a_nak_ends_it(void)
{
	static const enum dhcp4_state states[] = { DHCP4_REQUESTING, DHCP4_RENEWING,
						   DHCP4_REBINDING, DHCP4_REBOOTING };

	for (size_t i = 0; i < N_TESTS(states); i++) {
		begin(1000);
		go_to(states[i]);
		test_at("state %d", states[i]);
		check_eq(hear_type(DHCP4_NAK), i ? DHCP_DROP : DHCP_NOTHING);
		check(c->state == DHCP4_INIT && c->lease.ip == 0 && timer_armed(&c->timer));
		check_eq(wait_for_timer(), DHCP_SEND);
		check(sent.type == DHCP4_DISCOVER && sent.requested == 0);
		end();
	}
}

/* Whoever is refused again and again asks more and more seldom, up to a minute. */
static void failures_slow_it_down(void)
{
	tern_time last = 0;

	begin(1000);
	for (int i = 0; i < 10; i++) {
		tern_time wait;

		go_to(DHCP4_REQUESTING);
		hear_type(DHCP4_NAK);
		wait = c->timer.at - now();
		test_at("failure %d", i);
		check(wait >= TERN_SEC << MIN(i, 6) && wait < (TERN_SEC << MIN(i, 6)) + TERN_SEC);
		check(i > 6 || wait > last);
		last = wait;
	}
	go_to(DHCP4_BOUND);
	wait_for_timer();
	hear_type(DHCP4_ACK); /* renewed: it works after all */
	check_eq(c->n_failures, 0);
	end();
}

/* ---- the link ---- */

static void the_link_goes_and_comes(void)
{
	begin(1000);
	go_to(DHCP4_SELECTING);
	dhcp4_on_link(&f.net, c, false);
	check(c->state == DHCP4_INIT && !timer_armed(&c->timer));
	check_eq(dhcp4_on_link(&f.net, c, true), DHCP_NOTHING);
	check_eq(wait_for_timer(), DHCP_SEND);
	hear_type(DHCP4_OFFER);
	hear_type(DHCP4_ACK);
	dhcp4_on_link(&f.net, c, false);
	check(c->state == DHCP4_INIT_REBOOT && c->timer.at == c->lease.expires_at);
	check_eq(wait_for_timer(), DHCP_DROP); /* the lease ends there */
	check(c->state == DHCP4_INIT && !timer_armed(&c->timer));
	end();
}

/* 3.2 (4): nobody answers, the lease still holds. */
static void nobody_answers_a_reboot(void)
{
	begin(1000);
	go_to(DHCP4_REBOOTING);
	for (int i = 0; i < 3; i++)
		check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(wait_for_timer(), DHCP_NOTHING);
	check(c->state == DHCP4_BOUND && c->timer.at == c->lease.t1_at);
	end();
}

static const struct test tests[] = {
	TEST(the_first_delay_is_random),
	TEST(discover_backs_off),
	TEST(request_gives_up),
	TEST(each_exchange_has_a_number_of_its_own),
	TEST(requests_of_the_four_states),
	TEST(discover_says_who_and_what),
	TEST(release_and_decline_hold_little),
	TEST(times_of_a_lease),
	TEST(a_lease_without_end),
	TEST(renewal_to_the_end),
	TEST(an_ack_renews),
	TEST(a_nak_ends_it),
	TEST(failures_slow_it_down),
	TEST(the_link_goes_and_comes),
	TEST(nobody_answers_a_reboot),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
