/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6.c - the IPv6 header, and the walk over its extension headers.
 *
 * The walk meets each header in order, as far as the payload length and the slice go. It remembers
 * where the protocol it stands at was named, because that is what a parameter problem points to
 * when nobody knows the protocol.
 *
 * Sources: RFC 8200 4 (headers), 4.2 (options), 4.4 (routing), 4.5 (fragment); RFC 5095 (routing
 * type 0 is like an unknown type); RFC 7112 (a first fragment holds the whole chain); RFC 2711.
 */
#include "wire.h"

enum { WALK_MAX = 8, FRAGMENT_HDR_LEN = 8 };
enum { BAD_FIELD = 0, BAD_NEXT_HEADER = 1, BAD_OPTION = 2, BAD_FIRST_FRAGMENT = 3 };
enum { BAD_SILENT = 0xff };
enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_ROUTER_ALERT = 5 };

bool ip6_parse_quoted(struct ip6 *h, const uint8_t *p, size_t len)
{
	if (len < IP6_HDR_LEN || p[0] >> 4 != 6)
		return false;
	h->traffic_class = (uint8_t)(get_be16(p) >> 4);
	h->flow_label = get_be32(p) & IP6_LABEL_MASK;
	h->payload_len = get_be16(p + 4);
	h->next_header = p[6];
	h->hop_limit = p[7];
	h->src = addr_from6(p + 8);
	h->dst = addr_from6(p + 24);
	return true;
}

bool ip6_parse(struct ip6 *h, const uint8_t *p, size_t len)
{
	return ip6_parse_quoted(h, p, len) && (size_t)IP6_HDR_LEN + h->payload_len <= len;
}

size_t ip6_emit(const struct ip6 *h, uint8_t *p)
{
	put_be32(p, 6u << 28 | (uint32_t)h->traffic_class << 20 | (h->flow_label & IP6_LABEL_MASK));
	put_be16(p + 4, h->payload_len);
	p[6] = h->next_header;
	p[7] = h->hop_limit;
	memcpy(p + 8, h->src.b, 16);
	memcpy(p + 24, h->dst.b, 16);
	return IP6_HDR_LEN;
}

static bool fail_walk(struct ip6_walk *w, uint8_t code, size_t pointer)
{
	w->bad_code = code;
	w->bad_pointer = (uint16_t)pointer;
	return false;
}

/* An option that we do not know: its two highest bits say what to do (RFC 8200 4.2). */
static bool judge_option(struct ip6_walk *w, const uint8_t *pkt, size_t at)
{
	bool dst_is_multicast = pkt[24] == 0xff;

	switch (pkt[at] >> 6) {
	case 0:
		return true;
	case 1:
		return fail_walk(w, BAD_SILENT, 0);
	case 2:
		return fail_walk(w, BAD_OPTION, at);
	default:
		return fail_walk(w, dst_is_multicast ? BAD_SILENT : BAD_OPTION, at);
	}
}

/* RFC 2711 2.1: two octets, which say of MLD 0. */
static bool is_mld_alert(const uint8_t *option)
{
	return option[0] == OPT_ROUTER_ALERT && option[1] == 2 && get_be16(option + 2) == 0;
}

static bool walk_options(struct ip6_walk *w, const uint8_t *pkt, size_t at, size_t end)
{
	while (at < end) {
		uint8_t type = pkt[at];

		if (type == OPT_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2 || pkt[at + 1] > end - at - 2)
			return fail_walk(w, BAD_SILENT, 0);
		if (type != OPT_PADN && type != OPT_ROUTER_ALERT && !judge_option(w, pkt, at))
			return false;
		if (w->proto == IP6_EXT_HOP_BY_HOP && is_mld_alert(pkt + at))
			w->mld_alert = true;
		at += 2u + pkt[at + 1];
	}
	return true;
}

static bool read_fragment(struct ip6_walk *w, const uint8_t *p)
{
	if (w->fragment)
		return fail_walk(w, BAD_SILENT, 0);
	w->fragment = true;
	w->frag_off = get_be16(p + 2) & 0xfff8;
	w->mf = p[3] & 1;
	w->frag_id = get_be32(p + 4);
	w->frag_hdr_off = w->offset;
	return true;
}

/* Steps over the extension header at w->offset, hdr_len bytes that are all there. */
static bool step_over(struct ip6_walk *w, const uint8_t *pkt, size_t hdr_len)
{
	const uint8_t *p = pkt + w->offset;

	switch (w->proto) {
	case IP6_EXT_FRAGMENT:
		if (!read_fragment(w, p))
			return false;
		break;
	case IP6_EXT_ROUTING: /* p[3]: segments left; we know no type that has any */
		if (p[3] != 0)
			return fail_walk(w, BAD_FIELD, w->offset + 2u);
		break;
	default:
		if (!walk_options(w, pkt, w->offset + 2u, w->offset + hdr_len))
			return false;
	}
	w->proto = p[0];
	w->bad_pointer = w->offset;
	w->offset = (uint16_t)(w->offset + hdr_len);
	return true;
}

bool ip6_is_extension(uint8_t proto)
{
	return proto == IP6_EXT_HOP_BY_HOP || proto == IP6_EXT_ROUTING ||
	       proto == IP6_EXT_FRAGMENT || proto == IP6_EXT_DESTINATION;
}

bool ip6_walk(struct ip6_walk *w, const uint8_t *pkt, size_t len)
{
	*w = (struct ip6_walk){ .offset = IP6_HDR_LEN, .bad_pointer = 6 };
	if (len < IP6_HDR_LEN)
		return fail_walk(w, BAD_SILENT, 0);
	len = MIN(len, (size_t)IP6_HDR_LEN + get_be16(pkt + 4));
	len = MIN(len, UINT16_MAX);
	w->proto = pkt[6];
	for (unsigned n = 0; ip6_is_extension(w->proto) && w->frag_off == 0; n++) {
		size_t hdr_len = FRAGMENT_HDR_LEN, rest = len - w->offset;

		if (n == WALK_MAX)
			return fail_walk(w, BAD_SILENT, 0);
		if (w->proto == IP6_EXT_HOP_BY_HOP && n > 0)
			return fail_walk(w, BAD_NEXT_HEADER, w->bad_pointer);
		if (w->proto != IP6_EXT_FRAGMENT && rest >= 2)
			hdr_len = (pkt[w->offset + 1] + 1u) * 8;
		if (rest < hdr_len)
			return fail_walk(w, w->mf ? BAD_FIRST_FRAGMENT : BAD_SILENT, 0);
		if (!step_over(w, pkt, hdr_len))
			return false;
	}
	w->bad_code = BAD_NEXT_HEADER;
	return true;
}

uint32_t ip6_find_transport(const uint8_t *pkt, size_t len, uint8_t *proto)
{
	size_t at = IP6_HDR_LEN;

	*proto = pkt[6];
	while (ip6_is_extension(*proto) && len - at >= FRAGMENT_HDR_LEN) {
		size_t hdr_len = FRAGMENT_HDR_LEN;

		if (*proto == IP6_EXT_FRAGMENT && (get_be16(pkt + at + 2) & 0xfff8))
			break;
		if (*proto != IP6_EXT_FRAGMENT)
			hdr_len = (pkt[at + 1] + 1u) * 8;
		if (hdr_len > len - at)
			break;
		*proto = pkt[at];
		at += hdr_len;
	}
	return (uint32_t)at;
}
