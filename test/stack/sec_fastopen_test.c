/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_fastopen_test.c - SEC-106: text before the handshake, from those who may not, from those who
 * may and abuse it, and with everything that can happen before the handshake ends.
 */
#include "../../core/sock/sock.h"
#include "attack_fixture.h"

enum { HOUR = 3600, PENDING_MAX = 8 };

static void listen_fast(void)
{
	int32_t max = PENDING_MAX;

	listener = listen_at(PORT, 64);
	check_eq(tern_setsockopt(st, listener, TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN, &max, 4), 0);
}

static void fast_world(tern_time at)
{
	default_world();
	config.tcp_fastopen = 2;
	new_world(7, at);
	listen_fast();
}

/* A SYN with this cookie and ten bytes; is the text acknowledged? */
static bool is_believed(uint32_t ip, uint16_t port, const struct tcp_hdr *cookie)
{
	struct heard r;

	hear_all(NULL);
	shoot(&(struct shot){ .ip = ip,
			      .port = port,
			      .flags = TCP_SYN,
			      .seq = 100,
			      .options = cookie,
			      .len = 10 });
	if (!hear(&r))
		return false;
	check_eq(r.h.flags, TCP_SYN | TCP_ACK);
	check(r.h.ack == 101 || r.h.ack == 111);
	return r.h.ack == 111;
}

static void reset_by(uint32_t ip, uint16_t port, uint32_t seq)
{
	shoot(&(struct shot){ .ip = ip, .port = port, .flags = TCP_RST, .seq = seq });
	hear_all(NULL);
}

/* The cookie that this address is given. */
static struct tcp_hdr cookie_given_to(uint32_t ip)
{
	static const struct tcp_hdr request = { .has_cookie = true };
	struct tcp_hdr cookie = { .has_cookie = true, .cookie_len = 8 };
	struct heard r;

	hear_all(NULL);
	shoot(&(struct shot){
		.ip = ip, .port = 9, .flags = TCP_SYN, .seq = 100, .options = &request });
	check(hear(&r));
	check_eq(r.h.cookie_len, 8);
	memcpy(cookie.cookie, r.h.cookie, 8);
	reset_by(ip, 9, 101);
	return cookie;
}

static void take_away(void)
{
	tern_sock s;

	while (tern_accept(st, listener, &s, NULL) == 0)
		tern_abort(st, s);
	hear_all(NULL);
}

/* ---- cookies ---- */

static void forged_cookies(void)
{
	struct tcp_hdr cookie, bad;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (int i = 0; i < 64; i++) {
		bad = cookie;
		bad.cookie[i / 8] ^= 1 << i % 8;
		check(!is_believed(0x0a000102, 10, &bad));
		reset_by(0x0a000102, 10, 101);
	}
	for (int i = 0; i < 20000; i++) {
		put_be32(bad.cookie, draw());
		put_be32(bad.cookie + 4, draw());
		check(!is_believed(0x0a000102, 10, &bad));
		reset_by(0x0a000102, 10, 101);
	}
	for (uint8_t len = 4; len <= 16; len += 2) {
		bad = cookie;
		bad.cookie_len = len;
		check_eq(is_believed(0x0a000102, 10, &bad), len == 8);
		reset_by(0x0a000102, 10, len == 8 ? 111 : 101);
	}
	check(!is_believed(0x0a000103, 10, &cookie)); /* of another address */
	end_world();
}

/* A key that was never drawn is nobody's: what all-zero bytes give must not count, at any hour. */
static void cookie_of_no_key(void)
{
	static const struct sip_key nobody;

	for (tern_time hour = 0; hour < 4; hour++) {
		for (int again = 0; again < 2; again++) {
			uint8_t seed[32] = { 1 };
			struct tcp_hdr bad = { .has_cookie = true, .cookie_len = 8 };
			struct tuple t = { .local = addr_of(HERE), .remote = addr_of(0x0a000102) };
			uint64_t mac = tuple_hash_secretly(&nobody, &t);

			test_at("hour %llu, reseeded: %d", (unsigned long long)hour, again);
			fast_world(hour * HOUR * TERN_SEC + TERN_SEC);
			if (again)
				tern_reseed(st, seed);
			put_be32(bad.cookie, (uint32_t)(mac >> 32));
			put_be32(bad.cookie + 4, (uint32_t)mac);
			check(!is_believed(0x0a000102, 10, &bad));
			end_world();
		}
	}
}

/* New secrets: what was given under the old ones is worth nothing. */
static void reseeding_ends_cookies(void)
{
	for (tern_time hour = 0; hour < 4; hour++) {
		uint8_t seed[32] = { 1 };
		struct tcp_hdr cookie;

		test_at("hour %llu", (unsigned long long)hour);
		fast_world(hour * HOUR * TERN_SEC + TERN_SEC);
		cookie = cookie_given_to(0x0a000102);
		tern_reseed(st, seed);
		check(!is_believed(0x0a000102, 10, &cookie));
		end_world();
	}
}

