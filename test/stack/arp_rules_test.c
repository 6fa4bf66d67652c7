/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp_rules_test.c - ARP and Ethernet on the wire: which frames are heard, what is asked, answered
 * and remembered, how an address is probed for, announced and defended; RFC 826, RFC 894,
 * RFC 1122 2.3 and 2.4, RFC 5227.
 */
#include "inet_fixture.h"

static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 0x77 };

static void put_frame(const uint8_t *frame, uint32_t len)
{
	struct tern_pkt *p = tern_pkt_new(st, len);

	memcpy(p->data, frame, len);
	p->ifindex = 2;
	tern_input(st, p);
	tern_check(st);
}

static uint32_t arp_frame(uint8_t *frame, const struct arp *a, const uint8_t *to)
{
	struct eth h = { .type = ETH_ARP };

	memcpy(h.dst, to, 6);
	memcpy(h.src, a->sender_mac, 6);
	return (uint32_t)(eth_emit(&h, frame) + arp_emit(a, frame + ETH_HDR_LEN));
}

static void put_arp(uint16_t op, const char *sender, const uint8_t *mac, const char *target)
{
	struct arp a = { .op = op, .sender = parse_addr(sender), .target = parse_addr(target) };
	uint8_t frame[60];

	memcpy(a.sender_mac, mac, 6);
	put_frame(frame, arp_frame(frame, &a, op == ARP_REQUEST ? all_macs : our_mac));
}

/* All that goes out now. */
struct seen {
	unsigned requests, replies, ips;
	struct arp arp; /* the last */
	uint8_t arp_to[6], ip_to[6];
	uint8_t ip[1600]; /* the last */
	uint32_t ip_len;
};

static struct seen look(void)
{
	struct seen s = { .requests = 0 };
	uint8_t frame[1600];
	uint32_t len;

	while ((len = next_out(frame, sizeof(frame)))) {
		check_mem(frame + 6, our_mac, 6);
		if (get_be16(frame + 12) == ETH_ARP) {
			check(arp_parse(&s.arp, frame + 14, len - 14));
			memcpy(s.arp_to, frame, 6);
			s.requests += s.arp.op == ARP_REQUEST;
			s.replies += s.arp.op == ARP_REPLY;
		} else {
			check_eq(get_be16(frame + 12), ETH_IP4);
			memcpy(s.ip_to, frame, 6);
			s.ip_len = len - 14;
			memcpy(s.ip, frame + 14, s.ip_len);
			s.ips++;
		}
	}
	return s;
}

static bool find_neighbour(const char *ip, struct tern_neigh *n)
{
	struct addr want = parse_addr(ip);
	unsigned cursor = 0;

	while (tern_neigh_next(st, &cursor, n))
		if (n->addr.family == TERN_AF_INET && memcmp(n->addr.ip, want.b + 12, 4) == 0)
			return true;
	return false;
}

static bool has_mac(const char *ip, const uint8_t *mac)
{
	struct tern_neigh n;

	return find_neighbour(ip, &n) && memcmp(n.mac, mac, 6) == 0;
}

/* ---- frames ---- */

/* ARP-1, ARP-2: type fields are heard and sent; padding is nobody's; 802.3 lengths are passed over. */
static void frames(void)
{
	static const uint8_t snap[8] = { 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 };
	struct arp ask = { .op = ARP_REQUEST, .sender = parse_addr("10.0.0.9") };
	uint8_t frame[100];
	struct packet echo = { .src = "10.0.0.9" };
	struct eth h = { .type = ETH_IP4 };
	struct seen s;
	uint32_t len;

	new_ethernet(24, false);
	memset(frame, 0xee, sizeof(frame));
	ask.target = parse_addr("10.0.0.1");
	memcpy(ask.sender_mac, peer_mac, 6);
	check_eq(arp_frame(frame, &ask, all_macs), 42);
	for (len = 0; len < 42; len++) {
		put_frame(frame, len);
		check_eq(look().replies, 0);
	}
	put_frame(frame, 60);
	check_eq(look().replies, 1);
	fill_echo(&echo);
	memcpy(h.dst, our_mac, 6);
	memcpy(h.src, peer_mac, 6);
	eth_emit(&h, frame);
	check_eq(packet_bytes(&echo, frame + 14), 32);
	put_frame(frame, 60);
	s = look();
	check_eq(s.ips, 1);
	check_eq(s.ip_len, 32);
	check_eq(get_be16(s.ip + 2), 32);
	check_mem(s.ip_to, peer_mac, 6);
	memcpy(h.dst, other_mac, 6); /* somebody else's */
	eth_emit(&h, frame);
	put_frame(frame, 60);
	check_eq(look().ips, 0);
	memcpy(h.dst, our_mac, 6);
	h.type = 40;
	eth_emit(&h, frame);
	memmove(frame + 22, frame + 14, 32);
	memcpy(frame + 14, snap, 8);
	put_frame(frame, 60);
	s = look();
	check_eq(s.ips + s.replies, 0);
	end_stack();
}

