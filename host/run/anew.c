/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * anew.c - a stream socket that begins again: after a connect that failed, or by AF_UNSPEC.
 *
 * The stack's socket is replaced by another with the same name and options. The program's end, too,
 * when it has shown an end or an error, because an AF_UNIX socket forgets neither: the new one
 * takes the number of the descriptor by which the program calls. What else has the old one (copies,
 * a set of epoll) stays with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "inside.h"

int pair_renew(struct run *r, struct pair *p, const struct tern_addr *name)
{
	tern_sock s;
	int err = tern_socket(r->st, p->family, p->type, p->protocol, &s);

	if (err)
		return err;
	pump_keep_inline(r, s);
	said_again(r, p, s);
	if (p->s)
		tern_abort(r->st, p->s); /* its port is free again */
	p->s = s;
	p->shown_peer = p->shown_local = (struct tern_addr){ .family = TERN_AF_UNSPEC };
	err = tern_set_user(r->st, s, p);
	return err || !name->family ? err : tern_bind(r->st, s, name);
}

/* ---- the program's end ---- */

/* Close-on-exec belongs to the number, not to the file; as /proc tells it. */
static bool closes_on_exec(const struct call *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)c->tid, (int)c->args[0]);
	return tracee_number(path, "flags:", O_CLOEXEC) & O_CLOEXEC;
}

void end_copy_options(int from, int to)
{
	static const int times[] = { SO_RCVTIMEO, SO_SNDTIMEO };
	struct timeval t;
	static const int numbers[] = { SO_RCVLOWAT, SO_OOBINLINE };
	socklen_t len;
	int n;

	for (int i = 0; i < 2; i++) {
		len = sizeof(t);
		if (getsockopt(from, SOL_SOCKET, times[i], &t, &len) == 0)
			setsockopt(to, SOL_SOCKET, times[i], &t, len);
	}
	for (int i = 0; i < 2; i++) {
		len = sizeof(n);
		if (getsockopt(from, SOL_SOCKET, numbers[i], &n, &len) == 0)
			setsockopt(to, SOL_SOCKET, numbers[i], &n, len);
	}
}

/* false: the caller has no room for it, or is gone; it keeps what it has. */
static bool give_end(struct run *r, struct call *c, int end)
{
	struct seccomp_notif_addfd add = { .id = c->id,
					   .flags = SECCOMP_ADDFD_FLAG_SETFD,
					   .srcfd = (uint32_t)end,
					   .newfd = (uint32_t)c->args[0],
					   .newfd_flags = closes_on_exec(c) ? O_CLOEXEC : 0 };

	end_copy_options(c->dup, end);
	fcntl(end, F_SETFL, fcntl(c->dup, F_GETFL));
	if (ioctl(r->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		return false;
	close(c->dup);
	c->dup = end;
	return true;
}

static void forget_connection(struct pair *p)
{
	p->state = PAIR_FRESH;
	p->junk = 0;
	p->n_bytes = 0;
	p->so_error = p->broken = 0;
	p->told_connected = p->child_shut_wr = p->child_shut_rd = false;
	p->out_ended = p->in_ended = p->stack_full = p->child_full = false;
	p->hung_up = p->closed = false;
}

int stream_begins_anew(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int end, err = pair_renew(r, p, &p->bound);

	if (err ==
	    -TERN_EADDRINUSE) /* a listener's connections have its name: it goes without one */
		p->bound.family = TERN_AF_UNSPEC;
	else if (err)
		return err;
	if (p->kept)
		tern_abort(r->st, p->kept);
	p->kept = 0;
	if (!pair_new_ends(r, p, &end))
		return -ENFILE;
	forget_connection(p);
	pair_watch(r, p, 0);
	if (!give_end(r, c, end)) {
		close(end); /* our end hangs up */
		return -EMFILE;
	}
	call_look_again(r, p);
	return 0;
}
