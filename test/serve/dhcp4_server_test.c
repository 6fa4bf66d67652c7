/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_server_test.c - stacks that configure themselves by DHCPv4 from serve/dhcp4_server.c, in
 * virtual time: core/stack/dhcp4.c, lease4.c and configure.c, and both machines against each other.
 */
#include "dhcp_fixture.h"

#define LONG (30 * TERN_SEC)

static void start_clients(int n, const struct dhcp4_server_config *cfg)
{
	open_link(n);
	serve4(cfg);
	for (int i = 0; i < n; i++)
		check_eq(tern_auto_set(w.client[i], NIC, TERN_AUTO_DHCP4), 0);
}

static bool is_bound(int i)
{
	return is_usable(w.client[i], TERN_ORIGIN_DHCP4, TERN_AF_INET);
}

static bool talks_to_server(int i)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 1, 9), at = to;
	tern_sock a, b;
	char buf[4];
	bool ok;

	check_eq(tern_socket(w.server_stack, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &b), 0);
	check_eq(tern_bind(w.server_stack, b, &at), 0);
	check_eq(tern_socket(w.client[i], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &a), 0);
	tern_sendto(w.client[i], a, "hi", 2, 0, &to);
	pass(TERN_SEC);
	ok = tern_recv(w.server_stack, b, buf, sizeof(buf), 0) == 2;
	tern_close(w.client[i], a);
	tern_close(w.server_stack, b);
	return ok;
}

/* ---- the usual way ---- */

static void a_lease_is_applied(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_iface_addr a;
	struct tern_server s;
	unsigned cursor = 0;

	start_clients(1, &cfg);
	pass(LONG);
	check(find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check(a.addr.ip[3] == 100 && a.prefix_len == 24 && a.flags == 0);
	check(a.valid_until > 3600 * TERN_SEC && a.valid_until < 3600 * TERN_SEC + LONG);
	check_str(route_text(w.client[0], TERN_ORIGIN_DHCP4, "0.0.0.0", 0), "10.0.0.1");
	check_eq(count_routes(w.client[0], TERN_ORIGIN_DHCP4), 1);
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	check_eq(count_servers(w.client[0], TERN_SERVER_NTP, TERN_ORIGIN_DHCP4), 1);
	check(tern_server_next(w.client[0], &cursor, &s) && s.addr.ip[3] == 1 && s.addr.port == 53);
	while (s.kind != TERN_SERVER_SEARCH)
		check(tern_server_next(w.client[0], &cursor, &s));
	check_str(s.domain, "home.test");
	check(talks_to_server(0));
	check_eq(w.n_seen, 4);
	check(w.seen[0].type == DHCP4_DISCOVER && w.seen[1].type == DHCP4_OFFER);
	check(w.seen[2].type == DHCP4_REQUEST && w.seen[3].type == DHCP4_ACK);
	/* RFC 2131 4.4.1: a second at least, ten at most */
	check(w.seen[0].at >= TERN_SEC && w.seen[0].at <= 10 * TERN_SEC);
	check(!w.seen[0].m4.broadcast && w.seen[0].to_broadcast && !w.seen[0].ip_unicast);
	close_link();
}

/* RFC 3442: 121 over 3; RFC 3397: 119 over 15; an MTU within bounds. */
static void options_have_an_order(void)
{
	struct dhcp4_server_config cfg = config4();

	cfg.says.routes = (struct dhcp4_routes){
		true,
		4,
		{ { 0, 0x0a000009, 0 },		  /* the default, by another router */
		  { 0xc0a80000, 0xac100001, 16 }, /* by a router that is reached by: */
		  { 0xac100001, 0, 32 },	  /* this, on link */
		  { 0x7f000000, 0x0a000009, 8 } } /* nobody's */
	};
	domains_put(&cfg.says.search, "a.test");
	domains_put(&cfg.says.search, "b.test");
	cfg.says.mtu = 1400;
	start_clients(1, &cfg);
	pass(LONG);
	check_str(route_text(w.client[0], TERN_ORIGIN_DHCP4, "0.0.0.0", 0), "10.0.0.9");
	check_str(route_text(w.client[0], TERN_ORIGIN_DHCP4, "192.168.0.0", 16), "172.16.0.1");
	check_str(route_text(w.client[0], TERN_ORIGIN_DHCP4, "172.16.0.1", 32), "link");
	check_eq(count_routes(w.client[0], TERN_ORIGIN_DHCP4), 3);
	check_eq(count_servers(w.client[0], TERN_SERVER_SEARCH, TERN_ORIGIN_DHCP4), 2);
	close_link();
}

static void the_mtu_has_bounds(void)
{
	static const struct {
		uint16_t offered;
		bool six;
		uint32_t is;
	} rows[] = { { 0, false, 1500 },    { 575, false, 1500 },  { 576, false, 576 },
		     { 1400, false, 1400 }, { 1500, false, 1500 }, { 1501, false, 1500 },
		     { 9000, false, 1500 }, { 1279, true, 1500 },  { 1280, true, 1280 } };

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		struct dhcp4_server_config cfg = config4();
		struct tern_addr six = { .family = TERN_AF_INET6, .ip = { 0xfd, [15] = 9 } };
		struct tern_iface iface;

		cfg.says.mtu = rows[i].offered;
		start_clients(1, &cfg);
		if (rows[i].six)
			tern_addr_add(w.client[0], NIC, &six, 64);
		pass(LONG);
		test_at("an MTU of %u", rows[i].offered);
		check(is_bound(0));
		tern_iface_get(w.client[0], NIC, &iface);
		check_eq(iface.mtu, rows[i].is);
		check_eq(tern_auto_set(w.client[0], NIC, 0), 0);
		tern_iface_get(w.client[0], NIC, &iface);
		check_eq(iface.mtu, 1500);
		close_link();
	}
}

