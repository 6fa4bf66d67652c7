/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.c - the notation of one segment: S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>
 */
#include "drill.h"

#include <stdarg.h>
#include <string.h>

/* ---- parsing ---- */

static const struct {
	char letter;
	uint16_t flag;
} letters[] = {
	{ 'F', TCP_FIN }, { 'S', TCP_SYN }, { 'R', TCP_RST }, { 'P', TCP_PSH }, { '.', TCP_ACK },
	{ 'U', TCP_URG }, { 'E', TCP_ECE }, { 'W', TCP_CWR }, { 'A', TCP_AE },
};

static bool parse_flags(struct lexer *lx, struct drill_packet *p)
{
	bool any = false;

	lex_blank(lx);
	if (*lx->at == '-') {
		lx->at++;
		return true;
	}
	for (;; lx->at++) {
		size_t i = 0;

		while (i < N_ELEMENTS(letters) && letters[i].letter != *lx->at)
			i++;
		if (i == N_ELEMENTS(letters))
			break;
		p->h.flags |= letters[i].flag;
		any = true;
	}
	return any || lex_fail(lx, "flags (such as S. or P. or -), udp or icmp");
}

static bool parse_range(struct lexer *lx, struct drill_packet *p)
{
	uint64_t seq, end, len;

	if (!lex_number(lx, &seq) || !lex_expect(lx, ":") || !lex_number(lx, &end) ||
	    !lex_expect(lx, "(") || !lex_number(lx, &len) || !lex_expect(lx, ")"))
		return false;
	if ((uint32_t)(seq + len) != (uint32_t)end)
		return lex_fail(lx, "an end that is the beginning plus the length");
	if (len > 65000)
		return lex_fail(lx, "a length below 65000");
	p->h.seq = (uint32_t)seq;
	p->len = (uint32_t)len;
	return true;
}

static bool parse_sack(struct lexer *lx, struct drill_packet *p)
{
	uint64_t lo, hi;

	lex_blank(lx);
	while (*lx->at >= '0' && *lx->at <= '9') {
		if (p->h.n_sack == TCP_SACK_MAX)
			return lex_fail(lx, "at most four SACK blocks");
		if (!lex_number(lx, &lo) || !lex_expect(lx, ":") || !lex_number(lx, &hi))
			return false;
		p->h.sack[p->h.n_sack++] = (struct tcp_sack){ (uint32_t)lo, (uint32_t)hi };
		lex_blank(lx);
	}
	return true;
}

static bool parse_timestamps(struct lexer *lx, struct drill_packet *p)
{
	uint64_t val = 0, ecr;

	if (!lex_expect(lx, "val"))
		return false;
	if (lex_is(lx, "*"))
		p->any_ts_val = true;
	else if (!lex_number(lx, &val))
		return false;
	if (!lex_expect(lx, "ecr") || !lex_number(lx, &ecr))
		return false;
	p->h.has_ts = true;
	p->h.ts_val = (uint32_t)val;
	p->h.ts_ecr = (uint32_t)ecr;
	return true;
}

/* An option by its number: "kind 200 0102" gives kind, length and these bytes. */
static bool parse_raw_option(struct lexer *lx, struct drill_packet *p)
{
	uint64_t kind, len, byte;

	if (!lex_number(lx, &kind) || !lex_expect(lx, "len") || !lex_number(lx, &len))
		return false;
	if (p->n_raw + 2 > 40)
		return lex_fail(lx, "at most 40 bytes of options");
	p->raw[p->n_raw++] = (uint8_t)kind;
	p->raw[p->n_raw++] = (uint8_t)len;
	lex_blank(lx);
	while (*lx->at >= '0' && *lx->at <= '9') {
		if (!lex_number(lx, &byte))
			return false;
		if (p->n_raw == 40)
			return lex_fail(lx, "at most 40 bytes of options");
		p->raw[p->n_raw++] = (uint8_t)byte;
		lex_blank(lx);
	}
	return true;
}

