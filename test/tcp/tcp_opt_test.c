/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_opt_test.c - core/tcp/tcp_opt.c: what two SYNs agree on, timestamps and PAWS, SACK blocks.
 *
 * Sources: RFC 9293 3.7.1, RFC 7323, RFC 2018, RFC 6691.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

/* ---- what is agreed on ---- */

/* Each of three options is used when we may and the peer's SYN carries it: 8 times 8 cases. */
static void set_ours(unsigned bits)
{
	f.cfg.tcp_timestamps = bits & 1;
	f.cfg.tcp_sack = bits & 2;
	f.cfg.tcp_window_scaling = bits & 4;
	f.open.rcv_buf_max = 1 << 20;
}

static struct tcp_hdr syn_with(uint16_t flags, unsigned bits)
{
	struct tcp_hdr h = peer_syn(flags);

	h.has_ts = bits & 1;
	h.ts_val = 500;
	h.sack_permitted = bits & 2;
	h.has_wscale = bits & 4;
	h.wscale = 3;
	return h;
}

static void check_agreed(unsigned both)
{
	struct seen s;

	check_eq(info().options, both); /* Linux's bits: timestamps 1, SACK 2, scaling 4 */
	check_eq(info().wscale, both & 4 ? 0x53 : 0); /* 1 MiB needs a shift of 5 */
	f.ts = both & 1;
	f.ts_val = 501;
	in(TCP_ACK, 101, 1, 10); /* ahead of a gap */
	s = out();
	check_eq(s.h.has_ts, both & 1);
	check_eq(s.h.n_sack, both & 2 ? 1 : 0);
	check_eq(s.h.wnd, both & 4 ? (1 << 20) >> 5 : 65535);
	check(!s.h.has_mss && !s.h.has_wscale && !s.h.sack_permitted); /* only in a SYN */
	check_eq(info().snd_wnd, both & 4 ? 65535 << 3 : 65535);
}

static void agreed_by_an_active_open(void)
{
	for (unsigned i = 0; i < 64; i++) {
		struct tcp_hdr synack = syn_with(TCP_SYN | TCP_ACK, i & 7);
		struct seen syn;

		test_at("we %u, peer %u", i >> 3, i & 7);
		start();
		set_ours(i >> 3);
		begin_active();
		syn = out();
		check(syn.h.has_mss && syn.h.mss == MSS);
		check_eq(syn.h.has_ts, i >> 3 & 1);
		check_eq(syn.h.sack_permitted, i >> 4 & 1);
		check_eq(syn.h.has_wscale, i >> 5 & 1);
		check(!syn.h.has_wscale || syn.h.wscale == 5);
		check_eq(syn.h.wnd, 65535);
		check(!syn.h.has_ts || syn.h.ts_ecr == 0); /* RFC 7323 3.2: 0 without ACK */
		in_hdr(&synack, 0);
		drain();
		in(TCP_ACK, 1, 1, 0);
		check_agreed((i & 7) & (i >> 3));
		finish();
	}
}

static void agreed_by_a_passive_open(void)
{
	for (unsigned i = 0; i < 64; i++) {
		struct tcp_hdr syn = syn_with(TCP_SYN, i & 7), synack;
		unsigned both = (i & 7) & (i >> 3);
		struct tcp_ctx x;
		struct tcp_half half;

		test_at("we %u, peer %u", i >> 3, i & 7);
		start();
		set_ours(i >> 3);
		x = ctx();
		begin_passive_with(&half, &syn);
		half_synack(&half, &x, f.open.ts_off, &synack);
		check(synack.has_mss && synack.mss == MSS);
		check_eq(synack.has_ts, both & 1);
		check(!synack.has_ts || synack.ts_ecr == 500);
		check_eq(synack.sack_permitted, both >> 1 & 1);
		check_eq(synack.has_wscale, both >> 2);
		check(!synack.has_wscale || synack.wscale == 5);
		become_connection(&half);
		f.ts = both & 1;
		f.ts_val = 500;
		in(TCP_ACK, 1, 1, 0);
		check_eq(state(), TERN_TCP_ESTABLISHED);
		check_agreed(both);
		finish();
	}
}

