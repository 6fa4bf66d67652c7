/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver_test.c - names to addresses and back in virtual time: search lists, caches, special names,
 * files of hosts, several at once.
 */
#include "resolve_fixture.h"

static const char one_server[] = "nameserver 10.0.0.2\n";

static const struct zone zone[] = {
	{ "both.test", DNS_A, "10.0.0.9", 300 },
	{ "both.test", DNS_AAAA, "fd00::9", 200 },
	{ "four.test", DNS_A, "10.0.0.8", 300 },
	{ "alias.test", DNS_CNAME, "Both.test", 100 },
	{ "loop.test", DNS_CNAME, "pool.test", 100 },
	{ "pool.test", DNS_CNAME, "loop.test", 100 },
	{ "www.corp.test", DNS_A, "10.0.0.7", 300 },
	{ "www.dept.corp.test", DNS_A, "10.0.0.6", 300 },
	{ "once.test", DNS_A, "10.0.0.5", 0 },
	{ "odd.test", DNS_A, "10.0.0.5", 0x80000001 },
	{ "9.0.0.10.in-addr.arpa", DNS_PTR, "both.test", 60 },
	{ "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR,
	  "six.both.test", 60 },
	{ "8.0.0.10.in-addr.arpa", DNS_PTR, "no*host.test", 60 },
	{ 0 },
};

static void both_families_at_once(void)
{
	struct world *w = new_world(zone);
	const struct tern_resolver_answer *a;
	tern_time begun;

	open_world(w, one_server);
	begun = tern_sim_now(w->sim);
	a = world_asks(w, "both.test", TERN_AF_UNSPEC);
	check_eq(a->error, TERN_RESOLVER_OK);
	check_str(addrs_of(a), "10.0.0.9 fd00::9"); /* RFC 6724: ULAs have low precedence */
	check_str(a->name, "both.test");
	check_eq(a->ttl, 200);
	check_eq(w->n_asked, 2);
	check_eq(w->asked[0].type, DNS_AAAA);
	check_eq(w->asked[1].type, DNS_A);
	check_eq(w->asked[0].at, w->asked[1].at);
	check(w->answered_at[0] - begun < 10 * TERN_MS);
	a = world_asks(w, "alias.test", TERN_AF_INET);
	check_str(addrs_of(a), "10.0.0.9");
	check_str(a->name, "Both.test");
	check_eq(a->ttl, 100);
	check_eq(w->n_asked, 3);
	end_world(w);
}

static void one_after_the_other_if_wanted(void)
{
	struct world *w = new_world(zone);

	open_world(w, "nameserver 10.0.0.2\noptions single-request\n");
	world_asks(w, "both.test", TERN_AF_UNSPEC);
	check_eq(w->n_asked, 2);
	check(w->asked[1].at >= w->asked[0].at + 2 * TERN_MS);
	world_asks(w, "no.test", TERN_AF_UNSPEC);
	check_eq(w->n_asked, 4);
	end_world(w);
}

static void what_is_not_there(void)
{
	static const struct {
		const char *name;
		int family;
		enum tern_resolver_error error;
		enum tern_resolver_cause cause;
	} table[] = {
		{ "no.test", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_SERVER },
		{ "four.test", TERN_AF_INET6, TERN_RESOLVER_NODATA, TERN_RESOLVER_BY_SERVER },
		{ "four.test", TERN_AF_UNSPEC, TERN_RESOLVER_OK, TERN_RESOLVER_BY_SERVER },
		{ "loop.test", TERN_AF_UNSPEC, TERN_RESOLVER_FAIL, TERN_RESOLVER_LOOPS },
		{ "a..b", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ ".", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "a b", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "fe80::1%eth0", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "four.test:80", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "-n", TERN_AF_UNSPEC, TERN_RESOLVER_NONAME, TERN_RESOLVER_BY_RULE },
		{ "10.0.0.9", TERN_AF_INET6, TERN_RESOLVER_NODATA, TERN_RESOLVER_BY_RULE },
	};
	struct world *w = new_world(zone);
	char why[TERN_RESOLVER_WHY_MAX];

	open_world(w, one_server);
	for (size_t i = 0; i < N_TESTS(table); i++) {
		const struct tern_resolver_answer *a;

		test_at("'%s'", table[i].name);
		a = world_asks(w, table[i].name, table[i].family);
		check_eq(a->error, table[i].error);
		check_eq(a->cause, table[i].cause);
		check(strlen(tern_resolver_why(a, why)) > 10);
	}
	tern_resolver_why(world_asks(w, "never.test", TERN_AF_INET), why);
	check_str(why, "there is no such name (10.0.0.2 says so)");
	end_world(w);
}

