/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_socket.c - calls that open, name, connect and end sockets.
 */
#include <string.h>

#include "run.h"

enum { SOCK_FLAGS = 04000 | 02000000, O_FLAG_RDWR = 2, O_FLAG_NONBLOCK = 04000 };
enum { F_GET_FLAGS = 3, F_SET_FLAGS = 4 };

int64_t run_socket(struct drill *d, struct calling *c)
{
	const struct expr *family = call_arg(c, 0);
	int64_t af = d->s->socket_family, type, protocol;
	tern_sock sock;
	int r;

	if (family->kind == EXPR_INT)
		af = family->number;
	if (!call_int(d, c, 1, &type) || !call_int(d, c, 2, &protocol))
		return CALL_ENDED;
	r = tern_socket(d->st, (int)af, (int)(type & ~(int64_t)SOCK_FLAGS), (int)protocol, &sock);
	if (r < 0)
		return r;
	return call_open(d, c, sock, (int)(type & ~(int64_t)SOCK_FLAGS), type & O_FLAG_NONBLOCK);
}

/* Packets without ports mean this socket from now on; remote 0: of a peer not yet heard of. */
static void use_socket(struct drill *d, const struct fd *fd, uint16_t remote)
{
	struct tern_addr local;
	uint8_t proto = fd->type == TERN_SOCK_STREAM ? TERN_IPPROTO_TCP : TERN_IPPROTO_UDP;

	if (tern_getsockname(d->st, fd->sock, &local) != 0 || local.port == 0)
		return;
	d->current = conn_get(d, proto, local.port, remote ? remote : d->next_remote++);
	d->listen_port = 0;
}

int64_t run_bind(struct drill *d, struct calling *c)
{
	struct tern_addr addr;
	int64_t error;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if (!call_addr(d, c, 1, false, &addr))
		return CALL_ENDED;
	error = tern_bind(d->st, fd->sock, &addr);
	if (error == 0 && fd->type == TERN_SOCK_DGRAM)
		use_socket(d, fd, 0);
	return error;
}

int64_t run_listen(struct drill *d, struct calling *c)
{
	struct tern_addr local;
	int64_t error, backlog;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &backlog))
		return CALL_ENDED;
	error = tern_listen(d->st, fd->sock, (int)backlog);
	if (error == 0 && tern_getsockname(d->st, fd->sock, &local) == 0)
		d->listen_port = local.port;
	return error;
}

int64_t run_accept(struct drill *d, struct calling *c)
{
	int64_t error, flags = 0;
	struct fd *fd = call_fd(d, c, 0, &error);
	struct tern_addr peer;
	tern_sock sock;

	if (!fd)
		return error;
	if (call_arg(c, 3) && !call_int(d, c, 3, &flags))
		return CALL_ENDED;
	error = tern_accept(d->st, fd->sock, &sock, &peer);
	if (error < 0)
		return call_or_wait(c, fd, error);
	call_check_addr(d, c, 1, &peer);
	return call_open(d, c, sock, TERN_SOCK_STREAM, flags & O_FLAG_NONBLOCK);
}

/* How a handshake that call c has begun ended. */
int64_t handshake_result(struct drill *d, struct fd *fd)
{
	int32_t error = 0;
	size_t len = sizeof(error);

	if (!(tern_poll(d->st, fd->sock) & (TERN_POLLOUT | TERN_POLLERR | TERN_POLLHUP)))
		return CALL_WAIT;
	tern_getsockopt(d->st, fd->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &error, &len);
	return -error;
}

/* As POSIX has it: what went on behind the program is told once. */
static int64_t connect_once(struct drill *d, struct fd *fd, const struct tern_addr *to)
{
	int64_t result = tern_connect(d->st, fd->sock, to);
	bool told = result == -TERN_EISCONN && fd->connecting;

	fd->connecting = result == -TERN_EINPROGRESS || result == -TERN_EALREADY;
	if (result == -TERN_EOPNOTSUPP)
		return -TERN_EISCONN; /* it listens */
	return told ? 0 : result;
}

int64_t run_connect(struct drill *d, struct calling *c)
{
	struct tern_addr addr;
	int64_t result;
	struct fd *fd = call_fd(d, c, 0, &result);

	if (!fd)
		return result;
	if (c->started)
		return handshake_result(d, fd);
	if (!call_addr(d, c, 1, true, &addr))
		return CALL_ENDED;
	result = connect_once(d, fd, &addr);
	if ((result == 0 && addr.family != TERN_AF_UNSPEC) || result == -TERN_EINPROGRESS)
		use_socket(d, fd, addr.port);
	if (result == -TERN_EINPROGRESS && c->ev->call.blocking && !fd->nonblock) {
		c->started = true;
		fd->connecting = false;
		return CALL_WAIT;
	}
	return result;
}

