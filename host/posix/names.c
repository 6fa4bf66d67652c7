/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - getaddrinfo and getnameinfo.
 *
 * What is numeric, and what services are called, the C library knows without any network, so it is
 * asked with AI_NUMERICHOST. Names go to the process's resolver (names_ask.c); each address that it
 * finds goes through the C library in its turn, which lays out the results.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"

/* Of glibc's: AI_IDN, AI_CANONIDN, EAI_IDN_ENCODE. */
enum { IDN = 0x40, CANONIDN = 0x80, IDN_ENCODE = -105 };

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

static bool maps_v4(const struct addrinfo *hints)
{
	return hints->ai_family == AF_INET6 && (hints->ai_flags & AI_V4MAPPED);
}

/*
 * The family to ask for. AI_ADDRCONFIG: only what this host has an address for, and that is this
 * stack; one that has none at all, but the loopback's, rules nothing out. false: nothing is left.
 */
static bool choose_family(const struct addrinfo *hints, int *out)
{
	struct posix *p = hints->ai_flags & AI_ADDRCONFIG ? posix_get() : NULL;
	bool four = hints->ai_family != AF_INET6 || maps_v4(hints);
	bool six = hints->ai_family != AF_INET, has4, has6;

	if (p) {
		has4 = has_address_of(p, AF_INET);
		has6 = has_address_of(p, AF_INET6);
		four = four && (has4 || !has6);
		six = six && (has6 || !has4);
	}
	*out = four && six ? TERN_AF_UNSPEC : four ? TERN_AF_INET : TERN_AF_INET6;
	return four || six;
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

/* ---- names ---- */

static int error_of(const struct tern_resolver_answer *a)
{
	static const int of[TERN_RESOLVER_N_ERRORS] = {
		[TERN_RESOLVER_NONAME] = EAI_NONAME,	 [TERN_RESOLVER_NODATA] = EAI_NODATA,
		[TERN_RESOLVER_AGAIN] = EAI_AGAIN,	 [TERN_RESOLVER_FAIL] = EAI_FAIL,
		[TERN_RESOLVER_MEMORY] = EAI_MEMORY,	 [TERN_RESOLVER_SYSTEM] = EAI_SYSTEM,
		[TERN_RESOLVER_OVERFLOW] = EAI_OVERFLOW,
	};

	return of[a->error];
}

static bool has_family(const struct tern_resolver_answer *a, int family)
{
	for (unsigned i = 0; i < a->n_addrs; i++)
		if (a->addr[i].family == family)
			return true;
	return false;
}

/* Of IPv4 as IPv6 only where there is no other, or all are wanted. */
static bool is_left_out(const struct tern_addr *a, const struct addrinfo *hints, bool has6)
{
	return a->family == TERN_AF_INET && maps_v4(hints) && has6 && !(hints->ai_flags & AI_ALL);
}

static int add_found(const struct tern_resolver_answer *a, const char *service,
		     const struct addrinfo *hints, struct addrinfo ***last)
{
	char text[TERN_ADDR_TEXT_MAX];
	bool has6 = has_family(a, TERN_AF_INET6);
	int err = 0;

	for (unsigned i = 0; i < a->n_addrs && !err; i++)
		if (!is_left_out(&a->addr[i], hints, has6))
			err = add_numeric(tern_addr_format(&a->addr[i], false, text), service,
					  hints, last);
	return err;
}

static bool is_ascii(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name > 127)
			return false;
	return true;
}

/* canonical: TERN_DOMAIN_MAX bytes. */
static int add_name(const char *host, const char *service, const struct addrinfo *hints,
		    struct addrinfo ***last, char *canonical)
{
	struct tern_resolver_question q = { .name = host };
	struct tern_resolver_answer a;
	struct addrinfo none = { .ai_socktype = hints->ai_socktype,
				 .ai_protocol = hints->ai_protocol,
				 .ai_flags = hints->ai_flags & AI_NUMERICSERV };
	struct addrinfo *list;
	int err = service ? getaddrinfo(NULL, service, &none, &list) : 0;

