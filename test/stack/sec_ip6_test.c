/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_ip6_test.c - attacks by way of IPv6 headers: lengths that lie, chains that wrap round, options
 * that run out of their header, bursts, pieces, packets in packets. Configuration that changes under
 * connections is test/stack/sec_churn_test.c.
 */
#include <stdlib.h>

#include "ip6_fixture.h"

/* ---- lengths ---- */

/* SEC-48: what the payload length says is there, or nothing is; what is beyond it is not. */
static void payload_lengths(void)
{
	begin_ip6();
	for (uint32_t there = 0; there <= 120; there += 8) {
		for (uint32_t said = 0; said < 400; said++) {
			static const uint32_t large[] = {
				65535, 65496, 65495, 65528, 32768, 16384
			};
			uint32_t len = said < 394 ? said : large[said - 394];
			struct tern_pkt *p;

			test_at("%u bytes, it says %u", there, len);
			build(NULL, NULL);
			if (len >= 8 && len <= there)
				end_udp(PORT, len - 8);
			else
				end_built(NEXT_UDP, there);
			built.len = IP6_HDR_LEN + there; /* and whatever lies behind */
			put_be16(built.bytes + 4, len);
			p = packet_built();
			tern_input(st, p);
			check_delivered(len >= 8 && len <= there ? (int64_t)len - 8 : -1);
		}
	}
	end_stack();
}

/* SEC-49: lengths of headers are not those of bytes; sums of 256 and more wrap nowhere. */
static void sums_of_chains(void)
{
	static const uint32_t sizes[] = { 8,   120, 128, 136,  248,  256,
					  264, 504, 512, 1024, 2040, 2048 };

	begin_ip6();
	for (size_t a = 0; a < N_ELEMENTS(sizes); a++) {
		for (size_t b = 0; b < N_ELEMENTS(sizes); b++) {
			for (unsigned n = 1; n <= 8; n++) {
				test_at("%u headers of %u and %u", n, sizes[a], sizes[b]);
				build(NULL, NULL);
				for (unsigned i = 0; i < n; i++)
					add_header(i & 1 ? IP6_EXT_DESTINATION : IP6_EXT_ROUTING,
						   "\0\0", 2, sizes[i & 1 ? b : a]);
				end_udp(PORT, 20);
				put_built();
				check_delivered(20);
			}
		}
	}
	/* 31 of 2048 bytes and one less: behind all of them is byte 65536 of the packet */
	build(NULL, NULL);
	for (unsigned i = 0; i < 31; i++)
		add_header(IP6_EXT_DESTINATION, "", 0, 2048);
	add_header(IP6_EXT_DESTINATION, "", 0, 2048 - 64);
	end_built(NEXT_UDP, 0);
	memcpy(built.bytes + built.len, built.bytes + 40, 100);
	put_built();
	check_silence();
	end_stack();
}

/* What becomes of n bytes of options that are a PadN, one option, and a PadN. */
static int fate_of(uint32_t type, uint32_t len, uint32_t at, uint32_t n)
{
	if (type == 0) /* a Pad1, and then an option of type len without a length, or of length 0 */
		return at + 1 == n ? 0 : len == 0 ? 0 : fate_of(len, 0, at + 1, n);
	if (at + 2 > n || at + 2 + len > n)
		return 0xff;
	if (type == 1 || type == 5 || type >> 6 == 0)
		return 0;
	return type >> 6 == 1 ? 0xff : 2;
}

/* SEC-50: every type, length and place of an option in headers of up to 64 bytes. */
static void options_everywhere(void)
{
	for (uint32_t n = 6; n <= 62; n += 8) {
		uint32_t size = 40 + 2 + n, wrong = 0;
		uint8_t *p = calloc(1, size), *options = p + 42;
		struct ip6_walk w;

		p[0] = 0x60;
		put_be16(p + 4, 2 + n);
		p[6] = IP6_EXT_DESTINATION;
		p[24] = 0x20;
		p[40] = IP6_EXT_NONE;
		p[41] = (uint8_t)(n / 8);
		for (uint32_t at = 0; at < n; at++) {
			memset(options, 0, n);
			if (at >= 2) {
				options[0] = 1;
				options[1] = (uint8_t)(at - 2);
			}
			for (uint32_t k = 0; k < 65536; k++) {
				uint32_t type = k >> 8, len = k & 255;
				int fate = fate_of(type, len, at, n);
				bool good;

				options[at] = (uint8_t)type;
				if (at + 1 < n)
					options[at + 1] = (uint8_t)len;
				good = ip6_walk(&w, p, size);
				if (good != (fate == 0) || (!good && w.bad_code != fate))
					wrong++;
			}
		}
		test_at("%u bytes", n);
		check_eq(wrong, 0);
		free(p);
	}
}

