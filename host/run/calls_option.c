/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_option.c - options and requests: which are the stack's, which the AF_UNIX socket's.
 *
 * How long a native read or write waits is decided where it waits, in the kernel; so are the
 * options about that. All else is the stack's, which knows Linux's numbers and says ENOPROTOOPT
 * to what it has not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../loop/close.h"
#include "../loop/cmsg.h"
#include "../loop/ifreq.h"
#include "inside.h"

/* a struct group_filter with 64 sources fits: net.ipv4.igmp_max_msf */
enum { OPTION_MAX = 9216, INTERFACES_MAX = 64 };

enum where {
	STACK,
	KERNEL,	 /* the AF_UNIX socket's own, as it is called */
	NOWHERE, /* EOPNOTSUPP: it could only be pretended */
};

static const struct {
	int name;
	enum where where;
} socket_options[] = {
	{ 20, KERNEL }, /* SO_RCVTIMEO and SO_SNDTIMEO, and those of 64-bit time */
	{ 21, KERNEL },		  { 66, KERNEL },	    { 67, KERNEL },
	{ SO_RCVLOWAT, KERNEL },  { SO_PEEK_OFF, KERNEL },  { SO_COOKIE, KERNEL },
	{ SO_ZEROCOPY, NOWHERE }, { SO_OOBINLINE, KERNEL }, { SO_BUSY_POLL, KERNEL },
};

static enum where where_is(int level, int name)
{
	if (level != SOL_SOCKET)
		return STACK;
	for (size_t i = 0; i < sizeof(socket_options) / sizeof(socket_options[0]); i++)
		if (socket_options[i].name == name)
			return socket_options[i].where;
	return STACK;
}

/* ---- getsockopt ---- */

/* The error of the connection, once; the kernel's own of the AF_UNIX socket goes with it. */
static int32_t take_error(struct run *r, struct call *c)
{
	struct pair *p = c->pair;
	int kernel = 0;
	socklen_t len = sizeof(kernel);
	int32_t err = 0;
	size_t err_len = sizeof(err);

	getsockopt(c->dup, SOL_SOCKET, SO_ERROR, &kernel, &len);
	if (p->type == SOCK_STREAM && p->fd < 0 && kernel == 0)
		return 0; /* a native call has had it */
	if (p->so_error) {
		err = kernel || !p->error_shown || p->type == SOCK_STREAM ? p->so_error : 0;
		p->so_error = 0;
		return err;
	}
	if (p->s && p->state != PAIR_CONNECTING)
		tern_getsockopt(r->st, p->s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &err_len);
	return err;
}

/*
 * The socket that has the options; of a connection that is over there is none, and a fresh one
 * stands in for it, with what the program has set. 0 or a negative errno.
 */
static int begin_options(struct run *r, const struct pair *p, tern_sock *out)
{
	int err = 0;

	*out = p->s;
	if (!p->s)
		err = tern_socket(r->st, p->family, p->type, p->protocol, out);
	if (!p->s && !err)
		said_again(r, p, *out);
	return err;
}

static void end_options(struct run *r, const struct pair *p, tern_sock s)
{
	if (!p->s)
		tern_close(r->st, s);
}

static int get_of_stack(struct run *r, const struct pair *p, const struct call *c, void *value,
			size_t *len)
{
	tern_sock s;
	int err = begin_options(r, p, &s);

	if (err)
		return err;
	err = option_get(r->st, s, (int)c->args[1], (int)c->args[2], value, len);
	end_options(r, p, s);
	return err;
}

static int get_value(struct run *r, struct call *c, void *value, size_t *len)
{
	int level = (int)c->args[1], name = (int)c->args[2];

	if (level == SOL_SOCKET && name == SO_ERROR)
		option_put_number(level, take_error(r, c), value, len);
	else if (cmsg_is_stamp(level, name))
		option_put_number(level, (c->pair->controls & cmsg_wanted_by(level, name)) != 0,
				  value, len);
	else if (cork_is_option(c->pair->type, level, name))
		option_put_number(level, c->pair->cork.on, value, len);
	else if (idle_option_is(level, name))
		idle_option_get(&c->pair->idle, level, name, value, len);
	else
		return get_of_stack(r, c->pair, c, value, len);
	return 0;
}

/* What is asked for stands where the answer goes. */
static bool is_filter(int level, int name)
{
	return (level == IPPROTO_IP && (name == IP_MSFILTER || name == MCAST_MSFILTER)) ||
	       (level == IPPROTO_IPV6 && name == MCAST_MSFILTER);
}

