/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_timer_test.c - core/tcp/tcp_timer.c: which deadlines exist, and what passes with them.
 *
 * Sources: RFC 9293 3.8.3 (R1, R2), 3.8.4 (keep-alive), 3.8.6.1 (zero-window probes); RFC 5482.
 */
#include "tcp_fixture.h"

/* In what state, with what outstanding, is a deadline set at all? */
static void idle_states_have_no_deadline(void)
{
	static const enum tern_tcp_state idle[] = { TERN_TCP_ESTABLISHED, TERN_TCP_FIN_WAIT_2,
						    TERN_TCP_CLOSE_WAIT, TERN_TCP_TIME_WAIT,
						    TERN_TCP_CLOSED };
	static const enum tern_tcp_state busy[] = { TERN_TCP_SYN_SENT, TERN_TCP_FIN_WAIT_1,
						    TERN_TCP_CLOSING, TERN_TCP_LAST_ACK };

	for (unsigned i = 0; i < N_TESTS(idle); i++) {
		test_at("%s", tern_tcp_state_name(idle[i]));
		start();
		reach(idle[i]);
		check(until_deadline() == TERN_NEVER);
		finish();
	}
	for (unsigned i = 0; i < N_TESTS(busy); i++) {
		test_at("%s", tern_tcp_state_name(busy[i]));
		start();
		reach(busy[i]);
		check(until_deadline() <= 3 * TERN_SEC);
		check_str(next_timer(), "rto");
		check(plan_of(0).again);
		finish();
	}
}

/* ---- retransmission: 3.8.3 ---- */

/* How many times goes a segment until it is given up, and how long does that take? */
static unsigned repeat_until_the_end(tern_time *took)
{
	tern_time began = f.now;
	unsigned n = 0;

	drain();
	while (state() != TERN_TCP_CLOSED && n < 300) {
		check_str(next_timer(), "rto");
		n += drain();
	}
	*took = f.now - began;
	check(f.events & TCP_ENDED);
	check_eq(error_of_end(), TERN_ETIMEDOUT);
	check(until_deadline() == TERN_NEVER);
	expect_silence();
	return n;
}

static void data_are_given_up(void)
{
	tern_time took;

	start();
	open_active();
	give(10);
	check_eq(repeat_until_the_end(&took), f.cfg.tcp_retries2);
	check(took >= 100 * TERN_SEC); /* SHLD-11 */
	check(f.suspect);	       /* R1 was passed (SHLD-10: 3) */
	finish();
}

static void suspicion_comes_with_r1(void)
{
	start();
	open_active();
	give(10);
	drain();
	for (unsigned i = 1; i <= 3; i++) {
		check(!f.suspect);
		check_str(next_timer(), "rto");
		drain();
	}
	check(f.suspect);
	finish();
}

static void syns_are_given_up(void)
{
	tern_time took;

	start();
	begin_active();
	check_eq(repeat_until_the_end(&took), f.cfg.tcp_syn_retries);
	check(took >= 180 * TERN_SEC); /* MUST-23 */
	finish();
}

static void fins_are_given_up(void)
{
	tern_time took;

	start();
	reach(TERN_TCP_LAST_ACK);
	check_eq(repeat_until_the_end(&took), f.cfg.tcp_retries2);
	finish();
	start();
	open_active();
	close_all(); /* nobody waits for it any more */
	check_eq(repeat_until_the_end(&took), f.cfg.tcp_orphan_retries);
	finish();
}

/* RFC 5482, TCP_USER_TIMEOUT: given up when data were unanswered for so long, not before. */
static void user_timeout(void)
{
	static const uint32_t limits[] = { 1000, 5000, 60000, 3600000 };

	for (unsigned i = 0; i < N_TESTS(limits); i++) {
		tern_time took;

		test_at("%u ms", limits[i]);
		start();
		open_active();
		set_user_timeout(limits[i]);
		give(10);
		repeat_until_the_end(&took);
		check(took >= limits[i] * TERN_MS && took <= (limits[i] + 10) * TERN_MS);
		finish();
	}
}

