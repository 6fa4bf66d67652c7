/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dad.c - is another host using this address?
 *
 *	IPv6	0-1 s, then dad_transmits solicitations 1 s apart; 1 s after the last it is ours
 *	IPv4	0-1 s, 3 probes 1-2 s apart; 2 s after the last it is ours, and is announced twice,
 *		2 s apart
 *
 * Who is heard to use or to probe for the address meanwhile takes it from us. Afterwards an IPv4
 * address is defended once in 10 s, and given up when that was not enough; an IPv6 address stays.
 * The record of an IPv4 address lasts as long as the address.
 *
 * Sources: RFC 4862 5.4 (duplicate address detection), RFC 5227 1.1 (constants), 2.1 (probing), 2.3
 * (announcing), 2.4 (defence, case (b)).
 */
#include "net.h"

enum { IP4_PROBES = 3, IP4_ANNOUNCEMENTS = 2 };
enum { DELAY_MAX_MS = 1000, IP4_PROBE_MIN_MS = 1000, IP4_PROBE_SPREAD_MS = 1001 };
#define IP6_RETRANS (1 * TERN_SEC)
#define IP4_ANNOUNCE_WAIT (2 * TERN_SEC)
#define IP4_ANNOUNCE_INTERVAL (2 * TERN_SEC)
#define IP4_DEFEND_INTERVAL (10 * TERN_SEC)

static struct dad *find_dad(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	for (const struct list *l = net->dads.next; l != &net->dads; l = l->next) {
		struct dad *d = CONTAINER_OF(l, struct dad, link);

		if (d->ifindex == ifindex && addr_equal(&d->addr, addr))
			return d;
	}
	return NULL;
}

static void free_dad(struct net *net, struct dad *d)
{
	timers_disarm(net->timers, &d->timer);
	list_unlink(&d->link);
	mem_free(net->mem, d, sizeof(*d));
}

static void arm_dad(struct net *net, struct dad *d, tern_time delay)
{
	timers_arm(net->timers, &d->timer, net->timers->now + delay);
}

bool dad_begin(struct net *net, struct ifaddr *a)
{
	struct dad *d;

	if (net->cfg->dad_transmits == 0) {
		ifaddr_accept(net, a);
		return true;
	}
	d = mem_new(net->mem, sizeof(*d));
	if (!d)
		return false;
	*d = (struct dad){ .ifindex = a->ifindex, .addr = a->addr };
	timer_init(&d->timer, net->dad_timer_kind);
	list_put_tail(&net->dads, &d->link);
	/* RFC 4862 5.4.2: the report of the group, which is due at once, goes first */
	arm_dad(net, d, (1 + rand_below(net->rand, DELAY_MAX_MS)) * TERN_MS);
	return true;
}

void dad_end(struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct dad *d = find_dad(net, ifindex, addr);

	if (d)
		free_dad(net, d);
}

static enum dad_verdict probe_again(struct net *net, struct dad *d)
{
	bool is4 = addr_is4(&d->addr);
	unsigned n = is4 ? IP4_PROBES : net->cfg->dad_transmits;
	tern_time pause = IP6_RETRANS;

	d->n_probes++;
	if (is4 && d->n_probes < n)
		pause = (IP4_PROBE_MIN_MS + rand_below(net->rand, IP4_PROBE_SPREAD_MS)) * TERN_MS;
	else if (is4)
		pause = IP4_ANNOUNCE_WAIT;
	arm_dad(net, d, pause);
	return DAD_SEND_PROBE;
}

static enum dad_verdict announce_again(struct net *net, struct dad *d)
{
	d->n_announced++;
	if (d->n_announced < IP4_ANNOUNCEMENTS)
		arm_dad(net, d, IP4_ANNOUNCE_INTERVAL);
	return DAD_SEND_ANNOUNCEMENT;
}

enum dad_verdict dad_on_timer(struct net *net, struct dad *d)
{
	bool is4 = addr_is4(&d->addr);

	if (d->passed)
		return announce_again(net, d);
	if (d->n_probes < (is4 ? IP4_PROBES : net->cfg->dad_transmits))
		return probe_again(net, d);
	d->passed = true;
	ifaddr_accept(net, ifaddr_on(net, d->ifindex, &d->addr));
	if (is4)
		return announce_again(net, d);
	free_dad(net, d);
	return DAD_NOTHING;
}

enum dad_conflict dad_on_conflict(struct net *net, struct ifaddr *a)
{
	struct dad *d = find_dad(net, a->ifindex, &a->addr);
	tern_time now = net->timers->now;

	net_note(net, a->ifindex, TERN_NET_DUPLICATE);
	if (!d) /* static, or IPv6 and long since ours */
		return DAD_KEPT;
	if (d->passed && (!d->defended_at || now - d->defended_at >= IP4_DEFEND_INTERVAL)) {
		d->defended_at = now;
		return DAD_DEFEND;
	}
	free_dad(net, d);
	ifaddr_refuse(net, a);
	return DAD_LOST;
}
