/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.c - who starts the program, and sees to it that nothing of it is left behind.
 *
 * The keeper is a small process between tern and the program. Orphans of the program's tree become
 * its children, so it knows when the last has ended; and it ends them all when tern goes, however
 * that comes to pass: its socket to tern is closed then.
 *
 * It has no filter, but for a moment it shares its table of descriptors with the program: so
 * the listener, which the filter makes in the program, can be sent to tern by a call that is
 * not stopped, and without the right to take descriptors out of other processes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../dev/own_socket.h"
#include "inside.h"

struct keeper {
	int control;	    /* to tern */
	int up[2], down[2]; /* pipes from and to the program before it is one */
	int signals;
	pid_t first;
	const struct tern_stack *st; /* as it was: a copy that nobody moves */
};

/* ---- the program's side, before it is the program ---- */

static _Noreturn void give_up(const struct keeper *k, const char *what)
{
	struct news n = { .kind = NEWS_FAILED, .error = errno };

	snprintf(n.what, sizeof(n.what), "%s", what);
	if (write(k->up[1], &n, sizeof(n)) != (ssize_t)sizeof(n))
		_exit(126);
	_exit(127);
}

static void reset_signals(const sigset_t *old)
{
	signal(SIGPIPE, SIG_DFL); /* what the supervisor ignores for itself */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL); /* one that came meanwhile is the program's */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, old, NULL);
}

/* What would reach the kernel's network fails instead; a machine may have no namespaces. */
static void enter_namespaces(const struct keeper *k, const struct run_wish *w)
{
	bool inside = !w->kernel_tcp && !w->fallback && netns_enter();

	if (inside)
		netns_show(k->st);
	if (w->resolv_conf && (!inside || !resolv_file_show(w->resolv_conf)))
		fprintf(stderr, "tern run: the program asks the host's name servers: no namespace "
				"for a resolv.conf of its own\n");
}

static _Noreturn void become_program(const struct keeper *k, const struct run_wish *w,
				     const sigset_t *mask)
{
	struct news n = { .kind = NEWS_LISTENER };
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_namespaces(k, w);
	n.status = w->kernel_tcp ? netns_make(w->netns) : filter_install();
	if (n.status < 0)
		give_up(k, w->kernel_tcp ? "the network namespace" : "the seccomp filter");
	if (write(k->up[1], &n, sizeof(n)) != (ssize_t)sizeof(n) || read(k->down[0], &byte, 1) != 1)
		_exit(126);
	if (unshare(CLONE_FILES) != 0)
		give_up(k, "unshare");
	n.kind = NEWS_STARTED;
	if (write(k->up[1], &n, sizeof(n)) != (ssize_t)sizeof(n) || read(k->down[0], &byte, 1) != 1)
		_exit(126);
	reset_signals(mask);
	execvp(w->argv[0], w->argv);
	give_up(k, w->argv[0]);
}

/* ---- the keeper's side ---- */

static bool tell(const struct keeper *k, const struct news *n, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)n, .iov_len = sizeof(*n) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = room;
		m.msg_controllen = sizeof(room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(k->control, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*n);
}

static _Noreturn void fail_with(const struct keeper *k, const char *what)
{
	struct news n = { .kind = NEWS_FAILED, .error = errno };

	snprintf(n.what, sizeof(n.what), "%s", what);
	tell(k, &n, -1);
	_exit(1);
}

/*
 * What the program has to say before it is one; false: it has ended, or its end of the pipe has
 * closed, which is how exec is seen.
 */
static bool hear(const struct keeper *k, struct news *n)
{
	struct pollfd fds[2] = { { .fd = k->up[0], .events = POLLIN },
				 { .fd = k->signals, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		continue;
	if (!fds[0].revents && fds[1].revents)
		return false;
	return read(k->up[0], n, sizeof(*n)) == (ssize_t)sizeof(*n);
}

static void hear_or_end(const struct keeper *k, struct news *n, enum news_kind want)
{
	if (!hear(k, n)) {
		errno = ECHILD;
		fail_with(k, "starting");
	}
	if (n->kind != (int32_t)want) {
		tell(k, n, -1);
		_exit(1);
	}
}

/* The parent of a process, or 0. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	p = strrchr(text, ')'); /* the name may hold anything */
	return p && strlen(p) > 4 ? (pid_t)strtol(p + 4, NULL, 10) : 0;
}

void keeper_signal_children(pid_t keeper, int sig)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && parent_of(e->d_name) == keeper)
			kill((pid_t)strtol(e->d_name, NULL, 10), sig);
	if (dir)
		closedir(dir);
}

