/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_icmp_test.c - forged words of routers: they change nothing, cost nothing, and never make us
 * send what could be cut or counted (RFC 5927, RFC 8201 4; CVE-2004-1060, CVE-2020-36516).
 */
#include "peer_fixture.h"

/* After some the stack has the memory that packets come and go in. */
enum { N_FORGED = 10000, N_WARM = 100, UDP_PORT = 9000 };

static uint32_t noise = 1;

static uint32_t draw(void)
{
	noise = noise * 1664525 + 1013904223;
	return noise >> 8;
}

/* A message of `mtu` that quotes the first bytes of a packet of ours; from 10.0.0.77. */
struct forged {
	bool v6;
	uint8_t proto;
	uint16_t sport, dport, len; /* of the packet quoted */
	uint32_t seq, mtu;
	const char *remote, *local; /* NULL: the peer, us */
};

static void put_ip(const struct addr *src, const struct addr *dst, uint8_t proto, uint32_t len,
		   uint8_t *buf)
{
	struct ip4 ip = { .ttl = 60,
			  .proto = proto,
			  .hdr_len = 20,
			  .df = true,
			  .src = *src,
			  .dst = *dst,
			  .total_len = (uint16_t)len };
	struct ip6 ip6 = { .hop_limit = 60,
			   .next_header = proto,
			   .src = *src,
			   .dst = *dst,
			   .payload_len = (uint16_t)(len - 40) };

	if (addr_is4(src))
		ip4_emit(&ip, buf);
	else
		ip6_emit(&ip6, buf);
}

static void forge(const struct forged *m)
{
	struct addr us = parse_addr(m->v6 ? "fd00::1" : "10.0.0.1");
	struct addr router = parse_addr(m->v6 ? "fd00::77" : "10.0.0.77");
	struct addr local = m->local ? parse_addr(m->local) : us;
	struct addr remote = parse_addr(m->remote ? m->remote : m->v6 ? "fd00::9" : "10.0.0.9");
	uint32_t ip_len = m->v6 ? 40 : 20, len = ip_len + 8 + ip_len + 8;
	struct icmp h = { .type = m->v6 ? ICMP6_TOO_BIG : ICMP4_UNREACHABLE,
			  .code = m->v6 ? 0 : 4,
			  .rest = m->mtu };
	struct tern_pkt *p = tern_pkt_new(st, len);
	uint8_t *icmp = p->data + ip_len, *quoted = icmp + 8;
	uint32_t sum = m->v6 ? checksum_pseudo(&router, &us, 58, len - ip_len) : 0;

	put_ip(&router, &us, m->v6 ? 58 : 1, len, p->data);
	icmp_emit(&h, icmp);
	put_ip(&local, &remote, m->proto, m->len, quoted);
	put_be16(quoted + ip_len, m->sport);
	put_be16(quoted + ip_len + 2, m->dport);
	put_be32(quoted + ip_len + 4, m->seq);
	put_be16(icmp + 2, checksum_finish(checksum_add(icmp, len - ip_len, sum)));
	p->ifindex = 2;
	tern_input(st, p);
}

/* ---- a connection with a segment in flight ---- */

static tern_sock conn;
static uint32_t next_seq; /* ours */

static uint32_t take_segment(uint8_t *buf, bool v6, struct tcp_hdr *h)
{
	uint32_t len = next_out(buf, 2000), ip_len = v6 ? 40 : 20;

	check(len > 0 && tcp_parse(h, buf + ip_len, len - ip_len));
	return len - ip_len - h->hdr_len;
}

static void connect_peer(bool v6)
{
	struct tern_addr at = { .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = 80 };
	struct tcp_hdr mss = { .has_mss = true, .mss = 1460 }, h;
	tern_sock listener;
	uint8_t buf[2000];

	listener = listen_on(at);
	put_in(&(struct sent){ .v6 = v6, .seq = 100, .flags = TCP_SYN, .options = &mss });
	take_segment(buf, v6, &h);
	next_seq = h.seq + 1;
	put_in(&(struct sent){ .v6 = v6, .seq = 101, .ack = next_seq, .flags = TCP_ACK });
	check_eq(tern_accept(st, listener, &conn, NULL), 0);
}

static void send_full(bool v6)
{
	static const char text[1400];
	uint8_t buf[2000];
	struct tcp_hdr h;

	check_eq(tern_send(st, conn, text, sizeof(text), 0), sizeof(text));
	check_eq(take_segment(buf, v6, &h), sizeof(text));
	check_eq(h.seq, next_seq);
	next_seq += sizeof(text);
}

