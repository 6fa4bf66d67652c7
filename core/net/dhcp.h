/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp.h - the clients of DHCP for both families, and IPv4 link-local addresses: machines that say
 * what to send and what has become of a lease.
 *
 * A client is of one interface. It is told of time, of messages, of the link and of conflicts, and
 * answers with acts, which the caller performs in this order: it sends the message that *_output
 * builds, gives back what the last lease brought, and takes what the new one brings. Nothing here
 * sends a packet or touches an address, but link_local4, which has no packets of its own.
 */
#ifndef TERN_NET_DHCP_H
#define TERN_NET_DHCP_H

#include "../wire/dhcp.h"
#include "net.h"

enum dhcp_act {
	DHCP_NOTHING = 0,
	DHCP_SEND = 1 << 0, /* *_output says what, and where to */
	DHCP_DROP = 1 << 1, /* what was leased is not ours any more */
	DHCP_TAKE = 1 << 2, /* the lease, with what the message says beside it */
};

/* ---- dhcp_identity.c: who are we? RFC 4361, RFC 8415 11 ---- */

/* One for the stack, of the interface that asked first. */
struct dhcp6_duid dhcp_duid(struct net *, const uint8_t mac[6]);
/* Of the interface. */
uint32_t dhcp_iaid(const uint8_t mac[6]);
/* Seconds until a client begins anew that has failed so often in a row. */
tern_time dhcp_pause(struct net *, unsigned n_failures);

/* ---- dhcp4.c: RFC 2131 4.4 ---- */

enum dhcp4_state {
	DHCP4_INIT, /* waits before it asks at all; with the link down: without end */
	DHCP4_SELECTING,
	DHCP4_REQUESTING,
	DHCP4_BOUND,
	DHCP4_RENEWING,
	DHCP4_REBINDING,
	DHCP4_INIT_REBOOT, /* has a lease, and no link */
	DHCP4_REBOOTING,
	DHCP4_INFORMING, /* these two of a client that informs; between them it is in INIT */
	DHCP4_INFORMED,
	DHCP4_N_STATES
};

/* An address that a host may have: not 0/8, 127/8, a group, or above. */
static inline bool dhcp4_is_for_a_host(uint32_t ip)
{
	return ip >> 24 != 0 && ip >> 24 != 127 && ip >> 24 < 224;
}

struct dhcp4_lease {
	uint32_t ip, mask, server; /* ip 0: none, or the address is the user's */
	tern_time t1_at, t2_at, expires_at;
	struct dhcp4_addrs routers;
	struct dhcp4_routes routes;
};

struct dhcp4_client {
	struct timer timer;
	unsigned ifindex;
	uint8_t state;	    /* enum dhcp4_state */
	uint8_t sends;	    /* enum dhcp4_type of what is to be sent */
	uint8_t n_sent;	    /* in this state */
	uint8_t n_failures; /* in a row */
	bool link_is_down;
	bool routes_are_new; /* the stack clears it */
	bool informs;	     /* leases nothing: it asks for what goes with the user's address */
	uint32_t xid;
	uint16_t secs;
	tern_time began_at;
	uint32_t offered, offered_by;
	uint32_t last_ip; /* what we had: it is asked for again; 0: none */
	uint32_t own;	  /* of a client that informs: the user's address; 0: none */
	uint32_t delay_ms;
	struct dhcp4_lease lease;
	struct dhcp4_bytes client_id;
	uint8_t mac[6];
	uint16_t max_len;
	uint32_t mtu_before; /* the stack's: the link's, while a lease has changed it; else 0 */
};

