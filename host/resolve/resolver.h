/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver.h - names to addresses and back, on tern's own sockets: a stub resolver as a value.
 *
 *	resolver_ask(r, &question, &id);
 *	for (;;) {
 *		resolver_advance(r, now);                      time in
 *		while (tern_event(st, &ev))
 *			resolver_on_event(r, &ev);             news of its sockets
 *		while (resolver_answer(r, &answer)) ...        answers out
 *		sleep until resolver_deadline(r) or tern_deadline(st)
 *	}
 *
 * Nothing blocks, there is no clock but `now` and no I/O but the stack's: it lives in virtual time
 * as well. The same seed and the same calls ask the same questions. A question goes to the file of
 * hosts first, then to name servers: those of the configuration or, if it names none, those that
 * the stack has learned (tern_server_next).
 */
#ifndef TERN_HOST_RESOLVE_RESOLVER_H
#define TERN_HOST_RESOLVE_RESOLVER_H

#include "../../include/tern.h"

enum {
	RESOLVER_SERVERS_MAX = 3, /* as resolv.conf(5) has it; further ones are left out */
	RESOLVER_SEARCH_MAX = 6,
	RESOLVER_ADDRS_MAX = 64,      /* of one answer */
	RESOLVER_HOSTS_MAX = 1 << 20, /* bytes of the file of hosts that are read */
	RESOLVER_ASKS_MAX = 256,      /* questions that wait for their answers */
};

/* What resolv.conf(5) says. */
struct resolver_conf {
	struct tern_addr server[RESOLVER_SERVERS_MAX]; /* port 0: 53 */
	unsigned n_servers;
	char search[RESOLVER_SEARCH_MAX][TERN_DOMAIN_MAX];
	unsigned n_search;
	unsigned ndots;	     /* a name with so many dots is tried as it is first */
	unsigned timeout_s;  /* for an answer of one server, */
	unsigned attempts;   /* each of which is asked so often */
	bool rotate;	     /* begin with another server each time */
	bool single_request; /* A only when AAAA is answered */
	bool use_tcp;
	bool no_aaaa;
	bool no_tld_query; /* a name without dots is never tried as it is */
};

void resolver_conf_default(struct resolver_conf *);
/* Reads a text; what it does not know, or cannot read, it leaves alone, as resolv.conf(5) does. */
void resolver_conf_parse(struct resolver_conf *, const char *text, size_t len);

/* ---- the file of hosts: pure functions of its text ---- */

struct hosts_found {
	struct tern_addr addr[RESOLVER_ADDRS_MAX];
	unsigned n;
	char canonical[TERN_DOMAIN_MAX]; /* the first name of the first line that has it */
};
/* Is the name in it? The addresses of that family (TERN_AF_UNSPEC: of both) are in *out. */
bool hosts_find(const char *text, size_t len, const char *name, int family,
		struct hosts_found *out);
/* The first name of the address; false: there is none. */
bool hosts_name(const char *text, size_t len, const struct tern_addr *, char out[TERN_DOMAIN_MAX]);

/* ---- the resolver ---- */

/* One for one those of getaddrinfo(3): EAI_NONAME and so on. */
enum resolver_error {
	RESOLVER_OK,
	RESOLVER_NONAME,
	RESOLVER_NODATA, /* the name is there, without an address of that family */
	RESOLVER_AGAIN,
	RESOLVER_FAIL,
	RESOLVER_MEMORY,
	RESOLVER_SYSTEM,
	RESOLVER_OVERFLOW,
	RESOLVER_N_ERRORS
};

/* Why there is no answer. */
enum resolver_cause {
	RESOLVER_BY_SERVER, /* a server has said so: no such name, or no such data */
	RESOLVER_BY_RULE,   /* such a name is never asked for: RFC 6761 */
	RESOLVER_BY_HOSTS,  /* the file of hosts has it, without such an address */
	RESOLVER_NO_SERVER, /* nobody to ask */
	RESOLVER_SILENT,
	RESOLVER_UNREACHABLE, /* no route to a server, or it has no DNS */
	RESOLVER_SERVFAIL,    /* it failed, or does not know and asks nobody */
	RESOLVER_REFUSED,     /* it does not want to, or cannot */
	RESOLVER_LOOPS,	      /* aliases without an end */
	RESOLVER_NO_MEMORY,
};

