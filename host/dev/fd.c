/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd.c - a descriptor that somebody else opened and that carries a frame with each message.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

/* A TAP or packet socket whose frames come behind a virtio header of 10 bytes. */
static bool has_vnet_header(int fd, bool is_socket)
{
	struct ifreq req = { .ifr_flags = 0 };
	int on = 0, hdr_len = 10;
	socklen_t len = sizeof(on);

	if (is_socket)
		return getsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, &len) == 0 && on;
	return ioctl(fd, TUNGETIFF, &req) == 0 && (req.ifr_flags & IFF_VNET_HDR) &&
	       ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) == 0;
}

struct dev *fd_open(int fd, bool ethernet, struct dev_wish *w)
{
	struct tern_iface iface = { .link = ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP };
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), type = 0;
	socklen_t len = sizeof(type);
	bool is_socket, vnet, offload;
	struct dev *d;

	if (own < 0) {
		snprintf(w->error, sizeof(w->error), "descriptor %d: %s", fd, strerror(errno));
		return NULL;
	}
	is_socket = getsockopt(own, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	if (is_socket && type == SOCK_STREAM) {
		snprintf(w->error, sizeof(w->error),
			 "descriptor %d is a stream; frames need a datagram or seqpacket socket",
			 fd);
		close(own);
		return NULL;
	}
	if (!is_socket)
		fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
	vnet = has_vnet_header(own, is_socket);
	offload = vnet && !w->no_offload;
	if (vnet && !is_socket)
		offload = ioctl(own, TUNSETOFFLOAD,
				offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0) == 0 &&
			  offload;
	if (offload)
		iface.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	snprintf(iface.name, sizeof(iface.name), "fd%d", fd);
	iface.mtu = w->mtu ? w->mtu : 1500;
	if (ethernet)
		draw_mac(iface.mac, w, iface.name);
	d = frames_new(own, &iface, vnet, is_socket);
	if (!d) {
		snprintf(w->error, sizeof(w->error), "out of memory");
		close(own);
	}
	return d;
}
