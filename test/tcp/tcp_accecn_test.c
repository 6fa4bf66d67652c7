/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_accecn_test.c - core/tcp/tcp_accecn.c: what scripts cannot reach. Counters that wrap, memory
 * that is not there, super-frames, ACKs for many segments, and peers who lie.
 */
#include "../../core/base/rand.h"
#include "../../core/tcp/tcp_accecn.h"
#include "tcp_fixture.h"

static const uint16_t all = TCP_AE | TCP_CWR | TCP_ECE;

static uint16_t ace(unsigned counter)
{
	return (uint16_t)(TCP_ACK | (counter & 7) * TCP_ECE);
}

/* ESTABLISHED in the accurate mode, asked by the peer. */
static void open_accurate(void)
{
	struct tcp_hdr syn = peer_syn(TCP_SYN | all);
	struct tcp_half half;

	start();
	syn.wnd = f.wnd;
	begin_passive_with(&half, &syn);
	become_connection(&half);
	in(TCP_ACK | TCP_CWR, 1, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check(f.c.accecn != NULL);
}

/* Text of so many segments, acknowledged at once. */
static void send_acked(unsigned n, const struct tcp_hdr *ack)
{
	struct tcp_hdr h = *ack;

	give(n * MSS);
	drain();
	h.ack = (uint32_t)f.c.snd.nxt - f.iss;
	in_hdr(&h, 0);
}

static void bytes_wrap_at_24_bits(void)
{
	struct tcp_hdr h;

	open_accurate();
	f.c.accecn->told[TCP_ACCECN_CEB] = 0x2fffc00;
	h = header(ace(6), 1, 0);
	h.has_accecn = true;
	h.n_accecn = 2;
	h.accecn[TCP_ACCECN_E0B] = 1;
	h.accecn[TCP_ACCECN_CEB] = 0x0003e8 - 0x400; /* only the low 24 bits are told */
	h.accecn[TCP_ACCECN_CEB] &= 0xffffff;
	send_acked(1, &h);
	check_eq(f.c.accecn->told[TCP_ACCECN_CEB], 0x2ffffe8);
	h.flags = ace(7);
	h.accecn[TCP_ACCECN_CEB] = 0x0003d0;
	h.accecn[TCP_ACCECN_E0B] = 0xf00001;
	send_acked(1, &h);
	check_eq(f.c.accecn->told[TCP_ACCECN_E0B], 0xf00001);
	check_eq(f.c.accecn->told[TCP_ACCECN_CEB], 0x30003d0);
	check_eq(info().delivered_ce, 2);
	finish();
}

/* 3.2.2.1: text that could go with it goes after it. */
static void the_ack_of_the_answer_goes_alone(void)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_ecn = 3;
	h = peer_syn(TCP_SYN | TCP_ACK | TCP_CWR);
	begin_active();
	out();
	in_hdr(&h, 0);
	give(MSS);
	expect(TCP_ACK | TCP_CWR, 1, 1, 0);
	expect(ace(5) | TCP_PSH, 1, 1, MSS);
	finish();
}

/* Appendix A.2.1: where ACKs for many segments are usual, each is no sign of a cycle. */
static void many_segments_at_once_are_usual(void)
{
	struct tcp_hdr h;

	open_accurate();
	h = header(ace(5), 1, 0);
	for (unsigned i = 0; i < 6; i++) {
		f.c.cc.cwnd = 100 * MSS;
		send_acked(10, &h);
		check_eq(info().delivered_ce, MIN(i + 1, 4) * 8); /* then it is usual */
	}
	finish();
}

static void without_memory_there_is_no_answer(void)
{
	struct tcp_hdr h;
	void *record[512];
	unsigned n = 0;
	uint64_t max;

	start();
	h = peer_syn(TCP_SYN | TCP_ACK | TCP_CWR);
	max = f.mem.max;
	f.cfg.tcp_ecn = 3;
	begin_active();
	out();
	f.mem.max = f.mem.used;
	while (n < N_TESTS(record) && (record[n] = mem_new(&f.mem, sizeof(struct tcp_accecn))))
		n++;
	check_eq(in_hdr(&h, 0).drop, TERN_DROP_NO_MEMORY);
	check_eq(state(), TERN_TCP_SYN_SENT);
	f.mem.max = max;
	while (n > 0)
		mem_free(&f.mem, record[--n], sizeof(struct tcp_accecn));
	check_eq(in_hdr(&h, 0).drop, TERN_DROP_NONE);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	expect(TCP_ACK | TCP_CWR, 1, 1, 0);
	finish();
}

/* A super-frame stands for several packets. */
static void packets_of_a_super_frame_count(void)
{
	static uint8_t text[3 * MSS];
	struct tcp_seg seg = { .data = text, .ecn = IP_ECN_CE };
	struct tcp_ctx x;

	open_accurate();
	x = ctx();
	seg.h = header(ace(5), 1, 1);
	seg.h.seq += f.irs;
	seg.h.ack += f.iss;
	seg.h.wnd = f.wnd;
	seg.len = 2 * MSS + 1;
	seg.part = MSS;
	fill_text(text, 1, seg.len);
	tcp_input(&f.c, &x, &seg);
	check_eq(f.c.accecn->cep, 8);
	check_eq(f.c.accecn->came[TCP_ACCECN_CEB], 2 * MSS + 1);
	settle();
	finish();
}

/* What a peer who answers with `lie` lets us have in flight after so many round trips. */
static uint32_t window_after(unsigned rounds, struct rand *lie)
{
	open_accurate();
	for (unsigned i = 0; i < rounds; i++) {
		struct tcp_hdr h = header(ace(5), 1, 0);

		if (lie) {
			h.flags = ace(rand_u32(lie));
			h.has_accecn = rand_below(lie, 2);
			h.accecn_order = (uint8_t)rand_below(lie, 2);
			h.n_accecn = (uint8_t)rand_below(lie, 4);
			for (unsigned k = 0; k < TCP_ACCECN_MAX; k++)
				h.accecn[k] = rand_u32(lie) & 0xffffff;
		}
		f.now += 100 * TERN_MS;
		send_acked(2, &h);
	}
	return cwnd_bytes();
}

/* SEC-140: no counter, true or not, gives a peer more than silence does. */
static void lies_gain_nothing(void)
{
	static const uint8_t seed[32] = { 11 };
	uint32_t honest;
	struct rand r;

	honest = window_after(12, NULL);
	finish();
	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 200; i++) {
		test_at("peer %u", i);
		check(window_after(12, &r) <= honest);
		check(cwnd_bytes() >= f.c.snd_mss);
		finish();
	}
}

static const struct test tests[] = {
	TEST(bytes_wrap_at_24_bits),	       TEST(the_ack_of_the_answer_goes_alone),
	TEST(many_segments_at_once_are_usual), TEST(without_memory_there_is_no_answer),
	TEST(packets_of_a_super_frame_count),  TEST(lies_gain_nothing),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
