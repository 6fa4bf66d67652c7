/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eyeballs_test.c - RFC 8305 in virtual time: which address is tried when, and who wins.
 */
#include "resolve_fixture.h"

/* Hosts: the servers' own addresses, which listen on port 80 or not; what nobody has is 10.0.0.9x. */
static const struct zone zone[] = {
	{ "both.test", DNS_AAAA, "fd00::2", 300 },
	{ "both.test", DNS_A, "10.0.0.2", 300 },
	{ "four.test", DNS_A, "10.0.0.2", 300 },
	{ "six.test", DNS_AAAA, "fd00::2", 300 },
	{ "hole.test", DNS_AAAA, "2001:db8:0:1::9", 300 },
	{ "hole.test", DNS_A, "10.0.0.2", 300 },
	{ "refused.test", DNS_AAAA, "2001:db8::3", 300 },
	{ "refused.test", DNS_A, "10.0.0.2", 300 },
	{ "closed.test", DNS_AAAA, "2001:db8::3", 300 },
	{ "closed.test", DNS_A, "10.0.0.3", 300 },
	{ "many.test", DNS_AAAA, "2001:db8:0:1::1", 300 },
	{ "many.test", DNS_AAAA, "2001:db8:0:1::2", 300 },
	{ "many.test", DNS_AAAA, "2001:db8:0:1::3", 300 },
	{ "many.test", DNS_A, "192.0.2.1", 300 },
	{ "many.test", DNS_A, "192.0.2.2", 300 },
	{ "www.a.test", DNS_AAAA, "2001:db8::2", 300 },
	{ "www.b.test", DNS_A, "10.0.0.3", 300 },
	{ 0 },
};

/* A world in which server 0 serves on port 80, and all have global addresses of IPv6, too. */
static struct world *new_web(void)
{
	struct world *w = new_world(zone);
	struct tern_route via = { .ifindex = 2 };

	w->has_other_sockets = true;
	for (unsigned i = 0; i <= SERVERS; i++) {
		struct tern_stack *st = i ? w->server[i - 1].st : w->st;
		struct tern_addr a;

		tern_addr_parse("2001:db8::", 0, &a);
		a.ip[15] = (uint8_t)(i + 1);
		tern_addr_add(st, 2, &a, 64);
	}
	/* the way out is server 2, which forwards nothing and says nothing */
	tern_addr_parse("2001:db8::4", 0, &via.gateway);
	via.dst.family = TERN_AF_INET6;
	check_eq(tern_route_add(w->st, &via), 0);
	via.gateway = tern_ip4(10, 0, 0, 4, 0);
	via.dst.family = TERN_AF_INET;
	check_eq(tern_route_add(w->st, &via), 0);
	return w;
}

static void listen_on_80(struct world *w, unsigned server, int family)
{
	struct tern_addr at = { .family = (uint16_t)family, .port = 80 };
	struct tern_stack *st = w->server[server].st;
	int32_t on = 1;
	tern_sock s;

	check_eq(tern_socket(st, family, TERN_SOCK_STREAM, 0, &s), 0);
	if (family == TERN_AF_INET6)
		tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, &on, sizeof(on));
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_listen(st, s, 8), 0);
}

static tern_time begun, ended;

/* An advance after each event; the attempts as "address@milliseconds". */
static char *run_eyeballs(struct world *w, struct tern_eyeballs *e, const char *host,
			  tern_time until)
{
	static char text[1024];
	struct tern_eyeballs_wish wish = { .st = w->st, .r = w->r, .host = host, .port = 80 };
	struct tern_resolver_answer a;
	char addr[TERN_ADDR_TEXT_MAX];
	unsigned n = 0;

	text[0] = 0;
	begun = tern_sim_now(w->sim);
	check_eq(tern_eyeballs_begin(e, &wish, begun), 0);
	while (tern_eyeballs_advance(e, tern_sim_now(w->sim)) == TERN_EYEBALLS_BUSY &&
	       tern_sim_now(w->sim) < begun + until) {
		tern_time at = MIN(tern_resolver_deadline(w->r), tern_eyeballs_deadline(e));

		for (; n < e->n_attempts; n++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s@%u",
				 n ? " " : "", tern_addr_format(&e->attempt[n].addr, false, addr),
				 (unsigned)((tern_sim_now(w->sim) - begun) / TERN_MS));
		tern_sim_step(w->sim, MIN(at, begun + until));
		tern_resolver_advance(w->r, tern_sim_now(w->sim));
		while (tern_resolver_answer(w->r, &a))
			check(tern_eyeballs_on_answer(e, &a));
	}
	for (; n < e->n_attempts; n++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s@%u", n ? " " : "",
			 tern_addr_format(&e->attempt[n].addr, false, addr),
			 (unsigned)((tern_sim_now(w->sim) - begun) / TERN_MS));
	ended = tern_sim_now(w->sim) - begun;
	return text;
}

