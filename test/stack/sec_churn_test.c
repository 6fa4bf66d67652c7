/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_churn_test.c - two hosts whose interfaces, addresses, routes, neighbours and means of
 * configuration come and go at random while they talk: nothing breaks, nothing is left. SEC-63.
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

enum { N_HOSTS = 2, N_WIRES = 3, N_SOCKS = 12, N_STEPS = 1500, N_SEEDS = 30 };

struct host {
	struct test_env world;
	struct tern_stack *st;
	tern_sock socks[N_SOCKS];
	bool is_open[N_SOCKS];
	unsigned wire[N_WIRES]; /* its interface there; 0: none */
};

static struct host hosts[N_HOSTS];
static tern_time clock_now;
static uint32_t dice;

static uint32_t throw_dice(uint32_t below)
{
	dice = dice * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(dice >> 4) * below) >> 28);
}

/* Few addresses, so that both hosts have the same now and then. */
static struct tern_addr some_address(uint16_t port)
{
	static const char *const texts[] = {
		"10.0.0.1",	   "10.0.0.2",	  "10.0.1.1",	"10.0.1.2",	"10.1.0.9",
		"fd00::1",	   "fd00::2",	  "fd00:1::1",	"fd00:1::2",	"2001:db8::9",
		"fe80::1",	   "fe80::2",	  "ff02::1",	"ff1e::7",	"224.1.2.3",
		"255.255.255.255", "::",	  "0.0.0.0",	"::1",		"127.0.0.1",
		"fd00::1111:2222", "169.254.1.1", "10.0.0.255", "fd00:0:0:1::",
	};
	struct tern_addr a;

	tern_addr_parse(texts[throw_dice(N_ELEMENTS(texts))], port, &a);
	if (a.family == TERN_AF_INET6 && (a.ip[0] & 0xfe) == 0xfe)
		a.scope_id = throw_dice(5);
	return a;
}

/* What makes talk likely: on two wires a network of each family, in which host k is number k + 1. */
static struct tern_addr good_address(unsigned number, unsigned host, uint16_t port)
{
	static const char *const texts[4][N_HOSTS] = { { "10.0.0.1", "10.0.0.2" },
						       { "fd00::1", "fd00::2" },
						       { "10.0.1.1", "10.0.1.2" },
						       { "fd00:1::1", "fd00:1::2" } };
	struct tern_addr a;

	tern_addr_parse(texts[number][host], port, &a);
	return a;
}

/* ---- the configuration ---- */

static void change_wire(struct host *h, unsigned k)
{
	struct tern_iface cfg = { "", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 0 } };
	int got;

	if (h->wire[k]) {
		check_eq(tern_iface_del(h->st, h->wire[k]), 0);
		h->wire[k] = 0;
		return;
	}
	snprintf(cfg.name, sizeof(cfg.name), "wire%u", k);
	cfg.flags = throw_dice(2) ? TERN_IFACE_CSUM : 0;
	cfg.link = k == 2 ? TERN_LINK_IP : TERN_LINK_ETHERNET;
	cfg.mac[4] = (uint8_t)k;
	cfg.mac[5] = (uint8_t)(1 + (h - hosts));
	got = tern_iface_add(h->st, &cfg);
	check(got > 1);
	h->wire[k] = (unsigned)got;
}

static void change_route(struct host *h, unsigned ifindex)
{
	struct tern_route r = { .dst = some_address(0), .ifindex = ifindex };

	r.prefix_len = throw_dice(3) * 16;
	for (unsigned i = r.prefix_len / 8; i < 16; i++)
		r.dst.ip[i] = 0;
	r.dst.scope_id = 0;
	if (throw_dice(2))
		r.gateway = some_address(0);
	if (throw_dice(3))
		tern_route_add(h->st, &r);
	else
		tern_route_del(h->st, &r);
}

static void change_address(struct host *h, unsigned ifindex)
{
	struct tern_addr a = some_address(0);

	if (throw_dice(3))
		tern_addr_add(h->st, ifindex, &a, a.family == TERN_AF_INET ? 24 : 64);
	else
		tern_addr_del(h->st, ifindex, &a);
}

static void change_neighbour(struct host *h, unsigned ifindex)
{
	struct tern_neigh n = { .ifindex = ifindex, .addr = some_address(0) };

	memcpy(n.mac, "\x02\0\0\0\0\x01", 6);
	if (throw_dice(2))
		tern_neigh_add(h->st, &n);
	else
		tern_neigh_del(h->st, ifindex, &n.addr);
}

/* What is missing of the two networks is there again. */
static void repair(struct host *h)
{
	for (unsigned n = 0; n < 4; n++) {
		unsigned k = n < 2 ? 0 : 2;
		struct tern_addr a = good_address(n, (unsigned)(h - hosts), 0);

		if (!h->wire[k])
			change_wire(h, k);
		tern_iface_set(h->st, h->wire[k], 1500, 0);
		tern_addr_add(h->st, h->wire[k], &a, n & 1 ? 64 : 24);
	}
}

