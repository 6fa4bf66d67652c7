/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_name_test.c - names as text and as bytes; every graph of two pointers in a small message.
 */
#include "test.h"

#include "dns_build.h"

static bool parse(struct dns_name *n, const char *text)
{
	return dns_name_parse(n, text, strlen(text));
}

static void texts_become_names(void)
{
	static const struct {
		const char *text, *back; /* NULL: it is no name */
		unsigned len;
	} table[] = {
		{ "www.example.org", "www.example.org", 17 },
		{ "www.example.org.", "www.example.org", 17 },
		{ "a", "a", 3 },
		{ ".", ".", 1 },
		{ "", ".", 1 },
		{ "_http._tcp.x", "_http._tcp.x", 14 },
		{ "a..b", NULL, 0 },
		{ ".a", NULL, 0 },
		{ "a..", NULL, 0 },
		{ "..", NULL, 0 },
		{ "a b", NULL, 0 },
		{ "a\\.b", NULL, 0 },
		{ "a\tb", NULL, 0 },
		{ "b\xc3\xbc"
		  "cher.example",
		  NULL, 0 },
	};
	char text[DNS_TEXT_MAX];
	struct dns_name n;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("'%s'", table[i].text);
		check_eq(parse(&n, table[i].text), table[i].back != NULL);
		if (!table[i].back)
			continue;
		check_str(dns_name_format(&n, text), table[i].back);
		check_eq(n.len, table[i].len);
	}
}

/* Four labels of 63 are 257 bytes; 63, 63, 63 and 61 are 255. */
static void lengths_have_limits(void)
{
	char text[300];
	struct dns_name n;

	memset(text, 'x', sizeof(text));
	check(dns_name_parse(&n, text, 63));
	check(!dns_name_parse(&n, text, 64));
	text[63] = text[127] = text[191] = '.';
	check(dns_name_parse(&n, text, 191 + 62));
	check_eq(n.len, 255);
	check(!dns_name_parse(&n, text, 191 + 63));
	text[191 + 62] = '.';
	check(dns_name_parse(&n, text, 191 + 63)); /* the dot at the end is no label */
}

static void odd_bytes_are_escaped(void)
{
	static const uint8_t wire[] = { 5, 'a', '.', '\\', 0, 0xff, 0 };
	struct dns_name n = { .len = sizeof(wire) };
	char text[DNS_TEXT_MAX];

	memcpy(n.wire, wire, sizeof(wire));
	check_str(dns_name_format(&n, text), "a\\.\\\\\\000\\255");
	check(!dns_name_is_host(&n));
	memset(n.wire, 1, 255); /* the longest text: 127 labels of a byte that needs four */
	n.wire[254] = 0;
	n.len = 255;
	check_eq(strlen(dns_name_format(&n, text)), 127 * 5 - 1);
}

static void names_are_compared(void)
{
	struct dns_name a, b, zone;

	parse(&a, "WWW.Example.org");
	parse(&b, "www.eXample.ORG");
	check(dns_name_equal(&a, &b));
	parse(&zone, "example.ORG");
	check(dns_name_is_under(&a, &zone));
	check(dns_name_is_under(&zone, &zone));
	check(!dns_name_is_under(&zone, &a));
	parse(&zone, "ample.org"); /* not at the boundary of a label */
	check(!dns_name_is_under(&a, &zone));
	parse(&zone, ".");
	check(dns_name_is_under(&a, &zone));
	parse(&b, "www.example.com");
	check(!dns_name_equal(&a, &b));
	dns_name_fold(&a);
	parse(&b, "www.example.org");
	check_mem(a.wire, b.wire, a.len);
}

static void hosts_have_plain_names(void)
{
	static const struct {
		const char *text;
		bool is_host;
	} table[] = {
		{ "a-b.c_d.e1", true }, { "-a.b", false }, { "a.-b", false },
		{ "a/b.c", false },	{ "a*.b", false }, { ".", false },
	};
	struct dns_name n;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("%s", table[i].text);
		check(parse(&n, table[i].text));
		check_eq(dns_name_is_host(&n), table[i].is_host);
	}
}

