/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ready.c - poll, select and epoll_wait over descriptors of both kinds.
 *
 * What is ours is asked of the stack, the rest of the kernel; who finds nothing sleeps on both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "os.h"

static bool is_socket_of_ours(int fd)
{
	return number_is_ours(fd);
}

/* ---- poll ---- */

/* The kernel's entries of a poll, copied out; our own as watches. */
struct both {
	struct pollfd *kernel;
	nfds_t n_kernel;
	struct watch *watch;
	const sigset_t *mask; /* while it sleeps; NULL: as it is */
};

static bool make_both(nfds_t n, struct both *b)
{
	b->kernel = malloc((n + 1) * sizeof(*b->kernel));
	b->watch = malloc((n + 1) * sizeof(*b->watch));
	return b->kernel && b->watch;
}

/* At each look: while it slept, another thread may have closed a number, or given it anew. */
static void take_apart(const struct pollfd *fds, nfds_t n, struct both *b)
{
	b->n_kernel = 0;
	for (nfds_t i = 0; i < n; i++)
		if (!is_socket_of_ours(fds[i].fd))
			b->kernel[b->n_kernel++] = fds[i];
}

/* What the kernel says of its own now, back where it came from. How many are ready. */
static int ask_kernel(struct posix *p, struct pollfd *fds, nfds_t n, struct both *b)
{
	struct timespec now = { 0, 0 };
	int ready;
	nfds_t k = 0;

	epoll_prune(&p->sem);
	ready = b->n_kernel ? ppoll(b->kernel, b->n_kernel, &now, NULL) : 0;
	for (nfds_t i = 0; i < n; i++)
		if (!is_socket_of_ours(fds[i].fd))
			fds[i].revents = ready > 0 ? b->kernel[k++].revents : 0;
	return ready > 0 ? ready : 0;
}

static int ask_stack(struct posix *p, struct pollfd *fds, nfds_t n)
{
	int ready = 0;

	for (nfds_t i = 0; i < n; i++)
		if (is_socket_of_ours(fds[i].fd))
			ready += sem_poll_now(&p->sem, &fds[i]);
	return ready;
}

static int sleep_on_both(struct posix *p, struct pollfd *fds, nfds_t n, struct both *b,
			 tern_time until)
{
	struct waiter w = { .watch = b->watch, .mask = b->mask };
	int err;

	for (nfds_t i = 0; i < n; i++) {
		struct file *f = sem_file(&p->sem, fds[i].fd);

		if (f && f->kind == FILE_SOCKET)
			watch_begin(&w, f, (unsigned short)fds[i].events);
	}
	err = posix_wait(p, &w, until, true, b->kernel, b->n_kernel);
	watch_end(&w);
	return err;
}

static int poll_both(struct posix *p, struct pollfd *fds, nfds_t n, tern_time timeout,
		     const sigset_t *mask)
{
	tern_time until = sem_until(&p->sem, timeout);
	struct both b = { .mask = mask };
	int ready = -ENOMEM, err = 0;

	if (make_both(n, &b)) {
		for (;;) {
			p->sem.world.pump(p);
			take_apart(fds, n, &b);
			ready = ask_kernel(p, fds, n, &b) + ask_stack(p, fds, n);
			if (ready || err || loop_now() >= until)
				break;
			err = sleep_on_both(p, fds, n, &b, until);
		}
		ready = ready ? ready : err;
	}
	free(b.kernel);
	free(b.watch);
	return ready;
}

static int poll_for(struct pollfd *fds, nfds_t n, tern_time timeout, const sigset_t *mask)
{
	struct posix *p = posix_peek();
	int ready;

	posix_lock(p);
	ready = poll_both(p, fds, n, timeout, mask);
	posix_unlock(p);
	if (ready >= 0)
		return ready;
	errno = -ready;
	return -1;
}

/* The kernel is to be asked alone; it may be asked of a set of ours. */
static void prune_sets(void)
{
	struct posix *p = posix_peek();

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	epoll_prune(&p->sem);
	pthread_mutex_unlock(&p->lock);
}

static bool any_ours(const struct pollfd *fds, nfds_t n)
{
	if (!posix_peek())
		return false;
	for (nfds_t i = 0; i < n; i++)
		if (is_socket_of_ours(fds[i].fd))
			return true;
	return false;
}

