/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_test.c - core/base/mem.c: the budget holds, pieces do not overlap, nothing is asked for in
 * the steady state, and refusals leave everything as it was.
 */
#include "../../core/base/mem.h"
#include "../../core/base/rand.h"
#include "../../include/tern.h"
#include "test.h"

static struct test_env world;

static void start(struct mem *m, uint64_t max)
{
	struct tern_env env;

	memset(&world, 0, sizeof(world));
	world.fill = 0xa5;
	env = test_env_make(&world, 1);
	mem_init(m, env.alloc, env.free, env.ctx, max);
}

static void finish(struct mem *m)
{
	mem_fini(m);
	check_eq(world.out, 0);
}

static const uint32_t sizes[] = { 1,	16,   17,    31,    32,	   33,	  48,	 64,	100,  512,
				  513,	1000, 2016,  2048,  2049,  2208,  2209,	 4104,	4416, 4417,
				  8000, 9000, 16392, 16704, 16705, 40000, 65544, 65856, 65857 };

static void sizes_are_usable_and_aligned(void)
{
	struct mem m;

	start(&m, 1 << 20);
	for (unsigned i = 0; i < N_TESTS(sizes); i++) {
		void *p = mem_new(&m, sizes[i]);

		test_at("size %u", sizes[i]);
		check(p && (uintptr_t)p % 16 == 0);
		memset(p, 1, sizes[i]);
		mem_free(&m, p, sizes[i]);
	}
	mem_free(&m, NULL, 77);
	finish(&m);
}

enum { N_SLOTS = 200 };

static void random_use_keeps_to_the_budget(void)
{
	static struct {
		uint8_t *ptr;
		uint32_t size;
	} slot[N_SLOTS];
	static const uint8_t seed[32] = { 7 };
	unsigned n_refused = 0;
	struct rand r;
	struct mem m;

	rand_init(&r, seed, 0);
	start(&m, 600000);
	for (unsigned step = 0; step < 50000; step++) {
		unsigned i = (unsigned)rand_below(&r, N_SLOTS);

		if (slot[i].ptr) {
			check(slot[i].ptr[0] == (uint8_t)i);
			check(slot[i].ptr[slot[i].size - 1] == (uint8_t)i);
			mem_free(&m, slot[i].ptr, slot[i].size);
			slot[i].ptr = NULL;
		} else {
			slot[i].size = sizes[rand_below(&r, N_TESTS(sizes))];
			slot[i].ptr = mem_new(&m, slot[i].size);
			if (slot[i].ptr)
				memset(slot[i].ptr, (int)i, slot[i].size);
			else
				n_refused++;
		}
		check(m.used <= m.max);
		check_eq(m.used, world.out);
	}
	check(n_refused > 0);
	for (unsigned i = 0; i < N_SLOTS; i++)
		mem_free(&m, slot[i].ptr, slot[i].size);
	finish(&m);
}

static void steady_state_asks_for_nothing(void)
{
	uint64_t n_before = 0;
	struct mem m;

	start(&m, 1 << 24);
	for (unsigned round = 0; round < 20; round++) {
		void *a[50], *b[50], *c[50];

		for (unsigned i = 0; i < 50; i++) {
			a[i] = mem_new(&m, 300);
			b[i] = mem_new(&m, 4104);
			c[i] = mem_new(&m, 65544);
		}
		for (unsigned i = 0; i < 50; i++) {
			mem_free(&m, a[i], 300);
			mem_free(&m, b[i], 4104);
			mem_free(&m, c[i], 65544);
		}
		if (round == 0)
			n_before = world.n_allocs;
	}
	check_eq(world.n_allocs, n_before);
	finish(&m);
}

static void small_stack_takes_little(void)
{
	struct mem m;

	start(&m, 1 << 24);
	void *p = mem_new(&m, 40);

	check(p && m.used <= 4200);
	mem_free(&m, p, 40);
	finish(&m);
}

static void records_are_dense(void)
{
	static void *p[20000];
	struct mem m;

	start(&m, 1 << 24);
	for (unsigned i = 0; i < N_TESTS(p); i++)
		p[i] = mem_new(&m, 512);
	check(m.used < N_TESTS(p) * 512 * 102 / 100 + 32768);
	check(world.n_allocs < 400);
	for (unsigned i = 0; i < N_TESTS(p); i++)
		mem_free(&m, p[i], 512);
	finish(&m);
}

static void last_bytes_of_the_budget_are_used(void)
{
	struct mem m;
	void *a, *b;

	start(&m, 600); /* too little for a slab of several records */
	a = mem_new(&m, 256);
	b = mem_new(&m, 256);
	check(a && b);
	check(!mem_new(&m, 256));
	mem_free(&m, a, 256);
	mem_free(&m, b, 256);
	finish(&m);
}

/* When no buffer can have another piece there are records still, as a packet is one. */
static void pieces_leave_room_for_records(void)
{
	enum { PIECE = 4104, PACKET = 332, N_MAX = 300 };
	void *piece[N_MAX], *packet[N_MAX];
	unsigned n = 0, k = 0;
	struct mem m;

	start(&m, 1 << 20);
	while (n < N_MAX && (piece[n] = mem_new(&m, PIECE)))
		n++;
	check(n > 200 && n < N_MAX);
	while (k < N_MAX && (packet[k] = mem_new(&m, PACKET)))
		k++;
	check(k >= (1 << 20) / 64 / PACKET);
	check(!mem_new(&m, PIECE));
	while (k > 0)
		mem_free(&m, packet[--k], PACKET);
	while (n > 0)
		mem_free(&m, piece[--n], PIECE);
	finish(&m);
}

