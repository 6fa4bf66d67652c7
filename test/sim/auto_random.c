/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auto_random.c - links from seeds, on which hosts configure themselves.
 *
 *	auto_random N SEED    runs seeds SEED .. SEED+N-1; the last line is "N passed, M failed"
 *
 * A link has one or two routers, which also serve DHCP for both families, and some hosts. For a while
 * weather changes, ways are cut, routers fall silent, hosts begin anew and lose their link. In all
 * that no address outlives its time, and no two hosts are leased the same. Somebody may sit on the
 * first IPv4 address of a pool, unknown to its server. Then it is calm for longer than any lease: each host
 * has what it was configured for and nobody else has, and reaches each other one over both families.
 * A failure names the command that repeats it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/addr.h"
#include "../../include/tern_sim.h"
#include "../../serve/serve.h"
#include "seeds.h"

enum { ROUTERS_MAX = 2, HOSTS_MAX = 6, NIC = 2, PORT = 9, POOL = 40, LEASE_MAX = 900 };
/* Longer than any lease, and than a DHCPv6 client is silent at most (RFC 8415 7.6: SOL_MAX_RT). */
enum { CALM = 4500 };

struct served {
	struct tern_stack *st;
	struct dhcp4_server *four;
	struct dhcp6_server *six;
	struct router *router;
	struct dhcp4_server_config config4;
	struct dhcp6_server_config config6;
	struct router_config ads;
};

struct host {
	struct tern_stack *st;
	unsigned means; /* enum tern_auto */
	tern_sock sock[2];
	unsigned heard[2]; /* bits: of whom, by IPv4 and IPv6 */
};

/* Hosts of the simulation: first the routers; last who sits on an address, if there is one. */
struct run {
	struct tern_sim *sim;
	int link, n_routers, n_hosts;
	bool forgetful; /* servers begin anew: what they had leased they lease again */
	struct served router[ROUTERS_MAX];
	struct host host[HOSTS_MAX];
	struct tern_stack *sitter; /* NULL: none */
	tern_sock sitter_sock;
	tern_time calm_at;
	char why[200];
};

static void fail(struct run *r, const char *why, int host)
{
	if (!r->why[0])
		snprintf(r->why, sizeof(r->why), "%s (host %d, at %.3f s)", why, host,
			 (double)tern_sim_now(r->sim) / 1e9);
}

static uint64_t draw(struct run *r, uint64_t n)
{
	return tern_sim_random(r->sim, n);
}

static bool chance(struct run *r, unsigned percent)
{
	return draw(r, 100) < percent;
}

static struct tern_addr six(unsigned high, unsigned router, unsigned low)
{
	return (struct tern_addr){ .family = TERN_AF_INET6,
				   .ip = { (uint8_t)(high >> 8),
					   (uint8_t)high, [7] = (uint8_t)router,
					   [14] = (uint8_t)(low >> 8), [15] = (uint8_t)low } };
}

/* ---- the routers ---- */

static void begin_dhcp(struct run *r, struct served *s)
{
	s->four = dhcp4_server_new(s->st, &s->config4);
	s->six = dhcp6_server_new(s->st, &s->config6);
	if (!s->four || !s->six)
		fail(r, "no server", -1);
}

static void end_dhcp(struct served *s)
{
	dhcp4_server_free(s->four);
	dhcp6_server_free(s->six);
	s->four = NULL;
	s->six = NULL;
}

