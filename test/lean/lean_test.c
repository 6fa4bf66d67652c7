/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lean_test.c - the lean core, linked alone: IPv4, UDP, TCP and DHCP are whole, all else is refused.
 */
#include "../../serve/serve.h"
#include "../lib/test.h"

enum { CARD = 2, PORT = 7 };

static struct test_env envs[2];
static struct tern_stack *hosts[2];
static tern_time now;
static struct tern_addr at; /* of the second host */

static struct tern_stack *host(unsigned k)
{
	struct tern_iface card = {
		"card", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, (uint8_t)k }
	};
	struct tern_env env = test_env_make(&envs[k], k);
	struct tern_config cfg;
	struct tern_stack *st;

	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check(st != NULL);
	check_eq(tern_iface_add(st, &card), CARD);
	return st;
}

static void name(unsigned k)
{
	struct tern_addr addr = tern_ip4(192, 0, 2, (uint8_t)(k + 1), 0);

	check_eq(tern_addr_add(hosts[k], CARD, &addr, 24), 0);
}

/* The first has no address yet. */
static void begin_nameless(void)
{
	now = 0;
	at = tern_ip4(192, 0, 2, 2, PORT);
	hosts[0] = host(0);
	hosts[1] = host(1);
	name(1);
}

static void begin(void)
{
	begin_nameless();
	name(0);
}

static void end(void)
{
	for (unsigned k = 0; k < 2; k++) {
		tern_check(hosts[k]);
		tern_free(hosts[k]);
		check_eq(envs[k].out, 0);
	}
}

static void carry_from(unsigned k)
{
	struct tern_pkt *p, *copy;

	while ((p = tern_output(hosts[k], CARD))) {
		copy = tern_pkt_new(hosts[!k], p->total_len);
		tern_pkt_copy(p, 0, copy->data, p->total_len);
		copy->ifindex = CARD;
		tern_pkt_free(hosts[k], p);
		tern_input(hosts[!k], copy);
	}
}

static void pass(tern_time span)
{
	for (tern_time until = now + span; now < until; now += TERN_MS)
		for (unsigned k = 0; k < 2; k++) {
			tern_advance(hosts[k], now);
			carry_from(k);
		}
}

static tern_sock opened(unsigned k, int type)
{
	tern_sock s = 0;

	check_eq(tern_socket(hosts[k], TERN_AF_INET, type, 0, &s), 0);
	return s;
}

/* As Linux numbers them: struct tern_tcp_info. */
enum { FIN_WAIT_2 = 5, TIME_WAIT = 6, CLOSE_WAIT = 8 };

static int state_of(unsigned k, tern_sock s)
{
	struct tern_tcp_info info;
	size_t size = sizeof(info);

	check_eq(tern_getsockopt(hosts[k], s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &size), 0);
	return info.state;
}

