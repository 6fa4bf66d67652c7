/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - questions for names and addresses that the gateway itself knows (RFC 1035).
 *
 * Such a question is answered in place of the server that was asked; all others go their way, also
 * what looks like a question and is none. An address without a name is answered, too: it means
 * nothing outside, and who asks there may wait long (RFC 6303).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/wire/wire.h"
#include "gateway_impl.h"

enum { HEADER_LEN = 12, NAME_MAX_LEN = 255, LABEL_MAX = 63, CLASS_IN = 1, TTL = 1 };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28 };
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

		if (label > LABEL_MAX || at + label > len || n + label + 1 > NAME_MAX_LEN)
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

/* "15.2.0.10.in-addr.arpa", and so by digits beneath ip6.arpa (RFC 1035 3.5, RFC 3596 2.5). */
static bool read_reverse(const char *name, struct tern_addr *out)
{
	enum { DIGITS = 32 };
	unsigned b[4];
	int end = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[3], &b[2], &b[1], &b[0], &end) == 4 &&
	    end && !name[end] && (b[0] | b[1] | b[2] | b[3]) < 256) {
		*out = tern_ip4((uint8_t)b[0], (uint8_t)b[1], (uint8_t)b[2], (uint8_t)b[3], 0);
		return true;
	}
	if (strlen(name) != 2 * DIGITS + 8 || strcmp(name + 2 * DIGITS, "ip6.arpa") != 0)
		return false;
	*out = (struct tern_addr){ .family = TERN_AF_INET6 };
	for (unsigned i = 0; i < DIGITS; i++) {
		char digit[2] = { name[2 * i] }, *after;
		unsigned long v = strtoul(digit, &after, 16);

		if (after == digit || name[2 * i + 1] != '.')
			return false;
		out->ip[15 - i / 2] |= (uint8_t)(v << 4 * (i % 2));
	}
	return true;
}

/* What is known: an address, a name, or only that there is none of what was asked for. */
struct known {
	struct tern_addr addr; /* or AF_UNSPEC */
	char name[GATEWAY_NAME_MAX];
};

static bool look_up(const struct gateway *g, const char *name, uint16_t type, struct known *k)
{
	int family = type == TYPE_A ? TERN_AF_INET : type == TYPE_AAAA ? TERN_AF_INET6 : 0;
	struct tern_addr at;

	memset(k, 0, sizeof(*k));
	if (g->wish.name && g->wish.name(g->wish.name_ctx, name, family, &k->addr)) {
		if (k->addr.family != family) /* that is no answer to this question */
			k->addr.family = TERN_AF_UNSPEC;
		return true;
	}
	if (!g->wish.named || !read_reverse(name, &at) ||
	    !(is_own_address(g, &at) || g->wish.named(g->wish.name_ctx, &at, k->name)))
		return false;
	if (type != TYPE_PTR)
		k->name[0] = 0;
	return true;
}

/* As labels; 0: it cannot be. */
static size_t put_name(uint8_t *out, const char *name)
{
	size_t len, n = 0;

	do {
		len = strcspn(name, ".");
		if (len == 0 || len > LABEL_MAX || n + len + 2 > NAME_MAX_LEN)
			return 0;
		out[n] = (uint8_t)len;
		memcpy(out + n + 1, name, len);
		n += len + 1;
		name += len;
	} while (*name++);
	out[n] = 0;
	return n + 1;
}

/* 0: there is none. */
static size_t put_data(uint8_t *out, const struct known *k)
{
	size_t len = k->addr.family == TERN_AF_INET ? 4 : 16;

	if (k->addr.family == TERN_AF_UNSPEC)
		return put_name(out, k->name);
	memcpy(out, k->addr.ip, len);
	return len;
}

/* The message becomes the answer; its length. */
static size_t write_answer(uint8_t *p, const struct question *q, const struct known *k)
{
	uint8_t *out = p + q->end;
	size_t len = put_data(out + 12, k);

	put_be16(p + 2, QR_AA_RA | (get_be16(p + 2) & RD));
	put_be16(p + 6, len > 0);
	put_be16(p + 10, 0); /* EDNS, which may have come along, is not spoken here */
	if (len == 0)
		return q->end;
	put_be16(out, 0xc000 | HEADER_LEN); /* the name: where the question has it */
	put_be16(out + 2, q->type);
	put_be16(out + 4, CLASS_IN);
	put_be32(out + 6, TTL);
	put_be16(out + 10, (uint16_t)len);
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
	struct known k;

	return p && len >= HEADER_LEN && read_name(p, len, HEADER_LEN, name) &&
	       look_up(g, name, 0, &k);
}

bool names_answer(struct gateway *g, const struct tern_msg *m, size_t len)
{
	uint8_t *p = g->scratch + SCRATCH_OFF;
	struct tern_iovec iov = { p, 0 };
	struct tern_msg answer;
	struct question q;
	struct known k;

	if (!read_question(p, len, &q) || !look_up(g, q.name, q.type, &k))
		return false;
	iov.len = write_answer(p, &q, &k);
	tern_msg_init(&answer, &iov, 1);
	answer.addr = m->addr;
	answer.local = m->local;
	tern_sendmsg(g->st, g->udp[m->local.family == TERN_AF_INET ? V4 : V6], &answer, 0);
	return true;
}
