/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_header.c - the IP header of what we send, of either family.
 *
 * A packet with "don't fragment" set needs no identification (RFC 6864 4.1): it is 0, because a
 * counter would tell strangers how much we send. Where routers may cut, it is a random number, of
 * which a super-frame has as many in a row as there will be packets.
 *
 * A flow of IPv6 has a label (RFC 6437) that routers spread load by: a keyed hash of its names. So
 * what belongs together has the same one without anything being remembered, be it sent by the
 * connection, before there is one, or after; and who sees labels learns of neither the names nor
 * which other flows are of the same host.
 */
#include "ip_header.h"

/* net.ipv6.auto_flowlabels, with Linux's numbers */
enum { LABELS_OFF, LABELS_BUT_REFUSED, LABELS_IF_ASKED, LABELS_ALWAYS };

bool ip_has_label(const struct sockets *ss, enum label_choice choice)
{
	uint8_t setting = ss->cfg->auto_flowlabels;

	if (setting == LABELS_OFF || setting == LABELS_ALWAYS)
		return setting == LABELS_ALWAYS;
	return choice == LABEL_BY_DEFAULT ? setting == LABELS_BUT_REFUSED : choice == LABEL_ALWAYS;
}

/* RFC 6437 2: a label of 0 says that there is none. */
uint32_t ip_flow_label(const struct sockets *ss, const struct tuple *t, enum label_choice choice)
{
	uint32_t label;

	if (addr_is4(&t->remote) || !ip_has_label(ss, choice))
		return 0;
	label = (uint32_t)tuple_hash_secretly(&ss->label_key, t) & IP6_LABEL_MASK;
	return label ? label : 1;
}

void ip_label(const struct sockets *ss, struct ip_names *n, uint16_t src_port, uint16_t dst_port,
	      enum label_choice choice)
{
	if (addr_is4(&n->dst))
		return;
	n->flow_label = ip_flow_label(ss,
				      &(struct tuple){ .local = n->src,
						       .remote = n->dst,
						       .lport = src_port,
						       .rport = dst_port,
						       .proto = n->proto },
				      choice);
}

static void push_ip6(struct sockets *ss, struct tern_pkt *p, const struct ip_names *n)
{
	struct ip6 ip = { .traffic_class = n->tos,
			  .next_header = n->proto,
			  .flow_label = n->flow_label,
			  .hop_limit = n->ttl < 0 ? ss->cfg->hop_limit : (uint8_t)n->ttl,
			  .payload_len = (uint16_t)p->total_len,
			  .src = n->src,
			  .dst = n->dst };

	ip6_emit(&ip, pkt_push(p, IP6_HDR_LEN));
}

void ip_push(struct sockets *ss, struct tern_pkt *p, const struct ip_names *n)
{
	struct ip4_words w = { .first = (uint32_t)n->tos << 16 };
	uint32_t total_len = IP4_HDR_LEN + p->total_len;

	if (!addr_is4(&n->dst)) {
		push_ip6(ss, p, n);
		return;
	}
	w.second = n->may_fragment ? rand_u32(ss->rand) << 16 : IP4_DF;
	w.third = ip4_third(ss, n->ttl, n->proto);
	write_ip4(pkt_push(p, IP4_HDR_LEN), w, &n->src, &n->dst, total_len);
}
