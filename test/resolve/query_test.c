/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query_test.c - one question and its servers in virtual time: whom is asked when, by UDP and TCP.
 */
#include "resolve_fixture.h"

static const struct zone zone[] = {
	{ "both.test", DNS_A, "10.0.0.9", 300 },
	{ "both.test", DNS_AAAA, "fd00::9", 200 },
	{ 0 },
};

static const char three_servers[] = "nameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver "
				    "fd00::4\noptions timeout:2 attempts:3\n";

/* ---- who is asked, and when ---- */

struct story {
	const char *conf;
	enum behaviour behaves[SERVERS];
	const char *asked; /* "0@0 1@2000": server and milliseconds */
	enum tern_resolver_error error;
	enum tern_resolver_cause cause;
	unsigned ended_ms; /* when the answer was there, cut to seconds */
};

static void tell(const struct story *s)
{
	struct world *w = new_world(zone);
	const struct tern_resolver_answer *a;
	char text[1024] = "";
	tern_time begun;

	test_at("%s%d %d %d", s->conf, s->behaves[0], s->behaves[1], s->behaves[2]);
	for (int i = 0; i < SERVERS; i++)
		w->server[i].behaves = s->behaves[i];
	open_world(w, s->conf);
	begun = tern_sim_now(w->sim);
	a = world_asks(w, "both.test", TERN_AF_INET);
	check_eq(a->error, s->error);
	check_eq(a->cause, s->cause);
	check_eq((w->answered_at[0] - begun) / TERN_SEC * 1000, s->ended_ms);
	for (unsigned i = 0; i < w->n_asked; i++) {
		const struct asked *q = &w->asked[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u@%u%s%s",
			 i ? " " : "", q->server, (unsigned)((q->at - begun) / TERN_SEC * 1000),
			 q->tcp ? "t" : "", q->edns ? "" : "p");
	}
	check_str(text, s->asked);
	end_world(w);
}

