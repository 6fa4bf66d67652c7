/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_wire.c - the TCP header and its options.
 *
 * Options are written in groups padded to four bytes, in Linux's order; the commonest layout, a
 * lone timestamp behind two NOPs, is recognised by one compare.
 *
 * Sources: RFC 9293 3.1, 3.2 (MSS); RFC 7323 2.2, 3.2 and appendix A (window scale, timestamps);
 * RFC 2018 2, 3 (SACK); RFC 7413 4.1.1 (Fast Open); RFC 9768 3.2.3 (AccECN).
 */
#include "wire.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_PERMITTED = 4,
	OPT_SACK = 5,
	OPT_TIMESTAMPS = 8,
	OPT_FAST_OPEN = 34,
	OPT_ACCECN0 = 172,
	OPT_ACCECN1 = 174
};
enum { MSS_LEN = 4, WSCALE_LEN = 3, SACK_PERMITTED_LEN = 2, TIMESTAMPS_LEN = 10 };
enum { ACCECN_FIELD_LEN = 3 };
enum { OPTIONS_MAX = TCP_HDR_MAX - TCP_HDR_LEN, SACK_BLOCK_LEN = 8 };

_Static_assert(TCP_TIMESTAMPS_ALONE ==
		       (OPT_NOP << 24 | OPT_NOP << 16 | OPT_TIMESTAMPS << 8 | TIMESTAMPS_LEN),
	       "");

static void read_timestamps(struct tcp_hdr *h, const uint8_t *p)
{
	h->has_ts = true;
	h->ts_val = get_be32(p);
	h->ts_ecr = get_be32(p + 4);
}

static void read_sack(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	size_t n = len / SACK_BLOCK_LEN;

	if (n == 0 || n > TCP_SACK_MAX || len % SACK_BLOCK_LEN != 0)
		return;
	h->n_sack = (uint8_t)n;
	for (size_t i = 0; i < n; i++, p += SACK_BLOCK_LEN)
		h->sack[i] = (struct tcp_sack){ get_be32(p), get_be32(p + 4) };
}

/* RFC 7413 4.1.1: none, or an even number of bytes from 4 to 16; in a SYN alone. */
static void read_cookie(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	if (!(h->flags & TCP_SYN) || len > TCP_COOKIE_MAX || len % 2 ||
	    (len > 0 && len < TCP_COOKIE_MIN))
		return;
	h->has_cookie = true;
	h->cookie_len = (uint8_t)len;
	memcpy(h->cookie, p, len);
}

/* Which counter is the i-th. */
static enum tcp_accecn_field nth_accecn_field(unsigned order, unsigned i)
{
	return (enum tcp_accecn_field)(order ? TCP_ACCECN_E1B - i : i);
}

/* Whole fields count, whatever the length (RFC 9768 3.2.3). */
static void read_accecn(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	h->has_accecn = true;
	h->accecn_order = p[0] == OPT_ACCECN1;
	h->n_accecn = (uint8_t)MIN((len - 2) / ACCECN_FIELD_LEN, (size_t)TCP_ACCECN_MAX);
	for (unsigned i = 0; i < h->n_accecn; i++) {
		const uint8_t *f = p + 2 + i * ACCECN_FIELD_LEN;

		h->accecn[nth_accecn_field(h->accecn_order, i)] =
			(uint32_t)f[0] << 16 | (uint32_t)f[1] << 8 | f[2];
	}
}

/* One option of len bytes, kind and length included. */
static void read_option(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	switch (p[0]) {
	case OPT_MSS:
		if (len == MSS_LEN) {
			h->has_mss = true;
			h->mss = get_be16(p + 2);
		}
		break;
	case OPT_WSCALE:
		if (len == WSCALE_LEN) {
			h->has_wscale = true;
			h->wscale = p[2];
		}
		break;
	case OPT_SACK_PERMITTED:
		if (len == SACK_PERMITTED_LEN)
			h->sack_permitted = true;
		break;
	case OPT_SACK:
		read_sack(h, p + 2, len - 2);
		break;
	case OPT_TIMESTAMPS:
		if (len == TIMESTAMPS_LEN)
			read_timestamps(h, p + 2);
		break;
	case OPT_FAST_OPEN:
		read_cookie(h, p + 2, len - 2);
		break;
	case OPT_ACCECN0:
	case OPT_ACCECN1:
		read_accecn(h, p, len);
		break;
	}
}

static void parse_tcp_options(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	while (len > 0 && p[0] != OPT_END) {
		size_t opt_len = 1;

		if (p[0] != OPT_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len) {
				h->bad_options = true;
				return;
			}
			opt_len = p[1];
			read_option(h, p, opt_len);
		}
		p += opt_len;
		len -= opt_len;
	}
}

