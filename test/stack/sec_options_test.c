/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_options_test.c - headers and options that lie: SEC-70 to SEC-77 and SEC-80.
 *
 * A segment whose header does not fit is dropped and counted; an option that cannot be read ends
 * the options and nothing else; no figure that a peer names makes us divide by it, shift by it, or
 * send a thousand packets for one.
 */
#include "state_fixture.h"

static struct tern_tcp_info info(void)
{
	struct tern_tcp_info i = { 0 };
	size_t len = sizeof(i);

	check_eq(tern_getsockopt(st, server, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len), 0);
	return i;
}

/* A header of ours to the port, without options. */
static void put_header(uint8_t *segment, uint16_t flags, uint32_t seq, uint32_t ack)
{
	struct tcp_hdr h = { .src_port = PEER_PORT,
			     .dst_port = our_port,
			     .flags = flags,
			     .seq = seq,
			     .ack = ack,
			     .wnd = WINDOW };

	tcp_emit(&h, segment);
}

/* ---- SEC-70: data offset and length ---- */

static void every_data_offset_and_length(void)
{
	uint64_t n_bad = 0;

	reach(TERN_TCP_ESTABLISHED);
	for (unsigned offset = 0; offset < 16; offset++) {
		for (uint32_t len = 0; len <= 60; len++) {
			bool sound = offset >= 5 && offset * 4 <= len;
			uint32_t text = sound ? len - offset * 4 : 0;
			uint8_t segment[60], got[60];
			struct reply r;

			memset(segment, 1, sizeof(segment)); /* NOPs, and the text */
			put_header(segment, TCP_ACK, rcv_nxt, snd_nxt);
			segment[12] = (uint8_t)(offset << 4);
			send_raw(segment, len);
			rcv_nxt += text;
			n_bad += !sound;
			test_at("offset %u, %u bytes", offset, len);
			check_eq(tern_counter(st, "Drop-tcp-malformed"), n_bad);
			check_eq(tern_recv(st, server, got, sizeof(got), 0),
				 text ? (int64_t)text : -TERN_EAGAIN);
			take_replies(&r);
			check_eq(state_now(), TERN_TCP_ESTABLISHED);
		}
	}
	check(n_bad > 400);
	end_stack();
}

/* ---- SEC-71: every kind and length at every place ---- */

/* MUST-6, MUST-7: whatever the options are, good text is not kept out, and nobody is reset. */
static void every_option_everywhere(void)
{
	uint8_t segment[61], byte = 0;
	struct reply r;

	reach(TERN_TCP_ESTABLISHED);
	put_header(segment, TCP_ACK, 0, snd_nxt);
	segment[12] = 15 << 4;
	for (unsigned at = 0; at < 40; at++) {
		for (unsigned kind = 0; kind < 256; kind++) {
			for (unsigned len = 0; len < 256; len += len < 42 ? 1 : 71) {
				memset(segment + 20, 1, 40);
				segment[20 + at] = (uint8_t)kind;
				if (at < 39)
					segment[21 + at] = (uint8_t)len;
				put_be32(segment + 4, rcv_nxt++);
				segment[60] = (uint8_t)rcv_nxt;
				send_raw(segment, sizeof(segment));
				test_at("kind %u, length %u, at %u", kind, len, at);
				check_eq(tern_recv(st, server, &byte, 1, 0), 1);
				check_eq(byte, segment[60]);
			}
			take_replies(&r); /* the window moves on */
		}
		check_eq(state_now(), TERN_TCP_ESTABLISHED);
	}
	end_stack();
}

/* The same in a SYN: it is answered, with a header that holds. */
static void every_option_of_a_syn(void)
{
	for (unsigned kind = 0; kind < 256; kind++) {
		new_stack();
		for (unsigned len = 0; len < 44; len++) {
			uint8_t segment[60];
			struct reply r;

			put_header(segment, TCP_SYN, PEER_ISN, 0);
			segment[12] = 15 << 4;
			memset(segment + 20, 1, 40);
			segment[20 + kind % 8] = (uint8_t)kind;
			segment[21 + kind % 8] = (uint8_t)len;
			send_raw(segment, sizeof(segment));
			test_at("kind %u, length %u", kind, len);
			check_eq(take_replies(&r), 1);
			check_eq(r.h.flags, TCP_SYN | TCP_ACK);
			check(r.h.has_mss && r.h.mss == 1460);
			/* nothing but an option of the right length was heard */
			check(!r.h.has_ts || (kind == 8 && len == 10));
			check(!r.h.has_wscale || (kind == 3 && len == 3));
			check(!r.h.sack_permitted || (kind == 4 && len == 2));
			send_plain(TCP_RST, PEER_ISN + 1, 0, 0);
			check_eq(take_replies(&r), 0);
		}
		end_stack();
	}
}

