/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_ask.c - the process's resolver: who configures it, and how do threads wait for it?
 *
 * It reads resolv.conf(5) and hosts(5) anew for each question, and forgets what it knows when they
 * have changed. TERN_RESOLV_CONF names another file than /etc/resolv.conf. News of its sockets goes
 * to a file that has no number; threads wait for that, and whoever comes first takes the answers of
 * all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../include/tern_malloc.h"
#include "names.h"

/* A file of the host's, as it was read last. */
struct source {
	char *text;
	size_t len;
};

struct names {
	struct tern_resolver *r;
	struct file *news;
	struct source conf, hosts;
	char domain[TERN_DOMAIN_MAX];
};

/* One that waits. */
struct names_call {
	struct tern_resolver_answer *answer;
	bool done;
};

/* true: it is another text than before. */
static bool read_source(struct source *s, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(TERN_RESOLVER_HOSTS_MAX), *shorter;
	size_t len = f && text ? fread(text, 1, TERN_RESOLVER_HOSTS_MAX, f) : 0;
	bool same = s->text && s->len == len && memcmp(s->text, text ? text : "", len) == 0;

	if (f)
		fclose(f);
	if (same || !text) {
		free(text);
		return false;
	}
	free(s->text);
	s->text = text;
	shorter = realloc(text, len + 1);
	if (shorter)
		s->text = shorter;
	s->len = len;
	return true;
}

static bool configure_anew(struct names *n)
{
	const char *path = getenv("TERN_RESOLV_CONF");
	struct tern_resolver_conf conf;
	bool changed = read_source(&n->conf, path ? path : "/etc/resolv.conf");

	changed = read_source(&n->hosts, "/etc/hosts") || changed;
	if (!changed)
		return true;
	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, n->conf.text, n->conf.len);
	memcpy(n->domain, conf.search[0], sizeof(n->domain));
	return tern_resolver_configure(n->r, &conf, n->hosts.text, n->hosts.len) == 0;
}

static struct names *make_names(struct posix *p)
{
	struct tern_resolver_wish wish = { .st = p->sem.st,
					   .alloc = tern_malloc,
					   .free = tern_malloc_free };
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->news = file_new(FILE_SOCKET);
	wish.user = n->news;
	if (n->news && getrandom(wish.seed, sizeof(wish.seed), 0) == (ssize_t)sizeof(wish.seed))
		n->r = tern_resolver_new(&wish);
	if (n->r)
		return n;
	free(n->news);
	free(n);
	return NULL;
}

/* Answers go to whoever asked; others that wait look up. */
static void hand_answers_out(struct posix *p)
{
	struct tern_resolver_answer a;
	bool any = false;

	while (tern_resolver_answer(p->names->r, &a)) {
		struct names_call *c = a.user;

		*c->answer = a;
		c->done = any = true;
	}
	if (any)
		file_wake(&p->sem, p->names->news, TERN_POLLIN);
}

/* A signal ends no look-up, as on Linux. */
static void wait_for_answer(struct posix *p, struct names_call *c)
{
	struct tern_resolver *r = p->names->r;

	for (;;) {
		p->sem.world.pump(p);
		tern_resolver_advance(r, loop_now());
		hand_answers_out(p);
		if (c->done || p->stopped)
			return;
		sem_wait_for(&p->sem, p->names->news, TERN_POLLIN | TERN_POLLOUT,
			     tern_resolver_deadline(r));
	}
}

static bool ask_with_lock(struct posix *p, struct tern_resolver_question *q, struct names_call *c)
{
	uint64_t id;

	if (!p->names)
		p->names = make_names(p);
	if (!p->names || !configure_anew(p->names) || tern_resolver_ask(p->names->r, q, &id) != 0)
		return false;
	wait_for_answer(p, c);
	if (!c->done)
		tern_resolver_cancel(p->names->r, id);
	return c->done;
}

void names_ask(const struct tern_resolver_question *question, struct tern_resolver_answer *out)
{
	struct names_call call = { .answer = out };
	struct tern_resolver_question q = *question;
	struct posix *p = posix_get();

	memset(out, 0, sizeof(*out));
	out->error = TERN_RESOLVER_SYSTEM;
	if (!p)
		return;
	q.user = &call;
	posix_lock(p);
	if (!ask_with_lock(p, &q, &call)) {
		out->error = TERN_RESOLVER_MEMORY;
		errno = ENOMEM;
	}
	posix_unlock(p);
}

void names_domain(char out[TERN_DOMAIN_MAX])
{
	struct posix *p = posix_peek();

	out[0] = 0;
	if (!p)
		return;
	posix_lock(p);
	if (p->names)
		memcpy(out, p->names->domain, TERN_DOMAIN_MAX);
	posix_unlock(p);
}
