/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_timewait_test.c - core/tcp/tcp_timewait.c: what the record answers.
 *
 * Sources: RFC 9293 3.10.7.4 (TIME-WAIT), RFC 1337 (no assassination), RFC 6191 section 2 (when a
 * SYN may begin a new connection), RFC 7323 5.3.
 */
#include "tcp_fixture.h"

enum { RECENT = 1000 };

static struct tcp_tw tw;
static uint8_t flags;

/* A record of a connection that ended here: we sent up to 2, the peer up to 12. */
static void make_record(bool ts)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_timestamps = f.ts = ts;
	f.ts_val = RECENT;
	h = peer_syn(TCP_SYN | TCP_ACK);
	open_active_with(&h);
	close_send();
	drain();
	in(TCP_ACK, 1, 2, 0);
	in(TCP_ACK | TCP_FIN, 1, 2, 10);
	drain();
	check_eq(state(), TERN_TCP_TIME_WAIT);
	tw_init(&tw, &flags, &f.c);
}

static enum tw_verdict give_record(const struct tcp_hdr *relative, uint32_t len)
{
	static const uint8_t zeroes[64];
	struct tcp_ctx x = ctx();
	struct tcp_seg seg = { .h = *relative, .data = zeroes, .len = len };

	seg.h.seq += f.irs;
	seg.h.ack += f.iss;
	return tw_input(&tw, &flags, &x, &seg);
}

static void segments_without_timestamps(void)
{
	static const struct {
		const char *what;
		uint16_t flags;
		uint32_t seq, ack, len;
		enum tw_verdict want;
	} cases[] = {
		{ "RFC 1337 F1: a RST", TCP_RST, 12, 0, 0, TW_DROP },
		{ "a RST with ACK", TCP_RST | TCP_ACK, 12, 2, 0, TW_DROP },
		{ "a RST in the window", TCP_RST, 500, 0, 0, TW_DROP },
		{ "the FIN again", TCP_FIN | TCP_ACK, 11, 2, 0, TW_ACK_RESTART },
		{ "the FIN again, with its text", TCP_FIN | TCP_ACK, 1, 2, 10, TW_ACK_RESTART },
		{ "another FIN", TCP_FIN | TCP_ACK, 12, 2, 0, TW_ACK },
		{ "an acceptable ACK", TCP_ACK, 12, 2, 0, TW_DROP },
		{ "an old ACK", TCP_ACK, 5, 2, 0, TW_ACK },
		{ "old text", TCP_ACK, 1, 2, 5, TW_ACK },
		{ "new text", TCP_ACK, 12, 2, 5, TW_ACK },
		{ "nothing at all", 0, 12, 0, 0, TW_DROP },
		{ "FIN without ACK", TCP_FIN, 11, 0, 0, TW_DROP },
		/* RFC 9293 MAY-2: a SYN above all numbers that were used; RFC 5961 4.2: others */
		{ "a SYN above the FIN", TCP_SYN, 12, 0, 0, TW_NEW_SYN },
		{ "a SYN with the number of the FIN", TCP_SYN, 11, 0, 0, TW_ACK },
		{ "a SYN far above", TCP_SYN, 12u + INT32_MAX, 0, 0, TW_NEW_SYN },
		{ "a SYN below", TCP_SYN, 10, 0, 0, TW_ACK },
		{ "a SYN far below", TCP_SYN, 13u + INT32_MAX, 0, 0, TW_ACK },
		{ "a SYN,ACK", TCP_SYN | TCP_ACK, 100, 2, 0, TW_ACK },
		{ "SYN and RST", TCP_SYN | TCP_RST, 100, 2, 0, TW_DROP },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h = { .flags = cases[i].flags,
				     .seq = cases[i].seq,
				     .ack = cases[i].ack };

		test_at("%s", cases[i].what);
		make_record(false);
		check_eq(give_record(&h, cases[i].len), cases[i].want);
		finish();
	}
}

