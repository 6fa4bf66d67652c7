/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_input_test.c - core/tcp/tcp_input.c: SYN-SENT step by step, the order of the checks, and
 * that a refused segment changes nothing. (Every flag in every state: test/stack/sec_flags_test.c.)
 *
 * Sources: RFC 9293 3.10.7.3, 3.10.7.4; RFC 5961; RFC 7323 5.3.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

/* ---- SYN-SENT ---- */

static void syn_sent(void)
{
	static const struct {
		const char *what;
		uint16_t flags;
		int32_t ack;
		uint32_t len;
		enum tern_tcp_state after;
		enum tern_drop drop;
		bool rst;
	} cases[] = {
		{ "SYN,ACK", TCP_SYN | TCP_ACK, 1, 0, TERN_TCP_ESTABLISHED, TERN_DROP_NONE, false },
		{ "SYN,ACK with text", TCP_SYN | TCP_ACK, 1, 9, TERN_TCP_ESTABLISHED,
		  TERN_DROP_NONE, false },
		{ "SYN,ACK,FIN", TCP_SYN | TCP_ACK | TCP_FIN, 1, 0, TERN_TCP_CLOSE_WAIT,
		  TERN_DROP_NONE, false },
		{ "SYN", TCP_SYN, 0, 0, TERN_TCP_SYN_RECEIVED, TERN_DROP_NONE, false },
		/* first step */
		{ "ACK of nothing", TCP_SYN | TCP_ACK, 0, 0, TERN_TCP_SYN_SENT,
		  TERN_DROP_TCP_ACK_RANGE, true },
		{ "ACK of too much", TCP_SYN | TCP_ACK, 2, 0, TERN_TCP_SYN_SENT,
		  TERN_DROP_TCP_ACK_RANGE, true },
		{ "a stray ACK", TCP_ACK, -7000, 0, TERN_TCP_SYN_SENT, TERN_DROP_TCP_ACK_RANGE,
		  true },
		{ "the same with RST", TCP_ACK | TCP_RST, 0, 0, TERN_TCP_SYN_SENT,
		  TERN_DROP_TCP_ACK_RANGE, false },
		/* second step */
		{ "RST,ACK", TCP_ACK | TCP_RST, 1, 0, TERN_TCP_CLOSED, TERN_DROP_NONE, false },
		{ "RST,ACK and SYN", TCP_ACK | TCP_RST | TCP_SYN, 1, 0, TERN_TCP_CLOSED,
		  TERN_DROP_NONE, false },
		{ "RST without ACK", TCP_RST, 0, 0, TERN_TCP_SYN_SENT, TERN_DROP_TCP_RESET, false },
		/* fifth step: neither SYN nor RST */
		{ "a good ACK alone", TCP_ACK, 1, 0, TERN_TCP_SYN_SENT, TERN_DROP_TCP_FLAGS,
		  false },
		{ "a good ACK with text", TCP_ACK, 1, 9, TERN_TCP_SYN_SENT, TERN_DROP_TCP_FLAGS,
		  false },
		{ "FIN alone", TCP_FIN, 0, 0, TERN_TCP_SYN_SENT, TERN_DROP_TCP_FLAGS, false },
		{ "nothing", 0, 0, 0, TERN_TCP_SYN_SENT, TERN_DROP_TCP_FLAGS, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_result r;

		test_at("%s", cases[i].what);
		start();
		reach(TERN_TCP_SYN_SENT);
		r = in(cases[i].flags, 0, (uint32_t)cases[i].ack, cases[i].len);
		check_str(tern_tcp_state_name(state()), tern_tcp_state_name(cases[i].after));
		check_eq(r.drop, cases[i].drop);
		check_eq(r.rst.due, cases[i].rst);
		if (r.rst.due)
			check(r.rst.seq == f.iss + (uint32_t)cases[i].ack && !r.rst.with_ack);
		check_eq(!!(r.events & TCP_CONNECTED),
			 state() == TERN_TCP_ESTABLISHED || state() == TERN_TCP_CLOSE_WAIT);
		check_eq(!!(r.events & TCP_ENDED), state() == TERN_TCP_CLOSED);
		if (state() == TERN_TCP_ESTABLISHED)
			expect(TCP_ACK, 1, 1 + cases[i].len, 0);
		else if (state() == TERN_TCP_SYN_RECEIVED)
			expect(TCP_SYN | TCP_ACK, 0, 1, 0);
		else if (state() == TERN_TCP_CLOSE_WAIT)
			expect(TCP_ACK, 1, 2, 0);
		else
			expect_silence();
		if (state() == TERN_TCP_ESTABLISHED)
			check_eq(take(100), cases[i].len);
		finish();
	}
}

/* ---- SYN-RECEIVED after a simultaneous open ---- */

static void reach_crossed(void)
{
	struct tcp_hdr syn;

	start();
	begin_active();
	out();
	syn = peer_syn(TCP_SYN);
	in_hdr(&syn, 0);
	out();
	check_eq(state(), TERN_TCP_SYN_RECEIVED);
}

static void crossed_syns(void)
{
	static const struct {
		const char *what;
		uint16_t flags;
		int32_t seq, ack;
		enum tern_tcp_state after;
		bool rst, answered;
	} cases[] = {
		{ "the peer's SYN,ACK", TCP_SYN | TCP_ACK, 0, 1, TERN_TCP_ESTABLISHED, false,
		  true },
		{ "an ACK", TCP_ACK, 1, 1, TERN_TCP_ESTABLISHED, false, false },
		{ "an ACK of too much", TCP_ACK, 1, 2, TERN_TCP_SYN_RECEIVED, true, false },
		{ "an ACK of nothing", TCP_ACK, 1, 0, TERN_TCP_SYN_RECEIVED, true, false },
		{ "a SYN elsewhere", TCP_SYN, 9, 0, TERN_TCP_SYN_RECEIVED, false, true },
		{ "a RST", TCP_RST, 1, 0, TERN_TCP_CLOSED, false, false },
		{ "a RST in the window", TCP_RST, 2, 0, TERN_TCP_SYN_RECEIVED, false, true },
		{ "a RST outside", TCP_RST, -1, 0, TERN_TCP_SYN_RECEIVED, false, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_result r;

		test_at("%s", cases[i].what);
		reach_crossed();
		r = in(cases[i].flags, (uint32_t)cases[i].seq, (uint32_t)cases[i].ack, 0);
		check_str(tern_tcp_state_name(state()), tern_tcp_state_name(cases[i].after));
		check_eq(r.rst.due, cases[i].rst);
		check_eq(plan_of(0).what != SEND_NOTHING, cases[i].answered);
		if (state() == TERN_TCP_CLOSED)
			check_eq(error_of_end(), TERN_ECONNREFUSED);
		finish();
	}
}

/* ---- the order of the checks ---- */

/* A segment with several faults is judged by the first step that sees one. */
static void first_fault_counts(void)
{
	static const struct {
		uint16_t flags;
		int32_t seq, ack, newer; /* newer: of the timestamp */
		enum tern_drop want;
	} cases[] = {
		{ TCP_ACK, 90000, 90000, -1, TERN_DROP_TCP_PAWS },
		{ TCP_SYN, 90000, 0, -1, TERN_DROP_TCP_PAWS },
		{ TCP_SYN, 90000, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ TCP_SYN | TCP_ACK, 1, 90000, 0, TERN_DROP_TCP_SYN_CHALLENGED },
		{ TCP_RST, 90000, 0, -1, TERN_DROP_TCP_RESET },
		{ TCP_RST | TCP_SYN, 7, 0, 0, TERN_DROP_TCP_RESET },
		{ 0, 1, 0, 0, TERN_DROP_TCP_NO_ACK },
		{ TCP_ACK | TCP_FIN, 1, 90000, 0, TERN_DROP_TCP_ACK_RANGE },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("case %u", i);
		start();
		f.cfg.tcp_timestamps = f.ts = true;
		f.ts_val = 1000;
		open_active();
		f.ts_val += (uint32_t)cases[i].newer;
		check_eq(in(cases[i].flags, (uint32_t)cases[i].seq, (uint32_t)cases[i].ack, 0).drop,
			 cases[i].want);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		finish();
	}
}

/* The SYN,ACK again, in ESTABLISHED: our last ACK was lost. It is answered, nothing changes. */
static void synack_again(void)
{
	struct tcp_hdr synack;

	start();
	open_active();
	synack = peer_syn(TCP_SYN | TCP_ACK);
	synack.wnd = 5;
	in_hdr(&synack, 0);
	expect(TCP_ACK, 1, 1, 0);
	expect_silence();
	check_eq(info().snd_wnd, 65535);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	finish();
}

/* ---- what is refused changes nothing ---- */

static bool is_refusal(enum tern_drop drop)
{
	return drop == TERN_DROP_TCP_SEQUENCE || drop == TERN_DROP_TCP_PAWS ||
	       drop == TERN_DROP_TCP_NO_ACK || drop == TERN_DROP_TCP_ACK_RANGE ||
	       drop == TERN_DROP_TCP_RESET || drop == TERN_DROP_TCP_SYN_CHALLENGED ||
	       drop == TERN_DROP_TCP_FLAGS || drop == TERN_DROP_TCP_NO_SOCKET;
}

static struct tcp_hdr random_segment(struct rand *dice)
{
	struct tcp_hdr h = header((uint16_t)(rand_u32(dice) & 0x1ff),
				  rcv_nxt + (uint32_t)rand_below(dice, 7) - 3,
				  snd_nxt + (uint32_t)rand_below(dice, 5) - 2);

	if (rand_below(dice, 2))
		h.flags |= TCP_ACK;
	if (rand_below(dice, 4) == 0)
		h.seq += (uint32_t)rand_below(dice, 140000) - 70000;
	if (rand_below(dice, 4) == 0)
		h.ack += (uint32_t)rand_below(dice, 300000) - 150000;
	h.wnd = (uint16_t)rand_u32(dice);
	h.urg = (uint16_t)rand_u32(dice);
	return h;
}

static void refused_segments_change_nothing(void)
{
	struct rand dice;
	unsigned n_refused = 0;

	rand_init(&dice, (uint8_t[32]){ 77 }, 0);
	for (unsigned round = 0; round < 20000; round++) {
		enum tern_tcp_state s = TERN_TCP_SYN_SENT + round % 9;
		struct tern_tcp_info before, after;
		uint32_t len = (uint32_t)rand_below(&dice, round % 3 ? 6 : 400);
		tern_time deadline;
		size_t ready;
		struct tcp_hdr h;

		start();
		f.land = round % 2;
		reach(s);
		if (tcp_send_allowed(&f.c) == 0) { /* something to lose on either side */
			give(500);
			in(TCP_ACK, rcv_nxt + 1, snd_nxt, 1);
			drain();
			snd_nxt += 500;
		}
		h = random_segment(&dice);
		if (snd_nxt > 500) /* a FIN before the text ahead is refused later, by itself */
			h.flags &= (uint16_t)~TCP_FIN;
		test_at("round %u, %s", round, tern_tcp_state_name(s));
		before = info();
		deadline = tcp_deadline(&f.c);
		ready = tcp_recv_ready(&f.c);
		if (is_refusal(in_hdr(&h, len).drop)) {
			struct tcp_plan p = plan_of(0);

			n_refused++;
			after = info();
			before.segs_in++;
			before.data_segs_in += len ? 1 : 0;
			check(memcmp(&before, &after, sizeof(after)) == 0);
			check_eq(state(), s);
			check_eq(tcp_recv_ready(&f.c), ready);
			check(tcp_deadline(&f.c) == deadline);
			check(p.what == SEND_NOTHING || p.what == SEND_ACK); /* an ACK at most */
			check_eq(f.events & (TCP_ENDED | TCP_URGENT), 0);
		}
		finish();
	}
	check(n_refused > 5000);
}

static const struct test tests[] = {
	TEST(syn_sent),
	TEST(crossed_syns),
	TEST(first_fault_counts),
	TEST(synack_again),
	TEST(refused_segments_change_nothing),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
