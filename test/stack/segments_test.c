/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments_test.c - rules of RFC 9293 about the bytes of every segment that goes out, about
 * segments that are spoiled, and about what comes in one go: MUST-2, MUST-3, MUST-58, MUST-59,
 * MUST-68, MUST-69, X-1.
 */
#include "peer_fixture.h"

/* ---- every segment that goes out (MUST-2, MUST-68, MUST-69, X-1) ---- */

/* RFC 1071, by the book: 16-bit words, added with the carry brought round. */
static uint32_t plain_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Options have a length unless they are of the first two kinds; after the end all is zero. */
static void check_options(const uint8_t *p, uint32_t len)
{
	while (len > 0 && p[0] != 0) {
		uint32_t n = p[0] == 1 ? 1 : len > 1 ? p[1] : 0;

		check(p[0] == 1 || n >= 2);
		check(n <= len);
		if (n == 0 || n > len)
			return;
		p += n;
		len -= n;
	}
	for (uint32_t i = 0; i < len; i++)
		check_eq(p[i], 0);
}

/* What goes out next, looked at; its header in *h, the length of its text returned; -1: nothing. */
static int next_segment(struct tcp_hdr *h)
{
	uint8_t buf[2000], *l4;
	uint32_t len = next_out(buf, sizeof(buf)), ip_len, sum;

	if (len == 0)
		return -1;
	ip_len = buf[0] >> 4 == 4 ? 20 : 40;
	l4 = buf + ip_len;
	len -= ip_len;
	sum = plain_sum(ip_len == 20 ? buf + 12 : buf + 8, ip_len == 20 ? 8 : 32, 6 + len);
	check_eq(plain_sum(l4, len, sum), 0xffff);
	check_eq(l4[12] & 0x0e, 0);
	check(tcp_parse(h, l4, len));
	check_options(l4 + 20, h->hdr_len - 20u);
	return (int)(len - h->hdr_len);
}

static const struct tcp_hdr all_options = { .has_mss = true,
					    .mss = 1400,
					    .has_wscale = true,
					    .wscale = 2,
					    .sack_permitted = true,
					    .has_ts = true,
					    .ts_val = 5000 };
static const struct tcp_hdr later_options = { .has_ts = true, .ts_val = 6000 };

static void set_option(tern_sock s, int level, int name, int32_t v)
{
	check_eq(tern_setsockopt(st, s, level, name, &v, sizeof(v)), 0);
}

/* An open connection with our port 80; *iss is our initial number, the peer's is 70. */
static tern_sock open_one(bool v6, uint32_t *iss)
{
	struct tern_addr from, to;
	struct sent answer = { .v6 = v6, .seq = 70, .flags = TCP_SYN | TCP_ACK };
	struct tcp_hdr h;
	tern_sock s;

	tern_addr_parse(v6 ? "fd00::1" : "10.0.0.1", 80, &from);
	tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 5000, &to);
	tern_socket(st, from.family, TERN_SOCK_STREAM, 0, &s);
	check_eq(tern_bind(st, s, &from), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	check_eq(next_segment(&h), 0);
	check_eq(h.flags, TCP_SYN);
	*iss = h.seq;
	answer.ack = h.seq + 1;
	answer.options = &all_options;
	put_in(&answer);
	check_eq(next_segment(&h), 0);
	check_eq(h.flags, TCP_ACK);
	return s;
}

static void put_text(bool v6, uint32_t seq, uint32_t ack, const char *text)
{
	put_in(&(struct sent){ .v6 = v6,
			       .seq = seq,
			       .ack = ack,
			       .flags = TCP_ACK,
			       .options = &later_options,
			       .text = text });
}

