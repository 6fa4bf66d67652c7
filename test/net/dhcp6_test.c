/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_test.c - core/net/dhcp6.c: every state and every way out of it, what each message holds,
 * and the times of section 15.
 */
#include "dhcp6_fixture.h"

/* ---- section 15 ---- */

/* The n-th wait of an exchange is twice the one before, a tenth more or less, up to a limit. */
static void check_back_off(enum dhcp6_state state, unsigned first_s, unsigned most_s)
{
	tern_time before = 0, most = most_s * TERN_SEC;

	for (int i = 0; c->state == state && i < 20; i++) {
		tern_time wait = MIN(c->timer.at, c->ends_at) - now();
		tern_time usual = i ? 2 * before : first_s * TERN_SEC, spread;

		if (c->timer.at == c->ends_at)
			return; /* cut off by the end of the exchange */
		if (most && usual + before / 10 > most && wait < usual - before / 10)
			usual = most;
		spread = (i && usual != most ? before : usual) / 10;
		test_at("state %d, wait %d", state, i);
		check(wait >= usual - spread && wait <= usual + spread);
		check(!most || wait <= most + most / 10);
		check(i || state != DHCP6_SOLICITING || wait > usual); /* 18.2.1 */
		before = wait;
		if (wait_for_timer() != DHCP_SEND)
			return;
	}
}

static void each_exchange_backs_off(void)
{
	static const struct {
		enum dhcp6_state state;
		unsigned first_s, most_s;
	} rows[] = {
		{ DHCP6_SOLICITING, 1, 3600 }, { DHCP6_REQUESTING, 1, 30 },
		{ DHCP6_RENEWING, 10, 600 },   { DHCP6_REBINDING, 10, 600 },
		{ DHCP6_CONFIRMING, 1, 4 },    { DHCP6_DECLINING, 1, 0 },
		{ DHCP6_INFORMING, 1, 3600 },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		begin();
		go_to(rows[i].state);
		check_back_off(rows[i].state, rows[i].first_s, rows[i].most_s);
		end();
	}
}

/* 18.2.1: longer than a second, so that every server has one. */
static void the_first_solicit_waits_longer(void)
{
	for (int run = 0; run < 50; run++) {
		begin();
		for (int skip = 0; skip < run; skip++)
			rand_u32(&f.rand);
		go_to(DHCP6_SOLICITING);
		test_at("run %d", run);
		check(c->timer.at - now() > TERN_SEC && c->timer.at - now() <= 1100 * TERN_MS);
		end();
	}
}

/* 18.2.1, 18.2.3, 18.2.6: up to a second before the first. */
static void the_first_message_waits(void)
{
	tern_time most = 0, least = TERN_NEVER;

	for (int run = 0; run < 100; run++) {
		begin();
		for (int skip = 0; skip < run; skip++)
			rand_u32(&f.rand);
		dhcp6_on_flags(&f.net, c, true, false);
		most = MAX(most, c->timer.at - now());
		least = MIN(least, c->timer.at - now());
		end();
	}
	check(most < TERN_SEC && most > 900 * TERN_MS && least < 100 * TERN_MS);
}

/* ---- what messages hold ---- */

