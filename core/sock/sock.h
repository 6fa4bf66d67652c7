/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock.h - sockets: what a program holds, and how packets find it.
 *
 * One tuple table answers for every connected endpoint: its entries are tagged socket, half-open
 * or TIME-WAIT, so that a packet costs one probe. Unconnected endpoints are found through their
 * port. Nothing is put on the wire here: a segment that must be answered at once is answered by a
 * struct tcp_reply; who has something else to say waits on the ready list of an interface.
 *
 * Sizes are promises (sock.c asserts them): an idle stream endpoint, a half-open one, a TIME-WAIT.
 */
#ifndef TERN_SOCK_H
#define TERN_SOCK_H

#include "../../include/tern.h"
#include "../base/addr.h"
#include "../base/list.h"
#include "../base/mem.h"
#include "../base/rand.h"
#include "../base/table.h"
#include "../base/timers.h"
#include "../net/net.h"
#include "../tcp/tcp.h"
#include "../tcp/tcp_record.h"
#include "../wire/wire.h"
#include "count.h"

/* ---- names ---- */

enum tuple_kind { TUPLE_SOCK, TUPLE_HALF, TUPLE_TIME_WAIT };

/* The five-tuple; local is ours. */
struct tuple {
	struct table_node node;
	struct addr local, remote;
	uint16_t lport, rport;
	uint8_t proto;
	uint8_t kind;  /* enum tuple_kind */
	uint8_t flags; /* of the record that embeds it */
	bool in_table;
};

/* Everyone who uses one (protocol, port). */
struct port {
	struct table_node node;
	uint16_t number;
	uint8_t proto;
	uint32_t n_time_wait;
	uint32_t held_in; /* the last search for a port to share in which TIME-WAIT held it */
	/* opened with text, and the handshake is not over, or failed not long ago: RFC 7413 5.1 */
	uint32_t n_fast, n_fast_failed;
	tern_time fast_failed_until;
	struct list open;  /* bound or listening: packets may be for them */
	struct list conns; /* connected: they only keep the port busy */
};

/* ---- sockets ---- */

struct listener {
	struct list half;    /* half-open connections but those */
	struct list unshown; /* that are still to be handed out for a verdict; oldest first */
	struct list ready;   /* finished ones that wait for accept */
	uint32_t n_half, n_ready, backlog;
};

/* A datagram that waits to be read; the bytes follow. */
struct dgram_rec {
	struct dgram_rec *next;
	uint32_t len;
	uint32_t size; /* of the allocation */
	struct addr from, to;
	uint16_t from_port, to_port;
	uint16_t ifindex;
	uint8_t ttl, tos;
	tern_time at;
	/* of the error queue */
	uint8_t error, origin, type, code;
	union {
		uint32_t info;	     /* of the error queue */
		uint32_t flow_label; /* of a datagram */
	};
	struct addr offender;
	uint8_t bytes[];
};

struct dgram_queue {
	struct dgram_rec *head, **tail;
	uint64_t size; /* bytes allocated */
};

/* What a program chose for groups of one version of IP. */
struct mcast_choice {
	bool loop;	  /* members on this host hear what is sent */
	bool all;	  /* it hears groups that others have joined */
	uint8_t ttl;	  /* of what is sent */
	uint16_t ifindex; /* by which it goes; 0: routed */
};

struct dgram {
	struct dgram_queue recv, errors;
	struct pkt_queue send;
	uint64_t send_bytes;
	uint32_t rcvbuf, sndbuf;
	uint32_t drops;
	uint32_t icmp_filter[8]; /* a bit for each type that is blocked */
	int32_t checksum_off;	 /* IPV6_CHECKSUM; -1: none */
	uint16_t segment;	 /* UDP_SEGMENT; 0: a message is a datagram */
	bool hdrincl;
	bool dontfrag;			 /* IPV6_DONTFRAG */
	bool tells_path_mtu;		 /* IPV6_RECVPATHMTU */
	uint32_t path_mtu;		 /* that a send exceeded, not yet told; 0: none */
	struct addr too_far;		 /* where it was to go */
	bool keepalive, oob_inline, gro; /* told back to who set them */
	struct mcast_choice mcast4, mcast6;
	uint8_t mcast_ip4[4]; /* as IP_MULTICAST_IF was told */
	struct list groups;   /* memberships */
	uint32_t n_groups;
};

