/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump.c - the bytes of a stream, and how it begins and ends, between a pair and the stack.
 *
 * What the program writes is read into the stack's own buffer when there is room; what has
 * arrived is taken from the stack only when the pair takes it, so that the window closes when
 * the program does not read. The states of a connection have to be put on an AF_UNIX socket:
 *
 * - Connecting: the program's end is full: not writable, and no error. Bytes that nobody means
 *   (junk) fill it, and are read again when the connection is open.
 * - FIN in: our end is shut for writing. FIN out: the program's shutdown, which is a call.
 * - RST in: our end is closed with unread bytes: the kernel makes that ECONNRESET.
 * - RST out: the program's end was closed with unread bytes, which our end reports; or the stack's
 *   socket lingers for 0 seconds.
 * - Urgent bytes in: they are sent as such into the pair, which stops reads at them and signals.
 *   Urgent bytes out do not come by the pair: calls_stream.c.
 * - Close: our end hangs up. It does so, too, when both directions are shut; then nothing is left
 *   to move, and the pair dies: a close after that cannot be seen. But where the program has shut
 *   both, the last close is seen as that of a datagram socket (closes.c), and the pair dies with
 *   the connection; where it cannot be seen, at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../loop/close.h"
#include "inside.h"

enum { SPANS_MAX = 8, ROUNDS_MAX = 32, JUNK_PIECE = 2048 };

static const int full_room = 131072, least_room = 1;

/* ---- connecting ---- */

