/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.h - the whole stack as one value, and what its composing files say to each other.
 *
 * Only these files know both sockets and the internet layer. Input functions borrow the packet and
 * return why it was dropped; stack/input.c alone frees, counts and traces. Output functions take
 * their packet.
 */
#ifndef TERN_STACK_H
#define TERN_STACK_H

#include "../net/net.h"
#include "../sock/sock.h"
#include "../sock/sock_message.h"

/* Two addresses that were found good for one interface: another's unicast, and ours. */
struct good_pair {
	struct addr src, dst;
	bool is_ip4;
	uint8_t ip4[8];	  /* then both as in the header */
	uint32_t sum;	  /* of both: checksum_addresses */
	unsigned ifindex; /* 0: none yet */
	uint64_t version; /* of net's routes and addresses */
};

/* The burst that an interface is sending: of the socket on its list `cutting`. */
enum { REPEATED_MAX = 80 };
struct burst {
	struct tcp_out out;
	uint8_t mac[6];
	/* headers of IP and TCP that further pieces with as much text may have, but for numbers */
	struct {
		uint8_t bytes[REPEATED_MAX];
		uint16_t len; /* 0: none */
		uint16_t tcp_len;
		uint16_t pseudo; /* in the field of the checksum */
		uint32_t sum;	 /* of that, the ports and the options */
		uint32_t text;
	} repeated;
};

struct tern_stack {
	struct tern_env env;
	struct tern_config cfg;
	struct net_config net_cfg;
	struct mem mem;
	struct timers timers;
	struct rand rand;
	struct net net;
	struct sockets ss;
	uint64_t counters[N_COUNTS];
	uint64_t drops[TERN_N_DROPS];
	struct good_pair recent;	       /* addresses of the last packet that was for us */
	struct tern_pkt *reclaim;	       /* freed external packets whose cookies wait */
	const struct configuring *configuring; /* NULL: no interface configures itself */
};

/* A received packet on its way up. */
struct inbound {
	struct tern_pkt *p;
	struct tern_pkt **rest; /* of its batch, which it may shorten; NULL: it came alone */
	struct iface *iface;
	struct addr src, dst;
	uint32_t addr_sum;	      /* of src and dst: checksum_addresses */
	uint32_t l3_off, l4_off, end; /* offsets in p->data; end of the IP payload */
	uint8_t proto, tos, ttl;
	uint16_t proto_off; /* IPv6: where proto is named, from the start of its header */
	bool was_cut;	    /* it had a fragment header */
	bool looped;	    /* it is our own, to a group of ours */
	bool recent;	    /* src and dst are the last good pair's: unicast, ours */
	enum addr_kind to;  /* what dst is to us */
};

/* config.c: the first setting that is not what tern_sysctl_set would take, or NULL */
const char *config_out_of_range(const struct tern_config *);

/* stack.c: after a change of the configuration */
void stack_copy_limits(struct tern_stack *);

/* input.c */
/* rest: see struct inbound. */
void stack_input(struct tern_stack *, struct tern_pkt *, struct tern_pkt **rest);
void stack_drop(struct tern_stack *, struct tern_pkt *, enum tern_drop);
void stack_lo_run(struct tern_stack *);
void stack_down_run(struct tern_stack *);
bool stack_down_has_work(const struct tern_stack *);
void stack_drop_output(struct tern_stack *, struct iface *);
bool stack_lo_has_work(const struct tern_stack *);
/* Packets come in trains: do the last one's addresses say all about these? */
bool is_recent_link(const struct tern_stack *, const struct inbound *);
void take_recent_pair(const struct tern_stack *, struct inbound *);
/* Are they of somebody who may send, and for us? */
enum tern_drop check_addresses(struct tern_stack *, struct inbound *);

/* input6.c */
enum tern_drop ip6_input(struct tern_stack *, struct inbound *);
/* A walk over extension headers that failed: the sender hears why, if it may. */
enum tern_drop refuse_ip6_header(struct tern_stack *, const struct inbound *,
				 const struct ip6_walk *);

/* forward.c */
/* A packet whose headers are good, and that is not for us. */
enum tern_drop forward_input(struct tern_stack *, const struct inbound *);

