/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges_test.c - core/base/ranges.c against a bitmap, inline and as a tree.
 */
#include "../../core/base/rand.h"
#include "../../core/base/ranges.h"
#include "../../include/tern.h"
#include "test.h"

enum { UNIVERSE = 2048 };

static struct test_env world;
static struct mem mem;

static void start(uint64_t seed)
{
	struct tern_env env;

	memset(&world, 0, sizeof(world));
	env = test_env_make(&world, seed);
	mem_init(&mem, env.alloc, env.free, env.ctx, 1 << 22);
}

static void finish(struct ranges *r)
{
	ranges_fini(r, &mem);
	mem_fini(&mem);
	check_eq(world.out, 0);
}

/* The model: bit i says that position base + i is in the set. */
struct bitmap {
	uint64_t base;
	bool bit[UNIVERSE + 1]; /* the last is never set */
};

static bool find_in_bitmap(const struct bitmap *b, unsigned from, struct range *out)
{
	unsigned lo = from, hi;

	while (lo < UNIVERSE && !b->bit[lo])
		lo++;
	if (lo == UNIVERSE)
		return false;
	for (hi = lo; b->bit[hi]; hi++)
		;
	while (lo > 0 && b->bit[lo - 1])
		lo--;
	*out = (struct range){ b->base + lo, b->base + hi };
	return true;
}

static void compare(const struct ranges *r, const struct bitmap *b)
{
	struct range got = { 0, 0 }, want = { 0, 0 }, last = { 0, 0 };
	uint32_t n = 0;
	bool some;

	ranges_check(r);
	for (unsigned pos = 0; find_in_bitmap(b, pos, &want); pos = (unsigned)(want.hi - b->base)) {
		check(ranges_find(r, b->base + pos, &got));
		check(got.lo == want.lo && got.hi == want.hi);
		n++;
	}
	check_eq(r->n, n);
	check(ranges_empty(r) == (n == 0));
	some = ranges_last(r, &last);
	check(some == (n > 0));
	check(!some || (last.lo == want.lo && last.hi == want.hi));
}

static void compare_at(const struct ranges *r, const struct bitmap *b, struct rand *rand)
{
	unsigned lo = (unsigned)rand_below(rand, UNIVERSE);
	unsigned len = (unsigned)rand_below(rand, 6), hi = MIN(lo + len, UNIVERSE);
	struct range got = { 0, 0 }, want = { 0, 0 };
	bool all = true;

	for (unsigned i = lo; i < hi; i++)
		all = all && b->bit[i];
	check_eq(ranges_contain(r, b->base + lo, b->base + hi), all);
	check_eq(ranges_find(r, b->base + lo, &got), find_in_bitmap(b, lo, &want));
	check(got.lo == want.lo && got.hi == want.hi);
}

/* max_len sets how scattered the set becomes; one step in drop_every drops from below. */
static void run_against_bitmap(uint64_t seed, uint64_t base, unsigned max_len, unsigned drop_every)
{
	static struct bitmap b;
	struct ranges r;
	struct rand rand;
	uint8_t key[32] = { (uint8_t)seed };
	uint32_t n_max = 0;

	start(seed);
	rand_init(&rand, key, 0);
	ranges_init(&r);
	memset(&b, 0, sizeof(b));
	b.base = base;
	for (unsigned step = 0; step < 2000; step++) {
		unsigned lo = (unsigned)rand_below(&rand, UNIVERSE);
		unsigned len = 1 + (unsigned)rand_below(&rand, max_len);
		unsigned hi = MIN(lo + len, UNIVERSE);

		test_at("seed %u, step %u", (unsigned)seed, step);
		if (rand_below(&rand, drop_every) == 0) {
			unsigned pos =
				(unsigned)rand_below(&rand, drop_every > 500 ? UNIVERSE : 64);

			ranges_drop_below(&r, &mem, base + pos);
			memset(b.bit, 0, pos);
		} else {
			check(ranges_add(&r, &mem, base + lo, base + hi));
			memset(b.bit + lo, 1, hi - lo);
		}
		n_max = MAX(n_max, r.n);
		if (step % 8 == 0)
			compare(&r, &b);
		for (unsigned i = 0; i < 4; i++)
			compare_at(&r, &b, &rand);
	}
	compare(&r, &b);
	check(max_len > 2 || n_max > 100);
	finish(&r);
}

