/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.c - ioctl on sockets of ours.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "../loop/close.h"
#include "os.h"

static int get_size(struct posix *p, struct file *f, int name, int *out)
{
	size_t len = sizeof(*out);

	if (!out)
		return -EFAULT;
	p->sem.world.pump(p);
	return tern_getsockopt(p->sem.st, f->sock, TERN_SOL_SOCKET, name, out, &len);
}

static int get_unsent(struct posix *p, struct file *f, int *out)
{
	int n = f->type == SOCK_STREAM ? stream_unsent(p->sem.st, f->sock) : -ENOTTY;

	if (n < 0)
		return n;
	if (!out)
		return -EFAULT;
	*out = n;
	return 0;
}

static int set_blocking(struct file *f, const int *on)
{
	if (!on)
		return -EFAULT;
	f->nonblocking = *on != 0;
	return 0;
}

static int carry_out(struct posix *p, struct file *f, unsigned long request, void *arg)
{
	switch (request) {
	case FIONREAD:
		return get_size(p, f, TERN_SO_SIOCINQ, arg);
	case SIOCOUTQ:
		return get_size(p, f, TERN_SO_SIOCOUTQ, arg);
	case SIOCOUTQNSD:
		return get_unsent(p, f, arg);
	case SIOCATMARK:
		return f->type == SOCK_STREAM ? get_size(p, f, TERN_SO_ATMARK, arg) : -ENOTTY;
	case FIONBIO:
		return set_blocking(f, arg);
	default:
		return interface_request(p->sem.st, request, arg);
	}
}

int tern_posix_ioctl(int fd, unsigned long request, ...)
{
	struct posix *p;
	struct file *f;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!number_is_ours(fd) || request == FIOCLEX || request == FIONCLEX)
		return ioctl(fd, request, arg);
	p = posix_begin(fd, &f);
	return p ? (int)posix_end(p, f, carry_out(p, f, request, arg)) : -1;
}