/* fragment.c */
enum tern_drop fragment4_input(struct tern_stack *, const struct inbound *);
enum tern_drop fragment6_input(struct tern_stack *, const struct inbound *,
			       const struct ip6_walk *);
void fragment_on_timer(struct tern_stack *);
/* Takes a packet that begins with its IP header; puts it, or its fragments, on a fresh queue. */
void fragment_cut(struct tern_stack *, struct tern_pkt *, struct pkt_queue *);

/* transport.c */
enum tern_drop transport_input(struct tern_stack *, const struct inbound *);
/*
 * The same of len bytes of TCP between the pair that was found last (is_recent_link), where that is
 * little text that was to come, for the connection that was found last. false: it is not.
 */
bool message_input(struct tern_stack *, const struct inbound *, const uint8_t *, uint32_t len);
/* What a packet brings to sockets of datagrams; where its text is, and its ports, come after. */
struct dgram_in dgram_of(const struct inbound *, uint8_t proto);

/* train.c */
void take_train(struct tern_stack *, const struct inbound *, struct tuple *, struct tcp_packet *);

/* text.c */
const char *drop_counter_name(enum tern_drop); /* "Drop-tcp-checksum" */

/* icmp_in.c */
enum tern_drop icmp4_input(struct tern_stack *, const struct inbound *);
enum tern_drop icmp6_input(struct tern_stack *, const struct inbound *);

/* icmp_err.c */
struct icmp_problem {
	uint8_t type, code;
	uint32_t rest;
};
void icmp_send_error(struct tern_stack *, const struct inbound *, const struct icmp_problem *);
/* An error about one of our packets, which `quoted` begins. */
struct icmp_report {
	struct addr offender, to;     /* to unspecified: the report is our own */
	uint8_t type, code, ttl, tos; /* the packet's, too, and by which interface it came */
	bool v6;
	uint16_t ifindex;
	uint32_t info;
	const uint8_t *quoted;
	uint32_t len;
};
enum tern_drop icmp_deliver_error(struct tern_stack *, const struct icmp_report *);

/* neighbour.c */
enum tern_drop arp_input(struct tern_stack *, struct iface *, const struct tern_pkt *,
			 uint32_t off);
enum tern_drop nd_input(struct tern_stack *, const struct inbound *);
void neighbour_request(struct tern_stack *, struct neigh *);
void neighbour_on_timer(struct tern_stack *, struct neigh *);
void neighbour_forget(struct tern_stack *, struct neigh *);
/* Puts the link header before an IP packet, if the next hop's address is known. */
enum link_verdict { LINK_READY, LINK_WAIT, LINK_NO_MEMORY };
enum link_verdict neighbour_of(struct tern_stack *, struct iface *, const struct addr *next,
			       struct neigh **, uint8_t mac[6]);
/* LINK_WAIT, and who waits has been put there: the first asks. */
void neighbour_await(struct tern_stack *, struct neigh *);
size_t put_eth(const struct iface *, uint8_t *to, const uint8_t mac[6], uint16_t type);
void push_eth(const struct iface *, struct tern_pkt *, const uint8_t mac[6], uint16_t type);

void send_arp(struct tern_stack *, struct iface *, const struct arp *, const uint8_t to[6]);
/* announce.c */
/* RFC 5227 2.1.1, 2.3: a request about an address; a probe has no sender. */
void send_arp_about(struct tern_stack *, struct iface *, const struct addr *about, bool announce);
void announce_on_timer(struct tern_stack *, struct iface *);

/* neighbour.c: an ICMPv6 message of neighbour discovery, to this link-layer address. Takes it. */
void send_nd_packet(struct tern_stack *, struct iface *, struct tern_pkt *, struct ip_names *,
		    const uint8_t mac[6]);
void send_ndp(struct tern_stack *, struct iface *, const struct ndp *, struct ip_names *,
	      const uint8_t mac[6]);
void multicast_mac(const struct addr *group, uint8_t mac[6]);

/* Something was heard of a neighbour: who waited for it goes on. */
void neighbour_hear(struct tern_stack *, const struct neigh_news *);

/* advert.c */
void advert_on_timer(struct tern_stack *, struct slaac *);
enum tern_drop advert_input(struct tern_stack *, const struct inbound *);

