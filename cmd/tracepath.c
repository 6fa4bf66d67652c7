/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepath.c - tern tracepath: the routers on the way to a host, and how much they carry.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "trace.h"

enum { TRIES = 3, MTU_CHANGES_MAX = 32 };

struct tracepath {
	struct net_options net;
	uint64_t hops, wait; /* ns */
	bool json;
	const char *host;
	uint32_t mtu;
	struct trace t;
};

static void print_help(void)
{
	printf("usage: tern tracepath [OPTIONS] HOST\n\n"
	       "Finds the path MTU: datagrams as large as may be, that die one hop further each "
	       "time.\n\n"
	       "  -m N              hops at most (default 30)\n"
	       "  -w T              wait so long for an answer, three times (default 1s)\n"
	       "  --json            one object at the end\n");
	net_print_help();
	printf("\nExit: 0 the host was reached, 1 it was not, 2 usage or no such device.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct tracepath *p = ctx;

	if (args_is(a, "-m"))
		return args_taken(args_count(a, TRACE_HOPS_MAX, &p->hops));
	if (args_is(a, "-w"))
		return args_taken(args_time(a, &p->wait));
	if (args_is(a, "--json")) {
		p->json = true;
		return TAKEN;
	}
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

static void note_mtu(struct tracepath *p, unsigned hop, uint32_t mtu)
{
	p->mtu = mtu;
	if (!p->json)
		printf("%2u:  pmtu %u\n", hop, mtu);
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
			note_mtu(p, hop, a->mtu);
			changes++;
		} else if (a->word == TRACE_NOTHING || a->word == TRACE_TOO_BIG) {
			tries++;
		} else {
			return a;
		}
	}
	return NULL;
}

static void print_hop(const struct tracepath *p, unsigned hop, const struct trace_answer *a)
{
	char from[TERN_ADDR_TEXT_MAX];

	if (p->json)
		return;
	if (!a) {
		printf("%2u:  no reply\n", hop);
		return;
	}
	printf("%2u:  %-36s %8.3fms%s%s\n", hop, tern_addr_format(&a->from, false, from),
	       (double)a->took / 1e6, a->word == TRACE_REACHED ? " reached" : "",
	       a->mark ? a->mark : "");
}

static uint32_t first_mtu(struct net *n)
{
	struct tern_iface i;
	unsigned index = tern_iface_next(n->st, 1);

	return index && tern_iface_get(n->st, index, &i) == 0 ? i.mtu : 1500;
}

static int print_end(const struct tracepath *p, unsigned hop, bool reached)
{
	if (p->json)
		printf("{\"host\":\"%s\",\"reached\":%s,\"pmtu\":%u,\"hops\":%u}\n", p->host,
		       reached ? "true" : "false", p->mtu, hop);
	else if (reached)
		printf("     Resume: pmtu %u hops %u\n", p->mtu, hop);
	else
		printf("     Too many hops, or no answer: pmtu %u\n", p->mtu);
	return reached ? EXIT_DONE : EXIT_NO;
}

static int run(struct tracepath *p, struct net *n)
{
	int code = trace_open(&p->t, n, p->host);
	bool failed = false;

	if (code != EXIT_DONE)
		return code;
	p->mtu = first_mtu(n);
	if (!p->json)
		printf(" 1?: [LOCALHOST]%30s pmtu %u\n", "", p->mtu);
	for (unsigned hop = 1; hop <= p->hops; hop++) {
		const struct trace_answer *a = ask_hop(p, hop, &failed);

		if (failed)
			return EXIT_NO;
		print_hop(p, hop, a);
		fflush(stdout);
		if (a && a->word != TRACE_HOP)
			return print_end(p, hop, a->word == TRACE_REACHED);
	}
	return print_end(p, (unsigned)p->hops, false);
}

int cmd_tracepath(int argc, char **argv)
{
	static struct tracepath p;
	struct args a = args_of("tern tracepath", argc, argv);
	struct net n;
	int code;

	p = (struct tracepath){ .hops = 30, .wait = TERN_SEC };
	code = read_options(&p, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &p.net, &a);
	if (code != EXIT_DONE)
		return code;
	code = run(&p, &n);
	return net_close(&n, code);
}
