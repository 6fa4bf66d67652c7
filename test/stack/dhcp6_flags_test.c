/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_flags_test.c - what router advertisements say of DHCPv6: core/stack/advert.c to dhcp.c.
 */
#include "advert_fixture.h"

#include "../../core/wire/dhcp.h"

static struct dhcp6 asked; /* the last message */

/* Runs on, and counts messages of DHCPv6 by type. */
static void count_asked(tern_time t, unsigned n[DHCP6_INFORM + 1])
{
	struct tern_pkt *p;

	memset(n, 0, (DHCP6_INFORM + 1) * sizeof(*n));
	for (tern_time until = now + t; now < until;) {
		pass(100 * TERN_MS);
		while ((p = tern_output(st, 2))) {
			uint8_t f[1600];
			uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));
			struct dhcp6 m;

			if (len > 62 && f[20] == TERN_IPPROTO_UDP && f[21] == 64 && f[57] == 0x23 &&
			    dhcp6_parse(&m, f + 62, len - 62)) {
				n[m.type]++;
				asked = m;
			}
			tern_pkt_free(st, p);
		}
	}
}

static void hear_flags(bool managed, bool other)
{
	struct ra ra = { .lifetime = 1800, .managed = managed, .other = other };
	struct message m = advert(&ra);

	put(&first, &m);
}

/* RFC 4861 4.2: M says addresses and all else, O all else. */
static void flags_say_what_to_ask(void)
{
	for (unsigned flags = 0; flags < 4; flags++) {
		unsigned n[DHCP6_INFORM + 1];

		begin();
		check_eq(tern_auto_set(st, 2, TERN_AUTO_RA | TERN_AUTO_DHCP6), 0);
		count_asked(5 * TERN_SEC, n);
		check(n[DHCP6_SOLICIT] == 0 && n[DHCP6_INFORM] == 0);
		hear_flags(flags & 2, flags & 1);
		count_asked(5 * TERN_SEC, n);
		test_at("flags %u", flags);
		check_eq(n[DHCP6_SOLICIT] > 0, (flags & 2) != 0);
		check_eq(n[DHCP6_INFORM] > 0, flags == 1);
		end();
	}
}

/* Where DHCPv6 is not among the means the flags say nothing. */
static void flags_without_the_means(void)
{
	unsigned n[DHCP6_INFORM + 1];

	begin();
	hear_flags(true, true);
	count_asked(5 * TERN_SEC, n);
	check(n[DHCP6_SOLICIT] == 0 && n[DHCP6_INFORM] == 0);
	end();
}

/* An answer to the last message: so many addresses fd00::1:0 and those after it. */
static void answer_asked(enum dhcp6_type type, unsigned n, const uint32_t valid[])
{
	struct dhcp6 m = { .type = (uint8_t)type,
			   .xid = asked.xid,
			   .client = asked.client,
			   .server = { 4, { 0, 2, 's', 's' } },
			   .ia = { .is_there = true, .n = (uint8_t)n, .iaid = asked.ia.iaid } };
	uint8_t udp[600] = { 547 / 256, 547 % 256, 546 / 256, 546 % 256 };
	struct addr src = parse(first.ip), dst;
	struct ip6 ip = { .next_header = 17, .hop_limit = 64, .src = src };
	struct eth eth = { .type = ETH_IP6 };
	struct tern_iface_addr own;
	struct tern_pkt *p;
	uint32_t len;

	for (unsigned i = 0; i < n; i++) {
		m.ia.addr[i] = (struct dhcp6_addr){ .addr = parse("fd00::1:0"),
						    .preferred = valid[i],
						    .valid = valid[i] };
		m.ia.addr[i].addr.b[15] = (uint8_t)i;
	}
	check(address_in("fe80::", 0, &own));
	ip.dst = dst = addr_from6(own.addr.ip);
	len = 8 + (uint32_t)dhcp6_emit(&m, udp + 8, sizeof(udp) - 8);
	ip.payload_len = (uint16_t)len;
	put_be16(udp + 4, len);
	put_be16(udp + 6,
		 checksum_finish(checksum_add(udp, len, checksum_pseudo(&src, &dst, 17, len))));
	p = tern_pkt_new(st, 54 + len);
	memcpy(eth.dst, our_mac, 6);
	memcpy(eth.src, first.mac, 6);
	eth_emit(&eth, p->data);
	ip6_emit(&ip, p->data + 14);
	memcpy(p->data + 54, udp, len);
	p->ifindex = 2;
	tern_input(st, p);
	tern_check(st);
}

/* RFC 8415 18.2.10.1: valid for 0 s, an address ends at once; one that is not named stays. */
static void a_server_takes_back(void)
{
	static const uint32_t given[3] = { 1000, 1000, 1000 }, first_ended[2] = { 0, 1000 };
	unsigned n[DHCP6_INFORM + 1];

	begin();
	check_eq(tern_auto_set(st, 2, TERN_AUTO_RA | TERN_AUTO_DHCP6), 0);
	count_asked(3 * TERN_SEC, n);
	hear_flags(true, false);
	count_asked(500 * TERN_MS, n);
	while (!n[DHCP6_SOLICIT])
		count_asked(500 * TERN_MS, n);
	answer_asked(DHCP6_ADVERTISE, 3, given);
	while (!n[DHCP6_REQUEST])
		count_asked(500 * TERN_MS, n);
	answer_asked(DHCP6_REPLY, 3, given);
	count_asked(3 * TERN_SEC, n);
	check_eq(n_addresses("fd00::"), 3);
	while (!n[DHCP6_RENEW])
		count_asked(10 * TERN_SEC, n);
	answer_asked(DHCP6_REPLY, 2, first_ended);
	check_eq(n_addresses("fd00::"), 2);
	do
		count_asked(10 * TERN_SEC, n);
	while (!n[DHCP6_RENEW]);
	answer_asked(DHCP6_REPLY, 2, (uint32_t[2]){ 0, 0 });
	check_eq(n_addresses("fd00::"), 0);
	end();
}

/* The link-local address is that of advertisements, or DHCP's own: there is one all the time. */
static void the_means_change(void)
{
	static const unsigned means[] = { TERN_AUTO_DHCP6, TERN_AUTO_RA | TERN_AUTO_DHCP6,
					  TERN_AUTO_DHCP6, TERN_AUTO_RA, 0 };

	begin();
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		check_eq(tern_auto_set(st, 2, means[i]), 0);
		test_at("means %u", means[i]);
		check(means[i] ? n_addresses("fe80::") > 0 : n_addresses("fe80::") == 0);
		pass(5 * TERN_SEC);
		count_out(0);
	}
	end();
}

static const struct test tests[] = {
	TEST(flags_say_what_to_ask),
	TEST(flags_without_the_means),
	TEST(the_means_change),
	TEST(a_server_takes_back),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
