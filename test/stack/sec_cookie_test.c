/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_cookie_test.c - floods of SYNs, and attacks on the cookies that answer them: SEC-119, SEC-120,
 * SEC-121.
 */
#include "attack_fixture.h"

enum { SLOT = 64 }; /* seconds for which a cookie's key is used */

/* All SYNs are answered with cookies. */
static void cookies_always(tern_time at)
{
	default_world();
	config.tcp_syncookies = 2;
	new_world(7, at);
	listener = listen_at(PORT, 16);
}

/* The number that answers a SYN of the client; its SYN,ACK in *r. */
static uint32_t cookie_for(const struct client *c, const struct tcp_hdr *options, struct heard *r)
{
	shoot(&(struct shot){ .ip = c->ip,
			      .port = c->port,
			      .flags = TCP_SYN,
			      .seq = c->nxt,
			      .options = options });
	check(hear(r));
	check_eq(r->h.flags, TCP_SYN | TCP_ACK);
	check_eq(n_streams(), 0);
	return r->h.seq;
}

/* Does this ACK make a connection? It is taken away again. */
static bool is_taken(const struct client *c, uint32_t cookie, const struct tcp_hdr *options)
{
	tern_sock s;

	shoot(&(struct shot){ .ip = c->ip,
			      .port = c->port,
			      .flags = TCP_ACK,
			      .seq = c->nxt + 1,
			      .ack = cookie + 1,
			      .options = options });
	hear_all(NULL);
	if (tern_accept(st, listener, &s, NULL))
		return false;
	tern_abort(st, s);
	hear_all(NULL);
	return true;
}

/* ---- SEC-120: forging ---- */

/* A million guesses while a cookie of the same tuple is good; 2^28 are needed for an even chance. */
static void guesses_are_refused(void)
{
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };
	struct heard r;
	uint32_t good;

	cookies_always(10 * SLOT * TERN_SEC);
	good = cookie_for(&c, NULL, &r);
	for (int i = 0; i < 1000000; i++) {
		uint32_t guess = draw();

		if (i < 32) /* each bit of the right one */
			guess = good ^ 1u << i;
		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_ACK,
				      .seq = c.nxt + 1,
				      .ack = guess + 1 });
		if (i % 16 == 0)
			hear_all(NULL);
	}
	check_eq(tern_counter(st, "TcpExtSyncookiesFailed"), 1000000);
	check_eq(n_streams(), 0);
	check(is_taken(&c, good, NULL));
	end_world();
}

/* It is of one tuple, one number of the peer's, and one set of options. */
static void cookie_is_of_one_syn(void)
{
	static const struct tcp_hdr offer = { .has_mss = true,
					      .mss = 1460,
					      .has_ts = true,
					      .ts_val = 500,
					      .sack_permitted = true,
					      .has_wscale = true,
					      .wscale = 7 };
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 }, other;
	struct tcp_hdr answer = { .has_ts = true, .ts_val = 501 };
	struct heard r;
	uint32_t good;

	cookies_always(10 * SLOT * TERN_SEC);
	good = cookie_for(&c, &offer, &r);
	other = c;
	other.ip++;
	answer.ts_ecr = r.h.ts_val;
	check(!is_taken(&other, good, &answer));
	other = c;
	other.port++;
	check(!is_taken(&other, good, &answer));
	other = c;
	other.nxt++;
	check(!is_taken(&other, good, &answer));
	for (uint32_t bit = 0; bit < 6; bit++) { /* wscale, SACK, ECN */
		answer.ts_ecr = r.h.ts_val ^ 1u << bit;
		test_at("bit %u of the timestamp", bit);
		check(!is_taken(&c, good, &answer));
	}
	check(!is_taken(&c, good, NULL)); /* without a timestamp nothing of it is known */
	answer.ts_ecr = r.h.ts_val;
	check(is_taken(&c, good, &answer));
	end_world();
}

/* Good for one slot and the next, never longer, wherever in the slot it was baked. */
static void cookies_grow_old(void)
{
	static const tern_time in_slot[] = { 0, 1, 20 * TERN_SEC, SLOT * TERN_SEC - 1 };
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };

	for (size_t i = 0; i < N_TESTS(in_slot); i++) {
		for (int later = 0; later < 4; later++) {
			tern_time left = SLOT * TERN_SEC - in_slot[i];
			struct heard r;
			uint32_t cookie;

			test_at("%llu ns into the slot, %d slots later",
				(unsigned long long)in_slot[i], later);
			cookies_always(10 * SLOT * TERN_SEC + in_slot[i]);
			cookie = cookie_for(&c, NULL, &r);
			if (later > 0)
				pass(left + (later - 1) * SLOT * TERN_SEC);
			check_eq(is_taken(&c, cookie, NULL), later <= 1);
			if (later > 0) {
				cookie_for(&c, NULL,
					   &r); /* a new key is drawn: the old one is no better */
				check_eq(is_taken(&c, cookie, NULL), later <= 1);
			}
			end_world();
		}
	}
}

