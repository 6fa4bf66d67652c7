/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_result_test.c - what answers say: chains of aliases, times, and what is not about the question.
 */
#include "test.h"

#include "dns_build.h"

static struct build m;

static struct dns_result result_of(const char *name, unsigned type)
{
	struct dns_question q = { .type = (uint16_t)type };
	struct dns_result r;
	struct dns_head h;

	dns_name_parse(&q.name, name, strlen(name));
	check(dns_check(m.b, m.len, &h));
	dns_read_result(m.b, m.len, &q, &r);
	return r;
}

static void begin_answer(const char *name, unsigned type, unsigned flags)
{
	build_head(&m, 1, DNS_QR | DNS_RD | DNS_RA | flags);
	build_question(&m, name, type);
}

static void check_name(const struct dns_name *n, const char *want)
{
	char text[DNS_TEXT_MAX];

	check_str(dns_name_format(n, text), want);
}

static void aliases_are_followed(void)
{
	struct dns_result r;

	begin_answer("www.a", DNS_A, 0);
	build_address(&m, "c.a", "192.0.2.3", 50); /* in any order */
	build_link(&m, DNS_ANSWER, "B.a", DNS_CNAME, 40, "c.a");
	build_link(&m, DNS_ANSWER, "www.a", DNS_CNAME, 300, "b.A");
	build_address(&m, "C.a", "192.0.2.4", 60);
	build_address(&m, "c.a", "192.0.2.3", 60); /* twice */
	r = result_of("www.a", DNS_A);
	check_eq(r.kind, DNS_FOUND);
	check_eq(r.n_addrs, 2);
	check_eq(r.addr[0][3], 3);
	check_eq(r.addr[1][3], 4);
	check_eq(r.ttl, 40);
	check_name(&r.canonical, "c.a");
}

/* RFC 5452 9.1: what is not on the way from the question's name is not believed. */
static void what_is_not_asked_is_not_taken(void)
{
	struct dns_result r;

	begin_answer("www.a", DNS_A, 0);
	build_address(&m, "www.b", "192.0.2.66", 50);
	build_link(&m, DNS_ANSWER, "x.a", DNS_CNAME, 50, "www.b");
	build_soa(&m, "b", 50, 50); /* and this is no zone of it */
	build_record(&m, DNS_ADDITIONAL, "www.a", DNS_A, 50, 4);
	build_bytes(&m, "\300\0\2\1", 4);
	r = result_of("www.a", DNS_A);
	check_eq(r.kind, DNS_NO_DATA);
	check_eq(r.n_addrs, 0);
	check_eq(r.ttl, 0);
}

static void other_classes_are_not_ours(void)
{
	struct dns_result r;

	begin_answer("www.a", DNS_A, 0);
	build_address(&m, "www.a", "192.0.2.66", 50);
	put_be16(m.b + m.len - 4 - 2 - 4 - 2, 3);
	r = result_of("www.a", DNS_A);
	check_eq(r.kind, DNS_NO_DATA);
}

static void aliases_in_circles(void)
{
	static const char *const circle[] = { "a", "b", "c", "d" };
	struct dns_result r;

	for (unsigned n = 1; n <= 4; n++) {
		test_at("a circle of %u", n);
		begin_answer("a", DNS_A, 0);
		for (unsigned i = 0; i < n; i++)
			build_link(&m, DNS_ANSWER, circle[i], DNS_CNAME, 50, circle[(i + 1) % n]);
		r = result_of("a", DNS_A);
		check_eq(r.kind, DNS_LOOPS);
	}
}

/* Sixteen aliases are followed, and not one more. */
static void chains_have_an_end(void)
{
	char from[16], to[16];
	struct dns_result r;

	for (int n = DNS_CHAIN_MAX; n <= DNS_CHAIN_MAX + 1; n++) {
		test_at("%d aliases", n);
		begin_answer("n0", DNS_A, 0);
		for (int i = 0; i < n; i++) {
			snprintf(from, sizeof(from), "n%d", i);
			snprintf(to, sizeof(to), "n%d", i + 1);
			build_link(&m, DNS_ANSWER, from, DNS_CNAME, 50, to);
		}
		build_address(&m, to, "192.0.2.1", 50);
		r = result_of("n0", DNS_A);
		check_eq(r.kind, n == DNS_CHAIN_MAX ? DNS_FOUND : DNS_LOOPS);
	}
}

