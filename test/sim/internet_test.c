/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internet_test.c - an internet of tern stacks: 30 routers, 100 hosts, in virtual time.
 *
 * The routers find their ways themselves, by a distance-vector protocol on UDP that is written here
 * as a user would write it (RIP's rules: RFC 2453 3.4, 3.8, split horizon with poison): every link
 * that fails takes routes along, and they come back by another way. Hosts know one router each.
 */
#include "test.h"

#include "../../core/base/base.h"
#include "../../include/tern_sim.h"

enum { ROUTERS = 30, HOSTS = 100, LINKS = 48, PORT = 520, INFINITE = 16, LINKS_OF_ROUTER = 12 };
#define TURN (500 * TERN_MS)
#define SILENT (3 * TERN_SEC) /* a neighbour that long is gone */

/* A way to the network behind a router. */
struct way {
	uint8_t metric;
	unsigned ifindex;
	struct tern_addr gateway;
	tern_time heard_at;
};

struct router {
	int host;
	struct tern_stack *st;
	tern_sock sock;
	unsigned n_links;
	unsigned ifindex[LINKS_OF_ROUTER];
	struct way way[ROUTERS];
};

static struct tern_sim *sim;
static struct router router[ROUTERS];
static int host[HOSTS];
static int links[LINKS];
static unsigned ends[LINKS][2];
static uint32_t noise;

static unsigned draw(unsigned n)
{
	noise = noise * 1664525 + 1013904223;
	return (noise >> 8) % n;
}

static struct tern_addr network_of(unsigned r)
{
	return tern_ip4(10, (uint8_t)r, 0, 0, 0);
}

static struct tern_addr address_of(unsigned h)
{
	return tern_ip4(10, (uint8_t)(h % ROUTERS), 0, (uint8_t)(1 + h / ROUTERS), 0);
}

static unsigned attach(int link, int node, struct tern_addr addr, unsigned len)
{
	static uint32_t serial;
	struct tern_iface i = { .link = TERN_LINK_ETHERNET, .mtu = 1500, .mac = { 2 } };
	int ifindex;

	serial++;
	snprintf(i.name, sizeof(i.name), "e%u", serial);
	for (int k = 0; k < 4; k++)
		i.mac[2 + k] = (uint8_t)(serial >> 8 * (3 - k));
	ifindex = tern_sim_attach(sim, link, node, &i);
	check(ifindex > 0);
	check_eq(tern_addr_add(tern_sim_stack(sim, node), (unsigned)ifindex, &addr, len), 0);
	return (unsigned)ifindex;
}

static void add_router(unsigned k)
{
	struct router *r = &router[k];
	struct tern_addr any = { .family = TERN_AF_INET, .port = PORT };
	struct tern_config cfg;
	int32_t one = 1;

	tern_config_default(&cfg);
	cfg.ip_forward = true;
	cfg.neighbour_queue_max = 100; /* many wait at once when all begin */
	*r = (struct router){ .host = tern_sim_host_add(sim, "router", &cfg) };
	r->st = tern_sim_stack(sim, r->host);
	check_eq(tern_socket(r->st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &r->sock), 0);
	check_eq(tern_bind(r->st, r->sock, &any), 0);
	check_eq(tern_setsockopt(r->st, r->sock, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &one,
				 sizeof(one)),
		 0);
	for (unsigned n = 0; n < ROUTERS; n++)
		r->way[n].metric = n == k ? 0 : INFINITE;
}

static void join_routers(unsigned l, unsigned a, unsigned b)
{
	struct tern_weather wire = { .delay = (1 + draw(9)) * TERN_MS, .rate_bps = 50000000 };

	links[l] = tern_sim_link_add(sim, &wire);
	ends[l][0] = a;
	ends[l][1] = b;
	for (int e = 0; e < 2; e++) {
		struct router *r = &router[ends[l][e]];
		struct tern_addr addr = tern_ip4(172, 16, (uint8_t)l, (uint8_t)(1 + e), 0);

		check(r->n_links < LINKS_OF_ROUTER);
		r->ifindex[r->n_links++] = attach(links[l], r->host, addr, 24);
	}
}

static void add_hosts(void)
{
	struct tern_weather lan = { .delay = 100 * TERN_US };
	int lans[ROUTERS];

	for (unsigned k = 0; k < ROUTERS; k++) {
		struct tern_addr own = network_of(k);

		own.ip[3] = 254;
		lans[k] = tern_sim_link_add(sim, &lan);
		attach(lans[k], router[k].host, own, 16);
	}
	for (unsigned h = 0; h < HOSTS; h++) {
		struct tern_route all = { .dst = { .family = TERN_AF_INET } };

		host[h] = tern_sim_host_add(sim, "host", NULL);
		all.ifindex = attach(lans[h % ROUTERS], host[h], address_of(h), 16);
		all.gateway = network_of(h % ROUTERS);
		all.gateway.ip[3] = 254;
		check_eq(tern_route_add(tern_sim_stack(sim, host[h]), &all), 0);
	}
}

/* A ring, so that one failure cuts nobody off, and ways across it. */
static void build(uint64_t seed)
{
	sim = tern_sim_new(seed);
	noise = (uint32_t)seed;
	for (unsigned k = 0; k < ROUTERS; k++)
		add_router(k);
	for (unsigned l = 0; l < LINKS; l++) {
		unsigned a = l < ROUTERS ? l : draw(ROUTERS);
		unsigned b =
			l < ROUTERS ? (l + 1) % ROUTERS : (a + 2 + draw(ROUTERS - 4)) % ROUTERS;

		join_routers(l, a, b);
	}
	add_hosts();
}

/* ---- the protocol ---- */

static void set_route(struct router *r, unsigned n, const struct way *new)
{
	struct tern_route route = { .dst = network_of(n), .prefix_len = 16 };
	struct way *old = &r->way[n];

	if (old->metric < INFINITE) {
		route.ifindex = old->ifindex;
		route.gateway = old->gateway;
		check_eq(tern_route_del(r->st, &route), 0);
	}
	*old = *new;
	if (new->metric < INFINITE) {
		route.ifindex = new->ifindex;
		route.gateway = new->gateway;
		check_eq(tern_route_add(r->st, &route), 0);
	}
}

/* A neighbour says how far it is to each network. */
static void hear(struct router *r, const uint8_t *metric, const struct tern_msg *m)
{
	struct tern_addr from = m->addr;

	from.port = 0;
	for (unsigned n = 0; n < ROUTERS; n++) {
		struct way *now = &r->way[n];
		struct way told = { (uint8_t)MIN(metric[n] + 1, INFINITE), m->ifindex, from,
				    tern_now(r->st) };
		bool is_ours = now->metric == 0;
		bool same = memcmp(now->gateway.ip, from.ip, 4) == 0 && now->ifindex == m->ifindex;

		if (!is_ours && (told.metric < now->metric || (same && told.metric != now->metric)))
			set_route(r, n, &told);
		else if (same && told.metric < INFINITE)
			now->heard_at = told.heard_at;
	}
}

static void tell(struct router *r)
{
	for (unsigned l = 0; l < r->n_links; l++) {
		uint8_t metric[ROUTERS];
		struct tern_iovec iov = { metric, sizeof(metric) };
		struct tern_msg m;

		for (unsigned n = 0; n < ROUTERS; n++) {
			const struct way *w = &r->way[n];
			bool came_from_there = w->metric && w->ifindex == r->ifindex[l];

			metric[n] = came_from_there ? INFINITE : w->metric;
		}
		tern_msg_init(&m, &iov, 1);
		m.addr = tern_ip4(255, 255, 255, 255, PORT);
		m.ifindex = r->ifindex[l];
		check_eq(tern_sendmsg(r->st, r->sock, &m, 0), ROUTERS);
	}
}

static void turn_of_router(struct router *r)
{
	static const struct way none = { .metric = INFINITE };
	uint8_t metric[ROUTERS];
	struct tern_iovec iov = { metric, sizeof(metric) };
	struct tern_msg m;

	for (;;) {
		tern_msg_init(&m, &iov, 1);
		if (tern_recvmsg(r->st, r->sock, &m, 0) != ROUTERS)
			break;
		hear(r, metric, &m);
	}
	for (unsigned n = 0; n < ROUTERS; n++)
		if (r->way[n].metric && r->way[n].metric < INFINITE &&
		    tern_now(r->st) > r->way[n].heard_at + SILENT)
			set_route(r, n, &none);
	tell(r);
}

static void pass(tern_time t)
{
	for (tern_time end = tern_sim_now(sim) + t; tern_sim_now(sim) < end;) {
		tern_sim_run(sim, tern_sim_now(sim) + TURN);
		for (unsigned k = 0; k < ROUTERS; k++)
			turn_of_router(&router[k]);
	}
}

static void set_link(unsigned l, bool down)
{
	struct tern_weather wire = { .delay = 5 * TERN_MS, .rate_bps = 50000000, .down = down };

	check_eq(tern_sim_weather(sim, links[l], -1, &wire), 0);
}

/* ---- who reaches whom ---- */

/* Datagrams between so many random pairs of hosts; how many arrived. */
static unsigned count_arrivals(unsigned n_pairs)
{
	tern_sock to[HOSTS];
	unsigned n = 0;
	char buf[8];

	for (unsigned h = 0; h < HOSTS; h++) {
		struct tern_addr any = { .family = TERN_AF_INET, .port = 9 };
		struct tern_stack *st = tern_sim_stack(sim, host[h]);

		check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &to[h]), 0);
		check_eq(tern_bind(st, to[h], &any), 0);
	}
	for (unsigned i = 0; i < n_pairs; i++) {
		unsigned a = i % HOSTS, b = (a + 1 + draw(HOSTS - 1)) % HOSTS;
		struct tern_addr dst = address_of(b);

		dst.port = 9;
		check_eq(tern_sendto(tern_sim_stack(sim, host[a]), to[a], "x", 1, 0, &dst), 1);
	}
	pass(2 * TERN_SEC);
	for (unsigned h = 0; h < HOSTS; h++) {
		struct tern_stack *st = tern_sim_stack(sim, host[h]);

		while (tern_recv(st, to[h], buf, sizeof(buf), 0) == 1)
			n++;
		check_eq(tern_close(st, to[h]), 0);
	}
	return n;
}

