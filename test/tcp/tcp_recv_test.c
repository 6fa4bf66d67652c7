/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_recv_test.c - core/tcp/tcp_recv.c: text in any order against a bitmap, the window, ACKs.
 *
 * Sources: RFC 9293 3.10.7.4 (first, seventh and eighth step), 3.8.6; RFC 5681 4.2.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

static uint32_t window(void)
{
	struct seen s = out();

	check(s.plan.what == SEND_ACK);
	return s.h.wnd;
}

/* ---- one segment, by its place: 3.4's table of four cases ---- */

static void where_text_may_lie(void)
{
	static const struct {
		int32_t seq; /* from what is expected next */
		uint32_t len, taken, early;
		enum tern_drop drop;
	} cases[] = {
		{ 0, 0, 0, 0, TERN_DROP_NONE },
		{ 0, 10, 10, 0, TERN_DROP_NONE },
		{ 0, 4000, 4000, 0, TERN_DROP_NONE }, /* just the window */
		{ 0, 4001, 4000, 0, TERN_DROP_NONE }, /* its front part */
		{ -1, 0, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ -5, 5, 0, 0, TERN_DROP_TCP_SEQUENCE }, /* all old */
		{ -5, 6, 1, 0, TERN_DROP_NONE },	 /* the last byte is new */
		/* around the whole window: neither its first nor its last byte is inside */
		{ -50, 5000, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ -50, 4049, 3999, 0, TERN_DROP_NONE },
		{ 1, 10, 0, 10, TERN_DROP_NONE },
		{ 3999, 1, 0, 1, TERN_DROP_NONE },
		{ 3999, 9, 0, 1, TERN_DROP_NONE },
		{ 4000, 1, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ 4000, 0, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ 3999, 0, 0, 0, TERN_DROP_NONE },
		{ 1 << 30, 1, 0, 0, TERN_DROP_TCP_SEQUENCE },
		{ INT32_MIN, 1, 0, 0, TERN_DROP_TCP_SEQUENCE },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		uint32_t seq = 1 + (uint32_t)cases[i].seq;
		struct tcp_result r;

		test_at("number %+d, %u bytes", cases[i].seq, cases[i].len);
		start();
		f.open.rcv_buf_max = 4000;
		open_active();
		r = in(TCP_ACK, seq, 1, cases[i].len);
		check_eq(r.drop, cases[i].drop);
		check_eq(r.events & TCP_READABLE, cases[i].taken ? TCP_READABLE : 0);
		/* what is not acceptable is answered by an ACK at once */
		check_eq(plan_of(0).what == SEND_ACK,
			 cases[i].drop || cases[i].early || cases[i].taken >= 2 * 536);
		check_eq(take(TEXT_MAX), cases[i].taken);
		if (cases[i].early) { /* it was kept: only the gap is missing */
			drain();
			in(TCP_ACK, 1, 1, seq - 1);
			check_eq(take(TEXT_MAX), seq - 1 + cases[i].early);
		}
		finish();
	}
}

/* ---- any overlap and order: each byte once ---- */

enum { STREAM = 3000 };

static void one_shuffled_stream(unsigned seed, uint32_t piece_max, uint32_t ranges_max)
{
	static bool here[STREAM + 1];
	struct rand dice;
	uint32_t prefix = 0, n_read = 0;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 7);
	memset(here, 0, sizeof(here));
	start();
	f.cfg.tcp_ranges_max = ranges_max;
	f.land = seed % 2;
	open_passive();
	for (unsigned step = 0; n_read < STREAM && step < 100000; step++) {
		uint32_t at = step % 50 ? (uint32_t)rand_below(&dice, STREAM) : prefix;
		uint32_t len = 1 + (uint32_t)rand_below(&dice, piece_max);
		struct tcp_result r;

		len = MIN(len, STREAM - at);
		test_at("seed %u, step %u, [%u, %u)", seed, step, at, at + len);
		r = in(TCP_ACK, 1 + at, 1, len);
		if (r.drop == TERN_DROP_NONE)
			memset(here + at, 1, len);
		else
			check(at + len <= prefix || ranges_max < STREAM);
		while (prefix < STREAM && here[prefix])
			prefix++;
		check_eq(info().bytes_received, prefix);
		if (rand_below(&dice, 3) == 0)
			drain();
		if (rand_below(&dice, 4) == 0)
			n_read += (uint32_t)take(rand_below(&dice, 500));
		check_eq(tcp_recv_ready(&f.c), prefix - n_read);
	}
	check_eq(n_read, STREAM);
	finish();
}

