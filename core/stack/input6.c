/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input6.c - the way of an IPv6 packet up: its headers, to the protocol that they bring (RFC 8200).
 */
#include "stack.h"

enum tern_drop refuse_ip6_header(struct tern_stack *st, const struct inbound *in,
				 const struct ip6_walk *walk)
{
	struct icmp_problem problem = { ICMP6_PARAMETER_PROBLEM, walk->bad_code,
					walk->bad_pointer };
	struct inbound told = *in; /* nobody is told of an error, wherever its bad header is */

	told.l4_off = in->l3_off + ip6_find_transport(in->p->data + in->l3_off,
						      in->end - in->l3_off, &told.proto);
	if (walk->bad_code != 0xff)
		icmp_send_error(st, &told, &problem);
	return TERN_DROP_IP_OPTIONS;
}

/*
 * Extension headers are for the destination to judge (RFC 8200 4); a router wants to know where the
 * transport is, and does without where it cannot be found, but for a super-frame.
 */
static enum tern_drop forward6_input(struct tern_stack *st, struct inbound *in)
{
	struct ip6_walk walk;
	bool found = ip6_walk(&walk, in->p->data + in->l3_off, in->end - in->l3_off);

	if (!found && in->p->gso_size)
		return TERN_DROP_IP_OPTIONS;
	in->proto = found ? walk.proto : IP6_EXT_NONE;
	in->l4_off = found ? in->l3_off + walk.offset : in->end;
	return forward_input(st, in);
}

enum tern_drop ip6_input(struct tern_stack *st, struct inbound *in)
{
	const uint8_t *data = in->p->data + in->l3_off;
	enum tern_drop why;
	struct ip6_walk walk;
	struct ip6 ip;

	st->counters[COUNT_IP_IN_RECEIVES]++;
	if (!ip6_parse(&ip, data, in->p->len - in->l3_off))
		return TERN_DROP_IP_MALFORMED;
	in->src = ip.src;
	in->dst = ip.dst;
	in->tos = ip.traffic_class;
	in->ttl = ip.hop_limit;
	in->end = in->l3_off + IP6_HDR_LEN + ip.payload_len;
	in->l4_off = in->l3_off + IP6_HDR_LEN;
	if (addr_is4(&ip.src) || addr_is4(&ip.dst)) /* the mapped form is never on the wire */
		return TERN_DROP_IP_SOURCE;
	if (addr_equal(&st->recent.src, &ip.src) && addr_equal(&st->recent.dst, &ip.dst) &&
	    is_recent_link(st, in)) {
		take_recent_pair(st, in);
	} else {
		why = check_addresses(st, in);
		if (why == TERN_DROP_IP_NOT_OURS && st->cfg.ipv6_forward)
			return forward6_input(st, in);
		if (why != TERN_DROP_NONE)
			return why;
	}
	if (!ip6_walk(&walk, data, in->end - in->l3_off))
		return refuse_ip6_header(st, in, &walk);
	in->was_cut = walk.fragment;
	if (walk.fragment && (walk.mf || walk.frag_off))
		return fragment6_input(st, in, &walk);
	in->proto = walk.proto;
	in->proto_off = walk.bad_pointer;
	in->l4_off = in->l3_off + walk.offset;
	return transport_input(st, in);
}