/* A connection opens, carries bytes both ways, and closes through every state. */
static void streams(void)
{
	enum { LEN = 300000 };
	static uint8_t out[LEN], in[LEN];
	tern_sock listener, client, server;
	size_t sent = 0, got = 0;
	int64_t n;

	begin();
	for (size_t i = 0; i < LEN; i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	listener = opened(1, TERN_SOCK_STREAM);
	client = opened(0, TERN_SOCK_STREAM);
	check_eq(tern_bind(hosts[1], listener, &at), 0);
	check_eq(tern_listen(hosts[1], listener, 4), 0);
	check_eq(tern_connect(hosts[0], client, &at), -TERN_EINPROGRESS);
	pass(20 * TERN_MS);
	check_eq(tern_accept(hosts[1], listener, &server, NULL), 0);
	for (int turn = 0; turn < 10000 && got < LEN; turn++) {
		n = sent < LEN ? tern_send(hosts[0], client, out + sent, LEN - sent, 0) : 0;
		sent += n > 0 ? (size_t)n : 0;
		pass(TERN_MS);
		while ((n = tern_recv(hosts[1], server, in + got, LEN - got, 0)) > 0)
			got += (size_t)n;
	}
	check_eq(got, LEN);
	check_mem(in, out, LEN);
	check_eq(tern_send(hosts[1], server, "bye", 3, 0), 3);
	check_eq(tern_shutdown(hosts[0], client, TERN_SHUT_WR), 0);
	pass(100 * TERN_MS);
	check_eq(tern_recv(hosts[1], server, in, LEN, 0), 0);
	check_eq(state_of(1, server), CLOSE_WAIT);
	check_eq(state_of(0, client), FIN_WAIT_2);
	check_eq(tern_recv(hosts[0], client, in, LEN, 0), 3);
	tern_close(hosts[1], server);
	pass(100 * TERN_MS);
	check_eq(state_of(0, client), TIME_WAIT);
	tern_close(hosts[0], client);
	pass(61 * TERN_SEC);
	tern_close(hosts[1], listener);
	end();
}

/* Boundaries are kept, in fragments too; a port that nobody has is told of. */
static void datagrams(void)
{
	static uint8_t big[20000], in[30000];
	struct tern_addr nobody, from;
	tern_sock server, client;

	begin();
	nobody = tern_ip4(192, 0, 2, 2, PORT + 1);
	memset(big, 0x5a, sizeof(big));
	server = opened(1, TERN_SOCK_DGRAM);
	client = opened(0, TERN_SOCK_DGRAM);
	check_eq(tern_bind(hosts[1], server, &at), 0);
	check_eq(tern_sendto(hosts[0], client, "one", 3, 0, &at), 3);
	check_eq(tern_sendto(hosts[0], client, big, sizeof(big), 0, &at), sizeof(big));
	pass(20 * TERN_MS);
	check_eq(tern_recvfrom(hosts[1], server, in, sizeof(in), 0, &from), 3);
	check_eq(from.ip[3], 1);
	check_eq(tern_recvfrom(hosts[1], server, in, sizeof(in), 0, &from), sizeof(big));
	check_mem(in, big, sizeof(big));
	check_eq(tern_connect(hosts[0], client, &nobody), 0);
	check_eq(tern_send(hosts[0], client, "x", 1, 0), 1);
	pass(20 * TERN_MS);
	check_eq(tern_recv(hosts[0], client, in, sizeof(in), 0), -TERN_ECONNREFUSED);
	tern_close(hosts[0], client);
	tern_close(hosts[1], server);
	end();
}

/* ---- an address by DHCP, or from nobody ---- */

static bool find_address(enum tern_origin origin, struct tern_iface_addr *out)
{
	unsigned cursor = 0;

	while (tern_addr_next(hosts[0], &cursor, out))
		if (out->ifindex == CARD && out->origin == origin &&
		    !(out->flags & TERN_ADDR_TENTATIVE))
			return true;
	return false;
}

static void serve(struct dhcp4_server *s, tern_time span)
{
	struct tern_event ev;

	for (tern_time until = now + span; now < until;) {
		pass(10 * TERN_MS);
		while (tern_event(hosts[1], &ev))
			check(dhcp4_server_on_event(s, &ev));
		dhcp4_server_advance(s);
	}
}

static void leases_an_address(void)
{
	struct dhcp4_server_config cfg = {
		.ifindex = CARD,
		.self = tern_ip4(192, 0, 2, 2, 0),
		.prefix_len = 24,
		.first = tern_ip4(192, 0, 2, 100, 0),
		.last = tern_ip4(192, 0, 2, 103, 0),
	};
	struct tern_iface_addr leased;
	struct dhcp4_server *s;
	struct tern_server dns;
	tern_sock asks, hears;
	unsigned cursor = 0;
	char text[8];

	begin_nameless();
	cfg.says.lease = 3600;
	cfg.says.dns.n = 1;
	cfg.says.dns.ip[0] = 0xc0000202;
	s = dhcp4_server_new(hosts[1], &cfg);
	check(s != NULL);
	check_eq(tern_auto_set(hosts[0], CARD, TERN_AUTO_DHCP4), 0);
	serve(s, 30 * TERN_SEC);
	check(find_address(TERN_ORIGIN_DHCP4, &leased));
	check(leased.addr.ip[3] >= 100 && leased.addr.ip[3] < 104);
	check(tern_server_next(hosts[0], &cursor, &dns) && dns.addr.ip[3] == 2);
	asks = opened(0, TERN_SOCK_DGRAM);
	hears = opened(1, TERN_SOCK_DGRAM);
	check_eq(tern_bind(hosts[1], hears, &at), 0);
	check_eq(tern_sendto(hosts[0], asks, "hi", 2, 0, &at), 2);
	pass(20 * TERN_MS);
	check_eq(tern_recv(hosts[1], hears, text, sizeof(text), 0), 2);
	tern_close(hosts[0], asks);
	tern_close(hosts[1], hears);
	/* given back, and asked for again: the stack ends in the middle of it */
	check_eq(tern_auto_set(hosts[0], CARD, 0), 0);
	check(!find_address(TERN_ORIGIN_DHCP4, &leased));
	serve(s, TERN_SEC);
	check_eq(tern_auto_set(hosts[0], CARD, TERN_AUTO_DHCP4), 0);
	serve(s, 2 * TERN_SEC);
	dhcp4_server_free(s);
	end();
}

static void takes_an_address_that_nobody_gave(void)
{
	struct tern_iface_addr own;

	begin_nameless();
	check_eq(tern_auto_set(hosts[0], CARD, TERN_AUTO_RA), -TERN_EINVAL);
	check_eq(tern_auto_set(hosts[0], CARD, TERN_AUTO_DHCP4 | TERN_AUTO_DHCP6), -TERN_EINVAL);
	check_eq(tern_auto_set(hosts[0], CARD, TERN_AUTO_DHCP4 | TERN_AUTO_LINK_LOCAL4), 0);
	pass(40 * TERN_SEC);
	check(find_address(TERN_ORIGIN_LINK_LOCAL, &own));
	check(own.addr.ip[0] == 169 && own.addr.ip[1] == 254);
	check_eq(tern_iface_del(hosts[0], CARD), 0);
	check_eq(tern_iface_next(hosts[0], 1), 0);
	end();
}

/* What is not there is refused at once, with the error for that. */
static void refuses_the_rest(void)
{
	struct tern_addr six = { .family = TERN_AF_INET6, .ip = { 0xfd, [15] = 1 } };
	struct tern_route route = { .ifindex = CARD, .dst = six, .prefix_len = 64 };
	uint8_t group[8] = { 239, 0, 0, 1 };
	tern_sock s;

	begin();
	check_eq(tern_socket(hosts[0], TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s), -TERN_EAFNOSUPPORT);
	check_eq(tern_socket(hosts[0], TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), -TERN_EAFNOSUPPORT);
	check_eq(tern_socket(hosts[0], TERN_AF_INET, TERN_SOCK_RAW, 17, &s), -TERN_ESOCKTNOSUPPORT);
	check_eq(tern_socket(hosts[0], TERN_AF_INET, TERN_SOCK_DGRAM, TERN_IPPROTO_ICMP, &s),
		 -TERN_EPROTONOSUPPORT);
	check_eq(tern_addr_add(hosts[0], CARD, &six, 64), -TERN_EAFNOSUPPORT);
	check_eq(tern_route_add(hosts[0], &route), -TERN_EAFNOSUPPORT);
	s = opened(0, TERN_SOCK_DGRAM);
	check_eq(tern_setsockopt(hosts[0], s, TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP, group, 8),
		 -TERN_ENOPROTOOPT);
	tern_close(hosts[0], s);
	s = opened(0, TERN_SOCK_STREAM);
	check_eq(tern_setsockopt(hosts[0], s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "bbr", 3),
		 -TERN_ENOENT);
	check_eq(tern_setsockopt(hosts[0], s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "reno", 4), 0);
	tern_close(hosts[0], s);
	end();
}

static void give(const uint8_t *frame, uint32_t len)
{
	struct tern_pkt *p = tern_pkt_new(hosts[0], len);

	memcpy(p->data, frame, len);
	p->ifindex = CARD;
	tern_input(hosts[0], p);
}

/* Packets of what is not there are dropped, cut anywhere. */
static void drops_the_rest(void)
{
	uint8_t frame[100] = { 2, 0, 0, 0,    0,    0,	  2,	     0,		0,
			       0, 0, 9, 0x86, 0xdd, 0x60, [19] = 46, [20] = 58, 255 };
	uint8_t igmp[60] = {
		2,    0,	 0,	   0, 0,	  0, 2, 0, 0,	0, 0, 9, 8,   0,
		0x45, [17] = 28, [22] = 1, 2, [26] = 192, 0, 2, 2, 192, 0, 2, 1, 0x11
	};
	uint64_t before;

	begin();
	before = tern_counter(hosts[0], "Drop-no-proto");
	for (uint32_t len = 14; len <= sizeof(frame); len++)
		give(frame, len);
	check_eq(tern_counter(hosts[0], "Drop-no-proto") - before, sizeof(frame) - 13);
	before = tern_counter(hosts[0], "Drop-no-proto");
	igmp[24] = 0x35; /* its checksum */
	igmp[25] = 0xdd;
	for (uint32_t len = 14; len <= sizeof(igmp); len++)
		give(igmp, len);
	check(tern_counter(hosts[0], "Drop-no-proto") > before);
	pass(TERN_MS);
	end();
}

static const struct test tests[] = {
	TEST(streams),		 TEST(datagrams),
	TEST(leases_an_address), TEST(takes_an_address_that_nobody_gave),
	TEST(refuses_the_rest),	 TEST(drops_the_rest),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