/* SEC-60: nobody sends such packets by this stack, and none comes in. */
static void jumbograms(void)
{
	static const uint32_t lengths[] = { 0,	   1,	  40,	      48,	 65535,
					    65536, 70000, 0x7fffffff, UINT32_MAX };

	for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
		for (int zero = 0; zero < 2; zero++) {
			uint8_t jumbo[6] = { 0xc2, 4 };

			test_at("%u, zero: %d", lengths[i], zero);
			begin_ip6();
			put_be32(jumbo + 2, lengths[i]);
			build(NULL, NULL);
			add_header(IP6_EXT_HOP_BY_HOP, jumbo, 6, 8);
			end_udp(PORT, 32);
			if (zero) {
				put_be16(built.bytes + 4, 0);
				put_built();
				check_silence();
			} else {
				put_built();
				check_problem(NO_SUCH_OPTION, 42);
			}
			end_stack();
		}
	}
}

/* ---- in packets ---- */

/* SEC-59: what is packed into a packet is opened by nobody. */
static void packets_in_packets(void)
{
	static const uint8_t protos[] = { 4, 41, 47, 50, 51, 94, 97, 98, 115, 135, 137, 139, 140 };

	begin_ip6();
	for (size_t i = 0; i < N_ELEMENTS(protos); i++) {
		uint8_t inner[78];

		test_at("protocol %u", protos[i]);
		build(NULL, NULL);
		end_udp(PORT, 30);
		memcpy(inner, built.bytes, built.len);
		build(NULL, NULL);
		memcpy(built.bytes + 40, inner, sizeof(inner));
		end_built(protos[i], sizeof(inner));
		put_built();
		check_problem(NO_SUCH_HEADER, 6);
		build(NULL, "ff02::1"); /* and of a group nobody hears */
		memcpy(built.bytes + 40, inner, sizeof(inner));
		end_built(protos[i], sizeof(inner));
		put_built();
		check_silence();
	}
	for (unsigned first = 0; first < 256; first++) { /* 6LoWPAN's dispatch, and whatever else */
		if (first >> 4 == 6)
			continue;
		build(NULL, NULL);
		end_udp(PORT, 30);
		if (first >> 4 == 4)
			memset(built.bytes, 0, built.len);
		built.bytes[0] = (uint8_t)first;
		put_built();
		check_silence();
	}
	end_stack();
}

/* ---- who may not speak, and to whom ---- */

