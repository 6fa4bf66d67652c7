/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp.c - address resolution packets for IPv4 over Ethernet. RFC 826.
 */
#include "wire.h"

/* Hardware type Ethernet, protocol IPv4, lengths 6 and 4: what every packet of ours begins with. */
static const uint8_t fixed_part[6] = { 0, 1, ETH_IP4 >> 8, ETH_IP4 & 0xff, 6, 4 };

bool arp_parse(struct arp *a, const uint8_t *p, size_t len)
{
	if (len < ARP_LEN || memcmp(p, fixed_part, sizeof(fixed_part)) != 0)
		return false;
	a->op = get_be16(p + 6);
	memcpy(a->sender_mac, p + 8, 6);
	a->sender = addr_from4(p + 14);
	memcpy(a->target_mac, p + 18, 6);
	a->target = addr_from4(p + 24);
	return true;
}

size_t arp_emit(const struct arp *a, uint8_t *p)
{
	memcpy(p, fixed_part, sizeof(fixed_part));
	put_be16(p + 6, a->op);
	memcpy(p + 8, a->sender_mac, 6);
	memcpy(p + 14, a->sender.b + 12, 4);
	memcpy(p + 18, a->target_mac, 6);
	memcpy(p + 24, a->target.b + 12, 4);
	return ARP_LEN;
}
