/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces.c - the stack's interfaces and addresses, as netdevice(7) and getifaddrs(3) tell them.
 *
 * An interface request is made by name (SIOCGIFNAME by index); the address it tells is the first of
 * IPv4. The list of getifaddrs is one piece for each entry: its names and sockaddrs are in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_packet.h>

#include "os.h"

/* ---- what the stack has ---- */

static unsigned index_of(const struct tern_stack *st, const char *name, struct tern_iface *i)
{
	for (unsigned n = tern_iface_next(st, 0); n; n = tern_iface_next(st, n))
		if (tern_iface_get(st, n, i) == 0 && strncmp(i->name, name, IFNAMSIZ) == 0)
			return n;
	return 0;
}

static bool is_loopback(const struct tern_iface *i)
{
	return i->link == TERN_LINK_LOOPBACK;
}

static unsigned flags_of(const struct tern_iface *i)
{
	unsigned flags = i->flags & TERN_IFACE_DOWN ? 0 : IFF_UP | IFF_RUNNING;

	if (is_loopback(i))
		return flags | IFF_LOOPBACK;
	if (i->link == TERN_LINK_ETHERNET)
		return flags | IFF_BROADCAST | IFF_MULTICAST;
	return flags | IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
}

static bool first_address(const struct tern_stack *st, unsigned index, struct tern_iface_addr *a)
{
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, a))
		if (a->ifindex == index && a->addr.family == TERN_AF_INET)
			return true;
	return false;
}

static void put_mask(unsigned len, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned bits = len > 8 * i ? len - 8 * (unsigned)i : 0;

		out[i] = (uint8_t)(bits >= 8 ? 0xff : 0xff00 >> bits);
	}
}

static struct in_addr mask_of(const struct tern_iface_addr *a)
{
	struct in_addr mask;

	put_mask(a->prefix_len, (uint8_t *)&mask, sizeof(mask));
	return mask;
}

static struct in_addr address_of(const struct tern_iface_addr *a)
{
	struct in_addr out;

	memcpy(&out, a->addr.ip, sizeof(out));
	return out;
}

/* Of the loopback and of a network of two there is none: Linux tells zeros. */
static struct in_addr broadcast_of(const struct tern_iface *i, const struct tern_iface_addr *a)
{
	struct in_addr out = { 0 };

	if (i->link == TERN_LINK_ETHERNET && !is_loopback(i) && a->prefix_len < 31)
		out.s_addr = address_of(a).s_addr | ~mask_of(a).s_addr;
	return out;
}

/* ---- requests ---- */

static void put_name(struct in_addr ip, struct sockaddr *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = ip };

	memcpy(out, &in, sizeof(in));
}

static int tell_address(const struct tern_stack *st, unsigned index, unsigned long request,
			struct ifreq *r)
{
	struct tern_iface_addr a;
	struct tern_iface i;

	if (!first_address(st, index, &a) || tern_iface_get(st, index, &i))
		return -EADDRNOTAVAIL;
	if (request == SIOCGIFADDR)
		put_name(address_of(&a), &r->ifr_addr);
	else if (request == SIOCGIFNETMASK)
		put_name(mask_of(&a), &r->ifr_netmask);
	else
		put_name(broadcast_of(&i, &a), &r->ifr_broadaddr);
	return 0;
}

static void tell_hardware(const struct tern_iface *i, struct ifreq *r)
{
	memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
	r->ifr_hwaddr.sa_family = is_loopback(i)		? ARPHRD_LOOPBACK :
				  i->link == TERN_LINK_ETHERNET ? ARPHRD_ETHER :
								  ARPHRD_NONE;
	if (r->ifr_hwaddr.sa_family == ARPHRD_ETHER)
		memcpy(r->ifr_hwaddr.sa_data, i->mac, sizeof(i->mac));
}

static int tell_name(const struct tern_stack *st, struct ifreq *r)
{
	struct tern_iface i;

	if (r->ifr_ifindex <= 0 || tern_iface_get(st, (unsigned)r->ifr_ifindex, &i))
		return -ENODEV;
	memcpy(r->ifr_name, i.name, sizeof(r->ifr_name));
	return 0;
}

static int tell_one(const struct tern_stack *st, unsigned long request, struct ifreq *r)
{
	struct tern_iface i;
	unsigned index;

	if (!r)
		return -EFAULT;
	if (request == SIOCGIFNAME)
		return tell_name(st, r);
	index = index_of(st, r->ifr_name, &i);
	if (!index)
		return -ENODEV;
	switch (request) {
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)flags_of(&i);
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)i.mtu;
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = (int)index;
		return 0;
	case SIOCGIFHWADDR:
		tell_hardware(&i, r);
		return 0;
	default:
		return tell_address(st, index, request, r);
	}
}

