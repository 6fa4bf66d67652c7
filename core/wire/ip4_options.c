/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4_options.c - the options of an IPv4 header: are they well-formed, and is the way prescribed?
 *
 * A host needs none of them (RFC 1122 3.2.1.8): they are not echoed, not recorded into, and passed
 * to raw sockets as they came. A packet whose sender wants to say by which way it goes is refused
 * (RFC 7126 4.3, 4.4), because who answers it would be led along.
 *
 * Sources: RFC 791 3.1 (format), RFC 1122 3.2.1.8.
 */
#include "wire.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

enum ip4_options ip4_options_look(const uint8_t *hdr, unsigned hdr_len, unsigned *bad_at)
{
	enum ip4_options seen = IP4_OPTIONS_GOOD;

	for (unsigned at = IP4_HDR_LEN; at < hdr_len && hdr[at] != OPTION_END;) {
		*bad_at = at + 1;
		if (hdr[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (hdr_len - at < 2 || hdr[at + 1] < 2 || hdr[at + 1] > hdr_len - at)
			return IP4_OPTIONS_BAD;
		if (hdr[at] == OPTION_LSRR || hdr[at] == OPTION_SSRR)
			seen = IP4_OPTIONS_SOURCE_ROUTE;
		at += hdr[at + 1];
	}
	return seen;
}
