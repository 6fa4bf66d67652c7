/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport.c - from an IP packet that is ours to the protocol it carries.
 *
 * Raw sockets get their copy first; the stack handles the packet all the same. A protocol that
 * nobody knows is answered by an ICMP error (RFC 1122 3.2.2.1), a UDP port that nobody has, too.
 */
#include "stack.h"

static const uint8_t *payload(const struct inbound *in)
{
	return in->p->data + in->l4_off;
}

static uint32_t payload_len(const struct inbound *in)
{
	return in->end - in->l4_off;
}

/* Whoever delivered it has verified it, or it has never left memory. */
enum { CSUM_KNOWN = TERN_PKT_CSUM_GOOD | TERN_PKT_CSUM_PARTIAL };

static uint32_t pseudo_header(const struct inbound *in, uint8_t proto)
{
	return in->addr_sum + proto + payload_len(in);
}

/* Of a UDP datagram with its pseudo-header. */
static bool udp_checksum_is_right(const struct tern_stack *st, const struct inbound *in)
{
	uint32_t sum;

	if (in->p->flags & CSUM_KNOWN)
		return true;
	sum = st->env.sum(payload(in), payload_len(in), pseudo_header(in, TERN_IPPROTO_UDP));
	return checksum_finish(sum) == 0;
}

/* ---- TCP ---- */

static enum tern_drop tcp4or6_input(struct tern_stack *st, const struct inbound *in)
{
	struct tcp_packet tp; /* filled in below, field by field: each segment passes here */
	struct tcp_reply reply;
	enum tern_drop drop;
	struct tuple *t;

	st->counters[COUNT_TCP_IN_SEGS]++;
	if (!tcp_parse(&tp.seg.h, payload(in), payload_len(in))) {
		st->counters[COUNT_TCP_IN_ERRS]++;
		return TERN_DROP_TCP_MALFORMED;
	}
	/* MUST-57: nothing is opened, and nothing answered, by way of a group */
	if (in->to == ADDR_BROADCAST || in->to == ADDR_MULTICAST)
		return TERN_DROP_TCP_ADDRESS;
	tp.src = in->src;
	tp.dst = in->dst;
	tp.ifindex = in->iface->index;
	tp.min_iss.given = tp.seg.landed = false;
	tp.seg.ecn = in->tos & 3u;
	tp.seg.part = in->p->gso_size;
	tp.seg.joined = 0;
	tp.seg.data = payload(in) + tp.seg.h.hdr_len;
	tp.seg.len = payload_len(in) - tp.seg.h.hdr_len;
	tp.verified = (in->p->flags & CSUM_KNOWN) != 0;
	if (!tp.verified)
		tp.sum = pseudo_header(in, TERN_IPPROTO_TCP) +
			 checksum_header(payload(in), TCP_HDR_LEN) +
			 checksum_header(payload(in) + TCP_HDR_LEN, tp.seg.h.hdr_len - TCP_HDR_LEN);
	t = sock_tcp_find(&st->ss, &tp);
	if (!sock_tcp_verify(&st->ss, t, &tp)) {
		st->counters[COUNT_TCP_IN_ERRS]++;
		st->counters[COUNT_TCP_IN_CSUM_ERRORS]++;
		return TERN_DROP_TCP_CHECKSUM;
	}
	if (in->rest && *in->rest && (tp.seg.landed || tp.seg.len == 0))
		take_train(st, in, t, &tp);
	drop = sock_tcp_input(&st->ss, t, &tp, &reply);
	if (reply.due) {
		if (addr_is_link_local(&in->src) || (in->iface->cfg.flags & TERN_IFACE_ANY_ADDRESS))
			reply.ifindex = (uint16_t)in->iface->index;
		stack_send_reply(st, &reply);
	}
	return drop;
}

/* By its fourth word: a header as long as this, with ACK, perhaps PSH, and no other bit. */
static bool heads_message(uint32_t fourth, uint32_t hdr_len)
{
	return (fourth & ~((uint32_t)TCP_PSH << 16 | 0xffff)) ==
	       (hdr_len << 26 | (uint32_t)TCP_ACK << 16);
}

