/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * side.h - one side of the twins as a process: twin_plain on the kernel, twin_posix on the POSIX
 * layer.
 */
#ifndef TERN_TEST_TWIN_SIDE_H
#define TERN_TEST_TWIN_SIDE_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/dev/dev.h"

enum { PATH_LEN = 200, SECONDS = 30 };

/* Where this program is, and with it both sides. false: nobody knows. */
static inline bool find_place(char place[static PATH_LEN])
{
	ssize_t len = readlink("/proc/self/exe", place, PATH_LEN - 1);

	if (len < 0)
		return false;
	place[len] = '\0';
	if (!strrchr(place, '/'))
		return false;
	*strrchr(place, '/') = '\0';
	return true;
}

/*
 * A loopback of its own, where it may have one: another program's port is never in the way of one
 * that a program binds by its number.
 */
static inline void leave_other_ports(void)
{
	char error[DEV_ERROR_MAX];

	if (unshare(CLONE_NEWNET) == 0 && host_link_up("lo", error) != 0)
		_exit(98);
}

/* Runs what twin.c knows by that name; what it says goes into the file at path. */
static inline pid_t start_side(const char *place, bool on_kernel, const char *name, bool v6,
			       const char *path)
{
	char program[PATH_LEN + 20];
	pid_t pid = fork();

	if (pid)
		return pid;
	snprintf(program, sizeof(program), "%s/twin_%s", place, on_kernel ? "plain" : "posix");
	if (on_kernel)
		leave_other_ports();
	alarm(SECONDS);
	execl(program, "twin", name, v6 ? "6" : "4", path, (char *)NULL);
	_exit(99);
}

/* Its wait status; 0: it ended well. */
static inline int wait_for_side(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

#endif
