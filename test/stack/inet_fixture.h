/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_fixture.h - packets of any protocol to the stack of peer_fixture.h, on its own link or on an
 * Ethernet; what goes out, and what sockets get.
 *
 * On the Ethernet the peer's link address is known for ever if a test says so; what is asked of
 * neighbours is passed over by take_out.
 */
#ifndef TERN_INET_FIXTURE_H
#define TERN_INET_FIXTURE_H

#include "peer_fixture.h"

enum { ICMP4 = 1, TCP = 6, UDP = 17, ICMP6 = 58, PEER_PORT = 5000 };

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
static const uint8_t all_macs[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static uint8_t scratch[66000];
static bool on_ethernet;

static inline void set_option(tern_sock s, int level, int name, int32_t v)
{
	check_eq(tern_setsockopt(st, s, level, name, &v, sizeof(v)), 0);
}

static inline void know_peer(const char *ip)
{
	struct tern_neigh n = { .ifindex = 2, .mac = { 2, 0, 0, 0, 0, 9 } };

	check_eq(tern_addr_parse(ip, 0, &n.addr), 0);
	check_eq(tern_neigh_add(st, &n), 0);
}

static inline void add_address(const char *ip, unsigned ifindex, unsigned len)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(ip, 0, &a), 0);
	check_eq(tern_addr_add(st, ifindex, &a, len), 0);
}

static inline void add_route(const char *dst, unsigned len, const char *gateway, uint32_t metric)
{
	struct tern_route r = { .prefix_len = len, .ifindex = 2, .metric = metric };

	check_eq(tern_addr_parse(dst, 0, &r.dst), 0);
	if (gateway)
		check_eq(tern_addr_parse(gateway, 0, &r.gateway), 0);
	check_eq(tern_route_add(st, &r), 0);
}

