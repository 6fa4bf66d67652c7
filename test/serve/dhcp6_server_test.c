/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_server_test.c - stacks that configure themselves by DHCPv6 from serve/dhcp6_server.c, in
 * virtual time: core/stack/dhcp6.c and lease6.c, and both machines against each other.
 */
#include "../../core/net/dhcp.h"
#include "../../core/stack/stack.h"
#include "dhcp_fixture.h"

#define A_WHILE (10 * TERN_SEC)

static struct dhcp6_server_config config6(void)
{
	struct dhcp6_server_config c = {
		.ifindex = NIC,
		.first = { .family = TERN_AF_INET6, .ip = { 0xfd, [8] = 1 } },
		.n_addrs = 4,
		.preferred = 1800,
		.valid = 3600,
		.says = { .n_dns = 2,
			  .dns = { { { 0xfd, [15] = 53 } }, { { 0xfe, 0x80, [15] = 53 } } } },
	};

	domains_put(&c.says.search, "six.test");
	return c;
}

static void serve6(const struct dhcp6_server_config *cfg)
{
	w.server6 = dhcp6_server_new(w.server_stack, cfg);
	check(w.server6 != NULL);
}

static void open_link6(int n_clients, const struct dhcp6_server_config *cfg)
{
	open_link(n_clients);
	serve6(cfg);
}

static void start_clients(int n, const struct dhcp6_server_config *cfg)
{
	open_link6(n, cfg);
	for (int i = 0; i < n; i++)
		check_eq(tern_auto_set(w.client[i], NIC, TERN_AUTO_DHCP6), 0);
}

static bool is_bound(int i)
{
	return is_usable(w.client[i], TERN_ORIGIN_DHCP6, TERN_AF_INET6);
}

/* As after a router's advertisement with these flags, and none before. */
static void hear_router(int i, bool managed, bool other)
{
	struct iface *nic = iface_get(&w.client[i]->net, NIC);
	struct dhcp_parts parts = { .ifindex = NIC, .timer_kind = TIMER_DHCP6 };

	dhcp6_free(&w.client[i]->net, nic->dhcp6);
	nic->dhcp6 = dhcp6_new(&w.client[i]->net, &parts);
	dhcp6_on_router_flags(w.client[i], nic, managed, other);
}

/* ---- the usual way ---- */

static void a_lease_is_applied(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_iface_addr a;
	struct tern_server s;
	unsigned cursor = 0;

	start_clients(1, &cfg);
	pass(A_WHILE);
	check(find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	check(a.addr.ip[0] == 0xfd && a.addr.ip[8] == 1 && a.prefix_len == 128 && a.flags == 0);
	check(a.valid_until > 3600 * TERN_SEC && a.valid_until < 3611 * TERN_SEC);
	check(a.preferred_until > 1800 * TERN_SEC && a.preferred_until < 1811 * TERN_SEC);
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP6), 2);
	check_eq(count_servers(w.client[0], TERN_SERVER_SEARCH, TERN_ORIGIN_DHCP6), 1);
	check(tern_server_next(w.client[0], &cursor, &s) && s.addr.scope_id == 0);
	check(tern_server_next(w.client[0], &cursor, &s) && s.addr.scope_id == NIC);
	check(s.addr.port == 53);
	check_eq(w.n_seen, 4);
	check(w.seen[0].type == DHCP6_SOLICIT && w.seen[1].type == DHCP6_ADVERTISE);
	check(w.seen[2].type == DHCP6_REQUEST && w.seen[3].type == DHCP6_REPLY);
	check(w.seen[0].to_broadcast && w.seen[2].to_broadcast && !w.seen[3].to_broadcast);
	for (int i = 0; i < 4; i += 2) {
		static const uint8_t all_servers[16] = { 0xff, 2, [13] = 1, [15] = 2 };

		check_mem(w.seen[i].dst6, all_servers, 16);
		check(w.seen[i].src6[0] == 0xfe && w.seen[i].src6[1] == 0x80);
	}
	close_link();
}

static void rapid_commit(void)
{
	struct dhcp6_server_config cfg = config6();

	cfg.rapid_commit = true;
	start_clients(1, &cfg);
	pass(A_WHILE);
	check(is_bound(0));
	check(w.n_seen == 2 && w.seen[1].type == DHCP6_REPLY && w.seen[1].m6.rapid_commit);
	close_link();
}

