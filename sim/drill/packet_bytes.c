/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_bytes.c - packets to frames and back, in numbers as they are on the wire.
 *
 * Injected packets may be as odd as a script likes; checksums are right. Frames of the stack are
 * checked whole: lengths, checksums, and that nothing follows the packet.
 */
#include <string.h>

#include "packet.h"

enum { TTL_OF_OTHERS = 255, QUOTED_L4 = 8 };

bool option_next(uint8_t *options, unsigned len, unsigned *pos, struct option_at *o)
{
	if (*pos >= len)
		return false;
	o->kind = options[*pos];
	o->data = options + *pos + 1;
	o->len = 1;
	if (o->kind != OPT_EOL && o->kind != OPT_NOP) {
		if (*pos + 2 > len || options[*pos + 1] < 2 || *pos + options[*pos + 1] > len)
			return false;
		o->len = options[*pos + 1];
		o->data++;
	}
	*pos += o->len;
	return true;
}

/* ---- building ---- */

static uint8_t wire_proto(uint8_t proto, int family)
{
	if (proto == TERN_IPPROTO_ICMP && family == TERN_AF_INET6)
		return TERN_IPPROTO_ICMPV6;
	return proto;
}

static size_t put_ip(const struct packet *p, const struct flow *f, size_t payload, uint8_t *out)
{
	uint8_t ttl = p->ttl ? p->ttl : TTL_OF_OTHERS;
	uint8_t tos = p->tos_check == TOS_UNCHECKED ? 0 : p->tos;

	if (addr_is4(&f->src)) {
		struct ip4 ip = {
			.tos = tos,
			.ttl = ttl,
			.proto = p->proto,
			.hdr_len = IP4_HDR_LEN,
			.total_len = (uint16_t)(IP4_HDR_LEN + payload),
			.src = f->src,
			.dst = f->dst,
		};

		return ip4_emit(&ip, out);
	}
	return ip6_emit(&(struct ip6){ .traffic_class = tos,
				       .hop_limit = ttl,
				       .next_header = wire_proto(p->proto, TERN_AF_INET6),
				       .flow_label = p->flow_label,
				       .payload_len = (uint16_t)payload,
				       .src = f->src,
				       .dst = f->dst },
			out);
}

static size_t put_tcp(const struct packet *p, const struct flow *f, uint8_t *out)
{
	struct tcp_hdr h = {
		.src_port = f->src_port,
		.dst_port = f->dst_port,
		.seq = p->seq,
		.ack = p->ack,
		.flags = p->flags,
		.wnd = (uint16_t)MAX(p->win, 0),
		.urg = p->urg,
	};
	size_t len = TCP_HDR_LEN + p->options_len;

	tcp_emit(&h, out);
	memcpy(out + TCP_HDR_LEN, p->options, p->options_len);
	out[12] = (uint8_t)((out[12] & 0x0f) | len / 4 << 4);
	memset(out + len, 0, p->len);
	return len + p->len;
}

static size_t put_udp(const struct packet *p, const struct flow *f, uint8_t *out)
{
	struct udp h = { f->src_port, f->dst_port, (uint16_t)(UDP_HDR_LEN + p->len), 0 };

	udp_emit(&h, out);
	memset(out + UDP_HDR_LEN, 0, p->len);
	return UDP_HDR_LEN + p->len;
}

/* The IP header and the first 8 bytes of a packet of ours, and what p->len says of its data. */
static size_t put_quoted(const struct packet *p, const struct flow *f, uint8_t *out)
{
	struct flow back = { f->dst, f->src, f->dst_port, f->src_port };
	struct packet q = { .proto = p->quoted, .seq = p->seq };
	size_t l4 = p->quoted == TERN_IPPROTO_TCP ? TCP_HDR_LEN : UDP_HDR_LEN, ip_len;

	ip_len = put_ip(&q, &back, l4 + p->len, out);
	out += ip_len;
	put_be16(out, back.src_port);
	put_be16(out + 2, back.dst_port);
	if (p->quoted == TERN_IPPROTO_TCP) {
		put_be32(out + 4, p->seq);
	} else {
		put_be16(out + 4, UDP_HDR_LEN + p->len);
		put_be16(out + 6, 0);
	}
	return ip_len + QUOTED_L4;
}

