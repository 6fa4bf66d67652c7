/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll.c - what is a file ready for?
 *
 * Epoll sets are descriptors of the kernel's, also for poll: see epoll.c.
 */
#define _GNU_SOURCE
#include "sem.h"

/* Linux's sockets tell of bands, too; of room for urgent data those of datagrams alone. */
unsigned file_bands(const struct file *f, unsigned ready)
{
	if (ready & TERN_POLLIN)
		ready |= POLLRDNORM;
	if (ready & TERN_POLLOUT)
		ready |= POLLWRNORM | (f->type == SOCK_STREAM ? 0u : (unsigned)POLLWRBAND);
	return ready;
}

unsigned file_poll(struct sem *sem, struct file *f, unsigned events)
{
	unsigned ready = tern_poll(sem->st, f->sock) | (f->broken_off ? TERN_POLLERR : 0);

	return file_bands(f, ready) & (events | POLLERR | POLLHUP);
}

bool sem_poll_now(struct sem *sem, struct pollfd *one)
{
	struct file *f = sem_file(sem, one->fd);

	one->revents = POLLNVAL;
	if (f && f->kind == FILE_SOCKET)
		one->revents = (short)file_poll(sem, f, (unsigned short)one->events);
	return one->revents != 0;
}
