/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oom_test.c - every allocation fails once: nothing crashes, leaks or hangs, and bytes that were
 * acknowledged arrive.
 */
#include "test.h"

#include "../../include/tern.h"

enum { BYTES = 8 * 4096 };

struct host {
	struct test_env env;
	struct tern_stack *st;
};

static struct tern_stack *new_host(struct host *h, uint8_t last)
{
	struct tern_env env = test_env_make(&h->env, last);
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, last } };
	struct tern_addr addr = tern_ip4(10, 0, 0, last, 0);
	struct tern_config cfg;

	tern_config_default(&cfg);
	cfg.tcp_ecn = 3; /* its counters are a record, too */
	h->st = tern_new(&cfg, &env);
	if (!h->st)
		return NULL;
	if (tern_iface_add(h->st, &nic) != 2 || tern_addr_add(h->st, 2, &addr, 24) != 0) {
		tern_free(h->st);
		h->st = NULL;
	}
	return h->st;
}

static bool carry(struct tern_stack *from, struct tern_stack *to)
{
	struct tern_pkt *p = tern_output(from, 2), *copy;

	if (!p)
		return false;
	copy = tern_pkt_new(to, p->total_len);
	if (copy) {
		tern_pkt_copy(p, 0, copy->data, p->total_len);
		copy->ifindex = 2;
		tern_input(to, copy);
	}
	tern_pkt_free(from, p);
	return true;
}

struct talk {
	struct host a, b;
	tern_sock listener, client, server;
	uint64_t sent, received;
	bool open_failed;
};

static void step(struct talk *t)
{
	char buf[4096];
	int64_t n;

	if (!t->server)
		tern_accept(t->b.st, t->listener, &t->server, NULL);
	while (t->sent < BYTES) {
		memset(buf, (int)(t->sent / sizeof(buf)), sizeof(buf));
		n = tern_send(t->a.st, t->client, buf, 4096 - t->sent % 4096, 0);
		if (n <= 0)
			break;
		t->sent += (uint64_t)n;
	}
	while (t->server && (n = tern_recv(t->b.st, t->server, buf, sizeof(buf), 0)) > 0) {
		for (int64_t i = 0; i < n; i++)
			check_eq((uint8_t)buf[i], (uint8_t)((t->received + (uint64_t)i) / 4096));
		t->received += (uint64_t)n;
	}
}

/* A connection and BYTES over it; the fail_at-th allocation of host a or b says no. */
static void talk(struct talk *t)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 2, 80);
	tern_time now = 0;

	if (!new_host(&t->a, 1) || !new_host(&t->b, 2))
		return;
	t->open_failed = tern_socket(t->b.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t->listener) ||
			 tern_bind(t->b.st, t->listener, &at) ||
			 tern_listen(t->b.st, t->listener, 4) ||
			 tern_socket(t->a.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t->client) ||
			 tern_connect(t->a.st, t->client, &at) != -TERN_EINPROGRESS;
	if (t->open_failed)
		return;
	for (int i = 0; i < 20000 && t->received < BYTES; i++) {
		bool moved = carry(t->a.st, t->b.st);
		tern_time next = tern_deadline(t->a.st), other = tern_deadline(t->b.st);

		moved = carry(t->b.st, t->a.st) || moved;
		step(t);
		if (moved)
			continue;
		next = next < other ? next : other;
		if (next == TERN_NEVER)
			break;
		now = next > now ? next : now + TERN_MS;
		tern_advance(t->a.st, now);
		tern_advance(t->b.st, now);
	}
	tern_check(t->a.st);
	tern_check(t->b.st);
	check_eq(t->received, BYTES);
}

static void end_talk(struct talk *t)
{
	tern_free(t->a.st);
	tern_free(t->b.st);
	check_eq(t->a.env.out, 0);
	check_eq(t->b.env.out, 0);
}

static uint64_t count_allocations(void)
{
	struct talk t = { .a.env.fill = 0, .b.env.fill = 0 };

	talk(&t);
	end_talk(&t);
	return t.a.env.n_allocs > t.b.env.n_allocs ? t.a.env.n_allocs : t.b.env.n_allocs;
}

static void each_allocation_fails_once(void)
{
	uint64_t n = count_allocations();

	check(n > 5);
	for (uint64_t i = 1; i <= n; i++) {
		for (int side = 0; side < 2; side++) {
			struct talk t = { .a.env.fill = 0x5a, .b.env.fill = 0x5a };

			test_at("allocation %llu of host %c", (unsigned long long)i,
				side ? 'b' : 'a');
			if (side)
				t.b.env.fail_at = i;
			else
				t.a.env.fail_at = i;
			talk(&t);
			end_talk(&t);
		}
	}
}

/* A budget that is too small for what is asked: refused, and never exceeded. */
static void budget_holds(void)
{
	struct test_env counted = { .fill = 1 };
	struct tern_env env = test_env_make(&counted, 1);
	struct tern_config cfg;
	struct tern_stack *st;
	tern_sock s;
	int n = 0;

	tern_config_default(&cfg);
	cfg.memory_max = 200000;
	st = tern_new(&cfg, &env);
	check(st != NULL);
	while (n < 100000 && tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s) == 0)
		n++;
	check(n > 20 && n < 1000);
	check(tern_memory(st) <= 200000);
	check_eq(tern_memory(st), counted.out);
	tern_free(st);
	check_eq(counted.out, 0);
	cfg.memory_max = 100;
	check(tern_new(&cfg, &env) == NULL);
}

/* A socket for which there is no memory leaves none behind. */
static void half_a_socket(void)
{
	struct host h = { .env = { .fill = 0 } };
	uint64_t before, n = 0;
	tern_sock s;
	int err;

	check(new_host(&h, 1) != NULL);
	do {
		before = tern_memory(h.st);
		h.env.fail_at = h.env.n_allocs + 1;
		err = tern_socket(h.st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s);
	} while (err == 0 && n++ < 10000);
	check_eq(err, -TERN_ENOMEM);
	check_eq(tern_memory(h.st), before);
	h.env.fail_at = 0;
	check_eq(tern_socket(h.st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	tern_check(h.st);
	tern_free(h.st);
	check_eq(h.env.out, 0);
}

static const struct test tests[] = {
	TEST(each_allocation_fails_once),
	TEST(budget_holds),
	TEST(half_a_socket),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
