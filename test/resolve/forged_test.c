/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forged_test.c - which answers are believed, what a forger has to guess, and that nothing is heard of
 * multicast DNS.
 */
#include "resolve_fixture.h"

static const struct zone zone[] = {
	{ "both.test", DNS_A, "10.0.0.9", 300 },
	{ "both.test", DNS_AAAA, "fd00::9", 200 },
	{ 0 },
};

static const char three_servers[] = "nameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver "
				    "fd00::4\noptions timeout:2 attempts:3\n";

/* ---- forged answers ---- */

enum forgery {
	WRONG_ID,
	WRONG_NAME,
	WRONG_TYPE,
	WRONG_CLASS,
	NO_ANSWER_AT_ALL,
	WRONG_OPCODE,
	NO_QUESTION,
	TWO_QUESTIONS,
	CUT_OFF,
	GARBAGE,
	EMPTY,
	TOO_LARGE,
	TWO_OPTS,
	NO_QUESTION_BUT_TC,
	FORMERR_FOR_ANOTHER,
	OTHER_PORT_OF_SERVER,
	OTHER_ADDRESS,
	OTHER_PORT_OF_OURS,
	N_FORGERIES
};

static enum forgery forgery;
static struct asked waits; /* for the true answer */

static void says_the_truth(void *ctx)
{
	struct server *s = ctx;

	build_address(server_begins(s, &waits, 0), waits.name, "10.0.0.9", 60);
	server_says(s, &waits);
}

static void send_from(struct tern_stack *st, uint16_t port, const struct build *m,
		      const struct tern_addr *to)
{
	struct tern_addr at = { .family = TERN_AF_INET, .port = port };
	tern_sock s;

	tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s);
	tern_bind(st, s, &at);
	tern_sendto(st, s, m->b, m->len, 0, to);
	tern_close(st, s);
}

static void forges(struct server *s, const struct asked *a)
{
	struct build *m = &s->w->m;
	struct tern_addr to = a->from;
	struct asked f = *a;

	waits = *a;
	tern_sim_at(s->w->sim, tern_sim_now(s->w->sim) + 100 * TERN_MS, says_the_truth, s);
	f.id = (uint16_t)(forgery == WRONG_ID ? a->id + 1 : a->id);
	f.type = forgery == WRONG_TYPE ? DNS_AAAA : a->type;
	if (forgery == WRONG_NAME)
		f.name[0] = 'x';
	server_begins(s, &f, forgery == WRONG_OPCODE ? 0x2800 : 0);
	if (forgery == TWO_QUESTIONS)
		build_question(m, f.name, f.type);
	build_address(m, f.name, "10.0.0.66", 1000000);
	if (forgery == WRONG_CLASS) /* of the question, and the record: the class of Chaos */
		put_be16(m->b + DNS_HEADER_LEN + strlen(f.name) + 2 + 2, 3);
	if (forgery == NO_ANSWER_AT_ALL)
		m->b[2] &= 0x7f;
	if (forgery == NO_QUESTION || forgery == NO_QUESTION_BUT_TC) {
		build_head(m, a->id, DNS_QR | (forgery == NO_QUESTION ? 0 : DNS_TC));
		build_address(m, f.name, "10.0.0.66", 1000000);
	}
	if (forgery == FORMERR_FOR_ANOTHER)
		build_head(m, a->id ^ 1u, DNS_QR | DNS_FORMERR);
	if (forgery == CUT_OFF)
		m->len -= 2;
	if (forgery == GARBAGE)
		memset(m->b + 2, 0xff, m->len - 2);
	if (forgery == EMPTY)
		m->len = 0;
	if (forgery == TOO_LARGE)
		m->len = DNS_UDP_MAX + 1;
	if (forgery == TWO_OPTS) {
		build_opt(m, 0);
		build_opt(m, 0);
	}
	if (forgery == OTHER_PORT_OF_OURS)
		to.port ^= 1;
	if (forgery == OTHER_ADDRESS)
		send_from(s->w->server[1].st, 5353, m, &to);
	else if (forgery == OTHER_PORT_OF_SERVER)
		send_from(s->st, 5354, m, &to);
	else
		tern_sendto(s->st, s->udp, m->b, m->len, 0, &to);
}

/* Each is ignored, and ends no waiting: the true answer, which comes later, is the one. */
static void forged_answers_are_ignored(void)
{
	for (forgery = 0; forgery < N_FORGERIES; forgery++) {
		struct world *w = new_world(zone);

		test_at("forgery %d", (int)forgery);
		w->server[0].script = forges;
		open_world(w, three_servers);
		check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
		check_eq(w->n_asked, 1);
		check(w->answered_at[0] > 100 * TERN_MS);
		end_world(w);
	}
}

static void capitals_do_not_matter(struct server *s, const struct asked *a)
{
	struct asked shouted = *a;

	for (char *c = shouted.name; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	server_answers(s, &shouted);
}

static void a_server_may_shout(void)
{
	struct world *w = new_world(zone);

	w->server[0].script = capitals_do_not_matter;
	open_world(w, three_servers);
	check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
	check_eq(w->n_asked, 1);
	end_world(w);
}

/* ---- what a forger has to guess ---- */

enum { MANY = 1000, BINS = 16 };

static void ask_many(struct world *w, uint8_t seed)
{
	char name[32];

	tern_resolver_free(w->r);
	w->r = new_resolver(w, seed);
	open_world(w, "nameserver 10.0.0.2\n");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		world_asks(w, name, TERN_AF_INET);
	}
	check_eq(w->n_asked, MANY);
}