int64_t run_shutdown(struct drill *d, struct calling *c)
{
	int64_t error, how;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	return call_int(d, c, 1, &how) ? tern_shutdown(d->st, fd->sock, (int)how) : CALL_ENDED;
}

/* Has the peer acknowledged all that a closed connection had to say, or is the connection gone? */
static bool close_is_over(struct drill *d, const struct calling *c)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(d->st, &cursor, &info)) {
		if (info.type != TERN_SOCK_STREAM || info.local.port != c->local.port ||
		    info.remote.port != c->remote.port)
			continue;
		if (info.state != TERN_TCP_FIN_WAIT_2 && info.state != TERN_TCP_TIME_WAIT)
			return false;
	}
	return true;
}

/* SO_LINGER: a closing process waits for so many seconds at most. */
static void start_lingering(struct drill *d, struct calling *c, const struct fd *fd)
{
	struct tern_linger l = { 0, 0 };
	size_t len = sizeof(l);

	tern_getsockopt(d->st, fd->sock, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, &len);
	tern_getsockname(d->st, fd->sock, &c->local);
	tern_getpeername(d->st, fd->sock, &c->remote);
	c->timer = d->now + (l.onoff ? (tern_time)MAX(l.linger, 0) * TERN_SEC : 0);
	c->started = true;
}

int64_t run_close(struct drill *d, struct calling *c)
{
	int64_t error = 0;
	struct fd *fd = c->started ? NULL : call_fd(d, c, 0, &error);

	if (!fd && !c->started)
		return error;
	if (fd) {
		start_lingering(d, c, fd);
		epoll_forget(d, fd);
		fd->used = false;
		error = fd->type == FD_EPOLL ? 0 : tern_close(d->st, fd->sock);
	}
	if (c->ev->call.blocking && d->now < c->timer && !close_is_over(d, c))
		return CALL_WAIT;
	return error;
}

static int64_t check_name(struct drill *d, struct calling *c,
			  int (*get)(struct tern_stack *, tern_sock, struct tern_addr *))
{
	struct tern_addr addr;
	int64_t error;
	const struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	error = get(d->st, fd->sock, &addr);
	if (error == 0)
		call_check_addr(d, c, 1, &addr);
	return error;
}

int64_t run_getsockname(struct drill *d, struct calling *c)
{
	return check_name(d, c, tern_getsockname);
}

int64_t run_getpeername(struct drill *d, struct calling *c)
{
	return check_name(d, c, tern_getpeername);
}

int64_t run_fcntl(struct drill *d, struct calling *c)
{
	int64_t error, command, flags;
	struct fd *fd = call_fd(d, c, 0, &error);

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &command))
		return CALL_ENDED;
	if (command == F_GET_FLAGS)
		return O_FLAG_RDWR | (fd->nonblock ? O_FLAG_NONBLOCK : 0);
	if (command != F_SET_FLAGS)
		return -TERN_EINVAL;
	if (!call_int(d, c, 2, &flags))
		return CALL_ENDED;
	fd->nonblock = flags & O_FLAG_NONBLOCK;
	return 0;
}

int64_t run_ioctl(struct drill *d, struct calling *c)
{
	static const struct {
		int64_t request;
		int option;
	} known[] = { { 0x541b, TERN_SO_SIOCINQ },
		      { 0x5411, TERN_SO_SIOCOUTQ },
		      { 0x8905, TERN_SO_ATMARK } };
	int64_t error, request, want;
	struct fd *fd = call_fd(d, c, 0, &error);
	int32_t value = 0;
	size_t len = sizeof(value);
	bool given;
	int r;

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &request) || !call_boxed(d, c, 2, &given, &want))
		return CALL_ENDED;
	for (size_t i = 0; i < N_ELEMENTS(known); i++) {
		if (known[i].request != request)
			continue;
		r = tern_getsockopt(d->st, fd->sock, TERN_SOL_SOCKET, known[i].option, &value,
				    &len);
		if (r == 0 && given && want != value)
			call_differs(d, c, "the number", want, value);
		return r;
	}
	return -TERN_EINVAL;
}
