/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndp_test.c - core/wire/ndp.c: messages round trip, options are walked within their bounds.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"
#include "test.h"

static bool parse(struct ndp *h, const uint8_t *bytes, size_t len)
{
	uint8_t *p = malloc(len);
	bool ok;

	memcpy(p, bytes, len);
	ok = ndp_parse(h, p, len);
	free(p);
	return ok;
}

/* A message of 24 bytes for fe80::5. */
static void make(uint8_t *p, uint8_t type, uint8_t flags)
{
	memset(p, 0, NDP_NS_LEN);
	p[0] = type;
	p[4] = flags;
	p[8] = 0xfe;
	p[9] = 0x80;
	p[23] = 5;
}

static void messages_round_trip(void)
{
	for (unsigned i = 0; i < 32; i++) {
		uint8_t type = i & 1 ? ICMP6_NEIGH_ADVERT : ICMP6_NEIGH_SOLICIT;
		uint8_t flags = i & 1 ? (uint8_t)((i >> 1 & 7) << 5) : 0;
		size_t len = i & 16 ? NDP_MAX_LEN : NDP_NS_LEN;
		uint8_t p[NDP_MAX_LEN], out[NDP_MAX_LEN];
		struct ndp h;

		make(p, type, flags);
		memcpy(p + 24, (uint8_t[8]){ i & 1 ? 2 : 1, 1, 2, 3, 4, 5, 6, 7 }, 8);
		check(parse(&h, p, len));
		check(h.type == type && h.target.b[15] == 5 && h.has_mac == (len == NDP_MAX_LEN));
		check_eq(h.router << 7 | h.solicited << 6 | h.override << 5, flags);
		check(!h.has_mac || (h.mac[0] == 2 && h.mac[5] == 7));
		check_eq(ndp_emit(&h, out), len);
		check_mem(out, p, len);
	}
}

static void malformed_messages_are_refused(void)
{
	uint8_t p[40];
	struct ndp h;

	make(p, ICMP6_NEIGH_SOLICIT, 0);
	for (size_t len = 0; len < NDP_NS_LEN; len++)
		check(!parse(&h, p, len));
	check(parse(&h, p, 24));
	p[1] = 1; /* code */
	check(!parse(&h, p, 24));
	make(p, ICMP6_NEIGH_SOLICIT, 0);
	p[8] = 0xff; /* a multicast target */
	check(!parse(&h, p, 24));
	make(p, ICMP6_ROUTER_ADVERT, 0);
	check(!parse(&h, p, 24));
}

static void options_are_walked_within_bounds(void)
{
	for (unsigned type = 0; type < 6; type++) {
		for (unsigned opt_len = 0; opt_len < 6; opt_len++) {
			for (size_t len = 24; len <= 64; len++) {
				uint8_t p[64] = { 0 };
				bool ok = len == 24 || (opt_len > 0 && len == 24 + opt_len * 8);
				struct ndp h;

				make(p, ICMP6_NEIGH_ADVERT, 0);
				p[24] = (uint8_t)type;
				p[25] = (uint8_t)opt_len;
				if (len > 24 && type == 2 && opt_len != 1)
					ok = false;
				if (len > 24 + opt_len * 8)
					continue; /* below: options in a row */
				test_at("type %u, option length %u, length %zu", type, opt_len,
					len);
				check_eq(parse(&h, p, len), ok);
				check(!ok || h.has_mac == (type == 2 && len > 24));
			}
		}
	}
}

static void first_address_of_several_counts(void)
{
	uint8_t p[48];
	struct ndp h;

	make(p, ICMP6_NEIGH_SOLICIT, 0);
	memcpy(p + 24, (uint8_t[8]){ 14, 1, 9, 9, 9, 9, 9, 9 }, 8); /* unknown: skipped */
	memcpy(p + 32, (uint8_t[8]){ 1, 1, 2, 0, 0, 0, 0, 1 }, 8);
	memcpy(p + 40, (uint8_t[8]){ 1, 1, 2, 0, 0, 0, 0, 2 }, 8);
	check(parse(&h, p, 48) && h.has_mac && h.mac[5] == 1);
}

static void random_options_are_survived(void)
{
	static const uint8_t seed[32] = { 6 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t p[100];
		struct ndp h;

		rand_bytes(&r, p, sizeof(p));
		make(p, ICMP6_NEIGH_SOLICIT, 0);
		for (unsigned at = 25; at < sizeof(p); at += 8)
			p[at] %= 4;
		parse(&h, p, rand_below(&r, sizeof(p)));
	}
}

static const struct test tests[] = {
	TEST(messages_round_trip),
	TEST(malformed_messages_are_refused),
	TEST(options_are_walked_within_bounds),
	TEST(first_address_of_several_counts),
	TEST(random_options_are_survived),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
