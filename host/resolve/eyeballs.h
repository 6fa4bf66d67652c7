/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eyeballs.h - a TCP connection to a host by name, whichever of its addresses answers: Happy
 * Eyeballs, RFC 8305.
 *
 *	eyeballs_begin(e, &wish, now);
 *	while (eyeballs_advance(e, now) == EYEBALLS_BUSY) {
 *		sleep until eyeballs_deadline(e), or until the resolver or the stack has something
 *		while (resolver_answer(r, &answer))
 *			eyeballs_on_answer(e, &answer);
 *	}
 *	eyeballs_end(e);
 */
#ifndef TERN_HOST_RESOLVE_EYEBALLS_H
#define TERN_HOST_RESOLVE_EYEBALLS_H

#include "resolver.h"

enum { EYEBALLS_ATTEMPTS_MAX = 16 };

struct eyeballs_wish {
	struct tern_stack *st;
	struct resolver *r;
	const char *host;
	uint16_t port;
	/* Addresses that are known already; then nobody is asked, and r and host may be NULL. */
	const struct tern_addr *addr;
	unsigned n_addrs;
};

struct eyeballs_attempt {
	struct tern_addr addr;
	tern_sock sock; /* 0: it has ended */
	int error;	/* a positive TERN_Exxx; 0: none yet */
};

enum eyeballs_state { EYEBALLS_BUSY, EYEBALLS_CONNECTED, EYEBALLS_FAILED };

struct eyeballs {
	struct eyeballs_wish wish;
	enum eyeballs_state state;
	/* names: of IPv6 and of IPv4 */
	uint64_t ask[2];			      /* 0: answered */
	struct resolver_answer failure;		      /* the gravest, if none brought an address */
	struct tern_addr waiting[RESOLVER_ADDRS_MAX]; /* to be tried, best first */
	unsigned n_waiting;
	/* connections, in the order in which they were begun */
	struct eyeballs_attempt attempt[EYEBALLS_ATTEMPTS_MAX];
	unsigned n_attempts;
	tern_time now, next_at; /* when the next one may begin */
	/* of EYEBALLS_CONNECTED: the caller's from then on */
	tern_sock sock;
	struct tern_addr addr;
};

/* 0, or what resolver_ask says. */
int eyeballs_begin(struct eyeballs *, const struct eyeballs_wish *, tern_time now);
/* false: it is the answer to another question. */
bool eyeballs_on_answer(struct eyeballs *, const struct resolver_answer *);
/* Time in; also looks at its sockets. */
enum eyeballs_state eyeballs_advance(struct eyeballs *, tern_time now);
/* When it wants to advance at the latest; TERN_NEVER. */
tern_time eyeballs_deadline(const struct eyeballs *);
/* Ends all that is under way. A connection that was made stays. */
void eyeballs_end(struct eyeballs *);

#endif