static size_t put_icmp(const struct packet *p, const struct flow *f, uint8_t *out)
{
	struct icmp h = { .type = p->type, .code = p->code };

	h.rest = p->has_mtu ? p->mtu : (uint32_t)p->id << 16;
	icmp_emit(&h, out);
	if (p->quoted == TERN_IPPROTO_RAW) {
		memset(out + ICMP_HDR_LEN, 0, p->len - ICMP_HDR_LEN);
		return p->len;
	}
	return ICMP_HDR_LEN + (p->quoted ? put_quoted(p, f, out + ICMP_HDR_LEN) : 0);
}

static unsigned checksum_at(uint8_t proto)
{
	return proto == TERN_IPPROTO_TCP ? 16 : proto == TERN_IPPROTO_UDP ? 6 : 2;
}

static uint32_t sum_l4(uint8_t proto, const struct flow *f, const uint8_t *l4, size_t len)
{
	uint32_t sum = 0;

	if (proto != TERN_IPPROTO_ICMP)
		sum = checksum_pseudo(&f->src, &f->dst, proto, (uint32_t)len);
	return checksum_add(l4, len, sum);
}

size_t packet_build(const struct packet *p, const struct flow *f, int family, uint8_t *frame)
{
	size_t ip_len = family == TERN_AF_INET ? IP4_HDR_LEN : IP6_HDR_LEN, len;
	uint8_t *l4 = frame + ip_len, proto = wire_proto(p->proto, family);

	if (ip_len + TCP_HDR_MAX + p->len > 65535)
		return 0;
	if (p->proto == TERN_IPPROTO_TCP)
		len = put_tcp(p, f, l4);
	else if (p->proto == TERN_IPPROTO_UDP)
		len = put_udp(p, f, l4);
	else
		len = put_icmp(p, f, l4);
	put_ip(p, f, len, frame);
	put_be16(l4 + checksum_at(p->proto), checksum_finish(sum_l4(proto, f, l4, len)));
	return ip_len + len;
}

/* ---- reading ---- */

static const char *read_tcp(struct packet *p, struct flow *f, const uint8_t *l4, size_t len)
{
	struct tcp_hdr h;

	if (!tcp_parse(&h, l4, len))
		return "a malformed TCP header";
	f->src_port = h.src_port;
	f->dst_port = h.dst_port;
	p->flags = h.flags;
	p->seq = h.seq;
	p->ack = h.ack;
	p->win = h.wnd;
	p->urg = h.urg;
	p->len = (uint32_t)(len - h.hdr_len);
	p->options_len = (uint8_t)(h.hdr_len - TCP_HDR_LEN);
	memcpy(p->options, l4 + TCP_HDR_LEN, p->options_len);
	return NULL;
}

static const char *read_udp(struct packet *p, struct flow *f, const uint8_t *l4, size_t len)
{
	struct udp h;

	if (!udp_parse(&h, l4, len) || h.len != len)
		return "a malformed UDP header";
	f->src_port = h.src_port;
	f->dst_port = h.dst_port;
	p->len = h.len - UDP_HDR_LEN;
	return NULL;
}

/* Where a transport header lies, in a packet or in what ICMP quotes of one. */
struct inner {
	uint8_t proto;
	size_t at, total;
};

static bool find_quoted(struct inner *in, const uint8_t *ip, size_t len)
{
	struct ip4 ip4;
	struct ip6 ip6;

	if (len == 0)
		return false;
	if (ip[0] >> 4 == 4) {
		if (!ip4_parse_quoted(&ip4, ip, len))
			return false;
		*in = (struct inner){ ip4.proto, ip4.hdr_len, ip4.total_len };
	} else {
		if (!ip6_parse_quoted(&ip6, ip, len))
			return false;
		*in = (struct inner){ ip6.next_header, IP6_HDR_LEN,
				      IP6_HDR_LEN + (size_t)ip6.payload_len };
	}
	return len >= in->at + QUOTED_L4 && in->total >= in->at + QUOTED_L4;
}

