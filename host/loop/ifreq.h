/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifreq.h - a stack's interfaces as the requests of netdevice(7) tell of them, for all who answer
 * such requests.
 */
#ifndef TERN_HOST_IFREQ_H
#define TERN_HOST_IFREQ_H

#include "../../include/tern.h"

struct ifreq;

/* The index of the interface of that name; 0: there is none. */
unsigned ifreq_index_of(const struct tern_stack *, const char *name);
/*
 * SIOCGIFNAME, -INDEX, -FLAGS, -MTU, -METRIC, -TXQLEN, -HWADDR, -ADDR, -DSTADDR, -BRDADDR,
 * -NETMASK: 0, -ENODEV, -EADDRNOTAVAIL, or -ENOTTY for other requests.
 */
int ifreq_get(const struct tern_stack *, unsigned long request, struct ifreq *);
/* SIOCGIFCONF: the IPv4 addresses, each with its interface's name. How many there are. */
unsigned ifreq_list(const struct tern_stack *, struct ifreq *out, unsigned max);

/* IFF_UP and its kin, ARPHRD_ETHER and its kin. */
short ifreq_flags(const struct tern_iface *);
unsigned short ifreq_kind(const struct tern_iface *);

#endif
