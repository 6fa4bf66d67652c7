/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4.c - the IPv4 header. RFC 791 3.1.
 */
#include "wire.h"

enum { IP4_HDR_MAX = 60 };

bool ip4_parse_quoted(struct ip4 *h, const uint8_t *p, size_t len)
{
	uint16_t frag;

	if (len < IP4_HDR_LEN || p[0] >> 4 != 4)
		return false;
	h->hdr_len = (uint8_t)((p[0] & 15) * 4);
	if (h->hdr_len < IP4_HDR_LEN || h->hdr_len > len)
		return false;
	frag = get_be16(p + 6);
	h->tos = p[1];
	h->total_len = get_be16(p + 2);
	h->id = get_be16(p + 4);
	h->df = frag & IP4_DF;
	h->mf = frag & IP4_MF;
	h->frag_off = (uint16_t)((frag & 0x1fff) * 8);
	h->ttl = p[8];
	h->proto = p[9];
	h->checksum = get_be16(p + 10);
	h->src = addr_from4(p + 12);
	h->dst = addr_from4(p + 16);
	h->options = h->hdr_len > IP4_HDR_LEN ? p + IP4_HDR_LEN : NULL;
	return true;
}

enum ip4_verdict ip4_parse(struct ip4 *h, const uint8_t *p, size_t len)
{
	if (!ip4_parse_quoted(h, p, len) || h->total_len < h->hdr_len || h->total_len > len)
		return IP4_MALFORMED;
	if (checksum_finish(checksum_header(p, h->hdr_len)) != 0)
		return IP4_BAD_CHECKSUM;
	return IP4_OK;
}

size_t ip4_emit(const struct ip4 *h, uint8_t *p)
{
	uint32_t frag = h->frag_off / 8u | (h->df ? IP4_DF : 0) | (h->mf ? IP4_MF : 0);
	uint8_t hdr_len = h->options ? h->hdr_len : IP4_HDR_LEN;
	uint32_t first = (0x40u | hdr_len / 4u) << 8 | h->tos;
	uint32_t fifth = (uint32_t)h->ttl << 8 | h->proto;
	uint32_t sum = first + h->total_len + h->id + frag + fifth;

	assert(hdr_len >= IP4_HDR_LEN && hdr_len <= IP4_HDR_MAX && hdr_len % 4 == 0);
	put_be16(p, first);
	put_be16(p + 2, h->total_len);
	put_be16(p + 4, h->id);
	put_be16(p + 6, frag);
	put_be16(p + 8, fifth);
	memcpy(p + 12, h->src.b + 12, 4);
	memcpy(p + 16, h->dst.b + 12, 4);
	if (h->options) {
		memmove(p + IP4_HDR_LEN, h->options, hdr_len - IP4_HDR_LEN);
		sum += checksum_header(p + IP4_HDR_LEN, hdr_len - IP4_HDR_LEN);
	}
	sum += checksum_header(h->src.b + 12, 4) + checksum_header(h->dst.b + 12, 4);
	put_be16(p + 10, checksum_finish(sum));
	return hdr_len;
}