/* RFC 7323 2.3: a shift above 14 is taken as 14 (SEC-75: all 256). */
static void every_shift(void)
{
	for (unsigned shift = 0; shift < 256; shift++) {
		uint32_t want = 1000u << (shift < 14 ? shift : 14);
		struct tcp_half half;
		struct tcp_hdr h;

		test_at("shift %u", shift);
		start();
		h = peer_syn(TCP_SYN | TCP_ACK);
		h.has_wscale = true;
		h.wscale = (uint8_t)shift;
		open_active_with(&h);
		check_eq(info().snd_wnd, 65535); /* of a SYN never scaled */
		f.wnd = 1000;
		in(TCP_ACK, 1, 1, 0);
		check_eq(info().snd_wnd, want);
		finish();
		start(); /* by a half-open record, too */
		h.flags = TCP_SYN;
		begin_passive_with(&half, &h);
		become_connection(&half);
		f.wnd = 1000;
		in(TCP_ACK, 1, 1, 0);
		check_eq(info().snd_wnd, want);
		/* on a segment that is no SYN it means nothing */
		h = header(TCP_ACK, 1, 1);
		h.has_wscale = true;
		h.wscale = (uint8_t)~shift;
		in_hdr(&h, 0);
		check_eq(info().snd_wnd, want);
		finish();
	}
}

