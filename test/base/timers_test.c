/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers_test.c - core/base/timers.c against a plain array of instants.
 */
#include "../../core/base/rand.h"
#include "../../core/base/timers.h"
#include "test.h"

enum { N_TIMERS = 300 };

static struct timers wheel;
static struct timer timer[N_TIMERS];
static tern_time model[N_TIMERS]; /* the instant, TERN_NEVER: not armed */

static void start(tern_time now)
{
	timers_init(&wheel, now);
	for (unsigned i = 0; i < N_TIMERS; i++) {
		timer_init(&timer[i], i);
		model[i] = TERN_NEVER;
	}
}

static tern_time earliest_in_model(void)
{
	tern_time earliest = TERN_NEVER;

	for (unsigned i = 0; i < N_TIMERS; i++)
		earliest = MIN(earliest, model[i]);
	return earliest;
}

/* Instants past this one share a tick. */
static const tern_time last_tick_at = (tern_time)1 << 62;

/* Takes all that is due and compares; in_order: ticks must not go back. */
static unsigned take_all(bool in_order)
{
	tern_time last = 0;
	unsigned n = 0;
	struct timer *t;

	for (; (t = timers_take(&wheel)); n++) {
		tern_time at = model[t->kind];

		check(at <= wheel.now && !timer_armed(t));
		check(!in_order || at >> WHEEL_TICK_SHIFT >= last >> WHEEL_TICK_SHIFT ||
		      last >= last_tick_at);
		last = at;
		model[t->kind] = TERN_NEVER;
	}
	for (unsigned i = 0; i < N_TIMERS; i++)
		check(model[i] > wheel.now);
	check(timers_deadline(&wheel) > wheel.now);
	check(timers_deadline(&wheel) <= earliest_in_model());
	timers_check(&wheel);
	return n;
}

/* A duration of any magnitude up to 2^max_bits. */
static tern_time random_span(struct rand *r, unsigned max_bits)
{
	return rand_u64(r) >> (64 - 1 - rand_below(r, max_bits));
}

static void arm_or_disarm_some(struct rand *r, unsigned max_bits)
{
	for (unsigned n = (unsigned)rand_below(r, 20); n > 0; n--) {
		unsigned i = (unsigned)rand_below(r, N_TIMERS);
		tern_time at = wheel.now + random_span(r, max_bits);

		if (at < wheel.now)
			at = TERN_NEVER;
		if (rand_below(r, 10) == 0) {
			timers_disarm(&wheel, &timer[i]);
			at = TERN_NEVER;
		} else {
			if (rand_below(r, 20) == 0 && wheel.now > 5)
				at = wheel.now - 5; /* past: due at once */
			timers_arm(&wheel, &timer[i], at);
		}
		model[i] = at;
		check_eq(timer_armed(&timer[i]), at != TERN_NEVER);
	}
}

static void run_against_array(unsigned seed, tern_time now, unsigned max_bits)
{
	uint8_t key[32] = { (uint8_t)seed, (uint8_t)max_bits };
	struct rand r;

	rand_init(&r, key, 0);
	start(now);
	for (unsigned step = 0; step < 1500; step++) {
		tern_time deadline;

		test_at("seed %u, bits %u, step %u", seed, max_bits, step);
		arm_or_disarm_some(&r, max_bits);
		deadline = timers_deadline(&wheel);
		check(deadline <= MAX(earliest_in_model(), wheel.now));
		if (rand_below(&r, 2))
			take_all(false);
		else
			continue;
		deadline = timers_deadline(&wheel);
		if (rand_below(&r, 4) == 0 || deadline == TERN_NEVER)
			deadline = wheel.now + random_span(&r, max_bits);
		timers_advance(&wheel, MIN(deadline, TERN_NEVER - 1));
		take_all(true);
	}
}

static void agrees_with_an_array(void)
{
	static const unsigned bits[] = { 8, 16, 22, 30, 40, 55, 62, 63 };

	for (unsigned i = 0; i < N_TESTS(bits); i++)
		for (unsigned seed = 0; seed < 3; seed++)
			run_against_array(seed, seed * 1234567891011, bits[i]);
}