/* What a program chose for packets of one version of IP. */
struct ip_choice {
	uint8_t tos, ttl;
	bool ttl_chosen : 1; /* else it is the stack's default */
	bool recverr : 1;
	bool pktinfo : 1, recvttl : 1, recvtos : 1; /* told back to who set them */
	uint8_t mtu_discover : 3;		    /* TERN_IP_PMTUDISC_* */
};

struct sock {
	struct tuple t;
	struct list bind_link; /* on port->open or ->conns; raw: sockets.raws */
	struct port *port;
	struct list news_link;	/* sockets.news; a child before accept: listener.ready */
	struct list ready_link; /* iface.ready, or neigh.waiters */
	struct timer timer;
	void *user;
	uint32_t index; /* of its slot; NO_INDEX: none (not accepted yet, or closed) */
	uint32_t conn;	/* number in trace records */
	uint32_t rcvlowat;
	int32_t linger_s; /* below 0: off, and -1 less the seconds */
	uint8_t family : 4, type : 4, protocol;
	uint8_t state;		   /* of a stream: enum tern_tcp_state as last traced */
	uint8_t error, soft_error; /* TERN_Exxx pending; last soft ICMP error */
	struct ip_choice ip4, ip6; /* an IPv6 socket has both: some of its peers are IPv4's */
	bool bound_addr : 1, bound_port : 1;
	bool reuseaddr : 1, reuseport : 1, v6only : 1, broadcast : 1, freebind : 1;
	bool shut_rd : 1, shut_wr : 1;
	bool any_port : 1;    /* bound to port 0 of the table: what no other socket takes */
	bool urgent_news : 1; /* POLLPRI */
	bool in_accept_queue : 1, connected : 1;
	bool orphan : 1;     /* its user has gone */
	bool fast_waits : 1; /* counted in port->n_fast */
	bool recvflow : 1;   /* told back to who set it, as both of RFC 2292: */
	bool old_pktinfo : 1, old_recvhops : 1;
	bool sends_label : 1;		/* IPV6_FLOWINFO_SEND */
	bool writable : 1, starved : 1; /* of a stream: as its user knows; sock_pressure.c */
	uint8_t news : 3;		/* enum sock_news */
	uint16_t bound_ifindex;
	uint16_t out_ifindex;	/* cached route */
	uint16_t out_mtu;	/* that it goes by: sock_mtu.c */
	uint16_t fast_open_max; /* TCP_FASTOPEN */
	uint16_t addr_sum;	/* of t's addresses, for checksums; as valid as the route */
	/* of a stream's packets, as valid as the route; and whether there is a label */
	uint32_t flow_label : 20, tos : 8, label_choice : 2; /* enum label_choice */
	uint32_t label_given : 1; /* flow_label is what the program chose for its peer */
	uint32_t route_version;	  /* of net when the route was cached */
	struct addr next_hop;
	union {
		struct tcp *tcp;	   /* NULL before connect; inside the struct stream */
		struct listener *listener; /* state LISTEN */
		struct dgram *dgram;
	};
};

#define NO_INDEX UINT32_MAX

/* IPV6_AUTOFLOWLABEL: as the configuration has it, until a program says so. */
enum label_choice { LABEL_BY_DEFAULT, LABEL_NEVER, LABEL_ALWAYS };

/* What there is to tell the user: tern_event.news. */
enum sock_news { NEWS_IN = 1, NEWS_OUT = 2, NEWS_ENDS = 4, NEWS_ALL = 7 };

/* A stream endpoint is one allocation: what an idle connection costs. */
struct stream {
	struct sock s;
	struct tcp c;
};

