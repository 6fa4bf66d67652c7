/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_text.c - packets as scripts write them, in columns, so that two can be compared by eye.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "packet.h"

enum { COLUMNS = 9, COLUMN_MAX = 200 };
enum { C_DIRECTION, C_IP, C_PORTS, C_KIND, C_SEQ, C_ACK, C_WIN, C_URG, C_OPTIONS };

typedef char column_text[COLUMN_MAX];

static void add(char *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *buf, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + len, COLUMN_MAX - len, format, ap);
	va_end(ap);
}

static void put_ip_info(const struct packet *p, char *out)
{
	static const char *const ecn[] = { "noecn", "ect1", "ect0", "ce" };
	const char *comma = "";

	if (p->tos_check == TOS_WHOLE)
		add(out, "(tos %#x", p->tos);
	else if (p->tos_check == TOS_ECN)
		add(out, "(%s", ecn[p->tos & 3]);
	else if (p->tos_check == TOS_ECT01)
		add(out, "(ect01");
	else if (p->tos_check == TOS_DSCP)
		add(out, "(dscp %#x", p->tos >> 2);
	comma = out[0] ? "," : "(";
	if (p->ttl) {
		add(out, "%sttl %u", comma, p->ttl);
		comma = ",";
	}
	if (p->flow_label)
		add(out, "%sflowlabel %#x", comma, p->flow_label);
	if (out[0])
		add(out, ")");
}

static void put_flags(uint16_t flags, char *out)
{
	static const char letters[] = "SFRPUEWA."; /* in the order of packetdrill */

	for (const char *l = letters; *l; l++)
		if (flags & packet_flag(*l))
			add(out, "%c", *l);
	if (!flags)
		add(out, "-");
}

static void put_sack(const struct option_at *o, char *out)
{
	add(out, "sack");
	for (unsigned i = 0; i + 8 <= o->len - 2u; i += 8)
		add(out, " %u:%u", get_be32(o->data + i), get_be32(o->data + i + 4));
}

static void put_ts(const struct packet *p, const struct option_at *o, char *out)
{
	if (p->any_ts_val)
		add(out, "TS val *");
	else
		add(out, "TS val %u", get_be32(o->data));
	if (p->any_ts_ecr)
		add(out, " ecr *");
	else
		add(out, " ecr %u", get_be32(o->data + 4));
}

static void put_blob(const char *name, const uint8_t *data, unsigned len, char *out)
{
	add(out, len ? "%s " : "%s", name);
	for (unsigned i = 0; i < len; i++)
		add(out, "%02x", data[i]);
}

/* The counters of Accurate ECN; `first`: that of ECT(0) comes first. */
static void put_counters(const struct option_at *o, bool first, char *out)
{
	const char *const names[3] = { first ? "e0b" : "e1b", "ceb", first ? "e1b" : "e0b" };

	add(out, "ECN");
	for (unsigned i = 0; i < 3 && 3 * i + 5 <= o->len; i++)
		add(out, " %s %u", names[i],
		    (unsigned)o->data[3 * i] << 16 | get_be16(o->data + 3 * i + 1));
}

/* As `kind 253 len 4 1 2`. */
static void put_raw_option(const struct option_at *o, char *out)
{
	add(out, "kind %u len %u", o->kind, o->len);
	for (unsigned i = 0; i + 2 < o->len; i++)
		add(out, " %u", o->data[i]);
}

static void put_odd_option(const struct option_at *o, char *out)
{
	unsigned len = o->len - 2u;

	if (o->kind == OPT_FASTOPEN)
		put_blob("FO", o->data, len, out);
	else if (o->kind == OPT_MD5 && len == 16)
		put_blob("md5", o->data, len, out);
	else if ((o->kind == OPT_ACCECN0 || o->kind == OPT_ACCECN1) && len % 3 == 0 && len <= 9)
		put_counters(o, o->kind == OPT_ACCECN0, out);
	else if (o->kind == OPT_EXPERIMENT && len >= 2 && get_be16(o->data) == EXID_FASTOPEN)
		put_blob("FOEXP", o->data + 2, len - 2, out);
	else
		put_raw_option(o, out);
}

