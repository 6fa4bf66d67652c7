/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advert.c - routers asked and heard: the packets around net/slaac, and the routes routers tell.
 *
 * An advertisement is a union with what was said before: what one does not mention stays (RFC 4861
 * 6.3.4). What an attacker on the link can do with one is bounded: numbers of routers, prefixes and
 * servers, an MTU of at least 1280, a hop limit that is never lowered, the two-hour rule.
 *
 * Sources: RFC 4861 6.1.2, 6.3; RFC 4191 (preferences and routes); RFC 8106 (servers); RFC 6980 5.
 */
#include "stack.h"

/* Metrics as Linux has them: by preference one below or above 1024. */
enum { RA_METRIC = 1024, REACHABLE_MAX_MS = 3600000, RETRANS_MIN_MS = 100 };
enum { RETRANS_MAX_MS = 60000 };

/* ---- asking ---- */

void advert_on_timer(struct tern_stack *st, struct slaac *s)
{
	static const uint8_t all_routers[16] = { 0xff, 0x02, [15] = 2 };
	struct iface *i = iface_get(&st->net, s->ifindex);
	struct ip_names names = { .dst = addr_from6(all_routers) };
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM, RS_LEN + NDP_OPT_LEN);
	uint8_t mac[6];

	slaac_on_timer(&st->net, s);
	if (!p)
		return;
	memset(p->data, 0, RS_LEN + NDP_OPT_LEN);
	p->data[0] = ICMP6_ROUTER_SOLICIT;
	if (source_select(&st->net, &names.dst, i->index, &names.src)) {
		names.src = addr_any(TERN_AF_INET6); /* 4.1: then without our address */
		pkt_trim(&st->mem, p, RS_LEN);
	} else {
		p->data[RS_LEN] = ND_SOURCE_MAC;
		p->data[RS_LEN + 1] = 1;
		memcpy(p->data + RS_LEN + 2, i->cfg.mac, 6);
	}
	multicast_mac(&names.dst, mac);
	send_nd_packet(st, i, p, &names, mac);
}

/* ---- hearing ---- */

static struct route_lease lease_of(const struct tern_stack *st, const struct inbound *in,
				   uint32_t seconds)
{
	struct route_lease lease = { .route = { .ifindex = in->iface->index,
						.metric = RA_METRIC,
						.origin = TERN_ORIGIN_RA } };

	lease.route.dst.family = TERN_AF_INET6;
	lease.until = net_after_seconds(&st->net, seconds);
	lease.max = st->cfg.prefixes_max;
	return lease;
}

static void hear_router(struct tern_stack *st, const struct inbound *in, const struct ra *m)
{
	struct route_lease lease = lease_of(st, in, m->lifetime);

	addr_to_public(&lease.route.gateway, &in->src, 0);
	lease.route.metric = (uint32_t)(RA_METRIC - m->preference);
	lease.max = st->cfg.routers_max;
	route_learn(&st->net, &lease);
	if (m->lifetime)
		slaac_on_router(&st->net, in->iface->slaac);
}

static void hear_prefix(struct tern_stack *st, const struct inbound *in, const struct nd_prefix *x)
{
	struct route_lease lease = lease_of(st, in, x->valid);
	struct slaac_prefix own = { x->prefix, lease.until,
				    net_after_seconds(&st->net, x->preferred) };

	addr_to_public(&lease.route.dst, &x->prefix, 0);
	lease.route.prefix_len = x->len;
	if (x->on_link && x->len > 0)
		route_learn(&st->net, &lease);
	if (x->autonomous && x->len == 64) /* RFC 4862 5.5.3 (d): else it does not fit */
		slaac_on_prefix(&st->net, in->iface, &own);
}

static void hear_route(struct tern_stack *st, const struct inbound *in, const struct nd_route *r)
{
	struct route_lease lease = lease_of(st, in, r->lifetime);

	addr_to_public(&lease.route.dst, &r->prefix, 0);
	addr_to_public(&lease.route.gateway, &in->src, 0);
	lease.route.prefix_len = r->len;
	lease.route.metric = (uint32_t)(RA_METRIC - r->preference);
	route_learn(&st->net, &lease);
}