/* As Linux: a time that is none is EINVAL. */
static bool is_time(const struct timespec *t)
{
	if (!t || (t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)TERN_SEC))
		return true;
	errno = EINVAL;
	return false;
}

static tern_time duration_of(const struct timespec *t)
{
	return t ? (tern_time)t->tv_sec * TERN_SEC + (tern_time)t->tv_nsec : TERN_NEVER;
}

int tern_posix_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		     const sigset_t *mask)
{
	if (!any_ours(fds, n)) {
		prune_sets();
		return ppoll(fds, n, timeout, mask);
	}
	if (!is_time(timeout))
		return -1;
	return poll_for(fds, n, duration_of(timeout), mask);
}

int tern_posix_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (!any_ours(fds, n)) {
		prune_sets();
		return poll(fds, n, timeout_ms);
	}
	return poll_for(fds, n, timeout_ms < 0 ? TERN_NEVER : (tern_time)timeout_ms * TERN_MS,
			NULL);
}

/* ---- select ---- */

enum {
	READS = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
	WRITES = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
	EXCEPTS = POLLPRI,
};

static nfds_t to_pollfds(int n, const fd_set *r, const fd_set *w, const fd_set *x,
			 struct pollfd *out)
{
	nfds_t k = 0;

	for (int fd = 0; fd < n; fd++) {
		short events = (short)((r && FD_ISSET(fd, r) ? POLLIN | POLLRDNORM : 0) |
				       (w && FD_ISSET(fd, w) ? POLLOUT | POLLWRNORM : 0) |
				       (x && FD_ISSET(fd, x) ? POLLPRI : 0));

		if (events)
			out[k++] = (struct pollfd){ .fd = fd, .events = events };
	}
	return k;
}

static int keep_bits(fd_set *set, const struct pollfd *fds, nfds_t n, int which)
{
	int count = 0;

	for (nfds_t i = 0; set && i < n; i++) {
		if (!FD_ISSET(fds[i].fd, set))
			continue;
		if (fds[i].revents & which)
			count++;
		else
			FD_CLR(fds[i].fd, set);
	}
	return count;
}

int tern_posix_pselect(int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *timeout,
		       const sigset_t *mask)
{
	struct pollfd fds[FD_SETSIZE];
	nfds_t n_fds;
	int ready;

	if (n < 0 || n > FD_SETSIZE) {
		errno = EINVAL;
		return -1;
	}
	n_fds = to_pollfds(n, r, w, x, fds);
	if (!any_ours(fds, n_fds)) {
		prune_sets();
		return pselect(n, r, w, x, timeout, mask);
	}
	if (!is_time(timeout))
		return -1;
	ready = poll_for(fds, n_fds, duration_of(timeout), mask);
	if (ready < 0)
		return -1;
	for (nfds_t i = 0; i < n_fds; i++)
		if (fds[i].revents & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
	ready = keep_bits(r, fds, n_fds, READS);
	ready += keep_bits(w, fds, n_fds, WRITES);
	return ready + keep_bits(x, fds, n_fds, EXCEPTS);
}

/* As Linux, it leaves what is left of the time. */
int tern_posix_select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *timeout)
{
	tern_time began = loop_now(), whole, spent;
	struct timespec t;
	int ready;

	if (!timeout)
		return tern_posix_pselect(n, r, w, x, NULL, NULL);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
		errno = EINVAL;
		return -1;
	}
	t = (struct timespec){ timeout->tv_sec + timeout->tv_usec / 1000000,
			       timeout->tv_usec % 1000000 * 1000 };
	ready = tern_posix_pselect(n, r, w, x, &t, NULL);
	whole = duration_of(&t);
	spent = loop_now() - began;
	whole = spent < whole ? whole - spent : 0;
	*timeout = (struct timeval){ (time_t)(whole / TERN_SEC),
				     (suseconds_t)(whole % TERN_SEC / TERN_US) };
	return ready;
}

/* ---- epoll ---- */

/* What the kernel's part says for the hidden descriptor; no program's pointer looks so. */
static const uint64_t hidden_mark = 0xfeedc0de7e2d0001;

static struct file *set_of(struct posix *p, int fd)
{
	struct file *f = sem_file(&p->sem, fd);

	return f && f->kind == FILE_EPOLL ? f : NULL;
}

