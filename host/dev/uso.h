/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uso.h - datagrams alike as one super-frame, which the kernel cuts again (UDP segmentation
 * offload): one system call, and one way through the kernel's input, for all of them. Virtio 1.2,
 * 5.1.6.2 (VIRTIO_NET_HDR_GSO_UDP_L4); Linux takes it since 6.2.
 */
#ifndef TERN_HOST_USO_H
#define TERN_HOST_USO_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "../../include/tern.h"

enum {
	USO_DATAGRAMS_MAX = 64, /* in one: as many as every kernel cuts (UDP_MAX_SEGMENTS) */
	USO_HEADERS_MAX = 14 + 40 + 8
};

struct uso {
	struct virtio_net_hdr h;
	uint8_t headers[USO_HEADERS_MAX];
	struct iovec iov[2 + USO_DATAGRAMS_MAX]; /* h, headers, each payload where it lies */
	int n_iov;
};

/*
 * How many packets of the list, linked by next, from its first on can go as one super-frame, which
 * is then in *u and valid as long as they and *u stay where they are; 0: the first goes alone.
 */
unsigned uso_build(struct uso *u, const struct tern_pkt *list, bool ethernet);

#endif
