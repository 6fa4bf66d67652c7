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

socklen_t addr_least_len(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : SIN6_LEN_OLD;
}

/* Of no family: what would be IPv4's; the caller says whether that means something. */
static void read_four(const struct sockaddr *sa, struct tern_addr *out)
{
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	out->port = ntohs(in.sin_port);
	memcpy(out->ip, &in.sin_addr, 4);
}

static void read_six(const struct sockaddr *sa, socklen_t len, struct tern_addr *out)
{
	struct sockaddr_in6 in6 = { 0 };

	memcpy(&in6, sa, len < sizeof(in6) ? len : sizeof(in6));
	out->port = ntohs(in6.sin6_port);
	out->scope_id = in6.sin6_scope_id;
	out->flow_label = ntohl(in6.sin6_flowinfo);
	memcpy(out->ip, &in6.sin6_addr, 16);
}

/* As Linux: first the length that any name may have, then that of the family. */
int addr_from_sockaddr(int family, const struct sockaddr *sa, socklen_t len, struct tern_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (len < sizeof(sa->sa_family) || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	if (!sa)
		return -EFAULT;
	if (sa->sa_family == AF_UNSPEC) {
		if (len >= sizeof(struct sockaddr_in))
			read_four(sa, out);
		return 0;
	}
	if (len < addr_least_len(family))
		return -EINVAL;
	if (sa->sa_family != family)
		return -EAFNOSUPPORT;
	out->family = family == AF_INET ? TERN_AF_INET : TERN_AF_INET6;
	if (family == AF_INET)
		read_four(sa, out);
	else
		read_six(sa, len, out);
	return 0;
}

int addr_of_peer(const struct file *f, const struct sockaddr *sa, socklen_t len,
		 struct tern_addr *out)
{
	bool maps = f->type == SOCK_DGRAM && f->family == AF_INET6 && sa &&
		    len >= sizeof(sa->sa_family) && sa->sa_family == AF_INET;
	int err = addr_from_sockaddr(maps ? AF_INET : f->family, sa, len, out);

	if (err || !maps)
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