/* Good in the hour in which it was given and in the next one, and no longer. */
static void cookies_grow_old(void)
{
	for (int hours = 0; hours < 5; hours++) {
		for (int drawn = 0; drawn < 2; drawn++) {
			struct tcp_hdr cookie;

			test_at("%d hours later, keys drawn between: %d", hours, drawn);
			fast_world(5 * HOUR * TERN_SEC + TERN_SEC);
			cookie = cookie_given_to(0x0a000102);
			for (int h = 0; h < hours; h++) {
				pass(HOUR * TERN_SEC);
				if (drawn)
					cookie_given_to(0x0a000103);
			}
			check_eq(is_believed(0x0a000102, 10, &cookie), hours < 2);
			end_world();
		}
	}
}

/* Off, as it is by default: no cookie is given, no text taken. */
static void off_by_default(void)
{
	static const struct tcp_hdr request = { .has_cookie = true };
	struct heard r;

	default_world();
	new_world(7, TERN_SEC);
	listen_fast();
	shoot(&(struct shot){ .ip = 0x0a000102,
			      .port = 9,
			      .flags = TCP_SYN,
			      .seq = 100,
			      .options = &request,
			      .len = 10 });
	check(hear(&r));
	check_eq(r.h.ack, 101);
	check(!r.h.has_cookie);
	end_world();
}

/* ---- how many ---- */

/* With a cookie that is right, from one address: no more than the listener said at a time. */
static void flood_with_a_right_cookie(void)
{
	struct tcp_hdr cookie;
	unsigned n = 0;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (uint16_t i = 0; i < 5000; i++)
		n += is_believed(0x0a000102, 1000 + i, &cookie);
	check_eq(n, PENDING_MAX);
	end_world();
}

/* RFC 7413 5.1: those that were reset count on for a while, or resets would feed the flood. */
static void resets_do_not_make_room(void)
{
	struct tcp_hdr cookie;
	unsigned n = 0;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (uint16_t i = 0; i < 500; i++) {
		bool taken = is_believed(0x0a000102, 1000 + i, &cookie);

		n += taken;
		reset_by(0x0a000102, 1000 + i, taken ? 111 : 101);
		take_away();
	}
	check_eq(n, PENDING_MAX);
	pass(61 * TERN_SEC);
	check(is_believed(0x0a000102, 7, &cookie));
	end_world();
}

/* A server that answers and closes at once has opened nothing more to a flood. */
static void closing_does_not_make_room(void)
{
	struct tcp_hdr cookie;
	unsigned n = 0;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (uint16_t i = 0; i < 500; i++) {
		char buf[10];
		tern_sock s;

		if (!is_believed(0x0a000102, 1000 + i, &cookie))
			continue;
		n++;
		check_eq(tern_accept(st, listener, &s, NULL), 0);
		check_eq(tern_recv(st, s, buf, 10, 0), 10);
		check_eq(tern_send(st, s, buf, 10, 0), 10);
		if (i % 2)
			tern_close(st, s);
		else
			tern_abort(st, s);
		hear_all(NULL);
	}
	check_eq(n, PENDING_MAX);
	end_world();
}

/* Closed or reopened in between: what was open then is still counted, and never counted twice. */
static void listener_comes_and_goes(void)
{
	struct tcp_hdr cookie;
	unsigned n = 0;
	tern_sock held[PENDING_MAX];

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		check(is_believed(0x0a000102, (uint16_t)(1000 + i), &cookie));
		check_eq(tern_accept(st, listener, &held[i], NULL), 0);
	}
	tern_close(st, listener);
	listen_fast();
	for (uint16_t i = 0; i < 50; i++) {
		n += is_believed(0x0a000102, 2000 + i, &cookie);
		reset_by(0x0a000102, 2000 + i, 101);
	}
	check_eq(n, 0);
	for (unsigned i = 0; i < PENDING_MAX; i++)
		tern_abort(st, held[i]);
	pass(61 * TERN_SEC);
	for (uint16_t i = 0; i < 50; i++)
		n += is_believed(0x0a000102, 3000 + i, &cookie);
	check_eq(n, PENDING_MAX);
	end_world();
}

/* The honest end of a handshake makes room at once. */
static void good_ends_make_room(void)
{
	struct tcp_hdr cookie;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	for (uint16_t i = 0; i < 200; i++) {
		struct client c = { .ip = 0x0a000102, .port = 1000 + i, .nxt = 111 };
		struct heard r;

		shoot(&(struct shot){ .ip = c.ip,
				      .port = c.port,
				      .flags = TCP_SYN,
				      .seq = 100,
				      .options = &cookie,
				      .len = 10 });
		check(hear(&r));
		check_eq(r.h.ack, 111);
		c.rcv = r.h.seq + 1;
		say(&c, 0, 0);
		take_away();
	}
	end_world();
}

/* ---- what else can happen before the end ---- */