/* Interfaces with an address of IPv4; without a place to put them, how much room they need. */
static int tell_all(const struct tern_stack *st, struct ifconf *c)
{
	int room, used = 0;
	unsigned cursor = 0;
	struct tern_iface_addr a;
	struct tern_iface i;

	if (!c)
		return -EFAULT;
	room = c->ifc_buf ? c->ifc_len : INT32_MAX;
	while (tern_addr_next(st, &cursor, &a)) {
		struct ifreq r = { .ifr_flags = 0 };

		if (a.addr.family != TERN_AF_INET || tern_iface_get(st, a.ifindex, &i) ||
		    room - used < (int)sizeof(r))
			continue;
		memcpy(r.ifr_name, i.name, sizeof(r.ifr_name));
		put_name(address_of(&a), &r.ifr_addr);
		if (c->ifc_buf)
			memcpy(c->ifc_buf + used, &r, sizeof(r));
		used += (int)sizeof(r);
	}
	c->ifc_len = used;
	return 0;
}

int interface_request(const struct tern_stack *st, unsigned long request, void *arg)
{
	switch (request) {
	case SIOCGIFCONF:
		return tell_all(st, arg);
	case SIOCGIFADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFBRDADDR:
	case SIOCGIFFLAGS:
	case SIOCGIFMTU:
	case SIOCGIFINDEX:
	case SIOCGIFNAME:
	case SIOCGIFHWADDR:
		return tell_one(st, request, arg);
	default:
		return -ENOTTY;
	}
}

/* ---- getifaddrs ---- */

union any_name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_ll ll;
};

struct entry {
	struct ifaddrs a; /* first: what is given is what is freed */
	char name[IFNAMSIZ];
	union any_name addr, mask, broadcast;
};

static struct entry *new_entry(const struct tern_iface *i)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	memcpy(e->name, i->name, sizeof(e->name) - 1);
	e->a.ifa_name = e->name;
	e->a.ifa_flags = flags_of(i);
	e->a.ifa_addr = &e->addr.sa;
	return e;
}

static struct entry *entry_of_link(const struct tern_iface *i, unsigned index)
{
	struct entry *e = new_entry(i);
	struct ifreq r;

	if (!e)
		return NULL;
	tell_hardware(i, &r);
	e->addr.ll = (struct sockaddr_ll){ .sll_family = AF_PACKET,
					   .sll_ifindex = (int)index,
					   .sll_hatype = r.ifr_hwaddr.sa_family,
					   .sll_halen = sizeof(i->mac) };
	memcpy(e->addr.ll.sll_addr, r.ifr_hwaddr.sa_data, sizeof(i->mac));
	return e;
}

static void name_four(struct entry *e, const struct tern_iface *i, const struct tern_iface_addr *a)
{
	e->addr.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = address_of(a) };
	e->mask.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = mask_of(a) };
	e->broadcast.in =
		(struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = broadcast_of(i, a) };
	/* Linux tells of a loopback's own address there */
	if (is_loopback(i))
		e->broadcast.in.sin_addr = address_of(a);
	e->a.ifa_broadaddr = &e->broadcast.sa;
}

static void name_six(struct entry *e, const struct tern_iface_addr *a)
{
	bool link_local = a->addr.ip[0] == 0xfe && (a->addr.ip[1] & 0xc0) == 0x80;

	e->addr.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					     .sin6_scope_id = link_local ? a->ifindex : 0 };
	memcpy(&e->addr.in6.sin6_addr, a->addr.ip, 16);
	e->mask.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	put_mask(a->prefix_len, (uint8_t *)&e->mask.in6.sin6_addr, 16);
}

static struct entry *entry_of_address(const struct tern_stack *st, const struct tern_iface_addr *a)
{
	struct tern_iface i;
	struct entry *e;

	if (tern_iface_get(st, a->ifindex, &i))
		return NULL;
	e = new_entry(&i);
	if (!e)
		return NULL;
	e->a.ifa_netmask = &e->mask.sa;
	if (a->addr.family == TERN_AF_INET)
		name_four(e, &i, a);
	else
		name_six(e, a);
	return e;
}

static bool append(struct ifaddrs ***end, struct entry *e)
{
	if (!e)
		return false;
	**end = &e->a;
	*end = &e->a.ifa_next;
	return true;
}

/* Links, then addresses of IPv4, then those of IPv6. */
static bool list_all(const struct tern_stack *st, struct ifaddrs **end)
{
	static const int families[] = { TERN_AF_INET, TERN_AF_INET6 };
	struct tern_iface_addr a;
	struct tern_iface i;

	for (unsigned n = tern_iface_next(st, 0); n; n = tern_iface_next(st, n))
		if (tern_iface_get(st, n, &i) == 0 && !append(&end, entry_of_link(&i, n)))
			return false;
	for (int k = 0; k < 2; k++) {
		unsigned cursor = 0;

		while (tern_addr_next(st, &cursor, &a))
			if (a.addr.family == families[k] && !append(&end, entry_of_address(st, &a)))
				return false;
	}
	return true;
}

int tern_posix_getifaddrs(struct ifaddrs **out)
{
	struct posix *p = posix_get();
	bool good;

	if (!p)
		return -1;
	*out = NULL;
	posix_lock(p);
	good = list_all(p->sem.st, out);
	posix_unlock(p);
	if (good)
		return 0;
	tern_posix_freeifaddrs(*out);
	*out = NULL;
	errno = ENOMEM;
	return -1;
}

void tern_posix_freeifaddrs(struct ifaddrs *a)
{
	while (a) {
		struct ifaddrs *next = a->ifa_next;

		free(a);
		a = next;
	}
}