/* ARP-8: IP is told that a frame was for everybody, and takes nothing for one host from it. */
static void broadcast_frames(void)
{
	static const uint8_t group_mac[6] = { 1, 0, 0x5e, 0, 0, 1 };
	const uint8_t *to[] = { our_mac, all_macs, group_mac };

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = { .frame_to = to[i] };
		tern_sock s;

		new_ethernet(24, true);
		s = open_udp("0.0.0.0", 7000);
		fill_echo(&p);
		check_eq(answer_to(&p), i ? -1 : 0);
		fill_udp(&p, PEER_PORT, 7001, "x", 1);
		check_eq(answer_to(&p), i ? -1 : 0x0303);
		fill_udp(&p, PEER_PORT, 7000, "x", 1);
		put_packet(&p);
		check_eq(hears(s), i ? -TERN_EAGAIN : 1);
		fill_tcp(&p, PEER_PORT, 80, TCP_SYN);
		check_eq(answer_to(&p), i ? -1 : -2);
		end_stack();
	}
}

/* ---- what is remembered ---- */

/* ARP-9, ARP-11, ARP-15: RFC 826, "Packet Reception", in its order. */
static void reception(void)
{
	struct tern_neigh n;
	struct seen s;

	new_ethernet(24, false);
	put_arp(ARP_REQUEST, "10.0.0.9", peer_mac, "10.0.0.8"); /* not about us: not added */
	check(!find_neighbour("10.0.0.9", &n));
	check_eq(look().replies, 0);
	put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.9"); /* nobody asked */
	put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.1");
	check(!find_neighbour("10.0.0.9", &n));
	put_arp(ARP_REQUEST, "10.0.0.9", peer_mac, "10.0.0.1");
	check(has_mac("10.0.0.9", peer_mac));
	s = look();
	check_eq(s.replies, 1);
	check_eq(s.requests, 0);
	check_mem(s.arp_to, peer_mac, 6);
	check_mem(s.arp.sender_mac, our_mac, 6);
	check_mem(s.arp.target_mac, peer_mac, 6);
	check_mem(s.arp.sender.b + 12, parse_addr("10.0.0.1").b + 12, 4);
	check_mem(s.arp.target.b + 12, parse_addr("10.0.0.9").b + 12, 4);
	put_arp(ARP_REQUEST, "10.0.0.9", other_mac, "10.0.0.8"); /* known: updated all the same */
	check(has_mac("10.0.0.9", other_mac));
	check_eq(look().replies, 0);
	put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.9");
	check(has_mac("10.0.0.9", peer_mac));
	put_arp(3, "10.0.0.7", other_mac, "10.0.0.1"); /* neither question nor answer */
	check_eq(look().replies, 0);
	end_stack();
}