static void end_web(struct world *w, struct tern_eyeballs *e)
{
	tern_eyeballs_end(e);
	if (e->state == TERN_EYEBALLS_CONNECTED) {
		check_eq(tern_getpeername(w->st, e->sock, &e->addr), 0);
		tern_close(w->st, e->sock);
	}
	end_world(w);
}

/* Connections, and attempts at one, of the host that asks. */
static unsigned n_streams(struct world *w)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;
	unsigned n = 0;

	while (tern_sock_next(w->st, &cursor, &info))
		n += info.type == TERN_SOCK_STREAM;
	return n;
}

static char *connected_to(struct tern_eyeballs *e)
{
	static char text[TERN_ADDR_TEXT_MAX];

	check_eq(e->state, TERN_EYEBALLS_CONNECTED);
	return tern_addr_format(&e->addr, true, text);
}

static void one_family_is_enough(void)
{
	static const struct {
		const char *host, *to;
	} table[] = { { "four.test", "10.0.0.2:80" },
		      { "six.test", "[fd00::2]:80" },
		      { "10.0.0.2", "10.0.0.2:80" },
		      { "fd00::2", "[fd00::2]:80" } };
	struct tern_eyeballs e;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		struct world *w = new_web();

		test_at("%s", table[i].host);
		listen_on_80(w, 0, TERN_AF_INET);
		listen_on_80(w, 0, TERN_AF_INET6);
		open_world(w, "nameserver 10.0.0.2\n");
		run_eyeballs(w, &e, table[i].host, TERN_SEC);
		check_str(connected_to(&e), table[i].to);
		check_eq(e.n_attempts, 1);
		check(ended < 50 * TERN_MS);
		end_web(w, &e);
	}
}

/* 5: an attempt without an answer gets company after 250 ms, and loses. */
static void a_black_hole_is_passed_by(void)
{
	struct world *w = new_web();
	struct tern_eyeballs e;

	listen_on_80(w, 0, TERN_AF_INET);
	open_world(w, "nameserver 10.0.0.2\n");
	check_str(run_eyeballs(w, &e, "hole.test", 10 * TERN_SEC),
		  "2001:db8:0:1::9@4 10.0.0.2@254");
	check_str(connected_to(&e), "10.0.0.2:80");
	check(ended < 300 * TERN_MS);
	check_eq(n_streams(w), 1); /* the one that lost is gone */
	end_web(w, &e);
}

/* 5: one that fails is followed at once. */
static void a_refusal_is_followed_at_once(void)
{
	struct world *w = new_web();
	struct tern_eyeballs e;

	listen_on_80(w, 0, TERN_AF_INET);
	open_world(w, "nameserver 10.0.0.2\n");
	run_eyeballs(w, &e, "refused.test", 10 * TERN_SEC);
	check_str(connected_to(&e), "10.0.0.2:80");
	check_eq(e.n_attempts, 2);
	check_eq(e.attempt[0].error, TERN_ECONNREFUSED);
	check(ended < 50 * TERN_MS);
	end_web(w, &e);
}

