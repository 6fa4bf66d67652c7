/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_blind_test.c - segments from those who see nothing of the connection, and what they learn: SEC-86 to
 * SEC-90, SEC-92, SEC-94, SEC-95, SEC-112, SEC-142, SEC-143.
 */
#include "attack_fixture.h"

enum { VICTIM_PORT = 4444 };
#define VICTIM 0x0a000202u
#define ATTACKER 0x0a000303u

/* A connection with the victim, who says a few words so that numbers are not the first ones. */
static struct client victim_connects(const struct tcp_hdr *options)
{
	struct client c = { .ip = VICTIM, .port = VICTIM_PORT, .nxt = 0xfffffff0 };

	check(knock(&c, options));
	check_eq(tern_accept(st, listener, &c.sock, NULL), 0);
	hear_all(NULL);
	return c;
}

static void as_victim(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	shoot(&(struct shot){ .ip = VICTIM,
			      .port = VICTIM_PORT,
			      .flags = flags,
			      .seq = seq,
			      .ack = ack,
			      .len = len });
}

static enum tern_tcp_state victim_state(void)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &info))
		if (info.remote.port == VICTIM_PORT)
			return (enum tern_tcp_state)info.state;
	return TERN_TCP_CLOSED;
}

/* ---- SEC-86, SEC-87, SEC-88: blind segments ---- */

/* A RST at each of the 64 Ki numbers of the window and some around: one of them resets. */
static void one_number_resets(void)
{
	struct client c;
	unsigned n_reset = 0;

	plain_world();
	c = victim_connects(NULL);
	for (int32_t at = -100; at < 66000; at++) {
		if (at == 0)
			continue;
		as_victim(TCP_RST, c.nxt + (uint32_t)at, 0, 0);
		n_reset += victim_state() != TERN_TCP_ESTABLISHED;
		if (at % 1000 == 0)
			hear_all(NULL);
	}
	check_eq(n_reset, 0);
	as_victim(TCP_RST, c.nxt, 0, 0);
	check_eq(victim_state(), TERN_TCP_CLOSED);
	end_world();
}

/* A SYN anywhere, with and without ACK: challenged or ignored. */
static void no_syn_resets(void)
{
	struct client c;

	plain_world();
	c = victim_connects(NULL);
	for (int32_t at = -70000; at < 140000; at += 7) {
		as_victim(at & 1 ? TCP_SYN : TCP_SYN | TCP_ACK, c.nxt + (uint32_t)at, draw(), 0);
		if (at % 1000 == 0)
			hear_all(NULL);
	}
	check_eq(victim_state(), TERN_TCP_ESTABLISHED);
	end_world();
}

/* Text with an ACK number that cannot be is not delivered: all but 1 in 2^16 of the numbers. */
static void blind_text_is_refused(void)
{
	struct client c;
	char buf[100];

	plain_world();
	c = victim_connects(NULL);
	for (uint32_t i = 0; i < 65536; i++) {
		uint32_t ack =
			c.rcv + 1 + i * 65521; /* steps through all, never by chance in order */

		if (ack - (c.rcv - WINDOW) <= WINDOW)
			continue;
		as_victim(TCP_ACK | TCP_PSH, c.nxt, ack, 10);
		if (i % 100 == 0)
			hear_all(NULL);
	}
	check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), -TERN_EAGAIN);
	as_victim(TCP_ACK | TCP_PSH, c.nxt, c.rcv, 10);
	check_eq(tern_recv(st, c.sock, buf, sizeof(buf), 0), 10);
	end_world();
}

/* ---- SEC-90: the limited path leaks nothing ---- */

static void limited_answers_cost_nothing(void)
{
	struct client c;
	uint64_t used;

	plain_world();
	c = victim_connects(NULL);
	hear_all(NULL);
	used = tern_memory(st);
	for (int i = 0; i < 100000; i++) {
		static const uint16_t flags[] = { TCP_SYN, TCP_RST, TCP_ACK, TCP_ACK };

		as_victim(flags[i % 4], c.nxt + 5, c.rcv + 1 + (i % 4 == 3 ? 1u << 30 : 0), 0);
		if (i % 1000 == 0)
			pass(700 * TERN_MS);
		hear_all(NULL);
	}
	check_eq(tern_memory(st), used);
	check_eq(victim_state(), TERN_TCP_ESTABLISHED);
	end_world();
}

/* ---- SEC-92: no limit where recovery needs the answer ---- */

/* Our ACK was lost, the peer sends its text again and again: each time it is told. */
static void repeated_text_is_always_acknowledged(void)
{
	struct client c;
	struct heard r;

	plain_world();
	c = victim_connects(NULL);
	as_victim(TCP_ACK, c.nxt, c.rcv, 100);
	hear_all(NULL);
	for (int i = 0; i < 1000; i++) {
		as_victim(TCP_ACK, c.nxt, c.rcv, 100);
		check_eq(hear_all(&r), 1);
		check_eq(r.h.ack, c.nxt + 100);
		pass(TERN_MS);
	}
	end_world();
}

