/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_stream.c - the calls on a stream that are stopped though they move bytes.
 *
 * Without an address and without flags the kernel moves them into the pair. An address means
 * nothing to TCP, and something to an AF_UNIX socket: such a call is carried out on a copy of the
 * descriptor, without it; so is each message of a sendmmsg. What the flags ask for (MSG_OOB,
 * MSG_MORE, MSG_FASTOPEN) the stack alone can do: those bytes go to it at once, behind all that
 * lies in the pair.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "inside.h"

static uint64_t length_of(const struct order *o)
{
	uint64_t len = 0;

	for (int i = 0; i < o->n_iov; i++)
		len += o->iov[i].iov_len;
	return len;
}

/* What an earlier look has done is done. */
static void skip(struct order *o, uint64_t done)
{
	for (int i = 0; i < o->n_iov && done > 0; i++) {
		size_t part = o->iov[i].iov_len < done ? o->iov[i].iov_len : (size_t)done;

		o->iov[i].iov_base = (char *)o->iov[i].iov_base + part;
		o->iov[i].iov_len -= part;
		done -= part;
	}
}

/* ---- sending ---- */

/* Later, or as much as went. */
static int64_t wait_or(const struct call *c, const struct order *o)
{
	if (call_blocks(c, o->flags))
		return CALL_WAIT_SEND;
	return c->done ? (int64_t)c->done : -EAGAIN;
}

/*
 * The kernel has a signal, too, for who writes after a shutdown; of a call that is carried out
 * here it comes from us. Before 5.19 (filter.c) it would undo the call, which would begin again and
 * raise another, for ever: there none comes.
 */
static int64_t tell_broken_pipe(const struct run *r, const struct call *c, const struct order *o)
{
	if (!(o->flags & MSG_NOSIGNAL) && r->can_restart)
		tracee_signal(r, c, SIGPIPE);
	return -EPIPE;
}