static bool parse_option(struct lexer *lx, struct drill_packet *p)
{
	uint64_t v;

	if (lex_is(lx, "...")) {
		p->any_options = true;
	} else if (lex_is(lx, "mss")) {
		p->h.has_mss = lex_number(lx, &v);
		p->h.mss = (uint16_t)v;
	} else if (lex_is(lx, "wscale")) {
		p->h.has_wscale = lex_number(lx, &v);
		p->h.wscale = (uint8_t)v;
	} else if (lex_is(lx, "sackOK")) {
		p->h.sack_permitted = true;
	} else if (lex_is(lx, "sack")) {
		return parse_sack(lx, p);
	} else if (lex_is(lx, "TS")) {
		return parse_timestamps(lx, p);
	} else if (lex_is(lx, "kind")) {
		return parse_raw_option(lx, p);
	} else if (!lex_is(lx, "nop") && !lex_is(lx, "eol")) {
		return lex_unsupported(lx, "this TCP option");
	}
	return !lx->error;
}

static bool parse_options(struct lexer *lx, struct drill_packet *p)
{
	if (!lex_is(lx, "<"))
		return true;
	do {
		if (!parse_option(lx, p))
			return false;
	} while (lex_is(lx, ","));
	return lex_expect(lx, ">");
}

static bool parse_tcp(struct lexer *lx, struct drill_packet *p)
{
	uint64_t v;

	p->proto = DRILL_TCP;
	p->any_win = true;
	if (!parse_flags(lx, p) || !parse_range(lx, p))
		return false;
	if (lex_is(lx, "ack")) {
		if (!lex_number(lx, &v))
			return false;
		p->h.ack = (uint32_t)v;
	}
	if (lex_is(lx, "win") && !lex_is(lx, "*")) {
		if (!lex_number(lx, &v))
			return false;
		p->any_win = false;
		p->h.wnd = (uint16_t)v;
	}
	if (lex_is(lx, "urg")) {
		if (!lex_number(lx, &v))
			return false;
		p->h.urg = (uint16_t)v;
	}
	return parse_options(lx, p);
}

static const struct {
	const char *name;
	uint8_t type4, code4, type6, code6; /* 255: not in this family */
} icmp_names[] = {
	{ "net_unreachable", 3, 0, 1, 0 },	 { "host_unreachable", 3, 1, 1, 3 },
	{ "protocol_unreachable", 3, 2, 4, 1 },	 { "port_unreachable", 3, 3, 1, 4 },
	{ "frag_needed", 3, 4, 2, 0 },		 { "packet_too_big", 3, 4, 2, 0 },
	{ "source_route_failed", 3, 5, 255, 0 }, { "address_unreachable", 3, 1, 1, 3 },
	{ "admin_prohibited", 3, 13, 1, 1 },	 { "ttl_exceeded", 11, 0, 3, 0 },
	{ "source_quench", 4, 0, 255, 0 },	 { "parameter_problem", 12, 0, 4, 0 },
};

/* icmp unreachable port_unreachable [1:1001(1000)] */
static bool parse_icmp(struct lexer *lx, struct drill_packet *p, bool v6)
{
	char word[32];
	uint64_t v;
	size_t i = 0;

	p->proto = DRILL_ICMP;
	lex_word(lx, word, sizeof(word));
	if (strcmp(word, "unreachable") == 0)
		lex_word(lx, word, sizeof(word));
	while (i < N_ELEMENTS(icmp_names) && strcmp(icmp_names[i].name, word) != 0)
		i++;
	if (i == N_ELEMENTS(icmp_names))
		return lex_unsupported(lx, "this ICMP message");
	p->icmp_type = v6 ? icmp_names[i].type6 : icmp_names[i].type4;
	p->icmp_code = v6 ? icmp_names[i].code6 : icmp_names[i].code4;
	if (lex_is(lx, "mtu")) {
		if (!lex_number(lx, &v))
			return false;
		p->icmp_mtu = (uint32_t)v;
	}
	return lex_expect(lx, "[") && parse_range(lx, p) && lex_expect(lx, "]");
}

bool packet_parse(struct lexer *lx, struct drill_packet *p)
{
	uint64_t len;

	*p = (struct drill_packet){ .proto = DRILL_TCP };
	if (lex_is(lx, "udp")) {
		p->proto = DRILL_UDP;
		if (!lex_expect(lx, "(") || !lex_number(lx, &len) || !lex_expect(lx, ")"))
			return false;
		p->len = (uint32_t)(len < 65000 ? len : 65000);
		return true;
	}
	if (lex_is(lx, "icmpv6"))
		return parse_icmp(lx, p, true);
	if (lex_is(lx, "icmp"))
		return parse_icmp(lx, p, false);
	return parse_tcp(lx, p);
}

/* ---- formatting ---- */

