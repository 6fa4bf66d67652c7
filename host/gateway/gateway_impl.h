/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_impl.h - what the files of the gateway share: sources, flows, and their gateway.
 *
 * A source is a descriptor of the host's in the epoll set, edge-triggered: each edge is remembered
 * by its flow until a call says EAGAIN, so that no readiness is asked for twice. A flow is whatever
 * lives between the inside and a source. It is moved by its turn on the busy list, and ends by its
 * own decision, by age, or with the gateway; its record lives until the turn is over, so that news
 * of it that are still under way find it dead, not gone.
 */
#ifndef TERN_HOST_GATEWAY_IMPL_H
#define TERN_HOST_GATEWAY_IMPL_H

#include <sys/socket.h>
#include <sys/types.h>

#include "../../core/base/list.h"
#include "../../core/base/mem.h"
#include "../../core/base/rand.h"
#include "../../core/base/table.h"
#include "gateway.h"

enum { V4, V6, N_FAMILIES };

/* ---- sources: source.c ---- */

struct source {
	int fd; /* -1: none */
	void (*on_ready)(struct gateway *, struct source *, uint32_t events);
};

/* Takes the descriptor; false: it stays the caller's. */
bool source_add(struct gateway *, struct source *, int fd);
/* Closes it, a stream by RST when reset. A source without a descriptor is allowed. */
void source_end(struct gateway *, struct source *, bool reset);
/* The oldest events of the set; false: more may wait. */
bool source_poll(struct gateway *);

/* ---- flows: flow.c ---- */

enum flow_kind { FLOW_TCP, FLOW_UDP, FLOW_ECHO, N_FLOW_KINDS };

/* Flows that share a duration stand in a row, the oldest first. */
enum flow_age {
	AGE_DIAL,  /* a SYN that waits for the outside */
	AGE_SHAKE, /* accepted; the handshake has not ended */
	AGE_FRESH, /* datagrams that nobody has answered yet, or that ask for names */
	AGE_IDLE,  /* a conversation of datagrams */
	AGE_ECHO,  /* echo requests */
	N_AGES,
	AGE_NONE = N_AGES,
};

struct flow;
struct flow_ops {
	enum flow_kind kind;
	void (*move)(struct gateway *, struct flow *);
	void (*on_old)(struct gateway *, struct flow *);
	void (*close)(struct gateway *, struct flow *); /* gives back all but the record */
};

/* No padding: it is hashed and compared as bytes. */
struct flow_key {
	uint8_t inner[16], outer[16];
	uint16_t inner_port, outer_port;
	uint16_t kind, family;
	uint32_t forward; /* of flows that come by one: its number */
};

struct flow {
	const struct flow_ops *ops;
	struct list all_link, busy_link, age_link;
	struct table_node node;
	struct flow_key key;
	bool in_table, dead;
	uint8_t age; /* enum flow_age */
	tern_time old_at;
	struct tern_addr inner, outer; /* as the inside sees them */
};

/* A zeroed record of size bytes, which begins with its flow; NULL: no memory, or flows_max. */
void *flow_new(struct gateway *, const struct flow_ops *, size_t size);
void flow_end(struct gateway *, struct flow *);
/* It may be able to move: has a turn. */
void flow_wake(struct gateway *, struct flow *);
void flow_set_age(struct gateway *, struct flow *, enum flow_age);

struct flow_key flow_key(enum flow_kind, const struct tern_addr *inner,
			 const struct tern_addr *outer);
void flow_put(struct gateway *, struct flow *, const struct flow_key *);
void flow_remove(struct gateway *, struct flow *);
struct flow *flow_find(const struct gateway *, const struct flow_key *);

/* ---- upstreams ---- */

struct socks5;