/* SEC-61: a link-local address has a meaning on its own link alone. */
static void of_another_link(void)
{
	struct tern_iface other = { "other", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr a;

	begin_ip6();
	check_eq(tern_iface_add(st, &other), 3);
	tern_addr_parse("fe80::33", 0, &a);
	check_eq(tern_addr_add(st, 3, &a, 64), 0);
	build("fe80::9", "fe80::33");
	end_udp(PORT, 30);
	put_built();
	check_delivered(-1);
	build("fe80::9", "fe80::33");
	end_icmp(ICMP6_ECHO, 0, "idsqdata", 8);
	put_built();
	check_silence();
	end_stack();
}

/* SEC-61: who has no address yet says nothing but what is about addresses and groups. */
static void from_nobody(void)
{
	static const char *const to[] = { NULL, "ff02::1" };
	struct tern_addr at;
	unsigned n_records;

	begin_ip6();
	route_everything();
	tern_addr_parse("::", 80, &at);
	listen_on(at);
	n_records = (unsigned)records_of(st);
	for (unsigned i = 0; i < 2; i++) {
		build("::", to[i]);
		end_syn(80);
		put_built();
		check_eq(records_of(st), n_records);
		check_silence();
		build("::", to[i]);
		end_udp(PORT, 3);
		put_built();
		check_delivered(-1);
		build("::", to[i]);
		end_icmp(ICMP6_ECHO, 0, "idsqdata", 8);
		put_built();
		check_silence();
	}
	end_stack();
}

/* ---- bursts ---- */

enum { N_BURST = 24 };
static uint32_t noise;

static uint32_t draw(uint32_t below)
{
	noise = noise * 1664525 + 1013904223;
	return (noise >> 8) % below;
}

/* One of many kinds of packets, good and bad. */
static struct tern_pkt *some_packet(void)
{
	uint32_t kind = draw(8);
	uint8_t body[6] = { 0, (uint8_t)draw(256), (uint8_t)draw(6), (uint8_t)draw(256) };

	memset(built.bytes, 0, 200);
	build(NULL, NULL);
	if (kind == 1 || kind == 2)
		add_header(kind == 1 ? IP6_EXT_DESTINATION : IP6_EXT_HOP_BY_HOP, body, 6, 8);
	if (kind == 3)
		add_header(IP6_EXT_ROUTING, body + 1, 2, 8);
	if (kind == 4) {
		body[0] = 0;
		body[1] = (uint8_t)(draw(3) << 3 | draw(2));
		add_header(IP6_EXT_FRAGMENT, body, 6, 8);
	}
	if (kind == 0 && draw(2))
		end_icmp(ICMP6_ECHO, 0, body, 6);
	else if (kind == 5)
		end_built((uint8_t)(200 + draw(50)), 20);
	else if (kind == 6)
		end_syn(80);
	else
		end_udp((uint16_t)(PORT + draw(2)), 40);
	if (kind == 7 && draw(2))
		built.bytes[draw(built.len)] ^= (uint8_t)(1 << draw(8));
	return packet_built();
}

/* What comes of some packets, as one sum; one by one or in bursts. */
static uint64_t outcome(uint32_t seed, bool in_bursts)
{
	static uint8_t text[2000];
	uint64_t sum = 14695981039346656037u;
	struct tern_addr at;
	int64_t n;

	noise = seed;
	begin_ip6();
	tern_addr_parse("::", 80, &at);
	listen_on(at);
	for (unsigned round = 0; round < 10; round++) {
		struct tern_pkt *list = NULL, **end = &list;

		for (unsigned i = 0; i < N_BURST; i++) {
			struct tern_pkt *p = some_packet();

			if (!in_bursts) {
				tern_input(st, p);
				continue;
			}
			p->next = NULL;
			*end = p;
			end = &p->next;
		}
		if (in_bursts)
			tern_input_batch(st, list);
		while (take_out())
			for (uint32_t i = 0; i < out.len; i++)
				sum = (sum ^ out.bytes[i]) * 1099511628211u;
		while ((n = tern_recv(st, hearer, text, sizeof(text), 0)) >= 0)
			for (int64_t i = 0; i < n; i++)
				sum = (sum ^ text[i]) * 1099511628211u;
		sum = (sum ^ tern_counter(st, "Drop-ip-options")) * 1099511628211u;
		tern_check(st);
	}
	end_stack();
	return sum;
}

/* SEC-57: a bad packet says nothing of those that came with it. */
static void bursts(void)
{
	for (uint32_t seed = 1; seed <= 300; seed++) {
		test_at("seed %u", seed);
		check(outcome(seed, true) == outcome(seed, false));
	}
}

/* ---- pieces ---- */

/* Of the packet that was built, whose headers end at this offset, two fragments. */
static void put_in_two(uint32_t cut, uint32_t id, bool turned)
{
	static uint8_t whole[2000];
	uint32_t len = built.len;
	uint8_t next = built.bytes[6];

	memcpy(whole, built.bytes, len);
	for (unsigned k = 0; k < 2; k++) {
		bool first = (k == 0) != turned;
		uint32_t from = first ? 40 : cut, n = first ? cut - 40 : len - cut;
		uint8_t body[6] = { 0 };

		put_be16(body, (from - 40) | first);
		put_be32(body + 2, id);
		build(NULL, NULL);
		add_header(IP6_EXT_FRAGMENT, body, 6, 8);
		memcpy(built.bytes + built.len, whole + from, n);
		end_built(next, n);
		put_built();
	}
}

/* SEC-58: cut anywhere, headers are whole before they are read, or nothing of it is. */
static void in_pieces(void)
{
	for (int turned = 0; turned < 2; turned++) {
		for (uint32_t options = 0; options <= 64; options += 8) {
			for (uint32_t cut = 48; cut < 40 + options + 48; cut += 8) {
				bool whole = cut >= 40 + options + 8;

				test_at("%u bytes of options, cut at %u", options, cut);
				begin_ip6();
				build(NULL, NULL);
				if (options)
					add_header(IP6_EXT_DESTINATION, "", 0, options);
				end_udp(PORT, 40);
				put_in_two(cut, cut, turned);
				check_eq(heard_by(hearer), whole ? 40 : -1);
				check_eq(take_out(), whole ? 0 : 0x0403);
				check_eq(take_out(), 0);
				end_stack();
			}
		}
	}
}

/* And wherever the bytes lie: each in a buffer that ends where the packet does. */
static void at_every_place(void)
{
	begin_ip6();
	for (uint32_t place = 0; place < 64; place++) {
		for (uint32_t len = 0; len < 3; len++) {
			uint8_t *buffer;
			struct tern_pkt *p;
			void *cookie = NULL;

			build(NULL, NULL);
			add_header(IP6_EXT_DESTINATION, "", 0, 8);
			end_udp(PORT, 13 + len);
			buffer = malloc(place + built.len);
			memcpy(buffer + place, built.bytes, built.len);
			p = tern_pkt_new_external(st, buffer + place, built.len, buffer);
			p->ifindex = 2;
			tern_input(st, p);
			check_delivered(13 + len);
			check(tern_reclaim(st, &cookie));
			check(cookie == buffer);
			free(buffer);
		}
	}
	end_stack();
}

/* ---- what goes out ---- */

enum { N_FLOWS = 300 };

/* Labels of datagrams to so many hosts, of a stack with this seed. */
static void labels_of(uint64_t seed, uint32_t label[N_FLOWS])
{
	struct tern_addr to, any;

	new_stack(seed);
	tern_addr_parse("::", PORT, &any);
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &hearer), 0);
	check_eq(tern_bind(st, hearer, &any), 0);
	tern_addr_parse("fd00::", 80, &to);
	for (unsigned i = 0; i < N_FLOWS; i++) {
		to.ip[14] = (uint8_t)(1 + i / 256);
		to.ip[15] = (uint8_t)i;
		check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
		check_eq(take_out(), NEXT_UDP);
		label[i] = get_be32(out.bytes) & IP6_LABEL_MASK;
	}
	end_stack();
}

