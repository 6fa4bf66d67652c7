/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - questions for names that the gateway itself knows (RFC 1035).
 *
 * Such a question is answered in place of the server that was asked; all others go their way, also
 * what looks like a question and is none.
 */
#include "../../core/wire/wire.h"
#include "gateway_impl.h"

enum { HEADER_LEN = 12, NAME_MAX_LEN = 255, TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1, TTL = 1 };
enum { QR_OPCODE_TC = 0xfa00, QR_AA_RA = 0x8480, RD = 0x0100 };

struct question {
	char name[NAME_MAX_LEN + 1];
	uint16_t type, class;
	size_t end; /* of the question in the message */
};

/* Labels as one text, in small letters (RFC 4343). 0: no such name; else where it ends. */
static size_t read_name(const uint8_t *p, size_t len, size_t at, char out[NAME_MAX_LEN + 1])
{
	size_t n = 0;

	while (at < len && p[at] != 0) {
		size_t label = p[at++];

		if (label > 63 || at + label > len || n + label + 1 > NAME_MAX_LEN)
			return 0;
		for (size_t i = 0; i < label; i++) {
			char c = (char)p[at + i];

			out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
		}
		out[n++] = '.';
		at += label;
	}
	out[n > 0 ? n - 1 : 0] = 0;
	return at < len && n > 0 ? at + 1 : 0;
}

/* A standard query with one question, RFC 1035 4.1. */
static bool read_question(const uint8_t *p, size_t len, struct question *q)
{
	if (len < HEADER_LEN || (get_be16(p + 2) & QR_OPCODE_TC) || get_be16(p + 4) != 1 ||
	    get_be16(p + 6) != 0 || get_be16(p + 8) != 0)
		return false;
	q->end = read_name(p, len, HEADER_LEN, q->name);
	if (q->end == 0 || q->end + 4 > len)
		return false;
	q->type = get_be16(p + q->end);
	q->class = get_be16(p + q->end + 2);
	q->end += 4;
	return q->class == CLASS_IN;
}

/* The message becomes the answer; its length. An address of family AF_UNSPEC: there is none. */
static size_t write_answer(uint8_t *p, const struct question *q, const struct tern_addr *a)
{
	size_t len = a->family == TERN_AF_INET ? 4 : 16;
	uint8_t *out = p + q->end;

	put_be16(p + 2, QR_AA_RA | (get_be16(p + 2) & RD));
	put_be16(p + 6, a->family != TERN_AF_UNSPEC);
	put_be16(p + 10, 0); /* EDNS, which may have come along, is not spoken here */
	if (a->family == TERN_AF_UNSPEC)
		return q->end;
	put_be16(out, 0xc000 | HEADER_LEN); /* the name: where the question has it */
	put_be16(out + 2, q->type);
	put_be16(out + 4, CLASS_IN);
	put_be32(out + 6, TTL);
	put_be16(out + 10, (uint16_t)len);
	memcpy(out + 12, a->ip, len);
	return q->end + 12 + len;
}

/* The DNS message in an IP packet, by its port; NULL: it is none. */
static const uint8_t *message_in(const uint8_t *p, size_t *len)
{
	struct ip4 four;
	struct ip6 six;
	bool is4 = ip4_parse_quoted(&four, p, *len);
	size_t at = is4 ? four.hdr_len : IP6_HDR_LEN;

	if (!is4 && !ip6_parse_quoted(&six, p, *len))
		return NULL;
	if ((is4 ? four.proto : six.next_header) != TERN_IPPROTO_UDP || *len < at + UDP_HDR_LEN ||
	    (get_be16(p + at) != DNS_PORT && get_be16(p + at + 2) != DNS_PORT))
		return NULL;
	*len -= at + UDP_HDR_LEN;
	return p + at + UDP_HDR_LEN;
}

bool gateway_names(const struct gateway *g, const uint8_t *packet, size_t len)
{
	const uint8_t *p = message_in(packet, &len);
	char name[NAME_MAX_LEN + 1];
	struct tern_addr addr = { .family = TERN_AF_UNSPEC };

	return p && g->wish.name && len >= HEADER_LEN && read_name(p, len, HEADER_LEN, name) &&
	       g->wish.name(g->wish.name_ctx, name, TERN_AF_UNSPEC, &addr);
}

bool names_answer(struct gateway *g, const struct tern_msg *m, size_t len)
{
	uint8_t *p = g->scratch + SCRATCH_OFF;
	struct tern_addr addr = { .family = TERN_AF_UNSPEC };
	struct tern_iovec iov = { p, 0 };
	struct tern_msg answer;
	struct question q;
	int family;

	if (!g->wish.name || !read_question(p, len, &q))
		return false;
	family = q.type == TYPE_A ? TERN_AF_INET : q.type == TYPE_AAAA ? TERN_AF_INET6 : 0;
	if (!g->wish.name(g->wish.name_ctx, q.name, family, &addr))
		return false;
	iov.len = write_answer(p, &q, &addr);
	tern_msg_init(&answer, &iov, 1);
	answer.addr = m->addr;
	answer.local = m->local;
	tern_sendmsg(g->st, g->udp[m->local.family == TERN_AF_INET ? V4 : V6], &answer, 0);
	return true;
}
