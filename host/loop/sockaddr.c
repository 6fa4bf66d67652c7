/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockaddr.c - struct sockaddr to struct tern_addr.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sockaddr.h"

/* Linux takes an IPv6 address without its scope, as RFC 2133 had it. */
enum { SIN6_LEN_OLD = 24 };

socklen_t sockaddr_least_len(int family)
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
int sockaddr_read(int family, const struct sockaddr *sa, socklen_t len, struct tern_addr *out)
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
	if (len < sockaddr_least_len(family))
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
