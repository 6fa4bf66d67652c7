/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment_test.c - fragments on the wire: what arrives whole, what is refused and how, what is told
 * when time is over; RFC 791, RFC 1122 3.3.2, RFC 8200 4.5, RFC 5722, 6946, 7112.
 */
#include "peer_fixture.h"

enum { PORT = 7000, NEXT_UDP = 17, NEXT_ICMP6 = 58 };

static uint8_t whole[65600]; /* a UDP datagram, from its header on */
static tern_sock hearer;
static bool v6;
static tern_time now;

static void begin(bool six)
{
	struct tern_addr at;

	v6 = six;
	now = TERN_SEC;
	test_at("IPv%d", v6 ? 6 : 4);
	new_stack(1);
	tern_addr_parse(v6 ? "::" : "0.0.0.0", PORT, &at);
	check_eq(tern_socket(st, at.family, TERN_SOCK_DGRAM, 0, &hearer), 0);
	check_eq(tern_bind(st, hearer, &at), 0);
}

/* A datagram of len bytes, its header among them, with a right checksum. */
static void make_datagram_between(const char *src, const char *dst, uint32_t len)
{
	struct addr from = parse_addr(src), to = parse_addr(dst);
	struct udp h = { .src_port = 5000, .dst_port = PORT, .len = (uint16_t)len };

	for (uint32_t i = 8; i < len; i++)
		whole[i] = (uint8_t)(i * 5 + i / 253);
	udp_emit(&h, whole);
	put_be16(whole + 6, checksum_finish(checksum_add(
				    whole, len, checksum_pseudo(&from, &to, NEXT_UDP, len))));
}

static void make_datagram(uint32_t len)
{
	make_datagram_between(v6 ? "fd00::9" : "10.0.0.9", v6 ? "fd00::1" : "10.0.0.1", len);
}

struct part {
	uint32_t id, off, len;
	bool last;
	uint8_t next; /* protocol, or what the fragment header says is next; 0: UDP */
	uint8_t ecn, ttl;
	uint8_t more; /* bytes of header: options that mean nothing, in front of a fragment header */
	const char *from, *to;
	uint16_t ifindex;     /* 0: 2 */
	const uint8_t *bytes; /* NULL: of whole */
};

