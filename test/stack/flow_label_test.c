/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_label_test.c - labels of IPv6 flows (RFC 6437, RFC 8504 5.1): which packets share one, which
 * never do, who may refuse them, and that nothing comes of those that arrive.
 */
#include <stdlib.h>

#include "ip6_fixture.h"

static uint32_t label_out(void)
{
	return get_be32(out.bytes) & IP6_LABEL_MASK;
}

/* The label of the next packet, which is this protocol's. */
static uint32_t next_label(uint8_t proto)
{
	check_eq(take_out(), proto);
	return label_out();
}

static void pass_time(tern_time t)
{
	tern_advance(st, tern_now(st) + t);
}

/* A segment of the peer's to port 80 with a label of its own. */
static void put_segment(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t label)
{
	struct sent s = { .v6 = true, .seq = seq, .ack = ack, .flags = flags };
	struct tern_pkt *p = packet_of(&s);

	put_be32(p->data, get_be32(p->data) | label);
	tern_input(st, p);
}

static tern_sock accept_one(tern_sock listener)
{
	tern_sock s = 0;

	check_eq(tern_accept(st, listener, &s, NULL), 0);
	return s;
}

static struct tern_addr port_80(void)
{
	struct tern_addr at;

	tern_addr_parse("::", 80, &at);
	return at;
}

/* Before it is open, while it is, when its text goes again, and after it has ended. */
static void of_a_connection(void)
{
	tern_sock listener, s;
	uint32_t label, iss;

	begin_ip6();
	listener = listen_on(port_80());
	put_segment(TCP_SYN, 100, 0, 7);
	label = next_label(6);
	check(label != 0);
	iss = get_be32(out.bytes + 44);
	pass_time(2 * TERN_SEC); /* the SYN-ACK goes again */
	check_eq(next_label(6), label);
	put_segment(TCP_ACK, 101, iss + 1, 8);
	s = accept_one(listener);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	check_eq(next_label(6), label);
	pass_time(4 * TERN_SEC); /* RFC 6298 5.7: after a handshake with losses 3 s */
	check_eq(next_label(6), label);
	put_segment(TCP_ACK, 101, iss + 5, 0);
	check_eq(tern_close(st, s), 0);
	check_eq(next_label(6), label);
	put_segment(TCP_ACK | TCP_FIN, 101, iss + 6, 9);
	check_eq(next_label(6), label);
	check_eq(n_records(), 2); /* TIME-WAIT, and the UDP socket */
	pass_time(TERN_SEC);
	put_segment(TCP_ACK | TCP_FIN, 101, iss + 6, 1); /* TIME-WAIT answers */
	check_eq(next_label(6), label);
	end_stack();
}

/* What the device cuts has its label in the one header that there is. */
static void of_a_super_frame(void)
{
	static uint8_t text[9000];
	tern_sock listener, s;
	uint32_t label;

	begin_ip6();
	check_eq(tern_iface_set(st, 2, 1500, TERN_IFACE_TSO6 | TERN_IFACE_CSUM), 0);
	listener = listen_on(port_80());
	put_segment(TCP_SYN, 100, 0, 0);
	label = next_label(6);
	put_segment(TCP_ACK, 101, get_be32(out.bytes + 44) + 1, 0);
	s = accept_one(listener);
	check(tern_send(st, s, text, sizeof(text), 0) > 1500);
	check_eq(next_label(6), label);
	check(label && get_be16(out.bytes + 4) > 1500);
	end_stack();
}

/* One of ours: the SYN, the SYN again, and the RST that ends it. */
static void of_our_connection(void)
{
	struct tern_addr to;
	uint32_t label;
	tern_sock s;

	begin_ip6();
	tern_addr_parse("fd00::9", 80, &to);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	label = next_label(6);
	check(label != 0);
	pass_time(2 * TERN_SEC);
	check_eq(next_label(6), label);
	check_eq(tern_close(st, s), 0);
	end_stack();
}

