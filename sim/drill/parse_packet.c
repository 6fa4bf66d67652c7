/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_packet.c - the notation of packets:
 *
 *	< S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,nop,wscale 7>
 *	> (tos 0x10) 8080 > 1234 P. 1:11(10) ack 1 win 256
 *	< udp (100)
 *	> icmp unreachable port_unreachable [udp (100)]
 */
#include "parse.h"
#include "packet.h"

/* Ports, or else nothing is taken: a number may also be the ACE field at the head of the flags. */
static bool parse_ports(struct parser *p, struct packet *pkt)
{
	uint32_t src, dst;

	if (p->lx.kind != T_INT || lex_followed_by(&p->lx, '.'))
		return true;
	if (!parse_number(p, "a port", 65535, &src) || !parse_char(p, '>') ||
	    !parse_number(p, "a port", 65535, &dst))
		return false;
	pkt->src = (uint16_t)src;
	pkt->dst = (uint16_t)dst;
	return true;
}

static bool parse_ecn(struct parser *p, struct packet *pkt)
{
	static const char *const names[] = { "noecn", "ect1", "ect0", "ce" };

	for (uint8_t i = 0; i < N_ELEMENTS(names); i++) {
		if (parse_accept_word(p, names[i])) {
			pkt->tos_check = TOS_ECN;
			pkt->tos = i;
			return true;
		}
	}
	if (parse_is_word(p, "ect01")) {
		if (pkt->inbound)
			return parse_wrong(p, "ect01 is for expected packets only");
		pkt->tos_check = TOS_ECT01;
		lex_next(&p->lx);
		return true;
	}
	return parse_expected(p, "ect0, ect1, ect01, ce, noecn, tos, ttl or flowlabel");
}

/* 0x2e, or one of the names of RFC 2474, 2597, 3246, 5865 and 8622. */
static bool parse_dscp_value(struct parser *p, uint32_t *v)
{
	const char *t = p->lx.text.text;

	if (p->lx.kind != T_WORD)
		return parse_number(p, "a code point", 63, v);
	if (parse_is_word(p, "EF"))
		*v = 46;
	else if (parse_is_word(p, "LE"))
		*v = 1;
	else if (parse_is_word(p, "VOICE_ADMIT"))
		*v = 44;
	else if (p->lx.text.len == 3 && t[0] == 'C' && t[1] == 'S' && t[2] >= '0' && t[2] <= '7')
		*v = 8u * (uint32_t)(t[2] - '0');
	else if (p->lx.text.len == 4 && t[0] == 'A' && t[1] == 'F' && t[2] >= '1' && t[2] <= '4' &&
		 t[3] >= '1' && t[3] <= '3')
		*v = 8u * (uint32_t)(t[2] - '0') + 2u * (uint32_t)(t[3] - '0');
	else
		return parse_expected(p, "a code point");
	lex_next(&p->lx);
	return true;
}

/* Alone, or followed by the ECN bits: then the whole byte is said. */
static bool parse_dscp(struct parser *p, struct packet *pkt)
{
	uint32_t v;

	if (!parse_dscp_value(p, &v))
		return false;
	pkt->tos_check = TOS_DSCP;
	pkt->tos = (uint8_t)(v << 2);
	return true;
}

static bool parse_ecn_of(struct parser *p, struct packet *pkt)
{
	struct packet ecn = { .inbound = pkt->inbound };

	if (!parse_ecn(p, &ecn))
		return false;
	if (pkt->tos_check == TOS_DSCP && ecn.tos_check == TOS_ECT01)
		return parse_unsupported(p, "dscp together with ect01");
	pkt->tos_check = pkt->tos_check == TOS_DSCP ? TOS_WHOLE : ecn.tos_check;
	pkt->tos |= ecn.tos;
	return true;
}

