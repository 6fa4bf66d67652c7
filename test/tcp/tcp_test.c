/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_test.c - core/tcp/tcp.c: the diagram of RFC 9293 3.3.2 as a table, ICMP, and noise.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

/* ---- every edge of the diagram ---- */

enum event {
	CLOSE_SEND, /* SHUT_WR: CLOSE with the receiving side open */
	CLOSE,
	ABORT,
	GET_SYN,
	GET_SYN_ACK,
	GET_ACK_OF_SYN,
	GET_FIN,	 /* with an ACK that says nothing new */
	GET_FIN_AND_ACK, /* of our FIN */
	GET_ACK,	 /* of our FIN */
	GET_RST,
};

static void happen(enum event e)
{
	struct tcp_hdr syn = peer_syn(TCP_SYN);

	switch (e) {
	case CLOSE_SEND:
		close_send();
		break;
	case CLOSE:
		close_all();
		break;
	case ABORT:
		abort_all();
		break;
	case GET_SYN:
		in_hdr(&syn, 0);
		break;
	case GET_SYN_ACK:
		syn.flags |= TCP_ACK;
		in_hdr(&syn, 0);
		break;
	case GET_ACK_OF_SYN:
		in(TCP_ACK, rcv_nxt, 1, 0);
		break;
	case GET_FIN:
		in(TCP_ACK | TCP_FIN, rcv_nxt, 1, 0);
		break;
	case GET_FIN_AND_ACK:
		in(TCP_ACK | TCP_FIN, rcv_nxt, snd_nxt, 0);
		break;
	case GET_ACK:
		in(TCP_ACK, rcv_nxt, snd_nxt, 0);
		break;
	case GET_RST:
		in(state() == TERN_TCP_SYN_SENT ? TCP_RST | TCP_ACK : TCP_RST, rcv_nxt, 1, 0);
		break;
	}
}

