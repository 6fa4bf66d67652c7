/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_ip_test.c - core/sock/sockopt_ip.c: an IPv6 socket has the options of both versions of IP
 * (RFC 3493 3.7), and each holds for what goes by its version alone.
 */
#include "sockopt_fixture.h"

#include "../../core/base/base.h"

enum { GROUP_PORT = 5353 };

static void set_number(tern_sock s, int level, int name, int32_t v)
{
	check_eq(tern_setsockopt(st, s, level, name, &v, sizeof(v)), 0);
}

/* What goes out next by the wire; the number of the interface if it were another one. */
static uint8_t head[60];

static void take_head(void)
{
	struct tern_pkt *p = tern_output(st, 2);

	memset(head, 0, sizeof(head));
	check(p != NULL);
	if (!p)
		return;
	memcpy(head, p->data, MIN(p->len, sizeof(head)));
	tern_pkt_free(st, p);
}

static void sends_by(tern_sock s, const char *to, unsigned ttl, unsigned tos)
{
	struct tern_addr a;

	test_at("to %s", to);
	check_eq(tern_addr_parse(to, GROUP_PORT, &a), 0);
	check_eq(tern_sendto(st, s, "x", 1, 0, &a), 1);
	take_head();
	check_eq(head[0] >> 4, strchr(to, '.') ? 4 : 6);
	check_eq(strchr(to, '.') ? head[8] : head[7], ttl);
	check_eq(strchr(to, '.') ? head[1] : get_be16(head) >> 4 & 0xff, tos);
}

static void each_holds_for_its_version(void)
{
	tern_sock s;

	start();
	s = new_sock(UDP6);
	sends_by(s, "::ffff:10.0.0.9", 64, 0);
	sends_by(s, "fd00::9", 64, 0);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_TTL, 33);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_TOS, 0x21);
	sends_by(s, "::ffff:10.0.0.9", 33, 0x21);
	sends_by(s, "fd00::9", 64, 0);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_UNICAST_HOPS, 0);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_TCLASS, 0x42);
	sends_by(s, "::ffff:10.0.0.9", 33, 0x21);
	sends_by(s, "fd00::9", 0, 0x42);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_TTL, -1);
	sends_by(s, "::ffff:10.0.0.9", 64, 0x21);
	sends_by(s, "fd00::9", 0, 0x42);
	finish();
}

/* Also the TTL of groups, and that it is 0: for this host alone. */
static void each_has_its_groups(void)
{
	struct tern_addr g;
	tern_sock s;

	start();
	s = new_sock(UDP6);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF,
				 (uint8_t[4]){ 10, 0, 0, 1 }, 4),
		 0);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_IF, 2);
	sends_by(s, "::ffff:239.1.2.3", 1, 0);
	sends_by(s, "ff02::123", 1, 0);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_TTL, 7);
	sends_by(s, "::ffff:239.1.2.3", 7, 0);
	sends_by(s, "ff02::123", 1, 0);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_HOPS, 0);
	sends_by(s, "::ffff:239.1.2.3", 7, 0);
	check_eq(tern_addr_parse("ff02::123", GROUP_PORT, &g), 0);
	check_eq(tern_sendto(st, s, "x", 1, 0, &g), 1);
	check(tern_output(st, 2) == NULL);
	finish();
}

static void interface_is(tern_sock s, uint32_t four, uint32_t six)
{
	uint8_t at4[4] = { 0 };
	uint32_t at6 = 99;
	size_t len = sizeof(at4);

	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF, at4, &len), 0);
	check_eq(get_be32(at4), four);
	len = sizeof(at6);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_IF, &at6, &len), 0);
	check_eq(at6, six);
}