/*
 * All reach all. Links fail, also one that a stream uses: routes die and come back by other ways,
 * and the stream goes on to its last byte. The links return, and so do the short ways.
 */
static void it_heals(void)
{
	static char text[200000], got[200000];
	struct tern_addr to = address_of(17);
	tern_sock listener, a, b = 0;
	struct tern_stack *client, *server;
	uint64_t sent = 0, read = 0;

	build(11);
	client = tern_sim_stack(sim, host[0]);
	server = tern_sim_stack(sim, host[17]);
	pass(15 * TERN_SEC);
	check_eq(count_arrivals(200), 200);
	to.port = 80;
	check_eq(tern_socket(server, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(server, listener, &to), 0);
	check_eq(tern_listen(server, listener, 1), 0);
	check_eq(tern_socket(client, TERN_AF_INET, TERN_SOCK_STREAM, 0, &a), 0);
	check_eq(tern_connect(client, a, &to), -TERN_EINPROGRESS);
	pass(TERN_SEC);
	check_eq(tern_accept(server, listener, &b, NULL), 0);
	for (int i = 0; i < 400 && read < 20000000; i++) {
		int64_t n;

		if (i % 10 == 3) { /* every five seconds another link, one at a time on the ring */
			unsigned ring = (unsigned)i / 10 * 7 % ROUTERS;

			for (unsigned l = 0; l < LINKS; l++)
				set_link(l, l == ring || (l >= ROUTERS && draw(3) == 0));
		}
		while (sent < 20000000 &&
		       (n = tern_send(client, a, text, MIN(sizeof(text), 20000000 - sent), 0)) > 0)
			sent += (uint64_t)n;
		pass(TURN);
		while ((n = tern_recv(server, b, got, sizeof(got), 0)) > 0)
			read += (uint64_t)n;
	}
	check_eq(read, 20000000);
	for (unsigned l = 0; l < LINKS; l++)
		set_link(l, l == 5);
	pass(20 * TERN_SEC);
	check_eq(count_arrivals(200), 200);
	for (unsigned l = 0; l < LINKS; l++)
		set_link(l, false);
	pass(15 * TERN_SEC);
	check_eq(count_arrivals(200), 200);
	tern_sim_check(sim);
	tern_sim_free(sim);
}

/* Cut off is cut off: the routers say so, and it is over when the links are back. */
static void cut_off(void)
{
	unsigned n;

	build(12);
	pass(15 * TERN_SEC);
	for (unsigned l = 0; l < LINKS; l++)
		set_link(l, ends[l][0] == 3 || ends[l][1] == 3);
	pass(20 * TERN_SEC);
	n = count_arrivals(300);
	check(n < 300 && n > 200);
	for (unsigned l = 0; l < LINKS; l++)
		set_link(l, false);
	pass(15 * TERN_SEC);
	check_eq(count_arrivals(300), 300);
	tern_sim_check(sim);
	tern_sim_free(sim);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = { TEST(it_heals), TEST(cut_off) };

	return test_main(argc, argv, tests, N_TESTS(tests));
}
