/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join.c - moving bytes between a stream inside and one of the host's.
 *
 * Each direction lends spans of the stack's own buffers to one readv or writev: a byte is copied
 * once, by the host. Nothing is kept in between: what one side does not take stays where it is, and
 * the window of the other closes. The end of a direction is passed on as a FIN, after its last
 * byte; a reset ends both directions at once, as on a wire.
 *
 * A read or write that did less than it could have has emptied or filled the host's socket; the
 * next edge says when that has changed. Only after a hang-up is it asked once more, for the end.
 */
#define _GNU_SOURCE
#include "join.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SPANS = TERN_PKT_SPANS_MAX, SHARE = 256 << 10 };

void join_begin(struct join *j, tern_sock inner, int outer)
{
	*j = (struct join){ .inner = inner, .outer = outer };
	j->readable = j->writable = j->hung_up = true; /* edges have come before: ask for all */
}

void join_on_outer(struct join *j, uint32_t events)
{
	j->readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	j->writable |= (events & EPOLLOUT) != 0;
	j->hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	j->outer_reset |= (events & EPOLLERR) != 0;
}

static size_t to_iovec(const struct tern_span *span, int n, struct iovec *iov)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ span[i].ptr, span[i].len };
		len += span[i].len;
	}
	return len;
}

/* The inside said no. */
static enum join_state inner_says(int err)
{
	return err == -TERN_EAGAIN ? JOIN_GOING : JOIN_INNER_BROKE;
}

/* ---- outwards ---- */

static enum join_state end_outwards(struct join *j)
{
	shutdown(j->outer, SHUT_WR);
	j->out_ended = true;
	return JOIN_GOING;
}

/* One piece; JOIN_MORE: there may be another. */
static enum join_state write_piece(struct gateway *g, struct join *j, size_t *moved)
{
	struct tern_span span[SPANS];
	struct iovec iov[SPANS];
	struct msghdr m = { .msg_iov = iov };
	int n = tern_recv_data(g->st, j->inner, span, SPANS);
	size_t len;
	ssize_t done;

	if (n < 0)
		return inner_says(n);
	if (n == 0)
		return end_outwards(j);
	len = to_iovec(span, n, iov);
	m.msg_iovlen = (size_t)n;
	done = sendmsg(j->outer, &m, MSG_NOSIGNAL);
	if (done < 0 && errno != EAGAIN) {
		j->outer_reset = j->hung_up = j->readable = true;
		return JOIN_GOING;
	}
	if (done > 0) {
		tern_recv_consume(g->st, j->inner, (size_t)done);
		g->counts.bytes_out += (uint64_t)done;
		*moved += (size_t)done;
	}
	j->writable = done == (ssize_t)len;
	return j->writable ? JOIN_MORE : JOIN_GOING;
}

static enum join_state move_outwards(struct gateway *g, struct join *j)
{
	enum join_state state = JOIN_MORE;
	size_t moved = 0;

	while (state == JOIN_MORE && moved < SHARE && !j->out_ended) {
		if (!j->writable || j->outer_reset)
			return JOIN_GOING;
		state = write_piece(g, j, &moved);
	}
	return j->out_ended ? JOIN_GOING : state;
}

/* ---- inwards ---- */

static enum join_state end_inwards(struct gateway *g, struct join *j)
{
	j->readable = false;
	tern_shutdown(g->st, j->inner, TERN_SHUT_WR);
	j->in_ended = true;
	return JOIN_GOING;
}

static enum join_state read_piece(struct gateway *g, struct join *j, size_t *moved)
{
	struct tern_span span[SPANS];
	struct iovec iov[SPANS];
	int n = tern_send_space(g->st, j->inner, span, SPANS);
	size_t len;
	ssize_t done;

	if (n < 0)
		return inner_says(n);
	len = to_iovec(span, n, iov);
	done = readv(j->outer, iov, n);
	if (done < 0 && errno != EAGAIN)
		j->outer_reset = true;
	tern_send_commit(g->st, j->inner, done > 0 ? (size_t)done : 0, 0);
	if (done == 0)
		return end_inwards(g, j);
	if (done < 0) { /* nobody has hung up where a read would wait */
		j->readable = j->hung_up = false;
		return j->outer_reset ? JOIN_OUTER_BROKE : JOIN_GOING;
	}
	g->counts.bytes_in += (uint64_t)done;
	*moved += (size_t)done;
	j->readable = done == (ssize_t)len || j->hung_up;
	return j->readable ? JOIN_MORE : JOIN_GOING;
}

static enum join_state move_inwards(struct gateway *g, struct join *j)
{
	enum join_state state = JOIN_MORE;
	size_t moved = 0;

	while (state == JOIN_MORE && moved < SHARE && !j->in_ended) {
		if (!j->readable)
			return JOIN_GOING;
		state = read_piece(g, j, &moved);
	}
	return j->in_ended ? JOIN_GOING : state;
}

enum join_state join_move(struct gateway *g, struct join *j)
{
	enum join_state out, in;

	if (j->inner_reset)
		return JOIN_INNER_BROKE;
	out = move_outwards(g, j);
	if (out == JOIN_INNER_BROKE)
		return out;
	in = move_inwards(g, j);
	if (in == JOIN_INNER_BROKE || in == JOIN_OUTER_BROKE)
		return in;
	if (j->in_ended && j->out_ended)
		return JOIN_ENDED;
	if (j->in_ended && j->outer_reset)
		return JOIN_OUTER_BROKE;
	return out == JOIN_MORE || in == JOIN_MORE ? JOIN_MORE : JOIN_GOING;
}