static bool parse_ip_item(struct parser *p, struct packet *pkt)
{
	uint32_t v;

	if (parse_accept_word(p, "tos") || parse_accept_word(p, "class")) {
		if (!parse_number(p, "a type of service", 255, &v))
			return false;
		pkt->tos_check = TOS_WHOLE;
		pkt->tos = (uint8_t)v;
		return true;
	}
	if (parse_accept_word(p, "ttl") || parse_accept_word(p, "hlim")) {
		if (!parse_number(p, "a time to live", 255, &v))
			return false;
		pkt->ttl = (uint8_t)v;
		return true;
	}
	if (parse_accept_word(p, "flowlabel"))
		return parse_number(p, "a flow label", 0xfffff, &pkt->flow_label);
	if (parse_accept_word(p, "dscp"))
		return parse_dscp(p, pkt);
	parse_accept_word(p, "ecn");
	return parse_ecn_of(p, pkt);
}

static bool parse_ip_info(struct parser *p, struct packet *pkt)
{
	char closing = parse_is(p, '(') ? ')' : ']';

	if (!parse_accept(p, '(') && !parse_accept(p, '['))
		return true;
	do
		if (!parse_ip_item(p, pkt))
			return false;
	while (parse_accept(p, ','));
	return parse_char(p, closing);
}

/* ---- TCP ---- */

/* Letters, and one digit for the ACE field: its bits are AE, CWR and ECE (RFC 9768 3.2). */
static bool take_flags(struct packet *pkt, struct slice text)
{
	static const uint16_t ace[] = { TCP_ECE, TCP_CWR, TCP_AE };

	for (size_t i = 0; i < text.len; i++) {
		char c = text.text[i];
		uint16_t bit = packet_flag(c);

		for (unsigned b = 0; b < 3 && c >= '0' && c <= '7'; b++)
			if ((c - '0') >> b & 1)
				bit |= ace[b];
		if (!bit && c != '0')
			return false;
		pkt->flags |= bit;
	}
	return true;
}

/* S. P. . - and with the ACE field .5 P.5 5. P5. */
static bool parse_flags(struct parser *p, struct packet *pkt)
{
	static const char what[] = "a packet (flags of SFRPUEWA and .)";

	if (parse_accept(p, '-'))
		return true;
	if (p->lx.kind == T_WORD || p->lx.kind == T_INT) {
		if (!take_flags(pkt, p->lx.text))
			return parse_expected(p, what);
		lex_next(&p->lx);
	} else if (p->lx.kind != T_DECIMAL && !parse_is(p, '.')) {
		return parse_expected(p, what);
	}
	if (p->lx.kind == T_DECIMAL) {
		if (!take_flags(pkt, p->lx.text))
			return parse_expected(p, what);
		lex_next(&p->lx);
	}
	if (parse_accept(p, '.'))
		pkt->flags |= TCP_ACK;
	return true;
}

/* 1:1001(1000) */
static bool parse_seq(struct parser *p, struct packet *pkt)
{
	uint32_t end;

	if (p->lx.kind == T_ELLIPSIS)
		return parse_unsupported(p, "a sequence number that is left open");
	if (!parse_number(p, "a sequence number", UINT32_MAX, &pkt->seq) || !parse_char(p, ':') ||
	    !parse_number(p, "the sequence number of the end", UINT32_MAX, &end) ||
	    !parse_char(p, '(') || !parse_number(p, "a length", 65535, &pkt->len))
		return false;
	if (end != pkt->seq + pkt->len)
		return parse_wrong(p, "sequence numbers and length do not agree");
	if (!parse_char(p, ')'))
		return false;
	return !parse_is(p, '!') || parse_unsupported(p, "absolute sequence numbers");
}

static bool parse_window(struct parser *p, struct packet *pkt)
{
	uint32_t v;

	pkt->win = WIN_ANY;
	if (!parse_accept_word(p, "win"))
		return !pkt->inbound ||
		       parse_expected(p, "'win': an injected segment has a window");
	if (!pkt->inbound && parse_accept(p, '*'))
		return true;
	if (!parse_number(p, "a window", 65535, &v))
		return false;
	pkt->win = (int32_t)v;
	return true;
}

