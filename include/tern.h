/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern.h - TCP/IP as a C library: the core.
 *
 * One struct tern_stack is one value: single-threaded, without I/O, clock, threads or globals.
 * Packets and time go in, packets, events and the next deadline come out. The whole contract is
 * one loop:
 *
 *	tern_advance(st, now);                          time in
 *	tern_input(st, p);                              packet in
 *	while (tern_event(st, &ev)) ...                 news out
 *	while ((p = tern_output(st, ifindex))) ...      packets out
 *	sleep until tern_deadline(st)                   next timer; not while tern_event_ready(st)
 *
 * Conventions. Calls return 0 or a count, or -TERN_Exxx; nothing blocks, -TERN_EAGAIN means "wait
 * for an event". Every call on a stack comes from one thread at a time. Ports are in host byte
 * order. Times are 64-bit nanoseconds of one monotonic clock that the user owns. Numbers of
 * options, flags and errors are Linux's on every machine. Where POSIX leaves a choice, the meaning
 * is Linux's. tern_event, tern_net_event and tern_poll are functions, and a struct or an enum, too:
 * the type is written with `struct` or `enum`, in C++ as well.
 */
#ifndef TERN_H
#define TERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#if defined(__GNUC__) /* a function has the name of a struct, as said above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

#if defined(__GNUC__)
#define TERN_API __attribute__((visibility("default")))
#else
#define TERN_API
#endif

#define TERN_VERSION_MAJOR 0
#define TERN_VERSION_MINOR 1
#define TERN_VERSION_PATCH 0
#define TERN_VERSION "0.1.0"

/* The version of the library that is linked, such as "0.1.0". */
TERN_API const char *tern_version(void);

/* ---- time ------------------------------------------------------------------------------- */

typedef uint64_t tern_time; /* nanoseconds; an instant or, where the name says so, a duration */

#define TERN_US ((tern_time)1000)
#define TERN_MS ((tern_time)1000000)
#define TERN_SEC ((tern_time)1000000000)
#define TERN_NEVER UINT64_MAX

/* ---- errors: Linux's numbers on every machine ------------------------------------------- */

enum tern_errno {
	TERN_ENOENT = 2,
	TERN_EBADF = 9,
	TERN_EAGAIN = 11,
	TERN_ENOMEM = 12,
	TERN_EACCES = 13,
	TERN_EFAULT = 14,
	TERN_EEXIST = 17,
	TERN_ENODEV = 19,
	TERN_EINVAL = 22,
	TERN_ENFILE = 23,
	TERN_ENOSPC = 28,
	TERN_EPIPE = 32,
	TERN_ENONET = 64,
	TERN_EDESTADDRREQ = 89,
	TERN_EMSGSIZE = 90,
	TERN_ENOPROTOOPT = 92,
	TERN_EPROTO = 71,
	TERN_EPROTONOSUPPORT = 93,
	TERN_ESOCKTNOSUPPORT = 94,
	TERN_EOPNOTSUPP = 95,
	TERN_EAFNOSUPPORT = 97,
	TERN_EADDRINUSE = 98,
	TERN_EADDRNOTAVAIL = 99,
	TERN_ENETUNREACH = 101,
	TERN_ECONNRESET = 104,
	TERN_ENOBUFS = 105,
	TERN_EISCONN = 106,
	TERN_ENOTCONN = 107,
	TERN_ETIMEDOUT = 110,
	TERN_ECONNREFUSED = 111,
	TERN_EHOSTDOWN = 112,
	TERN_EHOSTUNREACH = 113,
	TERN_EALREADY = 114,
	TERN_EINPROGRESS = 115,
};

/* "ECONNREFUSED" for TERN_ECONNREFUSED or its negative; "E?" for a number that is not ours. */
TERN_API const char *tern_errno_name(int error);

/* ---- addresses -------------------------------------------------------------------------- */

enum { TERN_AF_UNSPEC = 0, TERN_AF_INET = 2, TERN_AF_INET6 = 10 };

/* An endpoint without its protocol. IPv4 uses ip[0..3], the rest is zero. */
struct tern_addr {
	uint16_t family;   /* TERN_AF_* ; TERN_AF_UNSPEC: none */
	uint16_t port;	   /* host byte order */
	uint32_t scope_id; /* interface of a link-local IPv6 address, else 0 */
	uint8_t ip[16];	   /* network byte order */
	/*
	 * RFC 6437, in host byte order, of which 20 bits count; 0: none. Where IPv6 packets go
	 * (tern_connect, a send) and TERN_IPV6_FLOWINFO_SEND is set, they bear it;
	 * tern_getpeername gives it back. Elsewhere it is not looked at, and 0 in what is given.
	 */
	uint32_t flow_label;
};

TERN_API struct tern_addr tern_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);

/*
 * Reads "192.0.2.1", "2001:db8::1" or "fe80::1%2" (a number names the interface).
 * Returns 0, or -TERN_EINVAL and leaves *out alone.
 */
TERN_API int tern_addr_parse(const char *text, uint16_t port, struct tern_addr *out);

enum { TERN_ADDR_TEXT_MAX = 64 };

/*
 * Writes RFC 5952 text, with a port as "192.0.2.1:80" or "[2001:db8::1]:80" when with_port.
 * buf holds TERN_ADDR_TEXT_MAX bytes; returns buf.
 */
TERN_API char *tern_addr_format(const struct tern_addr *, bool with_port, char *buf);

/* ---- packets ---------------------------------------------------------------------------- */

enum { TERN_PKT_SPANS_MAX = 6 };

struct tern_span {
	uint8_t *ptr;
	uint32_t len;
};

enum tern_pkt_flag {
	TERN_PKT_CSUM_PARTIAL =
		1 << 0,		     /* csum_start/csum_off: the device or receiver completes it */
	TERN_PKT_CSUM_GOOD = 1 << 1, /* the transport checksum is right: whoever delivered it has
				      * verified it, or the stack has made it (datagrams) */
	TERN_PKT_TSO4 = 1 << 2,	     /* a TCP/IPv4 super-frame of gso_size segments */
	TERN_PKT_TSO6 = 1 << 3,	     /* a TCP/IPv6 super-frame */
	TERN_PKT_LINK_BROADCAST = 1 << 4, /* arrived as a link-layer broadcast or multicast */
	TERN_PKT_EXTERNAL = 1 << 5, /* the linear part belongs to the user: see tern_reclaim */
};

/*
 * A frame: one linear part (headers, and all of a received frame), then up to six spans that point
 * into the stack's buffers and stay valid until tern_pkt_free. Fields below "private" are the
 * stack's. `next` is for the lists of whoever owns the packet.
 */
struct tern_pkt {
	struct tern_pkt *next;
	uint8_t *data;	     /* first byte of the linear part */
	uint32_t len;	     /* bytes in the linear part */
	uint32_t total_len;  /* bytes in all */
	uint16_t ifindex;    /* where it came from or goes to */
	uint16_t flags;	     /* enum tern_pkt_flag */
	uint16_t csum_start; /* offset from data where the checksum begins */
	uint16_t csum_off;   /* offset from csum_start of the 16-bit field */
	uint16_t gso_size;   /* payload bytes of each segment of a super-frame, else 0 */
	uint8_t n_spans;
	uint8_t cause; /* enum tern_cause */
	struct tern_span span[TERN_PKT_SPANS_MAX];
	/* private */
	uint32_t head_room; /* bytes before data that may be pushed */
	uint32_t cap;	    /* of the allocation */
	uint32_t conn;	    /* number of the connection in trace records */
	uint32_t
		cut_to; /* of IP, on its way out: larger than this it goes in fragments; 0: whole */
	void *cookie;	/* of an external packet */
	void *pin[TERN_PKT_SPANS_MAX];
};

/* ---- trace ------------------------------------------------------------------------------ */

enum tern_tcp_state { /* RFC 9293 3.3.2 */
		      TERN_TCP_CLOSED,
		      TERN_TCP_LISTEN,
		      TERN_TCP_SYN_SENT,
		      TERN_TCP_SYN_RECEIVED,
		      TERN_TCP_ESTABLISHED,
		      TERN_TCP_FIN_WAIT_1,
		      TERN_TCP_FIN_WAIT_2,
		      TERN_TCP_CLOSE_WAIT,
		      TERN_TCP_CLOSING,
		      TERN_TCP_LAST_ACK,
		      TERN_TCP_TIME_WAIT,
		      TERN_TCP_N_STATES
};

/* "SYN-RECEIVED" for TERN_TCP_SYN_RECEIVED. */
TERN_API const char *tern_tcp_state_name(enum tern_tcp_state);

