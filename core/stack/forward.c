/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward.c - a packet for somebody else goes on, if this host is a router.
 *
 * Off unless ip_forward or ipv6_forward says otherwise. What is broadcast, multicast, or good on
 * one link only stays where it is. The packet is copied without its link header; a super-frame is
 * cut where the next device does not do that. Who sent what cannot go on is told why.
 *
 * Sources: RFC 1812 5.2.1 (forwarding), 5.3.1 (TTL), 4.2.2.7 (fragments), 5.3.5 with RFC 2644
 * (broadcasts); RFC 8200 3 (hop limit), 5; RFC 4291 2.5.6, RFC 3927 2.7 (link-local); RFC 4443 3.
 */
#include "stack.h"

static enum tern_drop refuse(struct tern_stack *st, const struct inbound *in,
			     const struct icmp_problem *why, enum tern_drop drop)
{
	icmp_send_error(st, in, why);
	return drop;
}

/* Is it a packet that a router may hand on at all? */
static bool is_for_others(const struct tern_stack *st, const struct inbound *in)
{
	if (in->to != ADDR_OTHER || (in->p->flags & TERN_PKT_LINK_BROADCAST))
		return false;
	if (addr_classify(&st->net, &in->dst, 0) != ADDR_OTHER || addr_is_unspecified(&in->src) ||
	    addr_is_loopback(&in->dst))
		return false;
	return !addr_is_link_local(&in->dst) &&
	       !(addr_is4(&in->src) && addr_is_link_local(&in->src)); /* RFC 3927 2.7 */
}

/* RFC 4443 3.1, code 2; RFC 4291 2.5.6: what comes from a link-local address stays on its link. */
static bool leaves_its_scope(const struct inbound *in, const struct hop *hop)
{
	return addr_is_link_local(&in->src) && hop->ifindex != in->iface->index;
}

/* Bytes of the largest packet that the device will see of it. */
static uint32_t size_on_link(const struct inbound *in)
{
	const uint8_t *l4 = in->p->data + in->l4_off;

	if (!in->p->gso_size)
		return in->end - in->l3_off;
	return in->l4_off - in->l3_off + (l4[12] >> 4) * 4u + in->p->gso_size;
}

static struct tern_pkt *copy_for_others(struct tern_stack *st, const struct inbound *in)
{
	const struct tern_pkt *from = in->p;
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM, in->end - in->l3_off);

	if (!p)
		return NULL;
	memcpy(p->data, from->data + in->l3_off, p->len);
	p->flags = from->flags & (TERN_PKT_CSUM_PARTIAL | TERN_PKT_TSO4 | TERN_PKT_TSO6);
	p->gso_size = from->gso_size;
	p->csum_off = from->csum_off;
	p->csum_start = (uint16_t)(from->csum_start - in->l3_off);
	return p;
}

static void count_down(struct tern_pkt *p)
{
	if (p->data[0] >> 4 == 6) {
		p->data[7]--;
		return;
	}
	put_be16(p->data + 10, checksum_update16((uint16_t)get_be16(p->data + 10),
						 (uint16_t)get_be16(p->data + 8),
						 (uint16_t)(get_be16(p->data + 8) - 0x100)));
	p->data[8]--;
}

/* The sum of the pseudo-header is in the checksum's place; of it another length. RFC 1624. */
static uint16_t pseudo_with_length(const struct tern_pkt *p, const uint8_t *l4, uint32_t len)
{
	uint32_t old_len = p->len - p->csum_start;

	return (uint16_t)~checksum_finish(get_be16(l4 + 16) + (uint16_t)~old_len + len);
}