/* The last instant of the second slot, and the first that is too late. */
static void the_edge_is_sharp(void)
{
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };
	struct heard r;
	uint32_t cookie;

	cookies_always(11 * SLOT * TERN_SEC - 1);
	cookie = cookie_for(&c, NULL, &r);
	pass(SLOT * TERN_SEC);
	check(is_taken(&c, cookie, NULL));
	pass(1);
	check(!is_taken(&c, cookie, NULL));
	end_world();
}

/* Without a flood there is no key, and so no number is good: not even one of an all-zero key. */
static void no_cookie_without_a_flood(void)
{
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };

	default_world();
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	for (int i = 0; i < 100000; i++)
		check(!is_taken(&c, draw(), NULL));
	end_world();
}

/* The same SYN in two slots and in two worlds: numbers that have nothing in common. */
static void keys_differ(void)
{
	struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };
	uint32_t cookie[4];
	struct heard r;

	for (int i = 0; i < 4; i++) {
		if (i % 2 == 0) {
			default_world();
			config.tcp_syncookies = 2;
			new_world(7 + (uint64_t)i, 10 * SLOT * TERN_SEC);
			listener = listen_at(PORT, 16);
		}
		cookie[i] = cookie_for(&c, NULL, &r);
		pass(2 * SLOT * TERN_SEC); /* the same parity: the same head */
		for (int k = 0; k < i; k++)
			check((cookie[i] & 0xfffffff) != (cookie[k] & 0xfffffff));
		if (i % 2 == 1)
			end_world();
	}
}

/* ---- SEC-120: what the cookie tells survives ---- */

static void mss_of_the_table(void)
{
	static const struct {
		uint16_t offered, kept;
	} rows[] = {
		{ 48, 48 },	{ 100, 48 },	{ 536, 536 },	{ 1219, 536 },	{ 1220, 1220 },
		{ 1300, 1300 }, { 1399, 1300 }, { 1400, 1400 }, { 1440, 1440 }, { 1459, 1440 },
		{ 1460, 1460 }, { 1500, 1460 }, { 8960, 8960 }, { 9000, 8960 }, { 65535, 8960 }
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		struct tcp_hdr offer = { .has_mss = true, .mss = rows[i].offered };
		struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };
		uint8_t bytes[20000] = { 0 };
		uint32_t most = 0;
		struct heard r;
		tern_sock s;

		test_at("MSS %u", rows[i].offered);
		cookies_always(10 * SLOT * TERN_SEC);
		check_eq(tern_iface_set(st, 2, 10000, 0), 0);
		c.rcv = cookie_for(&c, &offer, &r) + 1;
		c.nxt++;
		say(&c, 0, 0);
		check_eq(tern_accept(st, listener, &s, NULL), 0);
		tern_send(st, s, bytes, sizeof(bytes), 0);
		for (struct tern_pkt *p; (p = tern_output(st, 2)); tern_pkt_free(st, p))
			most = most > p->total_len ? most : p->total_len;
		check_eq(most, rows[i].kept + 40u);
		tern_abort(st, s);
		hear_all(NULL);
		end_world();
	}
}

/* Every window scale, with and without SACK. */
static void options_come_back(void)
{
	for (uint8_t scale = 0; scale <= 15; scale++) {
		for (int sack = 0; sack < 2; sack++) {
			struct tcp_hdr offer = { .has_ts = true,
						 .ts_val = 500,
						 .sack_permitted = sack,
						 .has_wscale = scale < 15,
						 .wscale = scale };
			struct tcp_hdr answer = { .has_ts = true, .ts_val = 501 };
			struct client c = { .ip = 0x0a000102, .port = 1234, .nxt = 99 };
			struct tern_tcp_info info = { 0 };
			size_t len = sizeof(info);
			struct heard r;
			tern_sock s;

			test_at("window scale %u, SACK %d", scale, sack);
			cookies_always((10 * SLOT + draw() % 50) * TERN_SEC + draw());
			c.rcv = cookie_for(&c, &offer, &r) + 1;
			c.nxt++;
			answer.ts_ecr = r.h.ts_val;
			shoot(&(struct shot){ .ip = c.ip,
					      .port = c.port,
					      .flags = TCP_ACK,
					      .seq = c.nxt,
					      .ack = c.rcv,
					      .options = &answer });
			check_eq(tern_accept(st, listener, &s, NULL), 0);
			check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info,
						 &len),
				 0);
			check_eq(info.options & 1, 1);		       /* timestamps */
			check_eq((info.options >> 1) & 1, sack);       /* SACK */
			check_eq((info.options >> 2) & 1, scale < 15); /* scaling */
			check_eq(info.wscale & 15, scale < 15 ? scale : 0);
			end_world();
		}
	}
}