static unsigned n_equal(const uint32_t *a, const uint32_t *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N_FLOWS; i++)
		n += a[i] == b[i];
	return n;
}

static unsigned n_differences(const uint32_t *a, const uint32_t *b)
{
	unsigned n = 0;

	for (unsigned i = 2; i < N_FLOWS; i++)
		n += (a[i] ^ b[i]) != (a[1] ^ b[1]);
	return n;
}

/*
 * SEC-62: labels come of a secret and of the whole of the names. Another secret makes all of them
 * others, not others by the same amount, so that nobody can tell who it is from labels to several
 * places; and within one host they are spread as by chance.
 */
static void labels_of_a_host(void)
{
	static uint32_t a[N_FLOWS], b[N_FLOWS], again[N_FLOWS];
	unsigned same = 0, top_bits[16] = { 0 };

	labels_of(1, a);
	labels_of(2, b);
	labels_of(1, again);
	check_mem(a, again, sizeof(a));
	check(n_equal(a, b) < 3);
	check(n_differences(a, b) > N_FLOWS - 5);
	for (unsigned i = 0; i < N_FLOWS; i++) {
		check(a[i] != 0);
		top_bits[a[i] >> 16]++;
		for (unsigned k = 0; k < i; k++)
			same += a[k] == a[i];
	}
	check(same < 3);
	for (unsigned i = 0; i < 16; i++)
		check(top_bits[i] > 3 && top_bits[i] < 50);
}

/* After tern_reseed nothing that was seen before tells of what comes. */
static void labels_after_reseed(void)
{
	static const uint8_t seed[32] = { 77 };
	struct tern_addr to;
	uint32_t before;

	begin_ip6();
	tern_addr_parse("fd00::9", 80, &to);
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
	check_eq(take_out(), NEXT_UDP);
	before = get_be32(out.bytes);
	tern_reseed(st, seed);
	check_eq(tern_sendto(st, hearer, "x", 1, 0, &to), 1);
	check_eq(take_out(), NEXT_UDP);
	check(get_be32(out.bytes) != before);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(payload_lengths), TEST(sums_of_chains),	 TEST(options_everywhere),
		TEST(jumbograms),      TEST(packets_in_packets), TEST(bursts),
		TEST(of_another_link), TEST(from_nobody),	 TEST(in_pieces),
		TEST(at_every_place),  TEST(labels_of_a_host),	 TEST(labels_after_reseed),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