static void configure_router(struct run *r, struct served *s, unsigned k)
{
	struct tern_addr self4 = tern_ip4(10, 0, 0, (uint8_t)(k + 1), 0), first4 = self4,
			 last4 = self4, prefix = six(0xfd01, k, 0), self6 = six(0xfe80, 0, k + 1);
	uint32_t valid = 60 + (uint32_t)draw(r, LEASE_MAX - 60);

	first4.ip[3] = (uint8_t)(50 + k * POOL);
	last4.ip[3] = (uint8_t)(first4.ip[3] + POOL - 1);
	s->config4 = (struct dhcp4_server_config){
		.ifindex = NIC, .self = self4, .prefix_len = 24, .first = first4, .last = last4
	};
	s->config4.says.lease = valid;
	s->config4.says.routers.n = 1;
	s->config4.says.routers.ip[0] = 0x0a000001 + k;
	s->config6 = (struct dhcp6_server_config){ .ifindex = NIC,
						   .first = six(0xfd02, k, 0x100),
						   .n_addrs = POOL,
						   .preferred = valid / 2,
						   .valid = valid,
						   .rapid_commit = chance(r, 50) };
	s->ads = (struct router_config){ .ifindex = NIC,
					 .max_interval_s = 4 + (uint32_t)draw(r, 60),
					 .seed = draw(r, 1 << 30),
					 .n_prefixes = 1 };
	s->ads.says = (struct ra){ .hop_limit = 64,
				   .lifetime = (uint16_t)(s->ads.max_interval_s * 3 + draw(r, 600)),
				   .managed = chance(r, 70),
				   .other = chance(r, 50) };
	s->ads.prefixes[0] = (struct nd_prefix){ .len = 64,
						 .on_link = true,
						 .autonomous = true,
						 .valid = valid,
						 .preferred = valid / 2 };
	memcpy(s->ads.prefixes[0].prefix.b, prefix.ip, 16);
	if (tern_addr_add(s->st, NIC, &self4, 24) || tern_addr_add(s->st, NIC, &self6, 64))
		fail(r, "no address for a router", (int)k);
	s->router = router_new(s->st, &s->ads);
	if (!s->router)
		fail(r, "no router", (int)k);
	begin_dhcp(r, s);
}

static void on_router_event(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;
	struct served *s = &r->router[host];

	if (s->four && dhcp4_server_on_event(s->four, ev))
		return;
	if (s->six && dhcp6_server_on_event(s->six, ev))
		return;
	if (s->router)
		router_on_event(s->router, ev);
}

static tern_time routers_deadline(const struct run *r)
{
	tern_time at = TERN_NEVER;

	for (int k = 0; k < r->n_routers; k++) {
		const struct served *s = &r->router[k];

		at = MIN(at, router_deadline(s->router));
		if (s->four)
			at = MIN(at, dhcp4_server_deadline(s->four));
		if (s->six)
			at = MIN(at, dhcp6_server_deadline(s->six));
	}
	return at;
}

static void advance_routers(struct run *r)
{
	for (int k = 0; k < r->n_routers; k++) {
		struct served *s = &r->router[k];

		router_advance(s->router);
		if (s->four)
			dhcp4_server_advance(s->four);
		if (s->six)
			dhcp6_server_advance(s->six);
	}
}

/* ---- the hosts ---- */

static void on_host_event(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;
	struct host *h = &r->host[host - r->n_routers];

	for (int f = 0; f < 2; f++) {
		uint8_t from;

		while (ev->sock == h->sock[f] && tern_recv(h->st, ev->sock, &from, 1, 0) == 1)
			h->heard[f] |= 1u << from;
	}
}

static void begin_host(struct run *r, struct host *h)
{
	static const int family[2] = { TERN_AF_INET, TERN_AF_INET6 };
	const int32_t one = 1;

	h->means = TERN_AUTO_RA | TERN_AUTO_DHCP6 | TERN_AUTO_DHCP4 | TERN_AUTO_LINK_LOCAL4;
	if (chance(r, 20))
		h->means &= ~(unsigned)TERN_AUTO_DHCP6;
	if (chance(r, 20))
		h->means &= ~(unsigned)TERN_AUTO_LINK_LOCAL4;
	if (tern_auto_set(h->st, NIC, h->means))
		fail(r, "cannot be configured", -1);
	for (int f = 0; f < 2; f++) {
		struct tern_addr at = { .family = (uint16_t)family[f], .port = PORT };

		if (tern_socket(h->st, family[f], TERN_SOCK_DGRAM, 0, &h->sock[f]) ||
		    (f && tern_setsockopt(h->st, h->sock[f], TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY,
					  &one, sizeof(one))) ||
		    tern_bind(h->st, h->sock[f], &at))
			fail(r, "no socket", -1);
	}
}

