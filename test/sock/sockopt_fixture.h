/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_fixture.h - a stack with one interface of both families, and sockets of every kind.
 */
#ifndef TERN_SOCKOPT_FIXTURE_H
#define TERN_SOCKOPT_FIXTURE_H

#include "../../include/tern.h"

#include "test.h"

static struct test_env counted;
static struct tern_stack *st;

static inline void start(void)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface iface = { "net", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), six;

	counted = (struct test_env){ .fill = 0x3c };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	tern_iface_add(st, &iface);
	tern_addr_add(st, 2, &a, 24);
	tern_addr_parse("fd00::1", 0, &six);
	tern_addr_add(st, 2, &six, 64);
}

static inline void finish(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

/* ---- the kinds of sockets ---- */

enum { TCP4 = 1, TCP6 = 2, UDP4 = 4, UDP6 = 8, RAW4 = 16, RAW6 = 32, N_KINDS = 6 };
enum { STREAM = TCP4 | TCP6, RAW = RAW4 | RAW6, ANY = 63 };
enum { SIX = TCP6 | UDP6 | RAW6, FOUR = TCP4 | UDP4 | RAW4 };

static inline tern_sock new_sock(unsigned kind)
{
	int family = kind & SIX ? TERN_AF_INET6 : TERN_AF_INET;
	int type = kind & STREAM ? TERN_SOCK_STREAM : kind & RAW ? TERN_SOCK_RAW : TERN_SOCK_DGRAM;
	tern_sock s = 0;

	check_eq(tern_socket(st, family, type, kind & RAW ? 99 : 0, &s), 0);
	return s;
}

#endif