/* Several on one link: each has its own, and one too many has none. */
static void several_clients(void)
{
	struct dhcp4_server_config cfg = config4();
	bool taken[256] = { false };
	unsigned n_bound = 0;

	start_clients(5, &cfg);
	pass(60 * TERN_SEC);
	for (int i = 0; i < 5; i++) {
		struct tern_iface_addr a;

		if (!find_addr(w.client[i], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a))
			continue;
		n_bound++;
		check(a.addr.ip[3] >= 100 && a.addr.ip[3] <= 103 && !taken[a.addr.ip[3]]);
		taken[a.addr.ip[3]] = true;
	}
	check_eq(n_bound, 4);
	for (int i = 0; i < 5; i++)
		check(!is_bound(i) || talks_to_server(i));
	for (int i = 0; i < 5; i++) /* one gives its own back: the fifth gets it */
		if (is_bound(i)) {
			check_eq(tern_auto_set(w.client[i], NIC, 0), 0);
			break;
		}
	pass(200 * TERN_SEC);
	n_bound = 0;
	for (int i = 0; i < 5; i++)
		n_bound += is_bound(i);
	check_eq(n_bound, 4);
	close_link();
}

/* ---- each message lost once ---- */

static void each_message_is_lost_once(void)
{
	for (unsigned lose = 1; lose <= 4; lose++) {
		struct dhcp4_server_config cfg = config4();

		start_clients(1, &cfg);
		w.lose = lose;
		pass(LONG);
		test_at("message %u is lost", lose);
		check(is_bound(0));
		check_eq(w.n_seen, lose % 2 ? 5 : 6); /* who asked asks again */
		close_link();
	}
	for (unsigned lose = 5; lose <= 6; lose++) { /* of a renewal */
		struct dhcp4_server_config cfg = config4();
		struct tern_iface_addr a;

		start_clients(1, &cfg);
		w.lose = lose;
		pass(3600 * TERN_SEC);
		test_at("message %u is lost", lose);
		check(find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a) &&
		      a.valid_until > tern_sim_now(w.sim) + 600 * TERN_SEC);
		check_eq(w.n_seen, lose == 5 ? 7 : 8);
		close_link();
	}
}

/* ---- the life of a lease ---- */