static struct tern_stack *add_host(struct run *r, const char *name, tern_sim_event_fn *on_event)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2 } };
	int host = tern_sim_host_add(r->sim, name, NULL);

	nic.mac[5] = (uint8_t)(host + 1);
	if (host < 0 || tern_sim_attach(r->sim, r->link, host, &nic) != NIC)
		fail(r, "no host", host);
	tern_sim_on_event(r->sim, host, on_event, r);
	return tern_sim_stack(r->sim, host);
}

static void add_sitter(struct run *r)
{
	const struct served *s = &r->router[0];

	r->sitter = add_host(r, "sitter", NULL);
	if (tern_addr_add(r->sitter, NIC, &s->config4.first, 24) ||
	    tern_socket(r->sitter, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &r->sitter_sock))
		fail(r, "cannot sit down", -1);
}

/* It looks for somebody who is not there: all hear whose address that is. */
static void say_something(struct run *r)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 200, PORT);

	if (r->sitter)
		tern_sendto(r->sitter, r->sitter_sock, "", 1, 0, &to);
}

static void set_up(struct run *r)
{
	static const struct tern_weather fine = { .delay = TERN_MS };

	r->link = tern_sim_link_add(r->sim, &fine);
	r->n_routers = 1 + (int)draw(r, ROUTERS_MAX);
	r->n_hosts = 1 + (int)draw(r, HOSTS_MAX);
	r->forgetful = chance(r, 20);
	for (int k = 0; k < r->n_routers; k++)
		r->router[k].st = add_host(r, "router", on_router_event);
	for (int i = 0; i < r->n_hosts; i++)
		r->host[i].st = add_host(r, "host", on_host_event);
	for (int k = 0; k < r->n_routers; k++)
		configure_router(r, &r->router[k], (unsigned)k);
	for (int i = 0; i < r->n_hosts; i++)
		begin_host(r, &r->host[i]);
	if (chance(r, 40))
		add_sitter(r);
}

/* ---- what happens to them ---- */

static void change_weather(struct run *r, int host)
{
	struct tern_weather w = { .delay = draw(r, 200) * TERN_MS,
				  .jitter = draw(r, 50) * TERN_MS,
				  .loss_ppm = (uint32_t)draw(r, 300000),
				  .reorder_ppm = (uint32_t)draw(r, 100000),
				  .duplicate_ppm = (uint32_t)draw(r, 100000),
				  .corrupt_ppm = chance(r, 30) ? (uint32_t)draw(r, 10000) : 0,
				  .down = host >= 0 && chance(r, 60) };

	tern_sim_weather(r->sim, r->link, host, &w);
}

static void disturb_host(struct run *r, struct host *h)
{
	struct tern_iface i;

	switch (draw(r, 3)) {
	case 0: /* what was leased is given back */
		tern_auto_set(h->st, NIC, 0);
		tern_auto_set(h->st, NIC, h->means);
		break;
	case 1:
		tern_iface_get(h->st, NIC, &i);
		tern_iface_set(h->st, NIC, i.mtu, i.flags ^ TERN_IFACE_DOWN);
		break;
	default:
		break;
	}
}

static void disturb(struct run *r)
{
	struct served *s = &r->router[draw(r, (uint64_t)r->n_routers)];

	switch (draw(r, 4)) {
	case 0:
		change_weather(r, -1);
		break;
	case 1:
		change_weather(r, (int)draw(r, (uint64_t)(r->n_routers + r->n_hosts)));
		break;
	case 2:
		disturb_host(r, &r->host[draw(r, (uint64_t)r->n_hosts)]);
		break;
	default:
		if (!r->forgetful)
			break;
		if (s->four)
			end_dhcp(s);
		else
			begin_dhcp(r, s);
		break;
	}
}

