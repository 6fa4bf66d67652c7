/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_test.c - noise: valid segments with bytes changed, in every state, and random frames.
 *
 * What must hold is that nothing breaks: tern_check after each, no byte of memory lost. Tables of
 * what nobody should send are in sec_*_test.c.
 */
#include "state_fixture.h"

static void reaches_every_state(void)
{
	for (unsigned s = TERN_TCP_CLOSED; s < TERN_TCP_N_STATES; s++) {
		enum tern_tcp_state want = s == TERN_TCP_LISTEN ? TERN_TCP_CLOSED : s;

		reach(s);
		test_at("%s", tern_tcp_state_name(s));
		check_str(tern_tcp_state_name(state_now()), tern_tcp_state_name(want));
		end_stack();
	}
}

/* ---- noise ---- */

static uint32_t noise = 1;

static uint32_t draw(void)
{
	noise = noise * 1664525 + 1013904223;
	return noise >> 8;
}

/* Valid segments with some bytes changed, checksums made right again. */
static void mutated_segments(void)
{
	for (int round = 0; round < 300; round++) {
		reach(draw() % TERN_TCP_N_STATES);
		for (int i = 0; i < 40; i++) {
			uint8_t segment[100];
			struct tcp_hdr h = { .src_port = PEER_PORT,
					     .dst_port = our_port,
					     .flags = TCP_ACK,
					     .wnd = (uint16_t)draw() };
			struct reply r;

			h.seq = rcv_nxt + draw() % 100;
			h.ack = snd_nxt;
			memset(segment, 'z', sizeof(segment));
			tcp_emit(&h, segment);
			for (unsigned k = draw() % 6; k > 0; k--)
				segment[4 + draw() % 60] = (uint8_t)draw();
			send_raw(segment, 20 + draw() % 80);
			if (i % 8 == 0)
				tern_advance(st, now += draw() * (tern_time)1000);
			take_replies(&r);
			tern_check(st);
		}
		end_stack();
	}
}

static void random_bytes(void)
{
	new_stack();
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[200];
		size_t len = draw() % sizeof(bytes);
		struct reply r;

		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)draw();
		if (len > 20 && i % 2) { /* an IPv4 header that holds */
			struct ip4 ip = { .ttl = 64, .hdr_len = 20, .src = peer, .dst = us };

			ip.proto = (uint8_t)(i % 8 < 4 ? 1 : draw());
			ip.total_len = (uint16_t)len;
			ip4_emit(&ip, bytes);
		}
		put_frame(bytes, len);
		take_replies(&r);
	}
	end_stack();
}

static const struct test tests[] = {
	TEST(reaches_every_state),
	TEST(mutated_segments),
	TEST(random_bytes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
