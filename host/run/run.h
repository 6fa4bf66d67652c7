/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - an unmodified program, and all that it starts, with its sockets on a stack of tern's.
 *
 * The program's calls that make, name and ask about Internet sockets are stopped by the kernel
 * (seccomp user notification) and answered here; its bytes go through AF_UNIX pairs, one for each
 * socket, so that every descriptor it has is a real one for its whole life.
 *
 *	loop_pump(&l);
 *	run_turn(r);
 *	struct pollfd own = { run_fd(r), POLLIN, 0 };
 *	loop_wait(&l, run_deadline(r), &own, 1);
 */
#ifndef TERN_HOST_RUN_H
#define TERN_HOST_RUN_H

#include "../../include/tern.h"

enum { RUN_ERROR_MAX = 200, RUN_REMOVE_MAX = 4 };

struct run;

/* An interface of the program's network namespace. */
struct run_netns {
	struct tern_addr addr, addr6, router, router6; /* or AF_UNSPEC */
	unsigned len, len6;			       /* of prefixes */
	uint32_t mtu;				       /* 0: 1500 */
};

struct run_wish {
	char *const *argv; /* PROG ARGS, ends with NULL */
	/*
	 * Where the program's 127.0.0.0/8 and ::1 lead when nothing of its own listens there: the
	 * addresses of a gateway that stand for the host's loopback; AF_UNSPEC: nowhere else.
	 */
	struct tern_addr loopback, loopback6;
	/* Files that are removed when the supervisor is gone and cannot do it; NULL: none. */
	const char *remove[RUN_REMOVE_MAX];
	/*
	 * With kernel_tcp the program's sockets are the kernel's, in a network whose only way out
	 * is run_device. Else they are on tern, and what asks the kernel for interfaces is shown
	 * the stack's, as they are when the program starts.
	 */
	bool kernel_tcp;
	const struct run_netns *netns; /* of kernel_tcp */
	/*
	 * What the program reads as resolv.conf(5); NULL: the host's. Not with kernel_tcp and
	 * fallback; where a user may make no namespaces a line on standard error says so.
	 */
	const char *resolv_conf;
	bool fallback; /* what cannot be on tern may be on the kernel; else it is an error */
	char error[RUN_ERROR_MAX]; /* one line that says what to do, when NULL is returned */
};

/*
 * Starts the program; its sockets are the stack's, whose events are all this supervisor's. With
 * kernel_tcp there is no stack: NULL.
 */
struct run *run_start(struct tern_stack *, struct run_wish *);
/* With kernel_tcp: the far side of the program's network, for fd_open, which takes a copy. */
int run_device(const struct run *);
/* Ends whatever of the program still lives. NULL is allowed. */
void run_free(struct run *);

int run_fd(const struct run *); /* readable while run_turn has something to do */
void run_turn(struct run *);	/* answers calls, takes the stack's events, moves bytes */
tern_time run_deadline(const struct run *); /* run_turn is due then at the latest */

/*
 * The first process has ended: its wait status in *status. Others of its tree may live on; those
 * that do not either: run_is_over.
 */
bool run_exited(const struct run *, int *status);
bool run_is_over(const struct run *);
/* Does a stream hold what the program has written and the stack has not taken yet? */
bool run_has_unsaid(const struct run *);
/* Sends the first process a signal; when that has ended, what it has left in the background. */
void run_signal(struct run *, int sig);

/* What of this the kernel lets us do; it is tried. */
enum run_probe {
	RUN_PROBE_GOOD,
	RUN_PROBE_OTHER_MACHINE, /* whose calls are not known here: kernel_tcp alone */
	RUN_PROBE_NO_RESTART,	 /* calls that wait do not hear signals: before Linux 5.19 */
	RUN_PROBE_BUSY,		 /* another supervisor answers this process's calls already */
	RUN_PROBE_NO_CALLS,	 /* calls cannot be stopped and answered */
};
enum run_probe run_probe(void);

struct run_counts {
	uint64_t on_tern, on_kernel; /* Internet sockets */
	uint64_t bytes_sent, bytes_received;
};
struct run_counts run_counts(const struct run *);

#endif
