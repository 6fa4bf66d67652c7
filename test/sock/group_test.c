/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_test.c - multicast groups: what members are given, what routers are told and when, over both
 * families: RFC 1112, RFC 2236, RFC 3376, RFC 2710, RFC 3810, RFC 3678.
 */
#include "group_fixture.h"

/* Joined: heard, and told twice; left: not heard, told twice. MC-1, MC-2. */
static void join_and_leave(void)
{
	for (int six = 0; six < 2; six++) {
		struct tern_addr other = tern_ip4(239, 9, 9, 9, 0);
		tern_sock s;

		begin(six);
		s = bound();
		check(!hears(s, 0, 0));
		check_eq(join(s, 0), 0);
		check_eq(join(s, 0), -TERN_EADDRINUSE);
		check(hears(s, 0, 0));
		check(!hears(s, 1, 0));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check_eq(mcast(s, TERN_MCAST_LEAVE_GROUP, 1, -1), -TERN_EADDRNOTAVAIL);
		check_eq(mcast(s, TERN_MCAST_LEAVE_GROUP, 0, -1), 0);
		check(!hears(s, 0, 0));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_INCLUDE, 0), 2);
		check_eq(join(s, 2), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 2), 2);
		check_eq(tern_close(st, s), 0); /* closing leaves */
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_INCLUDE, 2), 2);
		s = bound();
		if (!six)
			check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP,
						 (uint8_t[8]){ 10, 0, 0, 7 }, 8),
				 -TERN_EINVAL); /* no group */
		(void)other;
		for (unsigned g = 0; g < 20; g++)
			check_eq(join(s, g), 0);
		check_eq(join(s, 20), -TERN_ENOBUFS);
		end_stack();
	}
}

/* A second member says nothing to routers; the last that leaves does. */
static void two_members(void)
{
	for (int six = 0; six < 2; six++) {
		tern_sock a, b, deaf;
		int32_t zero = 0;
		char c;

		begin(six);
		a = bound();
		b = bound();
		deaf = bound();
		check_eq(tern_setsockopt(st, deaf, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
					 v6 ? TERN_IPV6_MULTICAST_ALL : TERN_IP_MULTICAST_ALL,
					 &zero, sizeof(zero)),
			 0);
		check_eq(join(a, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check_eq(join(b, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), 0, 0), 0);
		check(hears(a, 0, 0));
		check_eq(tern_recv(st, b, &c, 1, 0), 1);
		check_eq(tern_recv(st, deaf, &c, 1, 0), -TERN_EAGAIN);
		check_eq(tern_close(st, a), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), 0, 0), 0);
		check(hears(b, 0, 0));
		check_eq(tern_close(st, b), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_INCLUDE, 0), 2);
		end_stack();
	}
}

/* Bound to a group and connected to one sender: it hears what that one says to the group alone. */
static void one_sender(void)
{
	for (int six = 0; six < 2; six++) {
		struct tern_addr to, name;
		struct addr g, from;
		tern_sock s;

		begin(six);
		g = group(0);
		from = source(1);
		to = to_public(&from, 99);
		s = bound_to(&g);
		check_eq(join(s, 0), 0);
		check(hears(s, 0, 0) && hears(s, 0, 1));
		check_eq(tern_connect(st, s, &to), 0);
		check(!hears(s, 0, 0) && hears(s, 0, 1));
		check_eq(tern_getsockname(st, s, &name), 0);
		check_mem(name.ip, v6 ? g.b : g.b + 12, v6 ? 16 : 4);
		end_stack();
	}
}