/* The least shift with which the buffer can be shown, at most 14. */
static void our_shift(void)
{
	static const struct {
		uint32_t buf;
		uint8_t want;
	} cases[] = {
		{ 1000, 0 },   { 65535, 0 },   { 65536, 1 },	{ 131071, 1 },
		{ 131072, 2 }, { 1 << 20, 5 }, { 1 << 29, 14 }, { 0x3fffffff, 14 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%u bytes", cases[i].buf);
		start();
		f.open.rcv_buf_max = cases[i].buf;
		begin_active();
		check_eq(out().h.wscale, cases[i].want);
		finish();
	}
}

/* ---- the size of our segments: 3.7.1, less the options that each segment carries ---- */

static void segment_sizes(void)
{
	static const struct {
		uint16_t peer, path, user; /* peer 0: says nothing; user 0: nothing */
		bool ts;
		uint16_t want;
	} cases[] = {
		{ 1460, 1460, 0, false, 1460 },	 { 1460, 1460, 0, true, 1448 },
		{ 1000, 1460, 0, false, 1000 },	 { 1460, 1000, 0, false, 1000 },
		{ 0, 1460, 0, false, 536 },	 { 0, 1460, 0, true, 524 }, /* MUST-15, MUST-16 */
		{ 65535, 1460, 0, false, 1460 }, { 9000, 1460, 0, true, 1448 },
		{ 1460, 1460, 700, false, 700 }, { 1460, 1460, 700, true, 688 },
		{ 1, 1460, 0, false, 48 },	 { 47, 1460, 0, false, 48 },
		{ 48, 1460, 0, false, 48 },	 { 49, 1460, 0, false, 49 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h = peer_syn(TCP_SYN | TCP_ACK);

		test_at("peer %u, path %u, user %u, timestamps %u", cases[i].peer, cases[i].path,
			cases[i].user, cases[i].ts);
		h.has_mss = cases[i].peer != 0;
		h.mss = cases[i].peer;
		h.has_ts = cases[i].ts;
		start();
		f.cfg.tcp_timestamps = true;
		f.open.path_mss = cases[i].path;
		begin_active();
		set_user_mss(cases[i].user);
		out();
		in_hdr(&h, 0);
		drain();
		check_eq(info().snd_mss, cases[i].want);
		give(5000);
		check_eq(out().len, cases[i].want);
		finish();
	}
}

/* ---- PAWS: RFC 7323 5.3 ---- */

static void open_with_timestamps(uint32_t ts_val)
{
	start();
	f.cfg.tcp_timestamps = true;
	f.ts = true;
	f.ts_val = ts_val;
	open_active();
	drain();
}

static void paws(void)
{
	static const struct {
		uint32_t recent;
		int32_t newer;
		uint16_t flags;
		bool rejected;
	} cases[] = {
		{ 1000, 0, TCP_ACK, false },
		{ 1000, 1, TCP_ACK, false },
		{ 1000, INT32_MAX, TCP_ACK, false },
		{ 1000, -1, TCP_ACK, true },
		{ 1000, -1000, TCP_ACK, true },
		{ 0xfffffff0, 100, TCP_ACK, false }, /* across the wrap */
		{ 10, -100, TCP_ACK, true },
		{ 1000, -1, TCP_ACK | TCP_FIN, true },
		{ 1000, -1, TCP_RST, false }, /* RFC 7323 5.2: a RST is not subject to it */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		uint32_t len = cases[i].flags & TCP_RST ? 0 : 5;
		struct tcp_result r;

		test_at("%u after %u, flags %x", cases[i].recent + (uint32_t)cases[i].newer,
			cases[i].recent, cases[i].flags);
		open_with_timestamps(cases[i].recent);
		f.ts_val += (uint32_t)cases[i].newer;
		r = in(cases[i].flags, 1, 1, len);
		check_eq(r.drop, cases[i].rejected ? TERN_DROP_TCP_PAWS : TERN_DROP_NONE);
		if (cases[i].rejected) { /* R1: an ACK in reply, and drop */
			expect(TCP_ACK, 1, 1, 0);
			check_eq(take(10), 0);
		} else if (len) {
			check_eq(take(10), len);
		} else {
			check_eq(state(), TERN_TCP_CLOSED);
		}
		finish();
	}
}

/* 3.2: a segment without the timestamps that were agreed on is dropped, a RST is not. */
static void missing_timestamps(void)
{
	open_with_timestamps(1000);
	f.ts = false;
	check_eq(in(TCP_ACK, 1, 1, 5).drop, TERN_DROP_TCP_PAWS);
	check_eq(take(10), 0);
	in(TCP_RST, 1, 0, 0);
	check_eq(state(), TERN_TCP_CLOSED);
	finish();
}

/* 5.5: after 24 days of silence TS.Recent says nothing any more. */
static void old_timestamps_expire(void)
{
	const tern_time day = 24 * 3600 * TERN_SEC;

	open_with_timestamps(1000);
	f.ts_val = 10;
	pass(24 * day - TERN_SEC);
	check_eq(in(TCP_ACK, 1, 1, 5).drop, TERN_DROP_TCP_PAWS);
	pass(2 * TERN_SEC);
	check_eq(in(TCP_ACK, 1, 1, 5).drop, TERN_DROP_NONE);
	check_eq(take(10), 5);
	finish();
}

/* 4.3: which timestamp is echoed: of the segment that reaches back to Last.ACK.sent. */
static void which_timestamp_is_echoed(void)
{
	open_with_timestamps(1000);
	f.ts_val = 1001;
	in(TCP_ACK, 1, 1, 10);
	f.ts_val = 1002;
	in(TCP_ACK, 11, 1, 10);
	next_timer(); /* (A) one ACK for both: the earlier of them */
	check_eq(out().h.ts_ecr, 1001);
	f.ts_val = 1005; /* (B) a hole: what came before it */
	in(TCP_ACK, 121, 1, 10);
	check_eq(out().h.ts_ecr, 1001);
	f.ts_val = 1004; /* (C) it is filled: by the segment that filled it */
	in(TCP_ACK, 21, 1, 100);
	check_eq(out().h.ts_ecr, 1004);
	f.ts_val = 2000;
	in(TCP_ACK, 500000, 1, 10); /* unacceptable: no news */
	check_eq(out().h.ts_ecr, 1004);
	finish();
}

/* 5.4: the clock ticks in milliseconds and begins where the owner says. */
static void our_clock(void)
{
	uint32_t first;

	start();
	f.cfg.tcp_timestamps = true;
	f.open.ts_off = 0xfffff000;
	begin_active();
	first = out().h.ts_val;
	check_eq(first, (uint32_t)(f.now / TERN_MS) + 0xfffff000);
	check_str(next_timer(), "rto");
	check_eq(out().h.ts_val, first + 1000);
	finish();
}

/* ---- SACK blocks: RFC 2018 section 4 ---- */

static void check_blocks(const uint32_t (*want)[2], unsigned n)
{
	struct seen s = out();

	check_eq(s.h.n_sack, n);
	for (unsigned i = 0; i < n && i < s.h.n_sack; i++) {
		check_eq(s.h.sack[i].lo - f.irs, want[i][0]);
		check_eq(s.h.sack[i].hi - f.irs, want[i][1]);
	}
}

static void open_with_sack(bool ts)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_timestamps = f.ts = ts;
	f.ts_val = 5;
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.sack_permitted = true;
	open_active_with(&h);
}

static void sack_blocks(void)
{
	open_with_sack(false);
	in(TCP_ACK, 101, 1, 10);
	check_blocks((const uint32_t[][2]){ { 101, 111 } }, 1);
	in(TCP_ACK, 301, 1, 10); /* the newest first */
	check_blocks((const uint32_t[][2]){ { 301, 311 }, { 101, 111 } }, 2);
	in(TCP_ACK, 201, 1, 10);
	check_blocks((const uint32_t[][2]){ { 201, 211 }, { 301, 311 }, { 101, 111 } }, 3);
	in(TCP_ACK, 111, 1, 10); /* the block that holds the newest segment, whole */
	check_blocks((const uint32_t[][2]){ { 101, 121 }, { 201, 211 }, { 301, 311 } }, 3);
	in(TCP_ACK, 401, 1, 10);
	in(TCP_ACK, 501, 1, 10);
	out();
	check_blocks(
		(const uint32_t[][2]){ { 501, 511 }, { 401, 411 }, { 101, 121 }, { 201, 211 } }, 4);
	in(TCP_ACK, 1, 1, 100); /* what is acknowledged is in no block */
	check_blocks(
		(const uint32_t[][2]){ { 501, 511 }, { 401, 411 }, { 201, 211 }, { 301, 311 } }, 4);
	in(TCP_ACK, 121, 1, 1000);
	check_blocks((const uint32_t[][2]){ { 201, 211 } }, 1); /* it came twice */
	finish();
	open_with_sack(true); /* three beside timestamps */
	for (uint32_t i = 1; i < 6; i++) {
		in(TCP_ACK, 100 * i, 1, 10);
		check_eq(out().h.n_sack, MIN(i, 3));
	}
	finish();
}

/* The first part of [*lo, *hi) that was here before; false: none. */
static bool first_part(const bool *here, uint32_t *lo, uint32_t *hi)
{
	uint32_t end = *hi;

	while (*lo < end && !here[*lo])
		++*lo;
	for (*hi = *lo; *hi < end && here[*hi]; ++*hi)
		continue;
	return *lo < *hi;
}

/*
 * RFC 2883 section 4: what came twice, [lo, hi), is told once, in front: below the ACK, or inside the
 * block that follows. Returns how many blocks that takes.
 */
static unsigned check_duplicate_block(const struct tcp_hdr *h, uint32_t lo, uint32_t hi)
{
	check(h->n_sack > 0);
	check_eq(h->sack[0].lo - f.irs, lo);
	check_eq(h->sack[0].hi - f.irs, hi);
	if (hi > h->ack)
		check(h->n_sack > 1 && h->sack[1].lo - f.irs <= lo && hi <= h->sack[1].hi - f.irs);
	return 1;
}

/* Each block tells of bytes that came, above the ACK; none overlaps another. */
static void blocks_tell_the_truth(void)
{
	static bool here[2001];
	struct rand dice;

	rand_init(&dice, (uint8_t[32]){ 3 }, 0);
	for (unsigned run = 0; run < 30; run++) {
		memset(here, 0, sizeof(here));
		open_with_sack(run % 2);
		for (unsigned step = 0; step < 60; step++) {
			uint32_t at = 1 + (uint32_t)rand_below(&dice, 1900);
			uint32_t len = 1 + (uint32_t)rand_below(&dice, 90);
			uint32_t lo_twice = at, hi_twice = at + len;
			bool twice = first_part(here, &lo_twice, &hi_twice);
			unsigned first;
			struct seen s;

			test_at("run %u, step %u", run, step);
			memset(here + at, 1, len);
			in(TCP_ACK, at, 1, len);
			s = out();
			first = twice ? check_duplicate_block(&s.h, lo_twice, hi_twice) : 0;
			for (unsigned i = first; i < s.h.n_sack; i++) {
				uint32_t lo = s.h.sack[i].lo - f.irs, hi = s.h.sack[i].hi - f.irs;

				check(s.h.ack < lo && lo < hi && hi <= sizeof(here));
				for (uint32_t k = lo; k < hi && k < sizeof(here); k++)
					check(here[k]);
				check(!here[lo - 1] && (hi >= sizeof(here) || !here[hi]));
				for (unsigned k = first; k < i; k++)
					check(s.h.sack[k].lo != s.h.sack[i].lo);
			}
			/* (1): the first holds the newest segment */
			if (s.h.n_sack > first && s.h.ack <= at)
				check(s.h.sack[first].lo - f.irs <= at &&
				      at < s.h.sack[first].hi - f.irs);
		}
		finish();
	}
}

static const struct test tests[] = {
	TEST(agreed_by_an_active_open),
	TEST(agreed_by_a_passive_open),
	TEST(every_shift),
	TEST(our_shift),
	TEST(segment_sizes),
	TEST(paws),
	TEST(missing_timestamps),
	TEST(old_timestamps_expire),
	TEST(which_timestamp_is_echoed),
	TEST(our_clock),
	TEST(sack_blocks),
	TEST(blocks_tell_the_truth),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