/* One segment of a super-frame, from byte `off` of its payload. */
static struct tern_pkt *cut_segment(struct tern_stack *st, const struct tern_pkt *p,
				    uint32_t hdr_len, uint32_t off)
{
	bool v4 = p->data[0] >> 4 == 4, more = off + p->gso_size < p->len - hdr_len;
	uint32_t n = MIN(p->gso_size, p->len - hdr_len - off);
	struct tern_pkt *segment = pkt_new(&st->mem, PKT_HEAD_ROOM, hdr_len + n);
	uint8_t *l4;

	if (!segment)
		return NULL;
	memcpy(segment->data, p->data, hdr_len);
	memcpy(segment->data + hdr_len, p->data + hdr_len + off, n);
	l4 = segment->data + p->csum_start;
	put_be32(l4 + 4, get_be32(l4 + 4) + off);
	if (more)
		l4[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (off)
		l4[13] &= (uint8_t)~TCP_CWR;
	put_be16(l4 + 16, pseudo_with_length(p, l4, segment->len - p->csum_start));
	segment->csum_start = p->csum_start;
	segment->csum_off = p->csum_off;
	segment->flags = TERN_PKT_CSUM_PARTIAL;
	if (v4) {
		uint8_t *h = segment->data;

		put_be16(h + 2, hdr_len + n);
		put_be16(h + 4, get_be16(h + 4) + off / p->gso_size);
		ip4_set_checksum(h);
	} else {
		put_be16(segment->data + 4, hdr_len + n - IP6_HDR_LEN);
	}
	return segment;
}

static void send_on(struct tern_stack *st, struct tern_pkt *p, const struct hop *hop)
{
	const struct iface *i = iface_get(&st->net, hop->ifindex);

	if (!(i->cfg.flags & TERN_IFACE_CSUM))
		tern_pkt_complete(st, p);
	send_by_hop(st, p, hop);
}

/* Of segments that are too large for the link each is cut again, as far as that is allowed. */
static void send_super_frame(struct tern_stack *st, struct tern_pkt *p, const struct hop *hop)
{
	const struct iface *i = iface_get(&st->net, hop->ifindex);
	bool v4 = p->data[0] >> 4 == 4;
	uint32_t hdr_len = p->csum_start + (p->data[p->csum_start + 12] >> 4) * 4u;

	if ((i->cfg.flags & (v4 ? TERN_IFACE_TSO4 : TERN_IFACE_TSO6)) &&
	    hdr_len + p->gso_size <= hop->link_mtu) {
		send_by_hop(st, p, hop);
		return;
	}
	for (uint32_t off = 0; off < p->len - hdr_len; off += p->gso_size) {
		struct tern_pkt *segment = cut_segment(st, p, hdr_len, off);

		if (!segment)
			continue;
		segment->cut_to = hop->link_mtu;
		send_on(st, segment, hop);
	}
	tern_pkt_free(st, p);
}

enum tern_drop forward_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *h = in->p->data + in->l3_off;
	bool v4 = addr_is4(&in->dst);
	struct icmp_problem expired = { v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0, 0 };
	struct icmp_problem no_route = { v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE, 0, 0 };
	struct icmp_problem beyond_scope = { ICMP6_UNREACHABLE, 2, 0 };
	struct icmp_problem too_big = { v4 ? ICMP4_UNREACHABLE : ICMP6_TOO_BIG, v4 ? 4 : 0, 0 };
	struct route_key key = { .dst = in->dst, .src = in->src };
	struct tern_pkt *p;
	struct hop hop;

	if (!is_for_others(st, in))
		return TERN_DROP_IP_NOT_OURS;
	if (in->ttl <= 1)
		return refuse(st, in, &expired, TERN_DROP_IP_TTL);
	if (route_lookup(&st->net, &key, &hop))
		return refuse(st, in, &no_route, TERN_DROP_NO_ROUTE);
	if (leaves_its_scope(in, &hop))
		return refuse(st, in, &beyond_scope, TERN_DROP_IP_NOT_OURS);
	too_big.rest = hop.link_mtu;
	if (size_on_link(in) > hop.link_mtu && (!v4 || (get_be16(h + 6) & IP4_DF)))
		return refuse(st, in, &too_big, TERN_DROP_TOO_BIG);
	p = copy_for_others(st, in);
	if (!p)
		return TERN_DROP_NO_MEMORY;
	count_down(p);
	st->counters[COUNT_IP_FORW_DATAGRAMS]++;
	if (p->gso_size) {
		send_super_frame(st, p, &hop);
	} else {
		p->cut_to = hop.link_mtu;
		send_on(st, p, &hop);
	}
	return TERN_DROP_NONE;
}
