/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc_test.c - core/cc/cc.c and fixed.c: the names, ours and the user's, the initial window (RFC
 * 6928), a changed MSS, and what is made good of what an algorithm does.
 */
#include "../../core/cc/cc.h"
#include "test.h"

static void names(void)
{
	check(cc_find(NULL, "reno") == &cc_reno);
	check(cc_find(NULL, "cubic") == &cc_cubic);
	check(cc_find(NULL, "fixed") == &cc_fixed);
	check(cc_find(NULL, "bbr") == &cc_bbr);
	check(cc_find(NULL, "") == NULL);
	check(cc_find(NULL, "ren") == NULL && cc_find(NULL, "renos") == NULL &&
	      cc_find(NULL, "Reno") == NULL);
	check_str(cc_reno.name, "reno");
	check_str(cc_cubic.name, "cubic");
	check_str(cc_fixed.name, "fixed");
}

static void registered_names(void)
{
	static const struct {
		const char name[TERN_CC_NAME_MAX + 1];
		int want;
	} cases[] = {
		{ "mine", 0 },
		{ "mine", -TERN_EEXIST },
		{ "cubic", -TERN_EEXIST },
		{ "", -TERN_EINVAL },
		{ "with blank", -TERN_EINVAL },
		{ "a\tb", -TERN_EINVAL },
		{ "\xc3\xa9", -TERN_EINVAL },
		{ "0123456789abcdef", -TERN_EINVAL }, /* does not end */
		{ "0123456789-_.AZ", 0 },
		{ "three", 0 },
		{ "four", 0 },
		{ "five", 0 },
		{ "six", 0 },
		{ "seven", 0 },
		{ "eight", 0 },
		{ "nine", -TERN_ENOSPC },
		{ "eight", -TERN_EEXIST },
	};
	struct cc_set set = { .n = 0 };

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tern_cc_ops ops = { .own_window = true };

		test_at("\"%s\"", cases[i].name);
		memcpy(ops.name, cases[i].name, TERN_CC_NAME_MAX);
		check_eq(cc_register(&set, &ops), cases[i].want);
		if (cases[i].want == 0) {
			memset(&ops, 0, sizeof(ops)); /* it was copied */
			check(cc_find(&set, cases[i].name) &&
			      cc_find(&set, cases[i].name)->own_window);
			check(cc_find(NULL, cases[i].name) == NULL);
		}
	}
	check_eq(set.n, TERN_CC_OWN_MAX);
	check_str(cc_name(&set, 0), "reno");
	check_str(cc_name(&set, 4), "mine");
	check(cc_name(NULL, 4) == NULL && cc_name(&set, 12) == NULL);
}

static void set_windows(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	cc->cwnd = (uint32_t)s->in_flight;
	cc->ssthresh = UINT32_MAX;
}

/* A window has a segment at least and a limit; what is not there is not called. */
static void what_is_made_good(void)
{
	static const struct tern_cc_ops nothing = { .name = "nothing" };
	static const struct tern_cc_ops wild = { .name = "wild",
						 .on_send = set_windows,
						 .on_ack = set_windows,
						 .on_loss = set_windows,
						 .on_congestion = set_windows,
						 .on_recovery_end = set_windows,
						 .on_rto = set_windows,
						 .on_idle = set_windows };
	static void (*const events[])(struct tern_cc *, const struct tern_cc_sample *) = {
		cc_on_send,	    cc_on_ack, cc_on_loss, cc_on_congestion,
		cc_on_recovery_end, cc_on_rto, cc_on_idle
	};
	uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];
	struct tern_cc cc;

	for (unsigned i = 0; i < N_TESTS(events); i++) {
		struct tern_cc_sample s = { .in_flight = 0 };

		test_at("event %u", i);
		cc_init(&cc, &wild, 1000, 10);
		cc_set_state(&cc, state);
		events[i](&cc, &s);
		check(cc.cwnd == 1000 && cc.ssthresh == CC_INFINITE);
		s.in_flight = UINT32_MAX;
		events[i](&cc, &s);
		check_eq(cc.cwnd, CC_INFINITE);
		cc_init(&cc, &nothing, 1000, 10);
		cc_set_state(&cc, state);
		events[i](&cc, &s);
		cc_on_undo(&cc);
		check_eq(cc.cwnd, 10000);
	}
	cc_pace(&cc)->rate = cc_pace(&cc)->burst = 5;
	cc_change(&cc, &cc_reno); /* the rate was the other's */
	check(cc_pace(&cc)->rate == 0 && cc_pace(&cc)->burst == 0);
}