static void several_clients(void)
{
	struct dhcp6_server_config cfg = config6();
	bool taken[4] = { false };
	int n_bound = 0;

	start_clients(5, &cfg);
	pass(60 * TERN_SEC);
	for (int i = 0; i < 5; i++) {
		struct tern_iface_addr a;

		if (!find_addr(w.client[i], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a))
			continue;
		n_bound++;
		check(a.addr.ip[15] < 4 && !taken[a.addr.ip[15]]);
		taken[a.addr.ip[15]] = true;
	}
	check_eq(n_bound, 4);
	close_link();
}

static void each_message_is_lost_once(void)
{
	for (unsigned lose = 1; lose <= 6; lose++) {
		struct dhcp6_server_config cfg = config6();

		start_clients(1, &cfg);
		w.lose = lose;
		pass(lose <= 4 ? 20 * TERN_SEC : 1000 * TERN_SEC);
		test_at("message %u is lost", lose);
		check(is_bound(0));
		check_eq(w.n_seen, lose <= 4 ? (lose % 2 ? 5 : 6) : (lose == 5 ? 7 : 8));
		close_link();
	}
}

/* ---- the life of a lease ---- */

static void a_lease_is_renewed_for_a_day(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_net_event ev;

	start_clients(1, &cfg);
	pass(A_WHILE);
	while (tern_net_event(w.client[0], &ev))
		continue;
	pass(24 * 3600 * TERN_SEC);
	check(is_bound(0));
	check(count_seen(true, DHCP6_RENEW) > 90 && count_seen(true, DHCP6_RENEW) < 100);
	check_eq(count_seen(true, DHCP6_SOLICIT), 1);
	check(!tern_net_event(w.client[0], &ev)); /* nothing has changed all day */
	close_link();
}

static void a_lease_ends(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_iface_addr a;

	start_clients(1, &cfg);
	pass(A_WHILE);
	check(find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	w.server_is_deaf = true;
	tern_sim_run(w.sim, a.valid_until - TERN_MS);
	check(find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	check(a.flags & TERN_ADDR_DEPRECATED); /* since its preferred lifetime has passed */
	check(count_seen(true, DHCP6_RENEW) > 2 && count_seen(true, DHCP6_REBIND) > 2);
	tern_sim_run(w.sim, a.valid_until + TERN_MS);
	check(!find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP6), 0);
	w.server_is_deaf = false;
	pass(60 * TERN_SEC);
	check(is_bound(0));
	close_link();
}

/* Nothing is known of it any more: NoBinding, it is asked for again and stays ours. */
static void a_server_forgets(void)
{
	struct dhcp6_server_config cfg = config6();

	start_clients(1, &cfg);
	pass(A_WHILE);
	dhcp6_server_free(w.server6);
	serve6(&cfg);
	pass(1000 * TERN_SEC);
	check(is_bound(0));
	check_eq(count_seen(true, DHCP6_REQUEST), 2);
	check_eq(count_seen(true, DHCP6_SOLICIT), 1);
	close_link();
}

static void the_link_comes_back(void)
{
	for (int moved = 0; moved < 2; moved++) {
		struct dhcp6_server_config cfg = config6();
		struct tern_iface_addr a;

		start_clients(1, &cfg);
		pass(A_WHILE);
		check_eq(tern_iface_set(w.client[0], NIC, 1500, TERN_IFACE_DOWN), 0);
		pass(A_WHILE);
		if (moved) {
			dhcp6_server_free(w.server6);
			cfg.first.ip[1] = 9;
			serve6(&cfg);
		}
		check_eq(tern_iface_set(w.client[0], NIC, 1500, 0), 0);
		pass(A_WHILE);
		check_eq(count_seen(true, DHCP6_CONFIRM), 1);
		check_eq(count_seen(true, DHCP6_SOLICIT), moved ? 2 : 1);
		check(find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
		check_eq(a.addr.ip[1], moved ? 9 : 0);
		close_link();
	}
}

static void a_lease_is_released(void)
{
	struct dhcp6_server_config cfg = config6();
	unsigned cursor = 0;
	struct tern_iface_addr a;

	cfg.n_addrs = 1;
	start_clients(2, &cfg);
	pass(A_WHILE);
	check(is_bound(0) != is_bound(1));
	check_eq(tern_auto_set(w.client[is_bound(1)], NIC, 0), 0);
	pass(TERN_SEC);
	check(last_seen(true, DHCP6_RELEASE) != NULL);
	while (tern_addr_next(w.client[last_seen(true, DHCP6_RELEASE)->host - 1], &cursor, &a))
		check(a.ifindex != NIC); /* the link-local address, too */
	pass(100 * TERN_SEC);
	check(is_bound(2 - last_seen(true, DHCP6_RELEASE)->host));
	close_link();
}

/* Another host has it: declined, and the server gives it to nobody for a while. */
static void a_conflict_is_declined(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_iface_addr a;

	open_link6(2, &cfg);
	check_eq(tern_addr_add(w.client[1], NIC, &cfg.first, 64), 0);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP6), 0);
	pass(30 * TERN_SEC);
	check_eq(count_seen(true, DHCP6_DECLINE), 1);
	check(last_seen(true, DHCP6_DECLINE)->m6.ia.n == 1);
	check(last_seen(true, DHCP6_DECLINE)->m6.ia.addr[0].addr.b[15] == 0);
	check(last_seen(true, DHCP6_DECLINE)->m6.server.len > 0);
	check_eq(dhcp6_server_pool(w.server6)->place[0].state, PLACE_DECLINED);
	check(is_bound(0) && find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	check_eq(a.addr.ip[15], 1);
	close_link();
}

/* ---- only information ---- */

static void information_without_addresses(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_iface_addr a;

	cfg.says.has_refresh = true;
	cfg.says.refresh = 1200;
	open_link6(1, &cfg);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP6), 0);
	hear_router(0, false, true);
	pass(A_WHILE);
	check_eq(w.n_seen, 2);
	check(w.seen[0].type == DHCP6_INFORM && w.seen[1].type == DHCP6_REPLY);
	check(!find_addr(w.client[0], TERN_ORIGIN_DHCP6, TERN_AF_INET6, &a));
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP6), 2);
	pass(1300 * TERN_SEC);
	check_eq(w.n_seen, 4);
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP6), 2);
	w.server_is_deaf = true; /* what is not said again ends, in time */
	pass(2500 * TERN_SEC);
	check_eq(count_servers(w.client[0], TERN_SERVER_DNS, TERN_ORIGIN_DHCP6), 0);
	close_link();
}