struct text {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buf + t->len, t->size - t->len, format, ap);
	va_end(ap);
	if (n > 0)
		t->len = t->len + (size_t)n < t->size ? t->len + (size_t)n : t->size - 1;
}

static void add_options(struct text *t, const struct drill_packet *p)
{
	const struct tcp_hdr *h = &p->h;
	const char *comma = "";

	if (p->any_options) {
		add(t, " <...>");
		return;
	}
	if (!h->has_mss && !h->has_wscale && !h->sack_permitted && !h->has_ts && !h->n_sack)
		return;
	add(t, " <");
	if (h->has_mss)
		add(t, "mss %u", h->mss), comma = ",";
	if (h->sack_permitted)
		add(t, "%ssackOK", comma), comma = ",";
	if (h->has_ts)
		add(t, "%sTS val %u ecr %u", comma, h->ts_val, h->ts_ecr), comma = ",";
	if (h->has_wscale)
		add(t, "%swscale %u", comma, h->wscale), comma = ",";
	if (h->n_sack)
		add(t, "%ssack", comma);
	for (int i = 0; i < h->n_sack; i++)
		add(t, " %u:%u", h->sack[i].lo, h->sack[i].hi);
	add(t, ">");
}

char *packet_format(const struct drill_packet *p, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };

	if (p->proto == DRILL_UDP) {
		add(&t, "udp (%u)", p->len);
		return buf;
	}
	if (p->proto == DRILL_ICMP) {
		add(&t, "icmp type %u code %u [%u:%u(%u)]", p->icmp_type, p->icmp_code, p->h.seq,
		    p->h.seq + p->len, p->len);
		return buf;
	}
	for (size_t i = 0; i < N_ELEMENTS(letters); i++)
		if (p->h.flags & letters[i].flag)
			add(&t, "%c", letters[i].letter);
	if (p->h.flags == 0)
		add(&t, "-");
	add(&t, " %u:%u(%u)", p->h.seq, p->h.seq + p->len, p->len);
	if (p->h.flags & TCP_ACK)
		add(&t, " ack %u", p->h.ack);
	if (!p->any_win)
		add(&t, " win %u", p->h.wnd);
	if (p->h.flags & TCP_URG)
		add(&t, " urg %u", p->h.urg);
	add_options(&t, p);
	return buf;
}

/* ---- comparing ---- */

static const char *options_differ(const struct drill_packet *want, const struct drill_packet *got)
{
	const struct tcp_hdr *w = &want->h, *g = &got->h;

	if (want->any_options)
		return NULL;
	if (w->has_mss != g->has_mss || (w->has_mss && w->mss != g->mss))
		return "the MSS option differs";
	if (w->has_wscale != g->has_wscale || (w->has_wscale && w->wscale != g->wscale))
		return "the window scale option differs";
	if (w->sack_permitted != g->sack_permitted)
		return "the SACK-permitted option differs";
	if (w->has_ts != g->has_ts)
		return "the timestamps option differs";
	if (w->has_ts && !want->any_ts_val && w->ts_val != g->ts_val)
		return "the timestamp value differs";
	if (w->has_ts && w->ts_ecr != g->ts_ecr)
		return "the timestamp echo differs";
	if (w->n_sack != g->n_sack)
		return "the SACK blocks differ";
	for (int i = 0; i < w->n_sack; i++)
		if (w->sack[i].lo != g->sack[i].lo || w->sack[i].hi != g->sack[i].hi)
			return "the SACK blocks differ";
	return NULL;
}

const char *packet_differs(const struct drill_packet *want, const struct drill_packet *got)
{
	if (want->proto != got->proto)
		return "the protocol differs";
	if (want->proto == DRILL_UDP)
		return want->len == got->len ? NULL : "the length differs";
	if (want->proto == DRILL_ICMP)
		return want->icmp_type == got->icmp_type && want->icmp_code == got->icmp_code ?
			       NULL :
			       "the ICMP message differs";
	if (want->h.flags != got->h.flags)
		return "the flags differ";
	if (want->h.seq != got->h.seq || want->len != got->len)
		return "the sequence range differs";
	if ((want->h.flags & TCP_ACK) && want->h.ack != got->h.ack)
		return "the acknowledgment number differs";
	if (!want->any_win && want->h.wnd != got->h.wnd)
		return "the window differs";
	if ((want->h.flags & TCP_URG) && want->h.urg != got->h.urg)
		return "the urgent pointer differs";
	return options_differ(want, got);
}
