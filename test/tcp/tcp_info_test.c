/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_info_test.c - core/tcp/tcp_info.c: TCP_INFO in Linux's numbers and units.
 */
#include <stddef.h>

#include "tcp_fixture.h"

/* Linux's enum of states (include/net/tcp_states.h). */
static void states(void)
{
	static const struct {
		enum tern_tcp_state s;
		uint8_t want;
	} cases[] = {
		{ TERN_TCP_ESTABLISHED, 1 },  { TERN_TCP_SYN_SENT, 2 },
		{ TERN_TCP_SYN_RECEIVED, 3 }, { TERN_TCP_FIN_WAIT_1, 4 },
		{ TERN_TCP_FIN_WAIT_2, 5 },   { TERN_TCP_TIME_WAIT, 6 },
		{ TERN_TCP_CLOSED, 7 },	      { TERN_TCP_CLOSE_WAIT, 8 },
		{ TERN_TCP_LAST_ACK, 9 },     { TERN_TCP_CLOSING, 11 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", tern_tcp_state_name(cases[i].s));
		start();
		reach(cases[i].s);
		check_eq(info().state, cases[i].want);
		finish();
	}
}

/* Programs read the struct with Linux's header: the offsets are Linux's. */
static void layout(void)
{
	check_eq(offsetof(struct tern_tcp_info, rto), 8);
	check_eq(offsetof(struct tern_tcp_info, unacked), 24);
	check_eq(offsetof(struct tern_tcp_info, last_data_sent), 44);
	check_eq(offsetof(struct tern_tcp_info, pmtu), 60);
	check_eq(offsetof(struct tern_tcp_info, rtt), 68);
	check_eq(offsetof(struct tern_tcp_info, snd_cwnd), 80);
	check_eq(offsetof(struct tern_tcp_info, total_retrans), 100);
	check_eq(offsetof(struct tern_tcp_info, pacing_rate), 104);
	check_eq(offsetof(struct tern_tcp_info, bytes_acked), 120);
	check_eq(offsetof(struct tern_tcp_info, segs_out), 136);
	check_eq(offsetof(struct tern_tcp_info, min_rtt), 148);
	check_eq(offsetof(struct tern_tcp_info, delivery_rate), 160);
	check_eq(offsetof(struct tern_tcp_info, delivered), 192);
	check_eq(offsetof(struct tern_tcp_info, bytes_sent), 200);
	check_eq(offsetof(struct tern_tcp_info, snd_wnd), 228);
	check_eq(sizeof(struct tern_tcp_info), 232);
}

static void figures(void)
{
	struct tern_tcp_info i;

	start();
	f.open.rcv_buf_max = 30000;
	f.wnd = 9000;
	open_active();
	i = info();
	check_eq(i.snd_mss, MSS);
	check_eq(i.advmss, MSS);
	check_eq(i.rcv_space, 30000);
	check_eq(i.snd_cwnd, 10);
	check_eq(i.unacked, 0);
	check(i.bytes_acked == 0 && i.bytes_sent == 0 && i.bytes_received == 0);
	check_eq(i.segs_out, 2); /* SYN, ACK */
	check_eq(i.segs_in, 1);
	give(3 * MSS + 500);
	out();
	out();
	i = info();
	check_eq(i.unacked, 2);
	check_eq(i.bytes_sent, 2 * MSS);
	check_eq(i.notsent_bytes, MSS + 500);
	check_eq(i.snd_wnd, 9000);
	f.now += 70 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 300);
	i = info();
	check_eq(i.bytes_acked, MSS);
	check_eq(i.bytes_received, 300);
	check_eq(i.last_data_sent, 70);
	check_eq(i.last_data_recv, 0);
	check_eq(i.unacked, 1);
	finish();
}

/* SYN and FIN are numbers, not bytes. */
static void syn_and_fin_are_no_bytes(void)
{
	start();
	reach(TERN_TCP_TIME_WAIT);
	check(info().bytes_acked == 0 && info().bytes_sent == 0 && info().bytes_received == 0);
	check_eq(info().notsent_bytes, 0);
	finish();
	start();
	begin_active();
	check_eq(info().bytes_received, 0);
	out();
	check_eq(info().bytes_sent, 0);
	finish();
}

static void repair_is_told(void)
{
	start();
	open_active();
	give(10 * MSS);
	drain();
	check_eq(info().ca_state, 0);
	next_timer();
	check_eq(info().ca_state, 4); /* Loss */
	check_eq(info().retransmits, 1);
	check_eq(info().backoff, 1);
	check_eq(info().snd_cwnd, 1);
	check_eq(info().snd_ssthresh, 5);
	drain();
	check_eq(info().total_retrans, 1);
	check_eq(info().bytes_retrans, MSS);
	check_eq(info().bytes_sent, 11 * MSS);
	f.now += 50 * TERN_MS;
	in(TCP_ACK, 1, 1 + MSS, 0);
	check_eq(out_burst(64000).len, 2 * MSS); /* segments count, not bursts */
	check_eq(info().total_retrans, 3);
	check_eq(info().bytes_retrans, 3 * MSS);
	in(TCP_ACK, 1, 1 + 10 * MSS, 0);
	check_eq(info().ca_state, 0);
	check_eq(info().retransmits, 0);
	check_eq(info().bytes_acked, 10 * MSS);
	finish();
}

/* What is sacked, lost and sent again, in segments; the states of Linux's tcp_ca_state; the counts. */
static void repair(void)
{
	struct tcp_hdr h;

	start();
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.sack_permitted = true;
	open_active_with(&h);
	give(10 * MSS);
	check_eq(drain(), 10);
	h = header(TCP_ACK, 1, 1);
	h.n_sack = 1;
	h.sack[0] = (struct tcp_sack){ f.iss + 1 + 2 * MSS, f.iss + 1 + 4 * MSS };
	in_hdr(&h, 0);
	check(info().sacked == 2 && info().lost == 0 && info().ca_state == 1);
	h.sack[0].hi = f.iss + 1 + 5 * MSS;
	in_hdr(&h, 0);
	check(info().sacked == 3 && info().lost == 2 && info().ca_state == 3);
	check_eq(f.c.notes, TCP_NOTE_SACK_RECOVERY);
	check(out().plan.again);
	check(info().lost == 2 && info().retrans == 1 && info().total_retrans == 1);
	h.sack[0].hi = f.iss + 1 + 7 * MSS; /* five fly, then four: room for one */
	in_hdr(&h, 0);
	check(out().plan.again);
	check(info().sacked == 5 && info().lost == 2 && info().retrans == 2);
	h.n_sack = 2; /* the first of them came twice: both were, then */
	h.sack[1] = h.sack[0];
	h.ack = 1 + 2 * MSS;
	h.sack[0] = (struct tcp_sack){ f.iss + 1, f.iss + 1 + 2 * MSS };
	in_hdr(&h, 0);
	check(info().dsack_dups == 2 && info().retrans == 0 && info().ca_state == 1);
	check(f.c.notes & TCP_NOTE_DSACK_UNDO && f.c.notes & TCP_NOTE_DSACK_RECV);
	finish();
}

static const struct test tests[] = {
	TEST(repair),
	TEST(states),
	TEST(layout),
	TEST(figures),
	TEST(syn_and_fin_are_no_bytes),
	TEST(repair_is_told),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
