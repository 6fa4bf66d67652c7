/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect_again_test.c - core/sock/sock_tcp.c: a socket whose connect was refused tries elsewhere. What
 * bind has given it stays, as on Linux; what was chosen for the first peer goes.
 */
#include "attack_fixture.h"

static tern_sock new_stream(void)
{
	tern_sock s;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	return s;
}

/* A peer of the network says RST; returns the port that tried. */
static uint16_t is_refused(tern_sock s)
{
	struct tern_addr to = tern_ip4(10, 0, 1, 2, PORT);
	struct heard r;

	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	check(hear(&r));
	check_eq(r.h.flags, TCP_SYN);
	shoot(&(struct shot){ .ip = 0x0a000102,
			      .port = PORT,
			      .to_port = r.h.src_port,
			      .flags = TCP_RST | TCP_ACK,
			      .ack = r.h.seq + 1 });
	check_eq(tern_connect(st, s, &to), -TERN_ECONNREFUSED);
	return r.h.src_port;
}

static struct tern_addr name_of(tern_sock s)
{
	struct tern_addr a;

	check_eq(tern_getsockname(st, s, &a), 0);
	return a;
}

static void elsewhere_by_another_way(void)
{
	struct tern_addr here = tern_ip4(127, 0, 0, 1, 7);
	tern_sock s, l, peer;

	plain_world();
	l = new_stream();
	check_eq(tern_bind(st, l, &here), 0);
	check_eq(tern_listen(st, l, 1), 0);
	s = new_stream();
	is_refused(s);
	check_eq(tern_connect(st, s, &here), -TERN_EINPROGRESS);
	check_eq(hear_all(NULL), 0); /* nothing of it leaves the host */
	pass(TERN_MS);
	check_eq(tern_accept(st, l, &peer, NULL), 0);
	check_eq(name_of(s).ip[0], 127);
	end_world();
}

static void with_the_name_that_bind_gave(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 4000);
	tern_sock s;

	plain_world();
	s = new_stream();
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(is_refused(s), 4000);
	check_eq(is_refused(s), 4000);
	check_eq(name_of(s).port, 4000);
	end_world();
}

static void not_with_a_port_that_another_has(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 4000), to = tern_ip4(10, 0, 1, 2, PORT);
	tern_sock s, other;

	plain_world();
	s = new_stream();
	other = new_stream();
	check_eq(tern_bind(st, s, &at), 0);
	is_refused(s);
	check_eq(tern_bind(st, other, &at), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EADDRINUSE);
	tern_close(st, other);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	end_world();
}

static const struct test tests[] = {
	TEST(elsewhere_by_another_way),
	TEST(with_the_name_that_bind_gave),
	TEST(not_with_a_port_that_another_has),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
