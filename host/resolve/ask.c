/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - a user's question: which names are tried in turn, and what is the answer in the end?
 *
 * A name with enough dots is tried as it is first, then in each domain of the search list; another
 * one the other way round (resolv.conf(5)). Of each name AAAA and A are asked for at once. The
 * first name with an address ends it. Else the gravest of what was said is the answer: "not now"
 * hides "there is none", because the name that was not answered for may be there.
 */
#include "../../core/base/addr.h"
#include "resolve_impl.h"

enum { SIX, FOUR }; /* of query, result, error; a PTR is in the first */

/* ---- answers ---- */

static bool answer_with(struct ask *a, enum tern_resolver_error error,
			enum tern_resolver_cause cause)
{
	a->answer.error = error;
	a->answer.cause = cause;
	return true;
}

static bool answer_addresses(struct ask *a, struct tern_resolver *r)
{
	struct tern_resolver_answer *out = &a->answer;

	for (unsigned i = 0; i < out->n_addrs; i++)
		out->addr[i].port = a->port;
	if (out->n_addrs > 1)
		order_addresses(r->wish.st, out->addr, out->n_addrs);
	return answer_with(a, TERN_RESOLVER_OK, TERN_RESOLVER_BY_SERVER);
}

static void copy_answer_name(char out[TERN_DOMAIN_MAX], const char *name, size_t len)
{
	len = MIN(len, TERN_DOMAIN_MAX - 1);
	memcpy(out, name, len);
	out[len] = 0;
}

/* Who asks for a host is told of a host's name, whatever a server calls it. */
static bool copy_host_name(char out[TERN_DOMAIN_MAX], const struct dns_name *n)
{
	char text[DNS_TEXT_MAX];

	if (!dns_name_is_host(n))
		return false;
	dns_name_format(n, text);
	copy_answer_name(out, text, text_len(text));
	return true;
}

/* ---- what needs no server ---- */

static bool answer_localhost(struct ask *a, struct tern_resolver *r, const char *name)
{
	struct tern_addr loopback[2] = { { .family = TERN_AF_INET6, .ip = { [15] = 1 } },
					 tern_ip4(127, 0, 0, 1, 0) };

	for (unsigned i = 0; i < 2; i++)
		if (a->family == TERN_AF_UNSPEC || a->family == loopback[i].family)
			a->answer.addr[a->answer.n_addrs++] = loopback[i];
	copy_answer_name(a->answer.name, name, text_len(name));
	answer_addresses(a, r);
	return answer_with(a, TERN_RESOLVER_OK, TERN_RESOLVER_BY_RULE);
}

static bool answer_number(struct ask *a, const char *name, const struct tern_addr *addr)
{
	copy_answer_name(a->answer.name, name, text_len(name));
	if (a->family != TERN_AF_UNSPEC && a->family != addr->family)
		return answer_with(a, TERN_RESOLVER_NODATA, TERN_RESOLVER_BY_RULE);
	a->answer.addr[0] = *addr;
	a->answer.n_addrs = 1;
	return answer_with(a, TERN_RESOLVER_OK, TERN_RESOLVER_BY_RULE);
}

static bool answer_by_hosts(struct ask *a, struct tern_resolver *r, const char *name)
{
	struct hosts_found found;

	if (!hosts_find(r->hosts, r->hosts_len, name, a->family, &found))
		return false;
	memcpy(a->answer.addr, found.addr, found.n * sizeof(found.addr[0]));
	a->answer.n_addrs = found.n;
	memcpy(a->answer.name, found.canonical, sizeof(found.canonical));
	answer_addresses(a, r);
	return answer_with(a, found.n ? TERN_RESOLVER_OK : TERN_RESOLVER_NODATA,
			   TERN_RESOLVER_BY_HOSTS);
}

/* ---- candidates ---- */

static void add_candidate(struct ask *a, const struct tern_resolver *r, const struct dns_name *name,
			  const char *domain)
{
	struct dns_name n = *name, d;

	if (domain && (!dns_name_parse(&d, domain, text_len(domain)) || !dns_name_append(&n, &d)))
		return;
	if (special_of(&n, r->wish.ask_for_local) != SPECIAL_NONE)
		return;
	dns_name_fold(&n);
	a->candidate[a->n_candidates++] = n;
}

static void search_learned(struct ask *a, const struct tern_resolver *r,
			   const struct dns_name *name)
{
	struct tern_server s;
	unsigned cursor = 0, n = 0;

	while (n < TERN_RESOLVER_SEARCH_MAX && tern_server_next(r->wish.st, &cursor, &s))
		if (s.kind == TERN_SERVER_SEARCH) {
			add_candidate(a, r, name, s.domain);
			n++;
		}
}

