/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_stream_test.c - what no pointer and no text may do to a stream: SEC-78, SEC-79, SEC-84.
 */
#include "state_fixture.h"

/* ---- SEC-78, SEC-79: the urgent pointer ---- */

static const uint16_t pointers[] = { 0, 1, 2, 3, 5, 100, 1000, 32767, 32768, 65534, 65535 };

static void send_urgent(uint16_t flags, uint32_t seq, uint16_t pointer, uint32_t len)
{
	struct tcp_hdr h = {
		.flags = flags | TCP_URG, .seq = seq, .ack = snd_nxt, .wnd = WINDOW, .urg = pointer
	};

	send_segment(&h, len);
}

/* Reads all that is there; the last result. No read waits for an octet that does not come. */
static int64_t read_all(uint32_t *total)
{
	char buf[64];
	int64_t n;

	*total = 0;
	for (int i = 0; i < 3000; i++) {
		n = tern_recv(st, server, buf, sizeof(buf), 0);
		if (n <= 0)
			return n;
		for (int64_t k = 0; k < n; k++)
			check_eq(buf[k], 'x');
		*total += (uint32_t)n;
	}
	test_fail(__FILE__, __LINE__, "the stream does not end");
	return 1;
}

/* In every state and with every flag beside it: a pointer never reaches memory, nor stops a FIN. */
static void pointers_in_every_state(void)
{
	for (unsigned s = 0; s < TERN_TCP_N_STATES; s++) {
		for (uint16_t flags = 0; flags < 0x20; flags++) {
			for (size_t i = 0; i < N_TESTS(pointers); i++) {
				uint32_t total;
				struct reply r;
				char byte;

				test_at("%s, flags %02x, pointer %u", tern_tcp_state_name(s), flags,
					pointers[i]);
				reach(s);
				send_urgent(flags, rcv_nxt, pointers[i], i % 4);
				check(take_replies(&r) <= 1);
				if (s != TERN_TCP_CLOSED && server) {
					tern_recv(st, server, &byte, 1,
						  TERN_MSG_OOB | TERN_MSG_PEEK);
					tern_recv(st, server, &byte, 1, TERN_MSG_OOB);
					read_all(&total);
					check(total <= i % 4);
				}
				end_stack();
			}
		}
	}
}

/* Pointer, then FIN: all bytes but the one that is kept aside, then the end. */
static void the_end_comes(void)
{
	for (size_t i = 0; i < N_TESTS(pointers); i++) {
		for (uint32_t len = 0; len < 6; len++) {
			bool aside = pointers[i] >= 1 && pointers[i] <= len;
			uint32_t total;
			char byte;

			reach(TERN_TCP_ESTABLISHED);
			test_at("pointer %u, %u bytes", pointers[i], len);
			send_urgent(TCP_ACK, rcv_nxt, pointers[i], len);
			send_plain(TCP_ACK | TCP_FIN, rcv_nxt + len, snd_nxt, 0);
			check_eq(read_all(&total), 0);
			check_eq(total, len - aside);
			check(tern_poll(st, server) & TERN_POLLIN);
			check(tern_recv(st, server, &byte, 1, TERN_MSG_OOB) <= 0 || aside);
			end_stack();
		}
	}
}

/* URG, then the same text again with other pointers, overlapping: the stream is what it is. */
static void pointers_and_overlap(void)
{
	for (size_t i = 0; i < N_TESTS(pointers); i++) {
		uint32_t total, n = 0;
		char byte;

		reach(TERN_TCP_ESTABLISHED);
		test_at("pointer %u", pointers[i]);
		send_urgent(TCP_ACK, rcv_nxt + 10, pointers[i], 10); /* ahead of a gap */
		send_urgent(TCP_ACK, rcv_nxt, pointers[N_TESTS(pointers) - 1 - i], 15);
		send_urgent(TCP_ACK, rcv_nxt + 3, 0, 30);
		send_urgent(TCP_ACK, rcv_nxt, pointers[i], 33);
		send_plain(TCP_ACK | TCP_FIN, rcv_nxt + 33, snd_nxt, 0);
		n += tern_recv(st, server, &byte, 1, TERN_MSG_OOB) == 1;
		check_eq(read_all(&total), 0);
		n += tern_recv(st, server, &byte, 1, TERN_MSG_OOB) == 1;
		check(n <= 1 && total <= 33 && total + 1 >= 33);
		end_stack();
	}
}

/* A pointer that straddles a close and a reset. */
static void pointers_at_the_end_of_life(void)
{
	for (size_t i = 0; i < N_TESTS(pointers); i++) {
		struct reply r;
		uint32_t total;
		char byte;

		test_at("pointer %u", pointers[i]);
		reach(TERN_TCP_ESTABLISHED);
		send_urgent(TCP_ACK, rcv_nxt, pointers[i], 4);
		send_urgent(TCP_RST, rcv_nxt + 4, pointers[i], 0);
		check_eq(state_now(), TERN_TCP_CLOSED);
		tern_recv(st, server, &byte, 1, TERN_MSG_OOB);
		read_all(&total);
		check(total <= 4);
		end_stack();
		reach(TERN_TCP_ESTABLISHED);
		send_urgent(TCP_ACK, rcv_nxt, pointers[i], 0);
		check_eq(tern_close(st, server), 0);
		take_replies(&r);
		send_urgent(TCP_ACK, rcv_nxt, pointers[i], 4); /* text for nobody: a RST */
		check_eq(take_replies(&r), 1);
		check_eq(r.h.flags, TCP_RST);
		check_eq(state_now(), TERN_TCP_CLOSED);
		end_stack();
	}
}

