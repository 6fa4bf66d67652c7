/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.c - an interface of the host through AF_PACKET.
 *
 * With PACKET_VNET_HDR frames come and go with the kernel's open checksums and as super-frames, as
 * over TAP. What this host itself sends on the interface is not ours to see. tern answers for its
 * own addresses only; the host's stack sees the same frames and should have none of these.
 *
 * Source: packet(7).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

static struct dev *say(struct dev_wish *w, int fd, const char *name)
{
	int err = errno;

	snprintf(w->error, sizeof(w->error), "%s: %s%s", name, strerror(err),
		 err == EPERM		? "; run as root (AF_PACKET needs CAP_NET_RAW)" :
		 err == ENODEV		? "; 'ip link' lists the interfaces" :
		 err == EPROTONOSUPPORT ? "; it is not an Ethernet" :
					  "");
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* Outgoing frames of the host are left out before they are copied. */
static int ignore_outgoing(int fd)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE) },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_OUTGOING },
		{ BPF_RET | BPF_K, 0, 0, 0 },
		{ BPF_RET | BPF_K, 0, 0, 0x40000 },
	};
	struct sock_fprog prog = { 4, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int describe(int fd, const char *name, struct tern_iface *iface, int *index)
{
	struct ifreq req = { .ifr_flags = 0 };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &req) != 0)
		return -1;
	*index = req.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &req) != 0)
		return -1;
	iface->mtu = (uint32_t)req.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &req) != 0)
		return -1;
	if (req.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	memcpy(iface->mac, req.ifr_hwaddr.sa_data, 6);
	return 0;
}

struct dev *packet_open(const char *name, struct dev_wish *w)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct tern_iface iface = { .link = TERN_LINK_ETHERNET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, room = 8 << 20;
	bool vnet;
	struct dev *d;

	if (fd < 0 || describe(fd, name, &iface, &at.sll_ifindex) != 0)
		return say(w, fd, name);
	vnet = setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == 0;
	if (ignore_outgoing(fd) != 0)
		return say(w, fd, name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return say(w, fd, name);
	snprintf(iface.name, sizeof(iface.name), "%.15s", name);
	if (w->mtu)
		iface.mtu = w->mtu;
	if (vnet && !w->no_offload)
		iface.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	d = frames_new(fd, &iface, vnet, true);
	return d ? d : say(w, fd, name);
}