/* ---- SEC-72, SEC-73, SEC-74: the MSS ---- */

/* Opens with these options; sends bytes and acknowledges each segment; how many it took. */
static unsigned transfer(const struct tcp_hdr *syn, uint32_t bytes, uint32_t *largest)
{
	static const char data[2000];
	struct reply r;
	unsigned n = 0;
	uint32_t got = 0;

	send_segment(syn, 0);
	take_replies(&r);
	rcv_nxt = PEER_ISN + 1;
	snd_nxt = r.h.seq + 1;
	*largest = 0;
	for (bool open = false; got < bytes && n < 1000; n++) {
		struct tcp_hdr ack = { .flags = TCP_ACK, .seq = rcv_nxt, .wnd = WINDOW };
		struct tern_pkt *p;

		ack.ack = snd_nxt + got;
		ack.has_ts = syn->has_ts;
		ack.ts_val = syn->ts_val;
		send_segment(&ack, 0);
		if (!open) {
			check_eq(tern_accept(st, listener, &server, NULL), 0);
			check_eq(tern_send(st, server, data, bytes, 0), bytes);
			open = true;
		}
		p = tern_output(st, 2);
		if (p) {
			uint32_t text = p->total_len - 40 - (syn->has_ts ? 12 : 0);

			*largest = text > *largest ? text : *largest;
			got += text;
		}
		tern_pkt_free(st, p);
	}
	check_eq(got, bytes);
	return n;
}

static struct tcp_hdr syn_with_mss(uint16_t mss)
{
	return (struct tcp_hdr){
		.flags = TCP_SYN, .seq = PEER_ISN, .wnd = WINDOW, .has_mss = true, .mss = mss
	};
}

/* Each of 65536: the transfer ends, in segments of that size, not below the floor. */
static void every_mss(void)
{
	for (uint32_t mss = 0; mss < 65536; mss++) {
		uint32_t floor = mss < 48 ? 48 : mss, want = floor > 1460 ? 1460 : floor, largest;
		struct tcp_hdr syn = syn_with_mss((uint16_t)mss);
		struct reply r;
		unsigned n;

		test_at("MSS %u", mss);
		if (mss % 256 == 0)
			new_stack();
		n = transfer(&syn, 1500, &largest);
		check_eq(largest, want);
		check(n <= 1500 / want + 1);
		send_plain(TCP_RST, rcv_nxt, 0, 0);
		check_eq(tern_close(st, server), 0);
		check_eq(take_replies(&r), 0);
		if (mss % 256 == 255)
			end_stack();
	}
}

/* MSS of a wrong length is none (536 then); on a segment that is no SYN it means nothing. */
static void mss_of_wrong_lengths(void)
{
	for (unsigned len = 0; len < 44; len++) {
		uint8_t segment[60];
		struct reply r;

		test_at("length %u", len);
		new_stack();
		put_header(segment, TCP_SYN, PEER_ISN, 0);
		segment[12] = 15 << 4;
		memset(segment + 20, 0, 40);
		segment[20] = 2;
		segment[21] = (uint8_t)len;
		put_be16(segment + 22, 999);
		send_raw(segment, sizeof(segment));
		check_eq(take_replies(&r), 1);
		rcv_nxt = PEER_ISN + 1;
		snd_nxt = r.h.seq + 1;
		put_header(segment, TCP_ACK, rcv_nxt, snd_nxt);
		segment[12] = 15 << 4;
		put_be16(segment + 22, 777);
		send_raw(segment, sizeof(segment));
		check_eq(tern_accept(st, listener, &server, NULL), 0);
		check_eq(info().snd_mss, len == 4 ? 999 : 536);
		end_stack();
	}
}

/* SEC-74, CVE-2019-11479: the least payload of a packet, with every option a peer can ask for. */
static void tiny_mss_costs_no_flood(void)
{
	static const struct {
		const char *floor;
		uint32_t want;
	} cases[] = { { NULL, 36 }, { "100", 88 }, { "536", 524 } };

	for (size_t i = 0; i < N_TESTS(cases); i++) {
		for (uint16_t mss = 0; mss <= 48; mss += 6) {
			struct tcp_hdr syn = syn_with_mss(mss);
			uint32_t largest;
			unsigned n;

			test_at("MSS %u, floor %s", mss,
				cases[i].floor ? cases[i].floor : "default");
			syn.has_ts = syn.sack_permitted = true;
			new_stack();
			if (cases[i].floor)
				check_eq(tern_sysctl_set(st, "net.ipv4.tcp_min_snd_mss",
							 cases[i].floor),
					 0);
			n = transfer(&syn, 1500, &largest);
			check_eq(largest, cases[i].want);
			check(n <= 1500 / cases[i].want + 1);
			end_stack();
		}
	}
}

/* ---- SEC-75: window scale ---- */

