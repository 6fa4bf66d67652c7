/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - getaddrinfo and getnameinfo for numeric hosts, services and the hosts file.
 *
 * What is numeric, and what services are called, the C library knows without any network, so it is
 * asked with AI_NUMERICHOST; hosts come from the file of hosts(5). No name server is asked yet.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os.h"

static const char hosts_file[] = "/etc/hosts";

/* ---- results ---- */

/* One result in one piece, so that freeing does not depend on the C library's own shape. */
struct result {
	struct addrinfo is;
	struct sockaddr_storage addr;
};

void tern_posix_freeaddrinfo(struct addrinfo *first)
{
	while (first) {
		struct addrinfo *next = first->ai_next;

		free(first->ai_canonname);
		free(first);
		first = next;
	}
}

/* Copies the C library's list behind *last; false: no memory. */
static bool append(const struct addrinfo *list, struct addrinfo ***last)
{
	for (; list; list = list->ai_next) {
		struct result *r = calloc(1, sizeof(*r));

		if (!r)
			return false;
		r->is = *list;
		r->is.ai_next = NULL;
		r->is.ai_canonname = NULL;
		r->is.ai_addr = (struct sockaddr *)&r->addr;
		memcpy(&r->addr, list->ai_addr, list->ai_addrlen);
		**last = &r->is;
		*last = &r->is.ai_next;
	}
	return true;
}

/* ---- families ---- */

static bool has_address_of(struct posix *p, int family)
{
	struct tern_iface_addr a;
	unsigned cursor = 0;
	bool has = false;

	posix_lock(p);
	while (!has && tern_addr_next(p->sem.st, &cursor, &a)) /* 1 is the loopback */
		has = a.ifindex != 1 &&
		      a.addr.family == (family == AF_INET ? TERN_AF_INET : TERN_AF_INET6);
	posix_unlock(p);
	return has;
}

/* AI_ADDRCONFIG: only what this host has an address for, and that is this stack. */
static bool is_wanted(const struct addrinfo *hints, int family)
{
	struct posix *p;

	if (hints->ai_family != AF_UNSPEC && hints->ai_family != family &&
	    !(hints->ai_family == AF_INET6 && (hints->ai_flags & AI_V4MAPPED)))
		return false;
	if (!(hints->ai_flags & AI_ADDRCONFIG))
		return true;
	p = posix_get();
	return !p || has_address_of(p, family);
}

/* ---- one address ---- */

/* A numeric host (NULL: the wildcard or the loopback), by the C library, behind *last. */
static int add_numeric(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo ***last)
{
	struct addrinfo own = *hints, *list;
	int err;

	own.ai_flags &= AI_PASSIVE | AI_NUMERICSERV | AI_V4MAPPED;
	own.ai_flags |= AI_NUMERICHOST;
	err = getaddrinfo(host, service, &own, &list);
	if (err)
		return err;
	if (!append(list, last))
		err = EAI_MEMORY;
	freeaddrinfo(list);
	return err;
}

/* ---- the file of hosts ---- */

/* The next word of *line, or NULL. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r\n");

	if (!*word || *word == '#')
		return NULL;
	*line = word + strcspn(word, " \t\r\n");
	if (**line)
		*(*line)++ = 0;
	return word;
}

static bool line_names(char *names, const char *host)
{
	char *word;

	while ((word = next_word(&names)))
		if (strcasecmp(word, host) == 0)
			return true;
	return false;
}

static int family_of(const char *address)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, address, bytes) == 1 ? AF_INET : AF_INET6;
}

/* All addresses of the name in the file; EAI_NONAME when there is none. */
static int add_from_file(const char *host, const char *service, const struct addrinfo *hints,
			 struct addrinfo ***last)
{
	FILE *f = fopen(hosts_file, "re");
	char text[1024], *rest, *address;
	bool known = false;
	int err = 0, found = 0;

	while (f && !err && fgets(text, sizeof(text), f)) {
		rest = text;
		address = next_word(&rest);
		if (!address || !line_names(rest, host))
			continue;
		known = true;
		if (!is_wanted(hints, family_of(address)))
			continue;
		err = add_numeric(address, service, hints, last);
		found += err == 0;
		err = err == EAI_NONAME || err == EAI_ADDRFAMILY ? 0 : err; /* a bad line */
	}
	if (f)
		fclose(f);
	if (err || found)
		return err;
	return known ? EAI_NODATA : EAI_NONAME;
}

/* RFC 6761 6.3: it is the loopback also where no file says so. */
static int add_localhost(const char *service, const struct addrinfo *hints, struct addrinfo ***last)
{
	int err = EAI_NODATA;

	if (hints->ai_family != AF_INET)
		err = add_numeric("::1", service, hints, last);
	if (hints->ai_family != AF_INET6 && (err == 0 || err == EAI_NODATA))
		err = add_numeric("127.0.0.1", service, hints, last);
	return err;
}

static int add_host(const char *host, const char *service, const struct addrinfo *hints,
		    struct addrinfo ***last)
{
	int err = add_numeric(host, service, hints, last);

	if (!host || err != EAI_NONAME || (hints->ai_flags & AI_NUMERICHOST))
		return err;
	err = add_from_file(host, service, hints, last);
	if (err == EAI_NONAME && strcasecmp(host, "localhost") == 0)
		err = add_localhost(service, hints, last);
	return err;
}

int tern_posix_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
			   struct addrinfo **out)
{
	const struct addrinfo none = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };
	const int known = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL |
			  AI_ADDRCONFIG | AI_NUMERICSERV | AI_IDN | AI_CANONIDN;
	struct addrinfo *list = NULL, **last = &list;
	int err;

	if (!hints)
		hints = &none;
	if ((hints->ai_flags & ~known) || ((hints->ai_flags & AI_CANONNAME) && !host))
		return EAI_BADFLAGS;
	err = add_host(host, service, hints, &last);
	if (!err && (hints->ai_flags & AI_CANONNAME) && !(list->ai_canonname = strdup(host)))
		err = EAI_MEMORY;
	if (err)
		tern_posix_freeaddrinfo(list);
	else
		*out = list;
	return err;
}

/* ---- getnameinfo ---- */

/* The name that the file has first for it. */
static bool name_in_file(const char *address, char *out, socklen_t room)
{
	FILE *f = fopen(hosts_file, "re");
	char text[1024], *rest, *word, *name;
	bool found = false;

	while (f && !found && fgets(text, sizeof(text), f)) {
		rest = text;
		word = next_word(&rest);
		name = word && strcmp(word, address) == 0 ? next_word(&rest) : NULL;
		found = name != NULL;
		if (found && (size_t)snprintf(out, room, "%s", name) >= room)
			found = false;
	}
	if (f)
		fclose(f);
	return found;
}

int tern_posix_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,
			   char *service, socklen_t service_len, int flags)
{
	char address[NI_MAXHOST];
	int err = getnameinfo(sa, len, address, sizeof(address), service, service_len,
			      (flags | NI_NUMERICHOST) & ~NI_NAMEREQD);

	if (err || !host || !host_len)
		return err;
	if (!(flags & NI_NUMERICHOST) && name_in_file(address, host, host_len))
		return 0;
	if (flags & NI_NAMEREQD)
		return EAI_NONAME;
	return (size_t)snprintf(host, host_len, "%s", address) < host_len ? 0 : EAI_OVERFLOW;
}