enum tern_drop { /* why a packet was dropped; each has a name and a counter */
		 TERN_DROP_NONE,
		 TERN_DROP_NO_MEMORY,
		 TERN_DROP_IFACE_DOWN,
		 TERN_DROP_ETH_SHORT,
		 TERN_DROP_ETH_NOT_OURS,
		 TERN_DROP_NO_PROTO,
		 TERN_DROP_ARP_MALFORMED,
		 TERN_DROP_DUPLICATE_ADDRESS, /* another host says it has one of ours */
		 TERN_DROP_IP_MALFORMED,
		 TERN_DROP_IP_CHECKSUM,
		 TERN_DROP_IP_SOURCE,
		 TERN_DROP_IP_NOT_OURS,
		 TERN_DROP_FRAG_MALFORMED, /* its length or offset cannot be */
		 TERN_DROP_FRAG_OVERLAP,   /* and with it all of its datagram: RFC 5722 */
		 TERN_DROP_FRAG_MEMORY,
		 TERN_DROP_FRAG_TIMEOUT,
		 TERN_DROP_IP_OPTIONS,
		 TERN_DROP_IP_TTL,
		 TERN_DROP_ICMP_MALFORMED,
		 TERN_DROP_ICMP_CHECKSUM,
		 TERN_DROP_ICMP_STALE,
		 TERN_DROP_ND_MALFORMED,
		 TERN_DROP_IGMP_MALFORMED, /* MLD, too */
		 TERN_DROP_UDP_MALFORMED,
		 TERN_DROP_UDP_CHECKSUM,
		 TERN_DROP_UDP_NO_SOCKET,
		 TERN_DROP_SOCK_QUEUE_FULL,
		 TERN_DROP_TCP_MALFORMED,
		 TERN_DROP_TCP_CHECKSUM,
		 TERN_DROP_TCP_NO_SOCKET,
		 TERN_DROP_TCP_ADDRESS,
		 TERN_DROP_TCP_PAWS,
		 TERN_DROP_TCP_SEQUENCE,
		 TERN_DROP_TCP_RESET,
		 TERN_DROP_TCP_NO_ACK,
		 TERN_DROP_TCP_ACK_RANGE,
		 TERN_DROP_TCP_FLAGS,
		 TERN_DROP_TCP_SYN_CHALLENGED,
		 TERN_DROP_TCP_SYN_QUEUE_FULL,
		 TERN_DROP_TCP_ACCEPT_QUEUE_FULL,
		 TERN_DROP_TCP_AFTER_CLOSE,
		 TERN_DROP_TCP_TIME_WAIT,
		 TERN_DROP_TCP_MEMORY,
		 TERN_DROP_NEIGH_UNRESOLVED,
		 TERN_DROP_NO_ROUTE,
		 TERN_DROP_TOO_BIG,
		 TERN_DROP_RATE_LIMITED,
		 TERN_N_DROPS
};

/* "tcp-checksum" for TERN_DROP_TCP_CHECKSUM. */
TERN_API const char *tern_drop_name(enum tern_drop);

enum tern_cause { /* why a segment was sent that is not simply new data */
		  TERN_CAUSE_NONE,
		  TERN_CAUSE_RTO,	      /* retransmission time-out, RFC 6298 */
		  TERN_CAUSE_FAST_RETRANSMIT, /* three duplicate ACKs, RFC 5681; RFC 8985 */
		  TERN_CAUSE_PARTIAL_ACK,     /* NewReno, RFC 6582 */
		  TERN_CAUSE_PROBE,	      /* zero-window probe, RFC 9293 3.8.6.1 */
		  TERN_CAUSE_KEEPALIVE,	      /* RFC 9293 3.8.4 */
		  TERN_CAUSE_CHALLENGE,	      /* RFC 5961 challenge ACK */
		  TERN_CAUSE_SYN_AGAIN, /* the peer's SYN came again: the SYN-ACK goes again */
		  TERN_CAUSE_TLP,	/* tail loss probe, RFC 8985 7 */
		  TERN_CAUSE_PATH_MTU, /* it was larger than the path carries, RFC 1191, RFC 4821 */
		  TERN_N_CAUSES
};

/* "rto", "fast-retransmit", "partial-ack", "probe", "keepalive", "challenge", "path-mtu", ... */
TERN_API const char *tern_cause_name(enum tern_cause);

enum tern_trace_kind {
	TERN_TRACE_PACKET_IN,  /* as it came, before any check */
	TERN_TRACE_PACKET_OUT, /* as it goes to the device; cause, conn */
	TERN_TRACE_DROP,       /* drop; pkt may be NULL */
	TERN_TRACE_STATE,      /* a connection went from old_state to new_state */
	TERN_TRACE_SAMPLE,     /* congestion and RTT figures after they changed */
	TERN_TRACE_TIMER,      /* a named TCP timer expired */
};

/* Everything a record points to is borrowed for the call only. */
struct tern_trace {
	tern_time at;
	uint32_t kind;	   /* enum tern_trace_kind */
	uint32_t stack_id; /* tern_config.id */
	uint64_t conn;	   /* unique number of the connection within its stack; 0: none */
	struct tern_addr local, remote;
	const struct tern_pkt *pkt;
	uint32_t drop;		       /* enum tern_drop */
	uint32_t cause;		       /* enum tern_cause */
	uint32_t old_state, new_state; /* enum tern_tcp_state */
	bool by_listen;		       /* of a state change: the connection was opened passively */
	const char *timer; /* "rto", "persist", "delayed-ack", "keepalive", "time-wait", ... */
	uint64_t cwnd, ssthresh, in_flight; /* bytes */
	tern_time srtt, rttvar, rto;	    /* durations */
};

/* ---- the stack -------------------------------------------------------------------------- */

struct tern_stack;

/* The world, handed over once. ctx is passed to each function. */
struct tern_env {
	/*
	 * Memory aligned as for a uint64_t; NULL when none is left, which the stack survives. Most
	 * of it is asked for in pieces of 1 to 32 KiB, and of some more than 4, 16 and 64; tables
	 * in larger ones as they grow. free is told the size that alloc was asked for. Neither may
	 * call back.
	 */
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *ptr, size_t size);
	void (*trace)(void *ctx, const struct tern_trace *); /* may be NULL; must not call back */
	/*
	 * Ones'-complement sums over bytes, unfolded, added to the third argument; NULL: the
	 * portable ones. The copying one copies from the second argument to the first as well.
	 */
	uint32_t (*sum)(const void *, size_t, uint32_t);
	uint32_t (*copy_sum)(void *, const void *, size_t, uint32_t);
	/* Of several shards that share addresses: is this flow ours? NULL: all are. */
	bool (*belongs_here)(void *ctx, unsigned proto, const struct tern_addr *local,
			     const struct tern_addr *remote);
	void *ctx;
	uint8_t seed[32]; /* secret; every random choice derives from it */
};

/*
 * Limits and defaults of a stack. Each has a sysctl name (tern_sysctl_get/set), Linux's where
 * Linux has one. Sizes are bytes.
 */
