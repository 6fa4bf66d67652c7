/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - the public calls on sockets: to tern for numbers that are ours, else to the kernel.
 *
 * It is the only place where errno is set and signals are raised.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include "os.h"

int64_t told_by_errno(int64_t n)
{
	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}

struct posix *posix_begin(int fd, struct file **f)
{
	struct posix *p = posix_peek();
	int err;

	if (!p) { /* a parent's */
		errno = EBADF;
		return NULL;
	}
	posix_lock(p);
	err = sem_begin_call(&p->sem, fd, f);
	if (!err)
		return p;
	posix_unlock(p);
	errno = -err;
	return NULL;
}

int64_t posix_end(struct posix *p, struct file *f, int64_t result)
{
	sem_end_call(&p->sem, f);
	posix_unlock(p);
	return told_by_errno(result);
}

/* With the lock held: a number for a file that has none yet, at least `least`; else it ends. */
static int give_number(struct posix *p, struct file *f, bool cloexec, int least)
{
	int fd = fcntl(p->placeholder, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, least), err = -errno;

	if (fd >= 0 && sem_name(&p->sem, fd, f)) {
		number_note(fd, NUMBER_SOCKET);
		return fd;
	}
	if (fd >= 0) {
		close(fd);
		err = fd >= SEM_FILES_MAX ? -EMFILE : -ENOMEM;
	}
	if (f->n_numbers == 0) {
		f->n_numbers = 1;
		sem_drop_number(&p->sem, f);
	}
	return err;
}

/* ---- the life of a socket ---- */

int tern_posix_start(struct tern_posix_wish *w)
{
	return posix_start(w);
}

bool tern_posix_is_ours(int fd)
{
	return number_is_ours(fd);
}

int tern_posix_socket(int family, int type, int protocol)
{
	struct posix *p;
	struct file *f;
	int n;

	if (family != AF_INET && family != AF_INET6)
		return socket(family, type, protocol);
	p = posix_get();
	if (!p)
		return -1;
	posix_lock(p);
	n = sem_socket(&p->sem, family, type, protocol, &f);
	if (n == 0)
		n = give_number(p, f, type & SOCK_CLOEXEC, 0);
	posix_unlock(p);
	return (int)told_by_errno(n);
}

int tern_posix_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return bind(fd, sa, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_bind(&p->sem, f, sa, len)) : -1;
}

int tern_posix_listen(int fd, int backlog)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return listen(fd, backlog);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_listen(&p->sem, f, backlog)) : -1;
}

int tern_posix_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return connect(fd, sa, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_connect(&p->sem, f, sa, len)) : -1;
}

int tern_posix_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	struct file *f, *child;
	struct posix *p;
	int n;

	if (!number_is_ours(fd))
		return accept4(fd, sa, len, flags);
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
		errno = EINVAL;
		return -1;
	}
	p = posix_begin(fd, &f);
	if (!p)
		return -1;
	n = sem_accept(&p->sem, f, sa, len, &child);
	if (n == 0) {
		child->nonblocking = (flags & SOCK_NONBLOCK) != 0;
		n = give_number(p, child, flags & SOCK_CLOEXEC, 0);
	}
	return (int)posix_end(p, f, n);
}

int tern_posix_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	return number_is_ours(fd) ? tern_posix_accept4(fd, sa, len, 0) : accept(fd, sa, len);
}

int tern_posix_shutdown(int fd, int how)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return shutdown(fd, how);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_shutdown(&p->sem, f, how)) : -1;
}

/*
 * Its number goes first, so that no other thread finds the file by it. The kernel's copy goes
 * before others have the lock: who polls it finds no file, as it should.
 */
int tern_posix_close(int fd)
{
	struct posix *p = posix_peek();
	struct file *f;
	int n;

	if (number_kind_of(fd) == NUMBER_OTHER || !p) {
		number_note(fd, NUMBER_OTHER);
		return close(fd);
	}
	posix_lock(p);
	f = sem_file(&p->sem, fd);
	number_note(fd, NUMBER_OTHER);
	if (f && f->n_numbers == 1 && f->kind == FILE_SOCKET)
		sem_linger(&p->sem, f);
	if (f && sem_file(&p->sem, fd) == f)
		sem_unname(&p->sem, fd);
	n = close(fd);
	posix_unlock(p);
	return n;
}