static void a_lease_is_renewed_for_a_day(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_net_event ev;

	start_clients(1, &cfg);
	pass(LONG);
	while (tern_net_event(w.client[0], &ev))
		continue;
	pass(24 * 3600 * TERN_SEC);
	check(is_bound(0));
	check(count_seen(false, DHCP4_REQUEST) > 40 && count_seen(false, DHCP4_REQUEST) < 60);
	check_eq(count_seen(false, DHCP4_DISCOVER), 1);
	check(w.seen[4].ip_unicast && w.seen[4].m4.ciaddr == 0x0a000064 && !w.seen[4].m4.server);
	check(!tern_net_event(w.client[0], &ev)); /* nothing has changed all day */
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	close_link();
}

/* The server is gone: RENEWING, REBINDING, and at the end nothing is left, at once. */
static void a_lease_ends(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_iface_addr a;
	bool broadcast = false;

	start_clients(1, &cfg);
	pass(LONG);
	check(find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	w.server_is_deaf = true;
	tern_sim_run(w.sim, a.valid_until - TERN_MS);
	check(is_bound(0));
	for (unsigned i = 4; i < w.n_seen; i++) { /* first to the server, then to all */
		check(w.seen[i].type == DHCP4_REQUEST && w.seen[i].m4.ciaddr == 0x0a000064);
		check(w.seen[i].ip_unicast != (broadcast = broadcast || !w.seen[i].ip_unicast));
	}
	check(broadcast);
	tern_sim_run(w.sim, a.valid_until + TERN_MS);
	check(!find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check_eq(count_routes(w.client[0], TERN_ORIGIN_DHCP4), 0);
	check_eq(count_routes(w.client[0], TERN_ORIGIN_STATIC), 0);
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 0);
	check_eq(count_servers(w.client[0], TERN_SERVER_SEARCH, TERN_ORIGIN_DHCP4), 0);
	w.server_is_deaf = false;
	pass(200 * TERN_SEC);
	check(is_bound(0));
	close_link();
}

/* A server that has forgotten everything refuses: the address goes, and another comes. */
static void a_server_forgets(void)
{
	struct dhcp4_server_config cfg = config4();
	unsigned n;

	start_clients(1, &cfg);
	pass(LONG);
	dhcp4_server_free(w.server4);
	cfg.first = tern_ip4(10, 0, 0, 200, 0);
	cfg.last = tern_ip4(10, 0, 0, 210, 0);
	serve4(&cfg);
	n = w.n_seen;
	pass(1850 * TERN_SEC);
	check(w.seen[n].type == DHCP4_REQUEST && w.seen[n + 1].type == DHCP4_NAK);
	check(w.seen[n + 1].to_broadcast && w.seen[n + 1].m4.yiaddr == 0);
	check(is_bound(0));
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	check(last_seen(false, DHCP4_ACK)->m4.yiaddr == 0x0a0000c8);
	close_link();
}

/* The link goes and comes back: INIT-REBOOT. */
static void the_link_comes_back(void)
{
	struct dhcp4_server_config cfg = config4();
	unsigned n;

	start_clients(1, &cfg);
	pass(LONG);
	n = w.n_seen;
	check_eq(tern_iface_set(w.client[0], NIC, 1500, TERN_IFACE_DOWN), 0);
	pass(LONG);
	check_eq(w.n_seen, n);
	check_eq(tern_iface_set(w.client[0], NIC, 1500, 0), 0);
	pass(LONG);
	check_eq(w.n_seen, n + 2);
	check(w.seen[n].type == DHCP4_REQUEST && w.seen[n].m4.requested == 0x0a000064);
	check(!w.seen[n].m4.server && !w.seen[n].m4.ciaddr && !w.seen[n].ip_unicast);
	check(is_bound(0) && talks_to_server(0));
	close_link();
}

/* Switched off: released, nothing is left; the server gives it to another. */
static void a_lease_is_released(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_iface_addr a;

	cfg.last = cfg.first;
	start_clients(2, &cfg);
	pass(LONG);
	check(is_bound(0) != is_bound(1));
	check_eq(tern_auto_set(w.client[is_bound(1)], NIC, 0), 0);
	pass(TERN_SEC);
	check(last_seen(false, DHCP4_RELEASE)->ip_unicast);
	check(last_seen(false, DHCP4_RELEASE)->m4.ciaddr == 0x0a000064);
	check(!find_addr(w.client[last_seen(false, DHCP4_RELEASE)->host - 1], TERN_ORIGIN_DHCP4,
			 TERN_AF_INET, &a));
	pass(100 * TERN_SEC);
	check(is_bound(2 - last_seen(false, DHCP4_RELEASE)->host));
	close_link();
}

/* Another host has the address: DECLINE, ten seconds at least, another address. */
static void a_conflict_is_declined(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr taken = tern_ip4(10, 0, 0, 100, 0);
	struct tern_iface_addr a;
	const struct seen *decline;

	open_link(2);
	check_eq(tern_addr_add(w.client[1], NIC, &taken, 24), 0);
	serve4(&cfg);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4), 0);
	pass(2 * LONG);
	decline = last_seen(false, DHCP4_DECLINE);
	check(decline != NULL);
	check(decline->m4.requested == 0x0a000064 && decline->m4.server == 0x0a000001);
	check(!decline->ip_unicast && decline->m4.ciaddr == 0);
	check_eq(count_seen(false, DHCP4_DECLINE), 1);
	check(decline[1].type == DHCP4_DISCOVER && decline[1].at >= decline->at + 10 * TERN_SEC);
	check(is_bound(0) && find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check_eq(a.addr.ip[3], 101);
	close_link();
}

