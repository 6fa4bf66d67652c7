/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * learned_test.c - servers and domains that the stack has learned from its network.
 */
#include "resolve_fixture.h"

#include "../../core/stack/stack.h"

static const struct zone zone[] = {
	{ "www.corp.test", DNS_A, "10.0.0.7", 300 },
	{ "www.own.test", DNS_A, "10.0.0.8", 300 },
	{ 0 },
};

static void learn(struct world *w, const char *server, const char *domain)
{
	struct tern_server s = { .kind = server ? TERN_SERVER_DNS : TERN_SERVER_SEARCH,
				 .ifindex = 2,
				 .origin = TERN_ORIGIN_DHCP4,
				 .valid_until = TERN_NEVER };

	if (server)
		check_eq(tern_addr_parse(server, 53, &s.addr), 0);
	else
		snprintf(s.domain, sizeof(s.domain), "%s", domain);
	servers_put(&w->st->net, &s);
}

/* They are asked as they are when a question comes, and no others than those there is room for. */
static void learned_servers_are_asked(void)
{
	struct world *w = new_world(zone);
	char text[TERN_ADDR_TEXT_MAX];

	open_world(w, "");
	check_eq(world_asks(w, "www.corp.test", TERN_AF_INET)->cause, TERN_RESOLVER_NO_SERVER);
	learn(w, NULL, "corp.test");
	for (int i = 2; i < 20; i++) { /* SEC-162: the stack may know more */
		snprintf(text, sizeof(text), "10.0.0.%d", i);
		learn(w, text, NULL);
	}
	check_str(addrs_of(world_asks(w, "www", TERN_AF_INET)), "10.0.0.7");
	check_str(w->asked[0].name, "www.corp.test");
	check_eq(w->asked[0].server, 0);
	w->server[0].behaves = w->server[1].behaves = w->server[2].behaves = REFUSES;
	w->n_asked = 0;
	check_eq(world_asks(w, "no.test", TERN_AF_INET)->error, TERN_RESOLVER_FAIL);
	check_eq(w->n_asked, 6); /* three servers, two names */
	end_world(w);
}

/* What the user says comes first, servers and domains alike. */
static void the_configuration_wins(void)
{
	struct world *w = new_world(zone);

	learn(w, "10.0.0.2", NULL);
	learn(w, NULL, "corp.test");
	open_world(w, "nameserver 10.0.0.3\nsearch own.test\n");
	check_str(addrs_of(world_asks(w, "www", TERN_AF_INET)), "10.0.0.8");
	check_eq(w->n_asked, 1);
	check_eq(w->asked[0].server, 1);
	end_world(w);
	w = new_world(zone);
	learn(w, "10.0.0.2", NULL);
	learn(w, NULL, "corp.test");
	open_world(w, "nameserver 10.0.0.3\n");
	check_eq(world_asks(w, "www", TERN_AF_INET)->error, TERN_RESOLVER_NONAME);
	check_eq(w->n_asked, 1);
	end_world(w);
}

static const struct test tests[] = {
	TEST(learned_servers_are_asked),
	TEST(the_configuration_wins),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