static void of_an_open_connection(bool v6)
{
	struct tcp_hdr h;
	uint32_t iss;
	tern_sock s = open_one(v6, &iss);

	check_eq(tern_send(st, s, "odd", 3, 0), 3);
	check_eq(next_segment(&h), 3);
	set_option(s, TERN_IPPROTO_TCP, TERN_TCP_NODELAY, 1);
	check_eq(tern_send(st, s, "even", 4, 0), 4);
	check_eq(next_segment(&h), 4);
	tern_advance(st, 3 * TERN_SEC); /* a retransmission */
	check(next_segment(&h) >= 3);
	put_text(v6, 81, iss + 8, "ahead");
	check_eq(next_segment(&h), 0);
	check_eq(h.n_sack, 1);
	set_option(s, TERN_IPPROTO_TCP, TERN_TCP_KEEPIDLE, 1);
	set_option(s, TERN_SOL_SOCKET, TERN_SO_KEEPALIVE, 1);
	tern_advance(st, 4 * TERN_SEC + TERN_MS);
	check_eq(next_segment(&h), 0);
	check_eq(h.seq, iss + 7);
	check_eq(tern_send(st, s, "!", 1, TERN_MSG_OOB), 1);
	check_eq(next_segment(&h), 1);
	check(h.flags & TCP_URG);
	check_eq(tern_shutdown(st, s, TERN_SHUT_WR), 0);
	check_eq(next_segment(&h), 0);
	check(h.flags & TCP_FIN);
	set_option(s, TERN_IPPROTO_TCP, TERN_TCP_NODELAY, 0);
	put_text(v6, 81, iss + 100, "of what was never sent");
	check_eq(next_segment(&h), 0); /* a challenge */
	put_text(v6, 71, iss + 9, "text, ten ");
	check_eq(next_segment(&h), 0);
	check_eq(tern_close(st, s), 0); /* unread: RST */
	check_eq(next_segment(&h), 0);
	check(h.flags & TCP_RST);
}

static void of_a_listener(bool v6)
{
	struct tern_addr at;
	struct sent syn = { .v6 = v6, .seq = 1, .flags = TCP_SYN, .options = &all_options };
	struct tcp_hdr h;

	put_in(&syn);
	check_eq(next_segment(&h), 0);
	check_eq(h.flags, TCP_RST | TCP_ACK);
	tern_addr_parse(v6 ? "fd00::1" : "10.0.0.1", 80, &at);
	listen_on(at);
	put_in(&syn);
	check_eq(next_segment(&h), 0);
	check_eq(h.flags, TCP_SYN | TCP_ACK);
	check_eq(tern_counter(st, "TcpOutSegs"), 2); /* RFC 4022: of no connection, too */
	check_eq(tern_counter(st, "TcpOutRsts"), 1);
}

static void every_segment_is_well_formed(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		test_at("%s", v6 ? "IPv6" : "IPv4");
		new_stack(1);
		of_an_open_connection(v6);
		end_stack();
		new_stack(1);
		of_a_listener(v6);
		end_stack();
	}
}

/* ---- segments that come in ---- */

/*
 * A segment with one bit changed, in the header, the checksum or the text, that would acknowledge,
 * deliver and end, does nothing of it: only our own text goes out, again. Then the right one does.
 */
static void spoiled_text(bool v6, const char *text)
{
	static const int bytes[] = { 7, 11, 13, 15, 16, 17, 20, 29, 32, 34 };
	struct sent in = { .v6 = v6, .seq = 71, .options = &later_options, .text = text };
	int64_t len = (int64_t)strlen(text);
	struct tcp_hdr h;
	uint32_t iss;
	char buf[500];
	tern_sock s;

	new_stack(1);
	s = open_one(v6, &iss);
	check_eq(tern_send(st, s, "ours", 4, 0), 4);
	in.flags = TCP_ACK | TCP_FIN;
	in.ack = iss + 5;
	for (size_t i = 0; i < N_TESTS(bytes); i++) {
		int n;

		test_at("%s, %d bytes, byte %d", v6 ? "IPv6" : "IPv4", (int)len, bytes[i]);
		in.spoil = bytes[i];
		put_in(&in);
		tern_advance(st, (tern_time)(2 + i) * TERN_SEC);
		while ((n = next_segment(&h)) >= 0) {
			check_eq(n, 4);
			check_eq(h.ack, 71);
		}
		check_eq(tern_recv(st, s, buf, sizeof(buf), 0), -TERN_EAGAIN);
		check_eq(tern_counter(st, "TcpInCsumErrors"), i + 1);
	}
	in.spoil = 0;
	put_in(&in);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), len);
	check_mem(buf, text, (size_t)len);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), 0);
	check_eq(next_segment(&h), 0);
	check_eq(h.ack, 71 + len + 1);
	end_stack();
}

