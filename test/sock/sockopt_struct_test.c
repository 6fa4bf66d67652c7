/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_struct_test.c - core/sock/sockopt_struct.c: options that are more than one integer.
 */
#include "sockopt_fixture.h"

static void linger(void)
{
	struct tern_linger l = { 1, 7 }, got = { 9, 9 };
	size_t len = sizeof(got);
	tern_sock s;

	start();
	s = new_sock(TCP4);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &got, &len), 0);
	check(got.onoff == 0 && len == sizeof(got));
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, sizeof(l) - 1),
		 -TERN_EINVAL);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, sizeof(l)), 0);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &got, &len), 0);
	check(got.onoff == 1 && got.linger == 7);
	l.onoff = 0;
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, sizeof(l)), 0);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &got, &len), 0);
	check_eq(got.onoff, 0);
	finish();
}

/* SO_MAX_PACING_RATE: 4 bytes or 8, as on Linux; all ones is no limit. */
static void pacing_rate(void)
{
	uint32_t v32 = 1000000;
	uint64_t v64 = 0;
	size_t len = sizeof(v64);
	tern_sock s;

	start();
	s = new_sock(TCP4);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v64, &len), 0);
	check(len == 8 && v64 == UINT64_MAX);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v32, 4), 0);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v64, &len), 0);
	check(len == 8 && v64 == 1000000);
	v64 = 3000000000;
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v64, 8), 0);
	len = 4;
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v32, &len), 0);
	check(len == 4 && v32 == 3000000000);
	v64 = UINT64_MAX;
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v64, 8), 0);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v32, &len), 0);
	check_eq(v32, UINT32_MAX);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, &v64, 3),
		 -TERN_EINVAL);
	finish();
}

static void congestion(void)
{
	char name[32] = { 0 };
	size_t len = sizeof(name);
	tern_sock s, u;

	start();
	s = new_sock(TCP4);
	u = new_sock(UDP4);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, name, &len), 0);
	check_str(name, "cubic");
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "fixed", 5), 0);
	len = sizeof(name);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, name, &len), 0);
	check_str(name, "fixed");
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "no such", 7),
		 -TERN_ENOENT);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION,
				 "a name that is far too long", 27),
		 -TERN_ENOENT);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "", 0),
		 -TERN_EINVAL);
	len = 3;
	memset(name, 'z', sizeof(name));
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, name, &len), 0);
	check(len == 3 && memcmp(name, "fixz", 4) == 0);
	check_eq(tern_setsockopt(st, u, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "reno", 4),
		 -TERN_ENOPROTOOPT);
	finish();
}

static void tcp_info(void)
{
	struct tern_addr at = tern_ip4(10, 0, 0, 1, 80);
	uint8_t room[300];
	size_t len = sizeof(room);
	tern_sock s;

	start();
	s = new_sock(TCP4);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, room, &len), 0);
	check_eq(len, sizeof(struct tern_tcp_info));
	check_eq(room[0], 7); /* CLOSE */
	tern_bind(st, s, &at);
	tern_listen(st, s, 1);
	len = 5;
	memset(room, 0x77, sizeof(room));
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, room, &len), 0);
	check(len == 5 && room[0] == 10 && room[5] == 0x77); /* LISTEN */
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, room, sizeof(room)),
		 -TERN_ENOPROTOOPT);
	finish();
}

static void filters(void)
{
	uint32_t filter[8] = { 0x12345678, 2, 3, 4, 5, 6, 7, 8 }, got[8] = { 0 };
	size_t len = sizeof(got);
	tern_sock s4, s6, other;

	start();
	tern_socket(st, TERN_AF_INET, TERN_SOCK_RAW, TERN_IPPROTO_ICMP, &s4);
	tern_socket(st, TERN_AF_INET6, TERN_SOCK_RAW, TERN_IPPROTO_ICMPV6, &s6);
	other = new_sock(RAW4);
	check_eq(tern_setsockopt(st, s4, TERN_IPPROTO_RAW, TERN_ICMP_FILTER, filter, 4), 0);
	check_eq(tern_getsockopt(st, s4, TERN_IPPROTO_RAW, TERN_ICMP_FILTER, got, &len), 0);
	check(len == 4 && got[0] == filter[0] && got[1] == 0);
	check_eq(tern_setsockopt(st, s6, TERN_IPPROTO_ICMPV6, TERN_ICMPV6_FILTER, filter, 32), 0);
	len = sizeof(got);
	check_eq(tern_getsockopt(st, s6, TERN_IPPROTO_ICMPV6, TERN_ICMPV6_FILTER, got, &len), 0);
	check_eq(len, 32);
	check_mem(got, filter, 32);
	check_eq(tern_setsockopt(st, other, TERN_IPPROTO_RAW, TERN_ICMP_FILTER, filter, 4),
		 -TERN_ENOPROTOOPT);
	finish();
}

static const struct test tests[] = {
	TEST(linger), TEST(pacing_rate), TEST(congestion), TEST(tcp_info), TEST(filters),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