int64_t on_getsockopt(struct run *r, struct call *c)
{
	uint8_t value[OPTION_MAX];
	int32_t room, is;
	size_t len;
	int err;

	switch (where_is((int)c->args[1], (int)c->args[2])) {
	case KERNEL:
		return CALL_CONTINUE;
	case NOWHERE:
		return -EOPNOTSUPP;
	case STACK:
		break;
	}
	if (!tracee_read(c, c->args[4], &room, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	len = (size_t)room < sizeof(value) ? (size_t)room : sizeof(value);
	memset(value, 0, sizeof(value));
	if (is_filter((int)c->args[1], (int)c->args[2]) && !tracee_read(c, c->args[3], value, len))
		return -EFAULT;
	err = get_value(r, c, value, &len);
	if (err)
		return err;
	is = (int32_t)len;
	if (!tracee_write(c, c->args[3], value, len) ||
	    !tracee_write(c, c->args[4], &is, sizeof(is)))
		return -EFAULT;
	return 0;
}

/* ---- setsockopt ---- */

static void note_option(struct run *r, struct pair *p, int level, int name, const uint8_t *value,
			size_t len)
{
	int on = 0;

	if (len > 0 && option_read_number(level, value, len, &on) == 0)
		control_note_option(p, level, name, on != 0);
	said_note(p, level, name, value, len);
	if (p->far)
		option_set(r->st, p->far, level, name, value, len);
}

static int set_of_stack(struct run *r, struct call *c, const uint8_t *value, size_t len)
{
	int level = (int)c->args[1], name = (int)c->args[2], err;
	tern_sock s;

	err = begin_options(r, c->pair, &s);
	if (err)
		return err;
	err = option_set(r->st, s, level, name, value, len);
	end_options(r, c->pair, s);
	return err;
}

int64_t on_setsockopt(struct run *r, struct call *c)
{
	int level = (int)c->args[1], name = (int)c->args[2];
	int32_t len = (int32_t)c->args[4];
	uint8_t value[OPTION_MAX];
	int err;

	switch (where_is(level, name)) {
	case KERNEL:
		return CALL_CONTINUE;
	case NOWHERE:
		return -EOPNOTSUPP;
	case STACK:
		break;
	}
	if (len < 0 || len > OPTION_MAX)
		return -EINVAL;
	if (!tracee_read(c, c->args[3], value, (size_t)len))
		return -EFAULT;
	/* what was written before goes as it was to go then */
	if (c->pair->s && c->pair->type != SOCK_STREAM && !letters_flush(r, c->pair))
		return CALL_WAIT_SEND;
	if (cork_is_option(c->pair->type, level, name))
		return cork_set(&c->pair->cork, r->st, far_or_near(r, c->pair, NULL), value,
				(size_t)len);
	if (idle_option_is(level, name))
		return idle_option_set(&c->pair->idle, level, name, value, (size_t)len);
	if (cmsg_is_stamp(level, name)) /* the stack stamps each packet */
		err = len < (int32_t)sizeof(int) ? -EINVAL : 0;
	else
		err = set_of_stack(r, c, value, (size_t)len);
	if (!err)
		note_option(r, c->pair, level, name, value, (size_t)len);
	return err;
}

/* ---- ioctl ---- */

/* A number of the stack's, or its error; what lies in the pair is to be sent, too. */
static int64_t tell_queued(const struct call *c, int n)
{
	int32_t v = c->pair->state == PAIR_OPEN ? n + pump_untaken(c->pair) : n;

	if (n < 0)
		return n;
	return tracee_write(c, c->args[2], &v, sizeof(v)) ? 0 : -EFAULT;
}

static int64_t get_unacknowledged(struct run *r, struct call *c)
{
	tern_sock s = c->pair->s;
	int32_t n = 0;
	size_t len = sizeof(n);
	int err = s ? tern_getsockopt(r->st, s, TERN_SOL_SOCKET, TERN_SO_SIOCOUTQ, &n, &len) : 0;

	return tell_queued(c, err ? err : n);
}

static int64_t get_unsent(struct run *r, struct call *c)
{
	if (c->pair->type != SOCK_STREAM)
		return -ENOTTY;
	return tell_queued(c, c->pair->s ? stream_unsent(r->st, c->pair->s) : 0);
}

static int64_t list_interfaces(struct run *r, struct call *c)
{
	struct ifreq all[INTERFACES_MAX];
	struct ifconf conf;
	unsigned n = ifreq_list(r->st, all, INTERFACES_MAX), room;

	if (!tracee_read(c, c->args[2], &conf, sizeof(conf)))
		return -EFAULT;
	n = n < INTERFACES_MAX ? n : INTERFACES_MAX;
	room = conf.ifc_len > 0 ? (unsigned)conf.ifc_len / (unsigned)sizeof(all[0]) : 0;
	if (conf.ifc_buf && n > room)
		n = room;
	conf.ifc_len = (int)(n * sizeof(all[0]));
	if ((conf.ifc_buf && !tracee_write(c, (uintptr_t)conf.ifc_buf, all, n * sizeof(all[0]))) ||
	    !tracee_write(c, c->args[2], &conf, sizeof(conf)))
		return -EFAULT;
	return 0;
}

static int64_t tell_interface(struct run *r, struct call *c)
{
	struct ifreq one;
	int err;

	if (!tracee_read(c, c->args[2], &one, sizeof(one)))
		return -EFAULT;
	err = ifreq_get(r->st, (unsigned long)c->args[1], &one);
	if (err)
		return err;
	return tracee_write(c, c->args[2], &one, sizeof(one)) ? 0 : -EFAULT;
}

int64_t on_ioctl(struct run *r, struct call *c)
{
	switch ((uint32_t)c->args[1]) {
	case SIOCOUTQ:
		return get_unacknowledged(r, c);
	case SIOCOUTQNSD:
		return get_unsent(r, c);
	case SIOCATMARK: /* the mark is in the pair, of a stream */
		return c->pair->type == SOCK_STREAM ? CALL_CONTINUE : -ENOTTY;
	case SIOCGIFCONF:
		return list_interfaces(r, c);
	default:
		return tell_interface(r, c);
	}
}
