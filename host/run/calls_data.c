/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_data.c - the calls that move bytes and are stopped: those with an address or a msghdr, and
 * those with flags that mean nothing to an AF_UNIX socket.
 *
 * Of datagrams all of them are carried out here, because the address is known only here. Of streams
 * see calls_stream.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "../loop/loop.h"
#include "inside.h"

enum { MESSAGES_MAX = 1024 };

/* ---- sending ---- */

/* As Linux: IPv4 takes one of no family, IPv6 takes it for none, and knows no others. */
static int read_receiver(const struct call *c, const struct order *o, struct tern_addr *to)
{
	bool six = c->pair->family == AF_INET6;
	int err = address_read_peer(c, o->name, o->name_len, to);

	if (err)
		return err == -EAFNOSUPPORT && six ? -EINVAL : err;
	if (to->family == TERN_AF_UNSPEC && !six) {
		if (o->name_len < sockaddr_least_len(AF_INET))
			return -EINVAL;
		to->family = TERN_AF_INET;
	}
	return 0;
}

static int64_t send_datagram(struct run *r, struct call *c, const struct order *o)
{
	struct pair *p = c->pair;
	struct tern_addr to = { .family = TERN_AF_UNSPEC };
	struct tern_iovec iov;
	struct tern_msg m;
	tern_sock s;
	int64_t n;
	int err = 0;

	if (o->name)
		err = read_receiver(c, o, &to);
	if (err)
		return err;
	letters_flush(r, p); /* what was written before goes before */
	if (to.family)
		to = address_route(r, p, &to);
	n = tracee_gather(c, o->iov, o->n_iov, r->piece, sizeof(r->piece));
	if (n < 0)
		return n;
	iov = (struct tern_iovec){ r->piece, (size_t)n };
	tern_msg_init(&m, &iov, 1);
	m.addr = to;
	err = control_read(c, o->control, o->control_len, &m);
	if (err)
		return err;
	address_leave_loopback(p, &m);
	err = letters_take_error(p, c->dup);
	if (err)
		return -err;
	s = far_or_near(r, p, &to);
	n = p->type == SOCK_DGRAM ? cork_send(&p->cork, r->st, s, &m, o->flags) :
				    tern_sendmsg(r->st, s, &m, o->flags);
	if (n == -TERN_EAGAIN && call_blocks(c, o->flags))
		return CALL_WAIT_SEND;
	if (n > 0)
		r->counts.bytes_sent += (uint64_t)n;
	return n;
}

static int64_t send_one(struct run *r, struct call *c, struct order *o)
{
	if (c->pair->type != SOCK_STREAM)
		return c->pair->s ? send_datagram(r, c, o) : -EPIPE;
	return stream_send(r, c, o);
}

int64_t on_sendto(struct run *r, struct call *c)
{
	static struct order o;

	o = (struct order){
		.n_iov = 1, .name = c->args[4], .name_len = c->args[5], .flags = (int)c->args[3]
	};
	o.iov[0] = (struct iovec){ (void *)(uintptr_t)c->args[1], c->args[2] };
	return send_one(r, c, &o);
}

/* ---- receiving ---- */

/*
 * n bytes of r->piece, and what is told of them, go to the caller. *m gets flags, and lengths of
 * name and control. Returns how many bytes there was room for, or an error.
 */
static int64_t hand_over(struct run *r, struct call *c, const struct order *o,
			 struct tern_msg *told, int64_t n, struct msghdr *m)
{
	struct sockaddr_storage name;
	int64_t room = 0;

	for (int i = 0; i < o->n_iov; i++)
		room += (int64_t)o->iov[i].iov_len;
	m->msg_flags = n > room ? MSG_TRUNC : 0;
	m->msg_namelen = 0;
	n = n < room ? n : room;
	if (tracee_scatter(c, o->iov, o->n_iov, r->piece, (size_t)n) < 0)
		return -EFAULT;
	address_show_message(r, c->pair, told);
	if (told->addr.family && o->name) {
		m->msg_namelen = address_put(c->pair, &told->addr, &name);
		if (!tracee_write(c, o->name, &name,
				  o->name_len < m->msg_namelen ? o->name_len : m->msg_namelen))
			return -EFAULT;
	}
	return control_write(c, told, o->control, o->control_len, m) ? n : -EFAULT;
}

/* When it was put into the pair. */
static uint64_t stamp_of(struct msghdr *m)
{
	struct {
		int64_t s, ns;
	} t = { 0, 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == TIMESTAMPNS_NEW)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (uint64_t)t.s * TERN_SEC + (uint64_t)t.ns;
}

