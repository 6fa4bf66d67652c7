/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.c - the way of a packet up: link, IPv4 (input6.c: IPv6), then its protocol.
 *
 * Each step checks what it relies on and returns why the packet ends there; stack_input is the one
 * place that frees it, counts and traces the reason. Nothing is changed by a packet that is
 * dropped, but for counters and what the RFCs order (challenge ACKs, ICMP errors).
 */
#include "stack.h"

/* ---- the end of a packet ---- */

static void free_packet(struct tern_stack *st, struct tern_pkt *p)
{
	if (p->flags & TERN_PKT_EXTERNAL) {
		p->next = st->reclaim;
		st->reclaim = p;
	} else {
		pkt_free(&st->mem, p);
	}
}

TERN_API void tern_pkt_free(struct tern_stack *st, struct tern_pkt *p)
{
	if (p)
		free_packet(st, p);
}

TERN_API bool tern_reclaim(struct tern_stack *st, void **cookie)
{
	struct tern_pkt *p = st->reclaim;

	if (!p)
		return false;
	st->reclaim = p->next;
	*cookie = p->cookie;
	pkt_free(&st->mem, p);
	return true;
}

static COLD void note_drop(struct tern_stack *st, const struct tern_pkt *p, enum tern_drop why)
{
	st->drops[why]++;
	trace_packet(st, TERN_TRACE_DROP, p, why);
}

COLD void stack_drop(struct tern_stack *st, struct tern_pkt *p, enum tern_drop why)
{
	note_drop(st, p, why);
	free_packet(st, p);
}

/* ---- IPv4 ---- */

/* RFC 1122 3.2.1.3 (b), RFC 6890 2.2.2: hosts of "this network", and what is reserved. */
static bool is_nobodys(const struct addr *a)
{
	return addr_is4(a) && (a->b[12] == 0 || a->b[12] >= 240);
}

/* RFC 1122 3.2.1.3: who may not be a source. Who has no address yet speaks to all alone. */
static bool is_bad_source(const struct tern_stack *st, const struct inbound *in)
{
	enum addr_kind kind = addr_classify(&st->net, &in->src, in->iface->index);
	bool on_lo = in->iface->cfg.link == TERN_LINK_LOOPBACK;

	if (kind == ADDR_UNSPECIFIED)
		return in->to != ADDR_BROADCAST && in->to != ADDR_MULTICAST;
	if (kind == ADDR_BROADCAST || kind == ADDR_MULTICAST)
		return true;
	if (kind == ADDR_OTHER && is_nobodys(&in->src))
		return true;
	if (addr_is_loopback(&in->src))
		return !on_lo;
	return kind == ADDR_OURS && !on_lo &&
	       !in->looped; /* our own address from outside: a forgery or a loop */
}

/* RFC 4291 2.7, erratum 3480: groups of the scopes 0 and 1 never cross a link. */
static bool is_of_a_node(const struct addr *group)
{
	return !addr_is4(group) && addr_group_scope(group) <= 1;
}

static bool is_for_us(const struct tern_stack *st, struct inbound *in)
{
	const struct iface *i = in->iface;
	bool any = (i->cfg.flags & TERN_IFACE_ANY_ADDRESS) != 0;

	in->to = addr_classify(&st->net, &in->dst, i->index);
	if (addr_is_loopback(&in->dst) && i->cfg.link != TERN_LINK_LOOPBACK)
		return false;
	switch (in->to) {
	case ADDR_OURS:
	case ADDR_OTHER:
		/* RFC 1122 3.3.6: a unicast datagram does not come in a broadcast frame */
		if (in->p->flags & TERN_PKT_LINK_BROADCAST)
			return false;
		if (in->to == ADDR_OURS)
			return ifaddr_fits(&st->net, &in->dst, i->index);
		return any || (st->configuring && st->configuring->awaits(in));
	case ADDR_BROADCAST:
		return true;
	case ADDR_MULTICAST:
		if (is_of_a_node(&in->dst) && !in->looped && i->cfg.link != TERN_LINK_LOOPBACK)
			return false;
		return any || group_is_joined(&st->net, &in->dst, i->index);
	case ADDR_UNSPECIFIED:
		break;
	}
	return false;
}

/* Packets come in trains: what was found of the last one's addresses holds for the next. */
bool is_recent_link(const struct tern_stack *st, const struct inbound *in)
{
	const struct good_pair *r = &st->recent;

	return r->ifindex == in->iface->index && r->version == st->net.routes_version &&
	       !(in->p->flags & TERN_PKT_LINK_BROADCAST);
}

void take_recent_pair(const struct tern_stack *st, struct inbound *in)
{
	in->src = st->recent.src;
	in->dst = st->recent.dst;
	in->addr_sum = st->recent.sum;
	in->to = ADDR_OURS;
	in->recent = true;
}