struct resolver_wish {
	struct tern_stack *st;
	void *(*alloc)(void *ctx, size_t size); /* NULL when none is left */
	void (*free)(void *ctx, void *ptr, size_t size);
	void *ctx;
	uint8_t seed[32];   /* secret: ports and numbers of questions derive from it */
	unsigned cache_max; /* answers that are kept; 0: 256 */
	bool ask_for_local; /* names below "local" go to name servers, too: RFC 6762 3 */
	void *user;	    /* tern_set_user of its sockets */
};

struct resolver;

/* NULL: no memory. Without resolver_configure it asks servers that the stack has learned. */
struct resolver *resolver_new(const struct resolver_wish *);
void resolver_free(struct resolver *); /* what waits is given up; NULL is allowed */
/*
 * From now on: both are copied, and either may be NULL (defaults, no hosts). What is kept of
 * answers is forgotten. 0 or -TERN_ENOMEM.
 */
int resolver_configure(struct resolver *, const struct resolver_conf *, const char *hosts,
		       size_t hosts_len);

/* Time in: what is due happens, and what has come to its sockets is read. */
void resolver_advance(struct resolver *, tern_time now);
/* The next instant at which something is due; TERN_NEVER. */
tern_time resolver_deadline(const struct resolver *);
/* false: it is not about a socket of the resolver's. */
bool resolver_on_event(struct resolver *, const struct tern_event *);

struct resolver_question {
	const char *name;      /* NULL: the name of addr is wanted */
	int family;	       /* TERN_AF_UNSPEC: both */
	struct tern_addr addr; /* its port comes back with each address of a name, too */
	bool numeric_only;     /* nobody is asked, not even the file */
	bool by_dns_only;      /* the file of hosts is not asked */
	bool first_name_only;  /* no search behind a name that is there, without an address, too */
	void *user;
};
/* Asks; *id (may be NULL) names the question. 0, -TERN_ENOMEM or -TERN_ENOBUFS (too many wait). */
int resolver_ask(struct resolver *, const struct resolver_question *, uint64_t *id);
/* Its answer will not come. An unknown id is allowed. */
void resolver_cancel(struct resolver *, uint64_t id);

struct resolver_answer {
	uint64_t id;
	void *user;
	enum resolver_error error;
	enum resolver_cause cause;
	struct tern_addr server;		   /* whom that is about, AF_UNSPEC: nobody */
	struct tern_addr addr[RESOLVER_ADDRS_MAX]; /* best first: RFC 6724 6 */
	unsigned n_addrs;
	char name[TERN_DOMAIN_MAX]; /* canonical; of an address: its name */
	uint32_t ttl;		    /* seconds that it holds; 0: not from name servers */
};
/* The next answer; false: there is none now. */
bool resolver_answer(struct resolver *, struct resolver_answer *);

enum { RESOLVER_WHY_MAX = 160 };
/* "there is no such name (10.0.0.1 says so)"; what: as it was asked for. Returns buf. */
char *resolver_why(const struct resolver_answer *, char buf[RESOLVER_WHY_MAX]);

/* ---- the order of addresses, RFC 6724 6 ---- */

struct resolver_route {
	struct tern_addr dst;
	struct tern_addr src; /* AF_UNSPEC: it cannot be reached */
	unsigned src_prefix_len;
	bool src_deprecated;
};
/* Best first; equals stay as they are. */
void resolver_order(struct resolver_route *, unsigned n);
/* The same of addresses, by the sources that the stack has for them now; n: at most ADDRS_MAX. */
void resolver_order_for(struct tern_stack *, struct tern_addr *, unsigned n);

#endif
