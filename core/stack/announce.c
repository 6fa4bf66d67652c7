/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * announce.c - the link has another address for us than before: our neighbours hear of it.
 *
 * Three times, a second apart: for each IPv4 address a request about itself, for each IPv6 address
 * an advertisement that nobody asked for and that overrides what is known.
 *
 * Sources: RFC 4861 7.2.6 and 10 (MAX_NEIGHBOR_ADVERTISEMENT), RFC 826, RFC 5227 2.3.
 */
#include "stack.h"

enum { ANNOUNCEMENTS = 3 };
#define ANNOUNCE_INTERVAL (1 * TERN_SEC)

void send_arp_about(struct tern_stack *st, struct iface *i, const struct addr *about, bool announce)
{
	static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct arp arp = { .op = ARP_REQUEST, .sender = addr_any(TERN_AF_INET), .target = *about };

	if (announce)
		arp.sender = *about;
	memcpy(arp.sender_mac, i->cfg.mac, 6);
	send_arp(st, i, &arp, everybody);
}

static void advertise_unasked(struct tern_stack *st, struct iface *i, const struct addr *about)
{
	struct ndp msg = { .type = ICMP6_NEIGH_ADVERT,
			   .router = st->cfg.ipv6_forward,
			   .override = true,
			   .target = *about,
			   .has_mac = true };
	struct ip_names names = { .src = *about, .dst = { { 0xff, 0x02, [15] = 1 } } };
	uint8_t mac[6];

	memcpy(msg.mac, i->cfg.mac, 6);
	multicast_mac(&names.dst, mac);
	send_ndp(st, i, &msg, &names, mac);
}

void announce_on_timer(struct tern_stack *st, struct iface *i)
{
	for (uint32_t k = 0; k < st->net.n_addrs; k++) {
		const struct ifaddr *a = &st->net.addrs[k];

		if (a->ifindex != i->index || !ifaddr_is_usable(a))
			continue;
		if (addr_is4(&a->addr))
			send_arp_about(st, i, &a->addr, true);
		else
			advertise_unasked(st, i, &a->addr);
	}
	if (--i->announcements_due)
		timers_arm(&st->timers, &i->announce_timer, st->timers.now + ANNOUNCE_INTERVAL);
}

TERN_API int tern_iface_set_mac(struct tern_stack *st, unsigned ifindex, const uint8_t mac[6])
{
	struct iface *i = iface_get(&st->net, ifindex);

	if (!i)
		return -TERN_ENODEV;
	if (i->cfg.link != TERN_LINK_ETHERNET || (mac[0] & 1))
		return -TERN_EINVAL;
	if (memcmp(i->cfg.mac, mac, 6) == 0)
		return 0;
	memcpy(i->cfg.mac, mac, 6);
	net_note(&st->net, ifindex, TERN_NET_LINK);
	i->announcements_due = ANNOUNCEMENTS;
	timers_arm(&st->timers, &i->announce_timer, st->timers.now);
	return 0;
}
