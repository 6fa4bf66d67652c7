/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_alive_test.c - while something waits to be sent or to be acknowledged, a segment is due or a
 * timer runs, whatever windows and ACKs came: no connection is stuck.
 */
#include "../../core/base/rand.h"
#include "tcp_fixture.h"

static struct rand dice;

static uint32_t roll(uint32_t n)
{
	return (uint32_t)rand_below(&dice, n);
}

static bool is_alive(void)
{
	bool waits = info().notsent_bytes || info().unacked;

	if (state() == TERN_TCP_CLOSED || state() == TERN_TCP_TIME_WAIT || !waits)
		return true;
	return until_deadline() != TERN_NEVER || plan_of(0).what != SEND_NOTHING;
}

static bool one_life(unsigned seed)
{
	uint32_t una = 1, sent_end = 1, rcvd = 1;

	rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, (uint8_t)(seed >> 8) }, 0);
	start();
	open_active();
	for (unsigned step = 0; step < 200; step++) {
		uint32_t len = 0;
		struct seen s;

		test_at("seed %u, step %u", seed, step);
		switch (roll(8)) {
		case 0:
			give(roll(3000));
			break;
		case 1:
		case 2:
			una += roll(3) ? sent_end - una : roll(sent_end - una + 1);
			f.wnd = (uint16_t)(roll(3) == 0 ? 0 : roll(3) ? roll(3000) : 65535);
			len = roll(3) ? 0 : roll(100);
			in(TCP_ACK, rcvd, una, len);
			rcvd += len;
			break;
		case 3:
			if (until_deadline() != TERN_NEVER)
				next_timer();
			break;
		case 4:
			if (roll(60) == 0)
				close_send();
			set_cork(roll(2));
			set_nodelay(roll(2));
			settle();
			break;
		default:
			s = out_burst(roll(2) ? 0 : 4000);
			if (s.plan.what == SEND_NOTHING)
				break;
			sent_end = MAX(sent_end, s.h.seq + s.len + (s.h.flags & TCP_FIN ? 1 : 0));
		}
		take(roll(200));
		if (state() == TERN_TCP_CLOSED)
			break;
		if (!is_alive()) {
			test_fail(__FILE__, __LINE__, "una %u, sent %u, given %u, window %u", una,
				  sent_end, (unsigned)f.given, f.wnd);
			finish();
			return false;
		}
	}
	finish();
	return true;
}

static void something_is_always_due(void)
{
	unsigned n_stuck = 0;

	for (unsigned seed = 0; seed < 3000; seed++)
		n_stuck += !one_life(seed);
	check_eq(n_stuck, 0);
}

static const struct test tests[] = {
	TEST(something_is_always_due),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
