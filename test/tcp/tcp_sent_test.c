/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sent_test.c - core/tcp/tcp_sent.c against one fate for each octet.
 */
#include "../../core/base/rand.h"
#include "../../core/tcp/tcp_sent.h"
#include "test.h"

enum { OCTETS = 4000, BASE = 1000000 };

static struct test_env world;
static struct mem mem;
static struct sent_log sent;

struct octet {
	enum sent_fate fate;
	tern_time sent_at;
	bool again;
	uint8_t cause;
};

static struct {
	struct octet octet[OCTETS];
	unsigned una, nxt;
} model;

static void start(uint64_t seed)
{
	struct tern_env env;

	memset(&world, 0, sizeof(world));
	env = test_env_make(&world, seed);
	mem_init(&mem, env.alloc, env.free, env.ctx, 1 << 24);
	sent_init(&sent);
	memset(&model, 0, sizeof(model));
}

static void finish(void)
{
	sent_fini(&sent, &mem);
	mem_fini(&mem);
	check_eq(world.out, 0);
}

static unsigned first_of(enum sent_fate fate)
{
	unsigned i = model.una;

	while (i < model.nxt && model.octet[i].fate != fate)
		i++;
	return i;
}

static void compare(void)
{
	uint64_t n[3] = { 0 };
	struct sent *lost = sent_first_lost(&sent), *oldest = sent_oldest(&sent);
	tern_time at = 0;

	sent_check(&sent, BASE + model.nxt);
	for (unsigned i = model.una; i < model.nxt; i++) {
		const struct octet *o = &model.octet[i];
		struct sent *s = sent_find(&sent, BASE + i);

		check(s && sent_lo(s) <= BASE + i && i < s->hi - BASE && s->fate == o->fate);
		n[o->fate]++;
		if (s->fate != SENT_SACKED)
			check(s->sent_at == o->sent_at && s->again == o->again);
		if (s->fate == SENT_LOST)
			check_eq(s->cause, o->cause);
	}
	check(n[SENT_SACKED] == sent.n_sacked && n[SENT_LOST] == sent.n_lost);
	check(lost ? sent_lo(lost) - BASE == first_of(SENT_LOST) : n[SENT_LOST] == 0);
	check((oldest != NULL) == (n[SENT_IN_FLIGHT] > 0));
	for (; oldest; oldest = sent_next_oldest(&sent, oldest)) {
		check(oldest->sent_at >= at);
		at = oldest->sent_at;
	}
	check((sent_first(&sent) == NULL) == (model.una == model.nxt));
	if (model.una < model.nxt) {
		check_eq(sent_lo(sent_first(&sent)), BASE + model.una);
		check_eq(sent_last(&sent)->hi, BASE + model.nxt);
	}
	check(sent_find(&sent, BASE + model.nxt) == NULL);
}

static void send_new(unsigned len, tern_time now)
{
	check(sent_reserve(&sent, &mem));
	sent_put(&sent, BASE + model.nxt, BASE + model.nxt + len, now);
	for (; len; len--)
		model.octet[model.nxt++] = (struct octet){ SENT_IN_FLIGHT, now, false, 0 };
}

static void send_again(unsigned len, tern_time now)
{
	struct sent *s = sent_first_lost(&sent);
	unsigned lo;

	if (!s)
		return;
	lo = (unsigned)(sent_lo(s) - BASE);
	len = MIN(len, (unsigned)(s->hi - sent_lo(s)));
	check(sent_reserve(&sent, &mem));
	sent_renew(&sent, s, BASE + lo + len, now);
	for (; len; len--)
		model.octet[lo++] = (struct octet){ SENT_IN_FLIGHT, now, true, 0 };
}

/* As an ACK does: whole records, cut at both ends. */
static void change(unsigned lo, unsigned hi, enum sent_fate to)
{
	struct sent *s;

	check(sent_cut(&sent, &mem, BASE + lo) && sent_cut(&sent, &mem, BASE + hi));
	for (uint64_t pos = BASE + lo; pos < BASE + hi && (s = sent_find(&sent, pos));) {
		pos = s->hi;
		if (s->fate == SENT_SACKED)
			continue;
		if (to == SENT_SACKED)
			sent_set_sacked(&sent, &mem, s);
		else
			sent_set_lost(&sent, s, 7);
	}
	for (; lo < hi; lo++) {
		struct octet *o = &model.octet[lo];

		if (o->fate != SENT_SACKED) {
			o->fate = to;
			o->cause = to == SENT_LOST ? 7 : 0;
		}
	}
}

