/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces_test.c - a host with two interfaces: whose address is whose, and what becomes of
 * connections when addresses, links and interfaces go.
 *
 *	a -- home -- b	10.1/16, fd01::/64 and 10.2/16, fd02::/64; home is .1, a and b are .9
 */
#include "test.h"

#include "../../core/base/base.h"
#include "../../include/tern_sim.h"

enum { A, HOME, B, N_HOSTS };
enum { ETH = 2, WAN = 3 };

static struct tern_sim *sim;
static struct tern_stack *st[N_HOSTS];
static int links[2];
static unsigned n_from_home; /* IP packets that bear 10.1.0.1 or fd01::1, on any link */

static struct tern_addr address(const char *text, uint16_t port)
{
	struct tern_addr a = { .family = 0 };

	check_eq(tern_addr_parse(text, port, &a), 0);
	return a;
}

static void see(void *ctx, const struct tern_sim_note *n)
{
	const struct tern_addr four = address("10.1.0.1", 0), six = address("fd01::1", 0);

	(void)ctx;
	if (n->what != TERN_SIM_FRAME_SENT || n->host != HOME)
		return;
	n_from_home += n->len >= 34 && n->frame[12] == 8 && n->frame[13] == 0 &&
		       memcmp(n->frame + 26, four.ip, 4) == 0;
	n_from_home += n->len >= 54 && n->frame[12] == 0x86 && n->frame[20] == 6 &&
		       memcmp(n->frame + 22, six.ip, 16) == 0;
}

static void attach(int link, int host, const char *four, const char *six)
{
	struct tern_iface i = { .link = TERN_LINK_ETHERNET, .mtu = 1500 };
	struct tern_addr a4 = address(four, 0), a6 = address(six, 0);
	int ifindex;

	strcpy(i.name, link ? "wan0" : "eth0");
	memcpy(i.mac, (uint8_t[6]){ 2, 0, 0, 0, (uint8_t)link, (uint8_t)(host + 1) }, 6);
	ifindex = tern_sim_attach(sim, links[link], host, &i);
	check_eq(tern_addr_add(st[host], (unsigned)ifindex, &a4, 16), 0);
	check_eq(tern_addr_add(st[host], (unsigned)ifindex, &a6, 64), 0);
}

static void route(int host, unsigned ifindex, const char *dst, unsigned len, const char *via)
{
	struct tern_route r = { .dst = address(dst, 0), .prefix_len = len, .ifindex = ifindex };

	if (via)
		r.gateway = address(via, 0);
	check_eq(tern_route_add(st[host], &r), 0);
}

static void build(bool strong)
{
	struct tern_weather wire = { .delay = TERN_MS };

	sim = tern_sim_new(5);
	for (int h = 0; h < N_HOSTS; h++) {
		struct tern_config cfg;

		tern_config_default(&cfg);
		cfg.strong_host = h == HOME && strong;
		check_eq(tern_sim_host_add(sim, "host", &cfg), h);
		st[h] = tern_sim_stack(sim, h);
	}
	for (int l = 0; l < 2; l++)
		links[l] = tern_sim_link_add(sim, &wire);
	attach(0, A, "10.1.0.9", "fd01::9");
	attach(0, HOME, "10.1.0.1", "fd01::1");
	attach(1, HOME, "10.2.0.1", "fd02::1");
	attach(1, B, "10.2.0.9", "fd02::9");
	tern_sim_observe(sim, see, NULL);
	tern_sim_run(sim, 5 * TERN_SEC);
	n_from_home = 0;
}

static void end(void)
{
	tern_sim_check(sim);
	tern_sim_free(sim);
}

static void pass(tern_time t)
{
	tern_sim_run(sim, tern_sim_now(sim) + t);
}

static tern_sock bound(int host, int type, const char *at, uint16_t port)
{
	struct tern_addr a = address(at, port);
	tern_sock s;

	check_eq(tern_socket(st[host], a.family, type, 0, &s), 0);
	check_eq(tern_bind(st[host], s, &a), 0);
	return s;
}