static void every_shift(void)
{
	for (unsigned shift = 0; shift < 256; shift++) {
		struct tcp_hdr h = syn_with_mss(1460);
		struct reply r;

		test_at("shift %u", shift);
		h.has_wscale = true;
		h.wscale = (uint8_t)shift;
		new_stack();
		send_segment(&h, 0);
		take_replies(&r);
		check(r.h.has_wscale && r.h.wscale <= 14);
		rcv_nxt = PEER_ISN + 1;
		snd_nxt = r.h.seq + 1;
		send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
		check_eq(tern_accept(st, listener, &server, NULL), 0);
		check_eq(info().snd_wnd, (uint32_t)WINDOW << (shift < 14 ? shift : 14));
		h.flags = TCP_ACK; /* later it means nothing */
		h.seq = rcv_nxt;
		h.ack = snd_nxt;
		h.wscale = (uint8_t)(255 - shift);
		send_segment(&h, 0);
		check_eq(info().snd_wnd, (uint32_t)WINDOW << (shift < 14 ? shift : 14));
		end_stack();
	}
}

/* A shift that only one side names is none: 7323 2.2. */
static void shift_without_ours(void)
{
	struct tcp_hdr h = syn_with_mss(1460);
	struct tern_config cfg;
	struct reply r;

	tern_config_default(&cfg);
	cfg.tcp_window_scaling = false;
	h.has_wscale = true;
	h.wscale = 9;
	new_stack_with(&cfg);
	send_segment(&h, 0);
	take_replies(&r);
	check(!r.h.has_wscale);
	send_plain(TCP_ACK, PEER_ISN + 1, r.h.seq + 1, 0);
	check_eq(tern_accept(st, listener, &server, NULL), 0);
	check_eq(info().snd_wnd, WINDOW);
	end_stack();
}

/* ---- SEC-76: SACK blocks that cannot be ---- */

enum { OUTSTANDING = 5 };

/* A connection that has five segments outstanding and has agreed on SACK. */
static void have_outstanding(void)
{
	static const char data[OUTSTANDING * 1000];
	struct tcp_hdr syn = syn_with_mss(1000);
	struct reply r;

	new_stack();
	syn.sack_permitted = true;
	send_segment(&syn, 0);
	take_replies(&r);
	rcv_nxt = PEER_ISN + 1;
	snd_nxt = r.h.seq + 1;
	send_plain(TCP_ACK, rcv_nxt, snd_nxt, 0);
	tern_accept(st, listener, &server, NULL);
	check_eq(tern_send(st, server, data, sizeof(data), 0), sizeof(data));
	check_eq(take_replies(&r), OUTSTANDING);
}

/* What TCP_INFO says must be what it says after the same ACKs without any block. */
static struct tern_tcp_info after_acks(const uint8_t *options, uint8_t len, unsigned n_acks)
{
	struct tern_tcp_info i;
	struct reply r;

	have_outstanding();
	for (unsigned k = 0; k < n_acks; k++) {
		uint8_t segment[60];

		put_header(segment, TCP_ACK, rcv_nxt, snd_nxt);
		segment[12] = (uint8_t)((20 + len) / 4 << 4);
		if (len)
			memcpy(segment + 20, options, len);
		send_raw(segment, 20u + len);
		take_replies(&r);
	}
	tern_check(st);
	i = info();
	end_stack();
	return i;
}

static void impossible_sack_blocks(void)
{
	/* from the oldest outstanding byte */
	static const uint32_t blocks[][2] = {
		{ 2000, 1000 },			      /* reversed */
		{ 1000, 1000 },			      /* empty */
		{ 6000, 7000 },			      /* above all that was sent */
		{ 4000, 5001 },			      /* partly above */
		{ 0x80000000, 0x80000010 },	      /* 2^31 away */
		{ 1000, 0x80000000 + 2000 },	      /* 2^31 long */
		{ (uint32_t)-2000, (uint32_t)-1000 }, /* below */
		{ (uint32_t)-10, 5010 },	      /* around everything */
		{ 0, 0xffffffff },
	};

	for (unsigned n_acks = 1; n_acks <= 4; n_acks++) {
		struct tern_tcp_info plain = after_acks(NULL, 0, n_acks), i;

		for (size_t k = 0; k < N_TESTS(blocks); k++) {
			for (unsigned n = 1; n <= 4; n++) {
				uint8_t o[36] = { 1, 1, 5, (uint8_t)(2 + 8 * n) };

				for (unsigned j = 0; j < n; j++) {
					have_outstanding(); /* learns the number */
					end_stack();
					put_be32(o + 4 + 8 * j, snd_nxt + blocks[k][0]);
					put_be32(o + 8 + 8 * j, snd_nxt + blocks[k][1]);
				}
				test_at("block %zu, %u times, %u ACKs", k, n, n_acks);
				i = after_acks(o, (uint8_t)(4 + 8 * n), n_acks);
				check(memcmp(&i, &plain, sizeof(i)) == 0);
			}
		}
	}
}

