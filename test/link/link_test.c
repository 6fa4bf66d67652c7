/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_test.c - a wire: its delays, its rate and queue, its faults, and that a seed fixes them all.
 */
#include "../../core/wire/wire.h"
#include "../../link/link.h"

#include <stdlib.h>

#include "test.h"

static struct link make_link(const struct tern_weather *w, uint64_t seed)
{
	const uint8_t bytes[32] = { (uint8_t)seed, (uint8_t)(seed >> 8) };
	struct rand r;
	struct link l;

	rand_init(&r, bytes, 7);
	link_init(&l, w, &r);
	return l;
}

static struct link_fate send(struct link *l, tern_time now, uint64_t id, uint32_t len)
{
	struct link_fate fate = link_decide(l, now, len);
	struct link_frame *f;

	if (fate.lost)
		return fate;
	f = calloc(1, sizeof(*f) + len);
	if (!f)
		abort();
	f->id = id;
	f->len = len;
	link_put(l, f, &fate);
	return fate;
}

/* The number of the frame that arrives at that very instant; 0: none does. */
static uint64_t take(struct link *l, tern_time now)
{
	struct link_frame *f;
	uint64_t id;

	if (link_deadline(l) != now)
		return 0;
	check(link_take(l, now - 1) == NULL);
	f = link_take(l, now);
	if (!f)
		return 0;
	id = f->id;
	free(f);
	return id;
}

static void drain(struct link *l)
{
	struct link_frame *f;

	while ((f = link_take(l, TERN_NEVER)) != NULL)
		free(f);
	check(link_deadline(l) == TERN_NEVER);
}

static void a_perfect_wire_takes_its_delay(void)
{
	struct link l = make_link(&(struct tern_weather){ .delay = 10 * TERN_MS }, 1);

	check(link_deadline(&l) == TERN_NEVER);
	send(&l, 5, 1, 100);
	send(&l, 6, 2, 100);
	check_eq(take(&l, 10 * TERN_MS + 5), 1);
	check_eq(take(&l, 10 * TERN_MS + 6), 2);
	drain(&l);
}

/* 1 Mbit/s: 1250 bytes take 10 ms; 2500 bytes of queue. */
static void the_rate_spaces_and_the_queue_drops(void)
{
	const struct tern_weather w = { .rate_bps = 1000000, .queue_bytes = 2500 };
	struct link l = make_link(&w, 1);

	check(!send(&l, 0, 1, 1250).lost);
	check(!send(&l, 0, 2, 1250).lost);
	check_str(send(&l, 0, 3, 1250).lost, "queue");
	check(!send(&l, 10 * TERN_MS, 4, 1250).lost);
	check_eq(take(&l, 10 * TERN_MS), 1);
	check_eq(take(&l, 20 * TERN_MS), 2);
	check_eq(take(&l, 30 * TERN_MS), 4);
	check(!send(&l, 40 * TERN_MS, 5, 60000).lost); /* alone, it may be longer than the queue */
	check_eq(take(&l, 520 * TERN_MS), 5);
	drain(&l);
}

static void jitter_keeps_the_order(void)
{
	const struct tern_weather w = { .delay = TERN_MS, .jitter = 5 * TERN_MS };
	struct link l = make_link(&w, 3);
	tern_time last = 0, shortest = TERN_NEVER, longest = 0;

	for (uint64_t i = 1; i <= 1000; i++) {
		tern_time now = i * TERN_MS, due = send(&l, now, i, 100).due;

		check(due >= last);
		last = due;
		shortest = due - now < shortest ? due - now : shortest;
		longest = due - now > longest ? due - now : longest;
	}
	check(shortest >= TERN_MS && shortest < 2 * TERN_MS);
	check(longest <= 6 * TERN_MS && longest > 5 * TERN_MS);
	for (uint64_t i = 1; i <= 1000; i++)
		check_eq(take(&l, link_deadline(&l)), i);
	drain(&l);
}

struct tally {
	unsigned lost, held, duplicated, corrupted;
};

static struct tally count_faults(struct link *l, unsigned n)
{
	struct tally t = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct link_fate f = link_decide(l, i, 100);

		t.lost += f.lost != NULL;
		t.held += f.held;
		t.duplicated += f.duplicated;
		t.corrupted += f.corrupted;
		check(f.bit < 800);
	}
	return t;
}

/* 5 standard deviations at 100 000 trials: 345, 270, 221 and 157. */
static void faults_come_as_often_as_asked(void)
{
	const struct tern_weather w = { .loss_ppm = 50000,
					.reorder_ppm = 30000,
					.duplicate_ppm = 20000,
					.corrupt_ppm = 10000 };
	struct link l = make_link(&w, 5);
	struct tally t = count_faults(&l, 100000);

	check(abs((int)t.lost - 5000) < 345);
	check(abs((int)t.held - 2850) < 270);
	check(abs((int)t.duplicated - 1900) < 221);
	check(abs((int)t.corrupted - 950) < 157);
}

