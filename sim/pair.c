/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.c - the common case: two hosts, "a" and "b", on one link.
 */
#include "../core/base/base.h"
#include "../include/tern_sim.h"

static struct tern_addr pair_address(int family, uint8_t last)
{
	struct tern_addr a = { .family = TERN_AF_INET6 };

	if (family == TERN_AF_INET)
		return tern_ip4(10, 0, 0, last, 0);
	a.ip[0] = 0xfd;
	a.ip[15] = last;
	return a;
}

static int add_host(const struct tern_sim_pair *p, int number, const struct tern_addr *addr,
		    const struct tern_iface *iface)
{
	static const char *const names[] = { "a", "b" };
	int host = tern_sim_host_add(p->sim, names[number], NULL);
	int ifindex;

	if (host < 0)
		return host;
	ifindex = tern_sim_attach(p->sim, p->link, host, iface);
	if (ifindex < 0)
		return ifindex;
	return tern_addr_add(tern_sim_stack(p->sim, host), (unsigned)ifindex, addr,
			     addr->family == TERN_AF_INET ? 24 : 64);
}

static int build(struct tern_sim_pair *p, const struct tern_iface *model,
		 const struct tern_weather *weather)
{
	struct tern_iface iface = *model;
	int err;

	p->link = tern_sim_link_add(p->sim, weather);
	if (p->link < 0)
		return p->link;
	iface.mac[5] = 1;
	err = add_host(p, 0, &p->addr_a, &iface);
	if (err)
		return err;
	iface.mac[5] = 2;
	err = add_host(p, 1, &p->addr_b, &iface);
	if (err)
		return err;
	p->a = tern_sim_stack(p->sim, 0);
	p->b = tern_sim_stack(p->sim, 1);
	return 0;
}

int tern_sim_pair(struct tern_sim_pair *p, uint64_t seed, int family, int link_kind, uint32_t mtu,
		  const struct tern_weather *weather)
{
	struct tern_iface iface = {
		.name = "eth0", .link = (uint32_t)link_kind, .mtu = mtu, .mac = { 0x02 }
	};
	int err;

	memset(p, 0, sizeof(*p));
	if (family != TERN_AF_INET && family != TERN_AF_INET6)
		return -TERN_EAFNOSUPPORT;
	if (link_kind != TERN_LINK_ETHERNET && link_kind != TERN_LINK_IP)
		return -TERN_EINVAL;
	p->sim = tern_sim_new(seed);
	if (!p->sim)
		return -TERN_ENOMEM;
	p->addr_a = pair_address(family, 1);
	p->addr_b = pair_address(family, 2);
	err = build(p, &iface, weather);
	if (err) {
		tern_sim_free(p->sim);
		memset(p, 0, sizeof(*p));
	}
	return err;
}
