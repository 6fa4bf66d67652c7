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

bool probe_restart(void)
{
	int go[2], tell[2], fd = -1, status = 1;
	bool good = false;
	pid_t child;

	if (pipe2(go, O_CLOEXEC) != 0)
		return false;
	if (pipe2(tell, O_CLOEXEC) != 0) {
		close(go[0]);
		close(go[1]);
		return false;
	}
	/* as fork, but with one table of descriptors: so the listener is ours as well */
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		probe_child(go[0], tell[1]);
	if (child > 0 && read(tell[0], &fd, sizeof(fd)) == (ssize_t)sizeof(fd) && fd >= 0)
		good = write(go[1], "", 1) == 1 && answer_restart(fd, child);
	if (child > 0 && !good)
		kill(child, SIGKILL);
	if (child > 0)
		waitpid(child, &status, 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(tell[i]);
	}
	if (fd >= 0)
		close(fd);
	return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
