/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.c - socket options: those of the blocking layer itself; all others are the stack's.
 *
 * Time-outs, control messages that are asked for, and names of interfaces are known here. A few
 * options of Linux's mean nothing on a stack that is a process's own: they are accepted, told back,
 * and have no effect.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>

#include "../loop/cmsg.h"
#include "../loop/ifreq.h"
#include "sem.h"

enum { RCVTIMEO_NEW = 66, SNDTIMEO_NEW = 67 }; /* the same struct where time_t has 64 bits */

/* ---- time-outs ---- */

static tern_time *timeout_of(struct file *f, int level, int name)
{
	if (level != SOL_SOCKET)
		return NULL;
	if (name == SO_RCVTIMEO || name == RCVTIMEO_NEW)
		return &f->recv_timeout;
	return name == SO_SNDTIMEO || name == SNDTIMEO_NEW ? &f->send_timeout : NULL;
}

static int set_timeout(tern_time *out, const void *value, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0) /* Linux: as if it were over */
		*out = 0;
	else if (tv.tv_sec == 0 && tv.tv_usec == 0)
		*out = TERN_NEVER;
	else if ((tern_time)tv.tv_sec >= TERN_NEVER / TERN_SEC)
		*out = TERN_NEVER;
	else
		*out = (tern_time)tv.tv_sec * TERN_SEC + (tern_time)tv.tv_usec * TERN_US;
	return 0;
}

static void copy_out(const void *value, socklen_t size, void *out, socklen_t *len)
{
	if (*len > size)
		*len = size;
	memcpy(out, value, *len);
}

static void get_timeout(tern_time t, void *value, socklen_t *len)
{
	struct timeval tv = { 0 };

	if (t != TERN_NEVER)
		tv = (struct timeval){ (time_t)(t / TERN_SEC),
				       (suseconds_t)(t % TERN_SEC / TERN_US) };
	copy_out(&tv, sizeof(tv), value, len);
}

/* ---- accepted without effect ---- */

static const struct {
	int level, name;
	int min, max; /* others are EINVAL */
	bool flag;
} accepted[] = {
	{ SOL_SOCKET, SO_DEBUG, INT_MIN, INT_MAX, true },
	{ SOL_SOCKET, SO_DONTROUTE, INT_MIN, INT_MAX, true },
	{ SOL_SOCKET, SO_NO_CHECK, INT_MIN, INT_MAX, true },
	{ SOL_SOCKET, SO_INCOMING_CPU, INT_MIN, INT_MAX, false },
	{ SOL_SOCKET, SO_PRIORITY, INT_MIN, INT_MAX, false },
	{ SOL_SOCKET, SO_MARK, INT_MIN, INT_MAX, false },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, INT_MIN, INT_MAX, true },
};
enum { N_ACCEPTED = sizeof(accepted) / sizeof(accepted[0]) };
_Static_assert((int)N_ACCEPTED <= (int)SEM_ACCEPTED, "a file remembers them all");

/* N_ACCEPTED: it is none of them. */
static unsigned find_accepted(int level, int name)
{
	unsigned i = 0;

	while (i < N_ACCEPTED && (accepted[i].level != level || accepted[i].name != name))
		i++;
	return i;
}

bool option_is_accepted(int level, int name)
{
	return find_accepted(level, name) < N_ACCEPTED;
}

/* Of level IP one byte is a number, too, as Linux has it. */
static int read_number(int level, const void *value, socklen_t len, int *out)
{
	if (len < sizeof(*out) && (level != IPPROTO_IP || len == 0))
		return -EINVAL;
	if (len < sizeof(*out))
		*out = *(const uint8_t *)value;
	else
		memcpy(out, value, sizeof(*out));
	return 0;
}

static int set_accepted(struct file *f, unsigned i, const void *value, socklen_t len)
{
	int v = 0, err = read_number(accepted[i].level, value, len, &v);

	if (err)
		return err;
	if (v < accepted[i].min || v > accepted[i].max)
		return -EINVAL;
	f->accepted[i] = accepted[i].flag ? v != 0 : v;
	return 0;
}

static void put_number(int level, int v, void *value, socklen_t *len)
{
	uint8_t byte = (uint8_t)v;

	if (level == IPPROTO_IP && *len > 0 && *len < sizeof(v) && v >= 0 && v <= 255)
		copy_out(&byte, sizeof(byte), value, len);
	else
		copy_out(&v, sizeof(v), value, len);
}

/* ---- SO_BUSY_POLL: microseconds that a call turns before it sleeps ---- */

static int set_spin(struct file *f, const void *value, socklen_t len)
{
	int v = 0, err = read_number(SOL_SOCKET, value, len, &v);

	if (err)
		return err;
	if (v < 0)
		return -EINVAL;
	f->spin = (tern_time)v * TERN_US;
	return 0;
}

