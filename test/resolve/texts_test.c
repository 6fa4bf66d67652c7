/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * texts_test.c - resolv.conf and hosts as texts: what is said, and what is left alone.
 */
#include <stdlib.h>

#include "test.h"

#include "../../host/resolve/resolve_impl.h"

static struct tern_resolver_conf conf_of(const char *text)
{
	struct tern_resolver_conf c;

	tern_resolver_conf_default(&c);
	tern_resolver_conf_parse(&c, text, strlen(text));
	return c;
}

static void servers_are_read(void)
{
	struct tern_resolver_conf c = conf_of("# nameserver 1.1.1.1\n"
					      "; nameserver 1.1.1.2\n"
					      " nameserver 1.1.1.3\n" /* not in the first column */
					      "nameserver\t10.0.0.2  # and what follows\n"
					      "nameserver nonsense\n"
					      "nameserver\n"
					      "nameserver fe80::1%2\r\n"
					      "nameservers 1.1.1.4\n"
					      "options timeout:3\n"
					      "nameserver fd00::3");
	char text[TERN_ADDR_TEXT_MAX];

	check_eq(c.n_servers, 3);
	check_str(tern_addr_format(&c.server[0], false, text), "10.0.0.2");
	check_str(tern_addr_format(&c.server[1], false, text), "fe80::1%2");
	check_str(tern_addr_format(&c.server[2], false, text), "fd00::3");
	check_eq(c.timeout_s, 3);
}

/* SEC-162: more than there is room for are left out. */
static void more_servers_than_room(void)
{
	static char text[300 * 32];
	struct tern_resolver_conf c;
	size_t len = 0;

	for (int i = 0; i < 255; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "nameserver 10.0.0.%d\n",
					i);
	c = conf_of(text);
	check_eq(c.n_servers, TERN_RESOLVER_SERVERS_MAX);
	check_eq(c.server[2].ip[3], 2);
	check_eq(c.ndots, 1);
	len = (size_t)snprintf(text, sizeof(text), "search");
	for (int i = 0; i < 255; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " d%d.test", i);
	c = conf_of(text);
	check_eq(c.n_search, TERN_RESOLVER_SEARCH_MAX);
	check_str(c.search[5], "d5.test");
}

static void options_are_read(void)
{
	static const struct {
		const char *text;
		unsigned ndots, timeout_s, attempts;
	} table[] = {
		{ "", 1, 5, 2 },
		{ "options ndots:3 timeout:7 attempts:4\n", 3, 7, 4 },
		{ "options ndots:99\noptions timeout:99 attempts:99", 15, 30, 5 },
		{ "options timeout:0 attempts:0 ndots:0", 0, 1, 1 },
		{ "options ndots:99999999999999999999", 15, 5, 2 },
		{ "options ndots: timeout:x attempts:-1 timeout:3x", 1, 5, 2 },
		{ "options debug edns0 trust-ad inet6 ndots:2 nonsense:4", 2, 5, 2 },
	};
	struct tern_resolver_conf c;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("%s", table[i].text);
		c = conf_of(table[i].text);
		check_eq(c.ndots, table[i].ndots);
		check_eq(c.timeout_s, table[i].timeout_s);
		check_eq(c.attempts, table[i].attempts);
		check(!c.rotate && !c.single_request && !c.use_tcp && !c.no_aaaa);
	}
	c = conf_of("options rotate single-request use-vc no-aaaa no-tld-query\n");
	check(c.rotate && c.single_request && c.use_tcp && c.no_aaaa && c.no_tld_query);
	check(conf_of("options single-request-reopen").single_request);
}

static void domains_are_read(void)
{
	struct tern_resolver_conf c =
		conf_of("domain a.test\nsearch b.test  c.test.\t bad..name d.test\n");

	check_eq(c.n_search, 3);
	check_str(c.search[0], "b.test");
	check_str(c.search[1], "c.test.");
	check_str(c.search[2], "d.test");
	c = conf_of("search b.test c.test\ndomain a.test x.test\n"); /* the last one counts */
	check_eq(c.n_search, 1);
	check_str(c.search[0], "a.test");
}

/* ---- hosts ---- */