static void change_configuration(struct host *h)
{
	static const uint32_t mtus[] = { 1500, 1280, 1400, 600, 68 };
	unsigned ifindex = 1 + throw_dice(4);

	switch (throw_dice(9)) {
	case 8:
		repair(&hosts[0]);
		repair(&hosts[1]);
		break;
	case 0:
		change_wire(h, throw_dice(N_WIRES));
		break;
	case 1:
		tern_iface_set(h->st, ifindex, mtus[throw_dice(5)],
			       throw_dice(3) ? 0 : TERN_IFACE_DOWN);
		break;
	case 2:
		tern_auto_set(h->st, ifindex, throw_dice(16));
		break;
	case 3:
		change_neighbour(h, ifindex);
		break;
	case 4:
	case 5:
		change_route(h, ifindex);
		break;
	default:
		change_address(h, ifindex);
		break;
	}
}

/* ---- talk ---- */

static void open_socket(struct host *h, unsigned k)
{
	struct tern_addr any = some_address((uint16_t)(1000 + throw_dice(4)));
	bool everywhere = throw_dice(2);
	int type = throw_dice(2) ? TERN_SOCK_STREAM : TERN_SOCK_DGRAM;
	uint8_t group[20] = { 0xff, 0x1e, [15] = 7, [16] = (uint8_t)throw_dice(5) };

	if (tern_socket(h->st, any.family, type, 0, &h->socks[k]))
		return;
	h->is_open[k] = true;
	if (everywhere)
		memset(any.ip, 0, 16);
	if (everywhere || throw_dice(4) == 0)
		tern_bind(h->st, h->socks[k], &any);
	if (type == TERN_SOCK_STREAM && throw_dice(2))
		tern_listen(h->st, h->socks[k], 4);
	if (throw_dice(4) == 0)
		tern_setsockopt(h->st, h->socks[k], TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP,
				group, 20);
}

static void use_socket(struct host *h, unsigned k)
{
	static uint8_t text[4000];
	uint16_t port = (uint16_t)(1000 + throw_dice(4));
	struct tern_addr to =
		throw_dice(4) ? good_address(throw_dice(4), h == hosts, port) : some_address(port);
	tern_sock got;

	switch (throw_dice(8)) {
	case 0:
		tern_connect(h->st, h->socks[k], &to);
		break;
	case 1:
		tern_sendto(h->st, h->socks[k], text, throw_dice(sizeof(text)), 0, &to);
		break;
	case 2:
	case 3:
		tern_send(h->st, h->socks[k], text, throw_dice(sizeof(text)), 0);
		break;
	case 4:
	case 5:
		tern_recv(h->st, h->socks[k], text, sizeof(text), 0);
		break;
	case 6:
		if (tern_accept(h->st, h->socks[k], &got, NULL))
			break;
		k = (k + 1) % N_SOCKS;
		if (h->is_open[k])
			tern_close(h->st, h->socks[k]);
		h->is_open[k] = true;
		h->socks[k] = got;
		break;
	default:
		if (throw_dice(6) == 0) {
			h->is_open[k] = false;
			if (throw_dice(2))
				tern_close(h->st, h->socks[k]);
			else
				tern_abort(h->st, h->socks[k]);
		}
		break;
	}
}

static void talk_some(struct host *h)
{
	unsigned k = throw_dice(N_SOCKS);

	if (h->is_open[k])
		use_socket(h, k);
	else
		open_socket(h, k);
}

/* ---- the wires ---- */

/* The next packet, by one way or the other; its length, or 0. */
static uint32_t take_bytes(struct host *from, unsigned wire, uint8_t *buf, size_t room)
{
	struct tern_pkt *p;
	uint32_t len = 0;

	if (throw_dice(2)) {
		int64_t n = tern_output_to(from->st, wire, buf, room);

		check(n >= 0);
		return (uint32_t)n;
	}
	p = tern_output(from->st, wire);
	if (p) {
		len = p->total_len;
		tern_pkt_emit(from->st, p, buf);
	}
	tern_pkt_free(from->st, p);
	return len;
}

static void carry(struct host *from, struct host *to)
{
	static uint8_t buf[14 + UINT16_MAX];

	for (unsigned k = 0; k < N_WIRES; k++) {
		for (int n = 0; from->wire[k] && n < 50; n++) {
			uint32_t len = take_bytes(from, from->wire[k], buf, sizeof(buf));
			struct tern_pkt *copy;

			if (!len)
				break;
			if (!to->wire[k] || !throw_dice(20))
				continue;
			copy = tern_pkt_new(to->st, len);
			if (!copy)
				continue;
			memcpy(copy->data, buf, len);
			copy->ifindex = (uint16_t)to->wire[k];
			tern_input(to->st, copy);
		}
	}
}

