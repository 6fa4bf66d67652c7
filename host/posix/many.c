/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many.c - calls that are several of the simple ones: sendmmsg, recvmmsg, sendfile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "os.h"

enum { MESSAGES_MAX = 1024, PIECE = 65536 };

/* As Linux: an error after the first is told by the next call, if it is still there then. */
int tern_posix_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned done;

	if (!number_is_ours(fd))
		return sendmmsg(fd, m, n, flags);
	if (n > MESSAGES_MAX)
		n = MESSAGES_MAX;
	for (done = 0; done < n; done++) {
		ssize_t len = tern_posix_sendmsg(fd, &m[done].msg_hdr, flags);

		if (len < 0)
			break;
		m[done].msg_len = (unsigned)len;
	}
	return done > 0 || n == 0 ? (int)done : -1;
}

static tern_time time_of(const struct timespec *t)
{
	return (tern_time)t->tv_sec * TERN_SEC + (tern_time)t->tv_nsec;
}

/* The time-out is looked at after each datagram alone, and what is left of it is told: Linux's. */
int tern_posix_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	tern_time began = loop_now(), whole = timeout ? time_of(timeout) : TERN_NEVER, spent = 0;
	int each = flags & ~MSG_WAITFORONE;
	unsigned done = 0;

	if (!number_is_ours(fd))
		return recvmmsg(fd, m, n, flags, timeout);
	if (timeout &&
	    (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= (long)TERN_SEC)) {
		errno = EINVAL;
		return -1;
	}
	while (done < n && spent < whole) {
		ssize_t len = tern_posix_recvmsg(fd, &m[done].msg_hdr, each);

		if (len < 0)
			break;
		m[done++].msg_len = (unsigned)len;
		if (flags & MSG_WAITFORONE)
			each |= MSG_DONTWAIT;
		spent = timeout ? loop_now() - began : 0;
	}
	if (timeout) {
		whole = spent < whole ? whole - spent : 0;
		*timeout =
			(struct timespec){ (time_t)(whole / TERN_SEC), (long)(whole % TERN_SEC) };
	}
	return done > 0 || n == 0 ? (int)done : -1;
}

/* ---- sendfile ---- */

/* From one place of the file; how much, or -1 when nothing went. */
static ssize_t send_from(int out, int in, off_t at, size_t count)
{
	char *piece = malloc(PIECE);
	ssize_t total = 0;

	if (!piece) {
		errno = ENOMEM;
		return -1;
	}
	while ((size_t)total < count) {
		size_t want = count - (size_t)total < PIECE ? count - (size_t)total : PIECE;
		ssize_t got = pread(in, piece, want, at + total), sent;

		if (got <= 0) {
			total = got < 0 && total == 0 ? -1 : total;
			break;
		}
		sent = tern_posix_send(out, piece, (size_t)got, 0);
		if (sent < 0) {
			total = total == 0 ? -1 : total;
			break;
		}
		total += sent;
		if (sent < got)
			break;
	}
	free(piece);
	return total;
}

ssize_t tern_posix_sendfile64(int out, int in, int64_t *offset, size_t count)
{
	off_t at;
	ssize_t n;

	if (!number_is_ours(out) && !number_is_ours(in))
		return sendfile(out, in, offset, count);
	errno = 0;
	at = offset ? *offset : lseek(in, 0, SEEK_CUR);
	if (at < 0 || number_is_ours(in)) { /* it is no file */
		errno = errno == EBADF && !number_is_ours(in) ? EBADF : EINVAL;
		return -1;
	}
	n = send_from(out, in, at, count);
	if (n > 0 && offset)
		*offset += n;
	else if (n > 0)
		lseek(in, at + n, SEEK_SET);
	return n;
}