static void add_candidates(struct ask *a, const struct tern_resolver *r, const char *text,
			   const struct dns_name *name)
{
	size_t len = text_len(text), dots = 0;
	bool whole = text[len - 1] == '.', as_it_is_first;

	for (size_t i = 0; i < len; i++)
		dots += text[i] == '.';
	as_it_is_first = whole || dots >= r->conf.ndots;
	if (as_it_is_first && !(r->conf.no_tld_query && dots == 0))
		add_candidate(a, r, name, NULL);
	for (unsigned i = 0; i < r->conf.n_search && !whole; i++)
		add_candidate(a, r, name, r->conf.search[i]);
	if (r->conf.n_search == 0 && r->conf.n_servers == 0 && !whole)
		search_learned(a, r, name);
	if (!as_it_is_first && !(r->conf.no_tld_query && dots == 0))
		add_candidate(a, r, name, NULL);
}

static bool begin_forward(struct ask *a, struct tern_resolver *r,
			  const struct tern_resolver_question *q)
{
	struct tern_addr addr;
	struct dns_name name;

	if (tern_addr_parse(q->name, q->addr.port, &addr) == 0)
		return answer_number(a, q->name, &addr);
	if (q->numeric_only || !dns_name_parse(&name, q->name, text_len(q->name)) ||
	    !dns_name_is_host(&name))
		return answer_with(a, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE);
	if (!q->by_dns_only && answer_by_hosts(a, r, q->name))
		return true;
	if (special_of(&name, true) == SPECIAL_LOOPBACK)
		return answer_localhost(a, r, q->name);
	if (special_of(&name, r->wish.ask_for_local) == SPECIAL_NONE)
		add_candidates(a, r, q->name, &name);
	if (a->n_candidates == 0)
		return answer_with(a, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE);
	return false;
}

static bool begin_reverse(struct ask *a, struct tern_resolver *r,
			  const struct tern_resolver_question *q)
{
	struct tern_addr plain = addr_plain(&q->addr);

	if (q->numeric_only)
		return answer_with(a, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE);
	if (!q->by_dns_only && hosts_name(r->hosts, r->hosts_len, &q->addr, a->answer.name))
		return answer_with(a, TERN_RESOLVER_OK, TERN_RESOLVER_BY_HOSTS);
	a->is_reverse = true;
	dns_name_of_address(&a->candidate[0], plain.ip, plain.family == TERN_AF_INET ? 4 : 16);
	a->n_candidates = 1;
	return false;
}

bool ask_begin(struct ask *a, struct tern_resolver *r, const struct tern_resolver_question *q)
{
	a->user = a->answer.user = q->user;
	a->family = q->family;
	a->port = q->addr.port;
	a->first_name_only = q->first_name_only;
	return q->name ? begin_forward(a, r, q) : begin_reverse(a, r, q);
}

/* ---- one candidate ---- */

static bool is_type_wanted(const struct ask *a, int which)
{
	if (a->is_reverse)
		return which == SIX;
	return a->family == TERN_AF_UNSPEC ||
	       a->family == (which == SIX ? TERN_AF_INET6 : TERN_AF_INET);
}

static enum tern_resolver_error error_of_kind(unsigned kind)
{
	return kind == DNS_FOUND   ? TERN_RESOLVER_OK :
	       kind == DNS_NO_DATA ? TERN_RESOLVER_NODATA :
				     TERN_RESOLVER_NONAME;
}

/* From the cache, or by a query. */
static void begin_one(struct ask *a, struct tern_resolver *r, int which)
{
	struct dns_question q = { .name = a->candidate[a->at] };

	q.type = a->is_reverse ? DNS_PTR : which == SIX ? DNS_AAAA : DNS_A;
	if (q.type == DNS_AAAA && r->conf.no_aaaa) {
		memset(&a->result[which], 0, sizeof(a->result[which]));
		a->error[which] = TERN_RESOLVER_NODATA;
		a->known[which] = true;
		return;
	}
	a->known[which] = cache_find(&r->cache, &q, &a->result[which]);
	if (a->known[which]) {
		a->error[which] = error_of_kind(a->result[which].kind);
		return;
	}
	a->query[which] = query_begin(r, &q);
	if (!a->query[which]) {
		memset(&a->result[which], 0, sizeof(a->result[which]));
		a->error[which] = TERN_RESOLVER_MEMORY;
		a->known[which] = true;
	}
}