/* 18.2: which of them name the server, the addresses, what is asked. */
static void messages_of_the_states(void)
{
	static const struct {
		enum dhcp6_state state;
		enum dhcp6_type type;
		bool server, ia, asks, rapid;
		uint8_t n;
	} rows[] = {
		{ DHCP6_SOLICITING, DHCP6_SOLICIT, false, true, true, true, 0 },
		{ DHCP6_REQUESTING, DHCP6_REQUEST, true, true, true, false, 1 },
		{ DHCP6_RENEWING, DHCP6_RENEW, true, true, true, false, 1 },
		{ DHCP6_REBINDING, DHCP6_REBIND, false, true, true, false, 1 },
		{ DHCP6_CONFIRMING, DHCP6_CONFIRM, false, true, false, false, 1 },
		{ DHCP6_DECLINING, DHCP6_DECLINE, true, true, false, false, 1 },
		{ DHCP6_INFORMING, DHCP6_INFORM, false, false, true, false, 0 },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		bool sol_max = false;

		begin();
		go_to(rows[i].state);
		test_at("state %d", rows[i].state);
		check_eq(sent.type, rows[i].type);
		check_eq(sent.server.len > 0, rows[i].server);
		check_eq(sent.ia.is_there, rows[i].ia);
		check_eq(sent.ia.n, rows[i].n);
		check_eq(sent.n_asked > 0, rows[i].asks);
		check_eq(sent.rapid_commit, rows[i].rapid);
		check(sent.has_elapsed && sent.elapsed == 0 && sent.client.len == 10);
		check(!rows[i].n || sent.ia.addr[0].addr.b[15] == 5);
		check(!rows[i].ia || sent.ia.iaid == c->iaid);
		for (unsigned n = 0; n < sent.n_asked; n++)
			sol_max = sol_max || sent.asked[n] == DHCP6_OPT_SOL_MAX_RT;
		check_eq(sol_max, rows[i].asks);
		end();
	}
	begin();
	go_to(DHCP6_BOUND);
	check_eq(dhcp6_end(&f.net, c), DHCP_SEND | DHCP_DROP);
	dhcp6_output(&f.net, c, &sent);
	check(sent.type == DHCP6_RELEASE && sent.server.len == 4 && sent.ia.n == 1);
	check(sent.n_asked == 0 && !timer_armed(&c->timer));
	end();
}

static void elapsed_time_counts(void)
{
	begin();
	go_to(DHCP6_SOLICITING);
	while (sent.elapsed != 0xffff) { /* 21.9: it stays there */
		tern_time before = sent.elapsed;

		check_eq(wait_for_timer(), DHCP_SEND);
		check(sent.elapsed > before);
	}
	check(now() - c->began_at >= 655350 * TERN_MS);
	end();
}

/* ---- from state to state ---- */

/* 18.2.9: the highest preference of those that came in time, 255 at once, later the first. */
static void the_best_server_is_chosen(void)
{
	struct dhcp6 m;

	begin();
	go_to(DHCP6_SOLICITING);
	m = answer(DHCP6_ADVERTISE);
	for (int i = 0; i < 4; i++) {
		static const uint8_t preference[] = { 3, 200, 200, 100 };

		m.preference = preference[i];
		m.server.b[3] = (uint8_t)i;
		check_eq(hear(&m), DHCP_NOTHING);
	}
	check_eq(wait_for_timer(), DHCP_SEND);
	check(sent.type == DHCP6_REQUEST && sent.server.b[3] == 1);
	end();
	begin();
	go_to(DHCP6_SOLICITING);
	m = answer(DHCP6_ADVERTISE);
	m.preference = 255;
	check_eq(hear(&m), DHCP_SEND);
	check_eq(sent.type, DHCP6_REQUEST);
	end();
	begin();
	go_to(DHCP6_SOLICITING);
	wait_for_timer();
	check_eq(hear_type(DHCP6_ADVERTISE), DHCP_SEND);
	check_eq(sent.type, DHCP6_REQUEST);
	end();
}

static void rapid_commit(void)
{
	struct dhcp6 m;

	begin();
	go_to(DHCP6_SOLICITING);
	check_eq(hear_type(DHCP6_REPLY), DHCP_NOTHING); /* without the option */
	m = answer(DHCP6_REPLY);
	m.rapid_commit = true;
	check_eq(hear(&m), DHCP_TAKE);
	check(c->state == DHCP6_BOUND && c->lease.n == 1);
	end();
}

