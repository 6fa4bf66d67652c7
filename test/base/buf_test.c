/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf_test.c - core/base/buf.c against a plain array. The byte at a position is always the same
 * function of the position, so that whatever is read or pinned can be checked at any time.
 */
#include "../../core/base/buf.h"
#include "../../core/base/rand.h"
#include "../../core/base/ranges.h"
#include "../../include/tern.h"
#include "test.h"

static struct test_env world;
static struct mem mem;

static void start(void)
{
	struct tern_env env;

	memset(&world, 0, sizeof(world));
	world.fill = 0xee;
	env = test_env_make(&world, 1);
	mem_init(&mem, env.alloc, env.free, env.ctx, 1 << 26);
}

static void finish(struct buf *b)
{
	buf_fini(b, &mem);
	buf_check(b);
	check_eq(buf_cost(b), 0);
	mem_fini(&mem);
	check_eq(world.out, 0);
}

static uint8_t byte_at(uint64_t pos)
{
	return (uint8_t)((pos * 0x9e3779b97f4a7c15) >> 56);
}

static const uint8_t *bytes_at(uint64_t pos, size_t len)
{
	static uint8_t bytes[1 << 20];

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(pos + i);
	return bytes;
}

static void check_bytes(uint64_t pos, const uint8_t *got, size_t len)
{
	check_mem(got, bytes_at(pos, len), len);
}

enum { N_PINS = 12, PIN_LEN_MAX = 3000 };

struct pinned {
	uint64_t pos;
	struct buf_span span;
};

/* A buffer, and beside it which positions have been written. */
struct pair {
	struct buf buf;
	struct ranges written;
	struct pinned pin[N_PINS];
	struct rand rand;
};

static void write_somewhere(struct pair *p, unsigned window)
{
	static const uint32_t lens[] = { 1, 1000, 1460, 5000, 20000, 70000, 200000 };
	uint64_t pos = p->buf.head + rand_below(&p->rand, window);
	size_t len = 1 + rand_below(&p->rand, lens[rand_below(&p->rand, N_TESTS(lens))]);

	if (rand_below(&p->rand, 2))
		pos = p->buf.end;
	check_eq(buf_write(&p->buf, &mem, pos, bytes_at(pos, len), len), len);
	check(ranges_add(&p->written, &mem, pos, pos + len));
	check(p->buf.end >= pos + len);
}

static void read_somewhere(struct pair *p)
{
	static uint8_t got[1 << 20];
	uint64_t span = p->buf.end - p->buf.head + 1;
	struct range r;
	uint64_t pos, len;

	if (!ranges_find(&p->written, p->buf.head + rand_below(&p->rand, span), &r))
		return;
	pos = r.lo + rand_below(&p->rand, r.hi - r.lo);
	len = rand_below(&p->rand, MIN(r.hi - pos, sizeof(got)) + 1);
	buf_read(&p->buf, pos, got, len);
	check_bytes(pos, got, len);
}

static void pin_somewhere(struct pair *p)
{
	struct pinned *pin = &p->pin[rand_below(&p->rand, N_PINS)];
	struct range r;
	uint64_t len;

	if (pin->span.chunk)
		chunk_unpin(&mem, pin->span.chunk);
	pin->span.chunk = NULL;
	if (!ranges_find(&p->written, p->buf.head, &r))
		return;
	pin->pos = r.lo + rand_below(&p->rand, r.hi - r.lo);
	len = MIN(r.hi - pin->pos, PIN_LEN_MAX);
	check_eq(buf_spans(&p->buf, pin->pos, len, &pin->span, 1), 1);
	check(pin->span.len <= len);
	chunk_pin(pin->span.chunk);
}

static void drop_or_cut(struct pair *p)
{
	uint64_t pos = p->buf.head + rand_below(&p->rand, p->buf.end - p->buf.head + 1);

	if (rand_below(&p->rand, 4) == 0)
		pos = p->buf.end;
	if (rand_below(&p->rand, 6) == 0) {
		struct ranges kept;
		struct range r;

		buf_cut(&p->buf, &mem, pos);
		ranges_init(&kept);
		for (uint64_t at = 0; ranges_find(&p->written, at, &r) && r.lo < pos; at = r.hi)
			ranges_add(&kept, &mem, r.lo, MIN(r.hi, pos));
		ranges_fini(&p->written, &mem);
		p->written = kept;
		return;
	}
	buf_drop(&p->buf, &mem, pos);
	ranges_drop_below(&p->written, &mem, pos);
	check_eq(p->buf.head, pos);
}

static void check_pins(const struct pair *p)
{
	for (unsigned i = 0; i < N_PINS; i++)
		if (p->pin[i].span.chunk)
			check_bytes(p->pin[i].pos, p->pin[i].span.ptr, p->pin[i].span.len);
}

