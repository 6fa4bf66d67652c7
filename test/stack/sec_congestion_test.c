/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_congestion_test.c - receivers that lie to be served faster, or to hurt: SEC-124, SEC-127,
 * SEC-128, SEC-137 to SEC-140, SEC-144, SEC-145.
 *
 * Our stack sends; the peer acknowledges what it likes. Bounds are on the window, on what goes out,
 * and on the work for one ACK.
 */
#include <time.h>

#include "attack_fixture.h"

enum { MSS = 1460 };

static uint8_t bytes[1 << 20];

static struct tern_tcp_info info_of(const struct client *c)
{
	struct tern_tcp_info i = { 0 };
	size_t len = sizeof(i);

	check_eq(tern_getsockopt(st, c->sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len), 0);
	return i;
}

/* A sender that has much to say, and a peer without timestamps. */
static struct client sender(bool sack, uint8_t wscale, uint16_t mss)
{
	struct tcp_hdr offer = { .has_mss = true,
				 .mss = mss,
				 .sack_permitted = sack,
				 .has_wscale = wscale,
				 .wscale = wscale };
	struct client c;

	default_world();
	config.tcp_pacing = false;
	config.tcp_early_retrans = false;
	config.tcp_initial_cwnd = mss == MSS ? 10 : 1000;
	strcpy(config.tcp_congestion_control, "reno");
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	c = connected_with(&offer, NULL);
	check(tern_send(st, c.sock, bytes, sizeof(bytes), 0) > 100000);
	return c;
}

static void ack(const struct client *c, uint32_t off, const struct tcp_hdr *options)
{
	shoot(&(struct shot){ .ip = c->ip,
			      .port = c->port,
			      .flags = TCP_ACK,
			      .seq = c->nxt,
			      .ack = c->rcv + off,
			      .options = options });
}

/* ---- SEC-137 ---- */

/* A segment acknowledged byte by byte opens the window no further than at once. */
static uint32_t window_after(unsigned pieces, bool after_a_loss)
{
	struct client c = sender(false, 7, MSS);
	uint32_t off = 0, cwnd;

	hear_all(NULL);
	if (after_a_loss) { /* congestion avoidance: a time-out, then slow start up to ssthresh */
		pass(2 * TERN_SEC);
		hear_all(NULL);
		for (off = MSS; off <= 10 * MSS; off += MSS) {
			ack(&c, off, NULL);
			hear_all(NULL);
		}
		off -= MSS;
	}
	for (unsigned k = 0; k < 5; k++) {
		for (unsigned i = 1; i <= pieces; i++) {
			ack(&c, off + MSS * i / pieces, NULL);
			hear_all(NULL);
		}
		off += MSS;
	}
	cwnd = info_of(&c).snd_cwnd;
	end_world();
	return cwnd;
}

static void divided_acks(void)
{
	for (int loss = 0; loss < 2; loss++) {
		uint32_t honest = window_after(1, loss);

		test_at("after a loss: %d", loss);
		check(honest > 0);
		check(window_after(2, loss) <= honest);
		check(window_after(20, loss) <= honest);
		check(window_after(MSS, loss) <= honest);
	}
}

/* ---- SEC-138 ---- */

/* A thousand duplicates: no more goes than was in flight before, and one segment again. */
static void duplicate_acks(void)
{
	for (int sack = 0; sack < 2; sack++) {
		struct client c = sender(sack, 7, MSS);
		unsigned n_first = hear_all(NULL), n = 0;

		test_at("SACK: %d", sack);
		check_eq(n_first, 10);
		for (int i = 0; i < 1000; i++) {
			ack(&c, 0, NULL);
			n += hear_all(NULL);
		}
		check(n <= n_first + 1);
		check(info_of(&c).snd_cwnd <= n_first);
		end_world();
	}
}

/* Duplicates when nothing is outstanding are nothing. */
static void duplicates_of_nothing(void)
{
	struct client c;

	plain_world();
	c = connected(5);
	for (int i = 0; i < 1000; i++)
		ack(&c, 0, NULL);
	check_eq(hear_all(NULL), 0);
	check_eq(info_of(&c).snd_cwnd, 10);
	end_world();
}

/* ---- SEC-139 ---- */

/* What has not gone cannot be acknowledged: neither moves the window, nor lets anything out. */
static void acks_ahead_of_what_went(void)
{
	struct client c = sender(true, 7, MSS);
	struct tern_tcp_info before, after;
	unsigned n = 0;
	struct heard r;

	hear_all(NULL);
	before = info_of(&c);
	for (uint32_t i = 1; i < 2000; i++) {
		ack(&c, 10 * MSS + i * 700, NULL);
		while (hear(&r))
			n += r.len > 0;
	}
	after = info_of(&c);
	check_eq(n, 0);
	check_eq(after.snd_cwnd, before.snd_cwnd);
	check_eq(after.bytes_acked, 0);
	end_world();
}

