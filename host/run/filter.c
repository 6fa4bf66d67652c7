/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.c - which system calls of the program stop and ask, and which are refused.
 *
 * One table of calls becomes a classic BPF program. The architecture is looked at first: a
 * foreign one (i386 programs on x86-64, 32-bit ones on arm64, x32) numbers its calls
 * differently and would reach the kernel's network unseen, so its socket calls do not exist.
 * Calls that the table does not name are the kernel's and cost nothing. See seccomp(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum rule_kind {
	STOP,	       /* always asks */
	STOP_INET,     /* asks when args[0] is AF_INET or AF_INET6 */
	STOP_SENDS,    /* asks when args[4] is not NULL, or args[3] has one of those flags */
	STOP_RECEIVES, /* the same of receives; or of one octet, which may ask for a connection */
	STOP_REQUEST,  /* asks when args[1] is one of requests[] */
	REFUSE,	       /* ENOSYS */
};

struct rule {
	int nr;
	enum rule_kind kind;
};

/* What an AF_UNIX socket does not do with these, TCP and UDP do. */
enum {
	FLAGS_OF_SENDS = MSG_OOB | MSG_MORE | MSG_FASTOPEN | TERN_MSG_PROBE,
	FLAGS_OF_RECEIVES = MSG_OOB | MSG_TRUNC | MSG_ERRQUEUE,
};

static const struct rule rules[] = {
	{ SYS_socket, STOP_INET },
	{ SYS_bind, STOP },
	{ SYS_connect, STOP },
	{ SYS_listen, STOP },
	{ SYS_accept, STOP },
	{ SYS_accept4, STOP },
	{ SYS_getsockname, STOP },
	{ SYS_getpeername, STOP },
	{ SYS_getsockopt, STOP },
	{ SYS_setsockopt, STOP },
	{ SYS_shutdown, STOP },
	{ SYS_sendto, STOP_SENDS },
	{ SYS_recvfrom, STOP_RECEIVES },
	{ SYS_sendmsg, STOP },
	{ SYS_recvmsg, STOP },
	{ SYS_sendmmsg, STOP },
	{ SYS_recvmmsg, STOP },
	{ SYS_ioctl, STOP_REQUEST },
	{ SYS_io_uring_setup, REFUSE },
};

static const uint32_t requests[] = {
	SIOCATMARK,    SIOCOUTQ,    SIOCOUTQNSD,    SIOCGIFNAME,    SIOCGIFCONF,
	SIOCGIFFLAGS,  SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK,
	SIOCGIFMETRIC, SIOCGIFMTU,  SIOCGIFHWADDR,  SIOCGIFINDEX,   SIOCGIFTXQLEN,
};

#if defined(__x86_64__)
#define ARCH_OWN AUDIT_ARCH_X86_64
#define ARCH_FOREIGN AUDIT_ARCH_I386
/* i386: socketcall, recvmmsg, sendmmsg, socket and its kin, recvmmsg_time64, io_uring_setup */
static const int foreign[] = { 102, 337, 345, 359, 361, 362, 363, 364, 365, 366,
			       367, 368, 369, 370, 371, 372, 373, 417, 425 };
#elif defined(__aarch64__)
#define ARCH_OWN AUDIT_ARCH_AARCH64
#define ARCH_FOREIGN AUDIT_ARCH_ARM
/* arm: socketcall, socket and its kin, recvmmsg, accept4, sendmmsg, the rest as i386 */
static const int foreign[] = { 102, 281, 282, 283, 284, 285, 286, 287, 290, 292,
			       293, 294, 295, 296, 297, 365, 366, 374, 417, 425 };
#else /* tried on no other machine: run --netns alone */
#define ARCH_OWN 0
#define ARCH_FOREIGN 0
static const int foreign[] = { 0 };
#endif

bool filter_is_known(void)
{
	return ARCH_OWN != 0;
}

/* x32 calls are x86-64's with this bit; no other machine has numbers so high. */
enum { X32_BIT = 0x40000000 };

enum { PROGRAM_MAX = 256 };

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n < PROGRAM_MAX)
		p->code[p->n] = (struct sock_filter){ code, jt, jf, k };
	p->n++;
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The word that was loaded is k: goes on with what follows; else skips so many. */
static void unless_equal_skip(struct program *p, uint32_t k, uint8_t skip)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

