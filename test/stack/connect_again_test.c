/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect_again_test.c - core/sock/sock_tcp.c: a socket whose connect was refused is as before: it tries
 * elsewhere, or listens. What bind has given it stays, as on Linux; what was chosen for the first
 * peer goes.
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

static void which_nobody_else_has_meanwhile(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 4000);
	tern_sock s, other;

	plain_world();
	s = new_stream();
	other = new_stream();
	check_eq(tern_bind(st, s, &at), 0);
	is_refused(s);
	check_eq(tern_bind(st, other, &at), -TERN_EADDRINUSE);
	check_eq(tern_bind(st, s, &at), -TERN_EINVAL);
	tern_close(st, s);
	check_eq(tern_bind(st, other, &at), 0);
	end_world();
}

static void or_listens(void)
{
	tern_sock s;

	plain_world();
	s = new_stream();
	is_refused(s);
	check_eq(tern_poll(st, s), TERN_POLLOUT | TERN_POLLHUP);
	check_eq(tern_send(st, s, "x", 1, 0), -TERN_EPIPE);
	check_eq(tern_listen(st, s, 1), 0);
	end_world();
}

/* By AF_UNSPEC: what a connection has left behind is forgotten, also what was not read yet. */
static void after_a_reset_when_it_is_given_up(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 4000), to = tern_ip4(10, 0, 1, 2, PORT);
	struct tern_addr nobody = { .family = TERN_AF_UNSPEC };
	struct shot text = { .ip = 0x0a000102, .port = PORT, .to_port = 4000 };
	struct heard r;
	tern_sock s;
	char byte;

	plain_world();
	s = new_stream();
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	check(hear(&r));
	text.seq = 1000;
	text.ack = r.h.seq + 1;
	text.flags = TCP_SYN | TCP_ACK;
	shoot(&text);
	text.seq = 1001;
	text.flags = TCP_ACK;
	text.len = 5;
	shoot(&text);
	text.seq = 1006;
	text.len = 0;
	text.flags = TCP_RST;
	shoot(&text);
	check_eq(tern_connect(st, s, &to), -TERN_EISCONN);
	check_eq(tern_connect(st, s, &nobody), 0);
	check_eq(tern_recv(st, s, &byte, 1, 0), -TERN_ENOTCONN);
	check_eq(name_of(s).port, 4000);
	hear_all(NULL);
	check_eq(is_refused(s), 4000);
	end_world();
}

static const struct test tests[] = {
	TEST(elsewhere_by_another_way),		 TEST(with_the_name_that_bind_gave),
	TEST(which_nobody_else_has_meanwhile),	 TEST(or_listens),
	TEST(after_a_reset_when_it_is_given_up),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
