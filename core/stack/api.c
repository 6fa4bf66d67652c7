/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api.c - the socket calls of tern.h: handle to socket, then the function that means it.
 */
#include "stack.h"

static struct sock *sock_of(struct tern_stack *st, tern_sock handle)
{
	return sock_by_handle(&st->ss, handle);
}

TERN_API int tern_socket(struct tern_stack *st, int family, int type, int protocol, tern_sock *out)
{
	struct sock *s;
	int err = sock_new(&st->ss, family, type, protocol, &s);

	if (err)
		return err;
	err = sock_give_slot(&st->ss, s);
	if (err) {
		sock_free(&st->ss, s);
		return err;
	}
	*out = sock_handle(&st->ss, s);
	return 0;
}

TERN_API int tern_bind(struct tern_stack *st, tern_sock handle, const struct tern_addr *addr)
{
	struct sock *s = sock_of(st, handle);

	return s ? sock_bind(&st->ss, s, addr) : -TERN_EBADF;
}

/* AF_UNSPEC on a stream gives the connection up, as on Linux; what is over, it forgets. */
static COLD int disconnect_stream(struct tern_stack *st, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);

	if (s->state == TERN_TCP_LISTEN || !s->tcp)
		return 0;
	if (!s->t.in_table && !s->tcp->rst_due) {
		sock_tcp_start_afresh(&st->ss, s);
		return 0;
	}
	if (s->state == TERN_TCP_CLOSED) /* its RST is still to go */
		return 0;
	tcp_abort(s->tcp, x, 0);
	sock_tcp_settle(&st->ss, s, TCP_ENDED);
	return 0;
}

/* Where a stream is to be opened to. 0 or a negative error. */
static int remote_of(struct sock *s, const struct tern_addr *to, struct addr *remote)
{
	int err = sock_addr_in(s, to, remote);

	if (err)
		return err;
	if (to->scope_id && addr_needs_scope(remote) && !s->bound_ifindex)
		s->bound_ifindex = (uint16_t)to->scope_id;
	if (s->state == TERN_TCP_CLOSED)
		sock_take_label(s, to);
	return to->port == 0 ? -TERN_ECONNREFUSED : 0;
}

TERN_API int tern_connect(struct tern_stack *st, tern_sock handle, const struct tern_addr *to)
{
	struct sock *s = sock_of(st, handle);
	struct addr remote;
	int err;

	if (!s)
		return -TERN_EBADF;
	if (!sock_is_stream(s))
		return sock_dgram_connect(&st->ss, s, to);
	if (to->family == TERN_AF_UNSPEC)
		return disconnect_stream(st, s);
	err = sock_tcp_may_open(&st->ss, s);
	if (!err)
		err = remote_of(s, to, &remote);
	return err ? err : sock_tcp_connect(&st->ss, s, &remote, to->port);
}

TERN_API int tern_listen(struct tern_stack *st, tern_sock handle, int backlog)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	return sock_is_stream(s) ? sock_tcp_listen(&st->ss, s, backlog) : -TERN_EOPNOTSUPP;
}

TERN_API int tern_accept(struct tern_stack *st, tern_sock handle, tern_sock *out,
			 struct tern_addr *peer)
{
	struct sock *s = sock_of(st, handle), *child;
	int err;

	if (!s)
		return -TERN_EBADF;
	if (!sock_is_stream(s))
		return -TERN_EOPNOTSUPP;
	err = sock_tcp_accept(&st->ss, s, &child);
	if (err)
		return err;
	*out = sock_handle(&st->ss, child);
	if (peer)
		sock_addr_out(child, &child->t.remote, child->t.rport, peer);
	return 0;
}

TERN_API void tern_msg_init(struct tern_msg *m, const struct tern_iovec *iov, size_t n_iov)
{
	memset(m, 0, sizeof(*m));
	m->iov = iov;
	m->n_iov = n_iov;
	m->ttl = m->tos = -1;
}

/* MSG_FASTOPEN opens it first. */
static int64_t send_stream(struct tern_stack *st, struct sock *s, const struct tern_msg *m,
			   int flags)
{
	bool has_text = false;
	struct addr remote;
	int err;

	if (flags & TERN_MSG_FASTOPEN) {
		err = remote_of(s, &m->addr, &remote);
		for (size_t i = 0; i < m->n_iov; i++)
			has_text = has_text || m->iov[i].len > 0;
		if (!err)
			err = sock_tcp_open_with(&st->ss, s, &remote, m->addr.port, has_text);
		if (err)
			return err;
	}
	return sock_tcp_send(&st->ss, s, m->iov, m->n_iov, flags);
}

TERN_API int64_t tern_sendmsg(struct tern_stack *st, tern_sock handle, const struct tern_msg *m,
			      int flags)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	return sock_is_stream(s) ? send_stream(st, s, m, flags) :
				   sock_dgram_send(&st->ss, s, m, flags);
}