static const char hosts[] = "127.0.0.1\tlocalhost\n"
			    "::1 localhost ip6-localhost ip6-loopback\n"
			    "# 10.0.0.1 comment\n"
			    "10.0.0.2 web.test web # 10.0.0.3 not\n"
			    "nonsense web\n"
			    "10.0.0.4\n"
			    "   10.0.0.5   WEB.test   other.\n"
			    "fd00::2 web.test\r\n"
			    "fe80::1%2 link.test\n"
			    "10.0.0.6 last";

static void names_are_found(void)
{
	static const struct {
		const char *name;
		int family;
		bool known;
		unsigned n;
		const char *canonical;
	} table[] = {
		{ "web.test", TERN_AF_UNSPEC, true, 3, "web.test" },
		{ "Web", TERN_AF_UNSPEC, true, 1, "web.test" },
		{ "web.test.", TERN_AF_INET, true, 2, "web.test" },
		{ "web.test", TERN_AF_INET6, true, 1, "web.test" },
		{ "other", TERN_AF_UNSPEC, true, 1, "WEB.test" },
		{ "other", TERN_AF_INET6, true, 0, "WEB.test" },
		{ "last", TERN_AF_UNSPEC, true, 1, "last" },
		{ "ip6-loopback", TERN_AF_UNSPEC, true, 1, "localhost" },
		{ "comment", TERN_AF_UNSPEC, false, 0, "" },
		{ "not", TERN_AF_UNSPEC, false, 0, "" },
		{ "10.0.0.3", TERN_AF_UNSPEC, false, 0, "" },
		{ "eb.test", TERN_AF_UNSPEC, false, 0, "" },
		{ "a..b", TERN_AF_UNSPEC, false, 0, "" },
	};
	struct hosts_found f;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("%s", table[i].name);
		check_eq(hosts_find(hosts, strlen(hosts), table[i].name, table[i].family, &f),
			 table[i].known);
		check_eq(f.n, table[i].n);
		check_str(f.canonical, table[i].canonical);
	}
}

static void addresses_are_found(void)
{
	static const struct {
		const char *address, *name; /* NULL: none */
	} table[] = {
		{ "127.0.0.1", "localhost" }, { "10.0.0.2", "web.test" },
		{ "10.0.0.5", "WEB.test" },   { "fd00::2", "web.test" },
		{ "10.0.0.4", NULL },	      { "10.0.0.3", NULL },
		{ "fe80::1%2", "link.test" }, { "fe80::1%3", NULL },
		{ "::ffff:10.0.0.2", NULL },
	};
	char name[TERN_DOMAIN_MAX];
	struct tern_addr a;

	for (size_t i = 0; i < N_TESTS(table); i++) {
		test_at("%s", table[i].address);
		check_eq(tern_addr_parse(table[i].address, 0, &a), 0);
		check_eq(hosts_name(hosts, strlen(hosts), &a, name), table[i].name != NULL);
		if (table[i].name)
			check_str(name, table[i].name);
	}
}

/* Cut anywhere, and with any bytes: nothing is read that is not there. */
static void texts_end_anywhere(void)
{
	static const char text[] = "nameserver 10.0.0.2\nsearch a.test b\noptions ndots:2 rotate\n";
	struct tern_resolver_conf c;
	struct hosts_found f;

	for (size_t len = 0; len < sizeof(hosts); len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, hosts, len);
		check(hosts_find(exact, len, "last", TERN_AF_UNSPEC, &f) == (len >= strlen(hosts)));
		for (size_t i = 0; i < len; i++)
			exact[i] = (char)(exact[i] * 7 + (int)i);
		hosts_find(exact, len, "last", TERN_AF_UNSPEC, &f);
		free(exact);
	}
	for (size_t len = 0; len < sizeof(text); len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, text, len);
		tern_resolver_conf_default(&c);
		tern_resolver_conf_parse(&c, exact, len);
		check_eq(c.n_servers, len >= strlen("nameserver 10.0.0.2"));
		free(exact);
	}
}

static const struct test tests[] = {
	TEST(servers_are_read),	  TEST(more_servers_than_room), TEST(options_are_read),
	TEST(domains_are_read),	  TEST(names_are_found),	TEST(addresses_are_found),
	TEST(texts_end_anywhere),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