/* RFC 3678 4.2: IP_MSFILTER without an interface is about the one that IP_ADD_MEMBERSHIP chose. */
static void filter_of_the_usual_interface(void)
{
	uint8_t filter[16] = { 239, 1, 2, 3 }, want[16] = { 239, 1, 2, 3 };
	size_t len = sizeof(filter);
	tern_sock s;

	start();
	s = new_sock(UDP4);
	filter[8] = 9;
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MSFILTER, filter, &len),
		 -TERN_EADDRNOTAVAIL);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP, filter, 8), 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MSFILTER, filter, &len), 0);
	check_eq(len, 16);
	check_mem(filter, want, 16); /* all sources but none */
	finish();
}

static void each_has_its_interface_for_groups(void)
{
	uint8_t mreqn[12] = { 0, 0, 0, 0, 10, 0, 0, 1 };
	tern_sock s;

	start();
	s = new_sock(UDP6);
	interface_is(s, 0, 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF,
				 (uint8_t[4]){ 10, 0, 0, 1 }, 4),
		 0);
	interface_is(s, 0x0a000001, 0);
	/* struct ip_mreqn: the number is told last, and wins */
	memcpy(mreqn + 8, &(uint32_t){ 2 }, 4);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF, mreqn, 12), 0);
	interface_is(s, 0x0a000001, 0);
	memcpy(mreqn + 8, &(uint32_t){ 9 }, 4);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF, mreqn, 12),
		 -TERN_EADDRNOTAVAIL);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_IF, 1);
	interface_is(s, 0x0a000001, 1);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF,
				 (uint8_t[4]){ 10, 0, 0, 2 }, 4),
		 -TERN_EADDRNOTAVAIL);
	interface_is(s, 0x0a000001, 1);
	finish();
}

static void set_loop(tern_sock s, bool four, bool six)
{
	set_number(s, TERN_IPPROTO_IP, TERN_IP_MULTICAST_LOOP, four);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_LOOP, six);
}

/* Does a member on this host hear what s sends? */
static void is_heard(tern_sock s, tern_sock member, const char *to, bool heard)
{
	struct tern_addr a;
	char byte;

	test_at("to %s, heard %d", to, heard);
	check_eq(tern_addr_parse(to, GROUP_PORT, &a), 0);
	a.scope_id = 2;
	check_eq(tern_sendto(st, s, "x", 1, 0, &a), 1);
	tern_advance(st, tern_now(st) + TERN_MS);
	check_eq(tern_recv(st, member, &byte, 1, 0), heard ? 1 : -TERN_EAGAIN);
}

/* And of IPv4's groups an IPv6 socket hears those alone that it has joined, as on Linux. */
static void each_has_its_loop(void)
{
	static const uint8_t group4[8] = { 239, 1, 2, 3, 10, 0, 0, 1 };
	struct {
		uint8_t group[16];
		uint32_t ifindex;
	} group6 = { { 0xff, 2, [14] = 1, 0x23 }, 2 };
	struct tern_addr any = { .family = TERN_AF_INET6, .port = GROUP_PORT };
	tern_sock s, member, other;
	int32_t one = 1;
	char byte;

	start();
	s = new_sock(UDP6);
	member = new_sock(UDP6);
	other = new_sock(UDP6);
	for (int i = 0; i < 2; i++) {
		tern_sock b = i ? other : member;

		tern_setsockopt(st, b, TERN_SOL_SOCKET, TERN_SO_REUSEADDR, &one, sizeof(one));
		check_eq(tern_bind(st, b, &any), 0);
	}
	check_eq(tern_setsockopt(st, member, TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP, group4,
				 sizeof(group4)),
		 0);
	check_eq(tern_setsockopt(st, member, TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP, &group6,
				 sizeof(group6)),
		 0);
	is_heard(s, member, "::ffff:239.1.2.3", true);
	is_heard(s, member, "ff02::123", true);
	check_eq(tern_recv(st, other, &byte, 1, 0), 1); /* the one of IPv6 */
	check_eq(tern_recv(st, other, &byte, 1, 0), -TERN_EAGAIN);
	set_loop(s, false, true);
	is_heard(s, member, "::ffff:239.1.2.3", false);
	is_heard(s, member, "ff02::123", true);
	set_loop(s, true, false);
	is_heard(s, member, "::ffff:239.1.2.3", true);
	is_heard(s, member, "ff02::123", false);
	finish();
}

