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

/* Flags that tern has and that the runner carries out itself; others end the script. */
static bool check_flags(struct drill *d, int64_t flags)
{
	const int64_t known = MSG_NO_WAIT | TERN_MSG_OOB | TERN_MSG_PEEK | TERN_MSG_CTRUNC |
			      TERN_MSG_TRUNC | TERN_MSG_EOR | TERN_MSG_WAITALL | TERN_MSG_CONFIRM |
			      TERN_MSG_ERRQUEUE | TERN_MSG_NOSIGNAL | TERN_MSG_MORE |
			      TERN_MSG_FASTOPEN;

	if (flags & ~known)
		drill_end(d, DRILL_UNSUPPORTED, "message flags %#llx",
			  (unsigned long long)(flags & ~known));
	return !(flags & ~known);
}

/* ---- receiving ---- */

/* MSG_WAITALL: nothing is taken until there is enough, or there will be no more. */
static bool waits_for_all(struct drill *d, const struct calling *c, const struct fd *fd,
			  const struct buffer *b)
{
	unsigned over = TERN_POLLHUP | TERN_POLLRDHUP | TERN_POLLERR;
	int32_t n = 0;
	size_t len = sizeof(n);

	if (!c->ev->call.blocking || fd->nonblock || fd->type != TERN_SOCK_STREAM)
		return false;
	tern_getsockopt(d->st, fd->sock, TERN_SOL_SOCKET, TERN_SO_SIOCINQ, &n, &len);
	return n < b->len && !(tern_poll(d->st, fd->sock) & over);
}

/* What came besides the bytes: where from, flags, ancillary data. */
static void check_message(struct drill *d, const struct calling *c, const struct fd *fd,
			  const struct tern_msg *msg)
{
	const struct expr *head = call_arg(c, 1);
	int64_t want;

	if (expr_number(head, "msg_flags", &want) && want != msg->flags)
		call_differs(d, c, "msg_flags", want, msg->flags);
	call_check_addr_expr(d, c, expr_field(head, "msg_name"), &msg->addr);
	if (call_arg(c, 5)) /* recvfrom */
		call_check_addr(d, c, 4, &msg->addr);
	cmsg_check(d, c, fd, msg);
}

static int64_t receive(struct drill *d, struct calling *c, struct buffer *b, int64_t flags)
{
	const struct expr *text = call_arg(c, 1);
	struct tern_iovec iov = { b->bytes, (size_t)b->len };
	struct tern_msg msg;
	int64_t error, n;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if ((flags & TERN_MSG_WAITALL) && !(flags & MSG_NO_WAIT) && waits_for_all(d, c, fd, b))
		return CALL_WAIT;
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
	check_message(d, c, fd, &msg);
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

	if (!call_int(d, c, 3, &flags) || !check_flags(d, flags))
		return CALL_ENDED;
	return receive_args(d, c, flags);
}

