/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pkt_test.c - core/base/pkt.c: moving the start, spans and their pins, copies, sums, queues.
 */
#include "../../core/base/pkt.h"
#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"
#include "test.h"

static struct test_env world;
static struct mem mem;
static struct buf buf;

static void start(void)
{
	struct tern_env env;
	static uint8_t bytes[200000];

	memset(&world, 0, sizeof(world));
	world.fill = 0xbb;
	env = test_env_make(&world, 1);
	mem_init(&mem, env.alloc, env.free, env.ctx, 1 << 22);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 11 + i / 256);
	buf_init(&buf, 0);
	check_eq(buf_write(&buf, &mem, 0, bytes, sizeof(bytes)), sizeof(bytes));
}

static void finish(void)
{
	buf_fini(&buf, &mem);
	mem_fini(&mem);
	check_eq(world.out, 0);
}

/* A packet of len linear bytes and n spans of the given lengths; bytes is what it says in all. */
static struct tern_pkt *make(uint32_t len, unsigned n, const uint32_t *lens, uint8_t *bytes)
{
	struct tern_pkt *p = pkt_new(&mem, PKT_HEAD_ROOM, len);
	uint64_t pos = 3;

	for (uint32_t i = 0; i < len; i++)
		p->data[i] = bytes[i] = (uint8_t)(i + 1);
	bytes += len;
	for (unsigned i = 0; i < n; i++) {
		struct buf_span s;

		check_eq(buf_spans(&buf, pos, lens[i], &s, 1), 1);
		check_eq(s.len, lens[i]);
		check(pkt_add_span(p, &s));
		memcpy(bytes, s.ptr, s.len);
		bytes += s.len;
		pos += 25000;
	}
	return p;
}

static void fresh_packet_is_zero(void)
{
	struct tern_pkt *p;

	start();
	p = pkt_new(&mem, 64, 100);
	check(p->len == 100 && p->total_len == 100 && p->head_room == 64);
	check(!p->next && !p->ifindex && !p->flags && !p->gso_size && !p->n_spans && !p->cookie);
	check(!p->conn && !p->cut_to);
	memset(p->data - 64, 1, 164); /* ours to write */
	pkt_free(&mem, p);
	finish();
}

static void headers_are_pushed_and_pulled(void)
{
	struct tern_pkt *p;

	start();
	p = pkt_new(&mem, 40, 10);
	p->data[0] = 7;
	check(pkt_push(p, 40) == p->data && p->len == 50 && p->total_len == 50);
	check_eq(p->data[40], 7);
	pkt_pull(p, 45);
	check(p->len == 5 && p->total_len == 5 && p->head_room == 45);
	pkt_free(&mem, p);
	finish();
}

static void spans_outlive_their_buffer(void)
{
	static const uint32_t lens[] = { 100, 7, 1, 99, 1000, 500 };
	static uint8_t want[4000], got[4000];
	struct tern_pkt *p;
	struct buf_span s;

	start();
	p = make(54, 6, lens, want);
	check_eq(p->total_len, 54 + 1707);
	buf_spans(&buf, 0, 10, &s, 1);
	check(!pkt_add_span(p, &s)); /* the seventh */
	buf_fini(&buf, &mem);
	check_eq(pkt_copy_out(p, 0, got, sizeof(got)), p->total_len);
	check_mem(got, want, p->total_len);
	pkt_free(&mem, p);
	finish();
}

static void any_part_is_copied_out(void)
{
	static const uint32_t lens[] = { 3, 1, 8 };
	uint8_t want[17], got[17];
	struct tern_pkt *p;

	start();
	p = make(5, 3, lens, want);
	for (uint32_t from = 0; from <= 18; from++) {
		for (uint32_t len = 0; len <= 17; len++) {
			uint32_t n = from < 17 ? MIN(len, 17 - from) : 0;

			check_eq(pkt_copy_out(p, from, got, len), n);
			check_mem(got, want + MIN(from, 17), n);
		}
	}
	pkt_free(&mem, p);
	finish();
}