/* How many different values, and how full the fullest and the emptiest of 16 equal bins are. */
static void check_spread(const char *what, const uint16_t *v, unsigned from)
{
	static bool seen[65536];
	unsigned bin[BINS] = { 0 }, n_different = 0, n_steps = 0;

	test_at("%s", what);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < MANY; i++) {
		n_different += !seen[v[i]];
		seen[v[i]] = true;
		check(v[i] >= from);
		bin[(v[i] - from) * BINS / (65536 - from)]++;
		n_steps += i > 0 && v[i] - v[i - 1] > -16 && v[i] - v[i - 1] < 16;
	}
	check(n_different > MANY - 30); /* about 8 of 1000 meet by chance */
	check(n_steps < 10);		/* next to the last one: one in 2000 */
	for (int i = 0; i < BINS; i++)	/* 62 on average, deviation 8 */
		check(bin[i] > 25 && bin[i] < 110);
}

static void ports_and_numbers_are_random(void)
{
	static uint16_t port[MANY], id[MANY];
	struct world *w = new_world(zone), *again = new_world(zone), *other = new_world(zone);
	unsigned n_same = 0;

	ask_many(w, 1);
	ask_many(again, 1);
	ask_many(other, 2);
	for (int i = 0; i < MANY; i++) {
		port[i] = w->asked[i].port;
		id[i] = w->asked[i].id;
		n_same += w->asked[i].port == other->asked[i].port ||
			  w->asked[i].id == other->asked[i].id;
		check_eq(again->asked[i].port, port[i]); /* one seed is one run */
		check_eq(again->asked[i].id, id[i]);
	}
	check(n_same < 10);
	check_spread("ports", port, 1024);
	check_spread("numbers", id, 0);
	end_world(w);
	end_world(again);
	end_world(other);
}

/* Each try is a question of its own: another socket, another number. */
static void each_try_is_drawn_anew(void)
{
	struct world *w = new_world(zone);

	w->server[0].behaves = w->server[1].behaves = w->server[2].behaves = MUTE;
	open_world(w, three_servers);
	world_asks(w, "both.test", TERN_AF_INET);
	check_eq(w->n_asked, 9);
	for (unsigned i = 0; i < 9; i++)
		for (unsigned j = 0; j < i; j++) {
			check(w->asked[i].port != w->asked[j].port);
			check(w->asked[i].id != w->asked[j].id);
		}
	end_world(w);
}

/* What comes after the end finds no socket. */
static void late_answers_find_nobody(void)
{
	struct world *w = new_world(zone);

	w->server[0].behaves = MUTE;
	open_world(w, "nameserver 10.0.0.2\noptions timeout:1 attempts:1\n");
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_AGAIN);
	w->server[0].behaves = HELPFUL;
	server_answers(&w->server[0], &w->asked[0]);
	tern_sim_run(w->sim, tern_sim_now(w->sim) + TERN_SEC);
	check_eq(tern_counter(w->st, "UdpNoPorts"), 1);
	check_eq(w->n_answers, 1);
	check(!tern_resolver_answer(w->r, &w->answer[1]));
	end_world(w);
}

/* ---- neither mDNS nor LLMNR ---- */

static unsigned n_sent_by_us;

static void count_ours(void *ctx, const struct tern_sim_note *n)
{
	(void)ctx;
	if (n->what == TERN_SIM_FRAME_SENT && n->host == 0 && n->frame[12] == 8 &&
	    n->frame[13] == 0)
		n_sent_by_us++;
}

/*
 * SEC-161: questions and answers to their ports and groups change nothing and are not answered
 * (a unicast one by port unreachable, as any).
 */
static void there_is_no_multicast_dns(void)
{
	static const uint16_t ports[] = { 5353, 5355 };
	static const uint8_t groups[][4] = { { 224, 0, 0, 251 }, { 224, 0, 0, 252 } };
	struct world *w = new_world(zone);
	struct build *m = &w->m;

	open_world(w, three_servers);
	n_sent_by_us = 0;
	tern_sim_observe(w->sim, count_ours, NULL);
	for (int i = 0; i < 2; i++) {
		struct tern_addr group =
			tern_ip4(groups[i][0], groups[i][1], groups[i][2], groups[i][3], ports[i]);

		build_head(m, 0, 0);
		build_question(m, "a.local", DNS_A);
		send_from(w->server[0].st, ports[i], m, &group);
		build_head(m, 0, DNS_QR | DNS_AA);
		build_address(m, "printer.local", "10.0.0.66", 120);
		build_address(m, "both.test", "10.0.0.66", 120);
		send_from(w->server[0].st, ports[i], m, &group);
	}
	tern_sim_run(w->sim, TERN_SEC);
	check_eq(n_sent_by_us, 0);
	check_eq(world_asks(w, "printer.local", TERN_AF_UNSPEC)->error, TERN_RESOLVER_NONAME);
	check_eq(w->n_asked, 0);
	check_eq(n_sent_by_us, 0);
	check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
	end_world(w);
}

static const struct test tests[] = {
	TEST(forged_answers_are_ignored),   TEST(a_server_may_shout),
	TEST(ports_and_numbers_are_random), TEST(each_try_is_drawn_anew),
	TEST(late_answers_find_nobody),	    TEST(there_is_no_multicast_dns),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
