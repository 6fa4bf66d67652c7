/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_stream.c - reading, writing and readiness of stream sockets, with Linux's meaning.
 */
#include "sock_tcp.h"

/* ---- readiness ---- */

/* As Linux: while a third of the buffer, and memory, is free, and when writing would fail. */
bool sock_tcp_writable(const struct sock *s)
{
	const struct tcp *c = s->tcp;
	int allowed;

	if (tcp_is_calm(c) && !c->opt.notsent_lowat)
		return 3 * (uint64_t)tcp_room_of_open(c) >= c->opt.sndbuf && !s->starved;
	allowed = tcp_send_allowed(c);
	if (allowed < 0)
		return allowed != -TERN_EAGAIN;
	return 3 * (uint64_t)tcp_send_room(c) >= c->opt.sndbuf && !s->starved;
}

/* As Linux: so much as SO_RCVLOWAT says, or all that comes before some is read. */
static inline bool is_readable(const struct sock *s, const struct tcp *c, uint64_t n)
{
	return n >= s->rcvlowat || (n && c->rcv.nxt + c->adv_mss > c->rcv.adv);
}

unsigned sock_tcp_poll(const struct sock *s)
{
	const struct tcp *c = s->tcp;
	unsigned ready = 0;

	if (s->state == TERN_TCP_LISTEN)
		return (list_empty(&s->listener->ready) ? 0 : TERN_POLLIN) |
		       (s->urgent_news ? TERN_POLLPRI : 0);
	if (!c)
		return TERN_POLLOUT | TERN_POLLHUP;
	if (tcp_is_calm(c) && !s->error)
		return (is_readable(s, c, c->rcv.nxt - c->rcv_buf.head) ? TERN_POLLIN : 0) |
		       (sock_tcp_writable(s) ? TERN_POLLOUT : 0);
	if (s->error)
		ready |= TERN_POLLERR;
	if (c->state == TERN_TCP_SYN_SENT)
		return ready | (tcp_waits_for_text(c) ? TERN_POLLOUT : 0);
	if (c->state == TERN_TCP_SYN_RECEIVED && !c->fast_open)
		return ready;
	if (is_readable(s, c, tcp_recv_ready(c)) || tcp_recv_ended(c) || s->error)
		ready |= TERN_POLLIN;
	if (tcp_recv_ended(c))
		ready |= TERN_POLLRDHUP;
	if (c->rcv.up != TCP_NO_POS && c->rcv_buf.head < c->rcv.up && !c->oob_taken)
		ready |= TERN_POLLPRI;
	if (c->state == TERN_TCP_CLOSED || c->state == TERN_TCP_TIME_WAIT ||
	    (c->fin_queued && tcp_recv_ended(c)))
		ready |= TERN_POLLHUP;
	if (sock_tcp_writable(s))
		ready |= TERN_POLLOUT;
	return ready;
}

/* ---- writing ---- */

static int64_t send_pieces(struct sockets *ss, struct sock *s, const struct tern_iovec *iov,
			   size_t n_iov)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	int64_t total = 0;

	if (n_iov <= 1)
		return tcp_send(s->tcp, x, n_iov ? iov->base : NULL, n_iov ? iov->len : 0);
	for (size_t i = 0; i < n_iov; i++) {
		int64_t n = tcp_send(s->tcp, x, iov[i].base, iov[i].len);

		if (n < 0)
			return total ? total : n;
		total += n;
		if ((size_t)n < iov[i].len)
			break;
	}
	return total;
}

/* 0, or why nothing is taken. */
static inline int refusal(struct sock *s)
{
	if (s->state == TERN_TCP_LISTEN || !s->tcp)
		return -TERN_EPIPE;
	return s->error ? sock_take_error(s) : 0;
}

/* n: what tcp_send said */
static inline int64_t after_send(struct sockets *ss, struct sock *s, int64_t n, int flags)
{
	struct tcp *c = s->tcp;

	if (n <= 0)
		return n == -TERN_ENOBUFS ? sock_wait_for_memory(ss, s) : n;
	c->cork = c->opt.cork || (flags & TERN_MSG_MORE);
	if (flags & TERN_MSG_OOB)
		tcp_mark_urgent(c);
	s->writable = sock_tcp_writable(s);
	sock_tcp_given(ss, s);
	return n;
}

int64_t sock_tcp_send(struct sockets *ss, struct sock *s, const struct tern_iovec *iov,
		      size_t n_iov, int flags)
{
	int err = refusal(s);

	return err ? err : after_send(ss, s, send_pieces(ss, s, iov, n_iov), flags);
}

int64_t sock_tcp_send_plain(struct sockets *ss, struct sock *s, const void *data, size_t len)
{
	int err = refusal(s);

	return err ? err : after_send(ss, s, tcp_send(s->tcp, sock_ctx(ss), data, len), 0);
}