/* Flags begin it, and nothing else does; without a link-local address nothing is sent. */
static void routers_begin_it(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_addr own = { .family = TERN_AF_INET6 };
	struct tern_iface_addr a;
	unsigned cursor = 0;

	open_link6(1, &cfg);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP6), 0);
	hear_router(0, false, false);
	pass(100 * TERN_SEC);
	check_eq(w.n_seen, 0);
	while (tern_addr_next(w.client[0], &cursor, &a))
		if (a.ifindex == NIC)
			own = a.addr;
	check_eq(tern_addr_del(w.client[0], NIC, &own), 0);
	hear_router(0, true, false);
	pass(A_WHILE);
	check_eq(w.n_seen, 0);
	check_eq(tern_addr_add(w.client[0], NIC, &own, 64), 0);
	pass(60 * TERN_SEC);
	check(is_bound(0));
	close_link();
}

static void means_that_cannot_be(void)
{
	struct dhcp6_server_config cfg = config6();
	struct tern_iface_addr a;
	unsigned cursor = 0;

	open_link6(1, &cfg);
	check_eq(tern_iface_set(w.client[0], NIC, 1000, 0), 0); /* too small for IPv6 */
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4 | TERN_AUTO_DHCP6), -TERN_EINVAL);
	pass(20 * TERN_SEC);
	check_eq(w.n_seen, 0); /* nothing has begun */
	check(tern_addr_next(w.client[0], &cursor, &a));
	check_eq(tern_iface_set(w.client[0], NIC, 1280, 0), 0);
	check_eq(tern_auto_set(w.client[0], NIC, TERN_AUTO_DHCP4 | TERN_AUTO_DHCP6), 0);
	pass(20 * TERN_SEC);
	check(is_bound(0) && count_seen(false, DHCP4_DISCOVER) > 0);
	check_eq(tern_iface_del(w.client[0], NIC), 0);
	close_link();
}

static const struct test tests[] = {
	TEST(a_lease_is_applied),
	TEST(rapid_commit),
	TEST(several_clients),
	TEST(each_message_is_lost_once),
	TEST(a_lease_is_renewed_for_a_day),
	TEST(a_lease_ends),
	TEST(a_server_forgets),
	TEST(the_link_comes_back),
	TEST(a_lease_is_released),
	TEST(a_conflict_is_declined),
	TEST(information_without_addresses),
	TEST(routers_begin_it),
	TEST(means_that_cannot_be),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
