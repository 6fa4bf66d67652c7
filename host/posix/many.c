/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many.c - calls that are several of the simple ones: sendmmsg, recvmmsg, sendfile.
 *
 * What was done before an error is the result; the error stays for the next call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/sendfile.h>

#include "os.h"

enum { MESSAGES_MAX = 1024, PIECE = 65536 }; /* Linux's UIO_MAXIOV */

static unsigned limited(unsigned n)
{
	return n < MESSAGES_MAX ? n : MESSAGES_MAX;
}

int tern_posix_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned done = 0;

	if (!number_is_ours(fd))
		return sendmmsg(fd, m, n, flags);
	for (; done < limited(n); done++) {
		ssize_t len = tern_posix_sendmsg(fd, &m[done].msg_hdr, flags);

		if (len < 0)
			break;
		m[done].msg_len = (unsigned)len;
	}
	return done || n == 0 ? (int)done : -1;
}

/* As Linux, the time is looked at only between two datagrams. */
int tern_posix_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	tern_time until = TERN_NEVER;
	unsigned done = 0;

	if (!number_is_ours(fd))
		return recvmmsg(fd, m, n, flags, timeout);
	if (timeout &&
	    (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= (long)TERN_SEC)) {
		errno = EINVAL;
		return -1;
	}
	if (timeout)
		until = loop_now() + (tern_time)timeout->tv_sec * TERN_SEC +
			(tern_time)timeout->tv_nsec;
	while (done < limited(n)) {
		ssize_t len = tern_posix_recvmsg(fd, &m[done].msg_hdr, flags & ~MSG_WAITFORONE);

		if (len < 0)
			break;
		m[done++].msg_len = (unsigned)len;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (loop_now() >= until)
			break;
	}
	return done || n == 0 ? (int)done : -1;
}

/* ---- sendfile ---- */

/* Sends one piece of the file from *at on; what went, 0 at the end, or -1. */
static ssize_t send_piece(int fd, int file, off_t *at, size_t n)
{
	char bytes[PIECE];
	ssize_t got = pread(file, bytes, n < sizeof(bytes) ? n : sizeof(bytes), *at), sent;

	if (got <= 0)
		return got;
	sent = tern_posix_send(fd, bytes, (size_t)got, 0);
	if (sent > 0)
		*at += sent;
	return sent;
}

ssize_t tern_posix_sendfile(int fd, int file, off_t *offset, size_t n)
{
	size_t done = 0;
	ssize_t k = 0;
	off_t at;

	if (!number_is_ours(fd) && !number_is_ours(file))
		return sendfile(fd, file, offset, n);
	if (number_is_ours(file) || (offset && *offset < 0)) {
		errno = EINVAL;
		return -1;
	}
	at = offset ? *offset : lseek(file, 0, SEEK_CUR);
	if (at < 0)
		return -1; /* EBADF; ESPIPE: no file */
	while (done < n && (k = send_piece(fd, file, &at, n - done)) > 0)
		done += (size_t)k;
	if (offset)
		*offset = at;
	else
		lseek(file, at, SEEK_SET);
	return done || k == 0 ? (ssize_t)done : -1;
}