/* An epoll descriptor of the kernel's becomes a set of ours, too, with its first socket of ours. */
static int make_set(struct posix *p, int fd, struct file **out)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = hidden_mark };
	struct file *set = file_new(FILE_EPOLL);
	int err = -ENOMEM;

	if (!set)
		return err;
	set->set_fd = fd;
	set->hidden_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (set->hidden_fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, set->hidden_fd, &ev) != 0)
		err = -errno; /* EBADF, or EINVAL: it is no set */
	else if (sem_name(&p->sem, fd, set))
		err = 0;
	if (!err)
		number_note(fd, NUMBER_SET);
	if (err && set->hidden_fd >= 0)
		close(set->hidden_fd);
	if (err)
		free(set);
	else
		*out = set;
	return err;
}

int tern_posix_epoll_create1(int flags)
{
	return epoll_create1(flags);
}

int tern_posix_epoll_ctl(int fd, int op, int member, struct epoll_event *ev)
{
	struct posix *p = posix_peek();
	struct file *set;
	int err = 0;

	if (!p || !is_socket_of_ours(member))
		return epoll_ctl(fd, op, member, ev);
	if (!ev && op != EPOLL_CTL_DEL) {
		errno = EFAULT;
		return -1;
	}
	posix_lock(p);
	set = set_of(p, fd);
	if (!set)
		err = is_socket_of_ours(fd) ? -EINVAL : make_set(p, fd, &set);
	if (!err)
		err = epoll_change(&p->sem, set, op, member, ev);
	posix_unlock(p);
	if (err)
		errno = -err;
	return err ? -1 : 0;
}

/* Of the kernel's own members, less the hidden one. */
static int collect_kernel(struct posix *p, const struct file *set, struct epoll_event *out, int max)
{
	int n, kept = 0;

	epoll_prune(&p->sem);
	n = epoll_wait(set->set_fd, out, max, 0);

	for (int i = 0; i < n; i++)
		if (out[i].data.u64 != hidden_mark)
			out[kept++] = out[i];
	return n < 0 ? -errno : kept;
}

static int sleep_on_set(struct posix *p, struct file *set, tern_time until, const sigset_t *mask)
{
	struct pollfd kernel = { .fd = set->set_fd, .events = POLLIN };
	struct watch watch;
	struct waiter w = { .watch = &watch, .mask = mask };
	int err;

	watch_begin(&w, set, TERN_POLLIN);
	err = posix_wait(p, &w, until, true, &kernel, 1);
	watch_end(&w);
	return set->ended ? -EBADF : err;
}

static int wait_for_set(struct posix *p, struct file *set, struct epoll_event *out, int max,
			tern_time until, const sigset_t *mask)
{
	int n = 0, err = 0, kernel;

	/* one that has ended has no number, though another may have it */
	while (n == 0 && !set->ended) {
		p->sem.world.pump(p);
		n = epoll_collect(&p->sem, set, out, max);
		kernel = n < max ? collect_kernel(p, set, out + n, max - n) : 0;
		if (kernel > 0)
			n += kernel;
		if (n || err || loop_now() >= until)
			break;
		err = sleep_on_set(p, set, until, mask);
	}
	return n ? n : err;
}

int tern_posix_epoll_pwait(int fd, struct epoll_event *out, int max, int timeout_ms,
			   const sigset_t *mask)
{
	tern_time timeout = timeout_ms < 0 ? TERN_NEVER : (tern_time)timeout_ms * TERN_MS;
	struct posix *p = posix_peek();
	struct file *set = NULL;
	int n;

	if (p) {
		posix_lock(p);
		set = set_of(p, fd);
		if (!set)
			posix_unlock(p);
	}
	if (!set) {
		prune_sets();
		return epoll_pwait(fd, out, max, timeout_ms, mask);
	}
	set->n_calls++;
	n = max > 0 ? wait_for_set(p, set, out, max, sem_until(&p->sem, timeout), mask) : -EINVAL;
	sem_end_call(&p->sem, set);
	posix_unlock(p);
	if (n >= 0)
		return n;
	errno = -n;
	return -1;
}

int tern_posix_epoll_wait(int fd, struct epoll_event *out, int max, int timeout_ms)
{
	return tern_posix_epoll_pwait(fd, out, max, timeout_ms, NULL);
}