/* ---- SEC-119 ---- */

/* 100 000 SYNs from as many addresses: not a byte more after the first thousand, and none kept. */
static void syns_cost_no_memory(void)
{
	uint64_t used = 0, n_allocs = 0;
	struct heard r;

	default_world();
	config.half_open_max = 256;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 128);
	for (uint32_t i = 0; i < 100000; i++) {
		shoot(&(struct shot){ .ip = 0x0a100000 + i,
				      .port = (uint16_t)(1024 + draw() % 60000),
				      .flags = TCP_SYN,
				      .seq = draw() });
		check(hear(&r));
		if (i == 1000) {
			used = tern_memory(st);
			n_allocs = counted.n_allocs;
		}
	}
	check_eq(tern_memory(st), used);
	check_eq(counted.n_allocs, n_allocs);
	check(n_streams() <= 129);
	end_world();
}

/* In the flood a thousand honest clients come, and a connection that was there goes on. */
static void honest_clients_in_a_flood(void)
{
	struct client old = { .ip = 0x0a000909, .port = 999, .nxt = 5 };
	unsigned n_served = 0;
	uint8_t buf[100];

	default_world();
	config.half_open_max = 256;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 128);
	check(enter(&old, listener));
	for (uint32_t i = 0; i < 100000; i++) {
		shoot(&(struct shot){ .ip = 0x0a100000 + draw() % 0x100000,
				      .port = (uint16_t)(1024 + draw() % 60000),
				      .flags = TCP_SYN,
				      .seq = draw() });
		if (i % 100 != 0)
			continue;
		n_served += is_served(listener, 0x0a200000 + i, 4000, 3000);
		say(&old, 0, 50);
		check_eq(tern_recv(st, old.sock, buf, sizeof(buf), 0), 50);
	}
	check_eq(n_served, 1000);
	end_world();
}

/* ---- SEC-121 ---- */

/* What a spoofed SYN makes us send in two minutes. */
static void answers_to_one_syn(unsigned cookies, const struct tcp_hdr *options, unsigned *n,
			       uint32_t *bytes)
{
	struct heard r;

	default_world();
	config.tcp_syncookies = (uint8_t)cookies;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	*n = *bytes = 0;
	shoot(&(struct shot){ .ip = 0x0a000505, .port = 7, .flags = TCP_SYN, .options = options });
	for (int i = 0; i < 1200; i++) {
		while (hear(&r)) {
			++*n;
			*bytes += r.ip_len;
		}
		pass(100 * TERN_MS);
	}
	end_world();
}

/* With a cookie once; with a record three times again at most, and none is larger than the SYN. */
static void synacks_do_not_amplify(void)
{
	static const struct tcp_hdr common = { .has_mss = true,
					       .mss = 1460,
					       .has_ts = true,
					       .ts_val = 1,
					       .sack_permitted = true,
					       .has_wscale = true };
	unsigned n;
	uint32_t bytes;

	answers_to_one_syn(2, &common, &n, &bytes);
	check_eq(n, 1);
	check_eq(bytes, 60);
	answers_to_one_syn(2, NULL, &n, &bytes);
	check_eq(n, 1);
	check_eq(bytes, 44);
	answers_to_one_syn(1, &common, &n, &bytes);
	check_eq(n, 4);
	check_eq(bytes, 4 * 60);
}

/* The host whose address was taken says RST: that is the end of it. */
static void reset_stops_synacks(void)
{
	struct heard r;

	default_world();
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	shoot(&(struct shot){ .ip = 0x0a000505, .port = 7, .flags = TCP_SYN, .seq = 10 });
	check(hear(&r));
	shoot(&(struct shot){ .ip = 0x0a000505, .port = 7, .flags = TCP_RST, .seq = r.h.ack });
	check_eq(n_streams(), 0);
	pass(100 * TERN_SEC);
	check_eq(hear_all(NULL), 0);
	end_world();
}

static const struct test tests[] = {
	TEST(guesses_are_refused),	 TEST(cookie_is_of_one_syn),	  TEST(cookies_grow_old),
	TEST(the_edge_is_sharp),	 TEST(no_cookie_without_a_flood), TEST(keys_differ),
	TEST(mss_of_the_table),		 TEST(options_come_back),	  TEST(syns_cost_no_memory),
	TEST(honest_clients_in_a_flood), TEST(synacks_do_not_amplify),	  TEST(reset_stops_synacks),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
