/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_output_test.c - core/tcp/tcp_output.c: each kind of segment, field by field.
 *
 * Sources: RFC 9293 3.1, 3.10; figures of 3.5 and 3.6 for which numbers they carry.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

/* A plain segment has nothing but what was asked for. */
static void check_plain(const struct seen *s)
{
	check(!s->h.has_mss && !s->h.has_wscale && !s->h.sack_permitted && !s->h.has_ts);
	check_eq(s->h.n_sack, 0);
	check_eq(s->h.urg, 0);
	check_eq(s->h.flags & ~(TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK), 0);
}

static void the_syn(void)
{
	struct seen s;

	start();
	begin_active();
	s = out();
	check_seen(&s, TCP_SYN, 0, 0, 0);
	check(s.h.has_mss && s.h.mss == MSS);
	check_eq(s.h.wnd, 65535);
	check(!s.plan.again && s.plan.cause == TERN_CAUSE_NONE);
	next_timer();
	s = out();
	check_seen(&s, TCP_SYN, 0, 0, 0); /* the same number */
	check(s.plan.again && s.plan.cause == TERN_CAUSE_RTO);
	finish();
}

static void the_synack_of_a_simultaneous_open(void)
{
	struct tcp_hdr syn;
	struct seen s;

	start();
	begin_active();
	out();
	syn = peer_syn(TCP_SYN);
	in_hdr(&syn, 0);
	check_eq(state(), TERN_TCP_SYN_RECEIVED);
	s = out();
	check_seen(&s, TCP_SYN | TCP_ACK, 0, 1, 0);
	check(s.h.has_mss);
	finish();
}

/* MUST-61: PSH with the last byte that is there; never without text. */
static void push(void)
{
	start();
	open_active();
	give(2 * MSS + 5);
	expect(TCP_ACK, 1, 1, MSS);
	expect(TCP_ACK, 1 + MSS, 1, MSS);
	expect(TCP_ACK | TCP_PSH, 1 + 2 * MSS, 1, 5);
	close_send();
	expect(TCP_ACK | TCP_FIN, 6 + 2 * MSS, 1, 0);
	finish();
}

static void acks_and_resets(void)
{
	struct seen s;

	start();
	open_active();
	give(7);
	drain();
	in(TCP_ACK, 11, 1, 5);
	s = out();
	check_seen(&s, TCP_ACK, 8, 1, 0); /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
	check_plain(&s);
	check_eq(s.h.wnd, 65535);
	abort_all();
	s = out();
	check_eq(s.h.flags & TCP_RST, TCP_RST);
	check_eq(s.h.seq, 8); /* 3.10.5: <SEQ=SND.NXT><CTL=RST> */
	check_eq(s.len, 0);
	check_plain(&s);
	expect_silence();
	finish();
}

