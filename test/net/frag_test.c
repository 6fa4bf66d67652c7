/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_test.c - fragments put together: every order, every triple of small ones beside a model that
 * knows nothing but bytes, bounds of memory for one sender and for all, time.
 */
#include "../../core/net/frag.h"
#include "net_fixture.h"

#include "../../core/wire/wire.h"

enum { SMALL = 9 }; /* units of 8 bytes */

static uint8_t payload[65536];

static void begin(void)
{
	start();
	f.cfg.frag_memory_max = 1 << 20;
	f.cfg.frag_source_max = 1 << 18;
	f.cfg.frag_time_ms = 60000;
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
}

static struct frag piece(uint32_t id, uint32_t off, uint32_t len, bool last)
{
	static const uint8_t hdr[20] = { 0x45 };

	return (struct frag){ .key = { v4(10, 0, 0, 9), v4(10, 0, 0, 1), id, 17, 0 },
			      .hdr = hdr,
			      .hdr_len = 20,
			      .bytes = payload + off,
			      .len = len,
			      .off = off,
			      .last = last,
			      .ifindex = 1 };
}

/* What the pieces of a datagram say, byte by byte: another way to the same answer. */
struct model {
	struct {
		uint32_t lo, hi;
		bool last;
	} kept[3];
	unsigned n;
	bool spoiled;
};

static bool model_put(struct model *m, uint32_t lo, uint32_t hi, bool last)
{
	uint32_t end = 0, have = 0;

	for (unsigned i = 0; i < m->n && !m->spoiled; i++) {
		bool same = m->kept[i].lo == lo && m->kept[i].hi == hi && m->kept[i].last == last;

		if (same)
			return false;
		m->spoiled = m->kept[i].lo < hi && lo < m->kept[i].hi;
		m->spoiled |= m->kept[i].last && (last || hi > m->kept[i].hi);
		m->spoiled |= last && m->kept[i].hi > hi;
	}
	if (m->spoiled)
		return false;
	m->kept[m->n].lo = lo;
	m->kept[m->n].hi = hi;
	m->kept[m->n++].last = last;
	for (unsigned i = 0; i < m->n; i++) {
		have += m->kept[i].hi - m->kept[i].lo;
		end = m->kept[i].last ? m->kept[i].hi : end;
	}
	return end && have == end;
}

struct shape {
	uint32_t off, len;
	bool last;
};

static void try_triple(const struct shape *a, const struct shape *b, const struct shape *c)
{
	const struct shape *order[3] = { a, b, c };
	struct model m = { .n = 0 };
	struct frag_set *whole = NULL, *left;

	for (int i = 0; i < 3; i++) {
		uint32_t lo = order[i]->off * 8, hi = lo + order[i]->len * 8;
		struct frag fragment = piece(7, lo, hi - lo, order[i]->last);
		bool expected = model_put(&m, lo, hi, order[i]->last);

		frag_put(&f.net, &fragment, &whole);
		if (expected != (whole != NULL)) {
			test_at("%u+%u%s %u+%u%s %u+%u%s", a->off, a->len, a->last ? "." : "",
				b->off, b->len, b->last ? "." : "", c->off, c->len,
				c->last ? "." : "");
			check_eq(whole != NULL, expected);
		}
		if (whole) {
			uint8_t out[SMALL * 8];

			frag_copy(whole, out);
			if (memcmp(out, payload, whole->end) != 0)
				check_mem(out, payload, whole->end);
			frag_free(&f.net, whole);
			return;
		}
	}
	left = CONTAINER_OF(f.net.frags.next, struct frag_set, age);
	if (!list_empty(&f.net.frags))
		frag_free(&f.net, left);
}

/* Teardrop, bonk, nestea and all their kin: 90^3 of them. */
static void every_triple(void)
{
	struct shape shapes[SMALL * (SMALL + 1)];
	unsigned n = 0;

	begin();
	for (uint32_t off = 0; off < SMALL; off++)
		for (uint32_t len = 1; off + len <= SMALL; len++)
			for (int last = 0; last < 2; last++)
				shapes[n++] = (struct shape){ off, len, last };
	check_eq(n, SMALL * (SMALL + 1));
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = 0; b < n; b++)
			for (unsigned c = 0; c < n; c++)
				try_triple(&shapes[a], &shapes[b], &shapes[c]);
	finish();
}

/* 65515 bytes in pieces of 8, from both ends to the middle: each finds its place. */
static void many_pieces(void)
{
	enum { PIECE = 48, N = 65515 / PIECE + 1 };
	static uint8_t out[65536];
	struct frag_set *whole = NULL;

	begin();
	for (unsigned i = 0; i < N; i++) {
		unsigned k = i % 2 ? N - 1 - i / 2 : i / 2;
		struct frag fragment = piece(1, k * PIECE, PIECE, false);

		fragment.last = k == N - 1;
		fragment.len = fragment.last ? 65515 - k * PIECE : PIECE;
		check(!whole);
		check_eq(frag_put(&f.net, &fragment, &whole), TERN_DROP_NONE);
		if (i % 100 == 0)
			net_check(&f.net);
	}
	check(whole && whole->end == 65515);
	if (whole) {
		frag_copy(whole, out);
		check_mem(out, payload, 65515);
		frag_free(&f.net, whole);
	}
	finish();
}

