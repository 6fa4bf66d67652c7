/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease.c - the servers and domains that a lease of DHCP tells of.
 *
 * What a lease has brought is known by its interface and origin, so that nothing has to be kept to
 * take it away. What goes with a static address has no end.
 */
#include "means.h"

void lease_put_server(struct tern_stack *st, const struct learned *from, uint32_t kind,
		      const struct tern_addr *addr)
{
	struct tern_server s = { .kind = kind,
				 .ifindex = from->ifindex,
				 .origin = from->origin,
				 .addr = *addr,
				 .valid_until = from->until };

	servers_put(&st->net, &s);
}

void lease_put_domain(struct tern_stack *st, const struct learned *from, const char *name)
{
	struct tern_server s = { .kind = TERN_SERVER_SEARCH,
				 .ifindex = from->ifindex,
				 .origin = from->origin,
				 .valid_until = from->until };

	for (size_t n = 0; name[n] && n < TERN_DOMAIN_MAX - 1; n++)
		s.domain[n] = name[n];
	servers_put(&st->net, &s);
}

void lease_put_domains(struct tern_stack *st, const struct learned *from, const struct domains *d)
{
	unsigned cursor = 0;
	const char *name;

	while ((name = domains_next(d, &cursor)))
		lease_put_domain(st, from, name);
}

void lease_begin_servers(struct tern_stack *st, const struct learned *now)
{
	if (now->until == TERN_NEVER)
		servers_purge(&st->net, now->ifindex, now->origin);
}

/* Without news of what stays: that has the end of this lease. */
void lease_end_servers(struct tern_stack *st, const struct learned *now)
{
	for (uint32_t n = st->net.n_servers; n-- > 0 && now->until != TERN_NEVER;) {
		struct tern_server s = st->net.servers[n];

		if (s.ifindex != now->ifindex || s.origin != now->origin ||
		    s.valid_until == now->until)
			continue;
		s.valid_until = 0;
		servers_put(&st->net, &s);
	}
}
