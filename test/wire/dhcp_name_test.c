/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_name_test.c - core/wire/dhcp_name.c: names and lists of them; pointers that loop, lead
 * forwards or out; every length.
 */
#include <stdlib.h>

#include "../../core/wire/dhcp.h"
#include "test.h"

/* From a buffer of exactly that size, so that a byte too many is seen. */
static size_t parse(const void *bytes, size_t len, size_t at, char *text)
{
	uint8_t *p = malloc(len ? len : 1);
	size_t end;

	memcpy(p, bytes, len);
	end = domain_parse(p, len, at, text);
	free(p);
	return end;
}

static const struct {
	const char *bytes;
	size_t len, at, end; /* end 0: refused */
	const char *text;
} names[] = {
	{ "\3www\7example\0", 13, 0, 13, "www.example" },
	{ "\1a\0\1b\300\0", 7, 3, 7, "b.a" },
	{ "\1a\0\300\0", 5, 3, 5, "a" },
	{ "\1a\0\300\0\1b\300\3", 9, 5, 9, "b.a" }, /* a pointer to a pointer */
	{ "\3a-_\0", 5, 0, 5, "a-_" },
	{ "\0", 1, 0, 0, "" }, /* the root */
	{ "", 0, 0, 0, "" },
	{ "\300\0", 2, 0, 0, "" },	   /* to itself */
	{ "\300\2\1a\0", 5, 0, 0, "" },	   /* forwards */
	{ "\1a\300\0", 4, 0, 0, "" },	   /* into its own beginning */
	{ "\1a\0\1b\300\3", 7, 3, 0, "" }, /* the same, later */
	{ "\1a\0\1b\300\4", 7, 3, 0, "" }, /* into its own label */
	{ "\1a\0\300\377", 5, 3, 0, "" },  /* out of the message */
	{ "\1a\0\1b\300", 6, 3, 0, "" },   /* half a pointer */
	{ "\3ww", 3, 0, 0, "" },	   /* a label without its end */
	{ "\3www", 4, 0, 0, "" },	   /* no root */
	{ "\100aaa\0", 5, 0, 0, "" },	   /* 01: reserved */
	{ "\200aaa\0", 5, 0, 0, "" },	   /* 10: reserved */
	{ "\3a.b\0", 5, 0, 0, "" },	   /* a dot that is none */
	{ "\3a\0b\0", 5, 0, 0, "" },	   /* a zero inside */
	{ "\3a b\0", 5, 0, 0, "" },	   /* a line of resolv.conf could be made of it */
	{ "\3a\nb\0", 5, 0, 0, "" },
};

static void names_one_by_one(void)
{
	for (size_t i = 0; i < N_TESTS(names); i++) {
		char text[TERN_DOMAIN_MAX] = "";

		test_at("name %zu", i);
		check_eq(parse(names[i].bytes, names[i].len, names[i].at, text), names[i].end);
		if (names[i].end)
			check_str(text, names[i].text);
	}
}

/* All messages of eight bytes out of labels, roots and pointers to every place: an end, in bounds. */
static void every_graph_of_pointers(void)
{
	static const uint8_t words[][2] = { { 0, 0 },	 { 1, 'a' },  { 0300, 0 }, { 0300, 1 },
					    { 0300, 2 }, { 0300, 3 }, { 0300, 4 }, { 0300, 5 },
					    { 0300, 6 }, { 0300, 7 }, { 0300, 8 }, { 0377, 255 } };
	enum { N = N_TESTS(words) };
	unsigned n_good = 0;

	for (unsigned i = 0; i < N * N * N * N; i++) {
		uint8_t p[8];
		unsigned rest = i;

		for (int w = 0; w < 4; w++, rest /= N)
			memcpy(p + 2 * w, words[rest % N], 2);
		for (size_t at = 0; at <= 8; at++) {
			char text[TERN_DOMAIN_MAX];
			size_t end = parse(p, 8, at, text);

			check(end <= 8);
			n_good += end > 0;
		}
	}
	check(n_good > 0);
}

/* A ladder of pointers, each to the one before: 126 jumps are followed, 127 are not. */
static void jumps_have_a_limit(void)
{
	uint8_t p[2 * 200 + 3] = { 1, 'a', 0 };
	char text[TERN_DOMAIN_MAX];

	for (unsigned i = 0; i < 200; i++)
		put_be16(p + 3 + 2 * i, 0xc000u | (i ? 1 + 2 * i : 0));
	check_eq(domain_parse(p, sizeof(p), 3 + 2 * 125, text), 3 + 2 * 126);
	check_str(text, "a");
	check_eq(domain_parse(p, sizeof(p), 3 + 2 * 126, text), 0);
}

