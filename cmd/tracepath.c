/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepath.c - tern tracepath: the routers on the way to a host, and how much they carry.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../view/json.h"
#include "cmd.h"
#include "trace.h"

enum { TRIES = 3, MTU_CHANGES_MAX = 32 };

struct tracepath {
	struct net_options net;
	uint64_t hops, wait; /* ns */
	bool is_json;
	struct json json;
	const char *host;
	uint32_t mtu;
	struct trace t;
};

static void print_help(void)
{
	printf("usage: tern tracepath [OPTIONS] HOST\n\n"
	       "Finds the path MTU: datagrams as large as may be, that die one hop further each\n"
	       "time.\n\n"
	       "  -m N              hops at most (default 30)\n"
	       "  -w T              wait so long for an answer, three times (default 1s)\n"
	       "  -4, -6            the host's IPv4 or IPv6 address\n"
	       "  --json            one object: each hop as it is known\n");
	net_print_help("sim");
	printf("\nExit: 0 the host was reached, 1 it was not, 2 usage or no such device.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct tracepath *p = ctx;

	if (args_is(a, "-m"))
		return args_taken(args_count(a, TRACE_HOPS_MAX, &p->hops));
	if (args_is(a, "-w"))
		return args_taken(args_time(a, &p->wait));
	if (args_is(a, "--json"))
		return args_taken(p->is_json = true);
	if (names_take_family(a, &p->net) == TAKEN)
		return TAKEN;
	return net_take_option(a, &p->net);
}

static int read_options(struct tracepath *p, struct args *a)
{
	int code = args_read(a, print_help, take_option, p);

	if (code >= 0)
		return code;
	if (a->n_words != 1)
		return args_error(a, "one host is needed");
	if (p->hops == 0)
		return args_error(a, "-m: at least 1");
	p->host = a->word[0];
	return -1;
}

/* What was said of a datagram that died at this hop; NULL: nothing. */
static void print_hop(struct tracepath *p, unsigned hop, const struct trace_answer *a)
{
	char from[NET_ADDR_TEXT_MAX];

	if (!a) {
		printf("%2u:  no reply\n", hop);
		return;
	}
	printf("%2u:  %-36s %8.3fms", hop, net_format_addr(p->t.n, &a->from, from),
	       (double)a->took / 1e6);
	if (a->word == TRACE_TOO_BIG)
		printf(" pmtu %u", a->mtu);
	printf("%s%s%s\n", a->word == TRACE_REACHED ? " reached" : "", a->mark ? " " : "",
	       a->mark ? a->mark : "");
}

static void print_json_hop(struct tracepath *p, unsigned hop, const struct trace_answer *a)
{
	char from[NET_ADDR_TEXT_MAX];

	json_open(&p->json, NULL, '{');
	json_number(&p->json, "hop", hop);
	json_string(&p->json, "from", a ? net_format_addr(p->t.n, &a->from, from) : NULL);
	if (a)
		json_ms(&p->json, "ms", a->took);
	if (a && a->word == TRACE_TOO_BIG)
		json_number(&p->json, "pmtu", a->mtu);
	if (a && a->mark)
		json_string(&p->json, "mark", a->mark);
	json_close(&p->json, '}');
}

static void tell_hop(struct tracepath *p, unsigned hop, const struct trace_answer *a)
{
	if (p->is_json)
		print_json_hop(p, hop, a);
	else
		print_hop(p, hop, a);
	fflush(stdout);
}

/*
 * What this hop says, after as many tries and as many smaller packets as it takes. NULL: nothing,
 * or a line of error.
 */
static const struct trace_answer *ask_hop(struct tracepath *p, unsigned hop, bool *failed)
{
	uint32_t least = p->t.to.family == TERN_AF_INET6 ? 1280 : 68;

	for (unsigned tries = 0, changes = 0; tries < TRIES && changes < MTU_CHANGES_MAX;) {
		int sent = trace_send(&p->t, (int)hop, p->mtu);
		const struct trace_answer *a;

		*failed = sent < 0;
		if (sent < 0) {
			fprintf(stderr, "%s: %s: %s\n", p->t.n->command, p->host, strerror(-sent));
			return NULL;
		}
		if (!trace_wait(&p->t, (unsigned)sent, 1, p->wait)) {
			*failed = true;
			return NULL;
		}
		a = &p->t.answer[sent];
		if (a->word == TRACE_TOO_BIG && a->mtu >= least && a->mtu < p->mtu) {
			p->mtu = a->mtu;
			tell_hop(p, hop, a);
			changes++;
		} else if (a->word == TRACE_NOTHING || a->word == TRACE_TOO_BIG) {
			tries++;
		} else {
			return a;
		}
	}
	return NULL;
}

static void print_begin(struct tracepath *p)
{
	char to[NET_ADDR_TEXT_MAX];

	if (!p->is_json) {
		printf(" 1?: [LOCALHOST]%30s pmtu %u\n", "", p->mtu);
		return;
	}
	putchar('{');
	json_string(&p->json, "host", p->host);
	json_string(&p->json, "address", net_format_addr(p->t.n, &p->t.to, to));
	json_list(&p->json, "hops");
}

/* word: of the last hop that was asked. */
static void print_end(struct tracepath *p, unsigned hop, enum trace_word word)
{
	if (p->is_json) {
		json_close(&p->json, ']');
		json_bool(&p->json, "reached", word == TRACE_REACHED);
		json_number(&p->json, "pmtu", p->mtu);
		printf("}\n");
	} else if (word == TRACE_REACHED) {
		printf("     Resume: pmtu %u hops %u\n", p->mtu, hop);
	} else if (word == TRACE_UNREACHABLE) {
		printf("     Unreachable: pmtu %u\n", p->mtu);
	} else {
		printf("     Too many hops, or no answer: pmtu %u\n", p->mtu);
	}
}

static int run(struct tracepath *p, struct net *n)
{
	int code = trace_open(&p->t, n, p->host, TERN_IP_PMTUDISC_PROBE);
	enum trace_word word = TRACE_HOP;
	bool failed = false;
	unsigned hop;

	if (code != EXIT_DONE) {
		if (p->is_json && code == EXIT_NO)
			net_print_failure(n, p->host);
		return code;
	}
	p->mtu = p->t.mtu;
	print_begin(p);
	for (hop = 1; hop <= p->hops; hop++) {
		const struct trace_answer *a = ask_hop(p, hop, &failed);

		if (failed)
			break;
		tell_hop(p, hop, a);
		word = a ? a->word : TRACE_NOTHING;
		if (word == TRACE_REACHED || word == TRACE_UNREACHABLE)
			break;
	}
	if (!failed || p->is_json)
		print_end(p, hop, word);
	return word == TRACE_REACHED ? EXIT_DONE : EXIT_NO;
}

int cmd_tracepath(int argc, char **argv)
{
	static struct tracepath p;
	struct args a = args_of("tern tracepath", argc, argv);
	struct net n;
	int code;

	p = (struct tracepath){ .hops = 30, .wait = TERN_SEC, .json = { stdout, false } };
	code = read_options(&p, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &p.net, &a);
	if (code != EXIT_DONE)
		return code;
	code = run(&p, &n);
	return net_close(&n, code);
}