/* All that goes is acknowledged at once: the window grows by what was acknowledged, not faster. */
static void optimistic_acks(void)
{
	struct client c = sender(true, 7, MSS);
	uint32_t off = 0, cwnd = info_of(&c).snd_cwnd;

	for (int round = 0; round < 12; round++) {
		unsigned n = hear_all(NULL);

		off += n * MSS;
		for (uint32_t at = off - n * MSS + MSS; n && at <= off; at += MSS)
			ack(&c, at, NULL);
		check(n <= cwnd);
		check(info_of(&c).snd_cwnd <= 2 * cwnd);
		cwnd = info_of(&c).snd_cwnd;
	}
	end_world();
}

/* ---- SEC-140 ---- */

/* Duplicates reported of what went once: no loss is undone, no reordering learned. */
static void false_dsacks(void)
{
	struct tcp_hdr lie = { .n_sack = 2 }, truth = { .n_sack = 1 };
	struct client c = sender(true, 7, MSS);
	struct tern_tcp_info i;

	hear_all(NULL);
	ack(&c, MSS, NULL);
	hear_all(NULL);
	truth.sack[0] = (struct tcp_sack){ c.rcv + 2 * MSS, c.rcv + 9 * MSS };
	for (int k = 0; k < 4; k++)
		ack(&c, MSS, &truth);
	pass(100 * TERN_MS);
	ack(&c, MSS, &truth);
	hear_all(NULL);
	i = info_of(&c);
	check(i.total_retrans >= 1);
	check(i.snd_ssthresh < 10);
	for (int k = 0; k < 100; k++) {
		/* "twice": what was never sent again */
		lie.sack[0] = (struct tcp_sack){ c.rcv + 4 * MSS, c.rcv + 6 * MSS };
		lie.sack[1] = truth.sack[0];
		ack(&c, MSS, &lie);
		lie.sack[0] = (struct tcp_sack){ c.rcv - 1000, c.rcv };
		ack(&c, MSS, &lie);
	}
	check(info_of(&c).snd_cwnd <= i.snd_cwnd + 1);
	check(info_of(&c).snd_ssthresh < 10);
	end_world();
}

/* ---- SEC-140, SEC-145: echoes that lie ---- */

/* Echoes from the future, from long ago, of nothing: the round trip is by our own clock. */
static void echoes_that_lie(void)
{
	static const uint32_t off[] = { 0,	  1,	    1000,	600000,
					1u << 30, 1u << 31, 0xffffffff, 0xfffffc18 };

	for (size_t k = 0; k < N_TESTS(off); k++) {
		struct tcp_hdr options = { .has_ts = true, .ts_val = 1000 };
		struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1000 };
		struct tern_tcp_info i;
		struct heard r;
		uint32_t got = 0, clock;

		test_at("echo %x off", off[k]);
		default_world();
		new_world(7, TERN_SEC);
		listener = listen_at(PORT, 16);
		for (int n = 0; n < 2; n++) { /* twice: its record times nothing, the echo does */
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = TCP_SYN,
					      .seq = c.nxt,
					      .options = &options });
			check(hear(&r));
		}
		c.nxt++;
		c.rcv = r.h.seq + 1;
		clock = r.h.ts_val;
		pass(20 * TERN_MS);
		options.ts_ecr = clock + off[k];
		ack(&c, 0, &options);
		check_eq(tern_accept(st, listener, &c.sock, NULL), 0);
		tern_send(st, c.sock, bytes, 200000, 0);
		for (int n = 0; n < 400; n++) {
			while (hear(&r)) {
				clock = r.h.ts_val;
				got = r.h.seq - c.rcv + r.len > got ? r.h.seq - c.rcv + r.len : got;
			}
			pass(20 * TERN_MS);
			options.ts_val++;
			options.ts_ecr = clock + off[k];
			ack(&c, got, &options);
			i = info_of(&c);
			check(i.rto >= 200000 && i.rto <= 120000000);
			/* no echo of more than ten minutes counts; and 20 ms, says our own clock */
			check(off[k] + 600000 < 1200000 || n < 2 || i.rtt <= 100000);
			check(n < 100 || (i.rtt >= 10000 && i.rtt <= 100000 && i.rto <= 1000000));
		}
		check_eq(got, 200000);
		end_world();
	}
}

/* ---- SEC-144 ---- */

/* A peer at this distance that loses so much: windows and clocks stay within their limits. */
static void live_through(tern_time rtt, unsigned lost_percent, unsigned rounds)
{
	struct client c = sender(true, 7, MSS);
	uint32_t got = 0, top = 0;

	for (unsigned n = 0; n < rounds; n++) {
		struct tern_tcp_info i;
		struct tcp_hdr h = { .n_sack = 0 };
		struct heard r;

		while (hear(&r)) {
			uint32_t off = r.h.seq - c.rcv;

			if (draw() % 100 < lost_percent)
				continue;
			if (off <= got && off + r.len > got)
				got = off + r.len;
			else if (off > got && off + r.len > top)
				h = (struct tcp_hdr){ .n_sack = 1,
						      .sack = { { r.h.seq, r.h.seq + r.len } } };
			top = top > off + r.len ? top : off + r.len;
		}
		pass(rtt);
		ack(&c, got, &h);
		i = info_of(&c);
		check(i.snd_cwnd >= 1 && i.snd_cwnd < 1000000);
		check(i.rto >= 200000 && i.rto <= 120000000);
		check(i.rtt <= 120000000);
		tern_send(st, c.sock, bytes, 10000, 0);
		if (n % 256 == 0)
			tern_check(st);
	}
	check(got > 0 || rtt < TERN_MS); /* then all of it takes less than a time-out */
	end_world();
}

