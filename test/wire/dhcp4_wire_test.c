/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_wire_test.c - core/wire/dhcp4.c: messages round trip; options in parts and in other fields;
 * each option with each length, and a message cut at each byte.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/dhcp.h"
#include "test.h"

enum { ROOM = 2048 };

/* From a buffer of exactly that size, so that a byte too many is seen. */
static bool parse(struct dhcp4 *m, const uint8_t *bytes, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);
	bool ok;

	memcpy(p, bytes, len);
	ok = dhcp4_parse(m, p, len);
	free(p);
	return ok;
}

/* A message of that type without any other option; returns where the next one goes. */
static size_t begin(uint8_t *p, uint8_t type)
{
	memset(p, 0, ROOM);
	p[0] = 2;
	p[1] = 1;
	p[2] = 6;
	put_be32(p + 4, 0x12345678);
	p[28] = 2;
	put_be32(p + 236, 0x63825363);
	p[240] = DHCP4_OPT_TYPE;
	p[241] = 1;
	p[242] = type;
	return 243;
}

static size_t put(uint8_t *p, size_t at, uint8_t code, const void *value, size_t len)
{
	p[at] = code;
	p[at + 1] = (uint8_t)len;
	memcpy(p + at + 2, value, len);
	return at + 2 + len;
}

static struct dhcp4 make_full(void)
{
	struct dhcp4 m = { .is_reply = true,
			   .broadcast = true,
			   .type = DHCP4_ACK,
			   .mac = { 2, 1, 2, 3, 4, 5 },
			   .secs = 77,
			   .xid = 0xdeadbeef,
			   .ciaddr = 1,
			   .yiaddr = 0x0a000005,
			   .siaddr = 3,
			   .giaddr = 4,
			   .mtu = 1400,
			   .max_len = 1472,
			   .mask = 0xffffff00,
			   .requested = 0x0a000005,
			   .server = 0x0a000001,
			   .lease = 3600,
			   .t1 = 1800,
			   .t2 = 3150,
			   .routers = { 2, { 0x0a000001, 0x0a000002 } },
			   .dns = { 3, { 1, 2, 3 } },
			   .ntp = { 1, { 9 } },
			   .client_id = { 3, { 255, 1, 2 } },
			   .asked = { 2, { 1, 3 } },
			   .message = { 4, { 'o', 'o', 'p', 's' } },
			   .routes = { true, 2, { { 0x0a800000, 0x0a000009, 9 }, { 0, 0, 0 } } },
			   .domain = "home.test" };

	domains_put(&m.search, "a.test");
	domains_put(&m.search, "b.test");
	return m;
}

static void a_message_round_trips(void)
{
	struct dhcp4 m = make_full(), got;
	uint8_t p[ROOM], again[ROOM];
	size_t len = dhcp4_emit(&m, p, sizeof(p));

	check(len >= DHCP4_MIN_LEN);
	check(parse(&got, p, len));
	check(got.is_reply && got.broadcast && got.type == DHCP4_ACK && got.secs == 77);
	check(got.xid == 0xdeadbeef && got.ciaddr == 1 && got.yiaddr == m.yiaddr);
	check(got.siaddr == 3 && got.giaddr == 4 && got.mtu == 1400 && got.max_len == 1472);
	check(got.mask == m.mask && got.requested == m.requested && got.server == m.server);
	check(got.lease == 3600 && got.t1 == 1800 && got.t2 == 3150);
	check(got.routers.n == 2 && got.routers.ip[1] == 0x0a000002);
	check(got.dns.n == 3 && got.dns.ip[2] == 3 && got.ntp.n == 1 && got.ntp.ip[0] == 9);
	check(got.routes.is_there && got.routes.n == 2 && got.routes.route[0].len == 9);
	check(got.routes.route[0].dst == 0x0a800000 && got.routes.route[0].gateway == 0x0a000009);
	check(got.client_id.len == 3 && got.asked.len == 2 && got.message.len == 4);
	check_str(got.domain, "home.test");
	check_eq(got.search.len, m.search.len);
	check_eq(dhcp4_emit(&got, again, sizeof(again)), len);
	check_mem(again, p, len);
}

