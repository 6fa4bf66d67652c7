/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_in.c - ICMP messages to us: echo, errors, neighbour discovery. RFC 792, RFC 4443.
 */
#include "stack.h"

static const uint8_t *message(const struct inbound *in)
{
	return in->p->data + in->l4_off;
}

static uint32_t message_len(const struct inbound *in)
{
	return in->end - in->l4_off;
}

/* An echo reply is the request turned round: same identifier, sequence and data. */
static void send_echo_reply(struct tern_stack *st, const struct inbound *in, const struct icmp *h)
{
	struct icmp reply = { .type = addr_is4(&in->dst) ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY,
			      .rest = h->rest };
	struct ip_names names = {
		.src = in->dst, .dst = in->src, .tos = in->tos, .ttl = -1, .may_fragment = true
	};
	bool same_iface =
		addr_is_link_local(&in->src) || (in->iface->cfg.flags & TERN_IFACE_ANY_ADDRESS);
	struct tern_pkt *p;

	if (in->to != ADDR_OURS && in->to != ADDR_OTHER &&
	    source_select(&st->net, &in->src, in->iface->index, &names.src))
		return;
	p = pkt_new(&st->mem, PKT_HEAD_ROOM, message_len(in));
	if (!p)
		return;
	memcpy(p->data, message(in), message_len(in));
	icmp_emit(&reply, p->data);
	stack_label_icmp(st, &names);
	stack_push_icmp(st, p, &names);
	stack_send_ip(st, p, same_iface ? in->iface->index : 0);
}

static enum tern_drop echo_input(struct tern_stack *st, const struct inbound *in,
				 const struct icmp *h)
{
	if (st->cfg.icmp_echo_ignore_all)
		return TERN_DROP_RATE_LIMITED;
	/* RFC 1122 3.2.2.6 lets a host ignore a ping to everybody; so do we, but not over IPv6 */
	if (in->to == ADDR_BROADCAST || (in->to == ADDR_MULTICAST && addr_is4(&in->dst)))
		return TERN_DROP_IP_NOT_OURS;
	if (in->to == ADDR_MULTICAST && !icmp_limit_take(&st->net, &in->src))
		return TERN_DROP_RATE_LIMITED; /* all of the group answer */
	send_echo_reply(st, in, h);
	return TERN_DROP_NONE;
}

static enum tern_drop echo_reply_input(struct tern_stack *st, const struct inbound *in,
				       const struct icmp *h)
{
	struct dgram_in dg = dgram_of(in, in->proto);

	dg.off = in->l4_off;
	dg.len = message_len(in);
	dg.dport = (uint16_t)(h->rest >> 16);
	return sock_ping_input(&st->ss, &dg);
}

static enum tern_drop error_input(struct tern_stack *st, const struct inbound *in,
				  const struct icmp *h)
{
	struct icmp_report report = { .offender = in->src,
				      .to = in->dst,
				      .type = h->type,
				      .code = h->code,
				      .ttl = in->ttl,
				      .tos = in->tos,
				      .v6 = !addr_is4(&in->dst),
				      .info = h->rest };

	report.ifindex = (uint16_t)in->iface->index;
	report.quoted = message(in) + ICMP_HDR_LEN;
	report.len = message_len(in) - ICMP_HDR_LEN;
	return icmp_deliver_error(st, &report);
}

enum tern_drop icmp4_input(struct tern_stack *st, const struct inbound *in)
{
	struct icmp h;

	st->counters[COUNT_ICMP_IN_MSGS]++;
	if (!icmp_parse(&h, message(in), message_len(in)))
		return TERN_DROP_ICMP_MALFORMED;
	if (checksum_finish(st->env.sum(message(in), message_len(in), 0)) != 0)
		return TERN_DROP_ICMP_CHECKSUM;
	switch (h.type) {
	case ICMP4_ECHO:
		return echo_input(st, in, &h);
	case ICMP4_ECHO_REPLY:
		return echo_reply_input(st, in, &h);
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER_PROBLEM:
		return error_input(st, in, &h);
	case ICMP4_REDIRECT:
		return redirect4_input(st, in);
	default: /* source quench (RFC 6633) and the rest */
		return TERN_DROP_NONE;
	}
}

enum tern_drop icmp6_input(struct tern_stack *st, const struct inbound *in)
{
	uint32_t sum = checksum_pseudo(&in->src, &in->dst, TERN_IPPROTO_ICMPV6, message_len(in));
	struct icmp h;

	st->counters[COUNT_ICMP_IN_MSGS]++;
	if (!icmp_parse(&h, message(in), message_len(in)))
		return TERN_DROP_ICMP_MALFORMED;
	if (checksum_finish(st->env.sum(message(in), message_len(in), sum)) != 0)
		return TERN_DROP_ICMP_CHECKSUM;
	switch (h.type) {
	case ICMP6_ECHO:
		return echo_input(st, in, &h);
	case ICMP6_ECHO_REPLY:
		return echo_reply_input(st, in, &h);
	case MLD_QUERY:
	case MLD1_REPORT:
		return mld_input(st, in);
	case ICMP6_NEIGH_SOLICIT:
	case ICMP6_NEIGH_ADVERT:
	case ICMP6_ROUTER_SOLICIT:
	case ICMP6_ROUTER_ADVERT:
	case ICMP6_REDIRECT:
		return nd_input(st, in);
	default: /* RFC 4443 2.4 (a, b): of an error that we do not know its socket hears */
		return h.type < ICMP6_ECHO ? error_input(st, in, &h) : TERN_DROP_NONE;
	}
}