static void domains_are_appended(void)
{
	struct dns_name n, domain;
	char text[300];

	parse(&n, "www");
	parse(&domain, "example.org");
	check(dns_name_append(&n, &domain));
	check_str(dns_name_format(&n, text), "www.example.org");
	memset(text, 'x', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	dns_name_parse(&domain, text, 191 + 59);
	parse(&n, "a");
	check(dns_name_append(&n, &domain));
	check_eq(n.len, 254);
	parse(&n, "abc");
	check(!dns_name_append(&n, &domain));
	check_eq(n.len, 5);
}

static void addresses_have_names(void)
{
	char text[DNS_TEXT_MAX];
	struct tern_addr a;
	struct dns_name n;

	tern_addr_parse("192.0.2.105", 0, &a);
	dns_name_of_address(&n, a.ip, 4);
	check_str(dns_name_format(&n, text), "105.2.0.192.in-addr.arpa");
	tern_addr_parse("2001:db8::567:89ab", 0, &a);
	dns_name_of_address(&n, a.ip, 16);
	check_str(dns_name_format(&n, text),
		  "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

/* ---- pointers ---- */

/*
 * What a name at `at` is by the plainest reading: follows pointers whose targets are strictly
 * before what led there. 0: malformed, else the name's length.
 */
static unsigned plainly_read(const uint8_t *m, size_t len, size_t at)
{
	size_t lowest = at, n = 0;

	for (int steps = 0; steps < 1000; steps++) {
		if (at >= len)
			return 0;
		if (m[at] == 0)
			return n + 1 <= 255 ? (unsigned)n + 1 : 0;
		if (m[at] >= 0xc0) {
			size_t to;

			if (at + 1 >= len)
				return 0;
			to = (size_t)(m[at] & 0x3f) << 8 | m[at + 1];
			if (to >= lowest || to < 12)
				return 0;
			at = lowest = to;
		} else {
			if (m[at] > 63 || at + 1 + m[at] > len)
				return 0;
			n += 1u + m[at];
			at += 1u + m[at];
		}
	}
	test_fail(__FILE__, __LINE__, "no end");
	return 0;
}

static void read_everywhere(const uint8_t *m, size_t len)
{
	struct dns_name n;

	for (size_t at = 12; at <= len; at++) {
		unsigned want = plainly_read(m, len, at);
		size_t end = dns_name_read(m, len, at, &n);

		if ((end != 0) != (want != 0) || (want && n.len != want) || end > len)
			test_fail(__FILE__, __LINE__, "read at %zu: end %zu, name of %u, not %u",
				  at, end, n.len, want);
	}
}

/* Two pointers at all places of 32 bytes, each to every target, also past the end; labels between. */
static void every_graph_of_two_pointers(void)
{
	uint8_t m[32];

	for (unsigned a = 12; a < 31; a++)
		for (unsigned b = a + 2; b < 31; b++)
			for (unsigned to_a = 0; to_a < 36; to_a++)
				for (unsigned to_b = 0; to_b < 36; to_b++) {
					memset(m, 0, 12);
					memset(m + 12, 1, sizeof(m) - 12);
					put_be16(m + a, 0xc000 | to_a);
					put_be16(m + b, 0xc000 | to_b);
					m[31] = 0;
					test_at("%u -> %u, %u -> %u", a, to_a, b, to_b);
					read_everywhere(m, sizeof(m));
				}
}

static void pointers_lead_backwards(void)
{
	static const struct {
		uint8_t bytes[12]; /* behind a header */
		size_t len, at, end;
	} table[] = {
		{ { 1, 'a', 0, 0xc0, 12 }, 5, 15, 17 },
		{ { 1, 'a', 0, 1, 'b', 0xc0, 12 }, 7, 15, 19 },
		{ { 0xc0, 12 }, 2, 12, 0 },		/* to itself */
		{ { 0xc0, 14, 0 }, 3, 12, 0 },		/* forward */
		{ { 0xc0, 14, 0xc0, 12 }, 4, 14, 0 },	/* two in a circle */
		{ { 1, 'a', 0xc0, 12 }, 4, 12, 0 },	/* back into its own labels */
		{ { 1, 'a', 0, 0xc0, 4 }, 5, 15, 0 },	/* into the header */
		{ { 1, 'a', 0, 0xc0, 200 }, 5, 15, 0 }, /* past the end */
		{ { 1, 'a', 0, 0xc0 }, 4, 15, 0 },	/* half a pointer */
		{ { 0x40, 'a', 0 }, 3, 12, 0 },		/* types 01 and 10 of labels */
		{ { 0x81, 'a', 0 }, 3, 12, 0 },
		{ { 1, 'a' }, 2, 12, 0 }, /* no empty label */
		{ { 3, 'a', 'b' }, 3, 12, 0 },
		{ { 0 }, 0, 12, 0 },
	};
	uint8_t m[24] = { 0 };
	struct dns_name n;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("case %zu", i);
		memcpy(m + 12, table[i].bytes, 12);
		check_eq(dns_name_read(m, 12 + table[i].len, table[i].at, &n), table[i].end);
	}
}

/* 01 and 10 in the top bits of a length are no labels, though there are bytes enough. */
static void labels_have_63_bytes(void)
{
	uint8_t m[300];
	struct dns_name n;

	for (unsigned len = 1; len < 0xc0; len++) {
		test_at("a label of %u", len);
		memset(m, 'x', sizeof(m));
		m[12] = (uint8_t)len;
		m[13 + len] = 0;
		check_eq(dns_name_read(m, sizeof(m), 12, &n), len <= 63 ? 14 + len : 0);
	}
}

/* A name of 254 bytes and one of 255 is read, and one of 256 is not, with pointers and without. */
static void long_names_in_messages(void)
{
	uint8_t m[700];
	struct dns_name n;
	size_t at = 12;

	memset(m, 'x', sizeof(m));
	for (unsigned i = 0; i < 4; i++) {
		m[at] = i < 3 ? 63 : 61;
		at += 1u + m[at];
	}
	m[at] = 0;
	check_eq(dns_name_read(m, sizeof(m), 12, &n), at + 1);
	check_eq(n.len, 255);
	m[at - 62] = 62; /* the last label is one longer */
	m[at + 1] = 0;
	check_eq(dns_name_read(m, sizeof(m), 12, &n), 0);
	m[at - 62] = 59;
	m[at - 2] = 0;
	m[at] = 1; /* "a" and a pointer: 2 bytes more */
	put_be16(m + at + 2, 0xc000 | 12);
	check_eq(dns_name_read(m, sizeof(m), at, &n), at + 4);
	check_eq(n.len, 255);
	m[at] = 2;
	put_be16(m + at + 3, 0xc000 | 12);
	check_eq(dns_name_read(m, sizeof(m), at, &n), 0);
}

/* A chain of pointers, each to the one before: 126 are followed. */
static void chains_of_pointers_are_bounded(void)
{
	uint8_t m[12 + 1 + 2 * 200] = { 0 };
	struct dns_name n;

	for (unsigned i = 0; i < 200; i++)
		put_be16(m + 13 + 2 * i, 0xc000 | (i ? 13 + 2 * (i - 1) : 12));
	check(dns_name_read(m, sizeof(m), 13 + 2 * 125, &n) != 0);
	check_eq(n.len, 1);
	check_eq(dns_name_read(m, sizeof(m), 13 + 2 * 126, &n), 0);
}

static const struct test tests[] = {
	TEST(texts_become_names),      TEST(lengths_have_limits),
	TEST(odd_bytes_are_escaped),   TEST(names_are_compared),
	TEST(hosts_have_plain_names),  TEST(domains_are_appended),
	TEST(addresses_have_names),    TEST(every_graph_of_two_pointers),
	TEST(pointers_lead_backwards), TEST(labels_have_63_bytes),
	TEST(long_names_in_messages),  TEST(chains_of_pointers_are_bounded),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