/* 10.0.0.1/len on an Ethernet; with_peer: also fd00::1, and the peers' link addresses. */
static inline void new_ethernet(unsigned len, bool with_peer)
{
	struct tern_iface eth = { "eth0", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_config cfg;
	struct tern_env env;

	counted = (struct test_env){ .fill = 0x35 };
	env = test_env_make(&counted, 7);
	tern_config_default(&cfg);
	cfg.dad_transmits = 0;
	st = tern_new(&cfg, &env);
	tern_advance(st, TERN_SEC);
	check_eq(tern_iface_add(st, &eth), 2);
	if (len)
		add_address("10.0.0.1", 2, len);
	on_ethernet = true;
	if (!with_peer)
		return;
	add_address("fd00::1", 2, 64);
	know_peer("10.0.0.9");
	know_peer("fd00::9");
}

static inline void new_wire(void)
{
	new_stack(1);
	on_ethernet = false;
}

static inline void pass(tern_time t)
{
	tern_time until = tern_now(st) + t;

	while (tern_now(st) < until) {
		tern_time next = tern_deadline(st);

		tern_advance(st, next < until ? MAX(next, tern_now(st) + 1) : until);
	}
}

/* ---- what comes in ---- */

static uint16_t comes_by = 2; /* the interface, of all packets that are put */

struct packet {
	const char *src, *dst; /* NULL: the peer, us */
	bool v6;
	uint8_t proto, tos, n_options;
	uint16_t off, id, link_flags; /* off: as in the header, with its flags */
	const uint8_t *options;
	const uint8_t *frame_to; /* NULL: our link address */
	const uint8_t *body;
	uint32_t len;
};

static inline struct addr source_of(const struct packet *p)
{
	return parse_addr(p->src ? p->src : p->v6 ? "fd00::9" : "10.0.0.9");
}

static inline struct addr target_of(const struct packet *p)
{
	return parse_addr(p->dst ? p->dst : p->v6 ? "fd00::1" : "10.0.0.1");
}

static inline uint32_t pseudo_sum(const struct packet *p, uint8_t proto, uint32_t len)
{
	struct addr from = source_of(p), to = target_of(p);

	return checksum_pseudo(&from, &to, proto, len);
}

static inline void fill_udp(struct packet *p, uint16_t from, uint16_t to, const void *text,
			    uint32_t len)
{
	struct udp h = { from, to, (uint16_t)(8 + len), 0 };
	uint16_t sum;

	p->proto = UDP;
	p->body = scratch;
	p->len = 8 + len;
	memcpy(scratch + 8, text, len);
	udp_emit(&h, scratch);
	sum = checksum_finish(checksum_add(scratch, p->len, pseudo_sum(p, UDP, p->len)));
	put_be16(scratch + 6, sum ? sum : 0xffff);
}

static inline void fill_icmp(struct packet *p, const struct icmp *h, const void *text, uint32_t len)
{
	p->proto = p->v6 ? ICMP6 : ICMP4;
	p->body = scratch;
	p->len = 8 + len;
	icmp_emit(h, scratch);
	memcpy(scratch + 8, text, len);
	put_be16(scratch + 2, checksum_finish(checksum_add(
				      scratch, p->len, p->v6 ? pseudo_sum(p, ICMP6, p->len) : 0)));
}

static inline void fill_echo(struct packet *p)
{
	fill_icmp(p, &(struct icmp){ .type = p->v6 ? ICMP6_ECHO : ICMP4_ECHO, .rest = 0x12340007 },
		  "echo", 4);
}

static inline void fill_tcp(struct packet *p, uint16_t from, uint16_t to, uint16_t flags)
{
	struct tcp_hdr h = { .src_port = from, .dst_port = to, .seq = 1, .flags = flags };

	h.wnd = 1000;
	p->proto = TCP;
	p->body = scratch;
	p->len = (uint32_t)tcp_emit(&h, scratch);
	put_be16(scratch + 16,
		 checksum_finish(checksum_add(scratch, p->len, pseudo_sum(p, TCP, p->len))));
}

/* The packet as bytes of IP; returns how many. */
static inline uint32_t packet_bytes(const struct packet *p, uint8_t *out)
{
	struct ip6 h6 = { .traffic_class = p->tos,
			  .next_header = p->proto,
			  .hop_limit = 64,
			  .payload_len = (uint16_t)p->len,
			  .src = source_of(p),
			  .dst = target_of(p) };
	struct ip4 h4 = { .tos = p->tos, .ttl = 64, .proto = p->proto, .id = p->id };
	uint32_t len;

	h4.src = h6.src;
	h4.dst = h6.dst;
	h4.hdr_len = (uint8_t)(20 + p->n_options);
	h4.options = p->n_options ? p->options : NULL;
	h4.total_len = (uint16_t)(h4.hdr_len + p->len);
	len = (uint32_t)(p->v6 ? ip6_emit(&h6, out) : ip4_emit(&h4, out));
	if (!p->v6 && p->off) {
		put_be16(out + 6, p->off);
		ip4_set_checksum(out);
	}
	memcpy(out + len, p->body, p->len);
	return len + p->len;
}

/* Bytes of IP; on the Ethernet in a frame to this link address, from the peer's. */
static inline void put_bytes(const uint8_t *bytes, uint32_t len, const uint8_t *frame_to,
			     uint16_t link_flags)
{
	uint32_t link = on_ethernet ? ETH_HDR_LEN : 0;
	struct tern_pkt *p = tern_pkt_new(st, link + len);
	struct eth h = { .type = bytes[0] >> 4 == 6 ? ETH_IP6 : ETH_IP4 };

	memcpy(h.dst, frame_to ? frame_to : our_mac, 6);
	memcpy(h.src, peer_mac, 6);
	if (on_ethernet)
		eth_emit(&h, p->data);
	memcpy(p->data + link, bytes, len);
	p->flags |= link_flags;
	p->ifindex = comes_by;
	tern_input(st, p);
}

static inline void put_packet(const struct packet *p)
{
	static uint8_t bytes[66000];

	put_bytes(bytes, packet_bytes(p, bytes), p->frame_to, p->link_flags);
	tern_check(st);
}

/* ---- what goes out ---- */

/* The next IP packet, without its frame; 0: none. Questions about neighbours are passed over. */
static inline uint32_t take_out(uint8_t *buf, uint32_t size)
{
	static uint8_t frame[66000];
	uint32_t len;

	if (!on_ethernet)
		return next_out(buf, size);
	while ((len = next_out(frame, sizeof(frame)))) {
		uint16_t type = get_be16(frame + 12);

		if (type == ETH_ARP || (type == ETH_IP6 && frame[20] == ICMP6 && frame[54] >= 133))
			continue;
		len = MIN(len - ETH_HDR_LEN, size);
		memcpy(buf, frame + ETH_HDR_LEN, len);
		return len;
	}
	return 0;
}

static inline unsigned count_out(void)
{
	uint8_t buf[64];
	unsigned n = 0;

	while (take_out(buf, sizeof(buf)))
		n++;
	return n;
}

/* The next packet, which is ICMP's: its type and code as 0xTTCC; -1: none, -2: not ICMP's. */
static inline int icmp_out(uint8_t *buf, uint32_t size, uint32_t *len)
{
	uint32_t n = take_out(buf, size), at;

	*len = n;
	if (n == 0)
		return -1;
	at = buf[0] >> 4 == 6 ? 40 : (buf[0] & 15) * 4u;
	if (buf[buf[0] >> 4 == 6 ? 6 : 9] != (buf[0] >> 4 == 6 ? ICMP6 : ICMP4))
		return -2;
	return buf[at] << 8 | buf[at + 1];
}

static inline int answer_to(const struct packet *p)
{
	static uint8_t buf[66000];
	uint32_t len;

	put_packet(p);
	return icmp_out(buf, sizeof(buf), &len);
}

/* ---- sockets ---- */

static inline tern_sock open_socket(const char *at, uint16_t port, int type, int protocol)
{
	struct tern_addr a;
	tern_sock s = 0;

	check_eq(tern_addr_parse(at, port, &a), 0);
	check_eq(tern_socket(st, a.family, type, protocol, &s), 0);
	if (port)
		check_eq(tern_bind(st, s, &a), 0);
	return s;
}

static inline tern_sock open_udp(const char *at, uint16_t port)
{
	return open_socket(at, port, TERN_SOCK_DGRAM, 0);
}

static inline int connect_to(tern_sock s, const char *to, uint16_t port)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(to, port, &a), 0);
	return tern_connect(st, s, &a);
}

