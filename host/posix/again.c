/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * again.c - a stream socket's second life: connect to AF_UNSPEC.
 *
 * The stack's socket is one connection, so the file gets another with the same options. A
 * connection is reset, a listener ends; a port that was bound by its number stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sem.h"

static const struct {
	int level, name;
} kept[] = {
	{ SOL_SOCKET, SO_REUSEADDR },	 { SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_KEEPALIVE },	 { SOL_SOCKET, SO_OOBINLINE },
	{ SOL_SOCKET, SO_BROADCAST },	 { SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_LINGER },	 { SOL_SOCKET, TERN_SO_BINDTOIFINDEX },
	{ IPPROTO_IP, IP_TTL },		 { IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_MTU_DISCOVER }, { IPPROTO_IP, IP_FREEBIND },
	{ IPPROTO_IPV6, IPV6_V6ONLY },	 { IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	{ IPPROTO_IPV6, IPV6_TCLASS },	 { IPPROTO_IPV6, IPV6_AUTOFLOWLABEL },
	{ IPPROTO_TCP, TCP_NODELAY },	 { IPPROTO_TCP, TCP_CORK },
	{ IPPROTO_TCP, TCP_KEEPIDLE },	 { IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },	 { IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_LINGER2 },	 { IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ IPPROTO_TCP, TCP_CONGESTION },
};

static void keep_options(struct tern_stack *st, tern_sock from, tern_sock to)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		char value[64];
		size_t len = sizeof(value);

		if (tern_getsockopt(st, from, kept[i].level, kept[i].name, value, &len) == 0)
			tern_setsockopt(st, to, kept[i].level, kept[i].name, value, len);
	}
}

int sem_dissolve(struct sem *sem, struct file *f)
{
	struct tern_addr name = { .family = TERN_AF_UNSPEC }, none = name;
	tern_sock old = f->sock;
	int err = tern_socket(sem->st, f->family, f->type, 0, &f->sock);

	if (err) {
		f->sock = old;
		return err;
	}
	keep_options(sem->st, old, f->sock);
	tern_getsockname(sem->st, old, &name);
	tern_set_user(sem->st, old, NULL);
	tern_set_user(sem->st, f->sock, f);
	tern_connect(sem->st, old, &none);
	tern_close(sem->st, old);
	f->connecting = false;
	if (f->port_is_its_own)
		tern_bind(sem->st, f->sock, &name);
	file_wake(sem, f, ~0u); /* who waits looks at what is there now */
	return 0;
}
