/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping6_test.c - messages of ICMPv6 never go over IPv4, whatever a program gives for a receiver (Linux:
 * EINVAL to a socket of echo requests, ENETUNREACH to a raw one).
 */
#include "test.h"

#include "../../include/tern.h"

static struct test_env world;
static struct tern_stack *st;

static void begin(void)
{
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0);
	struct tern_config cfg;
	struct tern_env env;

	world = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&world, 1);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &wire), 2);
	check_eq(tern_addr_add(st, 2, &a, 24), 0);
}

static int64_t send_mapped(int type)
{
	static char echo[16] = { (char)128 };
	struct tern_iovec iov = { echo, sizeof(echo) };
	struct tern_addr to;
	struct tern_msg m;
	tern_sock s;

	check_eq(tern_addr_parse("::ffff:10.0.0.9", 0, &to), 0);
	check_eq(tern_socket(st, TERN_AF_INET6, type, TERN_IPPROTO_ICMPV6, &s), 0);
	tern_msg_init(&m, &iov, 1);
	m.addr = to;
	return tern_sendmsg(st, s, &m, 0);
}

/* Nothing of it goes out: protocol 58 of IPv4 is nobody's. */
static void check_silence(void)
{
	struct tern_pkt *p = tern_output(st, 2);

	check(p == NULL);
	if (p)
		tern_pkt_free(st, p);
}

static void echo_request(void)
{
	begin();
	check_eq(send_mapped(TERN_SOCK_DGRAM), -TERN_EINVAL);
	check_silence();
	tern_free(st);
}

static void raw(void)
{
	begin();
	check_eq(send_mapped(TERN_SOCK_RAW), -TERN_ENETUNREACH);
	check_silence();
	tern_free(st);
}

static const struct test tests[] = { TEST(echo_request), TEST(raw) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
