/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advertise_test.c - serve/router.c: a host of tern's is configured by a router of tern's; when it
 * speaks and when it does not (RFC 4861 6.2).
 */
#include "test.h"

#include "../../core/base/addr.h"
#include "../../include/tern_sim.h"
#include "../../serve/serve.h"

enum { ROUTER, HOST, NIC = 2, SEEN_MAX = 400 };

static struct tern_sim *sim;
static struct tern_stack *st[2];
static struct router *router;
static int wire;
static unsigned n_seen;
static tern_time seen_at[SEEN_MAX];
static uint16_t lifetime_seen;

static void see(void *ctx, const struct tern_sim_note *n)
{
	(void)ctx;
	if (n->what != TERN_SIM_FRAME_SENT || n->host != ROUTER || n->len < 70 ||
	    n->frame[20] != 58 || n->frame[54] != 134 || n_seen == SEEN_MAX)
		return;
	check_eq(n->frame[21], 255); /* hop limit */
	check_eq(n->frame[22], 0xfe);
	lifetime_seen = (uint16_t)(n->frame[60] << 8 | n->frame[61]);
	seen_at[n_seen++] = n->at;
}

static void drive(void *ctx)
{
	(void)ctx;
	if (!router)
		return;
	router_advance(router);
	tern_sim_at(sim, router_deadline(router), drive, NULL);
}

static void on_event(void *ctx, int host, const struct tern_event *e)
{
	(void)host;
	if (router && router_on_event(router, e))
		drive(ctx);
}

static void add_host_of(int host, uint8_t last)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, last } };

	check_eq(tern_sim_host_add(sim, "host", NULL), host);
	check_eq(tern_sim_attach(sim, wire, host, &nic), NIC);
	st[host] = tern_sim_stack(sim, host);
}

static void open_wire(void)
{
	static const struct tern_weather weather = { .delay = TERN_MS };
	struct tern_addr self;

	sim = tern_sim_new(1);
	wire = tern_sim_link_add(sim, &weather);
	add_host_of(ROUTER, 1);
	add_host_of(HOST, 2);
	tern_addr_parse("fe80::1", 0, &self);
	check_eq(tern_addr_add(st[ROUTER], NIC, &self, 64), 0);
	tern_sim_observe(sim, see, NULL);
	tern_sim_on_event(sim, ROUTER, on_event, NULL);
	n_seen = 0;
}

static struct router_config config(void)
{
	struct router_config c = { .ifindex = NIC, .seed = 7, .mtu = 1400 };

	c.says = (struct ra){ .hop_limit = 64, .lifetime = 1800, .preference = 1 };
	c.n_prefixes = c.n_routes = c.n_servers = 1;
	c.n_domains = 2;
	c.prefixes[0] = (struct nd_prefix){ .len = 64,
					    .on_link = true,
					    .autonomous = true,
					    .valid = 7200,
					    .preferred = 3600,
					    .prefix = { { 0x20, 1, 0xd, 0xb8, 0, 1 } } };
	c.routes[0] = (struct nd_route){ .len = 48,
					 .lifetime = 900,
					 .prefix = { { 0x20, 1, 0xd, 0xb8, 0, 2 } } };
	tern_addr_parse("2001:db8:1::53", 0, &c.servers[0]);
	c.domains[0] = "home.test";
	c.domains[1] = "example.org";
	return c;
}

static void begin_router(const struct router_config *c)
{
	router = router_new(st[ROUTER], c);
	check(router != NULL);
	if (router)
		tern_sim_at(sim, router_deadline(router), drive, NULL);
}

static void close_wire(void)
{
	tern_sim_check(sim);
	router_free(router);
	router = NULL;
	tern_sim_free(sim);
}

static void pass(tern_time t)
{
	tern_sim_run(sim, tern_sim_now(sim) + t);
}

static unsigned n_routes(unsigned prefix_len)
{
	struct tern_route r;
	unsigned cursor = 0, n = 0;

	while (tern_route_next(st[HOST], &cursor, &r))
		n += r.origin == TERN_ORIGIN_RA && r.prefix_len == prefix_len &&
		     r.gateway.family == TERN_AF_INET6;
	return n;
}

static unsigned n_servers(uint32_t kind)
{
	struct tern_server s;
	unsigned cursor = 0, n = 0;

	while (tern_server_next(st[HOST], &cursor, &s))
		n += s.kind == kind;
	return n;
}

/* All that is said is taken; and given back when the router ends. */
static void configures_a_host(void)
{
	struct router_config c = config();
	struct tern_iface_addr a;
	unsigned cursor = 0, n_addrs = 0;

	open_wire();
	begin_router(&c);
	check_eq(tern_auto_set(st[HOST], NIC, TERN_AUTO_RA), 0);
	pass(10 * TERN_SEC);
	while (tern_addr_next(st[HOST], &cursor, &a))
		n_addrs += a.origin == TERN_ORIGIN_RA && a.addr.ip[5] == 1 &&
			   !(a.flags & TERN_ADDR_TENTATIVE);
	check_eq(n_addrs, 1);
	check_eq(n_routes(0), 1);
	check_eq(n_routes(48), 1);
	check_eq(n_servers(TERN_SERVER_DNS), 1);
	check_eq(n_servers(TERN_SERVER_SEARCH), 2);
	router_free(router);
	router = NULL;
	pass(TERN_SEC);
	check_eq(lifetime_seen, 0);
	check_eq(n_routes(0), 0);
	check_eq(n_routes(48), 1); /* it has a lifetime of its own */
	close_wire();
}

