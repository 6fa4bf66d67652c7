/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ra.c - what routers say: advertisements, their options, redirects.
 *
 * An option is a type, a length in units of eight bytes, and a body whose shape the type fixes; an
 * option of another shape is not heard, one that does not end within the message makes the message
 * malformed. Names in DNSSL are never compressed.
 *
 * Sources: RFC 4861 4.2, 4.5, 4.6, 6.1.2, 8.1; RFC 4191 2.2, 2.3; RFC 8106 5.1, 5.2; RFC 1035 3.1.
 */
#include "wire.h"

enum { FLAG_MANAGED = 0x80, FLAG_OTHER = 0x40, PREFERENCE_SHIFT = 3 };
enum { FLAG_ON_LINK = 0x80, FLAG_AUTONOMOUS = 0x40 };
enum { PREFIX_OPTION_LEN = 32, MTU_OPTION_LEN = 8, LABEL_MAX = 63, NAME_MAX = 255 };

/* Two bits: 01 high, 00 medium, 11 low, 10 reserved. */
static int8_t preference_of(uint8_t flags)
{
	static const int8_t values[4] = { 0, 1, -2, -1 };

	return values[flags >> PREFERENCE_SHIFT & 3];
}

/* ---- options ---- */

bool nd_option_next(const uint8_t *p, size_t len, size_t *at, struct nd_option *o)
{
	if (len < *at + 2)
		return false;
	o->type = p[*at];
	o->len = p[*at + 1] * 8u;
	o->bytes = p + *at;
	if (o->len == 0 || o->len > len - *at)
		return false;
	*at += o->len;
	return true;
}

bool nd_options_are_sound(const uint8_t *p, size_t len, size_t at)
{
	struct nd_option o;

	while (nd_option_next(p, len, &at, &o))
		continue;
	return at == len;
}

bool nd_prefix_parse(struct nd_prefix *x, const struct nd_option *o)
{
	if (o->type != ND_PREFIX || o->len != PREFIX_OPTION_LEN || o->bytes[2] > 128)
		return false;
	*x = (struct nd_prefix){ .prefix = addr_from6(o->bytes + 16),
				 .len = o->bytes[2],
				 .on_link = o->bytes[3] & FLAG_ON_LINK,
				 .autonomous = o->bytes[3] & FLAG_AUTONOMOUS,
				 .valid = get_be32(o->bytes + 4),
				 .preferred = get_be32(o->bytes + 8) };
	addr_clear_beyond(&x->prefix, x->len);
	return !addr_is4(&x->prefix) && !addr_is_link_local(&x->prefix) &&
	       !addr_is_multicast(&x->prefix) && x->preferred <= x->valid;
}

size_t nd_prefix_emit(const struct nd_prefix *x, uint8_t *p)
{
	memset(p, 0, PREFIX_OPTION_LEN);
	p[0] = ND_PREFIX;
	p[1] = PREFIX_OPTION_LEN / 8;
	p[2] = x->len;
	p[3] = (uint8_t)((x->on_link ? FLAG_ON_LINK : 0) | (x->autonomous ? FLAG_AUTONOMOUS : 0));
	put_be32(p + 4, x->valid);
	put_be32(p + 8, x->preferred);
	memcpy(p + 16, x->prefix.b, 16);
	return PREFIX_OPTION_LEN;
}

/* RFC 4191 2.3: as many of the prefix's bytes as its length needs, or more. */
bool nd_route_parse(struct nd_route *r, const struct nd_option *o)
{
	uint8_t bytes[16] = { 0 };
	unsigned len;

	if (o->type != ND_ROUTE || o->len > 24)
		return false;
	len = o->bytes[2];
	if (len > 128 || len > (o->len - 8) * 8)
		return false;
	memcpy(bytes, o->bytes + 8, o->len - 8);
	*r = (struct nd_route){ .prefix = addr_from6(bytes),
				.len = (uint8_t)len,
				.preference = preference_of(o->bytes[3]),
				.lifetime = get_be32(o->bytes + 4) };
	addr_clear_beyond(&r->prefix, len);
	return r->preference != -2 && !addr_is4(&r->prefix) && !addr_is_multicast(&r->prefix);
}

