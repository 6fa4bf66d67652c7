/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nd_rules_test.c - what a host remembers of its neighbours, how long, and what it asks and tells:
 * RFC 4861 7.
 */
#include "nd_fixture.h"

enum { N_QUEUED = 8 }; /* neighbour_queue_max as it is by default */

static const uint8_t other_mac[6] = { 2, 0, 0, 0, 3, 9 };
static const char group[] = "ff02::1:ff00:1111";

/* ---- what is not heard ---- */

/* ND-4: a host has nothing to say to who looks for routers, and remembers nobody. */
static void router_solicitations(void)
{
	for (uint32_t len = 4; len <= 24; len += 4) {
		struct message m = { .bytes = { ICMP6_ROUTER_SOLICIT },
				     .len = len,
				     .to = "ff02::2" };

		begin_host(false);
		m.bytes[8] = ND_SOURCE_MAC;
		m.bytes[9] = 1;
		memcpy(m.bytes + 10, peer.mac, 6);
		m.bytes[17] = 1;
		put(&peer, &m);
		m.to = NULL;
		put(&peer, &m);
		check(!tern_output(st, 2));
		check_eq(state_of_peer(), 0);
		end();
	}
}

static unsigned answers_to(const char *target, const struct speaker *from, const char *to)
{
	struct ndp ask = { .type = ICMP6_NEIGH_SOLICIT, .target = parse(target) };
	struct message m = { .to = to };

	m.len = (uint32_t)ndp_emit(&ask, m.bytes);
	put(from, &m);
	return count_out(ICMP6_NEIGH_ADVERT);
}

/* ND-1: who has no address asks the group of the address, and no other. ND-12: of this link. */
static void who_may_ask(void)
{
	static const struct speaker nobody = { "::", { 2, 0, 0, 0, 2, 8 } };
	struct tern_iface eth = { "eth1", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 2 } };

	begin_host(false);
	check_eq(tern_iface_add(st, &eth), 3);
	give("fe80::2222", 3);
	give("2001:db8:3::2222", 3);
	check_eq(answers_to(ours, &nobody, group), 1);
	check_eq(answers_to(ours, &nobody, NULL), 0);
	check_eq(answers_to(ours, &nobody, "ff02::2"), 0);
	check_eq(answers_to(ours, &peer, NULL), 1);
	check_eq(answers_to(ours, &peer, ours), 1);
	check_eq(answers_to("fe80::2222", &peer, NULL), 0);
	check_eq(answers_to("2001:db8:3::2222", &peer, NULL), 0);
	end();
}

/*
 * RFC 4861 7.2.4: the answer to a question without a link address goes to where the asker is known
 * to be, not to where a frame came from.
 */
static void who_is_answered(void)
{
	static const struct speaker elsewhere = { "fe80::9", { 2, 0, 0, 0, 9, 9 } };
	struct ndp ask = { .type = ICMP6_NEIGH_SOLICIT, .target = parse(ours), .has_mac = true };
	struct message m = { .to = ours };
	struct tern_pkt *p;
	uint8_t to[6];

	begin_host(false);
	memcpy(ask.mac, peer.mac, 6);
	m.len = (uint32_t)ndp_emit(&ask, m.bytes);
	put(&peer, &m);
	check_eq(count_out(ICMP6_NEIGH_ADVERT), 1);
	ask.has_mac = false;
	memset(m.bytes, 0, sizeof(m.bytes));
	m.len = (uint32_t)ndp_emit(&ask, m.bytes);
	put(&elsewhere, &m);
	p = tern_output(st, 2);
	check(p);
	tern_pkt_copy(p, 0, to, 6);
	tern_pkt_free(st, p);
	check(memcmp(to, peer.mac, 6) == 0);
	end();
}

/* ---- groups: ND-7 ---- */

/* Records about the group in the reports that go out within the time. */
static unsigned reports_of_group(tern_time t, uint8_t type)
{
	struct addr about = parse(group), to = parse("ff02::16");
	unsigned n = 0;
	struct tern_pkt *p;

	pass(t);
	while ((p = tern_output(st, 2))) {
		uint8_t f[200];
		uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));

		tern_pkt_free(st, p);
		if (len < 90 || f[20] != 0 || f[54] != 58 || f[62] != MLD2_REPORT)
			continue;
		check_mem(f + 38, to.b, 16);
		check_eq(f[21], 1);
		n += f[70] == type && memcmp(f + 74, about.b, 16) == 0;
	}
	return n;
}