/* ---- SEC-84: text is text, whatever port and words ---- */

enum { TEXT_LEN = 100 };

static const struct {
	uint16_t port;
	char text[TEXT_LEN];
} helpers[] = {
	{ 21, "PORT 10,0,0,1,4,1\r\nEPRT |1|10.0.0.1|1025|\r\n227 Entering (10,0,0,1,4,1)\r\n" },
	{ 69, "\001file\0octet" },
	{ 113, "6193, 23\r\n6193, 23 : USERID : UNIX : root\r\n" },
	{ 514, "1022\0root\0root\0id\0" },
	{ 554, "SETUP rtsp://10.0.0.1/ RTSP/1.0\r\nTransport: RTP/AVP;client_port=4588-4589\r\n" },
	{ 1720, "\003\000\000\x20\x08\x02\x12\x34\x05" },
	{ 5060, "INVITE sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060\r\n" },
	{ 6667,
	  "PRIVMSG a :\001DCC SEND f 167772161 1025 10\001\r\nPRIVMSG a :\001DCC CHAT\001\r\n" },
};

/* A text in and the same text out, over a listener on the port. */
static void carry(uint16_t port, const uint8_t *text, uint32_t len)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, port);
	struct tcp_hdr h = { .src_port = PEER_PORT, .dst_port = port, .wnd = WINDOW };
	uint8_t segment[200], got[200];
	struct tern_pkt *p;
	struct reply r;
	tern_sock s;

	new_stack();
	our_port = port;
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_listen(st, s, 1), 0);
	send_plain(TCP_SYN, PEER_ISN, 0, 0);
	take_replies(&r);
	h.flags = TCP_ACK | TCP_PSH;
	h.seq = PEER_ISN + 1;
	h.ack = r.h.seq + 1;
	memcpy(segment + tcp_emit(&h, segment), text, len);
	send_raw(segment, 20 + len);
	check_eq(tern_accept(st, s, &server, NULL), 0);
	check_eq(tern_recv(st, server, got, sizeof(got), 0), len);
	check_mem(got, text, len);
	check_eq(tern_send(st, server, text, len, 0), len);
	p = tern_output(st, 2);
	check(p && p->total_len == 40 + len);
	check_eq(tern_pkt_copy(p, 40, got, sizeof(got)), len);
	check_mem(got, text, len);
	tern_pkt_free(st, p);
	check(tern_output(st, 2) == NULL);
	end_stack();
}

static void no_helper_reads_the_text(void)
{
	for (size_t i = 0; i < N_TESTS(helpers); i++) {
		for (size_t k = 0; k < N_TESTS(helpers); k++) {
			test_at("text of port %u on port %u", helpers[k].port, helpers[i].port);
			carry(helpers[i].port, (const uint8_t *)helpers[k].text, TEXT_LEN);
		}
	}
}

/* Datagrams, too: what a TFTP, BOOTP or name server would read. */
static void no_helper_reads_datagrams(void)
{
	static const uint16_t ports[] = { 53, 67, 68, 69, 123, 137, 161, 500, 1900, 5353 };

	for (size_t i = 0; i < N_TESTS(ports); i++) {
		for (uint32_t len = 0; len < 40; len += 13) {
			struct ip4 ip = { .ttl = 64, .proto = 17, .hdr_len = 20 };
			uint8_t buf[100] = { 0 }, got[100];
			struct udp u = { PEER_PORT, ports[i], (uint16_t)(8 + len), 0 };
			struct tern_addr at = tern_ip4(10, 0, 0, 1, ports[i]);
			tern_sock s;

			test_at("port %u, %u bytes", ports[i], len);
			new_stack();
			ip.src = peer;
			ip.dst = us;
			ip.total_len = (uint16_t)(28 + len);
			ip4_emit(&ip, buf);
			udp_emit(&u, buf + 20); /* checksum 0: none */
			memset(buf + 28, (int)len, len);
			check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
			check_eq(tern_bind(st, s, &at), 0);
			put_frame(buf, ip.total_len);
			check_eq(tern_recv(st, s, got, sizeof(got), 0), len);
			check_mem(got, buf + 28, len);
			check(tern_output(st, 2) == NULL);
			end_stack();
		}
	}
}

static const struct test tests[] = {
	TEST(pointers_in_every_state),	TEST(the_end_comes),
	TEST(pointers_and_overlap),	TEST(pointers_at_the_end_of_life),
	TEST(no_helper_reads_the_text), TEST(no_helper_reads_datagrams),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
