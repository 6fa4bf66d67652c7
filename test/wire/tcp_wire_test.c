/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_wire_test.c - core/wire/tcp_wire.c. Every slice is an allocation of its exact length, so that
 * a read beyond it is caught by AddressSanitizer.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"
#include "test.h"

static bool parse(struct tcp_hdr *h, const uint8_t *bytes, size_t len)
{
	uint8_t *p = malloc(len);
	bool ok;

	memcpy(p, bytes, len);
	ok = tcp_parse(h, p, len);
	free(p);
	return ok;
}

/* Parses a header whose options are these bytes, padded with zeroes to a multiple of 4. */
static void parse_options(struct tcp_hdr *h, const void *options, size_t len)
{
	uint8_t p[TCP_HDR_MAX] = { 0 };
	size_t hdr_len = TCP_HDR_LEN + (len + 3) / 4 * 4;

	memcpy(p + TCP_HDR_LEN, options, len);
	p[12] = (uint8_t)(hdr_len / 4 << 4);
	check(parse(h, p, hdr_len));
}

static void fields_are_read(void)
{
	static const uint8_t p[] = {
		0x12, 0x34, 0,	  80,	1,    2, 3,  4,	 5,  6,	  7,
		8,    0x51, 0xff, 0xab, 0xcd, 9, 10, 11, 12, 'x',
	};
	struct tcp_hdr h;
	uint8_t out[TCP_HDR_LEN];

	check(parse(&h, p, sizeof(p)));
	check(h.src_port == 0x1234 && h.dst_port == 80);
	check(h.seq == 0x01020304 && h.ack == 0x05060708);
	check(h.flags == 0x1ff && h.wnd == 0xabcd && h.checksum == 0x090a && h.urg == 0x0b0c);
	check(h.hdr_len == 20 && !h.has_mss && !h.has_ts && !h.n_sack && !h.bad_options);
	memset(out, 0xee, sizeof(out));
	check_eq(tcp_emit(&h, out), TCP_HDR_LEN);
	check(out[16] == 0 && out[17] == 0); /* the checksum is the caller's */
	memcpy(out + 16, p + 16, 2);
	check_mem(out, p, TCP_HDR_LEN);
}

static void data_offset_is_checked(void)
{
	for (unsigned doff = 0; doff < 16; doff++) {
		for (size_t len = 0; len <= 70; len++) {
			uint8_t p[70] = { [12] = (uint8_t)(doff << 4) };
			struct tcp_hdr h;

			memset(p + 20, 1, sizeof(p) - 20);
			test_at("doff %u, length %zu", doff, len);
			check_eq(parse(&h, p, len), doff >= 5 && doff * 4 <= len);
		}
	}
}

/* The length that a known kind must have; 0: a kind without one rule. */
static unsigned right_len(unsigned kind)
{
	switch (kind) {
	case 2:
		return 4;
	case 3:
		return 3;
	case 4:
		return 2;
	case 8:
		return 10;
	default:
		return 0;
	}
}

static void check_one_option(const struct tcp_hdr *h, unsigned kind, unsigned len, size_t room)
{
	bool fits = room >= 2 && len >= 2 && len <= room;
	bool right = fits && len == right_len(kind);

	if (kind < 2) {
		check(!h->bad_options);
		return;
	}
	check_eq(h->bad_options, !fits);
	check_eq(h->has_mss, right && kind == 2);
	check_eq(h->has_wscale, right && kind == 3);
	check_eq(h->sack_permitted, right && kind == 4);
	check_eq(h->has_ts, right && kind == 8);
	fits = fits && kind == 5 && len >= 10 && len <= 34 && len % 8 == 2;
	check_eq(h->n_sack, fits ? len / 8 : 0);
}

/* Every kind with every length at every position of a full option area; the rest is NOPs. */
static void every_kind_and_length_everywhere(void)
{
	uint8_t *p = malloc(TCP_HDR_MAX);

	for (unsigned at = 0; at < 40; at++) {
		for (unsigned kind = 0; kind < 256; kind++) {
			for (unsigned len = 0; len < 256; len += len < 48 ? 1 : 23) {
				struct tcp_hdr h;

				memset(p, 0, TCP_HDR_LEN);
				memset(p + TCP_HDR_LEN, 1, 40);
				p[12] = 0xf0;
				p[TCP_HDR_LEN + at] = (uint8_t)kind;
				if (at < 39)
					p[TCP_HDR_LEN + at + 1] = (uint8_t)len;
				if (kind < 2 && len > 1) /* then it is the next option's kind */
					continue;
				test_at("kind %u, length %u, at %u", kind, len, at);
				check(tcp_parse(&h, p, TCP_HDR_MAX));
				check_one_option(&h, kind, len, 40 - at);
			}
		}
	}
	free(p);
}

