/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_order_test.c - text in any order, twice, with other bytes, beyond the edge: SEC-101, SEC-104,
 * SEC-107, SEC-111, SEC-117.
 */
#include "attack_fixture.h"

static const uint32_t isns[] = { 0,	     1,		 0x7ffffff0, 0x7fffffff,
				 0x80000000, 0xffff0000, 0xfffffff0, 0xffffffff };

/* ---- SEC-107: every order of five segments, the FIN among them ---- */

static void send_part(const struct client *c, unsigned i)
{
	static const struct {
		uint32_t off, len;
		uint16_t flags;
	} part[] = {
		{ 0, 10, 0 }, { 10, 20, 0 }, { 30, 5, TCP_PSH }, { 35, 15, TCP_FIN }, { 5, 20, 0 },
	};

	put_piece(c, part[i].off, part[i].len, part[i].flags);
}

/* The k-th order of five. */
static void order_of(unsigned k, unsigned *order)
{
	unsigned left[5] = { 0, 1, 2, 3, 4 };

	for (unsigned n = 5; n > 0; n--) {
		unsigned at = k % n;

		k /= n;
		order[5 - n] = left[at];
		for (unsigned i = at; i + 1 < n; i++)
			left[i] = left[i + 1];
	}
}

static void every_order_with_a_fin(void)
{
	for (size_t s = 0; s < N_TESTS(isns); s++) {
		for (unsigned k = 0; k < 120; k++) {
			unsigned order[5];
			bool ended, once = false;
			uint32_t pos = 0;
			struct client c;

			test_at("ISN %x, order %u", isns[s], k);
			plain_world();
			c = connected(isns[s]);
			order_of(k, order);
			for (unsigned i = 0; i < 5; i++) {
				send_part(&c, order[i]);
				if (k % 2)
					send_part(&c, order[i]); /* twice is as good as once */
				pos = read_on(&c, pos, &ended);
				check(!ended || pos == 50);
				once = once || ended;
				tern_check(st);
			}
			check_eq(pos, 50);
			check(once);
			put_piece(&c, 51, 10, 0); /* behind the FIN: not delivered, the end stays */
			check_eq(read_on(&c, pos, &ended), 50);
			check(ended);
			end_world();
		}
	}
}

/* A FIN that stands left of bytes that are here, or is followed by more: the stream is not cut. */
static void a_fin_does_not_cut(void)
{
	struct client c;
	bool ended;

	plain_world();
	c = connected(5);
	put_piece(&c, 100, 50, 0);
	put_piece(&c, 0, 60, TCP_FIN); /* early: bytes beyond it are known */
	check_eq(read_on(&c, 0, &ended), 60);
	check(!ended);
	put_piece(&c, 60, 40, 0);
	check_eq(read_on(&c, 60, &ended), 150);
	check(!ended);
	put_piece(&c, 150, 0, TCP_FIN);
	check_eq(read_on(&c, 150, &ended), 150);
	check(ended);
	end_world();
}

/* ---- SEC-101, SEC-111: a long random stream against an oracle ---- */

/* Random pieces, early, late, twice, overlapping: each byte once, in order, at each of eight ISNs. */
static void random_pieces(void)
{
	for (size_t s = 0; s < N_TESTS(isns); s++) {
		struct client c;
		uint32_t pos = 0;
		bool ended;

		test_at("ISN %x", isns[s]);
		plain_world();
		c = connected(isns[s] - 100000); /* the wrap comes in the middle */
		while (pos < 300000) {
			uint32_t off = pos + draw() % 30000, len = 1 + draw() % 1400;

			off = off > 500 ? off - 500 : 0;
			put_piece(&c, draw() % 4 ? off : pos, len, 0);
			pos = read_on(&c, pos, &ended);
			check(!ended);
			if (draw() % 64 == 0) {
				tern_check(st);
				hear_all(NULL);
			}
		}
		end_world();
	}
}

/* Memory is refused now and then: a piece counts whole or not at all, and comes again. */
static void pieces_without_memory(void)
{
	for (unsigned round = 0; round < 100; round++) {
		struct client c;
		uint32_t pos = 0;
		bool ended;

		test_at("round %u", round);
		plain_world();
		c = connected(isns[round % N_TESTS(isns)]);
		for (int i = 0; i < 400 || pos < 100000; i++) {
			uint32_t off = pos + draw() % 60000, len = 1 + draw() % 1400;

			if (i % 2 && i < 400)
				counted.fail_at = counted.n_allocs + 1 + draw() % 3;
			put_piece(&c, draw() % 3 ? off : pos, len, 0);
			if (draw() % 4 == 0)
				pos = read_on(&c, pos, &ended);
			tern_check(st);
			hear_all(NULL);
		}
		counted.fail_at = 0;
		end_world();
	}
}

/*
 * More than 4 GiB, without the cost of bytes: large segments by the device, and a reader that only
 * drops. The numbers wrap; what was counted is right.
 */
