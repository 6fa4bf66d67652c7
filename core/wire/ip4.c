/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4.c - the IPv4 header. RFC 791 3.1.
 */
#include "wire.h"

enum { IP4_HDR_MAX = 60 };

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
