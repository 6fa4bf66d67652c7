/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.c - TAP and TUN devices of Linux.
 *
 * With IFF_VNET_HDR the kernel takes and gives super-frames of 64 KiB and open checksums: the one
 * thing that makes a difference in speed. A device that has no virtio header is used without.
 *
 * Source: Documentation/networking/tuntap.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

static struct dev *say(struct dev_wish *w, int fd, const char *what, const char *name)
{
	int err = errno;
	const char *hint = "";

	if (err == EPERM || err == EACCES)
		hint = "; run as root, or in a namespace of your own: unshare -Urn";
	else if (err == ENOENT)
		hint = "; load the module: modprobe tun";
	else if (err == EBUSY)
		hint = "; another program has it open";
	else if (err == EINVAL)
		hint = "; no name for a device, or that of another kind";
	snprintf(w->error, sizeof(w->error), "%s %s: %s%s", what, name, strerror(err), hint);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* The host's idea of the device's MTU; 1500 when it cannot be asked. */
static uint32_t mtu_of(const char *name)
{
	struct ifreq req = { .ifr_mtu = 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t mtu = 1500;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (s >= 0 && ioctl(s, SIOCGIFMTU, &req) == 0 && req.ifr_mtu >= 68)
		mtu = (uint32_t)req.ifr_mtu;
	if (s >= 0)
		close(s);
	return mtu;
}

/*
 * As the device was made: with one queue or, then also used by one, with several; with a virtio
 * header, or without where it cannot be had. 1: it has one, 0: it has none, -1: see errno.
 */
static int attach(int fd, struct ifreq *req)
{
	static const short ways[] = { IFF_VNET_HDR, IFF_VNET_HDR | IFF_MULTI_QUEUE, 0,
				      IFF_MULTI_QUEUE };
	const short kind = req->ifr_flags;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		req->ifr_flags = (short)(kind | ways[i]);
		if (ioctl(fd, TUNSETIFF, req) == 0)
			return (ways[i] & IFF_VNET_HDR) != 0;
		if (errno != EINVAL)
			return -1;
	}
	return -1;
}

struct dev *tap_open(const char *name, bool ethernet, struct dev_wish *w)
{
	struct ifreq req = { .ifr_flags = (short)((ethernet ? IFF_TAP : IFF_TUN) | IFF_NO_PI) };
	struct tern_iface iface = { .link = ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP };
	int fd, vnet, hdr_len = 10; /* of struct virtio_net_hdr without num_buffers */
	struct dev *d;

	if (strlen(name) >= sizeof(req.ifr_name)) {
		errno = ENAMETOOLONG;
		return say(w, -1, "device", name);
	}
	strcpy(req.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return say(w, -1, "cannot open", "/dev/net/tun");
	vnet = attach(fd, &req);
	if (vnet < 0)
		return say(w, fd, "cannot attach to", name);
	if (vnet && ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) != 0)
		return say(w, fd, "virtio header of", name);
	if (vnet && !w->no_offload &&
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0)
		iface.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	else if (vnet)
		ioctl(fd, TUNSETOFFLOAD, 0);
	snprintf(iface.name, sizeof(iface.name), "%s", req.ifr_name);
	iface.mtu = w->mtu ? w->mtu : mtu_of(req.ifr_name);
	if (ethernet)
		draw_mac(iface.mac, w, req.ifr_name);
	d = frames_new(fd, &iface, vnet, false);
	if (!d)
		return say(w, fd, "device", name);
	return d;
}
