/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floods_test.c - a connection under floods of each kind keeps 99 % of its goodput, and what the
 * floods leave behind stays inside the caps of the configuration.
 *
 * a sends to b as fast as 200 Mbit/s lets it for a second; a stranger on the link of both says
 * twenty packets a millisecond to each. What b has read is compared with a second of peace.
 */
#include "test.h"

#include "../../core/base/base.h"
#include "../../core/wire/wire.h"
#include "../../include/tern_sim.h"

enum { PER_MS = 20, FRAME_LEN = 600 };

static struct tern_sim_pair net;
static tern_sock from, to;
static uint64_t n_read, n_answered; /* bytes: of the connection, and of a's answers to the flood */
static bool v6;
static uint32_t turn; /* of the flood: no two packets are alike */

/* ---- the connection ---- */

static void fill(void)
{
	static const char text[65536];

	while (tern_send(net.a, from, text, sizeof(text), 0) > 0)
		continue;
}

static void on_event(void *ctx, int host, const struct tern_event *ev)
{
	static char bytes[65536];
	int64_t n;

	(void)ctx, (void)ev;
	if (host == 0) {
		fill();
		return;
	}
	if (!to && tern_accept(net.b, from, &to, NULL))
		return;
	while ((n = tern_recv(net.b, to, bytes, sizeof(bytes), 0)) > 0)
		n_read += (uint64_t)n;
}

static void on_frame(void *ctx, const struct tern_sim_note *n)
{
	uint32_t proto = ETH_HDR_LEN + (v6 ? 6 : 9);

	(void)ctx;
	if (n->what == TERN_SIM_FRAME_SENT && n->host == 0 && n->frame[proto] != TERN_IPPROTO_TCP)
		n_answered += n->len;
}

static void set(struct tern_stack *st, const char *name, const char *value)
{
	check_eq(tern_sysctl_set(st, name, value), 0);
}