static void times_beyond_the_last_tick_still_work(void)
{
	for (unsigned seed = 0; seed < 3; seed++) {
		run_against_array(seed, ((tern_time)1 << 62) - 1000, 20);
		run_against_array(seed, ((tern_time)1 << 63) + 7, 30);
	}
}

static void lone_timer_needs_one_wakeup(void)
{
	for (unsigned bits = 0; bits < 62; bits++) {
		tern_time at = 12345 + ((tern_time)1 << bits);

		test_at("bits %u", bits);
		start(12345);
		timers_arm(&wheel, &timer[0], at);
		check_eq(timers_deadline(&wheel), at);
		timers_advance(&wheel, at - 1);
		check(!timers_take(&wheel));
		check_eq(timers_deadline(&wheel), at);
		timers_advance(&wheel, at);
		check(timers_take(&wheel) == &timer[0]);
		check(timers_deadline(&wheel) == TERN_NEVER);
	}
}

static void crowd_needs_few_wakeups(void)
{
	unsigned n_wakeups = 0, n_taken = 0;

	start(0);
	for (unsigned i = 0; i < N_TIMERS; i++)
		timers_arm(&wheel, &timer[i], model[i] = 200 * TERN_MS + i * TERN_US);
	for (; timers_deadline(&wheel) != TERN_NEVER; n_wakeups++) {
		timers_advance(&wheel, timers_deadline(&wheel));
		n_taken += take_all(true);
	}
	check_eq(n_taken, N_TIMERS);
	check(n_wakeups < N_TIMERS + 40);
}

static void equal_times_fire_in_arming_order(void)
{
	tern_time at = TERN_SEC;

	start(0);
	for (unsigned i = 0; i < N_TIMERS; i++) {
		timers_arm(&wheel, &timer[i], at);
		timers_advance(&wheel, wheel.now + (at - wheel.now) / 20);
		check(!timers_take(&wheel));
	}
	timers_advance(&wheel, 100 * TERN_SEC);
	for (unsigned i = 0; i < N_TIMERS; i++)
		check(timers_take(&wheel) == &timer[i]);
	check(!timers_take(&wheel));
}

static void moving_later_is_cheap_and_right(void)
{
	unsigned n_wakeups = 0;

	start(0);
	for (tern_time now = 0; now < 10 * TERN_SEC; now += TERN_MS) {
		timers_arm(&wheel, &timer[0], now + 200 * TERN_MS);
		timers_advance(&wheel, now);
		check(!timers_take(&wheel));
	}
	timers_arm(&wheel, &timer[0], 12 * TERN_SEC);
	for (; timers_deadline(&wheel) != TERN_NEVER; n_wakeups++) {
		check(timers_deadline(&wheel) <= 12 * TERN_SEC);
		timers_advance(&wheel, timers_deadline(&wheel));
		if (timers_take(&wheel))
			check_eq(wheel.now, 12 * TERN_SEC);
	}
	check(n_wakeups <= 3);
}

static void due_timer_can_be_moved_or_disarmed(void)
{
	start(0);
	timers_arm(&wheel, &timer[0], 0);
	timers_arm(&wheel, &timer[1], 0);
	timers_arm(&wheel, &timer[0], TERN_SEC);
	timers_disarm(&wheel, &timer[1]);
	check(!timers_take(&wheel));
	check_eq(timers_deadline(&wheel), TERN_SEC);
	timers_arm(&wheel, &timer[0], TERN_NEVER);
	check(!timer_armed(&timer[0]) && timers_deadline(&wheel) == TERN_NEVER);
}

static void time_does_not_go_back(void)
{
	start(1000);
	timers_advance(&wheel, 10);
	check_eq(wheel.now, 1000);
}

static const struct test tests[] = {
	TEST(agrees_with_an_array),
	TEST(times_beyond_the_last_tick_still_work),
	TEST(lone_timer_needs_one_wakeup),
	TEST(crowd_needs_few_wakeups),
	TEST(equal_times_fire_in_arming_order),
	TEST(moving_later_is_cheap_and_right),
	TEST(due_timer_can_be_moved_or_disarmed),
	TEST(time_does_not_go_back),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