struct dhcp_parts {
	unsigned ifindex;
	uint32_t timer_kind;
	uint32_t delay_ms; /* RFC 2131 4.4.1: before the first message, at most; a tenth at least */
	bool informs;	   /* of DHCPv4: RFC 2131 3.4 */
};
struct dhcp4_client *dhcp4_new(struct net *, const struct dhcp_parts *); /* NULL: no memory */
void dhcp4_free(struct net *, struct dhcp4_client *);			 /* NULL is allowed */
/* Each returns enum dhcp_act. */
unsigned dhcp4_on_timer(struct net *, struct dhcp4_client *);
/* A message that is not for us, or not now, changes nothing. */
unsigned dhcp4_input(struct net *, struct dhcp4_client *, const struct dhcp4 *);
unsigned dhcp4_on_link(struct net *, struct dhcp4_client *, bool is_up);
/* To one that informs: the address that the user has given the interface; 0: none. */
unsigned dhcp4_on_own_address(struct net *, struct dhcp4_client *, uint32_t ip);
/* Another host has the address that was leased. */
unsigned dhcp4_on_conflict(struct net *, struct dhcp4_client *);
/* The lease cannot be used here: it is dropped, and asked for anew later. */
void dhcp4_forget(struct net *, struct dhcp4_client *);
/* The last: the lease is released. */
unsigned dhcp4_end(struct net *, struct dhcp4_client *);
/* Builds what DHCP_SEND speaks of. */
struct dhcp4_path {
	uint32_t src, dst;
};
void dhcp4_output(const struct dhcp4_client *, struct dhcp4 *, struct dhcp4_path *);
/* May an answer come to an address that is not ours yet? RFC 2131 4.1 */
bool dhcp4_awaits(const struct dhcp4_client *, uint32_t dst);

/* ---- dhcp6.c: RFC 8415 18.2 ---- */

enum dhcp6_state {
	DHCP6_OFF, /* no router has asked for it */
	DHCP6_SOLICITING,
	DHCP6_REQUESTING,
	DHCP6_BOUND,
	DHCP6_RENEWING,
	DHCP6_REBINDING,
	DHCP6_CONFIRMING,
	DHCP6_DECLINING,
	DHCP6_INFORMING,
	DHCP6_INFORMED,
	DHCP6_N_STATES
};

struct dhcp6_leased {
	struct addr addr;
	tern_time preferred_until, valid_until;
};
struct dhcp6_lease {
	uint8_t n; /* 0: none */
	struct dhcp6_leased addr[DHCP6_ADDRS_MAX];
	struct dhcp6_duid server;
	tern_time t1_at, t2_at, valid_until; /* of the last of them */
};

struct dhcp6_client {
	struct timer timer;
	unsigned ifindex;
	uint8_t state; /* enum dhcp6_state */
	uint8_t n_sent, n_failures;
	bool link_is_down;
	bool releases; /* instead of what its state says */
	uint8_t best_preference;
	uint32_t xid, iaid;
	tern_time began_at, ends_at; /* of the exchange */
	tern_time rt;		     /* section 15 */
	tern_time sol_max_rt, inf_max_rt;
	struct dhcp6_duid duid;
	struct dhcp6_duid server; /* whose advertisement is the best; len 0: none yet */
	struct dhcp6_ia offer;	  /* what it said; also what is declined */
	struct dhcp6_lease lease;
};

struct dhcp6_client *dhcp6_new(struct net *, const struct dhcp_parts *);
void dhcp6_free(struct net *, struct dhcp6_client *);
/* What a router advertisement says (RFC 4861 4.2); what it no longer says ends nothing. */
unsigned dhcp6_on_flags(struct net *, struct dhcp6_client *, bool managed, bool other);
unsigned dhcp6_on_timer(struct net *, struct dhcp6_client *);
unsigned dhcp6_input(struct net *, struct dhcp6_client *, const struct dhcp6 *);
unsigned dhcp6_on_link(struct net *, struct dhcp6_client *, bool is_up);
unsigned dhcp6_on_conflict(struct net *, struct dhcp6_client *, const struct addr *);
void dhcp6_forget(struct net *, struct dhcp6_client *);
unsigned dhcp6_end(struct net *, struct dhcp6_client *);
/* Always to ff02::1:2, from a link-local address. */
void dhcp6_output(const struct net *, const struct dhcp6_client *, struct dhcp6 *);

/* ---- link_local.c: RFC 3927 ---- */

struct link_local4 {
	struct timer timer;
	unsigned ifindex;
	bool has_addr;	     /* addr is on the interface: tried, or ours */
	uint8_t n_conflicts; /* stays at its limit */
	uint32_t n_tried;
	tern_time wait; /* for another way to bring an address */
	struct addr addr;
};

/* delay_ms: how long other ways have time to bring an address. */
struct link_local4 *link_local4_new(struct net *, const struct dhcp_parts *);
/* Takes the address along; NULL is allowed. */
void link_local4_free(struct net *, struct link_local4 *);
/* Addresses of the interface came, went, or were found good: is one needed? */
void link_local4_review(struct net *, struct link_local4 *);
void link_local4_on_timer(struct net *, struct link_local4 *);
void link_local4_on_conflict(struct net *, struct link_local4 *);

#endif