struct tern_config {
	size_t size;	/* sizeof(struct tern_config), set by tern_config_default */
	uint32_t id;	/* names the stack in trace records */
	uint32_t shard; /* 0..255: this stack's part of a handle */
	/*
	 * Of all that the stack allocates. At rest it holds 24 KiB, with three connections that
	 * talk some 60: with less some are made that cannot say a word.
	 */
	uint64_t memory_max;
	uint32_t sockets_max;
	uint32_t half_open_max; /* half-open connections in all */
	uint32_t time_wait_max;
	uint32_t neighbours_max;      /* for each interface */
	uint32_t neighbour_queue_max; /* packets waiting for one resolution */
	uint32_t routes_max;	      /* with those that addresses bring, of lo, too */
	uint32_t addresses_max;	      /* with the two of lo */
	uint32_t path_mtus_max;	      /* destinations whose path MTU is remembered */
	uint32_t frag_memory_max;     /* bytes of fragments that wait for the rest: of all ... */
	uint32_t frag_source_max;     /* ... and of one sender */
	uint32_t frag_time_ms;	      /* a datagram waits so long; half of it under pressure */
	uint32_t routers_max;	      /* that advertise themselves, for each interface */
	uint32_t prefixes_max;	      /* that they advertise, for each interface */
	uint32_t servers_max;	      /* name servers and search domains learned, in all */
	uint32_t groups_max;	      /* memberships of one socket */
	uint32_t group_sources_max;   /* sources of one membership */
	uint32_t somaxconn;
	uint16_t port_min, port_max;	     /* of automatic ports, inclusive */
	uint32_t rcvbuf_default, rcvbuf_max; /* datagram and raw sockets */
	uint32_t sndbuf_default, sndbuf_max;
	/* what a stream's buffers begin with, and what they grow to or may be set to */
	uint32_t tcp_rcvbuf_default, tcp_rcvbuf_max;
	uint32_t tcp_sndbuf_default, tcp_sndbuf_max;
	uint32_t tcp_time_wait_ms;   /* 2 MSL */
	uint32_t tcp_fin_timeout_ms; /* FIN-WAIT-2 of a closed socket */
	uint32_t tcp_rto_initial_ms, tcp_rto_min_ms, tcp_rto_max_ms;
	uint32_t tcp_delayed_ack_ms; /* below 500 */
	uint32_t tcp_quick_acks;     /* segments acknowledged at once, at first; 255 at most */
	uint32_t tcp_ack_segments;   /* segments that an ACK covers at most; 0: all that came */
	uint32_t tcp_syn_retries, tcp_synack_retries;
	uint32_t tcp_retries1; /* R1: the neighbour is suspected */
	uint32_t tcp_retries2; /* R2: the connection is given up */
	uint32_t tcp_orphan_retries;
	uint32_t tcp_max_orphans; /* connections whose users have gone; a further one is reset */
	uint32_t tcp_keepalive_time_ms, tcp_keepalive_interval_ms, tcp_keepalive_probes;
	uint32_t tcp_challenge_ack_limit;  /* for one connection in 5 s */
	uint32_t tcp_invalid_ratelimit_ms; /* between ACKs that answer unacceptable segments */
	uint32_t tcp_initial_cwnd;	   /* segments; RFC 6928: 10 */
	uint32_t tcp_min_snd_mss;	   /* smaller MSS options are raised to this */
	uint32_t tcp_ranges_max;	   /* out-of-order ranges kept by one connection */
	uint32_t icmp_ratelimit_ms;	   /* ICMP errors: one in this time on average ... */
	uint32_t icmp_burst;		   /* ... with bursts of so many */
	uint32_t path_mtu_expires_ms;	   /* what a router said is forgotten; 0: never */
	uint32_t path_mtu_min;		   /* of IPv4: below that no router is believed */
	uint8_t ip_no_pmtu_disc;	   /* 0: path MTU discovery; 1, 2, 3: Linux's meaning */
	uint8_t tcp_mtu_probing; /* RFC 4821: 0 off, 1 when a black hole is suspected, 2 always */
	uint32_t tcp_base_mss;	 /* what it begins with: search_low */
	uint32_t tcp_mtu_probe_floor;	/* and never goes below */
	uint32_t tcp_probe_interval_ms; /* until a search that has ended begins anew */
	uint32_t tcp_probe_threshold;	/* it ends when so few bytes are left to search */
	uint32_t dhcp_delay_ms; /* before a first DISCOVER at most, a tenth of it at least */
	uint8_t ttl, hop_limit;
	bool tcp_window_scaling, tcp_timestamps, tcp_sack;
	bool tcp_pacing;	  /* windows leave over a round trip, not at once */
	bool tcp_moderate_rcvbuf; /* receive buffers grow with what is read */
	/*
	 * ECN, RFC 3168, and Accurate ECN, RFC 9768: what our SYNs ask for and what we agree to.
	 * 0: none; 1: ECN, ECN; 2: none, ECN; 3: accurate, accurate; 4: ECN, accurate; 5: none,
	 * accurate. Who agrees to the accurate one agrees to the other, too.
	 */
	uint8_t tcp_ecn;
	uint8_t tcp_ecn_option; /* AccECN's: 0 never, 1 sparingly, 2 if it fits, 3 persistently */
	bool tcp_ecn_fallback;	/* SYNs that go unanswered no longer ask for ECN */
	bool tcp_early_retrans; /* tail loss probes, RFC 8985 7 */
	bool tcp_frto;		/* RFC 5682 */
	uint8_t tcp_syncookies; /* RFC 4987: 0 never, 1 when half-open records run out, 2 always */
	uint16_t tcp_fastopen;	/* RFC 7413: 1 as client, 2 as server, 4 and 0x200 without cookie */
	uint8_t tcp_tw_reuse;	/* by connect: 0 never, 1 with timestamps, 2 so on loopback */
	bool tcp_rfc1337;	/* a RST ends TIME-WAIT only as the answer to the ACK of a SYN */
	bool tcp_abort_on_overflow; /* RST, and no further try, when an accept queue is full */
	/* RFC 4861 10, of both families: REACHABLE_TIME, unless a router says so, and the DELAY */
	uint32_t neighbour_reachable_ms, neighbour_delay_ms;
	bool icmp_echo_ignore_all;
	bool ip_nonlocal_bind;
	bool ip_forward, ipv6_forward; /* packets for others go on, between interfaces */
	bool accept_redirects;	       /* RFC 4861 8.3 and RFC 1122 3.2.2.2 */
	uint8_t dad_transmits;	       /* RFC 4862 5.1; 0: no duplicate address detection */
	/*
	 * The strong host model of RFC 1122 3.3.4.2: an address belongs to its interface. What
	 * comes in by another is not heard, and what bears it goes out by its own. 0: the weak one,
	 * as Linux has it.
	 */
	uint8_t strong_host;
	uint8_t use_tempaddr; /* RFC 8981: 0 none, 1 has them, 2 prefers them */
	/*
	 * Labels of IPv6 flows, RFC 6437: 0 none; 1: all have one but those whose programs refuse
	 * it, 2: those whose programs want it (TERN_IPV6_AUTOFLOWLABEL), 3: all have one.
	 */
	uint8_t auto_flowlabels;
	char tcp_congestion_control[16]; /* "cubic", "bbr", "reno", "fixed" */
};

TERN_API void tern_config_default(struct tern_config *);
/*
 * What is wrong with it: the setting's name as tern_sysctl_set has it (of two that do not fit one
 * another, one), or the member's that is none ("size"; "memory_max": less than the first piece of a
 * stack). NULL: nothing.
 */
TERN_API const char *tern_config_fault(const struct tern_config *);

/*
 * Makes a stack with one interface, `lo` (index 1). Both arguments are copied.
 * Returns NULL when the configuration is out of range (tern_config_fault), the environment has no
 * alloc or free, or memory is short.
 */
TERN_API struct tern_stack *tern_new(const struct tern_config *, const struct tern_env *);

/* Frees everything. Packets taken by tern_output must have been freed before. NULL is allowed. */
TERN_API void tern_free(struct tern_stack *);

/*
 * Draws anew, after a fork or a snapshot, what strangers are not to guess: sequence numbers, ports,
 * identifiers, labels of flows, cookies. Connections go on, and so do the offsets of their
 * timestamps (RFC 7323 5.4), which the same names have in both copies, and the keys of hash tables.
 */
TERN_API void tern_reseed(struct tern_stack *, const uint8_t seed[32]);

/* Time in. `now` never goes back (an earlier one is ignored). Runs what has become due. */
TERN_API void tern_advance(struct tern_stack *, tern_time now);

/*
 * Packet in: one of tern_pkt_new or tern_pkt_new_external of this stack, and no other. What a stack
 * has sent the caller copies to such a one first, by tern_pkt_emit or tern_pkt_copy, and frees it
 * where it came from. Takes ownership on every path. The caller sets ifindex (none: dropped) and,
 * where the device says so, adds to flags: TERN_PKT_CSUM_GOOD; TERN_PKT_CSUM_PARTIAL, with
 * csum_start and csum_off; TERN_PKT_TSO4 or _TSO6, with gso_size; TERN_PKT_LINK_BROADCAST, which
 * the stack finds on Ethernet.
 */
TERN_API void tern_input(struct tern_stack *, struct tern_pkt *);
/* The same for a list linked by `next`; ACKs are decided once, after the last. */
TERN_API void tern_input_batch(struct tern_stack *, struct tern_pkt *);
/*
 * The same of one packet in a buffer of the caller's, such as a ring's, that is lent for this call
 * alone: what tern_pkt_new, a copy of the bytes and tern_input do, for less.
 */
TERN_API void tern_input_from(struct tern_stack *, unsigned ifindex, const void *buf, size_t len);

/* Packet out, or NULL. The caller owns it until tern_pkt_free. */
TERN_API struct tern_pkt *tern_output(struct tern_stack *, unsigned ifindex);
/* Up to max packets, linked by `next`; *n says how many. */
TERN_API struct tern_pkt *tern_output_batch(struct tern_stack *, unsigned ifindex, unsigned max,
					    unsigned *n);
/*
 * The next packet out, written whole to buf with its checksum: for devices with buffers of their
 * own, such as a ring. What tern_output, tern_pkt_emit and tern_pkt_free do, for less; with
 * TERN_IFACE_CSUM the checksum is made while the payload is copied. room: the MTU and 14 bytes at
 * least. Returns the length; 0: there is nothing to send; -TERN_EINVAL: too little room, or an
 * interface with TERN_IFACE_TSO4 or TERN_IFACE_TSO6; -TERN_EMSGSIZE: the packet was larger than
 * room, because the MTU has shrunk, and is dropped.
 */
TERN_API int64_t tern_output_to(struct tern_stack *, unsigned ifindex, void *buf, size_t room);
/* Has the interface something to send? 0 asks for any: the first such index, or 0. */
TERN_API unsigned tern_output_ready(const struct tern_stack *, unsigned ifindex);

/* The next instant at which tern_advance has something to do; TERN_NEVER. Never too late. */
TERN_API tern_time tern_deadline(const struct tern_stack *);

/* The instant last handed to tern_advance. */
TERN_API tern_time tern_now(const struct tern_stack *);

/*
 * A packet of len bytes to fill and hand to tern_input, or NULL when memory is short. The contents
 * are not initialised. Where fewer bytes come than it has room for, set len and total_len to them.
 */
TERN_API struct tern_pkt *tern_pkt_new(struct tern_stack *, uint32_t len);
/*
 * A packet whose bytes stay the user's until tern_reclaim returns their cookie.
 */