static void edges(void)
{
	static const struct {
		enum tern_tcp_state from;
		enum event e;
		enum tern_tcp_state to;
		int error;
	} cases[] = {
		{ TERN_TCP_SYN_SENT, GET_SYN_ACK, TERN_TCP_ESTABLISHED, 0 },
		{ TERN_TCP_SYN_SENT, GET_SYN, TERN_TCP_SYN_RECEIVED, 0 },
		{ TERN_TCP_SYN_SENT, CLOSE, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_SYN_SENT, CLOSE_SEND, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_SYN_SENT, ABORT, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_SYN_SENT, GET_RST, TERN_TCP_CLOSED, TERN_ECONNREFUSED },
		{ TERN_TCP_SYN_RECEIVED, GET_ACK_OF_SYN, TERN_TCP_ESTABLISHED, 0 },
		{ TERN_TCP_SYN_RECEIVED, CLOSE, TERN_TCP_FIN_WAIT_1, 0 },
		{ TERN_TCP_SYN_RECEIVED, GET_FIN, TERN_TCP_CLOSE_WAIT, 0 },
		{ TERN_TCP_SYN_RECEIVED, GET_RST, TERN_TCP_CLOSED, TERN_ECONNRESET }, /* passive */
		{ TERN_TCP_SYN_RECEIVED, ABORT, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_ESTABLISHED, CLOSE_SEND, TERN_TCP_FIN_WAIT_1, 0 },
		{ TERN_TCP_ESTABLISHED, CLOSE, TERN_TCP_FIN_WAIT_1, 0 },
		{ TERN_TCP_ESTABLISHED, GET_FIN, TERN_TCP_CLOSE_WAIT, 0 },
		{ TERN_TCP_ESTABLISHED, GET_RST, TERN_TCP_CLOSED, TERN_ECONNRESET },
		{ TERN_TCP_ESTABLISHED, ABORT, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_FIN_WAIT_1, GET_ACK, TERN_TCP_FIN_WAIT_2, 0 },
		{ TERN_TCP_FIN_WAIT_1, GET_FIN, TERN_TCP_CLOSING, 0 },
		{ TERN_TCP_FIN_WAIT_1, GET_FIN_AND_ACK, TERN_TCP_TIME_WAIT, 0 },
		{ TERN_TCP_FIN_WAIT_1, GET_RST, TERN_TCP_CLOSED, TERN_ECONNRESET },
		{ TERN_TCP_FIN_WAIT_1, CLOSE_SEND, TERN_TCP_FIN_WAIT_1, 0 },
		{ TERN_TCP_FIN_WAIT_2, GET_FIN, TERN_TCP_TIME_WAIT, 0 },
		{ TERN_TCP_FIN_WAIT_2, GET_RST, TERN_TCP_CLOSED, TERN_ECONNRESET },
		{ TERN_TCP_FIN_WAIT_2, CLOSE_SEND, TERN_TCP_FIN_WAIT_2, 0 },
		{ TERN_TCP_CLOSE_WAIT, CLOSE, TERN_TCP_LAST_ACK, 0 },
		{ TERN_TCP_CLOSE_WAIT, CLOSE_SEND, TERN_TCP_LAST_ACK, 0 },
		{ TERN_TCP_CLOSE_WAIT, GET_RST, TERN_TCP_CLOSED, TERN_EPIPE },
		{ TERN_TCP_CLOSE_WAIT, GET_ACK, TERN_TCP_CLOSE_WAIT, 0 },
		{ TERN_TCP_CLOSING, GET_ACK, TERN_TCP_TIME_WAIT, 0 },
		{ TERN_TCP_CLOSING, GET_RST, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_LAST_ACK, GET_ACK, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_LAST_ACK, GET_RST, TERN_TCP_CLOSED, 0 },
		{ TERN_TCP_CLOSED, CLOSE, TERN_TCP_CLOSED, TERN_ECONNRESET }, /* as it ended */
		{ TERN_TCP_CLOSED, ABORT, TERN_TCP_CLOSED, TERN_ECONNRESET },
		{ TERN_TCP_CLOSED, GET_SYN, TERN_TCP_CLOSED, TERN_ECONNRESET },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s, event %d", tern_tcp_state_name(cases[i].from), cases[i].e);
		start();
		reach(cases[i].from);
		f.events = f.n_log = 0;
		happen(cases[i].e);
		check_str(tern_tcp_state_name(state()), tern_tcp_state_name(cases[i].to));
		check_eq(error_of_end(), cases[i].error);
		if (cases[i].from != cases[i].to) { /* the log tells the same, step by step */
			check(f.n_log > 0);
			check_eq(f.log[f.n_log - 1], cases[i].to);
		}
		if (cases[i].to == TERN_TCP_CLOSED) {
			bool told = cases[i].e >= GET_SYN && cases[i].from != TERN_TCP_CLOSED;

			check_eq(!!(f.events & TCP_ENDED), told);
			check(until_deadline() == TERN_NEVER);
		}
		finish();
	}
}

/* The whole way of an active and of a passive closer, as 3.6 figure 12 and 13 draw it. */
static void whole_lives(void)
{
	static const enum tern_tcp_state active[] = { TERN_TCP_SYN_SENT, TERN_TCP_ESTABLISHED,
						      TERN_TCP_FIN_WAIT_1, TERN_TCP_FIN_WAIT_2,
						      TERN_TCP_TIME_WAIT };
	static const enum tern_tcp_state passive[] = { TERN_TCP_ESTABLISHED, TERN_TCP_CLOSE_WAIT,
						       TERN_TCP_LAST_ACK, TERN_TCP_CLOSED };

	start();
	open_active();
	close_send();
	expect(TCP_FIN | TCP_ACK, 1, 1, 0);
	in(TCP_ACK, 1, 2, 0);
	in(TCP_FIN | TCP_ACK, 1, 2, 0);
	expect(TCP_ACK, 2, 2, 0);
	check_eq(f.n_log, N_TESTS(active));
	check(memcmp(f.log, active, sizeof(active)) == 0);
	finish();
	start();
	open_passive();
	in(TCP_FIN | TCP_ACK, 1, 1, 0);
	expect(TCP_ACK, 1, 2, 0);
	close_send();
	expect(TCP_FIN | TCP_ACK, 1, 2, 0);
	in(TCP_ACK, 2, 2, 0);
	check_eq(f.n_log, N_TESTS(passive));
	check(memcmp(f.log, passive, sizeof(passive)) == 0);
	finish();
}