/* ---- beside other configuration ---- */

static void what_is_static_wins(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr own = tern_ip4(10, 0, 0, 100, 0);
	struct tern_route via = { .dst = tern_ip4(0, 0, 0, 0, 0),
				  .gateway = tern_ip4(10, 0, 0, 1, 0),
				  .ifindex = NIC };
	struct tern_iface_addr a;

	open_link(1);
	check_eq(tern_addr_add(w.client[0], NIC, &own, 24), 0);
	check_eq(tern_route_add(w.client[0], &via), 0);
	serve4(&cfg);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4), 0);
	pass(LONG);
	check(!find_addr(w.client[0], TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check(is_usable(w.client[0], TERN_ORIGIN_STATIC, TERN_AF_INET));
	check_eq(count_routes(w.client[0], TERN_ORIGIN_DHCP4), 0);
	check_eq(tern_auto_set(w.client[0], NIC, 0), 0);
	check(is_usable(w.client[0], TERN_ORIGIN_STATIC, TERN_AF_INET));
	check_str(route_text(w.client[0], TERN_ORIGIN_STATIC, "0.0.0.0", 0), "10.0.0.1");
	close_link();
}

/* RFC 2131 3.4, 4.3.5: no second address, but all that goes with the first. */
static void a_static_address_informs(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr own = tern_ip4(10, 0, 0, 77, 0);
	struct tern_stack *st;
	struct tern_iface_addr a;
	struct tern_iface nic;

	cfg.says.mtu = 1400;
	open_link(1);
	serve4(&cfg);
	st = w.client[0];
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_INFORM4), 0);
	pass(LONG);
	check_eq(w.n_seen, 0);
	check_eq(tern_addr_add(st, NIC, &own, 24), 0);
	pass(LONG);
	check_eq(w.n_seen, 2);
	check(w.seen[0].type == DHCP4_INFORM && w.seen[0].m4.ciaddr == 0x0a00004d);
	check(w.seen[0].to_broadcast && !w.seen[0].ip_unicast);
	check(w.seen[1].type == DHCP4_ACK && w.seen[1].ip_unicast && !w.seen[1].to_broadcast);
	check_eq(w.seen[1].m4.ciaddr, 0x0a00004d);
	check(w.seen[1].m4.yiaddr == 0 && w.seen[1].m4.lease == 0 && w.seen[1].m4.t1 == 0);
	check(!find_addr(st, TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check(is_usable(st, TERN_ORIGIN_STATIC, TERN_AF_INET));
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	check_eq(count_servers(st, TERN_SERVER_SEARCH, TERN_ORIGIN_DHCP4), 1);
	check_str(route_text(st, TERN_ORIGIN_DHCP4, "0.0.0.0", 0), "10.0.0.1");
	tern_iface_get(st, NIC, &nic);
	check_eq(nic.mtu, 1400);
	check(talks_to_server(0));
	check_eq(tern_addr_del(st, NIC, &own), 0); /* it takes the rest along */
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 0);
	check_eq(count_routes(st, TERN_ORIGIN_DHCP4), 0);
	tern_iface_get(st, NIC, &nic);
	check_eq(nic.mtu, 1500);
	close_link();
}

