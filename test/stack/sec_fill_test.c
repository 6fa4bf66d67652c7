/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_fill_test.c - SEC-82: every byte that we send was written.
 *
 * Each kind of packet is called forth in two worlds that differ in one thing: fresh memory holds
 * 0x00 in one and 0xff in the other. The frames must be equal, byte for byte. What comes in lies in
 * memory of the test's own, so that an answer cannot sit where its question lay.
 */
#include "test.h"

#include "../../core/wire/wire.h"
#include "../../include/tern.h"

enum { PORT = 80, CLOSED_PORT = 81, PEER_PORT = 5555, ISN = 1000 };

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 };

static struct test_env counted;
static struct tern_stack *st;
static struct addr us, peer; /* of the family at hand */
static int family;
static tern_sock listener;
static struct tcp_hdr last; /* the last segment that went out */

/* All frames of one world. */
struct tape {
	uint8_t bytes[16384];
	uint32_t len;
	unsigned n, n_wanted;
};
static struct tape *tape;

/* What a scene must call forth, or it shows nothing. */
struct wanted {
	uint16_t ether_type;
	uint8_t proto; /* of IP */
	uint8_t first; /* ICMP type, or TCP flags; ARP: operation */
};
static struct wanted wanted;

/* ---- frames ---- */

static bool is_wanted(const uint8_t *frame, uint32_t len)
{
	uint32_t l4 = wanted.ether_type == ETH_IP4 ? 34 : 54;
	uint8_t proto = wanted.ether_type == ETH_IP4 ? frame[23] : frame[20];

	if (get_be16(frame + 12) != wanted.ether_type)
		return false;
	if (wanted.ether_type == ETH_ARP)
		return frame[21] == wanted.first;
	if (proto != wanted.proto || len < l4 + 8)
		return false;
	if (proto == 6)
		return frame[l4 + 13] == wanted.first;
	return proto == 17 || frame[l4] == wanted.first;
}

static void record(void)
{
	struct tern_pkt *p;

	while ((p = tern_output(st, 2))) {
		uint8_t *frame = tape->bytes + tape->len;
		uint32_t room = sizeof(tape->bytes) - tape->len, l4;
		uint32_t len = tern_pkt_copy(p, 0, frame, room);

		check_eq(len, p->total_len);
		tern_pkt_free(st, p);
		l4 = get_be16(frame + 12) == ETH_IP4 ? 34 : 54;
		if (len >= l4 + 20 && frame[l4 == 34 ? 23 : 20] == 6)
			check(tcp_parse(&last, frame + l4, len - l4));
		tape->n++;
		tape->n_wanted += is_wanted(frame, len);
		tape->len += len;
	}
}

static void put_frame(const uint8_t *frame, uint32_t len)
{
	static uint8_t memory[64][2048];
	static unsigned next;
	uint8_t *own = memory[next++ % 64];
	struct tern_pkt *p;
	void *cookie;

	memcpy(own, frame, len);
	p = tern_pkt_new_external(st, own, len, own);
	p->ifindex = 2;
	tern_input(st, p);
	record();
	while (tern_reclaim(st, &cookie))
		;
}

static uint32_t begin_frame(uint8_t *buf, uint16_t type)
{
	struct eth eth = { .type = type };

	memcpy(eth.dst, our_mac, 6);
	memcpy(eth.src, peer_mac, 6);
	return (uint32_t)eth_emit(&eth, buf);
}

