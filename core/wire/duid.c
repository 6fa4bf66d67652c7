/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * duid.c - a DHCP unique identifier, which both kinds of DHCP send.
 *
 * Sources: RFC 8415 11.4; RFC 4361 6.1.
 */
#include "dhcp.h"

struct dhcp6_duid duid_from_mac(const uint8_t mac[6])
{
	struct dhcp6_duid d = { .len = 10, .b = { 0, 3, 0, 1 } }; /* DUID-LL, Ethernet */

	memcpy(d.b + 4, mac, 6);
	return d;
}