static struct tern_server server_of(const struct tern_stack *st, const struct inbound *in,
				    uint32_t seconds)
{
	return (struct tern_server){ .ifindex = in->iface->index,
				     .origin = TERN_ORIGIN_RA,
				     .valid_until = net_after_seconds(&st->net, seconds) };
}

static void hear_servers(struct tern_stack *st, const struct inbound *in, const struct nd_option *o)
{
	uint32_t lifetime = get_be32(o->bytes + 4);
	struct tern_server server = server_of(st, in, lifetime);
	unsigned n = nd_rdnss_parse(&lifetime, o);
	size_t at = 8;

	server.kind = TERN_SERVER_DNS;
	for (unsigned k = 0; k < n; k++) {
		struct addr a = addr_from6(o->bytes + 8 + k * 16);

		if (addr_is_multicast(&a) || addr_is_unspecified(&a) || addr_is4(&a))
			continue;
		addr_to_public(&server.addr, &a, 53);
		if (addr_is_link_local(&a))
			server.addr.scope_id = in->iface->index;
		servers_put(&st->net, &server);
	}
	server = server_of(st, in, lifetime);
	server.kind = TERN_SERVER_SEARCH;
	while (nd_dnssl_next(o, &at, server.domain)) {
		servers_put(&st->net, &server);
		memset(server.domain, 0, sizeof(server.domain));
	}
}

static void hear_option(struct tern_stack *st, const struct inbound *in, const struct nd_option *o)
{
	struct iface *i = in->iface;
	struct nd_prefix prefix;
	struct nd_route route;
	uint32_t mtu;

	if (nd_prefix_parse(&prefix, o))
		hear_prefix(st, in, &prefix);
	else if (nd_route_parse(&route, o))
		hear_route(st, in, &route);
	else if (nd_mtu_parse(&mtu, o) && mtu >= IP6_MTU_MIN && mtu <= i->cfg.mtu &&
		 mtu != i->mtu6) {
		i->mtu6 = mtu;
		st->net.routes_version++;
		net_note(&st->net, i->index, TERN_NET_LINK);
	} else if (o->type == ND_RDNSS || o->type == ND_DNSSL) {
		hear_servers(st, in, o);
	}
}

static void hear_parameters(struct tern_stack *st, struct iface *i, const struct ra *m)
{
	if (m->hop_limit > st->cfg.hop_limit) /* never fewer: CVE-2015-2922 */
		st->cfg.hop_limit = m->hop_limit;
	if (m->reachable && m->reachable <= REACHABLE_MAX_MS)
		i->reachable_ms = m->reachable;
	if (m->retrans >= RETRANS_MIN_MS && m->retrans <= RETRANS_MAX_MS)
		i->retrans_ms = m->retrans;
}

/* RFC 4861 6.1.2; hop limit and code have been looked at. */
enum tern_drop advert_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *message = in->p->data + in->l4_off;
	size_t len = in->end - in->l4_off, at = RA_LEN;
	struct neigh_news news = {
		.ifindex = in->iface->index, .addr = in->src, .override = true, .create = true
	};
	struct nd_option o;
	uint8_t mac[6];
	struct ra m;

	if (!addr_is_link_local(&in->src) || !ra_parse(&m, message, len))
		return TERN_DROP_ND_MALFORMED;
	if (!in->iface->slaac)
		return TERN_DROP_NONE;
	while (nd_option_next(message, len, &at, &o)) {
		if (o.type == ND_SOURCE_MAC && nd_mac_parse(mac, &o)) {
			news.mac = mac;
			neighbour_hear(st, &news);
		}
	}
	hear_parameters(st, in->iface, &m);
	hear_router(st, in, &m);
	for (at = RA_LEN; nd_option_next(message, len, &at, &o);)
		hear_option(st, in, &o);
	dhcp6_on_router_flags(st, in->iface, m.managed, m.other);
	return TERN_DROP_NONE;
}