static void send_datagram(tern_sock s, const char *to, uint16_t port, uint32_t len)
{
	static uint8_t text[5000];
	struct tern_addr a;

	tern_addr_parse(to, port, &a);
	check_eq(tern_sendto(st, s, text, len, 0, &a), len);
}

/* By its names: the same each time, whole or in pieces, connected or not. */
static void of_datagrams(void)
{
	struct tern_addr to;
	uint32_t label, n = 0;

	begin_ip6();
	send_datagram(hearer, "fd00::9", 5000, 10);
	label = next_label(NEXT_UDP);
	check(label != 0);
	send_datagram(hearer, "fd00::9", 5001, 10);
	check(next_label(NEXT_UDP) != label);
	send_datagram(hearer, "fd00::a", 5000, 10);
	check(next_label(NEXT_UDP) != label);
	send_datagram(hearer, "fd00::9", 5000, 4000);
	while (take_out()) {
		check_eq(out.bytes[6], IP6_EXT_FRAGMENT);
		check_eq(label_out(), label);
		n++;
	}
	check_eq(n, 3);
	tern_addr_parse("fd00::9", 5000, &to);
	check_eq(tern_connect(st, hearer, &to), 0);
	check_eq(tern_send(st, hearer, "x", 1, 0), 1);
	check_eq(next_label(NEXT_UDP), label);
	end_stack();
}

/* Of who has no socket for it: resets, errors, echoes. */
static void of_answers(void)
{
	uint32_t reset, error;

	begin_ip6();
	put_segment(TCP_SYN, 100, 0, 3);
	reset = next_label(6);
	check(reset != 0 && reset != 3);
	put_segment(TCP_SYN, 200, 0, 4);
	check_eq(next_label(6), reset);
	build(NULL, NULL);
	built.bytes[3] = 5;
	end_udp(PORT + 1, 20);
	put_built();
	check_eq(take_out(), 0x0104);
	error = label_out();
	check(error != 0 && error != 5);
	build(NULL, NULL);
	built.bytes[3] = 6;
	end_icmp(ICMP6_ECHO, 0, "idsq", 4);
	put_built();
	check_eq(take_out(), ICMP6_ECHO_REPLY << 8);
	check_eq(label_out(), error);
	end_stack();
}