static inline bool sock_is_stream(const struct sock *s)
{
	return s->type == TERN_SOCK_STREAM;
}

/* For what it sends by IPv4, or by IPv6. */
static inline const struct ip_choice *sock_choice(const struct sock *s, bool v4)
{
	return v4 ? &s->ip4 : &s->ip6;
}

static inline const struct mcast_choice *dgram_choice(const struct dgram *d, bool v4)
{
	return v4 ? &d->mcast4 : &d->mcast6;
}

/* -1: the stack's default */
static inline int16_t ip_ttl(const struct ip_choice *c)
{
	return c->ttl_chosen ? c->ttl : -1;
}

/* The connection of a stream, begun or not: the options are there from the first. */
static inline struct tcp *stream_tcp(const struct sock *s)
{
	return &CONTAINER_OF(s, struct stream, s)->c;
}

struct half {
	struct tuple t;
	struct timer timer; /* data: the connection's number */
	struct list link;   /* listener.half or unshown; that listener's index is t.node.data */
	struct tcp_half tcp;
};

struct time_wait {
	struct tuple t;	  /* flags: TCP_TW_*, TW_REUSEADDR, and the label_choice */
	struct list link; /* sockets.time_waits, in the order in which they end */
	struct tcp_tw tcp;
	uint32_t end_tick; /* now >> TW_TICK_SHIFT when it ends */
	uint32_t conn;
};
enum { TW_REUSE_NONE, TW_REUSE_ALL, TW_REUSE_LOOPBACK }; /* net.ipv4.tcp_tw_reuse */
enum { TW_REUSEADDR = 1 << 6, TW_LABEL_SHIFT = 4, TW_TICK_SHIFT = 20 };

/* ---- the whole of it ---- */

struct slot {
	struct sock *sock; /* NULL: free */
	uint32_t tag;	   /* of its handle, or the next one's: shard (8 bits) and generation */
	uint32_t next_free;
};

enum { SLOTS_PER_PAGE = 128, EPHEMERAL_COUNTERS = 64 };

enum timer_kind {
	TIMER_SOCK,
	TIMER_HALF,
	TIMER_NEIGH,
	TIMER_PATH_MTU,
	TIMER_TIME_WAIT,
	TIMER_MEMORY,
	TIMER_LIFE,
	TIMER_DAD,
	TIMER_FRAG,
	TIMER_SLAAC,
	TIMER_GROUP,
	TIMER_ANNOUNCE,
	TIMER_DHCP4,
	TIMER_DHCP6,
	TIMER_LINK_LOCAL4
};

/* What is known of a peer as a server of Fast Open: sock_fastopen.c. */
struct fast_open_peer {
	struct addr addr;
	tern_time used_at; /* 0: a free place */
	tern_time not_before;
	uint16_t bad_port, mss;
	uint8_t cookie_len, cookie[TCP_COOKIE_MAX];
};
enum { FAST_OPEN_PEERS = 64 };

/* A key of SYN cookies and when it is used: sock_cookie.c. */
struct cookie_key {
	uint32_t slot; /* 0: never drawn */
	struct sip_key of_names, of_rest;
};

struct sockets {
	struct mem *mem;
	struct timers *timers;
	struct net *net;
	struct rand *rand;
	const struct tern_config *cfg;
	const struct tern_env *env;
	uint64_t *counters; /* enum count */
	struct tcp_ctx ctx; /* what TCP sees of the above; the owner moves its clock, too */
	struct table tuples, ports;
	struct tuple *recent;	/* found last, or NULL */
	struct tuple free_name; /* looked for last and not found, and its hash; until it is put */
	bool free_name_known;
	struct sip_key table_key, isn_key, port_key, ts_key, label_key;
	struct cookie_key cookie_keys[2];
	/* sock_fastopen.c */
	struct sip_key fast_open_keys[2];
	uint32_t fast_open_hour; /* of the newest key; 0: none was drawn */
	struct fast_open_peer *fast_open_peers;
	struct list news; /* sockets whose readiness may have changed */
	struct list raws;
	struct list time_waits;
	struct timer time_wait_timer, memory_timer;
	struct slot **pages;
	uint32_t n_pages, pages_cap, n_slots, free_slot;
	uint32_t n_socks, n_half, n_time_wait, n_orphans;
	uint64_t pressure_at;		/* where the table is looked at next: sock_pressure.c */
	uint32_t next_conn, bind_round; /* searches for a port to share */
	uint32_t port_counter[EPHEMERAL_COUNTERS];
	const struct tern_cc_ops *cc; /* of new sockets */
	struct cc_set own_cc;
};

