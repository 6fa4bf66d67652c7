/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve_impl.h - what the files of the resolver share.
 *
 *	ask     a user's question: names to try in turn, A and AAAA of each; one answer
 *	query   one name and type, asked of servers; several asks may wait for it
 *	cache   what queries found out, while it holds
 */
#ifndef TERN_HOST_RESOLVE_IMPL_H
#define TERN_HOST_RESOLVE_IMPL_H

#include "../../core/base/list.h"
#include "../../core/base/rand.h"
#include "../../include/tern_resolve.h"
#include "dns.h"

/* ---- resolv_conf.c: texts ---- */

struct text {
	const char *at;
	size_t len;
};

static inline size_t text_len(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

/* Takes the next line, or the next word, off the front; false: there is none. */
bool text_line(struct text *, struct text *line);
bool text_word(struct text *line, struct text *word);
bool text_is(const struct text *word, const char *what);
bool text_addr(const struct text *word, struct tern_addr *);

/* ---- hosts.c: pure functions of a text in the form of hosts(5) ---- */

struct hosts_found {
	struct tern_addr addr[TERN_RESOLVER_ADDRS_MAX];
	unsigned n;
	char canonical[TERN_DOMAIN_MAX]; /* the first name of the first line that has it */
};
/* Is the name in it? The addresses of that family (TERN_AF_UNSPEC: of both) are in *out. */
bool hosts_find(const char *text, size_t len, const char *name, int family,
		struct hosts_found *out);
/* The first name of the address; false: there is none. */
bool hosts_name(const char *text, size_t len, const struct tern_addr *, char out[TERN_DOMAIN_MAX]);

/* ---- order.c: RFC 6724 6 ---- */

struct order_route {
	struct tern_addr dst;
	struct tern_addr src; /* AF_UNSPEC: it cannot be reached */
	unsigned src_prefix_len;
	bool src_deprecated;
	struct tern_policy dst_policy, src_policy; /* set by order_routes */
};
/* Best first; equals stay as they are. */
void order_routes(const struct tern_stack *, struct order_route *, unsigned n);
/* The same of addresses, by the sources that the stack has for them now; n: at most ADDRS_MAX. */
void order_addresses(struct tern_stack *, struct tern_addr *, unsigned n);

/* ---- cache.c ---- */

enum { CACHE_BUCKETS = 64 };

struct cached {
	struct list in_bucket, in_age;
	struct dns_question question; /* folded */
	tern_time until;
	struct dns_result result;
};

struct cache {
	struct tern_resolver *r;
	struct sip_key key;
	struct list bucket[CACHE_BUCKETS];
	struct list by_age; /* oldest first */
	unsigned n, max;
};

void cache_init(struct cache *, struct tern_resolver *, unsigned max);
void cache_clear(struct cache *);
/* Keeps a result as long as it says, from now; a question is folded. */
void cache_put(struct cache *, const struct dns_question *, const struct dns_result *);
/* false: nothing is known now. The result's ttl is what is left of it. */
bool cache_find(struct cache *, const struct dns_question *, struct dns_result *);

/* ---- query.c ---- */

enum query_state {
	QUERY_IDLE, /* between servers */
	QUERY_UDP,
	QUERY_TCP_CONNECTING,
	QUERY_TCP_SENDING,
	QUERY_TCP_READING,
	QUERY_DONE,
};

/* A message over TCP, behind its length; one way, then the other. */
struct query_stream {
	size_t at, len; /* bytes so far, and wanted */
	uint8_t bytes[2 + 65535];
};

struct query {
	struct list link; /* resolver.queries */
	struct tern_resolver *r;
	struct dns_question question; /* folded */
	unsigned n_asks;	      /* that wait for it */
	enum query_state state;
	/* the servers, as they were when it began */
	struct tern_addr server[TERN_RESOLVER_SERVERS_MAX];
	unsigned n_servers, first;
	unsigned given_up; /* bits: these have answered, but to no use */
	unsigned plain;	   /* bits: these do not understand EDNS */
	unsigned tries;	   /* servers asked so far; the last is server_of(tries - 1) */
	bool by_tcp;
	/* the question under way */
	tern_sock sock; /* 0: none */
	uint16_t id;
	bool edns;
	tern_time until;
	struct query_stream *stream;
	/* the end */
	enum tern_resolver_error error;
	enum tern_resolver_cause cause;
	struct tern_addr told_by; /* whom cause is about */
	struct dns_result result; /* of TERN_RESOLVER_OK, _NONAME, _NODATA */
};

/* One for the question that is under way, or a new one; NULL: no memory. */
struct query *query_begin(struct tern_resolver *, const struct dns_question *);
/* An ask waits no longer. The last one ends it. */
void query_leave(struct query *);
/* What has come is read, and what is due happens. */
void query_advance(struct query *);

/* ---- query_tcp.c ---- */

/* Asks the server by TCP; false: it cannot be. */
bool query_tcp_begin(struct query *, const struct tern_addr *server);
enum stream_news { STREAM_WAITS, STREAM_HAS_MESSAGE, STREAM_FAILED };
/* What has become of it; a message stands behind its length in q->stream. */
enum stream_news query_tcp_advance(struct query *);
/* The message was not what is waited for: another may come. */
void query_tcp_next(struct query *);
void query_tcp_end(struct query *);

/* ---- ask.c ---- */

enum { CANDIDATES_MAX = TERN_RESOLVER_SEARCH_MAX + 1 };

struct ask {
	struct list link; /* resolver.asks, or resolver.answers */
	uint64_t id;
	void *user;
	int family;
	uint16_t port;
	bool is_reverse, first_name_only;
	struct dns_name candidate[CANDIDATES_MAX];
	unsigned n_candidates, at;
	struct query *query[2]; /* of the candidate now: AAAA or PTR, A */
	struct dns_result result[2];
	enum tern_resolver_error error[2];
	bool known[2]; /* result and error are there */
	bool begun;    /* the candidate's queries */
	/* the worst so far of candidates that were not found */
	struct tern_resolver_answer answer;
};

/* Prepares a question; true: it is answered already. */
bool ask_begin(struct ask *, struct tern_resolver *, const struct tern_resolver_question *);
/* Goes on as far as it can; true: a->answer is complete. */
bool ask_advance(struct ask *, struct tern_resolver *);
void ask_end(struct ask *); /* leaves its queries */

/* ---- special.c ---- */

enum special {
	SPECIAL_NONE,
	SPECIAL_NEVER, /* no name server is to be asked */
	SPECIAL_LOOPBACK,
};
enum special special_of(const struct dns_name *, bool ask_for_local);

/* ---- resolver.c ---- */

struct tern_resolver {
	struct tern_resolver_wish wish;
	struct tern_resolver_conf conf;
	char *hosts;
	size_t hosts_len;
	tern_time now;
	struct rand rand;
	struct cache cache;
	struct list asks, answers, queries;
	unsigned n_asks;  /* with the answers that were not pulled */
	unsigned n_begun; /* queries ever: for `rotate` */
	uint64_t last_id;
};

void *resolver_alloc(struct tern_resolver *, size_t);
void resolver_dispose(struct tern_resolver *, void *, size_t);
/* Whom to ask now: the configuration's servers, or those learned. */
unsigned resolver_servers(const struct tern_resolver *,
			  struct tern_addr out[TERN_RESOLVER_SERVERS_MAX]);

#endif