static void groups_of_addresses(void)
{
	struct tern_addr a;

	begin_with(0, false);
	check_eq(tern_auto_set(st, 2, 0), 0);
	reports_of_group(3 * TERN_SEC, 0);
	give(ours, 2);
	check_eq(reports_of_group(3 * TERN_SEC, GROUP_TO_EXCLUDE), 2);
	give("2001:db8::1111", 2); /* the same group */
	check_eq(reports_of_group(3 * TERN_SEC, GROUP_TO_EXCLUDE), 0);
	check_eq(answers_to("2001:db8::1111", &peer, group), 1);
	tern_addr_parse(ours, 0, &a);
	check_eq(tern_addr_del(st, 2, &a), 0);
	check_eq(reports_of_group(3 * TERN_SEC, GROUP_TO_INCLUDE), 0);
	check_eq(answers_to("2001:db8::1111", &peer, group), 1);
	tern_addr_parse("2001:db8::1111", 0, &a);
	check_eq(tern_addr_del(st, 2, &a), 0);
	check_eq(reports_of_group(3 * TERN_SEC, GROUP_TO_INCLUDE), 2);
	check_eq(answers_to("2001:db8::1111", &peer, group), 0);
	end();
}

/* ---- asking ---- */

static void route_on_link(const char *prefix, unsigned ifindex)
{
	struct tern_route r = { .ifindex = ifindex, .prefix_len = 64 };

	tern_addr_parse(prefix, 0, &r.dst);
	check_eq(tern_route_add(st, &r), 0);
}

/* ND-9: never from an address of another interface, nor, as detection asks, from nobody. */
static void who_asks_for_another_link(void)
{
	static const char *const own[] = { "fe80::1111", "2001:db8:1::1", NULL };
	struct tern_iface eth = { "eth1", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 2 } };

	for (size_t i = 0; i < N_TESTS(own); i++) {
		struct tern_addr at, first_own;

		test_at("of the link: %s", own[i] ? own[i] : "none");
		begin_host(false);
		tern_addr_parse(ours, 0, &first_own);
		check_eq(tern_addr_del(st, 2, &first_own), 0);
		if (own[i])
			give(own[i], 2);
		check_eq(tern_iface_add(st, &eth), 3);
		give("fe80::2222", 3);
		give("2001:db8:3::2222", 3);
		route_on_link("2001:db8:7::", 2);
		tern_addr_parse("2001:db8:3::2222", 700, &at);
		check_eq(tern_bind(st, talker, &at), 0);
		take_all();
		say("2001:db8:7::9", 'a');
		for (int k = 0; k < 3; k++) {
			struct addr source = own[i] ? parse(own[i]) : (struct addr){ { 0 } };

			take_all();
			check_eq(went.n_asked, own[i] ? 1 : 0);
			check(addr_equal(&went.question.src, &source));
			pass(TERN_SEC);
		}
		end();
	}
}

/* ND-10: the youngest packets wait. */
static void who_waits(void)
{
	begin_host(false);
	for (char c = 'a'; c <= 'l'; c++)
		say("fe80::9%2", c);
	take_all();
	check_eq(went.n_said, 0);
	check_eq(went.n_asked, 1);
	hear_peer(0x60, peer.mac);
	take_all();
	check_eq(went.n_said, N_QUEUED);
	check_str(went.said, "efghijkl");
	check_mem(went.mac, peer.mac, 6);
	end();
}

/* ND-9: the question comes from where the packet does, or the connection, that waits for it. */
static void who_asks(void)
{
	static const char *const sources[] = { "2001:db8:1::1", "2001:db8:1::2", "fe80::1111" };

	for (size_t i = 0; i < 2 * N_TESTS(sources); i++) {
		bool stream = i >= N_TESTS(sources);
		const char *text = sources[i % N_TESTS(sources)];
		struct addr source = parse(text);
		struct tern_addr own, to;
		tern_sock s;

		test_at("from %s, stream: %d", text, stream);
		begin_host(false);
		give("2001:db8:1::1", 2);
		give("2001:db8:1::2", 2);
		tern_addr_parse(text, 700, &own);
		own.scope_id = own.ip[0] == 0xfe ? 2 : 0;
		tern_addr_parse("fe80::77", 9, &to);
		to.scope_id = 2;
		check_eq(tern_socket(st, TERN_AF_INET6, stream ? TERN_SOCK_STREAM : TERN_SOCK_DGRAM,
				     0, &s),
			 0);
		check_eq(tern_bind(st, s, &own), 0);
		if (stream)
			check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
		else
			check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
		for (int k = 0; k < 3; k++) {
			take_all();
			check_eq(went.n_asked, 1);
			check(addr_equal(&went.question.src, &source));
			pass(TERN_SEC);
		}
		end();
	}
}