static inline int64_t send_to(tern_sock s, const char *to, uint16_t port, const void *text,
			      size_t len)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(to, port, &a), 0);
	return tern_sendto(st, s, text, len, 0, &a);
}

/* How long what it hears is; an error if nothing. */
static inline int64_t hears(tern_sock s)
{
	static char got[66000];

	return tern_recv(st, s, got, sizeof(got), 0);
}

/* An error about a packet of ours; quoted are its first n bytes. */
static inline void tell(bool v6, uint16_t type_code, uint32_t rest, const uint8_t *packet,
			uint32_t n)
{
	struct packet p = { .v6 = v6, .src = v6 ? "fd00::77" : "10.0.0.77" };
	struct icmp h = { (uint8_t)(type_code >> 8), (uint8_t)type_code, 0, rest };

	fill_icmp(&p, &h, packet, n);
	put_packet(&p);
}

/* A socket with a peer, and the first datagram that it has sent: 4 bytes of text. */
static inline tern_sock open_peer(bool v6, uint8_t *packet)
{
	tern_sock s = open_udp(v6 ? "::" : "0.0.0.0", 7000);

	check_eq(connect_to(s, v6 ? "fd00::9" : "10.0.0.9", PEER_PORT), 0);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	check_eq(take_out(packet, 100), v6 ? 52 : 32);
	return s;
}

#endif
