/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_oom_test.c - every allocation of a stack that configures itself fails once: nothing crashes or
 * leaks, and in the end it is configured all the same.
 */
#include "test.h"

#include "../../serve/serve.h"

enum { NIC = 2, TURNS_MAX = 40000 };

struct host {
	struct test_env env;
	struct tern_stack *st;
};

struct talk {
	struct host client, server;
	struct dhcp4_server *server4;
	struct dhcp6_server *server6;
	bool six;
	bool begun; /* tern_auto_set did not refuse */
	bool bound;
};

static uint32_t addresses_max; /* 0: as usual */

static bool add_stack(struct host *h, uint8_t last)
{
	struct tern_env env = test_env_make(&h->env, last);
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, last } };
	struct tern_config cfg;

	tern_config_default(&cfg);
	if (addresses_max)
		cfg.addresses_max = addresses_max;
	h->st = tern_new(&cfg, &env);
	return h->st && tern_iface_add(h->st, &nic) == NIC;
}

static bool start_server(struct talk *t)
{
	struct dhcp4_server_config c4 = { .ifindex = NIC,
					  .self = tern_ip4(10, 0, 0, 1, 0),
					  .prefix_len = 24,
					  .first = tern_ip4(10, 0, 0, 9, 0),
					  .last = tern_ip4(10, 0, 0, 19, 0),
					  .says = { .lease = 600,
						    .routers = { 1, { 0x0a000001 } },
						    .dns = { 1, { 0x0a000001 } } } };
	struct dhcp6_server_config c6 = { .ifindex = NIC,
					  .first = { .family = TERN_AF_INET6,
						     .ip = { 0xfd, [8] = 1 } },
					  .n_addrs = 5,
					  .preferred = 300,
					  .valid = 600,
					  .says = { .n_dns = 1, .dns = { { { 0xfd, 1 } } } } };
	struct tern_addr self6 = { .family = TERN_AF_INET6, .ip = { 0xfe, 0x80, [15] = 1 } };

	if (!add_stack(&t->server, 100))
		return false;
	tern_addr_add(t->server.st, NIC, &c4.self, 24);
	tern_addr_add(t->server.st, NIC, &self6, 64);
	t->server4 = dhcp4_server_new(t->server.st, &c4);
	t->server6 = dhcp6_server_new(t->server.st, &c6);
	return t->server4 && t->server6;
}

static bool carry(struct tern_stack *from, struct tern_stack *to)
{
	struct tern_pkt *p = tern_output(from, NIC), *copy;

	if (!p)
		return false;
	copy = tern_pkt_new(to, p->total_len);
	if (copy) {
		tern_pkt_emit(from, p, copy->data);
		copy->ifindex = NIC;
		tern_input(to, copy);
	}
	tern_pkt_free(from, p);
	return true;
}

static bool is_configured(struct talk *t)
{
	uint32_t origin = t->six ? TERN_ORIGIN_DHCP6 : TERN_ORIGIN_DHCP4;
	struct tern_iface_addr a;
	unsigned cursor = 0;

	while (tern_addr_next(t->client.st, &cursor, &a))
		if (a.origin == origin && a.flags == 0)
			return true;
	return false;
}

static void run(struct talk *t, tern_time until)
{
	tern_time now = 0;

	for (int i = 0; i < TURNS_MAX && now < until; i++) {
		bool moved = carry(t->client.st, t->server.st);
		struct tern_event ev;
		tern_time a, b;

		moved = carry(t->server.st, t->client.st) || moved;
		while (tern_event(t->server.st, &ev))
			if (!dhcp4_server_on_event(t->server4, &ev))
				dhcp6_server_on_event(t->server6, &ev);
		if (moved)
			continue;
		a = tern_deadline(t->client.st);
		b = tern_deadline(t->server.st);
		a = a < b ? a : b;
		now = a > now ? a : now + TERN_MS;
		tern_advance(t->client.st, now);
		tern_advance(t->server.st, now);
		tern_check(t->client.st);
	}
	t->bound = is_configured(t);
}

static void talk(struct talk *t)
{
	check(start_server(t));
	if (add_stack(&t->client, 1)) {
		t->begun = tern_auto_set(t->client.st, NIC,
					 t->six ? TERN_AUTO_DHCP6 :
						  TERN_AUTO_DHCP4 | TERN_AUTO_LINK_LOCAL4) == 0;
		if (t->begun)
			run(t, 200 * TERN_SEC); /* before T1: what failed was tried again */
	}
	dhcp4_server_free(t->server4);
	dhcp6_server_free(t->server6);
	tern_free(t->client.st);
	tern_free(t->server.st);
	check_eq(t->client.env.out, 0);
	check_eq(t->server.env.out, 0);
}

