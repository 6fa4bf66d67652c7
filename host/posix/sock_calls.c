/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_calls.c - how does a socket begin, get its name, connect, and end, as POSIX has it?
 *
 * Where POSIX leaves a choice, and where it is silent, the meaning is Linux's: a connect that goes
 * on in the background is told once by a second connect (0), then EISCONN.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "../loop/close.h"
#include "sem.h"

static int file_for(struct sem *sem, tern_sock sock, struct file **out)
{
	struct file *f = file_new(FILE_SOCKET);

	if (!f) {
		tern_close(sem->st, sock);
		return -ENOMEM;
	}
	f->sock = sock;
	tern_set_user(sem->st, sock, f);
	*out = f;
	return 0;
}

int sem_socket(struct sem *sem, int family, int type, int protocol, struct file **out)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), err;
	tern_sock sock;

	if (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC | 0xf))
		return -EINVAL;
	err = tern_socket(sem->st, family, kind, protocol, &sock);
	if (!err)
		err = file_for(sem, sock, out);
	if (err)
		return err;
	(*out)->family = family;
	(*out)->type = kind;
	(*out)->nonblocking = (type & SOCK_NONBLOCK) != 0;
	return 0;
}

int sem_bind(struct sem *sem, struct file *f, const struct sockaddr *sa, socklen_t len)
{
	struct tern_addr a;
	int err = sockaddr_read(f->family, sa, len, &a);

	if (err)
		return err;
	if (a.family == TERN_AF_UNSPEC) { /* Linux: for an old bug's sake, of INADDR_ANY */
		static const uint8_t any[16];

		if (len < sockaddr_least_len(f->family))
			return -EINVAL;
		if (f->family != AF_INET || memcmp(a.ip, any, 4) != 0)
			return -EAFNOSUPPORT;
		a.family = TERN_AF_INET;
	}
	err = tern_bind(sem->st, f->sock, &a);
	f->port_is_its_own = f->port_is_its_own || (!err && a.port);
	return err;
}

int sem_listen(struct sem *sem, struct file *f, int backlog)
{
	return tern_listen(sem->st, f->sock, backlog);
}

/* ---- connect ---- */

int sem_take_error(struct file *f)
{
	bool told = f->broken_off;

	f->broken_off = false;
	return told ? -ECONNRESET : 0;
}

static int pending_error(struct sem *sem, struct file *f)
{
	int error = sem_take_error(f);
	size_t len = sizeof(error);

	if (error)
		return error;
	tern_getsockopt(sem->st, f->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &error, &len);
	return -error;
}

static bool is_connecting(struct sem *sem, struct file *f)
{
	return f->connecting &&
	       !(tern_poll(sem->st, f->sock) & (TERN_POLLOUT | TERN_POLLERR | TERN_POLLHUP));
}

/* Its end is told by whoever asks next; if it failed the socket is as before, then. */
static int end_of_connect(struct sem *sem, struct file *f)
{
	static const struct tern_addr none = { .family = TERN_AF_UNSPEC };
	int err = pending_error(sem, f);

	f->connecting = false;
	if (!err && tern_poll(sem->st, f->sock) & TERN_POLLHUP)
		err = -ECONNABORTED;
	if (err)
		tern_connect(sem->st, f->sock, &none);
	return err;
}

static int wait_for_connect(struct sem *sem, struct file *f)
{
	tern_time until = sem_until(sem, f->send_timeout);
	int err = 0;

	while (!err && is_connecting(sem, f))
		err = sem_wait_for(sem, f, TERN_POLLOUT, until);
	if (err)
		return err == -ETIMEDOUT ? -EINPROGRESS : err;
	return end_of_connect(sem, f);
}

int sem_connect(struct sem *sem, struct file *f, const struct sockaddr *sa, socklen_t len)
{
	struct tern_addr to;
	int wrong = addr_of_peer(f, sa, len, &to), err;

	if (wrong && (f->type != SOCK_STREAM || !sa || len < sizeof(sa->sa_family)))
		return wrong;
	if (wrong)
		to.family = UINT16_MAX; /* as on Linux: its state comes before the name */
	if (f->type == SOCK_STREAM && to.family == TERN_AF_UNSPEC)
		return sem_dissolve(sem, f);
	if (f->type != SOCK_STREAM)
		return tern_connect(sem->st, f->sock, &to);
	if (f->connecting && is_connecting(sem, f))
		return f->nonblocking ? -EALREADY : wait_for_connect(sem, f);
	if (f->connecting)
		return end_of_connect(sem, f);
	err = tern_connect(sem->st, f->sock, &to);
	if (wrong && err == -EAFNOSUPPORT)
		return wrong;
	if (err != -EINPROGRESS)
		return err == -EOPNOTSUPP ? -EISCONN : err; /* it listens */
	f->connecting = true;
	f->broken_off = false;
	sem->world.pump(sem->world.ctx); /* over lo it may be finished by now */
	if (!f->nonblocking)
		return wait_for_connect(sem, f);
	return -EINPROGRESS;
}