static void all_failures_are_told(void)
{
	struct world *w = new_web();
	struct tern_eyeballs e;

	open_world(w, "nameserver 10.0.0.2\n");
	run_eyeballs(w, &e, "closed.test", 10 * TERN_SEC);
	check_eq(e.state, TERN_EYEBALLS_FAILED);
	check_eq(e.n_attempts, 2);
	check_eq(e.attempt[0].error, TERN_ECONNREFUSED);
	check_eq(e.attempt[1].error, TERN_ECONNREFUSED);
	end_web(w, &e);
	w = new_web();
	open_world(w, "nameserver 10.0.0.2\n");
	run_eyeballs(w, &e, "no.test", 10 * TERN_SEC);
	check_eq(e.state, TERN_EYEBALLS_FAILED);
	check_eq(e.n_attempts, 0);
	check_eq(e.failure.error, TERN_RESOLVER_NONAME);
	end_web(w, &e);
}

/* 4: families take turns, the first is the best of RFC 6724. */
static void families_take_turns(void)
{
	struct world *w = new_web();
	struct tern_eyeballs e;

	open_world(w, "nameserver 10.0.0.2\n");
	check_str(run_eyeballs(w, &e, "many.test", 3 * TERN_SEC),
		  "2001:db8:0:1::1@4 192.0.2.1@254 2001:db8:0:1::2@504 192.0.2.2@754 "
		  "2001:db8:0:1::3@1004");
	check_eq(e.state, TERN_EYEBALLS_BUSY);
	end_web(w, &e);
}

/* ---- names that come at different times ---- */

static tern_time late_by;
static unsigned late_type;
static struct asked late;

static void answers_late(void *ctx)
{
	server_answers(ctx, &late);
}

static void one_type_is_late(struct server *s, const struct asked *a)
{
	if (a->type != late_type) {
		server_answers(s, a);
		return;
	}
	late = *a;
	tern_sim_at(s->w->sim, tern_sim_now(s->w->sim) + late_by, answers_late, s);
}

/* 3: IPv4 that comes first waits 50 ms for IPv6, which it needs not. */
static void names_come_one_after_the_other(void)
{
	static const struct {
		const char *host;
		unsigned late, by_ms;
		const char *tried;
	} table[] = {
		{ "hole.test", DNS_AAAA, 30, "2001:db8:0:1::9@34 10.0.0.2@284" },
		{ "hole.test", DNS_AAAA, 49, "2001:db8:0:1::9@53 10.0.0.2@303" },
		{ "hole.test", DNS_AAAA, 80, "10.0.0.2@54" },
		{ "hole.test", DNS_A, 80, "2001:db8:0:1::9@4 10.0.0.2@254" },
		{ "hole.test", DNS_A, 700, "2001:db8:0:1::9@4 10.0.0.2@704" },
		{ "four.test", DNS_AAAA, 20, "10.0.0.2@24" }, /* there is none: at once */
	};
	struct tern_eyeballs e;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		struct world *w = new_web();

		test_at("case %zu", i);
		late_type = table[i].late;
		late_by = table[i].by_ms * TERN_MS;
		w->server[0].script = one_type_is_late;
		listen_on_80(w, 0, TERN_AF_INET);
		open_world(w, "nameserver 10.0.0.2\n");
		check_str(run_eyeballs(w, &e, table[i].host, 10 * TERN_SEC), table[i].tried);
		check_str(connected_to(&e), "10.0.0.2:80");
		end_web(w, &e);
	}
}

/* Both families are those of one host, also where each would be found under another name. */
static void the_search_list_mixes_no_hosts(void)
{
	struct world *w = new_web();
	struct tern_eyeballs e;

	listen_on_80(w, 0, TERN_AF_INET6);
	open_world(w, "nameserver 10.0.0.2\nsearch a.test b.test\n");
	check_str(run_eyeballs(w, &e, "www", TERN_SEC), "2001:db8::2@4");
	check_str(connected_to(&e), "[2001:db8::2]:80");
	end_web(w, &e);
}

static const struct test tests[] = {
	TEST(one_family_is_enough),
	TEST(a_black_hole_is_passed_by),
	TEST(a_refusal_is_followed_at_once),
	TEST(all_failures_are_told),
	TEST(families_take_turns),
	TEST(names_come_one_after_the_other),
	TEST(the_search_list_mixes_no_hosts),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
