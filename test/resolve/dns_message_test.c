/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_message_test.c - queries and answers: cut at each byte, with false counts and false lengths.
 */
#include "test.h"

#include "dns_build.h"

static struct dns_question question_of(const char *name, unsigned type)
{
	struct dns_question q = { .type = (uint16_t)type };

	dns_name_parse(&q.name, name, strlen(name));
	return q;
}

static void queries_are_what_they_are_read_as(void)
{
	struct dns_question q = question_of("www.example.org", DNS_AAAA), other;
	uint8_t buf[DNS_QUERY_MAX];
	struct dns_head h;
	struct dns_walk w;
	struct dns_record r;
	size_t len;

	for (int edns = 0; edns < 2; edns++) {
		len = dns_emit_query(buf, 0xbeef, &q, edns);
		check_eq(len, 12 + 17 + 4 + (edns ? 11 : 0));
		check(dns_check(buf, len, &h));
		check_eq(h.id, 0xbeef);
		check_eq(h.flags, DNS_RD);
		check(dns_asks(buf, len, &q));
		check(dns_walk_begin(&w, buf, len));
		check_eq(dns_walk_next(&w, &r), edns);
		if (edns) {
			check_eq(r.type, DNS_OPT);
			check_eq(r.section, DNS_ADDITIONAL);
			check_eq(r.class, 1232); /* what we take; RFC 6891 6.2.3: 512 at least */
			check_eq(r.owner.len, 1);
		}
		check(!dns_walk_next(&w, &r));
		check(!w.malformed);
	}
	other = question_of("WWW.example.ORG", DNS_AAAA);
	check(dns_asks(buf, len, &other));
	other.type = DNS_A;
	check(!dns_asks(buf, len, &other));
	other = question_of("www.example.com", DNS_AAAA);
	check(!dns_asks(buf, len, &other));
	put_be16(buf + 12 + 17 + 2, 3); /* the class of Chaos */
	check(!dns_asks(buf, len, &q));
}

/* An alias, two addresses, a SOA, a name server, an OPT record. */
static void build_whole(struct build *m)
{
	build_head(m, 7, DNS_QR | DNS_RD | DNS_RA);
	build_question(m, "www.example.org", DNS_A);
	build_link(m, DNS_ANSWER, "www.example.org", DNS_CNAME, 300, "host.example.org");
	build_address(m, "host.example.org", "192.0.2.1", 200);
	build_address(m, "host.example.org", "192.0.2.2", 100);
	build_link(m, DNS_AUTHORITY, "example.org", DNS_NS, 60, "ns.example.org");
	build_soa(m, "example.org", 60, 30);
	build_opt(m, 0);
}

/* Whatever is missing, the message is malformed, and nothing is read behind its end. */
static void a_message_cut_at_each_byte(void)
{
	struct dns_question q = question_of("www.example.org", DNS_A);
	static struct build m;
	struct dns_head h;

	build_whole(&m);
	build_record(&m, DNS_ADDITIONAL, "ns.example.org", DNS_A, 60, 4);
	build_bytes(&m, "\300\0\2\3", 4);
	check(dns_check(m.b, m.len, &h));
	for (size_t len = 0; len < m.len; len++) {
		uint8_t *exact = malloc(len ? len : 1); /* AddressSanitizer sees what is behind */

		test_at("%zu bytes", len);
		memcpy(exact, m.b, len);
		check(!dns_check(exact, len, &h));
		check_eq(dns_asks(exact, len, &q), len >= 12 + 17 + 4);
		free(exact);
	}
}

static void counts_are_claims(void)
{
	static const unsigned counts[] = { 0, 1, 2, 65535 };
	static struct build m;
	struct dns_head h;

	for (unsigned section = 0; section < DNS_N_SECTIONS; section++)
		for (size_t i = 0; i < N_TESTS(counts); i++) {
			build_whole(&m);
			m.len -=
				11; /* without OPT: then at each place but the last there is more */
			put_be16(m.b + 10, 0);
			test_at("section %u: %u", section, counts[i]);
			put_be16(m.b + 4 + 2 * section, counts[i]);
			/* more records than there are make it malformed; 65535 do so everywhere */
			if (counts[i] == 65535)
				check(!dns_check(m.b, m.len, &h));
			else
				dns_check(m.b, m.len, &h);
		}
	build_whole(&m);
	put_be16(m.b + 6, 4); /* an answer more: the name server is taken for it, one is missing */
	check(!dns_check(m.b, m.len, &h));
}

/* Each type with each length of data from 0 to 40: only its own is whole. */
static void data_is_as_long_as_its_type(void)
{
	static const struct {
		unsigned type, len;
	} table[] = { { DNS_A, 4 },   { DNS_AAAA, 16 }, { DNS_CNAME, 3 },
		      { DNS_PTR, 3 }, { DNS_NS, 3 },	{ DNS_SOA, 26 } };
	static const uint8_t name[] = { 1, 'a', 0 };
	static struct build m;
	struct dns_head h;

	for (size_t i = 0; i < N_TESTS(table); i++)
		for (unsigned len = 0; len <= 40; len++) {
			uint8_t data[48] = { 0 };
			bool with_names = table[i].type != DNS_A && table[i].type != DNS_AAAA;

			test_at("type %u, %u bytes", table[i].type, len);
			if (with_names) {
				memcpy(data, name, 3);
				memcpy(data + 3, name, 3);
			}
			build_head(&m, 7, DNS_QR);
			build_record(&m, DNS_ANSWER, "a", table[i].type, 1, len);
			build_bytes(&m, data, len);
			check_eq(dns_check(m.b, m.len, &h), len == table[i].len);
			put_be16(m.b + m.len - len - 2, len + 1); /* past the end */
			check(!dns_check(m.b, m.len, &h));
		}
	build_head(&m, 7, DNS_QR); /* what we do not read may be anything */
	build_record(&m, DNS_ANSWER, "a", 999, 1, 5);
	build_bytes(&m, "abcde", 5);
	check(dns_check(m.b, m.len, &h));
}

static void at_most_one_opt_record(void)
{
	static struct build m;
	struct dns_head h;

	build_head(&m, 7, DNS_QR | 0);
	build_opt(&m, 1);
	check(dns_check(m.b, m.len, &h));
	check_eq(h.rcode, DNS_BADVERS); /* its upper bits are there */
	build_opt(&m, 0);
	check(!dns_check(m.b, m.len, &h));
	build_head(&m, 7, DNS_QR);
	build_record(&m, DNS_ADDITIONAL, "a", DNS_OPT, 0, 0); /* not of the root */
	check(!dns_check(m.b, m.len, &h));
	build_head(&m, 7, DNS_QR);
	build_record(&m, DNS_ANSWER, ".", DNS_OPT, 0, 0);
	check(!dns_check(m.b, m.len, &h));
}

static const struct test tests[] = {
	TEST(queries_are_what_they_are_read_as),
	TEST(a_message_cut_at_each_byte),
	TEST(counts_are_claims),
	TEST(data_is_as_long_as_its_type),
	TEST(at_most_one_opt_record),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
