/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_test.c - segments and frames that nobody should send (SEC-70 to SEC-84).
 *
 * A peer made by hand speaks to one stack over a raw-IP link. Every combination of flags meets every
 * state with numbers inside, at and outside the edges; options of every kind and length; headers of
 * every offset; random bytes. What must hold is stated as rules of RFC 9293 3.10.7 and RFC 5961,
 * independent of the code.
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

enum { PEER_PORT = 5555, PORT = 80, PEER_ISN = 1000000, WINDOW = 65535 };

static struct test_env counted;
static struct tern_stack *st;
static tern_sock listener, server;
static struct addr us, peer;
static uint32_t our_isn; /* learned from the SYN-ACK */
static tern_time now;

/* ---- a peer by hand ---- */

struct reply {
	struct tcp_hdr h;
	uint32_t len;
};

static void put_frame(const uint8_t *bytes, size_t len)
{
	struct tern_pkt *p = tern_pkt_new(st, (uint32_t)len);

	if (len)
		memcpy(p->data, bytes, len);
	p->ifindex = 2;
	tern_input(st, p);
}

/* Takes what the stack sends; the last segment in *r; how many there were. */
static unsigned take_replies(struct reply *r)
{
	unsigned n = 0;
	struct tern_pkt *p;
	uint8_t buf[2048];

	while ((p = tern_output(st, 2))) {
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));

		tern_pkt_free(st, p);
		if (len < 40 || !tcp_parse(&r->h, buf + 20, len - 20))
			continue;
		r->len = len - 20 - r->h.hdr_len;
		n++;
	}
	return n;
}

static void send_raw(const uint8_t *segment, size_t len)
{
	struct ip4 ip = { .ttl = 64, .proto = 6, .hdr_len = 20, .src = peer, .dst = us };
	uint8_t buf[4096];

	ip.total_len = (uint16_t)(20 + len);
	ip4_emit(&ip, buf);
	memcpy(buf + 20, segment, len);
	if (len >= 18) {
		put_be16(buf + 36, 0);
		put_be16(buf + 36,
			 checksum_finish(checksum_add(
				 buf + 20, len, checksum_pseudo(&peer, &us, 6, (uint32_t)len))));
	}
	put_frame(buf, 20 + len);
}

static void send_segment(const struct tcp_hdr *h, uint32_t len)
{
	uint8_t buf[2048];
	struct tcp_hdr full = *h;
	size_t n;

	full.src_port = PEER_PORT;
	full.dst_port = PORT;
	n = tcp_emit(&full, buf);
	memset(buf + n, 'x', len);
	send_raw(buf, n + len);
}

static void send_plain(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct tcp_hdr h = { .flags = flags, .seq = seq, .ack = ack, .wnd = WINDOW };

	send_segment(&h, len);
}

/* ---- a stack in a state ---- */

static void new_stack(void)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, PORT);
	const uint8_t us4[4] = { 10, 0, 0, 1 }, peer4[4] = { 10, 0, 0, 2 };

	counted = (struct test_env){ .fill = 0xff };
	env = test_env_make(&counted, 3);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	us = addr_from4(us4);
	peer = addr_from4(peer4);
	now = TERN_SEC;
	tern_advance(st, now);
	tern_iface_add(st, &wire);
	tern_addr_add(st, 2, &a, 24);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
	tern_bind(st, listener, &a);
	tern_listen(st, listener, 4);
	server = 0;
}

static void end_stack(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

enum { N_STATES = 8 };
static const enum tern_tcp_state states[N_STATES] = {
	TERN_TCP_SYN_RECEIVED, TERN_TCP_ESTABLISHED, TERN_TCP_FIN_WAIT_1, TERN_TCP_FIN_WAIT_2,
	TERN_TCP_CLOSE_WAIT,   TERN_TCP_CLOSING,     TERN_TCP_LAST_ACK,	  TERN_TCP_TIME_WAIT,
};

/* What the stack says of the connection; CLOSED when there is none. */
static enum tern_tcp_state state_now(void)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &info))
		if (info.remote.port == PEER_PORT)
			return (enum tern_tcp_state)info.state;
	return TERN_TCP_CLOSED;
}

/* Our next number and what we have acknowledged, after reach(). */
static uint32_t snd_nxt, rcv_nxt;

