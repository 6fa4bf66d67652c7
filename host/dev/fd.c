/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd.c - a descriptor that somebody else opened and that carries a frame with each message.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

struct dev *fd_open(int fd, bool ethernet, struct dev_wish *w)
{
	struct tern_iface iface = { .link = ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP };
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), type = 0;
	socklen_t len = sizeof(type);
	bool is_socket;
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
	snprintf(iface.name, sizeof(iface.name), "fd%d", fd);
	iface.mtu = w->mtu ? w->mtu : 1500;
	if (ethernet)
		draw_mac(iface.mac, w, iface.name);
	d = frames_new(own, &iface, false, is_socket);
	if (!d) {
		snprintf(w->error, sizeof(w->error), "out of memory");
		close(own);
	}
	return d;
}