/* RFC 791, RFC 4007: another sender, identification, protocol or link is another datagram. */
static void keys_are_kept_apart(void)
{
	struct frag_set *whole;

	begin();
	for (int what = 0; what < 5; what++) {
		struct frag first = piece(1, 0, 8, false), second = piece(1, 8, 8, true);

		if (what == 0)
			second.key.id = 2;
		else if (what == 1)
			second.key.proto = 6;
		else if (what == 2)
			second.key.src.b[15]++;
		else if (what == 3)
			second.key.dst.b[15]++;
		else
			second.key.zone++;
		frag_put(&f.net, &first, &whole);
		check(!whole);
		frag_put(&f.net, &second, &whole);
		check(!whole);
		second.key = first.key;
		frag_put(&f.net, &second, &whole);
		check(whole);
		if (whole)
			frag_free(&f.net, whole);
		net_check(&f.net);
	}
	finish();
}

static void pass(tern_time t)
{
	timers_advance(&f.timers, f.timers.now + t);
	while (timers_take(&f.timers))
		continue;
}

/* 60 s from the first that came; half of it when memory is short (RFC 8200 4.5, RFC 1122 3.3.2). */
static void time_passes(void)
{
	struct frag fragment = piece(1, 8, 8, false), later = piece(1, 16, 8, false);
	struct frag_set *whole, *old;

	begin();
	frag_put(&f.net, &fragment, &whole);
	pass(59 * TERN_SEC);
	check(!frag_take_expired(&f.net));
	frag_put(&f.net, &later, &whole);
	pass(TERN_SEC);
	old = frag_take_expired(&f.net);
	check(old && old->n_pieces == 2 && old->hdr_len == 0);
	frag_free(&f.net, old);
	frag_put(&f.net, &fragment, &whole);
	for (uint32_t i = 0; i < 600; i++) { /* more than half of what there is */
		struct frag big = piece(100 + i, 0, 1000, false);

		big.key.src.b[13] = (uint8_t)(i % 8);
		frag_put(&f.net, &big, &whole);
	}
	pass(30 * TERN_SEC);
	old = frag_take_expired(&f.net);
	check(old && old->key.id == 1);
	finish();
}

/* RFC 3168 5.3, over all pairs of codepoints. */
static void marks(void)
{
	begin();
	for (unsigned a = 0; a < 4; a++) {
		for (unsigned b = 0; b < 4; b++) {
			struct frag first = piece(1, 0, 8, false), second = piece(1, 8, 8, true);
			uint8_t ecn = (uint8_t)a;
			struct frag_set *whole;
			bool ce = a == IP_ECN_CE || b == IP_ECN_CE;
			bool plain = a == IP_ECN_NOT_ECT || b == IP_ECN_NOT_ECT;

			test_at("%u and %u", a, b);
			first.ecn = (uint8_t)a;
			second.ecn = (uint8_t)b;
			frag_put(&f.net, &first, &whole);
			frag_put(&f.net, &second, &whole);
			check(whole);
			check_eq(frag_ecn(whole, &ecn), !(ce && plain));
			check_eq(ecn, ce ? IP_ECN_CE : a);
			frag_free(&f.net, whole);
		}
	}
	finish();
}

/*
 * Rose: first and last of 10^5 datagrams that never become whole, from one sender or from as many as
 * there are; what honest senders send in between arrives.
 */
static void flood(void)
{
	for (int many = 0; many < 2; many++) {
		unsigned arrived = 0;

		test_at("from %s", many ? "everywhere" : "one");
		begin();
		for (uint32_t i = 0; i < 100000; i++) {
			struct frag first = piece(i, 0, 1400, false);
			struct frag last = piece(i, 60000, 1400, true);
			struct frag_set *whole;

			first.key.src.b[12] = last.key.src.b[12] = 66;
			if (many)
				put_be16(first.key.src.b + 14, i);
			last.key = first.key;
			frag_put(&f.net, &first, &whole);
			frag_put(&f.net, &last, &whole);
			check(f.net.frag_used <= f.cfg.frag_memory_max);
			if (i % 100)
				continue;
			first = piece(i, 0, 1400, false);
			last = piece(i, 1400, 80, true);
			frag_put(&f.net, &last, &whole);
			frag_put(&f.net, &first, &whole);
			arrived += whole != NULL;
			if (whole)
				frag_free(&f.net, whole);
		}
		check_eq(arrived, 1000);
		finish();
	}
}

/* A sender that exceeds its share loses its own oldest, and nothing of others. */
static void shares(void)
{
	struct frag other = piece(1, 0, 1000, false), rest = piece(1, 1000, 8, true);
	struct frag_set *whole;

	begin();
	other.key.src.b[14] = rest.key.src.b[14] = 77;
	frag_put(&f.net, &other, &whole);
	for (uint32_t i = 0; i < 2000; i++) {
		struct frag big = piece(i, 0, 1000, false);

		check_eq(frag_put(&f.net, &big, &whole), TERN_DROP_NONE);
	}
	check(f.net.frag_used <= f.cfg.frag_source_max + 2000);
	frag_put(&f.net, &rest, &whole);
	check(whole);
	if (whole)
		frag_free(&f.net, whole);
	finish();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(every_triple), TEST(many_pieces), TEST(keys_are_kept_apart),
		TEST(time_passes),  TEST(marks),       TEST(flood),
		TEST(shares),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
