/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.c - names, in a program that is called back: a host that asks, and a small name server.
 *
 * look_up() returns at once; the look-up's own function gets the answer later, from the loop in
 * main(). The network and the server are simulated, so that this runs anywhere and in no time.
 */
#include "common.h"

#include <tern_resolve.h>
#include <tern_sim.h>

struct program {
	struct tern_sim_pair net; /* a asks, b is the name server */
	struct tern_resolver *r;
	tern_sock server;
	unsigned n_waiting, n_right;
};

/* ---- the host that asks ---- */

struct look_up {
	struct program *program;
	const char *name;
	void (*on_answer)(struct look_up *, const struct tern_resolver_answer *);
};

static void look_up(struct look_up *l)
{
	struct tern_resolver_question q = { .name = l->name, .family = TERN_AF_UNSPEC, .user = l };

	if (tern_resolver_ask(l->program->r, &q, NULL) == 0)
		l->program->n_waiting++;
}

static void on_found(struct look_up *l, const struct tern_resolver_answer *a)
{
	char text[TERN_ADDR_TEXT_MAX];

	printf("%s is %s:", l->name, a->name);
	for (unsigned i = 0; i < a->n_addrs; i++)
		printf(" %s", tern_addr_format(&a->addr[i], false, text));
	printf("\n");
	l->program->n_right += a->error == TERN_RESOLVER_OK && a->n_addrs == 2;
}

static void on_missing(struct look_up *l, const struct tern_resolver_answer *a)
{
	char why[TERN_RESOLVER_WHY_MAX];

	printf("%s: %s\n", l->name, tern_resolver_why(a, why));
	l->program->n_right += a->error == TERN_RESOLVER_NONAME;
}

/* News of the host's sockets: the resolver's, and those of the program, if it had any. */
static void on_host_event(void *ctx, int host, const struct tern_event *ev)
{
	struct program *p = ctx;

	(void)host;
	tern_resolver_on_event(p->r, ev);
}

static void run(struct program *p)
{
	struct tern_resolver_answer a;

	while (p->n_waiting > 0) {
		while (tern_resolver_answer(p->r, &a)) {
			struct look_up *l = a.user;

			p->n_waiting--;
			l->on_answer(l, &a);
		}
		/* a program of the real world sleeps here; see examples/embedded_loop.c */
		tern_sim_step(p->net.sim, tern_resolver_deadline(p->r));
		tern_resolver_advance(p->r, tern_sim_now(p->net.sim));
	}
}

/* ---- the name server: RFC 1035 4, as far as this needs it ---- */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, HEADER = 12, NO_SUCH_NAME = 3 };

static const struct record {
	const char *name;
	uint8_t type;
	const char *data;
} records[] = {
	{ "www.example", TYPE_CNAME, "web.example" },
	{ "web.example", TYPE_A, "192.0.2.80" },
	{ "web.example", TYPE_AAAA, "2001:db8::80" },
};
enum { N_RECORDS = sizeof(records) / sizeof(records[0]) };

/* Labels, each behind its length, and an empty one. Returns how long that is. */
static size_t put_name(uint8_t *out, const char *text)
{
	size_t start = 0, n = 1;

	for (; *text; text++) {
		if (*text == '.') {
			out[start] = (uint8_t)(n - start - 1);
			start = n;
		}
		out[n++] = (uint8_t)*text;
	}
	out[start] = (uint8_t)(n - start - 1);
	out[n] = 0;
	return n + 1;
}

static size_t put_data(uint8_t *out, const struct record *r)
{
	struct tern_addr a;
	size_t len = r->type == TYPE_A ? 4 : 16;

	if (r->type == TYPE_CNAME)
		return put_name(out, r->data);
	tern_addr_parse(r->data, 0, &a);
	memcpy(out, a.ip, len);
	return len;
}

/* Puts a record behind the m[0..len) that are there; returns the new length. */
static size_t put_record(uint8_t *m, size_t len, const struct record *r)
{
	static const uint8_t class_and_ttl[] = { 0, 1, 0, 0, 1, 44 };
	size_t n_data;

	len += put_name(m + len, r->name);
	m[len] = 0;
	m[len + 1] = r->type;
	memcpy(m + len + 2, class_and_ttl, 6);
	n_data = put_data(m + len + 10, r);
	m[len + 8] = 0;
	m[len + 9] = (uint8_t)n_data;
	m[7]++; /* answers */
	return len + 10 + n_data;
}

/* Makes the question in m an answer, along the aliases; returns its length. */
static size_t answer(uint8_t *m)
{
	uint8_t name[64], owner[64];
	size_t len = HEADER, n_name;
	unsigned type, known = 0;

	while (m[len])
		len += 1u + m[len];
	n_name = ++len - HEADER;
	memcpy(name, m + HEADER, n_name);
	type = m[len + 1];
	len += 4;
	memcpy(m + 2, (uint8_t[10]){ 0x81, 0x80, 0, 1 }, 10); /* one question, and no more yet */
	for (unsigned i = 0; i < N_RECORDS; i++) {
		size_t n_owner = put_name(owner, records[i].name);

		if (n_owner != n_name || memcmp(owner, name, n_owner) != 0)
			continue;
		known = 1;
		if (records[i].type == type || records[i].type == TYPE_CNAME)
			len = put_record(m, len, &records[i]);
		if (records[i].type == TYPE_CNAME) /* which stands before what it leads to */
			n_name = put_name(name, records[i].data);
	}
	m[3] |= known ? 0 : NO_SUCH_NAME;
	return len;
}

static void on_server_event(void *ctx, int host, const struct tern_event *ev)
{
	struct program *p = ctx;
	struct tern_addr from;
	uint8_t m[512];

	(void)host;
	while (tern_recvfrom(p->net.b, ev->sock, m, sizeof(m), 0, &from) > HEADER)
		tern_sendto(p->net.b, ev->sock, m, answer(m), 0, &from);
}

/* ---- both ---- */

static int begin(struct program *p)
{
	static const char conf_text[] = "nameserver 10.0.0.2\n";
	struct tern_weather weather = { .delay = 10 * TERN_MS };
	struct tern_resolver_wish wish = { .alloc = tern_malloc, .free = tern_malloc_free };
	struct tern_resolver_conf conf;
	struct tern_addr at = tern_ip4(10, 0, 0, 2, 53);

	if (tern_sim_pair(&p->net, 7, TERN_AF_INET, TERN_LINK_IP, 1500, &weather) != 0)
		return -1;
	tern_sim_on_event(p->net.sim, 0, on_host_event, p);
	tern_sim_on_event(p->net.sim, 1, on_server_event, p);
	tern_socket(p->net.b, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &p->server);
	tern_bind(p->net.b, p->server, &at);

	wish.st = p->net.a;
	memset(wish.seed, 7, sizeof(wish.seed)); /* a real program draws it */
	p->r = tern_resolver_new(&wish);
	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, conf_text, strlen(conf_text));
	return p->r ? tern_resolver_configure(p->r, &conf, NULL, 0) : -1;
}

int main(void)
{
	struct program p = { .n_right = 0 };
	struct look_up there = { &p, "www.example", on_found };
	struct look_up missing = { &p, "nowhere.example", on_missing };

	if (begin(&p) == 0) {
		look_up(&there);
		look_up(&missing);
		run(&p);
	}
	tern_resolver_free(p.r);
	tern_sim_free(p.net.sim);
	return p.n_right == 2 ? 0 : 1;
}
