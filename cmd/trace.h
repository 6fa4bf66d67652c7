/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - what tern traceroute and tern tracepath share: datagrams that die on their way, and
 * what routers say of them.
 */
#ifndef TERN_CMD_TRACE_H
#define TERN_CMD_TRACE_H

#include "net.h"

enum { TRACE_HOPS_MAX = 255, TRACE_PROBES_MAX = 1024, TRACE_FIRST_PORT = 33434 };

enum trace_word {
	TRACE_NOTHING, /* not yet, or never */
	TRACE_HOP,     /* its TTL ended there */
	TRACE_REACHED,
	TRACE_TOO_BIG,	  /* mtu */
	TRACE_UNREACHABLE /* mark: "!N", "!H", ... */
};

/* What became of one datagram; each has a port of its own. */
struct trace_answer {
	enum trace_word word;
	struct tern_addr from;
	tern_time took;
	uint32_t mtu;
	const char *mark;
	int ttl; /* of the answer, if it says; else 0 */
};

struct trace {
	struct net *n;
	const char *host;
	struct tern_addr to, us; /* us: where our datagrams come from */
	uint32_t mtu;		 /* of the way, as far as it is known at first */
	tern_sock s;
	unsigned n_sent;
	tern_time sent_at[TRACE_PROBES_MAX];
	struct trace_answer answer[TRACE_PROBES_MAX];
};

/* Where what goes to `to` comes from, and the MTU of that way as it is known: 0 or -TERN_Exxx. */
int trace_look_at_way(struct tern_stack *, struct tern_addr to, struct tern_addr *us,
		      uint32_t *mtu);
/* Finds the host and opens a socket that sends by IP_MTU_DISCOVER's `discover`; an exit code. */
int trace_open(struct trace *, struct net *, const char *host, int32_t discover);
/* Sends one of len bytes of IP with this TTL; its index, or a negative error, or -1: too many. */
int trace_send(struct trace *, int ttl, uint32_t len);
/* Until these `n` from `first` on are answered, and at most so long. false: interrupted. */
bool trace_wait(struct trace *, unsigned first, unsigned n, tern_time at_most);

#endif