/* Sources: these alone, or all but these; and what the interface says of two sockets together. */
static void sources(void)
{
	for (int six = 0; six < 2; six++) {
		tern_sock a, b;

		begin(six);
		a = bound();
		check_eq(mcast(a, TERN_MCAST_LEAVE_SOURCE_GROUP, 0, 1), -TERN_EADDRNOTAVAIL);
		check_eq(mcast(a, TERN_MCAST_BLOCK_SOURCE, 0, 1), -TERN_EINVAL);
		check_eq(mcast(a, TERN_MCAST_JOIN_SOURCE_GROUP, 0, 1), 0);
		check_eq(mcast(a, TERN_MCAST_JOIN_SOURCE_GROUP, 0, 1), -TERN_EADDRNOTAVAIL);
		check_eq(mcast(a, TERN_MCAST_BLOCK_SOURCE, 0, 1), -TERN_EINVAL);
		check(hears(a, 0, 1));
		check(!hears(a, 0, 2));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_ALLOW, 0), 2);
		check_eq(mcast(a, TERN_MCAST_JOIN_SOURCE_GROUP, 0, 2), 0);
		check(hears(a, 0, 2));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_ALLOW, 0), 2);
		check_eq(mcast(a, TERN_MCAST_LEAVE_SOURCE_GROUP, 0, 1), 0);
		check(!hears(a, 0, 1));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_BLOCK, 0), 2);
		b = bound(); /* which wants all: the interface does, too */
		check_eq(join(b, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check(!hears(a, 0, 3));
		check(hears(b, 0, 3));
		check_eq(mcast(b, TERN_MCAST_BLOCK_SOURCE, 0, 4), 0);
		while (hears(b, 0, 9) && tern_recv(st, b, &(char){ 0 }, 1, 0) > 0)
			continue;
		check(!hears(b, 0, 4));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_BLOCK, 0), 2);
		check_eq(mcast(b, TERN_MCAST_UNBLOCK_SOURCE, 0, 4), 0);
		check(hears(b, 0, 4));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_ALLOW, 0), 2);
		check_eq(mcast(a, TERN_MCAST_LEAVE_SOURCE_GROUP, 0, 2),
			 0); /* the last: it has left */
		check_eq(mcast(a, TERN_MCAST_LEAVE_GROUP, 0, -1), -TERN_EADDRNOTAVAIL);
		for (int k = 0; k < 64; k++)
			check_eq(mcast(a, TERN_MCAST_JOIN_SOURCE_GROUP, 7, k), 0);
		check_eq(mcast(a, TERN_MCAST_JOIN_SOURCE_GROUP, 7, 64), -TERN_ENOBUFS);
		end_stack();
	}
}

/* struct group_filter of the group 0 on interface 2 with the sources [from, from + n). */
static uint32_t filter_bytes(uint8_t *out, uint32_t mode, uint32_t n, unsigned from)
{
	struct addr a = group(0);

	memset(out, 0, 144 + 128 * n);
	memcpy(out, &(uint32_t){ 2 }, 4);
	put_sockaddr(out + 8, &a);
	memcpy(out + 136, &mode, 4);
	memcpy(out + 140, &n, 4);
	for (uint32_t i = 0; i < n; i++) {
		a = source(from + i);
		put_sockaddr(out + 144 + 128 * i, &a);
	}
	return 144 + 128 * n;
}

static int set_filter(tern_sock s, uint32_t mode, uint32_t n, unsigned from)
{
	static uint8_t bytes[144 + 128 * 1000];
	uint32_t len = filter_bytes(bytes, mode, n, from);

	return tern_setsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP, TERN_MCAST_MSFILTER,
			       bytes, len);
}