/* redirect.c */
enum tern_drop redirect4_input(struct tern_stack *, const struct inbound *);
enum tern_drop redirect6_input(struct tern_stack *, const struct inbound *);

/* groups.c */
void group_timer(struct tern_stack *, struct group *);
enum tern_drop igmp_input(struct tern_stack *, const struct inbound *);
enum tern_drop mld_input(struct tern_stack *, const struct inbound *);

/* detect.c */
void detect_on_timer(struct tern_stack *, struct dad *);
/* Did the message tell of a conflict about an address of ours? Then that was all it said. */
bool detect_arp(struct tern_stack *, struct iface *, const struct arp *);
bool detect_nd(struct tern_stack *, const struct inbound *, const struct ndp *);

/* dhcp6.c: the flags M and O of a router advertisement */
void dhcp6_on_router_flags(struct tern_stack *, struct iface *, bool managed, bool other);

/*
 * configure.c: what the means of configuration are told. A stack has it from when an interface is
 * to configure itself (tern_auto_set), so that who never asks is linked without all of them.
 */
struct configuring {
	void (*on_timer)(struct tern_stack *, struct timer *);
	void (*on_link)(struct tern_stack *, struct iface *); /* it went down, or came up */
	/* Addresses of the interface came or went. */
	void (*review)(struct tern_stack *, struct iface *);
	/* An address has passed detection; it may have been ours before. */
	void (*on_good)(struct tern_stack *, struct iface *, const struct addr *);
	/* Another host has it; it is still there, as a duplicate. */
	void (*on_lost)(struct tern_stack *, struct iface *, const struct addr *, enum tern_origin);
	/* Is it for a client that has no address yet? */
	bool (*awaits)(const struct inbound *);
	/* Takes what is for a client's port on an interface that has this client. */
	bool (*input)(struct tern_stack *, const struct inbound *, const struct dgram_in *);
	void (*forget)(struct tern_stack *, struct iface *); /* it goes */
};

/* gso.c */
void stack_send_reply(struct tern_stack *, const struct tcp_reply *);
/* A socket that is on no list begins its burst, or goes on with it; NULL: nothing goes now. */
struct tern_pkt *stack_begin_burst(struct tern_stack *, struct iface *, struct sock *);
struct tern_pkt *stack_next_piece(struct tern_stack *, struct iface *);
/* What a connection wanted to send is lost: its neighbour does not answer. */
void stack_lose_segment(struct tern_stack *, struct sock *);

/* output.c */
/* A frame that goes before what sockets have to say, unless too many do already. Takes it. */
void stack_put_control(struct tern_stack *, struct iface *, struct tern_pkt *);
/* An IP packet, or what it is cut into, goes to a neighbour by the control queue. Takes it. */
void send_linked(struct tern_stack *, struct iface *, struct tern_pkt *, const uint8_t mac[6]);
void send_by_hop(struct tern_stack *, struct tern_pkt *, const struct hop *);
/* Takes a packet that begins with its IP header; ifindex 0: routed. */
void stack_send_ip(struct tern_stack *, struct tern_pkt *, unsigned ifindex);
/* The same of one whose names are known. */
void stack_send_routed(struct tern_stack *, struct tern_pkt *, const struct route_key *);
struct tern_pkt *stack_output(struct tern_stack *, struct iface *);
int64_t stack_emit_next(struct tern_stack *, struct iface *, void *buf, size_t room);
void stack_push_ip(struct tern_stack *, struct tern_pkt *, const struct ip_names *);
void stack_push_icmp(struct tern_stack *, struct tern_pkt *, struct ip_names *);
/* Of an error or an answer; what stays on its link, as neighbour discovery, bears no label. */
void stack_label_icmp(const struct tern_stack *, struct ip_names *);
COLD void tell_of_packet(struct tern_stack *, enum tern_trace_kind, const struct tern_pkt *,
			 enum tern_drop);
static inline void trace_packet(struct tern_stack *st, enum tern_trace_kind kind,
				const struct tern_pkt *p, enum tern_drop drop)
{
	if (st->env.trace)
		tell_of_packet(st, kind, p, drop);
}

#endif