/* Reaps what has ended; false: nothing is left. */
static bool reap(const struct keeper *k)
{
	struct news n = { .kind = NEWS_EXITED };
	pid_t pid;

	while ((pid = waitpid(-1, &n.status, WNOHANG)) > 0)
		if (pid == k->first)
			tell(k, &n, -1);
	return pid == 0;
}

static _Noreturn void watch(const struct keeper *k, const struct run_wish *w)
{
	struct pollfd fds[2] = { { .fd = k->control, .events = POLLIN },
				 { .fd = k->signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	bool end = false;

	while (reap(k)) {
		if (end) {
			/* theirs become ours, so it is done until there are none */
			keeper_signal_children(getpid(), SIGKILL);
			poll(NULL, 0, 1);
			continue;
		}
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents && read(k->signals, &info, sizeof(info)) < 0)
			continue;
		end = fds[0].revents != 0;
	}
	for (int i = 0; end && i < RUN_REMOVE_MAX; i++)
		if (w->remove[i])
			own_socket_remove(w->remove[i]);
	_exit(0);
}

/* Not every C library has a function for it. */
static void close_from_to(unsigned first, unsigned last)
{
	syscall(SYS_close_range, first, last, 0);
}

/* Only what it needs: descriptors of tern's must not live on in it. */
static void close_others(struct keeper *k)
{
	int keep[2] = { k->control, k->signals };

	if (keep[0] > keep[1]) {
		keep[0] = k->signals;
		keep[1] = k->control;
	}
	close_from_to(STDERR_FILENO + 1, (unsigned)keep[0] - 1);
	if (keep[1] > keep[0] + 1)
		close_from_to((unsigned)keep[0] + 1, (unsigned)keep[1] - 1);
	close_from_to((unsigned)keep[1] + 1, ~0u);
}

pid_t fork_with_descriptors(void)
{
	const long flags = CLONE_FILES | SIGCHLD;

#ifdef __s390__ /* clone(2): the stack comes first */
	return (pid_t)syscall(SYS_clone, NULL, flags, NULL, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
#endif
}

static void start_program(struct keeper *k, const struct run_wish *w, const sigset_t *mask)
{
	struct news n;
	int listener;

	k->first = fork_with_descriptors();
	if (k->first < 0)
		fail_with(k, "fork");
	if (k->first == 0)
		become_program(k, w, mask);
	hear_or_end(k, &n, NEWS_LISTENER);
	listener = n.status;
	n.status = 0;
	if (!tell(k, &n, listener))
		_exit(1);
	close(listener);
	if (write(k->down[1], "", 1) != 1)
		fail_with(k, "starting");
	hear_or_end(k, &n, NEWS_STARTED);
	close(k->up[1]); /* the program has a table of its own now */
	if (write(k->down[1], "", 1) != 1)
		fail_with(k, "starting");
	if (hear(k, &n)) { /* exec has failed */
		tell(k, &n, -1);
		_exit(1);
	}
	n = (struct news){ .kind = NEWS_STARTED, .status = k->first };
	tell(k, &n, -1);
}

_Noreturn void keep(int control, const struct run_wish *w, const struct tern_stack *st)
{
	struct keeper k = { .control = control, .st = st };
	sigset_t all, mask;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	k.signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (k.signals < 0 || pipe2(k.up, O_CLOEXEC) != 0 || pipe2(k.down, O_CLOEXEC) != 0)
		fail_with(&k, "pipes");
	start_program(&k, w, &mask);
	close_others(&k);
	watch(&k, w);
}