/* 3.5 figure 7: both SYNs cross, in each of three ways to the end. */
static void simultaneous_open(void)
{
	for (unsigned way = 0; way < 3; way++) {
		struct tcp_hdr syn;

		test_at("way %u", way);
		start();
		begin_active();
		expect(TCP_SYN, 0, 0, 0);
		syn = peer_syn(TCP_SYN);
		in_hdr(&syn, 0);
		if (way != 2)
			expect(TCP_SYN | TCP_ACK, 0, 1, 0);
		syn.flags |= TCP_ACK;
		if (way == 0)
			in_hdr(&syn, 0); /* the peer's SYN,ACK */
		else
			in(TCP_ACK, 1, 1, 0);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		give(3);
		expect(TCP_ACK | TCP_PSH, 1, 1, 3);
		in(TCP_ACK, 1, 4, 2);
		check_eq(take(9), 2);
		finish();
	}
}

/* 3.6.1: closing with unread text tells the peer that it was lost (RFC 2525 2.17). */
static void close_with_unread_text(void)
{
	start();
	open_active();
	in(TCP_ACK, 1, 1, 10);
	take(9);
	close_all();
	check_eq(state(), TERN_TCP_CLOSED);
	check_eq(plan_of(0).what, SEND_RST);
	drain();
	finish();
	start();
	open_active();
	in(TCP_ACK, 1, 1, 10);
	take(10);
	close_all();
	check_eq(state(), TERN_TCP_FIN_WAIT_1);
	finish();
}

/* What arrived in order stays readable after the end, what was ahead of a gap does not. */
static void text_outlives_a_reset(void)
{
	start();
	open_active();
	in(TCP_ACK, 1, 1, 20);
	in(TCP_ACK, 31, 1, 20);
	in(TCP_ACK, 30001, 1, 20);
	in(TCP_RST, 21, 0, 0);
	check_eq(state(), TERN_TCP_CLOSED);
	check(f.mem.n_out <= 3); /* one chunk and where it is noted, and the figures */
	check_eq(take(100), 20);
	check(tcp_recv_ended(&f.c));
	finish();
}

/* ---- ICMP: RFC 5927 ---- */

static bool icmp(enum tcp_icmp kind, uint32_t seq, uint16_t mss)
{
	struct tcp_icmp_news news = { kind, f.iss + seq, mss, TERN_EHOSTUNREACH };
	struct tcp_result r = { .events = 0 };
	struct tcp_ctx x = ctx();
	bool taken = tcp_on_icmp(&f.c, &x, &news, &r);

	f.events |= r.events;
	settle();
	return taken;
}

