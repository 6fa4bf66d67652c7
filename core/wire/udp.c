/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - the UDP header. RFC 768.
 */
#include "wire.h"

bool udp_parse(struct udp *h, const uint8_t *p, size_t len)
{
	if (len < UDP_HDR_LEN)
		return false;
	h->src_port = get_be16(p);
	h->dst_port = get_be16(p + 2);
	h->len = get_be16(p + 4);
	h->checksum = get_be16(p + 6);
	return h->len >= UDP_HDR_LEN && h->len <= len;
}

size_t udp_emit(const struct udp *h, uint8_t *p)
{
	put_be16(p, h->src_port);
	put_be16(p + 2, h->dst_port);
	put_be16(p + 4, h->len);
	put_be16(p + 6, h->checksum);
	return UDP_HDR_LEN;
}