static void agrees_with_a_bitmap(void)
{
	for (unsigned seed = 0; seed < 12; seed++) {
		run_against_bitmap(seed, 1000000, 2, 1000);
		run_against_bitmap(seed, 0, 40, 100);
		run_against_bitmap(seed, UINT64_MAX - UNIVERSE, 300, 10);
	}
}

static void dropping_from_below_empties_a_tree(void)
{
	struct range got;
	struct ranges r;

	start(1);
	ranges_init(&r);
	for (uint64_t i = 0; i < 1000; i++)
		check(ranges_add(&r, &mem, 10 * (i * 617 % 1000), 10 * (i * 617 % 1000) + 5));
	for (uint64_t i = 0; i < 1000; i++) {
		check_eq(r.n, 1000 - i);
		ranges_drop_below(&r, &mem, 10 * i + 2);
		check(ranges_find(&r, 0, &got) && got.lo == 10 * i + 2 && got.hi == 10 * i + 5);
		ranges_drop_below(&r, &mem, 10 * i + 5);
		ranges_check(&r);
	}
	check(ranges_empty(&r) && !ranges_find(&r, 0, &got) && !ranges_last(&r, &got));
	finish(&r);
}

static void one_range_swallows_many(void)
{
	struct range got;
	struct ranges r;

	start(1);
	ranges_init(&r);
	for (uint64_t i = 0; i < 500; i++)
		check(ranges_add(&r, &mem, 10 * i + 1, 10 * i + 5));
	check(ranges_add(&r, &mem, 1005, 3999));
	ranges_check(&r);
	check_eq(r.n, 500 - 299);
	check(ranges_find(&r, 2000, &got) && got.lo == 1001 && got.hi == 3999);
	check(ranges_add(&r, &mem, 0, 10000));
	check_eq(r.n, 1);
	ranges_check(&r);
	finish(&r);
}

static void touching_ranges_merge(void)
{
	struct ranges r;

	start(1);
	ranges_init(&r);
	check(ranges_add(&r, &mem, 10, 20) && ranges_add(&r, &mem, 30, 40));
	check_eq(r.n, 2);
	check(ranges_add(&r, &mem, 20, 30));
	check_eq(r.n, 1);
	check(ranges_contain(&r, 10, 40) && !ranges_contain(&r, 9, 11) && ranges_contain(&r, 5, 5));
	finish(&r);
}

static void no_memory_changes_nothing(void)
{
	for (unsigned n_before = RANGES_INLINE; n_before < 40; n_before++) {
		struct ranges r;
		struct range got;
		unsigned n = 0;

		start(1);
		ranges_init(&r);
		for (uint64_t i = 0; i < n_before; i++)
			check(ranges_add(&r, &mem, 10 * i + 10, 10 * i + 15));
		memset(mem.free_records, 0, sizeof(mem.free_records)); /* none is free */
		mem.max = mem.used;
		test_at("%u ranges", n_before);
		check(!ranges_add(&r, &mem, 17, 18));
		ranges_check(&r);
		check_eq(r.n, n_before);
		for (uint64_t pos = 0; ranges_find(&r, pos, &got); pos = got.hi, n++)
			check(got.lo == 10 * n + 10 && got.hi == 10 * n + 15);
		check_eq(n, n_before);
		check(ranges_add(&r, &mem, 15, 20)); /* merging needs none */
		check_eq(r.n, n_before - 1);
		mem.max = UINT64_MAX;
		finish(&r);
	}
}

static const struct test tests[] = {
	TEST(agrees_with_a_bitmap),	 TEST(dropping_from_below_empties_a_tree),
	TEST(one_range_swallows_many),	 TEST(touching_ranges_merge),
	TEST(no_memory_changes_nothing),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
