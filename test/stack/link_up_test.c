/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_up_test.c - a link that comes up again may be another one: addresses of IPv6 are tried again
 * (RFC 4862 5.4: whenever an interface becomes enabled). Those of IPv4: arp_rules_test.c.
 */
#include "advert_fixture.h"

static const char prefix[] = "2001:db8:1::";

/* The host has an address in the prefix, which is good. */
static struct tern_iface_addr configured(void)
{
	struct tern_iface_addr a = { .ifindex = 0 };

	begin();
	pass(3 * TERN_SEC);
	hear_router(&first, 1800, prefix);
	pass(3 * TERN_SEC);
	check(address_in(prefix, 0, &a) && a.flags == 0);
	check_eq(n_addresses(prefix), 1);
	while (count_out(0))
		continue;
	return a;
}

/* The reports of MLDv2 that go out in this time, about the group of our link-local address. */
struct reports {
	unsigned from_nobody, from_link_local;
};

static struct reports reports_within(tern_time t)
{
	struct reports n = { 0, 0 };
	struct tern_iface_addr a;
	struct addr ours;
	struct tern_pkt *p;

	check(address_in("fe80::", 0, &a));
	ours = addr_from6(a.addr.ip);
	for (tern_time until = now + t; now < until; pass(10 * TERN_MS)) {
		while ((p = tern_output(st, 2))) {
			struct addr src;
			uint8_t f[200];

			tern_pkt_copy(p, 0, f, sizeof(f));
			tern_pkt_free(st, p);
			if (f[20] != IP6_EXT_HOP_BY_HOP || f[62] != MLD2_REPORT ||
			    memcmp(f + 74 + 13, a.addr.ip + 13, 3) != 0)
				continue;
			src = addr_from6(f + 22);
			check_eq(f[70], GROUP_TO_EXCLUDE);
			n.from_nobody += addr_is_unspecified(&src);
			n.from_link_local += addr_equal(&src, &ours);
		}
	}
	return n;
}

/* MC-13: the group of a tentative address is joined from ::, and again when it is good. */
static void joined_again_when_good(void)
{
	struct reports n;

	begin();
	n = reports_within(6 * TERN_SEC);
	check_eq(n.from_nobody, 2);
	check_eq(n.from_link_local, 2);
	check_eq(flags_of("fe80::"), 0);
	end();
}

static void bounce(tern_time down)
{
	check_eq(tern_iface_set(st, 2, 1500, TERN_IFACE_DOWN), 0);
	pass(down);
	check_eq(tern_iface_set(st, 2, 1500, 0), 0);
}

/* How often each of our two addresses is asked about from nobody, and how soon all are good. */
static void tried_again(void)
{
	struct tern_iface_addr a = configured(), after;
	struct addr ours = addr_from6(a.addr.ip);
	unsigned of_prefix = 0, of_link = 0;
	struct heard h;

	bounce(10 * TERN_SEC);
	check(address_in(prefix, 0, &after) && after.flags == TERN_ADDR_TENTATIVE);
	check(address_in("fe80::", 0, &after) && after.flags == TERN_ADDR_TENTATIVE);
	for (int ms = 0; ms < 2100; ms += 100) {
		pass(100 * TERN_MS);
		while (hear(&h)) {
			if (h.type != ICMP6_NEIGH_SOLICIT || !addr_is_unspecified(&h.src))
				continue;
			of_prefix += addr_equal(&h.target, &ours);
			of_link += addr_is_link_local(&h.target);
		}
	}
	check_eq(of_prefix, 1);
	check_eq(of_link, 1);
	check(address_in(prefix, 0, &after) && after.flags == 0);
	check_mem(after.addr.ip, a.addr.ip, 16);
	check(after.valid_until == a.valid_until);
	end();
}

/* RFC 4862 5.4.2, RFC 4861 7.2.1: the groups of addresses are joined first. */
static void joined_before_it_is_tried(void)
{
	struct tern_pkt *p;

	configured();
	bounce(TERN_SEC);
	pass(1); /* less than any question waits */
	for (unsigned n = 0; n < 2; n++) {
		p = tern_output(st, 2);
		check(p && p->data[20] == IP6_EXT_HOP_BY_HOP && p->data[62] == MLD2_REPORT);
		tern_pkt_free(st, p);
	}
	check_eq(reports_within(6 * TERN_SEC).from_nobody, 1);
	check_eq(flags_of("fe80::"), 0);
	end();
}

