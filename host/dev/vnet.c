/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet.c - virtio_net_hdr <-> the fields of a packet.
 *
 * Numbers are in the machine's order, as TAP has them unless told otherwise. A header that comes is
 * believed only as far as it fits the frame: offsets inside it, the type that the bytes show, a
 * size that cuts.
 */
#include "vnet.h"

#include <string.h>

enum { ETH_LEN = 14, IP4_LEN = 20, IP6_LEN = 40, TCP_LEN = 20, UDP_OFF = 6, TCP_OFF = 16 };

/* Where the TCP header at csum_start ends, of which the first 20 bytes are there. */
static uint32_t headers_len(const struct tern_pkt *p)
{
	return p->csum_start + (uint32_t)(p->data[p->csum_start + 12] >> 4) * 4;
}

void vnet_emit(const struct tern_pkt *p, struct virtio_net_hdr *h)
{
	memset(h, 0, sizeof(*h));
	if (p->flags & TERN_PKT_CSUM_PARTIAL) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = p->csum_start;
		h->csum_offset = p->csum_off;
	}
	if (p->gso_size) {
		h->gso_type = p->flags & TERN_PKT_TSO4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
							 VIRTIO_NET_HDR_GSO_TCPV6;
		h->gso_size = p->gso_size;
		h->hdr_len = (uint16_t)headers_len(p);
	}
}

/* The length of the IP header at p (IPv6: the fixed one) when it is of that version, else 0. */
static uint32_t ip_len_of(const uint8_t *p, uint32_t len, unsigned version)
{
	uint32_t n;

	if (len < IP4_LEN || p[0] >> 4 != version)
		return 0;
	n = version == 4 ? (p[0] & 15u) * 4 : IP6_LEN;
	return n >= IP4_LEN && n + TCP_LEN <= len ? n : 0;
}

/* Does the checksum of a super-frame begin where its TCP header does? */
static bool begins_at_tcp(const struct tern_pkt *p, uint32_t link_len, unsigned version)
{
	uint32_t ip_len =
		p->len < link_len ? 0 : ip_len_of(p->data + link_len, p->len - link_len, version);

	if (ip_len == 0 || p->csum_start + (uint32_t)TCP_LEN > p->len ||
	    headers_len(p) < p->csum_start + (uint32_t)TCP_LEN)
		return false;
	/* IPv6 may have extension headers in between: the stack walks them */
	return version == 4 ? p->csum_start == link_len + ip_len :
			      p->csum_start >= link_len + ip_len;
}

static bool parse_gso(const struct virtio_net_hdr *h, uint32_t link_len, struct tern_pkt *p)
{
	unsigned type = h->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	unsigned version = type == VIRTIO_NET_HDR_GSO_TCPV4 ? 4 : 6;

	if (type == VIRTIO_NET_HDR_GSO_NONE)
		return h->gso_type == 0;
	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
		return false;
	/* a super-frame without an open checksum could not be cut */
	if (!(p->flags & TERN_PKT_CSUM_PARTIAL) || p->csum_off != TCP_OFF || h->gso_size == 0)
		return false;
	if (!begins_at_tcp(p, link_len, version))
		return false;
	if (headers_len(p) + (uint32_t)h->gso_size >= p->len)
		return true; /* one segment: nothing to cut */
	p->gso_size = h->gso_size;
	p->flags |= version == 4 ? TERN_PKT_TSO4 : TERN_PKT_TSO6;
	return true;
}

bool vnet_parse(const struct virtio_net_hdr *h, bool ethernet, struct tern_pkt *p)
{
	uint32_t link_len = ethernet ? ETH_LEN : 0;

	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (h->csum_start < link_len + IP4_LEN ||
		    (h->csum_offset != TCP_OFF && h->csum_offset != UDP_OFF) ||
		    (uint32_t)h->csum_start + h->csum_offset + 2 > p->len)
			return false;
		p->flags |= TERN_PKT_CSUM_PARTIAL;
		p->csum_start = h->csum_start;
		p->csum_off = h->csum_offset;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->flags |= TERN_PKT_CSUM_GOOD;
	}
	return parse_gso(h, link_len, p);
}
