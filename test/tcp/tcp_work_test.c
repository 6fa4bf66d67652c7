/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_work_test.c - struct tcp_work is there while a connection sends, goes back when it is silent,
 * and nothing is lost while there is no memory for it.
 */
#include "tcp_fixture.h"

static bool works(void)
{
	return f.c.work != NULL;
}

/* No record is free, and the budget is used up. */
static void use_up_memory(void)
{
	memset(f.mem.free_records, 0, sizeof(f.mem.free_records));
	f.mem.max = f.mem.used;
}

static void have_memory_again(void)
{
	f.mem.max = (uint64_t)1 << 32;
}

/* Is anything carried out of what is planned? */
static bool goes_out(void)
{
	struct tcp_plan plan = plan_of(0);
	struct tcp_ctx x = ctx();
	struct tcp_out o;

	check(plan.what != SEND_NOTHING);
	return tcp_output(&f.c, &x, &plan, &o);
}

static void idle_ones_have_none(void)
{
	start();
	begin_active();
	check(!works());
	out();
	check(!works()); /* when the SYN went is all there is to know */
	check(f.c.rtx_at != TERN_NEVER);
	finish();
	start();
	open_active();
	check(!works());
	in(TCP_ACK | TCP_PSH, 1, 1, 500); /* receiving needs none */
	drain();
	take(500);
	check(!works());
	finish();
	start();
	begin_passive();
	in(TCP_ACK, 1, 1, 0);
	check(!works());
	finish();
}

static void it_goes_back_after_a_silence(void)
{
	start();
	open_active();
	for (unsigned i = 0; i < 20; i++) { /* one request after another */
		give(100);
		drain();
		in(TCP_ACK, 1, 1 + 100 * (i + 1), 0);
		check(works());
		pass(4 * TERN_SEC);
		check(works());
	}
	pass(2 * TERN_SEC);
	check(!works());
	check(tcp_deadline(&f.c) == TERN_NEVER);
	give(100);
	expect(TCP_ACK | TCP_PSH, 2001, 1, 100);
	in(TCP_ACK, 1, 2101, 0);
	finish();
}

static void it_stays_while_it_is_needed(void)
{
	struct tern_span span[4];
	struct tcp_ctx x;

	start();
	open_active();
	give(100);
	drain();
	pass(60 * TERN_SEC); /* sent, again and again */
	check(works());
	drain();
	f.wnd = 0;
	in(TCP_ACK, 1, 101, 0);
	give(100);
	pass(60 * TERN_SEC); /* probed */
	check(works());
	finish();
	start();
	open_active();
	x = ctx();
	check(tcp_send_space(&f.c, &x, span, 4) > 0);
	pass(60 * TERN_SEC); /* the user writes slowly */
	check(works());
	x = ctx();
	check_eq(tcp_send_commit(&f.c, &x, 0), 0);
	pass(6 * TERN_SEC);
	check(!works());
	finish();
}

static void the_end_gives_it_back(void)
{
	static const enum tern_tcp_state without[] = { TERN_TCP_FIN_WAIT_2, TERN_TCP_TIME_WAIT,
						       TERN_TCP_CLOSED };

	for (unsigned i = 0; i < N_ELEMENTS(without); i++) {
		test_at("state %d", without[i]);
		start();
		reach(without[i]);
		check(!works());
		finish();
	}
}

static void a_handshake_needs_no_memory(void)
{
	start();
	begin_active();
	use_up_memory();
	expect(TCP_SYN, 0, 0, 0);
	pass(20 * TERN_MS);
	in(TCP_SYN | TCP_ACK, 0, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check_eq(f.c.srtt_us, 20000); /* and is timed all the same */
	check(!works());
	finish();
}

/* Of a SYN that went twice nobody knows which one is answered (Karn). */
static void a_repeated_syn_is_not_timed(void)
{
	start();
	begin_active();
	expect(TCP_SYN, 0, 0, 0);
	pass(TERN_SEC);
	expect(TCP_SYN, 0, 0, 0);
	pass(20 * TERN_MS);
	in(TCP_SYN | TCP_ACK, 0, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check_eq(f.c.srtt_us, 0);
	finish();
}

/* Both opened: our SYN is in the SYN,ACK again, and timed by its first departure. */
static void without_memory_a_meeting_syn_waits(void)
{
	start();
	begin_active();
	expect(TCP_SYN, 0, 0, 0);
	use_up_memory();
	in(TCP_SYN, 0, 0, 0);
	check_eq(state(), TERN_TCP_SYN_SENT);
	have_memory_again();
	pass(20 * TERN_MS);
	in(TCP_SYN, 0, 0, 0);
	check_eq(state(), TERN_TCP_SYN_RECEIVED);
	expect(TCP_SYN | TCP_ACK, 0, 1, 0);
	pass(10 * TERN_MS);
	in(TCP_SYN | TCP_ACK, 0, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check_eq(f.c.srtt_us, 30000);
	finish();
}

static void without_memory_nothing_is_taken(void)
{
	struct tern_span span[4];
	struct tcp_ctx x;

	start();
	open_active();
	use_up_memory();
	x = ctx();
	check_eq(give(100), -TERN_ENOBUFS);
	check_eq(tcp_send_space(&f.c, &x, span, 4), -TERN_ENOBUFS);
	check_eq(tcp_send_commit(&f.c, &x, 1), -TERN_EINVAL);
	check_eq(tcp_send_commit(&f.c, &x, 0), 0);
	check_eq(tcp_send_room(&f.c), f.cfg.tcp_sndbuf_default);
	expect_silence();
	have_memory_again();
	check_eq(give(100), 100);
	expect(TCP_ACK | TCP_PSH, 1, 1, 100);
	finish();
}

static void without_memory_the_fin_waits(void)
{
	start();
	open_active();
	use_up_memory();
	close_send();
	check(!goes_out());
	check(!works());
	in(TCP_ACK, 1, 1, 0);
	have_memory_again();
	expect(TCP_ACK | TCP_FIN, 1, 1, 0);
	in(TCP_ACK, 1, 2, 0);
	check_eq(state(), TERN_TCP_FIN_WAIT_2);
	finish();
}

/* A FIN alone before a closed window: the persist timer runs all the same. */
static void without_memory_a_window_is_probed_later(void)
{
	start();
	open_active();
	f.wnd = 0;
	in(TCP_ACK, 1, 1, 0);
	use_up_memory();
	close_send();
	expect_silence();
	check_str(next_timer(), "persist");
	check(!goes_out());
	have_memory_again();
	check_eq(out().plan.what, SEND_PROBE);
	finish();
}

static const struct test tests[] = {
	TEST(idle_ones_have_none),
	TEST(it_goes_back_after_a_silence),
	TEST(it_stays_while_it_is_needed),
	TEST(the_end_gives_it_back),
	TEST(a_handshake_needs_no_memory),
	TEST(a_repeated_syn_is_not_timed),
	TEST(without_memory_a_meeting_syn_waits),
	TEST(without_memory_nothing_is_taken),
	TEST(without_memory_the_fin_waits),
	TEST(without_memory_a_window_is_probed_later),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
