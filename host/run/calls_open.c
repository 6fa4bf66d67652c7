/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_open.c - the calls by which sockets begin and get their names, and how they end by a call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.h"

enum { BYTES_MAX = 64 }; /* of a listener's pair */

/* ---- socket ---- */

static int64_t refuse_socket(struct run *r, int err)
{
	if (!r->fallback)
		return err;
	r->counts.on_kernel++;
	return CALL_CONTINUE;
}

int64_t on_socket(struct run *r, struct call *c)
{
	int family = (int)c->args[0], flags = (int)c->args[1], protocol = (int)c->args[2];
	int type = flags & 0xf, end, err;
	struct pair *p;
	tern_sock s;

	if (flags & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (type == SOCK_RAW || type == SOCK_PACKET) /* as to a user without privilege */
		return refuse_socket(r, -EPERM);
	err = tern_socket(r->st, family, type, protocol, &s);
	if (err)
		return refuse_socket(r, err);
	p = pair_new(r, s, family, type, &end);
	if (!p) {
		tern_close(r->st, s);
		return -ENFILE;
	}
	p->protocol = protocol;
	if (flags & SOCK_NONBLOCK)
		fcntl(end, F_SETFL, O_RDWR | O_NONBLOCK);
	err = call_answer_fd(r, c, end, flags & SOCK_CLOEXEC);
	close(end);
	if (err < 0) {
		pair_end(r, p);
		return err;
	}
	p->tid = c->tid;
	p->tid_fd = err;
	r->counts.on_tern++;
	return CALL_ANSWERED;
}

/* ---- names ---- */

/* Linux: of old programs, which give no family with any address. */
static int take_for_any(const struct call *c, struct tern_addr *at)
{
	if ((uint32_t)c->args[2] < sockaddr_least_len(c->pair->family))
		return -EINVAL;
	at->family = TERN_AF_INET;
	return c->pair->family == AF_INET && address_is_any(at) ? 0 : -EAFNOSUPPORT;
}

int64_t on_bind(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	struct tern_addr at;
	int err = address_read(c, c->args[1], c->args[2], p->family, &at);

	if (!err && at.family == TERN_AF_UNSPEC)
		err = take_for_any(c, &at);
	if (err)
		return err;
	at = address_for_stack(p, &at);
	err = p->s ? tern_bind(r->st, p->s, &at) : -EINVAL;
	if (err == -EADDRINUSE && pairs_see_closes(r)) /* by the program itself, a moment ago */
		err = tern_bind(r->st, p->s, &at);
	if (err == 0 && p->type == SOCK_STREAM)
		p->bound = at;
	return err;
}

int64_t on_getsockname(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	struct tern_addr at = p->shown_local;
	struct tern_addr is;

	if (p->s) {
		int err = tern_getsockname(r->st, p->s, &is);

		if (err)
			return err;
		if (at.family)
			at.port = is.port;
		else
			at = is;
	}
	return address_write(c, p, &at, c->args[1], c->args[2]);
}

int64_t on_getpeername(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	struct tern_addr at;
	int err;

	if (p->type == SOCK_STREAM && p->state != PAIR_OPEN)
		return -ENOTCONN;
	err = tern_getpeername(r->st, far_or_near_of_peer(p), &at);
	if (err)
		return err;
	if (p->shown_peer.family)
		at = p->shown_peer;
	return address_write(c, p, &at, c->args[1], c->args[2]);
}

/* ---- connect ---- */

/* The program sees the names that it would see without a gateway in between. */
static void note_names(struct pair *p, const struct tern_addr *to, const struct tern_addr *by)
{
	struct tern_addr is = address_for_stack(p, to);

	p->shown_peer = p->shown_local = (struct tern_addr){ 0 };
	if (memcmp(is.ip, by->ip, sizeof(is.ip)) == 0)
		return;
	p->shown_peer = *to;
	if (p->by_gateway)
		p->shown_local = p->shown_peer; /* the port is the socket's own */
}

static int64_t connect_datagrams(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	struct tern_addr to, by;
	int err = address_read_peer(c, c->args[1], c->args[2], &to);

	if (err)
		return err;
	by = to;
	letters_flush(r, p); /* to the peer that it had */
	if (to.family != TERN_AF_UNSPEC)
		by = address_route(r, p, &to);
	err = far_connect(r, p, &by);
	if (err == 0)
		note_names(p, &to, &by);
	return err;
}

/* A connect that has begun: it is over, or goes on. */
static int64_t connect_again(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int err = p->so_error;

	(void)r;
	switch (p->state) {
	case PAIR_CONNECTING:
		return call_blocks(c, 0) ? CALL_WAIT_SEND : -EALREADY;
	case PAIR_OPEN:
		if (p->told_connected)
			return -EISCONN;
		p->told_connected = true;
		return 0;
	case PAIR_LISTENING:
		return -EISCONN;
	default:
		p->so_error = 0;
		return err ? -err : -EISCONN;
	}
}

int connect_prepare(struct run *r, struct pair *p, struct tern_addr *to, struct tern_addr *by)
{
	*by = address_route(r, p, to);
	return far_leave_loopback(r, p, by);
}

void connect_begins(struct call *c, const struct tern_addr *to, const struct tern_addr *by)
{
	note_names(c->pair, to, by);
	c->pair->state = PAIR_CONNECTING;
	pump_block(c->pair, c->dup);
}

/* TCP_FASTOPEN_CONNECT, and a cookie: the SYN waits for the first bytes. */
static void await_text(struct run *r, struct pair *p, const struct tern_addr *to,
		       const struct tern_addr *by)
{
	note_names(p, to, by);
	p->state = PAIR_OPEN;
	p->told_connected = true;
	pump_stream(r, p);
}

/*
 * As Linux: the next connect after one that failed tells of it, and the one after that tries. After
 * a shutdown it tries at once: 0.
 */
static int leave_refusal(struct run *r, struct call *c)
{
	int told = 0, refused = c->pair->so_error, err;
	bool gave_up = c->pair->gave_up;
	socklen_t len = sizeof(told);

	getsockopt(c->dup, SOL_SOCKET, SO_ERROR, &told, &len);
	err = stream_begins_anew(r, c);
	if (err || gave_up)
		return err;
	return told && refused ? -refused : -ECONNABORTED;
}

/* A fresh stream. */
static int64_t connect_stream(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	struct tern_addr to, by;
	int err = address_read(c, c->args[1], c->args[2], p->family, &to);

	if (err)
		return err;
	p->gave_up = false;
	err = connect_prepare(r, p, &to, &by);
	if (!err)
		err = tern_connect(r->st, p->s, &by);
	if (err == 0)
		await_text(r, p, &to, &by);
	if (err != -TERN_EINPROGRESS)
		return err;
	connect_begins(c, &to, &by);
	return call_blocks(c, 0) ? CALL_WAIT_SEND : -EINPROGRESS;
}

/* What the socket is comes before what the name is. */
int64_t on_connect(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int family, err;

	if (c->again)
		return connect_again(r, c);
	if (p->type != SOCK_STREAM)
		return connect_datagrams(r, c);
	err = address_read_family(c, c->args[1], c->args[2], &family);
	if (err)
		return err;
	if (family == AF_UNSPEC) /* gives up what there is */
		return p->state == PAIR_FRESH ? 0 : stream_begins_anew(r, c);
	if (p->state == PAIR_REFUSED) {
		err = leave_refusal(r, c);
		if (err)
			return err;
	}
	if (p->state == PAIR_DEAD && p->told_connected)
		return -EISCONN; /* what ended it waits for who asks for that */
	return p->state == PAIR_FRESH ? connect_stream(r, c) : connect_again(r, c);
}

static void fail_connect(struct run *r, struct pair *p, int err)
{
	if (p->waiting) { /* as if nothing had been: the program may try again */
		p->so_error = err;
		p->state = PAIR_FRESH;
		pair_renew(r, p, &p->bound);
		pump_unblock(r, p, -1);
	} else {
		pump_refuse(r, p, err);
	}
	call_look_again(r, p);
}

/* As Linux: it ends with this error, and another may begin. */
static void give_up_connect(struct run *r, struct pair *p)
{
	if (!p->waiting)
		pair_renew(r, p, &p->bound);
	p->gave_up = true;
	fail_connect(r, p, ECONNRESET);
}

void connect_news(struct run *r, struct pair *p)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	if (!(tern_poll(r->st, p->s) & (TERN_POLLOUT | TERN_POLLERR | TERN_POLLHUP)))
		return;
	tern_getsockopt(r->st, p->s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	if (err) {
		fail_connect(r, p, err);
		return;
	}
	pump_open(r, p, -1);
	call_look_again(r, p);
}

/* ---- listen and accept ---- */

int64_t on_listen(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int err;

	if (p->type != SOCK_STREAM)
		return -EOPNOTSUPP;
	if (p->state != PAIR_FRESH && p->state != PAIR_LISTENING)
		return -EINVAL;
	err = tern_listen(r->st, p->s, (int)c->args[1]);
	if (err || p->state == PAIR_LISTENING)
		return err;
	p->state = PAIR_LISTENING;
	pair_note_named(r, p);
	pump_block(p, c->dup);	   /* a listener is never writable, */
	shutdown(c->dup, SHUT_WR); /* and a write fails at once, with EPIPE */
	return 0;
}

static bool has_more(struct run *r, const struct pair *p)
{
	return p->kept || (tern_poll(r->st, p->s) & TERN_POLLIN);
}

/* The pair of a listener is readable while a connection waits. */
static void show_readable(struct run *r, struct pair *p, int end)
{
	char bytes[BYTES_MAX];

	if (has_more(r, p))
		return;
	while (p->n_bytes > 0 && recv(end, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	p->n_bytes = 0;
}

/* One byte more each time, so that who waits for an edge gets it. */
static void show_waiting(struct run *r, struct pair *p)
{
	if (has_more(r, p) && p->n_bytes < BYTES_MAX &&
	    send(p->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		p->n_bytes++;
}

void listener_news(struct run *r, struct pair *p)
{
	call_look_again(r, p);
	if (!p->gone && p->state == PAIR_LISTENING)
		show_waiting(r, p);
}

static bool is_accept4(const struct call *c)
{
	return c->nr == SYS_accept4;
}

/* The new socket as a descriptor of the caller's; an error, and it is kept for the next caller. */
static int64_t hand_over(struct run *r, struct call *c, tern_sock s)
{
	struct pair *listener = c->pair, *p;
	int flags = is_accept4(c) ? (int)c->args[3] : 0;
	struct tern_addr peer = { .family = TERN_AF_INET };
	int end, fd, err = 0;

	p = pair_new(r, s, listener->family, SOCK_STREAM, &end);
	if (!p) {
		listener->kept = s;
		return -ENFILE;
	}
	tern_getpeername(r->st, s, &peer);
	if (c->args[1])
		err = address_write(c, p, &peer, c->args[1], c->args[2]);
	if (flags & SOCK_NONBLOCK)
		fcntl(end, F_SETFL, O_RDWR | O_NONBLOCK);
	end_copy_options(c->dup, end); /* they are inherited */
	fd = err ? err : call_give_fd(r, c, end, flags & SOCK_CLOEXEC);
	close(end);
	if (fd < 0) {
		p->s = 0;
		tern_set_user(r->st, s, NULL);
		listener->kept = s;
		pair_end(r, p);
		return fd;
	}
	p->tid = c->tid;
	p->tid_fd = fd;
	p->protocol = listener->protocol;
	p->state = PAIR_OPEN;
	p->told_connected = true;
	r->counts.on_tern++;
	pump_stream(r, p); /* what came before is there when the caller looks */
	return fd;
}

int64_t on_accept(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	tern_sock s = p->kept;
	int64_t result;
	int err;

	if (is_accept4(c) && ((int)c->args[3] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)))
		return -EINVAL;
	if (p->type != SOCK_STREAM)
		return -EOPNOTSUPP;
	if (p->state != PAIR_LISTENING)
		return -EINVAL;
	p->kept = 0;
	err = s ? 0 : tern_accept(r->st, p->s, &s, NULL);
	if (err) {
		show_readable(r, p, c->dup);
		return err == -TERN_EAGAIN && call_blocks(c, 0) ? CALL_WAIT_RECV : err;
	}
	show_readable(r, p, c->dup); /* before the caller can look */
	result = hand_over(r, c, s);
	if (p->kept)
		show_waiting(r, p);
	return result;
}

/* ---- shutdown ---- */

int64_t on_shutdown(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int how = (int)c->args[1], err;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (p->type != SOCK_STREAM) {
		letters_flush(r, p);
		err = tern_shutdown(r->st, far_or_near_of_peer(p), how);
		if ((err == 0 || err == -ENOTCONN) && (how != SHUT_WR || p->watch >= 0))
			shutdown(c->dup, p->watch >= 0 ? how : SHUT_RD);
		return err;
	}
	switch (p->state) {
	case PAIR_OPEN:
		pump_shut(r, p, c->dup, how);
		return 0;
	case PAIR_CONNECTING:
		give_up_connect(r, p);
		return 0;
	case PAIR_LISTENING:
		if (how == SHUT_WR)
			return 0;
		shutdown(c->dup, SHUT_RDWR);
		pair_die(r, p, 0);
		return 0;
	case PAIR_DEAD: /* over: what it still holds ends here */
		shutdown(c->dup, how);
		return -ENOTCONN;
	default:
		return -ENOTCONN;
	}
}