static int64_t send_much(tern_sock s, const char *to)
{
	static char text[3000];
	struct tern_addr a;

	check_eq(tern_addr_parse(to, 9, &a), 0);
	return tern_sendto(st, s, text, sizeof(text), 0, &a);
}

static void each_discovers_its_paths(void)
{
	tern_sock s;

	start();
	s = new_sock(UDP6);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, TERN_IP_PMTUDISC_DO);
	check_eq(send_much(s, "::ffff:10.0.0.9"), -TERN_EMSGSIZE);
	check_eq(send_much(s, "fd00::9"), 3000);
	set_number(s, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, TERN_IP_PMTUDISC_WANT);
	set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MTU_DISCOVER, TERN_IP_PMTUDISC_DO);
	check_eq(send_much(s, "::ffff:10.0.0.9"), 3000);
	check_eq(send_much(s, "fd00::9"), -TERN_EMSGSIZE);
	finish();
}

/* The queue of errors is for who asked for this version's. */
static void each_has_its_errors(void)
{
	static const char *const far[2] = { "::ffff:10.0.0.9", "fd00::9" };
	struct tern_msg m;

	for (int asked = 0; asked < 2; asked++)
		for (int of = 0; of < 2; of++) {
			tern_sock s;

			start();
			test_at("asked for IPv%d's, of IPv%d", asked ? 6 : 4, of ? 6 : 4);
			s = new_sock(UDP6);
			set_number(s, asked ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				   asked ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, 1);
			set_number(s, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, TERN_IP_PMTUDISC_DO);
			set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_MTU_DISCOVER,
				   TERN_IP_PMTUDISC_DO);
			check_eq(send_much(s, far[of]), -TERN_EMSGSIZE);
			tern_msg_init(&m, NULL, 0);
			check_eq(tern_recvmsg(st, s, &m, TERN_MSG_ERRQUEUE),
				 asked == of ? 0 : -TERN_EAGAIN);
			finish();
		}
}

/* A stream's packets bear what was chosen for the version of its peer, before it had one or after. */
static void streams_too(void)
{
	static const char *const far[2] = { "::ffff:10.0.0.9", "fd00::9" };

	for (int six = 0; six < 2; six++) {
		struct tern_addr a;
		tern_sock s;

		start();
		test_at("to %s", far[six]);
		s = new_sock(TCP6);
		set_number(s, TERN_IPPROTO_IP, TERN_IP_TTL, 33);
		set_number(s, TERN_IPPROTO_IP, TERN_IP_TOS, 0x23);
		set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_UNICAST_HOPS, 44);
		set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_TCLASS, 0x43);
		check_eq(tern_addr_parse(far[six], 80, &a), 0);
		check_eq(tern_connect(st, s, &a), -TERN_EINPROGRESS);
		take_head();
		check_eq(six ? head[7] : head[8], six ? 44 : 33);
		check_eq(six ? get_be16(head) >> 4 & 0xff : head[1], six ? 0x40 : 0x20);
		set_number(s, TERN_IPPROTO_IP, TERN_IP_TOS, 0x60);
		set_number(s, TERN_IPPROTO_IPV6, TERN_IPV6_TCLASS, 0x80);
		tern_advance(st, tern_now(st) + 2 * TERN_SEC); /* the SYN goes again */
		take_head();
		check_eq(six ? get_be16(head) >> 4 & 0xff : head[1], six ? 0x80 : 0x60);
		finish();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_holds_for_its_version),
		TEST(each_has_its_groups),
		TEST(each_has_its_interface_for_groups),
		TEST(filter_of_the_usual_interface),
		TEST(each_has_its_loop),
		TEST(each_discovers_its_paths),
		TEST(each_has_its_errors),
		TEST(streams_too),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
