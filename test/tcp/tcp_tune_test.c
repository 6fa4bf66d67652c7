/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_tune_test.c - core/tcp/tcp_tune.c: buffers that grow with what is read and with the window.
 */
#include "tcp_fixture.h"

enum { PER_RTT = 60 * MSS };

static void open_with_rtt(tern_time rtt)
{
	struct tcp_hdr h;

	start();
	f.open.rcv_buf_max = 1 << 20;
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.has_wscale = true;
	open_active_after(rtt, &h);
	f.c.opt.rcvbuf = 65535;
}

/* So much arrives in each of five spans of time, and is read. */
static void receive(uint32_t per_span, tern_time span)
{
	static uint32_t seq;

	seq = (uint32_t)f.taken + 1;
	for (unsigned i = 0; i < 5; i++) {
		for (uint32_t n = 0; n < per_span; n += MSS, seq += MSS)
			in(TCP_ACK, seq, 1, MSS);
		drain();
		f.now += span;
		check_eq(take(TEXT_MAX), per_span);
		drain();
	}
}

/* Four times what is read in a round trip. */
static void fast_reader(void)
{
	open_with_rtt(100 * TERN_MS);
	receive(PER_RTT, 100 * TERN_MS);
	check(f.c.opt.rcvbuf >= 4 * PER_RTT && f.c.opt.rcvbuf <= 4 * PER_RTT + PER_RTT);
	finish();
}

/* The same amount in ten round trips is a tenth, and one large read no fast path. */
static void slow_reader(void)
{
	uint32_t before;

	open_with_rtt(100 * TERN_MS);
	before = f.c.opt.rcvbuf;
	receive(15 * MSS, 1000 * TERN_MS);
	check_eq(f.c.opt.rcvbuf, before);
	finish();
}

/* The peer's echoes tell how long its round trip is now. */
static void longer_path(void)
{
	struct tcp_hdr h;

	start();
	f.cfg.tcp_timestamps = f.ts = true;
	f.ts_val = 1;
	h = peer_syn(TCP_SYN | TCP_ACK);
	begin_active();
	f.ts_ecr = out().h.ts_val;
	h.ts_ecr = f.ts_ecr;
	f.now += 10 * TERN_MS;
	in_hdr(&h, 0);
	f.ts_ecr = out().h.ts_val;
	f.now += 100 * TERN_MS;
	in(TCP_ACK, 1, 1, MSS);
	check_eq(info().rcv_rtt, 100000);
	for (uint32_t i = 1; i < 40; i++) { /* an eighth of each counts */
		f.ts_ecr += i == 1 ? 100 : 200;
		f.now += 200 * TERN_MS;
		in(TCP_ACK, 1 + i * MSS, 1, MSS);
		if (i == 1)
			check_eq(info().rcv_rtt, 112500);
	}
	check(info().rcv_rtt > 195000 && info().rcv_rtt <= 200000);
	check(info().rtt < 20000);
	finish();
}

/* Without window scaling the buffer is what the field can say, and the window goes on opening. */
static void unscaled(void)
{
	struct tcp_hdr h;

	start();
	h = peer_syn(TCP_SYN | TCP_ACK);
	open_active_after(100 * TERN_MS, &h);
	receive(PER_RTT, 100 * TERN_MS);
	check_eq(f.c.opt.rcvbuf, 65535);
	finish();
}

static void bounds(void)
{
	static const char *const why[] = { "a size set", "not wanted", "memory short", "the most" };

	for (unsigned i = 0; i < N_TESTS(why); i++) {
		uint32_t before, most = 100000;

		test_at("%s", why[i]);
		open_with_rtt(100 * TERN_MS);
		before = f.c.opt.rcvbuf;
		f.c.opt.rcvbuf_set = i == 0;
		f.cfg.tcp_moderate_rcvbuf = i != 1;
		if (i == 2)
			f.mem.max = 1 << 20;
		if (i == 2)
			f.mem.used += 600000;
		if (i == 3)
			f.cfg.tcp_rcvbuf_max = most;
		receive(PER_RTT, 100 * TERN_MS);
		check_eq(f.c.opt.rcvbuf, i == 3 ? most : before);
		if (i == 2)
			f.mem.used -= 600000;
		finish();
	}
}

/* Two congestion windows, as far as the peer's goes. */
static void send_buffer(void)
{
	for (unsigned set = 0; set < 2; set++) {
		test_at("set by the user: %u", set);
		open_with_rtt(100 * TERN_MS);
		f.c.opt.sndbuf = 20000;
		f.c.opt.sndbuf_set = set;
		give(MSS);
		f.c.cc.cwnd = 1000 * MSS;
		drain();
		in(TCP_ACK, 1, 1 + MSS, 0);
		check_eq(f.c.opt.sndbuf, set ? 20000 : 2 * 65535);
		finish();
	}
}

static const struct test tests[] = {
	TEST(fast_reader), TEST(slow_reader), TEST(longer_path),
	TEST(unscaled),	   TEST(bounds),      TEST(send_buffer),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
