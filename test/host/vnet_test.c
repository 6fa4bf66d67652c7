/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet_test.c - what a virtio header may say of a frame: every value of every field against frames
 * of many lengths (SEC-146, SEC-148). What is accepted is consistent and does a stack no harm; what
 * a stack says of its own packets comes back as it was said.
 */
#include <stdlib.h>

#include "../stack/peer_fixture.h"

#include "../../core/base/rand.h"
#include "../../host/dev/vnet.h"

enum { FRAME_CAP = 4000, N_KINDS = 6 };

static uint8_t frame[FRAME_CAP];
static struct rand dice;

struct kind {
	bool ethernet, v6, udp;
	uint32_t options; /* of IPv4 */
};
static const struct kind kinds[N_KINDS] = {
	{ false, false, false, 0 }, { true, false, false, 0 }, { false, true, false, 0 },
	{ true, true, false, 0 },   { true, false, true, 0 },  { false, false, false, 40 },
};

static uint32_t link_len(const struct kind *k)
{
	return k->ethernet ? 14 : 0;
}

static uint32_t l4_off(const struct kind *k)
{
	return link_len(k) + (k->v6 ? 40 : 20 + k->options);
}

/* Headers of a frame of this kind whose payload fills it to len bytes. */
static void make_frame(const struct kind *k, uint32_t len)
{
	uint8_t *ip = frame + link_len(k), *tcp = frame + l4_off(k);
	struct addr src = parse_addr(k->v6 ? "fd00::9" : "10.0.0.9");
	struct addr dst = parse_addr(k->v6 ? "fd00::1" : "10.0.0.1");
	struct tcp_hdr h = { .src_port = 5000, .dst_port = 80, .flags = TCP_SYN, .wnd = 9 };
	uint32_t ip_len = l4_off(k) - link_len(k), rest = len > l4_off(k) ? len - l4_off(k) : 0;

	memset(frame, 0, sizeof(frame));
	if (k->v6) {
		struct ip6 six = { .hop_limit = 9, .next_header = 6, .src = src, .dst = dst };

		six.payload_len = (uint16_t)rest;
		ip6_emit(&six, ip);
	} else {
		struct ip4 four = { .ttl = 9, .proto = k->udp ? 17 : 6, .src = src, .dst = dst };
		static const uint8_t nops[40] = { 1, 1, 1, 1, 0 };

		four.hdr_len = (uint8_t)ip_len;
		four.options = k->options ? nops : NULL;
		four.total_len = (uint16_t)(ip_len + rest);
		ip4_emit(&four, ip);
	}
	tcp_emit(&h, tcp);
	if (k->udp)
		put_be16(tcp + 4, (uint16_t)rest);
}

/* The header against the frame; what is accepted must fit. true: accepted. */
static bool try_header(const struct virtio_net_hdr *h, const struct kind *k, uint32_t len)
{
	struct tern_pkt p = { .data = frame, .len = len, .total_len = len };
	uint32_t field = (uint32_t)h->csum_start + h->csum_offset;

	if (!vnet_parse(h, k->ethernet, &p))
		return false;
	check_eq((p.flags & TERN_PKT_CSUM_PARTIAL) != 0, h->flags & 1);
	if (p.flags & TERN_PKT_CSUM_PARTIAL) {
		check(!(p.flags & TERN_PKT_CSUM_GOOD));
		check(field + 2 <= len);
		check(p.csum_start >= link_len(k) + 20);
		check(p.csum_off == 16 || p.csum_off == 6);
	}
	if (p.gso_size) { /* the whole of the headers is there, and more than one segment */
		bool v4 = (p.flags & TERN_PKT_TSO4) != 0;

		check_eq(p.gso_size, h->gso_size);
		check(p.flags & TERN_PKT_CSUM_PARTIAL);
		check_eq(v4 ? 4 : 6, frame[link_len(k)] >> 4);
		check_eq(p.flags & TERN_PKT_TSO4 && p.flags & TERN_PKT_TSO6, 0);
		check(p.csum_start + 20u + p.gso_size < len);
		check(!v4 || p.csum_start == l4_off(k));
	} else {
		check_eq(p.flags & (TERN_PKT_TSO4 | TERN_PKT_TSO6), 0);
	}
	return true;
}

static const uint32_t lengths[] = { 1,	2,  13,	 14,  15,  19,	20,  21,   33,	 34,	   35, 39,
				    40, 41, 53,	 54,  55,  59,	60,  61,   73,	 74,	   75, 94,
				    95, 99, 100, 114, 115, 134, 300, 1514, 2000, FRAME_CAP };
enum { N_LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

static struct virtio_net_hdr good_header(const struct kind *k)
{
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };

	h.gso_type = k->udp ? 0 : k->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	h.gso_size = k->udp ? 0 : 500;
	h.csum_start = (uint16_t)l4_off(k);
	h.csum_offset = k->udp ? 6 : 16;
	h.hdr_len = (uint16_t)(l4_off(k) + 20);
	return h;
}

enum field { FLAGS, TYPE, SIZE, START, OFFSET, HDR_LEN, N_FIELDS };

