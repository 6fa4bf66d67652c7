/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_message_test.c - messages where memory ends, and after a mark; tcp_calm_test.c has the rest.
 */
#include "../../core/tcp/tcp_message.h"
#include "tcp_fixture.h"

/* The ACK gives back the chunk that its text needs. */
static void live(bool by_message)
{
	static uint8_t bytes[10];
	struct tcp_ctx x;
	struct tcp_seg seg;

	start();
	open_active();
	give(100);
	drain();
	x = ctx();
	f.mem.max = f.mem.used; /* nothing more */
	check(!f.mem.refused);
	fill_text(bytes, 1, sizeof(bytes));
	seg = (struct tcp_seg){ .h = header(TCP_ACK | TCP_PSH, 1 + f.irs, 101 + f.iss),
				.data = bytes,
				.len = sizeof(bytes) };
	test_at("by message %d", by_message);
	if (!by_message || !tcp_input_message(&f.c, &x, &seg))
		check_eq(in(TCP_ACK | TCP_PSH, 1, 101, 10).drop, TERN_DROP_NONE);
	check_eq(tcp_recv_ready(&f.c), 10);
	check(!f.mem.refused); /* else somebody is reset for it: sockets_relieve */
	f.mem.max = (uint64_t)1 << 32;
	finish();
}

static void nobody_is_refused(void)
{
	live(false);
	live(true);
}

/* Urgent text is unusual until it has been read. */
static void calm_after_a_mark(void)
{
	struct tcp_hdr h;

	start();
	open_active();
	h = header(TCP_ACK | TCP_URG, 1, 1);
	h.urg = 2;
	in_hdr(&h, 4);
	check(!tcp_is_calm(&f.c));
	set_oob_inline(true);
	while (tcp_recv_ready(&f.c))
		take(1);
	check(tcp_is_calm(&f.c));
	finish();
}

static const struct test tests[] = { TEST(nobody_is_refused), TEST(calm_after_a_mark) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