/* What random structs say is what is read again. */
static void random_messages_round_trip(void)
{
	struct rand r;
	uint8_t seed[32] = { 4 }, p[ROOM], again[ROOM];

	rand_init(&r, seed, 0);
	for (int i = 0; i < 3000; i++) {
		struct dhcp4 m = make_full(), got;
		size_t len;

		m.type = (uint8_t)(1 + rand_below(&r, 8));
		m.xid = rand_u32(&r);
		m.lease = rand_below(&r, 2) ? rand_u32(&r) : 0;
		m.mtu = (uint16_t)rand_below(&r, 65536);
		m.dns.n = (uint8_t)rand_below(&r, DHCP4_ADDRS_MAX + 1);
		m.client_id.len = (uint8_t)rand_below(&r, DHCP4_BYTES_MAX + 1);
		m.routes.n = 0;
		for (unsigned n = (unsigned)rand_below(&r, DHCP4_ROUTES_MAX + 1); m.routes.n < n;) {
			unsigned width = (unsigned)rand_below(&r, 33);
			uint32_t mask = width ? 0xffffffffu << (32 - width) : 0;

			m.routes.route[m.routes.n++] =
				(struct dhcp4_route){ rand_u32(&r) & mask, rand_u32(&r),
						      (uint8_t)width };
		}
		for (uint64_t n = rand_below(&r, 40); n > 0; n--)
			domains_put(&m.search, "a-long-name-of-a.domain.test");
		len = dhcp4_emit(&m, p, sizeof(p));
		test_at("message %d", i);
		check(len > 0 && parse(&got, p, len));
		check_eq(dhcp4_emit(&got, again, sizeof(again)), len);
		check_mem(again, p, len);
		check(got.search.len == m.search.len && got.routes.n == m.routes.n);
	}
}

static void emit_needs_room(void)
{
	struct dhcp4 m = make_full();
	uint8_t p[ROOM];
	size_t len = dhcp4_emit(&m, p, sizeof(p));

	for (size_t cap = 0; cap < len; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);

		check_eq(dhcp4_emit(&m, exact, cap), cap >= DHCP4_MIN_LEN && len <= cap ? len : 0);
		free(exact);
	}
	check_eq(dhcp4_emit(&m, p, len), len);
}

/* Every option, of every length, as the last thing in the message, whole and cut. */
static void every_option_and_length(void)
{
	uint8_t p[ROOM], value[255];
	struct dhcp4 m;

	for (unsigned fill = 0; fill < 3; fill++) {
		memset(value, fill == 0 ? 0 : fill == 1 ? 0xff : 32, sizeof(value));
		for (unsigned code = 1; code < 255; code++) {
			for (unsigned len = 0; len < 256; len++) {
				size_t at = begin(p, DHCP4_ACK), end;

				end = put(p, at, (uint8_t)code, value, len);
				test_at("option %u of %u bytes", code, len);
				if (code == DHCP4_OPT_OVERLOAD || code == DHCP4_OPT_TYPE) {
					parse(&m, p, end);
				} else {
					check(parse(&m, p, end));
					check(m.dns.n <= DHCP4_ADDRS_MAX);
					check(m.client_id.len <= DHCP4_BYTES_MAX);
					check(m.routes.n <= DHCP4_ROUTES_MAX);
				}
				check(!parse(&m, p, end - (len ? 1 : 0)) || !len);
				check(!parse(&m, p, at + 1));
			}
		}
	}
}

/* Each wrong length of an option with a fixed one: as if it were not there. */
static void wrong_sizes_are_ignored(void)
{
	uint8_t p[ROOM], value[255];
	struct dhcp4 m;

	memset(value, 1, sizeof(value));
	for (unsigned len = 0; len < 256; len++) {
		size_t at = begin(p, DHCP4_ACK);

		at = put(p, at, DHCP4_OPT_LEASE, value, len);
		at = put(p, at, DHCP4_OPT_MTU, value, len);
		at = put(p, at, DHCP4_OPT_DNS, value, len);
		at = put(p, at, DHCP4_OPT_MASK, value, len);
		test_at("length %u", len);
		check(parse(&m, p, at));
		check_eq(m.lease, len == 4 ? 0x01010101 : 0);
		check_eq(m.mask, len == 4 ? 0x01010101 : 0);
		check_eq(m.mtu, len == 2 ? 0x0101 : 0);
		check_eq(m.dns.n, len % 4 ? 0 : len / 4 < 4 ? len / 4 : 4);
	}
}