/* An IP packet with this payload; check_off: where its checksum is, 0: it has none. */
static void put_ip(uint8_t proto, const uint8_t *payload, uint32_t len, uint32_t check_off)
{
	uint8_t buf[1600];
	bool v4 = family == TERN_AF_INET;
	uint32_t off = begin_frame(buf, v4 ? ETH_IP4 : ETH_IP6);
	uint32_t sum = v4 && proto == 1 ? 0 : checksum_pseudo(&peer, &us, proto, len);
	struct ip4 ip4 = { .ttl = 255, .proto = proto, .hdr_len = 20, .src = peer, .dst = us };
	struct ip6 ip6 = { .hop_limit = 255, .next_header = proto, .src = peer, .dst = us };

	ip4.total_len = (uint16_t)(20 + len);
	ip6.payload_len = (uint16_t)len;
	off += (uint32_t)(v4 ? ip4_emit(&ip4, buf + off) : ip6_emit(&ip6, buf + off));
	memcpy(buf + off, payload, len);
	if (check_off)
		put_be16(buf + off + check_off, checksum_finish(checksum_add(buf + off, len, sum)));
	put_frame(buf, off + len);
}

static void put_tcp(uint16_t port, uint16_t flags, uint32_t seq, uint32_t ack)
{
	struct tcp_hdr h = { .src_port = PEER_PORT,
			     .dst_port = port,
			     .flags = flags,
			     .seq = seq,
			     .ack = ack,
			     .wnd = 65535 };
	uint8_t buf[60];

	if (flags & TCP_SYN) {
		h.has_mss = h.sack_permitted = h.has_ts = h.has_wscale = true;
		h.mss = 1400;
	}
	h.has_ts = true;
	h.ts_val = 7;
	put_ip(6, buf, (uint32_t)tcp_emit(&h, buf), 16);
}

static void put_udp(uint16_t port, uint32_t len)
{
	struct udp u = { PEER_PORT, port, (uint16_t)(8 + len), 0 };
	uint8_t buf[200] = { 0 };

	udp_emit(&u, buf);
	put_ip(17, buf, 8 + len, 6);
}

static void put_icmp(uint8_t type, uint32_t len)
{
	struct icmp h = { .type = type, .rest = 0x12340001 };
	uint8_t buf[200] = { 0 };

	icmp_emit(&h, buf);
	put_ip(family == TERN_AF_INET ? 1 : 58, buf, 8 + len, 2);
}

/* ---- the scenes ---- */

static struct tern_addr public_of(const struct addr *a, uint16_t port)
{
	struct tern_addr out = { .family = (uint16_t)family, .port = port };

	memcpy(out.ip, family == TERN_AF_INET ? a->b + 12 : a->b, family == TERN_AF_INET ? 4 : 16);
	return out;
}

static void half_open(void)
{
	put_tcp(PORT, TCP_SYN, ISN, 0);
}

static void half_open_challenge(void)
{
	half_open();
	put_tcp(PORT, TCP_ACK, ISN - 5000, 1);
}

static tern_sock establish(void)
{
	tern_sock s = 0;

	half_open();
	put_tcp(PORT, TCP_ACK, ISN + 1, last.seq + 1);
	check_eq(tern_accept(st, listener, &s, NULL), 0);
	return s;
}

static void challenge(void)
{
	establish();
	put_tcp(PORT, TCP_SYN, ISN + 1, 0);
}

static void data(void)
{
	tern_sock s = establish();

	check_eq(tern_send(st, s, "odd", 3, 0), 3);
	record();
}

static void fin(void)
{
	check_eq(tern_close(st, establish()), 0);
	record();
}

static void abort_connection(void)
{
	check_eq(tern_abort(st, establish()), 0);
	record();
}

static void time_wait(void)
{
	fin();
	put_tcp(PORT, TCP_FIN | TCP_ACK, ISN + 1, last.seq + 1);
	put_tcp(PORT, TCP_FIN | TCP_ACK, ISN + 1, last.seq);
}

static void reset_of_syn(void)
{
	put_tcp(CLOSED_PORT, TCP_SYN, ISN, 0);
}

static void reset_of_ack(void)
{
	put_tcp(CLOSED_PORT, TCP_ACK, ISN, 77);
}

