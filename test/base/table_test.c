/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_test.c - core/base/table.c against an array of flags, while it grows and when it cannot.
 */
#include "../../core/base/rand.h"
#include "../../core/base/table.h"
#include "../../include/tern.h"
#include "test.h"

enum { N_ITEMS = 20000 };

struct item {
	struct table_node node;
	bool in, seen;
};

static struct test_env world;
static struct mem mem;
static struct item item[N_ITEMS];

static void start(void)
{
	struct tern_env env;

	memset(&world, 0, sizeof(world));
	memset(item, 0, sizeof(item));
	world.fill = 0x5a;
	env = test_env_make(&world, 1);
	mem_init(&mem, env.alloc, env.free, env.ctx, 1 << 26);
}

static void finish(struct table *t)
{
	table_fini(t);
	mem_fini(&mem);
	check_eq(world.out, 0);
}

static uint32_t hash_of(unsigned i, unsigned spread)
{
	static const struct sip_key key = { 1, 2 };

	return (uint32_t)siphash13(&key, &i, sizeof(i)) % spread;
}

static bool is_found(const struct table *t, unsigned i, uint32_t hash)
{
	for (struct table_node *n = table_first(t, hash); n; n = table_next(n, hash)) {
		check_eq(n->hash, hash);
		if (n == &item[i].node)
			return true;
	}
	return false;
}

static void walk_sees_each_once(const struct table *t)
{
	struct table_node *n;
	uint64_t cursor = 0;
	uint32_t n_seen = 0;

	for (unsigned i = 0; i < N_ITEMS; i++)
		item[i].seen = false;
	while ((n = table_walk(t, &cursor))) {
		struct item *it = CONTAINER_OF(n, struct item, node);

		check(it->in && !it->seen);
		it->seen = true;
		n_seen++;
	}
	check_eq(n_seen, t->n);
	check(!table_walk(t, &cursor));
}

static void run_against_flags(unsigned seed, unsigned spread)
{
	uint8_t key[32] = { (uint8_t)seed };
	unsigned n_in = 0;
	struct rand r;
	struct table t;

	start();
	rand_init(&r, key, 0);
	check(table_init(&t, &mem, 4));
	for (unsigned step = 0; step < 30000; step++) {
		unsigned i = (unsigned)rand_below(&r, step / 2 + 1);
		uint32_t hash = hash_of(i, spread);

		test_at("seed %u, step %u", seed, step);
		check_eq(is_found(&t, i, hash), item[i].in);
		if (item[i].in)
			table_remove(&t, &item[i].node);
		else
			table_put(&t, &item[i].node, hash);
		item[i].in = !item[i].in;
		n_in += item[i].in ? 1 : -1;
		check_eq(t.n, n_in);
		if (step % 1500 == 0 || (step < 200 && step % 7 == 0)) {
			table_check(&t);
			walk_sees_each_once(&t);
		}
	}
	check(spread < 1000 || t.n_buckets >= t.n / 2);
	finish(&t);
}

static void agrees_with_flags(void)
{
	run_against_flags(1, UINT32_MAX);
	run_against_flags(2, UINT32_MAX);
	run_against_flags(3, 500); /* many members with one hash */
}

static void all_stay_findable_while_it_grows(void)
{
	struct table t;

	start();
	check(table_init(&t, &mem, 1));
	for (unsigned i = 0; i < 1000; i++) {
		table_put(&t, &item[i].node, hash_of(i, UINT32_MAX));
		table_check(&t);
		for (unsigned j = 0; j <= i; j++)
			check(is_found(&t, j, hash_of(j, UINT32_MAX)));
	}
	check(t.n_buckets >= 512);
	finish(&t);
}

static void members_can_go_during_a_walk(void)
{
	struct table_node *n;
	uint64_t cursor = 0;
	unsigned n_gone = 0;
	struct table t;

	start();
	check(table_init(&t, &mem, 16));
	for (unsigned i = 0; i < 1000; i++)
		table_put(&t, &item[i].node, hash_of(i, 300));
	for (; (n = table_walk(&t, &cursor)); n_gone++)
		table_remove(&t, n);
	check_eq(n_gone, 1000);
	check_eq(t.n, 0);
	finish(&t);
}

/* What is left of many is found, some buckets at a time. */
static void a_walk_by_parts(void)
{
	uint64_t cursor = 0, before = 0;
	struct table_node *n;
	unsigned n_found = 0;
	uint32_t left;
	struct table t;

	start();
	check(table_init(&t, &mem, 16));
	for (unsigned i = 0; i < 4096; i++)
		table_put(&t, &item[i].node, hash_of(i, UINT32_MAX));
	for (unsigned i = 0; i < 4096; i++)
		if (i % 1000)
			table_remove(&t, &item[i].node);
	do {
		left = 64;
		n = table_walk_some(&t, &cursor, &left);
		n_found += n != NULL;
		check((cursor >> 32) - before <= 64);
		before = cursor >> 32;
	} while (n || left == 0);
	check_eq(n_found, 5);
	check_eq(before, t.n_buckets);
	finish(&t);
}

static void goes_on_without_memory(void)
{
	struct table t;

	start();
	mem.max = 2000;
	check(table_init(&t, &mem, 64));
	mem.max = mem.used;
	for (unsigned i = 0; i < 5000; i++)
		table_put(&t, &item[i].node, hash_of(i, UINT32_MAX));
	table_check(&t);
	for (unsigned i = 0; i < 5000; i++)
		check(is_found(&t, i, hash_of(i, UINT32_MAX)));
	mem.max = 1 << 20; /* memory is back: it catches up */
	for (unsigned i = 5000; i < N_ITEMS; i++)
		table_put(&t, &item[i].node, hash_of(i, UINT32_MAX));
	table_check(&t);
	check(t.n_buckets >= 8192);
	finish(&t);
	start();
	mem.max = 100;
	check(!table_init(&t, &mem, 4096));
	mem_fini(&mem);
}

static const struct test tests[] = {
	TEST(agrees_with_flags),
	TEST(all_stay_findable_while_it_grows),
	TEST(members_can_go_during_a_walk),
	TEST(a_walk_by_parts),
	TEST(goes_on_without_memory),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