TERN_API struct tern_pkt *tern_pkt_new_external(struct tern_stack *, void *data, uint32_t len,
						void *cookie);
/* Ends a packet. NULL is allowed. */
TERN_API void tern_pkt_free(struct tern_stack *, struct tern_pkt *);
/* The next external buffer that is free again, in *cookie; false: none. */
TERN_API bool tern_reclaim(struct tern_stack *, void **cookie);
/* Copies len bytes from offset (linear part and spans alike) to buf; returns bytes copied. */
TERN_API uint32_t tern_pkt_copy(const struct tern_pkt *, uint32_t offset, void *buf, uint32_t len);
/*
 * Completes a packet with TERN_PKT_CSUM_PARTIAL: computes and stores its checksum and clears the
 * flag. Super-frames must be cut first.
 */
TERN_API void tern_pkt_complete(struct tern_stack *, struct tern_pkt *);
/*
 * Copies all of a packet (total_len bytes) to buf, its checksum completed in the same pass: for
 * wires that carry frames from memory to memory. Super-frames must be cut first.
 */
TERN_API void tern_pkt_emit(const struct tern_stack *, const struct tern_pkt *, void *buf);

/* ---- interfaces, addresses, routes, neighbours ------------------------------------------ */

enum tern_link { TERN_LINK_ETHERNET = 1, TERN_LINK_IP = 2, TERN_LINK_LOOPBACK = 3 };

enum tern_iface_flag {
	TERN_IFACE_CSUM = 1 << 0, /* the device completes TERN_PKT_CSUM_PARTIAL on output */
	TERN_IFACE_TSO4 = 1 << 1, /* the device cuts TCP/IPv4 super-frames */
	TERN_IFACE_TSO6 = 1 << 2,
	TERN_IFACE_ANY_ADDRESS = 1 << 3, /* every destination is ours: gateways, tun2socks */
	TERN_IFACE_DOWN = 1 << 4,
};

struct tern_iface {
	char name[16];
	uint32_t link;	/* enum tern_link */
	uint32_t mtu;	/* IP bytes: 68..65535; with IPv6 addresses 1280 at least */
	uint32_t flags; /* enum tern_iface_flag */
	uint8_t mac[6]; /* Ethernet only */
};

/*
 * Returns the new index (2 and up, the lowest that is free), -TERN_EINVAL, -TERN_EEXIST (name) or
 * -TERN_ENOMEM (also where there are 64, with lo).
 */
TERN_API int tern_iface_add(struct tern_stack *, const struct tern_iface *);
/* Removes the interface, its addresses, routes and neighbours. 0 or -TERN_ENODEV (lo, too). */
TERN_API int tern_iface_del(struct tern_stack *, unsigned ifindex);
/* 0 or -TERN_ENODEV. */
TERN_API int tern_iface_get(const struct tern_stack *, unsigned ifindex, struct tern_iface *);
/*
 * Changes mtu and flags. What waits to be sent by an interface that goes down is lost; connections
 * go by another route that is there, or wait until it is up again and time out, as on Linux.
 * 0, -TERN_ENODEV or -TERN_EINVAL (the mtu, see struct tern_iface; an unknown flag).
 */
TERN_API int tern_iface_set(struct tern_stack *, unsigned ifindex, uint32_t mtu, uint32_t flags);
/*
 * Another link-layer address, of an Ethernet: neighbours are told three times, a second apart.
 * 0, -TERN_ENODEV or -TERN_EINVAL (no Ethernet; a group).
 */
TERN_API int tern_iface_set_mac(struct tern_stack *, unsigned ifindex, const uint8_t mac[6]);
/* The next index above `after` (0: the first), or 0. */
TERN_API unsigned tern_iface_next(const struct tern_stack *, unsigned after);

/*
 * Gives the interface an address, and a route to its prefix. The port is ignored.
 * 0, -TERN_ENODEV, -TERN_EINVAL, -TERN_EEXIST, -TERN_ENOMEM, or -TERN_EAFNOSUPPORT (a build without
 * IPv6).
 */
TERN_API int tern_addr_add(struct tern_stack *, unsigned ifindex, const struct tern_addr *,
			   unsigned prefix_len);
/*
 * 0 or -TERN_EADDRNOTAVAIL. Nothing is sent that bears it any more: connections wait until it is
 * back, and end when their peers or timers say so; datagrams of sockets bound to it: -TERN_EINVAL.
 */
TERN_API int tern_addr_del(struct tern_stack *, unsigned ifindex, const struct tern_addr *);

enum tern_origin { /* who configured it; what is static wins */
		   TERN_ORIGIN_STATIC,
		   TERN_ORIGIN_RA, /* what routers say: RFC 4861, RFC 4862; redirects */
		   TERN_ORIGIN_DHCP4,
		   TERN_ORIGIN_DHCP6,
		   TERN_ORIGIN_LINK_LOCAL, /* made up: RFC 3927, RFC 4862 5.3 */
		   TERN_N_ORIGINS
};

enum tern_addr_flag {
	TERN_ADDR_TENTATIVE = 1 << 0,  /* not ours yet: is another host using it? */
	TERN_ADDR_DUPLICATE = 1 << 1,  /* another host is: never ours */
	TERN_ADDR_DEPRECATED = 1 << 2, /* ours, but nothing new begins from it */
	TERN_ADDR_TEMPORARY = 1 << 3,  /* RFC 8981 */
};

struct tern_iface_addr {
	unsigned ifindex;
	struct tern_addr addr;
	unsigned prefix_len;
	uint32_t origin; /* enum tern_origin */
	uint32_t flags;	 /* enum tern_addr_flag */
	/* instants; TERN_NEVER: without end */
	tern_time preferred_until, valid_until;
};
/* Walks all addresses; *cursor starts at 0. */
TERN_API bool tern_addr_next(const struct tern_stack *, unsigned *cursor, struct tern_iface_addr *);

struct tern_route {
	struct tern_addr dst; /* family and prefix; all zero with prefix_len 0: the default */
	unsigned prefix_len;
	struct tern_addr gateway; /* family TERN_AF_UNSPEC: on link */
	unsigned ifindex;
	uint32_t metric; /* lower wins among equal prefixes */
	uint32_t mtu;	 /* 0: the interface's; else 68 and up (IPv6 1280) */
	uint32_t origin; /* enum tern_origin; of tern_route_add: static */
	/*
	 * Only for packets from this prefix: a host with two providers sends what bears the address
	 * of one by the router of that one. Of routes to one dst the longest src wins, before the
	 * metric. What has no source yet (an unbound socket) goes by routes without.
	 */
	struct tern_addr src; /* family TERN_AF_UNSPEC: from anywhere */
	unsigned src_len;
};
/*
 * 0, -TERN_EINVAL, -TERN_ENODEV, -TERN_EEXIST, -TERN_ENETUNREACH (gateway), -TERN_ENOMEM, or
 * -TERN_EAFNOSUPPORT (a build without IPv6).
 */
TERN_API int tern_route_add(struct tern_stack *, const struct tern_route *);
/* Matches dst, prefix_len, src, src_len, ifindex and gateway. 0 or -TERN_ENOENT. */
TERN_API int tern_route_del(struct tern_stack *, const struct tern_route *);
/* Each route once, in no order; *cursor starts at 0. false: no more. */
TERN_API bool tern_route_next(const struct tern_stack *, unsigned *cursor, struct tern_route *);

/*
 * A line of the policy table of RFC 6724 2.1, by which sources are chosen, and destinations by
 * resolvers: addresses whose labels are equal belong together, a higher precedence is better. IPv4
 * is ::ffff:0:0/96.
 */
struct tern_policy {
	struct tern_addr prefix;
	unsigned prefix_len;
	uint32_t precedence, label;
};
enum { TERN_POLICIES_MAX = 32 };
/*
 * These lines are the table, in any order; none: the default one. 0, or -TERN_EINVAL (too many, a
 * prefix with more bits than its length, the same one twice): then it is as it was.
 */
TERN_API int tern_policy_set(struct tern_stack *, const struct tern_policy *, unsigned n);
/* Walks them, the longest prefix first; *cursor starts at 0. */
TERN_API bool tern_policy_next(const struct tern_stack *, unsigned *cursor, struct tern_policy *);
/* The line for an address; that of none has precedence 0 and a label of its own, UINT32_MAX. */
TERN_API void tern_policy_of(const struct tern_stack *, const struct tern_addr *,
			     struct tern_policy *);

enum tern_neigh_state {
	TERN_NEIGH_INCOMPLETE = 1,
	TERN_NEIGH_REACHABLE,
	TERN_NEIGH_STALE,
	TERN_NEIGH_DELAY,
	TERN_NEIGH_PROBE,
	TERN_NEIGH_PERMANENT
};
struct tern_neigh {
	unsigned ifindex;
	struct tern_addr addr;
	uint8_t mac[6];
	uint32_t state; /* enum tern_neigh_state */
};
/* Makes a permanent entry. 0, -TERN_ENODEV, -TERN_EINVAL or -TERN_ENOMEM. */
TERN_API int tern_neigh_add(struct tern_stack *, const struct tern_neigh *);
/* 0 or -TERN_ENOENT. */
TERN_API int tern_neigh_del(struct tern_stack *, unsigned ifindex, const struct tern_addr *);
TERN_API bool tern_neigh_next(const struct tern_stack *, unsigned *cursor, struct tern_neigh *);

