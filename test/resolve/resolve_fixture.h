/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve_fixture.h - a resolver and up to three name servers on tern sockets, in virtual time.
 *
 * The host "a" (10.0.0.1, fd00::1) asks, the servers have 10.0.0.2 to .4 and fd00::2 to ::4. What a
 * server knows is a table; how it behaves is a word, or a function of the test's. Every question
 * that comes is noted.
 */
#ifndef TERN_TEST_RESOLVE_FIXTURE_H
#define TERN_TEST_RESOLVE_FIXTURE_H

#include <stdlib.h>
#include <strings.h>

#include "test.h"

#include "../../include/tern_resolve.h"
#include "../../include/tern_sim.h"
#include "dns_build.h"

enum { SERVERS = 3, ASKED_MAX = 4096, ANSWERS_MAX = 16, PIECES_MAX = 66000 };

struct zone {
	const char *name;
	unsigned type;
	const char *data; /* an address or a name */
	uint32_t ttl;
};

enum behaviour {
	HELPFUL,
	MUTE,	      /* takes questions, says nothing */
	FAILS,	      /* SERVFAIL */
	REFUSES,      /* REFUSED */
	LAME_ONE,     /* sends us elsewhere */
	NO_EDNS,      /* FORMERR, and no more than a header */
	NO_EDNS_ASKS, /* FORMERR, with the question */
	NOTIMP_EDNS,
	TRUNCATES, /* over UDP */
	TRUNCATES_ALL,
	ABSENT, /* no socket at all */
};

struct world;
struct asked {
	unsigned server;
	tern_time at;
	uint16_t id, port, type;
	bool edns, tcp;
	char name[DNS_TEXT_MAX];
	struct tern_addr from;
	struct dns_question question;
};

struct server {
	struct world *w;
	unsigned index;
	struct tern_stack *st;
	enum behaviour behaves;
	/* instead of all that: writes to w->m, and says or not */
	void (*script)(struct server *, const struct asked *);
	tern_sock udp, udp6, listener, conn;
	bool no_tcp;
	uint8_t in[2048]; /* of conn */
	size_t in_len;
	uint8_t out[PIECES_MAX]; /* over TCP, piece by piece */
	size_t out_len, out_at, piece;
	bool sending;
};

struct world {
	struct tern_sim *sim;
	struct tern_stack *st;
	struct tern_resolver *r;
	struct server server[SERVERS];
	int link;
	const struct zone *zone;
	struct build m;
	struct asked asked[ASKED_MAX];
	unsigned n_asked;
	struct tern_resolver_answer answer[ANSWERS_MAX];
	tern_time answered_at[ANSWERS_MAX];
	unsigned n_answers;
	bool has_other_sockets; /* on the resolver's host */
	uint64_t memory;	/* the resolver's */
	uint64_t n_allocs, fail_at;
};

static inline void *world_alloc(void *ctx, size_t size)
{
	struct world *w = ctx;
	void *p;

	if (++w->n_allocs == w->fail_at)
		return NULL;
	p = malloc(size);
	memset(p, 0xa5, size);
	w->memory += size;
	return p;
}

static inline void world_free(void *ctx, void *p, size_t size)
{
	struct world *w = ctx;

	w->memory -= size;
	free(p);
}

/* ---- the servers ---- */

static inline void send_piece(void *ctx)
{
	struct server *s = ctx;
	size_t len = MIN(s->piece ? s->piece : PIECES_MAX, s->out_len - s->out_at);
	int64_t n = tern_send(s->st, s->conn, s->out + s->out_at, len, 0);

	s->out_at += n > 0 ? (size_t)n : 0;
	s->sending = s->out_at < s->out_len && (n >= 0 || n == -TERN_EAGAIN);
	if (s->sending)
		tern_sim_at(s->w->sim, tern_sim_now(s->w->sim) + TERN_MS, send_piece, s);
}