static void a_message_cut_anywhere(void)
{
	struct dhcp4 m = make_full(), got;
	uint8_t p[ROOM];
	size_t len = dhcp4_emit(&m, p, sizeof(p)), n_good = 0;

	for (size_t cut = 0; cut < len; cut++)
		n_good += parse(&got, p, cut);
	check(n_good > 0 && n_good < len / 4); /* where an option ends */
}

static void what_is_no_message(void)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = { { 0, 0 },	  { 0, 3 },   { 1, 2 },	  { 2, 16 },  { 236, 0 },
		      { 237, 0 }, { 238, 0 }, { 239, 0 }, { 242, 0 }, { 242, 9 } };
	uint8_t p[ROOM];
	struct dhcp4 m;

	for (size_t i = 0; i < N_TESTS(wrong); i++) {
		begin(p, DHCP4_OFFER);
		check(parse(&m, p, 300));
		p[wrong[i].at] = wrong[i].byte;
		test_at("byte %zu", wrong[i].at);
		check(!parse(&m, p, 300));
	}
	begin(p, DHCP4_OFFER);
	memset(p + 240, 0, 3); /* without a type */
	check(!parse(&m, p, 300));
	p[240] = 255;
	check(!parse(&m, p, 300));
}

/* RFC 3396: parts are one value, wherever they lie. */
static void parts_are_joined(void)
{
	uint8_t p[ROOM], ip[8] = { 10, 0, 0, 1, 10, 0, 0, 2 };
	struct dhcp4 m;
	size_t at = begin(p, DHCP4_ACK);

	at = put(p, at, DHCP4_OPT_DNS, ip, 3);
	at = put(p, at, DHCP4_OPT_MTU, "\5\334", 2);
	at = put(p, at, DHCP4_OPT_DNS, ip + 3, 5);
	check(parse(&m, p, at));
	check(m.dns.n == 2 && m.dns.ip[0] == 0x0a000001 && m.dns.ip[1] == 0x0a000002);
	check_eq(m.mtu, 1500);
	at = put(p, at, DHCP4_OPT_DNS, ip, 1); /* a byte too many spoils it */
	check(parse(&m, p, at) && m.dns.n == 0);
	at = begin(p, DHCP4_ACK);
	for (int i = 0; i < 5; i++) { /* 1280 bytes: more than is kept of one */
		uint8_t many[255] = { 0 };

		at = put(p, at, DHCP4_OPT_DNS, many, 255);
	}
	check(parse(&m, p, at) && m.dns.n == 0);
}

/* RFC 2131 4.1: first the options, then `file`, then `sname`. */
static void fields_are_overloaded(void)
{
	uint8_t p[ROOM], ip[8] = { 10, 0, 0, 1, 10, 0, 0, 2 };
	struct dhcp4 m;

	for (uint8_t how = 0; how < 5; how++) {
		size_t at = begin(p, DHCP4_ACK);

		at = put(p, at, DHCP4_OPT_OVERLOAD, &how, 1);
		at = put(p, at, DHCP4_OPT_DNS, ip, 2);
		put(p, 108, DHCP4_OPT_DNS, ip + 2, 2);
		put(p, 44, DHCP4_OPT_DNS, ip + 4, 4);
		p[44 + 6] = DHCP4_OPT_END;
		test_at("overload %d", how);
		check(parse(&m, p, at));
		/* 2 bytes, 2 more with `file`, 4 more with `sname` */
		check_eq(m.dns.n, how == 0 || how == 4 ? 0 : how == 1 ? 1 : how == 2 ? 0 : 2);
		check(how != 3 || (m.dns.ip[0] == 0x0a000001 && m.dns.ip[1] == 0x0a000002));
	}
	for (uint8_t how = 1; how <= 3; how++) { /* lengths that lead out of the other fields */
		size_t at = put(p, begin(p, DHCP4_ACK), DHCP4_OPT_OVERLOAD, &how, 1);

		p[108] = p[44] = DHCP4_OPT_DNS;
		p[109] = 127;
		p[45] = 63;
		check(!parse(&m, p, at));
		p[109] = 126;
		p[45] = 62;
		check(parse(&m, p, at));
	}
}

