/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query_tcp.c - a question over TCP: each message behind two bytes of length (RFC 7766 8).
 *
 * One buffer serves both ways. Pieces may be of any size; a message that is not what is waited for
 * is thrown away, and the next one read.
 */
#include "resolve_impl.h"

bool query_tcp_begin(struct query *q, const struct tern_addr *server)
{
	struct tern_resolver *r = q->r;
	size_t len;

	q->stream = resolver_alloc(r, sizeof(*q->stream));
	if (!q->stream)
		return false;
	if (tern_socket(r->wish.st, server->family, TERN_SOCK_STREAM, 0, &q->sock) != 0) {
		q->sock = 0;
		return false;
	}
	tern_set_user(r->wish.st, q->sock, r->wish.user);
	if (tern_connect(r->wish.st, q->sock, server) != -TERN_EINPROGRESS)
		return false;
	len = dns_emit_query(q->stream->bytes + 2, q->id, &q->question, q->edns);
	put_be16(q->stream->bytes, (uint32_t)len);
	q->stream->at = 0;
	q->stream->len = 2 + len;
	q->state = QUERY_TCP_CONNECTING;
	return true;
}

void query_tcp_next(struct query *q)
{
	q->stream->at = 0;
	q->stream->len = 2;
}

static enum stream_news send_query_stream(struct query *q)
{
	struct query_stream *s = q->stream;
	int64_t n = 1;

	while (s->at < s->len && n > 0) {
		n = tern_send(q->r->wish.st, q->sock, s->bytes + s->at, s->len - s->at, 0);
		s->at += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 && n != -TERN_EAGAIN)
		return STREAM_FAILED;
	if (s->at == s->len) {
		q->state = QUERY_TCP_READING;
		query_tcp_next(q);
	}
	return STREAM_WAITS;
}

static enum stream_news read_query_stream(struct query *q)
{
	struct query_stream *s = q->stream;

	for (;;) {
		int64_t n = tern_recv(q->r->wish.st, q->sock, s->bytes + s->at, s->len - s->at, 0);

		if (n == -TERN_EAGAIN)
			return STREAM_WAITS;
		if (n <= 0)
			return STREAM_FAILED;
		s->at += (size_t)n;
		if (s->at < s->len)
			continue;
		if (s->at > 2)
			return STREAM_HAS_MESSAGE;
		s->len = 2u + get_be16(s->bytes);
		if (s->len == 2) /* nothing at all: the next length */
			s->at = 0;
	}
}

enum stream_news query_tcp_advance(struct query *q)
{
	unsigned ready = tern_poll(q->r->wish.st, q->sock);
	int32_t error = 0;
	size_t len = sizeof(error);

	if (q->state == QUERY_TCP_CONNECTING) {
		if (!(ready & (TERN_POLLOUT | TERN_POLLERR | TERN_POLLHUP)))
			return STREAM_WAITS;
		tern_getsockopt(q->r->wish.st, q->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &error,
				&len);
		if (error)
			return STREAM_FAILED;
		q->state = QUERY_TCP_SENDING;
	}
	if (q->state == QUERY_TCP_SENDING && send_query_stream(q) == STREAM_FAILED)
		return STREAM_FAILED;
	return q->state == QUERY_TCP_READING ? read_query_stream(q) : STREAM_WAITS;
}

void query_tcp_end(struct query *q)
{
	if (q->stream)
		resolver_dispose(q->r, q->stream, sizeof(*q->stream));
	q->stream = NULL;
}
