/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io.c - sending and receiving that may block: how much is enough, and what ends the wait?
 *
 * As Linux: a blocking send goes on until all is taken; a receive of a stream until SO_RCVLOWAT
 * bytes came, with MSG_WAITALL until all did. What was done before an error, a signal or a time-out
 * is the result; the error stays for the next call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "../loop/cmsg.h"
#include "sem.h"

enum { IOV_COUNT_MAX = 1024 };

/* What is left of vectors. */
struct cursor {
	const struct iovec *iov;
	size_t n;
	size_t off; /* of the first, done */
};

static size_t length_of(const struct iovec *iov, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

/* The rest, as many vectors as fit; how many. */
static size_t rest_of(const struct cursor *c, struct tern_iovec *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n && n < max; i++) {
		size_t off = i == 0 ? c->off : 0;
		char *base = c->iov[i].iov_base;

		/* of no bytes it may be NULL, of which nothing can be added up */
		out[n++] = (struct tern_iovec){ off ? base + off : base, c->iov[i].iov_len - off };
	}
	return n;
}

static void move_on(struct cursor *c, size_t n)
{
	while (c->n && n >= c->iov[0].iov_len - c->off) {
		n -= c->iov[0].iov_len - c->off;
		c->iov++;
		c->n--;
		c->off = 0;
	}
	c->off += n;
}

enum { PIECES = 64 };

static int check_vectors(const struct iovec *iov, size_t n)
{
	size_t total = 0;

	if (n > IOV_COUNT_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len > SSIZE_MAX - total)
			return -EINVAL;
		if (!iov[i].iov_base && iov[i].iov_len)
			return -EFAULT;
		total += iov[i].iov_len;
	}
	return 0;
}

static bool may_block(const struct file *f, int flags)
{
	return !f->nonblocking && !(flags & MSG_DONTWAIT);
}

