/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nameless_test.c - what a host may send that has no address yet.
 */
#include "test.h"

#include "../../include/tern_sim.h"

static tern_sock bound(struct tern_stack *st, uint16_t port)
{
	struct tern_addr at = tern_ip4(0, 0, 0, 0, port);
	tern_sock s = 0;

	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

/* Neither host has an address of IPv4 yet: what a client of DHCP says, in a datagram and by hand. */
static void without_an_address(void)
{
	static uint8_t packet[21] = { 0x45 };
	struct tern_addr none = tern_ip4(0, 0, 0, 0, 0), all = tern_ip4(255, 255, 255, 255, 67);
	struct tern_addr from, one = tern_ip4(192, 0, 2, 1, 67);
	struct tern_route on_link = { .dst = { .family = TERN_AF_INET }, .ifindex = 2 };
	int32_t yes = 1, index = 2;
	tern_sock a, b, raw, hears;
	struct tern_weather wire = { .delay = TERN_MS };
	struct tern_sim_pair net;
	uint8_t got[64];

	check_eq(tern_sim_pair(&net, 5, TERN_AF_INET6, TERN_LINK_ETHERNET, 1500, &wire), 0);
	b = bound(net.b, 67);
	a = bound(net.a, 68);
	check_eq(tern_setsockopt(net.a, a, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &yes, 4), 0);
	check_eq(tern_setsockopt(net.a, a, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index, 4), 0);
	check_eq(tern_sendto(net.a, a, "who am I", 8, 0, &all), 8);
	tern_sim_run(net.sim, tern_sim_now(net.sim) + TERN_SEC);
	check_eq(tern_recvfrom(net.b, b, got, sizeof(got), 0, &from), 8);
	check(from.port == 68 && memcmp(from.ip, none.ip, 16) == 0);
	check_eq(tern_route_add(net.a, &on_link), 0);
	check_eq(tern_sendto(net.a, a, "x", 1, 0, &one), -TERN_EADDRNOTAVAIL);
	check_eq(tern_socket(net.a, TERN_AF_INET, TERN_SOCK_RAW, TERN_IPPROTO_RAW, &raw), 0);
	check_eq(tern_setsockopt(net.a, raw, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &yes, 4), 0);
	check_eq(tern_setsockopt(net.a, raw, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index, 4), 0);
	check_eq(tern_socket(net.b, TERN_AF_INET, TERN_SOCK_RAW, 17, &hears), 0);
	packet[8] = 64;
	packet[9] = 17;
	memcpy(packet + 12, "\xc0\0\2\11\xff\xff\xff\xff", 8);
	check_eq(tern_sendto(net.a, raw, packet, sizeof(packet), 0, &all), sizeof(packet));
	tern_sim_run(net.sim, tern_sim_now(net.sim) + TERN_SEC);
	check_eq(tern_recv(net.b, hears, got, sizeof(got), 0), sizeof(packet));
	check(memcmp(got + 12, packet + 12, 8) == 0);
	tern_sim_free(net.sim);
}

static const struct test tests[] = {
	TEST(without_an_address),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