static void drain(struct pair *p)
{
	char bytes[4096];

	while (recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
}

void pump_block(struct pair *p, int end)
{
	static const char junk[JUNK_PIECE];
	ssize_t n;

	drain(p); /* what was written before there was a connection */
	setsockopt(end, SOL_SOCKET, SO_SNDBUF, &least_room, sizeof(least_room));
	while ((n = send(end, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		p->junk += (size_t)n;
}

void pump_unblock(struct run *r, struct pair *p, int end)
{
	int own = end >= 0 ? -1 : tracee_end_of(r, p);
	char bytes[JUNK_PIECE];
	ssize_t n = 1;

	if (own >= 0)
		end = own;
	if (end >= 0) /* before it becomes writable: it is so at once, then */
		setsockopt(end, SOL_SOCKET, SO_SNDBUF, &full_room, sizeof(full_room));
	while (p->junk > 0 && n > 0) {
		size_t len = p->junk < sizeof(bytes) ? p->junk : sizeof(bytes);

		n = recv(p->fd, bytes, len, MSG_DONTWAIT);
		p->junk -= n > 0 ? (size_t)n : p->junk;
	}
	if (own >= 0)
		close(own);
}

void pump_open(struct run *r, struct pair *p, int end)
{
	p->state = PAIR_OPEN;
	pump_unblock(r, p, end);
	pump_stream(r, p);
}

void pump_refuse(struct run *r, struct pair *p, int error)
{
	int end = tracee_end_of(r, p);
	bool watched = end >= 0;

	/* either way it is closed with the junk unread */
	pair_drop_end(r, p);
	watched = watched && closes_watch(r, p, end);
	if (end >= 0)
		close(end);
	p->so_error = error;
	p->state = PAIR_REFUSED;
	if (!watched) /* else it may be used again, until the last copy is closed */
		pair_die(r, p, error);
}

/* ---- the end by RST ---- */

int pump_untaken(const struct pair *p)
{
	int n = 0;

	return ioctl(p->fd, FIONREAD, &n) == 0 ? n : 0;
}

static void reset_child(struct run *r, struct pair *p)
{
	int end;

	if (p->in_ended) { /* it has seen the end: a write fails, nothing else */
		drain(p);
	} else if (pump_untaken(p) == 0 && !p->child_shut_wr) {
		end = tracee_end_of(r, p);
		if (end >= 0) {
			send(end, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
			close(end);
		}
	}
	pair_die(r, p, p->broken);
}

/* ---- from the program to the stack ---- */

/* false: our end was closed with unread bytes at the other, a RST. */
static bool has_closed_in_order(const struct pair *p)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != ECONNRESET;
}

/* Would the stack discard by a RST what it has not sent yet? */
static bool would_discard(struct run *r, const struct pair *p, bool in_order)
{
	if (!p->s || p->broken)
		return false;
	return in_order ? close_discards(r->st, p->s) : stream_holds(r->st, p->s, TERN_SO_SIOCOUTQ);
}

/*
 * Linux has sent what was written when write returned. Here the devices have their turn between
 * two of ours: our end, which has been hung up, is news once more in the next.
 */
static void reset_next_turn(struct run *r, struct pair *p)
{
	p->to_reset = tern_now(r->st);
	p->hung_up = false;
	pair_watch(r, p, 0);
}

static void close_stream(struct run *r, struct pair *p, bool in_order)
{
	if (!p->to_reset && would_discard(r, p, in_order)) {
		reset_next_turn(r, p);
		if (p->in_set)
			return;
	}
	if ((!in_order || p->to_reset) && p->s) {
		tern_abort(r->st, p->s);
		p->s = 0;
	}
	pair_end(r, p);
}

/* The program's end says no more. */
static void end_out(struct run *r, struct pair *p)
{
	if (!p->child_shut_wr) { /* nothing but the last close does that */
		close_stream(r, p, has_closed_in_order(p));
		return;
	}
	p->out_ended = true;
	tern_shutdown(r->st, p->s, TERN_SHUT_WR);
	if (p->closed)
		close_stream(r, p, has_closed_in_order(p));
}

static void note_send_error(struct pair *p, int error)
{
	p->stack_full = true;
	if (error != TERN_EAGAIN && !p->broken)
		p->broken = error;
}

/* One piece; false: no more for now. */
static bool move_out(struct run *r, struct pair *p)
{
	struct tern_span span[SPANS_MAX];
	struct iovec iov[SPANS_MAX];
	struct msghdr m = { .msg_iov = iov };
	int n = tern_send_space(r->st, p->s, span, SPANS_MAX);
	bool was_reset;
	ssize_t got;

	if (n <= 0) {
		note_send_error(p, n < 0 ? -n : TERN_EAGAIN);
		return false;
	}
	p->stack_full = false;
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ span[i].ptr, span[i].len };
	m.msg_iovlen = (size_t)n;
	got = recvmsg(p->fd, &m, MSG_DONTWAIT);
	was_reset = got < 0 && errno == ECONNRESET;
	/* what was lent goes back also when nothing came, or every silent stream would keep it */
	p->more_comes = p->more_comes && got <= 0;
	tern_send_commit(r->st, p->s, got > 0 ? (size_t)got : 0, p->more_comes ? TERN_MSG_MORE : 0);
	if (got > 0) {
		r->counts.bytes_sent += (uint64_t)got;
		return true;
	}
	if (got == 0)
		end_out(r, p);
	else if (was_reset)
		close_stream(r, p, false);
	return false;
}

/* ---- from the stack to the program ---- */

static void end_in(struct run *r, struct pair *p, int n)
{
	if (n < 0) {
		p->broken = -n;
		return;
	}
	(void)r;
	p->in_ended = true;
	shutdown(p->fd, SHUT_WR);
}

void pump_keep_inline(struct run *r, tern_sock s)
{
	static const int32_t on = 1;

	tern_setsockopt(r->st, s, TERN_SOL_SOCKET, TERN_SO_OOBINLINE, &on, sizeof(on));
}

/* Is the next byte the last of urgent data? */
static bool is_at_mark(struct run *r, const struct pair *p)
{
	int32_t at = 0;
	size_t len = sizeof(at);

	return (tern_poll(r->st, p->s) & TERN_POLLPRI) &&
	       tern_getsockopt(r->st, p->s, TERN_SOL_SOCKET, TERN_SO_ATMARK, &at, &len) == 0 && at;
}

/* As urgent as it is; before 5.15 the kernel has nothing urgent in such a socket. */
static ssize_t hand_in(const struct pair *p, const struct msghdr *m, bool urgent)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t sent = urgent ? sendmsg(p->fd, m, flags | MSG_OOB) : -1;

	return urgent && (sent >= 0 || errno != EOPNOTSUPP) ? sent : sendmsg(p->fd, m, flags);
}

static bool move_in(struct run *r, struct pair *p)
{
	struct tern_span span[SPANS_MAX];
	struct iovec iov[SPANS_MAX];
	struct msghdr m = { .msg_iov = iov };
	bool urgent = is_at_mark(r, p);
	int n = tern_recv_data(r->st, p->s, span, SPANS_MAX);
	ssize_t len = 0, sent;

	p->child_full = false;
	if (urgent && n > 0)
		span[0].len = n = 1;
	if (n <= 0) {
		if (n != -TERN_EAGAIN)
			end_in(r, p, n);
		return false;
	}
	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ span[i].ptr, span[i].len };
		len += (ssize_t)span[i].len;
	}
	m.msg_iovlen = (size_t)n;
	sent = hand_in(p, &m, urgent);
	if (sent < 0 && errno == EPIPE && p->child_shut_rd)
		sent = len; /* it does not want it */
	if (sent < 0) {
		p->child_full = errno == EAGAIN;
		return false;
	}
	tern_recv_consume(r->st, p->s, (size_t)sent);
	r->counts.bytes_received += (uint64_t)sent;
	return true;
}

