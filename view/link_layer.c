/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_layer.c - from a link type's header to the IP packet.
 *
 * Link types are those of the pcap registry. An Ethernet header may be followed by a stack of VLAN
 * tags and by PPPoE; the cooked headers of Linux name the protocol as Ethernet does. Whatever the
 * header says, what is IP begins with the version 4 or 6.
 */
#include "link_layer.h"

#include "../core/wire/wire.h"

enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IP4 = 228,
	LINK_IP6 = 229,
	LINK_COOKED2 = 276,
};

enum { COOKED2_IFACE_AT = 4, TAGS_MAX = 8, PPPOE = 0x8864, PPP_IP4 = 0x0021, PPP_IP6 = 0x0057 };

struct shape {
	uint32_t link_type;
	uint8_t header_len;
	int8_t type_at; /* an Ethernet type stands there; -1: none */
};

static const struct shape shapes[] = {
	{ LINK_ETHERNET, ETH_HDR_LEN, 12 },
	{ LINK_COOKED, 16, 14 },
	{ LINK_COOKED2, 20, 0 },
	{ LINK_NULL, 4, -1 },
	{ LINK_LOOP, 4, -1 },
	{ LINK_RAW, 0, -1 },
	{ LINK_RAW_BSD, 0, -1 },
	{ LINK_RAW_OPENBSD, 0, -1 },
	{ LINK_IP4, 0, -1 },
	{ LINK_IP6, 0, -1 },
};

static bool is_vlan_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* Goes over tags; *at is behind the type that was read last. */
static enum link_verdict follow_types(const uint8_t *p, size_t kept, uint16_t type, size_t *at)
{
	for (int i = 0; i < TAGS_MAX && is_vlan_tag(type); i++) {
		if (kept < *at + 4)
			return LINK_CUT;
		type = get_be16(p + *at + 2);
		*at += 4;
	}
	if (type == PPPOE) {
		if (kept < *at + 8)
			return LINK_CUT;
		type = get_be16(p + *at + 6);
		*at += 8;
		return type == PPP_IP4 || type == PPP_IP6 ? LINK_IP : LINK_OTHER;
	}
	return type == ETH_IP4 || type == ETH_IP6 ? LINK_IP : LINK_OTHER;
}

/* The address family of the machine that captured, in its byte order; LOOP: in the network's. */
static bool is_ip_family(const uint8_t *p)
{
	uint32_t family = get_be32(p);

	if (family > 0xffff)
		family = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

static enum link_verdict look_behind(const struct shape *s, const uint8_t *p, size_t kept,
				     size_t *at)
{
	*at = s->header_len;
	if (kept < *at)
		return LINK_CUT;
	if (s->type_at >= 0)
		return follow_types(p, kept, get_be16(p + s->type_at), at);
	return s->header_len == 0 || is_ip_family(p) ? LINK_IP : LINK_OTHER;
}

enum link_verdict link_find_ip(uint32_t link_type, const uint8_t *p, size_t kept, size_t *offset)
{
	for (size_t i = 0; i < N_ELEMENTS(shapes); i++) {
		enum link_verdict verdict;

		if (shapes[i].link_type != link_type)
			continue;
		verdict = look_behind(&shapes[i], p, kept, offset);
		if (verdict != LINK_IP)
			return verdict;
		if (*offset >= kept)
			return LINK_CUT;
		return p[*offset] >> 4 == 4 || p[*offset] >> 4 == 6 ? LINK_IP : LINK_OTHER;
	}
	return LINK_UNKNOWN;
}

/* Of a capture on all interfaces the newer of Linux's headers tells; the older has no room. */
uint32_t link_find_iface(uint32_t link_type, const uint8_t *p, size_t kept)
{
	return link_type == LINK_COOKED2 && kept >= COOKED2_IFACE_AT + 4 ?
		       get_be32(p + COOKED2_IFACE_AT) :
		       0;
}
