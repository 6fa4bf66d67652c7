/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.c - does the kernel take "begin it again" as the answer to a stopped call?
 *
 * It does so without saying so anywhere; so it is tried, with a child that has one call stopped
 * and a signal waiting. It ends with EINTR when all is well, and with another error when it is
 * not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"

static void do_nothing(int sig)
{
	(void)sig;
}

/* The child: the call it makes is stopped, and a signal has come before. */
static _Noreturn void probe_child(int go, int tell)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };
	struct sigaction act = { .sa_handler = do_nothing }; /* no SA_RESTART */
	char byte;
	int fd;

	sigaction(SIGUSR1, &act, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER | (1UL << 5), &prog);
	if (fd < 0)
		fd = -errno;
	if (write(tell, &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0 ||
	    read(go, &byte, 1) != 1)
		_exit(2);
	_exit(syscall(SYS_getppid) == -1 && errno == EINTR ? 0 : 1);
}

static bool answer_restart(int listener, pid_t child)
{
	union {
		struct seccomp_notif notif;
		char room[512];
	} u;
	struct seccomp_notif_resp resp = { .error = -512 };

	memset(&u, 0, sizeof(u));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &u.notif) != 0)
		return false;
	kill(child, SIGUSR1);
	resp.id = u.notif.id;
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0;
}

/* What became of the child that was told to go. */
static enum run_probe outcome(pid_t child, bool good)
{
	int status = 1;

	if (!good)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return good ? RUN_PROBE_GOOD : RUN_PROBE_NO_RESTART;
}

static enum run_probe try_child(const int go[2], const int tell[2])
{
	pid_t child = fork_with_descriptors(); /* so the listener is ours as well */
	enum run_probe result;
	int fd = -1;

	if (child == 0)
		probe_child(go[0], tell[1]);
	if (child < 0)
		return RUN_PROBE_NO_CALLS;
	if (read(tell[0], &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0) {
		outcome(child, false);
		return fd == -EBUSY  ? RUN_PROBE_BUSY :
		       fd == -EINVAL ? RUN_PROBE_NO_RESTART :
				       RUN_PROBE_NO_CALLS;
	}
	result = outcome(child, write(go[1], "", 1) == 1 && answer_restart(fd, child));
	close(fd);
	return result;
}

enum run_probe run_probe(void)
{
	enum run_probe result = RUN_PROBE_NO_CALLS;
	int go[2], tell[2];

	if (!filter_is_known())
		return RUN_PROBE_OTHER_MACHINE;
	if (pipe2(go, O_CLOEXEC) != 0)
		return result;
	if (pipe2(tell, O_CLOEXEC) == 0) {
		result = try_child(go, tell);
		close(tell[0]);
		close(tell[1]);
	}
	close(go[0]);
	close(go[1]);
	return result;
}