bool message_input(struct tern_stack *st, const struct inbound *in, const uint8_t *h, uint32_t len)
{
	uint32_t hdr_len = TCP_HDR_LEN, ports, fourth, sum;
	struct tcp_seg seg; /* what a message has, field by field */
	struct sock *s;
	uint64_t words;

	if (len <= TCP_HDR_LEN || len >= TCP_LAND_MIN || in->p->gso_size ||
	    !list_empty(&st->ss.raws))
		return false;
	ports = get_be32(h);
	s = sock_tcp_recent(&st->ss, ports);
	if (!s || !addr_equal(&s->t.remote, &st->recent.src) ||
	    !addr_equal(&s->t.local, &st->recent.dst) || !tuple_hears(&s->t, in->iface->index))
		return false;
	seg.h.seq = get_be32(h + 4);
	seg.h.ack = get_be32(h + 8);
	fourth = get_be32(h + 12);
	words = (uint64_t)ports + seg.h.seq + seg.h.ack + fourth + get_be32(h + 16);
	seg.h.has_ts = s->tcp->ts_ok;
	if (seg.h.has_ts) {
		hdr_len += TCP_TIMESTAMPS_LEN;
		if (len <= hdr_len || get_be32(h + TCP_HDR_LEN) != TCP_TIMESTAMPS_ALONE)
			return false;
		seg.h.ts_val = get_be32(h + TCP_HDR_LEN + 4);
		seg.h.ts_ecr = get_be32(h + TCP_HDR_LEN + 8);
		words += (uint64_t)TCP_TIMESTAMPS_ALONE + seg.h.ts_val + seg.h.ts_ecr;
	}
	if (!heads_message(fourth, hdr_len))
		return false;
	seg.h.flags = (uint16_t)(fourth >> 16 & (TCP_ACK | TCP_PSH));
	seg.h.wnd = (uint16_t)fourth;
	seg.h.n_sack = 0;
	seg.data = h + hdr_len;
	seg.len = len - hdr_len;
	seg.part = 0;
	seg.joined = 0;
	seg.landed = false;
	if (!(in->p->flags & CSUM_KNOWN)) {
		sum = checksum_words(words + st->recent.sum + TERN_IPPROTO_TCP + len);
		if (checksum_finish(st->env.sum(seg.data, seg.len, sum)) != 0)
			return false;
	}
	if (!sock_tcp_input_message(&st->ss, s, &seg))
		return false;
	st->counters[COUNT_IP_IN_DELIVERS]++;
	st->counters[COUNT_TCP_IN_SEGS]++;
	return true;
}

/* As its header says: nothing here depends on it, but a program may ask (IPV6_FLOWINFO). */
static uint32_t flow_label_of(const struct inbound *in)
{
	return addr_is4(&in->dst) ? 0 : get_be32(in->p->data + in->l3_off) & IP6_LABEL_MASK;
}

/* ---- UDP ---- */

static COLD enum tern_drop refuse_port(struct tern_stack *st, const struct inbound *in)
{
	bool v4 = addr_is4(&in->dst);
	struct icmp_problem problem = { v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE, v4 ? 3 : 4, 0 };

	icmp_send_error(st, in, &problem);
	return TERN_DROP_UDP_NO_SOCKET;
}

struct dgram_in dgram_of(const struct inbound *in, uint8_t proto)
{
	return (struct dgram_in){ .pkt = in->p,
				  .src = in->src,
				  .dst = in->dst,
				  .ifindex = (uint16_t)in->iface->index,
				  .ttl = in->ttl,
				  .tos = in->tos,
				  .flow_label = flow_label_of(in),
				  .proto = proto };
}

static enum tern_drop udp4or6_input(struct tern_stack *st, const struct inbound *in)
{
	struct dgram_in dg = dgram_of(in, TERN_IPPROTO_UDP);
	struct inbound exact = *in;
	enum tern_drop drop;
	struct udp h;