/* upstream_tcp.c: a stream of the host's on its way to a destination. */
struct dial {
	struct source src;
	struct socks5 *proxy; /* while the server is being talked to */
};
enum dial_state { DIAL_GOING, DIAL_OPEN, DIAL_REFUSED, DIAL_DEAD };
/* src.on_ready is set before. */
enum dial_state dial_start(struct gateway *, struct dial *, const struct tern_addr *to);
enum dial_state dial_go_on(struct gateway *, struct dial *);
void dial_end(struct gateway *, struct dial *, bool reset);

/* upstream_udp.c: where datagrams go and come from. */
struct relay {
	struct source src, control;
	struct association *via; /* with a SOCKS5 server; NULL: none */
};
/* src.on_ready is set before. 0 or a negative errno. */
int relay_open(struct gateway *, struct relay *, const struct tern_addr *to);
/* 0 or a negative errno; what finds no room is lost. */
int relay_send(struct gateway *, struct relay *, const struct tern_addr *to, size_t len);
/*
 * A datagram, in scratch from *off on: its length, or a negative errno. *from is changed where the
 * upstream says where it is from.
 */
ssize_t relay_recv(struct gateway *, struct relay *, size_t *off, struct tern_addr *from);
bool relay_is_dead(const struct relay *);
void relay_end(struct gateway *, struct relay *);

/* ---- addresses: outside.c ---- */

/* Where on the host a flow to this address goes; false: nowhere. */
bool outside_of(const struct gateway *, const struct tern_addr *to, struct tern_addr *out);
bool is_own_address(const struct gateway *, const struct tern_addr *);
socklen_t sockaddr_from(const struct tern_addr *, struct sockaddr_storage *);
struct tern_addr sockaddr_to(const struct sockaddr_storage *);
/* Did the host say so for want of descriptors or memory? Then it is counted. */
bool note_starved(struct gateway *, int err);
/* A socket that blocks nobody and is closed on exec, or a negative errno. */
int host_socket(int family, int type, int protocol);

/* ---- the kinds of flows ---- */

void tcp_flows_take(struct gateway *, unsigned family);
bool tcp_flow_is_sending(const struct gateway *, const struct flow *);
enum { DNS_PORT = 53 };
/* names.c: the datagram in scratch is a question that is answered here. */
bool names_answer(struct gateway *, const struct tern_msg *, size_t len);
void udp_flows_take(struct gateway *, unsigned family);
void echo_flows_take(struct gateway *, unsigned family);

struct forward;
void forwards_retry(struct gateway *);
void forwards_fini(struct gateway *);

/* raw_out.c: messages from addresses that are not the stack's own. */
void raw_port_unreachable(struct gateway *, const struct tern_addr *inner,
			  const struct tern_addr *outer, size_t len);
/*
 * An ICMP message of len bytes in scratch from off (SCRATCH_OFF at least) on, its checksum still to
 * be made.
 */
void raw_icmp(struct gateway *, const struct tern_addr *from, const struct tern_addr *to,
	      size_t off, size_t len);

/* ---- the gateway ---- */

enum { SCRATCH_OFF = 64, SCRATCH_CAP = 65536 + 2 * SCRATCH_OFF + 262 };

struct gateway {
	struct gateway_wish wish;
	struct tern_stack *st;
	int epoll;
	tern_time now;
	struct mem mem; /* of the table */
	struct table flows;
	struct sip_key key;
	struct list all, busy, dead, ages[N_AGES];
	tern_time duration[N_AGES];
	uint32_t n[N_FLOW_KINDS];
	struct list forwards;
	uint32_t n_forwards;
	tern_time forwards_at; /* those that found no descriptor are tried again; TERN_NEVER */
	tern_sock tcp[N_FAMILIES], udp[N_FAMILIES], icmp[N_FAMILIES], raw[N_FAMILIES];
	bool more;			   /* there is work that waits for nothing */
	struct tern_gateway_counts counts; /* but for live */
	uint8_t scratch[SCRATCH_CAP];	   /* one datagram, with room before it */
};

#endif