/* 6.2.4: the first three soon after each other, then a third of the longest interval, or more. */
static void now_and_then(void)
{
	struct router_config c = config();
	unsigned n_short = 0;

	open_wire();
	begin_router(&c);
	pass(4 * 3600 * TERN_SEC);
	check(n_seen > 4 * 3600 / 600 && n_seen < 4 * 3600 / 200 + 4);
	for (unsigned i = 1; i < n_seen; i++) {
		tern_time interval = seen_at[i] - seen_at[i - 1];

		if (i < 3)
			check(interval <= 16 * TERN_SEC);
		else
			check(interval >= 200 * TERN_SEC && interval <= 600 * TERN_SEC);
		n_short += i >= 3 && interval < 400 * TERN_SEC;
	}
	check(n_short > n_seen / 4 && n_short < n_seen * 3 / 4); /* by chance */
	close_wire();
}

/* A question from the host's raw socket: hop limit, code, options as a test wants them. */
static void ask(int hop_limit, const void *bytes, size_t len)
{
	struct tern_iovec iov = { (void *)(uintptr_t)bytes, len };
	struct tern_msg m;
	tern_sock s;

	check_eq(tern_socket(st[HOST], TERN_AF_INET6, TERN_SOCK_RAW, TERN_IPPROTO_ICMPV6, &s), 0);
	tern_msg_init(&m, &iov, 1);
	tern_addr_parse("ff02::2", 0, &m.addr);
	m.ifindex = NIC;
	m.ttl = hop_limit;
	check_eq(tern_sendmsg(st[HOST], s, &m, 0), (int64_t)len);
	check_eq(tern_close(st[HOST], s), 0);
}

/* 6.2.6: within half a second, but never twice in three; 6.1.1: not to who asks wrongly. */
static void answers(void)
{
	static const uint8_t good[8] = { 133 }, code[8] = { 133, 1 };
	static const uint8_t no_length[16] = { 133, [8] = 1, 0 };
	static const uint8_t with_mac[16] = { 133, [8] = 1, 1, 2, 0, 0, 0, 0, 2 };
	struct router_config c = config();
	struct tern_addr own;
	unsigned before;

	open_wire();
	tern_addr_parse("fe80::2", 0, &own);
	check_eq(tern_addr_add(st[HOST], NIC, &own, 64), 0);
	begin_router(&c);
	pass(60 * TERN_SEC);
	before = n_seen;
	ask(64, good, 8);
	ask(255, good, 7);
	ask(255, code, 8);
	ask(255, no_length, 16);
	pass(TERN_SEC);
	check_eq(n_seen, before);
	ask(255, with_mac, 16);
	pass(505 * TERN_MS);
	check_eq(n_seen, before + 1);
	for (unsigned i = 0; i < 1000; i++) { /* ten seconds of it */
		ask(255, good, 8);
		pass(10 * TERN_MS);
	}
	check(n_seen - before >= 3 && n_seen - before <= 5);
	for (unsigned i = before + 1; i < n_seen; i++)
		check(seen_at[i] - seen_at[i - 1] >= 3 * TERN_SEC);
	close_wire();
}

/* What cannot be begun, or said, is refused at once. */
static void refuses(void)
{
	static const char long_label[] =
		"a123456789a123456789a123456789a123456789a123456789a1234567"
		"89a123456789.test";
	struct router_config c = config();
	struct tern_addr self;

	open_wire();
	c.ifindex = 1; /* lo */
	check(router_new(st[ROUTER], &c) == NULL);
	c.ifindex = 9;
	check(router_new(st[ROUTER], &c) == NULL);
	c = config();
	c.n_prefixes = ROUTER_LIST_MAX + 1;
	check(router_new(st[ROUTER], &c) == NULL);
	c = config();
	c.max_interval_s = 3;
	check(router_new(st[ROUTER], &c) == NULL);
	c.max_interval_s = 1801;
	check(router_new(st[ROUTER], &c) == NULL);
	c = config();
	c.domains[1] = long_label;
	check(router_new(st[ROUTER], &c) == NULL);
	c.domains[1] = "a..b";
	check(router_new(st[ROUTER], &c) == NULL);
	c = config();
	tern_addr_parse("fe80::1", 0, &self);
	check_eq(tern_addr_del(st[ROUTER], NIC, &self), 0);
	check(router_new(st[ROUTER], &c) == NULL);
	close_wire();
}

static const struct test tests[] = {
	TEST(configures_a_host),
	TEST(now_and_then),
	TEST(answers),
	TEST(refuses),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