/* 63 bytes a label, 255 a name. */
static void lengths_have_limits(void)
{
	uint8_t p[300], out[DOMAIN_WIRE_MAX];
	char text[TERN_DOMAIN_MAX + 10];

	for (unsigned label = 1; label < 256; label++) {
		memset(p, 'x', sizeof(p));
		p[0] = (uint8_t)label;
		p[label + 1] = 0;
		check_eq(parse(p, label + 2, 0, text) > 0, label <= 63);
	}
	for (unsigned last = 1; last <= 63; last++) { /* 192 bytes, and one more label */
		for (unsigned i = 0; i < 4; i++) {
			p[i * 64] = i == 3 ? (uint8_t)last : 63;
			memset(p + i * 64 + 1, 'y', 63);
		}
		p[193 + last] = 0;
		test_at("last label of %u", last);
		check_eq(parse(p, 194 + last, 0, text) > 0, 194 + last <= 255);
		if (194 + last > 255)
			continue;
		check_eq(domain_emit(text, out), 194 + last);
		check_mem(out, p, 194 + last);
	}
	memset(text, 'z', sizeof(text));
	for (unsigned i = 50; i < 255; i += 50)
		text[i] = '.';
	text[253] = 0;
	check_eq(domain_emit(text, out), 255);
	text[253] = 'z';
	text[254] = 0;
	check_eq(domain_emit(text, out), 0);
}

static void text_that_is_no_name(void)
{
	static const char *const bad[] = { "",	  ".",	  "a.",	 ".a",	"a..b",
					   "a b", "a\tb", "a/b", "a\n", "\xc3\xa4" };
	uint8_t out[DOMAIN_WIRE_MAX];

	for (size_t i = 0; i < N_TESTS(bad); i++) {
		test_at("'%s'", bad[i]);
		check_eq(domain_emit(bad[i], out), 0);
	}
}

static void lists_round_trip(void)
{
	struct domains d = { .len = 0 }, again;
	uint8_t wire[2 * DOMAINS_TEXT_MAX];
	unsigned cursor = 0;
	size_t len;

	check(domains_put(&d, "example.com") && domains_put(&d, "b.test") && domains_put(&d, "c"));
	check(!domains_put(&d, "not a name"));
	len = domains_emit(&d, wire);
	check(domains_parse(&again, wire, len));
	check_eq(again.len, d.len);
	check_mem(again.text, d.text, d.len);
	check_str(domains_next(&d, &cursor), "example.com");
	check_str(domains_next(&d, &cursor), "b.test");
	check_str(domains_next(&d, &cursor), "c");
	check(domains_next(&d, &cursor) == NULL);
	for (size_t cut = 0; cut < len; cut++) { /* a list ends where a name ends */
		bool whole = cut == 0 || cut == 13 || cut == 13 + 8;

		test_at("cut at %zu", cut);
		check_eq(domains_parse(&again, wire, cut), whole);
		check(whole || again.len == 0);
	}
}

/* What does not fit is left out; what is there stays as it was. */
static void lists_have_room_for_so_many(void)
{
	uint8_t wire[128 * 12];
	struct domains d;

	for (unsigned i = 0; i < 128; i++)
		memcpy(wire + 12 * i, "\4abcd\5efghi\0", 12);
	check(domains_parse(&d, wire, sizeof(wire)));
	check_eq(d.len, DOMAINS_TEXT_MAX / 11 * 11);
	memset(d.text, 'a', sizeof(d.text));
	d.text[57] = 0;
	d.len = DOMAINS_TEXT_MAX - 2;
	check(!domains_put(&d, "ab"));
	check(domains_put(&d, "a"));
	check(!domains_put(&d, "a"));
	check_eq(d.len, DOMAINS_TEXT_MAX);
}

static const struct test tests[] = {
	TEST(names_one_by_one),
	TEST(every_graph_of_pointers),
	TEST(jumps_have_a_limit),
	TEST(lengths_have_limits),
	TEST(text_that_is_no_name),
	TEST(lists_round_trip),
	TEST(lists_have_room_for_so_many),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