/* Our window is closed: each probe is answered, however often it comes. */
static void each_probe_is_answered(void)
{
	struct client c;
	struct heard r = { 0 };

	default_world();
	config.tcp_rcvbuf_default = config.tcp_rcvbuf_max = 4096;
	new_world(7, TERN_SEC);
	listener = listen_at(PORT, 16);
	c = victim_connects(NULL);
	for (int i = 0; i < 8; i++) {
		as_victim(TCP_ACK, c.nxt, c.rcv, 512);
		c.nxt += 512;
	}
	pass(100 * TERN_MS);
	hear_all(&r);
	check_eq(r.h.wnd, 0);
	for (int i = 0; i < 1000; i++) {
		as_victim(TCP_ACK, c.nxt, c.rcv, 1);
		check_eq(hear_all(&r), 1);
		check_eq(r.h.ack, c.nxt);
		pass(TERN_MS);
	}
	end_world();
}

/* ---- SEC-94, SEC-95: what is not for anybody ---- */

/* Nothing that is not a SYN changes a listener, and no RST is answered. */
static void listeners_stand(void)
{
	plain_world();
	for (uint16_t flags = 0; flags < 0x200; flags++) {
		bool syn = (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
		struct heard r;
		unsigned n;

		test_at("flags %03x", flags);
		shoot(&(struct shot){ .ip = ATTACKER,
				      .port = (uint16_t)(1 + flags),
				      .flags = flags,
				      .seq = draw(),
				      .ack = draw(),
				      .len = flags % 3 });
		n = hear_all(&r);
		check_eq(n_streams(), syn);
		check_eq(n, syn || ((flags & TCP_ACK) && !(flags & TCP_RST)));
		if (syn) {
			check_eq(r.h.flags & ~(TCP_ECE | TCP_CWR | TCP_AE), TCP_SYN | TCP_ACK);
			shoot(&(struct shot){ .ip = ATTACKER,
					      .port = (uint16_t)(1 + flags),
					      .flags = TCP_RST,
					      .seq = r.h.ack });
		} else if (n) {
			check_eq(r.h.flags, TCP_RST);
		}
	}
	check(is_served(listener, ATTACKER, 7, 100));
	end_world();
}

/* ---- SEC-89, SEC-112: what one peer sees does not depend on another ---- */

struct transcript {
	uint8_t bytes[60000];
	uint32_t len;
};

/* Who the victim is in one of two worlds. */
struct fate {
	bool exists;
	uint32_t isn;
};

static void take_down(struct transcript *t)
{
	struct tern_pkt *p;
	uint8_t buf[2000];

	while ((p = tern_output(st, 2))) {
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));

		tern_pkt_free(st, p);
		if (get_be32(buf + 16) != ATTACKER || t->len + len + 8 > sizeof(t->bytes))
			continue;
		put_be32(t->bytes + t->len, (uint32_t)(now / TERN_US));
		put_be32(t->bytes + t->len + 4, len);
		memcpy(t->bytes + t->len + 8, buf, len);
		t->len += len + 8;
	}
}

/* The attacker speaks for itself, over a connection of its own, or as if it were the victim. */
static void attack_once(const struct client *own)
{
	static const uint16_t flags[] = { TCP_SYN,	     TCP_RST,		TCP_ACK,
					  TCP_ACK | TCP_FIN, TCP_SYN | TCP_ACK, TCP_ACK | TCP_PSH };
	struct shot s = { .flags = flags[draw() % 6], .len = draw() % 3 * 10 };

	if (draw() % 2) {
		s.ip = VICTIM;
		s.port = VICTIM_PORT;
		s.seq = 5000 + draw() % 100000;
		s.ack = draw();
	} else {
		s.ip = ATTACKER;
		s.port = draw() % 4 ? own->port : (uint16_t)(draw() % 50 + 1);
		s.to_port = draw() % 8 ? PORT : 81;
		s.seq = own->nxt + draw() % 3 * 20000;
		s.ack = own->rcv + draw() % 2 * 5;
	}
	shoot(&s);
}

static void run_world(uint64_t seed, const struct fate *f, struct transcript *t)
{
	struct client own = { .ip = ATTACKER, .port = 1111, .nxt = 77 };
	struct client victim = { .ip = VICTIM, .port = VICTIM_PORT, .nxt = f->isn };
	uint64_t kept;

	t->len = 0;
	default_world();
	new_world(seed, TERN_SEC);
	listener = listen_at(PORT, 100);
	series = seed;
	if (f->exists)
		check(enter(&victim, listener));
	check(enter(&own, listener));
	for (int i = 0; i < 60; i++) {
		attack_once(&own);
		kept = series; /* what the victim does draws from a series of its own */
		if (f->exists && i % 7 == 0)
			say(&victim, 0, f->isn % 50);
		series = kept;
		take_down(t);
		if (i % 5 == 0)
			pass(draw() % 1000 * TERN_MS);
	}
	end_world();
}

