/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_data.c - calls that move bytes. What is sent is the text of the script, or zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { MSG_NO_WAIT = 0x40 };

static const int64_t BYTES_MAX = 64 << 20;

/* A buffer of a call: of one argument, or of the parts of an iovec. */
struct buffer {
	uint8_t *bytes;
	int64_t len;
};

static bool buffer_new(struct drill *d, struct buffer *b, int64_t len)
{
	if (len < 0 || len > BYTES_MAX) {
		drill_end(d, DRILL_UNSUPPORTED, "more than 64 MiB in one call");
		return false;
	}
	b->len = len;
	b->bytes = calloc(1, (size_t)len + 1);
	if (!b->bytes)
		drill_end(d, DRILL_BROKEN, "memory is short");
	return b->bytes != NULL;
}

static void buffer_fill(struct buffer *b, const struct expr *e)
{
	if (e && e->kind == EXPR_STRING)
		memcpy(b->bytes, e->text.text, MIN(e->text.len, (size_t)b->len));
}

/* Argument i is text or `...`, argument i + 1 its length. */
static bool buffer_of_args(struct drill *d, const struct calling *c, unsigned i, struct buffer *b)
{
	const struct expr *e = call_arg(c, i);
	int64_t len;

	if (!call_int(d, c, i + 1, &len) || !buffer_new(d, b, len))
		return false;
	if (e->kind != EXPR_ANY && e->kind != EXPR_STRING) {
		free(b->bytes);
		return call_mistyped(d, c, i, "text or ...");
	}
	buffer_fill(b, e);
	return true;
}

/* [{..., 100}, {..., 200}] */
static bool buffer_of_iov(struct drill *d, const struct calling *c, const struct expr *iov,
			  struct buffer *b)
{
	int64_t sum = 0;

	if (!iov || iov->kind != EXPR_LIST)
		return call_mistyped(d, c, 1, "made of parts: [{..., 100}]");
	for (const struct expr *e = iov->items; e; e = e->next) {
		const struct expr *len = e->kind == EXPR_LIST && e->items ? e->items->next : NULL;

		if (!len || len->kind != EXPR_INT || len->number < 0 || len->number > BYTES_MAX)
			return call_mistyped(d, c, 1, "made of parts: [{..., 100}]");
		sum += len->number;
		if (sum > BYTES_MAX)
			break;
	}
	return buffer_new(d, b, sum);
}

/* ---- receiving ---- */

static int64_t receive(struct drill *d, struct calling *c, struct buffer *b, int64_t flags)
{
	const struct expr *text = call_arg(c, 1);
	const struct expr *want_flags = expr_field(text, "msg_flags");
	struct tern_iovec iov = { b->bytes, (size_t)b->len };
	struct tern_msg msg;
	int64_t error, n;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	tern_msg_init(&msg, &iov, 1);
	n = tern_recvmsg(d->st, fd->sock, &msg, (int)(flags & ~(int64_t)MSG_NO_WAIT));
	if (n < 0)
		return flags & MSG_NO_WAIT ? n : call_or_wait(c, fd, n);
	if (text->kind == EXPR_STRING &&
	    ((size_t)n != text->text.len || memcmp(text->text.text, b->bytes, (size_t)n) != 0))
		drill_end(d, DRILL_FAILED,
			  "the bytes read differ\n  expected  \"%.*s\"\n"
			  "  actual    \"%.*s\"",
			  (int)text->text.len, text->text.text, (int)n, (const char *)b->bytes);
	if (want_flags && want_flags->kind == EXPR_INT && want_flags->number != msg.flags)
		call_differs(d, c, "msg_flags", want_flags->number, msg.flags);
	return n;
}

static int64_t receive_args(struct drill *d, struct calling *c, int64_t flags)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_args(d, c, 1, &b))
		return CALL_ENDED;
	memset(b.bytes, 0, (size_t)b.len);
	n = receive(d, c, &b, flags);
	free(b.bytes);
	return n;
}

int64_t run_read(struct drill *d, struct calling *c)
{
	return receive_args(d, c, 0);
}

int64_t run_recv(struct drill *d, struct calling *c)
{
	int64_t flags;

	return call_int(d, c, 3, &flags) ? receive_args(d, c, flags) : CALL_ENDED;
}