/* A detection that the link cut short counts for nothing. */
static void cut_short(void)
{
	struct tern_iface_addr a;
	unsigned n = 0;
	struct heard h;

	begin();
	pass(3 * TERN_SEC);
	hear_router(&first, 1800, prefix);
	bounce(1010 * TERN_MS); /* the question went in this time, and nobody could hear it */
	check(address_in(prefix, 0, &a) && a.flags == TERN_ADDR_TENTATIVE);
	pass(3 * TERN_SEC);
	while (hear(&h))
		n += h.type == ICMP6_NEIGH_SOLICIT && addr_is_unspecified(&h.src) &&
		     !addr_is_link_local(&h.target);
	check_eq(n, 1);
	check(address_in(prefix, 0, &a) && a.flags == 0);
	end();
}

/* On the other link somebody has it: it is theirs. */
static void taken_there(void)
{
	struct tern_iface_addr a = configured(), other;
	struct ndp na = { .type = ICMP6_NEIGH_ADVERT, .override = true, .has_mac = true };
	struct message m = { .len = 0 };

	bounce(TERN_SEC);
	na.target = addr_from6(a.addr.ip);
	memcpy(na.mac, second.mac, 6);
	m.len = (uint32_t)ndp_emit(&na, m.bytes);
	put(&second, &m);
	check(address_in(prefix, 0, &other) && other.flags == TERN_ADDR_DUPLICATE);
	pass(3 * TERN_SEC);
	check(address_in(prefix, 1, &other) && other.flags == 0);
	end();
}

/* The TCP segments that go out now, from this address. */
static unsigned segments_from(const struct addr *ours)
{
	struct tern_pkt *p;
	unsigned n = 0;

	while ((p = tern_output(st, 2))) {
		struct addr src = p->len >= 54 ? addr_from6(p->data + 22) : *ours;

		if (p->len >= 54 && get_be16(p->data + 12) == ETH_IP6 && p->data[20] == 6) {
			check(addr_equal(&src, ours));
			n++;
		}
		tern_pkt_free(st, p);
	}
	return n;
}

/* Connections say nothing while their address is tried, and go on when it is theirs. */
static void connections_wait(void)
{
	struct tern_iface_addr a = configured();
	struct addr ours = addr_from6(a.addr.ip);
	struct tern_neigh peer = { .ifindex = 2, .mac = { 2, 0, 0, 0, 1, 9 } };
	struct tern_addr to;
	unsigned n = 0;
	tern_sock s;

	tern_addr_parse("2001:db8:1::9", 80, &to);
	peer.addr = to;
	peer.addr.port = 0;
	check_eq(tern_neigh_add(st, &peer), 0);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	check_eq(segments_from(&ours), 1);
	bounce(TERN_SEC / 2);
	check(address_in(prefix, 0, &a) && a.flags == TERN_ADDR_TENTATIVE);
	while (address_in(prefix, 0, &a) && (a.flags & TERN_ADDR_TENTATIVE)) {
		check_eq(segments_from(&ours), 0);
		pass(TERN_MS);
	}
	check_eq(a.flags, 0);
	for (int i = 0; i < 80; i++) {
		pass(100 * TERN_MS);
		n += segments_from(&ours);
	}
	check(n >= 1);
	end();
}

/* What the user gave is the user's matter. */
static void static_stays(void)
{
	struct tern_iface_addr a;
	struct tern_addr own;

	begin();
	tern_addr_parse("2001:db8:7::1", 0, &own);
	check_eq(tern_addr_add(st, 2, &own, 64), 0);
	bounce(TERN_SEC);
	check(address_in("2001:db8:7::", 0, &a) && a.flags == 0);
	end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(tried_again),
		TEST(cut_short),
		TEST(taken_there),
		TEST(connections_wait),
		TEST(static_stays),
		TEST(joined_before_it_is_tried),
		TEST(joined_again_when_good),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