/* How many datagrams of a's to the other address of home arrive, by its router or on the link. */
static int heard(bool strong, bool v6, bool on_link)
{
	struct tern_addr to = address(v6 ? "fd02::1" : "10.2.0.1", 7);
	tern_sock home, a;
	char buf[10];
	int n;

	build(strong);
	route(A, ETH, v6 ? "fd02::" : "10.2.0.0", v6 ? 64 : 16,
	      on_link ? NULL :
	      v6      ? "fd01::1" :
			"10.1.0.1");
	home = bound(HOME, TERN_SOCK_DGRAM, v6 ? "::" : "0.0.0.0", 7);
	a = bound(A, TERN_SOCK_DGRAM, v6 ? "::" : "0.0.0.0", 0);
	check_eq(tern_sendto(st[A], a, "x", 1, 0, &to), 1);
	pass(5 * TERN_SEC);
	n = tern_recv(st[HOME], home, buf, sizeof(buf), 0) == 1;
	end();
	return n;
}

/* RFC 1122 3.3.4.2 (A), RFC 4861 7.2.3. */
static void whose_address(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		test_at("IPv%d", v6 ? 6 : 4);
		check_eq(heard(false, v6, false), 1);
		check_eq(heard(true, v6, false), 0);
		check_eq(heard(false, v6, true), !v6); /* who asks on the link: ARP says yes */
		check_eq(heard(true, v6, true), 0);
	}
}

/* (B): which way goes what bears 10.2.0.1, when the default route is by 10.1.0.9? */
static void by_its_own_interface(void)
{
	for (int strong = 0; strong < 2; strong++) {
		struct tern_addr far = address("8.8.8.8", 9);
		tern_sock s;

		build(strong);
		route(HOME, ETH, "0.0.0.0", 0, "10.1.0.9");
		s = bound(HOME, TERN_SOCK_DGRAM, "10.2.0.1", 0);
		check_eq(tern_sendto(st[HOME], s, "x", 1, 0, &far), strong ? -TERN_ENETUNREACH : 1);
		end();
	}
}

/* A stream of a's that home answers with `n` octets; both ends. */
static void establish(bool v6, tern_sock *home, tern_sock *a)
{
	struct tern_addr to = address(v6 ? "fd01::1" : "10.1.0.1", 80);
	tern_sock listener = bound(HOME, TERN_SOCK_STREAM, v6 ? "::" : "0.0.0.0", 80);

	check_eq(tern_listen(st[HOME], listener, 4), 0);
	*a = bound(A, TERN_SOCK_STREAM, v6 ? "::" : "0.0.0.0", 0);
	check_eq(tern_connect(st[A], *a, &to), -TERN_EINPROGRESS);
	pass(TERN_SEC);
	check_eq(tern_accept(st[HOME], listener, home, NULL), 0);
}

static size_t drain(int host, tern_sock s)
{
	static char buf[4096];
	size_t n = 0;
	long got;

	while ((got = tern_recv(st[host], s, buf, sizeof(buf), 0)) > 0)
		n += (size_t)got;
	return n;
}

enum { GONE_ADDRESS, GONE_LINK, GONE_INTERFACE, N_GONE };

static void lose(int what, bool v6)
{
	struct tern_addr own = address(v6 ? "fd01::1" : "10.1.0.1", 0);

	if (what == GONE_ADDRESS)
		check_eq(tern_addr_del(st[HOME], ETH, &own), 0);
	else if (what == GONE_LINK)
		check_eq(tern_iface_set(st[HOME], ETH, 1500, TERN_IFACE_DOWN), 0);
	else
		check_eq(tern_iface_del(st[HOME], ETH), 0);
}

/*
 * What is sent while the address is not ours waits, though another interface has a route. When only
 * the link is down it goes by that route in the weak model, and waits in the strong one. When all is
 * back everything arrives. That is how Linux has it.
 */
