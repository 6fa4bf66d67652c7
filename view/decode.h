/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.h - a frame taken apart as far as a ladder shows it.
 */
#ifndef TERN_VIEW_DECODE_H
#define TERN_VIEW_DECODE_H

#include "../core/wire/wire.h"
#include "events.h"

enum { IP_AUTHENTICATION = 51 }; /* RFC 4302; the core knows no such header */

struct decoded {
	uint8_t proto;		   /* TERN_IPPROTO_TCP, _UDP, _ICMP or _ICMPV6 */
	uint32_t transport_at;	   /* from the IP header on */
	struct tern_addr src, dst; /* port 0 for ICMP */
	struct tcp_hdr tcp;
	struct icmp icmp;
	bool marked;	/* with CE, RFC 3168 */
	bool no_length; /* the IP header leaves it to the card that is to cut the burst */
	bool cut;	/* the capture ends within the TCP header: options are missing */
	const uint8_t *payload;
	uint32_t payload_kept;
	uint32_t len; /* of the payload, also when the capture does not hold all of it */
};

/* false: no TCP, UDP or ICMP over IP, a later fragment, or malformed; proto is what it came to. */
bool decode_frame(struct decoded *, const struct view_event *);

struct tern_addr view_addr(const struct addr *, uint16_t port);
bool view_addr_equal(const struct tern_addr *, const struct tern_addr *);

#endif
