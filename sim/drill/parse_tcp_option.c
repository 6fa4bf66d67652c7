/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_tcp_option.c - <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>, into the bytes on the wire.
 *
 * Also FO and FOEXP (RFC 7413, and with the experiment number it began with), md5 (RFC 2385), the
 * counters of Accurate ECN (RFC 9768) as Linux's scripts and as FreeBSD's write them, and any bytes
 * at all as `kind 253 len 4 1 2`.
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

static bool accept_any(struct parser *p)
{
	if (p->lx.kind != T_ELLIPSIS)
		return parse_accept(p, '*');
	lex_next(&p->lx);
	return true;
}

static bool parse_ts_part(struct parser *p, const char *word, bool *any, uint8_t *data)
{
	uint32_t v = 0;

	if (!parse_accept_word(p, word))
		return parse_expected(p, "'val' and 'ecr' of a timestamp");
	*any = accept_any(p);
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

/* 4ad2c3, behind what is in data already; none is fine. */
static bool parse_blob(struct parser *p, uint8_t *data, size_t *len, size_t max)
{
	struct slice t;

	if (p->lx.kind == T_INT || (p->lx.kind == T_BAD && hex_digit(*p->lx.start) >= 0))
		lex_as_word(&p->lx);
	if (p->lx.kind != T_WORD)
		return true;
	t = p->lx.text;
	if (t.len % 2 != 0 || *len + t.len / 2 > max)
		return parse_expected(p, "at most 16 bytes, two hexadecimal digits each");
	for (size_t i = 0; i < t.len; i += 2) {
		int high = hex_digit(t.text[i]), low = hex_digit(t.text[i + 1]);

		if (high < 0 || low < 0)
			return parse_expected(p, "hexadecimal digits");
		data[(*len)++] = (uint8_t)(high << 4 | low);
	}
	lex_next(&p->lx);
	return true;
}

static bool parse_fastopen(struct parser *p, struct packet *pkt)
{
	uint8_t data[16];
	size_t len = 0;

	return parse_blob(p, data, &len, sizeof(data)) && put(p, pkt, OPT_FASTOPEN, data, len);
}

static bool parse_old_fastopen(struct parser *p, struct packet *pkt)
{
	uint8_t data[2 + 16];
	size_t len = 2;

	put_be16(data, EXID_FASTOPEN);
	return parse_blob(p, data, &len, sizeof(data)) && put(p, pkt, OPT_EXPERIMENT, data, len);
}

static bool parse_md5(struct parser *p, struct packet *pkt)
{
	uint8_t data[16];
	size_t len = 0;

	if (!parse_blob(p, data, &len, sizeof(data)))
		return false;
	return len == sizeof(data) ? put(p, pkt, OPT_MD5, data, len) :
				     parse_expected(p, "a digest of 32 hexadecimal digits");
}

/* ---- Accurate ECN ---- */

/* Up to three counters of 24 bits, in the order of names; behind what is in data already. */
static bool parse_counters(struct parser *p, const char *const names[3], uint8_t *data, size_t *len)
{
	uint32_t v;

	for (int i = 0; i < 3 && parse_accept_word(p, names[i]); i++) {
		if (!parse_number(p, "a counter of 24 bits", 0xffffff, &v))
			return false;
		data[*len] = (uint8_t)(v >> 16);
		put_be16(data + *len + 1, (uint16_t)v);
		*len += 3;
	}
	return true;
}

/* ECN e0b 1 ceb 0 e1b 1, ECN e1b 1 ceb 0 e0b 1: which comes first tells the two kinds apart. */
static bool parse_ecn_counters(struct parser *p, struct packet *pkt)
{
	static const char *const order0[3] = { "e0b", "ceb", "e1b" };
	static const char *const order1[3] = { "e1b", "ceb", "e0b" };
	bool first = parse_is_word(p, "e0b");
	uint8_t data[9];
	size_t len = 0;

	return parse_counters(p, first ? order0 : order1, data, &len) &&
	       put(p, pkt, first ? OPT_ACCECN0 : OPT_ACCECN1, data, len);
}

/* AccECN0 EE0B 1 ECEB 0 EE1B 1, and AccECN1 the other way round; false in *known: neither. */
static bool parse_accecn(struct parser *p, struct packet *pkt, bool experiment, bool *known)
{
	static const char *const order0[3] = { "EE0B", "ECEB", "EE1B" };
	static const char *const order1[3] = { "EE1B", "ECEB", "EE0B" };
	bool first = parse_is_word(p, "AccECN0");
	uint8_t data[2 + 9];
	size_t len = 0;

	*known = first || parse_is_word(p, "AccECN1");
	if (!*known)
		return true;
	lex_next(&p->lx);
	if (experiment) {
		put_be16(data, first ? EXID_ACCECN0 : EXID_ACCECN1);
		len = 2;
	}
	if (!parse_counters(p, first ? order0 : order1, data, &len))
		return false;
	if (experiment)
		return put(p, pkt, OPT_EXPERIMENT, data, len);
	return put(p, pkt, first ? OPT_ACCECN0 : OPT_ACCECN1, data, len);
}

/* ---- any bytes ---- */

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

static bool parse_sack_ok(struct parser *p, struct packet *pkt)
{
	return put(p, pkt, OPT_SACK_OK, NULL, 0);
}

static bool parse_nop(struct parser *p, struct packet *pkt)
{
	return put(p, pkt, OPT_NOP, NULL, 0);
}

static bool parse_eol(struct parser *p, struct packet *pkt)
{
	return put(p, pkt, OPT_EOL, NULL, 0);
}

/* mpcapable, mp_join, dss4, add_address: the subtypes of RFC 8684, each with words of its own. */
static bool is_of_multipath(struct slice name)
{
	return name.len > 3 &&
	       (memcmp(name.text, "mp", 2) == 0 || memcmp(name.text, "dss", 3) == 0 ||
		memcmp(name.text, "add_", 4) == 0);
}

static bool parse_one(struct parser *p, struct packet *pkt)
{
	static const struct {
		const char *name;
		bool (*parse)(struct parser *, struct packet *);
	} known[] = {
		{ "nop", parse_nop },
		{ "eol", parse_eol },
		{ "mss", parse_mss },
		{ "wscale", parse_wscale },
		{ "sackOK", parse_sack_ok },
		{ "sack", parse_sack },
		{ "TS", parse_ts },
		{ "FO", parse_fastopen },
		{ "FOEXP", parse_old_fastopen },
		{ "md5", parse_md5 },
		{ "ECN", parse_ecn_counters },
		{ "kind", parse_kind },
	};
	bool experiment, is_accecn;

	for (size_t i = 0; i < N_ELEMENTS(known); i++)
		if (parse_accept_word(p, known[i].name))
			return known[i].parse(p, pkt);
	experiment = parse_accept_word(p, "exp");
	if (experiment && !parse_char(p, '-'))
		return false;
	if (!parse_accecn(p, pkt, experiment, &is_accecn))
		return false;
	if (is_accecn)
		return true;
	if (experiment || is_of_multipath(p->lx.text))
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