/* What is in w->m goes to whoever asked. */
static inline void server_says(struct server *s, const struct asked *a)
{
	const struct build *m = &s->w->m;

	if (!a->tcp) {
		tern_sendto(s->st, a->from.family == TERN_AF_INET ? s->udp : s->udp6, m->b, m->len,
			    0, &a->from);
		return;
	}
	put_be16(s->out + s->out_len, (uint32_t)m->len);
	memcpy(s->out + s->out_len + 2, m->b, m->len);
	s->out_len += 2 + m->len;
	if (!s->sending)
		send_piece(s);
}

/* An answer to it begins, with its number and question. */
static inline struct build *server_begins(struct server *s, const struct asked *a, unsigned flags)
{
	build_head(&s->w->m, a->id, DNS_QR | DNS_RD | DNS_RA | flags);
	build_question(&s->w->m, a->name, a->type);
	return &s->w->m;
}

static inline void add_from_zone(struct build *m, const struct zone *z)
{
	if (z->type == DNS_A || z->type == DNS_AAAA)
		build_address(m, z->name, z->data, z->ttl);
	else
		build_link(m, DNS_ANSWER, z->name, z->type, z->ttl, z->data);
}

/* As a name server would: RFC 1034 4.3.2, as far as tests need it. */
static inline void server_answers(struct server *s, const struct asked *a)
{
	struct build *m = server_begins(s, a, 0);
	const char *name = a->name;
	bool there = false, found = false;

	for (int links = 0; links < 20 && !found; links++) {
		const char *alias = NULL;

		there = false;
		for (const struct zone *z = s->w->zone; z && z->name; z++) {
			if (strcasecmp(z->name, name) != 0)
				continue;
			there = true;
			if (z->type == a->type || z->type == DNS_CNAME)
				add_from_zone(m, z);
			found = found || z->type == a->type;
			alias = z->type == DNS_CNAME ? z->data : alias;
		}
		if (!alias)
			break;
		name = alias;
	}
	if (!found)
		build_soa(m, "test", 60, 30);
	if (!there)
		put_be16(m->b + 2, get_be16(m->b + 2) | DNS_NXDOMAIN);
	if (a->edns)
		build_opt(m, 0);
	server_says(s, a);
}

static inline void server_refers(struct server *s, const struct asked *a)
{
	struct build *m = server_begins(s, a, 0);

	put_be16(m->b + 2, DNS_QR | DNS_RD);
	build_link(m, DNS_AUTHORITY, ".", DNS_NS, 60, "a.root.test");
	server_says(s, a);
}

static inline void server_behaves(struct server *s, const struct asked *a)
{
	unsigned rcode = 0;

	switch (s->behaves) {
	case MUTE:
	case ABSENT:
		return;
	case FAILS:
		rcode = DNS_SERVFAIL;
		break;
	case REFUSES:
		rcode = DNS_REFUSED;
		break;
	case NO_EDNS:
	case NO_EDNS_ASKS:
		rcode = a->edns ? DNS_FORMERR : 0;
		break;
	case NOTIMP_EDNS:
		rcode = a->edns ? DNS_NOTIMP : 0;
		break;
	case LAME_ONE:
		server_refers(s, a);
		return;
	case TRUNCATES:
	case TRUNCATES_ALL:
		if (a->tcp && s->behaves == TRUNCATES)
			break;
		server_begins(s, a, DNS_TC);
		server_says(s, a);
		return;
	case HELPFUL:
		break;
	}
	if (rcode) {
		server_begins(s, a, rcode);
		if (s->behaves == NO_EDNS) {
			put_be16(s->w->m.b + 4, 0);
			s->w->m.len = DNS_HEADER_LEN;
		}
		server_says(s, a);
	} else {
		server_answers(s, a);
	}
}