/* 21.4: 0 leaves it to us. */
static void times_of_a_lease(void)
{
	static const struct {
		uint32_t t1, t2, preferred, valid, want1, want2;
	} rows[] = {
		{ 0, 0, 500, 1000, 250, 400 },	 { 100, 200, 500, 1000, 100, 200 },
		{ 100, 0, 500, 1000, 100, 400 }, { 0, 0, 0, 1000, 500, 800 },
		{ 0, 100, 500, 1000, 100, 100 }, { 500, 0, 500, 1000, 400, 400 },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		struct dhcp6 m;

		begin();
		go_to(DHCP6_REQUESTING);
		m = answer(DHCP6_REPLY);
		m.ia.t1 = rows[i].t1;
		m.ia.t2 = rows[i].t2;
		m.ia.addr[0].preferred = rows[i].preferred;
		m.ia.addr[0].valid = rows[i].valid;
		test_at("row %zu", i);
		check_eq(hear(&m), DHCP_TAKE);
		check_eq(c->lease.t1_at - now(), rows[i].want1 * TERN_SEC);
		check_eq(c->lease.t2_at - now(), rows[i].want2 * TERN_SEC);
		check_eq(c->lease.valid_until - now(), rows[i].valid * TERN_SEC);
		check_eq(c->timer.at, c->lease.t1_at);
		end();
	}
	for (int given = 0; given < 2; given++) {
		struct dhcp6 m;

		begin();
		go_to(DHCP6_REQUESTING);
		m = answer(DHCP6_REPLY);
		m.ia.t1 = m.ia.t2 = given ? DHCP_FOREVER : 0;
		m.ia.addr[0].preferred = m.ia.addr[0].valid = DHCP_FOREVER;
		check_eq(hear(&m), DHCP_TAKE);
		check(!timer_armed(&c->timer));
		end();
	}
}

/* Nobody answers: Renew until T2, Rebind until the end, then nothing is ours. */
static void renewal_to_the_end(void)
{
	tern_time t2, end_at;
	unsigned n_renew = 0, n_rebind = 0, acts;

	begin();
	go_to(DHCP6_BOUND);
	t2 = c->lease.t2_at;
	end_at = c->lease.valid_until;
	while ((acts = wait_for_timer()) == DHCP_SEND) {
		check_eq(sent.type, now() < t2 ? DHCP6_RENEW : DHCP6_REBIND);
		n_renew += sent.type == DHCP6_RENEW;
		n_rebind += sent.type == DHCP6_REBIND;
	}
	check(n_renew >= 3 && n_rebind >= 4);
	check_eq(acts, DHCP_DROP);
	check_eq(now(), end_at);
	check(c->state == DHCP6_SOLICITING && c->lease.n == 0);
	end();
}

static void a_reply_renews(void)
{
	for (int rebind = 0; rebind < 2; rebind++) {
		begin();
		go_to(rebind ? DHCP6_REBINDING : DHCP6_RENEWING);
		check_eq(hear_type(DHCP6_REPLY), DHCP_TAKE);
		check(c->state == DHCP6_BOUND && c->lease.valid_until == now() + 1000 * TERN_SEC);
		end();
	}
}

/* 18.2.10.1: a valid lifetime of 0 of another address says nothing, of ours that it has ended. */
static void a_reply_ends_it(void)
{
	for (int rebind = 0; rebind < 2; rebind++) {
		struct dhcp6 m;

		begin();
		go_to(rebind ? DHCP6_REBINDING : DHCP6_RENEWING);
		m = answer(DHCP6_REPLY);
		m.ia.addr[0].preferred = m.ia.addr[0].valid = 0;
		m.ia.addr[0].addr = v6(0xfd00, 0, 6);
		check_eq(hear(&m), DHCP_NOTHING);
		m.ia.addr[0].addr = v6(0xfd00, 0, 5);
		m.ia.iaid++;
		check_eq(hear(&m), DHCP_NOTHING);
		m.ia.iaid--;
		check_eq(hear(&m), DHCP_DROP);
		check(c->state == DHCP6_SOLICITING && c->lease.n == 0);
		end();
	}
}