enum tern_drop check_addresses(struct tern_stack *st, struct inbound *in)
{
	bool for_us = is_for_us(st, in);

	in->addr_sum = checksum_addresses(&in->src, &in->dst);
	if (is_bad_source(st, in))
		return TERN_DROP_IP_SOURCE;
	if (!for_us)
		return TERN_DROP_IP_NOT_OURS;
	if (in->to == ADDR_OURS)
		st->recent = (struct good_pair){ .src = in->src,
						 .dst = in->dst,
						 .sum = in->addr_sum,
						 .ifindex = in->iface->index,
						 .version = st->net.routes_version };
	return TERN_DROP_NONE;
}

/* RFC 1122 3.2.2.5: a malformed one is told of, with where it is; a source route is not. */
static COLD bool options_are_good(struct tern_stack *st, const struct inbound *in)
{
	struct icmp_problem problem = { ICMP4_PARAMETER_PROBLEM, 0, 0 };
	unsigned bad_at;

	switch (ip4_options_look(in->p->data + in->l3_off, in->l4_off - in->l3_off, &bad_at)) {
	case IP4_OPTIONS_GOOD:
		return true;
	case IP4_OPTIONS_BAD:
		problem.rest = (uint32_t)bad_at << 24;
		icmp_send_error(st, in, &problem);
		return false;
	case IP4_OPTIONS_SOURCE_ROUTE:
		break;
	}
	return false;
}

/* The way below, for a message between the two that were found last. false: it is none. */
static bool ip4_message_input(struct tern_stack *st, const struct inbound *in, const uint8_t *h)
{
	uint32_t room = in->p->len - in->l3_off, first, second, third, len;

	if (room < IP4_HDR_LEN || memcmp(st->recent.ip4, h + 12, 8) != 0 || !st->recent.is_ip4 ||
	    !is_recent_link(st, in))
		return false;
	first = get_be32(h);
	second = get_be32(h + 4);
	third = get_be32(h + 8);
	len = first & 0xffff;
	if (first >> 24 != 0x45 || len < IP4_HDR_LEN || len > room ||
	    (second & (IP4_MF | IP4_FRAG_OFF)) || (third >> 16 & 0xff) != TERN_IPPROTO_TCP)
		return false;
	return checksum_finish(checksum_words((uint64_t)first + second + third + st->recent.sum)) ==
		       0 &&
	       message_input(st, in, h + IP4_HDR_LEN, len - IP4_HDR_LEN);
}

static enum tern_drop ip4_input(struct tern_stack *st, struct inbound *in)
{
	const uint8_t *h = in->p->data + in->l3_off;
	enum tern_drop why;

	st->counters[COUNT_IP_IN_RECEIVES]++;
	if (ip4_message_input(st, in, h))
		return TERN_DROP_NONE;
	switch (ip4_verify(h, in->p->len - in->l3_off)) {
	case IP4_OK:
		break;
	case IP4_MALFORMED:
		return TERN_DROP_IP_MALFORMED;
	case IP4_BAD_CHECKSUM:
		return TERN_DROP_IP_CHECKSUM;
	}
	in->tos = h[1];
	in->ttl = h[8];
	in->proto = h[9];
	in->l4_off = in->l3_off + ip4_hdr_len(h);
	in->end = in->l3_off + get_be16(h + 2);
	if (memcmp(st->recent.ip4, h + 12, 8) == 0 && st->recent.is_ip4 && is_recent_link(st, in)) {
		take_recent_pair(st, in);
	} else {
		in->src = addr_from4(h + 12);
		in->dst = addr_from4(h + 16);
		why = check_addresses(st, in);
		if (why == TERN_DROP_IP_NOT_OURS && st->cfg.ip_forward)
			return forward_input(st, in);
		if (why != TERN_DROP_NONE)
			return why;
		if (in->to == ADDR_OURS) {
			memcpy(st->recent.ip4, h + 12, 8);
			st->recent.is_ip4 = true;
		}
	}
	if (in->l4_off > in->l3_off + IP4_HDR_LEN && !options_are_good(st, in))
		return TERN_DROP_IP_OPTIONS;
	if (get_be16(h + 6) & (IP4_MF | IP4_FRAG_OFF))
		return fragment4_input(st, in);
	return transport_input(st, in);
}

/* ---- the link ---- */

static enum tern_drop version_input(struct tern_stack *st, struct inbound *in)
{
	if (in->p->len <= in->l3_off)
		return TERN_DROP_IP_MALFORMED;
	switch (in->p->data[in->l3_off] >> 4) {
	case 4:
		return ip4_input(st, in);
	case 6:
		return ip6_input(st, in);
	default:
		return TERN_DROP_NO_PROTO;
	}
}

