/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - a stopped call: taking it, finding who carries it out, and answering.
 *
 * A handler returns a result, an error, "let the kernel do it", or "wait". A call that waits is
 * parked, and carried out again from its beginning whenever its socket has news; so a handler
 * changes nothing before it can succeed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../loop/loop.h"
#include "inside.h"

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

static const struct call_kind kinds[] = {
	{ SYS_socket, "socket", false, on_socket },
	{ SYS_bind, "bind", true, on_bind },
	{ SYS_connect, "connect", true, on_connect },
	{ SYS_listen, "listen", true, on_listen },
	{ SYS_accept, "accept", true, on_accept },
	{ SYS_accept4, "accept4", true, on_accept },
	{ SYS_getsockname, "getsockname", true, on_getsockname },
	{ SYS_getpeername, "getpeername", true, on_getpeername },
	{ SYS_getsockopt, "getsockopt", true, on_getsockopt },
	{ SYS_setsockopt, "setsockopt", true, on_setsockopt },
	{ SYS_shutdown, "shutdown", true, on_shutdown },
	{ SYS_sendto, "sendto", true, on_sendto },
	{ SYS_recvfrom, "recvfrom", true, on_recvfrom },
	{ SYS_sendmsg, "sendmsg", true, on_sendmsg },
	{ SYS_recvmsg, "recvmsg", true, on_recvmsg },
	{ SYS_sendmmsg, "sendmmsg", true, on_sendmmsg },
	{ SYS_recvmmsg, "recvmmsg", true, on_recvmmsg },
	{ SYS_ioctl, "ioctl", true, on_ioctl },
};

const struct call_kind *call_kind_of(int nr)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].nr == nr)
			return &kinds[i];
	return NULL;
}

/* ---- answers ---- */

void call_answer(struct run *r, struct call *c, int64_t result)
{
	struct seccomp_notif_resp resp = { .id = c->id };

	if (result == CALL_CONTINUE)
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (result < 0)
		resp.error = (int32_t)result;
	else
		resp.val = result;
	/* it fails when the caller has died: nobody waits for the answer then */
	if (result != CALL_ANSWERED)
		ioctl(r->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
	tracee_forget(c);
	if (c->link) {
		parked_remove(r, c);
		free(c);
	}
}

static int add_fd(struct run *r, struct call *c, int fd, bool cloexec, uint32_t flags)
{
	struct seccomp_notif_addfd add = { .id = c->id,
					   .flags = flags,
					   .srcfd = (uint32_t)fd,
					   .newfd_flags = cloexec ? O_CLOEXEC : 0 };
	int n = ioctl(r->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return n < 0 ? -errno : n;
}

int call_answer_fd(struct run *r, struct call *c, int fd, bool cloexec)
{
	return add_fd(r, c, fd, cloexec, SECCOMP_ADDFD_FLAG_SEND);
}

int call_give_fd(struct run *r, struct call *c, int fd, bool cloexec)
{
	return add_fd(r, c, fd, cloexec, 0);
}

bool call_blocks(const struct call *c, int flags)
{
	return !(flags & MSG_DONTWAIT) && !(fcntl(c->dup, F_GETFL) & O_NONBLOCK);
}

/* ---- carrying out ---- */

static int64_t carry_out(struct run *r, struct call *c)
{
	int found = c->kind->on_socket ? tracee_find(r, c) : 0;

	if (!found && stream_lacks_peer(c))
		return -ENOTCONN;
	return found ? found : c->kind->carry_out(r, c);
}

static void finish(struct run *r, struct call *c, int64_t result)
{
	if (result == CALL_WAIT_RECV || result == CALL_WAIT_SEND)
		parked_add(r, c, result == CALL_WAIT_SEND);
	else
		call_answer(r, c, result);
}

void call_take(struct run *r)
{
	/* the kernel's struct may be longer than the one that this was compiled with */
	union {
		struct seccomp_notif notif;
		char room[512];
	} u;
	struct call c = { .pidfd = -1, .dup = -1 };

	memset(&u, 0, sizeof(u));
	if (ioctl(r->listener, SECCOMP_IOCTL_NOTIF_RECV, &u.notif) != 0)
		return;
	c.id = u.notif.id;
	c.began = loop_now();
	c.tid = (pid_t)u.notif.pid;
	c.nr = u.notif.data.nr;
	for (int i = 0; i < 6; i++)
		c.args[i] = u.notif.data.args[i];
	c.kind = call_kind_of(c.nr);
	finish(r, &c, c.kind ? carry_out(r, &c) : -ENOSYS);
	if (c.pair && c.pair->type != SOCK_STREAM) /* it may have brought in more than its own */
		call_look_again(r, c.pair);
}

/* Once more, of a parked call. true: it is over, and no longer parked. */
static bool try_again(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int64_t result;

	c->again = true;
	result = carry_out(r, c);
	if (result == CALL_CONTINUE) /* its descriptor has been closed, or is another's now */
		result = -EBADF;
	if (result != CALL_WAIT_RECV && result != CALL_WAIT_SEND) {
		call_answer(r, c, result);
		return true;
	}
	if (c->pair != p) /* the number leads to another socket now */
		c->pair = p;
	tracee_forget(c);
	return false;
}

void call_look_again(struct run *r, struct pair *p)
{
	struct call *c = p->waiting, *next;

	for (; c; c = next) {
		next = c->pair_next;
		try_again(r, c);
	}
}
