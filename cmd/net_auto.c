/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_auto.c - --auto: devices that are configured by the network they are on.
 *
 * All of them begin together. A command goes on when each has an address that can be used, and at
 * its end gives back what was lent.
 */
#include <stdio.h>
#include <string.h>

#include "net.h"

enum { DELAY_MS = 500 };
/*
 * What a family needs to show itself: a question that nobody has heard goes again after four
 * seconds (RFC 4861, RFC 2131), and dnsmasq looks for four whether somebody has what it offers.
 */
#define SILENCE_TIME (8 * TERN_SEC)
#define GIVE_UP_TIME (20 * TERN_SEC)

void auto_configure(const struct net_options *o, struct tern_config *cfg)
{
	for (unsigned i = 0; i < o->n_devs; i++)
		if (o->dev[i].is_auto)
			cfg->dhcp_delay_ms = DELAY_MS; /* somebody waits for it */
}

int auto_begin(const struct net *n, struct net_dev *d, unsigned ifindex)
{
	unsigned means = TERN_AUTO_RA | TERN_AUTO_DHCP6;

	if (!d->is_auto)
		return EXIT_DONE;
	d->ifindex = ifindex;
	/* who has an IPv4 address asks for what goes with it, and leases no second one */
	means |= d->addr.family ? TERN_AUTO_INFORM4 : TERN_AUTO_DHCP4;
	if (tern_auto_set(n->st, ifindex, means) == 0)
		return EXIT_DONE;
	return net_refuse(n, "%s: only Ethernet of an MTU of 1280 at least can be --auto", d->what);
}

/* What there is so far of each family; told: some of it the network has said. */
struct brought {
	bool four, six, tentative, told4, told6;
};

static void look_at_servers(const struct net *n, unsigned ifindex, struct brought *b)
{
	struct tern_server s;
	unsigned cursor = 0;

	while (tern_server_next(n->st, &cursor, &s)) {
		bool is_told = s.ifindex == ifindex && s.origin != TERN_ORIGIN_STATIC;

		b->told4 = b->told4 || (is_told && s.origin == TERN_ORIGIN_DHCP4);
		b->told6 = b->told6 || (is_told && s.origin != TERN_ORIGIN_DHCP4);
	}
}

static struct brought look_at(const struct net *n, unsigned ifindex)
{
	struct brought b = { .four = false };
	struct tern_iface_addr a;
	unsigned cursor = 0;

	look_at_servers(n, ifindex, &b);
	while (tern_addr_next(n->st, &cursor, &a)) {
		bool is_ours = !(a.flags & (TERN_ADDR_TENTATIVE | TERN_ADDR_DUPLICATE));
		bool is_told = is_ours && a.origin != TERN_ORIGIN_STATIC;
		bool is_four = a.addr.family == TERN_AF_INET;

		if (a.ifindex != ifindex || a.origin == TERN_ORIGIN_LINK_LOCAL)
			continue;
		b.tentative = b.tentative || a.flags & TERN_ADDR_TENTATIVE;
		b.four = b.four || (is_ours && is_four);
		b.six = b.six || (is_ours && !is_four);
		b.told4 = b.told4 || (is_told && is_four);
		b.told6 = b.told6 || (is_told && !is_four);
	}
	return b;
}

/* With addresses of the user's the network still says routes and name servers. */
static bool is_settled(const struct net *n, unsigned ifindex, tern_time waited)
{
	struct brought b = look_at(n, ifindex);

	if (b.four && b.six && b.told4 && b.told6)
		return true;
	return (b.four || b.six) && !b.tentative && waited >= SILENCE_TIME;
}

static bool all_are_settled(const struct net *n, tern_time waited)
{
	for (unsigned i = 0; i < n->options->n_devs; i++) {
		const struct net_dev *d = &n->options->dev[i];

		if (d->is_auto && !is_settled(n, d->ifindex, waited))
			return false;
	}
	return true;
}

int auto_wait(struct net *n)
{
	tern_time begin = loop_now(), waited = 0;

	for (; !all_are_settled(n, waited); waited = loop_now() - begin) {
		if (net_interrupted())
			return net_refuse(n, "%s", "interrupted before it had an address");
		if (waited >= GIVE_UP_TIME)
			break;
		net_turn(n, loop_now() + 50 * TERN_MS, NULL, 0);
	}
	for (unsigned i = 0; i < n->options->n_devs; i++) {
		const struct net_dev *d = &n->options->dev[i];
		struct brought b = look_at(n, d->ifindex);

		if (d->is_auto && !b.four && !b.six)
			return net_refuse(n, "%s: nobody gave it an address within 20 s (--auto)",
					  d->what);
	}
	return EXIT_DONE;
}

void auto_end(struct net *n)
{
	bool any = false;

	for (unsigned i = 0; n->st && i < n->options->n_devs; i++) {
		if (!n->options->dev[i].ifindex)
			continue;
		any = true;
		tern_auto_set(n->st, n->options->dev[i].ifindex, 0);
	}
	if (any)
		net_turn(n, loop_now() + TERN_MS, NULL, 0);
}