/* RFC 6761, RFC 6762, RFC 7686: none of these is a question for a server. */
static void special_names_are_not_asked_for(void)
{
	static const struct {
		const char *name;
		int family;
		const char *addrs; /* NULL: there is no such name */
	} table[] = {
		{ "localhost", TERN_AF_UNSPEC, "::1 127.0.0.1" },
		{ "LocalHost.", TERN_AF_INET, "127.0.0.1" },
		{ "a.b.localhost", TERN_AF_INET6, "::1" },
		{ "invalid", TERN_AF_UNSPEC, NULL },
		{ "a.invalid.", TERN_AF_UNSPEC, NULL },
		{ "printer.local", TERN_AF_UNSPEC, NULL },
		{ "a.onion", TERN_AF_UNSPEC, NULL },
		{ "10.1", TERN_AF_UNSPEC, NULL },
		{ "1.2.3.4.5", TERN_AF_UNSPEC, NULL },
		{ "256.1.1.1", TERN_AF_UNSPEC, NULL },
		{ "192.0.2.7", TERN_AF_UNSPEC, "192.0.2.7" },
		{ "2001:db8::7", TERN_AF_UNSPEC, "2001:db8::7" },
	};
	struct world *w = new_world(zone);

	open_world(w, one_server);
	for (size_t i = 0; i < N_TESTS(table); i++) {
		const struct tern_resolver_answer *a;

		test_at("%s", table[i].name);
		a = world_asks(w, table[i].name, table[i].family);
		check_eq(a->error, table[i].addrs ? TERN_RESOLVER_OK : TERN_RESOLVER_NONAME);
		check_str(addrs_of(a), table[i].addrs ? table[i].addrs : "");
		check_eq(a->cause, TERN_RESOLVER_BY_RULE);
	}
	check_eq(w->n_asked, 0);
	end_world(w);
}

/* ---- the search list ---- */

static void search(const char *conf, const char *name, const char *asked, const char *addrs)
{
	struct world *w = new_world(zone);
	char text[1024] = "";
	const struct tern_resolver_answer *a;

	test_at("%s: %s", conf, name);
	open_world(w, conf);
	a = world_asks(w, name, TERN_AF_INET);
	for (unsigned i = 0; i < w->n_asked; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 w->asked[i].name);
	check_str(text, asked);
	check_str(addrs_of(a), addrs);
	end_world(w);
}

static void domains_are_searched(void)
{
	search("nameserver 10.0.0.2\nsearch dept.corp.test corp.test\n", "www",
	       "www.dept.corp.test", "10.0.0.6");
	search("nameserver 10.0.0.2\nsearch x.test corp.test\n", "www", "www.x.test www.corp.test",
	       "10.0.0.7");
	search("nameserver 10.0.0.2\nsearch corp.test\n", "www.dept", "www.dept www.dept.corp.test",
	       "10.0.0.6"); /* a dot: first as it is */
	search("nameserver 10.0.0.2\nsearch corp.test\noptions ndots:2\n", "www.dept",
	       "www.dept.corp.test", "10.0.0.6");
	search("nameserver 10.0.0.2\nsearch corp.test\noptions ndots:2\n", "both.test",
	       "both.test.corp.test both.test", "10.0.0.9");
	search("nameserver 10.0.0.2\nsearch corp.test\n", "both.test", "both.test", "10.0.0.9");
	search("nameserver 10.0.0.2\nsearch corp.test\n", "www.", "www", "");
	search("nameserver 10.0.0.2\nsearch corp.test\n", "no", "no.corp.test no", "");
	search("nameserver 10.0.0.2\nsearch corp.test\noptions no-tld-query\n", "no",
	       "no.corp.test", "");
	search("nameserver 10.0.0.2\noptions ndots:0\nsearch corp.test\n", "www",
	       "www www.corp.test", "10.0.0.7");
	search("nameserver 10.0.0.2\ndomain corp.test\n", "www", "www.corp.test", "10.0.0.7");
}

static void fails_for_one_domain(struct server *s, const struct asked *a)
{
	s->behaves = strstr(a->name, "broken") ? FAILS : HELPFUL;
	server_behaves(s, a);
}

/* A domain whose servers fail hides neither the next one nor, when nothing is found, its failure. */
static void a_failing_domain_is_passed_over(void)
{
	struct world *w = new_world(zone);
	const struct tern_resolver_answer *a;

	w->server[0].script = fails_for_one_domain;
	open_world(w, "nameserver 10.0.0.2\nsearch broken.test corp.test\n");
	a = world_asks(w, "www", TERN_AF_INET);
	check_str(addrs_of(a), "10.0.0.7");
	a = world_asks(w, "no", TERN_AF_INET);
	check_eq(a->error, TERN_RESOLVER_AGAIN);
	check_eq(a->cause, TERN_RESOLVER_SERVFAIL);
	end_world(w);
}

