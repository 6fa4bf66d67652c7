/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.c - a router that marks: the ECN field of an IP packet becomes CE.
 *
 * Only what is able to carry a mark gets one (RFC 3168 5); the rest passes as it is, which a real
 * router would drop at that rate. The header checksum of IPv4 is mended by RFC 1624, equation 3.
 */
#include "link.h"

enum { ETH_LEN = 14, IP4_LEN = 20, IP6_LEN = 40, ECN_CE = 3 };

static void mend_checksum(uint8_t *ip, uint32_t before, uint32_t after)
{
	uint32_t sum = (~(uint32_t)(ip[10] << 8 | ip[11]) & 0xffff) + (~before & 0xffff) + after;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

bool link_mark(enum tern_link kind, uint8_t *frame, uint32_t len)
{
	uint32_t l3 = kind == TERN_LINK_ETHERNET ? ETH_LEN : 0;
	uint8_t *ip = frame + l3;

	if (len >= l3 + IP4_LEN && ip[0] >> 4 == 4) {
		uint32_t before = (uint32_t)(ip[0] << 8 | ip[1]);

		if ((ip[1] & ECN_CE) == 0 || (ip[1] & ECN_CE) == ECN_CE)
			return false;
		ip[1] |= ECN_CE;
		mend_checksum(ip, before, (uint32_t)(ip[0] << 8 | ip[1]));
		return true;
	}
	if (len >= l3 + IP6_LEN && ip[0] >> 4 == 6) { /* the traffic class is in both bytes */
		uint8_t ecn = ip[1] >> 4 & ECN_CE;

		if (ecn == 0 || ecn == ECN_CE)
			return false;
		ip[1] |= ECN_CE << 4;
		return true;
	}
	return false;
}