static int64_t send_into_pair(struct run *r, struct call *c, struct order *o)
{
	ssize_t sent;
	int64_t n;

	skip(o, c->done);
	do {
		n = tracee_gather(c, o->iov, o->n_iov, r->piece, sizeof(r->piece));
		if (n < 0)
			return c->done ? (int64_t)c->done : n;
		sent = send(c->dup, r->piece, (size_t)n, o->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return wait_or(c, o);
		if (sent < 0 && c->done)
			return (int64_t)c->done;
		if (sent < 0)
			return errno == EPIPE ? tell_broken_pipe(r, c, o) : -errno;
		skip(o, (uint64_t)sent);
		c->done += (uint64_t)sent;
	} while (length_of(o) > 0);
	return (int64_t)c->done;
}

/* What has gone, or the error that the pair has for who writes now. */
static int64_t part_or_error(struct run *r, struct call *c, struct order *o)
{
	return c->done ? (int64_t)c->done : send_into_pair(r, c, o);
}

/* One piece; the last alone bears the urgent mark, and only behind it there may be no more. */
static int64_t send_piece(struct run *r, struct call *c, const struct order *o, uint64_t left)
{
	int64_t n = tracee_gather(c, o->iov, o->n_iov, r->piece, sizeof(r->piece));
	int flags = (uint64_t)n < left ? MSG_MORE : o->flags & (MSG_MORE | MSG_OOB);

	if (n >= 0)
		n = tern_send(r->st, c->pair->s, r->piece, (size_t)n, flags);
	if (n >= 0)
		c->pair->more_comes = flags & MSG_MORE;
	return n;
}

static int64_t send_by_stack(struct run *r, struct call *c, struct order *o)
{
	struct pair *p = c->pair;
	uint64_t left;
	int64_t n;

	pump_stream(r, p);
	if (p->state != PAIR_OPEN || p->gone || p->child_shut_wr)
		return part_or_error(r, c, o);
	if (pump_untaken(p) > 0)
		return wait_or(c, o);
	skip(o, c->done);
	for (left = length_of(o); left > 0; left -= (uint64_t)n) {
		n = send_piece(r, c, o, left);
		if (n == -TERN_EAGAIN)
			return wait_or(c, o);
		if (n == -TERN_EFAULT)
			return c->done ? (int64_t)c->done : n;
		if (n < 0) {
			p->broken = (int)-n;
			pump_stream(r, p);
			return part_or_error(r, c, o);
		}
		skip(o, (uint64_t)n);
		c->done += (uint64_t)n;
		r->counts.bytes_sent += (uint64_t)n;
	}
	return (int64_t)c->done;
}

/* RFC 7413: the connect is in it. */
static int64_t open_with_text(struct run *r, struct call *c, struct order *o)
{
	struct tern_iovec iov = { r->piece, 0 };
	struct tern_addr to;
	struct tern_msg m;
	int64_t n;
	int err;

	if (!o->name)
		return -EDESTADDRREQ;
	err = address_read(c, o->name, o->name_len, c->pair->family, &to);
	if (err)
		return err;
	n = tracee_gather(c, o->iov, o->n_iov, r->piece, sizeof(r->piece));
	if (n < 0)
		return n;
	iov.len = (size_t)n;
	tern_msg_init(&m, &iov, 1);
	err = connect_prepare(r, c->pair, &to, &m.addr);
	n = err ? err : tern_sendmsg(r->st, c->pair->s, &m, TERN_MSG_FASTOPEN);
	if (n < 0 && n != -TERN_EINPROGRESS)
		return n;
	connect_begins(c, &to, &m.addr);
	c->done = n > 0 ? (uint64_t)n : 0;
	r->counts.bytes_sent += c->done;
	if (call_blocks(c, o->flags))
		return CALL_WAIT_SEND;
	return n;
}

/* Again, of one that waits for its connection. */
static int64_t go_on_with_text(struct run *r, struct call *c, struct order *o)
{
	int err = c->pair->so_error;

	if (c->pair->state == PAIR_CONNECTING)
		return CALL_WAIT_SEND;
	if (c->pair->state == PAIR_OPEN) {
		c->pair->told_connected = true;
		return send_by_stack(r, c, o);
	}
	c->pair->so_error = 0;
	return err ? -err : -EPIPE;
}

/* Can the kernel carry it out as it is? Not one of several messages: the call is one. */
static bool is_plain(const struct call *c, const struct order *o)
{
	return !o->name && c->nr != SYS_sendmmsg;
}

int64_t stream_send(struct run *r, struct call *c, struct order *o)
{
	struct pair *p = c->pair;

	if (o->flags & MSG_FASTOPEN) {
		if (c->again && !c->messages)
			return go_on_with_text(r, c, o);
		if (p->state == PAIR_FRESH)
			return open_with_text(r, c, o);
		if (p->state != PAIR_OPEN)
			return p->state == PAIR_CONNECTING ? -EALREADY : -EPIPE;
		return -EISCONN;
	}
	if (p->state == PAIR_FRESH || p->state == PAIR_LISTENING)
		return is_plain(c, o) ? CALL_CONTINUE : tell_broken_pipe(r, c, o);
	if (p->state == PAIR_OPEN && (o->flags & (MSG_OOB | MSG_MORE)))
		return send_by_stack(r, c, o);
	return is_plain(c, o) ? CALL_CONTINUE : send_into_pair(r, c, o);
}

/* ---- receiving ---- */

/* Has a shutdown ended its connect, and has a call told so? */
static bool is_told_that_it_gave_up(const struct call *c)
{
	struct pollfd f = { .fd = c->dup };

	return c->pair->state == PAIR_REFUSED && c->pair->gave_up && poll(&f, 1, 0) >= 0 &&
	       !(f.revents & POLLERR);
}

static bool is_without_peer(const struct call *c)
{
	return c->pair->state == PAIR_FRESH || c->pair->state == PAIR_LISTENING ||
	       is_told_that_it_gave_up(c);
}

/*
 * A pair would let it wait, or give it what lies there to show that a caller waits. Receives of one
 * octet are stopped for this alone: so programs ask whether they may have a peer (Python's ssl).
 */
bool stream_lacks_peer(const struct call *c)
{
	bool receives = c->nr == SYS_recvfrom || c->nr == SYS_recvmsg || c->nr == SYS_recvmmsg;
	int flags = (int)c->args[c->nr == SYS_recvmsg ? 2 : 3];

	return receives && !(flags & (MSG_OOB | MSG_ERRQUEUE)) && c->pair->type == SOCK_STREAM &&
	       is_without_peer(c);
}

/* MSG_TRUNC: how much there is, and it is thrown away unless MSG_PEEK is there, too. */
static int64_t discard(struct run *r, struct call *c, const struct order *o)
{
	int flags = o->flags & ~(MSG_TRUNC | MSG_WAITALL);
	bool all = (o->flags & MSG_WAITALL) && !(o->flags & MSG_PEEK);
	uint64_t len = length_of(o);
	ssize_t n = 1;

	while (c->done < len && n > 0) {
		uint64_t left = len - c->done;

		n = recv(c->dup, r->piece, left < sizeof(r->piece) ? left : sizeof(r->piece),
			 flags | MSG_DONTWAIT);
		c->done += n > 0 ? (uint64_t)n : 0;
		if (flags & MSG_PEEK)
			break;
	}
	if (n < 0 && errno == EAGAIN && (all || c->done == 0) && call_blocks(c, o->flags))
		return CALL_WAIT_RECV;
	return n < 0 && c->done == 0 ? -errno : (int64_t)c->done;
}

int64_t stream_recv(struct run *r, struct call *c, const struct order *o)
{
	if (o->flags & MSG_ERRQUEUE) /* a stream has none, and asking takes no bytes */
		return -EAGAIN;
	pump_stream(r, c->pair);
	return discard(r, c, o);
}