/* The first datagram that lies in the pair. */
static int64_t recv_datagram(struct run *r, struct call *c, const struct order *o, struct msghdr *m)
{
	struct pair *p = c->pair;
	struct letter *l;
	struct iovec iov = { r->piece, sizeof(r->piece) };
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(2 * sizeof(int64_t))];
	struct msghdr in = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = room,
			     .msg_controllen = sizeof(room) };
	struct tern_msg told;
	int64_t n, taken;
	int err = letters_take_error(p, c->dup);

	if (err)
		return -err;
	n = recvmsg(c->dup, &in, MSG_DONTWAIT | (o->flags & MSG_PEEK));
	if (n < 0)
		return -errno;
	l = letters_find(p, stamp_of(&in));
	tern_msg_init(&told, NULL, 0);
	if (l)
		letter_tell(l, &told);
	taken = hand_over(r, c, o, &told, n, m);
	if (taken < 0)
		return taken;
	if (l && !(o->flags & MSG_PEEK))
		letters_drop(p);
	return o->flags & MSG_TRUNC ? n : taken;
}

/*
 * What has become of an earlier datagram (IP_RECVERR). The error of the socket is told with it, and
 * the next one's takes its place.
 */
static int64_t recv_from_error_queue(struct run *r, struct call *c, const struct order *o,
				     struct msghdr *m)
{
	struct pair *p = c->pair;
	struct tern_iovec iov = { r->piece, sizeof(r->piece) };
	struct tern_msg told;
	int64_t n;

	tern_msg_init(&told, &iov, 1);
	n = tern_recvmsg(r->st, p->s, &told, TERN_MSG_ERRQUEUE);
	if (n < 0)
		return n;
	letters_take_error(p, c->dup);
	n = hand_over(r, c, o, &told, n, m);
	m->msg_flags |= MSG_ERRQUEUE;
	letters_pump(r, p);
	return n;
}

static int64_t recv_one(struct run *r, struct call *c, const struct order *o, struct msghdr *m)
{
	struct pair *p = c->pair;
	int64_t n;

	if (p->type == SOCK_STREAM)
		return stream_recv(r, c, o);
	if (!p->s)
		return 0;
	letters_pump(r, p);
	if (o->flags & MSG_ERRQUEUE) /* never waits */
		return recv_from_error_queue(r, c, o, m);
	n = recv_datagram(r, c, o, m);
	if (n == -EAGAIN && (tern_poll(r->st, p->s) & TERN_POLLRDHUP))
		return 0;
	if (n == -EAGAIN && call_blocks(c, o->flags))
		return CALL_WAIT_RECV;
	return n;
}

/* Of these a stream of the stack's gives another answer than an AF_UNIX one. */
static bool is_kernels(const struct call *c, int flags)
{
	return c->pair->type == SOCK_STREAM && !(flags & (MSG_TRUNC | MSG_ERRQUEUE));
}

int64_t on_recvfrom(struct run *r, struct call *c)
{
	static struct order o;
	struct msghdr m = { 0 };
	int32_t room = 0;
	socklen_t len;
	int64_t n;

	if (is_kernels(c, (int)c->args[3]))
		return CALL_CONTINUE; /* no address is told, here as there */
	if (c->args[5] && !tracee_read(c, c->args[5], &room, sizeof(room)))
		return -EFAULT;
	o = (struct order){
		.n_iov = 1, .name = c->args[4], .name_len = (uint64_t)room, .flags = (int)c->args[3]
	};
	if (room < 0)
		o.name = 0;
	o.iov[0] = (struct iovec){ (void *)(uintptr_t)c->args[1], c->args[2] };
	n = recv_one(r, c, &o, &m);
	if (n >= 0 && room < 0) /* as Linux: what was received is lost */
		return -EINVAL;
	len = m.msg_namelen;
	if (n >= 0 && c->args[5] && !tracee_write(c, c->args[5], &len, sizeof(len)))
		return -EFAULT;
	return n;
}

/* ---- msghdr ---- */

/* false: EFAULT, EINVAL or EMSGSIZE, in *err. */
static bool read_order(const struct call *c, uint64_t at, int flags, struct order *o, int *err)
{
	struct msghdr m;

	*err = -EFAULT;
	if (!tracee_read(c, at, &m, sizeof(m)))
		return false;
	o->name = (uintptr_t)m.msg_name;
	o->name_len = m.msg_name ? m.msg_namelen : 0;
	if (m.msg_name && (int32_t)m.msg_namelen < 0) {
		*err = -EINVAL;
		return false;
	}
	if (o->name_len > sizeof(struct sockaddr_storage))
		o->name_len = sizeof(struct sockaddr_storage);
	o->control = (uintptr_t)m.msg_control;
	o->control_len = m.msg_control ? m.msg_controllen : 0;
	o->flags = flags;
	o->n_iov = tracee_iov(c, (uintptr_t)m.msg_iov, m.msg_iovlen, o->iov);
	*err = o->n_iov;
	return o->n_iov >= 0;
}