bool sockets_init(struct sockets *); /* after its pointers and keys are set */
void sockets_fini(struct sockets *);
void sockets_check(const struct sockets *);
static inline const struct tcp_ctx *sock_ctx(const struct sockets *ss)
{
	return &ss->ctx;
}

/* ---- lookup.c: which endpoint is this packet for; which names are free? ---- */

bool tuple_put(struct sockets *, struct tuple *);
void tuple_remove(struct sockets *, struct tuple *);
void tuple_replace(struct sockets *, struct tuple *old, struct tuple *t); /* of the same name */
/* Of the names, where strangers see what becomes of it. */
uint64_t tuple_hash_secretly(const struct sip_key *, const struct tuple *);
struct tuple *tuple_find(struct sockets *, const struct tuple *key);
/* Of what came by an interface: not a socket that is bound to another one. */
struct tuple *tuple_find_on(struct sockets *, const struct tuple *key, unsigned ifindex);
bool tuple_hears(const struct tuple *, unsigned ifindex);
bool tuple_is_free(struct sockets *, const struct tuple *key); /* or will be, if it is wanted */
/* Among the sockets open on the port: the best match by Linux's scores; NULL: none. */
struct sock *port_match(const struct sockets *, const struct tuple *key, unsigned ifindex);
/* Of datagrams: the one that has this peer, else the best of those. */
struct sock *sock_match(struct sockets *, const struct tuple *key, unsigned ifindex);
struct port *port_find(const struct sockets *, unsigned proto, unsigned number);
/* Does the socket take packets of this kind? Not IPv6's who is bound to ::ffff:0.0.0.0. */
static inline bool sock_takes_family(const struct sock *s, bool packet_is4)
{
	return packet_is4 ? s->family == TERN_AF_INET || !s->v6only : !addr_is4(&s->t.local);
}

/* Makes it when there is none; NULL: no memory. */
struct port *port_get(struct sockets *, unsigned proto, unsigned number);
void port_release(struct sockets *, struct port *); /* frees it when nobody is left */
/* Would s (bound to its t.local) collide on this port? */
bool port_conflicts(const struct sockets *, const struct sock *s, const struct port *,
		    bool to_listen);
/* Binds s to a free automatic port: by bind (-TERN_EADDRINUSE) or connect (-TERN_EADDRNOTAVAIL). */
int port_pick_for_bind(struct sockets *, struct sock *);
int port_pick_for_connect(struct sockets *, struct sock *);
/* TERN_SO_ANY_PORT. 0, or -TERN_EINVAL (it has a name), -TERN_EADDRINUSE, -TERN_ENOMEM. */
int port_take_any(struct sockets *, struct sock *);
void port_attach(struct sock *, struct port *, bool connected);
void port_detach(struct sockets *, struct sock *);

/* ---- sock.c: making, naming and ending ---- */

/* The unspecified address of a family. */
struct addr addr_any(int family);
/* What is not specified means this host (RFC 1122 3.2.1.3 (a)): by IPv4 to who has its address. */
void sock_name_this_host(const struct sock *, struct addr *);

