/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order_test.c - the order of addresses: the examples of RFC 6724 10.2, and each rule by itself.
 */
#include "resolve_fixture.h"

#include "../../host/resolve/resolve_impl.h"

enum { ROUTES_MAX = 4 };

static struct tern_stack *any_stack; /* with the policy table of RFC 6724 2.1 */

static struct order_route route_of(const char *dst, const char *src)
{
	struct order_route r = { .src_prefix_len = 64 };

	check_eq(tern_addr_parse(dst, 0, &r.dst), 0);
	if (*src == '-') { /* deprecated */
		r.src_deprecated = true;
		src++;
	}
	if (*src)
		check_eq(tern_addr_parse(src, 0, &r.src), 0);
	if (r.dst.family == TERN_AF_INET)
		r.src_prefix_len = 24;
	return r;
}

/* Destinations with their sources, best first: from each order they come into this one. */
struct example {
	const char *dst[ROUTES_MAX], *src[ROUTES_MAX];
};

static void comes_out(const struct example *e)
{
	struct order_route r[ROUTES_MAX];
	char text[TERN_ADDR_TEXT_MAX];
	unsigned n = 0;

	while (n < ROUTES_MAX && e->dst[n])
		n++;
	for (unsigned turn = 0; turn < 2 * n; turn++) {
		for (unsigned i = 0; i < n; i++) {
			unsigned from = turn < n ? (i + turn) % n : (2 * n - 1 - i - turn % n) % n;

			r[i] = route_of(e->dst[from], e->src[from]);
		}
		order_routes(any_stack, r, n);
		for (unsigned i = 0; i < n; i++)
			check_str(tern_addr_format(&r[i].dst, false, text), e->dst[i]);
	}
}

static void examples_of_rfc_6724(void)
{
	static const struct example examples[] = {
		/* matching scopes */
		{ { "2001:db8:1::1", "198.51.100.121" }, { "2001:db8:1::2", "169.254.13.78" } },
		{ { "198.51.100.121", "2001:db8:1::1" }, { "198.51.100.117", "fe80::1" } },
		/* higher precedence */
		{ { "2001:db8:1::1", "10.1.2.3" }, { "2001:db8:1::2", "10.1.2.4" } },
		/* smaller scope */
		{ { "fe80::1", "2001:db8:1::1" }, { "fe80::2", "2001:db8:1::2" } },
		/* matching labels */
		{ { "2002:c633:6401::1", "2001:db8:1::1" },
		  { "2002:c633:6401::2", "2002:c633:6401::2" } },
		/* higher precedence */
		{ { "2001:db8:1::1", "2002:c633:6401::1" },
		  { "2001:db8:1::2", "2002:c633:6401::2" } },
		/* the longest common prefix */
		{ { "2001:db8:1::1", "2001:db8:3ffe::1" },
		  { "2001:db8:1::2", "2001:db8:3f44::2" } },
	};

	for (size_t i = 0; i < N_TESTS(examples); i++) {
		test_at("example %zu", i + 1);
		comes_out(&examples[i]);
	}
}

static void each_rule_decides(void)
{
	static const struct example examples[] = {
		/* 1: what cannot be reached is last, whatever else it has */
		{ { "198.51.100.1", "2001:db8::1" }, { "198.51.100.2", "" } },
		{ { "2001::1", "2001:db8::1" }, { "2001:db8::2", "" } },
		/* 2 before 3 */
		{ { "2001:db8::1", "fe80::1" }, { "-2001:db8::2", "2001:db8::2" } },
		/* 3 before 5 and 6 */
		{ { "198.51.100.1", "2001:db8::1" }, { "198.51.100.2", "-2001:db8::2" } },
		/* 5 before 6: Teredo reached from elsewhere */
		{ { "198.51.100.1", "2001::1" }, { "198.51.100.2", "2001:db8::2" } },
		/* 6: unique local addresses are below IPv4, and the loopback is above all */
		{ { "::1", "198.51.100.1", "fd00::1" }, { "::1", "198.51.100.2", "fd00::2" } },
		/* 8: IPv4's own scopes */
		{ { "169.254.1.1", "198.51.100.1" }, { "169.254.1.2", "198.51.100.2" } },
		/* 9: not beyond the prefix of the source, where it is the host's number */
		{ { "2001:db8:0:1::ff", "2001:db8:0:3::1" },
		  { "2001:db8:0:1::2", "2001:db8:0:1::2" } },
	};

	for (size_t i = 0; i < N_TESTS(examples); i++) {
		test_at("case %zu", i + 1);
		comes_out(&examples[i]);
	}
}

/* Rule 10. */
static void equals_stay(void)
{
	static const char *const same[] = { "2001:db8::3", "2001:db8::1", "2001:db8::2" };
	struct order_route r[3];
	char text[TERN_ADDR_TEXT_MAX];

	for (int i = 0; i < 3; i++)
		r[i] = route_of(same[i], "2001:db8::1");
	order_routes(any_stack, r, 3);
	for (int i = 0; i < 3; i++)
		check_str(tern_addr_format(&r[i].dst, false, text), same[i]);
}

static const struct zone zone[] = {
	{ "many.test", DNS_A, "192.0.2.1", 300 },
	{ "many.test", DNS_A, "10.0.0.9", 300 },
	{ "many.test", DNS_AAAA, "2001:db8::9", 200 },
	{ "many.test", DNS_AAAA, "fd00::9", 200 },
	{ 0 },
};

/* What the stack has a way to comes first: here it has none to 192.0.2.1 and 2001:db8::9. */
static void the_stack_knows_the_sources(void)
{
	struct world *w = new_world(zone);

	open_world(w, "nameserver 10.0.0.2\n");
	check_str(addrs_of(world_asks(w, "many.test", TERN_AF_UNSPEC)),
		  "10.0.0.9 fd00::9 2001:db8::9 192.0.2.1");
	end_world(w);
}

/* 2.1: the table is the administrator's. */
static void the_table_can_be_set(void)
{
	const struct tern_policy table[] = {
		{ { .family = TERN_AF_INET6, .ip = { 0xfc } }, 7, 50, 1 },
		{ { .family = TERN_AF_INET6 }, 0, 40, 1 },
	};
	struct world *w = new_world(zone);

	open_world(w, "nameserver 10.0.0.2\n");
	check_eq(tern_policy_set(w->st, table, 2), 0);
	check_str(addrs_of(world_asks(w, "many.test", TERN_AF_UNSPEC)),
		  "fd00::9 10.0.0.9 2001:db8::9 192.0.2.1");
	end_world(w);
}

static const struct test tests[] = {
	TEST(examples_of_rfc_6724),	   TEST(each_rule_decides),    TEST(equals_stay),
	TEST(the_stack_knows_the_sources), TEST(the_table_can_be_set),
};

int main(int argc, char **argv)
{
	struct tern_sim *sim = tern_sim_new(1);
	int failed;

	any_stack = tern_sim_stack(sim, tern_sim_host_add(sim, "any", NULL));
	failed = test_main(argc, argv, tests, N_TESTS(tests));
	tern_sim_free(sim);
	return failed;
}