/* An error's ports are those of the packet it quotes, seen from where the error goes. */
static void read_quoted(struct packet *p, struct flow *f, const uint8_t *ip, size_t len)
{
	struct inner in;
	size_t hdr = UDP_HDR_LEN;

	if (!find_quoted(&in, ip, len))
		return;
	if (in.proto != TERN_IPPROTO_TCP && in.proto != TERN_IPPROTO_UDP)
		return;
	p->quoted = in.proto;
	f->dst_port = get_be16(ip + in.at);
	f->src_port = get_be16(ip + in.at + 2);
	if (in.proto == TERN_IPPROTO_TCP) {
		p->seq = get_be32(ip + in.at + 4);
		hdr = len > in.at + 12 ? (size_t)(ip[in.at + 12] >> 4) * 4 : TCP_HDR_LEN;
	}
	p->len = (uint32_t)(in.total - MIN(in.total, in.at + hdr));
}

static const char *read_icmp(struct packet *p, struct flow *f, const uint8_t *l4, size_t len)
{
	bool v6 = !addr_is4(&f->src);
	struct icmp h;

	if (!icmp_parse(&h, l4, len))
		return "a malformed ICMP header";
	p->type = h.type;
	p->code = h.code;
	if (icmp_is_error(v6 ? TERN_AF_INET6 : TERN_AF_INET, h.type)) {
		p->has_mtu =
			v6 ? h.type == ICMP6_TOO_BIG : h.type == ICMP4_UNREACHABLE && h.code == 4;
		p->mtu = p->has_mtu ? h.rest : 0;
		read_quoted(p, f, l4 + ICMP_HDR_LEN, len - ICMP_HDR_LEN);
	} else {
		p->id = (uint16_t)(h.rest >> 16);
		p->quoted = TERN_IPPROTO_RAW;
		p->len = (uint32_t)len;
	}
	return NULL;
}

static const char *read_ip(struct packet *p, struct flow *f, const uint8_t *frame, size_t len,
			   struct inner *in)
{
	struct ip4 ip4;
	struct ip6 ip6;

	if (len > 0 && frame[0] >> 4 == 4) {
		if (ip4_parse(&ip4, frame, len) != IP4_OK || ip4.total_len != len)
			return "a malformed IPv4 header";
		f->src = ip4.src;
		f->dst = ip4.dst;
		p->tos = ip4.tos;
		p->ttl = ip4.ttl;
		*in = (struct inner){ ip4.proto, ip4.hdr_len, len };
		return ip4.mf || ip4.frag_off ? "a fragment" : NULL;
	}
	if (!ip6_parse(&ip6, frame, len) || IP6_HDR_LEN + (size_t)ip6.payload_len != len)
		return "a malformed IPv6 header";
	f->src = ip6.src;
	f->dst = ip6.dst;
	p->tos = ip6.traffic_class;
	p->ttl = ip6.hop_limit;
	p->flow_label = ip6.flow_label;
	*in = (struct inner){ ip6.next_header, IP6_HDR_LEN, len };
	return NULL;
}

const char *packet_read(struct packet *p, struct flow *f, const uint8_t *frame, size_t len)
{
	const char *problem;
	struct inner in;
	const uint8_t *l4;

	memset(p, 0, sizeof(*p));
	memset(f, 0, sizeof(*f));
	p->win = WIN_ANY;
	problem = read_ip(p, f, frame, len, &in);
	if (problem)
		return problem;
	l4 = frame + in.at;
	len -= in.at;
	p->proto = in.proto == TERN_IPPROTO_ICMPV6 ? TERN_IPPROTO_ICMP : in.proto;
	if (in.proto == TERN_IPPROTO_TCP)
		problem = read_tcp(p, f, l4, len);
	else if (in.proto == TERN_IPPROTO_UDP)
		problem = read_udp(p, f, l4, len);
	else if (in.proto == TERN_IPPROTO_ICMP || in.proto == TERN_IPPROTO_ICMPV6)
		problem = read_icmp(p, f, l4, len);
	else
		return "a packet of another protocol";
	if (!problem && checksum_finish(sum_l4(in.proto, f, l4, len)) != 0)
		problem = "a packet with a wrong checksum";
	return problem;
}