/* From one means to the other: what was leased is released, and what was told is forgotten. */
static void informing_and_leasing(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr own = tern_ip4(10, 0, 0, 77, 0);
	struct tern_stack *st;
	struct tern_iface_addr a;

	open_link(1);
	serve4(&cfg);
	st = w.client[0];
	check_eq(tern_addr_add(st, NIC, &own, 24), 0);
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_DHCP4), 0);
	pass(LONG);
	check(is_bound(0));
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_DHCP4 | TERN_AUTO_INFORM4), -TERN_EINVAL);
	check(is_bound(0));
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_INFORM4), 0);
	check(!find_addr(st, TERN_ORIGIN_DHCP4, TERN_AF_INET, &a));
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 0);
	pass(LONG);
	check_eq(count_seen(false, DHCP4_RELEASE), 1);
	check_eq(count_seen(false, DHCP4_INFORM), 1);
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_DHCP4 | TERN_AUTO_INFORM4), -TERN_EINVAL);
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 2);
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_DHCP4), 0);
	check_eq(count_servers(st, TERN_SERVER_DNS, TERN_ORIGIN_DHCP4), 0);
	pass(LONG);
	check(is_bound(0));
	check_eq(tern_auto_set(st, NIC, TERN_AUTO_INFORM4), 0);
	pass(LONG);
	check_eq(tern_iface_del(st, NIC), 0);
	close_link();
}

static void means_that_cannot_be(void)
{
	struct tern_iface tun = { "tun", TERN_LINK_IP, 1500, 0, { 0 } };
	int ifindex;

	open_link(1);
	ifindex = tern_iface_add(w.client[0], &tun);
	check_eq(tern_auto_set(w.client[0], 9, TERN_AUTO_DHCP4), -TERN_ENODEV);
	check_eq(tern_auto_set(w.client[0], 1, TERN_AUTO_DHCP4), -TERN_EINVAL);
	check_eq(tern_auto_set(w.client[0], (unsigned)ifindex, TERN_AUTO_DHCP4), -TERN_EINVAL);
	check_eq(tern_auto_set(w.client[0], NIC, 1u << 7), -TERN_EINVAL);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4), 0);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4), 0);
	check_eq(tern_iface_del(w.client[0], NIC), 0); /* with a client under way */
	close_link();
}

/* Linux's clients have raw sockets: what is bound to the port sees nothing. */
static void the_port_is_the_clients(void)
{
	struct dhcp4_server_config cfg = config4();
	struct tern_addr any = tern_ip4(0, 0, 0, 0, DHCP4_CLIENT_PORT);
	char buf[16];
	tern_sock s;

	start_clients(1, &cfg);
	check_eq(tern_socket(w.client[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(w.client[0], s, &any), 0);
	pass(LONG);
	check(is_bound(0));
	check_eq(tern_recv(w.client[0], s, buf, sizeof(buf), 0), -TERN_EAGAIN);
	close_link();
}

static const struct test tests[] = {
	TEST(a_lease_is_applied),
	TEST(options_have_an_order),
	TEST(the_mtu_has_bounds),
	TEST(several_clients),
	TEST(each_message_is_lost_once),
	TEST(a_lease_is_renewed_for_a_day),
	TEST(a_lease_ends),
	TEST(a_server_forgets),
	TEST(the_link_comes_back),
	TEST(a_lease_is_released),
	TEST(a_conflict_is_declined),
	TEST(what_is_static_wins),
	TEST(a_static_address_informs),
	TEST(informing_and_leasing),
	TEST(means_that_cannot_be),
	TEST(the_port_is_the_clients),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