static void every_byte_once_and_in_order(void)
{
	for (unsigned seed = 0; seed < 25; seed++) {
		one_shuffled_stream(seed, 1 + seed % 40, 4096);
		one_shuffled_stream(seed, 400, 4096);
		one_shuffled_stream(seed, 60, 3); /* few gaps may be kept at a time */
	}
}

/* Numbers on either side of every wrap: a stream across 2^32 and across 2^31. */
static void isn_does_not_matter(void)
{
	static const uint32_t isns[] = { 0, 1, 0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff };

	for (unsigned i = 0; i < N_TESTS(isns); i++) {
		test_at("peer's ISN %08x", isns[i]);
		start();
		f.irs = isns[i];
		f.iss = ~isns[i];
		open_passive();
		in(TCP_ACK, 11, 1, 30);
		in(TCP_ACK, 1, 1, 15);
		check_eq(take(100), 40);
		check_eq(give(3 * MSS), 3 * MSS);
		check_eq(drain(), 3); /* the data carry the ACK */
		in(TCP_ACK, 41, 1 + 3 * MSS, 0);
		check_eq(info().unacked, 0);
		finish();
	}
}

/* ---- landing: text that is in its place before anybody believes its segment ---- */

/* Across chunks, with every way to be refused in between: the stream is what was accepted. */
static void landed_text_counts_once_it_is_accepted(void)
{
	uint32_t next = 1;

	start();
	f.land = true;
	f.open.rcv_buf_max = 60000;
	open_active();
	for (unsigned i = 0; next < 200000; i++) {
		uint32_t len = 1 + i * 37 % 3000;
		uint64_t n_out = f.mem.n_out;

		test_at("segment %u at %u", i, next);
		check_eq(in(TCP_ACK, next, 77777, len).drop, TERN_DROP_TCP_ACK_RANGE);
		check_eq(in(0, next, 0, len).drop, TERN_DROP_TCP_NO_ACK);
		check(f.mem.n_out <= n_out + 1); /* no chunk is left, their directory may be */
		check_eq(tcp_recv_ready(&f.c), next - 1 - f.taken);
		check_eq(in(TCP_ACK, next, 1, len).drop, TERN_DROP_NONE);
		next += len;
		drain();
		if (i % 5 == 0)
			take(TEXT_MAX);
	}
	take(TEXT_MAX);
	check_eq(f.taken, next - 1);
	finish();
}

static bool lands(const struct tcp_hdr *relative, uint32_t len)
{
	static uint8_t text[TEXT_MAX];
	struct tcp_seg seg = { .h = *relative, .data = text, .len = len };
	uint32_t sum = 0, plain = 0;
	struct tcp_ctx x = ctx();

	fill_text(text, relative->seq, len);
	for (uint32_t i = 0; i < len; i++)
		plain += i % 2 ? text[i] : (uint32_t)text[i] << 8;
	seg.h.seq += f.irs;
	if (!tcp_land(&f.c, &x, &seg, checksum_copy_add, &sum)) {
		check_eq(sum, 0);
		return false;
	}
	check_eq(checksum_finish(sum), checksum_finish(plain));
	tcp_unland(&f.c, &x);
	settle();
	return true;
}

/* Only what is next, in the window, and cannot write over anything that is kept. */
static void what_lands(void)
{
	struct tcp_hdr h = { .flags = TCP_ACK, .ack = 1 };

	for (uint32_t before = 0; before < 40000; before += 1111) { /* across odd chunk ends */
		test_at("%u bytes before", before);
		start();
		open_active();
		in(TCP_ACK, 1, 1, before);
		h.seq = 1 + before;
		check(lands(&h, 25001));
		finish();
	}
	start();
	open_active();
	h.seq = 1;
	check(!lands(&h, 65536)); /* beyond the window */
	h.seq = 2;
	check(!lands(&h, 1000)); /* not next */
	h.seq = 0;
	check(!lands(&h, 1000));
	h.seq = 1;
	h.flags |= TCP_SYN;
	check(!lands(&h, 1000));
	h.flags = TCP_ACK;
	in(TCP_ACK, 501, 1, 200); /* it would be written over before its checksum is known */
	check(!lands(&h, 1000));
	in(TCP_ACK, 1, 1, 500);
	h.seq = 701;
	check(lands(&h, 1000));
	in(TCP_ACK | TCP_FIN, 701, 1, 0);
	check(!lands(&h, 1000)); /* nothing comes after the end */
	finish();
}

