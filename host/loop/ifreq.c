/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifreq.c - interfaces in the words of netdevice(7).
 */
#define _GNU_SOURCE
#include "ifreq.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

enum { QUEUE_LEN = 1000 };

unsigned ifreq_index_of(const struct tern_stack *st, const char *name)
{
	struct tern_iface i;

	for (unsigned n = 0; (n = tern_iface_next(st, n));)
		if (tern_iface_get(st, n, &i) == 0 && strncmp(i.name, name, IFNAMSIZ) == 0)
			return n;
	return 0;
}

static bool is_loopback(const struct tern_iface *i)
{
	return strcmp(i->name, "lo") == 0;
}

short ifreq_flags(const struct tern_iface *i)
{
	short up = i->flags & TERN_IFACE_DOWN ? 0 : IFF_UP | IFF_RUNNING;

	if (is_loopback(i))
		return (short)(up | IFF_LOOPBACK);
	if (i->link == TERN_LINK_ETHERNET)
		return (short)(up | IFF_BROADCAST | IFF_MULTICAST);
	return (short)(up | IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST);
}

unsigned short ifreq_kind(const struct tern_iface *i)
{
	return is_loopback(i)		     ? ARPHRD_LOOPBACK :
	       i->link == TERN_LINK_ETHERNET ? ARPHRD_ETHER :
					       ARPHRD_NONE;
}

static void put_ip4(struct sockaddr *out, uint32_t host_order)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(host_order) };

	memcpy(out, &in, sizeof(in));
}

static uint32_t ip4_of(const struct tern_addr *a)
{
	return (uint32_t)a->ip[0] << 24 | (uint32_t)a->ip[1] << 16 | (uint32_t)a->ip[2] << 8 |
	       a->ip[3];
}

static bool first_ip4(const struct tern_stack *st, unsigned ifindex, struct tern_iface_addr *a)
{
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, a))
		if (a->ifindex == ifindex && a->addr.family == TERN_AF_INET)
			return true;
	return false;
}

static int get_address(const struct tern_stack *st, unsigned ifindex, const struct tern_iface *i,
		       unsigned long request, struct ifreq *r)
{
	struct tern_iface_addr a;
	uint32_t ip, mask;

	if (!first_ip4(st, ifindex, &a))
		return -EADDRNOTAVAIL;
	ip = ip4_of(&a.addr);
	mask = a.prefix_len ? 0xffffffff << (32 - a.prefix_len) : 0;
	if (request == SIOCGIFNETMASK)
		put_ip4(&r->ifr_netmask, mask);
	else if (request == SIOCGIFBRDADDR)
		put_ip4(&r->ifr_broadaddr, ifreq_flags(i) & IFF_BROADCAST ? ip | ~mask : 0);
	else
		put_ip4(&r->ifr_addr, ip);
	return 0;
}

static bool is_known(unsigned long request)
{
	static const unsigned long known[] = {
		SIOCGIFNAME,	SIOCGIFINDEX,	SIOCGIFFLAGS,	SIOCGIFMTU,
		SIOCGIFMETRIC,	SIOCGIFTXQLEN,	SIOCGIFHWADDR,	SIOCGIFADDR,
		SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == request)
			return true;
	return false;
}

int ifreq_get(const struct tern_stack *st, unsigned long request, struct ifreq *r)
{
	struct tern_iface i;
	unsigned ifindex;

	if (!is_known(request))
		return -ENOTTY;
	ifindex =
		request == SIOCGIFNAME ? (unsigned)r->ifr_ifindex : ifreq_index_of(st, r->ifr_name);
	if (!ifindex || tern_iface_get(st, ifindex, &i) != 0)
		return -ENODEV;
	switch (request) {
	case SIOCGIFNAME:
		memcpy(r->ifr_name, i.name, sizeof(r->ifr_name));
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = (int)ifindex;
		return 0;
	case SIOCGIFFLAGS:
		r->ifr_flags = ifreq_flags(&i);
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)i.mtu;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = QUEUE_LEN;
		return 0;
	case SIOCGIFHWADDR:
		memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
		r->ifr_hwaddr.sa_family = ifreq_kind(&i);
		memcpy(r->ifr_hwaddr.sa_data, i.mac, sizeof(i.mac));
		return 0;
	default:
		return get_address(st, ifindex, &i, request, r);
	}
}

unsigned ifreq_list(const struct tern_stack *st, struct ifreq *out, unsigned max)
{
	struct tern_iface_addr a;
	struct tern_iface i;
	unsigned cursor = 0, n = 0;

	while (tern_addr_next(st, &cursor, &a)) {
		if (a.addr.family != TERN_AF_INET || tern_iface_get(st, a.ifindex, &i) != 0)
			continue;
		if (n < max) {
			memset(&out[n], 0, sizeof(out[n]));
			memcpy(out[n].ifr_name, i.name, sizeof(out[n].ifr_name));
			put_ip4(&out[n].ifr_addr, ip4_of(&a.addr));
		}
		n++;
	}
	return n;
}
