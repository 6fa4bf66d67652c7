/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_test.c - core/wire/ip6.c: the header, and chains of extension headers. Every slice is an
 * allocation of its exact length, so that a read beyond it is caught by AddressSanitizer.
 */
#include <stdlib.h>

#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"
#include "test.h"

enum { TCP = 6 };

/* A packet under construction; each header is linked from the one before. */
struct chain {
	uint8_t bytes[400];
	size_t len;
	size_t link; /* of the next-header field to fill in */
};

static void begin(struct chain *c)
{
	memset(c, 0, sizeof(*c));
	c->bytes[0] = 0x60;
	c->bytes[24] = 0x20; /* destination: unicast */
	c->len = IP6_HDR_LEN;
	c->link = 6;
}

/* Appends an extension header: its bytes from the third on, padded to a multiple of 8. */
static void append(struct chain *c, uint8_t proto, const char *body, size_t len)
{
	size_t size = (len + 2 + 7) / 8 * 8;

	c->bytes[c->link] = proto;
	c->link = c->len;
	c->bytes[c->len + 1] = (uint8_t)(size / 8 - 1);
	memcpy(c->bytes + c->len + 2, body, len);
	c->len += size;
}

static void finish(struct chain *c, uint8_t proto)
{
	c->bytes[c->link] = proto;
	put_be16(c->bytes + 4, (uint32_t)(c->len - IP6_HDR_LEN));
}

static bool walk(struct ip6_walk *w, const struct chain *c, size_t len)
{
	uint8_t *p = malloc(len);
	bool ok;

	memcpy(p, c->bytes, len);
	ok = ip6_walk(w, p, len);
	free(p);
	return ok;
}

static void header_round_trips(void)
{
	static const uint8_t seed[32] = { 1 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t p[IP6_HDR_LEN], out[IP6_HDR_LEN];
		struct ip6 h;

		rand_bytes(&r, p, sizeof(p));
		p[0] = (uint8_t)(0x60 | (p[0] & 15));
		check(ip6_parse_quoted(&h, p, sizeof(p)));
		check_eq(ip6_emit(&h, out), IP6_HDR_LEN);
		check_mem(out, p, sizeof(p));
		p[0] ^= 0x10;
		check(!ip6_parse_quoted(&h, p, sizeof(p)));
	}
}

static void lengths_are_checked(void)
{
	for (size_t len = 0; len < 60; len++) {
		uint8_t *p = calloc(1, len + 6);
		struct ip6 h;

		p[0] = 0x60;
		p[5] = 10;
		check_eq(ip6_parse_quoted(&h, p, len), len >= 40);
		check_eq(ip6_parse(&h, p, len), len >= 50);
		free(p);
	}
}

static void plain_packet_ends_at_once(void)
{
	struct ip6_walk w;
	struct chain c;

	begin(&c);
	finish(&c, TCP);
	check(walk(&w, &c, c.len));
	check(w.proto == TCP && w.offset == 40 && !w.fragment);
	check(w.bad_code == 1 && w.bad_pointer == 6);
}

static void long_chain_is_walked(void)
{
	struct ip6_walk w;
	struct chain c;

	begin(&c);
	append(&c, IP6_EXT_HOP_BY_HOP, "\x05\x02\0\0\x01\0", 6);
	append(&c, IP6_EXT_DESTINATION,
	       "\x01\x0c"
	       "123456789012",
	       14);
	append(&c, IP6_EXT_ROUTING, "\x02\0", 2);
	append(&c, IP6_EXT_DESTINATION,
	       "\x1e\x04"
	       "abcd",
	       6);
	finish(&c, TCP);
	check(walk(&w, &c, c.len));
	check_eq(w.offset, c.len);
	check_eq(w.proto, TCP);
	check_eq(w.bad_pointer, c.link);
	for (size_t len = 0; len < c.len; len++) { /* every shorter slice */
		check(!walk(&w, &c, len));
		check_eq(w.bad_code, 0xff);
	}
	put_be16(c.bytes + 4, 39); /* the payload length bounds it, too */
	check(!walk(&w, &c, c.len));
}

static void eight_headers_are_the_most(void)
{
	for (unsigned n = 0; n <= 12; n++) {
		struct ip6_walk w;
		struct chain c;

		begin(&c);
		for (unsigned i = 0; i < n; i++)
			append(&c, IP6_EXT_DESTINATION, "\x01\x04\0\0\0\0", 6);
		finish(&c, IP6_EXT_NONE);
		check_eq(walk(&w, &c, c.len), n <= 8);
		check_eq(w.proto, n <= 8 ? IP6_EXT_NONE : IP6_EXT_DESTINATION);
	}
}

static void hop_by_hop_comes_first_only(void)
{
	struct ip6_walk w;
	struct chain c;

	begin(&c);
	append(&c, IP6_EXT_DESTINATION, "\x01\x04\0\0\0\0", 6);
	append(&c, IP6_EXT_HOP_BY_HOP, "\x01\x04\0\0\0\0", 6);
	finish(&c, TCP);
	check(!walk(&w, &c, c.len));
	check(w.bad_code == 1 && w.bad_pointer == 40);
}