/* ARP-10: other hardware, protocols and lengths; addresses that are no host's. */
static void malformed(void)
{
	static const char *const bad[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1",
					   "127.0.0.1" };
	struct arp a = { .op = ARP_REQUEST, .sender = parse_addr("10.0.0.9") };
	static const uint8_t group_mac[6] = { 3, 0, 0, 0, 0, 9 };
	uint8_t frame[60];
	struct tern_neigh n;
	uint32_t len;

	new_ethernet(24, false);
	a.target = parse_addr("10.0.0.1");
	memcpy(a.sender_mac, peer_mac, 6);
	len = arp_frame(frame, &a, all_macs);
	for (unsigned i = 0; i < 6 * 8; i++) {
		test_at("bit %u", i);
		frame[14 + i / 8] ^= (uint8_t)(1 << i % 8);
		put_frame(frame, len);
		frame[14 + i / 8] ^= (uint8_t)(1 << i % 8);
		check_eq(look().replies, 0);
		check(!find_neighbour("10.0.0.9", &n));
	}
	check_eq(tern_counter(st, "Drop-arp-malformed"), 48);
	for (unsigned i = 0; i < N_TESTS(bad); i++) {
		put_arp(ARP_REQUEST, bad[i], peer_mac, "10.0.0.1");
		check_eq(look().replies, 0);
		check(!find_neighbour(bad[i], &n));
	}
	put_arp(ARP_REQUEST, "10.0.0.9", group_mac, "10.0.0.1");
	check_eq(look().replies, 0);
	put_frame(frame, len);
	check_eq(look().replies, 1);
	end_stack();
}

/* ---- what is asked ---- */

static tern_sock caller;

static void begin_asking(void)
{
	new_ethernet(24, false);
	caller = open_udp("0.0.0.0", 7000);
}

static void speak(const char *text)
{
	check_eq(send_to(caller, "10.0.0.9", 9, text, strlen(text)), strlen(text));
}

/* ARP-3: what is old is asked about before it is believed for long, and forgotten. */
static void old_entries(void)
{
	struct tern_neigh n;
	unsigned asked = 0;
	struct seen s;

	begin_asking();
	speak("one");
	check_eq(look().requests, 1);
	put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.1");
	check_mem(look().ip_to, peer_mac, 6);
	pass(60 * TERN_SEC); /* unused */
	check_eq(look().requests, 0);
	for (int i = 0; i < 20 && find_neighbour("10.0.0.9", &n); i++) {
		speak("two");
		s = look();
		if (s.requests) {
			asked++;
			check_mem(s.arp_to, peer_mac, 6); /* RFC 1122 2.3.2.1 (2) */
		}
		pass(TERN_SEC);
	}
	check_eq(asked, 3);
	check(!find_neighbour("10.0.0.9", &n));
	speak("three");
	s = look();
	check_eq(s.requests, 1);
	check_mem(s.arp_to, all_macs, 6);
	put_arp(ARP_REPLY, "10.0.0.9", other_mac, "10.0.0.1");
	check_mem(look().ip_to, other_mac, 6);
	end_stack();
}

/* ARP-4: how long an entry is believed, and how soon after that it is asked about. */
static void times_that_are_set(void)
{
	static const struct {
		const char *reachable_ms, *delay_s;
		unsigned believed_s, asked_s;
	} cases[] = { { "30000", "5", 10, 5 }, { "300000", "5", 140, 0 }, { "2000", "60", 4, 60 } };

	for (size_t i = 0; i < N_TESTS(cases); i++) {
		unsigned s = 0;

		test_at("%s ms, %s s", cases[i].reachable_ms, cases[i].delay_s);
		begin_asking();
		check_eq(tern_sysctl_set(st, "net.ipv4.neigh.default.base_reachable_time_ms",
					 cases[i].reachable_ms),
			 0);
		check_eq(tern_sysctl_set(st, "net.ipv4.neigh.default.delay_first_probe_time",
					 cases[i].delay_s),
			 0);
		speak("one");
		check_eq(look().requests, 1);
		put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.1");
		check_eq(look().ips, 1);
		pass(cases[i].believed_s * TERN_SEC);
		if (i == 0)
			pass(40 * TERN_SEC); /* 45 s at most */
		speak("two");
		check_eq(look().requests, 0);
		for (; s < 100 && !look().requests; s++)
			pass(TERN_SEC);
		check_eq(s, cases[i].asked_s ? cases[i].asked_s : 100);
		end_stack();
	}
}

/* ARP-5: however much is sent there, a second lies between two questions. */
static void no_floods(void)
{
	tern_time last = 0;
	unsigned asked = 0;

	begin_asking();
	for (int ms = 0; ms < 10000; ms++) {
		unsigned n;

		speak("anybody?");
		n = look().requests;
		check(n <= 1);
		if (n) {
			check(last == 0 || tern_now(st) - last >= TERN_SEC);
			last = tern_now(st);
			asked++;
		}
		if (ms == 999)
			check_eq(asked, 1);
		pass(TERN_MS);
	}
	check(asked >= 5 && asked <= 10);
	end_stack();
}

