/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * letters.c - datagrams between a pair and the stack.
 *
 * A datagram that has come lies in the pair, so that poll, read and recv of the program find it
 * without a call that is stopped; where it came from is in a queue of ours. Which one a call takes
 * is known by the instant at which it was put there: the kernel keeps that beside it
 * (SO_TIMESTAMPNS), and shows it to nobody but us.
 *
 * What became of an earlier one (a port unreachable) is an error of the program's end: poll shows
 * it, and plain calls tell it, as ECONNRESET, which is the only error that the kernel makes there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"

/* More than a pair holds: what is older has been taken. */
enum { LETTERS_MAX = 1024 };

/* ---- the queue ---- */

static void append(struct pair *p, struct letter *l)
{
	*p->letters_end = l;
	p->letters_end = &l->next;
	if (++p->n_letters > LETTERS_MAX)
		letters_drop(p);
}

void letters_drop(struct pair *p)
{
	struct letter *l = p->letters;

	if (!l)
		return;
	p->letters = l->next;
	if (!p->letters)
		p->letters_end = &p->letters;
	p->n_letters--;
	free(l);
}

/* Those before it were taken by calls that are not stopped. */
struct letter *letters_find(struct pair *p, uint64_t put_at)
{
	struct letter *l = p->letters;

	while (l && (put_at < l->put_from || put_at > l->put_until))
		l = l->next;
	while (l && p->letters != l)
		letters_drop(p);
	return l;
}

void letters_fini(struct pair *p)
{
	while (p->letters)
		letters_drop(p);
	if (p->held)
		free(p->held->letter);
	free(p->held);
	p->held = NULL;
	cork_drop(&p->cork);
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

/* ---- errors ---- */

static int clear_error(int end)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(end, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static bool take_name(int end, struct sockaddr_un *name, socklen_t *len)
{
	*len = sizeof(*name);
	return getsockname(end, (struct sockaddr *)name, len) == 0;
}

/*
 * Our end leaves its peer with something unread: the kernel makes that an error of the peer, and
 * wakes who waits there. Then it comes back. What the program writes in between may be lost, as a
 * datagram may. The name by which our end finds back is no door: the program's end has a peer, so
 * that the kernel lets nobody else send to it (EPERM).
 */
static void show_error(struct run *r, struct pair *p)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(name.sun_family);
	int end = p->watch >= 0 ? tracee_end_of(r, p) : -1;

	p->error_shown = false;
	if (end < 0)
		return;
	letters_flush(r, p);
	if (bind(end, (struct sockaddr *)&name, len) == 0 && take_name(end, &name, &len)) {
		clear_error(end); /* the byte would be refused for it */
		p->error_shown = send(end, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
		connect(p->fd, &nobody, sizeof(nobody.sa_family));
		connect(p->fd, (struct sockaddr *)&name, len);
	}
	close(end);
}

static void note_error(struct run *r, struct pair *p, int error)
{
	p->so_error = error;
	show_error(r, p);
}

/* An error that waits would be told instead of sending. */
static void note_waiting_error(struct run *r, struct pair *p, tern_sock s)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	if (!(tern_poll(r->st, s) & TERN_POLLERR))
		return;
	tern_getsockopt(r->st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	if (err)
		note_error(r, p, err);
}

int letters_take_error(struct pair *p, int end)
{
	int err = p->so_error;

	if (!err)
		return 0;
	p->so_error = 0;
	return clear_error(end) || !p->error_shown ? err : 0;
}

/* ---- to the program ---- */

/* As the kernel stamps what is sent now. */
static uint64_t stamp_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * TERN_SEC + (uint64_t)t.tv_nsec;
}

/* false: the pair has no room, and the datagram waits. */
static bool deliver(struct pair *p, struct letter *l, const void *bytes, size_t len)
{
	l->put_from = stamp_now();
	if (send(p->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		l->put_until = stamp_now();
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
	if (n < 0) {
		note_error(r, p, (int)-n);
		return true;
	}
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
	r->counts.bytes_received += (uint64_t)n;
	return deliver(p, l, r->piece, (size_t)n);
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

/* The first bytes of r->piece, to the peer. */
static void send_out(struct run *r, struct pair *p, tern_sock s, size_t len)
{
	struct tern_iovec iov = { r->piece, len };
	struct tern_msg m;

	tern_msg_init(&m, &iov, 1);
	cork_send(&p->cork, r->st, s, &m, 0);
}

/* One datagram that was written without a call that is stopped; false: no more for now. */
static bool take_out(struct run *r, struct pair *p)
{
	struct iovec iov = { r->piece, sizeof(r->piece) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	tern_sock s = far_or_near(r, p, NULL);
	ssize_t n;

	note_waiting_error(r, p, s);
	if (!(tern_poll(r->st, s) & TERN_POLLOUT))
		return false;
	n = recvmsg(p->fd, &m, MSG_DONTWAIT);
	if (n < 0 || (n == 0 && has_hung_up(p)))
		return false;
	send_out(r, p, s, (size_t)n);
	r->counts.bytes_sent += (uint64_t)n;
	return true;
}

bool letters_flush(struct run *r, struct pair *p)
{
	for (int i = 0; i < 1024 && take_out(r, p); i++)
		continue;
	return tern_poll(r->st, far_or_near(r, p, NULL)) & TERN_POLLOUT;
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