static void servers_are_asked_in_turn(void)
{
	static const struct story stories[] = {
		{ three_servers, { HELPFUL }, "0@0", TERN_RESOLVER_OK, TERN_RESOLVER_BY_SERVER, 0 },
		/* a dead one costs its time, and no more */
		{ three_servers,
		  { MUTE },
		  "0@0 1@2000",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  2000 },
		{ three_servers,
		  { MUTE, MUTE, MUTE },
		  "0@0 1@2000 2@4000 0@6000 1@8000 2@10000 0@12000 1@14000 2@16000",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_SILENT,
		  18000 },
		{ "nameserver 10.0.0.2\n",
		  { MUTE },
		  "0@0 0@5000",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_SILENT,
		  10000 },
		{ "nameserver 10.0.0.2\noptions timeout:1 attempts:1\n",
		  { MUTE },
		  "0@0",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_SILENT,
		  1000 },
		/* port unreachable, SERVFAIL, REFUSED, lame: the next one, at once */
		{ three_servers, { ABSENT }, "1@0", TERN_RESOLVER_OK, TERN_RESOLVER_BY_SERVER, 0 },
		{ three_servers,
		  { FAILS },
		  "0@0 1@0",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ three_servers,
		  { REFUSES },
		  "0@0 1@0",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ three_servers,
		  { LAME_ONE },
		  "0@0 1@0",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		/* none of use: it ends at once */
		{ three_servers,
		  { REFUSES, REFUSES, REFUSES },
		  "0@0 1@0 2@0",
		  TERN_RESOLVER_FAIL,
		  TERN_RESOLVER_REFUSED,
		  0 },
		{ three_servers,
		  { REFUSES, FAILS, LAME_ONE },
		  "0@0 1@0 2@0",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_SERVFAIL,
		  0 },
		{ three_servers,
		  { ABSENT, ABSENT, ABSENT },
		  "",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_UNREACHABLE,
		  0 },
		/* who was silent may answer; who refused is not asked again */
		{ three_servers,
		  { REFUSES, MUTE, REFUSES },
		  "0@0 1@0 2@2000 1@2000 1@4000",
		  TERN_RESOLVER_AGAIN,
		  TERN_RESOLVER_SILENT,
		  6000 },
	};

	for (size_t i = 0; i < N_TESTS(stories); i++)
		tell(&stories[i]);
}

/* RFC 6891: who does not understand EDNS is asked without, once ("p"). RFC 7766: TC, then TCP ("t"). */
static void fallbacks_are_at_once(void)
{
	static const struct story stories[] = {
		{ three_servers,
		  { NO_EDNS },
		  "0@0 0@0p",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ three_servers,
		  { NO_EDNS_ASKS },
		  "0@0 0@0p",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ three_servers,
		  { NOTIMP_EDNS },
		  "0@0 0@0p",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ three_servers,
		  { TRUNCATES },
		  "0@0 0@0t",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
		{ "nameserver 10.0.0.2\noptions use-vc\n",
		  { HELPFUL },
		  "0@0t",
		  TERN_RESOLVER_OK,
		  TERN_RESOLVER_BY_SERVER,
		  0 },
	};

	for (size_t i = 0; i < N_TESTS(stories); i++)
		tell(&stories[i]);
}

static void says_badvers(struct server *s, const struct asked *a)
{
	server_begins(s, a, 0);
	if (a->edns)
		build_opt(&s->w->m, DNS_BADVERS >> 4);
	else
		build_address(&s->w->m, a->name, "10.0.0.9", 60);
	server_says(s, a);
}

static void another_version_of_edns(void)
{
	struct world *w = new_world(zone);

	w->server[0].script = says_badvers;
	open_world(w, three_servers);
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_OK);
	check_eq(w->n_asked, 2);
	check(!w->asked[1].edns);
	end_world(w);
}

static void rotation(void)
{
	static const char *const names[] = { "a.test", "b.test", "c.test", "d.test" };
	struct world *w = new_world(zone);

	open_world(w, "nameserver 10.0.0.2\nnameserver 10.0.0.3\noptions rotate\n");
	for (int i = 0; i < 4; i++) {
		world_asks(w, names[i], TERN_AF_INET);
		check_eq(w->asked[i].server, i % 2);
	}
	end_world(w);
}

/* No route at all, and a neighbour that is not there: no need to wait for the whole time. */
static void servers_that_cannot_be_reached(void)
{
	struct world *w = new_world(zone);

	open_world(w, "nameserver 192.0.2.1\nnameserver 10.0.0.2\n");
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_OK);
	check(w->answered_at[0] < TERN_SEC);
	end_world(w);
	w = new_world(zone);
	open_world(w, "nameserver 192.0.2.1\n");
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_AGAIN);
	check_eq(w->answer[0].cause, TERN_RESOLVER_UNREACHABLE);
	check(w->answered_at[0] < TERN_SEC);
	end_world(w);
}

/* A wire that loses, doubles, overtakes and damages: the right answer or none, and all in time. */
static void a_bad_wire(void)
{
	struct tern_weather bad = { .delay = TERN_MS,
				    .jitter = 500 * TERN_MS,
				    .loss_ppm = 300000,
				    .duplicate_ppm = 200000,
				    .reorder_ppm = 200000,
				    .corrupt_ppm = 50000 };
	unsigned n_found = 0;

	for (uint8_t seed = 1; seed <= 20; seed++) {
		struct world *w = new_world(zone);
		const struct tern_resolver_answer *a;
		tern_time begun;

		test_at("seed %u", seed);
		tern_resolver_free(w->r);
		w->r = new_resolver(w, seed);
		w->server[0].behaves = seed % 2 ? HELPFUL : TRUNCATES;
		open_world(w, three_servers);
		tern_sim_weather(w->sim, w->link, -1, &bad);
		tern_sim_run(w->sim, seed * TERN_SEC);
		begun = tern_sim_now(w->sim);
		a = world_asks(w, "both.test", TERN_AF_INET);
		check(w->answered_at[0] <= begun + 2 * 9 * 2 * TERN_SEC); /* TCP may follow UDP */
		check(a->error == TERN_RESOLVER_OK || a->error == TERN_RESOLVER_AGAIN);
		check_str(addrs_of(a), a->error == TERN_RESOLVER_OK ? "10.0.0.9" : "");
		n_found += a->error == TERN_RESOLVER_OK;
		end_world(w);
	}
	check(n_found >= 15);
}

/* ---- TCP ---- */