TERN_API int64_t tern_send(struct tern_stack *st, tern_sock handle, const void *data, size_t len,
			   int flags)
{
	struct sock *s = sock_of(st, handle);

	if (s && flags == 0 && sock_is_stream(s))
		return sock_tcp_send_plain(&st->ss, s, data, len);
	return tern_sendto(st, handle, data, len, flags, NULL);
}

TERN_API int64_t tern_sendto(struct tern_stack *st, tern_sock handle, const void *data, size_t len,
			     int flags, const struct tern_addr *to)
{
	/* tern_iovec serves both directions; sending only reads through it */
	union {
		const void *in;
		void *out;
	} base = { .in = data };
	struct tern_iovec iov = { base.out, len };
	struct sock *s = sock_of(st, handle);
	struct tern_msg m;

	if (!s)
		return -TERN_EBADF;
	if (sock_is_stream(s) && !(flags & TERN_MSG_FASTOPEN))
		return sock_tcp_send(&st->ss, s, &iov, 1, flags);
	tern_msg_init(&m, &iov, 1);
	if (to)
		m.addr = *to;
	return sock_is_stream(s) ? send_stream(st, s, &m, flags) :
				   sock_dgram_send(&st->ss, s, &m, flags);
}

TERN_API int64_t tern_recvmsg(struct tern_stack *st, tern_sock handle, struct tern_msg *m,
			      int flags)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	m->flags = 0;
	m->addr.family = TERN_AF_UNSPEC;
	return sock_is_stream(s) ? sock_tcp_recv(&st->ss, s, m, flags) :
				   sock_dgram_recv(&st->ss, s, m, flags);
}

TERN_API int64_t tern_recv(struct tern_stack *st, tern_sock handle, void *buf, size_t len,
			   int flags)
{
	struct sock *s = sock_of(st, handle);

	if (s && flags == 0 && sock_is_stream(s))
		return sock_tcp_recv_plain(&st->ss, s, buf, len);
	return tern_recvfrom(st, handle, buf, len, flags, NULL);
}

TERN_API int64_t tern_recvfrom(struct tern_stack *st, tern_sock handle, void *buf, size_t len,
			       int flags, struct tern_addr *from)
{
	struct tern_iovec iov = { buf, len };
	struct sock *s = sock_of(st, handle);
	struct tern_msg m;
	int64_t n;

	if (s && sock_is_stream(s) && !from) { /* the fields that a stream looks at */
		m.iov = &iov;
		m.n_iov = 1;
		m.flags = 0;
		return sock_tcp_recv(&st->ss, s, &m, flags);
	}
	tern_msg_init(&m, &iov, 1);
	n = tern_recvmsg(st, handle, &m, flags);
	if (from)
		*from = m.addr;
	return n;
}

/* ---- in place ---- */

static int stream_of(struct tern_stack *st, tern_sock handle, struct sock **out)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	if (!sock_is_stream(s))
		return -TERN_EOPNOTSUPP;
	if (s->state == TERN_TCP_LISTEN || !s->tcp)
		return -TERN_ENOTCONN;
	*out = s;
	return 0;
}

TERN_API int tern_send_space(struct tern_stack *st, tern_sock handle, struct tern_span *out,
			     int max)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct sock *s;
	int n, err = stream_of(st, handle, &s);

	if (err)
		return err;
	if (s->error)
		return sock_take_error(s);
	if (max <= 0)
		return -TERN_EINVAL;
	n = tcp_send_space(s->tcp, x, out, max);
	return n == -TERN_ENOBUFS ? sock_wait_for_memory(&st->ss, s) : n;
}

TERN_API int tern_send_commit(struct tern_stack *st, tern_sock handle, size_t len, int flags)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct sock *s;
	int err = stream_of(st, handle, &s);

	if (err)
		return err;
	err = tcp_send_commit(s->tcp, x, len);
	if (err)
		return err;
	s->tcp->cork = s->tcp->opt.cork || (flags & TERN_MSG_MORE);
	if ((flags & TERN_MSG_OOB) && len)
		tcp_mark_urgent(s->tcp);
	s->writable = sock_tcp_writable(s);
	sock_tcp_given(&st->ss, s);
	return 0;
}

TERN_API int tern_recv_data(struct tern_stack *st, tern_sock handle, struct tern_span *out, int max)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct sock *s;
	int n, err = stream_of(st, handle, &s);

	if (err)
		return err;
	n = tcp_recv_data(s->tcp, x, out, max);
	if (n > 0)
		return n;
	return sock_tcp_nothing_read(s);
}

TERN_API int tern_recv_consume(struct tern_stack *st, tern_sock handle, size_t len)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct sock *s;
	int err = stream_of(st, handle, &s);
	uint8_t due;

	if (err)
		return err;
	due = s->tcp->ack_due;
	err = tcp_recv_consume(s->tcp, x, len);
	sock_tcp_after_read(&st->ss, s, due);
	return err;
}

/* ---- ending, names, options, readiness ---- */

TERN_API int tern_shutdown(struct tern_stack *st, tern_sock handle, int how)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	return sock_is_stream(s) ? sock_tcp_shutdown(&st->ss, s, how) :
				   sock_dgram_shutdown(&st->ss, s, how);
}