static void put_option(const struct packet *p, const struct option_at *o, char *out)
{
	if (o->kind == OPT_EOL)
		add(out, "eol");
	else if (o->kind == OPT_NOP)
		add(out, "nop");
	else if (o->kind == OPT_MSS && o->len == 4)
		add(out, "mss %u", get_be16(o->data));
	else if (o->kind == OPT_WSCALE && o->len == 3)
		add(out, "wscale %u", o->data[0]);
	else if (o->kind == OPT_SACK_OK && o->len == 2)
		add(out, "sackOK");
	else if (o->kind == OPT_SACK)
		put_sack(o, out);
	else if (o->kind == OPT_TS && o->len == 10)
		put_ts(p, o, out);
	else
		put_odd_option(o, out);
}

static void put_options(const struct packet *given, char *out)
{
	struct packet p = *given;
	struct option_at o;
	unsigned pos = 0;

	if (p.any_options) {
		add(out, "<...>");
		return;
	}
	if (p.options_len == 0)
		return;
	while (option_next(p.options, p.options_len, &pos, &o)) {
		add(out, out[0] ? "," : "<");
		put_option(&p, &o, out);
	}
	add(out, pos < p.options_len ? " malformed>" : ">");
}

static void put_icmp(const struct packet *p, int family, column_text c[COLUMNS])
{
	char type[40], code[40];

	icmp_type_name(family, p->type, type);
	icmp_code_name(family, p->type, p->code, code);
	add(c[C_KIND], "icmp %s%s%s", type, code[0] ? " " : "", code);
	if (p->has_mtu)
		add(c[C_SEQ], "mtu %u", p->mtu);
	if (p->id)
		add(c[C_SEQ], "id %u", p->id);
	if (p->quoted == TERN_IPPROTO_TCP)
		add(c[C_ACK], "[%u:%u(%u)]", p->seq, p->seq + p->len, p->len);
	else if (p->quoted)
		add(c[C_ACK], "[%s (%u)]", p->quoted == TERN_IPPROTO_UDP ? "udp" : "raw", p->len);
}

static void put_columns(const struct packet *p, int family, column_text c[COLUMNS])
{
	memset(c, 0, COLUMNS * sizeof(c[0]));
	add(c[C_DIRECTION], "%c", p->inbound ? '<' : '>');
	put_ip_info(p, c[C_IP]);
	if (p->src || p->dst)
		add(c[C_PORTS], "%u > %u", p->src, p->dst);
	if (p->proto == TERN_IPPROTO_ICMP) {
		put_icmp(p, family, c);
		return;
	}
	if (p->proto == TERN_IPPROTO_UDP) {
		add(c[C_KIND], "udp");
		add(c[C_SEQ], "(%u)", p->len);
		return;
	}
	put_flags(p->flags, c[C_KIND]);
	add(c[C_SEQ], "%u:%u(%u)", p->seq, p->seq + p->len, p->len);
	if (p->flags & TCP_ACK || p->ack)
		add(c[C_ACK], "ack %u", p->ack);
	if (p->win != WIN_ANY)
		add(c[C_WIN], "win %d", (int)p->win);
	if (p->flags & TCP_URG || p->urg)
		add(c[C_URG], "urg %u", p->urg);
	put_options(p, c[C_OPTIONS]);
}

static void join(column_text c[COLUMNS], const size_t *width, char *buf)
{
	size_t n = 0;

	for (int i = 0; i < COLUMNS; i++)
		if (width[i] > 0 && n < PACKET_TEXT_MAX)
			n += (size_t)snprintf(buf + n, PACKET_TEXT_MAX - n, "%s%-*s", n ? " " : "",
					      (int)width[i], c[i]);
	n = strlen(buf);
	while (n > 0 && buf[n - 1] == ' ')
		buf[--n] = 0;
}

char *packet_text(const struct packet *p, int family, char *buf)
{
	column_text c[COLUMNS];
	size_t width[COLUMNS];

	put_columns(p, family, c);
	for (int i = 0; i < COLUMNS; i++)
		width[i] = strlen(c[i]);
	join(c, width, buf);
	return buf;
}

void packet_texts(const struct packet *a, const struct packet *b, int family, char *buf_a,
		  char *buf_b)
{
	column_text ca[COLUMNS], cb[COLUMNS];
	size_t width[COLUMNS];

	put_columns(a, family, ca);
	put_columns(b, family, cb);
	for (int i = 0; i < COLUMNS; i++)
		width[i] = MAX(strlen(ca[i]), strlen(cb[i]));
	join(ca, width, buf_a);
	join(cb, width, buf_b);
}
