/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4_ways_test.c - to which link address does a datagram of IPv4 go? RFC 1122 3.3.1: what is near
 * and what is not, several gateways, gateways that are dead.
 */
#include "inet_fixture.h"

static const uint8_t gateway_mac[2][6] = { { 2, 0, 0, 0, 1, 1 }, { 2, 0, 0, 0, 1, 2 } };

/* Whom does the stack ask for? 0: it asks nobody. What else goes out is gone. */
static uint32_t asked_for(void)
{
	uint8_t frame[1600];
	uint32_t len, who = 0;

	while ((len = next_out(frame, sizeof(frame)))) {
		struct arp a;

		if (get_be16(frame + 12) == ETH_ARP && arp_parse(&a, frame + 14, len - 14) &&
		    a.op == ARP_REQUEST)
			who = get_be32(a.target.b + 12);
	}
	return who;
}

static void text_of(uint32_t ip, char *text)
{
	struct tern_addr a = { .family = TERN_AF_INET };

	put_be32(a.ip, ip);
	tern_addr_format(&a, false, text);
}

/* IP4-21: every mask, at both ends of what is near. */
static void near_and_far(void)
{
	for (unsigned len = 8; len <= 30; len++) {
		uint32_t size = 1u << (32 - len), net = 0x0a000000;
		const struct {
			uint32_t to;
			bool near;
		} cases[] = { { net + 2, true },	  { net + size - 2, true },
			      { net + size, false },	  { net + size + 1, false },
			      { net - 1, false },	  { 0xc0000201, false },
			      { net ^ 0x80000000, false } };

		for (unsigned i = 0; i < N_TESTS(cases); i++) {
			char text[TERN_ADDR_TEXT_MAX];
			tern_sock s;

			text_of(cases[i].to, text);
			test_at("10.0.0.1/%u to %s", len, text);
			new_ethernet(len, false);
			add_route("0.0.0.0", 0, "10.0.0.2", 1);
			s = open_udp("0.0.0.0", 7000);
			check_eq(send_to(s, text, 9, "x", 1), 1);
			check_eq(asked_for(), cases[i].near ? cases[i].to : net + 2);
			end_stack();
		}
	}
}

/* ---- two gateways, 10.0.0.101 and 10.0.0.102; the first is better ---- */

static void answer_for(unsigned k)
{
	struct arp a = { .op = ARP_REPLY,
			 .sender = parse_addr(k ? "10.0.0.102" : "10.0.0.101"),
			 .target = parse_addr("10.0.0.1") };
	struct tern_pkt *p = tern_pkt_new(st, 42);
	struct eth h = { .type = ETH_ARP };

	memcpy(a.sender_mac, gateway_mac[k], 6);
	memcpy(h.dst, our_mac, 6);
	memcpy(h.src, gateway_mac[k], 6);
	eth_emit(&h, p->data);
	arp_emit(&a, p->data + 14);
	p->ifindex = 2;
	tern_input(st, p);
}

/* What went since: packets of IP by gateway, questions in all. Gateways that live answer. */
struct sent_to {
	unsigned by[2], questions;
};

static struct sent_to serve(const bool *alive)
{
	struct sent_to n = { .questions = 0 };
	uint8_t frame[1600];
	uint32_t len;

	while ((len = next_out(frame, sizeof(frame)))) {
		struct arp a;

		if (get_be16(frame + 12) != ETH_ARP) {
			for (unsigned k = 0; k < 2; k++)
				n.by[k] += memcmp(frame, gateway_mac[k], 6) == 0;
			continue;
		}
		check(arp_parse(&a, frame + 14, len - 14));
		n.questions++;
		for (unsigned k = 0; k < 2; k++)
			if (alive[k] && a.target.b[15] == 101 + k)
				answer_for(k);
	}
	return n;
}

static struct sent_to serve_for(const bool *alive, unsigned seconds)
{
	struct sent_to sum = { .questions = 0 };

	for (unsigned i = 0; i < 10 * seconds; i++) {
		struct sent_to n = serve(alive);

		sum.by[0] += n.by[0];
		sum.by[1] += n.by[1];
		sum.questions += n.questions;
		pass(100 * TERN_MS);
	}
	return sum;
}

static void two_gateways(void)
{
	new_ethernet(24, false);
	add_route("0.0.0.0", 0, "10.0.0.102", 20);
	add_route("0.0.0.0", 0, "10.0.0.101", 10);
}

/* IP4-22: the better one is used, the other when it has gone; a route of its own beats both. */
static void preference(void)
{
	static const bool alive[2] = { true, true };
	struct tern_route r = { .ifindex = 2, .dst.family = TERN_AF_INET };
	struct sent_to n;
	tern_sock s;

	two_gateways();
	add_route("203.0.113.0", 24, "10.0.0.102", 100);
	s = open_udp("0.0.0.0", 7000);
	check_eq(send_to(s, "192.0.2.1", 9, "x", 1), 1);
	n = serve_for(alive, 1);
	check(n.by[0] == 1 && n.by[1] == 0);
	check_eq(send_to(s, "203.0.113.1", 9, "x", 1), 1);
	n = serve_for(alive, 1);
	check(n.by[0] == 0 && n.by[1] == 1);
	check_eq(tern_addr_parse("10.0.0.101", 0, &r.gateway), 0);
	check_eq(tern_route_del(st, &r), 0);
	check_eq(send_to(s, "192.0.2.1", 9, "x", 1), 1);
	n = serve_for(alive, 1);
	check(n.by[0] == 0 && n.by[1] == 1);
	end_stack();
}

/*
 * IP4-23: a gateway that stops answering is found out by what is sent, and the other takes over;
 * while nothing is sent nobody is asked (RFC 1122 3.3.1.4).
 */