int sock_new(struct sockets *, int family, int type, int protocol, struct sock **);
/* One of which nothing is filled in. 0, -TERN_ENFILE (the limit) or -TERN_ENOMEM. */
int sock_take_room(struct sockets *, int type, struct sock **);
int sock_give_slot(struct sockets *, struct sock *);
void sock_drop_slot(struct sockets *, struct sock *);
/* By its index. */
struct sock *sock_at(const struct sockets *, uint32_t index);
tern_sock sock_handle(const struct sockets *, const struct sock *);
struct sock *sock_by_handle(const struct sockets *, tern_sock); /* NULL: stale */
void sock_free(struct sockets *, struct sock *);
int sock_bind(struct sockets *, struct sock *, const struct tern_addr *);
/* 0: the table's choice. 0, -TERN_EADDRINUSE, -TERN_EADDRNOTAVAIL or -TERN_ENOMEM. */
int sock_bind_port(struct sockets *, struct sock *, unsigned number);
void sock_news(struct sockets *, struct sock *, unsigned news); /* enum sock_news */
bool sock_tcp_writable(const struct sock *);
unsigned sock_poll(const struct sock *);
/* The pending error, taken: 0 or a negative one. */
int sock_take_error(struct sock *);
/* Public address -> internal by the rules of the socket's family. 0 or a negative error. */
int sock_addr_in(const struct sock *, const struct tern_addr *, struct addr *);
void sock_addr_out(const struct sock *, const struct addr *, uint16_t port, struct tern_addr *);
/* It is to have this peer: what its packets bear, if the program says it and it counts. */
void sock_take_label(struct sock *, const struct tern_addr *peer);
int sock_lookup_route(const struct sockets *, const struct sock *, struct hop *);
/* Finds (or refreshes) the route and, when unbound, the source address. 0 or a negative error. */
int sock_find_route(struct sockets *, struct sock *, struct hop *);
static inline int sock_route(struct sockets *ss, struct sock *s)
{
	bool known = s->out_ifindex && s->route_version == ss->net->routes_version;
	struct hop hop;

	return known ? 0 : sock_find_route(ss, s, &hop);
}
/* It has something to send, by the interface. */
void sock_set_ready_on(struct sockets *, struct sock *, unsigned ifindex);
static inline void sock_set_ready(struct sockets *ss, struct sock *s)
{
	sock_set_ready_on(ss, s, s->out_ifindex);
}

/* ---- sock_pressure.c ---- */

/* Memory was refused: somebody gives way. */
void sockets_relieve(struct sockets *);
/* After a packet, and after time has passed. */
static inline void sockets_review_memory(struct sockets *ss)
{
	if (ss->mem->refused)
		sockets_relieve(ss);
}
int sock_wait_for_memory(struct sockets *, struct sock *); /* a stream; -TERN_EAGAIN */
void sock_memory_on_timer(struct sockets *);

/* ---- sock_tcp.c ---- */

/* A segment to be sent at once, without a connection. */
struct tcp_reply {
	bool due;
	struct tcp_hdr h;
	struct addr local, remote;
	enum tern_cause cause;
	uint32_t conn;
	uint8_t tos;
	uint8_t label_choice; /* of the socket that answers */
	int16_t ttl;	      /* -1: the stack's default */
	uint16_t ifindex;     /* bound; 0: routed */
};

/* A TIME-WAIT gave way: our ISS must exceed this. */
struct min_iss {
	bool given;
	uint32_t iss;
};

/* A segment as the stack hands it over. */
struct tcp_packet {
	struct tcp_seg seg;
	struct addr src, dst;
	unsigned ifindex;
	bool verified; /* the checksum is known to be right */
	uint32_t sum;  /* otherwise: of the header and its pseudo-header */
	struct min_iss min_iss;
};

/* Whose five-tuple is it? NULL: nobody's. */
struct tuple *sock_tcp_find(struct sockets *, const struct tcp_packet *);
struct tcp *sock_tcp_of(struct tuple *); /* NULL: it is no connection */
/*
 * MUST-3, before anything of the segment is believed; where its text has a place, while it is
 * copied there. false: wrong, nothing has changed.
 */
