/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reassemble_test.c - fragments put together: orders, overlaps, cuts, and what never completes.
 */
#include <stdlib.h>

#include "../../view/reassemble.h"
#include "test.h"

enum { PAYLOAD = 64 };

struct piece {
	uint32_t off, len;
	bool more;
};

/* A fragment of a datagram whose payload counts 0, 1, 2, ... */
static struct ip_bytes fragment(uint8_t *buf, bool is6, uint16_t id, struct piece piece)
{
	const uint8_t a4[4] = { 10, 0, 0, 1 }, b4[4] = { 10, 0, 0, 2 };
	const uint8_t a6[16] = { 0xfd, 1 }, b6[16] = { 0xfd, 2 };
	struct ip4 ip4 = { .ttl = 64,
			   .proto = TERN_IPPROTO_UDP,
			   .id = id,
			   .mf = piece.more,
			   .frag_off = (uint16_t)piece.off,
			   .total_len = (uint16_t)(IP4_HDR_LEN + piece.len) };
	struct ip6 ip6 = { .hop_limit = 64,
			   .next_header = IP6_EXT_FRAGMENT,
			   .payload_len = (uint16_t)(8 + piece.len) };
	size_t n;

	ip4.src = addr_from4(a4);
	ip4.dst = addr_from4(b4);
	ip6.src = addr_from6(a6);
	ip6.dst = addr_from6(b6);
	n = is6 ? ip6_emit(&ip6, buf) : ip4_emit(&ip4, buf);
	if (is6) {
		buf[n] = TERN_IPPROTO_UDP;
		buf[n + 1] = 0;
		put_be16(buf + n + 2, (uint16_t)(piece.off | piece.more));
		put_be32(buf + n + 4, id);
		n += 8;
	}
	for (uint32_t i = 0; i < piece.len; i++)
		buf[n + i] = (uint8_t)(piece.off + i);
	n += piece.len;
	return (struct ip_bytes){ buf, (uint32_t)n, (uint32_t)n };
}

/* Whenever its fragments came. */
static bool give_up(struct reassembly *r, tern_time now, struct ip_bytes *out)
{
	tern_time at;

	return reassembly_give_up(r, now, out, &at);
}

static enum reassembly_verdict put(struct reassembly *r, bool is6, uint16_t id, struct piece p,
				   struct ip_bytes *out)
{
	uint8_t buf[256];
	struct ip_bytes in = fragment(buf, is6, id, p);

	return reassemble(r, 0, &in, out);
}

static void check_whole(const struct ip_bytes *out, bool is6)
{
	uint32_t header = is6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	struct ip4 ip4 = { 0 };
	struct ip6 ip6 = { 0 };

	check_eq(out->len, header + PAYLOAD);
	check_eq(out->kept, header + PAYLOAD);
	for (uint32_t i = 0; i < PAYLOAD; i++)
		check_eq(out->bytes[header + i], i);
	if (is6) {
		check(ip6_parse(&ip6, out->bytes, out->kept));
		check_eq(ip6.next_header, TERN_IPPROTO_UDP);
		check_eq(ip6.payload_len, PAYLOAD);
	} else {
		check(ip4_parse_quoted(&ip4, out->bytes, out->kept));
		check(!ip4.mf && ip4.frag_off == 0);
		check_eq(ip4.total_len, out->len);
	}
}

static const struct {
	const char *name;
	struct piece piece[5]; /* of length 0: the end */
} orders[] = {
	{ "in order", { { 0, 24, true }, { 24, 24, true }, { 48, 16, false } } },
	{ "backwards", { { 48, 16, false }, { 24, 24, true }, { 0, 24, true } } },
	{ "mixed", { { 24, 24, true }, { 48, 16, false }, { 0, 24, true } } },
	{ "twice", { { 0, 24, true }, { 0, 24, true }, { 48, 16, false }, { 24, 24, true } } },
	{ "overlapping", { { 0, 40, true }, { 48, 16, false }, { 24, 24, true } } },
};

static void puts_together(void)
{
	for (size_t i = 0; i < 2 * N_TESTS(orders); i++) {
		struct reassembly *r = reassembly_new();
		struct ip_bytes out = { 0 };
		const struct piece *p = orders[i / 2].piece;

		test_at("%s, IPv%d", orders[i / 2].name, i % 2 ? 6 : 4);
		for (; p[1].len; p++)
			check_eq(put(r, i % 2, 7, *p, &out), REASSEMBLY_HELD);
		check_eq(put(r, i % 2, 7, *p, &out), REASSEMBLY_DONE);
		check_whole(&out, i % 2);
		check(!give_up(r, TERN_NEVER, &out));
		reassembly_free(r);
	}
}

