/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_hostile_test.c - a peer that keeps no rule, and a user who calls at any moment: SEC-102, SEC-103,
 * SEC-110, SEC-118, SEC-136.
 */
#include "attack_fixture.h"

static const uint32_t isns[] = { 0,	     1,		 0x7ffffff0, 0x7fffffff,
				 0x80000000, 0xffff0000, 0xfffffff0, 0xffffffff };

/* ---- SEC-102, SEC-103: blocks and numbers that cannot be ---- */

static void impossible_blocks(void)
{
	static const struct tcp_hdr offer = { .sack_permitted = true };
	static const int64_t near[] = {
		0, 1, -1, 1460, 5000, 0x7fffffff, 0x80000000, 0x80000001, -0x7fffffff, -0x80000000LL
	};
	static uint8_t bytes[14600];

	for (size_t lo = 0; lo < N_TESTS(near); lo++) {
		for (size_t hi = 0; hi < N_TESTS(near); hi++) {
			struct tcp_hdr h = { .n_sack = 1 };
			struct client c;
			struct tern_tcp_info i = { 0 };
			size_t len = sizeof(i);
			bool sound;

			test_at("block %zu-%zu", lo, hi);
			plain_world();
			c = connected_with(&offer, NULL);
			tern_send(st, c.sock, bytes, sizeof(bytes), 0);
			hear_all(NULL);
			h.sack[0].lo = c.rcv + (uint32_t)near[lo];
			h.sack[0].hi = c.rcv + (uint32_t)near[hi];
			sound = near[lo] >= -1 && near[hi] > 0 && near[hi] <= 14600 &&
				near[lo] < near[hi];
			for (int k = 0; k < 5; k++) {
				shoot(&(struct shot){ .ip = c.ip,
						      .port = c.port,
						      .flags = TCP_ACK,
						      .seq = c.nxt,
						      .ack = c.rcv,
						      .options = &h });
				tern_check(st);
				hear_all(NULL);
			}
			tern_getsockopt(st, c.sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len);
			check_eq(i.sacked > 0 || i.bytes_retrans > 0, sound);
			end_world();
		}
	}
}

/* After an honest handshake anything in any field: nothing breaks, and no byte comes twice. */
static void hostile_peer(void)
{
	for (unsigned round = 0; round < 2000; round++) {
		struct client c;

		test_at("round %u", round);
		plain_world();
		series = round + 1;
		c = connected(draw());
		for (int i = 0; i < 40; i++) {
			static const uint16_t flags[] = { TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH,
							  TCP_ACK | TCP_URG, TCP_ACK | TCP_FIN };
			static const uint32_t far[] = {
				0, 1, 1460, 65535, 65536, 1u << 30, 1u << 31
			};
			struct tcp_hdr h = { .n_sack = (uint8_t)(draw() % 4),
					     .urg = (uint16_t)draw() };
			static uint8_t buf[5000];

			for (int k = 0; k < 3; k++) {
				h.sack[k].lo = c.rcv + (draw() % 2 ? draw() % 20000 : draw());
				h.sack[k].hi = h.sack[k].lo + draw() % 5000;
			}
			shoot(&(struct shot){
				.ip = c.ip,
				.port = c.port,
				.flags = flags[draw() % 5],
				.seq = c.nxt +
				       (draw() % 3 ? 0 : far[draw() % 7] * (draw() % 2 ? 1u : -1u)),
				.ack = c.rcv + (draw() % 2 ? draw() % 3000 : far[draw() % 7]),
				.wnd = (uint16_t)draw(),
				.options = &h,
				.len = draw() % 1400 });
			if (draw() % 3 == 0)
				tern_send(st, c.sock, buf, draw() % sizeof(buf), 0);
			if (draw() % 3 == 0)
				tern_recv(st, c.sock, buf, draw() % sizeof(buf), 0);
			if (draw() % 4 == 0)
				pass(draw() % 3000 * TERN_MS);
			if (draw() % 2)
				hear_all(NULL);
			tern_check(st);
		}
		end_world();
	}
	series = 1;
}

/* ---- SEC-118: windows at random, shrinking, closing; with a FIN ---- */

static void windows_walk(void)
{
	for (unsigned round = 0; round < 60; round++) {
		static uint8_t bytes[300000];
		struct client c;
		uint32_t got = 0, told = 0, edge = 0, most = 0;
		bool ended = false;

		test_at("round %u", round);
		plain_world();
		series = round + 1;
		c = connected(isns[round % N_TESTS(isns)]);
		check_eq(tern_send(st, c.sock, bytes, sizeof(bytes), 0), sizeof(bytes));
		tern_shutdown(st, c.sock, TERN_SHUT_WR);
		edge = WINDOW;
		for (int i = 0; i < 4000 && !ended; i++) {
			uint16_t wnd = (uint16_t)(draw() % 4 == 0 ? NO_WINDOW :
						  draw() % 2	  ? 2 + draw() % 100 :
								    2 + draw() % 3000);
			struct heard r;

			while (hear(&r)) {
				uint32_t off = r.h.seq - c.rcv;

				most = most > off + r.len ? most : off + r.len;
				if (off <= got && off + r.len > got)
					got = off + r.len;
				if ((r.h.flags & TCP_FIN) && off + r.len == got)
					ended = true;
			}
			check(most <=
			      edge + 1); /* never beyond any edge shown, but a probe's octet */
			told += draw() % 4 && !ended ? (got - told) / 2 : got - told;
			edge = edge > told + wnd ? edge : told + wnd;
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = TCP_ACK,
					      .seq = c.nxt,
					      .ack = c.rcv + told + ended,
					      .wnd = wnd });
			tern_check(st);
			pass(draw() % 8 ? 20 * TERN_MS : 3 * TERN_SEC);
		}
		check(ended);
		check_eq(got, sizeof(bytes));
		end_world();
	}
	series = 1;
}