static void active_open(void)
{
	struct tern_addr to = public_of(&peer, PORT);
	tern_sock s;

	check_eq(tern_socket(st, family, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
	record();
}

static void port_unreachable(void)
{
	put_udp(CLOSED_PORT, 5);
}

static void protocol_unreachable(void)
{
	put_ip(200, (const uint8_t *)"12345678", 8, 0);
}

static void echo(void)
{
	put_icmp(family == TERN_AF_INET ? ICMP4_ECHO : ICMP6_ECHO, 33);
}

static void datagram(void)
{
	struct tern_addr to = public_of(&peer, PORT);
	tern_sock s;

	check_eq(tern_socket(st, family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_sendto(st, s, "seven b", 7, 0, &to), 7);
	record();
}

/* A destination option that must not be skipped: RFC 8200 4.2. */
static void parameter_problem(void)
{
	static const uint8_t options[8] = { 17, 0, 0x80, 4, 0, 0, 0, 0 };

	put_ip(60, options, sizeof(options), 0);
}

static void arp_reply(void)
{
	struct arp arp = { .op = ARP_REQUEST, .sender = peer, .target = us };
	uint8_t buf[64] = { 0 };
	uint32_t off = begin_frame(buf, ETH_ARP);

	memcpy(arp.sender_mac, peer_mac, 6);
	put_frame(buf, off + (uint32_t)arp_emit(&arp, buf + off));
}

static void neighbour_advert(void)
{
	struct ndp ndp = { .type = ICMP6_NEIGH_SOLICIT, .target = us, .has_mac = true };
	uint8_t buf[NDP_MAX_LEN];

	memcpy(ndp.mac, peer_mac, 6);
	put_ip(58, buf, (uint32_t)ndp_emit(&ndp, buf), 2);
}

/* Somebody whose link-layer address nobody knows. */
static void ask_for_a_neighbour(void)
{
	peer.b[15] = 99;
	datagram();
}

struct scene {
	const char *name;
	int family;
	void (*run)(void);
	struct wanted wanted;
};

#define V4 TERN_AF_INET
#define V6 TERN_AF_INET6

static const struct scene scenes[] = {
	{ "SYN,ACK", V4, half_open, { ETH_IP4, 6, TCP_SYN | TCP_ACK } },
	{ "SYN,ACK v6", V6, half_open, { ETH_IP6, 6, TCP_SYN | TCP_ACK } },
	{ "challenge of a half", V4, half_open_challenge, { ETH_IP4, 6, TCP_ACK } },
	{ "challenge of a half v6", V6, half_open_challenge, { ETH_IP6, 6, TCP_ACK } },
	{ "challenge ACK", V4, challenge, { ETH_IP4, 6, TCP_ACK } },
	{ "challenge ACK v6", V6, challenge, { ETH_IP6, 6, TCP_ACK } },
	{ "data", V4, data, { ETH_IP4, 6, TCP_ACK | TCP_PSH } },
	{ "data v6", V6, data, { ETH_IP6, 6, TCP_ACK | TCP_PSH } },
	{ "FIN", V4, fin, { ETH_IP4, 6, TCP_ACK | TCP_FIN } },
	{ "FIN v6", V6, fin, { ETH_IP6, 6, TCP_ACK | TCP_FIN } },
	{ "abort", V4, abort_connection, { ETH_IP4, 6, TCP_RST | TCP_ACK } },
	{ "abort v6", V6, abort_connection, { ETH_IP6, 6, TCP_RST | TCP_ACK } },
	{ "TIME-WAIT", V4, time_wait, { ETH_IP4, 6, TCP_ACK } },
	{ "TIME-WAIT v6", V6, time_wait, { ETH_IP6, 6, TCP_ACK } },
	{ "RST,ACK", V4, reset_of_syn, { ETH_IP4, 6, TCP_RST | TCP_ACK } },
	{ "RST,ACK v6", V6, reset_of_syn, { ETH_IP6, 6, TCP_RST | TCP_ACK } },
	{ "RST", V4, reset_of_ack, { ETH_IP4, 6, TCP_RST } },
	{ "RST v6", V6, reset_of_ack, { ETH_IP6, 6, TCP_RST } },
	{ "SYN", V4, active_open, { ETH_IP4, 6, TCP_SYN } },
	{ "SYN v6", V6, active_open, { ETH_IP6, 6, TCP_SYN } },
	{ "port unreachable", V4, port_unreachable, { ETH_IP4, 1, ICMP4_UNREACHABLE } },
	{ "port unreachable v6", V6, port_unreachable, { ETH_IP6, 58, ICMP6_UNREACHABLE } },
	{ "protocol unreachable", V4, protocol_unreachable, { ETH_IP4, 1, ICMP4_UNREACHABLE } },
	{ "unknown header", V6, protocol_unreachable, { ETH_IP6, 58, ICMP6_PARAMETER_PROBLEM } },
	{ "unknown option", V6, parameter_problem, { ETH_IP6, 58, ICMP6_PARAMETER_PROBLEM } },
	{ "echo", V4, echo, { ETH_IP4, 1, ICMP4_ECHO_REPLY } },
	{ "echo v6", V6, echo, { ETH_IP6, 58, ICMP6_ECHO_REPLY } },
	{ "datagram", V4, datagram, { ETH_IP4, 17, 0 } },
	{ "datagram v6", V6, datagram, { ETH_IP6, 17, 0 } },
	{ "ARP reply", V4, arp_reply, { ETH_ARP, 0, ARP_REPLY } },
	{ "ARP request", V4, ask_for_a_neighbour, { ETH_ARP, 0, ARP_REQUEST } },
	{ "advertisement", V6, neighbour_advert, { ETH_IP6, 58, ICMP6_NEIGH_ADVERT } },
	{ "solicitation", V6, ask_for_a_neighbour, { ETH_IP6, 58, ICMP6_NEIGH_SOLICIT } },
};

/* ---- two worlds ---- */

static void new_world(uint8_t fill)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_neigh neigh = { .ifindex = 2, .mac = { 2, 0, 0, 0, 0, 2 } };
	struct tern_config cfg;
	struct tern_addr a;
	struct tern_env env;

	counted = (struct test_env){ .fill = fill };
	env = test_env_make(&counted, 9);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	tern_advance(st, 5 * TERN_SEC);
	check_eq(tern_iface_add(st, &nic), 2);
	check_eq(tern_addr_parse(family == V4 ? "10.0.0.1" : "fd00::1", PORT, &a), 0);
	check_eq(tern_addr_parse(family == V4 ? "10.0.0.2" : "fd00::2", 0, &neigh.addr), 0);
	us = family == V4 ? addr_from4(a.ip) : addr_from6(a.ip);
	peer = family == V4 ? addr_from4(neigh.addr.ip) : addr_from6(neigh.addr.ip);
	check_eq(tern_addr_add(st, 2, &a, family == V4 ? 24 : 64), 0);
	check_eq(tern_neigh_add(st, &neigh), 0);
	check_eq(tern_socket(st, family, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(st, listener, &a), 0);
	check_eq(tern_listen(st, listener, 4), 0);
	record(); /* what it says of itself */
}

static void run_scene(const struct scene *s, uint8_t fill, struct tape *t)
{
	memset(t, 0x55, sizeof(*t));
	t->len = t->n = t->n_wanted = 0;
	tape = t;
	family = s->family;
	wanted = s->wanted;
	new_world(fill);
	s->run();
	tern_free(st);
	check_eq(counted.out, 0);
}

static void two_worlds_send_the_same(void)
{
	static struct tape zeroes, ones;

	for (size_t i = 0; i < N_TESTS(scenes); i++) {
		test_at("%s", scenes[i].name);
		run_scene(&scenes[i], 0x00, &zeroes);
		run_scene(&scenes[i], 0xff, &ones);
		check(zeroes.n_wanted >= 1);
		check_eq(zeroes.n, ones.n);
		check_eq(zeroes.len, ones.len);
		check_mem(ones.bytes, zeroes.bytes, zeroes.len);
	}
}

static const struct test tests[] = {
	TEST(two_worlds_send_the_same),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