static inline void server_is_asked(struct server *s, const uint8_t *msg, size_t len,
				   const struct tern_addr *from, bool tcp)
{
	struct world *w = s->w;
	struct asked *a = &w->asked[w->n_asked];
	struct dns_name name;
	struct dns_head h;
	size_t at;

	if (!dns_check(msg, len, &h) || h.n[DNS_QUESTION] != 1 || w->n_asked == ASKED_MAX) {
		test_fail(__FILE__, __LINE__, "a server got what is no question");
		return;
	}
	w->n_asked++;
	at = dns_name_read(msg, len, DNS_HEADER_LEN, &name);
	*a = (struct asked){ .server = s->index,
			     .at = tern_sim_now(w->sim),
			     .id = h.id,
			     .port = from->port,
			     .type = get_be16(msg + at),
			     .tcp = tcp,
			     .edns = h.n[DNS_ADDITIONAL] == 1,
			     .from = *from };
	dns_name_format(&name, a->name);
	a->question = (struct dns_question){ name, a->type };
	if (s->script)
		s->script(s, a);
	else
		server_behaves(s, a);
}

static inline void server_reads_tcp(struct server *s)
{
	struct tern_addr from = { .family = 0 };
	tern_sock fresh;
	int64_t n;

	if (tern_accept(s->st, s->listener, &fresh, NULL) == 0) {
		if (s->conn)
			tern_close(s->st, s->conn);
		s->conn = fresh;
		s->in_len = s->out_len = s->out_at = 0;
		s->sending = false;
	}
	while (s->conn &&
	       (n = tern_recv(s->st, s->conn, s->in + s->in_len, sizeof(s->in) - s->in_len, 0)) > 0)
		s->in_len += (size_t)n;
	while (s->in_len >= 2 && s->in_len >= 2u + get_be16(s->in)) {
		size_t len = get_be16(s->in);

		server_is_asked(s, s->in + 2, len, &from, true);
		s->in_len -= 2 + len;
		memmove(s->in, s->in + 2 + len, s->in_len);
	}
}

static inline void on_server_event(void *ctx, int host, const struct tern_event *ev)
{
	struct server *s = ctx;
	uint8_t msg[2048];
	struct tern_addr from;
	int64_t n;

	(void)host;
	if (ev->sock == s->udp || ev->sock == s->udp6)
		while ((n = tern_recvfrom(s->st, ev->sock, msg, sizeof(msg), 0, &from)) >= 0)
			server_is_asked(s, msg, (size_t)n, &from, false);
	else
		server_reads_tcp(s);
}

static inline tern_sock server_socket(struct tern_stack *st, int family, int type)
{
	struct tern_addr at = { .family = (uint16_t)family, .port = 53 };
	int32_t on = 1;
	tern_sock s;

	if (tern_socket(st, family, type, 0, &s) != 0)
		abort();
	if (family == TERN_AF_INET6)
		tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, &on, sizeof(on));
	if (tern_bind(st, s, &at) != 0 || (type == TERN_SOCK_STREAM && tern_listen(st, s, 8) != 0))
		abort();
	return s;
}

/* After the test has said how it behaves. */
static inline void open_server(struct server *s)
{
	if (s->behaves == ABSENT)
		return;
	s->udp = server_socket(s->st, TERN_AF_INET, TERN_SOCK_DGRAM);
	s->udp6 = server_socket(s->st, TERN_AF_INET6, TERN_SOCK_DGRAM);
	if (!s->no_tcp)
		s->listener = server_socket(s->st, TERN_AF_INET, TERN_SOCK_STREAM);
	tern_sim_on_event(s->w->sim, s->index + 1, on_server_event, s);
}

/* ---- the world ---- */

static inline void on_client_event(void *ctx, int host, const struct tern_event *ev)
{
	struct world *w = ctx;

	(void)host;
	check(tern_resolver_on_event(w->r, ev) || w->has_other_sockets);
}