static void kept_pieces_give_way(void)
{
	struct mem m;
	void *p;

	start(&m, 70000);
	p = mem_new(&m, 65544);
	mem_free(&m, p, 65544);
	check(m.used > 65000); /* kept */
	p = mem_new(&m, 30000);
	check(p && m.used == 30000);
	mem_free(&m, p, 30000);
	finish(&m);
}

static void only_so_many_pieces_are_kept(void)
{
	static void *p[MEM_PIECES_KEPT + 10];
	struct mem m;

	start(&m, 1 << 24);
	for (unsigned i = 0; i < N_TESTS(p); i++)
		p[i] = mem_new(&m, 4000);
	for (unsigned i = 0; i < N_TESTS(p); i++)
		mem_free(&m, p[i], 4000);
	check(m.used <= MEM_PIECES_KEPT * (4096 + MEM_PIECE_EXTRA));
	finish(&m);
}

static void refusals_of_the_allocator_are_passed_on(void)
{
	struct mem m;

	for (unsigned i = 0; i < N_TESTS(sizes); i++) {
		start(&m, 1 << 20);
		void *a, *b;

		world.fail_at = 1;
		a = mem_new(&m, sizes[i]);
		b = mem_new(&m, sizes[i]);
		check(!a && b);
		mem_free(&m, b, sizes[i]);
		finish(&m);
	}
	start(&m, 1 << 20);
	check(!mem_new(&m, (size_t)1 << 21));
	check(!mem_new(&m, SIZE_MAX));
	finish(&m);
}

static void arrays_grow_and_keep_their_elements(void)
{
	uint32_t *a = NULL, *grown, cap = 0, n = 0;
	struct mem m;

	start(&m, 40000);
	for (;; n++) {
		if (n == cap) {
			grown = mem_grow(&m, a, &cap, sizeof(*a));
			if (!grown)
				break;
			a = grown;
		}
		a[n] = n * 3;
	}
	check(n == cap && n >= 1000); /* the budget said no; what was there is there */
	for (uint32_t i = 0; i < n; i++)
		check_eq(a[i], i * 3);
	mem_free(&m, a, cap * sizeof(*a));
	finish(&m);
}

enum { RECORD = 128, FILL = 2000, KEPT_EACH = 400 };

/* Fills the budget with records: how many there were. */
static unsigned fill_with_records(struct mem *m, uint8_t *record[FILL])
{
	unsigned n = 0;

	while (n < FILL && (record[n] = mem_new(m, RECORD))) {
		memset(record[n], (int)n & 0xff, RECORD);
		n++;
	}
	check(n > 1000 && n < FILL);
	return n;
}

/* Slabs are not looked through for each refusal, but whoever asks again gets his turn. */
static void *take_soon(struct mem *m, size_t size)
{
	void *ptr = NULL;

	for (int i = 0; i < 100 && !ptr; i++)
		ptr = mem_new(m, size);
	return ptr;
}

/* What one size has filled and left serves another: no flood of records is for ever. */
static void empty_slabs_give_way(void)
{
	static const uint32_t others[] = { 2048, 5000, 16000, 65536 };
	static uint8_t *record[FILL];
	struct mem m;

	start(&m, 200000);
	for (unsigned i = 0; i < N_TESTS(others); i++) {
		unsigned n = fill_with_records(&m, record);
		void *other;

		test_at("size %u", others[i]);
		while (n > 0)
			mem_free(&m, record[--n], RECORD);
		other = take_soon(&m, others[i]);
		check(other != NULL);
		mem_free(&m, other, others[i]);
	}
	finish(&m);
}

static void check_kept(uint8_t *record[FILL], unsigned n)
{
	for (unsigned i = 0; i < n; i += KEPT_EACH)
		for (unsigned k = 0; k < RECORD; k++)
			check_eq(record[i][k], i & 0xff);
}

/* A slab stays for its last record; what is free in it is handed out again, each once. */
static void slabs_in_use_stay(void)
{
	static uint8_t *record[FILL], *again[FILL];
	unsigned n, n_again = 0;
	struct mem m;
	void *other;

	start(&m, 200000);
	n = fill_with_records(&m, record);
	for (unsigned i = 0; i < n; i++)
		if (i % KEPT_EACH)
			mem_free(&m, record[i], RECORD);
	other = take_soon(&m, 16000);
	check(other != NULL);
	check_kept(record, n);
	while (n_again < FILL && (again[n_again] = mem_new(&m, RECORD)))
		memset(again[n_again++], 0xee, RECORD);
	check(n_again > 1000 && n_again < n);
	check_kept(record, n);
	while (n_again > 0)
		mem_free(&m, again[--n_again], RECORD);
	for (unsigned i = 0; i < n; i += KEPT_EACH)
		mem_free(&m, record[i], RECORD);
	mem_free(&m, other, 16000);
	finish(&m);
}

static const struct test tests[] = {
	TEST(sizes_are_usable_and_aligned),
	TEST(random_use_keeps_to_the_budget),
	TEST(steady_state_asks_for_nothing),
	TEST(small_stack_takes_little),
	TEST(records_are_dense),
	TEST(last_bytes_of_the_budget_are_used),
	TEST(pieces_leave_room_for_records),
	TEST(kept_pieces_give_way),
	TEST(empty_slabs_give_way),
	TEST(slabs_in_use_stay),
	TEST(only_so_many_pieces_are_kept),
	TEST(refusals_of_the_allocator_are_passed_on),
	TEST(arrays_grow_and_keep_their_elements),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