int64_t run_recvmsg(struct drill *d, struct calling *c)
{
	struct buffer b;
	int64_t n, flags;

	if (!call_int(d, c, 2, &flags) || !check_flags(d, flags) ||
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

/* How the bytes go. */
struct sending {
	int64_t flags;
	const struct tern_addr *to; /* NULL: to whom the socket is connected */
	const struct expr *control; /* NULL: no ancillary data */
};

static int64_t send_once(struct drill *d, const struct calling *c, const struct buffer *b,
			 const struct sending *how)
{
	struct tern_iovec iov = { b->bytes, (size_t)b->len };
	int64_t error, n;
	const struct fd *fd = call_fd(d, c, 0, &error);
	struct tern_addr local;
	struct tern_msg msg;

	if ((how->flags & TERN_MSG_MORE) && fd->type != TERN_SOCK_STREAM) {
		drill_end(d, DRILL_UNSUPPORTED, "MSG_MORE of datagrams");
		return CALL_ENDED;
	}
	tern_msg_init(&msg, &iov, 1);
	if (how->to)
		msg.addr = *how->to;
	if (!cmsg_put(d, c, how->control, &msg))
		return CALL_ENDED;
	n = tern_sendmsg(d->st, fd->sock, &msg, (int)(how->flags & ~(int64_t)MSG_NO_WAIT));
	if (how->to && (n >= 0 || n == -TERN_EINPROGRESS) &&
	    tern_getsockname(d->st, fd->sock, &local) == 0)
		d->current = conn_get(
			d, fd->type == TERN_SOCK_STREAM ? TERN_IPPROTO_TCP : TERN_IPPROTO_UDP,
			local.port, how->to->port);
	return n;
}

/* MSG_FASTOPEN opens once; what it does not take follows as any bytes. */
static struct sending after_opening(const struct calling *c, const struct sending *how)
{
	struct sending rest = *how;

	if (c->started)
		rest.flags &= ~(int64_t)TERN_MSG_FASTOPEN;
	return rest;
}

/* A blocking write to a stream returns when all bytes are taken. */
static int64_t transmit(struct drill *d, struct calling *c, const struct buffer *b,
			const struct sending *given)
{
	const struct sending now = after_opening(c, given), *how = &now;
	int64_t error, n;
	struct fd *fd = call_fd(d, c, 0, &error);
	struct buffer rest = { b->bytes + c->done, b->len - c->done };
	bool waits = c->ev->call.blocking && !(how->flags & MSG_NO_WAIT);

	if (!fd)
		return error;
	if (c->started && rest.len == 0) { /* all is in the SYN: it returns with the handshake */
		n = handshake_result(d, fd);
		return n == 0 ? c->done : n;
	}
	if (c->done > 0 && (tern_poll(d->st, fd->sock) & TERN_POLLERR))
		return c->done; /* the error is for the next call, which has sent nothing */
	n = send_once(d, c, &rest, how);
	if (n == CALL_ENDED || !waits || fd->nonblock || fd->type != TERN_SOCK_STREAM)
		return waits ? call_or_wait(c, fd, n) : n;
	if (n > 0)
		c->done += n;
	c->started = c->started || (how->flags & TERN_MSG_FASTOPEN);
	if (n == -TERN_EAGAIN || n == -TERN_EINPROGRESS || (c->started && n > 0) ||
	    (n >= 0 && c->done < b->len))
		return CALL_WAIT;
	return c->done > 0 ? c->done : n;
}

static int64_t transmit_args(struct drill *d, struct calling *c, int64_t flags)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_args(d, c, 1, &b))
		return CALL_ENDED;
	n = transmit(d, c, &b, &(struct sending){ .flags = flags });
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

	if (!call_int(d, c, 3, &flags) || !check_flags(d, flags))
		return CALL_ENDED;
	return transmit_args(d, c, flags);
}

int64_t run_sendto(struct drill *d, struct calling *c)
{
	struct tern_addr to;
	struct buffer b;
	int64_t n, flags, error;
	const struct fd *fd = call_fd(d, c, 0, &error);
	bool named;

	if (!fd)
		return error;
	if (!call_int(d, c, 3, &flags) || !check_flags(d, flags) ||
	    !call_addr(d, c, 4, true, &to) || !buffer_of_args(d, c, 1, &b))
		return CALL_ENDED;
	named = fd->type != TERN_SOCK_STREAM || (flags & TERN_MSG_FASTOPEN);
	n = transmit(d, c, &b, &(struct sending){ .flags = flags, .to = named ? &to : NULL });
	free(b.bytes);
	return n;
}

/* `...` as msg_name: an unconnected socket sends to the default address. */
static const struct tern_addr *receiver_of(struct drill *d, const struct calling *c,
					   const struct fd *fd, struct tern_addr *to)
{
	const struct expr *name = expr_field(call_arg(c, 1), "msg_name");
	struct tern_addr peer;

	if (name && name->kind == EXPR_LIST)
		return call_read_addr(d, c, name, to) ? to : NULL;
	*to = drill_addr(d, true, d->s->connect_port);
	if (fd->type == TERN_SOCK_STREAM || tern_getpeername(d->st, fd->sock, &peer) == 0)
		return NULL;
	return to;
}

int64_t run_sendmsg(struct drill *d, struct calling *c)
{
	struct sending how = { .control = expr_field(call_arg(c, 1), "msg_control") };
	struct tern_addr to;
	struct buffer b;
	int64_t n, error;
	const struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if (!call_int(d, c, 2, &how.flags) || !check_flags(d, how.flags) ||
	    !buffer_of_iov(d, c, expr_field(call_arg(c, 1), "msg_iov"), &b))
		return CALL_ENDED;
	how.to = receiver_of(d, c, fd, &to);
	n = transmit(d, c, &b, &how);
	free(b.bytes);
	return n;
}

int64_t run_writev(struct drill *d, struct calling *c)
{
	struct buffer b;
	int64_t n;

	if (!buffer_of_iov(d, c, call_arg(c, 1), &b))
		return CALL_ENDED;
	n = transmit(d, c, &b, &(struct sending){ .flags = 0 });
	free(b.bytes);
	return n;
}
