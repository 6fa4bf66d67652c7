/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - the packets around net/group: reports to multicast routers, and their queries.
 *
 * Sources: RFC 3376 4, 5 and 9.1 (IGMPv3: TTL 1, TOS 0xc0, router alert), RFC 2236 3, RFC 3810 5,
 * 7.4 (MLDv2: from a link-local address or ::, hop limit 1, router alert).
 */
#include "stack.h"

enum { REPORT_MAX = 1200, ROUTER_ALERT_LEN = 4, HBH_LEN = 8, REPORT_TOS = 0xc0 };

/* ---- sending ---- */

static void push_igmp(struct tern_stack *st, const struct iface *i, struct tern_pkt *p,
		      const struct addr *dst)
{
	static const uint8_t router_alert[ROUTER_ALERT_LEN] = { 0x94, 4 };
	struct ip4 ip = { .tos = REPORT_TOS,
			  .ttl = 1,
			  .proto = TERN_IPPROTO_IGMP,
			  .hdr_len = IP4_HDR_LEN + ROUTER_ALERT_LEN,
			  .df = true,
			  .dst = *dst,
			  .options = router_alert };

	/* RFC 3376 4.2.13: without an address of this interface, from 0.0.0.0 */
	if (source_select(&st->net, dst, i->index, &ip.src) ||
	    !ifaddr_on(&st->net, i->index, &ip.src))
		ip.src = addr_any(TERN_AF_INET);
	put_be16(p->data + 2, checksum_finish(st->env.sum(p->data, p->len, 0)));
	ip.total_len = (uint16_t)(ip.hdr_len + p->len);
	ip4_emit(&ip, pkt_push(p, ip.hdr_len));
}

static void push_mld(struct tern_stack *st, const struct iface *i, struct tern_pkt *p,
		     const struct addr *dst)
{
	static const uint8_t hop_by_hop[HBH_LEN] = { TERN_IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	struct ip6 ip = { .src = addr_any(TERN_AF_INET6),
			  .next_header = IP6_EXT_HOP_BY_HOP,
			  .hop_limit = 1,
			  .dst = *dst };
	const struct ifaddr *own = ifaddr_link_local6(&st->net, i->index);
	uint32_t sum;

	/* RFC 3810 5.2.13: whatever the group; without a link-local address, from :: */
	if (own)
		ip.src = own->addr;
	sum = checksum_pseudo(&ip.src, dst, TERN_IPPROTO_ICMPV6, p->len);
	put_be16(p->data + 2, checksum_finish(st->env.sum(p->data, p->len, sum)));
	memcpy(pkt_push(p, HBH_LEN), hop_by_hop, HBH_LEN);
	ip.payload_len = (uint16_t)p->len;
	ip6_emit(&ip, pkt_push(p, IP6_HDR_LEN));
}

static void send_report(struct tern_stack *st, struct iface *i, struct tern_pkt *p,
			const struct addr *dst)
{
	bool v6 = !addr_is4(dst);
	uint8_t mac[6];

	if (v6)
		push_mld(st, i, p, dst);
	else
		push_igmp(st, i, p, dst);
	st->counters[COUNT_IP_OUT_REQUESTS]++;
	p->ifindex = (uint16_t)i->index;
	multicast_mac(dst, mac);
	if (i->cfg.link == TERN_LINK_ETHERNET)
		push_eth(i, p, mac, v6 ? ETH_IP6 : ETH_IP4);
	stack_put_control(st, i, p);
}

/* ---- reports of the newest version ---- */

/* Of sources it tells so many as there is room for. */
static void add_record(uint8_t *message, size_t *len, bool v6,
		       const struct group_record_body *whole)
{
	struct group_record_body r = *whole;

	if (*len + group_record_len(v6, r.n_sources ? 1 : 0) > REPORT_MAX)
		return;
	while (*len + group_record_len(v6, r.n_sources) > REPORT_MAX)
		r.n_sources--;
	*len = group_report_add(message, *len, v6, &r);
}

enum { SOURCES_MAX = REPORT_MAX / 4 }; /* more than fit, of either family */

/* The sources of one filter that the other does not have, so many as can be told. */
static uint32_t sources_beyond(const struct group_filter *a, const struct group_filter *b,
			       struct addr out[SOURCES_MAX])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n && n < SOURCES_MAX; i++) {
		bool in_both = false;

		for (uint32_t k = 0; k < b->n; k++)
			in_both |= addr_equal(&a->sources[i], &b->sources[k]);
		if (!in_both)
			out[n++] = a->sources[i];
	}
	return n;
}

/* RFC 3376 5.1: another mode, or sources that are let in and that are not any more. */
static void add_change(const struct group *g, uint8_t *message, size_t *len)
{
	const struct group_filter *now = &g->filter, *was = &g->before;
	bool v6 = !addr_is4(&g->addr);
	struct addr some[SOURCES_MAX];
	struct group_record_body r = {
		.type = now->exclude ? GROUP_TO_EXCLUDE : GROUP_TO_INCLUDE,
		.group = g->addr,
		.sources = now->sources,
		.n_sources = now->n,
	};

	if (now->exclude != was->exclude) {
		add_record(message, len, v6, &r);
		return;
	}
	r.sources = some;
	for (int allow = 0; allow < 2; allow++) {
		bool gained = now->exclude ? !allow : allow;

		r.n_sources =
			gained ? sources_beyond(now, was, some) : sources_beyond(was, now, some);
		r.type = allow ? GROUP_ALLOW : GROUP_BLOCK;
		if (r.n_sources)
			add_record(message, len, v6, &r);
	}
}

