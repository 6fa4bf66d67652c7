/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_identity.c - who are we, for both kinds of DHCP?
 *
 * A DUID-LL, made of an Ethernet address, because a stack has nowhere to keep another. It is one
 * for all interfaces and stays while the stack lives; an IAID tells the interfaces apart.
 *
 * Sources: RFC 8415 11.4, 12; RFC 4361 6.1.
 */
#include "dhcp.h"

enum { PAUSE_SHIFT_MAX = 6 }; /* 64 s */

struct dhcp6_duid dhcp_duid(struct net *net, const uint8_t mac[6])
{
	if (!net->has_duid) {
		memcpy(net->duid_mac, mac, 6);
		net->has_duid = true;
	}
	return duid_from_mac(net->duid_mac);
}

uint32_t dhcp_iaid(const uint8_t mac[6])
{
	return get_be32(mac + 2);
}

tern_time dhcp_pause(struct net *net, unsigned n_failures)
{
	tern_time whole = TERN_SEC << MIN(n_failures, PAUSE_SHIFT_MAX);

	return whole + rand_below(net->rand, TERN_SEC);
}