/* RFC 6191 section 2, all five bullets, and both sides of their edges. */
static void syns_with_timestamps(void)
{
	static const struct {
		bool old_ts, new_ts, we;
		int32_t newer;
		uint32_t seq;
		enum tw_verdict want;
	} cases[] = {
		/* the old connection had them, the SYN has: greater */
		{ true, true, true, 1, 0, TW_NEW_SYN },
		{ true, true, true, 1, 13, TW_NEW_SYN },
		/* equal: by the number */
		{ true, true, true, 0, 12, TW_NEW_SYN },
		{ true, true, true, 0, 11, TW_ACK },
		/* smaller: no */
		{ true, true, true, -1, 13, TW_ACK },
		{ true, true, true, -1, 0, TW_ACK },
		/* it had them, the SYN has not: by the number */
		{ true, false, true, 0, 12, TW_NEW_SYN },
		{ true, false, true, 0, 11, TW_ACK },
		/* it had none, the SYN has and we shall use them */
		{ false, true, true, 0, 0, TW_NEW_SYN },
		/* nobody has: by the number */
		{ false, false, true, 0, 12, TW_NEW_SYN },
		{ false, false, true, 0, 11, TW_ACK },
		/* we use none: as if the SYN had none */
		{ false, true, false, 0, 11, TW_ACK },
		{ false, true, false, 0, 12, TW_NEW_SYN },
		{ true, true, false, 5, 11, TW_ACK },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h = { .flags = TCP_SYN,
				     .seq = cases[i].seq,
				     .has_ts = cases[i].new_ts,
				     .ts_val = RECENT + (uint32_t)cases[i].newer };

		test_at("case %u", i);
		make_record(cases[i].old_ts);
		f.cfg.tcp_timestamps = cases[i].we;
		check_eq(give_record(&h, 0), cases[i].want);
		finish();
	}
}

/* RFC 7323 5.3 R1: an old duplicate, whatever it is, is answered and no more. */
static void old_duplicates(void)
{
	struct tcp_hdr fin = { .flags = TCP_FIN | TCP_ACK, .seq = 11, .ack = 2, .has_ts = true };

	make_record(true);
	fin.ts_val = RECENT - 1;
	check_eq(give_record(&fin, 0), TW_ACK);
	fin.ts_val = RECENT;
	check_eq(give_record(&fin, 0), TW_ACK_RESTART);
	finish();
}

/* RFC 1337 3: a RST counts that is the exact answer to the ACK of a SYN, and no other. */
static void resets_of_answers(void)
{
	static const struct {
		const char *what;
		uint16_t flags[2]; /* of what is answered before it; 0: nothing */
		uint32_t seq;
		enum tw_verdict want;
	} cases[] = {
		{ "nothing was answered", { 0, 0 }, 12, TW_DROP },
		{ "an old SYN was", { TCP_SYN, 0 }, 12, TW_END },
		{ "an old SYN was, and it is not exact", { TCP_SYN, 0 }, 13, TW_DROP },
		{ "old text was", { TCP_ACK, 0 }, 12, TW_DROP },
		{ "old text was since", { TCP_SYN, TCP_ACK }, 12, TW_DROP },
		{ "an old SYN was since", { TCP_ACK, TCP_SYN }, 12, TW_END },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr rst = { .flags = TCP_RST, .seq = cases[i].seq };

		test_at("%s", cases[i].what);
		make_record(false);
		for (unsigned k = 0; k < 2 && cases[i].flags[k]; k++) {
			struct tcp_hdr old = { .flags = cases[i].flags[k], .seq = 5, .ack = 2 };

			check_eq(give_record(&old, 0), TW_ACK);
			f.now += TERN_SEC;
		}
		check_eq(give_record(&rst, 0), cases[i].want);
		finish();
	}
}

/* RFC 5961 section 7 in spirit: wars of ACKs end. */
static void answers_are_limited(void)
{
	struct tcp_hdr old = { .flags = TCP_ACK, .seq = 5, .ack = 2 };
	unsigned n = 0;

	make_record(false);
	for (unsigned i = 0; i < 100; i++) {
		n += give_record(&old, 0) == TW_ACK;
		f.now += 50 * TERN_MS;
	}
	check(n >= 5 && n <= 12); /* twice a second */
	finish();
}

static void the_answer(void)
{
	for (unsigned ts = 0; ts < 2; ts++) {
		struct tcp_hdr h;
		struct tcp_ctx x;

		make_record(ts);
		x = ctx();
		memset(&h, 0xee, sizeof(h));
		tw_ack(&tw, flags, &x, 9, &h);
		check_eq(h.flags, TCP_ACK);
		check_eq(h.seq, f.iss + 2);
		check_eq(h.ack, f.irs + 12);
		check_eq(h.has_ts, ts);
		check(!ts || (h.ts_ecr == RECENT && h.ts_val == (uint32_t)(f.now / TERN_MS) + 9));
		check(!h.has_mss && !h.has_wscale && !h.sack_permitted && h.n_sack == 0);
		check_eq(h.urg, 0);
		finish();
	}
}

static const struct test tests[] = {
	TEST(segments_without_timestamps), TEST(syns_with_timestamps), TEST(old_duplicates),
	TEST(resets_of_answers),	   TEST(answers_are_limited),  TEST(the_answer),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