static enum tern_drop eth_input(struct tern_stack *st, struct inbound *in)
{
	struct eth h;

	if (!eth_parse(&h, in->p->data, in->p->len))
		return TERN_DROP_ETH_SHORT;
	if (h.dst[0] & 1)
		in->p->flags |= TERN_PKT_LINK_BROADCAST;
	else if (memcmp(h.dst, in->iface->cfg.mac, 6) != 0)
		return TERN_DROP_ETH_NOT_OURS;
	in->l3_off = ETH_HDR_LEN;
	switch (h.type) {
	case ETH_IP4:
		return ip4_input(st, in);
	case ETH_IP6:
		return ip6_input(st, in);
	case ETH_ARP:
		return arp_input(st, in->iface, in->p, ETH_HDR_LEN);
	default:
		return TERN_DROP_NO_PROTO;
	}
}

static enum tern_drop link_input(struct tern_stack *st, struct inbound *in)
{
	if (!in->iface || !iface_is_up(in->iface))
		return TERN_DROP_IFACE_DOWN;
	return in->iface->cfg.link == TERN_LINK_ETHERNET ? eth_input(st, in) :
							   version_input(st, in);
}

/* The packet is lent. */
static inline void input_lent(struct tern_stack *st, struct tern_pkt *p, struct tern_pkt **rest)
{
	struct inbound in; /* filled in on its way: each packet passes here */
	enum tern_drop why;

	in.p = p;
	in.rest = rest;
	in.iface = iface_get(&st->net, p->ifindex);
	in.l3_off = 0;
	in.was_cut = in.looped = in.recent = false;
	trace_packet(st, TERN_TRACE_PACKET_IN, p, TERN_DROP_NONE);
	why = link_input(st, &in);
	if (why != TERN_DROP_NONE)
		note_drop(st, p, why);
}

void stack_input(struct tern_stack *st, struct tern_pkt *p, struct tern_pkt **rest)
{
	input_lent(st, p, rest);
	free_packet(st, p);
}

TERN_API void tern_input_from(struct tern_stack *st, unsigned ifindex, const void *buf, size_t len)
{
	union { /* a packet's bytes are written to where it is made, not here */
		const void *in;
		void *data;
	} bytes = { .in = buf };
	struct tern_pkt p;

	memset(&p, 0, offsetof(struct tern_pkt, span));
	p.conn = p.cut_to = 0;
	p.data = bytes.data;
	p.len = p.total_len = (uint32_t)len;
	p.ifindex = ifindex <= IFACES_MAX ? (uint16_t)ifindex : 0;
	input_lent(st, &p, NULL);
	sockets_review_memory(&st->ss);
}

TERN_API void tern_input(struct tern_stack *st, struct tern_pkt *p)
{
	assert(p->n_spans == 0);
	stack_input(st, p, NULL);
	sockets_review_memory(&st->ss);
}

TERN_API void tern_input_batch(struct tern_stack *st, struct tern_pkt *p)
{
	while (p) {
		struct tern_pkt *rest = p->next;

		assert(p->n_spans == 0);
		stack_input(st, p, &rest);
		p = rest;
	}
	sockets_review_memory(&st->ss);
}

/* ---- lo: what it sends, it gets ---- */

enum { LO_BUDGET = 128 };

bool stack_lo_has_work(const struct tern_stack *st)
{
	const struct iface *lo = iface_get(&st->net, LO_INDEX);

	return lo && (lo->control.n || iface_has_ready(lo));
}

/* A group's member on this host: the packet came in, as it were, where it goes out. */
static void take_looped(struct tern_stack *st, struct tern_pkt *p)
{
	struct inbound in = { .p = p, .iface = iface_get(&st->net, p->ifindex), .looped = true };
	enum tern_drop why = in.iface ? version_input(st, &in) : TERN_DROP_IFACE_DOWN;

	if (why != TERN_DROP_NONE)
		note_drop(st, p, why);
	free_packet(st, p);
}

/* One packet at a time, never from within input; what exceeds the budget waits. */
void stack_lo_run(struct tern_stack *st)
{
	struct iface *lo = iface_get(&st->net, LO_INDEX);

	for (int i = 0; lo && i < LO_BUDGET && stack_lo_has_work(st); i++) {
		struct tern_pkt *p = stack_output(st, lo);
		struct tern_pkt *copy;

		if (!p)
			continue;
		copy = pkt_copy(&st->mem, p, 0);
		if (copy && p->ifindex != LO_INDEX) {
			pkt_free(&st->mem, p);
			take_looped(st, copy);
		} else if (copy) {
			pkt_free(&st->mem, p);
			stack_input(st, copy, NULL);
		} else {
			stack_drop(st, p, TERN_DROP_NO_MEMORY);
		}
	}
}
