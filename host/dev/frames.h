/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.h - a descriptor whose read and write calls carry one frame each: what TAP, TUN and
 * message sockets have in common.
 */
#ifndef TERN_HOST_FRAMES_H
#define TERN_HOST_FRAMES_H

#include "dev.h"

struct frames {
	struct dev dev;
	bool ethernet, vnet;
	bool socket; /* recvmsg and sendmsg; else readv and writev */
	bool uso;    /* the kernel cuts super-frames of datagrams, as far as is known */
	bool down;   /* the host's interface is, or has gone */
	bool more;   /* the last read ended before there was nothing left */
};

/* A frames device over fd, which it owns; NULL: no memory (fd stays the caller's). */
struct dev *frames_new(int fd, const struct tern_iface *, bool vnet, bool socket);
/* A link address of our own: locally administered, drawn from the wish's seed and the name. */
void draw_mac(uint8_t mac[6], const struct dev_wish *, const char *name);

#endif