static void calm_down(struct run *r)
{
	static const struct tern_weather fine = { .delay = TERN_MS };

	tern_sim_weather(r->sim, r->link, -1, &fine);
	for (int k = 0; k < r->n_routers; k++)
		if (!r->router[k].four)
			begin_dhcp(r, &r->router[k]);
	for (int i = 0; i < r->n_hosts; i++) {
		struct tern_iface nic;

		tern_iface_get(r->host[i].st, NIC, &nic);
		if (nic.flags & TERN_IFACE_DOWN)
			tern_iface_set(r->host[i].st, NIC, nic.mtu, nic.flags & ~TERN_IFACE_DOWN);
	}
}

/* ---- what must hold ---- */

static bool is_usable(const struct tern_iface_addr *a)
{
	return a->ifindex == NIC && !(a->flags & (TERN_ADDR_TENTATIVE | TERN_ADDR_DUPLICATE));
}

/* How many usable addresses of this family and origin host i has; the last one in *out. */
static unsigned addrs_of(const struct run *r, int i, uint16_t family, uint32_t origin,
			 struct tern_iface_addr *out)
{
	struct tern_iface_addr a;
	unsigned cursor = 0, n = 0;

	while (tern_addr_next(r->host[i].st, &cursor, &a))
		if (is_usable(&a) && a.addr.family == family && a.origin == origin) {
			*out = a;
			n++;
		}
	return n;
}

static void judge_always(struct run *r)
{
	struct tern_iface_addr a, b;

	for (int i = 0; i < r->n_hosts; i++) {
		unsigned cursor = 0;

		while (tern_addr_next(r->host[i].st, &cursor, &a))
			if (a.valid_until < tern_sim_now(r->sim))
				fail(r, "an address outlives its time", i);
		if (r->forgetful || !addrs_of(r, i, TERN_AF_INET, TERN_ORIGIN_DHCP4, &a))
			continue;
		for (int k = 0; k < i; k++)
			if (addrs_of(r, k, TERN_AF_INET, TERN_ORIGIN_DHCP4, &b) &&
			    memcmp(a.addr.ip, b.addr.ip, 4) == 0)
				fail(r, "two hosts have one lease", i);
	}
}

static bool has_default_route(const struct run *r, int i, uint16_t family)
{
	struct tern_route route;
	unsigned cursor = 0;

	while (tern_route_next(r->host[i].st, &cursor, &route))
		if (route.ifindex == NIC && route.prefix_len == 0 && route.gateway.family == family)
			return true;
	return false;
}

static bool has_prefix(const struct run *r, int i, const struct nd_prefix *p)
{
	struct tern_iface_addr a;
	unsigned cursor = 0;

	while (tern_addr_next(r->host[i].st, &cursor, &a))
		if (is_usable(&a) && a.origin == TERN_ORIGIN_RA && a.addr.family == TERN_AF_INET6 &&
		    memcmp(a.addr.ip, p->prefix.b, 8) == 0)
			return true;
	return false;
}

/* Of IPv4 alone: who has an IPv6 address already does not ask again (RFC 4862 5.4). */
static void judge_sitter(struct run *r, int i)
{
	const struct tern_addr *theirs = &r->router[0].config4.first;
	struct tern_iface_addr a;
	unsigned cursor = 0;

	while (r->sitter && tern_addr_next(r->host[i].st, &cursor, &a))
		if (a.addr.family == TERN_AF_INET && memcmp(a.addr.ip, theirs->ip, 4) == 0)
			fail(r, "has the address of another", i);
}