	if (err) /* before anybody is asked for the name */
		return err;
	if (service)
		freeaddrinfo(list);
	if (!is_ascii(host)) /* names in other letters are not converted */
		return hints->ai_flags & IDN ? IDN_ENCODE : EAI_NONAME;
	if (!choose_family(hints, &q.family))
		return EAI_NONAME;
	names_ask(&q, &a);
	if (a.error != TERN_RESOLVER_OK)
		return error_of(&a);
	memcpy(canonical, a.name, sizeof(a.name));
	return add_found(&a, service, hints, last);
}

int tern_posix_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
			   struct addrinfo **out)
{
	const struct addrinfo none = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };
	const int known = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL |
			  AI_ADDRCONFIG | AI_NUMERICSERV | IDN | CANONIDN;
	struct addrinfo *list = NULL, **last = &list;
	char canonical[TERN_DOMAIN_MAX] = "";
	int err;

	if (!hints)
		hints = &none;
	if ((hints->ai_flags & ~known) || ((hints->ai_flags & AI_CANONNAME) && !host))
		return EAI_BADFLAGS;
	err = add_numeric(host, service, hints, &last);
	if (err == EAI_NONAME && host && !(hints->ai_flags & AI_NUMERICHOST))
		err = add_name(host, service, hints, &last, canonical);
	if (!err && (hints->ai_flags & AI_CANONNAME) &&
	    !(list->ai_canonname = strdup(canonical[0] ? canonical : host)))
		err = EAI_MEMORY;
	if (err)
		tern_posix_freeaddrinfo(list);
	else
		*out = list;
	return err;
}

/* ---- getnameinfo ---- */

/* The address in it: its length has been looked at. */
static void address_in(const struct sockaddr *sa, struct tern_addr *out)
{
	socklen_t len =
		sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	sockaddr_read(sa->sa_family, sa, len, out);
}

/* NI_NOFQDN: of a name in this host's own domain only what is before that. */
static void cut_domain(char *name)
{
	char domain[TERN_DOMAIN_MAX];
	size_t len, domain_len;

	names_domain(domain);
	len = strlen(name);
	domain_len = strlen(domain);
	if (domain_len && len > domain_len + 1 && name[len - domain_len - 1] == '.' &&
	    strcasecmp(name + len - domain_len, domain) == 0)
		name[len - domain_len - 1] = 0;
}

/* 0, or an error: the name of the address is not known. */
static int name_of_address(const struct sockaddr *sa, int flags, struct tern_resolver_answer *a)
{
	struct tern_resolver_question q = { .name = NULL };

	address_in(sa, &q.addr);
	names_ask(&q, a);
	if (a->error == TERN_RESOLVER_NODATA)
		return EAI_NONAME;
	if (a->error != TERN_RESOLVER_OK)
		return error_of(a);
	if (flags & NI_NOFQDN)
		cut_domain(a->name);
	return 0;
}

int tern_posix_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,
			   char *service, socklen_t service_len, int flags)
{
	char address[NI_MAXHOST];
	const char *name = address;
	struct tern_resolver_answer a;
	int err = getnameinfo(sa, len, address, sizeof(address), service, service_len,
			      (flags | NI_NUMERICHOST) & ~NI_NAMEREQD);

	if (err || !host || !host_len)
		return err;
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return getnameinfo(sa, len, host, host_len, NULL, 0, flags);
	err = flags & NI_NUMERICHOST ? EAI_NONAME : name_of_address(sa, flags, &a);
	if (err && (flags & NI_NAMEREQD))
		return err;
	if (!err)
		name = a.name;
	return (size_t)snprintf(host, host_len, "%s", name) < host_len ? 0 : EAI_OVERFLOW;
}
