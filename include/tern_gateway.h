/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_gateway.h - the far end of a link as sockets of this process: for VPNs, proxies, sandboxes.
 *
 * Packets come by a TUN or TAP device, or by any descriptor that carries them; each flow of TCP and
 * UDP in them, and each echo request, ends here and goes on as a socket of the host's, or through a
 * SOCKS5 server. It needs no privilege but the device's. A SYN is first tried outside and then
 * accepted, refused or left unanswered, as the answer was; bytes go both ways with back-pressure,
 * half-close and reset kept.
 *
 *	while ((err = tern_gateway_turn(g)) == 0) {
 *		struct pollfd p = { tern_gateway_fd(g), POLLIN, 0 };
 *
 *		poll(&p, 1, -1);
 *	}
 *
 * It is in libtern_posix.a, which has all of tern and is linked alone (-ltern_posix -lpthread, what
 * pkg-config says of tern_posix, CMake's tern::tern_posix); Linux. Calls on one gateway come from
 * one thread at a time, none from its callbacks, and none, not even tern_gateway_free, from a child
 * of fork, which has a copy of its descriptors. Errors are negative numbers of the host's errno. As
 * many descriptors as the process may have are asked for: each flow needs one or two.
 */
#ifndef TERN_GATEWAY_H
#define TERN_GATEWAY_H

#include "tern.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TERN_GATEWAY_ERROR_MAX = 200 };

struct tern_gateway;

struct tern_gateway_config {
	size_t size; /* sizeof(struct tern_gateway_config), set by tern_gateway_config_default */
	/*
	 * The link: a TUN device of the host (with ethernet: a TAP) by its name, attached to or
	 * made; or, if that is NULL, a descriptor each of whose messages is one packet (with
	 * ethernet: a frame): a device that is open (IFF_NO_PI), or a datagram or seqpacket socket
	 * of AF_UNIX (of the latter alone the close of its other end is noticed at once). It is the
	 * gateway's once tern_gateway_new has returned one, and is closed with it.
	 */
	const char *device;
	int fd;
	bool ethernet;
	uint32_t mtu; /* 0: the device's, and 1500 of a descriptor's */
	/*
	 * Its own addresses on the link; AF_UNSPEC: none. What goes to them goes to the host's
	 * loopback (no_loopback: is refused); to any other address, as it is.
	 */
	struct tern_addr addr, addr6;
	bool no_loopback;
	/*
	 * A SOCKS5 server (RFC 1928) that all flows go through but those to the gateway's own
	 * addresses; echo requests, which it does not know, go nowhere. AF_UNSPEC: none.
	 */
	struct tern_addr socks;
	const char *socks_user, *socks_password; /* RFC 1929; NULL: without */
	/*
	 * Names that the gateway itself knows, whichever server the inside asks (DNS over UDP):
	 * true when it is one, with its address in that family or AF_UNSPEC; family 0: something
	 * else is asked. NULL: none.
	 */
	bool (*name)(void *ctx, const char *name, int family, struct tern_addr *);
	void (*trace)(void *ctx, const struct tern_trace *); /* of its stack; NULL: none */
	void *ctx;
	/* 0: as tern_gateway_config_default has them */
	uint32_t flows_max;	     /* of each kind */
	uint32_t udp_idle_ms;	     /* a flow of datagrams ends after */
	uint32_t connect_timeout_ms; /* a SYN is left unanswered after */
};

/* No link, no addresses, no server; 16384 flows, 120 s, 130 s. */
TERN_API void tern_gateway_config_default(struct tern_gateway_config *);

/* The configuration is copied. NULL: error is one line that says why; fd is still open. */
TERN_API struct tern_gateway *tern_gateway_new(const struct tern_gateway_config *,
					       char error[TERN_GATEWAY_ERROR_MAX]);
/* Ends all flows: each socket of the host's is closed. NULL is allowed. */
TERN_API void tern_gateway_free(struct tern_gateway *);

/* Readable when there is something to do: for poll, select, epoll. */
TERN_API int tern_gateway_fd(const struct tern_gateway *);
/* Does a bounded share of it, and never waits. 0, or -ENODEV: the device has gone. */
TERN_API int tern_gateway_turn(struct tern_gateway *);

/* Its stack, to look at: counters, and interface 2 is the link. Events and sockets are its own. */
TERN_API struct tern_stack *tern_gateway_stack(const struct tern_gateway *);

/*
 * A port of the host's that leads to one inside: whoever connects to `at`, or sends to it, reaches
 * `to`, as long as the gateway lives. 0, or a negative errno (-EADDRINUSE, -EACCES, ...;
 * -EAFNOSUPPORT: an address without a family; -EINVAL: no port inside).
 */
TERN_API int tern_gateway_forward(struct tern_gateway *, bool udp, const struct tern_addr *at,
				  const struct tern_addr *to);

struct tern_gateway_counts {
	uint64_t tcp, udp, echo;     /* flows that came */
	uint64_t refused, timed_out; /* of tcp: answered by RST; never answered */
	uint64_t starved;   /* no descriptor, no memory, or more than flows_max: left alone */
	uint64_t forwarded; /* from the host inwards */
	uint64_t bytes_out, bytes_in;
	uint64_t live; /* flows now */
};
TERN_API void tern_gateway_count(const struct tern_gateway *, struct tern_gateway_counts *);

#ifdef __cplusplus
}
#endif
#endif
