/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - control messages in a program's memory; what they mean is in host/loop/cmsg.c.
 *
 * The stack knows where a datagram went to, its TTL and its TOS; the program gets of these what it
 * has asked for by an option.
 */
#define _GNU_SOURCE
#include <errno.h>

#include "../loop/cmsg.h"
#include "inside.h"

/* What is told; and what may be sent along: as net.core.optmem_max was long. */
enum { TOLD_MAX = 256, SENT_MAX = 20480 };

void control_note_option(struct pair *p, int level, int name, bool on)
{
	cmsg_note_option(&p->controls, level, name, on);
}

int control_read(const struct call *c, uint64_t at, uint64_t len, struct tern_msg *m)
{
	static _Alignas(struct cmsghdr) char room[SENT_MAX];
	struct msghdr h = { .msg_control = room, .msg_controllen = len };
	int family = c->pair->type == SOCK_STREAM ? AF_UNSPEC : c->pair->family;

	if (len == 0)
		return 0;
	if (len > sizeof(room))
		return -ENOBUFS;
	return tracee_read(c, at, room, len) ? cmsg_to_msg(&h, family, m) : -EFAULT;
}

bool control_write(const struct call *c, const struct tern_msg *told, uint64_t at, uint64_t len,
		   struct msghdr *m)
{
	_Alignas(struct cmsghdr) char room[TOLD_MAX];
	struct msghdr h = { .msg_control = room };

	h.msg_controllen = len < sizeof(room) ? len : sizeof(room);
	cmsg_from_msg(c->pair->controls, c->pair->family == AF_INET6, told, &h);
	m->msg_controllen = h.msg_controllen;
	m->msg_flags |= h.msg_flags;
	return tracee_write(c, at, room, h.msg_controllen);
}