static void report_new(struct tern_stack *st, struct iface *i, const struct group *g,
		       enum group_words words)
{
	static const struct addr to4 = { { [10] = 0xff, 0xff, 224, 0, 0, 22 } };
	static const struct addr to6 = { { 0xff, 0x02, [15] = 0x16 } };
	bool v6 = !addr_is4(&g->addr);
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + HBH_LEN, REPORT_MAX);
	struct group_record_body state = {
		.type = g->filter.exclude ? GROUP_IS_EXCLUDE : GROUP_IS_INCLUDE,
		.group = g->addr,
		.sources = g->filter.sources,
		.n_sources = g->filter.n,
	};
	size_t len;

	if (!p)
		return;
	len = group_report_begin(p->data, v6);
	if (words == GROUP_SAY_CHANGE)
		add_change(g, p->data, &len);
	else
		add_record(p->data, &len, v6, &state);
	pkt_trim(&st->mem, p, (uint32_t)len);
	send_report(st, i, p, v6 ? &to6 : &to4);
}

/* ---- reports of older versions: a member, or no longer ---- */

static void report_old(struct tern_stack *st, struct iface *i, const struct group *g,
		       unsigned version)
{
	static const struct addr routers4 = { { [10] = 0xff, 0xff, 224, 0, 0, 2 } };
	static const struct addr routers6 = { { 0xff, 0x02, [15] = 2 } };
	bool v6 = !addr_is4(&g->addr), leaves = !g->filter.exclude && g->filter.n == 0;
	uint8_t type = v6 ? MLD1_REPORT : version == 2 ? IGMP2_REPORT : IGMP1_REPORT;
	struct tern_pkt *p;

	if (leaves && !v6 && version == 1) /* RFC 1112: who leaves says nothing */
		return;
	if (leaves)
		type = v6 ? MLD1_DONE : IGMP2_LEAVE;
	p = pkt_new(&st->mem, PKT_HEAD_ROOM + HBH_LEN, 24);
	if (!p)
		return;
	pkt_trim(&st->mem, p, (uint32_t)group_report_old(p->data, type, &g->addr));
	send_report(st, i, p, !leaves ? &g->addr : v6 ? &routers6 : &routers4);
}

void group_timer(struct tern_stack *st, struct group *g)
{
	struct iface *i = iface_get(&st->net, g->ifindex);
	unsigned version = group_version(&st->net, i, !addr_is4(&g->addr));
	enum group_words words = group_on_timer(&st->net, g);

	if (version == (addr_is4(&g->addr) ? 3u : 2u))
		report_new(st, i, g, words);
	else
		report_old(st, i, g, version);
	group_rest(&st->net, g);
}

/* ---- hearing ---- */

enum tern_drop igmp_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *message = in->p->data + in->l4_off;
	uint32_t len = in->end - in->l4_off;
	struct group_query q;
	struct addr group;

	if (len < 8)
		return TERN_DROP_IGMP_MALFORMED;
	if (checksum_finish(st->env.sum(message, len, 0)) != 0)
		return TERN_DROP_IGMP_MALFORMED;
	if (message[0] == IGMP2_REPORT || message[0] == IGMP1_REPORT) {
		group = addr_from4(message + 4);
		group_on_report(&st->net, in->iface, &group);
		return TERN_DROP_NONE;
	}
	if (message[0] != IGMP_QUERY) /* reports to routers, and what nobody knows */
		return TERN_DROP_NONE;
	if (!group_query_parse(&q, false, message, len))
		return TERN_DROP_IGMP_MALFORMED;
	group_on_query(&st->net, in->iface, false, &q);
	return TERN_DROP_NONE;
}

/* RFC 3810 6.2: from this link, hop limit 1, with a router alert; else it is ignored. */
static bool came_from_the_link(const struct inbound *in)
{
	struct ip6_walk walk; /* once more: nobody else asks for the alert */

	return addr_is_link_local(&in->src) && in->ttl == 1 &&
	       ip6_walk(&walk, in->p->data + in->l3_off, in->end - in->l3_off) && walk.mld_alert;
}

enum tern_drop mld_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *message = in->p->data + in->l4_off;
	uint32_t len = in->end - in->l4_off;
	struct group_query q;
	struct addr group;

	if (!came_from_the_link(in))
		return TERN_DROP_IGMP_MALFORMED;
	if (message[0] == MLD1_REPORT && len >= 24) {
		group = addr_from6(message + 8);
		group_on_report(&st->net, in->iface, &group);
		return TERN_DROP_NONE;
	}
	if (message[0] != MLD_QUERY)
		return TERN_DROP_NONE;
	if (!group_query_parse(&q, true, message, len))
		return TERN_DROP_IGMP_MALFORMED;
	group_on_query(&st->net, in->iface, true, &q);
	return TERN_DROP_NONE;
}
