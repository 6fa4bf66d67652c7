/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease6.c - what a lease of DHCPv6 brings: addresses and servers; and that it goes.
 *
 * Source: RFC 8415 18.2.10.1 (an address says nothing of the link).
 */
#include "means.h"

static bool take_addresses6(struct tern_stack *st, const struct iface *i)
{
	const struct dhcp6_lease *l = &i->dhcp6->lease;

	for (unsigned n = 0; n < l->n; n++) {
		struct ifaddr a = { .ifindex = i->index,
				    .addr = l->addr[n].addr,
				    .prefix_len = 128,
				    .origin = TERN_ORIGIN_DHCP6,
				    .flags = TERN_ADDR_TENTATIVE,
				    .off_link = true,
				    .preferred_until = l->addr[n].preferred_until,
				    .valid_until = l->addr[n].valid_until };
		int err = ifaddr_put(&st->net, &a);

		if (err && err != -TERN_EEXIST)
			return false;
	}
	return true;
}

static void drop_ended6(struct tern_stack *st, const struct iface *i, const struct dhcp6_ia *ia)
{
	for (unsigned n = 0; n < ia->n; n++) {
		const struct ifaddr *a = ifaddr_on(&st->net, i->index, &ia->addr[n].addr);

		if (a && a->origin == TERN_ORIGIN_DHCP6 && dhcp6_addr_ends(&ia->addr[n]))
			ifaddr_del(&st->net, i->index, &ia->addr[n].addr);
	}
}

/* Until the lease ends, or, without one, until it should long have been asked for again. */
static tern_time servers_last_until(const struct tern_stack *st, const struct dhcp6_client *c)
{
	tern_time again_at = c->timer.at;

	if (c->lease.n)
		return c->lease.valid_until;
	return again_at == TERN_NEVER ? TERN_NEVER : again_at + (again_at - st->timers.now);
}

bool lease6_take(struct tern_stack *st, struct iface *i, const struct dhcp6 *m)
{
	struct learned from = { i->index, TERN_ORIGIN_DHCP6, servers_last_until(st, i->dhcp6) };

	if (!take_addresses6(st, i))
		return false;
	drop_ended6(st, i, &m->ia);
	lease_begin_servers(st, &from);
	for (unsigned n = 0; n < m->n_dns; n++) {
		struct tern_addr a;

		addr_to_public(&a, &m->dns[n], DNS_PORT);
		if (addr_is_link_local(&m->dns[n]))
			a.scope_id = i->index;
		if (!addr_is4(&m->dns[n]) && !addr_is_multicast(&m->dns[n]) &&
		    !addr_is_unspecified(&m->dns[n]) && !addr_is_loopback(&m->dns[n]))
			lease_put_server(st, &from, TERN_SERVER_DNS, &a);
	}
	lease_put_domains(st, &from, &m->search);
	lease_end_servers(st, &from);
	return true;
}

void lease6_drop(struct tern_stack *st, struct iface *i)
{
	servers_purge(&st->net, i->index, TERN_ORIGIN_DHCP6);
	ifaddr_forget(&st->net, i->index, TERN_ORIGIN_DHCP6);
}
