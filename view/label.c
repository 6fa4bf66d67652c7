/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label.c - the words of a segment: flags, relative numbers, and the options that matter.
 */
#include "label.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void label_add(char buf[LABEL_MAX], const char *format, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + used, LABEL_MAX - used, format, ap);
	va_end(ap);
}

size_t label_break(const char *text, size_t columns)
{
	size_t fits = 0;
	bool in_brackets = false;

	for (size_t i = 0; i <= columns; i++) {
		if (text[i] == 0)
			return i;
		if (text[i] == ' ' && !in_brackets)
			fits = i;
		in_brackets = text[i] == '[' || (in_brackets && text[i] != ']');
	}
	return fits ? fits : columns;
}

char *label_time(char buf[TIME_TEXT_MAX], tern_time t, int decimals)
{
	char fraction[16];

	snprintf(fraction, sizeof(fraction), "%09u", (unsigned)(t % TERN_SEC));
	snprintf(buf, TIME_TEXT_MAX, "%" PRIu64 "%s%.*s", t / TERN_SEC, decimals ? "." : "",
		 decimals, fraction);
	return buf;
}

char *label_flags(char buf[FLAGS_TEXT_MAX], uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {
		{ TCP_SYN, "SYN" }, { TCP_FIN, "FIN" }, { TCP_RST, "RST" },
		{ TCP_PSH, "PSH" }, { TCP_URG, "URG" }, { TCP_ACK, "ACK" },
		{ TCP_ECE, "ECE" }, { TCP_CWR, "CWR" }, { TCP_AE, "AE" },
	};

	buf[0] = 0;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		if (!(flags & names[i].bit))
			continue;
		if (buf[0])
			strcat(buf, ",");
		strcat(buf, names[i].name);
	}
	return buf[0] ? buf : strcpy(buf, "none");
}

static void add_sack(char buf[LABEL_MAX], const struct flow *f, const struct segment *g)
{
	/* The blocks name what the other side sent, so they are relative to its numbers. */
	const struct flow_side *s = &f->side[f->to_itself ? 0 : 1 - g->from];

	for (int i = 0; i < g->tcp.n_sack; i++) {
		const struct tcp_sack *b = &g->tcp.sack[i];

		label_add(buf, "%s%" PRIu32 "-%" PRIu32, i ? "," : " sack=", b->lo - s->isn,
			  b->hi - s->isn);
	}
}

static void label_tcp(char buf[LABEL_MAX], const struct flow *f, const struct segment *g)
{
	const struct tcp_hdr *h = &g->tcp;
	char flags[FLAGS_TEXT_MAX];

	label_add(buf, "%s seq=%" PRId64, label_flags(flags, h->flags), g->seq);
	if (h->flags & TCP_ACK)
		label_add(buf, " ack=%" PRId64, g->ack);
	if (g->len)
		label_add(buf, " len=%" PRIu32, g->len);
	label_add(buf, " win=%" PRIu64, g->wnd);
	if (h->flags & TCP_URG)
		label_add(buf, " urg=%u", h->urg);
	if (h->has_mss)
		label_add(buf, " mss=%u", h->mss);
	if (h->has_wscale)
		label_add(buf, " ws=%u", h->wscale);
	if (h->sack_permitted)
		label_add(buf, " sack-ok");
	if (h->has_ts && (h->flags & TCP_SYN)) /* from then on every segment has it */
		label_add(buf, " ts");
	add_sack(buf, f, g);
}

struct icmp_name {
	uint8_t type;
	const char *name;
};

static const struct icmp_name icmp4_names[] = {
	{ ICMP4_ECHO_REPLY, "echo-reply" },
	{ ICMP4_UNREACHABLE, "unreachable" },
	{ ICMP4_SOURCE_QUENCH, "source-quench" },
	{ ICMP4_REDIRECT, "redirect" },
	{ ICMP4_ECHO, "echo-request" },
	{ ICMP4_TIME_EXCEEDED, "time-exceeded" },
	{ ICMP4_PARAMETER_PROBLEM, "parameter-problem" },
	{ 0, NULL },
};

static const struct icmp_name icmp6_names[] = {
	{ ICMP6_UNREACHABLE, "unreachable" },
	{ ICMP6_TOO_BIG, "packet-too-big" },
	{ ICMP6_TIME_EXCEEDED, "time-exceeded" },
	{ ICMP6_PARAMETER_PROBLEM, "parameter-problem" },
	{ ICMP6_ECHO, "echo-request" },
	{ ICMP6_ECHO_REPLY, "echo-reply" },
	{ ICMP6_ROUTER_SOLICIT, "router-solicitation" },
	{ ICMP6_ROUTER_ADVERT, "router-advertisement" },
	{ ICMP6_NEIGH_SOLICIT, "neighbour-solicitation" },
	{ ICMP6_NEIGH_ADVERT, "neighbour-advertisement" },
	{ ICMP6_REDIRECT, "redirect" },
	{ 130, "mld-query" }, /* RFC 2710, RFC 3810 */
	{ 131, "mld-report" },
	{ 132, "mld-done" },
	{ 143, "mld2-report" },
	{ 0, NULL },
};

static void label_icmp(char buf[LABEL_MAX], const struct flow *f, const struct segment *g)
{
	const struct icmp_name *n = f->proto == TERN_IPPROTO_ICMP ? icmp4_names : icmp6_names;
	const char *echo;

	while (n->name && n->type != g->icmp.type)
		n++;
	if (n->name)
		label_add(buf, "%s", n->name);
	else
		label_add(buf, "type=%u", g->icmp.type);
	echo = n->name ? strstr(n->name, "echo") : NULL;
	if (echo)
		label_add(buf, " id=%u seq=%u", g->icmp.rest >> 16, g->icmp.rest & 0xffff);
	else if (g->icmp.code)
		label_add(buf, " code=%u", g->icmp.code);
	label_add(buf, " len=%" PRIu32, g->len);
}