/* ND-18: silence after an answer: STALE; used: DELAY 5 s; three questions to it alone; gone. */
static void unreachability(void)
{
	tern_time asked_at[8], used_at;
	unsigned n = 0;

	begin_host(false);
	talk("fe80::9%2", 'a');
	hear_peer(0x60, peer.mac);
	check_eq(state_of_peer(), TERN_NEIGH_REACHABLE);
	pass(15 * TERN_SEC - TERN_MS);
	check_eq(state_of_peer(), TERN_NEIGH_REACHABLE);
	pass(31 * TERN_SEC);
	check_eq(state_of_peer(), TERN_NEIGH_STALE);
	pass(1000 * TERN_SEC); /* who is not used is not asked */
	take_all();
	check_eq(went.n_asked, 0);
	talk("fe80::9%2", 'b');
	check_str(went.said, "b");
	check_eq(state_of_peer(), TERN_NEIGH_DELAY);
	used_at = now;
	for (unsigned ms = 0; ms < 20000; ms += 100) {
		pass(100 * TERN_MS);
		if (ms < 7000)
			say("fe80::9%2", 'c');
		take_all();
		if (ms < 7000)
			check_str(went.said, "c"); /* it is used all the while */
		if (went.n_asked && n < 8) {
			check(went.asked_one);
			check_eq(state_of_peer(), TERN_NEIGH_PROBE);
			asked_at[n++] = now;
		}
	}
	check_eq(n, 3);
	for (unsigned i = 0; i < n && n == 3; i++)
		check_eq(asked_at[i] - used_at, (5 + i) * TERN_SEC);
	check_eq(state_of_peer(), 0);
	talk("fe80::9%2", 'd');
	check(went.n_asked == 1 && !went.asked_one && went.n_said == 0);
	end();
}

/* ND-17: only an answer to a question says that it hears us. */
static void what_confirms(void)
{
	struct ra ra = { .lifetime = 600 };
	struct message m;

	begin_host(false);
	check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
	talk("fe80::9%2", 'a');
	hear_peer(0x20, peer.mac); /* nobody knows to whom it said that */
	check_eq(state_of_peer(), TERN_NEIGH_STALE);
	hear_peer(0x20, peer.mac);
	check_eq(state_of_peer(), TERN_NEIGH_STALE);
	m = advert(&ra);
	add_bytes(&m, (const uint8_t[]){ ND_SOURCE_MAC, 1, 2, 0, 0, 0, 2, 9 }, 8);
	put(&peer, &m);
	check_eq(state_of_peer(), TERN_NEIGH_STALE);
	put_neighbour(&peer, ICMP6_NEIGH_SOLICIT, &(struct addr){ { 0xfe, 0x80, [15] = 9 } }, true);
	check_eq(state_of_peer(), TERN_NEIGH_STALE);
	talk("fe80::9%2", 'b');
	pass(6 * TERN_SEC);
	put(&peer, &m);
	hear_peer(0x20, peer.mac);
	check_eq(state_of_peer(), TERN_NEIGH_PROBE);
	hear_peer(0x40, NULL); /* 4.4: to a question to it alone it need not name its address */
	check_eq(state_of_peer(), TERN_NEIGH_REACHABLE);
	end();
}