/* RFC 3678 5.2: all sources at once; routers hear of the difference. What is written has room. */
static void whole_filters(void)
{
	enum { EXCLUDE, INCLUDE };
	static uint8_t bytes[144 + 128 * 70], want[144 + 128 * 70];
	int level;

	for (int six = 0; six < 2; six++) {
		tern_sock s;

		begin(six);
		level = v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP;
		s = bound();
		check_eq(set_filter(s, EXCLUDE, 1, 1), -TERN_EINVAL);
		check_eq(join(s, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check_eq(set_filter(s, EXCLUDE, 2, 1), 0);
		check(!hears(s, 0, 1) && !hears(s, 0, 2) && hears(s, 0, 3));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_BLOCK, 0), 2);
		check_eq(set_filter(s, INCLUDE, 2, 2), 0);
		check(!hears(s, 0, 1) && hears(s, 0, 2) && hears(s, 0, 3) && !hears(s, 0, 4));
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_INCLUDE, 0), 2);
		check_eq(set_filter(s, INCLUDE, 65, 0), -TERN_ENOBUFS);
		check_eq(set_filter(s, 2, 1, 0), -TERN_EINVAL);
		for (size_t len = 0; len < 144 + 128 * 3; len++) {
			size_t got = len, n = len < 144 ? 0 : MIN((len - 144) / 128, 2);

			filter_bytes(bytes, 7, 3, 40);
			memset(bytes + len, 0xee, sizeof(bytes) - len);
			memcpy(want, bytes, sizeof(want));
			check_eq(tern_getsockopt(st, s, level, TERN_MCAST_MSFILTER, bytes, &got),
				 len < 144 ? -TERN_EINVAL : 0);
			check_eq(got, len < 144 ? len : 144 + 128 * n);
			if (len >= 144)
				filter_bytes(want, INCLUDE, 2, 2);
			check_mem(bytes, want, len < 144 ? len : 144 + 128 * n);
			for (size_t i = len; i < sizeof(bytes); i++)
				check_eq(bytes[i], 0xee);
		}
		check_eq(set_filter(s, INCLUDE, 0, 0), 0);
		check_eq(set_filter(s, INCLUDE, 0, 0), -TERN_EADDRNOTAVAIL);
		check_eq(join(s, 0), 0);
		end_stack();
	}
}

