/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.c - socket options: those of the blocking layer itself; all others are the stack's.
 *
 * Time-outs, corks and the control messages that are asked for are known here.
 */
#define _GNU_SOURCE
#include <errno.h>
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

static void get_timeout(tern_time t, void *value, size_t *len)
{
	struct timeval tv = { 0 };

	if (t != TERN_NEVER)
		tv = (struct timeval){ (time_t)(t / TERN_SEC),
				       (suseconds_t)(t % TERN_SEC / TERN_US) };
	*len = *len < sizeof(tv) ? *len : sizeof(tv);
	memcpy(value, &tv, *len);
}

/* ---- SO_BUSY_POLL: microseconds that a call turns before it sleeps ---- */

static int set_spin(struct file *f, const void *value, socklen_t len)
{
	int v = 0, err = option_read_number(SOL_SOCKET, value, len, &v);

	if (err)
		return err;
	if (v < 0)
		return -EINVAL;
	f->spin = (tern_time)v * TERN_US;
	return 0;
}

/* ---- the calls ---- */

static int set_wanted(struct sem *sem, struct file *f, int level, int name, const void *value,
		      socklen_t len)
{
	int on = 0, err = option_read_number(level, value, len, &on);

	if (!err && !cmsg_is_stamp(level, name)) /* the stack stamps each packet */
		err = tern_setsockopt(sem->st, f->sock, level, name, value, len);
	if (!err)
		cmsg_note_option(&f->cmsgs, level, name, on != 0);
	return err;
}

int sem_setsockopt(struct sem *sem, struct file *f, int level, int name, const void *value,
		   socklen_t len)
{
	tern_time *timeout = timeout_of(f, level, name);

	if ((int)len < 0)
		return -EINVAL;
	if (!value && len)
		return -EFAULT;
	if (timeout)
		return set_timeout(timeout, value, len);
	if (level == SOL_SOCKET && name == SO_BUSY_POLL)
		return set_spin(f, value, len);
	if (cork_is_option(f->type, level, name))
		return cork_set(&f->cork, sem->st, f->sock, value, len);
	if (idle_option_is(level, name))
		return idle_option_set(&f->idle, level, name, value, len);
	if (cmsg_wanted_by(level, name))
		return set_wanted(sem, f, level, name, value, len);
	return option_set(sem->st, f->sock, level, name, value, len);
}

static int get_value(struct sem *sem, struct file *f, int level, int name, void *value, size_t *len)
{
	const tern_time *timeout = timeout_of(f, level, name);
	uint32_t wanted = cmsg_wanted_by(level, name);

	if (level == SOL_SOCKET && name == SO_ERROR && f->broken_off)
		option_put_number(level, -sem_take_error(f), value, len);
	else if (timeout)
		get_timeout(*timeout, value, len);
	else if (level == SOL_SOCKET && name == SO_BUSY_POLL)
		option_put_number(level, (int)(f->spin / TERN_US), value, len);
	else if (cork_is_option(f->type, level, name))
		option_put_number(level, f->cork.on, value, len);
	else if (idle_option_is(level, name))
		idle_option_get(&f->idle, level, name, value, len);
	else if (wanted)
		option_put_number(level, (f->cmsgs & wanted) != 0, value, len);
	else
		return option_get(sem->st, f->sock, level, name, value, len);
	return 0;
}

int sem_getsockopt(struct sem *sem, struct file *f, int level, int name, void *value,
		   socklen_t *len)
{
	size_t size;
	int err;

	if (!len || (!value && *len))
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	size = *len;
	err = get_value(sem, f, level, name, value, &size);
	if (!err)
		*len = (socklen_t)size;
	return err;
}