static void set_field(struct virtio_net_hdr *h, enum field f, unsigned v)
{
	uint16_t *const wide[N_FIELDS] = { [SIZE] = &h->gso_size,
					   [START] = &h->csum_start,
					   [OFFSET] = &h->csum_offset,
					   [HDR_LEN] = &h->hdr_len };

	if (f == FLAGS)
		h->flags = (uint8_t)v;
	else if (f == TYPE)
		h->gso_type = (uint8_t)v;
	else
		*wide[f] = (uint16_t)v;
}

static void exhaust_field(const struct kind *k, enum field f, uint32_t len)
{
	unsigned end = f == FLAGS || f == TYPE ? 256 : 65536;
	struct virtio_net_hdr h;

	test_at("field %d, kind %d, %u bytes", (int)f, (int)(k - kinds), len);
	for (unsigned v = 0; v < end; v++) {
		h = good_header(k);
		set_field(&h, f, v);
		try_header(&h, k, len);
	}
}

/* SEC-148 */
static void every_value_of_every_field(void)
{
	for (int k = 0; k < N_KINDS; k++) {
		make_frame(&kinds[k], FRAME_CAP);
		for (int f = 0; f < N_FIELDS; f++)
			for (int i = 0; i < N_LENGTHS; i += f == FLAGS || f == TYPE ? 1 : 3)
				exhaust_field(&kinds[k], (enum field)f, lengths[i]);
	}
}

/* SEC-146: which sizes and types make a super-frame, and which no frame at all. */
static void sizes_and_types_of_super_frames(void)
{
	const struct kind *k = &kinds[1];
	uint32_t len = 2000, headers = l4_off(k) + 20;
	struct virtio_net_hdr h;

	make_frame(k, len);
	for (unsigned size = 0; size < 65536; size++) {
		struct tern_pkt p = { .data = frame, .len = len, .total_len = len };

		h = good_header(k);
		h.gso_size = (uint16_t)size;
		test_at("size %u", size);
		check_eq(vnet_parse(&h, true, &p), size != 0);
		check_eq(p.gso_size, size < len - headers ? size : 0);
	}
	for (unsigned type = 0; type < 256; type++) {
		unsigned plain = type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;

		h = good_header(k);
		h.gso_type = (uint8_t)type;
		test_at("type %u", type);
		check_eq(try_header(&h, k, len), type == 0 || plain == VIRTIO_NET_HDR_GSO_TCPV4);
		h.flags = 0; /* without an open checksum nobody could cut it */
		check_eq(try_header(&h, k, len), type == 0);
	}
	h = good_header(k);
	h.csum_offset = 6; /* of UDP */
	check(!try_header(&h, k, len));
	h = good_header(k);
	h.csum_start++;
	check(!try_header(&h, k, len));
}

/* Into the stack, from memory of just its length. */
static void feed(const struct virtio_net_hdr *h, const struct kind *k, uint32_t len)
{
	uint8_t *bytes = malloc(len), buf[2000];
	struct tern_pkt *p = tern_pkt_new_external(st, bytes, len, bytes);
	void *cookie;

	memcpy(bytes, frame, len);
	p->ifindex = 2;
	if (vnet_parse(h, k->ethernet, p))
		tern_input(st, p);
	else
		tern_pkt_free(st, p);
	while (next_out(buf, sizeof(buf)))
		continue;
	while (tern_reclaim(st, &cookie))
		free(cookie);
}

static uint16_t roll(uint32_t n)
{
	return (uint16_t)rand_below(&dice, n);
}

static struct virtio_net_hdr random_header(const struct kind *k, uint32_t len)
{
	struct virtio_net_hdr h = good_header(k);

	if (roll(4) == 0)
		h.flags = (uint8_t)roll(8);
	if (roll(4) == 0)
		h.gso_type = (uint8_t)roll(256);
	if (roll(2))
		h.gso_size = roll(3) ? roll(len + 2) : roll(65536);
	if (roll(2))
		h.csum_start = roll(3) ? roll(len + 2) : roll(65536);
	if (roll(4) == 0)
		h.csum_offset = roll(20);
	h.hdr_len = roll(65536);
	return h;
}

/* What is accepted never makes a stack read beyond the packet: the sanitizer's build is the judge. */
static void hostile_headers_do_a_stack_no_harm(void)
{
	static const uint8_t key[32] = { 7 };
	struct tern_addr any = { .family = TERN_AF_INET6, .port = 80 };

	rand_init(&dice, key, 0);
	new_stack(3);
	listen_on(any);
	for (int i = 0; i < 60000; i++) {
		const struct kind *k = &kinds[i % 2 ? 0 : i % 4 ? 2 : 5];
		uint32_t len = 1 + (roll(2) ? roll(100) : roll(FRAME_CAP));
		struct virtio_net_hdr h = random_header(k, len);

		make_frame(k, len);
		frame[l4_off(k) + 12] = (uint8_t)(roll(16) << 4);
		frame[l4_off(k) + 1] = (uint8_t)roll(8); /* ports */
		frame[l4_off(k) + 13] = (uint8_t)(roll(3) ? TCP_SYN : roll(64));
		feed(&h, k, len);
	}
	check(tern_counter(st, "TcpPassiveOpens") + tern_counter(st, "TcpInSegs") > 1000);
	end_stack();
}