static void tcp_in_pieces(void)
{
	for (size_t piece = 1; piece <= 8; piece *= 2) {
		struct world *w = new_world(zone);

		test_at("pieces of %zu", piece);
		w->server[0].behaves = TRUNCATES;
		w->server[0].piece = piece;
		open_world(w, "nameserver 10.0.0.2\n");
		check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
		check_eq(w->n_asked, 2);
		end_world(w);
	}
}

static void tcp_is_refused(void)
{
	struct world *w = new_world(zone);

	w->server[0].behaves = w->server[1].behaves = TRUNCATES;
	w->server[0].no_tcp = true;
	open_world(w, three_servers);
	check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
	check_eq(w->n_asked, 3); /* UDP; UDP and TCP of the next */
	check(w->answered_at[0] < TERN_SEC);
	end_world(w);
}

static void hears_and_says_nothing_by_tcp(struct server *s, const struct asked *a)
{
	if (a->tcp)
		return;
	server_begins(s, a, DNS_TC);
	server_says(s, a);
}

static void ends_tcp(struct server *s, const struct asked *a)
{
	if (a->tcp) {
		tern_send(s->st, s->conn, "\0\100abc", 5, 0); /* more was promised */
		tern_close(s->st, s->conn);
		s->conn = 0;
		return;
	}
	server_begins(s, a, DNS_TC);
	server_says(s, a);
}

static void tcp_that_does_not_answer(void)
{
	struct world *w = new_world(zone);

	w->server[0].script = hears_and_says_nothing_by_tcp;
	open_world(w, three_servers);
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_OK);
	check_eq(w->answered_at[0] / TERN_SEC, 2); /* the time of a server, as by UDP */
	check_eq(w->asked[2].server, 1);
	end_world(w);
	w = new_world(zone);
	w->server[0].script = ends_tcp;
	open_world(w, three_servers);
	check_eq(world_asks(w, "both.test", TERN_AF_INET)->error, TERN_RESOLVER_OK);
	check(w->answered_at[0] < TERN_SEC);
	check_eq(w->asked[2].server, 1);
	end_world(w);
}

/* Answers to other questions, an empty message and garbage, then ours. */
static void other_answers_first(struct server *s, const struct asked *a)
{
	struct asked other = *a;

	if (!a->tcp) {
		server_begins(s, a, DNS_TC);
		server_says(s, a);
		return;
	}
	s->piece = 7;
	other.id ^= 0x5555;
	build_address(server_begins(s, &other, 0), a->name, "10.0.0.66", 60);
	server_says(s, &other);
	s->w->m.len = 0;
	server_says(s, a);
	build_head(&s->w->m, a->id, DNS_QR);
	build_u16(&s->w->m, 0xffff);
	server_says(s, a);
	build_address(server_begins(s, a, 0), a->name, "10.0.0.9", 60);
	server_says(s, a);
}

static void tcp_answers_out_of_order(void)
{
	struct world *w = new_world(zone);

	w->server[0].script = other_answers_first;
	open_world(w, "nameserver 10.0.0.2\n");
	check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
	check(w->answered_at[0] < TERN_SEC);
	end_world(w);
}

static void says_very_much(struct server *s, const struct asked *a)
{
	struct build *m = server_begins(s, a, 0);

	if (!a->tcp) {
		put_be16(m->b + 2, get_be16(m->b + 2) | DNS_TC);
		server_says(s, a);
		return;
	}
	while (m->len < 65000) {
		build_record(m, DNS_ANSWER, "x.test", 16, 60, 200);
		memset(m->b + m->len, 1, 200);
		m->len += 200;
	}
	build_address(m, a->name, "10.0.0.9", 60);
	server_says(s, a);
}

static void the_largest_message(void)
{
	struct world *w = new_world(zone);

	w->server[0].script = says_very_much;
	w->server[0].piece = 1000;
	open_world(w, "nameserver 10.0.0.2\n");
	check_str(addrs_of(world_asks(w, "both.test", TERN_AF_INET)), "10.0.0.9");
	end_world(w);
}

static const struct test tests[] = {
	TEST(servers_are_asked_in_turn),
	TEST(fallbacks_are_at_once),
	TEST(another_version_of_edns),
	TEST(rotation),
	TEST(servers_that_cannot_be_reached),
	TEST(a_bad_wire),
	TEST(tcp_in_pieces),
	TEST(tcp_is_refused),
	TEST(tcp_that_does_not_answer),
	TEST(tcp_answers_out_of_order),
	TEST(the_largest_message),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
