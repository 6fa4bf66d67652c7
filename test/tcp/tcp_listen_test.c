/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_listen_test.c - core/tcp/tcp_listen.c: a half-open record, segment by segment; resets to
 * nobody.
 *
 * Sources: RFC 9293 3.10.7.1, 3.10.7.2, 3.10.7.4 (SYN-RECEIVED); RFC 5961; RFC 7323 5.3.
 */
#include "tcp_fixture.h"

enum { RECENT = 1000 };

static enum half_verdict judge(struct tcp_half *half, const struct tcp_seg *seg,
			       struct half_result *r)
{
	struct tcp_ctx x = ctx();

	return half_input(half, &x, seg, r);
}

static struct tcp_half half;

static void make_half(bool ts)
{
	struct tcp_hdr syn;

	start();
	f.cfg.tcp_timestamps = f.ts = ts;
	f.ts_val = RECENT;
	syn = peer_syn(TCP_SYN);
	begin_passive_with(&half, &syn);
}

static struct tcp_seg segment(const struct tcp_hdr *relative, uint32_t len)
{
	static const uint8_t zeroes[64];
	struct tcp_seg seg = { .h = *relative, .data = zeroes, .len = len };

	seg.h.seq += f.irs;
	seg.h.ack += f.iss;
	return seg;
}

static void segments_to_a_half(void)
{
	static const struct {
		const char *what;
		uint16_t flags;
		int32_t seq, ack;
		uint32_t len;
		enum half_verdict want;
	} cases[] = {
		{ "the ACK", TCP_ACK, 1, 1, 0, HALF_COMPLETE },
		{ "the ACK with text", TCP_ACK | TCP_PSH, 1, 1, 10, HALF_COMPLETE },
		{ "the ACK with a FIN", TCP_ACK | TCP_FIN, 1, 1, 0, HALF_COMPLETE },
		{ "an ACK further on: text was lost", TCP_ACK, 100, 1, 5, HALF_COMPLETE },
		{ "at the end of the window", TCP_ACK, 65535, 1, 0, HALF_COMPLETE },
		{ "beyond it", TCP_ACK, 65536, 1, 0, HALF_CHALLENGE },
		{ "before it", TCP_ACK, 0, 1, 0, HALF_CHALLENGE },
		/* fifth step: an ACK of anything but our SYN: <SEQ=SEG.ACK><CTL=RST> */
		{ "an ACK of nothing", TCP_ACK, 1, 0, 0, HALF_RST },
		{ "an ACK of too much", TCP_ACK, 1, 2, 0, HALF_RST },
		{ "an ACK far off", TCP_ACK, 1, INT32_MIN, 0, HALF_RST },
		{ "no ACK", 0, 1, 0, 0, HALF_DROP },
		{ "FIN without ACK", TCP_FIN, 1, 0, 0, HALF_DROP },
		/* RFC 5961 3.2 */
		{ "a RST just there", TCP_RST, 1, 0, 0, HALF_DIE },
		{ "a RST with any ACK", TCP_RST | TCP_ACK, 1, 77, 0, HALF_DIE },
		{ "a RST in the window", TCP_RST, 2, 0, 0, HALF_CHALLENGE },
		{ "a RST at its end", TCP_RST, 65535, 0, 0, HALF_CHALLENGE },
		{ "a RST outside", TCP_RST, 65536, 0, 0, HALF_DROP },
		{ "a RST before", TCP_RST, 0, 0, 0, HALF_DROP },
		/* the SYN again, and others: fourth step, back to LISTEN */
		{ "the SYN again", TCP_SYN, 0, 0, 0, HALF_RESEND },
		{ "a SYN before", TCP_SYN, -1, 0, 0, HALF_CHALLENGE },
		{ "a SYN in the window", TCP_SYN, 1, 0, 0, HALF_DIE },
		{ "SYN,ACK in the window", TCP_SYN | TCP_ACK, 5, 1, 0, HALF_DIE },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h =
			header(cases[i].flags, (uint32_t)cases[i].seq, (uint32_t)cases[i].ack);
		struct half_result r;
		struct tcp_seg seg;

		test_at("%s", cases[i].what);
		make_half(false);
		h.wnd = 65535;
		seg = segment(&h, cases[i].len);
		check_eq(judge(&half, &seg, &r), cases[i].want);
		check_eq(r.rst.due, cases[i].want == HALF_RST);
		if (r.rst.due)
			check(r.rst.seq == seg.h.ack && !r.rst.with_ack);
		check_eq(r.drop == TERN_DROP_NONE, cases[i].want == HALF_COMPLETE);
		mem_fini(&f.mem);
	}
}

/* RFC 7323 5.3: before anything but a RST. */
static void old_timestamps(void)
{
	struct tcp_hdr h;
	struct half_result r;
	struct tcp_seg seg;

	make_half(true);
	f.ts_val = RECENT - 1;
	h = header(TCP_ACK, 1, 1);
	seg = segment(&h, 0);
	check_eq(judge(&half, &seg, &r), HALF_CHALLENGE);
	check_eq(r.drop, TERN_DROP_TCP_PAWS);
	h = header(TCP_RST, 1, 0);
	seg = segment(&h, 0);
	check_eq(judge(&half, &seg, &r), HALF_DIE);
	f.ts_val = RECENT;
	h = header(TCP_ACK, 1, 1);
	seg = segment(&h, 0);
	check_eq(judge(&half, &seg, &r), HALF_COMPLETE);
	mem_fini(&f.mem);
}

