/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * found_by_fuzz_test.c - what fuzz/stack_fuzz.c has found, each in as few steps as show it.
 */
#include "peer_fixture.h"

/* A connection to our port 80, and what its peer has numbered. */
static tern_sock open_connection(struct tcp_hdr *syn_ack)
{
	tern_sock listener = listen_on(tern_ip4(10, 0, 0, 1, 80)), s = 0;
	uint8_t buf[100];
	uint32_t len;

	put_in(&(struct sent){ .seq = 77, .flags = TCP_SYN });
	len = next_out(buf, sizeof(buf));
	check(len > 20 && tcp_parse(syn_ack, buf + 20, len - 20));
	put_in(&(struct sent){ .seq = 78, .ack = syn_ack->seq + 1, .flags = TCP_ACK });
	check_eq(tern_accept(st, listener, &s, NULL), 0);
	return s;
}

/* A stream has no errors to read, and reading them takes no text (as on Linux). */
static void error_queue_is_not_the_text(void)
{
	struct tcp_hdr h;
	char buf[10];
	tern_sock s;

	new_stack(1);
	s = open_connection(&h);
	put_in(&(struct sent){ .seq = 78, .ack = h.seq + 1, .flags = TCP_ACK, .text = "text" });
	check_eq(tern_recv(st, s, buf, sizeof(buf), TERN_MSG_ERRQUEUE), -TERN_EAGAIN);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), 4);
	end_stack();
}

/* n bytes have arrived at the peer, whose window is wnd (zero, too). */
static void peer_says(const struct tcp_hdr *syn_ack, uint32_t n, uint16_t wnd)
{
	struct sent a = { .seq = 78, .ack = syn_ack->seq + 1 + n, .flags = TCP_ACK };
	struct tern_pkt *p = packet_of(&a);

	put_be16(p->data + 20 + 14, wnd);
	p->flags |= TERN_PKT_CSUM_GOOD;
	tern_input(st, p);
}

static void take_all(void)
{
	uint8_t buf[2000];

	while (next_out(buf, sizeof(buf)))
		continue;
}

/*
 * A recovery goes on while the window is shut. When it opens, what is taken back as the octet of a
 * probe is no longer lost: it is sent once, and its acknowledgement is one.
 */
static void octet_taken_back_is_not_lost(void)
{
	struct tcp_hdr h;
	uint8_t text[537] = { 0 };
	int32_t one = 1, left = 0;
	size_t len = sizeof(left);
	tern_sock s;

	new_stack(1);
	s = open_connection(&h);
	tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_NODELAY, &one, sizeof(one));
	check_eq(tern_send(st, s, text, sizeof(text), 0),
		 sizeof(text)); /* a segment and an octet */
	take_all();
	for (int i = 0; i < 3; i++)
		peer_says(&h, 0, 65535);
	take_all();
	peer_says(&h, 0, 0);
	tern_advance(st, tern_now(st) + 2 * TERN_SEC);
	take_all();
	peer_says(&h, 536, 0);
	take_all();
	peer_says(&h, 536, 1000);
	tern_check(st);
	take_all();
	peer_says(&h, 537, 1000);
	check_eq(next_out(text, sizeof(text)), 0);
	tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SIOCOUTQ, &left, &len);
	check_eq(left, 0);
	end_stack();
}

static uint32_t congestion_window(tern_sock s)
{
	struct tern_tcp_info i = { 0 };
	size_t len = sizeof(i);

	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len), 0);
	return i.snd_cwnd;
}

/* The algorithm that never changes its window is not overruled by a second time-out. */
static void fixed_window_stays_after_two_timeouts(void)
{
	struct tcp_hdr h;
	uint32_t before;
	tern_sock s;

	new_stack(1);
	s = open_connection(&h);
	tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "fixed", 5);
	before = congestion_window(s);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	take_all();
	for (int i = 0; i < 2; i++) {
		tern_advance(st, tern_now(st) + 3 * TERN_SEC);
		take_all();
	}
	check_eq(congestion_window(s), before);
	end_stack();
}

static const struct test tests[] = {
	TEST(error_queue_is_not_the_text),
	TEST(octet_taken_back_is_not_lost),
	TEST(fixed_window_stays_after_two_timeouts),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
