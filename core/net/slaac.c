/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slaac.c - which IPv6 addresses do we make for ourselves?
 *
 * A link-local one at once, one for each prefix that routers offer, and beside it, if wanted, a
 * temporary one that another follows when it is no longer preferred. Interface identifiers are
 * opaque: a keyed hash of the prefix and the interface, so that they stay as long as the secret and
 * say nothing elsewhere. When another host has the address the next identifier is tried; the
 * DUPLICATE addresses that are remembered say how many were.
 *
 * Routers are asked at 0-1 s, then after 4 s, 8 s, ... until one wants to be a default router.
 *
 * Sources: RFC 4862 5.3, 5.5.3 (addresses from prefixes; the two-hour rule), RFC 7217 5, 6,
 * RFC 8981 3.3-3.5, RFC 4861 6.3.7 with RFC 7559 (solicitations), RFC 5453 (reserved identifiers).
 */
#include "net.h"

#include "../base/rand.h"

enum { PREFIX_LEN = 64, IDGEN_RETRIES = 3, FIRST_DELAY_MS = 1000 };
#define RS_INTERVAL (4 * TERN_SEC)
#define RS_INTERVAL_MAX (3600 * TERN_SEC)
#define TWO_HOURS (7200 * TERN_SEC)
#define TEMP_VALID (172800 * TERN_SEC)
#define TEMP_PREFERRED (86400 * TERN_SEC)
enum { DESYNC_MAX_S = 34560 }; /* 0.4 of a day */

static const struct addr link_local_prefix = { { 0xfe, 0x80 } };

/* ---- identifiers ---- */

/* RFC 5453: zero is the routers' anycast address, and fdff:ffff:ffff:ff80 to ff others'. */
static bool is_reserved_id(uint64_t id)
{
	return id == 0 || id >> 7 == 0xfdffffffffffff80u >> 7;
}

static struct addr with_id(const struct addr *prefix, uint64_t id)
{
	struct addr a = *prefix;

	put_be32(a.b + 8, (uint32_t)(id >> 32));
	put_be32(a.b + 12, (uint32_t)id);
	return a;
}

/* RFC 7217 5: F(prefix, interface, network, counter, secret). */
static struct addr stable_address(const struct net *net, const struct iface *i,
				  const struct addr *prefix, uint32_t counter)
{
	struct {
		struct addr prefix;
		uint8_t mac[8];
		uint32_t counter, purpose;
	} input = { *prefix, { 0 }, le32(counter), 0 };
	uint32_t purpose = 7217;
	uint64_t id;

	memcpy(input.mac, i->cfg.mac, 6);
	do {
		input.purpose = le32(purpose++);
		id = siphash13(&net->key, &input, sizeof(input));
	} while (is_reserved_id(id));
	return with_id(prefix, id);
}

static bool is_of_prefix(const struct ifaddr *a, const struct iface *i, const struct addr *prefix)
{
	return a->ifindex == i->index && !addr_is4(&a->addr) &&
	       addr_in_prefix(&a->addr, prefix, PREFIX_LEN);
}

static uint32_t count_duplicates(const struct net *net, const struct iface *i,
				 const struct addr *prefix)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < net->n_addrs; k++)
		n += is_of_prefix(&net->addrs[k], i, prefix) &&
		     (net->addrs[k].flags & TERN_ADDR_DUPLICATE) &&
		     !(net->addrs[k].flags & TERN_ADDR_TEMPORARY);
	return n;
}

/* ---- addresses ---- */

static struct ifaddr *find_of_prefix(const struct net *net, const struct iface *i,
				     const struct addr *prefix, unsigned temporary)
{
	for (uint32_t k = 0; k < net->n_addrs; k++) {
		struct ifaddr *a = &net->addrs[k];

		if (is_of_prefix(a, i, prefix) && a->origin == TERN_ORIGIN_RA &&
		    !(a->flags & (TERN_ADDR_DUPLICATE | TERN_ADDR_DEPRECATED)) &&
		    (a->flags & TERN_ADDR_TEMPORARY) == temporary)
			return a;
	}
	return NULL;
}

