/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet.h - struct virtio_net_hdr, which TAP, TUN and AF_PACKET put before a frame: what is left to
 * do with its checksum, and how a super-frame is to be cut. Virtio 1.2, 5.1.6.
 */
#ifndef TERN_HOST_VNET_H
#define TERN_HOST_VNET_H

#include <linux/virtio_net.h>

#include "../../include/tern.h"

/* What goes before the packet. */
void vnet_emit(const struct tern_pkt *, struct virtio_net_hdr *);

/*
 * What came before a frame of p->len bytes, into p's fields. Every field is checked against the
 * frame: false: it makes no sense, the frame is to be dropped.
 */
bool vnet_parse(const struct virtio_net_hdr *, bool ethernet, struct tern_pkt *p);

#endif