/* ARP-6, ARP-7: the latest wait for the answer, and nobody is told of an error meanwhile. */
static void waiting(void)
{
	int32_t err = -1;
	size_t size = sizeof(err);
	struct seen s;
	char c;

	begin_asking();
	set_option(caller, TERN_IPPROTO_IP, TERN_IP_RECVERR, 1);
	check_eq(connect_to(caller, "10.0.0.9", 9), 0);
	for (int i = 0; i < 100; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%03d", i);
		check_eq(tern_send(st, caller, text, 3, 0), 3);
		check_eq(look().ips, 0);
		check_eq(tern_recv(st, caller, &c, 1, 0), -TERN_EAGAIN);
	}
	pass(900 * TERN_MS);
	check_eq(tern_getsockopt(st, caller, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &size), 0);
	check_eq(err, 0);
	check_eq(tern_recv(st, caller, &c, 1, TERN_MSG_ERRQUEUE), -TERN_EAGAIN);
	put_arp(ARP_REPLY, "10.0.0.9", peer_mac, "10.0.0.1");
	s = look();
	check(s.ips >= 1 && s.ips < 100);
	check_mem(s.ip + 28, "099", 3);
	check_mem(s.ip_to, peer_mac, 6);
	end_stack();
}

/* ARP-16: groups and broadcasts have link addresses of their own (RFC 1112 6.4). */
static void groups(void)
{
	static const struct {
		const char *to;
		uint8_t mac[6];
	} cases[] = {
		{ "224.1.2.3", { 1, 0, 0x5e, 1, 2, 3 } },
		{ "239.129.2.3", { 1, 0, 0x5e, 1, 2, 3 } },
		{ "239.255.255.250", { 1, 0, 0x5e, 0x7f, 0xff, 0xfa } },
		{ "255.255.255.255", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ "10.0.0.255", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	};
	struct seen s;

	begin_asking();
	add_route("0.0.0.0", 0, NULL, 1);
	set_option(caller, TERN_SOL_SOCKET, TERN_SO_BROADCAST, 1);
	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", cases[i].to);
		check_eq(send_to(caller, cases[i].to, 9, "x", 1), 1);
		s = look();
		check_eq(s.requests, 0);
		check_eq(s.ips, 1);
		check_mem(s.ip_to, cases[i].mac, 6);
	}
	end_stack();
}

/* ---- whose is an address? RFC 5227; here one that is made up, RFC 3927 ---- */

static bool own_address(struct tern_iface_addr *a)
{
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, a))
		if (a->ifindex == 2 && a->addr.family == TERN_AF_INET &&
		    !(a->flags & TERN_ADDR_DUPLICATE))
			return true;
	return false;
}

static bool is_about(const struct seen *s, const struct tern_iface_addr *a, bool announces)
{
	static const uint8_t nobody[4];

	return s->requests == 1 && memcmp(s->arp.target.b + 12, a->addr.ip, 4) == 0 &&
	       memcmp(s->arp.sender.b + 12, announces ? a->addr.ip : nobody, 4) == 0 &&
	       memcmp(s->arp_to, all_macs, 6) == 0;
}

/* Until something is asked, in steps of 10 ms; how long that took, in ms. */
static unsigned until_asked(struct seen *s)
{
	for (unsigned ms = 0; ms < 5000; ms += 10) {
		*s = look();
		if (s->requests)
			return ms;
		pass(10 * TERN_MS);
	}
	return 5000;
}

static void say_to_have(const struct tern_iface_addr *a)
{
	char text[TERN_ADDR_TEXT_MAX];

	tern_addr_format(&a->addr, false, text);
	put_arp(ARP_REPLY, text, other_mac, text);
}

static void begin_probing(void)
{
	new_ethernet(0, false);
	check_eq(tern_sysctl_set(st, "net.ipv6.conf.dad_transmits", "1"), 0);
	check_eq(tern_auto_set(st, 2, TERN_AUTO_LINK_LOCAL4), 0);
}