/* MUST-3 */
static void wrong_checksum(void)
{
	char text[401] = "";

	memset(text, 'y', sizeof(text) - 1);
	for (int v6 = 0; v6 < 2; v6++) {
		spoiled_text(v6, "abc");
		spoiled_text(v6, text);
	}
}

/* MUST-3: the addresses are in the sum, too. */
static void checksum_of_another_address(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 80);
	struct tern_pkt *p;
	uint8_t buf[200];

	new_stack(1);
	listen_on(at);
	p = packet_of(&(struct sent){ .src = "10.0.0.8", .seq = 1, .flags = TCP_SYN });
	p->data[15] = 9; /* 10.0.0.9 */
	put_be16(p->data + 10, 0);
	put_be16(p->data + 10, checksum_finish(checksum_add(p->data, 20, 0)));
	tern_input(st, p);
	check_eq(next_out(buf, sizeof(buf)), 0);
	check_eq(n_records(), 0);
	check_eq(tern_counter(st, "TcpInCsumErrors"), 1);
	end_stack();
}

/* bits that mean nothing yet are not looked at. */
static void reserved_bits_are_ignored(void)
{
	struct tcp_hdr h;

	new_stack(1);
	listen_on(tern_ip4(10, 0, 0, 1, 80));
	put_in(&(struct sent){ .seq = 1, .flags = TCP_SYN, .reserved = 0x0e });
	check_eq(next_segment(&h), 0);
	check_eq(h.flags, TCP_SYN | TCP_ACK);
	check_eq(h.ack, 2);
	end_stack();
}

/* ---- ACKs of what came in one go (MUST-58, MUST-59) ---- */

static char text_of_a_segment[1389];

/* So many full segments, numbered from 0 in the order of `which`, in one call. */
static void put_batch(uint32_t iss, const uint8_t *which, unsigned n)
{
	struct tern_pkt *head = NULL, **tail = &head;

	memset(text_of_a_segment, 'x', 1388);
	for (unsigned i = 0; i < n; i++) {
		*tail = packet_of(&(struct sent){ .seq = 71 + which[i] * 1388u,
						  .ack = iss + 1,
						  .flags = TCP_ACK,
						  .options = &later_options,
						  .text = text_of_a_segment });
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	tern_input_batch(st, head);
}

/* Ten segments at once get one ACK, of all ten: nothing is sent before all were looked at. */
static void one_ack_for_a_batch(void)
{
	static const uint8_t in_order[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct tcp_hdr h;
	uint32_t iss;

	new_stack(1);
	open_one(false, &iss);
	put_batch(iss, in_order, 10);
	check_eq(next_segment(&h), 0);
	check_eq(h.ack, 71 + 10 * 1388);
	check_eq(next_segment(&h), -1);
	end_stack();
}

/* The first comes last: when an ACK is built, it is of all that has arrived. */
static void ack_after_all_of_a_batch(void)
{
	static const uint8_t first_last[] = { 1, 2, 3, 0 };
	struct tcp_hdr h;
	uint32_t iss;

	new_stack(1);
	open_one(false, &iss);
	put_batch(iss, first_last, 4);
	check_eq(next_segment(&h), 0);
	check_eq(h.ack, 71 + 4 * 1388);
	check_eq(h.n_sack, 0);
	check_eq(next_segment(&h), -1);
	end_stack();
}

static const struct test tests[] = {
	TEST(every_segment_is_well_formed), TEST(wrong_checksum),
	TEST(checksum_of_another_address),  TEST(reserved_bits_are_ignored),
	TEST(one_ack_for_a_batch),	    TEST(ack_after_all_of_a_batch),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