/* An answer starts the count anew. */
static void answers_reset_the_count(void)
{
	start();
	open_active();
	give(60 * MSS);
	for (uint32_t i = 1; i <= 40; i++) {
		drain();
		check_str(next_timer(), "rto");
		drain();
		in(TCP_ACK, 1, 1 + i * MSS, 0);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		check_eq(info().retransmits, 0);
	}
	finish();
}

/* ---- the persist timer: 3.8.6.1 ---- */

static void meet_a_zero_window(void)
{
	start();
	open_active();
	f.wnd = 0;
	in(TCP_ACK, 1, 1, 0);
	give(5000);
	expect_silence();
}

static void zero_window_is_probed(void)
{
	tern_time rto, want;

	meet_a_zero_window();
	rto = info().rto * TERN_US;
	want = rto;
	check_eq(until_deadline(), rto);    /* SHLD-29: the first after one RTO */
	for (unsigned i = 0; i < 20; i++) { /* MUST-37: as long as they are answered */
		struct seen s;

		test_at("probe %u", i);
		check_eq(until_deadline(), want);
		check_str(next_timer(), "persist");
		s = out();
		check_eq(s.plan.what, SEND_PROBE);
		check_eq(s.plan.cause, TERN_CAUSE_PROBE);
		check_seen(&s, TCP_ACK, 1, 1, 1);
		expect_silence();
		in(TCP_ACK, 1, 1, 0);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		want = MIN(2 * want, 120 * TERN_SEC); /* SHLD-30 */
	}
	f.wnd = 65535; /* and it opens */
	in(TCP_ACK, 1, 1, 0);
	expect(TCP_ACK, 1, 1, MSS);
	check_eq(info().probes, 0);
	finish();
}

/* MUST-37: the octet of a probe is taken, and the window stays closed. */
static void probed_octet_may_be_taken(void)
{
	meet_a_zero_window();
	next_timer();
	drain();
	in(TCP_ACK, 1, 2, 0); /* taken, the window is still shut */
	expect_silence();
	check_str(next_timer(), "persist");
	expect(TCP_ACK, 2, 1, 1);
	f.wnd = 3000;
	in(TCP_ACK, 1, 3, 0);
	expect(TCP_ACK, 3, 1, MSS);
	finish();
}

static void unanswered_probes_end_it(void)
{
	unsigned n = 0;

	meet_a_zero_window();
	while (state() != TERN_TCP_CLOSED && n < 100) {
		check_str(next_timer(), "persist");
		n += drain();
	}
	check_eq(n, f.cfg.tcp_retries2);
	check_eq(error_of_end(), TERN_ETIMEDOUT);
	finish();
}

/* What waits for a better window, or under a cork, goes in the end (3.8.6.2.1, the override). */
static void held_segments_go_at_last(void)
{
	start();
	open_active();
	set_cork(true);
	give(100);
	expect_silence();
	check(until_deadline() <= TERN_SEC);
	next_timer();
	expect(TCP_ACK | TCP_PSH, 1, 1, 100);
	finish();
}

/* ---- keep-alive: 3.8.4 ---- */

static void keepalive(void)
{
	start();
	open_active();
	check(until_deadline() == TERN_NEVER); /* MUST-25: off */
	set_keepalive(true);
	check_eq(until_deadline(), 7200 * TERN_SEC); /* MUST-28 */
	pass(3600 * TERN_SEC);
	in(TCP_ACK, 1, 1, 0); /* a sign of life */
	check_eq(until_deadline(), 7200 * TERN_SEC);
	for (unsigned i = 0; i < f.cfg.tcp_keepalive_probes; i++) {
		struct seen s;

		check_str(next_timer(), "keepalive");
		s = out();
		check_eq(s.plan.what, SEND_KEEPALIVE);
		check_seen(&s, TCP_ACK, 0, 1, 0); /* SHLD-12; a number that was acknowledged */
		expect_silence();
		check_eq(until_deadline(), 75 * TERN_SEC);
		check_eq(state(),
			 TERN_TCP_ESTABLISHED); /* MUST-29: one lost probe is not the end */
	}
	check_str(next_timer(), "keepalive");
	check_eq(state(), TERN_TCP_CLOSED);
	check_eq(error_of_end(), TERN_ETIMEDOUT);
	check_eq(plan_of(0).what, SEND_RST);
	drain();
	finish();
}

