/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracee.c - the caller of a stopped call: its memory, and its descriptors.
 *
 * A descriptor is known by the inode of the socket behind it, read anew for each call: dup,
 * close and fork are not seen here. A copy of it is held only while the call is looked at,
 * because the hang-up of our end is how the last close is known. Whatever was found by the
 * number of a thread is used only after the kernel has said that the call is still the one that
 * was read.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "inside.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

bool tracee_is_valid(const struct run *r, const struct call *c)
{
	uint64_t id = c->id;

	return ioctl(r->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

unsigned long tracee_number(const char *path, const char *key, unsigned long otherwise)
{
	size_t len = strlen(key);
	char line[128];
	FILE *f = fopen(path, "re");

	if (!f)
		return otherwise;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) != 0)
			continue;
		otherwise = strtoul(line + len, NULL, 0);
		break;
	}
	fclose(f);
	return otherwise;
}

/* The process of a thread; a thread that is one is its own. */
static pid_t process_of(pid_t tid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	return (pid_t)tracee_number(path, "Tgid:", (unsigned long)tid);
}

void tracee_signal(const struct run *r, const struct call *c, int sig)
{
	pid_t process = process_of(c->tid);

	if (tracee_is_valid(r, c))
		syscall(SYS_tgkill, process, c->tid, sig);
}

/* Before 6.9 only processes have such a descriptor, not threads. */
static int open_thread(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_pidfd_open, process_of(tid), 0);
	return fd;
}

static uint64_t ino_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

static bool has_cookie(int fd, uint64_t cookie)
{
	uint64_t is = 0;
	socklen_t len = sizeof(is);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &is, &len) == 0 && is == cookie;
}

int tracee_find(struct run *r, struct call *c)
{
	int fd = (int)c->args[0], err;

	c->pidfd = open_thread(c->tid);
	if (c->pidfd >= 0)
		c->dup = (int)syscall(SYS_pidfd_getfd, c->pidfd, fd, 0);
	err = errno;
	if (!tracee_is_valid(r, c)) /* it died, and the number may be another's */
		return -ESRCH;
	if (c->dup < 0) {
		if (err == EBADF)
			return CALL_CONTINUE; /* the kernel says the same */
		run_warn(r,
			 "descriptor %d of process %d cannot be looked at: %s; its call is refused",
			 fd, (int)c->tid, strerror(err));
		return -EPERM;
	}
	c->pair = pair_by_ino(r, ino_of(c->dup));
	if (!c->pair || (c->pair->state == PAIR_DEAD && !has_cookie(c->dup, c->pair->cookie))) {
		c->pair = NULL;
		return CALL_CONTINUE;
	}
	c->pair->tid = c->tid;
	c->pair->tid_fd = fd;
	return 0;
}

void tracee_forget(struct call *c)
{
	if (c->dup >= 0)
		close(c->dup);
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->dup = c->pidfd = -1;
}

/* ---- an end that no call has named ---- */

static int take(struct pair *p, pid_t tid, int number)
{
	int thread = open_thread(tid);
	int fd = thread < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, thread, number, 0);

	if (thread >= 0)
		close(thread);
	if (fd >= 0 && (ino_of(fd) != p->ino || !has_cookie(fd, p->cookie))) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		p->tid = tid;
		p->tid_fd = number;
	}
	return fd;
}

static int take_from(struct pair *p, const char *pid)
{
	char path[64], link[80], want[40];
	struct dirent *e;
	DIR *dir;
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	snprintf(want, sizeof(want), "socket:[%llu]", (unsigned long long)p->ino);
	dir = opendir(path);
	while (dir && fd < 0 && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = 0;
		if (strcmp(link, want) == 0)
			fd = take(p, (pid_t)strtol(pid, NULL, 10),
				  (int)strtol(e->d_name, NULL, 10));
	}
	if (dir)
		closedir(dir);
	return fd;
}

int tracee_end_of(struct run *r, struct pair *p)
{
	int fd = p->tid ? take(p, p->tid, p->tid_fd) : -1;
	struct dirent *e;
	DIR *dir;

	if (fd >= 0 || r->over)
		return fd;
	dir = opendir("/proc");
	while (dir && fd < 0 && (e = readdir(dir)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    strtol(e->d_name, NULL, 10) != getpid())
			fd = take_from(p, e->d_name);
	if (dir)
		closedir(dir);
	return fd;
}

/* ---- memory ---- */

bool tracee_read(const struct call *c, uint64_t at, void *to, size_t len)
{
	struct iovec here = { to, len }, there = { (void *)(uintptr_t)at, len };

	return len == 0 || process_vm_readv(c->tid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

bool tracee_write(const struct call *c, uint64_t at, const void *from, size_t len)
{
	struct iovec here = { (void *)(uintptr_t)from, len },
		     there = { (void *)(uintptr_t)at, len };

	return len == 0 || process_vm_writev(c->tid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

int tracee_iov(const struct call *c, uint64_t at, uint64_t n, struct iovec *out)
{
	if (n > TRACEE_IOV_MAX)
		return -EMSGSIZE;
	return tracee_read(c, at, out, n * sizeof(*out)) ? (int)n : -EFAULT;
}

int64_t tracee_gather(const struct call *c, const struct iovec *iov, int n, void *to, size_t cap)
{
	size_t len = 0;

	for (int i = 0; i < n && len < cap; i++) {
		size_t part = iov[i].iov_len < cap - len ? iov[i].iov_len : cap - len;

		if (!tracee_read(c, (uintptr_t)iov[i].iov_base, (char *)to + len, part))
			return -EFAULT;
		len += part;
	}
	return (int64_t)len;
}

int64_t tracee_scatter(const struct call *c, const struct iovec *iov, int n, const void *from,
		       size_t len)
{
	size_t done = 0;

	for (int i = 0; i < n && done < len; i++) {
		size_t part = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

		if (!tracee_write(c, (uintptr_t)iov[i].iov_base, (const char *)from + done, part))
			return -EFAULT;
		done += part;
	}
	return (int64_t)done;
}
