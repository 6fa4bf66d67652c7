/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_fixture.h - IPv6 packets built header by header, for the stack of peer_fixture.h: fd00::1 on
 * interface 2, a UDP socket at port 7000, and ICMPv6 errors as many as are asked for.
 */
#ifndef TERN_IP6_FIXTURE_H
#define TERN_IP6_FIXTURE_H

#include "peer_fixture.h"

enum { PORT = 7000, NEXT_UDP = 17, NEXT_ICMP6 = 58 };
enum { NO_SUCH_FIELD = 0x0400, NO_SUCH_HEADER = 0x0401, NO_SUCH_OPTION = 0x0402 };

static tern_sock hearer;

static inline tern_sock udp6_at(uint16_t port)
{
	struct tern_addr at;
	tern_sock s;

	tern_addr_parse("::", port, &at);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &at), 0);
	return s;
}

static inline void begin_ip6(void)
{
	new_stack(1);
	check_eq(tern_sysctl_set(st, "net.ipv4.icmp_ratelimit", "0"), 0);
	hearer = udp6_at(PORT);
}

/* Whatever could be answered goes out where it can be seen. */
static inline void route_everything(void)
{
	struct tern_route all = { .dst = { .family = TERN_AF_INET6 }, .ifindex = 2 };

	check_eq(tern_route_add(st, &all), 0);
}

/* ---- what comes in ---- */

/* A packet under construction; each header is linked from the one before. */
static struct {
	uint8_t bytes[70000];
	uint32_t len;
	uint32_t link; /* of the next-header field to fill in */
	struct addr src, dst;
} built;

static inline void build(const char *src, const char *dst)
{
	struct ip6 ip = { .hop_limit = 9 };

	ip.src = built.src = parse_addr(src ? src : "fd00::9");
	ip.dst = built.dst = parse_addr(dst ? dst : "fd00::1");
	ip6_emit(&ip, built.bytes);
	built.len = IP6_HDR_LEN;
	built.link = 6;
}

/* A header of size bytes, a multiple of eight: what is behind the body are Pad1 options. */
static inline void add_header(uint8_t proto, const void *body, uint32_t len, uint32_t size)
{
	uint8_t *h = built.bytes + built.len;

	built.bytes[built.link] = proto;
	memset(h, 0, size);
	h[1] = proto == IP6_EXT_FRAGMENT ? 0 : (uint8_t)(size / 8 - 1);
	memcpy(h + 2, body, len);
	built.link = built.len;
	built.len += size;
}

static inline void end_built(uint8_t proto, uint32_t len)
{
	built.bytes[built.link] = proto;
	built.len += len;
	put_be16(built.bytes + 4, built.len - IP6_HDR_LEN);
}

/* The checksum of the last len bytes, at this offset of them. */
static inline void sum_built(uint8_t proto, uint32_t len, uint32_t at)
{
	uint8_t *l4 = built.bytes + built.len - len;

	put_be16(l4 + at, 0);
	put_be16(l4 + at, checksum_finish(checksum_add(
				  l4, len, checksum_pseudo(&built.src, &built.dst, proto, len))));
}

static inline void end_udp(uint16_t port, uint32_t text_len)
{
	uint32_t len = UDP_HDR_LEN + text_len;
	struct udp h = { .src_port = 5000, .dst_port = port, .len = (uint16_t)len };
	uint8_t *l4 = built.bytes + built.len;

	udp_emit(&h, l4);
	for (uint32_t i = UDP_HDR_LEN; i < len; i++)
		l4[i] = (uint8_t)(i * 7 + i / 251);
	end_built(NEXT_UDP, len);
	sum_built(NEXT_UDP, len, 6);
}

/* What follows the checksum. */
static inline void end_icmp(uint8_t type, uint8_t code, const void *rest, uint32_t len)
{
	uint8_t *l4 = built.bytes + built.len;

	l4[0] = type;
	l4[1] = code;
	memcpy(l4 + 4, rest, len);
	end_built(NEXT_ICMP6, 4 + len);
	sum_built(NEXT_ICMP6, 4 + len, 2);
}

static inline void end_syn(uint16_t port)
{
	struct tcp_hdr h = { .src_port = 5000, .dst_port = port, .seq = 9, .flags = TCP_SYN };
	uint32_t len;

	h.wnd = 65535;
	len = (uint32_t)tcp_emit(&h, built.bytes + built.len);
	end_built(6, len);
	sum_built(6, len, 16);
}

static inline struct tern_pkt *packet_built(void)
{
	struct tern_pkt *p = tern_pkt_new(st, built.len);

	memcpy(p->data, built.bytes, built.len);
	p->ifindex = 2;
	return p;
}

static inline void put_built(void)
{
	tern_input(st, packet_built());
}

/* ---- what comes of it ---- */

/* How many bytes the socket got; -1: nothing. */
static inline int64_t heard_by(tern_sock s)
{
	static uint8_t text[70000];
	int64_t n = tern_recv(st, s, text, sizeof(text), 0);

	for (int64_t i = 0; i < n; i++)
		if (text[i] != (uint8_t)((i + 8) * 7 + (i + 8) / 251)) {
			test_fail(__FILE__, __LINE__, "byte %d is another", (int)i);
			break;
		}
	return n == -TERN_EAGAIN ? -1 : n;
}

static struct {
	uint8_t bytes[2000];
	uint32_t len;
	uint32_t word; /* of an ICMPv6 message: what follows the checksum */
	struct addr src, dst;
} out;

/* The next packet: 0xTTCC of an ICMPv6 message; 0: there is none; else its next header. */
static inline unsigned take_out(void)
{
	out.len = next_out(out.bytes, sizeof(out.bytes));
	if (out.len < IP6_HDR_LEN)
		return 0;
	out.src = addr_from6(out.bytes + 8);
	out.dst = addr_from6(out.bytes + 24);
	if (out.bytes[6] != NEXT_ICMP6)
		return out.bytes[6];
	out.word = get_be32(out.bytes + 44);
	return (unsigned)get_be16(out.bytes + 40);
}

/* The packet that was built is refused with this error, which points there. */
static inline void check_problem(unsigned type_and_code, uint32_t pointer)
{
	uint8_t more[100];

	check_eq(heard_by(hearer), -1);
	check_eq(take_out(), type_and_code);
	check_eq(out.word, pointer);
	check(addr_equal(&out.dst, &built.src));
	check_mem(out.bytes + 48, built.bytes, MIN(built.len, 1280 - 48));
	check_eq(next_out(more, sizeof(more)), 0);
}

static inline void check_delivered(int64_t n)
{
	check_eq(heard_by(hearer), n);
	check_eq(take_out(), 0);
}

static inline void check_silence(void)
{
	check_delivered(-1);
}

#endif