static void keepalive_answered(void)
{
	start();
	open_active();
	set_keepalive(true);
	for (unsigned i = 0; i < 50; i++) {
		next_timer();
		drain();
		in(TCP_ACK, 1, 1, 0);
		check_eq(until_deadline(), 7200 * TERN_SEC);
	}
	check_eq(state(), TERN_TCP_ESTABLISHED);
	set_keepalive(false);
	check(until_deadline() == TERN_NEVER);
	finish();
}

/* MUST-26: not while data are outstanding. */
static void no_keepalive_beside_data(void)
{
	start();
	f.cfg.tcp_keepalive_time_ms = 100;
	open_active();
	set_keepalive(true);
	give(10);
	drain();
	for (unsigned i = 0; i < 12; i++) {
		next_timer();
		check(plan_of(0).what != SEND_KEEPALIVE);
		drain();
	}
	finish();
}

/* ---- the delayed ACK, FIN-WAIT-2 ---- */

static void sending_data_settles_the_ack(void)
{
	start();
	open_active();
	in(TCP_ACK, 1, 1, 10);
	check(until_deadline() <= 500 * TERN_MS);
	give(5);
	expect(TCP_ACK | TCP_PSH, 1, 11, 5);
	in(TCP_ACK, 11, 6, 0);
	check(until_deadline() == TERN_NEVER);
	finish();
}

static void fin_wait_2_without_a_user_ends(void)
{
	start();
	open_active();
	close_all();
	drain();
	in(TCP_ACK, 1, 2, 0);
	check_eq(state(), TERN_TCP_FIN_WAIT_2);
	check_eq(until_deadline(), f.cfg.tcp_fin_timeout_ms * TERN_MS);
	check_str(next_timer(), "fin-wait-2");
	check_eq(state(), TERN_TCP_CLOSED);
	check_eq(error_of_end(), 0);
	finish();
	start(); /* a user who only shut down sending may wait for ever */
	reach(TERN_TCP_FIN_WAIT_2);
	check(until_deadline() == TERN_NEVER);
	finish();
}

/* All that there was went as a probe and was taken: nobody has anything to ask a closed window. */
static void a_window_that_nobody_needs_is_not_probed(void)
{
	start();
	open_active();
	f.wnd = 0;
	in(TCP_ACK, 1, 1, 0);
	give(1);
	check_str(next_timer(), "persist");
	expect(TCP_ACK | TCP_PSH, 1, 1, 1);
	in(TCP_ACK, 1, 2, 0);
	expect_silence();
	check(until_deadline() == TERN_NEVER);
	give(1); /* and now there is something again */
	expect_silence();
	check_str(next_timer(), "persist");
	expect(TCP_ACK | TCP_PSH, 2, 1, 1);
	finish();
}

static const struct test tests[] = {
	TEST(a_window_that_nobody_needs_is_not_probed),
	TEST(idle_states_have_no_deadline),
	TEST(data_are_given_up),
	TEST(suspicion_comes_with_r1),
	TEST(syns_are_given_up),
	TEST(fins_are_given_up),
	TEST(user_timeout),
	TEST(answers_reset_the_count),
	TEST(zero_window_is_probed),
	TEST(probed_octet_may_be_taken),
	TEST(unanswered_probes_end_it),
	TEST(held_segments_go_at_last),
	TEST(keepalive),
	TEST(keepalive_answered),
	TEST(no_keepalive_beside_data),
	TEST(sending_data_settles_the_ack),
	TEST(fin_wait_2_without_a_user_ends),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
