/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_resolve.h - names to addresses and back, and connections to names, on a stack's own sockets.
 *
 * A resolver asks name servers for its stack: five verbs, as the stack has.
 *
 *	tern_resolver_ask(r, &question, &id);                question in
 *	for (;;) {
 *		tern_advance(st, now);                       and packets, as tern.h has it
 *		while (tern_event(st, &ev))
 *			tern_resolver_on_event(r, &ev);      news of its sockets
 *		tern_resolver_advance(r, now);               time in
 *		while (tern_resolver_answer(r, &answer)) ... answers out
 *		sleep until tern_deadline(st) or tern_resolver_deadline(r)
 *	}
 *
 * Nothing blocks and nothing calls back; there is no clock but `now`, no file and no I/O but the
 * stack's, so that it runs in virtual time as well. The same seed and the same calls ask the same
 * questions. A question is answered from a text in the form of hosts(5) first, then by name
 * servers: those of the configuration or, if it names none, those that the stack has learned
 * (tern_server_next).
 *
 * Calls return 0 or -TERN_Exxx. Every call on a resolver, and on a stack that has one, comes from
 * one thread at a time. tern_resolver_answer is a function, and a struct, too: the type is written
 * with `struct`, in C++ as well.
 */
#ifndef TERN_RESOLVE_H
#define TERN_RESOLVE_H

#include "tern.h"

