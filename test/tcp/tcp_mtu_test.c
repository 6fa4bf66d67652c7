/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_mtu_test.c - whom to believe about the size of a path, and the search for it.
 */
#include "tcp_fixture.h"

static bool too_big(uint32_t seq, uint16_t mss)
{
	struct tcp_icmp_news news = { TCP_ICMP_TOO_BIG, f.iss + seq, mss, TERN_EMSGSIZE };
	struct tcp_result r = { .events = 0 };
	struct tcp_ctx x = ctx();
	bool taken = tcp_on_icmp(&f.c, &x, &news, &r);

	settle();
	return taken;
}

static void set_path(uint16_t mss)
{
	struct tcp_ctx x = ctx();

	tcp_set_path_mss(&f.c, &x, mss);
	settle();
}

/* SACK was agreed on. */
static void open_with_sack(void)
{
	struct tcp_hdr h = peer_syn(TCP_SYN | TCP_ACK);

	h.sack_permitted = true;
	open_active_after(100 * TERN_MS, &h);
}

static void sack(uint32_t ack, uint32_t lo, uint32_t hi)
{
	struct tcp_hdr h = header(TCP_ACK, 1, ack);

	h.n_sack = 1;
	h.sack[0] = (struct tcp_sack){ f.iss + lo, f.iss + hi };
	in_hdr(&h, 0);
}

/* ---- what routers tell ---- */

/* A message about a segment that is no larger than what it allows is false or late. */
static void about_what_was_small(void)
{
	start();
	open_active();
	set_nodelay(true);
	give(MSS);
	drain();
	f.now += TERN_MS;
	give(300);
	drain();
	check(!too_big(1001, 300));
	check(!too_big(1001, 500));
	check_eq(info().snd_mss, MSS);
	check(!f.c.path_news);
	check(too_big(1001, 299));
	check_eq(info().snd_mss, 299);
	check(f.c.path_news);
	finish();
}

/* RFC 8201 5.4: what was larger goes again; what was not may have arrived. No congestion. */
static void only_what_was_too_large(void)
{
	uint32_t cwnd;

	start();
	open_active();
	set_nodelay(true);
	give(300);
	drain();
	f.now += TERN_MS;
	give(2 * MSS);
	drain();
	cwnd = cwnd_bytes();
	check(too_big(301, 600));
	check_eq(cwnd_bytes(), cwnd);
	expect(TCP_ACK, 301, 1, 600);
	expect(TCP_ACK, 901, 1, 600);
	expect(TCP_ACK, 1501, 1, 600);
	expect(TCP_ACK | TCP_PSH, 2101, 1, 200);
	expect_silence();
	check_eq(ssthresh_bytes(), CC_INFINITE);
	check_eq(info().ca_state, 0);
	finish();
}

