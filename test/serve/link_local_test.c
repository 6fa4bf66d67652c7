/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_local_test.c - core/net/link_local.c on a link: RFC 3927.
 */
#include "dhcp_fixture.h"

static bool own(int i, struct tern_iface_addr *a)
{
	return find_addr(w.client[i], TERN_ORIGIN_LINK_LOCAL, TERN_AF_INET, a);
}

/* 2.1: 169.254.1.0 to 169.254.254.255; the same machine and seed: the same address. */
static void an_address_is_made_up(void)
{
	struct tern_iface_addr a, b, again;

	for (int run = 0; run < 2; run++) {
		open_link(2);
		for (int i = 0; i < 2; i++)
			check_eq(tern_auto_set(w.client[i], NIC, TERN_AUTO_LINK_LOCAL4), 0);
		pass(20 * TERN_SEC);
		check(own(0, &a) && own(1, &b));
		check(a.flags == 0 && a.prefix_len == 16 && a.addr.ip[0] == 169);
		check(a.addr.ip[1] == 254 && a.addr.ip[2] >= 1 && a.addr.ip[2] <= 254);
		check(memcmp(&a.addr, &b.addr, sizeof(a.addr)) != 0);
		if (run)
			check_mem(&a.addr, &again.addr, sizeof(a.addr));
		again = a;
		close_link();
	}
}

/* 1.9, 2.11: only while there is no other, and DHCP is asked first. */
static void another_address_replaces_it(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr fixed = tern_ip4(10, 0, 0, 77, 0);
	struct tern_iface_addr a;

	open_link(1);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_LINK_LOCAL4 | TERN_AUTO_DHCP4), 0);
	pass(19 * TERN_SEC);
	check(!own(0, &a));
	pass(20 * TERN_SEC);
	check(own(0, &a) && a.flags == 0);
	serve4(&cfg);
	pass(100 * TERN_SEC);
	check(!own(0, &a) && is_usable(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET));
	/* and the other way round */
	w.server_is_deaf = true;
	pass(3700 * TERN_SEC);
	check(own(0, &a) && !is_usable(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET));
	check_eq(tern_addr_add(w.client[0], NIC, &fixed, 24), 0);
	check(!own(0, &a));
	check_eq(tern_addr_del(w.client[0], NIC, &fixed), 0);
	pass(40 * TERN_SEC);
	check(own(0, &a));
	check_eq(tern_auto_set(w.client[0], NIC, 0), 0);
	check(!own(0, &a));
	close_link();
}

/* A lease that comes quickly: nothing is made up at all. */
static void not_beside_dhcp(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_iface_addr a;

	open_link(1);
	serve4(&cfg);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_LINK_LOCAL4 | TERN_AUTO_DHCP4), 0);
	for (int s = 0; s < 100; s++) {
		pass(TERN_SEC);
		check(!own(0, &a));
	}
	close_link();
}

/* ---- conflicts ---- */

static unsigned n_probed;
static tern_time probed_at[64];
static struct tern_addr last_probed;

/* Somebody claims every address that is probed for. */
static enum tern_sim_verdict claim(void *ctx, int host, const uint8_t *frame, uint32_t len)
{
	struct arp arp, reply;
	struct tern_pkt *p;

	(void)ctx;
	if (host == HOST_SERVER || get_be16(frame + 12) != ETH_ARP || len < 42 ||
	    !arp_parse(&arp, frame + 14, len - 14) || !addr_is_unspecified(&arp.sender))
		return TERN_SIM_PASS;
	if (n_probed < N_TESTS(probed_at))
		probed_at[n_probed++] = tern_sim_now(w.sim);
	memcpy(last_probed.ip, arp.target.b + 12, 4);
	reply = (struct arp){ .op = ARP_REPLY, .sender = arp.target };
	reply.sender_mac[0] = 2;
	reply.sender_mac[5] = 0xee;
	p = tern_pkt_new(w.client[0], 42);
	memset(p->data, 0xff, 14);
	put_be16(p->data + 12, ETH_ARP);
	arp_emit(&reply, p->data + 14);
	p->ifindex = NIC;
	tern_input(w.client[0], p);
	return TERN_SIM_PASS;
}

/* 2.2.1: after ten conflicts one a minute. */
static void conflicts_slow_it_down(void)
{
	struct tern_iface_addr a;

	n_probed = 0;
	open_link(1);
	tern_sim_filter(w.sim, w.link, claim, NULL);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_LINK_LOCAL4), 0);
	pass(600 * TERN_SEC);
	check(n_probed >= 10 + 8 && n_probed <= 10 + 11);
	for (unsigned i = 1; i < n_probed; i++) {
		test_at("probe %u", i);
		check(i < 10 ? probed_at[i] - probed_at[i - 1] <= 2 * TERN_SEC :
			       probed_at[i] - probed_at[i - 1] >= 59 * TERN_SEC);
	}
	tern_sim_filter(w.sim, w.link, NULL, NULL);
	pass(100 * TERN_SEC);
	check(own(0, &a) && a.flags == 0);
	close_link();
}

/* ---- 2.5: everybody hears what comes from such an address ---- */

static unsigned n_arp, n_unicast;

static enum tern_sim_verdict count_arp(void *ctx, int host, const uint8_t *frame, uint32_t len)
{
	struct arp arp;

	(void)ctx;
	(void)host;
	if (get_be16(frame + 12) == ETH_ARP && arp_parse(&arp, frame + 14, len - 14) &&
	    addr_is_link_local(&arp.sender)) {
		n_arp++;
		n_unicast += !(frame[0] & 1);
	}
	return TERN_SIM_PASS;
}

static void arp_is_broadcast(void)
{
	struct tern_iface_addr a;
	tern_sock s;

	n_arp = n_unicast = 0;
	open_link(2);
	tern_sim_filter(w.sim, w.link, count_arp, NULL);
	for (int i = 0; i < 2; i++)
		check_eq(tern_auto_set(w.client[i], NIC, TERN_AUTO_LINK_LOCAL4), 0);
	pass(20 * TERN_SEC);
	check(own(1, &a));
	a.addr.port = 9;
	check_eq(tern_socket(w.client[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_sendto(w.client[0], s, "x", 1, 0, &a.addr), 1);
	pass(TERN_SEC);
	check(n_arp >= 4 + 2 && n_unicast == 0); /* announcements, a request, a reply */
	close_link();
}

static const struct test tests[] = {
	TEST(an_address_is_made_up), TEST(another_address_replaces_it),
	TEST(not_beside_dhcp),	     TEST(conflicts_slow_it_down),
	TEST(arp_is_broadcast),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