/* ---- names and options ---- */

int tern_posix_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return getsockname(fd, sa, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_name_of(&p->sem, f, false, sa, len)) : -1;
}

int tern_posix_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return getpeername(fd, sa, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_name_of(&p->sem, f, true, sa, len)) : -1;
}

int tern_posix_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return getsockopt(fd, level, name, value, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_getsockopt(&p->sem, f, level, name, value, len)) : -1;
}

int tern_posix_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return setsockopt(fd, level, name, value, len);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, sem_setsockopt(&p->sem, f, level, name, value, len)) : -1;
}

/* ---- bytes ---- */

/* A write to who reads no longer is a signal, too, of a stream. */
static ssize_t end_send(struct posix *p, struct file *f, int64_t n, int flags)
{
	bool pipe = n == -EPIPE && f->type == SOCK_STREAM && !(flags & MSG_NOSIGNAL);
	int64_t result = posix_end(p, f, n);

	if (pipe)
		pthread_kill(pthread_self(), SIGPIPE);
	if (pipe)
		errno = EPIPE;
	return (ssize_t)result;
}

static ssize_t send_io(int fd, const struct io *io)
{
	struct file *f;
	struct posix *p = posix_begin(fd, &f);

	return p ? end_send(p, f, sem_send(&p->sem, f, io), io->flags) : -1;
}

static ssize_t recv_io(int fd, const struct io *io, struct sockaddr *from, socklen_t *len)
{
	struct file *f;
	struct posix *p = posix_begin(fd, &f);

	return p ? (ssize_t)posix_end(p, f, sem_recv(&p->sem, f, io, from, len)) : -1;
}

ssize_t tern_posix_sendto(int fd, const void *bytes, size_t len, int flags,
			  const struct sockaddr *to, socklen_t to_len)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct io io = { &iov, 1, flags, to, to_len };

	return number_is_ours(fd) ? send_io(fd, &io) : sendto(fd, bytes, len, flags, to, to_len);
}

ssize_t tern_posix_send(int fd, const void *bytes, size_t len, int flags)
{
	return number_is_ours(fd) ? tern_posix_sendto(fd, bytes, len, flags, NULL, 0) :
				    send(fd, bytes, len, flags);
}

ssize_t tern_posix_recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *from,
			    socklen_t *from_len)
{
	struct iovec iov = { bytes, len };
	struct io io = { .iov = &iov, .n_iov = 1, .flags = flags };

	return number_is_ours(fd) ? recv_io(fd, &io, from, from_len) :
				    recvfrom(fd, bytes, len, flags, from, from_len);
}

ssize_t tern_posix_recv(int fd, void *bytes, size_t len, int flags)
{
	return number_is_ours(fd) ? tern_posix_recvfrom(fd, bytes, len, flags, NULL, NULL) :
				    recv(fd, bytes, len, flags);
}

ssize_t tern_posix_write(int fd, const void *bytes, size_t len)
{
	return number_is_ours(fd) ? tern_posix_sendto(fd, bytes, len, 0, NULL, 0) :
				    write(fd, bytes, len);
}

/* System V's: a read of nothing is no read of a socket. */
ssize_t tern_posix_read(int fd, void *bytes, size_t len)
{
	if (!number_is_ours(fd))
		return read(fd, bytes, len);
	return len ? tern_posix_recvfrom(fd, bytes, len, 0, NULL, NULL) : 0;
}

static bool check_count(int n)
{
	if (n >= 0 && n <= 1024)
		return true;
	errno = EINVAL;
	return false;
}

static bool is_empty(const struct iovec *iov, int n)
{
	for (int i = 0; i < n; i++)
		if (iov[i].iov_len)
			return false;
	return true;
}

ssize_t tern_posix_writev(int fd, const struct iovec *iov, int n)
{
	struct io io = { .iov = iov, .n_iov = (size_t)n };

	if (!number_is_ours(fd))
		return writev(fd, iov, n);
	if (!check_count(n))
		return -1;
	return is_empty(iov, n) ? 0 : send_io(fd, &io);
}