int64_t run_recvmsg(struct drill *d, struct calling *c)
{
	struct buffer b;
	int64_t n, flags;

	if (!call_int(d, c, 2, &flags) ||
	    !buffer_of_iov(d, c, expr_field(call_arg(c, 1), "msg_iov"), &b))
		return CALL_ENDED;
	n = receive(d, c, &b, flags);
	free(b.bytes);
	return n;
}

int64_t run_readv(struct drill *d, struct calling *c)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_iov(d, c, call_arg(c, 1), &b))
		return CALL_ENDED;
	n = receive(d, c, &b, 0);
	free(b.bytes);
	return n;
}

/* ---- sending ---- */

/* A datagram without an address goes to whom the socket is connected to. */
static int64_t send_once(struct drill *d, const struct fd *fd, const struct buffer *b,
			 int64_t flags, const struct tern_addr *to)
{
	struct tern_addr local;
	int64_t n;

	if (!to)
		return tern_send(d->st, fd->sock, b->bytes, (size_t)b->len, (int)flags);
	n = tern_sendto(d->st, fd->sock, b->bytes, (size_t)b->len, (int)flags, to);
	if (n >= 0 && tern_getsockname(d->st, fd->sock, &local) == 0)
		d->current = conn_get(d, TERN_IPPROTO_UDP, local.port, to->port);
	return n;
}

/* A blocking write to a stream returns when all bytes are taken. */
static int64_t transmit(struct drill *d, struct calling *c, const struct buffer *b, int64_t flags,
			const struct tern_addr *to)
{
	int64_t error, n;
	struct fd *fd = call_fd(d, c, 0, &error);
	struct buffer rest = { b->bytes + c->done, b->len - c->done };
	bool waits = c->ev->call.blocking && !(flags & MSG_NO_WAIT);

	if (!fd)
		return error;
	n = send_once(d, fd, &rest, flags & ~(int64_t)MSG_NO_WAIT, to);
	if (!waits || fd->nonblock || fd->type != TERN_SOCK_STREAM)
		return waits ? call_or_wait(c, fd, n) : n;
	if (n > 0)
		c->done += n;
	if (n == -TERN_EAGAIN || (n >= 0 && c->done < b->len))
		return CALL_WAIT;
	return c->done > 0 ? c->done : n;
}

static int64_t transmit_args(struct drill *d, struct calling *c, int64_t flags)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_args(d, c, 1, &b))
		return CALL_ENDED;
	n = transmit(d, c, &b, flags, NULL);
	free(b.bytes);
	return n;
}

int64_t run_write(struct drill *d, struct calling *c)
{
	return transmit_args(d, c, 0);
}

int64_t run_send(struct drill *d, struct calling *c)
{
	int64_t flags;

	return call_int(d, c, 3, &flags) ? transmit_args(d, c, flags) : CALL_ENDED;
}

int64_t run_sendto(struct drill *d, struct calling *c)
{
	struct tern_addr to;
	struct buffer b;
	int64_t n, flags, error;
	const struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if (!call_int(d, c, 3, &flags) || !call_addr(d, c, 4, true, &to) ||
	    !buffer_of_args(d, c, 1, &b))
		return CALL_ENDED;
	n = transmit(d, c, &b, flags, fd->type == TERN_SOCK_STREAM ? NULL : &to);
	free(b.bytes);
	return n;
}

/* As `...` is the address of every sendmsg, an unconnected socket sends to the default one. */
int64_t run_sendmsg(struct drill *d, struct calling *c)
{
	struct tern_addr to = drill_addr(d, true, d->s->connect_port), peer;
	struct buffer b;
	int64_t n, flags, error;
	const struct fd *fd = call_fd(d, c, 0, &error);
	bool connected;

	if (!fd)
		return error;
	if (!call_int(d, c, 2, &flags) ||
	    !buffer_of_iov(d, c, expr_field(call_arg(c, 1), "msg_iov"), &b))
		return CALL_ENDED;
	connected = fd->type == TERN_SOCK_STREAM || tern_getpeername(d->st, fd->sock, &peer) == 0;
	n = transmit(d, c, &b, flags, connected ? NULL : &to);
	free(b.bytes);
	return n;
}

int64_t run_writev(struct drill *d, struct calling *c)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_iov(d, c, call_arg(c, 1), &b))
		return CALL_ENDED;
	n = transmit(d, c, &b, 0, NULL);
	free(b.bytes);
	return n;
}
