/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * detect.c - the packets around net/dad: probes, announcements, and what others say.
 *
 * RFC 5227 for IPv4, RFC 4862 5.4 for IPv6. What an address was wanted for is asked when it was
 * lost: configure.c.
 */
#include "stack.h"

/* RFC 4862 5.4.2: from ::, without a source link-layer address. */
static void send_solicitation_about(struct tern_stack *st, struct iface *i,
				    const struct addr *about)
{
	struct ndp msg = { .type = ICMP6_NEIGH_SOLICIT, .target = *about };
	struct ip_names names = { .src = addr_any(TERN_AF_INET6), .dst = solicited_node(about) };
	uint8_t mac[6];

	multicast_mac(&names.dst, mac);
	send_ndp(st, i, &msg, &names, mac);
}

void detect_on_timer(struct tern_stack *st, struct dad *d)
{
	struct iface *i = iface_get(&st->net, d->ifindex);
	struct addr about = d->addr;
	bool is4 = addr_is4(&about);
	/* it may be d's last act */
	enum dad_verdict verdict = dad_on_timer(&st->net, d);

	if (verdict != DAD_NOTHING && is4)
		send_arp_about(st, i, &about, verdict == DAD_SEND_ANNOUNCEMENT);
	else if (verdict != DAD_NOTHING)
		send_solicitation_about(st, i, &about);
	if (verdict != DAD_SEND_PROBE)
		st->configuring->on_good(st, i, &about);
}

static void on_conflict(struct tern_stack *st, struct iface *i, struct ifaddr *a)
{
	struct addr about = a->addr;
	enum tern_origin origin = (enum tern_origin)a->origin;

	switch (dad_on_conflict(&st->net, a)) {
	case DAD_DEFEND:
		send_arp_about(st, i, &about, true);
		break;
	case DAD_LOST:
		st->configuring->on_lost(st, i, &about, origin);
		break;
	case DAD_KEPT:
		break;
	}
}

bool detect_arp(struct tern_stack *st, struct iface *i, const struct arp *arp)
{
	struct ifaddr *a = ifaddr_on(&st->net, i->index, &arp->sender);

	if (memcmp(arp->sender_mac, i->cfg.mac, 6) == 0)
		return false;			       /* our own, which the link brought back */
	if (!a && addr_is_unspecified(&arp->sender)) { /* RFC 5227 2.1.1: two probe for one */
		a = ifaddr_on(&st->net, i->index, &arp->target);
		if (a && ifaddr_is_usable(a))
			a = NULL; /* that is a question, and it is answered */
	}
	if (!a || (a->flags & TERN_ADDR_DUPLICATE))
		return false;
	on_conflict(st, i, a);
	return true;
}

bool detect_nd(struct tern_stack *st, const struct inbound *in, const struct ndp *msg)
{
	struct ifaddr *a = ifaddr_on(&st->net, in->iface->index, &msg->target);
	bool asks = msg->type == ICMP6_NEIGH_SOLICIT;

	if (!a || memcmp(in->p->data + 6, in->iface->cfg.mac, 6) == 0)
		return false;
	if (ifaddr_is_usable(a) && asks)
		return false;
	/* RFC 4862 5.4.3: who has an address and asks for ours resolves it; that says nothing */
	if (!(a->flags & TERN_ADDR_DUPLICATE) && (!asks || addr_is_unspecified(&in->src)))
		on_conflict(st, in->iface, a);
	return true;
}