static void reach(enum tern_tcp_state state)
{
	struct reply r;

	new_stack();
	send_plain(TCP_SYN, PEER_ISN, 0, 0);
	take_replies(&r);
	our_isn = r.h.seq;
	snd_nxt = our_isn + 1;
	rcv_nxt = PEER_ISN + 1;
	if (state == TERN_TCP_SYN_RECEIVED)
		return;
	send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
	tern_accept(st, listener, &server, NULL);
	if (state == TERN_TCP_CLOSE_WAIT || state == TERN_TCP_LAST_ACK) {
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
		take_replies(&r);
	}
	if (state == TERN_TCP_ESTABLISHED || state == TERN_TCP_CLOSE_WAIT)
		return;
	tern_shutdown(st, server, TERN_SHUT_WR);
	take_replies(&r);
	snd_nxt++;
	if (state == TERN_TCP_CLOSING)
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt - 1, 0);
	if (state == TERN_TCP_FIN_WAIT_2 || state == TERN_TCP_TIME_WAIT)
		send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
	if (state == TERN_TCP_TIME_WAIT)
		send_plain(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
	take_replies(&r);
}

static void reaches_every_state(void)
{
	for (int s = 0; s < N_STATES; s++) {
		reach(states[s]);
		test_at("%s", tern_tcp_state_name(states[s]));
		check_str(tern_tcp_state_name(state_now()), tern_tcp_state_name(states[s]));
		end_stack();
	}
}

/* ---- every flag, every state, every edge (SEC-81) ---- */

static const int32_t seq_offsets[] = { -70000, -1, 0, 1, 1000, WINDOW - 1, 600000, INT32_MIN };
static const int32_t ack_offsets[] = { -70000, -1, 0, 1, 100000, INT32_MIN };

static bool is_pure_ack(const struct reply *r)
{
	return (r->h.flags & 0x3f) == TCP_ACK && r->len == 0;
}

/* What no segment may do, whatever it holds. */
static void judge(enum tern_tcp_state state, uint16_t flags, int32_t seq, int32_t ack)
{
	struct reply r = { .len = 0 };
	unsigned n = take_replies(&r);
	enum tern_tcp_state after = state_now();
	bool rst = flags & TCP_RST, syn = flags & TCP_SYN, acks = flags & TCP_ACK;

	test_at("%s, flags %03x, seq %+d, ack %+d", tern_tcp_state_name(state), flags, seq, ack);
	check(n <= 1); /* never two answers to one segment */
	if (rst) {
		check(n == 0 || is_pure_ack(&r)); /* a RST is never answered by a RST */
		if (seq == 0 && state != TERN_TCP_TIME_WAIT)
			check_eq(after, TERN_TCP_CLOSED);
		else
			check_eq(after, state); /* RFC 5961 3.2; RFC 1337 in TIME-WAIT */
		return;
	}
	/* 3.10.7.4, fourth step: a passive open that meets a new SYN in its window is undone */
	if (syn && state == TERN_TCP_SYN_RECEIVED && seq >= 0 && seq < WINDOW) {
		check_eq(after, TERN_TCP_CLOSED);
		check_eq(n, 0);
		return;
	}
	if (syn && state != TERN_TCP_TIME_WAIT) { /* RFC 5961 4.2: an ACK at most */
		check_eq(after, state);
		check(n == 0 || is_pure_ack(&r) ||
		      (state == TERN_TCP_SYN_RECEIVED && (r.h.flags & TCP_SYN)));
		return;
	}
	if (!acks && !syn)
		check_eq(after, state); /* without ACK nothing moves */
	if (acks && (ack == 1 || ack == 100000) && state != TERN_TCP_TIME_WAIT)
		check_eq(after, state); /* it acknowledges what was never sent */
	if (state != TERN_TCP_SYN_RECEIVED && n && (r.h.flags & TCP_RST))
		test_fail(__FILE__, __LINE__, "a synchronized state answers by RST");
}

static void try_cell(enum tern_tcp_state state, uint16_t flags, int32_t seq, int32_t ack)
{
	reach(state);
	send_plain(flags, rcv_nxt + (uint32_t)seq, snd_nxt + (uint32_t)ack, 0);
	judge(state, flags, seq, ack);
	end_stack();
}

static void every_flag_in_every_state(void)
{
	for (int s = 0; s < N_STATES; s++)
		for (uint16_t flags = 0; flags < 0x200; flags += flags < 0x40 ? 1 : 0x47)
			for (size_t i = 0; i < N_TESTS(seq_offsets); i++)
				for (size_t k = 0; k < N_TESTS(ack_offsets); k++)
					try_cell(states[s], flags, seq_offsets[i], ack_offsets[k]);
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
		reach(states[draw() % N_STATES]);
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
	TEST(reaches_every_state),
	TEST(every_flag_in_every_state),
	TEST(every_offset_and_length),
	TEST(every_option),
	TEST(every_mss),
	TEST(every_urgent_pointer),
	TEST(mutated_segments),
	TEST(random_bytes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