static int end_handle(struct tern_stack *st, tern_sock handle, bool abort)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	if (sock_is_stream(s))
		sock_tcp_close(&st->ss, s, abort);
	else
		sock_dgram_close(&st->ss, s);
	return 0;
}

TERN_API int tern_close(struct tern_stack *st, tern_sock handle)
{
	return end_handle(st, handle, false);
}

TERN_API int tern_abort(struct tern_stack *st, tern_sock handle)
{
	return end_handle(st, handle, true);
}

TERN_API int tern_getsockname(struct tern_stack *st, tern_sock handle, struct tern_addr *out)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	sock_addr_out(s, &s->t.local, s->t.lport, out);
	return 0;
}

TERN_API int tern_getpeername(struct tern_stack *st, tern_sock handle, struct tern_addr *out)
{
	struct sock *s = sock_of(st, handle);
	bool connected;

	if (!s)
		return -TERN_EBADF;
	connected = s->connected;
	if (sock_is_stream(s)) /* in TIME-WAIT it is over, as on Linux */
		connected = s->state >= TERN_TCP_ESTABLISHED && s->state != TERN_TCP_TIME_WAIT;
	if (!connected)
		return -TERN_ENOTCONN;
	sock_addr_out(s, &s->t.remote, s->t.rport, out);
	if (s->sends_label && s->label_given)
		out->flow_label = s->flow_label;
	return 0;
}

TERN_API int tern_setsockopt(struct tern_stack *st, tern_sock handle, int level, int name,
			     const void *value, size_t len)
{
	struct sock *s = sock_of(st, handle);

	return s ? sock_setopt(&st->ss, s, level, name, value, len) : -TERN_EBADF;
}

TERN_API int tern_getsockopt(struct tern_stack *st, tern_sock handle, int level, int name,
			     void *value, size_t *len)
{
	struct sock *s = sock_of(st, handle);

	return s ? sock_getopt(&st->ss, s, level, name, value, len) : -TERN_EBADF;
}

TERN_API unsigned tern_poll(struct tern_stack *st, tern_sock handle)
{
	struct sock *s = sock_of(st, handle);

	return s ? sock_poll(s) : TERN_POLLERR | TERN_POLLHUP;
}

/* By a sum of enum sock_news. */
enum {
	BITS_IN = TERN_POLLIN | TERN_POLLPRI,
	BITS_OUT = TERN_POLLOUT,
	BITS_ENDS = TERN_POLLERR | TERN_POLLHUP | TERN_POLLRDHUP
};
static const uint16_t bits_of_news[NEWS_ALL + 1] = {
	[NEWS_IN] = BITS_IN,
	[NEWS_OUT] = BITS_OUT,
	[NEWS_IN | NEWS_OUT] = BITS_IN | BITS_OUT,
	[NEWS_ENDS] = BITS_ENDS,
	[NEWS_ENDS | NEWS_IN] = BITS_ENDS | BITS_IN,
	[NEWS_ENDS | NEWS_OUT] = BITS_ENDS | BITS_OUT,
	[NEWS_ALL] = BITS_ENDS | BITS_IN | BITS_OUT,
};

static APART void take_event(struct tern_stack *st, struct tern_event *ev)
{
	struct sock *s = CONTAINER_OF(list_take(&st->ss.news), struct sock, news_link);

	ev->sock = sock_handle(&st->ss, s);
	ev->ready = sock_poll(s);
	ev->news = bits_of_news[s->news];
	s->news = 0;
	ev->user = s->user;
}

TERN_API bool tern_event(struct tern_stack *st, struct tern_event *ev)
{
	if (list_empty(&st->ss.news))
		return false;
	take_event(st, ev);
	return true;
}

TERN_API bool tern_event_ready(const struct tern_stack *st)
{
	return !list_empty(&st->ss.news);
}

TERN_API int tern_set_user(struct tern_stack *st, tern_sock handle, void *user)
{
	struct sock *s = sock_of(st, handle);

	if (!s)
		return -TERN_EBADF;
	s->user = user;
	return 0;
}

TERN_API int tern_pending_next(struct tern_stack *st, tern_sock listener, struct tern_pending *out)
{
	struct sock *s = sock_of(st, listener);

	return s ? sock_pending_next(&st->ss, s, out) : -TERN_EBADF;
}

TERN_API int tern_pending_answer(struct tern_stack *st, tern_sock listener, uint64_t id,
				 int verdict)
{
	struct sock *s = sock_of(st, listener);
	struct tcp_reply reply;
	int err;

	if (!s)
		return -TERN_EBADF;
	err = sock_pending_answer(&st->ss, s, id, verdict, &reply);
	if (!err && reply.due)
		stack_send_reply(st, &reply);
	return err;
}

TERN_API int tern_cc_register(struct tern_stack *st, const struct tern_cc_ops *ops)
{
	return cc_register(&st->ss.own_cc, ops);
}
