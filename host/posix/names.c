/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - getaddrinfo and getnameinfo without a question to anybody: numbers, services, and the
 * names that the hosts file has.
 *
 * The C library turns numbers into sockaddrs and knows the services; asked with AI_NUMERICHOST it
 * sends nothing. What it gives is copied, because a list of several addresses is put together here
 * and is freed piece by piece. A name that is in no file is EAI_AGAIN: nobody was asked.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"

static const char hosts_file[] = "/etc/hosts";

enum { LINE_MAX_LEN = 1024 };

struct asked {
	const char *service;
	struct addrinfo hints;
	const char *canonical; /* the name that the first entry gets; NULL: none */
	struct addrinfo **end; /* where the next entry goes */
	int error;	       /* why there is no entry */
};

/* ---- the list ---- */

void tern_posix_freeaddrinfo(struct addrinfo *a)
{
	while (a) {
		struct addrinfo *next = a->ai_next;

		free(a->ai_canonname);
		free(a);
		a = next;
	}
}

static bool copy_entry(struct asked *q, const struct addrinfo *from)
{
	struct addrinfo *a = malloc(sizeof(*a) + from->ai_addrlen);
	const char *name = q->canonical;

	if (!a)
		return false;
	*a = *from;
	a->ai_next = NULL;
	a->ai_addr = (struct sockaddr *)(a + 1);
	memcpy(a->ai_addr, from->ai_addr, from->ai_addrlen);
	a->ai_canonname = name ? strdup(name) : NULL;
	q->canonical = NULL;
	*q->end = a;
	q->end = &a->ai_next;
	return !name || a->ai_canonname;
}

/* Appends what a number means. 0, or EAI_*. */
static int append_number(struct asked *q, const char *number)
{
	struct addrinfo hints = q->hints, *list;
	bool good = true;
	int err;

	hints.ai_flags = (hints.ai_flags & ~(AI_ADDRCONFIG | AI_CANONNAME)) | AI_NUMERICHOST;
	err = getaddrinfo(number, q->service, &hints, &list);
	if (err)
		return err;
	for (const struct addrinfo *a = list; a && good; a = a->ai_next)
		good = copy_entry(q, a);
	freeaddrinfo(list);
	return good ? 0 : EAI_MEMORY;
}

/* ---- the hosts file ---- */

/* Calls for each name of each line, "ADDRESS NAME NAME ...", until one says false. */
static void for_each_host(bool (*look)(void *ctx, const char *number, const char *first,
				       const char *name),
			  void *ctx)
{
	FILE *f = fopen(hosts_file, "re");
	char line[LINE_MAX_LEN], *state, *number, *name, *first;
	bool go_on = true;

	while (f && go_on && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "#\n")] = 0;
		number = strtok_r(line, " \t", &state);
		first = number ? strtok_r(NULL, " \t", &state) : NULL;
		for (name = first; name && go_on; name = strtok_r(NULL, " \t", &state))
			go_on = look(ctx, number, first, name);
	}
	if (f)
		fclose(f);
}

struct wanted_name {
	struct asked *q;
	const char *name;
	bool found;
};

static bool take_if_named(void *ctx, const char *number, const char *first, const char *name)
{
	struct wanted_name *w = ctx;

	if (strcasecmp(name, w->name) != 0)
		return true;
	if (w->q->hints.ai_flags & AI_CANONNAME && !w->found)
		w->q->canonical = first;
	w->found = true;
	w->q->error = append_number(w->q, number);
	w->q->canonical = NULL;
	return w->q->error != EAI_MEMORY;
}

/* RFC 6761 section 6.3: it is known without any file. */
static void append_localhost(struct asked *q)
{
	int err;

	if (q->hints.ai_flags & AI_CANONNAME)
		q->canonical = "localhost";
	err = append_number(q, "::1");
	q->error = append_number(q, "127.0.0.1");
	if (q->error != EAI_MEMORY)
		q->error = err && q->error ? q->error : 0;
}

static void append_named(struct asked *q, const char *name)
{
	struct wanted_name w = { q, name, false };

	for_each_host(take_if_named, &w);
	if (!w.found && strcasecmp(name, "localhost") == 0)
		append_localhost(q);
	else if (!w.found)
		q->error = EAI_AGAIN;
}

/* ---- the calls ---- */

/* EAI_NONAME is also said of a service. */
static bool is_number(const char *host)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *list;

	if (getaddrinfo(host, NULL, &hints, &list))
		return false;
	freeaddrinfo(list);
	return true;
}

int tern_posix_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
			   struct addrinfo **out)
{
	struct asked q = { .service = service, .end = out };

	*out = NULL;
	if (hints)
		q.hints = *hints;
	else
		q.hints.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
	if ((q.hints.ai_flags & AI_CANONNAME) && !host)
		return EAI_BADFLAGS;
	if (q.hints.ai_flags & AI_CANONNAME)
		q.canonical = host;
	q.error = append_number(&q, host);
	if (q.error == EAI_NONAME && host && !(q.hints.ai_flags & AI_NUMERICHOST) &&
	    !is_number(host))
		append_named(&q, host);
	if (*out && q.error != EAI_MEMORY)
		return 0;
	tern_posix_freeaddrinfo(*out);
	*out = NULL;
	return q.error;
}

struct wanted_number {
	const char *number;
	char *out;
	size_t room;
	bool found, fits;
};

static bool take_if_numbered(void *ctx, const char *number, const char *first, const char *name)
{
	struct wanted_number *w = ctx;

	(void)name;
	if (strcasecmp(number, w->number) != 0)
		return true;
	w->found = true;
	w->fits = snprintf(w->out, w->room, "%s", first) < (int)w->room;
	return false;
}

int tern_posix_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,
			   char *service, socklen_t service_len, int flags)
{
	char number[NI_MAXHOST];
	struct wanted_number w = { number, host, host_len, false, false };
	int err = getnameinfo(sa, len, host, host_len, service, service_len,
			      (flags & ~NI_NAMEREQD) | NI_NUMERICHOST);

	if ((flags & NI_NUMERICHOST) || !host || !host_len || (err && err != EAI_OVERFLOW))
		return err;
	if (getnameinfo(sa, len, number, sizeof(number), NULL, 0, NI_NUMERICHOST))
		return err;
	for_each_host(take_if_numbered, &w);
	if (w.found)
		return w.fits ? 0 : EAI_OVERFLOW;
	return flags & NI_NAMEREQD ? EAI_NONAME : err;
}