bool sock_tcp_verify(struct sockets *, struct tuple *, struct tcp_packet *);
enum tern_drop sock_tcp_input(struct sockets *, struct tuple *, const struct tcp_packet *,
			      struct tcp_reply *);
/*
 * 0, or why this socket opens no connection now; how the last one failed is told so, and forgotten
 * by it.
 */
int sock_tcp_may_open(struct sockets *, struct sock *);
/* Of a socket that may. */
int sock_tcp_connect(struct sockets *, struct sock *, const struct addr *, uint16_t port);
/*
 * The same for MSG_FASTOPEN: 0, and the SYN waits for the text that is now to be sent; without a
 * cookie -TERN_EINPROGRESS, none is taken.
 */
int sock_tcp_open_with(struct sockets *, struct sock *, const struct addr *, uint16_t port,
		       bool has_text);
/* A connection that is over and has nothing left to say: the socket is as before it was opened. */
void sock_tcp_start_afresh(struct sockets *, struct sock *);
int sock_tcp_listen(struct sockets *, struct sock *, int backlog);
int sock_tcp_accept(struct sockets *, struct sock *, struct sock **);
void sock_tcp_close(struct sockets *, struct sock *, bool abort);
int sock_tcp_shutdown(struct sockets *, struct sock *, int how);
int64_t sock_tcp_send(struct sockets *, struct sock *, const struct tern_iovec *, size_t n,
		      int flags);
/* No text is there: 0 after the peer's FIN, whatever came behind it; an error; or -TERN_EAGAIN. */
int sock_tcp_nothing_read(struct sock *);
int64_t sock_tcp_recv(struct sockets *, struct sock *, struct tern_msg *, int flags);
void sock_tcp_after_read(struct sockets *, struct sock *, uint8_t ack_due_before);
/* After anything that may have changed what is due: ready list, timer, end of life, traces. */
void sock_tcp_settle(struct sockets *, struct sock *, uint32_t events);
/* The same of one that was asked in its turn: its plan was silent; or it was carried out. */
void sock_tcp_rest(struct sockets *, struct sock *);
void sock_tcp_sent(struct sockets *, struct sock *);
/* The same after the user gave text. */
void sock_tcp_given(struct sockets *, struct sock *);
void sock_tcp_on_timer(struct sockets *, struct sock *);
void sock_half_on_timer(struct sockets *, struct half *, struct tcp_reply *);
void sock_time_wait_on_timer(struct sockets *);
unsigned sock_tcp_poll(const struct sock *);
void half_end(struct sockets *, struct half *);
bool half_refuse(struct sockets *, struct half *, uint32_t seq);
bool time_wait_may_go(const struct sockets *, const struct time_wait *);
void time_wait_end(struct sockets *, struct time_wait *);
tern_time time_wait_end_at(const struct sockets *, const struct time_wait *); /* now at least */
int sock_pending_next(struct sockets *, struct sock *, struct tern_pending *);
int sock_pending_answer(struct sockets *, struct sock *, uint64_t id, int verdict,
			struct tcp_reply *);

/* ---- sock_mtu.c: how large may a packet of this socket be, and may a router cut it? ---- */

/* Bytes of one packet, IP header and all. */
uint32_t sock_mtu(const struct sock *, const struct hop *, bool v4);
/* Of one datagram that is handed over, which may be cut to the above. */
uint32_t dgram_size_max(const struct sock *, const struct hop *, bool v4);
/* By a router, of IPv4. */
bool stream_may_be_cut(const struct sock *);
bool dgram_may_be_cut(const struct sock *, const struct hop *, uint32_t len);
/* Does what routers say of its packets count? */
bool sock_hears_too_big(const struct sock *, bool v4);
/* Of the path to its peer, now: IP_MTU. 0: it has none. */
uint32_t sock_path_mtu(const struct sockets *, const struct sock *);
/* What its connection has come to believe of the path is for all. */
void sock_tell_path_mtu(struct sockets *, struct sock *);
/* The route was looked up: the connection hears of it. */
void sock_take_path_mtu(struct sockets *, struct sock *, const struct hop *);