/* ---- SEC-136: silly windows ---- */

/* The user takes a byte at a time: the window moves by whole segments. */
static void reader_of_single_bytes(void)
{
	unsigned n_updates = 0;
	struct client c;
	struct heard r = { 0 };
	uint32_t edge;

	default_world();
	config.tcp_rcvbuf_default = config.tcp_rcvbuf_max = 8192;
	config.tcp_moderate_rcvbuf = false;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	c = connected(5);
	for (int i = 0; i < 8; i++)
		put_piece(&c, (uint32_t)i * 1024, 1024, 0);
	pass(100 * TERN_MS);
	hear_all(&r);
	edge = r.h.ack + r.h.wnd;
	for (int i = 0; i < 8192; i++) {
		check_eq(tern_recv(st, c.sock, (char[1]){ 0 }, 1, 0), 1);
		if (!hear_all(&r))
			continue;
		n_updates++;
		check((uint32_t)(r.h.ack + r.h.wnd - edge) >= 1460);
		edge = r.h.ack + r.h.wnd;
	}
	check(n_updates >= 2 && n_updates <= 6);
	end_world();
}

/* The peer shows a byte or a hundred, over and over: some go, but not many, and not none. */
static void writer_into_single_bytes(void)
{
	static uint8_t bytes[60000];
	unsigned n_small = 0;
	uint32_t got = 0;
	struct client c;
	struct heard r;

	plain_world();
	c = connected(5);
	tern_send(st, c.sock, bytes, sizeof(bytes), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		while (hear(&r)) {
			n_small++;
			if (r.h.seq - c.rcv == got)
				got += r.len;
		}
		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_ACK,
				      .seq = c.nxt,
				      .ack = c.rcv + got,
				      .wnd = (uint16_t)(2 + i % 100) });
		pass(TERN_MS);
	}
	check(got >= 10 * 536 + 20 * 100); /* once a second at least */
	check(n_small <= 10 + 200);	   /* one each time the override timer runs out, in 20 s */
	end_world();
}

/* ---- SEC-110: every call between any two events ---- */

static void api_call(unsigned call, tern_sock s)
{
	char buf[100] = { 0 };
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 7), none = { 0 };

	switch (call) {
	case 0:
		tern_close(st, s);
		break;
	case 1:
		tern_abort(st, s);
		break;
	case 2:
	case 3:
	case 4:
		tern_shutdown(st, s, (int)call - 2);
		break;
	case 5:
		tern_close(st, listener);
		break;
	case 6:
		tern_send(st, s, buf, sizeof(buf), 0);
		break;
	case 7:
		tern_recv(st, s, buf, sizeof(buf), 0);
		break;
	case 8:
		tern_connect(st, s, &to);
		break;
	case 9:
		tern_connect(st, s, &none);
		break;
	case 10:
		tern_listen(st, s, 3);
		break;
	case 11:
		tern_shutdown(st, listener, TERN_SHUT_RD);
		break;
	default:
		tern_bind(st, s, &to);
	}
}

enum { N_CALLS = 13, N_EVENTS = 9 };

static void event(unsigned i, struct client *c)
{
	struct heard r = { 0 };

	switch (i) {
	case 0:
		shoot(&(struct shot){
			.ip = c->ip, .port = c->port, .flags = TCP_SYN, .seq = c->nxt++ });
		break;
	case 1:
		if (hear_all(&r))
			c->rcv = r.h.seq + 1;
		break;
	case 3:
		tern_accept(st, listener, &c->sock, NULL);
		break;
	case 5:
		hear_all(&r);
		break;
	case 7:
		pass(3 * TERN_SEC);
		break;
	default:
		say(c, i == 8 ? TCP_FIN : 0, i == 2 ? 0 : 50);
	}
}

static void every_call_at_every_moment(void)
{
	for (unsigned at = 0; at < N_EVENTS * N_EVENTS; at++) {
		for (unsigned calls = 0; calls < N_CALLS * N_CALLS; calls++) {
			struct client c = { .ip = 0x0a000707, .port = 7, .nxt = 1 };

			test_at("calls %u at %u", calls, at);
			plain_world();
			for (unsigned i = 0; i < N_EVENTS; i++) {
				if (i == at / N_EVENTS)
					api_call(calls / N_CALLS, c.sock);
				if (i == at % N_EVENTS)
					api_call(calls % N_CALLS, c.sock);
				event(i, &c);
				tern_check(st);
			}
			tern_close(st, c.sock);
			tern_close(st, listener);
			for (int i = 0; i < 40; i++) {
				hear_all(NULL);
				pass(60 * TERN_SEC);
			}
			check_eq(n_streams(), 0); /* nobody is left behind */
			end_world();
		}
	}
}

static const struct test tests[] = {
	TEST(impossible_blocks),
	TEST(hostile_peer),
	TEST(windows_walk),
	TEST(reader_of_single_bytes),
	TEST(writer_into_single_bytes),
	TEST(every_call_at_every_moment),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
