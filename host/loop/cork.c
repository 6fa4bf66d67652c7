/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cork.c - datagrams that are put together from several sends: see cork.h.
 */
#include "cork.h"

#include <stdlib.h>
#include <string.h>

enum { DATAGRAM_MAX = 65507 };

struct corked {
	struct tern_msg m;
	size_t len;
	char bytes[DATAGRAM_MAX];
};

bool cork_takes(const struct cork *k, bool more)
{
	return k->held || k->on || more;
}

const struct tern_addr *cork_to(const struct cork *k)
{
	return k->held ? &k->held->m.addr : NULL;
}

void cork_drop(struct cork *k)
{
	free(k->held);
	k->held = NULL;
}

static int begin(struct cork *k, struct tern_stack *st, tern_sock s, const struct tern_msg *m)
{
	struct tern_addr peer;

	if (!m->addr.family && tern_getpeername(st, s, &peer) != 0)
		return -TERN_EDESTADDRREQ;
	k->held = malloc(sizeof(*k->held));
	if (!k->held)
		return -TERN_ENOMEM;
	k->held->m = *m;
	k->held->len = 0;
	return 0;
}

static int append(struct corked *c, const struct tern_msg *m)
{
	for (size_t i = 0; i < m->n_iov; i++) {
		size_t n = m->iov[i].len;

		if (n > sizeof(c->bytes) - c->len)
			return -TERN_EMSGSIZE;
		if (n)
			memcpy(c->bytes + c->len, m->iov[i].base, n);
		c->len += n;
	}
	return 0;
}

int64_t cork_push(struct cork *k, struct tern_stack *st, tern_sock s)
{
	struct corked *c = k->held;
	struct tern_iovec iov;
	int64_t n;

	if (!c)
		return 0;
	iov = (struct tern_iovec){ c->bytes, c->len };
	c->m.iov = &iov;
	c->m.n_iov = 1;
	n = tern_sendmsg(st, s, &c->m, 0);
	if (n != -TERN_EAGAIN)
		cork_drop(k);
	return n;
}

int64_t cork_send(struct cork *k, struct tern_stack *st, tern_sock s, const struct tern_msg *m,
		  bool more)
{
	int64_t n, err = k->held ? 0 : begin(k, st, s, m);
	size_t before;

	if (err)
		return err;
	before = k->held->len;
	err = append(k->held, m);
	if (err) {
		cork_drop(k);
		return err;
	}
	n = (int64_t)(k->held->len - before);
	if (k->on || more)
		return n;
	err = cork_push(k, st, s);
	if (err == -TERN_EAGAIN) /* it waits, and this part goes with it when it is sent again */
		k->held->len = before;
	return err < 0 ? err : n;
}