/* ---- what is kept ---- */

static unsigned asked_for(struct world *w, const char *name, int family)
{
	unsigned before = w->n_asked;

	world_asks(w, name, family);
	return w->n_asked - before;
}

static void pass(struct world *w, tern_time t)
{
	tern_sim_run(w->sim, tern_sim_now(w->sim) + t);
	tern_resolver_advance(w->r, tern_sim_now(w->sim));
}

static void answers_are_kept_while_they_hold(void)
{
	struct world *w = new_world(zone);

	open_world(w, one_server);
	check_eq(asked_for(w, "four.test", TERN_AF_INET), 1);
	pass(w, 100 * TERN_SEC);
	check_eq(asked_for(w, "FOUR.test", TERN_AF_INET), 0);
	check_eq(w->answer[0].ttl, 200);
	check_str(addrs_of(&w->answer[0]), "10.0.0.8");
	pass(w, 199 * TERN_SEC);
	check_eq(asked_for(w, "four.test", TERN_AF_INET), 0);
	pass(w, TERN_SEC);
	check_eq(asked_for(w, "four.test", TERN_AF_INET), 1);
	check_eq(asked_for(w, "once.test", TERN_AF_INET), 1);
	check_eq(asked_for(w, "once.test", TERN_AF_INET), 1);
	check_eq(asked_for(w, "odd.test", TERN_AF_INET), 1); /* RFC 2181 8 */
	check_eq(asked_for(w, "odd.test", TERN_AF_INET), 1);
	check_eq(w->answer[0].error, TERN_RESOLVER_OK);
	end_world(w);
}

/* RFC 2308: the SOA's minimum is 30 s; a name that is not there and one without data are two things. */
static void nothing_is_kept_too(void)
{
	struct world *w = new_world(zone);

	open_world(w, one_server);
	check_eq(asked_for(w, "no.test", TERN_AF_INET), 1);
	check_eq(asked_for(w, "no.test", TERN_AF_INET), 0);
	check_eq(w->answer[0].error, TERN_RESOLVER_NONAME);
	check_eq(asked_for(w, "four.test", TERN_AF_INET6), 1);
	pass(w, 29 * TERN_SEC);
	check_eq(asked_for(w, "four.test", TERN_AF_INET6), 0);
	check_eq(w->answer[0].error, TERN_RESOLVER_NODATA);
	pass(w, TERN_SEC);
	check_eq(asked_for(w, "four.test", TERN_AF_INET6), 1);
	check_eq(asked_for(w, "no.test", TERN_AF_INET), 1);
	w->server[0].behaves = FAILS; /* failures are not kept */
	check_eq(asked_for(w, "both.test", TERN_AF_INET), 1);
	check_eq(w->answer[0].error, TERN_RESOLVER_AGAIN);
	w->server[0].behaves = HELPFUL;
	check_eq(asked_for(w, "both.test", TERN_AF_INET), 1);
	check_eq(w->answer[0].error, TERN_RESOLVER_OK);
	end_world(w);
}

static void any_name_has_an_address(struct server *s, const struct asked *a)
{
	build_address(server_begins(s, a, 0), a->name, "10.0.0.9", 1000000);
	server_says(s, a);
}

static void the_oldest_gives_way(void)
{
	struct world *w = new_world(zone);
	char name[32];
	uint64_t full;

	w->server[0].script = any_name_has_an_address;
	open_world(w, one_server);
	for (int i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		check_eq(asked_for(w, name, TERN_AF_INET), 1);
	}
	full = w->memory;
	check_eq(asked_for(w, "n0.test", TERN_AF_INET), 0);
	check_eq(asked_for(w, "one-more.test", TERN_AF_INET), 1);
	check_eq(w->memory, full);
	check_eq(asked_for(w, "n1.test", TERN_AF_INET), 0);
	check_eq(asked_for(w, "n255.test", TERN_AF_INET), 0);
	check_eq(asked_for(w, "n0.test", TERN_AF_INET), 1);
	check_eq(asked_for(w, "n1.test", TERN_AF_INET), 1);
	check_eq(w->memory, full);
	pass(w, 86400 * TERN_SEC); /* nobody is believed for longer than a day */
	check_eq(asked_for(w, "n255.test", TERN_AF_INET), 1);
	end_world(w);
}