static void label_segment(char buf[LABEL_MAX], const struct flow *f, const struct segment *g)
{
	buf[0] = 0;
	if (f->proto == TERN_IPPROTO_TCP)
		label_tcp(buf, f, g);
	else if (f->proto == TERN_IPPROTO_UDP)
		label_add(buf, "UDP len=%" PRIu32, g->len);
	else
		label_icmp(buf, f, g);
}

void label_short(char buf[LABEL_MAX], const struct flow *f, const struct segment *g)
{
	char flags[FLAGS_TEXT_MAX];

	if (f->proto != TERN_IPPROTO_TCP) {
		label_segment(buf, f, g);
		return;
	}
	buf[0] = 0;
	label_add(buf, "%s seq=%" PRId64, label_flags(flags, g->tcp.flags), g->seq);
	if (!g->len && (g->tcp.flags & TCP_ACK))
		label_add(buf, " ack=%" PRId64, g->ack);
}

static void add_mark(char buf[LABEL_MAX], const char *name, const char *why)
{
	label_add(buf, " [%s%s%s]", name, why ? ": " : "", why ? why : "");
}

void label_add_sent_marks(char buf[LABEL_MAX], const struct segment *g)
{
	const char *cause = g->sent->text;

	if (g->marks & MARK_RETRANSMITTED)
		add_mark(buf, "retransmission", cause);
	else if (g->marks & MARK_PROBE)
		add_mark(buf, "probe", NULL);
	else if (g->marks & MARK_KEEPALIVE)
		add_mark(buf, "keepalive", NULL);
	else if (cause)
		add_mark(buf, cause, NULL);
	if (g->marks & MARK_GAP)
		add_mark(buf, "gap before it", NULL);
	if (g->marks & MARK_ZERO_WINDOW)
		add_mark(buf, "zero-window", NULL);
	if (g->marks & MARK_CORRUPTED)
		add_mark(buf, "corrupted", NULL);
	if (g->marks & MARK_CE)
		add_mark(buf, "CE", NULL);
}

void label_add_arrived_marks(char buf[LABEL_MAX], const struct segment *g)
{
	if (g->marks & MARK_OUT_OF_ORDER)
		add_mark(buf, "out-of-order", NULL);
	if (g->marks & MARK_DUPLICATE)
		add_mark(buf, "duplicate", NULL);
	if (g->dropped)
		add_mark(buf, "dropped", g->dropped);
}

void label_row(char buf[LABEL_MAX], const struct flow *f, const struct row *r)
{
	const struct segment *g = &f->segment[r->segment];

	label_segment(buf, f, g);
	label_add_sent_marks(buf, g);
	if (r->kind == ROW_ARROW)
		label_add_arrived_marks(buf, g);
}

void label_copy(char buf[LABEL_MAX], const struct flow *f, const struct row *r)
{
	label_short(buf, f, &f->segment[r->segment]);
	label_add(buf, " [copy]%s", r->step->duplicate ? " [duplicate]" : "");
	if (r->step->text)
		add_mark(buf, "dropped", r->step->text);
}

void label_timer(char buf[LABEL_MAX], const struct row *r)
{
	snprintf(buf, LABEL_MAX, "timer: %.40s", r->step->text);
}

static void add_count(char buf[LABEL_MAX], uint64_t n, const char *noun)
{
	label_add(buf, "%s%" PRIu64 " %s%s", buf[0] ? ", " : "", n, noun, n == 1 ? "" : "s");
}

static void add_fold_side(char buf[LABEL_MAX], const struct view_fold *f, int side)
{
	const char *arrow = side == 0 ? ">" : "<";

	if (f->n_data[side]) {
		add_count(buf, f->n_data[side], "segment");
		label_add(buf, " %" PRIu64 " bytes %s", f->n_bytes[side], arrow);
	}
	if (f->n_acks[side]) {
		add_count(buf, f->n_acks[side], "ACK");
		label_add(buf, " %s", arrow);
	}
}

void label_fold(char buf[LABEL_MAX], const struct view_fold *f)
{
	buf[0] = 0;
	add_fold_side(buf, f, 0);
	add_fold_side(buf, f, 1);
	if (f->n_lost)
		label_add(buf, ", %" PRIu64 " lost", f->n_lost);
	if (f->n_retransmitted[0] + f->n_retransmitted[1])
		label_add(buf, ", %" PRIu64 " retransmitted",
			  f->n_retransmitted[0] + f->n_retransmitted[1]);
}

const char *label_state_class(unsigned state)
{
	switch (state) {
	case TERN_TCP_CLOSED:
	case TERN_TCP_LISTEN:
		return "closed";
	case TERN_TCP_SYN_SENT:
	case TERN_TCP_SYN_RECEIVED:
		return "opening";
	case TERN_TCP_ESTABLISHED:
		return "open";
	case TERN_TCP_TIME_WAIT:
		return "waiting";
	default:
		return "closing";
	}
}

bool label_is_remarkable(const struct segment *s)
{
	return s->dropped || (s->marks & (MARK_RETRANSMITTED | MARK_CORRUPTED | MARK_OUT_OF_ORDER));
}

const char *label_fate(char *buf, size_t size, const struct segment *g)
{
	if (g->sent->lost)
		snprintf(buf, size, "lost: %.30s", g->sent->lost);
	else
		snprintf(buf, size, "%s", g->ignored ? "for others" : "not seen to arrive");
	return buf;
}