/* ---- reading ---- */

/* Of all that is due, reading changes only whether a new window is to be shown. */
void sock_tcp_after_read(struct sockets *ss, struct sock *s, uint8_t ack_due_before)
{
	if (s->tcp->ack_due != ack_due_before && s->t.in_table)
		sock_tcp_settle(ss, s, 0);
}

static COLD int64_t recv_urgent(struct sock *s, struct tern_msg *m, int flags)
{
	uint8_t byte;
	int n;

	if (s->tcp->opt.oob_inline)
		return -TERN_EINVAL;
	n = tcp_recv_urgent(s->tcp, &byte, (flags & TERN_MSG_PEEK) != 0);
	if (n < 0)
		return tcp_recv_ended(s->tcp) && n == -TERN_EAGAIN ? 0 : n;
	m->flags |= TERN_MSG_OOB;
	for (size_t i = 0; i < m->n_iov; i++) {
		if (m->iov[i].len) {
			*(uint8_t *)m->iov[i].base = byte;
			return 1;
		}
	}
	m->flags |= TERN_MSG_TRUNC;
	return 0;
}

static COLD int64_t peek_pieces(const struct sock *s, const struct tern_msg *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->n_iov; i++)
		total += tcp_peek(s->tcp, total, m->iov[i].base, m->iov[i].len);
	return (int64_t)total;
}

/* Until one is not filled: a read stops at the urgent mark. */
static int64_t recv_pieces(struct sock *s, const struct tcp_ctx *x, const struct tern_msg *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->n_iov; i++) {
		size_t n = tcp_recv(s->tcp, x, m->iov[i].base, m->iov[i].len);

		total += n;
		if (n < m->iov[i].len)
			break;
	}
	return (int64_t)total;
}

static int64_t recv_text(struct sockets *ss, struct sock *s, const struct tern_msg *m)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	uint8_t due = s->tcp->ack_due;
	int64_t n = m->n_iov == 1 ? (int64_t)tcp_recv(s->tcp, x, m->iov->base, m->iov->len) :
				    recv_pieces(s, x, m);

	sock_tcp_after_read(ss, s, due);
	return n;
}

static size_t room_in(const struct tern_msg *m)
{
	size_t room = 0;

	for (size_t i = 0; i < m->n_iov; i++)
		room += m->iov[i].len;
	return room;
}

int sock_tcp_nothing_read(struct sock *s)
{
	if (tcp_has_heard_all(s->tcp))
		return 0;
	if (s->error)
		return sock_take_error(s);
	return tcp_recv_ended(s->tcp) ? 0 : -TERN_EAGAIN;
}

int64_t sock_tcp_recv(struct sockets *ss, struct sock *s, struct tern_msg *m, int flags)
{
	int64_t n;

	if (flags & TERN_MSG_ERRQUEUE) /* a stream has none; asking takes no text */
		return -TERN_EAGAIN;
	if (s->state == TERN_TCP_LISTEN)
		return -TERN_ENOTCONN;
	if (!s->tcp)
		return flags & TERN_MSG_OOB ? -TERN_EINVAL : -TERN_ENOTCONN;
	m->at = ss->timers->now;
	if (flags & TERN_MSG_OOB)
		return recv_urgent(s, m, flags);
	n = flags & TERN_MSG_PEEK ? peek_pieces(s, m) : recv_text(ss, s, m);
	if (n > 0)
		return n;
	n = sock_tcp_nothing_read(s);
	if (n != -TERN_EAGAIN)
		return n;
	if (s->tcp->state == TERN_TCP_SYN_SENT || s->tcp->state == TERN_TCP_SYN_RECEIVED)
		return -TERN_EAGAIN;
	return room_in(m) ? -TERN_EAGAIN : 0;
}

/* There is no text: why not? */
static APART int64_t recv_nothing(struct sockets *ss, struct sock *s, void *buf, size_t len)
{
	struct tern_iovec iov = { buf, len };
	struct tern_msg m = { .iov = &iov, .n_iov = 1 };

	return sock_tcp_recv(ss, s, &m, 0);
}

int64_t sock_tcp_recv_plain(struct sockets *ss, struct sock *s, void *buf, size_t len)
{
	uint8_t due;
	size_t n;

	if (s->state == TERN_TCP_LISTEN || !s->tcp)
		return recv_nothing(ss, s, buf, len);
	due = s->tcp->ack_due;
	n = tcp_recv(s->tcp, sock_ctx(ss), buf, len);
	sock_tcp_after_read(ss, s, due);
	return n ? (int64_t)n : recv_nothing(ss, s, buf, len);
}