static void routing_with_segments_left_is_refused(void)
{
	for (unsigned type = 0; type < 5; type++) {
		const char body[6] = { (char)type, 1 };
		struct ip6_walk w;
		struct chain c;

		begin(&c);
		append(&c, IP6_EXT_ROUTING, body, 6);
		finish(&c, TCP);
		check(!walk(&w, &c, c.len));
		check(w.bad_code == 0 && w.bad_pointer == 42);
	}
}

static void unknown_options_do_what_their_bits_say(void)
{
	static const struct {
		uint8_t type, dst;
		bool ok;
		uint8_t code;
	} cases[] = {
		{ 0x1e, 0x20, true, 0 },     { 0x1e, 0xff, true, 0 },
		{ 0x5e, 0x20, false, 0xff }, { 0x5e, 0xff, false, 0xff },
		{ 0x9e, 0x20, false, 2 },    { 0x9e, 0xff, false, 2 },
		{ 0xde, 0x20, false, 2 },    { 0xde, 0xff, false, 0xff },
	};

	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		const char body[6] = { 0, (char)cases[i].type, 3, 1, 2, 3 };
		struct ip6_walk w;
		struct chain c;

		test_at("case %u", i);
		begin(&c);
		append(&c, i % 2 ? IP6_EXT_HOP_BY_HOP : IP6_EXT_DESTINATION, body, 6);
		finish(&c, TCP);
		c.bytes[24] = cases[i].dst;
		check_eq(walk(&w, &c, c.len), cases[i].ok);
		if (!cases[i].ok)
			check_eq(w.bad_code, cases[i].code);
		if (w.bad_code == 2)
			check_eq(w.bad_pointer, 43);
	}
}

static void options_stay_inside_their_header(void)
{
	for (unsigned len = 0; len < 256; len++) { /* a padding option of any length */
		const char body[6] = { 0, 0, 1, (char)len, 0, 0 };
		struct ip6_walk w;
		struct chain c;

		begin(&c);
		append(&c, IP6_EXT_DESTINATION, body, 6);
		finish(&c, TCP);
		check_eq(walk(&w, &c, c.len), len <= 2);
	}
	for (unsigned type = 1; type < 256; type++) { /* a type without a length */
		const char body[6] = { 0, 0, 0, 0, 0, (char)type };
		struct ip6_walk w;
		struct chain c;

		begin(&c);
		append(&c, IP6_EXT_DESTINATION, body, 6);
		finish(&c, TCP);
		check(!walk(&w, &c, c.len));
	}
}

static void fragments_are_told(void)
{
	struct ip6_walk w;
	struct chain c;

	begin(&c);
	append(&c, IP6_EXT_DESTINATION, "\x01\x04\0\0\0\0", 6);
	append(&c, IP6_EXT_FRAGMENT, "\x05\xa9\x01\x02\x03\x04", 6); /* offset 1448, more */
	finish(&c, IP6_EXT_DESTINATION);
	check(walk(&w, &c, c.len)); /* what follows is not looked at */
	check(w.fragment && w.mf && w.frag_off == 1448 && w.frag_id == 0x01020304);
	check(w.frag_hdr_off == 48 && w.offset == 56 && w.proto == IP6_EXT_DESTINATION);

	begin(&c);
	append(&c, IP6_EXT_FRAGMENT, "\0\x01\0\0\0\x09", 6); /* the first */
	append(&c, IP6_EXT_DESTINATION, "\x01\x04\0\0\0\0", 6);
	finish(&c, TCP);
	check(walk(&w, &c, c.len));
	check(w.fragment && w.mf && w.frag_off == 0 && w.proto == TCP && w.offset == 56);
	check(!walk(&w, &c, c.len - 1) && w.bad_code == 3 && w.bad_pointer == 0);

	begin(&c);
	append(&c, IP6_EXT_FRAGMENT, "\0\0\0\0\0\x09", 6);
	append(&c, IP6_EXT_FRAGMENT, "\0\0\0\0\0\x09", 6); /* a second one */
	finish(&c, TCP);
	check(!walk(&w, &c, c.len) && w.bad_code == 0xff);
}

static void random_bytes_are_survived(void)
{
	static const uint8_t protos[] = { 0, 43, 44, 60, 6, 59 };
	static const uint8_t seed[32] = { 5 };
	struct rand r;

	rand_init(&r, seed, 0);
	for (unsigned i = 0; i < 50000; i++) {
		size_t len = rand_below(&r, 130);
		uint8_t *p = malloc(len);
		struct ip6_walk w;

		rand_bytes(&r, p, len);
		for (size_t at = 40; at + 8 <= len;
		     at += 8) { /* likely headers of likely lengths */
			p[at] = protos[p[at] % 6];
			p[at + 1] = p[at + 1] % 8 ? 0 : 1;
		}
		if (len > 6) {
			p[4] = 0;
			p[6] = protos[p[6] % 6];
		}
		if (ip6_walk(&w, p, len))
			check(w.offset <= len);
		free(p);
	}
}

static const struct test tests[] = {
	TEST(header_round_trips),
	TEST(lengths_are_checked),
	TEST(plain_packet_ends_at_once),
	TEST(long_chain_is_walked),
	TEST(eight_headers_are_the_most),
	TEST(hop_by_hop_comes_first_only),
	TEST(routing_with_segments_left_is_refused),
	TEST(unknown_options_do_what_their_bits_say),
	TEST(options_stay_inside_their_header),
	TEST(fragments_are_told),
	TEST(random_bytes_are_survived),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