#ifdef __cplusplus
extern "C" {
#if defined(__GNUC__) /* a function has the name of a struct, as said above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

enum {
	TERN_RESOLVER_SERVERS_MAX = 3, /* as resolv.conf(5) has it */
	TERN_RESOLVER_SEARCH_MAX = 6,
	TERN_RESOLVER_ADDRS_MAX = 64,	   /* of one answer */
	TERN_RESOLVER_HOSTS_MAX = 1 << 20, /* bytes of a text of hosts that are read */
	TERN_RESOLVER_ASKS_MAX =
		256, /* questions without an answer that was taken, of a resolver */
};

/* ---- what resolv.conf(5) says ----------------------------------------------------------- */

struct tern_resolver_conf {
	size_t size; /* sizeof(struct tern_resolver_conf), set by tern_resolver_conf_default */
	struct tern_addr server[TERN_RESOLVER_SERVERS_MAX]; /* asked in this order; port 0: 53 */
	unsigned n_servers;				    /* 0: those that the stack learns */
	char search[TERN_RESOLVER_SEARCH_MAX][TERN_DOMAIN_MAX];
	unsigned n_search;
	unsigned ndots;	     /* a name with so many dots is tried as it is first */
	unsigned timeout_s;  /* for an answer of one server, */
	unsigned attempts;   /* each of which is asked so often; 1 at least */
	bool rotate;	     /* begin with another server each time */
	bool single_request; /* A only when AAAA is answered */
	bool use_tcp;
	bool no_aaaa;
	bool no_tld_query; /* a name without dots is never tried as it is */
};

/* No server, no domain to search in; ndots 1, timeout_s 5, attempts 2. */
TERN_API void tern_resolver_conf_default(struct tern_resolver_conf *);
/*
 * Reads a text of len bytes into a configuration that has been set to defaults. What it does not
 * know, or cannot read, it leaves alone, as resolv.conf(5) asks.
 */
TERN_API void tern_resolver_conf_parse(struct tern_resolver_conf *, const char *text, size_t len);

/* ---- the resolver ----------------------------------------------------------------------- */

struct tern_resolver;

/* What a resolver is made of. All is copied; st outlives the resolver. */
struct tern_resolver_wish {
	struct tern_stack *st;
	void *(*alloc)(void *ctx, size_t size); /* NULL when none is left */
	void (*free)(void *ctx, void *ptr, size_t size);
	void *ctx;
	uint8_t seed[32];   /* secret: ports and numbers of questions derive from it, RFC 5452 */
	unsigned cache_max; /* answers that are kept; 0: 256 */
	bool ask_for_local; /* names below "local" go to name servers, too: RFC 6762 3 */
	void *user;	    /* tern_set_user of its sockets */
};

/* NULL: no memory. Until it is configured it has defaults, and no hosts. */
TERN_API struct tern_resolver *tern_resolver_new(const struct tern_resolver_wish *);
/* What waits is given up, its sockets are closed. NULL is allowed. */
TERN_API void tern_resolver_free(struct tern_resolver *);
/*
 * From now on: a configuration (NULL: defaults) and the text of a file in the form of hosts(5)
 * (NULL: none). Both are copied; cached answers are forgotten; questions under way go on with the
 * servers that they had.
 * 0, or -TERN_EINVAL (conf->size, or more servers or domains than there is room for) or
 * -TERN_ENOMEM; then nothing has changed.
 */
TERN_API int tern_resolver_configure(struct tern_resolver *, const struct tern_resolver_conf *,
				     const char *hosts, size_t hosts_len);

/* Time in: what is due happens, and what has come to its sockets is read. */
TERN_API void tern_resolver_advance(struct tern_resolver *, tern_time now);
/* The instant at which it wants to advance at the latest; TERN_NEVER: when asked again. */
TERN_API tern_time tern_resolver_deadline(const struct tern_resolver *);
/* News in. false: it is not about a socket of the resolver's. */
TERN_API bool tern_resolver_on_event(struct tern_resolver *, const struct tern_event *);

/* ---- questions and answers -------------------------------------------------------------- */

struct tern_resolver_question {
	const char *name;      /* or an address as text; NULL: the name of addr is wanted */
	int family;	       /* TERN_AF_INET, TERN_AF_INET6; TERN_AF_UNSPEC: both */
	struct tern_addr addr; /* its port comes back with each address of a name, too */
	bool numeric_only;     /* nobody is asked, not even the hosts */
	bool by_dns_only;      /* the hosts are not asked */
	bool first_name_only;  /* no search behind a name that is there, without an address, too */
	void *user;	       /* comes back with the answer */
};
/*
 * Asks; *id (may be NULL) becomes the question's number, which is never 0. The question is copied.
 * Its answer may be there at once. 0, -TERN_ENOMEM, -TERN_ENOBUFS (too many wait) or
 * -TERN_EAFNOSUPPORT (another family than those; of addr, too, whose name is wanted).
 */
TERN_API int tern_resolver_ask(struct tern_resolver *, const struct tern_resolver_question *,
			       uint64_t *id);
/* Its answer will not come. An unknown id is allowed. */
TERN_API void tern_resolver_cancel(struct tern_resolver *, uint64_t id);

/* One for one those of getaddrinfo(3): EAI_NONAME and so on. */
enum tern_resolver_error {
	TERN_RESOLVER_OK,
	TERN_RESOLVER_NONAME,
	TERN_RESOLVER_NODATA, /* the name is there, without an address of that family */
	TERN_RESOLVER_AGAIN,  /* later there may be an answer */
	TERN_RESOLVER_FAIL,
	TERN_RESOLVER_MEMORY,
	TERN_RESOLVER_SYSTEM,	/* only of the POSIX layer */
	TERN_RESOLVER_OVERFLOW, /* only of the POSIX layer */
	TERN_RESOLVER_N_ERRORS
};

/* Why there is no answer. */
enum tern_resolver_cause {
	TERN_RESOLVER_BY_SERVER, /* a server has said so: no such name, or no such data */
	TERN_RESOLVER_BY_RULE,	 /* such a name is never asked for: RFC 6761 */
	TERN_RESOLVER_BY_HOSTS,	 /* the hosts have it, without such an address */
	TERN_RESOLVER_NO_SERVER, /* nobody to ask */
	TERN_RESOLVER_SILENT,
	TERN_RESOLVER_UNREACHABLE, /* no route to a server, or it has no DNS */
	TERN_RESOLVER_SERVFAIL,	   /* it failed, or does not know and asks nobody */
	TERN_RESOLVER_REFUSED,	   /* it does not want to, or cannot */
	TERN_RESOLVER_LOOPS,	   /* aliases without an end */
	TERN_RESOLVER_NO_MEMORY,
};

/* Of TERN_RESOLVER_OK the addresses and the name are filled in, else the cause and the server. */
struct tern_resolver_answer {
	uint64_t id;
	void *user;
	uint32_t error;					/* enum tern_resolver_error */
	uint32_t cause;					/* enum tern_resolver_cause */
	struct tern_addr server;			/* whom that is about; AF_UNSPEC: nobody */
	struct tern_addr addr[TERN_RESOLVER_ADDRS_MAX]; /* best first: RFC 6724 6 */
	unsigned n_addrs;
	char name[TERN_DOMAIN_MAX]; /* at the end of its aliases; of an address: its name */
	uint32_t ttl;		    /* seconds that it holds; 0: not from name servers */
};
/* The next answer, each question's once; false: there is none now. */
TERN_API bool tern_resolver_answer(struct tern_resolver *, struct tern_resolver_answer *);

enum { TERN_RESOLVER_WHY_MAX = 160 };
/* "there is no such name (10.0.0.1 says so)". Returns buf. */
TERN_API char *tern_resolver_why(const struct tern_resolver_answer *,
				 char buf[TERN_RESOLVER_WHY_MAX]);

/* ---- a TCP connection to a name: Happy Eyeballs, RFC 8305 ------------------------------- */

/*
 * Both families are asked for, and the addresses tried in turn, a quarter of a second apart, until
 * one answers:
 *
 *	tern_eyeballs_begin(e, &wish, now);
 *	while (tern_eyeballs_advance(e, now) == TERN_EYEBALLS_BUSY) {
 *		the loop above once, also until tern_eyeballs_deadline(e), and for each answer
 *			tern_eyeballs_on_answer(e, &answer);
 *	}
 *	tern_eyeballs_end(e);
 */
struct tern_eyeballs_wish {
	struct tern_stack *st;
	struct tern_resolver *r; /* on the same stack */
	const char *host;	 /* read by tern_eyeballs_begin only */
	uint16_t port;
	/* Addresses that are known already: nobody is asked, and r and host may be NULL. */
	const struct tern_addr *addr; /* copied */
	unsigned n_addrs;
};

enum { TERN_EYEBALLS_ATTEMPTS_MAX = 16 };

struct tern_eyeballs_attempt {
	struct tern_addr addr;
	tern_sock sock; /* 0: it has ended */
	int error;	/* a positive TERN_Exxx; 0: none yet */
};

enum tern_eyeballs_state { TERN_EYEBALLS_BUSY, TERN_EYEBALLS_CONNECTED, TERN_EYEBALLS_FAILED };

/* The caller's memory, filled in by tern_eyeballs_begin; stays where it is until _end. */
struct tern_eyeballs {
	uint32_t state; /* enum tern_eyeballs_state */
	/* of TERN_EYEBALLS_CONNECTED: the caller's from then on */
	tern_sock sock;
	struct tern_addr addr;
	/* of TERN_EYEBALLS_FAILED: without an attempt failure says why */
	struct tern_eyeballs_attempt attempt[TERN_EYEBALLS_ATTEMPTS_MAX]; /* as they were begun */
	unsigned n_attempts;
	struct tern_resolver_answer failure; /* the gravest, if no name brought an address */
	/* private */
	struct tern_eyeballs_wish wish;
	uint64_t ask[2];				   /* of IPv6 and of IPv4; 0: answered */
	struct tern_addr waiting[TERN_RESOLVER_ADDRS_MAX]; /* to be tried, best first */
	unsigned n_waiting;
	tern_time now, next_at; /* when the next one may begin */
};

/* 0, or what tern_resolver_ask says; then there is nothing to end. */
TERN_API int tern_eyeballs_begin(struct tern_eyeballs *, const struct tern_eyeballs_wish *,
				 tern_time now);
/* false: it is the answer to another question. */
TERN_API bool tern_eyeballs_on_answer(struct tern_eyeballs *, const struct tern_resolver_answer *);
/* Time in; also looks at its sockets, whose news need not be told. */
TERN_API enum tern_eyeballs_state tern_eyeballs_advance(struct tern_eyeballs *, tern_time now);
/* When it wants to advance at the latest; TERN_NEVER. */
TERN_API tern_time tern_eyeballs_deadline(const struct tern_eyeballs *);
/* Ends all that is under way: other attempts are reset. A connection that was made stays. */
TERN_API void tern_eyeballs_end(struct tern_eyeballs *);

#ifdef __cplusplus
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}
#endif
#endif