static void extreme_round_trips(void)
{
	static const tern_time rtts[] = {
		1,	  TERN_US,	 10 * TERN_US, TERN_MS, 100 * TERN_MS,
		TERN_SEC, 10 * TERN_SEC, 59 * TERN_SEC
	};

	for (size_t i = 0; i < N_TESTS(rtts); i++) {
		for (unsigned loss = 0; loss <= 60; loss += 20) {
			test_at("round trip %llu ns, loss %u %%", (unsigned long long)rtts[i],
				loss);
			live_through(rtts[i], loss, 500);
		}
	}
}

/* Losses without end: a million segments that nobody gets. */
static void a_million_losses(void)
{
	uint64_t n_lost = 0;

	while (n_lost < 1000000) {
		struct tcp_hdr h = { .n_sack = 1 };
		struct client c = sender(true, 7, MSS);
		uint32_t got = 0;
		struct heard r;

		test_at("%llu lost", (unsigned long long)n_lost);
		for (int n = 0; n < 20000; n++) {
			uint32_t last = 0;
			unsigned k = 0;

			while (hear(&r)) {
				if (r.h.seq - c.rcv == got && draw() % 4 == 0)
					got += r.len;
				last = r.h.seq;
				k++;
			}
			n_lost += k;
			pass(draw() % 3 ? 10 * TERN_MS : TERN_SEC);
			h.sack[0] = (struct tcp_sack){ last, last + MSS };
			ack(&c, got, k && last - c.rcv > got ? &h : NULL);
			tern_send(st, c.sock, bytes, 10000, 0);
			if (n % 1024 == 0)
				tern_check(st);
			if (tern_poll(st, c.sock) & TERN_POLLERR)
				break;
		}
		end_world();
	}
}

/* ---- SEC-124, SEC-127, SEC-128: work for one packet ---- */

/* n pieces of a byte, each with a gap before it, in an order without order: seconds of our time. */
static double scattered_bytes(unsigned n)
{
	clock_t begun;
	struct client c;

	plain_world();
	c = connected(5);
	begun = clock();
	for (unsigned i = 0; i < 30000; i++) {
		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_ACK,
				      .seq = c.nxt + 2 + (i * 7919 % n) * 2,
				      .ack = c.rcv,
				      .len = 1 });
		if (i % 64 == 0)
			hear_all(NULL);
	}
	begun = clock() - begun;
	end_world();
	return (double)begun / CLOCKS_PER_SEC;
}

/* Every second segment of a flight of 2 n is reported, in an order without order, many times. */
static double scattered_blocks(unsigned n)
{
	struct client c = sender(true, 14, 48);
	uint32_t off = 0, sent = 0;
	clock_t begun;
	struct heard r;

	for (int i = 0; i < 4000; i++) {
		while (hear(&r))
			sent = r.h.seq - c.rcv + r.len;
		if (sent - off >= 2 * n * 48)
			break;
		off = sent - 48;
		pass(TERN_MS);
		ack(&c, off, NULL);
		tern_send(st, c.sock, bytes, sizeof(bytes), 0);
	}
	check(sent - off >= 2 * n * 48);
	begun = clock();
	for (unsigned i = 0; i < 20000; i++) {
		struct tcp_hdr h = { .n_sack = 3 };

		for (unsigned k = 0; k < 3; k++) {
			uint32_t at = off + (1 + 2 * ((i * 3 + k) * 7919 % n)) * 48;

			h.sack[k] = (struct tcp_sack){ c.rcv + at, c.rcv + at + 48 };
		}
		ack(&c, off, &h);
		if (i % 64 == 0)
			hear_all(NULL);
	}
	begun = clock() - begun;
	tern_check(st);
	end_world();
	return (double)begun / CLOCKS_PER_SEC;
}

/* The least of three, as others use the machine. */
static double least_of(double (*run)(unsigned), unsigned n)
{
	double a = run(n), b = run(n), c = run(n), ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* As many packets, 60 times as many pieces: not 60 times the work. */
static void early_pieces_cost_little(void)
{
	check(least_of(scattered_bytes, 3000) < 12 * least_of(scattered_bytes, 50));
}

static void blocks_cost_little(void)
{
	check(least_of(scattered_blocks, 2000) < 12 * least_of(scattered_blocks, 33));
}

static const struct test tests[] = {
	TEST(divided_acks),	     TEST(duplicate_acks),
	TEST(duplicates_of_nothing), TEST(acks_ahead_of_what_went),
	TEST(optimistic_acks),	     TEST(false_dsacks),
	TEST(echoes_that_lie),	     TEST(extreme_round_trips),
	TEST(a_million_losses),	     TEST(early_pieces_cost_little),
	TEST(blocks_cost_little),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