static void comes_back(void)
{
	static const struct {
		int what;
		bool strong, goes_elsewhere;
	} cases[] = { { GONE_ADDRESS, false, false },
		      { GONE_ADDRESS, true, false },
		      { GONE_LINK, false, true },
		      { GONE_LINK, true, false } };

	for (unsigned k = 0; k < 2 * N_TESTS(cases); k++) {
		int what = cases[k / 2].what, v6 = k % 2;
		struct tern_addr own = address(v6 ? "fd01::1" : "10.1.0.1", 0);
		tern_sock home, a;

		test_at("case %u, IPv%d", k / 2, v6 ? 6 : 4);
		build(cases[k / 2].strong);
		establish(v6, &home, &a);
		route(HOME, WAN, v6 ? "::" : "0.0.0.0", 0, v6 ? "fd02::9" : "10.2.0.9");
		lose(what, v6);
		n_from_home = 0;
		check_eq(tern_send(st[HOME], home, "later", 5, 0), 5);
		pass(10 * TERN_SEC);
		check_eq(n_from_home > 0, cases[k / 2].goes_elsewhere);
		check_eq(drain(A, a), 0);
		if (what == GONE_ADDRESS)
			check_eq(tern_addr_add(st[HOME], ETH, &own, v6 ? 64 : 16), 0);
		else
			check_eq(tern_iface_set(st[HOME], ETH, 1500, 0), 0);
		pass(60 * TERN_SEC);
		check_eq(drain(A, a), 5);
		end();
	}
}

/* If it does not come back both ends hear of it in the end, when there is something to send. */
static void stays_away(void)
{
	for (int k = 0; k < 2 * N_GONE; k++) {
		int what = k / 2, v6 = k % 2;
		tern_sock home, a;
		int32_t err;
		size_t len = sizeof(err);

		test_at("%d, IPv%d", what, v6 ? 6 : 4);
		build(false);
		establish(v6, &home, &a);
		lose(what, v6);
		check_eq(tern_send(st[HOME], home, "never", 5, 0), 5);
		check_eq(tern_send(st[A], a, "never", 5, 0), 5);
		pass(3000 * TERN_SEC);
		check_eq(
			tern_getsockopt(st[HOME], home, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len),
			0);
		check_eq(err, TERN_ENETUNREACH);
		check_eq(tern_getsockopt(st[A], a, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len), 0);
		check(err == TERN_ETIMEDOUT || err == TERN_EHOSTUNREACH);
		check_eq(tern_send(st[HOME], home, "x", 1, 0), -TERN_EPIPE);
		end();
	}
}

/* A datagram that bears an address which is ours no longer is refused at once. */
static void datagrams(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_addr to = address(v6 ? "fd01::9" : "10.1.0.9", 9);
		struct tern_addr own = address(v6 ? "fd01::1" : "10.1.0.1", 0);
		tern_sock s;

		test_at("IPv%d", v6 ? 6 : 4);
		build(false);
		s = bound(HOME, TERN_SOCK_DGRAM, v6 ? "fd01::1" : "10.1.0.1", 0);
		check_eq(tern_sendto(st[HOME], s, "x", 1, 0, &to), 1);
		check_eq(tern_iface_set(st[HOME], ETH, 1500, TERN_IFACE_DOWN), 0);
		check_eq(tern_sendto(st[HOME], s, "x", 1, 0, &to), -TERN_ENETUNREACH);
		check_eq(tern_iface_set(st[HOME], ETH, 1500, 0), 0);
		check_eq(tern_addr_del(st[HOME], ETH, &own), 0);
		route(HOME, WAN, v6 ? "::" : "0.0.0.0", 0, v6 ? "fd02::9" : "10.2.0.9");
		check_eq(tern_sendto(st[HOME], s, "x", 1, 0, &to), -TERN_EINVAL);
		check_eq(tern_addr_add(st[HOME], ETH, &own, v6 ? 64 : 16), 0);
		check_eq(tern_sendto(st[HOME], s, "x", 1, 0, &to), 1);
		end();
	}
}