static int64_t send_message(struct run *r, struct call *c, uint64_t at, int flags)
{
	static struct order o;
	int err;

	if (!read_order(c, at, flags, &o, &err))
		return err;
	if (!o.name_len)
		o.name = 0;
	return send_one(r, c, &o);
}

static int64_t recv_message(struct run *r, struct call *c, uint64_t at, int flags)
{
	static struct order o;
	struct msghdr m, is = { 0 };
	int64_t n;
	int err;

	if (!read_order(c, at, flags, &o, &err))
		return err;
	n = recv_one(r, c, &o, &is);
	if (n < 0)
		return n;
	if (!tracee_read(c, at, &m, sizeof(m)))
		return -EFAULT;
	m.msg_namelen = is.msg_namelen;
	m.msg_controllen = is.msg_controllen;
	m.msg_flags = is.msg_flags | (flags & MSG_CMSG_CLOEXEC); /* told as it was asked for */
	return tracee_write(c, at, &m, sizeof(m)) ? n : -EFAULT;
}

int64_t on_sendmsg(struct run *r, struct call *c)
{
	return send_message(r, c, c->args[1], (int)c->args[2]);
}

int64_t on_recvmsg(struct run *r, struct call *c)
{
	if (is_kernels(c, (int)c->args[2]))
		return CALL_CONTINUE;
	return recv_message(r, c, c->args[1], (int)c->args[2]);
}

typedef int64_t one_message(struct run *, struct call *, uint64_t at, int flags);

/* How long it may take, of a recvmmsg; it is looked at after each. */
static bool is_late(const struct call *c, tern_time limit)
{
	return limit != TERN_NEVER && loop_now() - c->began >= limit;
}

static bool tell_length(const struct call *c, uint64_t at, uint64_t n)
{
	uint32_t len = (uint32_t)n;

	return tracee_write(c, at + offsetof(struct mmsghdr, msg_len), &len, sizeof(len));
}

/*
 * As many as there are, and go; the first decides the result. What an earlier look has done is
 * done; of a message that has gone in part that is told at once, because it may be all.
 */
static int64_t each_message(struct run *r, struct call *c, one_message *each, tern_time limit)
{
	uint64_t n = c->args[2] < MESSAGES_MAX ? c->args[2] : MESSAGES_MAX;
	int flags = (int)c->args[3] & ~MSG_WAITFORONE;
	int64_t got = 0;

	while (c->messages < n) {
		uint64_t at = c->args[1] + c->messages * sizeof(struct mmsghdr);

		if (c->messages > 0 && (c->args[3] & MSG_WAITFORONE))
			flags |= MSG_DONTWAIT;
		got = each(r, c, at, flags);
		if (got == CALL_WAIT_RECV || got == CALL_WAIT_SEND) {
			if (c->done > 0)
				tell_length(c, at, c->done);
			return got;
		}
		if (got < 0 || !tell_length(c, at, (uint64_t)got))
			break;
		c->done = 0;
		c->messages++;
		if (is_late(c, limit))
			break;
	}
	return c->messages > 0 || n == 0 ? (int64_t)c->messages : got;
}

int64_t on_sendmmsg(struct run *r, struct call *c)
{
	return each_message(r, c, send_message, TERN_NEVER);
}

/* The time-out is looked at after a datagram alone, and what is left of it is told: Linux's. */
int64_t on_recvmmsg(struct run *r, struct call *c)
{
	struct timespec t;
	tern_time whole, spent;
	int64_t n;

	if (c->pair->type == SOCK_STREAM)
		return CALL_CONTINUE;
	if (!c->args[4])
		return each_message(r, c, recv_message, TERN_NEVER);
	if (!tracee_read(c, c->args[4], &t, sizeof(t)))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= (long)TERN_SEC)
		return -EINVAL;
	whole = (tern_time)t.tv_sec * TERN_SEC + (tern_time)t.tv_nsec;
	n = each_message(r, c, recv_message, whole);
	if (n == CALL_WAIT_RECV)
		return n;
	spent = loop_now() - c->began;
	whole = spent < whole ? whole - spent : 0;
	t = (struct timespec){ (time_t)(whole / TERN_SEC), (long)(whole % TERN_SEC) };
	return n < 0 || tracee_write(c, c->args[4], &t, sizeof(t)) ? n : -EFAULT;
}
