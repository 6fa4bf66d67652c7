/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fastopen_client_test.c - core/tcp/tcp_send.c: a SYN that waits for text goes with the first bytes,
 * whether they are copied into the buffer or made in place.
 */
#include "attack_fixture.h"

/* connect says that the socket can be written, and nothing goes. */
static tern_sock connect_lazily(void)
{
	static const int32_t on = 1;
	struct tern_addr to = tern_ip4(10, 0, 1, 2, PORT);
	tern_sock s;

	default_world();
	config.tcp_fastopen = 1;
	new_world(3, TERN_SEC);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN_CONNECT, &on, 4), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN_NO_COOKIE, &on, 4), 0);
	check_eq(tern_connect(st, s, &to), 0);
	check_eq(hear_all(NULL), 0);
	return s;
}

static void check_syn_with(uint32_t len)
{
	struct heard r;

	check(hear(&r));
	check_eq(r.h.flags, TCP_SYN);
	check_eq(r.len, len);
	check(memcmp(r.text, "hello", len) == 0);
	end_world();
}

static void goes_with_a_copy(void)
{
	tern_sock s = connect_lazily();

	check_eq(tern_send(st, s, "hello", 5, 0), 5);
	check_syn_with(5);
}

static void goes_with_what_is_made_in_place(void)
{
	tern_sock s = connect_lazily();
	struct tern_span span;

	check_eq(tern_send_space(st, s, &span, 1), 1);
	check_eq(hear_all(NULL), 0);
	memcpy(span.ptr, "hello", 5);
	check_eq(tern_send_commit(st, s, 5, 0), 0);
	check_syn_with(5);
}

static const struct test tests[] = {
	TEST(goes_with_a_copy),
	TEST(goes_with_what_is_made_in_place),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