/* ---- ip_header.c ---- */

/* What an IP header needs. */
struct ip_names {
	struct addr src, dst;
	uint8_t proto, tos;
	int16_t ttl;	   /* -1: the stack's default */
	bool may_fragment; /* routers may cut it: IPv4 without "don't fragment" */
	uint32_t flow_label;
};

/* The label of a flow, from our end; 0: it has none, as all of IPv4. */
uint32_t ip_flow_label(const struct sockets *, const struct tuple *, enum label_choice);
/* Has a flow one, of whose label so much was said? */
bool ip_has_label(const struct sockets *, enum label_choice);
/* Gives what is sent by these names, its protocol among them, the label of its flow. */
void ip_label(const struct sockets *, struct ip_names *, uint16_t src_port, uint16_t dst_port,
	      enum label_choice);

/* Puts the header before what the packet holds. */
void ip_push(struct sockets *, struct tern_pkt *, const struct ip_names *);

/* ---- sock_dgram.c, sock_dgram_recv.c, sock_udp.c, sock_raw.c: datagrams ---- */

/* A datagram as the stack hands it over; [off, off + len) of pkt is what the user gets. */
struct dgram_in {
	const struct tern_pkt *pkt;
	uint32_t off, len;
	struct addr src, dst;
	uint16_t sport, dport;
	uint16_t ifindex;
	uint8_t ttl, tos, proto;
	uint32_t flow_label;
	bool group; /* the destination is a broadcast or multicast address */
};
/* An error about a datagram of ours; of the packet that reported it: to, ifindex, ttl, tos. */
enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 }; /* SO_EE_ORIGIN_* */
struct dgram_error {
	struct addr offender, dst, to;
	uint16_t dport, ifindex;
	uint8_t error, origin, type, code, ttl, tos;
	bool hard;
	uint32_t info;
	const uint8_t *quoted; /* payload that ICMP quoted */
	uint32_t quoted_len;
};
enum tern_drop dgram_put(struct sockets *, struct sock *, const struct dgram_in *);
void dgram_on_error(struct sockets *, struct sock *, const struct dgram_error *);
int64_t sock_dgram_recv(struct sockets *, struct sock *, struct tern_msg *, int flags);
int64_t sock_dgram_send(struct sockets *, struct sock *, const struct tern_msg *, int flags);
int sock_dgram_connect(struct sockets *, struct sock *, const struct tern_addr *);
int sock_dgram_shutdown(struct sockets *, struct sock *, int how);
void sock_dgram_close(struct sockets *, struct sock *);
void sock_dgram_fini(struct sockets *, struct sock *); /* frees the dgram part */
unsigned sock_dgram_poll(const struct sock *);
/* The next packet to go, IP header and all, or NULL. Its space in SO_SNDBUF is free again. */
struct tern_pkt *sock_dgram_take(struct sockets *, struct sock *);

enum tern_drop sock_udp_input(struct sockets *, const struct dgram_in *);
enum tern_drop sock_ping_input(struct sockets *, const struct dgram_in *);
/*
 * A copy to each raw socket that wants it, from in->off on (the IP header of IPv4, what follows all
 * headers of IPv6). icmp_type: of ICMP messages, else -1. Did any want it?
 */
bool sock_raw_input(struct sockets *, const struct dgram_in *, int icmp_type);
/* Is what has these names, without ports, of a raw socket's protocol and between its two ends? */
bool sock_raw_speaks(const struct sock *, const struct tuple *names, unsigned ifindex);

/* ---- sock_group.c: memberships of datagram and raw sockets ---- */

/* Does a datagram to a group interest it? Of others: yes. */
bool sock_wants_group(const struct sock *, const struct dgram_in *);
void sock_leave_groups(struct sockets *, struct sock *);

/* ---- sockopt.c ---- */

int sock_setopt(struct sockets *, struct sock *, int level, int name, const void *, size_t);
int sock_getopt(struct sockets *, struct sock *, int level, int name, void *, size_t *);

#endif