/* 4.1: only what is in flight may be complained about. */
static void icmp_numbers(void)
{
	static const struct {
		uint32_t seq;
		bool taken;
	} cases[] = {
		{ 0, false },	{ 1, true },	 { 1500, true },
		{ 3000, true }, { 3001, false }, { 0x80000000, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("number %u", cases[i].seq);
		start();
		open_active();
		give(3 * MSS);
		drain();
		/* 1 to 3000 are outstanding */
		check_eq(icmp(TCP_ICMP_TOO_BIG, cases[i].seq, 600), cases[i].taken);
		check_eq(info().snd_mss, cases[i].taken ? 600 : MSS);
		finish();
	}
}

/* 5.2: a hard error ends a handshake, never a connection; soft ones end nothing (MUST-56). */
static void icmp_errors(void)
{
	start();
	reach(TERN_TCP_SYN_SENT);
	check(icmp(TCP_ICMP_SOFT, 0, 0));
	check_eq(state(), TERN_TCP_SYN_SENT);
	check(!icmp(TCP_ICMP_HARD, 1, 0)); /* not what is in flight */
	check(icmp(TCP_ICMP_HARD, 0, 0));
	check_eq(state(), TERN_TCP_CLOSED);
	check_eq(error_of_end(), TERN_EHOSTUNREACH);
	check(f.events & TCP_ENDED);
	finish();
	start();
	open_active();
	give(10);
	drain();
	check(icmp(TCP_ICMP_HARD, 1, 0));
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check(icmp(TCP_ICMP_SOFT, 1, 0));
	check_eq(state(), TERN_TCP_ESTABLISHED);
	finish();
}

/* RFC 1191: what was too big goes again in smaller pieces; a larger figure is no news. */
static void path_became_smaller(void)
{
	start();
	open_active();
	give(3 * MSS);
	drain();
	check(icmp(TCP_ICMP_TOO_BIG, 1, 400));
	expect(TCP_ACK, 1, 1, 400);
	check(!icmp(TCP_ICMP_TOO_BIG, 1, 1400));
	check_eq(info().snd_mss, 400);
	in(TCP_ACK, 1, 401, 0);
	for (uint32_t seq = 401; seq < 3001; seq += 400) {
		struct seen s = out();

		if (s.plan.what == SEND_NOTHING) {
			in(TCP_ACK, 1, seq, 0);
			s = out();
		}
		check_eq(s.h.seq, seq);
		check_eq(s.len, MIN(400, 3001 - seq));
	}
	finish();
}

/* ---- noise: whatever comes, the invariants hold and bytes are right ---- */

static void one_noisy_life(unsigned seed)
{
	static const enum tern_tcp_state from[] = { TERN_TCP_SYN_SENT,	  TERN_TCP_SYN_RECEIVED,
						    TERN_TCP_ESTABLISHED, TERN_TCP_FIN_WAIT_1,
						    TERN_TCP_FIN_WAIT_2,  TERN_TCP_CLOSE_WAIT,
						    TERN_TCP_CLOSING,	  TERN_TCP_LAST_ACK };
	struct rand dice;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 1);
	start();
	f.open.rcv_buf_max = 20000;
	reach(from[seed % N_TESTS(from)]);
	for (unsigned step = 0; step < 60; step++) {
		uint16_t flags = (uint16_t)(rand_below(&dice, 8) ? TCP_ACK : rand_u32(&dice));
		uint32_t len = (uint32_t)rand_below(&dice, 3000);
		struct tcp_hdr h;

		test_at("seed %u, step %u", seed, step);
		h = header(flags & 0x3f, rcv_nxt + (uint32_t)rand_below(&dice, 9000) - 2000,
			   snd_nxt + (uint32_t)rand_below(&dice, 6) - 3);
		h.wnd = (uint16_t)rand_u32(&dice);
		h.urg = (uint16_t)rand_u32(&dice);
		if (h.flags & TCP_URG && rand_below(&dice, 2))
			h.flags &= (uint16_t)~TCP_URG; /* else reads would stop at marks */
		if (state() == TERN_TCP_SYN_SENT)
			h.seq = 0; /* the number that text is reckoned from */
		set_oob_inline(true);
		in_hdr(&h, h.flags & TCP_SYN ? 0 : len);
		switch (rand_below(&dice, 6)) {
		case 0:
			give(rand_below(&dice, 5000));
			break;
		case 1:
			pass(rand_below(&dice, 3000) * TERN_MS);
			break;
		case 2:
			take(rand_below(&dice, 5000));
			break;
		case 3:
			if (rand_below(&dice, 10) == 0)
				close_send();
			break;
		default:
			drain();
		}
	}
	finish();
}

static void noise_breaks_nothing(void)
{
	for (unsigned seed = 0; seed < 2000; seed++)
		one_noisy_life(seed);
}

static const struct test tests[] = {
	TEST(edges),
	TEST(whole_lives),
	TEST(simultaneous_open),
	TEST(close_with_unread_text),
	TEST(text_outlives_a_reset),
	TEST(icmp_numbers),
	TEST(icmp_errors),
	TEST(path_became_smaller),
	TEST(noise_breaks_nothing),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