/* The SYN,ACK is never answered: everything is gone within two minutes, and cost four SYN,ACKs. */
static void synack_times_out(void)
{
	struct tcp_hdr cookie;
	unsigned n = 0;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	check(is_believed(0x0a000102, 10, &cookie));
	for (int i = 0; i < 1200; i++) {
		n += hear_all(NULL);
		pass(100 * TERN_MS);
	}
	check_eq(n, 3);
	take_away();
	check_eq(n_streams(), 0);
	end_world();
}

/* The SYN again, with other text or without a cookie, changes nothing of what was read. */
static void replayed_syn(void)
{
	struct tcp_hdr cookie;
	char buf[100];
	tern_sock s;

	fast_world(5 * HOUR * TERN_SEC);
	cookie = cookie_given_to(0x0a000102);
	check(is_believed(0x0a000102, 10, &cookie));
	for (int i = 0; i < 20; i++) {
		shoot(&(struct shot){ .ip = 0x0a000102,
				      .port = 10,
				      .flags = TCP_SYN,
				      .seq = 100,
				      .options = i % 2 ? &cookie : NULL,
				      .text = "0123456789abcdef",
				      .len = 16 });
		check(hear_all(NULL) <= 1);
	}
	check_eq(tern_accept(st, listener, &s, NULL), 0);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), 10);
	check_mem(buf, "xxxxxxxxxx", 10);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), -TERN_EAGAIN);
	check_eq(tern_accept(st, listener, &s, NULL), -TERN_EAGAIN);
	end_world();
}

/* Every order of what the user may do and what the peer may say, until nothing is left. */
static void anything_may_happen(void)
{
	fast_world(5 * HOUR * TERN_SEC);
	for (int round = 0; round < 3000; round++) {
		struct tcp_hdr cookie = cookie_given_to(0x0a000102);
		uint16_t port = (uint16_t)(1000 + round);
		bool open = false;
		struct heard r = { 0 };
		tern_sock s = 0;

		test_at("round %d", round);
		shoot(&(struct shot){ .ip = 0x0a000102,
				      .port = port,
				      .flags = TCP_SYN,
				      .seq = 100,
				      .options = &cookie,
				      .len = draw() % 20 });
		for (int step = 0; step < 8; step++) {
			static const uint16_t flags[] = { TCP_ACK, TCP_RST, TCP_ACK | TCP_FIN,
							  TCP_SYN };
			char buf[100] = { 0 };

			if (draw() % 2)
				hear_all(&r);
			switch (draw() % 8) {
			case 0:
				open = open || tern_accept(st, listener, &s, NULL) == 0;
				break;
			case 1:
				tern_send(st, s, buf, sizeof(buf), 0);
				break;
			case 2:
				tern_recv(st, s, buf, sizeof(buf), 0);
				break;
			case 3:
				tern_shutdown(st, s, (int)(draw() % 3));
				break;
			case 4:
				if (draw() % 2)
					tern_close(st, s);
				else
					tern_abort(st, s);
				break;
			case 5:
				pass(draw() % 4 * TERN_SEC);
				break;
			default:
				shoot(&(struct shot){ .ip = 0x0a000102,
						      .port = port,
						      .flags = flags[draw() % 4],
						      .seq = 100 + draw() % 20,
						      .ack = r.h.seq + draw() % 3,
						      .len = draw() % 5 });
			}
			tern_check(st);
		}
		if (draw() % 16 == 0) {
			tern_close(st, listener);
			listen_fast();
		}
		take_away();
		tern_close(st, s);
		if (round % 64 == 0)
			pass(1000 * TERN_SEC);
	}
	tern_close(st, listener);
	pass(1000 * TERN_SEC);
	for (int i = 0; i < 2000; i++) {
		hear_all(NULL);
		pass(TERN_SEC);
	}
	check_eq(n_streams(), 0);
	end_world();
}

/* Without memory at each allocation in turn: nothing is lost, and with memory it works again. */
static void no_memory_at_any_point(void)
{
	for (uint64_t n = 1; n < 60; n++) {
		struct tcp_hdr cookie;
		bool taken;

		test_at("allocation %d fails", (int)n);
		fast_world(5 * HOUR * TERN_SEC);
		cookie = cookie_given_to(0x0a000102);
		counted.fail_at = counted.n_allocs + n;
		for (uint16_t i = 0; i < 6; i++) {
			taken = is_believed(0x0a000102, 1000 + i, &cookie);
			tern_check(st);
			reset_by(0x0a000102, 1000 + i, taken ? 111 : 101);
			tern_check(st);
		}
		pass(61 * TERN_SEC);
		check(is_believed(0x0a000102, 7, &cookie));
		end_world();
	}
}

static const struct test tests[] = {
	TEST(forged_cookies),	       TEST(cookie_of_no_key),
	TEST(reseeding_ends_cookies),  TEST(cookies_grow_old),
	TEST(off_by_default),	       TEST(flood_with_a_right_cookie),
	TEST(resets_do_not_make_room), TEST(closing_does_not_make_room),
	TEST(listener_comes_and_goes), TEST(good_ends_make_room),
	TEST(synack_times_out),	       TEST(replayed_syn),
	TEST(anything_may_happen),     TEST(no_memory_at_any_point),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
