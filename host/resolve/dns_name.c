/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_name.c - domain names: text, labels, and what stands in a message (RFC 1035 3.1, 4.1.4).
 *
 * A name is kept as it travels, without pointers. A label's length is at most 63, which is no
 * letter, so that all bytes may be folded and compared alike.
 */
#include "dns.h"

enum { JUMPS_MAX = 126, POINTER = 0xc0 };

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* What a user may write: no blanks, no control characters, no escapes, and ASCII only. */
static bool is_name_byte(char c)
{
	return c > ' ' && c < 0x7f && c != '\\';
}

bool dns_name_parse(struct dns_name *out, const char *text, size_t len)
{
	struct dns_name n = { .len = 0 };
	size_t at = 0;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len + 2 > DNS_NAME_MAX) /* a length before, the root behind */
		return false;
	while (at < len) {
		size_t label = 0;

		while (at + label < len && text[at + label] != '.')
			if (!is_name_byte(text[at + label++]))
				return false;
		if (label == 0 || label > DNS_LABEL_MAX || at + label + 1 == len)
			return false;
		n.wire[at] = (uint8_t)label;
		memcpy(n.wire + at + 1, text + at, label);
		at += label + 1;
	}
	n.len = (uint8_t)(at + 1);
	*out = n;
	return true;
}

static char *put_text_byte(char *p, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
		return p;
	}
	if (c == '.' || c == '\\')
		*p++ = '\\';
	*p++ = (char)c;
	return p;
}

char *dns_name_format(const struct dns_name *n, char *buf)
{
	char *p = buf;

	for (size_t at = 0; at + 1 < n->len; at += 1u + n->wire[at]) {
		if (at > 0)
			*p++ = '.';
		for (size_t i = 1; i <= n->wire[at]; i++)
			p = put_text_byte(p, n->wire[at + i]);
	}
	if (n->len == 1)
		*p++ = '.';
	*p = 0;
	return buf;
}

static bool same_folded(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && same_folded(a->wire, b->wire, a->len);
}

bool dns_name_is_under(const struct dns_name *n, const struct dns_name *zone)
{
	size_t at = 0;

	while (n->len - at > zone->len) /* label by label: a zone begins with one */
		at += 1u + n->wire[at];
	return n->len - at == zone->len && same_folded(n->wire + at, zone->wire, zone->len);
}

bool dns_name_append(struct dns_name *n, const struct dns_name *domain)
{
	if (n->len - 1 + domain->len > DNS_NAME_MAX)
		return false;
	memcpy(n->wire + n->len - 1, domain->wire, domain->len);
	n->len = (uint8_t)(n->len - 1 + domain->len);
	return true;
}

static bool is_host_byte(uint8_t c)
{
	c = fold(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dns_name_is_host(const struct dns_name *n)
{
	for (size_t at = 0; at + 1 < n->len; at += 1u + n->wire[at]) {
		if (n->wire[at + 1] == '-')
			return false;
		for (size_t i = 1; i <= n->wire[at]; i++)
			if (!is_host_byte(n->wire[at + i]))
				return false;
	}
	return n->len > 1;
}

void dns_name_fold(struct dns_name *n)
{
	for (size_t i = 0; i < n->len; i++)
		n->wire[i] = fold(n->wire[i]);
}

static size_t put_decimal_label(uint8_t *p, uint8_t v)
{
	size_t len = v >= 100 ? 3 : v >= 10 ? 2 : 1;

	p[0] = (uint8_t)len;
	for (size_t i = len; i > 0; i--, v /= 10)
		p[i] = (uint8_t)('0' + v % 10);
	return len + 1;
}

static size_t put_nibble(uint8_t *p, uint8_t v)
{
	p[0] = 1;
	p[1] = (uint8_t) "0123456789abcdef"[v];
	return 2;
}

void dns_name_of_address(struct dns_name *out, const uint8_t *ip, size_t len)
{
	static const char four[] = "\7in-addr\4arpa", six[] = "\3ip6\4arpa";
	uint8_t *p = out->wire;

	for (size_t i = len; i-- > 0;) {
		if (len == 4) {
			p += put_decimal_label(p, ip[i]);
		} else {
			p += put_nibble(p, ip[i] & 15);
			p += put_nibble(p, ip[i] >> 4);
		}
	}
	memcpy(p, len == 4 ? four : six, len == 4 ? sizeof(four) : sizeof(six));
	p += len == 4 ? sizeof(four) : sizeof(six);
	out->len = (uint8_t)(p - out->wire);
}

size_t dns_name_read(const uint8_t *msg, size_t len, size_t at, struct dns_name *out)
{
	size_t end = 0, begin = at; /* of the labels without a pointer between them */
	unsigned jumps = 0;

	out->len = 0;
	for (size_t n = 0; at < len;) {
		size_t label = msg[at];

		if ((label & POINTER) == POINTER) {
			if (at + 2 > len || ++jumps > JUMPS_MAX)
				return 0;
			end = end ? end : at + 2;
			at = get_be16(msg + at) & 0x3fff;
			if (at >= begin || at < DNS_HEADER_LEN)
				return 0;
			begin = at;
			continue;
		}
		if (label > DNS_LABEL_MAX || at + 1 + label > len || n + 1 + label > DNS_NAME_MAX)
			return 0;
		memcpy(out->wire + n, msg + at, 1 + label);
		n += 1 + label;
		at += 1 + label;
		if (label == 0) {
			out->len = (uint8_t)n;
			return end ? end : at;
		}
	}
	return 0;
}
