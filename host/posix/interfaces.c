/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces.c - the stack's interfaces as a program asks for them: getifaddrs, if_nametoindex, and
 * the requests of netdevice(7).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../loop/ifreq.h"
#include "os.h"

#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000 /* of linux/if.h, which does not go with net/if.h */
#endif

/* ---- requests ---- */

static int list_into(const struct tern_stack *st, struct ifconf *c)
{
	unsigned room = c->ifc_len > 0 ? (unsigned)c->ifc_len / (unsigned)sizeof(struct ifreq) : 0;
	unsigned n = ifreq_list(st, c->ifc_buf ? c->ifc_req : NULL, c->ifc_buf ? room : 0);

	n = c->ifc_buf && n > room ? room : n;
	c->ifc_len = (int)(n * sizeof(struct ifreq));
	return 0;
}

int interface_request(const struct tern_stack *st, unsigned long request, void *arg)
{
	return request == SIOCGIFCONF ? list_into(st, arg) : ifreq_get(st, request, arg);
}

/* ---- getifaddrs ---- */

/* One entry, in one piece: what it points to lies behind it. */
struct entry {
	struct ifaddrs is;
	char name[IFNAMSIZ];
	struct sockaddr_storage addr, mask, broad;
};

static void put_mask(struct sockaddr_storage *s, int family, unsigned len)
{
	uint8_t *bits = family == AF_INET ?
				(uint8_t *)&((struct sockaddr_in *)(void *)s)->sin_addr :
				(uint8_t *)&((struct sockaddr_in6 *)(void *)s)->sin6_addr;

	s->ss_family = (sa_family_t)family;
	for (unsigned i = 0; i < len; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static struct entry *new_entry(const struct tern_iface *i, struct ifaddrs ***last)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	memcpy(e->name, i->name, sizeof(e->name));
	e->is.ifa_name = e->name;
	e->is.ifa_flags = (unsigned short)ifreq_flags(i);
	if (e->is.ifa_flags & IFF_UP)
		e->is.ifa_flags |= IFF_LOWER_UP;
	**last = &e->is;
	*last = &e->is.ifa_next;
	return e;
}

static bool add_link(const struct tern_iface *i, unsigned ifindex, struct ifaddrs ***last)
{
	struct entry *e = new_entry(i, last);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)ifindex,
				  .sll_hatype = ifreq_kind(i),
				  .sll_halen = sizeof(i->mac) };

	if (!e)
		return false;
	memcpy(ll.sll_addr, i->mac, sizeof(i->mac));
	memcpy(&e->addr, &ll, sizeof(ll));
	e->is.ifa_addr = (struct sockaddr *)&e->addr;
	return true;
}

static bool add_address(const struct tern_iface *i, const struct tern_iface_addr *a,
			struct ifaddrs ***last)
{
	struct entry *e = new_entry(i, last);
	bool four = a->addr.family == TERN_AF_INET;
	socklen_t len = sizeof(e->addr);

	if (!e)
		return false;
	addr_to_sockaddr(&a->addr, (struct sockaddr *)&e->addr, &len);
	put_mask(&e->mask, four ? AF_INET : AF_INET6, a->prefix_len);
	e->is.ifa_addr = (struct sockaddr *)&e->addr;
	e->is.ifa_netmask = (struct sockaddr *)&e->mask;
	if (!four)
		return true;
	memcpy(&e->broad, &e->addr, sizeof(e->broad));
	if (e->is.ifa_flags & IFF_BROADCAST)
		((struct sockaddr_in *)(void *)&e->broad)->sin_addr.s_addr |=
			~((struct sockaddr_in *)(void *)&e->mask)->sin_addr.s_addr;
	e->is.ifa_broadaddr = (struct sockaddr *)&e->broad;
	return true;
}

static bool list_all(const struct tern_stack *st, struct ifaddrs **first)
{
	struct ifaddrs **last = first;
	struct tern_iface_addr a;
	struct tern_iface i;
	unsigned cursor = 0;
	bool good = true;

	*first = NULL;
	for (unsigned n = 0; good && (n = tern_iface_next(st, n));)
		good = tern_iface_get(st, n, &i) != 0 || add_link(&i, n, &last);
	while (good && tern_addr_next(st, &cursor, &a))
		good = tern_iface_get(st, a.ifindex, &i) != 0 || add_address(&i, &a, &last);
	return good;
}

int tern_posix_getifaddrs(struct ifaddrs **out)
{
	struct posix *p = posix_get();
	bool good;

	if (!p)
		return -1;
	posix_lock(p);
	good = list_all(p->sem.st, out);
	posix_unlock(p);
	if (good)
		return 0;
	tern_posix_freeifaddrs(*out);
	errno = ENOMEM;
	return -1;
}

void tern_posix_freeifaddrs(struct ifaddrs *first)
{
	while (first) {
		struct ifaddrs *next = first->ifa_next;

		free(first);
		first = next;
	}
}

/* ---- names and indices ---- */

unsigned tern_posix_if_nametoindex(const char *name)
{
	struct posix *p = posix_get();
	unsigned n = 0;

	if (p) {
		posix_lock(p);
		n = ifreq_index_of(p->sem.st, name);
		posix_unlock(p);
	}
	if (p && n == 0)
		errno = ENODEV;
	return n;
}

char *tern_posix_if_indextoname(unsigned ifindex, char *name)
{
	struct ifreq r = { .ifr_ifindex = (int)ifindex };
	struct posix *p = posix_get();
	int err;

	if (!p)
		return NULL;
	posix_lock(p);
	err = ifreq_get(p->sem.st, SIOCGIFNAME, &r);
	posix_unlock(p);
	if (!err)
		return memcpy(name, r.ifr_name, IFNAMSIZ);
	errno = ENXIO;
	return NULL;
}