ssize_t tern_posix_readv(int fd, const struct iovec *iov, int n)
{
	struct io io = { .iov = iov, .n_iov = (size_t)n };

	if (!number_is_ours(fd))
		return readv(fd, iov, n);
	if (!check_count(n))
		return -1;
	return is_empty(iov, n) ? 0 : recv_io(fd, &io, NULL, NULL);
}

ssize_t tern_posix_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return sendmsg(fd, m, flags);
	p = posix_begin(fd, &f);
	return p ? end_send(p, f, sem_sendmsg(&p->sem, f, m, flags), flags) : -1;
}

ssize_t tern_posix_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct posix *p;
	struct file *f;

	if (!number_is_ours(fd))
		return recvmsg(fd, m, flags);
	p = posix_begin(fd, &f);
	return p ? (ssize_t)posix_end(p, f, sem_recvmsg(&p->sem, f, m, flags)) : -1;
}

/* ---- numbers ---- */

/* One more for the same file; to: this one, or -1; least: else. */
static int copy_number(int fd, int to, int least, bool cloexec)
{
	struct posix *p = posix_peek();
	struct file *f = NULL;
	int n = -EBADF;

	if (p && least >= 0) {
		posix_lock(p);
		f = sem_file(&p->sem, fd);
		if (f && to >= 0)
			n = dup3(p->placeholder, to, cloexec ? O_CLOEXEC : 0) < 0 ? -errno : to;
		if (f && to >= 0 && n == to && !sem_name(&p->sem, to, f))
			n = -ENOMEM;
		if (f && to >= 0 && n == to)
			number_note(to, NUMBER_SOCKET);
		if (f && to < 0)
			n = give_number(p, f, cloexec, least);
		posix_unlock(p);
	}
	return (int)told_by_errno(n);
}

/* The kernel is about to give the number to another: what we have by it ends. */
static void forget_number(int fd)
{
	struct posix *p = posix_peek();

	if (number_kind_of(fd) == NUMBER_OTHER || !p)
		return;
	posix_lock(p);
	number_note(fd, NUMBER_OTHER);
	if (sem_file(&p->sem, fd))
		sem_unname(&p->sem, fd);
	posix_unlock(p);
}

int tern_posix_dup(int fd)
{
	return number_is_ours(fd) ? copy_number(fd, -1, 0, false) : dup(fd);
}

int tern_posix_dup2(int fd, int to)
{
	if (!number_is_ours(fd)) {
		if (fd != to && fcntl(fd, F_GETFD) >= 0)
			forget_number(to);
		return dup2(fd, to);
	}
	return fd == to ? fd : copy_number(fd, to, to < 0 ? -1 : 0, false);
}

int tern_posix_dup3(int fd, int to, int flags)
{
	if (!number_is_ours(fd)) {
		if (fd != to && fcntl(fd, F_GETFD) >= 0)
			forget_number(to);
		return dup3(fd, to, flags);
	}
	if (fd == to || (flags & ~O_CLOEXEC)) {
		errno = EINVAL;
		return -1;
	}
	return copy_number(fd, to, to < 0 ? -1 : 0, flags & O_CLOEXEC);
}

static int set_flags(int fd, int flags)
{
	struct file *f;
	struct posix *p = posix_begin(fd, &f);

	if (!p)
		return -1;
	f->nonblocking = (flags & O_NONBLOCK) != 0;
	return (int)posix_end(p, f, 0);
}

static int get_flags(int fd)
{
	struct file *f;
	struct posix *p = posix_begin(fd, &f);

	return p ? (int)posix_end(p, f, O_RDWR | (f->nonblocking ? O_NONBLOCK : 0)) : -1;
}

int tern_posix_fcntl(int fd, int command, ...)
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	if (!number_is_ours(fd) || command == F_GETFD || command == F_SETFD)
		return fcntl(fd, command, arg);
	switch (command) {
	case F_GETFL:
		return get_flags(fd);
	case F_SETFL:
		return set_flags(fd, (int)arg);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if ((int)arg < 0) {
			errno = EINVAL;
			return -1;
		}
		return copy_number(fd, -1, (int)arg, command == F_DUPFD_CLOEXEC);
	default:
		errno = EINVAL;
		return -1;
	}
}
