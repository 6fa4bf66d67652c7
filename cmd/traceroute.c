/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traceroute.c - tern traceroute: the routers on the way to a host.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../view/json.h"
#include "cmd.h"
#include "trace.h"

struct traceroute {
	struct net_options net;
	uint64_t hops, queries, size;
	uint64_t wait; /* ns */
	bool is_json;
	struct json json;
	const char *host;
	struct trace t;
};

static void print_help(void)
{
	printf("usage: tern traceroute [OPTIONS] HOST\n\n"
	       "Sends datagrams that die one hop further each time, and prints who says so.\n\n"
	       "  -m N              hops at most (default 30)\n"
	       "  -q N              datagrams for each hop (default 3)\n"
	       "  -w T              wait so long for an answer (default 3s)\n"
	       "  -s N              bytes of each, IP header and all (default 60)\n"
	       "  -4, -6            the host's IPv4 or IPv6 address\n"
	       "  --json            one object: each hop as it is known\n");
	net_print_help("sim");
	printf("\n!N !H !P !X  no route, no such host, no such protocol, forbidden: said by that\n"
	       "             hop\n"
	       "Exit: 0 the host was reached, 1 it was not, 2 usage or no such device.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct traceroute *r = ctx;

	if (args_is(a, "-m"))
		return args_taken(args_count(a, TRACE_HOPS_MAX, &r->hops));
	if (args_is(a, "-q"))
		return args_taken(args_count(a, 4, &r->queries));
	if (args_is(a, "-w"))
		return args_taken(args_time(a, &r->wait));
	if (args_is(a, "-s"))
		return args_taken(args_count(a, 65535, &r->size));
	if (args_is(a, "--json"))
		return args_taken(r->is_json = true);
	if (names_take_family(a, &r->net) == TAKEN)
		return TAKEN;
	return net_take_option(a, &r->net);
}

static int read_options(struct traceroute *r, struct args *a)
{
	int code = args_read(a, print_help, take_option, r);

	if (code >= 0)
		return code;
	if (a->n_words != 1)
		return args_error(a, "one host is needed");
	if (r->hops == 0 || r->queries == 0)
		return args_error(a, "-m, -q: at least 1");
	r->host = a->word[0];
	return -1;
}

static void print_text(const struct traceroute *r, unsigned hop, unsigned first)
{
	const struct trace_answer *before = NULL;
	char from[NET_ADDR_TEXT_MAX];

	printf("%2u ", hop);
	for (unsigned i = first; i < first + r->queries; i++) {
		const struct trace_answer *a = &r->t.answer[i];

		if (a->word == TRACE_NOTHING) {
			printf(" *");
			continue;
		}
		if (!before || memcmp(before->from.ip, a->from.ip, 16) != 0)
			printf(" %s", net_format_addr(r->t.n, &a->from, from));
		printf("  %.3f ms%s%s", (double)a->took / 1e6, a->mark ? " " : "",
		       a->mark ? a->mark : "");
		before = a;
	}
	putchar('\n');
}

static void print_json(struct traceroute *r, unsigned hop, unsigned first)
{
	char from[NET_ADDR_TEXT_MAX];

	json_open(&r->json, NULL, '{');
	json_number(&r->json, "hop", hop);
	json_list(&r->json, "answers");
	for (unsigned i = first; i < first + r->queries; i++) {
		const struct trace_answer *a = &r->t.answer[i];

		if (a->word == TRACE_NOTHING)
			continue;
		json_key(&r->json, NULL);
		putchar('{');
		r->json.comma = false;
		json_string(&r->json, "from", net_format_addr(r->t.n, &a->from, from));
		json_ms(&r->json, "ms", a->took);
		if (a->mark)
			json_string(&r->json, "mark", a->mark);
		json_close(&r->json, '}');
	}
	json_close(&r->json, ']');
	json_close(&r->json, '}');
}

static void print_begin(struct traceroute *r)
{
	char to[NET_ADDR_TEXT_MAX];

	net_format_addr(r->t.n, &r->t.to, to);
	if (!r->is_json) {
		printf("traceroute to %s (%s), %" PRIu64 " hops max, %" PRIu64 " byte packets\n",
		       r->host, to, r->hops, r->size);
		return;
	}
	putchar('{');
	json_string(&r->json, "host", r->host);
	json_string(&r->json, "address", to);
	json_list(&r->json, "hops");
}

static void print_json_end(struct traceroute *r, bool reached)
{
	json_close(&r->json, ']');
	json_bool(&r->json, "reached", reached);
	printf("}\n");
}

/* The last word of a hop: does the way end here? */
static enum trace_word end_of(const struct traceroute *r, unsigned first)
{
	for (unsigned i = first; i < first + r->queries; i++) {
		enum trace_word word = r->t.answer[i].word;

		if (word == TRACE_REACHED || word == TRACE_UNREACHABLE)
			return word;
	}
	return TRACE_NOTHING;
}

/* Asks one hop, and prints what it says. An exit code when that was the last one, else -1. */
static int ask_hop(struct traceroute *r, unsigned hop)
{
	unsigned first = r->t.n_sent;
	enum trace_word end;

	for (unsigned q = 0; q < r->queries; q++) {
		int sent = trace_send(&r->t, (int)hop, (uint32_t)r->size);

		if (sent >= 0)
			continue;
		fprintf(stderr, "%s: %s: %s\n", r->t.n->command, r->host,
			sent == -1 ? "too many datagrams" : strerror(-sent));
		return EXIT_NO;
	}
	if (!trace_wait(&r->t, first, (unsigned)r->queries, r->wait))
		return EXIT_NO;
	if (r->is_json)
		print_json(r, hop, first);
	else
		print_text(r, hop, first);
	fflush(stdout);
	end = end_of(r, first);
	if (end == TRACE_NOTHING)
		return -1;
	return end == TRACE_REACHED ? EXIT_DONE : EXIT_NO;
}

static int run(struct traceroute *r, struct net *n)
{
	int code = trace_open(&r->t, n, r->host, TERN_IP_PMTUDISC_DONT);

	if (code != EXIT_DONE) {
		if (r->is_json && code == EXIT_NO)
			net_print_failure(n, r->host);
		return code;
	}
	print_begin(r);
	code = -1;
	for (unsigned hop = 1; hop <= r->hops && code < 0; hop++)
		code = ask_hop(r, hop);
	if (r->is_json)
		print_json_end(r, code == EXIT_DONE);
	return code < 0 ? EXIT_NO : code;
}

int cmd_traceroute(int argc, char **argv)
{
	static struct traceroute r;
	struct args a = args_of("tern traceroute", argc, argv);
	struct net n;
	int code;

	r = (struct traceroute){ .hops = 30,
				 .queries = 3,
				 .size = 60,
				 .wait = 3 * TERN_SEC,
				 .json = { stdout, false } };
	code = read_options(&r, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &r.net, &a);
	if (code != EXIT_DONE)
		return code;
	code = run(&r, &n);
	return net_close(&n, code);
}
