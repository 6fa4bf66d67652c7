/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sent_packet_test.c - a packet that was handed over belongs to its device (SEC-17). Two stacks talk
 * twice: once as they are, once over a device that overwrites each packet, fields and bytes, before
 * it gives it back. Had a stack looked at one again, what it sends or counts would not be the same.
 */
#include <stddef.h>

#include "test.h"

#include "../../include/tern.h"

enum { SIDES = 2, FRAME_MAX = 2000, TEXT = 60000, PORT = 80 };

struct side {
	struct test_env counted;
	struct tern_stack *st;
	tern_sock tcp, udp, ping;
};

struct talk {
	struct side side[SIDES];
	tern_sock listener;
	bool overwrites, v6;
	tern_time now;
	uint64_t sum; /* of all frames, in their order */
	unsigned n_frames;
};

static struct tern_addr address_of(const struct talk *t, int side, uint16_t port)
{
	struct tern_addr six = { .family = TERN_AF_INET6, .port = port, .ip = { 0xfd } };

	six.ip[15] = (uint8_t)(1 + side);
	return t->v6 ? six : tern_ip4(10, 0, 0, (uint8_t)(1 + side), port);
}

static void add_side(struct talk *t, int k)
{
	struct side *s = &t->side[k];
	struct tern_iface wire = { "wire", TERN_LINK_ETHERNET, 1500, TERN_IFACE_CSUM, { 2 } };
	struct tern_addr a = address_of(t, k, 0);
	struct tern_config cfg;
	struct tern_env env;

	s->counted = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&s->counted, 7 + (uint64_t)k);
	tern_config_default(&cfg);
	wire.mac[5] = (uint8_t)(1 + k);
	s->st = tern_new(&cfg, &env);
	tern_advance(s->st, t->now);
	check_eq(tern_iface_add(s->st, &wire), 2);
	check_eq(tern_addr_add(s->st, 2, &a, t->v6 ? 64 : 24), 0);
}

static void add_to_sum(struct talk *t, uint64_t v)
{
	t->sum = (t->sum ^ v) * 0x100000001b3;
}

/* All but what tern_pkt_free needs. */
static void overwrite(struct tern_pkt *p)
{
	memset(p->data, 0xdd, p->len);
	memset(&p->data, 0xdd,
	       offsetof(struct tern_pkt, n_spans) - offsetof(struct tern_pkt, data));
	p->cause = 0xdd;
	p->conn = p->cut_to = p->head_room = 0xdddddddd;
}

/* One frame from one side to the other; each ninth is lost. false: there is none. */
static bool carry(struct talk *t, int from)
{
	struct tern_stack *st = t->side[from].st, *far = t->side[!from].st;
	struct tern_pkt *p = tern_output(st, 2), *copy;
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	if (!p)
		return false;
	tern_pkt_complete(st, p);
	len = p->total_len;
	check(len <= sizeof(frame));
	tern_pkt_copy(p, 0, frame, len);
	if (t->overwrites)
		overwrite(p);
	tern_pkt_free(st, p);
	for (uint32_t i = 0; i < len; i++)
		add_to_sum(t, frame[i]);
	if (++t->n_frames % 9 == 0)
		return true;
	copy = tern_pkt_new(far, len);
	memcpy(copy->data, frame, len);
	copy->ifindex = 2;
	tern_input(far, copy);
	return true;
}

static void pass(struct talk *t, tern_time duration)
{
	tern_time end = t->now + duration;

	while (t->now < end) {
		struct tern_event ev;
		bool more = true;

		for (int k = 0; k < SIDES; k++)
			while (tern_event(t->side[k].st, &ev))
				continue;
		while (more) {
			more = carry(t, 0);
			more = carry(t, 1) || more;
		}
		t->now += TERN_MS;
		for (int k = 0; k < SIDES; k++)
			tern_advance(t->side[k].st, t->now);
	}
}

static void open_sockets(struct talk *t)
{
	int family = t->v6 ? TERN_AF_INET6 : TERN_AF_INET;
	struct tern_addr at = address_of(t, 1, PORT), to = at;
	struct side *a = &t->side[0], *b = &t->side[1];

	check_eq(tern_socket(b->st, family, TERN_SOCK_STREAM, 0, &t->listener), 0);
	check_eq(tern_bind(b->st, t->listener, &at), 0);
	check_eq(tern_listen(b->st, t->listener, 4), 0);
	check_eq(tern_socket(a->st, family, TERN_SOCK_STREAM, 0, &a->tcp), 0);
	check_eq(tern_connect(a->st, a->tcp, &to), -TERN_EINPROGRESS);
	check_eq(tern_socket(a->st, family, TERN_SOCK_DGRAM, 0, &a->udp), 0);
	to.port = 9; /* nobody's: errors come back */
	check_eq(tern_connect(a->st, a->udp, &to), 0);
	check_eq(tern_socket(a->st, family, TERN_SOCK_DGRAM,
			     t->v6 ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP, &a->ping),
		 0);
	to.port = 0;
	check_eq(tern_connect(a->st, a->ping, &to), 0);
}

/* Echoes, datagrams in fragments to a closed port, and a stream there and back, with losses. */
static void say_it_all(struct talk *t)
{
	static uint8_t text[TEXT];
	uint8_t echo[100] = { t->v6 ? 128 : 8 };
	struct side *a = &t->side[0], *b = &t->side[1];
	uint64_t there = 0, got = 0;
	int64_t n;

	for (int turn = 0; turn < 400 && got < TEXT; turn++) {
		if (there < TEXT && (n = tern_send(a->st, a->tcp, text, TEXT - there, 0)) > 0)
			there += (uint64_t)n;
		if (turn < 5) {
			tern_send(a->st, a->ping, echo, sizeof(echo), 0);
			tern_send(a->st, a->udp, text, 4000, 0);
		}
		pass(t, 50 * TERN_MS);
		if (!b->tcp)
			tern_accept(b->st, t->listener, &b->tcp, NULL);
		while (b->tcp && (n = tern_recv(b->st, b->tcp, text, TEXT, 0)) > 0)
			got += (uint64_t)n;
	}
	check_eq(got, TEXT);
	tern_close(a->st, a->tcp);
	tern_close(b->st, b->tcp);
	pass(t, 3 * TERN_SEC);
}

static void add_counters(struct talk *t)
{
	const char *name;
	uint64_t value;

	for (int k = 0; k < SIDES; k++)
		for (unsigned cursor = 0; tern_counter_next(t->side[k].st, &cursor, &name, &value);)
			add_to_sum(t, value);
}

static void hold_talk(struct talk *t, bool v6, bool overwrites)
{
	*t = (struct talk){ .v6 = v6, .overwrites = overwrites, .now = TERN_SEC };
	for (int k = 0; k < SIDES; k++)
		add_side(t, k);
	open_sockets(t);
	say_it_all(t);
	add_counters(t);
	for (int k = 0; k < SIDES; k++) {
		tern_check(t->side[k].st);
		tern_free(t->side[k].st);
		check_eq(t->side[k].counted.out, 0);
	}
}

static void is_not_looked_at_again(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct talk plain, overwritten;

		test_at("IPv%d", v6 ? 6 : 4);
		hold_talk(&plain, v6, false);
		hold_talk(&overwritten, v6, true);
		check(plain.n_frames > 100);
		check_eq(overwritten.n_frames, plain.n_frames);
		check(overwritten.sum == plain.sum);
	}
}

static const struct test tests[] = {
	TEST(is_not_looked_at_again),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