static bool parse_tcp(struct parser *p, struct packet *pkt)
{
	uint32_t v;

	pkt->proto = TERN_IPPROTO_TCP;
	if (!parse_ports(p, pkt) || !parse_flags(p, pkt) || !parse_seq(p, pkt))
		return false;
	if (parse_accept_word(p, "ack") &&
	    !parse_number(p, "an acknowledgment number", UINT32_MAX, &pkt->ack))
		return false;
	if (!parse_window(p, pkt))
		return false;
	if (parse_accept_word(p, "urg")) {
		if (!parse_number(p, "an urgent pointer", 65535, &v))
			return false;
		pkt->urg = (uint16_t)v;
	}
	if (parse_accept(p, '<') && !parse_tcp_options(p, pkt))
		return false;
	return !parse_is(p, '{') || parse_unsupported(p, "fuzzed packets");
}

/* ---- UDP ---- */

static bool parse_udp_len(struct parser *p, struct packet *pkt)
{
	return parse_char(p, '(') && parse_number(p, "a length", 65535, &pkt->len) &&
	       parse_char(p, ')');
}

/* ---- ICMP ---- */

static bool parse_quoted(struct parser *p, struct packet *pkt)
{
	if (!parse_accept(p, '[')) {
		/* An error always quotes: the first segment of the connection, unless told. */
		if (pkt->inbound && icmp_is_error(p->script->family, pkt->type))
			pkt->quoted = TERN_IPPROTO_TCP;
		return true;
	}
	if (parse_accept_word(p, "udp")) {
		pkt->quoted = TERN_IPPROTO_UDP;
		if (!parse_udp_len(p, pkt))
			return false;
	} else if (parse_accept_word(p, "raw")) {
		pkt->quoted = TERN_IPPROTO_RAW;
		if (!parse_udp_len(p, pkt))
			return false;
		if (pkt->len < ICMP_HDR_LEN)
			return parse_wrong(p, "an ICMP message is 8 bytes at least");
	} else {
		pkt->quoted = TERN_IPPROTO_TCP;
		if (!parse_seq(p, pkt))
			return false;
	}
	return parse_char(p, ']');
}

static bool parse_icmp(struct parser *p, struct packet *pkt)
{
	int family = p->script->family;
	uint32_t v;

	pkt->proto = TERN_IPPROTO_ICMP;
	if (p->lx.kind != T_WORD || !icmp_type_find(family, p->lx.text, &pkt->type))
		return parse_expected(p, "an ICMP type");
	lex_next(&p->lx);
	if (p->lx.kind == T_WORD && !parse_is_word(p, "mtu") && !parse_is_word(p, "id")) {
		if (!icmp_code_find(family, pkt->type, p->lx.text, &pkt->code))
			return parse_expected(p, "an ICMP code");
		lex_next(&p->lx);
	}
	if (parse_accept_word(p, "mtu")) {
		pkt->has_mtu = true;
		if (!parse_number(p, "an MTU", UINT32_MAX, &pkt->mtu))
			return false;
	}
	if (parse_accept_word(p, "id")) {
		if (!parse_number(p, "an identifier", 65535, &v))
			return false;
		pkt->id = (uint16_t)v;
	}
	return parse_quoted(p, pkt);
}

bool parse_packet(struct parser *p, struct packet *pkt)
{
	*pkt = (struct packet){ .inbound = parse_is(p, '<'), .win = WIN_ANY };
	lex_next(&p->lx);
	if (parse_is_word(p, "ipv4") || parse_is_word(p, "ipv6") || parse_is_word(p, "gre") ||
	    parse_is_word(p, "GREv0") || parse_is_word(p, "mpls"))
		return parse_unsupported(p, "encapsulation");
	if (!parse_ip_info(p, pkt))
		return false;
	if (parse_is_word(p, "sctp") || parse_is_word(p, "udplite"))
		return parse_unsupported(p, "this protocol");
	if (parse_accept_word(p, "icmp") || parse_accept_word(p, "icmpv6"))
		return parse_icmp(p, pkt);
	if (parse_accept_word(p, "udp")) {
		pkt->proto = TERN_IPPROTO_UDP;
		return parse_ports(p, pkt) && parse_udp_len(p, pkt);
	}
	return parse_tcp(p, pkt);
}