/* Where more are allowed than a report has room for, it tells of so many as it has room for. */
static void more_sources_than_fit(void)
{
	enum { EXCLUDE, INCLUDE };

	for (int six = 0; six < 2; six++) {
		tern_sock s;

		begin(six);
		check_eq(tern_sysctl_set(st, "net.ipv4.igmp_max_msf", "1000"), 0);
		s = bound();
		check_eq(join(s, 0), 0);
		check_eq(set_filter(s, INCLUDE, 1, 0), 0);
		count_reports(3 * TERN_SEC, newest(), GROUP_TO_INCLUDE, 0);
		check_eq(set_filter(s, INCLUDE, 1000, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_ALLOW, 0), 2);
		check(hears(s, 0, 900));
		check_eq(set_filter(s, EXCLUDE, 900, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		end_stack();
	}
}

/* MC-3, MC-4: an answer at a random time within what the query allows, and one for several. */
static void queries(void)
{
	for (int six = 0; six < 2; six++) {
		struct query general = { .version = six ? 2 : 3,
					 .g = -1,
					 .code = six ? 10000 : 100 };
		struct query specific = { .version = six ? 2 : 3, .g = 0, .code = six ? 1000 : 10 };
		struct report r;
		unsigned n = 0, late = 0;
		tern_sock s;

		begin(six);
		s = bound();
		for (unsigned g = 0; g < 10; g++)
			check_eq(join(s, g), 0);
		for (int i = 0; i < 300; i++) {
			tern_advance(st, now += 10 * TERN_MS);
			while (next_report(&r))
				continue;
		}
		put_query(&general);
		check(!next_report(&r));
		for (int i = 0; i < 1010; i++) {
			tern_advance(st, now += 10 * TERN_MS);
			while (next_report(&r)) {
				check_eq(r.record, GROUP_IS_EXCLUDE);
				n++;
				late += i > 300;
			}
		}
		check_eq(n, 10);
		check(late > 3);
		put_query(&specific);
		put_query(&specific);
		check_eq(count_reports(1100 * TERN_MS, newest(), GROUP_IS_EXCLUDE, 0), 1);
		specific.g = 30; /* nobody's */
		put_query(&specific);
		check_eq(count_reports(1100 * TERN_MS, newest(), 0, 0), 0);
		end_stack();
	}
}

/* MC-3: the answer that is due goes sooner when a later query leaves it less time. */
static void sooner_answers(void)
{
	for (int six = 0; six < 2; six++) {
		struct query general = { .version = six ? 2 : 3,
					 .g = -1,
					 .code = six ? 10000 : 100 };
		struct query specific = { .version = six ? 2 : 3, .g = 0, .code = six ? 1000 : 10 };
		tern_sock s;

		begin(six);
		s = bound();
		check_eq(join(s, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		for (int i = 0; i < 20; i++) {
			put_query(i % 2 ? &specific : &general);
			put_query(i % 2 ? &general : &specific);
			check_eq(count_reports(TERN_SEC, newest(), GROUP_IS_EXCLUDE, 0), 1);
			check_eq(count_reports(10 * TERN_SEC, newest(), GROUP_IS_EXCLUDE, 0), 0);
		}
		end_stack();
	}
}

/* MC-5, MC-10: an older router is spoken to as it speaks, for 260 s. */
static void older_routers(void)
{
	static const struct {
		bool six;
		unsigned version;
		uint8_t report, leave;
	} cases[] = {
		{ false, 2, IGMP2_REPORT, IGMP2_LEAVE },
		{ false, 1, IGMP1_REPORT, 0 },
		{ true, 1, MLD1_REPORT, MLD1_DONE },
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		uint8_t report = cases[i].report, leave = cases[i].leave;
		struct query q = { .version = cases[i].version, .g = -1 };
		tern_sock s;

		begin(cases[i].six);
		test_at("IPv%d, version %u", v6 ? 6 : 4, cases[i].version);
		q.code = v6 ? 1000 : cases[i].version == 2 ? 10 : 0;
		s = bound();
		check_eq(join(s, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		put_query(&q);
		check_eq(count_reports(11 * TERN_SEC, report, 0, 0), 1);
		check_eq(mcast(s, TERN_MCAST_LEAVE_GROUP, 0, -1), 0);
		check_eq(count_reports(3 * TERN_SEC, leave, 0, 0), leave ? 2 : 0);
		check_eq(join(s, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, report, 0, 0), 2);
		tern_advance(st, now += 300 * TERN_SEC);
		q.version = v6 ? 2 : 3;
		q.code = 1;
		put_query(&q);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_IS_EXCLUDE, 0), 1);
		end_stack();
	}
}

static void give_address(const char *text, unsigned ifindex, unsigned prefix_len)
{
	struct tern_addr a;

	tern_addr_parse(text, 0, &a);
	check_eq(tern_addr_add(st, ifindex, &a, prefix_len), 0);
}

/* The reports of the next three seconds, each from this address. */
static unsigned reports_from(const char *text)
{
	struct addr from = parse_addr(text);
	struct report r;
	unsigned n = 0;

	for (int i = 0; i < 300; i++) {
		tern_advance(st, now += 10 * TERN_MS);
		for (; next_report(&r); n++)
			check(addr_equal(&r.src, &from));
	}
	return n;
}

/* MC-8: from the link-local address, however far the group that an older report is sent to. */
static void wide_groups(void)
{
	struct addr wide;
	tern_sock s;

	begin(true);
	wide = parse_addr("ff05::1:5");
	give_address("fe80::1", 2, 64);
	s = bound();
	check_eq(join_addr(s, &wide), 0);
	check_eq(reports_from("fe80::1"), 2);
	put_query(&(struct query){ .version = 1, .g = -1, .code = 1000 });
	check_eq(reports_from("fe80::1"), 1);
	end_stack();
}

/* MC-13: what went from :: goes again, as of a change, once there is a link-local address. */
static void a_link_local_address(void)
{
	struct report r;
	tern_sock s;

	begin(true);
	s = bound();
	check_eq(join(s, 0), 0);
	check_eq(mcast(s, TERN_MCAST_JOIN_SOURCE_GROUP, 1, 3), 0);
	check_eq(reports_from("::"), 4);
	give_address("fd00::2", 2, 64);
	check_eq(reports_from("::"), 0);
	give_address("fe80::1", 2, 64);
	tern_advance(st, now);
	for (int i = 0; i < 2; i++) {
		check(next_report(&r));
		check_eq(r.record, r.group.b[15] == 1 ? GROUP_TO_EXCLUDE : GROUP_ALLOW);
	}
	check_eq(reports_from("fe80::1"), 2);
	give_address("fe80::2", 2, 64); /* there was one already */
	check_eq(reports_from("::"), 0);
	end_stack();
}

/* MC-14: on a link that comes up again nobody knows what we listen to. */
static void link_comes_up(void)
{
	for (int six = 0; six < 2; six++) {
		tern_sock s;

		begin(six);
		s = bound();
		check_eq(join(s, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check_eq(tern_iface_set(st, 2, 1500, TERN_IFACE_DOWN), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), 0, 0), 0);
		check_eq(tern_iface_set(st, 2, 1500, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0), 2);
		check_eq(tern_iface_set(st, 2, 1400, 0), 0);
		check_eq(count_reports(3 * TERN_SEC, newest(), 0, 0), 0);
		end_stack();
	}
}

/* MC-1: an interface without an address speaks from none, not from another's. */
static void reports_from_nobody(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr own = tern_ip4(10, 0, 0, 1, 0);
	tern_sock s;

	begin(false);
	check_eq(tern_iface_add(st, &other), 3);
	give_address("10.1.0.1", 3, 24);
	s = bound();
	check_eq(join(s, 0), 0);
	check_eq(reports_from("10.0.0.1"), 2);
	check_eq(tern_addr_del(st, 2, &own), 0);
	check_eq(join(s, 1), 0);
	check_eq(reports_from("0.0.0.0"), 2);
	end_stack();
}

/* MC-7, MC-9: the group of all nodes, and groups of one host or none, are nobody's business. */
static void never_told(void)
{
	static const char *const groups[] = { "224.0.0.1", "ff02::1", "ff01::77", "ff00::77" };

	for (size_t i = 0; i < N_ELEMENTS(groups); i++) {
		struct report r;
		struct addr a;
		tern_sock s;

		begin(i > 0);
		test_at("%s", groups[i]);
		a = parse_addr(groups[i]);
		s = bound();
		check_eq(join_addr(s, &a), 0);
		tern_advance(st, now += TERN_SEC);
		check(!next_report(&r));
		put_query(&(struct query){ .version = v6 ? 2 : 3, .g = -1, .code = 1 });
		tern_advance(st, now += 10 * TERN_SEC);
		check(!next_report(&r));
		end_stack();
	}
}

/* SEC-16, MC-6, MC-8: cut anywhere, too many sources, from elsewhere: nothing is answered. */
static void bad_queries(void)
{
	for (int six = 0; six < 2; six++) {
		uint8_t version = six ? 2 : 3, len = six ? 28 : 12;
		tern_sock s;

		begin(six);
		s = bound();
		check_eq(join(s, 0), 0);
		count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0);
		for (uint32_t cut = 1; cut <= len; cut++) {
			struct query q = { .version = version, .g = -1, .cut = cut };

			if (len - cut == (six ? 24 : 8)) /* that is one of an older version */
				continue;
			put_query(&q);
			check_eq(count_reports(TERN_SEC, newest(), 0, 0), 0);
		}
		for (uint32_t n = 1; n < 5; n++) { /* a count beyond what is there */
			struct query q = { .version = version, .g = 0, .n_sources = n };

			q.cut = n * (six ? 16 : 4);
			put_query(&q);
			check_eq(count_reports(TERN_SEC, newest(), 0, 0), 0);
		}
		if (six) {
			put_query(&(struct query){ .version = 2, .g = -1, .hop_limit = 2 });
			put_query(&(struct query){ .version = 2, .g = -1, .from = "fd00::9" });
			for (int what = PADDED; what <= FOR_DESTINATION; what++)
				put_query(&(struct query){ .version = 2, .g = -1, .behind = what });
			check_eq(count_reports(TERN_SEC, newest(), 0, 0), 0);
		}
		for (int what = ALERTED; what < PADDED; what++) { /* at once: delay 0 */
			put_query(&(struct query){ .version = version, .g = -1, .behind = what });
			check_eq(count_reports(TERN_SEC, newest(), GROUP_IS_EXCLUDE, 0), 1);
		}
		end_stack();
	}
}

/* What a socket sends to a group reaches members on this host, unless it says otherwise. */
static void loop(void)
{
	for (int six = 0; six < 2; six++) {
		int level = six ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP;
		int32_t zero = 0, two = 2;
		struct tern_addr to = { .family = six ? TERN_AF_INET6 : TERN_AF_INET,
					.port = PORT };
		uint8_t frame[200];
		struct tern_iovec iov = { frame, sizeof(frame) };
		struct tern_msg m;
		struct addr g;
		tern_sock a, b;

		begin(six);
		g = group(0);
		memcpy(to.ip, six ? g.b : g.b + 12, six ? 16 : 4);
		a = bound();
		b = bound();
		check_eq(join(b, 0), 0);
		count_reports(3 * TERN_SEC, newest(), GROUP_TO_EXCLUDE, 0);
		if (six)
			check_eq(tern_setsockopt(st, a, level, TERN_IPV6_MULTICAST_IF, &two, 4), 0);
		else
			check_eq(tern_setsockopt(st, a, level, TERN_IP_MULTICAST_IF,
						 (uint8_t[4]){ 10, 0, 0, 1 }, 4),
				 0);
		check_eq(tern_sendto(st, a, "x", 1, 0, &to), 1);
		check(next_out(frame, sizeof(frame)) > 0);
		check_eq(frame[six ? 7 : 8], 1); /* TTL 1 unless told */
		tern_advance(st, now += TERN_MS);
		tern_msg_init(&m, &iov, 1);
		check_eq(tern_recvmsg(st, b, &m, 0), 1);
		check_eq(m.ifindex, 2);
		check_eq(tern_setsockopt(st, a, level,
					 six ? TERN_IPV6_MULTICAST_LOOP : TERN_IP_MULTICAST_LOOP,
					 &zero, sizeof(zero)),
			 0);
		check_eq(tern_sendto(st, a, "x", 1, 0, &to), 1);
		tern_advance(st, now += TERN_MS);
		check_eq(tern_recv(st, b, frame, sizeof(frame), 0), -TERN_EAGAIN);
		end_stack();
	}
}

/* The interface goes: memberships stay with their sockets, and mean nothing. */
static void interface_goes(void)
{
	for (int six = 0; six < 2; six++) {
		tern_sock s;

		begin(six);
		s = bound();
		check_eq(join(s, 0), 0);
		check_eq(tern_iface_del(st, 2), 0);
		tern_check(st);
		check_eq(mcast(s, TERN_MCAST_LEAVE_GROUP, 0, -1), -TERN_ENODEV);
		check_eq(join(s, 1), -TERN_ENODEV);
		check_eq(tern_close(st, s), 0);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(join_and_leave), TEST(two_members),
		TEST(one_sender),     TEST(sources),
		TEST(whole_filters),  TEST(more_sources_than_fit),
		TEST(queries),	      TEST(sooner_answers),
		TEST(wide_groups),    TEST(a_link_local_address),
		TEST(link_comes_up),  TEST(reports_from_nobody),
		TEST(older_routers),  TEST(bad_queries),
		TEST(never_told),     TEST(loop),
		TEST(interface_goes),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