/* The challenge shows the window of the SYN-ACK, scaled. */
static void what_is_said_before_the_end(void)
{
	struct tcp_hdr syn, h;
	struct tcp_ctx x;

	start();
	f.open.rcv_buf_max = 1 << 20;
	syn = peer_syn(TCP_SYN);
	syn.has_wscale = true;
	begin_passive_with(&half, &syn);
	x = ctx();
	memset(&h, 0xee, sizeof(h));
	half_synack(&half, &x, f.open.ts_off, &h);
	check(h.flags == (TCP_SYN | TCP_ACK) && h.seq == f.iss && h.ack == f.irs + 1);
	check(h.wnd == 65535 && h.urg == 0 && h.wscale == 5 && h.n_sack == 0);
	memset(&h, 0xee, sizeof(h));
	half_ack(&half, &x, f.open.ts_off, &h);
	check(h.flags == TCP_ACK && h.seq == f.iss + 1 && h.ack == f.irs + 1);
	check(h.wnd == 65535 >> 5 && h.urg == 0 && h.n_sack == 0);
	check(!h.has_mss && !h.has_wscale && !h.sack_permitted && !h.has_ts);
	mem_fini(&f.mem);
}

/* MUST-15: a SYN without MSS; and what it said is what the connection uses. */
static void what_the_record_remembers(void)
{
	struct tcp_hdr syn;

	start();
	f.wnd = 7777;
	syn = peer_syn(TCP_SYN);
	syn.has_mss = false;
	begin_passive_with(&half, &syn);
	become_connection(&half);
	check_eq(state(), TERN_TCP_SYN_RECEIVED);
	in(TCP_ACK, 1, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check_eq(info().snd_mss, 536);
	check_eq(info().snd_wnd, 7777);
	check_eq(give(1000), 1000);
	expect(TCP_ACK, 1, 1, 536);
	finish();
}

/* What is called complete must finish the handshake: the record is gone by then. */
static void complete_means_complete(void)
{
	for (unsigned round = 0; round < 2; round++) {
		static const uint8_t zeroes[8];
		struct tcp_hdr syn, ack;
		struct tcp_seg seg;
		struct half_result r;

		start();
		f.open.rcv_buf_max = 4000;
		f.cfg.tcp_timestamps = f.ts = round == 0;
		syn = peer_syn(TCP_SYN);
		begin_passive_with(&half, &syn);
		f.ts = false; /* round 0: the timestamps are missing; 1: outside our window */
		ack = header(TCP_ACK, round ? 5001 : 1, 1);
		seg = (struct tcp_seg){ .h = ack, .data = zeroes };
		seg.h.seq += f.irs;
		seg.h.ack += f.iss;
		test_at("round %u", round);
		if (judge(&half, &seg, &r) != HALF_COMPLETE) {
			mem_fini(&f.mem);
			continue;
		}
		become_connection(&half);
		in_hdr(&ack, 0);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		finish();
	}
}

/* The segment that finishes the handshake may bring text and a FIN. */
static void last_ack_of_the_handshake_with_text(void)
{
	start();
	begin_passive();
	check_eq(in(TCP_ACK | TCP_FIN, 1, 1, 100).events & (TCP_CONNECTED | TCP_READABLE),
		 TCP_CONNECTED | TCP_READABLE);
	check_eq(state(), TERN_TCP_CLOSE_WAIT);
	expect(TCP_ACK, 1, 102, 0);
	check_eq(take(200), 100);
	finish();
}

/* ---- resets to nobody: 3.10.7.1 ---- */

static void resets_to_nobody(void)
{
	static const struct {
		uint16_t flags;
		uint32_t len;
		bool due, with_ack;
		uint32_t seq, ack; /* for a segment with number 500 and acknowledgment 900 */
	} cases[] = {
		{ TCP_SYN, 0, true, true, 0, 501 },
		{ TCP_SYN | TCP_FIN, 0, true, true, 0, 502 },
		{ TCP_SYN, 10, true, true, 0, 511 },
		{ 0, 0, true, true, 0, 500 },
		{ TCP_FIN, 3, true, true, 0, 504 },
		{ TCP_ACK, 0, true, false, 900, 0 },
		{ TCP_SYN | TCP_ACK, 0, true, false, 900, 0 },
		{ TCP_ACK | TCP_FIN, 10, true, false, 900, 0 },
		{ TCP_RST, 0, false, false, 0, 0 },
		{ TCP_RST | TCP_ACK, 0, false, false, 0, 0 },
		{ TCP_RST | TCP_SYN, 0, false, false, 0, 0 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_seg seg = { .h = { .flags = cases[i].flags, .seq = 500, .ack = 900 },
				       .len = cases[i].len };
		struct tcp_rst r = tcp_rst_for(&seg);

		test_at("flags %02x, %u bytes", cases[i].flags, cases[i].len);
		check_eq(r.due, cases[i].due);
		check_eq(r.with_ack, cases[i].with_ack);
		check_eq(r.seq, cases[i].seq);
		check_eq(r.ack, cases[i].ack);
	}
}

static const struct test tests[] = {
	TEST(segments_to_a_half),
	TEST(old_timestamps),
	TEST(what_is_said_before_the_end),
	TEST(what_the_record_remembers),
	TEST(complete_means_complete),
	TEST(last_ack_of_the_handshake_with_text),
	TEST(resets_to_nobody),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
