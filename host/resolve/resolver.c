/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver.c - the verbs: time in, news in, questions in, answers out.
 *
 * The lists of questions and queries are short and bounded, so that all of them are looked at when
 * something happens. An answer is complete before its user sees it, and nothing calls back.
 */
#include "resolve_impl.h"

enum { CACHE_MAX = 256 };

void *resolver_alloc(struct tern_resolver *r, size_t size)
{
	return r->wish.alloc(r->wish.ctx, size);
}

void resolver_dispose(struct tern_resolver *r, void *p, size_t size)
{
	r->wish.free(r->wish.ctx, p, size);
}

struct tern_resolver *tern_resolver_new(const struct tern_resolver_wish *wish)
{
	struct tern_resolver *r = wish->alloc(wish->ctx, sizeof(*r));

	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->wish = *wish;
	tern_resolver_conf_default(&r->conf);
	rand_init(&r->rand, wish->seed, 53);
	memset(r->wish.seed, 0, sizeof(r->wish.seed));
	cache_init(&r->cache, r, wish->cache_max ? wish->cache_max : CACHE_MAX);
	list_init(&r->asks);
	list_init(&r->answers);
	list_init(&r->queries);
	r->now = tern_now(wish->st);
	return r;
}

static void free_ask(struct tern_resolver *r, struct ask *a)
{
	ask_end(a);
	list_unlink(&a->link);
	resolver_dispose(r, a, sizeof(*a));
	r->n_asks--;
}

static void free_all_asks(struct tern_resolver *r, struct list *asks)
{
	while (!list_empty(asks))
		free_ask(r, CONTAINER_OF(asks->next, struct ask, link));
}

void tern_resolver_free(struct tern_resolver *r)
{
	if (!r)
		return;
	free_all_asks(r, &r->asks);
	free_all_asks(r, &r->answers);
	cache_clear(&r->cache);
	if (r->hosts)
		resolver_dispose(r, r->hosts, r->hosts_len);
	resolver_dispose(r, r, sizeof(*r));
}

int tern_resolver_configure(struct tern_resolver *r, const struct tern_resolver_conf *conf,
			    const char *hosts, size_t hosts_len)
{
	char *copy = NULL;

	if (conf && (conf->size != sizeof(*conf) || conf->n_servers > TERN_RESOLVER_SERVERS_MAX ||
		     conf->n_search > TERN_RESOLVER_SEARCH_MAX))
		return -TERN_EINVAL;
	hosts_len = hosts ? MIN(hosts_len, TERN_RESOLVER_HOSTS_MAX) : 0;
	if (hosts_len > 0) {
		copy = resolver_alloc(r, hosts_len);
		if (!copy)
			return -TERN_ENOMEM;
		memcpy(copy, hosts, hosts_len);
	}
	if (r->hosts)
		resolver_dispose(r, r->hosts, r->hosts_len);
	r->hosts = copy;
	r->hosts_len = hosts_len;
	if (conf)
		r->conf = *conf;
	else
		tern_resolver_conf_default(&r->conf);
	cache_clear(&r->cache);
	return 0;
}

unsigned resolver_servers(const struct tern_resolver *r,
			  struct tern_addr out[TERN_RESOLVER_SERVERS_MAX])
{
	unsigned cursor = 0, n = r->conf.n_servers;
	struct tern_server s;

	if (n > 0) {
		memcpy(out, r->conf.server, n * sizeof(out[0]));
		return n;
	}
	while (n < TERN_RESOLVER_SERVERS_MAX && tern_server_next(r->wish.st, &cursor, &s))
		if (s.kind == TERN_SERVER_DNS)
			out[n++] = s.addr;
	return n;
}

/* ---- time and news in ---- */

static void note_time(struct tern_resolver *r, tern_time now)
{
	r->now = MAX(r->now, now);
}

/* Questions whose queries have ended go on, or are answered. */
static void settle_asks(struct tern_resolver *r)
{
	for (struct list *l = r->asks.next, *next; l != &r->asks; l = next) {
		struct ask *a = CONTAINER_OF(l, struct ask, link);

		next = l->next;
		if (!ask_advance(a, r))
			continue;
		list_unlink(&a->link);
		list_put_tail(&r->answers, &a->link);
	}
}

void tern_resolver_advance(struct tern_resolver *r, tern_time now)
{
	note_time(r, now);
	for (struct list *l = r->queries.next; l != &r->queries; l = l->next)
		query_advance(CONTAINER_OF(l, struct query, link));
	settle_asks(r);
}

tern_time tern_resolver_deadline(const struct tern_resolver *r)
{
	tern_time at = TERN_NEVER;

	if (!list_empty(&r->answers))
		return r->now;
	for (struct list *l = r->queries.next; l != &r->queries; l = l->next) {
		const struct query *q = CONTAINER_OF(l, struct query, link);

		at = q->state == QUERY_DONE ? r->now : MIN(at, q->until);
	}
	return at;
}

bool tern_resolver_on_event(struct tern_resolver *r, const struct tern_event *ev)
{
	note_time(r, tern_now(r->wish.st));
	for (struct list *l = r->queries.next; l != &r->queries; l = l->next) {
		struct query *q = CONTAINER_OF(l, struct query, link);

		if (!q->sock || q->sock != ev->sock)
			continue;
		query_advance(q);
		settle_asks(r);
		return true;
	}
	return false;
}

/* ---- questions in, answers out ---- */

static bool is_family(int family)
{
	return family == TERN_AF_INET || family == TERN_AF_INET6;
}

int tern_resolver_ask(struct tern_resolver *r, const struct tern_resolver_question *q, uint64_t *id)
{
	struct ask *a;

	if (q->name ? q->family != TERN_AF_UNSPEC && !is_family(q->family) :
		      !is_family(q->addr.family))
		return -TERN_EAFNOSUPPORT;
	note_time(r, tern_now(r->wish.st));
	if (r->n_asks >= TERN_RESOLVER_ASKS_MAX)
		return -TERN_ENOBUFS;
	a = resolver_alloc(r, sizeof(*a));
	if (!a)
		return -TERN_ENOMEM;
	memset(a, 0, sizeof(*a));
	r->n_asks++;
	a->id = a->answer.id = ++r->last_id;
	if (id)
		*id = a->id;
	list_init(&a->link);
	list_put_tail(ask_begin(a, r, q) || ask_advance(a, r) ? &r->answers : &r->asks, &a->link);
	return 0;
}

static struct ask *find_ask(struct list *asks, uint64_t id)
{
	for (struct list *l = asks->next; l != asks; l = l->next) {
		struct ask *a = CONTAINER_OF(l, struct ask, link);

		if (a->id == id)
			return a;
	}
	return NULL;
}

void tern_resolver_cancel(struct tern_resolver *r, uint64_t id)
{
	struct ask *a = find_ask(&r->asks, id);

	if (!a)
		a = find_ask(&r->answers, id);
	if (a)
		free_ask(r, a);
}

bool tern_resolver_answer(struct tern_resolver *r, struct tern_resolver_answer *out)
{
	struct ask *a;

	if (list_empty(&r->answers))
		return false;
	a = CONTAINER_OF(r->answers.next, struct ask, link);
	*out = a->answer;
	free_ask(r, a);
	return true;
}