static void each_allocation_fails_once(bool six)
{
	struct talk first = { .six = six };
	uint64_t n_refused = 0;

	talk(&first);
	check(first.begun && first.bound && first.client.env.n_allocs > 5);
	for (uint64_t i = 1; i <= first.client.env.n_allocs; i++) {
		struct talk t = { .six = six, .client.env = { .fill = 0x5a, .fail_at = i } };

		test_at("allocation %llu", (unsigned long long)i);
		talk(&t);
		check(!t.begun || t.bound);
		n_refused += !t.begun;
	}
	check(n_refused < first.client.env.n_allocs);
}

static void of_ip4(void)
{
	each_allocation_fails_once(false);
}

static void of_ip6(void)
{
	each_allocation_fails_once(true);
}

/* Memory so short that nearly everything is refused, for ever: nothing breaks. */
static void a_budget_that_is_too_small(void)
{
	for (uint64_t max = 60000; max < 130000; max += 1000) {
		struct test_env counted = { .fill = 1 };
		struct tern_env env = test_env_make(&counted, 1);
		struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2 } };
		struct tern_config cfg;
		struct tern_stack *st;

		tern_config_default(&cfg);
		cfg.memory_max = max;
		st = tern_new(&cfg, &env);
		if (st && tern_iface_add(st, &nic) == NIC) {
			tern_auto_set(st, NIC, TERN_AUTO_DHCP4 | TERN_AUTO_LINK_LOCAL4);
			for (int i = 0; i < 500 && tern_deadline(st) != TERN_NEVER; i++) {
				tern_advance(st, tern_deadline(st));
				tern_check(st);
			}
			check(tern_memory(st) <= max);
		}
		tern_free(st);
		check_eq(counted.out, 0);
	}
}

/* ---- tern_auto_set in the middle of it ---- */

static void begin_with(struct talk *t, unsigned means)
{
	*t = (struct talk){ .six = true };
	check(start_server(t));
	check(add_stack(&t->client, 1));
	check_eq(tern_auto_set(t->client.st, NIC, means), 0);
}

static void end_talk(struct talk *t)
{
	dhcp4_server_free(t->server4);
	dhcp6_server_free(t->server6);
	tern_free(t->client.st);
	tern_free(t->server.st);
}

static unsigned n_servers(const struct tern_stack *st)
{
	struct tern_server s;
	unsigned cursor = 0, n = 0;

	while (tern_server_next(st, &cursor, &s))
		n++;
	return n;
}

/* What cannot begin leaves all as it was: the informed client stays. */
static void a_refusal_changes_nothing(void)
{
	struct tern_addr own = tern_ip4(10, 0, 0, 50, 0);
	struct talk t;

	t = (struct talk){ .six = true };
	check(start_server(&t));
	addresses_max = 3; /* lo's two, and one */
	check(add_stack(&t.client, 1));
	addresses_max = 0;
	check_eq(tern_auto_set(t.client.st, NIC, TERN_AUTO_INFORM4), 0);
	check_eq(tern_addr_add(t.client.st, NIC, &own, 24), 0);
	run(&t, 30 * TERN_SEC);
	check_eq(n_servers(t.client.st), 1);
	/* there is no room for the address that DHCPv6 speaks from */
	check_eq(tern_auto_set(t.client.st, NIC, TERN_AUTO_DHCP4 | TERN_AUTO_DHCP6), -TERN_ENOMEM);
	check_eq(n_servers(t.client.st), 1);
	end_talk(&t);
}

/* Nobody listens to routers any more: DHCPv6 begins by itself. */
static void without_routers_dhcp6_begins(void)
{
	struct talk t;

	begin_with(&t, TERN_AUTO_RA | TERN_AUTO_DHCP6);
	run(&t, 5 * TERN_SEC);
	check(!t.bound);
	check_eq(tern_auto_set(t.client.st, NIC, TERN_AUTO_DHCP6), 0);
	run(&t, 60 * TERN_SEC);
	check(t.bound);
	end_talk(&t);
}

/* The address that DHCPv6 speaks from comes back when it is asked for again. */
static void the_link_local_address_comes_back(void)
{
	struct tern_addr own;
	struct tern_iface_addr a;
	unsigned cursor = 0, n = 0;
	struct talk t;

	begin_with(&t, TERN_AUTO_DHCP6);
	check_eq(tern_addr_parse("fe80::ff:fe00:1", 0, &own), 0);
	check_eq(tern_addr_del(t.client.st, NIC, &own), 0);
	check_eq(tern_auto_set(t.client.st, NIC, TERN_AUTO_DHCP6), 0);
	while (tern_addr_next(t.client.st, &cursor, &a))
		n += a.ifindex == NIC;
	check_eq(n, 1);
	end_talk(&t);
}

static const struct test tests[] = {
	TEST(a_refusal_changes_nothing),
	TEST(without_routers_dhcp6_begins),
	TEST(the_link_local_address_comes_back),
	TEST(of_ip4),
	TEST(of_ip6),
	TEST(a_budget_that_is_too_small),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