static inline struct tern_stack *add_host(struct world *w, const char *name, unsigned n)
{
	struct tern_iface nic = { .name = "nic", .link = TERN_LINK_ETHERNET, .mtu = 1500 };
	struct tern_addr four = tern_ip4(10, 0, 0, (uint8_t)n, 0), six;
	int host = tern_sim_host_add(w->sim, name, NULL);
	struct tern_stack *st = tern_sim_stack(w->sim, host);
	int ifindex;

	nic.mac[0] = 2;
	nic.mac[5] = (uint8_t)n;
	ifindex = tern_sim_attach(w->sim, w->link, host, &nic);
	tern_addr_parse("fd00::", 0, &six);
	six.ip[15] = (uint8_t)n;
	if (ifindex < 0 || tern_addr_add(st, (unsigned)ifindex, &four, 24) != 0 ||
	    tern_addr_add(st, (unsigned)ifindex, &six, 64) != 0)
		abort();
	return st;
}

static inline struct tern_resolver *new_resolver(struct world *w, uint8_t seed)
{
	struct tern_resolver_wish wish = {
		.st = w->st, .alloc = world_alloc, .free = world_free, .ctx = w, .seed = { seed }
	};

	return tern_resolver_new(&wish);
}

/* Servers and the resolver; a test changes how they behave, then calls open_world. */
static inline struct world *new_world(const struct zone *zone)
{
	struct tern_weather weather = { .delay = TERN_MS };
	struct world *w = calloc(1, sizeof(*w));

	w->sim = tern_sim_new(1);
	w->link = tern_sim_link_add(w->sim, &weather);
	w->zone = zone;
	w->st = add_host(w, "a", 1);
	for (unsigned i = 0; i < SERVERS; i++)
		w->server[i] =
			(struct server){ .w = w, .index = i, .st = add_host(w, "server", i + 2) };
	w->r = new_resolver(w, 1);
	tern_sim_on_event(w->sim, 0, on_client_event, w);
	return w;
}

/* The resolver gets this text as its resolv.conf, and the servers listen. */
static inline void open_world(struct world *w, const char *conf_text)
{
	struct tern_resolver_conf conf;

	for (unsigned i = 0; i < SERVERS; i++)
		open_server(&w->server[i]);
	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, conf_text, strlen(conf_text));
	check_eq(tern_resolver_configure(w->r, &conf, NULL, 0), 0);
}

static inline void end_world(struct world *w)
{
	tern_resolver_free(w->r);
	check_eq(w->memory, 0);
	tern_sim_check(w->sim);
	tern_sim_free(w->sim);
	free(w);
}

static inline void take_answers(struct world *w)
{
	while (w->n_answers < ANSWERS_MAX && tern_resolver_answer(w->r, &w->answer[w->n_answers]))
		w->answered_at[w->n_answers++] = tern_sim_now(w->sim);
}

/* Until so many answers are there, or that instant. */
static inline void run_world(struct world *w, unsigned n_answers, tern_time until)
{
	take_answers(w);
	while (w->n_answers < n_answers && tern_sim_now(w->sim) < until) {
		if (!tern_sim_step(w->sim, MIN(until, tern_resolver_deadline(w->r))))
			tern_resolver_advance(w->r, tern_sim_now(w->sim));
		take_answers(w);
	}
}

/* Asks, and waits for the answer, which is the last. */
static inline const struct tern_resolver_answer *world_asks(struct world *w, const char *name,
							    int family)
{
	struct tern_resolver_question q = { .name = name, .family = family };

	w->n_answers = 0;
	check_eq(tern_resolver_ask(w->r, &q, NULL), 0);
	run_world(w, 1, tern_sim_now(w->sim) + 1000 * TERN_SEC);
	check_eq(w->n_answers, 1);
	return &w->answer[0];
}

/* "10.0.0.2 fd00::2": the addresses of an answer. */
static inline const char *addrs_of(const struct tern_resolver_answer *a)
{
	static char text[2048];
	char one[TERN_ADDR_TEXT_MAX];
	size_t len = 0;

	text[0] = 0;
	for (unsigned i = 0; i < a->n_addrs; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					tern_addr_format(&a->addr[i], false, one));
	return text;
}

#endif
