/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.c - struct sockaddr and struct tern_addr.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sem.h"

/* Linux takes an IPv6 address without its scope, as RFC 2133 had it. */
enum { SIN6_LEN_OLD = 24 };

int addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct tern_addr *out)
{
	struct sockaddr_in6 in6 = { 0 };
	struct sockaddr_in in;

	memset(out, 0, sizeof(*out));
	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	if (!sa)
		return -EFAULT;
	switch (sa->sa_family) {
	case AF_UNSPEC: /* sem_bind looks at the address */
		if (len >= sizeof(in))
			memcpy(out->ip, &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
			       4);
		return 0;
	case AF_INET:
		if (len < sizeof(in))
			return -EINVAL;
		memcpy(&in, sa, sizeof(in));
		out->family = TERN_AF_INET;
		out->port = ntohs(in.sin_port);
		memcpy(out->ip, &in.sin_addr, 4);
		return 0;
	case AF_INET6:
		if (len < SIN6_LEN_OLD)
			return -EINVAL;
		memcpy(&in6, sa, len < sizeof(in6) ? len : sizeof(in6));
		out->family = TERN_AF_INET6;
		out->port = ntohs(in6.sin6_port);
		out->scope_id = in6.sin6_scope_id;
		out->flow_label = ntohl(in6.sin6_flowinfo);
		memcpy(out->ip, &in6.sin6_addr, 16);
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

int addr_of_peer(const struct file *f, const struct sockaddr *sa, socklen_t len,
		 struct tern_addr *out)
{
	int err = addr_from_sockaddr(sa, len, out);

	if (err || f->type != SOCK_DGRAM || f->family != AF_INET6 || out->family != TERN_AF_INET)
		return err;
	memcpy(out->ip + 12, out->ip, 4);
	memset(out->ip, 0, 10);
	memset(out->ip + 10, 0xff, 2);
	out->family = TERN_AF_INET6;
	return 0;
}

void addr_to_sockaddr(const struct tern_addr *a, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
	bool v6 = a->family == TERN_AF_INET6;
	socklen_t whole = v6 ? sizeof(in6) : sizeof(in);

	if (!sa || !len)
		return;
	memcpy(&in.sin_addr, a->ip, 4);
	memcpy(&in6.sin6_addr, a->ip, 16);
	in6.sin6_scope_id = a->scope_id;
	in6.sin6_flowinfo = htonl(a->flow_label);
	memcpy(sa, v6 ? (const void *)&in6 : (const void *)&in, *len < whole ? *len : whole);
	*len = whole;
}