/* ARP-12, ARP-13: three probes from nobody, 1 to 2 s apart; two announcements 2 s apart. */
static void probes(void)
{
	struct tern_iface_addr a;
	struct seen s;

	begin_probing();
	for (int i = 0; i < 5; i++) {
		unsigned ms = until_asked(&s);

		test_at("request %d after %u ms", i, ms);
		check(own_address(&a) && is_about(&s, &a, i >= 3));
		check_eq((a.flags & TERN_ADDR_TENTATIVE) != 0, i < 3);
		if (i == 0)
			check(ms <= 1010);
		else if (i < 3)
			check(ms >= 990 && ms <= 2010);
		else
			check(ms >= 1990 && ms <= 2010);
	}
	check_eq(until_asked(&s), 5000);
	end_stack();
}

/* ARP-12 (RFC 5227 2.1): a link that comes up may be another one, so all of it begins again. */
static void probes_when_the_link_is_back(void)
{
	for (int taken = 0; taken < 2; taken++) {
		struct tern_iface_addr a, after;
		struct seen s;

		test_at("taken: %d", taken);
		begin_probing();
		pass(20 * TERN_SEC);
		look();
		check(own_address(&a) && a.flags == 0);
		check_eq(tern_iface_set(st, 2, 1500, TERN_IFACE_DOWN), 0);
		pass(20 * TERN_SEC);
		check_eq(tern_iface_set(st, 2, 1500, 0), 0);
		check(own_address(&after) && after.flags == TERN_ADDR_TENTATIVE);
		for (int i = 0; i < 5 && !taken; i++) {
			check(until_asked(&s) <= 2010);
			check(own_address(&after) && is_about(&s, &a, i >= 3));
			check_eq((after.flags & TERN_ADDR_TENTATIVE) != 0, i < 3);
		}
		if (taken) {
			check(until_asked(&s) <= 2010);
			say_to_have(&a);
			check(until_asked(&s) < 5000);
			check(own_address(&after) && memcmp(after.addr.ip, a.addr.ip, 4) != 0);
		}
		end_stack();
	}
}

/* ARP-12: who answers a probe, or probes for it too, has it; another is tried. */
static void refused_addresses(void)
{
	static const uint8_t nobody[4];

	for (int probes_too = 0; probes_too < 2; probes_too++) {
		struct tern_iface_addr first, next;
		char text[TERN_ADDR_TEXT_MAX];
		struct seen s;

		begin_probing();
		until_asked(&s);
		check(own_address(&first));
		tern_addr_format(&first.addr, false, text);
		if (probes_too)
			put_arp(ARP_REQUEST, "0.0.0.0", other_mac, text);
		else
			say_to_have(&first);
		check(until_asked(&s) < 5000);
		check(own_address(&next) && memcmp(next.addr.ip, first.addr.ip, 4) != 0);
		check_mem(s.arp.target.b + 12, next.addr.ip, 4);
		check_mem(s.arp.sender.b + 12, nobody, 4);
		end_stack();
	}
}

/* ARP-14: defended at once, but not twice in 10 s: then it is the other's. */
static void defence(void)
{
	for (int again_s = 9; again_s <= 11; again_s += 2) {
		struct tern_iface_addr a, after;
		struct seen s;

		test_at("again after %d s", again_s);
		begin_probing();
		pass(20 * TERN_SEC);
		look();
		check(own_address(&a) && a.flags == 0);
		say_to_have(&a);
		s = look();
		check(is_about(&s, &a, true));
		pass((tern_time)again_s * TERN_SEC);
		check_eq(look().requests, 0);
		say_to_have(&a);
		s = look();
		check_eq(is_about(&s, &a, true), again_s > 10);
		check_eq(own_address(&after) && memcmp(after.addr.ip, a.addr.ip, 4) == 0,
			 again_s > 10);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(frames),
		TEST(broadcast_frames),
		TEST(reception),
		TEST(malformed),
		TEST(old_entries),
		TEST(times_that_are_set),
		TEST(probes_when_the_link_is_back),
		TEST(no_floods),
		TEST(waiting),
		TEST(groups),
		TEST(probes),
		TEST(defence),
		TEST(refused_addresses),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