/* 3.10.5: in which states ABORT sends a RST. */
static void who_resets(void)
{
	static const struct {
		enum tern_tcp_state s;
		bool resets;
	} cases[] = {
		{ TERN_TCP_SYN_SENT, false },	{ TERN_TCP_SYN_RECEIVED, true },
		{ TERN_TCP_ESTABLISHED, true }, { TERN_TCP_FIN_WAIT_1, true },
		{ TERN_TCP_FIN_WAIT_2, true },	{ TERN_TCP_CLOSE_WAIT, true },
		{ TERN_TCP_CLOSING, false },	{ TERN_TCP_LAST_ACK, false },
		{ TERN_TCP_TIME_WAIT, false },	{ TERN_TCP_CLOSED, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", tern_tcp_state_name(cases[i].s));
		start();
		reach(cases[i].s);
		abort_all();
		check_eq(state(), TERN_TCP_CLOSED);
		check_eq(plan_of(0).what, cases[i].resets ? SEND_RST : SEND_NOTHING);
		if (cases[i].resets)
			check_eq(out().h.seq, snd_nxt);
		expect_silence();
		check(until_deadline() == TERN_NEVER);
		finish();
	}
}

/* The FIN goes again with its number, alone or behind the last text. */
static void the_fin_again(void)
{
	start();
	open_active();
	give(5);
	close_send();
	expect(TCP_ACK | TCP_PSH | TCP_FIN, 1, 1, 5);
	next_timer();
	expect(TCP_ACK | TCP_PSH | TCP_FIN, 1, 1, 5);
	in(TCP_ACK, 1, 6, 0); /* the text came, the FIN did not */
	next_timer();
	expect(TCP_ACK | TCP_FIN, 6, 1, 0);
	finish();
}

/* What goes again may be cut differently, but is the same text; cut in spans as the buffer is. */
static void text_over_many_chunks(void)
{
	uint32_t seq = 1;

	start();
	f.c.cc.ops = &cc_fixed;
	set_send_buffer(1 << 20);
	open_active();
	set_send_buffer(1 << 20);
	for (unsigned i = 0; i < 10; i++)
		check_eq(give(TEXT_MAX), TEXT_MAX);
	while (seq < 10 * TEXT_MAX + 1) { /* every byte is compared on its way */
		struct seen s;

		f.cut = seq % 3;
		s = out_burst(seq % 5 ? 64000 : 0);

		if (s.plan.what == SEND_NOTHING) {
			in(TCP_ACK, 1, seq, 0);
			continue;
		}
		check_eq(s.h.seq, seq);
		check(s.len > 0 && s.len <= 65535);
		seq += s.len;
	}
	in(TCP_ACK, 1, seq, 0);
	check_eq(info().unacked, 0);
	finish();
}

/* A burst that waits for its device while ACKs come: what they covered does not go. */
static void acks_overtake_a_burst(void)
{
	for (uint32_t acked = 0; acked <= 6; acked++) {
		struct tcp_plan plan;
		struct tcp_piece piece;
		struct tcp_out o;
		struct tcp_ctx x;

		test_at("%u segments acknowledged", acked);
		start();
		open_active();
		give(5 * MSS + 500);
		close_send();
		plan = plan_of(64000);
		check_eq(plan.hi - plan.lo, 5 * MSS + 500);
		x = ctx();
		tcp_output(&f.c, &x, &plan, &o);
		settle();
		check(tcp_next_piece(&f.c, &o, 0, &piece));
		check(piece.len == MSS && !(piece.h->flags & (TCP_FIN | TCP_PSH)) && !o.done);
		in(TCP_ACK, 1, acked < 6 ? 1 + acked * MSS : 5 * MSS + 502, 0);
		if (acked == 6) {
			check(!tcp_next_piece(&f.c, &o, 0, &piece));
		} else {
			uint32_t next = MAX(acked, 1);

			check(tcp_next_piece(&f.c, &o, 64000, &piece));
			check_eq(piece.h->seq - f.iss, 1 + next * MSS);
			check_eq(piece.len, (5 - next) * MSS + 500);
			check_eq(piece.h->flags, TCP_ACK | TCP_PSH | TCP_FIN);
			check(o.done);
			check_payload(&piece, 1 + next * MSS);
		}
		finish();
	}
}

/* The connection is reset before its burst has gone. */
static void a_reset_ends_a_burst(void)
{
	struct tcp_plan plan;
	struct tcp_piece piece;
	struct tcp_out o;
	struct tcp_ctx x;

	start();
	open_active();
	give(5 * MSS);
	plan = plan_of(64000);
	x = ctx();
	tcp_output(&f.c, &x, &plan, &o);
	settle();
	check(tcp_next_piece(&f.c, &o, 0, &piece));
	in(TCP_RST, 1, 0, 0);
	check_eq(state(), TERN_TCP_CLOSED);
	check(!tcp_next_piece(&f.c, &o, 0, &piece));
	finish();
}

/* The window field never takes back what was shown (SHLD-14), also scaled, whatever happens. */
static void windows_never_retreat(void)
{
	struct rand dice;

	rand_init(&dice, (uint8_t[32]){ 5 }, 0);
	for (unsigned run = 0; run < 40; run++) {
		uint32_t edge = 1, next = 1, wscale;
		struct tcp_hdr synack;

		start();
		f.open.rcv_buf_max = 3000 + (uint32_t)rand_below(&dice, 600000);
		synack = peer_syn(TCP_SYN | TCP_ACK);
		synack.has_wscale = true;
		begin_active();
		wscale = out().h.wscale;
		in_hdr(&synack, 0);
		for (unsigned step = 0; step < 200; step++) {
			uint32_t len = (uint32_t)rand_below(&dice, 9000);
			struct seen s = out();
			uint32_t shown;

			test_at("run %u, step %u", run, step);
			if (s.plan.what != SEND_NOTHING) {
				shown = s.h.ack + ((uint32_t)s.h.wnd << wscale);
				check(shown + (wscale ? 1u << wscale : 0) >= edge);
				edge = MAX(edge, shown);
			}
			len = MIN(len, edge > next ? edge - next : 0);
			if (len)
				check_eq(in(TCP_ACK, next, 1, len).drop, TERN_DROP_NONE);
			next += len;
			check_eq(info().bytes_received, next - 1); /* what was shown is taken */
			if (rand_below(&dice, 3) == 0)
				take(rand_below(&dice, 20000));
			if (rand_below(&dice, 5) == 0)
				pass(100 * TERN_MS);
		}
		finish();
	}
}

static const struct test tests[] = {
	TEST(the_syn),
	TEST(the_synack_of_a_simultaneous_open),
	TEST(push),
	TEST(acks_and_resets),
	TEST(who_resets),
	TEST(the_fin_again),
	TEST(text_over_many_chunks),
	TEST(acks_overtake_a_burst),
	TEST(a_reset_ends_a_burst),
	TEST(windows_never_retreat),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