static void dead_gateway(void)
{
	static const bool both[2] = { true, true }, second[2] = { false, true };
	struct sent_to n;
	tern_sock s;

	two_gateways();
	s = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
	connect_to(s, "192.0.2.1", 80);
	n = serve_for(both, 60); /* SYNs, again and again */
	check(n.by[0] >= 2 && n.by[1] == 0);
	n = serve_for(second, 120);
	check(n.by[1] >= 1);
	end_stack();

	two_gateways();
	s = open_udp("0.0.0.0", 7000);
	check_eq(send_to(s, "192.0.2.1", 9, "x", 1), 1);
	n = serve_for(both, 1);
	check(n.by[0] == 1 && n.questions == 1);
	n = serve_for(both, 600);
	check_eq(n.questions, 0);
	for (int i = 0; i < 20; i++) {
		send_to(s, "192.0.2.1", 9, "x", 1);
		n = serve_for(second, 1);
	}
	check(n.by[0] == 0 && n.by[1] == 1);
	end_stack();
}

/* A stream that is open: its time-outs are advice (RFC 1122 4.2.3.5, R1). */
static void advice_of_a_stream(void)
{
	static const bool both[2] = { true, true }, second[2] = { false, true };
	struct packet p = { .src = "192.0.2.1" };
	uint8_t frame[1600];
	struct tcp_hdr h = { .src_port = 80 };
	struct sent_to n;
	tern_sock s;

	two_gateways();
	s = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
	connect_to(s, "192.0.2.1", 80);
	check(next_out(frame, sizeof(frame)) && get_be16(frame + 12) == ETH_ARP);
	answer_for(0);
	check(next_out(frame, sizeof(frame)) >= 54);
	h.dst_port = get_be16(frame + 34);
	h.ack = get_be32(frame + 38) + 1;
	h.flags = TCP_SYN | TCP_ACK;
	h.wnd = 65535;
	p.proto = TCP;
	p.body = scratch;
	p.len = (uint32_t)tcp_emit(&h, scratch);
	put_be16(scratch + 16,
		 checksum_finish(checksum_add(scratch, p.len, pseudo_sum(&p, TCP, p.len))));
	put_packet(&p);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	n = serve_for(both, 1);
	check(n.by[0] >= 2 && n.by[1] == 0);
	n = serve_for(second, 100);
	check(n.by[1] >= 1);
	check_eq(tern_poll(st, s) & TERN_POLLERR, 0);
	end_stack();
}

/* As Linux: who is bound to an interface after it has connected goes by that one from then on. */
static void bound_when_connected(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_pkt *p;
	tern_sock s;

	new_wire();
	check_eq(tern_iface_add(st, &other), 3);
	add_address("10.0.0.2", 3, 24);
	s = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
	check_eq(connect_to(s, "10.0.0.9", 80), -TERN_EINPROGRESS);
	check_eq(count_out(), 1);
	set_option(s, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, 3);
	pass(2 * TERN_SEC);
	check_eq(count_out(), 0);
	p = tern_output(st, 3);
	check(p != NULL); /* the SYN, again */
	tern_pkt_free(st, p);
	end_stack();
}

/* As Linux: a peer of the same name that is behind another interface is not the peer. */
static void bound_hears_one(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
		struct packet p = { .v6 = v6 };
		uint8_t syn[100], ip_len = v6 ? 40 : 20;
		tern_sock udp, tcp;

		new_wire();
		check_eq(tern_iface_add(st, &other), 3);
		udp = open_udp(v6 ? "::" : "0.0.0.0", 7000);
		tcp = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_STREAM, 0);
		set_option(udp, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, 2);
		set_option(tcp, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, 2);
		check_eq(connect_to(udp, v6 ? "fd00::9" : "10.0.0.9", PEER_PORT), 0);
		check_eq(connect_to(tcp, v6 ? "fd00::9" : "10.0.0.9", 80), -TERN_EINPROGRESS);
		check(take_out(syn, sizeof(syn)) > ip_len);
		for (comes_by = 3; comes_by >= 2; comes_by--) {
			fill_udp(&p, PEER_PORT, 7000, "x", 1);
			put_packet(&p);
			check_eq(hears(udp), comes_by == 2 ? 1 : -TERN_EAGAIN);
			fill_tcp(&p, 80, (uint16_t)get_be16(syn + ip_len), TCP_SYN | TCP_ACK);
			put_be32(scratch + 8, get_be32(syn + ip_len + 4) + 1);
			put_be16(scratch + 16, 0);
			put_be16(scratch + 16,
				 checksum_finish(
					 checksum_add(scratch, p.len, pseudo_sum(&p, TCP, p.len))));
			put_packet(&p);
			check_eq(tern_poll(st, tcp) & TERN_POLLOUT,
				 comes_by == 2 ? TERN_POLLOUT : 0);
		}
		comes_by = 2;
		end_stack();
	}
}

/* What waits for the device while its destination becomes ours goes round by lo. */
static void becomes_ours(void)
{
	uint8_t frame[100];
	tern_sock s, to;

	new_ethernet(24, true);
	to = open_udp("0.0.0.0", 9);
	s = open_udp("0.0.0.0", 7000);
	check_eq(send_to(s, "10.0.0.9", 9, "x", 1), 1);
	add_address("10.0.0.9", 2, 24);
	check_eq(next_out(frame, sizeof(frame)), 0);
	pass(TERN_MS);
	check_eq(hears(to), 1);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(near_and_far),	  TEST(preference),	      TEST(dead_gateway),
		TEST(advice_of_a_stream), TEST(bound_when_connected), TEST(becomes_ours),
		TEST(bound_hears_one),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
