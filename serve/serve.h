/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - the far side of configuration: small servers of DHCP for both families, and what a
 * router advertises, on tern's own sockets, for simulations, gateways and tests.
 *
 * A server is of one interface of one stack, has one socket there, and is moved as a stack is: time
 * in (advance, deadline), news in (on_event). It never blocks, and what a client can make it
 * remember is a pool of fixed size. It knows one network: no relays.
 */
#ifndef TERN_SERVE_H
#define TERN_SERVE_H

#include "../core/wire/dhcp.h"
#include "../core/wire/wire.h"
#include "../include/tern.h"

enum { SERVE_POOL_MAX = 4096, SERVE_KEY_MAX = 132 };

/* ---- pool.c: which place belongs to whom, and until when? ---- */

enum place_state { PLACE_FREE, PLACE_OFFERED, PLACE_LEASED, PLACE_DECLINED };

struct place {
	uint8_t state; /* enum place_state */
	uint8_t key_len;
	uint8_t key[SERVE_KEY_MAX]; /* the client's name for itself */
	tern_time until;
};
struct pool {
	unsigned n;
	struct place *place;
};
bool pool_init(struct pool *, unsigned n); /* false: no memory, or too many */
void pool_fini(struct pool *);
/* The place that is offered or leased to the client; -1: none. */
int pool_find(const struct pool *, const struct dhcp6_duid *key);
/* A place for the client: its own, else `wanted` if that is free, else a free one; -1: none. */
int pool_choose(const struct pool *, const struct dhcp6_duid *key, int wanted);
void pool_put(struct pool *, int at, enum place_state, const struct dhcp6_duid *key,
	      tern_time until);
/* Frees what has had its time. */
void pool_expire(struct pool *, tern_time now);
tern_time pool_deadline(const struct pool *);

/* ---- dhcp4_server.c ---- */

struct dhcp4_server_config {
	unsigned ifindex;
	struct tern_addr self; /* our address there; it names the server */
	unsigned prefix_len;
	struct tern_addr first, last; /* of the pool, both in it */
	struct dhcp4 says; /* options of each OFFER and ACK: lease, T1, T2, routers, dns, ... */
};

struct dhcp4_server;
/* NULL: no memory, a pool that cannot be, or the port is taken. */
struct dhcp4_server *dhcp4_server_new(struct tern_stack *, const struct dhcp4_server_config *);
void dhcp4_server_free(struct dhcp4_server *); /* NULL is allowed */
/* Reads and answers what has come; false: the event is of another socket. */
bool dhcp4_server_on_event(struct dhcp4_server *, const struct tern_event *);
void dhcp4_server_advance(struct dhcp4_server *); /* to the stack's time */
tern_time dhcp4_server_deadline(const struct dhcp4_server *);
const struct pool *dhcp4_server_pool(const struct dhcp4_server *);

/* ---- dhcp6_server.c: also hears the servers' group, ff02::1:2 ---- */

struct dhcp6_server_config {
	unsigned ifindex;
	/* what clients get: this one and those after it; n_addrs 0: none (stateless) */
	struct tern_addr first;
	unsigned n_addrs;
	uint32_t preferred, valid; /* seconds */
	bool rapid_commit;	   /* a Solicit that allows it is answered by a Reply */
	struct dhcp6 says;	   /* options of each answer; of its `ia` T1 and T2 */
};

struct dhcp6_server;
struct dhcp6_server *dhcp6_server_new(struct tern_stack *, const struct dhcp6_server_config *);
void dhcp6_server_free(struct dhcp6_server *);
bool dhcp6_server_on_event(struct dhcp6_server *, const struct tern_event *);
void dhcp6_server_advance(struct dhcp6_server *);
tern_time dhcp6_server_deadline(const struct dhcp6_server *);
const struct pool *dhcp6_server_pool(const struct dhcp6_server *);

/* ---- router.c: advertisements (RFC 4861 6.2), to hosts that configure themselves ---- */

enum { ROUTER_LIST_MAX = 8 };

struct router_config {
	unsigned ifindex;	 /* an Ethernet that has a link-local address */
	uint32_t max_interval_s; /* the longest between two: 4 to 1800; 0: 600 */
	uint64_t seed;		 /* of its delays */
	struct ra says;
	uint32_t mtu; /* 0: not said */
	unsigned n_prefixes, n_routes, n_servers, n_domains;
	struct nd_prefix prefixes[ROUTER_LIST_MAX];
	struct nd_route routes[ROUTER_LIST_MAX]; /* RFC 4191 */
	struct tern_addr
		servers[ROUTER_LIST_MAX];     /* RFC 8106; these and the next last three times */
	const char *domains[ROUTER_LIST_MAX]; /* the longest interval; borrowed */
};

struct router;
/* NULL: no memory, no such interface, or what cannot be said in one message. */
struct router *router_new(struct tern_stack *, const struct router_config *);
/* Says that it is no router any more, if it ever said that it is. NULL is allowed. */
void router_free(struct router *);
bool router_on_event(struct router *, const struct tern_event *);
void router_advance(struct router *);
tern_time router_deadline(const struct router *);

#endif