/* RFC 9768 3.2.3: whole fields count, the rest is padding; order 1 has the first and last changed. */
static void accecn_of_every_length(void)
{
	static const uint8_t fields[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xee, 0xee };
	static const uint32_t v[3] = { 0x010203, 0x040506, 0x070809 };

	for (unsigned kind = 172; kind <= 174; kind += 2) {
		for (unsigned len = 2; len <= 13; len++) {
			unsigned n = len < 11 ? (len - 2) / 3 : 3;
			uint8_t p[13] = { (uint8_t)kind, (uint8_t)len };
			struct tcp_hdr h;

			memcpy(p + 2, fields, len - 2);
			parse_options(&h, p, len);
			test_at("kind %u, length %u", kind, len);
			check(h.has_accecn && !h.bad_options);
			check_eq(h.accecn_order, kind == 174);
			check_eq(h.n_accecn, n);
			for (unsigned i = 0; i < 3; i++)
				check_eq(h.accecn[kind == 174 ? 2 - i : i], i < n ? v[i] : 0);
		}
	}
}

static void accecn_is_written(void)
{
	static const uint8_t want[3][12] = { { 174, 5, 7, 8, 9, 1, 1, 1 },
					     { 174, 8, 7, 8, 9, 4, 5, 6 },
					     { 174, 11, 7, 8, 9, 4, 5, 6, 1, 2, 3, 1 } };
	uint8_t p[TCP_HDR_MAX];
	struct tcp_hdr h;

	for (unsigned n = 1; n <= 3; n++) {
		tcp_hdr_init(&h);
		h.has_accecn = true;
		h.accecn_order = 1;
		h.n_accecn = (uint8_t)n;
		h.accecn[TCP_ACCECN_E0B] = 0x010203;
		h.accecn[TCP_ACCECN_CEB] = 0xff040506; /* only 24 bits of a counter are told */
		h.accecn[TCP_ACCECN_E1B] = 0x070809;
		check_eq(tcp_emit(&h, p), TCP_HDR_LEN + tcp_accecn_len(n));
		check_eq(tcp_options_len(&h), tcp_accecn_len(n));
		check_mem(p + TCP_HDR_LEN, want[n - 1], tcp_accecn_len(n));
	}
}

static void what_came_before_a_bad_option_counts(void)
{
	struct tcp_hdr h;

	parse_options(&h, "\x02\x04\x05\xb4\x03\x00\x04\x02", 8);
	check(h.bad_options && h.has_mss && h.mss == 1460 && !h.sack_permitted);
	parse_options(&h, "\x02\x03\x05\x03\x03\x07\x00\x00", 8); /* a short MSS: ignored */
	check(!h.bad_options && !h.has_mss && h.has_wscale && h.wscale == 7);
	parse_options(&h, "\x00\x02\x04\x05", 4); /* after the end nothing counts */
	check(!h.bad_options && !h.has_mss);
	parse_options(&h, "\xfe\x06\xab\xcd\x00\x00\x04\x02", 8); /* unknown: skipped */
	check(!h.bad_options && h.sack_permitted);
}

static void lone_timestamps_are_the_same_by_either_way(void)
{
	static const uint8_t lone[] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t turned[] = { 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1 };
	struct tcp_hdr a, b;

	parse_options(&a, lone, sizeof(lone));
	parse_options(&b, turned, sizeof(turned));
	check(a.has_ts && a.ts_val == 0x01020304 && a.ts_ecr == 0x05060708);
	check(b.has_ts && b.ts_val == a.ts_val && b.ts_ecr == a.ts_ecr);
}

static void sack_blocks_are_read(void)
{
	static const uint8_t two[] = {
		1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4,
	};
	struct tcp_hdr h;

	parse_options(&h, two, sizeof(two));
	check_eq(h.n_sack, 2);
	check(h.sack[0].lo == 1 && h.sack[0].hi == 2 && h.sack[1].lo == 3 && h.sack[1].hi == 4);
}

/* The order and padding that Linux uses. */
static void options_are_laid_out_like_linux(void)
{
	static const struct {
		bool mss, wscale, sack, ts;
		uint8_t len;
		const char *bytes;
	} cases[] = {
		{ 1, 1, 1, 1, 20,
		  "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\x02\x01\x03\x03\x07" },
		{ 1, 1, 1, 0, 12, "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x07" },
		{ 1, 1, 0, 1, 20,
		  "\x02\x04\x05\xb4\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02\x01\x03\x03\x07" },
		{ 1, 0, 0, 0, 4, "\x02\x04\x05\xb4" },
		{ 0, 0, 0, 1, 12, "\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02" },
		{ 0, 0, 0, 0, 0, "" },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tcp_hdr h = { .has_mss = cases[i].mss,
				     .mss = 1460,
				     .has_wscale = cases[i].wscale,
				     .wscale = 7,
				     .sack_permitted = cases[i].sack,
				     .has_ts = cases[i].ts,
				     .ts_val = 1,
				     .ts_ecr = 2 };
		uint8_t out[TCP_HDR_MAX];

		test_at("case %u", i);
		check_eq(tcp_options_len(&h), cases[i].len);
		check_eq(tcp_emit(&h, out), TCP_HDR_LEN + cases[i].len);
		check_eq(out[12] >> 4, 5 + cases[i].len / 4);
		check_mem(out + TCP_HDR_LEN, cases[i].bytes, cases[i].len);
	}
}

