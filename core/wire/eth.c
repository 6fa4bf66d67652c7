/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eth.c - the Ethernet II header. RFC 894, RFC 2464.
 */
#include "wire.h"

bool eth_parse(struct eth *h, const uint8_t *p, size_t len)
{
	if (len < ETH_HDR_LEN)
		return false;
	memcpy(h->dst, p, 6);
	memcpy(h->src, p + 6, 6);
	h->type = get_be16(p + 12);
	return true;
}

size_t eth_emit(const struct eth *h, uint8_t *p)
{
	memcpy(p, h->dst, 6);
	memcpy(p + 6, h->src, 6);
	put_be16(p + 12, h->type);
	return ETH_HDR_LEN;
}