/* ---- interfaces by name ---- */

static int bind_to_device(struct sem *sem, struct file *f, const void *value, socklen_t len)
{
	char name[IF_NAMESIZE] = "";
	int index = 0;

	memcpy(name, value, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
	if (name[0]) {
		index = (int)ifreq_index_of(sem->st, name);
		if (!index)
			return -ENODEV;
	}
	return tern_setsockopt(sem->st, f->sock, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index,
			       sizeof(index));
}

static int bound_device(struct sem *sem, struct file *f, void *value, socklen_t *len)
{
	struct tern_iface i;
	size_t size = sizeof(int);
	int index = 0;

	tern_getsockopt(sem->st, f->sock, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index, &size);
	if (!index || tern_iface_get(sem->st, (unsigned)index, &i)) {
		*len = 0;
		return 0;
	}
	if (*len < IF_NAMESIZE)
		return -EINVAL;
	copy_out(i.name, (socklen_t)strlen(i.name) + 1, value, len);
	return 0;
}

/* ---- the calls ---- */

/* SO_RCVBUFFORCE is for the administrator: on a stack of one's own, everybody. */
static int plain_name(int level, int name)
{
	if (level != SOL_SOCKET)
		return name;
	return name == SO_RCVBUFFORCE ? SO_RCVBUF : name == SO_SNDBUFFORCE ? SO_SNDBUF : name;
}

static int set_wanted(struct sem *sem, struct file *f, int level, int name, const void *value,
		      socklen_t len)
{
	int on = 0, err = read_number(level, value, len, &on);

	if (!err && !cmsg_is_stamp(level, name)) /* the stack stamps each packet */
		err = tern_setsockopt(sem->st, f->sock, level, name, value, len);
	if (!err)
		cmsg_note_option(&f->cmsgs, level, name, on != 0);
	return err;
}

static int set_cork(struct sem *sem, struct file *f, const void *value, socklen_t len)
{
	int v = 0, err = read_number(IPPROTO_UDP, value, len, &v);

	if (err)
		return err;
	f->cork.on = v != 0;
	if (!v)
		cork_push(&f->cork, sem->st, f->sock);
	return 0;
}

static bool is_cork(const struct file *f, int level, int name)
{
	return level == IPPROTO_UDP && name == UDP_CORK && f->type == SOCK_DGRAM;
}

int sem_setsockopt(struct sem *sem, struct file *f, int level, int name, const void *value,
		   socklen_t len)
{
	tern_time *timeout = timeout_of(f, level, name);
	unsigned i = find_accepted(level, name);

	if ((int)len < 0)
		return -EINVAL;
	if (!value && len)
		return -EFAULT;
	if (timeout)
		return set_timeout(timeout, value, len);
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bind_to_device(sem, f, value, len);
	if (level == SOL_SOCKET && name == SO_BUSY_POLL)
		return set_spin(f, value, len);
	if (is_cork(f, level, name))
		return set_cork(sem, f, value, len);
	if (i < N_ACCEPTED)
		return set_accepted(f, i, value, len);
	if (cmsg_wanted_by(level, name))
		return set_wanted(sem, f, level, name, value, len);
	return tern_setsockopt(sem->st, f->sock, level, plain_name(level, name), value, len);
}

/* Of level IP a number below 256 fits one byte, if there is room for less than four: as Linux. */
static int get_from_stack(struct sem *sem, struct file *f, int level, int name, void *value,
			  socklen_t *len)
{
	size_t size = *len;
	int v, err;

	if (level == IPPROTO_IP && size > 0 && size < sizeof(v)) {
		size = sizeof(v);
		err = tern_getsockopt(sem->st, f->sock, level, name, &v, &size);
		if (!err)
			put_number(level, v, value, len);
		return err;
	}
	err = tern_getsockopt(sem->st, f->sock, level, plain_name(level, name), value, &size);
	if (!err)
		*len = (socklen_t)size;
	return err;
}

int sem_getsockopt(struct sem *sem, struct file *f, int level, int name, void *value,
		   socklen_t *len)
{
	const tern_time *timeout = timeout_of(f, level, name);
	uint32_t wanted = cmsg_wanted_by(level, name);
	unsigned i = find_accepted(level, name);

	if (!len || (!value && *len))
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	if (timeout) {
		get_timeout(*timeout, value, len);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bound_device(sem, f, value, len);
	if (level == SOL_SOCKET && name == SO_BUSY_POLL)
		put_number(level, (int)(f->spin / TERN_US), value, len);
	else if (is_cork(f, level, name))
		put_number(level, f->cork.on, value, len);
	else if (i < N_ACCEPTED)
		put_number(level, f->accepted[i], value, len);
	else if (wanted)
		put_number(level, (f->cmsgs & wanted) != 0, value, len);
	else
		return get_from_stack(sem, f, level, name, value, len);
	return 0;
}
