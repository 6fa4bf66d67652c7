/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * found_by_fuzz_test.c - what fuzz/stack_fuzz.c has found, each in as few steps as show it.
 */
#include "peer_fixture.h"

/* A connection to our port 80, and what its peer has numbered. */
static tern_sock open_connection(struct tcp_hdr *syn_ack)
{
	tern_sock listener = listen_on(tern_ip4(10, 0, 0, 1, 80)), s = 0;
	uint8_t buf[100];
	uint32_t len;

	put_in(&(struct sent){ .seq = 77, .flags = TCP_SYN });
	len = next_out(buf, sizeof(buf));
	check(len > 20 && tcp_parse(syn_ack, buf + 20, len - 20));
	put_in(&(struct sent){ .seq = 78, .ack = syn_ack->seq + 1, .flags = TCP_ACK });
	check_eq(tern_accept(st, listener, &s, NULL), 0);
	return s;
}

/* A stream has no errors to read, and reading them takes no text (as on Linux). */
static void error_queue_is_not_the_text(void)
{
	struct tcp_hdr h;
	char buf[10];
	tern_sock s;

	new_stack(1);
	s = open_connection(&h);
	put_in(&(struct sent){ .seq = 78, .ack = h.seq + 1, .flags = TCP_ACK, .text = "text" });
	check_eq(tern_recv(st, s, buf, sizeof(buf), TERN_MSG_ERRQUEUE), -TERN_EAGAIN);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), 4);
	end_stack();
}

static const struct test tests[] = {
	TEST(error_queue_is_not_the_text),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