/* Its checksum proves wrong: it is taken back, and the true text comes later. */
static void landed_text_is_taken_back(void)
{
	static const uint8_t wrong[3000];

	for (uint32_t before = 0; before < 5000; before += 499) {
		struct tcp_seg seg = { .h = header(TCP_ACK, 1 + before, 1), .data = wrong };
		struct tcp_ctx x;
		uint64_t n_out;
		uint32_t sum = 7;

		test_at("%u bytes before", before);
		start();
		open_active();
		in(TCP_ACK, 1, 1, before);
		n_out = f.mem.n_out;
		x = ctx();
		seg.h.seq += f.irs;
		seg.h.ack += f.iss;
		seg.len = sizeof(wrong);
		check(tcp_land(&f.c, &x, &seg, checksum_copy_add, &sum));
		check_eq(sum, 7); /* zeroes add nothing */
		tcp_unland(&f.c, &x);
		settle();
		check(f.mem.n_out <= n_out + 1);
		check_eq(tcp_recv_ready(&f.c), before);
		in(TCP_ACK, 1 + before, 1, 3000);
		check_eq(take(TEXT_MAX), before + 3000);
		finish();
	}
}

/* ---- when an ACK is owed ---- */

/* 3.8.6.3: within half a second; with every second full segment; RFC 5681 4.2: at gaps at once. */
static void delayed_acks(void)
{
	start();
	open_active();
	in(TCP_ACK, 1, 1, MSS);
	drain(); /* the first sight of full segments may be answered at once */
	in(TCP_ACK, 1 + MSS, 1, 10);
	expect_silence();
	check(until_deadline() <= 500 * TERN_MS); /* MUST-40 */
	check_eq(until_deadline(), f.cfg.tcp_delayed_ack_ms * TERN_MS);
	f.now += 10 * TERN_MS;
	in(TCP_ACK, 11 + MSS, 1, 10); /* the delay counts from the first */
	check_eq(until_deadline(), (f.cfg.tcp_delayed_ack_ms - 10) * TERN_MS);
	check_str(next_timer(), "delayed-ack");
	expect(TCP_ACK, 1, 21 + MSS, 0);
	expect_silence();
	check(until_deadline() == TERN_NEVER);
	finish();
}

static void every_second_full_segment(void)
{
	unsigned n = 0;

	start();
	open_active();
	for (uint32_t i = 0; i < 20; i++) {
		in(TCP_ACK, 1 + i * MSS, 1, MSS);
		n += drain();
		take(MSS);
	}
	check(n >= 10 && n <= 11); /* SHLD-19, and one more for the first of an unknown size */
	finish();
}

static void gaps_are_answered_at_once(void)
{
	start();
	open_active();
	for (uint32_t i = 0; i < 4; i++) { /* one ACK for each segment ahead of the gap */
		in(TCP_ACK, 101 + 10 * i, 1, 10);
		expect(TCP_ACK, 1, 1, 0);
	}
	expect_silence();
	for (uint32_t i = 0; i < 3; i++) /* also when they come in one go */
		in(TCP_ACK, 141 + 10 * i, 1, 10);
	for (uint32_t i = 0; i < 3; i++)
		expect(TCP_ACK, 1, 1, 0);
	expect_silence();
	in(TCP_ACK, 1, 1, 100); /* the gap is filled */
	expect(TCP_ACK, 1, 171, 0);
	expect_silence();
	finish();
}

static void unacceptable_segments_are_answered_within_a_limit(void)
{
	unsigned n = 0;

	start();
	open_active();
	for (int i = 0; i < 10; i++) {
		in(TCP_ACK, 0, 1, 0);
		n += drain();
	}
	check_eq(n, 1); /* no data: limited (RFC 5961 section 7) */
	f.now += f.cfg.tcp_invalid_ratelimit_ms * TERN_MS;
	in(TCP_ACK, 0, 1, 0);
	check_eq(drain(), 1);
	for (int i = 0; i < 10; i++) { /* data that came again were sent because an ACK was lost */
		in(TCP_ACK, 0, 1, 1);
		check_eq(drain(), 1);
	}
	finish();
}

/* ---- the window ---- */