/* The low half of an argument; the words of seccomp_data are in the machine's order. */
static void load_arg(struct program *p, int i, bool high)
{
	size_t half = (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) == high ? 4 : 0;

	load(p, offsetof(struct seccomp_data, args) + 8u * (unsigned)i + half);
}

static void emit_requests(struct program *p)
{
	const uint8_t n = sizeof(requests) / sizeof(requests[0]);

	unless_equal_skip(p, SYS_ioctl, (uint8_t)(n + 3));
	load_arg(p, 1, false);
	for (uint8_t i = 0; i < n; i++)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, requests[i], (uint8_t)(n - i), 0);
	answer(p, SECCOMP_RET_ALLOW);
	answer(p, SECCOMP_RET_USER_NOTIF);
}

static void emit_by_flags(struct program *p, int nr, uint32_t flags)
{
	unless_equal_skip(p, (uint32_t)nr, 8);
	load_arg(p, 3, false);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, flags, 5, 0);
	load_arg(p, 4, false);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load_arg(p, 4, true);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	answer(p, SECCOMP_RET_ALLOW);
	answer(p, SECCOMP_RET_USER_NOTIF);
}

/* The number is loaded again for the rules that follow. */
static void emit_one_octet(struct program *p, int nr)
{
	unless_equal_skip(p, (uint32_t)nr, 4);
	load_arg(p, 2, false);
	unless_equal_skip(p, 1, 1);
	answer(p, SECCOMP_RET_USER_NOTIF);
	load(p, offsetof(struct seccomp_data, nr));
}

/* The number of the call is loaded, and stays so for what follows a rule that does not fit. */
static void emit_rule(struct program *p, const struct rule *r)
{
	switch (r->kind) {
	case STOP:
		unless_equal_skip(p, (uint32_t)r->nr, 1);
		answer(p, SECCOMP_RET_USER_NOTIF);
		return;
	case REFUSE:
		unless_equal_skip(p, (uint32_t)r->nr, 1);
		answer(p, SECCOMP_RET_ERRNO | ENOSYS);
		return;
	case STOP_INET:
		unless_equal_skip(p, (uint32_t)r->nr, 5);
		load_arg(p, 0, false);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
		answer(p, SECCOMP_RET_ALLOW);
		answer(p, SECCOMP_RET_USER_NOTIF);
		return;
	case STOP_SENDS:
		emit_by_flags(p, r->nr, FLAGS_OF_SENDS);
		return;
	case STOP_RECEIVES:
		emit_one_octet(p, r->nr);
		emit_by_flags(p, r->nr, FLAGS_OF_RECEIVES);
		return;
	case STOP_REQUEST:
		emit_requests(p);
		return;
	}
}

static void emit_foreign(struct program *p)
{
	const uint8_t n = sizeof(foreign) / sizeof(foreign[0]);

	load(p, offsetof(struct seccomp_data, nr));
	for (uint8_t i = 0; i < n; i++)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)foreign[i], (uint8_t)(n - i), 0);
	answer(p, SECCOMP_RET_ALLOW);
	answer(p, SECCOMP_RET_ERRNO | ENOSYS);
}

bool filter_make(struct sock_fprog *out)
{
	static struct program p;
	const uint8_t n_foreign = sizeof(foreign) / sizeof(foreign[0]);

	p.n = 0;
	load(&p, offsetof(struct seccomp_data, arch));
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH_OWN, (uint8_t)(n_foreign + 5), 0);
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH_FOREIGN, 1, 0);
	answer(&p, SECCOMP_RET_ERRNO | ENOSYS); /* an ABI that nobody knows */
	emit_foreign(&p);
	load(&p, offsetof(struct seccomp_data, nr));
	emit(&p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(&p, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		emit_rule(&p, &rules[i]);
	answer(&p, SECCOMP_RET_ALLOW);
	if (p.n > PROGRAM_MAX)
		return false;
	*out = (struct sock_fprog){ (unsigned short)p.n, p.code };
	return true;
}

int filter_install(void)
{
	const unsigned long listen = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct sock_fprog prog;
	int fd;

	if (!filter_make(&prog)) {
		errno = E2BIG;
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	/* Without it a signal between question and answer repeats what was done (before 5.19). */
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  listen | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listen, &prog);
	return fd;
}