/* ---- both ---- */

/*
 * All is said both ways. Whoever has shut both itself still has a peer, until that has shut, too,
 * or has gone; its close is seen by a watch.
 */
static bool is_finished(const struct run *r, const struct pair *p)
{
	struct tern_addr peer;

	if (!p->out_ended || !(p->in_ended || p->child_shut_rd))
		return false;
	return p->watch < 0 || tern_getpeername(r->st, p->s, &peer) != 0;
}

static void note_late_reset(struct run *r, struct pair *p)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	if (!p->in_ended || p->broken || !(tern_poll(r->st, p->s) & TERN_POLLERR))
		return;
	tern_getsockopt(r->st, p->s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	p->broken = err;
}

void pump_stream(struct run *r, struct pair *p)
{
	int rounds;

	if (p->state != PAIR_OPEN || p->gone || p->to_reset)
		return;
	for (rounds = 0; !p->in_ended && !p->closed && !p->broken; rounds++) {
		if (rounds == ROUNDS_MAX)
			p->child_full = true; /* it is not, but others have their turn */
		if (rounds == ROUNDS_MAX || !move_in(r, p))
			break;
	}
	note_late_reset(r, p);
	/* whoever is not watched any longer is not asked again */
	for (rounds = 0; !p->out_ended && (p->hung_up || rounds < ROUNDS_MAX); rounds++) {
		if (!move_out(r, p))
			break;
		if (p->gone)
			return;
	}
	if (p->gone || p->to_reset)
		return;
	if (p->broken && p->closed) {
		pair_end(r, p);
		return;
	}
	if (p->broken && !p->child_full) {
		reset_child(r, p);
		return;
	}
	if (is_finished(r, p)) {
		pair_die(r, p, 0);
		return;
	}
	pair_watch(r, p,
		   (!p->out_ended && !p->stack_full ? EPOLLIN : 0) |
			   (p->child_full ? EPOLLOUT : 0));
}

void pump_hangup(struct run *r, struct pair *p)
{
	if (p->type != SOCK_STREAM)
		letters_flush(r, p);
	if (p->state != PAIR_OPEN) {
		pair_end(r, p);
		return;
	}
	if (p->to_reset) {
		if (p->to_reset != tern_now(r->st)) /* the devices have had theirs */
			close_stream(r, p, false);
		return;
	}
	pair_unwatch(r, p);
	p->hung_up = true;
	p->closed |= !(p->child_shut_wr && (p->in_ended || p->child_shut_rd));
	if (p->closed && p->out_ended) {
		close_stream(r, p, has_closed_in_order(p));
		return;
	}
	pump_stream(r, p);
	/* a RST does not wait until there is room for what comes before it */
	if (!p->gone && p->closed && p->stack_full && !has_closed_in_order(p))
		close_stream(r, p, false);
}

void pump_shut(struct run *r, struct pair *p, int end, int how)
{
	p->child_shut_wr |= how != SHUT_RD;
	p->child_shut_rd |= how != SHUT_WR;
	shutdown(end, how);
	if (how != SHUT_WR)
		tern_shutdown(r->st, p->s, TERN_SHUT_RD);
	if (p->child_shut_wr && p->child_shut_rd && p->watch < 0)
		closes_watch(r, p, end);
	pump_stream(r, p);
	call_look_again(r, p);
}
