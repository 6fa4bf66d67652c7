/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outside.c - what is an address of the inside's, on the host?
 *
 * Itself, but for the gateway's own addresses: they are the host's loopback. Nothing else may reach
 * the loopback: not by its name, not by "this host" (Linux takes 0.0.0.0 for 127.0.0.1), not by an
 * IPv4 address in IPv6's clothes. Groups and broadcasts have no far end to open a flow to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>

#include "../../core/base/addr.h"
#include "gateway_impl.h"

bool is_own_address(const struct gateway *g, const struct tern_addr *a)
{
	return gateway_same_host(a, &g->wish.addr) || gateway_same_host(a, &g->wish.addr6);
}

static bool leads_outside(const struct tern_addr *a)
{
	struct addr x = a->family == TERN_AF_INET ? addr_from4(a->ip) : addr_from6(a->ip);

	if (a->family == TERN_AF_INET6 && addr_is4(&x))
		return false;
	if (a->family == TERN_AF_INET && a->ip[0] == 0)
		return false;
	return !addr_is_unspecified(&x) && !addr_is_loopback(&x) && !addr_is_multicast(&x) &&
	       !addr_is_limited_broadcast(&x);
}

bool outside_of(const struct gateway *g, const struct tern_addr *to, struct tern_addr *out)
{
	*out = *to;
	out->scope_id = 0;
	if (!is_own_address(g, to))
		return leads_outside(to);
	memset(out->ip, 0, sizeof(out->ip));
	if (to->family == TERN_AF_INET)
		out->ip[0] = 127;
	out->ip[to->family == TERN_AF_INET ? 3 : 15] = 1;
	return !g->wish.no_loopback;
}

socklen_t sockaddr_from(const struct tern_addr *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == TERN_AF_INET) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)out;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(a->port);
		memcpy(&v4->sin_addr, a->ip, 4);
		return sizeof(*v4);
	} else {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(a->port);
		v6->sin6_scope_id = a->scope_id;
		memcpy(&v6->sin6_addr, a->ip, 16);
		return sizeof(*v6);
	}
}

struct tern_addr sockaddr_to(const struct sockaddr_storage *s)
{
	struct tern_addr a = { .family = TERN_AF_UNSPEC };

	if (s->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)s;

		a.family = TERN_AF_INET;
		a.port = ntohs(v4->sin_port);
		memcpy(a.ip, &v4->sin_addr, 4);
	} else if (s->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)s;

		a.family = TERN_AF_INET6;
		a.port = ntohs(v6->sin6_port);
		a.scope_id = v6->sin6_scope_id;
		memcpy(a.ip, &v6->sin6_addr, 16);
	}
	return a;
}

bool note_starved(struct gateway *g, int err)
{
	bool starved = err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;

	g->counts.starved += starved;
	return starved;
}

int host_socket(int family, int type, int protocol)
{
	int fd = socket(family == TERN_AF_INET ? AF_INET : AF_INET6,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}