/* A SACK option whose length is not 2 + 8n is no SACK option. */
static void sack_of_wrong_lengths(void)
{
	struct tern_tcp_info plain = after_acks(NULL, 0, 2);

	for (unsigned len = 0; len < 256; len++) {
		uint8_t o[40];
		struct tern_tcp_info i;

		if (len == 10 || len == 18 || len == 26 || len == 34)
			continue;
		memset(o, 1, sizeof(o));
		o[0] = 5;
		o[1] = (uint8_t)len;
		test_at("length %u", len);
		i = after_acks(o, sizeof(o), 2);
		check(memcmp(&i, &plain, sizeof(i)) == 0);
	}
}

/* ---- SEC-77: our options fit, whatever was agreed on ---- */

static void every_subset_of_options_fits(void)
{
	for (unsigned bits = 0; bits < 16; bits++) {
		for (uint8_t n_sack = 0; n_sack <= TCP_SACK_MAX; n_sack++) {
			struct tcp_hdr h = { .has_mss = bits & 1,
					     .has_wscale = bits & 2,
					     .sack_permitted = bits & 4,
					     .has_ts = bits & 8,
					     .n_sack = n_sack };
			struct tcp_hdr back;
			uint8_t out[TCP_HDR_MAX + 32];
			size_t len;

			test_at("options %x, %u blocks", bits, n_sack);
			memset(out, 0xa5, sizeof(out));
			len = tcp_emit(&h, out);
			check(len <= TCP_HDR_MAX);
			check_eq(len, TCP_HDR_LEN + tcp_options_len(&h));
			for (size_t i = len; i < sizeof(out); i++)
				check_eq(out[i], 0xa5); /* not a byte beyond */
			check(tcp_parse(&back, out, len) && !back.bad_options);
			check(back.has_mss == h.has_mss && back.has_wscale == h.has_wscale);
			check(back.has_ts == h.has_ts && back.sack_permitted == h.sack_permitted);
			check(back.n_sack <= n_sack);
			check_eq(out[12] >> 4, len / 4);
		}
	}
}

/* ---- SEC-80: a bad option outside the window does nothing ---- */

static void bad_options_out_of_window(void)
{
	static const uint8_t bad[][4] = {
		{ 3, 0, 0, 0 }, { 3, 255, 0, 0 }, { 8, 3, 0, 0 },    { 8, 255, 0, 0 },
		{ 2, 1, 0, 0 }, { 5, 3, 0, 0 },	  { 29, 255, 0, 0 }, { 254, 0, 0, 0 },
	};
	static const uint16_t flags[] = { TCP_ACK, TCP_SYN, TCP_RST, TCP_ACK | TCP_FIN, 0 };
	static const uint32_t seqs[] = { WINDOW + 100000u, (uint32_t)-5, 1u << 31 };

	for (size_t i = 0; i < N_TESTS(bad); i++) {
		for (size_t k = 0; k < N_TESTS(flags); k++) {
			for (size_t j = 0; j < N_TESTS(seqs); j++) {
				struct tern_tcp_info before, after;
				uint8_t segment[24];
				struct reply r;

				test_at("option %u of length %u, flags %x, case %zu", bad[i][0],
					bad[i][1], flags[k], j);
				reach(TERN_TCP_ESTABLISHED);
				before = info();
				put_header(segment, flags[k], rcv_nxt + seqs[j], snd_nxt + 777777);
				segment[12] = 6 << 4;
				memcpy(segment + 20, bad[i], 4);
				send_raw(segment, sizeof(segment));
				if (take_replies(&r)) { /* an ACK at most */
					check_eq(r.h.flags, TCP_ACK);
					check(!(flags[k] & TCP_RST));
					before.segs_out++;
				}
				before.segs_in++;
				after = info();
				check(memcmp(&before, &after, sizeof(after)) == 0);
				send_plain(TCP_ACK, rcv_nxt, snd_nxt, 3); /* and it lives */
				check_eq(tern_recv(st, server, segment, 10, 0), 3);
				end_stack();
			}
		}
	}
}

static const struct test tests[] = {
	TEST(every_data_offset_and_length),
	TEST(every_option_everywhere),
	TEST(every_option_of_a_syn),
	TEST(every_mss),
	TEST(mss_of_wrong_lengths),
	TEST(tiny_mss_costs_no_flood),
	TEST(every_shift),
	TEST(shift_without_ours),
	TEST(impossible_sack_blocks),
	TEST(sack_of_wrong_lengths),
	TEST(every_subset_of_options_fits),
	TEST(bad_options_out_of_window),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