static void put_part(const struct part *t)
{
	struct addr from = parse_addr(t->from ? t->from : v6 ? "fd00::9" : "10.0.0.9");
	struct addr to = parse_addr(t->to ? t->to : v6 ? "fd00::1" : "10.0.0.1");
	uint8_t next = t->next ? t->next : NEXT_UDP, ttl = t->ttl ? t->ttl : 9;
	uint32_t hdr_len = (v6 ? 48u : 20u) + t->more;
	static const uint8_t nops[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct tern_pkt *p = tern_pkt_new(st, hdr_len + t->len);
	uint8_t *frag = p->data + 40 + t->more;
	struct ip4 h4 = { .tos = t->ecn,
			  .ttl = ttl,
			  .proto = next,
			  .hdr_len = (uint8_t)hdr_len,
			  .options = t->more ? nops : NULL,
			  .total_len = (uint16_t)(hdr_len + t->len),
			  .id = (uint16_t)t->id,
			  .src = from,
			  .dst = to };
	struct ip6 h6 = { .traffic_class = t->ecn,
			  .hop_limit = ttl,
			  .next_header = t->more ? IP6_EXT_DESTINATION : IP6_EXT_FRAGMENT,
			  .payload_len = (uint16_t)(8 + t->more + t->len),
			  .src = from,
			  .dst = to };

	h4.frag_off = (uint16_t)t->off;
	h4.mf = !t->last;
	if (v6) {
		ip6_emit(&h6, p->data);
		memset(p->data + 40, 0, t->more);
		p->data[40] = IP6_EXT_FRAGMENT;
		p->data[41] = (uint8_t)(t->more / 8 - 1);
		frag[0] = next;
		frag[1] = 0;
		put_be16(frag + 2, t->off | (t->last ? 0 : 1));
		put_be32(frag + 4, t->id);
	} else {
		ip4_emit(&h4, p->data);
	}
	memcpy(p->data + hdr_len, t->bytes ? t->bytes : whole + t->off, t->len);
	p->ifindex = t->ifindex ? t->ifindex : 2;
	tern_input(st, p);
}

/* What the socket has: 0 none. */
static int64_t heard(void)
{
	static uint8_t got[65600];
	int64_t n = tern_recv(st, hearer, got, sizeof(got), 0);

	if (n < 0) {
		check_eq(n, -TERN_EAGAIN);
		return 0;
	}
	check_mem(got, whole + 8, (size_t)n);
	return n;
}

/* The error that goes out, as 0xTTCC of type and code and its word; 0: none. */
static unsigned error_out(uint32_t *word, uint8_t *packet)
{
	uint32_t len = next_out(packet, 2000), ip_len = v6 ? 40 : 20;

	if (len == 0)
		return 0;
	check_eq(packet[v6 ? 6 : 9], v6 ? NEXT_ICMP6 : 1);
	*word = get_be32(packet + ip_len + 4);
	return (unsigned)(packet[ip_len] << 8 | packet[ip_len + 1]);
}

static void pass(tern_time t)
{
	tern_advance(st, now += t);
}

/* Three parts in all orders, one of them twice, another datagram in between. */
static void any_order(void)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const uint32_t sizes[] = { 576, 1500, 4000 };

	for (int six = 0; six < 2; six++) {
		begin(six);
		for (unsigned i = 0; i < 6 * 3; i++) {
			uint32_t len = sizes[i % 3], unit = len / 24 * 8;
			struct part parts[3] = {
				{ .id = i, .off = 0, .len = unit, .last = false, .ecn = 2 },
				{ .id = i, .off = unit, .len = unit, .last = false, .ecn = 2 },
				{ .id = i,
				  .off = 2 * unit,
				  .len = len - 2 * unit,
				  .last = true,
				  .ecn = 2 }
			};

			make_datagram(len);
			for (int k = 0; k < 3; k++) {
				struct part other = parts[orders[i / 3][k]];

				check_eq(heard(), 0);
				put_part(&parts[orders[i / 3][k]]);
				if (k < 2) {
					put_part(&parts[orders[i / 3][k]]);
					other.id += 1000;
					put_part(&other);
				}
			}
			check_eq(heard(), len - 8);
			tern_check(st);
		}
		end_stack();
	}
}

/* 65507 bytes of IPv4, 65527 of IPv6, and one byte more: the ping of death. */
static void the_largest(void)
{
	for (int six = 0; six < 2; six++) {
		for (uint32_t len = 65400; len <= 65600; len += len < 65500 ? 50 : 1) {
			uint32_t max = six ? 65535 : 65515, word;
			uint8_t packet[2000];

			if (len > 65535) /* UDP cannot say so: the bytes alone */
				len = len < 65592 ? 65592 : len;
			begin(six);
			make_datagram(MIN(len, 65535));
			for (uint32_t off = 0; off < len; off += 1448) {
				struct part t = { .id = 9,
						  .off = off,
						  .len = MIN(1448, len - off),
						  .last = off + 1448 >= len };

				put_part(&t);
				tern_check(st);
			}
			check_eq(heard(), len <= max ? len - 8 : 0);
			if (len > max &&
			    six) { /* RFC 8200 4.5: the offset of the fragment header */
				check_eq(error_out(&word, packet), 0x0400);
				check_eq(word, 42);
			}
			check_eq(error_out(&word, packet), 0);
			end_stack();
		}
	}
}

/* What ends beyond the largest is refused at once, not when the rest has come (SEC-32). */
static void a_piece_beyond(void)
{
	for (int six = 0; six < 2; six++) {
		struct part t = { .id = 9, .off = 65528, .len = 1448, .bytes = whole };

		begin(six);
		for (int last = 0; last < 2; last++) {
			t.last = last;
			put_part(&t);
			check_eq(tern_counter(st, "Drop-frag-malformed"), last + 1);
		}
		check_eq(tern_counter(st, "IpReasmReqds"), 0);
		end_stack();
	}
}