/* What stays on its link is no flow: questions about neighbours, reports of groups. */
static void of_the_link(void)
{
	struct tern_iface eth = { "eth", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_addr a;
	unsigned n_asked = 0, n_reports = 0;
	struct tern_pkt *p;

	begin_ip6();
	check_eq(tern_iface_add(st, &eth), 3);
	tern_addr_parse("fd00:3::1", 0, &a);
	check_eq(tern_addr_add(st, 3, &a, 64), 0);
	send_datagram(hearer, "fd00:3::9", 9, 1);
	for (unsigned i = 0; i < 30; i++) {
		pass_time(TERN_SEC / 10);
		while ((p = tern_output(st, 3))) {
			check_eq(get_be32(p->data + ETH_HDR_LEN), 0x60000000);
			n_asked += p->data[54] == ICMP6_NEIGH_SOLICIT;
			n_reports += p->data[20] == IP6_EXT_HOP_BY_HOP;
			tern_pkt_free(st, p);
		}
	}
	check(n_asked > 0 && n_reports > 0);
	end_stack();
}

/* Linux's table: what the setting says, and what the program. */
static void of_who_may_refuse(void)
{
	static const bool has[4][3] = { /* of a program that says: nothing, no, yes */
					{ false, false, false },
					{ true, false, true },
					{ false, false, true },
					{ true, true, true }
	};
	tern_sock listener;

	for (int setting = 0; setting < 4; setting++) {
		for (int says = 0; says < 3; says++) {
			char value[2] = { (char)('0' + setting), 0 };
			int32_t want = says - 1, got = -1;
			size_t len = sizeof(got);

			test_at("net.ipv6.auto_flowlabels=%d, the program says %d", setting, want);
			begin_ip6();
			check_eq(tern_sysctl_set(st, "net.ipv6.auto_flowlabels", value), 0);
			listener = listen_on(port_80());
			for (int k = 0; says && k < 2; k++)
				check_eq(tern_setsockopt(st, k ? listener : hearer,
							 TERN_IPPROTO_IPV6, TERN_IPV6_AUTOFLOWLABEL,
							 &want, sizeof(want)),
					 0);
			check_eq(tern_getsockopt(st, hearer, TERN_IPPROTO_IPV6,
						 TERN_IPV6_AUTOFLOWLABEL, &got, &len),
				 0);
			check_eq(got, has[setting][says]);
			send_datagram(hearer, "fd00::9", 5000, 10);
			check_eq(next_label(NEXT_UDP) != 0, has[setting][says]);
			put_segment(TCP_SYN, 100, 0, 0);
			check_eq(next_label(6) != 0, has[setting][says]);
			put_segment(TCP_ACK, 101, get_be32(out.bytes + 44) + 1, 0);
			check_eq(tern_send(st, accept_one(listener), "x", 1, 0), 1);
			check_eq(next_label(6) != 0, has[setting][says]);
			end_stack();
		}
	}
}

/* A program that changes its mind is heard from the next packet on. */
static void of_another_mind(void)
{
	int32_t off = 0, on = 1;
	tern_sock s;

	begin_ip6();
	s = listen_on(port_80());
	put_segment(TCP_SYN, 100, 0, 0);
	check(next_label(6) != 0);
	put_segment(TCP_ACK, 101, get_be32(out.bytes + 44) + 1, 0);
	s = accept_one(s);
	tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_AUTOFLOWLABEL, &off, sizeof(off));
	check_eq(tern_send(st, s, "x", 1, 0), 1);
	check_eq(next_label(6), 0);
	put_segment(TCP_ACK, 101, get_be32(out.bytes + 44) + 1, 0);
	tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_AUTOFLOWLABEL, &on, sizeof(on));
	check_eq(tern_send(st, s, "x", 1, 0), 1);
	check(next_label(6) != 0);
	end_stack();
}

/* ---- labels that a program chooses: IPV6_FLOWINFO_SEND ---- */

static struct tern_addr in_flow(const char *to, uint16_t port, uint32_t label)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(to, port, &a), 0);
	check_eq(a.flow_label, 0);
	a.flow_label = label;
	return a;
}

static void let_choose(tern_sock s, int32_t on)
{
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_FLOWINFO_SEND, &on, 4), 0);
}

/* In the address: when it counts, whole and in pieces; beside the datagram: always. */
static void of_an_address(void)
{
	struct tern_addr to = in_flow("fd00::9", 5000, 0xabcde);
	struct tern_iovec iov = { (char[1]){ 'x' }, 1 };
	static char much[4000];
	struct tern_msg m;

	begin_ip6();
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
	check(next_label(NEXT_UDP) != 0xabcde);
	let_choose(hearer, 1);
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
	check_eq(next_label(NEXT_UDP), 0xabcde);
	check_eq(tern_sendto(st, hearer, much, sizeof(much), 0, &to), sizeof(much));
	while (take_out())
		check_eq(label_out(), 0xabcde);
	to.flow_label = 0;
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
	check(next_label(NEXT_UDP) != 0); /* its own again */
	let_choose(hearer, 0);
	tern_msg_init(&m, &iov, 1);
	m.addr = to;
	m.flow_label = 0xfff54321; /* what is more than a label is no part of it */
	check_eq(tern_sendmsg(st, hearer, &m, 0), 1);
	check_eq(next_label(NEXT_UDP), 0x54321);
	check_eq(get_be32(out.bytes) >> 20, 0x600);
	end_stack();
}

static uint32_t label_of_peer(tern_sock s)
{
	struct tern_addr peer = { .flow_label = 99 };

	check_eq(tern_getpeername(st, s, &peer), 0);
	return peer.flow_label;
}

