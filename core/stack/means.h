/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * means.h - the ways in which an interface configures itself: DHCP, router advertisements, ...
 *
 * Each is a line of all_means: how it begins and ends, and what it is told. Between them and the
 * stack is configure.c alone, which the stack knows by a pointer that tern_auto_set puts into it:
 * so a program that never asks for configuration is linked without all of this.
 */
#ifndef TERN_STACK_MEANS_H
#define TERN_STACK_MEANS_H

#include "stack.h"

#include "../net/dhcp.h"

/* What a means has no use for is NULL, but for those up to on_timer. */
struct means {
	unsigned bit;	     /* enum tern_auto */
	uint32_t timer_kind; /* enum timer_kind */
	bool (*is_on)(const struct iface *);
	/* 0 or a negative error; wanted: all means that will be on */
	int (*begin)(struct tern_stack *, struct iface *, unsigned wanted);
	void (*end)(struct tern_stack *, struct iface *);
	/* The interface goes: memory is given back, and nothing is said any more. */
	void (*free)(struct tern_stack *, struct iface *);
	void (*on_timer)(struct tern_stack *, struct timer *);
	/* All that is wanted is on, and nothing else. */
	void (*on_set)(struct tern_stack *, struct iface *);
	void (*on_link)(struct tern_stack *, struct iface *, bool is_up);
	/* Addresses of the interface came, went, or have become ours. */
	void (*review)(struct tern_stack *, struct iface *);
	/* This address has become ours, perhaps again. */
	void (*on_good)(struct tern_stack *, struct iface *, const struct addr *);
	/* Another host has it; it is still there, as a duplicate. */
	void (*on_lost)(struct tern_stack *, struct iface *, const struct addr *, enum tern_origin);
	/* Is it for a client that has no address yet? */
	bool (*awaits)(const struct inbound *);
	/* Takes what is for its port. */
	bool (*input)(struct tern_stack *, const struct inbound *, const struct dgram_in *);
};

/*
 * In the order of their beginning; they end in the other order. The two of DHCPv4, of which the one
 * ends the other, begin last, when nothing can fail any more. means.c, or core/lean.
 */
extern const struct means *const all_means[]; /* ends with NULL */

/* means4.c */
extern const struct means dhcp4_means, inform4_means, link_local4_means;
/* means6.c */
extern const struct means ra_means, dhcp6_means;

/* ---- dhcp.c: packets of both families ---- */

struct dhcp_way {
	struct addr src, dst;
	uint16_t src_port, dst_port;
};
struct tern_pkt *dhcp_new_message(struct tern_stack *, uint32_t room); /* NULL: no memory */
/* The message is behind the place of UDP's header, len bytes of it. Takes the packet. */
void dhcp_send(struct tern_stack *, struct iface *, struct tern_pkt *, size_t len,
	       const struct dhcp_way *);

/* ---- dhcp4.c, dhcp6.c ---- */

/* acts: those of net/dhcp.h; m: what they were drawn from, or NULL. */
void dhcp4_act(struct tern_stack *, struct iface *, unsigned acts, const struct dhcp4 *m);
bool dhcp4_is_awaited(const struct inbound *);
bool dhcp4_take(struct tern_stack *, const struct inbound *, const struct dgram_in *);
void dhcp6_act(struct tern_stack *, struct iface *, unsigned acts, const struct dhcp6 *m);
bool dhcp6_take(struct tern_stack *, const struct inbound *, const struct dgram_in *);

/* ---- lease.c: servers that a lease tells of ---- */

enum { DNS_PORT = 53 };
struct learned {
	unsigned ifindex;
	enum tern_origin origin;
	tern_time until;
};
void lease_put_server(struct tern_stack *, const struct learned *, uint32_t kind,
		      const struct tern_addr *);
void lease_put_domain(struct tern_stack *, const struct learned *, const char *name);
void lease_put_domains(struct tern_stack *, const struct learned *, const struct domains *);
/* Before them: what was told without an end, and after them: what is no longer told. */
void lease_begin_servers(struct tern_stack *, const struct learned *);
void lease_end_servers(struct tern_stack *, const struct learned *);

/* ---- lease4.c, lease6.c: false: it cannot be used, because memory is short ---- */

bool lease4_take(struct tern_stack *, struct iface *, const struct dhcp4 *m);
void lease4_route(struct tern_stack *, struct iface *); /* its address has become ours */
void lease4_drop(struct tern_stack *, struct iface *);
bool lease6_take(struct tern_stack *, struct iface *, const struct dhcp6 *m);
void lease6_drop(struct tern_stack *, struct iface *);

#endif