/* ---- configuration by the network ------------------------------------------------------- */

enum tern_auto {
	TERN_AUTO_RA = 1 << 0,		/* IPv6: link-local, router advertisements, SLAAC */
	TERN_AUTO_DHCP6 = 1 << 1,	/* as router advertisements ask: RFC 8415 */
	TERN_AUTO_DHCP4 = 1 << 2,	/* RFC 2131 */
	TERN_AUTO_LINK_LOCAL4 = 1 << 3, /* RFC 3927, while there is no other IPv4 address */
	/* instead of TERN_AUTO_DHCP4: for a static address servers, routes, MTU: RFC 2131 3.4 */
	TERN_AUTO_INFORM4 = 1 << 4,
};
/*
 * Configures an Ethernet interface by these means from now on, and by no others: what those have
 * brought is given back (DHCP: released). The lean core has those of IPv4. 0, -TERN_ENODEV,
 * -TERN_EINVAL (also means that this build has not) or -TERN_ENOMEM.
 */
TERN_API int tern_auto_set(struct tern_stack *, unsigned ifindex, unsigned means);

enum tern_server_kind { TERN_SERVER_DNS = 1, TERN_SERVER_SEARCH, TERN_SERVER_NTP };
enum { TERN_DOMAIN_MAX = 256 };

/* What the network said of servers, best first. */
struct tern_server {
	uint32_t kind; /* enum tern_server_kind */
	unsigned ifindex;
	uint32_t origin;	      /* enum tern_origin */
	struct tern_addr addr;	      /* of a server, with its port */
	char domain[TERN_DOMAIN_MAX]; /* to search in */
	tern_time valid_until;	      /* an instant; TERN_NEVER */
};
/* Walks them; *cursor starts at 0. */
TERN_API bool tern_server_next(const struct tern_stack *, unsigned *cursor, struct tern_server *);

enum tern_net_change {
	TERN_NET_LINK = 1 << 0,	 /* up, down, mtu; or the interface came or went */
	TERN_NET_ADDRS = 1 << 1, /* came, went, or changed their flags */
	TERN_NET_ROUTES = 1 << 2,
	TERN_NET_SERVERS = 1 << 3,   /* see tern_server_next */
	TERN_NET_DUPLICATE = 1 << 4, /* another host uses an address of ours */
};
/* What of an interface has changed since it was asked last. */
struct tern_net_event {
	unsigned ifindex;
	uint32_t changes; /* enum tern_net_change */
};
/* News of the network out; false: none. One pending event for an interface. */
TERN_API bool tern_net_event(struct tern_stack *, struct tern_net_event *);

/* ---- sockets ---------------------------------------------------------------------------- */

typedef uint64_t tern_sock; /* shard, index, generation; a stale one is -TERN_EBADF; 0: none */

enum { TERN_SOCK_STREAM = 1, TERN_SOCK_DGRAM = 2, TERN_SOCK_RAW = 3 };

enum {
	TERN_IPPROTO_IP = 0,
	TERN_IPPROTO_ICMP = 1,
	TERN_IPPROTO_IGMP = 2,
	TERN_IPPROTO_TCP = 6,
	TERN_IPPROTO_UDP = 17,
	TERN_IPPROTO_IPV6 = 41,
	TERN_IPPROTO_ICMPV6 = 58,
	TERN_IPPROTO_RAW = 255
};

/*
 * Opens a socket. STREAM: protocol 0 or TCP. DGRAM: 0 or UDP, or ICMP/ICMPV6 for an echo ("ping")
 * socket. RAW: any protocol 1..255.
 * 0 and *out, or -TERN_EAFNOSUPPORT, -TERN_ESOCKTNOSUPPORT, -TERN_EPROTONOSUPPORT, -TERN_EINVAL (no
 * number of a protocol), -TERN_ENFILE (sockets_max), -TERN_ENOMEM.
 */
TERN_API int tern_socket(struct tern_stack *, int family, int type, int protocol, tern_sock *out);

/*
 * 0, or -TERN_EBADF, -TERN_EINVAL (already bound; a link-local address without its scope; one of
 * IPv4 for a socket of IPv6, but as ::ffff:a.b.c.d), -TERN_ENODEV (no such scope),
 * -TERN_EADDRINUSE, -TERN_EADDRNOTAVAIL, -TERN_EAFNOSUPPORT, -TERN_ENOMEM.
 */
TERN_API int tern_bind(struct tern_stack *, tern_sock, const struct tern_addr *);

/*
 * STREAM: starts the handshake and returns -TERN_EINPROGRESS; TERN_POLLOUT then says it ended and
 * TERN_SO_ERROR how. After one that failed the next says -TERN_ECONNREFUSED, or what else it was,
 * if nobody has asked TERN_SO_ERROR; then the socket is as before. Family TERN_AF_UNSPEC: 0; a
 * connection that stands is given up, by a RST, and to connect again is -TERN_EISCONN, until
 * TERN_AF_UNSPEC comes once more when the RST has gone; of one that is over, or was never open, the
 * socket is as before. Others: sets the peer, and their own name where they have none;
 * TERN_AF_UNSPEC dissolves it.
 * Also -TERN_EBADF, -TERN_EALREADY, -TERN_EISCONN, -TERN_EADDRNOTAVAIL (no free port, no source),
 * -TERN_ENETUNREACH, -TERN_EAFNOSUPPORT, -TERN_EINVAL, -TERN_EACCES (broadcast without
 * SO_BROADCAST), -TERN_EOPNOTSUPP (listening), -TERN_ENOMEM; of a STREAM -TERN_ECONNREFUSED at once
 * for port 0. -TERN_EINVAL also with TERN_SO_ANY_PORT.
 */
TERN_API int tern_connect(struct tern_stack *, tern_sock, const struct tern_addr *);

/* 0, or -TERN_EBADF, -TERN_EOPNOTSUPP, -TERN_EINVAL (connected), -TERN_EADDRINUSE, -TERN_ENOMEM. */
TERN_API int tern_listen(struct tern_stack *, tern_sock, int backlog);

/*
 * The oldest finished connection, in *out; peer may be NULL.
 * 0, or -TERN_EBADF, -TERN_EAGAIN, -TERN_EINVAL (not listening), -TERN_EOPNOTSUPP (not a STREAM),
 * -TERN_ENOMEM (it waits on).
 */
TERN_API int tern_accept(struct tern_stack *, tern_sock, tern_sock *out, struct tern_addr *peer);

enum tern_msg_flag { /* Linux's MSG_* */
		     TERN_MSG_OOB = 0x1,
		     TERN_MSG_PEEK = 0x2,
		     TERN_MSG_CTRUNC = 0x8,
		     TERN_MSG_PROBE = 0x10, /* send: a datagram is only looked at */
		     TERN_MSG_TRUNC = 0x20,
		     TERN_MSG_EOR = 0x80,
		     TERN_MSG_WAITALL = 0x100, /* accepted; waiting is the blocking layer's */
		     TERN_MSG_CONFIRM = 0x800,
		     TERN_MSG_ERRQUEUE = 0x2000,
		     TERN_MSG_NOSIGNAL = 0x4000,
		     TERN_MSG_MORE = 0x8000,
		     TERN_MSG_PATHMTU = 0x10000,    /* recv: no datagram: a send was too large */
		     TERN_MSG_FASTOPEN = 0x20000000 /* connects, with these bytes: RFC 7413 */
};

struct tern_iovec {
	void *base;
	size_t len;
};

/* What sendmsg and recvmsg carry. Set by tern_msg_init to "nothing special". */
struct tern_msg {
	const struct tern_iovec *iov;
	size_t n_iov;
	struct tern_addr addr;	/* send: to (or none when connected); recv: from */
	struct tern_addr local; /* send: source address wanted; recv: the destination it had */
	uint32_t ifindex;	/* send: through (0: routed); recv: came in by */
	int ttl, tos;		/* send: -1 means the socket's own; recv: of the packet */
	uint32_t flags;		/* recv: TERN_MSG_TRUNC, _OOB, _ERRQUEUE, _PATHMTU, _EOR */
	tern_time at;		/* recv: when the packet arrived */
	/* 20 bits of IPv6; send: 0: what the address or the socket says; recv: of the packet */
	uint32_t flow_label;
	uint16_t segment; /* send: TERN_UDP_SEGMENT of this message alone; 0: the socket's own */
	/*
	 * Of the error queue (IP_RECVERR): offender, local, ifindex, ttl and tos are of the packet
	 * that told of the error; addr is where the datagram went to.
	 */
	int error;		    /* a positive TERN_Exxx */
	uint8_t origin, type, code; /* 1: this host, 2: ICMP, 3: ICMPv6 */
	uint32_t info;		    /* MTU of the path or the link; also of TERN_MSG_PATHMTU */
	struct tern_addr offender;
};