static void begin_hosts(uint32_t seed)
{
	struct tern_config cfg;

	dice = seed * 2654435761u;
	clock_now = TERN_SEC;
	tern_config_default(&cfg);
	cfg.accept_redirects = seed & 1;
	cfg.ipv6_forward = cfg.ip_forward = seed % 3 == 0;
	cfg.use_tempaddr = seed % 3;
	for (unsigned i = 0; i < N_HOSTS; i++) {
		struct tern_env env;

		hosts[i] = (struct host){ .world = { .fill = 0x6d } };
		env = test_env_make(&hosts[i].world, seed * 2 + i);
		hosts[i].st = tern_new(&cfg, &env);
		tern_advance(hosts[i].st, clock_now);
	}
	for (unsigned i = 0; i < N_HOSTS; i++)
		repair(&hosts[i]);
}

static void end_hosts(void)
{
	for (unsigned i = 0; i < N_HOSTS; i++) {
		struct host *h = &hosts[i];

		for (unsigned k = 0; k < N_SOCKS; k++)
			if (h->is_open[k])
				tern_abort(h->st, h->socks[k]);
		tern_check(h->st);
		tern_free(h->st);
		check_eq(h->world.out, 0);
	}
}

static void churn(void)
{
	static const tern_time steps[] = { 0,
					   0,
					   TERN_MS,
					   TERN_MS,
					   50 * TERN_MS,
					   50 * TERN_MS,
					   50 * TERN_MS,
					   700 * TERN_MS,
					   700 * TERN_MS,
					   20 * TERN_SEC };
	uint64_t n_heard = 0;

	for (uint32_t seed = 1; seed <= N_SEEDS; seed++) {
		test_at("seed %u", seed);
		begin_hosts(seed);
		for (unsigned i = 0; i < N_STEPS; i++) {
			struct host *h = &hosts[throw_dice(N_HOSTS)];
			struct tern_event ev;
			struct tern_net_event news;

			if (throw_dice(10) == 0)
				change_configuration(h);
			else
				talk_some(h);
			carry(&hosts[0], &hosts[1]);
			carry(&hosts[1], &hosts[0]);
			clock_now += steps[throw_dice(N_ELEMENTS(steps))];
			for (unsigned k = 0; k < N_HOSTS; k++) {
				tern_advance(hosts[k].st, clock_now);
				while (tern_event(hosts[k].st, &ev) ||
				       tern_net_event(hosts[k].st, &news))
					continue;
				tern_check(hosts[k].st);
			}
		}
		n_heard += tern_counter(hosts[0].st, "TcpInSegs");
		end_hosts();
	}
	check(n_heard > 500); /* there was something to disturb */
}

/* ---- one address ---- */

/* Its only address goes: what is under way hears of it, or ends in its time; nothing else. */
static void the_address_goes(void)
{
	for (int six = 0; six < 2; six++) {
		struct tern_addr a, to, other, back;
		tern_sock stream, dgram, answer;
		int64_t got;
		char c;

		test_at("IPv%d", six ? 6 : 4);
		begin_hosts(1);
		a = good_address(2 + (unsigned)six, 0, 0);
		to = good_address(2 + (unsigned)six, 1, 80);
		other = good_address((unsigned)six, 0, 0);
		check_eq(tern_addr_del(hosts[0].st, hosts[0].wire[0], &other), 0);
		tern_socket(hosts[1].st, to.family, TERN_SOCK_STREAM, 0, &answer);
		check_eq(tern_bind(hosts[1].st, answer, &to), 0);
		check_eq(tern_listen(hosts[1].st, answer, 4), 0);
		tern_socket(hosts[0].st, to.family, TERN_SOCK_STREAM, 0, &stream);
		check_eq(tern_connect(hosts[0].st, stream, &to), -TERN_EINPROGRESS);
		tern_socket(hosts[0].st, to.family, TERN_SOCK_DGRAM, 0, &dgram);
		check_eq(tern_connect(hosts[0].st, dgram, &to), 0);
		for (int i = 0; i < 200; i++) { /* wires lose packets */
			carry(&hosts[0], &hosts[1]);
			carry(&hosts[1], &hosts[0]);
			clock_now += 50 * TERN_MS;
			tern_advance(hosts[0].st, clock_now);
			tern_advance(hosts[1].st, clock_now);
		}
		check_eq(tern_send(hosts[0].st, stream, "x", 1, 0), 1);
		check_eq(tern_addr_del(hosts[0].st, hosts[0].wire[2], &a), 0);
		tern_send(hosts[0].st, dgram, "x", 1, 0);
		tern_socket(hosts[0].st, to.family, TERN_SOCK_DGRAM, 0, &answer);
		check(tern_sendto(hosts[0].st, answer, "x", 1, 0, &to) < 0);
		check_eq(tern_getsockname(hosts[0].st, stream, &back), 0);
		for (int i = 0; i < 3000; i++) {
			carry(&hosts[0], &hosts[1]);
			carry(&hosts[1], &hosts[0]);
			clock_now += TERN_SEC;
			tern_advance(hosts[0].st, clock_now);
			tern_advance(hosts[1].st, clock_now);
			tern_check(hosts[0].st);
		}
		got = tern_recv(hosts[0].st, stream, &c, 1, 0);
		check(got < 0 && got != -TERN_EAGAIN);
		end_hosts();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = { TEST(churn), TEST(the_address_goes) };

	return test_main(argc, argv, tests, N_TESTS(tests));
}
