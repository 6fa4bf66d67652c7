/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * letters.c - datagrams between a pair and the stack.
 *
 * A datagram that has come lies in the pair, so that poll, read and recv of the program find it
 * without a call that is stopped; where it came from is in a queue of ours. What the program took
 * meanwhile is known by how many bytes are still unread at its end: the front of the queue is
 * dropped until the rest is as long. Empty datagrams count as nothing there; they leave the queue
 * with the next one that is longer, or when they are taken by a call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "inside.h"

/* ---- the queue ---- */

static void append(struct pair *p, struct letter *l)
{
	*p->letters_end = l;
	p->letters_end = &l->next;
	p->letters_len += l->len;
}

void letters_drop(struct pair *p)
{
	struct letter *l = p->letters;

	if (!l)
		return;
	p->letters = l->next;
	if (!p->letters)
		p->letters_end = &p->letters;
	p->letters_len -= l->len;
	free(l);
}

struct letter *letters_first(struct pair *p, int end)
{
	int unread = 0;

	ioctl(end, FIONREAD, &unread);
	while (p->letters && p->letters_len > (uint64_t)unread)
		letters_drop(p);
	return p->letters;
}

void letters_fini(struct pair *p)
{
	while (p->letters)
		letters_drop(p);
	if (p->held)
		free(p->held->letter);
	free(p->held);
	p->held = NULL;
}

void letter_tell(const struct letter *l, struct tern_msg *m)
{
	tern_msg_init(m, NULL, 0);
	m->addr = l->from;
	m->local = l->local;
	m->ifindex = l->ifindex;
	m->ttl = l->ttl;
	m->tos = l->tos;
	m->at = l->at;
	m->flow_label = l->flow_label;
	m->info = l->path_mtu;
	m->flags = l->path_mtu ? TERN_MSG_PATHMTU : 0;
}

/* ---- to the program ---- */

/* false: the pair has no room, and the datagram waits. */
static bool deliver(struct pair *p, struct letter *l, const void *bytes, size_t len)
{
	if (send(p->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		append(p, l);
		return true;
	}
	if (errno != EAGAIN) { /* nobody reads it any more */
		free(l);
		return true;
	}
	p->held = malloc(sizeof(*p->held) + len);
	if (!p->held) {
		free(l);
		return true;
	}
	p->held->letter = l;
	p->held->len = (uint32_t)len;
	memcpy(p->held->bytes, bytes, len);
	return false;
}

static bool deliver_held(struct pair *p)
{
	struct held *h = p->held;
	bool good;

	if (!h)
		return true;
	p->held = NULL;
	good = deliver(p, h->letter, h->bytes, h->len);
	free(h);
	return good;
}

/* One datagram, or what became of an earlier one; false: no more for now. */
static bool bring_in(struct run *r, struct pair *p, tern_sock s)
{
	struct tern_iovec iov = { r->piece, sizeof(r->piece) };
	struct tern_msg m;
	struct letter *l;
	int64_t n;

	tern_msg_init(&m, &iov, 1);
	n = tern_recvmsg(r->st, s, &m, 0);
	if (n == -TERN_EAGAIN || n == -TERN_EBADF)
		return false;
	l = calloc(1, sizeof(*l));
	if (!l)
		return false;
	l->from = m.addr;
	l->local = m.local;
	l->ifindex = m.ifindex;
	l->ttl = m.ttl;
	l->tos = m.tos;
	l->at = m.at;
	l->flow_label = m.flow_label;
	l->path_mtu = m.flags & TERN_MSG_PATHMTU ? m.info : 0;
	l->error = n < 0 ? (int)-n : 0;
	l->len = n < 0 ? 0 : (uint32_t)n;
	p->so_error = l->error ? l->error : p->so_error;
	r->counts.bytes_received += l->len;
	return deliver(p, l, r->piece, l->len);
}

static bool bring_in_either(struct run *r, struct pair *p)
{
	return bring_in(r, p, p->s) || (!p->held && p->far && bring_in(r, p, p->far));
}

/* ---- from the program ---- */

/* An empty datagram and the end both read as nothing. */
static bool has_hung_up(const struct pair *p)
{
	struct pollfd f = { .fd = p->fd };

	return poll(&f, 1, 0) > 0 && (f.revents & POLLHUP);
}

/* One datagram that was written without a call that is stopped; false: no more for now. */
static bool take_out(struct run *r, struct pair *p)
{
	struct iovec iov = { r->piece, sizeof(r->piece) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	tern_sock s = far_or_near_of_peer(p);
	ssize_t n;

	if (!(tern_poll(r->st, s) & TERN_POLLOUT))
		return false;
	n = recvmsg(p->fd, &m, MSG_DONTWAIT);
	if (n < 0 || (n == 0 && has_hung_up(p)))
		return false;
	/* an error that waits is told first, of an earlier datagram; this one may go after it */
	if (tern_send(r->st, s, r->piece, (size_t)n, 0) < 0)
		tern_send(r->st, s, r->piece, (size_t)n, 0);
	r->counts.bytes_sent += (uint64_t)n;
	return true;
}

bool letters_flush(struct run *r, struct pair *p)
{
	for (int i = 0; i < 1024 && take_out(r, p); i++)
		continue;
	return tern_poll(r->st, far_or_near_of_peer(p)) & TERN_POLLOUT;
}

void letters_pump(struct run *r, struct pair *p)
{
	uint32_t events;

	if (p->gone || !p->s)
		return;
	events = letters_flush(r, p) ? EPOLLIN : 0;
	for (int i = 0; i < 256 && deliver_held(p) && bring_in_either(r, p); i++)
		continue;
	pair_watch(r, p, events | (p->held ? EPOLLOUT : 0));
}
