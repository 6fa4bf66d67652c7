/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor.c - tern doctor: what does this machine lack, and what mends it?
 *
 * Each line is something that was tried, not a version that was compared.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/run/run.h"
#include "args.h"
#include "cmd.h"

enum verdict { GOOD, LESS, BAD };

struct finding {
	enum verdict verdict;
	const char *what; /* is there, or is lost */
	const char *cure; /* NULL: none is needed */
};

/* What a child that tries it exits with; the machine of whoever asks stays as it is. */
static int try_in_child(int (*attempt)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(attempt() ? 1 : 0);
	if (child < 0)
		return -1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static struct finding look_at_calls(void)
{
	switch (run_probe()) {
	case RUN_PROBE_GOOD:
		return (struct finding){ GOOD, "stopped calls can be answered, and interrupted",
					 NULL };
	case RUN_PROBE_OTHER_MACHINE:
		return (struct finding){ BAD, "calls are stopped on x86-64 and arm64 alone",
					 "tern run --netns" };
	case RUN_PROBE_NO_RESTART:
		return (struct finding){ LESS, "calls that wait under tern run do not hear signals",
					 "a kernel of 5.19 or later" };
	case RUN_PROBE_BUSY:
		return (struct finding){
			BAD, "another supervisor already answers this process's calls",
			"start it outside of that: of tern run, a container runtime's "
			"agent, or WSL's relay"
		};
	default:
		return (struct finding){
			BAD, "system calls cannot be stopped and answered",
			"a kernel of 5.14 or later with CONFIG_SECCOMP_FILTER; in a "
			"container, a seccomp profile that allows seccomp(2)"
		};
	}
}

static int leave_network_attempt(void)
{
	return unshare(CLONE_NEWNET) == 0 ? 0 : unshare(CLONE_NEWUSER | CLONE_NEWNET);
}

static struct finding look_at_namespaces(void)
{
	if (try_in_child(leave_network_attempt) == 0)
		return (struct finding){ GOOD, "programs get a network namespace of their own",
					 NULL };
	return (struct finding){ LESS,
				 "programs keep the host's network beside tern's: what is not a "
				 "socket call tern knows could reach it",
				 "sysctl -w kernel.unprivileged_userns_clone=1 "
				 "user.max_user_namespaces=10000" };
}

/* A copy of a descriptor of a child's; below 0: it cannot be had. */
static int look_at_child(void)
{
	int ends[2], status, result = -1;
	char byte;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) < 0);
	}
	if (child > 0) {
		int fd = (int)syscall(SYS_pidfd_open, child, 0);

		result = fd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, fd, ends[0], 0);
	}
	close(ends[1]);
	if (child > 0)
		waitpid(child, &status, 0);
	return result;
}

static struct finding look_at_descriptors(void)
{
	if (look_at_child() >= 0)
		return (struct finding){ GOOD, "a program's descriptors can be looked at", NULL };
	return (struct finding){ BAD, "a program's descriptors cannot be looked at",
				 "sysctl -w kernel.yama.ptrace_scope=1; in a container, "
				 "--cap-add SYS_PTRACE" };
}

static struct finding look_at_tap(void)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err;

	if (fd >= 0) {
		err = ioctl(fd, TUNSETIFF, &req);
		close(fd);
		if (err == 0)
			return (struct finding){ GOOD, "TAP devices can be made", NULL };
	}
	return (struct finding){ LESS, "no TAP device can be made: --dev tap and tun need one",
				 "ip tuntap add tern0 mode tap user $USER (as root, once)" };
}

static int echo_socket_attempt(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP) < 0 ? -1 : 0;
}

/* One setting is for both versions of IP. */
static struct finding look_at_echoes(void)
{
	if (try_in_child(echo_socket_attempt) == 0)
		return (struct finding){ GOOD, "pings go through the gateway", NULL };
	return (struct finding){ LESS, "pings through the gateway are lost without a word",
				 "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" "
				 "(as root)" };
}

static struct finding look_at_limit(void)
{
	static char text[80];
	struct rlimit l = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &l);
	snprintf(text, sizeof(text), "at most %llu sockets at once (open files)",
		 (unsigned long long)l.rlim_max);
	return (struct finding){ l.rlim_max < 4096 ? LESS : GOOD, text,
				 l.rlim_max < 4096 ? "ulimit -Hn 1048576 (as root)" : NULL };
}

static void print_help(void)
{
	printf("usage: tern doctor\n\n"
	       "Tries what tern run, its gateway and the devices need here. Each line says what\n"
	       "is there, or what is lost and what mends it.\n\n"
	       "Exit: 0 when tern run works here; 1 when it does not.\n\n");
}

static enum taken take_no_option(struct args *a, void *ctx)
{
	(void)a;
	(void)ctx;
	return UNKNOWN;
}

int cmd_doctor(int argc, char **argv)
{
	static struct finding (*const looks[])(void) = { look_at_calls,	     look_at_descriptors,
							 look_at_namespaces, look_at_limit,
							 look_at_echoes,     look_at_tap };
	static const char *const word[] = { [GOOD] = "ok  ", [LESS] = "less", [BAD] = "no  " };
	struct args a = args_of("tern doctor", argc, argv);
	int code = args_read(&a, print_help, take_no_option, NULL);
	bool works = true;

	if (code >= 0)
		return code;
	if (a.n_words)
		return args_error(&a, "'%s': it takes no words", a.word[0]);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct finding f = looks[i]();

		works = works && f.verdict != BAD;
		printf("%s  %s\n", word[f.verdict], f.what);
		if (f.cure)
			printf("      %s\n", f.cure);
	}
	printf("tern run %s here\n", works ? "works" : "does not work");
	return works ? EXIT_DONE : EXIT_NO;
}