static void judge_host(struct run *r, int i)
{
	const struct host *h = &r->host[i];
	struct tern_iface_addr a;
	bool managed = false;

	if (addrs_of(r, i, TERN_AF_INET, TERN_ORIGIN_DHCP4, &a) != 1)
		fail(r, "not one address by DHCP", i);
	if (addrs_of(r, i, TERN_AF_INET, TERN_ORIGIN_LINK_LOCAL, &a))
		fail(r, "an IPv4 link-local address beside it", i);
	if (addrs_of(r, i, TERN_AF_INET6, TERN_ORIGIN_LINK_LOCAL, &a) != 1)
		fail(r, "not one IPv6 link-local address", i);
	if (!has_default_route(r, i, TERN_AF_INET) || !has_default_route(r, i, TERN_AF_INET6))
		fail(r, "no default route", i);
	for (int k = 0; k < r->n_routers; k++) {
		if (!has_prefix(r, i, &r->router[k].ads.prefixes[0]))
			fail(r, "no address of a prefix", i);
		managed |= r->router[k].ads.says.managed;
	}
	if (managed && (h->means & TERN_AUTO_DHCP6) &&
	    !addrs_of(r, i, TERN_AF_INET6, TERN_ORIGIN_DHCP6, &a))
		fail(r, "no address by DHCPv6", i);
	if (!(h->means & TERN_AUTO_DHCP6) && addrs_of(r, i, TERN_AF_INET6, TERN_ORIGIN_DHCP6, &a))
		fail(r, "an address by DHCPv6, unasked", i);
}

/* Host i says its number to host k. */
static void greet(struct run *r, int i, int k)
{
	static const uint32_t origin[2] = { TERN_ORIGIN_DHCP4, TERN_ORIGIN_RA };
	static const uint16_t family[2] = { TERN_AF_INET, TERN_AF_INET6 };
	uint8_t number = (uint8_t)i;

	for (int f = 0; f < 2; f++) {
		struct tern_iface_addr a;

		if (!addrs_of(r, k, family[f], origin[f], &a))
			continue;
		a.addr.port = PORT;
		if (tern_sendto(r->host[i].st, r->host[i].sock[f], &number, 1, 0, &a.addr) != 1)
			fail(r, "cannot send", i);
	}
}

static void run_until(struct run *r, tern_time end)
{
	tern_time disturb_at = tern_sim_now(r->sim), look_at = disturb_at;

	while (!r->why[0] && tern_sim_now(r->sim) < end) {
		tern_time due = routers_deadline(r), until = MIN(MIN(due, look_at), end), now;

		if (end == r->calm_at)
			until = MIN(until, disturb_at);
		if (until > tern_sim_now(r->sim) && tern_sim_step(r->sim, until))
			continue;
		now = tern_sim_now(r->sim);
		advance_routers(r);
		if (now >= look_at) {
			judge_always(r);
			tern_sim_check(r->sim);
			say_something(r);
			look_at = now + 5 * TERN_SEC;
		}
		if (end == r->calm_at && now >= disturb_at) {
			disturb(r);
			disturb_at = now + draw(r, 120000) * TERN_MS;
		}
	}
}

static void judge(struct run *r)
{
	unsigned all = (1u << r->n_hosts) - 1;

	for (int i = 0; i < r->n_hosts; i++)
		judge_host(r, i);
	for (int i = 0; i < r->n_hosts; i++)
		judge_sitter(r, i);
	for (int i = 0; i < r->n_hosts; i++)
		for (int k = 0; k < r->n_hosts; k++)
			greet(r, i, k);
	run_until(r, tern_sim_now(r->sim) + 5 * TERN_SEC);
	for (int i = 0; i < r->n_hosts; i++)
		if (r->host[i].heard[0] != all || r->host[i].heard[1] != all)
			fail(r, "does not hear all", i);
}

static bool run_seed(uint64_t seed, char *why, size_t why_len)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	r.sim = tern_sim_new(seed);
	set_up(&r);
	r.calm_at = TERN_SEC + draw(&r, 3600) * TERN_SEC;
	run_until(&r, r.calm_at);
	calm_down(&r);
	run_until(&r, r.calm_at + CALM * TERN_SEC);
	if (!r.why[0])
		judge(&r);
	tern_sim_check(r.sim);
	for (int k = 0; k < r.n_routers; k++) {
		end_dhcp(&r.router[k]);
		router_free(r.router[k].router);
	}
	tern_sim_free(r.sim);
	snprintf(why, why_len, "%s", r.why);
	return r.why[0] == 0;
}

int main(int argc, char **argv)
{
	return run_seeds(argc, argv, run_seed, "make sim-auto");
}