static void sack_blocks_fill_what_is_left(void)
{
	for (unsigned n = 0; n <= TCP_SACK_MAX; n++) {
		for (unsigned ts = 0; ts < 2; ts++) {
			struct tcp_hdr h = { .has_ts = ts, .n_sack = (uint8_t)n }, back;
			unsigned fit = MIN(n, ts ? 3 : 4);
			uint8_t out[TCP_HDR_MAX];
			size_t len;

			for (uint32_t i = 0; i < n; i++)
				h.sack[i] = (struct tcp_sack){ 100 * i, 100 * i + 50 };
			len = tcp_emit(&h, out);
			check_eq(len, TCP_HDR_LEN + tcp_options_len(&h));
			check_eq(tcp_options_len(&h), (ts ? 12 : 0) + (fit ? 4 + 8 * fit : 0));
			check(parse(&back, out, len) && back.n_sack == fit);
			check(fit == 0 || memcmp(back.sack, h.sack, fit * sizeof(h.sack[0])) == 0);
		}
	}
}

static void any_mixture_of_options_round_trips(void)
{
	static const uint8_t seed[32] = { 8 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t out[TCP_HDR_MAX], again[TCP_HDR_MAX];
		struct tcp_hdr h, back;
		size_t len;

		rand_bytes(&r, out, TCP_HDR_LEN);
		out[12] = 0x50 | (out[12] & 1);
		check(tcp_parse(&h, out, TCP_HDR_LEN));
		rand_bytes(&r, h.sack, sizeof(h.sack));
		h.has_mss = rand_below(&r, 2);
		h.mss = (uint16_t)rand_u32(&r);
		h.has_wscale = rand_below(&r, 2);
		h.wscale = (uint8_t)rand_u32(&r);
		h.sack_permitted = rand_below(&r, 2);
		h.has_ts = rand_below(&r, 2);
		h.ts_val = rand_u32(&r);
		h.n_sack = (uint8_t)rand_below(&r, 5);
		h.has_accecn = rand_below(&r, 2);
		h.accecn_order = (uint8_t)rand_below(&r, 2);
		h.n_accecn = (uint8_t)rand_below(&r, 4);
		h.accecn[TCP_ACCECN_CEB] = rand_u32(&r);
		len = tcp_emit(&h, out);
		check(len <= TCP_HDR_MAX && len % 4 == 0);
		check(parse(&back, out, len) && !back.bad_options);
		check(back.has_mss == h.has_mss && (!h.has_mss || back.mss == h.mss));
		check(back.has_wscale == h.has_wscale &&
		      (!h.has_wscale || back.wscale == h.wscale));
		check(back.sack_permitted == h.sack_permitted && back.has_ts == h.has_ts);
		check(!h.has_ts || (back.ts_val == h.ts_val && back.ts_ecr == h.ts_ecr));
		check(back.has_accecn == h.has_accecn &&
		      (!h.has_accecn ||
		       (back.accecn_order == h.accecn_order && back.n_accecn == h.n_accecn)));
		check(!h.has_accecn || h.n_accecn < 2 ||
		      back.accecn[TCP_ACCECN_CEB] == (h.accecn[TCP_ACCECN_CEB] & 0xffffff));
		check(back.n_sack <= h.n_sack && back.flags == h.flags && back.hdr_len == len);
		check_eq(tcp_emit(&back, again), len);
		check_mem(again, out, len);
	}
}

static void random_bytes_are_survived(void)
{
	static const uint8_t seed[32] = { 9 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 50000; i++) {
		uint8_t p[80];
		struct tcp_hdr h;

		rand_bytes(&r, p, sizeof(p));
		for (unsigned at = 20; at < 60; at++)
			p[at] = p[at] & 0x80 ? p[at] & 15 : p[at];
		if (parse(&h, p, rand_below(&r, sizeof(p))))
			check(h.hdr_len >= 20 && h.hdr_len <= 60 && h.n_sack <= TCP_SACK_MAX);
	}
}

static const struct test tests[] = {
	TEST(fields_are_read),
	TEST(data_offset_is_checked),
	TEST(every_kind_and_length_everywhere),
	TEST(accecn_of_every_length),
	TEST(accecn_is_written),
	TEST(what_came_before_a_bad_option_counts),
	TEST(lone_timestamps_are_the_same_by_either_way),
	TEST(sack_blocks_are_read),
	TEST(options_are_laid_out_like_linux),
	TEST(sack_blocks_fill_what_is_left),
	TEST(any_mixture_of_options_round_trips),
	TEST(random_bytes_are_survived),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