/* RFC 6928 section 2: min(10 MSS, max(2 MSS, 14600)). */
static void initial_window(void)
{
	static const struct {
		uint32_t mss, segments, want;
	} cases[] = {
		{ 536, 10, 5360 },   { 1220, 10, 12200 }, { 1460, 10, 14600 }, { 1461, 10, 14600 },
		{ 4312, 10, 14600 }, { 7300, 10, 14600 }, { 7301, 10, 14602 }, { 8960, 10, 17920 },
		{ 48, 10, 480 },     { 1000, 1, 1000 },	  { 1000, 4, 4000 },   { 9000, 4, 18000 },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		struct tern_cc cc;

		test_at("MSS %u, %u segments", cases[i].mss, cases[i].segments);
		memset(&cc, 0xee, sizeof(cc));
		cc_init(&cc, &cc_reno, cases[i].mss, cases[i].segments);
		check_eq(cc.cwnd, cases[i].want);
		check_eq(cc.mss, cases[i].mss);
		check(cc.ssthresh >= 0x7fffffff); /* RFC 5681 3.1: arbitrarily high */
	}
}

/* The window holds one segment at least, and a changed MSS is no sign of congestion. */
static void changed_mss(void)
{
	struct tern_cc cc;

	cc_init(&cc, &cc_reno, 1000, 10);
	cc_set_mss(&cc, 500);
	check_eq(cc.cwnd, 10000);
	cc.cwnd = 1000;
	cc_set_mss(&cc, 1400);
	check_eq(cc.cwnd, 1400);
	check_eq(cc.mss, 1400);
}

static void fixed_never_changes(void)
{
	struct tern_cc_sample s = { .acked = 1000, .in_flight = 5000, .cwnd_limited = true };
	uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];
	struct tern_cc cc;
	uint32_t before;

	cc_init(&cc, &cc_fixed, 1000, 10);
	cc_set_state(&cc, state);
	before = cc.cwnd;
	check(before > 1 << 30);
	cc.ops->on_ack(&cc, &s);
	cc.ops->on_congestion(&cc, &s);
	cc.ops->on_rto(&cc, &s);
	cc.ops->on_idle(&cc, &s);
	cc.ops->on_undo(&cc);
	check_eq(cc.cwnd, before);
}

/* A state is fresh each time; another algorithm goes on from the same window. */
static void states_and_changes(void)
{
	uint64_t state[CC_STATE_SIZE / sizeof(uint64_t)];
	struct tern_cc cc;

	cc_init(&cc, &cc_reno, 1000, 10);
	check(cc.state == NULL);
	memset(state, 0xee, sizeof(state));
	cc_set_state(&cc, state);
	check(cc.state == state && state[0] == 0);
	cc.cwnd = 7000;
	cc.ssthresh = 5000;
	state[0] = 1;
	cc_change(&cc, &cc_reno);
	check(cc.cwnd == 7000 && cc.ssthresh == 5000 && state[0] == 0);
	cc_change(&cc, &cc_fixed);
	check_eq(cc.cwnd, CC_INFINITE);
	cc_change(&cc, &cc_reno);
	check_eq(cc.cwnd, cc.initial);
	cc_set_state(&cc, NULL);
	check(cc.state == NULL);
	check_eq(cc.cwnd, 10000);
}

static const struct test tests[] = {
	TEST(names),
	TEST(registered_names),
	TEST(what_is_made_good),
	TEST(initial_window),
	TEST(changed_mss),
	TEST(fixed_never_changes),
	TEST(states_and_changes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
