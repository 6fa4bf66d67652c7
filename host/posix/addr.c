/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.c - struct sockaddr and struct tern_addr.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sem.h"

int addr_of_peer(const struct file *f, const struct sockaddr *sa, socklen_t len,
		 struct tern_addr *out)
{
	bool maps = f->type == SOCK_DGRAM && f->family == AF_INET6 && sa &&
		    len >= sizeof(sa->sa_family) && sa->sa_family == AF_INET;
	int err = sockaddr_read(maps ? AF_INET : f->family, sa, len, out);

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