/* RFC 3442: every width with every length. */
static void routes_are_checked(void)
{
	uint8_t p[ROOM], value[64];
	struct dhcp4 m;

	memset(value, 0xff, sizeof(value));
	for (unsigned width = 0; width < 256; width++) {
		for (unsigned len = 0; len <= 10; len++) {
			unsigned octets = (width + 7) / 8;
			bool good = len == 0 || (width <= 32 && len == 5 + octets);
			size_t at;

			value[0] = (uint8_t)width;
			/* what follows a short one: a width that cannot be */
			at = put(p, begin(p, DHCP4_ACK), DHCP4_OPT_ROUTES, value, len);
			test_at("width %u, %u bytes", width, len);
			check(parse(&m, p, at));
			check_eq(m.routes.is_there, good);
			if (!good || !len)
				continue;
			check_eq(m.routes.n, 1);
			check_eq(m.routes.route[0].dst, width ? 0xffffffffu << (32 - width) : 0);
		}
	}
	memset(value, 0, sizeof(value)); /* default routes, five bytes each */
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_ROUTES, value, 60)));
	check_eq(m.routes.n, 12);
}

/* Text carries its length: no end, ends in the middle, too long. */
static void text_has_a_length(void)
{
	uint8_t p[ROOM], long_name[255];
	struct dhcp4 m;

	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_DOMAIN, "ab.cd", 5)));
	check_str(m.domain, "ab.cd");
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_DOMAIN, "ab\0\0", 4)));
	check_str(m.domain, "ab");
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_DOMAIN, "ab\0cd", 5)));
	check_str(m.domain, "");
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_DOMAIN, "a b", 3)));
	check_str(m.domain, "");
	memset(long_name, 'a', sizeof(long_name));
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_DOMAIN, long_name, 255)));
	check_str(m.domain, "");
	check(parse(&m, p, put(p, begin(p, DHCP4_ACK), DHCP4_OPT_MESSAGE, long_name, 255)));
	check_eq(m.message.len, 0);
}

/* RFC 3397: pointers count from the beginning of the whole option. */
static void search_lists_have_pointers(void)
{
	static const uint8_t list[] = "\3eng\5apple\3com\0\11marketing\300\4";
	uint8_t p[ROOM];
	struct dhcp4 m;
	size_t at = begin(p, DHCP4_ACK);
	unsigned cursor = 0;

	at = put(p, at, DHCP4_OPT_SEARCH, list, 9);
	at = put(p, at, DHCP4_OPT_SEARCH, list + 9, 18);
	check(parse(&m, p, at));
	check_str(domains_next(&m.search, &cursor), "eng.apple.com");
	check_str(domains_next(&m.search, &cursor), "marketing.apple.com");
	p[at - 1] = 15; /* its own beginning */
	check(parse(&m, p, at) && m.search.len == 0);
	at = put(p, begin(p, DHCP4_ACK), DHCP4_OPT_SEARCH, "\300\2\3com\0", 7); /* forwards */
	check(parse(&m, p, at) && m.search.len == 0);
}

static const struct test tests[] = {
	TEST(a_message_round_trips),   TEST(random_messages_round_trip),
	TEST(emit_needs_room),	       TEST(every_option_and_length),
	TEST(wrong_sizes_are_ignored), TEST(a_message_cut_anywhere),
	TEST(what_is_no_message),      TEST(parts_are_joined),
	TEST(fields_are_overloaded),   TEST(routes_are_checked),
	TEST(text_has_a_length),       TEST(search_lists_have_pointers),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