/* ND-15: RFC 4861 7.2.5, every state, every pair of flags, every link address. */
static void table_of_advertisements(void)
{
	enum { NONE, SAME, OTHER };

	for (unsigned k = 0; k < 6 * 3 * 4; k++) {
		unsigned from = k / 12,
			 mac = k / 4 % 3; /* 0: no entry, else enum tern_neigh_state */
		bool solicited = k & 2, override = k & 1, differs = mac == OTHER;
		uint32_t then = from;
		bool takes = false;
		struct tern_neigh n = { .state = 0 };

		test_at("from state %u, address %u, S %d, O %d", from, mac, solicited, override);
		begin_host(false);
		if (from)
			talk("fe80::9%2", 'a');
		if (from > TERN_NEIGH_INCOMPLETE)
			hear_peer(from == TERN_NEIGH_REACHABLE ? 0x60 : 0x20, peer.mac);
		if (from >= TERN_NEIGH_DELAY)
			talk("fe80::9%2", 'b');
		if (from == TERN_NEIGH_PROBE)
			pass(5 * TERN_SEC + TERN_MS);
		check_eq(state_of_peer(), from);
		if (from == TERN_NEIGH_INCOMPLETE) {
			takes = mac != NONE;
			if (takes)
				then = solicited ? TERN_NEIGH_REACHABLE : TERN_NEIGH_STALE;
		} else if (from && differs && !override) {
			if (from == TERN_NEIGH_REACHABLE)
				then = TERN_NEIGH_STALE;
		} else if (from) {
			takes = mac != NONE;
			if (solicited)
				then = TERN_NEIGH_REACHABLE;
			else if (differs)
				then = TERN_NEIGH_STALE;
		}
		hear_peer((uint8_t)(0x80 | solicited << 6 | override << 5), mac == NONE ? NULL :
									    differs ? other_mac :
										      peer.mac);
		check_eq(remembered(peer.ip, &n), from != 0);
		check_eq(n.state, then);
		if (takes || from > TERN_NEIGH_INCOMPLETE)
			check_mem(n.mac, takes && differs ? other_mac : peer.mac, 6);
		end();
	}
}

/* ND-17: a connection that gets on asks nobody. */
static void put_segment(uint32_t seq, uint32_t ack, uint16_t flags)
{
	struct addr from = parse(peer.ip), to = parse(ours);
	struct tcp_hdr h = { .src_port = 5000, .dst_port = 80, .seq = seq, .ack = ack };
	struct tern_pkt *p = tern_pkt_new(st, 54 + TCP_HDR_LEN);
	struct ip6 ip = { .next_header = 6, .hop_limit = 9, .payload_len = TCP_HDR_LEN };
	struct eth eth = { .type = ETH_IP6 };
	uint8_t *l4 = p->data + 54;

	ip.src = from;
	ip.dst = to;
	h.flags = flags;
	h.wnd = 65535;
	memcpy(eth.dst, our_mac, 6);
	memcpy(eth.src, peer.mac, 6);
	eth_emit(&eth, p->data);
	ip6_emit(&ip, p->data + 14);
	tcp_emit(&h, l4);
	put_be16(l4 + 16, checksum_finish(checksum_add(
				  l4, TCP_HDR_LEN, checksum_pseudo(&from, &to, 6, TCP_HDR_LEN))));
	p->ifindex = 2;
	tern_input(st, p);
}

/* The number behind the next segment that goes out; what else goes is counted in went. */
static uint32_t next_segment(void)
{
	uint32_t end = 0;
	struct tern_pkt *p;

	while ((p = tern_output(st, 2))) {
		uint8_t f[200];
		uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));

		tern_pkt_free(st, p);
		went.n_asked += f[20] == 58 && f[54] == ICMP6_NEIGH_SOLICIT;
		if (f[20] == 6)
			end = get_be32(f + 58) + len - 54 - (f[66] >> 4) * 4u +
			      (f[67] & TCP_SYN ? 1 : 0);
	}
	return end;
}

static void progress(void)
{
	struct tern_addr at;
	tern_sock listener, s;
	uint32_t next;

	begin_host(false);
	tern_addr_parse("::", 80, &at);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(st, listener, &at), 0);
	check_eq(tern_listen(st, listener, 4), 0);
	talk("fe80::9%2", 'a');
	hear_peer(0x60, peer.mac);
	put_segment(100, 0, TCP_SYN);
	next = next_segment();
	put_segment(101, next, TCP_ACK);
	check_eq(tern_accept(st, listener, &s, NULL), 0);
	went.n_asked = 0;
	for (int i = 0; i < 60; i++) {
		check_eq(tern_send(st, s, "x", 1, 0), 1);
		pass(TERN_SEC);
		next = next_segment();
		put_segment(101, next, TCP_ACK);
		check_eq(state_of_peer(), TERN_NEIGH_REACHABLE);
	}
	check_eq(went.n_asked, 0);
	end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(router_solicitations),	 TEST(who_may_ask),    TEST(who_is_answered),
		TEST(groups_of_addresses),	 TEST(who_waits),      TEST(who_asks),
		TEST(who_asks_for_another_link), TEST(unreachability), TEST(what_confirms),
		TEST(table_of_advertisements),	 TEST(progress),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
