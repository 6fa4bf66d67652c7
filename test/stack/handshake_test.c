/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handshake_test.c - what a handshake must not leave behind: a connection that is not established,
 * or one that has agreed on segments without room for text.
 */
#include "state_fixture.h"

/* Is a connection handed out that is still in SYN-RECEIVED? */
static bool accepts_unfinished(void)
{
	struct tern_tcp_info i = { 0 };
	size_t len = sizeof(i);

	if (tern_accept(st, listener, &server, NULL))
		return false;
	tern_getsockopt(st, server, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len);
	return i.state == 3; /* SYN_RECV */
}

/* RFC 7323 3.2: an ACK without the timestamps that were agreed on finishes nothing. */
static void no_unfinished_connection_without_timestamps(void)
{
	struct tcp_hdr h = { .flags = TCP_SYN, .seq = PEER_ISN, .wnd = WINDOW, .has_ts = true };
	struct reply r;

	new_stack();
	send_segment(&h, 0);
	take_replies(&r);
	send_plain(TCP_ACK, PEER_ISN + 1, r.h.seq + 1, 0);
	check(!accepts_unfinished());
	for (int i = 0; i < 200; i++) {
		tern_advance(st, now += TERN_SEC);
		take_replies(&r);
	}
	check_eq(state_now(), TERN_TCP_CLOSED); /* the record was given up */
	end_stack();
}

/* Nor does an ACK outside the window that a small SO_RCVBUF showed. */
static void no_unfinished_connection_outside_a_small_window(void)
{
	int32_t size = 2000;
	struct reply r;

	new_stack();
	tern_setsockopt(st, listener, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &size, sizeof(size));
	send_plain(TCP_SYN, PEER_ISN, 0, 0);
	take_replies(&r);
	check_eq(r.h.wnd, 4000);
	send_plain(TCP_ACK, PEER_ISN + 1 + 5000, r.h.seq + 1, 0);
	check(!accepts_unfinished());
	end_stack();
}

/* The way back has gone while the handshake went on: no connection, and nothing is lost. */
static void delete_routes(void)
{
	struct tern_route route;
	unsigned cursor = 0;

	while (tern_route_next(st, &cursor, &route))
		if (tern_route_del(st, &route) == 0)
			cursor = 0;
}

/* Text that waits for more, and no way to send it: the connection is asked once, and rests. */
static void nothing_to_say_without_a_route(void)
{
	struct reply r;
	int on = 1;

	reach(TERN_TCP_ESTABLISHED);
	check_eq(tern_setsockopt(st, server, TERN_IPPROTO_TCP, TERN_TCP_CORK, &on, sizeof(on)), 0);
	delete_routes();
	check_eq(tern_send(st, server, "x", 1, 0), 1);
	check_eq(take_replies(&r), 0);
	check_eq(tern_output_ready(st, 2), 0);
	tern_check(st);
	end_stack();
}

static void no_connection_without_a_route(void)
{
	struct reply r;

	new_stack();
	send_plain(TCP_SYN, PEER_ISN, 0, 0);
	take_replies(&r);
	delete_routes();
	send_plain(TCP_ACK, PEER_ISN + 1, r.h.seq + 1, 0);
	check_eq(tern_accept(st, listener, &server, NULL), -TERN_EAGAIN);
	tern_check(st);
	end_stack();
}

/* ---- small segments ---- */

/* A connection with timestamps sends 9000 bytes: the first packet that goes. */
static void check_first_packet(void)
{
	struct tcp_hdr h = { .flags = TCP_SYN, .seq = PEER_ISN, .wnd = WINDOW };
	static const char data[9000];
	struct tern_pkt *p;
	struct reply r;

	h.has_ts = h.has_mss = true;
	h.mss = 1460;
	send_segment(&h, 0);
	take_replies(&r);
	h = (struct tcp_hdr){ .flags = TCP_ACK, .seq = PEER_ISN + 1, .wnd = WINDOW };
	h.ack = r.h.seq + 1;
	h.has_ts = true;
	send_segment(&h, 0);
	check_eq(tern_accept(st, listener, &server, NULL), 0);
	check_eq(tern_send(st, server, data, sizeof(data), 0), sizeof(data));
	p = tern_output(st, 2);
	check(p && p->total_len > 52 && p->total_len <= 1500);
	tern_pkt_free(st, p);
	while (take_replies(&r))
		;
}

/* TCP_MAXSEG: what is taken leaves room beside the timestamps. */
static void small_maxseg_with_timestamps(void)
{
	for (int32_t mss = 1; mss <= 100; mss++) {
		test_at("TCP_MAXSEG %d", mss);
		new_stack();
		if (tern_setsockopt(st, listener, TERN_IPPROTO_TCP, TERN_TCP_MAXSEG, &mss, 4) == 0)
			check_first_packet();
		else
			check(mss < 88); /* Linux's least */
		end_stack();
	}
}

/* The same by the MTU of a route: RFC 791 asks for 68. */
static void small_route_mtu_with_timestamps(void)
{
	for (uint32_t mtu = 1; mtu <= 80; mtu++) {
		struct tern_route route = { .dst = tern_ip4(10, 0, 0, 0, 0), .prefix_len = 25 };

		test_at("mtu %u", mtu);
		new_stack();
		route.ifindex = 2;
		route.mtu = mtu;
		if (tern_route_add(st, &route) == 0)
			check_first_packet();
		else
			check(mtu < 68);
		end_stack();
	}
}

static void check_inside_a_burst(void)
{
	static const char data[9000];
	struct tern_pkt *p;

	reach(TERN_TCP_ESTABLISHED);
	check_eq(tern_send(st, server, data, sizeof(data), 0), sizeof(data));
	p = tern_output(st, 2);
	check(p != NULL);
	tern_pkt_free(st, p);
	check(tern_output_ready(st, 2));
	tern_check(st);
	end_stack();
}

static const struct test tests[] = {
	TEST(check_inside_a_burst),
	TEST(no_unfinished_connection_without_timestamps),
	TEST(no_unfinished_connection_outside_a_small_window),
	TEST(no_connection_without_a_route),
	TEST(nothing_to_say_without_a_route),
	TEST(small_maxseg_with_timestamps),
	TEST(small_route_mtu_with_timestamps),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
