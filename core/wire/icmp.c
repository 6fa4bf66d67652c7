/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - the header that ICMP messages of both families share. RFC 792, RFC 4443 2.1.
 */
#include "wire.h"

bool icmp_parse(struct icmp *h, const uint8_t *p, size_t len)
{
	if (len < ICMP_HDR_LEN)
		return false;
	h->type = p[0];
	h->code = p[1];
	h->checksum = get_be16(p + 2);
	h->rest = get_be32(p + 4);
	return true;
}

size_t icmp_emit(const struct icmp *h, uint8_t *p)
{
	p[0] = h->type;
	p[1] = h->code;
	put_be16(p + 2, 0);
	put_be32(p + 4, h->rest);
	return ICMP_HDR_LEN;
}
