/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_tcp_option.c - <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>, into the bytes on the wire.
 */
#include <string.h>

#include "parse.h"

static bool put(struct parser *p, struct packet *pkt, uint8_t kind, const uint8_t *data, size_t len)
{
	bool single = kind == OPT_NOP || kind == OPT_EOL;
	size_t size = single ? 1 : 2 + len;

	if (pkt->options_len + size > TCP_OPTIONS_MAX)
		return parse_wrong(p, "more than 40 bytes of TCP options");
	pkt->options[pkt->options_len] = kind;
	if (!single) {
		pkt->options[pkt->options_len + 1] = (uint8_t)size;
		if (len > 0)
			memcpy(pkt->options + pkt->options_len + 2, data, len);
	}
	pkt->options_len += (uint8_t)size;
	return true;
}

static bool parse_mss(struct parser *p, struct packet *pkt)
{
	uint8_t data[2];
	uint32_t v;

	if (!parse_number(p, "a segment size", 65535, &v))
		return false;
	put_be16(data, (uint16_t)v);
	return put(p, pkt, OPT_MSS, data, sizeof(data));
}

static bool parse_wscale(struct parser *p, struct packet *pkt)
{
	uint8_t data[1];
	uint32_t v;

	if (!parse_number(p, "a shift count", 255, &v))
		return false;
	data[0] = (uint8_t)v;
	return put(p, pkt, OPT_WSCALE, data, sizeof(data));
}

static bool parse_sack(struct parser *p, struct packet *pkt)
{
	uint8_t data[TCP_OPTIONS_MAX];
	uint32_t lo, hi;
	size_t len = 0;

	do {
		if (!parse_number(p, "the left edge of a block", UINT32_MAX, &lo) ||
		    !parse_char(p, ':') ||
		    !parse_number(p, "the right edge of a block", UINT32_MAX, &hi))
			return false;
		if (len + 8 > sizeof(data))
			return parse_wrong(p, "too many SACK blocks");
		put_be32(data + len, lo);
		put_be32(data + len + 4, hi);
		len += 8;
	} while (p->lx.kind == T_INT);
	return put(p, pkt, OPT_SACK, data, len);
}

static bool parse_ts_part(struct parser *p, const char *word, bool *any, uint8_t *data)
{
	uint32_t v = 0;

	if (!parse_accept_word(p, word))
		return parse_expected(p, "'val' and 'ecr' of a timestamp");
	*any = parse_accept(p, '*');
	if (!*any && !parse_number(p, "a timestamp", UINT32_MAX, &v))
		return false;
	put_be32(data, v);
	return true;
}

static bool parse_ts(struct parser *p, struct packet *pkt)
{
	uint8_t data[8];

	if (!parse_ts_part(p, "val", &pkt->any_ts_val, data) ||
	    !parse_ts_part(p, "ecr", &pkt->any_ts_ecr, data + 4))
		return false;
	if (pkt->inbound && (pkt->any_ts_val || pkt->any_ts_ecr))
		return parse_wrong(p, "an injected timestamp needs its values");
	return put(p, pkt, OPT_TS, data, sizeof(data));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* FO, FO 4ad2c3 */
static bool parse_fastopen(struct parser *p, struct packet *pkt)
{
	uint8_t data[16];
	size_t len = 0;

	if (p->lx.kind == T_WORD || p->lx.kind == T_INT) {
		struct slice t = p->lx.text;

		if (t.len % 2 != 0 || t.len / 2 > sizeof(data))
			return parse_expected(p, "a cookie of at most 16 bytes");
		for (; len < t.len / 2; len++) {
			int high = hex_digit(t.text[2 * len]);
			int low = hex_digit(t.text[2 * len + 1]);

			if (high < 0 || low < 0)
				return parse_expected(p, "a cookie in hexadecimal digits");
			data[len] = (uint8_t)(high << 4 | low);
		}
		lex_next(&p->lx);
	}
	return put(p, pkt, OPT_FASTOPEN, data, len);
}

static bool put_byte(struct parser *p, struct packet *pkt, const char *what)
{
	uint32_t v;

	if (!parse_number(p, what, 255, &v))
		return false;
	if (pkt->options_len == TCP_OPTIONS_MAX)
		return parse_wrong(p, "more than 40 bytes of TCP options");
	pkt->options[pkt->options_len++] = (uint8_t)v;
	return true;
}

/* tern's own notation: "kind 253 len 4 1 2" is these bytes, however wrong; padded with zeroes. */
static bool parse_kind(struct parser *p, struct packet *pkt)
{
	if (!put_byte(p, pkt, "the kind of an option"))
		return false;
	if (!parse_accept_word(p, "len"))
		return parse_expected(p, "'len'");
	if (!put_byte(p, pkt, "the length of an option"))
		return false;
	while (p->lx.kind == T_INT)
		if (!put_byte(p, pkt, "a byte of an option"))
			return false;
	while (pkt->options_len % 4 != 0)
		pkt->options[pkt->options_len++] = OPT_EOL;
	return true;
}

static bool parse_one(struct parser *p, struct packet *pkt)
{
	if (parse_accept_word(p, "kind"))
		return parse_kind(p, pkt);
	if (parse_accept_word(p, "nop"))
		return put(p, pkt, OPT_NOP, NULL, 0);
	if (parse_accept_word(p, "eol"))
		return put(p, pkt, OPT_EOL, NULL, 0);
	if (parse_accept_word(p, "sackOK"))
		return put(p, pkt, OPT_SACK_OK, NULL, 0);
	if (parse_accept_word(p, "mss"))
		return parse_mss(p, pkt);
	if (parse_accept_word(p, "wscale"))
		return parse_wscale(p, pkt);
	if (parse_accept_word(p, "sack"))
		return parse_sack(p, pkt);
	if (parse_accept_word(p, "TS"))
		return parse_ts(p, pkt);
	if (parse_accept_word(p, "FO"))
		return parse_fastopen(p, pkt);
	if (parse_is_word(p, "md5") || parse_is_word(p, "FOEXP") || parse_is_word(p, "exp") ||
	    parse_is_word(p, "accecn") || parse_is_word(p, "mp_capable"))
		return parse_unsupported(p, "this TCP option");
	return parse_expected(p, "a TCP option");
}

bool parse_tcp_options(struct parser *p, struct packet *pkt)
{
	if (p->lx.kind == T_ELLIPSIS) {
		if (pkt->inbound)
			return parse_wrong(p, "<...> is for expected packets only");
		pkt->any_options = true;
		lex_next(&p->lx);
		return parse_char(p, '>');
	}
	do
		if (!parse_one(p, pkt))
			return false;
	while (parse_accept(p, ','));
	if (pkt->options_len % 4 != 0)
		return parse_wrong(p, "TCP options must fill words of 4 bytes: add nop");
	return parse_char(p, '>');
}