static void acknowledge(bool v6)
{
	put_in(&(struct sent){ .v6 = v6, .seq = 101, .ack = next_seq, .flags = TCP_ACK });
}

static int32_t mtu_told(bool v6)
{
	int32_t mtu = 0;
	size_t len = sizeof(mtu);

	check_eq(tern_getsockopt(st, conn, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				 v6 ? TERN_IPV6_MTU : TERN_IP_MTU, &mtu, &len),
		 0);
	return mtu;
}

static void is_unchanged(bool v6)
{
	uint8_t buf[2000];

	check_eq(next_out(buf, sizeof(buf)), 0);
	check_eq(mtu_told(v6), 1500);
	acknowledge(v6);
	send_full(v6);
}

/* Numbers that are not in flight, names that are nobody's, sizes that cannot be: no effect. */
static void forged_for_a_connection(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint64_t used = 0;

		new_stack(1);
		connect_peer(v6);
		send_full(v6);
		for (unsigned i = 0; i < N_FORGED; i++) {
			struct forged m = { .v6 = v6,
					    .proto = 6,
					    .sport = 80,
					    .dport = 5000,
					    .len = 1500,
					    .mtu = v6 ? 1280 : 552 };

			m.seq = next_seq - 1400;
			switch (i % 6) {
			case 0: /* before and behind what is in flight */
				m.seq = i % 12 ? next_seq + draw() : next_seq - 1401 - draw();
				break;
			case 1:
				m.sport = (uint16_t)(81 + draw() % 1000);
				break;
			case 2:
				m.dport = (uint16_t)(5001 + draw() % 1000);
				break;
			case 3:
				m.remote = v6 ? "fd00::8" : "10.0.0.8";
				break;
			case 4: /* it quotes a packet that is not from where the message went */
				m.local = v6 ? "fd00::2" : "10.0.0.2";
				break;
			case 5: /* not larger than it is said to be too large for */
				m.mtu = 1500 + draw() % 60000;
				break;
			}
			forge(&m);
			if (i == N_WARM)
				used = counted.out;
		}
		check_eq(counted.out, used);
		is_unchanged(v6);
		end_stack();
	}
}

/* SEC-42: as small as can be said: of IPv4 552, of IPv6 nothing below 1280 (RFC 8201 4). */
static void smallest_sizes(void)
{
	static const uint32_t mtus[] = { 0, 1, 67, 68, 296, 551, 552, 1279 };

	for (unsigned i = 0; i < N_TESTS(mtus); i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct forged m = { .v6 = v6,
					    .proto = 6,
					    .sport = 80,
					    .dport = 5000,
					    .len = v6 ? 1460 : 1440,
					    .mtu = mtus[i] };

			test_at("%u, IPv%d", mtus[i], v6 ? 6 : 4);
			new_stack(1);
			connect_peer(v6);
			send_full(v6);
			m.seq = next_seq - 1400;
			forge(&m);
			if (v6)
				is_unchanged(v6);
			else
				check_eq(mtu_told(v6), mtus[i] == 0 ? 1006 : MAX(mtus[i], 552));
			end_stack();
		}
	}
}

/* RFC 5927 7.2: who knows the numbers still changes nothing while segments arrive. */
static void while_segments_arrive(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint64_t used = 0;

		new_stack(1);
		connect_peer(v6);
		send_full(v6);
		acknowledge(v6);
		send_full(v6);
		for (unsigned i = 0; i < N_FORGED; i++) {
			forge(&(struct forged){ .v6 = v6,
						.proto = 6,
						.sport = 80,
						.dport = 5000,
						.len = 1440,
						.mtu = v6 ? 1280 : 600,
						.seq = next_seq - 1400 });
			if (i % 100 == 0)
				is_unchanged(v6);
			if (i == N_WARM)
				used = counted.out;
		}
		check_eq(counted.out, used);
		end_stack();
	}
}

/* ---- datagrams ---- */