static void trimming_keeps_the_front(void)
{
	static const uint32_t lens[] = { 3, 1, 8 };
	uint8_t want[17], got[17];

	start();
	for (uint32_t len = 0; len <= 17; len++) {
		struct tern_pkt *p = make(5, 3, lens, want);

		pkt_trim(&mem, p, len);
		check_eq(p->total_len, len);
		check_eq(pkt_copy_out(p, 0, got, 17), len);
		check_mem(got, want, len);
		check_eq(p->n_spans, len > 9 ? 3 : len > 8 ? 2 : len > 5 ? 1 : 0);
		pkt_free(&mem, p);
	}
	finish();
}

static void copy_is_linear_and_keeps_its_fields(void)
{
	static const uint32_t lens[] = { 300, 20 };
	uint8_t want[400];
	struct tern_pkt *p, *copy;

	start();
	p = make(30, 2, lens, want);
	p->ifindex = 3;
	p->flags = TERN_PKT_CSUM_PARTIAL | TERN_PKT_EXTERNAL;
	p->csum_start = 14;
	p->csum_off = 6;
	p->gso_size = 1448;
	copy = pkt_copy(&mem, p, 20);
	pkt_free(&mem, p);
	check(copy->len == 350 && copy->total_len == 350 && copy->n_spans == 0);
	check(copy->ifindex == 3 && copy->flags == TERN_PKT_CSUM_PARTIAL && copy->csum_start == 14);
	check(copy->csum_off == 6 && copy->gso_size == 1448 && copy->head_room == 20);
	pkt_push(copy, 20); /* what is counted from data moves with it */
	check_eq(copy->csum_start, 34);
	pkt_pull(copy, 20);
	check_eq(copy->csum_start, 14);
	check_mem(copy->data, want, 350);
	pkt_free(&mem, copy);
	finish();
}

static void sum_does_not_depend_on_the_parts(void)
{
	static const uint8_t seed[32] = { 3 };
	static uint8_t want[8000];
	struct rand r;

	start();
	rand_init(&r, seed, 0);
	for (unsigned round = 0; round < 500; round++) {
		uint32_t lens[6], n = (uint32_t)rand_below(&r, 7), linear;
		struct tern_pkt *p;

		for (unsigned i = 0; i < n; i++)
			lens[i] = 1 + (uint32_t)rand_below(&r, round % 2 ? 9 : 900);
		linear = (uint32_t)rand_below(&r, 60);
		p = make(linear, n, lens, want);
		test_at("round %u", round);
		for (uint32_t from = 0; from <= MIN(p->total_len, 40); from++)
			check_eq(checksum_finish(pkt_sum(p, from, checksum_add, 0xfff1)),
				 checksum_finish(
					 checksum_add(want + from, p->total_len - from, 0xfff1)));
		pkt_free(&mem, p);
	}
	finish();
}

static void queue_is_first_in_first_out(void)
{
	struct tern_pkt *p[3];
	struct pkt_queue q;

	start();
	pkt_queue_init(&q);
	check(!pkt_queue_take(&q));
	for (unsigned i = 0; i < 3; i++)
		pkt_queue_put(&q, p[i] = pkt_new(&mem, 0, 10 + i));
	check(q.n == 3 && q.bytes == 33);
	check(pkt_queue_take(&q) == p[0] && q.n == 2 && q.bytes == 23);
	pkt_queue_put(&q, p[0]);
	check(pkt_queue_take(&q) == p[1] && pkt_queue_take(&q) == p[2]);
	check(pkt_queue_take(&q) == p[0] && !pkt_queue_take(&q) && q.bytes == 0 && q.n == 0);
	for (unsigned i = 0; i < 3; i++)
		pkt_queue_put(&q, p[i]);
	pkt_queue_fini(&q, &mem);
	check(q.n == 0);
	finish();
}

static void no_memory_is_reported(void)
{
	struct tern_pkt *p;

	start();
	p = pkt_new(&mem, 0, 3000);
	mem.max = mem.used;
	check(!pkt_new(&mem, 0, 3000) && !pkt_copy(&mem, p, 0));
	pkt_free(&mem, p);
	finish();
}

static const struct test tests[] = {
	TEST(fresh_packet_is_zero),
	TEST(headers_are_pushed_and_pulled),
	TEST(spans_outlive_their_buffer),
	TEST(any_part_is_copied_out),
	TEST(trimming_keeps_the_front),
	TEST(copy_is_linear_and_keeps_its_fields),
	TEST(sum_does_not_depend_on_the_parts),
	TEST(queue_is_first_in_first_out),
	TEST(no_memory_is_reported),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