/* 18.2.10.1 */
static void status_codes(void)
{
	struct dhcp6 m;

	for (int rebind = 0; rebind < 2; rebind++) { /* NoBinding: it is asked for again */
		begin();
		go_to(rebind ? DHCP6_REBINDING : DHCP6_RENEWING);
		m = answer(DHCP6_REPLY);
		m.ia.status = DHCP6_NO_BINDING;
		m.ia.n = 0;
		check_eq(hear(&m), DHCP_SEND);
		check(sent.type == DHCP6_REQUEST && sent.ia.n == 1 &&
		      sent.ia.addr[0].addr.b[15] == 5);
		check(c->lease.n == 1); /* still ours */
		check_eq(hear_type(DHCP6_REPLY), DHCP_TAKE);
		end();
	}
	for (uint16_t status = 1; status <= DHCP6_USE_MULTICAST; status++) {
		bool ends = status == DHCP6_NO_ADDRS_AVAIL || status == DHCP6_NOT_ON_LINK;

		begin(); /* of a Request, in either place */
		go_to(DHCP6_REQUESTING);
		m = answer(DHCP6_REPLY);
		m.ia.status = status;
		test_at("status %u", status);
		check_eq(hear(&m), DHCP_NOTHING);
		check_eq(c->state, ends ? DHCP6_SOLICITING : DHCP6_REQUESTING);
		end();
		begin();
		go_to(DHCP6_REQUESTING);
		m = answer(DHCP6_REPLY);
		m.status = status;
		check_eq(hear(&m), DHCP_NOTHING);
		check_eq(c->state, ends ? DHCP6_SOLICITING : DHCP6_REQUESTING);
		end();
		begin(); /* of an advertisement: it is none */
		go_to(DHCP6_SOLICITING);
		m = answer(DHCP6_ADVERTISE);
		m.ia.status = status;
		m.sol_max_rt = 100;
		check_eq(hear(&m), DHCP_NOTHING);
		check(c->server.len == 0 && c->sol_max_rt == 100 * TERN_SEC);
		end();
	}
}

/* 18.2.3, 18.2.10.3: the link came back. */
static void confirm(void)
{
	struct dhcp6 m;

	begin();
	go_to(DHCP6_CONFIRMING);
	m = answer(DHCP6_REPLY);
	m.ia.is_there = false;
	check_eq(hear(&m), DHCP_NOTHING);
	check(c->state == DHCP6_BOUND && c->timer.at == c->lease.t1_at && c->lease.n == 1);
	end();
	begin();
	go_to(DHCP6_CONFIRMING);
	m = answer(DHCP6_REPLY);
	m.status = DHCP6_NOT_ON_LINK;
	check_eq(hear(&m), DHCP_DROP);
	check_eq(c->state, DHCP6_SOLICITING);
	end();
	begin(); /* nobody says anything: ten seconds, then it goes on */
	go_to(DHCP6_CONFIRMING);
	while (wait_for_timer() == DHCP_SEND)
		continue;
	check(c->state == DHCP6_BOUND && now() - c->began_at == 10 * TERN_SEC);
	end();
}

/* 18.2.8: four times, or until it was heard; then from the beginning, a little later each time. */
static void decline(void)
{
	begin();
	go_to(DHCP6_DECLINING);
	check_eq(c->lease.n, 0);
	for (int i = 0; i < 3; i++)
		check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(wait_for_timer(), DHCP_NOTHING);
	check_eq(c->state, DHCP6_SOLICITING);
	check(c->timer.at - now() >= TERN_SEC);
	end();
	begin();
	go_to(DHCP6_DECLINING);
	check_eq(hear_type(DHCP6_REPLY), DHCP_NOTHING);
	check_eq(c->state, DHCP6_SOLICITING);
	end();
}