static void more_than_four_gigabytes(void)
{
	static const struct tcp_hdr offer = { .has_wscale = true, .wscale = 14 };
	struct client c;
	uint64_t total = 0;
	struct tern_tcp_info info = { 0 };
	size_t len = sizeof(info);
	struct ip4 ip = { .ttl = 64, .proto = 6, .hdr_len = 20 };

	plain_world();
	c = connected_with(&offer, NULL);
	while (total < (9ull << 29)) {
		struct tcp_hdr h = { .src_port = c.port,
				     .dst_port = PORT,
				     .seq = c.nxt,
				     .ack = c.rcv,
				     .flags = TCP_ACK,
				     .wnd = WINDOW };
		struct tern_span span[8];
		struct tern_pkt *p = tern_pkt_new(st, 40 + 65000);
		int n;

		if (!p) {
			test_fail(__FILE__, __LINE__, "no memory at %llu",
				  (unsigned long long)total);
			break;
		}
		ip.src = addr_of(c.ip);
		ip.dst = addr_of(HERE);
		ip.total_len = 40 + 65000;
		ip4_emit(&ip, p->data);
		tcp_emit(&h, p->data + 20);
		p->ifindex = 2;
		p->flags |= TERN_PKT_CSUM_GOOD;
		tern_input(st, p);
		c.nxt += 65000;
		while ((n = tern_recv_data(st, c.sock, span, 8)) > 0) {
			size_t got = 0;

			for (int i = 0; i < n; i++)
				got += span[i].len;
			tern_recv_consume(st, c.sock, got);
			total += got;
		}
		hear_all(NULL);
		if (total % (65000 * 64) == 0)
			pass(TERN_MS);
	}
	check_eq(tern_getsockopt(st, c.sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len), 0);
	check_eq(info.bytes_received, total);
	end_world();
}

/* ---- SEC-117: other bytes at the same place ---- */

/* What was acknowledged never changes; what waits ahead of a gap is what came last or first, whole. */
static void overlaps_with_other_bytes(void)
{
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t first[64], seen[64];
		bool known[64] = { false };
		uint32_t acked = 0;
		struct client c;
		int64_t n, total = 0;

		test_at("round %u", round);
		plain_world();
		c = connected(isns[round % N_TESTS(isns)]);
		for (int i = 0; i < 12; i++) {
			uint32_t off = draw() % 60, len = 1 + draw() % (64 - off);
			uint8_t text[64];
			struct heard r = { 0 };

			memset(text, 'a' + i, sizeof(text));
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = TCP_ACK,
					      .seq = c.nxt + off,
					      .ack = c.rcv,
					      .text = text,
					      .len = len });
			for (uint32_t k = off; k < off + len; k++) {
				if (!known[k])
					first[k] = text[0];
				known[k] = true;
			}
			if (hear_all(&r))
				acked = r.h.ack - c.nxt;
		}
		while ((n = tern_recv(st, c.sock, seen + total, sizeof(seen) - (size_t)total, 0)) >
		       0)
			total += n;
		check(total >= acked);
		for (int64_t k = 0; k < total; k++)
			check_eq(seen[k], first[k]);
		end_world();
	}
}

/* Read or not: text that was acknowledged is not written over. */
static void acknowledged_bytes_stand(void)
{
	struct client c;
	char buf[200];

	plain_world();
	c = connected(5);
	for (int i = 0; i < 2; i++)
		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_ACK,
				      .seq = c.nxt,
				      .ack = c.rcv,
				      .text = i ? "BBBBBBBBBBBBBBBBBBBB" : "AAAAAAAAAA",
				      .len = i ? 20 : 10 });
	check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), 20);
	check_mem(buf, "AAAAAAAAAABBBBBBBBBB", 20);
	end_world();
}

/* ---- SEC-104: beyond the window ---- */

/* Segments that straddle the edge or lie behind it: not a byte more than was shown is kept. */
static void nothing_beyond_the_window(void)
{
	struct client c;
	struct heard r = { 0 };
	uint32_t edge;
	uint64_t used;
	bool ended;

	default_world();
	config.tcp_rcvbuf_default = config.tcp_rcvbuf_max = 8000;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	c = connected(5);
	say(&c, 0, 0);
	put_piece(&c, 0, 100, 0);
	pass(100 * TERN_MS);
	check(hear_all(&r) > 0);
	edge = r.h.ack + r.h.wnd - c.nxt;
	used = tern_memory(st);
	for (uint32_t off = 0; off < edge + 3000; off += 499) {
		put_piece(&c, off, 1400, off > edge - 900 ? TCP_FIN : 0);
		hear_all(&r);
		check((int32_t)(r.h.ack + r.h.wnd - c.nxt - edge) <= 0);
	}
	check(tern_memory(st) <= used + 49152); /* a chunk, and the ranges */
	put_piece(&c, r.h.ack - c.nxt, 1400, TCP_FIN);
	check_eq(read_on(&c, 0, &ended), edge);
	check(!ended);
	end_world();
}

static const struct test tests[] = {
	TEST(every_order_with_a_fin),
	TEST(a_fin_does_not_cut),
	TEST(random_pieces),
	TEST(pieces_without_memory),
	TEST(more_than_four_gigabytes),
	TEST(overlaps_with_other_bytes),
	TEST(acknowledged_bytes_stand),
	TEST(nothing_beyond_the_window),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
