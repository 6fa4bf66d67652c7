/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_name.c - domain names as the options of DHCP have them, to text and back.
 *
 * A name is labels, or labels and a pointer to the rest. A pointer leads to before the place where
 * the labels that it continues began: each jump goes strictly backwards, so there is an end. More
 * jumps than a name has labels no honest one needs, and what is not the text of a host's name is
 * refused, so that text is only ever what it looks like.
 *
 * Sources: RFC 1035 2.3.4, 3.1, 4.1.4; RFC 3397 2 (compression); RFC 8415 10 (none); RFC 9267.
 */
#include "dhcp.h"

enum { JUMPS_MAX = 126 }; /* a name has 127 labels at most */

static bool is_of_a_label(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Appends the label to text; its length with the dot, or 0. */
static size_t take_label(const uint8_t *label, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_of_a_label(label[i]))
			return 0;
		text[i] = (char)label[i];
	}
	text[len] = '.';
	return len + 1;
}

size_t domain_parse(const uint8_t *p, size_t len, size_t at, char *text)
{
	size_t start = at, behind = 0, n = 0;
	unsigned n_jumps = 0;

	while (at < len && p[at]) {
		size_t label = p[at], taken;

		if (label >> 6 == 3) {
			if (at + 2 > len || ++n_jumps > JUMPS_MAX)
				return 0;
			behind = behind ? behind : at + 2;
			at = get_be16(p + at) & 0x3fff;
			if (at >= start)
				return 0;
			start = at;
			continue;
		}
		/* a length byte for each label, and the root's: as many as dots and one */
		if (label > DOMAIN_LABEL_MAX || at + 1 + label > len ||
		    n + label + 2 > DOMAIN_WIRE_MAX)
			return 0;
		taken = take_label(p + at + 1, label, text + n);
		if (!taken)
			return 0;
		n += taken;
		at += 1 + label;
	}
	if (at >= len || n == 0)
		return 0;
	text[n - 1] = 0;
	return behind ? behind : at + 1;
}

size_t domain_emit(const char *text, uint8_t *out)
{
	size_t n = 0, label = 0;

	for (; *text; text++) {
		if (n + label + 3 > DOMAIN_WIRE_MAX)
			return 0;
		if (*text != '.') {
			if (!is_of_a_label((uint8_t)*text) || label == DOMAIN_LABEL_MAX)
				return 0;
			out[n + ++label] = (uint8_t)*text;
			continue;
		}
		if (label == 0)
			return 0;
		out[n] = (uint8_t)label;
		n += label + 1;
		label = 0;
	}
	if (label == 0) /* empty, or a dot at the end */
		return 0;
	out[n] = (uint8_t)label;
	n += label + 1;
	out[n] = 0;
	return n + 1;
}

bool domains_put(struct domains *d, const char *name)
{
	uint8_t wire[DOMAIN_WIRE_MAX];
	size_t len = domain_emit(name, wire);

	/* as text: without the first length byte */
	if (!len || d->len + len - 1 > DOMAINS_TEXT_MAX)
		return false;
	memcpy(d->text + d->len, name, len - 1);
	d->len = (uint16_t)(d->len + len - 1);
	return true;
}

const char *domains_next(const struct domains *d, unsigned *cursor)
{
	const char *name = d->text + *cursor;

	if (*cursor >= d->len)
		return NULL;
	while (d->text[*cursor])
		++*cursor;
	++*cursor;
	return name;
}

bool domains_parse(struct domains *d, const uint8_t *p, size_t len)
{
	char text[TERN_DOMAIN_MAX];
	size_t at = 0;

	d->len = 0;
	while (at < len) {
		at = domain_parse(p, len, at, text);
		if (!at) {
			d->len = 0;
			return false;
		}
		domains_put(d, text);
	}
	return true;
}

size_t domains_emit(const struct domains *d, uint8_t *out)
{
	unsigned cursor = 0;
	const char *name;
	size_t n = 0;

	while ((name = domains_next(d, &cursor)))
		n += domain_emit(name, out + n);
	return n;
}