TERN_API void tern_msg_init(struct tern_msg *, const struct tern_iovec *, size_t n_iov);

/*
 * Copies bytes in. Returns bytes taken (STREAM: possibly fewer), or the socket's pending error, or
 * -TERN_EBADF, -TERN_EAGAIN, -TERN_ENOBUFS; of a STREAM -TERN_EPIPE (it is not open, or shut), and
 * with TERN_MSG_FASTOPEN -TERN_EOPNOTSUPP and those of tern_connect; of others -TERN_EPIPE (shut),
 * -TERN_EDESTADDRREQ, -TERN_EMSGSIZE, -TERN_EINVAL, -TERN_EACCES, -TERN_ENODEV (ifindex),
 * -TERN_ENETUNREACH, -TERN_EADDRNOTAVAIL, -TERN_EAFNOSUPPORT, -TERN_EOPNOTSUPP (TERN_MSG_OOB; UDP
 * over IPv6 takes it for nothing), and, where a first send binds it, -TERN_EADDRINUSE (no free
 * port), -TERN_ENOMEM.
 * A STREAM is not writable, and says -TERN_EAGAIN, also while memory is short: TERN_POLLOUT comes
 * again 50 ms later. Its -TERN_ENOBUFS is the pending error of a connection that was reset so that
 * others get its memory.
 */
TERN_API int64_t tern_sendmsg(struct tern_stack *, tern_sock, const struct tern_msg *, int flags);
TERN_API int64_t tern_send(struct tern_stack *, tern_sock, const void *, size_t, int flags);
TERN_API int64_t tern_sendto(struct tern_stack *, tern_sock, const void *, size_t, int flags,
			     const struct tern_addr *to);
/*
 * Copies bytes out. 0 is the end of a stream, whatever came behind it (or an empty datagram). Or
 * -TERN_EBADF, -TERN_EAGAIN, -TERN_ENOTCONN, -TERN_EINVAL (no urgent byte), or the pending error.
 */
TERN_API int64_t tern_recvmsg(struct tern_stack *, tern_sock, struct tern_msg *, int flags);
TERN_API int64_t tern_recv(struct tern_stack *, tern_sock, void *, size_t, int flags);
TERN_API int64_t tern_recvfrom(struct tern_stack *, tern_sock, void *, size_t, int flags,
			       struct tern_addr *from);

/*
 * In-place stream I/O: spans of the stack's own buffers, valid until the next call on the stack.
 * tern_send_space lends at most max spans of free space (at least one byte in all) and returns how
 * many; tern_send_commit sends the first len bytes written there, and the rest goes back: 0. Where
 * there was nothing to write, commit 0: what is lent (180 KiB and more) is held until then.
 * tern_recv_data lends arrived bytes; tern_recv_consume gives the first len back: 0. Errors as
 * tern_send and tern_recv, and -TERN_EOPNOTSUPP (not a STREAM), -TERN_ENOTCONN (never connected),
 * -TERN_EINVAL (max; more than was lent); 0 spans from tern_recv_data is the end of the stream.
 */
TERN_API int tern_send_space(struct tern_stack *, tern_sock, struct tern_span *, int max);
TERN_API int tern_send_commit(struct tern_stack *, tern_sock, size_t len, int flags);
TERN_API int tern_recv_data(struct tern_stack *, tern_sock, struct tern_span *, int max);
TERN_API int tern_recv_consume(struct tern_stack *, tern_sock, size_t len);

enum { TERN_SHUT_RD = 0, TERN_SHUT_WR = 1, TERN_SHUT_RDWR = 2 };
/*
 * A stream that is shut both ways is closed to text: more of it is answered by a RST. 0, or
 * -TERN_EBADF, -TERN_ENOTCONN, -TERN_EINVAL.
 */
TERN_API int tern_shutdown(struct tern_stack *, tern_sock, int how);

/*
 * Ends the handle at once; a stream is closed in order in the background (or reset: unread data,
 * SO_LINGER with 0). 0 or -TERN_EBADF.
 */
TERN_API int tern_close(struct tern_stack *, tern_sock);
/* Ends the handle and resets the connection. 0 or -TERN_EBADF. */
TERN_API int tern_abort(struct tern_stack *, tern_sock);

/* 0 or -TERN_EBADF; tern_getpeername also -TERN_ENOTCONN. */
TERN_API int tern_getsockname(struct tern_stack *, tern_sock, struct tern_addr *);
TERN_API int tern_getpeername(struct tern_stack *, tern_sock, struct tern_addr *);

enum tern_level { TERN_SOL_SOCKET = 1 }; /* and TERN_IPPROTO_IP, _IPV6, _TCP, _UDP, _RAW */

enum tern_so {
	TERN_SO_REUSEADDR = 2,
	TERN_SO_TYPE = 3,
	TERN_SO_ERROR = 4,
	TERN_SO_BROADCAST = 6,
	TERN_SO_SNDBUF = 7,
	TERN_SO_RCVBUF = 8,
	TERN_SO_KEEPALIVE = 9,
	TERN_SO_OOBINLINE = 10,
	TERN_SO_PRIORITY = 12,
	TERN_SO_LINGER = 13, /* struct tern_linger */
	TERN_SO_REUSEPORT = 15,
	TERN_SO_RCVLOWAT = 18,
	TERN_SO_SNDLOWAT = 19,
	TERN_SO_MAX_PACING_RATE = 47, /* bytes a second, in 4 or 8 bytes; all ones: no limit */
	TERN_SO_ACCEPTCONN = 30,
	TERN_SO_MARK = 36,
	TERN_SO_PROTOCOL = 38,
	TERN_SO_DOMAIN = 39,
	TERN_SO_BINDTOIFINDEX = 62,
	/* tern's own, above Linux's range */
	TERN_SO_SIOCINQ = 0x10001,  /* get: bytes to read (the next datagram's) */
	TERN_SO_SIOCOUTQ = 0x10002, /* get: bytes not yet acknowledged (or not yet sent) */
	TERN_SO_ATMARK = 0x10003,   /* get: the next byte is at the urgent mark */
	TERN_SO_DROPS = 0x10004,    /* get: datagrams dropped for want of room, uint32_t */
	/* of a listener: each SYN waits for tern_pending_answer */
	TERN_SO_DEFER_SYN = 0x10005,
	/*
	 * Set to 1 in place of tern_bind: the listener or UDP socket takes what comes to any port
	 * (with TERN_IFACE_ANY_ADDRESS, to any address) and no other socket takes. Of a datagram
	 * tern_msg.local says where it went to; it is answered from there when that is given back.
	 */
	TERN_SO_ANY_PORT = 0x10006,
};

struct tern_linger {
	int32_t onoff;
	int32_t linger; /* seconds */
};

/* Values of TERN_IP_MTU_DISCOVER and TERN_IPV6_MTU_DISCOVER, as ip(7) has them. */
enum tern_ip_pmtudisc {
	TERN_IP_PMTUDISC_DONT = 0,
	TERN_IP_PMTUDISC_WANT = 1,
	TERN_IP_PMTUDISC_DO = 2,
	TERN_IP_PMTUDISC_PROBE = 3,
	TERN_IP_PMTUDISC_INTERFACE = 4,
	TERN_IP_PMTUDISC_OMIT = 5,
};

/*
 * Level TERN_IPPROTO_IP. A datagram or stream socket of TERN_AF_INET6 has these, too, beside those
 * of level TERN_IPPROTO_IPV6: they hold for what it sends to and hears from ::ffff:0:0/96, and
 * neither level says anything of the other. A raw one has not: -TERN_ENOPROTOOPT.
 */
enum tern_ip_option {
	TERN_IP_TOS = 1,
	TERN_IP_TTL = 2,
	TERN_IP_HDRINCL = 3,
	TERN_IP_PKTINFO = 8,
	TERN_IP_MTU_DISCOVER = 10,
	TERN_IP_RECVERR = 11,
	TERN_IP_RECVTTL = 12,
	TERN_IP_RECVTOS = 13,
	TERN_IP_MTU = 14,
	TERN_IP_FREEBIND = 15,
	TERN_IP_BIND_ADDRESS_NO_PORT = 24,
	TERN_IP_MULTICAST_IF = 32, /* struct ip_mreqn, in_addr */
	TERN_IP_MULTICAST_TTL = 33,
	TERN_IP_MULTICAST_LOOP = 34,
	/* struct ip_mreqn or ip_mreq; -TERN_EADDRINUSE: it is a member, -TERN_EADDRNOTAVAIL: not */
	TERN_IP_ADD_MEMBERSHIP = 35,
	TERN_IP_DROP_MEMBERSHIP = 36,
	TERN_IP_UNBLOCK_SOURCE = 37, /* struct ip_mreq_source */
	TERN_IP_BLOCK_SOURCE = 38,
	TERN_IP_ADD_SOURCE_MEMBERSHIP = 39,
	TERN_IP_DROP_SOURCE_MEMBERSHIP = 40,
	TERN_IP_MSFILTER = 41,	    /* struct ip_msfilter; its number of sources is read, too */
	TERN_IP_MULTICAST_ALL = 49, /* 1 at first; of TERN_AF_INET6 0, as on Linux */
};