static struct ifaddr new_address(const struct iface *i, const struct addr *addr,
				 enum tern_origin origin)
{
	return (struct ifaddr){ .ifindex = i->index,
				.addr = *addr,
				.prefix_len = PREFIX_LEN,
				.origin = (uint8_t)origin,
				.flags = TERN_ADDR_TENTATIVE,
				.off_link = true,
				.preferred_until = TERN_NEVER,
				.valid_until = TERN_NEVER };
}

static void make_link_local(struct net *net, const struct iface *i)
{
	uint32_t counter = count_duplicates(net, i, &link_local_prefix);
	struct addr addr = stable_address(net, i, &link_local_prefix, counter);
	struct ifaddr a = new_address(i, &addr, TERN_ORIGIN_LINK_LOCAL);

	if (counter <= IDGEN_RETRIES)
		ifaddr_put(net, &a);
}

static void make_stable(struct net *net, const struct iface *i, const struct slaac_prefix *x)
{
	uint32_t counter = count_duplicates(net, i, &x->prefix);
	struct addr addr = stable_address(net, i, &x->prefix, counter);
	struct ifaddr a = new_address(i, &addr, TERN_ORIGIN_RA);

	a.preferred_until = x->preferred_until;
	a.valid_until = x->valid_until;
	if (counter <= IDGEN_RETRIES)
		ifaddr_put(net, &a);
}

/* RFC 8981 3.4, 3.8: a day less what makes hosts change at different times; and two days. */
static void limit_temporary(struct ifaddr *a)
{
	tern_time desync = get_be32(a->addr.b + 12) % DESYNC_MAX_S * TERN_SEC;

	a->valid_until = MIN(a->valid_until, a->made_at + TEMP_VALID);
	a->preferred_until = MIN(a->preferred_until, a->made_at + TEMP_PREFERRED - desync);
}

static void make_temporary(struct net *net, const struct iface *i, const struct addr *prefix)
{
	const struct ifaddr *stable = find_of_prefix(net, i, prefix, 0);
	struct ifaddr a;
	uint64_t id;

	if (!net->cfg->use_tempaddr || !stable ||
	    find_of_prefix(net, i, prefix, TERN_ADDR_TEMPORARY))
		return;
	do
		id = rand_u64(net->rand);
	while (is_reserved_id(id));
	a = new_address(i, &stable->addr, TERN_ORIGIN_RA);
	a.addr = with_id(prefix, id);
	a.flags |= TERN_ADDR_TEMPORARY;
	a.made_at = net->timers->now;
	a.valid_until = stable->valid_until;
	a.preferred_until = stable->preferred_until;
	limit_temporary(&a);
	if (a.preferred_until > a.made_at)
		ifaddr_put(net, &a);
}

/* RFC 4862 5.5.3 (e): nobody on the link can end an address soon. */
static void renew_lifetimes(struct net *net, struct ifaddr *a, const struct slaac_prefix *x)
{
	tern_time now = net->timers->now, valid = x->valid_until;

	if (valid > now + TWO_HOURS || valid > a->valid_until)
		a->valid_until = valid;
	else if (a->valid_until > now + TWO_HOURS)
		a->valid_until = now + TWO_HOURS;
	a->preferred_until = MIN(x->preferred_until, a->valid_until);
	if (a->flags & TERN_ADDR_TEMPORARY)
		limit_temporary(a);
	if (a->preferred_until > now && (a->flags & TERN_ADDR_DEPRECATED)) {
		a->flags &= (uint8_t)~TERN_ADDR_DEPRECATED;
		net_note(net, a->ifindex, TERN_NET_ADDRS);
	}
	net_arm_life(net, MAX(a->preferred_until, now));
	net_arm_life(net, a->valid_until);
}