/* ---- only information ---- */

static void flags_say_what_is_asked(void)
{
	begin();
	check_eq(dhcp6_on_flags(&f.net, c, false, false), DHCP_NOTHING);
	check(c->state == DHCP6_OFF && !timer_armed(&c->timer));
	dhcp6_on_flags(&f.net, c, false, true);
	check_eq(c->state, DHCP6_INFORMING);
	wait_for_timer();
	hear_type(DHCP6_REPLY);
	check_eq(c->state, DHCP6_INFORMED);
	dhcp6_on_flags(&f.net, c, false, true); /* each advertisement says it again */
	check_eq(c->state, DHCP6_INFORMED);
	dhcp6_on_flags(&f.net, c, true, true);
	check_eq(c->state, DHCP6_SOLICITING);
	dhcp6_on_flags(&f.net, c, true, true);
	dhcp6_on_flags(&f.net, c, false, false);
	check_eq(c->state, DHCP6_SOLICITING);
	end();
}

/* 7.6, 21.23: a day when nothing is said, ten minutes at least. */
static void information_is_refreshed(void)
{
	static const struct {
		bool has;
		uint32_t refresh, want;
	} rows[] = { { false, 0, 86400 },
		     { true, 0, 600 },
		     { true, 599, 600 },
		     { true, 601, 601 },
		     { true, 100000, 100000 } };

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		struct dhcp6 m;

		begin();
		go_to(DHCP6_INFORMING);
		m = answer(DHCP6_REPLY);
		m.ia.is_there = false;
		m.has_refresh = rows[i].has;
		m.refresh = rows[i].refresh;
		check_eq(hear(&m), DHCP_TAKE);
		check_eq(c->timer.at - now(), rows[i].want * TERN_SEC);
		wait_for_timer();
		check_eq(wait_for_timer(), DHCP_SEND);
		check_eq(sent.type, DHCP6_INFORM);
		end();
	}
	begin();
	go_to(DHCP6_INFORMED);
	dhcp6_on_link(&f.net, c, false);
	check(!timer_armed(&c->timer));
	dhcp6_on_link(&f.net, c, true);
	check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(sent.type, DHCP6_INFORM);
	end();
}

/* 21.24, 21.25: 60 to 86400 s, else it is not there. */
static void servers_set_the_longest_wait(void)
{
	static const uint32_t values[] = { 0, 59, 60, 100, 86400, 86401, 0xffffffff };

	for (size_t i = 0; i < N_TESTS(values); i++) {
		bool good = values[i] >= 60 && values[i] <= 86400;
		struct dhcp6 m;

		begin();
		go_to(DHCP6_INFORMING);
		m = answer(DHCP6_REPLY);
		m.sol_max_rt = m.inf_max_rt = values[i];
		hear(&m);
		test_at("%u", values[i]);
		check_eq(c->sol_max_rt, good ? values[i] * TERN_SEC : 0);
		check_eq(c->inf_max_rt, good ? values[i] * TERN_SEC : 0);
		end();
	}
	begin();
	go_to(DHCP6_SOLICITING);
	c->sol_max_rt = 100 * TERN_SEC;
	check_back_off(DHCP6_SOLICITING, 1, 100);
	end();
}

static const struct test tests[] = {
	TEST(each_exchange_backs_off),
	TEST(the_first_solicit_waits_longer),
	TEST(the_first_message_waits),
	TEST(messages_of_the_states),
	TEST(elapsed_time_counts),
	TEST(the_best_server_is_chosen),
	TEST(rapid_commit),
	TEST(times_of_a_lease),
	TEST(renewal_to_the_end),
	TEST(a_reply_renews),
	TEST(a_reply_ends_it),
	TEST(status_codes),
	TEST(confirm),
	TEST(decline),
	TEST(flags_say_what_is_asked),
	TEST(information_is_refreshed),
	TEST(servers_set_the_longest_wait),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
