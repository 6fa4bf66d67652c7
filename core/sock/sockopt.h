/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.h - between the two files of socket options.
 */
#ifndef TERN_SOCKOPT_H
#define TERN_SOCKOPT_H

#include "sock.h"

struct sock_option {
	int level, name;
	const void *given; /* when it is set */
	void *place;	   /* when it is asked for */
	size_t len;	   /* of either; afterwards of what was put there */
};

/* As much of the answer as there is room for. */
void sockopt_put(struct sock_option *, const void *from, size_t size);

/* Options that are not one integer: 0, or a negative error; -ENOPROTOOPT: no such. */
int sockopt_set_struct(struct sockets *, struct sock *, const struct sock_option *);
int sockopt_get_struct(struct sockets *, struct sock *, struct sock_option *);

/* sock_group.c: joins, leaves, blocks, filters; IP_MULTICAST_IF. -ENOPROTOOPT: another option. */
int sock_group_option(struct sockets *, struct sock *, const struct sock_option *);
int sock_set_mcast_if(struct sockets *, struct sock *, const struct sock_option *);
void sock_get_mcast_if(const struct sock *, struct sock_option *);
/* All sources of a membership. -ENOPROTOOPT: another option. */
int sock_get_filter(struct sockets *, const struct sock *, struct sock_option *);

static inline bool sockopt_has_tcp(const struct sock *s)
{
	return sock_is_stream(s) && s->state != TERN_TCP_LISTEN && s->tcp;
}

#endif
