/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_neighbour_test.c - floods on the cache of neighbours: those who are spoken to stay in it, and
 * memory is bounded (RFC 6583).
 */
#include "inet_fixture.h"

enum { NEIGHBOURS = 1024 };

static tern_sock flow;
static bool flow6;

static void put_answer(const uint8_t *mac)
{
	struct arp a = { .op = ARP_REPLY,
			 .sender = parse_addr("10.0.0.9"),
			 .target = parse_addr("10.0.0.1") };
	struct tern_pkt *p = tern_pkt_new(st, 42);
	struct eth h = { .dst = { 2, 0, 0, 0, 0, 1 }, .type = ETH_ARP };

	memcpy(a.sender_mac, mac, 6);
	memcpy(h.src, mac, 6);
	eth_emit(&h, p->data);
	arp_emit(&a, p->data + 14);
	p->ifindex = 2;
	tern_input(st, p);
}

static void put_advert(const uint8_t *mac)
{
	struct ndp say = { .type = ICMP6_NEIGH_ADVERT, .solicited = true, .override = true };
	struct packet p = { .v6 = true, .proto = ICMP6, .body = scratch };
	uint8_t bytes[100];
	uint32_t len;

	say.target = parse_addr("fd00::9");
	say.has_mac = true;
	memcpy(say.mac, mac, 6);
	p.len = (uint32_t)ndp_emit(&say, scratch);
	put_be16(scratch + 2,
		 checksum_finish(checksum_add(scratch, p.len, pseudo_sum(&p, ICMP6, p.len))));
	len = packet_bytes(&p, bytes);
	bytes[7] = 255;
	put_bytes(bytes, len, NULL, 0);
}

/* What goes to the peer now; *asks: he is asked for, too. */
static unsigned to_peer(bool *asks)
{
	uint8_t frame[1600];
	uint32_t len;
	unsigned n = 0;

	while ((len = next_out(frame, sizeof(frame)))) {
		uint16_t type = get_be16(frame + 12);

		if (type == ETH_ARP && frame[21] == ARP_REQUEST &&
		    get_be32(frame + 38) == 0x0a000009)
			*asks = true;
		else if (type == ETH_IP6 && frame[20] == ICMP6 && frame[54] == 135 &&
			 memcmp(frame + 62, parse_addr("fd00::9").b, 16) == 0)
			*asks = true;
		else if (type != ETH_ARP && memcmp(frame, peer_mac, 6) == 0)
			n++;
	}
	return n;
}

static void answer_if(bool asked)
{
	if (asked && flow6)
		put_advert(peer_mac);
	else if (asked)
		put_answer(peer_mac);
}

static void begin_flow(bool v6)
{
	bool asks = false;

	flow6 = v6;
	new_ethernet(8, false);
	add_address("fd00::1", 2, 64);
	flow = open_udp(v6 ? "::" : "0.0.0.0", 7000);
	check_eq(send_to(flow, v6 ? "fd00::9" : "10.0.0.9", 9, "x", 1), 1);
	check_eq(to_peer(&asks), 0);
	answer_if(asks);
	check_eq(to_peer(&asks), 1);
}

static unsigned n_neighbours(void)
{
	struct tern_neigh n;
	unsigned cursor = 0, count = 0;

	while (tern_neigh_next(st, &cursor, &n))
		count++;
	return count;
}

/* Somebody who says to be the i-th host of the link asks for us, by ARP or ND. */
static void somebody_asks(uint32_t i)
{
	struct arp a = { .op = ARP_REQUEST, .sender = parse_addr("10.0.0.0") };
	struct tern_pkt *p;
	struct eth h = { .dst = { 2, 0, 0, 0, 0, 1 }, .type = ETH_ARP };

	put_be32(a.sender.b + 12, 0x0a010000 + i);
	a.target = parse_addr("10.0.0.1");
	a.sender_mac[0] = 2;
	put_be32(a.sender_mac + 2, i);
	p = tern_pkt_new(st, 42);
	eth_emit(&h, p->data);
	arp_emit(&a, p->data + 14);
	p->ifindex = 2;
	tern_input(st, p);
}

/* Such a one sends an echo request, which cannot be answered before he is asked for. */
static void somebody_pings(uint32_t i)
{
	struct packet p = { .v6 = flow6 };
	uint8_t bytes[100];
	uint32_t len;
	struct addr dst = target_of(&p), src;

	fill_echo(&p);
	len = packet_bytes(&p, bytes);
	if (flow6) {
		put_be32(bytes + 20, i + 0x10000);
		src = addr_from6(bytes + 8);
		put_be16(scratch + 2, 0);
		put_be16(bytes + 42,
			 checksum_finish(checksum_add(scratch, p.len,
						      checksum_pseudo(&src, &dst, ICMP6, p.len))));
	} else {
		put_be32(bytes + 12, 0x0a020000 + i);
		ip4_set_checksum(bytes);
	}
	put_bytes(bytes, len, NULL, 0);
}