bool tcp_parse(struct tcp_hdr *h, const uint8_t *p, size_t len)
{
	size_t hdr_len;

	if (len < TCP_HDR_LEN)
		return false;
	hdr_len = (p[12] >> 4) * 4u;
	if (hdr_len < TCP_HDR_LEN || hdr_len > len)
		return false;
	tcp_hdr_init(h);
	h->src_port = get_be16(p);
	h->dst_port = get_be16(p + 2);
	h->seq = get_be32(p + 4);
	h->ack = get_be32(p + 8);
	h->flags = get_be16(p + 12) & 0x1ff;
	h->wnd = get_be16(p + 14);
	h->checksum = get_be16(p + 16);
	h->urg = get_be16(p + 18);
	h->hdr_len = (uint8_t)hdr_len;
	if (hdr_len == TCP_HDR_LEN)
		return true;
	p += TCP_HDR_LEN;
	if (hdr_len == TCP_HDR_LEN + TCP_TIMESTAMPS_LEN && get_be32(p) == TCP_TIMESTAMPS_ALONE)
		read_timestamps(h, p + 4);
	else
		parse_tcp_options(h, p, hdr_len - TCP_HDR_LEN);
	return true;
}

static size_t cookie_option_len(const struct tcp_hdr *h)
{
	return (2u + h->cookie_len + 3u) & ~(size_t)3;
}

/* With its padding. */
size_t tcp_accecn_len(unsigned n)
{
	return (2 + n * ACCECN_FIELD_LEN + 3) & ~(size_t)3;
}

/* Options that come before SACK blocks. */
static size_t len_before_sack(const struct tcp_hdr *h)
{
	size_t len = h->has_mss ? MSS_LEN : 0;

	if (h->has_ts)
		len += 2 + TIMESTAMPS_LEN;
	else if (h->sack_permitted)
		len += 2 + SACK_PERMITTED_LEN;
	if (h->has_cookie)
		len += cookie_option_len(h);
	if (h->has_accecn)
		len += tcp_accecn_len(h->n_accecn);
	return len + (h->has_wscale ? 1 + WSCALE_LEN : 0);
}

static size_t sacks_that_fit(const struct tcp_hdr *h, size_t len)
{
	return MIN((size_t)h->n_sack, (OPTIONS_MAX - 4 - len) / SACK_BLOCK_LEN);
}

size_t tcp_len_of_options(const struct tcp_hdr *h)
{
	size_t len = len_before_sack(h), n = sacks_that_fit(h, len);

	return n ? len + 4 + n * SACK_BLOCK_LEN : len;
}

static uint8_t *put4(uint8_t *p, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	p[0] = a;
	p[1] = b;
	p[2] = c;
	p[3] = d;
	return p + 4;
}

/* SACK-permitted sits where the padding of the timestamps would be. */
static uint8_t *emit_timestamps(const struct tcp_hdr *h, uint8_t *p)
{
	uint8_t a = OPT_NOP, b = OPT_NOP;

	if (h->sack_permitted) {
		a = OPT_SACK_PERMITTED;
		b = SACK_PERMITTED_LEN;
	}
	p = put4(p, a, b, OPT_TIMESTAMPS, TIMESTAMPS_LEN);
	put_be32(p, h->ts_val);
	put_be32(p + 4, h->ts_ecr);
	return p + 8;
}

static uint8_t *emit_cookie(const struct tcp_hdr *h, uint8_t *p)
{
	size_t len = cookie_option_len(h);

	memset(p, OPT_NOP, len);
	p[0] = OPT_FAST_OPEN;
	p[1] = (uint8_t)(2 + h->cookie_len);
	memcpy(p + 2, h->cookie, h->cookie_len);
	return p + len;
}

static uint8_t *emit_accecn(const struct tcp_hdr *h, uint8_t *p)
{
	uint8_t *end = p + tcp_accecn_len(h->n_accecn);

	*p++ = h->accecn_order ? OPT_ACCECN1 : OPT_ACCECN0;
	*p++ = (uint8_t)(2 + h->n_accecn * ACCECN_FIELD_LEN);
	for (unsigned i = 0; i < h->n_accecn; i++) {
		uint32_t v = h->accecn[nth_accecn_field(h->accecn_order, i)];

		*p++ = (uint8_t)(v >> 16);
		*p++ = (uint8_t)(v >> 8);
		*p++ = (uint8_t)v;
	}
	while (p < end)
		*p++ = OPT_NOP;
	return p;
}

static uint8_t *emit_sack(const struct tcp_hdr *h, uint8_t *p, size_t n)
{
	p = put4(p, OPT_NOP, OPT_NOP, OPT_SACK, (uint8_t)(2 + n * SACK_BLOCK_LEN));
	for (size_t i = 0; i < n; i++, p += SACK_BLOCK_LEN) {
		put_be32(p, h->sack[i].lo);
		put_be32(p + 4, h->sack[i].hi);
	}
	return p;
}

uint8_t *tcp_emit_options(const struct tcp_hdr *h, uint8_t *p)
{
	size_t n_sack = sacks_that_fit(h, len_before_sack(h));

	if (h->has_mss)
		p = put4(p, OPT_MSS, MSS_LEN, (uint8_t)(h->mss >> 8), (uint8_t)h->mss);
	if (h->has_ts)
		p = emit_timestamps(h, p);
	if (h->has_accecn)
		p = emit_accecn(h, p);
	if (h->sack_permitted && !h->has_ts)
		p = put4(p, OPT_NOP, OPT_NOP, OPT_SACK_PERMITTED, SACK_PERMITTED_LEN);
	if (h->has_wscale)
		p = put4(p, OPT_NOP, OPT_WSCALE, WSCALE_LEN, h->wscale);
	if (h->has_cookie)
		p = emit_cookie(h, p);
	if (n_sack)
		p = emit_sack(h, p, n_sack);
	return p;
}