enum tern_ipv6_option {
	TERN_IPV6_2292PKTINFO = 2, /* of RFC 2292: as TERN_IPV6_RECVPKTINFO */
	TERN_IPV6_CHECKSUM = 7,
	TERN_IPV6_2292HOPLIMIT = 8, /* as TERN_IPV6_RECVHOPLIMIT */
	TERN_IPV6_FLOWINFO = 11,    /* accepted and told back: every tern_msg has its flow_label */
	TERN_IPV6_UNICAST_HOPS = 16,
	TERN_IPV6_MULTICAST_IF = 17,
	TERN_IPV6_MULTICAST_HOPS = 18,
	TERN_IPV6_MULTICAST_LOOP = 19,
	TERN_IPV6_ADD_MEMBERSHIP = 20, /* struct ipv6_mreq */
	TERN_IPV6_DROP_MEMBERSHIP = 21,
	TERN_IPV6_MULTICAST_ALL = 29,
	TERN_IPV6_MTU_DISCOVER = 23,
	TERN_IPV6_MTU = 24,
	TERN_IPV6_RECVERR = 25,
	TERN_IPV6_V6ONLY = 26,
	TERN_IPV6_FLOWINFO_SEND = 33, /* flow_label of a struct tern_addr counts; needs no lease */
	TERN_IPV6_HDRINCL = 36,
	TERN_IPV6_RECVPKTINFO = 49,
	TERN_IPV6_RECVHOPLIMIT = 51,
	TERN_IPV6_RECVPATHMTU = 60, /* TERN_MSG_PATHMTU beside what is received */
	TERN_IPV6_PATHMTU = 61,	    /* only asked for: struct ip6_mtuinfo, of a connected socket */
	TERN_IPV6_DONTFRAG = 62,    /* more than the path takes is -TERN_EMSGSIZE */
	TERN_IPV6_RECVTCLASS = 66,
	TERN_IPV6_TCLASS = 67,
	TERN_IPV6_AUTOFLOWLABEL = 70, /* packets bear a label of their flow: RFC 6437 */
};

enum tern_udp_option { /* level TERN_IPPROTO_UDP, of datagram sockets */
		       /*
			* What is sent goes as datagrams of so many bytes each, the last with the
			* rest; 0: as one. Each must fit the path whole (else -TERN_EMSGSIZE), and
			* no more than 128 come of a message (-TERN_EINVAL).
			*/
		       TERN_UDP_SEGMENT = 103,
		       /* a number, told back as 0 or 1; datagrams are never merged */
		       TERN_UDP_GRO = 104,
};

enum tern_mcast_option { /* of both families: struct group_req, group_source_req; RFC 3678 */
			 TERN_MCAST_JOIN_GROUP = 42,
			 TERN_MCAST_BLOCK_SOURCE = 43,
			 TERN_MCAST_UNBLOCK_SOURCE = 44,
			 TERN_MCAST_LEAVE_GROUP = 45,
			 TERN_MCAST_JOIN_SOURCE_GROUP = 46,
			 TERN_MCAST_LEAVE_SOURCE_GROUP = 47,
			 TERN_MCAST_MSFILTER = 48, /* struct group_filter of 64 bits */
};

/*
 * Levels TERN_IPPROTO_RAW and _ICMPV6; uint32_t and uint32_t[8]: of types whose bit, type % 32 of
 * word type / 32, is set, the socket hears nothing.
 */
enum { TERN_ICMP_FILTER = 1, TERN_ICMPV6_FILTER = 1 };

enum tern_tcp_option {
	TERN_TCP_NODELAY = 1,
	TERN_TCP_MAXSEG = 2,
	TERN_TCP_CORK = 3,
	TERN_TCP_KEEPIDLE = 4,
	TERN_TCP_KEEPINTVL = 5,
	TERN_TCP_KEEPCNT = 6,
	TERN_TCP_SYNCNT = 7,
	TERN_TCP_LINGER2 = 8,
	TERN_TCP_DEFER_ACCEPT = 9, /* seconds that accept waits for text after the handshake */
	TERN_TCP_WINDOW_CLAMP = 10,
	TERN_TCP_INFO = 11, /* struct tern_tcp_info */
	TERN_TCP_QUICKACK = 12,
	TERN_TCP_CONGESTION = 13, /* the name of an algorithm */
	TERN_TCP_USER_TIMEOUT = 18,
	TERN_TCP_FASTOPEN = 23,		/* of a listener: how many may wait that opened with text */
	TERN_TCP_NOTSENT_LOWAT = 25,	/* bytes that may wait unsent; 0: as the buffer takes */
	TERN_TCP_FASTOPEN_CONNECT = 30, /* with a cookie connect succeeds at once, text opens */
	TERN_TCP_FASTOPEN_NO_COOKIE = 34, /* the SYN brings text without one */
};

/*
 * Linux's struct tcp_info as far as tern fills it; the layout is Linux's. What it does not: fackets
 * and last_ack_sent. delivery_rate is of the newest data delivered, and 0 once the connection has
 * been silent for some seconds.
 */
struct tern_tcp_info {
	uint8_t state; /* Linux's numbers: 1 ESTABLISHED ... 11 CLOSING */
	uint8_t ca_state, retransmits, probes, backoff, options;
	uint8_t wscale;	     /* low four bits: the peer's, high: ours */
	uint8_t app_limited; /* 1: delivery_rate is what the user sent, the path may carry more */
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
};

/*
 * Linux's levels, numbers and structs: a value is an int32_t where no other type is named. *len is
 * room on entry and size on return; of a value that has no room its first bytes come.
 * 0, or -TERN_EBADF, -TERN_ENOPROTOOPT, -TERN_EINVAL. Setting also: -TERN_ENOENT (no such
 * congestion control), -TERN_EOPNOTSUPP (TERN_TCP_FASTOPEN_CONNECT is switched off),
 * -TERN_EADDRINUSE and -TERN_ENOMEM (TERN_SO_ANY_PORT); of groups -TERN_EADDRINUSE,
 * -TERN_EADDRNOTAVAIL, -TERN_ENODEV, -TERN_ENOBUFS. Asking also: -TERN_ENOTCONN (the path's MTU),
 * -TERN_EOPNOTSUPP (no such level, as Linux's IPv4 has it), -TERN_EADDRNOTAVAIL and -TERN_ENODEV
 * (of groups).
 */
TERN_API int tern_setsockopt(struct tern_stack *, tern_sock, int level, int name, const void *,
			     size_t len);
TERN_API int tern_getsockopt(struct tern_stack *, tern_sock, int level, int name, void *,
			     size_t *len);

enum tern_poll { /* Linux's POLL* */
		 TERN_POLLIN = 0x1,
		 TERN_POLLPRI = 0x2,
		 TERN_POLLOUT = 0x4,
		 TERN_POLLERR = 0x8,
		 TERN_POLLHUP = 0x10,
		 TERN_POLLRDHUP = 0x2000
};
/* What the socket is ready for now; TERN_POLLERR|TERN_POLLHUP for a stale handle. */
TERN_API unsigned tern_poll(struct tern_stack *, tern_sock);

/*
 * A socket's readiness may have changed. Coalesced: one pending event for a socket. What has
 * happened is told once, not for as long as the socket is ready: accept, receive and send until
 * -TERN_EAGAIN. What tern_accept gives has an event of its own. None is of a handle that has ended.
 */
struct tern_event {
	tern_sock sock;
	unsigned ready; /* enum tern_poll, now */
	/*
	 * Of which of these something has happened since the last event: text came, though some was
	 * there (TERN_POLLIN, TERN_POLLPRI), room came back (TERN_POLLOUT), or an end or an error
	 * (the others). It is what an edge-triggered set tells.
	 */
	unsigned news;
	void *user; /* tern_set_user */
};
/* News out; false: none. */
TERN_API bool tern_event(struct tern_stack *, struct tern_event *);
/* Is there any? Packets that go out make room, and so news, after the last event was taken. */
TERN_API bool tern_event_ready(const struct tern_stack *);
/* A pointer of the user's that events carry. 0 or -TERN_EBADF. */
TERN_API int tern_set_user(struct tern_stack *, tern_sock, void *user);

/*
 * Connections that wait for a decision, of a listener with TERN_SO_DEFER_SYN. The listener is
 * ready for TERN_POLLPRI while one waits, shown or not. After 15 seconds (as long as SYN-ACKs
 * would go again, net.ipv4.tcp_synack_retries) it has gone, and another SYN of its peer is a new
 * one. What tern_accept gives is known by these names (tern_getsockname, tern_getpeername).
 */
struct tern_pending {
	uint64_t id;
	struct tern_addr local, remote;
};
/* 0 and the oldest not yet shown, or -TERN_EBADF, -TERN_EAGAIN, -TERN_EINVAL. */
TERN_API int tern_pending_next(struct tern_stack *, tern_sock listener, struct tern_pending *);
enum { TERN_PENDING_ACCEPT = 0, TERN_PENDING_REFUSE = 1, TERN_PENDING_IGNORE = 2 };
/* Answers it: SYN-ACK, RST, or silence. 0, -TERN_EBADF or -TERN_ENOENT (it has gone). */
TERN_API int tern_pending_answer(struct tern_stack *, tern_sock listener, uint64_t id, int verdict);