static tern_sock udp_socket(bool v6)
{
	struct tern_addr at = { .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = UDP_PORT };
	tern_sock s;

	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

/* SEC-43: messages for a socket that sends to anybody fill the cache as far as it goes. */
static void the_cache_is_bounded(void)
{
	uint64_t used = 0;

	new_stack(1);
	check_eq(tern_sysctl_set(st, "net.ipv4.route.max_size", "64"), 0);
	udp_socket(false);
	for (unsigned i = 0; i < 2 * N_FORGED; i++) {
		char remote[32];

		snprintf(remote, sizeof(remote), "10.%u.%u.%u", draw() % 200, draw() % 250,
			 1 + draw() % 250);
		forge(&(struct forged){ .proto = 17,
					.sport = UDP_PORT,
					.dport = 53,
					.len = 1400,
					.mtu = 600,
					.remote = remote });
		if (i == N_FORGED)
			used = counted.out;
	}
	check_eq(counted.out, used);
	end_stack();
}

/* Ports that are not open, and an address that is not ours, are nobody's. */
static void forged_for_nobody(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint64_t used = 0;

		new_stack(1);
		udp_socket(v6);
		connect_peer(v6);
		for (unsigned i = 0; i < N_FORGED; i++)
			forge(&(struct forged){ .v6 = v6,
						.proto = i % 2 ? 17 : (uint8_t)draw(),
						.sport = (uint16_t)(UDP_PORT + 1 + draw() % 1000),
						.dport = 5000,
						.len = 1500,
						.seq = draw(),
						.mtu = v6 ? 1300 : 600 });
		used = counted.out;
		for (unsigned i = 0; i < N_FORGED; i++)
			forge(&(struct forged){ .v6 = v6,
						.proto = 17,
						.sport = UDP_PORT,
						.dport = 5000,
						.len = 1500,
						.mtu = v6 ? 1300 : 600,
						.local = v6 ? "fd00::2" : "10.0.0.2" });
		check_eq(counted.out, used);
		check_eq(mtu_told(v6), 1500);
		end_stack();
	}
}

/* ---- "don't fragment" and identification ---- */

static bool has_df(const uint8_t *ip)
{
	return (ip[6] & 0x40) != 0 && get_be16(ip + 4) == 0;
}

/* SEC-35: whatever is believed, a stream's packets are never such as a router may cut. */
static void a_stream_keeps_df(void)
{
	uint8_t buf[2000];
	uint32_t len;

	new_stack(1);
	connect_peer(false);
	send_full(false);
	forge(&(struct forged){ .proto = 6,
				.sport = 80,
				.dport = 5000,
				.len = 1440,
				.mtu = 68,
				.seq = next_seq - 1400 });
	for (int n = 0; n < 3; n++) {
		len = next_out(buf, sizeof(buf));
		check(len > 40 && len <= 552 && has_df(buf));
	}
	end_stack();
}

/* RFC 8021: no fragment header, however small the message's MTU. */
static void no_atomic_fragments(void)
{
	static const uint32_t mtus[] = { 1280, 1000, 0 };

	for (unsigned i = 0; i < N_TESTS(mtus); i++) {
		uint8_t buf[2000];
		uint32_t len;

		new_stack(1);
		connect_peer(true);
		send_full(true);
		forge(&(struct forged){ .v6 = true,
					.proto = 6,
					.sport = 80,
					.dport = 5000,
					.len = 1460,
					.mtu = mtus[i],
					.seq = next_seq - 1400 });
		tern_advance(st, tern_now(st) + 2 * TERN_SEC);
		while ((len = next_out(buf, sizeof(buf))) > 0)
			check_eq(buf[6], 6);
		end_stack();
	}
}

/* Where routers may cut, the identification is no counter. */
static void identifications(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 9, 53);
	int32_t dont = 0;
	unsigned n_steps[3] = { 0 }, before = 0;
	uint8_t buf[2000];
	tern_sock s;

	new_stack(1);
	s = udp_socket(false);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, &dont, sizeof(dont)),
		 0);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned id, step;

		check_eq(tern_sendto(st, s, "x", 1, 0, &to), 1);
		check(next_out(buf, sizeof(buf)) > 0);
		check(!(buf[6] & 0x40));
		id = get_be16(buf + 4);
		step = (id - before) & 0xffff;
		n_steps[step == 0 || step > 16 ? step < 0x8000 : 2]++;
		before = id;
	}
	check(n_steps[2] < 10); /* small steps forward: one in 4096 */
	check(n_steps[0] > 1300 && n_steps[1] > 1300);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(forged_for_a_connection), TEST(smallest_sizes),	TEST(while_segments_arrive),
		TEST(the_cache_is_bounded),    TEST(forged_for_nobody), TEST(a_stream_keeps_df),
		TEST(no_atomic_fragments),     TEST(identifications),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
