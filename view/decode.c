/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.c - from a frame to its transport header.
 *
 * Captures may hold only the beginning of a frame, and super-frames are longer than any MTU, so
 * lengths come from the IP header and only the headers themselves must be there.
 */
#include "decode.h"

struct cursor {
	const uint8_t *p;
	size_t kept;	/* bytes that are there */
	uint32_t total; /* bytes that the headers promise */
};

static bool skip(struct cursor *c, size_t n)
{
	if (n > c->kept || n > c->total)
		return false;
	c->p += n;
	c->kept -= n;
	c->total -= (uint32_t)n;
	return true;
}

struct tern_addr view_addr(const struct addr *a, uint16_t port)
{
	struct tern_addr out = { .family = TERN_AF_INET6, .port = port };

	if (addr_is4(a)) {
		out.family = TERN_AF_INET;
		memcpy(out.ip, a->b + 12, 4);
	} else {
		memcpy(out.ip, a->b, 16);
	}
	return out;
}

bool view_addr_equal(const struct tern_addr *a, const struct tern_addr *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->ip, b->ip, a->family == TERN_AF_INET ? 4 : 16) == 0;
}

static bool is_between(uint8_t proto, bool ip6)
{
	return proto == IP_AUTHENTICATION || (ip6 && ip6_is_extension(proto));
}

/*
 * Steps over what stands between the IP header and the transport's. Not ip6_walk: it judges as the
 * receiver does, and a capture holds also what is on its way along a route, and bursts with the
 * option of jumbograms. An authentication header hides nothing of what it protects; its length is
 * in words of four bytes, less two (RFC 4302 2.2).
 */
static bool skip_between(struct decoded *d, struct cursor *c, bool ip6)
{
	while (is_between(d->proto, ip6)) {
		uint8_t next;
		size_t len = 8;

		if (c->kept < len)
			return false;
		if (d->proto == IP6_EXT_FRAGMENT && (get_be16(c->p + 2) & 0xfff8))
			return false;
		if (d->proto == IP_AUTHENTICATION)
			len = (c->p[1] + 2u) * 4;
		else if (d->proto != IP6_EXT_FRAGMENT)
			len = (c->p[1] + 1u) * 8;
		next = c->p[0];
		if (!skip(c, len))
			return false;
		d->proto = next;
	}
	return true;
}

static bool decode_ip4(struct decoded *d, struct cursor *c)
{
	struct ip4 ip;

	if (!ip4_parse_quoted(&ip, c->p, c->kept) || ip.frag_off != 0)
		return false;
	d->no_length = ip.total_len == 0;
	if (!d->no_length) /* else a burst that the card was to cut: its length is the frame's */
		c->total = MIN(c->total, ip.total_len);
	if (c->total < ip.hdr_len)
		return false;
	d->proto = ip.proto;
	d->marked = (ip.tos & IP_ECN_CE) == IP_ECN_CE;
	d->src = view_addr(&ip.src, 0);
	d->dst = view_addr(&ip.dst, 0);
	return skip(c, ip.hdr_len) && skip_between(d, c, false);
}

static bool decode_ip6(struct decoded *d, struct cursor *c)
{
	struct ip6 ip;

	if (!ip6_parse_quoted(&ip, c->p, c->kept))
		return false;
	d->proto = ip.next_header;
	d->marked = (ip.traffic_class & IP_ECN_CE) == IP_ECN_CE;
	d->src = view_addr(&ip.src, 0);
	d->dst = view_addr(&ip.dst, 0);
	d->no_length = ip.payload_len == 0 && ip.next_header != IP6_EXT_NONE;
	if (!d->no_length)
		c->total = MIN(c->total, IP6_HDR_LEN + (uint32_t)ip.payload_len);
	return skip(c, IP6_HDR_LEN) && skip_between(d, c, true);
}

/*
 * Short captures cut the options off; what stands before the checksum is enough to draw a segment.
 * The data offset is checked against what the IP header promised.
 */
static bool decode_cut_tcp(struct decoded *d, struct cursor *c)
{
	uint8_t header[TCP_HDR_LEN] = { 0 };
	uint8_t hdr_len;

	if (c->kept < 16 || c->kept >= c->total)
		return false;
	hdr_len = (uint8_t)((c->p[12] >> 4) * 4);
	if (hdr_len < TCP_HDR_LEN || hdr_len <= c->kept || hdr_len > c->total)
		return false;
	memcpy(header, c->p, MIN(c->kept, (size_t)TCP_HDR_LEN));
	header[12] = (uint8_t)(5 << 4 | (header[12] & 15));
	if (!tcp_parse(&d->tcp, header, sizeof(header)))
		return false;
	d->tcp.hdr_len = hdr_len;
	d->cut = true;
	c->total -= hdr_len;
	c->kept = 0;
	return true;
}

static bool decode_tcp(struct decoded *d, struct cursor *c)
{
	if (tcp_parse(&d->tcp, c->p, c->kept))
		return skip(c, d->tcp.hdr_len);
	return decode_cut_tcp(d, c);
}

static bool decode_transport(struct decoded *d, struct cursor *c)
{
	struct udp udp;

	switch (d->proto) {
	case TERN_IPPROTO_TCP:
		if (!decode_tcp(d, c))
			return false;
		d->src.port = d->tcp.src_port;
		d->dst.port = d->tcp.dst_port;
		break;
	case TERN_IPPROTO_UDP:
		/* Not udp_parse: it wants the whole datagram to be there. */
		udp.src_port = c->kept >= UDP_HDR_LEN ? get_be16(c->p) : 0;
		udp.dst_port = c->kept >= UDP_HDR_LEN ? get_be16(c->p + 2) : 0;
		if (!skip(c, UDP_HDR_LEN))
			return false;
		d->src.port = udp.src_port;
		d->dst.port = udp.dst_port;
		break;
	case TERN_IPPROTO_ICMP:
	case TERN_IPPROTO_ICMPV6:
		if (!icmp_parse(&d->icmp, c->p, c->kept) || !skip(c, ICMP_HDR_LEN))
			return false;
		break;
	default:
		return false;
	}
	d->len = c->total;
	d->payload = c->p;
	d->payload_kept = (uint32_t)MIN(c->kept, (size_t)c->total);
	return true;
}

bool decode_frame(struct decoded *d, const struct view_event *ev)
{
	struct cursor c = { ev->bytes, ev->kept, ev->len };
	const uint8_t *ip;

	memset(d, 0, sizeof(*d));
	if (!ev->raw_ip && !skip(&c, ETH_HDR_LEN))
		return false;
	if (c.kept == 0)
		return false;
	/* The version tells the family; on Ethernet the type must agree with it. */
	if (!ev->raw_ip && get_be16(c.p - 2) != (c.p[0] >> 4 == 6 ? ETH_IP6 : ETH_IP4))
		return false;
	ip = c.p;
	if (c.p[0] >> 4 == 4 ? !decode_ip4(d, &c) : !decode_ip6(d, &c))
		return false;
	d->transport_at = (uint32_t)(c.p - ip);
	return decode_transport(d, &c);
}
