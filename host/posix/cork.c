/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cork.c - datagrams that are put together from several sends: MSG_MORE and UDP_CORK, as udp(7).
 *
 * The first send says where it goes and what goes along; the others add bytes. It goes with the
 * first send that holds nothing back, or when UDP_CORK is taken off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sem.h"

enum { DATAGRAM_MAX = 65507 };

struct cork {
	struct tern_msg m;
	size_t len;
	char bytes[DATAGRAM_MAX];
};

bool cork_is_in(const struct file *f, int flags)
{
	return f->type == SOCK_DGRAM && (f->cork || f->udp_cork || (flags & MSG_MORE));
}

void cork_drop(struct file *f)
{
	free(f->cork);
	f->cork = NULL;
}

static bool has_receiver(struct sem *sem, struct file *f, const struct tern_msg *m)
{
	struct tern_addr peer;

	return m->addr.family || tern_getpeername(sem->st, f->sock, &peer) == 0;
}

static int begin(struct sem *sem, struct file *f, const struct tern_msg *m)
{
	if (!has_receiver(sem, f, m))
		return -EDESTADDRREQ;
	f->cork = malloc(sizeof(*f->cork));
	if (!f->cork)
		return -ENOMEM;
	f->cork->m = *m;
	f->cork->len = 0;
	return 0;
}

static int append(struct cork *c, const struct tern_msg *m)
{
	for (size_t i = 0; i < m->n_iov; i++) {
		size_t n = m->iov[i].len;

		if (n > sizeof(c->bytes) - c->len)
			return -EMSGSIZE;
		if (n)
			memcpy(c->bytes + c->len, m->iov[i].base, n);
		c->len += n;
	}
	return 0;
}

int64_t cork_push(struct sem *sem, struct file *f)
{
	struct cork *c = f->cork;
	struct tern_iovec iov;
	int64_t n;

	if (!c)
		return 0;
	iov = (struct tern_iovec){ c->bytes, c->len };
	c->m.iov = &iov;
	c->m.n_iov = 1;
	n = tern_sendmsg(sem->st, f->sock, &c->m, 0);
	if (n != -EAGAIN)
		cork_drop(f);
	return n;
}

int64_t cork_send(struct sem *sem, struct file *f, const struct tern_msg *m, int flags)
{
	size_t before;
	int64_t n;
	int err = f->cork ? 0 : begin(sem, f, m);

	if (err)
		return err;
	before = f->cork->len;
	err = append(f->cork, m);
	if (err) {
		cork_drop(f);
		return err;
	}
	n = (int64_t)(f->cork->len - before);
	if (f->udp_cork || (flags & MSG_MORE))
		return n;
	err = (int)cork_push(sem, f);
	if (err == -EAGAIN) /* it waits, and this part goes with it when it is sent again */
		f->cork->len = before;
	return err < 0 ? err : n;
}