static unsigned n_announced[2]; /* requests about oneself; advertisements that nobody asked for */

static void count_announced(void *ctx, const struct tern_sim_note *n)
{
	const uint8_t *f = n->frame;

	(void)ctx;
	if (n->what != TERN_SIM_FRAME_SENT || n->host != HOME || f[11] != 77)
		return;
	n_announced[0] += f[12] == 8 && f[13] == 6 && f[21] == 1 && f[0] == 0xff &&
			  memcmp(f + 28, f + 38, 4) == 0;
	n_announced[1] += n->len >= 86 && f[12] == 0x86 && f[20] == 58 && f[54] == 136 &&
			  (f[58] & 0xe0) == 0x20 && f[0] == 0x33 && f[5] == 1;
}

/*
 * RFC 4861 7.2.6: a new link-layer address is told three times for each address, and whoever has
 * the old one sends to the new one at once.
 */
static void another_mac(void)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 9, 77 }, group[6] = { 1, 0, 0, 0, 9, 77 };

	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_addr to = address(v6 ? "fd01::1" : "10.1.0.1", 7);
		tern_sock home, a;
		char buf[10];

		build(false);
		home = bound(HOME, TERN_SOCK_DGRAM, v6 ? "::" : "0.0.0.0", 7);
		a = bound(A, TERN_SOCK_DGRAM, v6 ? "::" : "0.0.0.0", 0);
		check_eq(tern_sendto(st[A], a, "x", 1, 0, &to), 1);
		pass(TERN_SEC);
		check_eq(tern_recv(st[HOME], home, buf, sizeof(buf), 0), 1);
		tern_sim_observe(sim, count_announced, NULL);
		n_announced[0] = n_announced[1] = 0;
		check_eq(tern_iface_set_mac(st[HOME], ETH, group), -TERN_EINVAL);
		check_eq(tern_iface_set_mac(st[HOME], 1, mac), -TERN_EINVAL); /* lo */
		check_eq(tern_iface_set_mac(st[HOME], 9, mac), -TERN_ENODEV);
		check_eq(tern_iface_set_mac(st[HOME], ETH, mac), 0);
		pass(100 * TERN_MS);
		check_eq(tern_sendto(st[A], a, "x", 1, 0, &to), 1);
		pass(100 * TERN_MS);
		check_eq(tern_recv(st[HOME], home, buf, sizeof(buf), 0), 1);
		pass(10 * TERN_SEC);
		check_eq(n_announced[0], 3);
		check_eq(n_announced[1], 3);
		end();
	}
}

/* Each change is told of, once. */
static void news(void)
{
	struct tern_addr own = address("10.1.0.1", 0);
	struct tern_net_event e;

	build(false);
	while (tern_net_event(st[HOME], &e))
		;
	lose(GONE_ADDRESS, false);
	check(tern_net_event(st[HOME], &e));
	check(e.ifindex == ETH && e.changes == (TERN_NET_ADDRS | TERN_NET_ROUTES));
	check(!tern_net_event(st[HOME], &e));
	check_eq(tern_addr_add(st[HOME], ETH, &own, 16), 0);
	lose(GONE_LINK, false);
	check(tern_net_event(st[HOME], &e));
	check(e.ifindex == ETH && e.changes == (TERN_NET_ADDRS | TERN_NET_ROUTES | TERN_NET_LINK));
	lose(GONE_INTERFACE, false);
	check(tern_net_event(st[HOME], &e));
	check(e.ifindex == ETH && (e.changes & TERN_NET_LINK));
	check(!tern_net_event(st[HOME], &e));
	end();
}

static const struct test tests[] = {
	TEST(whose_address), TEST(by_its_own_interface),
	TEST(comes_back),    TEST(stays_away),
	TEST(datagrams),     TEST(news),
	TEST(another_mac),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