/* ---- addresses to names ---- */

static const struct tern_resolver_answer *asks_for_name(struct world *w, const char *address)
{
	struct tern_resolver_question q = { .user = w };

	tern_addr_parse(address, 0, &q.addr);
	w->n_answers = 0;
	check_eq(tern_resolver_ask(w->r, &q, NULL), 0);
	run_world(w, 1, tern_sim_now(w->sim) + 1000 * TERN_SEC);
	check(w->answer[0].user == w);
	return &w->answer[0];
}

static void addresses_have_names(void)
{
	static const char hosts[] = "192.0.2.1 here.test other\n";
	struct world *w = new_world(zone);
	const struct tern_resolver_answer *a;

	open_world(w, one_server);
	check_str(asks_for_name(w, "10.0.0.9")->name, "both.test");
	check_str(asks_for_name(w, "fd00::9")->name, "six.both.test");
	check_str(asks_for_name(w, "::ffff:10.0.0.9")->name, "both.test");
	check_eq(asks_for_name(w, "10.0.0.77")->error, TERN_RESOLVER_NONAME);
	a = asks_for_name(w, "10.0.0.8"); /* what could do harm in a log is no name */
	check_eq(a->error, TERN_RESOLVER_NONAME);
	check_str(a->name, "");
	tern_resolver_configure(w->r, NULL, hosts, strlen(hosts));
	check_str(asks_for_name(w, "192.0.2.1")->name, "here.test");
	end_world(w);
}

/* ---- the file of hosts, and who knows servers ---- */

static void hosts_come_first(void)
{
	static const char hosts[] = "10.0.0.42 both.test short # fd00::42 no.such\n"
				    "fd00::42 short\n";
	struct tern_resolver_question q = { .name = "both.test", .by_dns_only = true };
	struct world *w = new_world(zone);
	struct tern_resolver_conf conf;
	const struct tern_resolver_answer *a;

	open_world(w, one_server);
	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, one_server, strlen(one_server));
	check_eq(tern_resolver_configure(w->r, &conf, hosts, strlen(hosts)), 0);
	a = world_asks(w, "BOTH.test.", TERN_AF_UNSPEC);
	check_str(addrs_of(a), "10.0.0.42");
	check_eq(a->cause, TERN_RESOLVER_BY_HOSTS);
	check_eq(world_asks(w, "both.test", TERN_AF_INET6)->error, TERN_RESOLVER_NODATA);
	a = world_asks(w, "short", TERN_AF_UNSPEC);
	check_str(addrs_of(a), "10.0.0.42 fd00::42");
	check_str(a->name, "both.test");
	check_eq(w->n_asked, 0);
	w->n_answers = 0;
	check_eq(tern_resolver_ask(w->r, &q, NULL), 0);
	run_world(w, 1, tern_sim_now(w->sim) + TERN_SEC);
	check_str(addrs_of(&w->answer[0]), "10.0.0.9 fd00::9");
	end_world(w);
}

static void without_a_server_it_says_so(void)
{
	struct world *w = new_world(zone);
	const struct tern_resolver_answer *a;
	char why[TERN_RESOLVER_WHY_MAX];

	open_world(w, "");
	a = world_asks(w, "both.test", TERN_AF_UNSPEC);
	check_eq(a->error, TERN_RESOLVER_AGAIN);
	check_eq(a->cause, TERN_RESOLVER_NO_SERVER);
	check(strstr(tern_resolver_why(a, why), "no name server") != NULL);
	check_eq(w->n_asked, 0);
	end_world(w);
}

/* ---- several at once ---- */

static void equal_questions_are_one(void)
{
	struct tern_resolver_question q = { .name = "four.test", .family = TERN_AF_INET };
	struct world *w = new_world(zone);
	uint64_t id[4];

	open_world(w, one_server);
	for (int i = 0; i < 4; i++)
		check_eq(tern_resolver_ask(w->r, &q, &id[i]), 0);
	tern_resolver_cancel(w->r, id[1]);
	tern_resolver_cancel(w->r, 12345); /* nobody's */
	run_world(w, 3, 100 * TERN_SEC);
	check_eq(w->n_answers, 3);
	check_eq(w->n_asked, 1);
	for (unsigned i = 0; i < 3; i++) {
		check(w->answer[i].id != id[1]);
		check_str(addrs_of(&w->answer[i]), "10.0.0.8");
	}
	end_world(w);
}

