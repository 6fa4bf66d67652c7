/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch.c - tern's side of starting the program: the keeper's birth and its news.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../loop/loop.h"
#include "inside.h"

/* One message of the keeper's, and the descriptor that came with it. false: it has gone. */
static bool read_news(int control, int flags, struct news *n, int *fd)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = n, .iov_len = sizeof(*n) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c;
	ssize_t got;

	*fd = -1;
	errno = 0; /* it stays so at the end */
	do
		got = recvmsg(control, &m, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*n))
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return true;
}

static bool explain(struct run_wish *w, const struct news *n)
{
	const char *hint = "";

	if (n->error == EBUSY)
		hint = " (something already answers the calls of this process, such as another "
		       "tern run: run it outside)";
	else if (strcmp(n->what, "the seccomp filter") == 0 || w->kernel_tcp)
		hint = " (try 'tern doctor')";
	snprintf(w->error, sizeof(w->error), "%s: %s%s", n->what, strerror(n->error), hint);
	return false;
}

/* Goes on until the program runs, or cannot. */
static bool await_start(struct run *r, struct run_wish *w)
{
	struct news n;
	int fd;

	for (;;) {
		if (!read_news(r->keeper, 0, &n, &fd)) {
			snprintf(w->error, sizeof(w->error), "the program could not be started");
			return false;
		}
		n.what[sizeof(n.what) - 1] = 0;
		if (n.kind == NEWS_FAILED)
			return explain(w, &n);
		if (n.kind == NEWS_LISTENER)
			r->listener = fd;
		r->first = n.kind == NEWS_STARTED ? n.status : 0;
		if (n.kind == NEWS_STARTED)
			return r->listener >= 0;
	}
}

/* As execvp finds it; false: it does not, and will say so. */
static bool find_program(const char *name, char path[PATH_MAX])
{
	const char *dir = getenv("PATH"), *end;

	if (strchr(name, '/'))
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && access(path, X_OK) == 0;
	for (; dir && *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - dir), dir, name) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Programs that would run, but not as is meant. */
static bool suits(struct run_wish *w)
{
	char path[PATH_MAX];
	struct stat s;

	if (!find_program(w->argv[0], path) || stat(path, &s) != 0)
		return true;
	if (((s.st_mode & S_ISUID) && s.st_uid != geteuid()) ||
	    ((s.st_mode & S_ISGID) && s.st_gid != getegid())) {
		snprintf(w->error, sizeof(w->error),
			 "%.100s is setuid and would get no rights here: run tern as the user it "
			 "needs",
			 path);
		return false;
	}
	if (!w->kernel_tcp && access(path, R_OK) != 0) {
		snprintf(w->error, sizeof(w->error),
			 "%.100s cannot be read, so that its calls cannot be answered: try --netns",
			 path);
		return false;
	}
	return true;
}

bool launch(struct run *r, struct run_wish *w)
{
	int control[2];

	if (!w->kernel_tcp && !filter_is_known()) {
		snprintf(w->error, sizeof(w->error),
			 "calls are stopped on x86-64 and arm64 alone: try --netns");
		return false;
	}
	if (!suits(w))
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) {
		snprintf(w->error, sizeof(w->error), "socketpair: %s", strerror(errno));
		return false;
	}
	r->keeper_pid = fork();
	if (r->keeper_pid == 0) {
		close(control[0]);
		keep(control[1], w, r->st);
	}
	close(control[1]);
	r->keeper = control[0];
	if (r->keeper_pid < 0) {
		snprintf(w->error, sizeof(w->error), "fork: %s", strerror(errno));
		return false;
	}
	loop_raise_descriptor_limit(); /* one for each socket; the program keeps its own */
	return await_start(r, w);
}

void launch_news(struct run *r)
{
	struct news n;
	int fd;

	while (r->keeper >= 0 && read_news(r->keeper, MSG_DONTWAIT, &n, &fd))
		if (n.kind == NEWS_EXITED) {
			r->first_ended = true;
			r->first = 0;
			r->status = n.status;
			if (r->passed_on)
				keeper_signal_children(r->keeper_pid, r->passed_on);
		}
	if (r->keeper < 0 || errno == EAGAIN)
		return;
	close(r->keeper); /* the last process of the tree has ended, and the keeper with it */
	r->keeper = -1;
	r->over = true;
	while (waitpid(r->keeper_pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
