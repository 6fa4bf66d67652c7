/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_library_test.c - SEC-163 to SEC-174, as far as they are the library's own: old handles, sizes
 * that overflow, clocks that jump, timers that fall due at once, and calls that call themselves.
 */
#define _GNU_SOURCE
#include "attack_fixture.h"

#include <limits.h>
#include <pthread.h>

/* ---- SEC-165 ---- */

enum { LIVE = 64, OLD = 4096, STEPS = 200000 };

static bool is_refused(tern_sock s)
{
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 7);
	int32_t v;
	size_t len = sizeof(v);
	char byte;

	return tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_TYPE, &v, &len) == -TERN_EBADF &&
	       tern_recv(st, s, &byte, 1, 0) == -TERN_EBADF &&
	       tern_send(st, s, &byte, 1, 0) == -TERN_EBADF &&
	       tern_bind(st, s, &a) == -TERN_EBADF && tern_close(st, s) == -TERN_EBADF;
}

/* Slots are used again at once; a handle that was closed leads nowhere all the same. */
static void old_handles(void)
{
	static tern_sock live[LIVE], old[OLD];
	unsigned n_old = 0;

	plain_world();
	for (int i = 0; i < STEPS; i++) {
		unsigned at = draw() % LIVE;

		if (live[at]) {
			check_eq(tern_close(st, live[at]), 0);
			old[n_old++ % OLD] = live[at];
			live[at] = 0;
		} else {
			int type = draw() & 1 ? TERN_SOCK_STREAM : TERN_SOCK_DGRAM;

			check_eq(tern_socket(st, TERN_AF_INET, type, 0, &live[at]), 0);
		}
		if (n_old && !is_refused(old[draw() % (n_old < OLD ? n_old : OLD)])) {
			test_fail(__FILE__, __LINE__, "step %d: an old handle was taken", i);
			break;
		}
	}
	for (int i = 0; i < LIVE; i++)
		if (live[i])
			check_eq(tern_close(st, live[i]), 0);
	end_world();
}

/* ---- SEC-166 ---- */

/* Lengths whose sum overflows are not the little that is left of them. */
static void sums_that_overflow(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 7);
	char bytes[16] = "";
	const struct tern_iovec iov[] = { { bytes, 8 }, { bytes, SIZE_MAX - 3 }, { bytes, 4 } };
	struct tern_msg m;
	tern_sock s;

	plain_world();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	for (size_t n = 2; n <= 3; n++) {
		tern_msg_init(&m, iov, n);
		m.addr = to;
		check_eq(tern_sendmsg(st, s, &m, 0), -TERN_EMSGSIZE);
	}
	check_eq(tern_close(st, s), 0);
	end_world();
}

/* What a size of a buffer can be: Linux's bounds, whatever is asked for. */
static void sizes_of_buffers(void)
{
	static const int32_t asked[] = { 0, 1, -1, INT32_MAX, INT32_MIN, 4096 };
	static const int names[] = { TERN_SO_RCVBUF, TERN_SO_SNDBUF };
	tern_sock s;

	plain_world();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
			int32_t v = asked[i], got = 0;
			size_t len = sizeof(got);

			check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, names[n], &v, sizeof(v)),
				 0);
			tern_getsockopt(st, s, TERN_SOL_SOCKET, names[n], &got, &len);
			check(got >= 1024 && got <= 64 << 20);
		}
	for (size_t len = 0; len < 4; len++)
		check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &asked[5], len),
			 -TERN_EINVAL);
	check_eq(tern_close(st, s), 0);
	end_world();
}

/* ---- SEC-172 ---- */

/* Back, a year on, to the end of time: each timer rings once at most, and text still passes. */
static void clocks_that_jump(void)
{
	static const tern_time year = 365 * 86400 * TERN_SEC;
	struct client c;
	struct heard h;
	tern_time before;

	plain_world();
	c = connected(1000);
	check_eq(tern_send(st, c.sock, "text", 4, 0), 4);
	hear_all(&h);
	before = tern_now(st);
	tern_advance(st, before - TERN_SEC);
	check_eq(tern_now(st), before); /* it stands still */
	tern_advance(st, 0);
	check_eq(tern_now(st), before);
	check_eq(hear_all(&h), 0);
	tern_advance(st, before + year);
	check(hear_all(&h) <= 1); /* one retransmission, not a year of them */
	tern_advance(st, before + year);
	check_eq(hear_all(&h), 0);
	tern_check(st);
	end_world();
}

/* ---- SEC-173 ---- */

enum { STORM = 10000, AT_ONCE = 4096 };

/* Timers that fall due in one instant are taken a bounded number a call, and none is forgotten. */
static void timers_in_one_instant(void)
{
	unsigned n, total = 0, calls = 0;

	default_world();
	config.sockets_max = config.half_open_max = 4 * STORM;
	config.somaxconn = 65535;
	config.tcp_syncookies = 0;
	new_world(1, TERN_SEC);
	listener = listen_at(PORT, 65535);
	for (uint32_t i = 0; i < STORM; i++) {
		shoot(&(struct shot){
			.ip = 0x0a010000 + i, .port = 5000, .flags = TCP_SYN, .seq = i });
		total += hear_all(NULL);
	}
	check_eq(total, STORM);
	now += 3 * TERN_SEC; /* every SYN-ACK is to be sent again */
	do {
		tern_advance(st, now);
		n = hear_all(NULL);
		total += n;
		calls++;
		check(n <= AT_ONCE);
	} while (n > 0 && calls < 100);
	check_eq(total, 2 * STORM);
	check(calls >= 3);
	end_world();
}

/* ---- SEC-174 ---- */

enum { ROUNDS = 2000, SMALL_STACK = 128 << 10 };

static tern_sock bound_at(uint16_t port)
{
	struct tern_addr a = tern_ip4(127, 0, 0, 1, port);
	tern_sock s;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &a), 0);
	a.port = (uint16_t)(15 - port);
	check_eq(tern_connect(st, s, &a), 0);
	return s;
}

/* Two sockets that answer each other at once: what goes to ourselves is queued, never called. */
static void *talk_to_ourselves(void *ctx)
{
	tern_sock s[2] = { bound_at(7), bound_at(8) };
	char text[512] = "text";

	(void)ctx;
	for (int i = 0; i < 100; i++)
		check_eq(tern_send(st, s[0], text, sizeof(text), 0), (int64_t)sizeof(text));
	for (int i = 0; i < ROUNDS; i++) {
		tern_advance(st, now += TERN_MS);
		for (int k = 0; k < 2; k++)
			while (tern_recv(st, s[k], text, sizeof(text), 0) > 0)
				tern_send(st, s[k], text, sizeof(text), 0);
	}
	return NULL;
}

static void on_a_small_stack(void)
{
	pthread_attr_t attr;
	pthread_t t;

	plain_world();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, SMALL_STACK);
	check_eq(pthread_create(&t, &attr, talk_to_ourselves, NULL), 0);
	pthread_join(t, NULL);
	pthread_attr_destroy(&attr);
	end_world();
}

static const struct test tests[] = {
	TEST(old_handles),	TEST(sums_that_overflow),    TEST(sizes_of_buffers),
	TEST(clocks_that_jump), TEST(timers_in_one_instant), TEST(on_a_small_stack),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
