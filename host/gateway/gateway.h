/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway.h - tern as the far side of a link: every flow that comes in by it ends here and goes on
 * as a socket of the host's, or through a SOCKS5 server. It needs no privilege.
 *
 * A SYN is first tried outside and only then accepted, refused or left unanswered, as the answer
 * was. Bytes go both ways with back-pressure, half-close and reset kept. Datagrams make flows that
 * end by time-out; echo requests go out as the host's own, where it lets us.
 *
 * A gateway is a stack of its own in a loop, and an epoll set of its own:
 *
 *	loop_pump(&l);
 *	gateway_turn(g);
 *	struct pollfd own = { gateway_fd(g), POLLIN, 0 };
 *	loop_wait(&l, gateway_deadline(g), &own, 1);
 */
#ifndef TERN_HOST_GATEWAY_H
#define TERN_HOST_GATEWAY_H

#include <string.h>

#include "../../include/tern_gateway.h"
#include "../dev/dev.h"
#include "../loop/loop.h"

enum { GATEWAY_ERROR_MAX = 200, GATEWAY_NAME_MAX = 256 };

/* Whatever their ports and scopes. */
static inline bool gateway_same_host(const struct tern_addr *a, const struct tern_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

struct gateway;

struct gateway_wish {
	/*
	 * Its own addresses on the link, AF_UNSPEC: none. What goes to them goes to the host's
	 * loopback; to any other address, as it is.
	 */
	struct tern_addr addr, addr6;
	bool no_loopback; /* its own addresses lead nowhere: refused */
	/*
	 * A SOCKS5 server (RFC 1928) that all flows go through but those to the gateway's own
	 * addresses; echo requests, which it does not know, go nowhere. AF_UNSPEC: none.
	 */
	struct tern_addr socks;
	const char *socks_user, *socks_password; /* RFC 1929; NULL: without */
	/*
	 * Names that the gateway itself knows, whichever server the inside asks (DNS over UDP):
	 * true when it is one, with its address in that family or AF_UNSPEC. NULL: none.
	 */
	bool (*name)(void *ctx, const char *name, int family, struct tern_addr *);
	/*
	 * The other way: true when the address is one that it knows, with its name or "". With this
	 * its own addresses are known, too, and have none. NULL: no such question is looked at.
	 */
	bool (*named)(void *ctx, const struct tern_addr *, char name[GATEWAY_NAME_MAX]);
	void *name_ctx;
	void (*trace)(void *ctx, const struct tern_trace *); /* of its stack; NULL: none */
	void *trace_ctx;
	uint32_t flows_max;	       /* of each kind; 0: 16384 */
	tern_time udp_idle;	       /* a flow of datagrams ends after; 0: 120 s */
	tern_time connect_timeout;     /* a SYN is left unanswered after; 0: 130 s */
	char error[GATEWAY_ERROR_MAX]; /* one line that says what to do, when NULL */
};

/*
 * Makes a stack in the loop whose only interface is the device, which is then the loop's.
 * NULL: see wish->error, and the device stays the caller's.
 */
struct gateway *gateway_new(struct loop *, struct dev *, struct gateway_wish *);
/* Ends all flows: each host socket is closed. The stack stays the loop's. NULL is allowed. */
void gateway_free(struct gateway *);

/* Its stack, to look at: events and sockets are the gateway's. */
struct tern_stack *gateway_stack(const struct gateway *);
/* A descriptor that is readable while gateway_turn has something to do for the host's sockets. */
int gateway_fd(const struct gateway *);
/* Takes what its stack and the host's sockets have to say, and moves bytes. */
void gateway_turn(struct gateway *);
/* The instant at which gateway_turn must be called at the latest; TERN_NEVER. */
tern_time gateway_deadline(const struct gateway *);
/* Flows that live now, and connections that ended on one side but not yet on the other. */
uint32_t gateway_flows(const struct gateway *);
/* Is something that the inside has said on a stream not yet with the host? */
bool gateway_is_sending(const struct gateway *);

/* A port of the host's that leads to one inside: whoever connects there reaches `to`. */
struct gateway_forward {
	bool udp;
	struct tern_addr at; /* of the host */
	struct tern_addr to; /* inside */
};
/* 0, or a negative errno of the host's (-EADDRINUSE, -EACCES, ...). */
int gateway_forward(struct gateway *, const struct gateway_forward *);

/* Is this IP packet a question for a name that it knows itself (wish.name), or the answer? */
bool gateway_names(const struct gateway *, const uint8_t *packet, size_t len);

struct tern_gateway_counts gateway_counts(const struct gateway *);

#endif