static void keeps_datagrams_apart(void)
{
	struct reassembly *r = reassembly_new();
	struct ip_bytes out;

	check_eq(put(r, false, 1, (struct piece){ 0, 32, true }, &out), REASSEMBLY_HELD);
	check_eq(put(r, false, 2, (struct piece){ 32, 32, false }, &out), REASSEMBLY_HELD);
	check_eq(put(r, false, 1, (struct piece){ 32, 32, false }, &out), REASSEMBLY_DONE);
	check_whole(&out, false);
	check_eq(put(r, false, 2, (struct piece){ 0, 32, true }, &out), REASSEMBLY_DONE);
	check_whole(&out, false);
	reassembly_free(r);
}

static void what_is_whole_passes(void)
{
	struct reassembly *r = reassembly_new();
	struct ip_bytes out;

	check_eq(put(r, false, 1, (struct piece){ 0, PAYLOAD, false }, &out), REASSEMBLY_WHOLE);
	/* An atomic fragment (RFC 6946) is whole. */
	check_eq(put(r, true, 1, (struct piece){ 0, PAYLOAD, false }, &out), REASSEMBLY_WHOLE);
	reassembly_free(r);
}

static void refuses_the_impossible(void)
{
	struct reassembly *r = reassembly_new();
	struct ip_bytes out;

	test_at("a length that is no multiple of 8");
	check_eq(put(r, false, 1, (struct piece){ 0, 30, true }, &out), REASSEMBLY_BAD);
	test_at("beyond 64 KiB");
	check_eq(put(r, false, 1, (struct piece){ 65528, 64, false }, &out), REASSEMBLY_BAD);
	check(!give_up(r, TERN_NEVER, &out));
	reassembly_free(r);
}

static void a_cut_fragment_ends_what_is_kept(void)
{
	struct reassembly *r = reassembly_new();
	uint8_t buf[256];
	struct ip_bytes in = fragment(buf, false, 1, (struct piece){ 0, 32, true }), out;

	in.kept = IP4_HDR_LEN + 10;
	check_eq(reassemble(r, 0, &in, &out), REASSEMBLY_HELD);
	check_eq(put(r, false, 1, (struct piece){ 32, 32, false }, &out), REASSEMBLY_DONE);
	check_eq(out.len, IP4_HDR_LEN + PAYLOAD);
	check_eq(out.kept, IP4_HDR_LEN + 10);
	reassembly_free(r);
}

static void gives_up_in_time(void)
{
	struct reassembly *r = reassembly_new();
	struct ip_bytes out;

	put(r, false, 1, (struct piece){ 0, 32, true }, &out);
	put(r, false, 2, (struct piece){ 32, 32, false }, &out);
	check(!give_up(r, 29 * TERN_SEC, &out));
	check(give_up(r, 31 * TERN_SEC, &out));
	check(give_up(r, 31 * TERN_SEC, &out));
	check(!give_up(r, 31 * TERN_SEC, &out));
	test_at("the beginning is shown");
	put(r, false, 3, (struct piece){ 0, 32, true }, &out);
	check(give_up(r, TERN_NEVER, &out));
	check_eq(out.kept, IP4_HDR_LEN + 32);
	test_at("without the beginning there is nothing to show");
	put(r, false, 3, (struct piece){ 32, 32, false }, &out);
	check(give_up(r, TERN_NEVER, &out));
	check_eq(out.kept, 0);
	reassembly_free(r);
}

static void tells_when_the_last_fragment_came(void)
{
	struct reassembly *r = reassembly_new();
	uint8_t buf[256];
	struct ip_bytes out;
	tern_time at = 0;

	for (uint32_t i = 0; i < 3; i++) {
		struct ip_bytes in =
			fragment(buf, false, 1, (struct piece){ 8 * (2 - i), 8, true });

		check_eq(reassemble(r, i * TERN_SEC, &in, &out), REASSEMBLY_HELD);
	}
	check(!reassembly_give_up(r, 29 * TERN_SEC, &out, &at));
	check(reassembly_give_up(r, 30 * TERN_SEC, &out, &at));
	check_eq(at, 2 * TERN_SEC);
	reassembly_free(r);
}

static void memory_is_bounded(void)
{
	struct reassembly *r = reassembly_new();
	struct ip_bytes out;
	int n_given_up = 0;

	for (uint16_t id = 0; id < 1000; id++) {
		while (give_up(r, 0, &out))
			n_given_up++;
		check_eq(put(r, false, id, (struct piece){ 0, 32, true }, &out), REASSEMBLY_HELD);
	}
	check(n_given_up > 900);
	reassembly_free(r);
}

static const struct test tests[] = {
	TEST(puts_together),
	TEST(keeps_datagrams_apart),
	TEST(what_is_whole_passes),
	TEST(refuses_the_impossible),
	TEST(a_cut_fragment_ends_what_is_kept),
	TEST(gives_up_in_time),
	TEST(tells_when_the_last_fragment_came),
	TEST(memory_is_bounded),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