/* ---- what the stack itself says ---- */

static struct tern_stack *side[2];
static struct test_env env_of[2];
static unsigned n_super, n_plain;

static void make_side(int i, bool ethernet)
{
	struct tern_iface wire = { "wire",
				   ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP,
				   1500,
				   TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6,
				   { 2, 0, 0, 0, 0, (uint8_t)i } };
	struct tern_addr a = tern_ip4(10, 0, 0, (uint8_t)(1 + i), 0), six = { .family = 0 };
	struct tern_config cfg;
	struct tern_env env;

	env_of[i] = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&env_of[i], 5 + (uint64_t)i);
	tern_config_default(&cfg);
	side[i] = tern_new(&cfg, &env);
	tern_advance(side[i], TERN_SEC);
	check_eq(tern_iface_add(side[i], &wire), 2);
	check_eq(tern_addr_add(side[i], 2, &a, 24), 0);
	tern_addr_parse(i ? "fd00::2" : "fd00::1", 0, &six);
	check_eq(tern_addr_add(side[i], 2, &six, 64), 0);
}

/* One packet over, by way of its virtio header. */
static bool carry(int from, bool ethernet)
{
	struct tern_pkt *p = tern_output(side[from], 2), *q;
	struct virtio_net_hdr h;

	if (!p)
		return false;
	vnet_emit(p, &h);
	q = tern_pkt_new(side[1 - from], p->total_len);
	tern_pkt_copy(p, 0, q->data, p->total_len);
	q->ifindex = 2;
	check(vnet_parse(&h, ethernet, q));
	check_eq(q->flags & TERN_PKT_CSUM_PARTIAL, p->flags & TERN_PKT_CSUM_PARTIAL);
	check_eq(q->flags & TERN_PKT_TSO4, p->flags & TERN_PKT_TSO4);
	check_eq(q->flags & TERN_PKT_TSO6, p->flags & TERN_PKT_TSO6);
	check_eq(q->gso_size, p->gso_size);
	check_eq(h.gso_size, p->gso_size);
	if (p->flags & TERN_PKT_CSUM_PARTIAL) {
		check_eq(q->csum_start, p->csum_start);
		check_eq(q->csum_off, p->csum_off);
	}
	check(!p->gso_size || h.hdr_len > p->csum_start);
	n_super += p->gso_size != 0;
	n_plain += p->gso_size == 0;
	tern_pkt_free(side[from], p);
	tern_input(side[1 - from], q);
	return true;
}

static void carry_all(bool ethernet)
{
	static tern_time now = TERN_SEC;

	now += TERN_MS;
	tern_advance(side[0], now);
	tern_advance(side[1], now);
	while (carry(0, ethernet) || carry(1, ethernet))
		continue;
}

static void round_trip(bool ethernet, bool v6)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = 80 }, to;
	static uint8_t out[200000], in[200000];
	uint32_t sent = 0, got = 0;
	tern_sock l, c, s = 0;

	make_side(0, ethernet);
	make_side(1, ethernet);
	n_super = n_plain = 0;
	for (uint32_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + (i >> 9));
	check_eq(tern_socket(side[1], TERN_AF_INET6, TERN_SOCK_STREAM, 0, &l), 0);
	check_eq(tern_bind(side[1], l, &any), 0);
	check_eq(tern_listen(side[1], l, 4), 0);
	tern_addr_parse(v6 ? "fd00::2" : "10.0.0.2", 80, &to);
	check_eq(tern_socket(side[0], to.family, TERN_SOCK_STREAM, 0, &c), 0);
	check_eq(tern_connect(side[0], c, &to), -TERN_EINPROGRESS);
	for (int i = 0; i < 3000 && got < sizeof(in); i++) {
		int64_t n = sent < sizeof(out) ?
				    tern_send(side[0], c, out + sent, sizeof(out) - sent, 0) :
				    0;

		sent += n > 0 ? (uint32_t)n : 0;
		carry_all(ethernet);
		if (!s)
			tern_accept(side[1], l, &s, NULL);
		n = s ? tern_recv(side[1], s, in + got, sizeof(in) - got, 0) : 0;
		got += n > 0 ? (uint32_t)n : 0;
	}
	check_eq(got, sizeof(in));
	check(memcmp(in, out, sizeof(in)) == 0);
	check(n_super > 3);
	check(n_plain > 3);
	for (int i = 0; i < 2; i++) {
		tern_free(side[i]);
		check_eq(env_of[i].out, 0);
	}
}

static void packets_of_a_stack_come_back_as_they_went(void)
{
	for (int i = 0; i < 4; i++) {
		test_at("ethernet %d, v6 %d", i & 1, i >> 1);
		round_trip(i & 1, i >> 1);
	}
}

static const struct test tests[] = {
	TEST(every_value_of_every_field),
	TEST(sizes_and_types_of_super_frames),
	TEST(hostile_headers_do_a_stack_no_harm),
	TEST(packets_of_a_stack_come_back_as_they_went),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
