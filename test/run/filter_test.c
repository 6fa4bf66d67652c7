/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_test.c - which calls stop and ask, which are refused, which cost nothing: the filter's
 * program is run here for every call there is, of every machine that it can meet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "test.h"

#include "../../host/run/inside.h"

#if defined(__x86_64__)
enum { OWN = (int)AUDIT_ARCH_X86_64, FOREIGN = AUDIT_ARCH_I386 };
#elif defined(__aarch64__)
enum { OWN = (int)AUDIT_ARCH_AARCH64, FOREIGN = AUDIT_ARCH_ARM };
#else
enum { OWN, FOREIGN };
#endif
static const uint32_t pass = SECCOMP_RET_ALLOW, ask = SECCOMP_RET_USER_NOTIF;
static const uint32_t refuse = SECCOMP_RET_ERRNO | ENOSYS;

static struct sock_fprog prog;

/* Classic BPF, as far as the filter uses it; a jump out of the program is a failure. */
static uint32_t run_filter(const struct seccomp_data *d)
{
	uint32_t acc = 0;

	for (unsigned pc = 0; pc < prog.len; pc++) {
		const struct sock_filter *f = &prog.filter[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&acc, (const char *)d + f->k, sizeof(acc));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += acc == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += acc & f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += acc >= f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			test_fail(__FILE__, __LINE__, "instruction %x at %u", f->code, pc);
			return 0;
		}
	}
	test_fail(__FILE__, __LINE__, "the program has no end for call %d", d->nr);
	return 0;
}

static uint32_t verdict(int arch, int nr, uint64_t arg0, uint64_t arg1, uint64_t arg4)
{
	struct seccomp_data d = { .nr = nr,
				  .arch = (uint32_t)arch,
				  .args = { arg0, arg1, 0, 0, arg4, 0 } };

	return run_filter(&d);
}

static void every_call_by_its_number(void)
{
	static const int asks[] = { SYS_bind,	     SYS_connect,    SYS_listen,
				    SYS_accept,	     SYS_accept4,    SYS_getsockname,
				    SYS_getpeername, SYS_getsockopt, SYS_setsockopt,
				    SYS_shutdown,    SYS_sendmsg,    SYS_recvmsg,
				    SYS_sendmmsg,    SYS_recvmmsg };

	for (int nr = 0; nr < 1024; nr++) {
		uint32_t want = nr == SYS_io_uring_setup ? refuse : pass;

		for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
			want = nr == asks[i] ? ask : want;
		check_eq(verdict(OWN, nr, 0, 0, 0), want);
		/* and each that asks has somebody who answers */
		if (want == ask)
			check(call_kind_of(nr) != NULL);
	}
}

static void sockets_of_the_internet_alone(void)
{
	for (uint64_t family = 0; family < 64; family++)
		check_eq(verdict(OWN, SYS_socket, family, 0, 0),
			 family == AF_INET || family == AF_INET6 ? ask : pass);
	/* the kernel looks at the low half alone */
	check_eq(verdict(OWN, SYS_socket, 1ULL << 32 | AF_INET, 0, 0), ask);
}

/* Both halves of the pointer count. */
static void sends_with_an_address(void)
{
	static const int calls[] = { SYS_sendto, SYS_recvfrom };

	for (int i = 0; i < 2; i++) {
		check_eq(verdict(OWN, calls[i], 3, 0, 0), pass);
		check_eq(verdict(OWN, calls[i], 3, 0, 0x1000), ask);
		check_eq(verdict(OWN, calls[i], 3, 0, 1ULL << 40), ask);
	}
}

/* Without an address, too: what an AF_UNIX socket would take for something else, or for nothing. */
static void flags_that_only_the_stack_knows(void)
{
	static const struct {
		int nr;
		uint64_t flags;
		uint32_t want;
	} cases[] = {
		{ SYS_sendto, MSG_OOB, ask },
		{ SYS_sendto, MSG_MORE, ask },
		{ SYS_sendto, MSG_FASTOPEN, ask },
		{ SYS_sendto, TERN_MSG_PROBE, ask },
		{ SYS_sendto, MSG_NOSIGNAL | MSG_DONTWAIT, pass },
		{ SYS_sendto, 1ULL << 32, pass },
		{ SYS_recvfrom, MSG_OOB | MSG_PEEK, ask },
		{ SYS_recvfrom, MSG_TRUNC, ask },
		{ SYS_recvfrom, MSG_ERRQUEUE, ask },
		{ SYS_recvfrom, MSG_WAITALL, pass },
		{ SYS_recvfrom, MSG_PEEK, pass },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seccomp_data d = { .nr = cases[i].nr,
					  .arch = (uint32_t)OWN,
					  .args = { 3, 0, 0, cases[i].flags, 0, 0 } };

		check_eq(run_filter(&d), cases[i].want);
	}
}

/* So programs ask whether a stream has a peer; plain receives of more cost nothing. */
static void receives_of_one_octet(void)
{
	static const struct {
		uint64_t len;
		uint32_t want;
	} cases[] = { { 0, pass }, { 1, ask }, { 2, pass }, { 4096, pass } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seccomp_data d = { .nr = SYS_recvfrom,
					  .arch = (uint32_t)OWN,
					  .args = { 3, 0, cases[i].len, 0, 0, 0 } };

		check_eq(run_filter(&d), cases[i].want);
		d.nr = SYS_sendto;
		check_eq(run_filter(&d), pass);
	}
}

static void requests_about_sockets(void)
{
	static const uint64_t asks[] = { SIOCATMARK,  SIOCOUTQ,	    SIOCGIFCONF,
					 SIOCGIFADDR, SIOCGIFINDEX, SIOCGIFTXQLEN };
	static const uint64_t passes[] = { FIONREAD, FIONBIO, TCGETS, FIOCLEX, SIOCGSTAMP };

	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		check_eq(verdict(OWN, SYS_ioctl, 3, asks[i], 0), ask);
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
		check_eq(verdict(OWN, SYS_ioctl, 3, passes[i], 0), pass);
}

/* What would reach the kernel's network by another numbering does not exist. */
static void foreign_machines(void)
{
	static const int i386[] = { 102, 359, 362, 369, 425 }; /* socketcall, socket, ... */

	for (size_t i = 0; i < sizeof(i386) / sizeof(i386[0]); i++)
		if (FOREIGN == (int)AUDIT_ARCH_I386)
			check_eq(verdict(FOREIGN, i386[i], AF_INET, 0, 0), refuse);
	check_eq(verdict(FOREIGN, 1, 0, 0, 0), pass); /* exit */
	check_eq(verdict(AUDIT_ARCH_PPC, 1, 0, 0, 0), refuse);
	if (OWN == (int)AUDIT_ARCH_X86_64) /* x32 */
		check_eq(verdict(OWN, 0x40000000 | SYS_socket, AF_INET, 0, 0), refuse);
}

static const struct test tests[] = {
	TEST(every_call_by_its_number),
	TEST(sockets_of_the_internet_alone),
	TEST(flags_that_only_the_stack_knows),
	TEST(sends_with_an_address),
	TEST(receives_of_one_octet),
	TEST(requests_about_sockets),
	TEST(foreign_machines),
};

int main(int argc, char **argv)
{
	if (!filter_is_known()) {
		printf("skipped: no filter for the calls of this machine\n"
		       "0 passed, 0 failed, 1 skipped\n");
		return 0;
	}
	if (!filter_make(&prog))
		return 1;
	return test_main(argc, argv, tests, N_TESTS(tests));
}