/* ---- accept ---- */

int sem_accept(struct sem *sem, struct file *f, struct sockaddr *sa, socklen_t *len,
	       struct file **out)
{
	tern_time until = sem_until(sem, f->nonblocking ? 0 : f->recv_timeout);
	struct tern_addr peer;
	tern_sock sock;
	int err;

	if (f->type != SOCK_STREAM)
		return -EOPNOTSUPP;
	while ((err = tern_accept(sem->st, f->sock, &sock, &peer)) == -EAGAIN) {
		sem->world.pump(sem->world.ctx);
		err = tern_accept(sem->st, f->sock, &sock, &peer);
		if (err != -EAGAIN || f->nonblocking)
			break;
		err = sem_wait_for(sem, f, TERN_POLLIN, until);
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
	if (!err && sa && len && (int)*len < 0) { /* as Linux: it is taken, and lost */
		tern_close(sem->st, sock);
		err = -EINVAL;
	}
	if (!err)
		err = file_for(sem, sock, out);
	if (err)
		return err;
	(*out)->family = f->family;
	(*out)->type = f->type;
	(*out)->cmsgs = f->cmsgs;
	(*out)->idle = f->idle;
	(*out)->spin = f->spin;
	(*out)->recv_timeout = f->recv_timeout;
	(*out)->send_timeout = f->send_timeout;
	addr_to_sockaddr(&peer, sa, len);
	return 0;
}

/* ---- the end ---- */

/* As Linux: there is no connection to shut, and the socket is as before it was to connect. */
static int break_off(struct sem *sem, struct file *f)
{
	int err = sem_dissolve(sem, f);

	f->broken_off = !err;
	epoll_on_news(sem, f, ~0u);
	return err;
}

int sem_shutdown(struct sem *sem, struct file *f, int how)
{
	int err;

	if (how >= SHUT_RD && how <= SHUT_RDWR && is_connecting(sem, f))
		return break_off(sem, f);
	err = tern_shutdown(sem->st, f->sock, how);
	if (!err) /* that it is connected is known now: Linux says so to who connects again */
		f->connecting = is_connecting(sem, f);
	return err;
}

/* What the windows allow is the peer's before the RST. */
void sem_send_the_last(struct sem *sem, struct file *f)
{
	if (f->type == SOCK_STREAM && close_discards(sem->st, f->sock))
		sem->world.pump(sem->world.ctx);
}

/* Nothing tells of the last acknowledgment, only of room: so it is looked every now and then. */
static void wait_for_acknowledgment(struct sem *sem, struct file *f, tern_time until)
{
	static const tern_time look_every = 5 * TERN_MS;
	int err = 0;

	while ((!err || err == -ETIMEDOUT) && stream_holds(sem->st, f->sock, TERN_SO_SIOCOUTQ)) {
		tern_time next = sem_until(sem, look_every);

		if (next > until)
			break;
		err = sem_wait_for(sem, f, TERN_POLLOUT, next);
	}
}

/* O_NONBLOCK does not count; a close that is a RST does not wait. */
void sem_linger(struct sem *sem, struct file *f)
{
	struct tern_linger l = { 0, 0 };
	size_t len = sizeof(l);

	if (f->type != SOCK_STREAM ||
	    tern_getsockopt(sem->st, f->sock, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, &len) ||
	    !l.onoff || l.linger <= 0 || close_discards(sem->st, f->sock))
		return;
	if (tern_shutdown(sem->st, f->sock, TERN_SHUT_WR))
		return;
	wait_for_acknowledgment(sem, f, sem_until(sem, (tern_time)l.linger * TERN_SEC));
}

/* ---- names ---- */

int sem_name_of(struct sem *sem, struct file *f, bool peer, struct sockaddr *sa, socklen_t *len)
{
	struct tern_addr a;
	int err;

	if (!len || !sa)
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	err = peer ? tern_getpeername(sem->st, f->sock, &a) :
		     tern_getsockname(sem->st, f->sock, &a);
	if (!err)
		addr_to_sockaddr(&a, sa, len);
	return err;
}