static void run_against_array(unsigned seed, unsigned window)
{
	static struct pair p;
	uint8_t key[32] = { (uint8_t)seed };

	memset(&p, 0, sizeof(p));
	start();
	rand_init(&p.rand, key, window);
	buf_init(&p.buf, ((uint64_t)seed << 32) + 12345);
	ranges_init(&p.written);
	for (unsigned step = 0; step < 600; step++) {
		test_at("seed %u, window %u, step %u", seed, window, step);
		switch (rand_below(&p.rand, 5)) {
		case 0:
		case 1:
			write_somewhere(&p, window);
			break;
		case 2:
			read_somewhere(&p);
			break;
		case 3:
			pin_somewhere(&p);
			break;
		default:
			drop_or_cut(&p);
		}
		buf_check(&p.buf);
		if (step % 16 == 0)
			check_pins(&p);
	}
	buf_fini(&p.buf, &mem);
	check_pins(&p); /* pinned chunks survive their buffer */
	for (unsigned i = 0; i < N_PINS; i++)
		if (p.pin[i].span.chunk)
			chunk_unpin(&mem, p.pin[i].span.chunk);
	ranges_fini(&p.written, &mem);
	finish(&p.buf);
}

static void agrees_with_an_array(void)
{
	for (unsigned seed = 0; seed < 6; seed++) {
		run_against_array(seed, 2000);
		run_against_array(seed, 100000);
		run_against_array(seed, 3000000);
	}
}

static void chunks_grow_with_the_stream(void)
{
	static const struct {
		uint64_t from;
		uint32_t len;
	} want[] = {
		{ 0, 4096 },	  { 4096, 16384 },  { 20480, 16384 },
		{ 36864, 16384 }, { 53248, 65536 }, { 118784, 65536 },
	};
	struct buf_span span[N_TESTS(want)];
	struct buf b;

	start();
	buf_init(&b, 77);
	check_eq(buf_reserve(&b, &mem, 77, 184320, span, N_TESTS(want)), N_TESTS(want));
	for (unsigned i = 0; i < N_TESTS(want); i++) {
		check_eq(span[i].len, want[i].len);
		check_eq(span[i].chunk->size, want[i].len);
	}
	check_eq(b.end, 77 + 184320);
	finish(&b);
}

static void reserve_stops_when_spans_run_out(void)
{
	struct buf_span span[2];
	struct buf b;

	start();
	buf_init(&b, 0);
	check_eq(buf_reserve(&b, &mem, 0, 100000, span, 2), 2);
	check_eq(b.end, 20480);
	check_eq(buf_reserve(&b, &mem, 20480, 0, span, 2), 0);
	buf_check(&b);
	finish(&b);
}

static void early_data_takes_only_its_chunk(void)
{
	struct buf b;

	start();
	buf_init(&b, 1000);
	check_eq(buf_write(&b, &mem, 1000 + 200000, bytes_at(201000, 100), 100), 100);
	check(buf_cost(&b) < 65536 + 1000);
	check_eq(buf_write(&b, &mem, 1000, bytes_at(1000, 100), 100), 100);
	check(buf_cost(&b) < 65536 + 4096 + 1000);
	buf_check(&b);
	finish(&b);
}

static void empty_buffer_costs_nothing(void)
{
	struct buf b;

	start();
	buf_init(&b, 5);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t pos = b.head;

		check_eq(buf_write(&b, &mem, pos, bytes_at(pos, 3000), 3000), 3000);
		check(buf_cost(&b) < 5000);
		buf_drop(&b, &mem, b.end);
		check_eq(buf_cost(&b), 0);
		check(b.n_chunks == 0 && b.head == b.end);
	}
	finish(&b);
}

static void reservation_can_be_undone(void)
{
	struct buf_span span[4];
	struct buf b;

	start();
	buf_init(&b, 0);
	check_eq(buf_reserve(&b, &mem, 0, 30000, span, 4), 3);
	buf_cut(&b, &mem, 4096);
	buf_check(&b);
	check(buf_cost(&b) < 4096 + 200);
	buf_cut(&b, &mem, 0);
	check_eq(buf_cost(&b), 0);
	finish(&b);
}

static void too_far_is_refused(void)
{
	struct buf b;

	start();
	buf_init(&b, 0);
	check_eq(buf_write(&b, &mem, (uint64_t)1 << 33, "x", 1), 0);
	buf_check(&b);
	check_eq(buf_cost(&b), 0);
	finish(&b);
}

/* Each allocation fails once: what was written is there, the rest was refused. */
static void every_failed_allocation_is_survived(void)
{
	static uint8_t got[400000];
	size_t n = 0;

	for (unsigned fail_at = 1; n < sizeof(got); fail_at++) {
		struct buf b;

		start();
		test_at("failure %u", fail_at);
		world.fail_at = fail_at;
		buf_init(&b, 9);
		n = buf_write(&b, &mem, 9, bytes_at(9, sizeof(got)), sizeof(got));
		buf_check(&b);
		check_eq(b.end, 9 + n);
		buf_read(&b, 9, got, n);
		check_bytes(9, got, n);
		n += buf_write(&b, &mem, 9 + n, bytes_at(9 + n, sizeof(got) - n), sizeof(got) - n);
		check_eq(n, sizeof(got)); /* the next try succeeds */
		buf_read(&b, 9, got, n);
		check_bytes(9, got, n);
		if (world.n_allocs >= fail_at)
			n = 0;
		check(fail_at < 50);
		finish(&b);
	}
}

static const struct test tests[] = {
	TEST(agrees_with_an_array),
	TEST(chunks_grow_with_the_stream),
	TEST(reserve_stops_when_spans_run_out),
	TEST(early_data_takes_only_its_chunk),
	TEST(empty_buffer_costs_nothing),
	TEST(reservation_can_be_undone),
	TEST(too_far_is_refused),
	TEST(every_failed_allocation_is_survived),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
