/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sack_test.c - core/tcp/tcp_sack.c: which blocks are believed, and what they change.
 */
#include "tcp_fixture.h"

enum { SEGMENTS = 20 };

/* Twenty segments are outstanding, octets 1 to 20000. */
static void have_flight(void)
{
	struct tcp_hdr h;

	start();
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.sack_permitted = true;
	open_active_with(&h);
	f.c.cc.cwnd = 100 * MSS;
	give(SEGMENTS * MSS);
	f.c.cc.cwnd = 100 * MSS;
	check_eq(drain(), SEGMENTS);
}

static void sack(uint32_t ack, const uint32_t (*blocks)[2], uint8_t n)
{
	struct tcp_hdr h = header(TCP_ACK, 1, ack);

	h.n_sack = n;
	for (unsigned i = 0; i < n; i++)
		h.sack[i] = (struct tcp_sack){ f.iss + blocks[i][0], f.iss + blocks[i][1] };
	in_hdr(&h, 0);
}

/* RFC 2018, RFC 6675: only what lies between the ACK and what was sent. */
static void which_are_believed(void)
{
	static const struct {
		uint32_t ack, block[2];
		uint64_t sacked;
	} cases[] = {
		{ 1, { 5001, 6001 }, 1000 },	{ 1, { 5001, 5002 }, 1 }, /* part of a segment */
		{ 1, { 5501, 7501 }, 2000 },				  /* of several */
		{ 1, { 19001, 20001 }, 1000 },				  /* the last */
		{ 1, { 19001, 20002 }, 0 },				  /* beyond */
		{ 1, { 20001, 21001 }, 0 },				  /* never sent */
		{ 1, { 6001, 5001 }, 0 },				  /* backwards */
		{ 1, { 5001, 5001 }, 0 },				  /* nothing */
		{ 3001, { 2001, 3001 }, 0 },	/* below the ACK: a duplicate */
		{ 3001, { 2001, 5001 }, 2000 }, /* across it: what is above */
		{ 1, { 0, 2001 }, 2000 },	/* from our SYN on */
		{ 1, { 0x80000000, 5001 }, 0 }, /* half a circle away */
		{ 1, { 1, 20001 }, 20000 },	/* all, and nothing acknowledged */
		{ 20001, { 5001, 6001 }, 0 },	/* of what is acknowledged */
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("ack %u, block %u to %u", cases[i].ack, cases[i].block[0],
			cases[i].block[1]);
		have_flight();
		sack(cases[i].ack, &cases[i].block, 1);
		check_eq(f.c.work->sent.n_sacked, cases[i].sacked);
		/* bytes that were sacked are kept: the peer may forget them */
		check_eq(f.c.work->snd_buf.end - f.c.work->snd_buf.head,
			 SEGMENTS * MSS + 1 - cases[i].ack);
		finish();
	}
}

/* The same told again, or overlapping, counts once; neighbours become one. */
static void told_again(void)
{
	static const uint32_t blocks[][2] = { { 5001, 6001 }, { 5501, 7001 }, { 4001, 5001 },
					      { 9001, 9500 }, { 4001, 7001 }, { 4501, 4600 } };
	static const uint64_t sacked[] = { 1000, 2000, 3000, 3499, 3499, 3499 };

	have_flight();
	for (unsigned i = 0; i < N_TESTS(blocks); i++) {
		test_at("block %u", i);
		sack(1, &blocks[i], 1);
		check_eq(f.c.work->sent.n_sacked, sacked[i]);
	}
	sack(4001, NULL, 0); /* the hole is filled */
	check_eq(f.c.work->sent.n_sacked, 3499);
	sack(7001, NULL, 0);
	check_eq(f.c.work->sent.n_sacked, 499);
	sack(SEGMENTS * MSS + 1, NULL, 0);
	check_eq(f.c.work->sent.n_sacked, 0);
	check(f.c.work->sent.root == NULL);
	finish();
}

/* RFC 2883 section 4: below the ACK, or inside the second block. */
static void duplicates(void)
{
	static const struct {
		uint32_t ack, block[2][2];
		uint8_t n;
		bool dsack;
	} cases[] = {
		{ 5001, { { 1, 1001 } }, 1, true },
		{ 5001, { { 4001, 5001 } }, 1, true },
		{ 5001, { { 4001, 5002 } }, 1, false },
		{ 1, { { 5001, 6001 }, { 5001, 7001 } }, 2, true },
		{ 1, { { 5001, 6001 }, { 7001, 8001 } }, 2, false },
		{ 1, { { 5001, 7002 }, { 5001, 7001 } }, 2, false },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("case %u", i);
		have_flight();
		sack(cases[i].ack, cases[i].block, cases[i].n);
		check_eq((f.c.notes & TCP_NOTE_DSACK_RECV) != 0, cases[i].dsack);
		finish();
	}
}

/* A peer that cuts every segment to pieces gets a record for each, and some more; then no more. */
static void pieces_are_limited(void)
{
	have_flight();
	f.cfg.tcp_ranges_max = 10;
	for (uint32_t at = 2; at < SEGMENTS * MSS; at += 4) {
		const uint32_t block[1][2] = { { at, at + 1 } };

		sack(1, block, 1);
		check(f.c.work->sent.n <= 10 + SEGMENTS + 2);
	}
	check(f.c.work->sent.n >= SEGMENTS);
	finish();
}

static const struct test tests[] = {
	TEST(which_are_believed),
	TEST(told_again),
	TEST(duplicates),
	TEST(pieces_are_limited),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