/* The header is the first fragment's: with its options, too, no more than 65535 (RFC 8200 4.5). */
static void a_longer_first_header(void)
{
	for (int six = 0; six < 2; six++) {
		for (uint32_t too_long = 0; too_long < 2; too_long++) {
			uint32_t more = 8, len = (six ? 65535 : 65515) - more + too_long;

			begin(six);
			make_datagram(len);
			for (uint32_t off = 1448; off < len; off += 1448) {
				struct part t = { .id = 9,
						  .off = off,
						  .len = MIN(1448, len - off),
						  .last = off + 1448 >= len };

				put_part(&t);
			}
			put_part(&(struct part){ .id = 9, .len = 1448, .more = (uint8_t)more });
			check_eq(heard(), too_long ? 0 : len - 8);
			check_eq(tern_counter(st, "Drop-frag-malformed"), too_long);
			check_eq(tern_counter(st, "IpReasmFails"), too_long);
			check_eq(tern_counter(st, "IpReasmOKs"), 1 - too_long);
			end_stack();
		}
	}
}

/* RFC 1122 3.3.2, RFC 8200 4.5. */
static void time_exceeded(void)
{
	for (int six = 0; six < 2; six++) {
		for (int first = 0; first < 2; first++) {
			struct part t = {
				.id = 5, .off = first ? 0 : 80, .len = 80, .last = false
			};
			uint8_t packet[2000];
			uint32_t word;

			begin(six);
			make_datagram(200);
			put_part(&t);
			pass(59 * TERN_SEC);
			check_eq(error_out(&word, packet), 0);
			pass(2 * TERN_SEC);
			check_eq(error_out(&word, packet), !first ? 0 : six ? 0x0301 : 0x0b01);
			if (first) {
				uint32_t ip_len = six ? 40 : 20;

				check_eq(word, 0);
				check_eq(packet[ip_len + 8] >> 4, six ? 6 : 4);
				check_mem(packet + ip_len + 8 + ip_len + (six ? 8 : 0), whole, 80);
			}
			check_eq(tern_counter(st, "IpReasmTimeout"), 1);
			end_stack();
		}
	}
}

/* What overlaps is nothing, nor is what comes later of it; without a word, then and later (RFC 5722 4). */
static void overlap(void)
{
	for (int six = 0; six < 2; six++) {
		static const struct part parts[] = {
			{ .id = 3, .off = 0, .len = 48, .last = false },
			{ .id = 3, .off = 40, .len = 48, .last = false },
			{ .id = 3, .off = 0, .len = 48, .last = false },
			{ .id = 3, .off = 48, .len = 52, .last = true }
		};
		uint8_t packet[2000];
		uint32_t word;

		begin(six);
		make_datagram(100);
		for (unsigned i = 0; i < N_ELEMENTS(parts); i++)
			put_part(&parts[i]);
		check_eq(heard(), 0);
		check_eq(tern_counter(st, "Drop-frag-overlap"), 3);
		pass(61 * TERN_SEC);
		check_eq(error_out(&word, packet), 0); /* RFC 8200 4.5 */
		end_stack();
	}
}

/* Lengths that cannot be, and nothing at all. */
static void shapes(void)
{
	for (int six = 0; six < 2; six++) {
		static const struct part odd = { .id = 3, .off = 0, .len = 13, .last = false },
					 empty = { .id = 4, .off = 0, .len = 0, .last = false };
		uint8_t packet[2000];
		uint32_t word = 0;

		begin(six);
		make_datagram(100);
		put_part(&odd);
		check_eq(error_out(&word, packet), six ? 0x0400 : 0);
		check_eq(word, six ? 4 : 0);
		put_part(&empty);
		check_eq(error_out(&word, packet), six ? 0x0403 : 0);
		check_eq(tern_counter(st, "Drop-frag-malformed"), 2);
		pass(61 * TERN_SEC);
		check_eq(error_out(&word, packet), 0);
		end_stack();
	}
}