/* SHLD-14: the right edge never moves left; 3.8.6.2.2: and right by worthwhile steps. */
static void window_follows_the_reader(void)
{
	start();
	f.open.rcv_buf_max = 8000;
	open_active();
	in(TCP_ACK, 1, 1, 8000);
	check_eq(window(), 0);
	take(MSS - 1); /* less than min(half the buffer, MSS): not worth telling */
	expect_silence();
	in(TCP_ACK, 8001, 1, 1); /* outside: the answer shows the window again */
	check_eq(window(), 0);
	take(1);
	check_eq(window(), MSS);
	take(7000);
	check_eq(window(), 8000);
	expect_silence();
	finish();
}

/* After the peer's FIN nobody waits for a window. */
static void no_window_after_the_fin(void)
{
	start();
	f.open.rcv_buf_max = 8000;
	open_active();
	in(TCP_ACK | TCP_FIN, 1, 1, 7000);
	expect(TCP_ACK, 1, 7002, 0);
	take(7000);
	expect_silence();
	finish();
}

static void small_buffers_open_by_half(void)
{
	start();
	f.open.rcv_buf_max = 600;
	open_active();
	in(TCP_ACK, 1, 1, 600);
	next_timer(); /* the delayed ACK */
	check_eq(window(), 0);
	take(299);
	expect_silence();
	take(1);
	check_eq(window(), 300);
	finish();
}

static void a_smaller_buffer_takes_nothing_back(void)
{
	start();
	f.open.rcv_buf_max = 8000;
	open_active();
	in(TCP_ACK, 1, 1, 2000);
	check_eq(window(), 6000);
	set_receive_buffer(3000);
	in(TCP_ACK, 2001, 1, 1000);
	drain();
	in(TCP_ACK, 5001, 1, 10);
	check_eq(window(), 5000); /* the edge stays at 8001 */
	check_eq(in(TCP_ACK, 3001, 1, 5000).drop, TERN_DROP_NONE);
	check_eq(take(TEXT_MAX), 8000);
	finish();
}

/* RFC 9293 3.10.7.4: at a zero window ACKs, URG and RST still count (MUST-66), text does not. */
static void zero_window(void)
{
	start();
	f.open.rcv_buf_max = 2000;
	open_active();
	give(100);
	drain();
	in(TCP_ACK, 1, 1, 2000);
	check_eq(window(), 0);
	check_eq(in(TCP_ACK, 2001, 101, 1).drop, TERN_DROP_NONE);
	check_eq(info().unacked, 0);
	check_eq(window(), 0);
	check_eq(in(TCP_ACK, 2002, 101, 0).drop, TERN_DROP_TCP_SEQUENCE);
	check_eq(take(TEXT_MAX), 2000);
	in(TCP_RST, 2001, 0, 0);
	check_eq(state(), TERN_TCP_CLOSED);
	finish();
}

/* ---- the FIN: eighth step ---- */

static void fin_waits_for_what_comes_before(void)
{
	start();
	open_active();
	in(TCP_ACK | TCP_FIN, 101, 1, 10);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	check(!tcp_recv_ended(&f.c));
	in(TCP_ACK, 1, 1, 100);
	check_eq(state(), TERN_TCP_CLOSE_WAIT);
	check(tcp_recv_ended(&f.c));
	expect(TCP_ACK, 1, 112, 0);
	check_eq(take(TEXT_MAX), 110);
	in(TCP_ACK | TCP_FIN, 111, 1, 0); /* again: it is acknowledged again */
	expect(TCP_ACK, 1, 112, 0);
	finish();
}

static void nothing_comes_after_the_fin(void)
{
	start();
	open_active();
	in(TCP_ACK | TCP_FIN, 51, 1, 10); /* the stream ends at 61 */
	drain();
	check_eq(in(TCP_ACK, 56, 1, 10).drop, TERN_DROP_TCP_SEQUENCE);
	in(TCP_ACK | TCP_FIN, 41, 1, 5); /* another FIN, earlier: a lie */
	in(TCP_ACK, 1, 1, 50);
	check_eq(take(TEXT_MAX), 60);
	check_eq(state(), TERN_TCP_CLOSE_WAIT);
	check_eq(in(TCP_ACK, 62, 1, 10).drop, TERN_DROP_NONE); /* "should not occur": ignored */
	check_eq(take(TEXT_MAX), 0);
	finish();
	start();
	open_active();
	in(TCP_ACK, 51, 1, 10); /* text up to 61 */
	check_eq(in(TCP_ACK | TCP_FIN, 55, 1, 1).drop, TERN_DROP_TCP_SEQUENCE);
	in(TCP_ACK, 1, 1, 50);
	check_eq(state(), TERN_TCP_ESTABLISHED);
	finish();
}

