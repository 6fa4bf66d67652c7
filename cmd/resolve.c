/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.c - tern resolve: addresses of names, and names of addresses, by tern's own resolver.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "net.h"

enum lookup_type { TYPE_ANY, TYPE_A, TYPE_AAAA, TYPE_PTR };

struct resolve {
	struct net_options net;
	enum lookup_type type;
	bool json;
	bool began; /* JSON: an object is printed */
};

static void print_help(void)
{
	printf("usage: tern resolve [OPTIONS] NAME|ADDRESS...\n\n"
	       "Prints the addresses of names, best first, and the names of addresses.\n\n"
	       "  --type TYPE       A: IPv4 addresses, AAAA: IPv6 addresses, ANY: both (the\n"
	       "                    default), PTR: the name of an address\n"
	       "  --json            an array of objects\n");
	net_print_help("sim");
	printf("\nExit: 0 all were found, 1 a name is not there or the network said no, 2 usage\n"
	       "or a bad device.\n");
}

static bool take_type(struct args *a, struct resolve *r)
{
	static const char *const names[] = { "ANY", "A", "AAAA", "PTR" };

	if (!args_value(a))
		return false;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(a->value, names[i]) == 0) {
			r->type = (enum lookup_type)i;
			return true;
		}
	args_error(a, "--type: '%s' is not A, AAAA, PTR or ANY", a->value);
	return false;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct resolve *r = ctx;

	if (args_is(a, "--type"))
		return args_taken(take_type(a, r));
	if (args_is(a, "--json"))
		return args_taken(r->json = true);
	return net_take_option(a, &r->net);
}

/* ---- results ---- */

static void print_json_text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ')
			printf("\\u%04x", (unsigned)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json(struct resolve *r, const char *word, const struct tern_resolver_answer *a)
{
	static const char *const errors[TERN_RESOLVER_N_ERRORS] = {
		"",	    "EAI_NONAME", "EAI_NODATA", "EAI_AGAIN",
		"EAI_FAIL", "EAI_MEMORY", "EAI_SYSTEM", "EAI_OVERFLOW",
	};
	char text[TERN_ADDR_TEXT_MAX], why[TERN_RESOLVER_WHY_MAX];

	printf("%s{\"query\":", r->began ? ",\n " : "[");
	r->began = true;
	print_json_text(word);
	if (a->error != TERN_RESOLVER_OK) {
		printf(",\"error\":\"%s\",\"why\":", errors[a->error]);
		print_json_text(tern_resolver_why(a, why));
		putchar('}');
		return;
	}
	printf(",\"name\":");
	print_json_text(a->name);
	printf(",\"addresses\":[");
	for (unsigned i = 0; i < a->n_addrs; i++)
		printf("%s\"%s\"", i ? "," : "", tern_addr_format(&a->addr[i], false, text));
	printf("]");
	if (a->ttl)
		printf(",\"ttl\":%" PRIu32, a->ttl);
	putchar('}');
}

/* Is it the same name, but for its letters' size and a dot at its end? */
static bool is_same_name(const char *a, const char *b)
{
	size_t len = strlen(a);

	len -= len > 0 && a[len - 1] == '.';
	return strlen(b) == len && strncasecmp(a, b, len) == 0;
}

/* "web", when a domain of the search list made it "web.test": that is no alias. */
static bool is_completed(const char *word, const char *name)
{
	size_t len = strlen(word);

	return strncasecmp(word, name, len) == 0 && name[len] == '.';
}

static void print_text(const char *word, const struct tern_resolver_answer *a)
{
	char text[TERN_ADDR_TEXT_MAX];

	if (a->n_addrs == 0) {
		printf("%s is called %s\n", word, a->name);
		return;
	}
	if (!is_same_name(word, a->name) && !is_completed(word, a->name))
		printf("%s is an alias of %s\n", word, a->name);
	for (unsigned i = 0; i < a->n_addrs; i++)
		printf("%s has address %s\n", a->name, tern_addr_format(&a->addr[i], false, text));
}

/* ---- one name or address ---- */

static int look_up(struct resolve *r, struct net *n, const char *word)
{
	struct tern_resolver_question q = { .name = word };
	struct tern_resolver_answer a;
	enum net_parsed parsed = net_parse_addr(n, word, 0, &q.addr);
	bool is_address = parsed == NET_ADDRESS;
	int code;

	if (parsed == NET_NO_INTERFACE)
		return EXIT_USAGE;
	if (r->type == TYPE_PTR && !is_address)
		return net_refuse(n, "--type PTR needs an address, not '%s'", word);
	if (is_address && (r->type == TYPE_PTR || r->type == TYPE_ANY))
		q.name = NULL;
	else if (r->type != TYPE_ANY)
		q.family = r->type == TYPE_A ? TERN_AF_INET : TERN_AF_INET6;
	code = net_look_up(n, &q, &a);
	if (code != EXIT_DONE)
		return code;
	if (r->json)
		print_json(r, word, &a);
	else if (a.error == TERN_RESOLVER_OK)
		print_text(word, &a);
	if (a.error != TERN_RESOLVER_OK)
		return net_refuse_name(n, word, &a);
	return EXIT_DONE;
}

int cmd_resolve(int argc, char **argv)
{
	struct resolve r = { .type = TYPE_ANY };
	struct args a = args_of("tern resolve", argc, argv);
	int code = args_read(&a, print_help, take_option, &r), worst = EXIT_DONE;
	struct net n;

	if (code >= 0)
		return code;
	if (a.n_words == 0)
		return args_error(&a, "a name or an address is needed");
	code = net_open(&n, &r.net, &a);
	if (code != EXIT_DONE)
		return code;
	for (int i = 0; i < a.n_words && !net_interrupted(); i++) {
		code = look_up(&r, &n, a.word[i]);
		worst = code > worst ? code : worst;
	}
	if (r.json)
		printf(r.began ? "]\n" : "[]\n");
	fflush(stdout);		/* before it waits */
	if (!net_interrupted()) /* whoever has no neighbour is waited for, too */
		net_drain(&n);
	return net_close(&n, worst);
}
