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
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#include "../loop/cmsg.h"
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

static const int accepted[] = { SO_DEBUG, SO_DONTROUTE, SO_NO_CHECK, SO_BUSY_POLL,
				SO_INCOMING_CPU };

/* Its bit; 0: it is none of them. */
static uint32_t accepted_bit(int level, int name)
{
	for (unsigned i = 0; level == SOL_SOCKET && i < sizeof(accepted) / sizeof(accepted[0]); i++)
		if (accepted[i] == name)
			return 1u << i;
	return 0;
}

static int read_flag(const void *value, socklen_t len, bool *out)
{
	int v;

	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	*out = v != 0;
	return 0;
}

static int set_bit(uint32_t *bits, uint32_t bit, const void *value, socklen_t len)
{
	bool on;
	int err = read_flag(value, len, &on);

	if (!err)
		*bits = on ? *bits | bit : *bits & ~bit;
	return err;
}

static void get_bit(uint32_t bits, uint32_t bit, void *value, socklen_t *len)
{
	int v = (bits & bit) != 0;

	copy_out(&v, sizeof(v), value, len);
}

/* ---- interfaces by name ---- */

static unsigned index_of(const struct tern_stack *st, const char *name)
{
	struct tern_iface i;

	for (unsigned n = tern_iface_next(st, 0); n; n = tern_iface_next(st, n))
		if (tern_iface_get(st, n, &i) == 0 && strcmp(i.name, name) == 0)
			return n;
	return 0;
}

static int bind_to_device(struct sem *sem, struct file *f, const void *value, socklen_t len)
{
	char name[IF_NAMESIZE] = "";
	int index = 0;

	memcpy(name, value, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
	if (name[0]) {
		index = (int)index_of(sem->st, name);
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

/* The stack stamps each packet; the others it must be told of. */
static bool is_stamp(uint32_t wanted)
{
	return (wanted & (CMSG_WANT_TIMESTAMP | CMSG_WANT_TIMESTAMPNS)) != 0;
}

int sem_setsockopt(struct sem *sem, struct file *f, int level, int name, const void *value,
		   socklen_t len)
{
	tern_time *timeout = timeout_of(f, level, name);
	uint32_t wanted = cmsg_wanted_by(level, name);
	uint32_t bit = accepted_bit(level, name);
	int err = 0;
	bool on;

	if ((int)len < 0)
		return -EINVAL;
	if (!value && len)
		return -EFAULT;
	if (timeout)
		return set_timeout(timeout, value, len);
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bind_to_device(sem, f, value, len);
	if (bit)
		return set_bit(&f->accepted_flags, bit, value, len);
	if (!is_stamp(wanted))
		err = tern_setsockopt(sem->st, f->sock, level, plain_name(level, name), value, len);
	if (err || !wanted)
		return err;
	err = read_flag(value, len, &on);
	if (!err)
		cmsg_note_option(&f->cmsgs, level, name, on);
	return err;
}

int sem_getsockopt(struct sem *sem, struct file *f, int level, int name, void *value,
		   socklen_t *len)
{
	const tern_time *timeout = timeout_of(f, level, name);
	uint32_t wanted = cmsg_wanted_by(level, name);
	uint32_t bit = accepted_bit(level, name);
	size_t size = *len;
	int err;

	if ((int)*len < 0)
		return -EINVAL;
	if (timeout) {
		get_timeout(*timeout, value, len);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bound_device(sem, f, value, len);
	if (bit || wanted) {
		get_bit(bit ? f->accepted_flags : f->cmsgs, bit ? bit : wanted, value, len);
		return 0;
	}
	err = tern_getsockopt(sem->st, f->sock, level, plain_name(level, name), value, &size);
	if (!err)
		*len = (socklen_t)size;
	return err;
}
