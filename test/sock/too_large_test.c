/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * too_large_test.c - what a program hears of a datagram that is larger than may be sent: EMSGSIZE, a
 * record in the error queue (ip(7)), the MTU of the path (RFC 3542 11).
 */
#include "test.h"

#include "../../core/base/base.h"
#include "../../include/tern.h"

static struct test_env world;
static struct tern_stack *st;
static tern_sock s;
static char bytes[70000];

static struct tern_addr peer_of(bool v6)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 9, &a), 0);
	return a;
}

static void begin(bool v6, int type, int proto)
{
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), six;
	struct tern_config cfg;
	struct tern_env env;

	world = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&world, 1);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(st, &wire), 2);
	check_eq(tern_addr_add(st, 2, &a, 24), 0);
	tern_addr_parse("fd00::1", 0, &six);
	check_eq(tern_addr_add(st, 2, &six, 64), 0);
	check_eq(tern_socket(st, v6 ? TERN_AF_INET6 : TERN_AF_INET, type, proto, &s), 0);
}

static void end(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(world.out, 0);
}

static void set(int level, int name, int32_t v)
{
	check_eq(tern_setsockopt(st, s, level, name, &v, sizeof(v)), 0);
}

static int64_t say(bool v6, size_t len)
{
	struct tern_addr to = peer_of(v6);

	return tern_sendto(st, s, bytes, len, 0, &to);
}

/* One record for each, with the MTU and where it was to go; no error of the socket. */
static void error_queue(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t fits = 1500 - 28 - 20 * (uint32_t)v6;
		struct tern_addr to = peer_of(v6);
		struct tern_msg m;

		test_at("IPv%d", v6 ? 6 : 4);
		begin(v6, TERN_SOCK_DGRAM, 0);
		set(v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
		    v6 ? TERN_IPV6_MTU_DISCOVER : TERN_IP_MTU_DISCOVER, TERN_IP_PMTUDISC_DO);
		check_eq(say(v6, fits + 1), -TERN_EMSGSIZE);
		tern_msg_init(&m, NULL, 0);
		check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), -TERN_EAGAIN); /* not asked */
		set(v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
		    v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
		check_eq(say(v6, fits), fits);
		check(!(tern_poll(st, s) & TERN_POLLERR));
		check_eq(say(v6, fits + 1), -TERN_EMSGSIZE);
		check(tern_poll(st, s) & TERN_POLLERR);
		tern_msg_init(&m, NULL, 0);
		check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), 0);
		check(m.flags & TERN_MSG_ERRQUEUE);
		check_eq(m.error, TERN_EMSGSIZE);
		check_eq(m.origin, 1);
		check_eq(m.type + m.code, 0);
		check_eq(m.info, 1500);
		check_eq(m.offender.family, TERN_AF_UNSPEC);
		check_mem(m.addr.ip, to.ip, 16);
		check_eq(say(v6, fits), fits); /* it was no error of the socket */
		check(!(tern_poll(st, s) & TERN_POLLERR));
		end();
	}
}

/* What no datagram can be: of IPv6's it is told all the same, and of IPv4's it is not; as Linux. */
static void larger_than_any(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (int parts = 0; parts < 2; parts++) {
			struct tern_msg m;

			test_at("IPv%d, parts: %d", v6 ? 6 : 4, parts);
			begin(v6, TERN_SOCK_DGRAM, 0);
			set(v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
			    v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
			set(TERN_IPPROTO_UDP, TERN_UDP_SEGMENT, parts * 1400);
			check_eq(say(v6, 65536), -TERN_EMSGSIZE);
			tern_msg_init(&m, NULL, 0);
			check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), v6 ? 0 : -TERN_EAGAIN);
			check_eq(m.info, v6 ? 1500 : 0);
			check_eq(say(v6, sizeof(bytes)), -TERN_EMSGSIZE);
			end();
		}
	}
}

/* RFC 3542 11.2: what the path does not take whole is not sent; 11.3: and who asked is told. */
static void dont_fragment(void)
{
	struct tern_addr to = peer_of(true);
	struct tern_msg m;

	begin(true, TERN_SOCK_DGRAM, 0);
	check_eq(say(true, 5000), 5000); /* in pieces */
	set(TERN_IPPROTO_IPV6, TERN_IPV6_DONTFRAG, 1);
	check_eq(say(true, 1452), 1452);
	check_eq(say(true, 1453), -TERN_EMSGSIZE);
	tern_msg_init(&m, NULL, 0);
	check_eq(tern_recvmsg(st, s, &m, 0), -TERN_EAGAIN); /* not asked */
	set(TERN_IPPROTO_IPV6, TERN_IPV6_RECVPATHMTU, 1);
	check_eq(say(true, 5000), -TERN_EMSGSIZE);
	check_eq(say(true, 1453), -TERN_EMSGSIZE);
	check(tern_poll(st, s) & TERN_POLLIN);
	check_eq(tern_recvmsg(st, s, &m, 0), 0);
	check(m.flags & TERN_MSG_PATHMTU);
	check_eq(m.info, 1500);
	check_mem(m.addr.ip, to.ip, 16);
	tern_msg_init(&m, NULL, 0);
	check_eq(tern_recvmsg(st, s, &m, 0), -TERN_EAGAIN); /* once */
	set(TERN_IPPROTO_IPV6, TERN_IPV6_DONTFRAG, 0);
	check_eq(say(true, 5000), 5000);
	end();
}

/* IPV6_PATHMTU: of a connected socket, in a struct ip6_mtuinfo. */
static void path_mtu_asked(void)
{
	struct tern_addr to = peer_of(true);
	struct {
		uint8_t name[28];
		uint32_t mtu;
	} info;
	size_t len = sizeof(info);

	begin(true, TERN_SOCK_DGRAM, 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_PATHMTU, &info, &len),
		 -TERN_ENOTCONN);
	check_eq(tern_connect(st, s, &to), 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_PATHMTU, &info, &len), 0);
	check_eq(len, 32);
	check_eq(info.mtu, 1500);
	end();
}

/* Raw sockets, with headers of their own or ours. */
static void raw(void)
{
	for (int hdrincl = 0; hdrincl < 2; hdrincl++) {
		struct tern_msg m;

		begin(false, TERN_SOCK_RAW, 200);
		set(TERN_IPPROTO_IP, TERN_IP_HDRINCL, hdrincl);
		set(TERN_IPPROTO_IP, TERN_IP_RECVERR, 1);
		set(TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, TERN_IP_PMTUDISC_DO);
		check_eq(say(false, 1600), -TERN_EMSGSIZE);
		tern_msg_init(&m, NULL, 0);
		check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE), 0);
		check_eq(m.error, TERN_EMSGSIZE);
		check_eq(m.info, 1500);
		end();
	}
}

static const struct test tests[] = {
	TEST(error_queue), TEST(larger_than_any), TEST(dont_fragment), TEST(path_mtu_asked),
	TEST(raw),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