	if (!udp_parse(&h, payload(in), payload_len(in)))
		return TERN_DROP_UDP_MALFORMED;
	exact.end = in->l4_off + h.len;
	/* RFC 768: zero means none; IPv6 does not allow that (RFC 8200 8.1) */
	if (h.checksum == 0 && !addr_is4(&in->src))
		return TERN_DROP_UDP_CHECKSUM;
	if (h.checksum != 0 && !udp_checksum_is_right(st, &exact))
		return TERN_DROP_UDP_CHECKSUM;
	dg.off = in->l4_off + UDP_HDR_LEN;
	dg.len = h.len - UDP_HDR_LEN;
	dg.sport = h.src_port;
	dg.dport = h.dst_port;
	dg.group = in->to == ADDR_BROADCAST || in->to == ADDR_MULTICAST;
	if (st->configuring && st->configuring->input(st, in, &dg))
		return TERN_DROP_NONE;
	drop = sock_udp_input(&st->ss, &dg);
	if (drop == TERN_DROP_UDP_NO_SOCKET)
		return refuse_port(st, in);
	return drop;
}

/* ---- all ---- */

static bool raw_input(struct tern_stack *st, const struct inbound *in)
{
	bool v4 = addr_is4(&in->dst);
	bool icmp = in->proto == (v4 ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6);
	struct dgram_in dg = dgram_of(in, in->proto);

	dg.off = v4 ? in->l3_off : in->l4_off;
	dg.len = in->end - dg.off;
	return sock_raw_input(&st->ss, &dg, icmp && payload_len(in) ? payload(in)[0] : -1);
}

static COLD enum tern_drop refuse_protocol(struct tern_stack *st, const struct inbound *in)
{
	struct icmp_problem problem = { ICMP4_UNREACHABLE, 2, 0 };

	if (!addr_is4(&in->dst)) { /* RFC 4443 3.4: the pointer names the next-header field */
		problem = (struct icmp_problem){ ICMP6_PARAMETER_PROBLEM, 1, in->proto_off };
		if (in->proto == IP6_EXT_NONE)
			return TERN_DROP_NO_PROTO;
	}
	icmp_send_error(st, in, &problem);
	return TERN_DROP_NO_PROTO;
}

/* RFC 4291 2.5.2: who has no IPv6 address yet speaks of addresses and groups alone. */
static bool may_come_from_nobody(const struct inbound *in)
{
	return in->proto == TERN_IPPROTO_ICMPV6 && payload_len(in) &&
	       payload(in)[0] > ICMP6_ECHO_REPLY;
}

/* What is no plain TCP. */
static APART enum tern_drop any_input(struct tern_stack *st, const struct inbound *in)
{
	bool v4 = addr_is4(&in->dst), wanted;

	if (!v4 && addr_is_unspecified(&in->src) && !may_come_from_nobody(in))
		return TERN_DROP_IP_SOURCE;
	wanted = !list_empty(&st->ss.raws) && raw_input(st, in);
	st->counters[COUNT_IP_IN_DELIVERS]++;
	if (in->proto == TERN_IPPROTO_TCP)
		return tcp4or6_input(st, in);
	if (in->proto == TERN_IPPROTO_UDP)
		return udp4or6_input(st, in);
	if (v4 && in->proto == TERN_IPPROTO_ICMP)
		return icmp4_input(st, in);
	if (!v4 && in->proto == TERN_IPPROTO_ICMPV6)
		return icmp6_input(st, in);
	if (v4 && in->proto == TERN_IPPROTO_IGMP)
		return igmp_input(st, in);
	return wanted ? TERN_DROP_NONE : refuse_protocol(st, in);
}

/* Most packets are TCP between two who are known, and nobody has a raw socket. */
enum tern_drop transport_input(struct tern_stack *st, const struct inbound *in)
{
	if (in->proto != TERN_IPPROTO_TCP || !in->recent || !list_empty(&st->ss.raws))
		return any_input(st, in);
	if (message_input(st, in, payload(in), payload_len(in)))
		return TERN_DROP_NONE;
	st->counters[COUNT_IP_IN_DELIVERS]++;
	return tcp4or6_input(st, in);
}