/* RFC 5927 7.2: maxsizeacked. */
static void what_has_arrived_counts(void)
{
	static const struct {
		uint16_t arrived, told;
		bool at_once;
	} cases[] = {
		{ 600, 599, false },
		{ 600, 600, true },
		{ 600, 700, true },
		{ MSS, 999, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%u arrived, %u told", cases[i].arrived, cases[i].told);
		start();
		open_active();
		give(cases[i].arrived);
		drain();
		in(TCP_ACK, 1, 1u + cases[i].arrived, 0);
		give(MSS);
		drain();
		check(too_big(1u + cases[i].arrived, cases[i].told));
		check_eq(info().snd_mss, cases[i].at_once ? cases[i].told : MSS);
		check_str(next_timer(), "rto");
		check_eq(info().snd_mss, cases[i].told);
		finish();
	}
}

/* The ACK of what a waiting message quotes ends it. */
static void belied(void)
{
	start();
	open_active();
	give(MSS);
	drain();
	in(TCP_ACK, 1, 1 + MSS, 0);
	give(2 * MSS);
	drain();
	check(too_big(1001, 500));
	in(TCP_ACK, 1, 2001, 0);
	check_str(next_timer(), "rto");
	check_eq(info().snd_mss, MSS);
	check(!f.c.path_news);
	finish();
}

/* Another user of the path was told, or what was told is forgotten. */
static void the_owner_says_it(void)
{
	start();
	open_active();
	set_path(500);
	check_eq(info().snd_mss, 500);
	give(MSS);
	expect(TCP_ACK, 1, 1, 500);
	set_path(MSS);
	check_eq(info().snd_mss, MSS);
	check(!f.c.path_news);
	finish();
	start();
	begin_active(); /* before the handshake has ended it only counts for later */
	set_path(500);
	out();
	in_hdr(&(struct tcp_hdr){ .flags = TCP_SYN | TCP_ACK,
				  .ack = 1,
				  .wnd = 9,
				  .mss = MSS,
				  .has_mss = true },
	       0);
	check_eq(info().snd_mss, 500);
	finish();
}

/* RFC 6691 2: with SACK blocks in it, too, a segment is not larger than the path carries. */
static void blocks_take_room(void)
{
	struct seen s;

	start();
	f.open.adv_mss = MSS;
	open_with_sack();
	in(TCP_ACK, 1001, 1, 100);
	give(2 * MSS);
	f.cut = true;
	s = out_burst(2 * MSS);
	check_eq(s.h.n_sack, 1);
	check_eq(s.len, 2 * MSS);
	check_eq(s.n_pieces, 3); /* 988, 988, 24 */
	finish();
}

/* ---- the search ---- */

enum { BASE = 500, PROBE = 750 }; /* halfway from BASE to MSS */

/* One segment has arrived: a probe may go. The window has ten segments. */
static void begin_search(void)
{
	start();
	f.cfg.tcp_mtu_probing = 2;
	f.cfg.tcp_base_mss = BASE;
	open_with_sack();
	give(BASE);
	expect(TCP_ACK | TCP_PSH, 1, 1, BASE);
	f.now += 100 * TERN_MS;
	in(TCP_ACK, 1, 1 + BASE, 0);
}

/* 7.4: text for it and for three more; then it is one segment, also for a device that cuts. */
static void enough_text(void)
{
	for (int cut = 0; cut < 2; cut++) {
		struct seen s;

		begin_search();
		f.cut = cut;
		give(PROBE + 3 * BASE - 1);
		check(!plan_of(64000).path_probe);
		give(1);
		check(plan_of(64000).path_probe);
		s = out_burst(64000);
		check_seen(&s, TCP_ACK, 1 + BASE, 1, PROBE);
		check_eq(s.n_pieces, 1);
		s = out_burst(64000);
		check_eq(s.len, 3 * BASE);
		finish();
	}
}

static void enough_window(void)
{
	begin_search();
	give(PROBE + 3 * BASE);
	f.c.snd.wnd = PROBE + 3 * BASE - 1;
	check(!plan_of(0).path_probe);
	f.c.snd.wnd++;
	check(plan_of(0).path_probe);
	f.c.cc.cwnd = PROBE + 3 * BASE - 1;
	check(!plan_of(0).path_probe);
	f.c.cc.cwnd++;
	check(plan_of(0).path_probe);
	f.c.in_recovery = true;
	check(!plan_of(0).path_probe);
	f.c.in_recovery = false;
	finish();
}

/* Where something is in flight the probe waits for room, and new text with it. */
static void waits_for_room(void)
{
	begin_search();
	f.c.work->probe_next = 0;
	f.c.cc.cwnd = 6 * BASE;
	give(20 * BASE);
	f.cut = true;
	for (int i = 0; i < 5; i++)
		check_eq(out().len, BASE);
	f.c.work->probe_next = PROBE;
	expect_silence();
	in(TCP_ACK, 1, 1 + 2 * BASE, 0);
	f.c.work->probe_next = PROBE;
	check(plan_of(0).path_probe);
	finish();
}

/* What a SACK block would make larger than it says does not go. */
static void not_beside_blocks(void)
{
	begin_search();
	in(TCP_ACK, 101, 1 + BASE, 10);
	out();
	give(PROBE + 3 * BASE);
	check(!plan_of(0).path_probe);
	in(TCP_ACK, 1, 1 + BASE, 100);
	check(plan_of(0).path_probe);
	finish();
}

/* 7.6.3: after a time-out of the probe five times as long passes before the next. */
static void time_out_of_a_probe(void)
{
	for (int timeout = 0; timeout < 2; timeout++) {
		tern_time wait;

		begin_search();
		give(PROBE + 3 * BASE);
		drain();
		f.now += 100 * TERN_MS;
		if (timeout) {
			check_str(next_timer(), "loss-probe");
			drain();
			check_str(next_timer(), "rto");
		} else {
			sack(1 + BASE, 1 + BASE + PROBE, 1 + BASE + PROBE + 3 * BASE);
		}
		check_eq(f.c.search_high, PROBE - 1);
		wait = f.c.work->probe_at - f.now;
		check(timeout ? wait > 3500 * TERN_MS : wait < 1500 * TERN_MS);
		finish();
	}
}

/* What went twice proves nothing: which of both has arrived? */
static void no_proof(void)
{
	begin_search();
	give(PROBE + 3 * BASE);
	drain();
	f.now += 100 * TERN_MS;
	sack(1 + BASE, 1 + BASE + PROBE, 1 + BASE + PROBE + 3 * BASE);
	drain();
	in(TCP_ACK, 1, 1 + BASE + PROBE + 3 * BASE, 0);
	check_eq(info().snd_mss, BASE);
	finish();
}

/* Without SACK nobody knows what was lost alone: no probe goes. */
static void not_without_sack(void)
{
	start();
	f.cfg.tcp_mtu_probing = 2;
	f.cfg.tcp_base_mss = BASE;
	open_active();
	for (int i = 0; i < 20; i++) {
		give(8 * BASE);
		drain();
		f.now += 100 * TERN_MS;
		in(TCP_ACK, 1, (uint32_t)f.given + 1, 0);
		check_eq(info().snd_mss, BASE);
	}
	finish();
}

/* After ten minutes full segments are tried again. */
static void all_or_nothing(void)
{
	start();
	f.cfg.tcp_base_mss = BASE;
	open_active();
	give(MSS);
	drain();
	for (int n = 0; n < 4; n++) {
		check_str(next_timer(), "rto");
		drain();
	}
	in(TCP_ACK, 1, 1 + MSS, 0);
	check_eq(info().snd_mss, BASE);
	f.now += 590 * TERN_SEC;
	give(10);
	drain();
	in(TCP_ACK, 1, 11 + MSS, 0);
	check_eq(info().snd_mss, BASE);
	f.now += 90 * TERN_SEC;
	give(10);
	drain();
	in(TCP_ACK, 1, 21 + MSS, 0);
	check_eq(info().snd_mss, MSS);
	finish();
}

/* Two windows of a path that carries so much; was one segment larger, and lost? */
static bool go_round(uint32_t carried)
{
	uint32_t una = (uint32_t)f.given + 1, lost_end = 0;
	struct seen s;

	give(4 * MSS);
	while ((s = out()).plan.what != SEND_NOTHING) {
		if (s.len > carried)
			lost_end = s.h.seq + s.len;
	}
	f.now += 100 * TERN_MS;
	if (lost_end)
		sack(una, lost_end, (uint32_t)f.given + 1);
	while ((s = out()).plan.what != SEND_NOTHING)
		check(s.len <= carried);
	f.now += 100 * TERN_MS;
	in(TCP_ACK, 1, (uint32_t)f.given + 1, 0);
	check_eq(info().ca_state, 0);
	return lost_end != 0;
}

/* The whole search, over a path that carries 800 bytes and one that carries all. */
static void a_search(void)
{
	static const uint32_t sizes[] = { 800, MSS };

	for (unsigned i = 0; i < N_TESTS(sizes); i++) {
		test_at("%u bytes", sizes[i]);
		begin_search();
		for (int round = 0; round < 200; round++)
			go_round(sizes[i]);
		check(info().snd_mss <= sizes[i] && info().snd_mss + 8 > sizes[i]);
		check_eq(ssthresh_bytes(), CC_INFINITE);
		finish();
	}
}

/* 7.3: the next search begins so long after the last probe, also after one that failed. */
static void the_next_search(void)
{
	tern_time interval, failed_at = 0;
	unsigned n_failed = 0, n_later = 0;

	begin_search();
	interval = f.cfg.tcp_probe_interval_ms * TERN_MS;
	while (n_failed < 20 && (n_failed == 0 || f.now < failed_at + interval - TERN_SEC)) {
		unsigned mss = info().snd_mss;

		if (go_round(800)) {
			failed_at = f.now;
			n_failed++;
		}
		if (info().snd_mss > mss) /* so long passes between what succeeds and what fails */
			f.now += 240 * TERN_SEC;
	}
	check(n_failed > 2 && n_failed < 20);
	check(info().snd_mss <= 800 && info().snd_mss + 8 > 800);
	for (int round = 0; round < 1000; round++)
		n_later += go_round(800);
	check(n_later > 0);
	finish();
}

/* 7.7: after R1, then half for each time-out: of a full segment, or of one of more than 536. */
static void black_hole(void)
{
	static const struct {
		uint32_t lost;
		unsigned n_timeouts, mss;
	} cases[] = {
		{ MSS, 3, MSS }, { MSS, 4, BASE }, { MSS, 5, BASE / 2 }, { MSS, 6, BASE / 4 },
		{ 537, 3, MSS }, { 537, 4, BASE }, { 537, 5, BASE / 2 }, { 536, 12, MSS },
		{ 1, 12, MSS },	 { MSS, 12, 48 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("case %u", i);
		start();
		f.cfg.tcp_base_mss = BASE;
		open_active();
		give(cases[i].lost);
		drain();
		for (unsigned n = 0; n < cases[i].n_timeouts; n++) {
			check_str(next_timer(), "rto");
			drain();
		}
		check_eq(info().snd_mss, cases[i].mss);
		finish();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(about_what_was_small),
		TEST(only_what_was_too_large),
		TEST(what_has_arrived_counts),
		TEST(belied),
		TEST(the_owner_says_it),
		TEST(blocks_take_room),
		TEST(enough_text),
		TEST(enough_window),
		TEST(waits_for_room),
		TEST(not_beside_blocks),
		TEST(time_out_of_a_probe),
		TEST(no_proof),
		TEST(not_without_sack),
		TEST(all_or_nothing),
		TEST(a_search),
		TEST(the_next_search),
		TEST(the_next_search),
		TEST(black_hole),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
