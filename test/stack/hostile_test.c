/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_test.c - segments and frames that nobody should send (SEC-70 to SEC-84).
 *
 * A peer made by hand speaks to one stack over a raw-IP link: options of every kind and length,
 * headers of every offset, random bytes. Flags and numbers in every state are in sec_flags_test.c.
 */
#include "peer.h"

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

/* ---- headers and options (SEC-70 to SEC-75, SEC-80) ---- */

static void every_offset_and_length(void)
{
	uint8_t segment[80];
	struct tcp_hdr h = { .src_port = PEER_PORT, .dst_port = PORT, .flags = TCP_ACK };

	reach(TERN_TCP_ESTABLISHED);
	h.seq = rcv_nxt;
	h.ack = snd_nxt;
	for (unsigned offset = 0; offset < 16; offset++) {
		for (size_t len = 0; len <= 60; len++) {
			struct reply r;

			memset(segment, 1, sizeof(segment)); /* NOPs */
			tcp_emit(&h, segment);
			segment[12] = (uint8_t)(offset << 4);
			test_at("offset %u, %zu bytes", offset, len);
			if (offset * 4 >= 20 && offset * 4 < len)
				continue; /* sound, and would move the stream */
			send_raw(segment, len);
			take_replies(&r);
			check_eq(state_now(), TERN_TCP_ESTABLISHED);
		}
	}
	end_stack();
}

/* A bad option never resets, and never keeps good data out (MUST-6, MUST-7). */
static void every_option(void)
{
	for (unsigned kind = 0; kind < 256; kind++) {
		reach(TERN_TCP_ESTABLISHED);
		for (unsigned len = 0; len < 45; len++) {
			uint8_t segment[80];
			struct tcp_hdr h = { .src_port = PEER_PORT,
					     .dst_port = PORT,
					     .flags = TCP_ACK,
					     .wnd = WINDOW };
			char byte;

			h.seq = rcv_nxt++;
			h.ack = snd_nxt;
			memset(segment, 0x55, sizeof(segment));
			tcp_emit(&h, segment);
			segment[12] = 15 << 4;
			segment[20] = (uint8_t)kind;
			segment[21] = (uint8_t)len;
			segment[60] = 'd';
			send_raw(segment, 61);
			test_at("option %u of length %u", kind, len);
			check_eq(tern_recv(st, server, &byte, 1, 0), 1);
		}
		check_eq(state_now(), TERN_TCP_ESTABLISHED);
		end_stack();
	}
}

/* Any MSS ends in a transfer, in pieces that are not absurd (SEC-73, SEC-74). */
static void every_mss(void)
{
	static const uint16_t some[] = {
		0, 1, 7, 28, 47, 48, 49, 100, 535, 1460, 1461, 9000, 65535
	};

	for (size_t i = 0; i < N_TESTS(some); i++) {
		struct tcp_hdr syn = { .flags = TCP_SYN,
				       .seq = PEER_ISN,
				       .wnd = WINDOW,
				       .has_mss = true,
				       .mss = some[i] };
		struct reply r;
		uint32_t most = 0;
		char data[600];
		unsigned n = 0;

		test_at("MSS %u", some[i]);
		new_stack();
		send_segment(&syn, 0);
		take_replies(&r);
		rcv_nxt = PEER_ISN + 1;
		snd_nxt = r.h.seq + 1;
		send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
		check_eq(tern_accept(st, listener, &server, NULL), 0);
		memset(data, 'y', sizeof(data));
		check_eq(tern_send(st, server, data, sizeof(data), 0), sizeof(data));
		for (uint32_t got = 0; got < sizeof(data) && n < 100; n++) {
			struct tern_pkt *p = tern_output(st, 2);
			uint32_t len = p ? p->total_len - 40 : 0;

			tern_pkt_free(st, p);
			most = len > most ? len : most;
			got += len;
			send_plain(TCP_ACK, rcv_nxt, snd_nxt + got, 0);
		}
		check(n <= 600 / 48 + 1);
		check(most >= 48 && most <= 1460);
		end_stack();
	}
}

/* ---- the urgent pointer (SEC-78, SEC-79) ---- */

static void every_urgent_pointer(void)
{
	static const uint16_t some[] = { 0, 1, 2, 5, 100, 32767, 32768, 65534, 65535 };

	for (size_t i = 0; i < N_TESTS(some); i++) {
		for (uint32_t len = 0; len < 4; len++) {
			struct tcp_hdr h = { .flags = TCP_ACK | TCP_URG, .wnd = WINDOW };
			char buf[16];
			int64_t n, total = 0;

			reach(TERN_TCP_ESTABLISHED);
			h.seq = rcv_nxt;
			h.ack = snd_nxt;
			h.urg = some[i];
			test_at("pointer %u, %u bytes", some[i], len);
			send_segment(&h, len);
			send_plain(TCP_ACK | TCP_FIN, rcv_nxt + len, snd_nxt, 0);
			for (int k = 0; k < 10; k++) {
				n = tern_recv(st, server, buf, sizeof(buf), 0);
				if (n <= 0)
					break;
				total += n;
			}
			check_eq(n, 0); /* the end comes: nothing waits for a phantom byte */
			check(total == len || total == (int64_t)len - 1);
			tern_recv(st, server, buf, 1, TERN_MSG_OOB);
			end_stack();
		}
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
					     .dst_port = PORT,
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
	TEST(reaches_every_state), TEST(every_offset_and_length), TEST(every_option),
	TEST(every_mss),	   TEST(every_urgent_pointer),	  TEST(mutated_segments),
	TEST(random_bytes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
