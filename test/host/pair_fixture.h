/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair_fixture.h - two stacks in one loop, 10.0.0.1 and 10.0.0.2 (fd00::1 and fd00::2), each over a
 * device of its own, and a stream between them.
 */
#ifndef TERN_PAIR_FIXTURE_H
#define TERN_PAIR_FIXTURE_H

#include <stdlib.h>

#include "test.h"

#include "../../host/loop/loop.h"

struct pair {
	struct loop l;
	struct tern_stack *st[2];
	int ifindex[2];
	tern_sock listener, s[2];
	uint64_t sent, got; /* bytes of the stream from 0 to 1 */
};

static inline void pair_addresses(struct pair *p, int side)
{
	struct tern_addr v4 = tern_ip4(10, 0, 0, (uint8_t)(1 + side), 0);
	struct tern_addr v6 = { .family = TERN_AF_INET6, .ip = { 0xfd } };

	v6.ip[15] = (uint8_t)(1 + side);
	check_eq(tern_addr_add(p->st[side], (unsigned)p->ifindex[side], &v4, 24), 0);
	check_eq(tern_addr_add(p->st[side], (unsigned)p->ifindex[side], &v6, 64), 0);
}

static inline void pair_open(struct pair *p, struct dev *a, struct dev *b)
{
	struct tern_config cfg;

	memset(p, 0, sizeof(*p));
	loop_init(&p->l);
	tern_config_default(&cfg);
	for (int i = 0; i < 2; i++) {
		p->st[i] = loop_new_stack(&p->l, &cfg, NULL, NULL);
		p->ifindex[i] = loop_add(&p->l, p->st[i], i ? b : a);
		check(p->ifindex[i] > 0);
		pair_addresses(p, i);
	}
}

static inline void pair_turn(struct pair *p, tern_time until)
{
	struct tern_event ev;

	for (int i = 0; i < 2; i++)
		while (tern_event(p->st[i], &ev))
			continue;
	loop_wait(&p->l, until, NULL, 0);
	loop_pump(&p->l);
}

static inline uint8_t pair_byte(uint64_t at)
{
	return (uint8_t)(at * 131 + (at >> 8) * 7);
}

/* Listens at 1 and connects from 0, until both ends stand or ten seconds have passed. */
static inline void pair_connect(struct pair *p, bool v6)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = 80 };
	struct tern_addr to = tern_ip4(10, 0, 0, 2, 80);
	tern_time end = loop_now() + 10 * TERN_SEC;

	if (v6)
		to = (struct tern_addr){ .family = TERN_AF_INET6,
					 .port = 80,
					 .ip = { 0xfd, [15] = 2 } };
	check_eq(tern_socket(p->st[1], TERN_AF_INET6, TERN_SOCK_STREAM, 0, &p->listener), 0);
	check_eq(tern_bind(p->st[1], p->listener, &any), 0);
	check_eq(tern_listen(p->st[1], p->listener, 4), 0);
	check_eq(tern_socket(p->st[0], to.family, TERN_SOCK_STREAM, 0, &p->s[0]), 0);
	check_eq(tern_connect(p->st[0], p->s[0], &to), -TERN_EINPROGRESS);
	while (tern_accept(p->st[1], p->listener, &p->s[1], NULL) != 0 && loop_now() < end)
		pair_turn(p, end);
	check(p->s[1] != 0);
}

static inline void pair_send_some(struct pair *p, uint64_t total)
{
	static uint8_t piece[8192];
	int64_t n = 1;

	while (p->sent < total && n > 0) {
		size_t len =
			total - p->sent < sizeof(piece) ? (size_t)(total - p->sent) : sizeof(piece);

		for (size_t i = 0; i < len; i++)
			piece[i] = pair_byte(p->sent + i);
		n = tern_send(p->st[0], p->s[0], piece, len, 0);
		p->sent += n > 0 ? (uint64_t)n : 0;
	}
}

static inline void pair_recv_some(struct pair *p)
{
	static uint8_t piece[8192];
	int64_t n;

	while ((n = tern_recv(p->st[1], p->s[1], piece, sizeof(piece), 0)) > 0) {
		int64_t bad = 0;

		for (int64_t i = 0; i < n; i++)
			bad += piece[i] != pair_byte(p->got + (uint64_t)i);
		check_eq(bad, 0);
		p->got += (uint64_t)n;
	}
}

/* The stream grows to total bytes, each of them right, within ten seconds. */
static inline void pair_transfer(struct pair *p, uint64_t total)
{
	tern_time end = loop_now() + 10 * TERN_SEC;

	while (p->got < total && loop_now() < end) {
		pair_send_some(p, total);
		pair_turn(p, end);
		pair_recv_some(p);
	}
	check_eq(p->got, total);
}

static inline void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++)
		tern_check(p->st[i]);
	loop_fini(&p->l);
}

#endif
