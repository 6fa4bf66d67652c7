/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uso.c - which datagrams are alike, and the headers of all of them.
 *
 * Those that may differ in payload and checksum alone: same addresses and ports, same length. The
 * kernel makes the checksums anew when it cuts, so only those are taken that are known to be right
 * (TERN_PKT_CSUM_GOOD): what a raw socket sends goes as it is. It also counts the identification of
 * IPv4 up, which means nothing where no router may cut (RFC 6864 4.1), and that is asked for.
 */
#include "uso.h"

#include <string.h>

#include "../../core/wire/wire.h"

enum { CHECKSUM_OFF = 6, IP_BYTES_MAX = 65535 };
enum { GSO_UDP_L4 = 5 }; /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers lack */

/* Length of the link's and the IP header before a datagram that could be one of many; else 0. */
static uint32_t ip_end(const struct tern_pkt *p, bool ethernet)
{
	uint32_t link_len = ethernet ? ETH_HDR_LEN : 0;
	const uint8_t *ip = p->data + link_len;
	uint32_t end = 0;

	if (p->len < link_len + IP4_HDR_LEN)
		return 0;
	if (ip[0] == 0x45 && get_be16(ip + 6) == IP4_DF && ip[9] == TERN_IPPROTO_UDP)
		end = link_len + IP4_HDR_LEN;
	else if (ip[0] >> 4 == 6 && ip[6] == TERN_IPPROTO_UDP)
		end = link_len + IP6_HDR_LEN;
	return p->len > end + UDP_HDR_LEN ? end : 0;
}

/* May q, which can be p itself, be in a super-frame that begins with p? */
static bool is_like(const struct tern_pkt *p, const struct tern_pkt *q, uint32_t udp_off)
{
	return (q->flags & TERN_PKT_CSUM_GOOD) && q->n_spans == 0 && q->len == p->len &&
	       memcmp(p->data, q->data, udp_off + CHECKSUM_OFF) == 0;
}

/* Of the whole: its lengths, and the sum of the pseudo-header, which the kernel goes on from. */
static void put_lengths(uint8_t *ip, uint8_t *udp, uint32_t len)
{
	uint32_t sum = TERN_IPPROTO_UDP + len;

	if (ip[0] >> 4 == 4) {
		put_be16(ip + 2, (uint16_t)(udp - ip + len));
		ip4_set_checksum(ip);
		sum += checksum_header(ip + 12, 2 * 4); /* both addresses */
	} else {
		put_be16(ip + 4, (uint16_t)len);
		sum += checksum_header(ip + 8, 2 * 16);
	}
	put_be16(udp + 4, (uint16_t)len);
	put_be16(udp + CHECKSUM_OFF, (uint16_t)~checksum_finish(sum));
}

unsigned uso_build(struct uso *u, const struct tern_pkt *list, bool ethernet)
{
	uint32_t udp_off = ip_end(list, ethernet), head = udp_off + UDP_HDR_LEN;
	uint32_t link_len = ethernet ? ETH_HDR_LEN : 0, each, max;
	unsigned n = 0;

	if (!udp_off)
		return 0;
	each = list->len - head;
	max = MIN((IP_BYTES_MAX - (head - link_len)) / each, (uint32_t)USO_DATAGRAMS_MAX);
	for (const struct tern_pkt *p = list; p && n < max && is_like(list, p, udp_off);
	     p = p->next)
		u->iov[2 + n++] = (struct iovec){ p->data + head, each };
	if (n < 2)
		return 0;
	memcpy(u->headers, list->data, head);
	put_lengths(u->headers + link_len, u->headers + udp_off, UDP_HDR_LEN + n * each);
	u->h = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.gso_type = GSO_UDP_L4,
					.hdr_len = (uint16_t)head,
					.gso_size = (uint16_t)each,
					.csum_start = (uint16_t)udp_off,
					.csum_offset = CHECKSUM_OFF };
	u->iov[0] = (struct iovec){ &u->h, sizeof(u->h) };
	u->iov[1] = (struct iovec){ u->headers, head };
	u->n_iov = (int)(2 + n);
	return n;
}