static void acknowledge(unsigned to)
{
	while (sent_first(&sent) && sent_lo(sent_first(&sent)) < BASE + to)
		sent_drop_first(&sent, &mem, BASE + to);
	model.una = to;
}

static void forgive(void)
{
	sent_forgive(&sent);
	for (unsigned i = model.una; i < model.nxt; i++)
		if (model.octet[i].fate == SENT_LOST)
			model.octet[i].fate = SENT_IN_FLIGHT;
}

static void one_history(unsigned seed)
{
	tern_time now = 1;
	struct rand dice;

	start(seed);
	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	for (unsigned step = 0; step < 400; step++) {
		unsigned span = model.nxt - model.una;
		unsigned lo = model.una + (unsigned)rand_below(&dice, span + 1);
		unsigned len = 1 + (unsigned)rand_below(&dice, 30), hi = MIN(lo + len, model.nxt);

		test_at("seed %u, step %u", seed, step);
		now += rand_below(&dice, 2);
		switch (rand_below(&dice, 8)) {
		case 0:
		case 1:
			if (model.nxt + 40 < OCTETS)
				send_new(1 + (unsigned)rand_below(&dice, 40), now);
			break;
		case 2:
			if (seed %
			    2) /* or else forgiven, which is in order only of what went once */
				send_again(1 + (unsigned)rand_below(&dice, 20), now);
			break;
		case 3:
		case 4:
			change(lo, hi, SENT_SACKED);
			break;
		case 5: /* what is lost is older than what is not: by age, from the oldest on */
			for (unsigned k = 0; k < 3 && sent_oldest(&sent); k++) {
				struct sent *s = sent_oldest(&sent);

				change((unsigned)(sent_lo(s) - BASE), (unsigned)(s->hi - BASE),
				       SENT_LOST);
			}
			break;
		case 6:
			if (rand_below(&dice, 3) == 0)
				acknowledge(MIN(model.una + 2 * len, model.nxt));
			break;
		default:
			if (seed % 2 == 0 && rand_below(&dice, 4) == 0)
				forgive();
			break;
		}
		compare();
	}
	finish();
}

static void agrees_with_octets(void)
{
	for (unsigned seed = 0; seed < 60; seed++)
		one_history(seed);
}

/* What is forgiven is again ahead of what went later, the lowest first. */
static void forgiven_in_order(void)
{
	uint64_t at[5];
	unsigned n = 0;

	start(1);
	for (unsigned i = 0; i < 5; i++)
		send_new(10, 100 + i);
	change(0, 30, SENT_LOST);
	forgive();
	compare();
	for (struct sent *s = sent_oldest(&sent); s; s = sent_next_oldest(&sent, s))
		at[n++] = sent_lo(s) - BASE;
	check_eq(n, 5);
	for (unsigned i = 0; i < n; i++)
		check_eq(at[i], 10 * i);
	finish();
}

/* One message after the other needs no memory after the first. */
static void one_record_is_kept(void)
{
	uint64_t out;

	start(1);
	send_new(10, 1);
	acknowledge(10);
	out = mem.n_out;
	for (unsigned i = 1; i < 50; i++) {
		send_new(10, 1 + i);
		check_eq(mem.n_out, out);
		acknowledge(10 + 10 * i);
	}
	finish();
}

/* Ten thousand holes: a record is found in a handful of steps. */
static void ten_thousand_holes(void)
{
	start(1);
	for (unsigned i = 0; i < 20000; i++) {
		check(sent_reserve(&sent, &mem));
		sent_put(&sent, BASE + 10 * i, BASE + 10 * i + 10, i);
	}
	for (unsigned i = 1; i < 20000; i += 2)
		sent_set_sacked(&sent, &mem, sent_find(&sent, BASE + 10 * i));
	sent_check(&sent, BASE + 200000);
	check_eq(sent.n, 20000);
	check(sent.root->level <= 15); /* a path is twice that at most */
	while (sent_oldest(&sent))
		sent_set_lost(&sent, sent_oldest(&sent), 1);
	check_eq(sent.n_lost, 100000);
	check_eq(sent_lo(sent_first_lost(&sent)), BASE);
	finish();
}

static void no_memory(void)
{
	unsigned i = 1;

	start(1);
	send_new(3000, 1);
	mem.max = mem.used; /* the slab holds some more */
	while (i < 3000 && sent_cut(&sent, &mem, BASE + i))
		i++;
	check(i < 3000);
	check_eq(sent.n, i);
	check(!sent_reserve(&sent, &mem));
	compare();
	finish();
}

static const struct test tests[] = {
	TEST(agrees_with_octets), TEST(forgiven_in_order), TEST(one_record_is_kept),
	TEST(ten_thousand_holes), TEST(no_memory),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