/* Waits as a call with a time-out of its own does: it is over with EAGAIN. */
static int wait_in_call(struct sem *sem, struct file *f, unsigned events, tern_time until)
{
	int err = sem_wait_for(sem, f, events, until);

	return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* ---- sending ---- */

static int64_t send_stream(struct sem *sem, struct file *f, const struct io *io, size_t len)
{
	tern_time until = sem_until(sem, f->send_timeout);
	struct cursor c = { io->iov, io->n_iov, 0 };
	struct tern_iovec iov[PIECES];
	size_t done = 0;
	int64_t n;

	do {
		struct tern_msg m;

		tern_msg_init(&m, iov, rest_of(&c, iov, PIECES));
		n = tern_sendmsg(sem->st, f->sock, &m, io->flags);
		if (n == -EAGAIN && may_block(f, io->flags)) {
			n = wait_in_call(sem, f, TERN_POLLOUT, until);
			/* the error is for the next call, which has sent nothing */
			if (done && (tern_poll(sem->st, f->sock) & TERN_POLLERR))
				break;
		} else if (n >= 0) {
			done += (size_t)n;
			move_on(&c, (size_t)n);
			if (n == 0)
				break;
		}
	} while (n >= 0 && done < len);
	return done ? (int64_t)done : n;
}

static int64_t try_datagram(struct sem *sem, struct file *f, struct tern_msg *m, int flags)
{
	if (f->type != SOCK_DGRAM)
		return tern_sendmsg(sem->st, f->sock, m, flags);
	return cork_send(&f->cork, sem->st, f->sock, m, flags);
}

static int64_t send_datagram(struct sem *sem, struct file *f, struct tern_msg *m, int flags)
{
	tern_time until = sem_until(sem, f->send_timeout);
	int64_t n;

	while ((n = try_datagram(sem, f, m, flags)) == -EAGAIN && may_block(f, flags)) {
		n = wait_in_call(sem, f, TERN_POLLOUT, until);
		if (n)
			return n;
	}
	return n;
}

static int64_t send_somewhere(struct sem *sem, struct file *f, const struct io *io,
			      struct tern_msg *m)
{
	struct tern_iovec iov[IOV_COUNT_MAX];
	struct cursor c = { io->iov, io->n_iov, 0 };
	int err = check_vectors(io->iov, io->n_iov);

	if (err)
		return err;
	if (f->broken_off)
		return sem_take_error(f);
	if (f->type == SOCK_STREAM && !(io->flags & MSG_FASTOPEN))
		return send_stream(sem, f, io, length_of(io->iov, io->n_iov));
	if (io->to) {
		err = addr_of_peer(f, io->to, io->to_len, &m->addr);
		if (err) /* Linux's IPv6 says so of any family that it does not know */
			return err == -EAFNOSUPPORT && f->family == AF_INET6 ? -EINVAL : err;
		if (m->addr.family == TERN_AF_UNSPEC && f->family == AF_INET) {
			if (io->to_len < sockaddr_least_len(AF_INET))
				return -EINVAL;
			m->addr.family = TERN_AF_INET; /* Linux: of old programs */
		}
	}
	m->iov = iov;
	m->n_iov = rest_of(&c, iov, IOV_COUNT_MAX);
	return send_datagram(sem, f, m, io->flags);
}

int64_t sem_send(struct sem *sem, struct file *f, const struct io *io)
{
	struct tern_msg m;

	tern_msg_init(&m, NULL, 0);
	return send_somewhere(sem, f, io, &m);
}

/* Of a msghdr: none has no length, and what is too long is cut. false: it is negative. */
static bool check_name_len(socklen_t *len)
{
	if ((int)*len < 0)
		return false;
	if (*len > sizeof(struct sockaddr_storage))
		*len = sizeof(struct sockaddr_storage);
	return true;
}

int64_t sem_sendmsg(struct sem *sem, struct file *f, const struct msghdr *h, int flags)
{
	struct io io = { .iov = h->msg_iov,
			 .n_iov = h->msg_iovlen,
			 .flags = flags,
			 .to = h->msg_name,
			 .to_len = h->msg_namelen };
	struct tern_msg m;
	int err;

	if (io.to && !check_name_len(&io.to_len))
		return -EINVAL;
	if (io.to_len == 0)
		io.to = NULL;
	tern_msg_init(&m, NULL, 0);
	err = cmsg_to_msg(h, f->type == SOCK_STREAM ? AF_UNSPEC : f->family, &m);
	return err ? err : send_somewhere(sem, f, &io, &m);
}

/* ---- receiving ---- */

static size_t wanted_bytes(struct sem *sem, struct file *f, int flags, size_t len)
{
	int low = 1;
	size_t size = sizeof(low);

	if (flags & MSG_WAITALL)
		return len;
	tern_getsockopt(sem->st, f->sock, TERN_SOL_SOCKET, TERN_SO_RCVLOWAT, &low, &size);
	if ((size_t)low > len)
		return len ? len : 1;
	return low > 0 ? (size_t)low : 1;
}

/* Of a stream MSG_TRUNC throws bytes away: they go where nobody reads. Returns how many pieces. */
static size_t read_nowhere(struct tern_iovec *iov, size_t len)
{
	static char nowhere[128 << 10]; /* so that all pieces hold more than a receive buffer */
	size_t n = 0;

	for (; len && n < PIECES; n++) {
		iov[n].base = nowhere;
		iov[n].len = len < sizeof(nowhere) ? len : sizeof(nowhere);
		len -= iov[n].len;
	}
	return n;
}

static int64_t try_recv(struct sem *sem, struct file *f, const struct cursor *c, struct tern_msg *m,
			int flags)
{
	struct tern_iovec iov[PIECES];
	int64_t n;

	m->iov = iov;
	m->n_iov = flags & MSG_TRUNC ? read_nowhere(iov, length_of(c->iov, c->n) - c->off) :
				       rest_of(c, iov, PIECES);
	n = tern_recvmsg(sem->st, f->sock, m, flags);
	if (n == -EAGAIN) {
		sem->world.pump(sem->world.ctx);
		n = tern_recvmsg(sem->st, f->sock, m, flags);
	}
	/* whoever asks for nothing waits for something all the same, as on Linux */
	if (n == 0 && length_of(c->iov, c->n) == 0 && !(tern_poll(sem->st, f->sock) & TERN_POLLIN))
		return -EAGAIN;
	return n;
}

/* What a peek shows stays where it is: it looks again when more has come. */
static int64_t peek_stream(struct sem *sem, struct file *f, const struct io *io, struct tern_msg *m)
{
	size_t wanted = wanted_bytes(sem, f, io->flags, length_of(io->iov, io->n_iov));
	tern_time until = sem_until(sem, f->recv_timeout);
	struct cursor c = { io->iov, io->n_iov, 0 };

	for (;;) {
		int64_t n = try_recv(sem, f, &c, m, io->flags);
		bool more = !(tern_poll(sem->st, f->sock) & (TERN_POLLRDHUP | TERN_POLLERR));
		int err;

		if (!may_block(f, io->flags) || (n != -EAGAIN && n <= 0))
			return n;
		if (n > 0 && ((size_t)n >= wanted || !more))
			return n;
		err = wait_in_call(sem, f, TERN_POLLIN, until);
		if (err)
			return n > 0 ? n : err;
	}
}

static int64_t take_stream(struct sem *sem, struct file *f, const struct io *io, struct tern_msg *m)
{
	size_t len = length_of(io->iov, io->n_iov), done = 0;
	size_t wanted = wanted_bytes(sem, f, io->flags, len);
	tern_time until = sem_until(sem, f->recv_timeout);
	struct cursor c = { io->iov, io->n_iov, 0 };
	int64_t n;

	do {
		n = try_recv(sem, f, &c, m, io->flags);
		if (n > 0) {
			done += (size_t)n;
			move_on(&c, (size_t)n);
		} else if (n == -EAGAIN && may_block(f, io->flags)) {
			n = wait_in_call(sem, f, TERN_POLLIN, until);
			if (n == 0)
				n = 1; /* look again */
		}
	} while (n > 0 && done < wanted && done < len + (len == 0) && may_block(f, io->flags));
	return done ? (int64_t)done : n;
}

static int64_t recv_stream(struct sem *sem, struct file *f, const struct io *io, struct tern_msg *m)
{
	struct cursor c = { io->iov, io->n_iov, 0 };

	if (io->flags & (MSG_OOB | MSG_ERRQUEUE)) /* never waits */
		return try_recv(sem, f, &c, m, io->flags);
	return io->flags & MSG_PEEK ? peek_stream(sem, f, io, m) : take_stream(sem, f, io, m);
}

static int64_t recv_datagram(struct sem *sem, struct file *f, const struct io *io,
			     struct tern_msg *m)
{
	tern_time until = sem_until(sem, f->recv_timeout);
	struct tern_iovec iov[IOV_COUNT_MAX];
	struct cursor c = { io->iov, io->n_iov, 0 };
	int64_t n;

	m->iov = iov;
	m->n_iov = rest_of(&c, iov, IOV_COUNT_MAX);
	for (;;) {
		n = tern_recvmsg(sem->st, f->sock, m, io->flags);
		if (n == -EAGAIN) {
			sem->world.pump(sem->world.ctx);
			n = tern_recvmsg(sem->st, f->sock, m, io->flags);
		}
		if (n != -EAGAIN || !may_block(f, io->flags) || (io->flags & MSG_ERRQUEUE))
			return n;
		n = wait_in_call(sem, f, TERN_POLLIN, until);
		if (n)
			return n;
	}
}

static int64_t recv_something(struct sem *sem, struct file *f, const struct io *io,
			      struct tern_msg *m)
{
	int err = check_vectors(io->iov, io->n_iov);

	if (err)
		return err;
	if (f->broken_off)
		return sem_take_error(f);
	tern_msg_init(m, NULL, 0);
	return f->type == SOCK_STREAM ? recv_stream(sem, f, io, m) : recv_datagram(sem, f, io, m);
}

/* Whose name a receive tells: of a stream nobody's. By EINVAL, as on Linux, what came is lost. */
static int tell_sender(const struct file *f, const struct tern_msg *m, struct sockaddr *from,
		       socklen_t *from_len)
{
	if (!from_len)
		return 0;
	if ((int)*from_len < 0)
		return -EINVAL;
	if ((f->type == SOCK_STREAM && !(m->flags & TERN_MSG_ERRQUEUE)) || !m->addr.family)
		*from_len = 0;
	else
		addr_to_sockaddr(&m->addr, from, from_len);
	return 0;
}

int64_t sem_recv(struct sem *sem, struct file *f, const struct io *io, struct sockaddr *from,
		 socklen_t *from_len)
{
	struct tern_msg m;
	int64_t n = recv_something(sem, f, io, &m);
	int err = n >= 0 && from ? tell_sender(f, &m, from, from_len) : 0;

	return err ? err : n;
}

int64_t sem_recvmsg(struct sem *sem, struct file *f, struct msghdr *h, int flags)
{
	struct io io = { .iov = h->msg_iov, .n_iov = h->msg_iovlen, .flags = flags };
	struct tern_msg m;
	int64_t n;

	if (h->msg_name && !check_name_len(&h->msg_namelen))
		return -EINVAL;
	n = recv_something(sem, f, &io, &m);
	if (n < 0)
		return n;
	h->msg_flags = (int)(m.flags &
			     (TERN_MSG_TRUNC | TERN_MSG_OOB | TERN_MSG_ERRQUEUE | TERN_MSG_EOR)) |
		       (flags & MSG_CMSG_CLOEXEC);
	if (h->msg_name)
		tell_sender(f, &m, h->msg_name, &h->msg_namelen);
	else
		h->msg_namelen = 0;
	/* what a packet says of itself is told of datagrams alone */
	cmsg_from_msg(f->type == SOCK_STREAM ? f->cmsgs & CMSG_WANT_STAMPS : f->cmsgs,
		      f->family == AF_INET6, &m, h);
	return n;
}