bool nd_mtu_parse(uint32_t *mtu, const struct nd_option *o)
{
	if (o->type != ND_MTU || o->len != MTU_OPTION_LEN)
		return false;
	*mtu = get_be32(o->bytes + 4);
	return true;
}

bool nd_mac_parse(uint8_t mac[6], const struct nd_option *o)
{
	if ((o->type != ND_SOURCE_MAC && o->type != ND_TARGET_MAC) || o->len != 8 ||
	    (o->bytes[2] & 1))
		return false;
	memcpy(mac, o->bytes + 2, 6);
	return true;
}

/* RFC 8106 5.1: at least one address, and nothing but whole ones (CVE-2020-16898). */
unsigned nd_rdnss_parse(uint32_t *lifetime, const struct nd_option *o)
{
	if (o->type != ND_RDNSS || o->len < 24 || o->len % 16 != 8)
		return 0;
	*lifetime = get_be32(o->bytes + 4);
	return (o->len - 8) / 16;
}

bool nd_dnssl_next(const struct nd_option *o, size_t *at, char *out)
{
	size_t n = 0;

	if (o->type != ND_DNSSL || o->len < 16)
		return false;
	for (;;) {
		uint8_t label;

		if (*at >= o->len)
			return false;
		label = o->bytes[(*at)++];
		if (label == 0)
			break; /* the end of a name, or padding */
		if (label > LABEL_MAX || label > o->len - *at || n + label + 1 > NAME_MAX)
			return false;
		if (n)
			out[n++] = '.';
		for (; label; label--) {
			uint8_t c = o->bytes[(*at)++];

			if (c <= ' ' || c >= 127 || c == '.')
				return false;
			out[n++] = (char)c;
		}
	}
	out[n] = 0;
	return n > 0;
}

/* ---- messages ---- */

bool ra_parse(struct ra *m, const uint8_t *p, size_t len)
{
	if (len < RA_LEN || p[0] != ICMP6_ROUTER_ADVERT || p[1] != 0)
		return false;
	*m = (struct ra){ .hop_limit = p[4],
			  .managed = p[5] & FLAG_MANAGED,
			  .other = p[5] & FLAG_OTHER,
			  .preference = preference_of(p[5]),
			  .lifetime = (uint16_t)get_be16(p + 6),
			  .reachable = get_be32(p + 8),
			  .retrans = get_be32(p + 12) };
	if (m->preference == -2) /* RFC 4191 2.2: as medium */
		m->preference = 0;
	return nd_options_are_sound(p, len, RA_LEN);
}

size_t ra_emit(const struct ra *m, uint8_t *p)
{
	memset(p, 0, RA_LEN);
	p[0] = ICMP6_ROUTER_ADVERT;
	p[4] = m->hop_limit;
	p[5] = (uint8_t)((m->managed ? FLAG_MANAGED : 0) | (m->other ? FLAG_OTHER : 0) |
			 ((unsigned)m->preference & 3) << PREFERENCE_SHIFT);
	put_be16(p + 6, m->lifetime);
	put_be32(p + 8, m->reachable);
	put_be32(p + 12, m->retrans);
	return RA_LEN;
}

/* RFC 4861 8.1, as far as the message goes. */
bool redirect_parse(struct redirect *r, const uint8_t *p, size_t len)
{
	size_t at = REDIRECT_LEN;
	struct nd_option o;

	if (len < REDIRECT_LEN || p[0] != ICMP6_REDIRECT || p[1] != 0)
		return false;
	*r = (struct redirect){ .target = addr_from6(p + 8), .dst = addr_from6(p + 24) };
	if (addr_is_multicast(&r->dst) || addr_is_multicast(&r->target) || addr_is4(&r->dst) ||
	    addr_is4(&r->target) || !nd_options_are_sound(p, len, REDIRECT_LEN))
		return false;
	while (nd_option_next(p, len, &at, &o)) {
		if (o.type == ND_TARGET_MAC)
			r->has_mac = nd_mac_parse(r->mac, &o);
		if (o.type == ND_REDIRECTED && o.len > 8) {
			r->quoted = o.bytes + 8;
			r->quoted_len = o.len - 8;
		}
	}
	return true;
}