static void times_with_the_top_bit_are_none(void)
{
	static const struct {
		uint32_t ttl, want;
	} table[] = {
		{ 0, 0 }, { 1, 1 }, { 0x7fffffff, 0x7fffffff }, { 0x80000000, 0 }, { 0xffffffff, 0 }
	};
	struct dns_result r;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("%x", table[i].ttl);
		begin_answer("a", DNS_A, 0);
		build_address(&m, "a", "192.0.2.1", table[i].ttl);
		r = result_of("a", DNS_A);
		check_eq(r.kind, DNS_FOUND);
		check_eq(r.ttl, table[i].want);
	}
}

/* RFC 2308: which of the two it is, and how long it is so. */
static void nothing_is_of_two_kinds(void)
{
	static const struct {
		unsigned rcode;
		uint32_t ttl, minimum; /* of the SOA; ttl 1: no SOA */
		unsigned kind;
		uint32_t want;
	} table[] = {
		{ DNS_NXDOMAIN, 600, 60, DNS_NO_NAME, 60 },
		{ DNS_NXDOMAIN, 60, 600, DNS_NO_NAME, 60 },
		{ DNS_NOERROR, 600, 60, DNS_NO_DATA, 60 },
		{ DNS_NOERROR, 600, 0x80000000, DNS_NO_DATA, 0 },
		{ DNS_NXDOMAIN, 1, 0, DNS_NO_NAME, 0 },
		{ DNS_NOERROR, 1, 0, DNS_NO_DATA, 0 },
	};
	struct dns_result r;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("case %zu", i);
		begin_answer("www.a.b", DNS_A, table[i].rcode);
		if (table[i].ttl != 1)
			build_soa(&m, "a.b", table[i].ttl, table[i].minimum);
		r = result_of("www.a.b", DNS_A);
		check_eq(r.kind, table[i].kind);
		check_eq(r.ttl, table[i].want);
	}
	begin_answer("www.a.b", DNS_A, DNS_NXDOMAIN); /* an alias to what is not there */
	build_link(&m, DNS_ANSWER, "www.a.b", DNS_CNAME, 20, "gone.c");
	build_soa(&m, "c", 60, 60);
	r = result_of("www.a.b", DNS_A);
	check_eq(r.kind, DNS_NO_NAME);
	check_eq(r.ttl, 20);
}

/* A server that names others, and neither knows nor asks. */
static void lame_servers_are_seen(void)
{
	struct dns_result r;

	build_head(&m, 1, DNS_QR | DNS_RD);
	build_question(&m, "www.a.b", DNS_A);
	build_link(&m, DNS_AUTHORITY, "b", DNS_NS, 60, "ns.b");
	r = result_of("www.a.b", DNS_A);
	check_eq(r.kind, DNS_LAME);
	put_be16(m.b + 2, DNS_QR | DNS_RA);
	r = result_of("www.a.b", DNS_A);
	check_eq(r.kind, DNS_NO_DATA);
}

static void addresses_point_to_names(void)
{
	struct dns_result r;

	begin_answer("1.2.0.192.in-addr.arpa", DNS_PTR, 0);
	build_link(&m, DNS_ANSWER, "1.2.0.192.in-addr.arpa", DNS_CNAME, 90, "1.c.a"); /* RFC 2317 */
	build_link(&m, DNS_ANSWER, "1.c.a", DNS_PTR, 70, "www.a");
	r = result_of("1.2.0.192.in-addr.arpa", DNS_PTR);
	check_eq(r.kind, DNS_FOUND);
	check_eq(r.ttl, 70);
	check_name(&r.canonical, "www.a");
}

static void many_addresses_are_cut_off(void)
{
	char text[TERN_ADDR_TEXT_MAX];
	struct dns_result r;

	begin_answer("a", DNS_AAAA, 0);
	for (unsigned i = 0; i < 255; i++) {
		snprintf(text, sizeof(text), "2001:db8::%x", i);
		build_address(&m, "a", text, 60);
	}
	r = result_of("a", DNS_AAAA);
	check_eq(r.n_addrs, DNS_ADDRS_MAX);
	check_eq(r.addr[31][15], 31);
}

static const struct test tests[] = {
	TEST(aliases_are_followed),	  TEST(what_is_not_asked_is_not_taken),
	TEST(other_classes_are_not_ours), TEST(aliases_in_circles),
	TEST(chains_have_an_end),	  TEST(times_with_the_top_bit_are_none),
	TEST(nothing_is_of_two_kinds),	  TEST(lame_servers_are_seen),
	TEST(addresses_point_to_names),	  TEST(many_addresses_are_cut_off),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