static void one_peer_learns_nothing_of_another(void)
{
	static struct transcript a, b;
	uint64_t total = 0;

	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct fate in_window = { true, 5000 }, elsewhere = { true, 0x80000000 };
		struct fate nobody = { false, 0 };

		test_at("seed %llu", (unsigned long long)seed);
		run_world(seed, &in_window, &a);
		run_world(seed, seed % 2 ? &elsewhere : &nobody, &b);
		check_eq(a.len, b.len);
		if (a.len == b.len)
			check(memcmp(a.bytes, b.bytes, a.len) == 0);
		total += a.len;
	}
	check(total > 3000 * 200); /* there was something to compare */
	series = 1;
}

/* ---- SEC-142, SEC-143: blind ACKs ---- */

static struct tern_tcp_info info_of(tern_sock s)
{
	struct tern_tcp_info i = { 0 };
	size_t len = sizeof(i);

	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &i, &len), 0);
	return i;
}

/* Forged from outside the window: no zero window, no echo of a mark, no duplicate counts. */
static void blind_acks_slow_nobody(void)
{
	static uint8_t bytes[20000];
	struct client c;
	struct tern_tcp_info before, after;

	plain_world();
	c = victim_connects(NULL);
	tern_send(st, c.sock, bytes, sizeof(bytes), 0);
	hear_all(NULL);
	before = info_of(c.sock);
	for (uint32_t i = 0; i < 20000; i++) {
		bool bad_seq = i % 2;
		uint32_t seq = bad_seq ? c.nxt + 70000 + draw() % 0x7ff00000 : c.nxt;
		uint32_t ack = bad_seq ? c.rcv : c.rcv + 20001 + draw() % 0x7ff00000;

		shoot(&(struct shot){ .ip = VICTIM,
				      .port = VICTIM_PORT,
				      .flags = TCP_ACK | (i % 3 ? TCP_ECE : 0),
				      .seq = seq,
				      .ack = ack,
				      .wnd = i % 5 ? NO_WINDOW : 0 });
		if (i % 100 == 0)
			hear_all(NULL);
	}
	after = info_of(c.sock);
	check_eq(after.snd_cwnd, before.snd_cwnd);
	check_eq(after.snd_ssthresh, before.snd_ssthresh);
	check_eq(after.snd_wnd, before.snd_wnd);
	check_eq(after.unacked, before.unacked);
	check_eq(after.total_retrans, 0);
	end_world();
}

/* An old window does not undo a newer one: WL1 and WL2. */
static void old_windows_do_not_count(void)
{
	struct client c;

	plain_world();
	c = victim_connects(NULL);
	tern_send(st, c.sock, "0123456789", 10, 0);
	hear_all(NULL);
	c.rcv += 10;
	say(&c, 0, 10);
	check_eq(info_of(c.sock).snd_wnd, WINDOW);
	shoot(&(struct shot){ .ip = VICTIM,
			      .port = VICTIM_PORT,
			      .flags = TCP_ACK,
			      .seq = c.nxt,
			      .ack = c.rcv - 5, /* an older ACK */
			      .wnd = NO_WINDOW });
	check_eq(info_of(c.sock).snd_wnd, WINDOW);
	end_world();
}

/* ACKs of what was never sent, at every distance: they move nothing, and are answered. */
static void acks_of_the_unsent(void)
{
	struct client c;
	struct heard r;

	plain_world();
	c = victim_connects(NULL);
	tern_send(st, c.sock, "0123456789", 10, 0);
	hear_all(NULL);
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t ack = c.rcv + 10 + (bit < 31 ? 1u << bit : 0x7fffffff);
		struct tern_tcp_info i;

		test_at("2^%u ahead", bit);
		pass(TERN_MS);
		as_victim(TCP_ACK, c.nxt, ack, 0);
		i = info_of(c.sock);
		check_eq(i.unacked, 1);
		check_eq(i.bytes_acked, 0);
		hear_all(&r);
		if (bit < 10) { /* tcp_challenge_ack_limit */
			check_eq(r.h.flags, TCP_ACK);
			check_eq(r.h.ack, c.nxt);
		}
	}
	as_victim(TCP_ACK, c.nxt, c.rcv + 10, 0);
	check_eq(info_of(c.sock).unacked, 0);
	end_world();
}

static const struct test tests[] = {
	TEST(one_number_resets),
	TEST(no_syn_resets),
	TEST(blind_text_is_refused),
	TEST(limited_answers_cost_nothing),
	TEST(repeated_text_is_always_acknowledged),
	TEST(each_probe_is_answered),
	TEST(listeners_stand),
	TEST(one_peer_learns_nothing_of_another),
	TEST(blind_acks_slow_nobody),
	TEST(old_windows_do_not_count),
	TEST(acks_of_the_unsent),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
