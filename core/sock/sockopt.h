/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.h - between the files of socket options.
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

/* ---- options that are one integer ---- */

enum who { STREAM = 1, DGRAM = 2, RAW = 4, V6 = 8, ALL = STREAM | DGRAM | RAW, NOT_EMPTY = 16 };

struct option {
	int level, name;
	unsigned who;
	int32_t min, max; /* outside: EINVAL; min > max: any */
	void (*set)(struct sockets *, struct sock *, int32_t);
	int32_t (*get)(const struct sockets *, const struct sock *);
};

/* A flag or number of the socket that has no further effect when it is set. */
#define GETTER(fn, field)                                                                          \
	static int32_t get_##fn(const struct sockets *ss, const struct sock *s)                    \
	{                                                                                          \
		(void)ss;                                                                          \
		return (int32_t)s->field;                                                          \
	}

#define PLAIN(fn, field, type)                                                                     \
	static void set_##fn(struct sockets *ss, struct sock *s, int32_t v)                        \
	{                                                                                          \
		(void)ss;                                                                          \
		s->field = (type)v;                                                                \
	}                                                                                          \
	GETTER(fn, field)

#define FLAG(name) PLAIN(name, name, bool)

/* In a line of a table. */
#define ANY 1, 0
#define RW(fn) set_##fn, get_##fn
#define RO(fn) NULL, get_##fn

/* sockopt_ip.c: the table of the levels IP and IPV6. */
const struct option *sockopt_ip_table(size_t *n);
/* Is v refused to this socket though it is in the range? 0, or what is said. */
int sockopt_ip_refuses(const struct sock *, const struct option *, int32_t v);

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