/* How much an error says against trying on, and against what others say. */
static unsigned gravity(enum tern_resolver_error e)
{
	static const uint8_t of[TERN_RESOLVER_N_ERRORS] = {
		[TERN_RESOLVER_NONAME] = 1, [TERN_RESOLVER_NODATA] = 2, [TERN_RESOLVER_FAIL] = 3,
		[TERN_RESOLVER_AGAIN] = 4,  [TERN_RESOLVER_MEMORY] = 5,
	};

	return of[e];
}

static void note_ask_error(struct ask *a, enum tern_resolver_error error, const struct query *q)
{
	if (gravity(error) <= gravity(a->answer.error))
		return;
	a->answer.error = error;
	a->answer.cause = error == TERN_RESOLVER_MEMORY ? TERN_RESOLVER_NO_MEMORY :
			  q				? q->cause :
							  TERN_RESOLVER_BY_SERVER;
	a->answer.server = q ? q->told_by : (struct tern_addr){ .family = TERN_AF_UNSPEC };
}

/* What a query has found out, or still is to. */
static void take_query(struct ask *a, int which)
{
	struct query *q = a->query[which];

	if (!q || q->state != QUERY_DONE)
		return;
	a->known[which] = true;
	a->error[which] = q->error;
	a->result[which] = q->result;
	if (q->error != TERN_RESOLVER_OK)
		note_ask_error(a, q->error, q);
	query_leave(q);
	a->query[which] = NULL;
}

static void take_addresses(struct ask *a, int which)
{
	const struct dns_result *from = &a->result[which];
	struct tern_resolver_answer *out = &a->answer;

	for (unsigned i = 0; i < from->n_addrs; i++) {
		struct tern_addr *to = &out->addr[out->n_addrs++];

		to->family = which == SIX ? TERN_AF_INET6 : TERN_AF_INET;
		memcpy(to->ip, from->addr[i], 16);
	}
	if (!out->name[0])
		copy_host_name(out->name, &from->canonical);
}

/* All is known of the candidate; true: it is the answer. */
static bool judge_candidate(struct ask *a, struct tern_resolver *r)
{
	struct tern_resolver_answer *out = &a->answer;
	uint32_t ttl = UINT32_MAX;

	for (int i = 0; i < 2; i++) {
		if (!is_type_wanted(a, i))
			continue;
		if (a->error[i] != TERN_RESOLVER_OK) {
			note_ask_error(a, a->error[i], NULL);
			continue;
		}
		ttl = MIN(ttl, a->result[i].ttl);
		if (!a->is_reverse)
			take_addresses(a, i);
		else if (!copy_host_name(out->name, &a->result[i].canonical))
			note_ask_error(a, TERN_RESOLVER_NONAME, NULL);
	}
	if (out->n_addrs == 0 && !(a->is_reverse && out->name[0]))
		return false;
	if (!out->name[0])
		copy_host_name(out->name, &a->candidate[a->at]);
	out->ttl = ttl;
	out->server.family = TERN_AF_UNSPEC;
	return answer_addresses(a, r);
}

static bool is_candidate_known(struct ask *a, struct tern_resolver *r)
{
	bool known = true;

	for (int i = 0; i < 2; i++) {
		if (!is_type_wanted(a, i))
			continue;
		if (!a->known[i] && !a->query[i] && (known || !r->conf.single_request))
			begin_one(a, r, i);
		take_query(a, i);
		known = known && a->known[i];
	}
	return known;
}

/* Who was silent for this name will be so for the next: the user has waited long enough. */
static bool is_in_vain(const struct ask *a)
{
	const struct tern_resolver_answer *x = &a->answer;

	return x->error == TERN_RESOLVER_MEMORY ||
	       (x->error == TERN_RESOLVER_NODATA && a->first_name_only) ||
	       (x->error == TERN_RESOLVER_AGAIN && x->cause != TERN_RESOLVER_SERVFAIL);
}

bool ask_advance(struct ask *a, struct tern_resolver *r)
{
	while (a->at < a->n_candidates) {
		if (!is_candidate_known(a, r))
			return false;
		if (judge_candidate(a, r) || is_in_vain(a))
			return true;
		a->known[SIX] = a->known[FOUR] = false;
		a->at++;
	}
	return true;
}

void ask_end(struct ask *a)
{
	for (int i = 0; i < 2; i++)
		if (a->query[i])
			query_leave(a->query[i]);
}