/* ---- congestion control ----------------------------------------------------------------- */

/*
 * An algorithm decides how much of a connection may be in flight and how fast it leaves. tern finds
 * out what arrived and what is lost, repairs it, and tells the algorithm, which sees samples and
 * never the connection. Its functions are called from inside the stack: they compute, and call
 * nothing of tern's. What they do may depend on their arguments alone, so that a run can be
 * repeated.
 *
 * Volumes are bytes of payload, rates bytes a second, times nanoseconds.
 */
enum {
	TERN_CC_NAME_MAX = 16, /* with its end */
	TERN_CC_STATE_SIZE = 256,
	TERN_CC_OWN_MAX = 8,	       /* algorithms of the user's on one stack */
	TERN_CC_INFINITE = 0x7fffffff, /* of cwnd and ssthresh: no limit */
};

struct tern_cc_ops;

/* How fast, if the algorithm says so; zeros: tern paces by the window, as net.tern.pacing says. */
struct tern_cc_pace {
	uint64_t rate;	 /* 0: no rate of its own */
	uint32_t burst;	 /* what may go at once; 0: what the rate carries in a millisecond */
	bool holds_back; /* set by on_ack: what goes now tells less than the path could carry */
};

/* What an algorithm has of a connection. It may write cwnd, ssthresh and its state. */
struct tern_cc {
	const struct tern_cc_ops *ops;
	/*
	 * TERN_CC_STATE_SIZE bytes, aligned for a uint64_t, no destructor: first a struct
	 * tern_cc_pace, the rest is the algorithm's own. They last while the connection sends; some
	 * seconds after it fell silent they are gone (NULL), and begin with zeros when it sends
	 * again. The rest of this struct outlives them.
	 */
	void *state;
	uint32_t cwnd;	   /* what may be in flight; mss at least: tern sees to that */
	uint32_t ssthresh; /* below it cwnd is in slow start: how fast tern paces by it */
	uint32_t mss;	   /* of a full segment */
	uint32_t initial;  /* cwnd to begin and restart with */
};

/*
 * What has happened. Each function below says which part of it is filled in; the rest is 0.
 */
struct tern_cc_sample {
	tern_time now;
	tern_time srtt;	    /* smoothed round trip, RFC 6298; 0: never measured */
	uint64_t in_flight; /* before this event; of a congestion: what RFC 5681 calls FlightSize */
	/* on_ack */
	uint64_t flight;      /* after it: less what arrived, and what was found lost */
	tern_time rtt;	      /* of the youngest segment that arrived and went only once; 0: none */
	tern_time unheard_at; /* with when_limited: of the last ACK that was not told; 0: none */
	uint32_t acked;	      /* acknowledged by number */
	uint32_t joined_acks; /* that came before it in its batch, and are taken with it */
	uint32_t newly_delivered; /* acknowledged by number or by SACK, and not before */
	uint32_t newly_lost;	  /* found lost because of this ACK */
	uint32_t random;   /* with own_window: to be used as a random one, another each time */
	bool new_round;	   /* all that was in flight when the last round began has arrived */
	bool cwnd_limited; /* the window was full: growing it makes sense */
	bool paced;	   /* what it lets go leaves without bursts */
	bool in_recovery;  /* losses are being repaired; on_rto: they were before */
	bool has_sack;	   /* several losses of one round trip can be seen */
	bool again;	   /* on_rto: not the first of its episode */
	bool marked;	   /* on_congestion: a mark of the network (ECN), nothing is lost */
	/*
	 * The delivery rate: on_ack, of the youngest segment that arrived; on_loss, of the one that
	 * is lost, without a rate. Counts of `delivered` and `lost` begin with the state.
	 */
	bool app_limited;	  /* there was nothing to send in between; on_send: there is not */
	uint32_t lost_len;	  /* on_loss: how much is lost, without a gap */
	uint64_t delivered;	  /* all that has arrived */
	uint64_t prior_delivered; /* the same when that segment went */
	tern_time interval;	  /* in which `delivered` grew so */
	uint64_t delivery_rate;	  /* 0: no reliable one */
	uint64_t tx_in_flight;	  /* in flight when that segment had gone, with it */
	uint64_t lost;		  /* found lost since then */
};

/*
 * The functions of an algorithm. Each may be NULL; all but init are called with a state.
 *
 * Unless own_window is set, tern moves cwnd while losses are repaired: proportionally down to
 * ssthresh (RFC 6937), which on_congestion has set; on_ack is called outside of repairs only, for
 * new data acknowledged. With own_window cwnd is the algorithm's alone, and on_ack is called for
 * each ACK that says that something arrived, after on_loss for what it says is lost. With
 * when_limited, and without own_window, on_ack is called for ACKs alone that come while the window
 * is full (cwnd_limited); a round that begins with another one is new with the next.
 */
struct tern_cc_ops {
	char name[TERN_CC_NAME_MAX];
	bool own_window, when_limited;
	void *user; /* for the algorithm: cc->ops->user */
	/* A state of zeros, or none (NULL); what was before in the other fields may stay. */
	void (*init)(struct tern_cc *);
	/* Something goes while nothing is in flight: now, srtt, app_limited, delivered. */
	void (*on_send)(struct tern_cc *, const struct tern_cc_sample *);
	void (*on_ack)(struct tern_cc *, const struct tern_cc_sample *);
	/* One stretch of bytes was found lost: now, delivered, lost_len, and as it went. */
	void (*on_loss)(struct tern_cc *, const struct tern_cc_sample *);
	/* A loss or a mark, once in each episode: now, srtt, unheard_at, in_flight, marked. */
	void (*on_congestion)(struct tern_cc *, const struct tern_cc_sample *);
	/* All that was lost is repaired: now. */
	void (*on_recovery_end)(struct tern_cc *, const struct tern_cc_sample *);
	/* A time-out: now, unheard_at, in_flight, flight, in_recovery, again; cwnd: a segment. */
	void (*on_rto)(struct tern_cc *, const struct tern_cc_sample *);
	/* The user gives data, and nothing was sent for a time-out or longer: now, srtt. */
	void (*on_idle)(struct tern_cc *, const struct tern_cc_sample *);
	/* The last on_congestion or on_rto was a false alarm; unless own_window cwnd is back. */
	void (*on_undo)(struct tern_cc *);
};

/*
 * Registers an algorithm on a stack; *ops is copied. From then on TERN_TCP_CONGESTION and
 * net.ipv4.tcp_congestion_control know its name: 1 to 15 letters, digits, '-', '_' and '.'.
 * 0, or -TERN_EINVAL (the name), -TERN_EEXIST (it is taken), -TERN_ENOSPC.
 */
TERN_API int tern_cc_register(struct tern_stack *, const struct tern_cc_ops *ops);

/* ---- looking inside --------------------------------------------------------------------- */

struct tern_sock_info {
	tern_sock sock; /* 0 for half-open and TIME-WAIT records and closed ones still finishing */
	int family, type, protocol;
	struct tern_addr local, remote;
	uint32_t state;			 /* enum tern_tcp_state of a stream */
	uint64_t recv_queue, send_queue; /* bytes; of a listener: waiting connections, backlog */
	tern_time timer;		 /* instant of the next timer, TERN_NEVER */
};
/* Walks sockets, half-open and TIME-WAIT records; *cursor starts at 0. */
TERN_API bool tern_sock_next(const struct tern_stack *, uint64_t *cursor, struct tern_sock_info *);

/* Counters under Linux's names ("TcpRetransSegs") and drops ("Drop-tcp-checksum"). */
TERN_API bool tern_counter_next(const struct tern_stack *, unsigned *cursor, const char **name,
				uint64_t *value);
/* One of them by name; 0 for an unknown name. */
TERN_API uint64_t tern_counter(const struct tern_stack *, const char *name);

/* Bytes allocated from the environment now. */
TERN_API uint64_t tern_memory(const struct tern_stack *);

/* Asserts all invariants of the stack; for tests. Cost: everything it holds. */
TERN_API void tern_check(const struct tern_stack *);

/*
 * Settings by Linux's names, such as "net.ipv4.tcp_syn_retries". Values are text.
 * 0, or -TERN_ENOENT (no such name) or -TERN_EINVAL (out of range, only to be read, or does not fit
 * in len).
 */
TERN_API int tern_sysctl_set(struct tern_stack *, const char *name, const char *value);
TERN_API int tern_sysctl_get(const struct tern_stack *, const char *name, char *buf, size_t len);
/* The names in order; NULL after the last. */
TERN_API const char *tern_sysctl_name(unsigned i);

/*
 * Called by a failed assert; never returns. The library's default traps; a program may define its
 * own.
 */
TERN_API void tern_panic(const char *file, int line);

#ifdef __cplusplus
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}
#endif
#endif
