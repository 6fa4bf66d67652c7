/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev.h - devices: where the frames of a stack go to and come from.
 *
 * A device is a small struct with four verbs. It says what the stack must know of it (iface: link,
 * MTU, address, what it completes and cuts), and which descriptor to wait for. Frames travel as
 * packets of the stack that is handed along, so that none is copied on its way through.
 *
 * Errors are negative TERN_Exxx. A device that has gone says so once by -TERN_ENODEV from read or
 * write; whoever owns it closes it. Wrappers (host/loop) are devices over devices.
 */
#ifndef TERN_HOST_DEV_H
#define TERN_HOST_DEV_H

#include "../../include/tern.h"

struct dev;

struct dev_ops {
	/*
	 * At most max frames that have come, as packets of st linked by next in *list, which the
	 * caller owns. How many (0: none now), or -TERN_ENODEV. A frame that makes no sense, is too
	 * long or finds no memory is taken, counted (refused) and forgotten, as by a network card.
	 */
	int (*read)(struct dev *, struct tern_stack *st, unsigned max, struct tern_pkt **list);
	/*
	 * Sends the first of the packets linked by next, and as many behind it as go by the same
	 * call; they stay the caller's. How many went, -TERN_EAGAIN (no room: again when writable),
	 * or -TERN_ENODEV. What the device refuses otherwise is lost, as on a wire, and went.
	 */
	int (*write)(struct dev *, struct tern_stack *st, const struct tern_pkt *list);
	/* Time passes; the next instant at which it must be called again. NULL: never. */
	tern_time (*advance)(struct dev *, struct tern_stack *st, tern_time now);
	/*
	 * As if it had been opened with no_offload: iface.flags are what is left, of which the
	 * stack is told by the caller. Super-frames that are under way still go. NULL: it is so.
	 */
	void (*plain)(struct dev *);
	/* Has it frames to read that no descriptor tells of? NULL: never. */
	bool (*pending)(const struct dev *);
	void (*close)(struct dev *);
};

struct dev {
	const struct dev_ops *ops;
	struct tern_iface iface;
	struct dev *inner;     /* of a wrapper; else NULL */
	struct tern_stack *st; /* the one it serves, and its number there: see dev_serve */
	unsigned ifindex;
	int fd;		  /* readable when frames wait; -1: none */
	uint64_t refused; /* frames that came and never became packets: see read */
};

/* Flags of a packet that hold for a copy of it, too, whosever it is. */
enum {
	DEV_FLAGS_KEPT = TERN_PKT_CSUM_PARTIAL | TERN_PKT_CSUM_GOOD | TERN_PKT_TSO4 | TERN_PKT_TSO6
};

enum { DEV_ERROR_MAX = 200 };

/* What all that open a device ask for, and how they say no. */
struct dev_wish {
	uint32_t mtu;		   /* 0: the device's own */
	bool no_offload;	   /* plain frames only, checksums complete */
	const uint8_t *seed;	   /* 32 secret bytes, from which a new link address is drawn */
	char error[DEV_ERROR_MAX]; /* one line that says what to do, when NULL is returned */
};

/*
 * A TAP (Ethernet) or TUN (IP) device of the host by name, attached to or made. The host's own side
 * of it is not configured: see host_addr_add.
 */
struct dev *tap_open(const char *name, bool ethernet, struct dev_wish *);
/* A network interface of the host (AF_PACKET): tern shares it with the host. */
struct dev *packet_open(const char *name, struct dev_wish *);
/* A descriptor each of whose messages is one frame (a datagram or seqpacket socket, or a TAP). */
struct dev *fd_open(int fd, bool ethernet, struct dev_wish *);

/*
 * Two ends of a wire in this process: what is written to one is read from the other. Both serve a
 * stack before the first frame.
 */
bool pipe_open(struct dev *end[2], struct dev_wish *);

/*
 * Gives the host's side of a TAP or TUN device an address, and brings it up. 0, or -1 and a line in
 * error (DEV_ERROR_MAX bytes).
 */
int host_addr_add(const char *name, const struct tern_addr *, unsigned prefix_len, char *error);
/* All that is not on its network goes by this router. */
int host_route_add(const char *name, const struct tern_addr *router, char *error);
/* Brings it up. */
int host_link_up(const char *name, char *error);

/* By whoever has added it to a stack, before its first frame. */
static inline void dev_serve(struct dev *d, struct tern_stack *stack, unsigned ifindex)
{
	for (; d; d = d->inner) {
		d->st = stack;
		d->ifindex = ifindex;
	}
}

static inline void dev_close(struct dev *d)
{
	if (d)
		d->ops->close(d);
}

#endif
