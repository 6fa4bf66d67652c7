/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.c - a router says that another way to a destination is better: is it heard?
 *
 * Of both families, when the configuration says so and we are no router ourselves: from the first
 * hop of what we send there and from nobody else, with a packet of ours as its cause, and only to
 * where this link reaches. Then it is a route to that one host (the codes of ICMPv4 that speak of
 * nets mean the host, too), which ends after ten minutes or with its gateway, and of which an
 * interface has as many as prefixes at most.
 *
 * Sources: RFC 792, RFC 1122 3.2.2.2; RFC 4861 8.1, 8.3.
 */
#include "stack.h"

/* A metric as of what routers advertise: a route of the user's wins. */
enum { REDIRECT_METRIC = 1024, REDIRECT_SECONDS = 600, REDIRECT_CODES = 4 };

/*
 * The first hop of what we sent: only that router may name a better one. A neighbour is reached by
 * none: else who speaks in its name takes what we send it.
 */
static bool is_from_first_hop(struct tern_stack *st, const struct inbound *in,
			      const struct redirect *r)
{
	struct route_key key = { .dst = r->dst, .ifindex = in->iface->index };
	struct hop hop;

	return route_lookup(&st->net, &key, &hop) == 0 && addr_equal(&hop.next, &in->src) &&
	       !addr_equal(&hop.next, &r->dst);
}

static bool quotes_ours(const struct tern_stack *st, const struct redirect *r)
{
	struct ip4 ip4;
	struct ip6 ip6;

	if (!r->quoted)
		return false;
	if (addr_is4(&r->dst))
		return ip4_parse_quoted(&ip4, r->quoted, r->quoted_len) &&
		       addr_classify(&st->net, &ip4.src, 0) == ADDR_OURS;
	return ip6_parse_quoted(&ip6, r->quoted, r->quoted_len) &&
	       addr_classify(&st->net, &ip6.src, 0) == ADDR_OURS && addr_equal(&ip6.dst, &r->dst);
}

static void learn_way(struct tern_stack *st, const struct inbound *in, const struct redirect *r)
{
	struct route_lease lease = { .route = { .ifindex = in->iface->index,
						.metric = REDIRECT_METRIC,
						.origin = TERN_ORIGIN_RA } };

	addr_to_public(&lease.route.dst, &r->dst, 0);
	lease.route.prefix_len = addr_is4(&r->dst) ? 32 : 128;
	addr_to_public(&lease.route.gateway, &in->src, 0);
	route_learn(&st->net, &lease); /* a way that was redirected before ends at once */
	lease.until = net_after_seconds(&st->net, REDIRECT_SECONDS);
	lease.max = st->cfg.prefixes_max;
	lease.route.gateway = (struct tern_addr){ .family = TERN_AF_UNSPEC };
	/* RFC 4861 8.3: a target that is the destination is a neighbour */
	if (addr_is4(&r->dst) || !addr_equal(&r->target, &r->dst))
		addr_to_public(&lease.route.gateway, &r->target, 0);
	route_learn(&st->net, &lease);
}

static enum tern_drop follow_redirect(struct tern_stack *st, const struct inbound *in,
				      const struct redirect *r)
{
	struct neigh_news news = { .ifindex = in->iface->index,
				   .addr = r->target,
				   .mac = r->mac,
				   .override = true,
				   .create = true };

	if (!is_from_first_hop(st, in, r) || !quotes_ours(st, r) ||
	    addr_classify(&st->net, &r->target, in->iface->index) != ADDR_OTHER)
		return TERN_DROP_ICMP_STALE;
	if (r->has_mac)
		neighbour_hear(st, &news);
	learn_way(st, in, r);
	return TERN_DROP_NONE;
}

/* Hop limit and checksum have been looked at. */
enum tern_drop redirect6_input(struct tern_stack *st, const struct inbound *in)
{
	struct redirect r;

	if (!addr_is_link_local(&in->src) ||
	    !redirect_parse(&r, in->p->data + in->l4_off, in->end - in->l4_off))
		return TERN_DROP_ND_MALFORMED;
	if (!addr_equal(&r.target, &r.dst) && !addr_is_link_local(&r.target))
		return TERN_DROP_ND_MALFORMED;
	if (!st->cfg.accept_redirects || st->cfg.ipv6_forward)
		return TERN_DROP_NONE;
	return follow_redirect(st, in, &r);
}

/* That the gateway is a neighbour route_learn sees to: others are in reach of no route. */
enum tern_drop redirect4_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *message = in->p->data + in->l4_off;
	struct redirect r = { .quoted = message + ICMP_HDR_LEN };
	struct ip4 ip;

	if (!st->cfg.accept_redirects || st->cfg.ip_forward)
		return TERN_DROP_NONE;
	r.quoted_len = in->end - in->l4_off - ICMP_HDR_LEN;
	if (message[1] >= REDIRECT_CODES || !ip4_parse_quoted(&ip, r.quoted, r.quoted_len))
		return TERN_DROP_ICMP_MALFORMED;
	if (in->to != ADDR_OURS)
		return TERN_DROP_ICMP_STALE;
	r.dst = ip.dst;
	r.target = addr_from4(message + 4);
	return follow_redirect(st, in, &r);
}
