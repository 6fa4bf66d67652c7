/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cork.c - datagrams that are put together from several sends: see cork.h.
 */
#define _GNU_SOURCE
#include "cork.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "option.h"

enum { DATAGRAM_MAX = 65507 };

struct corked {
	struct tern_msg m;
	size_t len;
	char bytes[DATAGRAM_MAX];
};

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
		  int flags)
{
	bool more = flags & TERN_MSG_MORE;
	int64_t n, err;
	size_t before;

	if (!k->held && !k->on && !more)
		return tern_sendmsg(st, s, m, flags);
	err = k->held ? 0 : begin(k, st, s, m);
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

bool cork_is_option(int type, int level, int name)
{
	return type == SOCK_DGRAM && level == IPPROTO_UDP && name == UDP_CORK;
}

int cork_set(struct cork *k, struct tern_stack *st, tern_sock s, const void *value, size_t len)
{
	int v = 0, err = option_read_number(IPPROTO_UDP, value, len, &v);

	if (err)
		return err;
	k->on = v != 0;
	if (!k->on)
		cork_push(k, st, s);
	return 0;
}