static void certain_and_impossible_faults(void)
{
	struct link l = make_link(&(struct tern_weather){ .loss_ppm = 1000000 }, 1);
	struct tally t = count_faults(&l, 1000);

	check_eq(t.lost, 1000);
	l = make_link(&(struct tern_weather){ .delay = 1 }, 1);
	t = count_faults(&l, 1000);
	check_eq(t.lost + t.held + t.duplicated + t.corrupted, 0);
	l = make_link(&(struct tern_weather){ .down = true }, 1);
	check_str(link_decide(&l, 0, 10).lost, "down");
	l = make_link(&(struct tern_weather){ .black_hole = 100 }, 1);
	check(!link_decide(&l, 0, 100).lost);
	check_str(link_decide(&l, 0, 101).lost, "black-hole");
}

static void a_held_frame_is_overtaken(void)
{
	struct link l = make_link(&(struct tern_weather){ .delay = TERN_MS }, 1);
	struct link_fate fate;

	l.weather.reorder_ppm = 1000000;
	fate = send(&l, 0, 1, 100);
	check(fate.held && fate.due >= 2 * TERN_MS && fate.due < 3 * TERN_MS);
	l.weather.reorder_ppm = 0;
	send(&l, 0, 2, 100);
	send(&l, 3 * TERN_MS, 3, 100);
	check_eq(take(&l, TERN_MS), 2);
	check_eq(take(&l, fate.due), 1);
	check_eq(take(&l, 4 * TERN_MS), 3);
	drain(&l);
}

static void a_seed_fixes_everything(void)
{
	const struct tern_weather w = { .delay = 100,
					.jitter = 1000,
					.rate_bps = 1000000000,
					.loss_ppm = 100000,
					.reorder_ppm = 100000,
					.duplicate_ppm = 100000,
					.corrupt_ppm = 100000 };
	struct link a = make_link(&w, 9), b = make_link(&w, 9), c = make_link(&w, 10);
	unsigned n_different = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct link_fate fa = link_decide(&a, i, 60), fb = link_decide(&b, i, 60);
		struct link_fate fc = link_decide(&c, i, 60);

		check(fa.lost == fb.lost && fa.due == fb.due && fa.held == fb.held &&
		      fa.duplicated == fb.duplicated && fa.corrupted == fb.corrupted &&
		      fa.bit == fb.bit);
		n_different += fa.due != fc.due;
	}
	check(n_different > 100);
}

/* ---- marks ---- */

static void marks_by_chance_and_by_waiting(void)
{
	const struct tern_weather w = { .rate_bps = 8000000, .mark_above = 10 * TERN_MS };
	struct link l = make_link(&w, 1);
	unsigned n = 0;

	for (unsigned i = 0; i < 20; i++) /* a millisecond each */
		check_eq(link_decide(&l, 0, 1000).marked, i > 10);
	l = make_link(&(struct tern_weather){ .mark_ppm = 100000 }, 2);
	for (unsigned i = 0; i < 10000; i++)
		n += link_decide(&l, i, 100).marked;
	check(n > 900 && n < 1100);
}

static void mark_one(unsigned ecn, unsigned version, bool eth)
{
	uint8_t f[60] = { 0 }, *ip = f + (eth ? 14 : 0);
	enum tern_link kind = eth ? TERN_LINK_ETHERNET : TERN_LINK_IP;
	bool able = ecn == 1 || ecn == 2, v4 = version == 4;

	ip[0] = v4 ? 0x45 : 0x6f;
	ip[1] = (uint8_t)(v4 ? 0xfc | ecn : 0xcb | ecn << 4);
	ip[8] = 64;
	if (v4)
		put_be16(ip + 10, checksum_finish(checksum_add(ip, 20, 0)));
	check(!link_mark(kind, f, eth ? 33 : 19)); /* cut short */
	check_eq(link_mark(kind, f, sizeof(f)), able);
	check_eq(v4 ? ip[1] & 3 : ip[1] >> 4 & 3, able ? 3 : ecn);
	check_eq(v4 ? ip[1] >> 2 : ip[1] & 0xcf, v4 ? 0x3f : 0xcb);
	check_eq(v4 ? checksum_finish(checksum_add(ip, 20, 0)) : 0, 0);
}

/* The header checksum stays right; what is not able to carry a mark stays as it is. */
static void only_able_packets_are_marked(void)
{
	for (unsigned i = 0; i < 16; i++) {
		test_at("packet %u", i);
		mark_one(i & 3, i & 4 ? 4 : 6, i & 8);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(a_perfect_wire_takes_its_delay), TEST(the_rate_spaces_and_the_queue_drops),
		TEST(jitter_keeps_the_order),	      TEST(faults_come_as_often_as_asked),
		TEST(certain_and_impossible_faults),  TEST(a_held_frame_is_overtaken),
		TEST(a_seed_fixes_everything),	      TEST(marks_by_chance_and_by_waiting),
		TEST(only_able_packets_are_marked),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
