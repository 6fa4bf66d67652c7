/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_layer.h - where the IP packet begins in a captured frame, and on which interface it was.
 */
#ifndef TERN_VIEW_LINK_LAYER_H
#define TERN_VIEW_LINK_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_verdict {
	LINK_IP,
	LINK_OTHER,   /* ARP and whatever else is no IP */
	LINK_CUT,     /* shorter than its own header */
	LINK_UNKNOWN, /* a link type that is not read */
};

/* LINK_IP: *offset is where an IPv4 or IPv6 header begins; at least one byte of it is there. */
enum link_verdict link_find_ip(uint32_t link_type, const uint8_t *, size_t kept, size_t *offset);
/* The number of the interface where a frame tells it, else 0. */
uint32_t link_find_iface(uint32_t link_type, const uint8_t *, size_t kept);

#endif