/* RFC 1858: TCP's flags are in the first fragment; RFC 7112: as all headers are. */
static void headers_are_in_the_first(void)
{
	static const struct part short_tcp = {
		.id = 1, .off = 0, .len = 16, .last = false, .next = 6
	};
	static const struct part behind = {
		.id = 2, .off = 8, .len = 24, .last = false, .next = 6
	};
	static const struct part short_udp = { .id = 3, .off = 0, .len = 0, .last = false };
	uint8_t packet[2000];
	uint32_t word = 1;

	begin(false);
	put_part(&short_tcp);
	put_part(&behind);
	check_eq(tern_counter(st, "Drop-frag-malformed"), 2);
	check_eq(error_out(&word, packet), 0);
	end_stack();
	begin(true);
	put_part(&short_tcp);
	check_eq(error_out(&word, packet), 0x0403);
	check_eq(word, 0);
	put_part(&short_udp);
	check_eq(error_out(&word, packet), 0x0403);
	end_stack();
}

/* RFC 6946: a packet that is first and last is whole, whatever waits under its number. */
static void atomic(void)
{
	struct part first = { .id = 5, .off = 0, .len = 48, .last = false },
		    lone = { .id = 5, .off = 0, .len = 100, .last = true };
	struct part rest = { .id = 5, .off = 48, .len = 52, .last = true };

	begin(true);
	make_datagram(100);
	put_part(&first);
	put_part(&lone);
	check_eq(heard(), 92);
	put_part(&rest);
	check_eq(heard(), 92);
	end_stack();
}

/* A fragment header within what was put together, a chain of them: dropped, without a reply. */
static void nested(void)
{
	uint8_t inner[80] = { NEXT_UDP, 0, 0, 0, 0, 0, 0, 9 }, packet[2000];
	struct part first = { .id = 5,
			      .off = 0,
			      .len = 40,
			      .last = false,
			      .next = IP6_EXT_FRAGMENT,
			      .bytes = inner };
	struct part rest = { .id = 5,
			     .off = 40,
			     .len = 40,
			     .last = true,
			     .next = IP6_EXT_FRAGMENT,
			     .bytes = inner + 40 };
	uint32_t word;

	begin(true);
	make_datagram(32);
	memcpy(inner + 8, whole, 32);
	put_part(&first);
	put_part(&rest);
	check_eq(heard(), 0);
	check_eq(error_out(&word, packet), 0);
	end_stack();
}

/* Of a protocol that nobody takes, told of as of a packet that came whole: RFC 4443 3.4. */
static void of_no_protocol(void)
{
	for (int six = 0; six < 2; six++) {
		for (uint8_t more = 0; more <= 8; more += 8) {
			struct part first = { .id = 5, .len = 40, .next = 200, .more = more };
			struct part rest = {
				.id = 5, .off = 40, .len = 40, .next = 200, .last = true
			};
			uint8_t packet[2000];
			uint32_t word;

			begin(six);
			make_datagram(80);
			put_part(&first);
			put_part(&rest);
			check_eq(error_out(&word, packet), six ? 0x0401 : 0x0302);
			check_eq(word, !six ? 0 : more ? 40 : 6);
			end_stack();
		}
	}
}

/* RFC 3168 5.3: a mark on a part is one on the whole, unless a part could not be marked. */
static void marks(void)
{
	for (int six = 0; six < 2; six++) {
		for (unsigned both = 0; both < 16; both++) {
			uint8_t a = both & 3, b = both >> 2;
			struct part first = {
				.id = both, .off = 0, .len = 48, .last = false, .ecn = a
			};
			struct part rest = {
				.id = both, .off = 48, .len = 52, .last = true, .ecn = b
			};
			struct tern_iovec iov = { whole + 1000, 200 };
			struct tern_msg m;

			begin(six);
			make_datagram(100);
			put_part(&first);
			put_part(&rest);
			tern_msg_init(&m, &iov, 1);
			if ((a == 3 && b == 0) || (a == 0 && b == 3)) {
				check_eq(tern_recvmsg(st, hearer, &m, 0), -TERN_EAGAIN);
			} else {
				check_eq(tern_recvmsg(st, hearer, &m, 0), 92);
				check_eq(m.tos, a == 3 || b == 3 ? 3 : a);
			}
			end_stack();
		}
	}
}

