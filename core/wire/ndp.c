/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndp.c - neighbour solicitations and advertisements.
 *
 * Sources: RFC 4861 4.3, 4.4 (messages), 4.6 (options), 7.1 (what makes them valid; hop limit,
 * checksum and addresses of the packet are the caller's to check).
 */
#include "wire.h"

enum { OPT_SOURCE_MAC = 1, OPT_TARGET_MAC = 2 };
enum { FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 };

/* The one option that belongs to a message of this type. */
static uint8_t option_of(uint8_t type)
{
	return type == ICMP6_NEIGH_SOLICIT ? OPT_SOURCE_MAC : OPT_TARGET_MAC;
}

static bool parse_options(struct ndp *h, const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t opt_len;

		if (len < 2)
			return false;
		opt_len = p[1] * 8u;
		if (opt_len == 0 || opt_len > len)
			return false;
		if (p[0] == option_of(h->type) && !h->has_mac) {
			if (opt_len != NDP_OPT_LEN)
				return false;
			h->has_mac = true;
			memcpy(h->mac, p + 2, 6);
		}
		p += opt_len;
		len -= opt_len;
	}
	return true;
}

bool ndp_parse(struct ndp *h, const uint8_t *p, size_t len)
{
	if (len < NDP_NS_LEN || p[1] != 0)
		return false;
	if (p[0] != ICMP6_NEIGH_SOLICIT && p[0] != ICMP6_NEIGH_ADVERT)
		return false;
	*h = (struct ndp){ .type = p[0], .target = addr_from6(p + 8) };
	if (h->type == ICMP6_NEIGH_ADVERT) {
		h->router = p[4] & FLAG_ROUTER;
		h->solicited = p[4] & FLAG_SOLICITED;
		h->override = p[4] & FLAG_OVERRIDE;
	}
	return !addr_is_multicast(&h->target) && parse_options(h, p + NDP_NS_LEN, len - NDP_NS_LEN);
}

size_t ndp_emit(const struct ndp *h, uint8_t *p)
{
	memset(p, 0, NDP_NS_LEN);
	p[0] = h->type;
	if (h->type == ICMP6_NEIGH_ADVERT)
		p[4] = (uint8_t)((h->router ? FLAG_ROUTER : 0) |
				 (h->solicited ? FLAG_SOLICITED : 0) |
				 (h->override ? FLAG_OVERRIDE : 0));
	memcpy(p + 8, h->target.b, 16);
	if (!h->has_mac)
		return NDP_NS_LEN;
	p[NDP_NS_LEN] = option_of(h->type);
	p[NDP_NS_LEN + 1] = 1;
	memcpy(p + NDP_NS_LEN + 2, h->mac, 6);
	return NDP_NS_LEN + NDP_OPT_LEN;
}