static void a_question_may_be_taken_back(void)
{
	struct tern_resolver_question q = { .name = "four.test" };
	struct world *w = new_world(zone);
	uint64_t id, before;

	w->server[0].behaves = MUTE;
	open_world(w, one_server);
	before = w->memory;
	check_eq(tern_resolver_ask(w->r, &q, &id), 0);
	check(w->memory > before);
	tern_resolver_cancel(w->r, id);
	check_eq(w->memory, before);
	check(tern_resolver_deadline(w->r) == TERN_NEVER);
	for (unsigned i = 0; i < TERN_RESOLVER_ASKS_MAX; i++)
		check_eq(tern_resolver_ask(w->r, &q, NULL), 0);
	check_eq(tern_resolver_ask(w->r, &q, NULL), -TERN_ENOBUFS);
	end_world(w);
}

/* getaddrinfo's EAI_FAMILY: no name has addresses of such a family, and nobody is asked. */
static void another_family_is_refused(void)
{
	static const int bad[] = { 1, 99, -1, 0x10000 | TERN_AF_INET };
	struct tern_resolver_question q = { .name = "localhost" };
	struct tern_resolver_answer a;
	struct world *w = new_world(zone);

	open_world(w, one_server);
	for (size_t i = 0; i < N_TESTS(bad); i++) {
		static const char *const names[] = { "localhost", "10.0.0.1", "four.test" };

		q.family = bad[i];
		for (size_t k = 0; k < N_TESTS(names); k++) {
			q.name = names[k];
			check_eq(tern_resolver_ask(w->r, &q, NULL), -TERN_EAFNOSUPPORT);
		}
	}
	q = (struct tern_resolver_question){ .name = NULL };
	check_eq(tern_resolver_ask(w->r, &q, NULL), -TERN_EAFNOSUPPORT);
	q.addr.family = 99;
	check_eq(tern_resolver_ask(w->r, &q, NULL), -TERN_EAFNOSUPPORT);
	check(!tern_resolver_answer(w->r, &a));
	end_world(w);
}

/* The n-th allocation fails, for each n: an error, and nothing is lost. */
static void memory_may_be_short(void)
{
	bool failed = true;

	for (unsigned n = 1; failed && n < 100; n++) {
		struct tern_resolver_question q = { .name = "alias.test" };
		struct world *w = new_world(zone);

		test_at("allocation %u", n);
		w->server[0].behaves = TRUNCATES;
		open_world(w, one_server);
		w->fail_at = w->n_allocs + n;
		if (tern_resolver_ask(w->r, &q, NULL) == 0) {
			run_world(w, 1, 100 * TERN_SEC);
			check_eq(w->n_answers, 1);
		}
		failed = w->n_allocs >= w->fail_at;
		if (!failed)
			check_str(addrs_of(&w->answer[0]), "10.0.0.9 fd00::9");
		end_world(w);
	}
	check(!failed);
}

static void a_configuration_that_cannot_be_changes_nothing(void)
{
	static const char hosts[] = "10.0.0.7 seven\n";
	struct world *w = new_world(NULL);
	struct tern_resolver_conf conf;

	check_eq(tern_resolver_configure(w->r, NULL, hosts, strlen(hosts)), 0);
	tern_resolver_conf_default(&conf);
	conf.n_servers = TERN_RESOLVER_SERVERS_MAX + 1;
	check_eq(tern_resolver_configure(w->r, &conf, NULL, 0), -TERN_EINVAL);
	tern_resolver_conf_default(&conf);
	conf.n_search = TERN_RESOLVER_SEARCH_MAX + 1;
	check_eq(tern_resolver_configure(w->r, &conf, NULL, 0), -TERN_EINVAL);
	tern_resolver_conf_default(&conf);
	conf.size--;
	check_eq(tern_resolver_configure(w->r, &conf, NULL, 0), -TERN_EINVAL);
	check_str(addrs_of(world_asks(w, "seven", TERN_AF_INET)), "10.0.0.7");
	end_world(w);
}

static const struct test tests[] = {
	TEST(both_families_at_once),
	TEST(one_after_the_other_if_wanted),
	TEST(what_is_not_there),
	TEST(special_names_are_not_asked_for),
	TEST(domains_are_searched),
	TEST(a_failing_domain_is_passed_over),
	TEST(answers_are_kept_while_they_hold),
	TEST(nothing_is_kept_too),
	TEST(the_oldest_gives_way),
	TEST(addresses_have_names),
	TEST(hosts_come_first),
	TEST(without_a_server_it_says_so),
	TEST(equal_questions_are_one),
	TEST(a_question_may_be_taken_back),
	TEST(another_family_is_refused),
	TEST(memory_may_be_short),
	TEST(a_configuration_that_cannot_be_changes_nothing),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