/* Large datagrams go out in fragments that the other end puts together: the same bytes. */
static void there_and_back(void)
{
	for (int six = 0; six < 2; six++) {
		uint32_t n = six ? 65527 : 65507, ids = 0;
		struct tern_addr us;
		uint8_t buf[2000];
		uint32_t len, pieces = 0;

		begin(six);
		tern_addr_parse(six ? "fd00::9" : "10.0.0.9", PORT, &us);
		make_datagram(n + 8);
		check_eq(tern_sendto(st, hearer, whole + 8, n + 1, 0, &us), -TERN_EMSGSIZE);
		check_eq(tern_sendto(st, hearer, whole + 8, n, 0, &us), n);
		while ((len = next_out(buf, sizeof(buf)))) {
			struct tern_pkt *p = tern_pkt_new(st, len);
			uint8_t swap[16];
			unsigned at = six ? 8 : 12, a_len = six ? 16 : 4;

			check(len <= 1500);
			ids |= six ? get_be32(buf + 44) : get_be16(buf + 4);
			memcpy(swap, buf + at, a_len); /* turned round */
			memcpy(buf + at, buf + at + a_len, a_len);
			memcpy(buf + at + a_len, swap, a_len);
			memcpy(p->data, buf, len);
			p->ifindex = 2;
			tern_input(st, p);
			pieces++;
		}
		check_eq(pieces, six ? 46 : 45);
		check(ids);
		check_eq(heard(), n);
		check_eq(tern_counter(st, "IpFragCreates"), pieces);
		end_stack();
	}
}

/* RFC 4007 6, RFC 3927 7: who has a link-local address on one link is somebody else on another. */
static void of_two_links(void)
{
	static const struct {
		const char *from, *to;
		bool is_one;
	} pairs[] = {
		{ "fe80::9", "fe80::1", false },	 { "fe80::9", "fd00::1", false },
		{ "fe80::9", "ff02::1", false },	 { "fd00::9", "ff02::1", false },
		{ "fd00::9", "fd00::1", true }, /* its fragments may come by any way */
		{ "169.254.0.9", "169.254.0.1", false }, { "169.254.0.9", "10.0.0.1", false },
		{ "10.0.0.9", "10.0.0.1", true },
	};
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a;

	for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
		struct part first = {
			.id = 1, .len = 64, .from = pairs[i].from, .to = pairs[i].to
		};
		struct part second = first;

		begin(strchr(pairs[i].from, ':') != NULL);
		test_at("%s to %s", pairs[i].from, pairs[i].to);
		check_eq(tern_iface_add(st, &other), 3);
		tern_addr_parse(v6 ? "fe80::1" : "169.254.0.1", 0, &a);
		check_eq(tern_addr_add(st, 2, &a, v6 ? 64 : 16), 0);
		check_eq(tern_addr_add(st, 3, &a, v6 ? 64 : 16), 0);
		make_datagram_between(pairs[i].from, pairs[i].to, 128);
		second.off = 64;
		second.last = true;
		second.ifindex = 3;
		put_part(&first);
		put_part(&second);
		check_eq(heard(), pairs[i].is_one ? 120 : 0);
		second.ifindex = 2;
		put_part(&second);
		check_eq(heard(), pairs[i].is_one ? 0 : 120);
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(any_order),      TEST(the_largest),
		TEST(a_piece_beyond), TEST(a_longer_first_header),
		TEST(time_exceeded),  TEST(overlap),
		TEST(shapes),	      TEST(headers_are_in_the_first),
		TEST(atomic),	      TEST(nested),
		TEST(of_no_protocol), TEST(marks),
		TEST(there_and_back), TEST(of_two_links),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