/*
 * SEC-07: at 20000 a second, 99 of 100 datagrams to a neighbour that answers go at once. It is
 * spoken to once in 100 ms: in between more come than there is room for.
 */
static void flood_of(void (*one)(uint32_t), bool v6)
{
	unsigned n_at_once = 0, n = 0;
	uint32_t i = 0;

	begin_flow(v6);
	for (unsigned ms = 0; ms < 1000; ms++) {
		bool asks = false;

		for (int k = 0; k < 20; k++)
			one(i++);
		to_peer(&asks);
		if (ms % 100 == 0) {
			check_eq(send_to(flow, v6 ? "fd00::9" : "10.0.0.9", 9, "x", 1), 1);
			n_at_once += to_peer(&asks);
			n++;
		}
		pass(TERN_MS);
		answer_if(asks);
	}
	check(n_neighbours() <= NEIGHBOURS);
	check(n_at_once * 100 >= n * 99);
	tern_check(st);
	end_stack();
}

static void flood_of_questions(void)
{
	flood_of(somebody_asks, false);
}

/* Our answers wait for a device that takes nothing, but not more of them than there is room for. */
static void answers_are_bounded(void)
{
	enum { ROOM = 4096 };
	uint8_t frame[1600];
	unsigned n = 0;

	new_ethernet(8, false);
	for (uint32_t i = 0; i < 3 * ROOM; i++)
		somebody_asks(i);
	while (next_out(frame, sizeof(frame)))
		n++;
	check(n > ROOM / 2 && n <= ROOM);
	end_stack();
}

static void flood_of_pings(void)
{
	flood_of(somebody_pings, false);
	flood_of(somebody_pings, true);
}

/* Where all are known alike, who was not spoken to for longest gives way. */
static void a_crowded_link(void)
{
	static const char text[] = "x";
	unsigned n = 0;
	tern_sock s;

	new_ethernet(8, false);
	s = open_udp("0.0.0.0", 7000);
	for (uint32_t i = 0; i < 3 * NEIGHBOURS; i++) {
		struct tern_addr to = { .family = TERN_AF_INET, .port = 9 };
		uint8_t frame[1600];
		uint32_t len;

		put_be32(to.ip, 0x0a030000 + i);
		check_eq(tern_sendto(st, s, text, 1, 0, &to), 1);
		while ((len = next_out(frame, sizeof(frame)))) {
			struct arp a, back = { .op = ARP_REPLY };
			struct tern_pkt *p;

			if (get_be16(frame + 12) != ETH_ARP) {
				n++;
				continue;
			}
			check(arp_parse(&a, frame + 14, len - 14));
			back.sender = a.target;
			back.target = a.sender;
			back.sender_mac[0] = 2;
			put_be32(back.sender_mac + 2, i);
			p = tern_pkt_new(st, 42);
			memcpy(p->data, our_mac, 6);
			put_be16(p->data + 12, ETH_ARP);
			arp_emit(&back, p->data + 14);
			p->ifindex = 2;
			tern_input(st, p);
		}
		pass(TERN_MS);
	}
	check_eq(n, 3 * NEIGHBOURS);
	check(n_neighbours() <= NEIGHBOURS);
	end_stack();
}

/* SEC-08: what waits for somebody who is not there is bounded, and goes with him. */
static void waiting_is_bounded(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static const char text[1000];
		uint64_t used[2];
		tern_sock s;

		new_ethernet(8, false);
		add_address("fd00::1", 2, 64);
		s = open_udp(v6 ? "::" : "0.0.0.0", 7000);
		for (int round = 0; round < 2; round++) {
			uint64_t before = tern_memory(st), most = 0;
			bool asks;

			for (int i = 0; i < 10000; i++) {
				check_eq(send_to(s, v6 ? "fd00::5" : "10.0.0.5", 9, text,
						 sizeof(text)),
					 sizeof(text));
				to_peer(&asks);
				most = MAX(most, tern_memory(st));
			}
			check(most - before < 32768);
			pass(10 * TERN_SEC);
			to_peer(&asks);
			check_eq(n_neighbours(), 0);
			used[round] = tern_memory(st);
		}
		check_eq(used[1], used[0]);
		check_eq(tern_counter(st, "Drop-neigh-unresolved"), 20000);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(flood_of_questions), TEST(answers_are_bounded), TEST(flood_of_pings),
		TEST(a_crowded_link),	  TEST(waiting_is_bounded),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
