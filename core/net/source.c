/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - which of our addresses is the source of what goes to this destination?
 *
 * IPv4: one whose prefix holds the destination, else the first of the interface, else the first of
 * any. IPv6: RFC 6724, whose rules are applied two addresses at a time.
 *
 * Sources: RFC 1122 3.3.4.3 (choosing a source address), RFC 6724 3.1, 4, 5.
 */
#include "net.h"

static int select_source4(const struct net *net, const struct addr *dst, unsigned ifindex,
			  struct addr *out)
{
	const struct ifaddr *first = NULL, *any = NULL;

	if (ifaddr_find(net, dst)) {
		*out = *dst;
		return 0;
	}
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (!addr_is4(&a->addr) || !ifaddr_is_usable(a))
			continue;
		if (a->ifindex == ifindex && addr_in_prefix(dst, &a->addr, a->prefix_len)) {
			*out = a->addr;
			return 0;
		}
		if (!first && a->ifindex == ifindex)
			first = a;
		if (!any && !addr_is_loopback(&a->addr) && ifaddr_fits(net, &a->addr, ifindex))
			any = a;
	}
	first = first ? first : any;
	if (!first)
		return -TERN_EADDRNOTAVAIL;
	*out = first->addr;
	return 0;
}

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 3.1; ::1 counts as link-local. */
static unsigned scope_of(const struct addr *a)
{
	if (addr_is_multicast(a))
		return addr_group_scope(a);
	if (addr_is_link_local(a) || addr_is_loopback(a))
		return SCOPE_LINK;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

struct source_wanted {
	const struct addr *dst;
	unsigned ifindex;
	uint32_t label; /* of dst */
	bool prefers_temporary;
};

/* RFC 6724 4: what has no meaning on the link it would be seen on is no candidate. */
static bool is_candidate(const struct net *net, const struct ifaddr *a,
			 const struct source_wanted *w)
{
	if (addr_is4(&a->addr) || !ifaddr_is_usable(a))
		return false;
	if (a->ifindex == w->ifindex)
		return true;
	if (!ifaddr_fits(net, &a->addr, w->ifindex))
		return false;
	return scope_of(&a->addr) > SCOPE_LINK && scope_of(w->dst) > SCOPE_LINK &&
	       !addr_is_multicast(w->dst);
}

/* RFC 6724 5. There is no home address (rule 4), and no next hop owns a prefix (rule 5.5). */
static bool is_better_source(const struct net *net, const struct source_wanted *w,
			     const struct ifaddr *a, const struct ifaddr *b)
{
	unsigned scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr);
	unsigned bits_a = MIN(addr_common_bits(&a->addr, w->dst), a->prefix_len);
	unsigned bits_b = MIN(addr_common_bits(&b->addr, w->dst), b->prefix_len);
	uint32_t label_a = policy_of(net, &a->addr)->label;
	uint32_t label_b = policy_of(net, &b->addr)->label;

	if (addr_equal(&a->addr, w->dst) || addr_equal(&b->addr, w->dst)) /* rule 1 */
		return addr_equal(&a->addr, w->dst);
	if (scope_a != scope_b) /* rule 2 */
		return scope_a < scope_b ? scope_a >= scope_of(w->dst) : scope_b < scope_of(w->dst);
	if ((a->flags ^ b->flags) & TERN_ADDR_DEPRECATED) /* rule 3 */
		return b->flags & TERN_ADDR_DEPRECATED;
	if ((a->ifindex == w->ifindex) != (b->ifindex == w->ifindex)) /* rule 5 */
		return a->ifindex == w->ifindex;
	if (label_a != label_b && (label_a == w->label || label_b == w->label)) /* rule 6 */
		return label_a == w->label;
	if ((a->flags ^ b->flags) & TERN_ADDR_TEMPORARY) /* rule 7 */
		return !(a->flags & TERN_ADDR_TEMPORARY) != w->prefers_temporary;
	return bits_a > bits_b; /* rule 8 */
}

int source_select(const struct net *net, const struct addr *dst, unsigned ifindex, struct addr *out)
{
	const struct source_wanted wanted = { dst, ifindex, policy_of(net, dst)->label,
					      net->cfg->use_tempaddr == 2 };
	const struct ifaddr *best = NULL;

	if (addr_is4(dst))
		return select_source4(net, dst, ifindex, out);
	for (uint32_t i = 0; i < net->n_addrs; i++) {
		const struct ifaddr *a = &net->addrs[i];

		if (is_candidate(net, a, &wanted) &&
		    (!best || is_better_source(net, &wanted, a, best)))
			best = a;
	}
	if (!best)
		return -TERN_EADDRNOTAVAIL;
	*out = best->addr;
	return 0;
}