static void begin(void)
{
	struct tern_weather wire = { .delay = 2 * TERN_MS, .rate_bps = 200000000 };
	struct tern_addr at;
	tern_sock listener;

	turn = 0;
	n_read = n_answered = to = 0;
	check_eq(tern_sim_pair(&net, 7, v6 ? TERN_AF_INET6 : TERN_AF_INET, TERN_LINK_ETHERNET, 1500,
			       &wire),
		 0);
	for (int h = 0; h < 2; h++) {
		struct tern_stack *st = tern_sim_stack(net.sim, h);

		set(st, "net.ipv4.conf.accept_redirects", "1");
		check_eq(tern_auto_set(st, 2, TERN_AUTO_RA), 0);
	}
	tern_sim_run(net.sim, 3 * TERN_SEC); /* addresses are found good */
	at = net.addr_b;
	at.port = 80;
	check_eq(tern_socket(net.b, at.family, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(net.b, listener, &at), 0);
	check_eq(tern_listen(net.b, listener, 16), 0);
	check_eq(tern_socket(net.a, at.family, TERN_SOCK_STREAM, 0, &from), 0);
	check_eq(tern_connect(net.a, from, &at), -TERN_EINPROGRESS);
	tern_sim_run(net.sim, tern_sim_now(net.sim) + 20 * TERN_MS);
	check_eq(tern_accept(net.b, listener, &to, NULL), 0);
	tern_sim_observe(net.sim, on_frame, NULL);
	tern_sim_on_event(net.sim, 0, on_event, NULL);
	tern_sim_on_event(net.sim, 1, on_event, NULL);
	fill();
}

/* ---- packets of the stranger ---- */

static uint8_t frame[FRAME_LEN];
static uint32_t frame_len;

/* Some number below n, by the turn. */
static uint32_t some(uint32_t n)
{
	uint32_t x = (turn + 1) * 2654435761u;

	x ^= x >> 15;
	x *= 2246822519u;
	return (x ^ x >> 13) % n;
}

static void give(int host)
{
	struct tern_stack *st = tern_sim_stack(net.sim, host);
	struct tern_pkt *p = tern_pkt_new(st, frame_len);

	check(p != NULL);
	memcpy(p->data, frame, frame_len);
	p->ifindex = 2;
	tern_input(st, p);
}

static struct addr of_host(int host)
{
	struct addr a;
	const struct tern_addr *t = host ? &net.addr_b : &net.addr_a;

	memset(&a, 0, sizeof(a));
	if (t->family == TERN_AF_INET)
		return addr_from4(t->ip);
	return addr_from6(t->ip);
}

/* Somebody of the link; of IPv6 by a link-local address, which any router has. */
static struct addr stranger(void)
{
	uint8_t four[4] = { 10, 0, 0, (uint8_t)(3 + some(250)) };
	uint8_t six[16] = { 0xfe, 0x80, [8] = 1 };

	put_be32(six + 12, some(1u << 31));
	return v6 ? addr_from6(six) : addr_from4(four);
}

static void put_eth(int host, uint16_t type)
{
	struct eth h = { .dst = { 2, 0, 0, 0, 0, (uint8_t)(host + 1) }, .type = type };

	put_be32(h.src + 2, turn);
	h.src[0] = 2;
	h.src[1] = 9;
	eth_emit(&h, frame);
}

struct flow {
	struct addr src, dst;
	uint8_t proto, ttl;
	bool cut; /* a first fragment, of which the rest will not come */
};

/* Where the payload goes: behind 14 bytes of Ethernet and the IP header. */
static uint8_t *payload(void)
{
	return frame + ETH_HDR_LEN + (v6 ? IP6_HDR_LEN : IP4_HDR_LEN);
}

static void put_ip(int host, const struct flow *f, uint16_t len)
{
	struct ip4 four = { .ttl = f->ttl,
			    .proto = f->proto,
			    .hdr_len = IP4_HDR_LEN,
			    .mf = f->cut,
			    .total_len = (uint16_t)(IP4_HDR_LEN + len),
			    .id = (uint16_t)some(65536),
			    .src = f->src,
			    .dst = f->dst };
	struct ip6 six = { .next_header = f->proto,
			   .hop_limit = f->ttl,
			   .payload_len = len,
			   .src = f->src,
			   .dst = f->dst };

	put_eth(host, v6 ? ETH_IP6 : ETH_IP4);
	if (v6)
		ip6_emit(&six, frame + ETH_HDR_LEN);
	else
		ip4_emit(&four, frame + ETH_HDR_LEN);
	frame_len = (uint32_t)(payload() + len - frame);
}

/* An ICMP message whose bytes 8 and up are there. */
static void put_icmp(int host, const struct flow *f, const struct icmp *h, uint16_t len)
{
	uint8_t *p = payload();
	uint32_t sum = v6 ? checksum_pseudo(&f->src, &f->dst, f->proto, len) : 0;

	icmp_emit(h, p);
	put_be16(p + 2, checksum_finish(checksum_add(p, len, sum)));
	put_ip(host, f, len);
}

static struct flow icmp_to(int host)
{
	return (struct flow){ .src = stranger(),
			      .dst = of_host(host),
			      .proto = v6 ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP,
			      .ttl = 255 };
}

/* ---- floods ---- */

/* Each asks for our link address, and says its own. */
static void neighbours(int host)
{
	struct arp ask = { .op = ARP_REQUEST, .sender = stranger(), .target = of_host(host) };
	struct ndp solicit = { .type = 135, .target = of_host(host), .has_mac = true };
	struct flow f = icmp_to(host);
	uint8_t *p = payload();
	uint16_t len;

	if (v6) {
		put_be32(solicit.mac + 2, turn);
		len = (uint16_t)ndp_emit(&solicit, p);
		put_be16(p + 2, checksum_finish(checksum_add(
					p, len, checksum_pseudo(&f.src, &f.dst, f.proto, len))));
		put_ip(host, &f, len);
	} else {
		put_be32(ask.sender_mac + 2, turn);
		put_eth(host, ETH_ARP);
		frame_len = ETH_HDR_LEN + ARP_LEN;
		arp_emit(&ask, frame + ETH_HDR_LEN);
	}
	give(host);
}

/* Another router each time, with a prefix, a route, a server and an MTU that are its own. */
static void adverts(int host)
{
	struct icmp h = { .type = 134, .rest = 64u << 24 | 1800 };
	struct flow f = icmp_to(host);
	uint8_t *o = payload() + 16;

	memset(payload(), 0, 16 + 32 + 24 + 24 + 8);
	o[0] = 3, o[1] = 4, o[2] = 64, o[3] = 0xc0;
	put_be32(o + 4, 3600);
	put_be32(o + 8, 3600);
	put_be32(o + 16, 0x20010db8);
	put_be32(o + 20, turn);
	o += 32;
	o[0] = 24, o[1] = 3, o[2] = 64;
	put_be32(o + 4, 3600);
	put_be32(o + 8, 0x20010db9);
	put_be32(o + 12, turn);
	o += 24;
	o[0] = 25, o[1] = 3;
	put_be32(o + 4, 3600);
	put_be32(o + 8, 0x20010dba);
	put_be32(o + 12, turn);
	o += 24;
	o[0] = 5, o[1] = 1;
	put_be32(o + 4, 1280 + some(200));
	put_icmp(host, &f, &h, 16 + 32 + 24 + 24 + 8);
	give(host);
}

/* First fragments of datagrams that never end, of many senders. */
static void fragments(int host)
{
	struct flow f = icmp_to(host);
	uint8_t *p = payload();

	f.proto = v6 ? 44 : TERN_IPPROTO_UDP;
	f.ttl = 64;
	f.cut = true;
	memset(p, 0, 520);
	if (v6) {
		p[0] = TERN_IPPROTO_UDP;
		put_be16(p + 2, 1); /* offset 0, more */
		put_be32(p + 4, some(1u << 31));
	}
	put_ip(host, &f, 520);
	give(host);
}

/* Errors about our connection, with numbers that are a guess: unreachable, too big, expired. */
static void errors(int host)
{
	static const struct icmp four[] = {
		{ 3, 1, 0, 0 }, { 3, 3, 0, 0 }, { 3, 4, 0, 600 }, { 11, 0, 0, 0 }, { 4, 0, 0, 0 }
	};
	static const struct icmp six[] = {
		{ 1, 0, 0, 0 }, { 1, 4, 0, 0 }, { 2, 0, 0, 1280 }, { 3, 0, 0, 0 }, { 4, 1, 0, 6 }
	};
	struct flow f = icmp_to(host);
	struct icmp h = (v6 ? six : four)[turn % 5];
	uint8_t *q = payload() + 8;
	uint16_t hdr = v6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	struct ip4 ip4 = { .ttl = 60,
			   .proto = TERN_IPPROTO_TCP,
			   .hdr_len = IP4_HDR_LEN,
			   .df = true,
			   .total_len = 1500,
			   .src = of_host(host),
			   .dst = of_host(!host) };
	struct ip6 ip6 = { .next_header = TERN_IPPROTO_TCP,
			   .hop_limit = 60,
			   .payload_len = 1460,
			   .src = of_host(host),
			   .dst = of_host(!host) };
	struct tern_addr name;

	tern_getsockname(net.a, from, &name);
	if (v6)
		ip6_emit(&ip6, q);
	else
		ip4_emit(&ip4, q);
	put_be16(q + hdr, host ? 80 : name.port);
	put_be16(q + hdr + 2, host ? name.port : 80);
	put_be32(q + hdr + 4, some(1u << 31) * 2);
	put_icmp(host, &f, &h, (uint16_t)(8 + hdr + 8));
	give(host);
}

/* Better ways to everywhere and to the peer, by the peer himself, it seems. */
static void redirects(int host)
{
	struct flow f = icmp_to(host);
	struct icmp h = { .type = v6 ? 137 : 5, .code = v6 ? 0 : 1 };
	struct ip4 ip4 = { .ttl = 60,
			   .proto = TERN_IPPROTO_UDP,
			   .hdr_len = IP4_HDR_LEN,
			   .total_len = 100,
			   .src = of_host(host),
			   .dst = of_host(!host) };
	struct addr gateway = stranger(), dst = of_host(!host);
	uint8_t *p = payload();

	if (turn % 2)
		f.src = of_host(!host);
	if (turn % 3 == 0)
		put_be32(dst.b + 12, 0x0a010000 + some(65536));
	ip4.dst = dst;
	memset(p, 0, 80);
	if (v6) {
		memcpy(p + 8, gateway.b, 16);
		memcpy(p + 24, dst.b, 16);
		put_icmp(host, &f, &h, 40);
	} else {
		h.rest = get_be32(gateway.b + 12);
		ip4_emit(&ip4, p + 8);
		put_icmp(host, &f, &h, 8 + IP4_HDR_LEN + 8);
	}
	give(host);
}

/* Ports that nobody has: each would be told. */
static void datagrams(int host)
{
	struct flow f = icmp_to(host);
	struct udp h = { .src_port = 9, .dst_port = (uint16_t)(1024 + some(60000)), .len = 100 };
	uint8_t *p = payload();

	f.proto = TERN_IPPROTO_UDP;
	f.ttl = 64;
	memset(p, 0, 100);
	udp_emit(&h, p);
	h.checksum = checksum_finish(
		checksum_add(p, 100, checksum_pseudo(&f.src, &f.dst, TERN_IPPROTO_UDP, 100)));
	udp_emit(&h, p);
	put_ip(host, &f, 100);
	give(host);
}

/* ---- the comparison ---- */

static unsigned count_neighbours(const struct tern_stack *st)
{
	struct tern_neigh n;
	unsigned cursor = 0, count = 0;

	while (tern_neigh_next(st, &cursor, &n))
		count++;
	return count;
}

static unsigned count_routes(const struct tern_stack *st)
{
	struct tern_route r;
	unsigned cursor = 0, count = 0;

	while (tern_route_next(st, &cursor, &r))
		count++;
	return count;
}

static unsigned count_addresses(const struct tern_stack *st)
{
	struct tern_iface_addr a;
	unsigned cursor = 0, count = 0;

	while (tern_addr_next(st, &cursor, &a))
		count++;
	return count;
}

static uint64_t bytes_in_a_second(void (*flood)(int host))
{
	tern_time until;
	uint64_t before, memory[2];
	struct tern_config cfg;

	begin();
	tern_config_default(&cfg);
	tern_sim_run(net.sim, tern_sim_now(net.sim) + 500 * TERN_MS); /* beyond slow start */
	before = n_read;
	for (int h = 0; h < 2; h++)
		memory[h] = tern_memory(tern_sim_stack(net.sim, h));
	until = tern_sim_now(net.sim) + TERN_SEC;
	while (tern_sim_now(net.sim) < until) {
		for (int i = 0; flood && i < PER_MS; i++, turn++) {
			flood(0);
			flood(1);
		}
		tern_sim_run(net.sim, tern_sim_now(net.sim) + TERN_MS);
	}
	for (int h = 0; h < 2; h++) {
		const struct tern_stack *st = tern_sim_stack(net.sim, h);

		check(count_neighbours(st) <= cfg.neighbours_max);
		check(count_routes(st) <= cfg.routes_max);
		check(count_addresses(st) <= cfg.addresses_max);
		/* an entry of each table is less than 2 KB, with what waits in it */
		check(tern_memory(st) <=
		      memory[h] + cfg.frag_memory_max +
			      2048 * ((uint64_t)cfg.neighbours_max + cfg.addresses_max +
				      cfg.routers_max + cfg.prefixes_max + cfg.path_mtus_max));
		tern_check(st);
	}
	before = n_read - before;
	tern_sim_free(net.sim);
	return before;
}

/* Questions for our link address are answered, all of them: what that takes of the wire is no loss. */
static void in_spite_of(void (*flood)(int host))
{
	uint64_t peace = bytes_in_a_second(NULL), war = bytes_in_a_second(flood);

	if (flood == neighbours)
		war += n_answered;

	check(peace > 20000000); /* of the 25 MB that the wire carries */
	test_at("%s: %llu bytes instead of %llu", v6 ? "IPv6" : "IPv4", (unsigned long long)war,
		(unsigned long long)peace);
	check(war * 100 >= peace * 99);
}

static void over_both(void (*flood)(int host))
{
	v6 = false;
	in_spite_of(flood);
	v6 = true;
	in_spite_of(flood);
}

static void a_flood_of_neighbours(void)
{
	over_both(neighbours);
}

static void a_flood_of_adverts(void)
{
	v6 = true;
	in_spite_of(adverts);
}

static void a_flood_of_fragments(void)
{
	over_both(fragments);
}

static void a_flood_of_errors(void)
{
	over_both(errors);
}

static void a_flood_of_redirects(void)
{
	over_both(redirects);
}

static void a_flood_of_datagrams(void)
{
	over_both(datagrams);
}

static const struct test tests[] = { TEST(a_flood_of_neighbours), TEST(a_flood_of_adverts),
				     TEST(a_flood_of_fragments),  TEST(a_flood_of_errors),
				     TEST(a_flood_of_redirects),  TEST(a_flood_of_datagrams) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