static void fin_at_the_edge_of_the_window(void)
{
	start();
	f.open.rcv_buf_max = 2000;
	open_active();
	in(TCP_ACK | TCP_FIN, 1, 1, 2000); /* the FIN's own number is beyond the edge */
	check_eq(state(), TERN_TCP_ESTABLISHED);
	drain();
	take(2000);
	drain();
	in(TCP_ACK | TCP_FIN, 2001, 1, 0);
	check_eq(state(), TERN_TCP_CLOSE_WAIT);
	finish();
}

/* SHLD-3: text for a user who has gone is answered by a RST. */
static void text_after_close(void)
{
	struct tcp_result r;

	start();
	open_active();
	close_all();
	drain();
	r = in(TCP_ACK, 1, 2, 10);
	check(r.rst.due && !r.rst.with_ack && r.rst.seq == f.iss + 2);
	check_eq(r.drop, TERN_DROP_TCP_AFTER_CLOSE);
	check_eq(state(), TERN_TCP_CLOSED);
	finish();
}

/* A piece for each full segment of the window and some more, and what touches one. */
static void pieces_ahead_are_limited(void)
{
	uint32_t most = 3 + 65535 / 536, next;

	start();
	f.cfg.tcp_ranges_max = 3;
	open_active();
	for (uint32_t i = 1; i <= most; i++)
		check_eq(in(TCP_ACK, 10 * i, 1, 2).drop, TERN_DROP_NONE);
	next = 10 * (most + 1);
	check_eq(in(TCP_ACK, next, 1, 2).drop, TERN_DROP_TCP_MEMORY);
	check_eq(in(TCP_ACK, 12, 1, 2).drop, TERN_DROP_NONE);	/* behind the first */
	check_eq(in(TCP_ACK, 18, 1, 2).drop, TERN_DROP_NONE);	/* before the second */
	check_eq(in(TCP_ACK, 1, 1, 9).drop, TERN_DROP_NONE);	/* the first gap is filled */
	check_eq(in(TCP_ACK, next, 1, 2).drop, TERN_DROP_NONE); /* there is room again */
	drain();
	in(TCP_ACK, 14, 1, next);
	check_eq(take(TEXT_MAX), 13 + next);
	finish();
}

/* Without memory text is refused; nothing that was acknowledged is lost. */
static void no_memory_for_text(void)
{
	uint64_t n_out;

	start();
	open_active();
	in(TCP_ACK, 1, 1, 100);
	f.mem.max = f.mem.used;
	f.mem.patience = 100; /* nor is there an empty slab to give back */
	n_out = f.mem.n_out;
	check_eq(in(TCP_ACK, 20001, 1, 20000).drop, TERN_DROP_TCP_MEMORY);
	expect(TCP_ACK, 1, 101, 0);
	check_eq(in(TCP_ACK, 101, 1, 40000).drop, TERN_DROP_TCP_MEMORY);
	expect(TCP_ACK, 1, 101, 0);
	/* nothing is held for what was refused, but for where chunks are noted */
	check(f.mem.n_out <= n_out + 1);
	f.mem.max = (uint64_t)1 << 32;
	in(TCP_ACK, 101, 1, 40000);
	check_eq(take(TEXT_MAX), 40100);
	finish();
}

static const struct test tests[] = {
	TEST(where_text_may_lie),
	TEST(every_byte_once_and_in_order),
	TEST(isn_does_not_matter),
	TEST(landed_text_counts_once_it_is_accepted),
	TEST(what_lands),
	TEST(landed_text_is_taken_back),
	TEST(delayed_acks),
	TEST(every_second_full_segment),
	TEST(gaps_are_answered_at_once),
	TEST(unacceptable_segments_are_answered_within_a_limit),
	TEST(window_follows_the_reader),
	TEST(no_window_after_the_fin),
	TEST(small_buffers_open_by_half),
	TEST(a_smaller_buffer_takes_nothing_back),
	TEST(zero_window),
	TEST(fin_waits_for_what_comes_before),
	TEST(nothing_comes_after_the_fin),
	TEST(fin_at_the_edge_of_the_window),
	TEST(text_after_close),
	TEST(pieces_ahead_are_limited),
	TEST(no_memory_for_text),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