void slaac_on_prefix(struct net *net, struct iface *i, const struct slaac_prefix *x)
{
	bool known = false;

	for (uint32_t k = 0; k < net->n_addrs; k++) {
		struct ifaddr *a = &net->addrs[k];

		if (!is_of_prefix(a, i, &x->prefix) || a->origin != TERN_ORIGIN_RA)
			continue;
		renew_lifetimes(net, a, x);
		known = known || !(a->flags & (TERN_ADDR_DUPLICATE | TERN_ADDR_TEMPORARY));
	}
	if (!known && x->valid_until > net->timers->now)
		make_stable(net, i, x);
	make_temporary(net, i, &x->prefix);
}

void slaac_renew_temporaries(struct net *net)
{
	uint32_t n = net->n_addrs; /* those that are made now need none */

	for (uint32_t k = 0; k < n && net->cfg->use_tempaddr; k++) {
		const struct ifaddr *a = &net->addrs[k];
		struct addr prefix = a->addr;

		if (a->origin == TERN_ORIGIN_RA && !(a->flags & TERN_ADDR_TEMPORARY))
			make_temporary(net, iface_get(net, a->ifindex), &prefix);
	}
}

void slaac_on_duplicate(struct net *net, struct iface *i, const struct addr *lost)
{
	const struct ifaddr *a = ifaddr_on(net, i->index, lost);
	struct slaac_prefix x = { .prefix = *lost };

	if (!i->slaac || !a)
		return;
	memset(x.prefix.b + 8, 0, 8);
	x.valid_until = a->valid_until;
	x.preferred_until = a->preferred_until;
	if (a->flags & TERN_ADDR_TEMPORARY)
		make_temporary(net, i, &x.prefix);
	else if (addr_is_link_local(lost))
		make_link_local(net, i);
	else
		make_stable(net, i, &x);
}

/* ---- asking for routers ---- */

bool slaac_begin(struct net *net, struct iface *i, uint32_t timer_kind)
{
	struct slaac *s = mem_new(net->mem, sizeof(*s));

	if (!s)
		return false;
	*s = (struct slaac){ .ifindex = i->index };
	timer_init(&s->timer, timer_kind);
	i->slaac = s;
	make_link_local(net, i);
	slaac_on_link_up(net, s);
	return true;
}

void slaac_on_link_up(struct net *net, struct slaac *s)
{
	s->interval = RS_INTERVAL;
	timers_arm(net->timers, &s->timer,
		   net->timers->now + rand_below(net->rand, FIRST_DELAY_MS) * TERN_MS);
}

void slaac_end(struct net *net, struct iface *i)
{
	timers_disarm(net->timers, &i->slaac->timer);
	mem_free(net->mem, i->slaac, sizeof(*i->slaac));
	i->slaac = NULL;
	i->mtu6 = i->reachable_ms = i->retrans_ms = 0;
	ifaddr_forget(net, i->index, TERN_ORIGIN_RA);
	for (uint32_t k = net->n_addrs; k-- > 0;) {
		struct addr a = net->addrs[k].addr;

		if (net->addrs[k].origin == TERN_ORIGIN_LINK_LOCAL && !addr_is4(&a) &&
		    net->addrs[k].ifindex == i->index)
			ifaddr_del(net, i->index, &a);
	}
	route_forget(net, i->index, TERN_ORIGIN_RA);
	servers_purge(net, i->index, TERN_ORIGIN_RA);
}

/* RFC 7559 2: twice the time, give or take a tenth. */
void slaac_on_timer(struct net *net, struct slaac *s)
{
	tern_time spread = s->interval / 5;

	s->n_sent++;
	timers_arm(net->timers, &s->timer,
		   net->timers->now + s->interval - spread / 2 + rand_below(net->rand, spread));
	s->interval = MIN(2 * s->interval, RS_INTERVAL_MAX);
}

void slaac_on_router(struct net *net, struct slaac *s)
{
	timers_disarm(net->timers, &s->timer);
	s->interval = RS_INTERVAL;
}