/* Of a socket with a peer: until it has another one. */
static void of_a_peer(void)
{
	struct tern_addr to = in_flow("fd00::9", 5000, 0xabcde), none = { .family = 0 };

	begin_ip6();
	let_choose(hearer, 1);
	check_eq(tern_connect(st, hearer, &to), 0);
	check_eq(label_of_peer(hearer), 0xabcde);
	check_eq(tern_send(st, hearer, "x", 1, 0), 1);
	check_eq(next_label(NEXT_UDP), 0xabcde);
	let_choose(hearer, 0);
	check_eq(label_of_peer(hearer), 0);
	check_eq(tern_send(st, hearer, "x", 1, 0), 1);
	check_eq(next_label(NEXT_UDP), 0xabcde);
	check_eq(tern_connect(st, hearer, &none), 0);
	check_eq(tern_connect(st, hearer, &to), 0);
	check_eq(tern_send(st, hearer, "x", 1, 0), 1);
	check(next_label(NEXT_UDP) != 0xabcde);
	end_stack();
}

/* The first segment, and what comes after routes have changed. */
static void of_a_stream_to(void)
{
	struct tern_addr to = in_flow("fd00::9", 80, 0xabcde), more;
	tern_sock s;

	begin_ip6();
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s), 0);
	let_choose(s, 1);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	check_eq(next_label(6), 0xabcde);
	to.flow_label = 5; /* too late */
	check_eq(tern_connect(st, s, &to), -TERN_EALREADY);
	check_eq(tern_addr_parse("fd05::1", 0, &more), 0);
	check_eq(tern_addr_add(st, 2, &more, 64), 0);
	pass_time(2 * TERN_SEC);
	while (take_out() && out.bytes[6] != 6)
		continue;
	check_eq(out.bytes[6], 6);
	check_eq(label_out(), 0xabcde);
	end_stack();
}

/* Every message has it, of IPv6. */
static void of_what_comes(void)
{
	int32_t on = 1;
	struct tern_addr self = in_flow("fd00::1", 7777, 0xabcde), at;
	char byte;
	struct tern_iovec iov = { &byte, 1 };
	struct tern_msg m;
	tern_sock s;

	begin_ip6();
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_addr_parse("::", 7777, &at), 0);
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_FLOWINFO, &on, sizeof(on)), 0);
	let_choose(hearer, 1);
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &self), 1);
	pass_time(TERN_MS);
	tern_msg_init(&m, &iov, 1);
	check_eq(tern_recvmsg(st, s, &m, 0), 1);
	check_eq(m.flow_label, 0xabcde);
	check_eq(m.addr.flow_label, 0); /* as Linux's sin6_flowinfo */
	end_stack();
}

/* The same of an answer to an echo, which was sent to ourselves. */
static void of_an_answer_to_an_echo(void)
{
	struct tern_addr self = in_flow("fd00::1", 0, 0xabcde);
	uint8_t echo[9] = { ICMP6_ECHO };
	struct tern_iovec iov = { echo, sizeof(echo) };
	struct tern_msg m;
	tern_sock s;

	begin_ip6();
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, TERN_IPPROTO_ICMPV6, &s), 0);
	check_eq(tern_sendto(st, s, echo, sizeof(echo), 0, &self), sizeof(echo));
	pass_time(TERN_MS);
	tern_msg_init(&m, &iov, 1);
	check_eq(tern_recvmsg(st, s, &m, 0), sizeof(echo));
	check_eq(echo[0], ICMP6_ECHO_REPLY);
	check(m.flow_label != 0);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(of_a_connection),
		TEST(of_a_super_frame),
		TEST(of_our_connection),
		TEST(of_datagrams),
		TEST(of_answers),
		TEST(of_the_link),
		TEST(of_who_may_refuse),
		TEST(of_another_mind),
		TEST(of_an_address),
		TEST(of_a_peer),
		TEST(of_a_stream_to),
		TEST(of_what_comes),
		TEST(of_an_answer_to_an_echo),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
